/* The clocks: the machine's, and the one that tests inject. */
#include "config.h"
#include "base/clock.h"

#include <errno.h>
#include <math.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>
#include <cmocka.h>

static void the_system_clock_counts_boot_time(void **state)
{
	struct timespec before, after;
	mono_t now;

	(void)state;
	clock_gettime(CLOCK_BOOTTIME, &before);
	now = clock_mono(&clock_system);
	clock_gettime(CLOCK_BOOTTIME, &after);
	assert_true(now >= before.tv_sec * NS_PER_S + before.tv_nsec);
	assert_true(now <= after.tv_sec * NS_PER_S + after.tv_nsec);
}

static void the_system_clock_has_wall_time(void **state)
{
	wall_t wall = clock_wall(&clock_system);

	(void)state;
	assert_true(llabs(wall / NS_PER_S - (int64_t)time(NULL)) <= 60);
}

static void a_deadline_in_the_past_does_not_block(void **state)
{
	(void)state;
	assert_int_equal(clock_system.wait(&clock_system, NULL, 0, 0, NULL), 0);
	assert_int_equal(clock_system.wait(&clock_system, NULL, 0, INT64_MIN, NULL), 0);
}

static void a_wait_ends_at_its_deadline_not_before(void **state)
{
	mono_t deadline = clock_mono(&clock_system) + 2 * NS_PER_MS;

	(void)state;
	assert_int_equal(clock_system.wait(&clock_system, NULL, 0, deadline, NULL), 0);
	assert_true(clock_mono(&clock_system) >= deadline);
}

static void a_ready_descriptor_ends_a_wait_without_limit(void **state)
{
	struct pollfd fd = {.events = POLLIN};
	int pipe_fd[2];

	(void)state;
	assert_int_equal(pipe(pipe_fd), 0);
	assert_int_equal(write(pipe_fd[1], "x", 1), 1);
	fd.fd = pipe_fd[0];
	assert_int_equal(clock_system.wait(&clock_system, &fd, 1, MONO_NEVER, NULL), 1);
	assert_true(fd.revents & POLLIN);
	close(pipe_fd[0]);
	close(pipe_fd[1]);
}

static void on_signal(int signal)
{
	(void)signal;
}

/* The mask is what makes waiting for a signal free of races: it is let in during the wait only. */
static void a_signal_that_the_mask_lets_in_ends_the_wait(void **state)
{
	struct sigaction action = {.sa_handler = on_signal}, old_action;
	sigset_t block, old, during;

	(void)state;
	sigaction(SIGUSR1, &action, &old_action);
	sigemptyset(&block);
	sigaddset(&block, SIGUSR1);
	sigprocmask(SIG_BLOCK, &block, &old);
	sigdelset(&old, SIGUSR1);
	during = old;
	raise(SIGUSR1);
	assert_int_equal(clock_system.wait(&clock_system, NULL, 0, MONO_NEVER, &during), -EINTR);
	raise(SIGUSR1);
	assert_int_equal(clock_system.wait(&clock_system, NULL, 0, 0, NULL), 0);
	sigprocmask(SIG_SETMASK, &old, NULL);
	sigaction(SIGUSR1, &old_action, NULL);
}

static void the_fake_clock_jumps_both_times_to_the_deadline(void **state)
{
	struct clock_fake fake = {.mono = 5 * NS_PER_S, .wall = 1000 * NS_PER_S};
	struct clock clock = clock_fake(&fake);

	(void)state;
	assert_int_equal(clock.wait(&clock, NULL, 0, 86405 * NS_PER_S, NULL), 0);
	assert_int_equal(clock_mono(&clock), 86405 * NS_PER_S);
	assert_int_equal(clock_wall(&clock), 87400 * NS_PER_S);
}

static void the_fake_clock_never_goes_back(void **state)
{
	struct clock_fake fake = {.mono = 5 * NS_PER_S, .wall = 1000 * NS_PER_S};
	struct clock clock = clock_fake(&fake);

	(void)state;
	assert_int_equal(clock.wait(&clock, NULL, 0, 1, NULL), 0);
	assert_int_equal(clock_mono(&clock), 5 * NS_PER_S);
	assert_int_equal(clock_wall(&clock), 1000 * NS_PER_S);
}

static void the_fake_clock_says_when_it_would_wait_for_ever(void **state)
{
	struct clock_fake fake = {0};
	struct clock clock = clock_fake(&fake);

	(void)state;
	assert_int_equal(clock.wait(&clock, NULL, 0, MONO_NEVER, NULL), -EDEADLK);
}

static void the_fake_clock_stands_still_while_a_descriptor_is_ready(void **state)
{
	struct clock_fake fake = {.mono = 1};
	struct clock clock = clock_fake(&fake);
	struct pollfd fd = {.events = POLLIN};
	int pipe_fd[2];

	(void)state;
	assert_int_equal(pipe(pipe_fd), 0);
	fd.fd = pipe_fd[0];
	assert_int_equal(clock.wait(&clock, &fd, 1, 10, NULL), 0);
	assert_int_equal(clock_mono(&clock), 10);
	assert_int_equal(write(pipe_fd[1], "x", 1), 1);
	assert_int_equal(clock.wait(&clock, &fd, 1, 20, NULL), 1);
	assert_int_equal(clock_mono(&clock), 10);
	close(pipe_fd[0]);
	close(pipe_fd[1]);
}

static void seconds_and_nanoseconds_are_the_same_time(void **state)
{
	static const int64_t times[] = {0, 1, -1, 999, 1500000000, -1500000000,
		INT64_C(86400000000000), INT64_C(1760000000123000000)};
	size_t i;

	(void)state;
	/* A double holds 53 bits: today's time comes back to 256 ns. */
	for (i = 0; i < sizeof times / sizeof *times; i++)
		assert_true(llabs(clock_ns(clock_seconds(times[i])) - times[i]) <= 256);
	assert_int_equal(clock_ns(1.5), 1500000000);
	assert_int_equal(clock_ns(0.1), 100000000);
	assert_int_equal(clock_ns(-0.1), -100000000);
}

static void seconds_that_do_not_fit_are_clamped(void **state)
{
	(void)state;
	assert_int_equal(clock_ns(1e300), INT64_MAX);
	assert_int_equal(clock_ns(-1e300), INT64_MIN);
	assert_int_equal(clock_ns(INFINITY), INT64_MAX);
	assert_int_equal(clock_ns(-INFINITY), INT64_MIN);
	assert_int_equal(clock_ns(9223372036.854775808), INT64_MAX);
	assert_int_equal(clock_ns(NAN), 0);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_system_clock_counts_boot_time),
		cmocka_unit_test(the_system_clock_has_wall_time),
		cmocka_unit_test(a_deadline_in_the_past_does_not_block),
		cmocka_unit_test(a_wait_ends_at_its_deadline_not_before),
		cmocka_unit_test(a_ready_descriptor_ends_a_wait_without_limit),
		cmocka_unit_test(a_signal_that_the_mask_lets_in_ends_the_wait),
		cmocka_unit_test(the_fake_clock_jumps_both_times_to_the_deadline),
		cmocka_unit_test(the_fake_clock_never_goes_back),
		cmocka_unit_test(the_fake_clock_says_when_it_would_wait_for_ever),
		cmocka_unit_test(the_fake_clock_stands_still_while_a_descriptor_is_ready),
		cmocka_unit_test(seconds_and_nanoseconds_are_the_same_time),
		cmocka_unit_test(seconds_that_do_not_fit_are_clamped),
	};

	return cmocka_run_group_tests_name("clock", tests, NULL, NULL);
}

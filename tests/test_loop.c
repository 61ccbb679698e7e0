/* The loop: descriptors and timers, in order, whatever their callbacks do to each other. */
#include "config.h"
#include "base/loop.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

enum { ACTORS = 4 };

struct scene;

/* A descriptor and a timer with a letter; what it does when called is the test's. */
struct actor {
	struct scene *scene;
	char letter;
	int pipe[2];
	struct loop_fd *fd;
	struct loop_timer *timer;
	void (*act)(struct actor *actor);
};

struct scene {
	struct clock_fake fake;
	struct clock clock;
	struct loop *loop;
	struct actor actor[ACTORS];
	char log[256];
	short revents;
};

static void note(struct actor *actor)
{
	strncat(actor->scene->log, &actor->letter, 1);
	if (actor->act)
		actor->act(actor);
}

static void on_fd(void *data, int fd, short revents)
{
	struct actor *actor = data;

	assert_int_equal(fd, actor->pipe[0]);
	actor->scene->revents = revents;
	note(actor);
}

static void on_timer(void *data, mono_t now)
{
	struct actor *actor = data;

	assert_int_equal(now, loop_now(actor->scene->loop));
	note(actor);
}

static int set_up(void **state)
{
	struct scene *scene = calloc(1, sizeof *scene);
	struct actor *actor;
	int i;

	scene->fake = (struct clock_fake){.mono = 1000, .wall = 5000};
	scene->clock = clock_fake(&scene->fake);
	scene->loop = loop_new(&scene->clock);
	for (i = 0; i < ACTORS; i++) {
		actor = &scene->actor[i];
		*actor = (struct actor){.scene = scene, .letter = (char)('a' + i)};
		if (pipe2(actor->pipe, O_CLOEXEC | O_NONBLOCK) < 0)
			return -1;
		actor->fd = loop_fd_add(scene->loop, actor->pipe[0], POLLIN, on_fd, actor);
		actor->timer = loop_timer_add(scene->loop, on_timer, actor);
	}
	*state = scene;
	return 0;
}

static int tear_down(void **state)
{
	struct scene *scene = *state;
	int i, end;

	loop_free(scene->loop);
	for (i = 0; i < ACTORS; i++)
		for (end = 0; end < 2; end++)
			if (scene->actor[i].pipe[end] >= 0)
				close(scene->actor[i].pipe[end]);
	free(scene);
	return 0;
}

static void make_ready(struct scene *scene, const char *letters)
{
	for (; *letters; letters++)
		assert_int_equal(write(scene->actor[*letters - 'a'].pipe[1], "x", 1), 1);
}

/* One turn; what was called, in order. */
static const char *turn(struct scene *scene, mono_t until)
{
	*scene->log = '\0';
	assert_int_equal(loop_turn(scene->loop, until), 0);
	return scene->log;
}

static void set(struct scene *scene, char letter, mono_t at)
{
	loop_timer_set(scene->actor[letter - 'a'].timer, at);
}

static void a_new_loop_knows_the_time(void **state)
{
	struct scene *scene = *state;

	assert_int_equal(loop_now(scene->loop), 1000);
	assert_int_equal(loop_wall(scene->loop), 5000);
	assert_false(loop_is_stopped(scene->loop));
}

static void a_turn_without_anything_ends_at_until(void **state)
{
	struct scene *scene = *state;

	assert_string_equal(turn(scene, 3000), "");
	assert_int_equal(loop_now(scene->loop), 3000);
	assert_int_equal(loop_wall(scene->loop), 7000);
}

static void ready_descriptors_are_told_in_their_order(void **state)
{
	struct scene *scene = *state;

	make_ready(scene, "dba");
	assert_string_equal(turn(scene, MONO_NEVER), "abd");
	assert_int_equal(scene->revents, POLLIN);
	assert_string_equal(turn(scene, MONO_NEVER), "abd"); /* nobody has read */
	assert_int_equal(loop_now(scene->loop), 1000);
}

static void a_hangup_is_told_unasked(void **state)
{
	struct scene *scene = *state;

	close(scene->actor[1].pipe[1]);
	scene->actor[1].pipe[1] = -1;
	assert_string_equal(turn(scene, 2000), "b");
	assert_true(scene->revents & POLLHUP);
}

static void a_descriptor_without_events_is_not_looked_at(void **state)
{
	struct scene *scene = *state;

	make_ready(scene, "ab");
	loop_fd_events(scene->actor[0].fd, 0);
	assert_string_equal(turn(scene, 2000), "b");
	loop_fd_events(scene->actor[1].fd, 0);
	close(scene->actor[1].pipe[1]); /* a hangup that nobody heard would spin */
	scene->actor[1].pipe[1] = -1;
	assert_string_equal(turn(scene, 3000), "");
	assert_int_equal(loop_now(scene->loop), 3000);
	loop_fd_events(scene->actor[0].fd, POLLIN);
	assert_string_equal(turn(scene, 2000), "a");
}

static void silence_b(struct actor *actor)
{
	loop_fd_events(actor->scene->actor[1].fd, 0);
}

static void a_hangup_is_not_told_to_whom_was_silenced_before(void **state)
{
	struct scene *scene = *state;

	scene->actor[0].act = silence_b;
	make_ready(scene, "a");
	close(scene->actor[1].pipe[1]);
	scene->actor[1].pipe[1] = -1;
	assert_string_equal(turn(scene, 2000), "a");
}

static void timers_fire_in_the_order_of_their_times(void **state)
{
	struct scene *scene = *state;

	set(scene, 'a', 1500);
	set(scene, 'b', 1200);
	set(scene, 'c', 1300);
	assert_string_equal(turn(scene, MONO_NEVER), "b");
	assert_int_equal(loop_now(scene->loop), 1200);
	assert_string_equal(turn(scene, MONO_NEVER), "c");
	assert_string_equal(turn(scene, MONO_NEVER), "a");
	assert_int_equal(loop_now(scene->loop), 1500);
	assert_int_equal(loop_turn(scene->loop, MONO_NEVER), -EDEADLK);
}

static void timers_of_one_turn_fire_by_time_then_by_setting(void **state)
{
	struct scene *scene = *state;

	set(scene, 'd', 1300);
	set(scene, 'b', 1200);
	set(scene, 'c', 1300);
	set(scene, 'a', 1100);
	scene->fake.mono = 2000;
	assert_string_equal(turn(scene, MONO_NEVER), "abdc");
}

static void a_timer_fires_once(void **state)
{
	struct scene *scene = *state;

	set(scene, 'a', 1100);
	assert_true(loop_timer_is_on(scene->actor[0].timer));
	assert_string_equal(turn(scene, 2000), "a");
	assert_false(loop_timer_is_on(scene->actor[0].timer));
	assert_string_equal(turn(scene, 3000), "");
}

static void a_timer_that_is_off_does_not_fire(void **state)
{
	struct scene *scene = *state;

	set(scene, 'a', 1100);
	set(scene, 'b', 1200);
	loop_timer_off(scene->actor[0].timer);
	loop_timer_off(scene->actor[0].timer);
	assert_string_equal(turn(scene, MONO_NEVER), "b");
	assert_string_equal(turn(scene, 9000), "");
}

static void sooner_never_means_later(void **state)
{
	struct scene *scene = *state;

	loop_timer_sooner(scene->actor[0].timer, 1500);
	loop_timer_sooner(scene->actor[0].timer, 1800);
	assert_string_equal(turn(scene, MONO_NEVER), "a");
	assert_int_equal(loop_now(scene->loop), 1500);
	loop_timer_sooner(scene->actor[0].timer, 1900);
	loop_timer_sooner(scene->actor[0].timer, 1600);
	assert_string_equal(turn(scene, MONO_NEVER), "a");
	assert_int_equal(loop_now(scene->loop), 1600);
}

static void setting_again_moves_a_timer(void **state)
{
	struct scene *scene = *state;

	set(scene, 'a', 1500);
	set(scene, 'a', 1800);
	assert_string_equal(turn(scene, 1600), "");
	assert_string_equal(turn(scene, 2000), "a");
	assert_int_equal(loop_now(scene->loop), 1800);
}

static void a_timer_in_the_past_fires_at_once(void **state)
{
	struct scene *scene = *state;

	set(scene, 'a', -5);
	assert_string_equal(turn(scene, MONO_NEVER), "a");
	assert_int_equal(loop_now(scene->loop), 1000);
}

static void never_is_not_waited_for(void **state)
{
	struct scene *scene = *state;

	set(scene, 'a', MONO_NEVER);
	assert_int_equal(loop_turn(scene->loop, MONO_NEVER), -EDEADLK);
}

static void descriptors_come_before_timers(void **state)
{
	struct scene *scene = *state;

	set(scene, 'a', 1000);
	make_ready(scene, "b");
	assert_string_equal(turn(scene, MONO_NEVER), "ba");
}

static void rearm_for_now(struct actor *actor)
{
	loop_timer_set(actor->timer, 0);
}

static void a_timer_that_rearms_itself_starves_nobody(void **state)
{
	struct scene *scene = *state;

	scene->actor[0].act = rearm_for_now;
	set(scene, 'a', 1000);
	set(scene, 'b', 1000);
	assert_string_equal(turn(scene, MONO_NEVER), "ab");
	make_ready(scene, "c");
	assert_string_equal(turn(scene, MONO_NEVER), "ca");
	set(scene, 'b', 1000);
	assert_string_equal(turn(scene, MONO_NEVER), "cab");
}

static void remove_itself(struct actor *actor)
{
	loop_fd_remove(actor->fd);
	loop_timer_remove(actor->timer);
	actor->fd = NULL;
	actor->timer = NULL;
}

static void a_callback_may_remove_its_own_handle(void **state)
{
	struct scene *scene = *state;

	scene->actor[0].act = remove_itself;
	make_ready(scene, "ab");
	set(scene, 'a', 1000);
	assert_string_equal(turn(scene, 2000), "ab");
	scene->actor[2].act = remove_itself;
	set(scene, 'c', 1000);
	set(scene, 'd', 1000);
	loop_fd_events(scene->actor[1].fd, 0);
	assert_string_equal(turn(scene, 2000), "cd");
	make_ready(scene, "acd");
	assert_string_equal(turn(scene, 2000), "d");
}

static void remove_others(struct actor *actor)
{
	int i;

	for (i = 0; i < ACTORS; i++)
		if (&actor->scene->actor[i] != actor)
			remove_itself(&actor->scene->actor[i]);
}

static void a_callback_may_remove_others_that_are_ready(void **state)
{
	struct scene *scene = *state;

	scene->actor[1].act = remove_others;
	make_ready(scene, "abcd");
	assert_string_equal(turn(scene, 2000), "ab");
	assert_string_equal(turn(scene, 2000), "b");
}

static void a_callback_may_remove_others_that_are_due(void **state)
{
	struct scene *scene = *state;

	scene->actor[1].act = remove_others;
	set(scene, 'a', 1000);
	set(scene, 'b', 1000);
	set(scene, 'c', 1000);
	set(scene, 'd', 1000);
	assert_string_equal(turn(scene, 2000), "ab");
	assert_string_equal(turn(scene, 2000), "");
}

static void postpone_others(struct actor *actor)
{
	set(actor->scene, 'c', loop_now(actor->scene->loop) + 4000);
	loop_timer_off(actor->scene->actor[3].timer);
	loop_fd_events(actor->scene->actor[2].fd, 0);
}

static void what_a_callback_puts_off_does_not_run(void **state)
{
	struct scene *scene = *state;

	scene->actor[0].act = postpone_others;
	set(scene, 'a', 1000);
	set(scene, 'c', 1000);
	set(scene, 'd', 1000);
	assert_string_equal(turn(scene, 2000), "a");
	assert_string_equal(turn(scene, 9000), "c");
	assert_int_equal(loop_now(scene->loop), 5000);
	loop_fd_events(scene->actor[2].fd, POLLIN);
	make_ready(scene, "abc");
	assert_string_equal(turn(scene, 9000), "ab");
}

/* The new descriptor gets the number of the one that was closed: the old readiness is not its. */
static void swap_descriptor(struct actor *actor)
{
	struct actor *other = &actor->scene->actor[2];
	int pipe_fd[2], i;

	actor->act = NULL;
	loop_fd_remove(other->fd);
	close(other->pipe[0]);
	close(other->pipe[1]);
	assert_int_equal(pipe2(pipe_fd, O_CLOEXEC), 0);
	memcpy(other->pipe, pipe_fd, sizeof pipe_fd);
	for (i = 0; i < 100; i++) /* the arrays grow while the turn walks them */
		other->fd = loop_fd_add(actor->scene->loop, other->pipe[0], POLLIN, on_fd, other);
}

static void a_descriptor_added_by_a_callback_waits_for_its_own_readiness(void **state)
{
	struct scene *scene = *state;
	int old = scene->actor[2].pipe[0];

	scene->actor[1].act = swap_descriptor;
	make_ready(scene, "bcd");
	assert_string_equal(turn(scene, 2000), "bd");
	assert_int_equal(scene->actor[2].pipe[0], old);
	loop_fd_events(scene->actor[1].fd, 0);
	loop_fd_events(scene->actor[3].fd, 0);
	make_ready(scene, "c");
	turn(scene, 2000);
	assert_int_equal(strlen(scene->log), 100);
	assert_int_equal(strspn(scene->log, "c"), 100);
}

static void stop_with_7(struct actor *actor)
{
	loop_stop(actor->scene->loop, 7);
}

static void a_run_ends_with_what_stop_was_given(void **state)
{
	struct scene *scene = *state;

	scene->actor[1].act = stop_with_7;
	set(scene, 'a', 1100);
	set(scene, 'b', 1200);
	set(scene, 'c', 1300);
	assert_int_equal(loop_run(scene->loop), 7);
	assert_string_equal(scene->log, "ab");
	assert_true(loop_is_stopped(scene->loop));
}

static void a_stop_before_the_run_counts(void **state)
{
	struct scene *scene = *state;

	loop_stop(scene->loop, -EIO);
	assert_int_equal(loop_run(scene->loop), -EIO);
}

static void a_run_ends_with_the_error_of_the_wait(void **state)
{
	struct scene *scene = *state;

	assert_int_equal(loop_run(scene->loop), -EDEADLK);
}

static int interrupted_wait(const struct clock *clock, struct pollfd *fds, unsigned int n,
	mono_t deadline, const sigset_t *mask)
{
	(void)clock, (void)fds, (void)n, (void)deadline, (void)mask;
	return -EINTR;
}

static void a_signal_ends_a_turn_and_is_no_error(void **state)
{
	struct scene *scene = *state;

	make_ready(scene, "a");
	turn(scene, 2000);
	scene->clock.wait = interrupted_wait;
	set(scene, 'b', 1000);
	assert_string_equal(turn(scene, MONO_NEVER), "b"); /* not a: its readiness is an old one */
}

static void removing_nothing_is_allowed(void **state)
{
	(void)state;
	loop_fd_remove(NULL);
	loop_timer_remove(NULL);
	loop_free(NULL);
}

/* A day of a source that looks every second and beats every five. */
struct day {
	struct loop *loop;
	struct loop_timer *look, *beat;
	int looks, beats;
};

static void on_look(void *data, mono_t now)
{
	struct day *day = data;

	day->looks++;
	loop_timer_set(day->look, now + NS_PER_S);
}

static void on_beat(void *data, mono_t now)
{
	struct day *day = data;

	day->beats++;
	loop_timer_set(day->beat, now + 5 * NS_PER_S);
}

static void a_day_passes_in_no_time(void **state)
{
	struct clock_fake fake = {0};
	struct clock clock = clock_fake(&fake);
	struct day day = {.loop = loop_new(&clock)};

	(void)state;
	day.look = loop_timer_add(day.loop, on_look, &day);
	day.beat = loop_timer_add(day.loop, on_beat, &day);
	loop_timer_set(day.look, NS_PER_S);
	loop_timer_set(day.beat, 5 * NS_PER_S);
	while (loop_now(day.loop) < 86400 * NS_PER_S)
		assert_int_equal(loop_turn(day.loop, 86400 * NS_PER_S), 0);
	assert_int_equal(day.looks, 86400);
	assert_int_equal(day.beats, 17280);
	loop_free(day.loop);
}

/* Many timers, set, moved, switched off, removed and added at random, against a plain array. */
enum { MANY = 60 };

struct many {
	struct loop_timer *timer;
	mono_t at;
	bool is_on;
};

static void on_many(void *data, mono_t now)
{
	struct many *many = data;

	assert_true(many->is_on);
	assert_true(many->at <= now);
	many->is_on = false;
}

static void change_at_random(struct loop *loop, struct many *many)
{
	mono_t at = loop_now(loop) + rand() % 50;

	switch (rand() % 5) {
	case 0:
		loop_timer_off(many->timer);
		many->is_on = false;
		break;
	case 1:
		loop_timer_remove(many->timer);
		many->timer = loop_timer_add(loop, on_many, many);
		many->is_on = false;
		break;
	case 2:
		loop_timer_sooner(many->timer, at);
		if (!many->is_on || at < many->at)
			many->at = at;
		many->is_on = true;
		break;
	default:
		loop_timer_set(many->timer, at);
		many->at = at;
		many->is_on = true;
	}
}

static void many_timers_are_as_with_an_array(void **state)
{
	struct scene *scene = *state;
	struct many many[MANY] = {0};
	mono_t next;
	int step, i;

	srand(3);
	for (i = 0; i < MANY; i++)
		many[i].timer = loop_timer_add(scene->loop, on_many, &many[i]);
	for (step = 0; step < 20000; step++) {
		for (i = rand() % 6; i > 0; i--)
			change_at_random(scene->loop, &many[rand() % MANY]);
		next = loop_now(scene->loop) + 20;
		for (i = 0; i < MANY; i++)
			if (many[i].is_on && many[i].at < next)
				next = many[i].at;
		assert_int_equal(loop_turn(scene->loop, loop_now(scene->loop) + 20), 0);
		assert_int_equal(loop_now(scene->loop), next);
		for (i = 0; i < MANY; i++) {
			assert_int_equal(loop_timer_is_on(many[i].timer), many[i].is_on);
			assert_true(!many[i].is_on || many[i].at > next);
		}
	}
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(a_new_loop_knows_the_time),
		TEST(a_turn_without_anything_ends_at_until),
		TEST(ready_descriptors_are_told_in_their_order),
		TEST(a_hangup_is_told_unasked),
		TEST(a_descriptor_without_events_is_not_looked_at),
		TEST(a_hangup_is_not_told_to_whom_was_silenced_before),
		TEST(timers_fire_in_the_order_of_their_times),
		TEST(timers_of_one_turn_fire_by_time_then_by_setting),
		TEST(a_timer_fires_once),
		TEST(a_timer_that_is_off_does_not_fire),
		TEST(sooner_never_means_later),
		TEST(setting_again_moves_a_timer),
		TEST(a_timer_in_the_past_fires_at_once),
		TEST(never_is_not_waited_for),
		TEST(descriptors_come_before_timers),
		TEST(a_timer_that_rearms_itself_starves_nobody),
		TEST(a_callback_may_remove_its_own_handle),
		TEST(a_callback_may_remove_others_that_are_ready),
		TEST(a_callback_may_remove_others_that_are_due),
		TEST(what_a_callback_puts_off_does_not_run),
		TEST(a_descriptor_added_by_a_callback_waits_for_its_own_readiness),
		TEST(a_run_ends_with_what_stop_was_given),
		TEST(a_stop_before_the_run_counts),
		TEST(a_run_ends_with_the_error_of_the_wait),
		TEST(a_signal_ends_a_turn_and_is_no_error),
		TEST(removing_nothing_is_allowed),
		TEST(a_day_passes_in_no_time),
		TEST(many_timers_are_as_with_an_array),
	};

	return cmocka_run_group_tests_name("loop", tests, NULL, NULL);
}

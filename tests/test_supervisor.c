/*
 * The supervisor over real children and a lock that does what the test says. The lock's time is
 * made: it passes when nothing is ready, or stands still until a child did something.
 */
#include "config.h"
#include "engine/supervisor.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

#define LEASE (30 * NS_PER_S)

struct test {
	struct clock clock;
	mono_t now;
	int64_t gap;  /* the next wait lasts so much longer than asked, as if we had been stopped */
	bool is_deaf; /* the child does not listen to TERM */
	int waits;    /* for real, before the made time passes */
	int code;     /* of renew() from the `fails_from`th on */
	int fails_from, fails_until;
	int verify_code;
	mono_t at; /* of the last success */
	int64_t lease;
	int renewals, verifications;
	mono_t lost_when;
	int lost_code, losses;
	mono_t renewed_when[100];
	char folder[64], file[100];
	const char *path[1];
	struct signals signals;
	struct supervision result;
};

/* --- the clock ----------------------------------------------------------------------------- */

static mono_t test_mono(const struct clock *clock)
{
	return ((const struct test *)clock->data)->now;
}

static wall_t test_wall(const struct clock *clock)
{
	return test_mono(clock);
}

/* A child gets real time to react, and then the made time jumps to the deadline. */
static int test_wait(const struct clock *clock, struct pollfd *fds, unsigned int n, mono_t deadline,
	const sigset_t *mask)
{
	struct test *test = clock->data;
	/* One that was sent TERM may take its time, on a busy machine. */
	bool is_ending = test->losses && !test->is_deaf;
	int real_ms = deadline == MONO_NEVER || is_ending ? 30000 : test->waits;
	int ready =
		ppoll(fds, n, &(struct timespec){real_ms / 1000, real_ms % 1000 * 1000000L}, mask);

	if (ready)
		return ready < 0 ? -errno : ready;
	assert_true(deadline != MONO_NEVER);
	if (deadline > test->now)
		test->now = deadline;
	test->now += test->gap;
	test->gap = 0;
	return 0;
}

/* --- the lock ------------------------------------------------------------------------------ */

static int test_renew(void *data)
{
	struct test *test = data;

	test->renewals++;
	if (test->renewals < 100)
		test->renewed_when[test->renewals] = test->now;
	if (test->fails_from && test->renewals >= test->fails_from &&
		(!test->fails_until || test->renewals < test->fails_until))
		return test->code;
	test->at = test->now;
	return 0;
}

static int test_verify(void *data)
{
	struct test *test = data;

	test->verifications++;
	return test->verify_code;
}

static mono_t renew_at(void *data)
{
	struct test *test = data;

	return test->lease ? test->at + test->lease / 3 : MONO_NEVER;
}

static mono_t lost_at(void *data)
{
	struct test *test = data;

	return test->lease ? test->at + test->lease / 3 * 2 : MONO_NEVER;
}

static mono_t ends_at(void *data)
{
	struct test *test = data;

	return test->lease ? test->at + test->lease : MONO_NEVER;
}

static void lost(void *data, int code)
{
	struct test *test = data;

	test->losses++;
	test->lost_code = code;
	test->lost_when = test->now;
}

/* --- a test -------------------------------------------------------------------------------- */

static int set_up(void **state)
{
	struct test *test = calloc(1, sizeof *test);
	const char *tmp = getenv("TMPDIR");

	test->now = 1000 * NS_PER_S;
	test->lease = LEASE;
	test->at = test->now;
	test->waits = 1;
	test->clock = (struct clock){test_mono, test_wall, test_wait, test};
	snprintf(test->folder, sizeof test->folder, "%.30s/supervisor.XXXXXX", tmp ? tmp : "/tmp");
	if (!mkdtemp(test->folder))
		return -1;
	snprintf(test->file, sizeof test->file, "%s/file", test->folder);
	signals_catch(&test->signals);
	signals_block(&test->signals);
	*state = test;
	return 0;
}

static int tear_down(void **state)
{
	struct test *test = *state;

	unlink(test->file);
	rmdir(test->folder);
	signals_give_back(&test->signals);
	free(test);
	return 0;
}

static struct supervisor_options options_of(struct test *test, char *const *argv)
{
	return (struct supervisor_options){
		.clock = &test->clock,
		.signals = &test->signals,
		.argv = argv,
		.grace = -1,
		.lock = {test_renew, test_verify, renew_at, lost_at, ends_at, lost, test->path, 0,
			test},
	};
}

static int run_with(struct test *test, const struct supervisor_options *options)
{
	return supervisor_run(options, &test->result);
}

#define ARGV(...)                 \
	(char *[])                \
	{                         \
		__VA_ARGS__, NULL \
	}
#define SHELL(text) ARGV((char *)"sh", (char *)"-c", (char *)(text))

/* Runs a line of sh with the file's name as $1. */
static int run_sh(struct test *test, const char *text)
{
	struct supervisor_options options = options_of(
		test, ARGV((char *)"sh", (char *)"-c", (char *)text, (char *)"sh", test->file));

	return run_with(test, &options);
}

static bool is_there(const char *path)
{
	return access(path, F_OK) == 0;
}

/* --- the child ----------------------------------------------------------------------------- */

static void the_status_is_the_childs(void **state)
{
	struct test *test = *state;

	test->lease = 0;
	assert_int_equal(run_sh(test, "exit 0"), 0);
	assert_int_equal(test->result.status, 0);
	assert_int_equal(run_sh(test, "exit 43"), 0);
	assert_int_equal(test->result.status, 43);
	assert_int_equal(run_sh(test, "kill -KILL $$"), 0);
	assert_int_equal(test->result.status, 128 + SIGKILL);
	assert_false(test->result.is_lost);
	assert_int_equal(test->losses, 0);
}

static void what_cannot_be_executed_is_told(void **state)
{
	struct test *test = *state;
	struct supervisor_options options = options_of(test, ARGV((char *)"/nowhere/at-all"));

	assert_int_equal(run_with(test, &options), -ENOENT);
	options.argv = ARGV((char *)"no-such-command-in-the-path");
	assert_int_equal(run_with(test, &options), -ENOENT);
	options.argv = ARGV((char *)"/etc/passwd");
	assert_int_equal(run_with(test, &options), -EACCES);
	options.argv = ARGV(test->folder);
	assert_int_equal(run_with(test, &options), -EACCES);
	assert_int_equal(waitpid(-1, NULL, WNOHANG), -1); /* and nobody is left */
}

static void the_child_has_a_group_of_its_own(void **state)
{
	struct test *test = *state;

	test->lease = 0;
	assert_int_equal(
		run_sh(test, "set -- $(cut -d')' -f2 /proc/$$/stat) $$; [ \"$3\" = \"${51}\" ] && "
			     "[ \"$2\" != \"$3\" ]"),
		0);
	assert_int_equal(test->result.status, 0);
}

static int finds(struct test *test, const char *pattern)
{
	struct supervisor_options options = options_of(test,
		ARGV((char *)"grep", (char *)"-q", (char *)pattern, (char *)"/proc/self/status"));

	assert_int_equal(run_with(test, &options), 0);
	return test->result.status;
}

/* An ignored signal stays ignored, a caught one has its default, and nothing is blocked. */
static void the_child_has_the_signals_that_we_got(void **state)
{
	struct test *test = *state;

	test->lease = 0;
	signals_give_back(&test->signals);
	signal(SIGHUP, SIG_IGN);
	signal(SIGCHLD, SIG_IGN);
	signals_catch(&test->signals);
	signals_block(&test->signals);
	assert_int_equal(finds(test, "^SigBlk:.*0000000000000000$"), 0);
	assert_int_equal(finds(test, "^SigIgn:.*0010001$"), 0); /* 32 and 33 are glibc's */
	signals_give_back(&test->signals);
	signal(SIGHUP, SIG_DFL);
	signal(SIGCHLD, SIG_DFL);
	signals_catch(&test->signals);
	signals_block(&test->signals);
}

static void a_descriptor_is_inherited_only_when_told(void **state)
{
	struct test *test = *state;
	int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
	char text[100];
	struct supervisor_options options;

	snprintf(text, sizeof text, "[ -e /proc/$$/fd/%d ]", fd);
	options = options_of(test, SHELL(text));
	assert_int_equal(run_with(test, &options), 0);
	assert_int_equal(test->result.status, 1);
	options.inherit = &fd;
	options.inherits = 1;
	assert_int_equal(run_with(test, &options), 0);
	assert_int_equal(test->result.status, 0);
	assert_true(fcntl(fd, F_GETFD) & FD_CLOEXEC);
	close(fd);
}

/* --- signals ------------------------------------------------------------------------------- */

static void a_signal_reaches_the_whole_group(void **state)
{
	static const int all[] = {SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGUSR1, SIGUSR2, SIGALRM,
		SIGPIPE, SIGWINCH, SIGURG};
	struct test *test = *state;

	test->lease = 0;
	for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
		char text[400];
		pid_t sender, me = getpid();

		unlink(test->file);
		/* A shell ignores some of them in what it starts in the background. */
		snprintf(text, sizeof text,
			"trap : %d; sh -c 'trap \"exit 9\" %d; : >\"$1\"; for i in $(seq 600); do "
			"sleep 0.05; "
			"done' sh \"$1\"; exit $?",
			all[i], all[i]);
		sender = fork();
		if (sender == 0) {
			prctl(PR_SET_PDEATHSIG, SIGKILL);
			while (!is_there(test->file))
				usleep(2000);
			kill(me, all[i]);
			_exit(0);
		}
		assert_int_equal(run_sh(test, text), 0);
		waitpid(sender, NULL, 0);
		if (test->result.status != 9)
			print_error("signal %d\n", all[i]);
		assert_int_equal(test->result.status, 9);
	}
}

/* The child's end comes with SIGCHLD; a SIGPIPE of our own making is nobody's business. */
static void our_own_signals_are_not_forwarded(void **state)
{
	struct test *test = *state;
	int ends[2];

	test->lease = 0;
	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	close(ends[0]);
	assert_int_equal(write(ends[1], "x", 1), -1); /* SIGPIPE waits, blocked */
	close(ends[1]);
	assert_int_equal(run_sh(test, "sleep 0.1; exit 5"), 0);
	assert_int_equal(test->result.status, 5);
}

static void a_child_that_somebody_stopped_keeps_the_lock(void **state)
{
	struct test *test = *state;

	assert_int_equal(
		run_sh(test, "(sleep 0.1; kill -CONT $$) & kill -STOP $$; wait; exit 6"), 0);
	assert_int_equal(test->result.status, 6);
	assert_true(test->renewals > 0);
}

/* --- the lease ----------------------------------------------------------------------------- */

static void it_is_renewed_at_a_third_of_the_lease(void **state)
{
	struct test *test = *state;
	mono_t begin = test->now;

	test->waits = 20;
	assert_int_equal(run_sh(test, "sleep 0.2"), 0);
	assert_int_equal(test->result.status, 0);
	assert_true(test->renewals >= 2);
	for (int i = 1; i <= 2; i++)
		assert_int_equal(test->renewed_when[i], begin + i * LEASE / 3);
	assert_int_equal(test->losses, 0);
}

static void a_failed_renewal_is_tried_again_until_it_counts_as_lost(void **state)
{
	struct test *test = *state;
	mono_t begin = test->now;

	test->fails_from = 1;
	test->code = -EIO;
	assert_int_equal(run_sh(test, "sleep 30"), 0);
	assert_int_equal(test->losses, 1);
	assert_int_equal(test->lost_code, -ETIME);
	assert_int_equal(test->lost_when, begin + LEASE / 3 * 2);
	assert_true(test->renewals >= 4);
	assert_true(test->result.is_lost);
	assert_int_equal(test->result.status, 128 + SIGTERM);
}

static void a_renewal_that_succeeds_again_is_no_loss(void **state)
{
	struct test *test = *state;

	test->fails_from = 1;
	test->fails_until = 4;
	test->code = -ETIMEDOUT;
	test->waits = 10;
	assert_int_equal(run_sh(test, "sleep 0.2; exit 8"), 0);
	assert_int_equal(test->losses, 0);
	assert_true(test->renewals > 4);
	assert_int_equal(test->result.status, 8);
}

static void a_certain_loss_ends_the_group_at_once(void **state)
{
	struct test *test = *state;
	mono_t begin = test->now;

	test->fails_from = 1;
	test->code = -ESTALE;
	assert_int_equal(run_sh(test, "sleep 30 & echo $! >$1; wait"), 0);
	assert_int_equal(test->lost_when, begin + LEASE / 3);
	assert_int_equal(test->lost_code, -ESTALE);
	assert_int_equal(test->renewals, 1); /* what is lost is not renewed again */
	assert_int_equal(test->result.status, 128 + SIGTERM);
}

/* It ignores TERM, and so do its children: all are dead before the lease is over. */
static void who_does_not_listen_is_killed_within_the_lease(void **state)
{
	struct test *test = *state;
	mono_t begin = test->now;
	FILE *file;
	int pid = 0;

	test->fails_from = 1;
	test->code = -EIO;
	test->is_deaf = true;
	test->waits = 100; /* for the trap to be set */
	assert_int_equal(
		run_sh(test, "trap '' TERM; sleep 30 & echo $! >$1; while :; do sleep 30; done"),
		0);
	assert_int_equal(test->result.status, 128 + SIGKILL);
	assert_true(test->now < begin + LEASE);
	assert_true(test->now > begin + LEASE / 3 * 2);
	file = fopen(test->file, "r");
	assert_non_null(file);
	assert_int_equal(fscanf(file, "%d", &pid), 1);
	fclose(file);
	for (int i = 0; i < 1000 && kill(pid, 0) == 0; i++)
		usleep(10000); /* init reaps it */
	assert_int_equal(kill(pid, 0), -1);
}

static void the_grace_is_as_asked_for(void **state)
{
	struct test *test = *state;
	struct supervisor_options options =
		options_of(test, SHELL("trap '' TERM; while :; do sleep 30; done"));

	test->lease = 3600 * NS_PER_S;
	test->fails_from = 1;
	test->code = -EKEYREJECTED;
	test->is_deaf = true;
	test->waits = 100;
	options.grace = 77 * NS_PER_S;
	assert_int_equal(run_with(test, &options), 0);
	assert_int_equal(test->result.status, 128 + SIGKILL);
	assert_int_equal(test->now, test->lost_when + 77 * NS_PER_S);
}

static void a_stopped_child_is_ended_too(void **state)
{
	struct test *test = *state;

	test->fails_from = 1;
	test->code = -ESTALE;
	test->waits = 100;
	assert_int_equal(run_sh(test, "trap 'exit 4' TERM; kill -STOP $$; sleep 30"), 0);
	assert_int_equal(test->result.status, 4);
	assert_true(test->result.is_lost);
}

static void with_warn_the_command_goes_on(void **state)
{
	struct test *test = *state;
	struct supervisor_options options = options_of(test, SHELL("sleep 0.3; exit 7"));

	options.only_warns = true;
	test->fails_from = 1;
	test->code = -ESTALE;
	assert_int_equal(run_with(test, &options), 0);
	assert_int_equal(test->result.status, 7);
	assert_true(test->result.is_lost);
	assert_int_equal(test->losses, 1);
	assert_int_equal(test->renewals, 1);
}

/* We were stopped for long: one try tells, and it is the first thing that is done. */
static void after_a_gap_the_lock_is_looked_at_before_all_else(void **state)
{
	struct test *test = *state;

	test->is_deaf = true;
	test->gap = 3600 * NS_PER_S;
	test->fails_from = 1;
	test->code = -EKEYREJECTED;
	assert_int_equal(run_sh(test, "trap '' TERM; sleep 30"), 0);
	assert_int_equal(test->renewals, 1);
	assert_int_equal(test->losses, 1);
	assert_int_equal(test->lost_code, -EKEYREJECTED);
	/* Past the lease there is no grace. */
	assert_int_equal(test->now, test->lost_when);
	assert_true(test->result.status == 128 + SIGKILL || test->result.status == 128 + SIGTERM);
}

static void after_a_gap_a_lock_that_cannot_be_asked_for_is_lost(void **state)
{
	struct test *test = *state;

	test->gap = 3600 * NS_PER_S;
	test->fails_from = 1;
	test->code = -EIO;
	assert_int_equal(run_sh(test, "sleep 30"), 0);
	assert_int_equal(test->renewals, 1);
	assert_int_equal(test->lost_code, -ETIME);
}

static void after_a_gap_a_lock_that_is_still_ours_is_kept(void **state)
{
	struct test *test = *state;

	test->gap = 3600 * NS_PER_S;
	test->waits = 20;
	assert_int_equal(run_sh(test, "sleep 0.2; exit 3"), 0);
	assert_int_equal(test->losses, 0);
	assert_int_equal(test->result.status, 3);
}

/* --- the file ------------------------------------------------------------------------------ */

static struct supervisor_options watched(struct test *test, char *const *argv)
{
	struct supervisor_options options = options_of(test, argv);
	int fd = open(test->file, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

	close(fd);
	test->lease = 0;
	test->path[0] = test->file;
	options.lock.paths = 1;
	return options;
}

static void a_file_that_is_touched_is_looked_at(void **state)
{
	struct test *test = *state;
	char text[300];
	struct supervisor_options options;

	snprintf(text, sizeof text, "sleep 0.2; rm %s; sleep 0.2; : >%s; sleep 0.2", test->file,
		test->file);
	options = watched(test, SHELL(text));
	assert_int_equal(run_with(test, &options), 0);
	assert_int_equal(test->result.status, 0);
	/* Once when the watch begins, once for the removal; the new file is not ours. */
	assert_true(test->verifications >= 2);
	assert_true(test->verifications <= 4);
}

static void a_replaced_file_is_a_loss_at_once(void **state)
{
	struct test *test = *state;
	struct supervisor_options options = watched(test, SHELL("sleep 30"));

	test->verify_code = -ESTALE;
	assert_int_equal(run_with(test, &options), 0);
	assert_int_equal(test->losses, 1);
	assert_int_equal(test->lost_code, -ESTALE);
	assert_int_equal(test->result.status, 128 + SIGTERM);
}

/* Two minutes of made time in which somebody writes all the time. */
static void who_writes_all_the_time_does_not_keep_us_busy(void **state)
{
	struct test *test = *state;
	char text[300];
	struct supervisor_options options;
	mono_t begin = test->now;

	snprintf(text, sizeof text, "i=0; while [ $i -lt 2000 ]; do echo >>%s; i=$((i + 1)); done",
		test->file);
	options = watched(test, SHELL(text));
	assert_int_equal(run_with(test, &options), 0);
	assert_true(test->verifications > 1);
	assert_true(test->verifications <= 3 + (test->now - begin) / (100 * NS_PER_MS));
}

int main(void)
{
	sigset_t none;
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(the_status_is_the_childs),
		TEST(what_cannot_be_executed_is_told),
		TEST(the_child_has_a_group_of_its_own),
		TEST(the_child_has_the_signals_that_we_got),
		TEST(a_descriptor_is_inherited_only_when_told),
		TEST(a_signal_reaches_the_whole_group),
		TEST(our_own_signals_are_not_forwarded),
		TEST(a_child_that_somebody_stopped_keeps_the_lock),
		TEST(it_is_renewed_at_a_third_of_the_lease),
		TEST(a_failed_renewal_is_tried_again_until_it_counts_as_lost),
		TEST(a_renewal_that_succeeds_again_is_no_loss),
		TEST(a_certain_loss_ends_the_group_at_once),
		TEST(who_does_not_listen_is_killed_within_the_lease),
		TEST(the_grace_is_as_asked_for),
		TEST(a_stopped_child_is_ended_too),
		TEST(with_warn_the_command_goes_on),
		TEST(after_a_gap_the_lock_is_looked_at_before_all_else),
		TEST(after_a_gap_a_lock_that_cannot_be_asked_for_is_lost),
		TEST(after_a_gap_a_lock_that_is_still_ours_is_kept),
		TEST(a_file_that_is_touched_is_looked_at),
		TEST(a_replaced_file_is_a_loss_at_once),
		TEST(who_writes_all_the_time_does_not_keep_us_busy),
	};

	/* Whoever runs the tests may ignore or block some. */
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	for (int i = 1; i < NSIG; i++)
		if (i != SIGKILL && i != SIGSTOP)
			signal(i, SIG_DFL);
	return cmocka_run_group_tests_name("supervisor", tests, NULL, NULL);
}

/*
 * The hub over small shell scripts that behave badly. Their time is real, the hub's is not: it
 * stands still while something is awaited, and passes when the test says so.
 */
#include "config.h"
#include "engine/hub.h"

#include <dirent.h>
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
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/error.h"

#define SCANNED "{\"v\":1,\"event\":\"scanned\",\"at\":1,\"locks\":0,\"every_s\":1}"
#define FINAL   "{\"v\":1,\"event\":\"scanned\",\"at\":1,\"locks\":0,\"final\":true}"

enum { SOURCES = 3 };

#define REAL_LIMIT (30 * NS_PER_S) /* for what takes milliseconds */

/* What was told of one source. */
struct heard {
	enum source_state state;
	int states[SOURCE_STATE_COUNT], events[EVENT_KIND_COUNT];
	char text[400];  /* of the last state that had one */
	char fault[400]; /* of the last fault */
	char done[400];
	int64_t request;
	enum outcome outcome;
	mono_t down_at;
	size_t bytes;
};

struct test {
	struct clock_fake fake;
	struct clock clock;
	bool is_passing; /* time goes on when nothing is ready; else real time is waited */
	bool is_blind;   /* and nothing ever is: as if every process hung in the kernel */
	struct loop *loop;
	struct hub *hub;
	struct hub_options options;
	struct heard heard[SOURCES];
	int fds;
	struct error err;
};

/* --- the clock --- */

static mono_t test_mono(const struct clock *clock)
{
	return ((struct test *)clock->data)->fake.mono;
}

static wall_t test_wall(const struct clock *clock)
{
	return ((struct test *)clock->data)->fake.wall;
}

static int test_wait(const struct clock *clock, struct pollfd *fds, unsigned int n, mono_t deadline,
	const sigset_t *mask)
{
	struct test *test = clock->data;
	int ready = test->is_blind ? 0 : poll(fds, n, test->is_passing ? 0 : 20);

	(void)mask;
	if (ready)
		return ready;
	for (unsigned int i = 0; i < n; i++)
		fds[i].revents = 0;
	if (test->is_passing && deadline > test->fake.mono) {
		test->fake.wall += deadline - test->fake.mono;
		test->fake.mono = deadline;
	}
	return 0;
}

/* --- what the test sees --- */

static void on_event(void *data, size_t source, const struct event *event)
{
	struct test *test = data;
	struct heard *heard = &test->heard[source];

	assert_true(source < SOURCES);
	heard->events[event->kind]++;
	if (event->kind == EVENT_FAULT)
		snprintf(heard->fault, sizeof heard->fault, "%s", event->text ? event->text : "");
	if (event->kind == EVENT_FAULT)
		heard->bytes += strlen(heard->fault);
	if (event->kind == EVENT_DONE) {
		snprintf(heard->done, sizeof heard->done, "%s", event->text ? event->text : "");
		heard->request = event->request;
		heard->outcome = event->outcome;
	}
}

static void on_state(void *data, size_t source, enum source_state state, const char *text)
{
	struct test *test = data;
	struct heard *heard = &test->heard[source];

	assert_true(source < SOURCES);
	heard->state = state;
	heard->states[state]++;
	if (text)
		snprintf(heard->text, sizeof heard->text, "%s", text);
	if (state == SOURCE_DOWN)
		heard->down_at = test->fake.mono;
}

static int count_fds(void)
{
	DIR *dir = opendir("/proc/self/fd");
	int n = 0;

	assert_non_null(dir);
	while (readdir(dir))
		n++;
	closedir(dir);
	return n;
}

static int count_children(void)
{
	char path[64], text[4096];
	int fd, n = 0;
	ssize_t len;

	snprintf(path, sizeof path, "/proc/self/task/%d/children", (int)getpid());
	fd = open(path, O_RDONLY | O_CLOEXEC);
	assert_true(fd >= 0);
	len = read(fd, text, sizeof text);
	close(fd);
	for (ssize_t i = 0; i < len; i++)
		n += text[i] == ' ';
	return n;
}

static int set_up(void **state)
{
	struct test *test = calloc(1, sizeof *test);

	test->fds = count_fds();
	test->fake = (struct clock_fake){.mono = 1000 * NS_PER_S, .wall = 2000 * NS_PER_S};
	test->clock = (struct clock){
		.mono = test_mono, .wall = test_wall, .wait = test_wait, .data = test};
	test->loop = loop_new(&test->clock);
	test->options = (struct hub_options){
		.loop = test->loop, .event = on_event, .state = on_state, .data = test};
	*state = test;
	return 0;
}

/* Nothing may be left of any test: no process, no descriptor. */
static int tear_down(void **state)
{
	struct test *test = *state;
	int result = 0;

	hub_free(test->hub);
	loop_free(test->loop);
	if (count_children()) {
		print_error("children are left\n");
		result = -1;
	}
	if (count_fds() != test->fds) {
		print_error("%d descriptors, were %d\n", count_fds(), test->fds);
		result = -1;
	}
	free(test);
	return result;
}

/* A hub with the test's options, unless there is one. */
static struct hub *hub(struct test *test)
{
	if (!test->hub)
		test->hub = hub_new(&test->options);
	assert_non_null(test->hub);
	return test->hub;
}

static void run(struct test *test, const char *script)
{
	static const char *argv[SOURCES][4];
	static int n;
	const char **args = argv[n++ % SOURCES];

	args[0] = "sh";
	args[1] = "-c";
	args[2] = script;
	assert_true(hub_add_command(hub(test), "file:/x", args, &test->err) >= 0);
}

/* A turn that waits a little in real time for whatever comes; the hub's time stands still. */
static void turn(struct test *test)
{
	assert_int_equal(loop_turn(test->loop, test->fake.mono), 0);
}

static mono_t real_deadline(void)
{
	return clock_mono(&clock_system) + REAL_LIMIT;
}

#define UNTIL(test, condition)                                              \
	do {                                                                \
		mono_t give_up = real_deadline();                           \
		while (!(condition) && clock_mono(&clock_system) < give_up) \
			turn(test);                                         \
		assert_true(condition);                                     \
	} while (0)

/* The hub's time goes by, as far as nothing is ready. */
static void pass(struct test *test, int64_t ns)
{
	mono_t until = test->fake.mono + ns;

	test->is_passing = true;
	while (test->fake.mono < until)
		assert_int_equal(loop_turn(test->loop, until), 0);
	/* What was due at the very end. */
	assert_int_equal(loop_turn(test->loop, until), 0);
	test->is_passing = false;
}

static struct deed release(const char *name)
{
	return (struct deed){.kind = DEED_RELEASE, .name = (char *)name};
}

/* --- a good one --- */

static void a_source_that_answers_is_ok(void **state)
{
	struct test *test = *state;

	run(test, "read open; echo '" SCANNED "'; cat >/dev/null");
	assert_int_equal(test->heard[0].state, SOURCE_STARTING);
	UNTIL(test, test->heard[0].state == SOURCE_OK);
	assert_int_equal(test->heard[0].events[EVENT_SCANNED], 1);
	assert_false(hub_is_done(test->hub));
}

static void it_is_told_the_place_and_the_policy(void **state)
{
	struct test *test = *state;

	test->options.policy = (struct policy){.is_read_only = true, .why = "--read-only"};
	run(test, "read open; case $open in "
		  "*'\"do\":\"open\",\"uri\":\"file:/x\",\"read_only\":true,"
		  "\"read_only_why\":\"--read-only\"'*) echo '" SCANNED "';; esac; cat >/dev/null");
	UNTIL(test, test->heard[0].state == SOURCE_OK);
}

static void it_inherits_no_signal_mask_and_no_descriptor(void **state)
{
	struct test *test = *state;
	sigset_t set, old;
	int fd = fcntl(STDERR_FILENO, F_DUPFD, 99); /* as one inherited from a shell */

	assert_true(fd >= 99);

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGCHLD);
	sigprocmask(SIG_BLOCK, &set, &old);
	signal(SIGUSR1, SIG_IGN);
	/* 32 and 33 belong to the C library, which leaves them ignored. */
	run(test, "grep -q 'SigBlk:.0000000000000000' /proc/self/status || echo blocked >&2; "
		  "grep -Eq 'SigIgn:.0000000[01][08]0000000' /proc/self/status || grep SigIgn "
		  "/proc/self/status >&2; "
		  "test -e /proc/$$/fd/99 && echo inherited >&2; "
		  "set -- $(cat /proc/$$/stat); test $5 = $$ || echo group >&2; "
		  "echo '" SCANNED "'; exit 1");
	UNTIL(test, test->heard[0].state == SOURCE_DOWN);
	sigprocmask(SIG_SETMASK, &old, NULL);
	signal(SIGUSR1, SIG_DFL);
	close(fd);
	assert_string_equal(test->heard[0].text, "ended with status 1");
}

static void the_program_is_called_with_its_options_and_a_dash(void **state)
{
	static const char *const args[] = {"-c", "echo \"$0 $1\" >&2; exit 1", NULL};
	struct test *test = *state;

	test->options.program = "/bin/sh";
	test->options.program_args = args;
	assert_int_equal(hub_add(hub(test), "file:/x", &test->err), 0);
	UNTIL(test, test->heard[0].state == SOURCE_DOWN);
	assert_string_equal(test->heard[0].text, "source -");
}

static void a_wrong_uri_is_refused_at_once(void **state)
{
	struct test *test = *state;

	assert_int_equal(hub_add(hub(test), "redis://u:secret@h/", &test->err), -EINVAL);
	assert_null(strstr(test->err.text, "secret"));
	assert_true(hub_is_done(test->hub));
}

/* --- silence --- */

static void silence_is_told_and_then_ended(void **state)
{
	struct test *test = *state;

	run(test, "exec sleep 1000");
	pass(test, 4900 * NS_PER_MS);
	assert_int_equal(test->heard[0].state, SOURCE_STARTING);
	pass(test, 200 * NS_PER_MS);
	assert_int_equal(test->heard[0].state, SOURCE_SILENT);
	assert_string_equal(test->heard[0].text, "no sign of life for 5s");
	pass(test, 9800 * NS_PER_MS);
	assert_int_equal(test->heard[0].state, SOURCE_SILENT);
	pass(test, 100 * NS_PER_MS);
	assert_int_equal(test->heard[0].state, SOURCE_DOWN);
	assert_string_equal(test->heard[0].text, "it was ended: no sign of life for 15s");
	UNTIL(test, count_children() == 0);
	assert_int_equal(test->heard[0].states[SOURCE_SILENT], 1);
	/* and started again */
	pass(test, NS_PER_S);
	assert_int_equal(count_children(), 1);
}

static void who_speaks_again_is_ok(void **state)
{
	struct test *test = *state;

	run(test, "while read l; do echo '" SCANNED "'; done");
	UNTIL(test, test->heard[0].state == SOURCE_OK);
	pass(test, 6 * NS_PER_S);
	assert_int_equal(test->heard[0].state, SOURCE_SILENT);
	hub_scan(test->hub, 0);
	UNTIL(test, test->heard[0].state == SOURCE_OK);
	assert_int_equal(test->heard[0].events[EVENT_SCANNED], 2);
}

static void what_a_source_promised_is_waited_for(void **state)
{
	struct test *test = *state;

	run(test, "read l; echo '{\"v\":1,\"event\":\"scanned\",\"at\":1,\"every_s\":10}'; "
		  "cat >/dev/null");
	UNTIL(test, test->heard[0].state == SOURCE_OK);
	pass(test, 31 * NS_PER_S);
	assert_int_equal(test->heard[0].state, SOURCE_OK);
	pass(test, 2 * NS_PER_S);
	/* silent, and at once hopeless, for 32 s are more than 15 s */
	assert_int_equal(test->heard[0].state, SOURCE_DOWN);
}

static void a_promise_of_centuries_is_not_believed(void **state)
{
	struct test *test = *state;

	run(test, "read l; echo '{\"v\":1,\"event\":\"scanned\",\"at\":1,\"every_s\":1e9}'; "
		  "cat >/dev/null");
	UNTIL(test, test->heard[0].state == SOURCE_OK);
	pass(test, 185 * NS_PER_S);
	assert_int_not_equal(test->heard[0].state, SOURCE_OK);
}

static void who_ignores_term_is_killed(void **state)
{
	struct test *test = *state;

	run(test, "trap '' TERM; echo '" SCANNED "'; while :; do sleep 1000; done");
	UNTIL(test, test->heard[0].state == SOURCE_OK);
	pass(test, 15 * NS_PER_S);
	assert_int_equal(test->heard[0].state, SOURCE_DOWN);
	assert_int_equal(count_children(), 1);
	pass(test, 500 * NS_PER_MS);
	UNTIL(test, count_children() == 0);
}

/* --- ends --- */

static void the_last_words_are_told(void **state)
{
	struct test *test = *state;

	run(test, "echo first >&2; printf '\\033[31mPermission denied (publickey).\\n\\n' >&2; "
		  "exit 3");
	run(test, "exit 3");
	run(test, "kill -9 $$");
	UNTIL(test, test->heard[0].state == SOURCE_DOWN && test->heard[1].state == SOURCE_DOWN &&
			    test->heard[2].state == SOURCE_DOWN);
	assert_string_equal(test->heard[0].text, "\\x1b[31mPermission denied (publickey).");
	assert_string_equal(test->heard[1].text, "ended with status 3");
	assert_string_equal(test->heard[2].text, "was killed by SIGKILL");
}

static void a_fatal_fault_says_more_than_the_status(void **state)
{
	struct test *test = *state;

	run(test, "echo noise >&2; echo '{\"v\":1,\"event\":\"fault\",\"at\":1,\"fatal\":true,"
		  "\"text\":\"no such place\"}'; exit 69");
	UNTIL(test, test->heard[0].state == SOURCE_DOWN);
	assert_string_equal(test->heard[0].text, "no such place");
	assert_int_equal(test->heard[0].events[EVENT_FAULT], 1);
	assert_false(hub_is_done(test->hub));
}

static void a_wrong_use_is_not_tried_again(void **state)
{
	struct test *test = *state;

	run(test, "echo 'no backend foo' >&2; exit 64");
	UNTIL(test, test->heard[0].state == SOURCE_DOWN);
	assert_string_equal(test->heard[0].text, "no backend foo");
	assert_true(hub_is_done(test->hub));
	pass(test, 300 * NS_PER_S);
	assert_int_equal(test->heard[0].states[SOURCE_DOWN], 1);
	/* unless somebody insists */
	hub_scan(test->hub, 0);
	UNTIL(test, test->heard[0].states[SOURCE_DOWN] == 2);
}

static void a_program_that_is_not_there_is_told(void **state)
{
	struct test *test = *state;

	test->options.program = "/nonexistent/locktop";
	assert_int_equal(hub_add(hub(test), "file:/x", &test->err), 0);
	assert_int_equal(test->heard[0].state, SOURCE_DOWN);
	assert_string_equal(
		test->heard[0].text, "cannot run /nonexistent/locktop: No such file or directory");
	pass(test, NS_PER_S);
	assert_int_equal(test->heard[0].states[SOURCE_DOWN], 2);
}

static void pauses_double_up_to_a_minute(void **state)
{
	static const int64_t pause_ms[] = {
		500, 1000, 2000, 4000, 8000, 16000, 32000, 60000, 60000, 60000};
	struct test *test = *state;
	mono_t before;

	run(test, "exit 1");
	UNTIL(test, test->heard[0].states[SOURCE_DOWN] == 1);
	for (size_t i = 0; i < sizeof pause_ms / sizeof *pause_ms; i++) {
		before = test->heard[0].down_at;
		pass(test, pause_ms[i] * NS_PER_MS - 1);
		assert_int_equal(count_children(), 0);
		assert_int_equal(test->heard[0].states[SOURCE_DOWN], i + 1);
		/* to its start, which the timer names, and no further */
		test->is_passing = true;
		while (count_children() == 0 && test->heard[0].states[SOURCE_DOWN] == (int)i + 1)
			loop_turn(test->loop, MONO_NEVER);
		test->is_passing = false;
		UNTIL(test, test->heard[0].states[SOURCE_DOWN] == (int)i + 2);
		assert_in_range((test->heard[0].down_at - before) / NS_PER_MS, pause_ms[i],
			pause_ms[i] * 5 / 4);
	}
	/* It was down all the time: that it is tried again is no news. */
	assert_int_equal(test->heard[0].states[SOURCE_STARTING], 1);
}

#define OBEDIENT                                                                         \
	"echo '" SCANNED "'; while read l; do id=${l#*\\\"request\\\":}; id=${id%%,*}; " \
	"case $l in *die*) exit 1;; *deed*) echo "                                       \
	"'{\"v\":1,\"event\":\"done\",\"at\":1,\"outcome\":\"done\",\"name\":\"a\",'"    \
	"'\"text\":\"released\",\"request\":'$id'}';; esac; done"

static void health_makes_up_for_failures(void **state)
{
	struct test *test = *state;
	struct deed die = release("die"), live = release("live");

	run(test, OBEDIENT);
	for (int i = 1; i <= 4; i++) {
		UNTIL(test, test->heard[0].state == SOURCE_OK);
		assert_true(hub_deed(test->hub, 0, &die, &test->err) > 0);
		UNTIL(test, test->heard[0].states[SOURCE_DOWN] == i && count_children() == 0);
		pass(test, 5 * NS_PER_S);
	}
	UNTIL(test, test->heard[0].state == SOURCE_OK);
	for (int i = 0; i < 31; i++) {
		int64_t request = hub_deed(test->hub, 0, &live, &test->err);

		assert_true(request > 0);
		UNTIL(test, test->heard[0].request == request);
		pass(test, NS_PER_S);
	}
	assert_true(hub_deed(test->hub, 0, &die, &test->err) > 0);
	UNTIL(test, test->heard[0].states[SOURCE_DOWN] == 5);
	pass(test, 650 * NS_PER_MS);
	UNTIL(test, test->heard[0].state == SOURCE_OK);
}

static void who_closes_its_output_is_ended(void **state)
{
	struct test *test = *state;

	run(test, "echo '" SCANNED "'; exec 0<&- 1>&-; exec sleep 1000");
	UNTIL(test, test->heard[0].state == SOURCE_OK);
	for (int i = 0; i < 40 && test->heard[0].state == SOURCE_OK; i++) {
		turn(test);
		pass(test, 50 * NS_PER_MS);
	}
	assert_int_equal(test->heard[0].state, SOURCE_DOWN);
	assert_string_equal(test->heard[0].text, "it was ended: it closed its output");
	UNTIL(test, count_children() == 0);
}

/* Its end is seen even if somebody else still has its socket and its standard error. */
static void who_leaves_heirs_has_ended(void **state)
{
	struct test *test = *state;
	pid_t heir;

	run(test, "setsid sleep 1000 & "
		  "echo '{\"v\":1,\"event\":\"fault\",\"at\":1,\"text\":\"'$!'\"}'; exit 7");
	UNTIL(test, test->heard[0].state == SOURCE_DOWN);
	assert_string_equal(test->heard[0].text, "ended with status 7");
	heir = atoi(test->heard[0].fault);
	assert_true(heir > 1);
	kill(heir, SIGKILL);
}

static bool is_running(pid_t pid)
{
	char path[40], text[200] = "";
	int fd;

	snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return false;
	if (read(fd, text, sizeof text - 1) < 0)
		text[0] = '\0';
	close(fd);
	return strstr(text, ") ") && !strstr(text, ") Z");
}

static void what_it_has_started_ends_with_it(void **state)
{
	struct test *test = *state;
	pid_t started;

	run(test, "sleep 1000 & "
		  "echo '{\"v\":1,\"event\":\"fault\",\"at\":1,\"text\":\"'$!'\"}'; exit 7");
	UNTIL(test, test->heard[0].state == SOURCE_DOWN);
	started = atoi(test->heard[0].fault);
	assert_true(started > 1);
	UNTIL(test, !is_running(started));
}

/* --- once, final --- */

static void a_final_word_is_the_end(void **state)
{
	struct test *test = *state;

	run(test, "echo '" FINAL "'; cat >/dev/null");
	UNTIL(test, test->heard[0].state == SOURCE_ENDED);
	assert_true(hub_is_done(test->hub));
	UNTIL(test, count_children() == 0); /* its input has ended too */
	pass(test, 100 * NS_PER_S);
	assert_int_equal(count_children(), 0);
	assert_int_equal(test->heard[0].states[SOURCE_ENDED], 1);
	assert_int_equal(test->heard[0].states[SOURCE_DOWN], 0);
}

static void once_asks_for_one_look(void **state)
{
	struct test *test = *state;

	test->options.once = true;
	run(test, "read l; case $l in *'\"once\":true'*) echo '" FINAL "';; esac");
	run(test, "echo '" SCANNED "'; read l; exit 1"); /* an old one, which dies then */
	run(test, "while echo '" SCANNED "'; do sleep 0.01; done"); /* one that goes on */
	UNTIL(test, hub_is_done(test->hub) && test->heard[1].state == SOURCE_DOWN);
	assert_int_equal(test->heard[0].state, SOURCE_ENDED);
	assert_int_equal(test->heard[2].state, SOURCE_ENDED);
	pass(test, 100 * NS_PER_S);
	UNTIL(test, count_children() == 0);
	assert_int_equal(test->heard[1].states[SOURCE_DOWN], 1);
}

static void once_has_an_end_in_any_case(void **state)
{
	struct test *test = *state;

	test->options.once = true;
	test->options.patience = 3 * NS_PER_S;
	run(test, "exec sleep 1000");
	run(test, "while echo '{\"v\":1,\"event\":\"gone\",\"at\":1,\"name\":\"a\"}'; "
		  "do sleep 0.01; done");
	UNTIL(test, test->heard[1].events[EVENT_GONE]);
	for (int i = 0; i < 24; i++) {
		int gone = test->heard[1].events[EVENT_GONE];

		if (test->heard[1].state != SOURCE_DOWN)
			UNTIL(test, test->heard[1].events[EVENT_GONE] > gone + 1 ||
					    test->heard[1].state == SOURCE_DOWN);
		pass(test, 500 * NS_PER_MS);
	}
	assert_int_equal(test->heard[0].state, SOURCE_DOWN);
	assert_string_equal(test->heard[0].text, "it was ended: no sign of life for 5s");
	assert_int_equal(test->heard[1].state, SOURCE_DOWN);
	assert_string_equal(
		test->heard[1].text, "it was ended: it does not come to the end of its look");
	UNTIL(test, hub_is_done(test->hub) && count_children() == 0);
}

/* --- lies and floods --- */

static void nonsense_is_counted(void **state)
{
	struct test *test = *state;

	run(test, "echo hello; echo '[1]'; echo '{\"v\":1,\"event\":\"dance\"}'; "
		  "echo '{\"v\":1,\"event\":\"lock\",\"at\":1,\"lock\":{\"name\":7}}'; "
		  "echo '" SCANNED "'; cat >/dev/null");
	UNTIL(test, test->heard[0].events[EVENT_SCANNED] == 1 && test->heard[0].text[0]);
	pass(test, NS_PER_S);
	assert_string_equal(test->heard[0].text, "4 lines not understood");
	assert_int_equal(test->heard[0].state, SOURCE_OK);
}

static void who_raves_is_ended(void **state)
{
	struct test *test = *state;

	run(test, "exec yes nonsense");
	run(test, "read open; echo '" SCANNED "'; cat >/dev/null");
	UNTIL(test, test->heard[0].state == SOURCE_DOWN);
	assert_string_equal(test->heard[0].text, "it was ended: what it sends is not understood");
	UNTIL(test, count_children() == 1);
	UNTIL(test, test->heard[1].state == SOURCE_OK);
}

/* A line of 32 KB, for ever. */
static void a_flood_is_read_slowly_and_others_are_heard(void **state)
{
	struct test *test = *state;
	int before, faults;

	run(test, "i=x; while test ${#i} -lt 30000; do i=$i$i; done; "
		  "exec yes '{\"v\":1,\"event\":\"lock\",\"at\":1,\"lock\":{\"name\":\"a\","
		  "\"version\":\"1\",\"problem\":\"'$i'\"}}'");
	run(test, "while read l; do echo '" SCANNED "'; done");
	UNTIL(test, test->heard[0].events[EVENT_LOCK] > 5);
	UNTIL(test, test->heard[1].state == SOURCE_OK);
	/* It comes to a stop, though time stands still: what may be read at once was read. */
	do {
		before = test->heard[0].events[EVENT_LOCK];
		for (int i = 0; i < 4; i++)
			turn(test);
	} while (test->heard[0].events[EVENT_LOCK] > before);
	assert_in_range(before, 900, 1300);
	hub_scan(test->hub, 1);
	UNTIL(test, test->heard[1].events[EVENT_SCANNED] == 2);
	/* And in a second some more. */
	for (int i = 0; i < 20; i++) {
		pass(test, 50 * NS_PER_MS);
		turn(test);
	}
	faults = test->heard[0].events[EVENT_LOCK] - before;
	assert_in_range(faults, 60, 260);
}

static void a_fault_that_lasts_is_told_once(void **state)
{
	struct test *test = *state;

	run(test, "f() { echo '{\"v\":1,\"event\":\"fault\",\"at\":1,\"text\":\"'$1'\"}'; }; "
		  "f one; f one; f one; f two; f two; echo '" SCANNED "'; f two; "
		  "echo '" SCANNED "'; cat >/dev/null");
	UNTIL(test, test->heard[0].events[EVENT_SCANNED] == 2);
	assert_int_equal(test->heard[0].events[EVENT_FAULT], 3);
}

/* --- deeds --- */

static void a_deed_is_answered(void **state)
{
	struct test *test = *state;
	struct deed deed = release("a");
	int64_t request;

	run(test, OBEDIENT);
	UNTIL(test, test->heard[0].state == SOURCE_OK);
	request = hub_deed(test->hub, 0, &deed, &test->err);
	assert_true(request > 0);
	UNTIL(test, test->heard[0].events[EVENT_DONE]);
	assert_int_equal(test->heard[0].request, request);
	assert_int_equal(test->heard[0].outcome, OUTCOME_DONE);
	assert_string_equal(test->heard[0].done, "released");
	/* Not a second time when it goes. */
	pass(test, 16 * NS_PER_S);
	assert_int_equal(test->heard[0].events[EVENT_DONE], 1);
}

static void an_answer_that_nobody_asked_for_is_a_lie(void **state)
{
	struct test *test = *state;

	run(test,
		"echo '{\"v\":1,\"event\":\"done\",\"at\":1,\"outcome\":\"done\",\"request\":1}'; "
		"echo '" SCANNED "'; cat >/dev/null");
	UNTIL(test, test->heard[0].events[EVENT_SCANNED] && test->heard[0].text[0]);
	assert_int_equal(test->heard[0].events[EVENT_DONE], 0);
	assert_string_equal(test->heard[0].text, "1 line not understood");
}

static void no_answer_is_an_answer(void **state)
{
	static const char *const scripts[] = {
		"echo '" SCANNED "'; read open; read deed; exit 1", /* dies of it */
		"echo '" SCANNED "'; cat >/dev/null",               /* falls silent */
		"while echo '" SCANNED "'; do sleep 0.01; done",    /* overhears it */
	};
	struct test *test = *state;
	struct deed deed = release("a");

	for (size_t i = 0; i < 3; i++) {
		run(test, scripts[i]);
		UNTIL(test, test->heard[i].state == SOURCE_OK);
		assert_true(hub_deed(test->hub, i, &deed, &test->err) > 0);
		for (int k = 0; k < 80 && !test->heard[i].events[EVENT_DONE]; k++) {
			turn(test);
			pass(test, NS_PER_S / 4);
		}
		assert_int_equal(test->heard[i].events[EVENT_DONE], 1);
		assert_int_equal(test->heard[i].outcome, OUTCOME_FAILED);
		assert_string_equal(
			test->heard[i].done, "no answer: nothing is known of the result");
	}
}

static void who_is_down_or_silent_is_asked_nothing(void **state)
{
	struct test *test = *state;
	struct deed deed = release("a");

	run(test, "exit 1");
	run(test, "exec sleep 1000");
	UNTIL(test, test->heard[0].state == SOURCE_DOWN);
	assert_int_equal(hub_deed(test->hub, 0, &deed, &test->err), -ENOTCONN);
	assert_string_equal(test->err.text, "file:/x is down: nothing can be asked of it");
	pass(test, 6 * NS_PER_S);
	assert_int_equal(hub_deed(test->hub, 1, &deed, &test->err), -ENOTCONN);
	assert_string_equal(test->err.text, "file:/x does not answer: nothing can be asked of it");
}

static void a_source_that_reads_nothing_owes_a_limited_number(void **state)
{
	struct test *test = *state;
	struct deed deed = release("a");
	int asked = 0;

	run(test, "echo '" SCANNED "'; exec sleep 1000");
	UNTIL(test, test->heard[0].state == SOURCE_OK);
	while (hub_deed(test->hub, 0, &deed, &test->err) > 0)
		assert_true(++asked < 1000);
	assert_int_equal(test->err.code, -EBUSY);
	for (int i = 0; i < 100000; i++)
		hub_scan(test->hub, 0);
	pass(test, 5 * NS_PER_S);
	assert_int_equal(test->heard[0].events[EVENT_DONE], asked);
}

/* --- hung processes --- */

static void who_hangs_in_the_kernel_is_given_up_three_times(void **state)
{
	struct test *test = *state;

	run(test, "exec sleep 1000");
	test->is_blind = true;
	/* 15 s of silence, TERM, KILL, given up, a pause, and that three times */
	pass(test, 60 * NS_PER_S);
	assert_int_equal(test->heard[0].state, SOURCE_DOWN);
	assert_string_equal(test->heard[0].text,
		"3 processes hang in the kernel (it was ended: no sign of life for 15s)");
	pass(test, 600 * NS_PER_S);
	assert_int_equal(test->heard[0].states[SOURCE_SILENT], 3);
	hub_scan(test->hub, 0);
	pass(test, NS_PER_S);
	assert_int_equal(test->heard[0].states[SOURCE_SILENT], 3);
	test->is_blind = false;
	UNTIL(test, count_children() == 0);
	pass(test, 8 * NS_PER_S);
	assert_int_equal(test->heard[0].states[SOURCE_SILENT], 4);
}

/* --- more than one --- */

static void one_that_dies_does_not_disturb_the_other(void **state)
{
	struct test *test = *state;
	struct deed deed = release("a");

	run(test, "exit 1");
	run(test, OBEDIENT);
	for (int i = 0; i < 10; i++) {
		UNTIL(test, test->heard[0].states[SOURCE_DOWN] > i);
		UNTIL(test, test->heard[1].state == SOURCE_OK);
		assert_true(hub_deed(test->hub, 1, &deed, &test->err) > 0);
		UNTIL(test, test->heard[1].events[EVENT_DONE] == i + 1);
		hub_scan(test->hub, 0);
	}
	assert_int_equal(test->heard[1].states[SOURCE_DOWN], 0);
}

static void the_end_of_the_hub_is_the_end_of_all(void **state)
{
	struct test *test = *state;

	run(test, "trap '' TERM; echo '" SCANNED "'; while :; do sleep 1000; done");
	run(test, "echo '" SCANNED "'; cat >/dev/null; sleep 1000");
	run(test, "echo '" SCANNED "'; exec sleep 1000");
	for (int i = 0; i < 3; i++)
		UNTIL(test, test->heard[i].state == SOURCE_OK);
	hub_free(test->hub);
	test->hub = NULL;
	assert_int_equal(count_children(), 0);
}

/* --- ssh --- */

static void expect_ssh(const char *ssh, const char *text, bool once, const char *expected)
{
	const char *argv[HUB_SSH_ARGS];
	char line[1000] = "";
	struct error err = {0};
	struct uri uri;
	int result;

	assert_int_equal(uri_parse(&uri, text, &err), 0);
	result = hub_ssh_argv(ssh, &uri, once, argv, HUB_SSH_ARGS, &err);
	if (result < 0)
		snprintf(line, sizeof line, "%s", err.text);
	for (int i = 0; result == 0 && argv[i]; i++)
		snprintf(line + strlen(line), sizeof line - strlen(line), "%s[%s]", i ? " " : "",
			argv[i]);
	assert_string_equal(line, expected);
	if (result == 0)
		free((char *)argv[0]);
	uri_release(&uri);
}

static void ssh_is_called_without_questions(void **state)
{
	(void)state;
	expect_ssh("ssh", "ssh:web1:file:/run/lock", false,
		"[ssh] [-oBatchMode=yes] [-oConnectTimeout=5] [-T] [--] [web1] [locktop] [source] "
		"[file:/run/lock]");
	expect_ssh("  ssh  -F /etc/x ", "ssh:me@web1:kernel:", true,
		"[ssh] [-F] [/etc/x] [-oBatchMode=yes] [-oConnectTimeout=5] [-T] [--] [me@web1] "
		"[locktop] [source] [--once] [kernel:]");
	expect_ssh("ssh", "ssh:web1:file:/tmp/a b/$(rm x)?glob=*'.lock", false,
		"[ssh] [-oBatchMode=yes] [-oConnectTimeout=5] [-T] [--] [web1] [locktop] [source] "
		"['file:/tmp/a b/$(rm x)?glob=*'\\''.lock']");
	expect_ssh(" ", "ssh:web1:kernel:", false, "the command for ssh: is empty");
	expect_ssh("a b c d e f g h i j k l m n o p q r s t u v w x y z a b c d e f",
		"ssh:web1:kernel:", false, "the command for ssh: has too many words");
}

static void the_inner_uri_stands_in_no_list_of_processes(void **state)
{
	struct test *test = *state;

	test->options.ssh = "sh tests/no-such-file";
	assert_int_equal(hub_add(hub(test), "ssh:web1:file:/secret/place", &test->err), 0);
	UNTIL(test, test->heard[0].state == SOURCE_DOWN);
	assert_non_null(strstr(test->heard[0].text, "no-such-file"));
	test->options.ssh = "echo";
	hub_free(test->hub);
	test->hub = NULL;
	test->heard[0].text[0] = '\0';
	assert_int_equal(hub_add(hub(test), "ssh:web1:file:/secret/place", &test->err), 0);
	/* echo says its arguments, which is one line that is not understood. */
	UNTIL(test, test->heard[0].states[SOURCE_DOWN] == 2);
}

#define _(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		_(a_source_that_answers_is_ok),
		_(it_is_told_the_place_and_the_policy),
		_(it_inherits_no_signal_mask_and_no_descriptor),
		_(the_program_is_called_with_its_options_and_a_dash),
		_(a_wrong_uri_is_refused_at_once),
		_(silence_is_told_and_then_ended),
		_(who_speaks_again_is_ok),
		_(what_a_source_promised_is_waited_for),
		_(a_promise_of_centuries_is_not_believed),
		_(who_ignores_term_is_killed),
		_(the_last_words_are_told),
		_(a_fatal_fault_says_more_than_the_status),
		_(a_wrong_use_is_not_tried_again),
		_(a_program_that_is_not_there_is_told),
		_(pauses_double_up_to_a_minute),
		_(health_makes_up_for_failures),
		_(who_closes_its_output_is_ended),
		_(who_leaves_heirs_has_ended),
		_(what_it_has_started_ends_with_it),
		_(a_final_word_is_the_end),
		_(once_asks_for_one_look),
		_(once_has_an_end_in_any_case),
		_(nonsense_is_counted),
		_(who_raves_is_ended),
		_(a_flood_is_read_slowly_and_others_are_heard),
		_(a_fault_that_lasts_is_told_once),
		_(a_deed_is_answered),
		_(an_answer_that_nobody_asked_for_is_a_lie),
		_(no_answer_is_an_answer),
		_(who_is_down_or_silent_is_asked_nothing),
		_(a_source_that_reads_nothing_owes_a_limited_number),
		_(who_hangs_in_the_kernel_is_given_up_three_times),
		_(one_that_dies_does_not_disturb_the_other),
		_(the_end_of_the_hub_is_the_end_of_all),
		_(ssh_is_called_without_questions),
		_(the_inner_uri_stands_in_no_list_of_processes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

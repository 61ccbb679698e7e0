/* The metrics log: every line is read back with jansson, whatever went in, and nothing stops. */
#include "config.h"

#include "made_world.h"

#include <jansson.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include "engine/metricslog.h"

#define NOW (1763866361 * NS_PER_S + 123456789)

struct desk {
	char folder[256];
	char path[300];
	struct metricslog log;
	struct error err;
};

static int set_up(void **state)
{
	struct desk *desk = calloc(1, sizeof *desk);

	assert_non_null(desk);
	umask(022);
	make_folder(desk->folder, sizeof desk->folder);
	snprintf(desk->path, sizeof desk->path, "%s/metrics.jsonl", desk->folder);
	assert_int_equal(metricslog_init(&desk->log, desk->path, &desk->err), 0);
	*state = desk;
	return 0;
}

static int tear_down(void **state)
{
	struct desk *desk = *state;

	metricslog_release(&desk->log);
	remove_tree(desk->folder);
	free(desk);
	return 0;
}

static struct metric acquired(void)
{
	struct metric metric = metric_new(METRIC_ACQUIRED, NOW);

	metric.lock = "generation";
	metric.source = "file:/run/lock";
	metric.backend = "file";
	metric.host = "web1";
	metric.pid = 4711;
	metric.wait = 12300000;
	metric.attempts = 1;
	metric.token = "5f0c1a2b3c4d5e6f5f0c1a2b3c4d5e6f";
	metric.fence = 42;
	return metric;
}

static void write_at(struct desk *desk, wall_t ts)
{
	struct metric metric = acquired();

	metric.ts = ts;
	metricslog_write(&desk->log, &metric);
}

/* The lines of a file that are JSON; *bad (may be NULL) are the others, empty ones aside. */
static int lines_in(const char *path, int *bad)
{
	FILE *file = fopen(path, "r");
	char line[2 * METRIC_LINE];
	int good = 0, others = 0;

	while (file && fgets(line, sizeof line, file)) {
		json_t *object = json_loads(line, 0, NULL);

		if (object)
			good++;
		else if (strcmp(line, "\n") != 0)
			others++;
		json_decref(object);
	}
	if (file)
		fclose(file);
	if (bad)
		*bad = others;
	return good;
}

static void fill(const char *path, const char *text)
{
	FILE *file = fopen(path, "w");

	assert_non_null(file);
	fputs(text, file);
	fclose(file);
}

/* One failure, told once. */
static void complains(struct desk *desk, const char *words)
{
	const char *text;

	write_at(desk, NOW);
	write_at(desk, NOW + 5 * NS_PER_S);
	text = metricslog_complaint(&desk->log);
	assert_non_null(text);
	if (!strstr(text, words) || !strstr(text, "metrics log"))
		fail_msg("%s", text);
	write_at(desk, NOW + 10 * NS_PER_S);
	assert_null(metricslog_complaint(&desk->log));
}

static void begin_again(struct desk *desk, const char *path)
{
	metricslog_release(&desk->log);
	assert_int_equal(metricslog_init(&desk->log, path, &desk->err), 0);
}

/* --- the line --- */

static void a_line_has_what_is_known_and_no_more(void **state)
{
	struct metric metric = acquired();
	char line[METRIC_LINE];
	int len;

	(void)state;
	len = metric_line(&metric, line, sizeof line);
	assert_int_equal(len, strlen(line));
	assert_string_equal(line,
		"{\"v\":1,\"ts\":1763866361.123,\"event\":\"acquired\",\"lock\":\"generation\","
		"\"source\":\"file:/run/lock\",\"backend\":\"file\",\"host\":\"web1\",\"pid\":4711,"
		"\"wait_ms\":12.3,\"attempts\":1,\"token\":\"5f0c1a2b\",\"fence\":42}\n");
	metric = metric_new(METRIC_STALE, NOW);
	metric.lock = "";
	len = metric_line(&metric, line, sizeof line);
	assert_int_equal(len, strlen(line));
	assert_string_equal(line, "{\"v\":1,\"ts\":1763866361.123,\"event\":\"stale\"}\n");
	assert_int_equal(metric_line(&metric, line, 20), -E2BIG);
}

static void every_event_has_a_word_of_its_own(void **state)
{
	(void)state;
	for (int i = 0; i < METRIC_EVENT_COUNT; i++) {
		assert_non_null(metric_event_word((enum metric_event)i));
		for (int j = 0; j < i; j++)
			assert_string_not_equal(metric_event_word((enum metric_event)i),
				metric_event_word((enum metric_event)j));
	}
	assert_string_equal(metric_event_word(METRIC_RELEASED_STALE), "released_stale");
}

static char *random_text(void)
{
	static const char *const hostile[] = {"\"", "\\", "\n", "\x1b[2J", "\xff", "\xed\xa0\x80",
		"\xf0\x9f\x94\x92", "\xe2\x82\xac", "\xc3\xa9", "\x7f", "lock", "\xf0\x9f", "\x01"};
	size_t len = (size_t)rand() % (rand() % 4 ? 20 : 9000), n = 0;
	bool is_plain = rand() % 2;
	char *text;

	if (rand() % 4 == 0)
		return NULL;
	text = malloc(len + 8);
	assert_non_null(text);
	while (n < len) {
		const char *piece = hostile[(size_t)rand() % (sizeof hostile / sizeof *hostile)];

		if (is_plain)
			text[n++] = (char)('a' + rand() % 26);
		else if (rand() % 3 == 0)
			text[n++] = (char)(1 + rand() % 255);
		else
			while (*piece)
				text[n++] = *piece++;
	}
	text[n] = '\0';
	return text;
}

static int64_t random_number(int64_t most)
{
	int64_t number = ((int64_t)rand() << 32 | rand()) & INT64_MAX;

	switch (rand() % 4) {
	case 0: return -1;
	case 1: return rand() % 2;
	case 2: return most;
	default: return most == INT64_MAX ? number : number % most;
	}
}

/* A text is there, whole, or a beginning of it with a mark; what a byte became is jsonw's test. */
static void same_text(const json_t *object, const char *key, const char *text)
{
	const char *got = json_string_value(json_object_get(object, key));
	size_t len;

	if (!text || !*text) {
		assert_null(json_object_get(object, key));
		return;
	}
	assert_non_null(got);
	len = strlen(got);
	if (strcmp(got, text) == 0)
		return;
	for (const char *c = text; *c; c++)
		if ((unsigned char)*c >= 0x80)
			return;
	assert_true(len > 0 && got[len - 1] == '~');
	assert_memory_equal(got, text, len - 1);
}

static void same_number(const json_t *object, const char *key, int64_t number, int64_t least)
{
	const json_t *value = json_object_get(object, key);

	if (number < least) {
		assert_null(value);
		return;
	}
	assert_true(json_is_integer(value));
	assert_true(json_integer_value(value) == number);
}

static void same_time(const json_t *object, const char *key, int64_t ns, double unit)
{
	const json_t *value = json_object_get(object, key);
	double off;

	if (ns < 0) {
		assert_null(value);
		return;
	}
	assert_true(json_is_number(value));
	off = json_number_value(value) - (double)ns / unit;
	assert_true(off < 0.00051 + (double)ns * 1e-15 && off > -0.00051 - (double)ns * 1e-15);
}

static void same(const struct metric *metric, const json_t *object)
{
	size_t keys = 3;
	const char *token = metric->token;

	assert_int_equal(json_integer_value(json_object_get(object, "v")), 1);
	same_time(object, "ts", metric->ts, 1e9);
	assert_string_equal(json_string_value(json_object_get(object, "event")),
		metric_event_word(metric->event));
	same_text(object, "lock", metric->lock);
	same_text(object, "source", metric->source);
	same_text(object, "backend", metric->backend);
	same_text(object, "host", metric->host);
	same_text(object, "reason", metric->reason);
	same_text(object, "holder", metric->holder);
	same_text(object, "holder_host", metric->holder_host);
	same_text(object, "user", metric->user);
	same_number(object, "pid", metric->pid, 1);
	same_number(object, "attempts", metric->attempts, 0);
	same_number(object, "fence", metric->fence, 1);
	same_number(object, "holder_pid", metric->holder_pid, 1);
	same_number(object, "exit_code", metric->exit_code, 0);
	same_time(object, "wait_ms", metric->wait, 1e6);
	same_time(object, "hold_ms", metric->hold, 1e6);
	same_time(object, "holder_age_s", metric->holder_age, 1e9);
	keys += (metric->lock && *metric->lock) + (metric->source && *metric->source) +
		(metric->backend && *metric->backend) + (metric->host && *metric->host) +
		(metric->reason && *metric->reason) + (metric->holder && *metric->holder) +
		(metric->holder_host && *metric->holder_host) + (metric->user && *metric->user);
	keys += (metric->pid > 0) + (metric->attempts >= 0) + (metric->fence > 0) +
		(metric->holder_pid > 0) + (metric->exit_code >= 0) + (metric->wait >= 0) +
		(metric->hold >= 0) + (metric->holder_age >= 0) + (token && *token);
	assert_int_equal(json_object_size(object), keys);
}

/* The first eight characters at most, whatever it is. */
static void token_is_short(const struct metric *metric, const json_t *object)
{
	const char *got = json_string_value(json_object_get(object, "token"));

	if (!metric->token || !*metric->token) {
		assert_null(got);
		return;
	}
	assert_non_null(got);
	assert_in_range(strlen(got), 1, 8 * 3);
}

static void whatever_goes_in_a_line_comes_out(void **state)
{
	(void)state;
	srand(20261123);
	for (int i = 0; i < 10000; i++) {
		char *text[9], line[METRIC_LINE];
		struct metric metric = metric_new(
			(enum metric_event)(rand() % METRIC_EVENT_COUNT), random_number(INT64_MAX));
		json_t *object;
		json_error_t why;
		int len;

		for (size_t t = 0; t < 9; t++)
			text[t] = random_text();
		metric.ts = metric.ts < 0 ? 0 : metric.ts;
		metric.lock = text[0], metric.source = text[1], metric.backend = text[2];
		metric.host = text[3], metric.token = text[4], metric.reason = text[5];
		metric.holder = text[6], metric.holder_host = text[7], metric.user = text[8];
		metric.pid = (int32_t)random_number(INT32_MAX);
		metric.holder_pid = (int32_t)random_number(INT32_MAX);
		metric.exit_code = (int32_t)random_number(255);
		metric.wait = random_number(INT64_MAX);
		metric.hold = random_number(INT64_MAX);
		metric.attempts = random_number(INT64_MAX);
		metric.fence = random_number(INT64_MAX);
		metric.holder_age = random_number(INT64_MAX);
		len = metric_line(&metric, line, sizeof line);
		assert_in_range(len, 1, METRIC_LINE - 1);
		assert_int_equal(len, strlen(line));
		assert_int_equal(strcspn(line, "\n"), len - 1);
		for (int c = 0; c < len - 1; c++)
			assert_in_range(line[c], ' ', '~');
		object = json_loads(line, JSON_REJECT_DUPLICATES, &why);
		if (!object)
			fail_msg("%s: %s", why.text, line);
		same(&metric, object);
		token_is_short(&metric, object);
		json_decref(object);
		for (size_t t = 0; t < 9; t++)
			free(text[t]);
	}
}

/* The most of everything, in the form that takes most room. */
static void the_longest_line_fits(void **state)
{
	struct metric metric = metric_new(METRIC_RELEASED_STALE, INT64_MIN);
	char worst[5001], line[METRIC_LINE], name[256], clean[5 * 255 + 1];
	json_t *object;

	(void)state;
	memset(worst, '\x01', sizeof worst - 1);
	worst[sizeof worst - 1] = '\0';
	metric.lock = metric.source = metric.backend = metric.host = metric.token = worst;
	metric.reason = metric.holder = metric.holder_host = metric.user = worst;
	metric.wait = metric.hold = metric.attempts = metric.fence = metric.holder_age = INT64_MAX;
	metric.pid = metric.holder_pid = metric.exit_code = INT32_MAX;
	assert_in_range(metric_line(&metric, line, sizeof line), 3000, METRIC_LINE - 1);
	/* The name of a file of 255 bytes, none of them fit to be shown, is whole. */
	memset(name, '\xff', 255);
	name[255] = '\0';
	for (size_t i = 0; i < 255; i++)
		memcpy(clean + 4 * i, "\\xff", 5);
	metric.lock = clean;
	assert_in_range(metric_line(&metric, line, sizeof line), 3000, METRIC_LINE - 1);
	object = json_loads(line, 0, NULL);
	assert_string_equal(json_string_value(json_object_get(object, "lock")), clean);
	json_decref(object);
}

/* --- the file --- */

static void lines_are_appended_for_their_owner_alone(void **state)
{
	struct desk *desk = *state;
	struct stat st;

	assert_int_equal(access(desk->path, F_OK), -1); /* nothing before the first line */
	write_at(desk, NOW);
	write_at(desk, NOW + 1);
	begin_again(desk, desk->path);
	write_at(desk, NOW + 2);
	assert_int_equal(lines_in(desk->path, NULL), 3);
	assert_int_equal(stat(desk->path, &st), 0);
	assert_int_equal(st.st_mode & 07777, geteuid() == 0 ? 0640 : 0600);
	assert_null(metricslog_complaint(&desk->log));
}

static void none_is_off(void **state)
{
	struct desk *desk = *state;

	begin_again(desk, "none");
	assert_null(desk->log.path);
	write_at(desk, NOW);
	assert_null(metricslog_complaint(&desk->log));
	assert_int_equal(access("none", F_OK), -1);
}

static void the_usual_place_is_made(void **state)
{
	struct desk *desk = *state;
	struct stat st;
	char want[600];

	setenv("XDG_STATE_HOME", desk->folder, 1);
	begin_again(desk, NULL);
	if (geteuid() == 0) {
		assert_string_equal(
			desk->log.path, LOCKTOP_LOCALSTATEDIR "/log/locktop/metrics.jsonl");
		/* Not there: that is the machine's own. */
		free(desk->log.path);
		assert_true(
			asprintf(&desk->log.path, "%s/locktop/metrics.jsonl", desk->folder) > 0);
	}
	snprintf(want, sizeof want, "%s/locktop/metrics.jsonl", desk->folder);
	assert_string_equal(desk->log.path, want);
	write_at(desk, NOW);
	assert_int_equal(lines_in(want, NULL), 1);
	*strrchr(want, '/') = '\0';
	assert_int_equal(stat(want, &st), 0);
	assert_int_equal(st.st_mode & 07777, geteuid() == 0 ? 0750 : 0700);
}

static void a_named_folder_has_to_be_there(void **state)
{
	struct desk *desk = *state;
	char path[600];

	snprintf(path, sizeof path, "%s/missing/metrics.jsonl", desk->folder);
	begin_again(desk, path);
	complains(desk, "No such file or directory");
	*strrchr(path, '/') = '\0';
	assert_int_equal(access(path, F_OK), -1);
	/* From when it is there, lines are written. */
	assert_int_equal(mkdir(path, 0700), 0);
	write_at(desk, NOW + NS_PER_S);
	assert_int_equal(lines_in(desk->log.path, NULL), 1);
}

static void what_is_no_log_is_not_written_to(void **state)
{
	struct desk *desk = *state;
	char victim[600];

	snprintf(victim, sizeof victim, "%s/victim", desk->folder);
	fill(victim, "mine\n");
	assert_int_equal(symlink(victim, desk->path), 0);
	complains(desk, "symbolic links");
	assert_int_equal(unlink(desk->path), 0);
	assert_int_equal(link(victim, desk->path), 0);
	begin_again(desk, desk->path);
	complains(desk, "another hard link");
	assert_int_equal(unlink(desk->path), 0);
	assert_int_equal(mkfifo(desk->path, 0600), 0);
	begin_again(desk, desk->path);
	complains(desk, "not a regular file");
	assert_int_equal(unlink(desk->path), 0);
	assert_int_equal(mkdir(desk->path, 0700), 0);
	begin_again(desk, desk->path);
	complains(desk, "Is a directory");
	begin_again(desk, "/dev/full");
	complains(desk, "not a regular file");
	begin_again(desk, "/proc/locktop/metrics.jsonl");
	complains(desk, "No such file or directory");
	assert_int_equal(lines_in(victim, NULL), 0);
}

static void a_folder_of_others_is_no_place_for_a_new_log(void **state)
{
	struct desk *desk = *state;

	assert_int_equal(chmod(desk->folder, 0777), 0);
	complains(desk, "others may write");
	assert_int_equal(access(desk->path, F_OK), -1);
	assert_int_equal(chmod(desk->folder, 01777), 0); /* sticky: nobody can replace it */
	write_at(desk, NOW);
	assert_int_equal(lines_in(desk->path, NULL), 1);
}

static void anothers_file_is_refused(void **state)
{
	struct desk *desk = *state;

	if (geteuid() != 0) {
		print_message("only root can give a file away: nothing to test\n");
		return;
	}
	fill(desk->path, "");
	assert_int_equal(chown(desk->path, 65534, 65534), 0);
	complains(desk, "belongs to uid 65534");
}

/* --- rotation --- */

static void a_moved_log_is_opened_again_within_a_second(void **state)
{
	struct desk *desk = *state;
	char old[600];

	snprintf(old, sizeof old, "%s.1", desk->path);
	write_at(desk, NOW);
	assert_int_equal(rename(desk->path, old), 0);
	write_at(desk, NOW + NS_PER_S - 1); /* not yet asked for: into the old one */
	write_at(desk, NOW + NS_PER_S);
	write_at(desk, NOW + NS_PER_S + 1);
	assert_int_equal(lines_in(old, NULL), 2);
	assert_int_equal(lines_in(desk->path, NULL), 2);
	/* Another one in its place; and the clock was set back meanwhile. */
	assert_int_equal(rename(desk->path, old), 0);
	fill(desk->path, "");
	assert_int_equal(chmod(desk->path, 0600), 0);
	write_at(desk, NOW - NS_PER_S);
	assert_int_equal(lines_in(desk->path, NULL), 1);
	assert_int_equal(unlink(desk->path), 0);
	write_at(desk, NOW);
	assert_int_equal(lines_in(desk->path, NULL), 1);
	assert_null(metricslog_complaint(&desk->log));
}

static void a_log_that_was_emptied_is_written_from_its_beginning(void **state)
{
	struct desk *desk = *state;
	int bad;

	write_at(desk, NOW);
	assert_int_equal(truncate(desk->path, 0), 0); /* copytruncate */
	write_at(desk, NOW + 1);
	assert_int_equal(lines_in(desk->path, &bad), 1);
	assert_int_equal(bad, 0);
}

static void only_what_was_read_of_a_zero_struct_is_released(void **state)
{
	struct metricslog log = {0};

	(void)state;
	metricslog_release(&log); /* and descriptor 0 is still open */
	assert_true(fcntl(0, F_GETFD) >= 0 || errno != EBADF);
}

/* --- a disk that is full --- */

static void limit(rlim_t size)
{
	struct rlimit limit = {size, RLIM_INFINITY};

	if (setrlimit(RLIMIT_FSIZE, &limit) < 0)
		_exit(3);
}

/*
 * In a child, as a limit cannot be told from a full disk: what is written ends in the middle of
 * the second line. SIGXFSZ would end it.
 */
static void write_beyond(struct desk *desk, size_t len)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	limit(len + len / 2);
	write_at(desk, NOW);
	if (metricslog_complaint(&desk->log))
		_exit(4);
	write_at(desk, NOW); /* half of it */
	if (!metricslog_complaint(&desk->log))
		_exit(5);
	write_at(desk, NOW); /* nothing of it */
	write_at(desk, NOW);
	if (metricslog_complaint(&desk->log))
		_exit(6);
	limit(RLIM_INFINITY);
	write_at(desk, NOW); /* there is room again */
	write_at(desk, NOW);
	_exit(0);
}

static void half_a_line_of_our_own_does_not_spoil_the_next(void **state)
{
	struct desk *desk = *state;
	struct metric metric = acquired();
	char line[METRIC_LINE];
	int len = metric_line(&metric, line, sizeof line), status, bad;
	pid_t pid;

	assert_true(len > 0);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0)
		write_beyond(desk, (size_t)len);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
	assert_int_equal(lines_in(desk->path, &bad), 3);
	assert_int_equal(bad, 1);
}

/* --- many at once --- */

enum { WRITERS = 8, LINES = 500 };

static void lines_of_many_never_mix(void **state)
{
	struct desk *desk = *state;
	char long_text[2000];
	pid_t pid[WRITERS], parent = getpid();
	int status, bad;

	memset(long_text, 'x', sizeof long_text - 1);
	long_text[sizeof long_text - 1] = '\0';
	for (int i = 0; i < WRITERS; i++) {
		pid[i] = fork();
		assert_true(pid[i] >= 0);
		if (pid[i])
			continue;
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		for (int n = 0; n < LINES && getppid() == parent; n++) {
			struct metric metric = acquired();

			metric.pid = getpid();
			metric.attempts = n;
			metric.reason = n % 2 ? long_text : NULL;
			metricslog_write(&desk->log, &metric);
		}
		_exit(metricslog_complaint(&desk->log) ? 1 : 0);
	}
	for (int i = 0; i < WRITERS; i++) {
		assert_int_equal(waitpid(pid[i], &status, 0), pid[i]);
		assert_int_equal(status, 0);
	}
	assert_int_equal(lines_in(desk->path, &bad), WRITERS * LINES);
	assert_int_equal(bad, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_line_has_what_is_known_and_no_more),
		cmocka_unit_test(every_event_has_a_word_of_its_own),
		cmocka_unit_test(whatever_goes_in_a_line_comes_out),
		cmocka_unit_test(the_longest_line_fits),
		cmocka_unit_test_setup_teardown(
			lines_are_appended_for_their_owner_alone, set_up, tear_down),
		cmocka_unit_test_setup_teardown(none_is_off, set_up, tear_down),
		cmocka_unit_test_setup_teardown(the_usual_place_is_made, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_named_folder_has_to_be_there, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			what_is_no_log_is_not_written_to, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			a_folder_of_others_is_no_place_for_a_new_log, set_up, tear_down),
		cmocka_unit_test_setup_teardown(anothers_file_is_refused, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			a_moved_log_is_opened_again_within_a_second, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			a_log_that_was_emptied_is_written_from_its_beginning, set_up, tear_down),
		cmocka_unit_test(only_what_was_read_of_a_zero_struct_is_released),
		cmocka_unit_test_setup_teardown(
			half_a_line_of_our_own_does_not_spoil_the_next, set_up, tear_down),
		cmocka_unit_test_setup_teardown(lines_of_many_never_mix, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

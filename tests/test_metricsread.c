#include "config.h"

#include "made_world.h"

#include <sys/resource.h>
#include <zlib.h>

#include "engine/metricsread.h"
#include "engine/settings.h"

#define T0 INT64_C(1763860000)

struct place {
	char folder[256];
	const char *log[4];
	struct metricsread read;
	struct metrics metrics;
	struct error err;
	char paths[4][400];
};

static int set_up(void **state)
{
	struct place *place = calloc(1, sizeof *place);

	assert_non_null(place);
	make_folder(place->folder, sizeof place->folder);
	assert_int_equal(metrics_init(&place->metrics, METRICS_TOTALS, 0, 0), 0);
	place->read.log = place->log;
	*state = place;
	return 0;
}

static int tear_down(void **state)
{
	struct place *place = *state;

	metrics_release(&place->metrics);
	remove_tree(place->folder);
	free(place);
	return 0;
}

static const char *in(const struct place *place, const char *name)
{
	static char path[2][600];
	static int turn;

	turn = !turn;
	snprintf(path[turn], sizeof path[turn], "%s/%s", place->folder, name);
	return path[turn];
}

/* Names another log to read. */
static void name(struct place *place, const char *pattern)
{
	size_t n = place->read.logs++;

	snprintf(place->paths[n], sizeof place->paths[n], "%s", in(place, pattern));
	place->log[n] = place->paths[n];
}

static void add_text(const struct place *place, const char *log, const char *text)
{
	FILE *file = fopen(in(place, log), "a");

	assert_non_null(file);
	fputs(text, file);
	assert_int_equal(fclose(file), 0);
}

static const char *line_at(int64_t seconds, const char *lock)
{
	static char line[400];

	snprintf(line, sizeof line,
		"{\"v\":1,\"ts\":%lld.000,\"event\":\"acquired\",\"lock\":\"%s\","
		"\"source\":\"file:/run/lock\",\"backend\":\"file\",\"pid\":1,\"wait_ms\":1.000}\n",
		(long long)(T0 + seconds), lock);
	return line;
}

/* Lines from second to second. */
static void add_lines(const struct place *place, const char *log, int from, int to)
{
	FILE *file = fopen(in(place, log), "a");

	assert_non_null(file);
	for (int i = from; i < to; i++)
		fputs(line_at(i, "x.lock"), file);
	assert_int_equal(fclose(file), 0);
}

static void gz_lines(const struct place *place, const char *log, int from, int to)
{
	gzFile gz = gzopen(in(place, log), "wb");

	assert_non_null(gz);
	for (int i = from; i < to; i++)
		assert_true(gzputs(gz, line_at(i, "x.lock")) > 0);
	assert_int_equal(gzclose(gz), Z_OK);
}

static void read_all(struct place *place)
{
	if (metricsread(&place->read, &place->metrics, &place->err) < 0)
		fail_msg("%s", place->err.text);
}

static void a_log_is_counted(void **state)
{
	struct place *place = *state;
	const struct series *series;

	name(place, "m.jsonl");
	add_lines(place, "m.jsonl", 0, 50);
	add_text(place, "m.jsonl", "\nnonsense\n{\"v\":1,\"event\":\"what\",\"ts\":1}\n");
	add_text(place, "m.jsonl", line_at(50, "y.lock"));
	read_all(place);
	assert_int_equal(place->read.lines, 51);
	assert_int_equal(place->read.bad, 1);
	assert_int_equal(place->metrics.bad, 1);
	assert_int_equal(place->read.ignored, 2);
	assert_int_equal(place->read.files, 1);
	assert_true(place->read.first == T0 * NS_PER_S);
	assert_true(place->read.last == (T0 + 50) * NS_PER_S);
	assert_string_equal(place->read.missing, "");
	series = metrics_find(&place->metrics, "/run/lock/x.lock");
	assert_non_null(series);
	assert_int_equal(series->total.count[METRIC_ACQUIRED], 50);
}

static void only_what_is_within_the_bounds_counts(void **state)
{
	struct place *place = *state;

	name(place, "m.jsonl");
	add_text(place, "m.jsonl", "nonsense\n");
	add_lines(place, "m.jsonl", 0, 20000);
	place->read.since = (T0 + 15000) * NS_PER_S;
	place->read.until = (T0 + 16000) * NS_PER_S;
	read_all(place);
	assert_int_equal(place->read.lines, 1000);
	assert_int_equal(place->read.bad, 0);
	assert_true(place->read.first == (T0 + 15000) * NS_PER_S);
	assert_true(place->read.last == (T0 + 15999) * NS_PER_S);
}

/* What has no time belongs to the line before it. */
static void what_is_not_understood_counts_within_the_bounds(void **state)
{
	struct place *place = *state;
	char *longest = calloc(1, 5002);

	name(place, "m.jsonl");
	memset(longest, 'x', 5000);
	longest[5000] = '\n';
	for (int i = 0; i < 10; i++) {
		add_text(place, "m.jsonl", line_at(i, "x.lock"));
		add_text(place, "m.jsonl", "nonsense\n\n");
		add_text(place, "m.jsonl", longest);
	}
	free(longest);
	place->read.since = (T0 + 3) * NS_PER_S;
	place->read.until = (T0 + 7) * NS_PER_S;
	read_all(place);
	assert_int_equal(place->read.lines, 4);
	assert_int_equal(place->read.bad, 8);
	assert_int_equal(place->read.ignored, 4);
}

static void a_last_line_without_an_end_is_whole_or_torn(void **state)
{
	struct place *place = *state;
	char line[400];

	name(place, "m.jsonl");
	snprintf(line, sizeof line, "%s", line_at(1, "x.lock"));
	line[strlen(line) - 1] = '\0';
	add_lines(place, "m.jsonl", 0, 1);
	add_text(place, "m.jsonl", line);
	read_all(place);
	assert_int_equal(place->read.lines, 2);
	assert_int_equal(place->read.bad, 0);
	add_text(place, "m.jsonl", "\n{\"v\":1,\"ts\":17638");
	read_all(place);
	assert_int_equal(place->read.lines, 2);
	assert_int_equal(place->read.bad, 1);
}

static void what_was_rotated_away_is_read_if_it_is_asked_for(void **state)
{
	struct place *place = *state;

	name(place, "m.jsonl");
	gz_lines(place, "m.jsonl.2.gz", 0, 100);
	add_lines(place, "m.jsonl.1", 100, 200);
	add_lines(place, "m.jsonl", 200, 300);
	read_all(place);
	assert_int_equal(place->read.lines, 100);
	place->read.rotated = true;
	read_all(place);
	assert_int_equal(place->read.lines, 300);
	assert_int_equal(place->read.files, 3);
	assert_true(place->read.first == T0 * NS_PER_S);
}

static void a_rotated_log_from_before_is_not_even_opened(void **state)
{
	struct place *place = *state;
	struct timespec old[2] = {{.tv_sec = T0 + 100}, {.tv_sec = T0 + 100}};

	name(place, "m.jsonl");
	add_lines(place, "m.jsonl.1", 0, 100);
	assert_int_equal(utimensat(AT_FDCWD, in(place, "m.jsonl.1"), old, 0), 0);
	add_lines(place, "m.jsonl", 100, 300);
	place->read.rotated = true;
	place->read.since = (T0 + 200) * NS_PER_S;
	read_all(place);
	assert_int_equal(place->read.files, 1);
	assert_int_equal(place->read.lines, 100);
	place->read.since = (T0 + 50) * NS_PER_S;
	read_all(place);
	assert_int_equal(place->read.files, 2);
	assert_int_equal(place->read.lines, 250);
}

/* More than may be open at a time, a log of every hour for three months. */
static void years_of_rotation_can_be_read(void **state)
{
	struct place *place = *state;
	struct rlimit limit, less;
	char log[40];

	name(place, "m.jsonl");
	for (int i = 0; i < 2000; i++) {
		snprintf(log, sizeof log, i ? "m.jsonl.%d" : "m.jsonl", i);
		add_text(place, log, line_at(-i, "x.lock"));
	}
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
	less = (struct rlimit){.rlim_cur = 300, .rlim_max = limit.rlim_max};
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &less), 0);
	place->read.rotated = true;
	read_all(place);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
	assert_int_equal(place->read.lines, 2000);
	assert_int_equal(place->read.files, 2000);
}

static void a_file_that_several_names_lead_to_is_read_once(void **state)
{
	struct place *place = *state;

	add_lines(place, "a.jsonl", 0, 10);
	add_lines(place, "b.jsonl", 0, 5);
	assert_int_equal(link(in(place, "a.jsonl"), in(place, "c.jsonl")), 0);
	name(place, "a.jsonl");
	name(place, "*.jsonl");
	name(place, "b.jsonl");
	read_all(place);
	assert_int_equal(place->read.lines, 15);
	assert_int_equal(place->read.files, 2);
}

static void a_log_that_is_missing_is_told_and_only_if_there_is_none_an_error(void **state)
{
	struct place *place = *state;

	name(place, "none.jsonl");
	name(place, "*.none");
	assert_int_equal(metricsread(&place->read, &place->metrics, &place->err), -ENOENT);
	assert_non_null(strstr(place->err.text, "none.jsonl"));
	name(place, "m.jsonl");
	add_lines(place, "m.jsonl", 0, 10);
	read_all(place);
	assert_int_equal(place->read.lines, 10);
	assert_non_null(strstr(place->read.missing, "none.jsonl"));
}

static void what_is_no_file_is_an_error_in_words(void **state)
{
	struct place *place = *state;

	name(place, "fifo");
	assert_int_equal(mkfifo(in(place, "fifo"), 0644), 0);
	assert_int_equal(metricsread(&place->read, &place->metrics, &place->err), -EINVAL);
	assert_non_null(strstr(place->err.text, "FIFO"));
}

static int end_at_three(void *data, const struct metric *metric)
{
	int *n = data;

	assert_string_equal(metric->lock, "x.lock");
	return ++*n == 3 ? 42 : 0;
}

static void whoever_reads_lines_can_end_it(void **state)
{
	struct place *place = *state;
	int n = 0;

	name(place, "m.jsonl");
	add_lines(place, "m.jsonl", 0, 10);
	place->read.line = end_at_three;
	place->read.data = &n;
	assert_int_equal(metricsread(&place->read, NULL, &place->err), 42);
	assert_int_equal(n, 3);
}

/* One log tells nothing of the form of the next. */
static void each_log_has_a_form_of_its_own(void **state)
{
	struct place *place = *state;

	add_text(place, "a.log", "[23-Nov-2026 03:07:33 UTC] PHP Notice: x\nStack trace:\n#0 y\n");
	add_text(place, "b.jsonl", "Stack trace:\n");
	add_text(place, "b.jsonl", line_at(0, "x.lock"));
	name(place, "a.log");
	name(place, "b.jsonl");
	read_all(place);
	assert_int_equal(place->read.bad, 1);
	assert_int_equal(place->read.ignored, 3);
	assert_int_equal(place->read.lines, 1);
}

static void the_logs_are_those_of_the_configuration(void **state)
{
	struct settings settings = {.metrics = (char[]){"/x/m.jsonl"}};
	char **logs = metricsread_logs(&settings);

	(void)state;
	assert_non_null(logs);
	assert_string_equal(logs[0], "/x/m.jsonl");
	metricsread_logs_free(logs);
	settings.metrics = (char[]){"none"};
	logs = metricsread_logs(&settings);
	assert_non_null(logs);
	assert_true(!logs[0] || geteuid() != 0);
	metricsread_logs_free(logs);
	settings.metrics = NULL;
	logs = metricsread_logs(&settings);
	assert_non_null(logs);
	assert_non_null(strstr(logs[0], "/locktop/metrics.jsonl"));
	metricsread_logs_free(logs);
	settings.log = (char *[]){(char[]){"/a/*.jsonl"}, (char[]){"/b.log"}};
	settings.logs = 2;
	logs = metricsread_logs(&settings);
	assert_non_null(logs);
	assert_string_equal(logs[0], "/a/*.jsonl");
	assert_string_equal(logs[1], "/b.log");
	assert_null(logs[2]);
	metricsread_logs_free(logs);
}

#define CASE(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(a_log_is_counted),
		CASE(only_what_is_within_the_bounds_counts),
		CASE(what_is_not_understood_counts_within_the_bounds),
		CASE(a_last_line_without_an_end_is_whole_or_torn),
		CASE(what_was_rotated_away_is_read_if_it_is_asked_for),
		CASE(a_rotated_log_from_before_is_not_even_opened),
		CASE(years_of_rotation_can_be_read),
		CASE(a_file_that_several_names_lead_to_is_read_once),
		CASE(a_log_that_is_missing_is_told_and_only_if_there_is_none_an_error),
		CASE(what_is_no_file_is_an_error_in_words),
		CASE(whoever_reads_lines_can_end_it),
		CASE(each_log_has_a_form_of_its_own),
		CASE(the_logs_are_those_of_the_configuration),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

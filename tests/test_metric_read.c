/* Lines of logs become metrics, or are said not to be understood; the scanner says what jansson
 * says. */
#include "config.h"

#include <errno.h>
#include <glob.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/text.h"
#include "failing_alloc.h"
#include "model/metric_read.h"
#include "same_metric.h"

/* tests/fuzz/fuzz_metric_read.c: aborts if the readers differ about a line. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define TS       INT64_C(1763866361123000000)
#define BEGIN    "{\"v\":1,\"ts\":1763866361.123,"
#define ACQUIRED BEGIN "\"event\":\"acquired\",\"lock\":\"a.lock\""
#define TYPICAL                                                                               \
	BEGIN "\"event\":\"acquired\",\"lock\":\"generation\",\"source\":\"file:/run/lock\"," \
	      "\"backend\":\"file\",\"host\":\"web1\",\"pid\":4711,\"wait_ms\":12.3,"         \
	      "\"attempts\":1,\"token\":\"5f0c1a2b\",\"fence\":42}"

/* A line that may be written to, and what it says. */
struct reading {
	struct metric_reader reader;
	struct metric metric;
	char line[16384];
	char written[METRIC_LINE]; /* the metric as a line again, without the newline */
	int result;
};

typedef int read_fn(struct metric_reader *reader, char *line, size_t len, struct metric *out);

static void read_line(struct reading *reading, read_fn *read, const char *line, size_t len)
{
	int n;

	assert_true(len < sizeof reading->line);
	memcpy(reading->line, line, len);
	reading->line[len] = '"'; /* whatever stands there */
	reading->written[0] = '\0';
	reading->result = read(&reading->reader, reading->line, len, &reading->metric);
	if (reading->result != 1)
		return;
	n = metric_line(&reading->metric, reading->written, sizeof reading->written);
	assert_true(n > 0);
	reading->written[n - 1] = '\0';
}

static void release(struct reading *reading)
{
	metric_reader_release(&reading->reader);
}

/* --- tables: a line, the result, and the metric as it would be written --- */

struct line_case {
	const char *line;
	int result;
	const char *written; /* NULL: as the line */
};

static void check_cases(const struct line_case *cases, size_t n)
{
	static read_fn *const ways[] = {metric_read, metric_read_by_jansson};

	for (size_t i = 0; i < n; i++)
		for (size_t w = 0; w < 2; w++) {
			const struct line_case *one = &cases[i];
			const char *wanted = one->written ? one->written : one->line;
			struct reading reading = {0};

			read_line(&reading, ways[w], one->line, strlen(one->line));
			if (reading.result != one->result)
				fail_msg("%d: %s", reading.result, one->line);
			if (one->result == 1)
				assert_string_equal(reading.written, wanted);
			release(&reading);
		}
}

#define CHECK_CASES(cases) check_cases(cases, sizeof(cases) / sizeof *(cases))

static void a_line_of_ours_is_understood(void **state)
{
	static const struct line_case cases[] = {
		{TYPICAL, 1, NULL},
		{ACQUIRED "}", 1, NULL},
		{BEGIN "\"event\":\"released\",\"lock\":\"a\",\"hold_ms\":31.043,\"exit_code\":0}",
			1, NULL},
		{BEGIN "\"event\":\"timeout\",\"lock\":\"a\",\"wait_ms\":5000.2,\"attempts\":49,"
		       "\"reason\":\"why\",\"holder_pid\":1,\"holder\":\"php\",\"holder_host\":"
		       "\"web2\",\"holder_age_s\":12.345,\"user\":\"root\"}",
			1, NULL},
		/* In another order, with blanks and in other words. */
		{"{ \"lock\": \"a.lock\",\t\"event\": \"\\u0061cquired\", \"ts\": "
		 "1763866361123e-3, "
		 "\"v\":1 } \r",
			1, ACQUIRED "}"},
		{ACQUIRED ",\"wait_ms\":0,\"attempts\":0}", 1, NULL},
		{ACQUIRED ",\"fence\":9223372036854775807}", 1, NULL},
		/* A lock need not be named where there is none. */
		{BEGIN "\"event\":\"error\",\"reason\":\"why\"}", 1, NULL},
		{BEGIN "\"event\":\"fallback\",\"lock\":\"\"}", 1, BEGIN "\"event\":\"fallback\"}"},
		/* No version is this one. */
		{"{\"ts\":1,\"event\":\"busy\",\"lock\":\"a\"}", 1,
			"{\"v\":1,\"ts\":1,\"event\":\"busy\",\"lock\":\"a\"}"},
	};

	(void)state;
	CHECK_CASES(cases);
}

static void what_is_not_known_is_left_out(void **state)
{
	static const struct line_case cases[] = {
		{ACQUIRED ",\"colour\":\"red\",\"size\":7,\"\":0.5}", 1, ACQUIRED "}"},
		{ACQUIRED ",\"more\":{\"lock\":\"b\",\"ts\":[5]},\"x\":true,\"y\":1e3,\"z\":null}",
			1, ACQUIRED "}"},
		{ACQUIRED ",\"pid\":null,\"host\":null,\"wait_ms\":null}", 1, ACQUIRED "}"},
		{ACQUIRED ",\"pid\":0,\"holder_pid\":0,\"fence\":0,\"host\":\"\"}", 1,
			ACQUIRED "}"},
	};

	(void)state;
	CHECK_CASES(cases);
}

static void of_a_repeated_key_the_last_counts(void **state)
{
	static const struct line_case cases[] = {
		{ACQUIRED ",\"lock\":\"b\",\"pid\":1,\"pid\":2,\"host\":\"x\",\"host\":\"\"}", 1,
			BEGIN "\"event\":\"acquired\",\"lock\":\"b\",\"pid\":2}"},
		{"{\"v\":7,\"ts\":\"x\",\"event\":5," ACQUIRED "}", -EINVAL, NULL},
		{"{\"v\":7,\"ts\":\"x\",\"event\":5,\"v\":1,\"ts\":1,\"event\":\"busy\",\"lock\":"
		 "\"a\"}",
			1, "{\"v\":1,\"ts\":1,\"event\":\"busy\",\"lock\":\"a\"}"},
		{ACQUIRED ",\"lock\":\"\"}", -EINVAL, NULL},
		{ACQUIRED ",\"pid\":1,\"pid\":\"1\"}", -EINVAL, NULL},
		{ACQUIRED ",\"pid\":1,\"pid\":null}", 1, ACQUIRED "}"},
	};

	(void)state;
	CHECK_CASES(cases);
}

static void other_versions_and_events_are_ignored(void **state)
{
	static const char *const lines[] = {
		"{\"v\":2,\"when\":\"now\"}",
		"{\"v\":2,\"ts\":\"x\",\"event\":[]}",
		BEGIN "\"event\":\"melted\",\"lock\":\"a\"}",
		BEGIN "\"event\":\"\"}",
		BEGIN "\"event\":\"Acquired\",\"lock\":\"a\"}",
		BEGIN "\"event\":\"acquired\\n\",\"lock\":\"a\"}",
	};
	struct reading reading = {0};

	(void)state;
	for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
		read_line(&reading, metric_read, lines[i], strlen(lines[i]));
		assert_int_equal(reading.result, 0);
		assert_int_equal(reading.reader.ignored, i + 1);
	}
	read_line(&reading, metric_read, "", 0);
	assert_int_equal(reading.result, 0);
	assert_int_equal(reading.reader.ignored, sizeof lines / sizeof *lines);
	release(&reading);
}

static void what_is_wrong_is_not_understood(void **state)
{
	static const struct line_case cases[] = {
		{"{", -EINVAL, NULL},
		{"{}", -EINVAL, NULL},
		{"hello", -EINVAL, NULL},
		{" ", -EINVAL, NULL},
		{"[1]", -EINVAL, NULL},
		{"\"text\"", -EINVAL, NULL},
		{"null", -EINVAL, NULL},
		/* Torn. */
		{BEGIN "\"event\":\"acquired\",\"lock\":\"gen", -EINVAL, NULL},
		{"tempts\":1,\"fence\":42}", -EINVAL, NULL},
		{BEGIN "\"event\":\"acq" TYPICAL, -EINVAL, NULL},
		{ACQUIRED ",\"reason\":\"as" TYPICAL, -EINVAL, NULL},
		{TYPICAL TYPICAL, -EINVAL, NULL},
		{TYPICAL ",", -EINVAL, NULL},
		{ACQUIRED ",}", -EINVAL, NULL},
		{ACQUIRED ",\"x\"}", -EINVAL, NULL},
		{ACQUIRED ",\"x\":}", -EINVAL, NULL},
		{ACQUIRED ",\"}", -EINVAL, NULL},
		{ACQUIRED ",\"x}", -EINVAL, NULL},
		{ACQUIRED "\"x\":1}", -EINVAL, NULL},
		{ACQUIRED ",\"x\",1}", -EINVAL, NULL},
		{ACQUIRED ";\"x\":1}", -EINVAL, NULL},
		/* Something is missing. */
		{"{\"v\":1,\"event\":\"busy\",\"lock\":\"a\"}", -EINVAL, NULL},
		{BEGIN "\"lock\":\"a\"}", -EINVAL, NULL},
		{BEGIN "\"event\":null,\"lock\":\"a\"}", -EINVAL, NULL},
		{BEGIN "\"event\":\"busy\"}", -EINVAL, NULL},
		{BEGIN "\"event\":\"busy\",\"lock\":\"\"}", -EINVAL, NULL},
		/* Of another type. */
		{"{\"v\":\"1\",\"ts\":1,\"event\":\"busy\",\"lock\":\"a\"}", -EINVAL, NULL},
		{"{\"v\":1.0,\"ts\":1,\"event\":\"busy\",\"lock\":\"a\"}", -EINVAL, NULL},
		{"{\"v\":1,\"ts\":\"1\",\"event\":\"busy\",\"lock\":\"a\"}", -EINVAL, NULL},
		{BEGIN "\"event\":1,\"lock\":\"a\"}", -EINVAL, NULL},
		{BEGIN "\"event\":\"busy\",\"lock\":5}", -EINVAL, NULL},
		{ACQUIRED ",\"user\":5}", -EINVAL, NULL},
		{ACQUIRED ",\"pid\":\"5\"}", -EINVAL, NULL},
		{ACQUIRED ",\"pid\":5.0}", -EINVAL, NULL},
		{ACQUIRED ",\"pid\":true}", -EINVAL, NULL},
		{ACQUIRED ",\"wait_ms\":\"5\"}", -EINVAL, NULL},
		{ACQUIRED ",\"attempts\":1.5}", -EINVAL, NULL},
		{ACQUIRED ",\"host\":{}}", -EINVAL, NULL},
		/* Out of bounds. */
		{ACQUIRED ",\"pid\":-1}", -EINVAL, NULL},
		{ACQUIRED ",\"pid\":2147483648}", -EINVAL, NULL},
		{ACQUIRED ",\"exit_code\":-1}", -EINVAL, NULL},
		{ACQUIRED ",\"wait_ms\":-0.001}", -EINVAL, NULL},
		{ACQUIRED ",\"holder_age_s\":-1}", -EINVAL, NULL},
		{ACQUIRED ",\"fence\":9223372036854775808}", -EINVAL, NULL},
		{ACQUIRED ",\"wait_ms\":1e999}", -EINVAL, NULL},
		{"{\"v\":1,\"ts\":-1,\"event\":\"busy\",\"lock\":\"a\"}", -EINVAL, NULL},
		{"{\"v\":1,\"ts\":7258118400,\"event\":\"busy\",\"lock\":\"a\"}", -EINVAL, NULL},
		{"{\"v\":1,\"ts\":1763866361123,\"event\":\"busy\",\"lock\":\"a\"}", -EINVAL, NULL},
		/* No numbers. */
		{ACQUIRED ",\"pid\":01}", -EINVAL, NULL},
		{ACQUIRED ",\"pid\":+1}", -EINVAL, NULL},
		{ACQUIRED ",\"pid\":0x1}", -EINVAL, NULL},
		{ACQUIRED ",\"wait_ms\":1.}", -EINVAL, NULL},
		{ACQUIRED ",\"wait_ms\":.5}", -EINVAL, NULL},
		{ACQUIRED ",\"wait_ms\":00.5}", -EINVAL, NULL},
		{ACQUIRED ",\"wait_ms\":nan}", -EINVAL, NULL},
		{ACQUIRED ",\"x\":99999999999999999999}", -EINVAL, NULL},
		/* No text of JSON's. */
		{ACQUIRED ",\"host\":\"\\u0000\"}", -EINVAL, NULL},
		{ACQUIRED ",\"host\":\"\\ud83d\"}", -EINVAL, NULL},
		{ACQUIRED ",\"host\":\"\\q\"}", -EINVAL, NULL},
		{ACQUIRED ",\"host\":\"\xff\"}", -EINVAL, NULL},
		{ACQUIRED ",\"host\":\"a\tb\"}", -EINVAL, NULL},
		{ACQUIRED ",\"host\":'a'}", -EINVAL, NULL},
	};

	(void)state;
	CHECK_CASES(cases);
}

static void a_nul_byte_is_not_understood(void **state)
{
	char line[] = TYPICAL;
	struct reading reading = {0};

	(void)state;
	for (size_t i = 0; i < sizeof line - 1; i++) {
		char c = line[i];

		line[i] = '\0';
		read_line(&reading, metric_read, line, sizeof line - 1);
		assert_int_equal(reading.result, -EINVAL);
		line[i] = c;
	}
	read_line(&reading, metric_read, line, sizeof line); /* with the one at its end */
	assert_int_equal(reading.result, -EINVAL);
	release(&reading);
}

static void a_line_is_as_it_was_when_it_was_not_taken(void **state)
{
	struct reading reading = {0};
	const char line[] = ACQUIRED ",\"host\":\"web1\",\"pid\":-1}";

	(void)state;
	read_line(&reading, metric_read, line, sizeof line - 1);
	assert_int_equal(reading.result, -EINVAL);
	assert_memory_equal(reading.line, line, sizeof line - 1);
	assert_int_equal(reading.line[sizeof line - 1], '"');
	release(&reading);
}

static void texts_come_out_clean(void **state)
{
	static const struct {
		const char *in, *out;
	} texts[] = {
		{"a b", "a b"},
		{"\\u001b[2J", "\\x1b[2J"},
		{"a\\nb", "a\\nb"},
		{"\\\\x1b", "\\x1b"}, /* the writer has it so: clean */
		{"\\u00e9\xc3\xa9", "\xc3\xa9\xc3\xa9"},
		{"\\ud83d\\udd12", "\xf0\x9f\x94\x92"},
		{"\\u202eevil", "\\u{202e}evil"},
		{"\\u009b", "\\u{009b}"},
		{"\x7f", "\\x7f"},
		{"\\\"\\/", "\"/"},
	};
	struct reading reading = {0};
	char line[512];

	(void)state;
	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
		snprintf(line, sizeof line,
			BEGIN "\"event\":\"stale\",\"lock\":\"%s\",\"source\":\"%s\",\"host\":\"h"
			      "\",\"user\":\"%s\"}",
			texts[i].in, texts[i].in, texts[i].in);
		read_line(&reading, metric_read, line, strlen(line));
		assert_int_equal(reading.result, 1);
		assert_string_equal(reading.metric.lock, texts[i].out);
		assert_string_equal(reading.metric.source, texts[i].out);
		assert_string_equal(reading.metric.host, "h");
		assert_string_equal(reading.metric.user, texts[i].out);
	}
	release(&reading);
}

static void times_are_exact(void **state)
{
	static const struct {
		const char *ts, *wait_ms, *age_s;
		int64_t ts_us, wait, age_us;
	} cases[] = {
		{"0", "0", "0", 0, 0, 0},
		{"0.000001", "0.000001", "0.000001", 1, 1, 1},
		{"1763866361.123456", "12.345678", "612.5", 1763866361123456, 12345678, 612500000},
		{"1763866361.1234567", "0.0000006", "0.0000006", 1763866361123457, 1, 1},
		{"1763866361.1234561", "0.0000004", "0.0000004", 1763866361123456, 0, 0},
		{"4102444799.999999", "999999999.999999", "999999999.999999", 4102444799999999,
			999999999999999, 999999999999999},
		{"7258118399.999999", "86400000", "86400", 7258118399999999, 86400000000000,
			86400000000},
		{"7258118399.999999", "8640000000", "8640000000", 7258118399999999,
			8640000000000000, 8640000000000000},
		{"1e3", "1e3", "1e3", 1000000000, 1000000000, 1000000000},
		/* More than fits is the most that does. */
		{"1", "9223372036854.776", "9223372036.855", 1000000, INT64_MAX, INT64_MAX / 1000},
		{"1", "9223372036854775807", "9223372036854775807", 1000000, INT64_MAX,
			INT64_MAX / 1000},
		{"1", "1e300", "1e300", 1000000, INT64_MAX, INT64_MAX / 1000},
	};
	static read_fn *const ways[] = {metric_read, metric_read_by_jansson};
	struct reading reading = {0};
	char line[512];

	(void)state;
	for (size_t i = 0; i < 2 * sizeof cases / sizeof *cases; i++) {
		size_t c = i / 2;

		snprintf(line, sizeof line,
			"{\"ts\":%s,\"event\":\"busy\",\"lock\":\"a\",\"wait_ms\":%s,\"hold_ms\":%"
			"s,\"holder_age_s\":%s}",
			cases[c].ts, cases[c].wait_ms, cases[c].wait_ms, cases[c].age_s);
		read_line(&reading, ways[i % 2], line, strlen(line));
		assert_int_equal(reading.result, 1);
		assert_int_equal(reading.metric.ts, cases[c].ts_us * 1000);
		assert_int_equal(reading.metric.wait, cases[c].wait);
		assert_int_equal(reading.metric.hold, cases[c].wait);
		assert_int_equal(reading.metric.holder_age / 1000, cases[c].age_us);
	}
	release(&reading);
}

/* --- debug.log --- */

#define STAMP "[23-Nov-2026 03:07:33 UTC]"
#define DEBUG STAMP " AISTMA Lock Debug: "
#define THEN  "{\"v\":1,\"ts\":1795403253,"
#define USUAL ",\"lock\":\"aistma_generating_lock\",\"backend\":\"transient\""

static void the_plugins_debug_lines_are_understood(void **state)
{
	static const struct line_case cases[] = {
		/* What happened. */
		{DEBUG "{\"event\":\"acquired\"}", 1, THEN "\"event\":\"acquired\"" USUAL "}"},
		{DEBUG "{\"action\":\"acquire_lock\"}", 1, THEN "\"event\":\"acquired\"" USUAL "}"},
		{DEBUG "{\"event\":\"Lock Acquired\"}", 1, THEN "\"event\":\"acquired\"" USUAL "}"},
		{DEBUG "{\"event\":\"lock-released\"}", 1, THEN "\"event\":\"released\"" USUAL "}"},
		{DEBUG "{\"action\":\"unlock\"}", 1, THEN "\"event\":\"released\"" USUAL "}"},
		{DEBUG "{\"event\":\"failed\"}", 1, THEN "\"event\":\"busy\"" USUAL "}"},
		{DEBUG "{\"event\":\"timed out\"}", 1, THEN "\"event\":\"timeout\"" USUAL "}"},
		{DEBUG "{\"event\":\"slow_lock\"}", 1, THEN "\"event\":\"slow\"" USUAL "}"},
		{DEBUG "{\"event\":\"taken_over\"}", 1, THEN "\"event\":\"taken_over\"" USUAL "}"},
		{DEBUG "{\"active\":false,\"stale\":true}", 1,
			THEN "\"event\":\"stale\"" USUAL "}"},
		{DEBUG "{\"fallback\":\"no folder\"}", 1,
			THEN "\"event\":\"fallback\"" USUAL ",\"reason\":\"no folder\"}"},
		{DEBUG "{\"disagree\":\"the transient lets a second one in\"}", 0, NULL},
		/* The event is what counts, also where it is stale. */
		{DEBUG "{\"stale\":true,\"event\":\"released\"}", 1,
			THEN "\"event\":\"released\"" USUAL "}"},
		/* Which lock. */
		{DEBUG "{\"event\":\"busy\",\"lock_file\":\"/var/www/locks/"
		       "a.lock\",\"lock\":\"b\"}",
			1,
			THEN "\"event\":\"busy\",\"lock\":\"a.lock\",\"source\":\"file:/var/www/"
			     "locks\",\"backend\":\"file\"}"},
		{DEBUG "{\"event\":\"busy\",\"lock\":\"/a.lock\"}", 1,
			THEN "\"event\":\"busy\",\"lock\":\"a.lock\",\"source\":\"file:/\","
			     "\"backend\":\"file\"}"},
		{DEBUG "{\"event\":\"busy\",\"lock\":\"/a/\"}", 1,
			THEN "\"event\":\"busy\",\"lock\":\"/a/\",\"backend\":\"transient\"}"},
		{DEBUG "{\"event\":\"busy\",\"lock_name\":\"b\",\"lock\":7}", 1,
			THEN "\"event\":\"busy\",\"lock\":\"b\",\"backend\":\"transient\"}"},
		{DEBUG "{\"event\":\"busy\",\"lock\":\"/x\\u001b/a\\u001b\"}", 1,
			THEN
			"\"event\":\"busy\",\"lock\":\"a\\\\x1b\",\"source\":\"file:/x\\\\x1b\""
			",\"backend\":\"file\"}"},
		/* Who: the pid of the record is its holder's. */
		{DEBUG "{\"event\":\"acquired\",\"pid\":4711,\"server\":\"web1\"}", 1,
			THEN "\"event\":\"acquired\"" USUAL ",\"host\":\"web1\",\"pid\":4711}"},
		{DEBUG "{\"event\":\"busy\",\"pid\":\"4711\",\"host\":\"web1\",\"age\":\"12\"}", 1,
			THEN "\"event\":\"busy\"" USUAL
			     ",\"holder_pid\":4711,\"holder_host\":\"web1\",\"holder_age_s\":12}"},
		{DEBUG "{\"event\":\"acquired\",\"pid\":0}", 1,
			THEN "\"event\":\"acquired\"" USUAL "}"},
		{DEBUG "{\"event\":\"acquired\",\"pid\":\"x\",\"host\":null,\"age\":-5}", 1,
			THEN "\"event\":\"acquired\"" USUAL "}"},
		/* How long. */
		{DEBUG "{\"event\":\"acquired\",\"lock_time\":1.25}", 1,
			THEN "\"event\":\"acquired\"" USUAL ",\"wait_ms\":1250}"},
		{DEBUG "{\"event\":\"acquired\",\"lock_time\":1795403256}", 1,
			THEN "\"event\":\"acquired\"" USUAL "}"},
		{DEBUG "{\"event\":\"acquired\",\"wait_ms\":1.5,\"attempts\":3}", 1,
			THEN "\"event\":\"acquired\"" USUAL ",\"wait_ms\":1.5,\"attempts\":3}"},
		{DEBUG "{\"event\":\"released\",\"duration\":31,\"message\":\"done\"}", 1,
			THEN "\"event\":\"released\"" USUAL
			     ",\"hold_ms\":31000,\"reason\":\"done\"}"},
		{DEBUG "{\"event\":\"released\",\"held\":0.5}\r", 1,
			THEN "\"event\":\"released\"" USUAL ",\"hold_ms\":500}"},
		/* When: what stands in front is the time of the line, if it says which. */
		{DEBUG "{\"event\":\"busy\",\"time\":5}", 1, THEN "\"event\":\"busy\"" USUAL "}"},
		{"[23-Nov-2026 04:07:33 Europe/Berlin] AISTMA Lock Debug: "
		 "{\"event\":\"busy\",\"timestamp\":1795403253.5,\"created\":5}",
			1, "{\"v\":1,\"ts\":1795403253.5,\"event\":\"busy\"" USUAL "}"},
		{"[23-Nov-2026 04:07:33 Europe/Berlin] AISTMA Lock Debug: "
		 "{\"event\":\"busy\",\"time\":\"1795403253\"}",
			1, "{\"v\":1,\"ts\":1795403253,\"event\":\"busy\"" USUAL "}"},
		{"[23-Nov-2026 04:07:33 Europe/Berlin] AISTMA Lock Debug: {\"event\":\"busy\"}",
			-EINVAL, NULL},
		{"[23-Nov-2026 04:07:33 Europe/Berlin] AISTMA Lock Debug: "
		 "{\"event\":\"busy\",\"time\":\"yesterday\"}",
			-EINVAL, NULL},
		/* Nothing to count. */
		{DEBUG "{\"active\":true,\"stale\":false,\"age\":12}", 0, NULL},
		{DEBUG "{\"event\":\"checked\"}", 0, NULL},
		{DEBUG "{\"event\":\"lock_\"}", 0, NULL},
		{DEBUG "{\"event\":\"a_word_that_is_longer_than_any_of_them_all\"}", 0, NULL},
		{DEBUG "{}", 0, NULL},
		{DEBUG "false", 0, NULL},
		{DEBUG "[]", 0, NULL},
		{STAMP " PHP Notice:  AISTMA Lock Debug: {\"event\":\"busy\"}", 0, NULL},
		{STAMP " Cron reschedule event error", 0, NULL},
		{STAMP, 0, NULL},
		/* Not understood. */
		{DEBUG, -EINVAL, NULL},
		{DEBUG "{\"event\":\"bu", -EINVAL, NULL},
		{DEBUG "Array", -EINVAL, NULL},
		{"AISTMA Lock Debug: {\"event\":\"busy\",\"time\":5}", -EINVAL, NULL},
		{"[31-Feb-2026 03:07:33 UTC] x", -EINVAL, NULL},
		{"[00-Nov-2026 03:07:33 UTC] x", -EINVAL, NULL},
		{"[23-Nov-2026 24:07:33 UTC] x", -EINVAL, NULL},
		{"[23-Nov-1969 03:07:33 UTC] x", -EINVAL, NULL},
		{"[23-Nov-2026 03:07:33UTC] x", -EINVAL, NULL},
		{"[23-Nov-2026 03:07:33 UTC", -EINVAL, NULL},
		{"[23-Nov", -EINVAL, NULL},
	};

	(void)state;
	CHECK_CASES(cases);
}

static void what_follows_a_line_belongs_to_it(void **state)
{
	static const struct {
		const char *line;
		int result;
	} lines[] = {
		{"#3 {main}", -EINVAL}, /* of what log is not known yet */
		{STAMP " PHP Fatal error:  Uncaught Error in x.php:3", 0},
		{"Stack trace:", 0},
		{"#0 x.php(3): f()", 0},
		{"  thrown in x.php on line 3", 0},
		{"{not json", -EINVAL}, /* a line of ours all the same, and a torn one */
		{"#1 {main}", 0},
		{TYPICAL, 1},
		{"tail of a torn line\"}", -EINVAL},
		{DEBUG "false", 0},
		{"Array", 0},
		{BEGIN "\"event\":\"melted\"}", 0},
		{"Array", -EINVAL},
		{"", 0},
	};
	struct reading reading = {0};

	(void)state;
	for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
		read_line(&reading, metric_read, lines[i].line, strlen(lines[i].line));
		if (reading.result != lines[i].result)
			fail_msg("%d: %s", reading.result, lines[i].line);
	}
	assert_int_equal(reading.reader.ignored, 2);
	release(&reading);
}

/* --- when --- */

static void the_time_of_a_line_is_told_without_reading_it(void **state)
{
	static const struct {
		const char *line;
		int64_t us; /* -1: cannot be told */
	} cases[] = {
		{TYPICAL, 1763866361123000},
		{BEGIN "\"event\":\"torn", 1763866361123000},
		{"{\"ts\":0}", 0},
		{"{\"event\":\"x\",\"ts\":1763866361}", 1763866361000000},
		{"{\"ts\":1.0000004,", 1000000},
		{"{\"ts\":1.0000005,", 1000001},
		{"{\"ts\":1.9999999999,", 2000000},
		{"{\"ts\":7258118399.999999}", 7258118399999999},
		/* A text is no key. */
		{"{\"lock\":\"{\\\"ts\\\":5,\",\"ts\":7}", 7000000},
		{"{\"x\\\"ts\":5,\"ts\":7}", 7000000},
		{"{\"lock\":\"x,\\\"ts\\\":5\"}", -1},
		{STAMP " anything", 1795403253000000},
		{"[01-Jan-1970 00:00:00 UTC] x", 0},
		{"[29-Feb-2028 23:59:59 UTC] x", 1835481599000000},
		{"[23-Nov-2026 03:07:33 Europe/Berlin] x", -1},
		{"[23-Nov-2026 03:07:33 UTCX] x", -1},
		{"[23-Nou-2026 03:07:33 UTC] x", -1},
		{"", -1},
		{"{", -1},
		{"x", -1},
		{"{\"ts\":", -1},
		{"{\"ts\":1", -1}, /* may be the beginning of a longer one */
		{"{\"ts\":1.5", -1},
		{"{\"ts\":-1,", -1},
		{"{\"ts\":1e3,", -1},
		{"{\"ts\":\"1\",", -1},
		{"{\"ts\":7258118400}", -1},
		{"{\"ts\":99999999999999999999999999}", -1},
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		wall_t at = metric_read_time(cases[i].line, strlen(cases[i].line));
		wall_t want = cases[i].us < 0 ? WALL_UNKNOWN : cases[i].us * 1000;

		if (at != want)
			fail_msg("%lld: %s", (long long)at, cases[i].line);
	}
}

/* --- whatever is written is read --- */

static int below(int n)
{
	return rand() % n;
}

/* A text of its own memory, mostly short; hostile ones have bytes that are no text. */
static char *random_text(bool is_hostile)
{
	static const char *const pieces[] = {"\"", "\\", "\n", "\x1b[2J", "\xff", "\xed\xa0\x80",
		"\xf0\x9f\x94\x92", "\xe2\x82\xac", "\xc3\xa9", "\x7f", "lock", "\xf0\x9f", "\x01",
		"\xe2\x80\xae", "\xcc\x81", "{", "}", ",\"ts\":5,", "\\u0000"};
	size_t len = (size_t)below(is_hostile && below(20) == 0 ? 3000 : 24), n = 0;
	char *text;

	if (below(4) == 0)
		return NULL;
	text = malloc(len + 16);
	assert_non_null(text);
	while (n < len) {
		const char *piece = pieces[(size_t)rand() % (sizeof pieces / sizeof *pieces)];

		if (!is_hostile || below(3) == 0)
			text[n++] = "abcdefghijklmnopqrstuvwxyz0123456789-_./: {}[],"[below(46)];
		else if (below(3) == 0)
			text[n++] = (char)(1 + below(255));
		else
			while (*piece)
				text[n++] = *piece++;
	}
	text[n] = '\0';
	return text;
}

static int64_t random_number(int64_t most)
{
	int64_t number = ((int64_t)rand() << 32 ^ (int64_t)rand() << 16 ^ rand()) & INT64_MAX;

	switch (below(5)) {
	case 0: return -1;
	case 1: return below(3);
	case 2: return most;
	default: return number % most;
	}
}

enum { OWN_TEXTS = 9, DAY = 86400 };

/* Its texts are owned by the array. */
static struct metric random_metric(char *text[OWN_TEXTS], bool is_hostile)
{
	struct metric metric = metric_new((enum metric_event)below(METRIC_EVENT_COUNT), 0);

	for (size_t i = 0; i < OWN_TEXTS; i++)
		text[i] = random_text(is_hostile);
	metric.ts = random_number(INT64_C(7258118399) * NS_PER_S);
	metric.ts = metric.ts < 0 ? TS : metric.ts;
	metric.lock = text[0], metric.source = text[1], metric.backend = text[2];
	metric.host = text[3], metric.token = text[4], metric.reason = text[5];
	metric.holder = text[6], metric.holder_host = text[7], metric.user = text[8];
	metric.pid = (int32_t)random_number(INT32_MAX);
	metric.holder_pid = (int32_t)random_number(INT32_MAX);
	metric.exit_code = (int32_t)random_number(255);
	metric.wait = random_number(10 * DAY * NS_PER_S);
	metric.hold = random_number(is_hostile ? 99 * DAY * NS_PER_S : DAY * NS_PER_S);
	metric.attempts = random_number(is_hostile ? INT64_MAX : 1000000);
	metric.fence = random_number(is_hostile ? INT64_MAX : INT64_C(1000000000000));
	metric.holder_age = random_number(10000 * DAY * NS_PER_S);
	return metric;
}

static void free_texts(char *text[OWN_TEXTS])
{
	for (size_t i = 0; i < OWN_TEXTS; i++)
		free(text[i]);
}

/* A time of the metric as the line has it. */
static int64_t rounded(int64_t ns, int64_t to)
{
	return ns < 0 ? -1 : (ns + to / 2) / to * to;
}

static int64_t from(int64_t number, int64_t least)
{
	return number < least ? -1 : number;
}

static void same_numbers(const struct metric *in, const struct metric *out)
{
	assert_int_equal(out->event, in->event);
	assert_int_equal(out->ts, rounded(in->ts, NS_PER_MS));
	assert_int_equal(out->wait, rounded(in->wait, 1000));
	assert_int_equal(out->hold, rounded(in->hold, 1000));
	assert_int_equal(out->holder_age, rounded(in->holder_age, NS_PER_MS));
	assert_int_equal(out->pid, from(in->pid, 1));
	assert_int_equal(out->holder_pid, from(in->holder_pid, 1));
	assert_int_equal(out->exit_code, from(in->exit_code, 0));
	assert_int_equal(out->attempts, from(in->attempts, 0));
	assert_int_equal(out->fence, from(in->fence, 1));
}

/* What is clean is the same, but for a cut; of the rest the clean form of what the line has. */
static void same_text(const json_t *line, const char *key, const char *in, const char *out)
{
	const char *raw = json_string_value(json_object_get(line, key));
	char *clean;

	if (!in || !*in) {
		assert_null(out);
		return;
	}
	assert_non_null(raw);
	assert_non_null(out);
	assert_true(text_is_clean(out, strlen(out)));
	if (text_is_clean(in, strlen(in)) && strcmp(raw, in) == 0) {
		assert_string_equal(out, in);
		return;
	}
	if (text_is_clean(raw, strlen(raw))) {
		assert_string_equal(out, raw);
		return;
	}
	clean = text_clean_dup(raw, strlen(raw));
	assert_string_equal(out, clean);
	free(clean);
}

static void same_texts(const char *line, const struct metric *in, const struct metric *out)
{
	json_t *object = json_loads(line, 0, NULL);

	assert_non_null(object);
	same_text(object, "lock", in->lock, out->lock);
	same_text(object, "source", in->source, out->source);
	same_text(object, "backend", in->backend, out->backend);
	same_text(object, "host", in->host, out->host);
	same_text(object, "token", in->token, out->token);
	same_text(object, "reason", in->reason, out->reason);
	same_text(object, "holder", in->holder, out->holder);
	same_text(object, "holder_host", in->holder_host, out->holder_host);
	same_text(object, "user", in->user, out->user);
	json_decref(object);
}

/* How many of n were taken by the scanner, of those that are understood. */
static double round_trips(int n, bool is_hostile)
{
	struct reading reading = {0};
	uint64_t understood = 0;
	double share;

	for (int i = 0; i < n; i++) {
		char *text[OWN_TEXTS], line[METRIC_LINE];
		struct metric in = random_metric(text, is_hostile);
		int len = metric_line(&in, line, sizeof line);
		bool has_lock = in.lock && *in.lock;

		assert_in_range(len, 1, METRIC_LINE - 1);
		read_line(&reading, metric_read, line, (size_t)len - 1);
		if (has_lock || in.event == METRIC_ERROR || in.event == METRIC_FALLBACK) {
			assert_int_equal(reading.result, 1);
			same_numbers(&in, &reading.metric);
			same_texts(line, &in, &reading.metric);
			understood++;
		} else {
			assert_int_equal(reading.result, -EINVAL);
		}
		LLVMFuzzerTestOneInput((const uint8_t *)line, (size_t)len);
		free_texts(text);
	}
	share = (double)reading.reader.fast / (double)understood;
	release(&reading);
	return share;
}

static void what_was_written_is_read_back(void **state)
{
	double share;

	(void)state;
	srand(20261123);
	share = round_trips(10000, false);
	print_message("# the scanner took %.1f %% of plain lines\n", share * 100);
	assert_true(share > 0.9);
}

static void hostile_bytes_are_read_back(void **state)
{
	(void)state;
	srand(23112026);
	round_trips(10000, true);
}

/* --- both readers say the same --- */

/* A line in memory that may be pulled about. */
struct victim {
	char text[3 * METRIC_LINE];
	size_t len;
};

static void make_room(struct victim *victim, size_t at, size_t n)
{
	memmove(victim->text + at + n, victim->text + at, victim->len - at);
	victim->len += n;
}

static void mutate(struct victim *victim, const struct victim *other)
{
	static const char *const pieces[] = {"\"", "\\", ",", ":", "}", "{", "0", "-", ".", "e5",
		"null", "true", "\"ts\":", "\"pid\":", "\"lock\":\"x\",", "\"event\":\"stale\",",
		"\x80", "\x7f", "\x1f", " ", "[", "999999999999999999", "\"v\":2,", "\n",
		"\\u00e9"};
	size_t at = victim->len ? (size_t)rand() % victim->len : 0, n;
	const char *piece = pieces[(size_t)rand() % (sizeof pieces / sizeof *pieces)];

	switch (below(6)) {
	case 0: /* flip */
		if (victim->len)
			victim->text[at] ^= (char)(1 << below(8));
		break;
	case 1: /* another byte */
		if (victim->len)
			victim->text[at] = piece[0];
		break;
	case 2: /* insert */
		n = strlen(piece);
		make_room(victim, at, n);
		memcpy(victim->text + at, piece, n);
		break;
	case 3: /* delete */
		n = victim->len - at;
		n = n > 8 ? (size_t)below(8) : n;
		memmove(victim->text + at, victim->text + at + n, victim->len - at - n);
		victim->len -= n;
		break;
	case 4: /* splice: goes on as another, or in the midst of it */
		n = other->len ? (size_t)rand() % other->len : 0;
		memcpy(victim->text + at, other->text + n, other->len - n);
		victim->len = at + other->len - n;
		break;
	default: /* truncate */ victim->len = at; break;
	}
	if (victim->len > METRIC_LINE + 100)
		victim->len = METRIC_LINE + 100;
}

static void write_victim(struct victim *victim)
{
	char *text[OWN_TEXTS];
	struct metric metric = random_metric(text, below(3) == 0);

	if (!metric.lock || !*metric.lock)
		metric.lock = "a.lock";
	victim->len = (size_t)metric_line(&metric, victim->text, sizeof victim->text) - 1;
	free_texts(text);
}

static void both_readers_say_the_same_of_damaged_lines(void **state)
{
	struct victim victim, other;

	(void)state;
	srand(4711);
	write_victim(&other);
	for (int i = 0; i < 30000; i++) {
		write_victim(&victim);
		for (int n = 1 + below(4); n > 0; n--)
			mutate(&victim, &other);
		LLVMFuzzerTestOneInput((const uint8_t *)victim.text, victim.len);
		if (i % 16 == 0)
			write_victim(&other);
	}
}

/* Every length up to and beyond what the scanner takes, and every place of a byte in its words. */
static void both_readers_say_the_same_at_any_length(void **state)
{
	static char line[METRIC_LINE + 200];
	struct reading reading = {0};

	(void)state;
	for (size_t n = 0; n < METRIC_LINE + 100; n += n < 300 || n > 3900 ? 1 : 61) {
		int len = snprintf(line, sizeof line,
			"{\"ts\":5,\"event\":\"busy\",\"lock\":\"a\",\"reason\":\"%0*d\"}",
			(int)n + 1, 0);

		LLVMFuzzerTestOneInput((const uint8_t *)line, (size_t)len);
		read_line(&reading, metric_read, line, (size_t)len);
		assert_int_equal(reading.result, 1);
		assert_int_equal(strlen(reading.metric.reason), n + 1);
	}
	assert_true(reading.reader.fast > 300);
	release(&reading);
}

static void the_corpus_of_the_fuzzer_does_no_harm(void **state)
{
	const char *srcdir = getenv("srcdir");
	char pattern[1024];
	glob_t files;

	(void)state;
	snprintf(pattern, sizeof pattern, "%s/tests/fuzz/corpus/metric_read/*",
		srcdir ? srcdir : ".");
	assert_int_equal(glob(pattern, 0, NULL, &files), 0);
	assert_true(files.gl_pathc >= 10);
	for (size_t i = 0; i < files.gl_pathc; i++) {
		static uint8_t data[65536];
		FILE *file = fopen(files.gl_pathv[i], "rb");
		size_t n;

		assert_non_null(file);
		n = fread(data, 1, sizeof data, file);
		fclose(file);
		assert_int_equal(LLVMFuzzerTestOneInput(data, n), 0);
	}
	globfree(&files);
}

/* --- memory --- */

/*
 * No word has more than 15 bytes with its quotes: jansson does not look whether its buffer, which
 * has room for them from the start, could grow.
 */
static int try_read(void *data)
{
	const char *line = data;
	struct reading reading = {0};
	struct metric before = metric_new(METRIC_ERROR, 5);
	int result;

	reading.metric = before;
	memcpy(reading.line, line, strlen(line));
	result = metric_read(&reading.reader, reading.line, strlen(line), &reading.metric);
	if (allocations_failed()) {
		assert_null(metric_difference(&reading.metric, &before));
		failing.has_failed = true; /* which the caller asks, too */
	} else {
		assert_int_equal(result, 1);
	}
	release(&reading);
	return result == 1 ? 0 : result;
}

static void running_out_of_memory_is_said(void **state)
{
	static const char *const lines[] = {
		"{\"ts\":5,\"event\":\"stale\",\"lock\":\"a\\nb\",\"host\":\"\\u202e\",\"x\":{"
		"\"y\":[]}}",
		"{\"ts\":5.5,\"event\":\"busy\",\"lock\":\"a\\\\\",\"pid\":5,\"user\":"
		"\"\xc3\xa9\"}",
		DEBUG "{\"event\":\"busy\",\"lock\":\"/x/a\\u001b\",\"age\":1.5}",
	};

	(void)state;
	json_set_alloc_funcs(__wrap_malloc, free);
	for (size_t i = 0; i < sizeof lines / sizeof *lines; i++)
		assert_true(fail_every_allocation(try_read, (void *)(uintptr_t)lines[i]) > 5);
	json_set_alloc_funcs(malloc, free);
}

static void a_common_line_needs_no_memory(void **state)
{
	struct metric_reader reader = {0};
	struct metric metric;
	char line[] = TYPICAL;

	(void)state;
	fail_allocation(1, true);
	assert_int_equal(metric_read(&reader, line, sizeof line - 1, &metric), 1);
	assert_false(allocations_failed());
	assert_int_equal(reader.fast, 1);
	metric_reader_release(&reader);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_line_of_ours_is_understood),
		cmocka_unit_test(what_is_not_known_is_left_out),
		cmocka_unit_test(of_a_repeated_key_the_last_counts),
		cmocka_unit_test(other_versions_and_events_are_ignored),
		cmocka_unit_test(what_is_wrong_is_not_understood),
		cmocka_unit_test(a_nul_byte_is_not_understood),
		cmocka_unit_test(a_line_is_as_it_was_when_it_was_not_taken),
		cmocka_unit_test(texts_come_out_clean),
		cmocka_unit_test(times_are_exact),
		cmocka_unit_test(the_plugins_debug_lines_are_understood),
		cmocka_unit_test(what_follows_a_line_belongs_to_it),
		cmocka_unit_test(the_time_of_a_line_is_told_without_reading_it),
		cmocka_unit_test(what_was_written_is_read_back),
		cmocka_unit_test(hostile_bytes_are_read_back),
		cmocka_unit_test(both_readers_say_the_same_of_damaged_lines),
		cmocka_unit_test(both_readers_say_the_same_at_any_length),
		cmocka_unit_test(the_corpus_of_the_fuzzer_does_no_harm),
		cmocka_unit_test(running_out_of_memory_is_said),
		cmocka_unit_test(a_common_line_needs_no_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

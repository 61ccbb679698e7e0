/* Lines of logs become metrics, or are said not to be understood; the scanner says what jansson
 * says. */
#include "config.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/text.h"
#include "model/metric_read.h"

#define BEFORE "{\"v\":1,\"ts\":1763866361.123,\"event\":\"acquired\",\"lock\":\"a.lock\""

struct line {
	char text[8192];
	size_t len;
};

static struct line line_of(const char *text)
{
	struct line line;

	line.len = strlen(text);
	assert_true(line.len < sizeof line.text);
	memcpy(line.text, text, line.len + 1);
	return line;
}

static void a_line_of_ours_is_understood(void **state)
{
	struct line line = line_of("{\"v\":1,\"ts\":1763866361.123,\"event\":\"acquired\",\"lock\":"
				   "\"generation\",\"source\":\"file:/run/lock\",\"backend\":"
				   "\"file\",\"host\":\"web1\",\"pid\":4711,\"wait_ms\":12.3,"
				   "\"attempts\":1,\"token\":\"5f0c1a2b\",\"fence\":42}");
	struct metric_reader reader = {0};
	struct metric metric;

	(void)state;
	assert_int_equal(metric_read(&reader, line.text, line.len, &metric), 1);
	assert_int_equal(metric.event, METRIC_ACQUIRED);
	assert_int_equal(metric.ts, INT64_C(1763866361123) * NS_PER_MS);
	assert_string_equal(metric.lock, "generation");
	assert_string_equal(metric.source, "file:/run/lock");
	assert_string_equal(metric.backend, "file");
	assert_string_equal(metric.host, "web1");
	assert_int_equal(metric.pid, 4711);
	assert_int_equal(metric.wait, 12300000);
	assert_int_equal(metric.hold, -1);
	assert_int_equal(metric.attempts, 1);
	assert_string_equal(metric.token, "5f0c1a2b");
	assert_int_equal(metric.fence, 42);
	assert_null(metric.reason);
	metric_reader_release(&reader);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_line_of_ours_is_understood),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

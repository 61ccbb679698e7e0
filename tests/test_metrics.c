/* What the log says, counted. */
#include "config.h"
#include "model/metrics.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "base/clock.h"
#include "failing_alloc.h"

#define S(n)  ((int64_t)(n)*NS_PER_S)
#define MS(n) ((int64_t)(n)*NS_PER_MS)
#define NOW_S 1760000400 /* a full hour, and 40 min: 1760000400 = 3600 * 488889 */
#define NOW   S(NOW_S)

static struct metric line_of(enum metric_event event, wall_t ts, const char *lock)
{
	struct metric metric = metric_new(event, ts);

	metric.source = "file:/run/lock";
	metric.lock = lock;
	metric.backend = "file";
	metric.host = "web1";
	return metric;
}

static void add(struct metrics *metrics, const struct metric *metric)
{
	assert_int_equal(metrics_add(metrics, metric), 0);
}

static void a_line_is_in_each_window(void **state)
{
	struct metrics metrics;
	struct metric metric = line_of(METRIC_ACQUIRED, NOW, "x.lock");
	struct series_set set = {.n = 1};

	(void)state;
	assert_int_equal(metrics_init(&metrics, METRICS_SERIES, 0, 0), 0);
	metric.wait = MS(81) / 10;
	add(&metrics, &metric);
	set.at[0] = metrics_find(&metrics, "/run/lock/x.lock");
	assert_non_null(set.at[0]);
	for (int window = 0; window < WINDOW_COUNT; window++) {
		struct tally tally = {0};
		struct point point[200];
		char *text;
		json_t *json;

		assert_int_equal(series_window(&set, window, NOW, &tally), 0);
		assert_int_equal(tally.count[METRIC_ACQUIRED], 1);
		assert_int_equal(histogram_quantile(&tally.wait, 0.5), MS(81) / 10);
		assert_int_equal(series_points(&set, window, NOW, point, 200), 0);
		assert_int_equal(point[199].acquired, 1);
		json = tally_to_json(&tally);
		text = json_dumps(json, JSON_COMPACT | METRICS_JSON_DIGITS);
		puts(text);
		free(text);
		json_decref(json);
		tally_release(&tally);
	}
	metrics_release(&metrics);
	assert_int_equal(metrics.bytes, 0);
}

static int try_to_count(void *data)
{
	struct metrics metrics;
	int result = metrics_init(&metrics, METRICS_SERIES, 2, 0);

	(void)data;
	for (int i = 0; i < 100 && result == 0; i++) {
		char lock[16];
		struct metric metric = line_of(METRIC_ACQUIRED, NOW + S(i % 7 * 10), lock);
		uint64_t lines = metrics.lines;

		snprintf(lock, sizeof lock, "%d.lock", i % 3);
		metric.wait = MS(i);
		result = metrics_add(&metrics, &metric);
		assert_int_equal(metrics.lines, lines + (result == 0));
	}
	allocations_failed();
	metrics_release(&metrics);
	assert_int_equal(metrics.bytes, 0);
	return result;
}

static void an_allocation_that_fails_counts_nothing(void **state)
{
	(void)state;
	assert_true(fail_every_allocation(try_to_count, NULL) > 10);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_line_is_in_each_window),
		cmocka_unit_test(an_allocation_that_fails_counts_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

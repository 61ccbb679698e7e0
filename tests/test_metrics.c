/* What the log says, counted: against the lines themselves, counted anew for each question. */
#include "config.h"
#include "model/metrics.h"

#include <errno.h>
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "base/clock.h"
#include "model/model.h"
#define FAILING_ALLOC_COUNTS
#include "failing_alloc.h"

enum { NOW_S = 1760000400 /* a full hour */, NAME = 40 };

#define S(n)  ((int64_t)(n)*NS_PER_S)
#define MS(n) ((int64_t)(n)*NS_PER_MS)
#define NOW   S(NOW_S)
#define HOUR  3600
#define DAY   86400

static const int64_t tier_seconds[TIER_COUNT] = {1, 60, 3600};

static uint64_t seed = 1;

static uint64_t random_number(uint64_t below)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return seed % below;
}

static struct metric line_of(enum metric_event event, wall_t ts, const char *lock)
{
	struct metric metric = metric_new(event, ts);

	metric.source = "file:/run/lock";
	metric.lock = lock;
	metric.backend = "file";
	metric.host = "web1";
	return metric;
}

static struct metric acquired(wall_t ts, const char *lock, int64_t wait)
{
	struct metric metric = line_of(METRIC_ACQUIRED, ts, lock);

	metric.wait = wait;
	return metric;
}

static void add(struct metrics *metrics, struct metric metric)
{
	assert_int_equal(metrics_add(metrics, &metric), 0);
}

static void begin(struct metrics *metrics, enum metrics_mode mode)
{
	assert_int_equal(metrics_init(metrics, mode, 0, 0), 0);
}

static struct series_set set_of(const struct series *series)
{
	struct series_set set = {.n = 1};

	assert_non_null(series);
	set.at[0] = series;
	return set;
}

static struct series_set set_of_lock(const struct metrics *metrics, const char *lock)
{
	char address[256];

	metrics_address(address, sizeof address, "file:/run/lock", lock);
	return set_of(metrics_find(metrics, address));
}

/* How many acquisitions a window has. */
static uint64_t acquisitions(const struct series_set *set, enum window window, wall_t at)
{
	struct tally tally = {0};
	uint64_t n;

	assert_int_equal(series_window(set, window, at, &tally), 0);
	n = tally.count[METRIC_ACQUIRED];
	assert_int_equal(tally.wait.count, n);
	tally_release(&tally);
	return n;
}

/* --- the lines themselves ------------------------------------------------------------ */

enum { LOCKS = 5 };

static const char *const names[LOCKS] = {"a.lock", "b.lock", "c.lock", "", "d.lock"};

static struct metric random_line(wall_t from, wall_t to)
{
	enum metric_event event = (enum metric_event)random_number(METRIC_EVENT_COUNT);
	struct metric metric = line_of(event, from + (int64_t)random_number((uint64_t)(to - from)),
		names[random_number(LOCKS)]);

	if (random_number(10)) {
		metric.wait = (int64_t)random_number(UINT64_C(1) << random_number(40));
		metric.hold = (int64_t)random_number(UINT64_C(1) << random_number(45));
	}
	if (random_number(2))
		metric.holder = random_number(2) ? "php" : "rsync";
	return metric;
}

static int64_t slot_of(wall_t at, int64_t seconds)
{
	return at / S(seconds);
}

/* lock NULL: of all. */
static bool counts(const struct metric *metric, const char *lock, wall_t from, wall_t to)
{
	return metric->ts >= from && metric->ts < to && (!lock || strcmp(metric->lock, lock) == 0);
}

static int by_size(const void *a, const void *b)
{
	int64_t left = *(const int64_t *)a, right = *(const int64_t *)b;

	return (left > right) - (left < right);
}

static int64_t to_us(int64_t ns)
{
	return (ns + 500) / 1000;
}

static void assert_values(const struct percentiles *said, int64_t *us, size_t n)
{
	const int percent[] = {50, 95, 99};
	const int64_t value[] = {said->p50, said->p95, said->p99};
	int64_t sum = 0;

	assert_int_equal(said->n, n);
	if (!n) {
		assert_int_equal(said->p50, -1);
		assert_int_equal(said->max, -1);
		return;
	}
	qsort(us, n, sizeof *us, by_size);
	for (size_t i = 0; i < n; i++)
		sum += us[i];
	assert_int_equal(said->max, us[n - 1] * 1000);
	assert_int_equal(said->sum, sum * 1000);
	for (int i = 0; i < 3; i++) {
		int64_t truth = us[((size_t)percent[i] * n + 99) / 100 - 1] * 1000;

		assert_in_range(value[i], truth, truth + truth / 100);
	}
}

/* What a lock went through in a span of time, from the lines. */
struct truth {
	uint32_t count[METRIC_EVENT_COUNT], slow;
	int64_t *wait, *hold; /* owned; us */
	size_t waits, holds;
};

static struct truth count_lines(
	const struct metric *line, size_t n, const char *lock, wall_t from, wall_t to)
{
	struct truth truth = {.wait = test_calloc(n + 1, sizeof(int64_t)),
		.hold = test_calloc(n + 1, sizeof(int64_t))};

	for (size_t i = 0; i < n; i++) {
		const struct metric *metric = &line[i];
		bool is_try = metric->event == METRIC_ACQUIRED || metric->event == METRIC_TIMEOUT;
		bool is_end = metric->event == METRIC_RELEASED || metric->event == METRIC_LOST;

		if (!counts(metric, lock, from, to))
			continue;
		truth.count[metric->event]++;
		truth.slow += is_try && metric->wait > NS_PER_S;
		if (metric->event == METRIC_ACQUIRED && metric->wait >= 0)
			truth.wait[truth.waits++] = to_us(metric->wait);
		if (is_end && metric->hold >= 0)
			truth.hold[truth.holds++] = to_us(metric->hold);
	}
	return truth;
}

static void forget_truth(struct truth *truth)
{
	test_free(truth->wait);
	test_free(truth->hold);
}

static void assert_tally(const struct tally *tally, struct truth truth)
{
	struct percentiles wait = histogram_percentiles(&tally->wait),
			   hold = histogram_percentiles(&tally->hold);

	assert_memory_equal(tally->count, truth.count, sizeof truth.count);
	assert_int_equal(tally->slow, truth.slow);
	assert_values(&wait, truth.wait, truth.waits);
	assert_values(&hold, truth.hold, truth.holds);
	forget_truth(&truth);
}

static void assert_point(const struct point *point, struct truth truth)
{
	unsigned int marks = (truth.count[METRIC_RELEASED_STALE] ? MARK_RELEASED : 0u) |
			     (truth.count[METRIC_FORCED] ? MARK_FORCED : 0u) |
			     (truth.count[METRIC_SIGNALLED] ? MARK_FORCED : 0u) |
			     (truth.count[METRIC_TAKEN_OVER] ? MARK_TAKEN_OVER : 0u) |
			     (truth.count[METRIC_LOST] ? MARK_LOST : 0u);

	assert_int_equal(point->acquired, truth.count[METRIC_ACQUIRED]);
	assert_int_equal(point->failed, truth.count[METRIC_BUSY] + truth.count[METRIC_TIMEOUT]);
	assert_int_equal(point->stale, truth.count[METRIC_STALE]);
	assert_int_equal(point->slow, truth.slow);
	assert_int_equal(point->marks, marks);
	assert_values(&point->wait, truth.wait, truth.waits);
	assert_values(&point->hold, truth.hold, truth.holds);
	forget_truth(&truth);
}

/* The window that ends with the slot of at. */
static wall_t window_end(enum window window, wall_t at)
{
	int64_t seconds = tier_seconds[window_info[window].tier];

	return S((slot_of(at, seconds) + 1) * seconds);
}

static void assert_window(const struct series_set *set, enum window window, wall_t at,
	const struct metric *line, size_t n, const char *lock)
{
	wall_t to = window_end(window, at), from = to - window_info[window].length;
	struct tally tally = {0};

	assert_int_equal(series_window(set, window, at, &tally), 0);
	assert_tally(&tally, count_lines(line, n, lock, from, to));
	tally_release(&tally);
}

/* The slots that begin in a column, or, if they are longer, the one in which it begins. */
static void assert_points(const struct series_set *set, enum window window, wall_t at,
	const struct metric *line, size_t n, const char *lock, size_t columns)
{
	wall_t to = window_end(window, at), from = to - window_info[window].length;
	int64_t seconds = tier_seconds[window_info[window].tier];
	int64_t slots = window_info[window].length / S(seconds);
	struct point *point = test_calloc(columns, sizeof *point);

	assert_int_equal(series_points(set, window, at, point, columns), 0);
	assert_int_equal(point[0].from, from);
	assert_int_equal(point[columns - 1].to, to);
	for (size_t i = 0; i < columns; i++) {
		int64_t length = point[i].to - point[i].from, first, end;

		assert_in_range(length, window_info[window].length / (int64_t)columns,
			window_info[window].length / (int64_t)columns + 1);
		if (i)
			assert_int_equal(point[i].from, point[i - 1].to);
		if ((int64_t)columns > slots) {
			first = slot_of(point[i].from, seconds);
			/* It began at a border, which was rounded down. */
			if (S((first + 1) * seconds) - point[i].from < 1)
				first++;
			end = first + 1;
		} else {
			first = (point[i].from + S(seconds) - 1) / S(seconds);
			end = (point[i].to + S(seconds) - 1) / S(seconds);
		}
		assert_point(&point[i],
			count_lines(line, n, lock, S(first * seconds), S(end * seconds)));
	}
	test_free(point);
}

/* Every lock, every window, at a few moments of which all is known. */
static void assert_is_true(const struct metrics *metrics, const struct metric *line, size_t n)
{
	for (enum window window = 0; window < WINDOW_COUNT; window++) {
		/* Two windows are kept: that long ago it was known as well as now. */
		wall_t moment[] = {NOW, NOW - window_info[window].length / 3,
			NOW - window_info[window].length + S(HOUR)};

		if (moment[2] > NOW)
			moment[2] = NOW - window_info[window].length + S(1);
		for (int k = 0; k < 3; k++) {
			struct series_set all = set_of(&metrics->all);

			assert_int_equal(series_known_from(metrics, window, moment[k]), 0);
			assert_window(&all, window, moment[k], line, n, NULL);
			assert_points(&all, window, moment[k], line, n, NULL, 200);
			for (int i = 0; i < LOCKS; i++) {
				struct series_set one;

				if (!*names[i])
					continue;
				one = set_of_lock(metrics, names[i]);
				assert_window(&one, window, moment[k], line, n, names[i]);
				assert_points(&one, window, moment[k], line, n, names[i], 40);
			}
		}
	}
}

enum { LINES = 3000 };

/* Dense in the last half hour, less so before; the same shape as a log that is read. */
static void random_lines(struct metric *line)
{
	for (size_t i = 0; i < LINES; i++) {
		int64_t back = i % 4 == 0   ? 14 * DAY
			       : i % 4 == 1 ? 2 * DAY
			       : i % 4 == 2 ? HOUR
					    : 1800;

		line[i] = random_line(NOW - S(back), NOW + S(1));
	}
}

static void shuffle(struct metric *line, size_t n)
{
	for (size_t i = n - 1; i > 0; i--) {
		size_t k = random_number(i + 1);
		struct metric moved = line[i];

		line[i] = line[k];
		line[k] = moved;
	}
}

static int by_time(const void *a, const void *b)
{
	const struct metric *left = a, *right = b;

	return (left->ts > right->ts) - (left->ts < right->ts);
}

static void windows_and_columns_say_what_the_lines_do(void **state)
{
	static struct metric line[LINES];

	(void)state;
	for (int turn = 0; turn < 4; turn++) {
		struct metrics metrics;

		random_lines(line);
		if (turn % 2 == 0)
			qsort(line, LINES, sizeof *line, by_time);
		else
			shuffle(line, LINES);
		begin(&metrics, METRICS_SERIES);
		for (size_t i = 0; i < LINES; i++)
			add(&metrics, line[i]);
		assert_int_equal(metrics.lines, LINES);
		assert_is_true(&metrics, line, LINES);
		metrics_release(&metrics);
	}
}

static void totals_say_what_the_lines_do_in_any_order(void **state)
{
	static struct metric line[LINES];

	(void)state;
	random_lines(line);
	for (int turn = 0; turn < 2; turn++) {
		struct metrics metrics;
		struct tally sum = {0};
		struct series_set set;

		begin(&metrics, METRICS_TOTALS);
		for (size_t i = 0; i < LINES; i++)
			add(&metrics, line[i]);
		for (int i = 0; i < LOCKS; i++) {
			if (!*names[i])
				continue;
			set = set_of_lock(&metrics, names[i]);
			assert_tally(&set.at[0]->total,
				count_lines(line, LINES, names[i], INT64_MIN, INT64_MAX));
		}
		set = set_of(&metrics.all);
		assert_int_equal(series_tally(&set, 0, 0, 0, &sum), 0);
		assert_tally(&sum, count_lines(line, LINES, NULL, INT64_MIN, INT64_MAX));
		tally_release(&sum);
		metrics_release(&metrics);
		shuffle(line, LINES);
	}
}

/* --- tallies -------------------------------------------------------------------------- */

static void each_event_is_counted_with_its_time(void **state)
{
	(void)state;
	for (enum metric_event event = 0; event < METRIC_EVENT_COUNT; event++) {
		bool is_end = event == METRIC_RELEASED || event == METRIC_LOST;
		bool is_try =
			event == METRIC_ACQUIRED || event == METRIC_BUSY || event == METRIC_TIMEOUT;
		struct metric metric = line_of(event, NOW, "a");
		struct tally tally = {0};

		assert_true(tally_is_empty(&tally));
		metric.wait = S(1) + 1;
		metric.hold = S(20);
		assert_int_equal(tally_add(&tally, &metric), 0);
		assert_false(tally_is_empty(&tally));
		assert_int_equal(tally.count[event], 1);
		assert_int_equal(tally.wait.count, event == METRIC_ACQUIRED);
		assert_int_equal(tally.hold.count, is_end);
		assert_int_equal(tally.slow, event == METRIC_ACQUIRED || event == METRIC_TIMEOUT);
		assert_int_equal(tally_attempts(&tally), is_try);
		assert_int_equal(tally_failed(&tally), is_try && event != METRIC_ACQUIRED);

		metric.wait = S(1); /* not over it */
		metric.hold = -1;
		assert_int_equal(tally_add(&tally, &metric), 0);
		metric.wait = -1;
		assert_int_equal(tally_add(&tally, &metric), 0);
		assert_int_equal(tally.count[event], 3);
		assert_int_equal(tally.wait.count, event == METRIC_ACQUIRED ? 2 : 0);
		assert_int_equal(tally.hold.count, is_end);
		assert_int_equal(tally.slow, event == METRIC_ACQUIRED || event == METRIC_TIMEOUT);
		tally_clear(&tally);
		assert_true(tally_is_empty(&tally));
		assert_int_equal(tally.wait.count + tally.hold.count + tally.slow, 0);
		tally_release(&tally);
	}
}

static void counts_stay_at_the_most(void **state)
{
	struct tally tally = {.slow = UINT32_MAX}, more = {.slow = 7};
	struct metric metric = acquired(NOW, "a", S(2));

	(void)state;
	tally.count[METRIC_ACQUIRED] = UINT32_MAX;
	more.count[METRIC_ACQUIRED] = 3;
	assert_int_equal(tally_add(&tally, &metric), 0);
	assert_int_equal(tally_merge(&tally, &more), 0);
	assert_int_equal(tally.count[METRIC_ACQUIRED], UINT32_MAX);
	assert_int_equal(tally.slow, UINT32_MAX);
	assert_int_equal(tally_attempts(&tally), UINT32_MAX);
	tally.count[METRIC_BUSY] = tally.count[METRIC_TIMEOUT] = UINT32_MAX;
	assert_int_equal(tally_attempts(&tally), UINT64_C(3) * UINT32_MAX);
	assert_int_equal(tally_failed(&tally), UINT64_C(2) * UINT32_MAX);
	tally_release(&tally);
}

/* --- windows and columns ---------------------------------------------------------------- */

static void a_window_begins_and_ends_with_a_slot(void **state)
{
	(void)state;
	for (enum window window = 0; window < WINDOW_COUNT; window++) {
		int64_t seconds = tier_seconds[window_info[window].tier];
		/* In the middle of a slot, at its first ns, and at its last. */
		wall_t begins = S(slot_of(NOW, seconds) * seconds);
		wall_t at[] = {begins + S(seconds) / 2, begins, begins + S(seconds) - 1};
		wall_t to = begins + S(seconds), from = to - window_info[window].length;
		struct {
			wall_t ts;
			bool is_in;
		} table[] = {{from - 1, false}, {from, true}, {from + 1, true}, {to - 1, true},
			{to, false}};

		for (size_t k = 0; k < sizeof table / sizeof *table; k++) {
			struct metrics metrics;
			struct series_set set;

			begin(&metrics, METRICS_SERIES);
			add(&metrics, acquired(table[k].ts, "a", 0));
			set = set_of_lock(&metrics, "a");
			for (int i = 0; i < 3; i++)
				assert_int_equal(acquisitions(&set, window, at[i]), table[k].is_in);
			metrics_release(&metrics);
		}
	}
}

static void times_before_1970_are_times(void **state)
{
	struct metrics metrics;
	struct series_set set;

	(void)state;
	begin(&metrics, METRICS_SERIES);
	add(&metrics, acquired(-1, "a", 0));
	add(&metrics, acquired(0, "a", 0));
	add(&metrics, acquired(-S(3600), "a", 0));
	set = set_of_lock(&metrics, "a");
	for (enum tier tier = 0; tier < TIER_COUNT; tier++) {
		struct tally tally = {0};

		assert_int_equal(series_tally(&set, tier, -S(3600), 0, &tally), 0);
		assert_int_equal(tally.count[METRIC_ACQUIRED], 2);
		tally_release(&tally);
	}
	assert_int_equal(acquisitions(&set, WINDOW_15M, -1), 1);
	assert_int_equal(acquisitions(&set, WINDOW_15M, 0), 2);
	assert_int_equal(acquisitions(&set, WINDOW_7D, -1), 2);
	metrics_release(&metrics);
}

static void neighbours_in_time_share_no_slot(void **state)
{
	const int64_t step[] = {S(1), S(90), 1234567891, S(5000)};
	struct metrics metrics;
	struct series_set set;

	(void)state;
	begin(&metrics, METRICS_SERIES);
	for (int i = 0; i < 600; i++)
		add(&metrics, acquired(NOW - S(i * 2) + i * 1000003, "a", MS(i)));
	set = set_of_lock(&metrics, "a");
	for (enum tier tier = 0; tier < TIER_COUNT; tier++) {
		for (size_t k = 0; k < sizeof step / sizeof *step; k++) {
			struct tally sum = {0}, one = {0};

			for (wall_t from = NOW - S(3 * HOUR); from < NOW + S(3 * HOUR);
				from += step[k])
				assert_int_equal(
					series_tally(&set, tier, from, from + step[k], &sum), 0);
			assert_int_equal(sum.count[METRIC_ACQUIRED], 600);
			/* Empty spans, and ones that lie inside a slot. */
			assert_int_equal(series_tally(&set, tier, NOW, NOW, &one), 0);
			assert_int_equal(series_tally(&set, tier, NOW + 1, NOW + 2, &one), 0);
			assert_true(tally_is_empty(&one));
			tally_release(&sum);
		}
	}
	metrics_release(&metrics);
}

static void columns_count_each_slot_once_or_repeat_it(void **state)
{
	const size_t columns[] = {
		1, 2, 7, 59, 60, 61, 167, 168, 169, 200, 899, 900, 1439, 1440, 3000};
	struct metric line[400];
	struct metrics metrics;
	struct series_set set;

	(void)state;
	begin(&metrics, METRICS_SERIES);
	for (int i = 0; i < 400; i++) {
		int64_t back = i % 2 ? 900 : i % 4 ? DAY : 7 * DAY;

		line[i] = acquired(NOW - (int64_t)random_number((uint64_t)S(back)), "a", MS(i));
		add(&metrics, line[i]);
	}
	set = set_of_lock(&metrics, "a");
	for (enum window window = 0; window < WINDOW_COUNT; window++)
		for (size_t k = 0; k < sizeof columns / sizeof *columns; k++)
			assert_points(&set, window, NOW, line, 400, "a", columns[k]);
	assert_int_equal(series_points(&set, WINDOW_15M, NOW, NULL, 0), 0);
	metrics_release(&metrics);
}

static void several_series_are_added_up(void **state)
{
	struct metrics metrics, other;
	struct series_set set;
	struct point point[15];
	struct tally tally = {0};

	(void)state;
	begin(&metrics, METRICS_SERIES);
	begin(&other, METRICS_SERIES);
	add(&metrics, acquired(NOW, "a", MS(1)));
	add(&metrics, acquired(NOW, "b", MS(2)));
	add(&other, acquired(NOW, "a", MS(3)));
	set = set_of_lock(&metrics, "a");
	set.at[set.n++] = metrics_find(&metrics, "/run/lock/b");
	set.at[set.n++] = metrics_find(&other, "/run/lock/a");
	assert_int_equal(acquisitions(&set, WINDOW_1H, NOW), 3);
	assert_int_equal(series_points(&set, WINDOW_15M, NOW, point, 15), 0);
	assert_int_equal(point[14].acquired, 3);
	assert_int_equal(point[14].wait.p50, MS(2));
	assert_int_equal(point[14].wait.max, MS(3));
	assert_int_equal(point[13].wait.n, 0);
	assert_int_equal(point[13].wait.p50, -1);
	assert_int_equal(series_tally(&set, TIER_MINUTE, 0, 0, &tally), 0);
	assert_int_equal(tally.count[METRIC_ACQUIRED], 3);
	tally_release(&tally);
	set.n = 0;
	assert_int_equal(acquisitions(&set, WINDOW_1H, NOW), 0);
	metrics_release(&metrics);
	metrics_release(&other);
}

/* --- late, early, full -------------------------------------------------------------------- */

static void a_late_line_is_in_the_tiers_that_still_have_its_time(void **state)
{
	struct metrics metrics;
	struct series_set set;

	(void)state;
	begin(&metrics, METRICS_SERIES);
	add(&metrics, acquired(NOW, "a", 0));
	add(&metrics, acquired(NOW - S(1700), "a", 0));
	add(&metrics, acquired(NOW - S(3 * HOUR), "a", 0));
	add(&metrics, acquired(NOW - S(3 * DAY), "a", 0));
	add(&metrics, acquired(NOW - S(20 * DAY), "a", 0));
	set = set_of_lock(&metrics, "a");
	assert_int_equal(acquisitions(&set, WINDOW_15M, NOW), 1);
	assert_int_equal(acquisitions(&set, WINDOW_15M, NOW - S(1700)), 1);
	assert_int_equal(acquisitions(&set, WINDOW_15M, NOW - S(3 * HOUR)), 0);
	assert_int_equal(acquisitions(&set, WINDOW_1H, NOW), 2);
	assert_int_equal(acquisitions(&set, WINDOW_24H, NOW), 3);
	assert_int_equal(acquisitions(&set, WINDOW_24H, NOW - S(3 * DAY)), 0);
	assert_int_equal(acquisitions(&set, WINDOW_7D, NOW), 4);
	assert_int_equal(acquisitions(&set, WINDOW_7D, NOW - S(20 * DAY)), 0);
	assert_int_equal(metrics.lines, 5);
	/* And it says so. */
	assert_true(series_known_from(&metrics, WINDOW_15M, NOW - S(3 * HOUR)) > NOW - S(3 * HOUR));
	assert_true(series_known_from(&metrics, WINDOW_24H, NOW - S(3 * DAY)) > NOW - S(3 * DAY));
	assert_true(series_known_from(&metrics, WINDOW_7D, NOW - S(20 * DAY)) > NOW - S(20 * DAY));
	assert_int_equal(series_known_from(&metrics, WINDOW_7D, NOW - S(7 * DAY)), 0);
	metrics_release(&metrics);
}

static void lines_an_hour_ahead_cost_nothing_that_is_there(void **state)
{
	struct metrics metrics;
	struct series_set set;

	(void)state;
	begin(&metrics, METRICS_SERIES);
	for (int i = 0; i < 1800; i++) {
		add(&metrics, acquired(NOW - S(1799 - i), "a", 0));
		if (i % 100 == 0)
			add(&metrics, acquired(NOW - S(1799 - i - HOUR), "b", 0));
	}
	set = set_of_lock(&metrics, "a");
	assert_int_equal(acquisitions(&set, WINDOW_15M, NOW), 900);
	assert_int_equal(acquisitions(&set, WINDOW_15M, NOW - S(899)), 900);
	assert_int_equal(series_known_from(&metrics, WINDOW_15M, NOW - S(899)), 0);
	set = set_of_lock(&metrics, "b");
	assert_int_equal(acquisitions(&set, WINDOW_15M, NOW), 0);
	assert_int_equal(acquisitions(&set, WINDOW_15M, NOW + S(HOUR)), 9);
	metrics_release(&metrics);
}

/* What was let go for the sake of room is said, and nothing else is missing. */
static void assert_complete_where_known(
	const struct metrics *metrics, enum tier tier, wall_t known, wall_t now, int64_t every)
{
	struct series_set set = set_of(&metrics->all);
	wall_t from = known > set.at[0]->first ? known : set.at[0]->first;
	struct tally tally = {0};
	uint32_t expected = 0;

	for (wall_t ts = now; ts >= from; ts -= every)
		expected++;
	assert_true(expected > 0);
	assert_int_equal(series_tally(&set, tier, from, now + 1, &tally), 0);
	assert_int_equal(tally.count[METRIC_ACQUIRED], expected);
	tally_release(&tally);
}

static void a_full_row_of_slots_keeps_the_newest(void **state)
{
	struct metrics metrics;
	struct series_set set;
	wall_t known;

	(void)state;
	begin(&metrics, METRICS_SERIES);
	for (int i = 8 * HOUR; i >= 0; i--) {
		add(&metrics, acquired(NOW - S(i), "a", MS(i % 7)));
		if (i % 1111)
			continue;
		set = set_of_lock(&metrics, "a");
		assert_int_equal(acquisitions(&set, WINDOW_15M, NOW - S(i)),
			i > 8 * HOUR - 900 ? 8 * HOUR - i + 1 : 900);
		/* Of two windows everything is there. */
		assert_int_equal(series_known_from(&metrics, WINDOW_15M, NOW - S(i + 899)), 0);
		known = series_known_from(&metrics, WINDOW_15M, NOW - S(i + 8 * HOUR));
		if (known)
			assert_complete_where_known(&metrics, TIER_SECOND, known, NOW - S(i), S(1));
	}
	assert_true(metrics.all.slots[TIER_SECOND].n <= 1800 * 5 / 4);
	assert_true(series_known_from(&metrics, WINDOW_15M, NOW - S(4 * HOUR)) > NOW - S(HOUR));
	metrics_release(&metrics);
}

/* A fourth more are kept until they all go: a late line may come between two of those. */
static void a_late_line_does_not_fit_into_a_full_row(void **state)
{
	const int full = 1800 + 1800 / 4;
	struct metrics metrics;
	struct series_set set;
	struct tally tally = {0};

	(void)state;
	begin(&metrics, METRICS_SERIES);
	for (int i = 0; i <= full; i++)
		if (i != 3)
			add(&metrics, acquired(NOW + S(i), "a", 0));
	set = set_of_lock(&metrics, "a");
	assert_int_equal(set.at[0]->slots[TIER_SECOND].n, full);
	add(&metrics, acquired(NOW + S(3), "a", 0));
	assert_int_equal(series_tally(&set, TIER_SECOND, NOW, NOW + S(full + 1), &tally), 0);
	assert_int_equal(tally.count[METRIC_ACQUIRED], 1800);
	tally_clear(&tally);
	assert_int_equal(series_tally(&set, TIER_MINUTE, NOW, NOW + S(full + 1), &tally), 0);
	assert_int_equal(tally.count[METRIC_ACQUIRED], full + 1);
	tally_release(&tally);
	assert_int_equal(series_known_from(&metrics, WINDOW_15M, NOW + S(full)), 0);
	assert_int_equal(
		series_known_from(&metrics, WINDOW_15M, NOW + S(600)), NOW + S(full - 1799));
	metrics_release(&metrics);
}

/* --- memory ------------------------------------------------------------------------------ */

/* AddressSanitizer makes an allocation cost so much that a tenth has to do. */
#ifdef __SANITIZE_ADDRESS__
enum { NAMES = 100000 };
#else
enum { NAMES = 1000000 };
#endif

/*
 * At each distance of lines, also where only a few of a full row are older than anybody can ask
 * for: then too there is room for the next one.
 */
static void a_full_row_has_room_whatever_the_distance(void **state)
{
	(void)state;
	for (int64_t apart = 1900; apart <= 3300; apart += 100) {
		wall_t last = NOW + MS(4999 * apart);
		struct metrics metrics;

		begin(&metrics, METRICS_SERIES);
		for (int64_t i = 0; i < 5000; i++)
			add(&metrics, acquired(NOW + MS(i * apart), "a", 0));
		assert_complete_where_known(
			&metrics, TIER_SECOND, (last / S(1) - 1800) * S(1), last, MS(apart));
		metrics_release(&metrics);
	}
}

static void assert_bytes_are_what_is_in_use(
	const struct metrics *metrics, const struct in_use *before)
{
	size_t bytes = in_use.bytes - before->bytes, blocks = in_use.blocks - before->blocks;

	/*
	 * What malloc(3) needs of its own, and rounds up, is less than 24 bytes a block; at times
	 * it gives 16 more, when they are left over.
	 */
	assert_in_range(metrics->bytes + blocks * 16, bytes, bytes + blocks * 40);
}

static void assert_all_was_given_back(const struct in_use *before)
{
	assert_int_equal(in_use.bytes, before->bytes);
	assert_int_equal(in_use.blocks, before->blocks);
}

static void a_million_names_stay_within_the_bounds(void **state)
{
	const enum metrics_mode modes[] = {METRICS_SERIES, METRICS_TOTALS};

	(void)state;
	for (int k = 0; k < 2; k++) {
		struct in_use before = in_use;
		struct metrics metrics;
		char name[NAME];
		size_t most = 0;

		begin(&metrics, modes[k]);
		for (int i = 0; i < NAMES; i++) {
			snprintf(name, sizeof name, "name-%d.lock", i);
			add(&metrics, acquired(NOW + S(i / 1000), name, (int64_t)i * i * 1000));
			if (metrics.bytes > most)
				most = metrics.bytes;
			if (i % (NAMES / 20) == 0)
				assert_bytes_are_what_is_in_use(&metrics, &before);
		}
		assert_true(most <= metrics.bytes_max + (64 << 10));
		assert_true(metrics.series <= metrics.series_max);
		assert_int_equal(metrics.series + metrics.forgotten, NAMES);
		assert_int_equal(metrics.all.changes, NAMES);
		snprintf(name, sizeof name, "/run/lock/name-%d.lock", NAMES - 1);
		assert_non_null(metrics_find(&metrics, name));
		assert_null(metrics_find(&metrics, "/run/lock/name-0.lock"));
		if (modes[k] == METRICS_TOTALS)
			assert_int_equal(metrics.all.total.count[METRIC_ACQUIRED], NAMES);
		metrics_release(&metrics);
		assert_all_was_given_back(&before);
	}
}

static void beyond_its_memory_the_oldest_slots_go_and_it_says_so(void **state)
{
	struct in_use before = in_use;
	struct metrics metrics;
	char name[NAME];

	(void)state;
	assert_int_equal(metrics_init(&metrics, METRICS_SERIES, 0, 1 << 20), 0);
	for (int i = 0; i < 100000; i++) {
		snprintf(name, sizeof name, "%d", i % 9);
		add(&metrics, acquired(NOW - S((99999 - i) * 7), name,
				      (int64_t)random_number(UINT64_C(1) << 40)));
		assert_true(metrics.bytes <= metrics.bytes_max);
		if (i % 9999 == 0)
			assert_bytes_are_what_is_in_use(&metrics, &before);
	}
	assert_int_equal(metrics.forgotten, 0);
	assert_true(metrics.kept[TIER_MINUTE] > 0 && metrics.kept[TIER_HOUR] > 0);
	/* 700,000 s of lines: none of the windows can be whole. */
	for (enum window window = WINDOW_24H; window < WINDOW_COUNT; window++) {
		wall_t known = series_known_from(&metrics, window, NOW);

		assert_true(known > NOW - window_info[window].length && known < NOW);
		assert_complete_where_known(&metrics, window_info[window].tier, known, NOW, S(7));
	}
	metrics_release(&metrics);
	assert_all_was_given_back(&before);
}

static void locks_are_not_forgotten_while_slots_can_go(void **state)
{
	struct metrics metrics;
	char name[NAME];

	(void)state;
	assert_int_equal(metrics_init(&metrics, METRICS_SERIES, 0, 1 << 20), 0);
	for (int i = 0; i < 100000; i++) {
		snprintf(name, sizeof name, "%d", i % 100);
		add(&metrics, acquired(NOW + S(i / 100), name, 0));
		assert_true(metrics.bytes <= metrics.bytes_max);
		/* No more go than have to. */
		assert_true(i < 50000 || metrics.all.slots[TIER_SECOND].n > 60);
	}
	assert_int_equal(metrics.forgotten, 0);
	metrics_release(&metrics);
}

static void a_forgotten_lock_stays_in_all(void **state)
{
	struct metrics metrics;
	struct metric metric;
	struct series_set set;
	size_t n;

	(void)state;
	assert_int_equal(metrics_init(&metrics, METRICS_SERIES, 2, 0), 0);
	add(&metrics, acquired(NOW, "a", MS(1)));
	add(&metrics, acquired(NOW, "b", MS(2)));
	metric = line_of(METRIC_BUSY, NOW, "b");
	metric.holder = "php";
	add(&metrics, metric);
	add(&metrics, acquired(NOW, "a", MS(3))); /* b is longest unused now */
	add(&metrics, acquired(NOW, "c", MS(4)));
	assert_null(metrics_find(&metrics, "/run/lock/b"));
	assert_non_null(metrics_find(&metrics, "/run/lock/a"));
	assert_int_equal(metrics.forgotten, 1);
	free(metrics_sorted(&metrics, &n));
	assert_int_equal(n, 2);
	set = set_of(&metrics.all);
	assert_int_equal(acquisitions(&set, WINDOW_15M, NOW), 4);
	set = set_of(&metrics.rest);
	assert_int_equal(acquisitions(&set, WINDOW_15M, NOW), 1);
	assert_int_equal(metrics.rest.first, NOW);
	assert_string_equal(metrics.rest.waited[0].who, "php on web1");
	metrics_release(&metrics);
}

/* --- series ------------------------------------------------------------------------------- */

static void addresses_are_those_of_the_monitor(void **state)
{
	static const struct {
		const char *source, *lock, *address;
	} table[] = {
		{"file:/run/lock", "x.lock", "/run/lock/x.lock"},
		{"file:/run/lock/", "x.lock", "/run/lock/x.lock"},
		{"file:///run/lock", "x.lock", "/run/lock/x.lock"},
		{"file://localhost/run/lock", "x.lock", "/run/lock/x.lock"},
		{"file:/run/lock?glob=*.lock", "x.lock", "/run/lock/x.lock"},
		{"file:/", "x.lock", "/x.lock"},
		{"file:/run/my%20locks", "x.lock", "/run/my locks/x.lock"},
		{"file:/run/100%", "x.lock", "/run/100%/x.lock"},
		{"file:/run/%4", "x.lock", "/run/%4/x.lock"},
		{"file:/run/%1b[2J", "x.lock", "/run/\\x1b[2J/x.lock"},
		{"file:/run/lock/x.lock", "x.lock", "/run/lock/x.lock"},
		{"file:/srv/backup", "backup", "/srv/backup/backup"},
		{"file:/run/lock", "/run/lock/x.lock", "/run/lock/x.lock"},
		{"flock:/run/lock", "x.lock", "/run/lock/x.lock"},
		{"/run/lock", "x.lock", "/run/lock/x.lock"},
		{"/run/lock%20", "x.lock", "/run/lock%20/x.lock"},
		{"./locks", "x.lock", "./locks/x.lock"},
		{"kernel:", "flock:/run/x", "kernel:flock:/run/x"},
		{"ssh:web1:kernel:", "posix:/run/x", "ssh:web1:kernel:posix:/run/x"},
		{"ssh:web1:file:/run/lock", "x.lock", "ssh:web1:/run/lock/x.lock"},
		{"ssh:web1:/run/lock", "x.lock", "ssh:web1:/run/lock/x.lock"},
		{"redis://h:6379/0", "generation", "redis://h:6379/0/generation"},
		{"redis://h:6379/0?prefix=lock:", "generation", "redis://h:6379/0/generation"},
		{"wordpress:/var/www/html", "story", "wordpress:/var/www/html/story"},
		{"", "x.lock", "x.lock"},
		{"nonsense", "x.lock", "nonsense/x.lock"},
	};
	char address[256];

	(void)state;
	for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
		size_t len =
			metrics_address(address, sizeof address, table[i].source, table[i].lock);

		assert_string_equal(address, table[i].address);
		assert_int_equal(len, strlen(address));
	}
	assert_int_equal(metrics_address(address, 8, "file:/run/lock", "x.lock"), 7);
	assert_string_equal(address, "/run/lo");
}

/* By the source that a lock is seen in, and by that of the lines of who takes it. */
static void the_model_and_the_log_call_a_lock_the_same(void **state)
{
	static const struct {
		const char *uri, *path, *name, *source;
	} table[] = {
		{"file:/run/lock", "/run/lock/x.lock", "x.lock", "file:/run/lock"},
		{"file:/run/lock?glob=*.lock", "/run/lock/x.lock", "x.lock", "file:/run/lock"},
		{"/run/lock", "/run/lock/x.lock", "x.lock", "file:/run/lock"},
		{"/run/lock/x.lock", "/run/lock/x.lock", "x.lock", "file:/run/lock"},
		{"file:/run/lock/x.lock", "/run/lock/x.lock", "x.lock", "flock:/run/lock"},
		{"file:/run/my%20locks", "/run/my locks/x", "x", "file:/run/my%20locks"},
		{"ssh:web1:file:/run/lock", "/run/lock/x", "x", "ssh:web1:file:/run/lock"},
		{"kernel:", "/run/x", "flock:/run/x", "kernel:"},
		{"ssh:web1:kernel:", NULL, "posix:fe:00:12", "ssh:web1:kernel:"},
		{"redis://h:6379/0?prefix=a", NULL, "x", "redis://h:6379/0"},
		{"wordpress:/var/www/html/", NULL, "story", "wordpress:/var/www/html"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
		struct lock lock = {.name = (char *)table[i].name, .path = (char *)table[i].path};
		struct entry entry = {.lock = &lock};
		char seen[256], called[256], logged[256];
		struct model model;

		assert_int_equal(model_init(&model, "web1"), 0);
		assert_int_equal(model_add_source(&model, table[i].uri), 0);
		model_address(seen, sizeof seen, &model, &entry);
		metrics_address(called, sizeof called, table[i].uri, table[i].name);
		metrics_address(logged, sizeof logged, table[i].source, table[i].name);
		assert_string_equal(called, seen);
		assert_string_equal(logged, seen);
		model_release(&model);
	}
}

static void a_long_path_is_cut_and_nothing_overflows(void **state)
{
	static char source[20000], lock[20000], address[40000];

	(void)state;
	memset(source, 'a', sizeof source - 1);
	memcpy(source, "file:/", 6);
	memset(lock, 'b', sizeof lock - 1);
	assert_true(metrics_address(address, sizeof address, source, lock) < sizeof address);
	source[6] = '%';
	assert_true(metrics_address(address, sizeof address, source, "x.lock") < sizeof address);
	memcpy(source, "redis:", 6);
	assert_true(metrics_address(address, 100, source, lock) == 99);
}

static void lines_find_their_series_whatever_words_they_use(void **state)
{
	struct metrics metrics;
	struct metric metric = acquired(NOW, "x.lock", 0);
	const struct series **sorted;
	size_t n;

	(void)state;
	begin(&metrics, METRICS_SERIES);
	sorted = metrics_sorted(&metrics, &n);
	assert_null(sorted);
	assert_int_equal(n, 0);
	assert_null(metrics_find(&metrics, "/run/lock/x.lock"));
	for (int i = 0; i < 3; i++) {
		metric.source = "file:/run/lock";
		add(&metrics, metric);
		metric.source = "file:///run/lock/";
		add(&metrics, metric);
		metric.source = "flock:/run/lock";
		add(&metrics, metric);
		metric.source = NULL;
		add(&metrics, metric);
		metric.lock = "a.lock";
		add(&metrics, metric);
		metric.lock = "x.lock";
	}
	sorted = metrics_sorted(&metrics, &n);
	assert_int_equal(n, 3);
	assert_string_equal(sorted[0]->address, "/run/lock/x.lock");
	assert_string_equal(sorted[1]->address, "a.lock");
	assert_string_equal(sorted[2]->address, "x.lock");
	assert_string_equal(sorted[0]->source, "file:/run/lock");
	assert_string_equal(sorted[0]->lock, "x.lock");
	assert_string_equal(sorted[0]->backend, "file");
	assert_string_equal(sorted[2]->source, "");
	assert_int_equal(sorted[0]->changes, 9);
	assert_int_equal(sorted[0]->first, NOW);
	assert_int_equal(sorted[0]->last, NOW);
	free(sorted);
	metrics_release(&metrics);
}

static void many_locks_are_found_again(void **state)
{
	struct metrics metrics;
	char name[NAME], address[64];

	(void)state;
	begin(&metrics, METRICS_TOTALS);
	for (int turn = 0; turn < 2; turn++) {
		for (int i = 0; i < 5000; i++) {
			snprintf(name, sizeof name, "%d", i);
			add(&metrics, acquired(NOW + i, name, 0));
		}
	}
	assert_int_equal(metrics.series, 5000);
	for (int i = 0; i < 5000; i++) {
		snprintf(address, sizeof address, "/run/lock/%d", i);
		assert_int_equal(metrics_find(&metrics, address)->changes, 2);
	}
	metrics_clear(&metrics);
	assert_int_equal(metrics.series + metrics.lines + metrics.bytes, 0);
	assert_null(metrics_find(&metrics, "/run/lock/1"));
	add(&metrics, acquired(NOW, "1", 0));
	assert_int_equal(metrics_find(&metrics, "/run/lock/1")->changes, 1);
	metrics_release(&metrics);
}

static void a_line_without_a_lock_is_in_all_only(void **state)
{
	struct metrics metrics;
	struct series_set set;

	(void)state;
	begin(&metrics, METRICS_SERIES);
	add(&metrics, acquired(NOW, NULL, MS(1)));
	add(&metrics, acquired(NOW, "", MS(1)));
	assert_int_equal(metrics.series, 0);
	set = set_of(&metrics.all);
	assert_int_equal(acquisitions(&set, WINDOW_15M, NOW), 2);
	metrics_release(&metrics);
}

/* --- whom others waited for ---------------------------------------------------------------- */

static struct metric busy(
	enum metric_event event, const char *holder, const char *host, int64_t wait)
{
	struct metric metric = line_of(event, NOW, "a");

	metric.holder = holder;
	metric.holder_host = host;
	metric.wait = wait;
	return metric;
}

static void whom_others_waited_for_is_named(void **state)
{
	struct metrics metrics;
	const struct waited_for *waited;

	(void)state;
	begin(&metrics, METRICS_SERIES);
	add(&metrics, busy(METRIC_BUSY, "rsync", NULL, 0));
	add(&metrics, busy(METRIC_SLOW, "php", "app3", S(10)));
	add(&metrics, busy(METRIC_TIMEOUT, "php", "app3", S(30)));
	add(&metrics, busy(METRIC_BUSY, "php", "app3", -1));
	add(&metrics, busy(METRIC_BUSY, "php", "web1", 0));
	add(&metrics, busy(METRIC_BUSY, "php", NULL, 0));
	add(&metrics, busy(METRIC_BUSY, NULL, "app3", 0));
	add(&metrics, busy(METRIC_BUSY, "", "app3", 0));
	add(&metrics, busy(METRIC_STALE, "php", "app3", 0));
	waited = metrics_find(&metrics, "/run/lock/a")->waited;
	for (int i = 0; i < 2; i++) {
		assert_string_equal(waited[0].who, "php on app3");
		assert_int_equal(waited[0].times, 3);
		assert_int_equal(waited[0].longest, S(30));
		assert_string_equal(waited[1].who, "php on web1");
		assert_int_equal(waited[1].times, 2);
		assert_string_equal(waited[2].who, "rsync on web1");
		assert_int_equal(waited[2].times, 1);
		assert_int_equal(waited[3].times, 0);
		waited = metrics.all.waited;
	}
	metrics_release(&metrics);
}

static void of_many_holders_the_most_frequent_is_named_first(void **state)
{
	struct metrics metrics;
	const struct waited_for *waited;
	char name[NAME], longest[300];

	(void)state;
	begin(&metrics, METRICS_SERIES);
	for (int i = 0; i < 3000; i++) {
		snprintf(name, sizeof name, "p%d", i % 3 ? i : -1);
		add(&metrics, busy(METRIC_BUSY, name, "h", MS(3000 - i)));
	}
	waited = metrics_find(&metrics, "/run/lock/a")->waited;
	assert_string_equal(waited[0].who, "p-1 on h");
	assert_in_range(waited[0].times, 1000, 1000 + 3000 / WAITED_FOR_MAX);
	for (int i = 1; i < WAITED_FOR_MAX; i++)
		assert_true(waited[i].times <= waited[i - 1].times);
	/* And each has waited for itself only. */
	for (int i = 1; i < WAITED_FOR_MAX; i++)
		assert_int_equal(waited[i].longest, MS(3000 - atoi(waited[i].who + 1)));
	/* A name that is too long is cut between two characters, and known again. */
	metrics_clear(&metrics);
	memset(longest, 'x', sizeof longest);
	snprintf(longest + 78, sizeof longest - 78, "\xc3\xa4\xc3\xa4");
	for (int i = 0; i < 3; i++)
		add(&metrics, busy(METRIC_BUSY, longest, "h", 0));
	waited = metrics_find(&metrics, "/run/lock/a")->waited;
	assert_int_equal(strlen(waited[0].who), 78);
	assert_int_equal(waited[0].times, 3);
	metrics_release(&metrics);
}

/* --- samples ------------------------------------------------------------------------------- */

struct received {
	struct metrics *metrics;
	uint64_t lines, samples;
	int ends_after; /* 0: never */
};

static int receive(void *data, const struct sample *sample)
{
	struct received *received = data;

	assert_true(sample->seconds == 1 || sample->seconds == 60 || sample->seconds == 3600);
	assert_int_equal(sample->from % sample->seconds, 0);
	assert_false(tally_is_empty(&sample->tally));
	assert_in_range(sample->last, S(sample->from), S(sample->from + sample->seconds) - 1);
	for (int i = 0; i < METRIC_EVENT_COUNT; i++)
		received->lines += sample->tally.count[i];
	received->samples++;
	if (received->ends_after && (int)received->samples == received->ends_after)
		return 42;
	return received->metrics ? metrics_add_sample(received->metrics, sample) : 0;
}

static void assert_same_waited(const struct series *a, const struct series *b)
{
	for (int i = 0; i < WAITED_FOR_MAX; i++) {
		assert_string_equal(a->waited[i].who, b->waited[i].who);
		assert_int_equal(a->waited[i].times, b->waited[i].times);
		assert_int_equal(a->waited[i].longest, b->waited[i].longest);
	}
}

/* All windows that end now, of each lock, as the lines say. */
static void assert_is_sent(const struct metrics *other, const struct metric *line)
{
	assert_int_equal(other->lines, LINES);
	for (enum window window = 0; window < WINDOW_COUNT; window++) {
		struct series_set all = set_of(&other->all);

		assert_int_equal(series_known_from(other, window, NOW), 0);
		assert_window(&all, window, NOW, line, LINES, NULL);
		assert_points(&all, window, NOW, line, LINES, NULL, 200);
		for (int i = 0; i < LOCKS; i++) {
			struct series_set one;

			if (!*names[i])
				continue;
			one = set_of_lock(other, names[i]);
			assert_window(&one, window, NOW, line, LINES, names[i]);
			assert_points(&one, window, NOW, line, LINES, names[i], 77);
		}
	}
}

static void samples_say_what_the_lines_did(void **state)
{
	static struct metric line[LINES];

	(void)state;
	for (int turn = 0; turn < 3; turn++) {
		struct metrics metrics, other;
		struct received received = {.metrics = &other};

		random_lines(line);
		begin(&metrics, METRICS_SERIES);
		begin(&other, METRICS_SERIES);
		for (size_t i = 0; i < LINES; i++)
			add(&metrics, line[i]);
		assert_int_equal(metrics_each_sample(&metrics, NOW, receive, &received), 0);
		assert_int_equal(received.lines, LINES);
		assert_int_equal(other.lines, LINES);
		assert_is_sent(&other, line);
		for (int i = 0; i < LOCKS; i++)
			if (*names[i])
				assert_same_waited(set_of_lock(&other, names[i]).at[0],
					set_of_lock(&metrics, names[i]).at[0]);
		assert_same_waited(&metrics.all, &other.all);
		assert_int_equal(other.all.last, metrics.all.last);
		assert_int_equal(other.series, metrics.series);
		received = (struct received){0};
		assert_int_equal(metrics_each_sample(&other, NOW, receive, &received), 0);
		assert_int_equal(received.lines, LINES);
		metrics_release(&metrics);
		metrics_release(&other);
	}
}

/* The same when memory, or the rows, let something go: no line twice, and none lost that is there.
 */
static void what_is_left_is_sent_once(void **state)
{
	(void)state;
	for (int turn = 0; turn < 6; turn++) {
		struct metrics metrics;
		struct received received = {0};
		struct series_set all;
		struct tally tally = {0};
		uint64_t hours = 0;

		assert_int_equal(metrics_init(&metrics, METRICS_SERIES, 2, 200000u << turn), 0);
		for (int i = 0; i < 20000; i++)
			add(&metrics,
				acquired(NOW - S((19999 - i) * (turn * 3 + 1)), names[i % LOCKS],
					(int64_t)random_number(UINT64_C(1) << 40)));
		all = set_of(&metrics.all);
		assert_int_equal(series_tally(&all, TIER_HOUR, 0, 0, &tally), 0);
		hours = tally.count[METRIC_ACQUIRED];
		tally_release(&tally);
		assert_int_equal(metrics_each_sample(&metrics, NOW, receive, &received), 0);
		if (turn == 5)
			assert_int_equal(hours, 20000);
		/* An hour that was let go may still be there in minutes. */
		assert_in_range(received.lines, hours, 20000);
		metrics_release(&metrics);
	}
}

/* Minutes may be known for less long than seconds: memory goes where most of it is. */
static void nothing_is_sent_twice_whatever_is_known(void **state)
{
	(void)state;
	for (int i = 0; i < 60; i++) {
		struct metrics metrics, other;
		struct received received = {.metrics = &other};
		struct series_set all;

		begin(&metrics, METRICS_SERIES);
		begin(&other, METRICS_SERIES);
		metrics.kept[TIER_MINUTE] = NOW - S(i % 8 * 780);
		metrics.kept[TIER_SECOND] = NOW - S(i / 8 * 333);
		for (int k = 0; k < 1000; k++)
			add(&metrics, acquired(NOW + S(900) - S(k * 9), "a", 0));
		assert_int_equal(
			metrics_each_sample(&metrics, NOW + S(900), receive, &received), 0);
		assert_int_equal(received.lines, 1000);
		all = set_of(&other.all);
		assert_int_equal(acquisitions(&all, WINDOW_7D, NOW + S(900)), 1000);
		/* Not known are the same or more. */
		for (enum window window = 0; window < WINDOW_COUNT; window++)
			assert_true(series_known_from(&other, window, NOW + S(900)) >=
				    series_known_from(&metrics, window, NOW + S(900)));
		metrics_release(&metrics);
		metrics_release(&other);
	}
}

static void what_is_only_to_be_sent_is_sent_the_same(void **state)
{
	static struct metric line[LINES];

	(void)state;
	for (int turn = 0; turn < 4; turn++) {
		/* By two whose rows are full, by turns: what is far ahead goes by the second, too.
		 */
		struct metrics metrics, sender, by_series, by_samples;
		struct received received[] = {{.metrics = &by_series}, {.metrics = &by_samples}};

		random_lines(line);
		for (int i = 0; turn == 3 && i < LINES; i++)
			line[i].ts = NOW + S(600) - S(i);
		begin(&metrics, METRICS_SERIES);
		begin(&sender, METRICS_SAMPLES);
		begin(&by_series, METRICS_SERIES);
		begin(&by_samples, METRICS_SERIES);
		for (int part = 0; part < 3; part++) {
			metrics_expect(&sender, NOW);
			for (size_t i = LINES / 3 * (size_t)part;
				i < LINES / 3 * (size_t)(part + 1); i++) {
				add(&metrics, line[i]);
				add(&sender, line[i]);
			}
			assert_int_equal(
				metrics_each_sample(&sender, NOW, receive, &received[1]), 0);
			metrics_clear(&sender);
		}
		assert_int_equal(received[1].lines, LINES / 3 * 3);
		if (turn < 3) {
			assert_int_equal(
				metrics_each_sample(&metrics, NOW, receive, &received[0]), 0);
			assert_is_sent(&by_series, line);
		}
		assert_is_sent(&by_samples, line);
		metrics_release(&metrics);
		metrics_release(&sender);
		metrics_release(&by_series);
		metrics_release(&by_samples);
	}
}

static void a_receiver_can_end_it(void **state)
{
	struct metrics metrics;
	struct received received = {.ends_after = 2};

	(void)state;
	begin(&metrics, METRICS_SERIES);
	assert_int_equal(metrics_each_sample(&metrics, NOW, receive, &received), 0);
	assert_int_equal(received.samples, 0);
	for (int i = 0; i < 5; i++)
		add(&metrics, acquired(NOW - S(i), "a", 0));
	assert_int_equal(metrics_each_sample(&metrics, NOW, receive, &received), 42);
	assert_int_equal(received.samples, 2);
	metrics_release(&metrics);
}

static void a_sample_that_is_none_is_refused(void **state)
{
	struct sample sample = {.from = NOW_S, .seconds = 2};
	struct metrics metrics;

	(void)state;
	begin(&metrics, METRICS_SERIES);
	sample.tally.count[METRIC_BUSY] = 1;
	assert_int_equal(metrics_add_sample(&metrics, &sample), -EINVAL);
	sample.seconds = 0;
	assert_int_equal(metrics_add_sample(&metrics, &sample), -EINVAL);
	sample.seconds = 60;
	sample.from++;
	assert_int_equal(metrics_add_sample(&metrics, &sample), -EINVAL);
	sample.from = INT64_MAX / 3600 * 3600;
	sample.seconds = 3600;
	assert_int_equal(metrics_add_sample(&metrics, &sample), -EINVAL);
	sample.from = INT64_MIN / 3600 * 3600;
	assert_int_equal(metrics_add_sample(&metrics, &sample), -EINVAL);
	assert_int_equal(metrics.lines, 0);
	sample.from = NOW_S;
	sample.seconds = 3600;
	sample.last = NOW + S(3599);
	assert_int_equal(metrics_add_sample(&metrics, &sample), 0);
	assert_int_equal(metrics.lines, 1);
	/* Of an hour the minutes are not known, and of a minute the seconds. */
	assert_int_equal(series_known_from(&metrics, WINDOW_24H, NOW + S(7200)), NOW + S(3600));
	assert_int_equal(series_known_from(&metrics, WINDOW_15M, NOW + S(3700)), NOW + S(3600));
	assert_int_equal(series_known_from(&metrics, WINDOW_7D, NOW + S(7200)), 0);
	metrics_release(&metrics);
}

/* A tally that no lines can have made: more waits than acquisitions, values without any event. */
static void a_hostile_sample_is_added_as_it_is(void **state)
{
	struct sample sample = {.from = NOW_S, .seconds = 1, .last = NOW};
	struct metrics metrics;
	struct series_set set;
	struct tally tally = {0};

	(void)state;
	begin(&metrics, METRICS_SERIES);
	sample.tally.count[METRIC_ACQUIRED] = 1;
	sample.tally.slow = 9;
	assert_int_equal(histogram_add(&sample.tally.wait, MS(5), UINT64_MAX), 0);
	assert_int_equal(histogram_add(&sample.tally.hold, MS(5), 3), 0);
	for (int i = 0; i < 3; i++)
		assert_int_equal(metrics_add_sample(&metrics, &sample), 0);
	set = set_of(&metrics.all);
	assert_int_equal(series_window(&set, WINDOW_7D, NOW, &tally), 0);
	assert_int_equal(tally.wait.count, UINT64_MAX);
	assert_int_equal(tally.hold.count, 9);
	assert_int_equal(tally.slow, 27);
	assert_int_equal(histogram_quantile(&tally.wait, 0.99), MS(5));
	tally_release(&tally);
	tally_release(&sample.tally);
	metrics_release(&metrics);
}

/* Of two values in one bucket only the larger is in the sample, but their sum is in it, too. */
static void a_sample_keeps_the_sum(void **state)
{
	struct metrics metrics, other;
	struct received received = {.metrics = &other};
	struct series_set set;
	struct tally tally = {0};

	(void)state;
	begin(&metrics, METRICS_SERIES);
	begin(&other, METRICS_SERIES);
	add(&metrics, acquired(NOW, "a", 1001000));
	add(&metrics, acquired(NOW, "a", 1010000));
	assert_int_equal(metrics_each_sample(&metrics, NOW, receive, &received), 0);
	set = set_of_lock(&other, "a");
	assert_int_equal(series_window(&set, WINDOW_15M, NOW, &tally), 0);
	assert_int_equal(tally.wait.sum, 2011);
	assert_int_equal(tally.wait.min, 1001000);
	assert_int_equal(tally.wait.count, 2);
	tally_release(&tally);
	metrics_release(&metrics);
	metrics_release(&other);
}

static void a_sample_that_contradicts_itself_is_added_as_it_is(void **state)
{
	static const struct {
		uint32_t acquired, released, busy, slow;
		uint64_t waits, holds;
	} table[] = {
		{1, 0, 0, 0, 2, 0},
		{0, 0, 3, 0, 1, 0},
		{0, 1, 0, 0, 0, 2},
		{0, 0, 1, 9, 0, 0},
		{2, 2, 0, 0, 1, 1},
		{40, 7, 0, 3, 40, 7},
		{41, 7, 0, 3, 41, 7},
		{47, 7, 0, 3, 0, 0},
	};

	(void)state;
	for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
		struct sample sample = {.from = NOW_S, .seconds = 1, .last = NOW};
		struct metrics metrics;
		struct series_set set;
		struct tally tally = {0};

		begin(&metrics, METRICS_SERIES);
		sample.tally.count[METRIC_ACQUIRED] = table[i].acquired;
		sample.tally.count[METRIC_RELEASED] = table[i].released;
		sample.tally.count[METRIC_BUSY] = table[i].busy;
		sample.tally.slow = table[i].slow;
		assert_int_equal(histogram_add(&sample.tally.wait, MS(5), table[i].waits), 0);
		assert_int_equal(histogram_add(&sample.tally.hold, MS(5), table[i].holds), 0);
		for (int k = 0; k < 2; k++)
			assert_int_equal(metrics_add_sample(&metrics, &sample), 0);
		set = set_of(&metrics.all);
		assert_int_equal(series_window(&set, WINDOW_15M, NOW, &tally), 0);
		assert_int_equal(tally.count[METRIC_ACQUIRED], 2 * table[i].acquired);
		assert_int_equal(tally.count[METRIC_RELEASED], 2 * table[i].released);
		assert_int_equal(tally.count[METRIC_BUSY], 2 * table[i].busy);
		assert_int_equal(tally.slow, 2 * table[i].slow);
		assert_int_equal(tally.wait.count, 2 * table[i].waits);
		assert_int_equal(tally.hold.count, 2 * table[i].holds);
		tally_release(&tally);
		tally_release(&sample.tally);
		metrics_release(&metrics);
	}
}

/* --- JSON ---------------------------------------------------------------------------------- */

static void assert_json(json_t *object, const char *expected)
{
	char *text = json_dumps(object, JSON_COMPACT | METRICS_JSON_DIGITS);

	assert_string_equal(text, expected);
	json_decref(object);
	__real_free(text); /* jansson's own */
}

static void percentiles_are_numbers_in_ms(void **state)
{
	struct tally tally = {0};
	struct percentiles percentiles = histogram_percentiles(&tally.wait);

	(void)state;
	assert_json(percentiles_to_json(&percentiles),
		"{\"n\":0,\"p50\":null,\"p95\":null,\"p99\":null,\"max\":null,\"few\":true}");
	for (int i = 0; i < 19; i++)
		histogram_add(&tally.wait, MS(81) / 10, 1);
	percentiles = histogram_percentiles(&tally.wait);
	assert_json(percentiles_to_json(&percentiles),
		"{\"n\":19,\"p50\":8.1,\"p95\":8.1,\"p99\":8.1,\"max\":8.1,\"few\":true}");
	histogram_add(&tally.wait, INT64_C(1234567891234), 1);
	percentiles = histogram_percentiles(&tally.wait);
	assert_json(percentiles_to_json(&percentiles),
		"{\"n\":20,\"p50\":8.1,\"p95\":8.1,\"p99\":1234567.891,\"max\":1234567.891}");
	tally_release(&tally);
}

static void a_tally_is_an_object_of_all_its_counts(void **state)
{
	struct tally tally = {.slow = 99};

	(void)state;
	for (uint32_t i = 0; i < METRIC_EVENT_COUNT; i++)
		tally.count[i] = i + 1;
	assert_json(tally_to_json(&tally),
		"{\"attempts\":6,\"failed\":5,\"slow\":99,\"acquired\":1,\"busy\":2,\"timeout\":3,"
		"\"lost\":6,\"stale\":8,\"taken_over\":9,\"released\":7,\"released_stale\":10,"
		"\"forced\":11,\"signalled\":12,\"fallback\":13,\"error\":14,"
		"\"wait_ms\":{\"n\":0,\"p50\":null,\"p95\":null,\"p99\":null,\"max\":null,"
		"\"few\":true},\"hold_ms\":{\"n\":0,\"p50\":null,\"p95\":null,\"p99\":null,"
		"\"max\":null,\"few\":true}}");
}

/* --- out of memory --------------------------------------------------------------------------- */

/* All counts of all tiers agree: nothing is half counted. */
static void assert_whole(const struct metrics *metrics, uint64_t lines)
{
	struct series_set all = set_of(&metrics->all);

	assert_int_equal(metrics->lines, lines);
	for (enum tier tier = 0; tier < TIER_COUNT; tier++) {
		struct tally sum = {0}, tally = {0};
		struct series_set one = {.n = 1};

		assert_int_equal(series_tally(&all, tier, 0, 0, &tally), 0);
		assert_int_equal(tally.count[METRIC_ACQUIRED], lines);
		assert_int_equal(tally.wait.count, lines);
		one.at[0] = &metrics->rest;
		assert_int_equal(series_tally(&one, tier, 0, 0, &sum), 0);
		for (one.at[0] = metrics->newest; one.at[0]; one.at[0] = one.at[0]->older)
			assert_int_equal(series_tally(&one, tier, 0, 0, &sum), 0);
		assert_int_equal(sum.count[METRIC_ACQUIRED], lines);
		assert_int_equal(sum.wait.count, lines);
		tally_release(&sum);
		tally_release(&tally);
	}
}

static int try_to_count(void *data)
{
	struct in_use before = in_use;
	struct metrics metrics;
	int result = metrics_init(&metrics, METRICS_SERIES, 2, 0);
	uint64_t lines = 0;

	(void)data;
	for (int i = 0; i < 150 && result == 0; i++) {
		char lock[NAME];
		struct metric metric = acquired(NOW + S(i % 7 * 10), lock, MS(i));

		snprintf(lock, sizeof lock, "%d", i < 100 ? i % 2 : i % 3);
		result = metrics_add(&metrics, &metric);
		lines += result == 0;
	}
	allocations_failed();
	assert_int_equal(metrics.all.changes, lines);
	assert_whole(&metrics, lines);
	assert_bytes_are_what_is_in_use(&metrics, &before);
	/* And it goes on. */
	for (int i = 0; i < 20; i++)
		add(&metrics, acquired(NOW + S(i), "other", MS(i)));
	assert_whole(&metrics, lines + 20);
	metrics_release(&metrics);
	assert_all_was_given_back(&before);
	return result;
}

static int try_to_count_totals(void *data)
{
	struct in_use before = in_use;
	struct metrics metrics;
	int result = metrics_init(&metrics, METRICS_TOTALS, 3, 0);
	uint64_t lines = 0;

	(void)data;
	for (int i = 0; i < 60 && result == 0; i++) {
		char lock[NAME];
		struct metric metric = acquired(NOW, lock, MS(i));

		snprintf(lock, sizeof lock, "%d", i % 4);
		result = metrics_add(&metrics, &metric);
		lines += result == 0;
	}
	allocations_failed();
	assert_int_equal(metrics.all.total.count[METRIC_ACQUIRED], lines);
	assert_int_equal(metrics.all.total.wait.count, lines);
	assert_bytes_are_what_is_in_use(&metrics, &before);
	metrics_release(&metrics);
	assert_all_was_given_back(&before);
	return result;
}

static int try_to_ask(void *data)
{
	const struct metrics *metrics = data;
	struct series_set set = set_of(&metrics->all);
	struct tally tally = {0};
	struct point point[10];
	const struct series **sorted = NULL;
	size_t n;
	int result = series_window(&set, WINDOW_7D, NOW, &tally);

	if (result == 0)
		result = series_points(&set, WINDOW_7D, NOW, point, 10);
	if (result == 0) {
		sorted = metrics_sorted(metrics, &n);
		assert_int_equal(n, 1);
		result = sorted ? 0 : -ENOMEM;
	}
	allocations_failed();
	free(sorted);
	tally_release(&tally);
	return result;
}

static int try_to_send(void *data)
{
	struct metrics other;
	struct received received = {.metrics = &other};
	int result = metrics_init(&other, METRICS_SERIES, 0, 0);

	if (result == 0)
		result = metrics_each_sample(data, NOW, receive, &received);
	allocations_failed();
	assert_true(other.lines <= 200 && (result < 0 || other.lines == 200));
	assert_whole(&other, other.lines);
	metrics_release(&other);
	return result;
}

static int try_to_prepare(void *data)
{
	struct in_use before = in_use;
	struct metrics metrics;
	struct received received = {0};
	int result = metrics_init(&metrics, METRICS_SAMPLES, 2, 0);
	uint64_t lines = 0;

	(void)data;
	metrics_expect(&metrics, NOW);
	for (int i = 0; i < 150 && result == 0; i++) {
		char lock[NAME];
		struct metric metric = acquired(NOW - S(i % 7 * 10), lock, MS(i));

		snprintf(lock, sizeof lock, "%d", i < 100 ? i % 2 : i % 3);
		result = metrics_add(&metrics, &metric);
		lines += result == 0;
	}
	allocations_failed();
	assert_int_equal(metrics.lines, lines);
	assert_bytes_are_what_is_in_use(&metrics, &before);
	assert_int_equal(metrics_each_sample(&metrics, NOW, receive, &received), 0);
	assert_int_equal(received.lines, lines);
	metrics_release(&metrics);
	assert_all_was_given_back(&before);
	return result;
}

static void an_allocation_that_fails_counts_nothing(void **state)
{
	struct metrics metrics;

	(void)state;
	assert_true(fail_every_allocation(try_to_count, NULL) > 10);
	assert_true(fail_every_allocation(try_to_count_totals, NULL) > 10);
	assert_true(fail_every_allocation(try_to_prepare, NULL) > 10);
	begin(&metrics, METRICS_SERIES);
	for (int i = 0; i < 200; i++)
		add(&metrics, acquired(NOW - S(i % 5), "a", MS(i)));
	assert_true(fail_every_allocation(try_to_ask, &metrics) > 3);
	assert_true(fail_every_allocation(try_to_send, &metrics) > 10);
	metrics_release(&metrics);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_event_is_counted_with_its_time),
		cmocka_unit_test(counts_stay_at_the_most),
		cmocka_unit_test(windows_and_columns_say_what_the_lines_do),
		cmocka_unit_test(totals_say_what_the_lines_do_in_any_order),
		cmocka_unit_test(a_window_begins_and_ends_with_a_slot),
		cmocka_unit_test(times_before_1970_are_times),
		cmocka_unit_test(neighbours_in_time_share_no_slot),
		cmocka_unit_test(columns_count_each_slot_once_or_repeat_it),
		cmocka_unit_test(several_series_are_added_up),
		cmocka_unit_test(a_late_line_is_in_the_tiers_that_still_have_its_time),
		cmocka_unit_test(lines_an_hour_ahead_cost_nothing_that_is_there),
		cmocka_unit_test(a_full_row_of_slots_keeps_the_newest),
		cmocka_unit_test(a_full_row_has_room_whatever_the_distance),
		cmocka_unit_test(a_late_line_does_not_fit_into_a_full_row),
		cmocka_unit_test(a_million_names_stay_within_the_bounds),
		cmocka_unit_test(beyond_its_memory_the_oldest_slots_go_and_it_says_so),
		cmocka_unit_test(locks_are_not_forgotten_while_slots_can_go),
		cmocka_unit_test(a_forgotten_lock_stays_in_all),
		cmocka_unit_test(addresses_are_those_of_the_monitor),
		cmocka_unit_test(the_model_and_the_log_call_a_lock_the_same),
		cmocka_unit_test(a_long_path_is_cut_and_nothing_overflows),
		cmocka_unit_test(lines_find_their_series_whatever_words_they_use),
		cmocka_unit_test(many_locks_are_found_again),
		cmocka_unit_test(a_line_without_a_lock_is_in_all_only),
		cmocka_unit_test(whom_others_waited_for_is_named),
		cmocka_unit_test(of_many_holders_the_most_frequent_is_named_first),
		cmocka_unit_test(samples_say_what_the_lines_did),
		cmocka_unit_test(what_is_left_is_sent_once),
		cmocka_unit_test(nothing_is_sent_twice_whatever_is_known),
		cmocka_unit_test(what_is_only_to_be_sent_is_sent_the_same),
		cmocka_unit_test(a_receiver_can_end_it),
		cmocka_unit_test(a_sample_that_is_none_is_refused),
		cmocka_unit_test(a_hostile_sample_is_added_as_it_is),
		cmocka_unit_test(a_sample_keeps_the_sum),
		cmocka_unit_test(a_sample_that_contradicts_itself_is_added_as_it_is),
		cmocka_unit_test(percentiles_are_numbers_in_ms),
		cmocka_unit_test(a_tally_is_an_object_of_all_its_counts),
		cmocka_unit_test(an_allocation_that_fails_counts_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/*
 * What the log says, counted from its beginning, so that the counters stay ones over many runs of
 * this program: the log keeps them.
 */
#include "config.h"
#include "model/prometheus_private.h"

/* The row of what was left out, taken together; no lock is called so. */
#define OTHERS "(others)"

#define IN_LOG ", in the current metrics log; begins anew when that is rotated."

/* Of what tally_to_json() has too. */
enum { SLOW = -1 };

static const struct counter {
	const char *name, *help, *label, *value;
	int event; /* enum metric_event, or SLOW */
} counters[] = {
	{"locktop_lock_acquisitions_total", "Acquisitions" IN_LOG, NULL, NULL, METRIC_ACQUIRED},
	{"locktop_lock_failures_total", "Attempts that did not get the lock" IN_LOG, "reason",
		"busy", METRIC_BUSY},
	{"locktop_lock_failures_total", NULL, "reason", "timeout", METRIC_TIMEOUT},
	{"locktop_lock_lost_total", "Holds that were lost to another" IN_LOG, NULL, NULL,
		METRIC_LOST},
	{"locktop_lock_stale_total", "Stale records that were come upon" IN_LOG, NULL, NULL,
		METRIC_STALE},
	{"locktop_lock_takeovers_total", "Stale locks that were taken over" IN_LOG, NULL, NULL,
		METRIC_TAKEN_OVER},
	{"locktop_lock_releases_total",
		"Releases by the holder, and by an administrator of a stale lock or by "
		"force" IN_LOG,
		"reason", "holder", METRIC_RELEASED},
	{"locktop_lock_releases_total", NULL, "reason", "stale", METRIC_RELEASED_STALE},
	{"locktop_lock_releases_total", NULL, "reason", "forced", METRIC_FORCED},
	{"locktop_lock_slow_total", "Waits of more than a second, however they ended" IN_LOG, NULL,
		NULL, SLOW},
};

enum { COUNTERS = sizeof counters / sizeof *counters };

/* Upper bounds, each of which histogram_at_most() answers exactly. */
static const struct {
	const char *text;
	int64_t ns;
} bounds[] = {
	{"0.001", NS_PER_MS},
	{"0.0025", NS_PER_MS * 5 / 2},
	{"0.005", NS_PER_MS * 5},
	{"0.01", NS_PER_MS * 10},
	{"0.025", NS_PER_MS * 25},
	{"0.05", NS_PER_MS * 50},
	{"0.1", NS_PER_MS * 100},
	{"0.25", NS_PER_MS * 250},
	{"0.5", NS_PER_MS * 500},
	{"1", NS_PER_S},
	{"2.5", NS_PER_S * 5 / 2},
	{"5", NS_PER_S * 5},
	{"10", NS_PER_S * 10},
	{"30", NS_PER_S * 30},
	{"60", NS_PER_S * 60},
	{"300", NS_PER_S * 300},
	{"600", NS_PER_S * 600},
	{"3600", NS_PER_S * 3600},
};

enum { BOUNDS = sizeof bounds / sizeof *bounds };

static const struct tally nothing;

/*
 * The tally of a row that log families have a sample of, or NULL. A lock file has zeros before the
 * log names it, so that rate() sees the first of all; a pid file is never in the log.
 */
static const struct tally *tally_of(const struct row *row)
{
	if (!row->is_kept)
		return NULL;
	if (row->series)
		return &row->series->total;
	if (row->entry && row->entry->lock->kind == LOCK_FILE &&
		row->entry->lock->record.format != RECORD_PID)
		return &nothing;
	return NULL;
}

static const struct row others = {
	.source = (char *)OTHERS, .backend = (char *)OTHERS, .name = OTHERS, .is_kept = true};

static uint64_t count_of(const struct tally *tally, const struct counter *counter)
{
	return counter->event == SLOW ? tally->slow : tally->count[counter->event];
}

static void put_counter(
	struct exposition *x, const struct row *row, const struct counter *counter, uint64_t value)
{
	exposition_sample(x, "", row);
	if (counter->label)
		promtext_label(&x->text, counter->label, counter->value);
	promtext_count(&x->text, value);
}

/* A family is n counters of the table. */
static void write_counter(struct exposition *x, const struct counter *counter, size_t n)
{
	uint64_t rest[COUNTERS];

	for (size_t k = 0; k < n; k++)
		rest[k] = count_of(&x->what->metrics->all.total, &counter[k]);
	promtext_family(&x->text, counter->name, "counter", counter->help);
	for (size_t i = 0; i < x->rows.n; i++) {
		const struct tally *tally = tally_of(&x->rows.row[i]);

		for (size_t k = 0; tally && k < n; k++) {
			uint64_t count = count_of(tally, &counter[k]);

			put_counter(x, &x->rows.row[i], &counter[k], count);
			rest[k] -= count;
		}
	}
	for (size_t k = 0; x->has_others && k < n; k++)
		put_counter(x, &others, &counter[k], rest[k]);
}

static void write_counters(struct exposition *x)
{
	size_t n;

	for (size_t i = 0; i < COUNTERS; i += n) {
		for (n = 1; i + n < COUNTERS && !counters[i + n].help;)
			n++;
		write_counter(x, &counters[i], n);
	}
}

static const struct histogram *wait_of(const struct tally *tally)
{
	return &tally->wait;
}

static const struct histogram *hold_of(const struct tally *tally)
{
	return &tally->hold;
}

static const struct duration {
	const char *histogram, *histogram_help, *summary, *summary_help;
	const struct histogram *(*of)(const struct tally *tally);
} durations[] = {
	{"locktop_lock_wait_seconds", "How long those waited who acquired the lock" IN_LOG,
		"locktop_lock_wait_quantile_seconds",
		"Percentiles of these waits, as locktop report has them; at most 1 % too high.",
		wait_of},
	{"locktop_lock_hold_seconds", "How long the lock was held each time" IN_LOG,
		"locktop_lock_hold_quantile_seconds",
		"Percentiles of these holds, as locktop report has them; at most 1 % too high.",
		hold_of},
};

/* A histogram as it is written; sums can be subtracted. */
struct cumulated {
	uint64_t at_most[BOUNDS];
	uint64_t count, sum; /* sum in µs */
};

static struct cumulated cumulate(const struct histogram *histogram)
{
	struct cumulated c = {.count = histogram->count, .sum = histogram->sum};

	for (size_t i = 0; i < BOUNDS; i++)
		c.at_most[i] = histogram_at_most(histogram, bounds[i].ns);
	return c;
}

static void subtract(struct cumulated *from, const struct cumulated *c)
{
	for (size_t i = 0; i < BOUNDS; i++)
		from->at_most[i] -= c->at_most[i];
	from->count -= c->count;
	from->sum -= c->sum;
}

static void put_bucket(struct exposition *x, const struct row *row, const char *le, uint64_t count)
{
	exposition_sample(x, "_bucket", row);
	promtext_label(&x->text, "le", le);
	promtext_count(&x->text, count);
}

static void put_sum(
	struct exposition *x, const struct row *row, uint64_t count, uint64_t microseconds)
{
	exposition_sample(x, "_sum", row);
	promtext_seconds(&x->text,
		microseconds > INT64_MAX / 1000 ? INT64_MAX : (int64_t)microseconds * 1000);
	exposition_sample(x, "_count", row);
	promtext_count(&x->text, count);
}

static void put_histogram(struct exposition *x, const struct row *row, const struct cumulated *c)
{
	for (size_t i = 0; i < BOUNDS; i++)
		put_bucket(x, row, bounds[i].text, c->at_most[i]);
	put_bucket(x, row, "+Inf", c->count);
	put_sum(x, row, c->count, c->sum);
}

static void write_histogram(struct exposition *x, const struct duration *duration)
{
	struct cumulated rest = cumulate(duration->of(&x->what->metrics->all.total));

	promtext_family(&x->text, duration->histogram, "histogram", duration->histogram_help);
	for (size_t i = 0; i < x->rows.n; i++) {
		const struct tally *tally = tally_of(&x->rows.row[i]);
		struct cumulated c;

		if (!tally)
			continue;
		c = cumulate(duration->of(tally));
		put_histogram(x, &x->rows.row[i], &c);
		subtract(&rest, &c);
	}
	if (x->has_others)
		put_histogram(x, &others, &rest);
}

static void put_quantile(
	struct exposition *x, const struct row *row, const char *quantile, int64_t ns)
{
	exposition_sample(x, "", row);
	promtext_label(&x->text, "quantile", quantile);
	promtext_seconds(&x->text, ns);
}

/* A summary: Prometheus knows the label "quantile" of no other type. */
static void write_quantiles(struct exposition *x, const struct duration *duration)
{
	promtext_family(&x->text, duration->summary, "summary", duration->summary_help);
	for (size_t i = 0; i < x->rows.n; i++) {
		const struct row *row = &x->rows.row[i];
		const struct tally *tally = tally_of(row);
		const struct histogram *histogram = tally ? duration->of(tally) : NULL;
		struct percentiles p;

		if (!histogram || histogram->count == 0)
			continue;
		p = histogram_percentiles(histogram);
		put_quantile(x, row, "0.5", p.p50);
		put_quantile(x, row, "0.95", p.p95);
		put_quantile(x, row, "0.99", p.p99);
		put_quantile(x, row, "1", p.max);
		put_sum(x, row, histogram->count, histogram->sum);
	}
}

void exposition_log(struct exposition *x)
{
	const struct metrics *metrics = x->what->metrics;

	write_counters(x);
	for (size_t i = 0; i < sizeof durations / sizeof *durations; i++) {
		write_histogram(x, &durations[i]);
		write_quantiles(x, &durations[i]);
	}
	promtext_family(&x->text, "locktop_log_lines_total", "counter", "Lines" IN_LOG);
	promtext_sample(&x->text, "");
	promtext_count(&x->text, metrics->lines);
	promtext_family(&x->text, "locktop_log_lines_not_understood_total", "counter",
		"Lines that were not understood" IN_LOG);
	promtext_sample(&x->text, "");
	promtext_count(&x->text, metrics->bad);
}

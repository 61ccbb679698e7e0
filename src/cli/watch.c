/* What `locktop watch --metrics` says. */
#include "config.h"
#include "cli/watch.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

#include "base/text.h"

enum { ADDRESS = 4096 };

bool watch_is_told(enum metric_event event)
{
	switch (event) {
	case METRIC_SLOW:
	case METRIC_LOST:
	case METRIC_STALE:
	case METRIC_TAKEN_OVER:
	case METRIC_RELEASED_STALE:
	case METRIC_FORCED:
	case METRIC_SIGNALLED: return true;
	default: return false;
	}
}

static const char *or_empty(const char *text)
{
	return text ? text : "";
}

static void address_of(char *dst, size_t size, const struct metric *metric)
{
	*dst = '\0';
	metrics_address(dst, size, or_empty(metric->source), or_empty(metric->lock));
}

/* A line of JSON; object is taken. */
static int add_json(struct buf *out, json_t *object)
{
	char *text = object ? json_dumps(object,
				      JSON_ENSURE_ASCII | JSON_COMPACT | JSON_REAL_PRECISION(15))
			    : NULL;

	json_decref(object);
	if (!text)
		return -ENOMEM;
	buf_addf(out, "%s\n", text);
	free(text);
	return buf_failed(out);
}

/* --- events --- */

static void add_process(struct buf *out, int32_t pid, const char *name, const char *host)
{
	buf_addf(out, "pid %" PRId32, pid);
	if (*or_empty(name))
		buf_addf(out, " %s", name);
	if (*or_empty(host))
		buf_addf(out, " on %s", host);
}

static void write_event(const struct metric *metric, struct buf *out)
{
	char at[32], address[ADDRESS], length[32];
	const char *separator = ": ";

	address_of(address, sizeof address, metric);
	buf_addf(out, "%s %s %s", text_clock(at, sizeof at, metric->ts), address,
		metric_event_word(metric->event));
	if (metric->pid > 0) {
		buf_adds(out, separator);
		add_process(out, metric->pid, NULL, metric->host);
		separator = ", ";
	}
	if (metric->wait >= 0) {
		buf_addf(out, "%swaited %s", separator,
			text_latency(length, sizeof length, metric->wait));
		separator = ", ";
	}
	if (metric->hold >= 0) {
		buf_addf(out, "%sheld it for %s", separator,
			text_latency(length, sizeof length, metric->hold));
		separator = ", ";
	}
	if (metric->holder_pid > 0) {
		buf_addf(out, "%sholder ", separator);
		add_process(out, metric->holder_pid, metric->holder, metric->holder_host);
		if (metric->holder_age >= 0)
			buf_addf(out, " for %s",
				text_latency(length, sizeof length, metric->holder_age));
		separator = ", ";
	}
	if (*or_empty(metric->user)) {
		buf_addf(out, "%sby %s", separator, metric->user);
		separator = ", ";
	}
	if (*or_empty(metric->reason))
		buf_addf(out, "%s%s", separator, metric->reason);
	buf_addc(out, '\n');
}

static json_t *text_or_null(const char *text)
{
	return *or_empty(text) ? json_string(text) : json_null();
}

static json_t *number_or_null(int64_t number, int64_t least)
{
	return number >= least ? json_integer(number) : json_null();
}

static json_t *ms_or_null(int64_t ns)
{
	return ns >= 0 ? json_real((double)(ns / 1000) / 1000) : json_null();
}

static json_t *event_to_json(const struct metric *metric)
{
	char address[ADDRESS];

	address_of(address, sizeof address, metric);
	return json_pack("{s:i, s:s, s:f, s:s, s:s, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, "
			 "s:o, s:o, s:o, s:o}",
		"schema", 1, "kind", "event", "at", clock_seconds(metric->ts), "event",
		metric_event_word(metric->event), "address", address, "lock",
		text_or_null(metric->lock), "source", text_or_null(metric->source), "backend",
		text_or_null(metric->backend), "host", text_or_null(metric->host), "pid",
		number_or_null(metric->pid, 1), "wait_ms", ms_or_null(metric->wait), "hold_ms",
		ms_or_null(metric->hold), "holder_pid", number_or_null(metric->holder_pid, 1),
		"holder", text_or_null(metric->holder), "holder_host",
		text_or_null(metric->holder_host), "holder_age_s",
		metric->holder_age >= 0 ? json_real((double)(metric->holder_age / NS_PER_MS) / 1000)
					: json_null(),
		"user", text_or_null(metric->user), "reason", text_or_null(metric->reason));
}

int watch_event(const struct metric *metric, bool is_json, struct buf *out)
{
	if (is_json)
		return add_json(out, event_to_json(metric));
	write_event(metric, out);
	return buf_failed(out);
}

/* --- intervals --- */

struct interval {
	wall_t now;
	int64_t length;
	uint64_t bad;
	bool is_json;
};

/* What is seldom is said when it is there. */
static void add_seldom(struct buf *out, const struct tally *tally)
{
	static const enum metric_event seldom[] = {METRIC_LOST, METRIC_STALE, METRIC_TAKEN_OVER,
		METRIC_RELEASED_STALE, METRIC_FORCED, METRIC_SIGNALLED, METRIC_FALLBACK,
		METRIC_ERROR};

	if (tally->slow)
		buf_addf(out, " slow=%" PRIu32, tally->slow);
	for (size_t i = 0; i < sizeof seldom / sizeof *seldom; i++)
		if (tally->count[seldom[i]])
			buf_addf(out, " %s=%" PRIu32, metric_event_word(seldom[i]),
				tally->count[seldom[i]]);
}

static void write_interval(
	const struct interval *interval, const struct series *series, struct buf *out)
{
	const struct tally *tally = &series->total;
	struct percentiles wait = histogram_percentiles(&tally->wait);
	struct percentiles hold = histogram_percentiles(&tally->hold);
	char at[32], text[128];

	buf_addf(out, "%s %s acquired=%" PRIu32 " failed=%" PRIu64,
		text_clock(at, sizeof at, interval->now), series->address ? series->address : "all",
		tally->count[METRIC_ACQUIRED], tally_failed(tally));
	add_seldom(out, tally);
	if (!series->address && interval->bad)
		buf_addf(out, " not_understood=%" PRIu64, interval->bad);
	buf_addf(out, "  wait %s", percentiles_text(text, sizeof text, &wait));
	buf_addf(out, "  hold %s\n", percentiles_text(text, sizeof text, &hold));
}

static json_t *interval_to_json(const struct interval *interval, const struct series *series)
{
	json_t *tally = tally_to_json(&series->total);
	json_t *head = json_pack("{s:i, s:s, s:f, s:f}", "schema", 1, "kind",
		series->address ? "lock" : "all", "at", clock_seconds(interval->now), "seconds",
		(double)(interval->length / NS_PER_MS) / 1000);
	json_t *more = series->address
			       ? json_pack("{s:s, s:s, s:s, s:s}", "address", series->address,
					 "lock", series->lock, "source", series->source, "backend",
					 series->backend)
			       : json_pack("{s:I}", "not_understood", (json_int_t)interval->bad);

	if (!head || !more || !tally || json_object_update(head, more) < 0 ||
		json_object_update(head, tally) < 0) {
		json_decref(head);
		head = NULL;
	}
	json_decref(more);
	json_decref(tally);
	return head;
}

/* What goes on (renewed, slow) has been told, or will be when it ends. */
static bool says_something(const struct tally *tally)
{
	for (int i = 0; i < METRIC_EVENT_COUNT; i++)
		if (tally->count[i] && i != METRIC_RENEWED && i != METRIC_SLOW)
			return true;
	return false;
}

static int say_series(const struct interval *interval, const struct series *series, struct buf *out)
{
	if (interval->is_json)
		return add_json(out, interval_to_json(interval, series));
	write_interval(interval, series, out);
	return buf_failed(out);
}

int watch_interval(const struct metrics *metrics, wall_t now, int64_t length, uint64_t bad,
	bool is_json, struct buf *out)
{
	struct interval interval = {now, length, bad, is_json};
	size_t n;
	const struct series **series = metrics_sorted(metrics, &n);
	int e = series || n == 0 ? 0 : -ENOMEM;

	for (size_t i = 0; i < n && e == 0; i++)
		if (says_something(&series[i]->total))
			e = say_series(&interval, series[i], out);
	free(series);
	return e < 0 ? e : say_series(&interval, &metrics->all, out);
}

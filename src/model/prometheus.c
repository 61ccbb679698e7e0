/* The families that are exported to Prometheus. */
#include "config.h"
#include "model/prometheus_private.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* The program and its sources. */

static void write_program(struct exposition *x)
{
	struct promtext *text = &x->text;

	promtext_family(text, "locktop_build_info", "gauge", "Version of locktop; always 1.");
	promtext_sample(text, "");
	promtext_label(text, "version", x->what->version);
	promtext_count(text, 1);
	promtext_family(text, "locktop_last_run_timestamp_seconds", "gauge",
		"When locktop last looked, in seconds since 1970.");
	promtext_sample(text, "");
	promtext_seconds(text, x->what->model->now_wall);
}

struct source_up {
	char *source; /* owned */
	bool is_up;
};

static int compare_sources(const void *a, const void *b)
{
	const struct source_up *x = a, *y = b;
	int order = strcmp(x->source, y->source);

	return order ? order : x->is_up - y->is_up;
}

/* A source that was named twice is one, and up only if both are. */
static void write_ups(struct promtext *text, struct source_up *up, size_t n)
{
	qsort(up, n, sizeof *up, compare_sources);
	promtext_family(text, "locktop_source_up", "gauge",
		"Whether the source answered; the locks of one that did not are left out.");
	for (size_t i = 0; i < n; i++) {
		if (i && strcmp(up[i].source, up[i - 1].source) == 0)
			continue;
		promtext_sample(text, "");
		promtext_label(text, "source", up[i].source);
		promtext_count(text, up[i].is_up);
	}
}

static int write_sources(struct exposition *x)
{
	const struct model *model = x->what->model;
	struct source_up *up = calloc(model->sources + 1, sizeof *up);
	int e = up ? 0 : -ENOMEM;

	for (size_t i = 0; e == 0 && i < model->sources; i++) {
		up[i].source = label_source(model->source[i].uri);
		up[i].is_up = model->source[i].is_complete;
		if (!up[i].source)
			e = -ENOMEM;
	}
	if (e == 0 && model->sources)
		write_ups(&x->text, up, model->sources);
	for (size_t i = 0; up && i < model->sources; i++)
		free(up[i].source);
	free(up);
	return e;
}

/* What the sources say of each lock. */

void exposition_sample(struct exposition *x, const char *suffix, const struct row *row)
{
	struct promtext *text = &x->text;

	promtext_sample(text, suffix);
	promtext_label(text, "lock", row->name);
	promtext_label(text, "source", row->source);
	if (row->backend[0])
		promtext_label(text, "backend", row->backend);
}

static bool is_taken(const struct row *row)
{
	return row->entry->verdict.state != STATE_FREE;
}

/* The value of a gauge: count or ns; false: unknown, no sample. */
static bool held_of(const struct row *row, int64_t *value)
{
	*value = is_taken(row);
	return true;
}

static bool acquired_of(const struct row *row, int64_t *value)
{
	*value = row->entry->lock->since;
	return is_taken(row) && *value > 0;
}

static bool expires_of(const struct row *row, int64_t *value)
{
	*value = row->entry->lock->expires;
	return is_taken(row) && *value > 0;
}

static bool limit_of(const struct row *row, int64_t *value)
{
	*value = row->entry->limit;
	return *value > 0;
}

static bool alive_of(const struct row *row, int64_t *value)
{
	*value = verdict_running(row->entry->lock, &row->entry->verdict);
	return is_taken(row) && *value >= 0;
}

static bool waiters_of(const struct row *row, int64_t *value)
{
	*value = (int64_t)row->entry->lock->waiters;
	return true;
}

static const struct gauge {
	const char *name, *help;
	bool (*value)(const struct row *row, int64_t *value);
	bool is_time; /* ns, written as seconds */
} gauges[] = {
	{"locktop_lock_held", "Whether the lock is taken: 1 in every state but free.", held_of,
		false},
	{"locktop_lock_acquired_timestamp_seconds",
		"When a lock that is taken was acquired, in seconds since 1970.", acquired_of,
		true},
	{"locktop_lock_expires_timestamp_seconds",
		"When the lease of a lock that is taken ends, in seconds since 1970.", expires_of,
		true},
	{"locktop_lock_limit_seconds", "How long a hold may take before it is overdue or stale.",
		limit_of, true},
	{"locktop_lock_holder_alive",
		"Whether the holder of a lock that is taken is alive; no sample where unknown.",
		alive_of, false},
	{"locktop_lock_waiters", "Processes that queue for the lock.", waiters_of, false},
};

static void write_gauge(struct exposition *x, const struct gauge *gauge)
{
	promtext_family(&x->text, gauge->name, "gauge", gauge->help);
	for (size_t i = 0; i < x->rows.n; i++) {
		const struct row *row = &x->rows.row[i];
		int64_t value;

		if (!row->is_kept || !row->entry || !gauge->value(row, &value))
			continue;
		exposition_sample(x, "", row);
		if (gauge->is_time)
			promtext_seconds(&x->text, value);
		else
			promtext_count(&x->text, (uint64_t)value);
	}
}

static const struct {
	enum state state;
	const char *label;
} states[STATE_COUNT] = {
	{STATE_FREE, "free"},
	{STATE_HELD, "held"},
	{STATE_OVERDUE, "overdue"},
	{STATE_STALE, "stale"},
	{STATE_EXPIRED, "expired"},
	{STATE_UNKNOWN, "unknown"},
	{STATE_CORRUPT, "corrupt"},
};

static void write_states(struct exposition *x)
{
	promtext_family(&x->text, "locktop_lock_state", "gauge",
		"State of the lock: 1 for the one that it is in, 0 for the others.");
	for (size_t i = 0; i < x->rows.n; i++) {
		const struct row *row = &x->rows.row[i];

		for (int k = 0; row->is_kept && row->entry && k < STATE_COUNT; k++) {
			exposition_sample(x, "", row);
			promtext_label(&x->text, "state", states[k].label);
			promtext_count(&x->text, row->entry->verdict.state == states[k].state);
		}
	}
}

/* Over all locks, also those that are left out. */
static void write_sums(struct exposition *x)
{
	uint64_t count[STATE_COUNT] = {0};
	uint64_t forgotten = x->what->metrics ? x->what->metrics->forgotten : 0;

	for (size_t i = 0; i < x->rows.n; i++)
		if (x->rows.row[i].entry)
			count[x->rows.row[i].entry->verdict.state]++;
	promtext_family(&x->text, "locktop_locks", "gauge",
		"Locks in each state, of all sources that answered.");
	for (int k = 0; k < STATE_COUNT; k++) {
		promtext_sample(&x->text, "");
		promtext_label(&x->text, "state", states[k].label);
		promtext_count(&x->text, count[states[k].state]);
	}
	promtext_family(&x->text, "locktop_locks_left_out", "gauge",
		"Locks that have no samples of their own because there are too many.");
	promtext_sample(&x->text, "");
	promtext_count(&x->text, x->rows.n - x->rows.kept + forgotten);
}

int prometheus_write(const struct prometheus *prometheus, struct buf *out)
{
	struct exposition x = {.what = prometheus, .text.out = out};
	int e = rows_fill(&x.rows, prometheus);

	if (e == 0) {
		write_program(&x);
		e = write_sources(&x);
	}
	if (e == 0) {
		for (size_t i = 0; i < sizeof gauges / sizeof *gauges; i++)
			write_gauge(&x, &gauges[i]);
		write_states(&x);
		write_sums(&x);
		if (prometheus->metrics) {
			x.has_others = prometheus->metrics->forgotten > 0 ||
				       x.rows.series < prometheus->metrics->series;
			exposition_log(&x);
		}
	}
	rows_release(&x.rows);
	return e < 0 ? e : buf_failed(out);
}

/* What `locktop report` prints. */
#include "config.h"
#include "cli/report.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "cli/print.h"

enum { CELL_TEXT = 1024, NAME_LEAST = 16 };

const char *const report_by_word[REPORT_BY_COUNT] = {
#define _(id, word) word,
	REPORT_BYS(_)
#undef _
};

/* --- rows --- */

static const char *group_of(const struct series *series, enum report_by by)
{
	const char *name = by == REPORT_BY_SOURCE    ? series->source
			   : by == REPORT_BY_BACKEND ? series->backend
						     : series->address;

	return name && *name ? name : "-";
}

static int by_group(const void *a, const void *b, void *data)
{
	const struct series *const *x = a, *const *y = b;
	const struct report *report = data;

	return strcmp(group_of(*x, report->by), group_of(*y, report->by));
}

static int by_figure(const void *a, const void *b, void *data)
{
	const struct report_row *x = a, *y = b;
	const struct report *report = data;
	int64_t u = INT64_MIN, v = INT64_MIN;

	if (report->sort != REPORT_SORT_NAME) {
		figure_value(&x->figures, (enum figure)report->sort, &u);
		figure_value(&y->figures, (enum figure)report->sort, &v);
	}
	if (u != v)
		return u > v ? -1 : 1;
	return strcmp(x->name, y->name);
}

static int64_t window_of(const struct report *report)
{
	wall_t since = report->since ? report->since : report->read->first;

	return since && report->until > since ? report->until - since : 0;
}

/* A row of one lock needs no copy of its tally. */
static int add_to_row(struct report_row *row, const struct series *series)
{
	int e = 0;

	if (row->locks == 0) {
		row->series = series;
	} else {
		if (row->series)
			e = tally_merge(&row->own, &row->series->total);
		row->series = NULL;
		if (e == 0)
			e = tally_merge(&row->own, &series->total);
	}
	row->locks++;
	return e;
}

static void count_row(const struct report *report, struct report_row *row)
{
	row->figures = figures_of(row->series ? &row->series->total : &row->own, window_of(report));
}

static void mark_found(struct report *report, const struct series *series)
{
	for (size_t i = 0; i < report->picks->n; i++)
		if (log_pick_has(
			    &report->picks->pick[i], series->source, series->lock, series->backend))
			report->found[i] = true;
}

static int make_rows(struct report *report, const struct series **series, size_t n)
{
	int e = 0;

	if (n)
		qsort_r(series, n, sizeof *series, by_group, report);
	for (size_t i = 0; i < n && e == 0; i++) {
		const char *name = group_of(series[i], report->by);

		mark_found(report, series[i]);
		if (report->rows == 0 || strcmp(report->row[report->rows - 1].name, name) != 0)
			report->row[report->rows++] = (struct report_row){.name = name};
		e = add_to_row(&report->row[report->rows - 1], series[i]);
	}
	return e;
}

int report_make(struct report *report)
{
	size_t n;
	const struct series **series = metrics_sorted(report->metrics, &n);
	int e = series || n == 0 ? 0 : -ENOMEM;

	/* All is all: also what has no lock's name, and what was forgotten. */
	report->all =
		(struct report_row){.name = "all", .locks = n, .series = &report->metrics->all};
	report->found = calloc(report->picks->n + 1, sizeof *report->found);
	report->row = calloc(n + 1, sizeof *report->row);
	if (!report->row || !report->found)
		e = -ENOMEM;
	if (e == 0)
		e = make_rows(report, series, n);
	free(series);
	if (e < 0)
		return e;
	for (size_t i = 0; i < report->rows; i++)
		count_row(report, &report->row[i]);
	count_row(report, &report->all);
	qsort_r(report->row, report->rows, sizeof *report->row, by_figure, report);
	return 0;
}

void report_release(struct report *report)
{
	for (size_t i = 0; i < report->rows; i++)
		tally_release(&report->row[i].own);
	tally_release(&report->all.own);
	free(report->row);
	free(report->found);
	report->found = NULL;
	report->row = NULL;
	report->rows = 0;
}

/* --- the table --- */

enum { COLUMNS_MAX = 8 };

/* Four tables, one for each question; the first column is the name. */
struct part {
	const char *title;
	const enum figure *figure;
	size_t n;
	int few; /* the first of three percentiles, which are left out of too few; -1 */
};

static const enum figure wait_figures[] = {
	FIGURE_WAIT_N, FIGURE_WAIT_P50, FIGURE_WAIT_P95, FIGURE_WAIT_P99, FIGURE_WAIT_MAX};
static const enum figure hold_figures[] = {
	FIGURE_HOLD_N, FIGURE_HOLD_P50, FIGURE_HOLD_P95, FIGURE_HOLD_P99, FIGURE_HOLD_MAX};
static const enum figure failed_figures[] = {FIGURE_ATTEMPTS, FIGURE_FAILED, FIGURE_FAILED_PERCENT,
	FIGURE_BUSY, FIGURE_TIMEOUT, FIGURE_SLOW, FIGURE_LOST};
static const enum figure stale_figures[] = {FIGURE_STALE, FIGURE_STALE_PER_100,
	FIGURE_STALE_PER_DAY, FIGURE_TAKEN_OVER, FIGURE_BY_HAND, FIGURE_FORCED};

static const struct part parts[] = {
	{"WAIT UNTIL ACQUIRED", wait_figures, 5, 1},
	{"HOLD", hold_figures, 5, 1},
	{"FAILED ATTEMPTS", failed_figures, 7, -1},
	{"STALE", stale_figures, 6, -1},
};
enum { PARTS = sizeof parts / sizeof *parts };

struct widths {
	int name;
	int column[PARTS][COLUMNS_MAX];
};

static void widen(struct widths *widths, size_t p, const struct report_row *row)
{
	char text[64];

	for (size_t c = 0; c < parts[p].n; c++) {
		int width = text_width(
			figure_text(text, sizeof text, &row->figures, parts[p].figure[c]));

		if (width > widths->column[p][c])
			widths->column[p][c] = width;
	}
}

static int part_width(const struct widths *widths, size_t p)
{
	int width = 0;

	for (size_t c = 0; c < parts[p].n; c++)
		width += 1 + widths->column[p][c];
	return width;
}

/* The first column is as wide as the longest name, if the terminal has room for it. */
static struct widths widths_of(const struct report *report, int cols)
{
	struct widths widths = {.name = NAME_LEAST};

	for (size_t i = 0; i < report->rows; i++) {
		int width = text_width(report->row[i].name);

		widths.name = width > widths.name ? width : widths.name;
	}
	for (size_t p = 0; p < PARTS; p++) {
		int width = text_width(parts[p].title);

		widths.name = width > widths.name ? width : widths.name;
		for (size_t c = 0; c < parts[p].n; c++) {
			width = text_width(figure_info[parts[p].figure[c]].title);
			widths.column[p][c] = parts[p].few >= 0 && width < 7 ? 7 : width;
		}
		for (size_t i = 0; i < report->rows; i++)
			widen(&widths, p, &report->row[i]);
		widen(&widths, p, &report->all);
	}
	for (size_t p = 0; p < PARTS && cols > 0; p++)
		if (widths.name > cols - part_width(&widths, p))
			widths.name = cols - part_width(&widths, p);
	if (widths.name < NAME_LEAST)
		widths.name = NAME_LEAST;
	return widths;
}

static void write_name(const char *name, int width, struct buf *out)
{
	char fitted[CELL_TEXT];

	text_fit(fitted, sizeof fitted, name, width, TEXT_CUT_MIDDLE);
	print_cell(out, fitted, width, false, false);
}

/* "n=7, too few" where the percentiles would be. */
static void write_few(uint64_t n, const int *width, struct buf *out)
{
	char text[64];

	snprintf(text, sizeof text, "n=%llu, too few", (unsigned long long)n);
	print_cell(out, text, width[0] + width[1] + width[2] + 2, true, false);
}

static void write_row(const struct part *part, const struct report_row *row, int name,
	const int *width, struct buf *out)
{
	int64_t n = 0;
	char text[64];

	write_name(row->name, name, out);
	if (part->few >= 0)
		figure_value(&row->figures, part->figure[0], &n);
	for (size_t c = 0; c < part->n; c++) {
		if ((int)c == part->few && n > 0 && n < PERCENTILES_FEW) {
			write_few((uint64_t)n, &width[c], out);
			c += 2;
			continue;
		}
		figure_text(text, sizeof text, &row->figures, part->figure[c]);
		print_cell(out, text, width[c], true, c + 1 == part->n);
	}
	buf_addc(out, '\n');
}

static void write_part(
	const struct report *report, size_t p, const struct widths *widths, struct buf *out)
{
	const struct part *part = &parts[p];

	buf_addc(out, '\n');
	write_name(part->title, widths->name, out);
	for (size_t c = 0; c < part->n; c++)
		print_cell(out, figure_info[part->figure[c]].title, widths->column[p][c], true,
			c + 1 == part->n);
	buf_addc(out, '\n');
	for (size_t i = 0; i < report->rows; i++)
		write_row(part, &report->row[i], widths->name, widths->column[p], out);
	write_row(part, &report->all, widths->name, widths->column[p], out);
}

static const char *plural(uint64_t n)
{
	return n == 1 ? "" : "s";
}

void log_reading_text(
	const struct metricsread *read, const char *window, wall_t until, struct buf *out)
{
	char lines[32], bad[32], clean[CELL_TEXT], time[32];

	buf_addf(out, "%s to %s: %s line%s of %zu log%s, %s not understood\n", window,
		text_time(time, sizeof time, until), print_count(lines, sizeof lines, read->lines),
		plural(read->lines), read->files, plural(read->files),
		print_count(bad, sizeof bad, read->bad));
	for (size_t i = 0; i < read->logs; i++) {
		text_clean(clean, sizeof clean, read->log[i], strlen(read->log[i]), NULL);
		buf_addf(out, "%s%s", i ? ", " : "", clean);
	}
	if (read->first)
		buf_addf(out, ", from %s on", text_time(time, sizeof time, read->first));
	buf_addc(out, '\n');
}

/* Of more locks than there is room for, those longest unused lose what was counted. */
static void write_forgotten(const struct report *report, struct buf *out)
{
	char text[32];

	if (report->metrics->forgotten)
		buf_addf(out,
			"More than %s locks: of some nothing or too little is shown, all has "
			"everything\n",
			print_count(text, sizeof text, report->metrics->series));
}

int report_table(const struct report *report, int cols, struct buf *out)
{
	struct widths widths = widths_of(report, cols);

	log_reading_text(report->read, report->window, report->until, out);
	write_forgotten(report, out);
	for (size_t p = 0; p < PARTS; p++)
		write_part(report, p, &widths, out);
	return buf_failed(out);
}

/* --- for programs --- */

int report_csv(const struct report *report, struct buf *out)
{
	char text[64];

	buf_adds(out, report->by == REPORT_BY_LOCK ? "address,lock,source,backend"
						   : report_by_word[report->by]);
	for (int i = 0; i < FIGURE_COUNT_OF; i++)
		buf_addf(out, ",%s", figure_info[i].word);
	buf_adds(out, "\r\n");
	for (size_t r = 0; r < report->rows; r++) {
		const struct report_row *row = &report->row[r];

		print_csv_cell(out, row->name);
		if (report->by == REPORT_BY_LOCK) {
			buf_addc(out, ',');
			print_csv_cell(out, row->series->lock);
			buf_addc(out, ',');
			print_csv_cell(out, row->series->source);
			buf_addc(out, ',');
			print_csv_cell(out, row->series->backend);
		}
		for (int i = 0; i < FIGURE_COUNT_OF; i++)
			buf_addf(out, ",%s",
				figure_plain(text, sizeof text, &row->figures, (enum figure)i));
		buf_adds(out, "\r\n");
	}
	return buf_failed(out);
}

int report_ids(const struct report *report, struct buf *out)
{
	for (size_t i = 0; i < report->rows; i++)
		buf_addf(out, "%s\n", report->row[i].name);
	return buf_failed(out);
}

static json_t *time_or_null(wall_t at)
{
	return at ? json_real(clock_seconds(at)) : json_null();
}

static json_t *logs_to_json(const struct metricsread *read)
{
	json_t *logs = json_array();
	int e = logs ? 0 : -1;

	for (size_t i = 0; i < read->logs && e == 0; i++) {
		char clean[4096];

		text_clean(clean, sizeof clean, read->log[i], strlen(read->log[i]), NULL);
		e = json_array_append_new(logs, json_string(clean));
	}
	if (e == 0)
		return logs;
	json_decref(logs);
	return NULL;
}

json_t *log_reading_to_json(
	const struct metricsread *read, const char *host, wall_t now, wall_t since, wall_t until)
{
	return json_pack("{s:i, s:f, s:s, s:o, s:o, s:o, s:I, s:I, s:I, s:o, s:o}", "schema", 1,
		"at", clock_seconds(now), "host", host, "since", time_or_null(since), "until",
		time_or_null(until), "logs", logs_to_json(read), "lines", (json_int_t)read->lines,
		"not_understood", (json_int_t)read->bad, "ignored", (json_int_t)read->ignored,
		"first", time_or_null(read->first), "last", time_or_null(read->last));
}

static json_t *waited_to_json(const struct series *series)
{
	json_t *array = json_array();
	int e = array ? 0 : -1;

	for (size_t i = 0; i < WAITED_FOR_MAX && *series->waited[i].who && e == 0; i++) {
		const struct waited_for *waited = &series->waited[i];

		e = json_array_append_new(
			array, json_pack("{s:s, s:I, s:f}", "who", waited->who, "times",
				       (json_int_t)waited->times, "longest_ms",
				       (double)(waited->longest / 1000) / 1000));
	}
	if (e == 0)
		return array;
	json_decref(array);
	return NULL;
}

static json_t *row_to_json(const struct report *report, const struct report_row *row)
{
	json_t *head, *figures = figures_to_json(&row->figures);

	if (report->by == REPORT_BY_LOCK)
		head = json_pack("{s:s, s:s, s:s, s:s, s:o}", "address", row->name, "lock",
			row->series->lock, "source", row->series->source, "backend",
			row->series->backend, "waited_for", waited_to_json(row->series));
	else
		head = json_pack("{s:s, s:I}", report_by_word[report->by], row->name, "locks",
			(json_int_t)row->locks);
	if (!head || !figures || json_object_update(head, figures) < 0) {
		json_decref(head);
		head = NULL;
	}
	json_decref(figures);
	return head;
}

json_t *report_to_json(const struct report *report)
{
	json_t *object = log_reading_to_json(
		report->read, report->host, report->now, report->since, report->until);
	json_t *rows = json_array();
	int e = object && rows ? 0 : -1;

	for (size_t i = 0; i < report->rows && e == 0; i++)
		e = json_array_append_new(rows, row_to_json(report, &report->row[i]));
	if (e == 0)
		e = json_object_set_new(
			object, "forgotten", json_integer((json_int_t)report->metrics->forgotten));
	if (e == 0)
		e = json_object_set_new(object, "all", figures_to_json(&report->all.figures));
	if (e == 0)
		e = json_object_set(
			object, report->by == REPORT_BY_LOCK ? "locks" : "groups", rows);
	json_decref(rows);
	if (e == 0)
		return object;
	json_decref(object);
	return NULL;
}

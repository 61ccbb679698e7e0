/*
 * The locks that are exported: those of the model and those that the log names, found together by
 * their address.
 */
#include "config.h"
#include "model/prometheus_private.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ADDRESS_MAX = 4096 };

/* Labels. */

/* Length of "ssh:HOST:", 0 if there is none; a host may be [an:address]. */
static size_t ssh_length(const char *uri)
{
	const char *host = uri + 4;
	const char *end;

	if (strncmp(uri, "ssh:", 4) != 0)
		return 0;
	end = strchr(host, '[') ? strchr(host, ']') : NULL;
	end = strchr(end ? end : host, ':');
	return end ? (size_t)(end - uri) + 1 : 0;
}

char *label_source(const char *uri)
{
	size_t ssh = ssh_length(uri);
	const char *inner = uri + ssh;
	char *text;

	if (asprintf(&text, "%.*s%s%s", (int)ssh, uri,
		    *inner == '/' || *inner == '.' ? "file:" : "", inner) < 0)
		return NULL;
	return text;
}

/*
 * That of a lock, as those say it who take locks: "file:/run/lock", also where the file itself or a
 * pattern is what is looked at.
 */
static char *label_lock_source(const struct model *model, const struct entry *entry)
{
	const char *uri = model->source[entry->source].uri;
	const char *path = entry->lock->path;
	const char *slash = path ? strrchr(path, '/') : NULL;
	char *text;

	if (entry->lock->kind != LOCK_FILE || !slash)
		return label_source(uri);
	if (asprintf(&text, "%.*sfile:%.*s", (int)ssh_length(uri), uri,
		    slash == path ? 1 : (int)(slash - path), path) < 0)
		return NULL;
	return text;
}

/* "file", of "file:/run/lock" and of "ssh:web1:file:/run/lock". Owned; NULL out of memory. */
static char *backend_of(const char *source)
{
	const char *inner = source + ssh_length(source);

	return strndup(inner, strcspn(inner, ":"));
}

/* Rows. */

static void row_release(struct row *row)
{
	free(row->address);
	free(row->source);
	free(row->backend);
}

/* Takes what the row owns over; -ENOMEM also where that could not be made. */
static int add_row(struct rows *rows, struct row row)
{
	size_t size = rows->size ? 2 * rows->size : 64;
	struct row *grown = rows->row;

	if (rows->n == rows->size)
		grown = reallocarray(rows->row, size, sizeof *grown);
	if (!grown || !row.address || !row.source || !row.backend) {
		row_release(&row);
		return -ENOMEM;
	}
	if (rows->n == rows->size)
		rows->size = size;
	rows->row = grown;
	rows->row[rows->n++] = row;
	return 0;
}

static int add_entry(struct rows *rows, const struct model *model, const struct entry *entry)
{
	char address[ADDRESS_MAX];
	struct row row = {
		.source = label_lock_source(model, entry),
		.name = entry->lock->name,
		.entry = entry,
	};

	model_address(address, sizeof address, model, entry);
	row.address = strdup(address);
	if (row.source)
		row.backend = backend_of(row.source);
	return add_row(rows, row);
}

static int add_source(struct rows *rows, const struct model *model, size_t source)
{
	const struct model_source *from = &model->source[source];
	int e = 0;

	for (size_t i = 0; e == 0 && from->is_complete && i < from->n; i++)
		if (!from->entry[i]->is_past)
			e = add_entry(rows, model, from->entry[i]);
	return e;
}

static int add_log(struct rows *rows, const struct metrics *metrics)
{
	size_t n;
	const struct series **series = metrics_sorted(metrics, &n);
	int e = series || n == 0 ? 0 : -ENOMEM;

	for (size_t i = 0; e == 0 && i < n; i++) {
		const struct row row = {
			.address = strdup(series[i]->address),
			.source = label_source(series[i]->source),
			.backend = strdup(series[i]->backend),
			.name = series[i]->lock,
			.series = series[i],
		};

		e = add_row(rows, row);
	}
	free(series);
	return e;
}

static int rank_of(const struct row *row)
{
	return row->entry ? state_rank(row->entry->verdict.state) : -1;
}

/* Of two looks at one lock the worse one stands first, and what the log says last. */
static int compare_addresses(const void *a, const void *b)
{
	const struct row *x = a, *y = b;
	int order = strcmp(x->address, y->address);

	return order ? order : rank_of(y) - rank_of(x);
}

static int compare_labels(const void *a, const void *b)
{
	const struct row *x = a, *y = b;
	int order = strcmp(x->source, y->source);

	if (!order)
		order = strcmp(x->name, y->name);
	return order ? order : strcmp(x->address, y->address);
}

static bool has_same_address(const struct row *a, const struct row *b)
{
	return strcmp(a->address, b->address) == 0;
}

static bool has_same_labels(const struct row *a, const struct row *b)
{
	return strcmp(a->source, b->source) == 0 && strcmp(a->name, b->name) == 0;
}

/* Sorts, and makes one row of those that are the same. */
static void unite_rows(struct rows *rows, int (*compare)(const void *a, const void *b),
	bool (*is_same)(const struct row *a, const struct row *b))
{
	size_t n = 0;

	if (rows->n)
		qsort(rows->row, rows->n, sizeof *rows->row, compare);
	for (size_t i = 0; i < rows->n; i++) {
		struct row *row = &rows->row[i];

		if (n == 0 || !is_same(&rows->row[n - 1], row)) {
			rows->row[n++] = *row;
			continue;
		}
		if (!rows->row[n - 1].series)
			rows->row[n - 1].series = row->series;
		row_release(row);
	}
	rows->n = n;
}

static int compare_harm(const void *a, const void *b)
{
	const struct row *x = *(struct row *const *)a, *y = *(struct row *const *)b;
	int order = rank_of(y) - rank_of(x);

	return order ? order : compare_labels(x, y);
}

/* Those that may hurt are kept first. */
static int keep_rows(struct rows *rows, size_t max)
{
	struct row **order = calloc(rows->n + 1, sizeof *order);

	if (!order)
		return -ENOMEM;
	for (size_t i = 0; i < rows->n; i++)
		order[i] = &rows->row[i];
	if (rows->n > max)
		qsort(order, rows->n, sizeof *order, compare_harm);
	rows->kept = rows->n < max ? rows->n : max;
	for (size_t i = 0; i < rows->kept; i++) {
		order[i]->is_kept = true;
		if (order[i]->series)
			rows->series++;
	}
	free(order);
	return 0;
}

int rows_fill(struct rows *rows, const struct prometheus *what)
{
	int e = 0;

	for (size_t i = 0; e == 0 && i < what->model->sources; i++)
		e = add_source(rows, what->model, i);
	if (e == 0 && what->metrics)
		e = add_log(rows, what->metrics);
	if (e < 0)
		return e;
	unite_rows(rows, compare_addresses, has_same_address);
	/* Two names for one thing must not be one name for two: Prometheus would refuse it all. */
	unite_rows(rows, compare_labels, has_same_labels);
	return keep_rows(rows, what->locks_max);
}

void rows_release(struct rows *rows)
{
	for (size_t i = 0; i < rows->n; i++)
		row_release(&rows->row[i]);
	free(rows->row);
}

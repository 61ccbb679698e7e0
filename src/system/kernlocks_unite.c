/*
 * A table that came in several reads. Between two of them the kernel goes on by counting lines,
 * so that each lock that was given up meanwhile hides one that was there all the time, and each
 * new one shows one twice. What one table lacks another may have.
 */
#include "config.h"

#include "system/kernlocks_walk.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct rows {
	const struct kernlocks *locks;
	size_t *row; /* owned; those that are no waiters, sorted */
	size_t n;
};

static int compare_rows(const void *a, const void *b, void *data)
{
	const struct kernlock *lock = data;
	size_t i = *(const size_t *)a, j = *(const size_t *)b;
	int order = kernlocks_compare(&lock[i], &lock[j]);

	return order ? order : i < j ? -1 : i > j;
}

static int rows_init(struct rows *rows, const struct kernlocks *locks)
{
	*rows = (struct rows){.locks = locks};
	rows->row = reallocarray(NULL, locks->n + 1, sizeof *rows->row);
	if (!rows->row)
		return -ENOMEM;
	for (size_t i = 0; i < locks->n; i++)
		if (!locks->lock[i].is_waiter)
			rows->row[rows->n++] = i;
	qsort_r(rows->row, rows->n, sizeof *rows->row, compare_rows, locks->lock);
	return 0;
}

/* A lock and who waits for it: that many lines. */
static size_t block_of(const struct kernlocks *locks, size_t first)
{
	size_t n = 1;

	while (first + n < locks->n && locks->lock[first + n].is_waiter)
		n++;
	return n;
}

/* Appends it under a number of its own. */
static int add_block(struct kernlocks *to, const struct kernlocks *from, size_t first, uint64_t id)
{
	size_t n = block_of(from, first);
	struct kernlock *more = reallocarray(to->lock, to->n + n, sizeof *more);

	if (!more)
		return -ENOMEM;
	to->lock = more;
	memcpy(more + to->n, from->lock + first, n * sizeof *more);
	for (size_t i = to->n; i < to->n + n; i++)
		more[i].id = id;
	to->n += n;
	return 0;
}

static uint64_t last_id(const struct kernlocks *locks)
{
	uint64_t last = 0;

	for (size_t i = 0; i < locks->n; i++)
		if (locks->lock[i].id > last)
			last = locks->lock[i].id;
	return last;
}

/* The rows of b that are not in a, which grows: a's rows are of before. */
static int add_missing(struct kernlocks *to, const struct rows *a, const struct rows *b)
{
	uint64_t id = last_id(to);
	size_t i = 0;
	int added = 0;

	for (size_t j = 0; j < b->n; j++) {
		const struct kernlock *theirs = &b->locks->lock[b->row[j]];

		/* In step, for locks may look the same: as many of them as either has. */
		while (i < a->n && kernlocks_compare(&to->lock[a->row[i]], theirs) < 0)
			i++;
		if (i < a->n && kernlocks_compare(&to->lock[a->row[i]], theirs) == 0) {
			i++;
			continue;
		}
		if (add_block(to, b->locks, b->row[j], ++id) < 0)
			return -ENOMEM;
		added++;
	}
	return added;
}

int kernlocks_unite(struct kernlocks *to, const struct kernlocks *from)
{
	struct rows a, b = {0};
	int rc = rows_init(&a, to);

	if (rc == 0)
		rc = rows_init(&b, from);
	if (rc == 0)
		rc = add_missing(to, &a, &b);
	free(a.row);
	free(b.row);
	return rc;
}

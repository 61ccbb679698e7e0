/* All locks of a source at one moment, sorted by name. */
#include "config.h"
#include "model/snapshot.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

size_t snapshot_index(const struct snapshot *snapshot, const char *name)
{
	size_t low = 0, high = snapshot->n;

	/* Whoever scans in the order of names appends. */
	if (high > 0 && strcmp(snapshot->lock[high - 1]->name, name) < 0)
		return high;
	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (strcmp(snapshot->lock[middle]->name, name) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static bool is_at(const struct snapshot *snapshot, size_t i, const char *name)
{
	return i < snapshot->n && strcmp(snapshot->lock[i]->name, name) == 0;
}

static int grow(struct snapshot *snapshot)
{
	size_t size = snapshot->size ? snapshot->size * 2 : 16;
	struct lock **grown;

	if (snapshot->n < snapshot->size)
		return 0;
	grown = realloc(snapshot->lock, size * sizeof *grown);
	if (!grown)
		return -ENOMEM;
	snapshot->lock = grown;
	snapshot->size = size;
	return 0;
}

int snapshot_put(struct snapshot *snapshot, struct lock *lock)
{
	size_t i = snapshot_index(snapshot, lock->name);

	if (is_at(snapshot, i, lock->name)) {
		lock_unref(snapshot->lock[i]);
		snapshot->lock[i] = lock;
		return 0;
	}
	if (grow(snapshot) < 0) {
		lock_unref(lock);
		return -ENOMEM;
	}
	memmove(snapshot->lock + i + 1, snapshot->lock + i,
		(snapshot->n - i) * sizeof *snapshot->lock);
	snapshot->lock[i] = lock;
	snapshot->n++;
	return 0;
}

int snapshot_remove(struct snapshot *snapshot, const char *name)
{
	size_t i = snapshot_index(snapshot, name);

	if (!is_at(snapshot, i, name))
		return -ENOENT;
	lock_unref(snapshot->lock[i]);
	snapshot->n--;
	memmove(snapshot->lock + i, snapshot->lock + i + 1,
		(snapshot->n - i) * sizeof *snapshot->lock);
	return 0;
}

struct lock *snapshot_find(const struct snapshot *snapshot, const char *name)
{
	size_t i = snapshot_index(snapshot, name);

	return is_at(snapshot, i, name) ? snapshot->lock[i] : NULL;
}

int snapshot_copy(struct snapshot *to, const struct snapshot *from)
{
	*to = (struct snapshot){0};
	if (from->n == 0)
		return 0;
	to->lock = malloc(from->n * sizeof *to->lock);
	if (!to->lock)
		return -ENOMEM;
	to->n = to->size = from->n;
	for (size_t i = 0; i < from->n; i++)
		to->lock[i] = lock_ref(from->lock[i]);
	return 0;
}

void snapshot_release(struct snapshot *snapshot)
{
	for (size_t i = 0; i < snapshot->n; i++)
		lock_unref(snapshot->lock[i]);
	free(snapshot->lock);
	*snapshot = (struct snapshot){0};
}

int snapshot_diff(const struct snapshot *a, const struct snapshot *b,
	int (*changed)(void *data, struct lock *lock), int (*gone)(void *data, const char *name),
	void *data)
{
	size_t i = 0, j = 0;
	int e = 0;

	while (e >= 0 && (i < a->n || j < b->n)) {
		int order = i == a->n   ? 1
			    : j == b->n ? -1
					: strcmp(a->lock[i]->name, b->lock[j]->name);

		if (order < 0) {
			e = gone(data, a->lock[i++]->name);
		} else if (order > 0) {
			e = changed(data, b->lock[j++]);
		} else {
			if (!lock_equal(a->lock[i], b->lock[j]))
				e = changed(data, b->lock[j]);
			i++;
			j++;
		}
	}
	return e < 0 ? e : 0;
}

/*
 * All locks of a source at one moment: an array sorted by name (strcmp(3)), without doubles.
 * Snapshots share their locks by reference, so taking over what did not change costs nothing,
 * and the difference of two is a merge.
 */
#ifndef LOCKTOP_MODEL_SNAPSHOT_H
#define LOCKTOP_MODEL_SNAPSHOT_H

#include "model/lock.h"

struct snapshot {
	struct lock **lock; /* owned array of references */
	size_t n, size;
};

/*
 * Puts a lock in, replacing one of the same name; takes the reference over, also on error.
 * Appending in order of names is O(1). 0 or -ENOMEM.
 */
int snapshot_put(struct snapshot *snapshot, struct lock *lock);
/* Takes the one of that name out: 0 or -ENOENT. */
int snapshot_remove(struct snapshot *snapshot, const char *name);
/* Borrowed, or NULL. */
struct lock *snapshot_find(const struct snapshot *snapshot, const char *name);
/* Where name is, or would have to be inserted. */
size_t snapshot_index(const struct snapshot *snapshot, const char *name);
/* A second snapshot with references to the same locks: 0 or -ENOMEM (then it is empty). */
int snapshot_copy(struct snapshot *to, const struct snapshot *from);
void snapshot_release(struct snapshot *snapshot);

/*
 * Calls changed(data, lock) for every lock of b that a lacks or has otherwise, and
 * gone(data, name) for every name of a that b lacks, in the order of names: applying that to a
 * gives b. Stops at the first negative return and returns it.
 */
int snapshot_diff(const struct snapshot *a, const struct snapshot *b,
	int (*changed)(void *data, struct lock *lock), int (*gone)(void *data, const char *name),
	void *data);

#endif

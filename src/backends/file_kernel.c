/*
 * The kernel's table: who holds and waits for which file. The table is cheap to read and is
 * compared by a hash of the lines that concern us; descriptors of processes are walked, which is
 * dear, only when those have changed.
 */
#include "config.h"

#include "backends/file_private.h"

#include <errno.h>
#include <stdlib.h>

#include "base/text.h"

/* A table that seems the same may still hide that a descriptor was handed on. */
#define HOLDERS_EVERY (10 * NS_PER_S)

struct inode {
	uint64_t ino;
	struct item *item;
};

void file_kernel_forget_inodes(struct place *place)
{
	free(place->inode);
	place->inode = NULL;
}

static int compare_inodes(const void *a, const void *b)
{
	const struct inode *x = a, *y = b;

	return (x->ino > y->ino) - (x->ino < y->ino);
}

static int index_inodes(struct place *place)
{
	if (place->inode || place->n == 0)
		return 0;
	place->inode = malloc(place->n * sizeof *place->inode);
	if (!place->inode)
		return -ENOMEM;
	for (size_t i = 0; i < place->n; i++)
		place->inode[i] = (struct inode){place->item[i]->lock->ino, place->item[i]};
	qsort(place->inode, place->n, sizeof *place->inode, compare_inodes);
	return 0;
}

/* First index of the inode number, or n. */
static size_t find_inode(const struct place *place, uint64_t ino)
{
	size_t low = 0, high = place->n;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (place->inode[middle].ino < ino)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static uint64_t hash_line(const struct kernlock *line, uint64_t hash)
{
	const uint64_t facts[] = {line->kind, line->is_write, line->is_waiter, (uint64_t)line->pid,
		line->ino, (uint64_t)line->from, (uint64_t)line->to};

	return text_hash(facts, sizeof facts, hash);
}

/*
 * Marks the items whose inode number is in the table, and says whether there are any; *changed:
 * those lines are not what they were, or somebody has not been compared with them yet.
 */
static bool mark_items(struct place *place, const struct kernlocks *table, bool *changed)
{
	uint64_t hash = 0;
	bool any = false;

	*changed = false;
	for (size_t i = 0; i < place->n; i++)
		place->item[i]->is_in_table = false;
	for (size_t i = 0; i < table->n; i++) {
		const struct kernlock *line = &table->lock[i];
		size_t at = find_inode(place, line->ino);

		if (at < place->n && place->inode[at].ino == line->ino)
			hash = hash_line(line, hash);
		for (; at < place->n && place->inode[at].ino == line->ino; at++) {
			struct item *item = place->inode[at].item;

			item->is_in_table = any = true;
			if (item->lock->kernel == KERNEL_VIEW_UNREAD)
				*changed = true;
		}
	}
	if (hash != place->table_hash)
		*changed = true;
	place->table_hash = hash;
	return any;
}

static bool former_still_has_it(const struct kernlocks *table, const struct former *former)
{
	ssize_t at = kernlocks_find(table, former->dev, former->ino, 0);

	for (; at >= 0; at = kernlocks_find(table, former->dev, former->ino, (size_t)at + 1))
		for (size_t i = 0; i < table->holders; i++)
			if (table->holder[i].lock == (size_t)at &&
				table->holder[i].pid == former->pid)
				return true;
	return false;
}

/*
 * A table that was read in pieces may lack a line that was there all the time: what depends on
 * its absence is believed the second time.
 */
static bool may_be_missed(
	struct item *item, const struct kernlocks *table, const struct lock *lock, bool was_held)
{
	bool depends = was_held || (lock->record.format == RECORD_LT1 && lock->record.mode == 'h');

	item->is_missed = table->in_pieces && depends && !item->is_missed &&
			  !file_lock_has_kernel_holder(lock);
	return item->is_missed;
}

static int attach(struct place *place, struct item *item, const struct kernlocks *table)
{
	struct before before = file_lock_before(item->lock);
	bool was_held = file_lock_has_kernel_holder(item->lock);
	/* In place, where that cannot be regretted: a first look may have 100,000 to do. */
	struct lock *lock = table->in_pieces ? lock_copy(item->lock) : file_lock_edit(item);
	int result;

	if (!lock)
		return -ENOMEM;
	file_lock_clear(lock);
	result = kernlocks_attach(place->world, place->here, table, lock);
	if (result < 0 || may_be_missed(item, table, lock, was_held)) {
		lock_unref(lock);
		return result;
	}
	if (place->is_remote && lock->kernel == KERNEL_VIEW_COMPLETE)
		lock->kernel = KERNEL_VIEW_NONE;
	if (item->former.pid) {
		item->is_taken_over = former_still_has_it(table, &item->former);
		if (!item->is_taken_over)
			item->former.pid = 0;
	}
	return file_lock_finish(place, item, lock, &before);
}

bool file_kernel_is_wanted(const struct item *item)
{
	return item->lock->kernel == KERNEL_VIEW_UNREAD || item->former.pid || item->is_missed;
}

static int attach_all(struct place *place, const struct kernlocks *table, bool with_holders)
{
	for (size_t i = 0; i < place->n; i++) {
		struct item *item = place->item[i];
		int result;

		if (!file_kernel_is_wanted(item) &&
			!(with_holders &&
				(item->is_in_table || file_lock_has_kernel_holder(item->lock))))
			continue;
		result = attach(place, item, table);
		if (result < 0)
			return result;
	}
	return 0;
}

static void no_table(struct place *place)
{
	for (size_t i = 0; i < place->n; i++) {
		struct lock *lock = file_lock_edit(place->item[i]);

		if (!lock)
			return;
		if (lock->kernel == KERNEL_VIEW_UNREAD)
			lock->kernel = KERNEL_VIEW_NONE;
		file_lock_set(place->item[i], lock);
	}
}

/*
 * Reads the table, and walks the descriptors of all processes only if a line that concerns us is
 * new, or for a change every few seconds: a descriptor that is inherited or handed on shows in no
 * line.
 */
static int read_lines(struct place *place, struct kernlocks *table, bool *with_holders)
{
	bool changed, any;
	int result = kernlocks_read(place->world, place->here, false, table, NULL);

	*with_holders = false;
	if (result < 0)
		return result;
	any = mark_items(place, table, &changed);
	if (!changed && place->holders_at != MONO_UNKNOWN &&
		place->now - place->holders_at < HOLDERS_EVERY && !place->has_deaths)
		return 0;
	if (!any && !changed)
		return 0;
	*with_holders = true;
	if (!any)
		return 0;
	kernlocks_release(table);
	result = kernlocks_read(place->world, place->here, true, table, NULL);
	if (result < 0)
		return result;
	place->holders_at = place->now;
	mark_items(place, table, &changed);
	return 0;
}

int file_kernel_read(struct place *place)
{
	mono_t began = clock_mono(place->world->clock);
	struct kernlocks table;
	bool with_holders;
	int result;

	if (place->n == 0 || !kernlocks_may(&place->budget, began))
		return 0;
	result = index_inodes(place);
	if (result < 0)
		return result;
	result = read_lines(place, &table, &with_holders);
	if (result == -ENOMEM)
		return result;
	if (result < 0) {
		no_table(place);
	} else {
		place->was_opened = false;
		table.users = proccache_users(place->cache);
		result = attach_all(place, &table, with_holders);
		kernlocks_release(&table);
	}
	kernlocks_spent(&place->budget, began, clock_mono(place->world->clock) - began);
	return result == -ENOMEM ? result : 0;
}

int file_kernel_look(struct place *place, struct item *item, struct error *err)
{
	mono_t began = clock_mono(place->world->clock);
	struct kernlocks table;
	int result;

	/* Who is missing in a table that came in pieces is looked for before that is believed. */
	item->is_missed = false;
	for (int tries = 0; tries < 3; tries++) {
		result = kernlocks_read(place->world, place->here, true, &table, err);
		if (result < 0)
			break;
		table.users = proccache_users(place->cache);
		result = attach(place, item, &table);
		kernlocks_release(&table);
		if (result < 0 || !item->is_missed)
			break;
	}
	kernlocks_spent(&place->budget, began, clock_mono(place->world->clock) - began);
	place->table_hash = 0;
	/* Without a table the lock's view says so. */
	return result == -ENOMEM ? result : 0;
}

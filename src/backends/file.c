/*
 * Lock files: those of a folder that match a pattern, or a single one.
 *
 * A path that is a folder is looked at as a whole; anything else that exists is a single lock
 * file; one that is not there (yet) is a single file if its last part matches the pattern or ends
 * in .lock or .pid, else a folder.
 *
 * When a lock was taken (since): LT1 says it; of a plain record it is the time in it; of a file
 * with a bare pid, or one that cannot be understood, it is the last change of the file. A file
 * that says nothing itself but is locked in the kernel's table: the moment its holder appeared
 * there, if that was seen; else the file's last change if the holder is older than that (it opened
 * the file with O_TRUNC, or made it); else the first look, for all that is known then is that it
 * is held at least since.
 */
#include "config.h"

#include "backends/backend.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base/error.h"
#include "base/text.h"
#include "system/folder.h"
#include "system/kernlocks.h"
#include "system/lockfile.h"
#include "system/proccache.h"
#include "system/watch.h"

enum {
	TOUCHED_MAX = 1024, /* more touched names than this: list the folder instead */
	BYTES_SHOWN = 64,   /* of a record that cannot be understood */
	PROGRESS_FIRST = 256,
	SWEEP_EVERY = 64, /* listings */
};

#define LOOK_EVERY     NS_PER_S
#define LISTING_SHARE  20               /* a listing takes at most 1/20 of the time */
#define REFRESH_BUDGET (NS_PER_S / 100) /* of looking at processes again, each second */
#define HOLDERS_EVERY  (10 * NS_PER_S)  /* a table that seems the same may still hide that a */
/* descriptor was handed on */
#define WATCH_RETRY    (60 * NS_PER_S)
#define PROGRESS_EVERY (NS_PER_S / 2)
/* Time stamps may be this coarse (ext4 with small inodes): what was read so soon after a change */
/* may be changed again without showing. */
#define STAMP_COARSE (2 * NS_PER_S)
/* Start times come in ticks, and stamps of files from a clock that is as coarse. */
#define START_SLACK (NS_PER_S / 20)
#define CLOCK_JUMP  (NS_PER_S / 2) /* slewing is slower than that between two looks */

/* Flags that kernlocks_attach() sets, or that are made from the holders again each time. */
#define FLAGS_KERNEL (LOCK_FLAG(CONTENDED) | LOCK_FLAG(INHERITED))

/* Who had the lock before its record named another. */
struct former {
	uint64_t dev, ino;
	int32_t pid; /* 0: nobody */
};

/* A name of the folder. */
struct item {
	struct folder_name name; /* owned */
	struct lock *lock;       /* owned reference; NULL: not looked at yet */
	struct lockfile_stat stat;
	uint64_t identity; /* of the content */
	uint64_t gen;      /* of the process facts that the record's holder was made from */
	struct former former;
	bool is_young;      /* read so soon after its last change that another may not show */
	bool is_unclean;    /* the record's bytes had to be escaped */
	bool is_missed;     /* its kernel lock was not in a table that was read in pieces */
	bool is_taken_over; /* the former holder still has its flock */
	bool is_in_table;   /* scratch of read_table() */
};

struct inode {
	uint64_t ino;
	struct item *item;
};

struct place {
	const struct world *world; /* borrowed */
	const struct here *here;   /* borrowed */
	char *path, *parent;       /* owned; absolute */
	const char *base;          /* last part of path */
	char *glob;                /* owned */
	bool has_slash;            /* the path was given with a slash at its end */
	bool is_single;
	bool is_seen; /* dev and ino are those of the folder that was looked at last */
	uint64_t dev, ino;
	bool is_remote;      /* the kernel's table knows nothing of other hosts' locks */
	bool is_first;       /* no look was complete yet */
	struct watch *watch; /* owned or NULL */
	mono_t watch_retry;
	struct item **item; /* owned; sorted by clean name */
	size_t n;
	struct folder touched; /* names from the watch */
	bool look_at_all;      /* the watch lost something */
	bool was_opened;       /* a file was opened or closed: a flock may have changed */
	bool has_deaths;       /* processes ended */
	mono_t list_after;     /* when the next listing may be done */
	unsigned int listings;
	struct proccache *cache; /* owned */
	struct kernlocks_budget budget;
	struct inode *inode; /* owned; sorted; NULL: to be made again */
	uint64_t table_hash;
	mono_t holders_at; /* when descriptors were walked last; MONO_UNKNOWN: never */
	mono_t now;        /* of this look */
	wall_t wall;
	int64_t offset; /* wall - mono at the last look */
	int64_t step;   /* what it was seen to jump since open */
	bool has_stepped;
};

static const char *folder_path(const struct place *place)
{
	return place->is_single ? place->parent : place->path;
}

static void say_folder(const struct place *place, char *dst, size_t size)
{
	const char *path = folder_path(place);

	text_clean(dst, size, path, strlen(path), NULL);
}

/* --- items --- */

static void item_free(struct item *item)
{
	if (!item)
		return;
	folder_name_release(&item->name);
	lock_unref(item->lock);
	free(item);
}

static void drop_items(struct place *place)
{
	for (size_t i = 0; i < place->n; i++)
		item_free(place->item[i]);
	free(place->item);
	free(place->inode);
	place->item = NULL;
	place->inode = NULL;
	place->n = 0;
}

/* Where the clean name is, or would have to be inserted. */
static size_t item_index(const struct place *place, const char *clean, bool *found)
{
	size_t low = 0, high = place->n;

	*found = false;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		int order = strcmp(place->item[middle]->name.clean, clean);

		if (order == 0) {
			*found = true;
			return middle;
		}
		if (order < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static void forget_inodes(struct place *place)
{
	free(place->inode);
	place->inode = NULL;
}

static void item_remove(struct place *place, size_t i)
{
	item_free(place->item[i]);
	place->n--;
	memmove(place->item + i, place->item + i + 1, (place->n - i) * sizeof *place->item);
	forget_inodes(place);
}

/* Takes the name over. The new item, or NULL when out of memory. */
static struct item *item_insert(struct place *place, size_t i, struct folder_name *name)
{
	struct item **grown = realloc(place->item, (place->n + 1) * sizeof *grown);
	struct item *item;

	if (!grown)
		return NULL;
	place->item = grown;
	item = calloc(1, sizeof *item);
	if (!item)
		return NULL;
	item->name = *name;
	*name = (struct folder_name){0};
	memmove(grown + i + 1, grown + i, (place->n - i) * sizeof *grown);
	grown[i] = item;
	place->n++;
	forget_inodes(place);
	return item;
}

/* --- making a lock of what is known --- */

/* What a lock that is made again keeps of the one before it. */
struct before {
	bool is_known;
	enum kernel_view kernel;
	uint64_t dev, ino;
	char version[sizeof((struct lock *)0)->version];
	wall_t since;
	mono_t since_mono;
};

static struct before before_of(const struct lock *lock)
{
	struct before before = {0};

	if (!lock)
		return before;
	before.is_known = true;
	before.kernel = lock->kernel;
	before.dev = lock->dev;
	before.ino = lock->ino;
	memcpy(before.version, lock->version, sizeof before.version);
	before.since = lock->since;
	before.since_mono = lock->since_mono;
	return before;
}

/* The item's lock to be changed: itself if nobody else has it, else a copy. */
static struct lock *item_edit(const struct item *item)
{
	return item->lock->refs == 1 ? lock_ref(item->lock) : lock_copy(item->lock);
}

/* Ends an edit; keeps the old one if both say the same. */
static void item_set(struct item *item, struct lock *lock)
{
	if (item->lock && item->lock != lock && lock_equal(item->lock, lock)) {
		lock_unref(lock);
		return;
	}
	lock_unref(item->lock);
	item->lock = lock;
}

static void clear_people(struct lock *lock)
{
	for (size_t i = 0; i < lock->holders; i++)
		process_release(&lock->holder[i]);
	for (size_t i = 0; i < lock->waiters; i++)
		process_release(&lock->waiter[i]);
	free(lock->holder);
	free(lock->waiter);
	lock->holder = lock->waiter = NULL;
	lock->holders = lock->waiters = 0;
}

static bool has_kernel_holder(const struct lock *lock)
{
	for (size_t i = 0; i < lock->holders; i++)
		if (lock->holder[i].from_kernel)
			return true;
	return false;
}

static struct process *claimed(const struct lock *lock)
{
	for (size_t i = 0; i < lock->holders; i++)
		if (!lock->holder[i].from_kernel)
			return &lock->holder[i];
	return NULL;
}

/* Can the record's pid be looked up on this machine? */
static bool is_from_here(const struct lock *lock)
{
	return lock->host_is != RELATION_OTHER && lock->boot_is != RELATION_OTHER &&
	       lock->ns_is != RELATION_OTHER;
}

/* Puts the record's holder behind the kernel's, unless the kernel names it too. */
static int put_claimed(struct place *place, struct item *item, struct lock *lock)
{
	const struct record *record = &lock->record;
	const struct process *known;
	struct process *process;

	if (record->pid <= 0)
		return 0;
	for (size_t i = 0; i < lock->holders; i++)
		if (lock->holder[i].pid == record->pid && is_from_here(lock))
			return 0;
	process = lock_add_holder(lock);
	if (!process)
		return -ENOMEM;
	if (!is_from_here(lock)) {
		process->pid = record->pid;
		process->start = record->start;
		process->uid = record->uid;
		return 0;
	}
	known = proccache_get(place->cache, record->pid, &item->gen);
	if (!known || process_copy(process, known) < 0)
		return -ENOMEM;
	process->from_kernel = process->is_inherited = false;
	return 0;
}

static wall_t wall_of_seconds(int64_t seconds)
{
	if (seconds <= 0)
		return 0;
	return seconds >= INT64_MAX / NS_PER_S ? INT64_MAX : seconds * NS_PER_S;
}

/* Is it the kernel's table alone that says who has it and since when? */
static bool is_kernel_owned(const struct lock *lock)
{
	return (lock->record.format == RECORD_EMPTY || lock->record.format == RECORD_CORRUPT) &&
	       has_kernel_holder(lock);
}

static wall_t since_of_kernel(
	const struct place *place, const struct lock *lock, const struct before *before)
{
	const struct process *holder = &lock->holder[0];
	bool was_watched = before->is_known && before->kernel != KERNEL_VIEW_UNREAD &&
			   before->dev == lock->dev && before->ino == lock->ino;

	if (!was_watched && holder->started && lock->written + START_SLACK >= holder->started)
		return lock->written;
	return place->wall;
}

static wall_t since_of(
	const struct place *place, const struct lock *lock, const struct before *before)
{
	const struct record *record = &lock->record;

	if (is_kernel_owned(lock))
		return since_of_kernel(place, lock, before);
	switch (record->format) {
	case RECORD_LT1: return record->acquired ? record->acquired : wall_of_seconds(record->time);
	case RECORD_PLAIN: return wall_of_seconds(record->time);
	case RECORD_FOREIGN:
		return record->time > 0 ? wall_of_seconds(record->time) : lock->written;
	case RECORD_PID:
	case RECORD_CORRUPT: return lock->written;
	default: return 0;
	}
}

/* The same moment on CLOCK_BOOTTIME; no earlier than the start of the holder that wrote it. */
static mono_t mono_of(const struct place *place, const struct lock *lock)
{
	const struct record *record = &lock->record;
	mono_t mono, start;

	if (lock->since <= 0)
		return MONO_UNKNOWN;
	mono = place->now - (place->wall - lock->since);
	if (record->format != RECORD_LT1 || lock->boot_is != RELATION_SAME ||
		place->here->ticks <= 0 ||
		record->start / (uint64_t)place->here->ticks > (uint64_t)(place->now / NS_PER_S))
		return mono;
	start = (mono_t)((double)record->start / (double)place->here->ticks * (double)NS_PER_S);
	return mono < start ? start : mono;
}

/*
 * The file and what is in it; where the kernel alone says who has it, the holders too. Their
 * order does not count.
 */
static void set_version(const struct item *item, struct lock *lock)
{
	uint64_t identity = item->identity;

	if (is_kernel_owned(lock))
		for (size_t i = 0; i < lock->holders; i++) {
			const uint64_t who[] = {
				(uint64_t)lock->holder[i].pid, lock->holder[i].start};

			identity += text_hash(who, sizeof who, 0);
		}
	lockfile_version(lock->version, sizeof lock->version, lock->dev, lock->ino, identity);
}

static unsigned int flags_of(const struct item *item, const struct lock *lock)
{
	const struct process *process = claimed(lock);
	unsigned int flags = lock->flags & FLAGS_KERNEL;
	const char *raw = item->name.raw;

	if (item->is_unclean || !text_is_clean(raw, strlen(raw)))
		flags |= LOCK_FLAG(HOSTILE);
	if (process && lock->record.format == RECORD_PLAIN && proc_is_pool_worker(process))
		flags |= LOCK_FLAG(POOL_WORKER);
	for (size_t i = 0; i < lock->holders; i++)
		if (lock->holder[i].life == LIFE_STOPPED)
			flags |= LOCK_FLAG(STOPPED);
	if (item->is_taken_over)
		flags |= LOCK_FLAG(TAKEN_OVER);
	if (item->is_taken_over && process &&
		(process->life == LIFE_ALIVE || process->life == LIFE_STOPPED))
		flags |= LOCK_FLAG(INTRUDED);
	return flags;
}

/* Fills in what follows from the rest, once record and holders are in the lock. */
static void settle(const struct place *place, const struct item *item, struct lock *lock,
	const struct before *before)
{
	lock->flags = flags_of(item, lock);
	lock->clock_step = place->step;
	set_version(item, lock);
	if (before->is_known && strcmp(before->version, lock->version) == 0) {
		lock->since = before->since;
		lock->since_mono = before->since_mono;
		return;
	}
	lock->since = since_of(place, lock, before);
	lock->since_mono = mono_of(place, lock);
}

/* --- reading one file --- */

static int set_path(const struct place *place, const struct item *item, struct lock *lock)
{
	const char *folder = folder_path(place);
	size_t len = strlen(folder) + strlen(item->name.raw) + 2;
	char *raw = malloc(len);

	if (!raw)
		return -ENOMEM;
	snprintf(raw, len, "%s/%s", strcmp(folder, "/") == 0 ? "" : folder, item->name.raw);
	lock->path = text_clean_dup(raw, strlen(raw));
	free(raw);
	return lock->path ? 0 : -ENOMEM;
}

static int set_words(
	struct item *item, struct lock *lock, const struct lockfile *file, const char *why)
{
	enum record_format format = lock->record.format;
	char shown[8 * BYTES_SHOWN + 1];
	size_t len = file->len < BYTES_SHOWN ? file->len : BYTES_SHOWN;

	if (format == RECORD_NONE || format == RECORD_CORRUPT) {
		lock->problem = strdup(why && *why ? why : "cannot be understood");
		if (!lock->problem)
			return -ENOMEM;
	}
	if (format != RECORD_CORRUPT && format != RECORD_FOREIGN)
		return 0;
	item->is_unclean = !text_is_clean(file->data, file->len);
	text_clean(shown, sizeof shown, file->data, len, NULL);
	lock->bytes = strdup(shown);
	return lock->bytes ? 0 : -ENOMEM;
}

static int set_record(
	struct place *place, struct item *item, struct lock *lock, const struct lockfile *file)
{
	const struct lockfile_stat *stat = &file->stat;
	const char *why = NULL;
	int result;

	lock->kind = LOCK_FILE;
	lock->class = LOCK_CLASS_KERNEL;
	lock->dev = stat->dev;
	lock->ino = stat->ino;
	lock->to = INT64_MAX;
	lock->written = stat->mtime;
	item->is_unclean = false;
	item->identity = lockfile_identity(file, &lock->record, &why);
	result = set_path(place, item, lock);
	if (result == 0)
		result = set_words(item, lock, file, why);
	if (result < 0 || lock->record.format != RECORD_LT1) {
		proc_relate(place->here, &lock->record, lock);
		return result;
	}
	proc_relate(place->here, &lock->record, lock);
	if (lock->record.mode == 'd' || place->is_remote)
		lock->class = LOCK_CLASS_LEASE;
	if (lock->record.lease > 0 && lock->record.time > 0)
		lock->expires = wall_of_seconds(lock->record.time + lock->record.lease);
	return 0;
}

/* The kernel's view of the same hold in the same inode is still true. */
static int keep_kernel(struct lock *lock, const struct lock *old)
{
	for (size_t i = 0; i < old->holders; i++) {
		struct process *process;

		if (!old->holder[i].from_kernel)
			continue;
		process = lock_add_holder(lock);
		if (!process || process_copy(process, &old->holder[i]) < 0)
			return -ENOMEM;
	}
	for (size_t i = 0; i < old->waiters; i++) {
		struct process *process = lock_add_waiter(lock);

		if (!process || process_copy(process, &old->waiter[i]) < 0)
			return -ENOMEM;
	}
	lock->kernel = old->kernel;
	lock->mode = old->mode;
	lock->flags = old->flags & FLAGS_KERNEL;
	return 0;
}

/*
 * Remembers who had it under a flock when the record names another now: if that flock is still
 * there at the next look at the table, the lock was taken over.
 */
static void note_former(struct item *item, const struct lock *lock)
{
	const struct lock *old = item->lock;

	item->is_taken_over = false;
	item->former = (struct former){0};
	if (lock->record.pid <= 0 || !has_kernel_holder(old) ||
		old->holder[0].pid == lock->record.pid)
		return;
	item->former = (struct former){old->dev, old->ino, old->holder[0].pid};
}

static int item_make(struct place *place, struct item *item, const struct lockfile *file)
{
	const struct lock *old = item->lock;
	struct before before = before_of(old);
	uint64_t identity = item->identity;
	struct lock *lock = lock_new(item->name.clean);
	int result;

	if (!lock)
		return -ENOMEM;
	result = set_record(place, item, lock, file);
	if (result == 0 && old && old->dev == lock->dev && old->ino == lock->ino &&
		identity == item->identity)
		result = keep_kernel(lock, old);
	else if (result == 0 && old)
		note_former(item, lock);
	if (result == 0)
		result = put_claimed(place, item, lock);
	if (result < 0) {
		lock_unref(lock);
		return result;
	}
	if (!old || old->ino != lock->ino)
		forget_inodes(place);
	settle(place, item, lock, &before);
	item_set(item, lock);
	return 0;
}

static void cannot_look(struct lockfile *file, int code)
{
	*file = (struct lockfile){0};
	snprintf(file->problem, sizeof file->problem, "cannot be looked at: %s", strerror(-code));
}

/* Looks at one name: 0, -ENOENT when it is gone, or -ENOMEM. */
static int look_at(struct place *place, int dir, struct item *item)
{
	struct lockfile_stat stat;
	struct lockfile file;
	int64_t age;
	int result = -EAGAIN;

	/* Another file of that name between two calls: again, but not for ever. */
	for (int tries = 0; tries < 5 && result == -EAGAIN; tries++) {
		result = lockfile_stat(dir, item->name.raw, &stat);
		if (result < 0)
			break;
		if (item->lock && !item->is_young && lockfile_is_same(&stat, &item->stat))
			return 0;
		result = lockfile_read(dir, item->name.raw, &stat, &file);
	}
	if (result == -ENOENT)
		return result;
	if (result < 0)
		cannot_look(&file, result);
	item->stat = file.stat;
	age = place->wall - file.stat.ctime;
	item->is_young = result == -EAGAIN || (age < STAMP_COARSE && age > -STAMP_COARSE);
	return item_make(place, item, &file);
}

/* --- the kernel's table --- */

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

	item->is_missed =
		table->in_pieces && depends && !item->is_missed && !has_kernel_holder(lock);
	return item->is_missed;
}

static int attach(struct place *place, struct item *item, const struct kernlocks *table)
{
	struct before before = before_of(item->lock);
	bool was_held = has_kernel_holder(item->lock);
	/* In place, where that cannot be regretted: a first look may have 100,000 to do. */
	struct lock *lock = table->in_pieces ? lock_copy(item->lock) : item_edit(item);
	int result;

	if (!lock)
		return -ENOMEM;
	clear_people(lock);
	lock->flags = 0;
	lock->kernel = KERNEL_VIEW_UNREAD;
	lock->mode = LOCK_MODE_UNKNOWN;
	result = kernlocks_attach(place->world, place->here, table, lock);
	if (result == 0 && may_be_missed(item, table, lock, was_held)) {
		lock_unref(lock);
		return 0;
	}
	if (result == 0)
		result = put_claimed(place, item, lock);
	if (result < 0) {
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
	settle(place, item, lock, &before);
	item_set(item, lock);
	return 0;
}

static bool needs_table(const struct item *item)
{
	return item->lock->kernel == KERNEL_VIEW_UNREAD || item->former.pid || item->is_missed;
}

static int attach_all(struct place *place, const struct kernlocks *table, bool with_holders)
{
	for (size_t i = 0; i < place->n; i++) {
		struct item *item = place->item[i];
		int result;

		if (!needs_table(item) &&
			!(with_holders && (item->is_in_table || has_kernel_holder(item->lock))))
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
		struct lock *lock = item_edit(place->item[i]);

		if (!lock)
			return;
		if (lock->kernel == KERNEL_VIEW_UNREAD)
			lock->kernel = KERNEL_VIEW_NONE;
		item_set(place->item[i], lock);
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

static int read_table(struct place *place)
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
		result = attach_all(place, &table, with_holders);
		kernlocks_release(&table);
	}
	kernlocks_spent(&place->budget, began, clock_mono(place->world->clock) - began);
	return result == -ENOMEM ? result : 0;
}

/* --- processes and clocks --- */

static bool has_died(struct place *place, const struct process *process)
{
	const struct process *known = proccache_get(place->cache, process->pid, NULL);

	return known && (known->life == LIFE_GONE || known->life == LIFE_ZOMBIE ||
				known->life == LIFE_EXITING || known->start != process->start);
}

/*
 * A holder that the kernel named has ended: who has the lock now, if anybody (the descriptor may
 * be inherited), is not known until the table is read.
 */
static bool has_dead_holder(struct place *place, const struct lock *lock)
{
	for (size_t i = 0; i < lock->holders; i++)
		if (lock->holder[i].from_kernel && lock->holder[i].pid > 0 &&
			has_died(place, &lock->holder[i]))
			return true;
	return false;
}

static int item_renew(struct place *place, struct item *item, bool keeps_kernel)
{
	struct before before = before_of(item->lock);
	struct lock *lock = lock_copy(item->lock);
	int result = 0;

	if (!lock)
		return -ENOMEM;
	clear_people(lock);
	lock->kernel = KERNEL_VIEW_UNREAD;
	lock->mode = LOCK_MODE_UNKNOWN;
	lock->flags = 0;
	if (keeps_kernel)
		result = keep_kernel(lock, item->lock);
	if (result == 0)
		result = put_claimed(place, item, lock);
	if (result < 0) {
		lock_unref(lock);
		return result;
	}
	settle(place, item, lock, &before);
	item_set(item, lock);
	return 0;
}

/* Makes those locks again whose processes are not what they were. */
static int follow_processes(struct place *place)
{
	for (size_t i = 0; i < place->n; i++) {
		struct item *item = place->item[i];
		const struct process *process = claimed(item->lock);
		bool is_dead = place->has_deaths && has_dead_holder(place, item->lock);
		uint64_t gen = item->gen;
		int result = 0;

		if (process && is_from_here(item->lock) &&
			!proccache_get(place->cache, process->pid, &gen))
			return -ENOMEM;
		if (is_dead || gen != item->gen)
			result = item_renew(place, item, !is_dead);
		if (result < 0)
			return result;
	}
	return 0;
}

static int look_at_processes(struct place *place, bool is_hinted)
{
	ssize_t changed = 0;
	int result = 0;

	if (!is_hinted)
		changed = proccache_refresh(place->cache, REFRESH_BUDGET);
	if (changed < 0)
		return (int)changed;
	if (changed || place->has_deaths)
		result = follow_processes(place);
	return result;
}

/* Drops the facts of processes that no lock names any more. */
static void forget_processes(struct place *place)
{
	for (size_t i = 0; i < place->n; i++) {
		struct lock *lock = place->item[i]->lock;

		for (size_t j = 0; lock && j < lock->holders; j++)
			proccache_get(place->cache, lock->holder[j].pid, NULL);
	}
	proccache_sweep(place->cache);
}

static void read_clocks(struct place *place)
{
	int64_t offset;

	place->now = clock_mono(place->world->clock);
	place->wall = clock_wall(place->world->clock);
	offset = place->wall - place->now;
	if (offset - place->offset > CLOCK_JUMP || place->offset - offset > CLOCK_JUMP) {
		place->step += offset - place->offset;
		place->has_stepped = true;
	}
	place->offset = offset;
}

static int follow_clock(struct place *place)
{
	if (!place->has_stepped)
		return 0;
	for (size_t i = 0; i < place->n; i++) {
		struct lock *lock = item_edit(place->item[i]);

		if (!lock)
			return -ENOMEM;
		lock->clock_step = place->step;
		item_set(place->item[i], lock);
	}
	place->has_stepped = false;
	return 0;
}

/* --- the folder --- */

static bool ends_in(const char *text, const char *suffix)
{
	size_t len = strlen(text), tail = strlen(suffix);

	return len > tail && strcmp(text + len - tail, suffix) == 0;
}

static bool is_single_file(const struct place *place)
{
	struct stat st;

	if (place->has_slash || !*place->base)
		return false;
	if (stat(place->path, &st) == 0)
		return !S_ISDIR(st.st_mode);
	if (lstat(place->path, &st) == 0)
		return true;
	return folder_matches(place->glob, place->base) || ends_in(place->base, ".lock") ||
	       ends_in(place->base, ".pid");
}

/* On these the kernel's table knows this host's locks at best, and nobody else's. */
static bool is_remote(int dir)
{
	static const unsigned int types[] = {
		0x6969,     /* NFS */
		0xff534d42, /* CIFS */
		0xfe534d42, /* SMB2 */
		0x517b,     /* SMB */
		0x65735546, /* FUSE: sshfs, glusterfs, … */
		0x01021997, /* 9p */
		0x00c36400, /* Ceph */
		0x0bd00bd0, /* Lustre */
		0x01161970, /* GFS2 */
		0x7461636f, /* OCFS2 */
		0x5346414f, /* AFS */
	};
	struct statfs fs;

	/* An O_PATH descriptor will do since Linux 3.12 (open(2)). */
	if (fstatfs(dir, &fs) < 0)
		return false;
	for (size_t i = 0; i < sizeof types / sizeof *types; i++)
		if ((unsigned int)fs.f_type == types[i])
			return true;
	return false;
}

static void leave_folder(struct place *place)
{
	watch_close(place->watch);
	place->watch = NULL;
	place->is_seen = false;
	drop_items(place);
	folder_release(&place->touched);
}

static void watch_folder(struct place *place)
{
	watch_close(place->watch);
	place->watch = watch_open(folder_path(place));
	place->watch_retry = place->now + WATCH_RETRY;
	place->look_at_all = true;
}

/* Opens the folder, and notices when it is another one than last time. */
static int enter_folder(struct place *place, struct error *err)
{
	bool is_single = is_single_file(place);
	char where[PATH_MAX];
	struct stat st;
	int dir;

	if (is_single != place->is_single)
		leave_folder(place);
	place->is_single = is_single;
	say_folder(place, where, sizeof where);
	dir = open(folder_path(place), O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (dir < 0 || fstat(dir, &st) < 0) {
		int code = -errno;

		if (dir >= 0)
			close(dir);
		leave_folder(place);
		return error_sys(err, code, "cannot look into %s", where);
	}
	if (!place->is_seen || place->dev != st.st_dev || place->ino != st.st_ino) {
		leave_folder(place);
		place->dev = st.st_dev;
		place->ino = st.st_ino;
		place->is_seen = true;
		place->is_remote = is_remote(dir);
		place->list_after = place->now;
	}
	if (!place->watch || !watch_is_there(place->watch) ||
		(watch_fd(place->watch) < 0 && place->now >= place->watch_retry))
		watch_folder(place);
	return dir;
}

static int list_names(struct place *place, int dir, struct folder *folder)
{
	struct lockfile_stat stat;

	if (!place->is_single)
		return folder_list(folder, dir, place->glob);
	*folder = (struct folder){0};
	if (lockfile_stat(dir, place->base, &stat) == -ENOENT)
		return 0;
	folder->name = calloc(1, sizeof *folder->name);
	if (!folder->name || folder_name_make(folder->name, place->base) < 0) {
		free(folder->name);
		*folder = (struct folder){0};
		return -ENOMEM;
	}
	folder->n = folder->size = 1;
	return 0;
}

/* Makes the items those of the list, which is used up; known ones stay. */
static int merge_names(struct place *place, struct folder *folder)
{
	struct item **merged = calloc(folder->n + 1, sizeof *merged);
	size_t at = 0;
	int result = merged ? 0 : -ENOMEM;

	for (size_t i = 0; merged && i < folder->n; i++) {
		const char *clean = folder->name[i].clean;

		while (at < place->n && strcmp(place->item[at]->name.clean, clean) < 0)
			item_free(place->item[at++]);
		if (at < place->n && strcmp(place->item[at]->name.clean, clean) == 0) {
			merged[i] = place->item[at++];
			continue;
		}
		merged[i] = calloc(1, sizeof **merged);
		if (!merged[i]) {
			folder->n = i;
			result = -ENOMEM;
			break;
		}
		merged[i]->name = folder->name[i];
		folder->name[i] = (struct folder_name){0};
	}
	while (merged && at < place->n)
		item_free(place->item[at++]);
	if (!merged)
		return result;
	free(place->item);
	place->item = merged;
	place->n = folder->n;
	forget_inodes(place);
	return result;
}

static int fill(const struct place *place, struct snapshot *snapshot)
{
	snapshot_release(snapshot);
	for (size_t i = 0; i < place->n; i++) {
		struct lock *lock = place->item[i]->lock;
		int result = lock ? snapshot_put(snapshot, lock_ref(lock)) : 0;

		if (result < 0)
			return result;
	}
	return 0;
}

/* When to show what there is so far: early rows of a long look soon, and signs of life. */
struct pace {
	size_t rows;
	mono_t at;
};

static int show_progress(
	struct place *place, struct backend_scan *scan, struct pace *pace, size_t i)
{
	mono_t now;
	int result;

	if (!scan->progress || i % PROGRESS_FIRST != PROGRESS_FIRST - 1)
		return 0;
	now = clock_mono(place->world->clock);
	if ((!place->is_first || i < pace->rows) && now < pace->at)
		return 0;
	pace->rows = 4 * i;
	pace->at = now + PROGRESS_EVERY;
	result = fill(place, scan->snapshot);
	return result < 0 ? result : scan->progress(scan->progress_data, scan->snapshot);
}

/* Looks at every item; those that are gone by now are dropped. */
static int look_at_items(struct place *place, int dir, struct backend_scan *scan)
{
	struct pace pace = {PROGRESS_FIRST - 1, place->now + PROGRESS_EVERY};
	size_t kept = 0;
	int result = 0;

	for (size_t i = 0; i < place->n; i++) {
		struct item *item = place->item[i];

		if (result == 0) {
			result = look_at(place, dir, item);
			if (result == -ENOENT) {
				item_free(item);
				forget_inodes(place);
				place->item[i] = NULL;
				result = 0;
				continue;
			}
		}
		place->item[i] = NULL;
		place->item[kept++] = item;
		if (result == 0 && kept == i + 1)
			result = show_progress(place, scan, &pace, i);
	}
	place->n = kept;
	return result;
}

static int list_folder(struct place *place, int dir, struct backend_scan *scan, struct error *err)
{
	mono_t began = clock_mono(place->world->clock), ended;
	struct folder folder;
	char where[PATH_MAX];
	int result = list_names(place, dir, &folder);

	if (result < 0) {
		say_folder(place, where, sizeof where);
		return error_sys(err, result, "cannot list %s", where);
	}
	folder_release(&place->touched);
	place->look_at_all = false;
	result = merge_names(place, &folder);
	folder_release(&folder);
	if (result == 0)
		result = look_at_items(place, dir, scan);
	ended = clock_mono(place->world->clock);
	place->list_after = ended + LISTING_SHARE * (ended - began);
	if (++place->listings % SWEEP_EVERY == 0)
		forget_processes(place);
	return result;
}

/* One name that the watch, or somebody, named. 0, -ENOENT: there is none, or -ENOMEM. */
static int look_at_name(struct place *place, int dir, const char *raw, struct item **found)
{
	struct folder_name name;
	bool is_known;
	size_t at;
	int result;

	if (folder_name_make(&name, raw) < 0)
		return -ENOMEM;
	at = item_index(place, name.clean, &is_known);
	if (!is_known && !item_insert(place, at, &name)) {
		folder_name_release(&name);
		return -ENOMEM;
	}
	folder_name_release(&name);
	result = look_at(place, dir, place->item[at]);
	/* An item without a lock must not stay. */
	if (result == -ENOENT || !place->item[at]->lock) {
		item_remove(place, at);
		return result < 0 ? result : -ENOENT;
	}
	if (found)
		*found = place->item[at];
	return result;
}

static int look_at_touched(struct place *place, int dir)
{
	for (size_t i = 0; i < place->touched.n; i++) {
		int result = look_at_name(place, dir, place->touched.name[i].raw, NULL);

		if (result < 0 && result != -ENOENT)
			return result;
	}
	folder_release(&place->touched);
	return 0;
}

static bool is_ours(const struct place *place, const char *raw)
{
	return place->is_single ? strcmp(raw, place->base) == 0 : folder_matches(place->glob, raw);
}

static void touch(struct place *place, const char *raw)
{
	struct folder *touched = &place->touched;

	if (place->look_at_all || !is_ours(place, raw))
		return;
	if (!touched->name) {
		touched->name = calloc(TOUCHED_MAX, sizeof *touched->name);
		touched->size = touched->name ? TOUCHED_MAX : 0;
	}
	if (touched->n == touched->size || folder_name_make(&touched->name[touched->n], raw) < 0) {
		place->look_at_all = true;
		folder_release(touched);
		return;
	}
	touched->n++;
}

/* Takes from the watch what it has; returns whether anything of ours is in it. */
static bool drain(struct place *place)
{
	int bits = watch_drain(place->watch);
	const char *name;

	for (size_t i = 0; (bits & WATCH_CHANGED) && (name = watch_name(place->watch, i)); i++)
		touch(place, name);
	if (bits & (WATCH_OVERFLOW | WATCH_GONE))
		place->look_at_all = true;
	if (bits & WATCH_OPENED)
		place->was_opened = true;
	return place->look_at_all || place->touched.n > 0;
}

/* --- the backend --- */

static void file_close(void *state)
{
	struct place *place = state;

	if (!place)
		return;
	leave_folder(place);
	proccache_free(place->cache);
	free(place->path);
	free(place->parent);
	free(place->glob);
	free(place);
}

/* An absolute path without slashes at its end, and its parts. */
static int set_place(struct place *place, const char *path)
{
	char *cwd = path[0] == '/' ? NULL : getcwd(NULL, 0);
	size_t len;
	char *slash;

	if (asprintf(&place->path, "%s%s%s", cwd ? cwd : "", cwd ? "/" : "", path) < 0)
		place->path = NULL;
	free(cwd);
	if (!place->path)
		return -ENOMEM;
	for (len = strlen(place->path); len > 1 && place->path[len - 1] == '/'; len--) {
		place->path[len - 1] = '\0';
		place->has_slash = true;
	}
	slash = strrchr(place->path, '/');
	place->base = slash ? slash + 1 : place->path;
	place->parent = strndup(
		place->path, slash && slash > place->path ? (size_t)(slash - place->path) : 1);
	return place->parent ? 0 : -ENOMEM;
}

static const char *const file_params[] = {"glob", NULL};

static int file_open(void **state, const struct world *world, const struct here *here,
	const struct uri *uri, struct error *err)
{
	const char *glob = uri_param(uri, "glob");
	struct place *place;
	int result = uri_only(uri, file_params, err);

	if (result < 0)
		return result;
	if (!*uri->path)
		return error_set(err, -EINVAL, "file: needs a path, as in file:/run/lock");
	if (glob && (!*glob || strchr(glob, '/')))
		return error_set(err, -EINVAL,
			"glob=%s is no pattern for names: expected one like *.lock, without '/'",
			glob);
	place = calloc(1, sizeof *place);
	if (!place)
		return error_sys(err, -ENOMEM, "cannot open %s", uri->text);
	place->world = world;
	place->here = here;
	place->is_first = place->look_at_all = true;
	place->holders_at = MONO_UNKNOWN;
	place->glob = strdup(glob ? glob : "*.lock");
	place->cache = proccache_new(world, here);
	place->offset = clock_wall(world->clock) - clock_mono(world->clock);
	if (!place->glob || !place->cache || set_place(place, uri->path) < 0) {
		file_close(place);
		return error_sys(err, -ENOMEM, "cannot open %s", uri->text);
	}
	*state = place;
	return 0;
}

static void say_note(const struct place *place, struct backend_scan *scan)
{
	const char *why = place->watch ? watch_why(place->watch) : "out of memory";

	scan->is_polling = !place->watch || watch_fd(place->watch) < 0;
	if (scan->is_polling)
		snprintf(scan->note, sizeof scan->note, "polling: %s", why ? why : "no inotify");
	else if (place->is_single && place->n == 0)
		snprintf(scan->note, sizeof scan->note, "no such file: nobody has it");
}

static bool is_unread(const struct place *place)
{
	for (size_t i = 0; i < place->n; i++)
		if (needs_table(place->item[i]))
			return true;
	return false;
}

static mono_t next_look(const struct place *place)
{
	mono_t now = clock_mono(place->world->clock), next = now + LOOK_EVERY;

	if ((is_unread(place) || place->was_opened) && place->budget.next < next)
		next = place->budget.next;
	if (place->look_at_all && place->list_after < next)
		next = place->list_after;
	if (place->touched.n)
		next = now;
	return next < now ? now : next;
}

static int scan_folder(struct place *place, int dir, struct backend_scan *scan, struct error *err)
{
	bool may_list = place->now >= place->list_after;
	int result;

	if (place->watch)
		drain(place);
	if (may_list && (place->look_at_all || !scan->is_hinted))
		result = list_folder(place, dir, scan, err);
	else
		result = look_at_touched(place, dir);
	if (result == 0)
		result = look_at_processes(place, scan->is_hinted);
	if (result == 0)
		result = read_table(place);
	if (result == 0)
		result = follow_clock(place);
	place->has_deaths = false;
	if (result == 0)
		result = fill(place, scan->snapshot);
	if (result == -ENOMEM)
		error_sys(err, result, "cannot look at %s", "the lock files");
	return result;
}

static int file_scan(void *state, struct backend_scan *scan, struct error *err)
{
	struct place *place = state;
	int dir, result;

	read_clocks(place);
	scan->next = place->now + LOOK_EVERY;
	scan->is_polling = scan->is_final = false;
	scan->note[0] = '\0';
	dir = enter_folder(place, err);
	if (dir < 0)
		return dir;
	result = scan_folder(place, dir, scan, err);
	close(dir);
	if (result < 0) {
		/* Half of a look is none. */
		leave_folder(place);
		return result;
	}
	if (place->watch && watch_forget_opened(place->watch))
		drain(place);
	place->is_first = false;
	say_note(place, scan);
	scan->next = next_look(place);
	return 0;
}

static int file_hint_fd(void *state)
{
	struct place *place = state;

	return place->watch ? watch_fd(place->watch) : -1;
}

static bool file_hint(void *state)
{
	struct place *place = state;

	if (!place->watch)
		return false;
	return drain(place) || (place->was_opened && kernlocks_may(&place->budget,
							     clock_mono(place->world->clock)));
}

static void file_ended(void *state, int32_t pid)
{
	struct place *place = state;

	proccache_forget(place->cache, pid);
	place->has_deaths = true;
}

/* The raw name behind a clean one, if it may be a name here: 0 or -ENOENT. */
static int raw_name(struct place *place, const char *name, char *raw, size_t size)
{
	if (text_unclean(raw, size, name) < 0 || !*raw || strchr(raw, '/') || !is_ours(place, raw))
		return -ENOENT;
	return 0;
}

/*
 * The table afresh for one item. Who is missing in a table that came in pieces is looked for
 * again before that is believed.
 */
static int look_at_table(struct place *place, struct item *item, struct error *err)
{
	mono_t began = clock_mono(place->world->clock);
	struct kernlocks table;
	int result;

	item->is_missed = false;
	for (int tries = 0; tries < 3; tries++) {
		result = kernlocks_read(place->world, place->here, true, &table, err);
		if (result < 0)
			break;
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

static int look_fresh(
	struct place *place, int dir, const char *raw, struct lock **lock, struct error *err)
{
	struct item *item;
	int result = look_at_name(place, dir, raw, &item);

	if (result < 0)
		return result;
	proccache_forget(place->cache, item->lock->record.pid);
	result = look_at_table(place, item, err);
	if (result < 0)
		return result;
	*lock = lock_ref(item->lock);
	return 0;
}

static int file_look(void *state, const char *name, struct lock **lock, struct error *err)
{
	struct place *place = state;
	char raw[NAME_MAX + 1], where[PATH_MAX];
	int dir, result;

	read_clocks(place);
	dir = enter_folder(place, err);
	if (dir < 0)
		return dir;
	say_folder(place, where, sizeof where);
	result = raw_name(place, name, raw, sizeof raw);
	if (result == 0)
		result = look_fresh(place, dir, raw, lock, err);
	close(dir);
	if (result == -ENOENT)
		return error_set(err, result, "there is no lock %s in %s", name, where);
	if (result < 0)
		return error_sys(err, result, "cannot look at %s in %s", name, where);
	return 0;
}

static int file_release(
	void *state, const char *name, struct backend_release *how, struct error *err)
{
	struct place *place = state;
	char raw[NAME_MAX + 1], folder[PATH_MAX], where[PATH_MAX + NAME_MAX], shown[200];
	int dir, result;

	how->done[0] = '\0';
	read_clocks(place);
	dir = enter_folder(place, err);
	if (dir < 0)
		return dir;
	say_folder(place, folder, sizeof folder);
	snprintf(where, sizeof where, "%s/%s", strcmp(folder, "/") == 0 ? "" : folder, name);
	result = raw_name(place, name, raw, sizeof raw);
	if (result < 0)
		result = error_set(err, result, "there is no lock %s in %s", name, folder);
	else
		result = lockfile_release(dir, raw, where, how->version, how->tidy, err);
	close(dir);
	if (result == 0) {
		text_fit(shown, sizeof shown, where, (int)sizeof shown - 1, TEXT_CUT_START);
		snprintf(how->done, sizeof how->done, "%s %s", how->tidy ? "removed" : "emptied",
			shown);
	}
	return result;
}

const struct backend backend_file = {
	.scheme = "file",
	.help = "lock files in a folder, or one: file:/run/lock?glob=*.lock, or just a path",
	.params = file_params,
	.class = LOCK_CLASS_KERNEL,
	.open = file_open,
	.close = file_close,
	.scan = file_scan,
	.hint_fd = file_hint_fd,
	.hint = file_hint,
	.ended = file_ended,
	.look = file_look,
	.release = file_release,
};

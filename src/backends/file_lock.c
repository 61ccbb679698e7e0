/*
 * Makes a lock of what the record, the processes and the kernel's table say.
 *
 * When a lock was taken (since): LT1 says it; of a plain record it is the time in it; of a file
 * with a bare pid, or one that cannot be understood, it is the last change of the file. A file
 * that says nothing itself but is locked in the kernel's table: the moment its holder appeared
 * there, if that was seen; else the file's last change if the holder is older than that (it opened
 * the file with O_TRUNC, or made it); else the first look, for all that is known then is that it
 * is held at least since.
 */
#include "config.h"

#include "backends/file_private.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"

/* Start times come in ticks, and stamps of files from a clock that is as coarse. */
#define START_SLACK (NS_PER_S / 20)

/* Flags that kernlocks_attach() sets, or that are made from the holders again each time. */
#define FLAGS_KERNEL (LOCK_FLAG(CONTENDED) | LOCK_FLAG(INHERITED))

struct before file_lock_before(const struct lock *lock)
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

struct lock *file_lock_edit(const struct item *item)
{
	return item->lock->refs == 1 ? lock_ref(item->lock) : lock_copy(item->lock);
}

void file_lock_set(struct item *item, struct lock *lock)
{
	if (item->lock && item->lock != lock && lock_equal(item->lock, lock)) {
		lock_unref(lock);
		return;
	}
	lock_unref(item->lock);
	item->lock = lock;
}

void file_lock_clear(struct lock *lock)
{
	for (size_t i = 0; i < lock->holders; i++)
		process_release(&lock->holder[i]);
	for (size_t i = 0; i < lock->waiters; i++)
		process_release(&lock->waiter[i]);
	free(lock->holder);
	free(lock->waiter);
	lock->holder = lock->waiter = NULL;
	lock->holders = lock->waiters = 0;
	lock->kernel = KERNEL_VIEW_UNREAD;
	lock->mode = LOCK_MODE_UNKNOWN;
	lock->flags = 0;
}

bool file_lock_has_kernel_holder(const struct lock *lock)
{
	for (size_t i = 0; i < lock->holders; i++)
		if (lock->holder[i].from_kernel)
			return true;
	return false;
}

struct process *file_lock_claimed(const struct lock *lock)
{
	for (size_t i = 0; i < lock->holders; i++)
		if (!lock->holder[i].from_kernel)
			return &lock->holder[i];
	return NULL;
}

bool file_lock_is_from_here(const struct lock *lock)
{
	return lock->host_is != RELATION_OTHER && lock->boot_is != RELATION_OTHER &&
	       lock->ns_is != RELATION_OTHER;
}

int file_lock_keep_kernel(struct lock *lock, const struct lock *old)
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

/* Puts the record's holder behind the kernel's, unless the kernel names it too. */
static int put_claimed(struct place *place, struct item *item, struct lock *lock)
{
	const struct record *record = &lock->record;
	const struct process *known;
	struct process *process;

	if (record->pid <= 0)
		return 0;
	for (size_t i = 0; i < lock->holders; i++)
		if (lock->holder[i].pid == record->pid && file_lock_is_from_here(lock))
			return 0;
	process = lock_add_holder(lock);
	if (!process)
		return -ENOMEM;
	if (!file_lock_is_from_here(lock)) {
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

wall_t file_lock_wall(int64_t seconds)
{
	if (seconds <= 0)
		return 0;
	return seconds >= INT64_MAX / NS_PER_S ? INT64_MAX : seconds * NS_PER_S;
}

/* Is it the kernel's table alone that says who has it and since when? */
static bool is_kernel_owned(const struct lock *lock)
{
	return (lock->record.format == RECORD_EMPTY || lock->record.format == RECORD_CORRUPT) &&
	       file_lock_has_kernel_holder(lock);
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
	case RECORD_LT1: return record->acquired ? record->acquired : file_lock_wall(record->time);
	case RECORD_PLAIN: return file_lock_wall(record->time);
	case RECORD_FOREIGN: return record->time > 0 ? file_lock_wall(record->time) : lock->written;
	case RECORD_PID:
	case RECORD_CORRUPT: return lock->written;
	default: return 0;
	}
}

/* Did its writer count by the CLOCK_BOOTTIME that counts here? */
static bool knows_boottime(const struct place *place, const struct lock *lock)
{
	const struct record *record = &lock->record;

	return record->format == RECORD_LT1 && lock->boot_is == RELATION_SAME &&
	       record->refreshed > 0 && record->refreshed <= place->now && record->time > 0;
}

/*
 * The end of the lease, so that it is as far from since as it is from since_mono on CLOCK_BOOTTIME:
 * then the verdict counts to r and the lease behind it, wherever wall clocks were set in between.
 */
static void set_expires(const struct place *place, struct lock *lock)
{
	const struct record *record = &lock->record;
	int64_t end;

	if (!knows_boottime(place, lock) || record->lease <= 0 || lock->since <= 0 ||
		lock->since_mono == MONO_UNKNOWN)
		return;
	end = record->refreshed + record->lease * NS_PER_S; /* no more than an uptime and 2^31 s */
	if (!__builtin_sub_overflow(end, lock->since_mono, &end) &&
		!__builtin_add_overflow(lock->since, end, &end) && end > 0)
		lock->expires = end;
}

/* The same moment on CLOCK_BOOTTIME; no earlier than the start of the holder that wrote it. */
static mono_t mono_of(const struct place *place, const struct lock *lock)
{
	const struct record *record = &lock->record;
	mono_t mono, start;

	if (lock->since <= 0)
		return MONO_UNKNOWN;
	mono = place->now - (place->wall - lock->since);
	/* Its writer's own clocks, read together, know better than ours of now. */
	if (knows_boottime(place, lock) &&
		__builtin_sub_overflow(
			lock->since, file_lock_wall(record->time) - record->refreshed, &mono))
		return MONO_UNKNOWN;
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
	const struct process *process = file_lock_claimed(lock);
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
	lock->clock_step = file_clock_step(place, lock->written);
	set_version(item, lock);
	if (before->is_known && strcmp(before->version, lock->version) == 0) {
		lock->since = before->since;
		lock->since_mono = before->since_mono;
	} else {
		lock->since = since_of(place, lock, before);
		lock->since_mono = mono_of(place, lock);
	}
	set_expires(place, lock);
}

int file_lock_finish(
	struct place *place, struct item *item, struct lock *lock, const struct before *before)
{
	int result = put_claimed(place, item, lock);

	if (result < 0) {
		lock_unref(lock);
		return result;
	}
	settle(place, item, lock, before);
	file_lock_set(item, lock);
	return 0;
}

/* The people of a lock: the kernel's locks on an inode, put into a struct lock. */
#include "config.h"

#include "system/kernlocks.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysmacros.h>

#include "system/kernlocks_walk.h"

/* -- processes that were looked up -- */

/*
 * One process may have a thousand locks, and looking it up costs some 60 µs. What was found holds
 * for one look at a place; later its life may have ended.
 */
#define SEEN_FOR (50 * NS_PER_MS)

struct seen {
	mono_t at;
	struct process process; /* pid 0: free */
};

struct kernlocks_seen {
	size_t n, size;    /* size is a power of two */
	struct seen *slot; /* owned; open addressing by pid */
};

struct kernlocks_seen *kernlocks_seen_new(void)
{
	struct kernlocks_seen *seen = calloc(1, sizeof *seen);

	return seen;
}

void kernlocks_seen_free(struct kernlocks_seen *seen)
{
	if (!seen)
		return;
	for (size_t i = 0; i < seen->size; i++)
		process_release(&seen->slot[i].process);
	free(seen->slot);
	free(seen);
}

static struct seen *seen_slot(struct seen *slot, size_t size, int32_t pid)
{
	size_t i = ((uint32_t)pid * UINT32_C(2654435761)) & (size - 1);

	while (slot[i].process.pid != 0 && slot[i].process.pid != pid)
		i = (i + 1) & (size - 1);
	return &slot[i];
}

static int seen_grow(struct kernlocks_seen *seen)
{
	size_t size = seen->size ? seen->size * 2 : 64;
	struct seen *slot = calloc(size, sizeof *slot);

	if (!slot)
		return -ENOMEM;
	for (size_t i = 0; i < seen->size; i++)
		if (seen->slot[i].process.pid != 0)
			*seen_slot(slot, size, seen->slot[i].process.pid) = seen->slot[i];
	free(seen->slot);
	seen->slot = slot;
	seen->size = size;
	return 0;
}

/* Fills a zeroed process, keeping its flags. */
static int look(const struct world *world, const struct here *here, const struct kernlocks *locks,
	int32_t pid, struct process *process)
{
	struct kernlocks_seen *seen = locks->seen;
	bool is_inherited = process->is_inherited;
	mono_t now = clock_mono(world->clock);
	struct seen *slot;
	int rc;

	if (seen->n * 2 >= seen->size && (rc = seen_grow(seen)) < 0)
		return rc;
	slot = seen_slot(seen->slot, seen->size, pid);
	if (slot->process.pid == 0 || now - slot->at > SEEN_FOR) {
		seen->n += slot->process.pid == 0;
		slot->at = now;
		rc = proc_look(world, here, locks->users, pid, &slot->process);
		if (rc < 0)
			return rc;
	}
	rc = process_copy(process, &slot->process);
	process->from_kernel = true;
	process->is_inherited = is_inherited;
	return rc;
}

/* -- the people of one inode -- */

struct crowd {
	const struct world *world;
	const struct here *here;
	const struct kernlocks *locks;
	struct lock *lock;
	size_t named; /* holders from the kernel */
};

/* pid 0: somebody who cannot be named. */
static int add_person(struct crowd *crowd, struct process *process, int32_t pid, bool is_inherited)
{
	process->pid = pid;
	process->from_kernel = true;
	process->is_inherited = is_inherited;
	return pid > 0 ? look(crowd->world, crowd->here, crowd->locks, pid, process) : 0;
}

/* The kernel names somebody once for each of his ranges, and the record may have named him. */
static int add_holder(struct crowd *crowd, int32_t pid, bool is_inherited)
{
	struct process *process;

	for (size_t i = 0; i < crowd->lock->holders; i++) {
		process = &crowd->lock->holder[i];
		if (process->pid == pid) {
			crowd->named += !process->from_kernel;
			process->from_kernel = true;
			/* He took one of them himself, or the record says that it is his. */
			process->is_inherited &= is_inherited;
			return 0;
		}
	}
	if (crowd->named >= KERNLOCKS_PEOPLE)
		return 0;
	process = lock_add_holder(crowd->lock);
	if (!process)
		return -ENOMEM;
	crowd->named++;
	return add_person(crowd, process, pid, is_inherited);
}

static int add_waiter(struct crowd *crowd, int32_t pid)
{
	struct process *process;

	if (crowd->lock->waiters >= KERNLOCKS_PEOPLE)
		return 0;
	process = lock_add_waiter(crowd->lock);
	return process ? add_person(crowd, process, pid > 0 ? pid : 0, false) : -ENOMEM;
}

/* The first holder of that lock, in the sorted holders. */
static size_t first_holder(const struct kernlocks *locks, size_t lock)
{
	size_t low = 0, high = locks->holders;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (locks->holder[middle].lock < lock)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* Nobody's descriptor was seen: the taker, as long as he lives; else somebody without a name. */
static int add_unseen_holder(struct crowd *crowd, const struct kernlock *lock)
{
	enum life life = lock->pid > 0 ? proc_life(crowd->world, lock->pid, NULL) : LIFE_UNKNOWN;

	return add_holder(crowd, life == LIFE_ALIVE || life == LIFE_STOPPED ? lock->pid : 0, false);
}

static int add_holders_of(struct crowd *crowd, size_t index)
{
	const struct kernlocks *locks = crowd->locks;
	const struct kernlock *lock = &locks->lock[index];
	size_t first = first_holder(locks, index), i;
	int rc = 0;

	for (i = first; i < locks->holders && locks->holder[i].lock == index; i++)
		if (locks->holder[i].pid == lock->pid)
			rc = add_holder(crowd, lock->pid, false);
	if (i == first)
		return add_unseen_holder(crowd, lock);
	/* Of an OFD lock the kernel does not say who took it, so nobody is said to have inherited.
	 */
	for (i = first; rc == 0 && i < locks->holders && locks->holder[i].lock == index; i++)
		if (locks->holder[i].pid != lock->pid)
			rc = add_holder(crowd, locks->holder[i].pid, lock->pid > 0);
	return rc;
}

/* Is that line about this lock? */
static bool is_meant(const struct lock *lock, const struct kernlock *row)
{
	if (lock->kind == LOCK_FILE)
		return row->kind != LOCK_LEASE;
	if (row->kind != lock->kind)
		return false;
	return row->kind == LOCK_FLOCK || row->kind == LOCK_LEASE ||
	       (row->from == lock->from && row->to == lock->to);
}

/*
 * Who waits for one byte range waits below it, with a range and perhaps a kind of his own; a file
 * has all who wait.
 */
static int add_people(struct crowd *crowd)
{
	const struct kernlocks *locks = crowd->locks;
	struct lock *lock = crowd->lock;
	bool is_ours = false;
	uint64_t id = 0;
	ssize_t at = -1;
	int rc = 0;

	while (rc == 0 &&
		(at = kernlocks_find(locks, lock->dev, lock->ino, (size_t)(at + 1))) >= 0) {
		const struct kernlock *row = &locks->lock[at];

		if (!row->is_waiter) {
			is_ours = is_meant(lock, row);
			id = row->id;
			if (!is_ours)
				continue;
			if (lock->mode != LOCK_MODE_WRITE)
				lock->mode = row->is_write ? LOCK_MODE_WRITE : LOCK_MODE_READ;
			rc = add_holders_of(crowd, (size_t)at);
		} else if (lock->kind == LOCK_FILE ? is_meant(lock, row)
						   : is_ours && row->id == id) {
			rc = add_waiter(crowd, row->pid);
		}
	}
	return rc;
}

/* Moves the kernel's holders before those whom only the record claims. */
static void kernel_first(struct lock *lock)
{
	for (size_t i = 0, front = 0; i < lock->holders; i++) {
		struct process process = lock->holder[i];

		if (!process.from_kernel)
			continue;
		memmove(&lock->holder[front + 1], &lock->holder[front],
			(i - front) * sizeof process);
		lock->holder[front++] = process;
	}
}

static int compare_u64(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

/*
 * Could a lock on this inode stand in the table under numbers that stat does not give? Only if
 * its device is no block device and is not one that mountinfo, which has the table's, knows.
 */
static bool may_be_astray(const struct kernlocks *locks, const struct lock *lock)
{
	return locks->has_strays && major(lock->dev) == 0 &&
	       !(locks->mount && bsearch(&lock->dev, locks->mount, locks->mounts,
					 sizeof *locks->mount, compare_u64));
}

static void set_flags(struct lock *lock)
{
	if (lock->waiters > 0)
		lock->flags |= LOCK_FLAG(CONTENDED);
	for (size_t i = 0; i < lock->holders; i++) {
		if (lock->holder[i].is_inherited)
			lock->flags |= LOCK_FLAG(INHERITED);
		if (lock->holder[i].life == LIFE_STOPPED)
			lock->flags |= LOCK_FLAG(STOPPED);
	}
}

int kernlocks_attach(const struct world *world, const struct here *here,
	const struct kernlocks *locks, struct lock *lock)
{
	struct crowd crowd = {.world = world, .here = here, .locks = locks, .lock = lock};
	int rc = add_people(&crowd);

	if (rc < 0)
		return rc;
	kernel_first(lock);
	set_flags(lock);
	lock->kernel = KERNEL_VIEW_COMPLETE;
	if (locks->is_partial || (crowd.named == 0 && may_be_astray(locks, lock)))
		lock->kernel = KERNEL_VIEW_PARTIAL;
	return 0;
}

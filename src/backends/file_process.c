/* The processes that locks name: looked at again, and their locks made again. */
#include "config.h"

#include "backends/file_private.h"

#include <errno.h>

#define REFRESH_BUDGET (NS_PER_S / 100) /* of looking at processes again, each second */

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
	struct before before = file_lock_before(item->lock);
	struct lock *lock = lock_copy(item->lock);
	int result = 0;

	if (!lock)
		return -ENOMEM;
	file_lock_clear(lock);
	if (keeps_kernel)
		result = file_lock_keep_kernel(lock, item->lock);
	if (result < 0) {
		lock_unref(lock);
		return result;
	}
	return file_lock_finish(place, item, lock, &before);
}

/* Makes those locks again whose processes are not what they were. */
static int follow_processes(struct place *place)
{
	for (size_t i = 0; i < place->n; i++) {
		struct item *item = place->item[i];
		const struct process *process = file_lock_claimed(item->lock);
		bool is_dead = place->has_deaths && has_dead_holder(place, item->lock);
		uint64_t gen = item->gen;
		int result = 0;

		if (process && file_lock_is_from_here(item->lock) &&
			!proccache_get(place->cache, process->pid, &gen))
			return -ENOMEM;
		if (is_dead || gen != item->gen)
			result = item_renew(place, item, !is_dead);
		if (result < 0)
			return result;
	}
	return 0;
}

int file_process_look(struct place *place, bool is_hinted)
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

void file_process_sweep(struct place *place)
{
	for (size_t i = 0; i < place->n; i++) {
		struct lock *lock = place->item[i]->lock;

		for (size_t j = 0; lock && j < lock->holders; j++)
			proccache_get(place->cache, lock->holder[j].pid, NULL);
	}
	proccache_sweep(place->cache);
}

/* Who has a lock file: a look. */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "backends/file_lt1.h"
#include "system/kernlocks.h"
#include "system/lockfile.h"

static void name_process(const struct world *world, struct occupant *occupant)
{
	struct proc_stat stat;

	if (proc_stat_read(world, occupant->pid, &stat) == 0)
		memcpy(occupant->comm, stat.comm, sizeof occupant->comm);
}

static int64_t age_of(const struct world *world, const struct record *record)
{
	wall_t taken = record->acquired;
	int64_t age;

	if (!taken && record->time <= INT64_MAX / NS_PER_S)
		taken = record->time * NS_PER_S;
	if (taken <= 0 || __builtin_sub_overflow(clock_wall(world->clock), taken, &age) || age < 0)
		return -1;
	return age;
}

/* What the record says; false: nothing. */
static bool by_record(const struct world *world, const struct here *here,
	const struct record *record, struct occupant *occupant)
{
	struct lock relation = {0};

	if (record->pid <= 0)
		return false;
	proc_relate(here, record, &relation);
	occupant->is_known = true;
	occupant->pid = record->pid;
	occupant->age = age_of(world, record);
	if (relation.host_is == RELATION_OTHER)
		memcpy(occupant->host, record->host, sizeof occupant->host);
	if (relation.host_is != RELATION_OTHER && relation.boot_is != RELATION_OTHER &&
		relation.ns_is != RELATION_OTHER)
		name_process(world, occupant);
	return true;
}

/* The taker, as the kernel's table has it. */
static void by_table(const struct world *world, const struct here *here,
	const struct lockfile_stat *stat, struct occupant *occupant)
{
	struct kernlocks locks = {0};
	ssize_t i = -1;

	if (kernlocks_read(world, here, false, &locks, NULL) < 0)
		return;
	do
		i = kernlocks_find(&locks, stat->dev, stat->ino, (size_t)(i + 1));
	while (i >= 0 && (locks.lock[i].is_waiter || locks.lock[i].kind != LOCK_FLOCK));
	if (i >= 0 && locks.lock[i].pid > 0) {
		occupant->is_known = true;
		occupant->pid = locks.lock[i].pid;
		name_process(world, occupant);
	}
	kernlocks_release(&locks);
}

void lt1_who(struct lt1 *lt1, struct occupant *occupant)
{
	struct lockfile_stat seen;
	struct lockfile file;
	struct record record;
	struct here here;

	*occupant = (struct occupant){.age = -1};
	if (lockfile_stat(AT_FDCWD, lt1->path, &seen) < 0 || proc_here(lt1->world, &here, NULL) < 0)
		return;
	if (!lt1->writes_no_record && lockfile_read(AT_FDCWD, lt1->path, &seen, &file) == 0) {
		lockfile_identity(&file, &record, NULL);
		if (by_record(lt1->world, &here, &record, occupant))
			return;
	}
	by_table(lt1->world, &here, &seen, occupant);
}

/* Random locks for property tests: every member may be anything that a source could say. */
#ifndef LOCKTOP_TESTS_RANDOM_LOCK_H
#define LOCKTOP_TESTS_RANDOM_LOCK_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model/lock.h"

static int below(int n)
{
	return rand() % n;
}

/* To the microsecond, which is what the stream carries; 0 is unknown. */
static wall_t maybe_time(void)
{
	if (below(2))
		return 0;
	return (INT64_C(1700000000) + below(1000000000)) * NS_PER_S +
	       below(1000000) * INT64_C(1000);
}

static char *maybe_text(const char *word)
{
	char text[40];

	if (below(2))
		return NULL;
	snprintf(text, sizeof text, "%s %d \xc3\xa9\\x1b\"/\xf0\x9f\x94\x92", word, below(1000));
	return strdup(text);
}

static void random_process(struct process *process)
{
	process->pid = below(3) ? 1 + below(100000) : 0;
	process->life = (enum life)below(LIFE_COUNT);
	process->start = (uint64_t)below(1000000);
	process->started = maybe_time();
	process->uid = below(100) - 1;
	process->from_kernel = below(2);
	process->is_inherited = below(2);
	if (below(2))
		snprintf(process->comm, sizeof process->comm, "php%d", below(10));
	process->user = maybe_text("user");
	process->command = maybe_text("command");
}

static struct lock *random_lock(const char *name, mono_t now)
{
	struct lock *lock = lock_new(name);
	int holders = below(3), waiters = below(3);

	if (!lock)
		return NULL;
	lock->kind = (enum lock_kind)below(LOCK_KIND_COUNT);
	lock->class = (enum lock_class)below(LOCK_CLASS_COUNT);
	lock->kernel = (enum kernel_view)below(KERNEL_VIEW_COUNT);
	lock->host_is = (enum relation)below(RELATION_COUNT);
	lock->boot_is = (enum relation)below(RELATION_COUNT);
	lock->ns_is = (enum relation)below(RELATION_COUNT);
	lock->flags = (unsigned int)below(1 << LOCK_FLAG_COUNT);
	lock->mode = below(3);
	lock->path = maybe_text("/run/lock/x");
	lock->problem = maybe_text("is a FIFO");
	lock->bytes = maybe_text("bytes");
	lock->dev = (uint64_t)below(100000);
	lock->ino = below(4) ? (uint64_t)below(100000) : UINT64_MAX - (uint64_t)below(9);
	lock->from = below(2) ? below(100) : 0;
	lock->to = below(2) ? 100 + below(100) : INT64_MAX;
	lock->record.format = (enum record_format)below(RECORD_FORMAT_COUNT);
	if (lock->record.format != RECORD_NONE) {
		lock->record.pid = below(100000);
		lock->record.time = below(2000000000);
		lock->record.start = (uint64_t)below(1000000);
		lock->record.ns = 4026531836u;
		lock->record.acquired = maybe_time();
		lock->record.fence = below(10) - 1;
		lock->record.lease = below(600);
		lock->record.uid = below(100) - 1;
		lock->record.mode = "hd"[below(2)];
		strcpy(lock->record.boot, "9f3c2a71");
		strcpy(lock->record.host, "web1");
	}
	lock->written = maybe_time();
	lock->since = maybe_time();
	lock->since_mono =
		below(2) ? now - (below(2000000) - 1000000) * INT64_C(1001000) : MONO_UNKNOWN;
	lock->expires = maybe_time();
	lock->clock_step = (below(3) - 1) * 3600 * NS_PER_S + below(3) * INT64_C(1000);
	snprintf(lock->version, sizeof lock->version, "fe00:%d", below(5));
	for (int i = 0; i < holders; i++)
		random_process(lock_add_holder(lock));
	for (int i = 0; i < waiters; i++)
		random_process(lock_add_waiter(lock));
	return lock;
}

#endif

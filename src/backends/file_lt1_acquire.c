/* LT1: a lock file is taken. */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "backends/file_judge.h"
#include "backends/file_lt1_private.h"
#include "backends/file_queue.h"
#include "base/error.h"
#include "system/draft.h"
#include "system/fence.h"

enum { ATTEMPTS_AT_ONCE = 100 }; /* more are somebody who does nothing but replace the file */

#define ATTEMPT_PAUSE NS_PER_MS

/* One attempt at work. */
struct attempt {
	struct lt1 *lt1;
	const struct claim *claim;
	const struct patience *patience;
	struct taking *taking;
	struct lockfile_stat stat; /* of the file under the flock */
	bool is_made;              /* by this attempt */
};

static bool is_over(const struct attempt *attempt)
{
	return clock_mono(attempt->lt1->world->clock) >= attempt->patience->until;
}

static int busy(const struct lt1 *lt1, struct error *err)
{
	return error_set(err, -EBUSY, "somebody has %s", lt1->path);
}

/* --- a file that is not there --- */

/*
 * A file with a record of ours and our flock from its birth. Without a fence: who made the file
 * knows only afterwards that the name is his, and with it the counter.
 */
static int fill_draft(struct attempt *attempt, struct draft *draft, struct error *err)
{
	struct lt1 *lt1 = attempt->lt1;
	ssize_t n;

	if (flock(draft->fd, LOCK_EX | LOCK_NB) < 0)
		return error_sys(err, -errno, "cannot lock a new %s", lt1->path);
	if (lt1->writes_no_record)
		return 0;
	lt1->fence = 0;
	lt1->acquired = clock_wall(lt1->world->clock);
	if (lt1_compose(lt1, attempt->claim, err) < 0)
		return -EINVAL;
	n = pwrite(draft->fd, lt1->text, lt1->len, 0);
	if (n != (ssize_t)lt1->len)
		return error_sys(err, n < 0 ? -errno : -ENOSPC, "cannot write %s", lt1->path);
	return 0;
}

static bool is_removed(int dir)
{
	struct lockfile_stat stat;

	return lockfile_stat_fd(dir, &stat) == 0 && stat.nlink == 0;
}

static int make_file(struct attempt *attempt, struct error *err)
{
	struct lt1 *lt1 = attempt->lt1;
	struct draft draft;
	int result = draft_open(&draft, lt1->world, lt1->dir, lt1->name, attempt->claim->mode);

	if (result < 0 && is_removed(lt1->dir))
		return LT1_AGAIN;
	if (result < 0)
		return error_sys(err, result, "cannot make %s", lt1->path);
	result = fill_draft(attempt, &draft, err);
	if (result == 0) {
		result = draft_publish(&draft, lt1->world, lt1->name);
		/* There is no /proc to give it a name by. */
		if (result == -ENOENT && !draft.temp[0]) {
			draft_drop(&draft);
			result =
				draft_open(&draft, NULL, lt1->dir, lt1->name, attempt->claim->mode);
			if (result == 0)
				result = fill_draft(attempt, &draft, err);
			if (result == 0)
				result = draft_publish(&draft, NULL, lt1->name);
		}
		if (result < 0 && result != -EEXIST)
			error_sys(err, result, "cannot make %s", lt1->path);
	}
	if (result == 0) {
		lt1->fd = draft.fd;
		attempt->is_made = true;
		return 0;
	}
	draft_drop(&draft);
	/* Or the folder was removed since it was opened: the next attempt will say so. */
	return result == -EEXIST || is_removed(lt1->dir) ? LT1_AGAIN : result;
}

/* --- one that is there --- */

static bool is_moot(void *data)
{
	struct lt1 *lt1 = data;
	struct lockfile_stat stat;

	if (lockfile_stat_fd(lt1->fd, &stat) < 0)
		return false;
	lt1->dev = stat.dev;
	lt1->ino = stat.ino;
	return lt1_is_named(lt1, NULL) == -ESTALE;
}

static int queue_up(struct attempt *attempt, struct error *err)
{
	struct lt1 *lt1 = attempt->lt1;
	const struct queue queue = {
		.world = lt1->world, .fd = lt1->fd, .is_moot = is_moot, .data = lt1};
	int result;

	if (is_over(attempt))
		return busy(lt1, err);
	attempt->taking->was_queued = true;
	result = file_queue_wait(&queue, attempt->patience);
	switch (result) {
	case 0: return 0;
	case FILE_QUEUE_MOOT: return LT1_AGAIN;
	case -ETIMEDOUT:
		return error_set(err, result, "somebody had %s for the whole wait", lt1->path);
	case -ECANCELED:
		return error_set(err, result, "the wait for %s was interrupted", lt1->path);
	default: return error_sys(err, result, "cannot wait for %s", lt1->path);
	}
}

static int lock_file(struct attempt *attempt, struct error *err)
{
	struct lt1 *lt1 = attempt->lt1;

	if (flock(lt1->fd, LOCK_EX | LOCK_NB) == 0)
		return 0;
	if (errno == EWOULDBLOCK)
		return queue_up(attempt, err);
	return error_sys(err, -errno, "cannot lock %s", lt1->path);
}

/* What is known of the record's process goes into a lock as the verdict wants it. */
static void judge(const struct attempt *attempt, const struct record *record, struct judged *judged)
{
	const struct world *world = attempt->lt1->world;
	struct process process = {.pid = record->pid, .uid = -1};
	struct lock lock = {
		.kind = LOCK_FILE,
		.record = *record,
		.written = attempt->stat.mtime,
		.holders = record->pid > 0 ? 1 : 0,
		.holder = &process,
		.since_mono = MONO_UNKNOWN,
	};
	struct facts facts = {
		.now = clock_mono(world->clock),
		.now_wall = clock_wall(world->clock),
		.limit = attempt->claim->stale_after,
	};

	proc_relate(attempt->claim->here, record, &lock);
	if (record->pid > 0 && lock.host_is != RELATION_OTHER && lock.boot_is != RELATION_OTHER &&
		lock.ns_is != RELATION_OTHER)
		process.life = proc_life(world, record->pid, &process.start);
	file_judge(judged, &lock, &facts, attempt->claim->takeover);
}

static void note_stale(
	struct taking *taking, const struct record *record, const struct judged *judged)
{
	taking->was_stale = true;
	taking->former = *record;
	memset(taking->former.token, 0, sizeof taking->former.token);
	memcpy(taking->reason, judged->reason, sizeof taking->reason);
}

static int look(struct attempt *attempt, struct error *err)
{
	char data[RECORD_READ_MAX + 1];
	struct lt1 *lt1 = attempt->lt1;
	struct record record;
	struct judged judged;
	ssize_t n;

	if (attempt->stat.size == 0)
		return 0;
	n = lockfile_read_start(lt1->fd, data, sizeof data);
	if (n < 0)
		return error_sys(err, (int)n, "cannot read %s", lt1->path);
	record_parse(&record, data, (size_t)n, NULL);
	judge(attempt, &record, &judged);
	if (judged.found == FOUND_BUSY && judged.is_left)
		return error_set(err, -EBUSY,
			"%s was left behind (%s), and is not to be taken over: locktop release %s",
			lt1->path, judged.reason, lt1->path);
	if (judged.found == FOUND_BUSY)
		return error_set(err, -EBUSY, "somebody has %s: %s", lt1->path, judged.reason);
	if (judged.found == FOUND_STALE)
		note_stale(attempt->taking, &record, &judged);
	return 0;
}

/* --- it is ours --- */

/* What this attempt made goes again, while it is still what the name points to. */
static void take_back(struct attempt *attempt)
{
	struct lt1 *lt1 = attempt->lt1;

	if (attempt->is_made && !lt1->writes_no_record && lt1_is_named(lt1, NULL) == 0)
		unlinkat(lt1->dir, lt1->name, 0);
}

static int write_record(struct attempt *attempt, struct error *err)
{
	const struct claim *claim = attempt->claim;
	struct lt1 *lt1 = attempt->lt1;
	int result;

	/* Without a right to it, or room: a lock without a fence is better than none. */
	if (fence_next(lt1->dir, lt1->name, claim->here->boot, claim->mode, &lt1->fence, NULL) < 0)
		lt1->fence = 0;
	if (!attempt->is_made)
		lt1->acquired = clock_wall(lt1->world->clock);
	result = lt1_compose(lt1, claim, err);
	if (result == 0)
		result = lt1_write(lt1, attempt->stat.size, err);
	if (result < 0)
		return result;
	result = lt1_is_named(lt1, NULL);
	if (result == 0)
		return 0;
	if (result != -ESTALE)
		return error_sys(err, result, "cannot look at %s", lt1->path);
	/* Whoever finds that file somewhere shall not find our record in it. */
	(void)!ftruncate(lt1->fd, 0);
	return LT1_AGAIN;
}

/* With the flock of the file. */
static int enter_record(struct attempt *attempt, struct error *err)
{
	int result = lt1_settle(attempt->lt1, &attempt->stat, err);

	if (result != 0 || attempt->lt1->writes_no_record)
		return result;
	if (!attempt->is_made)
		result = look(attempt, err);
	return result == 0 ? write_record(attempt, err) : result;
}

static int attempt_once(struct attempt *attempt, struct error *err)
{
	struct lt1 *lt1 = attempt->lt1;
	int result = lt1_enter(lt1, err);

	if (result == 0)
		result = lt1_open_file(lt1, err);
	if (result == 0)
		result = lock_file(attempt, err);
	else if (result == -ENOENT && lt1->dir >= 0)
		result = make_file(attempt, err);
	if (result == 0)
		result = enter_record(attempt, err);
	if (result != 0)
		take_back(attempt);
	return result;
}

static int check_claim(const struct lt1 *lt1, const struct claim *claim, struct error *err)
{
	if (lt1->fd >= 0)
		return error_set(err, -EINVAL, "%s is held already", lt1->path);
	if (lt1->writes_no_record && claim->is_detached)
		return error_set(err, -EINVAL,
			"a flock ends with its process, so %s cannot be taken without one",
			lt1->path);
	if (claim->is_strict && claim->is_detached)
		return error_set(err, -EINVAL,
			"a record of pid|time alone needs a process that holds %s", lt1->path);
	return 0;
}

/* Somebody replaces the file again and again: with pauses, and not for longer than allowed. */
static int pause_between(const struct attempt *attempt, struct error *err)
{
	const struct patience *patience = attempt->patience;
	const struct clock *clock = attempt->lt1->world->clock;
	int result;

	if (attempt->taking->attempts < ATTEMPTS_AT_ONCE)
		return LT1_AGAIN;
	if (is_over(attempt))
		return error_set(err, -EBUSY, "%s is replaced again and again", attempt->lt1->path);
	clock->wait(clock, NULL, 0, clock_mono(clock) + ATTEMPT_PAUSE, NULL);
	result = patience->tick ? patience->tick(patience->data) : 0;
	if (result < 0)
		return error_set(
			err, result, "the wait for %s was interrupted", attempt->lt1->path);
	return LT1_AGAIN;
}

int lt1_acquire(struct lt1 *lt1, const struct claim *claim, const struct patience *patience,
	struct taking *taking, struct error *err)
{
	struct attempt attempt = {
		.lt1 = lt1, .claim = claim, .patience = patience, .taking = taking};
	int result = check_claim(lt1, claim, err);

	if (result < 0)
		return result;
	*taking = (struct taking){0};
	do {
		taking->attempts++;
		taking->was_stale = attempt.is_made = false;
		result = attempt_once(&attempt, err);
		if (result != 0)
			lt1_leave(lt1);
		if (result == LT1_AGAIN)
			result = pause_between(&attempt, err);
	} while (result == LT1_AGAIN);
	if (result < 0)
		return result;
	taking->fence = lt1->writes_no_record ? 0 : lt1->fence;
	if (claim->is_detached)
		lt1_leave(lt1);
	return 0;
}

/* LT1: a lock file that is held is renewed, verified and given back. */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "backends/file_lt1_private.h"
#include "base/error.h"

/* How long another's flock on a detached lock's file is waited for, who looks at it. */
#define LOOK_MAX   NS_PER_S
#define LOOK_PAUSE (5 * NS_PER_MS)

/* Is a record found in the file of the claim? 0, -ESTALE, -EKEYREJECTED. */
static int compare(const struct lt1 *lt1, const struct claim *claim, const struct record *record,
	struct error *err)
{
	if (record->format == RECORD_LT1 && memcmp(record->token, claim->token, 33) == 0)
		return 0;
	if (record->format == RECORD_EMPTY)
		return error_set(err, -ESTALE, "%s was emptied: nobody has it", lt1->path);
	if (record->pid > 0)
		return error_set(
			err, -EKEYREJECTED, "%s was taken by pid %d", lt1->path, (int)record->pid);
	return error_set(err, -EKEYREJECTED, "%s was overwritten", lt1->path);
}

/* --- with its flock --- */

static int check_text(const struct lt1 *lt1, const struct claim *claim, struct error *err)
{
	char data[RECORD_READ_MAX + 1];
	struct record record;
	/* One call, as a rule: what is not as it was written is read in earnest. */
	ssize_t n = pread(lt1->fd, data, lt1->len + 1, 0);

	if ((size_t)n == lt1->len && memcmp(data, lt1->text, lt1->len) == 0)
		return 0;
	n = lockfile_read_start(lt1->fd, data, sizeof data);
	if (n < 0)
		return error_sys(err, (int)n, "cannot read %s", lt1->path);
	record_parse(&record, data, (size_t)n, NULL);
	return compare(lt1, claim, &record, err);
}

static int check_held(const struct lt1 *lt1, const struct claim *claim, struct error *err)
{
	int result = lt1_is_named(lt1, err);

	if (result < 0 || lt1->writes_no_record)
		return result;
	return check_text(lt1, claim, err);
}

static int rewrite_held(struct lt1 *lt1, const struct claim *claim, struct error *err)
{
	char former[sizeof lt1->text];
	size_t len = lt1->len;
	int result;

	memcpy(former, lt1->text, len);
	result = lt1_compose(lt1, claim, err);
	if (result == 0)
		result = lt1_write(lt1, (int64_t)len, err);
	if (result < 0) {
		/* What is there is compared with what was written: that is still the former text.
		 */
		memcpy(lt1->text, former, len);
		lt1->len = len;
	}
	return result;
}

static int end_held(struct lt1 *lt1, const struct claim *claim, struct error *err)
{
	if (lt1->writes_no_record || (claim->is_tidy && unlinkat(lt1->dir, lt1->name, 0) == 0))
		return 0;
	/* A folder in which nothing can be removed leaves an empty file: free all the same. */
	if (ftruncate(lt1->fd, 0) < 0)
		return error_sys(err, -errno, "cannot empty %s", lt1->path);
	return 0;
}

/* --- by its token, with the flock for a moment --- */

static int look_in(const struct lt1 *lt1, struct record *record, struct error *err)
{
	struct lockfile_stat seen;
	struct lockfile file;
	int result;

	do {
		result = lockfile_stat(AT_FDCWD, lt1->path, &seen);
		if (result == 0)
			result = lockfile_read(AT_FDCWD, lt1->path, &seen, &file);
	} while (result == -EAGAIN);
	if (result == -ENOENT)
		return error_set(err, -ESTALE, "%s was removed", lt1->path);
	if (result < 0)
		return error_sys(err, result, "cannot look at %s", lt1->path);
	if (!file.is_read)
		return error_set(err, -EACCES, "%s %s", lt1->path, file.problem);
	lockfile_identity(&file, record, NULL);
	return 0;
}

static int verify_by_token(const struct lt1 *lt1, const struct claim *claim, struct error *err)
{
	struct record record;
	uint64_t start;
	enum life life;
	int result = look_in(lt1, &record, err);

	if (result == 0)
		result = compare(lt1, claim, &record, err);
	if (result < 0 || record.mode != 'h')
		return result;
	/* Its holder has the flock, if there is a holder. */
	life = proc_life(lt1->world, record.pid, &start);
	if (life == LIFE_GONE || life == LIFE_ZOMBIE || life == LIFE_EXITING ||
		(record.start && start && record.start != start))
		return error_set(
			err, -ESTALE, "pid %d that held %s is gone", (int)record.pid, lt1->path);
	return 0;
}

static int lock_for_a_moment(struct lt1 *lt1, struct error *err)
{
	const struct clock *clock = lt1->world->clock;
	mono_t end = clock_mono(clock) + LOOK_MAX;

	while (flock(lt1->fd, LOCK_EX | LOCK_NB) < 0) {
		if (errno != EWOULDBLOCK && errno != EINTR)
			return error_sys(err, -errno, "cannot lock %s", lt1->path);
		if (clock_mono(clock) >= end)
			return error_set(err, -EBUSY, "somebody has a flock on %s", lt1->path);
		clock->wait(clock, NULL, 0, clock_mono(clock) + LOOK_PAUSE, NULL);
	}
	return 0;
}

static int enter_once(struct lt1 *lt1, struct lockfile_stat *stat, struct error *err)
{
	int result = lt1_enter(lt1, err);

	if (result == 0)
		result = lt1_open_file(lt1, err);
	if (result == -ENOENT && lt1->dir >= 0)
		return error_set(err, -ESTALE, "%s was removed", lt1->path);
	if (result == 0)
		result = lock_for_a_moment(lt1, err);
	if (result == 0)
		result = lt1_settle(lt1, stat, err);
	return result;
}

/* Opens and locks the file, and sees that its record is detached and the claim's. */
static int enter_by_token(struct lt1 *lt1, const struct claim *claim, struct lockfile_stat *stat,
	struct record *record, struct error *err)
{
	char data[RECORD_READ_MAX + 1];
	ssize_t n;
	int result;

	do
		result = enter_once(lt1, stat, err);
	while (result == LT1_AGAIN);
	if (result < 0)
		return result;
	n = lockfile_read_start(lt1->fd, data, sizeof data);
	if (n < 0)
		return error_sys(err, (int)n, "cannot read %s", lt1->path);
	record_parse(record, data, (size_t)n, NULL);
	result = compare(lt1, claim, record, err);
	if (result == 0 && record->mode == 'h')
		return error_set(
			err, -ESTALE, "pid %d that held %s is gone", (int)record->pid, lt1->path);
	return result;
}

/* A record that is held under flock is its holder's affair. */
static int refuse_held(const struct lt1 *lt1, const struct claim *claim, struct error *err)
{
	struct record record;
	int result = look_in(lt1, &record, err);

	if (result == 0)
		result = compare(lt1, claim, &record, err);
	if (result == 0 && record.mode == 'h')
		return error_set(err, -EPERM, "%s is kept by pid %d as long as that runs",
			lt1->path, (int)record.pid);
	return result;
}

static int renew_by_token(struct lt1 *lt1, const struct claim *claim, struct error *err)
{
	struct claim owner = *claim;
	struct lockfile_stat stat;
	struct record record;
	int result = refuse_held(lt1, claim, err);

	if (result == 0)
		result = enter_by_token(lt1, claim, &stat, &record, err);
	if (result == 0) {
		/* Whoever renews it: the owner stays the one for whom it was taken. */
		owner.pid = record.pid;
		owner.start = record.start;
		owner.uid = record.uid;
		owner.is_detached = true;
		owner.is_strict = false;
		if (owner.lease <= 0)
			owner.lease = record.lease * NS_PER_S;
		lt1->fence = record.fence > 0 ? record.fence : 0;
		lt1->acquired = record.acquired;
		/* A shorter record would be one write and one cut, and half of it in between. */
		lt1->lease_digits = record.lease_digits;
		result = lt1_compose(lt1, &owner, err);
		lt1->lease_digits = 0;
	}
	if (result == 0)
		result = lt1_write(lt1, stat.size, err);
	lt1_leave(lt1);
	return result;
}

static int end_by_token(struct lt1 *lt1, const struct claim *claim, struct error *err)
{
	struct lockfile_stat stat;
	struct record record;
	int result = refuse_held(lt1, claim, err);

	if (result == 0)
		result = enter_by_token(lt1, claim, &stat, &record, err);
	if (result == 0)
		result = end_held(lt1, claim, err);
	return result;
}

/* --- either way --- */

/* A flock alone is known by nothing but its descriptor. */
static int without_record(const struct lt1 *lt1, struct error *err)
{
	return error_set(err, -ESTALE, "%s is not held by this process", lt1->path);
}

int lt1_renew(struct lt1 *lt1, const struct claim *claim, struct error *err)
{
	int result;

	if (lt1->fd < 0 && lt1->writes_no_record)
		return without_record(lt1, err);
	if (lt1->fd < 0)
		return renew_by_token(lt1, claim, err);
	result = check_held(lt1, claim, err);
	return result < 0 || lt1->writes_no_record ? result : rewrite_held(lt1, claim, err);
}

int lt1_verify(struct lt1 *lt1, const struct claim *claim, struct error *err)
{
	if (lt1->fd < 0 && lt1->writes_no_record)
		return without_record(lt1, err);
	return lt1->fd < 0 ? verify_by_token(lt1, claim, err) : check_held(lt1, claim, err);
}

int lt1_give_back(struct lt1 *lt1, const struct claim *claim, struct error *err)
{
	int result;

	if (lt1->fd < 0 && lt1->writes_no_record) {
		result = without_record(lt1, err);
	} else if (lt1->fd < 0) {
		result = end_by_token(lt1, claim, err);
	} else {
		result = check_held(lt1, claim, err);
		if (result == 0)
			result = end_held(lt1, claim, err);
	}
	/* Closing drops the flock; LOCK_UN first would open a gap for nothing. */
	lt1_leave(lt1);
	return result;
}

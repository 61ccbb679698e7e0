/*
 * What LT1 is compared with: the look-then-write of many applications, and the file published by
 * link(2) whose stale ones are removed by path. And two controls of the detectors: a bare flock,
 * which is right as long as nobody removes the file, and no lock at all. Own writing, as the usual
 * descriptions have them; their faults are theirs.
 */
#include "config.h"
#include "protocol.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <time.h>
#include <unistd.h>

enum { STALE_AFTER = 600 };

static char place[512];
static int kept = -1;

static int prepare(const char *path)
{
	strncpy(place, path, sizeof place - 1);
	return 0;
}

static int nothing(void)
{
	return 0;
}

/* 0 nobody's, 1 a live holder's, 2 a stale record, 3 a file without a record (yet). */
static int judge(void)
{
	long long written = 0;
	int fields, pid = 0;
	FILE *f = fopen(place, "re");

	if (!f)
		return 0;
	fields = fscanf(f, "%d|%lld", &pid, &written);
	fclose(f);
	if (fields != 2)
		return 3;
	if (time(NULL) - written > STALE_AFTER || (kill(pid, 0) < 0 && errno == ESRCH))
		return 2;
	return 1;
}

static int write_record(int fd)
{
	return dprintf(fd, "%d|%lld", (int)getpid(), (long long)time(NULL)) < 0 ? -errno : 0;
}

static int unlink_by_path(void)
{
	return unlink(place) < 0 && errno != ENOENT ? -errno : 0;
}

/* file_put_contents(f, "pid|time", LOCK_EX) is open, flock, truncate, write, close. */
static int seed_acquire(struct attempt *attempt)
{
	int fd, rc, found = judge();

	if (found == 1)
		return -EBUSY;
	if (found == 2) {
		unlink_by_path();
		attempt->was_stale = true;
	}
	fd = open(place, O_WRONLY | O_CREAT | O_CLOEXEC, 0640);
	if (fd < 0)
		return -errno;
	rc = flock(fd, LOCK_EX) < 0 || ftruncate(fd, 0) < 0 ? -errno : write_record(fd);
	close(fd);
	return rc;
}

/* Complete before it is visible, by link(2), as liblockfile and others do. */
static int by_path_acquire(struct attempt *attempt)
{
	char own[600];
	int fd, rc;

	if (judge() == 2) {
		unlink_by_path();
		attempt->was_stale = true;
	}
	snprintf(own, sizeof own, "%s.%d", place, (int)getpid());
	fd = open(own, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0640);
	if (fd < 0)
		return -errno;
	rc = write_record(fd);
	close(fd);
	if (rc == 0 && link(own, place) < 0)
		rc = errno == EEXIST ? -EBUSY : -errno;
	unlink(own);
	return rc;
}

static int flock_open(void)
{
	kept = open(place, O_RDWR | O_CREAT | O_CLOEXEC, 0640);
	return kept < 0 ? -errno : 0;
}

static int flock_acquire(struct attempt *attempt)
{
	if (flock(kept, LOCK_EX | (attempt->timeout < 0 ? 0 : LOCK_NB)) < 0)
		return errno == EWOULDBLOCK ? -EBUSY : -errno;
	return 0;
}

static int flock_give_back(void)
{
	return flock(kept, LOCK_UN) < 0 ? -errno : 0;
}

static int none_acquire(struct attempt *attempt)
{
	(void)attempt;
	return 0;
}

const struct protocol protocol_seed = {
	"seed", false, prepare, nothing, seed_acquire, NULL, unlink_by_path};
const struct protocol protocol_by_path = {
	"by-path", false, prepare, nothing, by_path_acquire, NULL, unlink_by_path};
const struct protocol protocol_flock = {
	"flock", false, prepare, flock_open, flock_acquire, NULL, flock_give_back};
const struct protocol protocol_none = {
	"none", false, prepare, nothing, none_acquire, NULL, nothing};

/* LT1, the protocol of a lock file: what all its steps share. */
#include "config.h"

#include "backends/file_lt1.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "backends/file_lt1_private.h"
#include "base/error.h"
#include "system/fence.h"
#include "system/folder.h"

/* A lock file's name, not a folder's, nor of what is kept beside one. */
static bool is_name(const char *name)
{
	size_t len = strlen(name), tail = strlen(".fence");

	if (len == 0 || strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
		return false;
	return name[0] != '.' || len <= tail || strcmp(name + len - tail, ".fence") != 0;
}

int lt1_open(struct lt1 *lt1, const struct world *world, const char *path, struct error *err)
{
	const char *slash = strrchr(path, '/');
	const char *name = slash ? slash + 1 : path;
	size_t len;

	*lt1 = (struct lt1){.world = world, .dir = -1, .fd = -1};
	if (!is_name(name))
		return error_set(err, -EINVAL, "'%s' is no name of a lock file", path);
	lt1->path = folder_absolute(path);
	if (!lt1->path)
		return error_sys(err, -errno, "cannot take a lock in %s", path);
	len = strlen(lt1->path) - strlen(name);
	lt1->folder = strndup(lt1->path, len > 1 ? len - 1 : len);
	lt1->name = strdup(name);
	if (!lt1->folder || !lt1->name) {
		lt1_close(lt1);
		return error_sys(err, -ENOMEM, "cannot take a lock in %s", path);
	}
	return 0;
}

void lt1_leave(struct lt1 *lt1)
{
	if (lt1->fd >= 0)
		close(lt1->fd);
	if (lt1->dir >= 0)
		close(lt1->dir);
	lt1->fd = lt1->dir = -1;
}

void lt1_close(struct lt1 *lt1)
{
	lt1_leave(lt1);
	free(lt1->folder);
	free(lt1->name);
	free(lt1->path);
	lt1->folder = lt1->name = lt1->path = NULL;
}

/*
 * Where a flock is made of other locks, or is this host's alone while others see the file: what
 * the kernel says there proves nothing (flock(2), "NFS details" and "CIFS details").
 */
static const char *unfit(unsigned int type)
{
	static const struct {
		unsigned int type;
		const char *name;
	} table[] = {
		{0x6969, "NFS"},
		{0xff534d42, "CIFS"},
		{0xfe534d42, "SMB"},
		{0x517b, "SMB"},
		{0x01021997, "9p"},
		{0x5346414f, "AFS"},
	};

	for (size_t i = 0; i < sizeof table / sizeof *table; i++)
		if (type == table[i].type)
			return table[i].name;
	return NULL;
}

int lt1_enter(struct lt1 *lt1, struct error *err)
{
	const char *name;
	struct statfs fs;

	lt1_leave(lt1);
	do
		lt1->dir = open(lt1->folder, O_PATH | O_DIRECTORY | O_CLOEXEC);
	while (lt1->dir < 0 && errno == EINTR);
	if (lt1->dir < 0)
		return error_sys(err, -errno, "cannot open the folder %s", lt1->folder);
	if (fstatfs(lt1->dir, &fs) < 0)
		return error_sys(err, -errno, "cannot look at the folder %s", lt1->folder);
	name = unfit((unsigned int)fs.f_type);
	if (name)
		return error_set(err, -ENOTSUP,
			"%s is on %s, where a flock proves nothing: choose a folder of this host, "
			"such as /run/lock",
			lt1->folder, name);
	return 0;
}

static int check_kind(const struct lt1 *lt1, const struct lockfile_stat *stat, struct error *err)
{
	const char *words = lockfile_irregular(stat->mode);

	if (lt1->writes_no_record && S_ISDIR(stat->mode))
		return 0;
	if (words)
		return error_set(
			err, S_ISLNK(stat->mode) ? -ELOOP : -EINVAL, "%s is %s", lt1->path, words);
	if (lt1->writes_no_record)
		return 0;
	if (stat->nlink > 1)
		return error_set(err, -EMLINK,
			"%s has %ju hard links, so it is more than a lock file", lt1->path,
			(uintmax_t)stat->nlink);
	if (stat->size > RECORD_READ_MAX)
		return error_set(err, -EFBIG, "%s is too long for a lock file (%jd bytes)",
			lt1->path, (intmax_t)stat->size);
	return 0;
}

int lt1_open_file(struct lt1 *lt1, struct error *err)
{
	int flags = lt1->writes_no_record ? O_RDONLY : O_RDWR;
	struct lockfile_stat seen;
	int result = lockfile_stat(lt1->dir, lt1->name, &seen);

	if (result == -ENOENT)
		return result;
	if (result < 0)
		return error_sys(err, result, "cannot look at %s", lt1->path);
	/* A device is not even opened: that alone may have effects. */
	result = check_kind(lt1, &seen, err);
	if (result < 0)
		return result;
	/* Never O_CREAT here: in a sticky folder it fails for another's file (proc(5)). */
	lt1->fd =
		openat(lt1->dir, lt1->name, flags | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	if (lt1->fd >= 0)
		return 0;
	/* Somebody was faster: what it is now the next look will say. */
	if (errno == ENOENT || errno == ELOOP || errno == EINTR)
		return LT1_AGAIN;
	return error_sys(err, -errno, "cannot open %s", lt1->path);
}

int lt1_is_named(const struct lt1 *lt1, struct error *err)
{
	struct lockfile_stat named;
	/* By the path: the folder may be another one by now, too. */
	int result = lockfile_stat(AT_FDCWD, lt1->path, &named);

	if (result == 0 && named.dev == lt1->dev && named.ino == lt1->ino)
		return 0;
	if (result == -ENOENT || result == -ENOTDIR)
		return error_set(err, -ESTALE, "%s was removed", lt1->path);
	if (result < 0)
		return error_sys(err, result, "cannot look at %s", lt1->path);
	return error_set(err, -ESTALE, "%s is another file now", lt1->path);
}

int lt1_settle(struct lt1 *lt1, struct lockfile_stat *stat, struct error *err)
{
	int result = lockfile_stat_fd(lt1->fd, stat);

	if (result < 0)
		return error_sys(err, result, "cannot look at %s", lt1->path);
	lt1->dev = stat->dev;
	lt1->ino = stat->ino;
	result = lt1_is_named(lt1, NULL);
	if (result == -ESTALE)
		return LT1_AGAIN;
	return result < 0 ? lt1_is_named(lt1, err) : check_kind(lt1, stat, err);
}

static int32_t lease_seconds(int64_t lease)
{
	int64_t seconds = lease / NS_PER_S + (lease % NS_PER_S > 0);

	return seconds > INT32_MAX ? INT32_MAX : (int32_t)seconds;
}

int lt1_compose(struct lt1 *lt1, const struct claim *claim, struct error *err)
{
	const struct clock *clock = lt1->world->clock;
	struct record record = {
		.format = claim->is_strict ? RECORD_PLAIN : RECORD_LT1,
		.mode = claim->is_detached ? 'd' : 'h',
		.pid = claim->pid,
		.time = clock_wall(clock) / NS_PER_S,
		.start = claim->start,
		.ns = claim->here->pidns,
		.acquired = lt1->acquired,
		.refreshed = clock_mono(clock),
		.fence = lt1->fence > 0 ? lt1->fence : -1,
		.lease = lease_seconds(claim->lease),
		.lease_digits = lt1->lease_digits,
		.uid = claim->uid,
	};
	int len;

	memcpy(record.boot, claim->here->boot, sizeof record.boot);
	memcpy(record.token, claim->token, sizeof record.token);
	memcpy(record.host, claim->here->host, sizeof record.host);
	len = record_write(&record, lt1->text, sizeof lt1->text);
	if (len == -E2BIG)
		return error_set(err, -EINVAL, "the record for %s would be too long", lt1->path);
	if (len < 0)
		return error_set(err, -EINVAL, "no record can be made for %s", lt1->path);
	lt1->len = (size_t)len;
	return 0;
}

static ssize_t write_once(int fd, const char *text, size_t len)
{
	ssize_t n;

	do
		n = pwrite(fd, text, len, 0);
	while (n < 0 && errno == EINTR);
	return n < 0 ? -errno : n;
}

int lt1_write(struct lt1 *lt1, int64_t size, struct error *err)
{
	/* In this order: emptied first, ext4 writes to the disk at the close. */
	ssize_t n = write_once(lt1->fd, lt1->text, lt1->len);
	int result = n < 0 ? (int)n : (size_t)n < lt1->len ? -ENOSPC : 0;

	if (result == 0 && size > (int64_t)lt1->len && ftruncate(lt1->fd, (off_t)lt1->len) < 0)
		result = -errno;
	if (result == 0)
		return 0;
	/* Nothing written: what is there is as true as before. Half of it would be a lie. */
	if (n >= 0 && ftruncate(lt1->fd, 0) < 0)
		return error_sys(err, result, "cannot write %s, nor empty it again", lt1->path);
	return error_sys(err, result, "cannot write %s", lt1->path);
}

int lt1_fence(struct lt1 *lt1, int64_t *fence, struct error *err)
{
	int dir = open(lt1->folder, O_PATH | O_DIRECTORY | O_CLOEXEC);
	int result;

	if (dir < 0)
		return error_sys(err, -errno, "cannot open the folder %s", lt1->folder);
	result = fence_last(dir, lt1->name, fence, err);
	close(dir);
	return result;
}

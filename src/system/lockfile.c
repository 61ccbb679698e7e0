/* One lock file on disk: looked at without changing anything, released without a race. */
#include "config.h"

#include "system/lockfile.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "base/text.h"

static wall_t wall_from(const struct timespec *time)
{
	if (time->tv_sec > INT64_MAX / NS_PER_S - 1)
		return INT64_MAX;
	if (time->tv_sec < 0)
		return 0;
	return time->tv_sec * NS_PER_S + time->tv_nsec;
}

static void stat_from(struct lockfile_stat *to, const struct stat *from)
{
	*to = (struct lockfile_stat){
		.dev = from->st_dev,
		.ino = from->st_ino,
		.size = from->st_size,
		.mtime = wall_from(&from->st_mtim),
		.ctime = wall_from(&from->st_ctim),
		.mode = from->st_mode,
		.uid = from->st_uid,
		.nlink = from->st_nlink,
	};
}

int lockfile_stat(int dir, const char *name, struct lockfile_stat *stat)
{
	struct stat st;

	if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT) < 0)
		return -errno;
	stat_from(stat, &st);
	return 0;
}

int lockfile_stat_fd(int fd, struct lockfile_stat *stat)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return -errno;
	stat_from(stat, &st);
	return 0;
}

bool lockfile_is_same(const struct lockfile_stat *a, const struct lockfile_stat *b)
{
	return a->dev == b->dev && a->ino == b->ino && a->size == b->size && a->mtime == b->mtime &&
	       a->ctime == b->ctime && a->mode == b->mode;
}

const char *lockfile_irregular(uint32_t mode)
{
	static const struct {
		mode_t type;
		const char *words;
	} table[] = {
		{S_IFLNK, "a symbolic link: not followed"},
		{S_IFDIR, "a directory, not a lock file"},
		{S_IFIFO, "a FIFO, not a lock file: not opened"},
		{S_IFSOCK, "a socket, not a lock file: not opened"},
		{S_IFCHR, "a character device, not a lock file: not opened"},
		{S_IFBLK, "a block device, not a lock file: not opened"},
	};

	if (S_ISREG(mode))
		return NULL;
	for (size_t i = 0; i < sizeof table / sizeof *table; i++)
		if ((mode & S_IFMT) == table[i].type)
			return table[i].words;
	return "not a regular file: not opened";
}

/*
 * O_NONBLOCK and the second look at what was opened are for the moment between stat and open,
 * in which somebody may put a FIFO in the file's place. O_NOATIME is the owner's and root's.
 */
static int open_to_read(int dir, const char *name)
{
	int flags = O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC;
	int fd = openat(dir, name, flags | O_NOATIME);

	if (fd < 0 && errno == EPERM)
		fd = openat(dir, name, flags);
	return fd < 0 ? -errno : fd;
}

ssize_t lockfile_read_start(int fd, char *dst, size_t size)
{
	size_t len = 0;

	while (len < size) {
		ssize_t n = pread(fd, dst + len, size - len, (off_t)len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (n == 0)
			break;
		len += (size_t)n;
	}
	return (ssize_t)len;
}

static void say_too_long(struct lockfile *file)
{
	snprintf(file->problem, sizeof file->problem,
		"too long for a lock file (%" PRId64 " bytes): not read", file->stat.size);
}

static int read_opened(int fd, const struct lockfile_stat *seen, struct lockfile *file)
{
	struct stat st;
	ssize_t n;

	if (fstat(fd, &st) < 0)
		return -errno;
	if (st.st_dev != seen->dev || st.st_ino != seen->ino)
		return -EAGAIN;
	stat_from(&file->stat, &st);
	n = lockfile_read_start(fd, file->data, sizeof file->data);
	if (n < 0) {
		snprintf(file->problem, sizeof file->problem, "cannot be read: %s",
			strerror((int)-n));
		return 0;
	}
	if (n > RECORD_READ_MAX) {
		say_too_long(file);
		return 0;
	}
	file->len = (size_t)n;
	file->data[n] = '\0';
	file->is_read = true;
	return 0;
}

int lockfile_read(
	int dir, const char *name, const struct lockfile_stat *seen, struct lockfile *file)
{
	const char *words = lockfile_irregular(seen->mode);
	int fd, result;

	file->stat = *seen;
	file->len = 0;
	file->is_read = false;
	file->data[0] = file->problem[0] = '\0';
	if (words) {
		snprintf(file->problem, sizeof file->problem, "%s", words);
		return 0;
	}
	if (seen->size > RECORD_READ_MAX) {
		say_too_long(file);
		return 0;
	}
	fd = open_to_read(dir, name);
	if (fd == -ENOENT)
		return fd;
	if (fd == -ELOOP)
		return -EAGAIN;
	if (fd < 0) {
		snprintf(file->problem, sizeof file->problem,
			"cannot be read: %s (owner uid %" PRIu32 ", mode %04o)", strerror(-fd),
			seen->uid, (unsigned int)(seen->mode & 07777));
		return 0;
	}
	result = read_opened(fd, seen, file);
	close(fd);
	return result;
}

uint64_t lockfile_identity(const struct lockfile *file, struct record *record, const char **why)
{
	const int64_t stamps[] = {file->stat.size, file->stat.mtime, file->stat.mode};

	if (file->is_read) {
		record_parse(record, file->data, file->len, why);
		return record_identity(record, file->data, file->len);
	}
	/* What can be no record whoever reads it, and what only could not be read now. */
	*record = (struct record){.format = RECORD_NONE, .fence = -1, .uid = -1};
	if (lockfile_irregular(file->stat.mode) || file->stat.size > RECORD_READ_MAX)
		record->format = RECORD_CORRUPT;
	if (why)
		*why = file->problem;
	return text_hash(stamps, sizeof stamps, 0);
}

void lockfile_version(char *dst, size_t size, uint64_t dev, uint64_t ino, uint64_t identity)
{
	snprintf(dst, size, "%" PRIx64 ":%" PRIu64 ":%016" PRIx64, dev, ino, identity);
}

/* Does anybody have a POSIX or OFD lock on it? Asking takes none (fcntl(2), F_OFD_GETLK). */
static bool is_record_locked(int fd)
{
	struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};

	return fcntl(fd, F_OFD_GETLK, &lock) == 0 && lock.l_type != F_UNLCK;
}

static int open_to_release(int dir, const char *name, const char *where, struct error *err)
{
	struct lockfile_stat seen;
	int result = lockfile_stat(dir, name, &seen);
	int fd;

	if (result < 0)
		return error_sys(err, result, "cannot look at %s", where);
	/* A device is not even opened: that alone may have effects. */
	if (lockfile_irregular(seen.mode))
		return error_set(err, S_ISLNK(seen.mode) ? -ELOOP : -EINVAL,
			"%s is %s: nothing was changed", where, lockfile_irregular(seen.mode));
	fd = openat(dir, name, O_RDWR | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	if (fd < 0)
		return error_sys(err, -errno, "cannot open %s", where);
	return fd;
}

/* Under the flock: is it a lock file, the one of that name, and as it was when it was judged? */
static int check_locked(int fd, int dir, const char *name, const char *where, const char *version,
	struct error *err)
{
	struct lockfile_stat named;
	struct lockfile file;
	struct record record;
	struct stat st;
	char now[64];
	int result;

	if (fstat(fd, &st) < 0)
		return error_sys(err, -errno, "cannot look at %s", where);
	if (!S_ISREG(st.st_mode))
		return error_set(
			err, -EINVAL, "%s is not a regular file: nothing was changed", where);
	if (st.st_nlink > 1)
		return error_set(err, -EMLINK,
			"%s has %ju hard links, so it is more than a lock file: nothing was "
			"changed",
			where, (uintmax_t)st.st_nlink);
	result = lockfile_stat(dir, name, &named);
	if (result < 0 || named.dev != st.st_dev || named.ino != st.st_ino)
		return error_set(err, -ESTALE,
			"%s changed since you looked: another file has that name now", where);
	stat_from(&file.stat, &st);
	file.problem[0] = '\0';
	file.is_read = false;
	result = read_opened(fd, &named, &file);
	if (result < 0)
		return error_sys(err, result, "cannot read %s", where);
	if (!file.is_read)
		return error_set(err, -EFBIG, "%s is %s: nothing was changed", where, file.problem);
	lockfile_version(
		now, sizeof now, st.st_dev, st.st_ino, lockfile_identity(&file, &record, NULL));
	if (strcmp(now, version) != 0)
		return error_set(err, -ESTALE,
			"%s changed since you looked: it has another content now", where);
	return 0;
}

int lockfile_release(int dir, const char *name, const char *where, const char *version, bool tidy,
	struct error *err)
{
	int fd = open_to_release(dir, name, where, err);
	int result;

	if (fd < 0)
		return fd;
	if (flock(fd, LOCK_EX | LOCK_NB) < 0) {
		result = errno == EWOULDBLOCK
				 ? error_set(err, -EBUSY,
					   "somebody has a flock on %s: nothing was changed", where)
				 : error_sys(err, -errno, "cannot lock %s", where);
	} else if (is_record_locked(fd)) {
		result = error_set(err, -EBUSY,
			"somebody has an fcntl lock on %s: nothing was changed", where);
	} else {
		result = check_locked(fd, dir, name, where, version, err);
		if (result == 0 && (tidy ? unlinkat(dir, name, 0) : ftruncate(fd, 0)) < 0)
			result = error_sys(
				err, -errno, "cannot %s %s", tidy ? "unlink" : "empty", where);
	}
	/* Closing drops the flock; LOCK_UN first would open a gap for nothing. */
	close(fd);
	return result;
}

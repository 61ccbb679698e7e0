/*
 * One lock file on disk: looked at without changing anything, and released without a race.
 * Names are raw bytes relative to a folder's descriptor; nothing but a regular file is ever
 * opened, no symbolic link is followed, and nothing blocks.
 */
#ifndef LOCKTOP_SYSTEM_LOCKFILE_H
#define LOCKTOP_SYSTEM_LOCKFILE_H

#include "base/clock.h"
#include "model/record.h"
#include <stdbool.h>
#include <sys/types.h>

struct error;

/* What tells that a file is still the same and untouched. */
struct lockfile_stat {
	uint64_t dev, ino;
	int64_t size;
	wall_t mtime, ctime;
	uint32_t mode, uid;
	uint64_t nlink;
};

/* The content, as far as it was read. */
struct lockfile {
	struct lockfile_stat stat; /* of the descriptor that was read */
	size_t len;
	char data[RECORD_READ_MAX + 1];
	bool is_read;      /* all of it is in data */
	char problem[160]; /* why not, in words; "" if it was read */
};

/* What it is instead of a regular file, in words ("a directory, not a lock file"); NULL if it is
 * one. */
const char *lockfile_irregular(uint32_t mode);
/* fstat(2): 0 or -errno. */
int lockfile_stat_fd(int fd, struct lockfile_stat *stat);
/* Up to size bytes from the beginning of the file, however small the pieces: length or -errno. */
ssize_t lockfile_read_start(int fd, char *dst, size_t size);
/* lstat(2) without mounting anything: 0 or -errno. */
int lockfile_stat(int dir, const char *name, struct lockfile_stat *stat);
/* Same file, and nothing was done to it in between (as far as the time stamps can tell)? */
bool lockfile_is_same(const struct lockfile_stat *a, const struct lockfile_stat *b);
/*
 * Reads the file that was seen as `seen`. 0 also when it cannot be read: then problem says why.
 * -ENOENT: it is gone; -EAGAIN: another file has that name by now.
 */
int lockfile_read(
	int dir, const char *name, const struct lockfile_stat *seen, struct lockfile *file);
/*
 * record_identity() of what was read; for an unread file something made of its time stamps:
 * RECORD_CORRUPT if it is no regular file or too long, RECORD_NONE if it could not be read.
 */
uint64_t lockfile_identity(const struct lockfile *file, struct record *record, const char **why);
/* The text of a version: the file and what is in it; extra is mixed into the hash. */
void lockfile_version(char *dst, size_t size, uint64_t dev, uint64_t ino, uint64_t identity);

/*
 * Empties the file, or unlinks it (tidy), as an administrator who is not its holder: takes a
 * flock on it without waiting, compares the descriptor with the name and the content with
 * `version` under that flock, and only then does it (whoever follows LT1 changes a lock file
 * only under a flock on the inode that the name points to, so nobody's new lock can be hit).
 * 0, or a refusal with a sentence and nothing changed: -EBUSY somebody has a lock on it,
 * -ESTALE it is not what it was, -ELOOP, -EMLINK, -EFBIG, -EINVAL not a file to be released;
 * or another -errno. `where` is the clean path for the sentence.
 */
int lockfile_release(int dir, const char *name, const char *where, const char *version, bool tidy,
	struct error *err);

#endif

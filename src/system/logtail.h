/*
 * Follows one log by name: reads lines from a point in time on and goes on where it was, through
 * rotation (the file was moved and a new one made, more than once perhaps: each is read to its end,
 * and the one before the last for some seconds more, for those who still have it open; copied and
 * truncated: what was not read yet is read in the copy, if it is not compressed at once), other
 * truncation (from the start again), deletion, and a last line that is still being written. Reading
 * changes nothing, the atime apart; what is no regular file is not opened (O_NONBLOCK; a symbolic
 * link is followed, as logs often are links).
 */
#ifndef LOCKTOP_SYSTEM_LOGTAIL_H
#define LOCKTOP_SYSTEM_LOGTAIL_H

#include "base/clock.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct error;

/* A longer line is counted as too long and skipped. */
enum { LOGTAIL_LINE_MAX = 4096 };

/* When was that line written? INT64_MIN: cannot be told. */
typedef int64_t logtail_time_fn(const char *line, size_t len);

/* A file that is read: the one that the name leads to, or the one before it. */
struct logtail_file {
	int fd;        /* -1: not open */
	void *gz;      /* gzFile, the owner of fd then; NULL: plain */
	bool is_ended; /* nothing more is read of it */
	uint64_t dev, ino;
	off_t at;  /* what stands before was handed out or skipped */
	char *buf; /* owned; what was read and not handed out yet; NULL: nothing was yet */
	size_t start, end;
	/*
	 * The bytes that were read last, to see that the file was truncated and regrew: more than a
	 * line, for its time has to be in it.
	 */
	char last[512];
	size_t last_len;
	bool is_skipping; /* up to the next newline: the line is too long, or after a seek */
};

struct logtail {
	char *path;                /* owned */
	bool is_compressed;        /* *.gz: read through zlib, from the start, never followed */
	bool is_fixed;             /* set by the owner: what was opened is read, and no other */
	const struct clock *clock; /* borrowed; the machine's unless set by the owner */
	struct logtail_file now;
	struct logtail_file old; /* rotated away; kept for a while */
	off_t until;             /* lines that begin there or later are left out; 0: none */
	mono_t rotated;          /* when that was noticed */
	mono_t unnamed;          /* when it was read last, and has no name any more; 0: it has */
	uint64_t too_long, torn; /* lines lost that way */
	uint64_t rotations, truncations;
	uint64_t bytes; /* read in all */
};

/* -ENOMEM. Nothing is opened yet. */
int logtail_init(struct logtail *tail, const char *path);
void logtail_release(struct logtail *tail);
/*
 * Opens the file at the first line that was written at `since` or later (0: at the start), found
 * by a binary search: a log that is appended to is in order but for the time that a write takes,
 * so it begins a little earlier; the caller drops what is too old. Holes of a sparse file are
 * skipped. 0, -ENOENT (may come later: logtail_next() tries again), or -errno with a sentence.
 */
int logtail_open(struct logtail *tail, wall_t since, logtail_time_fn *time, struct error *err);
/*
 * Opens it behind its last newline, where the next line begins: tail->now.at. For the lines before
 * that there is logtail_part().
 */
int logtail_open_end(struct logtail *tail, struct error *err);
/*
 * A tail of its own for the lines that begin in [from, until) (until 0: to the end) of the file
 * that `of` has open, wherever that is now; it is_fixed. To be released. 0 or -errno.
 */
int logtail_part(struct logtail *part, const struct logtail *of, off_t from, off_t until);
/*
 * The next complete line without its newline, NUL-terminated, in a buffer that may be written to
 * until the next call. 1; 0: no more now (look again after a hint or a second: rotation is noticed
 * here); -errno with a sentence. *line may hold NUL bytes.
 *
 * What is_fixed ends where it is truncated. A file that lost its name and gets no more lines is
 * closed after a minute, for the disk's sake.
 */
int logtail_next(struct logtail *tail, char **line, size_t *len, struct error *err);
/*
 * The file will not be followed further: hands out a last line that has no newline. 1 or 0.
 */
int logtail_rest(struct logtail *tail, char **line, size_t *len);

/*
 * Where to begin in a file of that size for lines from `since` on: the start of the file, or a
 * place behind which the next newline has to be found. *bytes grows by what was read.
 */
off_t logtail_seek(int fd, off_t size, wall_t since, logtail_time_fn *time, uint64_t *bytes);
/* Where lines from before `until` end at the latest: for logtail.until of what is_fixed. */
off_t logtail_seek_end(int fd, off_t size, wall_t until, logtail_time_fn *time, uint64_t *bytes);

/*
 * The files that a path or glob(7) pattern names, in the order of their names; with `rotated` also
 * PATH.1, PATH.2.gz, PATH-20261123 … of each, in front of it and the oldest first. A file that is
 * found under two names comes once, and one that was rotated away from another that the pattern
 * names only with `rotated`. What a pattern finds that is no regular file is left out. Owned array
 * of owned strings, NULL-terminated; NULL out of memory. None match: an empty array.
 */
char **logtail_files(const char *pattern, bool rotated);
/* Those that were rotated away from that one log, whether it is there or not. */
char **logtail_rotated(const char *path);
void logtail_files_free(char **files);

#endif

/*
 * What became of the name: the file was moved and there is another, or it was copied and truncated,
 * or deleted.
 */
#include "config.h"
#include "system/logtail_private.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/*
 * A writer asks once a second whether the log was moved (engine/metricslog.c): until then, and
 * while it is in its write, lines come to the file that was rotated away.
 */
#define GRACE (5 * NS_PER_S)

#define UNNAMED_MAX (60 * NS_PER_S)

enum { COPIES = 8 }; /* rotations between two looks, of which one may have been a copy */

void logtail_close_old(struct logtail *tail, bool at_once)
{
	if (tail->old.fd < 0 || (!at_once && clock_mono(tail->clock) - tail->rotated <= GRACE))
		return;
	logtail_file_lose_rest(tail, &tail->old);
	logtail_file_close(&tail->old);
}

static void make_old(struct logtail *tail, struct logtail_file *file)
{
	logtail_close_old(tail, true);
	tail->old = *file;
	tail->rotated = clock_mono(tail->clock);
}

static off_t read_up_to(const struct logtail_file *file)
{
	return file->at + (off_t)(file->end - file->start);
}

/* --- truncated --- */

/* Does that file have what was read of the other at its place? */
static bool is_copy(const struct logtail_file *copy, const struct logtail_file *of)
{
	char same[sizeof of->last];
	off_t at = read_up_to(of) - (off_t)of->last_len;

	return pread(copy->fd, same, of->last_len, at) == (ssize_t)of->last_len &&
	       memcmp(same, of->last, of->last_len) == 0;
}

/* Are there enough bytes to know a copy by? */
static bool is_known(const struct logtail_file *file)
{
	return file->last_len == sizeof file->last ||
	       (file->last_len > 0 && read_up_to(file) == (off_t)file->last_len);
}

/*
 * copytruncate of logrotate(8): what was written between our last look and the copy stands in the
 * copy only. It is among the youngest of what was rotated away, and has the bytes that we read
 * last.
 */
static bool open_copy(
	struct logtail *tail, const struct logtail_file *of, struct logtail_file *copy)
{
	char **files = is_known(of) ? logtail_rotated(tail->path) : NULL;
	bool found = false;
	struct stat st;
	size_t n = 0;

	while (files && files[n])
		n++;
	for (size_t k = 1; k <= n && k <= COPIES && !found; k++) {
		if (logtail_file_open(tail, files[n - k], copy, &st, NULL) < 0)
			continue;
		found = is_copy(copy, of);
		if (!found)
			logtail_file_close(copy);
	}
	logtail_files_free(files);
	return found;
}

/* The copy is read on in the place of what was truncated, half a line in the buffer included. */
static bool go_on_in_copy(struct logtail *tail)
{
	struct logtail_file copy, old = tail->now;

	if (tail->is_fixed || tail->is_compressed || !open_copy(tail, &old, &copy))
		return false;
	tail->now = (struct logtail_file){.fd = old.fd, .dev = old.dev, .ino = old.ino};
	old.fd = copy.fd;
	old.dev = copy.dev;
	old.ino = copy.ino;
	make_old(tail, &old);
	return true;
}

int logtail_restart(struct logtail *tail, struct logtail_file *file)
{
	tail->truncations++;
	if (file == &tail->now && go_on_in_copy(tail))
		return 1;
	logtail_file_lose_rest(tail, file);
	file->at = 0;
	file->last_len = 0;
	file->is_skipping = false;
	file->is_ended = tail->is_fixed || file == &tail->old;
	return !file->is_ended;
}

/* --- moved --- */

/* A file whose name is gone, and that nobody has written to for long, is given up. */
static void give_up_unnamed(struct logtail *tail)
{
	mono_t now = clock_mono(tail->clock);
	struct stat st;

	if (fstat(tail->now.fd, &st) < 0 || st.st_nlink > 0)
		return;
	if (!tail->unnamed)
		tail->unnamed = now;
	if (now - tail->unnamed <= UNNAMED_MAX)
		return;
	logtail_file_lose_rest(tail, &tail->now);
	logtail_file_close(&tail->now);
	tail->unnamed = 0;
}

/*
 * Does the name lead to another file than the one that is open, if one is? Else as
 * logtail_restart().
 */
static int look_at_name(struct logtail *tail, bool *is_another)
{
	struct logtail_file *now = &tail->now;
	struct stat st;

	*is_another = now->fd < 0;
	if (now->fd < 0)
		return 0;
	if (stat(tail->path, &st) < 0) {
		give_up_unnamed(tail);
		return 0;
	}
	tail->unnamed = 0;
	*is_another = st.st_dev != now->dev || st.st_ino != now->ino;
	if (*is_another || st.st_size >= read_up_to(now))
		return 0;
	return logtail_restart(tail, now);
}

/* Was it written to at that time or later? */
static bool is_since(const struct stat *st, const struct timespec *time)
{
	return st->st_mtim.tv_sec > time->tv_sec ||
	       (st->st_mtim.tv_sec == time->tv_sec && st->st_mtim.tv_nsec >= time->tv_nsec);
}

/*
 * Where to go on, of these files (the oldest first): behind ours comes the one
 * that was the log after it, should the log have been rotated twice since we looked. It was written
 * no earlier than ours; one that only looks like it, by its name, was not.
 */
static const char *next_of(char **files, const struct logtail_file *ours)
{
	struct stat st, then;
	bool found = false;

	if (fstat(ours->fd, &then) < 0)
		return NULL;
	for (size_t i = 0; files[i]; i++) {
		if (stat(files[i], &st) < 0)
			continue;
		if (found && is_since(&st, &then.st_mtim))
			return files[i];
		found = found || (st.st_dev == ours->dev && st.st_ino == ours->ino);
	}
	return NULL;
}

static int open_next(struct logtail *tail, struct logtail_file *fresh, struct error *err)
{
	char **files = tail->now.fd >= 0 ? logtail_rotated(tail->path) : NULL;
	const char *next = files ? next_of(files, &tail->now) : NULL;
	struct stat st;
	int result = -ENOENT;

	if (next)
		result = logtail_file_open(tail, next, fresh, &st, NULL);
	if (result < 0)
		result = logtail_file_open(tail, tail->path, fresh, &st, err);
	logtail_files_free(files);
	return result;
}

/* A log that is gone is kept until there is another. */
int logtail_follow(struct logtail *tail, struct error *err)
{
	struct logtail_file fresh;
	bool is_another;
	int result;

	if (tail->is_fixed || (tail->is_compressed && tail->now.fd >= 0))
		return 0;
	result = look_at_name(tail, &is_another);
	if (result || !is_another)
		return result;
	result = open_next(tail, &fresh, err);
	if (result < 0)
		return result == -ENOENT ? 0 : result;
	if (tail->now.fd >= 0) {
		make_old(tail, &tail->now);
		tail->rotations++;
	}
	tail->now = fresh;
	return 1;
}

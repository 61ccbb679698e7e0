/* Following a log by its name. */
#include "config.h"
#include "system/logtail.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>
#include <zlib.h>

#include "base/error.h"
#include "base/text.h"

enum { STEP = 256 * 1024 };

/*
 * A writer asks once a second whether the log was moved (engine/metricslog.c): until then, and
 * while it is in its write, lines come to the file that was rotated away.
 */
#define GRACE (5 * NS_PER_S)

#define UNNAMED_MAX (60 * NS_PER_S)

/* --- one file --- */

static void close_file(struct logtail_file *file)
{
	if (file->gz)
		gzclose(file->gz);
	else if (file->fd >= 0)
		close(file->fd);
	free(file->buf);
	*file = (struct logtail_file){.fd = -1};
}

/* Half a line at the end, of which no more will come. */
static void lose_rest(struct logtail *tail, struct logtail_file *file)
{
	if (file->end > file->start && !file->is_skipping)
		tail->torn++;
	file->start = file->end = 0;
}

static int refuse(const struct logtail *tail, const char *what, struct error *err)
{
	char path[256];

	text_clean(path, sizeof path, tail->path, strlen(tail->path), NULL);
	return error_set(err, -EINVAL, "the log %s is %s, not a regular file", path, what);
}

static int check_type(const struct logtail *tail, mode_t mode, struct error *err)
{
	if (S_ISREG(mode))
		return 0;
	return refuse(tail,
		S_ISDIR(mode)    ? "a folder"
		: S_ISFIFO(mode) ? "a FIFO"
		: S_ISSOCK(mode) ? "a socket"
				 : "a device",
		err);
}

static int cannot(const struct logtail *tail, const char *what, int code, struct error *err)
{
	char path[256];

	text_clean(path, sizeof path, tail->path, strlen(tail->path), NULL);
	return error_sys(err, code, "cannot %s the log %s", what, path);
}

/*
 * Asks what it is before it is opened, for to open a device may do something, and afterwards, for
 * it may be another then. -ENOENT has no sentence.
 */
static int open_regular(const struct logtail *tail, struct stat *st, struct error *err)
{
	int fd = -1, result;

	if (stat(tail->path, st) < 0)
		return errno == ENOENT ? -ENOENT : cannot(tail, "look at", -errno, err);
	result = check_type(tail, st->st_mode, err);
	if (result < 0)
		return result;
	fd = open(tail->path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	if (fd < 0)
		return errno == ENOENT ? -ENOENT : cannot(tail, "open", -errno, err);
	if (fstat(fd, st) < 0)
		result = cannot(tail, "look at", -errno, err);
	else
		result = check_type(tail, st->st_mode, err);
	if (result == 0)
		return fd;
	close(fd);
	return result;
}

static int open_file(
	struct logtail *tail, struct logtail_file *file, struct stat *st, struct error *err)
{
	int fd = open_regular(tail, st, err);
	struct logtail_file fresh = {.fd = fd};

	if (fd < 0)
		return fd;
	fresh.dev = st->st_dev;
	fresh.ino = st->st_ino;
	if (tail->is_compressed) {
		fresh.gz = gzdopen(fd, "rb");
		if (!fresh.gz) {
			close_file(&fresh);
			return cannot(tail, "read", -ENOMEM, err);
		}
		gzbuffer(fresh.gz, STEP / 2);
	}
	*file = fresh;
	return 0;
}

static void remember_last(struct logtail_file *file, const char *data, size_t len)
{
	size_t keep = sizeof file->last - (len < sizeof file->last ? len : sizeof file->last);

	if (keep > file->last_len)
		keep = file->last_len;
	if (len > sizeof file->last) {
		data += len - sizeof file->last;
		len = sizeof file->last;
	}
	memmove(file->last, file->last + file->last_len - keep, keep);
	memcpy(file->last + keep, data, len);
	file->last_len = keep + len;
}

/* It was truncated. 1: there may be more to read; 0: not here, for the beginning is not wanted. */
static int restart(struct logtail *tail, struct logtail_file *file)
{
	lose_rest(tail, file);
	tail->truncations++;
	file->at = 0;
	file->last_len = 0;
	file->is_skipping = false;
	file->is_ended = tail->is_fixed || file == &tail->old;
	return !file->is_ended;
}

/* Behind a line that is too long there may be a hole of gigabytes: all NUL bytes. */
static void skip_hole(struct logtail_file *file)
{
	off_t data = lseek(file->fd, file->at, SEEK_DATA);

	if (data < 0 && errno == ENXIO)
		data = lseek(file->fd, 0, SEEK_END);
	if (data <= file->at)
		return;
	file->at = data;
	file->last_len = 0;
}

/*
 * Reads what stands behind what is known, and the end of that once more: is it another, the file
 * was truncated, and has regrown already. 1: something was read; 0: no more; or -errno.
 */
static int fill_plain(struct logtail *tail, struct logtail_file *file)
{
	char again[sizeof file->last];
	struct iovec part[2] = {{again, file->last_len}, {file->buf + file->end, STEP}};
	off_t behind = file->at + (off_t)(file->end - file->start);
	ssize_t n;

	do
		n = preadv(file->fd, part, 2, behind - (off_t)file->last_len);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return errno == ESTALE ? 0 : -errno; /* NFS: gone; another may be there */
	tail->bytes += (uint64_t)n;
	if ((size_t)n < file->last_len || memcmp(again, file->last, file->last_len) != 0)
		return restart(tail, file);
	n -= (ssize_t)file->last_len;
	remember_last(file, file->buf + file->end, (size_t)n);
	file->end += (size_t)n;
	return n > 0;
}

/* What is damaged is as torn as what ends too early. */
static int fill_compressed(struct logtail *tail, struct logtail_file *file)
{
	int n = gzread(file->gz, file->buf + file->end, STEP), code;

	if (n > 0) {
		tail->bytes += (uint64_t)n;
		file->end += (size_t)n;
		return 1;
	}
	gzerror(file->gz, &code);
	if (code != Z_OK && code != Z_STREAM_END) {
		tail->torn++;
		file->start = file->end = 0;
	}
	file->is_ended = true;
	return 0;
}

/* Only half a line is left in the buffer, at most. 1: something was read; 0: no more; or -errno. */
static int fill(struct logtail *tail, struct logtail_file *file)
{
	if (file->fd < 0 || file->is_ended)
		return 0;
	/* Behind the last byte one more, for the NUL behind a last line without a newline. */
	if (!file->buf)
		file->buf = malloc(LOGTAIL_LINE_MAX + STEP + 1);
	if (!file->buf)
		return -ENOMEM;
	if (file->is_skipping && !file->gz)
		skip_hole(file);
	memmove(file->buf, file->buf + file->start, file->end - file->start);
	file->end -= file->start;
	file->start = 0;
	return file->gz ? fill_compressed(tail, file) : fill_plain(tail, file);
}

static void skip(struct logtail_file *file, size_t len)
{
	file->at += (off_t)len;
	file->start += len;
}

/* The next line in the buffer; false: there is only half a one, or none. */
static bool take(struct logtail *tail, struct logtail_file *file, char **line, size_t *len)
{
	while (file->start < file->end) {
		char *text = file->buf + file->start;
		size_t left = file->end - file->start, n;
		char *end = memchr(text, '\n', left);
		bool is_rest = file->is_skipping;

		if (tail->until && file->at >= tail->until) {
			file->is_ended = true;
			file->start = file->end;
			return false;
		}
		n = end ? (size_t)(end - text) : left;
		if (n > LOGTAIL_LINE_MAX && !is_rest)
			tail->too_long++;
		if (!end) {
			file->is_skipping = is_rest || n > LOGTAIL_LINE_MAX;
			if (file->is_skipping)
				skip(file, n);
			return false;
		}
		file->is_skipping = false;
		skip(file, n + 1);
		if (is_rest || n > LOGTAIL_LINE_MAX)
			continue;
		*end = '\0';
		*line = text;
		*len = n;
		return true;
	}
	return false;
}

/* --- a log --- */

static bool is_gz(const char *path)
{
	size_t len = strlen(path);

	return len > 3 && strcmp(path + len - 3, ".gz") == 0;
}

int logtail_init(struct logtail *tail, const char *path)
{
	*tail = (struct logtail){.path = strdup(path),
		.is_compressed = is_gz(path),
		.clock = &clock_system,
		.now.fd = -1,
		.old.fd = -1};
	return tail->path ? 0 : -ENOMEM;
}

void logtail_release(struct logtail *tail)
{
	if (!tail->path)
		return;
	close_file(&tail->now);
	close_file(&tail->old);
	free(tail->path);
	tail->path = NULL;
}

int logtail_open(struct logtail *tail, wall_t since, logtail_time_fn *time, struct error *err)
{
	struct stat st;
	int result;

	close_file(&tail->now);
	close_file(&tail->old);
	result = open_file(tail, &tail->now, &st, err);
	if (result < 0 || tail->is_compressed || !time || since <= 0)
		return result;
	tail->now.at = logtail_seek(tail->now.fd, st.st_size, since, time, &tail->bytes);
	tail->now.is_skipping = tail->now.at > 0;
	return 0;
}

/* Behind the last newline of what may be a line; -1: it is too long for one. */
static off_t last_line(struct logtail *tail, off_t size)
{
	char end[LOGTAIL_LINE_MAX + 1];
	size_t len = size < (off_t)sizeof end ? (size_t)size : sizeof end;
	ssize_t n = pread(tail->now.fd, end, len, size - (off_t)len);
	const char *newline;

	if (n < 0)
		return -1;
	tail->bytes += (uint64_t)n;
	newline = memrchr(end, '\n', (size_t)n);
	if (newline)
		return size - (off_t)len + (newline + 1 - end);
	return (size_t)n < sizeof end ? 0 : -1;
}

int logtail_open_end(struct logtail *tail, struct error *err)
{
	struct stat st;
	off_t at;
	int result;

	close_file(&tail->now);
	close_file(&tail->old);
	result = open_file(tail, &tail->now, &st, err);
	if (result < 0 || tail->is_compressed)
		return result;
	at = last_line(tail, st.st_size);
	tail->now.at = at < 0 ? st.st_size : at;
	tail->now.is_skipping = at < 0;
	return 0;
}

int logtail_part(struct logtail *part, const struct logtail *of, off_t from, off_t until)
{
	int result = logtail_init(part, of->path), fd;

	if (result < 0)
		return result;
	fd = fcntl(of->now.fd, F_DUPFD_CLOEXEC, 3);
	if (fd < 0) {
		result = -errno;
		logtail_release(part);
		return result;
	}
	part->clock = of->clock;
	part->is_fixed = true;
	part->until = until;
	part->now = (struct logtail_file){.fd = fd, .dev = of->now.dev, .ino = of->now.ino};
	/* The line that begins at `from` is behind the newline in front of it. */
	part->now.at = from ? from - 1 : 0;
	part->now.is_skipping = from > 0;
	return 0;
}

static void close_old(struct logtail *tail)
{
	if (tail->old.fd < 0)
		return;
	lose_rest(tail, &tail->old);
	close_file(&tail->old);
}

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
	lose_rest(tail, &tail->now);
	close_file(&tail->now);
	tail->unnamed = 0;
}

/* Does the name lead to another file than the one that is open, if one is? Else as restart(). */
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
	if (*is_another || st.st_size >= now->at + (off_t)(now->end - now->start))
		return 0;
	return restart(tail, now);
}

/*
 * At the end of what there is: is the file still the one that the name leads to, and as long as it
 * was? A log that is gone is kept until there is another. 1: there may be more to read now.
 */
static int follow(struct logtail *tail, struct error *err)
{
	struct logtail_file fresh;
	bool is_another;
	struct stat st;
	int result;

	if (tail->is_fixed || (tail->is_compressed && tail->now.fd >= 0))
		return 0;
	result = look_at_name(tail, &is_another);
	if (result || !is_another)
		return result;
	result = open_file(tail, &fresh, &st, err);
	if (result < 0)
		return result == -ENOENT ? 0 : result;
	if (tail->now.fd >= 0) {
		close_old(tail);
		tail->old = tail->now;
		tail->rotated = clock_mono(tail->clock);
		tail->rotations++;
	}
	tail->now = fresh;
	return 1;
}

/* The older one first. 1: something was read; 0; or -errno with a sentence. */
static int fill_any(struct logtail *tail, struct error *err)
{
	int result = fill(tail, &tail->old);

	if (result == 0 && tail->old.fd >= 0 && clock_mono(tail->clock) - tail->rotated > GRACE)
		close_old(tail);
	if (result == 0)
		result = fill(tail, &tail->now);
	if (result > 0)
		tail->unnamed = 0;
	return result < 0 ? cannot(tail, "read", result, err) : result;
}

int logtail_next(struct logtail *tail, char **line, size_t *len, struct error *err)
{
	int result;

	do {
		if (take(tail, &tail->old, line, len) || take(tail, &tail->now, line, len))
			return 1;
		result = fill_any(tail, err);
		if (result == 0)
			result = follow(tail, err);
	} while (result > 0);
	return result;
}

static bool take_rest(struct logtail_file *file, char **line, size_t *len)
{
	size_t left = file->end - file->start;

	if (left == 0 || file->is_skipping)
		return false;
	*line = file->buf + file->start;
	*len = left;
	(*line)[left] = '\0';
	skip(file, left);
	return true;
}

int logtail_rest(struct logtail *tail, char **line, size_t *len)
{
	return take_rest(&tail->old, line, len) || take_rest(&tail->now, line, len);
}

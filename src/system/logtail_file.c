/* One file of a log: opened, read in steps, cut into lines. */
#include "config.h"
#include "system/logtail_private.h"

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

void logtail_file_close(struct logtail_file *file)
{
	if (file->gz)
		gzclose(file->gz);
	else if (file->fd >= 0)
		close(file->fd);
	free(file->buf);
	*file = (struct logtail_file){.fd = -1};
}

void logtail_file_lose_rest(struct logtail *tail, struct logtail_file *file)
{
	if (file->end > file->start && !file->is_skipping)
		tail->torn++;
	file->start = file->end = 0;
}

bool logtail_is_gz(const char *path)
{
	size_t len = strlen(path);

	return len > 3 && strcmp(path + len - 3, ".gz") == 0;
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

int logtail_cannot(const struct logtail *tail, const char *what, int code, struct error *err)
{
	char path[256];

	text_clean(path, sizeof path, tail->path, strlen(tail->path), NULL);
	return error_sys(err, code, "cannot %s the log %s", what, path);
}

/*
 * Asks what it is before it is opened, for to open a device may do something, and afterwards, for
 * it may be another then. -ENOENT has no sentence.
 */
static int open_regular(
	const struct logtail *tail, const char *path, struct stat *st, struct error *err)
{
	int fd = -1, result;

	if (stat(path, st) < 0)
		return errno == ENOENT ? -ENOENT : logtail_cannot(tail, "look at", -errno, err);
	result = check_type(tail, st->st_mode, err);
	if (result < 0)
		return result;
	fd = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	if (fd < 0)
		return errno == ENOENT ? -ENOENT : logtail_cannot(tail, "open", -errno, err);
	if (fstat(fd, st) < 0)
		result = logtail_cannot(tail, "look at", -errno, err);
	else
		result = check_type(tail, st->st_mode, err);
	if (result == 0)
		return fd;
	close(fd);
	return result;
}

int logtail_file_open(struct logtail *tail, const char *path, struct logtail_file *file,
	struct stat *st, struct error *err)
{
	int fd = open_regular(tail, path, st, err);
	struct logtail_file fresh = {.fd = fd};

	if (fd < 0)
		return fd;
	fresh.dev = st->st_dev;
	fresh.ino = st->st_ino;
	if (logtail_is_gz(path)) {
		fresh.gz = gzdopen(fd, "rb");
		if (!fresh.gz) {
			logtail_file_close(&fresh);
			return logtail_cannot(tail, "read", -ENOMEM, err);
		}
		gzbuffer(fresh.gz, STEP / 2);
	}
	*file = fresh;
	return 0;
}

void logtail_file_remember(struct logtail_file *file, const char *data, size_t len)
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
		return logtail_restart(tail, file);
	n -= (ssize_t)file->last_len;
	logtail_file_remember(file, file->buf + file->end, (size_t)n);
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

int logtail_file_fill(struct logtail *tail, struct logtail_file *file)
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

bool logtail_file_take(struct logtail *tail, struct logtail_file *file, char **line, size_t *len)
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

bool logtail_file_rest(struct logtail_file *file, char **line, size_t *len)
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

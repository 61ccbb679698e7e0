/* Following a log by its name. */
#include "config.h"
#include "system/logtail_private.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

int logtail_init(struct logtail *tail, const char *path)
{
	*tail = (struct logtail){.path = strdup(path),
		.is_compressed = logtail_is_gz(path),
		.clock = &clock_system,
		.now.fd = -1,
		.old.fd = -1};
	return tail->path ? 0 : -ENOMEM;
}

void logtail_release(struct logtail *tail)
{
	if (!tail->path)
		return;
	logtail_file_close(&tail->now);
	logtail_file_close(&tail->old);
	free(tail->path);
	tail->path = NULL;
}

int logtail_open(struct logtail *tail, wall_t since, logtail_time_fn *time, struct error *err)
{
	struct stat st;
	int result;

	logtail_file_close(&tail->now);
	logtail_file_close(&tail->old);
	result = logtail_file_open(tail, tail->path, &tail->now, &st, err);
	if (result < 0 || tail->is_compressed || !time || since <= 0)
		return result;
	tail->now.at = logtail_seek(tail->now.fd, st.st_size, since, time, &tail->bytes);
	tail->now.is_skipping = tail->now.at > 0;
	return 0;
}

/*
 * Goes behind the last newline of what may be a line; where it is too long for one, behind it all.
 */
static void go_to_end(struct logtail *tail, off_t size)
{
	struct logtail_file *file = &tail->now;
	char end[LOGTAIL_LINE_MAX + 1];
	size_t len = size < (off_t)sizeof end ? (size_t)size : sizeof end;
	ssize_t n = pread(file->fd, end, len, size - (off_t)len);
	const char *newline = n > 0 ? memrchr(end, '\n', (size_t)n) : NULL;
	size_t lines = newline ? (size_t)(newline + 1 - end) : 0;

	tail->bytes += n > 0 ? (uint64_t)n : 0;
	file->at = size - (off_t)len + (off_t)lines;
	logtail_file_remember(file, end, lines);
	if (newline || file->at == 0)
		return;
	file->at = size;
	file->is_skipping = true;
}

int logtail_open_end(struct logtail *tail, struct error *err)
{
	struct stat st;
	int result;

	logtail_file_close(&tail->now);
	logtail_file_close(&tail->old);
	result = logtail_file_open(tail, tail->path, &tail->now, &st, err);
	if (result == 0 && !tail->is_compressed)
		go_to_end(tail, st.st_size);
	return result;
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

/* The older one first. 1: something was read; 0; or -errno with a sentence. */
static int fill(struct logtail *tail, struct error *err)
{
	int result = logtail_file_fill(tail, &tail->old);

	if (result == 0) {
		logtail_close_old(tail, false);
		result = logtail_file_fill(tail, &tail->now);
	}
	if (result > 0)
		tail->unnamed = 0;
	return result < 0 ? logtail_cannot(tail, "read", result, err) : result;
}

int logtail_next(struct logtail *tail, char **line, size_t *len, struct error *err)
{
	int result;

	do {
		if (logtail_file_take(tail, &tail->old, line, len) ||
			logtail_file_take(tail, &tail->now, line, len))
			return 1;
		result = fill(tail, err);
		if (result == 0)
			result = logtail_follow(tail, err);
	} while (result > 0);
	return result;
}

int logtail_rest(struct logtail *tail, char **line, size_t *len)
{
	return logtail_file_rest(&tail->old, line, len) || logtail_file_rest(&tail->now, line, len);
}

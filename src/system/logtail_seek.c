/* A search by time in a log that is in order, nearly. */
#include "config.h"
#include "system/logtail.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
	NEAR = 64 * 1024,       /* closer than that it is cheaper to read than to search */
	PROBE = 16 * 1024,      /* a few dozen lines */
	PROBE_MAX = 256 * 1024, /* so much without a time, and nothing is known there */
	EARLIER = LOGTAIL_LINE_MAX + NEAR,
};

/* A line has the time at which its writer made it; it may come to the file after younger ones. */
#define SLACK (2 * NS_PER_S)

enum found { UNKNOWN, BEFORE, REACHED };

struct search {
	int fd;
	wall_t since;
	bool is_end; /* where do lines end that are from before? */
	logtail_time_fn *time;
	char *buf; /* owned; PROBE_MAX */
	uint64_t bytes;
};

/*
 * What the complete lines say. A single one decides that is wanted, not one that is not: nothing
 * must be missed because of a line with a wrong time. Wanted are those that reached the time, or
 * where the end is searched for, those from before.
 */
static enum found judge(const struct search *search, const char *text, size_t len, size_t *used)
{
	const char *end = text + len, *line = text, *newline;
	enum found found = UNKNOWN;

	for (; (newline = memchr(line, '\n', (size_t)(end - line))); line = newline + 1) {
		wall_t at = search->time(line, (size_t)(newline - line));

		if (at == INT64_MIN)
			continue;
		found = at >= search->since ? REACHED : BEFORE;
		if (found == (search->is_end ? BEFORE : REACHED))
			break;
	}
	*used = (size_t)((newline ? newline + 1 : line) - text);
	return found;
}

static size_t read_at(struct search *search, size_t size, off_t at)
{
	size_t len = 0;
	ssize_t n;

	while (len < size) {
		n = pread(search->fd, search->buf + len, size - len, at + (off_t)len);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			break;
		len += (size_t)n;
	}
	search->bytes += len;
	return len;
}

/*
 * Where a line begins in what was read: behind a hole, with its first byte that is one; else behind
 * a newline.
 */
static size_t first_line(const char *text, size_t len, bool is_behind_hole)
{
	const char *newline;
	size_t at = 0;

	if (!is_behind_hole) {
		newline = memchr(text, '\n', len);
		return newline ? (size_t)(newline - text) + 1 : len;
	}
	while (at < len && !text[at])
		at++;
	return at;
}

/* Looks at the lines from `at` on; *next is where those end that were looked at. */
static enum found probe(struct search *search, off_t at, bool is_behind_hole, off_t *next)
{
	enum found found = UNKNOWN;
	size_t size, len, first, used = 0;

	for (size = PROBE; size <= PROBE_MAX && found == UNKNOWN; size *= 4) {
		len = read_at(search, size, at);
		first = first_line(search->buf, len, is_behind_hole);
		found = judge(search, search->buf + first, len - first, &used);
		*next = at + (off_t)(first + used);
		if (len < size)
			break;
	}
	return found;
}

/* Lines before `low` are from before the time, and lines from `high` on are not. */
static off_t search_between(struct search *search, off_t low, off_t high)
{
	enum found unknown = search->is_end ? BEFORE : REACHED, found;
	off_t middle, data, next;

	while (high - low > NEAR) {
		middle = low + (high - low) / 2;
		data = lseek(search->fd, middle, SEEK_DATA);
		if (data < 0 && errno != ENXIO)
			data = middle; /* this file system does not tell */
		if (data < 0 || data >= high) {
			high = middle; /* nothing but a hole */
			continue;
		}
		found = probe(search, data, data > middle, &next);
		if ((found == UNKNOWN ? unknown : found) == REACHED)
			high = middle;
		else
			low = next > middle && next < high ? next : middle;
	}
	return search->is_end ? high : low;
}

off_t logtail_seek(int fd, off_t size, wall_t since, logtail_time_fn *time, uint64_t *bytes)
{
	struct search search = {
		.fd = fd, .since = since - SLACK, .time = time, .buf = malloc(PROBE_MAX)};
	off_t at = 0;

	/* Without memory it is all read. */
	if (search.buf)
		at = search_between(&search, 0, size);
	free(search.buf);
	*bytes += search.bytes;
	return at > EARLIER ? at - EARLIER : 0;
}

off_t logtail_seek_end(int fd, off_t size, wall_t until, logtail_time_fn *time, uint64_t *bytes)
{
	struct search search = {.fd = fd,
		.since = until + SLACK,
		.is_end = true,
		.time = time,
		.buf = malloc(PROBE_MAX)};
	off_t at = size;

	if (search.buf)
		at = search_between(&search, 0, size);
	free(search.buf);
	*bytes += search.bytes;
	return size - at > EARLIER ? at + EARLIER : size;
}

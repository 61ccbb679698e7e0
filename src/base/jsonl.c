/* JSON Lines over descriptors, in both directions, without blocking. */
#include "config.h"
#include "base/jsonl.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

enum { FILL_MAX = 256 * 1024 };

void jsonl_reader_init(struct jsonl_reader *reader, int fd)
{
	*reader = (struct jsonl_reader){.fd = fd};
}

int jsonl_fill(struct jsonl_reader *reader)
{
	char *room;
	ssize_t n;

	buf_drop(&reader->buf, reader->at);
	reader->seen -= reader->at;
	reader->at = 0;
	room = buf_room(&reader->buf, FILL_MAX);
	if (!room) {
		buf_cut(&reader->buf, reader->buf.len); /* there may be memory later */
		return -ENOMEM;
	}
	n = read(reader->fd, room, FILL_MAX);
	if (n < 0)
		return errno == EINTR ? -EAGAIN : -errno;
	reader->buf.len += (size_t)n;
	reader->is_end = n == 0;
	return (int)n;
}

/* An object, or NULL when this is none. */
static json_t *parse(const char *line, size_t len)
{
	json_t *object;

	if (len > JSONL_LINE_MAX)
		return NULL;
	object = json_loadb(line, len, 0, NULL);
	if (object && !json_is_object(object)) {
		json_decref(object);
		object = NULL;
	}
	return object;
}

/*
 * The next line, without its newline, false when there is no complete one. A line that is too
 * long is given away as soon as that is known, so that a reader never holds much of one.
 */
static bool next_line(struct jsonl_reader *reader, const char **line, size_t *len)
{
	const char *data = buf_text(&reader->buf);
	size_t rest = reader->buf.len - reader->seen;
	const char *end = rest ? memchr(data + reader->seen, '\n', rest) : NULL;

	*line = data + reader->at;
	*len = (end ? (size_t)(end - data) : reader->buf.len) - reader->at;
	if (!end && !(reader->is_end && *len)) {
		if (*len > JSONL_LINE_MAX) {
			reader->bad += !reader->skipping;
			reader->skipping = true;
			reader->at += *len;
		}
		reader->seen = reader->buf.len;
		return false;
	}
	reader->at += *len + (end != NULL);
	reader->seen = reader->at;
	return true;
}

json_t *jsonl_next(struct jsonl_reader *reader)
{
	const char *line;
	json_t *object;
	size_t len;

	while (next_line(reader, &line, &len)) {
		if (reader->skipping) { /* the rest of one that was counted when it became too long
					 */
			reader->skipping = false;
			continue;
		}
		if (!len)
			continue;
		object = parse(line, len);
		if (object)
			return object;
		reader->bad++;
	}
	return NULL;
}

void jsonl_reader_release(struct jsonl_reader *reader)
{
	buf_release(&reader->buf);
}

void jsonl_writer_init(struct jsonl_writer *writer, int fd)
{
	*writer = (struct jsonl_writer){.fd = fd};
}

/* JSON_ENSURE_ASCII leaves DEL alone, which a terminal may act on. It can stand in strings only. */
static int add_escaped(const char *text, size_t len, void *data)
{
	struct buf *buf = data;
	const char *del;

	while ((del = memchr(text, 0x7f, len))) {
		buf_add(buf, text, (size_t)(del - text));
		buf_adds(buf, "\\u007f");
		len -= (size_t)(del - text) + 1;
		text = del + 1;
	}
	buf_add(buf, text, len);
	return buf_failed(buf);
}

/* Ends the line that begins at `start`, or takes it back. */
static int end_line(struct buf *buf, size_t start, int result)
{
	if (!result && buf->len - start > JSONL_LINE_MAX)
		result = -EMSGSIZE;
	if (!result) {
		buf_addc(buf, '\n');
		result = buf_failed(buf);
	}
	if (result)
		buf_cut(buf, start);
	return result;
}

int jsonl_put(struct jsonl_writer *writer, json_t *object)
{
	size_t start = writer->buf.len;
	int result = -ENOMEM;

	if (object && json_dump_callback(object, add_escaped, &writer->buf,
			      JSON_COMPACT | JSON_ENSURE_ASCII) == 0)
		result = 0;
	json_decref(object);
	return end_line(&writer->buf, start, result);
}

int jsonl_put_text(struct jsonl_writer *writer, const char *line, size_t len)
{
	size_t start = writer->buf.len;

	buf_add(&writer->buf, line, len);
	return end_line(&writer->buf, start, buf_failed(&writer->buf));
}

/* What is out is dropped when it is the larger part, so that a byte is moved once at most. */
static void forget_written(struct jsonl_writer *writer)
{
	if (writer->at <= writer->buf.len / 2)
		return;
	buf_drop(&writer->buf, writer->at);
	writer->at = 0;
}

int jsonl_flush(struct jsonl_writer *writer)
{
	int result = 0;
	ssize_t n;

	while (!result && jsonl_pending(writer)) {
		n = write(writer->fd, writer->buf.data + writer->at, jsonl_pending(writer));
		if (n >= 0)
			writer->at += (size_t)n;
		else if (errno != EINTR)
			result = -errno;
	}
	forget_written(writer);
	return result;
}

size_t jsonl_pending(const struct jsonl_writer *writer)
{
	return writer->buf.len - writer->at;
}

void jsonl_writer_release(struct jsonl_writer *writer)
{
	buf_release(&writer->buf);
}

const char *json_text(const json_t *object, const char *key, const char *otherwise)
{
	const char *text = json_string_value(json_object_get(object, key));

	return text ? text : otherwise;
}

int64_t json_int(const json_t *object, const char *key, int64_t otherwise)
{
	const json_t *value = json_object_get(object, key);

	return json_is_integer(value) ? json_integer_value(value) : otherwise;
}

double json_num(const json_t *object, const char *key, double otherwise)
{
	const json_t *value = json_object_get(object, key);

	return json_is_number(value) ? json_number_value(value) : otherwise;
}

bool json_bool(const json_t *object, const char *key, bool otherwise)
{
	const json_t *value = json_object_get(object, key);

	return json_is_boolean(value) ? json_is_true(value) : otherwise;
}

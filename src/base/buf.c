/* A growing byte buffer that remembers when memory ran out. */
#include "config.h"
#include "base/buf.h"

#include <errno.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SIZE_FIRST = 64 };

/* Makes room for n bytes and the NUL behind them. */
static bool grow(struct buf *buf, size_t n)
{
	size_t need, size = buf->size ? buf->size : SIZE_FIRST;
	char *data;

	if (buf->failed || n >= PTRDIFF_MAX / 2 - buf->len) {
		buf->failed = true;
		return false;
	}
	need = buf->len + n + 1;
	if (need <= buf->size)
		return true;
	while (size < need)
		size *= 2;
	data = realloc(buf->data, size);
	if (!data) {
		buf->failed = true;
		return false;
	}
	buf->data = data;
	buf->size = size;
	return true;
}

void buf_add(struct buf *buf, const void *data, size_t len)
{
	if (!len || !grow(buf, len))
		return;
	memcpy(buf->data + buf->len, data, len);
	buf->len += len;
	buf->data[buf->len] = '\0';
}

void buf_adds(struct buf *buf, const char *text)
{
	buf_add(buf, text, strlen(text));
}

void buf_addc(struct buf *buf, char c)
{
	buf_add(buf, &c, 1);
}

void buf_addf(struct buf *buf, const char *format, ...)
{
	size_t room = buf->data ? buf->size - buf->len : 0;
	va_list args;
	int n;

	if (buf->failed)
		return;
	/* Mostly it fits at once: formatting is what costs. */
	va_start(args, format);
	n = vsnprintf(room ? buf->data + buf->len : NULL, room, format, args);
	va_end(args);
	if (n >= 0 && (size_t)n >= room && grow(buf, (size_t)n)) {
		va_start(args, format);
		n = vsnprintf(buf->data + buf->len, (size_t)n + 1, format, args);
		va_end(args);
	}
	if (n < 0)
		buf->failed = true;
	if (!buf->failed)
		buf->len += (size_t)n;
	if (buf->data)
		buf->data[buf->len] = '\0';
}

char *buf_room(struct buf *buf, size_t n)
{
	return grow(buf, n) ? buf->data + buf->len : NULL;
}

void buf_drop(struct buf *buf, size_t n)
{
	if (n > buf->len)
		n = buf->len;
	if (!n)
		return;
	buf->len -= n;
	memmove(buf->data, buf->data + n, buf->len);
	buf->data[buf->len] = '\0';
}

void buf_cut(struct buf *buf, size_t len)
{
	buf->failed = false;
	if (len < buf->len)
		buf->len = len;
	if (buf->data)
		buf->data[buf->len] = '\0';
}

void buf_clear(struct buf *buf)
{
	buf_cut(buf, 0);
}

const char *buf_text(const struct buf *buf)
{
	return buf->data ? buf->data : "";
}

int buf_failed(const struct buf *buf)
{
	return buf->failed ? -ENOMEM : 0;
}

char *buf_take(struct buf *buf)
{
	char *data;

	if (grow(buf, 0))
		buf->data[buf->len] = '\0';
	if (buf->failed) {
		free(buf->data);
		buf->data = NULL;
	}
	data = buf->data;
	*buf = (struct buf){0};
	return data;
}

void buf_release(struct buf *buf)
{
	free(buf->data);
	*buf = (struct buf){0};
}

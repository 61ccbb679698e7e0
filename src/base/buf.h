/*
 * A growing byte buffer, always NUL-terminated once something was added. When memory runs out
 * the buffer keeps what it has and remembers: check buf_failed() once at the end.
 */
#ifndef LOCKTOP_BASE_BUF_H
#define LOCKTOP_BASE_BUF_H

#include <stdbool.h>
#include <stddef.h>

struct buf {
	char *data; /* owned; NULL while empty */
	size_t len;
	size_t size;
	bool failed;
};

/* A zeroed struct buf is an empty one. */
void buf_add(struct buf *buf, const void *data, size_t len);
void buf_adds(struct buf *buf, const char *text);
void buf_addc(struct buf *buf, char c);
void buf_addf(struct buf *buf, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Drops the first n bytes, the rest moves up. */
void buf_drop(struct buf *buf, size_t n);
/* Empties it and keeps the memory. */
void buf_clear(struct buf *buf);
/* Never NULL: "" while empty. */
const char *buf_text(const struct buf *buf);
/* 0, or -ENOMEM when something was lost since the last clear. */
int buf_failed(const struct buf *buf);
/* Hands the memory over to the caller (free()), NULL if out of memory; the buffer is empty. */
char *buf_take(struct buf *buf);
void buf_release(struct buf *buf);

#endif

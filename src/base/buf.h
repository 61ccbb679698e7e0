/*
 * A growing byte buffer, always NUL-terminated once something was added. When memory runs out
 * the buffer keeps what it has, takes no more (so that it has no holes) and remembers: check
 * buf_failed() once at the end.
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
/*
 * Room for n more bytes behind the end, for read(2) and its like: add to len what was written,
 * which is then not NUL-terminated. NULL when out of memory.
 */
char *buf_room(struct buf *buf, size_t n);
/* Drops the first n bytes (at most all), the rest moves up. */
void buf_drop(struct buf *buf, size_t n);
/* Forgets what stands behind the first len bytes, and a failure. */
void buf_cut(struct buf *buf, size_t len);
/* Empties it and keeps the memory. */
void buf_clear(struct buf *buf);
/* Never NULL: "" while empty. */
const char *buf_text(const struct buf *buf);
/* 0, or -ENOMEM when something was lost since the last clear. */
int buf_failed(const struct buf *buf);
/*
 * Hands the memory over to the caller (free()), NULL if out of memory or something was lost; the
 * buffer is empty afterwards.
 */
char *buf_take(struct buf *buf);
void buf_release(struct buf *buf);

#endif

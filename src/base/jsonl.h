/*
 * JSON Lines over descriptors: one object a line (jsonlines.org), both directions, without
 * blocking. What comes in is untrusted: a line that is too long, not JSON, not an object, or that
 * has a NUL byte in it (escaped ones included) is counted and skipped, never guessed. Empty lines
 * are skipped and not counted. Of a repeated key the last counts.
 */
#ifndef LOCKTOP_BASE_JSONL_H
#define LOCKTOP_BASE_JSONL_H

#include "base/buf.h"
#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

enum { JSONL_LINE_MAX = 65536 };

struct jsonl_reader {
	int fd; /* borrowed, non-blocking or not: read(2) is called once a fill */
	struct buf buf;
	size_t at;     /* where the next line begins */
	size_t seen;   /* from here on no newline was looked for yet */
	bool skipping; /* inside a line that was too long */
	bool is_end;   /* end of file seen */
	uint64_t bad;  /* lines that were not understood */
};

void jsonl_reader_init(struct jsonl_reader *reader, int fd);
/*
 * Reads once (up to 256 KiB). Returns the bytes read, 0 at the end of the file, -EAGAIN when
 * there is nothing now (a signal included), or another -errno. Take every jsonl_next() before the
 * next fill: what is not taken is kept.
 */
int jsonl_fill(struct jsonl_reader *reader);
/*
 * The next complete object in the buffer, as a new reference; NULL when a fill is needed.
 * Bad lines are skipped and counted. At the end of the file the last line needs no newline.
 */
json_t *jsonl_next(struct jsonl_reader *reader);
void jsonl_reader_release(struct jsonl_reader *reader);

struct jsonl_writer {
	int fd; /* borrowed */
	struct buf buf;
	size_t at; /* what stands before is out */
};

void jsonl_writer_init(struct jsonl_writer *writer, int fd);
/*
 * Queues an object as one line of ASCII (JSON_ENSURE_ASCII, DEL escaped). Steals the
 * reference, also on error; NULL (json_pack(3) had no memory) is -ENOMEM. -EMSGSIZE: longer than
 * a reader takes. On error nothing is queued.
 */
int jsonl_put(struct jsonl_writer *writer, json_t *object);
/* Queues a line that is JSON already (no newline in it). 0, -ENOMEM or -EMSGSIZE. */
int jsonl_put_text(struct jsonl_writer *writer, const char *line, size_t len);
/*
 * Writes what it can: 0 when all is out, -EAGAIN when the reader is slow, or -errno. A reader
 * that went away is -EPIPE, provided that SIGPIPE is ignored.
 */
int jsonl_flush(struct jsonl_writer *writer);
size_t jsonl_pending(const struct jsonl_writer *writer);
void jsonl_writer_release(struct jsonl_writer *writer);

/*
 * Typed members of an untrusted object: the default when absent or of another type. json_num()
 * takes integers too; json_int() takes no reals. A text is borrowed from the object.
 */
const char *json_text(const json_t *object, const char *key, const char *otherwise);
int64_t json_int(const json_t *object, const char *key, int64_t otherwise);
double json_num(const json_t *object, const char *key, double otherwise);
bool json_bool(const json_t *object, const char *key, bool otherwise);

#endif

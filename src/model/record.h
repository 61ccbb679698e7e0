/*
 * The record: what a holder wrote into its lock file. Three forms are understood: plain
 * "pid|unixtime" (the PHP seed), LT1 "pid|unixtime|lt1;h=web1;b=9f3c2a71;…" and a bare pid
 * (/run/NAME.pid). Parsing is strict and never guesses: a pid has to be 1 to 2^31-1.
 */
#ifndef LOCKTOP_MODEL_RECORD_H
#define LOCKTOP_MODEL_RECORD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct error;

#define RECORD_FORMATS(_)                                                                    \
	_(NONE, "none")       /* nothing to parse: no file's, or it could not be read */     \
	_(EMPTY, "empty")     /* zero bytes */                                               \
	_(PLAIN, "plain")     /* pid|unixtime */                                             \
	_(LT1, "lt1")         /* pid|unixtime|lt1;… */                                     \
	_(PID, "pid")         /* a bare pid, one line */                                     \
	_(FOREIGN, "foreign") /* pid|unixtime|another version: never broken automatically */ \
	_(CORRUPT, "corrupt") /* none of these, too long, or no regular file */

enum record_format {
#define _(id, word) RECORD_##id,
	RECORD_FORMATS(_)
#undef _
		RECORD_FORMAT_COUNT
};

enum {
	RECORD_MAX = 256,       /* longest LT1 line */
	RECORD_READ_MAX = 1024, /* a lock file longer than this is not a record */
	RECORD_HOST_MAX = 64,
};

/* Members that a format does not have are 0, "" or -1 where said. */
struct record {
	enum record_format format;
	char mode; /* LT1 m: 'h' held under flock, 'd' detached, 0 unsaid */
	int32_t pid;
	int64_t time;      /* unix seconds, as written; may be far in the future */
	uint64_t start;    /* LT1 s: field 22 of /proc/PID/stat, in clock ticks */
	uint64_t ns;       /* LT1 n: inode of the pid namespace */
	int64_t acquired;  /* LT1 a: wall time in ns */
	int64_t refreshed; /* LT1 r: CLOCK_BOOTTIME of the writer in ns when the time was written;
			      0 unsaid. On the same boot it, not the time, says how old that is */
	int64_t fence;     /* LT1 f, -1 unsaid */
	int32_t lease;     /* LT1 l: seconds, 0 none */
	int lease_digits;  /* of it, as read; written with at least so many, for a record that is
			      rewritten in place must not become shorter than it was */
	int32_t uid;       /* LT1 u, -1 unsaid */
	char boot[9];      /* LT1 b: first 8 hex digits of the boot id */
	char token[33]; /* LT1 t: 32 hex digits; a secret between holder and file: never printed */
	char host[RECORD_HOST_MAX + 1]; /* LT1 h, decoded and clean */
};

const char *record_format_word(enum record_format format);
/* -1 when there is no such word. */
int record_format_from_word(const char *word);

/*
 * Parses the whole content of a lock file (a trailing newline is allowed). Always fills record;
 * what cannot be understood is RECORD_CORRUPT, and *why (may be NULL) then says what is wrong in
 * words, a string constant.
 */
void record_parse(struct record *record, const char *data, size_t len, const char **why);
/*
 * Writes the record in its format (EMPTY, PLAIN, LT1, PID) into dst, so that record_parse() gives
 * the same again (of acquired and refreshed: in milliseconds). The length of
 * refreshed is fixed, so that a record refreshed has the length of the one before. Returns the
 * length; -E2BIG when it does not fit or LT1 would exceed RECORD_MAX; -EINVAL for the other
 * formats, and for what could not be read again: no pid, a time below 0, LT1 without mode or token.
 */
int record_write(const struct record *record, char *dst, size_t size);
/*
 * A number that is the same while the same holder has the lock: of LT1 all but the time field
 * and r, which a live holder refreshes; of the other formats every byte.
 */
uint64_t record_identity(const struct record *record, const char *data, size_t len);

#endif

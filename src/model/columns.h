/*
 * The columns of every listing: the monitor's table, `ls`, --once, --batch, JSON and CSV share
 * this one table, so a field has one name, one width and one meaning.
 */
#ifndef LOCKTOP_MODEL_COLUMNS_H
#define LOCKTOP_MODEL_COLUMNS_H

#include "model/model.h"
#include <jansson.h>

/*
 * id, field name (JSON, --fields, sort), title, smallest and usual width, may grow, to the
 * right, help. Order is the order of --list-fields.
 */
#define COLUMNS(_)                                                                          \
	_(STATE, "state", "STATE", 7, 9, 0, 0,                                              \
		"FREE, HELD, OVERDUE, STALE, EXPIRED, UNKNOWN or CORRUPT")                  \
	_(NAME, "name", "LOCK", 8, 28, 1, 0, "name of the lock in its source")              \
	_(HOLDER, "holder", "HOLDER", 6, 18, 1, 0, "pid and program of the holder")         \
	_(USER, "user", "USER", 4, 9, 0, 0, "login name of the holder")                     \
	_(HOST, "host", "HOST", 4, 8, 0, 0, "host of the holder")                           \
	_(AGE, "age", "AGE", 5, 6, 0, 1, "time since it was taken")                         \
	_(LIMIT, "limit", "LIMIT", 5, 5, 0, 1, "how long a hold may take")                  \
	_(WAITERS, "waiters", "WAIT", 4, 4, 0, 1, "processes that queue for it")            \
	_(ADVICE, "recommendation", "ADVICE", 6, 24, 1, 0,                                  \
		"what to do, and SAFE, NOT SAFE or UNKNOWN")                                \
	_(WHY, "why", "WHY", 6, 40, 1, 0, "why it is in that state")                        \
	_(KIND, "kind", "KIND", 5, 5, 0, 0, "file, flock, posix, ofd or lease")             \
	_(MODE, "mode", "MODE", 5, 5, 0, 0, "READ or WRITE, of a kernel lock")              \
	_(RANGE, "range", "RANGE", 5, 11, 0, 0, "bytes of the file, of a kernel lock")      \
	_(PATH, "path", "PATH", 8, 32, 1, 0, "file that is locked")                         \
	_(PID, "pid", "PID", 5, 7, 0, 1, "pid of the holder")                               \
	_(COMMAND, "command", "COMMAND", 7, 24, 1, 0, "command line of the holder")         \
	_(CLASS, "class", "CLASS", 6, 8, 0, 0, "kernel, lease or volatile")                 \
	_(FLAGS, "flags", "FLAGS", 5, 14, 0, 0, "what else was noticed")                    \
	_(SOURCE, "source", "SOURCE", 6, 16, 1, 0, "where the lock lives")                  \
	_(ADDRESS, "address", "ADDRESS", 8, 32, 1, 0, "how to name it on the command line") \
	_(VERSION, "version", "VERSION", 7, 24, 0, 0, "compared before every deed")         \
	/* what metrics logs say of it */                                                   \
	_(USUAL, "usual", "USUAL", 5, 6, 0, 1, "usual p99 of its holds, over seven days")   \
	_(WAITS, "waits", "WAITS", 12, 12, 0, 0,                                            \
		"the last hour's waits (p95): 1 to 8 for 5 minutes, x failed only")         \
	_(HOLDS, "holds", "HOLDS", 12, 12, 0, 0,                                            \
		"the last hour's holds (p95): 1 to 8 for 5 minutes")                        \
	_(FAILED, "failed", "FAIL", 4, 5, 0, 1, "attempts of 24 hours that did not get it") \
	_(STALES, "stales", "STALES", 6, 6, 0, 1, "how often it was found stale in 24 hours")

enum column {
#define _(id, field, title, min, width, grows, right, help) COLUMN_##id,
	COLUMNS(_)
#undef _
		COLUMN_COUNT
};

struct column_info {
	const char *field, *title, *help;
	int min, width;
	bool grows, is_right;
};

extern const struct column_info column_info[COLUMN_COUNT];

int column_from_word(const char *field); /* -1: no such field */
/* Is it known from metrics logs only? "-" without one that names the lock. */
bool column_needs_log(enum column column);

/*
 * The cell's clean text. Those of waits and holds are 12 characters, the oldest first, to be drawn
 * as small graphs: ' ' nothing known, '1' to '8' how much of the row's own largest, 'x' nobody got
 * it though somebody tried.
 */
void column_text(char *dst, size_t size, enum column column, const struct model *model,
	const struct entry *entry);
/* Is the column ordered by a number? Then *number is it: smaller first, INT64_MIN unknown. */
bool column_number(
	enum column column, const struct model *model, const struct entry *entry, int64_t *number);
/* <0, 0, >0 as qsort(3); ties are broken by source and name, so the order is total. */
int column_compare(enum column column, const struct model *model, const struct entry *a,
	const struct entry *b);
/*
 * One lock as the JSON of design section 4: name, source, address, kind, class, active, stale,
 * process_running, recommendation, state, why, safe, age_s, limit_s, holders, waiters, flags,
 * version, usual_n, usual_p99_ms, metrics; unknown is null. New reference; NULL out of memory.
 */
json_t *entry_to_json(const struct model *model, const struct entry *entry);
/* The whole listing: {"schema":1,"at":…,"host":…,"sources":[…],"locks":[…]}. */
json_t *model_to_json(const struct model *model, struct entry *const *entries, size_t n);

#endif

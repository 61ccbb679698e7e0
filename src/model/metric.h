/*
 * One line of the metrics log (locktop-metrics(5)) as a value: what happened to a lock, when, and
 * what was measured. Here it becomes a line; metric_read.h makes it from one.
 */
#ifndef LOCKTOP_MODEL_METRIC_H
#define LOCKTOP_MODEL_METRIC_H

#include "base/clock.h"
#include <stddef.h>
#include <stdint.h>

#define METRIC_EVENTS(_)                                                                \
	_(ACQUIRED, "acquired", "the lock was taken, after wait_ms")                    \
	_(BUSY, "busy", "not taken: somebody has it, and no waiting was asked for")     \
	_(TIMEOUT, "timeout", "not taken within the time to wait")                      \
	_(SLOW, "slow", "waits for more than 1 s; again at 10 s, 60 s and every 5 min") \
	_(RENEWED, "renewed", "the holder said that it is alive")                       \
	_(LOST, "lost", "the holder found that the lock is not its own any more")       \
	_(RELEASED, "released", "the holder gave it back, after hold_ms")               \
	_(STALE, "stale", "a record was found whose holder is gone, for the reason")    \
	_(TAKEN_OVER, "taken_over", "and it was taken by another")                      \
	_(RELEASED_STALE, "released_stale", "an administrator released a stale lock")   \
	_(FORCED, "forced", "an administrator released one that may have been live")    \
	_(SIGNALLED, "signalled", "an administrator signalled the holder")              \
	_(FALLBACK, "fallback", "the place cannot be reached: another is used")         \
	_(ERROR, "error", "something failed, for the reason")

enum metric_event {
#define _(id, word, help) METRIC_##id,
	METRIC_EVENTS(_)
#undef _
		METRIC_EVENT_COUNT
};

/* Room for a line with its newline and NUL, whatever is in it. */
enum { METRIC_LINE = 4096 };

/*
 * Texts are borrowed. Those that are NULL or "" and numbers that are unknown (-1) are left out of
 * the line; a text that is too long is cut and ends in "~". To be written they may hold any bytes;
 * those that were read are clean (text_is_clean()).
 */
struct metric {
	enum metric_event event;
	wall_t ts;
	const char *lock, *source, *backend, *host;
	int32_t pid;        /* of who writes it, or of the supervisor */
	int64_t wait, hold; /* ns */
	int64_t attempts;
	const char *token; /* its first 8 digits only are written: it names, and opens nothing */
	int64_t fence;
	const char *reason; /* stale, lost, fallback, error */
	int32_t holder_pid; /* busy, timeout, slow, stale, taken_over, forced, …: who had it */
	const char *holder; /* its name */
	const char *holder_host;
	int64_t holder_age; /* ns */
	int32_t exit_code;  /* released: of the command that ran, -1 */
	const char *user;   /* of an action: who did it */
};

/* A metric of which nothing is known but the event. */
struct metric metric_new(enum metric_event event, wall_t ts);
/*
 * The line alone, newline and NUL included, in ASCII: its length without the NUL. In METRIC_LINE
 * bytes every line fits; -E2BIG if size is less and too little.
 */
int metric_line(const struct metric *metric, char *dst, size_t size);
const char *metric_event_word(enum metric_event event);
/* len bytes, not NUL-terminated; -1: no such word. */
int metric_event_from_word(const char *word, size_t len);

#endif

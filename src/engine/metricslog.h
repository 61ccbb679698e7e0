/*
 * The metrics log (locktop-metrics(5)): one JSON line for each thing that happens to a lock,
 * appended by one write(2) of at most 4,096 bytes with O_APPEND, so that lines of many processes
 * never mix (not on NFS: open(2)). Written by run, acquire, renew, give-back and release, and by
 * the actions of the monitor.
 *
 * Nothing here ever stops a lock operation: a full disk, a missing folder or right is remembered
 * and told once, by metricslog_complaint().
 */
#ifndef LOCKTOP_ENGINE_METRICSLOG_H
#define LOCKTOP_ENGINE_METRICSLOG_H

#include "base/clock.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct error;

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
 * One line. Texts are borrowed and may hold any bytes; those that are NULL or "" and numbers that
 * are unknown (-1) are left out. A text that is too long is cut and ends in "~".
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

struct metricslog {
	char *path; /* owned; NULL: off */
	int fd;     /* -1: not open yet; kept open, opened again when the file was moved */
	uint64_t dev, ino;
	wall_t checked;    /* when it was last known that the path leads to fd; by metric.ts */
	bool makes_folder; /* the usual one; a folder that was named has to be there */
	bool is_limited;   /* setrlimit(2): RLIMIT_FSIZE, whose signal would end this process */
	bool is_torn;      /* what was written last is half a line */
	bool has_complained;
	char complaint[480];
};

/*
 * path NULL: LOCKTOP_LOCALSTATEDIR/log/locktop/metrics.jsonl for root, else
 * $XDG_STATE_HOME/locktop/metrics.jsonl (~/.local/state), and its folder is made when missing;
 * "none": off. Nothing is opened or made yet. -ENOMEM.
 */
int metricslog_init(struct metricslog *log, const char *path, struct error *err);
void metricslog_release(struct metricslog *log);
/*
 * Writes a line; see above about failures. What stands in the log's place and is no log is not
 * written to (engine/logfile.h). Rotation is noticed when a line comes a second (of metric.ts) or
 * more after the last look: until then lines go to the file that was moved away, as they do with
 * every program that is not sent a signal.
 */
void metricslog_write(struct metricslog *log, const struct metric *metric);
/* The sentence about the first failure, once: NULL if there was none or it was asked for before. */
const char *metricslog_complaint(struct metricslog *log);
/*
 * The line alone, newline and NUL included, in ASCII: its length without the NUL. In METRIC_LINE
 * bytes every line fits; -E2BIG if size is less and too little.
 */
int metric_line(const struct metric *metric, char *dst, size_t size);
const char *metric_event_word(enum metric_event event);

#endif

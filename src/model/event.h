/*
 * The event stream of a source, and the requests that go the other way: JSON Lines, documented
 * in locktop-events(5). Reading checks every type and size, for the other end may be another
 * version, another host, or hostile.
 *
 * Every event has "v", "event" (its word) and "at". All times are numbers in seconds with at most
 * six decimals, by the source's wall clock; "age_s" alone is a difference by its CLOCK_BOOTTIME.
 * What is unknown, empty or usual is left out (the usual in brackets), never null:
 *
 *   gone     name
 *   scanned  locks took_ms every_s[0] host note polling[false] final[false] bad[0]
 *   fault    text fatal[false]
 *   done     request outcome code[0] name text
 *   sample   lock source backend from every_s (1, 60 or 3600) counts (an object of numbers, by
 *            the words of locktop-metrics(5)) slow[0] wait_us hold_us (arrays of value, times,
 *            value, times, …) wait_sum_us hold_sum_us waited_for (array of who, times, longest_s)
 *            last
 *   lock     lock, an object:
 *            name kind class kernel_view path problem bytes dev ino from[0] to[2^63-1]
 *            mode ("read", "write") record host_is boot_is ns_is ("same", "other")
 *            flags (array of words) written since age_s expires clock_step_s[0] version
 *            holders waiters (arrays of processes)
 *   record   format pid time (whole seconds) host boot ns start acquired fence lease[0] uid
 *            mode ("h", "d"); never the token
 *   process  pid life start (ticks) started uid kernel[false] inherited[false] comm user command
 *
 * A sample is what happened to one lock, by the log that a source reads, from `from` (a multiple of
 * every_s, seconds since 1970) on for every_s; many of them add up, also of the same slot. Values
 * are in whole microseconds. One without lock that counts nothing is a sign of life.
 *
 * dev and ino are signed: jansson refuses a line with an integer beyond 2^63-1, and some file
 * systems use the highest bit.
 */
#ifndef LOCKTOP_MODEL_EVENT_H
#define LOCKTOP_MODEL_EVENT_H

#include "model/lock.h"
#include "model/metrics.h"
#include <jansson.h>

struct buf;
struct error;

#define EVENT_KINDS(_)                                                           \
	_(LOCK, "lock")       /* a lock is there, or changed: its facts */       \
	_(GONE, "gone")       /* a lock is no longer there */                    \
	_(SCANNED, "scanned") /* one look is complete; also the sign of life */  \
	_(FAULT, "fault")     /* something is wrong with the source, in words */ \
	_(DONE, "done")       /* the answer to a request */                      \
	_(SAMPLE, "sample")   /* what a log says of a lock */

enum event_kind {
#define _(id, word) EVENT_##id,
	EVENT_KINDS(_)
#undef _
		EVENT_KIND_COUNT
};

/* What became of a deed. */
#define OUTCOMES(_)                                                                 \
	_(DONE, "done")       /* it was done */                                     \
	_(REFUSED, "refused") /* nothing was done, on purpose; the text says why */ \
	_(FAILED, "failed")   /* it was tried; the text says what went wrong */

enum outcome {
#define _(id, word) OUTCOME_##id,
	OUTCOMES(_)
#undef _
		OUTCOME_COUNT
};

enum {
	EVENT_VERSION = 1,
	EVENT_PROCESSES_MAX = 1000, /* holders, and waiters, of one lock; the rest is left out */
};

struct event {
	enum event_kind kind;
	wall_t at;         /* the source's wall clock */
	struct lock *lock; /* LOCK: owned reference; since_mono is on the reader's clock */
	char *name;        /* GONE: owned; DONE: the lock, owned or NULL */
	char *text; /* FAULT, DONE, and the note of SCANNED ("polling: …"): owned, clean, or NULL */
	char *host;            /* SCANNED: where the source runs, owned, or NULL */
	int64_t locks;         /* SCANNED: how many there are */
	int64_t took;          /* SCANNED: ns that the look took */
	int64_t every;         /* SCANNED: ns until the next sign of life at the latest; 0 unsaid */
	bool is_polling;       /* SCANNED: no inotify */
	bool is_final;         /* SCANNED: nothing will follow (end of a replay, --once) */
	bool is_fatal;         /* FAULT: the source ends */
	int64_t request;       /* DONE: which */
	enum outcome outcome;  /* DONE */
	int code;              /* DONE: -errno of REFUSED and FAILED, 0 else */
	struct sample *sample; /* SAMPLE: owned, its texts too */
	uint64_t bad;          /* SCANNED: lines of a log that were not understood */
};

/* A deed, as the user asked for it; also the body of a request. */
#define DEEDS(_)                                                          \
	_(RELEASE, "release") /* release a lock that is provably stale */ \
	_(FORCE, "force")     /* release one that may be live */          \
	_(SIGNAL, "signal")   /* signal the holder */

enum deed_kind {
#define _(id, word) DEED_##id,
	DEEDS(_)
#undef _
		DEED_COUNT
};

struct deed {
	enum deed_kind kind;
	char *name;       /* owned; the lock's clean name */
	char version[64]; /* of the lock as the user saw it; "" (command line): what is there now */
	int32_t pid;      /* FORCE of a live holder, SIGNAL: the holder as seen; 0: none */
	uint64_t start;   /* its start time as seen; 0: unknown */
	int signal;       /* SIGNAL: SIGTERM or SIGKILL */
	bool tidy;        /* unlink the lock file instead of emptying it */
	bool dry_run;     /* say what would be done */
	char tty[64];     /* of the user, for the audit; "" unknown */
};

#define REQUESTS(_)                                                         \
	_(OPEN, "open") /* the first line to `locktop source -`: the URI */ \
	_(DEED, "deed")                                                     \
	_(SCAN, "scan") /* look again now */

enum request_kind {
#define _(id, word) REQUEST_##id,
	REQUESTS(_)
#undef _
		REQUEST_COUNT
};

struct request {
	enum request_kind kind;
	int64_t id;
	char *uri;           /* OPEN: owned */
	bool read_only;      /* OPEN */
	char *read_only_why; /* OPEN: owned or NULL; "--read-only", "LOCKTOPSECURE=1", … */
	bool once;           /* OPEN: one complete look, then end */
	struct deed deed;    /* DEED */
};

const char *event_kind_word(enum event_kind kind);
const char *outcome_word(enum outcome outcome);
const char *deed_word(enum deed_kind kind);

/*
 * Appends the event as one JSON object in ASCII, without a newline, for jsonl_put_text(). now: the
 * source's CLOCK_BOOTTIME, for age_s. 0, -ENOMEM, or -EMSGSIZE (a name of tens of thousands of
 * bytes); then nothing is appended. Of a lock with very many holders or waiters the later ones say
 * only their pid, so that the line stays one that a reader takes.
 */
int event_write(struct buf *buf, const struct event *event, mono_t now);
/*
 * A sample as one line or more, each with its newline: durations that do not fit into one go on in
 * the next, and all of them add up to it. 0, -ENOMEM or -EMSGSIZE (its names alone are too long).
 */
int event_write_sample(struct buf *buf, const struct sample *sample, wall_t at);
/* The same as a new object; NULL when out of memory. */
json_t *event_to_json(const struct event *event, mono_t now);
/*
 * Fills event from an untrusted object. now is the reader's CLOCK_BOOTTIME: ages become
 * since_mono. -EINVAL with a sentence, -ENOMEM; event is untouched then.
 */
int event_from_json(struct event *event, const json_t *object, mono_t now, struct error *err);
void event_release(struct event *event);

json_t *request_to_json(const struct request *request);
int request_from_json(struct request *request, const json_t *object, struct error *err);
void request_release(struct request *request);
int deed_copy(struct deed *to, const struct deed *from);
void deed_release(struct deed *deed);

#endif

/*
 * liblocktop: takes a lock file, or another of locktop's locks, correctly. liblocktop(3) is the
 * manual, with an example.
 *
 * No thread is started, no signal handler installed, nothing global kept: a struct locktop may be
 * used by one thread at a time, different ones by different threads. The library writes neither to
 * the terminal nor to a log.
 *
 * Every function returns 0 or more on success and one of enum locktop_code on failure, with a
 * sentence in the caller's struct locktop_error (which may be NULL and is untouched on success).
 * Durations are milliseconds; a negative one means for ever.
 */
#ifndef LOCKTOP_H
#define LOCKTOP_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#ifndef LOCKTOP_API
#define LOCKTOP_API __attribute__((visibility("default")))
#endif

enum locktop_code {
	LOCKTOP_OK = 0,
	LOCKTOP_BUSY = -1,        /* somebody has it, and waiting was not asked for */
	LOCKTOP_TIMEOUT = -2,     /* somebody had it all the time */
	LOCKTOP_LOST = -3,        /* it was ours and is not any more */
	LOCKTOP_NOT_OWNER = -4,   /* it belongs to somebody else */
	LOCKTOP_UNREACHABLE = -5, /* the place cannot be reached or used: no folder, disk full … */
	LOCKTOP_REFUSED = -6,     /* not a thing to be locked: a symbolic link, a FIFO … */
	LOCKTOP_USAGE = -7,       /* an argument makes no sense */
	LOCKTOP_INTERRUPTED = -8, /* a signal handler ran during a wait; nothing is held */
	LOCKTOP_NO_MEMORY = -9
};

struct locktop_error {
	int code;       /* enum locktop_code */
	int system;     /* errno behind it, 0: none */
	char text[480]; /* one clean sentence without a full stop */
};

/* Zero-initialised members mean the default. */
struct locktop_options {
	size_t size;       /* sizeof(struct locktop_options) of the caller */
	int64_t lease_ms;  /* default 600000; whole seconds */
	int64_t stale_ms;  /* default 600000: how old a plain pid|time record may become */
	int takeover;      /* enum locktop_takeover */
	int detached;      /* 1: no process keeps it, the lease and the owner decide */
	int32_t owner_pid; /* of a detached lock; 0: this process */
	int strict;        /* 1: the record is exactly pid|time, for readers of two fields */
	int tidy;          /* 1: release removes the lock file instead of emptying it */
	unsigned int mode; /* of a lock file that is made, before the umask; default 0640 */
};

enum locktop_takeover {
	LOCKTOP_TAKEOVER_PROOF = 0, /* only what is provably stale */
	LOCKTOP_TAKEOVER_LIMIT = 1, /* also what is older than stale_ms */
	LOCKTOP_TAKEOVER_NEVER = 2
};

struct locktop; /* one lock, held or not */

/*
 * Opens the place of a lock: a path, or a URI as for locktop-run(1). Nothing is taken, made or
 * changed. options may be NULL. *lock is the caller's: locktop_close().
 */
LOCKTOP_API int locktop_open(struct locktop **lock, const char *address,
	const struct locktop_options *options, struct locktop_error *error);
/*
 * Frees it. A lock that is held is released first. NULL is allowed. After fork(2) the child has
 * to close its copy too: it frees the memory and its descriptor, and leaves the lock to the parent.
 */
LOCKTOP_API void locktop_close(struct locktop *lock);

/*
 * Takes the lock, waiting at most timeout_ms (0: not at all; negative: for ever). The kernel's
 * queue is waited in where there is one. With a timeout above 0 a helper process waits in the
 * queue, for a library can neither start a thread nor catch a signal; it is reaped before the
 * return, and raises no SIGCHLD. LOCKTOP_USAGE: it is held already.
 */
LOCKTOP_API int locktop_acquire(
	struct locktop *lock, int64_t timeout_ms, struct locktop_error *error);
/*
 * Says that the holder is alive: every third of the lease. LOCKTOP_LOST, LOCKTOP_NOT_OWNER: stop
 * working at once. LOCKTOP_UNREACHABLE: try again, and stop when two thirds of the lease are over
 * since the last success.
 */
LOCKTOP_API int locktop_renew(struct locktop *lock, struct locktop_error *error);
/* Is it still ours? To be asked before everything that cannot be undone. */
LOCKTOP_API int locktop_verify(struct locktop *lock, struct locktop_error *error);
/* Gives it back. LOCKTOP_LOST, LOCKTOP_NOT_OWNER: it was not ours any more; nothing was changed. */
LOCKTOP_API int locktop_release(struct locktop *lock, struct locktop_error *error);
/* 1 while held (as far as was seen last), else 0. */
LOCKTOP_API int locktop_is_held(const struct locktop *lock);

/* The owner's token, 32 hex digits, for another process; "" while not held. Borrowed. */
LOCKTOP_API const char *locktop_token(const struct locktop *lock);
/* Continues a detached lock that another process took: then renew, verify and release work. */
LOCKTOP_API int locktop_adopt(struct locktop *lock, const char *token, struct locktop_error *error);
/* The fence of this acquisition: larger than of every one before; 0: none here. */
LOCKTOP_API int64_t locktop_fence(const struct locktop *lock);

/* What is known of a lock, whoever has it. Text members are clean and may be "". */
struct locktop_status {
	size_t size;         /* in: sizeof(struct locktop_status) of the caller */
	const char *state;   /* "FREE", "HELD", …: a constant, see locktop(1) */
	int active;          /* the seed's health: 1 held by somebody, 0 not, -1 unknown */
	int stale;           /* 1 provably stale, 0 not, -1 unknown */
	int process_running; /* 1, 0, -1 unknown */
	char recommendation[320];
	char why[320];
	int32_t pid;    /* of the holder; 0 unknown */
	char host[65];  /* "" unknown */
	int64_t age_ms; /* -1 unknown */
	int64_t limit_ms;
	int64_t fence; /* last given out; 0 none */
};

/* A look: changes nothing, takes no lock. */
LOCKTOP_API int locktop_status(
	struct locktop *lock, struct locktop_status *status, struct locktop_error *error);
/*
 * The seed's get_lock_health() as one line of JSON: active, stale, process_running,
 * recommendation, and state, why, pid, age_s. Unknown is null. Returns the length without the NUL;
 * what does not fit is LOCKTOP_USAGE.
 */
LOCKTOP_API int locktop_health(
	struct locktop *lock, char *json, size_t size, struct locktop_error *error);

/* "0.1.0" */
LOCKTOP_API const char *locktop_version(void);

#ifdef __cplusplus
}
#endif

#endif

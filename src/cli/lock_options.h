/*
 * What run, acquire, renew, verify, give-back and fence-check share: their options, their
 * settings, the hold that they work on, and the listener that writes metrics and debug lines.
 * Nothing here needs a library but libc: these commands start as fast as flock(1).
 */
#ifndef LOCKTOP_CLI_LOCK_OPTIONS_H
#define LOCKTOP_CLI_LOCK_OPTIONS_H

#include "engine/metricslog.h"
#include "lib/hold.h"
#include <argp.h>

enum { LOCK_ADDRESSES = 8 };

/* Exit codes of these commands, beside those in cli.h. */
enum {
	EXIT_BUSY = 75, /* EX_TEMPFAIL: somebody has it, or had it all the time (-E changes it) */
	EXIT_LOST = 76, /* it was ours and is not any more */
	EXIT_NOT_OWNER = 77, /* it belongs to somebody else */
	EXIT_NOT_RUNNABLE = 126,
	EXIT_NOT_FOUND = 127,
};

/*
 * A command returns this when it cannot go on in the small program: a configuration has to be read
 * or a client library loaded. The large one is then executed with the same arguments.
 */
enum { EXIT_NEEDS_ALL = -1 };

/* What the configuration says about these commands. */
struct lock_settings {
	char *default_source; /* owned or NULL: where bare names are looked up */
	char *metrics;        /* owned or NULL: the usual place */
	bool tidy;
};

/*
 * Reads the configuration; `only` is --config. In the small program there is none: -ENOSYS means
 * that there is a file to be read, 0 that there is none. Each program has its own.
 */
int lock_settings_read(struct lock_settings *settings, const char *only, struct error *err);
/* Is this the program that has all, so that nobody else can be asked? */
bool lock_settings_are_all(void);
void lock_settings_release(struct lock_settings *settings);

struct lock_options {
	const char *program;   /* "locktop run" */
	const char *config;    /* --config */
	bool is_read_only;     /* --read-only: everything that takes or gives back is refused */
	const char *proc_root; /* --proc-root */
	bool only_looks;       /* the command's: it changes nothing, so is_read_only allows it */
	const char *address;   /* the main lock; NULL: none is opened */
	const char *with[LOCK_ADDRESSES];
	size_t withs;
	const char *fallback[LOCK_ADDRESSES];
	size_t fallbacks;
	bool is_nonblocking; /* -n */
	int64_t wait;        /* -w in ns; -1: not said */
	int busy_code;       /* -E */
	int64_t lease;       /* --lease in ns; 0: none; default 600 s */
	int64_t stale_after; /* --stale-after */
	enum takeover takeover;
	bool is_strict;  /* --compat=strict */
	bool is_tidy;    /* --tidy */
	mode_t mode;     /* --mode */
	const char *log; /* --log: of metrics; "none" */
	bool is_debug;   /* --debug, or AISTMA_DEBUG_LOCKS=1 */
};

void lock_options_init(struct lock_options *options, const char *program);
/* A child parser for argp; its input is a struct lock_options. Parses all but the address. */
extern const struct argp lock_argp;
extern const struct argp_child lock_children[];
/* --config, --read-only, --proc-root, -h only; for commands that take no lock (fence-check). */
extern const struct argp lock_common_argp;

/* A hold with its settings, world, metrics log and listener: opened and closed as a whole. */
struct lock_session {
	const struct lock_options *options; /* borrowed */
	struct lock_settings settings;
	struct world world;
	struct here here;
	struct metricslog log;
	struct hold *hold;
	int exit_code; /* of the command that ran, for the released line; -1 none */
	bool is_open;
};

/*
 * Reads settings, opens world and log, adds the addresses. The claim is the model for the hold's
 * (may be NULL). 0, EXIT_NEEDS_ALL, or the exit code after the sentence was printed.
 * lock_session_close() is due in every case.
 */
int lock_session_open(struct lock_session *session, const struct lock_options *options,
	const struct claim *claim);
void lock_session_close(struct lock_session *session);
/*
 * The whole address, owned by the caller, of one from the command line: a bare name that is no
 * file here is a lock of the default source. -ENOSYS: none is configured, as far as is known.
 */
int lock_session_address(
	const struct lock_session *session, const char *text, char **full, struct error *err);
/* Writes what happens into the metrics log and, with --debug, to stderr as a line of JSON. */
void lock_session_report(void *session, const struct hold_report *report);
/* Prints the sentence and returns the exit code for a code of hold.h. */
int lock_session_fail(struct lock_session *session, const struct error *err);
/* The exit code alone. */
int lock_exit_code(int code, int busy_code);

#endif

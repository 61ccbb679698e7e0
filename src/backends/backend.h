/*
 * What a backend is: one kind of place where locks live. A backend runs inside a source process
 * (or a one-shot command), is written in the simplest style, and may block: the process around
 * it is what has the deadline. It reports facts (struct lock) and never judges.
 *
 * Looking never changes anything: no lock is taken, not even a shared one for a moment, and no
 * file is created, truncated or touched. Only release() changes something, and only
 * engine/act.c calls it.
 */
#ifndef LOCKTOP_BACKENDS_BACKEND_H
#define LOCKTOP_BACKENDS_BACKEND_H

#include "base/uri.h"
#include "model/event.h"
#include "model/metrics.h"
#include "model/snapshot.h"
#include "system/proc.h"

struct error;

/* One look at everything. In: what the caller wants; out: what the backend found. */
struct backend_scan {
	struct snapshot *snapshot; /* in: empty; out: every lock, unchanged ones by reference */
	/*
	 * During a long first look the backend calls this now and then (a few hundred locks,
	 * in the order of names) so that first rows are shown early; may be NULL. A negative
	 * return ends the scan with it.
	 */
	int (*progress)(void *data, struct snapshot *so_far);
	void *progress_data;
	/*
	 * A backend of logs tells what happened, once, through this, besides or instead of locks; a
	 * negative return ends the scan with it. NULL where nobody listens. A look that reads on
	 * for a second without telling anything calls progress(), as a sign of life.
	 */
	int (*sample)(void *data, const struct sample *sample);
	void *sample_data;
	bool is_hinted;  /* in: a hint fired (else: the regular look) */
	mono_t next;     /* out: when to look again, hints apart; MONO_NEVER */
	bool is_polling; /* out: no hints can be had, see note */
	bool is_partial; /* out: it took part of the first look only: look again at once; what */
			 /* the snapshot has does not count yet */
	bool is_final;   /* out: nothing will ever change again (end of a replay) */
	uint64_t bad;    /* out: lines of a log that were not understood, ever */
	char note[200];  /* out: "polling: no inotify watch left (ENOSPC)", or "" */
};

/* How a release is done. */
struct backend_release {
	bool tidy;           /* unlink instead of emptying */
	bool is_forced;      /* the user forced it: the record's holder may be alive */
	const char *version; /* what was judged; compare at the last moment, under the lock */
	char done[240];      /* out: what was done, in words: "emptied /run/lock/x.lock" */
};

struct backend {
	const char *scheme;
	const char *help;          /* one line for --version and the manual */
	const char *const *params; /* NULL-terminated names, for uri_only() */
	enum lock_class class;
	bool is_recording; /* what it shows is past: nobody may be signalled for it */
	/*
	 * Opens a place; *state is the backend's own. A place that is not there (yet) is no
	 * error: scan() says so. World and here are borrowed for the lifetime of the state.
	 */
	int (*open)(void **state, const struct world *world, const struct here *here,
		const struct uri *uri, struct error *err);
	void (*close)(void *state);
	/* -errno with a sentence: the place cannot be read now; it will be tried again. */
	int (*scan)(void *state, struct backend_scan *scan, struct error *err);
	/* A descriptor that is readable when something may have changed; -1 none. May change */
	/* with every scan. NULL: never. */
	int (*hint_fd)(void *state);
	/* Drains it; returns true if a scan is due. NULL with hint_fd. */
	bool (*hint)(void *state);
	/* A holder was seen to end (pidfd): what is known of it is out of date. May be NULL. */
	void (*ended)(void *state, int32_t pid);
	/*
	 * One lock afresh, whatever was cached, the kernel's table included; *lock gets a new
	 * reference. -ENOENT with a sentence when there is none of that name.
	 */
	int (*look)(void *state, const char *name, struct lock **lock, struct error *err);
	/*
	 * Compares and releases, or refuses: -ESTALE "changed since you looked", -EBUSY
	 * "somebody holds a flock on it", or another -errno; nothing was changed then.
	 * NULL: locks of this kind cannot be released by others.
	 */
	int (*release)(
		void *state, const char *name, struct backend_release *how, struct error *err);
	/* Why release is NULL, and what to do instead. */
	const char *no_release;
};

extern const struct backend backend_file;
extern const struct backend backend_kernel;
extern const struct backend backend_log;
extern const struct backend backend_replay;

/* All that are built in, NULL-terminated. */
extern const struct backend *const backends[];

/* By scheme; NULL with "no backend 'foo', there are file, kernel, log, replay" (ssh is the hub's).
 */
const struct backend *backend_for(const struct uri *uri, struct error *err);

#endif

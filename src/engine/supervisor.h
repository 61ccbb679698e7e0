/*
 * Runs a command and guards it while it has a lock: starts it in a process group of its own,
 * forwards every signal, lends it the terminal, renews the lock, and ends it when the lock is
 * lost. Mechanism only: what the lock is, is told by functions; what is said, by the caller.
 *
 * The child is ended by the kernel when this process dies (PR_SET_PDEATHSIG; see prctl(2) for
 * when the kernel drops that: a set-user-ID program). Its own children are not.
 */
#ifndef LOCKTOP_ENGINE_SUPERVISOR_H
#define LOCKTOP_ENGINE_SUPERVISOR_H

#include "base/clock.h"
#include "engine/signals.h"
#include <stdbool.h>
#include <stddef.h>

/* The lock, as far as a supervisor has to know it. All get data. */
struct guarded {
	/* 0, -ESTALE or -EKEYREJECTED (lost for sure), or another -errno: could not be told */
	int (*renew)(void *data);
	int (*verify)(void *data); /* the same, and changes nothing */
	mono_t (*renew_at)(void *data);
	mono_t (*lost_at)(void *data); /* when it counts as lost without a success; MONO_NEVER */
	mono_t (*ends_at)(void *data); /* when somebody else may have it; MONO_NEVER */
	/* Called once. code: what renew() or verify() said, -ETIME when lost_at() has passed. */
	void (*lost)(void *data, int code);
	const char *const *path; /* files that change when somebody intrudes */
	size_t paths;
	void *data;
};

struct supervisor_options {
	const struct clock *clock;
	const struct signals *signals; /* as the child shall have them; all are blocked here */
	char *const *argv;             /* looked up in PATH; NULL-terminated */
	const int *inherit;            /* descriptors that the child shall have, too */
	size_t inherits;
	struct guarded lock;
	int64_t grace; /* ns between TERM and KILL when it is lost; -1: 10 s. Never longer than */
	/* three quarters of what is left until ends_at() */
	bool only_warns; /* nothing is ended when the lock is lost */
};

struct supervision {
	int status;   /* its exit status, or 128 + the signal that ended it */
	bool is_lost; /* the lock was lost meanwhile */
};

/*
 * Runs it to its end, which is awaited and reaped in every case. The caller has blocked all
 * signals (signals_block()). 0; -ENOENT and others of execve(2), when the command could not be
 * executed; -EAGAIN, -EMFILE and the like, when nothing could be started.
 */
int supervisor_run(const struct supervisor_options *options, struct supervision *supervision);

#endif

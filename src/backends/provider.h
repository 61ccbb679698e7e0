/*
 * What a provider is: one kind of place in which locks are taken. struct backend shows, lists and
 * releases what others have (its scan() is the list, its release() compares the version); a
 * provider takes a lock for somebody, renews it and gives it back. The two of one scheme share
 * their protocol and nothing else.
 *
 * A provider is written in the simplest style: blocking calls. It knows nothing of settings,
 * logs or signals, starts no thread, and keeps its state in one struct a lock.
 *
 * Result codes, for every function here:
 *   -EBUSY         somebody has it; acquire() only tried once
 *   -ETIMEDOUT     somebody had it until patience->until
 *   -ECANCELED     patience->tick() said stop, or a signal did
 *   -ESTALE        it was ours and is lost: nobody's now, or the file was replaced
 *   -EKEYREJECTED  it belongs to somebody else: another token
 *   -EINVAL, -ELOOP, -EMLINK, -EFBIG, -ENOTSUP, -EPERM   refused: not a thing to be locked, not a
 *                  place to lock in, or not asked for rightly; trying again or elsewhere is wrong
 *   -ENOMEM        out of memory
 *   -EPROTONOSUPPORT  there is no provider of that scheme in this program
 *   anything else  the place cannot be reached or used now: ENOENT (no folder), EACCES, EROFS,
 *                  ENOSPC, EMFILE, EIO, ... provider_is_unreachable() knows
 */
#ifndef LOCKTOP_BACKENDS_PROVIDER_H
#define LOCKTOP_BACKENDS_PROVIDER_H

#include "base/uri.h"
#include "model/lock.h"
#include "system/proc.h"
#include "system/world.h"
#include <sys/types.h>

struct error;

/* When may a record be taken over whose holder did not give it back? */
#define TAKEOVERS(_)                                                                             \
	_(PROOF, "proof") /* its holder is provably gone, or its lease ran out; of a plain    */ \
			  /* pid|time: the pid is gone, or it is older than stale_after       */ \
	_(LIMIT, "limit") /* the same, or it was not refreshed for stale_after, alive or not  */ \
			  /* (never a lock that the kernel says is held)                      */ \
	_(NEVER, "never") /* only by hand: locktop release                                    */

enum takeover {
#define _(id, word) TAKEOVER_##id,
	TAKEOVERS(_)
#undef _
		TAKEOVER_COUNT
};

/* What is written into a lock that is taken, and by which it is known again as ours. */
struct claim {
	const struct here *here; /* borrowed; host, boot id and pid namespace */
	int32_t pid;             /* of the owner: who holds it, or --owner-pid of a detached one */
	uint64_t start;          /* its start time (field 22 of /proc/PID/stat); 0 unknown */
	int32_t uid;
	char token[33];      /* 32 hex digits; claim_token() makes one */
	bool is_detached;    /* no process keeps it: lease, owner and boot id decide */
	bool is_strict;      /* the record is exactly pid|time; not with is_detached */
	bool is_tidy;        /* give_back() removes the lock file instead of emptying it */
	int64_t lease;       /* ns, whole seconds count; 0: none */
	int64_t stale_after; /* ns */
	enum takeover takeover;
	mode_t mode; /* of a file that is made, before the umask */
};

/* How long acquire() may wait, and how. */
struct patience {
	mono_t until; /* MONO_NEVER; what has passed means: try once */
	/*
	 * Says that somebody sends this process a signal, caught by a handler without SA_RESTART,
	 * at `when` (and again until it is told MONO_NEVER), and at any other one that matters:
	 * then a blocking flock(2) is called by this very process. NULL: no signal can be relied
	 * upon. With an end (or a tick), a helper process then waits in the queue on the same open
	 * file description; without both, this one does.
	 */
	void (*arm)(void *data, mono_t when);
	/*
	 * Called after every interruption and at least each `every` ns (0: only at the end) while
	 * waiting with a helper or a pause; a negative result ends the wait with it.
	 */
	int (*tick)(void *data);
	int64_t every;
	void *data;
};

/* Who has a lock, as far as a look can tell, for messages. */
struct occupant {
	bool is_known;                  /* the rest says something */
	int32_t pid;                    /* 0 unknown */
	char host[RECORD_HOST_MAX + 1]; /* "" this one, or unknown */
	char comm[64];                  /* clean; "" unknown */
	int64_t age;                    /* ns; -1 unknown */
};

/* What acquire() did. */
struct taking {
	int64_t fence;         /* 0: there is none here */
	unsigned int attempts; /* how often it was looked at */
	bool was_stale;        /* somebody's record was taken over */
	char reason[160];      /* why it was stale: "pid 4711 is gone: no such process" */
	struct record former;  /* that record; its token is wiped */
	bool was_queued;       /* it waited in the kernel's queue */
};

/* What a provider can do besides acquire and give back. */
enum {
	/*
	 * acquire() waits in a queue, where there is one; else it only tries once. It returns
	 * -EBUSY before patience->until where nobody queues, which is a lock that only a record
	 * says is held: then the caller pauses and tries again.
	 */
	PROVIDER_QUEUES = 1,
	PROVIDER_RENEWS = 2, /* a lease that has to be renewed, or a time that readers look at */
	PROVIDER_FENCES = 4,
	PROVIDER_DETACHES = 8, /* claim->is_detached */
	PROVIDER_INHERITS = 16 /* descriptor() */
};

struct provider {
	const char *scheme;
	const char *help;          /* one line for --version and the manual */
	const char *const *params; /* NULL-terminated, for uri_only() */
	enum lock_class class;
	unsigned int can;
	/*
	 * Opens one lock's place; nothing is taken, made or changed. `address` is the whole URI
	 * with the lock's name. World is borrowed for the lifetime of the state.
	 */
	int (*open)(void **state, const struct world *world, const struct uri *address,
		struct error *err);
	/* Frees the state. What the kernel holds by a descriptor ends; nothing else is given back.
	 */
	void (*close)(void *state);
	/* Takes it. On an error nothing is held. */
	int (*acquire)(void *state, const struct claim *claim, const struct patience *patience,
		struct taking *taking, struct error *err);
	/*
	 * Still ours, and for another lease from now on. -ESTALE, -EKEYREJECTED: lost. Another
	 * error says nothing about the lock: try again.
	 */
	int (*renew)(void *state, const struct claim *claim, struct error *err);
	/* Is it ours? Changes nothing. */
	int (*verify)(void *state, const struct claim *claim, struct error *err);
	/* Ends it, if it is ours. */
	int (*give_back)(void *state, const struct claim *claim, struct error *err);
	/* Who has it now: a look, best effort. */
	void (*who)(void *state, struct occupant *occupant);
	/* The last fence that was given out, 0: none yet. A look. NULL without PROVIDER_FENCES. */
	int (*fence)(void *state, int64_t *fence, struct error *err);
	/* The descriptor that holds it, for a child that shall inherit it; -1. NULL: never. */
	int (*descriptor)(void *state);
	/* A path that changes when somebody intrudes, for inotify(7); NULL: none. Borrowed. */
	const char *(*path)(void *state);
};

extern const struct provider provider_file;
extern const struct provider provider_flock;

/*
 * All of this program, NULL-terminated. A program that has others (tests do) defines its own
 * table instead of linking providers.c.
 */
extern const struct provider *const providers[];

/* By scheme; NULL with -EPROTONOSUPPORT and "no lock can be taken in 'foo:', only in file:,
 * flock:". */
const struct provider *provider_for(const struct uri *uri, struct error *err);
/* Is that a code of a place that cannot be reached or used (see above)? */
bool provider_is_unreachable(int code);

/* A new token from getrandom(2): 0 or -errno. */
int claim_token(char token[33]);
/*
 * Fills here, pid, start and uid of this process; the rest stays. If the claim is of this process
 * already, /proc is not read again.
 */
void claim_self(struct claim *claim, const struct world *world, const struct here *here);

/* "held by pid 4711 php8.2 on web2 for 3m12s", as far as it is known; "held by somebody". */
void occupant_text(char *dst, size_t size, const struct occupant *occupant);

const char *takeover_word(enum takeover takeover);
int takeover_from_word(const char *word); /* -1 */

#endif

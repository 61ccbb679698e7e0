/*
 * A hold: one lock, or several taken as one, by the providers; what liblocktop and the commands
 * run, acquire, renew, verify and give-back are made of. It chooses the provider, orders several
 * locks so that two holds cannot wait for each other, waits where a provider cannot queue, falls
 * back where one cannot be reached, and tells a listener about each step. It writes nothing
 * anywhere by itself: metrics and debug lines are the listener's.
 *
 * No thread, no signal handler, no global.
 */
#ifndef LOCKTOP_LIB_HOLD_H
#define LOCKTOP_LIB_HOLD_H

#include "backends/provider.h"

/* What happened, to one of the locks. */
#define HOLD_STEPS(_)                                                                            \
	_(OPENED, "opened")         /* its provider is known; nothing was taken */               \
	_(WAITING, "waiting")       /* somebody has it; the wait begins */                       \
	_(SLOW, "slow")             /* still waiting after 1 s, 10 s, 60 s, 5 min, 10 min … */ \
	_(STALE, "stale")           /* a record was found whose holder is gone; see reason */    \
	_(TAKEN_OVER, "taken_over") /* and it was taken over */                                  \
	_(ACQUIRED, "acquired")                                                                  \
	_(BUSY, "busy")         /* not taken: somebody has it, and no waiting was asked for */   \
	_(TIMEOUT, "timeout")   /* not taken within the time */                                  \
	_(FALLBACK, "fallback") /* the one before cannot be reached: this one is tried */        \
	_(RENEWED, "renewed")                                                                    \
	_(VERIFIED, "verified")                                                                  \
	_(LOST, "lost")                                                                          \
	_(RELEASED, "released")                                                                  \
	_(ERROR, "error") /* something failed; see error */

enum hold_step {
#define _(id, word) HOLD_##id,
	HOLD_STEPS(_)
#undef _
		HOLD_STEP_COUNT
};

const char *hold_step_word(enum hold_step step);

struct hold_report {
	enum hold_step step;
	const char *address; /* as canonical: "file:/run/lock/story.lock" */
	const char *source;  /* the part before the name: "file:/run/lock" */
	const char *name;    /* clean: "story.lock" */
	const struct provider *provider;
	const struct claim *claim; /* NULL before there is one */
	int64_t wait;              /* ns since the wait began (all steps up to ACQUIRED), -1 */
	int64_t held;              /* ns since it was acquired (RENEWED, LOST, RELEASED), -1 */
	unsigned int attempts;
	int64_t fence;      /* 0 none */
	const char *reason; /* STALE, TAKEN_OVER: why it was stale; LOST, ERROR, FALLBACK: the
			       sentence of the error; "" else */
	const struct occupant *occupant; /* WAITING, SLOW, BUSY, TIMEOUT; NULL else */
	int code;                        /* -errno of LOST, BUSY, TIMEOUT, ERROR, FALLBACK */
};

typedef void hold_listener(void *data, const struct hold_report *report);

struct hold_options {
	const struct world *world; /* borrowed; its clock is the clock of everything here */
	struct claim claim;      /* a model: here, pid, start, uid, token are filled by hold_open()
				    where they are NULL, 0 or "" */
	hold_listener *listener; /* may be NULL */
	void *data;
};

struct hold;

/* 0 or -errno with a sentence. Nothing is opened yet. */
int hold_open(struct hold **hold, const struct hold_options *options, struct error *err);
/* Gives nothing back by itself (but the kernel drops what descriptors hold). NULL is allowed. */
void hold_close(struct hold *hold);
/*
 * Adds a lock (address: a path, "file:…", "flock:…", "SCHEME://…/NAME"). The first one added is the
 * main one. -EEXIST: it is the same lock as one before.
 */
int hold_add(struct hold *hold, const char *address, struct error *err);
/* An address to be tried instead of the main one, when that one cannot be reached. */
int hold_add_fallback(struct hold *hold, const char *address, struct error *err);
/*
 * Takes all, in one order for everybody (by canonical address), or none: what was taken before a
 * failure is given back in the reverse order. until: MONO_NEVER, or the past for one try each;
 * patience->until is the end for all together. Where the provider cannot queue: decorrelated
 * jitter, 50 ms to 1 s.
 * A fallback is tried only on provider_is_unreachable(), never on -EBUSY or -ETIMEDOUT.
 */
int hold_acquire(struct hold *hold, const struct patience *patience, struct error *err);
/*
 * Renews all. 0: all are ours. -ESTALE, -EKEYREJECTED: at least one is lost for sure. Another
 * error: could not be told; try again until hold_lost_at().
 */
int hold_renew(struct hold *hold, struct error *err);
int hold_verify(struct hold *hold, struct error *err);
/* Tells the listener that they count as lost: hold_lost_at() has passed, err says what failed. */
void hold_tell_lost(const struct hold *hold, const struct error *err);
/* Gives all back, in the reverse order; the first error is returned, the rest done nevertheless. */
int hold_give_back(struct hold *hold, struct error *err);
/*
 * For a detached lock that another process acquired: takes over the claim's token, so that renew,
 * verify and give_back compare it. Nothing is looked at yet.
 */
int hold_adopt(struct hold *hold, const char *token, struct error *err);

/* When to renew next: a third of the lease after the last success, and at most 200 s. */
mono_t hold_renew_at(const struct hold *hold);
/* When it has to count as lost: two thirds of the lease after the last success; MONO_NEVER. */
mono_t hold_lost_at(const struct hold *hold);
/* When the lease of the last success ends; MONO_NEVER. */
mono_t hold_ends_at(const struct hold *hold);
/* Is all of it ours, as far as was seen last? */
bool hold_is_held(const struct hold *hold);
/* Is there something that hold_give_back() has to be called for: taken or adopted, lost or not? */
bool hold_is_taken(const struct hold *hold);

/* Of the main lock (or of the fallback that stands for it). */
const struct claim *hold_claim(const struct hold *hold);
int64_t hold_fence(const struct hold *hold);
const char *hold_address(const struct hold *hold);
/* Of the i-th lock: its descriptor for a child, -1; its path for inotify, NULL. */
size_t hold_count(const struct hold *hold);
int hold_descriptor(const struct hold *hold, size_t i);
const char *hold_path(const struct hold *hold, size_t i);
/* Who has the lock that is being waited for, or was last. */
void hold_who(struct hold *hold, struct occupant *occupant);

#endif

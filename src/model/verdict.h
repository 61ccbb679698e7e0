/*
 * The one place that judges. verdict_of() is a pure function of a lock's facts, the time and
 * the limits; the list, the recommendation, release, clean and batch output all call it.
 *
 * Rules that must not be broken: proof of death or nothing (EPERM means alive); a pid is
 * compared with its start time; a foreign host, boot or pid namespace cannot be checked by pid;
 * an age below zero is clock skew, never stale; a wall-clock jump makes no live local holder
 * stale; a dead pid does not prove a free flock when the kernel names another holder.
 */
#ifndef LOCKTOP_MODEL_VERDICT_H
#define LOCKTOP_MODEL_VERDICT_H

#include "model/lock.h"
#include <stddef.h>

/* id, word, mark (Unicode), mark (ASCII), rank by harm (higher is worse), help */
#define STATES(_)                                                                     \
	_(FREE, "FREE", "·", ".", 0, "nobody has it")                                 \
	_(HELD, "HELD", "●", "H", 1, "the holder is alive and within its limit")      \
	_(UNKNOWN, "UNKNOWN", "?", "?", 2, "the holder cannot be checked from here")  \
	_(CORRUPT, "CORRUPT", "#", "#", 3, "the record cannot be understood")         \
	_(EXPIRED, "EXPIRED", "x", "x", 4, "the lease ran out and nobody renewed it") \
	_(OVERDUE, "OVERDUE", "!", "!", 5, "the holder is alive but over its limit")  \
	_(STALE, "STALE", "x", "x", 6, "proof that the holder is gone")

enum state {
#define _(id, word, mark, ascii, rank, help) STATE_##id,
	STATES(_)
#undef _
		STATE_COUNT
};

/* Is it safe to release? */
enum safety { SAFETY_UNKNOWN, SAFETY_SAFE, SAFETY_NOT_SAFE, SAFETY_NONE /* nothing to release */ };

/* What the verdict depends on besides the lock itself. */
struct facts {
	mono_t now; /* the reader's CLOCK_BOOTTIME */
	wall_t now_wall;
	int64_t limit;           /* ns that a hold may take (600 s unless set) */
	int64_t usual;           /* ns; p99 of its own holds, 0 where too few are known */
	double usual_factor;     /* a hold of more than so many times that, and of more than a */
				 /* minute, is OVERDUE; 0: never */
	int64_t malformed_grace; /* ns; 0: 2 s. A half-written record is nobody's fault so long */
	bool is_silent;          /* the source has not answered within its deadline: */
				 /* what it said last is the past */
	int64_t silent_for;      /* ns */
};

struct verdict {
	enum state state;
	enum safety safe;
	int reason;         /* enum reason of reasons.h; why and advice are made from it */
	unsigned int flags; /* the lock's own and the judged ones, LOCK_FLAG() */
	mono_t due;         /* when time alone can change the state; MONO_NEVER */
	int64_t age;        /* ns since it was taken, when judged; INT64_MIN unknown */
};

#define AGE_UNKNOWN INT64_MIN

enum { VERDICT_TEXT = 320 };

struct verdict verdict_of(const struct lock *lock, const struct facts *facts);
/* The age alone, of this moment: ns, AGE_UNKNOWN; below zero is clock skew. */
int64_t verdict_age(const struct lock *lock, const struct facts *facts);
/*
 * How long a live holder may have it: the limit, or less where its holds are usually shorter. ns;
 * 0: as long as it likes.
 */
int64_t verdict_bound(const struct lock *lock, const struct facts *facts);
/*
 * The reason as one clean sentence without full stop: "pid 4711 is gone: no such process", and
 * the advice with its safety as the last words: "release it: SAFE", "look at what pid 4711 is
 * doing; signal it rather than release: NOT SAFE".
 */
void verdict_why(char *dst, size_t size, const struct lock *lock, const struct facts *facts,
	const struct verdict *verdict);
void verdict_advice(char *dst, size_t size, const struct lock *lock, const struct facts *facts,
	const struct verdict *verdict);
/*
 * The evidence, line by line: facts from which the state follows ("record: pid 4711, written
 * 12:03:41", "process: no such pid", "kernel: nobody holds a flock on 254:0:1234").
 * i = 0, 1, … until it returns false.
 */
bool verdict_evidence(char *dst, size_t size, const struct lock *lock, const struct facts *facts,
	const struct verdict *verdict, int i);

/* The holder that matters: the kernel's first, else the record's; NULL if nobody is named. */
const struct process *verdict_holder(const struct lock *lock);
/* Does that process run: 1 yes, 0 no (proof), -1 unknown. Of a reused pid the answer is no. */
int verdict_running(const struct lock *lock, const struct verdict *verdict);
/*
 * Is the pid that the record names borne by another process now? The same test as the state's:
 * start times, with whatever the wall clock was set by in hand.
 */
bool verdict_is_reused(const struct lock *lock);
/* Is that process provably alive (may a deed end or hurt it)? */
bool verdict_is_alive(const struct lock *lock, const struct verdict *verdict);
/* May DEED_RELEASE do it without force? Only what is provably stale, or an expired safe one. */
bool verdict_allows_release(const struct verdict *verdict);

/*
 * The health words of the PHP lock system: does somebody have it, is it provably stale? 1, 0, or
 * -1 unknown.
 */
int state_is_active(enum state state);
int state_is_stale(enum state state);
const char *state_word(enum state state);
const char *state_mark(enum state state, bool ascii);
int state_rank(enum state state);
const char *state_help(enum state state);
int state_from_word(const char *word);     /* case-insensitive; -1 */
const char *safety_word(enum safety safe); /* "SAFE", "NOT SAFE", "UNKNOWN", "" */

#endif

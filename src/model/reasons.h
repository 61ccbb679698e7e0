/*
 * Every reason for which a lock is judged as it is: the one table behind verdict.c, which
 * chooses, and verdict_text.c, which says it. Private to those two, to who takes lock files over
 * (backends/file_judge.c), and to their tests.
 */
#ifndef LOCKTOP_MODEL_REASONS_H
#define LOCKTOP_MODEL_REASONS_H

#include "model/verdict.h"

/*
 * id, state, safety, why, advice. A {word} in the texts is filled in by verdict_text.c; the
 * words of the safety are appended to the advice. A HELD lock that is over its limit becomes
 * OVERDUE for the same reason: {limit} says so, and the advice is the one for OVERDUE below. So
 * does one that is far beyond its usual hold, which {usual} names.
 */
#define REASONS(_)                                                                                \
	_(NOBODY, FREE, NONE, "empty, and nobody has a flock on it", "")                          \
	/* alive */                                                                               \
	_(ALIVE, HELD, NOT_SAFE, "{who} is alive{limit}", "normal{usual}, leave it")              \
	_(DAEMON, HELD, NOT_SAFE, "{who} is alive: this is its pid file",                         \
		"normal{usual}, leave it")                                                        \
	_(STOPPED, HELD, NOT_SAFE, "{who} is alive but stopped{limit}",                           \
		"wake it with kill -CONT {pid}, or end it")                                       \
	_(POOL, HELD, UNKNOWN, "{who} is alive, but a pool worker: no proof{limit}",              \
		"look whether {who} still works for it")                                          \
	_(LEASED, HELD, NOT_SAFE, "{who} is alive, and its lease ends in {left}{limit}",          \
		"normal{usual}, leave it")                                                        \
	_(FLOCK, HELD, NOT_SAFE, "{who} has a flock on it{taker}{limit}",                         \
		"normal{usual}, leave it")                                                        \
	_(FLOCK_STOPPED, HELD, NOT_SAFE, "{who} has a flock on it and is stopped{taker}{limit}",  \
		"wake it with kill -CONT {pid}, or end it")                                       \
	_(INHERITED, HELD, NOT_SAFE,                                                              \
		"{claim} that took it is gone, but {who} still has its descriptor{limit}",        \
		"end {who} rather than release it")                                               \
	_(TAKER_GONE, HELD, NOT_SAFE,                                                             \
		"{who} that took it is gone, but somebody still has its descriptor{limit}",       \
		"find as root who has it open")                                                   \
	_(KERNEL, HELD, NOT_SAFE, "{who} has the {kind} lock{limit}", "normal{usual}, leave it")  \
	_(KERNEL_STOPPED, HELD, NOT_SAFE, "{who} has the {kind} lock and is stopped{limit}",      \
		"wake it with kill -CONT {pid}, or end it")                                       \
	_(HIDDEN, HELD, NOT_SAFE,                                                                 \
		"its holder cannot be seen from here: another pid namespace, or no permission",   \
		"look as root on the host itself")                                                \
	/* proof that the holder is gone */                                                       \
	_(GONE, STALE, SAFE, "{claim} is gone: no such process", "release it")                    \
	_(ZOMBIE, STALE, SAFE, "{claim} has ended: it is a zombie", "release it")                 \
	_(EXITING, STALE, SAFE, "{claim} is exiting", "release it")                               \
	_(REUSED, STALE, SAFE, "{claim} is another process now: {reused}", "release it")          \
	_(OLD_BOOT, STALE, SAFE, "written before the last boot", "release it")                    \
	_(NO_FLOCK, STALE, SAFE,                                                                  \
		"the record says held under flock, and nobody has the flock{gone}", "release it") \
	/* time ran out */                                                                        \
	_(LEASE_OVER, EXPIRED, SAFE, "its lease ran out {ago} ago and was not renewed{alive}",    \
		"release it")                                                                     \
	_(LEASE_OVER_UNCHECKED, EXPIRED, UNKNOWN,                                                 \
		"its lease ran out {ago} ago, but {claim}{host} cannot be checked from here",     \
		"check {claim}{host} first")                                                      \
	_(AGE_OVER, EXPIRED, UNKNOWN,                                                             \
		"{claim} cannot be checked, and it is {age} old: its limit is {max}",             \
		"check {claim} first")                                                            \
	/* cannot be known here */                                                                \
	_(OTHER_HOST, UNKNOWN, UNKNOWN, "taken by {claim}{host}: not to be checked from here",    \
		"check {claim}{host}")                                                            \
	_(OTHER_BOOT, UNKNOWN, UNKNOWN,                                                           \
		"written under another boot id, without a host: another machine, or an earlier "  \
		"boot",                                                                           \
		"find out which machine wrote it")                                                \
	_(OTHER_NS, UNKNOWN, UNKNOWN,                                                             \
		"{claim} is of another pid namespace: its number says nothing here",              \
		"check {claim} in its own container")                                             \
	_(UNCHECKED, UNKNOWN, UNKNOWN, "{claim} cannot be checked: no permission, or no /proc",   \
		"look again as root")                                                             \
	_(UNREAD, UNKNOWN, UNKNOWN, "kernel locks not read yet{gone}", "wait a second")           \
	_(PARTIAL, UNKNOWN, UNKNOWN,                                                              \
		"{claim} is gone, but flocks of other pid namespaces cannot be seen here",        \
		"look on the host itself")                                                        \
	_(NO_VIEW, UNKNOWN, UNKNOWN,                                                              \
		"empty, and cannot tell whether somebody has a flock on it here",                 \
		"look on the host that owns the file")                                            \
	_(UNREADABLE, UNKNOWN, UNKNOWN, "{problem}", "look again as root, or at its file system") \
	_(NO_RECORD, UNKNOWN, UNKNOWN, "nothing is known of it", "look at the file")              \
	_(FOREIGN, UNKNOWN, UNKNOWN,                                                              \
		"written by a newer locktop or another program{marker}: never broken "            \
		"automatically",                                                                  \
		"find the program that wrote it")                                                 \
	_(WRITING, UNKNOWN, UNKNOWN, "not a record yet: perhaps it is being written now",         \
		"wait a second")                                                                  \
	_(SILENT, UNKNOWN, UNKNOWN,                                                               \
		"the source has not answered for {silence}; before that: {before}",               \
		"look at the source first")                                                       \
	/* nothing to judge by */                                                                 \
	_(CORRUPT, CORRUPT, UNKNOWN, "not a lock record{problem_too}{bytes}",                     \
		"look at it, then release it by force")                                           \
	_(NO_FILE, CORRUPT, UNKNOWN, "it is {problem}", "look at it, and remove it by hand")

#define ADVICE_OVERDUE "look at what {who} is doing; signal it rather than release"

enum reason {
#define _(id, state, safe, why, advice) REASON_##id,
	REASONS(_)
#undef _
		REASON_COUNT
};

/* Who a lock is about; both borrowed, either may be NULL. */
const struct process *verdict_kernel_holder(const struct lock *lock);
/* The process that the record names, as /proc knows it. */
const struct process *verdict_claim(const struct lock *lock);
/*
 * What /proc and the record's relations say of that process alone: ALIVE, STOPPED, one of the
 * proofs (GONE to OLD_BOOT), or why it cannot be known (OTHER_HOST to UNCHECKED).
 */
enum reason verdict_of_claim(const struct lock *lock);
bool verdict_is_proof(enum reason reason);
/* ns until the lease ends, negative: since it did; INT64_MAX: there is none. */
int64_t verdict_lease_left(const struct lock *lock, const struct facts *facts);
/* By how much the process began after the record was written, in ns; <= 0: it did not. */
int64_t verdict_late(const struct lock *lock, const struct process *claim);
/* The limit that counts, in ns; 0: none. */
int64_t verdict_limit(const struct lock *lock, const struct facts *facts);
/* How long a hold may take that was never set a limit but by those before it, in ns; 0: any. */
int64_t verdict_usual_limit(const struct facts *facts);

#endif

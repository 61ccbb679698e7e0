/*
 * The proof of a lock protocol by force: many workers take one lock for moments, a killer kills
 * them with SIGKILL wherever they are, and a board in shared memory, which knows nothing of the
 * lock, finds out whether two were ever inside together.
 *
 * Detectors, all exact in spite of the kills:
 *   overlap      who enters marks its slot and then looks at all others. Another mark counts if its
 *                process runs: neither gone, nor zombie, nor PF_EXITING (field 9 of
 *                /proc/PID/stat & 4): the kernel drops the flock before a dead task shows as a
 *                zombie. The mark is read again after that.
 *   lost update  a plain counter is read on entry and written back, one larger, before leaving;
 *                each new value is then claimed in a ring by an atomic exchange: a value claimed
 *                twice was written by two.
 *   fence        must be larger than that of the holder before.
 *   denied       verify or give-back said "lost" to a holder whom nobody robbed.
 *   not told     the robber stops a holder that is inside, removes or replaces its lock file, and
 *                lets it go on: it must be told at its next step, and must not touch the new
 *                holder's lock. A robbed holder is no overlap; two others are.
 */
#ifndef LOCKTOP_TESTS_PROVE_H
#define LOCKTOP_TESTS_PROVE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "protocol.h"

enum { SLOTS_MAX = 64, CLAIMS = 4096 };

enum phase { PHASE_OUTSIDE, PHASE_ENTERING, PHASE_INSIDE, PHASE_LEAVING };

/* Of one worker; its numbers go on when it is killed and another takes its place. */
struct slot {
	_Alignas(64) _Atomic int32_t pid;
	_Atomic uint64_t mark; /* of this stay inside, never used twice; 0: outside */
	_Atomic int phase;
	_Atomic bool is_robbed; /* set by the robber, while the worker is stopped inside */
	uint64_t stays;         /* the last mark given out */
	_Atomic uint64_t acquired, done, busy, takeovers, handoffs;
	_Atomic uint64_t overlaps, lost_updates, fences_back, denied, not_told, told;
	_Atomic int64_t longest; /* wait, ns */
	_Atomic int trouble;     /* -errno that ended a worker */
};

struct board {
	_Alignas(64) volatile uint64_t counter; /* changed inside only */
	volatile int64_t fence;                 /* the same: of the last holder */
	volatile unsigned int last;             /* slot of the last holder */
	_Alignas(64) _Atomic uint64_t claims[CLAIMS];
	unsigned int slots;
	struct slot slot[SLOTS_MAX];
};

/* CLOCK_BOOTTIME, ns. */
int64_t now(void);
/* xorshift64: the next number of a sequence. */
uint64_t next_random(uint64_t *state);
/* Is that process there and not on its way out? (A wrong pid: no.) */
bool is_running(pid_t pid);
/* Takes the lock again and again; ends by trouble, or by being killed. */
_Noreturn void worker_run(
	struct board *board, unsigned int me, const struct protocol *protocol, uint64_t seed);

#endif

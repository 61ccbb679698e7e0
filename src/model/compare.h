/*
 * Two locks, or two places of locks, side by side, for somebody who moves from A to B: how each
 * behaved, and, where both were taken for the same work (`locktop run --with B A`), whether they
 * agreed about who has it. Fed with the lines of the metrics log, in whatever order the logs are
 * read; lines are put in the order of their ts. Pure, and bounded whatever comes in.
 *
 * What is counted, exactly:
 *
 * A line's holder is its token; where one of two lines has none, its host and pid.
 *
 * A hold begins with `acquired`. It ends well with `released` or `lost` of its own holder, which
 * may come up to a second after the next one's `acquired`, as lines are written after the deed:
 * then it was held until that moment, or that `acquired`. Else it ends somehow, with the next
 * `acquired` of the same lock, with `released_stale` or with `forced`: its holder may have died
 * long before.
 *
 * Locks of A and B belong together when each side is one lock, or when they have the same name but
 * for a ".lock" at its end; of several with the same name the first.
 *
 * together: one holder has both at once; each hold counts once. only A, only B: the other
 * acquisitions of each.
 *
 * disagreement: a holder has the one and gets `busy` or `timeout` from the other, as then somebody
 * else has that. Counted by the side that gave.
 *
 * overlap: for more than 10 ms the two were held by different holders, both of which ended well.
 * Of a holder who has both and has begun to give them back nothing is counted any more: its work is
 * over.
 */
#ifndef LOCKTOP_MODEL_COMPARE_H
#define LOCKTOP_MODEL_COMPARE_H

#include "model/metrics.h"

enum compare_side { SIDE_A, SIDE_B, SIDES };

enum {
	COMPARE_LOCKS = 1024,    /* a side; lines of more count, but are not held against others */
	COMPARE_LINES = 1 << 18, /* kept to be put in order; later ones count as `late` */
	COMPARE_SPANS = 256,     /* overlaps whose end is awaited */
	COMPARE_INCIDENTS = 5,   /* the last ones are kept */
	COMPARE_REASONS = 12,    /* that a verdict can have */
	COMPARE_REASON_TEXT = 160,
};

/* What is shorter may be the time that a line takes to be written. */
#define COMPARE_SLACK (10 * NS_PER_MS)

struct compare_side_facts {
	struct tally tally;                   /* of all its lines */
	struct histogram first_try;           /* waits of acquisitions that needed one attempt */
	wall_t acquired_first, acquired_last; /* 0: never */
	uint64_t lines;
	size_t locks; /* how many it has; at most COMPARE_LOCKS */
};

/* A disagreement or an overlap. */
struct compare_incident {
	wall_t at;
	enum compare_side gave; /* disagreement: who gave; overlap: who was held first */
	bool is_overlap;
	int64_t length;     /* of an overlap, ns */
	int32_t pid, other; /* who has `gave`; overlap: who has the other one. -1: unknown */
};

struct compare_order; /* locks, holds, and lines that wait to be put in order */

/* A zeroed one is ready. */
struct compare {
	struct compare_side_facts side[SIDES];
	uint64_t together;
	uint64_t disagreements[SIDES]; /* by who gave */
	uint64_t overlaps;
	int64_t longest;                                     /* overlap, ns */
	struct compare_incident incident[COMPARE_INCIDENTS]; /* the last ones, the oldest first */
	size_t incidents;
	uint64_t late;               /* lines that came too late to be put in order */
	uint64_t beyond;             /* lines of locks beyond COMPARE_LOCKS */
	struct compare_order *order; /* owned */
};

/* A line of a side. 0 or -ENOMEM. */
int compare_add(struct compare *compare, enum compare_side side, const struct metric *metric);
/* No more lines come: the facts are complete then. */
void compare_end(struct compare *compare);
void compare_release(struct compare *compare);
/* Acquisitions of one side without the other. */
uint64_t compare_only(const struct compare *compare, enum compare_side side);

/*
 * Was the half of either's acquisitions and more together with the other? Then the one that is
 * taken first has all the waiting and all the failures, whichever it is.
 */
bool compare_is_together(const struct compare *compare);

/*
 * May one switch to B? Not if there is a reason against it:
 * B was acquired fewer than 20 times, or A was (then there is nothing to compare with);
 * B was lost;
 * there were overlaps or disagreements;
 * more of B's attempts failed than of A's, in per cent to one decimal (not if they were taken
 * together);
 * the p95 of B's wait is more than twice A's, and by more than 10 ms (both have 20 and more; of
 * those taken together only the waits that needed one attempt);
 * B has more stale ones per 100 acquisitions than A, to one decimal;
 * B was not acquired in the last quarter of the window [since, until).
 */
struct compare_verdict {
	bool is_ready;
	size_t reasons; /* 0 if it is ready */
	char reason[COMPARE_REASONS][COMPARE_REASON_TEXT];
};
struct compare_verdict compare_judge(const struct compare *compare, wall_t since, wall_t until);

/* n of a hundred of all, in tenths, rounded; 0 of none. 65: 6.5 %. */
int64_t compare_tenths(uint64_t n, uint64_t all);

#endif

/*
 * Inside the metrics: metrics.c finds the series of a line; metrics_slot.c is what happened in one
 * second, minute or hour; metrics_slots.c keeps them in order and their memory within bounds;
 * metrics_points.c answers; metrics_sample.c sends and receives.
 */
#ifndef LOCKTOP_MODEL_METRICS_PRIVATE_H
#define LOCKTOP_MODEL_METRICS_PRIVATE_H

#include "base/clock.h"
#include "model/metrics.h"

struct slot {
	int64_t number;     /* time / length of a slot */
	struct tally tally; /* owned */
};

struct tier_info {
	int64_t seconds; /* of a slot */
	uint32_t slots;  /* that are kept */
};
extern const struct tier_info tier_info[TIER_COUNT];

/* What glibc takes of the heap for so many bytes. */
size_t heap_bytes(size_t size);

/* --- metrics_slot.c --- */

/* Makes room for a line, or a tally, so that adding it cannot fail. 0 or -ENOMEM. */
int slot_reserve(struct slot *slot, const struct metric *metric);
void slot_add(struct slot *slot, const struct metric *metric);
int slot_reserve_tally(struct slot *slot, const struct tally *tally);
void slot_add_tally(struct slot *slot, const struct tally *tally);
/* Adds what is in it to a tally. 0 or -ENOMEM. */
int slot_tally(const struct slot *slot, struct tally *into);
bool slot_is_empty(const struct slot *slot);
/* Nothing will come for a while: takes no more memory than it needs. */
void slot_shrink(struct slot *slot);
size_t slot_bytes(const struct slot *slot);
void slot_release(struct slot *slot);

/* --- metrics_slots.c --- */

/* The slot in which that time lies, also before 1970. */
int64_t slot_number(enum tier tier, wall_t at);
/* When it begins; times that no wall_t can be are the nearest that can. */
wall_t slot_begins(enum tier tier, int64_t number);
/* The first slot that has that number or a higher one: slots->n if none has. */
uint32_t slots_find(const struct slots *slots, int64_t number);
/*
 * The slot of that number, made if it is not there; valid until the next one is made. 1; 0: it is
 * older than what is kept; -ENOMEM.
 */
int slots_make(struct metrics *metrics, struct series *series, enum tier tier, int64_t number,
	struct slot **slot);
/* The memory of a slot changed, which took so much before. */
void slots_account(struct metrics *metrics, enum tier tier, const struct slot *slot, size_t before);
void slots_release(struct metrics *metrics, struct series *series);
/* The first slot of a tier that is wholly known. */
int64_t tier_begins(const struct metrics *metrics, enum tier tier);
/* Moves all slots of a series to another one. 0 or -ENOMEM: some are still where they were. */
int slots_move(struct metrics *metrics, struct series *to, struct series *from);
/* Lets the oldest slots of the tier that takes most go; false: there is nothing to let go. */
bool slots_drop_oldest(struct metrics *metrics);

/* --- metrics.c --- */

/* The lock's series, made if it is not there; rest for no lock. NULL: out of memory. */
struct series *metrics_series(
	struct metrics *metrics, const char *source, const char *lock, const char *backend);
/* Notes when, in a series and in all. */
void series_touch(struct series *series, wall_t first, wall_t last);
/* Keeps the memory within its bounds; what was used last stays. 0 or -ENOMEM. */
int metrics_bound(struct metrics *metrics);

/* --- metrics_waited.c --- */

void waited_add_line(struct waited_for waited[WAITED_FOR_MAX], const struct metric *metric);
void waited_add(struct waited_for waited[WAITED_FOR_MAX], const struct waited_for *more);

#endif

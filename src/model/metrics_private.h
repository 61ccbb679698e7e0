/*
 * Inside the metrics: metrics.c finds the series of a line; metrics_slot.c is what happened in one
 * second, minute or hour; metrics_slots.c keeps them in order and their memory within bounds;
 * metrics_points.c answers; metrics_sample.c sends and receives.
 */
#ifndef LOCKTOP_MODEL_METRICS_PRIVATE_H
#define LOCKTOP_MODEL_METRICS_PRIVATE_H

#include "base/clock.h"
#include "model/metrics.h"

enum { NOTES_MAX = 47 };

/* Up to that number of lines each is a note by itself; of more it is a tally. */
struct slot {
	int64_t number; /* time / length of a slot */
	union {
		uint64_t one;        /* if there is no room for more */
		uint64_t *note;      /* owned */
		struct tally *tally; /* owned */
	};
	uint16_t n, size; /* notes, and room for them; 0: one; SLOT_IS_TALLY */
};

enum { SLOT_IS_TALLY = UINT16_MAX };

static inline bool is_tally(const struct slot *slot)
{
	return slot->size == SLOT_IS_TALLY;
}

/* What is added to a slot: a line, as its note, or those of a tally. */
struct lines {
	const struct tally *tally; /* NULL: the line */
	uint64_t note;
	struct histogram_value value; /* of the note, if it has one */
};

/* Many slots added up. */
struct slot_sum {
	struct histogram_sum *wait, *hold; /* owned */
	struct tally events;               /* without the histograms */
};

struct tier_info {
	int64_t seconds; /* of a slot */
	uint32_t slots;  /* that are kept */
};
extern const struct tier_info tier_info[TIER_COUNT];

/* What glibc takes of the heap for so many bytes. */
size_t heap_bytes(size_t size);

/* --- metrics_tally.c --- */

/* Its wait or hold that is counted, in ns; -1: none. */
int64_t tally_value(const struct metric *metric);
bool tally_is_slow(const struct metric *metric);
/* Counts so many events, and slow ones. */
void tally_count(struct tally *tally, int event, uint32_t times, uint32_t slow);
/* Of all events. */
uint64_t tally_lines(const struct tally *tally);
/* What its histograms take of the heap. */
size_t tally_bytes(const struct tally *tally);

/* --- metrics_slot.c --- */

struct lines line_of(const struct metric *metric);
/* A line in a tally; there has to be room for it, for which there is a quick question. */
bool tally_has_room(const struct tally *tally, const struct lines *lines);
int tally_reserve(struct tally *tally, const struct lines *lines); /* 0 or -ENOMEM */
void tally_add_line(struct tally *tally, const struct lines *lines);
/* Can they be added as it is? Said of lines only: of tallies ask slot_reserve(). */
bool slot_has_room(const struct slot *slot, const struct lines *lines);
/* Makes room for lines, so that adding them cannot fail. 0 or -ENOMEM. */
int slot_reserve(struct slot *slot, const struct lines *lines);
void slot_add(struct slot *slot, const struct lines *lines);
/* Adds what is in it to a tally. 0 or -ENOMEM. */
int slot_tally(const struct slot *slot, struct tally *into);
bool slot_is_empty(const struct slot *slot);
/* What adding it costs: about as many values. */
size_t slot_values(const struct slot *slot);
/* Nothing will come for a while: takes no more memory than it needs. */
void slot_shrink(struct slot *slot);
size_t slot_bytes(const struct slot *slot);
void slot_release(struct slot *slot);

int slot_sum_init(struct slot_sum *sum); /* 0 or -ENOMEM */
void slot_sum_release(struct slot_sum *sum);
void slot_sum_clear(struct slot_sum *sum);
void slot_sum_add(struct slot_sum *sum, const struct slot *slot);
int slot_sum_into(const struct slot_sum *sum, struct tally *into); /* 0 or -ENOMEM */

/* --- metrics_slots.c --- */

/* The slot in which that time lies, also before 1970. */
int64_t slot_number(enum tier tier, wall_t at);
/* When it begins; times that no wall_t can be are the nearest that can. */
wall_t slot_begins(enum tier tier, int64_t number);
/* The first slot that has that number or a higher one: slots->n if none has. */
uint32_t slots_find(const struct slots *slots, int64_t number);
/*
 * Counts lines of that time in a series and in all, in that tier and the coarser ones, where they
 * are not older than what is kept; METRICS_SAMPLES: once. 0, or -ENOMEM: they are counted nowhere.
 */
int slots_count(struct metrics *metrics, struct series *series, enum tier tier, wall_t at,
	const struct lines *lines);
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
/* Keeps the memory within its bounds; what was used last stays. */
void metrics_bound(struct metrics *metrics);

/* --- metrics_waited.c --- */

void waited_add_line(struct waited_for waited[WAITED_FOR_MAX], const struct metric *metric);
void waited_add(struct waited_for waited[WAITED_FOR_MAX], const struct waited_for *more);

#endif

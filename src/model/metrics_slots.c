/*
 * Slots in order of time: only those in which something happened, so that what is old can never be
 * taken for new, and a line far ahead costs nothing that is there.
 */
#include "config.h"
#include "model/metrics_private.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { AHEAD_S = 3600, SLOTS_AT_FIRST = 4 };

const struct tier_info tier_info[TIER_COUNT] = {
#define _(id, seconds, slots) [TIER_##id] = {seconds, slots},
	TIERS(_)
#undef _
};

/*
 * A fourth more are kept, so that not each slot that comes makes another one go. What is to be sent
 * is there once, and all of it.
 */
static uint32_t most_slots(const struct metrics *metrics, enum tier tier)
{
	return metrics->mode == METRICS_SAMPLES ? UINT32_MAX : tier_info[tier].slots / 4 * 5;
}

static int64_t floor_div(int64_t a, int64_t b)
{
	return a / b - (a % b < 0);
}

int64_t slot_number(enum tier tier, wall_t at)
{
	assert(tier < TIER_COUNT);
	/* By constants, which is no division then. */
	switch (tier) {
#define _(id, seconds, slots) \
	case TIER_##id: return floor_div(at, (seconds)*NS_PER_S);
		TIERS(_)
#undef _
	default: return 0;
	}
}

wall_t slot_begins(enum tier tier, int64_t number)
{
	wall_t at;

	if (__builtin_mul_overflow(number, tier_info[tier].seconds * NS_PER_S, &at))
		return number < 0 ? INT64_MIN : INT64_MAX;
	return at;
}

uint32_t slots_find(const struct slots *slots, int64_t number)
{
	uint32_t from = 0, to = slots->n;

	/* Most lines are of the last slot, or the next one. */
	if (to && slots->at[to - 1].number <= number)
		return to - (slots->at[to - 1].number == number);
	while (from < to) {
		uint32_t middle = from + (to - from) / 2;

		if (slots->at[middle].number < number)
			from = middle + 1;
		else
			to = middle;
	}
	return from;
}

static void count_bytes(struct metrics *metrics, enum tier tier, size_t before, size_t after)
{
	metrics->bytes += after - before;
	metrics->tier_bytes[tier] += after - before;
}

static void is_gone(struct metrics *metrics, enum tier tier, int64_t number)
{
	wall_t after = slot_begins(tier, number + 1);

	if (metrics->kept[tier] < after)
		metrics->kept[tier] = after;
}

/* The first n slots go. */
static void drop(struct metrics *metrics, struct slots *slots, enum tier tier, uint32_t n)
{
	size_t bytes = 0;

	if (!n)
		return;
	for (uint32_t i = 0; i < n; i++) {
		if (slots->at[i].size == 0)
			continue; /* it has nothing of its own */
		bytes += slot_bytes(&slots->at[i]);
		slot_release(&slots->at[i]);
	}
	slots->n -= n;
	memmove(slots->at, slots->at + n, slots->n * sizeof *slots->at);
	count_bytes(metrics, tier, bytes, 0);
}

/* What nobody can ask for any more: twice the window and an hour before the newest line. */
static int64_t oldest_of_use(const struct metrics *metrics, enum tier tier)
{
	const struct slots *all = &metrics->all.slots[tier];

	if (!all->n)
		return INT64_MIN;
	return all->at[all->n - 1].number - tier_info[tier].slots -
	       AHEAD_S / tier_info[tier].seconds;
}

int64_t tier_begins(const struct metrics *metrics, enum tier tier)
{
	int64_t kept = metrics->kept[tier] ? slot_number(tier, metrics->kept[tier]) : INT64_MIN;
	int64_t oldest = oldest_of_use(metrics, tier);

	return kept > oldest ? kept : oldest;
}

/*
 * The array is full: the oldest go, many at a time, as the others have to move. Returns how many
 * went.
 */
static uint32_t let_go(struct metrics *metrics, struct slots *slots, enum tier tier)
{
	uint32_t old = slots_find(slots, oldest_of_use(metrics, tier));
	uint32_t enough = slots->n / 8;

	if (old < enough && slots->n < most_slots(metrics, tier))
		return 0;
	/* There is no more room than that: what could still be asked for has to go, too. */
	if (old < enough) {
		old = slots->n - tier_info[tier].slots;
		is_gone(metrics, tier, slots->at[old - 1].number);
	}
	drop(metrics, slots, tier, old);
	return old;
}

static int grow(struct metrics *metrics, struct slots *slots, enum tier tier)
{
	uint32_t size = slots->size ? slots->size + slots->size / 2 : SLOTS_AT_FIRST;
	struct slot *at;

	if (size > most_slots(metrics, tier))
		size = most_slots(metrics, tier);
	at = realloc(slots->at, size * sizeof *at);
	if (!at)
		return -ENOMEM;
	count_bytes(
		metrics, tier, heap_bytes(slots->size * sizeof *at), heap_bytes(size * sizeof *at));
	slots->at = at;
	slots->size = size;
	return 0;
}

/* The slot before is done with, most likely. */
static void shrink(struct metrics *metrics, struct slots *slots, enum tier tier, uint32_t i)
{
	size_t before;

	if (i == 0 || slots->at[i - 1].size == 0)
		return;
	before = slot_bytes(&slots->at[i - 1]);
	slot_shrink(&slots->at[i - 1]);
	count_bytes(metrics, tier, before, slot_bytes(&slots->at[i - 1]));
}

/*
 * The slot of that number, made if it is not there; valid until the next one is made. 1; 0: it is
 * older than what is kept; -ENOMEM.
 */
static int make(struct metrics *metrics, struct slots *slots, enum tier tier, int64_t number,
	struct slot **slot)
{
	uint32_t i = slots_find(slots, number);

	if (i == slots->n || slots->at[i].number != number) {
		if (number < tier_begins(metrics, tier))
			return 0;
		if (slots->n == slots->size) {
			uint32_t gone = slots->n ? let_go(metrics, slots, tier) : 0;

			if (i < gone)
				return 0;
			i -= gone;
		}
		if (slots->n == slots->size && grow(metrics, slots, tier) < 0)
			return -ENOMEM;
		shrink(metrics, slots, tier, i);
		memmove(slots->at + i + 1, slots->at + i, (slots->n - i) * sizeof *slots->at);
		slots->at[i] = (struct slot){.number = number};
		slots->n++;
	}
	*slot = &slots->at[i];
	return 1;
}

/* Makes room in a slot. 0 or -ENOMEM. */
static int make_room(
	struct metrics *metrics, enum tier tier, struct slot *slot, const struct lines *lines)
{
	size_t before;
	int result;

	if (slot_has_room(slot, lines))
		return 0;
	before = slot_bytes(slot);
	result = slot_reserve(slot, lines);
	count_bytes(metrics, tier, before, slot_bytes(slot));
	return result;
}

/* In that tier and the coarser ones, of the series and of all. */
static int count_everywhere(struct metrics *metrics, struct series *series, enum tier tier,
	wall_t at, const struct lines *lines)
{
	struct series *of[] = {series, &metrics->all};
	struct slot *slot[2 * TIER_COUNT];
	int n = 0;

	/* Everywhere there is room, or it is counted nowhere. */
	for (; tier < TIER_COUNT; tier++) {
		int64_t number = slot_number(tier, at);

		for (int i = 0; i < 2; i++) {
			struct slots *slots = &of[i]->slots[tier];
			int result = 1;

			if (slots->n && slots->at[slots->n - 1].number == number)
				slot[n] = &slots->at[slots->n - 1];
			else
				result = make(metrics, slots, tier, number, &slot[n]);

			if (result > 0)
				result = make_room(metrics, tier, slot[n++], lines);
			if (result < 0)
				return result;
		}
	}
	for (int i = 0; i < n; i++)
		slot_add(slot[i], lines);
	return 0;
}

static int count_once(struct metrics *metrics, struct series *series, enum tier tier, wall_t at,
	const struct lines *lines)
{
	struct slot *slot;
	int result = make(metrics, &series->slots[tier], tier, slot_number(tier, at), &slot);

	if (result <= 0)
		return result;
	result = make_room(metrics, tier, slot, lines);
	if (result == 0)
		slot_add(slot, lines);
	return result;
}

/* By which tier a line of that time is sent. */
static enum tier tier_sent(const struct metrics *metrics, wall_t at)
{
	enum tier tier = 0;

	while (tier + 1 < TIER_COUNT && at < metrics->sent[tier] * NS_PER_S)
		tier++;
	return tier;
}

int slots_count(struct metrics *metrics, struct series *series, enum tier tier, wall_t at,
	const struct lines *lines)
{
	if (metrics->mode == METRICS_SAMPLES)
		return count_once(
			metrics, series, lines->tally ? tier : tier_sent(metrics, at), at, lines);
	return count_everywhere(metrics, series, tier, at, lines);
}

static void release(struct metrics *metrics, struct slots *slots, enum tier tier)
{
	drop(metrics, slots, tier, slots->n);
	count_bytes(metrics, tier, heap_bytes(slots->size * sizeof *slots->at), 0);
	free(slots->at);
	*slots = (struct slots){0};
}

void slots_release(struct metrics *metrics, struct series *series)
{
	for (enum tier tier = 0; tier < TIER_COUNT; tier++)
		release(metrics, &series->slots[tier], tier);
}

/* Moves what is in a slot to that of another series. */
static int move(struct metrics *metrics, struct series *to, enum tier tier, struct slot *from)
{
	struct tally tally = {0};
	struct lines lines = {.tally = &tally};
	size_t before = slot_bytes(from);
	struct slot *slot;
	int result = make(metrics, &to->slots[tier], tier, from->number, &slot);

	if (result > 0 && slot_is_empty(slot)) {
		count_bytes(metrics, tier, slot_bytes(slot), before);
		slot_release(slot);
		*slot = *from;
		*from = (struct slot){.number = from->number};
	} else if (result > 0) {
		result = slot_tally(from, &tally);
		if (result == 0)
			result = make_room(metrics, tier, slot, &lines);
		if (result == 0)
			slot_add(slot, &lines);
		tally_release(&tally);
	}
	if (result < 0)
		return result;
	slot_release(from);
	count_bytes(metrics, tier, before, 0);
	return 0;
}

int slots_move(struct metrics *metrics, struct series *to, struct series *from)
{
	for (enum tier tier = 0; tier < TIER_COUNT; tier++) {
		struct slots *slots = &from->slots[tier];

		/* From the end: what is moved goes, and what is not stays whole. */
		while (slots->n) {
			if (move(metrics, to, tier, &slots->at[slots->n - 1]) < 0)
				return -ENOMEM;
			slots->n--;
		}
	}
	return 0;
}

/* Takes no more memory than it needs. */
static void shrink_all(struct metrics *metrics, struct slots *slots, enum tier tier)
{
	uint32_t size = slots->n > SLOTS_AT_FIRST ? slots->n : SLOTS_AT_FIRST;
	struct slot *at;

	if (size >= slots->size)
		return;
	at = realloc(slots->at, size * sizeof *at);
	if (!at)
		return;
	count_bytes(
		metrics, tier, heap_bytes(slots->size * sizeof *at), heap_bytes(size * sizeof *at));
	slots->at = at;
	slots->size = size;
}

/* Everything before that number goes. */
static void cut(struct metrics *metrics, struct series *series, enum tier tier, int64_t number)
{
	struct slots *slots = &series->slots[tier];

	drop(metrics, slots, tier, slots_find(slots, number));
	shrink_all(metrics, slots, tier);
}

bool slots_drop_oldest(struct metrics *metrics)
{
	enum tier most = TIER_COUNT;
	int64_t first, last, number;

	for (enum tier tier = 0; tier < TIER_COUNT; tier++)
		if (metrics->all.slots[tier].n > 1 &&
			(most == TIER_COUNT ||
				metrics->tier_bytes[tier] > metrics->tier_bytes[most]))
			most = tier;
	if (most == TIER_COUNT)
		return false;
	first = metrics->all.slots[most].at[0].number;
	last = metrics->all.slots[most].at[metrics->all.slots[most].n - 1].number;
	/* An eighth of the time, but all gaps at once. */
	number = metrics->all.slots[most].at[1].number;
	if (number < first + (last - first) / 8)
		number = first + (last - first) / 8;
	is_gone(metrics, most, number - 1);
	cut(metrics, &metrics->all, most, number);
	cut(metrics, &metrics->rest, most, number);
	for (struct series *series = metrics->newest; series; series = series->older)
		cut(metrics, series, most, number);
	return true;
}

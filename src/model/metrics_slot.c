/*
 * What happened in one second, minute or hour. Of a few lines each is noted by itself, in 8 bytes;
 * when they become many, they become a tally.
 */
#include "config.h"
#include "model/metrics_private.h"

#include <errno.h>
#include <stdlib.h>

enum {
	NOTES_AT_FIRST = 3, /* malloc(3) gives no less than 24 bytes */
};

/* A note: 44 bits of us, and below them what else there is to know of a line. */
enum {
	NOTE_EVENT = 15,
	NOTE_HAS_VALUE = 16,
	NOTE_IS_SLOW = 32,
	NOTE_VALUE_SHIFT = 20,
	NS_PER_US = 1000,
};

_Static_assert(METRIC_EVENT_COUNT <= NOTE_EVENT + 1, "an event fits into a note");

size_t heap_bytes(size_t size)
{
	if (!size)
		return 0;
	return size <= 24 ? 32 : (size + 8 + 15) / 16 * 16;
}

/* Notes. ns are whole us. */

static uint64_t note_of(int event, int64_t ns, bool is_slow)
{
	uint64_t note = (uint64_t)event | (is_slow ? NOTE_IS_SLOW : 0);

	if (ns < 0)
		return note;
	return (uint64_t)ns / NS_PER_US << NOTE_VALUE_SHIFT | NOTE_HAS_VALUE | note;
}

struct lines line_of(const struct metric *metric)
{
	int64_t ns = tally_value(metric);
	struct lines lines = {0};

	if (ns >= 0) {
		lines.value = histogram_value(ns);
		ns = (int64_t)lines.value.us * NS_PER_US;
	}
	lines.note = note_of(metric->event, ns, tally_is_slow(metric));
	return lines;
}

static enum metric_event event_of(uint64_t note)
{
	return note & NOTE_EVENT;
}

/* ns, or -1. */
static int64_t value_of(uint64_t note)
{
	return note & NOTE_HAS_VALUE ? (int64_t)(note >> NOTE_VALUE_SHIFT) * NS_PER_US : -1;
}

static struct histogram *histogram_of(struct tally *tally, uint64_t note)
{
	return event_of(note) == METRIC_ACQUIRED ? &tally->wait : &tally->hold;
}

bool tally_has_room(const struct tally *tally, const struct lines *lines)
{
	return !(lines->note & NOTE_HAS_VALUE) ||
	       histogram_has_room(histogram_of((struct tally *)tally, lines->note));
}

int tally_reserve(struct tally *tally, const struct lines *lines)
{
	if (!(lines->note & NOTE_HAS_VALUE))
		return 0;
	return histogram_reserve(histogram_of(tally, lines->note), 1, 1);
}

void tally_add_line(struct tally *tally, const struct lines *lines)
{
	if (lines->note & NOTE_HAS_VALUE)
		histogram_add_value(histogram_of(tally, lines->note), &lines->value);
	tally_count(tally, event_of(lines->note), 1, lines->note & NOTE_IS_SLOW ? 1 : 0);
}

static const uint64_t *notes(const struct slot *slot)
{
	return slot->size ? slot->note : &slot->one;
}

/* Adds the notes to a tally. 0 or -ENOMEM: none is. */
static int add_notes(struct tally *tally, const struct slot *slot)
{
	uint32_t waits = 0, holds = 0;

	for (int i = 0; i < slot->n; i++)
		if (notes(slot)[i] & NOTE_HAS_VALUE)
			++*(event_of(notes(slot)[i]) == METRIC_ACQUIRED ? &waits : &holds);
	if (histogram_reserve(&tally->wait, waits, waits) < 0 ||
		histogram_reserve(&tally->hold, holds, holds) < 0)
		return -ENOMEM;
	for (int i = 0; i < slot->n; i++) {
		struct lines lines = {
			.note = notes(slot)[i], .value = histogram_value(value_of(notes(slot)[i]))};

		tally_add_line(tally, &lines);
	}
	return 0;
}

static int reserve_notes(struct slot *slot, size_t more)
{
	size_t want = slot->n + more;
	size_t size = slot->size ? slot->size * 2u + 1 : NOTES_AT_FIRST;
	uint64_t *note;

	if (want <= 1 || want <= slot->size)
		return 0;
	if (size < want)
		size = want | 1;
	if (size > NOTES_MAX)
		size = NOTES_MAX;
	note = realloc(slot->size ? slot->note : NULL, size * sizeof *note);
	if (!note)
		return -ENOMEM;
	if (!slot->size)
		note[0] = slot->one;
	slot->note = note;
	slot->size = (uint16_t)size;
	return 0;
}

static void add_note(struct slot *slot, uint64_t note)
{
	if (slot->size)
		slot->note[slot->n] = note;
	else
		slot->one = note;
	slot->n++;
}

/* Makes a tally of the notes. */
static int become_tally(struct slot *slot)
{
	struct tally *tally;

	if (is_tally(slot))
		return 0;
	tally = calloc(1, sizeof *tally);
	if (!tally)
		return -ENOMEM;
	if (add_notes(tally, slot) < 0) {
		tally_release(tally);
		free(tally);
		return -ENOMEM;
	}
	if (slot->size)
		free(slot->note);
	slot->tally = tally;
	slot->size = SLOT_IS_TALLY;
	slot->n = 0;
	return 0;
}

/* A tally of a few lines as notes: the same, if no bucket has two different values. */

static bool is_each_known(const struct histogram *histogram)
{
	uint64_t sum = 0, times;
	int64_t ns;

	for (size_t i = 0; histogram_cell(histogram, i, &ns, &times); i++)
		sum += (uint64_t)ns / NS_PER_US * times;
	return sum == histogram->sum;
}

/* How many notes it would be; NOTES_MAX + 1: it has to stay a tally. */
static size_t notes_of(const struct tally *tally)
{
	const uint32_t *count = tally->count;
	uint64_t lines = tally_lines(tally);

	if (lines > NOTES_MAX || tally->slow > lines ||
		tally->wait.count > count[METRIC_ACQUIRED] ||
		tally->hold.count > (uint64_t)count[METRIC_RELEASED] + count[METRIC_LOST] ||
		!is_each_known(&tally->wait) || !is_each_known(&tally->hold))
		return NOTES_MAX + 1;
	return (size_t)lines;
}

/* Where one is in the values of a histogram. */
struct values {
	const struct histogram *histogram;
	size_t i;
	uint64_t used; /* of that cell */
};

/* The next value, -1 when all are used. */
static int64_t next_value(struct values *values)
{
	uint64_t times;
	int64_t ns;

	if (!histogram_cell(values->histogram, values->i, &ns, &times))
		return -1;
	if (++values->used == times) {
		values->i++;
		values->used = 0;
	}
	return ns;
}

static void add_as_notes(struct slot *slot, const struct tally *tally)
{
	struct values wait = {.histogram = &tally->wait}, hold = {.histogram = &tally->hold};
	uint32_t slow = tally->slow;

	for (int event = 0; event < METRIC_EVENT_COUNT; event++) {
		for (uint32_t i = 0; i < tally->count[event]; i++) {
			int64_t ns = -1;

			if (event == METRIC_ACQUIRED)
				ns = next_value(&wait);
			else if (event == METRIC_RELEASED || event == METRIC_LOST)
				ns = next_value(&hold);
			/* Which of them were slow does not matter, only how many. */
			add_note(slot, note_of(event, ns, slow > 0));
			slow -= slow > 0;
		}
	}
}

/* Slots. */

static int reserve_line(struct slot *slot, const struct lines *lines)
{
	if (!is_tally(slot) && slot->n < NOTES_MAX)
		return reserve_notes(slot, 1);
	if (become_tally(slot) < 0)
		return -ENOMEM;
	return tally_reserve(slot->tally, lines);
}

static int reserve_tally(struct slot *slot, const struct tally *tally)
{
	const struct histogram *wait = &tally->wait, *hold = &tally->hold;

	if (!is_tally(slot) && slot->n + notes_of(tally) <= NOTES_MAX)
		return reserve_notes(slot, notes_of(tally));
	if (become_tally(slot) < 0 ||
		histogram_reserve(&slot->tally->wait, wait->n, wait->count) < 0 ||
		histogram_reserve(&slot->tally->hold, hold->n, hold->count) < 0)
		return -ENOMEM;
	return 0;
}

bool slot_has_room(const struct slot *slot, const struct lines *lines)
{
	if (lines->tally)
		return false;
	if (!is_tally(slot))
		return slot->n < (slot->size ? slot->size : 1);
	return tally_has_room(slot->tally, lines);
}

int slot_reserve(struct slot *slot, const struct lines *lines)
{
	return lines->tally ? reserve_tally(slot, lines->tally) : reserve_line(slot, lines);
}

void slot_add(struct slot *slot, const struct lines *lines)
{
	if (lines->tally && is_tally(slot))
		tally_merge(slot->tally, lines->tally);
	else if (lines->tally)
		add_as_notes(slot, lines->tally);
	else if (is_tally(slot))
		tally_add_line(slot->tally, lines);
	else
		add_note(slot, lines->note);
}

int slot_tally(const struct slot *slot, struct tally *into)
{
	return is_tally(slot) ? tally_merge(into, slot->tally) : add_notes(into, slot);
}

bool slot_is_empty(const struct slot *slot)
{
	return is_tally(slot) ? tally_is_empty(slot->tally) : slot->n == 0;
}

size_t slot_values(const struct slot *slot)
{
	return is_tally(slot) ? slot->tally->wait.n + slot->tally->hold.n : slot->n;
}

void slot_shrink(struct slot *slot)
{
	uint64_t *note;

	if (is_tally(slot)) {
		histogram_shrink(&slot->tally->wait);
		histogram_shrink(&slot->tally->hold);
	} else if (slot->size > slot->n && slot->size > NOTES_AT_FIRST) {
		note = realloc(slot->note, (slot->n | 1u) * sizeof *note);
		if (!note)
			return;
		slot->note = note;
		slot->size = (uint16_t)(slot->n | 1u);
	}
}

size_t slot_bytes(const struct slot *slot)
{
	if (is_tally(slot))
		return heap_bytes(sizeof *slot->tally) + tally_bytes(slot->tally);
	return heap_bytes(slot->size * sizeof *slot->note);
}

void slot_release(struct slot *slot)
{
	if (is_tally(slot)) {
		tally_release(slot->tally);
		free(slot->tally);
	} else if (slot->size) {
		free(slot->note);
	}
	slot->n = slot->size = 0;
}

/* Sums of many. */

int slot_sum_init(struct slot_sum *sum)
{
	*sum = (struct slot_sum){.wait = histogram_sum_new(), .hold = histogram_sum_new()};
	if (sum->wait && sum->hold)
		return 0;
	slot_sum_release(sum);
	return -ENOMEM;
}

void slot_sum_release(struct slot_sum *sum)
{
	histogram_sum_free(sum->wait);
	histogram_sum_free(sum->hold);
	*sum = (struct slot_sum){0};
}

void slot_sum_clear(struct slot_sum *sum)
{
	histogram_sum_clear(sum->wait);
	histogram_sum_clear(sum->hold);
	sum->events = (struct tally){0};
}

void slot_sum_add(struct slot_sum *sum, const struct slot *slot)
{
	if (is_tally(slot)) {
		histogram_sum_merge(sum->wait, &slot->tally->wait);
		histogram_sum_merge(sum->hold, &slot->tally->hold);
		for (int i = 0; i < METRIC_EVENT_COUNT; i++)
			tally_count(&sum->events, i, slot->tally->count[i], 0);
		tally_count(&sum->events, 0, 0, slot->tally->slow);
		return;
	}
	for (int i = 0; i < slot->n; i++) {
		uint64_t note = notes(slot)[i];

		if (note & NOTE_HAS_VALUE)
			histogram_sum_add(event_of(note) == METRIC_ACQUIRED ? sum->wait : sum->hold,
				value_of(note), 1);
		tally_count(&sum->events, event_of(note), 1, note & NOTE_IS_SLOW ? 1 : 0);
	}
}

int slot_sum_into(const struct slot_sum *sum, struct tally *into)
{
	/* The two sums as a tally: it is added as a whole, or not at all. */
	struct tally tally = sum->events;
	int result = histogram_sum_into(sum->wait, &tally.wait);

	if (result == 0)
		result = histogram_sum_into(sum->hold, &tally.hold);
	if (result == 0)
		result = tally_merge(into, &tally);
	tally_release(&tally);
	return result;
}

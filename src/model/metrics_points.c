/* Windows and columns of what the slots have. */
#include "config.h"
#include "model/metrics_private.h"

#include <errno.h>

enum { LITTLE = 200 };

const struct window_info window_info[WINDOW_COUNT] = {
#define _(id, word, help, seconds, tier) [WINDOW_##id] = {word, help, (seconds)*NS_PER_S, tier},
	WINDOWS(_)
#undef _
};

/* Adds the slots from `first` up to, but not with, `end`. */
static void add_slots(const struct series_set *set, enum tier tier, int64_t first, int64_t end,
	struct slot_sum *sum)
{
	for (size_t k = 0; k < set->n; k++) {
		const struct slots *slots = &set->at[k]->slots[tier];

		for (uint32_t i = slots_find(slots, first);
			i < slots->n && slots->at[i].number < end; i++)
			slot_sum_add(sum, &slots->at[i]);
	}
}

/* Are there so few values that they are sooner added one by one than a sum is made for them? */
static bool is_little(const struct series_set *set, enum tier tier, int64_t first, int64_t end)
{
	size_t values = 0;

	for (size_t k = 0; k < set->n; k++) {
		const struct slots *slots = &set->at[k]->slots[tier];

		for (uint32_t i = slots_find(slots, first);
			i < slots->n && slots->at[i].number < end && values <= LITTLE; i++)
			values += slot_values(&slots->at[i]);
	}
	return values <= LITTLE;
}

static int add_each(const struct series_set *set, enum tier tier, int64_t first, int64_t end,
	struct tally *into)
{
	for (size_t k = 0; k < set->n; k++) {
		const struct slots *slots = &set->at[k]->slots[tier];

		for (uint32_t i = slots_find(slots, first);
			i < slots->n && slots->at[i].number < end; i++)
			if (slot_tally(&slots->at[i], into) < 0)
				return -ENOMEM;
	}
	return 0;
}

static int add_up(const struct series_set *set, enum tier tier, int64_t first, int64_t end,
	struct tally *into)
{
	struct slot_sum sum;
	int result;

	if (is_little(set, tier, first, end))
		return add_each(set, tier, first, end, into);
	result = slot_sum_init(&sum);
	if (result < 0)
		return result;
	add_slots(set, tier, first, end, &sum);
	result = slot_sum_into(&sum, into);
	slot_sum_release(&sum);
	return result;
}

int series_tally(
	const struct series_set *set, enum tier tier, wall_t from, wall_t to, struct tally *into)
{
	int64_t first = slot_number(tier, from), end = slot_number(tier, to);

	if (!from && !to) {
		for (size_t k = 0; k < set->n; k++)
			if (tally_merge(into, &set->at[k]->total) < 0)
				return -ENOMEM;
		return add_up(set, tier, INT64_MIN, INT64_MAX, into);
	}
	/* A slot that began before `from` is not in it, one that begins before `to` is. */
	first += slot_begins(tier, first) < from;
	end += slot_begins(tier, end) < to;
	return add_up(set, tier, first, end, into);
}

/* The slots of a window. */
struct span {
	enum tier tier;
	int64_t first;
	int64_t n;
};

static struct span span_of(enum window window, wall_t at)
{
	const struct window_info *info = &window_info[window];
	struct span span = {.tier = info->tier};

	span.n = info->length / (tier_info[span.tier].seconds * NS_PER_S);
	span.first = slot_number(span.tier, at) - span.n + 1;
	return span;
}

int series_window(const struct series_set *set, enum window window, wall_t at, struct tally *into)
{
	struct span span = span_of(window, at);

	return add_up(set, span.tier, span.first, span.first + span.n, into);
}

static void fill_point(struct point *point, const struct slot_sum *sum)
{
	const uint32_t *count = sum->events.count;

	point->wait = histogram_sum_percentiles(sum->wait);
	point->hold = histogram_sum_percentiles(sum->hold);
	point->acquired = count[METRIC_ACQUIRED];
	point->failed = tally_failed(&sum->events);
	point->stale = count[METRIC_STALE];
	point->slow = sum->events.slow;
	point->marks = (count[METRIC_RELEASED_STALE] ? MARK_RELEASED : 0u) |
		       (count[METRIC_FORCED] || count[METRIC_SIGNALLED] ? MARK_FORCED : 0u) |
		       (count[METRIC_TAKEN_OVER] ? MARK_TAKEN_OVER : 0u) |
		       (count[METRIC_LOST] ? MARK_LOST : 0u);
}

/* The first slot of the window that begins in column i of n, or in a later one. */
static int64_t first_of_column(const struct span *span, size_t i, size_t n)
{
	return ((int64_t)i * span->n + (int64_t)n - 1) / (int64_t)n;
}

int series_points(
	const struct series_set *set, enum window window, wall_t at, struct point *point, size_t n)
{
	struct span span = span_of(window, at);
	wall_t begins = slot_begins(span.tier, span.first);
	int64_t length = window_info[window].length, done = -1;
	struct slot_sum sum;
	int result = slot_sum_init(&sum);

	for (size_t i = 0; i < n && result == 0; i++) {
		int64_t first = first_of_column(&span, i, n),
			end = first_of_column(&span, i + 1, n);

		if (span.n < (int64_t)n) {
			first = (int64_t)i * span.n / (int64_t)n;
			end = first + 1;
		}
		if (first == done) {
			point[i] = point[i - 1];
		} else {
			slot_sum_clear(&sum);
			add_slots(set, span.tier, span.first + first, span.first + end, &sum);
			fill_point(&point[i], &sum);
			done = first;
		}
		point[i].from = begins + length * (int64_t)i / (int64_t)n;
		point[i].to = begins + length * ((int64_t)i + 1) / (int64_t)n;
	}
	slot_sum_release(&sum);
	return result;
}

wall_t series_known_from(const struct metrics *metrics, enum window window, wall_t at)
{
	struct span span = span_of(window, at);
	int64_t begins = tier_begins(metrics, span.tier);

	return begins > span.first ? slot_begins(span.tier, begins) : 0;
}

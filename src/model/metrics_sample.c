/* Slots that travel from the process which reads a log to the monitor. */
#include "config.h"
#include "model/metrics_private.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

void sample_release(struct sample *sample)
{
	free(sample->source);
	free(sample->lock);
	free(sample->backend);
	tally_release(&sample->tally);
	*sample = (struct sample){0};
}

/* Coming in. */

static enum tier tier_of(const struct sample *sample)
{
	enum tier tier = 0;

	while (tier < TIER_COUNT && tier_info[tier].seconds != sample->seconds)
		tier++;
	return tier;
}

/* The finer tiers will not get what is in it. */
static void finer_is_unknown(struct metrics *metrics, enum tier tier, const struct sample *sample)
{
	wall_t end = (sample->from + sample->seconds) * NS_PER_S;

	while (tier-- > 0)
		if (metrics->kept[tier] < end)
			metrics->kept[tier] = end;
}

int metrics_add_sample(struct metrics *metrics, const struct sample *sample)
{
	enum tier tier = tier_of(sample);
	struct lines lines = {.tally = &sample->tally};
	struct series *series;

	if (tier == TIER_COUNT || sample->from % sample->seconds ||
		sample->from > INT64_MAX / NS_PER_S - 3600 ||
		sample->from < INT64_MIN / NS_PER_S + 3600)
		return -EINVAL;
	series = metrics_series(metrics, sample->source, sample->lock, sample->backend);
	if (!series || slots_count(metrics, series, tier, sample->from * NS_PER_S, &lines) < 0)
		return -ENOMEM;
	for (int i = 0; i < WAITED_FOR_MAX && sample->waited[i].times; i++) {
		waited_add(series->waited, &sample->waited[i]);
		waited_add(metrics->all.waited, &sample->waited[i]);
	}
	if (metrics->mode == METRICS_SERIES)
		finer_is_unknown(metrics, tier, sample);
	series_touch(series, sample->from * NS_PER_S, sample->last);
	series_touch(&metrics->all, sample->from * NS_PER_S, sample->last);
	metrics->lines += tally_lines(&sample->tally);
	metrics->changes++;
	metrics_bound(metrics);
	return 0;
}

/* Going out. */

struct way {
	const struct metrics *metrics;
	int (*fn)(void *data, const struct sample *sample);
	void *data;
	int64_t first[TIER_COUNT]; /* s from when on a tier is sent, up to that of the finer one */
};

/*
 * From when on each tier is whole. A finer one begins where a slot of the coarser one does, so that
 * no line is in both.
 */
static void plan(const struct metrics *metrics, wall_t now, int64_t sent[TIER_COUNT])
{
	for (enum tier tier = TIER_COUNT; tier-- > 0;) {
		int64_t seconds = tier_info[tier].seconds;
		int64_t first = slot_number(tier, now) - tier_info[tier].slots + 1;
		int64_t known = tier_begins(metrics, tier);
		int64_t coarser = tier + 1 < TIER_COUNT ? tier_info[tier + 1].seconds : seconds;

		if (first < known)
			first = known;
		first = (first * seconds + coarser - 1) / coarser * coarser;
		/* Of a tier that is known for less than a finer one, nothing is sent. */
		if (tier + 2 < TIER_COUNT && first < sent[tier + 1])
			first = sent[tier + 1];
		sent[tier] = first;
	}
}

void metrics_expect(struct metrics *metrics, wall_t now)
{
	plan(metrics, now, metrics->sent);
}

static bool is_sent(const struct way *way, enum tier tier, const struct slot *slot)
{
	int64_t from = slot->number * tier_info[tier].seconds;

	if (slot_is_empty(slot))
		return false;
	if (way->metrics->mode == METRICS_SAMPLES)
		return true;
	if (tier + 1 < TIER_COUNT && from < way->first[tier])
		return false;
	for (enum tier finer = 0; finer < tier; finer++)
		if (from >= way->first[finer])
			return false;
	return true;
}

static wall_t last_of(const struct series *series, enum tier tier, const struct slot *slot)
{
	wall_t end = slot_begins(tier, slot->number + 1) - 1;

	return series->last < end ? series->last : end;
}

static int send_slot(const struct way *way, const struct series *series, enum tier tier,
	const struct slot *slot, bool is_first)
{
	struct sample sample = {
		.source = series->source,
		.lock = series->lock,
		.backend = series->backend,
		.from = slot->number * tier_info[tier].seconds,
		.seconds = (int32_t)tier_info[tier].seconds,
		.last = last_of(series, tier, slot),
	};
	int result = slot_tally(slot, &sample.tally);

	if (is_first)
		memcpy(sample.waited, series->waited, sizeof sample.waited);
	if (result == 0)
		result = way->fn(way->data, &sample);
	tally_release(&sample.tally);
	return result;
}

static int send_series(const struct way *way, const struct series *series)
{
	bool is_first = true;

	for (enum tier tier = TIER_COUNT; tier-- > 0;) {
		const struct slots *slots = &series->slots[tier];

		for (uint32_t i = 0; i < slots->n; i++) {
			int result;

			if (!is_sent(way, tier, &slots->at[i]))
				continue;
			result = send_slot(way, series, tier, &slots->at[i], is_first);
			if (result)
				return result;
			is_first = false;
		}
	}
	return 0;
}

int metrics_each_sample(const struct metrics *metrics, wall_t now,
	int (*fn)(void *data, const struct sample *sample), void *data)
{
	struct way way = {.metrics = metrics, .fn = fn, .data = data};
	int result;

	plan(metrics, now, way.first);
	result = send_series(&way, &metrics->rest);
	/* The longest unused first: they will be so at the other end. */
	for (const struct series *series = metrics->oldest; series && !result;
		series = series->newer)
		result = send_series(&way, series);
	return result;
}

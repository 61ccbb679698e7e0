/* What happened in a span of time, counted. */
#include "config.h"
#include "model/metrics_private.h"

#include <errno.h>

#include "base/clock.h"

#define SLOW_WAIT NS_PER_S

static uint32_t add_up_to_most(uint32_t a, uint32_t b)
{
	return a + b < a ? UINT32_MAX : a + b;
}

bool tally_is_slow(const struct metric *metric)
{
	return metric->wait > SLOW_WAIT &&
	       (metric->event == METRIC_ACQUIRED || metric->event == METRIC_TIMEOUT);
}

int64_t tally_value(const struct metric *metric)
{
	switch (metric->event) {
	case METRIC_ACQUIRED: return metric->wait < 0 ? -1 : metric->wait;
	case METRIC_RELEASED:
	case METRIC_LOST: return metric->hold < 0 ? -1 : metric->hold;
	default: return -1;
	}
}

void tally_count(struct tally *tally, int event, uint32_t times, uint32_t slow)
{
	tally->count[event] = add_up_to_most(tally->count[event], times);
	tally->slow = add_up_to_most(tally->slow, slow);
}

int tally_add(struct tally *tally, const struct metric *metric)
{
	int64_t ns = tally_value(metric);

	if (ns >= 0 && histogram_add(metric->event == METRIC_ACQUIRED ? &tally->wait : &tally->hold,
			       ns, 1) < 0)
		return -ENOMEM;
	tally_count(tally, metric->event, 1, tally_is_slow(metric));
	return 0;
}

int tally_merge(struct tally *into, const struct tally *from)
{
	/* If the second fails, nothing may have been added to the first. */
	if (histogram_reserve(&into->hold, from->hold.n, from->hold.count) < 0 ||
		histogram_merge(&into->wait, &from->wait) < 0 ||
		histogram_merge(&into->hold, &from->hold) < 0)
		return -ENOMEM;
	for (int i = 0; i < METRIC_EVENT_COUNT; i++)
		tally_count(into, i, from->count[i], 0);
	tally_count(into, 0, 0, from->slow);
	return 0;
}

void tally_clear(struct tally *tally)
{
	struct histogram wait = tally->wait, hold = tally->hold;

	histogram_clear(&wait);
	histogram_clear(&hold);
	*tally = (struct tally){.wait = wait, .hold = hold};
}

void tally_release(struct tally *tally)
{
	histogram_release(&tally->wait);
	histogram_release(&tally->hold);
	*tally = (struct tally){0};
}

bool tally_is_empty(const struct tally *tally)
{
	return tally_lines(tally) == 0;
}

uint64_t tally_attempts(const struct tally *tally)
{
	return tally->count[METRIC_ACQUIRED] + tally_failed(tally);
}

uint64_t tally_failed(const struct tally *tally)
{
	return (uint64_t)tally->count[METRIC_BUSY] + tally->count[METRIC_TIMEOUT];
}

uint64_t tally_lines(const struct tally *tally)
{
	uint64_t lines = 0;

	for (int i = 0; i < METRIC_EVENT_COUNT; i++)
		lines += tally->count[i];
	return lines;
}

size_t tally_bytes(const struct tally *tally)
{
	return histogram_bytes(&tally->wait) + histogram_bytes(&tally->hold);
}

/* What happened in a span of time, counted. */
#include "config.h"
#include "model/metrics.h"

#include <errno.h>

#include "base/clock.h"

#define SLOW_WAIT NS_PER_S

static uint32_t add_up_to_most(uint32_t a, uint32_t b)
{
	return a + b < a ? UINT32_MAX : a + b;
}

static bool is_slow(const struct metric *metric)
{
	return metric->wait > SLOW_WAIT &&
	       (metric->event == METRIC_ACQUIRED || metric->event == METRIC_TIMEOUT);
}

int tally_add(struct tally *tally, const struct metric *metric)
{
	int result = 0;

	if (metric->event == METRIC_ACQUIRED && metric->wait >= 0)
		result = histogram_add(&tally->wait, metric->wait, 1);
	else if ((metric->event == METRIC_RELEASED || metric->event == METRIC_LOST) &&
		 metric->hold >= 0)
		result = histogram_add(&tally->hold, metric->hold, 1);
	if (result < 0)
		return result;
	tally->count[metric->event] = add_up_to_most(tally->count[metric->event], 1);
	tally->slow = add_up_to_most(tally->slow, is_slow(metric));
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
		into->count[i] = add_up_to_most(into->count[i], from->count[i]);
	into->slow = add_up_to_most(into->slow, from->slow);
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
	for (int i = 0; i < METRIC_EVENT_COUNT; i++)
		if (tally->count[i])
			return false;
	return true;
}

uint64_t tally_attempts(const struct tally *tally)
{
	return tally->count[METRIC_ACQUIRED] + tally_failed(tally);
}

uint64_t tally_failed(const struct tally *tally)
{
	return (uint64_t)tally->count[METRIC_BUSY] + tally->count[METRIC_TIMEOUT];
}

/* What is counted, as JSON. */
#include "config.h"
#include "model/metrics.h"

static int set(json_t *object, const char *key, json_t *value)
{
	return json_object_set_new(object, key, value);
}

/* A sum or a value in ms; what is not known is null. */
static json_t *ms(int64_t ns)
{
	/* ns are whole us: of a double's 17 digits, the three decimals are exact. */
	return ns < 0 ? json_null() : json_real((double)(ns / 1000) / 1000);
}

json_t *percentiles_to_json(const struct percentiles *percentiles)
{
	json_t *object = json_object();

	if (set(object, "n", json_integer((json_int_t)percentiles->n)) < 0 ||
		set(object, "p50", ms(percentiles->p50)) < 0 ||
		set(object, "p95", ms(percentiles->p95)) < 0 ||
		set(object, "p99", ms(percentiles->p99)) < 0 ||
		set(object, "max", ms(percentiles->max)) < 0 ||
		(percentiles->n < PERCENTILES_FEW && set(object, "few", json_true()) < 0)) {
		json_decref(object);
		return NULL;
	}
	return object;
}

static json_t *count(uint64_t n)
{
	return json_integer((json_int_t)n);
}

static int set_histogram(json_t *object, const char *key, const struct histogram *histogram)
{
	struct percentiles percentiles = histogram_percentiles(histogram);

	return set(object, key, percentiles_to_json(&percentiles));
}

json_t *tally_to_json(const struct tally *tally)
{
	static const enum metric_event counted[] = {METRIC_ACQUIRED, METRIC_BUSY, METRIC_TIMEOUT,
		METRIC_LOST, METRIC_STALE, METRIC_TAKEN_OVER, METRIC_RELEASED,
		METRIC_RELEASED_STALE, METRIC_FORCED, METRIC_SIGNALLED, METRIC_FALLBACK,
		METRIC_ERROR};
	json_t *object = json_object();
	int failed = set(object, "attempts", count(tally_attempts(tally)));

	failed |= set(object, "failed", count(tally_failed(tally)));
	failed |= set(object, "slow", count(tally->slow));
	for (size_t i = 0; i < sizeof counted / sizeof *counted; i++)
		failed |=
			set(object, metric_event_word(counted[i]), count(tally->count[counted[i]]));
	failed |= set_histogram(object, "wait_ms", &tally->wait);
	failed |= set_histogram(object, "hold_ms", &tally->hold);
	if (failed) {
		json_decref(object);
		return NULL;
	}
	return object;
}

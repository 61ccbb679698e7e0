/* Finds the series that a line belongs to, and counts it there. */
#include "config.h"
#include "model/metrics_private.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"

enum {
	ADDRESS_MAX = 4096,
	BUCKETS_AT_FIRST = 64,
	SERIES_MAX_IN_SERIES = 512,
	SERIES_MAX_IN_TOTALS = 20000,
};

#define BYTES_MAX_IN_SERIES ((size_t)24 << 20)
#define BYTES_MAX_IN_TOTALS ((size_t)40 << 20)

/* The table. */

static int grow_table(struct metrics *metrics)
{
	size_t buckets = metrics->buckets ? metrics->buckets * 2 : BUCKETS_AT_FIRST;
	struct series **bucket;

	if (metrics->series < metrics->buckets)
		return 0;
	bucket = calloc(buckets, sizeof *bucket);
	if (!bucket)
		return -ENOMEM;
	for (struct series *series = metrics->newest; series; series = series->older) {
		series->next = bucket[series->hash & (buckets - 1)];
		bucket[series->hash & (buckets - 1)] = series;
	}
	metrics->bytes += heap_bytes(buckets * sizeof *bucket) -
			  heap_bytes(metrics->buckets * sizeof *bucket);
	free(metrics->bucket);
	metrics->bucket = bucket;
	metrics->buckets = buckets;
	return 0;
}

static struct series **place_of(const struct metrics *metrics, uint64_t hash)
{
	return &metrics->bucket[hash & (metrics->buckets - 1)];
}

static struct series *look_up(const struct metrics *metrics, const char *address, uint64_t hash)
{
	struct series *series = metrics->buckets ? *place_of(metrics, hash) : NULL;

	while (series && (series->hash != hash || strcmp(series->address, address) != 0))
		series = series->next;
	return series;
}

const struct series *metrics_find(const struct metrics *metrics, const char *address)
{
	return look_up(metrics, address, text_hash(address, strlen(address), 0));
}

static void take_out(struct metrics *metrics, struct series *series)
{
	struct series **at = place_of(metrics, series->hash);

	while (*at != series)
		at = &(*at)->next;
	*at = series->next;
}

/* By use. */

static void unlink_series(struct metrics *metrics, struct series *series)
{
	*(series->newer ? &series->newer->older : &metrics->newest) = series->older;
	*(series->older ? &series->older->newer : &metrics->oldest) = series->newer;
}

static void link_newest(struct metrics *metrics, struct series *series)
{
	series->newer = NULL;
	series->older = metrics->newest;
	*(metrics->newest ? &metrics->newest->newer : &metrics->oldest) = series;
	metrics->newest = series;
}

static void use(struct metrics *metrics, struct series *series)
{
	if (metrics->newest == series)
		return;
	unlink_series(metrics, series);
	link_newest(metrics, series);
}

/* Series made and forgotten. */

static size_t text_bytes(const char *text)
{
	return text ? heap_bytes(strlen(text) + 1) : 0;
}

/* What it takes of the heap besides its slots. */
static size_t series_bytes(const struct series *series)
{
	return heap_bytes(sizeof *series) + text_bytes(series->address) +
	       text_bytes(series->source) + text_bytes(series->lock) + text_bytes(series->backend) +
	       histogram_bytes(&series->total.wait) + histogram_bytes(&series->total.hold);
}

static void series_release(struct metrics *metrics, struct series *series)
{
	slots_release(metrics, series);
	tally_release(&series->total);
	free(series->address);
	free(series->source);
	free(series->lock);
	free(series->backend);
	*series = (struct series){0};
}

static void series_free(struct metrics *metrics, struct series *series)
{
	if (!series)
		return;
	series_release(metrics, series);
	free(series);
}

/* What one lock's lines said of others goes to the rest. 0 or -ENOMEM: it is not forgotten. */
static int forget(struct metrics *metrics, struct series *series)
{
	if (slots_move(metrics, &metrics->rest, series) < 0)
		return -ENOMEM;
	for (int i = 0; i < WAITED_FOR_MAX && series->waited[i].times; i++)
		waited_add(metrics->rest.waited, &series->waited[i]);
	series_touch(&metrics->rest, series->first, series->last);
	take_out(metrics, series);
	unlink_series(metrics, series);
	metrics->bytes -= series_bytes(series);
	series_free(metrics, series);
	metrics->series--;
	metrics->forgotten++;
	return 0;
}

static char *dup_or_empty(const char *text)
{
	return strdup(text ? text : "");
}

static struct series *series_new(
	const char *address, const char *source, const char *lock, const char *backend)
{
	struct series *series = calloc(1, sizeof *series);

	if (!series)
		return NULL;
	series->address = strdup(address);
	series->source = dup_or_empty(source);
	series->lock = dup_or_empty(lock);
	series->backend = dup_or_empty(backend);
	if (series->address && series->source && series->lock && series->backend)
		return series;
	free(series->address);
	free(series->source);
	free(series->lock);
	free(series->backend);
	free(series);
	return NULL;
}

static struct series *make(struct metrics *metrics, const char *address, uint64_t hash,
	const char *source, const char *lock, const char *backend)
{
	struct series *series, **place;

	if (metrics->series >= metrics->series_max && metrics->oldest &&
		forget(metrics, metrics->oldest) < 0)
		return NULL;
	if (grow_table(metrics) < 0)
		return NULL;
	series = series_new(address, source, lock, backend);
	if (!series)
		return NULL;
	series->hash = hash;
	place = place_of(metrics, hash);
	series->next = *place;
	*place = series;
	link_newest(metrics, series);
	metrics->series++;
	metrics->bytes += series_bytes(series);
	return series;
}

struct series *metrics_series(
	struct metrics *metrics, const char *source, const char *lock, const char *backend)
{
	char address[ADDRESS_MAX];
	struct series *series = metrics->newest;
	uint64_t hash;
	size_t len;

	if (!lock || !*lock)
		return &metrics->rest;
	if (!source)
		source = "";
	if (series && strcmp(series->lock, lock) == 0 && strcmp(series->source, source) == 0)
		return series;
	len = metrics_address(address, sizeof address, source, lock);
	hash = text_hash(address, len, 0);
	series = look_up(metrics, address, hash);
	if (!series)
		return make(metrics, address, hash, source, lock, backend);
	use(metrics, series);
	return series;
}

void series_touch(struct series *series, wall_t first, wall_t last)
{
	if (!first && !last)
		return;
	if (!series->first || first < series->first)
		series->first = first;
	if (!series->last || last > series->last)
		series->last = last;
	series->changes++;
}

int metrics_bound(struct metrics *metrics)
{
	size_t least = metrics->bytes_max - metrics->bytes_max / 16;

	if (metrics->bytes <= metrics->bytes_max)
		return 0;
	while (metrics->bytes > least && slots_drop_oldest(metrics))
		;
	while (metrics->bytes > least && metrics->oldest != metrics->newest)
		if (forget(metrics, metrics->oldest) < 0)
			return -ENOMEM;
	return 0;
}

/* All of it. */

int metrics_init(
	struct metrics *metrics, enum metrics_mode mode, size_t series_max, size_t bytes_max)
{
	bool has_series = mode == METRICS_SERIES;

	*metrics = (struct metrics){.mode = mode};
	metrics->series_max = series_max   ? series_max
			      : has_series ? SERIES_MAX_IN_SERIES
					   : SERIES_MAX_IN_TOTALS;
	metrics->bytes_max = bytes_max    ? bytes_max
			     : has_series ? BYTES_MAX_IN_SERIES
					  : BYTES_MAX_IN_TOTALS;
	return 0;
}

void metrics_clear(struct metrics *metrics)
{
	while (metrics->newest) {
		struct series *series = metrics->newest;

		metrics->newest = series->older;
		series_free(metrics, series);
	}
	series_release(metrics, &metrics->all);
	series_release(metrics, &metrics->rest);
	free(metrics->bucket);
	*metrics = (struct metrics){
		.mode = metrics->mode,
		.series_max = metrics->series_max,
		.bytes_max = metrics->bytes_max,
	};
}

void metrics_release(struct metrics *metrics)
{
	metrics_clear(metrics);
}

/* A line. */

/* Where it is counted: in each tier of its series and of all. */
struct places {
	struct slot *slot[2 * TIER_COUNT];
	enum tier tier[2 * TIER_COUNT];
	int n;
};

static int find_places(struct metrics *metrics, struct series *series, const struct metric *metric,
	struct places *places)
{
	struct series *of[] = {series, &metrics->all};

	places->n = 0;
	for (enum tier tier = 0; tier < TIER_COUNT; tier++) {
		int64_t number = slot_number(tier, metric->ts);

		for (int i = 0; i < 2; i++) {
			struct slot *slot;
			int result = slots_make(metrics, of[i], tier, number, &slot);
			size_t before;

			if (result == 0)
				continue;
			if (result < 0)
				return result;
			before = slot_bytes(slot);
			result = slot_reserve(slot, metric);
			slots_account(metrics, tier, slot, before);
			if (result < 0)
				return result;
			places->slot[places->n] = slot;
			places->tier[places->n++] = tier;
		}
	}
	return 0;
}

static int add_to_slots(struct metrics *metrics, struct series *series, const struct metric *metric)
{
	struct places places;
	int result = find_places(metrics, series, metric, &places);

	if (result < 0)
		return result;
	for (int i = 0; i < places.n; i++) {
		size_t before = slot_bytes(places.slot[i]);

		slot_add(places.slot[i], metric);
		slots_account(metrics, places.tier[i], places.slot[i], before);
	}
	return 0;
}

static size_t total_bytes(const struct series *series)
{
	return histogram_bytes(&series->total.wait) + histogram_bytes(&series->total.hold);
}

static int add_to_total(struct metrics *metrics, struct series *series, const struct metric *metric)
{
	size_t before = total_bytes(series) + total_bytes(&metrics->all);
	int result = 0;

	if (histogram_reserve(&metrics->all.total.wait, 1, 1) < 0 ||
		histogram_reserve(&metrics->all.total.hold, 1, 1) < 0 ||
		tally_add(&series->total, metric) < 0)
		result = -ENOMEM;
	else
		tally_add(&metrics->all.total, metric);
	metrics->bytes += total_bytes(series) + total_bytes(&metrics->all) - before;
	return result;
}

int metrics_add(struct metrics *metrics, const struct metric *metric)
{
	struct series *series =
		metrics_series(metrics, metric->source, metric->lock, metric->backend);
	int result;

	if (!series)
		return -ENOMEM;
	if (metrics->mode == METRICS_SERIES)
		result = add_to_slots(metrics, series, metric);
	else
		result = add_to_total(metrics, series, metric);
	if (result < 0)
		return result;
	waited_add_line(series->waited, metric);
	waited_add_line(metrics->all.waited, metric);
	series_touch(series, metric->ts, metric->ts);
	series_touch(&metrics->all, metric->ts, metric->ts);
	metrics->lines++;
	metrics->changes++;
	return metrics_bound(metrics);
}

static int by_address(const void *a, const void *b)
{
	const struct series *const *left = a, *const *right = b;

	return strcmp((*left)->address, (*right)->address);
}

const struct series **metrics_sorted(const struct metrics *metrics, size_t *n)
{
	const struct series **sorted;
	size_t i = 0;

	*n = metrics->series;
	if (!*n)
		return NULL;
	sorted = malloc(*n * sizeof *sorted);
	if (!sorted)
		return NULL;
	for (const struct series *series = metrics->newest; series; series = series->older)
		sorted[i++] = series;
	qsort(sorted, *n, sizeof *sorted, by_address);
	return sorted;
}

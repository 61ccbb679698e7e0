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

static struct series *look_up(const struct metrics *metrics, const char *address, uint64_t hash)
{
	struct series *series =
		metrics->buckets ? metrics->bucket[hash & (metrics->buckets - 1)] : NULL;

	while (series && (series->hash != hash || strcmp(series->address, address) != 0))
		series = series->next;
	return series;
}

static uint64_t hash_address(const struct metrics *metrics, const char *address, size_t len)
{
	return text_hash(address, len, metrics->seed);
}

const struct series *metrics_find(const struct metrics *metrics, const char *address)
{
	return look_up(metrics, address, hash_address(metrics, address, strlen(address)));
}

/*
 * A second table by a line's two words, so that the address need not be made of them. Its hash
 * takes 8 bytes at a time.
 */

static uint64_t mix(uint64_t hash, uint64_t word)
{
	hash = (hash ^ word) * UINT64_C(0x9e3779b97f4a7c15);
	return hash ^ hash >> 32;
}

static uint64_t mix_text(uint64_t hash, const char *text, size_t len)
{
	uint64_t word = 0;

	hash = mix(hash, len);
	if (len < 8) {
		while (len)
			word = word << 8 | (unsigned char)text[--len];
		return mix(hash, word);
	}
	for (size_t i = 0; i + 8 < len; i += 8) {
		memcpy(&word, text + i, 8);
		hash = mix(hash, word);
	}
	memcpy(&word, text + len - 8, 8); /* some of it once more */
	return mix(hash, word);
}

static uint64_t hash_words(const struct metrics *metrics, const char *source, const char *lock)
{
	uint64_t hash = mix_text(metrics->seed, source, strlen(source));

	return mix_text(hash, lock, strlen(lock));
}

static bool has_words(const struct series *series, const char *source, const char *lock)
{
	return strcmp(series->lock, lock) == 0 && strcmp(series->source, source) == 0;
}

static struct series *look_up_words(
	const struct metrics *metrics, const char *source, const char *lock)
{
	uint64_t hash = hash_words(metrics, source, lock);
	struct series *series =
		metrics->buckets ? metrics->by_words[hash & (metrics->buckets - 1)] : NULL;

	while (series && (series->words_hash != hash || !has_words(series, source, lock)))
		series = series->next_by_words;
	return series;
}

static void put_in(struct metrics *metrics, struct series *series)
{
	struct series **place = &metrics->bucket[series->hash & (metrics->buckets - 1)];
	struct series **by_words = &metrics->by_words[series->words_hash & (metrics->buckets - 1)];

	series->next = *place;
	*place = series;
	series->next_by_words = *by_words;
	*by_words = series;
}

static void take_out(struct metrics *metrics, struct series *series)
{
	struct series **at = &metrics->bucket[series->hash & (metrics->buckets - 1)];

	while (*at != series)
		at = &(*at)->next;
	*at = series->next;
	at = &metrics->by_words[series->words_hash & (metrics->buckets - 1)];
	while (*at != series)
		at = &(*at)->next_by_words;
	*at = series->next_by_words;
}

static int grow_table(struct metrics *metrics)
{
	size_t buckets = metrics->buckets ? metrics->buckets * 2 : BUCKETS_AT_FIRST;
	struct series **bucket, **by_words;

	if (metrics->series < metrics->buckets)
		return 0;
	bucket = calloc(buckets, sizeof *bucket);
	by_words = calloc(buckets, sizeof *by_words);
	if (!bucket || !by_words) {
		free(bucket);
		free(by_words);
		return -ENOMEM;
	}
	metrics->bytes += 2 * heap_bytes(buckets * sizeof *bucket) -
			  2 * heap_bytes(metrics->buckets * sizeof *bucket);
	free(metrics->bucket);
	free(metrics->by_words);
	metrics->bucket = bucket;
	metrics->by_words = by_words;
	metrics->buckets = buckets;
	for (struct series *series = metrics->newest; series; series = series->older)
		put_in(metrics, series);
	return 0;
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
	       tally_bytes(&series->total);
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
	/* Some slots may go and others stay: the time of all is noted first. */
	series_touch(&metrics->rest, series->first, series->last);
	if (slots_move(metrics, &metrics->rest, series) < 0)
		return -ENOMEM;
	for (int i = 0; i < WAITED_FOR_MAX && series->waited[i].times; i++)
		waited_add(metrics->rest.waited, &series->waited[i]);
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
	struct series *series;

	if (metrics->series >= metrics->series_max && metrics->oldest &&
		forget(metrics, metrics->oldest) < 0)
		return NULL;
	if (grow_table(metrics) < 0)
		return NULL;
	series = series_new(address, source, lock, backend);
	if (!series)
		return NULL;
	series->hash = hash;
	series->words_hash = hash_words(metrics, series->source, series->lock);
	put_in(metrics, series);
	link_newest(metrics, series);
	metrics->series++;
	metrics->bytes += series_bytes(series);
	return series;
}

static struct series *find_or_make(
	struct metrics *metrics, const char *source, const char *lock, const char *backend)
{
	char address[ADDRESS_MAX];
	size_t len = metrics_address(address, sizeof address, source, lock);
	uint64_t hash = hash_address(metrics, address, len);
	struct series *series = look_up(metrics, address, hash);

	return series ? series : make(metrics, address, hash, source, lock, backend);
}

struct series *metrics_series(
	struct metrics *metrics, const char *source, const char *lock, const char *backend)
{
	struct series *series;

	if (!lock || !*lock)
		return &metrics->rest;
	if (!source)
		source = "";
	series = look_up_words(metrics, source, lock);
	if (!series) /* other words may be the same address */
		series = find_or_make(metrics, source, lock, backend);
	if (!series)
		return NULL;
	use(metrics, series);
	return series;
}

void series_touch(struct series *series, wall_t first, wall_t last)
{
	series->changes++;
	if (!series->first || first < series->first)
		series->first = first;
	if (!series->last || last > series->last)
		series->last = last;
}

void metrics_bound(struct metrics *metrics)
{
	size_t least = metrics->bytes_max - metrics->bytes_max / 16;

	if (metrics->bytes <= metrics->bytes_max)
		return;
	while (metrics->bytes > least && slots_drop_oldest(metrics))
		;
	/* Without memory to forget a lock with: the next line tries again. */
	while (metrics->bytes > least && metrics->oldest != metrics->newest)
		if (forget(metrics, metrics->oldest) < 0)
			return;
}

/* All of it. */

int metrics_init(
	struct metrics *metrics, enum metrics_mode mode, size_t series_max, size_t bytes_max)
{
	bool has_series = mode != METRICS_TOTALS;

	/* Where it lies nobody knows who could choose names to have the same hash. */
	*metrics = (struct metrics){.mode = mode, .seed = (uintptr_t)metrics | 1};
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
	free(metrics->by_words);
	*metrics = (struct metrics){
		.mode = metrics->mode,
		.seed = metrics->seed,
		.series_max = metrics->series_max,
		.bytes_max = metrics->bytes_max,
	};
}

void metrics_release(struct metrics *metrics)
{
	metrics_clear(metrics);
}

/* A line. */

static int reserve_in_total(
	struct metrics *metrics, struct series *series, const struct lines *lines)
{
	size_t before;
	int result;

	if (tally_has_room(&series->total, lines))
		return 0;
	before = tally_bytes(&series->total);
	result = tally_reserve(&series->total, lines);
	metrics->bytes += tally_bytes(&series->total) - before;
	return result;
}

static int add_to_totals(struct metrics *metrics, struct series *series, const struct lines *lines)
{
	if (reserve_in_total(metrics, series, lines) < 0 ||
		reserve_in_total(metrics, &metrics->all, lines) < 0)
		return -ENOMEM;
	tally_add_line(&series->total, lines);
	tally_add_line(&metrics->all.total, lines);
	return 0;
}

int metrics_add(struct metrics *metrics, const struct metric *metric)
{
	struct series *series =
		metrics_series(metrics, metric->source, metric->lock, metric->backend);
	struct lines lines = line_of(metric);
	int result;

	if (!series)
		return -ENOMEM;
	if (metrics->mode != METRICS_TOTALS)
		result = slots_count(metrics, series, 0, metric->ts, &lines);
	else
		result = add_to_totals(metrics, series, &lines);
	if (result < 0)
		return result;
	waited_add_line(series->waited, metric);
	waited_add_line(metrics->all.waited, metric);
	series_touch(series, metric->ts, metric->ts);
	series_touch(&metrics->all, metric->ts, metric->ts);
	metrics->lines++;
	metrics->changes++;
	metrics_bound(metrics);
	return 0;
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

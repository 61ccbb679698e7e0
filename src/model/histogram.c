/* Durations counted, and asked for their percentiles. */
#include "config.h"
#include "model/histogram_private.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"

enum {
	CELLS_AT_FIRST = 3, /* malloc(3) gives no less than 24 bytes */
	DIGITS = 4,         /* cells that count 2^64 values of one bucket */
};

/* The first cell that is in the bucket or behind it. */
static uint32_t cell_at(const struct histogram *histogram, uint64_t us)
{
	uint64_t least = cell_of(us, 0);
	const uint64_t *from = histogram->cell;
	uint32_t n = histogram->n;

	if (!n)
		return 0;
	while (n > 1) {
		uint32_t half = n / 2;

		from += from[half - 1] < least ? half : 0;
		n -= half;
	}
	return (uint32_t)(from - histogram->cell) + (*from < least);
}

static int reserve(struct histogram *histogram, size_t n)
{
	size_t want = histogram->n + n, size = histogram->size + histogram->size / 2;
	uint64_t *cell;

	if (want <= histogram->size)
		return 0;
	if (size < want)
		size = want;
	if (size < CELLS_AT_FIRST)
		size = CELLS_AT_FIRST;
	cell = realloc(histogram->cell, size * sizeof *cell);
	if (!cell)
		return -ENOMEM;
	histogram->cell = cell;
	histogram->size = (uint32_t)size;
	return 0;
}

/* No bucket can overflow its cell, if so many values more are added. */
static bool is_small(const struct histogram *histogram, uint64_t more)
{
	return more <= TIMES_MAX && histogram->count <= TIMES_MAX - more;
}

int histogram_reserve(struct histogram *histogram, uint32_t buckets, uint64_t values)
{
	return reserve(histogram, is_small(histogram, values) ? buckets : (size_t)buckets * DIGITS);
}

void histogram_shrink(struct histogram *histogram)
{
	uint64_t *cell;

	if (histogram->size == histogram->n || histogram->size <= CELLS_AT_FIRST)
		return;
	cell = realloc(histogram->cell, (histogram->n ? histogram->n : 1) * sizeof *cell);
	if (!cell)
		return;
	histogram->cell = cell;
	histogram->size = histogram->n ? histogram->n : 1;
}

/* Moves what stands from i on up by n cells. There is room. */
static void make_gap(struct histogram *histogram, uint32_t i, uint32_t n)
{
	memmove(histogram->cell + i + n, histogram->cell + i,
		(histogram->n - i) * sizeof *histogram->cell);
	histogram->n += n;
}

/*
 * A bucket's cells are the digits of a number, the lowest first, each from 1 to TIMES_MAX: there is
 * no 0 among them, and each number is written in one way only.
 */
static uint32_t split(uint64_t times, uint64_t digit[DIGITS])
{
	uint32_t n = 0;

	for (; times; n++) {
		digit[n] = times % TIMES_MAX ? times % TIMES_MAX : TIMES_MAX;
		times = (times - digit[n]) / TIMES_MAX;
	}
	return n;
}

static uint64_t unit_of(uint32_t digit)
{
	uint64_t unit = 1;

	while (digit--)
		unit *= TIMES_MAX;
	return unit;
}

/* Writes a bucket anew whose cells begin at i: their number never gets less. There is room. */
static void count_many(struct histogram *histogram, uint32_t i, const struct histogram_value *value,
	uint64_t times)
{
	uint64_t digit[DIGITS], us = value->us;
	uint32_t has = 0, n;

	for (; i + has < histogram->n && value_of(histogram->cell[i + has]) <= value->last; has++) {
		times = add_up_to_most(times, times_of(histogram->cell[i + has]) * unit_of(has));
		if (us < value_of(histogram->cell[i + has]))
			us = value_of(histogram->cell[i + has]);
	}
	n = split(times, digit);
	make_gap(histogram, i, n - has);
	for (uint32_t k = 0; k < n; k++)
		histogram->cell[i + k] = cell_of(us, digit[k]);
}

/* Counts a value into its bucket, which has one cell at the most. There is room. */
static void count(struct histogram *histogram, const struct histogram_value *value, uint64_t times)
{
	uint32_t i = cell_at(histogram, value->first);
	uint64_t *cell = &histogram->cell[i], us = value->us;

	if (i < histogram->n && value_of(*cell) <= value->last) {
		if (us < value_of(*cell))
			us = value_of(*cell);
		*cell = cell_of(us, times_of(*cell) + times);
	} else {
		make_gap(histogram, i, 1);
		*cell = cell_of(us, times);
	}
}

/* Counts it in as many cells as it takes. There is room. */
static void count_any(
	struct histogram *histogram, const struct histogram_value *value, uint64_t times)
{
	count_many(histogram, cell_at(histogram, value->first), value, times);
}

/* So many of that value were added. */
static void note(struct histogram *histogram, uint64_t us, uint64_t times)
{
	int64_t ns = ns_of(us);

	if (!histogram->count || ns < histogram->min)
		histogram->min = ns;
	if (ns > histogram->max)
		histogram->max = ns;
	histogram->count += times;
	histogram->sum = add_up_to_most(histogram->sum, multiply_up_to_most(us, times));
}

struct histogram_value histogram_value(int64_t ns)
{
	uint64_t us = us_of(ns);
	struct bucket bucket = bucket_of(us);

	return (struct histogram_value){us, bucket.first, bucket.last};
}

static int add_value(
	struct histogram *histogram, const struct histogram_value *value, uint64_t times)
{
	bool is_one_cell = is_small(histogram, times);

	if (!(is_one_cell && histogram->n < histogram->size) &&
		histogram_reserve(histogram, 1, times) < 0)
		return -ENOMEM;
	if (is_one_cell)
		count(histogram, value, times);
	else
		count_any(histogram, value, times);
	note(histogram, value->us, times);
	return 0;
}

int histogram_add_value(struct histogram *histogram, const struct histogram_value *value)
{
	return histogram->count < UINT64_MAX ? add_value(histogram, value, 1) : 0;
}

int histogram_add(struct histogram *histogram, int64_t ns, uint64_t times)
{
	struct histogram_value value = histogram_value(ns);

	if (times > UINT64_MAX - histogram->count)
		times = UINT64_MAX - histogram->count;
	return times ? add_value(histogram, &value, times) : 0;
}

/* Where in `into` the bucket is that the cell belongs to, searched downwards from i; *is_there. */
static uint32_t walk_down(const struct histogram *into, uint32_t i, uint64_t us, bool *is_there)
{
	struct bucket bucket = bucket_of(us);

	while (i && value_of(into->cell[i - 1]) > bucket.last)
		i--;
	*is_there = i && value_of(into->cell[i - 1]) >= bucket.first;
	return i;
}

static uint32_t count_missing(const struct histogram *into, const struct histogram *from)
{
	uint32_t i = into->n, missing = 0;
	bool is_there;

	for (uint32_t k = from->n; k--;) {
		i = walk_down(into, i, value_of(from->cell[k]), &is_there);
		missing += !is_there;
	}
	return missing;
}

/* Both in order, from the end: what moves up never comes upon what was not yet read. */
static void merge_down(struct histogram *into, const struct histogram *from, uint32_t missing)
{
	uint32_t i = into->n, end = into->n + missing;

	into->n = end;
	for (uint32_t k = from->n; k--;) {
		uint64_t us = value_of(from->cell[k]), times = times_of(from->cell[k]);
		bool is_there;
		uint32_t at = walk_down(into, i, us, &is_there);

		end -= i - at;
		memmove(into->cell + end, into->cell + at, (i - at) * sizeof *into->cell);
		i = at;
		if (is_there) {
			i--;
			times += times_of(into->cell[i]);
			if (us < value_of(into->cell[i]))
				us = value_of(into->cell[i]);
		}
		into->cell[--end] = cell_of(us, times);
	}
}

/* The cells of `from`, one after the other. There is room. */
static void merge_each(struct histogram *into, const struct histogram *from, bool is_one_cell)
{
	int64_t ns;
	uint64_t times;

	for (size_t i = 0; histogram_cell(from, i, &ns, &times); i++) {
		struct histogram_value value = histogram_value(ns);

		if (is_one_cell)
			count(into, &value, times);
		else
			count_any(into, &value, times);
	}
}

static int merge_cells(struct histogram *into, const struct histogram *from)
{
	uint32_t missing;

	if (!is_small(into, from->count)) {
		if (reserve(into, (size_t)from->n * DIGITS) < 0)
			return -ENOMEM;
		merge_each(into, from, false);
	} else if ((uint64_t)from->n * 16 < into->n) {
		if (reserve(into, from->n) < 0)
			return -ENOMEM;
		merge_each(into, from, true);
	} else {
		missing = count_missing(into, from);
		if (reserve(into, missing) < 0)
			return -ENOMEM;
		merge_down(into, from, missing);
	}
	return 0;
}

int histogram_merge(struct histogram *into, const struct histogram *from)
{
	if (!from->count)
		return 0;
	if (merge_cells(into, from) < 0)
		return -ENOMEM;
	if (!into->count || from->min < into->min)
		into->min = from->min;
	if (from->max > into->max)
		into->max = from->max;
	into->count = add_up_to_most(into->count, from->count);
	into->sum = add_up_to_most(into->sum, from->sum);
	return 0;
}

void histogram_clear(struct histogram *histogram)
{
	*histogram = (struct histogram){.cell = histogram->cell, .size = histogram->size};
}

void histogram_release(struct histogram *histogram)
{
	free(histogram->cell);
	*histogram = (struct histogram){0};
}

bool histogram_cell(const struct histogram *histogram, size_t i, int64_t *ns, uint64_t *times)
{
	uint32_t digit = 0;
	uint64_t us;

	if (i >= histogram->n)
		return false;
	us = value_of(histogram->cell[i]);
	while (digit < i && value_of(histogram->cell[i - digit - 1]) == us)
		digit++;
	*ns = ns_of(us);
	*times = times_of(histogram->cell[i]) * unit_of(digit);
	return true;
}

const double percentile[PERCENTILES] = {0.50, 0.95, 0.99};

uint64_t rank_of(double q, uint64_t n)
{
	/* 0.07 * 100 is a little more than 7, and has the rank 7 all the same. */
	double exact = q * (double)n * (1 - 1e-14);
	uint64_t rank;

	if (!(exact >= 1))
		return 1;
	if (exact >= (double)n)
		return n;
	rank = (uint64_t)exact;
	return rank + ((double)rank < exact);
}

struct percentiles percentiles_of(uint64_t n, uint64_t sum, int64_t max, const int64_t *ns)
{
	if (!n)
		return (struct percentiles){.p50 = -1, .p95 = -1, .p99 = -1, .max = -1};
	return (struct percentiles){
		.n = n,
		.p50 = ns[0],
		.p95 = ns[1],
		.p99 = ns[2],
		.max = max,
		.sum = sum > INT64_MAX / NS_PER_US ? INT64_MAX : ns_of(sum),
	};
}

/* The values of so many ranks, which are in order. */
static void values_at(
	const struct histogram *histogram, const uint64_t *rank, int64_t *ns, size_t n)
{
	uint64_t seen = 0, times;
	size_t k = 0;
	int64_t value;

	for (size_t i = 0; k < n && histogram_cell(histogram, i, &value, &times); i++)
		for (seen = add_up_to_most(seen, times); k < n && rank[k] <= seen; k++)
			ns[k] = value;
}

int64_t histogram_quantile(const struct histogram *histogram, double q)
{
	uint64_t rank = rank_of(q, histogram->count);
	int64_t ns = -1;

	values_at(histogram, &rank, &ns, 1);
	return ns;
}

uint64_t histogram_at_most(const struct histogram *histogram, int64_t ns)
{
	uint64_t sum = 0, times;
	int64_t value;

	for (size_t i = 0; histogram_cell(histogram, i, &value, &times) && value <= ns; i++)
		sum = add_up_to_most(sum, times);
	return sum;
}

size_t histogram_bytes(const struct histogram *histogram)
{
	/* As glibc takes it: 8 bytes more, in steps of 16, no less than 32. */
	return histogram->size ? (histogram->size * sizeof *histogram->cell + 8 + 15) / 16 * 16 : 0;
}

struct percentiles histogram_percentiles(const struct histogram *histogram)
{
	uint64_t rank[PERCENTILES];
	int64_t ns[PERCENTILES];

	if (!histogram->count)
		return percentiles_of(0, 0, 0, NULL);
	for (int i = 0; i < PERCENTILES; i++)
		rank[i] = rank_of(percentile[i], histogram->count);
	values_at(histogram, rank, ns, PERCENTILES);
	return percentiles_of(histogram->count, histogram->sum, histogram->max, ns);
}

const char *percentiles_text(char *dst, size_t size, const struct percentiles *percentiles)
{
	char p50[32], p95[32], p99[32], max[32];

	text_latency(max, sizeof max, percentiles->max);
	if (!percentiles->n)
		snprintf(dst, size, "n=0");
	else if (percentiles->n < PERCENTILES_FEW)
		snprintf(dst, size, "n=%" PRIu64 ", too few: max %s", percentiles->n, max);
	else
		snprintf(dst, size, "n=%" PRIu64 "  p50 %s  p95 %s  p99 %s  max %s", percentiles->n,
			text_latency(p50, sizeof p50, percentiles->p50),
			text_latency(p95, sizeof p95, percentiles->p95),
			text_latency(p99, sizeof p99, percentiles->p99), max);
	return dst;
}

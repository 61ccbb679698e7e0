/*
 * Many histograms added up: a place for each bucket there can be, and a bit that says whether it is
 * in use, so that little has to be cleared and looked at.
 */
#include "config.h"
#include "model/histogram_private.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { WORD = 64, WORDS = (BUCKETS + WORD - 1) / WORD };

struct histogram_sum {
	uint64_t used[WORDS]; /* a bit a bucket: without it the rest of it means nothing */
	uint64_t count, sum;  /* us */
	int64_t min, max;     /* ns */
	struct {
		uint64_t us, times; /* the largest value, and how many there are */
	} at[BUCKETS];
};

struct histogram_sum *histogram_sum_new(void)
{
	struct histogram_sum *sum = malloc(sizeof *sum);

	if (sum)
		histogram_sum_clear(sum);
	return sum;
}

void histogram_sum_free(struct histogram_sum *sum)
{
	free(sum);
}

void histogram_sum_clear(struct histogram_sum *sum)
{
	memset(sum->used, 0, sizeof sum->used);
	sum->count = sum->sum = 0;
	sum->min = sum->max = 0;
}

static void put(struct histogram_sum *sum, uint64_t us, uint64_t times)
{
	uint32_t i = bucket_of(us).index;
	uint64_t bit = UINT64_C(1) << i % WORD;

	if (!(sum->used[i / WORD] & bit)) {
		sum->used[i / WORD] |= bit;
		sum->at[i].us = us;
		sum->at[i].times = times;
		return;
	}
	if (sum->at[i].us < us)
		sum->at[i].us = us;
	sum->at[i].times = add_up_to_most(sum->at[i].times, times);
}

/* So many values more, of that sum and between these two. */
static void note(struct histogram_sum *sum, uint64_t times, uint64_t us, int64_t min, int64_t max)
{
	if (!sum->count || min < sum->min)
		sum->min = min;
	if (max > sum->max)
		sum->max = max;
	sum->count = add_up_to_most(sum->count, times);
	sum->sum = add_up_to_most(sum->sum, us);
}

void histogram_sum_add(struct histogram_sum *sum, int64_t ns, uint64_t times)
{
	uint64_t us = us_of(ns);

	if (!times)
		return;
	put(sum, us, times);
	note(sum, times, multiply_up_to_most(us, times), ns_of(us), ns_of(us));
}

void histogram_sum_merge(struct histogram_sum *sum, const struct histogram *histogram)
{
	uint64_t times;
	int64_t ns;

	if (!histogram->count)
		return;
	if (histogram->count <= TIMES_MAX) /* each bucket has one cell */
		for (uint32_t i = 0; i < histogram->n; i++)
			put(sum, value_of(histogram->cell[i]), times_of(histogram->cell[i]));
	else
		for (size_t i = 0; histogram_cell(histogram, i, &ns, &times); i++)
			put(sum, us_of(ns), times);
	note(sum, histogram->count, histogram->sum, histogram->min, histogram->max);
}

/* The next bucket in use from *i on; false: there is none. */
static bool next(const struct histogram_sum *sum, uint32_t *i)
{
	uint32_t word = *i / WORD;
	uint64_t bits;

	if (word >= WORDS)
		return false;
	bits = sum->used[word] & UINT64_MAX << (*i % WORD);
	while (!bits && ++word < WORDS)
		bits = sum->used[word];
	if (!bits)
		return false;
	*i = word * WORD + (uint32_t)__builtin_ctzll(bits);
	return true;
}

struct percentiles histogram_sum_percentiles(const struct histogram_sum *sum)
{
	int64_t ns[PERCENTILES] = {0};
	uint64_t seen = 0;
	int k = 0;

	for (uint32_t i = 0; k < PERCENTILES && next(sum, &i); i++) {
		seen = add_up_to_most(seen, sum->at[i].times);
		while (k < PERCENTILES && rank_of(percentile[k], sum->count) <= seen)
			ns[k++] = ns_of(sum->at[i].us);
	}
	return percentiles_of(sum->count, sum->sum, sum->max, ns);
}

/* As many cells as there are buckets in use. */
static uint32_t buckets_used(const struct histogram_sum *sum)
{
	uint32_t n = 0;

	for (int i = 0; i < WORDS; i++)
		n += (uint32_t)__builtin_popcountll(sum->used[i]);
	return n;
}

/* It as a histogram, whose cells are made. There is room, and no bucket overflows its cell. */
static void make_cells(const struct histogram_sum *sum, struct histogram *out)
{
	for (uint32_t i = 0; next(sum, &i); i++)
		out->cell[out->n++] = cell_of(sum->at[i].us, sum->at[i].times);
}

int histogram_sum_into(const struct histogram_sum *sum, struct histogram *into)
{
	struct histogram made = {0};
	int result = histogram_reserve(&made, buckets_used(sum), sum->count);

	if (result < 0 || !sum->count)
		return result;
	if (sum->count <= TIMES_MAX)
		make_cells(sum, &made);
	else
		for (uint32_t i = 0; next(sum, &i); i++)
			histogram_add(&made, ns_of(sum->at[i].us), sum->at[i].times);
	made.count = sum->count;
	made.sum = sum->sum;
	made.min = sum->min;
	made.max = sum->max;
	result = histogram_merge(into, &made);
	histogram_release(&made);
	return result;
}

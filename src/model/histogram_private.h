/* What a bucket is: for the sparse histogram and the dense sum of many. */
#ifndef LOCKTOP_MODEL_HISTOGRAM_PRIVATE_H
#define LOCKTOP_MODEL_HISTOGRAM_PRIVATE_H

#include "model/histogram.h"

enum {
	NS_PER_US = 1000,
	TIMES_BITS = 20,
	EXACT = 1000, /* up to that many us each value has its own bucket */
	BUCKETS = 10074,
	PERCENTILES = 3,
};

/* The most that a cell counts; the next cell of the bucket counts in units of that, and so on. */
#define TIMES_MAX ((UINT64_C(1) << TIMES_BITS) - 1)
#define VALUE_MAX (INT64_C(200) * 86400 * 1000000)

/* All values from the first to the last; of all buckets it is the index-th. */
struct bucket {
	uint64_t first, last;
	uint32_t index;
};

struct bucket bucket_of(uint64_t us);

static inline uint64_t value_of(uint64_t cell)
{
	return cell >> TIMES_BITS;
}

static inline uint64_t times_of(uint64_t cell)
{
	return cell & TIMES_MAX;
}

static inline uint64_t cell_of(uint64_t us, uint64_t times)
{
	return us << TIMES_BITS | times;
}

static inline uint64_t us_of(int64_t ns)
{
	int64_t us = ns / NS_PER_US + (ns % NS_PER_US >= NS_PER_US / 2);

	if (ns <= 0)
		return 0;
	return (uint64_t)(us < VALUE_MAX ? us : VALUE_MAX);
}

static inline int64_t ns_of(uint64_t us)
{
	return (int64_t)us * NS_PER_US;
}

static inline uint64_t add_up_to_most(uint64_t a, uint64_t b)
{
	return a + b < a ? UINT64_MAX : a + b;
}

static inline uint64_t multiply_up_to_most(uint64_t a, uint64_t b)
{
	uint64_t product;

	return __builtin_mul_overflow(a, b, &product) ? UINT64_MAX : product;
}

extern const double percentile[PERCENTILES];

/* The nearest rank of q among n, from 1 to n. */
uint64_t rank_of(double q, uint64_t n);
/* ns: the values of the percentiles, NULL if n is 0. sum in us, max in ns. */
struct percentiles percentiles_of(uint64_t n, uint64_t sum, int64_t max, const int64_t *ns);

#endif

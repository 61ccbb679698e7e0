/*
 * A log-linear histogram of durations, base ten: values of up to three significant digits (in
 * microseconds) have a bucket of their own, others share it with the rest of their hundredth, or
 * less. A bucket ends with its round number ((999, 1000] us, (1000, 1010] us, (1010, 1020] us …),
 * so that "at most 10 ms" is exact. Of each bucket the largest value seen is kept: what is shown
 * was measured, and a quantile is never below the true one and less than 1 % above it.
 *
 * Sparse: 8 bytes a bucket in use, 10,074 of them at the most whatever comes in.
 */
#ifndef LOCKTOP_MODEL_HISTOGRAM_H
#define LOCKTOP_MODEL_HISTOGRAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A zeroed one is empty. */
struct histogram {
	uint64_t *cell; /* owned; by value: the largest of its bucket in us (44 bits), times (20) */
	uint32_t n, size;
	uint64_t count;   /* of all values; stays at the most that fits */
	uint64_t sum;     /* us; stays at the most that fits */
	int64_t min, max; /* ns; 0 while empty */
};

enum { HISTOGRAM_ERROR_PERCENT = 1 };

/*
 * Adds a value (ns, rounded to us, below 0 taken as 0, above 200 days as that) so many times. 0 or
 * -ENOMEM; nothing is added then.
 */
int histogram_add(struct histogram *histogram, int64_t ns, uint64_t times);

/* A duration as it is counted, and the bucket it belongs to; found once for many histograms. */
struct histogram_value {
	uint64_t us, first, last;
};
struct histogram_value histogram_value(int64_t ns);
/* Adds it once. 0 or -ENOMEM; nothing is added then. */
int histogram_add_value(struct histogram *histogram, const struct histogram_value *value);
/* Adds all of another one. 0 or -ENOMEM; nothing is added then. */
int histogram_merge(struct histogram *into, const struct histogram *from);
/*
 * Makes room for so many values more in so many buckets, so that adding them cannot fail, nor
 * merging another one that has n cells and that count. 0 or -ENOMEM.
 */
int histogram_reserve(struct histogram *histogram, uint32_t buckets, uint64_t values);
/* Is there room for one more value, whatever it is? */
static inline bool histogram_has_room(const struct histogram *histogram)
{
	/* Up to that count no bucket needs a second cell. */
	return histogram->n < histogram->size && histogram->count < (1 << 20) - 1;
}
/* Gives back memory that is not in use; fails without a word. */
void histogram_shrink(struct histogram *histogram);
void histogram_clear(struct histogram *histogram); /* keeps the memory */
void histogram_release(struct histogram *histogram);
/*
 * The i-th cell, in order: a bucket's largest value in ns and how often; false at the end. A bucket
 * with more than a million values takes several cells, which give the same value.
 */
bool histogram_cell(const struct histogram *histogram, size_t i, int64_t *ns, uint64_t *times);
/*
 * Nearest rank: of n values in order the ceil(q * n)-th (q from 0 to 1, the first and the last at
 * the ends), as its bucket knows it. -1 when empty.
 */
int64_t histogram_quantile(const struct histogram *histogram, double q);
/*
 * How many are at most that: exact where the bound has at most three significant digits in us; else
 * no more than it says, for of the bound's own bucket only the largest is known.
 */
uint64_t histogram_at_most(const struct histogram *histogram, int64_t ns);
/* What its cells take of the heap. */
size_t histogram_bytes(const struct histogram *histogram);

/* What is said of it everywhere: screen, report, JSON, CSV and Prometheus. ns; -1: empty. */
struct percentiles {
	uint64_t n;
	int64_t p50, p95, p99, max;
	int64_t sum;
};

/* Under that many a percentile is no more than an anecdote: "n=7, too few". */
enum { PERCENTILES_FEW = 20 };

struct percentiles histogram_percentiles(const struct histogram *histogram);
/* "n=1204  p50 1.2ms  p95 8.1ms  p99 40ms  max 2.01s", "n=7, too few: max 3.1ms", "n=0". */
const char *percentiles_text(char *dst, size_t size, const struct percentiles *percentiles);

/*
 * Adds up many histograms, and values by themselves, in no order: each takes a few ns, whatever is
 * there already, where histogram_merge() looks at all of it. 160 kB.
 */
struct histogram_sum;

struct histogram_sum *histogram_sum_new(void); /* NULL: out of memory */
void histogram_sum_free(struct histogram_sum *sum);
void histogram_sum_clear(struct histogram_sum *sum);
void histogram_sum_add(struct histogram_sum *sum, int64_t ns, uint64_t times);
void histogram_sum_merge(struct histogram_sum *sum, const struct histogram *histogram);
struct percentiles histogram_sum_percentiles(const struct histogram_sum *sum);
/* Adds all of it to a histogram. 0 or -ENOMEM; nothing is added then. */
int histogram_sum_into(const struct histogram_sum *sum, struct histogram *into);

#endif

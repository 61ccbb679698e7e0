/*
 * A log-linear histogram of durations, base ten: values of up to three significant digits (in
 * microseconds) have a bucket of their own, larger ones share it with the next hundredth, so that
 * a quantile is never below the true one and at most 1 % above it. A bucket ends with its round
 * number ((990, 1000] µs, (1000, 1010] µs, …), so that "at most 10 ms" is exact too. Of each
 * bucket the largest value seen is kept: what is shown was measured.
 *
 * Sparse, 8 bytes a bucket in use, at most about 6,000 of them whatever comes in.
 */
#ifndef LOCKTOP_MODEL_HISTOGRAM_H
#define LOCKTOP_MODEL_HISTOGRAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A zeroed one is empty. */
struct histogram {
	uint64_t *cell; /* owned; sorted; value in µs (44 bits) above times (20 bits) */
	uint32_t n, size;
	uint64_t count;   /* of all values */
	uint64_t sum;     /* µs; stays at the most that fits */
	int64_t min, max; /* ns; 0 while empty */
};

enum { HISTOGRAM_ERROR_PERCENT = 1 };

/*
 * Adds a value (ns, rounded to µs, below 0 taken as 0, above 200 days as that) so many times. 0 or
 * -ENOMEM; nothing is added then.
 */
int histogram_add(struct histogram *histogram, int64_t ns, uint64_t times);
int histogram_merge(struct histogram *into, const struct histogram *from);
void histogram_clear(struct histogram *histogram); /* keeps the memory */
void histogram_release(struct histogram *histogram);
/* The i-th bucket in use, in order: its largest value in ns and how often; false at the end. */
bool histogram_cell(const struct histogram *histogram, size_t i, int64_t *ns, uint64_t *times);
/*
 * Nearest rank: the smallest value such that at least q (0 to 1) of all are not above it, as its
 * bucket knows it. -1 when empty.
 */
int64_t histogram_quantile(const struct histogram *histogram, double q);
/* How many are at most that; exact where the bound has at most three significant digits in µs. */
uint64_t histogram_at_most(const struct histogram *histogram, int64_t ns);
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
/* "n=1204 p50 1.2ms p95 8.1ms p99 40ms max 2.01s", "n=7, too few: max 3.1ms", "n=0". */
const char *percentiles_text(char *dst, size_t size, const struct percentiles *percentiles);

#endif

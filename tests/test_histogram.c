/* Durations counted: what is said of them against all of them in order. */
#include "config.h"
#include "model/histogram.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "base/clock.h"
#include "failing_alloc.h"

enum { MANY = 20000, BUCKETS_MAX = 10074 };

#define US(n) ((int64_t)(n)*1000)

static uint64_t seed = 1;

static uint64_t random_number(void)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return seed;
}

/* From 0 to 1. */
static double random_part(void)
{
	return (double)(random_number() >> 11) / (double)(UINT64_C(1) << 53);
}

/* Values in us, as they come: a few shapes. */

static int64_t even(void)
{
	return (int64_t)(random_number() % 5000000);
}

static int64_t by_magnitude(void)
{
	return (int64_t)pow(10, random_part() * 13.2);
}

static int64_t around_a_border(void)
{
	int64_t border = (int64_t)pow(10, 1 + (double)(random_number() % 11));

	return border - 10 + (int64_t)(random_number() % 31);
}

static int64_t in_two_humps(void)
{
	return random_number() % 10 ? 200 + (int64_t)(random_number() % 100)
				    : 1500000 + (int64_t)(random_number() % 1000000);
}

static int64_t always_the_same(void)
{
	return 12345;
}

static int64_t few_different(void)
{
	return (int64_t)(random_number() % 7) * 98765;
}

static int64_t (*const shapes[])(void) = {
	even, by_magnitude, around_a_border, in_two_humps, always_the_same, few_different};

enum { SHAPES = sizeof shapes / sizeof *shapes };

static int by_size(const void *a, const void *b)
{
	int64_t left = *(const int64_t *)a, right = *(const int64_t *)b;

	return (left > right) - (left < right);
}

static void fill(struct histogram *histogram, const int64_t *us, size_t n)
{
	for (size_t i = 0; i < n; i++)
		assert_int_equal(histogram_add(histogram, US(us[i]), 1), 0);
}

static uint64_t true_at_most(const int64_t *us, size_t n, int64_t bound)
{
	size_t i = 0;

	while (i < n && us[i] <= bound)
		i++;
	return i;
}

/* Bounds of three digits. */
static void assert_at_most(const struct histogram *histogram, const int64_t *us, size_t n)
{
	for (int64_t unit = 1; unit < INT64_C(1000000000000); unit *= 10)
		for (int64_t digits = 1; digits < 1000; digits += 37)
			assert_int_equal(histogram_at_most(histogram, US(digits * unit)),
				true_at_most(us, n, digits * unit));
}

static void assert_quantiles(const struct histogram *histogram, const int64_t *us, size_t n)
{
	for (int percent = 0; percent <= 100; percent++) {
		size_t rank = ((size_t)percent * n + 99) / 100;
		int64_t truth = us[rank ? rank - 1 : 0];
		int64_t said = histogram_quantile(histogram, percent / 100.0) / 1000;

		assert_true(said >= truth);
		if ((said - truth) * 100 >= truth && said != truth)
			fail_msg("p%d of %zu is %" PRId64 " us, not %" PRId64, percent, n, said,
				truth);
		if (truth <= 1000)
			assert_int_equal(said, truth);
	}
}

static void quantiles_are_never_below_the_true_ones_and_less_than_1_percent_above(void **state)
{
	static int64_t us[MANY];

	(void)state;
	for (int shape = 0; shape < SHAPES; shape++) {
		for (size_t n = 1; n <= MANY; n = n < 30 ? n + 1 : n * 3) {
			struct histogram histogram = {0};
			uint64_t sum = 0;

			for (size_t i = 0; i < n; i++)
				sum += (uint64_t)(us[i] = shapes[shape]());
			fill(&histogram, us, n);
			qsort(us, n, sizeof *us, by_size);
			assert_quantiles(&histogram, us, n);
			if (n < 3000)
				assert_at_most(&histogram, us, n);
			assert_int_equal(histogram.count, n);
			assert_int_equal(histogram.sum, sum);
			assert_int_equal(histogram.min, US(us[0]));
			assert_int_equal(histogram.max, US(us[n - 1]));
			assert_int_equal(histogram_quantile(&histogram, 1), US(us[n - 1]));
			histogram_release(&histogram);
		}
	}
}

/* Both of them, each with a few buckets that the other one has, too. */
static int try_to_add(void *data)
{
	struct histogram a = {0}, b = {0};
	int result = 0;

	(void)data;
	for (int i = 0; i < 20 && result == 0; i++) {
		uint64_t count = a.count;

		result = histogram_add(&a, US(1000 * i), 1);
		if (result < 0)
			assert_int_equal(a.count, count);
		if (result == 0)
			result = histogram_add(&b, US(1500 * i), UINT64_C(1) << 21);
	}
	if (result == 0) {
		uint64_t count = a.count, n = a.n;

		result = histogram_merge(&a, &b);
		if (result < 0) {
			assert_int_equal(a.count, count);
			assert_int_equal(a.n, n);
		}
	}
	allocations_failed();
	histogram_release(&a);
	histogram_release(&b);
	return result;
}

static void an_allocation_that_fails_adds_nothing(void **state)
{
	(void)state;
	assert_true(fail_every_allocation(try_to_add, NULL) > 10);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			quantiles_are_never_below_the_true_ones_and_less_than_1_percent_above),
		cmocka_unit_test(an_allocation_that_fails_adds_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

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

static void assert_same(const struct histogram *a, const struct histogram *b)
{
	assert_int_equal(a->n, b->n);
	assert_memory_equal(a->cell, b->cell, a->n * sizeof *a->cell);
	assert_int_equal(a->count, b->count);
	assert_int_equal(a->sum, b->sum);
	assert_int_equal(a->min, b->min);
	assert_int_equal(a->max, b->max);
}

/* Cells are in order, say what the whole says, and are no more than they have to be. */
static void assert_well_formed(const struct histogram *histogram)
{
	uint64_t times, count = 0;
	int64_t ns, before = -1;

	for (size_t i = 0; histogram_cell(histogram, i, &ns, &times); i++) {
		assert_true(ns > before);
		assert_true(times > 0);
		before = ns;
		count += times;
	}
	assert_int_equal(count, histogram->count);
	assert_true(histogram->n <= BUCKETS_MAX);
	assert_true(histogram->n <= histogram->size);
	if (count)
		assert_int_equal(before, histogram->max);
}

static void parts_make_the_same_as_the_whole_in_any_order(void **state)
{
	struct histogram_sum *sum = histogram_sum_new();

	(void)state;
	assert_non_null(sum);
	for (int turn = 0; turn < 200; turn++) {
		int64_t (*shape)(void) = shapes[turn % SHAPES];
		struct histogram whole = {0}, part[4] = {{0}}, merged = {0}, backwards = {0},
				 summed = {0};
		struct percentiles a, b;
		size_t n = random_number() % (turn % 3 ? 3000 : 40);

		histogram_sum_clear(sum);
		for (size_t i = 0; i < n; i++) {
			int64_t ns = US(shape()) + (int64_t)(random_number() % 1000) - 500;
			/* Parts of different sizes: merged in different ways. */
			uint64_t to = random_number() % 100;

			to = to < 70 ? 0 : to < 95 ? 1 : to < 99 ? 2 : 3;
			assert_int_equal(histogram_add(&whole, ns, 1), 0);
			assert_int_equal(histogram_add(&part[to], ns, 1), 0);
			if (to == 3)
				histogram_sum_add(sum, ns, 1);
		}
		assert_well_formed(&whole);
		for (int i = 0; i < 4; i++) {
			assert_int_equal(histogram_merge(&merged, &part[i]), 0);
			assert_int_equal(histogram_merge(&backwards, &part[3 - i]), 0);
			if (i < 3)
				histogram_sum_merge(sum, &part[i]);
		}
		assert_same(&merged, &whole);
		assert_same(&backwards, &whole);
		assert_int_equal(histogram_sum_into(sum, &summed), 0);
		assert_same(&summed, &whole);
		a = histogram_sum_percentiles(sum);
		b = histogram_percentiles(&whole);
		assert_memory_equal(&a, &b, sizeof a);
		assert_int_equal(b.p95, histogram_quantile(&whole, 0.95));
		/* Once more, onto what is there. */
		assert_int_equal(histogram_sum_into(sum, &summed), 0);
		assert_int_equal(summed.count, 2 * n);
		assert_int_equal(summed.n, whole.n);
		histogram_release(&whole);
		histogram_release(&merged);
		histogram_release(&backwards);
		histogram_release(&summed);
		for (int i = 0; i < 4; i++)
			histogram_release(&part[i]);
	}
	histogram_sum_free(sum);
}

static void a_bucket_ends_with_a_round_number(void **state)
{
	static const struct {
		int64_t a, b;
		bool is_same;
	} table[] = {
		{0, 1, false},
		{999, 1000, false},
		{1000, 1001, false},
		{1001, 1010, true},
		{1010, 1011, false},
		{9991, 10000, true},
		{10000, 10001, false},
		{10001, 10100, true},
		{10100, 10101, false},
		{99901, 100000, true},
		{INT64_C(1000000001), INT64_C(1010000000), true},
		{INT64_C(1010000000), INT64_C(1010000001), false},
		{INT64_C(17200000000001), INT64_C(17280000000000), true},
	};

	(void)state;
	for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
		for (int turn = 0; turn < 2; turn++) {
			struct histogram histogram = {0};
			int64_t ns;
			uint64_t times;

			histogram_add(&histogram, US(turn ? table[i].a : table[i].b), 1);
			histogram_add(&histogram, US(turn ? table[i].b : table[i].a), 1);
			assert_int_equal(histogram.n, table[i].is_same ? 1 : 2);
			assert_true(histogram_cell(&histogram, histogram.n - 1, &ns, &times));
			assert_int_equal(ns, US(table[i].b));
			histogram_release(&histogram);
		}
	}
}

/* All of them: no rounding of a double may move a border. */
static void every_bucket_is_the_hundredth_that_it_says(void **state)
{
	int64_t last = 1000;

	(void)state;
	for (int64_t width = 10; width <= INT64_C(100000000000); width *= 10) {
		for (int64_t part = 100; part < 1000; part++) {
			int64_t us[] = {
				part * width + 1, part * width + width / 2, (part + 1) * width};

			for (int i = 0; i < 3 && us[i] <= INT64_C(17280000000000); i++) {
				struct histogram_value value = histogram_value(US(us[i]));

				assert_int_equal(value.us, us[i]);
				assert_int_equal(value.first, last + 1);
				assert_int_equal(value.last, (part + 1) * width);
			}
			last = (part + 1) * width;
		}
	}
	for (int64_t us = 0; us <= 1000; us++) {
		assert_int_equal(histogram_value(US(us)).first, us);
		assert_int_equal(histogram_value(US(us)).last, us);
	}
}

static void values_are_rounded_to_us_and_kept_within_bounds(void **state)
{
	static const struct {
		int64_t ns, us;
	} table[] = {
		{INT64_MIN, 0},
		{-1, 0},
		{0, 0},
		{499, 0},
		{500, 1},
		{1499, 1},
		{1500, 2},
		{200 * 86400 * NS_PER_S - 1, INT64_C(200) * 86400 * 1000000},
		{200 * 86400 * NS_PER_S + 1000, INT64_C(200) * 86400 * 1000000},
		{INT64_MAX, INT64_C(200) * 86400 * 1000000},
	};

	(void)state;
	for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
		struct histogram histogram = {0};

		assert_int_equal(histogram_add(&histogram, table[i].ns, 1), 0);
		assert_int_equal(histogram.min, US(table[i].us));
		assert_int_equal(histogram.max, US(table[i].us));
		assert_int_equal(histogram_quantile(&histogram, 0.5), US(table[i].us));
		assert_int_equal(histogram_value(table[i].ns).us, table[i].us);
		assert_well_formed(&histogram);
		histogram_release(&histogram);
	}
}

static void hostile_values_take_a_bounded_number_of_cells(void **state)
{
	struct histogram histogram = {0};

	(void)state;
	for (int64_t us = 0; us < 1000; us++)
		histogram_add(&histogram, US(us), 1);
	for (int64_t unit = 1; unit <= INT64_C(1000000000000); unit *= 10)
		for (int64_t us = 0; us < 1000; us++)
			histogram_add(&histogram, US(us * unit), 1);
	for (int i = 0; i < 100000; i++)
		histogram_add(&histogram, (int64_t)(random_number() >> random_number() % 64), 1);
	histogram_add(&histogram, INT64_MAX, 1);
	assert_int_equal(histogram.n, BUCKETS_MAX);
	assert_well_formed(&histogram);
	assert_true(histogram_bytes(&histogram) < 128 * 1024);
	histogram_release(&histogram);
}

/* Of one bucket, and of its neighbours, more than a cell can count. */
static void a_million_times_the_same_is_counted(void **state)
{
	const uint64_t steps[] = {1, 3, (1 << 20) - 2, (1 << 20) - 1, 1 << 20, UINT64_C(1) << 40,
		UINT64_C(1) << 61, (UINT64_C(1) << 40) + 12345, 7};
	struct histogram histogram = {0}, other = {0}, both = {0};
	struct histogram_sum *sum = histogram_sum_new();
	uint64_t count = 0;

	(void)state;
	assert_int_equal(histogram_add(&histogram, US(1000), 5), 0);
	assert_int_equal(histogram_add(&histogram, US(2000), 5), 0);
	for (size_t i = 0; i < sizeof steps / sizeof *steps; i++) {
		uint64_t times, seen = 0;
		int64_t ns;

		assert_int_equal(histogram_add(&histogram, US(1991 + (int64_t)i), steps[i]), 0);
		count += steps[i];
		assert_int_equal(histogram.count, count + 10);
		for (size_t k = 0; histogram_cell(&histogram, k, &ns, &times); k++)
			if (ns > US(1000) && ns <= US(2000))
				seen += times;
		assert_int_equal(seen, count + 5);
		assert_int_equal(histogram_at_most(&histogram, US(1000)), 5);
		assert_int_equal(histogram_at_most(&histogram, US(2000)), count + 10);
		assert_int_equal(histogram_quantile(&histogram, 0.9), US(2000));
		assert_true(histogram.n <= 1 + 4);
	}
	/* Merged with another, which has as many: it stays at the most. */
	assert_int_equal(histogram_add(&other, US(1995), UINT64_MAX), 0);
	assert_int_equal(histogram_add(&other, US(1995), 1), 0);
	assert_int_equal(other.count, UINT64_MAX);
	assert_int_equal(histogram_merge(&both, &histogram), 0);
	assert_same(&both, &histogram);
	assert_int_equal(histogram_merge(&both, &other), 0);
	assert_int_equal(both.count, UINT64_MAX);
	assert_int_equal(histogram_quantile(&both, 0.5), US(2000));
	histogram_sum_merge(sum, &histogram);
	histogram_release(&both);
	assert_int_equal(histogram_sum_into(sum, &both), 0);
	assert_same(&both, &histogram);
	histogram_sum_merge(sum, &other);
	assert_int_equal(histogram_sum_percentiles(sum).n, UINT64_MAX);
	assert_int_equal(histogram_sum_percentiles(sum).p50, US(2000));
	histogram_release(&histogram);
	histogram_release(&other);
	histogram_release(&both);
	histogram_sum_free(sum);
}

/* The digits of a count have no 0 among them: a cell that counts nothing would be none. */
static void no_cell_counts_nothing(void **state)
{
	const uint64_t most = (1 << 20) - 1;

	(void)state;
	for (uint64_t k = 1; k < 5; k++) {
		for (uint64_t off = 0; off < 3; off++) {
			struct histogram histogram = {0};
			uint64_t times, seen = 0;
			int64_t ns;

			histogram_add(&histogram, US(1), 1);
			histogram_add(&histogram, US(5), most * k - 1 + off);
			for (size_t i = 1; histogram_cell(&histogram, i, &ns, &times); i++) {
				assert_true(times > 0);
				seen += times;
			}
			assert_int_equal(seen, most * k - 1 + off);
			histogram_release(&histogram);
		}
	}
}

static void an_empty_one_knows_nothing(void **state)
{
	struct histogram histogram = {0}, other = {0};
	struct percentiles percentiles = histogram_percentiles(&histogram);

	(void)state;
	assert_int_equal(histogram_quantile(&histogram, 0.5), -1);
	assert_int_equal(histogram_at_most(&histogram, INT64_MAX), 0);
	assert_int_equal(percentiles.n + (uint64_t)percentiles.sum, 0);
	assert_int_equal(percentiles.p50, -1);
	assert_int_equal(percentiles.max, -1);
	assert_int_equal(histogram_add(&histogram, US(1), 0), 0);
	assert_int_equal(histogram_merge(&histogram, &other), 0);
	assert_null(histogram.cell);
	assert_int_equal(histogram_bytes(&histogram), 0);
	histogram_shrink(&histogram);
	histogram_add(&histogram, US(7), 1);
	histogram_clear(&histogram);
	assert_int_equal(histogram.min + histogram.max, 0);
	assert_int_equal(histogram.count + histogram.sum + histogram.n, 0);
	assert_non_null(histogram.cell);
	histogram_add(&histogram, US(5), 1);
	assert_int_equal(histogram.min, US(5));
	histogram_release(&histogram);
}

static void what_is_not_in_use_is_given_back(void **state)
{
	struct histogram histogram = {0}, other = {0};

	(void)state;
	assert_int_equal(histogram_reserve(&histogram, 1000, 1000), 0);
	for (int i = 0; i < 500; i++)
		histogram_add(&histogram, US(i), 1);
	assert_true(histogram_bytes(&histogram) > 1000 * 8);
	assert_int_equal(histogram_merge(&other, &histogram), 0);
	histogram_shrink(&histogram);
	assert_true(histogram_bytes(&histogram) <= 500 * 8 + 24);
	assert_same(&histogram, &other);
	assert_int_equal(histogram_add(&histogram, US(12345), 1), 0);
	assert_int_equal(histogram.n, 501);
	histogram_release(&histogram);
	histogram_release(&other);
}

static void the_sentence_says_n_first(void **state)
{
	struct percentiles percentiles = {
		.n = 1204, .p50 = 1200000, .p95 = 8100000, .p99 = 40000000, .max = 2010000000};
	char text[128];

	(void)state;
	assert_string_equal(percentiles_text(text, sizeof text, &percentiles),
		"n=1204  p50 1.2ms  p95 8.1ms  p99 40ms  max 2.01s");
	percentiles.n = 20;
	percentiles_text(text, sizeof text, &percentiles);
	assert_int_equal(strncmp(text, "n=20  p50", 9), 0);
	percentiles.n = 19;
	assert_string_equal(
		percentiles_text(text, sizeof text, &percentiles), "n=19, too few: max 2.01s");
	percentiles.n = 0;
	assert_string_equal(percentiles_text(text, sizeof text, &percentiles), "n=0");
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
		cmocka_unit_test(parts_make_the_same_as_the_whole_in_any_order),
		cmocka_unit_test(a_bucket_ends_with_a_round_number),
		cmocka_unit_test(every_bucket_is_the_hundredth_that_it_says),
		cmocka_unit_test(values_are_rounded_to_us_and_kept_within_bounds),
		cmocka_unit_test(hostile_values_take_a_bounded_number_of_cells),
		cmocka_unit_test(a_million_times_the_same_is_counted),
		cmocka_unit_test(no_cell_counts_nothing),
		cmocka_unit_test(an_empty_one_knows_nothing),
		cmocka_unit_test(what_is_not_in_use_is_given_back),
		cmocka_unit_test(the_sentence_says_n_first),
		cmocka_unit_test(an_allocation_that_fails_adds_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

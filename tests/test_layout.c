/* Where everything goes, at every size. */
#include "config.h"
#include "ui/layout.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

static bool overlap(struct rect a, struct rect b)
{
	return a.rows > 0 && b.rows > 0 && a.cols > 0 && b.cols > 0 && a.row < b.row + b.rows &&
	       b.row < a.row + a.rows && a.col < b.col + b.cols && b.col < a.col + a.cols;
}

static void check(int rows, int cols, const struct layout_wants *wants)
{
	struct layout l = layout_of(rows, cols, wants);
	const struct rect all[] = {
		l.title, l.worst, l.rule, l.header, l.body, l.message, l.keys, l.dialog};
	size_t n = sizeof all / sizeof *all;
	int used = 0;

	for (size_t i = 0; i < n; i++) {
		if (all[i].row < 0 || all[i].col < 0 || all[i].rows < 0 || all[i].cols < 0 ||
			(all[i].rows > 0 && (all[i].row + all[i].rows > rows ||
						    all[i].col + all[i].cols > cols)))
			fail_msg("rectangle %zu leaves %dx%d", i, cols, rows);
		used += all[i].rows;
		for (size_t j = i + 1; j < n; j++)
			if (overlap(all[i], all[j]))
				fail_msg("%zu and %zu overlap at %dx%d", i, j, cols, rows);
	}
	assert_true(l.title.rows > 0);
	if (used != rows)
		fail_msg("%d of %d rows are used (%d columns)", used, rows, cols);
	if (l.is_tiny)
		return;
	if (wants->worst_rows && !wants->has_prompt && l.worst.rows < 1)
		fail_msg("no worst lock at %dx%d", cols, rows);
	if (!wants->has_prompt && l.body.rows < 1)
		fail_msg("no list at %dx%d", cols, rows);
	if (wants->has_message && (l.message.rows < 1 || l.message.rows > 3))
		fail_msg("no message at %dx%d", cols, rows);
}

static void nothing_leaves_or_overlaps_at_any_size(void **state)
{
	(void)state;
	for (int rows = 1; rows <= 60; rows++)
		for (int cols = 1; cols <= 200; cols++)
			for (int i = 0; i < 64; i++) {
				const struct layout_wants wants = {
					.worst_rows = (const int[]){0, 1, 7, 40}[i & 3],
					.has_prompt = i & 4,
					.prompt_rows = i & 8 ? 12 : 1,
					.has_message = i & 16,
					.message_rows = i & 32 ? 9 : 1,
				};

				check(rows, cols, &wants);
			}
}

static void an_ordinary_terminal_has_everything(void **state)
{
	const struct layout_wants wants = {.worst_rows = 7};
	struct layout l = layout_of(24, 80, &wants);

	(void)state;
	assert_int_equal(l.worst.rows, 7);
	assert_int_equal(l.rule.rows, 1);
	assert_int_equal(l.header.rows, 1);
	assert_int_equal(l.message.rows, 1);
	assert_int_equal(l.keys.rows, 1);
	assert_int_equal(l.keys.row, 23);
	assert_int_equal(l.body.rows, 12);
}

static void in_few_rows_a_message_takes_the_place_of_the_keys(void **state)
{
	struct layout_wants wants = {.worst_rows = 7, .has_message = true};
	struct layout l = layout_of(7, 80, &wants);

	(void)state;
	assert_int_equal(l.message.rows, 1);
	assert_int_equal(l.keys.rows, 0);
	wants.has_message = false;
	l = layout_of(7, 80, &wants);
	assert_int_equal(l.message.rows, 0);
	assert_int_equal(l.keys.rows, 1);
}

static void below_the_least_size_only_the_verdict_is_there(void **state)
{
	const struct layout_wants wants = {.worst_rows = 7};

	(void)state;
	assert_true(layout_of(LAYOUT_MIN_ROWS - 1, 80, &wants).is_tiny);
	assert_true(layout_of(24, LAYOUT_MIN_COLS - 1, &wants).is_tiny);
	assert_false(layout_of(LAYOUT_MIN_ROWS, LAYOUT_MIN_COLS, &wants).is_tiny);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_leaves_or_overlaps_at_any_size),
		cmocka_unit_test(an_ordinary_terminal_has_everything),
		cmocka_unit_test(in_few_rows_a_message_takes_the_place_of_the_keys),
		cmocka_unit_test(below_the_least_size_only_the_verdict_is_there),
	};

	return cmocka_run_group_tests_name("layout", tests, NULL, NULL);
}

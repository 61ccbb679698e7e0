/* The scrolling table. */
#include "config.h"
#include "ui/table.h"

#include "scene.h"

static const enum column all[] = {COLUMN_STATE, COLUMN_NAME, COLUMN_HOLDER, COLUMN_USER, COLUMN_AGE,
	COLUMN_LIMIT, COLUMN_WAITERS, COLUMN_ADVICE, COLUMN_SOURCE};
enum { ALL = sizeof all / sizeof *all };

static bool has(const struct table_plan *plan, enum column column)
{
	for (size_t i = 0; i < plan->n; i++)
		if (plan->col[i].column == column)
			return true;
	return false;
}

static void columns_fit_and_do_not_overlap_at_any_width(void **state)
{
	(void)state;
	for (int cols = 1; cols <= 300; cols++) {
		struct table_plan plan;
		int end = 0;

		table_plan(&plan, cols, all, ALL);
		assert_true(plan.n > 0);
		for (size_t i = 0; i < plan.n; i++) {
			if (i && plan.col[i].at <= end)
				fail_msg("column %zu overlaps at %d", i, cols);
			end = plan.col[i].at + plan.col[i].width;
			if (plan.col[i].width && end > cols)
				fail_msg("column %zu leaves at %d", i, cols);
		}
	}
}

static void a_wider_table_loses_no_column(void **state)
{
	struct table_plan plan;
	size_t before = 0;

	(void)state;
	for (int cols = 1; cols <= 99; cols++) {
		table_plan(&plan, cols, all, ALL);
		if (plan.n < before)
			fail_msg("%zu columns at %d, %zu before", plan.n, cols, before);
		before = plan.n;
	}
	table_plan(&plan, 200, all, ALL);
	assert_int_equal(plan.n, ALL);
}

static void the_important_columns_stay_longest(void **state)
{
	struct table_plan plan;

	(void)state;
	table_plan(&plan, 26, all, ALL);
	assert_true(has(&plan, COLUMN_STATE) && has(&plan, COLUMN_NAME));
	assert_true(has(&plan, COLUMN_AGE));
	assert_false(has(&plan, COLUMN_SOURCE) || has(&plan, COLUMN_USER));
	table_plan(&plan, 200, all, ALL);
	for (size_t i = 0; i < ALL; i++) /* in the order wanted */
		assert_int_equal(plan.col[i].column, all[i]);
}

static void scrolling_shows_the_selected_row_and_moves_little(void **state)
{
	(void)state;
	assert_int_equal(table_scroll(0, 3, 100, 10), 0);
	assert_int_equal(table_scroll(0, 10, 100, 10), 1);
	assert_int_equal(table_scroll(50, 40, 100, 10), 40);
	assert_int_equal(table_scroll(99, 99, 100, 10), 90);
	assert_int_equal(table_scroll(7, 3, 5, 10), 0);
	assert_int_equal(table_scroll(7, 0, 0, 10), 0);
	for (size_t n = 0; n < 30; n++)
		for (size_t selected = 0; selected < n + 2; selected++)
			for (size_t first = 0; first < n + 5; first++)
				for (int rows = 0; rows < 12; rows++) {
					size_t at = table_scroll(first, selected, n, rows);
					size_t shown = rows > 0 ? (size_t)rows : 1;

					assert_true(at <= n);
					if (selected < n)
						assert_in_range(selected, at, at + shown - 1);
				}
}

static void ages_change_rarely(void **state)
{
	static const struct {
		int64_t s;
		const char *text;
	} cases[] = {{0, "<10s"}, {9, "<10s"}, {10, "10s"}, {47, "40s"}, {60, "1m"}, {3599, "59m"},
		{3600, "1h00m"}, {8040, "2h14m"}, {-5, "<0s"}};
	char text[32];

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
		assert_string_equal(
			table_age(text, sizeof text, cases[i].s * NS_PER_S), cases[i].text);
	assert_string_equal(table_age(text, sizeof text, AGE_UNKNOWN), "?");
}

static void the_state_is_told_in_words(void **state)
{
	struct scene scene;
	struct table_plan plan;
	char *row;

	(void)state;
	scene_init(&scene, GLYPHS_ASCII, 10, 60);
	scene_fill(&scene);
	table_plan(&plan, 60, all, ALL);
	for (size_t i = 0; i < scene.model.source[0].n; i++) {
		const struct entry *entry = scene.model.source[0].entry[i];

		canvas_clear(&scene.canvas);
		table_row(&scene.canvas, (struct rect){0, 0, 1, 60}, &plan, &scene.model, entry,
			(struct table_levels){0}, &glyphs_table[0], i == 2);
		row = canvas_row(&scene.canvas, 0);
		assert_non_null(strstr(row, state_word(entry->verdict.state)));
		assert_non_null(strstr(row, state_mark(entry->verdict.state, true)));
		assert_int_equal(row[0] == '>', i == 2);
		assert_int_equal(scene.canvas.cursor_row, i == 2 ? 0 : -1);
		free(row);
	}
	scene_release(&scene);
}

static void the_safety_stands_before_the_advice(void **state)
{
	struct scene scene;

	(void)state;
	scene_init(&scene, GLYPHS_ASCII, 24, 80);
	scene_fill(&scene);
	assert_shows(&scene, "SAFE: releas");
	assert_shows(&scene, "NOT SAFE: lo");
	scene_release(&scene);
}

/* The DO line of the worst lock too, however long its advice. */
static void the_safety_is_never_what_is_cut_off(void **state)
{
	struct scene scene;

	(void)state;
	for (int cols = 40; cols <= 120; cols++) {
		struct lock *lock;
		char *row, *found = NULL;

		scene_init(&scene, GLYPHS_ASCII, 24, cols);
		lock = scene_lock(&scene, "story.lock", 4711, LIFE_ALIVE, 3000);
		snprintf(lock->holder[0].comm, sizeof lock->holder[0].comm,
			"a-worker-with-quite-a-long-name");
		scene_put(&scene, 0, lock);
		scene_scanned(&scene, 0);
		scene_draw(&scene);
		for (int i = 0; i < 8 && !found; i++) {
			row = canvas_row(&scene.canvas, i);
			if (strncmp(row, " DO ", 4) == 0 && strstr(row, "NOT SAFE"))
				found = row;
			free(row);
		}
		assert_non_null(found);
		scene_release(&scene);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(columns_fit_and_do_not_overlap_at_any_width),
		cmocka_unit_test(a_wider_table_loses_no_column),
		cmocka_unit_test(the_important_columns_stay_longest),
		cmocka_unit_test(scrolling_shows_the_selected_row_and_moves_little),
		cmocka_unit_test(ages_change_rarely),
		cmocka_unit_test(the_state_is_told_in_words),
		cmocka_unit_test(the_safety_stands_before_the_advice),
		cmocka_unit_test(the_safety_is_never_what_is_cut_off),
	};

	return cmocka_run_group_tests_name("table", tests, NULL, NULL);
}

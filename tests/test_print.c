/* Cells of CSV and of tables, and the figures that stand in them. */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <string.h>

#include "cli/figures.h"
#include "cli/print.h"

static void assert_csv(const char *text, const char *cell)
{
	struct buf out = {0};

	print_csv_cell(&out, text);
	assert_string_equal(buf_text(&out), cell);
	buf_release(&out);
}

static void a_formula_is_no_formula_any_more(void **state)
{
	(void)state;
	assert_csv("=1+1", "\"'=1+1\"");
	assert_csv("=cmd|' /C calc'!A0", "\"'=cmd|' /C calc'!A0\"");
	assert_csv("@SUM(A1)", "\"'@SUM(A1)\"");
	assert_csv("@1", "\"'@1\"");
	assert_csv("-1+1|x", "\"'-1+1|x\"");
	assert_csv("+x", "\"'+x\"");
	assert_csv("-", "\"'-\"");
	/* An age before its time, a number. */
	assert_csv("-47s", "-47s");
	assert_csv("-2h14m", "-2h14m");
	assert_csv("+1.5", "+1.5");
}

static void what_needs_it_is_quoted(void **state)
{
	(void)state;
	assert_csv("", "");
	assert_csv("/run/x.lock", "/run/x.lock");
	assert_csv("a,b", "\"a,b\"");
	assert_csv("a\"b", "\"a\"\"b\"");
	assert_csv("a\nb", "\"a\nb\"");
	assert_csv("=a\"b", "\"'=a\"\"b\"");
}

static void counts_have_commas(void **state)
{
	char text[32];

	(void)state;
	assert_string_equal(print_count(text, sizeof text, 0), "0");
	assert_string_equal(print_count(text, sizeof text, 999), "999");
	assert_string_equal(print_count(text, sizeof text, 1000), "1,000");
	assert_string_equal(
		print_count(text, sizeof text, UINT64_MAX), "18,446,744,073,709,551,615");
	assert_string_equal(print_count(text, 5, 1234567), "1,2");
}

static void a_figure_is_for_people_and_for_programs(void **state)
{
	struct tally tally = {.count[METRIC_ACQUIRED] = 1200, .count[METRIC_BUSY] = 34};
	struct figures figures;
	char text[32];

	(void)state;
	assert_int_equal(histogram_add(&tally.wait, 12345678, 1), 0);
	tally.count[METRIC_STALE] = 5;
	figures = figures_of(&tally, 2 * 86400 * NS_PER_S);
	assert_string_equal(figure_text(text, sizeof text, &figures, FIGURE_ATTEMPTS), "1,234");
	assert_string_equal(figure_plain(text, sizeof text, &figures, FIGURE_ATTEMPTS), "1234");
	assert_string_equal(figure_text(text, sizeof text, &figures, FIGURE_FAILED_PERCENT), "2.8");
	assert_string_equal(
		figure_plain(text, sizeof text, &figures, FIGURE_FAILED_PERCENT), "2.755");
	assert_string_equal(
		figure_plain(text, sizeof text, &figures, FIGURE_STALE_PER_100), "0.417");
	assert_string_equal(figure_plain(text, sizeof text, &figures, FIGURE_STALE_PER_DAY), "2.5");
	assert_string_equal(figure_text(text, sizeof text, &figures, FIGURE_WAIT_MAX), "12.3ms");
	assert_string_equal(figure_plain(text, sizeof text, &figures, FIGURE_WAIT_MAX), "12.346");
	assert_string_equal(figure_text(text, sizeof text, &figures, FIGURE_HOLD_P50), "-");
	assert_string_equal(figure_plain(text, sizeof text, &figures, FIGURE_HOLD_P50), "");
	tally_release(&tally);
}

static void of_nothing_there_is_no_rate(void **state)
{
	struct tally tally = {0};
	struct figures figures = figures_of(&tally, 0);
	json_t *json = figures_to_json(&figures);
	int64_t value;

	(void)state;
	assert_false(figure_value(&figures, FIGURE_FAILED_PERCENT, &value));
	assert_false(figure_value(&figures, FIGURE_STALE_PER_100, &value));
	assert_false(figure_value(&figures, FIGURE_STALE_PER_DAY, &value));
	assert_true(json_is_null(json_object_get(json, "failed_percent")));
	assert_int_equal(json_integer_value(json_object_get(json, "attempts")), 0);
	json_decref(json);
}

static void figures_have_words(void **state)
{
	(void)state;
	for (int i = 0; i < FIGURE_COUNT_OF; i++)
		assert_int_equal(figure_from_word(figure_info[i].word), i);
	assert_int_equal(figure_from_word("wait_p95"), FIGURE_WAIT_P95);
	assert_int_equal(figure_from_word("wait"), -1);
	assert_int_equal(figure_from_word(""), -1);
	assert_int_equal(figure_from_word("stale_"), -1);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_formula_is_no_formula_any_more),
		cmocka_unit_test(what_needs_it_is_quoted),
		cmocka_unit_test(counts_have_commas),
		cmocka_unit_test(a_figure_is_for_people_and_for_programs),
		cmocka_unit_test(of_nothing_there_is_no_rate),
		cmocka_unit_test(figures_have_words),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* The screen as a value. */
#include "config.h"
#include "ui/canvas.h"

#include <locale.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

static void assert_row(const struct canvas *canvas, int row, const char *expected)
{
	char *text = canvas_row(canvas, row);

	assert_non_null(text);
	assert_string_equal(text, expected);
	free(text);
}

static int setup(void **state)
{
	static struct canvas canvas;

	setlocale(LC_CTYPE, "C.UTF-8");
	*state = &canvas;
	return canvas_init(&canvas, 3, 10);
}

static int teardown(void **state)
{
	canvas_release(*state);
	return 0;
}

static void text_is_cut_at_its_columns_and_at_the_edge(void **state)
{
	struct canvas *canvas = *state;

	assert_int_equal(canvas_text(canvas, 0, 2, 3, STYLE_BOLD, "abcdef"), 3);
	assert_row(canvas, 0, "  abc");
	assert_int_equal(canvas_text(canvas, 1, 8, 20, STYLE_BOLD, "abcdef"), 2);
	assert_row(canvas, 1, "        ab");
	assert_int_equal(canvas->cell[2].style, STYLE_BOLD);
	assert_int_equal(canvas->cell[1].style, STYLE_NORMAL);
}

static void what_lies_outside_is_dropped(void **state)
{
	struct canvas *canvas = *state;

	assert_int_equal(canvas_text(canvas, -1, 0, 10, STYLE_NORMAL, "x"), 0);
	assert_int_equal(canvas_text(canvas, 3, 0, 10, STYLE_NORMAL, "x"), 0);
	assert_int_equal(canvas_text(canvas, 0, 10, 10, STYLE_NORMAL, "x"), 0);
	canvas_text(canvas, 0, -2, 10, STYLE_NORMAL, "abcd");
	assert_row(canvas, 0, "cd");
	canvas_style(canvas, 0, -5, 100, STYLE_CURSOR);
	canvas_style(canvas, 7, 0, 1, STYLE_CURSOR);
	canvas_fill(canvas, (struct rect){-1, -1, 100, 100}, STYLE_NORMAL, "=");
	assert_row(canvas, 2, "==========");
}

static void control_bytes_cannot_reach_the_terminal(void **state)
{
	struct canvas *canvas = *state;
	static const char *const hostile[] = {"\033[2J", "a\nb", "a\rb", "\t", "\x7f",
		"\xc2\x9b"
		"31m",
		"\xe2\x80\xae"
		"gpj.exe",
		"\xff\xfe", "\xed\xa0\x80", "\xf4\x90\x80\x80", "\xe2\x80\x8b", "\xcc\x81"};

	for (size_t i = 0; i < sizeof hostile / sizeof *hostile; i++) {
		canvas_clear(canvas);
		canvas_text(canvas, 0, 0, 10, STYLE_NORMAL, hostile[i]);
		canvas_textf(canvas, 1, 0, 10, STYLE_NORMAL, "%s", hostile[i]);
		canvas_right(canvas, 2, 0, 10, STYLE_NORMAL, hostile[i]);
		for (int at = 0; at < 30; at++)
			for (const char *c = canvas->cell[at].text; *c; c++)
				assert_in_range((unsigned char)*c, 0x20, 0x7e);
	}
	canvas_clear(canvas);
	canvas_text(canvas, 0, 0, 10, STYLE_NORMAL, "a\033b");
	assert_row(canvas, 0, "a\\x1bb");
}

static void a_wide_character_has_two_cells_or_none(void **state)
{
	struct canvas *canvas = *state;

	assert_int_equal(canvas_text(canvas, 0, 0, 3, STYLE_NORMAL, "日本"), 2);
	assert_row(canvas, 0, "日");
	assert_string_equal(canvas->cell[1].text, "");
	assert_int_equal(canvas_text(canvas, 0, 9, 5, STYLE_NORMAL, "本"), 0);
	canvas_text(canvas, 0, 1, 1, STYLE_NORMAL, "x"); /* over the right half */
	assert_row(canvas, 0, " x");
	canvas_text(canvas, 1, 0, 2, STYLE_NORMAL, "日");
	canvas_text(canvas, 1, 0, 1, STYLE_NORMAL, "y"); /* over the left half */
	assert_row(canvas, 1, "y");
	canvas_text(canvas, 2, 0, 4, STYLE_NORMAL, "日本");
	canvas_text(canvas, 2, 1, 2, STYLE_NORMAL, "語"); /* over one half of each */
	assert_row(canvas, 2, " 語");
}

static void a_combining_mark_stays_with_its_letter(void **state)
{
	struct canvas *canvas = *state;

	assert_int_equal(canvas_text(canvas, 0, 0, 10, STYLE_NORMAL, "e\xcc\x81x"), 2);
	assert_string_equal(canvas->cell[0].text, "e\xcc\x81");
	/* What does not fit into the cell is dropped. */
	canvas_text(canvas, 1, 0, 10, STYLE_NORMAL, "e\xe2\x83\x97\xe2\x83\x97y");
	assert_true(strlen(canvas->cell[10].text) < sizeof canvas->cell[10].text);
	assert_string_equal(canvas->cell[11].text, "y");
}

static void text_can_end_at_the_right(void **state)
{
	struct canvas *canvas = *state;

	assert_int_equal(canvas_right(canvas, 0, 2, 6, STYLE_NORMAL, "abc"), 3);
	assert_row(canvas, 0, "     abc");
	assert_int_equal(canvas_right(canvas, 1, 2, 2, STYLE_NORMAL, "abc"), 2);
	assert_row(canvas, 1, "  ab");
}

static void a_long_format_is_cut_between_characters(void **state)
{
	struct canvas *canvas = *state;
	struct canvas wide;
	char text[6000];

	(void)canvas;
	for (size_t i = 0; i + 2 < sizeof text; i += 2)
		memcpy(text + i, "\xc3\xa9", 2);
	text[sizeof text - 2] = '\0';
	assert_int_equal(canvas_init(&wide, 1, 4000), 0);
	assert_in_range(canvas_textf(&wide, 0, 0, 4000, STYLE_NORMAL, "x%s", text), 1000, 1100);
	for (int i = 1; wide.cell[i].text[0] != ' '; i++)
		assert_string_equal(wide.cell[i].text, "\xc3\xa9");
	canvas_release(&wide);
}

static void text_is_broken_at_spaces(void **state)
{
	struct canvas *canvas = *state;
	struct rect rect = {0, 0, 3, 10};

	assert_int_equal(canvas_wrap(canvas, rect, STYLE_NORMAL, "release it when done"), 2);
	assert_row(canvas, 0, "release it");
	assert_row(canvas, 1, "when done");
	assert_int_equal(canvas_wrap(NULL, rect, STYLE_NORMAL, "abcdefghijklmnopqrstuvwxyz"), 3);
	assert_int_equal(canvas_wrap(NULL, rect, STYLE_NORMAL, ""), 1);
	assert_int_equal(canvas_wrap(NULL, (struct rect){0, 0, 1, 1}, STYLE_NORMAL, "日本"), 2);
	assert_int_equal(canvas_wrap(NULL, (struct rect){0, 0, 1, 0}, STYLE_NORMAL, "ab"), 0);
}

static void canvases_are_compared_by_text_and_style(void **state)
{
	struct canvas *canvas = *state;
	struct canvas other;

	assert_int_equal(canvas_init(&other, 3, 10), 0);
	assert_true(canvas_equal(canvas, &other));
	canvas_style(&other, 2, 9, 1, STYLE_BOLD);
	assert_false(canvas_equal(canvas, &other));
	canvas_release(&other);
	assert_int_equal(canvas_init(&other, 0, -4), 0); /* never smaller than 1x1 */
	assert_int_equal(other.rows * other.cols, 1);
	assert_false(canvas_equal(canvas, &other));
	canvas_release(&other);
}

static void a_dump_has_a_line_for_every_row(void **state)
{
	struct canvas *canvas = *state;
	char *text;

	canvas_text(canvas, 1, 1, 9, STYLE_NORMAL, "x  ");
	text = canvas_dump(canvas);
	assert_string_equal(text, "\n x\n\n");
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define _(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
		_(text_is_cut_at_its_columns_and_at_the_edge),
		_(what_lies_outside_is_dropped),
		_(control_bytes_cannot_reach_the_terminal),
		_(a_wide_character_has_two_cells_or_none),
		_(a_combining_mark_stays_with_its_letter),
		_(text_can_end_at_the_right),
		_(a_long_format_is_cut_between_characters),
		_(text_is_broken_at_spaces),
		_(canvases_are_compared_by_text_and_style),
		_(a_dump_has_a_line_for_every_row),
#undef _
	};

	return cmocka_run_group_tests_name("canvas", tests, NULL, NULL);
}

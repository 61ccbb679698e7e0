/* Styles by role. */
#include "config.h"
#include "ui/style.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

static void no_style_is_blue(void **state)
{
	(void)state;
	for (enum style style = 0; style < STYLE_COUNT; style++) {
		assert_true(style_info[style].name && *style_info[style].name);
		assert_true(style_info[style].colour != 4);
		assert_in_range(style_info[style].colour + 1, 0, 16);
	}
}

static void bad_states_look_bad(void **state)
{
	(void)state;
	assert_int_equal(style_of_state(STATE_STALE), STYLE_BAD);
	assert_int_equal(style_of_state(STATE_OVERDUE), STYLE_WARN);
	assert_int_equal(style_of_state(STATE_HELD), STYLE_GOOD);
	assert_int_equal(style_of_state(STATE_COUNT), STYLE_NORMAL);
	assert_int_equal(style_of_safety(SAFETY_NOT_SAFE), STYLE_BAD);
	assert_int_equal(style_of_safety(SAFETY_SAFE), STYLE_GOOD);
	assert_int_equal(style_of_safety(SAFETY_UNKNOWN), STYLE_WARN);
}

static enum color color_of(const char *word, const char *no_color, const char *term)
{
	enum color color = (enum color) - 1;

	assert_int_equal(color_from_word(word, no_color, term, &color), 0);
	return color;
}

static void no_color_counts_when_it_is_not_empty(void **state)
{
	(void)state;
	assert_int_equal(color_of("auto", NULL, "xterm"), COLOR_16);
	assert_int_equal(color_of(NULL, "", "xterm"), COLOR_16);
	assert_int_equal(color_of("auto", "1", "xterm"), COLOR_NEVER);
	assert_int_equal(color_of("16", "1", "dumb"), COLOR_16);
	assert_int_equal(color_of("never", NULL, "xterm"), COLOR_NEVER);
}

static void a_terminal_without_colour_gets_none(void **state)
{
	(void)state;
	assert_int_equal(color_of("auto", NULL, "dumb"), COLOR_NEVER);
	assert_int_equal(color_of("auto", NULL, "vt220"), COLOR_NEVER);
	assert_int_equal(color_of("auto", NULL, NULL), COLOR_NEVER);
}

static void another_word_is_refused(void **state)
{
	enum color color = COLOR_16;

	(void)state;
	assert_int_equal(color_from_word("always", NULL, "xterm", &color), -EINVAL);
	assert_int_equal(color, COLOR_16);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(no_style_is_blue),
		cmocka_unit_test(bad_states_look_bad),
		cmocka_unit_test(no_color_counts_when_it_is_not_empty),
		cmocka_unit_test(a_terminal_without_colour_gets_none),
		cmocka_unit_test(another_word_is_refused),
	};

	return cmocka_run_group_tests_name("style", tests, NULL, NULL);
}

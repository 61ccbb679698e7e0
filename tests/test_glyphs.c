/* The characters beyond ASCII. */
#include "config.h"
#include "ui/glyphs.h"

#include <errno.h>
#include <locale.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "base/text.h"

static enum glyph_set set_of(const char *word, bool is_utf8, const char *term)
{
	const struct glyphs *glyphs = NULL;

	assert_int_equal(glyphs_from_word(word, is_utf8, term, &glyphs), 0);
	return glyphs->set;
}

static void auto_asks_locale_and_terminal(void **state)
{
	(void)state;
	assert_int_equal(set_of("auto", true, "xterm-256color"), GLYPHS_BRAILLE);
	assert_int_equal(set_of(NULL, true, "xterm"), GLYPHS_BRAILLE);
	assert_int_equal(set_of("auto", true, "linux"), GLYPHS_BOX);
	assert_int_equal(set_of("auto", true, "vt220"), GLYPHS_BOX);
	assert_int_equal(set_of("auto", true, NULL), GLYPHS_ASCII);
	assert_int_equal(set_of("auto", false, "xterm"), GLYPHS_ASCII);
	assert_int_equal(set_of("ascii", true, "xterm"), GLYPHS_ASCII);
	assert_int_equal(set_of("box", true, "xterm"), GLYPHS_BOX);
}

static void what_the_locale_cannot_show_is_refused(void **state)
{
	const struct glyphs *glyphs = NULL;

	(void)state;
	assert_int_equal(glyphs_from_word("box", false, "xterm", &glyphs), -EINVAL);
	assert_int_equal(glyphs_from_word("braille", false, "xterm", &glyphs), -EINVAL);
	assert_int_equal(glyphs_from_word("emoji", true, "xterm", &glyphs), -EINVAL);
	assert_null(glyphs);
}

static void check_one(const struct glyphs *glyphs, const char *text, int width)
{
	assert_non_null(text);
	assert_int_equal(text_width(text), width);
	for (const char *c = text; glyphs->is_ascii && *c; c++)
		assert_in_range((unsigned char)*c, 0x20, 0x7e);
}

static void every_glyph_has_its_width(void **state)
{
	(void)state;
	for (int set = 0; set < 3; set++) {
		const struct glyphs *g = &glyphs_table[set];
		const char *const one[] = {g->rule, g->cursor, g->tag, g->more_up, g->more_down,
			g->ellipsis, g->box_tl, g->box_tr, g->box_bl, g->box_br, g->box_h,
			g->box_v};

		assert_int_equal(g->set, set);
		assert_int_equal(g->is_ascii, set == GLYPHS_ASCII);
		for (size_t i = 0; i < sizeof one / sizeof *one; i++)
			check_one(g, one[i], 1);
		for (size_t i = 0; i < 9; i++)
			check_one(g, g->bar[i], 1);
		check_one(g, g->tree_branch, 2);
		check_one(g, g->tree_last, 2);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(auto_asks_locale_and_terminal),
		cmocka_unit_test(what_the_locale_cannot_show_is_refused),
		cmocka_unit_test(every_glyph_has_its_width),
	};

	setlocale(LC_CTYPE, "C.UTF-8");
	return cmocka_run_group_tests_name("glyphs", tests, NULL, NULL);
}

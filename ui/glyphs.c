/* The characters beyond ASCII, in three sets. */
#include "config.h"
#include "ui/glyphs.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>

/*
 * Few on purpose, and only of the old WGL4 repertoire: what a font lacks is drawn as a box, and
 * what East Asian terminals take for two columns shifts the row.
 */
#define LINES_OF_BOX                                                                           \
	.rule = "─", .cursor = ">", .tag = "*", .more_up = "↑", .more_down = "↓",              \
	.tree_branch = "├─", .tree_last = "└─", .ellipsis = "…", .box_tl = "┌", .box_tr = "┐", \
	.box_bl = "└", .box_br = "┘", .box_h = "─", .box_v = "│", .axis = "┤", .tick = "┬"

const struct glyphs glyphs_table[3] = {
	[GLYPHS_ASCII] =
		{
			.set = GLYPHS_ASCII,
			.is_ascii = true,
			.rule = "-",
			.cursor = ">",
			.tag = "*",
			.more_up = "^",
			.more_down = "v",
			.tree_branch = "|-",
			.tree_last = "`-",
			.ellipsis = "~",
			.box_tl = "+",
			.box_tr = "+",
			.box_bl = "+",
			.box_br = "+",
			.box_h = "-",
			.box_v = "|",
			.axis = "+",
			.tick = "+",
			.bar = {" ", ".", ".", ":", ":", "=", "=", "#", "#"},
		},
	[GLYPHS_BOX] =
		{
			.set = GLYPHS_BOX,
			LINES_OF_BOX,
			.bar = {" ", "▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"},
		},
	[GLYPHS_BRAILLE] =
		{
			.set = GLYPHS_BRAILLE,
			LINES_OF_BOX,
			.bar = {" ", "⡀", "⣀", "⣄", "⣤", "⣦", "⣶", "⣷", "⣿"},
		},
};

/* The console and the vt family draw lines but no braille; what is not known draws nothing. */
static enum glyph_set set_of_terminal(bool is_utf8, const char *term)
{
	if (!is_utf8 || !term || !*term || strcmp(term, "dumb") == 0)
		return GLYPHS_ASCII;
	if (strncmp(term, "linux", 5) == 0 || strncmp(term, "vt", 2) == 0)
		return GLYPHS_BOX;
	return GLYPHS_BRAILLE;
}

int glyphs_from_word(const char *word, bool is_utf8, const char *term, const struct glyphs **out)
{
	static const char *const words[] = {"ascii", "box", "braille"};

	if (!word || strcmp(word, "auto") == 0) {
		*out = &glyphs_table[set_of_terminal(is_utf8, term)];
		return 0;
	}
	for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
		if (strcmp(word, words[i]) != 0)
			continue;
		if (i != GLYPHS_ASCII && !is_utf8)
			return -EINVAL;
		*out = &glyphs_table[i];
		return 0;
	}
	return -EINVAL;
}

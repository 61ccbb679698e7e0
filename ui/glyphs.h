/*
 * The few characters that are more than ASCII, in three sets: ascii for any terminal, box for
 * UTF-8, braille where small graphs may use it (never on TERM=linux or vt*).
 */
#ifndef LOCKTOP_UI_GLYPHS_H
#define LOCKTOP_UI_GLYPHS_H

#include <stdbool.h>

enum glyph_set { GLYPHS_ASCII, GLYPHS_BOX, GLYPHS_BRAILLE };

struct glyphs {
	enum glyph_set set;
	bool is_ascii;
	const char *rule;                    /* horizontal line, one column */
	const char *cursor;                  /* in front of the selected row */
	const char *tag;                     /* in front of a tagged row */
	const char *more_up, *more_down;     /* there are rows beyond */
	const char *tree_branch, *tree_last; /* holder -> waiters */
	const char *ellipsis;
	const char *box_tl, *box_tr, *box_bl, *box_br, *box_h, *box_v;
	const char *axis, *tick; /* where a label of a graph's axis belongs to */
	const char *bar[9];      /* empty to full, one column; a gauge of age against limit */
};

extern const struct glyphs glyphs_table[3];

/*
 * word: auto, ascii, box, braille. auto: braille in a UTF-8 locale on a terminal that has it,
 * box in UTF-8 else, ascii otherwise; box and braille in a locale that is not UTF-8 are refused
 * with -EINVAL.
 */
int glyphs_from_word(const char *word, bool is_utf8, const char *term, const struct glyphs **out);

#endif

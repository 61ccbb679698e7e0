/*
 * Styles by role: views say what a text is, screen.c knows what that looks like. Nothing is told
 * by colour alone: every role's meaning is also in a word or a mark on the screen.
 */
#ifndef LOCKTOP_UI_STYLE_H
#define LOCKTOP_UI_STYLE_H

#include "model/verdict.h"
#include <stdbool.h>

/* id, name, colour (terminal's own 16, -1 default), bold, reverse, dim, underline */
#define STYLES(_)                                                                   \
	_(NORMAL, "normal", -1, 0, 0, 0, 0)                                         \
	_(DIM, "dim", -1, 0, 0, 1, 0)                                               \
	_(BOLD, "bold", -1, 1, 0, 0, 0)                                             \
	_(TITLE, "title", -1, 0, 1, 0, 0)   /* the top line */                      \
	_(HEADER, "header", -1, 1, 0, 0, 1) /* column titles */                     \
	_(CURSOR, "cursor", -1, 0, 1, 0, 0) /* the selected row */                  \
	_(KEY, "key", -1, 1, 0, 0, 0)       /* a key in the key bar */              \
	_(GOOD, "good", 2, 0, 0, 0, 0)      /* HELD, SAFE */                        \
	_(WARN, "warn", 3, 1, 0, 0, 0)      /* OVERDUE, UNKNOWN */                  \
	_(BAD, "bad", 1, 1, 0, 0, 0)        /* STALE, NOT SAFE */                   \
	_(ALERT, "alert", 1, 1, 1, 0, 0)    /* STALE DATA, the worst lock's line */ \
	_(PROMPT, "prompt", -1, 1, 0, 0, 0)

enum style {
#define _(id, name, colour, bold, reverse, dim, underline) STYLE_##id,
	STYLES(_)
#undef _
		STYLE_COUNT
};

struct style_info {
	const char *name;
	int colour;
	bool is_bold, is_reverse, is_dim, is_underline;
};

extern const struct style_info style_info[STYLE_COUNT];

enum style style_of_state(enum state state);
enum style style_of_safety(enum safety safe);

/* How much colour: decided once, from --color, NO_COLOR (set and not empty: none), TERM. */
enum color { COLOR_NEVER, COLOR_16 };
/* word: auto, never, 16. -EINVAL: none of these. */
int color_from_word(const char *word, const char *no_color, const char *term, enum color *out);

#endif

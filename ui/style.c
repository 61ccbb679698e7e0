/* Styles by role, and how much colour there is. */
#include "config.h"
#include "ui/style.h"

#include <errno.h>
#include <string.h>

const struct style_info style_info[STYLE_COUNT] = {
#define _(id, name, colour, bold, reverse, dim, underline) \
	[STYLE_##id] = {name, colour, bold, reverse, dim, underline},
	STYLES(_)
#undef _
};

enum style style_of_state(enum state state)
{
	static const enum style style[STATE_COUNT] = {
		[STATE_FREE] = STYLE_DIM,
		[STATE_HELD] = STYLE_GOOD,
		[STATE_UNKNOWN] = STYLE_WARN,
		[STATE_CORRUPT] = STYLE_WARN,
		[STATE_EXPIRED] = STYLE_BAD,
		[STATE_OVERDUE] = STYLE_WARN,
		[STATE_STALE] = STYLE_BAD,
	};

	return (unsigned int)state < STATE_COUNT ? style[state] : STYLE_NORMAL;
}

enum style style_of_safety(enum safety safe)
{
	static const enum style style[] = {
		[SAFETY_UNKNOWN] = STYLE_WARN,
		[SAFETY_SAFE] = STYLE_GOOD,
		[SAFETY_NOT_SAFE] = STYLE_BAD,
		[SAFETY_NONE] = STYLE_NORMAL,
	};

	return (unsigned int)safe <= SAFETY_NONE ? style[safe] : STYLE_NORMAL;
}

/* Terminals without colour; what else has none, terminfo says (screen.c asks it). */
static bool term_is_mono(const char *term)
{
	return !term || !*term || strcmp(term, "dumb") == 0 || strncmp(term, "vt", 2) == 0;
}

int color_from_word(const char *word, const char *no_color, const char *term, enum color *out)
{
	if (!word || strcmp(word, "auto") == 0)
		*out = (no_color && *no_color) || term_is_mono(term) ? COLOR_NEVER : COLOR_16;
	else if (strcmp(word, "never") == 0)
		*out = COLOR_NEVER;
	else if (strcmp(word, "16") == 0) /* asked for by name: goes over NO_COLOR */
		*out = COLOR_16;
	else
		return -EINVAL;
	return 0;
}

/*
 * A question, as a state that is drawn like all else: no nested loop, events keep flowing. A
 * line edit (filter, typed pid) or a choice whose default is Cancel.
 */
#ifndef LOCKTOP_UI_PROMPT_H
#define LOCKTOP_UI_PROMPT_H

#include "ui/canvas.h"
#include "ui/glyphs.h"

enum prompt_kind {
	PROMPT_NONE,
	PROMPT_LINE, /* free text; Enter takes it, Esc cancels */
	PROMPT_YES,  /* y does it; anything else, Enter included, cancels */
	PROMPT_TYPE, /* `expected` has to be typed exactly, then Enter */
};

enum prompt_answer { PROMPT_OPEN, PROMPT_TAKEN, PROMPT_CANCELLED, PROMPT_CHANGED /* LINE: live */ };

enum { PROMPT_LINES = 12, PROMPT_WIDTH = 200 };

struct prompt {
	enum prompt_kind kind;
	char title[PROMPT_WIDTH];
	char line[PROMPT_LINES][PROMPT_WIDTH]; /* what will be done, to whom, on what evidence */
	int lines;
	char question[PROMPT_WIDTH]; /* "Release it? [y/N]", "Type the pid 4711 to force:" */
	char expected[32];
	char input[128]; /* UTF-8 */
};

void prompt_open(struct prompt *prompt, enum prompt_kind kind, const char *title);
void prompt_add(struct prompt *prompt, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
/*
 * Takes a key; on TAKEN and CANCELLED the prompt is closed (input stays readable). Enter on a
 * TYPE whose input is not what was expected cancels.
 */
enum prompt_answer prompt_key(struct prompt *prompt, int key);
/* Rows that the dialog wants at this width; of a LINE always one. */
int prompt_rows(const struct prompt *prompt, int cols);
void prompt_draw(struct canvas *canvas, struct rect rect, const struct prompt *prompt,
	const struct glyphs *glyphs);

#endif

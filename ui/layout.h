/*
 * Where everything goes: a pure function of the terminal's size and what there is to show. No
 * two rectangles overlap, none leaves the screen, at any size from 1x1 (tests sweep them).
 */
#ifndef LOCKTOP_UI_LAYOUT_H
#define LOCKTOP_UI_LAYOUT_H

#include "ui/canvas.h"

/* What wants room. A rectangle with 0 rows is not shown. */
struct layout_wants {
	int worst_rows;  /* lines of the worst lock's block; 0: all is well */
	bool has_prompt; /* a question or a filter line is open */
	int prompt_rows; /* lines of the dialog */
	bool has_message;
	int message_rows; /* lines of the message; 0 is 1 */
};

struct layout {
	struct rect title;   /* one line on top */
	struct rect worst;   /* verdict first */
	struct rect rule;    /* line between */
	struct rect header;  /* column titles */
	struct rect body;    /* the list, or the view's text */
	struct rect message; /* last result or refusal; a long one takes lines from the body */
	struct rect keys;    /* key bar, one line */
	struct rect dialog;  /* under the body, which shrinks: nothing is covered */
	bool is_tiny;        /* too small for more than the verdict: title is all there is */
};

/* Below this the screen shows only the verdict. */
enum { LAYOUT_MIN_ROWS = 6, LAYOUT_MIN_COLS = 30 };

struct layout layout_of(int rows, int cols, const struct layout_wants *wants);

#endif

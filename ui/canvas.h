/*
 * The screen as a value: cells of one UTF-8 character and a style. Views draw into it, tests
 * compare its rows as text, screen.c shows it. canvas_text() is one of the two doors through
 * which text from outside reaches the terminal: whatever is unclean is cleaned here again.
 */
#ifndef LOCKTOP_UI_CANVAS_H
#define LOCKTOP_UI_CANVAS_H

#include "ui/style.h"
#include <stdbool.h>
#include <stddef.h>

struct cell {
	char text[7];        /* one character, NUL-terminated; "" is the right half of a wide one */
	unsigned char style; /* enum style */
};

struct canvas {
	int rows, cols;
	struct cell *cell; /* owned; rows * cols */
	/* Where the hardware cursor stands (screen readers and Braille displays follow it); -1
	 * unsaid. */
	int cursor_row, cursor_col;
};

struct rect {
	int row, col, rows, cols;
};

/* Any size from 1x1. Blank. 0 or -ENOMEM. */
int canvas_init(struct canvas *canvas, int rows, int cols);
void canvas_release(struct canvas *canvas);
void canvas_clear(struct canvas *canvas);
/*
 * Writes clean text at row, col, cut to at most cols columns and to the canvas; what lies
 * outside is dropped. Returns the columns written.
 */
int canvas_text(
	struct canvas *canvas, int row, int col, int cols, enum style style, const char *text);
int canvas_textf(struct canvas *canvas, int row, int col, int cols, enum style style,
	const char *format, ...) __attribute__((format(printf, 6, 7)));
/* The same, ending at col + cols. */
int canvas_right(
	struct canvas *canvas, int row, int col, int cols, enum style style, const char *text);
/* Fills a rectangle with one character of one column. */
void canvas_fill(struct canvas *canvas, struct rect rect, enum style style, const char *text);
/* Changes the style of a row's part and keeps the text. */
void canvas_style(struct canvas *canvas, int row, int col, int cols, enum style style);
/* Bytes of the first line of text, broken at a space to fit into cols, and where the next begins.
 */
size_t canvas_break(const char *text, int cols, const char **next);
/*
 * Writes clean text broken at spaces over the rows of rect. Returns the rows that all of it
 * takes, at least 1; canvas NULL only measures.
 */
int canvas_wrap(struct canvas *canvas, struct rect rect, enum style style, const char *text);
/* One row as text without trailing blanks; malloc'ed, NULL out of memory. */
char *canvas_row(const struct canvas *canvas, int row);
/* All rows, a newline after each. */
char *canvas_dump(const struct canvas *canvas);
/* Same size, text and styles? */
bool canvas_equal(const struct canvas *a, const struct canvas *b);

#endif

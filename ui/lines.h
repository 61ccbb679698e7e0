/*
 * A text of labelled lines, wrapped to a width: what the views that are not a table consist of.
 */
#ifndef LOCKTOP_UI_LINES_H
#define LOCKTOP_UI_LINES_H

#include "ui/layout.h"

struct line {
	enum style style;
	char label[16]; /* "" on the lines that continue one */
	char *text;     /* owned */
};

struct lines {
	int cols; /* width to wrap to */
	struct line *line;
	size_t n, size;
};

/* Appends text under a label (may be ""), as many lines as it takes. */
void lines_add(struct lines *lines, enum style style, const char *label, const char *format, ...)
	__attribute__((format(printf, 4, 5)));
/* A heading, with an empty line before it. */
void lines_heading(struct lines *lines, const char *text);
/* Draws what fits from line `first` on. */
void lines_draw(struct canvas *canvas, struct rect rect, const struct lines *lines, size_t first);
/* Writes the view's title, and where in its lines one is, into the layout's header. */
void lines_title(struct canvas *canvas, const struct layout *layout, const struct lines *lines,
	size_t first, const char *title);
void lines_release(struct lines *lines);

struct top;
typedef void lines_make_fn(struct lines *lines, const struct top *top);

/* The rows() and draw() of a view that consists of such lines, made by `make`. */
size_t lines_rows(const struct top *top, lines_make_fn *make);
void lines_view(const struct top *top, struct canvas *canvas, const struct layout *layout,
	lines_make_fn *make, const char *title);

#endif

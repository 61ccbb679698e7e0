/* A text of labelled lines. */
#include "config.h"
#include "ui/lines.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ui/top.h"

enum { LABEL = 10, TEXT = 1024 };

static void add(
	struct lines *lines, enum style style, const char *label, const char *text, size_t len)
{
	struct line *line;

	if (lines->n == lines->size) {
		lines->size = lines->size ? 2 * lines->size : 32;
		lines->line = top_must(realloc(lines->line, lines->size * sizeof *lines->line));
	}
	line = &lines->line[lines->n++];
	line->style = style;
	line->text = top_must(strndup(text, len));
	snprintf(line->label, sizeof line->label, "%s", label);
}

void lines_add(struct lines *lines, enum style style, const char *label, const char *format, ...)
{
	char text[TEXT];
	const char *at = text;
	int cols = lines->cols - LABEL - 1;
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof text, format, args);
	va_end(args);
	do {
		const char *next;
		size_t len = canvas_break(at, cols > 0 ? cols : 1, &next);

		add(lines, style, label, at, len);
		label = "";
		if (next == at)
			break;
		at = next;
	} while (*at);
}

void lines_heading(struct lines *lines, const char *text)
{
	if (lines->n)
		add(lines, STYLE_NORMAL, "", "", 0);
	add(lines, STYLE_BOLD, text, "", 0);
}

void lines_draw(struct canvas *canvas, struct rect rect, const struct lines *lines, size_t first)
{
	for (int row = 0; row < rect.rows && first + (size_t)row < lines->n; row++) {
		const struct line *line = &lines->line[first + (size_t)row];

		canvas_text(canvas, rect.row + row, rect.col + 1, rect.cols - 1,
			*line->text ? STYLE_DIM : STYLE_BOLD, line->label);
		canvas_text(canvas, rect.row + row, rect.col + 1 + LABEL, rect.cols - 1 - LABEL,
			line->style, line->text);
	}
	if (canvas->cursor_row < 0 && rect.rows > 0) {
		canvas->cursor_row = rect.row;
		canvas->cursor_col = rect.col;
	}
}

void lines_title(struct canvas *canvas, const struct layout *layout, const struct lines *lines,
	size_t first, const char *title)
{
	size_t last = first + (size_t)layout->body.rows;
	char text[80];

	if (layout->header.rows < 1)
		return;
	canvas_fill(canvas, layout->header, STYLE_HEADER, " ");
	canvas_text(canvas, layout->header.row, 1, layout->header.cols - 1, STYLE_HEADER, title);
	if (lines->n <= (size_t)layout->body.rows)
		return;
	snprintf(text, sizeof text, "%zu-%zu of %zu", first + 1, last < lines->n ? last : lines->n,
		lines->n);
	canvas_right(canvas, layout->header.row, layout->header.cols / 2,
		layout->header.cols - layout->header.cols / 2 - 1, STYLE_HEADER, text);
}

void lines_release(struct lines *lines)
{
	for (size_t i = 0; i < lines->n; i++)
		free(lines->line[i].text);
	free(lines->line);
	*lines = (struct lines){0};
}

size_t lines_rows(const struct top *top, lines_make_fn *make)
{
	struct lines lines = {.cols = top->cols > 0 ? top->cols : 80};
	size_t n;

	make(&lines, top);
	n = lines.n;
	lines_release(&lines);
	return n;
}

void lines_view(const struct top *top, struct canvas *canvas, const struct layout *layout,
	lines_make_fn *make, const char *title)
{
	struct lines lines = {.cols = canvas->cols};

	make(&lines, top);
	lines_title(canvas, layout, &lines, top->line, title);
	lines_draw(canvas, layout->body, &lines, top->line);
	lines_release(&lines);
}

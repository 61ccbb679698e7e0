/* The screen as a value: cells of one character and a style. */
#include "config.h"
#include "ui/canvas.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <wchar.h>

#include "base/buf.h"
#include "base/text.h"

/* What canvas_textf() formats, and what of an unclean text is looked at: wider than any screen. */
enum { TEXT_MAX = 2048 };

static const struct cell blank = {.text = " ", .style = STYLE_NORMAL};

int canvas_init(struct canvas *canvas, int rows, int cols)
{
	rows = rows < 1 ? 1 : rows;
	cols = cols < 1 ? 1 : cols;
	*canvas = (struct canvas){.rows = rows, .cols = cols};
	canvas->cell = calloc((size_t)rows, (size_t)cols * sizeof *canvas->cell);
	if (!canvas->cell)
		return -ENOMEM;
	canvas_clear(canvas);
	return 0;
}

void canvas_release(struct canvas *canvas)
{
	free(canvas->cell);
	*canvas = (struct canvas){0};
}

void canvas_clear(struct canvas *canvas)
{
	size_t n = (size_t)canvas->rows * (size_t)canvas->cols;

	for (size_t i = 0; i < n; i++)
		canvas->cell[i] = blank;
	canvas->cursor_row = canvas->cursor_col = -1;
}

static struct cell *row_at(const struct canvas *canvas, int row)
{
	return canvas->cell + (size_t)row * (size_t)canvas->cols;
}

/*
 * Reads one character of clean UTF-8. Returns its bytes; 0 at the end or where it is none, which
 * cannot be after text_clean().
 */
static int decode(const char *text, wchar_t *out)
{
	const unsigned char *s = (const unsigned char *)text;
	int len = s[0] < 0x80 ? 1 : s[0] < 0xe0 ? 2 : s[0] < 0xf0 ? 3 : 4;
	static const unsigned char mask[] = {0, 0x7f, 0x1f, 0x0f, 0x07};
	uint32_t c;

	if (!s[0] || (s[0] >= 0x80 && s[0] < 0xc2))
		return 0;
	c = s[0] & mask[len];
	for (int i = 1; i < len; i++) {
		if ((s[i] & 0xc0) != 0x80)
			return 0;
		c = c << 6 | (s[i] & 0x3f);
	}
	*out = (wchar_t)c;
	return len;
}

/* A wide character of which one half is overwritten must not stay as the other half. */
static void split_wide(struct cell *line, int cols, int col)
{
	if (!line[col].text[0] && col > 0)
		line[col - 1] = (struct cell){.text = " ", .style = line[col - 1].style};
	if (col + 1 < cols && !line[col + 1].text[0])
		line[col + 1] = (struct cell){.text = " ", .style = line[col + 1].style};
}

static void put(struct cell *line, int cols, int col, int width, enum style style, const char *text,
	int len)
{
	for (int i = 0; i < width; i++) {
		split_wide(line, cols, col + i);
		line[col + i] = (struct cell){.style = (unsigned char)style};
	}
	memcpy(line[col].text, text, (size_t)len);
}

/* A combining mark goes into the cell of its base, while there is room. */
static void combine(struct cell *cell, const char *text, int len)
{
	size_t used = strlen(cell->text);

	if (used > 0 && used + (size_t)len < sizeof cell->text)
		memcpy(cell->text + used, text, (size_t)len);
}

/*
 * Clean text, cut to the columns that are there. Text that is not clean is cleaned: nobody who
 * forgot it can send a control byte to the terminal.
 */
int canvas_text(
	struct canvas *canvas, int row, int col, int cols, enum style style, const char *text)
{
	char cleaned[TEXT_MAX];
	struct cell *line;
	struct cell *last = NULL;
	int at = 0, len;

	if (row < 0 || row >= canvas->rows || !text)
		return 0;
	if (!text_is_clean(text, strlen(text))) {
		text_clean(cleaned, sizeof cleaned, text, strlen(text), NULL);
		text = cleaned;
	}
	line = row_at(canvas, row);
	for (wchar_t c; (len = decode(text, &c)) > 0; text += len) {
		int width = wcwidth(c);

		if (width == 0) {
			if (last)
				combine(last, text, len);
			continue;
		}
		if (width < 0)
			width = 1;
		if (at + width > cols || col + at + width > canvas->cols)
			break;
		last = NULL;
		if (col + at >= 0) {
			put(line, canvas->cols, col + at, width, style, text, len);
			last = line + col + at;
		}
		at += width;
	}
	return at;
}

int canvas_textf(struct canvas *canvas, int row, int col, int cols, enum style style,
	const char *format, ...)
{
	char text[TEXT_MAX];
	va_list args;
	int n;

	va_start(args, format);
	n = vsnprintf(text, sizeof text, format, args);
	va_end(args);
	if (n < 0)
		return 0;
	if ((size_t)n >= sizeof text) { /* cut at the border of a character */
		size_t end = sizeof text - 1;

		while (end > 0 && (text[end - 1] & 0xc0) == 0x80)
			end--;
		if (end > 0 && (text[end - 1] & 0x80))
			end--;
		text[end] = '\0';
	}
	return canvas_text(canvas, row, col, cols, style, text);
}

int canvas_right(
	struct canvas *canvas, int row, int col, int cols, enum style style, const char *text)
{
	char cleaned[TEXT_MAX];
	int width;

	if (!text_is_clean(text, strlen(text))) {
		text_clean(cleaned, sizeof cleaned, text, strlen(text), NULL);
		text = cleaned;
	}
	width = text_width(text);
	if (width < cols) {
		col += cols - width;
		cols = width;
	}
	return canvas_text(canvas, row, col, cols, style, text);
}

void canvas_fill(struct canvas *canvas, struct rect rect, enum style style, const char *text)
{
	for (int row = rect.row; row < rect.row + rect.rows; row++)
		for (int col = rect.col; col < rect.col + rect.cols; col++)
			canvas_text(canvas, row, col, 1, style, text);
}

void canvas_style(struct canvas *canvas, int row, int col, int cols, enum style style)
{
	if (row < 0 || row >= canvas->rows)
		return;
	for (int i = col < 0 ? 0 : col; i < col + cols && i < canvas->cols; i++)
		row_at(canvas, row)[i].style = (unsigned char)style;
}

size_t canvas_break(const char *text, int cols, const char **next)
{
	size_t at = 0, space = 0;
	int used = 0, len;

	for (wchar_t c; (len = decode(text + at, &c)) > 0; at += (size_t)len) {
		int width = wcwidth(c);

		width = width < 0 ? 1 : width;
		if (c == ' ')
			space = at;
		if (used + width > cols) {
			if (c != ' ' && space)
				at = space;
			break;
		}
		used += width;
	}
	if (at == 0 && len > 0) /* not even one character fits: go on without an end */
		at = (size_t)len;
	*next = text + at + strspn(text + at, " ");
	return at;
}

int canvas_wrap(struct canvas *canvas, struct rect rect, enum style style, const char *text)
{
	char line[TEXT_MAX];
	int rows = 0;

	if (rect.cols < 1)
		return 0;
	do {
		const char *next;
		size_t len = canvas_break(text, rect.cols, &next);

		if (len >= sizeof line)
			len = sizeof line - 1;
		if (canvas && rows < rect.rows) {
			memcpy(line, text, len);
			line[len] = '\0';
			canvas_text(canvas, rect.row + rows, rect.col, rect.cols, style, line);
		}
		rows++;
		if (next == text)
			break;
		text = next;
	} while (*text);
	return rows;
}

static void add_row(const struct canvas *canvas, int row, struct buf *buf)
{
	const struct cell *line = row_at(canvas, row);
	int end = canvas->cols;

	while (end > 0 && line[end - 1].text[0] == ' ' && !line[end - 1].text[1])
		end--;
	for (int i = 0; i < end; i++)
		buf_adds(buf, line[i].text);
}

char *canvas_row(const struct canvas *canvas, int row)
{
	struct buf buf = {0};

	buf_adds(&buf, "");
	if (row >= 0 && row < canvas->rows)
		add_row(canvas, row, &buf);
	return buf.data ? buf_take(&buf) : strdup("");
}

char *canvas_dump(const struct canvas *canvas)
{
	struct buf buf = {0};

	for (int row = 0; row < canvas->rows; row++) {
		add_row(canvas, row, &buf);
		buf_addc(&buf, '\n');
	}
	return buf_take(&buf);
}

bool canvas_equal(const struct canvas *a, const struct canvas *b)
{
	size_t n = (size_t)a->rows * (size_t)a->cols;

	if (a->rows != b->rows || a->cols != b->cols)
		return false;
	for (size_t i = 0; i < n; i++)
		if (a->cell[i].style != b->cell[i].style ||
			strcmp(a->cell[i].text, b->cell[i].text) != 0)
			return false;
	return true;
}

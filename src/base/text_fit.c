/* The columns that text takes, and cutting it to some. */
#include "config.h"
#include "base/text.h"

#include <inttypes.h>
#include <langinfo.h>
#include <stdio.h>
#include <string.h>
#include <wchar.h>

#include "base/unicode.h"

enum {
	MARKS_MAX = 4,   /* combining marks on one character, as in text.c */
	ESCAPE_MAX = 12, /* "\u{10ffff}" and its NUL fit */
};

/* What is never taken apart: a character, the marks on it, and the columns they take. */
struct piece {
	const char *text; /* of the source, or made[] */
	size_t len;
	size_t taken; /* bytes of the source; 0 at its end */
	int cols;
	char made[ESCAPE_MAX];
};

static bool locale_is_utf8(void)
{
	return strcmp(nl_langinfo(CODESET), "UTF-8") == 0;
}

static int width_of(uint32_t c)
{
	int width = wcwidth((wchar_t)c);

	return width < 0 ? 1 : width;
}

/* Adds the combining marks behind the character to it. */
static void add_marks(struct piece *piece, const char *text, size_t len)
{
	uint32_t c;
	size_t n;
	int marks;

	for (marks = 0; marks < MARKS_MAX; marks++) {
		n = unicode_decode(text + piece->taken, len - piece->taken, &c);
		if (n < 2 || !unicode_is_mark(c))
			break;
		piece->cols += wcwidth((wchar_t)c) > 0 ? wcwidth((wchar_t)c) : 0;
		piece->taken += n;
	}
	piece->len = piece->taken;
}

static void make_unknown(struct piece *piece, size_t taken)
{
	piece->made[0] = '?';
	piece->text = piece->made;
	piece->len = 1;
	piece->taken = taken;
	piece->cols = 1;
}

static bool is_ascii(char c)
{
	return c >= ' ' && c <= '~';
}

static void next_piece(struct piece *piece, const char *text, size_t len, bool is_utf8)
{
	uint32_t c = 0;

	piece->text = text;
	piece->len = piece->taken = len > 0;
	piece->cols = 1;
	/* Nearly every text is nothing but these. */
	if (!len || (is_ascii(text[0]) && (len == 1 || is_ascii(text[1]))))
		return;
	piece->len = piece->taken = unicode_decode(text, len, &c);
	if (!piece->taken || unicode_is_hidden(c)) {
		make_unknown(piece, piece->taken ? piece->taken : 1);
	} else if (!is_utf8) {
		if (c < 0x80)
			return;
		piece->len = (size_t)snprintf(piece->made, ESCAPE_MAX, "\\u{%04" PRIx32 "}", c);
		piece->text = piece->made;
		piece->cols = (int)piece->len;
	} else if (unicode_is_mark(c)) {
		make_unknown(piece, piece->taken);
	} else {
		if (c >= 0x80)
			piece->cols = width_of(c);
		if (len > piece->taken && (unsigned char)text[piece->taken] >= 0x80)
			add_marks(piece, text, len);
	}
}

/* Columns of the text, and the bytes that text_fit() would write of it. */
static int measure(const char *text, size_t len, bool is_utf8, size_t *bytes)
{
	struct piece piece;
	int cols = 0;

	*bytes = 0;
	for (;; text += piece.taken, len -= piece.taken) {
		next_piece(&piece, text, len, is_utf8);
		if (!piece.taken)
			return cols;
		cols += piece.cols;
		*bytes += piece.len;
	}
}

int text_width(const char *text)
{
	size_t len = strlen(text), bytes;

	return measure(text, len, locale_is_utf8(), &bytes);
}

struct fitting {
	char *dst;
	size_t size, len;
	int cols;
	bool is_utf8;
};

/* Copies pieces while they take at most cols more columns and leave `spare` bytes of dst. */
static void copy_pieces(struct fitting *fit, const char *text, size_t len, int cols, size_t spare)
{
	struct piece piece;

	for (;; text += piece.taken, len -= piece.taken) {
		next_piece(&piece, text, len, fit->is_utf8);
		if (!piece.taken || piece.cols > cols || piece.len + spare >= fit->size - fit->len)
			break;
		memcpy(fit->dst + fit->len, piece.text, piece.len);
		fit->len += piece.len;
		fit->cols += piece.cols;
		cols -= piece.cols;
	}
	fit->dst[fit->len] = '\0';
}

/*
 * Where the part of the text begins that takes at most cols of its width, and less than size of
 * its bytes.
 */
static const char *tail_of(
	const char *text, bool is_utf8, int width, int cols, size_t bytes, size_t size)
{
	size_t len = strlen(text);
	struct piece piece;

	while (width > cols || bytes >= size) {
		next_piece(&piece, text, len, is_utf8);
		width -= piece.cols;
		bytes -= piece.len;
		text += piece.taken;
		len -= piece.taken;
	}
	return text;
}

int text_fit(char *dst, size_t size, const char *text, int cols, enum text_cut cut)
{
	struct fitting fit = {.dst = dst, .size = size, .is_utf8 = locale_is_utf8()};
	size_t len = strlen(text), bytes;
	int width, head;
	const char *tail;

	if (!size)
		return 0;
	*dst = '\0';
	width = measure(text, len, fit.is_utf8, &bytes);
	if (width <= cols && bytes < size) {
		copy_pieces(&fit, text, len, cols, 0);
		return fit.cols;
	}
	if (cols > width)
		cols = width;
	if (cols < 1 || size < 2)
		return 0;
	head = cut == TEXT_CUT_END ? cols - 1 : cut == TEXT_CUT_START ? 0 : cols / 2;
	/* Of a room that is too small the tail gets its half, too. */
	copy_pieces(
		&fit, text, len, head, bytes >= size && cut == TEXT_CUT_MIDDLE ? 1 + size / 2 : 1);
	dst[fit.len++] = '~';
	dst[fit.len] = '\0';
	fit.cols++;
	if (cut != TEXT_CUT_END) {
		tail = tail_of(text, fit.is_utf8, width, cols - 1 - head, bytes, size - fit.len);
		copy_pieces(&fit, tail, strlen(tail), cols - fit.cols, 0);
	}
	return fit.cols;
}

/* Text from outside made safe, and back. */
#include "config.h"
#include "base/text.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/unicode.h"

enum {
	MARKS_MAX = 4,   /* combining marks on one character: CCHARW_MAX of curses, less the base */
	ESCAPE_MAX = 12, /* "\u{10ffff}" and its NUL fit */
	BYTE_GROWS = 4,  /* the most that cleaning makes of one byte: "\x1b" */
};

static bool is_plain(unsigned char c)
{
	return c >= 0x20 && c < 0x7f && c != '\\';
}

/*
 * Are these eight bytes plain? The classic bit tricks: the high bit of a byte is set where the
 * byte is below 0x20, is DEL or a backslash, or is not ASCII at all; a borrow can only make a
 * byte suspect that comes after (above) such a one, so the answer for all eight is exact.
 */
static bool are_plain(const char *src)
{
	const uint64_t ones = UINT64_C(0x0101010101010101), high = ones << 7;
	uint64_t word, slash, del;

	memcpy(&word, src, sizeof word);
	slash = word ^ ones * '\\';
	del = word ^ ones * 0x7f;
	return !((word | (word - ones * 0x20) | (slash - ones) | (del - ones)) & high);
}

/* The plain bytes at the start: nearly all names consist of nothing else, so this is the speed. */
static size_t plain_run(const char *src, size_t len)
{
	size_t n = 0;

	while (len - n >= 8 && are_plain(src + n))
		n += 8;
	while (n < len && is_plain((unsigned char)src[n]))
		n++;
	return n;
}

/* Writes what stands for a byte that cannot be shown. Returns the length. */
static size_t escape_byte(char *dst, unsigned char c, bool keeps_backslash)
{
	static const char hex[] = "0123456789abcdef";
	static const char from[] = "\n\r\t\\", to[] = "nrt\\";
	const char *special = c ? strchr(from, c) : NULL;

	dst[0] = '\\';
	if (c == '\\' && keeps_backslash)
		return 1;
	if (special) {
		dst[1] = to[special - from];
		return 2;
	}
	dst[1] = 'x';
	dst[2] = hex[c >> 4];
	dst[3] = hex[c & 15];
	return 4;
}

/*
 * Makes a piece of the first character of src, which is not plain; marks are the combining ones
 * that have come in a row. Returns the bytes of src that it stands for; every escape is longer than
 * what it stands for.
 */
static size_t clean_one(
	char *piece, size_t *size, const char *src, size_t len, int *marks, bool keeps_backslash)
{
	uint32_t c = 0;
	size_t n = unicode_decode(src, len, &c);
	bool is_mark;

	if (n <= 1) {
		*size = escape_byte(piece, (unsigned char)*src, keeps_backslash);
		*marks = c == '\\' ? 0 : MARKS_MAX;
		return 1;
	}
	is_mark = unicode_is_mark(c);
	if (unicode_is_hidden(c) || (is_mark && *marks >= MARKS_MAX)) {
		*size = (size_t)snprintf(piece, ESCAPE_MAX, "\\u{%04" PRIx32 "}", c);
		*marks = MARKS_MAX;
		return n;
	}
	memcpy(piece, src, n);
	*size = n;
	*marks = is_mark ? *marks + 1 : 0;
	return n;
}

static size_t clean(
	char *dst, size_t size, const char *src, size_t len, bool keeps_backslash, bool *changed)
{
	char piece[ESCAPE_MAX];
	int marks = MARKS_MAX;
	size_t at = 0, to = 0, run, n;

	if (changed)
		*changed = false;
	if (!size)
		return 0;
	while (at < len) {
		run = plain_run(src + at, len - at);
		if (run >= size - to)
			run = size - 1 - to;
		memcpy(dst + to, src + at, run);
		at += run;
		to += run;
		if (at == len || to == size - 1)
			break;
		if (run)
			marks = 0;
		run = clean_one(piece, &n, src + at, len - at, &marks, keeps_backslash);
		if (n >= size - to)
			break;
		if (changed && n != run)
			*changed = true;
		memcpy(dst + to, piece, n);
		at += run;
		to += n;
	}
	dst[to] = '\0';
	return to;
}

size_t text_clean(char *dst, size_t size, const char *src, size_t len, bool *changed)
{
	return clean(dst, size, src, len, false, changed);
}

size_t text_visible(char *dst, size_t size, const char *src, size_t len)
{
	return clean(dst, size, src, len, true, NULL);
}

char *text_clean_dup(const char *src, size_t len)
{
	char *text, *fit;
	size_t n;

	if (plain_run(src, len) == len)
		return strndup(src, len);
	if (len > (PTRDIFF_MAX - 1) / BYTE_GROWS)
		return NULL;
	text = malloc(len * BYTE_GROWS + 1);
	if (!text)
		return NULL;
	n = text_clean(text, len * BYTE_GROWS + 1, src, len, NULL);
	fit = realloc(text, n + 1);
	return fit ? fit : text;
}

bool text_is_clean(const char *src, size_t len)
{
	char piece[ESCAPE_MAX];
	int marks = MARKS_MAX;
	size_t at = 0, run, n;

	while (at < len) {
		run = plain_run(src + at, len - at);
		at += run;
		if (at == len)
			break;
		if (run)
			marks = 0;
		run = clean_one(piece, &n, src + at, len - at, &marks, true);
		if (n != run)
			return false;
		at += run;
	}
	return true;
}

/* Hexadecimal digits, at least min, at most max. Returns how many, 0 if too few. */
static size_t read_hex(const char *text, size_t min, size_t max, uint32_t *value)
{
	static const char digits[] = "0123456789abcdef0123456789ABCDEF";
	const char *digit;
	size_t n;

	*value = 0;
	for (n = 0; n < max && text[n] && (digit = strchr(digits, text[n])); n++)
		*value = *value << 4 | (uint32_t)((digit - digits) & 15);
	return n < min ? 0 : n;
}

/* One escape, behind its backslash. Returns the bytes read, 0 if it is none. */
static size_t read_escape(const char *text, char *bytes, size_t *n)
{
	static const char from[] = "nrt\\", to[] = "\n\r\t\\";
	const char *special = *text ? strchr(from, *text) : NULL;
	uint32_t c;
	size_t digits;

	*n = 1;
	if (special) {
		bytes[0] = to[special - from];
		return 1;
	}
	if (text[0] == 'x') {
		digits = read_hex(text + 1, 2, 2, &c);
		bytes[0] = (char)c;
		return digits ? 3 : 0;
	}
	if (text[0] != 'u' || text[1] != '{')
		return 0;
	digits = read_hex(text + 2, 1, 6, &c);
	*n = digits && text[2 + digits] == '}' ? unicode_encode(bytes, c) : 0;
	return *n ? digits + 3 : 0;
}

int text_unclean(char *dst, size_t size, const char *text)
{
	size_t to = 0, run, n;
	char bytes[4];

	while (*text) {
		run = n = 1;
		bytes[0] = *text;
		if (*text == '\\') {
			run = read_escape(text + 1, bytes, &n) + 1;
			if (run == 1)
				return -EINVAL;
		}
		if (to + n >= size)
			return -E2BIG;
		memcpy(dst + to, bytes, n);
		to += n;
		text += run;
	}
	if (!size)
		return -E2BIG;
	dst[to] = '\0';
	return (int)to;
}

static bool has_word(const char *text, const char *word, size_t len)
{
	size_t n = strlen(text);

	for (; n >= len; text++, n--)
		if (strncasecmp(text, word, len) == 0)
			return true;
	return false;
}

bool text_contains(const char *text, const char *words)
{
	static const char blanks[] = " \t";
	size_t len;

	for (words += strspn(words, blanks); *words; words += strspn(words, blanks)) {
		len = strcspn(words, blanks);
		if (!has_word(text, words, len))
			return false;
		words += len;
	}
	return true;
}

uint64_t text_hash(const void *data, size_t len, uint64_t seed)
{
	const unsigned char *byte = data;
	uint64_t hash = seed ? seed : UINT64_C(14695981039346656037);

	while (len--)
		hash = (hash ^ *byte++) * UINT64_C(1099511628211);
	return hash;
}

int text_word(const char *const *words, int n, const char *word)
{
	for (int i = 0; word && i < n; i++)
		if (strcmp(words[i], word) == 0)
			return i;
	return -1;
}

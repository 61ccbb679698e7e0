/* Writes one flat JSON object as a line. */
#include "config.h"
#include "base/jsonw.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

#include "base/unicode.h"

enum {
	END = 3,          /* "}", a newline and a NUL always find room */
	CHARACTER = 12,   /* the longest: two \uXXXX */
	REPLACED = 0xfffd /* what stands for a byte that is none */
};

static void put(struct jsonw *json, const char *text, size_t len)
{
	if (json->is_full || json->size - json->len < len + END) {
		json->is_full = true;
		return;
	}
	memcpy(json->dst + json->len, text, len);
	json->len += len;
}

static void put_key(struct jsonw *json, const char *key)
{
	put(json, json->len > 1 ? ",\"" : "\"", json->len > 1 ? 2 : 1);
	put(json, key, strlen(key));
	put(json, "\":", 2);
}

/* The digits of a number, from the end of a buffer of 20 backwards: where they begin. */
static char *digits(char *end, uint64_t number)
{
	do
		*--end = (char)('0' + number % 10);
	while (number /= 10);
	return end;
}

static void put_number(struct jsonw *json, uint64_t number)
{
	char text[20], *end = text + sizeof text, *begin = digits(end, number);

	put(json, begin, (size_t)(end - begin));
}

static uint64_t magnitude(int64_t number)
{
	return number < 0 ? -(uint64_t)number : (uint64_t)number;
}

/* --- text --- */

static size_t put_unit(char *dst, uint32_t unit)
{
	static const char hex[] = "0123456789abcdef";

	dst[0] = '\\';
	dst[1] = 'u';
	for (int i = 0; i < 4; i++)
		dst[2 + i] = hex[unit >> (12 - 4 * i) & 15];
	return 6;
}

/* One character, escaped: the bytes of it, at most CHARACTER. *text moves on. */
static size_t take(char *dst, const char **text, const char *end)
{
	unsigned char byte = (unsigned char)**text;
	uint32_t c = byte;
	size_t len = 1;

	if (byte == '"' || byte == '\\') {
		dst[0] = '\\';
		dst[1] = (char)byte;
		*text += 1;
		return 2;
	}
	if (byte >= 0x80) {
		len = unicode_decode(*text, (size_t)(end - *text), &c);
		if (!len) {
			len = 1;
			c = REPLACED;
		}
	}
	*text += len;
	if (c < 0x10000)
		return put_unit(dst, c);
	c -= 0x10000;
	put_unit(dst, 0xd800 | c >> 10);
	put_unit(dst + 6, 0xdc00 | (c & 0x3ff));
	return CHARACTER;
}

/* Bytes at the beginning that JSON takes as they are. */
static size_t plain(const char *text, const char *end)
{
	const char *at = text;

	while (at < end && *at >= ' ' && *at < 0x7f && *at != '"' && *at != '\\')
		at++;
	return (size_t)(at - text);
}

/* The escaped text within `max` bytes, cut where it has to be so that "~" finds room, too. */
static void put_text(struct jsonw *json, const char *text, size_t max)
{
	const char *end = text + strlen(text);
	size_t room = max, cut = json->len; /* where "~" would come */
	char one[CHARACTER];

	while (text < end && !json->is_full) {
		const char *next = text;
		size_t len = plain(text, end);
		bool is_plain = len > 0;

		if (is_plain && len > room)
			len = room;
		if (is_plain)
			next += len;
		else
			len = take(one, &next, end);
		if (len > room || !len)
			break;
		put(json, is_plain ? text : one, len);
		room -= len;
		text = next;
		/* Of plain text any byte may go for the mark, of an escape only the whole. */
		if (room >= 1)
			cut = json->len;
		else if (is_plain)
			cut = json->len - 1;
	}
	if (text >= end || json->is_full)
		return;
	json->len = cut;
	put(json, "~", 1);
}

void jsonw_begin(struct jsonw *json, char *dst, size_t size)
{
	*json = (struct jsonw){dst, size, 0, false};
	put(json, "{", 1);
}

void jsonw_text_cut(struct jsonw *json, const char *key, const char *text, size_t max)
{
	if (!text) {
		jsonw_null(json, key);
		return;
	}
	put_key(json, key);
	put(json, "\"", 1);
	put_text(json, text, max);
	put(json, "\"", 1);
}

void jsonw_text(struct jsonw *json, const char *key, const char *text)
{
	jsonw_text_cut(json, key, text, SIZE_MAX);
}

/* --- numbers and words --- */

void jsonw_int(struct jsonw *json, const char *key, int64_t number)
{
	put_key(json, key);
	if (number < 0)
		put(json, "-", 1);
	put_number(json, magnitude(number));
}

void jsonw_fixed(struct jsonw *json, const char *key, int64_t value, int64_t scale, int decimals)
{
	uint64_t whole, part, power = 1;
	char text[20], *begin;

	assert(scale >= 1 && scale <= 1000000000 && decimals >= 0 && decimals <= 9);
	whole = magnitude(value) / (uint64_t)scale;
	for (int i = 0; i < decimals; i++)
		power *= 10;
	part = magnitude(value) % (uint64_t)scale * power;
	part = (part + (uint64_t)scale / 2) / (uint64_t)scale;
	if (part == power) {
		part = 0;
		whole++;
	}
	put_key(json, key);
	if (value < 0 && (whole || part))
		put(json, "-", 1);
	put_number(json, whole);
	if (!part)
		return;
	for (; part % 10 == 0; part /= 10)
		decimals--;
	begin = digits(text + sizeof text, part);
	while (text + sizeof text - begin < decimals)
		*--begin = '0';
	*--begin = '.';
	put(json, begin, (size_t)(text + sizeof text - begin));
}

void jsonw_bool(struct jsonw *json, const char *key, bool value)
{
	put_key(json, key);
	put(json, value ? "true" : "false", value ? 4 : 5);
}

void jsonw_null(struct jsonw *json, const char *key)
{
	put_key(json, key);
	put(json, "null", 4);
}

int jsonw_end(struct jsonw *json)
{
	if (json->is_full)
		return -E2BIG;
	memcpy(json->dst + json->len, "}\n", END);
	json->len += END - 1;
	return (int)json->len;
}

/* Text from outside: made safe and back, measured and cut; numbers, durations, times. */
#include "config.h"
#include "base/text.h"

#include <errno.h>
#include <locale.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <cmocka.h>

#include "base/clock.h"
#include "base/unicode.h"

enum { ROOM = 512 };

static void assert_cleaned(const char *src, size_t len, const char *expected)
{
	char clean[ROOM], back[ROOM];
	bool changed;
	size_t n = text_clean(clean, sizeof clean, src, len, &changed);

	assert_string_equal(clean, expected);
	assert_int_equal(n, strlen(expected));
	assert_int_equal(changed, n != len || memcmp(src, clean, n) != 0);
	assert_true(text_is_clean(clean, n));
	assert_int_equal(text_unclean(back, sizeof back, clean), len);
	assert_memory_equal(back, src, len);
}

#define ASSERT_CLEANED(src, expected) assert_cleaned(src, sizeof src - 1, expected)

static void plain_text_stays_as_it_is(void **state)
{
	(void)state;
	ASSERT_CLEANED("", "");
	ASSERT_CLEANED("/run/lock/story generation.lock ~!@#$%^&*()\"'`{}[]", //
		"/run/lock/story generation.lock ~!@#$%^&*()\"'`{}[]");
	ASSERT_CLEANED("Grüße, 日本語 🔒 e\u0301", "Grüße, 日本語 🔒 e\u0301");
}

static void every_byte_alone_is_shown_or_escaped(void **state)
{
	char expected[8], byte;
	int c;

	(void)state;
	for (c = 0; c < 256; c++) {
		byte = (char)c;
		if (c == '\n')
			strcpy(expected, "\\n");
		else if (c == '\r')
			strcpy(expected, "\\r");
		else if (c == '\t')
			strcpy(expected, "\\t");
		else if (c == '\\')
			strcpy(expected, "\\\\");
		else if (c < 0x20 || c > 0x7e)
			snprintf(expected, sizeof expected, "\\x%02x", c);
		else
			snprintf(expected, sizeof expected, "%c", c);
		assert_cleaned(&byte, 1, expected);
	}
}

/* Each byte value at each place of a word: the quick way over plain text looks at eight at once. */
static void the_quick_way_sees_every_byte_at_every_place(void **state)
{
	char text[19], clean[128];
	bool changed;
	size_t at;
	int c;

	(void)state;
	for (c = 0; c < 256; c++) {
		for (at = 0; at < sizeof text; at++) {
			memset(text, 'a', sizeof text);
			text[at] = (char)c;
			text_clean(clean, sizeof clean, text, sizeof text, &changed);
			assert_int_equal(changed, c < 0x20 || c > 0x7e || c == '\\');
			assert_int_equal(text_is_clean(text, sizeof text), c >= 0x20 && c < 0x7f);
		}
	}
}

static void terminal_sequences_become_visible(void **state)
{
	(void)state;
	ASSERT_CLEANED("\x1b[2J", "\\x1b[2J");
	ASSERT_CLEANED("\x1b]0;title\a", "\\x1b]0;title\\x07");
	ASSERT_CLEANED("a\x9b"
		       "31mb",
		"a\\x9b31mb");
	ASSERT_CLEANED("\xc2\x9b"
		       "31m\xc2\x85",
		"\\u{009b}31m\\u{0085}");
	ASSERT_CLEANED("\x7f", "\\x7f");
}

static void what_has_no_shape_becomes_visible(void **state)
{
	(void)state;
	ASSERT_CLEANED("\u202egpj.exe", "\\u{202e}gpj.exe");
	ASSERT_CLEANED("\u061c\u200e\u200f\u202a\u2066\u2069",
		"\\u{061c}\\u{200e}\\u{200f}\\u{202a}\\u{2066}\\u{2069}");
	ASSERT_CLEANED("a\u200bb\u200db\u2060\ufeff", "a\\u{200b}b\\u{200d}b\\u{2060}\\u{feff}");
	ASSERT_CLEANED("\u2028\u2029", "\\u{2028}\\u{2029}");
	ASSERT_CLEANED("\u00ad\u3164\ufe0f", "\\u{00ad}\\u{3164}\\u{fe0f}");
	ASSERT_CLEANED("\ue000\U000f0000\U0010ffff", "\\u{e000}\\u{f0000}\\u{10ffff}");
	ASSERT_CLEANED("\uffff\u0378", "\\u{ffff}\\u{0378}");
	ASSERT_CLEANED("\U000e0041", "\\u{e0041}");
}

static void invalid_utf8_is_shown_byte_by_byte(void **state)
{
	(void)state;
	ASSERT_CLEANED("\xc0\x80", "\\xc0\\x80");                   /* overlong NUL */
	ASSERT_CLEANED("\xc1\xbf", "\\xc1\\xbf");                   /* overlong DEL */
	ASSERT_CLEANED("\xe0\x9f\xbf", "\\xe0\\x9f\\xbf");          /* overlong U+07FF */
	ASSERT_CLEANED("\xf0\x8f\xbf\xbf", "\\xf0\\x8f\\xbf\\xbf"); /* overlong U+FFFF */
	ASSERT_CLEANED("\xed\xa0\x80", "\\xed\\xa0\\x80");          /* a surrogate */
	ASSERT_CLEANED("\xf4\x90\x80\x80", "\\xf4\\x90\\x80\\x80"); /* beyond U+10FFFF */
	ASSERT_CLEANED("\xf5\x80\x80\x80", "\\xf5\\x80\\x80\\x80"); /* no such first byte */
	ASSERT_CLEANED("\xe2\x82", "\\xe2\\x82");                   /* cut short */
	ASSERT_CLEANED("\xe2\x82"
		       "a",
		"\\xe2\\x82a");
	ASSERT_CLEANED("\xff\xfe", "\\xff\\xfe");
	ASSERT_CLEANED("\xe2\xe2\x82\xac", "\\xe2\u20ac"); /* the good one behind is kept */
}

static void a_combining_mark_needs_something_to_stand_on(void **state)
{
	(void)state;
	ASSERT_CLEANED("\u0301a", "\\u{0301}a");
	ASSERT_CLEANED("\n\u0301", "\\n\\u{0301}");
	ASSERT_CLEANED("\\\u0301", "\\\\\u0301");
	ASSERT_CLEANED("\u200b\u0301", "\\u{200b}\\u{0301}");
	ASSERT_CLEANED("a\u0301\u0301\u0301\u0301\u0301\u0301b",
		"a\u0301\u0301\u0301\u0301\\u{0301}\\u{0301}b");
}

static void an_escape_cannot_be_forged(void **state)
{
	(void)state;
	ASSERT_CLEANED("\\x1b[2J", "\\\\x1b[2J");
	ASSERT_CLEANED("\\\\n\n", "\\\\\\\\n\\n");
	ASSERT_CLEANED("\\u{202e}", "\\\\u{202e}");
}

static void a_nul_is_a_byte_like_others(void **state)
{
	(void)state;
	ASSERT_CLEANED("a\0b", "a\\x00b");
}

static uint32_t random_state = 1;

static uint32_t random_number(uint32_t below)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 17;
	random_state ^= random_state << 5;
	return random_state % below;
}

/* Bytes of all kinds: any, plain, UTF-8 of any code point, marks, backslashes. */
static size_t random_text(char *text, size_t max)
{
	size_t len = 0, end = random_number((uint32_t)max - 3);

	while (len < end) {
		switch (random_number(6)) {
		case 0: text[len++] = (char)random_number(256); break;
		case 1: len += unicode_encode(text + len, random_number(0x110000)); break;
		case 2: len += unicode_encode(text + len, random_number(0x3000)); break;
		case 3: len += unicode_encode(text + len, 0x300 + random_number(0x40)); break;
		case 4: text[len++] = "\\nxu{}\n0"[random_number(8)]; break;
		default: text[len++] = (char)(0x20 + random_number(0x5f));
		}
	}
	return len;
}

static void random_bytes_come_back_from_their_clean_form(void **state)
{
	char text[65], clean[4 * 64 + 1], back[65], *copy;
	bool changed;
	size_t len, n;
	int turn;

	(void)state;
	for (turn = 0; turn < 100000; turn++) {
		len = random_text(text, 64);
		n = text_clean(clean, sizeof clean, text, len, &changed);
		assert_int_equal(strlen(clean), n);
		assert_true(text_is_clean(clean, n));
		assert_int_equal(changed, n != len || memcmp(clean, text, n) != 0);
		assert_int_equal(text_unclean(back, sizeof back, clean), len);
		assert_memory_equal(back, text, len);
		copy = text_clean_dup(text, len);
		assert_string_equal(copy, clean);
		free(copy);
	}
}

/* Cleaning the clean changes backslashes only; so a text without them is clean or changes. */
static void clean_is_what_cleaning_leaves_alone(void **state)
{
	char text[65], clean[4 * 64 + 1];
	bool changed;
	size_t len;
	int turn;

	(void)state;
	for (turn = 0; turn < 100000; turn++) {
		len = random_text(text, 64);
		if (memchr(text, '\\', len))
			continue;
		text_clean(clean, sizeof clean, text, len, &changed);
		assert_int_equal(text_is_clean(text, len), !changed);
	}
}

static void visible_text_is_clean_and_stays_so(void **state)
{
	char text[65], once[4 * 64 + 1], twice[4 * 64 + 1];
	size_t len;
	int turn;

	(void)state;
	text_visible(once, sizeof once, "a\\nb\n\x1b", 6);
	assert_string_equal(once, "a\\nb\\n\\x1b");
	for (turn = 0; turn < 20000; turn++) {
		len = random_text(text, 64);
		len = text_visible(once, sizeof once, text, len);
		assert_true(text_is_clean(once, len));
		text_visible(twice, sizeof twice, once, len);
		assert_string_equal(once, twice);
	}
}

static void cleaning_cuts_between_characters_and_escapes(void **state)
{
	char text[65], whole[4 * 64 + 1], cut[4 * 64 + 1], back[65];
	size_t len, size, n;
	int turn;

	(void)state;
	for (turn = 0; turn < 500; turn++) {
		len = random_text(text, 64);
		text_clean(whole, sizeof whole, text, len, NULL);
		for (size = 0; size <= strlen(whole) + 1; size++) {
			memset(cut, 'Z', sizeof cut);
			n = text_clean(cut, size, text, len, NULL);
			assert_int_equal(cut[size], 'Z');
			if (!size)
				continue;
			assert_int_equal(cut[n], '\0');
			assert_true(n < size && n + 10 >= (size < strlen(whole) ? size : 0));
			assert_memory_equal(cut, whole, n);
			assert_true(text_is_clean(cut, n));
			assert_true(text_unclean(back, sizeof back, cut) >= 0);
		}
	}
}

static void a_wrong_escape_is_refused(void **state)
{
	static const char *const wrong[] = {"\\", "a\\", "\\x", "\\x1", "\\x1g", "\\u", "\\u{",
		"\\u{}", "\\u{41", "\\u{1234567}", "\\u{110000}", "\\u{d800}", "\\q", "\\N", "\\ "};
	char back[16];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof wrong / sizeof *wrong; i++)
		assert_int_equal(text_unclean(back, sizeof back, wrong[i]), -EINVAL);
}

static void uncleaning_says_when_there_is_no_room(void **state)
{
	char back[8];

	(void)state;
	assert_int_equal(text_unclean(back, 0, ""), -E2BIG);
	assert_int_equal(text_unclean(back, 1, ""), 0);
	assert_int_equal(text_unclean(back, 3, "abc"), -E2BIG);
	assert_int_equal(text_unclean(back, 4, "abc"), 3);
	assert_int_equal(text_unclean(back, 3, "\\u{20ac}"), -E2BIG);
	assert_int_equal(text_unclean(back, 4, "\\u{20AC}"), 3);
	assert_string_equal(back, "\u20ac");
}

/* The copied rules of the standard, against the decoder, for all there is. */
static void every_code_point_is_encoded_and_decoded(void **state)
{
	uint32_t c, again;
	char bytes[5];
	size_t n;

	(void)state;
	for (c = 0; c <= 0x110000; c++) {
		n = unicode_encode(bytes, c);
		if ((c >= 0xd800 && c <= 0xdfff) || c > 0x10ffff) {
			assert_int_equal(n, 0);
			continue;
		}
		assert_int_equal(n, c < 0x80 ? 1 : c < 0x800 ? 2 : c < 0x10000 ? 3 : 4);
		assert_int_equal(unicode_decode(bytes, n, &again), n);
		assert_int_equal(again, c);
		assert_int_equal(unicode_decode(bytes, n - 1, &again), 0);
	}
}

static void letters_of_all_scripts_are_shown(void **state)
{
	static const uint32_t shown[] = {0xa0, 0xe4, 0x3b1, 0x416, 0x5d0, 0x627, 0x905, 0xe01,
		0x1100, 0x20ac, 0x2588, 0x28ff, 0x3042, 0x4e00, 0xac00, 0xff21, 0x1f512, 0x20000};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof shown / sizeof *shown; i++) {
		assert_false(unicode_is_hidden(shown[i]));
		assert_false(unicode_is_mark(shown[i]));
	}
}

static void width_is_what_a_terminal_uses(void **state)
{
	(void)state;
	assert_int_equal(text_width(""), 0);
	assert_int_equal(text_width("abc"), 3);
	assert_int_equal(text_width("Grüße"), 5);
	assert_int_equal(text_width("日本語"), 6);
	assert_int_equal(text_width("e\u0301"), 1);
	assert_int_equal(text_width("한국"), 4);
	assert_int_equal(text_width("\u1100\u1161\u11a8"), 2); /* one syllable of three jamo */
}

static void assert_fits(
	const char *text, int cols, enum text_cut cut, const char *expected, int used)
{
	char dst[ROOM];

	assert_int_equal(text_fit(dst, sizeof dst, text, cols, cut), used);
	assert_string_equal(dst, expected);
}

static void what_fits_is_not_cut(void **state)
{
	(void)state;
	assert_fits("", 5, TEXT_CUT_END, "", 0);
	assert_fits("abc", 3, TEXT_CUT_END, "abc", 3);
	assert_fits("abc", 9, TEXT_CUT_MIDDLE, "abc", 3);
	assert_fits("日本", 4, TEXT_CUT_START, "日本", 4);
}

static void a_cut_is_marked_where_it_is(void **state)
{
	(void)state;
	assert_fits("abcdefgh", 5, TEXT_CUT_END, "abcd~", 5);
	assert_fits("abcdefgh", 5, TEXT_CUT_START, "~efgh", 5);
	assert_fits("abcdefgh", 5, TEXT_CUT_MIDDLE, "ab~gh", 5);
	assert_fits("abcdefgh", 4, TEXT_CUT_MIDDLE, "ab~h", 4);
	assert_fits("abcdefgh", 1, TEXT_CUT_END, "~", 1);
	assert_fits("abcdefgh", 1, TEXT_CUT_MIDDLE, "~", 1);
	assert_fits("abcdefgh", 1, TEXT_CUT_START, "~", 1);
	assert_fits("abcdefgh", 0, TEXT_CUT_END, "", 0);
	assert_fits("abcdefgh", -3, TEXT_CUT_END, "", 0);
}

static void a_wide_character_is_not_halved(void **state)
{
	(void)state;
	assert_fits("日本語", 5, TEXT_CUT_END, "日本~", 5);
	assert_fits("日本語", 4, TEXT_CUT_END, "日~", 3);
	assert_fits("日本語", 4, TEXT_CUT_START, "~語", 3);
	assert_fits("日本語", 2, TEXT_CUT_END, "~", 1);
	assert_fits("日本語", 1, TEXT_CUT_MIDDLE, "~", 1);
}

static void marks_stay_with_their_character(void **state)
{
	(void)state;
	assert_fits("ae\u0301\u0302bcd", 3, TEXT_CUT_END, "ae\u0301\u0302~", 3);
	assert_fits("ae\u0301\u0302bcd", 2, TEXT_CUT_END, "a~", 2);
	assert_fits("abcde\u0301", 2, TEXT_CUT_START, "~e\u0301", 2);
	assert_fits("abcde\u0301f", 2, TEXT_CUT_START, "~f", 2);
}

static void what_is_not_clean_is_still_harmless(void **state)
{
	(void)state;
	assert_fits("a\x1b[2J\n\xff", 20, TEXT_CUT_END, "a?[2J??", 7);
	assert_fits("\u202ea\u0301\u0301\u0301\u0301\u0301", 20, TEXT_CUT_END,
		"?a\u0301\u0301\u0301\u0301?", 3);
	assert_int_equal(text_width("\x1b\n\u202e"), 3);
}

static void a_small_room_cuts_too(void **state)
{
	char dst[ROOM];

	(void)state;
	assert_int_equal(text_fit(dst, 4, "abcdef", 6, TEXT_CUT_END), 3);
	assert_string_equal(dst, "ab~");
	assert_int_equal(text_fit(dst, 5, "日本", 4, TEXT_CUT_END), 3);
	assert_string_equal(dst, "日~");
	assert_int_equal(text_fit(dst, 4, "abcdef", 60, TEXT_CUT_START), 3);
	assert_string_equal(dst, "~ef");
	assert_int_equal(text_fit(dst, 8, "abcdefghij", 60, TEXT_CUT_MIDDLE), 7);
	assert_string_equal(dst, "ab~ghij");
	assert_int_equal(text_fit(dst, 2, "abcdef", 60, TEXT_CUT_MIDDLE), 1);
	assert_string_equal(dst, "~");
	assert_int_equal(text_fit(dst, 1, "abc", 3, TEXT_CUT_END), 0);
	assert_string_equal(dst, "");
	assert_int_equal(text_fit(NULL, 0, "abc", 3, TEXT_CUT_END), 0);
}

static void check_fit(const char *text, int cols, size_t size, enum text_cut cut)
{
	char dst[ROOM];
	int used;

	memset(dst, 'Z', sizeof dst);
	used = text_fit(dst, size, text, cols, cut);
	assert_int_equal(dst[size], 'Z');
	assert_non_null(memchr(dst, '\0', size));
	assert_true(used <= (cols > 0 ? cols : 0));
	assert_int_equal(used, text_width(dst));
	assert_true(text_is_clean(dst, strlen(dst)));
	if (size == sizeof dst - 1 && text_width(text) > cols && cols > 0)
		assert_true(used >= cols - 3); /* a wide one on each side, of a middle cut */
}

static void fitting_never_takes_more_than_it_may(void **state)
{
	char raw[65], text[4 * 64 + 1];
	size_t len;
	int turn, cut, cols;

	(void)state;
	for (turn = 0; turn < 3000; turn++) {
		len = random_text(raw, 64);
		if (turn % 2) {
			text_clean(text, sizeof text, raw, len, NULL);
		} else {
			memcpy(text, raw, len);
			text[len] = '\0';
		}
		for (cut = TEXT_CUT_END; cut <= TEXT_CUT_START; cut++) {
			for (cols = -1; cols < 40; cols += 1 + (int)random_number(4)) {
				check_fit(text, cols, ROOM - 1, (enum text_cut)cut);
				check_fit(text, cols, 1 + random_number(40), (enum text_cut)cut);
			}
		}
	}
}

static void without_utf8_all_is_ascii_and_as_wide_as_said(void **state)
{
	char raw[65], text[4 * 64 + 1], dst[ROOM];
	size_t len, i;
	int turn, cols;

	(void)state;
	assert_non_null(setlocale(LC_ALL, "C"));
	assert_int_equal(text_width("aé"), 9);
	assert_fits("aé日", 30, TEXT_CUT_END, "a\\u{00e9}\\u{65e5}", 17);
	assert_fits("aé日", 16, TEXT_CUT_END, "a\\u{00e9}~", 10);
	assert_fits("日é", 10, TEXT_CUT_START, "~\\u{00e9}", 9);
	for (turn = 0; turn < 2000; turn++) {
		len = random_text(raw, 64);
		text_clean(text, sizeof text, raw, len, NULL);
		cols = (int)random_number(60);
		cols = text_fit(dst, sizeof dst, text, cols, (enum text_cut)random_number(3));
		assert_int_equal(cols, strlen(dst));
		for (i = 0; dst[i]; i++)
			assert_in_range((unsigned char)dst[i], 0x20, 0x7e);
	}
	assert_non_null(setlocale(LC_ALL, "C.UTF-8"));
}

/* What is clean is so everywhere: a source and a monitor may have different locales. */
static void cleaning_does_not_ask_the_locale(void **state)
{
	(void)state;
	assert_non_null(setlocale(LC_ALL, "C"));
	ASSERT_CLEANED("Grüße 日\n", "Grüße 日\\n");
	assert_non_null(setlocale(LC_ALL, "C.UTF-8"));
}

static void numbers_are_whole_texts_within_limits(void **state)
{
	static const struct {
		const char *text;
		int result;
		int64_t value;
	} table[] = {
		{"0", 0, 0},
		{"42", 0, 42},
		{"-42", 0, -42},
		{"007", 0, 7},
		{"-0", 0, 0},
		{"9223372036854775807", 0, INT64_MAX},
		{"-9223372036854775808", 0, INT64_MIN},
		{"9223372036854775808", -ERANGE, 0},
		{"-9223372036854775809", -ERANGE, 0},
		{"18446744073709551616", -ERANGE, 0},
		{"99999999999999999999999999", -ERANGE, 0},
		{"", -EINVAL, 0},
		{"-", -EINVAL, 0},
		{"+1", -EINVAL, 0},
		{" 1", -EINVAL, 0},
		{"1 ", -EINVAL, 0},
		{"1\n", -EINVAL, 0},
		{"1.0", -EINVAL, 0},
		{"0x10", -EINVAL, 0},
		{"--1", -EINVAL, 0},
		{"99999999999999999999999999x", -EINVAL, 0},
	};
	int64_t value;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof table / sizeof *table; i++) {
		value = 77;
		assert_int_equal(
			text_to_int(table[i].text, INT64_MIN, INT64_MAX, &value), table[i].result);
		assert_int_equal(value, table[i].result ? 77 : table[i].value);
	}
	assert_int_equal(text_to_int("5", 1, 5, &value), 0);
	assert_int_equal(text_to_int("6", 1, 5, &value), -ERANGE);
	assert_int_equal(text_to_int("0", 1, 5, &value), -ERANGE);
}

static void durations_are_read(void **state)
{
	static const struct {
		const char *text;
		int result;
		int64_t ns;
	} table[] = {
		{"90", 0, 90 * NS_PER_S},
		{"90s", 0, 90 * NS_PER_S},
		{"0", 0, 0},
		{"0.5", 0, NS_PER_S / 2},
		{"15m", 0, 900 * NS_PER_S},
		{"1h", 0, 3600 * NS_PER_S},
		{"7d", 0, 604800 * NS_PER_S},
		{"1.5h", 0, 5400 * NS_PER_S},
		{"0.000000001s", 0, 1},
		{"1.9999999999999s", 0, 1999999999},
		{"3m12s", 0, 192 * NS_PER_S},
		{"2h14m", 0, 8040 * NS_PER_S},
		{"1d2h3m4s", 0, 93784 * NS_PER_S},
		{"106751d", 0, INT64_C(9223286400) * NS_PER_S},
		{"106752d", -ERANGE, 0},
		{"9223372036854775808d", -ERANGE, 0},
		{"99999999999999999999", -ERANGE, 0},
		{"9223372036.999", -ERANGE, 0},
		{"106751d99999h", -ERANGE, 0},
		{"", -EINVAL, 0},
		{"h", -EINVAL, 0},
		{".5h", -EINVAL, 0},
		{"1.h", -EINVAL, 0},
		{"1.", -EINVAL, 0},
		{"-5s", -EINVAL, 0},
		{"+5s", -EINVAL, 0},
		{" 5s", -EINVAL, 0},
		{"5 s", -EINVAL, 0},
		{"5S", -EINVAL, 0},
		{"5ss", -EINVAL, 0},
		{"5s3m", -EINVAL, 0},
		{"5m5m", -EINVAL, 0},
		{"3m12", -EINVAL, 0},
		{"5y", -EINVAL, 0},
		{"1e3", -EINVAL, 0},
		{"inf", -EINVAL, 0},
	};
	int64_t ns;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof table / sizeof *table; i++) {
		ns = 77;
		assert_int_equal(text_to_duration(table[i].text, &ns), table[i].result);
		assert_int_equal(ns, table[i].result ? 77 : table[i].ns);
	}
}

static void latencies_are_written_in_three_digits(void **state)
{
	static const struct {
		int64_t ns;
		const char *text;
	} table[] = {
		{0, "0"},
		{-1, "-"},
		{INT64_MIN, "-"},
		{1, "0.001us"},
		{999, "0.999us"},
		{1000, "1us"},
		{1250, "1.25us"},
		{850000, "850us"},
		{999499, "999us"},
		{999500, "1ms"},
		{1200000, "1.2ms"},
		{1204999, "1.2ms"},
		{1205000, "1.21ms"},
		{12300000, "12.3ms"},
		{12345678, "12.3ms"},
		{40000000, "40ms"},
		{999499999, "999ms"},
		{999500000, "1s"},
		{1001000000, "1s"},
		{1250000000, "1.25s"},
		{2010000000, "2.01s"},
		{9994999999, "9.99s"},
		{9995000000, "10s"},
		{10000000000, "10s"},
		{47900000000, "47s"},
		{192 * NS_PER_S, "3m12s"},
		{(2 * 60 + 14) * 60 * NS_PER_S, "2h14m"},
		{INT64_MAX, "106751d"},
	};
	char text[32];

	(void)state;
	for (size_t i = 0; i < sizeof table / sizeof *table; i++)
		assert_string_equal(text_latency(text, sizeof text, table[i].ns), table[i].text);
}

static void durations_are_written_in_two_units_at_most(void **state)
{
	static const struct {
		int64_t s;
		const char *text, *brief;
	} table[] = {
		{0, "0s", "0s"},
		{47, "47s", "47s"},
		{59, "59s", "59s"},
		{60, "1m00s", "1m"},
		{192, "3m12s", "3m"},
		{3599, "59m59s", "59m"},
		{3600, "1h00m", "1h"},
		{8040, "2h14m", "2h"},
		{8099, "2h14m", "2h"},
		{86399, "23h59m", "23h"},
		{86400, "1d00h", "1d"},
		{6 * 86400 + 3 * 3600, "6d03h", "6d"},
		{99 * 86400 + 23 * 3600, "99d23h", "99d"},
		{100 * 86400, "100d", "100d"},
		{412 * 86400 + 5, "412d", "412d"},
		{-47, "-47s", "-47s"},
		{-192, "-3m12s", "-3m"},
	};
	char text[32];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof table / sizeof *table; i++) {
		assert_string_equal(
			text_duration(text, sizeof text, table[i].s * NS_PER_S), table[i].text);
		assert_string_equal(text_duration_short(text, sizeof text, table[i].s * NS_PER_S),
			table[i].brief);
	}
	assert_string_equal(text_duration(text, sizeof text, NS_PER_S - 1), "0s");
	assert_string_equal(text_duration(text, sizeof text, 1 - NS_PER_S), "0s");
	assert_string_equal(text_duration(text, sizeof text, INT64_MAX), "106751d");
	assert_string_equal(text_duration(text, sizeof text, INT64_MIN), "-106751d");
}

static void a_written_duration_can_be_read(void **state)
{
	char text[32], again[32];
	int64_t s, ns;

	(void)state;
	for (s = 0; s < INT64_C(9000000000); s += 1 + s / 7) {
		text_duration(text, sizeof text, s * NS_PER_S);
		assert_int_equal(text_to_duration(text, &ns), 0);
		assert_true(ns <= s * NS_PER_S);
		assert_string_equal(text_duration(again, sizeof again, ns), text);
	}
}

static void times_are_local(void **state)
{
	char text[32];
	const int64_t wall = INT64_C(1772366621) * NS_PER_S + 999999999;

	(void)state;
	assert_string_equal(text_time(text, sizeof text, wall), "2026-03-01 12:03:41");
	assert_string_equal(text_clock(text, sizeof text, wall), "12:03:41");
	setenv("TZ", "<+05>-05", 1);
	tzset();
	assert_string_equal(text_clock(text, sizeof text, wall), "17:03:41");
	setenv("TZ", "UTC", 1);
	tzset();
	assert_string_equal(text_time(text, sizeof text, 0), "1970-01-01 00:00:00");
	assert_string_equal(text_time(text, sizeof text, INT64_MAX), "2262-04-11 23:47:16");
	assert_string_equal(text_time(text, sizeof text, -1), "?");
	assert_string_equal(text_clock(text, sizeof text, INT64_MIN), "?");
	assert_string_equal(text_time(text, 5, wall), "?");
}

static void a_moment_is_read_as_people_type_it(void **state)
{
	const int64_t now = INT64_C(1772366621) * NS_PER_S; /* 2026-03-01 12:03:41 */
	static const struct {
		const char *text;
		int result;
		int64_t ago; /* s */
	} table[] = {
		{"now", 0, 0},
		{"12:03:41", 0, 0},
		{"12:03", 0, 41},
		{"12:03:40", 0, 1},
		{"0:00", 0, 12 * 3600 + 221},
		{"12:03:42", 0, 86399}, /* that was yesterday */
		{"23:59", 0, 12 * 3600 + 221 + 60},
		{"2026-03-01 12:03:41", 0, 0},
		{"2026-03-01T11:03", 0, 3641},
		{"2026-02-28 12:03:41", 0, 86400},
		{"2026-03-01", 0, 12 * 3600 + 221},
		{"15m", 0, 900},
		{"-15m", 0, 900},
		{"1.5h", 0, 5400},
		{"-1h30m", 0, 5400},
		{"7d", 0, 7 * 86400},
		{"0s", 0, 0},
		{"2026-03-01 12:03:42", -ERANGE, 0},
		{"2027-01-01", -ERANGE, 0},
		{"1960-01-01", -ERANGE, 0},
		{"99999d", -ERANGE, 0},
		{"2026-02-30", -EINVAL, 0},
		{"2026-13-01", -EINVAL, 0},
		{"24:00", -EINVAL, 0},
		{"12:60", -EINVAL, 0},
		{"12:03:41x", -EINVAL, 0},
		{"15", -EINVAL, 0},
		{"-15", -EINVAL, 0},
		{"--15m", -EINVAL, 0},
		{"", -EINVAL, 0},
		{"-", -EINVAL, 0},
		{"yesterday", -EINVAL, 0},
	};

	(void)state;
	for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
		int64_t wall = -1;

		assert_int_equal(text_to_moment(table[i].text, now, &wall), table[i].result);
		assert_int_equal(wall, table[i].result ? -1 : now - table[i].ago * NS_PER_S);
	}
}

static void a_filter_needs_all_its_words(void **state)
{
	(void)state;
	assert_true(text_contains("/run/lock/Story.lock", "story"));
	assert_true(text_contains("/run/lock/story.lock", "LOCK run"));
	assert_true(text_contains("/run/lock/story.lock", "  lock\t story "));
	assert_false(text_contains("/run/lock/story.lock", "story backup"));
	assert_true(text_contains("anything", ""));
	assert_true(text_contains("", ""));
	assert_true(text_contains("anything", "   "));
	assert_false(text_contains("", "a"));
	assert_false(text_contains("ab", "abc"));
	assert_true(text_contains("xaab", "aab"));
	assert_true(text_contains("日本語.lock", "本 LOCK"));
	assert_false(text_contains("a.c", "a*c"));
}

/* The vectors of the FNV page, http://www.isthe.com/chongo/tech/comp/fnv/ */
static void the_hash_is_fnv_1a(void **state)
{
	uint64_t hash;

	(void)state;
	assert_true(text_hash("", 0, 0) == UINT64_C(0xcbf29ce484222325));
	assert_true(text_hash("a", 1, 0) == UINT64_C(0xaf63dc4c8601ec8c));
	assert_true(text_hash("foobar", 6, 0) == UINT64_C(0x85944171f73967e8));
	hash = text_hash("foo", 3, 0);
	assert_true(text_hash("bar", 3, hash) == text_hash("foobar", 6, 0));
}

static int set_up(void **state)
{
	(void)state;
	setenv("TZ", "UTC", 1);
	tzset();
	return setlocale(LC_ALL, "C.UTF-8") ? 0 : -1;
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(plain_text_stays_as_it_is),
		cmocka_unit_test(every_byte_alone_is_shown_or_escaped),
		cmocka_unit_test(the_quick_way_sees_every_byte_at_every_place),
		cmocka_unit_test(terminal_sequences_become_visible),
		cmocka_unit_test(what_has_no_shape_becomes_visible),
		cmocka_unit_test(invalid_utf8_is_shown_byte_by_byte),
		cmocka_unit_test(a_combining_mark_needs_something_to_stand_on),
		cmocka_unit_test(an_escape_cannot_be_forged),
		cmocka_unit_test(a_nul_is_a_byte_like_others),
		cmocka_unit_test(random_bytes_come_back_from_their_clean_form),
		cmocka_unit_test(clean_is_what_cleaning_leaves_alone),
		cmocka_unit_test(visible_text_is_clean_and_stays_so),
		cmocka_unit_test(cleaning_cuts_between_characters_and_escapes),
		cmocka_unit_test(a_wrong_escape_is_refused),
		cmocka_unit_test(uncleaning_says_when_there_is_no_room),
		cmocka_unit_test(every_code_point_is_encoded_and_decoded),
		cmocka_unit_test(letters_of_all_scripts_are_shown),
		cmocka_unit_test(width_is_what_a_terminal_uses),
		cmocka_unit_test(what_fits_is_not_cut),
		cmocka_unit_test(a_cut_is_marked_where_it_is),
		cmocka_unit_test(a_wide_character_is_not_halved),
		cmocka_unit_test(marks_stay_with_their_character),
		cmocka_unit_test(what_is_not_clean_is_still_harmless),
		cmocka_unit_test(a_small_room_cuts_too),
		cmocka_unit_test(fitting_never_takes_more_than_it_may),
		cmocka_unit_test(without_utf8_all_is_ascii_and_as_wide_as_said),
		cmocka_unit_test(cleaning_does_not_ask_the_locale),
		cmocka_unit_test(numbers_are_whole_texts_within_limits),
		cmocka_unit_test(durations_are_read),
		cmocka_unit_test(durations_are_written_in_two_units_at_most),
		cmocka_unit_test(latencies_are_written_in_three_digits),
		cmocka_unit_test(a_written_duration_can_be_read),
		cmocka_unit_test(times_are_local),
		cmocka_unit_test(a_moment_is_read_as_people_type_it),
		cmocka_unit_test(a_filter_needs_all_its_words),
		cmocka_unit_test(the_hash_is_fnv_1a),
	};

	return cmocka_run_group_tests_name("text", tests, set_up, NULL);
}

#include "config.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>

#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/jsonw.h"
#include "base/unicode.h"

/* What jansson finds under "k" in the object that was written; owned. */
static json_t *parse(struct jsonw *json)
{
	int len = jsonw_end(json);
	json_t *object, *value;
	json_error_t why;

	assert_int_equal(len, strlen(json->dst));
	for (int i = 0; i < len - 1; i++)
		assert_in_range(json->dst[i], ' ', '~');
	assert_int_equal(json->dst[len - 1], '\n');
	object = json_loads(json->dst, JSON_REJECT_DUPLICATES, &why);
	if (!object)
		fail_msg("%s: %s", why.text, json->dst);
	value = json_incref(json_object_get(object, "k"));
	json_decref(object);
	return value;
}

/* The same by another way: what a reader has to find for these bytes. */
static void expected(char *dst, const char *text)
{
	size_t left = strlen(text);

	while (left) {
		uint32_t c;
		size_t n = unicode_decode(text, left, &c);

		if (n)
			memcpy(dst, text, n);
		else
			memcpy(dst, "\xef\xbf\xbd", 3);
		dst += n ? n : 3;
		text += n ? n : 1;
		left -= n ? n : 1;
	}
	*dst = '\0';
}

static void check_text(const char *text)
{
	char *line = malloc(6 * strlen(text) + 16), *want = malloc(3 * strlen(text) + 1);
	struct jsonw json;
	json_t *value;

	jsonw_begin(&json, line, 6 * strlen(text) + 16);
	jsonw_text(&json, "k", text);
	value = parse(&json);
	expected(want, text);
	assert_string_equal(json_string_value(value), want);
	json_decref(value);
	free(line);
	free(want);
}

static void an_object_is_one_line(void **state)
{
	char line[200];
	struct jsonw json;
	int len;

	(void)state;
	jsonw_begin(&json, line, sizeof line);
	jsonw_int(&json, "v", 1);
	jsonw_text(&json, "name", "a \"b\" \\ c");
	jsonw_text(&json, "none", NULL);
	jsonw_bool(&json, "yes", true);
	jsonw_bool(&json, "no", false);
	jsonw_null(&json, "null");
	jsonw_fixed(&json, "ms", 12345, 1000, 2);
	len = jsonw_end(&json);
	assert_int_equal(len, strlen(line));
	assert_string_equal(line,
		"{\"v\":1,\"name\":\"a \\\"b\\\" \\\\ c\",\"none\":null,\"yes\":true,"
		"\"no\":false,\"null\":null,\"ms\":12.35}\n");
	jsonw_begin(&json, line, sizeof line);
	assert_int_equal(jsonw_end(&json), 3);
	assert_string_equal(line, "{}\n");
}

static void every_text_comes_back(void **state)
{
	static const char *const texts[] = {"", "plain", "\"", "\\", "a\nb\tc\rd\be\ff",
		"\x01\x1f\x7f", "\xc3\xa9", "\xe2\x82\xac", "\xf0\x9f\x94\x92", "\xf4\x8f\xbf\xbf",
		"\xef\xbf\xbf", "\xc3", "\xe2\x82", "\xf0\x9f\x94", "\xff", "\xc0\x80",
		"\xed\xa0\x80", "\xf4\x90\x80\x80", "\x80", "\xc3(", "\xe2\x28\xa1", "</script>",
		"\xe2\x80\xa8\xe2\x80\xae", "\\u0041"};

	(void)state;
	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
		check_text(texts[i]);
}

static void random_text(char *dst, size_t len)
{
	static const char *const hostile[] = {"\"", "\\", "\n", "\x1b[2J", "\xff", "\xed\xa0\x80",
		"\xf0\x9f\x94\x92", "\xe2\x82\xac", "\xc3\xa9", "\x7f", "a", "lock", "\xf0\x9f"};
	size_t n = 0;

	while (n < len) {
		const char *piece = hostile[(size_t)rand() % (sizeof hostile / sizeof *hostile)];

		if (rand() % 3 == 0)
			dst[n++] = (char)(1 + rand() % 255);
		else
			while (*piece && n < len)
				dst[n++] = *piece++;
	}
	dst[n] = '\0';
}

static void any_bytes_come_back(void **state)
{
	char text[3001];

	(void)state;
	srand(20261123);
	for (int i = 0; i < 20000; i++) {
		random_text(text, (size_t)rand() % (i % 100 ? 40 : 3000));
		check_text(text);
	}
}

static void a_long_text_is_cut_between_characters(void **state)
{
	char text[200], line[400], want[700];
	struct jsonw json;
	json_t *value;

	(void)state;
	srand(42);
	for (int i = 0; i < 50000; i++) {
		size_t max = 6 + (size_t)rand() % 60, len, begin = strlen("{\"k\":\"");
		const char *got;

		random_text(text, (size_t)rand() % 60);
		jsonw_begin(&json, line, sizeof line);
		jsonw_text_cut(&json, "k", text, max);
		len = json.len - begin - 1;
		assert_in_range(len, 0, max);
		value = parse(&json);
		got = json_string_value(value);
		assert_non_null(got);
		expected(want, text);
		if (strcmp(got, want) != 0) {
			assert_int_equal(got[strlen(got) - 1], '~');
			assert_memory_equal(got, want, strlen(got) - 1);
			/* As much as fits: a character takes 12 bytes at most. */
			assert_in_range(len, max > 12 ? max - 12 : 1, max);
		}
		json_decref(value);
	}
	jsonw_begin(&json, line, sizeof line);
	jsonw_text_cut(&json, "k", "123456", 6);
	jsonw_text_cut(&json, "l", "1234567", 6);
	jsonw_text_cut(&json, "m", "12345\n", 6);
	jsonw_text_cut(&json, "n", "1234\xf0\x9f\x94\x92", 12);
	assert_true(jsonw_end(&json) > 0);
	assert_string_equal(
		line, "{\"k\":\"123456\",\"l\":\"12345~\",\"m\":\"12345~\",\"n\":\"1234~\"}\n");
}

static const char *fixed(int64_t value, int64_t scale, int decimals)
{
	static char line[64];
	struct jsonw json;

	jsonw_begin(&json, line, sizeof line);
	jsonw_fixed(&json, "", value, scale, decimals);
	assert_true(jsonw_end(&json) > 0);
	line[strlen(line) - 2] = '\0';
	return line + strlen("{\"\":");
}

static void a_fixed_point_number_is_exact_and_short(void **state)
{
	(void)state;
	assert_string_equal(fixed(1763866361123456789, 1000000000, 3), "1763866361.123");
	assert_string_equal(fixed(1763866361123567890, 1000000000, 3), "1763866361.124");
	assert_string_equal(fixed(12300000, 1000000, 3), "12.3");
	assert_string_equal(fixed(12000000, 1000000, 3), "12");
	assert_string_equal(fixed(0, 1000000, 3), "0");
	assert_string_equal(fixed(499, 1000000, 3), "0");
	assert_string_equal(fixed(500, 1000000, 3), "0.001");
	assert_string_equal(fixed(-499, 1000000, 3), "0");
	assert_string_equal(fixed(-1500000, 1000000, 3), "-1.5");
	assert_string_equal(fixed(999999999, 1000000000, 3), "1");
	assert_string_equal(fixed(1, 1000000000, 9), "0.000000001");
	assert_string_equal(fixed(7, 2, 0), "4");
	assert_string_equal(fixed(INT64_MAX, 1, 9), "9223372036854775807");
	assert_string_equal(fixed(INT64_MIN, 1000000000, 9), "-9223372036.854775808");
}

static void every_integer_is_written_whole(void **state)
{
	static const int64_t numbers[] = {0, 1, -1, 9, 10, -10, INT64_MAX, INT64_MIN};
	char line[64];
	struct jsonw json;
	json_t *value;

	(void)state;
	for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
		jsonw_begin(&json, line, sizeof line);
		jsonw_int(&json, "k", numbers[i]);
		value = parse(&json);
		assert_true(json_is_integer(value));
		assert_true(json_integer_value(value) == numbers[i]);
		json_decref(value);
	}
}

/* In each size: whole, or told; and never a byte beyond it. */
static void what_does_not_fit_is_told(void **state)
{
	const char whole[] = "{\"key\":\"a\\u00e9\\ud83d\\udd12\",\"n\":-12,\"f\":1.5}\n";
	char line[sizeof whole + 8];

	(void)state;
	for (size_t size = 0; size <= sizeof whole; size++) {
		struct jsonw json;
		int result;

		memset(line, '#', sizeof line);
		jsonw_begin(&json, line, size);
		jsonw_text(&json, "key", "a\xc3\xa9\xf0\x9f\x94\x92");
		jsonw_int(&json, "n", -12);
		jsonw_fixed(&json, "f", 3, 2, 3);
		result = jsonw_end(&json);
		assert_int_equal(result, size < sizeof whole ? -E2BIG : (int)sizeof whole - 1);
		assert_int_equal(json.is_full, size < sizeof whole);
		for (size_t i = size; i < sizeof line; i++)
			assert_int_equal(line[i], '#');
	}
	assert_memory_equal(line, whole, sizeof whole);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_object_is_one_line),
		cmocka_unit_test(every_text_comes_back),
		cmocka_unit_test(any_bytes_come_back),
		cmocka_unit_test(a_long_text_is_cut_between_characters),
		cmocka_unit_test(a_fixed_point_number_is_exact_and_short),
		cmocka_unit_test(every_integer_is_written_whole),
		cmocka_unit_test(what_does_not_fit_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Records: what is understood, and that nothing is guessed. */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "model/record.h"

#define TOKEN "0123456789abcdef0123456789abcdef"
#define LT1                                                                                      \
	"4711|1760000000|lt1;h=web1;b=9f3c2a71;n=4026531836;s=8812345;a=1760000000.123;t=" TOKEN \
	";f=42;l=600;u=33;m=h"

static enum record_format format_of(const char *text)
{
	struct record record;
	const char *why = "untouched";

	record_parse(&record, text, strlen(text), &why);
	assert_true((record.format == RECORD_CORRUPT) == (why != NULL));
	if (record.format == RECORD_CORRUPT)
		assert_int_equal(record.pid, 0);
	return record.format;
}

static void every_form_is_told_apart(void **state)
{
	static const struct {
		const char *text;
		enum record_format format;
	} table[] = {
		{"", RECORD_EMPTY},
		{"4711|1760000000", RECORD_PLAIN},
		{"4711|1760000000\n", RECORD_PLAIN},
		{"1|0", RECORD_PLAIN},
		{"2147483647|1760000000", RECORD_PLAIN},
		{"4711|2147483648", RECORD_PLAIN},
		{"4711|253402300799", RECORD_PLAIN},
		{"4711", RECORD_PID},
		{"4711\n", RECORD_PID},
		{"      4711\n", RECORD_PID},
		{LT1, RECORD_LT1},
		{LT1 "\n", RECORD_LT1},
		{LT1 ";z=later;longer=ignored", RECORD_LT1},
		{LT1 ";note=1;note=2", RECORD_LT1}, /* only what is understood may not repeat */
		{"4711|1760000000|lt1;m=h;u=4294967294;t=" TOKEN, RECORD_LT1},
		{"4711|1760000000|lt2;x=1", RECORD_FOREIGN},
		{"4711|1760000000|uuid", RECORD_FOREIGN},
		/* what is none of them */
		{"\n", RECORD_CORRUPT},
		{"4711\n\n", RECORD_CORRUPT},
		{"4711|1760000000\n\n", RECORD_CORRUPT},
		{"4711|1760000000\r\n", RECORD_CORRUPT},
		{"-4711|1760000000", RECORD_CORRUPT},
		{"0|1760000000", RECORD_CORRUPT},
		{"0", RECORD_CORRUPT},
		{"2147483648|1760000000", RECORD_CORRUPT},
		{"+4711|1760000000", RECORD_CORRUPT},
		{" 4711|1760000000", RECORD_CORRUPT},
		{"4711 |1760000000", RECORD_CORRUPT},
		{"0x10|1760000000", RECORD_CORRUPT},
		{"4711|+1760000000", RECORD_CORRUPT},
		{"4711|0x10", RECORD_CORRUPT},
		{"4711|1760000000 ", RECORD_CORRUPT},
		{"4711| 1760000000", RECORD_CORRUPT},
		{"4711|1.5", RECORD_CORRUPT},
		{"4711|9223372036854775807", RECORD_CORRUPT},
		{"4711 \n", RECORD_CORRUPT},
		{"   ", RECORD_CORRUPT},
		{"-1", RECORD_CORRUPT},
		{"2147483648", RECORD_CORRUPT},
		{"18446744073709551617|1760000000", RECORD_CORRUPT},
		{"4711|", RECORD_CORRUPT},
		{"|1760000000", RECORD_CORRUPT},
		{"|", RECORD_CORRUPT},
		{"4711|-5", RECORD_CORRUPT},
		{"4711|99999999999999999999", RECORD_CORRUPT},
		{"4711|1760000000|", RECORD_CORRUPT},
		{"4711|1760000000|lt1", RECORD_CORRUPT},
		{"4711|1760000000|lt1;", RECORD_CORRUPT},
		{"4711|1760000000|lt1;m=h", RECORD_CORRUPT},
		{LT1 ";m=h", RECORD_CORRUPT},
		{LT1 ";h", RECORD_CORRUPT},
		{LT1 ";=x", RECORD_CORRUPT},
		{"4711|1760000000|lt1;m=x;t=" TOKEN, RECORD_CORRUPT},
		{"4711|1760000000|lt1;m=h;t=" TOKEN "0", RECORD_CORRUPT},
		{"4711|1760000000|lt1;m=h;b=9f3c2a7;t=" TOKEN, RECORD_CORRUPT},
		{"4711|1760000000|lt1;m=h;a=soon;t=" TOKEN, RECORD_CORRUPT},
		{"4711|1760000000|lt1;m=h;h=%4;t=" TOKEN, RECORD_CORRUPT},
		{"4711|1760000000|lt1;m=h;a=1.;t=" TOKEN, RECORD_CORRUPT},
		{"4711|1760000000|lt1;m=h;a=1.0123456789;t=" TOKEN, RECORD_CORRUPT},
		{"4711|1760000000|lt1;m=h;a=99999999999;t=" TOKEN, RECORD_CORRUPT},
		{"4711|1760000000|lt1;m=h;h=;t=" TOKEN, RECORD_CORRUPT},
		{"4711|1760000000|lt1;m=h;s=9223372036854775808;t=" TOKEN, RECORD_CORRUPT},
		{"4711|1760000000|lt1;m=h;s=-1;t=" TOKEN, RECORD_CORRUPT},
		{"4711|1760000000|lt1;m=h;l=2147483648;t=" TOKEN, RECORD_CORRUPT},
		{"4711|1760000000|lt1;m=h;u=4294967296;t=" TOKEN, RECORD_CORRUPT},
		{LT1 "\r\n", RECORD_CORRUPT},
		{LT1 "|more", RECORD_CORRUPT},
		{LT1 ";note=a|b", RECORD_CORRUPT},
		{LT1 ";note=two words", RECORD_CORRUPT},
		{LT1 ";note=caf\xc3\xa9", RECORD_CORRUPT},
		{LT1 ";\xff=1", RECORD_CORRUPT},
		{LT1 "\n" LT1, RECORD_CORRUPT},
		{"4711|1760000000|lt1;m=h;h=\xff\xfe;t=" TOKEN, RECORD_CORRUPT},
		{"4711|1760000000\n4712|1760000000", RECORD_CORRUPT},
		{"4711\n4712\n", RECORD_CORRUPT},
		{"\xef\xbb\xbf"
		 "4711|1760000000",
			RECORD_CORRUPT},
		{"hello", RECORD_CORRUPT},
		{"4711|1760000000|\033[2J", RECORD_CORRUPT},
	};

	(void)state;
	for (size_t i = 0; i < sizeof table / sizeof *table; i++)
		if (format_of(table[i].text) != table[i].format)
			fail_msg("'%s' is %s", table[i].text,
				record_format_word(format_of(table[i].text)));
}

static void lt1_has_all_its_members(void **state)
{
	struct record r;

	(void)state;
	record_parse(&r, LT1, strlen(LT1), NULL);
	assert_int_equal(r.pid, 4711);
	assert_int_equal(r.time, 1760000000);
	assert_string_equal(r.host, "web1");
	assert_string_equal(r.boot, "9f3c2a71");
	assert_true(r.ns == 4026531836u && r.start == 8812345);
	assert_true(r.acquired == INT64_C(1760000000123000000));
	assert_string_equal(r.token, TOKEN);
	assert_true(r.fence == 42 && r.lease == 600 && r.uid == 33 && r.mode == 'h');
}

static void a_hostile_host_is_made_clean(void **state)
{
	static const char text[] = "1|2|lt1;m=h;h=a%1b%5d0;t=" TOKEN;
	struct record r;

	(void)state;
	record_parse(&r, text, strlen(text), NULL);
	assert_int_equal(r.format, RECORD_LT1);
	assert_string_equal(r.host, "a\\x1b]0");
}

static void a_host_of_invalid_utf8_is_made_visible(void **state)
{
	static const char text[] = "1|2|lt1;m=h;h=a%ff%00b;t=" TOKEN;
	char again[RECORD_MAX + 1];
	struct record r;

	(void)state;
	record_parse(&r, text, strlen(text), NULL);
	assert_string_equal(r.host, "a\\xff\\x00b");
	assert_true(record_write(&r, again, sizeof again) > 0);
	assert_non_null(strstr(again, ";h=a%FF%00b;"));
}

/* Sixteen such bytes become 64 characters, and with one more the name would have to be cut. */
static void a_host_that_would_have_to_be_cut_is_refused(void **state)
{
	char text[RECORD_MAX];
	struct record r;

	(void)state;
	for (int n = 16; n <= 17; n++) {
		size_t len = (size_t)snprintf(text, sizeof text, "1|2|lt1;m=h;t=" TOKEN ";h=");

		for (int i = 0; i < n; i++)
			len += (size_t)snprintf(text + len, sizeof text - len, "%%1b");
		record_parse(&r, text, len, NULL);
		assert_int_equal(r.format, n == 16 ? RECORD_LT1 : RECORD_CORRUPT);
	}
}

static void a_record_cut_anywhere_is_never_taken_for_a_whole_lt1(void **state)
{
	(void)state;
	for (size_t len = 1; len < strlen(LT1); len++) {
		struct record r;

		record_parse(&r, LT1, len, NULL);
		assert_int_not_equal(r.format, RECORD_LT1);
	}
}

/* No part of a record can be taken for one that may be released although its whole may not. */
static void a_version_cut_anywhere_stays_foreign_or_says_less(void **state)
{
	static const char text[] = "4711|1760000000|lt2.1;x=1";

	(void)state;
	for (size_t len = 1; len < sizeof text; len++) {
		enum record_format wanted = len <= 4    ? RECORD_PID
					    : len == 5  ? RECORD_CORRUPT
					    : len <= 15 ? RECORD_PLAIN
					    : len == 16 ? RECORD_CORRUPT
							: RECORD_FOREIGN;
		struct record r;

		record_parse(&r, text, len, NULL);
		assert_int_equal(r.format, wanted);
	}
}

static void nul_bytes_and_length_are_refused(void **state)
{
	char big[RECORD_READ_MAX + 1];
	struct record r;
	const char *why;

	(void)state;
	record_parse(&r,
		"47\0"
		"11|5",
		7, &why);
	assert_int_equal(r.format, RECORD_CORRUPT);
	/* What a crash leaves of a file whose blocks were not written. */
	record_parse(&r, "4711|1760000000|lt2;\0\0\0", 23, &why);
	assert_int_equal(r.format, RECORD_CORRUPT);
	record_parse(&r, "\0\0\0\0", 4, &why);
	assert_int_equal(r.format, RECORD_CORRUPT);
	memset(big, '1', sizeof big);
	record_parse(&r, big, sizeof big, &why);
	assert_int_equal(r.format, RECORD_CORRUPT);
	assert_non_null(strstr(why, "longer"));
}

static void what_is_written_is_read_again(void **state)
{
	static const char *const texts[] = {"", "4711|1760000000", "4711\n", LT1,
		"7|8|lt1;h=a%20b%7C;b=00000000;n=1;s=2;a=3.000;t=" TOKEN ";f=0;l=0;u=0;m=d"};

	(void)state;
	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
		char text[RECORD_MAX + 1];
		struct record r;
		int n;

		record_parse(&r, texts[i], strlen(texts[i]), NULL);
		n = record_write(&r, text, sizeof text);
		assert_int_equal(n, strlen(texts[i]));
		assert_string_equal(text, texts[i]);
	}
}

static struct record random_record(void)
{
	static const char *const hosts[] = {
		"", "web1", "a b", "k\xc3\xb6ln", "x\\x1by", "a|b;c=d%"};
	static const enum record_format formats[] = {
		RECORD_EMPTY, RECORD_PLAIN, RECORD_PID, RECORD_LT1, RECORD_LT1, RECORD_LT1};
	struct record r = {.format = formats[rand() % 6], .fence = -1, .uid = -1};

	if (r.format == RECORD_EMPTY)
		return r;
	r.pid = 1 + rand() % INT32_MAX;
	if (r.format == RECORD_PID)
		return r;
	r.time = (int64_t)rand() * (rand() % 3);
	if (r.format == RECORD_PLAIN)
		return r;
	r.mode = "hd"[rand() % 2];
	r.start = rand() % 2 ? (uint64_t)rand() : 0;
	r.ns = rand() % 2 ? (uint64_t)rand() : 0;
	r.acquired = rand() % 2 ? rand() * INT64_C(1000000) : 0;
	r.fence = rand() % 3 - 1;
	r.lease = rand() % 2 ? rand() : 0;
	r.uid = rand() % 3 - 1;
	strcpy(r.token, TOKEN);
	strcpy(r.boot, rand() % 2 ? "9f3c2a71" : "");
	strcpy(r.host, hosts[rand() % 6]);
	return r;
}

static void random_records_come_back_as_they_went(void **state)
{
	(void)state;
	srand(7);
	for (int i = 0; i < 20000; i++) {
		struct record r = random_record(), back;
		char text[RECORD_MAX + 2], again[RECORD_MAX + 1];
		int n = record_write(&r, text, sizeof text - 1);

		assert_true(n >= 0);
		if (n > 0 && text[n - 1] != '\n' && rand() % 2)
			text[n++] = '\n';
		record_parse(&back, text, (size_t)n, NULL);
		assert_true(r.format == back.format && r.mode == back.mode && r.pid == back.pid);
		assert_true(r.time == back.time && r.start == back.start && r.ns == back.ns);
		assert_true(r.acquired == back.acquired && r.fence == back.fence);
		assert_true(r.lease == back.lease && r.uid == back.uid);
		assert_string_equal(r.boot, back.boot);
		assert_string_equal(r.token, back.token);
		assert_string_equal(r.host, back.host);
		assert_true(record_write(&back, again, sizeof again) >= 0);
	}
}

static void what_could_not_be_read_again_is_not_written(void **state)
{
	char text[RECORD_MAX + 1] = "untouched";
	struct record r, whole;

	(void)state;
	record_parse(&whole, LT1, strlen(LT1), NULL);
#define REFUSED(change) \
	r = whole;      \
	change;         \
	assert_int_equal(record_write(&r, text, sizeof text), -EINVAL)
	REFUSED(r.pid = 0);
	REFUSED(r.pid = -1);
	REFUSED(r.time = -1);
	REFUSED(r.mode = '\0');
	REFUSED(r.token[0] = '\0');
	REFUSED(r.acquired = -1);
	REFUSED(r.format = RECORD_FOREIGN);
	REFUSED(r.format = RECORD_NONE);
	REFUSED(r.format = RECORD_PLAIN; r.pid = 0);
#undef REFUSED
	assert_string_equal(text, "untouched");
}

static void a_record_that_is_too_long_is_not_written(void **state)
{
	char text[RECORD_MAX + 1];
	struct record r;

	(void)state;
	record_parse(&r, LT1, strlen(LT1), NULL);
	memset(r.host, '/', RECORD_HOST_MAX);
	r.host[RECORD_HOST_MAX] = '\0';
	assert_int_equal(record_write(&r, text, sizeof text), -E2BIG);
	assert_int_equal(record_write(&r, text, 20), -E2BIG);
	r.format = RECORD_CORRUPT;
	assert_int_equal(record_write(&r, text, sizeof text), -EINVAL);
}

static uint64_t identity_of(const char *text)
{
	struct record r;

	record_parse(&r, text, strlen(text), NULL);
	return record_identity(&r, text, strlen(text));
}

static void a_refreshed_time_is_the_same_holder_of_lt1_only(void **state)
{
	static const char later[] = "4711|1760000200|lt1;h=web1;b=9f3c2a71;n=4026531836;s=8812345;"
				    "a=1760000000.123;t=" TOKEN ";f=42;l=600;u=33;m=h";

	(void)state;
	assert_true(identity_of(LT1) == identity_of(later));
	assert_true(identity_of("1|2") != identity_of("1|3"));
	assert_true(identity_of("1|2") != identity_of("1|2\n"));
	assert_true(identity_of("1|2|lt1;m=h;t=" TOKEN) != identity_of("2|2|lt1;m=h;t=" TOKEN));
	assert_true(identity_of("1|2|lt1;m=h;t=" TOKEN) != identity_of("1|2|lt1;m=d;t=" TOKEN));
}

#define R(time, r) "1|" time "|lt1;a=1.000;" r "t=" TOKEN ";l=0;m=d"

static void a_refreshed_boot_time_is_the_same_holder(void **state)
{
	(void)state;
	assert_true(identity_of(R("2", "r=0000012345.678;")) ==
		    identity_of(R("3", "r=0000099999.001;")));
	/* Whether it is said, or what else is. */
	assert_true(identity_of(R("2", "r=0000012345.678;")) != identity_of(R("2", "s=12;")));
	assert_true(identity_of("1|2|lt1;t=" TOKEN ";m=d;r=1.0") ==
		    identity_of("1|2|lt1;t=" TOKEN ";m=d;r=22.0"));
	assert_true(identity_of("1|2|lt1;t=" TOKEN ";m=d;r=1.0;q=1") !=
		    identity_of("1|2|lt1;t=" TOKEN ";m=d;r=1.0;q=2"));
}

static void refreshing_changes_no_length(void **state)
{
	static const int64_t times[] = {
		NS_PER_MS, NS_PER_S, 12345678 * NS_PER_MS, INT64_C(9000000000) * NS_PER_S};
	char text[RECORD_MAX + 1];
	struct record r, back;
	int len = 0;

	(void)state;
	record_parse(&r, LT1, strlen(LT1), NULL);
	assert_int_equal(r.refreshed, 0);
	for (size_t i = 0; i < sizeof times / sizeof *times; i++) {
		int n;

		r.refreshed = times[i];
		n = record_write(&r, text, sizeof text);
		assert_true(n > 0 && (len == 0 || n == len));
		len = n;
		record_parse(&back, text, (size_t)n, NULL);
		assert_int_equal(back.refreshed, times[i]);
	}
	r.refreshed = -1;
	assert_int_equal(record_write(&r, text, sizeof text), -EINVAL);
}

static void random_bytes_end_nothing(void **state)
{
	static const char letters[] = "0123456789|;=lt1mh%\n\0 abt";

	(void)state;
	srand(1);
	for (int i = 0; i < 200000; i++) {
		char text[64];
		size_t len = (size_t)rand() % sizeof text;
		struct record r;

		for (size_t j = 0; j < len; j++)
			text[j] = letters[(size_t)rand() % (sizeof letters - 1)];
		record_parse(&r, text, len, NULL);
		assert_true(r.pid >= 0 && r.format < RECORD_FORMAT_COUNT);
		record_identity(&r, text, len);
	}
}

static void words_go_both_ways(void **state)
{
	(void)state;
	for (int i = 0; i < RECORD_FORMAT_COUNT; i++)
		assert_int_equal(
			record_format_from_word(record_format_word((enum record_format)i)), i);
	assert_int_equal(record_format_from_word("lt9"), -1);
	assert_int_equal(record_format_from_word(NULL), -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_form_is_told_apart),
		cmocka_unit_test(lt1_has_all_its_members),
		cmocka_unit_test(a_hostile_host_is_made_clean),
		cmocka_unit_test(a_record_cut_anywhere_is_never_taken_for_a_whole_lt1),
		cmocka_unit_test(a_host_of_invalid_utf8_is_made_visible),
		cmocka_unit_test(a_host_that_would_have_to_be_cut_is_refused),
		cmocka_unit_test(a_version_cut_anywhere_stays_foreign_or_says_less),
		cmocka_unit_test(nul_bytes_and_length_are_refused),
		cmocka_unit_test(what_is_written_is_read_again),
		cmocka_unit_test(random_records_come_back_as_they_went),
		cmocka_unit_test(what_could_not_be_read_again_is_not_written),
		cmocka_unit_test(a_record_that_is_too_long_is_not_written),
		cmocka_unit_test(a_refreshed_time_is_the_same_holder_of_lt1_only),
		cmocka_unit_test(a_refreshed_boot_time_is_the_same_holder),
		cmocka_unit_test(refreshing_changes_no_length),
		cmocka_unit_test(random_bytes_end_nothing),
		cmocka_unit_test(words_go_both_ways),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

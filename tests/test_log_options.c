/* Which logs are read, and from when until when. */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/error.h"
#include "cli/log_options.h"
#include "engine/settings.h"

#define NOW (1763866400 * NS_PER_S)

static wall_t when(const char *text, const char *words)
{
	struct log_time time;

	assert_int_equal(log_time_parse(text, &time), 0);
	assert_string_equal(time.text, words);
	return log_time_at(&time, NOW);
}

static void a_duration_is_so_long_ago(void **state)
{
	(void)state;
	assert_int_equal(when("24h", "24h"), NOW - 86400 * NS_PER_S);
	assert_int_equal(when("7d", "7d"), NOW - 7 * 86400 * NS_PER_S);
	assert_int_equal(when("90s", "1m30s"), NOW - 90 * NS_PER_S);
	assert_int_equal(when("90", "1m30s"), NOW - 90 * NS_PER_S);
	assert_int_equal(when("1.5", "1s"), NOW - 3 * NS_PER_S / 2);
	assert_int_equal(when("0", "0s"), NOW);
	/* Farther back than the clock goes. */
	assert_int_equal(when("100000d", "100000d"), 1);
}

static void a_time_is_that_time(void **state)
{
	(void)state;
	setenv("TZ", "UTC", 1);
	tzset();
	assert_int_equal(when("1763866361", "2025-11-23 02:52:41"), 1763866361 * NS_PER_S);
	assert_int_equal(
		when("1763866361.5", "2025-11-23 02:52:41"), 1763866361 * NS_PER_S + NS_PER_S / 2);
	assert_int_equal(when("@90", "1970-01-01 00:01:30"), 90 * NS_PER_S);
	assert_int_equal(when("2025-11-23 02:52:41", "2025-11-23 02:52:41"), 1763866361 * NS_PER_S);
	assert_int_equal(when("all", "all"), 0);
}

static void what_is_neither_is_refused(void **state)
{
	static const char *const wrong[] = {"", "noon", "-5m", "1h30", "h", "all ", "5x"};
	struct log_time time;

	(void)state;
	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)

		assert_int_equal(log_time_parse(wrong[i], &time), -EINVAL);
}

static void a_window_has_to_have_a_length(void **state)
{
	struct settings settings = {.metrics = (char *)"/nowhere"};
	struct log_options options;
	struct log_reading reading;
	struct error err;

	(void)state;
	log_options_init(&options, 3600 * NS_PER_S);
	assert_int_equal(log_reading_open(&reading, &options, &settings, NOW, &err), 0);
	assert_int_equal(reading.read.since, NOW - 3600 * NS_PER_S);
	assert_int_equal(reading.read.until, 0);
	assert_string_equal(reading.read.log[0], "/nowhere");
	log_reading_close(&reading);
	log_time_parse("2h", &options.until);
	assert_int_equal(log_reading_open(&reading, &options, &settings, NOW, &err), -EINVAL);
	log_reading_close(&reading);
	log_time_parse("1h", &options.until);
	assert_int_equal(log_reading_open(&reading, &options, &settings, NOW, &err), -EINVAL);
	log_reading_close(&reading);
	log_options_init(&options, 0);
	log_time_parse("@1763866401", &options.since);
	assert_int_equal(log_reading_open(&reading, &options, &settings, NOW, &err), -EINVAL);
	assert_non_null(strstr(err.text, "to come"));
	log_reading_close(&reading);
}

static void without_a_log_there_is_nothing_to_read(void **state)
{
	struct settings settings = {.metrics = (char *)"none"};
	struct log_options options;
	struct log_reading reading;
	struct error err;

	(void)state;
	log_options_init(&options, 0);
	assert_int_equal(log_reading_open(&reading, &options, &settings, NOW, &err), 0);
	if (reading.read.logs == 0) { /* root's may be there to be read */
		assert_int_equal(log_reading_run(&reading, NULL, &err), -ENOENT);
		assert_non_null(strstr(err.text, "none"));
	}
	log_reading_close(&reading);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_duration_is_so_long_ago),
		cmocka_unit_test(a_time_is_that_time),
		cmocka_unit_test(what_is_neither_is_refused),
		cmocka_unit_test(a_window_has_to_have_a_length),
		cmocka_unit_test(without_a_log_there_is_nothing_to_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

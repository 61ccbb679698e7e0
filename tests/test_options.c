/* The common options and the parsers of their values. */
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
#include "cli/options.h"

static int parse(struct common *common, int argc, const char *const *argv)
{
	static const struct argp_child children[] = {{&common_argp, 0, NULL, 0}, {0}};
	/* Without a parser of its own, argp hands the input to the only child. */
	struct argp argp = {NULL, NULL, NULL, NULL, children, NULL, NULL};

	*common = (struct common){.format = FORMAT_NONE};
	return options_parse(&argp, argc, (char **)argv, ARGP_NO_EXIT | ARGP_SILENT, NULL, common);
}

static void fields_are_read_in_their_order(void **state)
{
	enum column field[OPTION_FIELDS];
	struct error err;
	size_t n = 0;

	(void)state;
	assert_int_equal(options_fields("name,state,age", field, &n, &err), 0);
	assert_int_equal(n, 3);
	assert_int_equal(field[0], COLUMN_NAME);
	assert_int_equal(field[1], COLUMN_STATE);
	assert_int_equal(field[2], COLUMN_AGE);
}

static void an_unknown_field_is_named_with_those_that_exist(void **state)
{
	static const char *const wrong[] = {"colour", "", "name,", ",name", "name,,age", "NAME ",
		"averyveryveryverylongfieldnamethatcannotbe"};
	enum column field[OPTION_FIELDS];
	struct error err;
	size_t n = 77;

	(void)state;
	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
		assert_int_equal(options_fields(wrong[i], field, &n, &err), -EINVAL);
		assert_non_null(strstr(err.text, "no field '"));
		assert_non_null(strstr(err.text, "state, name"));
	}
	assert_int_equal(n, 77);
}

static void too_many_fields_are_refused(void **state)
{
	char text[OPTION_FIELDS * 6 + 12] = "";
	enum column field[OPTION_FIELDS];
	struct error err;
	size_t n;

	(void)state;
	for (int i = 0; i < OPTION_FIELDS; i++)
		strcat(text, "name,");
	strcat(text, "name");
	assert_int_equal(options_fields(text, field, &n, &err), -EINVAL);
}

static void times_are_seconds_or_dates(void **state)
{
	wall_t wall = 0;

	(void)state;
	setenv("TZ", "UTC", 1);
	tzset();
	assert_int_equal(options_time("1763866361", &wall), 0);
	assert_int_equal(wall, 1763866361 * NS_PER_S);
	assert_int_equal(options_time("@1763866361.5", &wall), 0);
	assert_int_equal(wall, 1763866361 * NS_PER_S + NS_PER_S / 2);
	assert_int_equal(options_time("2025-11-23 02:52:41", &wall), 0);
	assert_int_equal(wall, 1763866361 * NS_PER_S);
	assert_int_equal(options_time("2025-11-23T02:52:41", &wall), 0);
	assert_int_equal(wall, 1763866361 * NS_PER_S);
	assert_int_equal(options_time("2025-11-23 02:52", &wall), 0);
	assert_int_equal(wall, 1763866320 * NS_PER_S);
	assert_int_equal(options_time("2025-11-23", &wall), 0);
	assert_int_equal(wall, 1763856000 * NS_PER_S);
}

static void what_is_no_time_is_refused(void **state)
{
	static const char *const wrong[] = {"", "soon", "-5", "0", "12:03", "nan", "inf", "1e30",
		"5 s", "2025-11", "2025-11-23x", "2025-11-23 02:52:41 "};
	wall_t wall = 42;

	(void)state;
	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
		assert_int_equal(options_time(wrong[i], &wall), -EINVAL);
	assert_int_equal(wall, 42);
}

static void common_options_fill_the_struct(void **state)
{
	const char *argv[] = {"locktop", "--config", "/x", "--read-only", "--json",
		"--fields=pid,age", "--limit=90s", "--now", "@5", "--proc-root=/y", NULL};
	struct common common;

	(void)state;
	assert_int_equal(parse(&common, 10, argv), 0);
	assert_string_equal(common.config, "/x");
	assert_true(common.is_read_only);
	assert_int_equal(common.format, FORMAT_JSON);
	assert_int_equal(common.fields, 2);
	assert_int_equal(common.field[0], COLUMN_PID);
	assert_int_equal(common.limit, 90 * NS_PER_S);
	assert_string_equal(common.limit_text, "90s");
	assert_int_equal(common.now, 5 * NS_PER_S);
	assert_string_equal(common.now_text, "@5");
	assert_string_equal(common.proc_root, "/y");
}

static void formats_are_four_words(void **state)
{
	static const char *const words[] = {"table", "json", "csv", "ids"};
	struct common common;

	(void)state;
	for (int i = 0; i < 4; i++) {
		const char *argv[] = {"locktop", "--format", words[i], NULL};

		assert_int_equal(parse(&common, 3, argv), 0);
		assert_int_equal(common.format, i);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(fields_are_read_in_their_order),
		cmocka_unit_test(an_unknown_field_is_named_with_those_that_exist),
		cmocka_unit_test(too_many_fields_are_refused),
		cmocka_unit_test(times_are_seconds_or_dates),
		cmocka_unit_test(what_is_no_time_is_refused),
		cmocka_unit_test(common_options_fill_the_struct),
		cmocka_unit_test(formats_are_four_words),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

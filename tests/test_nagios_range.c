/* Ranges of the monitoring plugins: the table of their guidelines, and what is none. */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <stdlib.h>

#include "cli/nagios_range.h"

static const struct {
	const char *text, *alerts, *quiet; /* values, with spaces between */
} table[] = {
	/* Those of the guidelines. */
	{"10", "-1 -0.001 10.001 11 1e9", "0 0.001 5 10"},
	{"10:", "-5 0 9 9.999", "10 10.5 1e12"},
	{"~:10", "10.001 11", "-1e12 -5 0 10"},
	{"10:20", "9.999 20.001 -15", "10 15 20"},
	{"@10:20", "10 15 20", "9.999 20.001 -15"},
	/* And others. */
	{":10", "-1 11", "0 10"},
	{"@10", "0 5 10", "-0.1 10.1"},
	{"@~:0", "0 -7", "0.1 8"},
	{"@5:", "5 6 1e9", "4.99 -1"},
	{"0", "-1 0.001 1", "0"},
	{"-20:-10", "-21 -9 0 15", "-20 -15 -10"},
	{"~:", "", "-1e300 0 1e300"},
	{"@~:", "-1e300 0 1e300", ""},
	{"0.5:1.5", "0.49 1.51", "0.5 1 1.5"},
	{"1e2", "101", "100"},
};

static void all_are(const struct nagios_range *range, const char *values, bool expected)
{
	char *end;

	for (const char *at = values; *at; at = end) {
		double value = strtod(at, &end);

		if (nagios_range_alerts(range, value) != expected)
			fail_msg("'%s' and %g", range->text, value);
	}
}

static void a_value_alerts_outside_and_behind_an_at_inside(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
		struct nagios_range range = {0};

		assert_int_equal(nagios_range_parse(&range, table[i].text), 0);
		assert_string_equal(nagios_range_text(&range), table[i].text);
		all_are(&range, table[i].alerts, true);
		all_are(&range, table[i].quiet, false);
	}
}

static void what_is_no_range_is_refused_and_changes_nothing(void **state)
{
	static const char *const wrong[] = {"", "@", "x", "10x", "1:2:3", "20:10", "@20:10", "~",
		"~10", "10:~", "1 0", " 10", "10 ", "10s", "nan", "inf", "0x10", "1,5", "--5",
		"@@10", "10:20@", "1e999", "5m", "|", "'", ":x",
		"1111111111111111111111111111111111111111111111111111111111111111111111"};

	(void)state;
	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
		struct nagios_range range = {.start = 7, .end = 8};

		if (nagios_range_parse(&range, wrong[i]) != -EINVAL)
			fail_msg("'%s' is taken for a range", wrong[i]);
		assert_true(range.start == 7 && range.end == 8 && !range.text);
	}
}

static void no_range_never_alerts(void **state)
{
	const struct nagios_range none = {0};

	(void)state;
	assert_false(nagios_range_alerts(&none, 0));
	assert_false(nagios_range_alerts(&none, 1e9));
	assert_string_equal(nagios_range_text(&none), "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_value_alerts_outside_and_behind_an_at_inside),
		cmocka_unit_test(what_is_no_range_is_refused_and_changes_nothing),
		cmocka_unit_test(no_range_never_alerts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Which lines of a log are meant by a word of the command line. */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "cli/log_pick.h"

static bool means(const char *text, const char *source, const char *lock, const char *backend)
{
	struct settings settings = {.default_source = (char *)"redis://h/0"};
	struct log_pick pick;
	struct error err;
	bool is_it;

	assert_int_equal(log_pick_init(&pick, text, &settings, &err), 0);
	is_it = log_pick_has(&pick, source, lock, backend);
	log_pick_release(&pick);
	return is_it;
}

static void a_path_is_a_lock_or_a_folder(void **state)
{
	(void)state;
	assert_true(means("/no/x.lock", "file:/no", "x.lock", "file"));
	assert_true(means("/no/x.lock", "flock:/no", "x.lock", "flock"));
	assert_true(means("file:/no/x.lock", "file:/no", "x.lock", "file"));
	assert_true(means("/no//x.lock", "file:/no", "x.lock", "file"));
	assert_true(means("//no///x.lock", "file:/no", "x.lock", "file"));
	assert_true(means("/", "file:/", "x.lock", "file"));
	assert_true(means("/no", "file:/no", "x.lock", "file"));
	assert_true(means("/no/", "file:/no", "x.lock", "file"));
	assert_true(means("file:/no", "file:/no", "x.lock", "file"));
	assert_true(means("/no/a b/x.lock", "file:/no/a%20b", "x.lock", "file"));
	assert_true(means("/no/a b", "file:/no/a%20b", "x.lock", "file"));
	assert_false(means("/no", "file:/none", "x.lock", "file"));
	assert_false(means("/no", "file:/no/deeper", "x.lock", "file"));
	assert_false(means("/no/x.lock", "file:/no", "x.lock2", "file"));
	assert_false(means("/no/x.lock", "file:/other", "x.lock", "file"));
	assert_false(means("/no/x.lock", "", "x.lock", ""));
}

static void a_uri_is_a_lock_or_a_source(void **state)
{
	(void)state;
	assert_true(means("redis://h/0/x", "redis://h/0", "x", "redis"));
	assert_true(means("redis://h/0", "redis://h/0", "x", "redis"));
	assert_true(means("flock:/no", "flock:/no", "x.lock", "flock"));
	assert_false(means("flock:/no", "file:/no", "x.lock", "file"));
	assert_false(means("redis://h/0/x", "redis://h/1", "x", "redis"));
	assert_false(means("redis://h", "redis://h/0", "x", "redis"));
}

static void a_name_is_a_lock_or_a_kind_of_source(void **state)
{
	(void)state;
	assert_true(means("redis", "redis://h/0", "x", "redis"));
	assert_true(means("x", "redis://h/0", "x", "redis"));
	assert_true(means("x", "file:/no", "x", "file"));
	assert_false(means("x", "file:/no", "y", "file"));
	assert_false(means("redis", "file:/no", "y", NULL));
	assert_false(means("redis", NULL, NULL, NULL));
}

static void what_is_no_address_is_refused(void **state)
{
	struct settings settings = {0};
	struct log_pick pick;
	struct log_picks picks;
	struct error err;
	char *words[] = {(char *)"/no", (char *)"redis://u:secret@h/0", NULL};

	(void)state;
	assert_int_equal(log_pick_init(&pick, "", &settings, &err), -EINVAL);
	assert_int_equal(log_picks_init(&picks, words, 2, &settings, &err), -EINVAL);
	assert_null(strstr(err.text, "secret"));
	assert_int_equal(log_picks_init(&picks, words, 0, &settings, &err), 0);
	assert_true(log_picks_have(&picks, "file:/no", "x", "file"));
	log_picks_release(&picks);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_path_is_a_lock_or_a_folder),
		cmocka_unit_test(a_uri_is_a_lock_or_a_source),
		cmocka_unit_test(a_name_is_a_lock_or_a_kind_of_source),
		cmocka_unit_test(what_is_no_address_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Errors: the code comes back, the sentence is safe to print and complete. */
#include "config.h"
#include "base/error.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "base/text.h"

static void the_code_comes_back_with_a_sentence(void **state)
{
	struct error err = {0};

	(void)state;
	assert_int_equal(error_set(&err, -EINVAL, "%s has %d legs", "the dog", 5), -EINVAL);
	assert_int_equal(err.code, -EINVAL);
	assert_string_equal(err.text, "the dog has 5 legs");
}

static void nobody_has_to_listen(void **state)
{
	(void)state;
	assert_int_equal(error_set(NULL, -EPERM, "%s", "x"), -EPERM);
	assert_int_equal(error_sys(NULL, -EPERM, "%s", "x"), -EPERM);
}

static void a_system_error_has_its_words(void **state)
{
	struct error err;

	(void)state;
	error_sys(&err, -ENOENT, "cannot read %s", "/x");
	assert_string_equal(err.text, "cannot read /x: No such file or directory");
	error_sys(&err, -99999, "cannot read");
	assert_string_equal(err.text, "cannot read: error 99999");
}

static void control_bytes_are_escaped(void **state)
{
	struct error err;

	(void)state;
	error_set(&err, -1, "cannot open '%s'", "a\x1b[31m\n\xff\xe2\x80\xae");
	assert_string_equal(err.text, "cannot open 'a\\x1b[31m\\n\\xff\\u{202e}'");
	error_sys(&err, -ENOENT, "\r");
	assert_string_equal(err.text, "\\r: No such file or directory");
}

static void a_clean_name_is_not_escaped_twice(void **state)
{
	char name[64];
	struct error err;

	(void)state;
	text_clean(name, sizeof name, "a\nb\\", 4, NULL);
	error_set(&err, -1, "cannot open %s", name);
	assert_string_equal(err.text, "cannot open a\\nb\\\\");
}

static void a_sentence_may_be_built_on_the_last_one(void **state)
{
	struct error err;

	(void)state;
	error_set(&err, -EIO, "the disk is gone");
	error_set(&err, err.code, "cannot look: %s", err.text);
	assert_string_equal(err.text, "cannot look: the disk is gone");
	assert_int_equal(err.code, -EIO);
}

static void what_is_too_long_is_cut_between_characters(void **state)
{
	char word[1200];
	struct error err;
	size_t i, shift;

	(void)state;
	for (shift = 0; shift < 4; shift++) {
		memset(word, 'a', shift);
		for (i = shift; i + 3 < sizeof word; i += 3)
			memcpy(word + i, "\xe2\x82\xac", 4);
		error_set(&err, -1, "%s", word);
		assert_true(strlen(err.text) >= sizeof err.text - 4);
		assert_true(strlen(err.text) < sizeof err.text);
		assert_null(strchr(err.text, '\\'));
		assert_true(text_is_clean(err.text, strlen(err.text)));
	}
}

static void the_words_of_the_system_survive_a_long_sentence(void **state)
{
	static const char words[] = ": No such file or directory";
	char word[1200];
	struct error err;
	size_t i, shift;

	(void)state;
	for (shift = 0; shift < 4; shift++) {
		memset(word, 'a', shift);
		for (i = shift; i + 3 < sizeof word; i += 3)
			memcpy(word + i, "\xe2\x82\xac", 4);
		error_sys(&err, -ENOENT, "%s", word);
		assert_string_equal(err.text + strlen(err.text) - strlen(words), words);
		assert_true(text_is_clean(err.text, strlen(err.text)));
	}
	memset(word, '\x1b', sizeof word - 1);
	word[sizeof word - 1] = '\0';
	error_sys(&err, -ENOENT, "%s", word);
	assert_string_equal(err.text + strlen(err.text) - strlen(words), words);
}

static void errno_stays_as_it_was(void **state)
{
	struct error err;

	(void)state;
	errno = EXDEV;
	error_sys(&err, -99999, "%s\xff", "x");
	assert_int_equal(errno, EXDEV);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_code_comes_back_with_a_sentence),
		cmocka_unit_test(nobody_has_to_listen),
		cmocka_unit_test(a_system_error_has_its_words),
		cmocka_unit_test(control_bytes_are_escaped),
		cmocka_unit_test(a_clean_name_is_not_escaped_twice),
		cmocka_unit_test(a_sentence_may_be_built_on_the_last_one),
		cmocka_unit_test(what_is_too_long_is_cut_between_characters),
		cmocka_unit_test(the_words_of_the_system_survive_a_long_sentence),
		cmocka_unit_test(errno_stays_as_it_was),
	};

	return cmocka_run_group_tests_name("error", tests, NULL, NULL);
}

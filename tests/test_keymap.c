/* The one table of actions. */
#include "config.h"
#include "ui/keymap.h"

#include <ctype.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

static void no_key_has_two_meanings_in_a_view(void **state)
{
	(void)state;
	for (int a = 0; a < ACTION_COUNT; a++)
		for (int b = a + 1; b < ACTION_COUNT; b++)
			for (int i = 0; i < 9; i++) {
				int key = action_info[a].keys[i / 3];

				if (key && (action_info[a].views & action_info[b].views))
					assert_int_not_equal(key, action_info[b].keys[i % 3]);
			}
}

static void every_action_says_what_it_is(void **state)
{
	(void)state;
	for (int a = 0; a < ACTION_COUNT; a++) {
		const struct action_info *info = &action_info[a];

		assert_true(*info->id && *info->key && *info->brief && *info->help);
		assert_true(info->views && !(info->views & ~(unsigned int)IN_ALL));
		assert_int_not_equal(info->keys[0], 0);
	}
}

static void what_can_hurt_has_an_upper_case_key_and_no_other(void **state)
{
	(void)state;
	for (int a = 0; a < ACTION_COUNT; a++) {
		if (!action_info[a].is_mutating)
			continue;
		assert_in_range(action_info[a].keys[0], 'A', 'Z');
		assert_int_equal(action_info[a].keys[1], 0);
		assert_int_equal(action_info[a].keys[2], 0);
	}
}

static void a_key_is_found_in_its_views_only(void **state)
{
	(void)state;
	assert_int_equal(keymap_find('R', IN_LOCKS), ACTION_RELEASE);
	assert_int_equal(keymap_find('R', IN_LOCK), ACTION_RELEASE);
	assert_int_equal(keymap_find('R', IN_HELP), ACTION_NONE);
	assert_int_equal(keymap_find('C', IN_LOCK), ACTION_NONE);
	assert_int_equal(keymap_find(KEY_ARROW_DOWN, IN_EVENTS), ACTION_DOWN);
	assert_int_equal(keymap_find('j', IN_EVENTS), ACTION_DOWN);
	assert_int_equal(keymap_find(KEY_CTRL_C, IN_SOURCES), ACTION_QUIT);
	assert_int_equal(keymap_find(0, IN_ALL), ACTION_NONE);
	assert_int_equal(keymap_find('Y', IN_ALL), ACTION_NONE);
	assert_int_equal(keymap_find(-5, IN_ALL), ACTION_NONE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(no_key_has_two_meanings_in_a_view),
		cmocka_unit_test(every_action_says_what_it_is),
		cmocka_unit_test(what_can_hurt_has_an_upper_case_key_and_no_other),
		cmocka_unit_test(a_key_is_found_in_its_views_only),
	};

	return cmocka_run_group_tests_name("keymap", tests, NULL, NULL);
}

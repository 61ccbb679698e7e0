#include "config.h"

#include "lock_place.h"

#include <sys/socket.h>
#include <sys/un.h>

#include "system/watch.h"

static int set_up(void **state)
{
	struct place_test *place = new_place();

	open_place(place, "file:", "");
	*state = place;
	return 0;
}

static int tear_down(void **state)
{
	watch_pretend_errno(0);
	free_place(*state);
	return 0;
}

/* --- what is held, by whom --- */

static void an_empty_folder_has_no_locks(void **state)
{
	struct place_test *place = *state;

	scan(place);
	assert_int_equal(place->locks.n, 0);
	assert_string_equal(place->scan.note, "");
	assert_false(place->scan.is_polling);
	assert_true(place->scan.next > clock_mono(&place->clock));
}

static void a_live_holder_of_a_plain_record_is_named(void **state)
{
	struct place_test *place = *state;
	struct child child = start_child(NULL, NULL);
	const struct lock *lock;

	write_plain(place, "story.lock", child.pid, 30);
	scan(place);
	lock = get_lock(place, "story.lock");
	assert_int_equal(lock->holders, 1);
	assert_int_equal(lock->holder[0].pid, child.pid);
	assert_int_equal(lock->holder[0].life, LIFE_ALIVE);
	assert_false(lock->holder[0].from_kernel);
	assert_int_equal(lock->kernel, KERNEL_VIEW_COMPLETE);
	assert_string_equal(lock->path, path_in(place, "story.lock"));
	end_child(&child);
}

static void a_dead_holder_of_a_plain_record_is_stale(void **state)
{
	struct place_test *place = *state;

	write_plain(place, "story.lock", dead_pid(), 30);
	scan(place);
	assert_int_equal(state_of(place, "story.lock"), STATE_STALE);
}

static void an_lt1_holder_is_the_kernels_too(void **state)
{
	struct place_test *place = *state;
	struct child child = start_lt1(place, "a.lock", (struct lt1){0});
	const struct lock *lock;

	scan(place);
	lock = get_lock(place, "a.lock");
	assert_int_equal(lock->holders, 1);
	assert_int_equal(lock->holder[0].pid, child.pid);
	assert_true(lock->holder[0].from_kernel);
	assert_int_equal(lock->host_is, RELATION_SAME);
	assert_int_equal(lock->boot_is, RELATION_SAME);
	assert_int_equal(state_of(place, "a.lock"), STATE_HELD);
	end_child(&child);
}

static void a_killed_lt1_holder_leaves_a_stale_lock(void **state)
{
	struct place_test *place = *state;
	struct child child = start_lt1(place, "a.lock", (struct lt1){0});

	scan(place);
	kill_child(&child);
	place->backend->ended(place->state, child.pid);
	scan_later(place);
	assert_int_equal(state_of(place, "a.lock"), STATE_STALE);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(an_empty_folder_has_no_locks),
		TEST(a_live_holder_of_a_plain_record_is_named),
		TEST(a_dead_holder_of_a_plain_record_is_stale),
		TEST(an_lt1_holder_is_the_kernels_too),
		TEST(a_killed_lt1_holder_leaves_a_stale_lock),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

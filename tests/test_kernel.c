#include "config.h"

#include "lock_place.h"

static int set_up(void **state)
{
	struct place_test *place = new_place();

	assert_int_equal(try_open(place, "kernel:"), 0);
	*state = place;
	return 0;
}

static int tear_down(void **state)
{
	free_place(*state);
	return 0;
}

static const char *name_of(
	const struct place_test *place, const char *kind, const char *file, const char *range)
{
	static char name[1400];

	snprintf(name, sizeof name, "%s:%s%s", kind, path_in(place, file), range);
	return name;
}

struct wish {
	char path[1024];
	int command;
	short type;
	off_t from, len;
};

static void take_range(void *data)
{
	const struct wish *wish = data;
	struct flock lock = {.l_type = wish->type, .l_start = wish->from, .l_len = wish->len};
	int fd = open(wish->path, O_RDWR | O_CREAT | O_CLOEXEC, 0644);

	if (fd < 0 || fcntl(fd, wish->command, &lock) < 0)
		_exit(2);
}

static struct child start_range(const struct place_test *place, const char *file, struct wish wish)
{
	snprintf(wish.path, sizeof wish.path, "%s", path_in(place, file));
	return start_child(take_range, &wish);
}

static void a_flock_is_named_by_its_file(void **state)
{
	struct place_test *place = *state;
	struct child child = start_flock(place, "a");
	const struct lock *lock;

	scan(place);
	lock = get_lock(place, name_of(place, "flock", "a", ""));
	assert_int_equal(lock->kind, LOCK_FLOCK);
	assert_int_equal(lock->mode, LOCK_MODE_WRITE);
	assert_int_equal(lock->holders, 1);
	assert_int_equal(lock->holder[0].pid, child.pid);
	assert_true(lock->holder[0].from_kernel);
	assert_string_equal(lock->path, path_in(place, "a"));
	assert_int_equal(judge_at(place, lock), STATE_HELD);
	end_child(&child);
	scan_later(place);
	assert_null(find_lock(place, name_of(place, "flock", "a", "")));
}

static void ranges_are_locks_of_their_own(void **state)
{
	struct place_test *place = *state;
	struct child first = start_range(place, "a", (struct wish){"", F_SETLK, F_WRLCK, 0, 10});
	struct child second = start_range(place, "a", (struct wish){"", F_SETLK, F_WRLCK, 100, 0});
	struct child third = start_range(place, "b", (struct wish){"", F_OFD_SETLK, F_RDLCK, 5, 5});
	const struct lock *lock;

	scan(place);
	lock = get_lock(place, name_of(place, "posix", "a", "[0-9]"));
	assert_int_equal(lock->holder[0].pid, first.pid);
	assert_int_equal(lock->from, 0);
	assert_int_equal(lock->to, 9);
	lock = get_lock(place, name_of(place, "posix", "a", "[100-]"));
	assert_int_equal(lock->holder[0].pid, second.pid);
	assert_int_equal(lock->to, INT64_MAX);
	lock = get_lock(place, name_of(place, "ofd", "b", "[5-9]"));
	assert_int_equal(lock->mode, LOCK_MODE_READ);
	assert_int_equal(lock->holder[0].pid, third.pid);
	end_child(&first);
	end_child(&second);
	end_child(&third);
}

static void all_who_share_a_lock_are_its_holders(void **state)
{
	struct place_test *place = *state;
	struct child first = start_range(place, "a", (struct wish){"", F_SETLK, F_RDLCK, 0, 0});
	struct child second = start_range(place, "a", (struct wish){"", F_SETLK, F_RDLCK, 0, 0});
	const struct lock *lock;
	char both[64];

	scan(place);
	lock = get_lock(place, name_of(place, "posix", "a", ""));
	assert_int_equal(lock->holders, 2);
	snprintf(both, sizeof both, "%s", lock->version);
	end_child(&first);
	scan_later(place);
	lock = get_lock(place, name_of(place, "posix", "a", ""));
	assert_int_equal(lock->holders, 1);
	assert_string_not_equal(lock->version, both);
	end_child(&second);
}

static void version_and_age_stay_while_the_holder_does(void **state)
{
	struct place_test *place = *state;
	struct child child;
	const struct lock *lock;
	char version[64];
	mono_t since;

	scan(place);
	child = start_flock(place, "a");
	scan_later(place);
	lock = get_lock(place, name_of(place, "flock", "a", ""));
	snprintf(version, sizeof version, "%s", lock->version);
	since = lock->since_mono;
	scan_later(place);
	lock = get_lock(place, name_of(place, "flock", "a", ""));
	assert_string_equal(lock->version, version);
	assert_int_equal(lock->since_mono, since);
	end_child(&child);
	child = start_flock(place, "a");
	scan_later(place);
	lock = get_lock(place, name_of(place, "flock", "a", ""));
	assert_string_not_equal(lock->version, version);
	end_child(&child);
}

static void what_was_there_before_has_no_age(void **state)
{
	struct place_test *place = *state;
	struct child child = start_flock(place, "a");

	scan(place);
	assert_true(get_lock(place, name_of(place, "flock", "a", ""))->since_mono == MONO_UNKNOWN);
	assert_int_equal(get_lock(place, name_of(place, "flock", "a", ""))->since, 0);
	end_child(&child);
}

static void two_files_of_one_path_are_two_locks(void **state)
{
	struct place_test *place = *state;
	struct child first = start_flock(place, "a"), second, third;
	size_t found = 0;

	assert_int_equal(unlink(path_in(place, "a")), 0);
	second = start_flock(place, "a");
	assert_int_equal(unlink(path_in(place, "a")), 0);
	third = start_flock(place, "a");
	scan(place);
	for (size_t i = 0; i < place->locks.n; i++)
		found += strstr(place->locks.lock[i]->name, path_in(place, "a")) != NULL;
	assert_int_equal(found, 3);
	assert_int_equal(
		get_lock(place, name_of(place, "flock", "a", ""))->holder[0].pid, third.pid);
	end_child(&first);
	end_child(&second);
	end_child(&third);
}

static void a_hostile_path_is_escaped(void **state)
{
	struct place_test *place = *state;
	struct child child = start_flock(place, "\x1b[2J\n");
	const struct lock *lock;

	scan(place);
	lock = get_lock(place, name_of(place, "flock", "\\x1b[2J\\n", ""));
	assert_true(lock->flags & LOCK_FLAG(HOSTILE));
	end_child(&child);
}

static void the_table_is_read_within_its_budget(void **state)
{
	struct place_test *place = *state;
	struct child child;

	scan(place);
	child = start_flock(place, "a");
	scan(place);
	assert_null(find_lock(place, name_of(place, "flock", "a", "")));
	assert_true(place->scan.next > clock_mono(&place->clock));
	scan_later(place);
	get_lock(place, name_of(place, "flock", "a", ""));
	end_child(&child);
}

static void a_fresh_look_needs_no_budget(void **state)
{
	struct place_test *place = *state;
	struct child child;
	struct lock *lock;

	scan(place);
	child = start_flock(place, "a");
	lock = look_fresh(place, name_of(place, "flock", "a", ""));
	assert_int_equal(lock->holder[0].pid, child.pid);
	lock_unref(lock);
	end_child(&child);
	assert_int_equal(place->backend->look(place->state, name_of(place, "flock", "a", ""), &lock,
				 &place->err),
		-ENOENT);
	assert_non_null(place->err.text);
}

static void what_did_not_change_is_the_same_value(void **state)
{
	struct place_test *place = *state;
	struct child child = start_flock(place, "a");
	struct lock *before;

	scan(place);
	before = lock_ref((struct lock *)get_lock(place, name_of(place, "flock", "a", "")));
	scan_later(place);
	assert_ptr_equal(get_lock(place, name_of(place, "flock", "a", "")), before);
	lock_unref(before);
	end_child(&child);
}

static void take_a_thousand(void *data)
{
	const struct place_test *place = data;
	char name[32];

	for (int i = 0; i < 1000; i++) {
		snprintf(name, sizeof name, "%04d", i);
		if (flock(open(path_in(place, name), O_RDWR | O_CREAT, 0644), LOCK_EX) < 0)
			_exit(2);
	}
}

static void a_thousand_locks_are_all_shown(void **state)
{
	struct place_test *place = *state;
	struct child child = start_child(take_a_thousand, place);

	scan(place);
	get_lock(place, name_of(place, "flock", "0000", ""));
	get_lock(place, name_of(place, "flock", "0999", ""));
	assert_true(place->locks.n >= 1000);
	end_child(&child);
}

static void a_table_without_descriptors_names_by_number(void **state)
{
	struct made_world made;
	struct place_test *place = *state;
	const struct lock *lock;

	make_world(&made);
	put(&made, "locks",
		"1: FLOCK  ADVISORY  WRITE 4711 fe:00:1234 0 EOF\n"
		"1: -> FLOCK  ADVISORY  WRITE 4712 fe:00:1234 0 EOF\n"
		"2: POSIX  ADVISORY  READ 4713 fe:00:1234 0 9\n"
		"nonsense\n");
	put(&made, "sys/kernel/random/boot_id", "9f3c2a71-0000-4000-8000-000000000000\n");
	close_place(place);
	world_close(&place->world);
	place->world = made.world;
	assert_int_equal(try_open(place, "kernel:"), 0);
	scan(place);
	assert_int_equal(place->locks.n, 2);
	lock = get_lock(place, "flock:fe:00:1234");
	assert_int_equal(lock->waiters, 1);
	assert_true(lock->flags & LOCK_FLAG(CONTENDED));
	get_lock(place, "posix:fe:00:1234[0-9]");
	assert_non_null(strstr(place->scan.note, "1 line"));
	close_place(place);
	remove_tree(made.root);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_flock_is_named_by_its_file),
		TEST(ranges_are_locks_of_their_own),
		TEST(all_who_share_a_lock_are_its_holders),
		TEST(version_and_age_stay_while_the_holder_does),
		TEST(what_was_there_before_has_no_age),
		TEST(two_files_of_one_path_are_two_locks),
		TEST(a_hostile_path_is_escaped),
		TEST(the_table_is_read_within_its_budget),
		TEST(a_fresh_look_needs_no_budget),
		TEST(what_did_not_change_is_the_same_value),
		TEST(a_thousand_locks_are_all_shown),
		TEST(a_table_without_descriptors_names_by_number),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

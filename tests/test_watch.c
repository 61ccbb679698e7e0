#include "config.h"

#include "made_world.h"

#include <poll.h>
#include <sys/file.h>
#include <sys/inotify.h>

#include "failing_inotify.h"
#include "system/watch.h"

struct place {
	char folder[256];
	struct watch *watch;
};

static int set_up(void **state)
{
	struct place *place = calloc(1, sizeof *place);

	assert_non_null(place);
	make_folder(place->folder, sizeof place->folder);
	place->watch = watch_open(place->folder);
	assert_non_null(place->watch);
	assert_null(watch_why(place->watch));
	assert_true(watch_fd(place->watch) >= 0);
	*state = place;
	return 0;
}

static int tear_down(void **state)
{
	struct place *place = *state;

	watch_close(place->watch);
	remove_tree(place->folder);
	free(place);
	return 0;
}

static const char *path_of(const struct place *place, const char *name)
{
	static char path[512];

	snprintf(path, sizeof path, "%s/%s", place->folder, name);
	return path;
}

static void touch(const struct place *place, const char *name)
{
	int fd = open(path_of(place, name), O_WRONLY | O_CREAT | O_CLOEXEC, 0644);

	assert_true(fd >= 0);
	close(fd);
}

static void look_at(const struct place *place, const char *name)
{
	int fd = open(path_of(place, name), O_RDONLY | O_CLOEXEC);

	assert_true(fd >= 0);
	close(fd);
}

static bool is_readable(const struct place *place)
{
	struct pollfd fd = {.fd = watch_fd(place->watch), .events = POLLIN};

	return poll(&fd, 1, 0) == 1;
}

static bool has_name(const struct place *place, const char *name)
{
	const char *found;

	for (size_t i = 0; (found = watch_name(place->watch, i)); i++)
		if (strcmp(found, name) == 0)
			return true;
	return false;
}

static size_t names(const struct place *place)
{
	size_t n = 0;

	while (watch_name(place->watch, n))
		n++;
	return n;
}

static void nothing_happens_in_a_quiet_folder(void **state)
{
	struct place *place = *state;

	assert_false(is_readable(place));
	assert_int_equal(watch_drain(place->watch), 0);
	assert_null(watch_name(place->watch, 0));
}

static void what_was_touched_is_named_once(void **state)
{
	struct place *place = *state;

	touch(place, "a.lock");
	touch(place, "b.lock");
	touch(place, "a.lock");
	assert_true(is_readable(place));
	assert_true(watch_drain(place->watch) & WATCH_CHANGED);
	assert_int_equal(names(place), 2);
	assert_true(has_name(place, "a.lock"));
	assert_true(has_name(place, "b.lock"));
	assert_false(is_readable(place));
	/* Names last until the next drain. */
	assert_int_equal(watch_drain(place->watch), 0);
	assert_int_equal(names(place), 0);
}

static void each_kind_of_change_is_seen(void **state)
{
	struct place *place = *state;
	char other[600];
	int fd;

	touch(place, "a");
	watch_drain(place->watch);

	fd = open(path_of(place, "a"), O_WRONLY | O_CLOEXEC);
	watch_drain(place->watch);
	assert_int_equal(write(fd, "1", 1), 1);
	assert_int_equal(watch_drain(place->watch), WATCH_CHANGED);
	assert_int_equal(fchmod(fd, 0600), 0);
	assert_int_equal(watch_drain(place->watch), WATCH_CHANGED);
	assert_int_equal(ftruncate(fd, 0), 0);
	assert_int_equal(watch_drain(place->watch), WATCH_CHANGED);
	close(fd);
	/* Closing drops a flock, too. */
	assert_int_equal(watch_drain(place->watch), WATCH_CHANGED | WATCH_OPENED);

	snprintf(other, sizeof other, "%s/b", place->folder);
	assert_int_equal(rename(path_of(place, "a"), other), 0);
	assert_int_equal(watch_drain(place->watch), WATCH_CHANGED);
	assert_true(has_name(place, "a") && has_name(place, "b"));
	assert_int_equal(unlink(other), 0);
	assert_int_equal(watch_drain(place->watch), WATCH_CHANGED);
	assert_true(has_name(place, "b"));
}

static void a_name_of_any_bytes_is_given_back(void **state)
{
	struct place *place = *state;

	touch(place, "\x1b[2J\xff\n.lock");
	watch_drain(place->watch);
	assert_true(has_name(place, "\x1b[2J\xff\n.lock"));
}

static void an_opening_is_no_change(void **state)
{
	struct place *place = *state;

	touch(place, "a");
	watch_drain(place->watch);
	look_at(place, "a");
	assert_true(is_readable(place));
	assert_int_equal(watch_drain(place->watch), WATCH_OPENED);
	assert_int_equal(names(place), 0);
}

static void taking_a_flock_raises_nothing(void **state)
{
	struct place *place = *state;
	int fd;

	/* Which is why openings are a hint at all: inotify(7) sees nothing of flock(2). */
	fd = open(path_of(place, "a"), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
	assert_true(fd >= 0);
	watch_drain(place->watch);
	assert_int_equal(flock(fd, LOCK_EX), 0);
	assert_int_equal(watch_drain(place->watch), 0);
	close(fd);
}

/* The look of an owner: it lists the folder and reads each file. */
static void owners_look(const struct place *place)
{
	int dir = open(place->folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	assert_true(dir >= 0);
	close(dir);
	look_at(place, "a");
}

static void ones_own_look_wakes_nobody(void **state)
{
	struct place *place = *state;

	touch(place, "a");
	watch_drain(place->watch);
	owners_look(place);
	assert_int_equal(watch_forget_opened(place->watch), 0);
	assert_false(is_readable(place));
	assert_int_equal(watch_drain(place->watch), 0);
}

static void listing_a_folder_is_no_event(void **state)
{
	struct place *place = *state;
	int dir = open(place->folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	assert_true(dir >= 0);
	close(dir);
	assert_int_equal(watch_drain(place->watch), 0);
}

static void a_change_during_ones_own_look_is_kept(void **state)
{
	struct place *place = *state;

	touch(place, "a");
	watch_drain(place->watch);
	owners_look(place);
	touch(place, "b");
	assert_int_equal(watch_forget_opened(place->watch), WATCH_CHANGED);
	/* The queue is empty now, but what came is not lost. */
	assert_false(is_readable(place));
	touch(place, "c");
	assert_int_equal(watch_drain(place->watch), WATCH_CHANGED | WATCH_OPENED);
	assert_true(has_name(place, "b") && has_name(place, "c"));
	assert_int_equal(watch_drain(place->watch), 0);
}

static void names_of_the_last_drain_are_not_told_again(void **state)
{
	struct place *place = *state;

	touch(place, "a");
	watch_drain(place->watch);
	touch(place, "b");
	watch_forget_opened(place->watch);
	assert_int_equal(watch_drain(place->watch), WATCH_CHANGED);
	assert_int_equal(names(place), 1);
	assert_true(has_name(place, "b"));
}

static void too_many_names_mean_all_of_them(void **state)
{
	struct place *place = *state;
	int bits = 0;

	/* More than are kept, but in portions that the queue of inotify (16384 events) holds. */
	for (int i = 0; i < 4200; i++) {
		char name[32];

		snprintf(name, sizeof name, "%d", i);
		touch(place, name);
		if (i % 1000 == 999) {
			/* Pending, not told: the names add up. */
			bits |= watch_forget_opened(place->watch);
			assert_false(bits & WATCH_OVERFLOW);
		}
	}
	assert_true(watch_drain(place->watch) & WATCH_OVERFLOW);
	assert_int_equal(names(place), 4096);
	/* It recovers. */
	touch(place, "one more");
	assert_int_equal(watch_drain(place->watch), WATCH_CHANGED | WATCH_OPENED);
	assert_int_equal(names(place), 1);
}

static void a_queue_that_overflowed_is_told(void **state)
{
	struct place *place = *state;
	char limit_text[32] = "";
	FILE *file = fopen("/proc/sys/fs/inotify/max_queued_events", "r");
	long limit;

	assert_non_null(file);
	assert_non_null(fgets(limit_text, sizeof limit_text, file));
	fclose(file);
	limit = strtol(limit_text, NULL, 10);
	touch(place, "a");
	touch(place, "b");
	/* Alternating, for equal events that follow each other are merged; two each, at least. */
	for (long i = 0; i < limit / 4 + 2; i++) {
		look_at(place, "a");
		look_at(place, "b");
	}
	assert_true(watch_drain(place->watch) & WATCH_OVERFLOW);
	touch(place, "c");
	assert_int_equal(watch_drain(place->watch), WATCH_CHANGED | WATCH_OPENED);
}

static void the_rights_of_the_folder_concern_everything(void **state)
{
	struct place *place = *state;

	assert_int_equal(chmod(place->folder, 0755), 0);
	assert_int_equal(watch_drain(place->watch), WATCH_CHANGED | WATCH_OVERFLOW);
}

static void a_deleted_folder_is_gone(void **state)
{
	struct place *place = *state;

	assert_true(watch_is_there(place->watch));
	assert_int_equal(rmdir(place->folder), 0);
	assert_true(is_readable(place));
	assert_true(watch_drain(place->watch) & WATCH_GONE);
	assert_false(watch_is_there(place->watch));
	/* Made again it is another folder. */
	assert_int_equal(mkdir(place->folder, 0755), 0);
	touch(place, "a");
	assert_int_equal(watch_drain(place->watch), 0);
	watch_close(place->watch);
	place->watch = watch_open(place->folder);
	assert_non_null(place->watch);
	touch(place, "b");
	assert_true(watch_drain(place->watch) & WATCH_CHANGED);
}

static void a_moved_folder_is_gone(void **state)
{
	struct place *place = *state;
	char elsewhere[300];

	snprintf(elsewhere, sizeof elsewhere, "%s.moved", place->folder);
	assert_int_equal(rename(place->folder, elsewhere), 0);
	assert_true(watch_drain(place->watch) & WATCH_GONE);
	assert_false(watch_is_there(place->watch));
	assert_int_equal(rename(elsewhere, place->folder), 0);
	assert_true(watch_is_there(place->watch));
}

static void a_deleted_folder_that_is_open_is_missed_by_inotify_alone(void **state)
{
	struct place *place = *state;
	int dir = open(place->folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	assert_true(dir >= 0);
	watch_drain(place->watch);
	assert_int_equal(rmdir(place->folder), 0);
	assert_int_equal(watch_drain(place->watch) & WATCH_GONE, 0);
	assert_false(watch_is_there(place->watch));
	close(dir);
	assert_true(watch_drain(place->watch) & WATCH_GONE);
}

static void a_path_that_is_no_folder_is_refused(void **state)
{
	struct place *place = *state;

	touch(place, "a");
	errno = 0;
	assert_null(watch_open(path_of(place, "a")));
	assert_int_equal(errno, ENOTDIR);
	assert_null(watch_open(path_of(place, "missing")));
	assert_int_equal(errno, ENOENT);
}

static void without_inotify_it_says_why(void **state)
{
	static const struct {
		int error;
		const char *why;
	} cases[] = {
		{ENOSPC, "no inotify watch left (fs.inotify.max_user_watches)"},
		{EMFILE, "no inotify instance left (fs.inotify.max_user_instances)"},
		{EACCES, "no inotify: no permission to read the folder"},
		{ENOSYS, "this kernel has no inotify"},
		{EIO, "no inotify: Input/output error"},
	};
	struct place *place = *state;

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct watch *watch;

		fail_inotify(cases[i].error);
		watch = watch_open(place->folder);
		fail_inotify(0);
		assert_non_null(watch);
		assert_int_equal(watch_fd(watch), -1);
		assert_string_equal(watch_why(watch), cases[i].why);
		/* The owner need not care. */
		assert_int_equal(watch_drain(watch), 0);
		assert_int_equal(watch_forget_opened(watch), 0);
		assert_true(watch_is_there(watch));
		assert_null(watch_name(watch, 0));
		watch_close(watch);
	}
	watch_close(NULL);
}

static void a_watch_is_not_inherited(void **state)
{
	struct place *place = *state;

	assert_true(fcntl(watch_fd(place->watch), F_GETFD) & FD_CLOEXEC);
	assert_true(fcntl(watch_fd(place->watch), F_GETFL) & O_NONBLOCK);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(nothing_happens_in_a_quiet_folder),
		TEST(what_was_touched_is_named_once),
		TEST(each_kind_of_change_is_seen),
		TEST(a_name_of_any_bytes_is_given_back),
		TEST(an_opening_is_no_change),
		TEST(taking_a_flock_raises_nothing),
		TEST(ones_own_look_wakes_nobody),
		TEST(listing_a_folder_is_no_event),
		TEST(a_change_during_ones_own_look_is_kept),
		TEST(names_of_the_last_drain_are_not_told_again),
		TEST(too_many_names_mean_all_of_them),
		TEST(a_queue_that_overflowed_is_told),
		TEST(the_rights_of_the_folder_concern_everything),
		TEST(a_deleted_folder_is_gone),
		TEST(a_moved_folder_is_gone),
		TEST(a_deleted_folder_that_is_open_is_missed_by_inotify_alone),
		TEST(a_path_that_is_no_folder_is_refused),
		TEST(without_inotify_it_says_why),
		TEST(a_watch_is_not_inherited),
	};

	return cmocka_run_group_tests_name("watch", tests, NULL, NULL);
}

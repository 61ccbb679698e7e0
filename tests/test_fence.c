/* The fence of a lock file: never a number twice, whatever ends in the middle. */
#include "config.h"

#include "made_world.h"

#include <limits.h>

#include "system/fence.h"

ssize_t __real_pwrite(int fd, const void *data, size_t len, off_t at);
ssize_t __wrap_pwrite(int fd, const void *data, size_t len, off_t at);
int __real_fdatasync(int fd);
int __wrap_fdatasync(int fd);

static int write_fails;     /* errno; 0 it does not */
static ssize_t write_stops; /* after so many bytes; 0 at the end */
static int sync_fails;
static unsigned int synced;

ssize_t __wrap_pwrite(int fd, const void *data, size_t len, off_t at)
{
	if (write_fails) {
		errno = write_fails;
		return -1;
	}
	return __real_pwrite(fd, data, write_stops ? (size_t)write_stops : len, at);
}

int __wrap_fdatasync(int fd)
{
	synced++;
	if (sync_fails) {
		errno = sync_fails;
		return -1;
	}
	return __real_fdatasync(fd);
}

struct place {
	char folder[256];
	int dir;
	struct error err;
};

static const char boot[] = "9f3c2a71";

static int set_up(void **state)
{
	struct place *place = calloc(1, sizeof *place);

	assert_non_null(place);
	make_folder(place->folder, sizeof place->folder);
	place->dir = open(place->folder, O_PATH | O_DIRECTORY | O_CLOEXEC);
	assert_true(place->dir >= 0);
	write_fails = sync_fails = 0;
	write_stops = 0;
	synced = 0;
	*state = place;
	return 0;
}

static int tear_down(void **state)
{
	struct place *place = *state;

	close(place->dir);
	remove_tree(place->folder);
	free(place);
	return 0;
}

static int64_t next_of(struct place *place, const char *at)
{
	int64_t fence = -1;

	if (fence_next(place->dir, "a.lock", at, 0644, &fence, &place->err) < 0)
		fail_msg("%s", place->err.text);
	return fence;
}

static int64_t last_of(struct place *place)
{
	int64_t fence = -1;

	if (fence_last(place->dir, "a.lock", &fence, &place->err) < 0)
		fail_msg("%s", place->err.text);
	return fence;
}

static int try_next(struct place *place)
{
	int64_t fence = -1;
	int result = fence_next(place->dir, "a.lock", boot, 0644, &fence, &place->err);

	if (result < 0)
		assert_int_equal(fence, -1);
	return result;
}

static void put_fence(struct place *place, const char *text)
{
	int fd =
		openat(place->dir, ".a.lock.fence", O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	close(fd);
}

static void get_fence(struct place *place, char *text, size_t size)
{
	int fd = openat(place->dir, ".a.lock.fence", O_RDONLY | O_CLOEXEC);
	ssize_t n = read(fd, text, size - 1);

	assert_true(fd >= 0 && n >= 0);
	text[n] = '\0';
	close(fd);
}

static void numbers_grow_by_one_in_a_boot(void **state)
{
	struct place *place = *state;

	assert_int_equal(last_of(place), 0);
	for (int64_t i = 1; i <= 5; i++) {
		assert_int_equal(next_of(place, boot), i);
		assert_int_equal(last_of(place), i);
	}
}

static void each_name_has_its_own(void **state)
{
	struct place *place = *state;
	int64_t fence;

	next_of(place, boot);
	next_of(place, boot);
	assert_int_equal(fence_next(place->dir, "b.lock", boot, 0644, &fence, NULL), 0);
	assert_int_equal(fence, 1);
}

static void after_a_boot_it_goes_on_from_what_was_synced(void **state)
{
	struct place *place = *state;
	int64_t last = 0;

	for (int i = 0; i < 3; i++)
		last = next_of(place, boot);
	/* Numbers up to the ceiling may have been given out without reaching the disk. */
	assert_int_equal(next_of(place, "00000001"), 2 + FENCE_STRIDE);
	assert_true(last < 2 + FENCE_STRIDE);
	assert_int_equal(next_of(place, "00000001"), 3 + FENCE_STRIDE);
}

static void an_unknown_boot_counts_as_another_each_time(void **state)
{
	struct place *place = *state;
	int64_t first = next_of(place, ""), second = next_of(place, "");

	assert_true(second >= first + FENCE_STRIDE);
	assert_true(next_of(place, "") >= second + FENCE_STRIDE);
}

static void it_is_synced_once_a_stride(void **state)
{
	struct place *place = *state;
	int64_t last = 0;

	for (int i = 0; i < 3 * FENCE_STRIDE; i++) {
		int64_t number = next_of(place, boot);

		assert_int_equal(number, last + 1);
		last = number;
	}
	assert_in_range(synced, 3, 4);
}

/* What a machine that goes down leaves on the disk is at worst what was synced last. */
static void no_number_is_given_out_that_the_disk_may_not_know(void **state)
{
	struct place *place = *state;
	char on_disk[64] = "";
	unsigned int seen = 0;
	int64_t ceiling = 0;

	for (int i = 0; i < 2 * FENCE_STRIDE + 10; i++) {
		int64_t number = next_of(place, boot);

		if (synced != seen) {
			get_fence(place, on_disk, sizeof on_disk);
			ceiling = strtoll(on_disk + 20, NULL, 10);
			seen = synced;
		}
		assert_true(number < ceiling);
	}
	put_fence(place, on_disk);
	assert_true(next_of(place, "00000002") >= ceiling);
}

static void what_is_no_counter_is_an_error_and_stays(void **state)
{
	static const char *const bad[] = {
		"1",
		"hello",
		"0000000000000000002 0000000000000001026 9f3c2a71",
		"0000000000000000002 0000000000000001026 9f3c2a71\n\n",
		"0000000000000000000 0000000000000001026 9f3c2a71\n",
		"-000000000000000002 0000000000000001026 9f3c2a71\n",
		"0000000000000000x02 0000000000000001026 9f3c2a71\n",
		"0000000000000000002 9999999999999999999 9f3c2a71\n",
		"9223372036854775807 9223372036854775807 9f3c2a71\n",
		"0000000000000000002|0000000000000001026 9f3c2a71\n",
		"0000000000000000002 0000000000000001026 9f3c 2a7\n",
	};
	struct place *place = *state;
	char now[128];
	int64_t fence;

	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		put_fence(place, bad[i]);
		assert_int_equal(try_next(place), -EINVAL);
		assert_non_null(strstr(place->err.text, ".a.lock.fence"));
		assert_int_equal(fence_last(place->dir, "a.lock", &fence, NULL), -EINVAL);
		get_fence(place, now, sizeof now);
		assert_string_equal(now, bad[i]);
	}
}

static void a_link_is_not_followed_and_a_fifo_not_waited_for(void **state)
{
	struct place *place = *state;

	assert_int_equal(symlinkat("b", place->dir, ".a.lock.fence"), 0);
	assert_int_equal(try_next(place), -ELOOP);
	assert_int_equal(unlinkat(place->dir, ".a.lock.fence", 0), 0);
	assert_int_equal(mknodat(place->dir, ".a.lock.fence", S_IFIFO | 0644, 0), 0);
	assert_true(try_next(place) < 0);
	assert_int_equal(unlinkat(place->dir, ".a.lock.fence", 0), 0);
	assert_int_equal(mkdirat(place->dir, ".a.lock.fence", 0755), 0);
	assert_true(try_next(place) < 0);
}

static void a_full_disk_gives_no_number_twice(void **state)
{
	struct place *place = *state;

	assert_int_equal(next_of(place, boot), 1);
	write_fails = ENOSPC;
	assert_int_equal(try_next(place), -ENOSPC);
	write_fails = 0;
	assert_int_equal(next_of(place, boot), 2);
}

static void a_torn_line_is_never_lower(void **state)
{
	struct place *place = *state;

	for (ssize_t bytes = 1; bytes < 49; bytes++) {
		int64_t number;

		put_fence(place, "0000000000000001999 0000000000000002026 9f3c2a71\n");
		write_stops = bytes;
		assert_int_equal(try_next(place), -ENOSPC);
		write_stops = 0;
		number = next_of(place, boot);
		assert_true(number >= 1999);
	}
}

static void what_cannot_be_synced_is_not_used(void **state)
{
	struct place *place = *state;

	sync_fails = EIO;
	assert_int_equal(try_next(place), -EIO);
	sync_fails = 0;
	assert_true(next_of(place, boot) >= 1);
	sync_fails = EIO;
	assert_int_equal(
		fence_next(place->dir, "a.lock", "00000001", 0644, &(int64_t){0}, NULL), -EIO);
	sync_fails = 0;
	assert_true(next_of(place, "00000001") > 1);
}

static void who_died_after_making_the_file_had_no_number(void **state)
{
	struct place *place = *state;

	put_fence(place, "");
	assert_int_equal(last_of(place), 0);
	assert_int_equal(next_of(place, boot), 1);
	assert_int_equal(next_of(place, boot), 2);
}

static void nothing_else_is_left_in_the_folder(void **state)
{
	struct place *place = *state;

	next_of(place, boot);
	assert_int_equal(unlinkat(place->dir, ".a.lock.fence", 0), 0);
	assert_int_equal(rmdir(place->folder), 0);
	assert_int_equal(mkdir(place->folder, 0755), 0);
}

static void a_name_without_room_for_a_fence_has_none(void **state)
{
	struct place *place = *state;
	char name[NAME_MAX + 1];
	int64_t fence;

	memset(name, 'a', NAME_MAX);
	name[NAME_MAX] = '\0';
	assert_int_equal(
		fence_next(place->dir, name, boot, 0644, &fence, &place->err), -ENAMETOOLONG);
}

int main(void)
{
#define test(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		test(numbers_grow_by_one_in_a_boot),
		test(each_name_has_its_own),
		test(after_a_boot_it_goes_on_from_what_was_synced),
		test(an_unknown_boot_counts_as_another_each_time),
		test(it_is_synced_once_a_stride),
		test(no_number_is_given_out_that_the_disk_may_not_know),
		test(what_is_no_counter_is_an_error_and_stays),
		test(a_link_is_not_followed_and_a_fifo_not_waited_for),
		test(a_full_disk_gives_no_number_twice),
		test(a_torn_line_is_never_lower),
		test(what_cannot_be_synced_is_not_used),
		test(who_died_after_making_the_file_had_no_number),
		test(nothing_else_is_left_in_the_folder),
		test(a_name_without_room_for_a_fence_has_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

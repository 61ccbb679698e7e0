/*
 * A release, interrupted: what others do just before its flock is taken, and just before the file
 * is changed. The calls of the system in question are wrapped (ld(1), --wrap).
 */
#include "config.h"

#include "made_world.h"

#include <sys/file.h>

#include "system/lockfile.h"

int __real_flock(int fd, int operation);
int __wrap_flock(int fd, int operation);
int __real_ftruncate(int fd, off_t size);
int __wrap_ftruncate(int fd, off_t size);
int __real_unlinkat(int dir, const char *name, int flags);
int __wrap_unlinkat(int dir, const char *name, int flags);

struct moment {
	void (*run)(void *data); /* once; NULL: nothing, or no more */
	void *data;
};

static struct moment before_flock, before_change;

static void pass(struct moment *moment)
{
	void (*run)(void *) = moment->run;

	moment->run = NULL;
	if (run)
		run(moment->data);
}

int __wrap_flock(int fd, int operation)
{
	pass(&before_flock);
	return __real_flock(fd, operation);
}

int __wrap_ftruncate(int fd, off_t size)
{
	pass(&before_change);
	return __real_ftruncate(fd, size);
}

int __wrap_unlinkat(int dir, const char *name, int flags)
{
	pass(&before_change);
	return __real_unlinkat(dir, name, flags);
}

static const char record[] = "4711|1760000000";
static const char another[] = "4712|1760000001";

struct place {
	char folder[256], path[300];
	int dir;
	char version[64]; /* of what was looked at */
	struct error err;
	int fd;        /* of a peer; -1 none */
	int operation; /* its flock */
	int code;      /* of its try: 0 or errno */
};

static void write_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	close(fd);
}

static void assert_content(const struct place *place, const char *text)
{
	char data[64] = "";
	int fd = open(place->path, O_RDONLY | O_CLOEXEC);

	assert_true(fd >= 0);
	assert_true(read(fd, data, sizeof data - 1) >= 0);
	close(fd);
	assert_string_equal(data, text);
}

static void look(struct place *place)
{
	struct lockfile file;
	struct record parsed;
	struct lockfile_stat stat;

	assert_int_equal(lockfile_stat(place->dir, "a.lock", &stat), 0);
	assert_int_equal(lockfile_read(place->dir, "a.lock", &stat, &file), 0);
	lockfile_version(place->version, sizeof place->version, stat.dev, stat.ino,
		lockfile_identity(&file, &parsed, NULL));
}

/* A lock file that was looked at. */
static void begin(struct place *place)
{
	write_file(place->path, record);
	look(place);
}

static int set_up(void **state)
{
	struct place *place = calloc(1, sizeof *place);

	assert_non_null(place);
	make_folder(place->folder, sizeof place->folder);
	snprintf(place->path, sizeof place->path, "%s/a.lock", place->folder);
	place->dir = open(place->folder, O_PATH | O_DIRECTORY | O_CLOEXEC);
	assert_true(place->dir >= 0);
	place->fd = -1;
	begin(place);
	*state = place;
	return 0;
}

static int tear_down(void **state)
{
	struct place *place = *state;

	before_flock.run = before_change.run = NULL;
	if (place->fd >= 0)
		close(place->fd);
	close(place->dir);
	remove_tree(place->folder);
	free(place);
	return 0;
}

static int release(struct place *place, bool tidy)
{
	return lockfile_release(
		place->dir, "a.lock", place->path, place->version, tidy, &place->err);
}

/* Releases while a peer does something at that moment, which has to come. */
static int release_against(
	struct place *place, bool tidy, struct moment *moment, void (*run)(void *data))
{
	int result;

	*moment = (struct moment){run, place};
	result = release(place, tidy);
	assert_null(moment->run);
	return result;
}

static void take_flock(void *data)
{
	struct place *place = data;

	place->fd = open(place->path, O_RDONLY | O_CLOEXEC);
	assert_true(place->fd >= 0);
	place->code = flock(place->fd, place->operation | LOCK_NB) < 0 ? errno : 0;
}

static void drop_flock(struct place *place)
{
	close(place->fd);
	place->fd = -1;
}

static void write_another(void *data)
{
	write_file(((struct place *)data)->path, another);
}

static void replace(void *data)
{
	struct place *place = data;
	char path[320];

	snprintf(path, sizeof path, "%s.new", place->path);
	write_file(path, record);
	assert_int_equal(rename(path, place->path), 0);
}

/* A shared flock is refused by an exclusive one only. */
static void nobody_gets_a_flock_before_the_file_is_changed(void **state)
{
	struct place *place = *state;

	place->operation = LOCK_SH;
	for (int tidy = 0; tidy < 2; tidy++) {
		begin(place);
		place->code = 0;
		assert_int_equal(release_against(place, tidy, &before_change, take_flock), 0);
		assert_int_equal(place->code, EWOULDBLOCK);
		drop_flock(place);
	}
	assert_int_equal(access(place->path, F_OK), -1);
}

static void a_release_leaves_no_flock(void **state)
{
	struct place *place = *state;

	place->operation = LOCK_EX;
	assert_int_equal(release(place, false), 0);
	assert_content(place, "");
	take_flock(place);
	assert_int_equal(place->code, 0);
}

static void who_takes_a_flock_first_keeps_the_file(void **state)
{
	static const int operation[] = {LOCK_EX, LOCK_SH};
	struct place *place = *state;

	for (int i = 0; i < 4; i++) {
		place->operation = operation[i % 2];
		assert_int_equal(release_against(place, i / 2, &before_flock, take_flock), -EBUSY);
		assert_int_equal(place->code, 0);
		drop_flock(place);
		assert_content(place, record);
	}
}

/* As a holder that came and wrote while the file was being opened. */
static void what_was_written_before_the_flock_is_compared(void **state)
{
	struct place *place = *state;

	for (int tidy = 0; tidy < 2; tidy++) {
		begin(place);
		assert_int_equal(
			release_against(place, tidy, &before_flock, write_another), -ESTALE);
		assert_content(place, another);
	}
}

static void a_file_that_took_the_name_before_the_flock_is_not_hit(void **state)
{
	struct place *place = *state;

	for (int tidy = 0; tidy < 2; tidy++) {
		look(place);
		assert_int_equal(release_against(place, tidy, &before_flock, replace), -ESTALE);
		assert_content(place, record);
	}
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(nobody_gets_a_flock_before_the_file_is_changed),
		TEST(a_release_leaves_no_flock),
		TEST(who_takes_a_flock_first_keeps_the_file),
		TEST(what_was_written_before_the_flock_is_compared),
		TEST(a_file_that_took_the_name_before_the_flock_is_not_hit),
	};

	return cmocka_run_group_tests_name("lockfile", tests, NULL, NULL);
}

/* A file that is replaced as a whole, whatever fails in between. */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "system/outfile.h"

/* What is made to fail, and what the folder looked like at the moment of the rename. */
static int fail_rename, fail_sync;
static char folder[256], path[300], seen[600];
static bool is_signalled;

int __real_renameat(int from_dir, const char *from, int to_dir, const char *to);
int __wrap_renameat(int from_dir, const char *from, int to_dir, const char *to);
int __real_fsync(int fd);
int __wrap_fsync(int fd);

/* The names in the folder, each with a space behind. */
static const char *names(void)
{
	static char text[600];
	DIR *dir = opendir(folder);

	assert_non_null(dir);
	text[0] = '\0';
	for (struct dirent *entry; (entry = readdir(dir));)
		if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
			snprintf(text + strlen(text), sizeof text - strlen(text), "%s ",
				entry->d_name);
	closedir(dir);
	return text;
}

int __wrap_renameat(int from_dir, const char *from, int to_dir, const char *to)
{
	snprintf(seen, sizeof seen, "%s", from);
	raise(SIGTERM); /* waits until it is done */
	if (fail_rename) {
		errno = fail_rename;
		return -1;
	}
	return __real_renameat(from_dir, from, to_dir, to);
}

int __wrap_fsync(int fd)
{
	if (fail_sync) {
		errno = fail_sync;
		return -1;
	}
	return __real_fsync(fd);
}

static void on_term(int signal)
{
	(void)signal;
	/* Either it was not begun, or nothing is left of it. */
	is_signalled = strchr(names(), ' ') == NULL || strcmp(names(), "x.prom ") == 0;
}

static int set_up(void **state)
{
	const char *tmp = getenv("TMPDIR");

	(void)state;
	snprintf(folder, sizeof folder, "%s/outfile.XXXXXX", tmp ? tmp : "/tmp");
	if (!mkdtemp(folder))
		return -1;
	snprintf(path, sizeof path, "%s/x.prom", folder);
	fail_rename = fail_sync = 0;
	is_signalled = false;
	signal(SIGTERM, on_term);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	signal(SIGTERM, SIG_DFL);
	unlink(path);
	return rmdir(folder);
}

static void put(const char *text)
{
	struct error err;

	assert_int_equal(outfile_write(path, text, strlen(text), 0644, &err), 0);
}

static void has(const char *text)
{
	char buf[64] = "";
	int fd = open(path, O_RDONLY);
	ssize_t n = read(fd, buf, sizeof buf - 1);

	close(fd);
	assert_int_equal(n, strlen(text));
	assert_string_equal(buf, text);
	assert_string_equal(names(), "x.prom ");
}

static void it_has_the_mode_that_was_asked_for(void **state)
{
	mode_t old = umask(077);
	struct stat st;

	(void)state;
	put("one\n");
	umask(old);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0644);
	has("one\n");
}

static void the_name_beside_it_is_hidden_and_of_another_kind(void **state)
{
	size_t len;

	(void)state;
	put("one\n");
	len = strlen(seen);
	assert_int_equal(seen[0], '.');
	assert_true(len > 5 && strcmp(seen + len - 5, ".prom") != 0);
	assert_null(strchr(seen, '/'));
}

static void the_old_one_is_another_file(void **state)
{
	char buf[8] = "";
	struct stat before, after;
	int reader;

	(void)state;
	put("one\n");
	reader = open(path, O_RDONLY);
	assert_int_equal(fstat(reader, &before), 0);
	put("two\n");
	assert_int_equal(stat(path, &after), 0);
	assert_int_not_equal(before.st_ino, after.st_ino);
	assert_int_equal(read(reader, buf, 7), 4);
	assert_string_equal(buf, "one\n");
	close(reader);
	has("two\n");
}

static void what_fails_leaves_the_old_one_and_nothing_else(void **state)
{
	struct error err;

	(void)state;
	put("one\n");
	fail_rename = EACCES;
	assert_int_equal(outfile_write(path, "two\n", 4, 0644, &err), -EACCES);
	assert_non_null(strstr(err.text, "cannot write"));
	has("one\n");
	fail_rename = 0;
	fail_sync = EIO;
	assert_int_equal(outfile_write(path, "two\n", 4, 0644, &err), -EIO);
	has("one\n");
}

static void a_full_disk_is_an_error_and_no_end(void **state)
{
	struct rlimit old, little;
	struct error err;
	char *much = calloc(1, 65536);

	(void)state;
	assert_non_null(much);
	put("one\n");
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &old), 0);
	little = old;
	little.rlim_cur = 4096;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &little), 0);
	assert_int_equal(outfile_write(path, much, 65536, 0644, &err), -EFBIG);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &old), 0);
	free(much);
	has("one\n");
}

static void a_signal_waits_until_it_is_done(void **state)
{
	(void)state;
	put("one\n");
	assert_true(is_signalled);
	has("one\n");
}

static void refused(int expected, const char *words)
{
	struct error err;

	assert_int_equal(outfile_write(path, "two\n", 4, 0644, &err), expected);
	if (!strstr(err.text, words))
		fail_msg("no '%s' in: %s", words, err.text);
}

static void a_link_is_not_followed_nor_replaced(void **state)
{
	char victim[300], target[64] = "";

	(void)state;
	snprintf(victim, sizeof victim, "%s/victim", folder);
	assert_int_equal(symlink("victim", path), 0);
	refused(-EEXIST, "no regular file");
	assert_int_equal(access(victim, F_OK), -1);
	assert_int_equal(readlink(path, target, sizeof target - 1), 6);
}

static void a_fifo_and_a_folder_are_not_replaced(void **state)
{
	struct error err;
	char inside[320];

	(void)state;
	assert_int_equal(mkfifo(path, 0600), 0);
	refused(-EEXIST, "no regular file");
	assert_int_equal(unlink(path), 0);
	assert_int_equal(mkdir(path, 0700), 0);
	refused(-EEXIST, "no regular file");
	snprintf(inside, sizeof inside, "%s/", path);
	assert_int_equal(outfile_write(inside, "x", 1, 0644, &err), -EISDIR);
	assert_int_equal(rmdir(path), 0);
}

static void a_folder_that_is_not_there_is_told(void **state)
{
	(void)state;
	snprintf(path, sizeof path, "%s/none/x.prom", folder);
	refused(-ENOENT, "none/x.prom");
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		CASE(it_has_the_mode_that_was_asked_for),
		CASE(the_name_beside_it_is_hidden_and_of_another_kind),
		CASE(the_old_one_is_another_file),
		CASE(what_fails_leaves_the_old_one_and_nothing_else),
		CASE(a_full_disk_is_an_error_and_no_end),
		CASE(a_signal_waits_until_it_is_done),
		CASE(a_link_is_not_followed_nor_replaced),
		CASE(a_fifo_and_a_folder_are_not_replaced),
		CASE(a_folder_that_is_not_there_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

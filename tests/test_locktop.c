/* liblocktop as another program sees it: lock files, real processes, the machine's own clock. */
#include "config.h"
#include "made_world.h"

#include <dirent.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/time.h>
#include <sys/wait.h>

#include <jansson.h>

#include "lib/locktop.h"

struct place {
	char folder[256], path[300];
	struct locktop *lock;
	struct locktop_error error;
};

static struct locktop *open_lock(struct place *place, const struct locktop_options *options)
{
	struct locktop *lock = NULL;

	if (locktop_open(&lock, place->path, options, &place->error) < 0)
		fail_msg("%s", place->error.text);
	return lock;
}

static struct place *new_place(void)
{
	struct place *place = calloc(1, sizeof *place);

	assert_non_null(place);
	make_folder(place->folder, sizeof place->folder);
	snprintf(place->path, sizeof place->path, "%s/story.lock", place->folder);
	place->lock = open_lock(place, NULL);
	return place;
}

static void end_place(struct place *place)
{
	locktop_close(place->lock);
	remove_tree(place->folder);
	free(place);
}

static void write_file(const char *path, const char *text)
{
	FILE *file = fopen(path, "w");

	assert_non_null(file);
	fputs(text, file);
	assert_int_equal(fclose(file), 0);
}

static void read_file(const char *path, char *text, size_t size)
{
	FILE *file = fopen(path, "r");
	size_t n;

	assert_non_null(file);
	n = fread(text, 1, size - 1, file);
	text[n] = '\0';
	fclose(file);
}

/* A child that dies with its test. */
static pid_t fork_child(void)
{
	pid_t parent = getpid(), pid = fork();

	assert_true(pid >= 0);
	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (getppid() != parent)
			_exit(99);
	}
	return pid;
}

static int wait_child(pid_t pid)
{
	int status;

	assert_int_equal(waitpid(pid, &status, 0), pid);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

static void a_lock_is_taken_renewed_and_released(void **state)
{
	struct place *place = new_place();
	char text[300], token[33];

	(void)state;
	assert_int_equal(locktop_is_held(place->lock), 0);
	assert_string_equal(locktop_token(place->lock), "");
	assert_int_equal(locktop_acquire(place->lock, 0, &place->error), 0);
	assert_int_equal(locktop_is_held(place->lock), 1);
	assert_int_equal(strlen(locktop_token(place->lock)), 32);
	strcpy(token, locktop_token(place->lock));
	read_file(place->path, text, sizeof text);
	assert_int_equal(atoi(text), getpid());
	assert_non_null(strstr(text, token));
	assert_int_equal(locktop_fence(place->lock), 1);
	assert_int_equal(locktop_verify(place->lock, &place->error), 0);
	assert_int_equal(locktop_renew(place->lock, &place->error), 0);
	assert_int_equal(locktop_acquire(place->lock, 0, &place->error), LOCKTOP_USAGE);
	assert_int_equal(locktop_release(place->lock, &place->error), 0);
	assert_int_equal(locktop_is_held(place->lock), 0);
	assert_int_equal(locktop_fence(place->lock), 0);
	read_file(place->path, text, sizeof text);
	assert_string_equal(text, "");

	assert_int_equal(locktop_acquire(place->lock, 0, &place->error), 0);
	assert_string_not_equal(locktop_token(place->lock), token);
	assert_int_equal(locktop_fence(place->lock), 2);
	end_place(place);
}

static void whoever_does_not_hold_it_is_told_so(void **state)
{
	struct place *place = new_place();

	(void)state;
	assert_int_equal(locktop_renew(place->lock, &place->error), LOCKTOP_USAGE);
	assert_string_equal(place->error.text, "the lock is not held");
	assert_int_equal(place->error.code, LOCKTOP_USAGE);
	assert_int_equal(place->error.system, EINVAL);
	assert_int_equal(locktop_verify(place->lock, NULL), LOCKTOP_USAGE);
	assert_int_equal(locktop_release(place->lock, NULL), LOCKTOP_USAGE);
	locktop_close(NULL);
	end_place(place);
}

static void a_second_one_is_busy_or_times_out(void **state)
{
	struct place *place = new_place();
	struct locktop *other = open_lock(place, NULL);

	(void)state;
	assert_int_equal(locktop_acquire(place->lock, 0, NULL), 0);
	assert_int_equal(locktop_acquire(other, 0, &place->error), LOCKTOP_BUSY);
	assert_int_equal(place->error.system, EBUSY);
	assert_non_null(strstr(place->error.text, "held by pid"));
	assert_int_equal(locktop_acquire(other, 30, &place->error), LOCKTOP_TIMEOUT);
	assert_int_equal(locktop_release(place->lock, NULL), 0);
	assert_int_equal(locktop_acquire(other, 30, &place->error), 0);
	locktop_close(other);
	/* Closing gave it back. */
	assert_int_equal(locktop_acquire(place->lock, 0, NULL), 0);
	end_place(place);
}

static void whoever_waits_gets_it_when_it_is_released(void **state)
{
	static const int64_t patience[] = {-1, 30000, INT64_MAX};
	struct place *place = new_place();

	(void)state;
	for (size_t i = 0; i < sizeof patience / sizeof *patience; i++) {
		int ready[2];
		pid_t pid;
		char c;

		assert_int_equal(pipe2(ready, O_CLOEXEC), 0);
		assert_int_equal(locktop_acquire(place->lock, 0, NULL), 0);
		pid = fork_child();
		if (pid == 0) {
			struct locktop *mine;

			/* Else its copy of the descriptor keeps what the parent releases. */
			locktop_close(place->lock);
			if (locktop_open(&mine, place->path, NULL, NULL) < 0 ||
				locktop_acquire(mine, 0, NULL) != LOCKTOP_BUSY ||
				write(ready[1], "x", 1) != 1)
				_exit(1);
			if (locktop_acquire(mine, patience[i], NULL) != 0)
				_exit(2);
			_exit(locktop_release(mine, NULL) == 0 ? 0 : 3);
		}
		assert_int_equal(read(ready[0], &c, 1), 1);
		close(ready[0]);
		close(ready[1]);
		assert_int_equal(locktop_release(place->lock, NULL), 0);
		assert_int_equal(wait_child(pid), 0);
	}
	end_place(place);
}

static void a_child_does_not_give_back_its_parents_lock(void **state)
{
	struct place *place = new_place();
	pid_t pid;

	(void)state;
	assert_int_equal(locktop_acquire(place->lock, 0, NULL), 0);
	pid = fork_child();
	if (pid == 0) {
		if (locktop_is_held(place->lock) || *locktop_token(place->lock) ||
			locktop_fence(place->lock))
			_exit(1);
		if (locktop_release(place->lock, NULL) != LOCKTOP_NOT_OWNER ||
			locktop_verify(place->lock, NULL) != LOCKTOP_NOT_OWNER ||
			locktop_renew(place->lock, NULL) != LOCKTOP_NOT_OWNER)
			_exit(2);
		if (locktop_acquire(place->lock, 0, NULL) != LOCKTOP_BUSY)
			_exit(3);
		locktop_close(place->lock);
		_exit(0);
	}
	assert_int_equal(wait_child(pid), 0);
	/* The same for one that only closes. */
	pid = fork_child();
	if (pid == 0) {
		locktop_close(place->lock);
		_exit(0);
	}
	assert_int_equal(wait_child(pid), 0);
	assert_int_equal(locktop_verify(place->lock, &place->error), 0);
	assert_int_equal(locktop_release(place->lock, &place->error), 0);

	/* What is not held can be taken by the child: under its own pid. */
	pid = fork_child();
	if (pid == 0) {
		char text[300];

		if (locktop_acquire(place->lock, 0, NULL) != 0)
			_exit(1);
		read_file(place->path, text, sizeof text);
		_exit(atoi(text) == getpid() && locktop_release(place->lock, NULL) == 0 ? 0 : 2);
	}
	assert_int_equal(wait_child(pid), 0);
	end_place(place);
}

static void a_replaced_file_is_a_lost_lock(void **state)
{
	struct place *place = new_place();
	char other[310];

	(void)state;
	assert_int_equal(locktop_acquire(place->lock, 0, NULL), 0);
	snprintf(other, sizeof other, "%s.new", place->path);
	write_file(other, "1|1");
	assert_int_equal(rename(other, place->path), 0);
	assert_int_equal(locktop_verify(place->lock, &place->error), LOCKTOP_LOST);
	assert_int_equal(place->error.system, ESTALE);
	assert_int_equal(locktop_is_held(place->lock), 0);
	assert_int_equal(locktop_release(place->lock, NULL), LOCKTOP_LOST);
	read_file(place->path, other, sizeof other);
	assert_string_equal(other, "1|1");
	assert_int_equal(locktop_release(place->lock, NULL), LOCKTOP_USAGE);
	/* Lost and not released: it can be taken again all the same. */
	assert_int_equal(unlink(place->path), 0);
	assert_int_equal(locktop_acquire(place->lock, 0, &place->error), 0);
	assert_int_equal(unlink(place->path), 0);
	assert_int_equal(locktop_renew(place->lock, NULL), LOCKTOP_LOST);
	assert_int_equal(locktop_acquire(place->lock, 0, &place->error), 0);
	assert_int_equal(locktop_is_held(place->lock), 1);
	end_place(place);
}

static void what_cannot_be_locked_is_told_from_what_cannot_be_reached(void **state)
{
	struct place *place = new_place();
	struct locktop *lock;
	char address[400];

	(void)state;
	assert_int_equal(mkfifo(place->path, 0600), 0);
	assert_int_equal(locktop_acquire(place->lock, 0, &place->error), LOCKTOP_REFUSED);
	assert_int_equal(unlink(place->path), 0);
	assert_int_equal(symlink("/dev/null", place->path), 0);
	assert_int_equal(locktop_acquire(place->lock, 0, &place->error), LOCKTOP_REFUSED);
	snprintf(address, sizeof address, "%s/nowhere/a.lock", place->folder);
	assert_int_equal(locktop_open(&lock, address, NULL, NULL), 0);
	assert_int_equal(locktop_acquire(lock, 0, &place->error), LOCKTOP_UNREACHABLE);
	assert_int_equal(place->error.system, ENOENT);
	locktop_close(lock);
	end_place(place);
}

static void a_strange_argument_is_a_mistake_of_the_caller(void **state)
{
	static const struct locktop_options wrong[] = {
		{.size = 0},
		{.size = sizeof(struct locktop_options), .lease_ms = -1},
		{.size = sizeof(struct locktop_options), .lease_ms = 1500},
		{.size = sizeof(struct locktop_options), .stale_ms = -1},
		{.size = sizeof(struct locktop_options), .takeover = 3},
		{.size = sizeof(struct locktop_options), .owner_pid = 1},
		{.size = sizeof(struct locktop_options), .detached = 1, .owner_pid = -1},
		{.size = sizeof(struct locktop_options), .detached = 1, .strict = 1},
		{.size = sizeof(struct locktop_options), .mode = 010000},
	};
	struct place *place = new_place();
	struct locktop *lock = NULL;

	(void)state;
	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
		assert_int_equal(
			locktop_open(&lock, place->path, &wrong[i], &place->error), LOCKTOP_USAGE);
	assert_int_equal(locktop_open(&lock, NULL, NULL, NULL), LOCKTOP_USAGE);
	assert_int_equal(locktop_open(NULL, place->path, NULL, NULL), LOCKTOP_USAGE);
	assert_int_equal(locktop_open(&lock, "", NULL, NULL), LOCKTOP_USAGE);
	assert_int_equal(locktop_open(&lock, "nothing:/x", NULL, &place->error), LOCKTOP_USAGE);
	assert_int_equal(locktop_adopt(place->lock, "abc", &place->error), LOCKTOP_USAGE);
	assert_int_equal(locktop_adopt(place->lock, NULL, &place->error), LOCKTOP_USAGE);
	assert_null(lock);
	end_place(place);
}

static void older_and_newer_callers_are_understood(void **state)
{
	struct place *place = new_place();
	struct {
		struct locktop_options known;
		int64_t newer;
	} options = {.known = {.size = sizeof options, .lease_ms = 60000}};
	struct {
		struct locktop_status known;
		int64_t newer;
	} status = {.known = {.size = sizeof status}, .newer = 5};
	struct locktop *lock = NULL;
	char text[300];

	(void)state;
	assert_int_equal(locktop_open(&lock, place->path, &options.known, NULL), 0);
	locktop_close(lock);
	options.newer = 1;
	assert_int_equal(
		locktop_open(&lock, place->path, &options.known, &place->error), LOCKTOP_USAGE);
	/* An older one knows no more than the lease. */
	options.known.size = offsetof(struct locktop_options, stale_ms);
	options.known.takeover = 77;
	assert_int_equal(locktop_open(&lock, place->path, &options.known, &place->error), 0);
	assert_int_equal(locktop_acquire(lock, 0, NULL), 0);
	read_file(place->path, text, sizeof text);
	assert_non_null(strstr(text, ";l=60;"));

	assert_int_equal(locktop_status(lock, &status.known, NULL), 0);
	assert_int_equal(status.newer, 0);
	assert_int_equal(status.known.size, sizeof status);
	memset(&status, 0x55, sizeof status);
	status.known.size = offsetof(struct locktop_status, active);
	assert_int_equal(locktop_status(lock, &status.known, NULL), 0);
	assert_string_equal(status.known.state, "HELD");
	assert_int_equal(status.known.active, 0x55555555);
	status.known.size = 4;
	assert_int_equal(locktop_status(lock, &status.known, NULL), LOCKTOP_USAGE);
	locktop_close(lock);
	end_place(place);
}

static void a_detached_lock_outlives_its_taker_and_is_adopted(void **state)
{
	struct locktop_options options = {
		.size = sizeof options, .detached = 1, .lease_ms = 30000, .owner_pid = getpid()};
	struct place *place = new_place();
	struct locktop *taker = open_lock(place, &options), *other;
	int token[2];
	char text[33] = "";
	pid_t pid;

	(void)state;
	assert_int_equal(pipe2(token, O_CLOEXEC), 0);
	pid = fork_child();
	if (pid == 0) {
		if (locktop_acquire(taker, 0, NULL) != 0 ||
			write(token[1], locktop_token(taker), 32) != 32)
			_exit(1);
		_exit(0);
	}
	assert_int_equal(wait_child(pid), 0);
	assert_int_equal(read(token[0], text, 32), 32);
	close(token[0]);
	close(token[1]);
	locktop_close(taker);
	assert_int_equal(locktop_acquire(place->lock, 0, &place->error), LOCKTOP_BUSY);

	other = open_lock(place, &options);
	assert_int_equal(locktop_adopt(other, "00000000000000000000000000000000", NULL), 0);
	assert_int_equal(locktop_renew(other, &place->error), LOCKTOP_NOT_OWNER);
	assert_int_equal(locktop_release(other, &place->error), LOCKTOP_NOT_OWNER);
	assert_int_equal(locktop_adopt(other, text, NULL), 0);
	assert_int_equal(locktop_verify(other, &place->error), 0);
	assert_int_equal(locktop_renew(other, &place->error), 0);
	assert_int_equal(locktop_release(other, &place->error), 0);
	assert_int_equal(locktop_acquire(place->lock, 0, &place->error), 0);
	locktop_close(other);
	end_place(place);
}

static void a_look_says_who_has_it_and_changes_nothing(void **state)
{
	struct place *place = new_place();
	struct locktop *other = open_lock(place, NULL);
	struct locktop_status status = {.size = sizeof status};
	struct stat before, after;

	(void)state;
	assert_int_equal(locktop_status(other, &status, &place->error), 0);
	assert_string_equal(status.state, "FREE");
	assert_int_equal(status.active, 0);
	assert_int_equal(status.fence, 0);
	assert_int_equal(access(place->path, F_OK), -1);

	assert_int_equal(locktop_acquire(place->lock, 0, NULL), 0);
	assert_int_equal(stat(place->path, &before), 0);
	assert_int_equal(locktop_status(other, &status, &place->error), 0);
	assert_string_equal(status.state, "HELD");
	assert_int_equal(status.active, 1);
	assert_int_equal(status.stale, 0);
	assert_int_equal(status.process_running, 1);
	assert_int_equal(status.pid, getpid());
	assert_int_equal(status.limit_ms, 600000);
	assert_int_equal(status.fence, 1);
	assert_true(status.age_ms >= 0);
	assert_string_not_equal(status.host, "");
	assert_int_equal(stat(place->path, &after), 0);
	assert_memory_equal(&before, &after, sizeof before);
	assert_int_equal(locktop_release(place->lock, NULL), 0);

	/* What a process left behind that was killed. */
	write_file(place->path, "2147483646|1760000000");
	assert_int_equal(locktop_status(other, &status, &place->error), 0);
	assert_string_equal(status.state, "STALE");
	assert_int_equal(status.active, 0);
	assert_int_equal(status.stale, 1);
	assert_int_equal(status.process_running, 0);
	assert_non_null(strstr(status.recommendation, "SAFE"));
	assert_string_not_equal(status.why, "");
	locktop_close(other);
	end_place(place);
}

static void the_health_is_a_line_of_json(void **state)
{
	struct place *place = new_place();
	char line[1024];
	json_t *json;
	int len;

	(void)state;
	assert_int_equal(locktop_acquire(place->lock, 0, NULL), 0);
	len = locktop_health(place->lock, line, sizeof line, &place->error);
	assert_int_equal(len, strlen(line));
	assert_null(strchr(line, '\n'));
	json = json_loads(line, 0, NULL);
	assert_non_null(json);
	assert_true(json_is_true(json_object_get(json, "active")));
	assert_true(json_is_false(json_object_get(json, "stale")));
	assert_true(json_is_true(json_object_get(json, "process_running")));
	assert_string_equal(json_string_value(json_object_get(json, "state")), "HELD");
	assert_non_null(json_object_get(json, "recommendation"));
	assert_non_null(json_object_get(json, "why"));
	assert_int_equal(json_integer_value(json_object_get(json, "pid")), getpid());
	assert_true(json_is_number(json_object_get(json, "age_s")));
	json_decref(json);
	/* It fits exactly, or not at all. */
	assert_int_equal(locktop_health(place->lock, line, 20, &place->error), LOCKTOP_USAGE);

	assert_int_equal(locktop_release(place->lock, NULL), 0);
	assert_true(locktop_health(place->lock, line, sizeof line, &place->error) > 0);
	assert_non_null(strstr(line, "\"pid\":null"));
	assert_non_null(strstr(line, "\"age_s\":null"));
	end_place(place);
}

static void a_plain_flock_is_taken_and_looked_at(void **state)
{
	struct place *place = new_place();
	struct locktop_status status = {.size = sizeof status};
	char address[310];
	struct locktop *lock;

	(void)state;
	snprintf(address, sizeof address, "flock:%s", place->path);
	assert_int_equal(locktop_open(&lock, address, NULL, NULL), 0);
	assert_int_equal(locktop_acquire(lock, 0, &place->error), 0);
	assert_int_equal(locktop_fence(lock), 0);
	/* One lock, whatever it is called. */
	assert_int_equal(locktop_acquire(place->lock, 0, NULL), LOCKTOP_BUSY);
	assert_int_equal(locktop_status(lock, &status, &place->error), 0);
	assert_string_equal(status.state, "HELD");
	assert_int_equal(status.pid, getpid());
	assert_int_equal(locktop_release(lock, NULL), 0);
	locktop_close(lock);
	end_place(place);
}

static void on_alarm(int number)
{
	(void)number;
}

static void a_signal_ends_a_wait_without_end(void **state)
{
	struct place *place = new_place();
	struct locktop *other = open_lock(place, NULL);
	struct sigaction action = {.sa_handler = on_alarm}, before;
	struct itimerval often = {{0, 20000}, {0, 20000}}, never = {0};

	(void)state;
	assert_int_equal(locktop_acquire(place->lock, 0, NULL), 0);
	assert_int_equal(sigaction(SIGALRM, &action, &before), 0);
	assert_int_equal(setitimer(ITIMER_REAL, &often, NULL), 0);
	assert_int_equal(locktop_acquire(other, -1, &place->error), LOCKTOP_INTERRUPTED);
	assert_int_equal(locktop_acquire(other, 60000, &place->error), LOCKTOP_INTERRUPTED);
	assert_int_equal(setitimer(ITIMER_REAL, &never, NULL), 0);
	assert_int_equal(sigaction(SIGALRM, &before, NULL), 0);
	assert_int_equal(locktop_is_held(other), 0);
	locktop_close(other);
	end_place(place);
}

static size_t count_entries(const char *path)
{
	DIR *dir = opendir(path);
	size_t n = 0;

	assert_non_null(dir);
	while (readdir(dir))
		n++;
	closedir(dir);
	return n;
}

static void no_handler_thread_child_or_descriptor_is_left(void **state)
{
	struct place *place = new_place();
	struct locktop *other;
	struct sigaction before[NSIG], after;
	sigset_t mask_before, mask_after;
	size_t descriptors = count_entries("/proc/self/fd");

	(void)state;
	for (int number = 1; number < NSIG; number++)
		sigaction(number, NULL, &before[number]);
	sigprocmask(SIG_SETMASK, NULL, &mask_before);
	assert_int_equal(locktop_acquire(place->lock, 0, NULL), 0);
	other = open_lock(place, NULL);
	assert_int_equal(locktop_acquire(other, 20, NULL), LOCKTOP_TIMEOUT);
	assert_int_equal(count_entries("/proc/self/task"), 3);
	assert_int_equal(waitpid(-1, NULL, __WALL), -1);
	assert_int_equal(errno, ECHILD);
	locktop_close(other);
	assert_int_equal(locktop_release(place->lock, NULL), 0);
	assert_int_equal(count_entries("/proc/self/fd"), descriptors);
	sigprocmask(SIG_SETMASK, NULL, &mask_after);
	for (int number = 1; number < NSIG; number++) {
		assert_int_equal(
			sigismember(&mask_before, number), sigismember(&mask_after, number));
		if (sigaction(number, NULL, &after) == 0)
			assert_ptr_equal(after.sa_handler, before[number].sa_handler);
	}
	end_place(place);
}

static void the_lock_stays_where_it_was_when_the_folder_is_changed(void **state)
{
	struct place *place = new_place();
	struct locktop *lock;
	char before[4096];

	(void)state;
	assert_non_null(getcwd(before, sizeof before));
	assert_int_equal(chdir(place->folder), 0);
	assert_int_equal(locktop_open(&lock, "./here.lock", NULL, NULL), 0);
	assert_int_equal(chdir("/"), 0);
	assert_int_equal(locktop_acquire(lock, 0, &place->error), 0);
	assert_int_equal(chdir(place->folder), 0);
	assert_int_equal(access("here.lock", F_OK), 0);
	assert_int_equal(chdir(before), 0);
	locktop_close(lock);
	end_place(place);
}

static void the_version_is_the_packages(void **state)
{
	(void)state;
	assert_string_equal(locktop_version(), PACKAGE_VERSION);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_lock_is_taken_renewed_and_released),
		cmocka_unit_test(whoever_does_not_hold_it_is_told_so),
		cmocka_unit_test(a_second_one_is_busy_or_times_out),
		cmocka_unit_test(whoever_waits_gets_it_when_it_is_released),
		cmocka_unit_test(a_child_does_not_give_back_its_parents_lock),
		cmocka_unit_test(a_replaced_file_is_a_lost_lock),
		cmocka_unit_test(what_cannot_be_locked_is_told_from_what_cannot_be_reached),
		cmocka_unit_test(a_strange_argument_is_a_mistake_of_the_caller),
		cmocka_unit_test(older_and_newer_callers_are_understood),
		cmocka_unit_test(a_detached_lock_outlives_its_taker_and_is_adopted),
		cmocka_unit_test(a_look_says_who_has_it_and_changes_nothing),
		cmocka_unit_test(the_health_is_a_line_of_json),
		cmocka_unit_test(a_plain_flock_is_taken_and_looked_at),
		cmocka_unit_test(a_signal_ends_a_wait_without_end),
		cmocka_unit_test(no_handler_thread_child_or_descriptor_is_left),
		cmocka_unit_test(the_lock_stays_where_it_was_when_the_folder_is_changed),
		cmocka_unit_test(the_version_is_the_packages),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

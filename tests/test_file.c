#include "config.h"

#include "lock_place.h"

#include <sched.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "failing_inotify.h"
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
	fail_inotify(0);
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
	end_child(&child);
	place->backend->ended(place->state, child.pid);
	scan_later(place);
	assert_int_equal(state_of(place, "a.lock"), STATE_STALE);
}

static void who_has_ended_is_not_said_to_hold_it(void **state)
{
	struct place_test *place = *state;
	struct child child = start_lt1(place, "a.lock", (struct lt1){0});
	const struct lock *lock;

	scan(place);
	assert_true(get_lock(place, "a.lock")->holder[0].from_kernel);
	end_child(&child);
	place->backend->ended(place->state, child.pid);
	/* The table may not be read again so soon. */
	assert_int_equal(try_scan(place, true), 0);
	lock = get_lock(place, "a.lock");
	assert_int_equal(lock->kernel, KERNEL_VIEW_UNREAD);
	assert_int_equal(lock->holders, 1);
	assert_false(lock->holder[0].from_kernel);
	assert_int_equal(lock->holder[0].life, LIFE_GONE);
}

static void a_bare_pid_counts_from_its_file(void **state)
{
	struct place_test *place = *state;
	struct child child = start_child(NULL, NULL);
	const struct timespec stamps[2] = {{.tv_sec = 1700000000}, {.tv_sec = 1700000000}};
	char text[32];

	snprintf(text, sizeof text, "%d\n", (int)child.pid);
	write_file(place, "daemon.lock", text);
	assert_int_equal(utimensat(AT_FDCWD, path_in(place, "daemon.lock"), stamps, 0), 0);
	scan(place);
	assert_int_equal(get_lock(place, "daemon.lock")->record.format, RECORD_PID);
	assert_int_equal(get_lock(place, "daemon.lock")->since, 1700000000 * NS_PER_S);
	end_child(&child);
}

static void a_record_says_since_when(void **state)
{
	struct place_test *place = *state;
	struct child child = start_lt1(place, "a.lock", (struct lt1){0});
	const struct lock *lock;

	write_plain(place, "b.lock", child.pid, 300);
	scan(place);
	lock = get_lock(place, "a.lock");
	assert_int_equal(lock->since, lock->record.acquired);
	lock = get_lock(place, "b.lock");
	assert_int_equal(lock->since, lock->record.time * NS_PER_S);
	assert_true(lock->since_mono <= clock_mono(&place->clock) - 299 * NS_PER_S);
	assert_true(lock->since_mono >= clock_mono(&place->clock) - 302 * NS_PER_S);
	end_child(&child);
}

static void a_renewal_keeps_version_age_and_view(void **state)
{
	struct place_test *place = *state;
	struct child child = start_lt1(place, "a.lock", (struct lt1){0});
	char before[64], text[RECORD_MAX + 1];
	const struct lock *lock;
	struct record record;
	mono_t since;
	int fd, len;

	scan(place);
	lock = get_lock(place, "a.lock");
	snprintf(before, sizeof before, "%s", lock->version);
	since = lock->since_mono;
	record = lock->record;
	memset(record.token, 'a', sizeof record.token - 1);
	record.time += 200;
	len = record_write(&record, text, sizeof text);
	fd = open(path_in(place, "a.lock"), O_WRONLY | O_CLOEXEC);
	assert_int_equal(pwrite(fd, text, (size_t)len, 0), len);
	close(fd);
	scan(place);
	lock = get_lock(place, "a.lock");
	assert_int_equal(lock->record.time, record.time);
	assert_string_equal(lock->version, before);
	assert_int_equal(lock->since_mono, since);
	assert_int_equal(lock->kernel, KERNEL_VIEW_COMPLETE);
	assert_true(lock->holder[0].from_kernel);
	end_child(&child);
}

static void an_empty_file_is_held_by_whom_the_kernel_names(void **state)
{
	struct place_test *place = *state;
	char free_version[64], held_version[64];
	struct child first, second;
	const struct lock *lock;

	write_file(place, "a.lock", "");
	scan(place);
	assert_int_equal(state_of(place, "a.lock"), STATE_FREE);
	snprintf(free_version, sizeof free_version, "%s", get_lock(place, "a.lock")->version);
	first = start_flock(place, "a.lock");
	scan_later(place);
	lock = get_lock(place, "a.lock");
	assert_int_equal(judge_at(place, lock), STATE_HELD);
	assert_int_equal(lock->holder[0].pid, first.pid);
	assert_string_not_equal(lock->version, free_version);
	snprintf(held_version, sizeof held_version, "%s", lock->version);
	scan_later(place);
	assert_string_equal(get_lock(place, "a.lock")->version, held_version);
	end_child(&first);
	scan_later(place);
	assert_int_equal(state_of(place, "a.lock"), STATE_FREE);
	assert_string_equal(get_lock(place, "a.lock")->version, free_version);
	second = start_flock(place, "a.lock");
	scan_later(place);
	assert_string_not_equal(get_lock(place, "a.lock")->version, held_version);
	end_child(&second);
}

static void a_flock_that_was_seen_to_appear_has_its_age_from_then(void **state)
{
	struct place_test *place = *state;
	struct child child;
	mono_t before;

	write_file(place, "a.lock", "");
	scan(place);
	child = start_flock(place, "a.lock");
	before = clock_mono(&place->clock);
	scan_later(place);
	assert_true(get_lock(place, "a.lock")->since_mono >= before);
	before = get_lock(place, "a.lock")->since_mono;
	scan_later(place);
	assert_int_equal(get_lock(place, "a.lock")->since_mono, before);
	end_child(&child);
}

static void a_flock_that_was_there_is_held_at_least_since_the_first_look(void **state)
{
	struct place_test *place = *state;
	const struct timespec stamps[2] = {{.tv_sec = 1700000000}, {.tv_sec = 1700000000}};
	mono_t before = clock_mono(&place->clock);
	struct child child = start_flock(place, "a.lock");

	assert_int_equal(utimensat(AT_FDCWD, path_in(place, "a.lock"), stamps, 0), 0);
	scan(place);
	assert_true(get_lock(place, "a.lock")->since_mono >= before);
	end_child(&child);
}

static void a_file_made_by_its_holder_is_held_since_then(void **state)
{
	struct place_test *place = *state;
	struct child child = start_flock(place, "a.lock");

	/* A later look: the age is the file's, not the look's. */
	place->time.mono = 0;
	scan(place);
	assert_int_equal(get_lock(place, "a.lock")->since, get_lock(place, "a.lock")->written);
	end_child(&child);
}

static void hand_on(void *data)
{
	flock_file(data);
	/* Both have the descriptor; O_CLOEXEC does not matter without an exec. */
	if (fork() == 0)
		for (;;)
			pause();
}

static void an_inherited_flock_outlives_its_taker(void **state)
{
	struct place_test *place = *state;
	char path[1024];
	const struct lock *lock;
	struct child child;
	pid_t heir;

	snprintf(path, sizeof path, "%s", path_in(place, "a.lock"));
	child = start_child(hand_on, path);
	scan(place);
	end_child(&child);
	place->backend->ended(place->state, child.pid);
	scan_later(place);
	lock = get_lock(place, "a.lock");
	assert_int_equal(judge_at(place, lock), STATE_HELD);
	assert_true(lock->flags & LOCK_FLAG(INHERITED));
	heir = lock->holder[0].pid;
	assert_true(heir > 1 && heir != child.pid);
	assert_int_equal(kill(heir, SIGKILL), 0);
}

static void wait_for_flock(void *data)
{
	pid_t pid = fork();

	if (pid == 0) {
		flock_file(data);
		_exit(0);
	}
}

static bool has_waiter(struct place_test *place)
{
	/* The waiter needs a moment to get into the kernel's table. */
	for (int i = 0; i < 2000; i++) {
		scan_later(place);
		if (get_lock(place, "a.lock")->waiters)
			return true;
		sched_yield();
	}
	return false;
}

static void who_waits_is_shown(void **state)
{
	struct place_test *place = *state;
	struct child holder = start_lt1(place, "a.lock", (struct lt1){0}), waiter;
	char path[1024];

	snprintf(path, sizeof path, "%s", path_in(place, "a.lock"));
	waiter = start_child(wait_for_flock, path);
	assert_true(has_waiter(place));
	assert_true(get_lock(place, "a.lock")->flags & LOCK_FLAG(CONTENDED));
	assert_int_equal(get_lock(place, "a.lock")->holder[0].pid, holder.pid);
	end_child(&holder);
	end_child(&waiter);
}

static void what_the_table_was_not_read_for_is_unread(void **state)
{
	struct place_test *place = *state;
	struct child child;

	scan(place);
	write_file(place, "b.lock", "");
	scan(place);
	child = start_lt1(place, "a.lock", (struct lt1){0});
	scan(place);
	assert_int_equal(get_lock(place, "a.lock")->kernel, KERNEL_VIEW_UNREAD);
	assert_int_equal(state_of(place, "a.lock"), STATE_HELD);
	assert_int_equal(get_lock(place, "b.lock")->kernel, KERNEL_VIEW_COMPLETE);
	assert_true(place->scan.next <= clock_mono(&place->clock) + NS_PER_S);
	scan_later(place);
	assert_int_equal(get_lock(place, "a.lock")->kernel, KERNEL_VIEW_COMPLETE);
	end_child(&child);
}

static void other_hosts_and_boots_are_not_looked_up(void **state)
{
	struct place_test *place = *state;
	struct child far = start_lt1(place, "far.lock", (struct lt1){.host = "web9", .mode = 'd'});
	struct child old =
		start_lt1(place, "old.lock", (struct lt1){.other_boot = true, .mode = 'd'});

	scan(place);
	assert_int_equal(get_lock(place, "far.lock")->holder[0].life, LIFE_UNKNOWN);
	assert_int_equal(get_lock(place, "far.lock")->holder[0].pid, far.pid);
	assert_int_equal(state_of(place, "far.lock"), STATE_UNKNOWN);
	assert_int_equal(get_lock(place, "old.lock")->holder[0].life, LIFE_UNKNOWN);
	assert_int_equal(state_of(place, "old.lock"), STATE_STALE);
	assert_int_equal(get_lock(place, "old.lock")->class, LOCK_CLASS_LEASE);
	end_child(&far);
	end_child(&old);
}

static void be_php(void *data)
{
	(void)data;
	prctl(PR_SET_NAME, "php-fpm8.2");
}

static void a_pool_worker_is_flagged(void **state)
{
	struct place_test *place = *state;
	struct child child = start_child(be_php, NULL);

	write_plain(place, "story.lock", child.pid, 5);
	scan(place);
	assert_true(get_lock(place, "story.lock")->flags & LOCK_FLAG(POOL_WORKER));
	end_child(&child);
}

static void a_stopped_holder_is_noticed(void **state)
{
	struct place_test *place = *state;
	struct child child = start_child(NULL, NULL);

	write_plain(place, "story.lock", child.pid, 5);
	scan(place);
	assert_int_equal(get_lock(place, "story.lock")->holder[0].life, LIFE_ALIVE);
	assert_int_equal(kill(child.pid, SIGSTOP), 0);
	assert_int_equal(waitpid(child.pid, NULL, WUNTRACED), child.pid);
	scan(place);
	assert_int_equal(get_lock(place, "story.lock")->holder[0].life, LIFE_STOPPED);
	assert_true(get_lock(place, "story.lock")->flags & LOCK_FLAG(STOPPED));
	end_child(&child);
}

static void a_zombie_holds_nothing(void **state)
{
	struct place_test *place = *state;
	struct child child = start_child(NULL, NULL);
	siginfo_t info;

	write_plain(place, "story.lock", child.pid, 5);
	assert_int_equal(kill(child.pid, SIGKILL), 0);
	assert_int_equal(waitid(P_PID, (id_t)child.pid, &info, WEXITED | WNOWAIT), 0);
	scan(place);
	assert_int_equal(get_lock(place, "story.lock")->holder[0].life, LIFE_ZOMBIE);
	assert_int_equal(state_of(place, "story.lock"), STATE_STALE);
	end_child(&child);
}

static void a_record_that_changes_under_its_holder_is_a_taking_over(void **state)
{
	struct place_test *place = *state;
	struct child first = start_lt1(place, "a.lock", (struct lt1){0});
	struct child second = start_child(NULL, NULL);
	const struct lock *lock;

	scan(place);
	assert_int_equal(get_lock(place, "a.lock")->flags, 0);
	/* As PHP's file_put_contents() would, had it not to wait for the flock. */
	write_plain(place, "a.lock", second.pid, 0);
	scan_later(place);
	lock = get_lock(place, "a.lock");
	assert_true(lock->flags & LOCK_FLAG(TAKEN_OVER));
	assert_true(lock->flags & LOCK_FLAG(INTRUDED));
	end_child(&first);
	scan_later(place);
	assert_int_equal(get_lock(place, "a.lock")->flags & LOCK_FLAG(TAKEN_OVER), 0);
	end_child(&second);
}

static void a_file_replaced_under_its_holder_is_a_taking_over(void **state)
{
	struct place_test *place = *state;
	struct child first = start_lt1(place, "a.lock", (struct lt1){0}), second;

	scan(place);
	assert_int_equal(unlink(path_in(place, "a.lock")), 0);
	second = start_lt1(place, "a.lock", (struct lt1){0});
	scan_later(place);
	assert_true(get_lock(place, "a.lock")->flags & LOCK_FLAG(TAKEN_OVER));
	assert_true(get_lock(place, "a.lock")->holder[0].pid == second.pid);
	end_child(&first);
	end_child(&second);
}

static void one_holder_after_the_other_is_no_taking_over(void **state)
{
	struct place_test *place = *state;
	struct child first = start_lt1(place, "a.lock", (struct lt1){0}), second;

	scan(place);
	end_child(&first);
	second = start_lt1(place, "a.lock", (struct lt1){0});
	scan_later(place);
	assert_int_equal(get_lock(place, "a.lock")->flags, 0);
	end_child(&second);
}

static void a_jump_of_the_wall_clock_ages_nothing(void **state)
{
	struct place_test *place = *state;
	struct child child = start_child(NULL, NULL);
	int64_t step;
	mono_t since;

	write_plain(place, "story.lock", child.pid, 30);
	scan(place);
	since = get_lock(place, "story.lock")->since_mono;
	/* Not 0 on a machine that went on from a snapshot. */
	step = get_lock(place, "story.lock")->clock_step;
	place->time.jump = 3600 * NS_PER_S;
	scan(place);
	assert_int_equal(get_lock(place, "story.lock")->since_mono, since);
	assert_true(get_lock(place, "story.lock")->clock_step - step > 3599 * NS_PER_S);
	assert_true(get_lock(place, "story.lock")->clock_step - step < 3601 * NS_PER_S);
	assert_int_equal(state_of(place, "story.lock"), STATE_HELD);
	end_child(&child);
}

/* Writes what a holder without a process would, by the clocks of this moment. */
static void write_detached(const struct place_test *place, wall_t acquired)
{
	struct lt1 lt1 = {.place = place, .mode = 'd', .lease = 300};
	char text[RECORD_MAX + 1];
	struct record record;

	make_lt1(&record, &lt1);
	if (acquired)
		record.acquired = acquired;
	assert_true(record_write(&record, text, sizeof text) > 0);
	write_file(place, "a.lock", text);
}

static void assert_leased_until(struct place_test *place, mono_t end)
{
	place->time.mono += end - NS_PER_S - clock_mono(&place->clock);
	scan(place);
	assert_int_equal(state_of(place, "a.lock"), STATE_HELD);
	place->time.mono += 2 * NS_PER_S;
	scan(place);
	assert_int_equal(state_of(place, "a.lock"), STATE_EXPIRED);
}

static void a_jump_of_the_wall_clock_changes_no_lease(void **state)
{
	static const int64_t jumps[] = {3600 * NS_PER_S, -3600 * NS_PER_S};
	struct place_test *place = *state;

	for (size_t i = 0; i < 2; i++) {
		mono_t end;

		/* Before anybody looked at it. */
		place->time.jump = 0;
		write_detached(place, 0);
		end = clock_mono(&place->clock) + 300 * NS_PER_S;
		place->time.jump = jumps[i];
		open_place(place, "file:", "");
		assert_leased_until(place, end);
		/* And between two renewals. */
		place->time.jump = 0;
		write_detached(place, 0);
		scan(place);
		place->time.mono += 100 * NS_PER_S;
		place->time.jump = jumps[i];
		write_detached(place, get_lock(place, "a.lock")->record.acquired);
		end = clock_mono(&place->clock) + 300 * NS_PER_S;
		assert_leased_until(place, end);
	}
}

static void no_number_of_a_record_overflows(void **state)
{
	static const char *const numbers[] = {"0", "1", "9223372035", "9223372036854775807"};
	struct place_test *place = *state;

	for (size_t i = 0; i < 4 * 4 * 4; i++) {
		char text[RECORD_MAX];

		snprintf(text, sizeof text, "1|%s|lt1;b=%s;a=%s;r=%s;t=%032d;l=2147483647;m=d",
			numbers[i % 4], place->here.boot, numbers[i / 4 % 4], numbers[i / 16], 1);
		write_file(place, "a.lock", text);
		scan(place);
		state_of(place, "a.lock");
	}
}

/* --- what is no lock file --- */

static const char *problem_of(const struct place_test *place, const char *name)
{
	const struct lock *lock = get_lock(place, name);

	assert_int_equal(lock->record.format, RECORD_CORRUPT);
	assert_int_equal(lock->holders, 0);
	assert_non_null(lock->problem);
	return lock->problem;
}

static void make_socket(const struct place_test *place, const char *name)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_true(fd >= 0);
	snprintf(address.sun_path, sizeof address.sun_path, "%.60s/%.30s", place->folder, name);
	assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof address), 0);
	close(fd);
}

static void what_is_no_file_is_a_row_with_its_problem(void **state)
{
	struct place_test *place = *state;

	assert_int_equal(mkfifo(path_in(place, "fifo.lock"), 0600), 0);
	assert_int_equal(mkdir(path_in(place, "folder.lock"), 0700), 0);
	assert_int_equal(symlink("/etc/passwd", path_in(place, "link.lock")), 0);
	assert_int_equal(symlink("nowhere", path_in(place, "loose.lock")), 0);
	make_socket(place, "socket.lock");
	scan(place);
	assert_int_equal(place->locks.n, 5);
	assert_string_equal(problem_of(place, "fifo.lock"), "a FIFO, not a lock file: not opened");
	assert_string_equal(problem_of(place, "folder.lock"), "a directory, not a lock file");
	assert_string_equal(problem_of(place, "link.lock"), "a symbolic link: not followed");
	assert_string_equal(problem_of(place, "loose.lock"), "a symbolic link: not followed");
	assert_string_equal(
		problem_of(place, "socket.lock"), "a socket, not a lock file: not opened");
	assert_int_equal(state_of(place, "fifo.lock"), STATE_CORRUPT);
}

static void a_gigabyte_is_not_read(void **state)
{
	struct place_test *place = *state;
	char text[RECORD_READ_MAX + 2];

	write_file(place, "big.lock", "4711|1760000000");
	assert_int_equal(truncate(path_in(place, "big.lock"), 1 << 30), 0);
	memset(text, 'x', sizeof text);
	text[RECORD_READ_MAX + 1] = '\0';
	write_file(place, "long.lock", text);
	text[RECORD_READ_MAX] = '\0';
	write_file(place, "most.lock", text);
	scan(place);
	assert_string_equal(problem_of(place, "big.lock"),
		"too long for a lock file (1073741824 bytes): not read");
	assert_string_equal(
		problem_of(place, "long.lock"), "too long for a lock file (1025 bytes): not read");
	assert_int_equal(get_lock(place, "most.lock")->record.format, RECORD_CORRUPT);
}

/* In a child, for root may read everything. */
static void look_as_nobody(void *data)
{
	struct place_test *place = data;
	const struct lock *lock;

	if (setresuid(65534, 65534, 65534) < 0 && geteuid() == 0)
		_exit(3);
	if (try_scan(place, false) < 0)
		_exit(4);
	lock = find_lock(place, "secret.lock");
	if (!lock || lock->record.format != RECORD_NONE || !lock->problem ||
		!strstr(lock->problem, "cannot be read: Permission denied (owner uid"))
		_exit(5);
}

static void what_may_not_be_read_says_so(void **state)
{
	struct place_test *place = *state;
	struct child child;

	write_file(place, "secret.lock", "4711|1760000000");
	assert_int_equal(chmod(path_in(place, "secret.lock"), 0), 0);
	assert_int_equal(chmod(place->folder, 0755), 0);
	/* Ready only if it came to its end. */
	child = start_child(look_as_nobody, place);
	end_child(&child);
	assert_int_equal(chmod(path_in(place, "secret.lock"), 0644), 0);
	scan(place);
	assert_int_equal(get_lock(place, "secret.lock")->record.format, RECORD_PLAIN);
}

static void records_that_cannot_be_are_corrupt(void **state)
{
	static const char *const texts[] = {"-1|1760000000", "0|1760000000", "4711|", "4711|17600",
		"99999999999|1760000000", "|", "4711|1760000000|lt1;h=", "\x1b[2J|1",
		"hello world"};
	struct place_test *place = *state;
	char name[32];

	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
		snprintf(name, sizeof name, "%zu.lock", i);
		write_file(place, name, texts[i]);
	}
	scan_later(place);
	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
		const struct lock *lock;

		snprintf(name, sizeof name, "%zu.lock", i);
		lock = get_lock(place, name);
		if (i == 3) {
			assert_int_equal(lock->record.format, RECORD_PLAIN);
			continue;
		}
		assert_int_equal(lock->record.format, RECORD_CORRUPT);
		assert_non_null(lock->problem);
		assert_non_null(lock->bytes);
		assert_int_equal(judge_at(place, lock), STATE_CORRUPT);
	}
	assert_string_equal(get_lock(place, "7.lock")->bytes, "\\x1b[2J|1");
	assert_true(get_lock(place, "7.lock")->flags & LOCK_FLAG(HOSTILE));
	assert_false(get_lock(place, "8.lock")->flags & LOCK_FLAG(HOSTILE));
}

static void times_far_ahead_do_no_harm(void **state)
{
	static const char *const times[] = {"2147483648", "253402300799", "9223372036854775807"};
	struct place_test *place = *state;
	struct child child = start_child(NULL, NULL);
	char name[32], text[64];

	for (size_t i = 0; i < sizeof times / sizeof *times; i++) {
		snprintf(name, sizeof name, "%zu.lock", i);
		snprintf(text, sizeof text, "%d|%s", (int)child.pid, times[i]);
		write_file(place, name, text);
	}
	scan(place);
	for (size_t i = 0; i < sizeof times / sizeof *times; i++) {
		snprintf(name, sizeof name, "%zu.lock", i);
		assert_true(judge_at(place, get_lock(place, name)) != STATE_STALE);
		assert_true(judge_at(place, get_lock(place, name)) != STATE_EXPIRED);
	}
	end_child(&child);
}

static void names_come_back_from_their_escapes(void **state)
{
	static const struct {
		const char *raw, *clean;
		bool is_hostile;
	} names[] = {
		{"\x1b[2Jwipe.lock", "\\x1b[2Jwipe.lock", true},
		{"back\\slash.lock", "back\\\\slash.lock", false},
		{"invalid\xff.lock", "invalid\\xff.lock", true},
		{"new\nline.lock", "new\\nline.lock", true},
		{"\xc3\xa9t\xc3\xa9.lock", "\xc3\xa9t\xc3\xa9.lock", false},
		{"-rf .lock", "-rf .lock", false},
	};
	struct place_test *place = *state;
	const size_t n = sizeof names / sizeof *names;

	for (size_t i = 0; i < n; i++)
		write_plain(place, names[i].raw, dead_pid(), 5);
	scan(place);
	assert_int_equal(place->locks.n, n);
	for (size_t i = 0; i < n; i++) {
		const struct lock *lock = get_lock(place, names[i].clean);
		struct lock *fresh;

		assert_int_equal(!!(lock->flags & LOCK_FLAG(HOSTILE)), names[i].is_hostile);
		fresh = look_fresh(place, names[i].clean);
		assert_string_equal(fresh->version, lock->version);
		lock_unref(fresh);
	}
	for (size_t i = 1; i < n; i++)
		assert_true(strcmp(place->locks.lock[i - 1]->name, place->locks.lock[i]->name) < 0);
}

static void a_name_cannot_lead_out_of_the_folder(void **state)
{
	struct place_test *place = *state;
	struct backend_release how = {.version = ""};
	struct lock *lock;

	write_file(place, "../outside.lock", "1|1");
	scan(place);
	assert_int_equal(
		place->backend->look(place->state, "../outside.lock", &lock, &place->err), -ENOENT);
	assert_int_equal(
		place->backend->release(place->state, "../outside.lock", &how, &place->err),
		-ENOENT);
	assert_int_equal(unlink(path_in(place, "../outside.lock")), 0);
}

/* --- looking again --- */

static void what_did_not_change_is_the_same_value(void **state)
{
	struct place_test *place = *state;
	const struct lock *before;

	write_plain(place, "a.lock", dead_pid(), 5);
	scan(place);
	before = lock_ref((struct lock *)get_lock(place, "a.lock"));
	scan_later(place);
	assert_ptr_equal(get_lock(place, "a.lock"), before);
	lock_unref((struct lock *)before);
}

static void a_change_within_a_tick_of_the_clock_is_seen(void **state)
{
	struct place_test *place = *state;

	scan(place);
	/* Of one size, and so fast that many have one time stamp. */
	for (int i = 0; i < 200; i++) {
		char text[32];

		snprintf(text, sizeof text, "%d|1760000000", 4711 + i);
		write_file(place, "a.lock", text);
		assert_true(scan_hinted(place));
		assert_int_equal(get_lock(place, "a.lock")->record.pid, 4711 + i);
	}
}

static void what_is_gone_is_gone(void **state)
{
	struct place_test *place = *state;

	write_file(place, "a.lock", "");
	write_file(place, "b.lock", "");
	write_file(place, "c.lock", "");
	scan(place);
	assert_int_equal(unlink(path_in(place, "b.lock")), 0);
	scan_later(place);
	assert_int_equal(place->locks.n, 2);
	assert_null(find_lock(place, "b.lock"));
}

static void a_hint_finds_what_was_touched(void **state)
{
	struct place_test *place = *state;

	write_file(place, "b.lock", "");
	write_file(place, "c.lock", "");
	scan(place);
	assert_true(place->backend->hint_fd(place->state) >= 0);
	write_file(place, "a.lock", "4711|1760000000");
	unlink(path_in(place, "b.lock"));
	assert_true(scan_hinted(place));
	assert_int_equal(place->locks.n, 2);
	assert_int_equal(get_lock(place, "a.lock")->record.pid, 4711);
	assert_null(find_lock(place, "b.lock"));
	write_file(place, "unrelated.txt", "");
	assert_false(scan_hinted(place));
}

static void looking_wakes_nobody_again(void **state)
{
	struct place_test *place = *state;

	write_file(place, "a.lock", "");
	scan(place);
	place->time.mono += 3600 * NS_PER_S;
	assert_false(place->backend->hint(place->state));
}

static void more_names_than_a_hint_holds_are_listed(void **state)
{
	struct place_test *place = *state;
	char name[32];

	scan(place);
	for (int i = 0; i < 1500; i++) {
		snprintf(name, sizeof name, "%04d.lock", i);
		write_file(place, name, "");
	}
	assert_true(place->backend->hint(place->state));
	scan_later(place);
	assert_int_equal(place->locks.n, 1500);
}

static void without_inotify_it_polls_and_says_so(void **state)
{
	struct place_test *place = *state;

	fail_inotify(ENOSPC);
	open_place(place, "file:", "");
	scan(place);
	assert_true(place->scan.is_polling);
	assert_non_null(strstr(place->scan.note, "polling: no inotify watch left"));
	assert_int_equal(place->backend->hint_fd(place->state), -1);
	write_file(place, "a.lock", "");
	scan_later(place);
	assert_int_equal(place->locks.n, 1);
	fail_inotify(0);
	place->time.mono += 60 * NS_PER_S;
	scan(place);
	assert_false(place->scan.is_polling);
	assert_string_equal(place->scan.note, "");
}

static void a_folder_may_go_and_come_again(void **state)
{
	struct place_test *place = *state;

	write_file(place, "a.lock", "");
	scan(place);
	unlink(path_in(place, "a.lock"));
	assert_int_equal(rmdir(place->folder), 0);
	place->backend->hint(place->state);
	assert_int_equal(try_scan(place, true), -ENOENT);
	assert_non_null(strstr(place->err.text, "cannot look into"));
	assert_int_equal(place->locks.n, 0);
	assert_true(place->scan.next < MONO_NEVER);
	assert_int_equal(mkdir(place->folder, 0755), 0);
	write_file(place, "b.lock", "");
	scan(place);
	assert_int_equal(place->locks.n, 1);
	assert_true(place->backend->hint_fd(place->state) >= 0);
	write_file(place, "c.lock", "");
	assert_true(scan_hinted(place));
	assert_int_equal(place->locks.n, 2);
}

static void a_folder_moved_away_is_another_one(void **state)
{
	struct place_test *place = *state;
	char aside[300];

	write_file(place, "a.lock", "");
	scan(place);
	snprintf(aside, sizeof aside, "%s.aside", place->folder);
	assert_int_equal(rename(place->folder, aside), 0);
	assert_int_equal(mkdir(place->folder, 0755), 0);
	write_file(place, "b.lock", "");
	scan(place);
	assert_int_equal(place->locks.n, 1);
	assert_non_null(find_lock(place, "b.lock"));
	write_file(place, "c.lock", "");
	assert_true(scan_hinted(place));
	assert_int_equal(place->locks.n, 2);
	remove_tree(aside);
}

static void looking_changes_nothing(void **state)
{
	static const char *const texts[] = {"", "4711|1760000000", "hello", "4711\n"};
	struct place_test *place = *state;
	struct stat before[4], after, folder[2];
	char name[32];

	for (size_t i = 0; i < 4; i++) {
		const struct timespec old[2] = {{.tv_sec = 1000000000}, {.tv_sec = 1000000000}};

		snprintf(name, sizeof name, "%zu.lock", i);
		write_file(place, name, texts[i]);
		assert_int_equal(utimensat(AT_FDCWD, path_in(place, name), old, 0), 0);
		assert_int_equal(stat(path_in(place, name), &before[i]), 0);
	}
	assert_int_equal(stat(place->folder, &folder[0]), 0);
	for (int i = 0; i < 10; i++) {
		scan_later(place);
		lock_unref(look_fresh(place, "1.lock"));
	}
	for (size_t i = 0; i < 4; i++) {
		snprintf(name, sizeof name, "%zu.lock", i);
		assert_int_equal(stat(path_in(place, name), &after), 0);
		assert_memory_equal(&before[i], &after, sizeof after);
	}
	assert_int_equal(stat(place->folder, &folder[1]), 0);
	assert_memory_equal(&folder[0], &folder[1], sizeof folder[0]);
	assert_int_equal(place->locks.n, 4);
}

/* Takes the lock again and again, without waiting, until told to stop; fails if it cannot. */
static int try_to_lock(const char *path, int stop)
{
	struct pollfd end = {.fd = stop, .events = POLLIN};
	int fd = open(path, O_RDWR | O_CLOEXEC);
	long tries = 0;

	while (poll(&end, 1, 0) == 0 || tries < 1000) {
		if (flock(fd, LOCK_EX | LOCK_NB) < 0)
			return 1;
		flock(fd, LOCK_UN);
		tries++;
	}
	return 0;
}

static void looking_takes_no_lock(void **state)
{
	struct place_test *place = *state;
	int stop[2], status;
	pid_t pid;

	write_file(place, "a.lock", "4711|1760000000");
	assert_int_equal(pipe2(stop, O_CLOEXEC), 0);
	pid = fork();
	if (pid == 0) {
		close(stop[1]);
		_exit(try_to_lock(path_in(place, "a.lock"), stop[0]));
	}
	close(stop[0]);
	for (int i = 0; i < 50; i++) {
		scan_later(place);
		lock_unref(look_fresh(place, "a.lock"));
	}
	close(stop[1]);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

struct progress {
	size_t calls, last;
	bool is_sorted;
};

static int count_progress(void *data, struct snapshot *so_far)
{
	struct progress *progress = data;

	progress->calls++;
	progress->is_sorted = so_far->n > progress->last;
	progress->last = so_far->n;
	return 0;
}

static void a_long_first_look_shows_rows_early(void **state)
{
	struct place_test *place = *state;
	struct progress progress = {0};
	struct snapshot locks = {0};
	char name[32];

	for (int i = 0; i < 3000; i++) {
		snprintf(name, sizeof name, "%04d.lock", i);
		write_file(place, name, "4711|1760000000");
	}
	place->scan = (struct backend_scan){
		.snapshot = &locks, .progress = count_progress, .progress_data = &progress};
	assert_int_equal(place->backend->scan(place->state, &place->scan, &place->err), 0);
	assert_int_equal(locks.n, 3000);
	assert_true(progress.calls >= 2);
	assert_true(progress.is_sorted);
	for (size_t i = 0; i < locks.n; i++)
		assert_int_equal(locks.lock[i]->kernel, KERNEL_VIEW_COMPLETE);
	snapshot_release(&locks);
}

/* --- which files --- */

static void a_path_to_a_file_is_that_file(void **state)
{
	struct place_test *place = *state;

	write_plain(place, "run.pid", 1, 5);
	write_file(place, "other.lock", "");
	open_place(place, "", "/run.pid");
	scan(place);
	assert_int_equal(place->locks.n, 1);
	assert_string_equal(place->locks.lock[0]->name, "run.pid");
	assert_string_equal(place->locks.lock[0]->path, path_in(place, "run.pid"));
	write_file(place, "run.pid", "");
	assert_true(scan_hinted(place));
	assert_int_equal(get_lock(place, "run.pid")->record.format, RECORD_EMPTY);
	write_file(place, "other.lock", "1");
	assert_false(place->backend->hint(place->state));
}

static void a_single_file_that_is_not_there_is_nobodys(void **state)
{
	struct place_test *place = *state;
	struct lock *lock;

	open_place(place, "file:", "/story.lock");
	scan(place);
	assert_int_equal(place->locks.n, 0);
	assert_string_equal(place->scan.note, "no such file: nobody has it");
	assert_int_equal(
		place->backend->look(place->state, "story.lock", &lock, &place->err), -ENOENT);
	write_plain(place, "story.lock", dead_pid(), 5);
	assert_true(scan_hinted(place));
	assert_int_equal(place->locks.n, 1);
}

static void a_folder_that_is_not_there_is_a_fault(void **state)
{
	struct place_test *place = *state;

	open_place(place, "file:", "/deeper");
	assert_int_equal(try_scan(place, false), -ENOENT);
	assert_int_equal(mkdir(path_in(place, "deeper"), 0755), 0);
	write_file(place, "deeper/a.lock", "");
	scan(place);
	assert_int_equal(place->locks.n, 1);
}

static void what_is_kept_beside_a_lock_file_is_no_lock(void **state)
{
	static const char *const globs[] = {"", "?glob=*", "?glob=.*", "?glob=*.fence"};
	struct place_test *place = *state;

	write_file(place, "a.lock", "");
	write_file(place, ".a.lock.fence", "0000000000000000002 0000000000000001026 9f3c2a71\n");
	for (size_t i = 0; i < sizeof globs / sizeof *globs; i++) {
		open_place(place, "file:", globs[i]);
		scan(place);
		assert_null(find_lock(place, ".a.lock.fence"));
		assert_int_equal(place->locks.n, i < 2 ? 1 : 0);
	}
}

static void a_pattern_chooses_the_names(void **state)
{
	struct place_test *place = *state;

	write_file(place, "a.lock", "");
	write_file(place, "b.pid", "1");
	write_file(place, ".hidden.pid", "1");
	open_place(place, "file:", "?glob=*.pid");
	scan(place);
	assert_int_equal(place->locks.n, 1);
	assert_string_equal(place->locks.lock[0]->name, "b.pid");
	assert_int_equal(try_open(place, "file:/tmp?glob=a/b"), -EINVAL);
	assert_int_equal(try_open(place, "file:/tmp?glbo=a"), -EINVAL);
	assert_non_null(strstr(place->err.text, "glbo"));
}

/* --- releasing --- */

static int release_as(struct place_test *place, const char *name, const char *version, bool tidy)
{
	struct backend_release how = {.version = version, .tidy = tidy};
	int result = place->backend->release(place->state, name, &how, &place->err);

	if (result == 0)
		assert_non_null(strstr(how.done, name));
	return result;
}

static int release(struct place_test *place, const char *name, bool tidy)
{
	struct lock *lock = look_fresh(place, name);
	int result = release_as(place, name, lock->version, tidy);

	lock_unref(lock);
	return result;
}

static void a_release_empties_the_file(void **state)
{
	struct place_test *place = *state;
	struct stat before, after;

	write_plain(place, "a.lock", dead_pid(), 5);
	assert_int_equal(stat(path_in(place, "a.lock"), &before), 0);
	scan(place);
	assert_int_equal(release(place, "a.lock", false), 0);
	assert_int_equal(stat(path_in(place, "a.lock"), &after), 0);
	assert_int_equal(after.st_size, 0);
	assert_int_equal(after.st_ino, before.st_ino);
	scan_later(place);
	assert_int_equal(state_of(place, "a.lock"), STATE_FREE);
}

static void a_tidy_release_removes_the_file(void **state)
{
	struct place_test *place = *state;

	write_plain(place, "a.lock", dead_pid(), 5);
	assert_int_equal(release(place, "a.lock", true), 0);
	assert_int_equal(access(path_in(place, "a.lock"), F_OK), -1);
}

static void what_somebody_has_a_flock_on_is_not_released(void **state)
{
	struct place_test *place = *state;
	struct child child = start_lt1(place, "a.lock", (struct lt1){0});
	struct stat before, after;

	assert_int_equal(stat(path_in(place, "a.lock"), &before), 0);
	assert_int_equal(release(place, "a.lock", false), -EBUSY);
	assert_int_equal(release(place, "a.lock", true), -EBUSY);
	assert_non_null(strstr(place->err.text, "nothing was changed"));
	assert_int_equal(stat(path_in(place, "a.lock"), &after), 0);
	assert_int_equal(after.st_ino, before.st_ino);
	assert_int_equal(after.st_size, before.st_size);
	end_child(&child);
}

static void fcntl_lock(void *data)
{
	struct flock lock = {.l_type = F_WRLCK};
	int fd = open(data, O_RDWR | O_CLOEXEC);

	if (fd < 0 || fcntl(fd, F_SETLK, &lock) < 0)
		_exit(2);
}

static void what_somebody_has_an_fcntl_lock_on_is_not_released(void **state)
{
	struct place_test *place = *state;
	struct child child;
	char path[1024];

	write_plain(place, "a.lock", dead_pid(), 5);
	snprintf(path, sizeof path, "%s", path_in(place, "a.lock"));
	child = start_child(fcntl_lock, path);
	scan(place);
	assert_int_equal(get_lock(place, "a.lock")->holder[0].pid, child.pid);
	assert_int_equal(release(place, "a.lock", false), -EBUSY);
	end_child(&child);
	assert_int_equal(release(place, "a.lock", false), 0);
}

static void what_changed_since_the_look_is_not_released(void **state)
{
	struct place_test *place = *state;
	char version[64];

	write_plain(place, "a.lock", dead_pid(), 5);
	scan(place);
	snprintf(version, sizeof version, "%s", get_lock(place, "a.lock")->version);
	write_plain(place, "a.lock", getpid(), 0);
	assert_int_equal(release_as(place, "a.lock", version, false), -ESTALE);
	assert_non_null(strstr(place->err.text, "changed since you looked"));
	/* The same content in another file is another lock. */
	write_plain(place, "b.lock", dead_pid(), 5);
	assert_int_equal(rename(path_in(place, "b.lock"), path_in(place, "a.lock")), 0);
	assert_int_equal(release_as(place, "a.lock", version, true), -ESTALE);
	assert_int_equal(access(path_in(place, "a.lock"), F_OK), 0);
	assert_int_equal(unlink(path_in(place, "a.lock")), 0);
	assert_int_equal(release_as(place, "a.lock", version, false), -ENOENT);
	assert_int_equal(access(path_in(place, "a.lock"), F_OK), -1);
}

static void what_is_no_lock_file_is_not_released(void **state)
{
	struct place_test *place = *state;
	struct stat st;

	write_file(place, "target", "precious");
	assert_int_equal(symlink("target", path_in(place, "link.lock")), 0);
	assert_int_equal(mkfifo(path_in(place, "fifo.lock"), 0600), 0);
	write_file(place, "hard.lock", "4711|1");
	assert_int_equal(link(path_in(place, "hard.lock"), path_in(place, "other")), 0);
	write_file(place, "big.lock", "4711|1");
	assert_int_equal(truncate(path_in(place, "big.lock"), 1 << 20), 0);
	scan(place);
	assert_int_equal(release(place, "link.lock", false), -ELOOP);
	assert_int_equal(release(place, "link.lock", true), -ELOOP);
	assert_int_equal(release(place, "fifo.lock", true), -EINVAL);
	assert_int_equal(release(place, "hard.lock", false), -EMLINK);
	assert_int_equal(release(place, "big.lock", false), -EFBIG);
	assert_int_equal(stat(path_in(place, "target"), &st), 0);
	assert_int_equal(st.st_size, 8);
	assert_int_equal(stat(path_in(place, "big.lock"), &st), 0);
	assert_int_equal(st.st_size, 1 << 20);
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
		TEST(who_has_ended_is_not_said_to_hold_it),
		TEST(a_bare_pid_counts_from_its_file),
		TEST(a_record_says_since_when),
		TEST(a_renewal_keeps_version_age_and_view),
		TEST(an_empty_file_is_held_by_whom_the_kernel_names),
		TEST(a_flock_that_was_seen_to_appear_has_its_age_from_then),
		TEST(a_flock_that_was_there_is_held_at_least_since_the_first_look),
		TEST(a_file_made_by_its_holder_is_held_since_then),
		TEST(an_inherited_flock_outlives_its_taker),
		TEST(who_waits_is_shown),
		TEST(what_the_table_was_not_read_for_is_unread),
		TEST(other_hosts_and_boots_are_not_looked_up),
		TEST(a_pool_worker_is_flagged),
		TEST(a_stopped_holder_is_noticed),
		TEST(a_zombie_holds_nothing),
		TEST(a_record_that_changes_under_its_holder_is_a_taking_over),
		TEST(a_file_replaced_under_its_holder_is_a_taking_over),
		TEST(one_holder_after_the_other_is_no_taking_over),
		TEST(a_jump_of_the_wall_clock_ages_nothing),
		TEST(a_jump_of_the_wall_clock_changes_no_lease),
		TEST(no_number_of_a_record_overflows),
		TEST(what_is_no_file_is_a_row_with_its_problem),
		TEST(a_gigabyte_is_not_read),
		TEST(what_may_not_be_read_says_so),
		TEST(records_that_cannot_be_are_corrupt),
		TEST(times_far_ahead_do_no_harm),
		TEST(names_come_back_from_their_escapes),
		TEST(a_name_cannot_lead_out_of_the_folder),
		TEST(what_did_not_change_is_the_same_value),
		TEST(a_change_within_a_tick_of_the_clock_is_seen),
		TEST(what_is_gone_is_gone),
		TEST(a_hint_finds_what_was_touched),
		TEST(looking_wakes_nobody_again),
		TEST(more_names_than_a_hint_holds_are_listed),
		TEST(without_inotify_it_polls_and_says_so),
		TEST(a_folder_may_go_and_come_again),
		TEST(a_folder_moved_away_is_another_one),
		TEST(looking_changes_nothing),
		TEST(looking_takes_no_lock),
		TEST(a_long_first_look_shows_rows_early),
		TEST(a_path_to_a_file_is_that_file),
		TEST(a_single_file_that_is_not_there_is_nobodys),
		TEST(a_folder_that_is_not_there_is_a_fault),
		TEST(what_is_kept_beside_a_lock_file_is_no_lock),
		TEST(a_pattern_chooses_the_names),
		TEST(a_release_empties_the_file),
		TEST(a_tidy_release_removes_the_file),
		TEST(what_somebody_has_a_flock_on_is_not_released),
		TEST(what_somebody_has_an_fcntl_lock_on_is_not_released),
		TEST(what_changed_since_the_look_is_not_released),
		TEST(what_is_no_lock_file_is_not_released),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

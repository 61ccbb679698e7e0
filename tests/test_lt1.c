/*
 * Lock files are taken, kept and given back, and what others do in the middle. Calls of the system
 * are wrapped (ld(1), --wrap) where one has to fail, or somebody else has to act just before it.
 */
#include "config.h"

#include "made_world.h"

#include <dirent.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/prctl.h>
#include <sys/time.h>
#include <sys/vfs.h>
#include <sys/wait.h>

#include "backends/file_lt1.h"

/* --- what fails, or happens, just before a call --- */

enum call { FLOCK, PWRITE, OPENAT, FSTATFS, LINKAT, RENAME, CLONE, UNLINK, CALLS };

static struct plan {
	int skip;                /* calls that are let through before */
	int fails;               /* errno; 0 it does not */
	int times;               /* how often it does; 0: once */
	void (*run)(void *data); /* once; NULL: nothing */
	void *data;
} plan[CALLS];

enum { FENCE_LINE = 49 };

static unsigned int calls[CALLS];
static unsigned int fs_type; /* 0: the real one */
static ssize_t pwrite_stops; /* after so many bytes; 0: at the end */

static bool fails(enum call call)
{
	struct plan *p = &plan[call];
	void (*run)(void *) = p->run;

	calls[call]++;
	if (p->skip-- > 0)
		return false;
	p->skip = 0;
	p->run = NULL;
	if (run)
		run(p->data);
	if (!p->fails)
		return false;
	errno = p->fails;
	if (--p->times <= 0)
		*p = (struct plan){0};
	return true;
}

int __real_flock(int fd, int operation);
int __wrap_flock(int fd, int operation);
int __wrap_flock(int fd, int operation)
{
	return fails(FLOCK) ? -1 : __real_flock(fd, operation);
}

ssize_t __real_pwrite(int fd, const void *data, size_t len, off_t at);
ssize_t __wrap_pwrite(int fd, const void *data, size_t len, off_t at);
ssize_t __wrap_pwrite(int fd, const void *data, size_t len, off_t at)
{
	/* The fence's line is another matter (test_fence.c). */
	if (len == FENCE_LINE)
		return __real_pwrite(fd, data, len, at);
	if (fails(PWRITE))
		return -1;
	if (pwrite_stops)
		len = (size_t)pwrite_stops;
	return __real_pwrite(fd, data, len, at);
}

int __real_openat(int dir, const char *name, int flags, mode_t mode);
int __wrap_openat(int dir, const char *name, int flags, mode_t mode);
int __wrap_openat(int dir, const char *name, int flags, mode_t mode)
{
	/* Only of what is the lock's: not the fence, not /proc. */
	if (strcmp(name, "a.lock") != 0 && strcmp(name, ".") != 0)
		return __real_openat(dir, name, flags, mode);
	return fails(OPENAT) ? -1 : __real_openat(dir, name, flags, mode);
}

int __real_fstatfs(int fd, struct statfs *fs);
int __wrap_fstatfs(int fd, struct statfs *fs);
int __wrap_fstatfs(int fd, struct statfs *fs)
{
	int result = fails(FSTATFS) ? -1 : __real_fstatfs(fd, fs);

	if (fs_type)
		fs->f_type = (__typeof__(fs->f_type))fs_type;
	return result;
}

int __real_linkat(int a, const char *from, int b, const char *to, int flags);
int __wrap_linkat(int a, const char *from, int b, const char *to, int flags);
int __wrap_linkat(int a, const char *from, int b, const char *to, int flags)
{
	return fails(LINKAT) ? -1 : __real_linkat(a, from, b, to, flags);
}

int __real_renameat2(int a, const char *from, int b, const char *to, unsigned int flags);
int __wrap_renameat2(int a, const char *from, int b, const char *to, unsigned int flags);
int __wrap_renameat2(int a, const char *from, int b, const char *to, unsigned int flags)
{
	/* The fence is published this way. */
	if (strstr(to, ".fence"))
		return __real_renameat2(a, from, b, to, flags);
	return fails(RENAME) ? -1 : __real_renameat2(a, from, b, to, flags);
}

int __real_clone(int (*fn)(void *), void *stack, int flags, void *arg, int *pidfd);
int __wrap_clone(int (*fn)(void *), void *stack, int flags, void *arg, int *pidfd);
int __wrap_clone(int (*fn)(void *), void *stack, int flags, void *arg, int *pidfd)
{
	return fails(CLONE) ? -1 : __real_clone(fn, stack, flags, arg, pidfd);
}

int __real_unlinkat(int dir, const char *name, int flags);
int __wrap_unlinkat(int dir, const char *name, int flags);
int __wrap_unlinkat(int dir, const char *name, int flags)
{
	return fails(UNLINK) ? -1 : __real_unlinkat(dir, name, flags);
}

/* --- a place --- */

/* The machine's clocks, and what a test adds to them. */
struct steered {
	int64_t mono, jump;
};

static mono_t steered_mono(const struct clock *clock)
{
	return clock_mono(&clock_system) + ((struct steered *)clock->data)->mono;
}

static wall_t steered_wall(const struct clock *clock)
{
	const struct steered *steered = clock->data;

	return clock_wall(&clock_system) + steered->mono + steered->jump;
}

/* Waits as long as really has to be waited for somebody, and jumps over what is left. */
static int steered_wait(const struct clock *clock, struct pollfd *fds, unsigned int n,
	mono_t deadline, const sigset_t *mask)
{
	struct steered *steered = clock->data;
	mono_t soon = clock_mono(&clock_system) + 20 * NS_PER_MS;
	int result = clock_system.wait(&clock_system, fds, n, soon, mask);

	if (result == 0 && deadline == MONO_NEVER)
		return -EDEADLK;
	if (result == 0 && deadline > steered_mono(clock))
		steered->mono += deadline - steered_mono(clock);
	return result;
}

struct place {
	char folder[256], path[300], fence[300];
	struct steered time;
	struct clock clock;
	struct world world;
	struct here here;
	struct lt1 lt1, other; /* two that want it */
	struct claim claim, rival;
	struct taking taking;
	struct error err;
};

static const struct patience at_once = {.until = INT64_MIN};

static int set_up(void **state)
{
	struct place *place = calloc(1, sizeof *place);

	assert_non_null(place);
	memset(plan, 0, sizeof plan);
	memset(calls, 0, sizeof calls);
	fs_type = 0;
	pwrite_stops = 0;
	make_folder(place->folder, sizeof place->folder);
	snprintf(place->path, sizeof place->path, "%s/a.lock", place->folder);
	snprintf(place->fence, sizeof place->fence, "%s/.a.lock.fence", place->folder);
	place->clock = (struct clock){steered_mono, steered_wall, steered_wait, &place->time};
	assert_int_equal(world_open(&place->world, NULL, &place->clock, &place->err), 0);
	assert_int_equal(proc_here(&place->world, &place->here, &place->err), 0);
	assert_int_equal(lt1_open(&place->lt1, &place->world, place->path, &place->err), 0);
	assert_int_equal(lt1_open(&place->other, &place->world, place->path, &place->err), 0);
	place->claim = (struct claim){.lease = 300 * NS_PER_S,
		.stale_after = 600 * NS_PER_S,
		.takeover = TAKEOVER_PROOF,
		.mode = 0644};
	claim_self(&place->claim, &place->world, &place->here);
	place->rival = place->claim;
	assert_int_equal(claim_token(place->claim.token), 0);
	assert_int_equal(claim_token(place->rival.token), 0);
	*state = place;
	return 0;
}

static int tear_down(void **state)
{
	struct place *place = *state;

	memset(plan, 0, sizeof plan);
	lt1_close(&place->lt1);
	lt1_close(&place->other);
	world_close(&place->world);
	remove_tree(place->folder);
	free(place);
	return 0;
}

static int try_take(struct place *place)
{
	place->err = (struct error){0};
	return lt1_acquire(&place->lt1, &place->claim, &at_once, &place->taking, &place->err);
}

static void take(struct place *place)
{
	if (try_take(place) < 0)
		fail_msg("%s", place->err.text);
}

static int rival_takes(struct place *place)
{
	struct taking taking;

	return lt1_acquire(&place->other, &place->rival, &at_once, &taking, &place->err);
}

static int verify(struct place *place)
{
	return lt1_verify(&place->lt1, &place->claim, &place->err);
}

static int renew(struct place *place)
{
	return lt1_renew(&place->lt1, &place->claim, &place->err);
}

static int give_back(struct place *place)
{
	return lt1_give_back(&place->lt1, &place->claim, &place->err);
}

static void read_lock(const struct place *place, char *text, size_t size)
{
	int fd = open(place->path, O_RDONLY | O_CLOEXEC);
	ssize_t n;

	assert_true(fd >= 0);
	n = read(fd, text, size - 1);
	assert_true(n >= 0);
	text[n] = '\0';
	close(fd);
}

static void read_record(const struct place *place, struct record *record)
{
	char text[RECORD_READ_MAX];

	read_lock(place, text, sizeof text);
	record_parse(record, text, strlen(text), NULL);
}

static void put_lock(const struct place *place, const char *text)
{
	int fd = open(place->path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	close(fd);
}

static void assert_content(const struct place *place, const char *expected)
{
	char text[RECORD_READ_MAX];

	read_lock(place, text, sizeof text);
	assert_string_equal(text, expected);
}

static void assert_no_file(const struct place *place)
{
	assert_int_equal(access(place->path, F_OK), -1);
	assert_int_equal(errno, ENOENT);
}

/* What is in the folder besides the lock and its fence. */
static void assert_no_litter(const struct place *place)
{
	DIR *dir = opendir(place->folder);
	struct dirent *entry;

	assert_non_null(dir);
	while ((entry = readdir(dir)))
		if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0 &&
			strcmp(entry->d_name, "a.lock") != 0 &&
			strcmp(entry->d_name, ".a.lock.fence") != 0)
			fail_msg("%s was left", entry->d_name);
	closedir(dir);
}

static unsigned int open_descriptors(void)
{
	DIR *dir = opendir("/proc/self/fd");
	unsigned int n = 0;

	assert_non_null(dir);
	while (readdir(dir))
		n++;
	closedir(dir);
	return n;
}

static bool is_flocked(const struct place *place)
{
	int fd = open(place->path, O_RDONLY | O_CLOEXEC);
	bool is_held;

	assert_true(fd >= 0);
	is_held = __real_flock(fd, LOCK_EX | LOCK_NB) < 0;
	close(fd);
	return is_held;
}

/* Refused for that, in words that name the file, with nothing held or left. */
static void assert_refused(struct place *place, int code, const char *words)
{
	unsigned int before = open_descriptors();
	int result = try_take(place);

	if (result != code)
		fail_msg("%d instead of %d: %s", result, code, place->err.text);
	assert_int_equal(place->err.code, code);
	if (!strstr(place->err.text, words))
		fail_msg("'%s' does not say '%s'", place->err.text, words);
	assert_int_equal(place->lt1.fd, -1);
	assert_int_equal(open_descriptors(), before);
	assert_no_litter(place);
}

/* A process that takes the lock by LT1, or with a plain flock, and keeps it. */
struct child {
	pid_t pid;
	int hold;
};

static void stay(const struct place *place, void (*fn)(struct place *), int ready, int hold)
{
	struct place copy = *place;
	char byte;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	fn(&copy);
	if (write(ready, "r", 1) != 1)
		_exit(1);
	while (read(hold, &byte, 1) > 0)
		;
	_exit(0);
}

static struct child start(struct place *place, void (*fn)(struct place *))
{
	int ready[2], hold[2];
	struct child child;
	char byte;

	assert_int_equal(pipe2(ready, O_CLOEXEC), 0);
	assert_int_equal(pipe2(hold, O_CLOEXEC), 0);
	child.pid = fork();
	assert_true(child.pid >= 0);
	if (child.pid == 0) {
		close(hold[1]);
		stay(place, fn, ready[1], hold[0]);
	}
	close(ready[1]);
	close(hold[0]);
	assert_int_equal(read(ready[0], &byte, 1), 1);
	close(ready[0]);
	child.hold = hold[1];
	return child;
}

static void end(struct child *child)
{
	kill(child->pid, SIGKILL);
	close(child->hold);
	assert_int_equal(waitpid(child->pid, NULL, 0), child->pid);
}

static void hold_by_lt1(struct place *place)
{
	place->rival.pid = 0;
	claim_self(&place->rival, &place->world, &place->here);
	if (rival_takes(place) < 0)
		_exit(2);
}

static void hold_by_flock(struct place *place)
{
	int fd = open(place->path, O_RDWR | O_CREAT | O_CLOEXEC, 0644);

	if (fd < 0 || __real_flock(fd, LOCK_EX) < 0)
		_exit(2);
}

static void do_nothing(struct place *place)
{
	(void)place;
}

static pid_t dead_pid(struct place *place)
{
	struct child child = start(place, do_nothing);

	end(&child);
	return child.pid;
}

static void put_plain(const struct place *place, int pid, int64_t age)
{
	char text[64];

	snprintf(text, sizeof text, "%d|%" PRId64, pid, clock_wall(&place->clock) / NS_PER_S - age);
	put_lock(place, text);
}

/* --- taken, kept, given back --- */

static void a_lock_is_taken_and_given_back(void **state)
{
	struct place *place = *state;
	struct record record;

	take(place);
	assert_true(place->lt1.fd >= 0);
	assert_true(is_flocked(place));
	assert_int_equal(place->taking.attempts, 1);
	assert_false(place->taking.was_stale);
	read_record(place, &record);
	assert_int_equal(record.format, RECORD_LT1);
	assert_int_equal(record.mode, 'h');
	assert_int_equal(record.pid, getpid());
	assert_int_equal(record.start, place->claim.start);
	assert_int_equal(record.lease, 300);
	assert_int_equal(record.uid, geteuid());
	assert_int_equal(record.fence, 1);
	assert_int_equal(place->taking.fence, 1);
	assert_string_equal(record.token, place->claim.token);
	assert_string_equal(record.host, place->here.host);
	assert_true(record.refreshed > 0);
	assert_int_equal(verify(place), 0);
	assert_int_equal(rival_takes(place), -EBUSY);
	assert_int_equal(give_back(place), 0);
	assert_int_equal(place->lt1.fd, -1);
	assert_content(place, "");
	assert_int_equal(rival_takes(place), 0);
	assert_no_litter(place);
}

static void a_fence_grows_with_each_holder(void **state)
{
	struct place *place = *state;
	int64_t last;

	for (int64_t i = 1; i < 4; i++) {
		take(place);
		assert_int_equal(place->taking.fence, i);
		assert_int_equal(give_back(place), 0);
	}
	assert_int_equal(lt1_fence(&place->lt1, &last, &place->err), 0);
	assert_int_equal(last, 3);
}

static void a_fence_that_cannot_be_had_is_none(void **state)
{
	struct place *place = *state;
	struct record record;

	assert_int_equal(symlink("/nowhere", place->fence), 0);
	take(place);
	assert_int_equal(place->taking.fence, 0);
	read_record(place, &record);
	assert_int_equal(record.fence, -1);
	assert_int_equal(verify(place), 0);
}

static void a_lock_that_was_tidied_is_made_again(void **state)
{
	struct place *place = *state;
	struct stat st;

	place->claim.is_tidy = true;
	place->claim.mode = 0640;
	umask(0);
	take(place);
	umask(022);
	assert_int_equal(stat(place->path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0640);
	assert_int_equal(give_back(place), 0);
	assert_no_file(place);
	take(place);
	assert_int_equal(place->taking.fence, 2);
	assert_int_equal(give_back(place), 0);
	assert_no_litter(place);
}

static void what_cannot_be_removed_is_emptied(void **state)
{
	struct place *place = *state;

	place->claim.is_tidy = true;
	take(place);
	plan[UNLINK].fails = EACCES;
	assert_int_equal(give_back(place), 0);
	assert_content(place, "");
	assert_false(is_flocked(place));
}

static void renewing_changes_the_times_and_no_length(void **state)
{
	struct place *place = *state;
	char before[RECORD_READ_MAX], after[RECORD_READ_MAX];
	struct record old, new;

	take(place);
	read_lock(place, before, sizeof before);
	read_record(place, &old);
	place->time.mono += 100 * NS_PER_S;
	assert_int_equal(renew(place), 0);
	read_lock(place, after, sizeof after);
	read_record(place, &new);
	assert_int_equal(strlen(before), strlen(after));
	assert_in_range(new.time - old.time, 100, 101);
	assert_true(new.refreshed - old.refreshed >= 100 * NS_PER_S);
	assert_int_equal(new.acquired, old.acquired);
	assert_int_equal(new.fence, old.fence);
	assert_int_equal(record_identity(&old, before, strlen(before)),
		record_identity(&new, after, strlen(after)));
	assert_int_equal(verify(place), 0);
	assert_int_equal(give_back(place), 0);
}

static void a_lock_is_not_taken_twice_by_one(void **state)
{
	struct place *place = *state;

	take(place);
	assert_int_equal(try_take(place), -EINVAL);
	assert_int_equal(verify(place), 0);
}

static void a_strict_record_is_pid_and_time(void **state)
{
	struct place *place = *state;
	char text[RECORD_READ_MAX], expected[64];
	struct record record;

	place->claim.is_strict = true;
	take(place);
	read_lock(place, text, sizeof text);
	read_record(place, &record);
	assert_int_equal(record.format, RECORD_PLAIN);
	snprintf(expected, sizeof expected, "%d|%" PRId64, getpid(), record.time);
	assert_string_equal(text, expected);
	assert_int_equal(verify(place), 0);
	place->time.mono += 100 * NS_PER_S;
	assert_int_equal(renew(place), 0);
	assert_int_equal(verify(place), 0);
	assert_int_equal(give_back(place), 0);
	assert_content(place, "");
	place->claim.is_detached = true;
	assert_refused(place, -EINVAL, "a process that holds");
}

static void a_relative_path_is_made_absolute(void **state)
{
	struct place *place = *state;
	struct lt1 lt1;
	char was[4096];

	assert_non_null(getcwd(was, sizeof was));
	assert_int_equal(chdir(place->folder), 0);
	assert_int_equal(lt1_open(&lt1, &place->world, "a.lock", &place->err), 0);
	assert_int_equal(chdir(was), 0);
	assert_string_equal(lt1.path, place->path);
	assert_string_equal(lt1.folder, place->folder);
	lt1_close(&lt1);
	assert_int_equal(lt1_open(&lt1, &place->world, "/a.lock", &place->err), 0);
	assert_string_equal(lt1.folder, "/");
	lt1_close(&lt1);
}

static void what_is_no_name_is_refused(void **state)
{
	static const char *const bad[] = {"", "/", "/run/", ".", "/run/..", "/run/.a.lock.fence"};
	struct place *place = *state;
	struct lt1 lt1;

	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		assert_int_equal(lt1_open(&lt1, &place->world, bad[i], &place->err), -EINVAL);
}

/* --- what is found --- */

static void a_dead_holder_is_taken_over(void **state)
{
	struct place *place = *state;
	struct child child = start(place, hold_by_lt1);
	char pid[32];

	assert_int_equal(try_take(place), -EBUSY);
	end(&child);
	take(place);
	assert_true(place->taking.was_stale);
	snprintf(pid, sizeof pid, "pid %d is gone", (int)child.pid);
	assert_non_null(strstr(place->taking.reason, pid));
	assert_int_equal(place->taking.former.pid, child.pid);
	assert_string_equal(place->taking.former.token, "");
	assert_int_equal(place->taking.fence, 2);
}

static void a_dead_holder_stays_when_nothing_may_be_taken_over(void **state)
{
	struct place *place = *state;
	struct child child = start(place, hold_by_lt1);

	end(&child);
	place->claim.takeover = TAKEOVER_NEVER;
	assert_refused(place, -EBUSY, "locktop release");
}

static void a_plain_record_is_respected(void **state)
{
	struct place *place = *state;

	put_plain(place, getpid(), 10);
	assert_refused(place, -EBUSY, "is alive");
	put_plain(place, getpid(), 601);
	take(place);
	assert_true(place->taking.was_stale);
	assert_int_equal(give_back(place), 0);
	put_plain(place, dead_pid(place), 10);
	take(place);
	assert_non_null(strstr(place->taking.reason, "no such process"));
}

static void a_half_written_record_is_given_time(void **state)
{
	struct place *place = *state;

	put_lock(place, "4711|");
	assert_refused(place, -EBUSY, "not a record yet");
	place->time.mono += 3 * NS_PER_S;
	take(place);
	assert_non_null(strstr(place->taking.reason, "not a lock record"));
}

static void a_newer_version_is_never_broken(void **state)
{
	struct place *place = *state;
	char text[128];

	snprintf(text, sizeof text, "%d|1000000000|lt9;x=1", (int)dead_pid(place));
	put_lock(place, text);
	place->claim.takeover = TAKEOVER_LIMIT;
	assert_refused(place, -EBUSY, "never broken");
	assert_content(place, text);
}

static void the_name_is_not_a_lock_file(void **state)
{
	struct place *place = *state;
	char other[300], big[RECORD_READ_MAX + 2];

	assert_int_equal(symlink("/etc/passwd", place->path), 0);
	assert_refused(place, -ELOOP, "symbolic link");
	assert_int_equal(unlink(place->path), 0);
	assert_int_equal(mkfifo(place->path, 0644), 0);
	assert_refused(place, -EINVAL, "FIFO");
	assert_int_equal(unlink(place->path), 0);
	assert_int_equal(mkdir(place->path, 0755), 0);
	assert_refused(place, -EINVAL, "directory");
	assert_int_equal(rmdir(place->path), 0);
	put_lock(place, "");
	snprintf(other, sizeof other, "%s/.a.lock.fence", place->folder);
	assert_int_equal(link(place->path, other), 0);
	assert_refused(place, -EMLINK, "hard links");
	assert_int_equal(unlink(other), 0);
	memset(big, '1', sizeof big - 1);
	big[sizeof big - 1] = '\0';
	put_lock(place, big);
	assert_refused(place, -EFBIG, "too long");
}

static void a_missing_folder_is_said(void **state)
{
	struct place *place = *state;

	assert_int_equal(rmdir(place->folder), 0);
	assert_int_equal(try_take(place), -ENOENT);
	assert_non_null(strstr(place->err.text, place->folder));
	assert_int_equal(mkdir(place->folder, 0755), 0);
	take(place);
}

static void a_network_is_no_place_for_a_flock(void **state)
{
	struct place *place = *state;

	fs_type = 0x6969;
	assert_refused(place, -ENOTSUP, "NFS");
	fs_type = 0xff534d42;
	assert_refused(place, -ENOTSUP, "CIFS");
	assert_no_file(place);
}

/* --- what fails --- */

static void no_descriptors_are_left(void **state)
{
	struct place *place = *state;

	plan[OPENAT].fails = EMFILE; /* of the file that is made */
	assert_refused(place, -EMFILE, "cannot make");
	assert_no_file(place);
	put_lock(place, "");
	plan[OPENAT].fails = EMFILE;
	assert_refused(place, -EMFILE, "cannot open");
	assert_content(place, "");
	take(place);
}

static void a_full_disk_makes_no_file(void **state)
{
	struct place *place = *state;

	plan[PWRITE].fails = ENOSPC;
	assert_refused(place, -ENOSPC, "cannot write");
	assert_no_file(place);
	/* And not between making it and writing the fence into it. */
	plan[PWRITE] = (struct plan){.skip = 1, .fails = ENOSPC};
	assert_refused(place, -ENOSPC, "cannot write");
	assert_no_file(place);
	pwrite_stops = 20;
	assert_refused(place, -ENOSPC, "cannot write");
	assert_no_file(place);
	pwrite_stops = 0;
	take(place);
}

static void a_full_disk_leaves_no_half_record(void **state)
{
	struct place *place = *state;
	char before[RECORD_READ_MAX];
	struct child child;

	put_lock(place, "");
	pwrite_stops = 20;
	assert_refused(place, -ENOSPC, "cannot write");
	assert_content(place, "");
	pwrite_stops = 0;
	child = start(place, hold_by_lt1);
	end(&child);
	read_lock(place, before, sizeof before);
	/* What is there is stale, and stays as true as it was. */
	plan[PWRITE].fails = ENOSPC;
	assert_refused(place, -ENOSPC, "cannot write");
	assert_content(place, before);
	pwrite_stops = 20;
	assert_refused(place, -ENOSPC, "cannot write");
	assert_content(place, "");
	pwrite_stops = 0;
	take(place);
}

static void a_renewal_that_fails_can_be_tried_again(void **state)
{
	struct place *place = *state;

	/* pid|time alone has no token to be known by: it has to be the text that was written. */
	place->claim.is_strict = true;
	take(place);
	place->time.mono += 100 * NS_PER_S;
	plan[PWRITE].fails = ENOSPC;
	assert_int_equal(renew(place), -ENOSPC);
	plan[PWRITE].fails = 0;
	assert_int_equal(verify(place), 0);
	assert_int_equal(give_back(place), 0);

	place->claim.is_strict = false;
	take(place);
	place->time.mono += 100 * NS_PER_S;
	plan[PWRITE].fails = ENOSPC;
	assert_int_equal(renew(place), -ENOSPC);
	assert_int_equal(verify(place), 0);
	assert_int_equal(renew(place), 0);
	assert_int_equal(verify(place), 0);
	assert_int_equal(give_back(place), 0);
}

static void an_interrupted_write_goes_on(void **state)
{
	struct place *place = *state;

	put_lock(place, "");
	plan[PWRITE] = (struct plan){.fails = EINTR, .times = 3};
	take(place);
	assert_int_equal(verify(place), 0);
}

static void without_nameless_files_it_works_too(void **state)
{
	static const int codes[] = {EOPNOTSUPP, EISDIR, ENOENT};
	struct place *place = *state;

	place->claim.is_tidy = true;
	for (size_t i = 0; i < sizeof codes / sizeof *codes; i++) {
		plan[OPENAT].fails = codes[i];
		take(place);
		assert_no_litter(place);
		assert_int_equal(give_back(place), 0);
		assert_no_litter(place);
	}
	/* Nor without a rename that spares what is there. */
	plan[OPENAT].fails = EOPNOTSUPP;
	plan[RENAME].fails = EINVAL;
	take(place);
	assert_int_equal(verify(place), 0);
	assert_no_litter(place);
	assert_int_equal(give_back(place), 0);
	/* Nor without a /proc to name it by. */
	plan[LINKAT].fails = ENOENT;
	take(place);
	assert_no_litter(place);
}

/* --- others act --- */

static void replace_file(void *data)
{
	const struct place *place = data;
	char temp[300];
	int fd;

	snprintf(temp, sizeof temp, "%s/new", place->folder);
	fd = open(temp, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
	close(fd);
	assert_int_equal(rename(temp, place->path), 0);
}

static void remove_file(void *data)
{
	unlink(((const struct place *)data)->path);
}

static void make_empty(void *data)
{
	put_lock(data, "");
}

static void replace_folder(void *data)
{
	const struct place *place = data;
	char old[300];

	snprintf(old, sizeof old, "%s.old", place->folder);
	assert_int_equal(rename(place->folder, old), 0);
	assert_int_equal(mkdir(place->folder, 0755), 0);
	remove_tree(old);
}

static void a_file_that_changes_before_the_flock_is_not_it(void **state)
{
	static void (*const acts[])(void *) = {replace_file, remove_file, replace_folder};
	struct place *place = *state;

	for (size_t i = 0; i < sizeof acts / sizeof *acts; i++) {
		put_lock(place, "");
		plan[FLOCK] = (struct plan){.run = acts[i], .data = place};
		take(place);
		assert_int_equal(place->taking.attempts, 2);
		assert_int_equal(verify(place), 0);
		assert_true(is_flocked(place));
		assert_int_equal(give_back(place), 0);
	}
}

static void a_file_that_changes_before_the_record_is_not_it(void **state)
{
	static void (*const acts[])(void *) = {replace_file, remove_file, replace_folder};
	struct place *place = *state;

	for (size_t i = 0; i < sizeof acts / sizeof *acts; i++) {
		put_lock(place, "");
		plan[PWRITE] = (struct plan){.run = acts[i], .data = place};
		take(place);
		assert_int_equal(place->taking.attempts, 2);
		assert_int_equal(verify(place), 0);
		assert_int_equal(give_back(place), 0);
	}
}

static void move_aside(void *data)
{
	const struct place *place = data;
	char aside[300];

	snprintf(aside, sizeof aside, "%s/aside", place->folder);
	assert_int_equal(rename(place->path, aside), 0);
}

/* Whoever moved it may move it back: it must not say then that we had it. */
static void a_file_that_is_moved_away_keeps_no_record(void **state)
{
	struct place *place = *state;
	char aside[300];
	struct stat st;

	put_lock(place, "");
	plan[PWRITE] = (struct plan){.run = move_aside, .data = place};
	take(place);
	assert_int_equal(place->taking.attempts, 2);
	assert_int_equal(verify(place), 0);
	snprintf(aside, sizeof aside, "%s/aside", place->folder);
	assert_int_equal(stat(aside, &st), 0);
	assert_int_equal(st.st_size, 0);
}

static void who_is_faster_in_making_it_has_it(void **state)
{
	struct place *place = *state;

	plan[LINKAT] = (struct plan){.run = make_empty, .data = place};
	take(place);
	assert_int_equal(place->taking.attempts, 2);
	assert_int_equal(verify(place), 0);
	assert_no_litter(place);
	assert_int_equal(give_back(place), 0);
	remove_file(place);
	plan[OPENAT].fails = EOPNOTSUPP;
	plan[RENAME] = (struct plan){.run = make_empty, .data = place};
	take(place);
	assert_int_equal(verify(place), 0);
	assert_no_litter(place);
}

static void a_file_that_is_replaced_is_lost(void **state)
{
	struct place *place = *state;

	take(place);
	replace_file(place);
	assert_int_equal(verify(place), -ESTALE);
	assert_non_null(strstr(place->err.text, "another file"));
	assert_int_equal(renew(place), -ESTALE);
	assert_int_equal(give_back(place), -ESTALE);
	assert_content(place, "");
	assert_int_equal(place->lt1.fd, -1);
}

static void a_file_that_is_removed_is_lost(void **state)
{
	struct place *place = *state;

	take(place);
	remove_file(place);
	assert_int_equal(verify(place), -ESTALE);
	assert_non_null(strstr(place->err.text, "removed"));
	assert_int_equal(renew(place), -ESTALE);
	assert_no_file(place);
	assert_int_equal(give_back(place), -ESTALE);
}

static void a_folder_that_is_replaced_loses_the_lock_and_never_has_two_owners(void **state)
{
	struct place *place = *state;

	take(place);
	replace_folder(place);
	assert_int_equal(verify(place), -ESTALE);
	assert_int_equal(rival_takes(place), 0);
	assert_int_equal(verify(place), -ESTALE);
	assert_int_equal(renew(place), -ESTALE);
	/* What the loser gives back is not the other's. */
	place->claim.is_tidy = true;
	assert_int_equal(give_back(place), -ESTALE);
	assert_int_equal(lt1_verify(&place->other, &place->rival, &place->err), 0);
}

static void an_intruder_is_told_and_not_hurt(void **state)
{
	struct place *place = *state;

	take(place);
	put_lock(place, "4711|1760000000");
	assert_int_equal(verify(place), -EKEYREJECTED);
	assert_non_null(strstr(place->err.text, "pid 4711"));
	assert_int_equal(renew(place), -EKEYREJECTED);
	assert_int_equal(give_back(place), -EKEYREJECTED);
	assert_content(place, "4711|1760000000");
	put_lock(place, "");
	take(place);
	put_lock(place, "");
	assert_int_equal(verify(place), -ESTALE);
	assert_int_equal(renew(place), -ESTALE);
	assert_content(place, "");
}

/* --- the wall clock --- */

static void an_hour_either_way_changes_nothing_for_who_holds_it(void **state)
{
	static const int64_t hours[] = {-1, 1};
	struct place *place = *state;
	struct child child = start(place, hold_by_lt1);

	for (size_t i = 0; i < 2; i++) {
		place->time.jump = hours[i] * 3600 * NS_PER_S;
		assert_int_equal(try_take(place), -EBUSY);
	}
	end(&child);
}

static void an_hour_either_way_neither_ends_nor_prolongs_a_lease(void **state)
{
	static const int64_t hours[] = {-1, 1};
	struct place *place = *state;

	place->rival.is_detached = true;
	for (size_t i = 0; i < 2; i++) {
		place->time.jump = 0;
		assert_int_equal(rival_takes(place), 0);
		place->time.jump = hours[i] * 3600 * NS_PER_S;
		assert_int_equal(try_take(place), -EBUSY);
		place->time.mono += 299 * NS_PER_S;
		assert_int_equal(try_take(place), -EBUSY);
		place->time.mono += 2 * NS_PER_S;
		take(place);
		assert_non_null(strstr(place->taking.reason, "lease ran out"));
		assert_int_equal(give_back(place), 0);
	}
}

/* --- detached --- */

static void a_detached_lock_is_known_by_its_token(void **state)
{
	struct place *place = *state;
	struct record record;

	place->claim.is_detached = true;
	take(place);
	assert_int_equal(place->lt1.fd, -1);
	assert_false(is_flocked(place));
	read_record(place, &record);
	assert_int_equal(record.mode, 'd');
	assert_int_equal(verify(place), 0);
	assert_int_equal(rival_takes(place), -EBUSY);
	assert_int_equal(lt1_verify(&place->other, &place->rival, &place->err), -EKEYREJECTED);
	assert_int_equal(lt1_renew(&place->other, &place->rival, &place->err), -EKEYREJECTED);
	assert_int_equal(lt1_give_back(&place->other, &place->rival, &place->err), -EKEYREJECTED);
	assert_int_equal(verify(place), 0);
	assert_int_equal(give_back(place), 0);
	assert_content(place, "");
	assert_int_equal(verify(place), -ESTALE);
	assert_int_equal(renew(place), -ESTALE);
	assert_int_equal(give_back(place), -ESTALE);
	remove_file(place);
	assert_int_equal(verify(place), -ESTALE);
	assert_int_equal(renew(place), -ESTALE);
}

static off_t file_size(const struct place *place)
{
	struct stat st;

	assert_int_equal(stat(place->lt1.path, &st), 0);
	return st.st_size;
}

static void another_process_renews_it_for_its_owner(void **state)
{
	struct place *place = *state;
	struct record before, after;
	off_t length;

	place->claim.is_detached = true;
	take(place);
	read_record(place, &before);
	place->time.mono += 200 * NS_PER_S;
	/* That of `locktop renew`, with the token it was given. */
	memcpy(place->rival.token, place->claim.token, sizeof place->rival.token);
	place->rival.pid = 1;
	place->rival.start = 1;
	place->rival.lease = 0;
	assert_int_equal(lt1_renew(&place->other, &place->rival, &place->err), 0);
	read_record(place, &after);
	assert_int_equal(after.pid, getpid());
	assert_int_equal(after.start, before.start);
	assert_int_equal(after.acquired, before.acquired);
	assert_int_equal(after.fence, before.fence);
	assert_int_equal(after.lease, 300);
	assert_int_equal(after.mode, 'd');
	assert_in_range(after.time - before.time, 200, 201);
	/* A smaller lease: the record keeps its length, so there is no moment with half of it. */
	length = file_size(place);
	place->rival.lease = 5 * NS_PER_S;
	assert_int_equal(lt1_renew(&place->other, &place->rival, &place->err), 0);
	read_record(place, &after);
	assert_int_equal(after.lease, 5);
	assert_int_equal(file_size(place), length);
	assert_int_equal(lt1_give_back(&place->other, &place->rival, &place->err), 0);
	assert_content(place, "");
}

static void a_detached_lock_ends_with_its_owner(void **state)
{
	struct place *place = *state;
	struct child owner = start(place, do_nothing);

	place->claim.is_detached = true;
	place->claim.pid = owner.pid;
	proc_life(&place->world, owner.pid, &place->claim.start);
	take(place);
	assert_int_equal(rival_takes(place), -EBUSY);
	end(&owner);
	assert_int_equal(rival_takes(place), 0);
	assert_int_equal(verify(place), -EKEYREJECTED);
}

static void a_flock_on_a_detached_lock_delays_it_only(void **state)
{
	struct place *place = *state;
	struct child child;

	place->claim.is_detached = true;
	take(place);
	child = start(place, hold_by_flock);
	assert_int_equal(verify(place), 0);
	assert_int_equal(renew(place), -EBUSY);
	end(&child);
	assert_int_equal(renew(place), 0);
	assert_int_equal(give_back(place), 0);
}

static void a_child_may_ask_but_not_renew_for_its_holder(void **state)
{
	struct place *place = *state;
	struct child child = start(place, hold_by_lt1);

	assert_int_equal(lt1_verify(&place->lt1, &place->rival, &place->err), 0);
	assert_int_equal(lt1_renew(&place->lt1, &place->rival, &place->err), -EPERM);
	assert_int_equal(lt1_give_back(&place->lt1, &place->rival, &place->err), -EPERM);
	end(&child);
	assert_int_equal(lt1_verify(&place->lt1, &place->rival, &place->err), -ESTALE);
}

/* --- the queue --- */

struct waiter {
	struct place *place;
	unsigned int ticks;
	int stop_at; /* which tick says stop; 0 none */
	void (*run)(void *);
};

static int tick(void *data)
{
	struct waiter *waiter = data;

	waiter->ticks++;
	if (waiter->run)
		waiter->run(waiter->place);
	return waiter->stop_at && waiter->ticks >= (unsigned int)waiter->stop_at ? -ECANCELED : 0;
}

static int wait_for_it(struct place *place, struct patience patience)
{
	return lt1_acquire(&place->lt1, &place->claim, &patience, &place->taking, &place->err);
}

static mono_t in_s(const struct place *place, int64_t s)
{
	return clock_mono(&place->clock) + s * NS_PER_S;
}

/* Neither a child nor a signal is left of any helper. */
static void assert_no_children(void)
{
	sigset_t pending;

	assert_int_equal(waitpid(-1, NULL, WNOHANG | __WALL), -1);
	assert_int_equal(errno, ECHILD);
	sigpending(&pending);
	assert_false(sigismember(&pending, SIGCHLD));
}

static struct child stopped_later;

static void end_holder(void *data)
{
	(void)data;
	if (stopped_later.pid)
		end(&stopped_later);
	stopped_later.pid = 0;
}

static void block_sigchld(sigset_t *old)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	sigprocmask(SIG_BLOCK, &set, old);
}

static void a_wait_ends_with_its_time(void **state)
{
	struct place *place = *state;
	struct child child = start(place, hold_by_lt1);
	unsigned int before = open_descriptors();
	sigset_t old, pending;

	block_sigchld(&old);
	assert_int_equal(
		wait_for_it(place, (struct patience){.until = in_s(place, 100)}), -ETIMEDOUT);
	assert_true(place->taking.was_queued);
	assert_int_equal(calls[CLONE], 1);
	assert_int_equal(open_descriptors(), before);
	assert_int_equal(place->lt1.fd, -1);
	/* Nothing tells the application of a child that it does not know. */
	sigpending(&pending);
	assert_false(sigismember(&pending, SIGCHLD));
	sigprocmask(SIG_SETMASK, &old, NULL);
	end(&child);
	assert_no_children();
	take(place);
}

static void a_wait_ends_when_the_holder_does(void **state)
{
	struct place *place = *state;
	struct waiter waiter = {.place = place, .run = end_holder};
	sigset_t old;

	block_sigchld(&old);
	stopped_later = start(place, hold_by_lt1);
	assert_int_equal(wait_for_it(place, (struct patience){.until = in_s(place, 100),
						    .tick = tick,
						    .every = NS_PER_S,
						    .data = &waiter}),
		0);
	assert_true(place->taking.was_queued);
	assert_true(place->taking.was_stale);
	assert_int_equal(verify(place), 0);
	assert_true(is_flocked(place));
	/* That of the holder itself, which is our child, and no second one. */
	assert_int_equal(
		sigtimedwait(&(sigset_t){{1UL << (SIGCHLD - 1)}}, NULL, &(struct timespec){0}),
		SIGCHLD);
	assert_no_children();
	sigprocmask(SIG_SETMASK, &old, NULL);
}

static void a_tick_can_end_a_wait(void **state)
{
	struct place *place = *state;
	struct waiter waiter = {.place = place, .stop_at = 3};
	struct child child = start(place, hold_by_flock);

	assert_int_equal(wait_for_it(place, (struct patience){.until = MONO_NEVER,
						    .tick = tick,
						    .every = NS_PER_S,
						    .data = &waiter}),
		-ECANCELED);
	assert_int_equal(waiter.ticks, 3);
	end(&child);
	assert_no_children();
	assert_false(is_flocked(place));
}

static void a_file_that_is_replaced_is_not_waited_for(void **state)
{
	struct place *place = *state;
	struct waiter waiter = {.place = place, .run = replace_file};
	struct child child = start(place, hold_by_flock);

	assert_int_equal(wait_for_it(place, (struct patience){.until = in_s(place, 100),
						    .tick = tick,
						    .every = NS_PER_S,
						    .data = &waiter}),
		0);
	assert_int_equal(waiter.ticks, 1);
	assert_int_equal(verify(place), 0);
	end(&child);
	assert_no_children();
}

static void kill_helper(void *data)
{
	char text[4096] = "", path[64];
	int fd, helper = 0;

	(void)data;
	snprintf(path, sizeof path, "/proc/self/task/%d/children", (int)getpid());
	fd = open(path, O_RDONLY | O_CLOEXEC);
	assert_true(fd >= 0 && read(fd, text, sizeof text - 1) > 0);
	close(fd);
	/* The last child is the helper. */
	for (char *at = text, *word; (word = strtok(at, " ")); at = NULL)
		helper = atoi(word);
	if (helper != stopped_later.pid)
		kill(helper, SIGTERM);
}

static void a_helper_that_is_killed_is_replaced(void **state)
{
	struct place *place = *state;
	struct waiter waiter = {.place = place, .run = kill_helper, .stop_at = 4};

	stopped_later = start(place, hold_by_flock);
	assert_int_equal(wait_for_it(place, (struct patience){.until = MONO_NEVER,
						    .tick = tick,
						    .every = NS_PER_S,
						    .data = &waiter}),
		-ECANCELED);
	assert_true(calls[CLONE] >= 2);
	end_holder(NULL);
	assert_no_children();
}

static void without_processes_it_is_asked_for_again_and_again(void **state)
{
	struct place *place = *state;
	struct waiter waiter = {.place = place, .run = end_holder};

	stopped_later = start(place, hold_by_flock);
	plan[CLONE] = (struct plan){.fails = EAGAIN, .times = 1000};
	assert_int_equal(wait_for_it(place, (struct patience){.until = in_s(place, 100),
						    .tick = tick,
						    .every = NS_PER_S,
						    .data = &waiter}),
		0);
	assert_int_equal(verify(place), 0);
}

static void a_detached_lock_has_no_queue(void **state)
{
	struct place *place = *state;

	place->rival.is_detached = true;
	assert_int_equal(rival_takes(place), 0);
	assert_int_equal(wait_for_it(place, (struct patience){.until = in_s(place, 100)}), -EBUSY);
	assert_int_equal(calls[CLONE], 0);
	assert_int_equal(wait_for_it(place, (struct patience){.until = MONO_NEVER}), -EBUSY);
}

static void without_an_end_an_interruption_ends_it(void **state)
{
	struct place *place = *state;
	struct child child = start(place, hold_by_flock);

	plan[FLOCK] = (struct plan){.skip = 1, .fails = EINTR};
	assert_int_equal(wait_for_it(place, (struct patience){.until = MONO_NEVER}), -ECANCELED);
	assert_int_equal(calls[CLONE], 0);
	end(&child);
}

static void caught(int number)
{
	(void)number;
}

static void arm(void *data, mono_t when)
{
	struct itimerval soon = {{0, 5000}, {0, 5000}}, never = {{0, 0}, {0, 0}};

	(void)data;
	setitimer(ITIMER_REAL, when == MONO_NEVER ? &never : &soon, NULL);
}

static void with_signals_this_process_waits_itself(void **state)
{
	struct place *place = *state;
	struct waiter waiter = {.place = place, .run = end_holder};
	struct sigaction action = {.sa_handler = caught}, old;

	sigaction(SIGALRM, &action, &old);
	stopped_later = start(place, hold_by_lt1);
	assert_int_equal(wait_for_it(place, (struct patience){.until = in_s(place, 100),
						    .arm = arm,
						    .tick = tick,
						    .data = &waiter}),
		0);
	assert_int_equal(waiter.ticks, 1);
	assert_int_equal(calls[CLONE], 0);
	assert_int_equal(give_back(place), 0);
	stopped_later = start(place, hold_by_lt1);
	assert_int_equal(wait_for_it(place, (struct patience){.until = clock_mono(&place->clock) +
								       30 * NS_PER_MS,
						    .arm = arm}),
		-ETIMEDOUT);
	end_holder(NULL);
	sigaction(SIGALRM, &old, NULL);
}

/* --- flock: --- */

static void a_plain_flock_leaves_the_content_alone(void **state)
{
	struct place *place = *state;

	place->lt1.writes_no_record = place->other.writes_no_record = true;
	put_lock(place, "some text that is nobody's record");
	take(place);
	assert_true(is_flocked(place));
	assert_int_equal(place->taking.fence, 0);
	assert_int_equal(verify(place), 0);
	assert_int_equal(renew(place), 0);
	assert_int_equal(rival_takes(place), -EBUSY);
	assert_int_equal(give_back(place), 0);
	assert_false(is_flocked(place));
	assert_content(place, "some text that is nobody's record");
	assert_int_equal(verify(place), -ESTALE);
	assert_int_equal(give_back(place), -ESTALE);
	assert_int_equal(access(place->fence, F_OK), -1);
}

static void a_plain_flock_makes_the_file_and_keeps_it(void **state)
{
	struct place *place = *state;

	place->lt1.writes_no_record = true;
	place->claim.is_tidy = true;
	take(place);
	assert_content(place, "");
	assert_int_equal(give_back(place), 0);
	assert_content(place, "");
	take(place);
	replace_file(place);
	assert_int_equal(verify(place), -ESTALE);
	assert_int_equal(give_back(place), -ESTALE);
}

static void a_plain_flock_is_compared_and_refused_too(void **state)
{
	struct place *place = *state;

	place->lt1.writes_no_record = true;
	put_lock(place, "");
	plan[FLOCK] = (struct plan){.run = replace_file, .data = place};
	take(place);
	assert_int_equal(place->taking.attempts, 2);
	assert_int_equal(verify(place), 0);
	assert_int_equal(give_back(place), 0);
	place->claim.is_detached = true;
	assert_refused(place, -EINVAL, "ends with its process");
	place->claim.is_detached = false;
	fs_type = 0x6969;
	assert_refused(place, -ENOTSUP, "NFS");
}

/* --- who --- */

static void who_has_it_is_in_the_record(void **state)
{
	struct place *place = *state;
	struct child child = start(place, hold_by_lt1);
	struct occupant occupant;

	lt1_who(&place->lt1, &occupant);
	assert_true(occupant.is_known);
	assert_int_equal(occupant.pid, child.pid);
	assert_string_equal(occupant.host, "");
	assert_string_equal(occupant.comm, "test_lt1");
	assert_true(occupant.age >= 0 && occupant.age < 60 * NS_PER_S);
	end(&child);
	remove_file(place);
	lt1_who(&place->lt1, &occupant);
	assert_false(occupant.is_known);
	assert_int_equal(occupant.age, -1);
}

static void who_has_a_plain_flock_is_in_the_kernels_table(void **state)
{
	struct place *place = *state;
	struct child child = start(place, hold_by_flock);
	struct occupant occupant;

	lt1_who(&place->lt1, &occupant);
	/* Unless a pid namespace hides it. */
	if (occupant.is_known)
		assert_int_equal(occupant.pid, child.pid);
	else
		assert_false(place->here.is_initial_pidns);
	end(&child);
}

static void another_hosts_holder_is_named_with_its_host(void **state)
{
	struct place *place = *state;
	struct occupant occupant;

	put_lock(place, "4711|1760000000|lt1;h=elsewhere;b=00000000;"
			"t=00000000000000000000000000000000;l=0;m=d");
	lt1_who(&place->lt1, &occupant);
	assert_int_equal(occupant.pid, 4711);
	assert_string_equal(occupant.host, "elsewhere");
	assert_string_equal(occupant.comm, "");
}

int main(void)
{
#define test(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		test(a_lock_is_taken_and_given_back),
		test(a_fence_grows_with_each_holder),
		test(a_fence_that_cannot_be_had_is_none),
		test(a_lock_that_was_tidied_is_made_again),
		test(what_cannot_be_removed_is_emptied),
		test(renewing_changes_the_times_and_no_length),
		test(a_lock_is_not_taken_twice_by_one),
		test(a_strict_record_is_pid_and_time),
		test(a_relative_path_is_made_absolute),
		test(what_is_no_name_is_refused),
		test(a_dead_holder_is_taken_over),
		test(a_dead_holder_stays_when_nothing_may_be_taken_over),
		test(a_plain_record_is_respected),
		test(a_half_written_record_is_given_time),
		test(a_newer_version_is_never_broken),
		test(the_name_is_not_a_lock_file),
		test(a_missing_folder_is_said),
		test(a_network_is_no_place_for_a_flock),
		test(no_descriptors_are_left),
		test(a_full_disk_makes_no_file),
		test(a_full_disk_leaves_no_half_record),
		test(a_renewal_that_fails_can_be_tried_again),
		test(an_interrupted_write_goes_on),
		test(without_nameless_files_it_works_too),
		test(a_file_that_changes_before_the_flock_is_not_it),
		test(a_file_that_changes_before_the_record_is_not_it),
		test(a_file_that_is_moved_away_keeps_no_record),
		test(who_is_faster_in_making_it_has_it),
		test(a_file_that_is_replaced_is_lost),
		test(a_file_that_is_removed_is_lost),
		test(a_folder_that_is_replaced_loses_the_lock_and_never_has_two_owners),
		test(an_intruder_is_told_and_not_hurt),
		test(an_hour_either_way_changes_nothing_for_who_holds_it),
		test(an_hour_either_way_neither_ends_nor_prolongs_a_lease),
		test(a_detached_lock_is_known_by_its_token),
		test(another_process_renews_it_for_its_owner),
		test(a_detached_lock_ends_with_its_owner),
		test(a_flock_on_a_detached_lock_delays_it_only),
		test(a_child_may_ask_but_not_renew_for_its_holder),
		test(a_wait_ends_with_its_time),
		test(a_wait_ends_when_the_holder_does),
		test(a_tick_can_end_a_wait),
		test(a_file_that_is_replaced_is_not_waited_for),
		test(a_helper_that_is_killed_is_replaced),
		test(without_processes_it_is_asked_for_again_and_again),
		test(a_detached_lock_has_no_queue),
		test(without_an_end_an_interruption_ends_it),
		test(with_signals_this_process_waits_itself),
		test(a_plain_flock_leaves_the_content_alone),
		test(a_plain_flock_makes_the_file_and_keeps_it),
		test(a_plain_flock_is_compared_and_refused_too),
		test(who_has_it_is_in_the_record),
		test(who_has_a_plain_flock_is_in_the_kernels_table),
		test(another_hosts_holder_is_named_with_its_host),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

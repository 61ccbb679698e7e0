/*
 * A folder of lock files with holders that are real processes, looked at by a backend. The clock
 * is steered.h's.
 */
#ifndef LOCKTOP_TESTS_LOCK_PLACE_H
#define LOCKTOP_TESTS_LOCK_PLACE_H

#include "made_world.h"
#include "steered.h"

#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/wait.h>

#include "backends/backend.h"

struct place_test {
	char folder[256];
	struct steered time;
	struct clock clock;
	struct world world;
	struct here here;
	const struct backend *backend;
	struct uri uri;
	void *state;
	struct snapshot locks; /* of the last look */
	struct backend_scan scan;
	struct error err;
};

/* A machine and an empty folder; nothing is opened yet. */
static inline struct place_test *new_place(void)
{
	struct place_test *place = calloc(1, sizeof *place);

	assert_non_null(place);
	make_folder(place->folder, sizeof place->folder);
	place->clock = steered_clock(&place->time);
	assert_int_equal(world_open(&place->world, NULL, &place->clock, &place->err), 0);
	assert_int_equal(proc_here(&place->world, &place->here, &place->err), 0);
	return place;
}

static inline void close_place(struct place_test *place)
{
	if (place->state)
		place->backend->close(place->state);
	place->state = NULL;
	uri_release(&place->uri);
	place->uri = (struct uri){0};
	snapshot_release(&place->locks);
}

/* 0 or -errno. */
static inline int try_open(struct place_test *place, const char *uri)
{
	close_place(place);
	assert_int_equal(uri_parse(&place->uri, uri, &place->err), 0);
	place->backend = backend_for(&place->uri, &place->err);
	assert_non_null(place->backend);
	return place->backend->open(
		&place->state, &place->world, &place->here, &place->uri, &place->err);
}

/* The folder between the beginning of a URI and what comes after it. */
static inline void open_place(struct place_test *place, const char *uri, const char *after)
{
	char text[1024];

	snprintf(text, sizeof text, "%s%s%s", uri, place->folder, after);
	if (try_open(place, text) < 0)
		fail_msg("%s", place->err.text);
}

static inline void free_place(struct place_test *place)
{
	close_place(place);
	world_close(&place->world);
	remove_tree(place->folder);
	free(place);
}

static inline int try_scan(struct place_test *place, bool is_hinted)
{
	struct snapshot fresh = {0};
	int result;

	place->scan = (struct backend_scan){.snapshot = &fresh, .is_hinted = is_hinted};
	result = place->backend->scan(place->state, &place->scan, &place->err);
	snapshot_release(&place->locks);
	place->locks = fresh;
	return result;
}

static inline void scan(struct place_test *place)
{
	if (try_scan(place, false) < 0)
		fail_msg("%s", place->err.text);
}

/*
 * Two regular looks, late enough for the budget even where one took half a second; no hold gets
 * overdue. Two, for a table that came in pieces (other tests may hold a thousand locks just now)
 * is believed the second time only.
 */
static inline void scan_later(struct place_test *place)
{
	for (int i = 0; i < 2; i++) {
		place->time.mono += 50 * NS_PER_S;
		scan(place);
	}
}

/* What a source does: looks again if there is a hint. */
static inline bool scan_hinted(struct place_test *place)
{
	if (!place->backend->hint(place->state))
		return false;
	assert_int_equal(try_scan(place, true), 0);
	return true;
}

static inline const struct lock *find_lock(const struct place_test *place, const char *name)
{
	return snapshot_find(&place->locks, name);
}

static inline const struct lock *get_lock(const struct place_test *place, const char *name)
{
	const struct lock *lock = find_lock(place, name);

	if (!lock)
		fail_msg("no lock %s", name);
	return lock;
}

static inline struct lock *look_fresh(struct place_test *place, const char *name)
{
	struct lock *lock;

	if (place->backend->look(place->state, name, &lock, &place->err) < 0)
		fail_msg("%s", place->err.text);
	return lock;
}

/* Valid until the second next call. */
static inline const char *path_in(const struct place_test *place, const char *name)
{
	static char path[2][1024];
	static int turn;

	turn = !turn;
	snprintf(path[turn], sizeof path[turn], "%s/%s", place->folder, name);
	return path[turn];
}

static inline void write_file(const struct place_test *place, const char *name, const char *text)
{
	int fd = open(path_in(place, name), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	close(fd);
}

static inline void write_plain(const struct place_test *place, const char *name, int pid, long age)
{
	char text[64];

	snprintf(text, sizeof text, "%d|%lld", pid,
		(long long)(clock_wall(&place->clock) / NS_PER_S - age));
	write_file(place, name, text);
}

/* --- processes --- */

struct child {
	pid_t pid;
	int hold; /* its other end closes if this process dies: then the child ends too */
};

/* Runs fn in a child until it has done its part; the child lives on until end_child(). */
static inline struct child start_child(void (*fn)(void *data), void *data)
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
		if (fn)
			fn(data);
		if (write(ready[1], "r", 1) != 1)
			_exit(1);
		while (read(hold[0], &byte, 1) > 0)
			;
		_exit(0);
	}
	close(ready[1]);
	close(hold[0]);
	assert_int_equal(read(ready[0], &byte, 1), 1);
	close(ready[0]);
	child.hold = hold[1];
	return child;
}

static inline void end_child(struct child *child)
{
	/* A later child has a copy of hold, so closing it alone would not do. */
	kill(child->pid, SIGKILL);
	close(child->hold);
	assert_int_equal(waitpid(child->pid, NULL, 0), child->pid);
}

/* A pid that no process has: that of a child that was reaped. */
static inline pid_t dead_pid(void)
{
	struct child child = start_child(NULL, NULL);

	end_child(&child);
	return child.pid;
}

static inline void flock_file(void *path)
{
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0644);

	if (fd < 0 || flock(fd, LOCK_EX) < 0)
		_exit(2);
}

static inline struct child start_flock(const struct place_test *place, const char *name)
{
	char path[1024];

	snprintf(path, sizeof path, "%s", path_in(place, name));
	return start_child(flock_file, path);
}

/* --- LT1 --- */

struct lt1 {
	const struct place_test *place;
	char path[1024];
	char mode; /* 'h' or 'd' */
	int lease;
	const char *host; /* NULL: ours */
	bool other_boot;
};

/* The record that this process would write. */
static inline void make_lt1(struct record *record, const struct lt1 *lt1)
{
	const struct here *here = &lt1->place->here;
	wall_t now = clock_wall(&lt1->place->clock);

	*record = (struct record){.format = RECORD_LT1,
		.mode = lt1->mode,
		.pid = getpid(),
		.time = now / NS_PER_S,
		.ns = here->pidns,
		.acquired = now,
		.refreshed = clock_mono(&lt1->place->clock),
		.fence = 1,
		.lease = lt1->lease,
		.uid = -1};
	proc_life(&lt1->place->world, record->pid, &record->start);
	snprintf(record->host, sizeof record->host, "%s", lt1->host ? lt1->host : here->host);
	snprintf(
		record->boot, sizeof record->boot, "%s", lt1->other_boot ? "00000000" : here->boot);
	memset(record->token, 'a', sizeof record->token - 1);
}

/* Takes the lock as LT1 says, and keeps the flock for the life of the process. */
static inline void hold_lt1(void *data)
{
	const struct lt1 *lt1 = data;
	char text[RECORD_MAX + 1];
	struct record record;
	int fd, len;

	make_lt1(&record, lt1);
	len = record_write(&record, text, sizeof text);
	fd = open(lt1->path, O_RDWR | O_CREAT | O_CLOEXEC, 0644);
	if (len < 0 || fd < 0 || (lt1->mode == 'h' && flock(fd, LOCK_EX | LOCK_NB) < 0) ||
		pwrite(fd, text, (size_t)len, 0) != len || ftruncate(fd, len) < 0)
		_exit(2);
}

static inline struct child start_lt1(
	const struct place_test *place, const char *name, struct lt1 lt1)
{
	lt1.place = place;
	if (!lt1.mode)
		lt1.mode = 'h';
	snprintf(lt1.path, sizeof lt1.path, "%s", path_in(place, name));
	return start_child(hold_lt1, &lt1);
}

/* --- verdicts --- */

#include "model/verdict.h"

static inline enum state judge_at(const struct place_test *place, const struct lock *lock)
{
	struct facts facts = {.now = clock_mono(&place->clock),
		.now_wall = clock_wall(&place->clock),
		.limit = 600 * NS_PER_S};

	return verdict_of(lock, &facts).state;
}

static inline enum state state_of(const struct place_test *place, const char *name)
{
	return judge_at(place, get_lock(place, name));
}

#endif

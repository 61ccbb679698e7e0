/*
 * What taking a lock through liblocktop costs, against the same system calls in a bare loop, and
 * what a hand-off to somebody who waits costs, against a blocking flock(2). Both sides take turns
 * in one run; medians are compared.
 *
 *	bench_take FOLDER...
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/vfs.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "lib/locktop.h"

enum {
	ROUNDS = 101,
	PAIRS = 200,
	CROWD = 8,
	CROWD_TURNS = 100,
	CROWD_ROUNDS = 3,
	PINGS = 1000,
	PING_ROUNDS = 5,
	RECORD = 150, /* bytes, as of a real one */
	COUNTER = 49,
};

#define HELD_NS 1000000 /* in the crowd */
#define PING_NS 200000  /* until the other waits for sure */

static void die(const char *what)
{
	fprintf(stderr, "bench_take: %s: %s\n", what, strerror(errno));
	exit(1);
}

static int64_t now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000000000 + ts.tv_nsec;
}

static void spin(int64_t ns)
{
	int64_t end = now() + ns;

	while (now() < end)
		;
}

static int compare(const void *a, const void *b)
{
	const int64_t *x = a, *y = b;

	return *x < *y ? -1 : *x > *y;
}

static int64_t percentile(int64_t *value, size_t n, int percent)
{
	qsort(value, n, sizeof *value, compare);
	return value[(n - 1) * (size_t)percent / 100];
}

/* --- the ways to take a lock --- */

struct way {
	const char *name;
	const char *path;
	struct locktop *lock; /* owned by whoever opened it */
	struct bare *bare;
	int fd;
};

struct kind {
	const char *name;
	void (*open)(struct way *way);
	void (*take)(struct way *way);
	void (*give)(struct way *way);
};

static void library_open(struct way *way)
{
	struct locktop_error error;

	if (locktop_open(&way->lock, way->path, NULL, &error) < 0) {
		fprintf(stderr, "bench_take: %s\n", error.text);
		exit(1);
	}
}

static void library_take(struct way *way)
{
	struct locktop_error error;

	if (locktop_acquire(way->lock, -1, &error) < 0) {
		fprintf(stderr, "bench_take: %s\n", error.text);
		exit(1);
	}
}

static void library_give(struct way *way)
{
	struct locktop_error error;

	if (locktop_release(way->lock, &error) < 0) {
		fprintf(stderr, "bench_take: %s\n", error.text);
		exit(1);
	}
}

static void flock_open(struct way *way)
{
	way->fd = open(way->path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (way->fd < 0)
		die(way->path);
}

static void flock_take(struct way *way)
{
	if (flock(way->fd, LOCK_EX) < 0)
		die("flock");
}

static void flock_give(struct way *way)
{
	flock(way->fd, LOCK_UN);
}

static void nothing_open(struct way *way)
{
	(void)way;
}

static void opened_take(struct way *way)
{
	flock_open(way);
	flock_take(way);
}

static void opened_give(struct way *way)
{
	close(way->fd);
}

/* What `strace` shows of the library, and nothing else. */
struct bare {
	char folder[400], path[500], name[64], fence[80];
	char text[RECORD], counter[COUNTER];
	int dir, fd;
	bool is_bad;
};

static void bare_open(struct way *way)
{
	struct bare *bare = calloc(1, sizeof *bare);
	const char *slash = strrchr(way->path, '/');
	char path[500];
	int fd;

	if (!bare)
		die("calloc");
	memset(bare->text, 'x', sizeof bare->text);
	memset(bare->counter, '0', sizeof bare->counter);
	snprintf(bare->path, sizeof bare->path, "%s", way->path);
	snprintf(bare->folder, sizeof bare->folder, "%.*s", (int)(slash - way->path), way->path);
	snprintf(bare->name, sizeof bare->name, "%s", slash + 1);
	snprintf(bare->fence, sizeof bare->fence, ".%s.fence", bare->name);
	snprintf(path, sizeof path, "%s/%s", bare->folder, bare->fence);
	fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (fd < 0 || pwrite(fd, bare->counter, COUNTER, 0) < 0)
		die(path);
	close(fd);
	fd = open(bare->path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (fd < 0)
		die(bare->path);
	close(fd);
	way->bare = bare;
}

static void look(struct bare *bare, int dir, const char *path)
{
	struct stat st;

	bare->is_bad |= fstatat(dir, path, &st, AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT) < 0;
}

static void bare_take(struct way *way)
{
	const int flags = O_RDWR | O_NOCTTY | O_NONBLOCK | O_NOFOLLOW | O_CLOEXEC;
	struct bare *bare = way->bare;
	char token[16], seen[RECORD + 1];
	bool has_waited = false;
	struct statfs fs;
	struct stat st;
	int counter;

	getppid(); /* for getpid(2), which glibc asks each time */
	bare->is_bad |= getrandom(token, sizeof token, 0) < 0;
	bare->dir = open(bare->folder, O_PATH | O_DIRECTORY | O_CLOEXEC);
	bare->is_bad |= fstatfs(bare->dir, &fs) < 0;
	look(bare, bare->dir, bare->name);
	bare->fd = openat(bare->dir, bare->name, flags);
	if (flock(bare->fd, LOCK_EX | LOCK_NB) < 0) {
		bare->is_bad |= flock(bare->fd, LOCK_EX) < 0;
		has_waited = true;
	}
	bare->is_bad |= fstat(bare->fd, &st) < 0;
	look(bare, AT_FDCWD, bare->path);
	counter = openat(bare->dir, bare->fence, flags);
	bare->is_bad |= pread(counter, seen, COUNTER + 1, 0) < 0;
	bare->is_bad |= pwrite(counter, bare->counter, COUNTER, 0) < 0;
	close(counter);
	bare->is_bad |= pwrite(bare->fd, bare->text, RECORD, 0) < 0;
	look(bare, AT_FDCWD, bare->path);
	if (has_waited) {
		look(bare, AT_FDCWD, bare->path);
		bare->is_bad |= pread(bare->fd, seen, RECORD + 1, 0) < 0;
	}
}

static void bare_give(struct way *way)
{
	struct bare *bare = way->bare;
	char seen[RECORD + 1];

	getppid();
	look(bare, AT_FDCWD, bare->path);
	bare->is_bad |= pread(bare->fd, seen, RECORD + 1, 0) < 0;
	bare->is_bad |= ftruncate(bare->fd, 0) < 0;
	close(bare->fd);
	close(bare->dir);
	if (bare->is_bad)
		die("the bare calls");
}

enum { LIBRARY, KEPT, OPENED, BARE, KINDS };

static const struct kind kinds[KINDS] = {
	[LIBRARY] = {"liblocktop", library_open, library_take, library_give},
	[KEPT] = {"flock on a kept descriptor", flock_open, flock_take, flock_give},
	[OPENED] = {"flock on an opened file", nothing_open, opened_take, opened_give},
	[BARE] = {"the system calls of liblocktop alone", bare_open, bare_take, bare_give},
};

/* --- nobody else wants it --- */

static int64_t time_pairs(const struct kind *kind, struct way *way)
{
	int64_t began = now();

	for (int i = 0; i < PAIRS; i++) {
		kind->take(way);
		kind->give(way);
	}
	return (now() - began) / PAIRS;
}

static void uncontended(const char *folder)
{
	static int64_t ours[ROUNDS], bares[ROUNDS];
	char path[2][500];
	struct way library = {.path = path[0]}, bare = {.path = path[1]};
	int64_t a, b;

	snprintf(path[0], sizeof path[0], "%s/ours.lock", folder);
	snprintf(path[1], sizeof path[1], "%s/bare.lock", folder);
	library_open(&library);
	bare_open(&bare);
	for (int round = 0; round < ROUNDS; round++) {
		ours[round] = time_pairs(&kinds[LIBRARY], &library);
		bares[round] = time_pairs(&kinds[BARE], &bare);
	}
	locktop_close(library.lock);
	free(bare.bare);
	a = percentile(ours, ROUNDS, 50);
	b = percentile(bares, ROUNDS, 50);
	printf("acquire and release in %s: liblocktop %.1f us, its system calls alone %.1f us, "
	       "ratio %.2f\n",
		folder, (double)a / 1e3, (double)b / 1e3, (double)a / (double)b);
}

/* --- others wait for it --- */

static pid_t fork_child(void)
{
	pid_t parent = getpid(), pid = fork();

	if (pid < 0)
		die("fork");
	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (getppid() != parent)
			_exit(1);
	}
	return pid;
}

static void wait_children(int n)
{
	int status;

	while (n-- > 0)
		if (wait(&status) < 0 || status != 0)
			die("a process of the crowd");
}

/* What is shared by the processes of one measurement. */
struct shared {
	int ready, owner;
	int64_t given_at;
	int64_t took[PINGS];
	int n;
};

static struct shared *share(void)
{
	struct shared *shared = mmap(
		NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	if (shared == MAP_FAILED)
		die("mmap");
	return shared;
}

/* All begin together. */
static void meet(struct shared *shared, int n)
{
	__atomic_add_fetch(&shared->ready, 1, __ATOMIC_SEQ_CST);
	while (__atomic_load_n(&shared->ready, __ATOMIC_SEQ_CST) < n)
		sched_yield();
}

static int64_t crowd(const struct kind *kind, const char *path)
{
	struct shared *shared = share();
	int64_t began;

	for (int i = 0; i < CROWD; i++) {
		struct way way = {.path = path};

		if (fork_child() != 0)
			continue;
		kind->open(&way);
		meet(shared, CROWD + 1);
		for (int turn = 0; turn < CROWD_TURNS; turn++) {
			kind->take(&way);
			spin(HELD_NS);
			kind->give(&way);
		}
		_exit(0);
	}
	meet(shared, CROWD + 1);
	began = now();
	wait_children(CROWD);
	began = now() - began;
	munmap(shared, sizeof *shared);
	return began;
}

/*
 * On one core a hand-off is a mere switch of processes, and on two the other core has to be woken:
 * each has a core of its own, for else it is left to chance which of the two is measured.
 */
static void stay_on_core(int me)
{
	cpu_set_t mine;

	CPU_ZERO(&mine);
	CPU_SET(me, &mine);
	sched_setaffinity(0, sizeof mine, &mine);
}

/* One of two who hand it to each other; 1 waits when 0 has it, and the other way round. */
static void ping(const struct kind *kind, const char *path, struct shared *shared, int me)
{
	struct way way = {.path = path};

	stay_on_core(me);
	kind->open(&way);
	if (me == 1)
		while (__atomic_load_n(&shared->owner, __ATOMIC_SEQ_CST) != 0)
			sched_yield();
	for (int i = 0; i < PINGS / 2; i++) {
		kind->take(&way);
		if (shared->given_at)
			shared->took[shared->n++] = now() - shared->given_at;
		__atomic_store_n(&shared->owner, me, __ATOMIC_SEQ_CST);
		spin(PING_NS);
		shared->given_at = now();
		kind->give(&way);
		/* After the last one nobody comes. */
		while (!(me == 1 && i + 1 == PINGS / 2) &&
			__atomic_load_n(&shared->owner, __ATOMIC_SEQ_CST) == me)
			sched_yield();
	}
	_exit(0);
}

static void ping_pong(const struct kind *kind, const char *path, int64_t *took, size_t *n)
{
	struct shared *shared = share();

	shared->owner = -1;
	for (int me = 0; me < 2; me++)
		if (fork_child() == 0)
			ping(kind, path, shared, me);
	wait_children(2);
	memcpy(took + *n, shared->took, (size_t)shared->n * sizeof *took);
	*n += (size_t)shared->n;
	munmap(shared, sizeof *shared);
}

static void say_ratios(const int64_t median[KINDS])
{
	for (int kind = KEPT; kind < KINDS; kind++)
		printf("  liblocktop is %.2f times %s\n",
			(double)median[LIBRARY] / (double)median[kind], kinds[kind].name);
}

static void contended(const char *folder)
{
	static int64_t took[KINDS][PINGS * PING_ROUNDS], total[KINDS][CROWD_ROUNDS];
	char path[KINDS][500];
	int64_t median[KINDS];
	size_t n[KINDS] = {0};

	for (int kind = 0; kind < KINDS; kind++)
		snprintf(path[kind], sizeof path[kind], "%s/crowd-%d.lock", folder, kind);
	printf("%d processes, %d turns of 1 ms each, in %s:\n", CROWD, CROWD_TURNS, folder);
	for (int round = 0; round < CROWD_ROUNDS; round++)
		for (int kind = 0; kind < KINDS; kind++)
			total[kind][round] = crowd(&kinds[kind], path[kind]);
	for (int kind = 0; kind < KINDS; kind++) {
		median[kind] = percentile(total[kind], CROWD_ROUNDS, 50);
		printf("  %-38s %.3f s\n", kinds[kind].name, (double)median[kind] / 1e9);
	}
	say_ratios(median);

	printf("hand-off to one who waits on another core, in %s:\n", folder);
	for (int round = 0; round < PING_ROUNDS; round++)
		for (int kind = 0; kind < KINDS; kind++)
			ping_pong(&kinds[kind], path[kind], took[kind], &n[kind]);
	for (int kind = 0; kind < KINDS; kind++) {
		median[kind] = percentile(took[kind], n[kind], 50);
		printf("  %-38s p50 %.1f, p99 %.1f us (n = %zu)\n", kinds[kind].name,
			(double)median[kind] / 1e3,
			(double)percentile(took[kind], n[kind], 99) / 1e3, n[kind]);
	}
	say_ratios(median);
}

int main(int argc, char **argv)
{
	setvbuf(stdout, NULL, _IOLBF, 0);
	for (int i = 1; i < argc; i++)
		uncontended(argv[i]);
	for (int i = 1; i < argc; i++)
		contended(argv[i]);
	return 0;
}

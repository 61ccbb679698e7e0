/*
 * How long a look at the kernel's locks takes, beside lslocks(8) in the same run: a thousand
 * locks of one process, and a thousand processes with a lock each.
 *
 * Usage: bench_kernlocks [LOCKS]
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/error.h"
#include "system/kernlocks.h"

enum { ROUNDS = 15 };

extern char **environ;

static void die(const char *what)
{
	fprintf(stderr, "bench_kernlocks: %s: %s\n", what, strerror(errno));
	exit(1);
}

static double median(double *ms, int n)
{
	for (int i = 1; i < n; i++)
		for (int j = i; j > 0 && ms[j] < ms[j - 1]; j--) {
			double swap = ms[j];

			ms[j] = ms[j - 1];
			ms[j - 1] = swap;
		}
	return ms[n / 2];
}

static double since(mono_t begin)
{
	return (double)(clock_mono(&clock_system) - begin) / (double)NS_PER_MS;
}

static double look(const struct world *world, const struct here *here, bool with_holders,
	struct kernlocks *last)
{
	double ms[ROUNDS];

	for (int i = 0; i < ROUNDS; i++) {
		struct error err;

		kernlocks_release(last);
		if (kernlocks_read(world, here, with_holders, last, &err) < 0) {
			fprintf(stderr, "bench_kernlocks: %s\n", err.text);
			exit(1);
		}
		ms[i] = (double)last->cost / (double)NS_PER_MS;
	}
	return median(ms, ROUNDS);
}

/* Every lock with its people, as a backend makes them. */
static double attach(
	const struct world *world, const struct here *here, const struct kernlocks *locks)
{
	mono_t begin = clock_mono(&clock_system);

	for (size_t i = 0; i < locks->n; i++) {
		struct lock *lock = lock_new("bench");

		if (!lock)
			die("lock_new");
		lock->dev = locks->lock[i].st_dev;
		lock->ino = locks->lock[i].st_ino;
		if (kernlocks_attach(world, here, locks, lock) < 0)
			die("kernlocks_attach");
		lock_unref(lock);
	}
	return since(begin);
}

/* One round: it may take seconds. Negative when it is not installed. */
static double run_lslocks(void)
{
	char *const argv[] = {(char[]){"lslocks"}, NULL};
	posix_spawn_file_actions_t actions;
	mono_t begin = clock_mono(&clock_system);
	int status, error;
	pid_t pid;

	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0);
	error = posix_spawnp(&pid, argv[0], &actions, NULL, argv, environ);
	posix_spawn_file_actions_destroy(&actions);
	if (error)
		return -1;
	waitpid(pid, &status, 0);
	return WIFEXITED(status) && WEXITSTATUS(status) == 0 ? since(begin) : -1;
}

static void measure(const char *shape)
{
	struct kernlocks locks = {0};
	struct world world;
	struct here here;
	double table, whole, people, theirs;

	if (world_open(&world, NULL, &clock_system, NULL) < 0 || proc_here(&world, &here, NULL) < 0)
		die("world_open");
	table = look(&world, &here, false, &locks);
	whole = look(&world, &here, true, &locks);
	people = attach(&world, &here, &locks);
	theirs = run_lslocks();
	printf("%-34s %6zu locks %6zu holders: table %.2f ms, with holders %.2f ms, "
	       "attached %.2f ms; lslocks %.0f ms\n",
		shape, locks.n, locks.holders, table, whole, people, theirs);
	kernlocks_release(&locks);
	world_close(&world);
}

static int take(const char *folder, int i)
{
	char path[300];
	int fd;

	snprintf(path, sizeof path, "%s/%d", folder, i);
	fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0644);
	if (fd < 0 || unlink(path) < 0 || flock(fd, LOCK_EX) < 0)
		die(path);
	return fd;
}

static void one_process(const char *folder, int n)
{
	int *fd = calloc((size_t)n, sizeof *fd);

	if (!fd)
		die("calloc");
	for (int i = 0; i < n; i++)
		fd[i] = take(folder, i);
	measure("one process with all the locks");
	for (int i = 0; i < n; i++)
		close(fd[i]);
	free(fd);
}

static void many_processes(const char *folder, int n)
{
	pid_t *pid = calloc((size_t)n, sizeof *pid);
	int ready[2];
	char c;

	if (!pid || pipe2(ready, O_CLOEXEC) < 0)
		die("pipe2");
	for (int i = 0; i < n; i++) {
		pid[i] = fork();
		if (pid[i] < 0)
			die("fork");
		if (pid[i] == 0) {
			prctl(PR_SET_PDEATHSIG, SIGKILL);
			take(folder, i);
			if (write(ready[1], "", 1) == 1 && close(ready[0]) == 0 &&
				close(ready[1]) == 0)
				pause();
			_exit(1);
		}
		if (read(ready[0], &c, 1) != 1)
			die("read");
	}
	measure("as many processes as locks");
	for (int i = 0; i < n; i++) {
		kill(pid[i], SIGKILL);
		waitpid(pid[i], NULL, 0);
	}
	close(ready[0]);
	close(ready[1]);
	free(pid);
}

int main(int argc, char **argv)
{
	int n = argc > 1 ? atoi(argv[1]) : 1000;
	const char *tmp = getenv("TMPDIR");
	struct rlimit files;
	char folder[256];

	if (n < 1 || n > 100000) {
		fprintf(stderr, "Usage: bench_kernlocks [LOCKS]\n");
		return 64;
	}
	if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
		files.rlim_cur = files.rlim_max;
		setrlimit(RLIMIT_NOFILE, &files);
	}
	snprintf(folder, sizeof folder, "%s/bench.XXXXXX", tmp && *tmp ? tmp : "/tmp");
	if (!mkdtemp(folder))
		die(folder);
	one_process(folder, n);
	many_processes(folder, n);
	rmdir(folder);
	return 0;
}

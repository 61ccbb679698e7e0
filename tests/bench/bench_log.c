/*
 * Logs to read, and what reading them costs.
 *
 *   bench_log write FILE LINES     a log of so many lines of about 190 bytes that ends now
 *   bench_log huge FILE GB         one that is so large, sparse: a line now and then over 14 days,
 *                                  and the last two hours in full
 *   bench_log time COMMAND...      runs it five times, prints "MS KB" of the fastest: what it took,
 *                                  and the most memory that it had
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "model/metric.h"

enum { LOCKS = 20, RUNS = 5, SPARSE_LINES = 200 };

static void die(const char *what)
{
	fprintf(stderr, "bench_log: %s: %s\n", what, strerror(errno));
	exit(1);
}

static uint32_t next_random(void)
{
	static uint32_t state = 12345;

	state = state * 1664525u + 1013904223u;
	return state >> 8;
}

/* As a lock that is taken and given back writes them, with a failure now and then. */
static void put_line(FILE *file, wall_t ts)
{
	static const char *const folders[] = {"file:/run/lock", "file:/srv/jobs"};
	char lock[32], line[METRIC_LINE];
	uint32_t random = next_random();
	struct metric metric = metric_new(random % 16 == 0 ? METRIC_TIMEOUT
					  : random % 2     ? METRIC_ACQUIRED
							   : METRIC_RELEASED,
		ts);
	int n;

	snprintf(lock, sizeof lock, "story-%02u.lock", random / 16 % LOCKS);
	metric.lock = lock;
	metric.source = folders[random % 2];
	metric.backend = "file";
	metric.host = "web1";
	metric.pid = 1000 + (int32_t)(random % 30000);
	if (metric.event == METRIC_RELEASED)
		metric.hold = (int64_t)(next_random() % 4000000) * 1000;
	else
		metric.wait = (int64_t)(next_random() % 200000) * 1000;
	metric.attempts = 1;
	metric.token = "5f0c1a2b";
	metric.fence = random % 100000;
	n = metric_line(&metric, line, sizeof line);
	if (n < 0 || fwrite(line, 1, (size_t)n, file) != (size_t)n)
		die("write");
}

static FILE *create(const char *path)
{
	FILE *file = fopen(path, "we");

	if (!file)
		die(path);
	return file;
}

static wall_t now_wall(void)
{
	return clock_wall(&clock_system);
}

/* Over the last 12 hours, evenly. */
static void write_log(const char *path, int64_t lines)
{
	FILE *file = create(path);
	wall_t now = now_wall(), span = 12 * 3600 * NS_PER_S;

	for (int64_t i = 0; i < lines; i++)
		put_line(file, now - span + (wall_t)((double)span * (double)i / (double)lines));
	if (fclose(file) != 0)
		die(path);
}

static void write_huge(const char *path, int64_t gigabytes)
{
	FILE *file = create(path);
	wall_t now = now_wall(), day = 86400 * NS_PER_S;
	off_t size = (off_t)gigabytes << 30;

	for (int i = 0; i < SPARSE_LINES; i++) {
		if (fseeko(file, size / SPARSE_LINES * i, SEEK_SET) < 0 || fputc('\n', file) == EOF)
			die("seek");
		put_line(file, now - 14 * day + 13 * day / SPARSE_LINES * i);
	}
	if (fseeko(file, size, SEEK_SET) < 0 || fputc('\n', file) == EOF)
		die("seek");
	for (int i = 0; i < 100000; i++)
		put_line(file, now - 7200 * NS_PER_S + 72 * NS_PER_MS * i);
	if (fclose(file) != 0)
		die(path);
}

static double run_once(char **command, long *kb)
{
	struct timespec began, ended;
	struct rusage usage;
	int status;
	pid_t pid;

	clock_gettime(CLOCK_MONOTONIC, &began);
	pid = fork();
	if (pid == 0) {
		int null = open("/dev/null", O_WRONLY);

		dup2(null, STDOUT_FILENO);
		execvp(command[0], command);
		_exit(127);
	}
	if (pid < 0 || wait4(pid, &status, 0, &usage) != pid)
		die("run");
	clock_gettime(CLOCK_MONOTONIC, &ended);
	if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) {
		fprintf(stderr, "bench_log: %s ended with %d\n", command[0], status);
		exit(1);
	}
	*kb = usage.ru_maxrss;
	return (double)(ended.tv_sec - began.tv_sec) * 1e3 +
	       (double)(ended.tv_nsec - began.tv_nsec) / 1e6;
}

static void time_command(char **command)
{
	double best = 0;
	long most = 0;

	for (int i = 0; i < RUNS; i++) {
		long kb;
		double ms = run_once(command, &kb);

		if (i == 0 || ms < best)
			best = ms;
		if (kb > most)
			most = kb;
	}
	printf("%.1f %ld\n", best, most);
}

int main(int argc, char **argv)
{
	if (argc == 4 && strcmp(argv[1], "write") == 0)
		write_log(argv[2], atoll(argv[3]));
	else if (argc == 4 && strcmp(argv[1], "huge") == 0)
		write_huge(argv[2], atoll(argv[3]));
	else if (argc > 2 && strcmp(argv[1], "time") == 0)
		time_command(argv + 2);
	else {
		fputs("usage: bench_log write FILE LINES | huge FILE GB | time COMMAND...\n",
			stderr);
		return 64;
	}
	return 0;
}

/*
 * Holds kernel locks for a benchmark: `bench_hold one N FOLDER` takes N flocks in one process,
 * `bench_hold each N FOLDER` one in each of N processes. Says "ready" and holds until its
 * standard input ends.
 */
#include "config.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

static void hold(const char *folder, int i)
{
	char path[512];
	int fd;

	snprintf(path, sizeof path, "%s/%05d.lock", folder, i);
	fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0644);
	if (fd < 0 || flock(fd, LOCK_EX) < 0) {
		perror(path);
		exit(1);
	}
}

static void hold_in_child(const char *folder, int i)
{
	int ready[2];
	char byte;

	if (pipe(ready) < 0)
		exit(1);
	if (fork() == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		hold(folder, i);
		if (write(ready[1], "", 1) != 1)
			_exit(1);
		close(ready[0]);
		close(ready[1]);
		while (1)
			pause();
	}
	if (read(ready[0], &byte, 1) != 1)
		exit(1);
	close(ready[0]);
	close(ready[1]);
}

int main(int argc, char **argv)
{
	struct rlimit limit = {20000, 20000};
	char byte;
	int n;

	if (argc != 4)
		return 64;
	/* A group of our own, to be ended as a whole. */
	setpgid(0, 0);
	n = atoi(argv[2]);
	setrlimit(RLIMIT_NOFILE, &limit);
	for (int i = 0; i < n; i++) {
		if (strcmp(argv[1], "one") == 0)
			hold(argv[3], i);
		else
			hold_in_child(argv[3], i);
	}
	puts("ready");
	fflush(stdout);
	while (read(STDIN_FILENO, &byte, 1) > 0)
		;
	signal(SIGTERM, SIG_IGN);
	kill(0, SIGTERM); /* the children, which are in our group */
	return 0;
}

/*
 * How fast the screen follows, measured from outside: the program runs in a pseudo-terminal,
 * something happens in its folder, and the clock stops when the bytes that show it arrive.
 *
 * Names and states are chosen so that no cell keeps its character: then ncurses, which sends
 * only what changed, has to send the whole word, and looking for the word is enough.
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pty.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { ROUNDS = 200, SEEN = 1 << 20, IDLE_S = 20 };

static const char *program;

static double now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec * 1e3 + (double)ts.tv_nsec / 1e6;
}

static void die(const char *what)
{
	fprintf(stderr, "bench_screen: %s: %s\n", what, strerror(errno));
	exit(1);
}

static void pause_ms(long ms)
{
	struct timespec ts = {ms / 1000, ms % 1000 * 1000000};

	nanosleep(&ts, NULL);
}

/* --- a terminal ------------------------------------------------------------------------- */

struct terminal {
	int fd;
	pid_t pid;
	double began;
	char *seen; /* what came since the last forget() */
	size_t len;
	uint64_t bytes;
};

static struct terminal open_terminal_on(const char *const *args, int rows, int cols)
{
	struct winsize size = {.ws_row = (unsigned short)rows, .ws_col = (unsigned short)cols};
	struct terminal t = {.seen = malloc(SEEN), .began = now_ms()};

	t.pid = forkpty(&t.fd, NULL, NULL, &size);
	if (t.pid < 0 || !t.seen)
		die("forkpty");
	if (t.pid == 0) {
		setenv("TERM", "screen", 1);
		setenv("LC_ALL", "C.UTF-8", 1);
		execv(program, (char *const *)args);
		_exit(127);
	}
	return t;
}

static struct terminal open_terminal(const char *folder, int rows, int cols)
{
	const char *const args[] = {program, folder, NULL};

	return open_terminal_on(args, rows, cols);
}

static void forget(struct terminal *t)
{
	t->len = 0;
}

/* Is one of the words (with | between) among what was seen? */
static bool was_seen(const struct terminal *t, const char *words)
{
	while (*words) {
		size_t len = strcspn(words, "|");

		if (memmem(t->seen, t->len, words, len))
			return true;
		words += len + (words[len] == '|');
	}
	return false;
}

/* Reads until `ms` have passed or a word was seen; the time of that, or -1. */
static double wait_for(struct terminal *t, const char *word, double ms)
{
	double until = now_ms() + ms;

	for (double now = now_ms(); now < until; now = now_ms()) {
		struct pollfd fd = {t->fd, POLLIN, 0};
		ssize_t n;

		if (poll(&fd, 1, (int)(until - now) + 1) <= 0)
			continue;
		if (t->len > SEEN / 2) {
			memmove(t->seen, t->seen + t->len - 4096, 4096);
			t->len = 4096;
		}
		n = read(t->fd, t->seen + t->len, SEEN - t->len);
		if (n <= 0)
			return -1;
		t->len += (size_t)n;
		t->bytes += (uint64_t)n;
		if (word && was_seen(t, word))
			return now_ms();
	}
	return -1;
}

static void close_terminal(struct terminal *t)
{
	kill(t->pid, SIGTERM);
	waitpid(t->pid, NULL, 0);
	close(t->fd);
	free(t->seen);
}

/* --- figures ------------------------------------------------------------------------------ */

static int by_size(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

/* Percentiles by nearest rank. */
static void report(const char *what, double *ms, size_t n, size_t lost)
{
	if (n == 0) {
		printf("%-44s nothing was measured\n", what);
		return;
	}
	qsort(ms, n, sizeof *ms, by_size);
	printf("%-44s n=%zu p50 %.1f p95 %.1f p99 %.1f max %.1f ms%s", what, n,
		ms[(n - 1) * 50 / 100], ms[(n * 95 + 99) / 100 - 1], ms[(n * 99 + 99) / 100 - 1],
		ms[n - 1], lost ? "" : "\n");
	if (lost)
		printf("  (%zu not seen in time)\n", lost);
}

static void put_file(const char *folder, const char *name, const char *text)
{
	char path[512];
	int fd;

	snprintf(path, sizeof path, "%s/%s", folder, name);
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	if (fd < 0 || write(fd, text, strlen(text)) < 0)
		die(path);
	close(fd);
}

static void remove_file(const char *folder, const char *name)
{
	char path[512];

	snprintf(path, sizeof path, "%s/%s", folder, name);
	unlink(path);
}

/* Letters that differ at every place from the round before. */
static void fresh_name(char *dst, int round)
{
	for (int i = 0; i < 12; i++)
		dst[i] = (char)((round % 2 ? 'a' : 'n') + (round * 7 + i * 5 + i * i * round) % 13);
	strcpy(dst + 12, ".lock");
}

/* --- what is measured ----------------------------------------------------------------------- */

static void bench_change(const char *folder)
{
	struct terminal t = open_terminal(folder, 24, 80);
	double ms[ROUNDS];
	size_t n = 0, lost = 0;
	char name[32], record[64];

	wait_for(&t, "locktop", 5000);
	pause_ms(500);
	snprintf(record, sizeof record, "%d|%lld", (int)getpid(), (long long)time(NULL));
	for (int i = 0; i < ROUNDS; i++) {
		double began, seen;

		fresh_name(name, i);
		wait_for(&t, NULL, 37 + i * 13 % 101);
		forget(&t);
		began = now_ms();
		put_file(folder, name, record);
		name[12] = '\0';
		seen = wait_for(&t, name, 5000);
		if (seen < 0)
			lost++;
		else
			ms[n++] = seen - began;
		name[12] = '.';
		remove_file(folder, name);
		wait_for(&t, NULL, 60);
	}
	report("a change in the folder is on the screen", ms, n, lost);
	close_terminal(&t);
}

static void bench_kill(const char *folder)
{
	struct terminal t = open_terminal(folder, 24, 80);
	double ms[ROUNDS];
	size_t n = 0, lost = 0;

	wait_for(&t, "locktop", 5000);
	pause_ms(500);
	for (int i = 0; i < ROUNDS; i++) {
		char name[32], record[64];
		double began, seen;
		pid_t holder = fork();

		if (holder == 0)
			while (true)
				pause();
		fresh_name(name, i);
		snprintf(record, sizeof record, "%d|%lld", (int)holder, (long long)time(NULL));
		put_file(folder, name, record);
		if (wait_for(&t, "HELD", 5000) < 0)
			lost++;
		wait_for(&t, NULL, 150 + i * 17 % 89);
		forget(&t);
		began = now_ms();
		kill(holder, SIGKILL);
		seen = wait_for(&t, "STALE", 5000);
		if (seen < 0)
			lost++;
		else
			ms[n++] = seen - began;
		waitpid(holder, NULL, 0);
		remove_file(folder, name);
		wait_for(&t, NULL, 100);
		forget(&t);
	}
	report("kill -9 of the holder shows as STALE", ms, n, lost);
	close_terminal(&t);
}

static long children_of(pid_t pid, pid_t *child, long max)
{
	char path[64], text[4096] = "";
	FILE *file;
	long n = 0;

	snprintf(path, sizeof path, "/proc/%d/task/%d/children", (int)pid, (int)pid);
	file = fopen(path, "re");
	if (!file)
		return 0;
	if (fgets(text, sizeof text, file))
		for (char *at = text, *end; n < max; at = end) {
			long value = strtol(at, &end, 10);

			if (end == at)
				break;
			child[n++] = (pid_t)value;
		}
	fclose(file);
	return n;
}

static double cpu_ms(pid_t pid)
{
	char path[64], text[1024] = "";
	unsigned long utime = 0, stime = 0;
	FILE *file;
	char *at;

	snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
	file = fopen(path, "re");
	if (!file)
		return 0;
	if (!fgets(text, sizeof text, file))
		text[0] = '\0';
	fclose(file);
	at = strrchr(text, ')');
	if (at)
		sscanf(at + 2, "%*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu", &utime,
			&stime);
	return (double)(utime + stime) * 1000 / (double)sysconf(_SC_CLK_TCK);
}

static long peak_kb(pid_t pid)
{
	char path[64], line[256];
	long kb = 0;
	FILE *file;

	snprintf(path, sizeof path, "/proc/%d/status", (int)pid);
	file = fopen(path, "re");
	while (file && fgets(line, sizeof line, file))
		if (sscanf(line, "VmHWM: %ld", &kb) == 1)
			break;
	if (file)
		fclose(file);
	return kb;
}

static void bench_idle(const char *folder)
{
	struct terminal t = open_terminal(folder, 24, 80);
	pid_t child[16];
	uint64_t bytes;
	double cpu = 0, began;
	long n;

	wait_for(&t, "locktop", 5000);
	wait_for(&t, NULL, 3000);
	n = children_of(t.pid, child, 16);
	cpu -= cpu_ms(t.pid);
	for (long i = 0; i < n; i++)
		cpu -= cpu_ms(child[i]);
	bytes = t.bytes;
	began = now_ms();
	wait_for(&t, NULL, IDLE_S * 1000);
	cpu += cpu_ms(t.pid);
	for (long i = 0; i < n; i++)
		cpu += cpu_ms(child[i]);
	printf("%-44s %.2f %% of a core, %.0f bytes/s to the terminal (%d s, %ld source%s)\n",
		"idle with 50 locks, 80x24", cpu / (now_ms() - began) * 100,
		(double)(t.bytes - bytes) / IDLE_S, IDLE_S, n, n == 1 ? "" : "s");
	close_terminal(&t);
}

/* First rows, keys during the load, memory at the end. */
static void bench_many(const char *folder, const char *last)
{
	struct terminal t = open_terminal(folder, 24, 80);
	double first = wait_for(&t, ".lock", 20000), complete = -1, ms[1000];
	pid_t child[16];
	size_t n = 0, lost = 0;
	long kb, children;

	/*
	 * The help comes and goes while the list is loading. Which of its words arrive in one
	 * piece depends on what stood there before.
	 */
	while (n + lost < 100) {
		double began = now_ms(), seen;

		forget(&t);
		if (write(t.fd, "?", 1) != 1)
			die("write");
		seen = wait_for(&t, "move up|move down|page|go to|show all|back to", 5000);
		if (seen < 0)
			lost++;
		else
			ms[n++] = seen - began;
		forget(&t);
		if (write(t.fd, "l", 1) != 1)
			die("write");
		wait_for(&t, "STATE|ADVICE|who    pid|DO  ", 5000);
		if (complete < 0 && last && memmem(t.seen, t.len, last, strlen(last)))
			complete = now_ms();
	}
	wait_for(&t, NULL, 10000); /* until all is loaded */
	kb = peak_kb(t.pid);
	children = children_of(t.pid, child, 16);
	printf("%-44s %.0f ms\n", "100,000 lock files: first rows", first - t.began);
	report("100,000 lock files: a key is answered", ms, n, lost);
	printf("%-44s monitor %.0f MB", "100,000 lock files: peak memory", (double)kb / 1024);
	for (long i = 0; i < children; i++)
		printf(", source %.0f MB", (double)peak_kb(child[i]) / 1024);
	putchar('\n');
	close_terminal(&t);
}

/*
 * A line appended to the log is on the graph. Between two ticks of the screen's clock nothing else
 * is drawn, so the first bytes after the line are it; that all were counted is seen at the end.
 */
static void bench_graph(const char *folder)
{
	char log[600], line[512], total[32];
	const char *const args[] = {program, "--log", log, folder, NULL};
	struct terminal t;
	double ms[ROUNDS];
	size_t n = 0, lost = 0;
	int fd;

	snprintf(log, sizeof log, "%s/metrics.jsonl", folder);
	fd = open(log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
	if (fd < 0)
		die(log);
	t = open_terminal_on(args, 40, 120);
	wait_for(&t, "locktop", 5000);
	if (write(t.fd, "ga1", 3) != 3)
		die("write");
	wait_for(&t, NULL, 2000);
	for (int i = 0; i < ROUNDS; i++) {
		struct timespec now;
		double began, seen;
		int len;

		/* To a moment from 0.3 to 0.7 s after the full second. */
		clock_gettime(CLOCK_REALTIME, &now);
		wait_for(&t, NULL, 1300 + i * 37 % 400 - (double)now.tv_nsec / 1e6);
		forget(&t);
		clock_gettime(CLOCK_REALTIME, &now);
		len = snprintf(line, sizeof line,
			"{\"v\":1,\"ts\":%lld.%03ld,\"event\":\"acquired\",\"lock\":\"x.lock\","
			"\"source\":\"file:%s\",\"wait_ms\":%d.5}\n",
			(long long)now.tv_sec, now.tv_nsec / 1000000, folder, 1 + i * 3);
		began = now_ms();
		if (write(fd, line, (size_t)len) != len)
			die("write");
		seen = wait_for(&t, "\033", 200);
		if (seen < 0)
			lost++;
		else
			ms[n++] = seen - began;
	}
	report("a line appended is on the graph", ms, n, lost);
	snprintf(total, sizeof total, "%d", ROUNDS);
	wait_for(&t, NULL, 1500);
	forget(&t);
	if (write(t.fd, "\f", 1) != 1 || wait_for(&t, total, 2000) < 0)
		printf("  (the screen does not show all %d of them)\n", ROUNDS);
	close_terminal(&t);
	close(fd);
}

int main(int argc, char **argv)
{
	program = getenv("LOCKTOP");
	if (argc < 3 || !program) {
		fputs("usage: LOCKTOP=PROGRAM bench_screen change|kill|idle|graph|many FOLDER\n",
			stderr);
		return 64;
	}
	signal(SIGPIPE, SIG_IGN);
	if (strcmp(argv[1], "change") == 0)
		bench_change(argv[2]);
	else if (strcmp(argv[1], "kill") == 0)
		bench_kill(argv[2]);
	else if (strcmp(argv[1], "idle") == 0)
		bench_idle(argv[2]);
	else if (strcmp(argv[1], "graph") == 0)
		bench_graph(argv[2]);
	else if (strcmp(argv[1], "many") == 0)
		bench_many(argv[2], NULL);
	return 0;
}

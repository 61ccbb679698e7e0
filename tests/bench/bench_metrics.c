/*
 * What a line of the metrics log costs, and how many times a bare write(2) of the same bytes that
 * is: with the descriptor kept, and opened each time, as a program does that writes one line. The
 * ways take turns, so that all have the same machine.
 *
 * Usage: bench_metrics FOLDER...
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "engine/metricslog.h"

enum { TURNS = 100, LINES = 500, N = TURNS * LINES };

static void die(const char *what)
{
	fprintf(stderr, "bench_metrics: %s: %s\n", what, strerror(errno));
	exit(1);
}

static struct metric typical(wall_t ts)
{
	struct metric metric = metric_new(METRIC_ACQUIRED, ts);

	metric.lock = "generation.lock";
	metric.source = "file:/run/lock";
	metric.backend = "file";
	metric.host = "web1";
	metric.pid = 4711;
	metric.wait = 12345678;
	metric.attempts = 1;
	metric.token = "5f0c1a2b3c4d5e6f5f0c1a2b3c4d5e6f";
	metric.fence = 42;
	return metric;
}

/* Where a way writes to; the line for those that write it as it is. */
struct place {
	char path[512];
	struct metricslog log;
	char line[METRIC_LINE];
	size_t len;
	int fd;
};

static void bare_kept(struct place *place)
{
	if (write(place->fd, place->line, place->len) != (ssize_t)place->len)
		die("write");
}

static void bare_opened(struct place *place)
{
	place->fd = open(place->path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
	if (place->fd < 0)
		die(place->path);
	bare_kept(place);
	close(place->fd);
}

static void ours_kept(struct place *place)
{
	struct metric metric = typical(clock_wall(&clock_system));

	metricslog_write(&place->log, &metric);
}

static void ours_opened(struct place *place)
{
	if (metricslog_init(&place->log, place->path, NULL) < 0)
		die(place->path);
	ours_kept(place);
	if (metricslog_complaint(&place->log))
		die(place->log.complaint);
	metricslog_release(&place->log);
}

static struct way {
	const char *name;
	void (*write)(struct place *place);
	int ratio_to; /* -1: none */
	double us[N];
	double mean;
} ways[] = {
	{"bare write(2), descriptor kept", bare_kept, -1, {0}, 0},
	{"metricslog_write(), descriptor kept", ours_kept, 0, {0}, 0},
	{"bare open, write, close", bare_opened, -1, {0}, 0},
	{"metrics log opened each time", ours_opened, 2, {0}, 0},
};

enum { WAYS = sizeof ways / sizeof *ways };

static int compare(const void *a, const void *b)
{
	const double *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

static void open_place(struct place *place, const char *folder, int way)
{
	struct metric metric = typical(clock_wall(&clock_system));

	snprintf(place->path, sizeof place->path, "%s/way-%d.jsonl", folder, way);
	place->len = (size_t)metric_line(&metric, place->line, sizeof place->line);
	place->fd = open(place->path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
	if (place->fd < 0 || metricslog_init(&place->log, place->path, NULL) < 0)
		die(place->path);
}

static void run(const char *folder)
{
	static struct place place[WAYS];

	for (int w = 0; w < WAYS; w++)
		open_place(&place[w], folder, w);
	printf("metrics log in %s, n = %d, lines of %zu bytes:\n", folder, N, place[0].len);
	for (int turn = 0; turn < TURNS; turn++)
		for (int w = 0; w < WAYS; w++)
			for (int i = 0; i < LINES; i++) {
				mono_t began = clock_mono(&clock_system);

				ways[w].write(&place[w]);
				ways[w].us[turn * LINES + i] =
					(double)(clock_mono(&clock_system) - began) / 1000;
			}
	for (int w = 0; w < WAYS; w++) {
		struct way *way = &ways[w];

		way->mean = 0;
		for (int i = 0; i < N; i++)
			way->mean += way->us[i] / N;
		qsort(way->us, N, sizeof *way->us, compare);
		printf("%-44s p50 %.1f, p99 %.1f, mean %.1f us", way->name, way->us[N / 2],
			way->us[N / 100 * 99], way->mean);
		if (way->ratio_to >= 0)
			printf(", %.2f times the bare one (p50)",
				way->us[N / 2] / ways[way->ratio_to].us[N / 2]);
		printf("\n");
		unlink(place[w].path);
	}
	metricslog_release(&place[1].log);
}

int main(int argc, char **argv)
{
	for (int i = 1; i < argc; i++)
		run(argv[i]);
	return 0;
}

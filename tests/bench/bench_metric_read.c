/*
 * How many lines of the metrics log are read in a second: by the scanner, by jansson, and by the
 * search for a time. A million lines of 180 bytes, all different, in memory; one thread. The ways
 * take turns, the best turn counts. Reading writes into the lines, so each turn has a fresh copy.
 */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model/metric_read.h"

enum { LINES = 1000000, LENGTH = 180, TURNS = 5 };

static void die(const char *what)
{
	fprintf(stderr, "bench_metric_read: %s\n", what);
	exit(1);
}

/* The line without its newline is LENGTH bytes: the name of the source fills it up. */
static void make(char *dst, int i)
{
	static const enum metric_event events[] = {
		METRIC_ACQUIRED, METRIC_RELEASED, METRIC_BUSY, METRIC_TIMEOUT};
	struct metric metric = metric_new(
		events[i % 4], (INT64_C(1763866361) + i) * NS_PER_S + rand() % 1000 * NS_PER_MS);
	char line[METRIC_LINE], lock[32], source[256] = "file:/";
	int len;

	snprintf(lock, sizeof lock, "%d.lock", rand() % 500);
	metric.lock = lock;
	metric.backend = "file";
	metric.host = "web1";
	metric.pid = 1 + rand() % 32768;
	metric.wait = i % 4 == 1 ? -1 : rand() % 1000000000;
	metric.hold = i % 4 == 1 ? (int64_t)rand() * 100 : -1;
	metric.attempts = i % 4 == 1 ? -1 : 1 + rand() % 30;
	metric.token = i % 4 < 2 ? "5f0c1a2b" : NULL;
	metric.fence = i % 4 == 3 ? i + 1 : -1;
	metric.source = source;
	len = metric_line(&metric, line, sizeof line) - 1;
	if (len > LENGTH)
		die("the line is too long");
	memset(source + strlen(source), 'f', (size_t)(LENGTH - len));
	if (metric_line(&metric, line, sizeof line) - 1 != LENGTH)
		die("the line has another length");
	memcpy(dst, line, LENGTH + 1);
}

typedef int read_fn(struct metric_reader *reader, char *line, size_t len, struct metric *out);

/* So that nothing is left out because nobody looks at it. */
static int64_t seen;

static int read_time(struct metric_reader *reader, char *line, size_t len, struct metric *out)
{
	(void)reader;
	out->ts = metric_read_time(line, len);
	return out->ts == WALL_UNKNOWN ? -1 : 1;
}

static double turn(read_fn *fn, char *log, struct metric_reader *reader)
{
	mono_t began = clock_mono(&clock_system);
	struct metric metric = metric_new(METRIC_ERROR, 0);

	for (int i = 0; i < LINES; i++) {
		if (fn(reader, log + (size_t)i * (LENGTH + 1), LENGTH, &metric) != 1)
			die("a line is not understood");
		seen += metric.ts + metric.wait;
	}
	return (double)LINES * 1e9 / (double)(clock_mono(&clock_system) - began);
}

static const struct {
	const char *name;
	read_fn *fn;
} ways[] = {
	{"metric_read()", metric_read},
	{"jansson alone", metric_read_by_jansson},
	{"metric_read_time()", read_time},
};

enum { WAYS = sizeof ways / sizeof *ways };

int main(void)
{
	size_t size = (size_t)LINES * (LENGTH + 1);
	char *fresh = malloc(size), *log = malloc(size);
	struct metric_reader reader = {0};
	double best[WAYS] = {0};

	if (!fresh || !log)
		die("out of memory");
	srand(1);
	for (int i = 0; i < LINES; i++)
		make(fresh + (size_t)i * (LENGTH + 1), i);
	for (int t = 0; t < TURNS; t++)
		for (int w = 0; w < WAYS; w++) {
			double rate;

			memcpy(log, fresh, size);
			rate = turn(ways[w].fn, log, &reader);
			best[w] = rate > best[w] ? rate : best[w];
		}
	if (reader.fast != (uint64_t)LINES * TURNS)
		die("the scanner did not take all lines");
	printf("metrics log read, %d lines of %d bytes, best of %d:\n", LINES, LENGTH, TURNS);
	for (int w = 0; w < WAYS; w++)
		printf("%-44s %.2f million lines/s, %.0f MB/s, %.1f times jansson\n", ways[w].name,
			best[w] / 1e6, best[w] * LENGTH / 1e6, best[w] / best[1]);
	metric_reader_release(&reader);
	free(fresh);
	free(log);
	return seen == 0;
}

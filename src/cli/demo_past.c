/* A day of locks that never was, for the demo. */
#include "config.h"
#include "cli/demo_past.h"

#include <errno.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>

#include "base/error.h"
#include "model/metric.h"

enum { STEP_S = 20, STEPS = 86400 / STEP_S };

/* Hours before now. */
#define HOURS(n) ((int64_t)(n)*3600 / STEP_S)

struct past {
	FILE *log;
	char source[256];
	const char *host;
	wall_t at;       /* of the step */
	uint32_t random; /* Numerical Recipes' generator: the same day on every machine */
	int32_t pid;
	int64_t fence;
};

/* From 0 to below 1. */
static double chance(struct past *past)
{
	past->random = past->random * 1664525u + 1013904223u;
	return (past->random >> 8) / 16777216.0;
}

/* Around the median, seldom a multiple of it: as durations are. In ns. */
static int64_t about(struct past *past, double median_ms, double spread)
{
	double normal = -6;

	for (int i = 0; i < 12; i++)
		normal += chance(past);
	return (int64_t)(median_ms * exp(spread * normal) * (double)NS_PER_MS);
}

static void put(struct past *past, const struct metric *metric)
{
	char line[METRIC_LINE];
	int n = metric_line(metric, line, sizeof line);

	if (n > 0)
		fwrite(line, 1, (size_t)n, past->log);
}

static struct metric made(struct past *past, enum metric_event event, const char *lock, wall_t ts)
{
	struct metric metric = metric_new(event, ts);

	metric.lock = lock;
	metric.source = past->source;
	metric.backend = "file";
	metric.host = past->host;
	metric.pid = past->pid;
	return metric;
}

/* Taken and given back within the step. */
static void work(struct past *past, const char *lock, int64_t wait, int64_t hold)
{
	struct metric metric;

	past->pid = 2000 + (past->pid + 1) % 30000;
	metric = made(past, METRIC_ACQUIRED, lock, past->at + wait);
	metric.wait = wait;
	metric.attempts = 1;
	metric.fence = ++past->fence;
	put(past, &metric);
	metric.event = METRIC_RELEASED;
	metric.ts += hold;
	metric.wait = metric.attempts = -1;
	metric.hold = hold;
	metric.exit_code = 0;
	put(past, &metric);
}

static void fail(struct past *past, enum metric_event event, const char *lock, int64_t wait,
	const char *holder)
{
	struct metric metric = made(past, event, lock, past->at + wait);

	metric.wait = wait;
	metric.holder = holder;
	metric.holder_host = past->host;
	metric.holder_pid = past->pid;
	put(past, &metric);
}

/* Busy by day, quiet at night; for half an hour nine hours ago too many want it. */
static void mail(struct past *past, int64_t left)
{
	static const char lock[] = "mail-queue.lock";
	double load = 0.55 - 0.35 * cos((double)left / STEPS * 6.283);
	bool is_rush = left < HOURS(9) && left > HOURS(9) - HOURS(1) / 2;

	if (chance(past) < load)
		work(past, lock, about(past, is_rush ? 420 : 6, 0.9), about(past, 240, 0.6));
	if (chance(past) < (is_rush ? 0.5 : 0.01))
		fail(past, METRIC_TIMEOUT, lock, 500 * NS_PER_MS, "mail-worker");
}

/* Every two minutes; 14 hours ago its holder died, and for 40 minutes nothing was generated. */
static void story(struct past *past, int64_t left)
{
	static const char lock[] = "story-generation.lock";
	struct metric metric;

	if (left % (120 / STEP_S))
		return;
	if (left > HOURS(14) || left <= HOURS(14) - HOURS(2) / 3) {
		work(past, lock, about(past, 900, 0.8), about(past, 4500, 0.25));
		return;
	}
	if (left - 120 / STEP_S > HOURS(14) - HOURS(2) / 3) {
		fail(past, METRIC_BUSY, lock, 0, "story-worker");
		return;
	}
	metric = made(past, METRIC_STALE, lock, past->at);
	metric.reason = "its holder is gone: no such process";
	metric.holder = "story-worker";
	metric.holder_age = 40 * 60 * NS_PER_S;
	put(past, &metric);
	metric.event = METRIC_RELEASED_STALE;
	metric.user = "oncall";
	put(past, &metric);
}

/* Every quarter of an hour, for half a minute: what hangs now is far beyond that. */
static void import(struct past *past, int64_t left)
{
	if (left % (900 / STEP_S) == 0)
		work(past, "import.lock", about(past, 2, 0.5), about(past, 31000, 0.2));
}

static void write_day(struct past *past, wall_t now)
{
	/* The last minute is the workers' own. */
	for (int64_t left = STEPS; left > 60 / STEP_S; left--) {
		past->at = now - left * STEP_S * NS_PER_S;
		mail(past, left);
		story(past, left);
		import(past, left);
	}
}

int demo_past_write(
	const char *log, const char *folder, const char *host, wall_t now, struct error *err)
{
	struct past past = {.log = fopen(log, "wxe"), .host = host, .random = 20261123};
	int result = 0;

	if (!past.log)
		return error_sys(err, -errno, "cannot write %s", log);
	snprintf(past.source, sizeof past.source, "file:%s", folder);
	write_day(&past, now);
	if (ferror(past.log))
		result = -EIO;
	if (fclose(past.log) != 0)
		result = -errno;
	return result < 0 ? error_sys(err, result, "cannot write %s", log) : 0;
}

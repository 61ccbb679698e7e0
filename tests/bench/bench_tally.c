/*
 * What counting a line of the metrics log costs, once it is read, and asking the model for a window
 * and for a graph of 200 columns: of one lock, and of all.
 */
#include "config.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "model/metrics.h"

enum { LINES_MAX = 1000000, COLUMNS = 200, TIMES = 20, LOCKS_MAX = 200 };

#define END (INT64_C(1760000000) * NS_PER_S)

static uint64_t seed = 88172645463325252;

static double random_part(void)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return (double)(seed >> 11) / (double)(UINT64_C(1) << 53);
}

static double began;

/* Of this process, so that what else the machine does counts less. */
static double cpu_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
	return (double)now.tv_sec * 1e9 + (double)now.tv_nsec;
}

static void begin(void)
{
	began = cpu_ns();
}

static double ns(void)
{
	return cpu_ns() - began;
}

/* About the normal distribution, from -3 to 3. */
static double random_normal(void)
{
	double sum = 0;

	for (int i = 0; i < 12; i++)
		sum += random_part();
	return (sum - 6) / 2;
}

static int64_t random_ns(double median_ms, double spread)
{
	return (int64_t)(median_ms * exp(spread * random_normal()) * 1e6);
}

/* What is different in each line: little, so that reading it costs nothing. */
struct line {
	enum metric_event event;
	int lock;
	int64_t ns;
};

static char name[LOCKS_MAX][16];

/*
 * Waits are short mostly, and long at times; each lock has its own length of holds; of ten tries
 * one fails.
 */
static void make_lines(struct line *line, int lines, int locks)
{
	for (int i = 0; i < lines; i++) {
		int kind = (int)(random_part() * 19), lock = (int)(random_part() * locks);

		line[i].lock = lock;
		line[i].event = kind < 9    ? METRIC_ACQUIRED
				: kind < 18 ? METRIC_RELEASED
					    : METRIC_BUSY;
		line[i].ns = line[i].event == METRIC_ACQUIRED
				     ? random_ns(2, 1.5)
				     : random_ns(100 + lock % 10 * 1000, 0.5);
	}
}

static void count(
	struct metrics *metrics, const struct line *line, int lines, int64_t span, const char *what)
{
	struct metric metric = metric_new(METRIC_ACQUIRED, 0);
	size_t most = 0;

	metric.source = "file:/run/lock";
	metric.backend = "file";
	metric.host = "web1";
	metric.holder = "php";
	begin();
	for (int i = 0; i < lines; i++) {
		metric.event = line[i].event;
		metric.ts = END - span + span / lines * i;
		metric.lock = name[line[i].lock];
		metric.wait = metric.hold = line[i].ns;
		if (metrics_add(metrics, &metric) < 0)
			exit(70);
		if (metrics->bytes > most)
			most = metrics->bytes;
	}
	printf("%-46s%8.1f ns a line, %.1f MB\n", what, ns() / lines, (double)most / (1 << 20));
}

static void ask(const struct series_set *set, enum window window, const char *whom)
{
	struct point point[COLUMNS];
	struct tally tally = {0};
	double asked, drawn;

	begin();
	for (int i = 0; i < TIMES; i++) {
		tally_clear(&tally);
		if (series_window(set, window, END, &tally) < 0)
			exit(70);
	}
	asked = ns() / TIMES;
	begin();
	for (int i = 0; i < TIMES; i++)
		if (series_points(set, window, END, point, COLUMNS) < 0)
			exit(70);
	drawn = ns() / TIMES;
	printf("  %-4s %-12s window %8.1f us, %d columns %8.1f us, %llu values in %u buckets\n",
		window_info[window].word, whom, asked / 1e3, COLUMNS, drawn / 1e3,
		(unsigned long long)tally.wait.count, tally.wait.n);
	tally_release(&tally);
}

static void measure(int lines, int locks, int64_t span, const char *word)
{
	static struct line line[LINES_MAX];
	struct metrics metrics;
	struct series_set one = {.n = 1}, all = {.n = 1};
	char what[64];

	for (int i = 0; i < locks; i++)
		snprintf(name[i], sizeof name[i], "job-%03d.lock", i);
	make_lines(line, lines, locks);
	snprintf(what, sizeof what, "%d lines of %d locks in %s, totals", lines, locks, word);
	if (metrics_init(&metrics, METRICS_TOTALS, 0, 0) < 0)
		exit(70);
	count(&metrics, line, lines, span, what);
	metrics_release(&metrics);
	snprintf(what, sizeof what, "%d lines of %d locks in %s, to be sent", lines, locks, word);
	if (metrics_init(&metrics, METRICS_SAMPLES, 0, 0) < 0)
		exit(70);
	metrics_expect(&metrics, END);
	count(&metrics, line, lines, span, what);
	metrics_release(&metrics);
	snprintf(what, sizeof what, "%d lines of %d locks in %s, series", lines, locks, word);
	if (metrics_init(&metrics, METRICS_SERIES, 0, 0) < 0)
		exit(70);
	count(&metrics, line, lines, span, what);
	one.at[0] = metrics_find(&metrics, "/run/lock/job-000.lock");
	all.at[0] = &metrics.all;
	for (int window = 0; window < WINDOW_COUNT; window++) {
		wall_t known = series_known_from(&metrics, window, END);

		ask(&one, window, "of one lock:");
		ask(&all, window, "of all:");
		if (known)
			printf("  %-4s known for %.1f h\n", window_info[window].word,
				(double)(END - known) / NS_PER_S / 3600);
	}
	metrics_release(&metrics);
}

int main(void)
{
	measure(20000, 20, 7 * 86400 * NS_PER_S, "7 days");
	measure(LINES_MAX, 20, 3600 * NS_PER_S, "1 hour");
	measure(LINES_MAX, 20, 7 * 86400 * NS_PER_S, "7 days");
	measure(LINES_MAX, 200, 7 * 86400 * NS_PER_S, "7 days");
	return 0;
}

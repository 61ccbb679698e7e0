/*
 * What stepping back costs: an event that is kept, the memory of it, and a step made again; and the
 * list at 200x60 with what a log says of each lock.
 */
#include "config.h"

#include <locale.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ui/top.h"

enum { STEPS = 100, LINES = 100000, ROWS = 60, COLS = 200, FRAMES = 200 };

#define NOW  (INT64_C(1000000) * NS_PER_S)
#define WALL (INT64_C(1760000000) * NS_PER_S)

static mono_t began;

static void begin(void)
{
	began = clock_mono(&clock_system);
}

static double ns(void)
{
	return (double)(clock_mono(&clock_system) - began);
}

static struct lock *make(int i, int pid)
{
	struct process *holder;
	struct lock *lock;
	char name[40];

	snprintf(name, sizeof name, "job-%06d.lock", i);
	lock = lock_new(name);
	holder = lock ? lock_add_holder(lock) : NULL;
	if (!holder)
		exit(70);
	lock->kernel = KERNEL_VIEW_COMPLETE;
	lock->record.format = RECORD_PLAIN;
	lock->record.pid = holder->pid = pid;
	lock->since_mono = NOW - (int64_t)(i * 7919LL % 900) * NS_PER_S;
	lock->record.time = (WALL - NOW + lock->since_mono) / NS_PER_S;
	snprintf(lock->version, sizeof lock->version, "v%d", pid);
	holder->life = LIFE_ALIVE;
	holder->command = strdup("/usr/bin/php /var/www/html/wp-cron.php");
	strcpy(holder->comm, "php");
	return lock;
}

static void start(struct model *model)
{
	if (model_init(model, "web1") < 0 || model_add_source(model, "file:/run/lock") < 0)
		exit(70);
	model_tick(model, NOW, WALL);
}

static void tell(struct model *model, struct history *history, const struct event *event)
{
	if (model_apply(model, 0, event) < 0 ||
		(history && history_note(history, model, 0, event) < 0))
		exit(70);
}

/* A first look, and then one change after the other, a millisecond apart. */
static void run(struct model *model, struct history *history, int locks, int changes)
{
	struct event scanned = {.kind = EVENT_SCANNED};

	for (int i = 0; i < locks + changes; i++) {
		struct event event = {.kind = EVENT_LOCK, .lock = make(i % locks, 1 + i / locks)};

		if (i >= locks)
			model_tick(model, model->now + NS_PER_MS, model->now_wall + NS_PER_MS);
		if (i >= locks && history)
			history_note_tick(history, model);
		tell(model, history, &event);
		if (i == locks - 1)
			tell(model, history, &scanned);
		lock_unref(event.lock);
	}
}

static size_t used(void)
{
	struct mallinfo2 info = mallinfo2();

	return info.uordblks + info.hblkhd;
}

static int by_size(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static void say(const char *what, double *ms, int n)
{
	qsort(ms, (size_t)n, sizeof *ms, by_size);
	printf("%-46s n=%d p50 %.2f p99 %.2f max %.2f ms\n", what, n, ms[(n - 1) / 2],
		ms[n * 99 / 100 - 1], ms[n - 1]);
}

static void step_back(const struct history *history, const struct model *model, const char *what)
{
	uint64_t first = history_first(history), end = history_end(history);
	double ms[STEPS];
	char text[80];

	for (int i = 0; i < STEPS; i++) {
		struct model past;

		begin();
		if (history_model(history, model,
			    first + (end - first) * (uint64_t)(i * 37 % STEPS) / STEPS, &past) < 0)
			exit(70);
		ms[i] = ns() / 1e6;
		model_release(&past);
	}
	snprintf(text, sizeof text, "%s: a step is made", what);
	say(text, ms, STEPS);
}

static void measure(int locks, int changes, const char *what)
{
	struct history *history = history_new(NULL);
	struct model without, with;
	double plain, noted;
	size_t before, after;

	start(&without);
	start(&with);
	begin();
	run(&without, NULL, locks, changes);
	plain = ns() / (locks + changes);
	before = used();
	begin();
	run(&with, history, locks, changes);
	noted = ns() / (locks + changes);
	after = used();
	printf("%s: an event %.0f ns, kept as well %.0f ns\n", what, plain, noted);
	model_release(&without);
	printf("%s: %llu steps kept, counted %.1f MB, with the model itself %.1f MB\n", what,
		(unsigned long long)(history_end(history) - history_first(history)),
		(double)history_bytes(history) / 1e6, (double)(after - before) / 1e6);
	step_back(history, &with, what);
	history_free(history);
	model_release(&with);
}

/* Half of the lines are waits, half are holds, over the last hour. */
static void fill_log(struct model *model, int locks)
{
	struct metrics *metrics = calloc(1, sizeof *metrics);
	char name[32];

	if (!metrics || metrics_init(metrics, METRICS_SERIES, 0, 0) < 0)
		exit(70);
	for (int i = 0; i < LINES; i++) {
		struct metric metric = metric_new(i % 2 ? METRIC_RELEASED : METRIC_ACQUIRED,
			WALL - INT64_C(3600) * NS_PER_S / LINES * (LINES - i));

		snprintf(name, sizeof name, "job-%06d.lock", i / 2 % locks);
		metric.lock = name;
		metric.source = "file:/run/lock";
		metric.wait = (int64_t)(i * 7919LL % 30000) * 1000000;
		metric.hold = (int64_t)(i * 104729LL % 30000) * 10000000;
		metrics_add(metrics, &metric);
	}
	model->source[1].metrics = metrics;
}

static void draw_list(bool has_log)
{
	struct policy policy = {0};
	struct canvas canvas;
	struct model model;
	struct top top;
	double ms[FRAMES];

	start(&model);
	if (has_log && model_add_source(&model, "log:/var/log/locktop/metrics.jsonl") < 0)
		exit(70);
	run(&model, NULL, ROWS, 0);
	if (has_log)
		fill_log(&model, ROWS);
	model_tick(&model, NOW + NS_PER_S, WALL + NS_PER_S);
	top_init(&top, &model, &policy, &glyphs_table[GLYPHS_BOX]);
	top.rows = ROWS;
	top.cols = COLS;
	if (canvas_init(&canvas, ROWS, COLS) < 0)
		exit(70);
	for (int i = 0; i < FRAMES; i++) {
		begin();
		top_update(&top);
		canvas_clear(&canvas);
		top_draw(&top, &canvas);
		ms[i] = ns() / 1e6;
	}
	say(has_log ? "list at 200x60, with small graphs" : "list at 200x60, no log", ms, FRAMES);
	canvas_release(&canvas);
	top_release(&top);
	model_release(&model);
}

int main(void)
{
	setlocale(LC_CTYPE, "C.UTF-8");
	measure(50, 20000, "50 locks");
	measure(100000, 20000, "100,000 locks");
	draw_list(false);
	draw_list(true);
	return 0;
}

/* The metrics view at 200x60: counted anew after a line of the log, and drawn. */
#include "config.h"

#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ui/top.h"

enum { LINES = 100000, LOCKS = 50, CALLS = 200, ROWS = 60, COLS = 200 };

#define NOW  (INT64_C(1000000) * NS_PER_S)
#define WALL (INT64_C(1760000000) * NS_PER_S)

static unsigned int seed = 1;

static unsigned int dice(unsigned int n)
{
	seed = seed * 1103515245 + 12345;
	return (seed >> 16) % n;
}

/* Pairs of lines over 7 days; waits and holds of all sizes. */
static void fill(struct metrics *metrics)
{
	char name[32];

	for (int i = 0; i < LINES / 2; i++) {
		struct metric metric = metric_new(METRIC_ACQUIRED,
			WALL - (INT64_C(604800) * NS_PER_S) / (LINES / 2) * (LINES / 2 - i));

		snprintf(name, sizeof name, "job-%u.lock", dice(LOCKS));
		metric.lock = name;
		metric.source = "file:/run/lock";
		metric.wait = (int64_t)dice(30000) * dice(300) * 1000;
		metrics_add(metrics, &metric);
		metric.event = dice(20) ? METRIC_RELEASED : METRIC_TIMEOUT;
		metric.hold = (int64_t)dice(30000) * dice(300) * 10000;
		metrics_add(metrics, &metric);
	}
}

static int by_size(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static void report(const char *what, const char *window, double *ms)
{
	qsort(ms, CALLS, sizeof *ms, by_size);
	printf("metrics view at 200x60, %-4s %-14s n=%d p50 %.2f p99 %.2f max %.2f ms\n", window,
		what, CALLS, ms[(CALLS - 1) / 2], ms[CALLS * 99 / 100 - 1], ms[CALLS - 1]);
}

static double since(mono_t began)
{
	return (double)(clock_mono(&clock_system) - began) / 1e6;
}

static void measure(struct top *top, struct canvas *canvas, struct metrics *metrics)
{
	double counted[CALLS], drawn[CALLS];

	for (int i = 0; i < CALLS; i++) {
		mono_t began;

		metrics->changes++;
		top->page.cost = 0; /* else it would wait */
		began = clock_mono(&clock_system);
		top_update(top);
		counted[i] = since(began);
		canvas_clear(canvas);
		began = clock_mono(&clock_system);
		top_draw(top, canvas);
		drawn[i] = since(began);
	}
	report("counted anew", window_info[top->page.window].word, counted);
	report("drawn", window_info[top->page.window].word, drawn);
}

int main(void)
{
	struct policy policy = {0};
	struct model model;
	struct canvas canvas;
	struct metrics *metrics = calloc(1, sizeof *metrics);
	struct top top;

	setlocale(LC_CTYPE, "C.UTF-8");
	if (!metrics || metrics_init(metrics, METRICS_SERIES, 0, 0) < 0 ||
		model_init(&model, "web1") < 0 || model_add_source(&model, "log:/metrics") < 0 ||
		canvas_init(&canvas, ROWS, COLS) < 0)
		return 70;
	model.source[0].metrics = metrics;
	fill(metrics);
	model_tick(&model, NOW, WALL);
	top_init(&top, &model, &policy, &glyphs_table[GLYPHS_BRAILLE]);
	top.rows = ROWS;
	top.cols = COLS;
	top_act(&top, ACTION_METRICS);
	for (int window = 0; window < WINDOW_COUNT; window++) {
		top.page.window = (enum window)window;
		measure(&top, &canvas, metrics);
	}
	top_release(&top);
	model_release(&model);
	canvas_release(&canvas);
	return 0;
}

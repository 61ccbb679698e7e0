/* The range of a graph: round numbers that have room for all there is to show. */
#include "config.h"
#include "ui/graph.h"

#include <math.h>

/* Below nothing is told apart: the log has microseconds. */
#define LEAST_TOP (10 * NS_PER_MS / 1000)
#define LEAST_LOW (NS_PER_MS / 1000)

/* Round numbers with round halves: tenths of a decade, and of times that have minutes in them. */
static const int64_t tenths[] = {10, 12, 15, 20, 25, 30, 40, 50, 60, 80};
static const int64_t seconds[] = {10, 12, 15, 20, 30, 40, 60, 120, 180, 240, 300, 600, 900, 1200,
	1800, 2400, 3600, 7200, 10800, 14400, 21600, 43200, 86400};

static int64_t decade_below(int64_t value, int64_t least)
{
	int64_t decade = least;

	while (decade <= value / 10)
		decade *= 10;
	return decade;
}

/* The next of the tenths of a decade. */
static int64_t round_decimal(int64_t value, int64_t least)
{
	int64_t decade = decade_below(value, least);

	for (size_t i = 0; i < sizeof tenths / sizeof *tenths; i++) {
		/* Counts have no fractions, and their halves have none either. */
		int64_t top = decade >= 10 ? decade / 10 * tenths[i] : tenths[i] / 10;

		if (tenths[i] % 10 && decade < 10)
			continue;
		if (top >= value)
			return top;
	}
	return decade > INT64_MAX / 10 ? INT64_MAX : decade * 10;
}

static int64_t round_duration(int64_t value)
{
	int64_t day = seconds[sizeof seconds / sizeof *seconds - 1] * NS_PER_S;

	if (value <= LEAST_TOP)
		return LEAST_TOP;
	if (value <= seconds[0] * NS_PER_S)
		return round_decimal(value, LEAST_TOP);
	for (size_t i = 0; i < sizeof seconds / sizeof *seconds; i++)
		if (seconds[i] * NS_PER_S >= value)
			return seconds[i] * NS_PER_S;
	return value > INT64_MAX / 2 ? INT64_MAX : round_decimal((value + day - 1) / day, 1) * day;
}

/* The values of a point that are drawn, or false. */
static bool durations(const struct graph *graph, const struct point *point, struct percentiles *out)
{
	*out = graph->kind == GRAPH_WAIT ? point->wait : point->hold;
	return out->n > 0;
}

static int64_t count(const struct graph *graph, const struct point *point)
{
	uint64_t n = graph->kind == GRAPH_FAILED ? point->failed : point->stale;

	return n > INT64_MAX ? INT64_MAX : (int64_t)n;
}

static struct graph_scale scale_of_counts(const struct graph *graph)
{
	struct graph_scale scale = {.hi = 2, .is_count = true};

	for (size_t i = 0; i < graph->n; i++)
		if (count(graph, &graph->point[i]) > scale.hi)
			scale.hi = count(graph, &graph->point[i]);
	scale.hi = round_decimal(scale.hi, 1);
	return scale;
}

static struct graph_scale logarithmic(int64_t lo, int64_t hi)
{
	struct graph_scale scale = {.lo = decade_below(lo, LEAST_LOW), .is_log = true};

	scale.hi = decade_below(hi, LEAST_LOW);
	if (scale.hi < hi && scale.hi <= INT64_MAX / 10)
		scale.hi *= 10;
	if (scale.hi <= scale.lo && scale.lo <= INT64_MAX / 10)
		scale.hi = scale.lo * 10;
	else if (scale.hi <= scale.lo)
		scale.lo = scale.hi / 10;
	return scale;
}

struct graph_scale graph_scale(const struct graph *graph)
{
	int64_t hi = graph->held > graph->usual ? graph->held : graph->usual, lo = INT64_MAX;
	struct percentiles of;

	if (graph->kind == GRAPH_FAILED || graph->kind == GRAPH_STALE)
		return scale_of_counts(graph);
	for (size_t i = 0; i < graph->n; i++) {
		if (!durations(graph, &graph->point[i], &of))
			continue;
		hi = of.max > hi ? of.max : hi;
		lo = of.p50 < lo ? of.p50 : lo;
	}
	if (graph->is_log)
		return logarithmic(lo < hi ? lo : hi, hi);
	return (struct graph_scale){.hi = round_duration(hi)};
}

double graph_height(const struct graph_scale *scale, int64_t value)
{
	if (value <= scale->lo)
		return 0;
	if (value >= scale->hi)
		return 1;
	if (scale->is_log)
		return log10((double)value / (double)scale->lo) /
		       log10((double)scale->hi / (double)scale->lo);
	return (double)(value - scale->lo) / (double)(scale->hi - scale->lo);
}

static int decades(const struct graph_scale *scale)
{
	int n = 0;

	for (int64_t value = scale->lo; value < scale->hi; value *= 10)
		n++;
	return n;
}

int graph_labels(const struct graph_scale *scale, int most, int64_t value[GRAPH_LABELS])
{
	int n = 0, every;

	most = most > GRAPH_LABELS ? GRAPH_LABELS : most;
	if (most < 1)
		return 0;
	if (most == 1 || !scale->is_log) {
		if (most > 1)
			value[n++] = scale->lo;
		if (most > 2 && (!scale->is_count || scale->hi % 2 == 0))
			value[n++] = scale->lo + (scale->hi - scale->lo) / 2;
		value[n++] = scale->hi;
		return n;
	}
	every = (decades(scale) + most - 2) / (most - 1);
	for (int64_t at = scale->lo; n < most; n++) {
		value[n] = at;
		for (int i = 0; i < every; i++) {
			if (at > scale->hi / 10)
				return n + 1;
			at *= 10;
		}
	}
	return n;
}

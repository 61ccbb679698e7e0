/*
 * One graph of what the metrics log says: from points to cells, a pure function of any size from
 * 1x1. What there is no room for goes, the least important first: in one row a sparkline beside
 * the numbers is left, in less the numbers alone.
 *
 * A column in which nothing was measured is a gap, never a zero: a measured zero is a dot on the
 * ground.
 */
#ifndef LOCKTOP_UI_GRAPH_H
#define LOCKTOP_UI_GRAPH_H

#include "model/metrics.h"
#include "ui/canvas.h"
#include "ui/glyphs.h"

/* id, title, short title, the row of letters below */
#define GRAPHS(_)                                     \
	_(WAIT, "acquisition wait", "wait", FAILURES) \
	_(HOLD, "hold time", "hold", DEEDS)           \
	_(FAILED, "failed attempts", "failed", DEEDS) \
	_(STALE, "stale locks", "stale", DEEDS)

enum graph_kind {
#define _(id, title, brief, row) GRAPH_##id,
	GRAPHS(_)
#undef _
		GRAPH_COUNT
};

enum { GRAPH_NUMBERS = 4 };

struct graph {
	enum graph_kind kind;
	const struct point *point; /* borrowed; in the order of time, without holes */
	size_t n;
	bool is_log;    /* durations on a logarithmic scale; counts are linear always */
	bool has_clock; /* the end is not now: times of day below instead of "-1h … now" */
	const char *number[GRAPH_NUMBERS]; /* borrowed; the longest that fits is shown */
	const char *note; /* borrowed; NULL: none. "held 14m now; p99 of last 7d: 40s (n=1204)" */
	enum style note_style;
	int64_t held;  /* ns, of the hold that is not over; 0: none. Drawn right of the last column
			*/
	int64_t usual; /* ns, a p99 to compare with: a dashed line; 0: none */
};

/* The range of values from bottom to top. */
struct graph_scale {
	int64_t lo, hi; /* ns, or a count; lo < hi */
	bool is_log;    /* lo and hi are powers of ten then */
	bool is_count;
};

/* How high a value stands, 0 to 1. */
struct graph_scale graph_scale(const struct graph *graph);
double graph_height(const struct graph_scale *scale, int64_t value);
/* Values worth a label, from the bottom up: at most `most`; returns how many. */
enum { GRAPH_LABELS = 4 };
int graph_labels(const struct graph_scale *scale, int most, int64_t value[GRAPH_LABELS]);

void graph_draw(struct canvas *canvas, struct rect rect, const struct graph *graph,
	const struct glyphs *glyphs);
/* How many points a graph that is so wide can tell apart. */
size_t graph_columns(int cols, const struct glyphs *glyphs);
/*
 * What the letters mean that stand below these points; returns the columns used, 0: no letters.
 * canvas NULL only tells whether there are any.
 */
int graph_legend(struct canvas *canvas, struct rect rect, const struct point *point, size_t n);

#endif

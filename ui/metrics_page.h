/*
 * The page of the metrics view: what it is asked to show, and that as it was counted last. Counting
 * takes longer than drawing, so it is done when something changed, by top_update(); draw() only
 * draws.
 */
#ifndef LOCKTOP_UI_METRICS_PAGE_H
#define LOCKTOP_UI_METRICS_PAGE_H

#include "model/metrics.h"
#include "ui/graph.h"

struct top;
struct model;

enum { PAGE_WAITED = 3 };

/* What the numbers were counted from; while this stays the same, so do they. */
struct page_key {
	const struct model *model;
	uint64_t changes; /* of the logs */
	int64_t slot;     /* the last of the window */
	enum window window;
	uint64_t lock; /* a hash of its name; 0: all locks */
	size_t n;      /* points */
};

/* A zeroed one is empty; window, is_log and is_all are the user's choice. */
struct metrics_page {
	enum window window;
	bool is_log, is_all;
	struct page_key key;
	mono_t cost, counted; /* ns that counting took, and when that was */
	char *name, *address; /* owned; the lock that was selected, also when it has gone */
	struct tally tally;   /* owned; of the window */
	struct point *point;  /* owned */
	size_t n, size;       /* points, and room for them */
	struct waited_for waited[PAGE_WAITED];
	wall_t known_from; /* 0: all of the window is known */
	wall_t first;      /* ts of the first line of all logs; 0: none */
	size_t locks;      /* in the logs */
};

/* Counts anew if anything changed that matters. */
void metrics_page_update(struct top *top);
void metrics_page_release(struct metrics_page *page);

/* Where things go in the body; those for which there is no room have no rows. */
struct page_plan {
	struct rect text; /* counts and what has to be said */
	struct rect graph[GRAPH_COUNT];
	struct rect legend;
};

/*
 * text_rows is what the text would take, notices how many of its first rows matter more than a
 * larger graph; has_legend: letters stand below the plots.
 */
struct page_plan page_plan(struct rect body, int text_rows, int notices, bool has_legend);

#endif

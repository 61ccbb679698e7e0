/*
 * The small graphs of the list as they were counted last: counting takes far longer than drawing,
 * so it is done when something changed, by top_update(), and for the rows that are on the screen.
 */
#ifndef LOCKTOP_UI_LEVELS_H
#define LOCKTOP_UI_LEVELS_H

#include "model/columns.h"
#include "ui/table.h"

struct top;

enum { LEVELS_COLS = 120, LEVELS_KEPT = 256, LEVELS_TEXT = 16 }; /* COLS: of the screen */

/* Those of a lock, by the hash of its name. */
struct small_graph {
	uint64_t lock;    /* 0: unused */
	uint64_t changes; /* of what logs say of it */
	int64_t slot;     /* the last of the hour */
	char waits[LEVELS_TEXT], holds[LEVELS_TEXT];
};

void levels_update(struct top *top);
/* What table_row() takes; without texts where nothing was counted. */
struct table_levels levels_of(const struct top *top, const struct entry *entry);

#endif

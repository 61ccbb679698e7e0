/*
 * A line per change, for screen readers, logs and pipes: no cursor, no colour, no redraw.
 * "12:03:41 /run/lock/import.lock: HELD -> STALE: pid 4711 is gone: no such process. release it:
 * SAFE"
 */
#ifndef LOCKTOP_UI_PLAIN_H
#define LOCKTOP_UI_PLAIN_H

#include "base/buf.h"
#include "model/model.h"

struct plain {
	size_t said; /* model->happened when last asked */
	/* Borrowed; which locks are said, NULL: all. What is gone, and the sources, always are. */
	const struct selection *selection;
};

/* Appends a line for whatever happened since the last call, oldest first. 0 or -ENOMEM. */
int plain_changes(struct plain *plain, const struct model *model, struct buf *out);
/* The opening lines: one a source, one a lock that is not FREE, and a summary. */
int plain_opening(struct plain *plain, const struct model *model, struct buf *out);

#endif

/*
 * What `locktop watch --metrics` says: a line for each event that somebody wants to know at once,
 * and what was counted in each interval, as text or as JSON Lines.
 */
#ifndef LOCKTOP_CLI_WATCH_H
#define LOCKTOP_CLI_WATCH_H

#include "base/buf.h"
#include "model/metrics.h"

/* slow, lost, stale, taken_over, released_stale, forced, signalled */
bool watch_is_told(enum metric_event event);
/* Appends the event's line. 0 or -ENOMEM. */
int watch_event(const struct metric *metric, bool is_json, struct buf *out);
/*
 * Appends a line a lock of which anything was counted, and one for all; bad: lines that were not
 * understood. 0 or -ENOMEM.
 */
int watch_interval(const struct metrics *metrics, wall_t now, int64_t length, uint64_t bad,
	bool is_json, struct buf *out);

#endif

/* What the parts of the reader share: the whole is metric_read.h. */
#ifndef LOCKTOP_MODEL_METRIC_READ_PRIVATE_H
#define LOCKTOP_MODEL_METRIC_READ_PRIVATE_H

#include "model/metric_read.h"

/* The year 2200: what comes later was never written by a clock that is right. */
#define METRIC_TS_END (INT64_C(7258118400) * NS_PER_S)

/*
 * Parses len bytes into reader->object; the one before is released. 0, -EINVAL (no JSON) or
 * -ENOMEM. With `any` a value that is no object will do.
 */
int metric_read_json(struct metric_reader *reader, const char *text, size_t len, bool any);
/*
 * value * scale to the nearest integer, at most INT64_MAX. False: no number, or below zero.
 */
bool metric_read_fixed(const json_t *value, int64_t scale, int64_t *out);
/* Makes the texts of a metric, which are borrowed, clean; "" becomes NULL. 0 or -ENOMEM. */
int metric_read_clean(struct metric_reader *reader, struct metric *metric);
/*
 * Takes a line of the common form. False: it is another, nothing is said about it, and it is as it
 * was.
 */
bool metric_scan(char *line, size_t len, struct metric *out);
/* A line that does not begin with "{": see metric_read(). */
int metric_read_debug(
	struct metric_reader *reader, const char *line, size_t len, struct metric *out);
/* The time in front of a line of a debug.log: WALL_UNKNOWN if there is none, or none in UTC. */
wall_t metric_read_stamp(const char *line, size_t len);

#endif

/*
 * Reads lines of the metrics log (locktop-metrics(5)), and the plugin's "AISTMA Lock Debug: {…}"
 * lines of a WordPress debug.log. What comes in is untrusted: a line that is not understood says
 * so and is counted by the caller, never guessed.
 *
 * jansson is the reference. A line of the common form (one flat object of printable ASCII without
 * backslashes and blanks between, numbers without sign and exponent that a double holds to the last
 * decimal) is read by a scanner of our own, about twenty times as fast, which leaves every other
 * line to jansson; on what it takes both say the same.
 */
#ifndef LOCKTOP_MODEL_METRIC_READ_H
#define LOCKTOP_MODEL_METRIC_READ_H

#include "model/metric.h"
#include <jansson.h>
#include <stdbool.h>

/* A zeroed one is ready. Holds what the texts of the last metric are borrowed from. */
struct metric_reader {
	json_t *object; /* owned; of the last line that jansson read */
	char *clean;    /* owned; texts of it that had to be cleaned */
	size_t clean_size;
	bool is_debug_log; /* the last line that said what log this is was one of a debug.log */
	uint64_t fast;     /* lines that the scanner took */
	uint64_t ignored;  /* objects that are well-formed but no metric: another "event" or "v" */
};

void metric_reader_release(struct metric_reader *reader);
/*
 * A line without its newline. It may be written to, and line[len] has to be writable (a NUL is put
 * there). 1: *out is it, its texts clean and borrowed until the next call or change of the line;
 * ts to the microsecond, waits and holds to the nanosecond. 0: nothing to count (an empty line; an
 * event or version not known here; any other line of a debug.log). -EINVAL: not understood (no
 * JSON object, a NUL byte, no or a wrong ts, event or lock, a known key of a wrong type or below
 * zero; null is as good as absent, and error and fallback need no lock). -ENOMEM.
 *
 * A line that begins with "{" is one of ours. A line of a debug.log begins with "[23-Nov-2026
 * 03:07:33 UTC] "; what follows it without such a beginning (a stack trace) belongs to it, up to
 * the next line of ours. Before the first of either, and behind one of ours, it is not understood.
 */
int metric_read(struct metric_reader *reader, char *line, size_t len, struct metric *out);
/* The same by jansson alone: the reference, for tests. */
int metric_read_by_jansson(
	struct metric_reader *reader, char *line, size_t len, struct metric *out);
/*
 * When a line was written, without reading the rest of it, for a search by time: "ts", or the
 * "[23-Nov-2026 03:07:33 UTC]" of a debug.log. WALL_UNKNOWN: cannot be told.
 */
wall_t metric_read_time(const char *line, size_t len);

#define WALL_UNKNOWN INT64_MIN

#endif

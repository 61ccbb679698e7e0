/*
 * Reads metrics logs into the model in this process: for report, compare, export and check, which
 * read and end. (The monitor follows logs through sources of their own, log:.)
 */
#ifndef LOCKTOP_ENGINE_METRICSREAD_H
#define LOCKTOP_ENGINE_METRICSREAD_H

#include "model/metrics.h"

struct error;
struct settings;

struct metricsread {
	/* In: */
	const char *const *log; /* paths or patterns; a file that several name is read once */
	size_t logs;
	bool rotated;        /* also what was rotated away, .gz included */
	wall_t since, until; /* lines from since on and before until; 0: no bound */
	/* Each line besides metrics_add(), in order within a file; may be NULL. Not 0 ends it. */
	int (*line)(void *data, const struct metric *metric);
	void *data;
	/* Out: */
	/* Taken; not understood (too long and torn ones too) and others, each within the bounds. */
	uint64_t lines, bad, ignored;
	size_t files;       /* that were read */
	wall_t first, last; /* ts of the first and last line taken; 0: none */
	char missing[256];  /* the first log that is not there, clean; "": none */
};

/*
 * metrics may be NULL (only `line` is wanted); metrics->bad is set. 0, what `line` ended it with,
 * or -errno with a sentence; a log that is not there is no error unless none is (-ENOENT). Reads
 * what was there when it began: a log that is rotated meanwhile is read to its end, once.
 */
int metricsread(struct metricsread *read, struct metrics *metrics, struct error *err);

/*
 * The logs to read when none is named: `logs` of the configuration, else the one that is written
 * (`metrics`, or the usual place) and, for another user than root, root's where it may be read.
 * Owned array of owned strings, NULL-terminated; NULL out of memory.
 */
char **metricsread_logs(const struct settings *settings);
void metricsread_logs_free(char **logs);

#endif

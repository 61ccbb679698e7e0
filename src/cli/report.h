/*
 * What `locktop report` prints: a row a lock (or source, or backend) and one for all, as table,
 * JSON, CSV or ids.
 */
#ifndef LOCKTOP_CLI_REPORT_H
#define LOCKTOP_CLI_REPORT_H

#include "base/buf.h"
#include "cli/figures.h"
#include "cli/log_pick.h"
#include "engine/metricsread.h"

#define REPORT_BYS(_) _(LOCK, "lock") _(SOURCE, "source") _(BACKEND, "backend")

enum report_by {
#define _(id, word) REPORT_BY_##id,
	REPORT_BYS(_)
#undef _
		REPORT_BY_COUNT
};

extern const char *const report_by_word[REPORT_BY_COUNT];

enum { REPORT_SORT_NAME = -1 };

struct report_row {
	const char *name;            /* borrowed from the metrics: an address, a source, a word */
	size_t locks;                /* how many are in it */
	const struct series *series; /* of one: that lock; NULL */
	struct tally own;            /* of several together */
	struct figures figures;      /* of own, or of the series */
};

struct report {
	/* In: */
	const struct metrics *metrics;  /* METRICS_TOTALS; of what was picked only */
	const struct metricsread *read; /* how they were read */
	const struct log_picks *picks;
	wall_t since, until; /* since 0: from the beginning */
	wall_t now;
	const char *window; /* of --since, as a person says it: "24h" */
	const char *host;
	enum report_by by;
	int sort; /* a figure: the most first; REPORT_SORT_NAME */
	/* Made by report_make(): */
	struct report_row *row; /* owned */
	size_t rows;
	struct report_row all;
	bool *found; /* owned; which picks any lock belongs to */
};

int report_make(struct report *report); /* 0 or -ENOMEM */
void report_release(struct report *report);
/* Appends it. cols 0: as wide as it needs. 0 or -ENOMEM. */
int report_table(const struct report *report, int cols, struct buf *out);
int report_csv(const struct report *report, struct buf *out);
int report_ids(const struct report *report, struct buf *out);
json_t *report_to_json(const struct report *report); /* NULL: out of memory */

/* For compare, too: what was read, as the members "schema", "at", "host", "since", … NULL: out of
 * memory. */
json_t *log_reading_to_json(
	const struct metricsread *read, const char *host, wall_t now, wall_t since, wall_t until);
/* "24h to 2026-03-01 12:03:41: 1,204 lines of 2 logs, 3 not understood", and the logs' names. */
void log_reading_text(
	const struct metricsread *read, const char *window, wall_t until, struct buf *out);

#endif

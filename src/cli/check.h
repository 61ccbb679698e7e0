/*
 * What a monitoring plugin says of locks: judges them by ranges, writes the line, the performance
 * data and the long output, or a line a lock for Checkmk. Pure: no I/O and no clock.
 */
#ifndef LOCKTOP_CLI_CHECK_H
#define LOCKTOP_CLI_CHECK_H

#include "cli/nagios_range.h"
#include "model/model.h"

/* The numbers are exit codes. */
enum service { SERVICE_OK, SERVICE_WARNING, SERVICE_CRITICAL, SERVICE_UNKNOWN };

struct levels {
	struct nagios_range warning, critical;
};

/* What has no levels has a rule of its own: see check_judge(). */
struct check_levels {
	struct levels age;   /* s, of the oldest hold */
	struct levels wait;  /* s, the 95th percentile of the waits in the log */
	struct levels stale; /* how many locks are provably stale */
};

struct checked {
	char *address;             /* owned, clean */
	const char *name;          /* clean, borrowed from the entry or the address */
	const struct entry *entry; /* NULL: there is no such lock, so nobody has it */
	bool is_named;             /* itself, not the source it is in */
	enum service service;
};

struct check {
	const struct model *model; /* borrowed */
	const struct check_levels *levels;
	struct checked *lock; /* owned; check_sort() puts them in order of harm */
	size_t n, size;
	struct percentiles wait; /* of the log; n 0: nothing is known */
	char problem[480]; /* why nothing is known, clean; "": nothing happened, or nobody asked */
	int64_t patience;  /* ns that sources had to answer */

	/* Out: */
	enum service service, stale_service, wait_service;
	int64_t oldest; /* whole seconds; -1: not known, 0: nothing is held */
	size_t held, stale;
};

/* Adds a lock; the same one only once. address is taken over. 0 or -ENOMEM. */
int check_add(struct check *check, char *address, const struct entry *entry, bool is_named);
/*
 * CRITICAL: STALE, EXPIRED where a release is safe, OVERDUE. WARNING: UNKNOWN, CORRUPT, other
 * EXPIRED. Levels of the age take the place of the rule about OVERDUE, those of the stale ones
 * of the rule about these. UNKNOWN, which only CRITICAL outdoes: a source that does not answer, and
 * numbers that levels were given for and that are not known.
 */
void check_judge(struct check *check);
/* Appends "LOCK OK: … | …" and the long output; is_verbose: with the locks that are well. */
void check_write(const struct check *check, bool is_verbose, struct buf *out);
/* Appends a line of Checkmk's local checks for each lock. */
void check_write_checkmk(const struct check *check, struct buf *out);
void check_release(struct check *check);

const char *service_word(enum service service);
/* Appends clean text; what would end the text part of a line is shown as an escape. */
void check_add_text(struct buf *out, const char *text);

#endif

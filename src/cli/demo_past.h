/*
 * The made-up day with which the demo's metrics log begins, so that its graphs have a past. What
 * comes after it in the log really happened.
 */
#ifndef LOCKTOP_CLI_DEMO_PAST_H
#define LOCKTOP_CLI_DEMO_PAST_H

#include "base/clock.h"

struct error;

/*
 * Writes the 24 hours before `now` to a new log: locks of that folder, taken on that host. The
 * same numbers every time, but for their date. 0, or -errno with a sentence.
 */
int demo_past_write(
	const char *log, const char *folder, const char *host, wall_t now, struct error *err);

#endif

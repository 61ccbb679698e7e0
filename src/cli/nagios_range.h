/*
 * Ranges of the monitoring plugins: "[@]START:END", both ends inside. A value alerts outside of
 * it, behind "@" inside. "10" is 0:10, "10:" has no end, "~:10" no beginning.
 */
#ifndef LOCKTOP_CLI_NAGIOS_RANGE_H
#define LOCKTOP_CLI_NAGIOS_RANGE_H

#include <stdbool.h>

struct nagios_range {
	const char *text;  /* borrowed, as given; NULL: none was, nothing alerts */
	double start, end; /* infinite where there is none */
	bool is_inside;
};

/* 0, or -EINVAL: no range (also one that ends before it starts); range is untouched then. */
int nagios_range_parse(struct nagios_range *range, const char *text);
bool nagios_range_alerts(const struct nagios_range *range, double value);
/* For perfdata: the text, or "". */
const char *nagios_range_text(const struct nagios_range *range);

#endif

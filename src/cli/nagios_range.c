/* Ranges of the monitoring plugins, as their developer guidelines have them. */
#include "config.h"
#include "cli/nagios_range.h"

#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* A decimal number, which ends where the text does. */
static int parse_number(const char *text, size_t len, double *out)
{
	char copy[64], *end;
	double number;

	if (len == 0 || len >= sizeof copy || strspn(text, "0123456789.+-eE") < len)
		return -EINVAL;
	memcpy(copy, text, len);
	copy[len] = '\0';
	number = strtod(copy, &end);
	if (*end || !isfinite(number))
		return -EINVAL;
	*out = number;
	return 0;
}

int nagios_range_parse(struct nagios_range *range, const char *text)
{
	struct nagios_range r = {.text = text, .end = INFINITY, .is_inside = *text == '@'};
	const char *start = text + r.is_inside;
	const char *colon = strchr(start, ':');
	const char *end = colon ? colon + 1 : start;
	size_t len = colon ? (size_t)(colon - start) : 0;
	int e = 0;

	if (!*start)
		return -EINVAL;
	if (len == 1 && *start == '~')
		r.start = -INFINITY;
	else if (len)
		e = parse_number(start, len, &r.start);
	if (e == 0 && *end)
		e = parse_number(end, strlen(end), &r.end);
	if (e < 0 || r.start > r.end)
		return -EINVAL;
	*range = r;
	return 0;
}

bool nagios_range_alerts(const struct nagios_range *range, double value)
{
	bool is_in = value >= range->start && value <= range->end;

	return range->text && is_in == range->is_inside;
}

const char *nagios_range_text(const struct nagios_range *range)
{
	return range->text ? range->text : "";
}

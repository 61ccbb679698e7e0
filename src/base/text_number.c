/* Numbers, durations and times, read and written. */
#include "config.h"
#include "base/text.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"

/* Decimal digits into *value. Returns how many there are, -ERANGE when they are too big. */
static int read_digits(const char *text, uint64_t *value)
{
	int n;

	*value = 0;
	for (n = 0; text[n] >= '0' && text[n] <= '9'; n++) {
		if (__builtin_mul_overflow(*value, 10, value) ||
			__builtin_add_overflow(*value, (uint64_t)(text[n] - '0'), value))
			return -ERANGE;
	}
	return n;
}

int text_to_int(const char *text, int64_t min, int64_t max, int64_t *out)
{
	bool is_negative = *text == '-';
	uint64_t value;
	int64_t number;
	int n;

	text += is_negative;
	if (!*text || text[strspn(text, "0123456789")])
		return -EINVAL;
	n = read_digits(text, &value);
	if (n < 0 || value > (uint64_t)INT64_MAX + is_negative)
		return -ERANGE;
	number = is_negative ? (int64_t)(0 - value) : (int64_t)value;
	if (number < min || number > max)
		return -ERANGE;
	*out = number;
	return 0;
}

static const struct unit {
	char letter;
	int64_t seconds;
} units[] = {
	{'d', 86400},
	{'h', 3600},
	{'m', 60},
	{'s', 1},
};

enum { UNITS = sizeof units / sizeof *units };

/*
 * One number and its unit ("1.5h"; nothing means s), added to *ns. It has to be a smaller unit
 * than the last one, whose place in the table is *unit. Returns the bytes read or -errno.
 */
static int read_amount(const char *text, int *unit, int64_t *ns)
{
	uint64_t whole, fraction = 0;
	int64_t part, scale = 1;
	int n = read_digits(text, &whole), digits = 0, i = *unit + 1;

	if (n <= 0)
		return n < 0 ? n : -EINVAL;
	if (text[n] == '.') {
		for (n++; text[n] >= '0' && text[n] <= '9'; n++, digits++) {
			if (digits >= 9) /* a digit after the ninth is less than a ns of 1 s */
				continue;
			fraction = fraction * 10 + (uint64_t)(text[n] - '0');
			scale *= 10;
		}
		if (!digits)
			return -EINVAL;
	}
	if (text[n])
		while (i < UNITS && units[i].letter != text[n])
			i++;
	else
		i = *unit < 0 ? UNITS - 1 : UNITS; /* "3m12" is no duration */
	if (i >= UNITS)
		return -EINVAL;
	*unit = i;
	if (whole > INT64_MAX ||
		__builtin_mul_overflow((int64_t)whole, units[i].seconds * NS_PER_S, &part) ||
		__builtin_add_overflow(part, *ns, ns))
		return -ERANGE;
	part = (int64_t)fraction * (NS_PER_S / scale) * units[i].seconds;
	if (__builtin_add_overflow(part, *ns, ns))
		return -ERANGE;
	return n + (text[n] != '\0');
}

int text_to_duration(const char *text, int64_t *ns)
{
	int64_t sum = 0;
	int unit = -1, n;

	do {
		n = read_amount(text, &unit, &sum);
		if (n < 0)
			return n;
		text += n;
	} while (*text);
	*ns = sum;
	return 0;
}

static const char *write_duration(char *dst, size_t size, int64_t ns, bool is_short)
{
	/* The magnitude: -INT64_MIN is no int64_t. */
	uint64_t s = (ns < 0 ? 0 - (uint64_t)ns : (uint64_t)ns) / (uint64_t)NS_PER_S;
	const char *sign = ns < 0 && s ? "-" : "";
	size_t i = 0;
	uint64_t big, small;

	while (i < UNITS - 1 && s < (uint64_t)units[i].seconds)
		i++;
	big = s / (uint64_t)units[i].seconds;
	if (is_short || i == UNITS - 1 || (i == 0 && big >= 100)) {
		snprintf(dst, size, "%s%" PRIu64 "%c", sign, big, units[i].letter);
		return dst;
	}
	small = s % (uint64_t)units[i].seconds / (uint64_t)units[i + 1].seconds;
	snprintf(dst, size, "%s%" PRIu64 "%c%02" PRIu64 "%c", sign, big, units[i].letter, small,
		units[i + 1].letter);
	return dst;
}

const char *text_duration(char *dst, size_t size, int64_t ns)
{
	return write_duration(dst, size, ns, false);
}

const char *text_duration_short(char *dst, size_t size, int64_t ns)
{
	return write_duration(dst, size, ns, true);
}

/* Rounded to three digits, but to no less than a ns. */
static int64_t three_digits(int64_t ns)
{
	int64_t step = 1;

	while (ns / step >= 1000)
		step *= 10;
	return (ns + step / 2) / step * step;
}

const char *text_latency(char *dst, size_t size, int64_t ns)
{
	static const struct {
		const char *word;
		int64_t ns;
	} scale[] = {{"s", NS_PER_S}, {"ms", NS_PER_MS}, {"us", 1000}};
	int64_t rounded, part;
	int i = 0, decimals = 3;

	if (ns <= 0) {
		snprintf(dst, size, ns ? "-" : "0");
		return dst;
	}
	rounded = ns < 10 * NS_PER_S ? three_digits(ns) : ns;
	if (rounded >= 10 * NS_PER_S)
		return text_duration(dst, size, rounded);
	while (i < 2 && rounded < scale[i].ns)
		i++;
	part = rounded % scale[i].ns * 1000 / scale[i].ns;
	while (decimals && part % 10 == 0) {
		part /= 10;
		decimals--;
	}
	if (decimals)
		snprintf(dst, size, "%" PRId64 ".%0*" PRId64 "%s", rounded / scale[i].ns, decimals,
			part, scale[i].word);
	else
		snprintf(dst, size, "%" PRId64 "%s", rounded / scale[i].ns, scale[i].word);
	return dst;
}

static bool local_time(int64_t wall, struct tm *tm)
{
	time_t seconds = (time_t)(wall / NS_PER_S);

	return wall >= 0 && localtime_r(&seconds, tm);
}

const char *text_time(char *dst, size_t size, int64_t wall)
{
	struct tm tm;

	if (!local_time(wall, &tm) || !strftime(dst, size, "%Y-%m-%d %H:%M:%S", &tm))
		snprintf(dst, size, "?");
	return dst;
}

const char *text_clock(char *dst, size_t size, int64_t wall)
{
	struct tm tm;

	if (!local_time(wall, &tm) || !strftime(dst, size, "%H:%M:%S", &tm))
		snprintf(dst, size, "?");
	return dst;
}

/* "2026-02-30" is no day, whatever mktime(3) makes of it. */
static int read_date(const char *text, struct tm *tm)
{
	static const char *const formats[] = {"%Y-%m-%d %H:%M:%S", "%Y-%m-%d %H:%M", "%Y-%m-%d",
		"%Y-%m-%dT%H:%M:%S", "%Y-%m-%dT%H:%M"};

	for (size_t i = 0; i < sizeof formats / sizeof *formats; i++) {
		struct tm read = {.tm_isdst = -1}, made;
		const char *end = strptime(text, formats[i], &read);

		if (!end || *end)
			continue;
		made = read;
		if (mktime(&made) == -1 || made.tm_mday != read.tm_mday)
			return -EINVAL;
		*tm = made;
		return 0;
	}
	return -EINVAL;
}

/* A time of today, or of yesterday when that is still to come. */
static int read_time_of_day(const char *text, int64_t now, struct tm *tm)
{
	static const char *const formats[] = {"%H:%M:%S", "%H:%M"};

	for (size_t i = 0; i < sizeof formats / sizeof *formats; i++) {
		struct tm read;
		const char *end;

		if (!local_time(now, &read))
			return -EINVAL;
		read.tm_sec = 0;
		read.tm_isdst = -1;
		end = strptime(text, formats[i], &read);
		if (!end || *end)
			continue;
		*tm = read;
		if (mktime(&read) > now / NS_PER_S) {
			tm->tm_mday--;
			tm->tm_isdst = -1;
		}
		return 0;
	}
	return -EINVAL;
}

static int read_ago(const char *text, int64_t now, int64_t *wall)
{
	size_t len = strlen(text);
	int64_t ago;
	int e;

	if (!len || strchr("0123456789", text[len - 1])) /* of what? */
		return -EINVAL;
	e = text_to_duration(text + (*text == '-'), &ago);
	if (e < 0)
		return e;
	if (ago > now)
		return -ERANGE;
	*wall = now - ago;
	return 0;
}

int text_to_moment(const char *text, int64_t now, int64_t *wall)
{
	struct tm tm;
	time_t seconds;

	if (strcmp(text, "now") == 0) {
		*wall = now;
		return 0;
	}
	if (read_date(text, &tm) < 0 && read_time_of_day(text, now, &tm) < 0)
		return read_ago(text, now, wall);
	seconds = mktime(&tm);
	if (seconds < 0 || seconds > now / NS_PER_S)
		return -ERANGE;
	*wall = (int64_t)seconds * NS_PER_S;
	return 0;
}

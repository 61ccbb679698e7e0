/* The record: what a holder wrote into its lock file. */
#include "config.h"
#include "model/record.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/text.h"

static const char *const format_words[] = {
#define _(id, word) word,
	RECORD_FORMATS(_)
#undef _
};

const char *record_format_word(enum record_format format)
{
	return (unsigned int)format < RECORD_FORMAT_COUNT ? format_words[format] : "?";
}

int record_format_from_word(const char *word)
{
	return text_word(format_words, RECORD_FORMAT_COUNT, word);
}

/* A part of the content; nothing is copied while parsing. */
struct span {
	const char *at;
	size_t len;
};

/* Cuts span at the first c: returns what is before it, span becomes what is behind. */
static struct span cut(struct span *span, char c)
{
	const char *end = span->len ? memchr(span->at, c, span->len) : NULL;
	struct span head = {span->at, end ? (size_t)(end - span->at) : span->len};
	size_t used = head.len + (end ? 1 : 0);

	span->at += used;
	span->len -= used;
	return head;
}

/* Only digits, so neither sign, space nor 0x; at most max. */
static bool to_number(struct span span, uint64_t max, uint64_t *out)
{
	uint64_t n = 0;

	if (span.len == 0 || span.len > 20)
		return false;
	for (size_t i = 0; i < span.len; i++) {
		unsigned int digit = (unsigned char)span.at[i] - '0';

		if (digit > 9 || n > (max - digit) / 10)
			return false;
		n = n * 10 + digit;
	}
	*out = n;
	return true;
}

static bool to_pid(struct span span, int32_t *pid)
{
	uint64_t n;

	if (!to_number(span, INT32_MAX, &n) || n == 0)
		return false;
	*pid = (int32_t)n;
	return true;
}

static bool to_time(struct span span, int64_t *time)
{
	uint64_t n;

	if (!to_number(span, INT64_MAX / 2, &n))
		return false;
	*time = (int64_t)n;
	return true;
}

/* "1760000000.123" as ns; as many as nine decimals. */
static bool to_ns(struct span span, int64_t *ns)
{
	struct span seconds = cut(&span, '.');
	uint64_t s, fraction = 0;

	if (!to_number(seconds, INT64_MAX / NS_PER_S - 1, &s))
		return false;
	if (seconds.at + seconds.len != span.at) { /* there was a point */
		if (span.len > 9 || !to_number(span, 999999999, &fraction))
			return false;
		for (size_t i = span.len; i < 9; i++)
			fraction *= 10;
	}
	*ns = (int64_t)s * NS_PER_S + (int64_t)fraction;
	return true;
}

static bool to_hex(struct span span, char *dst, size_t digits)
{
	if (span.len != digits)
		return false;
	for (size_t i = 0; i < digits; i++) {
		if (!isxdigit((unsigned char)span.at[i]))
			return false;
		dst[i] = (char)tolower((unsigned char)span.at[i]);
	}
	dst[digits] = '\0';
	return true;
}

static int hex_value(char c)
{
	return isdigit((unsigned char)c) ? c - '0' : (tolower((unsigned char)c) - 'a') + 10;
}

/*
 * Percent-escapes decoded, then made clean. A host name that does not fit is refused: cut, it could
 * be another host's.
 */
static bool to_host(struct span span, char *dst)
{
	char raw[RECORD_MAX], cleaned[4 * RECORD_HOST_MAX + 1];
	size_t n = 0;

	if (span.len == 0 || span.len >= sizeof raw)
		return false;
	for (size_t i = 0; i < span.len; i++) {
		char c = span.at[i];

		if (c == '%') {
			if (i + 2 >= span.len || !isxdigit((unsigned char)span.at[i + 1]) ||
				!isxdigit((unsigned char)span.at[i + 2]))
				return false;
			c = (char)(hex_value(span.at[i + 1]) * 16 + hex_value(span.at[i + 2]));
			i += 2;
		}
		raw[n++] = c;
	}
	if (n > RECORD_HOST_MAX)
		return false;
	n = text_clean(cleaned, sizeof cleaned, raw, n, NULL);
	if (n > RECORD_HOST_MAX)
		return false;
	memcpy(dst, cleaned, n + 1);
	return true;
}

/* One key=value of LT1; unknown keys are of a later version and ignored. */
static bool set_key(struct record *record, char key, struct span value)
{
	uint64_t n;

	switch (key) {
	case 'h': return to_host(value, record->host);
	case 'b': return to_hex(value, record->boot, 8);
	case 't': return to_hex(value, record->token, 32);
	case 'a': return to_ns(value, &record->acquired);
	case 'r': return to_ns(value, &record->refreshed);
	/* What no kernel counts to, and JSON does not carry, is not a number of theirs. */
	case 'n': return to_number(value, INT64_MAX, &record->ns);
	case 's': return to_number(value, INT64_MAX, &record->start);
	case 'f':
		if (!to_number(value, INT64_MAX, &n))
			return false;
		record->fence = (int64_t)n;
		return true;
	case 'l':
		if (!to_number(value, INT32_MAX, &n))
			return false;
		record->lease = (int32_t)n;
		record->lease_digits = value.len < 10 ? (int)value.len : 10;
		return true;
	case 'u':
		if (!to_number(value, UINT32_MAX, &n))
			return false;
		record->uid = n > INT32_MAX ? -1 : (int32_t)n;
		return true;
	case 'm':
		if (value.len != 1 || !strchr("hd", value.at[0]))
			return false;
		record->mode = value.at[0];
		return true;
	default: return true;
	}
}

/* LT1 is one line of visible ASCII, and "|" ends a field for those who split by it. */
static bool is_lt1_text(struct span span)
{
	for (size_t i = 0; i < span.len; i++)
		if (span.at[i] <= ' ' || span.at[i] > '~' || span.at[i] == '|')
			return false;
	return true;
}

static const char *parse_lt1(struct record *record, struct span rest)
{
	bool seen[128] = {false};

	if (!is_lt1_text(rest))
		return "the record holds bytes that no record has";
	while (rest.len > 0) {
		struct span value = cut(&rest, ';');
		struct span key = cut(&value, '=');

		if (key.len == 0 || key.at + key.len == value.at)
			return "a member of the record has no key or no value";
		if (key.len > 1)
			continue;
		if (seen[(unsigned char)key.at[0]])
			return "a key of the record occurs twice";
		seen[(unsigned char)key.at[0]] = true;
		if (!set_key(record, key.at[0], value))
			return "a value of the record is malformed";
	}
	/* A record that was cut in its middle must not be judged by what is left of it. */
	if (!record->mode || !record->token[0])
		return "the record is incomplete";
	return NULL;
}

static bool is_version(struct span marker)
{
	if (marker.len == 0 || marker.len > 16 || !isalpha((unsigned char)marker.at[0]))
		return false;
	for (size_t i = 0; i < marker.len; i++)
		if (!isalnum((unsigned char)marker.at[i]) && marker.at[i] != '.')
			return false;
	return true;
}

static const char *parse(struct record *record, struct span all)
{
	struct span rest = all, pid, time, marker;

	if (memchr(all.at, '\0', all.len))
		return "it holds NUL bytes";
	if (all.at[all.len - 1] == '\n')
		rest.len--;
	/* FHS lock files (LCK..NAME) have the pid right-aligned in ten columns. */
	if (!memchr(all.at, '|', all.len))
		while (rest.len > 1 && rest.at[0] == ' ')
			rest = (struct span){rest.at + 1, rest.len - 1};
	pid = cut(&rest, '|');
	if (!to_pid(pid, &record->pid))
		return "it does not begin with a process id from 1 to 2147483647";
	if (rest.at == pid.at + pid.len) { /* no "|" at all */
		record->format = RECORD_PID;
		return NULL;
	}
	time = cut(&rest, '|');
	if (!to_time(time, &record->time))
		return "the time is no number of seconds";
	if (rest.at == time.at + time.len) {
		record->format = RECORD_PLAIN;
		return NULL;
	}
	marker = cut(&rest, ';');
	if (marker.len == 3 && memcmp(marker.at, "lt1", 3) == 0) {
		record->format = RECORD_LT1;
		return rest.len ? parse_lt1(record, rest) : "the record is incomplete";
	}
	if (!is_version(marker))
		return "what follows the time is no version";
	record->format = RECORD_FOREIGN;
	return NULL;
}

void record_parse(struct record *record, const char *data, size_t len, const char **why)
{
	const char *wrong = NULL;

	*record = (struct record){.format = RECORD_EMPTY, .fence = -1, .uid = -1};
	if (len > RECORD_READ_MAX)
		wrong = "it is longer than any record";
	else if (len > 0)
		wrong = parse(record, (struct span){data, len});
	if (wrong)
		*record = (struct record){.format = RECORD_CORRUPT, .fence = -1, .uid = -1};
	if (why)
		*why = wrong;
}

/* A line that is put together; twice what is allowed, so that every member fits for sure. */
struct line {
	char text[2 * RECORD_MAX];
	size_t len;
};

__attribute__((format(printf, 2, 3))) static void add(struct line *line, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	line->len += (size_t)vsnprintf(
		line->text + line->len, sizeof line->text - line->len, format, args);
	va_end(args);
}

/* With what would break the record escaped. */
static void add_host(struct line *line, const char *host, size_t len)
{
	add(line, ";h=");
	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)host[i];

		if (c < 0x80 && (isalnum(c) || c == '.' || c == '_' || c == '-'))
			add(line, "%c", c);
		else
			add(line, "%%%02X", c);
	}
}

/* What is not said is left out: a fence of 0 or a uid of 0 would say something else. */
static int write_lt1(const struct record *record, char *dst, size_t size)
{
	struct line line = {.len = 0};
	char host[RECORD_HOST_MAX + 1];
	int host_len = text_unclean(host, sizeof host, record->host);

	if (host_len < 0 || !record->mode || strlen(record->token) != 32 || record->acquired < 0 ||
		record->refreshed < 0)
		return -EINVAL;
	add(&line, "%" PRId32 "|%" PRId64 "|lt1", record->pid, record->time);
	if (host_len > 0)
		add_host(&line, host, (size_t)host_len);
	if (record->boot[0])
		add(&line, ";b=%s", record->boot);
	if (record->ns)
		add(&line, ";n=%" PRIu64, record->ns);
	if (record->start)
		add(&line, ";s=%" PRIu64, record->start);
	if (record->acquired)
		add(&line, ";a=%" PRId64 ".%03d", record->acquired / NS_PER_S,
			(int)(record->acquired % NS_PER_S / NS_PER_MS));
	if (record->refreshed)
		add(&line, ";r=%010" PRId64 ".%03d", record->refreshed / NS_PER_S,
			(int)(record->refreshed % NS_PER_S / NS_PER_MS));
	add(&line, ";t=%s", record->token);
	if (record->fence >= 0)
		add(&line, ";f=%" PRId64, record->fence);
	add(&line, ";l=%0*" PRId32, record->lease_digits, record->lease);
	if (record->uid >= 0)
		add(&line, ";u=%" PRId32, record->uid);
	add(&line, ";m=%c", record->mode);
	if (line.len > RECORD_MAX || line.len >= size)
		return -E2BIG;
	memcpy(dst, line.text, line.len + 1);
	return (int)line.len;
}

int record_write(const struct record *record, char *dst, size_t size)
{
	bool has_pid = record->format != RECORD_EMPTY;
	int n;

	if (has_pid && (record->pid <= 0 || record->time < 0))
		return -EINVAL;
	switch (record->format) {
	case RECORD_EMPTY: n = snprintf(dst, size, "%s", ""); break;
	case RECORD_PLAIN: n = snprintf(dst, size, "%d|%" PRId64, record->pid, record->time); break;
	case RECORD_PID: n = snprintf(dst, size, "%d\n", record->pid); break;
	case RECORD_LT1: return write_lt1(record, dst, size);
	default: return -EINVAL;
	}
	return n < 0 || (size_t)n >= size ? -E2BIG : n;
}

/* What is before ";r="; all of it where that does not occur. */
static struct span up_to_refreshed(struct span span)
{
	for (size_t i = 0; i + 3 <= span.len; i++)
		if (memcmp(span.at + i, ";r=", 3) == 0)
			return (struct span){span.at, i};
	return span;
}

uint64_t record_identity(const struct record *record, const char *data, size_t len)
{
	struct span rest = {data, len}, pid, before;

	if (record->format != RECORD_LT1)
		return text_hash(data, len, 0);
	pid = cut(&rest, '|');
	cut(&rest, '|');
	before = up_to_refreshed(rest);
	rest.at += before.len;
	rest.len -= before.len;
	if (rest.len > 0) { /* ";r=…" and what is behind it */
		cut(&rest, ';');
		cut(&rest, ';');
	}
	return text_hash(
		rest.at, rest.len, text_hash(before.at, before.len, text_hash(pid.at, pid.len, 0)));
}

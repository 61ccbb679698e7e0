/*
 * Reads lines of a WordPress debug.log: of the plugin's "AISTMA Lock Debug: {…}" the events, of all
 * others the time. What keys the plugin writes is not fixed; doc/locktop-metrics.5 has the table of
 * those that are understood. A key with a value of another type is as good as absent.
 */
#include "config.h"

#include <ctype.h>
#include <errno.h>
#include <string.h>
#include <time.h>

#include "base/text.h"
#include "model/metric_read_private.h"

/* The plugin's transient, when no lock is named. */
#define USUAL_LOCK "aistma_generating_lock"
/* PHP names a lock's time lock_time, and the time that taking it took. A wait is shorter than this.
 */
#define LONGEST_WAIT (INT64_C(100000000) * NS_PER_S)

/* --- the time in front --- */

enum { STAMP = sizeof "[23-Nov-2026 03:07:33 " - 1 };

/* A number of n digits; -1: it is none. */
static int digits(const char *text, int n)
{
	int number = 0;

	for (int i = 0; i < n; i++) {
		if (text[i] < '0' || text[i] > '9')
			return -1;
		number = number * 10 + (text[i] - '0');
	}
	return number;
}

static int month(const char *text)
{
	static const char names[] = "JanFebMarAprMayJunJulAugSepOctNovDec";

	for (int i = 0; i < 12; i++)
		if (memcmp(names + 3 * i, text, 3) == 0)
			return i;
	return -1;
}

static bool is_form(const char *form, const char *text)
{
	for (; *form; form++, text++)
		if (*form != '#' && *form != *text)
			return false;
	return true;
}

/*
 * "[23-Nov-2026 03:07:33 ZONE] ": its length, and the time if the zone is UTC, as it is once
 * WordPress is loaded. 0: no line of a debug.log begins so.
 */
static size_t read_stamp(const char *line, size_t len, wall_t *at)
{
	const char *end = len > STAMP ? memchr(line, ']', len < 64 ? len : 64) : NULL;
	struct tm tm = {0};
	time_t time;
	int day;

	if (!end || end - line <= STAMP || !is_form("[##-###-#### ##:##:## ", line))
		return 0;
	day = tm.tm_mday = digits(line + 1, 2);
	tm.tm_mon = month(line + 4);
	tm.tm_year = digits(line + 8, 4) - 1900;
	tm.tm_hour = digits(line + 13, 2);
	tm.tm_min = digits(line + 16, 2);
	tm.tm_sec = digits(line + 19, 2);
	if (tm.tm_mon < 0 || tm.tm_year < 70 || tm.tm_year >= 300 || tm.tm_hour < 0 ||
		tm.tm_hour > 23 || tm.tm_min < 0 || tm.tm_min > 59 || tm.tm_sec < 0 ||
		tm.tm_sec > 59)
		return 0;
	time = timegm(&tm);
	if (tm.tm_mday != day) /* timegm(3) made another of it */
		return 0;
	*at = WALL_UNKNOWN;
	if (end - line == STAMP + 3 && memcmp(line + STAMP, "UTC", 3) == 0)
		*at = time * NS_PER_S;
	return (size_t)(end - line) + 1;
}

wall_t metric_read_stamp(const char *line, size_t len)
{
	wall_t at = WALL_UNKNOWN;

	read_stamp(line, len, &at);
	return at;
}

/* --- members --- */

/* The first of these keys that has such a value. */
static const char *text_of(const json_t *object, const char *const *keys)
{
	for (; *keys; keys++) {
		const json_t *value = json_object_get(object, *keys);

		if (json_string_length(value))
			return json_string_value(value);
	}
	return NULL;
}

/*
 * A number that is not below zero; PHP makes "4711" of what it took out of "4711|1763866361". In
 * units of 1/scale; -1: none.
 */
static int64_t number_of(const json_t *object, const char *const *keys, int64_t scale)
{
	for (; *keys; keys++) {
		const json_t *value = json_object_get(object, *keys);
		int64_t number;

		if (metric_read_fixed(value, scale, &number))
			return number;
		if (json_is_string(value) &&
			text_to_int(json_string_value(value), 0, INT64_MAX / scale, &number) == 0)
			return number * scale;
	}
	return -1;
}

#define KEYS(...) ((const char *const[]){__VA_ARGS__, NULL})

/* --- what happened --- */

/* "acquired" and the like are found without these. */
static const struct synonym {
	const char *word;
	enum metric_event event;
} synonyms[] = {
	{"acquire", METRIC_ACQUIRED},
	{"lock", METRIC_ACQUIRED},
	{"locked", METRIC_ACQUIRED},
	{"taken", METRIC_ACQUIRED},
	{"fail", METRIC_BUSY},
	{"failed", METRIC_BUSY},
	{"denied", METRIC_BUSY},
	{"skipped", METRIC_BUSY},
	{"timed_out", METRIC_TIMEOUT},
	{"renew", METRIC_RENEWED},
	{"release", METRIC_RELEASED},
	{"unlock", METRIC_RELEASED},
	{"unlocked", METRIC_RELEASED},
	{"freed", METRIC_RELEASED},
	{"refreshed", METRIC_RENEWED},
	{"expired", METRIC_STALE},
	{"take_over", METRIC_TAKEN_OVER},
	{"takeover", METRIC_TAKEN_OVER},
	{"release_stale", METRIC_RELEASED_STALE},
	{"force", METRIC_FORCED},
	{"force_release", METRIC_FORCED},
};

/* In lower case, with "_" for what separates, and without "lock" in front or at the end. */
static size_t normalise(char *dst, size_t size, const char *word)
{
	static const char lock[] = "lock_";
	const size_t n = sizeof lock - 1;
	size_t len = strlen(word);

	dst[0] = '\0';
	if (len >= size)
		return 0;
	for (size_t i = 0; i < len; i++)
		dst[i] = word[i] == ' ' || word[i] == '-' ? '_'
							  : (char)tolower((unsigned char)word[i]);
	if (len > n && memcmp(dst, lock, n) == 0)
		memmove(dst, dst + n, len -= n);
	else if (len > n && memcmp(dst + len - n, "_lock", n) == 0)
		len -= n;
	dst[len] = '\0';
	return len;
}

/* -1: nothing that is counted. */
static int event_of(const json_t *object)
{
	const char *word = text_of(object, KEYS("event", "action"));
	char normal[32];
	size_t len;
	int event;

	if (!word && json_is_true(json_object_get(object, "stale")))
		return METRIC_STALE;
	if (!word)
		return text_of(object, KEYS("fallback")) ? METRIC_FALLBACK : -1;
	len = normalise(normal, sizeof normal, word);
	event = metric_event_from_word(normal, len);
	for (size_t i = 0; event < 0 && i < sizeof synonyms / sizeof *synonyms; i++)
		if (strcmp(synonyms[i].word, normal) == 0)
			event = (int)synonyms[i].event;
	return event;
}

/* The process that $lock_info names has the lock: is that who writes the line, or another? */
static bool is_about_another(enum metric_event event)
{
	switch (event) {
	case METRIC_BUSY:
	case METRIC_TIMEOUT:
	case METRIC_SLOW:
	case METRIC_STALE:
	case METRIC_TAKEN_OVER:
	case METRIC_RELEASED_STALE:
	case METRIC_FORCED:
	case METRIC_SIGNALLED: return true;
	default: return false;
	}
}

/* What these have in common with a line of ours: borrowed from the object, not clean yet. */
static void take_members(const json_t *object, struct metric *metric)
{
	int64_t pid = number_of(object, KEYS("pid"), 1);
	const char *host = text_of(object, KEYS("host", "server"));

	if (pid < 1 || pid > INT32_MAX)
		pid = -1;
	if (is_about_another(metric->event)) {
		metric->holder_pid = (int32_t)pid;
		metric->holder_host = host;
	} else {
		metric->pid = (int32_t)pid;
		metric->host = host;
	}
	metric->wait = number_of(object, KEYS("wait_ms"), NS_PER_MS);
	if (metric->wait < 0)
		metric->wait = number_of(object, KEYS("wait", "wait_time", "lock_time"), NS_PER_S);
	if (metric->wait > LONGEST_WAIT)
		metric->wait = -1;
	metric->hold = number_of(object, KEYS("hold_ms"), NS_PER_MS);
	if (metric->hold < 0)
		metric->hold = number_of(object, KEYS("held", "hold", "duration"), NS_PER_S);
	metric->holder_age = number_of(object, KEYS("age"), NS_PER_S);
	metric->attempts = number_of(object, KEYS("attempts"), 1);
	metric->reason = text_of(object, KEYS("reason", "message", "fallback"));
}

/* The lock, as everywhere: a file's name, and its folder as the source. */
static int take_lock(json_t *object, struct metric *metric)
{
	const char *lock = text_of(object, KEYS("lock_file", "lock", "lock_name"));
	const char *slash = lock && *lock == '/' ? strrchr(lock, '/') : NULL;
	json_t *source;

	metric->lock = lock ? lock : USUAL_LOCK;
	metric->backend = "transient";
	if (!slash || !slash[1])
		return 0;
	source = json_sprintf("file:%.*s", slash == lock ? 1 : (int)(slash - lock), lock);
	if (json_object_set_new(object, "source", source) < 0) /* which keeps it */
		return -ENOMEM;
	metric->lock = slash + 1;
	metric->source = json_string_value(source);
	metric->backend = "file";
	return 0;
}

/* To the microsecond; -1: none. */
static wall_t own_time(const json_t *object)
{
	int64_t us = number_of(object, KEYS("timestamp", "time", "created"), 1000000);

	return us < 0 || us >= METRIC_TS_END / 1000 ? -1 : us * 1000;
}

static int read_object(struct metric_reader *reader, wall_t at, struct metric *out)
{
	json_t *object = reader->object;
	struct metric metric;
	int event = event_of(object);

	if (event < 0) {
		reader->ignored++;
		return 0;
	}
	if (at == WALL_UNKNOWN)
		at = own_time(object);
	if (at < 0)
		return -EINVAL;
	metric = metric_new((enum metric_event)event, at);
	take_members(object, &metric);
	if (take_lock(object, &metric) < 0 || metric_read_clean(reader, &metric) < 0)
		return -ENOMEM;
	*out = metric;
	return 1;
}

int metric_read_debug(
	struct metric_reader *reader, const char *line, size_t len, struct metric *out)
{
	/* Nowhere else than here, so that what a visitor gets into the log is no line of it. */
	static const char mark[] = " AISTMA Lock Debug: ";
	const size_t n = sizeof mark - 1;
	wall_t at;
	size_t begin = read_stamp(line, len, &at);
	int result;

	if (!begin)
		return reader->is_debug_log ? 0 : -EINVAL;
	reader->is_debug_log = true;
	if (len - begin < n || memcmp(line + begin, mark, n) != 0)
		return 0;
	result = metric_read_json(reader, line + begin + n, len - begin - n, true);
	if (result < 0)
		return result;
	if (json_is_object(reader->object))
		return read_object(reader, at, out);
	reader->ignored++; /* no lock: PHP says false, null or [] */
	return 0;
}

/* Reads a line of the metrics log with jansson. */
#include "config.h"
#include "model/metric_read.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "model/metric_read_private.h"

void metric_reader_release(struct metric_reader *reader)
{
	json_decref(reader->object);
	free(reader->clean);
	*reader = (struct metric_reader){0};
}

int metric_read_json(struct metric_reader *reader, const char *text, size_t len, bool any)
{
	json_decref(reader->object);
	/* jansson calls it a syntax error when memory runs out; malloc(3) tells the truth. */
	errno = 0;
	reader->object = json_loadb(text, len, any ? JSON_DECODE_ANY : 0, NULL);
	if (reader->object)
		return 0;
	return errno == ENOMEM ? -ENOMEM : -EINVAL;
}

bool metric_read_fixed(const json_t *value, int64_t scale, int64_t *out)
{
	const int64_t most = INT64_MAX / scale;
	double number = json_number_value(value);
	int64_t whole;

	if (!json_is_number(value) || number < 0)
		return false;
	whole = json_is_integer(value)  ? json_integer_value(value)
		: number < (double)most ? (int64_t)number
					: most;
	if (whole >= most) {
		*out = INT64_MAX;
		return true;
	}
	/* Apart, so that the decimals of a large number do not suffer from rounding it. */
	*out = whole * scale;
	if (json_is_real(value))
		*out += (int64_t)((number - (double)whole) * (double)scale + 0.5);
	return true;
}

/* --- texts --- */

static const size_t texts[] = {
	offsetof(struct metric, lock),
	offsetof(struct metric, source),
	offsetof(struct metric, backend),
	offsetof(struct metric, host),
	offsetof(struct metric, token),
	offsetof(struct metric, reason),
	offsetof(struct metric, holder),
	offsetof(struct metric, holder_host),
	offsetof(struct metric, user),
};

enum {
	TEXTS = sizeof texts / sizeof *texts,
	GROWS = 4 /* the most that cleaning makes of a byte */
};

static const char **text_at(struct metric *metric, size_t i)
{
	return (const char **)((char *)metric + texts[i]);
}

/* All at once, as none may move afterwards. */
static int make_room(struct metric_reader *reader, size_t size)
{
	char *room;

	if (size <= reader->clean_size)
		return 0;
	room = realloc(reader->clean, size);
	if (!room)
		return -ENOMEM;
	reader->clean = room;
	reader->clean_size = size;
	return 0;
}

int metric_read_clean(struct metric_reader *reader, struct metric *metric)
{
	size_t dirty[TEXTS], n = 0, size = 0, at = 0;

	for (size_t i = 0; i < TEXTS; i++) {
		const char **text = text_at(metric, i);
		size_t len = *text ? strlen(*text) : 0;

		if (!len)
			*text = NULL;
		if (!len || text_is_clean(*text, len))
			continue;
		dirty[n++] = i;
		size += len * GROWS + 1;
	}
	if (make_room(reader, size) < 0)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++) {
		const char **text = text_at(metric, dirty[i]);
		char *clean = reader->clean + at;

		at += text_clean(clean, size - at, *text, strlen(*text), NULL) + 1;
		*text = clean;
	}
	return 0;
}

/* --- a line of our own --- */

static bool is_absent(const json_t *value)
{
	return !value || json_is_null(value);
}

static bool take_text(const json_t *object, const char *key, const char **out)
{
	const json_t *value = json_object_get(object, key);

	if (!is_absent(value) && !json_is_string(value))
		return false;
	*out = json_string_value(value);
	return true;
}

/* What is less than `least`, but not below zero, says that it is not known. */
static bool take_number(
	const json_t *object, const char *key, int64_t least, int64_t most, int64_t *out)
{
	const json_t *value = json_object_get(object, key);
	int64_t number = json_integer_value(value);

	if (is_absent(value))
		return true;
	if (!json_is_integer(value) || number < 0 || number > most)
		return false;
	if (number >= least)
		*out = number;
	return true;
}

static bool take_int32(const json_t *object, const char *key, int64_t least, int32_t *out)
{
	int64_t number = *out;
	bool is_good = take_number(object, key, least, INT32_MAX, &number);

	*out = (int32_t)number;
	return is_good;
}

static bool take_time(
	const json_t *object, const char *key, int64_t per_unit, int64_t ns, int64_t *out)
{
	const json_t *value = json_object_get(object, key);

	if (is_absent(value))
		return true;
	if (!metric_read_fixed(value, per_unit, out))
		return false;
	*out = *out > INT64_MAX / ns ? INT64_MAX : *out * ns;
	return true;
}

static bool take_texts(const json_t *object, struct metric *metric)
{
	return take_text(object, "lock", &metric->lock) &&
	       take_text(object, "source", &metric->source) &&
	       take_text(object, "backend", &metric->backend) &&
	       take_text(object, "host", &metric->host) &&
	       take_text(object, "token", &metric->token) &&
	       take_text(object, "reason", &metric->reason) &&
	       take_text(object, "holder", &metric->holder) &&
	       take_text(object, "holder_host", &metric->holder_host) &&
	       take_text(object, "user", &metric->user);
}

/* Times of day and ages to the microsecond, waits and holds to the nanosecond. */
static bool take_numbers(const json_t *object, struct metric *metric)
{
	return take_int32(object, "pid", 1, &metric->pid) &&
	       take_time(object, "wait_ms", NS_PER_MS, 1, &metric->wait) &&
	       take_time(object, "hold_ms", NS_PER_MS, 1, &metric->hold) &&
	       take_number(object, "attempts", 0, INT64_MAX, &metric->attempts) &&
	       take_number(object, "fence", 1, INT64_MAX, &metric->fence) &&
	       take_int32(object, "holder_pid", 1, &metric->holder_pid) &&
	       take_time(object, "holder_age_s", 1000000, 1000, &metric->holder_age) &&
	       take_int32(object, "exit_code", 0, &metric->exit_code);
}

/* 1: of a version and event that are known here, 0: of another, -EINVAL. */
static int take_event(const json_t *object, struct metric *metric)
{
	const json_t *version = json_object_get(object, "v");
	const json_t *word = json_object_get(object, "event");
	int event;

	if (!is_absent(version) && !json_is_integer(version))
		return -EINVAL;
	if (!is_absent(version) && json_integer_value(version) != 1)
		return 0;
	if (!json_is_string(word))
		return -EINVAL;
	event = metric_event_from_word(json_string_value(word), json_string_length(word));
	if (event < 0)
		return 0;
	*metric = metric_new((enum metric_event)event, WALL_UNKNOWN);
	return 1;
}

/* What fails before a lock is found has none to name. */
static bool needs_lock(const struct metric *metric)
{
	return metric->event != METRIC_ERROR && metric->event != METRIC_FALLBACK;
}

static int read_object(struct metric_reader *reader, struct metric *out)
{
	struct metric metric;
	int result = take_event(reader->object, &metric);

	if (result <= 0) {
		reader->ignored += result == 0;
		return result;
	}
	if (!take_time(reader->object, "ts", 1000000, 1000, &metric.ts) || metric.ts < 0 ||
		metric.ts >= METRIC_TS_END || !take_texts(reader->object, &metric) ||
		!take_numbers(reader->object, &metric))
		return -EINVAL;
	if (metric_read_clean(reader, &metric) < 0)
		return -ENOMEM;
	if (!metric.lock && needs_lock(&metric))
		return -EINVAL;
	*out = metric;
	return 1;
}

static int read_by_jansson(
	struct metric_reader *reader, const char *line, size_t len, struct metric *out)
{
	int result = metric_read_json(reader, line, len, false);

	if (result == 0)
		result = json_is_object(reader->object) ? read_object(reader, out) : -EINVAL;
	if (result >= 0)
		reader->is_debug_log = false;
	return result;
}

int metric_read_by_jansson(struct metric_reader *reader, char *line, size_t len, struct metric *out)
{
	if (!len)
		return 0;
	if (memchr(line, '\0', len))
		return -EINVAL;
	if (*line != '{')
		return metric_read_debug(reader, line, len, out);
	return read_by_jansson(reader, line, len, out);
}

int metric_read(struct metric_reader *reader, char *line, size_t len, struct metric *out)
{
	if (!metric_scan(line, len, out))
		return metric_read_by_jansson(reader, line, len, out);
	reader->fast++;
	reader->is_debug_log = false;
	return 1;
}

/* --- when --- */

/* Digits, and decimals to the nearest microsecond; what follows has to be "," or "}". */
static wall_t read_ts(const char *at, const char *end)
{
	int64_t us = 0, unit = 1000000;

	if (at == end || *at < '0' || *at > '9')
		return WALL_UNKNOWN;
	for (; at < end && *at >= '0' && *at <= '9' && us < METRIC_TS_END / 1000; at++)
		us = us * 10 + (*at - '0') * unit;
	if (at < end && *at == '.')
		for (at++; at < end && *at >= '0' && *at <= '9'; at++) {
			us += (unit /= 10) * (*at - '0');
			us += unit == 0 && *at >= '5';
			if (!unit)
				break;
		}
	while (at < end && *at >= '0' && *at <= '9')
		at++;
	if (at == end || (*at != ',' && *at != '}') || us >= METRIC_TS_END / 1000)
		return WALL_UNKNOWN;
	return us * 1000;
}

wall_t metric_read_time(const char *line, size_t len)
{
	static const char key[] = "\"ts\":";
	const char *end = line + len, *at = line;

	if (!len || *line != '{')
		return metric_read_stamp(line, len);
	/* Behind "{" or "," it can only be a key: a quote within a text has a backslash before it.
	 */
	while ((at = memmem(at, (size_t)(end - at), key, sizeof key - 1))) {
		bool is_key = at[-1] == '{' || at[-1] == ',';

		at += sizeof key - 1;
		if (is_key)
			return read_ts(at, end);
	}
	return WALL_UNKNOWN;
}

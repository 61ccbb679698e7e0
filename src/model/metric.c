/* A line of the metrics log. */
#include "config.h"
#include "model/metric.h"

#include <stdio.h>
#include <string.h>

#include "base/jsonw.h"

enum { TOKEN_SHOWN = 8 };

/*
 * What a text may take between its quotes. Together, with all numbers, they fit into METRIC_LINE.
 * A file's name of 255 bytes takes at most 1,275 once it is clean (\xff, its backslash doubled), so
 * a lock's is never cut. Of a process 15 bytes are known, of a host 64.
 */
enum {
	LOCK_MAX = 1280,
	SOURCE_MAX = 1024,
	BACKEND_MAX = 24,
	HOST_MAX = 256,
	REASON_MAX = 450,
	HOLDER_MAX = 96,
	USER_MAX = 192
};

static const struct {
	const char *word;
	size_t len;
} events[] = {
#define _(id, word, help) [METRIC_##id] = {word, sizeof word - 1},
	METRIC_EVENTS(_)
#undef _
};

const char *metric_event_word(enum metric_event event)
{
	return events[event].word;
}

int metric_event_from_word(const char *word, size_t len)
{
	for (int i = 0; i < METRIC_EVENT_COUNT; i++)
		if (events[i].len == len && memcmp(events[i].word, word, len) == 0)
			return i;
	return -1;
}

struct metric metric_new(enum metric_event event, wall_t ts)
{
	return (struct metric){
		.event = event,
		.ts = ts,
		.pid = -1,
		.wait = -1,
		.hold = -1,
		.attempts = -1,
		.fence = -1,
		.holder_pid = -1,
		.holder_age = -1,
		.exit_code = -1,
	};
}

static void put_text(struct jsonw *json, const char *key, const char *text, size_t max)
{
	if (text && *text)
		jsonw_text_cut(json, key, text, max);
}

static void put_number(struct jsonw *json, const char *key, int64_t number, int64_t least)
{
	if (number >= least)
		jsonw_int(json, key, number);
}

/* A time in ns, in thousandths of a unit at least. */
static void put_time(struct jsonw *json, const char *key, int64_t ns, int64_t unit)
{
	if (ns >= 0)
		jsonw_fixed(json, key, ns, unit, 3);
}

static void put_token(struct jsonw *json, const char *token)
{
	char shown[TOKEN_SHOWN + 1];

	if (!token || !*token)
		return;
	snprintf(shown, sizeof shown, "%s", token);
	jsonw_text(json, "token", shown);
}

int metric_line(const struct metric *metric, char *dst, size_t size)
{
	struct jsonw json;

	jsonw_begin(&json, dst, size);
	jsonw_int(&json, "v", 1);
	jsonw_fixed(&json, "ts", metric->ts, NS_PER_S, 3);
	jsonw_text(&json, "event", metric_event_word(metric->event));
	put_text(&json, "lock", metric->lock, LOCK_MAX);
	put_text(&json, "source", metric->source, SOURCE_MAX);
	put_text(&json, "backend", metric->backend, BACKEND_MAX);
	put_text(&json, "host", metric->host, HOST_MAX);
	put_number(&json, "pid", metric->pid, 1);
	put_time(&json, "wait_ms", metric->wait, NS_PER_MS);
	put_time(&json, "hold_ms", metric->hold, NS_PER_MS);
	put_number(&json, "attempts", metric->attempts, 0);
	put_token(&json, metric->token);
	put_number(&json, "fence", metric->fence, 1);
	put_text(&json, "reason", metric->reason, REASON_MAX);
	put_number(&json, "holder_pid", metric->holder_pid, 1);
	put_text(&json, "holder", metric->holder, HOLDER_MAX);
	put_text(&json, "holder_host", metric->holder_host, HOST_MAX);
	put_time(&json, "holder_age_s", metric->holder_age, NS_PER_S);
	put_number(&json, "exit_code", metric->exit_code, 0);
	put_text(&json, "user", metric->user, USER_MAX);
	return jsonw_end(&json);
}

/*
 * Whatever the lines are: both readers say the same, what they take is clean and within its bounds,
 * and nothing is read beyond a line. `make fuzz` makes up the lines (libFuzzer), `make check` takes
 * those of the corpus and mutated ones (test_metric_read.c).
 */
#include "config.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../same_metric.h"
#include "base/text.h"
#include "model/metric_read.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *now; /* the line that is read, for what is said of it */
static size_t now_len;

static void expect(int is_so, const char *what)
{
	if (is_so)
		return;
	fprintf(stderr, "fuzz_metric_read: %s: %.*s\n", what, (int)now_len, now);
	abort();
}

/* To the byte, so that a sanitizer sees what is read beyond it; what stands there is a trap. */
static char *copy(const char *line, size_t len)
{
	char *text = malloc(len + 1);

	expect(text != NULL, "out of memory");
	memcpy(text, line, len);
	text[len] = '"';
	return text;
}

static void check_text(const char *text, const char *name)
{
	expect(!text || (*text && text_is_clean(text, strlen(text))), name);
}

static void check(const struct metric *metric)
{
	expect(metric->event < METRIC_EVENT_COUNT, "event");
	expect(metric->ts >= 0 && metric->ts < INT64_C(7258118400) * NS_PER_S, "ts");
	expect(metric->lock || metric->event == METRIC_ERROR || metric->event == METRIC_FALLBACK,
		"no lock");
	check_text(metric->lock, "lock");
	check_text(metric->source, "source");
	check_text(metric->backend, "backend");
	check_text(metric->host, "host");
	check_text(metric->token, "token");
	check_text(metric->reason, "reason");
	check_text(metric->holder, "holder");
	check_text(metric->holder_host, "holder_host");
	check_text(metric->user, "user");
	expect(metric->pid == -1 || metric->pid > 0, "pid");
	expect(metric->holder_pid == -1 || metric->holder_pid > 0, "holder_pid");
	expect(metric->wait >= -1 && metric->hold >= -1 && metric->holder_age >= -1, "a time");
	expect(metric->attempts >= -1 && metric->fence >= -1 && metric->fence != 0, "a number");
	expect(metric->exit_code >= -1, "exit_code");
}

static void check_line(
	struct metric_reader *ours, struct metric_reader *theirs, const char *line, size_t len)
{
	struct metric a = metric_new(METRIC_ERROR, 0), b = a;
	char *text = copy(line, len), *other = copy(line, len);
	const char *difference;
	uint64_t fast = ours->fast;
	wall_t ts;
	int result;

	now = line;
	now_len = len;
	ts = metric_read_time(text, len);
	expect(ts == WALL_UNKNOWN || (ts >= 0 && ts < INT64_C(7258118400) * NS_PER_S), "time");
	result = metric_read(ours, text, len, &a);
	expect(result == 1 || result == 0 || result == -EINVAL, "result");
	expect(metric_read_by_jansson(theirs, other, len, &b) == result, "the results differ");
	difference = metric_difference(&a, &b);
	expect(!difference, difference ? difference : "");
	if (result == 1)
		check(&a);
	expect(ours->fast == fast || result == 1, "the scanner took what is not understood");
	expect(ours->ignored == theirs->ignored, "ignored");
	free(text);
	free(other);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct metric_reader ours = {0}, theirs = {0};
	const char *line = (const char *)data, *end = line + size, *newline;

	for (; line < end; line = newline + 1) {
		newline = memchr(line, '\n', (size_t)(end - line));
		if (!newline)
			newline = end;
		check_line(&ours, &theirs, line, (size_t)(newline - line));
		if (newline == end)
			break;
	}
	metric_reader_release(&ours);
	metric_reader_release(&theirs);
	return 0;
}

/* Whom others waited for, the most often named first. */
#include "config.h"
#include "model/metrics_private.h"

#include <stdio.h>
#include <string.h>

#include "base/text.h"

static bool comes_before(const struct waited_for *a, const struct waited_for *b)
{
	if (a->times != b->times)
		return a->times > b->times;
	return strcmp(a->who, b->who) < 0;
}

static void move_up(struct waited_for waited[WAITED_FOR_MAX], int i)
{
	for (; i && comes_before(&waited[i], &waited[i - 1]); i--) {
		struct waited_for moved = waited[i];

		waited[i] = waited[i - 1];
		waited[i - 1] = moved;
	}
}

static void count_more(
	struct waited_for waited[WAITED_FOR_MAX], int i, const struct waited_for *more)
{
	if (__builtin_add_overflow(waited[i].times, more->times, &waited[i].times))
		waited[i].times = UINT32_MAX;
	if (waited[i].longest < more->longest)
		waited[i].longest = more->longest;
	move_up(waited, i);
}

void waited_add(struct waited_for waited[WAITED_FOR_MAX], const struct waited_for *more)
{
	int i = 0;

	while (i < WAITED_FOR_MAX && waited[i].times && strcmp(waited[i].who, more->who) != 0)
		i++;
	if (i == WAITED_FOR_MAX) {
		i--;
		memcpy(waited[i].who, more->who, sizeof waited[i].who);
		waited[i].longest = 0;
	} else if (!waited[i].times) {
		memcpy(waited[i].who, more->who, sizeof waited[i].who);
	}
	count_more(waited, i, more);
}

/* The rest of the text if it begins so, or NULL. */
static const char *skip(const char *text, const char *begins)
{
	size_t len = strlen(begins);

	return strncmp(text, begins, len) == 0 ? text + len : NULL;
}

/* Is that "php on web1"? */
static bool is_called(const char *who, const char *holder, const char *host)
{
	const char *rest = skip(who, holder);

	if (rest && *host)
		rest = skip(rest, " on ");
	return rest && strcmp(rest, host) == 0;
}

static void call(char *dst, size_t size, const char *holder, const char *host)
{
	char who[512];

	snprintf(who, sizeof who, "%s%s%s", holder, *host ? " on " : "", host);
	/* Clean as it is, but cut between characters. */
	text_visible(dst, size, who, strlen(who));
}

static const char *host_of(const struct metric *metric)
{
	if (metric->holder_host && *metric->holder_host)
		return metric->holder_host;
	return metric->host ? metric->host : "";
}

static void add_holder(struct waited_for waited[WAITED_FOR_MAX], const struct metric *metric)
{
	struct waited_for more = {.times = 1, .longest = metric->wait > 0 ? metric->wait : 0};
	int i = 0;

	while (i < WAITED_FOR_MAX && waited[i].times &&
		!is_called(waited[i].who, metric->holder, host_of(metric)))
		i++;
	if (i < WAITED_FOR_MAX && waited[i].times) {
		count_more(waited, i, &more);
		return;
	}
	call(more.who, sizeof more.who, metric->holder, host_of(metric));
	waited_add(waited, &more);
}

void waited_add_line(struct waited_for waited[WAITED_FOR_MAX], const struct metric *metric)
{
	if (metric->event != METRIC_BUSY && metric->event != METRIC_TIMEOUT &&
		metric->event != METRIC_SLOW)
		return;
	if (metric->holder && *metric->holder)
		add_holder(waited, metric);
}

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
	if (__builtin_add_overflow(waited[i].times, more->times, &waited[i].times))
		waited[i].times = UINT32_MAX;
	if (waited[i].longest < more->longest)
		waited[i].longest = more->longest;
	move_up(waited, i);
}

void waited_add_line(struct waited_for waited[WAITED_FOR_MAX], const struct metric *metric)
{
	const char *host =
		metric->holder_host && *metric->holder_host ? metric->holder_host : metric->host;
	struct waited_for more = {.times = 1, .longest = metric->wait > 0 ? metric->wait : 0};
	char who[512];

	if (metric->event != METRIC_BUSY && metric->event != METRIC_TIMEOUT &&
		metric->event != METRIC_SLOW)
		return;
	if (!metric->holder || !*metric->holder)
		return;
	snprintf(who, sizeof who, "%s%s%s", metric->holder, host && *host ? " on " : "",
		host ? host : "");
	text_visible(more.who, sizeof more.who, who, strlen(who));
	waited_add(waited, &more);
}

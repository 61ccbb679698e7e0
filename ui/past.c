/* Stepping back in time: which moment is shown, and what is said of it. */
#include "config.h"
#include "ui/top.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"

enum { DATE = 10, STEP_TEXT = 360 };

/* What a time that is typed in seconds means: all that happened in that second. */
#define SECOND_REST (NS_PER_S - 1)

const char *top_moment(char *dst, size_t size, const struct top *top, wall_t at)
{
	char then[32], now[32];

	text_time(then, sizeof then, at);
	text_time(now, sizeof now, top->model->now_wall);
	if (strncmp(then, now, DATE) == 0)
		return text_clock(dst, size, at);
	snprintf(dst, size, "%s", then);
	return dst;
}

const char *top_message(const struct top *top)
{
	return top->message[0] ? top->message : top->past.text;
}

static void __attribute__((format(printf, 2, 3))) describe(struct top *top, const char *format, ...)
{
	char text[2 * TOP_MESSAGE];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof text, format, args);
	va_end(args);
	text_fit(top->past.text, sizeof top->past.text, text, TOP_MESSAGE - 1, TEXT_CUT_END);
}

/* Why there is nothing to step back to. */
static void say_nothing_is_kept(struct top *top)
{
	if (top->history && history_is_too_long(top->history))
		top_say(top, true,
			"%zu locks are too many for their changes to be kept: there is no stepping "
			"back",
			top->model->entries);
	else if (top->history && history_end(top->history))
		top_say(top, true, "what changed until now is no longer kept");
	else
		top_say(top, false, "nothing has changed since the monitor began");
}

static bool has_steps(const struct top *top)
{
	return top->history && history_first(top->history) < history_end(top->history);
}

static void say_oldest(struct top *top)
{
	char at[32];

	top_say(top, false, "nothing is recorded before %s",
		top_moment(at, sizeof at, top, history_since(top->history)));
}

/* The model of that step, and in `text` what it was; it is kept. */
static struct model *make(const struct top *top, uint64_t step, char *text, size_t size)
{
	struct model *model = top_must(calloc(1, sizeof *model));
	char what[STEP_TEXT], at[32];

	if (history_model(top->history, top->model, step, model) < 0)
		top_must(NULL);
	history_step_text(what, sizeof what, top->history, step, model);
	snprintf(text, size, "%s %s", top_moment(at, sizeof at, top, model->now_wall), what);
	return model;
}

void top_go_live(struct top *top)
{
	top_freeze(top, NULL);
	top_say(top, false, "the view is live again");
}

static void show(struct top *top, struct model *model, uint64_t next, bool is_exact)
{
	top_freeze(top, model);
	top->past.is_on = true;
	top->past.is_exact = is_exact;
	top->past.next = next;
}

static void show_step(struct top *top, uint64_t step)
{
	char text[TOP_MESSAGE];
	struct model *model = make(top, step, text, sizeof text);

	show(top, model, step + 1, true);
	describe(top, "%s", text);
}

/* The first step that is not in what is shown. */
static int64_t next_step(const struct top *top)
{
	return (int64_t)(top->frozen ? top->past.next : history_end(top->history));
}

/* The step that is so many away from what is shown; there may be none. */
static int64_t wanted_step(const struct top *top, int by)
{
	return top->past.is_exact ? next_step(top) - 1 + by : next_step(top) + by - (by > 0);
}

void top_step(struct top *top, int by)
{
	int64_t first, end, step;

	if (!has_steps(top)) {
		if (top->past.is_on && by > 0)
			top_go_live(top);
		else
			say_nothing_is_kept(top);
		return;
	}
	if (!top->frozen && by > 0) {
		top_say(top, false, "this is now: [ steps back");
		return;
	}
	first = (int64_t)history_first(top->history);
	end = (int64_t)history_end(top->history);
	step = wanted_step(top, by);
	if (step >= end) {
		top_go_live(top);
	} else if (by < 0 && step < first && next_step(top) <= first + top->past.is_exact) {
		say_oldest(top);
	} else {
		show_step(top, (uint64_t)(step < first ? first : step));
		if (step < first)
			say_oldest(top);
	}
}

/* --- jumping to a time -------------------------------------------------------------------------
 */

void top_ask_jump(struct top *top)
{
	char at[32];

	prompt_open(&top->prompt, PROMPT_LINE, "Jump to:");
	top->prompt_for = ACTION_JUMP;
	if (has_steps(top))
		top_say(top, false,
			"12:03, 12:03:41, 2026-11-23 12:03, -15m or now; recorded since %s",
			top_moment(at, sizeof at, top, history_since(top->history)));
	else
		top_say(top, false, "12:03, 12:03:41, 2026-11-23 12:03, -15m or now");
}

/* Do the logs that are read go back to that time? */
static bool is_in_logs(const struct model *model, wall_t at)
{
	struct series_set all = model_series_all(model);

	for (size_t i = 0; i < all.n; i++)
		if (all.at[i]->first && all.at[i]->first <= at)
			return true;
	return false;
}

/* A time from before the monitor began: what logs say of it, without locks. */
static void show_blank(struct top *top, wall_t at)
{
	struct model *model = top_must(calloc(1, sizeof *model));
	uint64_t next = top->history ? history_first(top->history) : 0;
	char since[32];

	if (history_blank(top->model, at, model) < 0)
		top_must(NULL);
	show(top, model, next, false);
	top->past.is_blank = true;
	if (has_steps(top))
		describe(top, "locks are recorded since %s; the graphs reach further back: g",
			top_moment(since, sizeof since, top, history_since(top->history)));
	else
		describe(top, "no lock is recorded from then; the graphs reach further back: g");
}

static void show_time(struct top *top, wall_t at, uint64_t step)
{
	char text[TOP_MESSAGE], then[32];
	struct model *model = make(top, step, text, sizeof text);
	bool is_exact = at <= model->now_wall;

	if (!is_exact)
		model_tick(model, model->now + (at - model->now_wall), at);
	show(top, model, step + 1, is_exact);
	describe(top, "%s: the last change before was %s", top_moment(then, sizeof then, top, at),
		text);
}

static void show_oldest(struct top *top)
{
	char text[TOP_MESSAGE], since[32];
	uint64_t first = history_first(top->history);
	struct model *model = make(top, first, text, sizeof text);

	show(top, model, first + 1, true);
	describe(top, "nothing is recorded before %s; that was %s",
		top_moment(since, sizeof since, top, model->now_wall), text);
}

static void jump(struct top *top, wall_t at)
{
	uint64_t step;

	if (at + SECOND_REST >= top->model->now_wall) {
		top_freeze(top, NULL);
		top_say(top, false, "the view is live");
		return;
	}
	if (at % NS_PER_S == 0)
		at += SECOND_REST;
	if (has_steps(top) && history_find(top->history, at, &step) == 0)
		show_time(top, at, step);
	else if (is_in_logs(top->model, at))
		show_blank(top, at);
	else if (has_steps(top))
		show_oldest(top);
	else
		say_nothing_is_kept(top);
}

void top_answer_jump(struct top *top, enum prompt_answer answer)
{
	wall_t at;
	int e;

	if (answer == PROMPT_CHANGED && top->message_is_bad)
		top->message[0] = '\0';
	if (answer == PROMPT_CANCELLED || (answer == PROMPT_TAKEN && !top->prompt.input[0]))
		top->message[0] = '\0';
	if (answer != PROMPT_TAKEN || !top->prompt.input[0])
		return;
	e = text_to_moment(top->prompt.input, top->model->now_wall, &at);
	if (e == 0) {
		top->message[0] = '\0';
		jump(top, at);
		return;
	}
	/* What was typed stays, to be mended. */
	top->prompt.kind = PROMPT_LINE;
	if (e == -ERANGE)
		top_say(top, true, "%s is in the future, or before 1970", top->prompt.input);
	else
		top_say(top, true,
			"'%s' is no time: 12:03, 12:03:41, 2026-11-23 12:03, -15m (15 minutes ago) "
			"or now",
			top->prompt.input);
}

/* What surrounds the views: title, worst lock, question, message and keys; and the tiny screen. */
#include "config.h"
#include "ui/top.h"

#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "ui/table.h"

/* --- the title: when, where, how fresh, how many --------------------------------------------- */

struct part {
	int rank;   /* the highest goes first when there is no room */
	bool is_on; /* shown */
	bool is_alarm;
	char text[160];
};

enum title_part { NAME, CLOCK, HOST, DATA, MODE, PAUSE, LIVE, FILTER, TAGS, PARTS };

static size_t count_tags(const struct model *model)
{
	size_t n = 0;

	for (size_t s = 0; s < model->sources; s++)
		for (size_t i = 0; i < model->source[s].n; i++)
			n += model->source[s].entry[i]->is_tagged;
	return n;
}

/*
 * "42 locks: 1 STALE 3 OVERDUE 38 ok", the worst first. With more than `words` states that are
 * not well, the mildest of them are put together: "11 locks: 3 STALE 1 OVERDUE 3 other 4 ok".
 */
static void count_text(char *dst, size_t size, const struct top *top, int words)
{
	const struct model *model = top_model(top);
	size_t count[STATE_COUNT], all = 0, other = 0, ok;
	int n;

	if (top->past.is_blank) {
		snprintf(dst, size, "locks: not recorded");
		return;
	}
	model_count(model, count);
	for (size_t i = 0; i < STATE_COUNT; i++)
		all += count[i];
	ok = count[STATE_FREE] + count[STATE_HELD];
	n = snprintf(dst, size, "%zu lock%s:", all, all == 1 ? "" : "s");
	for (int rank = STATE_COUNT - 1; rank >= 0 && n >= 0 && (size_t)n < size; rank--)
		for (enum state state = 0; state < STATE_COUNT; state++) {
			if (state_rank(state) != rank || !count[state] || state == STATE_FREE ||
				state == STATE_HELD)
				continue;
			if (words-- > 0)
				n += snprintf(dst + n, size - (size_t)n, " %zu %s", count[state],
					state_word(state));
			else
				other += count[state];
		}
	if (n >= 0 && (size_t)n < size && other)
		n += snprintf(dst + n, size - (size_t)n, " %zu other", other);
	if (n >= 0 && (size_t)n < size && (ok || !all))
		snprintf(dst + n, size - (size_t)n, " %zu ok", ok);
}

/* The age of the oldest data, as long as every source answers: "data 1s". */
static void data_text(char *dst, size_t size, const struct model *model)
{
	int64_t oldest = 0;
	char age[32];
	bool has_source = false;

	for (size_t i = 0; i < model->sources; i++) {
		int64_t old = model_data_age(model, i);

		if (model->source[i].state == SOURCE_ENDED)
			continue;
		has_source = true;
		/* A big log is read beside the locks, which are there already. */
		if (model_is_log(&model->source[i]) && old == INT64_MAX && model->sources > 1)
			continue;
		oldest = old > oldest ? old : oldest;
	}
	if (!model->sources)
		snprintf(dst, size, "no source");
	else if (!has_source)
		snprintf(dst, size, "ended");
	else if (oldest == INT64_MAX)
		snprintf(dst, size, "no data yet");
	else /* signs of life come every second: 0s and 1s would only flicker */
		snprintf(dst, size, "data %s",
			oldest < 2 * NS_PER_S ? "1s" : text_duration(age, sizeof age, oldest));
}

/* That what is shown is not now. */
static void pause_text(struct part *part, const struct top *top)
{
	const struct model *frozen = top->frozen;
	char text[64];

	part[PAUSE].is_alarm = true;
	part[LIVE].rank = 4;
	if (top->past.is_on) {
		snprintf(part[PAUSE].text, sizeof part->text, "PAST %s",
			top_moment(text, sizeof text, top, frozen->now_wall));
		snprintf(part[LIVE].text, sizeof part->text, "(live continues)");
	} else if (frozen) {
		snprintf(part[PAUSE].text, sizeof part->text, "PAUSED %s",
			text_duration(text, sizeof text, top->model->now - frozen->now));
	}
}

static void make_parts(struct part *part, const struct top *top)
{
	const struct model *model = top->model;
	size_t tags = count_tags(top_model(top));
	char text[64];

	snprintf(part[NAME].text, sizeof part->text, "locktop");
	part[NAME].rank = 7;
	snprintf(part[CLOCK].text, sizeof part->text, "%s",
		text_clock(text, sizeof text, model->now_wall));
	part[CLOCK].rank = 5;
	snprintf(part[HOST].text, sizeof part->text, "%s", model->host);
	part[HOST].rank = 6;
	part[DATA].rank = 1;
	if (top_data_alarm(top, part[DATA].text, sizeof part->text))
		part[DATA].is_alarm = true;
	else
		data_text(part[DATA].text, sizeof part->text, model);
	part[MODE].rank = 3;
	if (top->policy->is_read_only)
		snprintf(part[MODE].text, sizeof part->text, "READ-ONLY");
	pause_text(part, top);
	part[FILTER].rank = 2;
	if (top->selection.filter[0])
		snprintf(part[FILTER].text, sizeof part->text, "filter: %.120s",
			top->selection.filter);
	part[TAGS].rank = 3;
	if (tags)
		snprintf(part[TAGS].text, sizeof part->text, "%zu tagged", tags);
}

static int parts_width(const struct part *part)
{
	int width = 0;

	for (int i = 0; i < PARTS; i++)
		if (part[i].is_on)
			width += text_width(part[i].text) + 2;
	return width;
}

/*
 * What matters least goes first, but never an alarm, that what is shown is not live: it is worth
 * more than numbers that are not true any more.
 */
static void choose_parts(struct part *part, int room)
{
	while (parts_width(part) > room) {
		int last = -1;

		for (int i = 0; i < PARTS; i++)
			if (part[i].is_on && !part[i].is_alarm &&
				(last < 0 || part[i].rank >= part[last].rank))
				last = i;
		if (last < 0)
			return;
		part[last].is_on = false;
	}
}

static void draw_title(const struct top *top, struct canvas *canvas, struct rect rect)
{
	struct part part[PARTS] = {0};
	char counts[200], cut[200];
	int at = rect.col + 1, end = rect.col + rect.cols - 1;

	make_parts(part, top);
	for (int i = 0; i < PARTS; i++)
		part[i].is_on = part[i].text[0] != '\0';
	/* The clock and the age of the data say that this is live: they are worth the mildest
	 * states, which the list names anyway. */
	for (int words = STATE_COUNT; words >= 2; words--) {
		count_text(counts, sizeof counts, top, words);
		if (parts_width(part) <= end - at - text_width(counts))
			break;
	}
	choose_parts(part, end - at - text_width(counts));
	canvas_fill(canvas, rect, STYLE_TITLE, " ");
	for (int i = 0; i < PARTS; i++) {
		if (!part[i].is_on)
			continue;
		at += canvas_text(canvas, rect.row, at, end - at,
			part[i].is_alarm || i == LIVE ? STYLE_ALERT : STYLE_TITLE, part[i].text);
		if (i == PAUSE && part[LIVE].is_on)
			at += canvas_text(canvas, rect.row, at, 1, STYLE_ALERT, " ");
		else
			at += canvas_text(canvas, rect.row, at, 2, STYLE_TITLE, "  ");
	}
	if (at < end) {
		text_fit(cut, sizeof cut, counts, end - at, TEXT_CUT_START);
		canvas_right(canvas, rect.row, at, end - at, STYLE_TITLE, cut);
	}
}

/* --- below: message and keys ------------------------------------------------------------------ */

static enum style message_style(const struct top *top)
{
	return top->message[0] && top->message_is_bad ? STYLE_BAD : STYLE_BOLD;
}

static void draw_message(const struct top *top, struct canvas *canvas, struct rect rect)
{
	const char *rest = top_message(top);
	char text[TOP_MESSAGE];

	for (int row = 0; row < rect.rows && *rest; row++) {
		const char *next;
		size_t len = canvas_break(rest, rect.cols - 2, &next);

		if (row + 1 == rect.rows) /* what remains, cut visibly */
			text_fit(text, sizeof text, rest, rect.cols - 2, TEXT_CUT_END);
		else
			snprintf(text, sizeof text, "%.*s", (int)len, rest);
		canvas_text(canvas, rect.row + row, rect.col + 1, rect.cols - 1, message_style(top),
			text);
		rest = next;
	}
}

/* Which keys are worth a place, in this order; help and quit always have theirs. */
static const enum action bar[] = {ACTION_OPEN, ACTION_BACK, ACTION_WINDOW_15M, ACTION_WINDOW_1H,
	ACTION_WINDOW_24H, ACTION_WINDOW_7D, ACTION_ALL, ACTION_MAGNITUDE, ACTION_RELEASE,
	ACTION_FORCE, ACTION_TERMINATE, ACTION_METRICS, ACTION_CLEAN, ACTION_FILTER, ACTION_SORT,
	ACTION_TAG, ACTION_PAUSE, ACTION_LOCKS, ACTION_EVENTS, ACTION_SOURCES, ACTION_EARLIER,
	ACTION_JUMP, ACTION_HIDE_FREE, ACTION_REVERSE, ACTION_REFRESH, ACTION_UNTAG};

/* And in the past, where nothing can be done. */
static const enum action past_bar[] = {ACTION_EARLIER, ACTION_LATER, ACTION_JUMP, ACTION_PAUSE,
	ACTION_OPEN, ACTION_BACK, ACTION_METRICS, ACTION_EVENTS, ACTION_LOCKS, ACTION_SOURCES,
	ACTION_WINDOW, ACTION_ALL, ACTION_MAGNITUDE, ACTION_FILTER, ACTION_SORT, ACTION_TAG};

static bool is_in_bar(const struct top *top, enum action action)
{
	const struct action_info *info = &action_info[action];

	if (!(info->views & views[top->view]->bit))
		return false;
	if (info->is_mutating && (top->policy->is_read_only || top->past.is_on))
		return false;
	if (action == ACTION_BACK || action == ACTION_LOCKS)
		return top->view != VIEW_locks;
	if (action == ACTION_METRICS)
		return top->view != VIEW_metrics;
	return true;
}

/* The key of the pause is also the way back. */
static const char *brief_of(const struct top *top, enum action action)
{
	return action == ACTION_PAUSE && top->frozen ? "live" : action_info[action].brief;
}

static int key_width(const struct top *top, enum action action)
{
	return text_width(action_info[action].key) + text_width(brief_of(top, action)) + 3;
}

static int draw_key(const struct top *top, struct canvas *canvas, int row, int col, int cols,
	enum action action)
{
	int at = canvas_text(canvas, row, col, cols, STYLE_KEY, action_info[action].key);

	at += canvas_text(canvas, row, col + at, cols - at, STYLE_NORMAL, " ");
	at += canvas_text(canvas, row, col + at, cols - at, STYLE_NORMAL, brief_of(top, action));
	return at + 2;
}

static void draw_keys(const struct top *top, struct canvas *canvas, struct rect rect)
{
	static const char *const of_prompt[] = {
		[PROMPT_LINE] = "Enter keep  Esc undo  Ctrl-U empty",
		[PROMPT_YES] = "y yes  any other key cancels",
		[PROMPT_TYPE] = "Enter do it  Esc cancel",
	};
	const enum action *keys = top->past.is_on ? past_bar : bar;
	size_t n = top->past.is_on ? sizeof past_bar / sizeof *past_bar : sizeof bar / sizeof *bar;
	int room = rect.cols - 1 - key_width(top, ACTION_HELP) - key_width(top, ACTION_QUIT);
	int at = 1;

	if (rect.rows < 1)
		return;
	if (top->prompt.kind != PROMPT_NONE) {
		canvas_text(canvas, rect.row, rect.col + 1, rect.cols - 1, STYLE_KEY,
			top->prompt_for == ACTION_JUMP ? "Enter go  Esc cancel  Ctrl-U empty"
						       : of_prompt[top->prompt.kind]);
		return;
	}
	for (size_t i = 0; i < n; i++) {
		if (!is_in_bar(top, keys[i]) || at + key_width(top, keys[i]) > room)
			continue;
		at += draw_key(top, canvas, rect.row, rect.col + at, rect.cols - at, keys[i]);
	}
	at += draw_key(top, canvas, rect.row, rect.col + at, rect.cols - at, ACTION_HELP);
	draw_key(top, canvas, rect.row, rect.col + at, rect.cols - at, ACTION_QUIT);
}

/* --- too small for all that --------------------------------------------------------------------
 */

/* The verdict in what fits: an alarm, the numbers, the worst lock, what to do. */
static void draw_tiny(const struct top *top, struct canvas *canvas, struct rect rect)
{
	const struct model *model = top_model(top);
	const struct entry *worst = model_worst(model);
	char text[VERDICT_TEXT + 200], why[VERDICT_TEXT], age[32];
	int row = rect.row, end = rect.row + rect.rows;

	if (top_data_alarm(top, text, sizeof text))
		row += canvas_wrap(canvas, (struct rect){row, rect.col, end - row, rect.cols},
			STYLE_ALERT, text);
	if (top->frozen && row < end)
		row += canvas_textf(canvas, row, rect.col, rect.cols, STYLE_ALERT, "%s%s",
			       top->past.is_on ? "PAST " : "PAUSED",
			       top->past.is_on ? top_moment(age, sizeof age, top, model->now_wall)
					       : "") > 0;
	if (top->message[0] && row < end)
		row += canvas_wrap(canvas, (struct rect){row, rect.col, end - row, rect.cols},
			STYLE_BOLD, top->message);
	if (worst && row < end) {
		struct facts facts = model_facts(model, worst);
		struct verdict verdict = verdict_of(worst->lock, &facts);

		verdict_advice(why, sizeof why, worst->lock, &facts, &verdict);
		snprintf(text, sizeof text, "%s %.120s %s %s", state_word(verdict.state),
			worst->lock->name, table_age(age, sizeof age, verdict.age), why);
		row += canvas_wrap(canvas, (struct rect){row, rect.col, end - row, rect.cols},
			style_of_state(verdict.state), text);
	}
	count_text(text, sizeof text, top, STATE_COUNT);
	if (row < end)
		canvas_wrap(canvas, (struct rect){row, rect.col, end - row, rect.cols}, STYLE_TITLE,
			text);
	canvas->cursor_row = rect.row;
	canvas->cursor_col = rect.col;
}

/* --- all of it -----------------------------------------------------------------------------------
 */

struct layout top_layout(const struct top *top, int rows, int cols)
{
	const struct entry *entry = top->view == VIEW_locks  ? model_worst(top_model(top))
				    : top->view == VIEW_lock ? top_selected(top)
							     : NULL;
	struct layout_wants wants = {
		.has_prompt = top->prompt.kind != PROMPT_NONE,
		.has_message = top_message(top)[0] != '\0',
	};

	/* A question about one lock does not stand under the block of another. */
	if (top->prompt.kind > PROMPT_LINE)
		wants.worst_rows = 0;
	else if (entry)
		wants.worst_rows = top_verdict_block(top, NULL, (struct rect){0}, entry);
	else if (top->view == VIEW_locks)
		wants.worst_rows = top_all_well(top, NULL, (struct rect){0});
	if (wants.has_message)
		wants.message_rows = canvas_wrap(
			NULL, (struct rect){.cols = cols - 2}, STYLE_NORMAL, top_message(top));
	if (wants.has_prompt)
		wants.prompt_rows = prompt_rows(&top->prompt, cols);
	return layout_of(rows, cols, &wants);
}

void top_draw(const struct top *top, struct canvas *canvas)
{
	struct layout layout = top_layout(top, canvas->rows, canvas->cols);

	if (layout.is_tiny) {
		draw_tiny(top, canvas, layout.title);
		return;
	}
	draw_title(top, canvas, layout.title);
	views[top->view]->draw(top, canvas, &layout);
	draw_message(top, canvas, layout.message);
	draw_keys(top, canvas, layout.keys);
	prompt_draw(canvas, layout.dialog, &top->prompt, top->glyphs);
}

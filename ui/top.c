/* The monitor without a terminal: keys in, canvas out. */
#include "config.h"
#include "ui/top.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/text.h"
#include "ui/table.h"

#define MESSAGE_FOR (10 * NS_PER_S)
#define REFUSAL_FOR (30 * NS_PER_S)
/* A list that takes long to make is made anew only after so many times that long. */
#define SELECT_LONG (5 * NS_PER_MS)
enum { SELECT_SHARE = 5 };

const struct view *const views[VIEW_COUNT] = {
#define _(name) [VIEW_##name] = &view_##name,
	VIEWS(_)
#undef _
};

void *top_must(void *memory)
{
	if (!memory)
		abort(); /* out of memory: the screen gives the terminal back on SIGABRT */
	return memory;
}

const struct model *top_model(const struct top *top)
{
	return top->frozen ? top->frozen : top->model;
}

const struct entry *top_selected(const struct top *top)
{
	return top->cursor_name ? model_find(top_model(top), top->cursor_source, top->cursor_name)
				: NULL;
}

void top_say(struct top *top, bool is_bad, const char *format, ...)
{
	char text[2 * TOP_MESSAGE];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof text, format, args);
	va_end(args);
	if (text_is_clean(text, strlen(text)))
		text_fit(top->message, sizeof top->message, text, TOP_MESSAGE - 1, TEXT_CUT_END);
	else
		text_clean(top->message, sizeof top->message, text, strlen(text), NULL);
	top->message_is_bad = is_bad;
	top->message_until = top->model->now + (is_bad ? REFUSAL_FOR : MESSAGE_FOR);
}

void top_init(struct top *top, struct model *model, const struct policy *policy,
	const struct glyphs *glyphs)
{
	*top = (struct top){
		.model = model,
		.policy = policy,
		.glyphs = glyphs,
		.selection = {.sort = SORT_HARM},
		.page = {.window = WINDOW_1H},
		.prompt_for = ACTION_NONE,
		.wants_select = true,
	};
}

static void drop_list(struct top *top)
{
	for (size_t i = 0; i < top->listed; i++)
		lock_unref(top->list[i].lock);
	top->listed = 0;
}

static void add_tags(struct model *to, const struct model *from)
{
	for (size_t s = 0; s < from->sources; s++)
		for (size_t i = 0; i < from->source[s].n; i++) {
			const struct entry *entry = from->source[s].entry[i];
			struct entry *same =
				entry->is_tagged ? model_find(to, s, entry->lock->name) : NULL;

			if (same)
				same->is_tagged = true;
		}
}

void top_freeze(struct top *top, struct model *model)
{
	if (model) {
		add_tags(model, top->model);
		if (top->frozen)
			add_tags(model, top->frozen);
	}
	if (top->frozen)
		model_release(top->frozen);
	free(top->frozen);
	top->frozen = model;
	top->past = (struct past){0};
	top->wants_select = true;
	/* What happened until then: no news came in on top. */
	top->happened = top_model(top)->happened;
	if (top->view == VIEW_events)
		top->line = 0;
}

void top_release(struct top *top)
{
	top_drop_targets(top);
	drop_list(top);
	top_freeze(top, NULL);
	free(top->list);
	free(top->target);
	free(top->asked);
	free(top->scratch);
	free(top->cursor_name);
	metrics_page_release(&top->page);
	*top = (struct top){0};
}

/* --- the list and its cursor ------------------------------------------------------------ */

static void set_cursor(struct top *top, size_t row)
{
	char *name;

	if (row >= top->listed)
		row = top->listed ? top->listed - 1 : 0;
	top->cursor = row;
	if (!top->listed)
		return;
	name = top_must(strdup(top->list[row].lock->name));
	free(top->cursor_name);
	top->cursor_name = name;
	top->cursor_source = top->list[row].source;
}

static bool find_cursor(struct top *top)
{
	for (size_t i = 0; top->cursor_name && i < top->listed; i++) {
		if (top->list[i].source == top->cursor_source &&
			strcmp(top->list[i].lock->name, top->cursor_name) == 0) {
			top->cursor = i;
			return true;
		}
	}
	return false;
}

/*
 * The cursor stays on its lock wherever that goes. When the lock has gone, it stays in its row;
 * not so where that lock is what the screen or a question is about.
 */
static void place_cursor(struct top *top)
{
	if (top->view == VIEW_lock || top->view == VIEW_metrics || top->prompt.kind > PROMPT_LINE)
		find_cursor(top);
	else if (!top->is_steered)
		set_cursor(top, 0);
	else if (!find_cursor(top))
		set_cursor(top, top->cursor);
}

static void make_list(struct top *top)
{
	const struct model *model = top_model(top);
	size_t n = 0;

	if (model_select(model, &top->selection, &top->scratch, &n, &top->scratch_size) < 0)
		top_must(NULL);
	drop_list(top);
	if (n > top->list_size) {
		top->list = top_must(reallocarray(top->list, n, sizeof *top->list));
		top->list_size = n;
	}
	for (size_t i = 0; i < n; i++)
		top->list[i] = (struct listed){
			.source = top->scratch[i]->source,
			.lock = lock_ref(top->scratch[i]->lock),
		};
	top->listed = n;
}

/* The order is held while a question about one of its rows is open. */
static bool list_is_due(const struct top *top)
{
	if (top->prompt.kind > PROMPT_LINE)
		return false;
	if (top->wants_select)
		return true;
	/* A filter may name ages, which pass without a change. */
	if (top->selected_at == top_model(top)->changes &&
		!(strpbrk(top->selection.filter, "<>=") &&
			top->model->now - top->selected_when >= NS_PER_S))
		return false;
	return top->select_cost < SELECT_LONG ||
	       top->model->now - top->selected_when >= SELECT_SHARE * top->select_cost;
}

static void update_list(struct top *top)
{
	mono_t began;

	if (!list_is_due(top))
		return;
	began = clock_mono(&clock_system);
	make_list(top);
	place_cursor(top);
	top->select_cost = clock_mono(&clock_system) - began;
	top->selected_when = top->model->now;
	top->selected_at = top_model(top)->changes;
	top->wants_select = false;
}

/* A question whose lock is not what it was any more, or that no longer fits, is withdrawn. */
static void check_question(struct top *top)
{
	char why[TOP_MESSAGE];

	if (top->prompt.kind <= PROMPT_LINE)
		return;
	if (top->rows > 0 && top_layout(top, top->rows, top->cols).is_tiny)
		snprintf(why, sizeof why, "the screen is too small for it");
	else if (top_targets_hold(top, why, sizeof why))
		return;
	top->prompt.kind = PROMPT_NONE;
	top_drop_targets(top);
	top_say(top, true, "the question was withdrawn: %s", why);
}

static size_t body_rows(const struct top *top)
{
	int rows = top->rows > 0 ? top->rows : 24;
	int cols = top->cols > 0 ? top->cols : 80;
	int body = top_layout(top, rows, cols).body.rows;

	return body > 0 ? (size_t)body : 1;
}

static void update_scroll(struct top *top)
{
	size_t rows = body_rows(top), n;

	if (top->view == VIEW_locks) {
		top->first[VIEW_locks] =
			table_scroll(top->first[VIEW_locks], top->cursor, top->listed, (int)rows);
		return;
	}
	n = views[top->view]->rows(top);
	/* New events come in on top: who reads further down keeps his place. */
	if (top->view == VIEW_events && top->line)
		top->line += top_model(top)->happened - top->happened;
	top->happened = top_model(top)->happened;
	if (top->line + rows > n)
		top->line = n > rows ? n - rows : 0;
}

void top_update(struct top *top)
{
	if (top->message[0] && top->model->now >= top->message_until)
		top->message[0] = '\0';
	check_question(top);
	update_list(top);
	update_scroll(top);
	levels_update(top);
	if (top->view == VIEW_metrics)
		metrics_page_update(top);
	top->prompt_is_seen = top->prompt.kind != PROMPT_NONE;
}

/* --- actions ------------------------------------------------------------------------------ */

static void show(struct top *top, enum view_id view)
{
	if (top->view == view)
		return;
	top->before = top->view;
	top->view = view;
	top->line = 0;
	top->happened = top_model(top)->happened;
}

/* Where up and down lead to another lock. */
static bool has_cursor(const struct top *top)
{
	return top->view == VIEW_locks || top->view == VIEW_metrics;
}

static void move(struct top *top, int64_t by)
{
	size_t *at = has_cursor(top) ? &top->cursor : &top->line;
	size_t n = has_cursor(top) ? top->listed : views[top->view]->rows(top);
	size_t to;

	if (by < 0)
		to = (size_t)-by > *at ? 0 : *at - (size_t)-by;
	else
		to = (size_t)by >= n - (*at < n ? *at : n) ? (n ? n - 1 : 0) : *at + (size_t)by;
	if (!has_cursor(top)) {
		*at = to;
		return;
	}
	if (top->view == VIEW_metrics)
		top->page.is_all = false;
	top->is_steered = true;
	set_cursor(top, to);
}

static void act_up(struct top *top)
{
	move(top, -1);
}

static void act_down(struct top *top)
{
	move(top, 1);
}

static void act_page_up(struct top *top)
{
	move(top, -(int64_t)body_rows(top));
}

static void act_page_down(struct top *top)
{
	move(top, (int64_t)body_rows(top));
}

static void act_first(struct top *top)
{
	move(top, -(int64_t)INT32_MAX);
}

static void act_last(struct top *top)
{
	move(top, INT32_MAX);
}

static void act_open(struct top *top)
{
	if (!top_selected(top)) {
		top_say(top, true, "no lock is selected");
		return;
	}
	top->is_steered = true;
	show(top, VIEW_lock);
}

static void act_back(struct top *top)
{
	if (top->view != VIEW_locks) {
		enum view_id to = top->before == top->view ? VIEW_locks : top->before;

		show(top, to);
		top->before = VIEW_locks;
		return;
	}
	if (top->past.is_on) {
		top_go_live(top);
		return;
	}
	if (!top->selection.filter[0])
		top_say(top, false, "this is the list; q leaves");
	top->selection.filter[0] = '\0';
	top->wants_select = true;
}

static void act_filter(struct top *top)
{
	prompt_open(&top->prompt, PROMPT_LINE, "Filter:");
	snprintf(top->prompt.input, sizeof top->prompt.input, "%s", top->selection.filter);
	memcpy(top->filter_before, top->selection.filter, sizeof top->filter_before);
	top->prompt_for = ACTION_FILTER;
}

static const struct {
	int sort;
	const char *word;
} sorts[] = {
	{SORT_HARM, "harm"},
	{COLUMN_AGE, "age, the oldest first"},
	{COLUMN_NAME, "name"},
	{COLUMN_STATE, "state"},
	{COLUMN_HOLDER, "holder"},
	{COLUMN_WAITERS, "waiters, the most first"},
};

static void act_sort(struct top *top)
{
	size_t n = sizeof sorts / sizeof *sorts, next = 0;

	for (size_t i = 0; i < n; i++)
		if (sorts[i].sort == top->selection.sort)
			next = (i + 1) % n;
	top->selection.sort = sorts[next].sort;
	/* Of numbers the largest are wanted first. */
	top->selection.is_reversed =
		sorts[next].sort == COLUMN_AGE || sorts[next].sort == COLUMN_WAITERS;
	top->wants_select = true;
	top_say(top, false, "sorted by %s", sorts[next].word);
}

static void act_reverse(struct top *top)
{
	top->selection.is_reversed = !top->selection.is_reversed;
	top->wants_select = true;
	top_say(top, false, "the order is inverted");
}

static void act_hide_free(struct top *top)
{
	top->selection.hides_free = !top->selection.hides_free;
	top->wants_select = true;
	top_say(top, false, "FREE locks are %s", top->selection.hides_free ? "hidden" : "shown");
}

/* Tags are on both models, so that a pause neither loses nor resurrects them. */
static void tag(struct top *top, size_t source, const char *name, bool is_tagged)
{
	struct model *const models[] = {top->model, top->frozen};

	for (size_t i = 0; i < 2; i++) {
		struct entry *entry = models[i] ? model_find(models[i], source, name) : NULL;

		if (entry)
			entry->is_tagged = is_tagged;
	}
}

static void act_tag(struct top *top)
{
	const struct entry *entry = top_selected(top);

	if (!entry) {
		top_say(top, true, "no lock is selected");
		return;
	}
	tag(top, entry->source, entry->lock->name, !entry->is_tagged);
	top->wants_select |= strstr(top->selection.filter, "tagged") != NULL;
	move(top, 1);
}

static void act_untag(struct top *top)
{
	struct model *const models[] = {top->model, top->frozen};

	for (size_t m = 0; m < 2 && models[m]; m++)
		for (size_t s = 0; s < models[m]->sources; s++)
			for (size_t i = 0; i < models[m]->source[s].n; i++)
				models[m]->source[s].entry[i]->is_tagged = false;
	top->wants_select |= strstr(top->selection.filter, "tagged") != NULL;
	top_say(top, false, "no lock is tagged any more");
}

static void act_pause(struct top *top)
{
	struct model *copy;

	if (top->frozen) {
		top_go_live(top);
		return;
	}
	copy = top_must(calloc(1, sizeof *copy));
	if (model_copy(copy, top->model) < 0)
		top_must(NULL);
	top_freeze(top, copy);
	top->past.next = top->history ? history_end(top->history) : 0;
	top_say(top, false, "the view is frozen; watching goes on, p shows it again");
}

static void act_earlier(struct top *top)
{
	top_step(top, -1);
}

static void act_later(struct top *top)
{
	top_step(top, 1);
}

static void act_earlier_10(struct top *top)
{
	top_step(top, -10);
}

static void act_later_10(struct top *top)
{
	top_step(top, 10);
}

static void act_refresh(struct top *top)
{
	top->wants_repaint = true;
	if (top->look)
		top->look(top->data);
}

static void act_locks(struct top *top)
{
	show(top, VIEW_locks);
}

/* Of the lock that is selected now, which then stays so. */
static void act_metrics(struct top *top)
{
	top->is_steered |= top_selected(top) != NULL;
	show(top, VIEW_metrics);
}

static void set_window(struct top *top, enum window window)
{
	top->page.window = window;
}

#define _(id, word, help, seconds, tier)             \
	static void act_window_##id(struct top *top) \
	{                                            \
		set_window(top, WINDOW_##id);        \
	}
WINDOWS(_)
#undef _

static void act_window(struct top *top)
{
	set_window(top, (top->page.window + 1) % WINDOW_COUNT);
}

static void act_all(struct top *top)
{
	if (top->page.is_all && !top->cursor_name)
		top_say(top, true, "no lock is selected");
	else
		top->page.is_all = !top->page.is_all;
}

static void act_magnitude(struct top *top)
{
	top->page.is_log = !top->page.is_log;
}

static void act_events(struct top *top)
{
	show(top, VIEW_events);
}

static void act_sources(struct top *top)
{
	show(top, VIEW_sources);
}

static void act_help(struct top *top)
{
	show(top, VIEW_help);
}

static void act_suspend(struct top *top)
{
	top->wants_suspend = true;
}

static void act_quit(struct top *top)
{
	top->wants_quit = true;
}

/* What changes something outside is not here: it goes through top_offer() and its question. */
static void (*const acts[ACTION_COUNT])(struct top *) = {
	[ACTION_UP] = act_up,
	[ACTION_DOWN] = act_down,
	[ACTION_PAGE_UP] = act_page_up,
	[ACTION_PAGE_DOWN] = act_page_down,
	[ACTION_FIRST] = act_first,
	[ACTION_LAST] = act_last,
	[ACTION_OPEN] = act_open,
	[ACTION_BACK] = act_back,
	[ACTION_FILTER] = act_filter,
	[ACTION_SORT] = act_sort,
	[ACTION_REVERSE] = act_reverse,
	[ACTION_HIDE_FREE] = act_hide_free,
	[ACTION_TAG] = act_tag,
	[ACTION_UNTAG] = act_untag,
	[ACTION_PAUSE] = act_pause,
	[ACTION_EARLIER] = act_earlier,
	[ACTION_LATER] = act_later,
	[ACTION_EARLIER_10] = act_earlier_10,
	[ACTION_LATER_10] = act_later_10,
	[ACTION_JUMP] = top_ask_jump,
	[ACTION_REFRESH] = act_refresh,
	[ACTION_LOCKS] = act_locks,
	[ACTION_METRICS] = act_metrics,
#define _(id, word, help, seconds, tier) [ACTION_WINDOW_##id] = act_window_##id,
	WINDOWS(_)
#undef _
		[ACTION_WINDOW] = act_window,
	[ACTION_ALL] = act_all,
	[ACTION_MAGNITUDE] = act_magnitude,
	[ACTION_EVENTS] = act_events,
	[ACTION_SOURCES] = act_sources,
	[ACTION_HELP] = act_help,
	[ACTION_SUSPEND] = act_suspend,
	[ACTION_QUIT] = act_quit,
};

void top_act(struct top *top, enum action action)
{
	if ((unsigned int)action >= ACTION_COUNT)
		return;
	top->prompt.kind = PROMPT_NONE;
	top->prompt_is_seen = false;
	top_drop_targets(top);
	top->message[0] = '\0'; /* it was about what was done before */
	if (!(action_info[action].views & views[top->view]->bit))
		top_say(top, true, "%s does nothing here", action_info[action].key);
	else if (action_info[action].is_mutating)
		top_offer(top, action);
	else
		acts[action](top);
}

/* --- keys ----------------------------------------------------------------------------------- */

static void set_filter(struct top *top, const char *filter)
{
	struct selection wanted = top->selection;
	struct error err;

	snprintf(wanted.filter, sizeof wanted.filter, "%s", filter);
	if (selection_check(&wanted, &err) < 0) {
		top_say(top, true, "%s", err.text);
		return;
	}
	if (top->message_is_bad)
		top->message[0] = '\0';
	top->selection = wanted;
	top->wants_select = true;
}

static void answer_filter(struct top *top, enum prompt_answer answer)
{
	if (answer == PROMPT_CANCELLED)
		set_filter(top, top->filter_before);
	else if (answer != PROMPT_OPEN)
		set_filter(top, top->prompt.input);
}

static void answer_question(struct top *top, enum prompt_answer answer)
{
	if (answer == PROMPT_TAKEN)
		top_do(top);
	else if (answer == PROMPT_CANCELLED) {
		top_drop_targets(top);
		top_say(top, false, "cancelled: nothing was done");
	}
}

static void key_to_prompt(struct top *top, int key)
{
	enum prompt_answer answer;

	if (key == KEY_CTRL_L) { /* a spoilt screen is no answer */
		top->wants_repaint = true;
		return;
	}
	/*
	 * What was typed or pasted ahead is no answer to a question that nobody has read yet: keys
	 * are dropped until it was drawn.
	 */
	if (top->prompt.kind > PROMPT_LINE && !top->prompt_is_seen)
		return;
	answer = prompt_key(&top->prompt, key);
	if (top->prompt_for == ACTION_FILTER)
		answer_filter(top, answer);
	else if (top->prompt_for == ACTION_JUMP)
		top_answer_jump(top, answer);
	else
		answer_question(top, answer);
}

void top_key(struct top *top, int key)
{
	enum action action;

	if (top->prompt.kind != PROMPT_NONE) {
		key_to_prompt(top, key);
		return;
	}
	action = keymap_find(key, views[top->view]->bit);
	if (action != ACTION_NONE)
		top_act(top, action);
	else if (key > KEY_SPACE && key < KEY_DELETE_BACK)
		top_say(top, false, "%c does nothing here; ? shows the keys", key);
}

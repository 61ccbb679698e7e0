/* What the metrics view shows: counted from the logs, and dealt out over the screen. */
#include "config.h"
#include "ui/metrics_page.h"

#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "ui/top.h"

enum {
	COLS_FOR_PAIRS = 100, /* two graphs side by side */
	ROWS_FOR_PAIRS = 22,
	ROWS_FOR_TWO = 10, /* of the two graphs that have a plot */
	ADDRESS = 1024,
	COUNT_SHARE = 5,
};

#define COUNT_LONG (5 * NS_PER_MS)

/* --- where things go ------------------------------------------------------------------------- */

static int least(int a, int b)
{
	return a < b ? a : b;
}

static int text_rows_of(int rows, int wanted, int notices)
{
	int most = rows >= 16 ? 4 : rows >= 12 ? 2 : rows >= 8 ? 1 : 0;

	if (rows >= 5 && notices > most)
		most = least(notices, rows - 4);
	return least(wanted, most);
}

static struct rect part(struct rect body, int *row, int rows)
{
	struct rect rect = {body.row + *row, body.col, rows, body.cols};

	*row += rows;
	return rect;
}

/* Two by two, as high as there is room. */
static void plan_pairs(struct page_plan *plan, struct rect body, int at, int rows)
{
	int cols = (body.cols - 2) / 2;

	for (int i = 0; i < GRAPH_COUNT; i++)
		plan->graph[i] = (struct rect){body.row + at + i / 2 * (rows / 2),
			body.col + i % 2 * (body.cols - cols), rows / 2, cols};
}

/* Below one another: waits and holds with a plot, the others in a row each. */
static void plan_stack(struct page_plan *plan, struct rect body, int at, int rows)
{
	int rest = rows - (GRAPH_COUNT - 1), wait = rest;

	if (rows < GRAPH_COUNT)
		wait = least(rows, 1);
	else if (rows - 2 >= ROWS_FOR_TWO)
		wait = (rows - 2) / 2;
	plan->graph[GRAPH_WAIT] = part(body, &at, wait);
	rows -= wait;
	plan->graph[GRAPH_HOLD] = part(body, &at, rows < 3 ? least(rows, 1) : rows - 2);
	rows -= plan->graph[GRAPH_HOLD].rows;
	plan->graph[GRAPH_FAILED] = part(body, &at, least(rows, 1));
	rows -= plan->graph[GRAPH_FAILED].rows;
	plan->graph[GRAPH_STALE] = part(body, &at, least(rows, 1));
}

struct page_plan page_plan(struct rect body, int text_rows, int notices, bool has_legend)
{
	struct page_plan plan = {0};
	int text = text_rows_of(body.rows, text_rows, notices), at = 0;
	int rows = body.rows - text;
	bool has_pairs = body.cols >= COLS_FOR_PAIRS && body.rows >= ROWS_FOR_PAIRS;

	plan.text = part(body, &at, text);
	if (has_legend && rows >= ROWS_FOR_TWO + 3) {
		plan.legend = (struct rect){body.row + body.rows - 1, body.col, 1, body.cols};
		rows--;
	}
	if (has_pairs)
		plan_pairs(&plan, body, at, rows);
	else
		plan_stack(&plan, body, at, rows);
	return plan;
}

/* --- what is shown --------------------------------------------------------------------------- */

static void keep(char **dst, const char *text)
{
	if (*dst && strcmp(*dst, text) == 0)
		return;
	free(*dst);
	*dst = top_must(strdup(text));
}

/* The series of the lock; one that has gone is still known by the address that it had. */
static struct series_set series_of_lock(struct top *top, const struct model *model)
{
	const struct entry *entry = top_selected(top);
	struct metrics_page *page = &top->page;
	char address[ADDRESS];

	/* In the past, where it was not yet or nothing is known of locks, the logs know it, too. */
	if (!entry && top->past.is_on && top->cursor_name) {
		entry = model_find(top->model, top->cursor_source, top->cursor_name);
		model = top->model;
	}
	if (entry) {
		model_address(address, sizeof address, model, entry);
		keep(&page->address, address);
		keep(&page->name, top->cursor_name);
		return model_series(model, entry);
	}
	if (!page->name || strcmp(page->name, top->cursor_name) != 0)
		return (struct series_set){0};
	return model_series_at(model, page->address, NULL);
}

static int by_times(const void *a, const void *b)
{
	const struct waited_for *x = a, *y = b;

	return (x->times < y->times) - (x->times > y->times);
}

/* The same holder is in several logs. */
static void add_waited(struct waited_for *waited, size_t *n, const struct waited_for *one)
{
	size_t i = 0;

	while (i < *n && strcmp(waited[i].who, one->who) != 0)
		i++;
	if (i == *n) {
		waited[(*n)++] = *one;
		return;
	}
	waited[i].times += one->times;
	if (one->longest > waited[i].longest)
		waited[i].longest = one->longest;
}

static void count_waited(struct metrics_page *page, const struct series_set *set)
{
	struct waited_for waited[SERIES_SET_MAX * WAITED_FOR_MAX];
	size_t n = 0;

	for (size_t i = 0; i < set->n; i++)
		for (size_t j = 0; j < WAITED_FOR_MAX && set->at[i]->waited[j].who[0]; j++)
			add_waited(waited, &n, &set->at[i]->waited[j]);
	qsort(waited, n, sizeof *waited, by_times);
	memset(page->waited, 0, sizeof page->waited);
	memcpy(page->waited, waited, (n < PAGE_WAITED ? n : PAGE_WAITED) * sizeof *waited);
}

static int64_t slot_length(enum window window)
{
	static const int64_t seconds[] = {
#define _(id, seconds, slots) [TIER_##id] = seconds,
		TIERS(_)
#undef _
	};

	return seconds[window_info[window].tier] * NS_PER_S;
}

/* As many as can be told apart, with the same number of slots in each. */
static size_t points_for(const struct top *top, enum window window)
{
	size_t slots = (size_t)(window_info[window].length / slot_length(window)), each = 1;
	int rows = top->rows > 0 ? top->rows : 24, cols = top->cols > 0 ? top->cols : 80;
	struct rect body = top_layout(top, rows, cols).body;
	size_t most =
		graph_columns(page_plan(body, 0, 0, false).graph[GRAPH_WAIT].cols, top->glyphs);

	while (each < slots && (slots % each || slots / each > most))
		each++;
	return slots / each;
}

/*
 * When the graphs end. Points begin at multiples of their length, so that they do not change while
 * time goes on; what has been stopped ends where it was.
 */
static wall_t end_of(const struct top *top, const struct metrics_page *page)
{
	wall_t now = top_model(top)->now_wall;
	int64_t each = window_info[page->window].length / (int64_t)page->n;

	return top->frozen ? now : now / each * each + each - 1;
}

static struct page_key key_of(const struct top *top, const struct model *model)
{
	const struct metrics_page *page = &top->page;
	struct page_key key = {
		.model = model,
		.slot = model->now_wall /
			(window_info[page->window].tier == TIER_SECOND ? NS_PER_S : 60 * NS_PER_S),
		.window = page->window,
		.n = points_for(top, page->window),
	};

	for (size_t i = 0; i < model->sources; i++)
		if (model->source[i].metrics)
			key.changes += model->source[i].metrics->changes;
	if (!page->is_all && top->cursor_name)
		key.lock = text_hash(
			top->cursor_name, strlen(top->cursor_name), top->cursor_source + 1);
	return key;
}

/* Is it the same question, whatever the answer is now? */
static bool is_same_question(const struct page_key *a, const struct page_key *b)
{
	return a->model == b->model && a->window == b->window && a->lock == b->lock && a->n == b->n;
}

/* What takes long to count is counted anew only after so many times that long. */
static bool is_due(const struct metrics_page *page, const struct page_key *key, mono_t now)
{
	if (!is_same_question(key, &page->key))
		return true;
	if (key->changes == page->key.changes && key->slot == page->key.slot)
		return false;
	return page->cost < COUNT_LONG || now - page->counted >= COUNT_SHARE * page->cost;
}

static void count(struct top *top, struct series_set set)
{
	const struct model *model = top_model(top);
	struct metrics_page *page = &top->page;
	enum window window = page->window;
	wall_t at = model->now_wall;

	tally_clear(&page->tally);
	if (page->n > page->size) {
		page->point = top_must(reallocarray(page->point, page->n, sizeof *page->point));
		page->size = page->n;
	}
	if (series_window(&set, window, at, &page->tally) < 0 ||
		series_points(&set, window, end_of(top, page), page->point, page->n) < 0)
		top_must(NULL);
	count_waited(page, &set);
	page->known_from = model_known_from(model, window, at);
	page->locks = 0;
	page->first = 0;
	for (size_t i = 0; i < model->sources; i++) {
		const struct metrics *metrics = model->source[i].metrics;

		if (!metrics)
			continue;
		page->locks += metrics->series;
		if (metrics->all.first && (!page->first || metrics->all.first < page->first))
			page->first = metrics->all.first;
	}
}

void metrics_page_update(struct top *top)
{
	const struct model *model = top_model(top);
	struct metrics_page *page = &top->page;
	struct page_key key = key_of(top, model);

	mono_t began;

	if (!is_due(page, &key, top->model->now))
		return;
	began = clock_mono(&clock_system);
	page->key = key;
	page->n = key.n;
	count(top, key.lock ? series_of_lock(top, model) : model_series_all(model));
	page->cost = clock_mono(&clock_system) - began;
	page->counted = top->model->now;
}

void metrics_page_release(struct metrics_page *page)
{
	tally_release(&page->tally);
	free(page->point);
	free(page->name);
	free(page->address);
	*page = (struct metrics_page){0};
}

/* The first view: the worst lock on top, the list of all below. */
#include "config.h"
#include "ui/table.h"
#include "ui/top.h"

#include <stdio.h>
#include <string.h>

#include "base/text.h"

/* In order; what an ordinary terminal has no room for stands in the lock's own view. */
static const struct {
	enum column column;
	int from;      /* columns of the screen */
	int from_logs; /* the same, beside what logs say */
	bool of_many;  /* only when the locks come from several places */
} columns[] = {
	{COLUMN_STATE, 0, 0, false},
	{COLUMN_NAME, 0, 0, false},
	{COLUMN_HOLDER, 0, 0, false},
	{COLUMN_USER, 100, 140, false},
	{COLUMN_AGE, 0, 0, false},
	{COLUMN_LIMIT, 60, 60, false},
	{COLUMN_USUAL, 0, 100, false},
	{COLUMN_WAITERS, 0, 0, false},
	{COLUMN_WAITS, 0, LEVELS_COLS, false},
	{COLUMN_HOLDS, 0, LEVELS_COLS, false},
	{COLUMN_ADVICE, 0, 0, false},
	{COLUMN_SOURCE, 100, 140, true},
};

/* Do the locks come from several places? A log is none. */
static bool is_of_many(const struct model *model)
{
	size_t n = 0;

	for (size_t i = 0; i < model->sources; i++)
		n += !model_is_log(&model->source[i]);
	return n > 1;
}

static void plan_columns(struct table_plan *plan, int cols, const struct model *model)
{
	bool is_many = is_of_many(model), has_logs = model_has_metrics(model);
	enum column wanted[sizeof columns / sizeof *columns];
	size_t n = 0;

	for (size_t i = 0; i < sizeof columns / sizeof *columns; i++) {
		if (cols < (has_logs ? columns[i].from_logs : columns[i].from))
			continue;
		if (columns[i].of_many && !is_many)
			continue;
		if (has_logs || !column_needs_log(columns[i].column))
			wanted[n++] = columns[i].column;
	}
	table_plan(plan, cols, wanted, n);
}

static size_t rows(const struct top *top)
{
	return top->listed;
}

static void draw_worst(const struct top *top, struct canvas *canvas, struct rect rect)
{
	const struct entry *worst = model_worst(top_model(top));

	if (worst)
		top_verdict_block(top, canvas, rect, worst);
	else
		top_all_well(top, canvas, rect);
}

/* The line between says where in the list one is. */
static void draw_rule(
	const struct top *top, struct canvas *canvas, const struct layout *layout, size_t first)
{
	size_t last = first + (size_t)layout->body.rows;
	char text[160];

	if (layout->rule.rows < 1)
		return;
	canvas_fill(canvas, layout->rule, STYLE_DIM, top->glyphs->rule);
	if (last > top->listed)
		last = top->listed;
	snprintf(text, sizeof text, " %zu-%zu of %zu%s%s ", last ? first + 1 : 0, last, top->listed,
		first ? " " : "", first ? top->glyphs->more_up : "");
	if (last < top->listed)
		snprintf(text + strlen(text), sizeof text - strlen(text), "%s ",
			top->glyphs->more_down);
	canvas_right(canvas, layout->rule.row, 0, layout->rule.cols - 1, STYLE_DIM, text);
}

static void draw_empty(const struct top *top, struct canvas *canvas, struct rect rect)
{
	size_t count[STATE_COUNT], all = 0;

	if (top->past.is_blank)
		canvas_text(canvas, rect.row, 2, rect.cols - 2, STYLE_DIM, top->past.text);
	model_count(top_model(top), count);
	for (size_t i = 0; i < STATE_COUNT; i++)
		all += count[i];
	if (all && top->selection.filter[0])
		canvas_textf(canvas, rect.row, 2, rect.cols - 2, STYLE_DIM,
			"no lock matches '%s'; Esc shows all", top->selection.filter);
	else if (all && top->selection.hides_free)
		canvas_text(canvas, rect.row, 2, rect.cols - 2, STYLE_DIM,
			"all locks are FREE; f shows them");
	canvas->cursor_row = rect.row;
	canvas->cursor_col = 0;
}

/* The lock has gone while the list is held. */
static void draw_gone(struct canvas *canvas, struct rect rect, const char *name, bool is_selected)
{
	canvas_text(canvas, rect.row, 2, 9, STYLE_DIM, "- gone");
	canvas_text(canvas, rect.row, 13, rect.cols - 13, STYLE_DIM, name);
	if (!is_selected)
		return;
	canvas_style(canvas, rect.row, 0, rect.cols, STYLE_CURSOR);
	canvas->cursor_row = rect.row;
	canvas->cursor_col = 0;
}

static void draw_list(const struct top *top, struct canvas *canvas, struct rect rect,
	const struct table_plan *plan, size_t first)
{
	for (int row = 0; row < rect.rows && first + (size_t)row < top->listed; row++) {
		size_t at = first + (size_t)row;
		const struct listed *listed = &top->list[at];
		const struct entry *entry =
			model_find(top_model(top), listed->source, listed->lock->name);
		struct rect line = {rect.row + row, rect.col, 1, rect.cols};
		bool is_selected = at == top->cursor;

		if (entry)
			table_row(canvas, line, plan, top_model(top), entry, levels_of(top, entry),
				top->glyphs, is_selected);
		else
			draw_gone(canvas, line, listed->lock->name, is_selected);
	}
}

static void draw(const struct top *top, struct canvas *canvas, const struct layout *layout)
{
	struct table_plan plan;
	size_t first =
		table_scroll(top->first[VIEW_locks], top->cursor, top->listed, layout->body.rows);

	plan_columns(&plan, layout->body.cols, top_model(top));
	draw_worst(top, canvas, layout->worst);
	draw_rule(top, canvas, layout, first);
	table_header(
		canvas, layout->header, &plan, top->selection.sort, top->selection.is_reversed);
	if (layout->body.rows < 1)
		return;
	if (top->listed)
		draw_list(top, canvas, layout->body, &plan, first);
	else
		draw_empty(top, canvas, layout->body);
}

const struct view view_locks = {"locks", IN_LOCKS, rows, draw};

/* A scrolling table of entries. */
#include "config.h"
#include "ui/table.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"

enum {
	MARKS = 2,
	WIDE = 100,
	CELL = 512,
	LEVELS = 12
}; /* cursor and tag; from WIDE on, gaps of two columns */

/*
 * When there is no room for all, these stay longest: what, which, how long, who, how many hurt,
 * what to do. The others follow in the order wanted.
 */
static const enum column importance[] = {COLUMN_STATE, COLUMN_NAME, COLUMN_AGE, COLUMN_HOLDER,
	COLUMN_WAITERS, COLUMN_ADVICE, COLUMN_LIMIT};

static size_t rank(enum column column)
{
	size_t n = sizeof importance / sizeof *importance;

	for (size_t i = 0; i < n; i++)
		if (importance[i] == column)
			return i;
	return n;
}

/* The next wanted column by importance that is not chosen yet; n: none. */
static size_t next_best(const enum column *wanted, size_t n, const bool *is_seen)
{
	size_t best = n;

	for (size_t i = 0; i < n; i++)
		if (!is_seen[i] && (best == n || rank(wanted[i]) < rank(wanted[best])))
			best = i;
	return best;
}

static size_t choose(bool *is_chosen, int *left, int gap, const enum column *wanted, size_t n)
{
	bool is_seen[TABLE_COLUMNS] = {false};
	size_t count = 0;

	for (;;) {
		size_t i = next_best(wanted, n, is_seen);
		int width;

		if (i == n)
			return count;
		is_seen[i] = true;
		width = column_info[wanted[i]].min + (count ? gap : 0);
		if (width > *left && count)
			continue;
		*left -= width;
		is_chosen[i] = true;
		count++;
	}
}

/* The name says which lock it is: what is cut from it is missed most. */
static int share(enum column column)
{
	return column == COLUMN_NAME ? 2 : 1;
}

/* One column more for each that may have it, in turns, so that none gets all. */
static int widen_in_turns(struct table_plan *plan, int left, bool beyond_usual)
{
	bool is_done = false;

	while (left > 0 && !is_done) {
		is_done = true;
		for (size_t i = 0; i < plan->n && left > 0; i++) {
			const struct column_info *info = &column_info[plan->col[i].column];
			int more;

			if (!info->grows || (!beyond_usual && plan->col[i].width >= info->width))
				continue;
			more = share(plan->col[i].column);
			more = more < left ? more : left;
			plan->col[i].width += more;
			left -= more;
			is_done = false;
		}
	}
	return left;
}

/* Gives what is left: what cannot grow has its usual width first, the others share the rest. */
static void widen(struct table_plan *plan, int left)
{
	for (size_t i = 0; i < plan->n && left > 0; i++) {
		const struct column_info *info = &column_info[plan->col[i].column];
		int more = info->width - plan->col[i].width;

		if (info->grows || more <= 0)
			continue;
		more = more < left ? more : left;
		plan->col[i].width += more;
		left -= more;
	}
	left = widen_in_turns(plan, left, false);
	widen_in_turns(plan, left, true);
}

void table_plan(struct table_plan *plan, int cols, const enum column *wanted, size_t n)
{
	bool is_chosen[TABLE_COLUMNS] = {false};
	int gap = cols >= WIDE ? 2 : 1;
	int left = cols - MARKS;
	int at = MARKS;

	n = n < TABLE_COLUMNS ? n : TABLE_COLUMNS;
	plan->n = 0;
	choose(is_chosen, &left, gap, wanted, n);
	for (size_t i = 0; i < n; i++) {
		if (!is_chosen[i])
			continue;
		plan->col[plan->n].column = wanted[i];
		plan->col[plan->n].width = column_info[wanted[i]].min;
		plan->n++;
	}
	widen(plan, left > 0 ? left : 0);
	for (size_t i = 0; i < plan->n; i++) {
		plan->col[i].at = at;
		if (at + plan->col[i].width > cols) /* narrower than a single column */
			plan->col[i].width = cols > at ? cols - at : 0;
		at += plan->col[i].width + gap;
	}
}

size_t table_scroll(size_t first, size_t selected, size_t n, int rows)
{
	size_t shown = rows > 0 ? (size_t)rows : 1;

	if (n <= shown)
		return 0;
	if (selected >= n)
		selected = n - 1;
	if (first > n - shown)
		first = n - shown;
	if (selected < first)
		return selected;
	if (selected >= first + shown)
		return selected - shown + 1;
	return first;
}

void table_header(struct canvas *canvas, struct rect rect, const struct table_plan *plan, int sort,
	bool is_reversed)
{
	if (rect.rows < 1)
		return;
	canvas_fill(canvas, (struct rect){rect.row, rect.col, 1, rect.cols}, STYLE_HEADER, " ");
	for (size_t i = 0; i < plan->n; i++) {
		const struct column_info *info = &column_info[plan->col[i].column];
		char title[32];

		/* ASCII marks: the order is worth knowing on every terminal. */
		snprintf(title, sizeof title, "%s%s", info->title,
			sort != (int)plan->col[i].column ? ""
			: is_reversed                    ? "^"
							 : "v");
		if (info->is_right)
			canvas_right(canvas, rect.row, rect.col + plan->col[i].at,
				plan->col[i].width, STYLE_HEADER, title);
		else
			canvas_text(canvas, rect.row, rect.col + plan->col[i].at,
				plan->col[i].width, STYLE_HEADER, title);
	}
}

const char *table_age(char *dst, size_t size, int64_t ns)
{
	int64_t seconds = ns / NS_PER_S;

	if (ns == AGE_UNKNOWN)
		snprintf(dst, size, "?");
	else if (ns < 0)
		snprintf(dst, size, "<0s");
	else if (seconds < 10)
		snprintf(dst, size, "<10s");
	else if (seconds < 60)
		snprintf(dst, size, "%ds", (int)(seconds / 10 * 10));
	else if (seconds < 3600)
		text_duration_short(dst, size, ns);
	else
		text_duration(dst, size, ns);
	return dst;
}

void table_advice(char *dst, size_t size, const struct model *model, const struct entry *entry,
	const struct verdict *verdict)
{
	const char *safety = safety_word(verdict->safe);
	struct facts facts = model_facts(model, entry);
	char advice[VERDICT_TEXT];
	size_t len, word = strlen(safety);

	verdict_advice(advice, sizeof advice, entry->lock, &facts, verdict);
	len = strlen(advice);
	if (len > word + 2 && strcmp(advice + len - word, safety) == 0)
		advice[len - word - 2] = '\0';
	if (!*advice)
		snprintf(dst, size, "-");
	else if (verdict->state == STATE_HELD && verdict->safe == SAFETY_NOT_SAFE)
		snprintf(dst, size, "%s", advice);
	else
		snprintf(dst, size, "%s: %s", safety, advice);
}

static void cell_text(char *dst, size_t size, enum column column, const struct model *model,
	const struct entry *entry, const struct verdict *verdict, const struct glyphs *glyphs)
{
	if (column == COLUMN_STATE)
		snprintf(dst, size, "%s %s", state_mark(verdict->state, glyphs->is_ascii),
			state_word(verdict->state));
	else if (column == COLUMN_AGE && verdict->state != STATE_FREE)
		table_age(dst, size, verdict->age);
	else if (column == COLUMN_AGE)
		snprintf(dst, size, "-");
	else if (column == COLUMN_ADVICE)
		table_advice(dst, size, model, entry, verdict);
	else
		column_text(dst, size, column, model, entry);
}

static enum style cell_style(enum column column, const struct verdict *verdict)
{
	if (verdict->flags & LOCK_FLAG(PAST))
		return STYLE_DIM;
	if (column == COLUMN_STATE)
		return style_of_state(verdict->state);
	if (column == COLUMN_ADVICE && verdict->state != STATE_HELD)
		return style_of_safety(verdict->safe);
	return verdict->state == STATE_FREE ? STYLE_DIM : STYLE_NORMAL;
}

/* Of a name and a path both ends tell; of the rest the beginning. */
static enum text_cut cut_of(enum column column)
{
	return column == COLUMN_NAME || column == COLUMN_PATH || column == COLUMN_ADDRESS ||
			       column == COLUMN_SOURCE
		       ? TEXT_CUT_MIDDLE
		       : TEXT_CUT_END;
}

/*
 * A small graph: what is not known is a gap, and where somebody tried and nobody got it stands an
 * x, which is no bar of any height.
 */
static void draw_levels(struct canvas *canvas, int row, int col, int cols, enum style style,
	const char *levels, const struct glyphs *glyphs)
{
	for (int i = 0; i < cols && levels[i]; i++) {
		bool is_bar = levels[i] >= '1' && levels[i] <= '8';

		canvas_text(canvas, row, col + i, 1,
			levels[i] == 'x' && style != STYLE_DIM ? STYLE_BAD : style,
			is_bar             ? glyphs->bar[levels[i] - '0']
			: levels[i] == 'x' ? "x"
					   : " ");
	}
}

static bool has_levels(enum column column, const char *text)
{
	return (column == COLUMN_WAITS || column == COLUMN_HOLDS) && strlen(text) == LEVELS;
}

void table_row(struct canvas *canvas, struct rect rect, const struct table_plan *plan,
	const struct model *model, const struct entry *entry, struct table_levels levels,
	const struct glyphs *glyphs, bool is_selected)
{
	struct facts facts = model_facts(model, entry);
	struct verdict verdict = verdict_of(entry->lock, &facts);

	if (rect.rows < 1)
		return;
	for (size_t i = 0; i < plan->n; i++) {
		enum column column = plan->col[i].column;
		enum style style = cell_style(column, &verdict);
		char text[CELL], cut[CELL];

		if (column == COLUMN_WAITS && levels.waits)
			snprintf(text, sizeof text, "%s", levels.waits);
		else if (column == COLUMN_HOLDS && levels.holds)
			snprintf(text, sizeof text, "%s", levels.holds);
		else
			cell_text(text, sizeof text, column, model, entry, &verdict, glyphs);
		text_fit(cut, sizeof cut, text, plan->col[i].width, cut_of(column));
		if (has_levels(column, text))
			draw_levels(canvas, rect.row, rect.col + plan->col[i].at,
				plan->col[i].width, style, text, glyphs);
		else if (column_info[column].is_right)
			canvas_right(canvas, rect.row, rect.col + plan->col[i].at,
				plan->col[i].width, style, cut);
		else
			canvas_text(canvas, rect.row, rect.col + plan->col[i].at,
				plan->col[i].width, style, cut);
	}
	if (entry->is_tagged)
		canvas_text(canvas, rect.row, rect.col + 1, 1, STYLE_BOLD, glyphs->tag);
	if (!is_selected)
		return;
	canvas_text(canvas, rect.row, rect.col, 1, STYLE_BOLD, glyphs->cursor);
	canvas_style(canvas, rect.row, rect.col, rect.cols, STYLE_CURSOR);
	canvas->cursor_row = rect.row;
	canvas->cursor_col = rect.col;
}

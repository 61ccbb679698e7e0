/* One graph: head, axes, plot and the letters below it. */
#include "config.h"
#include "ui/graph.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/text.h"
#include "ui/top.h"

enum {
	LABEL = 6,          /* columns of a label of the y axis; behind it is the axis */
	COLS_FOR_AXIS = 30, /* narrower, the plot has it all */
	ROWS_FOR_HEAD = 12, /* title and numbers in a row each */
	ROWS_FOR_NOTE = 7,
	ROWS_FOR_LETTERS = 6,
	ROWS_FOR_TIMES = 4,
	ROWS_FOR_GROUND = 10, /* a line between plot and times */
	COLS_FOR_SPARK = 50,
	TEXT = 160,
};

enum letters { FAILURES, DEEDS };

static const struct {
	const char *title, *brief;
	enum letters letters;
} infos[] = {
#define _(id, title, brief, row) [GRAPH_##id] = {title, brief, row},
	GRAPHS(_)
#undef _
};

/* --- columns --------------------------------------------------------------------------------- */

/* What is drawn in one column of dots (braille) or cells. */
struct bar {
	bool is_known;
	double fill, dot; /* heights: the median or the count, and the longest */
};

static size_t dots_of(const struct glyphs *glyphs)
{
	return glyphs->set == GLYPHS_BRAILLE ? 2 : 1;
}

/* The points [first, last) that are in column i of n; more than one where there is no room. */
static void points_of(const struct graph *graph, size_t i, size_t n, size_t *first, size_t *last)
{
	*first = i * graph->n / n;
	*last = (i + 1) * graph->n / n;
	if (*last <= *first)
		*last = *first + 1;
}

static bool has_anything(const struct point *point)
{
	return point->acquired || point->failed || point->stale || point->slow || point->wait.n ||
	       point->hold.n;
}

static struct bar column_of(
	const struct graph *graph, const struct graph_scale *scale, size_t i, size_t n)
{
	struct bar bar = {0};
	size_t first, last;

	points_of(graph, i, n, &first, &last);
	for (; first < last; first++) {
		const struct point *point = &graph->point[first];
		const struct percentiles *of =
			graph->kind == GRAPH_WAIT ? &point->wait : &point->hold;
		uint64_t count = graph->kind == GRAPH_FAILED ? point->failed : point->stale;
		double fill, dot;

		if (scale->is_count ? !has_anything(point) : !of->n)
			continue;
		fill = dot = graph_height(
			scale, !scale->is_count ? of->p50 : (int64_t)(count & INT64_MAX));
		if (!scale->is_count)
			dot = graph_height(scale, of->max);
		bar.fill = bar.is_known ? fmax(bar.fill, fill) : fill;
		bar.dot = fmax(bar.dot, dot);
		bar.is_known = true;
	}
	return bar;
}

/* --- the plot --------------------------------------------------------------------------------- */

/* Braille has its dots 1 2 3 7 in the left column and 4 5 6 8 in the right one, from the top. */
static const unsigned char braille[2][4] = {{0x40, 0x04, 0x02, 0x01}, {0x80, 0x20, 0x10, 0x08}};

static void put_braille(
	struct canvas *canvas, int row, int col, enum style style, unsigned int dots)
{
	const char text[] = {
		(char)0xe2, (char)(0xa0 | dots >> 6), (char)(0x80 | (dots & 0x3f)), '\0'};

	if (dots)
		canvas_text(canvas, row, col, 1, style, text);
}

/* The step of `steps` that a height stands on, counted from the ground. */
static int step_of(double height, int steps)
{
	return (int)lround(height * (steps - 1));
}

static enum style style_of(const struct graph *graph)
{
	switch (graph->kind) {
	case GRAPH_FAILED: return STYLE_BAD;
	case GRAPH_STALE: return STYLE_WARN;
	default: return STYLE_NORMAL;
	}
}

static void draw_braille(
	struct canvas *canvas, struct rect plot, const struct bar *bar, enum style style)
{
	for (int col = 0; col < plot.cols; col++)
		for (int row = 0; row < plot.rows; row++) {
			int ground = 4 * (plot.rows - 1 - row);
			unsigned int dots = 0;

			for (int half = 0; half < 2; half++) {
				const struct bar *of = &bar[2 * col + half];
				int fill = step_of(of->fill, 4 * plot.rows) - ground;
				int dot = step_of(of->dot, 4 * plot.rows) - ground;

				for (int i = 0; i < 4 && of->is_known; i++)
					if (i <= fill || i == dot)
						dots |= braille[half][i];
			}
			put_braille(canvas, plot.row + row, plot.col + col, style, dots);
		}
}

/* A cell a column, in eighths; the longest is a mark above. */
static void draw_cells(struct canvas *canvas, struct rect plot, const struct bar *bar,
	enum style style, const struct glyphs *glyphs)
{
	for (int col = 0; col < plot.cols; col++) {
		int fill = step_of(bar[col].fill, 8 * plot.rows) + 1;
		int dot = step_of(bar[col].dot, 8 * plot.rows) / 8;

		for (int row = 0; row < plot.rows && bar[col].is_known; row++) {
			int ground = plot.rows - 1 - row, level = fill - 8 * ground;

			if (level > 0)
				canvas_text(canvas, plot.row + row, plot.col + col, 1, style,
					glyphs->bar[level > 8 ? 8 : level]);
			else if (ground == dot)
				canvas_text(canvas, plot.row + row, plot.col + col, 1, STYLE_BOLD,
					glyphs->is_ascii ? "*" : "·");
		}
	}
}

static int row_of(struct rect plot, double height)
{
	return plot.row + plot.rows - 1 - step_of(height, 4 * plot.rows) / 4;
}

/* Dashes where nothing else is, so that they hide nothing: drawn first. */
static void draw_usual(struct canvas *canvas, struct rect plot, const struct graph *graph,
	const struct graph_scale *scale, const struct glyphs *glyphs)
{
	int row = row_of(plot, graph_height(scale, graph->usual));

	for (int col = 0; col < plot.cols; col += 2)
		canvas_text(canvas, row, plot.col + col, 1, STYLE_DIM, glyphs->rule);
}

/* The hold that goes on, in the column that is not over yet. */
static void draw_held(struct canvas *canvas, struct rect plot, const struct graph *graph,
	const struct graph_scale *scale, const struct glyphs *glyphs)
{
	int top = row_of(plot, graph_height(scale, graph->held));
	enum style style = graph->usual && graph->held > graph->usual ? STYLE_BAD : STYLE_GOOD;

	for (int row = plot.row + plot.rows - 1; row >= top; row--)
		canvas_text(canvas, row, plot.col + plot.cols, 1, style,
			row == top ? "^" : glyphs->box_v);
}

static void draw_plot(struct canvas *canvas, struct rect plot, const struct graph *graph,
	const struct graph_scale *scale, const struct glyphs *glyphs)
{
	size_t n = (size_t)plot.cols * dots_of(glyphs);
	struct bar *bar = top_must(calloc(n + 1, sizeof *bar));

	for (size_t i = 0; i < n && graph->n; i++)
		bar[i] = column_of(graph, scale, i, n);
	if (graph->usual > 0 && plot.rows > 1)
		draw_usual(canvas, plot, graph, scale, glyphs);
	if (glyphs->set == GLYPHS_BRAILLE)
		draw_braille(canvas, plot, bar, style_of(graph));
	else
		draw_cells(canvas, plot, bar, style_of(graph), glyphs);
	if (graph->held > 0 && plot.cols > 1)
		draw_held(canvas, plot, graph, scale, glyphs);
	free(bar);
}

/* --- axes ------------------------------------------------------------------------------------- */

/* "30m", not "30m00s". */
static const char *round_text(char *dst, size_t size, int64_t ns)
{
	int64_t back;

	if (ns >= 60 * NS_PER_S &&
		text_to_duration(text_duration_short(dst, size, ns), &back) == 0 && back == ns)
		return dst;
	return text_latency(dst, size, ns);
}

static void value_text(char *dst, size_t size, const struct graph_scale *scale, int64_t value)
{
	int64_t s = value / NS_PER_S;

	if (scale->is_log && s >= 10 && s < 100000) /* decades, not 1m40s */
		snprintf(dst, size, "%" PRId64 "s", s);
	else if (!scale->is_count)
		round_text(dst, size, value);
	else if (value < 1000000)
		snprintf(dst, size, "%d", (int)value);
	else
		snprintf(dst, size, "%.3gM", (double)value / 1e6);
}

static void draw_label(struct canvas *canvas, struct rect plot, double height, enum style style,
	const char *text, const struct glyphs *glyphs)
{
	int row = row_of(plot, height);

	canvas_fill(canvas, (struct rect){row, plot.col - 1 - LABEL, 1, LABEL}, style, " ");
	canvas_right(canvas, row, plot.col - 1 - LABEL, LABEL, style, text);
	canvas_text(canvas, row, plot.col - 1, 1, STYLE_DIM, glyphs->axis);
}

/* Without a scale there is only the axis. */
static void draw_values(struct canvas *canvas, struct rect plot, const struct graph *graph,
	const struct graph_scale *scale, const struct glyphs *glyphs)
{
	int64_t value[GRAPH_LABELS];
	int n = scale ? graph_labels(scale, plot.rows < 2 ? 1 : plot.rows / 2 + 1, value) : 0;
	double usual;
	char text[32];

	for (int row = 0; row < plot.rows; row++)
		canvas_text(canvas, plot.row + row, plot.col - 1, 1, STYLE_DIM, glyphs->box_v);
	for (int i = 0; i < n; i++) {
		value_text(text, sizeof text, scale, value[i]);
		draw_label(canvas, plot, graph_height(scale, value[i]), STYLE_NORMAL, text, glyphs);
	}
	if (!scale || graph->usual <= 0)
		return;
	/* What is compared with is worth more than a label, but for those of the ends. */
	usual = graph_height(scale, graph->usual);
	if (row_of(plot, usual) > plot.row && row_of(plot, usual) < plot.row + plot.rows - 1)
		draw_label(canvas, plot, usual, STYLE_DIM, "p99", glyphs);
}

/* Seconds between two labels of the x axis. */
static const int64_t steps[] = {
	10, 30, 60, 300, 600, 900, 1800, 3600, 7200, 10800, 21600, 43200, 86400, 172800, 604800};

static int64_t step_of_times(int64_t length, int cols, int label)
{
	size_t n = sizeof steps / sizeof *steps;

	for (size_t i = 0; i < n; i++)
		if (length / NS_PER_S / steps[i] <= cols / (label + 3))
			return steps[i] * NS_PER_S;
	return length;
}

/* "-45m", "now", or the time of day of it. */
static void time_text(
	char *dst, size_t size, const struct graph *graph, int64_t length, int64_t ago)
{
	int64_t hour = 3600 * NS_PER_S;
	wall_t at = graph->point[graph->n - 1].to - ago;
	char text[32];

	if (graph->has_clock && length <= 24 * hour) {
		snprintf(dst, size, "%.5s", text_clock(text, sizeof text, at));
	} else if (graph->has_clock) {
		text_time(text, sizeof text, at);
		snprintf(dst, size, "%.5s", strlen(text) > 5 ? text + 5 : text);
	} else if (ago < NS_PER_S) {
		snprintf(dst, size, "now");
	} else if (length <= 24 * hour && ago > hour) {
		snprintf(dst, size, "-%dh", (int)(ago / hour));
	} else {
		snprintf(dst, size, "-%s", text_duration_short(text, sizeof text, ago));
	}
}

static int column_of_time(int cols, int64_t length, int64_t ago)
{
	return (int)lround((double)(cols - 1) * (1 - (double)ago / (double)length));
}

static void draw_times(struct canvas *canvas, struct rect plot, int row, int ground,
	const struct graph *graph, const struct glyphs *glyphs)
{
	int64_t length = graph->n ? graph->point[graph->n - 1].to - graph->point[0].from : 0, step;
	int from = plot.col + plot.cols;
	char text[32];

	if (ground >= 0) {
		canvas_fill(canvas, (struct rect){ground, plot.col, 1, plot.cols}, STYLE_DIM,
			glyphs->box_h);
		canvas_text(canvas, ground, plot.col - 1, 1, STYLE_DIM, glyphs->box_bl);
	}
	if (length <= 0)
		return;
	step = step_of_times(length, plot.cols, 5);
	for (int64_t ago = 0; ago <= length; ago += step) {
		int col = plot.col + column_of_time(plot.cols, length, ago), width, at;

		time_text(text, sizeof text, graph, length, ago);
		width = (int)strlen(text);
		at = ago == 0 ? col + 1 - width : col - width / 2;
		at = at < plot.col ? plot.col : at;
		if (at + width > from)
			continue;
		canvas_text(canvas, row, at, width, STYLE_DIM, text);
		from = at - 1;
		if (ground >= 0)
			canvas_text(canvas, ground, col, 1, STYLE_DIM, glyphs->tick);
	}
}

/* --- letters ---------------------------------------------------------------------------------- */

/* What matters most stands where two would be in one place. */
static const struct {
	unsigned int mark;
	char letter;
	enum style style;
	const char *help;
} marks[] = {
	{MARK_FORCED, 'F', STYLE_BAD, "forced or signalled"},
	{MARK_LOST, '!', STYLE_BAD, "lost"},
	{MARK_RELEASED, 'R', STYLE_WARN, "released stale"},
	{MARK_TAKEN_OVER, 'T', STYLE_WARN, "taken over"},
};

enum { MARKS = sizeof marks / sizeof *marks };

static bool is_blank(const struct canvas *canvas, int row, int col)
{
	return row >= 0 && row < canvas->rows && col >= 0 && col < canvas->cols &&
	       strcmp(canvas->cell[(size_t)row * (size_t)canvas->cols + (size_t)col].text, " ") ==
		       0;
}

/* The free cell that is next to col, to its right if there is one; -1: none. */
static int free_cell(const struct canvas *canvas, struct rect plot, int row, int col)
{
	for (int at = col; at < plot.col + plot.cols; at++)
		if (is_blank(canvas, row, at))
			return at;
	for (int at = col; at >= plot.col; at--)
		if (is_blank(canvas, row, at))
			return at;
	return -1;
}

/* Letters stand in the first cells of their point, side by side. */
static void put_deeds(
	struct canvas *canvas, struct rect plot, int row, int col, const struct point *point)
{
	for (size_t i = 0; i < MARKS; i++) {
		const char text[] = {marks[i].letter, '\0'};
		int at = point->marks & marks[i].mark ? free_cell(canvas, plot, row, col) : -1;

		if (at >= 0)
			canvas_text(canvas, row, at, 1, marks[i].style, text);
	}
}

static void draw_letters(
	struct canvas *canvas, struct rect plot, int row, const struct graph *graph)
{
	bool is_failures = infos[graph->kind].letters == FAILURES;

	if (plot.col > LABEL)
		canvas_right(canvas, row, plot.col - 1 - LABEL, LABEL, STYLE_DIM,
			is_failures ? "failed" : "deeds");
	for (size_t i = 0; i < graph->n; i++) {
		const struct point *point = &graph->point[i];
		int first = (int)(i * (size_t)plot.cols / graph->n);
		int last = (int)((i + 1) * (size_t)plot.cols / graph->n);

		last = last > first ? last : first + 1;
		if (!is_failures)
			put_deeds(canvas, plot, row, plot.col + first, point);
		else if (point->failed)
			canvas_fill(canvas, (struct rect){row, plot.col + first, 1, last - first},
				STYLE_BAD, "x");
	}
}

static int put_meaning(struct canvas *canvas, struct rect rect, int at, const char *letter,
	enum style style, const char *help)
{
	at += canvas_text(canvas, rect.row, rect.col + at, rect.cols - at, style, letter);
	at += canvas_textf(
		canvas, rect.row, rect.col + at, rect.cols - at, STYLE_DIM, " %s  ", help);
	return at;
}

int graph_legend(struct canvas *canvas, struct rect rect, const struct point *point, size_t n)
{
	unsigned int seen = 0;
	uint64_t failed = 0;
	int at = 0;

	for (size_t i = 0; i < n; i++) {
		seen |= point[i].marks;
		failed |= point[i].failed;
	}
	if (!canvas)
		return failed || seen;
	if (failed)
		at = put_meaning(canvas, rect, at, "x", STYLE_BAD, "not acquired");
	for (size_t i = 0; i < MARKS; i++) {
		const char letter[] = {marks[i].letter, '\0'};

		if (seen & marks[i].mark)
			at = put_meaning(canvas, rect, at, letter, marks[i].style, marks[i].help);
	}
	return at;
}

/* --- head --------------------------------------------------------------------------------------
 */

/* The longest of the numbers that fits; the shortest if none does. */
static const char *numbers_of(const struct graph *graph, int cols)
{
	const char *number = "";

	for (int i = 0; i < GRAPH_NUMBERS && graph->number[i]; i++) {
		number = graph->number[i];
		if (text_width(number) <= cols)
			break;
	}
	return number;
}

/* What the plot's shapes mean, or what a column of counts is of. */
static void key_text(char *dst, size_t size, const struct graph *graph, const struct glyphs *glyphs)
{
	char text[32];

	if (graph->kind == GRAPH_WAIT || graph->kind == GRAPH_HOLD)
		snprintf(dst, size, "%s median  %s longest", glyphs->bar[8],
			glyphs->set == GLYPHS_BRAILLE ? "⠂"
			: glyphs->is_ascii            ? "*"
						      : "·");
	else if (graph->n)
		snprintf(dst, size, "per %s",
			round_text(text, sizeof text, graph->point[0].to - graph->point[0].from));
	else
		*dst = '\0';
}

static void put_right(
	struct canvas *canvas, struct rect rect, int used, enum style style, const char *text)
{
	if (used + 2 + text_width(text) <= rect.cols)
		canvas_right(canvas, rect.row, rect.col + used, rect.cols - used, style, text);
}

static int draw_title(struct canvas *canvas, struct rect rect, const struct graph *graph)
{
	const char *title = infos[graph->kind].title;

	if (text_width(title) > rect.cols / 2)
		title = infos[graph->kind].brief;
	return canvas_text(canvas, rect.row, rect.col, rect.cols, STYLE_BOLD, title);
}

/* Returns its rows. */
static int draw_head(struct canvas *canvas, struct rect rect, const struct graph *graph,
	const struct glyphs *glyphs)
{
	bool is_tall = rect.rows >= ROWS_FOR_HEAD;
	int used = draw_title(canvas, rect, graph), room = rect.cols - used - 2;
	struct rect second = {rect.row + 1, rect.col, 1, rect.cols};
	const char *numbers = numbers_of(graph, is_tall ? rect.cols : room);
	char key[TEXT];

	key_text(key, sizeof key, graph, glyphs);
	if (is_tall) {
		put_right(canvas, rect, used, graph->note ? graph->note_style : STYLE_DIM,
			graph->note ? graph->note : key);
		used = canvas_text(canvas, second.row, rect.col, rect.cols, STYLE_NORMAL, numbers);
		if (graph->note)
			put_right(canvas, second, used, STYLE_DIM, key);
		return 2;
	}
	used += 2 + canvas_text(canvas, rect.row, rect.col + used + 2, room, STYLE_NORMAL, numbers);
	if (!graph->note)
		put_right(canvas, rect, used, STYLE_DIM, key);
	if (!graph->note || rect.rows < ROWS_FOR_NOTE)
		return 1;
	canvas_text(canvas, second.row, rect.col, rect.cols, graph->note_style, graph->note);
	return 2;
}

/* --- all of it ----------------------------------------------------------------------------------
 */

static bool has_axis(int cols)
{
	return cols >= COLS_FOR_AXIS;
}

/* The last column is that of the hold that is not over, in every graph, so that all are aligned. */
static int plot_cols(int cols)
{
	int left = cols - (has_axis(cols) ? LABEL + 1 : 0);

	return left > 1 ? left - 1 : left;
}

size_t graph_columns(int cols, const struct glyphs *glyphs)
{
	return (size_t)plot_cols(cols) * dots_of(glyphs);
}

static void draw_line(struct canvas *canvas, struct rect rect, const struct graph *graph,
	const struct glyphs *glyphs)
{
	struct graph_scale scale = graph_scale(graph);
	struct rect plot = {rect.row, 0, 1, rect.cols >= COLS_FOR_SPARK ? rect.cols / 3 : 0};
	bool is_wide = rect.cols > 100;
	int used = is_wide ? 18 : 8, room = rect.cols - plot.cols - used - (plot.cols ? 3 : 1);

	plot.col = rect.col + rect.cols - plot.cols - 1;
	canvas_text(canvas, rect.row, rect.col, used - 1 < rect.cols ? used - 1 : rect.cols,
		STYLE_BOLD, is_wide ? infos[graph->kind].title : infos[graph->kind].brief);
	canvas_text(canvas, rect.row, rect.col + used, room, STYLE_NORMAL, numbers_of(graph, room));
	if (plot.cols > 0)
		draw_plot(canvas, plot, graph, &scale, glyphs);
}

static bool is_empty(const struct graph *graph)
{
	bool is_count = graph->kind == GRAPH_FAILED || graph->kind == GRAPH_STALE;

	if (graph->held > 0)
		return false;
	for (size_t i = 0; i < graph->n; i++) {
		const struct point *point = &graph->point[i];

		if (is_count                        ? has_anything(point)
			: graph->kind == GRAPH_WAIT ? point->wait.n
						    : point->hold.n)
			return false;
	}
	return true;
}

static void draw_whole(struct canvas *canvas, struct rect rect, const struct graph *graph,
	const struct glyphs *glyphs)
{
	struct graph_scale scale = graph_scale(graph);
	int axis = has_axis(rect.cols) ? LABEL + 1 : 0;
	bool has_times = axis && rect.rows >= ROWS_FOR_TIMES;
	bool has_letters = rect.rows >= ROWS_FOR_LETTERS;
	bool has_ground = axis && rect.rows >= ROWS_FOR_GROUND;
	int head = draw_head(canvas, rect, graph, glyphs);
	struct rect plot = {rect.row + head, rect.col + axis,
		rect.rows - head - has_times - has_letters - has_ground, plot_cols(rect.cols)};
	int below = plot.row + plot.rows;

	if (axis)
		draw_values(canvas, plot, graph, is_empty(graph) ? NULL : &scale, glyphs);
	if (is_empty(graph))
		canvas_text(canvas, plot.row + plot.rows / 2, plot.col + 1, plot.cols - 1,
			STYLE_DIM, "nothing was measured");
	else
		draw_plot(canvas, plot, graph, &scale, glyphs);
	if (has_letters)
		draw_letters(canvas, plot, below + has_ground, graph);
	if (has_times)
		draw_times(canvas, plot, below + has_ground + has_letters, has_ground ? below : -1,
			graph, glyphs);
}

void graph_draw(struct canvas *canvas, struct rect rect, const struct graph *graph,
	const struct glyphs *glyphs)
{
	if (rect.rows < 1 || rect.cols < 1)
		return;
	if (rect.rows == 1)
		draw_line(canvas, rect, graph, glyphs);
	else
		draw_whole(canvas, rect, graph, glyphs);
}

/* Graphs from made-up points. */
#include "config.h"
#include "ui/graph.h"

#include <locale.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <cmocka.h>

#define END (1760000000 * NS_PER_S) /* 2025-10-09 08:53:20 UTC */

enum { POINTS = 60, ROWS = 12, COLS = 68 };

/* An hour of minutes in which nothing happened. */
struct hour {
	struct point point[POINTS];
	struct graph graph;
	struct canvas canvas;
};

static void hour_init(struct hour *hour, enum graph_kind kind)
{
	setlocale(LC_CTYPE, "C.UTF-8");
	setenv("TZ", "UTC", 1);
	tzset();
	memset(hour, 0, sizeof *hour);
	for (int i = 0; i < POINTS; i++) {
		hour->point[i].from = END - (POINTS - i) * 60 * NS_PER_S;
		hour->point[i].to = hour->point[i].from + 60 * NS_PER_S;
	}
	hour->graph = (struct graph){
		.kind = kind,
		.point = hour->point,
		.n = POINTS,
		.number = {"n=1204  p50 1.2ms  p95 8.1ms  p99 40ms  max 2.01s", "n=1204  max 2.01s",
			"n=1204"},
	};
	assert_int_equal(canvas_init(&hour->canvas, ROWS, COLS), 0);
}

static void hour_release(struct hour *hour)
{
	canvas_release(&hour->canvas);
}

static void draw_at(struct hour *hour, struct rect rect, enum glyph_set set)
{
	canvas_clear(&hour->canvas);
	graph_draw(&hour->canvas, rect, &hour->graph, &glyphs_table[set]);
}

static void draw(struct hour *hour, enum glyph_set set)
{
	draw_at(hour, (struct rect){0, 0, ROWS, COLS}, set);
}

static struct percentiles all(uint64_t n, int64_t value)
{
	return (struct percentiles){n, value, value, value, value, value * (int64_t)n};
}

static const struct cell *cell(const struct hour *hour, int row, int col)
{
	return &hour->canvas.cell[row * hour->canvas.cols + col];
}

static bool is_blank(const struct cell *at)
{
	return strcmp(at->text, " ") == 0;
}

static char *dump(const struct hour *hour)
{
	char *text = canvas_dump(&hour->canvas);

	assert_non_null(text);
	return text;
}

static bool shows(const struct hour *hour, const char *text)
{
	char *all_of_it = dump(hour);
	bool found = strstr(all_of_it, text) != NULL;

	free(all_of_it);
	return found;
}

#define assert_draws(hour, text)                                          \
	do {                                                              \
		if (!shows(hour, text)) {                                 \
			char *dump_ = dump(hour);                         \
                                                                          \
			print_error("%s", dump_);                         \
			free(dump_);                                      \
			fail_msg("the graph does not show \"%s\"", text); \
		}                                                         \
	} while (0)

/* In 12 rows: 2 of head, 7 of plot, ground, letters, times; 7 columns of axis, 60 of plot. */
enum { HEAD = 2, PLOT = 7, AXIS = 7, GROUND = HEAD + PLOT, LETTERS, TIMES };

static int height_of(const struct hour *hour, int col)
{
	int n = 0;

	for (int row = HEAD; row < GROUND; row++)
		n += !is_blank(cell(hour, row, AXIS + col));
	return n;
}

static void what_was_not_measured_is_a_gap_and_a_zero_is_not(void **state)
{
	struct hour hour;

	(void)state;
	hour_init(&hour, GRAPH_WAIT);
	hour.point[10].wait = all(3, 100 * NS_PER_MS);
	hour.point[20].wait = all(3, 0);
	hour.point[20].acquired = hour.point[10].acquired = 3;
	for (int set = 0; set < 3; set++) {
		draw(&hour, (enum glyph_set)set);
		assert_int_equal(height_of(&hour, 10), PLOT);
		assert_int_equal(height_of(&hour, 20), 1);
		assert_false(is_blank(cell(&hour, GROUND - 1, AXIS + 20)));
		for (int col = 0; col < 60; col++)
			if (col != 10 && col != 20)
				assert_int_equal(height_of(&hour, col), 0);
	}
	hour_release(&hour);
}

/* One that was looked at and had none is a zero; when nothing was tried, nothing is known. */
static void no_failure_is_a_zero_only_where_something_was_tried(void **state)
{
	struct hour hour;

	(void)state;
	hour_init(&hour, GRAPH_FAILED);
	hour.point[5].acquired = 9;
	hour.point[6].acquired = 9;
	hour.point[6].failed = 4;
	draw(&hour, GLYPHS_BOX);
	assert_int_equal(height_of(&hour, 4), 0);
	assert_int_equal(height_of(&hour, 5), 1);
	assert_int_equal(height_of(&hour, 6), PLOT);
	assert_draws(&hour, "     4┤");
	assert_draws(&hour, "     2┤");
	assert_draws(&hour, "     0┤");
	assert_draws(&hour, "per 1m");
	hour_release(&hour);
}

static void failures_stand_below_the_plot_also_when_something_was_acquired(void **state)
{
	struct hour hour;

	(void)state;
	hour_init(&hour, GRAPH_WAIT);
	hour.point[10].wait = all(3, 100 * NS_PER_MS);
	hour.point[10].failed = 1;
	hour.point[30].failed = 7;
	draw(&hour, GLYPHS_BRAILLE);
	for (int col = 0; col < 60; col++)
		assert_string_equal(
			cell(&hour, LETTERS, AXIS + col)->text, col == 10 || col == 30 ? "x" : " ");
	assert_int_equal(cell(&hour, LETTERS, AXIS + 10)->style, STYLE_BAD);
	assert_int_equal(height_of(&hour, 10), PLOT);
	assert_int_equal(height_of(&hour, 30), 0);
	assert_draws(&hour, "failed");
	hour_release(&hour);
}

static void deeds_are_letters_of_which_none_hides_another(void **state)
{
	struct hour hour;

	(void)state;
	hour_init(&hour, GRAPH_HOLD);
	hour.point[10].hold = all(1, NS_PER_S);
	hour.point[12].marks = MARK_RELEASED;
	hour.point[20].marks = MARK_RELEASED | MARK_FORCED | MARK_TAKEN_OVER | MARK_LOST;
	hour.point[59].marks = MARK_LOST | MARK_RELEASED;
	draw(&hour, GLYPHS_ASCII);
	assert_string_equal(cell(&hour, LETTERS, AXIS + 12)->text, "R");
	assert_string_equal(cell(&hour, LETTERS, AXIS + 20)->text, "F");
	assert_string_equal(cell(&hour, LETTERS, AXIS + 21)->text, "!");
	assert_string_equal(cell(&hour, LETTERS, AXIS + 22)->text, "R");
	assert_string_equal(cell(&hour, LETTERS, AXIS + 23)->text, "T");
	assert_string_equal(cell(&hour, LETTERS, AXIS + 59)->text, "!");
	assert_string_equal(
		cell(&hour, LETTERS, AXIS + 58)->text, "R"); /* at the edge, to the left */
	assert_draws(&hour, " deeds");

	canvas_clear(&hour.canvas);
	assert_true(graph_legend(&hour.canvas, (struct rect){0, 0, 1, COLS}, hour.point, 13) > 0);
	assert_draws(&hour, "R released stale");
	assert_false(shows(&hour, "forced"));
	canvas_clear(&hour.canvas);
	graph_legend(&hour.canvas, (struct rect){0, 0, 1, COLS}, hour.point, POINTS);
	assert_draws(&hour, "F forced or signalled  ! lost  R released stale  T taken over");
	hour_release(&hour);
}

/* With less room than points a column has all of its points: nothing is lost. */
static void nothing_is_lost_where_points_share_a_column(void **state)
{
	struct hour hour;
	int x = 0, high = 0;

	(void)state;
	hour_init(&hour, GRAPH_WAIT);
	for (int i = 0; i < POINTS; i++)
		hour.point[i].wait = all(1, NS_PER_MS);
	hour.point[31].failed = 1;
	hour.point[33].wait = all(1, NS_PER_S);
	draw_at(&hour, (struct rect){0, 0, ROWS, 31}, GLYPHS_BOX);
	for (int col = 0; col < 23; col++) {
		x += strcmp(cell(&hour, LETTERS, AXIS + col)->text, "x") == 0;
		high += height_of(&hour, col) == PLOT;
	}
	assert_int_equal(x, 1);
	assert_int_equal(high, 1);
	hour_release(&hour);
}

/* The longest is told from the median by its shape. */
static void the_longest_stands_above_the_median(void **state)
{
	struct hour hour;

	(void)state;
	hour_init(&hour, GRAPH_WAIT);
	hour.point[10].wait = (struct percentiles){9, 0, 0, 0, NS_PER_S, NS_PER_S};
	draw(&hour, GLYPHS_ASCII);
	assert_string_equal(cell(&hour, HEAD, AXIS + 10)->text, "*");
	assert_string_equal(cell(&hour, GROUND - 1, AXIS + 10)->text, ".");
	assert_int_equal(height_of(&hour, 10), 2);
	assert_draws(&hour, "# median  * longest");
	draw(&hour, GLYPHS_BOX);
	assert_string_equal(cell(&hour, HEAD, AXIS + 10)->text, "·");
	assert_string_equal(cell(&hour, GROUND - 1, AXIS + 10)->text, "▁");
	draw(&hour, GLYPHS_BRAILLE);
	assert_string_equal(cell(&hour, HEAD, AXIS + 10)->text, "⠉");
	assert_string_equal(cell(&hour, GROUND - 1, AXIS + 10)->text, "⣀");
	hour_release(&hour);
}

static void scale_has(const struct graph *graph, int64_t lo, int64_t hi)
{
	struct graph_scale scale = graph_scale(graph);

	if (scale.lo != lo || scale.hi != hi)
		fail_msg("the scale is %jd to %jd, not %jd to %jd", (intmax_t)scale.lo,
			(intmax_t)scale.hi, (intmax_t)lo, (intmax_t)hi);
}

static void linear_scales_begin_at_zero_and_end_round(void **state)
{
	static const struct {
		int64_t max, hi;
	} cases[] = {
		{0, 10000},
		{12345, 15000},
		{2010 * NS_PER_MS, 2500 * NS_PER_MS},
		{NS_PER_S, NS_PER_S},
		{NS_PER_S + 1, 1200 * NS_PER_MS},
		{9 * NS_PER_S, 10 * NS_PER_S},
		{11 * NS_PER_S, 12 * NS_PER_S},
		{61 * NS_PER_S, 120 * NS_PER_S},
		{840 * NS_PER_S, 900 * NS_PER_S},
		{25 * 3600 * NS_PER_S, 2 * 86400 * NS_PER_S},
		{200 * 86400 * NS_PER_S, 200 * 86400 * NS_PER_S},
		{INT64_MAX, INT64_MAX},
	};
	struct hour hour;

	(void)state;
	hour_init(&hour, GRAPH_WAIT);
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		hour.point[3].wait = all(1, cases[i].max);
		scale_has(&hour.graph, 0, cases[i].hi);
	}
	hour_release(&hour);
}

static void scales_of_counts_have_no_fractions(void **state)
{
	static const struct {
		uint64_t max;
		int64_t hi;
	} cases[] = {{0, 2}, {1, 2}, {3, 3}, {7, 8}, {9, 10}, {11, 12}, {13, 15}, {26, 30},
		{101, 120}, {999, 1000}, {UINT64_MAX, INT64_MAX}};
	struct hour hour;

	(void)state;
	hour_init(&hour, GRAPH_STALE);
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		int64_t value[GRAPH_LABELS];
		struct graph_scale scale;
		int n;

		hour.point[3].stale = cases[i].max;
		scale_has(&hour.graph, 0, cases[i].hi);
		scale = graph_scale(&hour.graph);
		n = graph_labels(&scale, 4, value);
		for (int j = 1; j < n; j++)
			assert_true(value[j] > value[j - 1] && value[j] * (n - 1) == scale.hi * j);
	}
	hour_release(&hour);
}

static void a_logarithmic_scale_goes_by_decades(void **state)
{
	struct hour hour;
	struct graph_scale scale;
	int64_t value[GRAPH_LABELS];

	(void)state;
	hour_init(&hour, GRAPH_WAIT);
	hour.graph.is_log = true;
	hour.point[3].wait = (struct percentiles){9, 250000, 0, 0, 2 * NS_PER_S, 0};
	scale_has(&hour.graph, 100000, 10 * NS_PER_S);
	scale = graph_scale(&hour.graph);
	assert_float_equal(graph_height(&scale, 100000), 0, 1e-9);
	assert_float_equal(graph_height(&scale, NS_PER_MS), 0.2, 1e-9);
	assert_float_equal(graph_height(&scale, 10 * NS_PER_MS), 0.4, 1e-9);
	assert_float_equal(graph_height(&scale, 31622777), 0.5, 1e-6);
	assert_float_equal(graph_height(&scale, 10 * NS_PER_S), 1, 1e-9);
	assert_float_equal(graph_height(&scale, 0), 0, 1e-9);
	assert_float_equal(graph_height(&scale, INT64_MAX), 1, 1e-9);
	assert_int_equal(graph_labels(&scale, 4, value), 3);
	assert_int_equal(value[0], 100000);
	assert_int_equal(value[1], 10 * NS_PER_MS);
	assert_int_equal(value[2], NS_PER_S);
	draw(&hour, GLYPHS_BOX);
	assert_draws(&hour, " 100us┤");
	assert_draws(&hour, "  10ms┤");
	assert_draws(&hour, "    1s┤");

	hour.point[3].wait = all(1, NS_PER_MS); /* all equal: still a decade */
	scale_has(&hour.graph, NS_PER_MS, 10 * NS_PER_MS);
	hour.point[3].wait = all(1, 0);
	scale_has(&hour.graph, 1000, 10000);
	hour.point[3].wait = all(1, INT64_MAX);
	scale = graph_scale(&hour.graph);
	assert_true(scale.lo < scale.hi);
	hour_release(&hour);
}

static void the_hold_that_goes_on_is_drawn_against_its_p99(void **state)
{
	struct hour hour;

	(void)state;
	hour_init(&hour, GRAPH_HOLD);
	hour.point[3].hold = all(100, 30 * NS_PER_S);
	hour.graph.usual = 40 * NS_PER_S;
	hour.graph.held = 840 * NS_PER_S;
	hour.graph.note = "held 14m now; p99 of last 7d: 40s (n=1204)";
	hour.graph.note_style = STYLE_BAD;
	scale_has(&hour.graph, 0, 900 * NS_PER_S); /* the scale grows to show it */
	draw(&hour, GLYPHS_BOX);
	assert_draws(&hour, "held 14m now; p99 of last 7d: 40s (n=1204)");
	assert_draws(&hour, "   15m┤");
	assert_draws(&hour, "─ ─ ─ ─");
	assert_string_equal(cell(&hour, HEAD, AXIS + 60)->text, "^");
	assert_string_equal(cell(&hour, GROUND - 1, AXIS + 60)->text, "│");
	assert_int_equal(cell(&hour, HEAD, AXIS + 60)->style, STYLE_BAD);

	hour.graph.held = 20 * NS_PER_S;
	draw(&hour, GLYPHS_BOX);
	assert_draws(&hour, "   40s┤");
	assert_string_equal(cell(&hour, HEAD, AXIS + 60)->text, " ");
	assert_string_equal(cell(&hour, GROUND - 1, AXIS + 60)->text, "│");
	assert_int_equal(cell(&hour, GROUND - 1, AXIS + 60)->style, STYLE_GOOD);

	hour.graph.is_log = true;
	hour.graph.held = 840 * NS_PER_S;
	scale_has(&hour.graph, 10 * NS_PER_S, 1000 * NS_PER_S);
	draw(&hour, GLYPHS_BOX);
	assert_draws(&hour, " 1000s┤");
	hour.graph.n = 0; /* of which no hold is known yet */
	scale_has(&hour.graph, 100 * NS_PER_S, 1000 * NS_PER_S);
	draw(&hour, GLYPHS_BOX);
	assert_string_equal(cell(&hour, GROUND - 1, AXIS + 60)->text, "│");
	hour_release(&hour);
}

static void times_stand_where_they_belong(void **state)
{
	struct hour hour;
	char *row;

	(void)state;
	hour_init(&hour, GRAPH_WAIT);
	draw(&hour, GLYPHS_ASCII);
	row = canvas_row(&hour.canvas, TIMES);
	assert_string_equal(
		row, "       -1h     -50m      -40m      -30m     -20m      -10m      now");
	free(row);
	assert_string_equal(cell(&hour, GROUND, AXIS)->text, "+");
	assert_string_equal(cell(&hour, GROUND, AXIS + 59)->text, "+");
	assert_string_equal(cell(&hour, GROUND, AXIS + 30)->text, "+");
	hour.graph.has_clock = true;
	draw(&hour, GLYPHS_ASCII);
	row = canvas_row(&hour.canvas, TIMES);
	assert_string_equal(
		row, "       07:53   08:03     08:13     08:23    08:33     08:43   08:53");
	free(row);
	for (int i = 0; i < POINTS; i++) {
		hour.point[i].from = END - (POINTS - i) * 168 * 60 * NS_PER_S;
		hour.point[i].to = hour.point[i].from + 168 * 60 * NS_PER_S;
	}
	draw(&hour, GLYPHS_ASCII);
	assert_draws(&hour, "10-08");
	hour.graph.has_clock = false;
	draw(&hour, GLYPHS_ASCII);
	assert_draws(&hour, "-7d");
	assert_draws(&hour, "-1d");
	hour_release(&hour);
}

static void what_never_happened_is_said(void **state)
{
	struct hour hour;

	(void)state;
	for (int kind = 0; kind < GRAPH_COUNT; kind++) {
		hour_init(&hour, (enum graph_kind)kind);
		draw(&hour, GLYPHS_BRAILLE);
		assert_draws(&hour, "nothing was measured");
		hour.graph.n = 0;
		hour.graph.point = NULL;
		draw(&hour, GLYPHS_BRAILLE);
		assert_draws(&hour, "nothing was measured");
		hour_release(&hour);
	}
}

/* n is said always; then what fits. */
static void numbers_that_do_not_fit_get_shorter(void **state)
{
	struct hour hour;

	(void)state;
	hour_init(&hour, GRAPH_WAIT);
	hour.point[10].wait = all(3, NS_PER_S);
	draw_at(&hour, (struct rect){0, 0, 1, 68}, GLYPHS_BRAILLE);
	assert_draws(&hour, "wait    n=1204  max 2.01s");
	draw_at(&hour, (struct rect){0, 0, 1, 20}, GLYPHS_BRAILLE);
	assert_draws(&hour, "wait    n=1204");
	assert_false(shows(&hour, "max"));
	draw_at(&hour, (struct rect){0, 0, 4, 68}, GLYPHS_BRAILLE);
	assert_draws(&hour, "acquisition wait  n=1204  p50 1.2ms  p95 8.1ms  p99 40ms");
	draw_at(&hour, (struct rect){0, 0, 2, 30}, GLYPHS_BRAILLE);
	assert_draws(&hour, "wait  n=1204  max 2.01s");
	hour_release(&hour);
}

static void one_row_is_a_sparkline(void **state)
{
	struct hour hour;
	const char *last;

	(void)state;
	hour_init(&hour, GRAPH_FAILED);
	hour.point[59].failed = 4;
	draw_at(&hour, (struct rect){0, 0, 1, 60}, GLYPHS_BOX);
	last = cell(&hour, 0, 58)->text;
	assert_string_equal(last, "█");
	draw_at(&hour, (struct rect){0, 0, 1, 60}, GLYPHS_ASCII);
	last = cell(&hour, 0, 58)->text;
	assert_string_equal(last, "#");
	draw_at(&hour, (struct rect){0, 0, 1, 60}, GLYPHS_BRAILLE);
	assert_false(is_blank(cell(&hour, 0, 58)));
	assert_true(is_blank(cell(&hour, 0, 59)));
	hour_release(&hour);
}

/* Everything there is, at its most. */
static void fill(struct hour *hour)
{
	for (int i = 0; i < POINTS; i++) {
		struct point *point = &hour->point[i];

		if (i % 7 == 3)
			continue;
		point->wait = (struct percentiles){5, i * NS_PER_MS, 0, 0, i * NS_PER_S, 0};
		point->hold = (struct percentiles){5, i * NS_PER_S, 0, 0, i * 9 * NS_PER_S, 0};
		point->acquired = 5;
		point->failed = i % 5 ? 0 : 3;
		point->stale = i % 11 ? 0 : 1;
		point->marks = i % 3 ? 0 : 15;
	}
	hour->graph.held = 840 * NS_PER_S;
	hour->graph.usual = 40 * NS_PER_S;
	hour->graph.note = "held 14m now; p99 of last 7d: 40s (n=1204)";
}

static void check_outside(const struct hour *hour, struct rect rect)
{
	for (int row = 0; row < hour->canvas.rows; row++)
		for (int col = 0; col < hour->canvas.cols; col++) {
			bool is_inside = row >= rect.row && row < rect.row + rect.rows &&
					 col >= rect.col && col < rect.col + rect.cols;

			if (!is_inside && !is_blank(cell(hour, row, col)))
				fail_msg("%dx%d: something at row %d, column %d", rect.cols,
					rect.rows, row - rect.row, col - rect.col);
		}
}

static void nothing_is_drawn_outside_at_any_size(void **state)
{
	struct hour hour;

	(void)state;
	hour_init(&hour, GRAPH_WAIT);
	fill(&hour);
	canvas_release(&hour.canvas);
	assert_int_equal(canvas_init(&hour.canvas, 64, 204), 0);
	for (int rows = 0; rows <= 60; rows += rows < 16 ? 1 : 11)
		for (int cols = 0; cols <= 200; cols += cols < 90 ? 1 : 22)
			for (int i = 0; i < 3 * GRAPH_COUNT; i++) {
				struct rect rect = {2, 2, rows, cols};

				hour.graph.kind = (enum graph_kind)(i % GRAPH_COUNT);
				hour.graph.is_log = (rows + cols) % 2;
				draw_at(&hour, rect, (enum glyph_set)(i / GRAPH_COUNT));
				check_outside(&hour, rect);
				if (rows && cols)
					assert_false(is_blank(cell(&hour, 2, 2)));
			}
	hour_release(&hour);
}

/* A rectangle that leaves the canvas is not our mistake to make worse. */
static void a_canvas_that_is_too_small_is_no_harm(void **state)
{
	struct hour hour;

	(void)state;
	hour_init(&hour, GRAPH_HOLD);
	fill(&hour);
	for (int set = 0; set < 3; set++) {
		draw_at(&hour, (struct rect){-3, -4, 30, 100}, (enum glyph_set)set);
		draw_at(&hour, (struct rect){ROWS - 1, COLS - 1, 30, 100}, (enum glyph_set)set);
		draw_at(&hour, (struct rect){0, 0, -1, -1}, (enum glyph_set)set);
	}
	hour_release(&hour);
}

/* Without colour the same is said, and on an ASCII terminal with ASCII. */
static void ascii_is_ascii(void **state)
{
	struct hour hour;

	(void)state;
	hour_init(&hour, GRAPH_WAIT);
	fill(&hour);
	for (int kind = 0; kind < GRAPH_COUNT; kind++)
		for (int rows = 1; rows <= ROWS; rows++) {
			char *text;

			hour.graph.kind = (enum graph_kind)kind;
			draw_at(&hour, (struct rect){0, 0, rows, COLS}, GLYPHS_ASCII);
			text = dump(&hour);
			for (const char *c = text; *c; c++)
				assert_true((unsigned char)*c < 0x80);
			free(text);
		}
	hour_release(&hour);
}

static void a_graph_knows_how_many_points_it_can_show(void **state)
{
	(void)state;
	assert_int_equal(graph_columns(68, &glyphs_table[GLYPHS_BRAILLE]), 120);
	assert_int_equal(graph_columns(68, &glyphs_table[GLYPHS_BOX]), 60);
	assert_int_equal(graph_columns(1, &glyphs_table[GLYPHS_ASCII]), 1);
	assert_true(graph_columns(0, &glyphs_table[GLYPHS_ASCII]) < 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_was_not_measured_is_a_gap_and_a_zero_is_not),
		cmocka_unit_test(no_failure_is_a_zero_only_where_something_was_tried),
		cmocka_unit_test(failures_stand_below_the_plot_also_when_something_was_acquired),
		cmocka_unit_test(deeds_are_letters_of_which_none_hides_another),
		cmocka_unit_test(nothing_is_lost_where_points_share_a_column),
		cmocka_unit_test(the_longest_stands_above_the_median),
		cmocka_unit_test(linear_scales_begin_at_zero_and_end_round),
		cmocka_unit_test(scales_of_counts_have_no_fractions),
		cmocka_unit_test(a_logarithmic_scale_goes_by_decades),
		cmocka_unit_test(the_hold_that_goes_on_is_drawn_against_its_p99),
		cmocka_unit_test(times_stand_where_they_belong),
		cmocka_unit_test(what_never_happened_is_said),
		cmocka_unit_test(numbers_that_do_not_fit_get_shorter),
		cmocka_unit_test(one_row_is_a_sparkline),
		cmocka_unit_test(nothing_is_drawn_outside_at_any_size),
		cmocka_unit_test(a_canvas_that_is_too_small_is_no_harm),
		cmocka_unit_test(ascii_is_ascii),
		cmocka_unit_test(a_graph_knows_how_many_points_it_can_show),
	};

	return cmocka_run_group_tests_name("graph", tests, NULL, NULL);
}

/* Graphs of what the metrics log says: how long locks were waited for and held, and what failed. */
#include "config.h"
#include "ui/top.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"

enum { TEXT = 200, COLS_FOR_WORDS = 60 };

/* The words of a graph, and room for them. */
struct words {
	char number[GRAPH_NUMBERS][TEXT];
	char note[TEXT];
};

static void add(char *text, size_t size, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

static void add(char *text, size_t size, const char *format, ...)
{
	size_t len = strlen(text);
	va_list args;

	va_start(args, format);
	vsnprintf(text + len, size - len, format, args);
	va_end(args);
}

/* --- numbers --------------------------------------------------------------------------------- */

/* n is said always. */
static void say_percentiles(struct words *words, const struct percentiles *of)
{
	char p50[32], p99[32], max[32];

	percentiles_text(words->number[0], TEXT, of);
	snprintf(words->number[GRAPH_NUMBERS - 1], TEXT, "n=%" PRIu64, of->n);
	if (of->n < PERCENTILES_FEW) {
		snprintf(
			words->number[1], TEXT, "n=%" PRIu64 "%s", of->n, of->n ? ", too few" : "");
		snprintf(words->number[2], TEXT, "%s", words->number[1]);
		return;
	}
	text_latency(p50, sizeof p50, of->p50);
	text_latency(p99, sizeof p99, of->p99);
	text_latency(max, sizeof max, of->max);
	snprintf(words->number[1], TEXT, "n=%" PRIu64 "  p50 %s  p99 %s  max %s", of->n, p50, p99,
		max);
	snprintf(words->number[2], TEXT, "n=%" PRIu64 "  p50 %s  p99 %s", of->n, p50, p99);
}

static void say_failed(struct words *words, const struct tally *tally)
{
	uint64_t failed = tally_failed(tally), n = tally_attempts(tally);
	double share = n ? 100 * (double)failed / (double)n : 0;

	snprintf(words->number[2], TEXT, "%" PRIu64 " of %" PRIu64 " attempts", failed, n);
	snprintf(words->number[1], TEXT, "%s", words->number[2]);
	if (failed)
		add(words->number[1], TEXT, share < 10 ? " (%.1f%%)" : " (%.0f%%)", share);
	snprintf(words->number[0], TEXT, "%s", words->number[1]);
	if (failed)
		add(words->number[0], TEXT, ": %" PRIu32 " busy, %" PRIu32 " timed out",
			tally->count[METRIC_BUSY], tally->count[METRIC_TIMEOUT]);
	snprintf(words->number[3], TEXT, "%" PRIu64 " of %" PRIu64, failed, n);
}

/* How often is said of what happened more than once. */
static void say_stale(struct words *words, const struct tally *tally, int64_t length)
{
	uint32_t n = tally->count[METRIC_STALE], taken = tally->count[METRIC_TAKEN_OVER],
		 released = tally->count[METRIC_RELEASED_STALE];
	char every[32];

	snprintf(words->number[3], TEXT, "%" PRIu32 " seen", n);
	snprintf(words->number[2], TEXT, "%s", words->number[3]);
	if (n > 1)
		add(words->number[2], TEXT, ", one every %s",
			text_duration_short(every, sizeof every, length / n));
	snprintf(words->number[1], TEXT, "%s", words->number[2]);
	if (taken)
		add(words->number[1], TEXT, "; %" PRIu32 " taken over", taken);
	if (released)
		add(words->number[1], TEXT, "%s %" PRIu32 " released", taken ? "," : ";", released);
	snprintf(words->number[0], TEXT, "%s", words->number[1]);
	if (released)
		add(words->number[0], TEXT, " by hand");
}

/* --- the hold that goes on ---------------------------------------------------------------------
 */

/* How long the selected lock has been held by somebody who may be at work; 0: it is not. */
static int64_t held_for(const struct model *model, const struct entry *entry)
{
	int64_t age;

	if (!entry ||
		(entry->verdict.state != STATE_HELD && entry->verdict.state != STATE_OVERDUE &&
			entry->verdict.state != STATE_UNKNOWN))
		return 0;
	age = model_age(model, entry);
	return age > 0 ? age : 0;
}

/* Beside what is usual. */
static void compare_hold(struct graph *graph, struct words *words, const struct model *model,
	const struct entry *entry)
{
	const struct percentiles *usual = &entry->usual;
	char held[32], p99[32];

	graph->held = held_for(model, entry);
	graph->usual = usual->n >= PERCENTILES_FEW && usual->p99 > 0 ? usual->p99 : 0;
	words->note[0] = '\0';
	if (graph->held)
		add(words->note, TEXT, "held %s now; ",
			text_duration(held, sizeof held, graph->held));
	if (graph->usual)
		add(words->note, TEXT, "p99 of last 7d: %s (n=%" PRIu64 ")",
			text_latency(p99, sizeof p99, usual->p99), usual->n);
	else if (graph->held && usual->n)
		add(words->note, TEXT, "n=%" PRIu64 " in last 7d, too few to compare", usual->n);
	else if (graph->held)
		add(words->note, TEXT, "no hold of the last 7d to compare");
	graph->note = words->note[0] ? words->note : NULL;
	graph->note_style = !graph->held || !graph->usual ? STYLE_DIM
			    : graph->held <= graph->usual ? STYLE_GOOD
							  : STYLE_BAD;
}

/* The part of the window of which anything can be known. */
static int64_t known_length(const struct metrics_page *page, wall_t at)
{
	wall_t from = at - window_info[page->window].length;

	from = page->known_from > from ? page->known_from : from;
	from = page->first > from ? page->first : from;
	return at > from ? at - from : 0;
}

static void make_graph(
	struct graph *graph, struct words *words, const struct top *top, enum graph_kind kind)
{
	const struct model *model = top_model(top);
	const struct metrics_page *page = &top->page;
	const struct entry *entry = page->key.lock ? top_selected(top) : NULL;
	struct percentiles of;

	*graph = (struct graph){
		.kind = kind,
		.point = page->point,
		.n = page->n,
		.is_log = page->is_log,
		.has_clock = top->frozen != NULL,
	};
	if (kind == GRAPH_FAILED)
		say_failed(words, &page->tally);
	else if (kind == GRAPH_STALE)
		say_stale(words, &page->tally, known_length(page, model->now_wall));
	else {
		of = histogram_percentiles(
			kind == GRAPH_WAIT ? &page->tally.wait : &page->tally.hold);
		say_percentiles(words, &of);
	}
	if (kind == GRAPH_HOLD && entry)
		compare_hold(graph, words, model, entry);
	for (int i = 0; i < GRAPH_NUMBERS; i++)
		graph->number[i] = words->number[i];
}

/* --- text ----------------------------------------------------------------------------------------
 */

/* Lines above the graphs, the most important first. */
struct text {
	int n;
	struct {
		enum style style;
		char text[4 * TEXT];
	} line[3];
};

static char *new_line(struct text *text, enum style style)
{
	text->line[text->n].style = style;
	text->line[text->n].text[0] = '\0';
	return text->line[text->n].text;
}

/* "11:20", or with its day. */
static void since_text(char *dst, size_t size, wall_t since, wall_t now)
{
	char text[32];

	if (now - since < 24 * 3600 * NS_PER_S)
		snprintf(dst, size, "%.5s", text_clock(text, sizeof text, since));
	else
		snprintf(dst, size, "%.16s", text_time(text, sizeof text, since));
}

static bool is_being_read(const struct model *model)
{
	for (size_t i = 0; i < model->sources; i++)
		if (model->source[i].metrics && model->source[i].is_filling)
			return true;
	return false;
}

/* What has to be known to trust the numbers. */
static void add_notices(struct text *text, const struct top *top)
{
	const struct model *model = top_model(top);
	uint64_t bad = model_metrics_bad(model);
	char *line = new_line(text, STYLE_WARN), since[32];

	if (bad)
		add(line, sizeof text->line->text, "%" PRIu64 " line%s not understood", bad,
			bad == 1 ? "" : "s");
	if (top->page.known_from) {
		since_text(since, sizeof since, top->page.known_from, model->now_wall);
		add(line, sizeof text->line->text, "%sknown since %s", *line ? "; " : "", since);
	}
	if (is_being_read(model))
		add(line, sizeof text->line->text, "%sthe log is still being read",
			*line ? "; " : "");
	text->n += *line != '\0';
}

/* Those that the graphs say have their own numbers there: failed and stale. */
static void add_counts(struct text *text, const struct tally *tally)
{
	const struct {
		const char *word;
		uint64_t n;
	} counts[] = {
		{"acquired", tally->count[METRIC_ACQUIRED]},
		{"slow", tally->slow},
		{"lost", tally->count[METRIC_LOST]},
		{"taken over", tally->count[METRIC_TAKEN_OVER]},
		{"released by hand", tally->count[METRIC_RELEASED_STALE]},
		{"forced", tally->count[METRIC_FORCED]},
		{"signalled", tally->count[METRIC_SIGNALLED]},
		{"fallback", tally->count[METRIC_FALLBACK]},
		{"errors", tally->count[METRIC_ERROR]},
	};
	char *line = new_line(text, STYLE_NORMAL);

	for (size_t i = 0; i < sizeof counts / sizeof *counts; i++)
		if (counts[i].n || i == 0) /* the first is worth its zero */
			add(line, sizeof text->line->text, "%s%s %" PRIu64, i ? "  " : "",
				counts[i].word, counts[i].n);
	text->n++;
}

static void add_waited(struct text *text, const struct metrics_page *page)
{
	char *line = new_line(text, STYLE_NORMAL), longest[32];

	for (int i = 0; i < PAGE_WAITED && page->waited[i].who[0]; i++) {
		add(line, sizeof text->line->text, "%s%s %" PRIu32 "x",
			i ? "; " : "waited for: ", page->waited[i].who, page->waited[i].times);
		if (page->waited[i].longest > 0)
			add(line, sizeof text->line->text, ", longest %s",
				text_latency(longest, sizeof longest, page->waited[i].longest));
	}
	text->n += *line != '\0';
}

/* canvas NULL only measures. Returns the rows it takes. */
static int draw_text(struct canvas *canvas, struct rect rect, const struct text *text)
{
	int rows = 0;

	for (int i = 0; i < text->n; i++) {
		struct rect line = {rect.row + rows, rect.col, rect.rows - rows, rect.cols};

		rows += canvas_wrap(canvas, line, text->line[i].style, text->line[i].text);
	}
	return rows;
}

static void draw_header(const struct top *top, struct canvas *canvas, struct rect rect)
{
	const struct metrics_page *page = &top->page;
	bool is_wide = rect.cols >= COLS_FOR_WORDS;
	char scope[80], title[1024], cut[1024];
	int right;

	if (rect.rows < 1)
		return;
	snprintf(scope, sizeof scope, "%s%s%s%s", is_wide ? "last " : "",
		window_info[page->window].word, is_wide || page->is_log ? ", " : "",
		page->is_log ? "log scale"
		: is_wide    ? "linear scale"
			     : "");
	right = text_width(scope) + 2;
	if (page->key.lock)
		snprintf(title, sizeof title, "%s%s", is_wide ? "metrics of " : "",
			page->address ? page->address : "?");
	else
		snprintf(title, sizeof title, "%sall locks, %zu in the logs",
			is_wide ? "metrics of " : "", page->locks);
	canvas_fill(canvas, rect, STYLE_HEADER, " ");
	text_fit(cut, sizeof cut, title, rect.cols - right - 2, TEXT_CUT_MIDDLE);
	canvas_text(canvas, rect.row, 1, rect.cols - 1, STYLE_HEADER, cut);
	canvas_right(canvas, rect.row, rect.cols - right, right - 1, STYLE_HEADER, scope);
}

/* --- all of it -----------------------------------------------------------------------------------
 */

static void draw_graphs(const struct top *top, struct canvas *canvas, struct rect body)
{
	const struct metrics_page *page = &top->page;
	struct text text = {0};
	struct page_plan plan;
	int notices;

	add_notices(&text, top);
	notices = draw_text(NULL, body, &text);
	add_counts(&text, &page->tally);
	add_waited(&text, page);
	plan = page_plan(body, draw_text(NULL, body, &text), notices,
		graph_legend(NULL, body, page->point, page->n) > 0);
	draw_text(canvas, plan.text, &text);
	for (int kind = 0; kind < GRAPH_COUNT; kind++) {
		struct graph graph;
		struct words words;

		make_graph(&graph, &words, top, (enum graph_kind)kind);
		graph_draw(canvas, plan.graph[kind], &graph, top->glyphs);
	}
	if (plan.legend.rows)
		graph_legend(canvas, plan.legend, page->point, page->n);
}

static void draw(const struct top *top, struct canvas *canvas, const struct layout *layout)
{
	struct rect body = layout->body;

	draw_header(top, canvas, layout->header);
	canvas->cursor_row = body.row;
	canvas->cursor_col = 0;
	if (body.cols > 2) { /* a margin, as in the other views */
		body.col += 1;
		body.cols -= 1;
	}
	if (!model_has_metrics(top_model(top)))
		canvas_wrap(canvas, body, STYLE_WARN,
			"no metrics log is read: locktop run writes one; see locktop-metrics(5)");
	else
		draw_graphs(top, canvas, body);
}

/* Nothing to scroll: what there is fits. */
static size_t rows(const struct top *top)
{
	(void)top;
	return 1;
}

const struct view view_metrics = {"metrics", IN_METRICS, rows, draw};

/* What happened, the newest first. */
#include "config.h"
#include "ui/lines.h"
#include "ui/top.h"

#include <stdio.h>

#include "base/text.h"

enum { TIME_COLS = 10, LINE = 900 };

static size_t rows(const struct top *top)
{
	size_t n = top_model(top)->happened;

	return n < MODEL_HAPPENINGS ? n : MODEL_HAPPENINGS;
}

static void draw_one(const struct top *top, struct canvas *canvas, struct rect line,
	const struct happening *happening)
{
	const struct model *model = top_model(top);
	const char *uri =
		happening->source < model->sources ? model->source[happening->source].uri : "?";
	enum style style = happening->name ? style_of_state(happening->state) : STYLE_WARN;
	char at[32], text[LINE], cut[LINE], name[256];

	text_fit(name, sizeof name, happening->name ? happening->name : uri, 60, TEXT_CUT_MIDDLE);
	snprintf(text, sizeof text, "%s  %s", name, happening->text);
	canvas_text(canvas, line.row, line.col + 1, TIME_COLS, STYLE_DIM,
		text_clock(at, sizeof at, happening->at));
	text_fit(cut, sizeof cut, text, line.cols - TIME_COLS - 1, TEXT_CUT_END);
	canvas_text(
		canvas, line.row, line.col + TIME_COLS + 1, line.cols - TIME_COLS - 1, style, cut);
}

static void draw(const struct top *top, struct canvas *canvas, const struct layout *layout)
{
	const struct happening *happening;
	struct lines none = {.n = rows(top)};

	lines_title(canvas, layout, &none, top->line, "what happened, the newest first");
	for (int row = 0; row < layout->body.rows; row++) {
		struct rect line = {layout->body.row + row, 0, 1, layout->body.cols};

		happening = model_happening(top_model(top), top->line + (size_t)row);
		if (happening)
			draw_one(top, canvas, line, happening);
		else if (row == 0)
			canvas_text(canvas, line.row, 1, line.cols - 1, STYLE_DIM,
				top->past.is_blank ? "what happened until then is not recorded"
						   : "nothing has happened since the monitor "
						     "began");
	}
	canvas->cursor_row = layout->body.row;
	canvas->cursor_col = 0;
}

const struct view view_events = {"events", IN_EVENTS, rows, draw};

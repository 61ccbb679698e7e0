/* Where the locks come from, and how fresh that is. */
#include "config.h"
#include "ui/lines.h"
#include "ui/top.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/text.h"

static enum style style_of_source(enum source_state state)
{
	switch (state) {
	case SOURCE_OK: return STYLE_GOOD;
	case SOURCE_SILENT:
	case SOURCE_DOWN: return STYLE_ALERT;
	default: return STYLE_NORMAL;
	}
}

static const struct {
	const char *word, *help;
} states[] = {
#define _(id, word, help) [SOURCE_##id] = {word, help},
	SOURCE_STATES(_)
#undef _
};

static const char *age_text(char *dst, size_t size, int64_t age)
{
	return age < 2 * NS_PER_S ? "1s" : text_duration(dst, size, age);
}

static void add_data(struct lines *lines, const struct model_source *source, int64_t age)
{
	char text[64], took[64];

	if (age == INT64_MAX)
		lines_add(lines, STYLE_WARN, "data", "none yet");
	else
		lines_add(lines, STYLE_NORMAL, "data",
			"%s old; last complete look at %s took %.1f ms",
			age_text(text, sizeof text, age),
			source->data_at ? text_time(took, sizeof took, source->data_at) : "?",
			(double)source->took / (double)NS_PER_MS);
}

/* How fresh it is, is always of now. */
static void add_now(struct lines *lines, const struct top *top, size_t i)
{
	enum source_state state = top->model->source[i].state;
	int64_t age = model_data_age(top->model, i);
	char text[64];

	lines_add(lines, style_of_source(state), "now", "%s: %s%s%s", states[state].word,
		states[state].help, age == INT64_MAX ? "" : "; data ",
		age == INT64_MAX ? "" : age_text(text, sizeof text, age));
}

static void add_source(struct lines *lines, const struct top *top, size_t i)
{
	/* Its facts are of the view, its freshness is of now: a pause makes nothing fresher. */
	const struct model *model = top->past.is_on ? top->frozen : top->model;
	const struct model_source *source = &model->source[i];

	lines_heading(lines, "");
	lines_add(lines, STYLE_BOLD, "source", "%s", source->uri);
	if (top->past.is_on)
		add_now(lines, top, i);
	if (top->past.is_blank)
		return;
	lines_add(lines, style_of_source(source->state), top->past.is_on ? "then" : "state",
		"%s: %s", states[source->state].word, states[source->state].help);
	if (!top->past.is_on)
		add_data(lines, source, model_data_age(top->model, i));
	if (source->host)
		lines_add(lines, STYLE_NORMAL, "host", "%s", source->host);
	if (model_is_log(source))
		lines_add(lines, STYLE_NORMAL, "log", "%" PRIu64 " lines of %zu locks%s",
			source->metrics ? source->metrics->lines : 0,
			source->metrics ? source->metrics->series : 0,
			source->is_complete ? "" : " so far");
	else
		lines_add(lines, STYLE_NORMAL, "locks", "%zu%s", source->n,
			source->is_complete ? "" : " so far");
	lines_add(lines, source->is_polling ? STYLE_WARN : STYLE_NORMAL, "mode", "%s%s%s",
		source->is_polling ? "looks again and again, is not told of changes"
				   : "is told of changes by the kernel (inotify)",
		source->note ? ": " : "", source->note ? source->note : "");
	if (source->is_read_only)
		lines_add(lines, STYLE_NORMAL, "", "read-only");
	if (source->fault)
		lines_add(lines, STYLE_BAD, "fault", "%s", source->fault);
	if (source->restarts)
		lines_add(lines, STYLE_WARN, "restarts", "%u", source->restarts);
}

static void make(struct lines *lines, const struct top *top)
{
	if (!top->model->sources)
		lines_add(lines, STYLE_WARN, "", "there is no source");
	for (size_t i = 0; i < top->model->sources; i++)
		add_source(lines, top, i);
}

static size_t rows(const struct top *top)
{
	return lines_rows(top, make);
}

static void draw(const struct top *top, struct canvas *canvas, const struct layout *layout)
{
	lines_view(top, canvas, layout, make, "where the locks come from");
}

const struct view view_sources = {"sources", IN_SOURCES, rows, draw};

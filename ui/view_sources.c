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

static void add_source(struct lines *lines, const struct top *top, size_t i)
{
	static const struct {
		const char *word, *help;
	} states[] = {
#define _(id, word, help) [SOURCE_##id] = {word, help},
		SOURCE_STATES(_)
#undef _
	};
	/* Its facts are of the view, its freshness is of now: a pause makes nothing fresher. */
	const struct model_source *source = &top->model->source[i];
	int64_t age = model_data_age(top->model, i);
	char text[64], took[64];

	lines_heading(lines, "");
	lines_add(lines, STYLE_BOLD, "source", "%s", source->uri);
	lines_add(lines, style_of_source(source->state), "state", "%s: %s",
		states[source->state].word, states[source->state].help);
	if (age == INT64_MAX)
		lines_add(lines, STYLE_WARN, "data", "none yet");
	else
		lines_add(lines, STYLE_NORMAL, "data",
			"%s old; last complete look at %s took %.1f ms",
			age < 2 * NS_PER_S ? "1s" : text_duration(text, sizeof text, age),
			source->data_at ? text_time(took, sizeof took, source->data_at) : "?",
			(double)source->took / (double)NS_PER_MS);
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

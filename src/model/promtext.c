/* The text format of Prometheus. */
#include "config.h"
#include "model/promtext.h"

#include <inttypes.h>
#include <string.h>

#include "base/clock.h"

/* https://prometheus.io/docs/instrumenting/exposition_formats/: a quote only in label values. */
static void add_escaped(struct buf *out, const char *text, const char *special)
{
	while (*text) {
		size_t n = strcspn(text, special);

		buf_add(out, text, n);
		text += n;
		if (!*text)
			break;
		buf_addc(out, '\\');
		buf_addc(out, *text == '\n' ? 'n' : *text);
		text++;
	}
}

void promtext_family(struct promtext *text, const char *name, const char *type, const char *help)
{
	text->name = name;
	text->type = type;
	text->help = help;
	text->is_open = false;
}

void promtext_sample(struct promtext *text, const char *suffix)
{
	if (!text->is_open) {
		buf_addf(text->out, "# HELP %s ", text->name);
		add_escaped(text->out, text->help, "\\\n");
		buf_addf(text->out, "\n# TYPE %s %s\n", text->name, text->type);
		text->is_open = true;
	}
	buf_addf(text->out, "%s%s", text->name, suffix);
	text->labels = 0;
}

void promtext_label(struct promtext *text, const char *name, const char *value)
{
	buf_addf(text->out, "%c%s=\"", text->labels++ ? ',' : '{', name);
	add_escaped(text->out, value, "\\\"\n");
	buf_addc(text->out, '"');
}

static void close_labels(struct promtext *text)
{
	buf_adds(text->out, text->labels ? "} " : " ");
}

void promtext_count(struct promtext *text, uint64_t value)
{
	close_labels(text);
	buf_addf(text->out, "%" PRIu64 "\n", value);
}

void promtext_seconds(struct promtext *text, int64_t ns)
{
	uint64_t abs = ns < 0 ? -(uint64_t)ns : (uint64_t)ns;
	uint64_t part = abs % NS_PER_S;
	int digits = 9;

	close_labels(text);
	buf_addf(text->out, "%s%" PRIu64, ns < 0 ? "-" : "", abs / NS_PER_S);
	while (part && part % 10 == 0) {
		part /= 10;
		digits--;
	}
	if (part)
		buf_addf(text->out, ".%0*" PRIu64, digits, part);
	buf_addc(text->out, '\n');
}

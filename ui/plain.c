/* A line per change. */
#include "config.h"
#include "ui/plain.h"

#include <stdlib.h>
#include <string.h>

#include "base/text.h"

enum { ADDRESS = 1024 };

static void add_time(struct buf *out, wall_t at)
{
	char text[32];

	buf_addf(out, "%s ", text_clock(text, sizeof text, at));
}

/* What is said comes from the model, which is clean; a line ends only where we end it. */
static void add_clean(struct buf *out, const char *text)
{
	char *clean;

	if (text_is_clean(text, strlen(text))) {
		buf_adds(out, text);
		return;
	}
	clean = text_clean_dup(text, strlen(text));
	if (clean)
		buf_adds(out, clean);
	else
		out->failed = true;
	free(clean);
}

static void add_where(
	struct buf *out, const struct model *model, size_t source, const struct entry *entry)
{
	char address[ADDRESS];

	if (entry) {
		model_address(address, sizeof address, model, entry);
		add_clean(out, address);
	} else if (source < model->sources) {
		add_clean(out, model->source[source].uri);
	}
}

/* "12:03:41 STALE /run/lock/x.lock: pid 4711 is gone: no such process. release it: SAFE" */
static void add_lock(struct buf *out, const struct model *model, const struct entry *entry)
{
	struct facts facts = model_facts(model, entry);
	struct verdict verdict = verdict_of(entry->lock, &facts);
	char text[VERDICT_TEXT], age[32];

	add_time(out, model->now_wall);
	buf_addf(out, "%s ", state_word(verdict.state));
	add_where(out, model, entry->source, entry);
	if (verdict.age != AGE_UNKNOWN)
		buf_addf(out, ", %s", text_duration(age, sizeof age, verdict.age));
	if (entry->lock->waiters)
		buf_addf(out, ", %zu waiting", entry->lock->waiters);
	verdict_why(text, sizeof text, entry->lock, &facts, &verdict);
	buf_adds(out, ": ");
	add_clean(out, text);
	verdict_advice(text, sizeof text, entry->lock, &facts, &verdict);
	if (*text) {
		buf_adds(out, ". ");
		add_clean(out, text);
	}
	buf_addc(out, '\n');
}

/* Of a lock that is still there and still so, the advice is said too. */
static void add_happening(
	struct buf *out, const struct model *model, const struct happening *happening)
{
	const struct entry *entry =
		happening->name ? model_find(model, happening->source, happening->name) : NULL;
	char advice[VERDICT_TEXT];

	add_time(out, happening->at);
	if (entry || !happening->name) {
		add_where(out, model, happening->source, entry);
	} else {
		add_clean(out, happening->name);
	}
	buf_adds(out, ": ");
	add_clean(out, happening->text);
	if (entry && entry->verdict.state == happening->state && happening->state != STATE_FREE &&
		happening->state != STATE_HELD) {
		struct facts facts = model_facts(model, entry);

		verdict_advice(advice, sizeof advice, entry->lock, &facts, &entry->verdict);
		buf_adds(out, *advice ? ". " : "");
		add_clean(out, advice);
	}
	buf_addc(out, '\n');
}

static bool is_told(
	const struct plain *plain, const struct model *model, const struct happening *happening)
{
	const struct entry *entry =
		happening->name ? model_find(model, happening->source, happening->name) : NULL;

	return !entry || !plain->selection || selection_shows(plain->selection, model, entry);
}

int plain_changes(struct plain *plain, const struct model *model, struct buf *out)
{
	size_t new = model->happened - plain->said;

	if (new > MODEL_HAPPENINGS) {
		add_time(out, model->now_wall);
		buf_addf(out, "%zu changes came too fast to be said\n", new - MODEL_HAPPENINGS);
		new = MODEL_HAPPENINGS;
	}
	while (new > 0) {
		const struct happening *happening = model_happening(model, --new);

		if (happening && is_told(plain, model, happening))
			add_happening(out, model, happening);
	}
	plain->said = model->happened;
	return buf_failed(out);
}

static void add_source(struct buf *out, const struct model *model, size_t i)
{
	static const char *const words[] = {
#define _(id, word, help) [SOURCE_##id] = help,
		SOURCE_STATES(_)
#undef _
	};
	const struct model_source *source = &model->source[i];

	add_time(out, model->now_wall);
	buf_adds(out, "source ");
	add_clean(out, source->uri);
	buf_addf(out, ": %s", words[source->state]);
	if (source->is_complete && !model_is_log(source))
		buf_addf(out, ", %zu lock%s", source->n, source->n == 1 ? "" : "s");
	if (source->fault) {
		buf_adds(out, "; ");
		add_clean(out, source->fault);
	}
	if (source->note) {
		buf_adds(out, "; ");
		add_clean(out, source->note);
	}
	buf_addc(out, '\n');
}

static void add_summary(struct buf *out, const struct model *model)
{
	size_t count[STATE_COUNT], all = 0;

	model_count(model, count);
	for (size_t i = 0; i < STATE_COUNT; i++)
		all += count[i];
	add_time(out, model->now_wall);
	buf_addf(out, "%zu lock%s:", all, all == 1 ? "" : "s");
	for (int rank = STATE_COUNT - 1; rank >= 0; rank--)
		for (enum state state = 0; state < STATE_COUNT; state++)
			if (state_rank(state) == rank && count[state])
				buf_addf(out, " %zu %s", count[state], state_word(state));
	buf_adds(out, all ? "\n" : " none\n");
}

int plain_opening(struct plain *plain, const struct model *model, struct buf *out)
{
	struct selection selection = {.sort = SORT_HARM, .hides_free = true};
	struct entry **entries = NULL;
	size_t n = 0, size = 0;
	int e;

	if (plain->selection)
		memcpy(selection.filter, plain->selection->filter, sizeof selection.filter);
	e = model_select(model, &selection, &entries, &n, &size);
	if (e < 0)
		return e;
	for (size_t i = 0; i < model->sources; i++)
		add_source(out, model, i);
	for (size_t i = 0; i < n; i++)
		add_lock(out, model, entries[i]);
	add_summary(out, model);
	free(entries);
	plain->said = model->happened; /* the changes go on from here */
	return buf_failed(out);
}

/* Everything about one lock. */
#include "config.h"
#include "ui/lines.h"
#include "ui/top.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"

enum { HAPPENINGS_SHOWN = 100 };

static void add_evidence(struct lines *lines, const struct lock *lock, const struct facts *facts,
	const struct verdict *verdict)
{
	char text[VERDICT_TEXT];

	lines_heading(lines, "Evidence");
	for (int i = 0; verdict_evidence(text, sizeof text, lock, facts, verdict, i); i++)
		lines_add(lines, STYLE_NORMAL, "", "%s", text);
}

static void add_process(
	struct lines *lines, const char *label, const char *branch, const struct process *process)
{
	char started[32];

	if (process->pid <= 0) {
		lines_add(lines, STYLE_NORMAL, label, "%snot known", branch);
		return;
	}
	lines_add(lines, STYLE_NORMAL, label, "%spid %" PRId32 " %s  %s%s%s%s%s%s%s  %s", branch,
		process->pid, process->comm, life_word(process->life),
		process->user ? "  user " : "", process->user ? process->user : "",
		process->started ? "  started " : "",
		process->started ? text_time(started, sizeof started, process->started) : "",
		*branch                ? ""
		: process->from_kernel ? "  (says the kernel)"
				       : "  (says the record)",
		process->is_inherited ? "  (inherited the descriptor)" : "",
		process->command ? process->command : "");
}

/* Holders, and under them who waits. */
static void add_processes(struct lines *lines, const struct lock *lock, const struct glyphs *glyphs)
{
	char branch[16];

	lines_heading(lines, "Processes");
	if (!lock->holders)
		lines_add(lines, STYLE_NORMAL, "holder", "nobody is named");
	for (size_t i = 0; i < lock->holders; i++)
		add_process(lines, "holder", "", &lock->holder[i]);
	for (size_t i = 0; i < lock->waiters; i++) {
		snprintf(branch, sizeof branch, "%s ",
			i + 1 < lock->waiters ? glyphs->tree_branch : glyphs->tree_last);
		add_process(lines, "waits", branch, &lock->waiter[i]);
	}
}

/* All fields but the token, which is a secret between the holder and its file. */
static void add_record(struct lines *lines, const struct lock *lock)
{
	const struct record *record = &lock->record;
	char text[64];

	lines_heading(lines, "Record");
	lines_add(lines, STYLE_NORMAL, "format", "%s", record_format_word(record->format));
	if (record->pid > 0)
		lines_add(lines, STYLE_NORMAL, "pid", "%" PRId32, record->pid);
	if (record->time)
		lines_add(lines, STYLE_NORMAL, "time", "%s (%" PRId64 ")",
			record->time < INT64_MAX / NS_PER_S && record->time > INT64_MIN / NS_PER_S
				? text_time(text, sizeof text, record->time * NS_PER_S)
				: "?",
			record->time);
	if (record->host[0])
		lines_add(lines, STYLE_NORMAL, "host", "%s (%s)", record->host,
			lock->host_is == RELATION_SAME ? "this one" : "another one");
	if (record->boot[0])
		lines_add(lines, STYLE_NORMAL, "boot", "%s (%s)", record->boot,
			lock->boot_is == RELATION_SAME ? "this one" : "another one");
	if (record->start)
		lines_add(lines, STYLE_NORMAL, "start", "%" PRIu64 " ticks", record->start);
	if (record->ns)
		lines_add(lines, STYLE_NORMAL, "pid ns", "%" PRIu64 " (%s)", record->ns,
			lock->ns_is == RELATION_SAME ? "this one" : "another one");
	if (record->mode)
		lines_add(lines, STYLE_NORMAL, "mode", "%s",
			record->mode == 'h'   ? "held under flock"
			: record->mode == 'd' ? "detached"
					      : "unknown");
	if (record->lease)
		lines_add(lines, STYLE_NORMAL, "lease", "%" PRId32 "s", record->lease);
	if (record->fence >= 0 && record->format == RECORD_LT1)
		lines_add(lines, STYLE_NORMAL, "fence", "%" PRId64, record->fence);
	if (record->uid >= 0 && record->format == RECORD_LT1)
		lines_add(lines, STYLE_NORMAL, "uid", "%" PRId32, record->uid);
	if (lock->bytes)
		lines_add(lines, STYLE_WARN, "bytes", "%s", lock->bytes);
}

static void add_flags(struct lines *lines, unsigned int flags)
{
	static const char *const helps[] = {
#define _(id, word, help) [LOCK_FLAG_BIT_##id] = help,
		LOCK_FLAGS(_)
#undef _
	};

	for (size_t i = 0; i < LOCK_FLAG_COUNT; i++)
		if (flags & 1u << i)
			lines_add(lines, STYLE_WARN, "noticed", "%s", helps[i]);
}

static void add_thing(struct lines *lines, const struct model *model, const struct entry *entry,
	const struct verdict *verdict)
{
	const struct lock *lock = entry->lock;
	char text[1024];

	lines_heading(lines, "Lock");
	model_address(text, sizeof text, model, entry);
	lines_add(lines, STYLE_NORMAL, "address", "%s", text);
	lines_add(lines, STYLE_NORMAL, "name", "%s", lock->name);
	lines_add(lines, STYLE_NORMAL, "source", "%s", model->source[entry->source].uri);
	if (lock->path)
		lines_add(lines, STYLE_NORMAL, "path", "%s", lock->path);
	lines_add(lines, STYLE_NORMAL, "kind", "%s; class %s%s", lock_kind_word(lock->kind),
		lock_class_word(lock->class),
		lock->mode == LOCK_MODE_READ    ? "; shared"
		: lock->mode == LOCK_MODE_WRITE ? "; exclusive"
						: "");
	if (lock->kind != LOCK_FILE) {
		column_text(text, sizeof text, COLUMN_RANGE, model, entry);
		lines_add(lines, STYLE_NORMAL, "range", "%s", text);
	}
	if (lock->ino)
		lines_add(lines, STYLE_NORMAL, "inode", "%" PRIu64 " on device %" PRIu64, lock->ino,
			lock->dev);
	if (lock->since)
		lines_add(lines, STYLE_NORMAL, "since", "%s",
			text_time(text, sizeof text, lock->since));
	if (lock->written)
		lines_add(lines, STYLE_NORMAL, "written", "%s",
			text_time(text, sizeof text, lock->written));
	if (lock->expires)
		lines_add(lines, STYLE_NORMAL, "expires", "%s",
			text_time(text, sizeof text, lock->expires));
	lines_add(lines, STYLE_NORMAL, "version", "%s", lock->version);
	if (lock->problem)
		lines_add(lines, STYLE_WARN, "problem", "%s", lock->problem);
	add_flags(lines, verdict->flags);
}

static void add_window(struct lines *lines, const struct series_set *set, enum window window,
	wall_t at, struct tally *tally)
{
	struct percentiles wait, hold;
	char label[16], text[160];

	tally_clear(tally);
	if (series_window(set, window, at, tally) < 0)
		top_must(NULL);
	wait = histogram_percentiles(&tally->wait);
	hold = histogram_percentiles(&tally->hold);
	snprintf(label, sizeof label, "wait %s", window_info[window].word);
	lines_add(lines, STYLE_NORMAL, label, "%s", percentiles_text(text, sizeof text, &wait));
	snprintf(label, sizeof label, "hold %s", window_info[window].word);
	lines_add(lines, STYLE_NORMAL, label, "%s", percentiles_text(text, sizeof text, &hold));
}

/* What happened, and how often. */
static void add_counts(struct lines *lines, const char *label, const struct tally *tally)
{
	char text[400] = "";

	for (int event = 0; event < METRIC_EVENT_COUNT; event++)
		if (tally->count[event])
			snprintf(text + strlen(text), sizeof text - strlen(text), "%s%s %" PRIu32,
				*text ? ", " : "", metric_event_word((enum metric_event)event),
				tally->count[event]);
	lines_add(lines, STYLE_NORMAL, label, "%s", *text ? text : "nothing");
}

static void add_waited_for(struct lines *lines, const struct series_set *set)
{
	char longest[32];

	for (size_t i = 0; i < set->n; i++)
		for (size_t k = 0; k < WAITED_FOR_MAX && set->at[i]->waited[k].who[0]; k++) {
			const struct waited_for *waited = &set->at[i]->waited[k];

			lines_add(lines, STYLE_NORMAL, i + k ? "" : "waited for",
				"%s: %" PRIu32 "x%s%s", waited->who, waited->times,
				waited->longest > 0 ? ", longest " : "",
				waited->longest > 0
					? text_latency(longest, sizeof longest, waited->longest)
					: "");
		}
}

/* What the metrics logs say of it. */
static void add_usually(struct lines *lines, const struct model *model, const struct entry *entry)
{
	struct series_set set = model_series(model, entry);
	struct tally tally = {0};

	if (!model_has_metrics(model))
		return;
	lines_heading(lines, "Usually");
	if (!set.n) {
		lines_add(lines, STYLE_DIM, "", "no metrics log that is read names it");
		return;
	}
	add_window(lines, &set, WINDOW_24H, model->now_wall, &tally);
	add_counts(lines, "log 24h", &tally);
	add_window(lines, &set, WINDOW_7D, model->now_wall, &tally);
	add_counts(lines, "log 7d", &tally);
	add_waited_for(lines, &set);
	lines_add(lines, STYLE_DIM, "", "g shows it as graphs");
	tally_release(&tally);
}

static void add_happenings(
	struct lines *lines, const struct model *model, const struct entry *entry)
{
	const struct happening *happening;
	int shown = 0;
	char at[32];

	lines_heading(lines, "Happened");
	for (size_t n = 0; shown < HAPPENINGS_SHOWN && (happening = model_happening(model, n));
		n++) {
		if (happening->source != entry->source || !happening->name ||
			strcmp(happening->name, entry->lock->name) != 0)
			continue;
		lines_add(lines, style_of_state(happening->state),
			text_clock(at, sizeof at, happening->at), "%s", happening->text);
		shown++;
	}
	if (!shown)
		lines_add(lines, STYLE_DIM, "", "nothing since the monitor began");
}

static void make(struct lines *lines, const struct top *top)
{
	const struct model *model = top_model(top);
	const struct entry *entry = top_selected(top);
	struct facts facts;
	struct verdict verdict;

	if (!entry && top->past.is_on) {
		lines_add(lines, STYLE_BOLD, "", "%s %s. Esc leads back to the list.",
			top->cursor_name ? top->cursor_name : "the lock",
			top->past.is_blank ? "is not recorded from then" : "was not there then");
		return;
	}
	if (!entry) {
		lines_add(lines, STYLE_BOLD, "", "%s is gone. Esc leads back to the list.",
			top->cursor_name ? top->cursor_name : "the lock");
		return;
	}
	facts = model_facts(model, entry);
	verdict = verdict_of(entry->lock, &facts);
	add_evidence(lines, entry->lock, &facts, &verdict);
	add_processes(lines, entry->lock, top->glyphs);
	add_usually(lines, model, entry);
	add_record(lines, entry->lock);
	add_thing(lines, model, entry, &verdict);
	add_happenings(lines, model, entry);
}

static size_t rows(const struct top *top)
{
	return lines_rows(top, make);
}

static void draw(const struct top *top, struct canvas *canvas, const struct layout *layout)
{
	const struct entry *entry = top_selected(top);

	if (entry)
		top_verdict_block(top, canvas, layout->worst, entry);
	if (layout->rule.rows)
		canvas_fill(canvas, layout->rule, STYLE_DIM, top->glyphs->rule);
	lines_view(top, canvas, layout, make, "all about this lock");
}

const struct view view_lock = {"lock", IN_LOCK, rows, draw};

/* What the model was told, kept, so that any moment of it can be made again. */
#include "config.h"
#include "model/history.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MALLOC_BYTES = 16, SEGMENT_SHARE = 4, ENTRIES_SHARE = 8 };

enum note_kind {
	NOTE_LOCK,  /* model_apply() of a lock */
	NOTE_EVENT, /* of any other event */
	NOTE_STATE, /* model_source_is() */
	NOTE_TICK,  /* model_tick() */
};

/* A source's signs of life, which are no steps, but have to be right where it falls silent. */
struct pulse {
	size_t source;
	mono_t heard;
	wall_t data_at;
	int64_t took, every;
};

/*
 * How long the holds of a lock usually are, as far as it is not what was noted before. Logs are not
 * told again, but the verdict depends on it.
 */
struct usual {
	size_t source;
	char *name; /* owned */
	struct percentiles usual;
};

struct note {
	enum note_kind kind;
	bool is_step;
	enum source_state state; /* STATE */
	uint32_t happened;       /* lines of the events view that it made */
	size_t source;
	mono_t now;
	wall_t now_wall;
	wall_t at;           /* LOCK: the event's */
	struct lock *lock;   /* LOCK: owned reference */
	struct event *event; /* EVENT: owned; STATE: its text is the fault; NULL none */
	struct pulse *pulse; /* owned array: what has to be set before */
	size_t pulses;
	struct usual *usual; /* owned array; the same */
	size_t usuals;
};

/* A whole model, and what was told since. */
struct segment {
	struct model frame;
	size_t frame_bytes;
	struct note *note; /* owned array */
	size_t n, size;
	uint64_t first; /* number of its first step */
	size_t steps;
	size_t bytes; /* of the notes */
};

/* What of a source was seen last, and what a model made of the notes would have by now. */
struct seen {
	struct pulse last, noted;
	enum source_state state;
	bool has_fault, has_host, is_polling, is_complete;
};

struct history {
	struct history_limits limits;
	struct segment *segment; /* owned array */
	size_t segments, size;
	uint64_t end;      /* number of the next step */
	size_t notes;      /* in all segments */
	size_t bytes;      /* of all segments */
	struct seen *seen; /* owned array, a source each */
	size_t sources;
	uint64_t changes, happened; /* the model's, when it was seen last */
	mono_t now;
	wall_t now_wall;
	size_t entries;
	uint64_t usual_counts; /* the model's, when the usual holds of all locks were compared */
	bool is_too_long;
};

/* --- sizes --------------------------------------------------------------------------------- */

static size_t text_bytes(const char *text)
{
	return text ? strlen(text) + MALLOC_BYTES : 0;
}

static size_t processes_bytes(const struct process *process, size_t n)
{
	size_t bytes = n ? n * sizeof *process + MALLOC_BYTES : 0;

	for (size_t i = 0; i < n; i++)
		bytes += text_bytes(process[i].user) + text_bytes(process[i].command);
	return bytes;
}

static size_t lock_bytes(const struct lock *lock)
{
	return sizeof *lock + MALLOC_BYTES + text_bytes(lock->name) + text_bytes(lock->path) +
	       text_bytes(lock->problem) + text_bytes(lock->bytes) +
	       processes_bytes(lock->holder, lock->holders) +
	       processes_bytes(lock->waiter, lock->waiters);
}

/* A copy of the model, its locks apart. */
static size_t model_bytes(const struct model *model)
{
	size_t n = model->happened < MODEL_HAPPENINGS ? model->happened : MODEL_HAPPENINGS;
	size_t bytes = MODEL_HAPPENINGS * sizeof *model->happening +
		       model->sources * sizeof *model->source;

	for (size_t i = 0; i < n; i++)
		bytes +=
			text_bytes(model->happening[i].name) + text_bytes(model->happening[i].text);
	/* The entry, and its places in its source and in the waiting list. */
	return bytes + model->entries * (sizeof(struct entry) + MALLOC_BYTES + 2 * sizeof(void *));
}

static bool is_too_long(const struct history *history, const struct model *model)
{
	return model->entries * sizeof(struct entry) > history->limits.bytes / 2;
}

/* --- what is kept --------------------------------------------------------------------------- */

static void free_event(struct event *event)
{
	if (!event)
		return;
	event_release(event);
	free(event);
}

static void note_release(struct note *note)
{
	lock_unref(note->lock);
	free_event(note->event);
	free(note->pulse);
	for (size_t i = 0; i < note->usuals; i++)
		free(note->usual[i].name);
	free(note->usual);
	*note = (struct note){0};
}

static void segment_release(struct segment *segment)
{
	for (size_t i = 0; i < segment->n; i++)
		note_release(&segment->note[i]);
	free(segment->note);
	model_release(&segment->frame);
}

static void drop_segments(struct history *history, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		history->notes -= history->segment[i].n;
		history->bytes -= history->segment[i].bytes + history->segment[i].frame_bytes;
		segment_release(&history->segment[i]);
	}
	history->segments -= n;
	if (n)
		memmove(history->segment, history->segment + n,
			history->segments * sizeof *history->segment);
}

static int forget(struct history *history, int result)
{
	drop_segments(history, history->segments);
	return result;
}

struct history *history_new(const struct history_limits *limits)
{
	struct history *history = calloc(1, sizeof *history);

	if (!history)
		return NULL;
	if (limits)
		history->limits = *limits;
	if (!history->limits.events)
		history->limits.events = HISTORY_EVENTS;
	if (!history->limits.frame)
		history->limits.frame = HISTORY_FRAME;
	if (!history->limits.bytes)
		history->limits.bytes = HISTORY_BYTES;
	return history;
}

void history_free(struct history *history)
{
	if (!history)
		return;
	drop_segments(history, history->segments);
	free(history->segment);
	free(history->seen);
	free(history);
}

/* --- whole models in between ------------------------------------------------------------------ */

static struct pulse pulse_of(const struct model *model, size_t i)
{
	const struct model_source *source = &model->source[i];

	return (struct pulse){i, source->heard, source->data_at, source->took, source->every};
}

static void see_source(struct history *history, const struct model *model, size_t i)
{
	struct seen *seen = &history->seen[i];

	seen->last = pulse_of(model, i);
	seen->state = model->source[i].state;
	seen->has_fault = model->source[i].fault;
	seen->has_host = model->source[i].host;
	seen->is_polling = model->source[i].is_polling;
	seen->is_complete = model->source[i].is_complete;
}

static void see(struct history *history, const struct model *model)
{
	history->changes = model->changes;
	history->happened = model->happened;
	history->entries = model->entries;
	history->now = model->now;
	history->now_wall = model->now_wall;
}

static int see_sources(struct history *history, const struct model *model)
{
	struct seen *seen = history->seen;

	if (history->sources < model->sources) {
		seen = reallocarray(seen, model->sources, sizeof *seen);
		if (!seen)
			return -ENOMEM;
		history->seen = seen;
	}
	for (; history->sources < model->sources; history->sources++) {
		see_source(history, model, history->sources);
		seen[history->sources].noted = seen[history->sources].last;
	}
	return 0;
}

/* What logs say does not stand still with the copy: it would be told twice. */
static void forget_logs(struct model *model)
{
	for (size_t i = 0; i < model->sources; i++) {
		model->source[i].metrics = NULL;
		model->source[i].is_metrics_past = false;
		model->source[i].is_filling = false;
	}
}

static struct segment *add_segment(struct history *history)
{
	struct segment *grown = history->segment;

	if (history->segments == history->size) {
		grown = reallocarray(grown, history->size + 8, sizeof *grown);
		if (!grown)
			return NULL;
		history->segment = grown;
		history->size += 8;
	}
	grown[history->segments] = (struct segment){.first = history->end};
	return &grown[history->segments];
}

/* The oldest go, until `more` bytes fit and no more events are kept than should be. */
static void trim(struct history *history, size_t more)
{
	size_t n = 0, notes = history->notes, bytes = history->bytes + more;

	while (n + 1 < history->segments &&
		(notes > history->limits.events || bytes > history->limits.bytes)) {
		notes -= history->segment[n].n;
		bytes -= history->segment[n].bytes + history->segment[n].frame_bytes;
		n++;
	}
	drop_segments(history, n);
}

/* Begins a segment with the model as it is. */
static int begin(struct history *history, const struct model *model)
{
	size_t bytes = model_bytes(model);
	struct segment *segment;

	trim(history, bytes);
	segment = add_segment(history);
	if (!segment || see_sources(history, model) < 0 || model_copy(&segment->frame, model) < 0)
		return -ENOMEM;
	forget_logs(&segment->frame);
	segment->frame_bytes = bytes;
	history->segments++;
	history->bytes += bytes;
	for (size_t i = 0; i < model->sources; i++)
		history->seen[i].noted = pulse_of(model, i);
	return 0;
}

/* A copy of a long list is worth more events, so that it costs no more an event. */
static bool is_full(const struct history *history, const struct model *model)
{
	const struct segment *last = &history->segment[history->segments - 1];
	size_t apart = model->entries / ENTRIES_SHARE;

	if (apart < history->limits.frame)
		apart = history->limits.frame;
	return last->n >= apart || last->bytes > history->limits.bytes / SEGMENT_SHARE;
}

/* --- taking note -------------------------------------------------------------------------------
 */

static bool is_same_pulse(const struct pulse *a, const struct pulse *b)
{
	return a->heard == b->heard && a->data_at == b->data_at && a->took == b->took &&
	       a->every == b->every;
}

/*
 * What the sources' signs of life were before the event, as far as a model made of the notes would
 * not have it: of the event's own source what was seen last, of the others what they have.
 */
static int add_pulses(
	struct history *history, struct note *note, const struct model *model, bool has_source)
{
	size_t n = 0;

	for (int round = 0; round < 2; round++) {
		for (size_t i = 0; i < model->sources; i++) {
			struct seen *seen = &history->seen[i];
			struct pulse pulse =
				has_source && i == note->source ? seen->last : pulse_of(model, i);

			if (is_same_pulse(&pulse, &seen->noted))
				continue;
			if (!round) {
				n++;
				continue;
			}
			note->pulse[note->pulses++] = pulse;
			seen->noted = pulse;
		}
		if (!n)
			break;
		if (!round)
			note->pulse = malloc(n * sizeof *note->pulse);
		if (!note->pulse)
			return -ENOMEM;
	}
	return 0;
}

/* What of it is shown or judged by, as one number. */
static int64_t usual_key(const struct percentiles *usual)
{
	return usual->n < PERCENTILES_FEW ? -(int64_t)usual->n : usual->p99;
}

/* On a busy log it moves all the time, and by little. */
static bool is_about(int64_t a, int64_t b)
{
	enum { FEW_PERCENT = 50 };

	return a == b || (a > 0 && b > 0 && a - b < a / FEW_PERCENT && b - a < b / FEW_PERCENT);
}

static int add_usual(struct note *note, struct entry *entry)
{
	struct usual *grown = note->usual;
	char *name = strdup(entry->lock->name);

	if (!(note->usuals & (note->usuals + 1))) /* grows at 0, 1, 3, 7, … */
		grown = reallocarray(grown, 2 * note->usuals + 1, sizeof *grown);
	if (grown)
		note->usual = grown;
	if (!grown || !name) {
		free(name);
		return -ENOMEM;
	}
	entry->usual_noted = usual_key(&entry->usual);
	grown[note->usuals++] = (struct usual){
		.source = entry->source,
		.name = name,
		.usual = entry->usual,
	};
	return 0;
}

/* Where the state changed, or a lock is new, it has to be exact. */
static int add_usual_exactly(
	struct note *note, const struct model *model, size_t source, const char *name)
{
	struct entry *entry = model_find(model, source, name);

	if (!entry || usual_key(&entry->usual) == entry->usual_noted)
		return 0;
	return add_usual(note, entry);
}

static int add_usuals(struct history *history, struct note *note, const struct model *model)
{
	int result = 0;

	if (note->kind == NOTE_LOCK)
		result = add_usual_exactly(note, model, note->source, note->lock->name);
	for (size_t i = 0; i < note->happened && result == 0 && model_happening(model, i); i++)
		result = add_usual_exactly(note, model, model_happening(model, i)->source,
			model_happening(model, i)->name);
	if (history->usual_counts == model->usual_counts)
		return result;
	history->usual_counts = model->usual_counts; /* once each, for there may be very many */
	for (size_t i = 0; i < model->sources; i++)
		for (size_t k = 0; k < model->source[i].n && result == 0; k++) {
			struct entry *entry = model->source[i].entry[k];

			if (!is_about(usual_key(&entry->usual), entry->usual_noted))
				result = add_usual(note, entry);
		}
	return result;
}

static size_t note_bytes(const struct note *note)
{
	size_t bytes = sizeof *note + note->pulses * sizeof *note->pulse;

	for (size_t i = 0; i < note->usuals; i++)
		bytes += sizeof note->usual[i] + text_bytes(note->usual[i].name);

	if (note->event)
		bytes += sizeof *note->event + text_bytes(note->event->name) +
			 text_bytes(note->event->text) + text_bytes(note->event->host);
	return bytes;
}

/* Locks that the model has no more are the history's alone; they look like the one that came. */
static size_t held_bytes(
	const struct history *history, const struct note *note, const struct model *model)
{
	enum { USUAL = 600 };
	size_t n = history->entries > model->entries ? history->entries - model->entries : 0;

	if (note->kind == NOTE_LOCK && model->entries <= history->entries)
		return lock_bytes(note->lock);
	return n * USUAL;
}

static int append(struct history *history, const struct note *note)
{
	struct segment *last = &history->segment[history->segments - 1];

	if (last->n == last->size) {
		size_t size = last->size ? 2 * last->size : 64;
		struct note *grown = reallocarray(last->note, size, sizeof *grown);

		if (!grown)
			return -ENOMEM;
		last->note = grown;
		last->size = size;
	}
	last->note[last->n++] = *note;
	return 0;
}

/* What of its source a model made of the notes has behind this one. */
static void set_noted(struct history *history, const struct note *note, const struct model *model)
{
	struct pulse *noted = &history->seen[note->source].noted;

	if (note->kind == NOTE_STATE) /* is no sign of life */
		return;
	if (note->is_step)
		*noted = pulse_of(model, note->source);
	else
		noted->heard = model->source[note->source].heard;
}

/* Puts a note (whose content is taken over, also on failure) at the end. */
static int add(
	struct history *history, const struct model *model, struct note *note, bool has_source)
{
	struct segment *last;
	size_t bytes;
	int result = 0;

	note->now = model->now;
	note->now_wall = model->now_wall;
	note->happened = (uint32_t)(model->happened - history->happened);
	if (note->is_step || note->kind == NOTE_STATE)
		result = add_pulses(history, note, model, has_source);
	if (result == 0)
		result = add_usuals(history, note, model);
	bytes = note_bytes(note) + held_bytes(history, note, model);
	if (result == 0)
		result = append(history, note);
	if (result < 0) {
		note_release(note);
		return result;
	}
	last = &history->segment[history->segments - 1];
	last->bytes += bytes;
	history->bytes += bytes;
	history->notes++;
	last->steps += note->is_step;
	history->end += note->is_step;
	if (has_source)
		set_noted(history, note, model);
	if (!is_full(history, model)) {
		trim(history, 0);
		return 0;
	}
	result = begin(history, model);
	trim(history, 0);
	return result;
}

/* Is it under way? If not, it begins with the model as it is, if that can be kept. */
static int get_ready(struct history *history, const struct model *model, bool *is_ready)
{
	*is_ready = false;
	history->is_too_long = is_too_long(history, model);
	if (history->is_too_long)
		return forget(history, 0);
	if (history->segments) {
		*is_ready = true;
		return see_sources(history, model);
	}
	see(history, model);
	return begin(history, model);
}

/* The end of every note: what is seen now is what was before the next one. */
static int finish(struct history *history, const struct model *model, size_t source, int result)
{
	see(history, model);
	if (source < history->sources)
		see_source(history, model, source);
	return result < 0 ? forget(history, result) : 0;
}

/* The clock was set: everything is judged anew then. */
static bool is_jump(const struct history *history, const struct model *model)
{
	int64_t jump = (model->now_wall - history->now_wall) - (model->now - history->now);

	return jump > NS_PER_S / 2 || jump < -NS_PER_S / 2;
}

int history_note_tick(struct history *history, const struct model *model)
{
	struct note note = {.kind = NOTE_TICK, .is_step = model->happened != history->happened};
	bool is_ready;
	int result = get_ready(history, model, &is_ready);

	if (is_ready && result == 0 && (note.is_step || is_jump(history, model)))
		result = add(history, model, &note, false);
	return finish(history, model, SIZE_MAX, result);
}

static int note_source(struct history *history, const struct model *model, size_t index)
{
	const struct model_source *source = &model->source[index];
	struct note note = {
		.kind = NOTE_STATE,
		.is_step = model->happened != history->happened,
		.source = index,
		.state = source->state,
	};

	if (source->is_fault_of_hub && source->fault) {
		note.event = calloc(1, sizeof *note.event);
		if (note.event)
			note.event->text = strdup(source->fault);
		if (!note.event || !note.event->text) {
			note_release(&note);
			return -ENOMEM;
		}
	}
	return add(history, model, &note, true);
}

int history_note_state(struct history *history, const struct model *model, size_t source)
{
	bool is_ready;
	int result = get_ready(history, model, &is_ready);

	if (is_ready && result == 0 && model->changes != history->changes)
		result = note_source(history, model, source);
	return finish(history, model, source, result);
}

static int copy_text(char **to, const char *from)
{
	if (!from)
		return 0;
	*to = strdup(from);
	return *to ? 0 : -ENOMEM;
}

/* Without what a log says, but for how many lines it had. */
static struct event *copy_event(const struct event *event, const struct model_source *source)
{
	struct event *copy = malloc(sizeof *copy);

	if (!copy)
		return NULL;
	*copy = *event;
	copy->lock = NULL;
	copy->name = copy->text = copy->host = NULL;
	copy->sample = NULL;
	copy->bad = 0;
	if (source->metrics)
		copy->locks = (int64_t)source->metrics->lines;
	if (copy_text(&copy->name, event->name) < 0 || copy_text(&copy->text, event->text) < 0 ||
		copy_text(&copy->host, event->host) < 0) {
		free_event(copy);
		return NULL;
	}
	return copy;
}

/* That a log was read to its end changes nothing about any lock. */
static bool is_first_of_log(const struct history *history, const struct model *model, size_t index)
{
	return model_is_log(&model->source[index]) && model->source[index].is_complete &&
	       !history->seen[index].is_complete;
}

static bool is_step(const struct history *history, const struct model *model, size_t index,
	const struct event *event)
{
	const struct model_source *source = &model->source[index];
	const struct seen *seen = &history->seen[index];

	if (model->happened == history->happened + 1 && is_first_of_log(history, model, index))
		return false;
	if (model->happened != history->happened)
		return true;
	switch (event->kind) {
	case EVENT_LOCK:
	case EVENT_GONE: /* while a source begins, or begins anew, each lock is no news */
		return source->is_complete && source->state != SOURCE_STARTING &&
		       model->changes != history->changes;
	case EVENT_SCANNED:
		return seen->has_fault != (source->fault != NULL) ||
		       seen->is_polling != source->is_polling || seen->state != source->state ||
		       (model->changes != history->changes && !source->metrics);
	default: return false;
	}
}

/* Is it no step, but has to be told to a model that is made, too? */
static bool is_worth_noting(const struct history *history, const struct model *model, size_t source,
	const struct event *event)
{
	return event->kind == EVENT_GONE || model->happened != history->happened ||
	       (event->kind == EVENT_SCANNED &&
		       history->seen[source].has_host != (model->source[source].host != NULL));
}

static int note_event(struct history *history, const struct model *model, size_t source,
	const struct event *event)
{
	struct note note = {
		.kind = NOTE_EVENT,
		.is_step = is_step(history, model, source, event),
		.source = source,
		.at = event->at,
	};

	if (event->kind == EVENT_LOCK) {
		note.kind = NOTE_LOCK;
		note.lock = lock_ref(event->lock);
		return add(history, model, &note, true);
	}
	if (!note.is_step && !is_worth_noting(history, model, source, event))
		return 0;
	note.event = copy_event(event, &model->source[source]);
	return note.event ? add(history, model, &note, true) : -ENOMEM;
}

int history_note(struct history *history, const struct model *model, size_t source,
	const struct event *event)
{
	bool is_ready, is_known = event->kind <= EVENT_DONE;
	int result = get_ready(history, model, &is_ready);

	if (is_ready && result == 0 && is_known)
		result = note_event(history, model, source, event);
	else if (is_ready && result == 0 && model->happened != history->happened)
		result = note_source(history, model, source); /* it answers again */
	return finish(history, model, source, result);
}

/* --- asking ---------------------------------------------------------------------------------- */

uint64_t history_first(const struct history *history)
{
	return history->segments ? history->segment[0].first : history->end;
}

uint64_t history_end(const struct history *history)
{
	return history->end;
}

wall_t history_since(const struct history *history)
{
	return history_step_at(history, history_first(history));
}

bool history_is_too_long(const struct history *history)
{
	return history->is_too_long;
}

size_t history_bytes(const struct history *history)
{
	return history->bytes;
}

static const struct segment *find_segment(const struct history *history, uint64_t step)
{
	for (size_t i = history->segments; i-- > 0;) {
		const struct segment *segment = &history->segment[i];

		if (step >= segment->first)
			return step < segment->first + segment->steps ? segment : NULL;
	}
	return NULL;
}

/* Where the step stands among the notes of its segment; it is there. */
static size_t find_note(const struct segment *segment, uint64_t step)
{
	uint64_t left = step - segment->first;
	size_t i;

	for (i = 0; !segment->note[i].is_step || left--; i++)
		;
	return i;
}

wall_t history_step_at(const struct history *history, uint64_t step)
{
	const struct segment *segment = find_segment(history, step);

	return segment ? segment->note[find_note(segment, step)].now_wall : 0;
}

int history_find(const struct history *history, wall_t at, uint64_t *step)
{
	uint64_t n = history->end;

	for (size_t i = history->segments; i-- > 0;) {
		const struct segment *segment = &history->segment[i];

		for (size_t k = segment->n; k-- > 0;) {
			if (!segment->note[k].is_step)
				continue;
			n--;
			if (segment->note[k].now_wall > at)
				continue;
			*step = n;
			return 0;
		}
	}
	return -ENOENT;
}

/* --- making a model ---------------------------------------------------------------------------
 */

/*
 * Before time goes on to the note's, without a verdict, for by the old ones it would be a wrong
 * one; and then with it.
 */
static int replay_usuals(struct model *past, const struct note *note, bool is_judged)
{
	for (size_t i = 0; i < note->usuals; i++) {
		const struct usual *usual = &note->usual[i];
		struct entry *entry = model_find(past, usual->source, usual->name);

		if (!entry)
			past->usual_of_new = &usual->usual;
		else if (!is_judged)
			entry->usual = usual->usual;
		else if (model_set_usual(past, entry, &usual->usual) < 0)
			return -ENOMEM;
	}
	return 0;
}

static int replay_event(struct model *past, const struct note *note)
{
	struct event event = {.kind = EVENT_LOCK, .at = note->at, .lock = note->lock};
	const struct event *told = note->kind == NOTE_LOCK ? &event : note->event;
	struct metrics counts = {.lines = (uint64_t)told->locks};
	struct model_source *source = &past->source[note->source];
	int result;

	if (told->kind == EVENT_SCANNED && model_is_log(source))
		source->metrics = &counts;
	result = model_apply(past, note->source, told);
	source->metrics = NULL;
	past->usual_of_new = NULL;
	return result;
}

static int add_sources(struct model *past, const struct model *live, size_t n)
{
	while (past->sources < n)
		if (model_add_source(past, live->source[past->sources].uri) < 0)
			return -ENOMEM;
	return 0;
}

static int replay(struct model *past, const struct model *live, const struct note *note)
{
	size_t most = note->source;

	for (size_t i = 0; i < note->pulses; i++)
		most = note->pulse[i].source > most ? note->pulse[i].source : most;
	if (add_sources(past, live, most + 1) < 0)
		return -ENOMEM;
	for (size_t i = 0; i < note->pulses; i++) {
		const struct pulse *pulse = &note->pulse[i];
		struct model_source *source = &past->source[pulse->source];

		source->heard = pulse->heard;
		source->data_at = pulse->data_at;
		source->took = pulse->took;
		source->every = pulse->every;
	}
	if (replay_usuals(past, note, false) < 0)
		return -ENOMEM;
	model_tick(past, note->now, note->now_wall);
	if (replay_usuals(past, note, true) < 0)
		return -ENOMEM;
	if (note->kind == NOTE_TICK)
		return 0;
	if (note->kind == NOTE_STATE)
		return model_source_is(
			past, note->source, note->state, note->event ? note->event->text : NULL);
	return replay_event(past, note);
}

static void untag(struct model *model)
{
	for (size_t i = 0; i < model->sources; i++)
		for (size_t k = 0; k < model->source[i].n; k++)
			model->source[i].entry[k]->is_tagged = false;
}

static void share_logs(struct model *past, const struct model *live)
{
	for (size_t i = 0; i < past->sources && i < live->sources; i++) {
		past->source[i].metrics = live->source[i].metrics;
		past->source[i].borrows_metrics = true;
	}
}

int history_model(
	const struct history *history, const struct model *live, uint64_t step, struct model *past)
{
	const struct segment *segment = find_segment(history, step);
	int result;
	size_t n;

	if (!segment)
		return -ENOENT;
	n = find_note(segment, step) + 1;
	result = model_copy(past, &segment->frame);
	if (result < 0)
		return result;
	for (size_t i = 0; i < n && result == 0; i++)
		result = replay(past, live, &segment->note[i]);
	if (result == 0)
		result = add_sources(past, live, live->sources);
	if (result < 0) {
		model_release(past);
		return result;
	}
	untag(past);
	share_logs(past, live);
	return 0;
}

int history_blank(const struct model *live, wall_t at, struct model *past)
{
	int result = model_init(past, live->host);

	if (result == 0)
		result = add_sources(past, live, live->sources);
	if (result < 0) {
		model_release(past);
		return result;
	}
	share_logs(past, live);
	model_tick(past, live->now - (live->now_wall - at), at);
	return 0;
}

/* --- words ------------------------------------------------------------------------------------
 */

static const char *name_of(const struct model *past, size_t source, const char *name)
{
	return name ? name : source < past->sources ? past->source[source].uri : "?";
}

/* A change that is no line of the events view. */
static void say_change(char *dst, size_t size, const struct note *note, const struct model *past)
{
	const char *lock = note->lock ? note->lock->name : note->event ? note->event->name : NULL;
	const struct entry *entry = model_find(past, note->source, lock);
	const struct model_source *source = &past->source[note->source];
	const char *name = name_of(past, note->source, lock);
	size_t waiters = entry ? entry->lock->waiters : 0;

	if (entry && waiters)
		snprintf(dst, size, "%s: %s, %zu waiting", name, state_word(entry->verdict.state),
			waiters);
	else if (lock)
		snprintf(dst, size, "%s: %s", name,
			entry ? state_word(entry->verdict.state) : "gone");
	else
		snprintf(dst, size, "%s: %s", name,
			source->fault  ? source->fault
			: source->note ? source->note
				       : "answers");
}

void history_step_text(char *dst, size_t size, const struct history *history, uint64_t step,
	const struct model *past)
{
	const struct segment *segment = find_segment(history, step);
	const struct note *note = segment ? &segment->note[find_note(segment, step)] : NULL;
	const struct happening *last = model_happening(past, 0);
	int len;

	if (!note) {
		snprintf(dst, size, "no longer kept");
		return;
	}
	if (!note->happened || !last) {
		say_change(dst, size, note, past);
		return;
	}
	len = snprintf(dst, size, "%s: %s", name_of(past, last->source, last->name), last->text);
	if (note->happened > 1 && len >= 0 && (size_t)len < size)
		snprintf(dst + len, size - (size_t)len, " (and %u more)", note->happened - 1);
}

/* Keeps what the sources say, with the verdict on it, and notes what changes. */
#include "config.h"
#include "model/model_private.h"

#include <errno.h>
#include <fnmatch.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"

enum {
	DEFAULT_LIMIT_S = 600,
	HAPPENING_TEXT = VERDICT_TEXT + 64,
};

#define OVERDUE_FACTOR 3.0

/* Slower than this a wall clock is slewed; faster, it was set. */
#define JUMP NS_PER_S

static char *dup_or_null(const char *text)
{
	return text ? strdup(text) : NULL;
}

/* Replaces an owned text; an empty one counts as none. 0 or -ENOMEM (the old one stays). */
static int replace(char **text, const char *by)
{
	char *copy = NULL;

	if (by && *by) {
		copy = strdup(by);
		if (!copy)
			return -ENOMEM;
	}
	free(*text);
	*text = copy;
	return 0;
}

static bool is_same(const char *a, const char *b)
{
	return strcmp(a ? a : "", b ? b : "") == 0;
}

/* An array with room for one more than n, grown by doubling; NULL: out of memory, as it was. */
static void *reserve(void *array, size_t *size, size_t n, size_t each)
{
	size_t want = *size ? *size * 2 : 64;
	void *grown;

	if (n < *size)
		return array;
	grown = reallocarray(array, want, each);
	if (grown)
		*size = want;
	return grown;
}

/*
 * The waiting list: a binary heap of the entries whose state time alone will change, the next
 * one first, so that a tick touches only what is due.
 */

static void heap_put(struct model *model, size_t at, struct entry *entry)
{
	model->waiting[at] = entry;
	entry->due = at;
}

static void heap_up(struct model *model, size_t at, struct entry *entry)
{
	while (at && model->waiting[(at - 1) / 2]->verdict.due > entry->verdict.due) {
		heap_put(model, at, model->waiting[(at - 1) / 2]);
		at = (at - 1) / 2;
	}
	heap_put(model, at, entry);
}

static void heap_down(struct model *model, size_t at, struct entry *entry)
{
	size_t child;

	while ((child = 2 * at + 1) < model->waits) {
		if (child + 1 < model->waits &&
			model->waiting[child + 1]->verdict.due < model->waiting[child]->verdict.due)
			child++;
		if (model->waiting[child]->verdict.due >= entry->verdict.due)
			break;
		heap_put(model, at, model->waiting[child]);
		at = child;
	}
	heap_put(model, at, entry);
}

static void heap_remove(struct model *model, struct entry *entry)
{
	size_t at = entry->due;
	struct entry *last;

	if (at == SIZE_MAX)
		return;
	entry->due = SIZE_MAX;
	last = model->waiting[--model->waits];
	if (last == entry)
		return;
	heap_down(model, at, last);
	heap_up(model, last->due, last);
}

/* Puts an entry where its due time belongs. There is room for every entry. */
static void heap_update(struct model *model, struct entry *entry)
{
	if (entry->verdict.due == MONO_NEVER) {
		heap_remove(model, entry);
	} else if (entry->due == SIZE_MAX) {
		heap_up(model, model->waits++, entry);
	} else {
		heap_down(model, entry->due, entry);
		heap_up(model, entry->due, entry);
	}
}

static void set_due(struct model *model)
{
	model->due = model->waits ? model->waiting[0]->verdict.due : MONO_NEVER;
}

/* What happened. */

static void happening_release(struct happening *happening)
{
	free(happening->name);
	free(happening->text);
	*happening = (struct happening){0};
}

static int happen(struct model *model, size_t source, wall_t at, const char *name, enum state state,
	const char *text)
{
	struct happening new = {
		.at = at ? at : model->now_wall,
		.source = source,
		.name = dup_or_null(name),
		.state = state,
		.text = strdup(text),
	};
	struct happening *slot = &model->happening[model->happened % MODEL_HAPPENINGS];

	model->changes++;
	if (!new.text || (name && !new.name)) {
		happening_release(&new);
		return -ENOMEM;
	}
	happening_release(slot);
	*slot = new;
	model->happened++;
	return 0;
}

/* "HELD -> STALE: pid 4711 is gone: no such process"; before NULL: "HELD: …". */
static int happen_to(struct model *model, const struct entry *entry, wall_t at, const char *before,
	const char *what)
{
	struct facts facts = model_facts(model, entry);
	char why[VERDICT_TEXT];
	char text[HAPPENING_TEXT];

	verdict_why(why, sizeof why, entry->lock, &facts, &entry->verdict);
	snprintf(text, sizeof text, "%s%s%s: %s%s", before ? before : "", before ? " -> " : "",
		state_word(entry->verdict.state), what, why);
	return happen(model, entry->source, at, entry->lock->name, entry->verdict.state, text);
}

/* Judging. */

int64_t model_data_age(const struct model *model, size_t source)
{
	mono_t heard = model->source[source].heard;

	return heard == MONO_UNKNOWN ? INT64_MAX : model->now - heard;
}

int64_t model_age(const struct model *model, const struct entry *entry)
{
	struct facts facts = {.now = model->now, .now_wall = model->now_wall};

	return entry->verdict.state == STATE_FREE ? AGE_UNKNOWN : verdict_age(entry->lock, &facts);
}

struct facts model_facts(const struct model *model, const struct entry *entry)
{
	const struct model_source *source = &model->source[entry->source];
	struct facts facts = {
		.now = model->now,
		.now_wall = model->now_wall,
		.limit = entry->limit,
		.usual = entry->usual.n >= PERCENTILES_FEW ? entry->usual.p99 : 0,
		.usual_factor = model->overdue_factor,
		.is_silent = entry->is_past || source->state == SOURCE_SILENT,
	};

	if (entry->is_past)
		facts.silent_for =
			source->lost == MONO_UNKNOWN ? INT64_MAX : model->now - source->lost;
	else if (facts.is_silent)
		facts.silent_for = model_data_age(model, entry->source);
	return facts;
}

int64_t model_limit(const struct model *model, size_t source, const struct lock *lock)
{
	struct entry entry = {.lock = (struct lock *)lock, .source = source};
	char address[MODEL_ADDRESS_MAX];

	if (lock->record.format == RECORD_PID)
		return 0;
	if (model->rules)
		model_address(address, sizeof address, model, &entry);
	for (size_t i = 0; i < model->rules; i++)
		if (fnmatch(model->rule[i].pattern, lock->name, 0) == 0 ||
			fnmatch(model->rule[i].pattern, address, 0) == 0)
			return model->rule[i].limit;
	return lock->kind == LOCK_FILE ? model->limit : 0;
}

/*
 * What a source that does not answer said is the past: that changes what is shown, but nothing
 * happened to the lock.
 */
int model_rejudge(struct model *model, struct entry *entry, wall_t at)
{
	struct model_source *source = &model->source[entry->source];
	struct facts facts = model_facts(model, entry);
	struct verdict old = entry->verdict;
	enum state known = entry->known;

	entry->verdict = verdict_of(entry->lock, &facts);
	if (entry->verdict.due <= model->now)
		entry->verdict.due = model->now + 1;
	heap_update(model, entry);
	source->count[old.state]--;
	source->count[entry->verdict.state]++;
	if (entry->verdict.state != old.state || entry->verdict.reason != old.reason ||
		entry->verdict.flags != old.flags)
		model->changes++;
	if (facts.is_silent || entry->verdict.state == known)
		return entry->verdict.state != old.state;

	entry->known = entry->verdict.state;
	entry->is_fresh = source->is_complete;
	return source->is_complete && happen_to(model, entry, at, state_word(known), "") < 0
		       ? -ENOMEM
		       : 1;
}

static bool rejudge_source(struct model *model, struct model_source *source)
{
	bool has_changed = false;

	for (size_t i = 0; i < source->n; i++)
		has_changed |= model_rejudge(model, source->entry[i], 0) != 0;
	set_due(model);
	return has_changed;
}

bool model_tick(struct model *model, mono_t now, wall_t now_wall)
{
	int64_t jump = (now_wall - model->now_wall) - (now - model->now);
	bool is_jump = !model->has_time || jump > JUMP || jump < -JUMP;
	bool has_changed = false;

	model->now = now;
	model->now_wall = now_wall;
	model->has_time = true;
	/* First, so that nothing is judged by what is not usual any more. */
	if (model_usual_is_due(model))
		has_changed |= model_count_usual(model, false);
	if (is_jump)
		for (size_t i = 0; i < model->sources; i++)
			has_changed |= rejudge_source(model, &model->source[i]);
	while (model->waits && model->waiting[0]->verdict.due <= now)
		has_changed |= model_rejudge(model, model->waiting[0], 0) != 0;
	set_due(model);
	return has_changed;
}

/* Sources. */

int model_init(struct model *model, const char *host)
{
	*model = (struct model){
		.limit = DEFAULT_LIMIT_S * NS_PER_S,
		.overdue_factor = OVERDUE_FACTOR,
		.due = MONO_NEVER,
		.happening = calloc(MODEL_HAPPENINGS, sizeof *model->happening),
	};
	if (!model->happening)
		return -ENOMEM;
	snprintf(model->host, sizeof model->host, "%s", host ? host : "");
	return 0;
}

static void entry_free(struct entry *entry)
{
	lock_unref(entry->lock);
	free(entry);
}

static void source_release(struct model_source *source)
{
	for (size_t i = 0; i < source->n; i++)
		entry_free(source->entry[i]);
	free(source->entry);
	free(source->uri);
	free(source->host);
	free(source->fault);
	free(source->note);
	model_release_metrics(source);
}

void model_release(struct model *model)
{
	for (size_t i = 0; i < model->sources; i++)
		source_release(&model->source[i]);
	for (size_t i = 0; i < model->rules; i++)
		free(model->rule[i].pattern);
	for (size_t i = 0; model->happening && i < MODEL_HAPPENINGS; i++)
		happening_release(&model->happening[i]);
	free(model->source);
	free(model->rule);
	free(model->happening);
	free(model->waiting);
	*model = (struct model){.due = MONO_NEVER};
}

int model_add_source(struct model *model, const char *uri)
{
	struct model_source *grown =
		reallocarray(model->source, model->sources + 1, sizeof *model->source);
	char *copy = strdup(uri);

	if (grown)
		model->source = grown;
	if (!grown || !copy) {
		free(copy);
		return -ENOMEM;
	}
	model->source[model->sources] = (struct model_source){
		.uri = copy,
		.heard = MONO_UNKNOWN,
		.lost = MONO_UNKNOWN,
	};
	model->changes++;
	return (int)model->sources++;
}

int model_add_limit(struct model *model, const char *pattern, int64_t limit)
{
	struct limit_rule *grown = reallocarray(model->rule, model->rules + 1, sizeof *model->rule);
	char *copy = strdup(pattern);

	if (grown)
		model->rule = grown;
	if (!grown || !copy) {
		free(copy);
		return -ENOMEM;
	}
	model->rule[model->rules++] = (struct limit_rule){copy, limit};

	for (size_t i = 0; i < model->sources; i++) {
		struct model_source *source = &model->source[i];

		for (size_t k = 0; k < source->n; k++)
			source->entry[k]->limit = model_limit(model, i, source->entry[k]->lock);
		rejudge_source(model, source);
	}
	return 0;
}

/* Where name is, or has to go. Most events come in the order of names: the end is tried first. */
static bool find_at(const struct model_source *source, const char *name, size_t *at)
{
	size_t from = 0, to = source->n;
	int order;

	if (to && (order = strcmp(name, source->entry[to - 1]->lock->name)) >= 0) {
		*at = order ? to : to - 1;
		return !order;
	}
	while (from < to) {
		size_t middle = from + (to - from) / 2;

		order = strcmp(name, source->entry[middle]->lock->name);
		if (!order) {
			*at = middle;
			return true;
		}
		if (order < 0)
			to = middle;
		else
			from = middle + 1;
	}
	*at = from;
	return false;
}

struct entry *model_find(const struct model *model, size_t source, const char *name)
{
	size_t at;

	if (source >= model->sources || !name || !find_at(&model->source[source], name, &at))
		return NULL;
	return model->source[source].entry[at];
}

static bool has_room(struct model *model, struct model_source *source)
{
	struct entry **waiting = reserve(
		model->waiting, &model->waiting_size, model->entries, sizeof *model->waiting);
	struct entry **entry =
		reserve(source->entry, &source->size, source->n, sizeof *source->entry);

	if (waiting)
		model->waiting = waiting;
	if (entry)
		source->entry = entry;
	return waiting && entry;
}

static int add_entry(struct model *model, size_t index, size_t at, const struct event *event)
{
	struct model_source *source = &model->source[index];
	struct entry *entry = malloc(sizeof *entry);
	struct facts facts;

	if (!entry || !has_room(model, source)) {
		free(entry);
		return -ENOMEM;
	}
	*entry = (struct entry){
		.lock = lock_ref(event->lock),
		.source = index,
		.limit = model_limit(model, index, event->lock),
		.due = SIZE_MAX,
		.is_fresh = source->is_complete,
	};
	model_look_up_usual(model, entry);
	facts = model_facts(model, entry);
	entry->verdict = verdict_of(entry->lock, &facts);
	if (entry->verdict.due <= model->now)
		entry->verdict.due = model->now + 1;
	entry->known = entry->verdict.state;
	heap_update(model, entry);

	memmove(source->entry + at + 1, source->entry + at,
		(source->n - at) * sizeof *source->entry);
	source->entry[at] = entry;
	source->n++;
	source->count[entry->verdict.state]++;
	model->entries++;
	model->changes++;
	return source->is_complete ? happen_to(model, entry, event->at, NULL, "") : 0;
}

/* Takes an entry out of the books, not out of the array. */
static void drop(struct model *model, struct entry *entry)
{
	struct model_source *source = &model->source[entry->source];

	heap_remove(model, entry);
	source->count[entry->verdict.state]--;
	source->past -= entry->is_past;
	model->entries--;
	model->changes++;
	entry_free(entry);
}

static void set_past(struct model_source *source, struct entry *entry, bool is_past)
{
	source->past += (size_t)is_past - (size_t)entry->is_past;
	entry->is_past = is_past;
}

static int apply_lock(struct model *model, size_t index, const struct event *event)
{
	struct model_source *source = &model->source[index];
	struct lock *old;
	struct entry *entry;
	bool is_other;
	size_t at;
	int result;

	if (!find_at(source, event->lock->name, &at))
		return add_entry(model, index, at, event);

	entry = source->entry[at];
	old = entry->lock;
	entry->lock = lock_ref(event->lock);
	entry->limit = model_limit(model, index, entry->lock);
	set_past(source, entry, false);
	if (!lock_equal(old, entry->lock))
		model->changes++;
	if (!is_same(old->path, entry->lock->path)) {
		entry->key[0] = 0;
		model->is_usual_old = true;
	}
	is_other = strcmp(old->version, entry->lock->version) != 0;
	lock_unref(old);

	result = model_rejudge(model, entry, event->at);
	if (!result && is_other && source->is_complete && entry->verdict.state != STATE_FREE)
		result = happen_to(model, entry, event->at, NULL, "taken anew: ");
	return result < 0 ? result : 0;
}

static int happen_gone(struct model *model, const struct entry *entry, wall_t at, const char *how)
{
	char text[HAPPENING_TEXT];

	snprintf(text, sizeof text, "%s -> gone: %s", state_word(entry->known), how);
	return happen(model, entry->source, at, entry->lock->name, STATE_FREE, text);
}

static int apply_gone(struct model *model, size_t index, const struct event *event)
{
	struct model_source *source = &model->source[index];
	int result = 0;
	size_t at;

	if (!event->name || !find_at(source, event->name, &at))
		return 0;
	if (source->is_complete)
		result = happen_gone(model, source->entry[at], event->at, "it is no longer there");
	drop(model, source->entry[at]);
	source->n--;
	memmove(source->entry + at, source->entry + at + 1,
		(source->n - at) * sizeof *source->entry);
	return result;
}

/* The new process has looked at everything: what it did not see is gone. */
static int drop_past(struct model *model, struct model_source *source, wall_t at)
{
	int result = 0;
	size_t kept = 0;

	if (!source->past)
		return 0;
	for (size_t i = 0; i < source->n; i++) {
		struct entry *entry = source->entry[i];

		if (!entry->is_past) {
			source->entry[kept++] = entry;
			continue;
		}
		if (happen_gone(model, entry, at, "while the source was down") < 0)
			result = -ENOMEM;
		drop(model, entry);
	}
	source->n = kept;
	return result;
}

static int happen_first_look(struct model *model, size_t index, wall_t at)
{
	const struct model_source *source = &model->source[index];
	char text[HAPPENING_TEXT];
	int len = snprintf(text, sizeof text, "first look: %zu locks", source->n);

	if (model_is_log(source))
		snprintf(text, sizeof text, "the log was read: %" PRIu64 " lines",
			source->metrics ? source->metrics->lines : 0);
	for (int state = STATE_COUNT - 1; state >= 0; state--)
		if (source->count[state])
			len += snprintf(text + len, sizeof text - (size_t)len, ", %zu %s",
				source->count[state], state_word((enum state)state));
	return happen(model, index, at, NULL, STATE_FREE, text);
}

static int set_state(struct model *model, size_t index, enum source_state state)
{
	static const char *const texts[SOURCE_STATE_COUNT] = {
#define _(id, word, help) [SOURCE_##id] = word ": " help,
		SOURCE_STATES(_)
#undef _
	};
	struct model_source *source = &model->source[index];
	enum source_state old = source->state;
	char text[HAPPENING_TEXT];

	if (old == state)
		return 0;
	if (state == SOURCE_STARTING)
		source->restarts++;
	source->state = state;
	model->changes++;
	if (state == SOURCE_DOWN || state == SOURCE_STARTING) {
		if (!source->past)
			source->lost = source->heard;
		for (size_t i = 0; i < source->n; i++)
			set_past(source, source->entry[i], true);
		source->is_metrics_past = source->metrics;
	}
	rejudge_source(model, source);
	/* That a source starts and then answers is no news. */
	if (state == SOURCE_STARTING ||
		(state == SOURCE_OK && old == SOURCE_STARTING && !source->restarts))
		return 0;
	snprintf(text, sizeof text, "source %s%s%s", texts[state], source->fault ? ": " : "",
		source->fault ? source->fault : "");
	return happen(model, index, 0, NULL, STATE_UNKNOWN, text);
}

static int apply_scanned(struct model *model, size_t index, const struct event *event)
{
	struct model_source *source = &model->source[index];
	bool is_first = !source->is_complete;
	enum source_state state = source->state;
	int result = 0;

	if (!is_same(source->note, event->text) || source->fault ||
		source->is_polling != event->is_polling)
		model->changes++;
	if (replace(&source->note, event->text) < 0 || replace(&source->fault, NULL) < 0 ||
		(event->host && replace(&source->host, event->host) < 0))
		result = -ENOMEM;
	source->is_complete = true;
	source->is_polling = event->is_polling;
	source->data_at = event->at;
	source->took = event->took;
	source->every = event->every;
	if (event->is_final)
		state = SOURCE_ENDED;
	else if (state == SOURCE_STARTING)
		state = SOURCE_OK;
	if (set_state(model, index, state) < 0 || drop_past(model, source, event->at) < 0 ||
		model_apply_log_scanned(model, index, event) < 0 ||
		(is_first && happen_first_look(model, index, event->at) < 0))
		result = -ENOMEM;
	return result;
}

static int apply_fault(struct model *model, size_t index, const struct event *event)
{
	struct model_source *source = &model->source[index];
	char text[HAPPENING_TEXT];

	if (is_same(source->fault, event->text))
		return 0;
	source->is_fault_of_hub = false;
	model->changes++;
	if (replace(&source->fault, event->text) < 0)
		return -ENOMEM;
	snprintf(text, sizeof text, "%s%s", source->fault ? "fault: " : "the fault is over",
		source->fault ? source->fault : "");
	return happen(model, index, event->at, NULL, STATE_UNKNOWN, text);
}

static int apply_done(struct model *model, size_t index, const struct event *event)
{
	struct entry *entry = model_find(model, index, event->name);
	char text[HAPPENING_TEXT];

	snprintf(text, sizeof text, "%s%s%s", outcome_word(event->outcome), event->text ? ": " : "",
		event->text ? event->text : "");
	return happen(model, index, event->at, event->name,
		entry ? entry->verdict.state : STATE_FREE, text);
}

int model_apply(struct model *model, size_t source, const struct event *event)
{
	static int (*const apply[EVENT_KIND_COUNT])(
		struct model *, size_t, const struct event *) = {
		[EVENT_LOCK] = apply_lock,
		[EVENT_GONE] = apply_gone,
		[EVENT_SCANNED] = apply_scanned,
		[EVENT_FAULT] = apply_fault,
		[EVENT_DONE] = apply_done,
		[EVENT_SAMPLE] = model_apply_sample,
	};
	int result = 0;

	if (source >= model->sources || event->kind >= EVENT_KIND_COUNT)
		return -EINVAL;
	model->source[source].heard = model->now;
	if (model->source[source].state == SOURCE_SILENT)
		result = set_state(model, source, SOURCE_OK);
	if (apply[event->kind](model, source, event) < 0)
		result = -ENOMEM;
	set_due(model);
	return result;
}

int model_source_is(struct model *model, size_t index, enum source_state state, const char *text)
{
	struct model_source *source = &model->source[index];

	if (text && *text) {
		if (!is_same(source->fault, text))
			model->changes++;
		if (replace(&source->fault, text) < 0)
			return -ENOMEM;
		source->is_fault_of_hub = true;
	} else if (source->is_fault_of_hub) {
		replace(&source->fault, NULL);
		source->is_fault_of_hub = false;
		model->changes++;
	}
	return set_state(model, index, state);
}

const struct happening *model_happening(const struct model *model, size_t n)
{
	if (n >= model->happened || n >= MODEL_HAPPENINGS)
		return NULL;
	return &model->happening[(model->happened - 1 - n) % MODEL_HAPPENINGS];
}

void model_count(const struct model *model, size_t count[STATE_COUNT])
{
	memset(count, 0, STATE_COUNT * sizeof *count);
	for (size_t i = 0; i < model->sources; i++)
		for (int state = 0; state < STATE_COUNT; state++)
			count[state] += model->source[i].count[state];
}

size_t model_ssh_prefix(const char *uri)
{
	const char *end;

	if (strncmp(uri, "ssh:", 4) != 0)
		return 0;
	end = strchr(uri + 4, ':');
	return end ? (size_t)(end - uri) + 1 : 0;
}

void model_address(char *dst, size_t size, const struct model *model, const struct entry *entry)
{
	const char *uri = model->source[entry->source].uri;
	const struct lock *lock = entry->lock;
	size_t prefix = model_ssh_prefix(uri);
	const char *inner = uri + prefix;
	int len = (int)strcspn(inner, "?");
	bool is_file = strncmp(inner, "file:", 5) == 0 || *inner == '/' || *inner == '.';

	if (strncmp(inner, "kernel:", 7) == 0) {
		snprintf(dst, size, "%.*skernel:%s", (int)prefix, uri, lock->name);
	} else if (is_file && (lock->path || *lock->name == '/')) {
		snprintf(dst, size, "%.*s%s", (int)prefix, uri,
			lock->path ? lock->path : lock->name);
	} else {
		if (strncmp(inner, "file:", 5) == 0) {
			inner += 5;
			len -= 5;
		}
		while (len > 1 && inner[len - 1] == '/')
			len--;
		snprintf(dst, size, "%.*s%.*s/%s", (int)prefix, uri, len, inner, lock->name);
	}
}

/* Copies. */

static int copy_source(struct model *to, size_t index, const struct model_source *from)
{
	struct model_source *source = &to->source[index];

	*source = *from;
	source->borrows_metrics = true;
	source->n = 0;
	source->entry = malloc((from->n ? from->n : 1) * sizeof *source->entry);
	source->size = from->n ? from->n : 1;
	source->uri = dup_or_null(from->uri);
	source->host = dup_or_null(from->host);
	source->fault = dup_or_null(from->fault);
	source->note = dup_or_null(from->note);
	if (!source->entry || !source->uri || (from->host && !source->host) ||
		(from->fault && !source->fault) || (from->note && !source->note))
		return -ENOMEM;
	for (; source->n < from->n; source->n++) {
		struct entry *entry = malloc(sizeof *entry);

		if (!entry)
			return -ENOMEM;
		*entry = *from->entry[source->n];
		lock_ref(entry->lock);
		source->entry[source->n] = entry;
		if (entry->due != SIZE_MAX)
			to->waiting[entry->due] = entry;
	}
	return 0;
}

static int copy_rest(struct model *to, const struct model *from)
{
	for (; to->rules < from->rules; to->rules++) {
		to->rule[to->rules] = from->rule[to->rules];
		to->rule[to->rules].pattern = strdup(from->rule[to->rules].pattern);
		if (!to->rule[to->rules].pattern)
			return -ENOMEM;
	}
	for (size_t i = 0; i < MODEL_HAPPENINGS; i++) {
		const struct happening *happening = &from->happening[i];

		to->happening[i] = *happening;
		to->happening[i].name = dup_or_null(happening->name);
		to->happening[i].text = dup_or_null(happening->text);
		if ((happening->name && !to->happening[i].name) ||
			(happening->text && !to->happening[i].text))
			return -ENOMEM;
	}
	return 0;
}

int model_copy(struct model *to, const struct model *from)
{
	int result = 0;

	*to = *from;
	to->sources = to->rules = 0;
	to->waiting_size = from->entries + 1;
	to->source = calloc(from->sources + 1, sizeof *to->source);
	to->rule = calloc(from->rules + 1, sizeof *to->rule);
	to->happening = calloc(MODEL_HAPPENINGS, sizeof *to->happening);
	to->waiting = calloc(to->waiting_size, sizeof *to->waiting);
	if (!to->source || !to->rule || !to->happening || !to->waiting)
		result = -ENOMEM;
	while (!result && to->sources < from->sources) {
		result = copy_source(to, to->sources, &from->source[to->sources]);
		to->sources++;
	}
	if (!result)
		result = copy_rest(to, from);
	if (result < 0)
		model_release(to);
	return result;
}

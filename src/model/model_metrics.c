/* What logs say of the locks: kept by source, found by address, and how long holds usually are. */
#include "config.h"
#include "model/model_private.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"

enum { MANY_HOLDS = 200 };

#define COUNT_EVERY      NS_PER_S
#define COUNT_MANY_EVERY (10 * NS_PER_S) /* of a lock with many holds: one more changes little */
#define HOUR             (3600 * NS_PER_S)

/* --- samples come in --- */

/* Those of a source; made when they are first needed. */
static struct metrics *metrics_of(struct model_source *source)
{
	struct metrics *metrics = source->metrics;

	if (metrics)
		return metrics;
	metrics = malloc(sizeof *metrics);
	if (!metrics || metrics_init(metrics, METRICS_SERIES, 0, 0) < 0) {
		free(metrics);
		return NULL;
	}
	source->metrics = metrics;
	source->is_filling = !source->is_complete;
	return metrics;
}

void model_release_metrics(struct model_source *source)
{
	if (source->metrics && !source->borrows_metrics) {
		metrics_release(source->metrics);
		free(source->metrics);
	}
	source->metrics = NULL;
}

/* What the process before this one told is told again: it must not count twice. */
static void forget_past(struct model *model, struct model_source *source)
{
	if (!source->is_metrics_past)
		return;
	source->is_metrics_past = false;
	source->is_filling = true;
	metrics_clear(source->metrics);
	model->changes++;
	model->is_usual_old = true;
}

static bool is_sign_of_life(const struct sample *sample)
{
	return !(sample->lock && *sample->lock) && tally_is_empty(&sample->tally) &&
	       !sample->tally.wait.count && !sample->tally.hold.count;
}

int model_apply_sample(struct model *model, size_t index, const struct event *event)
{
	struct model_source *source = &model->source[index];

	if (!event->sample || is_sign_of_life(event->sample))
		return 0;
	if (!metrics_of(source))
		return -ENOMEM;
	forget_past(model, source);
	model->changes++;
	model->is_usual_old = true;
	return metrics_add_sample(source->metrics, event->sample) == -ENOMEM ? -ENOMEM : 0;
}

int model_apply_log_scanned(struct model *model, size_t index, const struct event *event)
{
	struct model_source *source = &model->source[index];

	forget_past(model, source);
	if (!event->bad && !source->metrics)
		return 0;
	if (!metrics_of(source))
		return -ENOMEM;
	if (source->metrics->bad != event->bad)
		model->changes++;
	source->metrics->bad = event->bad;
	if (source->is_filling) {
		source->is_filling = false;
		model_count_usual(model, true);
	}
	return 0;
}

/* --- which lock is meant --- */

/* Is that a place of the host itself, so that its paths are those that the host's logs name? */
static bool is_of_host(const char *inner)
{
	return strncmp(inner, "file:", 5) == 0 || strncmp(inner, "kernel:", 7) == 0 ||
	       *inner == '/' || *inner == '.';
}

bool model_is_log(const struct model_source *source)
{
	return source->metrics ||
	       strncmp(source->uri + model_ssh_prefix(source->uri), "log:", 4) == 0;
}

/* A log names the locks of the host that it is on. */
static bool is_same_host(const char *a, const char *b)
{
	size_t prefix = model_ssh_prefix(a);

	return prefix == model_ssh_prefix(b) && memcmp(a, b, prefix) == 0;
}

static void add_series(struct series_set *set, const struct series *series)
{
	if (series && set->n < SERIES_SET_MAX)
		set->at[set->n++] = series;
}

/* The path of the file that is locked, if logs name it so; else NULL. */
static const char *path_of(const struct model *model, const struct entry *entry)
{
	const char *uri = model->source[entry->source].uri;

	return is_of_host(uri + model_ssh_prefix(uri)) ? entry->lock->path : NULL;
}

struct series_set model_series_at(const struct model *model, const char *address, const char *path)
{
	struct series_set set = {0};

	for (size_t i = 0; i < model->sources; i++) {
		const struct model_source *source = &model->source[i];
		size_t prefix = model_ssh_prefix(source->uri);
		const char *inner = address + prefix;

		if (!source->metrics || strncmp(address, source->uri, prefix) != 0)
			continue;
		add_series(&set, metrics_find(source->metrics, inner));
		if (path && strcmp(path, inner) != 0 && is_same_host(source->uri, address))
			add_series(&set, metrics_find(source->metrics, path));
	}
	return set;
}

struct series_set model_series(const struct model *model, const struct entry *entry)
{
	char address[MODEL_ADDRESS_MAX];

	model_address(address, sizeof address, model, entry);
	return model_series_at(model, address, path_of(model, entry));
}

struct series_set model_series_all(const struct model *model)
{
	struct series_set set = {0};

	for (size_t i = 0; i < model->sources; i++)
		if (model->source[i].metrics)
			add_series(&set, &model->source[i].metrics->all);
	return set;
}

bool model_has_metrics(const struct model *model)
{
	for (size_t i = 0; i < model->sources; i++)
		if (model_is_log(&model->source[i]))
			return true;
	return false;
}

uint64_t model_metrics_bad(const struct model *model)
{
	uint64_t bad = 0;

	for (size_t i = 0; i < model->sources; i++)
		if (model->source[i].metrics)
			bad += model->source[i].metrics->bad;
	return bad;
}

wall_t model_known_from(const struct model *model, enum window window, wall_t at)
{
	wall_t from = INT64_MAX;

	for (size_t i = 0; i < model->sources; i++) {
		const struct metrics *metrics = model->source[i].metrics;
		wall_t known;

		if (!metrics || !metrics->all.last)
			continue;
		known = series_known_from(metrics, window, at);
		from = known < from ? known : from;
	}
	return from == INT64_MAX ? 0 : from;
}

/* --- how long holds usually are --- */

static bool has_any(const struct model *model)
{
	for (size_t i = 0; i < model->sources; i++)
		if (model->source[i].metrics)
			return true;
	return false;
}

/* Hashes of what the logs name, so that of 100,000 locks those few are found that they mean. */
struct keys {
	uint64_t *slot; /* owned; 0: free */
	size_t mask;
};

static uint64_t key_of(const char *prefix, size_t len, const char *address)
{
	uint64_t key = text_hash(address, strlen(address), len ? text_hash(prefix, len, 0) : 0);

	return key ? key : 1;
}

static bool has_key(const struct keys *keys, uint64_t key)
{
	size_t i = key & keys->mask;

	for (; keys->slot[i]; i = (i + 1) & keys->mask)
		if (keys->slot[i] == key)
			return true;
	return false;
}

static void add_key(struct keys *keys, uint64_t key)
{
	size_t i = key & keys->mask;

	while (keys->slot[i])
		i = (i + 1) & keys->mask;
	keys->slot[i] = key;
}

static void add_keys(struct keys *keys, const struct model_source *source)
{
	size_t prefix = model_ssh_prefix(source->uri);

	for (size_t i = 0; source->metrics && i < source->metrics->buckets; i++)
		for (const struct series *s = source->metrics->bucket[i]; s; s = s->next)
			add_key(keys, key_of(source->uri, prefix, s->address));
}

static int make_keys(struct keys *keys, const struct model *model)
{
	size_t n = 0, size = 16;

	for (size_t i = 0; i < model->sources; i++)
		n += model->source[i].metrics ? model->source[i].metrics->series : 0;
	while (size < 2 * n)
		size *= 2;
	*keys = (struct keys){calloc(size, sizeof *keys->slot), size - 1};
	if (!keys->slot)
		return -ENOMEM;
	for (size_t i = 0; i < model->sources; i++)
		add_keys(keys, &model->source[i]);
	return 0;
}

static void make_key(const struct model *model, struct entry *entry)
{
	const char *uri = model->source[entry->source].uri;
	const char *path = path_of(model, entry);
	char address[MODEL_ADDRESS_MAX];

	model_address(address, sizeof address, model, entry);
	entry->key[0] = key_of("", 0, address);
	entry->key[1] = path ? key_of(uri, model_ssh_prefix(uri), path) : entry->key[0];
}

static bool is_named(const struct keys *keys, const struct model *model, struct entry *entry)
{
	if (!entry->key[0])
		make_key(model, entry);
	return has_key(keys, entry->key[0]) ||
	       (entry->key[1] != entry->key[0] && has_key(keys, entry->key[1]));
}

/* A count under way. */
struct count {
	struct model *model;
	struct keys keys;
	struct tally tally; /* of one lock after the other, for its memory */
	bool is_forced;
	bool has_postponed;
	bool has_changed; /* the state of a lock */
};

/* Half a log says nothing of what is usual. */
static bool is_filling(const struct model *model, const struct entry *entry)
{
	for (size_t i = 0; i < model->sources; i++)
		if (model->source[i].is_filling &&
			is_same_host(model->source[i].uri, model->source[entry->source].uri))
			return true;
	return false;
}

static uint64_t changes_of(const struct series_set *set)
{
	uint64_t changes = 0;

	for (size_t i = 0; i < set->n; i++)
		changes += set->at[i]->changes;
	return changes;
}

/* Counts the holds of those series; false: out of memory, the entry is as it was. */
static bool count_holds(struct count *count, struct entry *entry, const struct series_set *set)
{
	tally_clear(&count->tally);
	if (series_window(set, WINDOW_7D, count->model->now_wall, &count->tally) < 0)
		return false;
	entry->usual = histogram_percentiles(&count->tally.hold);
	entry->usual_changes = changes_of(set);
	entry->usual_at = count->model->now;
	return true;
}

/* Is it too early to count that lock again, for one hold more or less? */
static bool can_wait(const struct count *count, const struct entry *entry)
{
	return !count->is_forced && entry->usual.n > MANY_HOLDS &&
	       count->model->now - entry->usual_at < COUNT_MANY_EVERY;
}

static void count_entry(struct count *count, struct entry *entry)
{
	struct model *model = count->model;
	struct percentiles old = entry->usual;
	struct series_set set = {0};

	if (is_named(&count->keys, model, entry))
		set = model_series(model, entry);
	if (changes_of(&set) == entry->usual_changes && !(set.n && count->is_forced))
		return;
	if (is_filling(model, entry) || can_wait(count, entry) ||
		!count_holds(count, entry, &set)) {
		count->has_postponed = true;
		return;
	}
	if (old.n == entry->usual.n && old.p99 == entry->usual.p99 && old.max == entry->usual.max)
		return;
	model->changes++;
	count->has_changed |= model_rejudge(model, entry, 0) == 1;
}

bool model_usual_is_due(const struct model *model)
{
	bool is_due = model->is_usual_old ? model->now - model->usual_at >= COUNT_EVERY
					  : model->usual_hour != model->now_wall / HOUR;

	return is_due && has_any(model);
}

bool model_count_usual(struct model *model, bool is_forced)
{
	int64_t hour = model->now_wall / HOUR;
	/* When an hour is over, the first one of the seven days is no longer among them. */
	struct count count = {.model = model, .is_forced = is_forced || model->usual_hour != hour};

	model->usual_at = model->now;
	model->usual_counts++;
	if (make_keys(&count.keys, model) < 0)
		return false;
	for (size_t i = 0; i < model->sources; i++)
		for (size_t k = 0; k < model->source[i].n; k++)
			count_entry(&count, model->source[i].entry[k]);
	model->usual_hour = hour;
	model->is_usual_old = count.has_postponed;
	free(count.keys.slot);
	tally_release(&count.tally);
	return count.has_changed;
}

void model_look_up_usual(struct model *model, struct entry *entry)
{
	struct count count = {.model = model};
	struct series_set set;

	if (model->usual_of_new)
		entry->usual = *model->usual_of_new;
	if (!has_any(model))
		return;
	set = model_series(model, entry);
	if (!set.n)
		return;
	if (is_filling(model, entry) || !count_holds(&count, entry, &set))
		model->is_usual_old = true;
	tally_release(&count.tally);
}

int model_set_usual(struct model *model, struct entry *entry, const struct percentiles *usual)
{
	entry->usual = *usual;
	return model_rejudge(model, entry, 0);
}

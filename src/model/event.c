/* The event stream of a source, and the requests that go the other way. */
#include "config.h"
#include "model/event.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/jsonl.h"
#include "base/text.h"

enum { NAME_MAX_ = 4096 };

static const char *const event_words[] = {
#define _(id, word) word,
	EVENT_KINDS(_)
#undef _
};

static const char *const outcome_words[] = {
#define _(id, word) word,
	OUTCOMES(_)
#undef _
};

static const char *const deed_words[] = {
#define _(id, word) word,
	DEEDS(_)
#undef _
};

static const char *const request_words[] = {
#define _(id, word) word,
	REQUESTS(_)
#undef _
};

const char *event_kind_word(enum event_kind kind)
{
	return (unsigned int)kind < EVENT_KIND_COUNT ? event_words[kind] : "?";
}

const char *outcome_word(enum outcome outcome)
{
	return (unsigned int)outcome < OUTCOME_COUNT ? outcome_words[outcome] : "?";
}

const char *deed_word(enum deed_kind kind)
{
	return (unsigned int)kind < DEED_COUNT ? deed_words[kind] : "?";
}

/* --- reading: nothing is believed ----------------------------------------------------------- */

/* Clean text of limited length onto the heap; NULL when absent; false when out of memory. */
static bool take_text(const json_t *object, const char *key, size_t max, char **out)
{
	const char *text = json_text(object, key, NULL);
	size_t len = text ? strlen(text) : 0;

	*out = NULL;
	if (!text || len == 0)
		return true;
	if (len <= max && text_is_clean(text, len))
		*out = strdup(text);
	else
		*out = text_clean_dup(text, len < max ? len : max);
	return *out != NULL;
}

static void take_array(const json_t *object, const char *key, char *dst, size_t size)
{
	const char *text = json_text(object, key, "");
	size_t len = strlen(text);

	if (len < size && text_is_clean(text, len))
		memcpy(dst, text, len + 1);
	else
		text_clean(dst, size, text, len, NULL);
}

static int64_t clamp(int64_t value, int64_t min, int64_t max)
{
	return value < min ? min : value > max ? max : value;
}

/*
 * To the microsecond, as they are written: what a double adds behind that is noise, and without it
 * what is read is exactly what was meant.
 */
static int64_t to_ns(double seconds)
{
	int64_t limit = INT64_MAX / 2, ns = clamp(clock_ns(seconds), -limit, limit);

	return (ns + (ns < 0 ? -500 : 500)) / 1000 * 1000;
}

static int64_t take_ns(const json_t *object, const char *key)
{
	return to_ns(json_num(object, key, 0));
}

static int take_word(const json_t *object, const char *key, int (*find)(const char *), int usual)
{
	int value = find(json_text(object, key, NULL));

	return value < 0 ? usual : value;
}

static int take_process(struct process *process, const json_t *object)
{
	process->pid = (int32_t)clamp(json_int(object, "pid", 0), 0, INT32_MAX);
	process->life = (enum life)take_word(object, "life", life_from_word, LIFE_UNKNOWN);
	process->start = (uint64_t)clamp(json_int(object, "start", 0), 0, INT64_MAX);
	process->started = take_ns(object, "started");
	process->uid = (int32_t)clamp(json_int(object, "uid", -1), -1, INT32_MAX);
	process->from_kernel = json_bool(object, "kernel", false);
	process->is_inherited = json_bool(object, "inherited", false);
	take_array(object, "comm", process->comm, sizeof process->comm);
	if (!take_text(object, "user", 256, &process->user) ||
		!take_text(object, "command", 4096, &process->command))
		return -ENOMEM;
	return 0;
}

static int take_processes(
	struct lock *lock, const json_t *array, struct process *(*add)(struct lock *lock))
{
	size_t n = json_array_size(array);

	for (size_t i = 0; i < n && i < EVENT_PROCESSES_MAX; i++) {
		const json_t *object = json_array_get(array, i);
		struct process *process;

		if (!json_is_object(object))
			continue;
		process = add(lock);
		if (!process || take_process(process, object) < 0)
			return -ENOMEM;
	}
	return 0;
}

static void take_record(struct record *record, const json_t *object)
{
	const char *mode = json_text(object, "mode", "");

	/* A format that this version does not know is never one to break. */
	record->format = (enum record_format)take_word(object, "format", record_format_from_word,
		json_text(object, "format", NULL) ? RECORD_FOREIGN : RECORD_NONE);
	record->mode = *mode == 'h' || *mode == 'd' ? *mode : '\0';
	record->pid = (int32_t)clamp(json_int(object, "pid", 0), 0, INT32_MAX);
	record->time = clamp(json_int(object, "time", 0), 0, INT64_MAX / 2);
	record->start = (uint64_t)clamp(json_int(object, "start", 0), 0, INT64_MAX);
	record->ns = (uint64_t)clamp(json_int(object, "ns", 0), 0, INT64_MAX);
	record->acquired = take_ns(object, "acquired");
	record->fence = clamp(json_int(object, "fence", -1), -1, INT64_MAX);
	record->lease = (int32_t)clamp(json_int(object, "lease", 0), 0, INT32_MAX);
	record->uid = (int32_t)clamp(json_int(object, "uid", -1), -1, INT32_MAX);
	take_array(object, "boot", record->boot, sizeof record->boot);
	take_array(object, "host", record->host, sizeof record->host);
}

static unsigned int take_flags(const json_t *array)
{
	unsigned int flags = 0;

	for (size_t i = 0; i < json_array_size(array); i++) {
		int bit = lock_flag_from_word(json_string_value(json_array_get(array, i)));

		if (bit >= 0)
			flags |= 1u << bit;
	}
	return flags;
}

static int take_mode(const json_t *object)
{
	const char *word = json_text(object, "mode", "");

	return strcmp(word, "read") == 0    ? LOCK_MODE_READ
	       : strcmp(word, "write") == 0 ? LOCK_MODE_WRITE
					    : LOCK_MODE_UNKNOWN;
}

static int take_lock(struct lock *lock, const json_t *object, mono_t now)
{
	const json_t *age = json_object_get(object, "age_s");

	lock->kind = (enum lock_kind)take_word(object, "kind", lock_kind_from_word, LOCK_FILE);
	lock->class = (enum lock_class)take_word(
		object, "class", lock_class_from_word, LOCK_CLASS_VOLATILE);
	lock->kernel = (enum kernel_view)take_word(
		object, "kernel_view", kernel_view_from_word, KERNEL_VIEW_NONE);
	lock->host_is =
		(enum relation)take_word(object, "host_is", relation_from_word, RELATION_UNSAID);
	lock->boot_is =
		(enum relation)take_word(object, "boot_is", relation_from_word, RELATION_UNSAID);
	lock->ns_is =
		(enum relation)take_word(object, "ns_is", relation_from_word, RELATION_UNSAID);
	lock->dev = (uint64_t)json_int(object, "dev", 0);
	lock->ino = (uint64_t)json_int(object, "ino", 0);
	lock->from = clamp(json_int(object, "from", 0), 0, INT64_MAX);
	lock->to = clamp(json_int(object, "to", INT64_MAX), 0, INT64_MAX);
	lock->mode = take_mode(object);
	lock->flags = take_flags(json_object_get(object, "flags"));
	lock->written = take_ns(object, "written");
	lock->since = take_ns(object, "since");
	lock->expires = take_ns(object, "expires");
	lock->clock_step = take_ns(object, "clock_step_s");
	if (json_is_number(age)) {
		/* A century either way is beyond any lock and far from overflow. */
		int64_t limit = INT64_C(100) * 366 * 86400 * NS_PER_S;

		lock->since_mono = now - clamp(to_ns(json_number_value(age)), -limit, limit);
	}
	take_array(object, "version", lock->version, sizeof lock->version);
	take_record(&lock->record, json_object_get(object, "record"));
	if (!take_text(object, "path", NAME_MAX_, &lock->path) ||
		!take_text(object, "problem", 1024, &lock->problem) ||
		!take_text(object, "bytes", 1024, &lock->bytes))
		return -ENOMEM;
	if (take_processes(lock, json_object_get(object, "holders"), lock_add_holder) < 0)
		return -ENOMEM;
	return take_processes(lock, json_object_get(object, "waiters"), lock_add_waiter);
}

static int read_lock(struct event *event, const json_t *object, mono_t now, struct error *err)
{
	const json_t *body = json_object_get(object, "lock");
	const char *text = json_text(body, "name", "");
	char *name = NULL;

	if (!json_is_object(body))
		return error_set(err, -EINVAL, "a lock event without a lock");
	if (!*text)
		return error_set(err, -EINVAL, "a lock without a name");
	/* Cut, it would be another lock's name. */
	if (strlen(text) > NAME_MAX_)
		return error_set(
			err, -EINVAL, "a lock whose name is longer than %d bytes", NAME_MAX_);
	if (!take_text(body, "name", NAME_MAX_, &name))
		return error_sys(err, -ENOMEM, "cannot read an event");
	event->lock = lock_new(name);
	free(name);
	if (!event->lock || take_lock(event->lock, body, now) < 0)
		return error_sys(err, -ENOMEM, "cannot read an event");
	return 0;
}

static int read_done(struct event *event, const json_t *object, struct error *err)
{
	int outcome = text_word(outcome_words, OUTCOME_COUNT, json_text(object, "outcome", NULL));

	event->request = json_int(object, "request", 0);
	if (outcome < 0 || event->request <= 0)
		return error_set(err, -EINVAL, "a done event without outcome or request");
	event->outcome = (enum outcome)outcome;
	event->code = (int)clamp(json_int(object, "code", 0), -4095, 0);
	return 0;
}

static void read_scanned(struct event *event, const json_t *object)
{
	event->locks = clamp(json_int(object, "locks", 0), 0, INT64_MAX);
	event->took = to_ns(json_num(object, "took_ms", 0) / 1000);
	event->every = clamp(take_ns(object, "every_s"), 0, INT64_C(86400) * NS_PER_S);
	event->is_polling = json_bool(object, "polling", false);
	event->is_final = json_bool(object, "final", false);
	event->bad = (uint64_t)clamp(json_int(object, "bad", 0), 0, INT64_MAX);
}

/* --- a sample: numbers that add up elsewhere, so what is wrong in it makes it none -------------
 */

/* Beyond these, no lock was ever counted or timed. */
enum { TIMES_MAX = 1000000000 };
#define US_MAX (INT64_C(1000) * 86400 * 1000000)

static bool take_count(const json_t *number, int64_t max, int64_t *out)
{
	if (!json_is_integer(number) || json_integer_value(number) < 0 ||
		json_integer_value(number) > max)
		return false;
	*out = json_integer_value(number);
	return true;
}

static bool take_counts(struct tally *tally, const json_t *object)
{
	json_t *counts = json_object_get(object, "counts");
	json_t *slow = json_object_get(object, "slow"), *value;
	const char *word;
	int64_t n;

	if ((counts && !json_is_object(counts)) || (slow && !take_count(slow, TIMES_MAX, &n)))
		return false;
	tally->slow = slow ? (uint32_t)n : 0;
	json_object_foreach(counts, word, value)
	{
		int event = metric_event_from_word(word, strlen(word));

		if (!take_count(value, TIMES_MAX, &n))
			return false;
		if (event >= 0) /* a newer version may count more */
			tally->count[event] = (uint32_t)n;
	}
	return true;
}

/* -EINVAL, -ENOMEM */
static int take_times(
	struct histogram *histogram, const json_t *object, const char *key, const char *sum_key)
{
	const json_t *array = json_object_get(object, key);
	const json_t *sum_is = json_object_get(object, sum_key);
	size_t n = json_array_size(array);
	int64_t us, times, sum = 0;

	if ((array && !json_is_array(array)) || n % 2 ||
		(sum_is && !take_count(sum_is, INT64_MAX, &sum)))
		return -EINVAL;
	for (size_t i = 0; i < n; i += 2) {
		if (!take_count(json_array_get(array, i), US_MAX, &us) ||
			!take_count(json_array_get(array, i + 1), TIMES_MAX, &times) || !times)
			return -EINVAL;
		if (histogram_add(histogram, us * 1000, (uint64_t)times) < 0)
			return -ENOMEM;
	}
	/* A bucket's value is its largest: what was measured is not more. */
	if (sum_is && (uint64_t)sum < histogram->sum)
		histogram->sum = (uint64_t)sum;
	return 0;
}

static bool take_waited_for(struct sample *sample, const json_t *array)
{
	int64_t times;

	if (array && !json_is_array(array))
		return false;
	for (size_t i = 0, n = 0; i < json_array_size(array) && n < WAITED_FOR_MAX; i++) {
		const json_t *object = json_array_get(array, i);
		struct waited_for *waited = &sample->waited[n];

		if (!take_count(json_object_get(object, "times"), TIMES_MAX, &times))
			return false;
		take_array(object, "who", waited->who, sizeof waited->who);
		if (!waited->who[0])
			continue;
		waited->times = (uint32_t)times;
		waited->longest = clamp(take_ns(object, "longest_s"), 0, US_MAX * 1000);
		n++;
	}
	return true;
}

static bool take_slot(struct sample *sample, const json_t *object)
{
	int64_t seconds = json_int(object, "every_s", 0);
	int64_t from = json_int(object, "from", -1);

	if ((seconds != 1 && seconds != 60 && seconds != 3600) || from < 0 || from % seconds ||
		from > INT64_MAX / NS_PER_S - seconds)
		return false;
	sample->from = from;
	sample->seconds = (int32_t)seconds;
	sample->last =
		clamp(take_ns(object, "last"), from * NS_PER_S, (from + seconds) * NS_PER_S - 1);
	return true;
}

/* Cut, they would be those of another lock. */
static bool are_names_too_long(const json_t *object)
{
	return strlen(json_text(object, "lock", "")) > NAME_MAX_ ||
	       strlen(json_text(object, "source", "")) > NAME_MAX_;
}

static int take_sample(struct sample *sample, const json_t *object)
{
	struct tally *tally = &sample->tally;
	int result;

	if (!take_slot(sample, object) || !take_counts(tally, object) ||
		are_names_too_long(object) ||
		!take_waited_for(sample, json_object_get(object, "waited_for")))
		return -EINVAL;
	result = take_times(&tally->wait, object, "wait_us", "wait_sum_us");
	if (!result)
		result = take_times(&tally->hold, object, "hold_us", "hold_sum_us");
	if (!result && (!take_text(object, "lock", NAME_MAX_, &sample->lock) ||
			       !take_text(object, "source", NAME_MAX_, &sample->source) ||
			       !take_text(object, "backend", 64, &sample->backend)))
		result = -ENOMEM;
	return result;
}

static int read_sample(struct event *event, const json_t *object, struct error *err)
{
	int result;

	event->sample = calloc(1, sizeof *event->sample);
	result = event->sample ? take_sample(event->sample, object) : -ENOMEM;
	if (result == -EINVAL)
		return error_set(err, result, "a sample whose numbers make no sense");
	return result < 0 ? error_sys(err, result, "cannot read an event") : 0;
}

static int read_kind(struct event *event, const json_t *object, mono_t now, struct error *err)
{
	switch (event->kind) {
	case EVENT_LOCK: return read_lock(event, object, now, err);
	case EVENT_DONE: return read_done(event, object, err);
	case EVENT_SCANNED: read_scanned(event, object); return 0;
	case EVENT_SAMPLE: return read_sample(event, object, err);
	case EVENT_FAULT: event->is_fatal = json_bool(object, "fatal", false); return 0;
	default: return 0;
	}
}

int event_from_json(struct event *event, const json_t *object, mono_t now, struct error *err)
{
	int kind = text_word(event_words, EVENT_KIND_COUNT, json_text(object, "event", NULL));
	int64_t version = json_int(object, "v", 0);
	struct event got = {0};
	int e;

	if (version != EVENT_VERSION)
		return error_set(err, -EINVAL, "an event of version %lld, expected %d",
			(long long)version, EVENT_VERSION);
	if (kind < 0)
		return error_set(err, -EINVAL, "an event of no known kind");
	got.kind = (enum event_kind)kind;
	got.at = take_ns(object, "at");
	e = read_kind(&got, object, now, err);
	if (e == 0 && kind != EVENT_LOCK && kind != EVENT_SAMPLE &&
		(!take_text(object, "name", NAME_MAX_, &got.name) ||
			!take_text(
				object, kind == EVENT_SCANNED ? "note" : "text", 1024, &got.text) ||
			!take_text(object, "host", 256, &got.host)))
		e = error_sys(err, -ENOMEM, "cannot read an event");
	if (e == 0 && kind == EVENT_GONE && !got.name)
		e = error_set(err, -EINVAL, "a gone event without a name");
	if (e < 0)
		event_release(&got);
	else
		*event = got;
	return e;
}

void event_release(struct event *event)
{
	lock_unref(event->lock);
	free(event->name);
	free(event->text);
	free(event->host);
	if (event->sample)
		sample_release(event->sample);
	free(event->sample);
	*event = (struct event){0};
}

/* --- requests: few, so jansson builds them -------------------------------------------------- */

/* An object that remembers whether any member failed for want of memory. */
struct object {
	json_t *json;
	bool failed;
};

static struct object object_new(void)
{
	json_t *json = json_object();

	return (struct object){json, !json};
}

static void put(struct object *object, const char *key, json_t *value)
{
	/* The value is given up in any case, also where there is no object. */
	if (json_object_set_new_nocheck(object->json, key, value) < 0)
		object->failed = true;
}

static void put_text(struct object *object, const char *key, const char *text)
{
	if (text && *text)
		put(object, key, json_string(text));
}

/* Beyond 2^63-1 a number is not portable in JSON, and no such pid, inode or tick exists. */
static void put_int(struct object *object, const char *key, int64_t value, int64_t usual)
{
	if (value != usual)
		put(object, key, json_integer(value));
}

static json_t *object_done(struct object *object)
{
	if (!object->failed)
		return object->json;
	json_decref(object->json);
	return NULL;
}

static void put_deed(struct object *o, const struct deed *deed)
{
	put_text(o, "deed", deed_word(deed->kind));
	put_text(o, "name", deed->name);
	put_text(o, "version", deed->version);
	put_int(o, "pid", deed->pid, 0);
	put_int(o, "start", (int64_t)deed->start, 0);
	if (deed->kind == DEED_SIGNAL)
		put_text(o, "signal", deed->signal == SIGKILL ? "KILL" : "TERM");
	if (deed->tidy)
		put(o, "tidy", json_true());
	if (deed->dry_run)
		put(o, "dry_run", json_true());
	put_text(o, "tty", deed->tty);
}

json_t *request_to_json(const struct request *request)
{
	struct object o = object_new();

	put(&o, "request", json_integer(request->id));
	put_text(&o, "do",
		(unsigned int)request->kind < REQUEST_COUNT ? request_words[request->kind] : "?");
	if (request->kind == REQUEST_OPEN) {
		put_text(&o, "uri", request->uri);
		if (request->read_only)
			put(&o, "read_only", json_true());
		put_text(&o, "read_only_why", request->read_only_why);
		if (request->once)
			put(&o, "once", json_true());
	}
	if (request->kind == REQUEST_DEED)
		put_deed(&o, &request->deed);
	return object_done(&o);
}

static int read_deed(struct deed *deed, const json_t *object, struct error *err)
{
	int kind = text_word(deed_words, DEED_COUNT, json_text(object, "deed", NULL));
	const char *signal = json_text(object, "signal", "TERM");
	int64_t pid = json_int(object, "pid", 0);

	if (kind < 0)
		return error_set(
			err, -EINVAL, "no deed of that name; there are release, force and signal");
	/* Cut, these would mean another lock. */
	if (strlen(json_text(object, "name", "")) > NAME_MAX_ ||
		strlen(json_text(object, "version", "")) >= sizeof deed->version)
		return error_set(err, -EINVAL, "no lock has so long a name or version");
	if (pid < 0 || pid > INT32_MAX)
		return error_set(err, -EINVAL, "a pid has to be 1 to 2147483647");
	if (strcmp(signal, "TERM") != 0 && strcmp(signal, "KILL") != 0)
		return error_set(err, -EINVAL, "the signal has to be TERM or KILL");
	deed->kind = (enum deed_kind)kind;
	deed->pid = (int32_t)pid;
	deed->start = (uint64_t)clamp(json_int(object, "start", 0), 0, INT64_MAX);
	deed->signal = strcmp(signal, "KILL") == 0 ? SIGKILL : SIGTERM;
	deed->tidy = json_bool(object, "tidy", false);
	deed->dry_run = json_bool(object, "dry_run", false);
	take_array(object, "version", deed->version, sizeof deed->version);
	take_array(object, "tty", deed->tty, sizeof deed->tty);
	if (!take_text(object, "name", NAME_MAX_, &deed->name))
		return error_sys(err, -ENOMEM, "cannot read a request");
	return deed->name ? 0 : error_set(err, -EINVAL, "a deed needs the name of a lock");
}

static int read_open(struct request *request, const json_t *object, struct error *err)
{
	const char *uri = json_text(object, "uri", NULL);

	if (!uri || !*uri)
		return error_set(err, -EINVAL, "an open request needs a uri");
	request->read_only = json_bool(object, "read_only", false);
	request->once = json_bool(object, "once", false);
	/* The URI is an address, not a text to show: its bytes stay as they are. */
	request->uri = strdup(uri);
	if (!request->uri || !take_text(object, "read_only_why", 120, &request->read_only_why))
		return error_sys(err, -ENOMEM, "cannot read a request");
	return 0;
}

int request_from_json(struct request *request, const json_t *object, struct error *err)
{
	int kind = text_word(request_words, REQUEST_COUNT, json_text(object, "do", NULL));
	struct request got = {.id = json_int(object, "request", 0)};
	int e = 0;

	if (kind < 0)
		return error_set(
			err, -EINVAL, "no request of that name; there are open, deed and scan");
	got.kind = (enum request_kind)kind;
	if (got.kind == REQUEST_OPEN)
		e = read_open(&got, object, err);
	else if (got.kind == REQUEST_DEED)
		e = read_deed(&got.deed, object, err);
	if (e < 0)
		request_release(&got);
	else
		*request = got;
	return e;
}

void request_release(struct request *request)
{
	free(request->uri);
	free(request->read_only_why);
	deed_release(&request->deed);
	*request = (struct request){0};
}

int deed_copy(struct deed *to, const struct deed *from)
{
	struct deed copy = *from;

	copy.name = from->name ? strdup(from->name) : NULL;
	if (from->name && !copy.name)
		return -ENOMEM;
	*to = copy;
	return 0;
}

void deed_release(struct deed *deed)
{
	free(deed->name);
	*deed = (struct deed){0};
}

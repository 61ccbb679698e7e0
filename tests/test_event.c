/* The event stream and the requests: there and back, and what is not believed. */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <errno.h>
#include <signal.h>

#include "base/error.h"
#include "base/jsonl.h"
#include "base/text.h"
#include "model/event.h"
#include "failing_alloc.h"
#include "random_lock.h"

static const mono_t now = 5000 * NS_PER_S;

#define S_AT (1760000000 * NS_PER_S)

static void a_lock_comes_back_as_it_went(void **state)
{
	(void)state;
	srand(6);
	for (int i = 0; i < 3000; i++) {
		struct event event = {.kind = EVENT_LOCK, .at = 1760000000 * NS_PER_S};
		struct event back;
		struct error err;
		json_t *object;

		event.lock = random_lock("a\\x1bb.lock", now);
		object = event_to_json(&event, now);
		assert_non_null(object);
		assert_int_equal(event_from_json(&back, object, now, &err), 0);
		assert_true(lock_equal(event.lock, back.lock));
		assert_true(event.at == back.at);
		json_decref(object);
		event_release(&event);
		event_release(&back);
	}
}

/* Every text that a lock may have: jansson is the judge of how it is written. */
static void text_is_written_as_jansson_writes_it(void **state)
{
	(void)state;
	srand(8);
	for (int i = 0; i < 20000; i++) {
		struct event event = {.kind = EVENT_GONE};
		char raw[24], name[200];
		struct buf line = {0};
		json_t *text;
		char *dump;

		for (size_t j = 0; j < sizeof raw; j++)
			raw[j] = rand() % 3 ? (char)rand() : (char)(' ' + rand() % 95);
		/* Half of them with whole characters of any length. */
		for (size_t j = 0; rand() % 2 && j + 4 < sizeof raw; j += 4)
			memcpy(raw + j,
				&"\xc3\xa9.!\xe2\x82\xac_\xf0\x9f\x94\x92\xf0\x90\x80\x80"
					[4 * (rand() % 4)],
				4);
		text_clean(name, sizeof name, raw, sizeof raw, NULL);
		event.name = name;
		assert_int_equal(event_write(&line, &event, now), 0);
		for (size_t j = 0; j < line.len; j++)
			assert_in_range(line.data[j], ' ', '~');
		text = json_string(name);
		dump = json_dumps(text, JSON_ENSURE_ASCII | JSON_ENCODE_ANY);
		assert_non_null(strstr(line.data, dump));
		free(dump);
		json_decref(text);
		buf_release(&line);
	}
}

/* Read and written again by jansson, an event is the same to the byte. */
static void a_line_is_compact_json_in_ascii(void **state)
{
	(void)state;
	srand(9);
	for (int i = 0; i < 2000; i++) {
		struct event event = {.kind = EVENT_LOCK, .at = NS_PER_S / 2};
		struct buf line = {0};
		json_t *object;
		char *dump;

		event.lock = random_lock("x", now);
		/* Fractions are the one thing that jansson writes at greater length. */
		event.lock->written = event.lock->since = event.lock->expires = 0;
		event.lock->clock_step = event.lock->record.acquired = 0;
		event.lock->since_mono = MONO_UNKNOWN;
		for (size_t j = 0; j < event.lock->holders; j++)
			event.lock->holder[j].started = 0;
		for (size_t j = 0; j < event.lock->waiters; j++)
			event.lock->waiter[j].started = 0;
		assert_int_equal(event_write(&line, &event, now), 0);
		object = json_loadb(line.data, line.len, JSON_REJECT_DUPLICATES, NULL);
		assert_non_null(object);
		dump = json_dumps(object, JSON_COMPACT | JSON_ENSURE_ASCII);
		assert_string_equal(line.data, dump);
		free(dump);
		json_decref(object);
		buf_release(&line);
		event_release(&event);
	}
}

static void times_are_written_to_the_microsecond(void **state)
{
	static const struct {
		wall_t at;
		const char *text;
	} table[] = {
		{0, "\"at\":0,"},
		{1, "\"at\":0,"},
		{500, "\"at\":0.000001,"},
		{-500, "\"at\":-0.000001,"},
		{NS_PER_S, "\"at\":1,"},
		{10 * NS_PER_S, "\"at\":10,"},
		{100 * NS_PER_MS, "\"at\":0.1,"},
		{INT64_C(1763866361123456789), "\"at\":1763866361.123457,"},
		{-INT64_C(1500000000), "\"at\":-1.5,"},
		{INT64_MAX, "\"at\":9223372036.854776,"},
		{INT64_MIN, "\"at\":-9223372036.854776,"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
		struct event event = {.kind = EVENT_SCANNED, .at = table[i].at};
		struct buf line = {0};

		assert_int_equal(event_write(&line, &event, now), 0);
		if (!strstr(line.data, table[i].text))
			fail_msg("%s is not in %s", table[i].text, line.data);
		buf_release(&line);
	}
}

static void what_stands_in_the_buffer_stays(void **state)
{
	struct event event = {.kind = EVENT_GONE, .name = strdup("x")};
	struct buf line = {0};

	(void)state;
	buf_adds(&line, "before\n");
	assert_int_equal(event_write(&line, &event, now), 0);
	assert_string_equal(
		line.data, "before\n{\"v\":1,\"event\":\"gone\",\"at\":0,\"name\":\"x\"}");
	free(event.name);
	event.name = calloc(1, 2 * JSONL_LINE_MAX);
	memset(event.name, 'x', 2 * JSONL_LINE_MAX - 1);
	assert_int_equal(event_write(&line, &event, now), -EMSGSIZE);
	assert_true(line.len > 0 && line.data[line.len] == '\0');
	assert_non_null(strstr(line.data, "\"name\":\"x\"}"));
	event_release(&event);
	buf_release(&line);
}

static struct lock *crowded_lock(size_t holders, size_t waiters, size_t text_len)
{
	struct lock *lock = lock_new("crowd");
	char *text = calloc(1, 3 * text_len + 1);

	/* What grows most: three bytes of JSON for each of its own. */
	for (size_t i = 0; i + 2 <= text_len; i += 2)
		memcpy(text + i, "\xc3\xa9", 2);
	for (size_t i = 0; i < holders + waiters; i++) {
		struct process *process =
			i < holders ? lock_add_holder(lock) : lock_add_waiter(lock);

		process->pid = INT32_MAX - (int32_t)i;
		process->from_kernel = true;
		process->life = LIFE_STOPPED;
		process->command = strdup(text);
	}
	lock->path = strdup(text);
	lock->problem = strdup(text);
	free(text);
	return lock;
}

/* However many wait, the reader learns of the lock, and of as many processes as fit. */
static void a_crowd_fits_on_a_line(void **state)
{
	static const struct {
		size_t holders, waiters, text_len, holders_seen, waiters_seen;
	} table[] = {
		{1, 1000, 20, 1, 1000},
		{1000, 1, 20, 1000, 1},
		{1, 5000, 20, 1, 1000},
		{1, 999, 256, 1, 999},
		{3, 3, 4096, 3, 3},
	};

	(void)state;
	for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
		struct event event = {.kind = EVENT_LOCK}, back;
		struct buf line = {0};
		json_t *object;

		event.lock = crowded_lock(table[i].holders, table[i].waiters, table[i].text_len);
		assert_int_equal(event_write(&line, &event, now), 0);
		assert_true(line.len <= JSONL_LINE_MAX);
		object = json_loadb(line.data, line.len, 0, NULL);
		assert_int_equal(event_from_json(&back, object, now, NULL), 0);
		assert_int_equal(back.lock->holders, table[i].holders_seen);
		assert_int_equal(back.lock->waiters, table[i].waiters_seen);
		assert_true(process_equal(&back.lock->holder[0], &event.lock->holder[0]));
		for (size_t j = 0; j < back.lock->waiters; j++)
			assert_int_equal(back.lock->waiter[j].pid, event.lock->waiter[j].pid);
		json_decref(object);
		buf_release(&line);
		event_release(&event);
		event_release(&back);
	}
}

/* Two crowds do not fit: the second is cut, and the line is still one. */
static void two_crowds_are_cut_to_a_line(void **state)
{
	struct event event = {.kind = EVENT_LOCK, .lock = crowded_lock(1000, 1000, 200)}, back;
	struct buf line = {0};
	json_t *object;

	(void)state;
	assert_int_equal(event_write(&line, &event, now), 0);
	assert_true(line.len <= JSONL_LINE_MAX);
	object = json_loadb(line.data, line.len, 0, NULL);
	assert_int_equal(event_from_json(&back, object, now, NULL), 0);
	assert_int_equal(back.lock->holders, 1000);
	assert_in_range(back.lock->waiters, 1, 999);
	json_decref(object);
	buf_release(&line);
	event_release(&event);
	event_release(&back);
}

/* Text in an event is clean; were it not, the line would still be JSON, and ASCII. */
static void unclean_text_makes_a_line_too(void **state)
{
	char name[] = "\x7f\xff\x1b\"\\\n";
	struct event event = {.kind = EVENT_GONE, .name = name};
	struct buf line = {0};
	json_t *object;

	(void)state;
	assert_int_equal(event_write(&line, &event, now), 0);
	assert_non_null(strstr(line.data, "\"name\":\"\\u007F\\uFFFD\\u001B\\\"\\\\\\u000A\""));
	object = json_loadb(line.data, line.len, 0, NULL);
	assert_non_null(object);
	json_decref(object);
	buf_release(&line);
}

static void an_age_is_told_not_a_clock(void **state)
{
	struct event event = {.kind = EVENT_LOCK};
	struct event back;
	json_t *object;

	(void)state;
	event.lock = lock_new("x");
	event.lock->since_mono = now - 90 * NS_PER_S;
	object = event_to_json(&event, now);
	/* The reader's clock is another one. */
	assert_int_equal(event_from_json(&back, object, 10 * NS_PER_S, NULL), 0);
	assert_true(back.lock->since_mono == -80 * NS_PER_S);
	json_decref(object);
	event_release(&event);
	event_release(&back);
}

static void the_token_stays_at_home(void **state)
{
	struct event event = {.kind = EVENT_LOCK};
	json_t *object;
	char *text;

	(void)state;
	event.lock = lock_new("x");
	event.lock->record.format = RECORD_LT1;
	strcpy(event.lock->record.token, "5ec3e75ec3e75ec3e75ec3e75ec3e75e");
	object = event_to_json(&event, now);
	text = json_dumps(object, 0);
	assert_null(strstr(text, "5ec3e7"));
	free(text);
	json_decref(object);
	event_release(&event);
}

static void the_other_kinds_come_back_too(void **state)
{
	struct event events[] = {
		{.kind = EVENT_GONE, .at = NS_PER_S, .name = strdup("x")},
		{.kind = EVENT_SCANNED,
			.at = NS_PER_S,
			.locks = 7,
			.took = 5 * NS_PER_MS,
			.every = NS_PER_S,
			.is_polling = true,
			.is_final = true,
			.bad = 12,
			.text = strdup("polling"),
			.host = strdup("web1")},
		{.kind = EVENT_FAULT,
			.at = NS_PER_S,
			.text = strdup("cannot read"),
			.is_fatal = true},
		{.kind = EVENT_DONE,
			.at = NS_PER_S,
			.name = strdup("x"),
			.text = strdup("no"),
			.request = 9,
			.outcome = OUTCOME_REFUSED,
			.code = -ESTALE},
	};

	(void)state;
	for (size_t i = 0; i < sizeof events / sizeof *events; i++) {
		json_t *object = event_to_json(&events[i], now);
		struct event *a = &events[i], b;

		assert_int_equal(event_from_json(&b, object, now, NULL), 0);
		assert_int_equal(a->kind, b.kind);
		assert_true(a->at == b.at && a->locks == b.locks && a->took == b.took &&
			    a->every == b.every);
		assert_true(a->is_polling == b.is_polling && a->is_final == b.is_final &&
			    a->bad == b.bad);
		assert_true(
			a->is_fatal == b.is_fatal && a->request == b.request && a->code == b.code);
		assert_int_equal(a->outcome, b.outcome);
		assert_true(!a->name == !b.name && !a->text == !b.text && !a->host == !b.host);
		json_decref(object);
		event_release(a);
		event_release(&b);
	}
}

static void what_makes_no_sense_is_refused_with_a_sentence(void **state)
{
	static const char *const wrong[] = {
		"{}",
		"{\"v\":2,\"event\":\"gone\",\"name\":\"x\"}",
		"{\"v\":1}",
		"{\"v\":1,\"event\":7}",
		"{\"v\":1,\"event\":\"explode\"}",
		"{\"v\":1,\"event\":\"gone\"}",
		"{\"v\":1,\"event\":\"gone\",\"name\":5}",
		"{\"v\":1,\"event\":\"lock\"}",
		"{\"v\":1,\"event\":\"lock\",\"lock\":[]}",
		"{\"v\":1,\"event\":\"lock\",\"lock\":{}}",
		"{\"v\":1,\"event\":\"lock\",\"lock\":{\"name\":\"\"}}",
		"{\"v\":1,\"event\":\"done\",\"request\":1}",
		"{\"v\":1,\"event\":\"done\",\"outcome\":\"done\"}",
		"{\"v\":1,\"event\":\"done\",\"outcome\":\"maybe\",\"request\":1}",
	};

	(void)state;
	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
		json_t *object = json_loads(wrong[i], 0, NULL);
		struct event event = {.locks = 77};
		struct error err = {0};

		assert_non_null(object);
		assert_int_equal(event_from_json(&event, object, now, &err), -EINVAL);
		assert_true(err.text[0] != '\0' && event.locks == 77);
		json_decref(object);
	}
}

static void odd_types_and_numbers_become_unknown(void **state)
{
	static const char text[] =
		"{\"v\":1,\"event\":\"lock\",\"at\":\"now\",\"lock\":{\"name\":\"x\",\"kind\":9,"
		"\"kernel_view\":\"omniscient\",\"mode\":[],\"flags\":{\"a\":1},\"age_s\":1e300,"
		"\"record\":{\"format\":\"plain\",\"pid\":-4,\"time\":1e30},"
		"\"holders\":[5,{\"pid\":99999999999,\"life\":\"undead\",\"uid\":-9}],\"waiters\":"
		"\"none\"}}";
	json_t *object = json_loads(text, 0, NULL);
	struct event event;

	(void)state;
	assert_non_null(object);
	assert_int_equal(event_from_json(&event, object, now, NULL), 0);
	assert_int_equal(event.lock->kernel, KERNEL_VIEW_NONE);
	assert_int_equal(event.lock->flags, 0);
	assert_int_equal(event.lock->record.pid, 0);
	assert_int_equal(event.lock->holders, 1);
	assert_int_equal(event.lock->holder[0].pid, INT32_MAX);
	assert_int_equal(event.lock->holder[0].life, LIFE_UNKNOWN);
	assert_int_equal(event.lock->holder[0].uid, -1);
	assert_int_equal(event.lock->waiters, 0);
	json_decref(object);
	event_release(&event);
}

static void a_record_of_a_later_format_is_foreign(void **state)
{
	static const struct {
		const char *record;
		enum record_format format;
	} table[] = {
		{"{\"format\":\"lt9\",\"pid\":1}", RECORD_FOREIGN},
		{"{\"format\":\"plain\",\"pid\":1}", RECORD_PLAIN},
		{"{\"format\":3}", RECORD_NONE},
		{"{}", RECORD_NONE},
		{"7", RECORD_NONE},
		{"null", RECORD_NONE},
	};

	(void)state;
	for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
		char text[200];
		struct event event;
		json_t *object;

		snprintf(text, sizeof text,
			"{\"v\":1,\"event\":\"lock\",\"lock\":{\"name\":\"x\",\"record\":%s}}",
			table[i].record);
		object = json_loads(text, 0, NULL);
		assert_int_equal(event_from_json(&event, object, now, NULL), 0);
		assert_int_equal(event.lock->record.format, table[i].format);
		assert_true(event.lock->record.fence == -1 && event.lock->record.uid == -1);
		json_decref(object);
		event_release(&event);
	}
}

/* A name that had to be cut would be another lock's; a path or a sentence is only shown. */
static void a_name_is_never_cut(void **state)
{
	(void)state;
	for (size_t len = 4096; len <= 4097; len++) {
		struct event event = {0};
		struct error err = {0};
		char *text = calloc(1, len + 1);
		json_t *object;

		memset(text, 'n', len);
		object = json_pack("{s:i,s:s,s:{s:s,s:s}}", "v", 1, "event", "lock", "lock", "name",
			text, "problem", text);
		assert_int_equal(
			event_from_json(&event, object, now, &err), len == 4096 ? 0 : -EINVAL);
		if (len == 4096)
			assert_int_equal(strlen(event.lock->problem), 1024);
		else
			assert_non_null(strstr(err.text, "longer"));
		json_decref(object);
		free(text);
		event_release(&event);
	}
}

/* What jansson can make of random members never does more than be refused or be clean. */
static json_t *random_json(int depth)
{
	static const char *const words[] = {"lock", "x", "file", "kernel", "gone", "plain", "alive",
		"\033[m", "\xe2\x80\xae", "h", "", "done", "same", "read"};
	json_t *json;

	switch (below(depth > 0 ? 9 : 6)) {
	case 0: return json_null();
	case 1: return json_boolean(below(2));
	case 2: return json_integer((json_int_t)(((uint64_t)rand() << 33) ^ (uint64_t)rand()));
	case 3: return json_integer(below(5) - 2);
	case 4: return json_real((below(2000) - 1000) * (below(2) ? 1e300 : 0.001));
	case 5: return json_string(words[below(14)]);
	case 6:
		json = json_array();
		for (int i = below(4); i > 0; i--)
			json_array_append_new(json, random_json(depth - 1));
		return json;
	default:
		json = json_object();
		for (int i = 0; i < 12; i++) {
			static const char *const keys[] = {"name", "kind", "class", "path",
				"kernel_view", "record", "holders", "waiters", "pid", "life",
				"age_s", "since", "from", "to", "dev", "format", "time", "start",
				"uid", "comm", "command", "flags", "version", "lock", "host",
				"text", "outcome", "request", "locks", "took_ms", "every_s",
				"code"};

			json_object_set_new(json, keys[below(32)], random_json(depth - 1));
		}
		return json;
	}
}

static void random_members_do_no_harm(void **state)
{
	int read = 0;

	(void)state;
	srand(11);
	for (int i = 0; i < 20000; i++) {
		json_t *object = random_json(3);
		struct event event = {0};
		struct error err = {0};
		int result;

		if (!json_is_object(object)) {
			json_decref(object);
			continue;
		}
		json_object_set_new(object, "v", json_integer(1));
		json_object_set_new(object, "event",
			json_string(event_kind_word((enum event_kind)below(EVENT_KIND_COUNT))));
		result = event_from_json(&event, object, now, &err);
		if (result == 0) {
			struct buf line = {0};

			read++;
			assert_int_equal(event_write(&line, &event, now), 0);
			for (size_t j = 0; j < line.len; j++)
				assert_in_range(line.data[j], ' ', '~');
			buf_release(&line);
		} else {
			assert_int_equal(result, -EINVAL);
			assert_true(err.text[0] != '\0');
		}
		event_release(&event);
		json_decref(object);
	}
	assert_true(read > 1000);
}

static void hostile_text_is_clean_when_it_is_in(void **state)
{
	json_t *object = json_pack("{s:i,s:s,s:{s:s,s:s,s:[{s:s,s:s}]}}", "v", 1, "event", "lock",
		"lock", "name", "\033]0;x\007\xe2\x80\xae", "path", "/a\nb", "holders", "comm",
		"\033[2J", "command",
		"\xc2\x9b"
		"31m");
	struct event event;

	(void)state;
	assert_non_null(object);
	assert_int_equal(event_from_json(&event, object, now, NULL), 0);
	assert_true(text_is_clean(event.lock->name, strlen(event.lock->name)));
	assert_true(text_is_clean(event.lock->path, strlen(event.lock->path)));
	assert_true(text_is_clean(event.lock->holder[0].comm, strlen(event.lock->holder[0].comm)));
	assert_true(text_is_clean(
		event.lock->holder[0].command, strlen(event.lock->holder[0].command)));
	json_decref(object);
	event_release(&event);
}

static void thousands_of_holders_are_cut(void **state)
{
	json_t *array = json_array();
	json_t *object;
	struct event event;

	(void)state;
	for (int i = 0; i < 5000; i++)
		json_array_append_new(array, json_pack("{s:i}", "pid", i + 1));
	object = json_pack("{s:i,s:s,s:{s:s,s:o}}", "v", 1, "event", "lock", "lock", "name", "x",
		"holders", array);
	assert_int_equal(event_from_json(&event, object, now, NULL), 0);
	assert_int_equal(event.lock->holders, 1000);
	json_decref(object);
	event_release(&event);
}

/* --- samples --- */

static void random_times(struct histogram *histogram, int most)
{
	for (int n = below(most + 1); n > 0; n--) {
		int64_t us = (int64_t)((uint64_t)rand() >> below(31));

		assert_int_equal(
			histogram_add(histogram, us * 1000, (uint64_t)below(3) * 70 + 1), 0);
	}
}

/* One slot, with up to so many different durations. */
static struct sample random_sample(int most)
{
	static const int32_t every[] = {1, 60, 3600};
	struct sample sample = {.seconds = every[below(3)],
		.lock = strdup("a\\x1bb.lock"),
		.source = maybe_text("file:/run/lock"),
		.backend = maybe_text("file")};

	sample.from = (INT64_C(1760000000) + below(1000000)) / sample.seconds * sample.seconds;
	sample.last = sample.from * NS_PER_S + below(1000000) * INT64_C(1000);
	for (int i = 0; i < METRIC_EVENT_COUNT; i++)
		sample.tally.count[i] = below(2) ? 0 : (uint32_t)below(1000000);
	sample.tally.slow = below(2) ? 0 : (uint32_t)below(1000);
	for (int i = 0; i < below(WAITED_FOR_MAX + 1); i++) {
		snprintf(sample.waited[i].who, sizeof sample.waited[i].who, "php%d on web\xc3\xa9",
			i);
		sample.waited[i].times = (uint32_t)below(1000);
		sample.waited[i].longest = below(1000000) * INT64_C(1000000);
	}
	random_times(&sample.tally.wait, most);
	random_times(&sample.tally.hold, most);
	return sample;
}

static void add_times(struct histogram *into, const struct histogram *from)
{
	uint64_t times, sum = into->sum + from->sum;
	int64_t ns;

	for (size_t i = 0; histogram_cell(from, i, &ns, &times); i++)
		assert_int_equal(histogram_add(into, ns, times), 0);
	into->sum = sum;
}

static void assert_same_times(const struct histogram *a, const struct histogram *b)
{
	uint64_t times_a, times_b;
	int64_t ns_a, ns_b;

	assert_true(a->count == b->count && a->sum == b->sum && a->max == b->max);
	for (size_t i = 0; histogram_cell(a, i, &ns_a, &times_a); i++) {
		assert_true(histogram_cell(b, i, &ns_b, &times_b));
		assert_true(ns_a == ns_b && times_a == times_b);
	}
}

/* All lines of the buffer as one sample; how many there were. */
static int read_samples(const struct buf *lines, struct sample *out)
{
	const char *at = lines->data, *end;
	int n = 0;

	*out = (struct sample){0};
	for (; *at; at = end + 1, n++) {
		struct event event;
		json_t *object;

		end = strchr(at, '\n');
		assert_true(end - at <= JSONL_LINE_MAX);
		object = json_loadb(at, (size_t)(end - at), JSON_REJECT_DUPLICATES, NULL);
		assert_non_null(object);
		assert_int_equal(event_from_json(&event, object, now, NULL), 0);
		assert_int_equal(event.kind, EVENT_SAMPLE);
		if (n == 0) {
			struct tally times = {0};

			*out = *event.sample;
			out->tally.wait = times.wait;
			out->tally.hold = times.hold;
			out->lock = strdup(event.sample->lock);
			out->source = strdup(event.sample->source ? event.sample->source : "");
			out->backend = strdup(event.sample->backend ? event.sample->backend : "");
		} else {
			for (int i = 0; i < METRIC_EVENT_COUNT; i++)
				assert_int_equal(event.sample->tally.count[i], 0);
			assert_true(event.sample->from == out->from && !event.sample->tally.slow);
			assert_string_equal(event.sample->lock, out->lock);
		}
		add_times(&out->tally.wait, &event.sample->tally.wait);
		add_times(&out->tally.hold, &event.sample->tally.hold);
		event_release(&event);
		json_decref(object);
	}
	return n;
}

static void assert_same_sample(const struct sample *a, const struct sample *b)
{
	assert_true(a->from == b->from && a->seconds == b->seconds && a->last == b->last);
	assert_string_equal(a->lock, b->lock);
	assert_string_equal(a->source ? a->source : "", b->source);
	assert_string_equal(a->backend ? a->backend : "", b->backend);
	assert_memory_equal(a->tally.count, b->tally.count, sizeof a->tally.count);
	assert_int_equal(a->tally.slow, b->tally.slow);
	assert_same_times(&a->tally.wait, &b->tally.wait);
	assert_same_times(&a->tally.hold, &b->tally.hold);
	for (int i = 0; i < WAITED_FOR_MAX; i++) {
		assert_string_equal(a->waited[i].who, b->waited[i].who);
		if (a->waited[i].who[0])
			assert_true(a->waited[i].times == b->waited[i].times &&
				    a->waited[i].longest == b->waited[i].longest);
	}
}

static void a_sample_comes_back_as_it_went(void **state)
{
	(void)state;
	srand(12);
	for (int i = 0; i < 2000; i++) {
		struct sample sample = random_sample(20), back;
		struct buf lines = {0};

		assert_int_equal(event_write_sample(&lines, &sample, S_AT), 0);
		assert_int_equal(read_samples(&lines, &back), 1);
		assert_same_sample(&sample, &back);
		sample_release(&sample);
		sample_release(&back);
		buf_release(&lines);
	}
}

/* No line is longer than a reader takes, and nothing is lost on the way. */
static void a_sample_of_many_durations_takes_many_lines(void **state)
{
	(void)state;
	srand(13);
	for (int i = 0; i < 6; i++) {
		struct sample sample = random_sample(40000), back;
		struct event event = {.kind = EVENT_SAMPLE, .sample = &sample};
		struct buf lines = {0};
		int n;

		random_times(&sample.tally.wait, 40000);
		for (int64_t us = 1; us < 7000; us++)
			histogram_add(&sample.tally.hold, us * us * 1000, 1);
		buf_adds(&lines, "");
		assert_int_equal(event_write(&lines, &event, now), -EMSGSIZE);
		assert_int_equal(lines.len, 0);
		assert_int_equal(event_write_sample(&lines, &sample, S_AT), 0);
		n = read_samples(&lines, &back);
		assert_in_range(n, 2, 20);
		assert_same_sample(&sample, &back);
		sample_release(&sample);
		sample_release(&back);
		buf_release(&lines);
	}
}

static void a_sample_with_endless_names_is_not_written(void **state)
{
	struct sample sample = {.seconds = 1, .lock = calloc(1, JSONL_LINE_MAX + 1)};
	struct buf lines = {0};

	(void)state;
	memset(sample.lock, 'x', JSONL_LINE_MAX);
	buf_adds(&lines, "before\n");
	assert_int_equal(event_write_sample(&lines, &sample, S_AT), -EMSGSIZE);
	assert_string_equal(lines.data, "before\n");
	sample_release(&sample);
	buf_release(&lines);
}

static void a_sample_whose_numbers_make_no_sense_is_none(void **state)
{
	static const struct {
		const char *members;
		bool is_one;
	} table[] = {
		{"\"from\":60,\"every_s\":60", true},
		{"\"from\":0,\"every_s\":3600", true},
		{"\"from\":60,\"every_s\":60,\"lock\":5,\"counts\":{},\"wait_us\":[]", true},
		{"\"from\":60,\"every_s\":60,\"counts\":{\"exploded\":3,\"busy\":4}", true},
		{"\"from\":60,\"every_s\":60,\"wait_us\":[7,1,3,2,7,9]", true},
		{"\"every_s\":60", false},
		{"\"from\":60", false},
		{"\"from\":61,\"every_s\":60", false},
		{"\"from\":60,\"every_s\":30", false},
		{"\"from\":60,\"every_s\":0", false},
		{"\"from\":-60,\"every_s\":60", false},
		{"\"from\":60.0,\"every_s\":60", false},
		{"\"from\":9223372036,\"every_s\":1", false},
		{"\"from\":9223372036854775800,\"every_s\":60", false},
		{"\"from\":60,\"every_s\":60,\"counts\":[1]", false},
		{"\"from\":60,\"every_s\":60,\"counts\":{\"busy\":-1}", false},
		{"\"from\":60,\"every_s\":60,\"counts\":{\"busy\":\"1\"}", false},
		{"\"from\":60,\"every_s\":60,\"counts\":{\"busy\":1.5}", false},
		{"\"from\":60,\"every_s\":60,\"counts\":{\"busy\":4294967297}", false},
		{"\"from\":60,\"every_s\":60,\"counts\":{\"exploded\":-1}", false},
		{"\"from\":60,\"every_s\":60,\"slow\":-1", false},
		{"\"from\":60,\"every_s\":60,\"slow\":\"many\"", false},
		{"\"from\":60,\"every_s\":60,\"wait_us\":7", false},
		{"\"from\":60,\"every_s\":60,\"wait_us\":{}", false},
		{"\"from\":60,\"every_s\":60,\"wait_us\":[7]", false},
		{"\"from\":60,\"every_s\":60,\"wait_us\":[7,0]", false},
		{"\"from\":60,\"every_s\":60,\"wait_us\":[7,-1]", false},
		{"\"from\":60,\"every_s\":60,\"wait_us\":[-7,1]", false},
		{"\"from\":60,\"every_s\":60,\"wait_us\":[7,1000000001]", false},
		{"\"from\":60,\"every_s\":60,\"wait_us\":[90000000000001,1]", false},
		{"\"from\":60,\"every_s\":60,\"wait_us\":[7,null]", false},
		{"\"from\":60,\"every_s\":60,\"hold_us\":[7.5,1]", false},
		{"\"from\":60,\"every_s\":60,\"hold_us\":[7,1],\"hold_sum_us\":-1", false},
		{"\"from\":60,\"every_s\":60,\"hold_us\":[7,1],\"hold_sum_us\":\"7\"", false},
		{"\"from\":60,\"every_s\":60,\"waited_for\":{}", false},
		{"\"from\":60,\"every_s\":60,\"waited_for\":[5]", false},
		{"\"from\":60,\"every_s\":60,\"waited_for\":[{\"who\":\"x\"}]", false},
		{"\"from\":60,\"every_s\":60,\"waited_for\":[{\"who\":\"x\",\"times\":-1}]", false},
	};

	(void)state;
	for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
		struct event event = {.locks = 77};
		struct error err = {0};
		char text[300];
		json_t *object;

		snprintf(text, sizeof text, "{\"v\":1,\"event\":\"sample\",%s}", table[i].members);
		object = json_loads(text, 0, NULL);
		assert_non_null(object);
		if ((event_from_json(&event, object, now, &err) == 0) != table[i].is_one)
			fail_msg("%s: %s", text, err.text);
		assert_true(table[i].is_one || (err.text[0] && event.locks == 77));
		if (table[i].is_one)
			event_release(&event);
		json_decref(object);
	}
}

/* What is no contradiction is put right: a sum beyond its values, a line outside its slot. */
static void a_sample_is_not_believed_more_than_it_can_know(void **state)
{
	static const char text[] =
		"{\"v\":1,\"event\":\"sample\",\"lock\":\"a\\u001b[mb\",\"from\":60,\"every_s\":60,"
		"\"last\":9e18,\"wait_us\":[7,2,3,1],\"wait_sum_us\":999,\"hold_us\":[10,2],"
		"\"hold_sum_us\":15,\"waited_for\":[{\"who\":\"\",\"times\":1},{\"who\":"
		"\"\\u001b\","
		"\"times\":2,\"longest_s\":-4},{\"who\":\"1\",\"times\":1},{\"who\":\"2\","
		"\"times\":"
		"1},{\"who\":\"3\",\"times\":1},{\"who\":\"4\",\"times\":1},{\"who\":\"5\","
		"\"times\":"
		"1},{\"who\":\"6\",\"times\":1}]}";
	json_t *object = json_loads(text, 0, NULL);
	struct event event;

	(void)state;
	assert_non_null(object);
	assert_int_equal(event_from_json(&event, object, now, NULL), 0);
	assert_string_equal(event.sample->lock, "a\\x1b[mb");
	assert_true(event.sample->last == 120 * NS_PER_S - 1);
	assert_int_equal(event.sample->tally.wait.sum, 17);
	assert_int_equal(event.sample->tally.hold.sum, 15);
	assert_string_equal(event.sample->waited[0].who, "\\x1b");
	assert_int_equal(event.sample->waited[0].longest, 0);
	assert_string_equal(event.sample->waited[WAITED_FOR_MAX - 1].who, "5");
	json_decref(object);
	event_release(&event);
}

static json_t *random_times_json(void)
{
	json_t *array = json_array();

	for (int i = 2 * below(4); i > 0; i--)
		json_array_append_new(
			array, below(12) ? json_integer(1 + below(1000)) : random_json(1));
	return array;
}

/* Most of them a sample, but for one member or two. */
static void random_samples_do_no_harm(void **state)
{
	int read = 0;

	(void)state;
	srand(14);
	for (int i = 0; i < 20000; i++) {
		json_t *object = json_pack("{s:i,s:s,s:s,s:i,s:i,s:{s:i},s:o,s:o,s:[{s:s,s:i}]}",
			"v", 1, "event", "sample", "lock", "x", "from", 60 * below(1000), "every_s",
			60, "counts", "busy", below(10), "wait_us", random_times_json(), "hold_us",
			random_times_json(), "waited_for", "who", "y", "times", below(10));
		static const char *const keys[] = {"lock", "source", "backend", "from", "every_s",
			"counts", "slow", "wait_us", "wait_sum_us", "hold_us", "hold_sum_us",
			"waited_for", "last"};
		struct event event = {0};
		struct error err = {0};
		struct buf line = {0};

		assert_non_null(object);
		for (int k = below(3); k > 0; k--)
			json_object_set_new(object, keys[below(13)], random_json(2));
		if (event_from_json(&event, object, now, &err) == 0) {
			read++;
			assert_int_equal(event_write(&line, &event, now), 0);
			for (size_t j = 0; j < line.len; j++)
				assert_in_range(line.data[j], ' ', '~');
			event_release(&event);
		} else {
			assert_true(err.text[0] != '\0');
		}
		buf_release(&line);
		json_decref(object);
	}
	assert_in_range(read, 2000, 18000);
}

static void requests_come_back_as_they_went(void **state)
{
	struct request open = {.kind = REQUEST_OPEN,
		.id = 1,
		.uri = strdup("file:/a%20b"),
		.read_only = true,
		.read_only_why = strdup("--read-only")};
	struct request deed = {.kind = REQUEST_DEED,
		.id = 2,
		.deed = {.kind = DEED_SIGNAL,
			.name = strdup("x"),
			.version = "v1",
			.pid = 4711,
			.start = 99,
			.signal = SIGKILL,
			.tidy = true,
			.dry_run = true,
			.tty = "/dev/pts/3"}};
	json_t *a = request_to_json(&open), *b = request_to_json(&deed);
	struct request back;

	(void)state;
	assert_int_equal(request_from_json(&back, a, NULL), 0);
	assert_string_equal(back.uri, "file:/a%20b");
	assert_true(back.read_only);
	assert_string_equal(back.read_only_why, "--read-only");
	request_release(&back);
	assert_int_equal(request_from_json(&back, b, NULL), 0);
	assert_int_equal(back.deed.kind, DEED_SIGNAL);
	assert_string_equal(back.deed.name, "x");
	assert_string_equal(back.deed.version, "v1");
	assert_string_equal(back.deed.tty, "/dev/pts/3");
	assert_true(back.deed.pid == 4711 && back.deed.start == 99 && back.deed.signal == SIGKILL);
	assert_true(back.deed.tidy && back.deed.dry_run && back.id == 2);
	request_release(&back);
	json_decref(a);
	json_decref(b);
	request_release(&open);
	request_release(&deed);
}

static void wrong_requests_are_refused(void **state)
{
	static const char *const wrong[] = {
		"{\"request\":1}",
		"{\"request\":1,\"do\":\"reboot\"}",
		"{\"request\":1,\"do\":\"open\"}",
		"{\"request\":1,\"do\":\"deed\"}",
		"{\"request\":1,\"do\":\"deed\",\"deed\":\"release\"}",
		"{\"request\":1,\"do\":\"deed\",\"deed\":\"erase\",\"name\":\"x\"}",
		"{\"request\":1,\"do\":\"deed\",\"deed\":\"signal\",\"name\":\"x\",\"pid\":-1}",
		"{\"request\":1,\"do\":\"deed\",\"deed\":\"release\",\"name\":\"x\",\"version\":"
		"\"0123456789012345678901234567890123456789012345678901234567890123\"}",
		"{\"request\":1,\"do\":\"deed\",\"deed\":\"signal\",\"name\":\"x\",\"signal\":"
		"\"STOP\"}",
	};

	(void)state;
	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
		json_t *object = json_loads(wrong[i], 0, NULL);
		struct request request = {.id = 77};
		struct error err = {0};

		assert_int_equal(request_from_json(&request, object, &err), -EINVAL);
		assert_true(err.text[0] != '\0' && request.id == 77);
		json_decref(object);
	}
}

static int try_read(void *data)
{
	struct event event = {.locks = 77};
	struct error err = {0};
	int result = event_from_json(&event, data, now, &err);

	if (result == -ENOMEM)
		assert_true(event.locks == 77 && !event.lock && !event.name && err.text[0]);
	else
		event_release(&event);
	return result;
}

static int try_read_request(void *data)
{
	struct request request = {.id = 77}, copy = {0};
	struct error err = {0};
	int result = request_from_json(&request, data, &err);

	if (result == -ENOMEM)
		assert_true(request.id == 77 && !request.uri && !request.deed.name && err.text[0]);
	if (result == 0 && request.kind == REQUEST_DEED) {
		result = deed_copy(&copy.deed, &request.deed);
		assert_true(result == 0 || !copy.deed.name);
		deed_release(&copy.deed);
	}
	if (request.id != 77)
		request_release(&request);
	return result;
}

static int try_write(void *data)
{
	struct buf line = {0};
	int result;

	buf_adds(&line, "before");
	if (buf_failed(&line) < 0)
		return -ENOMEM;
	result = event_write(&line, data, now);
	if (result < 0)
		assert_string_equal(line.data, "before");
	buf_release(&line);
	return result;
}

static int try_write_sample(void *data)
{
	struct buf line = {0};
	int result = event_write_sample(&line, data, now);

	if (result < 0)
		assert_int_equal(line.len, 0);
	buf_release(&line);
	return result;
}

static int try_to_json(void *data)
{
	json_t *object = event_to_json(data, now);

	json_decref(object);
	return object ? 0 : -ENOMEM;
}

static int try_request_to_json(void *data)
{
	json_t *object = request_to_json(data);

	json_decref(object);
	return object ? 0 : -ENOMEM;
}

/* Texts that have to be cleaned, and all that an event can own. */
static const char *const rich_lines[] = {
	"{\"v\":1,\"event\":\"lock\",\"lock\":{\"name\":\"a\\nb\",\"path\":\"/"
	"x\",\"problem\":\"p\","
	"\"bytes\":\"\\u001b\",\"holders\":[{\"pid\":1,\"user\":\"u\",\"command\":\"c\"},{\"pid\":"
	"2,"
	"\"command\":\"\\u009b\"}],\"waiters\":[{\"pid\":3,\"user\":\"u\"}]}}",
	"{\"v\":1,\"event\":\"gone\",\"name\":\"x\"}",
	"{\"v\":1,\"event\":\"scanned\",\"note\":\"n\",\"host\":\"h\"}",
	"{\"v\":1,\"event\":\"fault\",\"text\":\"t\"}",
	"{\"v\":1,\"event\":\"done\",\"request\":1,\"outcome\":\"failed\",\"name\":\"n\",\"text\":"
	"\"t\"}",
	"{\"v\":1,\"event\":\"sample\",\"from\":0,\"every_s\":1,\"lock\":\"l\\n\",\"source\":\"s\","
	"\"backend\":\"b\",\"wait_us\":[1,2,3,4,5,6,7,8],\"hold_us\":[1,2]}",
};

static const char *const rich_requests[] = {
	"{\"do\":\"open\",\"uri\":\"file:/x\",\"read_only\":true,\"read_only_why\":\"why\"}",
	"{\"do\":\"deed\",\"deed\":\"release\",\"name\":\"x\"}",
};

static void running_out_of_memory_leaves_everything_as_it_was(void **state)
{
	(void)state;
	json_set_alloc_funcs(__wrap_malloc, free);
	for (size_t i = 0; i < sizeof rich_lines / sizeof *rich_lines; i++) {
		json_t *object = json_loads(rich_lines[i], 0, NULL);
		struct event event;

		assert_true(fail_every_allocation(try_read, object) > 0);
		assert_int_equal(event_from_json(&event, object, now, NULL), 0);
		assert_true(fail_every_allocation(try_write, &event) > 0);
		assert_true(fail_every_allocation(try_to_json, &event) > 0);
		if (event.kind == EVENT_SAMPLE)
			assert_true(fail_every_allocation(try_write_sample, event.sample) > 0);
		event_release(&event);
		json_decref(object);
	}
	for (size_t i = 0; i < sizeof rich_requests / sizeof *rich_requests; i++) {
		json_t *object = json_loads(rich_requests[i], 0, NULL);
		struct request request;

		assert_true(fail_every_allocation(try_read_request, object) > 0);
		assert_int_equal(request_from_json(&request, object, NULL), 0);
		assert_true(fail_every_allocation(try_request_to_json, &request) > 0);
		request_release(&request);
		json_decref(object);
	}
	json_set_alloc_funcs(malloc, free);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_lock_comes_back_as_it_went),
		cmocka_unit_test(text_is_written_as_jansson_writes_it),
		cmocka_unit_test(a_line_is_compact_json_in_ascii),
		cmocka_unit_test(times_are_written_to_the_microsecond),
		cmocka_unit_test(what_stands_in_the_buffer_stays),
		cmocka_unit_test(a_crowd_fits_on_a_line),
		cmocka_unit_test(two_crowds_are_cut_to_a_line),
		cmocka_unit_test(unclean_text_makes_a_line_too),
		cmocka_unit_test(an_age_is_told_not_a_clock),
		cmocka_unit_test(the_token_stays_at_home),
		cmocka_unit_test(the_other_kinds_come_back_too),
		cmocka_unit_test(what_makes_no_sense_is_refused_with_a_sentence),
		cmocka_unit_test(odd_types_and_numbers_become_unknown),
		cmocka_unit_test(a_record_of_a_later_format_is_foreign),
		cmocka_unit_test(a_name_is_never_cut),
		cmocka_unit_test(random_members_do_no_harm),
		cmocka_unit_test(hostile_text_is_clean_when_it_is_in),
		cmocka_unit_test(thousands_of_holders_are_cut),
		cmocka_unit_test(a_sample_comes_back_as_it_went),
		cmocka_unit_test(a_sample_of_many_durations_takes_many_lines),
		cmocka_unit_test(a_sample_with_endless_names_is_not_written),
		cmocka_unit_test(a_sample_whose_numbers_make_no_sense_is_none),
		cmocka_unit_test(a_sample_is_not_believed_more_than_it_can_know),
		cmocka_unit_test(random_samples_do_no_harm),
		cmocka_unit_test(requests_come_back_as_they_went),
		cmocka_unit_test(wrong_requests_are_refused),
		cmocka_unit_test(running_out_of_memory_leaves_everything_as_it_was),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

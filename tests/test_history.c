/* Stepping back: every moment that is kept is made again as it was. */
#include "config.h"
#include "model/history.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "failing_alloc.h"
#include "model/columns.h"
#include "random_lock.h"

void *__real_reallocarray(void *old, size_t n, size_t size);
void *__wrap_reallocarray(void *old, size_t n, size_t size);

void *__wrap_reallocarray(void *old, size_t n, size_t size)
{
	return fails_now() ? NULL : __real_reallocarray(old, n, size);
}

#define S(n) ((int64_t)(n)*NS_PER_S)

enum { SOURCES = 3, LOG = 3, NAMES = 8, KEPT = 4000 };

static const struct history_limits small = {.events = 200, .frame = 16};

/* A model that is told things, and what it looked like after each step. */
struct live {
	struct model model;
	struct history *history;
	bool has_log;
	bool is_blind; /* nothing is kept to compare with */
	uint64_t steps;
	char *looked[KEPT]; /* owned */
};

static void start(struct live *live, const struct history_limits *limits)
{
	memset(live, 0, sizeof *live);
	assert_int_equal(model_init(&live->model, "web1"), 0);
	assert_int_equal(model_add_source(&live->model, "file:/run/lock"), 0);
	assert_int_equal(model_add_source(&live->model, "kernel:"), 1);
	assert_int_equal(model_add_source(&live->model, "ssh:app3:file:/run/lock"), 2);
	assert_int_equal(model_add_source(&live->model, "log:/var/log/x"), LOG);
	assert_int_equal(model_add_limit(&live->model, "lock-3", S(90)), 0);
	model_tick(&live->model, S(1000000), S(1760000000));
	live->history = history_new(limits);
	assert_non_null(live->history);
	assert_int_equal(history_note_tick(live->history, &live->model), 0);
}

static void stop(struct live *live)
{
	history_free(live->history);
	model_release(&live->model);
	for (size_t i = 0; i < KEPT; i++)
		free(live->looked[i]);
}

/*
 * What logs say is not kept, and how long holds usually are only about so: there what was OVERDUE
 * when is what counts. With what a log says a lock is judged anew more often, and what comes with
 * time alone is newer then.
 */
static void strip(json_t *locks, bool has_log)
{
	static const char *const words[] = {"why", "recommendation"};
	json_t *lock;
	size_t i;

	json_array_foreach(locks, i, lock)
	{
		json_object_del(lock, "metrics");
		json_object_del(lock, "usual_n");
		json_object_del(lock, "usual_p99_ms");
		if (has_log)
			json_object_del(lock, "flags");
		for (size_t k = 0; k < 2; k++)
			if (strstr(json_string_value(json_object_get(lock, words[k])), "usual"))
				json_object_del(lock, words[k]);
	}
}

static int compare_lines(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* What happened at the same time may have done so in any order. */
static json_t *sorted(json_t *array)
{
	size_t n = json_array_size(array);
	char **line = calloc(n + 1, sizeof *line);
	json_t *result = json_array();

	for (size_t i = 0; i < n; i++)
		line[i] = json_dumps(json_array_get(array, i), 0);
	qsort(line, n, sizeof *line, compare_lines);
	for (size_t i = 0; i < n; i++) {
		json_array_append_new(result, json_string(line[i]));
		free(line[i]);
	}
	free(line);
	json_decref(array);
	return result;
}

/* All that a screen could show of it. */
static char *look(const struct model *model, bool has_log)
{
	static const struct selection all = {.sort = COLUMN_NAME};
	struct entry **entry = NULL;
	size_t n = 0, size = 0;
	json_t *json, *happened = json_array(), *sources = json_array();
	char *text;

	assert_int_equal(model_select(model, &all, &entry, &n, &size), 0);
	json = model_to_json(model, entry, n);
	for (size_t i = 0; i < (has_log ? 1000 : 40) && model_happening(model, i); i++) {
		const struct happening *h = model_happening(model, i);

		json_array_append_new(
			happened, json_pack("[I, i, s?, s, s]", (json_int_t)h->at, (int)h->source,
					  h->name, state_word(h->state), h->text));
	}
	for (size_t i = 0; i < model->sources; i++) {
		const struct model_source *s = &model->source[i];

		json_array_append_new(sources,
			json_pack("[i, b, b, i, I, s?]", (int)s->restarts, (int)s->is_complete,
				(int)s->is_polling, (int)s->past, (json_int_t)s->data_at, s->note));
	}
	strip(json_object_get(json, "locks"), has_log);
	json_object_set_new(json, "happened", has_log ? sorted(happened) : happened);
	json_object_set_new(json, "more", sources);
	text = json_dumps(json, JSON_SORT_KEYS | JSON_INDENT(1));
	json_decref(json);
	free(entry);
	assert_non_null(text);
	return text;
}

/* What is kept of the live model after the last step, to compare with later. */
static void keep(struct live *live)
{
	uint64_t end = history_end(live->history);

	if (live->is_blind)
		return;
	assert_true(end - live->steps <= 1);
	if (end == live->steps)
		return;
	assert_true(end <= KEPT);
	live->looked[live->steps++] = look(&live->model, live->has_log);
}

static void tick(struct live *live, int64_t mono, int64_t wall)
{
	model_tick(&live->model, live->model.now + mono, live->model.now_wall + wall);
	assert_int_equal(history_note_tick(live->history, &live->model), 0);
	keep(live);
}

static void pass(struct live *live, int64_t ns)
{
	tick(live, ns, ns);
}

static void tell(struct live *live, size_t source, const struct event *event)
{
	assert_int_equal(model_apply(&live->model, source, event), 0);
	assert_int_equal(history_note(live->history, &live->model, source, event), 0);
	keep(live);
}

static void tell_state(struct live *live, size_t source, enum source_state state, const char *text)
{
	assert_int_equal(model_source_is(&live->model, source, state, text), 0);
	assert_int_equal(history_note_state(live->history, &live->model, source), 0);
	keep(live);
}

static void tell_lock(struct live *live, size_t source, struct lock *lock)
{
	struct event event = {.kind = EVENT_LOCK, .at = live->model.now_wall, .lock = lock};

	assert_non_null(lock);
	tell(live, source, &event);
	lock_unref(lock);
}

static void tell_scanned(struct live *live, size_t source)
{
	struct event event = {
		.kind = EVENT_SCANNED,
		.at = live->model.now_wall - 1,
		.every = S(1),
		.took = 1 + below(1000),
	};

	tell(live, source, &event);
}

static void tell_gone(struct live *live, size_t source, const char *name)
{
	struct event event = {.kind = EVENT_GONE, .at = live->model.now_wall, .name = (char *)name};

	tell(live, source, &event);
}

/* A file that a process has had for so many seconds. */
static struct lock *held(const struct live *live, const char *name, int32_t pid, int64_t age)
{
	struct lock *lock = lock_new(name);
	struct process *holder = lock_add_holder(lock);

	lock->kind = LOCK_FILE;
	lock->record = (struct record){.format = RECORD_PLAIN, .pid = pid, .fence = -1, .uid = -1};
	lock->record.time = live->model.now_wall / NS_PER_S - age;
	lock->since = live->model.now_wall - S(age);
	lock->since_mono = live->model.now - S(age);
	snprintf(lock->version, sizeof lock->version, "v-%s-%d", name, (int)pid);
	holder->pid = pid;
	holder->life = LIFE_ALIVE;
	holder->started = lock->since - S(1);
	return lock;
}

/* Texts of hundreds of lines: what differs, and what stands before it. */
static void assert_same(const char *was, const char *made, uint64_t step)
{
	size_t i = 0, from;

	while (was[i] && was[i] == made[i])
		i++;
	if (was[i] == made[i])
		return;
	from = i > 700 ? i - 700 : 0;
	print_error("step %d, behind\n%.*s\n", (int)step, (int)(i - from), was + from);
	print_error("--- was\n%.300s\n", was + i);
	print_error("--- and is made as\n%.300s\n", made + i);
	fail();
}

static void assert_same_as_then(const struct live *live, uint64_t step)
{
	struct model past;
	char *text;

	assert_int_equal(history_model(live->history, &live->model, step, &past), 0);
	assert_int_equal(past.now_wall, history_step_at(live->history, step));
	text = look(&past, live->has_log);
	assert_same(live->looked[step], text, step);
	free(text);
	model_release(&past);
}

static void assert_all_as_then(const struct live *live)
{
	for (uint64_t i = history_first(live->history); i < history_end(live->history); i++)
		assert_same_as_then(live, i);
}

/* --- the property --------------------------------------------------------------------------- */

static void random_event(struct live *live, size_t source)
{
	static const char *const texts[] = {NULL, "", "polling", "a fault \\x1b"};
	struct event event = {.at = live->model.now_wall - below(3)};
	char name[16];

	snprintf(name, sizeof name, "lock-%d", below(NAMES));
	switch (below(12)) {
	default:
		event.kind = EVENT_LOCK;
		event.lock = below(2) ? random_lock(name, live->model.now)
				      : held(live, name, 1 + below(3), below(1200));
		break;
	case 0:
	case 1:
		event.kind = EVENT_GONE;
		event.name = name;
		break;
	case 2:
		event.kind = EVENT_FAULT;
		event.text = (char *)texts[below(4)];
		break;
	case 3:
		event.kind = EVENT_DONE;
		event.outcome = (enum outcome)below(OUTCOME_COUNT);
		event.name = below(2) ? name : NULL;
		event.text = (char *)texts[below(4)];
		break;
	case 4:
	case 5:
	case 6:
		event.kind = EVENT_SCANNED;
		event.is_polling = below(10) == 0;
		event.text = below(10) ? NULL : (char *)texts[below(3)];
		event.host = below(2) ? (char *)"app3" : NULL;
		event.every = S(1);
		event.took = below(1000);
		break;
	}
	tell(live, source, &event);
	lock_unref(event.lock);
}

/* The log says how long one of those locks was held: that moves what is usual. */
static void random_holds(struct live *live)
{
	struct sample sample = {.backend = (char *)"file", .seconds = 60};
	struct event event = {.kind = EVENT_SAMPLE, .sample = &sample};
	char lock[32];

	snprintf(lock, sizeof lock, "lock-%d", below(NAMES));
	sample.source = (char *)"file:/run/lock";
	sample.lock = lock;
	sample.last = live->model.now_wall - S(below(7200));
	sample.from = sample.last / S(60) * 60;
	sample.tally.count[METRIC_RELEASED] = 1;
	assert_int_equal(
		histogram_add(&sample.tally.hold, S(1 + below(300)), (uint64_t)below(40)), 0);
	tell(live, LOG, &event);
	histogram_release(&sample.tally.hold);
}

static void random_change(struct live *live)
{
	size_t source = (size_t)below(SOURCES);
	int64_t time = below(3) ? S(below(200)) / 10 : S(below(900));

	if (live->has_log && below(3) == 0) {
		random_holds(live);
		if (below(5) == 0)
			tell_scanned(live, LOG);
		return;
	}
	switch (below(16)) {
	case 0: tick(live, time, time + (below(3) - 1) * S(3600)); break; /* the clock is set */
	case 1:
		tell_state(live, source, (enum source_state)below(SOURCE_STATE_COUNT),
			below(3) ? NULL : "no answer");
		break;
	case 2:
	case 3:
	case 4: pass(live, time); break;
	default: random_event(live, source); break;
	}
}

static void check_all(bool has_log)
{
	for (unsigned int seed = 1; seed <= 12; seed++) {
		struct live live;
		int changes;

		srand(seed);
		start(&live, &small);
		live.has_log = has_log;
		changes = 20 + below(500);
		for (int i = 0; i < changes; i++)
			random_change(&live);
		assert_all_as_then(&live);
		stop(&live);
	}
}

static void every_step_is_made_as_it_was(void **state)
{
	(void)state;
	check_all(false);
}

/* What is OVERDUE because it takes longer than usual was so then, whatever is usual now. */
static void so_it_is_with_what_a_log_makes_overdue(void **state)
{
	(void)state;
	check_all(true);
}

/* --- what a step is ----------------------------------------------------------------------------
 */

static void signs_of_life_and_first_looks_are_no_steps(void **state)
{
	struct live live;

	(void)state;
	start(&live, NULL);
	tell_state(&live, 0, SOURCE_STARTING, NULL);
	for (int i = 0; i < 5; i++) {
		char name[24];

		snprintf(name, sizeof name, "name-%d", i);
		tell_lock(&live, 0, held(&live, name, 100 + i, 5));
	}
	assert_int_equal(history_end(live.history), 0);
	tell_scanned(&live, 0);
	assert_int_equal(history_end(live.history), 1); /* "first look: 5 locks" */
	for (int i = 0; i < 100; i++) {
		pass(&live, S(1));
		tell_scanned(&live, 0);
	}
	assert_int_equal(history_end(live.history), 1);
	pass(&live, S(500)); /* and so the five are OVERDUE, by time alone: one step */
	assert_int_equal(history_end(live.history), 2);
	assert_all_as_then(&live);
	stop(&live);
}

/* Ages and states are of then, and so is what had happened. */
static void time_stands_still_at_a_step(void **state)
{
	struct live live;
	struct model past;
	char text[400];

	(void)state;
	start(&live, NULL);
	tell_scanned(&live, 0);
	tell_lock(&live, 0, held(&live, "a", 7, 0));
	pass(&live, S(100));
	tell_lock(&live, 0, held(&live, "b", 8, 0));
	pass(&live, S(3600));
	tell_gone(&live, 0, "a");
	assert_int_equal(history_end(live.history), 5);

	assert_int_equal(history_model(live.history, &live.model, 2, &past), 0);
	assert_int_equal(model_age(&past, model_find(&past, 0, "a")), S(100));
	assert_int_equal(model_find(&past, 0, "a")->verdict.state, STATE_HELD);
	assert_int_equal(past.happened, 3);
	history_step_text(text, sizeof text, live.history, 2, &past);
	assert_non_null(strstr(text, "b: HELD: pid 8"));
	model_release(&past);

	assert_int_equal(history_model(live.history, &live.model, 3, &past), 0);
	assert_int_equal(model_find(&past, 0, "a")->verdict.state, STATE_OVERDUE);
	history_step_text(text, sizeof text, live.history, 3, &past);
	assert_non_null(strstr(text, "HELD -> OVERDUE"));
	assert_non_null(strstr(text, "(and 1 more)"));
	model_release(&past);

	assert_int_equal(history_model(live.history, &live.model, 4, &past), 0);
	assert_null(model_find(&past, 0, "a"));
	history_step_text(text, sizeof text, live.history, 4, &past);
	assert_string_equal(text, "a: OVERDUE -> gone: it is no longer there");
	model_release(&past);
	stop(&live);
}

/* One more that waits is no line of the events, but it is a change. */
static void what_is_no_event_is_said_too(void **state)
{
	struct live live;
	struct model past;
	struct lock *lock;
	char text[400];

	(void)state;
	start(&live, NULL);
	tell_scanned(&live, 0);
	tell_lock(&live, 0, held(&live, "a", 7, 0));
	lock = held(&live, "a", 7, 0);
	lock_add_waiter(lock)->pid = 9;
	tell_lock(&live, 0, lock);
	assert_int_equal(history_end(live.history), 3);
	assert_int_equal(history_model(live.history, &live.model, 2, &past), 0);
	history_step_text(text, sizeof text, live.history, 2, &past);
	assert_string_equal(text, "a: HELD, 1 waiting");
	model_release(&past);
	stop(&live);
}

static void tags_are_not_of_then(void **state)
{
	struct live live;
	struct model past;

	(void)state;
	start(&live, &small);
	tell_scanned(&live, 0);
	tell_lock(&live, 0, held(&live, "a", 7, 0));
	model_find(&live.model, 0, "a")->is_tagged = true;
	for (int i = 0; i < 40; i++)
		tell_lock(&live, 0, held(&live, "b", 8 + i, 0));
	assert_int_equal(
		history_model(live.history, &live.model, history_end(live.history) - 1, &past), 0);
	assert_false(model_find(&past, 0, "a")->is_tagged);
	model_release(&past);
	stop(&live);
}

/* --- finding -------------------------------------------------------------------------------------
 */

static void a_time_leads_to_the_last_step_before_it(void **state)
{
	struct live live;
	wall_t began;
	uint64_t step;

	(void)state;
	start(&live, NULL);
	assert_int_equal(history_since(live.history), 0);
	assert_int_equal(history_find(live.history, INT64_MAX, &step), -ENOENT);
	pass(&live, S(10));
	tell_scanned(&live, 0);
	began = live.model.now_wall;
	assert_int_equal(history_since(live.history), began);
	for (int i = 0; i < 5; i++) {
		pass(&live, S(10));
		tell_lock(&live, 0, held(&live, "a", 7 + i, 0));
	}
	assert_int_equal(history_find(live.history, began - 1, &step), -ENOENT);
	assert_int_equal(history_find(live.history, began, &step), 0);
	assert_int_equal(step, 0);
	assert_int_equal(history_find(live.history, began + S(25), &step), 0);
	assert_int_equal(step, 2);
	assert_int_equal(history_step_at(live.history, step), began + S(20));
	assert_int_equal(history_find(live.history, INT64_MAX, &step), 0);
	assert_int_equal(step, 5);
	assert_int_equal(history_step_at(live.history, 6), 0);
	/* The clock is set back: what is shown as the later time is not always the later one. */
	tick(&live, S(1), -S(30));
	tell_lock(&live, 0, held(&live, "a", 100, 0));
	assert_int_equal(history_find(live.history, began + S(25), &step), 0);
	assert_int_equal(step, 6);
	stop(&live);
}

/* --- bounds --------------------------------------------------------------------------------------
 */

static void the_oldest_go_first(void **state)
{
	struct live live;
	struct model past;

	(void)state;
	start(&live, &small);
	tell_scanned(&live, 0);
	for (int i = 0; i < 1000; i++) {
		pass(&live, S(1));
		tell_lock(&live, 0, held(&live, "a", 7 + i, 0));
	}
	assert_int_equal(history_end(live.history), 1001);
	assert_in_range(history_first(live.history), 1001 - 200, 1001 - 150);
	assert_int_equal(history_model(live.history, &live.model, 3, &past), -ENOENT);
	assert_int_equal(history_model(live.history, &live.model, 1001, &past), -ENOENT);
	assert_all_as_then(&live);
	stop(&live);
}

/* Changes so many, and locks so large, that bytes are what is short. */
static void it_takes_no_more_memory_than_it_may(void **state)
{
	const struct history_limits limits = {.bytes = 1024 * 1024};
	struct live live;
	size_t most = 0;
	char name[600];

	(void)state;
	start(&live, &limits);
	live.is_blind = true;
	tell_scanned(&live, 0);
	for (int i = 0; i < 3500; i++) {
		memset(name, 'x', sizeof name);
		snprintf(name + 500, sizeof name - 500, "%d", i % 100);
		pass(&live, S(1));
		tell_lock(&live, 0, held(&live, name, 7 + i, 0));
		most = history_bytes(live.history) > most ? history_bytes(live.history) : most;
	}
	assert_in_range(most, 700 * 1024, 1024 * 1024);
	assert_true(history_end(live.history) - history_first(live.history) > 200);
	stop(&live);
}

static void a_list_too_long_is_not_kept_and_that_is_said(void **state)
{
	const struct history_limits limits = {.bytes = 256 * 1024};
	struct live live;
	char name[32];

	(void)state;
	start(&live, &limits);
	live.is_blind = true;
	tell_scanned(&live, 0);
	for (int i = 0; i < 1500; i++) {
		snprintf(name, sizeof name, "lock-%d", i);
		tell_lock(&live, 0, held(&live, name, 7, 0));
	}
	assert_true(history_is_too_long(live.history));
	assert_int_equal(history_bytes(live.history), 0);
	assert_int_equal(history_first(live.history), history_end(live.history));
	for (int i = 0; i < 1490; i++) {
		snprintf(name, sizeof name, "lock-%d", i);
		tell_gone(&live, 0, name);
	}
	assert_false(history_is_too_long(live.history));
	assert_true(history_first(live.history) < history_end(live.history));
	assert_true(history_bytes(live.history) > 0);
	stop(&live);
}

/* 20,000 locks that come and change: what is kept of whole lists stays small. */
static void a_long_list_is_not_copied_all_the_time(void **state)
{
	enum { MANY = 20000 };
	struct live live;
	struct model past;
	char name[32];

	(void)state;
	start(&live, NULL);
	for (int i = 0; i < MANY; i++) {
		snprintf(name, sizeof name, "lock-%05d", i);
		tell_lock(&live, 0, held(&live, name, 7, 0));
	}
	tell_scanned(&live, 0);
	for (int i = 0; i < 3000; i++) {
		struct event event = {.kind = EVENT_LOCK, .at = live.model.now_wall};

		snprintf(name, sizeof name, "lock-%05d", i);
		event.lock = held(&live, name, 8, 0);
		model_apply(&live.model, 0, &event);
		assert_int_equal(history_note(live.history, &live.model, 0, &event), 0);
		lock_unref(event.lock);
	}
	assert_true(history_bytes(live.history) <= HISTORY_BYTES);
	assert_true(history_end(live.history) - history_first(live.history) >= 2500);
	assert_int_equal(
		history_model(live.history, &live.model, history_end(live.history) - 1, &past), 0);
	assert_int_equal(past.entries, MANY);
	assert_int_equal(model_find(&past, 0, "lock-02999")->lock->record.pid, 8);
	model_release(&past);
	stop(&live);
}

/* --- no memory -----------------------------------------------------------------------------------
 */

static int make_first(void *data)
{
	struct live *live = data;
	struct model past;
	int result =
		history_model(live->history, &live->model, history_end(live->history) - 1, &past);

	if (result == 0)
		model_release(&past);
	return result;
}

static void a_model_that_cannot_be_made_is_told(void **state)
{
	struct live live;

	(void)state;
	start(&live, &small);
	tell_scanned(&live, 0);
	for (int i = 0; i < 20; i++)
		tell_lock(&live, 0, held(&live, "a", 7 + i, 0));
	assert_true(fail_every_allocation(make_first, &live) > 20);
	assert_all_as_then(&live);
	stop(&live);
}

/* Whichever allocation fails, it forgets, says so, and goes on. */
static void without_memory_it_forgets_and_begins_anew(void **state)
{
	(void)state;
	for (int n = 1; n < 60; n++) {
		struct live live;
		int forgot = 0;

		start(&live, &small);
		tell_scanned(&live, 0);
		for (int i = 0; i < 30; i++) {
			struct event event = {.kind = EVENT_FAULT,
				.at = live.model.now_wall,
				.text = i % 2 ? (char *)"broken" : NULL};

			assert_int_equal(model_apply(&live.model, 0, &event), 0);
			fail_allocation(i == 14 ? n : 0, false);
			if (history_note(live.history, &live.model, 0, &event) == -ENOMEM) {
				forgot++;
				assert_int_equal(
					history_first(live.history), history_end(live.history));
				assert_int_equal(history_bytes(live.history), 0);
			}
			allocations_failed();
			while (live.steps < history_end(live.history))
				live.looked[live.steps++] = look(&live.model, false);
		}
		assert_true(forgot <= 1);
		assert_true(history_end(live.history) - history_first(live.history) > 10);
		assert_all_as_then(&live);
		stop(&live);
		if (!forgot && n > 4)
			return;
	}
	fail_msg("it never had enough memory");
}

static void a_time_without_locks_has_sources(void **state)
{
	struct live live;
	struct model past;

	(void)state;
	start(&live, NULL);
	tell_scanned(&live, 0);
	assert_int_equal(history_blank(&live.model, S(1750000000), &past), 0);
	assert_int_equal(past.now_wall, S(1750000000));
	assert_int_equal(past.sources, 4);
	assert_int_equal(past.entries, 0);
	model_release(&past);
	stop(&live);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_step_is_made_as_it_was),
		cmocka_unit_test(so_it_is_with_what_a_log_makes_overdue),
		cmocka_unit_test(signs_of_life_and_first_looks_are_no_steps),
		cmocka_unit_test(time_stands_still_at_a_step),
		cmocka_unit_test(what_is_no_event_is_said_too),
		cmocka_unit_test(tags_are_not_of_then),
		cmocka_unit_test(a_time_leads_to_the_last_step_before_it),
		cmocka_unit_test(the_oldest_go_first),
		cmocka_unit_test(it_takes_no_more_memory_than_it_may),
		cmocka_unit_test(a_list_too_long_is_not_kept_and_that_is_said),
		cmocka_unit_test(a_long_list_is_not_copied_all_the_time),
		cmocka_unit_test(a_model_that_cannot_be_made_is_told),
		cmocka_unit_test(without_memory_it_forgets_and_begins_anew),
		cmocka_unit_test(a_time_without_locks_has_sources),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/*
 * A monitor on made-up locks, for the tests of the screen: a model that is fed with events, a
 * clock that stands still until told, and a record of what was asked for.
 */
#ifndef LOCKTOP_TESTS_SCENE_H
#define LOCKTOP_TESTS_SCENE_H

#include <locale.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <cmocka.h>

#include "base/error.h"
#include "ui/top.h"

#define SCENE_NOW  (1000000 * NS_PER_S)
#define SCENE_WALL (1760000000 * NS_PER_S) /* 2025-10-09 08:53:20 UTC */

struct scene {
	struct model model;
	struct policy policy;
	struct top top;
	struct canvas canvas;
	struct history *history; /* owned */
	int64_t asked;           /* how many deeds */
	struct deed deed;        /* the last of them */
	size_t source;
	int looked;
	bool is_deaf; /* ask() fails */
};

static inline int64_t scene_ask(
	void *data, size_t source, const struct deed *deed, struct error *err)
{
	struct scene *scene = data;

	if (scene->is_deaf)
		return error_set(err, -1, "the source is down");
	deed_release(&scene->deed);
	assert_int_equal(deed_copy(&scene->deed, deed), 0);
	scene->source = source;
	return ++scene->asked;
}

static inline void scene_look(void *data)
{
	struct scene *scene = data;

	scene->looked++;
}

/* The model is told something, and so is the history. */
static inline void scene_tell(struct scene *scene, size_t source, const struct event *event)
{
	assert_int_equal(model_apply(&scene->model, source, event), 0);
	assert_int_equal(history_note(scene->history, &scene->model, source, event), 0);
}

static inline void scene_source_is(
	struct scene *scene, size_t source, enum source_state state, const char *text)
{
	assert_int_equal(model_source_is(&scene->model, source, state, text), 0);
	assert_int_equal(history_note_state(scene->history, &scene->model, source), 0);
}

/* Time passes. */
static inline void scene_pass(struct scene *scene, int64_t seconds)
{
	model_tick(&scene->model, scene->model.now + seconds * NS_PER_S,
		scene->model.now_wall + seconds * NS_PER_S);
	assert_int_equal(history_note_tick(scene->history, &scene->model), 0);
}

static inline void scene_scanned(struct scene *scene, size_t source)
{
	struct event event = {
		.kind = EVENT_SCANNED,
		.at = scene->model.now_wall,
		.every = NS_PER_S,
		.took = 3 * NS_PER_MS,
		.locks = (int64_t)scene->model.source[source].n,
	};

	scene_tell(scene, source, &event);
	scene_source_is(scene, source, SOURCE_OK, NULL);
}

static inline void scene_init(struct scene *scene, int glyphs, int rows, int cols)
{
	setlocale(LC_CTYPE, "C.UTF-8");
	setenv("TZ", "UTC", 1);
	tzset();
	memset(scene, 0, sizeof *scene);
	assert_int_equal(model_init(&scene->model, "web1"), 0);
	assert_int_equal(model_add_source(&scene->model, "file:/run/lock"), 0);
	model_tick(&scene->model, SCENE_NOW, SCENE_WALL);
	scene->history = history_new(NULL);
	assert_non_null(scene->history);
	assert_int_equal(history_note_tick(scene->history, &scene->model), 0);
	top_init(&scene->top, &scene->model, &scene->policy, &glyphs_table[glyphs]);
	scene->top.history = scene->history;
	scene->top.ask = scene_ask;
	scene->top.look = scene_look;
	scene->top.data = scene;
	scene->top.rows = rows;
	scene->top.cols = cols;
	assert_int_equal(canvas_init(&scene->canvas, rows, cols), 0);
}

static inline void scene_release(struct scene *scene)
{
	deed_release(&scene->deed);
	top_release(&scene->top);
	history_free(scene->history);
	model_release(&scene->model);
	canvas_release(&scene->canvas);
}

/* A plain lock file of a process, taken age seconds ago. */
static inline struct lock *scene_lock(
	const struct scene *scene, const char *name, int32_t pid, enum life life, int64_t age)
{
	struct lock *lock = lock_new(name);
	struct process *holder;

	assert_non_null(lock);
	lock->kind = LOCK_FILE;
	lock->class = LOCK_CLASS_KERNEL;
	lock->kernel = KERNEL_VIEW_COMPLETE;
	lock->ino = 1234;
	lock->dev = 2049;
	snprintf(lock->version, sizeof lock->version, "v-%s-%d", name, (int)pid);
	if (!pid) {
		lock->record.format = RECORD_EMPTY;
		return lock;
	}
	lock->record = (struct record){
		.format = RECORD_PLAIN,
		.pid = pid,
		.time = (SCENE_WALL / NS_PER_S) - age,
		.fence = -1,
		.uid = -1,
	};
	lock->since = SCENE_WALL - age * NS_PER_S;
	lock->since_mono = SCENE_NOW - age * NS_PER_S;
	holder = lock_add_holder(lock);
	assert_non_null(holder);
	holder->pid = pid;
	holder->life = life;
	(void)scene;
	if (life == LIFE_ALIVE) {
		holder->start = 5000;
		holder->started = lock->since - NS_PER_S;
		snprintf(holder->comm, sizeof holder->comm, "php");
		holder->user = strdup("deploy");
		holder->command = strdup("php import.php --full");
	}
	return lock;
}

/* The source says that lock; takes it over. */
static inline void scene_put(struct scene *scene, size_t source, struct lock *lock)
{
	struct event event = {.kind = EVENT_LOCK, .at = scene->model.now_wall, .lock = lock};

	scene_tell(scene, source, &event);
	lock_unref(lock);
}

static inline void scene_gone(struct scene *scene, size_t source, const char *name)
{
	struct event event = {
		.kind = EVENT_GONE, .at = scene->model.now_wall, .name = (char *)name};

	scene_tell(scene, source, &event);
}

/* Two stale, two overdue, two held, one free. */
static inline void scene_fill(struct scene *scene)
{
	struct lock *lock = scene_lock(scene, "import.lock", 4711, LIFE_GONE, 8040);
	struct process *waiter = lock_add_waiter(lock);

	waiter->pid = 5820;
	snprintf(waiter->comm, sizeof waiter->comm, "cron");
	waiter = lock_add_waiter(lock);
	waiter->pid = 6001;
	waiter->user = strdup("deploy");
	scene_put(scene, 0, lock);
	scene_put(scene, 0, scene_lock(scene, "cache-warm.lock", 3990, LIFE_GONE, 300));
	scene_put(scene, 0, scene_lock(scene, "backup.lock", 7020, LIFE_ALIVE, 3000));
	scene_put(scene, 0, scene_lock(scene, "report.lock", 7021, LIFE_ALIVE, 1200));
	scene_put(scene, 0, scene_lock(scene, "story.lock", 7022, LIFE_ALIVE, 95));
	scene_put(scene, 0, scene_lock(scene, "mail.lock", 7023, LIFE_ALIVE, 4));
	scene_put(scene, 0, scene_lock(scene, "idle.lock", 0, LIFE_UNKNOWN, 0));
	scene_scanned(scene, 0);
}

static inline void scene_draw(struct scene *scene)
{
	top_update(&scene->top);
	canvas_clear(&scene->canvas);
	top_draw(&scene->top, &scene->canvas);
}

/* Draws at another size. */
static inline void scene_resize(struct scene *scene, int rows, int cols)
{
	canvas_release(&scene->canvas);
	assert_int_equal(canvas_init(&scene->canvas, rows, cols), 0);
	scene->top.rows = rows;
	scene->top.cols = cols;
}

/* One key after the other, each on a screen that shows what the one before did. */
static inline void scene_keys(struct scene *scene, const char *keys)
{
	for (; *keys; keys++) {
		top_key(&scene->top, *keys == '\n' ? KEY_RETURN : (unsigned char)*keys);
		top_update(&scene->top);
	}
}

/* Is that text anywhere on the screen as last drawn? */
static inline bool scene_shows(const struct scene *scene, const char *text)
{
	char *dump = canvas_dump(&scene->canvas);
	bool found;

	assert_non_null(dump);
	found = strstr(dump, text) != NULL;
	free(dump);
	return found;
}

#define assert_shows(scene, text)                                          \
	do {                                                               \
		scene_draw(scene);                                         \
		if (!scene_shows(scene, text)) {                           \
			char *dump_ = canvas_dump(&(scene)->canvas);       \
                                                                           \
			print_error("%s", dump_);                          \
			free(dump_);                                       \
			fail_msg("the screen does not show \"%s\"", text); \
		}                                                          \
	} while (0)

#endif

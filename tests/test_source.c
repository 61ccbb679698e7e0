/*
 * A source process, run in this one: its clock is the director. Whenever the source has nothing
 * to do, the next step of the film is played; then something is ready, or time is made to pass.
 */
#include "config.h"
#include "engine/source.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/error.h"
#include "base/jsonl.h"

enum { PATIENCE_MS = 20000, LOCKS = 4 };

struct film;

/* What happens after a step. */
enum next {
	READY, /* the step has made something ready */
	WAIT,  /* something will be, in the real time of real processes */
	JUMP,  /* nothing: time goes on to the next deadline */
};

typedef enum next step_fn(struct film *film);

/* A place of locks, as the film wants it. */
struct stage {
	struct {
		const char *name; /* NULL: none */
		const char *version;
		int32_t pid; /* of the holder; 0 nobody */
		enum life life;
		bool is_unread; /* the kernel was not asked yet */
		int waiters;
	} lock[LOCKS];
	size_t many;    /* locks beside these, to make a lot of output */
	int generation; /* of their versions */
	int fails;      /* -errno */
	const char *why;
	mono_t next;  /* from each scan; 0: MONO_NEVER */
	mono_t takes; /* fake time that a scan takes, progress told in the middle */
	bool is_polling, is_final;
	int parts;        /* looks that are not complete yet */
	size_t samples;   /* that each look tells */
	int64_t fat;      /* different durations in each of them */
	size_t told;      /* samples, ever */
	size_t told_most; /* of a look that was not over yet when the reader had its turn */
	size_t line;      /* bytes of each */
	uint64_t bad;
	int hint[2]; /* a pipe */
	int scans, hinted, hints, opened, closed;
	int32_t ended;
	char released[64];
};

struct film {
	struct clock_fake fake;
	struct clock clock;
	struct world world;
	struct settings settings;
	struct source_options options;
	step_fn *const *step;
	int to[2], from[2]; /* socketpairs: [0] is the source's end */
	struct jsonl_reader reader;
	json_t *event; /* owned; the last that was taken */
	struct stage stage;
	struct error err;
	pid_t child;
	int result;
	char folder[200], audit[240], metrics[240];
	mono_t mark;
	int looks;
};

static struct stage *the_stage; /* of open(), which cannot be given one */

/* --- the fake backend --- */

static int stage_open(void **state, const struct world *world, const struct here *here,
	const struct uri *uri, struct error *err)
{
	(void)world;
	(void)here;
	(void)err;
	the_stage->opened++;
	assert_string_equal(uri->scheme, "fake");
	*state = the_stage;
	return 0;
}

static void stage_close(void *state)
{
	((struct stage *)state)->closed++;
}

static struct lock *make_lock(const struct stage *stage, int i)
{
	struct lock *lock = lock_new(stage->lock[i].name);
	struct process *process;

	assert_non_null(lock);
	lock->kind = LOCK_FILE;
	lock->kernel = stage->lock[i].is_unread ? KERNEL_VIEW_UNREAD : KERNEL_VIEW_COMPLETE;
	snprintf(lock->version, sizeof lock->version, "%s", stage->lock[i].version);
	if (stage->lock[i].pid) {
		process = lock_add_holder(lock);
		process->pid = stage->lock[i].pid;
		process->life = stage->lock[i].life;
		process->from_kernel = true;
	}
	for (int k = 0; k < stage->lock[i].waiters; k++) {
		process = lock_add_waiter(lock);
		process->pid = 1000 + k;
		process->command = strdup("a command line of a certain length, as they have it "
					  "who wait in a row for a lock that everybody wants");
	}
	return lock;
}

static void put_many(const struct stage *stage, struct snapshot *snapshot, size_t from, size_t to)
{
	char name[40];

	for (size_t i = from; i < to; i++) {
		struct lock *lock;

		snprintf(name, sizeof name, "many-%06zu", i);
		lock = lock_new(name);
		lock->kernel = KERNEL_VIEW_COMPLETE;
		snprintf(lock->version, sizeof lock->version, "%d", stage->generation);
		assert_int_equal(snapshot_put(snapshot, lock), 0);
	}
}

static struct film *film_of(struct stage *stage)
{
	return (struct film *)((char *)stage - offsetof(struct film, stage));
}

static int tell_samples(struct stage *stage, const struct backend_scan *scan)
{
	struct sample sample = {.lock = (char *)"s", .from = 1000000, .seconds = 1};
	struct buf line = {0};
	int result = 0;

	sample.tally.count[METRIC_ACQUIRED] = 1;
	for (int64_t us = 1; us <= stage->fat; us++)
		histogram_add(&sample.tally.wait, us * us * 1000, 1);
	assert_int_equal(event_write_sample(&line, &sample, 0), 0);
	stage->line = line.len;
	buf_release(&line);
	for (size_t i = 0; i < stage->samples && result >= 0; i++, stage->told++)
		result = scan->sample(scan->sample_data, &sample);
	tally_release(&sample.tally);
	return result;
}

static int stage_scan(void *state, struct backend_scan *scan, struct error *err)
{
	struct stage *stage = state;
	struct film *film = film_of(stage);
	int result = tell_samples(stage, scan);

	if (result < 0)
		return result;
	scan->bad = stage->bad;
	scan->is_partial = stage->parts > 0;
	stage->parts -= scan->is_partial;
	stage->scans++;
	stage->hinted += scan->is_hinted;
	scan->next = stage->next ? film->fake.mono + stage->next : MONO_NEVER;
	if (stage->fails)
		return error_set(err, stage->fails, "%s", stage->why);
	for (int i = 0; i < LOCKS; i++)
		if (stage->lock[i].name)
			snapshot_put(scan->snapshot, make_lock(stage, i));
	put_many(stage, scan->snapshot, 0, stage->many / 2);
	for (int part = 0; part < 2 && stage->takes; part++) {
		film->fake.mono += stage->takes / 2;
		film->fake.wall += stage->takes / 2;
		result = scan->progress(scan->progress_data, scan->snapshot);
		if (result < 0)
			return result;
	}
	put_many(stage, scan->snapshot, stage->many / 2, stage->many);
	scan->is_polling = stage->is_polling;
	scan->is_final = stage->is_final;
	if (stage->is_polling)
		snprintf(scan->note, sizeof scan->note, "polling: it is a fake");
	return 0;
}

static int stage_hint_fd(void *state)
{
	return ((struct stage *)state)->hint[0];
}

static bool stage_hint(void *state)
{
	struct stage *stage = state;
	char bytes[64];

	stage->hints++;
	return read(stage->hint[0], bytes, sizeof bytes) > 0;
}

static void stage_ended(void *state, int32_t pid)
{
	struct stage *stage = state;

	stage->ended = pid;
	for (int i = 0; i < LOCKS; i++)
		if (stage->lock[i].pid == pid)
			stage->lock[i].life = LIFE_GONE;
}

static int stage_look(void *state, const char *name, struct lock **lock, struct error *err)
{
	struct stage *stage = state;

	for (int i = 0; i < LOCKS; i++) {
		if (!stage->lock[i].name || strcmp(stage->lock[i].name, name) != 0)
			continue;
		*lock = make_lock(stage, i);
		return 0;
	}
	return error_set(err, -ENOENT, "there is no lock %s", name);
}

static int stage_release(
	void *state, const char *name, struct backend_release *how, struct error *err)
{
	struct stage *stage = state;

	(void)err;
	snprintf(stage->released, sizeof stage->released, "%s", name);
	snprintf(how->done, sizeof how->done, "released %s", name);
	return 0;
}

static const struct backend backend_fake = {
	.scheme = "fake",
	.open = stage_open,
	.close = stage_close,
	.scan = stage_scan,
	.hint_fd = stage_hint_fd,
	.hint = stage_hint,
	.ended = stage_ended,
	.look = stage_look,
	.release = stage_release,
};

/* --- the director --- */

static mono_t film_mono(const struct clock *clock)
{
	return ((struct film *)clock->data)->fake.mono;
}

static wall_t film_wall(const struct clock *clock)
{
	return ((struct film *)clock->data)->fake.wall;
}

static int film_wait(const struct clock *clock, struct pollfd *fds, unsigned int n, mono_t deadline,
	const sigset_t *mask)
{
	struct film *film = clock->data;
	enum next next;
	int ready = poll(fds, n, 0);

	(void)mask;
	if (ready)
		return ready;
	assert_non_null(*film->step); /* the film should have ended by now */
	next = (*film->step++)(film);
	if (next == WAIT)
		ready = poll(fds, n, PATIENCE_MS);
	else
		ready = poll(fds, n, 0);
	assert_true(next == JUMP || ready > 0);
	if (ready)
		return ready;
	assert_true(deadline != MONO_NEVER);
	if (deadline > film->fake.mono) {
		film->fake.wall += deadline - film->fake.mono;
		film->fake.mono = deadline;
	}
	return 0;
}

static int set_up(void **state)
{
	struct film *film = calloc(1, sizeof *film);
	const char *tmp = getenv("TMPDIR");

	snprintf(film->folder, sizeof film->folder, "%s/source-XXXXXX", tmp ? tmp : "/tmp");
	if (!mkdtemp(film->folder))
		return -1;
	snprintf(film->audit, sizeof film->audit, "%s/audit.jsonl", film->folder);
	snprintf(film->metrics, sizeof film->metrics, "%s/metrics.jsonl", film->folder);
	film->fake = (struct clock_fake){.mono = 5000 * NS_PER_S, .wall = 1000000 * NS_PER_S};
	film->clock = (struct clock){
		.mono = film_mono, .wall = film_wall, .wait = film_wait, .data = film};
	if (world_open(&film->world, NULL, &film->clock, NULL) < 0 ||
		socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, film->to) < 0 ||
		socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, film->from) < 0 ||
		pipe2(film->stage.hint, O_NONBLOCK | O_CLOEXEC) < 0)
		return -1;
	fcntl(film->from[1], F_SETFL, O_RDWR | O_NONBLOCK);
	jsonl_reader_init(&film->reader, film->from[1]);
	film->settings = (struct settings){
		.limit = 600 * NS_PER_S, .audit = film->audit, .metrics = film->metrics};
	film->options = (struct source_options){.world = &film->world,
		.settings = &film->settings,
		.uri = "fake:",
		.in = film->to[0],
		.out = film->from[0],
		.backend = &backend_fake};
	the_stage = &film->stage;
	*state = film;
	return 0;
}

static void close_fd(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

static int tear_down(void **state)
{
	struct film *film = *state;

	if (film->child) {
		kill(film->child, SIGKILL);
		waitpid(film->child, NULL, 0);
	}
	json_decref(film->event);
	jsonl_reader_release(&film->reader);
	for (int i = 0; i < 2; i++) {
		close_fd(&film->to[i]);
		close_fd(&film->from[i]);
		close_fd(&film->stage.hint[i]);
	}
	world_close(&film->world);
	unlink(film->audit);
	unlink(film->metrics);
	rmdir(film->folder);
	free(film);
	return 0;
}

static void play(struct film *film, step_fn *const *steps)
{
	film->step = steps;
	film->result = source_run(&film->options, &film->err);
	assert_null(*film->step); /* every step was played */
	assert_int_equal(film->stage.opened, film->stage.closed);
}

/* The next event, or NULL when there is none now. */
static json_t *next_event(struct film *film)
{
	json_decref(film->event);
	film->event = jsonl_next(&film->reader);
	while (!film->event && jsonl_fill(&film->reader) > 0)
		film->event = jsonl_next(&film->reader);
	assert_int_equal(film->reader.bad, 0);
	return film->event;
}

static void expect(struct film *film, const char *kind)
{
	assert_non_null(next_event(film));
	assert_string_equal(json_text(film->event, "event", ""), kind);
}

static void expect_lock(struct film *film, const char *name, const char *version)
{
	const json_t *lock;

	expect(film, "lock");
	lock = json_object_get(film->event, "lock");
	assert_string_equal(json_text(lock, "name", ""), name);
	assert_string_equal(json_text(lock, "version", ""), version);
}

static void expect_named(struct film *film, const char *kind, const char *name)
{
	expect(film, kind);
	assert_string_equal(json_text(film->event, "name", ""), name);
}

static void expect_fault(struct film *film, const char *text)
{
	expect(film, "fault");
	assert_string_equal(json_text(film->event, "text", ""), text);
}

static void expect_nothing(struct film *film)
{
	assert_null(next_event(film));
}

static void ask(struct film *film, const char *line)
{
	assert_int_equal(write(film->to[1], line, strlen(line)), strlen(line));
}

/* Steps that many films have. */

static enum next the_end(struct film *film)
{
	close_fd(&film->to[1]);
	return READY;
}

static enum next time_passes(struct film *film)
{
	(void)film;
	return JUMP;
}

static void put_two(struct film *film)
{
	film->stage.lock[0].name = "a";
	film->stage.lock[0].version = "1";
	film->stage.lock[1].name = "b";
	film->stage.lock[1].version = "1";
}

static enum next two_were_seen(struct film *film)
{
	expect_lock(film, "a", "1");
	expect_lock(film, "b", "1");
	expect(film, "scanned");
	assert_int_equal(json_int(film->event, "locks", -1), 2);
	assert_true(json_num(film->event, "every_s", 0) == 1.0);
	expect_nothing(film);
	return JUMP;
}

/* --- the films --- */

static void the_first_look_is_told_and_then_scanned(void **state)
{
	step_fn *const steps[] = {time_passes, two_were_seen, the_end, NULL};

	put_two(*state);
	play(*state, steps);
	assert_int_equal(((struct film *)*state)->result, 0);
}

static enum next one_changes_one_goes(struct film *film)
{
	two_were_seen(film);
	film->stage.lock[0].name = NULL;
	film->stage.lock[1].version = "2";
	return JUMP;
}

static enum next only_that_is_told(struct film *film)
{
	expect_named(film, "gone", "a");
	expect_lock(film, "b", "2");
	expect(film, "scanned");
	expect_nothing(film);
	return the_end(film);
}

static void only_what_changed_is_told(void **state)
{
	step_fn *const steps[] = {time_passes, one_changes_one_goes, only_that_is_told, NULL};
	struct film *film = *state;

	put_two(film);
	film->stage.next = NS_PER_S / 2;
	play(film, steps);
}

static enum next a_second_was_silent(struct film *film)
{
	expect(film, "scanned");
	expect_nothing(film);
	assert_int_equal(film->fake.mono - film->mark, NS_PER_S);
	film->mark = film->fake.mono;
	return JUMP;
}

static enum next first_look_is_over(struct film *film)
{
	while (next_event(film))
		;
	film->mark = film->fake.mono;
	return JUMP;
}

static void a_sign_of_life_comes_each_second(void **state)
{
	step_fn *const steps[] = {time_passes, first_look_is_over, a_second_was_silent,
		a_second_was_silent, a_second_was_silent, the_end, NULL};
	struct film *film = *state;

	put_two(film);
	play(film, steps);
	assert_int_equal(film->stage.scans, 1);
}

/* --- samples of a log --- */

static void expect_samples(struct film *film, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		expect(film, "sample");
		assert_string_equal(json_text(film->event, "lock", ""), "s");
		assert_int_equal(json_int(film->event, "from", 0), 1000000);
	}
}

static enum next a_part_was_told(struct film *film)
{
	expect_samples(film, 3);
	expect_nothing(film);
	assert_true(film->fake.mono == film->mark); /* the rest is looked at at once */
	return JUMP;
}

static enum next all_was_told(struct film *film)
{
	expect_samples(film, 3);
	expect(film, "scanned");
	assert_int_equal(json_int(film->event, "bad", 0), 7);
	expect_nothing(film);
	return the_end(film);
}

static enum next it_begins(struct film *film)
{
	film->mark = film->fake.mono;
	return JUMP;
}

static void a_log_is_told_in_parts_and_then_scanned(void **state)
{
	step_fn *const steps[] = {it_begins, a_part_was_told, a_part_was_told, all_was_told, NULL};
	struct film *film = *state;

	film->stage.parts = 2;
	film->stage.samples = 3;
	film->stage.bad = 7;
	play(film, steps);
	assert_int_equal(film->result, 0);
	assert_int_equal(film->stage.scans, 3);
}

static void with_once_a_log_is_read_to_its_end(void **state)
{
	step_fn *const steps[] = {it_begins, a_part_was_told, a_part_was_told, NULL};
	struct film *film = *state;

	film->stage.parts = 2;
	film->stage.samples = 3;
	film->options.once = true;
	play(film, steps);
	assert_int_equal(film->result, 0);
	expect_samples(film, 3);
	expect(film, "scanned");
	assert_true(json_bool(film->event, "final", false));
	expect_nothing(film);
}

static enum next nothing_was_told(struct film *film)
{
	expect_nothing(film);
	return JUMP;
}

static void what_part_of_a_look_has_of_locks_does_not_count(void **state)
{
	step_fn *const steps[] = {time_passes, nothing_was_told, two_were_seen, the_end, NULL};
	struct film *film = *state;

	put_two(film);
	film->stage.parts = 1;
	play(film, steps);
}

static enum next it_lives(struct film *film)
{
	do {
		expect(film, "sample");
		assert_null(json_object_get(film->event, "lock"));
		assert_int_equal(json_object_size(json_object_get(film->event, "counts")), 0);
	} while (film->reader.buf.len > film->reader.at);
	expect_nothing(film);
	return JUMP;
}

static void a_log_that_takes_long_to_read_gives_signs_of_life(void **state)
{
	step_fn *const steps[] = {
		time_passes, it_lives, it_lives, first_look_is_over, the_end, NULL};
	struct film *film = *state;

	film->stage.parts = 2;
	film->stage.takes = 3 * NS_PER_S;
	play(film, steps);
}

/* Reads all there is, whenever the source waits for it. */
static enum next the_reader_wakes(struct film *film)
{
	struct stage *stage = &film->stage;
	size_t before = (size_t)film->looks;

	assert_in_range(stage->told, film->looks, stage->samples);
	if (stage->told - before > stage->told_most)
		stage->told_most = stage->told - before;
	while (next_event(film))
		if (strcmp(json_text(film->event, "event", ""), "sample") == 0)
			film->looks++;
	if (film->looks == (int)stage->samples)
		return JUMP;
	film->step--;
	return READY;
}

/* At most 8 MB, and what stands in the socket. */
static void no_sample_is_lost_to_a_slow_reader_and_no_heap_grows(void **state)
{
	step_fn *const steps[] = {time_passes, the_reader_wakes, the_end, NULL};
	struct film *film = *state;

	film->stage.samples = 1000;
	film->stage.fat = 4000;
	play(film, steps);
	assert_int_equal(film->looks, 1000);
	assert_in_range(film->stage.told_most * film->stage.line, 8000000, 9500000);
}

static enum next the_reader_is_gone(struct film *film)
{
	close_fd(&film->from[1]);
	film->reader.fd = -1;
	return READY;
}

static void a_reader_may_go_away_in_the_middle_of_a_log(void **state)
{
	step_fn *const steps[] = {time_passes, the_reader_is_gone, NULL};
	struct film *film = *state;

	film->stage.samples = 1000;
	film->stage.fat = 4000;
	film->options.in = -1;
	play(film, steps);
	assert_int_equal(film->result, 0);
	assert_in_range(film->stage.told * film->stage.line, 8000000, 9500000);
}

/* --- hints --- */

static enum next a_hint(struct film *film)
{
	assert_int_equal(write(film->stage.hint[1], "h", 1), 1);
	return READY;
}

static enum next quiet_then_a_hint(struct film *film)
{
	first_look_is_over(film);
	film->fake.mono += 300 * NS_PER_MS;
	film->mark = film->fake.mono;
	film->stage.lock[0].version = "2";
	return a_hint(film);
}

static enum next the_hint_was_looked_at(struct film *film)
{
	assert_in_range(film->fake.mono - film->mark, 0, 20 * NS_PER_MS);
	expect_lock(film, "a", "2");
	expect(film, "scanned");
	assert_int_equal(film->stage.scans, 2);
	assert_int_equal(film->stage.hinted, 1);
	return the_end(film);
}

static void a_hint_is_looked_at_within_the_window(void **state)
{
	step_fn *const steps[] = {
		time_passes, quiet_then_a_hint, time_passes, the_hint_was_looked_at, NULL};
	struct film *film = *state;

	put_two(film);
	play(film, steps);
}

/* 2 ms after the last one, for ever. */
static enum next hints_never_end(struct film *film)
{
	film->fake.mono += 2 * NS_PER_MS;
	film->fake.wall += 2 * NS_PER_MS;
	while (next_event(film))
		;
	if (film->fake.mono - film->mark < 10 * NS_PER_S)
		film->step--;
	return a_hint(film);
}

static void a_burst_of_hints_is_gathered(void **state)
{
	step_fn *const steps[] = {time_passes, first_look_is_over, hints_never_end, the_end, NULL};
	struct film *film = *state;

	put_two(film);
	film->stage.next = NS_PER_S;
	play(film, steps);
	/* 10 s, a look each 20 ms at most. */
	assert_in_range(film->stage.scans, 100, 501);
	/* and the regular ones among them */
	assert_in_range(film->stage.scans - film->stage.hinted, 9, 12);
}

static void hints_leave_time_when_looks_are_long(void **state)
{
	step_fn *const steps[] = {time_passes, first_look_is_over, hints_never_end, the_end, NULL};
	struct film *film = *state;

	put_two(film);
	film->stage.takes = 400 * NS_PER_MS;
	play(film, steps);
	assert_in_range(film->stage.scans, 5, 9);
}

/* The first look and the next regular one are over. */
static enum next a_hint_after_a_regular_look(struct film *film)
{
	if (film->stage.scans < 2) {
		film->step--;
		return JUMP;
	}
	first_look_is_over(film);
	film->looks = film->stage.scans;
	return a_hint(film);
}

static enum next it_did_not_wait(struct film *film)
{
	assert_int_equal(film->stage.scans, film->looks + 1);
	assert_int_equal(film->fake.mono - film->mark, (5 + 40) * NS_PER_MS);
	return the_end(film);
}

static void a_regular_look_begins_no_burst(void **state)
{
	step_fn *const steps[] = {
		time_passes, a_hint_after_a_regular_look, time_passes, it_did_not_wait, NULL};
	struct film *film = *state;

	put_two(film);
	film->stage.next = NS_PER_S;
	film->stage.takes = 40 * NS_PER_MS;
	play(film, steps);
}

/* --- the end of holders --- */

static pid_t start_holder(struct film *film)
{
	film->child = fork();
	if (film->child == 0) {
		for (;;)
			pause();
	}
	assert_true(film->child > 0);
	return film->child;
}

static enum next the_holder_is_killed(struct film *film)
{
	first_look_is_over(film);
	kill(film->child, SIGKILL);
	return WAIT;
}

static enum next its_end_was_told_without_time_passing(struct film *film)
{
	const json_t *holder;

	assert_int_equal(film->fake.mono, film->mark);
	assert_int_equal(film->stage.ended, film->child);
	expect_lock(film, "a", "1");
	holder =
		json_array_get(json_object_get(json_object_get(film->event, "lock"), "holders"), 0);
	assert_string_equal(json_text(holder, "life", ""), "gone");
	expect(film, "scanned");
	expect_nothing(film);
	return the_end(film);
}

static void a_killed_holder_is_told_without_waiting(void **state)
{
	step_fn *const steps[] = {
		time_passes, the_holder_is_killed, its_end_was_told_without_time_passing, NULL};
	struct film *film = *state;

	put_two(film);
	film->stage.lock[0].pid = start_holder(film);
	film->stage.lock[0].life = LIFE_ALIVE;
	film->stage.next = NS_PER_S;
	play(film, steps);
	assert_int_equal(film->stage.scans, 2);
}

static enum next nobody_is_told(struct film *film)
{
	first_look_is_over(film);
	return the_end(film);
}

/* The lock goes on naming a dead pid: that must not make the source spin. */
static void a_holder_that_is_dead_already_makes_no_storm(void **state)
{
	step_fn *const steps[] = {
		time_passes, first_look_is_over, time_passes, nobody_is_told, NULL};
	struct film *film = *state;
	pid_t pid = start_holder(film);

	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	film->child = 0;
	put_two(film);
	film->stage.lock[0].pid = pid;
	film->stage.lock[0].life = LIFE_ALIVE;
	play(film, steps);
	assert_in_range(film->stage.scans, 2, 3);
}

static enum next another_dies_right_after(struct film *film)
{
	assert_int_equal(film->stage.scans, 2);
	assert_int_equal(film->fake.mono, film->mark);
	kill(film->child, SIGKILL);
	waitpid(film->child, NULL, 0);
	film->child = 0;
	return WAIT;
}

static enum next that_one_is_not_looked_at_yet(struct film *film)
{
	assert_int_equal(film->stage.scans, 2);
	return JUMP;
}

static enum next but_after_the_window(struct film *film)
{
	assert_int_equal(film->stage.scans, 3);
	assert_int_equal(film->fake.mono - film->mark, 20 * NS_PER_MS);
	return the_end(film);
}

static enum next the_first_is_killed(struct film *film)
{
	first_look_is_over(film);
	kill(film->stage.lock[0].pid, SIGKILL);
	waitpid(film->stage.lock[0].pid, NULL, 0);
	return WAIT;
}

static void deaths_in_a_row_are_gathered(void **state)
{
	step_fn *const steps[] = {time_passes, the_first_is_killed, another_dies_right_after,
		that_one_is_not_looked_at_yet, but_after_the_window, NULL};
	struct film *film = *state;

	put_two(film);
	for (int i = 0; i < 2; i++) {
		film->stage.lock[i].pid = start_holder(film);
		film->stage.lock[i].life = LIFE_ALIVE;
	}
	play(film, steps);
}

/* --- faults --- */

static enum next the_first_look_failed(struct film *film)
{
	expect_fault(film, "cannot read /fake: on strike");
	assert_false(json_bool(film->event, "fatal", false));
	expect_nothing(film);
	film->mark = film->fake.mono;
	return JUMP;
}

static enum next until_some_looks_failed(struct film *film)
{
	if (film->stage.scans < 8)
		film->step--;
	else
		film->stage.fails = 0;
	return JUMP;
}

/* 0.5 s, 1, 2, 4, 5, 5, 5: eight looks in 22.5 s; each second a sign of life. */
static enum next the_fault_was_repeated_and_is_over(struct film *film)
{
	int faults = 0;

	while (next_event(film) && strcmp(json_text(film->event, "event", ""), "fault") == 0)
		faults++;
	assert_in_range(faults, 20, 29);
	assert_string_equal(json_text(film->event, "event", ""), "lock");
	expect_lock(film, "b", "1");
	expect(film, "scanned");
	expect_nothing(film);
	assert_int_equal(film->stage.scans, 9);
	assert_int_equal((film->fake.mono - film->mark) / NS_PER_MS, 27500);
	return the_end(film);
}

static enum next wait_for_the_ninth_look(struct film *film)
{
	if (film->stage.scans < 9)
		film->step--;
	return film->stage.scans < 9 ? JUMP : the_fault_was_repeated_and_is_over(film);
}

static void a_fault_is_told_and_tried_again(void **state)
{
	step_fn *const steps[] = {time_passes, the_first_look_failed, until_some_looks_failed,
		wait_for_the_ninth_look, NULL};
	struct film *film = *state;

	put_two(film);
	film->stage.fails = -EIO;
	film->stage.why = "cannot read /fake: on strike";
	play(film, steps);
}

static enum next a_look_fails(struct film *film)
{
	first_look_is_over(film);
	film->stage.fails = -EACCES;
	film->stage.why = "no right";
	return JUMP;
}

static enum next what_was_known_stays(struct film *film)
{
	expect_fault(film, "no right");
	expect_nothing(film);
	film->stage.fails = 0;
	return JUMP;
}

static enum next nothing_was_said_twice(struct film *film)
{
	expect(film, "scanned");
	expect_nothing(film);
	film->stage.fails = -EACCES;
	return JUMP;
}

static enum next it_fails_anew(struct film *film)
{
	expect_fault(film, "no right");
	film->mark = film->fake.mono;
	film->looks = film->stage.scans;
	return JUMP;
}

static enum next after_the_shortest_pause(struct film *film)
{
	assert_int_equal(film->stage.scans, film->looks + 1);
	assert_int_equal(film->fake.mono - film->mark, 500 * NS_PER_MS);
	return the_end(film);
}

static void after_a_fault_only_changes_are_told(void **state)
{
	step_fn *const steps[] = {time_passes, a_look_fails, what_was_known_stays,
		nothing_was_said_twice, it_fails_anew, after_the_shortest_pause, NULL};
	struct film *film = *state;

	put_two(film);
	film->stage.next = NS_PER_S / 4;
	play(film, steps);
}

/* --- once, final --- */

static enum next it_becomes_known(struct film *film)
{
	expect_lock(film, "a", "1");
	expect_nothing(film); /* no scanned: the look is not complete */
	film->stage.lock[0].is_unread = false;
	return JUMP;
}

static void once_ends_when_the_kernel_was_asked(void **state)
{
	step_fn *const steps[] = {time_passes, it_becomes_known, NULL};
	struct film *film = *state;

	film->stage.lock[0].name = "a";
	film->stage.lock[0].version = "1";
	film->stage.lock[0].is_unread = true;
	film->stage.next = NS_PER_S;
	film->options.once = true;
	film->options.in = -1;
	play(film, steps);
	expect_lock(film, "a", "1");
	expect(film, "scanned");
	assert_true(json_bool(film->event, "final", false));
	expect_nothing(film);
	assert_int_equal(film->result, 0);
}

static void a_recording_that_is_over_ends_the_source(void **state)
{
	step_fn *const steps[] = {time_passes, NULL};
	struct film *film = *state;

	put_two(film);
	film->stage.is_final = true;
	play(film, steps);
	expect_lock(film, "a", "1");
	expect_lock(film, "b", "1");
	expect(film, "scanned");
	assert_true(json_bool(film->event, "final", false));
	expect_nothing(film);
	assert_int_equal(film->result, 0);
}

/* --- readers --- */

static enum next nobody_reads(struct film *film)
{
	film->stage.generation++;
	if (film->stage.generation < 200)
		film->step--;
	return JUMP;
}

static enum next somebody_reads_again(struct film *film)
{
	/* 10,000 locks are some MB; more looks were not worth it. */
	assert_in_range(film->stage.scans, 1, 3);
	film->mark = film->stage.scans;
	next_event(film);
	return READY;
}

static enum next until_all_is_read(struct film *film)
{
	static char last[64];

	while (next_event(film)) {
		const json_t *lock = json_object_get(film->event, "lock");

		if (lock)
			snprintf(last, sizeof last, "%s", json_text(lock, "version", ""));
	}
	if (film->stage.scans == film->mark || strcmp(last, "200") != 0) {
		film->step--;
		return JUMP;
	}
	return the_end(film);
}

static void a_slow_reader_gets_the_latest_state_and_no_heap(void **state)
{
	step_fn *const steps[] = {
		time_passes, nobody_reads, somebody_reads_again, until_all_is_read, NULL};
	struct film *film = *state;

	film->stage.many = 10000;
	film->stage.next = NS_PER_S / 10;
	play(film, steps);
	assert_int_equal(film->result, 0);
}

static enum next the_reader_goes(struct film *film)
{
	first_look_is_over(film);
	close_fd(&film->from[1]);
	return JUMP;
}

static void a_reader_that_went_away_is_no_error(void **state)
{
	step_fn *const steps[] = {time_passes, the_reader_goes, NULL};
	struct film *film = *state;

	put_two(film);
	film->options.in = -1;
	play(film, steps);
	assert_int_equal(film->result, 0);
}

/* --- requests --- */

static enum next the_place_is_named(struct film *film)
{
	assert_int_equal(film->stage.opened, 0);
	ask(film, "{\"request\":0,\"do\":\"open\",\"uri\":\"fake:\"}\n");
	return READY;
}

static void the_place_can_be_named_by_a_request(void **state)
{
	step_fn *const steps[] = {the_place_is_named, two_were_seen, the_end, NULL};
	struct film *film = *state;

	film->options.uri = NULL;
	put_two(film);
	play(film, steps);
	assert_int_equal(film->result, 0);
	assert_int_equal(film->stage.opened, 1);
}

static enum next a_scan_is_asked_for(struct film *film)
{
	ask(film, "{\"request\":1,\"do\":\"scan\"}\n");
	return READY;
}

static void another_request_before_it_is_an_error(void **state)
{
	step_fn *const steps[] = {a_scan_is_asked_for, NULL};
	struct film *film = *state;

	film->options.uri = NULL;
	play(film, steps);
	assert_int_equal(film->result, -EINVAL);
	assert_string_equal(film->err.text, "expected an open request first");
	expect_fault(film, "expected an open request first");
	assert_true(json_bool(film->event, "fatal", false));
}

static void a_wrong_uri_is_a_fatal_fault(void **state)
{
	step_fn *const steps[] = {NULL};
	struct film *film = *state;

	film->options.uri = "nosuch:place";
	film->options.backend = NULL;
	play(film, steps);
	assert_int_equal(film->result, -EINVAL);
	expect_fault(film, film->err.text);
	assert_true(json_bool(film->event, "fatal", false));
	assert_non_null(strstr(film->err.text, "no backend 'nosuch'"));
}

static enum next first_look_then_scan(struct film *film)
{
	first_look_is_over(film);
	return a_scan_is_asked_for(film);
}

static enum next it_was_looked_at_once(struct film *film)
{
	assert_int_equal(film->fake.mono, film->mark);
	assert_int_equal(film->stage.scans, 2);
	assert_int_equal(film->stage.hinted, 0);
	return the_end(film);
}

static void a_scan_request_looks_at_once(void **state)
{
	step_fn *const steps[] = {time_passes, first_look_then_scan, it_was_looked_at_once, NULL};
	struct film *film = *state;

	put_two(film);
	play(film, steps);
}

static enum next nonsense_is_asked(struct film *film)
{
	first_look_is_over(film);
	ask(film, "{\"request\":1,\"do\":\"dance\"}\nhello\n");
	return READY;
}

static enum next it_was_refused(struct film *film)
{
	expect_fault(film, "no request of that name; there are open, deed and scan");
	expect_fault(film, "a request was not understood");
	return the_end(film);
}

static void nonsense_is_refused_and_survived(void **state)
{
	step_fn *const steps[] = {time_passes, nonsense_is_asked, it_was_refused, NULL};
	struct film *film = *state;

	put_two(film);
	play(film, steps);
	assert_int_equal(film->result, 0);
}

/* A stale lock: its holder is gone. */
static void put_stale(struct film *film)
{
	put_two(film);
	film->stage.lock[0].pid = 4711;
	film->stage.lock[0].life = LIFE_GONE;
}

static enum next a_release_is_asked_for(struct film *film)
{
	first_look_is_over(film);
	ask(film, "{\"request\":7,\"do\":\"deed\",\"deed\":\"release\",\"name\":\"a\","
		  "\"version\":\"other\"}\n");
	return READY;
}

static enum next it_was_answered(struct film *film)
{
	expect_named(film, "done", "a");
	assert_int_equal(json_int(film->event, "request", 0), 7);
	assert_string_equal(json_text(film->event, "outcome", ""), "refused");
	return JUMP;
}

static enum next and_looked_at_again(struct film *film)
{
	assert_int_equal(film->stage.scans, 2);
	return the_end(film);
}

static void a_deed_is_answered_and_its_effect_looked_at(void **state)
{
	step_fn *const steps[] = {
		time_passes, a_release_is_asked_for, it_was_answered, and_looked_at_again, NULL};
	struct film *film = *state;

	put_stale(film);
	play(film, steps);
	assert_string_equal(film->stage.released, "");
}

static enum next it_was_forbidden(struct film *film)
{
	expect_named(film, "done", "a");
	assert_string_equal(json_text(film->event, "outcome", ""), "refused");
	assert_non_null(strstr(json_text(film->event, "text", ""), "--read-only"));
	return the_end(film);
}

static enum next the_place_is_named_read_only(struct film *film)
{
	ask(film, "{\"request\":0,\"do\":\"open\",\"uri\":\"fake:\",\"read_only\":true,"
		  "\"read_only_why\":\"--read-only\"}\n");
	return READY;
}

static void read_only_comes_with_the_place(void **state)
{
	step_fn *const steps[] = {
		the_place_is_named_read_only, a_release_is_asked_for, it_was_forbidden, NULL};
	struct film *film = *state;

	film->options.uri = NULL;
	put_stale(film);
	play(film, steps);
	assert_string_equal(film->stage.released, "");
}

static enum next it_was_forbidden_here(struct film *film)
{
	expect_named(film, "done", "a");
	assert_string_equal(json_text(film->event, "outcome", ""), "refused");
	assert_non_null(strstr(json_text(film->event, "text", ""), "secure = true in /etc/x"));
	return the_end(film);
}

static void secure_settings_of_this_host_forbid_deeds(void **state)
{
	step_fn *const steps[] = {time_passes, a_release_is_asked_for, it_was_forbidden_here, NULL};
	struct film *film = *state;
	char path[] = "/etc/x";

	film->settings.is_secure = true;
	film->settings.secure_in = path;
	put_stale(film);
	play(film, steps);
	assert_string_equal(film->stage.released, "");
}

/* --- long looks and crowds --- */

static void a_long_look_shows_its_first_rows_early(void **state)
{
	step_fn *const steps[] = {time_passes, the_end, NULL};
	struct film *film = *state;
	wall_t early;
	int locks = 0;

	put_two(film);
	film->stage.many = 10;
	film->stage.takes = 4 * NS_PER_S;
	play(film, steps);
	expect_lock(film, "a", "1");
	early = clock_ns(json_num(film->event, "at", 0));
	do
		locks += strcmp(json_text(film->event, "event", ""), "lock") == 0;
	while (next_event(film) && json_num(film->event, "locks", 0) == 0);
	assert_string_equal(json_text(film->event, "event", ""), "scanned");
	assert_true(clock_ns(json_num(film->event, "at", 0)) - early >= NS_PER_S);
	/* each once, and one more as the sign of life */
	assert_int_equal(locks, 12 + 1);
	expect_nothing(film);
}

static void a_crowd_fits_into_a_line(void **state)
{
	step_fn *const steps[] = {time_passes, the_end, NULL};
	struct film *film = *state;
	const json_t *lock;

	film->stage.lock[0].name = "a";
	film->stage.lock[0].version = "1";
	film->stage.lock[0].waiters = 900;
	play(film, steps);
	expect_lock(film, "a", "1");
	lock = json_object_get(film->event, "lock");
	assert_int_equal(json_array_size(json_object_get(lock, "waiters")), 900);
	expect(film, "scanned");
}

/* --- with the real backend --- */

static void lock_file(struct film *film, const char *text)
{
	char path[300];
	int fd;

	snprintf(path, sizeof path, "%s/story.lock", film->folder);
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	close(fd);
}

static enum next a_lock_file_appears(struct film *film)
{
	char text[64];

	first_look_is_over(film);
	snprintf(text, sizeof text, "%d|%lld", (int)film->child,
		(long long)(film->fake.wall / NS_PER_S));
	lock_file(film, text);
	return WAIT;
}

static enum next until_it_is_seen(struct film *film)
{
	while (next_event(film))
		if (strcmp(json_text(film->event, "event", ""), "lock") == 0)
			break;
	if (!film->event) {
		film->step--;
		return JUMP;
	}
	assert_string_equal(
		json_text(json_object_get(film->event, "lock"), "name", ""), "story.lock");
	assert_in_range(film->fake.mono - film->mark, 0, 50 * NS_PER_MS);
	first_look_is_over(film);
	kill(film->child, SIGKILL);
	return WAIT;
}

static enum next until_its_holder_is_seen_gone(struct film *film)
{
	char life[20] = "";

	while (next_event(film)) {
		const json_t *lock = json_object_get(film->event, "lock");
		const json_t *holder = json_array_get(json_object_get(lock, "holders"), 0);

		if (holder)
			snprintf(life, sizeof life, "%s", json_text(holder, "life", ""));
	}
	assert_string_equal(life, "zombie"); /* the test has not reaped it */
	assert_int_equal(film->fake.mono, film->mark);
	return the_end(film);
}

static void a_real_lock_file_and_its_holders_end_are_seen(void **state)
{
	step_fn *const steps[] = {time_passes, a_lock_file_appears, until_it_is_seen,
		until_its_holder_is_seen_gone, NULL};
	struct film *film = *state;
	char uri[300];

	snprintf(uri, sizeof uri, "file:%s?glob=*.lock", film->folder);
	film->fake.mono = clock_mono(&clock_system);
	film->fake.wall = clock_wall(&clock_system);
	film->options.uri = uri;
	film->options.backend = NULL;
	start_holder(film);
	play(film, steps);
	snprintf(uri, sizeof uri, "%s/story.lock", film->folder);
	unlink(uri);
}

#define _(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		_(the_first_look_is_told_and_then_scanned),
		_(only_what_changed_is_told),
		_(a_sign_of_life_comes_each_second),
		_(a_log_is_told_in_parts_and_then_scanned),
		_(with_once_a_log_is_read_to_its_end),
		_(what_part_of_a_look_has_of_locks_does_not_count),
		_(a_log_that_takes_long_to_read_gives_signs_of_life),
		_(no_sample_is_lost_to_a_slow_reader_and_no_heap_grows),
		_(a_reader_may_go_away_in_the_middle_of_a_log),
		_(a_hint_is_looked_at_within_the_window),
		_(a_burst_of_hints_is_gathered),
		_(hints_leave_time_when_looks_are_long),
		_(a_regular_look_begins_no_burst),
		_(a_killed_holder_is_told_without_waiting),
		_(deaths_in_a_row_are_gathered),
		_(a_holder_that_is_dead_already_makes_no_storm),
		_(a_fault_is_told_and_tried_again),
		_(after_a_fault_only_changes_are_told),
		_(once_ends_when_the_kernel_was_asked),
		_(a_recording_that_is_over_ends_the_source),
		_(a_slow_reader_gets_the_latest_state_and_no_heap),
		_(a_reader_that_went_away_is_no_error),
		_(the_place_can_be_named_by_a_request),
		_(another_request_before_it_is_an_error),
		_(a_wrong_uri_is_a_fatal_fault),
		_(a_scan_request_looks_at_once),
		_(nonsense_is_refused_and_survived),
		_(a_deed_is_answered_and_its_effect_looked_at),
		_(read_only_comes_with_the_place),
		_(secure_settings_of_this_host_forbid_deeds),
		_(a_long_look_shows_its_first_rows_early),
		_(a_crowd_fits_into_a_line),
		_(a_real_lock_file_and_its_holders_end_are_seen),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

#include "config.h"

#include "lock_place.h"

#include <jansson.h>

struct tape {
	struct place_test *place;
	FILE *file;
	wall_t at; /* of the recording, in ns */
};

static int set_up(void **state)
{
	struct tape *tape = calloc(1, sizeof *tape);

	assert_non_null(tape);
	tape->place = new_place();
	tape->at = INT64_C(1700000000) * NS_PER_S;
	tape->file = fopen(path_in(tape->place, "night.jsonl"), "w");
	assert_non_null(tape->file);
	*state = tape;
	return 0;
}

static int tear_down(void **state)
{
	struct tape *tape = *state;

	if (tape->file)
		fclose(tape->file);
	free_place(tape->place);
	free(tape);
	return 0;
}

static void record_event(struct tape *tape, struct event *event)
{
	json_t *object;

	event->at = tape->at;
	object = event_to_json(event, 1000 * NS_PER_S);
	assert_non_null(object);
	assert_int_equal(json_dumpf(object, tape->file, JSON_COMPACT), 0);
	fputc('\n', tape->file);
	json_decref(object);
	event_release(event);
}

/* A lock that was taken age seconds before. */
static void record_lock(struct tape *tape, const char *name, int pid, int age)
{
	struct event event = {.kind = EVENT_LOCK, .lock = lock_new(name)};
	struct lock *lock = event.lock;

	lock->kind = LOCK_FILE;
	lock->to = INT64_MAX;
	lock->kernel = KERNEL_VIEW_COMPLETE;
	lock->record = (struct record){.format = RECORD_PLAIN,
		.pid = pid,
		.time = tape->at / NS_PER_S - age,
		.fence = -1,
		.uid = -1};
	lock->since = lock->record.time * NS_PER_S;
	lock->since_mono = (1000 - age) * NS_PER_S;
	snprintf(lock->version, sizeof lock->version, "v%d", pid);
	lock_add_holder(lock)->pid = pid;
	lock->holder[0].life = LIFE_ALIVE;
	record_event(tape, &event);
}

static void record_gone(struct tape *tape, const char *name)
{
	struct event event = {.kind = EVENT_GONE, .name = strdup(name)};

	record_event(tape, &event);
}

static void record_scanned(struct tape *tape)
{
	struct event event = {.kind = EVENT_SCANNED, .host = strdup("web1")};

	record_event(tape, &event);
}

static void after(struct tape *tape, int seconds)
{
	tape->at += seconds * NS_PER_S;
}

/* A lock for a minute, then another, then the end. */
static void record_night(struct tape *tape)
{
	record_lock(tape, "a.lock", 4711, 30);
	record_scanned(tape);
	after(tape, 60);
	record_lock(tape, "b.lock", 4712, 5);
	record_gone(tape, "a.lock");
	record_scanned(tape);
	after(tape, 60);
	record_gone(tape, "b.lock");
	record_scanned(tape);
}

static void play(struct tape *tape, const char *params)
{
	char after_folder[64];

	assert_int_equal(fclose(tape->file), 0);
	tape->file = NULL;
	snprintf(after_folder, sizeof after_folder, "/night.jsonl%s", params);
	open_place(tape->place, "replay:", after_folder);
	scan(tape->place);
}

static void pass(struct tape *tape, int seconds)
{
	tape->place->time.mono += seconds * NS_PER_S;
	scan(tape->place);
}

static void the_night_goes_by_as_it_did(void **state)
{
	struct tape *tape = *state;
	struct place_test *place = tape->place;

	record_night(tape);
	play(tape, "");
	assert_int_equal(place->locks.n, 1);
	assert_int_equal(get_lock(place, "a.lock")->record.pid, 4711);
	assert_false(place->scan.is_final);
	assert_string_equal(place->scan.note, "recording of web1");
	assert_true(place->scan.next > clock_mono(&place->clock) + 50 * NS_PER_S);
	assert_true(place->scan.next <= clock_mono(&place->clock) + 60 * NS_PER_S);
	pass(tape, 50);
	get_lock(place, "a.lock");
	pass(tape, 20);
	assert_int_equal(place->locks.n, 1);
	get_lock(place, "b.lock");
	pass(tape, 60);
	assert_int_equal(place->locks.n, 0);
	assert_true(place->scan.is_final);
	assert_true(place->scan.next == MONO_NEVER);
}

static int64_t age_of(const struct place_test *place, const char *name)
{
	return (clock_mono(&place->clock) - get_lock(place, name)->since_mono) / NS_PER_S;
}

static void ages_are_those_of_that_night(void **state)
{
	struct tape *tape = *state;

	record_night(tape);
	play(tape, "");
	assert_int_equal(age_of(tape->place, "a.lock"), 30);
	pass(tape, 20);
	assert_int_equal(age_of(tape->place, "a.lock"), 50);
	pass(tape, 45);
	assert_int_equal(age_of(tape->place, "b.lock"), 10);
}

static void speed_makes_time_and_ages_run_faster(void **state)
{
	struct tape *tape = *state;

	record_night(tape);
	play(tape, "?speed=10");
	assert_int_equal(age_of(tape->place, "a.lock"), 30);
	assert_non_null(strstr(tape->place->scan.note, "at 10x"));
	pass(tape, 2);
	assert_int_equal(age_of(tape->place, "a.lock"), 50);
	pass(tape, 5);
	get_lock(tape->place, "b.lock");
	pass(tape, 6);
	assert_true(tape->place->scan.is_final);
}

static void torn_and_hostile_lines_are_counted(void **state)
{
	struct tape *tape = *state;

	fputs("not json\n{\"event\":\"lock\"}\n[1,2]\n{\"event\":\"nonsense\",\"at\":1}\n",
		tape->file);
	record_lock(tape, "a.lock", 4711, 30);
	record_scanned(tape);
	fputs("{\"event\":\"lock\",\"name\":", tape->file);
	play(tape, "");
	assert_int_equal(tape->place->locks.n, 1);
	assert_true(tape->place->scan.is_final);
	assert_string_equal(tape->place->scan.note, "recording of web1, 5 lines not understood");
}

static void a_fault_of_that_night_is_shown(void **state)
{
	struct tape *tape = *state;
	struct event event = {.kind = EVENT_FAULT, .text = strdup("cannot look into /run/lock")};

	record_lock(tape, "a.lock", 4711, 30);
	record_scanned(tape);
	after(tape, 10);
	record_event(tape, &event);
	play(tape, "");
	assert_null(strstr(tape->place->scan.note, "cannot"));
	pass(tape, 11);
	assert_non_null(strstr(tape->place->scan.note, "; cannot look into /run/lock"));
}

static void a_clock_that_went_back_stops_nothing(void **state)
{
	struct tape *tape = *state;

	record_scanned(tape);
	after(tape, 10);
	record_lock(tape, "a.lock", 4711, 0);
	after(tape, -3600);
	record_lock(tape, "b.lock", 4712, 0);
	play(tape, "");
	pass(tape, 11);
	assert_int_equal(tape->place->locks.n, 2);
	assert_true(tape->place->scan.is_final);
}

static void a_recording_cannot_be_acted_on(void **state)
{
	struct tape *tape = *state;
	struct lock *lock;

	record_night(tape);
	play(tape, "");
	lock = look_fresh(tape->place, "a.lock");
	assert_string_equal(lock->version, "v4711");
	lock_unref(lock);
	assert_int_equal(
		tape->place->backend->look(tape->place->state, "none", &lock, &tape->place->err),
		-ENOENT);
	assert_null(tape->place->backend->release);
	assert_true(tape->place->backend->is_recording);
}

static void what_is_no_file_is_a_fault(void **state)
{
	struct tape *tape = *state;
	struct place_test *place = tape->place;

	open_place(place, "replay:", "/none.jsonl");
	assert_int_equal(try_scan(place, false), -ENOENT);
	assert_int_equal(mkfifo(path_in(place, "none.jsonl"), 0600), 0);
	assert_int_equal(try_scan(place, false), -EINVAL);
	assert_non_null(strstr(place->err.text, "not a regular file"));
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(the_night_goes_by_as_it_did),
		TEST(ages_are_those_of_that_night),
		TEST(speed_makes_time_and_ages_run_faster),
		TEST(torn_and_hostile_lines_are_counted),
		TEST(a_fault_of_that_night_is_shown),
		TEST(a_clock_that_went_back_stops_nothing),
		TEST(a_recording_cannot_be_acted_on),
		TEST(what_is_no_file_is_a_fault),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

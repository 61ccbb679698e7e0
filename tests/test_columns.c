/* Columns as text and as JSON. */
#include "config.h"
#include "model/columns.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

enum { WALL_S = 1760000000 };

#define S(n)   ((int64_t)(n)*NS_PER_S)
#define NOW    S(1000000)
#define PERSON ((char *)"deploy")

struct fixture {
	struct model model;
	struct process process[2];
	struct lock lock;
	struct entry entry;
};

static void judge(struct fixture *f)
{
	struct facts facts = model_facts(&f->model, &f->entry);

	f->entry.verdict = verdict_of(&f->lock, &facts);
}

/* A plain lock of a live holder; nothing of it is owned. */
static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof *f);

	*state = f;
	if (model_init(&f->model, "web1") < 0 || model_add_source(&f->model, "file:/run/lock") != 0)
		return -1;
	model_tick(&f->model, NOW, S(WALL_S));
	f->model.source[0].host = strdup("web1");
	f->process[0] = (struct process){.pid = 4711,
		.life = LIFE_ALIVE,
		.started = S(WALL_S - 7200),
		.uid = 1000,
		.comm = "php",
		.user = PERSON,
		.command = (char *)"php import.php --full"};
	f->process[1] = (struct process){.pid = 5820, .life = LIFE_ALIVE, .uid = 0};
	f->lock = (struct lock){.refs = 1,
		.name = (char *)"import.lock",
		.path = (char *)"/run/lock/import.lock",
		.to = INT64_MAX,
		.since_mono = NOW - S(240),
		.holder = f->process,
		.holders = 1,
		.record = {.format = RECORD_PLAIN, .pid = 4711, .time = WALL_S - 240, .uid = -1},
		.version = "1:2:3"};
	f->entry = (struct entry){.lock = &f->lock, .limit = S(600)};
	judge(f);
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	model_release(&f->model);
	free(f);
	return 0;
}

static void assert_cell(struct fixture *f, enum column column, const char *expected)
{
	char text[512];

	judge(f);
	column_text(text, sizeof text, column, &f->model, &f->entry);
	if (strcmp(text, expected) != 0)
		fail_msg("%s is '%s', not '%s'", column_info[column].field, text, expected);
}

static void fields_are_known_by_their_words(void **state)
{
	(void)state;
	for (int i = 0; i < COLUMN_COUNT; i++) {
		assert_int_equal(column_from_word(column_info[i].field), i);
		assert_true(column_info[i].min <= column_info[i].width);
	}
	assert_int_equal(column_from_word("colour"), -1);
}

static void a_live_lock_fills_its_row(void **state)
{
	struct fixture *f = *state;

	assert_cell(f, COLUMN_STATE, "HELD");
	assert_cell(f, COLUMN_NAME, "import.lock");
	assert_cell(f, COLUMN_HOLDER, "4711 php");
	assert_cell(f, COLUMN_USER, "deploy");
	assert_cell(f, COLUMN_HOST, "web1");
	assert_cell(f, COLUMN_AGE, "4m");
	assert_cell(f, COLUMN_LIMIT, "10m");
	assert_cell(f, COLUMN_WAITERS, "0");
	assert_cell(f, COLUMN_ADVICE, "normal, leave it: NOT SAFE");
	assert_cell(f, COLUMN_WHY, "pid 4711 php is alive, within its limit of 10m");
	assert_cell(f, COLUMN_KIND, "file");
	assert_cell(f, COLUMN_MODE, "-");
	assert_cell(f, COLUMN_RANGE, "-");
	assert_cell(f, COLUMN_PATH, "/run/lock/import.lock");
	assert_cell(f, COLUMN_PID, "4711");
	assert_cell(f, COLUMN_COMMAND, "php import.php --full");
	assert_cell(f, COLUMN_CLASS, "kernel");
	assert_cell(f, COLUMN_FLAGS, "-");
	assert_cell(f, COLUMN_SOURCE, "file:/run/lock");
	assert_cell(f, COLUMN_ADDRESS, "/run/lock/import.lock");
	assert_cell(f, COLUMN_VERSION, "1:2:3");
}

static void a_free_lock_has_no_holder_and_no_age(void **state)
{
	struct fixture *f = *state;

	f->lock.record = (struct record){.format = RECORD_EMPTY, .uid = -1};
	f->lock.kernel = KERNEL_VIEW_COMPLETE;
	f->lock.holders = 0;
	f->entry.limit = 0;
	assert_cell(f, COLUMN_STATE, "FREE");
	assert_cell(f, COLUMN_HOLDER, "-");
	assert_cell(f, COLUMN_USER, "-");
	assert_cell(f, COLUMN_AGE, "-");
	assert_cell(f, COLUMN_LIMIT, "-");
	assert_cell(f, COLUMN_PID, "-");
	assert_cell(f, COLUMN_COMMAND, "-");
	assert_cell(f, COLUMN_ADVICE, "-");
}

static void what_bears_a_reused_pid_is_not_shown_as_the_holder(void **state)
{
	struct fixture *f = *state;

	f->process[0].started = S(WALL_S - 60);
	assert_cell(f, COLUMN_STATE, "STALE");
	assert_cell(f, COLUMN_HOLDER, "4711 gone");
	assert_cell(f, COLUMN_USER, "?");
	assert_cell(f, COLUMN_COMMAND, "-");
	assert_cell(f, COLUMN_PID, "4711");
}

static void a_dead_holder_is_shown_with_what_is_left_of_it(void **state)
{
	struct fixture *f = *state;

	f->process[0] = (struct process){.pid = 4711, .life = LIFE_GONE, .uid = -1};
	f->lock.record.uid = 33;
	assert_cell(f, COLUMN_HOLDER, "4711 gone");
	assert_cell(f, COLUMN_USER, "33");
	assert_cell(f, COLUMN_ADVICE, "release it: SAFE");
}

static void several_holders_are_counted(void **state)
{
	struct fixture *f = *state;

	f->lock.kind = LOCK_POSIX;
	f->lock.mode = LOCK_MODE_READ;
	f->lock.holders = 2;
	f->lock.from = 100;
	f->entry.limit = 0;
	assert_cell(f, COLUMN_HOLDER, "4711 php +1");
	assert_cell(f, COLUMN_KIND, "posix");
	assert_cell(f, COLUMN_MODE, "READ");
	assert_cell(f, COLUMN_RANGE, "100-end");
	f->lock.to = 199;
	assert_cell(f, COLUMN_RANGE, "100-199");
	f->lock.from = 0;
	f->lock.to = INT64_MAX;
	f->lock.mode = LOCK_MODE_WRITE;
	assert_cell(f, COLUMN_RANGE, "all");
	assert_cell(f, COLUMN_MODE, "WRITE");
}

static void a_holder_of_another_host_is_shown_there(void **state)
{
	struct fixture *f = *state;

	f->lock.host_is = RELATION_OTHER;
	strcpy(f->lock.record.host, "app3");
	assert_cell(f, COLUMN_HOST, "app3");
	f->lock.record.host[0] = '\0';
	assert_cell(f, COLUMN_HOST, "?");
	f->process[0].from_kernel = true;
	assert_cell(f, COLUMN_HOST, "web1");
}

static void flags_are_listed(void **state)
{
	struct fixture *f = *state;

	f->lock.flags = LOCK_FLAG(INTRUDED);
	f->process[0].life = LIFE_STOPPED;
	assert_cell(f, COLUMN_FLAGS, "intruded,stopped");
}

static void an_age_below_zero_is_shown_as_it_is(void **state)
{
	struct fixture *f = *state;

	f->lock.since_mono = NOW + S(47);
	assert_cell(f, COLUMN_AGE, "-47s");
	f->lock.since_mono = MONO_UNKNOWN;
	f->lock.record.time = 0;
	assert_cell(f, COLUMN_AGE, "?");
}

static void a_cell_is_cut_between_characters(void **state)
{
	struct fixture *f = *state;
	char text[8];

	f->lock.name = (char *)"\303\244\303\266\303\274\303\237\303\244";
	column_text(text, sizeof text, COLUMN_NAME, &f->model, &f->entry);
	assert_string_equal(text, "\303\244\303\266\303\274");
	column_text(text, 1, COLUMN_NAME, &f->model, &f->entry);
	assert_string_equal(text, "");
	column_text(NULL, 0, COLUMN_NAME, &f->model, &f->entry);
}

/* JSON. */

static void assert_json(json_t *json, const char *expected)
{
	char *text = json_dumps(json, JSON_COMPACT | JSON_REAL_PRECISION(15) | JSON_ENCODE_ANY);

	assert_non_null(text);
	assert_string_equal(text, expected);
	free(text);
	json_decref(json);
}

static void a_lock_as_json_has_the_words_of_the_design(void **state)
{
	struct fixture *f = *state;

	f->lock.waiter = &f->process[1];
	f->lock.waiters = 1;
	judge(f);
	assert_json(entry_to_json(&f->model, &f->entry),
		"{\"name\":\"import.lock\",\"source\":\"file:/run/lock\","
		"\"address\":\"/run/lock/import.lock\",\"kind\":\"file\",\"class\":\"kernel\","
		"\"active\":true,\"stale\":false,\"process_running\":true,"
		"\"recommendation\":\"normal, leave it: NOT SAFE\",\"state\":\"HELD\","
		"\"why\":\"pid 4711 php is alive, within its limit of 10m\",\"safe\":false,"
		"\"age_s\":240.0,\"limit_s\":600.0,\"holders\":[{\"pid\":4711,\"host\":\"web1\","
		"\"start\":1759992800.0,\"user\":\"deploy\",\"command\":\"php import.php "
		"--full\"}],"
		"\"waiters\":[{\"pid\":5820,\"host\":\"web1\",\"start\":null,\"user\":null,"
		"\"command\":null}],\"flags\":[\"contended\"],\"version\":\"1:2:3\","
		"\"usual_n\":0,\"usual_p99_ms\":null,\"metrics\":null}");
}

static void what_is_unknown_is_null(void **state)
{
	struct fixture *f = *state;

	f->lock.host_is = RELATION_OTHER;
	strcpy(f->lock.record.host, "app3");
	f->lock.holders = 0;
	f->lock.since_mono = MONO_UNKNOWN;
	f->lock.record.time = 0;
	f->lock.version[0] = '\0';
	f->entry.limit = 0;
	judge(f);
	assert_json(entry_to_json(&f->model, &f->entry),
		"{\"name\":\"import.lock\",\"source\":\"file:/run/lock\","
		"\"address\":\"/run/lock/import.lock\",\"kind\":\"file\",\"class\":\"kernel\","
		"\"active\":null,\"stale\":null,\"process_running\":null,"
		"\"recommendation\":\"check pid 4711 on host app3: UNKNOWN\",\"state\":\"UNKNOWN\","
		"\"why\":\"taken by pid 4711 on host app3: not to be checked from here\","
		"\"safe\":null,\"age_s\":null,\"limit_s\":null,\"holders\":[{\"pid\":4711,"
		"\"host\":\"app3\",\"start\":null,\"user\":null,\"command\":null}],\"waiters\":[],"
		"\"flags\":[],\"version\":null,\"usual_n\":0,\"usual_p99_ms\":null,"
		"\"metrics\":null}");
}

static json_t *member(struct fixture *f, const char *key)
{
	json_t *object, *value;

	judge(f);
	object = entry_to_json(&f->model, &f->entry);
	value = json_incref(json_object_get(object, key));
	json_decref(object);
	return value;
}

/* --- what metrics logs say --- */

static const char *text_of(struct fixture *f, enum column column)
{
	static char text[64];

	column_text(text, sizeof text, column, &f->model, &f->entry);
	return text;
}

/* What happened so many minutes ago: waits and holds of that long, and other events. */
static void told(struct fixture *f, int minutes_ago, int64_t wait, int64_t hold, uint32_t n,
	enum metric_event other, uint32_t others)
{
	struct sample sample = {.lock = (char *)"import.lock",
		.source = (char *)"file:/run/lock",
		.from = (WALL_S / 60 - minutes_ago) * 60,
		.seconds = 60};
	struct event event = {.kind = EVENT_SAMPLE, .sample = &sample};

	if (f->model.sources == 1)
		assert_int_equal(model_add_source(&f->model, "log:/l"), 1);
	sample.last = S(sample.from);
	sample.tally.count[METRIC_ACQUIRED] = sample.tally.count[METRIC_RELEASED] = n;
	sample.tally.count[other] += others;
	assert_int_equal(n ? histogram_add(&sample.tally.wait, wait, n) : 0, 0);
	assert_int_equal(n ? histogram_add(&sample.tally.hold, hold, n) : 0, 0);
	assert_int_equal(model_apply(&f->model, 1, &event), 0);
	tally_release(&sample.tally);
}

static void the_usual_hold_is_short_and_honest(void **state)
{
	static const struct {
		struct percentiles usual;
		const char *text;
	} table[] = {
		{{0}, "-"},
		{{.n = 7, .p99 = S(40)}, "n=7"},
		{{.n = 19, .p99 = S(40)}, "n=19"},
		{{.n = 20, .p99 = S(40)}, "40s"},
		{{.n = 1204, .p99 = S(550)}, "9m"},
		{{.n = 1204, .p99 = 12345 * INT64_C(1000)}, "12.3ms"},
		{{.n = 1204, .p99 = 990 * NS_PER_MS}, "990ms"},
	};
	struct fixture *f = *state;
	int64_t number;

	for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
		f->entry.usual = table[i].usual;
		assert_string_equal(text_of(f, COLUMN_USUAL), table[i].text);
		assert_true(column_number(COLUMN_USUAL, &f->model, &f->entry, &number));
		assert_true(number == (table[i].usual.n < 20 ? INT64_MIN : table[i].usual.p99));
	}
}

static void the_last_hour_is_twelve_characters(void **state)
{
	struct fixture *f = *state;

	assert_string_equal(text_of(f, COLUMN_WAITS), "-");
	assert_string_equal(text_of(f, COLUMN_HOLDS), "-");
	/* The model's time is 53 minutes and 20 seconds after the hour. */
	told(f, 59, S(1), S(10), 3, METRIC_BUSY, 0);
	told(f, 54, S(4), S(10), 3, METRIC_BUSY, 9);
	told(f, 48, S(8), S(1), 3, METRIC_BUSY, 0);
	told(f, 40, 0, 0, 0, METRIC_TIMEOUT, 2);
	told(f, 35, 0, 0, 0, METRIC_STALE, 1);
	told(f, 1, 0, S(80), 1, METRIC_BUSY, 0);
	assert_string_equal(text_of(f, COLUMN_WAITS), "148x       1");
	assert_string_equal(text_of(f, COLUMN_HOLDS), "111        8");
}

static void hours_ago_are_not_in_the_last_hour(void **state)
{
	struct fixture *f = *state;

	told(f, 61, S(1), S(10), 3, METRIC_BUSY, 2);
	assert_string_equal(text_of(f, COLUMN_WAITS), "            ");
	assert_string_equal(text_of(f, COLUMN_HOLDS), "            ");
	assert_string_equal(text_of(f, COLUMN_FAILED), "2");
}

static void a_day_is_counted(void **state)
{
	struct fixture *f = *state;
	int64_t number;

	assert_string_equal(text_of(f, COLUMN_FAILED), "-");
	assert_string_equal(text_of(f, COLUMN_STALES), "-");
	assert_true(column_number(COLUMN_FAILED, &f->model, &f->entry, &number));
	assert_int_equal(number, -1);
	told(f, 1500, S(1), S(10), 3, METRIC_STALE, 5);
	told(f, 1300, S(1), S(10), 3, METRIC_BUSY, 2);
	assert_string_equal(text_of(f, COLUMN_STALES), "0");
	told(f, 700, S(1), S(10), 3, METRIC_TIMEOUT, 4);
	told(f, 2, S(1), S(10), 3, METRIC_STALE, 1);
	assert_string_equal(text_of(f, COLUMN_FAILED), "6");
	assert_string_equal(text_of(f, COLUMN_STALES), "1");
	assert_true(column_number(COLUMN_STALES, &f->model, &f->entry, &number));
	assert_int_equal(number, 1);
}

static void only_what_logs_say_needs_a_log(void **state)
{
	(void)state;
	for (int i = 0; i < COLUMN_COUNT; i++)
		assert_int_equal(column_needs_log((enum column)i),
			i == COLUMN_USUAL || i == COLUMN_WAITS || i == COLUMN_HOLDS ||
				i == COLUMN_FAILED || i == COLUMN_STALES);
}

static void json_has_the_last_day_of_the_logs(void **state)
{
	struct fixture *f = *state;
	json_t *metrics;

	f->entry.usual = (struct percentiles){.n = 19, .p99 = S(40)};
	assert_json(member(f, "usual_p99_ms"), "null");
	assert_json(member(f, "usual_n"), "19");
	f->entry.usual = (struct percentiles){.n = 20, .p99 = S(40) + 500000};
	assert_json(member(f, "usual_p99_ms"), "40000.5");
	assert_json(member(f, "metrics"), "null");
	told(f, 1300, S(1), S(10), 3, METRIC_BUSY, 2);
	metrics = member(f, "metrics");
	assert_int_equal(json_integer_value(json_object_get(metrics, "window_s")), 86400);
	assert_int_equal(json_integer_value(json_object_get(metrics, "acquired")), 3);
	assert_int_equal(json_integer_value(json_object_get(metrics, "failed")), 2);
	assert_int_equal(
		json_integer_value(json_object_get(json_object_get(metrics, "wait_ms"), "n")), 3);
	assert_true(json_number_value(
			    json_object_get(json_object_get(metrics, "hold_ms"), "p50")) == 10000);
	json_decref(metrics);
}

static void health_follows_the_state(void **state)
{
	struct fixture *f = *state;

	f->process[0].life = LIFE_GONE;
	assert_json(member(f, "active"), "false");
	assert_json(member(f, "stale"), "true");
	assert_json(member(f, "process_running"), "false");
	assert_json(member(f, "safe"), "true");
	f->process[0].life = LIFE_ALIVE;
	f->entry.limit = S(1);
	assert_json(member(f, "active"), "true");
	assert_json(member(f, "safe"), "false");
	f->process[0].life = LIFE_UNKNOWN;
	assert_json(member(f, "state"), "\"EXPIRED\"");
	assert_json(member(f, "active"), "false");
	assert_json(member(f, "stale"), "false");
	assert_json(member(f, "process_running"), "null");
	assert_json(member(f, "safe"), "null");
	f->lock.record = (struct record){.format = RECORD_EMPTY, .uid = -1};
	f->lock.kernel = KERNEL_VIEW_COMPLETE;
	f->lock.holders = 0;
	assert_json(member(f, "active"), "false");
	assert_json(member(f, "recommendation"), "\"none\"");
	assert_json(member(f, "age_s"), "null");
}

static void a_listing_is_one_object(void **state)
{
	struct fixture *f = *state;
	struct entry *entries[] = {&f->entry};
	json_t *json;

	model_source_is(&f->model, 0, SOURCE_OK, NULL);
	model_source_is(&f->model, 0, SOURCE_DOWN, "ended by signal 9");
	assert_json(model_to_json(&f->model, NULL, 0),
		"{\"schema\":1,\"at\":1760000000.0,\"host\":\"web1\",\"sources\":"
		"[{\"uri\":\"file:/run/lock\",\"state\":\"down\",\"fault\":\"ended by signal 9\","
		"\"data_age_s\":null}],\"locks\":[]}");
	json = model_to_json(&f->model, entries, 1);
	assert_int_equal(json_array_size(json_object_get(json, "locks")), 1);
	json_decref(json);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(fields_are_known_by_their_words),
		TEST(a_live_lock_fills_its_row),
		TEST(a_free_lock_has_no_holder_and_no_age),
		TEST(what_bears_a_reused_pid_is_not_shown_as_the_holder),
		TEST(a_dead_holder_is_shown_with_what_is_left_of_it),
		TEST(several_holders_are_counted),
		TEST(a_holder_of_another_host_is_shown_there),
		TEST(flags_are_listed),
		TEST(an_age_below_zero_is_shown_as_it_is),
		TEST(a_cell_is_cut_between_characters),
		TEST(a_lock_as_json_has_the_words_of_the_design),
		TEST(what_is_unknown_is_null),
		TEST(the_usual_hold_is_short_and_honest),
		TEST(the_last_hour_is_twelve_characters),
		TEST(hours_ago_are_not_in_the_last_hour),
		TEST(a_day_is_counted),
		cmocka_unit_test(only_what_logs_say_needs_a_log),
		TEST(json_has_the_last_day_of_the_logs),
		TEST(health_follows_the_state),
		TEST(a_listing_is_one_object),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Lists of locks as table, JSON, CSV and ids. */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "cli/listing.h"

static const mono_t now = 1000 * NS_PER_S;
static const wall_t now_wall = 1760000000 * NS_PER_S;

static void add_lock(struct model *model, const char *name, int32_t pid, enum life life)
{
	struct event event = {.kind = EVENT_LOCK, .at = now_wall};
	struct process *holder;

	event.lock = lock_new(name);
	assert_non_null(event.lock);
	event.lock->record.format = pid ? RECORD_PLAIN : RECORD_EMPTY;
	event.lock->record.pid = pid;
	event.lock->record.time = now_wall / NS_PER_S - 60;
	event.lock->kernel = KERNEL_VIEW_COMPLETE;
	event.lock->since_mono = now - 60 * NS_PER_S;
	if (pid) {
		holder = lock_add_holder(event.lock);
		assert_non_null(holder);
		holder->pid = pid;
		holder->life = life;
		strcpy(holder->comm, "=php");
	}
	assert_int_equal(model_apply(model, 0, &event), 0);
	event_release(&event);
}

static int setup(void **state)
{
	struct model *model = calloc(1, sizeof *model);
	struct event scanned = {.kind = EVENT_SCANNED, .at = now_wall, .locks = 3};

	assert_int_equal(model_init(model, "web1"), 0);
	model_tick(model, now, now_wall);
	assert_int_equal(model_add_source(model, "/run/lock"), 0);
	add_lock(model, "a,b.lock", 4711, LIFE_GONE);
	add_lock(model, "free.lock", 0, LIFE_UNKNOWN);
	add_lock(model, "q\"x.lock", 4712, LIFE_ALIVE);
	model_source_is(model, 0, SOURCE_OK, NULL);
	assert_int_equal(model_apply(model, 0, &scanned), 0);
	*state = model;
	return 0;
}

static int teardown(void **state)
{
	model_release(*state);
	free(*state);
	return 0;
}

/* The text of a listing, to be freed. */
static char *listed(const struct model *model, struct listing listing)
{
	struct selection selection = {.sort = COLUMN_NAME};
	struct entry **entry = NULL;
	struct buf out = {0};
	size_t n = 0, size = 0;

	assert_int_equal(model_select(model, &selection, &entry, &n, &size), 0);
	assert_int_equal(n, 3);
	assert_int_equal(listing_write(&listing, model, entry, n, &out), 0);
	free(entry);
	return buf_take(&out);
}

static void csv_quotes_what_has_to_be(void **state)
{
	static const enum column fields[] = {COLUMN_NAME, COLUMN_STATE};
	char *text = listed(
		*state, (struct listing){.format = FORMAT_CSV, .field = fields, .fields = 2});

	assert_string_equal(text, "name,state\r\n"
				  "\"a,b.lock\",STALE\r\n"
				  "free.lock,FREE\r\n"
				  "\"q\"\"x.lock\",HELD\r\n");
	free(text);
}

static void ids_are_addresses(void **state)
{
	char *text = listed(*state, (struct listing){.format = FORMAT_IDS});

	assert_string_equal(text, "/run/lock/a,b.lock\n/run/lock/free.lock\n/run/lock/q\"x.lock\n");
	free(text);
}

static void a_table_is_as_wide_as_its_cells(void **state)
{
	static const enum column fields[] = {COLUMN_STATE, COLUMN_NAME};
	char *text = listed(*state,
		(struct listing){
			.format = FORMAT_TABLE, .field = fields, .fields = 2, .has_header = true});

	assert_string_equal(text, "STATE LOCK\n"
				  "STALE a,b.lock\n"
				  "FREE  free.lock\n"
				  "HELD  q\"x.lock\n");
	free(text);
}

static void a_narrow_terminal_cuts_the_growing_columns(void **state)
{
	char *text = listed(*state, (struct listing){.format = FORMAT_TABLE, .cols = 60});
	char *line;

	for (line = strtok(text, "\n"); line; line = strtok(NULL, "\n"))
		assert_true(strlen(line) <= 60);
	free(text);
}

static void json_is_one_object_of_ascii(void **state)
{
	char *text = listed(*state, (struct listing){.format = FORMAT_JSON});
	json_t *object = json_loads(text, 0, NULL);
	json_t *lock;

	assert_non_null(object);
	assert_int_equal(json_integer_value(json_object_get(object, "schema")), 1);
	assert_int_equal(json_array_size(json_object_get(object, "locks")), 3);
	lock = json_array_get(json_object_get(object, "locks"), 0);
	assert_string_equal(json_string_value(json_object_get(lock, "state")), "STALE");
	assert_true(json_is_true(json_object_get(lock, "safe")));
	for (const char *c = text; *c; c++)
		assert_true((unsigned char)*c < 0x7f);
	json_decref(object);
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(csv_quotes_what_has_to_be, setup, teardown),
		cmocka_unit_test_setup_teardown(ids_are_addresses, setup, teardown),
		cmocka_unit_test_setup_teardown(a_table_is_as_wide_as_its_cells, setup, teardown),
		cmocka_unit_test_setup_teardown(
			a_narrow_terminal_cuts_the_growing_columns, setup, teardown),
		cmocka_unit_test_setup_teardown(json_is_one_object_of_ascii, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Stepping back in time on the screen: keys, words, and that nothing is done there. */
#include "config.h"
#include "ui/top.h"

#include "scene.h"

static struct scene scene;

/* 08:53:20 first look, 08:54:20 new.lock comes, 08:55:20 it is waited for, 08:56:20 import goes. */
static int setup(void **state)
{
	struct lock *lock;

	(void)state;
	scene_init(&scene, GLYPHS_BOX, 24, 80);
	scene_fill(&scene);
	scene_pass(&scene, 60);
	scene_put(&scene, 0, scene_lock(&scene, "new.lock", 31, LIFE_ALIVE, -60));
	scene_pass(&scene, 60);
	lock = scene_lock(&scene, "new.lock", 31, LIFE_ALIVE, -60);
	lock_add_waiter(lock)->pid = 77;
	scene_put(&scene, 0, lock);
	scene_pass(&scene, 60);
	scene_gone(&scene, 0, "import.lock");
	scene_pass(&scene, 60);
	scene_scanned(&scene, 0);
	scene_draw(&scene);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	scene_release(&scene);
	return 0;
}

static void press(const char *keys)
{
	scene_keys(&scene, keys);
	scene_draw(&scene);
}

static void assert_hides(const char *text)
{
	scene_draw(&scene);
	assert_false(scene_shows(&scene, text));
}

/* --- steps --------------------------------------------------------------------------------------
 */

static void earlier_and_later_go_from_change_to_change(void **state)
{
	(void)state;
	press("[");
	assert_shows(&scene, "PAST 08:56:20");
	assert_shows(&scene, "08:56:20 import.lock: STALE -> gone: it is no longer there");
	assert_hides("x STALE   import.lock");
	press("[");
	assert_shows(&scene, "PAST 08:55:20");
	assert_shows(&scene, "08:55:20 new.lock: HELD, 1 waiting");
	assert_shows(&scene, "x STALE   import.lock");
	press("[");
	assert_shows(&scene, "08:54:20 new.lock: HELD: pid 31");
	press("[");
	assert_shows(&scene, "08:53:20 file:/run/lock: first look: 7 locks");
	assert_hides("new.lock");
	press("[");
	assert_shows(&scene, "nothing is recorded before 08:53:20");
	assert_shows(&scene, "PAST 08:53:20");
	press("]]");
	assert_shows(&scene, "PAST 08:55:20");
	press("]]");
	assert_hides("PAST");
	assert_shows(&scene, "the view is live again");
	assert_null(scene.top.frozen);
	press("]");
	assert_shows(&scene, "this is now");
	press("{");
	assert_shows(&scene, "PAST 08:53:20");
	press("}");
	assert_hides("PAST");
}

/* Ages are of then: backup.lock was 50 minutes old at the first look. */
static void time_stands_still_there(void **state)
{
	(void)state;
	press("[[[[");
	assert_shows(&scene, "! OVERDUE backup.lock");
	assert_shows(&scene, "50m");
	scene_pass(&scene, 3600);
	scene_scanned(&scene, 0);
	scene_draw(&scene);
	assert_shows(&scene, "PAST 08:53:20");
	assert_shows(&scene, "50m");
	/* What was said of the step stays, as long as it is shown. */
	assert_shows(&scene, "08:53:20 file:/run/lock: first look: 7 locks");
}

static void there_are_many_ways_back_to_now(void **state)
{
	static const int keys[] = {'p', KEY_ESCAPE, '}', KEY_ARROW_LEFT};

	(void)state;
	for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
		press("[[");
		assert_shows(&scene, "PAST");
		top_key(&scene.top, keys[i]);
		assert_hides("PAST");
		assert_null(scene.top.frozen);
	}
	/* Elsewhere Esc leads to the list first. */
	press("[e");
	top_key(&scene.top, KEY_ESCAPE);
	assert_shows(&scene, "PAST");
	assert_int_equal(scene.top.view, VIEW_locks);
	top_key(&scene.top, KEY_ESCAPE);
	assert_hides("PAST");
}

static void the_title_says_it_and_that_the_world_goes_on(void **state)
{
	(void)state;
	press("[");
	assert_shows(&scene, "PAST 08:56:20 (live continues)");
	assert_hides("PAUSED");
	scene_pass(&scene, 24 * 3600); /* a day later its date belongs to it */
	scene_scanned(&scene, 0);
	assert_shows(&scene, "PAST 2025-10-09 08:56:20");
	press("p");
	assert_hides("PAST");
}

static void a_pause_is_a_place_to_step_from(void **state)
{
	(void)state;
	press("p");
	scene_pass(&scene, 60);
	scene_gone(&scene, 0, "mail.lock");
	scene_pass(&scene, 60);
	scene_gone(&scene, 0, "idle.lock");
	press("]");
	assert_shows(&scene, "08:58:20 mail.lock: HELD -> gone");
	press("p");
	assert_hides("PAST");
	press("p");
	scene_pass(&scene, 60);
	scene_gone(&scene, 0, "story.lock");
	press("[");
	assert_shows(&scene, "08:59:20 idle.lock: FREE -> gone");
}

static void no_step_without_a_change(void **state)
{
	(void)state;
	teardown(NULL);
	scene_init(&scene, GLYPHS_BOX, 24, 80);
	press("[");
	assert_shows(&scene, "nothing has changed since the monitor began");
	assert_null(scene.top.frozen);
	scene.top.history = NULL;
	press("[");
	assert_shows(&scene, "nothing has changed since the monitor began");
	press("b-1m\n");
	assert_null(scene.top.frozen);
}

static void too_many_locks_are_said(void **state)
{
	static const struct history_limits limits = {.bytes = 2000};

	(void)state;
	history_free(scene.history);
	scene.top.history = scene.history = history_new(&limits);
	scene_gone(&scene, 0, "mail.lock");
	press("[");
	assert_shows(&scene, "6 locks are too many for their changes to be kept");
}

/* --- in all views --------------------------------------------------------------------------------
 */

static void every_view_is_of_then(void **state)
{
	(void)state;
	scene_source_is(&scene, 0, SOURCE_DOWN, "it broke");
	press("[[[[");
	assert_shows(&scene, "08:54:20 new.lock: HELD");
	press("e");
	assert_shows(&scene, "08:54:20  new.lock  HELD: pid 31");
	assert_hides("import.lock  STALE -> gone");
	press("[");
	assert_hides("08:54:20  new.lock");
	assert_shows(&scene, "first look: 7 locks");
	press("]]]");
	assert_shows(&scene, "import.lock  STALE -> gone");
	press("o");
	assert_shows(&scene, "now       down");
	assert_shows(&scene, "then      ok");
	assert_hides("it broke");
	press("]");
	assert_shows(&scene, "it broke");
}

static void a_lock_that_is_looked_at_is_of_then_too(void **state)
{
	(void)state;
	press("[[/new\n");
	press("\n");
	assert_shows(&scene, "all about this lock");
	assert_shows(&scene, "pid 77");
	press("[");
	assert_shows(&scene, "all about this lock");
	assert_hides("pid 77");
	press("[");
	assert_shows(&scene, "new.lock was not there then");
	press("]");
	assert_shows(&scene, "new.lock  held");
}

/* However old what is shown is, what is said of the data is said of now. */
static void the_age_of_data_is_of_now(void **state)
{
	(void)state;
	press("[");
	assert_shows(&scene, "data 1s");
	scene_source_is(&scene, 0, SOURCE_SILENT, NULL);
	scene_pass(&scene, 47);
	assert_shows(&scene, "STALE DATA 47s");
	assert_shows(&scene, "PAST 08:56:20");
	assert_hides("data_old");
}

static void every_size_says_past(void **state)
{
	(void)state;
	press("[[");
	for (int rows = 1; rows <= 30; rows++)
		for (int cols = 13; cols <= 130; cols += 9) {
			scene_resize(&scene, rows, cols);
			assert_shows(&scene, "PAST 08:55:20");
		}
}

static void reading_events_is_not_thrown_about(void **state)
{
	(void)state;
	for (int i = 0; i < 60; i++) {
		scene_pass(&scene, 1);
		scene_put(&scene, 0, scene_lock(&scene, "busy.lock", 100 + i, LIFE_ALIVE, 0));
	}
	press("ejjjj{");
	assert_int_equal(scene.top.line, 0);
	press("jj[");
	assert_int_equal(scene.top.line, 0);
	press("jjp");
	assert_int_equal(scene.top.line, 0);
}

static void tags_go_with_the_locks(void **state)
{
	(void)state;
	scene_resize(&scene, 24, 160);
	top_key(&scene.top, KEY_FIRST);
	press(" ");
	assert_shows(&scene, "1 tagged");
	press("[");
	assert_shows(&scene, "1 tagged");
	press("[/name:import.lock\n");
	top_key(&scene.top, KEY_FIRST);
	press(" ");
	assert_shows(&scene, "2 tagged");
	press("[");
	assert_shows(&scene, "2 tagged");
	press("p");
	assert_shows(&scene, "1 tagged"); /* the other one is not there any more */
	press("[[U");
	assert_hides("tagged  ");
	press("p");
	assert_hides("1 tagged");
}

/* --- nothing is done ----------------------------------------------------------------------------
 */

static void no_deed_reaches_the_past(void **state)
{
	(void)state;
	for (int view = 0; view < VIEW_COUNT; view++) {
		for (int action = 0; action < ACTION_COUNT; action++) {
			if (!action_info[action].is_mutating)
				continue;
			press("p[["); /* from wherever it was */
			if (!scene.top.past.is_on)
				press("[[");
			assert_true(scene.top.past.is_on);
			scene.top.view = (enum view_id)view;
			top_act(&scene.top, (enum action)action);
			scene_draw(&scene);
			assert_int_equal(scene.top.prompt.kind, PROMPT_NONE);
			if (action_info[action].views & views[view]->bit) {
				assert_non_null(
					strstr(scene.top.message, "this is the past, 08:5"));
				assert_non_null(strstr(scene.top.message,
					": nothing can be done there; p shows what is now"));
			}
			scene_keys(&scene, "y31\nforce\n");
		}
	}
	assert_int_equal(scene.asked, 0);
}

static void nor_by_tags(void **state)
{
	(void)state;
	press("[[");
	top_key(&scene.top, KEY_FIRST);
	press("    ");
	assert_shows(&scene, "4 tagged");
	press("R");
	assert_shows(&scene, "this is the past, 08:55:20: nothing can be done there");
	press("y");
	assert_int_equal(scene.asked, 0);
	press("p");
	press("R");
	assert_int_equal(scene.top.prompt.kind, PROMPT_YES); /* and now it can */
}

static void a_question_ends_where_the_past_begins(void **state)
{
	(void)state;
	top_key(&scene.top, KEY_FIRST);
	scene_draw(&scene);
	press("R");
	assert_int_equal(scene.top.prompt.kind, PROMPT_YES);
	top_act(&scene.top, ACTION_EARLIER);
	scene_draw(&scene);
	assert_int_equal(scene.top.prompt.kind, PROMPT_NONE);
	press("y");
	assert_int_equal(scene.asked, 0);
}

static void the_bar_and_the_help_offer_none(void **state)
{
	(void)state;
	scene_resize(&scene, 70, 160);
	assert_shows(&scene, "R release");
	press("[");
	assert_hides("R release");
	assert_shows(&scene, "] later");
	assert_shows(&scene, "p live");
	press("?");
	assert_shows(&scene, "off: this is the past");
}

/* --- jumping to a time ---------------------------------------------------------------------------
 */

static void a_time_can_be_jumped_to(void **state)
{
	static const struct {
		const char *typed, *shown;
	} table[] = {
		{"08:55:20", "PAST 08:55:20"},
		{"08:55", "PAST 08:55:00"},
		{"2025-10-09 08:54:30", "PAST 08:54:30"},
		{"-90s", "PAST 08:55:50"},
		{"2m", "PAST 08:55:20"},
		{"1m30s", "PAST 08:55:50"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
		press("b");
		assert_shows(&scene, "Jump to:");
		assert_shows(&scene, "recorded since 08:53:20");
		press(table[i].typed);
		press("\n");
		assert_int_equal(scene.top.prompt.kind, PROMPT_NONE);
		assert_shows(&scene, table[i].shown);
	}
	press("bnow\n");
	assert_hides("PAST");
	assert_null(scene.top.frozen);
}

/* Between two changes the locks are as the first left them, and their ages are of that time. */
static void between_two_changes_time_counts(void **state)
{
	(void)state;
	press("b08:55:50\n");
	assert_shows(&scene, "08:55:50: the last change before was 08:55:20 new.lock: HELD, 1 wa");
	press("/new\n");
	assert_shows(&scene, "1m"); /* since 08:54:20 */
	press("[");
	assert_shows(&scene, "PAST 08:55:20");
	press("b08:55:50\n]");
	assert_shows(&scene, "PAST 08:56:20");
}

static void what_is_no_time_is_said_and_can_be_mended(void **state)
{
	static const char *const bad[] = {"half past nine", "25:00", "12:61", "2025-02-30 12:00",
		"15", "-", "--5m", "2025-10-09 08:5x"};

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		press("b");
		press(bad[i]);
		press("\n");
		assert_int_equal(scene.top.prompt.kind, PROMPT_LINE);
		assert_string_equal(scene.top.prompt.input, bad[i]);
		assert_non_null(strstr(scene.top.message, "is no time: 12:03"));
		assert_true(scene.top.message_is_bad);
		top_key(&scene.top, KEY_DELETE_BACK);
		assert_false(scene.top.message[0]);
		top_key(&scene.top, KEY_ESCAPE);
		assert_int_equal(scene.top.prompt.kind, PROMPT_NONE);
		assert_null(scene.top.frozen);
	}
	press("b2099-01-01\n");
	assert_shows(&scene, "2099-01-01 is in the future");
	top_key(&scene.top, KEY_CTRL_U);
	press("08:54:20\n");
	assert_shows(&scene, "PAST 08:54:20");
	press("b\n"); /* nothing typed, nothing done */
	assert_shows(&scene, "PAST 08:54:20");
}

static void what_is_older_than_all_leads_to_the_oldest(void **state)
{
	(void)state;
	press("b2025-10-08 12:00\n");
	assert_shows(&scene, "PAST 08:53:20");
	assert_shows(
		&scene, "nothing is recorded before 08:53:20; that was 08:53:20 file:/run/lock");
	press("]");
	assert_shows(&scene, "PAST 08:54:20");
}

/* A log that has a line of an hour before the first look. */
static void add_log(void)
{
	char lock[] = "import.lock", place[] = "file:/run/lock", backend[] = "file";
	struct sample sample = {
		.source = place,
		.lock = lock,
		.backend = backend,
		.from = (SCENE_WALL / NS_PER_S - 3600) / 60 * 60,
		.seconds = 60,
	};
	struct event event = {.kind = EVENT_SAMPLE, .sample = &sample};

	sample.tally.count[METRIC_RELEASED] = 1;
	sample.last = sample.from * NS_PER_S;
	histogram_add(&sample.tally.hold, NS_PER_S, 1);
	assert_int_equal(model_add_source(&scene.model, "log:/var/log/locktop/metrics.jsonl"), 1);
	scene_tell(&scene, 1, &event);
	scene_scanned(&scene, 1);
	histogram_release(&sample.tally.hold);
}

static void the_graphs_reach_further_back_than_the_locks(void **state)
{
	uint64_t steps = history_end(scene.history);

	(void)state;
	add_log();
	assert_int_equal(history_end(scene.history), steps); /* no lock changed by that */
	press("b08:10\n");
	assert_shows(&scene, "PAST 08:10:00");
	assert_shows(&scene, "locks: not recorded");
	assert_shows(&scene, "what the locks were then is not recorded");
	assert_shows(&scene, "locks are recorded since 08:53:20; the graphs reach further back: g");
	assert_hides("nothing is stuck");
	assert_hides("import.lock");
	assert_int_equal(
		top_model(&scene.top)->now_wall / NS_PER_S, SCENE_WALL / NS_PER_S - 43 * 60 - 20);
	for (int view = 0; view < VIEW_COUNT; view++) {
		scene.top.view = (enum view_id)view;
		assert_shows(&scene, "PAST 08:10:00");
	}
	scene.top.view = VIEW_sources;
	assert_shows(&scene, "now       ok");
	scene.top.view = VIEW_events;
	assert_shows(&scene, "what happened until then is not recorded");
	scene.top.view = VIEW_locks;
	press("[");
	assert_shows(&scene, "nothing is recorded before 08:53:20");
	press("R");
	assert_shows(&scene, "nothing can be done there");
	scene_resize(&scene, 3, 25);
	assert_shows(&scene, "PAST 08:10:00");
	assert_hides("0 locks");
	scene_resize(&scene, 24, 80);
	press("]");
	assert_shows(&scene, "PAST 08:53:20");
	/* And further back than the log there is nothing at all. */
	press("b05:00\n");
	assert_shows(&scene, "PAST 08:53:20");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define _(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
		_(earlier_and_later_go_from_change_to_change),
		_(time_stands_still_there),
		_(there_are_many_ways_back_to_now),
		_(the_title_says_it_and_that_the_world_goes_on),
		_(a_pause_is_a_place_to_step_from),
		_(no_step_without_a_change),
		_(too_many_locks_are_said),
		_(every_view_is_of_then),
		_(a_lock_that_is_looked_at_is_of_then_too),
		_(the_age_of_data_is_of_now),
		_(every_size_says_past),
		_(reading_events_is_not_thrown_about),
		_(tags_go_with_the_locks),
		_(no_deed_reaches_the_past),
		_(nor_by_tags),
		_(a_question_ends_where_the_past_begins),
		_(the_bar_and_the_help_offer_none),
		_(a_time_can_be_jumped_to),
		_(between_two_changes_time_counts),
		_(what_is_no_time_is_said_and_can_be_mended),
		_(what_is_older_than_all_leads_to_the_oldest),
		_(the_graphs_reach_further_back_than_the_locks),
#undef _
	};

	return cmocka_run_group_tests_name("past", tests, NULL, NULL);
}

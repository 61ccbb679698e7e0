/* The monitor: keys, questions, and what may leave it. */
#include "config.h"
#include "ui/top.h"

#include <signal.h>

#include "scene.h"

static struct scene scene;

static int setup(void **state)
{
	(void)state;
	scene_init(&scene, GLYPHS_BOX, 24, 80);
	scene_fill(&scene);
	scene_draw(&scene);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	scene_release(&scene);
	return 0;
}

static const char *selected(void)
{
	const struct entry *entry = top_selected(&scene.top);

	return entry ? entry->lock->name : "";
}

/* Puts the cursor on a lock by its name. */
static void go_to(const char *name)
{
	top_key(&scene.top, KEY_FIRST);
	for (size_t i = 0; i < scene.top.listed && strcmp(selected(), name) != 0; i++)
		top_key(&scene.top, 'j');
	assert_string_equal(selected(), name);
	scene_draw(&scene);
}

static void pass(int64_t seconds)
{
	scene_pass(&scene, seconds);
	for (size_t i = 0; i < scene.model.sources; i++)
		scene_scanned(&scene, i);
	scene_draw(&scene);
}

static void answer(enum outcome outcome, const char *text)
{
	struct event event = {
		.kind = EVENT_DONE,
		.request = scene.asked,
		.outcome = outcome,
		.text = (char *)text,
	};

	top_done(&scene.top, scene.source, &event);
	scene_draw(&scene);
}

/* --- opens on the answer --------------------------------------------------------------------- */

static void opens_on_the_worst_lock(void **state)
{
	(void)state;
	assert_shows(&scene, "7 locks: 2 STALE 2 OVERDUE 3 ok");
	assert_shows(&scene, "x STALE  /run/lock/import.lock  held 2h14m (limit 10m)  2 waiting");
	assert_shows(&scene, " alive  NO: pid 4711 is gone: no such process");
	assert_shows(&scene, " DO     release it: SAFE");
	assert_string_equal(selected(), "import.lock");
	assert_int_equal(scene.canvas.cursor_row, 8);
}

static void the_cursor_stays_on_its_lock(void **state)
{
	(void)state;
	go_to("report.lock");
	scene_put(&scene, 0, scene_lock(&scene, "aaa.lock", 99, LIFE_GONE, 90000));
	scene_gone(&scene, 0, "cache-warm.lock");
	scene_draw(&scene);
	assert_string_equal(selected(), "report.lock");
	assert_int_equal(scene.top.cursor, 3);
	scene_keys(&scene, "ssI");
	scene_draw(&scene);
	assert_string_equal(selected(), "report.lock");
	/* When it has gone, its row is what remains. */
	scene_gone(&scene, 0, "report.lock");
	scene_draw(&scene);
	assert_string_not_equal(selected(), "report.lock");
	assert_string_not_equal(selected(), "");
}

static void until_it_is_moved_the_cursor_is_on_the_worst(void **state)
{
	(void)state;
	scene_put(&scene, 0, scene_lock(&scene, "zzz.lock", 99, LIFE_GONE, 90000));
	scene_put(&scene, 0, scene_lock(&scene, "import.lock", 4711, LIFE_ALIVE, 5));
	scene_draw(&scene);
	assert_string_equal(selected(), "zzz.lock");
}

static void a_lock_that_is_looked_at_stays_on_the_screen(void **state)
{
	(void)state;
	go_to("report.lock");
	top_key(&scene.top, KEY_RETURN);
	assert_shows(&scene, "all about this lock");
	assert_shows(&scene, "report.lock");
	scene_gone(&scene, 0, "report.lock");
	assert_shows(&scene, "report.lock is gone");
	scene_keys(&scene, "RFT");
	scene_draw(&scene);
	assert_int_equal(scene.top.prompt.kind, PROMPT_NONE);
	top_key(&scene.top, KEY_ESCAPE);
	scene_draw(&scene);
	assert_int_equal(scene.top.view, VIEW_locks);
}

static void all_is_well_only_when_every_source_answers(void **state)
{
	static const char *const bad[] = {
		"import.lock", "cache-warm.lock", "backup.lock", "report.lock"};

	(void)state;
	for (size_t i = 0; i < 4; i++)
		scene_gone(&scene, 0, bad[i]);
	assert_shows(&scene, "nothing is stuck: 3 locks, all free or held within their limits");
	assert_int_equal(model_add_source(&scene.model, "file:/mnt/lock"), 1);
	scene_draw(&scene);
	assert_false(scene_shows(&scene, "nothing is stuck"));
	assert_shows(&scene, "not known to be well");
	assert_shows(&scene, "file:/mnt/lock: first look not finished yet");
	scene_scanned(&scene, 1);
	assert_shows(&scene, "nothing is stuck");
	model_source_is(&scene.model, 1, SOURCE_SILENT, NULL);
	model_tick(&scene.model, SCENE_NOW + 47 * NS_PER_S, SCENE_WALL + 47 * NS_PER_S);
	scene_draw(&scene);
	assert_false(scene_shows(&scene, "nothing is stuck"));
	assert_shows(&scene, "STALE DATA 47s");
	assert_shows(&scene, "file:/mnt/lock does not answer");
}

static void one_that_has_ended_among_others_is_not_live(void **state)
{
	(void)state;
	model_source_is(&scene.model, 0, SOURCE_ENDED, NULL);
	assert_shows(&scene, "ended"); /* all of them: a recording, or a single look */
	assert_false(scene_shows(&scene, "STALE DATA"));
	model_add_source(&scene.model, "kernel:");
	scene_scanned(&scene, 1);
	assert_shows(&scene, "STALE DATA");
}

static void a_dead_source_never_looks_live(void **state)
{
	(void)state;
	for (int st = SOURCE_SILENT; st <= SOURCE_DOWN; st++) {
		static const int sizes[][2] = {{24, 80}, {10, 40}, {6, 30}, {3, 20}, {1, 15}};

		model_source_is(&scene.model, 0, (enum source_state)st, "gone astray");
		model_tick(&scene.model, SCENE_NOW + 47 * NS_PER_S, SCENE_WALL + 47 * NS_PER_S);
		for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
			scene_resize(&scene, sizes[i][0], sizes[i][1]);
			assert_shows(&scene, "STALE DATA 47s");
		}
	}
}

/* --- release ------------------------------------------------------------------------------------
 */

static void release_asks_and_says_what_it_is_about(void **state)
{
	(void)state;
	scene_keys(&scene, "R");
	assert_int_equal(scene.asked, 0);
	assert_shows(&scene, "Release a stale lock");
	assert_shows(&scene, "lock    /run/lock/import.lock");
	assert_shows(&scene, "holder  pid 4711, gone");
	assert_shows(&scene, "record: plain, pid 4711");
	assert_shows(
		&scene, "empty the file after taking its flock and comparing inode and content");
	scene_keys(&scene, "y");
	assert_int_equal(scene.asked, 1);
	assert_int_equal(scene.deed.kind, DEED_RELEASE);
	assert_string_equal(scene.deed.name, "import.lock");
	assert_string_equal(scene.deed.version, "v-import.lock-4711");
	assert_false(scene.deed.tidy);
	answer(OUTCOME_DONE, "released /run/lock/import.lock");
	assert_shows(&scene, "done: released /run/lock/import.lock");
}

static void anything_but_y_cancels(void **state)
{
	static const int keys[] = {
		'n', 'Y', KEY_RETURN, KEY_ESCAPE, ' ', KEY_CTRL_C, 'R', KEY_ARROW_DOWN, 'q'};

	(void)state;
	for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
		scene_keys(&scene, "R");
		assert_int_equal(scene.top.prompt.kind, PROMPT_YES);
		top_key(&scene.top, keys[i]);
		assert_int_equal(scene.top.prompt.kind, PROMPT_NONE);
		assert_shows(&scene, "cancelled: nothing was done");
		top_key(&scene.top, 'y');
	}
	assert_int_equal(scene.asked, 0);
	assert_false(scene.top.wants_quit);
}

static void what_was_typed_before_the_question_was_seen_is_no_answer(void **state)
{
	(void)state;
	top_key(&scene.top, 'R'); /* as pasted: no screen in between */
	top_key(&scene.top, 'y');
	assert_int_equal(scene.asked, 0);
	assert_int_equal(scene.top.prompt.kind, PROMPT_YES);
	top_update(&scene.top);
	top_key(&scene.top, 'n');
	assert_int_equal(scene.top.prompt.kind, PROMPT_NONE);
	top_key(&scene.top, 'R'); /* one that was seen does not count for the next */
	top_key(&scene.top, 'y');
	assert_int_equal(scene.asked, 0);
	top_act(&scene.top, ACTION_UP);
	go_to("backup.lock");
	top_key(&scene.top, 'F');
	for (const char *c = "7020\r"; *c; c++)
		top_key(&scene.top, *c);
	assert_int_equal(scene.asked, 0);
}

static void a_spoilt_screen_is_no_answer(void **state)
{
	(void)state;
	scene_keys(&scene, "R");
	top_key(&scene.top, KEY_CTRL_L);
	assert_true(scene.top.wants_repaint);
	assert_int_equal(scene.top.prompt.kind, PROMPT_YES);
}

static void what_is_not_provably_stale_is_refused_at_once(void **state)
{
	(void)state;
	go_to("backup.lock");
	scene_keys(&scene, "R");
	assert_int_equal(scene.top.prompt.kind, PROMPT_NONE);
	assert_shows(&scene, "backup.lock is not provably stale, it is OVERDUE: pid 7020 php");
	assert_non_null(strstr(scene.top.message, "NOT SAFE"));
	go_to("idle.lock");
	scene_keys(&scene, "R");
	assert_shows(&scene, "idle.lock is FREE: there is nothing to release");
	scene_keys(&scene, "y");
	assert_int_equal(scene.asked, 0);
}

static void a_question_is_withdrawn_when_its_lock_changes(void **state)
{
	(void)state;
	scene_keys(&scene, "R");
	scene_put(&scene, 0, scene_lock(&scene, "import.lock", 5000, LIFE_ALIVE, 1));
	assert_shows(&scene, "the question was withdrawn: import.lock has changed: it is HELD now");
	scene_keys(&scene, "y");
	assert_int_equal(scene.asked, 0);

	go_to("cache-warm.lock");
	scene_keys(&scene, "R");
	scene_gone(&scene, 0, "cache-warm.lock");
	assert_shows(&scene, "the question was withdrawn: cache-warm.lock is gone");
	scene_keys(&scene, "y");
	assert_int_equal(scene.asked, 0);
}

static void a_change_between_draw_and_key_counts_too(void **state)
{
	(void)state;
	scene_keys(&scene, "R");
	scene_draw(&scene);
	scene_put(&scene, 0, scene_lock(&scene, "import.lock", 5000, LIFE_ALIVE, 1));
	top_key(&scene.top, 'y'); /* no top_update() in between */
	assert_int_equal(scene.asked, 0);
	assert_shows(&scene, "nothing is done: import.lock has changed");
}

static void a_question_is_withdrawn_when_its_source_falls_silent(void **state)
{
	(void)state;
	scene_keys(&scene, "R");
	model_source_is(&scene.model, 0, SOURCE_SILENT, NULL);
	scene_draw(&scene);
	assert_int_equal(scene.top.prompt.kind, PROMPT_NONE);
	scene_keys(&scene, "R");
	assert_non_null(strstr(scene.top.message, "nothing is done on the past"));
	scene_keys(&scene, "y");
	assert_int_equal(scene.asked, 0);
}

static void the_order_is_held_while_a_question_is_open(void **state)
{
	(void)state;
	go_to("cache-warm.lock");
	scene_keys(&scene, "R");
	scene_put(&scene, 0, scene_lock(&scene, "aaa.lock", 99, LIFE_GONE, 90000));
	scene_gone(&scene, 0, "idle.lock");
	scene_draw(&scene);
	assert_int_equal(scene.top.listed, 7);
	assert_shows(&scene, "- gone");
	scene_keys(&scene, "n");
	pass(60);
	assert_false(scene_shows(&scene, "idle.lock"));
	assert_string_equal(selected(), "cache-warm.lock");
}

static void tagged_locks_are_meant_together(void **state)
{
	(void)state;
	go_to("import.lock");
	scene_keys(&scene, "   "); /* import, cache-warm, backup */
	assert_shows(&scene, "3 tagged");
	scene_keys(&scene, "R");
	assert_shows(&scene, "Release 2 stale locks");
	assert_shows(&scene, "/run/lock/import.lock: pid 4711 is gone");
	assert_shows(&scene, "/run/lock/cache-warm.lock: pid 3990 is gone");
	assert_shows(&scene, "left alone: 1 tagged");
	scene_keys(&scene, "y");
	assert_int_equal(scene.asked, 2);
	answer(OUTCOME_REFUSED, "it is held again");
	assert_shows(&scene, "0 of 2 done, 1 not; the last one refused: it is held again");
	scene_keys(&scene, "U");
	assert_shows(&scene, "no lock is tagged any more");
}

static void clean_names_all_that_is_stale(void **state)
{
	(void)state;
	for (int i = 0; i < 10; i++) {
		char name[32];

		snprintf(name, sizeof name, "old-%02d.lock", i);
		scene_put(&scene, 0, scene_lock(&scene, name, 300 + i, LIFE_GONE, 900));
	}
	scene_draw(&scene);
	scene_keys(&scene, "C");
	assert_int_equal(scene.top.targets, 12);
	assert_shows(&scene, "Release 12 stale locks");
	assert_shows(&scene, "and 4 more");
	assert_shows(&scene, "Release all 12?");
	assert_int_equal(scene.asked, 0);
	scene_keys(&scene, "y");
	assert_int_equal(scene.asked, 12);
}

static void tidy_says_unlink(void **state)
{
	(void)state;
	scene.top.tidy = true;
	scene_keys(&scene, "R");
	assert_shows(&scene, "unlink the file after taking its flock");
	scene_keys(&scene, "y");
	assert_true(scene.deed.tidy);
}

/* --- force and terminate
 * --------------------------------------------------------------------------- */

static void force_on_a_live_holder_wants_its_pid(void **state)
{
	(void)state;
	go_to("backup.lock");
	scene_keys(&scene, "F");
	assert_shows(&scene, "Force: release a lock whose holder is ALIVE");
	assert_shows(&scene, "NOT SAFE. Type the pid 7020 and Enter");
	scene_keys(&scene, "7021\n");
	assert_int_equal(scene.asked, 0);
	scene_keys(&scene, "Fy\n");
	assert_int_equal(scene.asked, 0);
	scene_keys(&scene, "Fforce\n");
	assert_int_equal(scene.asked, 0);
	scene_keys(&scene, "F7020\n");
	assert_int_equal(scene.asked, 1);
	assert_int_equal(scene.deed.kind, DEED_FORCE);
	assert_int_equal(scene.deed.pid, 7020);
	assert_int_equal(scene.deed.start, 5000);
	assert_string_equal(scene.deed.version, "v-backup.lock-7020");
}

static void force_without_a_known_holder_wants_the_word(void **state)
{
	struct lock *lock = scene_lock(&scene, "far.lock", 77, LIFE_UNKNOWN, 100);

	(void)state;
	lock->host_is = RELATION_OTHER;
	scene_put(&scene, 0, lock);
	scene_draw(&scene);
	go_to("far.lock");
	scene_keys(&scene, "F");
	assert_shows(&scene, "Type force and Enter");
	scene_keys(&scene, "77\n");
	assert_int_equal(scene.asked, 0);
	scene_keys(&scene, "Fforce\n");
	assert_int_equal(scene.asked, 1);
}

static void force_is_not_offered_where_it_makes_no_sense(void **state)
{
	struct lock *lock = scene_lock(&scene, "flock:/x", 77, LIFE_ALIVE, 100);

	(void)state;
	lock->kind = LOCK_FLOCK;
	lock->record = (struct record){.format = RECORD_NONE, .fence = -1, .uid = -1};
	lock->holder[0].from_kernel = true;
	scene_put(&scene, 0, lock);
	scene_draw(&scene);
	go_to("flock:/x");
	scene_keys(&scene, "F");
	assert_int_equal(scene.top.prompt.kind, PROMPT_NONE);
	assert_shows(&scene, "is a kernel lock: only its holder can give it up");
	go_to("import.lock");
	scene_keys(&scene, "F");
	assert_int_equal(scene.top.prompt.kind, PROMPT_NONE);
	assert_shows(&scene, "import.lock is provably stale: R releases it");
}

static void the_holder_gets_term_and_then_kill(void **state)
{
	(void)state;
	go_to("backup.lock");
	scene_keys(&scene, "T");
	assert_shows(&scene, "Send TERM to pid 7020?");
	scene_keys(&scene, "y");
	assert_int_equal(scene.deed.kind, DEED_SIGNAL);
	assert_int_equal(scene.deed.signal, SIGTERM);
	assert_int_equal(scene.deed.pid, 7020);
	/* As long as nobody says that it was sent, it was not. */
	scene_keys(&scene, "Tn");
	answer(OUTCOME_DONE, "sent TERM to pid 7020");
	pass(12);
	scene_keys(&scene, "T");
	assert_shows(&scene, "Send KILL to pid 7020?");
	assert_shows(&scene, "TERM was sent 12s ago");
	scene_keys(&scene, "y");
	assert_int_equal(scene.asked, 2);
	assert_int_equal(scene.deed.signal, SIGKILL);
}

static void a_new_process_of_that_pid_gets_term_again(void **state)
{
	struct lock *lock;

	(void)state;
	go_to("backup.lock");
	scene_keys(&scene, "Ty");
	answer(OUTCOME_DONE, "sent TERM to pid 7020");
	lock = scene_lock(&scene, "backup.lock", 7020, LIFE_ALIVE, 1);
	lock->holder[0].start = 777777;
	scene_put(&scene, 0, lock);
	scene_draw(&scene);
	scene_keys(&scene, "T");
	assert_shows(&scene, "Send TERM to pid 7020?");
}

static void nobody_is_signalled_where_nobody_is(void **state)
{
	(void)state;
	scene_keys(&scene, "T");
	assert_int_equal(scene.top.prompt.kind, PROMPT_NONE);
	assert_shows(&scene, "import.lock: there is nobody to signal");
	assert_non_null(strstr(scene.top.message, "R releases it"));
}

static void a_source_that_cannot_be_asked_is_said(void **state)
{
	(void)state;
	scene.is_deaf = true;
	scene_keys(&scene, "Ry");
	assert_shows(&scene, "1 of 1 could not be asked for: the source is down");
}

static void an_answer_that_was_not_asked_for_is_nothing(void **state)
{
	(void)state;
	answer(OUTCOME_DONE, "something");
	assert_false(scene_shows(&scene, "something"));
}

/* --- read-only
 * -------------------------------------------------------------------------------------- */

static void read_only_refuses_every_deed_in_every_view(void **state)
{
	(void)state;
	policy_read_only(&scene.policy, "--read-only");
	assert_shows(&scene, "READ-ONLY");
	assert_false(scene_shows(&scene, "R release"));
	for (int view = 0; view < VIEW_COUNT; view++) {
		for (int action = 0; action < ACTION_COUNT; action++) {
			scene.top.view = (enum view_id)view;
			top_act(&scene.top, (enum action)action);
			scene_draw(&scene);
			if (action_info[action].is_mutating) {
				assert_int_equal(scene.top.prompt.kind, PROMPT_NONE);
				if (action_info[action].views & views[view]->bit)
					assert_non_null(strstr(scene.top.message, "read-only"));
			}
			scene_keys(&scene, "y7020\nforce\n");
		}
		for (int key = 0; key < 256; key++) {
			scene.top.view = (enum view_id)view;
			top_key(&scene.top, key);
			top_key(&scene.top, 'y');
			top_key(&scene.top, KEY_RETURN);
		}
	}
	assert_int_equal(scene.asked, 0);
}

/* --- filter, sort, pause, messages
 * ---------------------------------------------------------------------- */

static void the_filter_works_while_it_is_typed(void **state)
{
	(void)state;
	scene_keys(&scene, "/back");
	scene_draw(&scene);
	assert_int_equal(scene.top.listed, 1);
	assert_shows(&scene, "Filter: back");
	top_key(&scene.top, KEY_RETURN);
	assert_shows(&scene, "filter: back");
	assert_shows(&scene, "7 locks"); /* the verdict is about all of them */
	assert_shows(&scene, "/run/lock/import.lock");
	scene_keys(&scene, "/zzz");
	assert_shows(&scene, "no lock matches 'backzzz'");
	top_key(&scene.top, KEY_ESCAPE); /* undoes what was typed */
	scene_draw(&scene);
	assert_string_equal(scene.top.selection.filter, "back");
	top_key(&scene.top, KEY_ESCAPE); /* and now the filter itself */
	scene_draw(&scene);
	assert_int_equal(scene.top.listed, 7);
}

static void a_bad_filter_is_a_sentence_and_changes_nothing(void **state)
{
	(void)state;
	scene_keys(&scene, "/age>");
	scene_draw(&scene);
	assert_true(scene.top.message_is_bad);
	scene_keys(&scene, "20m");
	scene_draw(&scene);
	assert_false(scene.top.message[0]);
	assert_int_equal(scene.top.listed, 2);
}

static void sorting_goes_round(void **state)
{
	char first[64];

	(void)state;
	scene_keys(&scene, "s");
	scene_draw(&scene);
	assert_string_equal(scene.top.list[0].lock->name, "import.lock"); /* the oldest */
	scene_keys(&scene, "s");
	scene_draw(&scene);
	assert_string_equal(scene.top.list[0].lock->name, "backup.lock"); /* by name */
	snprintf(first, sizeof first, "%s", scene.top.list[6].lock->name);
	scene_keys(&scene, "I");
	scene_draw(&scene);
	assert_string_equal(scene.top.list[0].lock->name, first);
	scene_keys(&scene, "ssss");
	assert_int_equal(scene.top.selection.sort, SORT_HARM);
	scene_keys(&scene, "f");
	scene_draw(&scene);
	assert_int_equal(scene.top.listed, 6);
}

static void a_pause_freezes_the_view_and_says_so(void **state)
{
	(void)state;
	scene_keys(&scene, "p");
	scene_gone(&scene, 0, "import.lock");
	pass(63);
	assert_shows(&scene, "PAUSED 1m03s");
	assert_shows(&scene, "x STALE  /run/lock/import.lock  held 2h14m");
	/* Nobody acts on what is not there any more. */
	go_to("import.lock");
	scene_keys(&scene, "R");
	assert_shows(&scene, "import.lock is gone since the pause");
	scene_put(&scene, 0, scene_lock(&scene, "cache-warm.lock", 1, LIFE_GONE, 3));
	go_to("cache-warm.lock");
	scene_keys(&scene, "R");
	assert_shows(&scene, "cache-warm.lock has changed since the pause");
	scene_keys(&scene, "y");
	assert_int_equal(scene.asked, 0);
	scene_keys(&scene, "p");
	scene_draw(&scene);
	assert_false(scene_shows(&scene, "import.lock"));
	assert_false(scene_shows(&scene, "PAUSED"));
}

static void a_pause_does_not_hide_that_data_are_old(void **state)
{
	(void)state;
	scene_keys(&scene, "p");
	model_source_is(&scene.model, 0, SOURCE_SILENT, NULL);
	model_tick(&scene.model, SCENE_NOW + 47 * NS_PER_S, SCENE_WALL + 47 * NS_PER_S);
	assert_shows(&scene, "STALE DATA 47s");
}

static void a_message_goes_by_itself(void **state)
{
	(void)state;
	scene_keys(&scene, "s");
	assert_shows(&scene, "sorted by age");
	pass(60);
	assert_false(scene_shows(&scene, "sorted by age"));
}

static void a_key_without_a_meaning_is_told(void **state)
{
	(void)state;
	scene_keys(&scene, "Z");
	assert_shows(&scene, "Z does nothing here; ? shows the keys");
	top_act(&scene.top, ACTION_NONE);
	top_act(&scene.top, ACTION_COUNT);
}

static void the_other_views_lead_back(void **state)
{
	(void)state;
	go_to("report.lock");
	top_key(&scene.top, KEY_RETURN);
	scene_keys(&scene, "?");
	assert_int_equal(scene.top.view, VIEW_help);
	top_key(&scene.top, KEY_ESCAPE);
	assert_int_equal(scene.top.view, VIEW_lock);
	top_key(&scene.top, KEY_ESCAPE);
	assert_int_equal(scene.top.view, VIEW_locks);
	scene_keys(&scene, "eo");
	assert_int_equal(scene.top.view, VIEW_sources);
	scene_keys(&scene, "l");
	assert_int_equal(scene.top.view, VIEW_locks);
	assert_string_equal(selected(), "report.lock");
	scene_keys(&scene, "r");
	assert_int_equal(scene.looked, 1);
	top_key(&scene.top, KEY_CTRL_Z);
	assert_true(scene.top.wants_suspend);
	top_key(&scene.top, KEY_CTRL_C);
	assert_true(scene.top.wants_quit);
}

static void text_can_be_scrolled_to_its_end_and_no_further(void **state)
{
	(void)state;
	scene_keys(&scene, "?");
	for (int i = 0; i < 200; i++)
		top_key(&scene.top, i % 2 ? 'j' : KEY_PAGE_DOWN);
	assert_shows(&scene, "cannot be known from here");
	assert_true(scene.top.line > 5);
	top_key(&scene.top, KEY_FIRST);
	assert_shows(&scene, "Up k");
	top_key(&scene.top, KEY_ARROW_UP);
	assert_int_equal(scene.top.line, 0);
}

static void reading_old_events_is_not_disturbed_by_new_ones(void **state)
{
	char *before, *after;

	(void)state;
	for (int i = 0; i < 60; i++)
		scene_put(&scene, 0,
			scene_lock(&scene, "mail.lock", 7023, i % 2 ? LIFE_ALIVE : LIFE_GONE, i));
	scene_keys(&scene, "ejjjjj");
	scene_draw(&scene);
	before = canvas_row(&scene.canvas, 5);
	scene_put(&scene, 0, scene_lock(&scene, "new.lock", 1, LIFE_GONE, 1));
	scene_draw(&scene);
	after = canvas_row(&scene.canvas, 5);
	assert_string_equal(before, after);
	free(before);
	free(after);
}

/* --- any size, any key, any name
 * --------------------------------------------------------------------- */

static void every_view_is_drawn_at_every_size(void **state)
{
	static const char *const keys[] = {"", "R", "/", "C", "F"};

	(void)state;
	for (int rows = 1; rows <= 42; rows += rows < 14 ? 1 : 7)
		for (int cols = 1; cols <= 130; cols += cols < 44 ? 3 : 17) {
			scene_resize(&scene, rows, cols);
			for (int view = 0; view < VIEW_COUNT; view++)
				for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
					scene.top.view = (enum view_id)view;
					scene.top.prompt.kind = PROMPT_NONE;
					scene_keys(&scene, keys[i]);
					scene_draw(&scene);
					assert_in_range(scene.canvas.cursor_row, 0, rows - 1);
					assert_in_range(scene.canvas.cursor_col, 0, cols - 1);
				}
		}
	assert_int_equal(scene.asked, 0);
}

static void no_question_is_asked_where_it_cannot_be_read(void **state)
{
	(void)state;
	scene_resize(&scene, 3, 20);
	scene_draw(&scene);
	scene_keys(&scene, "R");
	assert_non_null(strstr(scene.top.message, "too small for a question"));
	scene_keys(&scene, "y");
	assert_int_equal(scene.asked, 0);
	scene_resize(&scene, 24, 80);
	scene_draw(&scene);
	scene_keys(&scene, "R");
	scene_resize(&scene, 3, 20);
	scene_draw(&scene);
	assert_int_equal(scene.top.prompt.kind, PROMPT_NONE);
	scene_keys(&scene, "y");
	assert_int_equal(scene.asked, 0);
}

static void drawing_changes_nothing(void **state)
{
	struct top before;

	(void)state;
	for (int view = 0; view < VIEW_COUNT; view++) {
		uint64_t changes = scene.model.changes;

		scene.top.view = (enum view_id)view;
		top_update(&scene.top);
		memcpy(&before, &scene.top, sizeof before);
		canvas_clear(&scene.canvas);
		top_draw(&scene.top, &scene.canvas);
		assert_memory_equal(&before, &scene.top, sizeof before);
		assert_int_equal(changes, scene.model.changes);
	}
}

static void check_cells(void)
{
	int n = scene.canvas.rows * scene.canvas.cols;

	for (int i = 0; i < n; i++) {
		const unsigned char *c = (const unsigned char *)scene.canvas.cell[i].text;

		for (; *c; c++)
			if (*c < 0x20 || *c == 0x7f)
				fail_msg("byte %02x in cell %d", *c, i);
		c = (const unsigned char *)scene.canvas.cell[i].text;
		if (c[0] == 0xc2 && c[1] < 0xa0)
			fail_msg("C1 control in cell %d", i);
		if (c[0] == 0xe2 && c[1] == 0x80 && c[2] >= 0xaa && c[2] <= 0xae)
			fail_msg("bidirectional control in cell %d", i);
	}
}

static void a_hostile_name_cannot_reach_the_terminal(void **state)
{
	char huge[10001];
	const char *const names[] = {"\033]0;owned\a\033[2J", "a\nb\rc\td", "\xe2\x80\xaetxt.kcol",
		"\xc2\x9b"
		"31m",
		"\xff\xfe\x80", huge};

	(void)state;
	memset(huge, 'x', sizeof huge - 1);
	huge[sizeof huge - 1] = '\0';
	huge[5000] = '\033';
	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		struct lock *lock = scene_lock(&scene, names[i], 4711, LIFE_GONE, 99999);
		struct process *waiter = lock_add_waiter(lock);

		waiter->pid = 5;
		waiter->user = strdup(names[i]);
		lock->path = strdup(names[i]);
		lock->problem = strdup(names[i]);
		lock->bytes = strdup(names[i]);
		lock->holder[0].command = strdup(names[i]);
		scene_put(&scene, 0, lock);
	}
	for (int view = 0; view < VIEW_COUNT; view++) {
		scene.top.view = (enum view_id)view;
		for (size_t i = 0; i < scene.top.listed; i++) {
			scene_draw(&scene);
			check_cells();
			scene_keys(&scene, "R");
			scene_draw(&scene);
			check_cells();
			scene_keys(&scene, "nF");
			scene_draw(&scene);
			check_cells();
			scene_keys(&scene, "\nT");
			scene_draw(&scene);
			check_cells();
			scene_keys(&scene, "nCn \033j");
		}
	}
	assert_int_equal(scene.asked, 0);
}

static uint32_t seed;

static uint32_t roll(uint32_t n)
{
	seed = seed * 1664525 + 1013904223;
	return (seed >> 8) % n;
}

static void random_event(void)
{
	char name[16];
	struct lock *lock;

	snprintf(name, sizeof name, "l%u", roll(30));
	switch (roll(12)) {
	case 0: scene_gone(&scene, 0, name); break;
	case 1: pass(roll(100)); break;
	case 2:
		scene_source_is(&scene, 0, (enum source_state)roll(SOURCE_STATE_COUNT), NULL);
		break;
	case 3: scene_source_is(&scene, 0, SOURCE_OK, NULL); break;
	case 4: answer((enum outcome)roll(OUTCOME_COUNT), roll(2) ? "words" : NULL); break;
	case 5:
		scene_resize(&scene, 1 + (int)roll(30), 1 + (int)roll(100));
		scene_draw(&scene);
		break;
	case 6: scene_draw(&scene); break;
	default:
		lock = scene_lock(&scene, name, (int32_t)roll(4) * 7, (enum life)roll(LIFE_COUNT),
			roll(2000));
		lock->kind = (enum lock_kind)roll(roll(2) ? 1 : LOCK_KIND_COUNT);
		for (uint32_t i = roll(5); i > 3; i--)
			lock_add_waiter(lock)->pid = (int32_t)roll(9);
		scene_put(&scene, 0, lock);
	}
}

/* The key itself, and whether it is an answer that allows a deed. */
static bool random_key(int *key, bool steps_back)
{
	static const int keys[] = {'y', 'R', 'F', 'T', 'C', KEY_RETURN, ' ', 'j', 'k', '/', 'p',
		's', 'I', 'f', 'U', 'l', 'e', 'o', '?', KEY_ESCAPE, KEY_PAGE_DOWN, KEY_PAGE_UP,
		KEY_LAST, KEY_FIRST, KEY_DELETE_BACK, KEY_CTRL_U, '7', '4', 'x', ':', '>', 0x20ac,
		KEY_F4};
	static const int steps[] = {'[', ']', '{', 'b', 'p'};
	const struct prompt *prompt = &scene.top.prompt;

	*key = keys[roll(sizeof keys / sizeof *keys)];
	if (steps_back && roll(8) == 0)
		*key = steps[roll(sizeof steps / sizeof *steps)];
	if (prompt->kind == PROMPT_YES && roll(2))
		*key = 'y';
	if (prompt->kind == PROMPT_TYPE && roll(8)) {
		size_t len = strlen(prompt->input);

		*key = len < strlen(prompt->expected) ? prompt->expected[len] : KEY_RETURN;
	}
	return (prompt->kind == PROMPT_YES && *key == 'y') ||
	       (prompt->kind == PROMPT_TYPE && *key == KEY_RETURN &&
		       strcmp(prompt->input, prompt->expected) == 0);
}

static void no_keys_whatever_do_a_deed_without_an_answer(void **state)
{
	int64_t deeds = 0;

	(void)state;
	for (uint32_t round = 0; round < 60; round++) {
		seed = round;
		for (int i = 0; i < 400; i++) {
			int64_t before = scene.asked;
			int key;
			bool may = random_key(&key, round % 3 == 0) && !scene.top.past.is_on;

			top_key(&scene.top, key);
			if (scene.asked != before && !may)
				fail_msg("round %u, key %d: a deed without an answer", round, i);
			deeds += scene.asked - before;
			if (roll(3) == 0)
				random_event();
			if (roll(2) == 0)
				top_update(&scene.top);
			if (roll(4) == 0) {
				scene_draw(&scene);
				check_cells();
			}
		}
		scene.top.wants_quit = false;
	}
	assert_true(deeds > 20); /* else this would have tested nothing */
}

static void a_long_list_is_not_sorted_all_the_time(void **state)
{
	enum { MANY = 100000 };
	char name[32];
	const char *before;

	(void)state;
	for (int i = 0; i < MANY; i++) {
		snprintf(name, sizeof name, "many-%06d.lock", i);
		scene_put(&scene, 0, scene_lock(&scene, name, i % 3 ? 0 : 7, LIFE_ALIVE, i % 500));
	}
	pass(1);
	pass(100);
	assert_int_equal(scene.top.listed, MANY + 7);
	scene.top.select_cost = NS_PER_S;
	scene.top.selected_when = scene.model.now;
	scene_put(&scene, 0, scene_lock(&scene, "aaa.lock", 9, LIFE_GONE, 99999));
	pass(1);
	assert_int_equal(scene.top.listed, MANY + 7); /* not yet */
	before = selected();
	scene_keys(&scene, "jj"); /* but keys work at once */
	assert_string_not_equal(selected(), before);
	assert_int_equal(scene.top.cursor, 2);
	scene_gone(&scene, 0, selected()); /* and what is listed may be gone */
	scene_draw(&scene);
	pass(5);
	assert_string_equal(scene.top.list[1].lock->name, "aaa.lock"); /* nobody waits for it */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define _(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
		_(opens_on_the_worst_lock),
		_(the_cursor_stays_on_its_lock),
		_(until_it_is_moved_the_cursor_is_on_the_worst),
		_(a_lock_that_is_looked_at_stays_on_the_screen),
		_(all_is_well_only_when_every_source_answers),
		_(one_that_has_ended_among_others_is_not_live),
		_(a_dead_source_never_looks_live),
		_(release_asks_and_says_what_it_is_about),
		_(anything_but_y_cancels),
		_(what_was_typed_before_the_question_was_seen_is_no_answer),
		_(a_spoilt_screen_is_no_answer),
		_(what_is_not_provably_stale_is_refused_at_once),
		_(a_question_is_withdrawn_when_its_lock_changes),
		_(a_change_between_draw_and_key_counts_too),
		_(a_question_is_withdrawn_when_its_source_falls_silent),
		_(the_order_is_held_while_a_question_is_open),
		_(tagged_locks_are_meant_together),
		_(clean_names_all_that_is_stale),
		_(tidy_says_unlink),
		_(force_on_a_live_holder_wants_its_pid),
		_(force_without_a_known_holder_wants_the_word),
		_(force_is_not_offered_where_it_makes_no_sense),
		_(the_holder_gets_term_and_then_kill),
		_(a_new_process_of_that_pid_gets_term_again),
		_(nobody_is_signalled_where_nobody_is),
		_(a_source_that_cannot_be_asked_is_said),
		_(an_answer_that_was_not_asked_for_is_nothing),
		_(read_only_refuses_every_deed_in_every_view),
		_(the_filter_works_while_it_is_typed),
		_(a_bad_filter_is_a_sentence_and_changes_nothing),
		_(sorting_goes_round),
		_(a_pause_freezes_the_view_and_says_so),
		_(a_pause_does_not_hide_that_data_are_old),
		_(a_message_goes_by_itself),
		_(a_key_without_a_meaning_is_told),
		_(the_other_views_lead_back),
		_(text_can_be_scrolled_to_its_end_and_no_further),
		_(reading_old_events_is_not_disturbed_by_new_ones),
		_(every_view_is_drawn_at_every_size),
		_(no_question_is_asked_where_it_cannot_be_read),
		_(drawing_changes_nothing),
		_(a_hostile_name_cannot_reach_the_terminal),
		_(no_keys_whatever_do_a_deed_without_an_answer),
		_(a_long_list_is_not_sorted_all_the_time),
#undef _
	};

	return cmocka_run_group_tests_name("top", tests, NULL, NULL);
}

/* What the monitoring plugin makes of locks: states, levels, and the lines that it prints. */
#include "config.h"
#include "scene.h"

#include "base/buf.h"
#include "cli/check.h"

struct site {
	struct scene scene;
	struct check check;
	struct check_levels levels;
	struct buf out;
};

static int set_up(void **state)
{
	struct site *site = calloc(1, sizeof *site);

	assert_non_null(site);
	scene_init(&site->scene, 0, 24, 80);
	site->check.model = &site->scene.model;
	site->check.levels = &site->levels;
	site->check.patience = 10 * NS_PER_S;
	*state = site;
	return 0;
}

static int tear_down(void **state)
{
	struct site *site = *state;

	check_release(&site->check);
	scene_release(&site->scene);
	buf_release(&site->out);
	free(site);
	return 0;
}

static void range(struct nagios_range *range, const char *text)
{
	assert_int_equal(nagios_range_parse(range, text), 0);
}

static void add(struct site *site, const char *name, bool is_named)
{
	const struct entry *entry = model_find(&site->scene.model, 0, name);
	char *address;

	assert_true(asprintf(&address, "/run/lock/%s", name) > 0);
	assert_int_equal(check_add(&site->check, address, entry, is_named), 0);
}

/* A lock of the source, which is checked as one of many. */
static void lock(struct site *site, const char *name, int32_t pid, enum life life, int64_t age)
{
	scene_put(&site->scene, 0, scene_lock(&site->scene, name, pid, life, age));
	add(site, name, false);
}

/* Judges what the source said; as often as it is asked. */
static enum service judged(struct site *site)
{
	scene_scanned(&site->scene, 0);
	check_judge(&site->check);
	return site->check.service;
}

static const char *printed(struct site *site, bool is_verbose)
{
	buf_clear(&site->out);
	check_write(&site->check, is_verbose, &site->out);
	return buf_text(&site->out);
}

static const char *checkmk(struct site *site)
{
	buf_clear(&site->out);
	check_write_checkmk(&site->check, &site->out);
	return buf_text(&site->out);
}

#define assert_has(text, what)                                  \
	do {                                                    \
		if (!strstr(text, what))                        \
			fail_msg("no '%s' in: %s", what, text); \
	} while (0)

static void without_levels_the_states_decide(void **state)
{
	struct site *site = *state;

	assert_int_equal(judged(site), SERVICE_OK);
	lock(site, "free.lock", 0, LIFE_UNKNOWN, 0);
	lock(site, "held.lock", 1, LIFE_ALIVE, 60);
	assert_int_equal(judged(site), SERVICE_OK);
	lock(site, "old-and-far.lock", 2, LIFE_UNKNOWN, 7200); /* EXPIRED, not known to be safe */
	assert_int_equal(judged(site), SERVICE_WARNING);
	lock(site, "stale.lock", 3, LIFE_GONE, 60);
	assert_int_equal(judged(site), SERVICE_CRITICAL);
	assert_int_equal(site->check.stale, 1);
	assert_int_equal(site->check.held, 3);
	assert_int_equal(site->check.oldest, 7200);
}

static void each_state_has_its_service(void **state)
{
	static const struct {
		const char *name;
		int32_t pid;
		enum life life;
		int64_t age;
		enum service service;
	} table[] = {
		{"free.lock", 0, LIFE_UNKNOWN, 0, SERVICE_OK},
		{"held.lock", 1, LIFE_ALIVE, 599, SERVICE_OK},
		{"overdue.lock", 1, LIFE_ALIVE, 601, SERVICE_CRITICAL},
		{"stale.lock", 1, LIFE_GONE, 1, SERVICE_CRITICAL},
		{"unknown.lock", 1, LIFE_UNKNOWN, 1, SERVICE_WARNING},
	};
	struct site *site = *state;

	for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
		lock(site, table[i].name, table[i].pid, table[i].life, table[i].age);
		if (judged(site) != table[i].service)
			fail_msg("%s is %s", table[i].name, service_word(site->check.service));
		check_release(&site->check);
		site->check.lock = NULL;
		site->check.n = site->check.size = 0;
	}
}

static void a_source_that_is_silent_is_unknown_but_hides_nothing_critical(void **state)
{
	struct site *site = *state;
	const char *text;

	assert_int_equal(model_add_source(&site->scene.model, "file:/srv|x"), 1);
	lock(site, "far.lock", 1, LIFE_UNKNOWN, 1);
	assert_int_equal(judged(site), SERVICE_UNKNOWN);
	text = printed(site, false);
	assert_has(text, "LOCK UNKNOWN: file:/srv\\x7cx: no answer within 10s | age=1s;");
	assert_has(text, "\n/run/lock/far.lock is UNKNOWN: ");
	lock(site, "stale.lock", 2, LIFE_GONE, 1);
	assert_int_equal(judged(site), SERVICE_CRITICAL);
	text = printed(site, false);
	assert_has(text, "LOCK CRITICAL: stale.lock is STALE: ");
	assert_has(text, "\nfile:/srv\\x7cx: no answer within 10s\n");
}

static void levels_of_age_are_about_the_oldest(void **state)
{
	struct site *site = *state;
	const char *text;

	range(&site->levels.age.warning, "300");
	range(&site->levels.age.critical, "900");
	lock(site, "young.lock", 1, LIFE_ALIVE, 20);
	lock(site, "free.lock", 0, LIFE_UNKNOWN, 0);
	assert_int_equal(judged(site), SERVICE_OK);
	lock(site, "edge.lock", 2, LIFE_ALIVE, 300);
	assert_int_equal(judged(site), SERVICE_OK);
	/* OVERDUE by the limit of 600 s, but these levels are what counts. */
	lock(site, "old.lock", 3, LIFE_ALIVE, 899);
	assert_int_equal(judged(site), SERVICE_WARNING);
	text = printed(site, false);
	assert_has(text, "LOCK WARNING: old.lock is OVERDUE for 14m59s (range 300): pid 3");
	assert_has(text, " | age=899s;300;900;0 held=3;;;0 stale=0;;;0 wait_p95=U;;;0\n");
	lock(site, "older.lock", 4, LIFE_ALIVE, 901);
	assert_int_equal(judged(site), SERVICE_CRITICAL);
	text = printed(site, false);
	assert_has(text, "LOCK CRITICAL: older.lock is OVERDUE for 15m01s (range 900): pid 4");
	assert_has(text, "\n/run/lock/old.lock is OVERDUE for 14m59s (range 300): ");
	assert_null(strstr(text, "young"));
}

static void nobody_is_too_old_where_nobody_holds_anything(void **state)
{
	struct site *site = *state;

	range(&site->levels.age.critical, "10:");
	lock(site, "free.lock", 0, LIFE_UNKNOWN, 0);
	assert_int_equal(judged(site), SERVICE_OK);
	lock(site, "held.lock", 1, LIFE_ALIVE, 5);
	assert_int_equal(judged(site), SERVICE_CRITICAL);
}

static void levels_of_stale_ones_count_them(void **state)
{
	struct site *site = *state;

	range(&site->levels.stale.warning, "1");
	range(&site->levels.stale.critical, "2");
	lock(site, "a.lock", 1, LIFE_GONE, 60);
	assert_int_equal(judged(site), SERVICE_OK);
	lock(site, "b.lock", 2, LIFE_GONE, 60);
	assert_int_equal(judged(site), SERVICE_WARNING);
	assert_has(printed(site, false), "LOCK WARNING: a.lock is STALE: ");
	lock(site, "c.lock", 3, LIFE_GONE, 60);
	assert_int_equal(judged(site), SERVICE_CRITICAL);
	assert_has(printed(site, false), " held=3;;;0 stale=3;1;2;0 ");
}

static void that_too_few_are_stale_is_said_as_such(void **state)
{
	struct site *site = *state;

	range(&site->levels.stale.warning, "1:");
	lock(site, "a.lock", 1, LIFE_ALIVE, 60);
	assert_int_equal(judged(site), SERVICE_WARNING);
	assert_has(printed(site, false), "LOCK WARNING: no lock is stale | ");
}

static void levels_of_waits_are_about_the_log(void **state)
{
	struct site *site = *state;

	range(&site->levels.wait.warning, "0.5");
	range(&site->levels.wait.critical, "~:5");
	lock(site, "a.lock", 1, LIFE_ALIVE, 60);
	assert_int_equal(judged(site), SERVICE_OK); /* nobody waited */
	site->check.wait = (struct percentiles){.n = 40, .p95 = 500 * NS_PER_MS};
	assert_int_equal(judged(site), SERVICE_OK);
	assert_has(printed(site, false), " wait_p95=0.5s;0.5;~:5;0\n");
	site->check.wait.p95 += 1000;
	assert_int_equal(judged(site), SERVICE_WARNING);
	assert_has(printed(site, false),
		"LOCK WARNING: the 95th percentile of the waits is 0.500001 s (n=40) | ");
	site->check.wait.p95 = 6 * NS_PER_S;
	assert_int_equal(judged(site), SERVICE_CRITICAL);
	site->check.wait = (struct percentiles){0};
	snprintf(site->check.problem, sizeof site->check.problem, "there is no metrics log");
	assert_int_equal(judged(site), SERVICE_UNKNOWN);
	assert_has(printed(site, false), "LOCK UNKNOWN: there is no metrics log | ");
}

static void a_pid_file_is_no_hold_unless_it_is_named(void **state)
{
	struct site *site = *state;
	struct lock *file = scene_lock(&site->scene, "sshd.pid", 1, LIFE_ALIVE, 86400);

	range(&site->levels.age.critical, "600");
	file->record.format = RECORD_PID;
	scene_put(&site->scene, 0, file);
	add(site, "sshd.pid", false);
	assert_int_equal(judged(site), SERVICE_OK);
	assert_int_equal(site->check.held, 0);
	add(site, "sshd.pid", true);
	assert_int_equal(judged(site), SERVICE_CRITICAL);
	assert_int_equal(site->check.n, 1);
}

static void a_lock_that_is_not_there_is_free(void **state)
{
	struct site *site = *state;

	range(&site->levels.age.critical, "600");
	add(site, "none.lock", true);
	assert_int_equal(judged(site), SERVICE_OK);
	assert_string_equal(printed(site, false),
		"LOCK OK: none.lock is FREE: there is no such lock"
		" | age=0s;;600;0 held=0;;;0 stale=0;;;0 wait_p95=U;;;0\n");
}

static void an_age_that_is_not_known_is_unknown(void **state)
{
	struct site *site = *state;
	struct lock *held = scene_lock(&site->scene, "a.lock", 1, LIFE_ALIVE, 60);

	held->since = 0;
	held->since_mono = MONO_UNKNOWN;
	held->record.time = 0;
	held->record.format = RECORD_PID;
	scene_put(&site->scene, 0, held);
	add(site, "a.lock", true);
	assert_int_equal(judged(site), SERVICE_OK);
	assert_has(printed(site, false), " | age=U;;;0 held=1;;;0 ");
	range(&site->levels.age.warning, "600");
	assert_int_equal(judged(site), SERVICE_UNKNOWN);
	assert_has(printed(site, false), "LOCK UNKNOWN: of no lock that is held");
}

static void a_source_that_says_nothing_leaves_no_numbers(void **state)
{
	struct site *site = *state;

	check_judge(&site->check);
	assert_has(printed(site, false), " | age=U;;;0 held=U;;;0 stale=U;;;0 wait_p95=U;;;0\n");
}

static void what_is_well_is_told_in_one_line_or_in_all(void **state)
{
	struct site *site = *state;

	lock(site, "a.lock", 1, LIFE_ALIVE, 125);
	lock(site, "b.lock", 0, LIFE_UNKNOWN, 0);
	assert_int_equal(judged(site), SERVICE_OK);
	assert_string_equal(printed(site, false),
		"LOCK OK: 2 locks, 1 held, the oldest for 2m05s"
		" | age=125s;;;0 held=1;;;0 stale=0;;;0 wait_p95=U;;;0\n");
	assert_has(printed(site, true), "\n/run/lock/a.lock is HELD: ");
	assert_has(printed(site, true), "\n/run/lock/b.lock is FREE: ");
}

static void of_very_many_lines_the_rest_is_counted(void **state)
{
	struct site *site = *state;
	const char *text;
	size_t lines = 0;
	char name[32];

	for (int i = 0; i < 100; i++) {
		snprintf(name, sizeof name, "s%03d.lock", i);
		lock(site, name, 100 + i, LIFE_GONE, 60);
	}
	assert_int_equal(judged(site), SERVICE_CRITICAL);
	text = printed(site, false);
	assert_has(text, " stale=100;;;0 ");
	assert_has(text, "\nand 70 more\n");
	for (const char *at = text; (at = strchr(at, '\n')); at++)
		lines++;
	assert_int_equal(lines, 31);
}

static void a_bar_in_a_name_ends_no_text(void **state)
{
	struct site *site = *state;
	const char *text;

	lock(site, "a|b=1;c'd\"e.lock", 1, LIFE_GONE, 60);
	assert_int_equal(judged(site), SERVICE_CRITICAL);
	text = printed(site, false);
	assert_has(text, "LOCK CRITICAL: a\\x7cb=1;c'd\"e.lock is STALE: ");
	assert_ptr_equal(strchr(text, '|'), strrchr(text, '|'));
	text = checkmk(site);
	assert_has(text, "2 \"Lock a\\x7cb=1\\x3bc'd\\x22e.lock\" age=60;;|waiters=0 a\\x7cb=1");
}

static void checkmk_has_a_line_a_lock(void **state)
{
	struct site *site = *state;
	const char *text;

	range(&site->levels.age.warning, "300");
	range(&site->levels.age.critical, "~:600");
	range(&site->levels.stale.critical, "0");
	range(&site->levels.wait.critical, "5");
	site->check.wait = (struct percentiles){.n = 40, .p95 = 12 * NS_PER_MS};
	assert_int_equal(model_add_source(&site->scene.model, "file:/srv"), 1);
	lock(site, "a.lock", 1, LIFE_ALIVE, 400);
	lock(site, "b.lock", 2, LIFE_GONE, 60);
	add(site, "none.lock", true);
	judged(site);
	text = checkmk(site);
	assert_has(text, "1 \"Lock a.lock\" age=400;300;|waiters=0 a.lock is HELD for 6m40s");
	assert_has(text, "\n0 \"Lock none.lock\" age=0;300;|waiters=0 none.lock is FREE");
	assert_has(text, "2 \"Lock b.lock\" age=60;300;|waiters=0 b.lock is STALE");
	assert_has(text, "\n3 \"Lock source file:/srv\" - file:/srv: no answer within 10s\n");
	assert_has(text, "\n2 \"Locks stale\" stale=1;;0 1 stale of 3 locks\n");
	assert_has(text, "\n0 \"Lock waits\" wait_p95=0.012;;5 the 95th percentile");
}

static void locks_of_one_name_are_told_apart(void **state)
{
	struct site *site = *state;
	const struct entry *entry;
	const char *text;

	lock(site, "a.lock", 1, LIFE_ALIVE, 4);
	entry = model_find(&site->scene.model, 0, "a.lock");
	assert_int_equal(check_add(&site->check, strdup("/srv/a.lock"), entry, false), 0);
	judged(site);
	text = checkmk(site);
	assert_has(text, "0 \"Lock /run/lock/a.lock\" age=4");
	assert_has(text, "0 \"Lock /srv/a.lock\" age=4");
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		CASE(without_levels_the_states_decide),
		CASE(each_state_has_its_service),
		CASE(a_source_that_is_silent_is_unknown_but_hides_nothing_critical),
		CASE(levels_of_age_are_about_the_oldest),
		CASE(nobody_is_too_old_where_nobody_holds_anything),
		CASE(levels_of_stale_ones_count_them),
		CASE(that_too_few_are_stale_is_said_as_such),
		CASE(levels_of_waits_are_about_the_log),
		CASE(a_pid_file_is_no_hold_unless_it_is_named),
		CASE(a_lock_that_is_not_there_is_free),
		CASE(an_age_that_is_not_known_is_unknown),
		CASE(a_source_that_says_nothing_leaves_no_numbers),
		CASE(what_is_well_is_told_in_one_line_or_in_all),
		CASE(of_very_many_lines_the_rest_is_counted),
		CASE(a_bar_in_a_name_ends_no_text),
		CASE(checkmk_has_a_line_a_lock),
		CASE(locks_of_one_name_are_told_apart),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

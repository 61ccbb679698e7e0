/*
 * Whole screens, as text, against tests/screens/. After a wanted change:
 * UPDATE_SCREENS=1 srcdir=. tests/test_views, and read the difference.
 */
#include "config.h"
#include "ui/view.h"

#include "picture.h"
#include "scene.h"

static void read_only(struct scene *scene)
{
	policy_read_only(&scene->policy, "--read-only");
}

static void all_well(struct scene *scene)
{
	static const char *const bad[] = {
		"import.lock", "cache-warm.lock", "backup.lock", "report.lock"};

	for (size_t i = 0; i < 4; i++)
		scene_gone(scene, 0, bad[i]);
}

static void silent(struct scene *scene)
{
	model_add_source(&scene->model, "ssh:app3:file:/run/lock");
	scene_put(scene, 1, scene_lock(scene, "deploy.lock", 31, LIFE_ALIVE, 30));
	scene_scanned(scene, 1);
	model_source_is(&scene->model, 1, SOURCE_SILENT, "no answer since 08:53:20");
	model_tick(&scene->model, SCENE_NOW + 47 * NS_PER_S, SCENE_WALL + 47 * NS_PER_S);
	scene_scanned(scene, 0);
}

/* Each state and trap once. */
static void traps(struct scene *scene)
{
	struct lock *lock = scene_lock(scene, "reused.lock", 812, LIFE_ALIVE, 400);

	lock->holder[0].started = lock->since + 60 * NS_PER_S;
	snprintf(lock->holder[0].comm, sizeof lock->holder[0].comm, "sshd");
	scene_put(scene, 0, lock);

	lock = scene_lock(scene, "far.lock", 77, LIFE_UNKNOWN, 100);
	lock->host_is = RELATION_OTHER;
	snprintf(lock->record.host, sizeof lock->record.host, "app3");
	scene_put(scene, 0, lock);

	lock = scene_lock(scene, "torn.lock", 0, LIFE_UNKNOWN, 0);
	lock->record.format = RECORD_CORRUPT;
	lock->bytes = strdup("47\\x00\\x00");
	lock->written = SCENE_WALL - 100 * NS_PER_S;
	lock->since_mono = SCENE_NOW - 100 * NS_PER_S;
	lock->flags = LOCK_FLAG(HOSTILE);
	scene_put(scene, 0, lock);
	model_tick(&scene->model, SCENE_NOW + 5 * NS_PER_S, SCENE_WALL + 5 * NS_PER_S);
}

static void paused(struct scene *scene)
{
	scene_keys(scene, "p");
	model_tick(&scene->model, SCENE_NOW + 63 * NS_PER_S, SCENE_WALL + 63 * NS_PER_S);
	scene_scanned(scene, 0);
	model_source_is(&scene->model, 0, SOURCE_OK, NULL);
	scene->top.message[0] = '\0';
}

/* Two minutes ago a lock became stale, one minute ago another came. */
static void changes(struct scene *scene)
{
	scene_pass(scene, 60);
	scene_put(scene, 0, scene_lock(scene, "mail.lock", 7023, LIFE_GONE, 4));
	scene_pass(scene, 60);
	scene_put(scene, 0, scene_lock(scene, "deploy.lock", 8001, LIFE_ALIVE, -120));
	scene_pass(scene, 60);
	scene_scanned(scene, 0);
}

static const struct picture pictures[] = {
	{"locks-80x24-box", GLYPHS_BOX, 24, 80, "", NULL},
	{"locks-80x24-ascii", GLYPHS_ASCII, 24, 80, "", NULL},
	{"locks-120x40-box", GLYPHS_BOX, 40, 120, "jj", NULL},
	{"locks-120x40-ascii", GLYPHS_ASCII, 40, 120, "", NULL},
	{"locks-40x10-box", GLYPHS_BOX, 10, 40, "jjjjj", NULL},
	{"locks-40x10-ascii", GLYPHS_ASCII, 10, 40, "", NULL},
	{"locks-30x6-ascii", GLYPHS_ASCII, 6, 30, "", NULL},
	{"locks-20x5-ascii", GLYPHS_ASCII, 5, 20, "", NULL},
	{"locks-read-only", GLYPHS_ASCII, 24, 80, "", read_only},
	{"locks-all-well", GLYPHS_ASCII, 12, 80, "", all_well},
	{"locks-stale-data", GLYPHS_ASCII, 20, 120, "", silent},
	{"locks-paused", GLYPHS_ASCII, 20, 80, "", paused},
	{"past-80x24", GLYPHS_BOX, 24, 80, "[[", changes},
	{"past-120x40-ascii", GLYPHS_ASCII, 40, 120, "[[", changes},
	{"past-40x10-ascii", GLYPHS_ASCII, 10, 40, "[[", changes},
	{"past-20x5-ascii", GLYPHS_ASCII, 5, 20, "[[", changes},
	{"past-jump", GLYPHS_BOX, 24, 80, "b08:5", changes},
	{"past-jumped", GLYPHS_BOX, 24, 80, "b-90s\n", changes},
	{"past-oldest", GLYPHS_ASCII, 20, 80, "b-7d\n", changes},
	{"past-events", GLYPHS_BOX, 16, 80, "[[e", changes},
	{"past-sources", GLYPHS_BOX, 16, 80, "[[o", changes},
	{"past-refused", GLYPHS_BOX, 24, 80, "[[R", changes},
	{"locks-filter", GLYPHS_ASCII, 20, 80, "/state:stale", NULL},
	{"locks-traps", GLYPHS_ASCII, 24, 100, "", traps},
	{"release", GLYPHS_BOX, 24, 80, "R", NULL},
	{"release-40x12", GLYPHS_ASCII, 12, 40, "R", NULL},
	{"release-refused", GLYPHS_ASCII, 24, 80, "jjR", NULL},
	{"force", GLYPHS_BOX, 24, 80, "jjF70", NULL},
	{"terminate", GLYPHS_BOX, 24, 80, "jjT", NULL},
	{"clean", GLYPHS_BOX, 24, 80, "C", NULL},
	{"locks-stale-data-60", GLYPHS_ASCII, 20, 60, "", silent},
	{"lock-80x24", GLYPHS_BOX, 24, 80, "\n", NULL},
	{"lock-120x40", GLYPHS_BOX, 40, 120, "jj\n", NULL},
	{"lock-reused", GLYPHS_ASCII, 40, 80, "j\n", traps},
	{"events", GLYPHS_BOX, 16, 80, "e", all_well},
	{"sources", GLYPHS_BOX, 24, 80, "o", silent},
	{"help", GLYPHS_BOX, 80, 80, "?", NULL},
	{"help-read-only", GLYPHS_ASCII, 80, 80, "?", read_only},
};

static void screens_are_as_they_were(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof pictures / sizeof *pictures; i++)
		picture_compare(&pictures[i]);
}

/* What is on a screen may not depend on colour: without it the text says the same. */
static void ascii_screens_are_ascii(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof pictures / sizeof *pictures; i++)
		if (pictures[i].glyphs == GLYPHS_ASCII && *pictures[i].keys != '?')
			picture_is_ascii(&pictures[i]);
}

static void every_view_says_what_it_is(void **state)
{
	(void)state;
	for (int i = 0; i < VIEW_COUNT; i++) {
		assert_int_equal(views[i]->bit, 1u << i);
		assert_true(*views[i]->name != '\0');
	}
}

static void the_help_has_every_action_and_state(void **state)
{
	struct scene scene;

	(void)state;
	scene_init(&scene, GLYPHS_BOX, 100, 120);
	scene_fill(&scene);
	scene_keys(&scene, "?");
	for (int i = 0; i < ACTION_COUNT; i++)
		assert_shows(&scene, action_info[i].key);
	for (int i = 0; i < STATE_COUNT; i++)
		assert_shows(&scene, state_help((enum state)i));
	scene_release(&scene);
}

/* The token is a secret between the holder and its file. */
static void no_view_shows_the_token(void **state)
{
	struct scene scene;
	struct lock *lock;

	(void)state;
	scene_init(&scene, GLYPHS_BOX, 100, 200);
	scene_fill(&scene);
	lock = scene_lock(&scene, "secret.lock", 5, LIFE_GONE, 99999);
	lock->record.format = RECORD_LT1;
	snprintf(lock->record.token, sizeof lock->record.token, "5ec2e75ec2e75ec2");
	scene_put(&scene, 0, lock);
	scene_draw(&scene);
	scene_keys(&scene, "/secret\n");
	for (int i = 0; i < VIEW_COUNT; i++) {
		scene.top.view = (enum view_id)i;
		scene_draw(&scene);
		assert_false(scene_shows(&scene, "5ec2e7"));
	}
	scene.top.view = VIEW_locks;
	scene_keys(&scene, "R");
	assert_shows(&scene, "secret.lock");
	assert_false(scene_shows(&scene, "5ec2e7"));
	scene_release(&scene);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(screens_are_as_they_were),
		cmocka_unit_test(ascii_screens_are_ascii),
		cmocka_unit_test(every_view_says_what_it_is),
		cmocka_unit_test(the_help_has_every_action_and_state),
		cmocka_unit_test(no_view_shows_the_token),
	};

	return cmocka_run_group_tests_name("views", tests, NULL, NULL);
}

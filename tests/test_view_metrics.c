/*
 * The metrics view, on a made-up log: what it shows, whole screens against tests/screens/, and its
 * keys. After a wanted change: UPDATE_SCREENS=1 srcdir=. tests/test_view_metrics.
 */
#include "config.h"
#include "ui/metrics_page.h"

#include "picture.h"
#include "scene.h"

/* --- a log -------------------------------------------------------------------------------------
 */

static struct metrics *log_of(struct scene *scene)
{
	return scene->model.source[1].metrics;
}

static void add_log(struct scene *scene)
{
	assert_int_equal(model_add_source(&scene->model, "log:/var/log/locktop/metrics.jsonl"), 1);
	scene->model.source[1].metrics = calloc(1, sizeof(struct metrics));
	assert_non_null(log_of(scene));
	assert_int_equal(metrics_init(log_of(scene), METRICS_SERIES, 0, 0), 0);
	scene_scanned(scene, 1);
}

/* One line, ago seconds before now. */
static struct metric line_of(enum metric_event event, const char *lock, double ago)
{
	struct metric metric = metric_new(event, SCENE_WALL - (int64_t)(ago * 1e9));

	metric.lock = lock;
	metric.source = "file:/run/lock";
	metric.backend = "file";
	metric.host = "web1";
	return metric;
}

static void say(struct scene *scene, const struct metric *metric)
{
	assert_int_equal(metrics_add(log_of(scene), metric), 0);
}

static void said(struct scene *scene, enum metric_event event, const char *lock, double ago)
{
	struct metric metric = line_of(event, lock, ago);

	metric.holder = "php";
	metric.holder_host = "web1";
	metric.holder_pid = 4711;
	if (event == METRIC_BUSY || event == METRIC_TIMEOUT || event == METRIC_SLOW)
		metric.wait = 2 * 60 * NS_PER_S;
	say(scene, &metric);
}

/* Taken after a wait of so many ms, and held for so many s. */
static void taken(struct scene *scene, const char *lock, double ago, double wait_ms, double hold_s)
{
	struct metric metric = line_of(METRIC_ACQUIRED, lock, ago);

	metric.wait = (int64_t)(wait_ms * 1e6);
	say(scene, &metric);
	metric = line_of(METRIC_RELEASED, lock, ago - hold_s);
	metric.hold = (int64_t)(hold_s * 1e9);
	say(scene, &metric);
}

/* The same numbers every time; 0 to below n. */
static unsigned int dice(unsigned int *seed, unsigned int n)
{
	*seed = *seed * 1103515245 + 12345;
	return (*seed >> 16) % n;
}

/* An hour of a lock that is taken twice a minute, with a pause, a jam and who came to help. */
static void fill_hour(struct scene *scene, const char *lock)
{
	unsigned int seed = 7;

	for (int i = 0; i < 120; i++) {
		double ago = 3590 - 30 * i, wait = 1 + dice(&seed, 20);

		if (i > 30 && i < 42) /* nobody was there */
			continue;
		if (i > 70 && i < 82) /* the jam */
			wait = 400 + 60 * dice(&seed, 30);
		if (dice(&seed, 9) == 0 || (i > 74 && i < 80 && i % 2))
			said(scene, i % 3 ? METRIC_TIMEOUT : METRIC_BUSY, lock, ago + 1);
		if (wait > 1000)
			said(scene, METRIC_SLOW, lock, ago + 1);
		taken(scene, lock, ago, wait, 2 + 0.1 * dice(&seed, 80));
	}
	said(scene, METRIC_STALE, lock, 1200);
	said(scene, METRIC_RELEASED_STALE, lock, 1195);
	said(scene, METRIC_STALE, lock, 2900);
	said(scene, METRIC_TAKEN_OVER, lock, 2899);
	said(scene, METRIC_FORCED, lock, 1100);
	said(scene, METRIC_LOST, lock, 1050);
}

static void busy_hour(struct scene *scene)
{
	add_log(scene);
	fill_hour(scene, "import.lock");
	for (int i = 0; i < 300; i++)
		taken(scene, "mail.lock", 3000 - 10 * i, 0.5, 0.2);
	log_of(scene)->bad = 17;
}

/* The lock is held, and longer than usual. */
static void held(struct scene *scene)
{
	struct entry *entry;

	busy_hour(scene);
	scene_keys(scene, "jk");
	scene_put(scene, 0, scene_lock(scene, "import.lock", 4711, LIFE_ALIVE, 47));
	model_tick(&scene->model, SCENE_NOW, SCENE_WALL);
	entry = model_find(&scene->model, 0, "import.lock");
	entry->usual = (struct percentiles){
		1204, 6 * NS_PER_S, 9 * NS_PER_S, 12 * NS_PER_S, 40 * NS_PER_S, 0};
}

static void paused(struct scene *scene)
{
	held(scene);
	scene_keys(scene, "p");
	model_tick(&scene->model, SCENE_NOW + 63 * NS_PER_S, SCENE_WALL + 63 * NS_PER_S);
	scene_scanned(scene, 0);
	scene_scanned(scene, 1);
	scene->top.message[0] = '\0';
}

static void quiet(struct scene *scene)
{
	add_log(scene);
}

static void few(struct scene *scene)
{
	add_log(scene);
	for (int i = 0; i < 7; i++)
		taken(scene, "import.lock", 500 + 100 * i, i, i);
}

/* --- whole screens
 * --------------------------------------------------------------------------------- */

static const struct picture pictures[] = {
	{"metrics-80x24-braille", GLYPHS_BRAILLE, 24, 80, "g", busy_hour},
	{"metrics-80x24-box", GLYPHS_BOX, 24, 80, "g", busy_hour},
	{"metrics-80x24-ascii", GLYPHS_ASCII, 24, 80, "g", busy_hour},
	{"metrics-120x40-braille", GLYPHS_BRAILLE, 40, 120, "g", held},
	{"metrics-120x40-box", GLYPHS_BOX, 40, 120, "g", held},
	{"metrics-120x40-ascii", GLYPHS_ASCII, 40, 120, "g", held},
	{"metrics-40x10-braille", GLYPHS_BRAILLE, 10, 40, "g", busy_hour},
	{"metrics-40x10-box", GLYPHS_BOX, 10, 40, "g", busy_hour},
	{"metrics-40x10-ascii", GLYPHS_ASCII, 10, 40, "g", busy_hour},
	{"metrics-30x6-ascii", GLYPHS_ASCII, 6, 30, "g", busy_hour},
	{"metrics-held-80x24", GLYPHS_BRAILLE, 24, 80, "g", held},
	{"metrics-log-80x24", GLYPHS_BRAILLE, 24, 80, "gm", held},
	{"metrics-15m-all", GLYPHS_BOX, 24, 100, "g1a", busy_hour},
	{"metrics-7d", GLYPHS_BOX, 24, 80, "g4", busy_hour},
	{"metrics-paused", GLYPHS_BOX, 24, 80, "g", paused},
	{"metrics-quiet", GLYPHS_ASCII, 24, 80, "g", quiet},
	{"metrics-few", GLYPHS_ASCII, 24, 80, "g", few},
	/* and what the other views show of a log */
	{"list-log-80x24", GLYPHS_BOX, 24, 80, "", held},
	{"list-log-100x24", GLYPHS_BOX, 24, 100, "", held},
	{"list-log-120x40-braille", GLYPHS_BRAILLE, 40, 120, "", held},
	{"list-log-120x40-box", GLYPHS_BOX, 40, 120, "", held},
	{"list-log-120x40-ascii", GLYPHS_ASCII, 40, 120, "", held},
	{"list-log-200x60", GLYPHS_BOX, 60, 200, "", held},
	{"lock-log-100x60", GLYPHS_BOX, 60, 100, "/import\n\n", held},
	{"lock-log-few", GLYPHS_ASCII, 40, 80, "/name:import.lock\n\n", few},
	{"past-blank", GLYPHS_BOX, 24, 80, "b08:10\n", busy_hour},
	{"past-blank-metrics", GLYPHS_BOX, 24, 80, "b08:10\ng", busy_hour},
	{"metrics-no-log", GLYPHS_ASCII, 12, 60, "g", NULL},
};

static void screens_are_as_they_were(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof pictures / sizeof *pictures; i++)
		picture_compare(&pictures[i]);
}

/* Where somebody tried and nobody got it stands an x, which is no bar and no gap. */
static void where_nobody_got_it_stands_an_x(void **state)
{
	struct scene scene;
	int n = 0;

	(void)state;
	scene_init(&scene, GLYPHS_BOX, 40, 120);
	scene_fill(&scene);
	add_log(&scene);
	taken(&scene, "mail.lock", 1000, 3, 1);
	said(&scene, METRIC_TIMEOUT, "mail.lock", 400);
	said(&scene, METRIC_BUSY, "mail.lock", 30);
	assert_shows(&scene, "█ xx");
	for (int i = 9 * 120; i < 30 * 120; i++) { /* the list, behind the marks of the states */
		const struct cell *cell = &scene.canvas.cell[i];

		n += i % 120 > 20 && cell->style == STYLE_BAD && strcmp(cell->text, "x") == 0;
	}
	assert_int_equal(n, 2);
	/* They are counted anew with the log, and with the time. */
	taken(&scene, "mail.lock", 20, 3, 1);
	assert_shows(&scene, "█ x█");
	scene_pass(&scene, 600);
	assert_shows(&scene, "█ x█  ");
	scene_release(&scene);
}

static void ascii_screens_are_ascii(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof pictures / sizeof *pictures; i++)
		if (pictures[i].glyphs == GLYPHS_ASCII)
			picture_is_ascii(&pictures[i]);
}

/* --- keys
 * ---------------------------------------------------------------------------------------------- */

static void begin(struct scene *scene, void (*fill)(struct scene *))
{
	scene_init(scene, GLYPHS_BOX, 24, 80);
	scene_fill(scene);
	scene_draw(scene);
	fill(scene);
}

static void every_view_leads_to_the_graphs_and_back(void **state)
{
	struct scene scene;

	(void)state;
	begin(&scene, busy_hour);
	for (int i = 0; i < VIEW_COUNT; i++) {
		scene.top.view = (enum view_id)i;
		top_key(&scene.top, 'g');
		assert_int_equal(scene.top.view, VIEW_metrics);
		assert_shows(&scene, "acquisition wait");
		top_key(&scene.top, KEY_ESCAPE);
		assert_int_equal(scene.top.view, i == VIEW_metrics ? VIEW_locks : i);
	}
	scene_release(&scene);
}

static void digits_and_w_choose_the_window(void **state)
{
	static const char *const shown[] = {"last 15m,", "last 1h,", "last 24h,", "last 7d,"};
	struct scene scene;

	(void)state;
	begin(&scene, busy_hour);
	scene_keys(&scene, "g");
	assert_shows(&scene, "last 1h,"); /* until something else is said */
	for (int i = 0; i < WINDOW_COUNT; i++) {
		scene_keys(&scene, (const char[]){(char)('1' + i), '\0'});
		assert_shows(&scene, shown[i]);
		assert_int_equal(scene.top.page.window, i);
	}
	scene_keys(&scene, "w");
	assert_shows(&scene, shown[0]);
	scene_keys(&scene, "w");
	assert_shows(&scene, shown[1]);
	scene_release(&scene);
}

static void a_window_has_what_happened_in_it(void **state)
{
	struct scene scene;

	(void)state;
	begin(&scene, quiet);
	taken(&scene, "import.lock", 600, 5, 1);
	taken(&scene, "import.lock", 3000, 5, 1);
	taken(&scene, "import.lock", 20 * 3600, 5, 1);
	taken(&scene, "import.lock", 6 * 86400, 5, 1);
	scene_keys(&scene, "g1");
	assert_shows(&scene, "n=1,");
	scene_keys(&scene, "2");
	assert_shows(&scene, "n=2,");
	scene_keys(&scene, "3");
	assert_shows(&scene, "n=3,");
	scene_keys(&scene, "4");
	assert_shows(&scene, "n=4,");
	scene_release(&scene);
}

/* What comes in while one looks is shown, and what grows old leaves. */
static void the_page_follows_the_log_and_the_time(void **state)
{
	struct scene scene;

	(void)state;
	begin(&scene, quiet);
	scene_keys(&scene, "g");
	assert_shows(&scene, "n=0");
	taken(&scene, "import.lock", 600, 5, 1);
	assert_shows(&scene, "n=1,");
	model_tick(&scene.model, SCENE_NOW + 2900 * NS_PER_S, SCENE_WALL + 2900 * NS_PER_S);
	assert_shows(&scene, "n=1,");
	model_tick(&scene.model, SCENE_NOW + 3100 * NS_PER_S, SCENE_WALL + 3100 * NS_PER_S);
	assert_shows(&scene, "n=0");
	scene_release(&scene);
}

/* Else every column would change each time that a slot enters the window and one leaves it. */
static void columns_stand_still_while_time_goes_on(void **state)
{
	struct scene scene;

	(void)state;
	begin(&scene, busy_hour);
	scene_keys(&scene, "g");
	for (int cols = 40; cols <= 200; cols += 40)
		for (int window = 0; window < WINDOW_COUNT; window++) {
			const struct metrics_page *page = &scene.top.page;
			int64_t each;

			scene_resize(&scene, 24, cols);
			scene_keys(&scene, (const char[]){(char)('1' + window), '\0'});
			scene_draw(&scene);
			each = page->point[0].to - page->point[0].from;
			assert_int_equal(each * (int64_t)page->n, window_info[window].length);
			assert_int_equal(page->point[0].from % each, 0);
			assert_in_range(SCENE_WALL, page->point[page->n - 1].from,
				page->point[page->n - 1].to - 1);
		}
	scene_release(&scene);
}

/* What took long to count waits for its turn; a question that is asked anew does not. */
static void counting_has_a_small_share_of_the_time(void **state)
{
	struct scene scene;

	(void)state;
	begin(&scene, few);
	scene_keys(&scene, "g");
	assert_shows(&scene, "n=7,");
	scene.top.page.cost = NS_PER_S;
	taken(&scene, "import.lock", 600, 5, 1);
	model_tick(&scene.model, SCENE_NOW + 4 * NS_PER_S, SCENE_WALL + 4 * NS_PER_S);
	assert_shows(&scene, "n=7,");
	model_tick(&scene.model, SCENE_NOW + 5 * NS_PER_S, SCENE_WALL + 5 * NS_PER_S);
	assert_shows(&scene, "n=8,");
	scene.top.page.cost = NS_PER_S;
	taken(&scene, "import.lock", 600, 5, 1);
	assert_shows(&scene, "n=8,");
	scene_keys(&scene, "3");
	assert_shows(&scene, "n=9,");
	scene_release(&scene);
}

static void a_pause_stops_the_window(void **state)
{
	struct scene scene;

	(void)state;
	begin(&scene, few);
	scene_keys(&scene, "gp");
	model_tick(&scene.model, SCENE_NOW + 7200 * NS_PER_S, SCENE_WALL + 7200 * NS_PER_S);
	assert_shows(&scene, "n=7,");
	assert_shows(&scene, "07:54");
	scene_keys(&scene, "p");
	assert_shows(&scene, "n=0");
	assert_shows(&scene, "-1h");
	scene_release(&scene);
}

static void a_shows_all_locks_or_the_selected_one(void **state)
{
	struct scene scene;

	(void)state;
	begin(&scene, busy_hour);
	scene_keys(&scene, "g");
	assert_shows(&scene, "metrics of /run/lock/import.lock");
	assert_shows(&scene, "n=108 ");
	scene_keys(&scene, "a");
	assert_shows(&scene, "metrics of all locks, 2 in the logs");
	assert_shows(&scene, "n=408 ");
	scene_keys(&scene, "a");
	assert_shows(&scene, "n=108 ");
	scene_release(&scene);
}

static void without_a_lock_all_are_shown(void **state)
{
	struct scene scene;

	(void)state;
	scene_init(&scene, GLYPHS_BOX, 24, 80);
	busy_hour(&scene);
	scene_keys(&scene, "g");
	assert_shows(&scene, "metrics of all locks, 2 in the logs");
	scene_keys(&scene, "aa");
	assert_shows(&scene, "metrics of all locks, 2 in the logs");
	scene_release(&scene);
}

/* The cursor of the list moves along. */
static void up_and_down_lead_to_other_locks(void **state)
{
	struct scene scene;
	char name[32];

	(void)state;
	begin(&scene, busy_hour);
	scene_keys(&scene, "gj");
	assert_int_equal(scene.top.view, VIEW_metrics);
	assert_int_equal(scene.top.cursor, 1);
	snprintf(name, sizeof name, "/run/lock/%s", scene.top.list[1].lock->name);
	assert_shows(&scene, name);
	scene_keys(&scene, "ak");
	assert_shows(&scene, "metrics of /run/lock/import.lock");
	scene_keys(&scene, "kkkG");
	assert_int_equal(scene.top.cursor, scene.top.listed - 1);
	scene_release(&scene);
}

/* It does not jump to the worst lock when that becomes another one, as the list does. */
static void the_lock_that_is_looked_at_stays(void **state)
{
	struct scene scene;
	struct lock *lock;

	(void)state;
	begin(&scene, busy_hour);
	scene_keys(&scene, "g");
	lock = scene_lock(&scene, "worse.lock", 99, LIFE_GONE, 99999);
	for (int i = 0; i < 5; i++)
		lock_add_waiter(lock)->pid = 100 + i;
	scene_put(&scene, 0, lock);
	scene_draw(&scene);
	assert_shows(&scene, "metrics of /run/lock/import.lock");
	top_key(&scene.top, KEY_ESCAPE);
	scene_put(&scene, 0, scene_lock(&scene, "new.lock", 98, LIFE_ALIVE, 1));
	scene_draw(&scene);
	assert_string_equal(scene.top.list[scene.top.cursor].lock->name, "import.lock");
	scene_release(&scene);
}

/* Programs that remove their lock file are what is looked at, too. */
static void a_lock_that_is_gone_keeps_its_graphs(void **state)
{
	struct scene scene;

	(void)state;
	begin(&scene, busy_hour);
	scene_keys(&scene, "g");
	assert_shows(&scene, "n=108 ");
	scene_gone(&scene, 0, "import.lock");
	assert_shows(&scene, "metrics of /run/lock/import.lock");
	scene_keys(&scene, "1");
	assert_shows(&scene, "n=30 ");
	scene_keys(&scene, "2");
	assert_shows(&scene, "n=108 ");
	scene_release(&scene);
}

/* Also on another host, whose log has the path without the host. */
static void so_does_one_of_another_host(void **state)
{
	struct scene scene;

	(void)state;
	scene_init(&scene, GLYPHS_BOX, 24, 80);
	add_log(&scene);
	free(scene.model.source[1].uri);
	scene.model.source[1].uri = strdup("ssh:app3:log:/var/log/locktop/metrics.jsonl");
	assert_int_equal(model_add_source(&scene.model, "ssh:app3:file:/run/lock"), 2);
	taken(&scene, "deploy.lock", 60, 5, 1);
	scene_put(&scene, 2, scene_lock(&scene, "deploy.lock", 31, LIFE_GONE, 30));
	scene_scanned(&scene, 2);
	scene_draw(&scene);
	scene_keys(&scene, "g");
	assert_shows(&scene, "metrics of ssh:app3:/run/lock/deploy.lock");
	assert_shows(&scene, "n=1,");
	scene_gone(&scene, 2, "deploy.lock");
	scene_keys(&scene, "4");
	assert_shows(&scene, "n=1,");
	scene_release(&scene);
}

static void a_hold_is_compared_with_what_is_usual(void **state)
{
	struct scene scene;
	struct entry *entry;

	(void)state;
	begin(&scene, held);
	scene_keys(&scene, "g");
	assert_shows(&scene, "held 47s now; p99 of last 7d: 12s (n=1204)");
	entry = model_find(&scene.model, 0, "import.lock");
	entry->usual.n = 7;
	assert_shows(&scene, "held 47s now; n=7 in last 7d, too few to compare");
	entry->usual.n = 0;
	assert_shows(&scene, "held 47s now; no hold of the last 7d to compare");
	scene_put(
		&scene, 0, scene_lock(&scene, "import.lock", 4711, LIFE_ALIVE, 840)); /* OVERDUE */
	assert_shows(&scene, "held 14m00s now");
	scene_put(&scene, 0, scene_lock(&scene, "import.lock", 4711, LIFE_GONE, 840)); /* STALE */
	scene_draw(&scene);
	assert_false(scene_shows(&scene, "held "));
	scene_put(&scene, 0, scene_lock(&scene, "import.lock", 0, LIFE_UNKNOWN, 0));
	scene_draw(&scene);
	assert_false(scene_shows(&scene, "held "));
	scene_release(&scene);
}

static void what_was_not_understood_is_said(void **state)
{
	struct scene scene;

	(void)state;
	begin(&scene, few);
	scene_keys(&scene, "g");
	scene_draw(&scene);
	assert_false(scene_shows(&scene, "not understood"));
	log_of(&scene)->bad = 1;
	assert_shows(&scene, "1 line not understood");
	log_of(&scene)->bad = 17;
	assert_shows(&scene, "17 lines not understood");
	scene.top.page.known_from = SCENE_WALL - 2000 * NS_PER_S;
	assert_shows(&scene, "17 lines not understood; known since 08:20");
	scene.model.source[1].is_filling = true;
	assert_shows(&scene, "the log is still being read");
	scene_release(&scene);
}

static void nothing_leads_out_of_a_view_without_a_log(void **state)
{
	struct scene scene;

	(void)state;
	scene_init(&scene, GLYPHS_BOX, 24, 80);
	scene_fill(&scene);
	scene_keys(&scene, "g1234wam");
	assert_shows(&scene, "no metrics log is read");
	scene_release(&scene);
}

/* --- sizes
 * --------------------------------------------------------------------------------------------- */

static bool overlap(struct rect a, struct rect b)
{
	return a.rows > 0 && b.rows > 0 && a.cols > 0 && b.cols > 0 && a.row < b.row + b.rows &&
	       b.row < a.row + a.rows && a.col < b.col + b.cols && b.col < a.col + a.cols;
}

static void check_plan(struct rect body, int text, int notices, bool has_legend)
{
	struct page_plan plan = page_plan(body, text, notices, has_legend);
	const struct rect all[] = {
		plan.text, plan.legend, plan.graph[0], plan.graph[1], plan.graph[2], plan.graph[3]};

	for (size_t i = 0; i < 6; i++) {
		if (all[i].rows < 0 ||
			(all[i].rows > 0 &&
				(all[i].row < body.row || all[i].col < body.col ||
					all[i].row + all[i].rows > body.row + body.rows ||
					all[i].col + all[i].cols > body.col + body.cols)))
			fail_msg("part %zu leaves %dx%d", i, body.cols, body.rows);
		for (size_t j = i + 1; j < 6; j++)
			if (overlap(all[i], all[j]))
				fail_msg(
					"%zu and %zu overlap at %dx%d", i, j, body.cols, body.rows);
	}
	for (int i = 0; i < GRAPH_COUNT && i < body.rows; i++)
		if (plan.graph[i].rows < 1)
			fail_msg("no graph %d at %dx%d", i, body.cols, body.rows);
	if (notices && body.rows > 4 && plan.text.rows < 1)
		fail_msg("no notice at %dx%d", body.cols, body.rows);
}

static void nothing_leaves_or_overlaps_at_any_size(void **state)
{
	(void)state;
	for (int rows = 0; rows <= 60; rows++)
		for (int cols = 1; cols <= 200; cols++)
			for (int i = 0; i < 8; i++)
				check_plan((struct rect){2, 1, rows, cols}, i & 1 ? 5 : 1,
					i & 2 ? 1 : 0, i & 4);
}

static void any_size_is_drawn(void **state)
{
	struct scene scene;

	(void)state;
	begin(&scene, held);
	scene_keys(&scene, "g");
	for (int rows = 1; rows <= 60; rows += rows < 26 ? 1 : 17)
		for (int cols = 1; cols <= 200; cols += cols < 40 ? 1 : 23) {
			scene_resize(&scene, rows, cols);
			scene_draw(&scene);
			assert_in_range(scene.canvas.cursor_row, 0, rows - 1);
		}
	scene_release(&scene);
}

/* A screen that was never told its size is drawn all the same. */
static void the_numbers_are_there_before_the_size_is_known(void **state)
{
	struct scene scene;

	(void)state;
	begin(&scene, busy_hour);
	scene.top.rows = scene.top.cols = 0;
	scene_keys(&scene, "g");
	assert_shows(&scene, "n=108 ");
	scene_release(&scene);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(screens_are_as_they_were),
		cmocka_unit_test(ascii_screens_are_ascii),
		cmocka_unit_test(where_nobody_got_it_stands_an_x),
		cmocka_unit_test(every_view_leads_to_the_graphs_and_back),
		cmocka_unit_test(digits_and_w_choose_the_window),
		cmocka_unit_test(a_window_has_what_happened_in_it),
		cmocka_unit_test(the_page_follows_the_log_and_the_time),
		cmocka_unit_test(columns_stand_still_while_time_goes_on),
		cmocka_unit_test(counting_has_a_small_share_of_the_time),
		cmocka_unit_test(a_pause_stops_the_window),
		cmocka_unit_test(a_shows_all_locks_or_the_selected_one),
		cmocka_unit_test(without_a_lock_all_are_shown),
		cmocka_unit_test(up_and_down_lead_to_other_locks),
		cmocka_unit_test(the_lock_that_is_looked_at_stays),
		cmocka_unit_test(a_lock_that_is_gone_keeps_its_graphs),
		cmocka_unit_test(so_does_one_of_another_host),
		cmocka_unit_test(a_hold_is_compared_with_what_is_usual),
		cmocka_unit_test(what_was_not_understood_is_said),
		cmocka_unit_test(nothing_leads_out_of_a_view_without_a_log),
		cmocka_unit_test(nothing_leaves_or_overlaps_at_any_size),
		cmocka_unit_test(any_size_is_drawn),
		cmocka_unit_test(the_numbers_are_there_before_the_size_is_known),
	};

	return cmocka_run_group_tests_name("view_metrics", tests, NULL, NULL);
}

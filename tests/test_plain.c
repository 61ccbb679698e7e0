/* A line per change. */
#include "config.h"
#include "ui/plain.h"

#include "scene.h"

static void the_opening_names_sources_and_whatever_is_not_free(void **state)
{
	struct scene scene;
	struct plain plain = {0};
	struct buf out = {0};

	(void)state;
	scene_init(&scene, GLYPHS_ASCII, 5, 40);
	scene_fill(&scene);
	assert_int_equal(plain_opening(&plain, &scene.model, &out), 0);
	assert_non_null(
		strstr(buf_text(&out), "08:53:20 source file:/run/lock: answers, 7 locks\n"));
	assert_non_null(strstr(buf_text(&out),
		"08:53:20 STALE /run/lock/import.lock, 2h14m, 2 waiting: pid 4711 is gone: no such "
		"process. release it: SAFE\n"));
	assert_null(strstr(buf_text(&out), "idle.lock"));
	assert_non_null(strstr(buf_text(&out), "7 locks: 2 STALE 2 OVERDUE 2 HELD 1 FREE\n"));
	/* The worst comes first. */
	assert_true(strstr(buf_text(&out), "import.lock") < strstr(buf_text(&out), "backup.lock"));
	buf_clear(&out);
	assert_int_equal(plain_changes(&plain, &scene.model, &out), 0);
	assert_string_equal(buf_text(&out), ""); /* what the opening said is said */
	buf_release(&out);
	scene_release(&scene);
}

static void every_change_is_a_line_with_its_advice(void **state)
{
	struct scene scene;
	struct plain plain = {0};
	struct buf out = {0};

	(void)state;
	scene_init(&scene, GLYPHS_ASCII, 5, 40);
	scene_fill(&scene);
	plain.said = scene.model.happened;
	scene_put(&scene, 0, scene_lock(&scene, "mail.lock", 7023, LIFE_GONE, 4));
	assert_int_equal(plain_changes(&plain, &scene.model, &out), 0);
	assert_string_equal(buf_text(&out),
		"08:53:20 /run/lock/mail.lock: HELD -> STALE: pid 7023 is gone: no such process. "
		"release it: SAFE\n");
	buf_clear(&out);
	assert_int_equal(plain_changes(&plain, &scene.model, &out), 0);
	assert_string_equal(buf_text(&out), "");
	scene_gone(&scene, 0, "mail.lock");
	assert_int_equal(plain_changes(&plain, &scene.model, &out), 0);
	assert_non_null(strstr(buf_text(&out), "mail.lock"));
	buf_release(&out);
	scene_release(&scene);
}

static void what_was_too_fast_is_counted(void **state)
{
	struct scene scene;
	struct plain plain = {0};
	struct buf out = {0};
	size_t lines = 0;

	(void)state;
	scene_init(&scene, GLYPHS_ASCII, 5, 40);
	scene_fill(&scene);
	plain.said = scene.model.happened;
	for (int i = 0; i < MODEL_HAPPENINGS; i++) {
		scene_put(&scene, 0, scene_lock(&scene, "mail.lock", 7023, LIFE_GONE, 4));
		scene_put(&scene, 0, scene_lock(&scene, "mail.lock", 7023, LIFE_ALIVE, 4));
	}
	assert_int_equal(plain_changes(&plain, &scene.model, &out), 0);
	assert_non_null(strstr(buf_text(&out), "changes came too fast to be said\n"));
	for (const char *c = buf_text(&out); *c; c++)
		lines += *c == '\n';
	assert_int_equal(lines, MODEL_HAPPENINGS + 1);
	buf_release(&out);
	scene_release(&scene);
}

static void a_hostile_name_stays_on_its_line(void **state)
{
	struct scene scene;
	struct plain plain = {0};
	struct buf out = {0};

	(void)state;
	scene_init(&scene, GLYPHS_ASCII, 5, 40);
	scene_scanned(&scene, 0);
	scene_put(&scene, 0, scene_lock(&scene, "a\n\033[2Jb\r\xe2\x80\xae", 1, LIFE_GONE, 9));
	assert_int_equal(plain_changes(&plain, &scene.model, &out), 0);
	assert_int_equal(plain_opening(&plain, &scene.model, &out), 0);
	for (const char *c = buf_text(&out); *c; c++)
		assert_true(*c == '\n' || (unsigned char)*c >= 0x20);
	assert_null(strstr(buf_text(&out), "\xe2\x80\xae"));
	assert_non_null(strstr(buf_text(&out), "a\\n\\x1b[2Jb\\r"));
	buf_release(&out);
	scene_release(&scene);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_opening_names_sources_and_whatever_is_not_free),
		cmocka_unit_test(every_change_is_a_line_with_its_advice),
		cmocka_unit_test(what_was_too_fast_is_counted),
		cmocka_unit_test(a_hostile_name_stays_on_its_line),
	};

	return cmocka_run_group_tests_name("plain", tests, NULL, NULL);
}

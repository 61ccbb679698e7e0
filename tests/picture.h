/*
 * Whole screens, as text, against tests/screens/. After a wanted change: UPDATE_SCREENS=1 srcdir=.
 * and the test's name, and read the difference.
 */
#ifndef LOCKTOP_TESTS_PICTURE_H
#define LOCKTOP_TESTS_PICTURE_H

#include "scene.h"

struct picture {
	const char *name;
	int glyphs, rows, cols;
	const char *keys; /* "\n" is Enter */
	void (*before)(struct scene *scene);
};

static inline char *picture_path(const struct picture *picture)
{
	const char *srcdir = getenv("srcdir");
	char *path;

	assert_true(asprintf(&path, "%s/tests/screens/%s.txt", srcdir ? srcdir : ".",
			    picture->name) > 0);
	return path;
}

static inline char *picture_read(const char *path)
{
	FILE *file = fopen(path, "re");
	char *text = calloc(1, 65536);

	assert_non_null(text);
	if (file) {
		text[fread(text, 1, 65535, file)] = '\0';
		fclose(file);
	}
	return text;
}

static inline void picture_write(const char *path, const char *text)
{
	FILE *file = fopen(path, "we");

	assert_non_null(file);
	fputs(text, file);
	assert_int_equal(fclose(file), 0);
}

static inline void picture_compare(const struct picture *picture)
{
	struct scene scene;
	char *path = picture_path(picture), *wanted, *shown;

	scene_init(&scene, picture->glyphs, picture->rows, picture->cols);
	scene_fill(&scene);
	scene_draw(&scene);
	if (picture->before)
		picture->before(&scene);
	scene_draw(&scene);
	scene_keys(&scene, picture->keys);
	scene_draw(&scene);
	shown = canvas_dump(&scene.canvas);
	assert_non_null(shown);
	if (getenv("UPDATE_SCREENS"))
		picture_write(path, shown);
	wanted = picture_read(path);
	if (strcmp(wanted, shown) != 0) {
		print_error("wanted:\n%s\nshown:\n%s\n", wanted, shown);
		fail_msg("%s is not what it was", picture->name);
	}
	free(wanted);
	free(shown);
	free(path);
	scene_release(&scene);
}

static inline void picture_is_ascii(const struct picture *picture)
{
	char *path = picture_path(picture), *text = picture_read(path);

	for (const char *c = text; *c; c++)
		if ((unsigned char)*c >= 0x80)
			fail_msg("%s has more than ASCII", picture->name);
	free(text);
	free(path);
}

#endif

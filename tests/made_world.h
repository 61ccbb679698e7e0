/*
 * Trees for tests: a recorded one (tests/world/CASE), or one made of a few lines. Functions are
 * static inline, for no test needs all of them.
 */
#ifndef LOCKTOP_TESTS_MADE_WORLD_H
#define LOCKTOP_TESTS_MADE_WORLD_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "system/world.h"

struct made_world {
	char root[256];
	struct clock_fake time;
	struct clock clock;
	struct world world;
};

static inline int remove_one(const char *path, const struct stat *s, int type, struct FTW *ftw)
{
	(void)s, (void)type, (void)ftw;
	return remove(path);
}

static inline void remove_tree(const char *root)
{
	nftw(root, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

/* A new folder under $TMPDIR. */
static inline void make_folder(char *path, size_t size)
{
	const char *tmp = getenv("TMPDIR");

	snprintf(path, size, "%s/locktop.XXXXXX", tmp && *tmp ? tmp : "/tmp");
	assert_non_null(mkdtemp(path));
}

/* Makes the folders above a path below root. */
static inline void make_parents(const char *path)
{
	char copy[512];

	snprintf(copy, sizeof copy, "%s", path);
	for (char *slash = copy + 1; (slash = strchr(slash, '/')); *slash++ = '/') {
		*slash = '\0';
		assert_true(mkdir(copy, 0755) == 0 || errno == EEXIST);
	}
}

/* Writes proc/PATH of a made tree: len bytes, whatever they are. */
static inline void put_bytes(
	const struct made_world *made, const char *path, const void *data, size_t len)
{
	char full[512];
	FILE *file;

	snprintf(full, sizeof full, "%s/proc/%s", made->root, path);
	make_parents(full);
	file = fopen(full, "w");
	assert_non_null(file);
	assert_int_equal(fwrite(data, 1, len, file), len);
	assert_int_equal(fclose(file), 0);
}

static inline void put(const struct made_world *made, const char *path, const char *text)
{
	put_bytes(made, path, text, strlen(text));
}

static inline void put_link(const struct made_world *made, const char *path, const char *target)
{
	char full[512];

	snprintf(full, sizeof full, "%s/proc/%s", made->root, path);
	make_parents(full);
	assert_int_equal(symlink(target, full), 0);
}

/* Starts at one hour after boot, 2025-10-09 08:53:20 UTC. */
static inline void open_made(struct made_world *made)
{
	struct error err = {0};

	made->time = (struct clock_fake){
		.mono = 3600 * NS_PER_S, .wall = INT64_C(1760000000) * NS_PER_S};
	made->clock = clock_fake(&made->time);
	if (world_open(&made->world, made->root, &made->clock, &err) < 0)
		fail_msg("%s", err.text);
}

/* An empty tree, to be filled by put(). */
static inline void make_world(struct made_world *made)
{
	char proc[300];

	*made = (struct made_world){.world.proc = -1};
	make_folder(made->root, sizeof made->root);
	snprintf(proc, sizeof proc, "%s/proc", made->root);
	assert_int_equal(mkdir(proc, 0755), 0);
	open_made(made);
}

static inline void unmake_world(struct made_world *made)
{
	world_close(&made->world);
	remove_tree(made->root);
}

/* tests/world/CASE; closed by world_close(). */
static inline void open_case(struct made_world *made, const char *name)
{
	const char *srcdir = getenv("srcdir");

	*made = (struct made_world){.world.proc = -1};
	snprintf(made->root, sizeof made->root, "%s/tests/world/%s", srcdir ? srcdir : ".", name);
	open_made(made);
}

/* This machine with its own clock. */
static inline void open_real(struct world *world)
{
	struct error err = {0};

	if (world_open(world, NULL, &clock_system, &err) < 0)
		fail_msg("%s", err.text);
}

#endif

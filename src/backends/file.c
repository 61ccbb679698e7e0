/*
 * Lock files: those of a folder that match a pattern, or a single one. Here is the backend
 * itself, and the order of a look; file_private.h says where the rest is.
 */
#include "config.h"

#include "backends/file_private.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"

#define LOOK_EVERY NS_PER_S
#define CLOCK_JUMP (NS_PER_S / 2) /* slewing is slower than that between two looks */

void file_read_clocks(struct place *place)
{
	int64_t offset;

	place->now = clock_mono(place->world->clock);
	place->wall = clock_wall(place->world->clock);
	offset = place->wall - place->now;
	if (offset - place->offset > CLOCK_JUMP || place->offset - offset > CLOCK_JUMP) {
		place->step += offset - place->offset;
		place->has_stepped = true;
	}
	place->offset = offset;
}

/* What was written before the look began may be from before the step at a wake-up, too. */
int64_t file_clock_step(const struct place *place, wall_t written)
{
	return place->step + (written < place->opened ? place->slept : 0);
}

static int follow_clock(struct place *place)
{
	if (!place->has_stepped)
		return 0;
	for (size_t i = 0; i < place->n; i++) {
		struct lock *lock = file_lock_edit(place->item[i]);

		if (!lock)
			return -ENOMEM;
		lock->clock_step = file_clock_step(place, lock->written);
		file_lock_set(place->item[i], lock);
	}
	place->has_stepped = false;
	return 0;
}

static void file_close(void *state)
{
	struct place *place = state;

	if (!place)
		return;
	file_folder_leave(place);
	proccache_free(place->cache);
	free(place->path);
	free(place->parent);
	free(place->glob);
	free(place);
}

/* An absolute path without slashes at its end, and its parts. */
static int set_place(struct place *place, const char *path)
{
	size_t len;
	char *slash;

	place->path = folder_absolute(path);
	if (!place->path)
		return -errno;
	for (len = strlen(place->path); len > 1 && place->path[len - 1] == '/'; len--) {
		place->path[len - 1] = '\0';
		place->has_slash = true;
	}
	slash = strrchr(place->path, '/');
	place->base = slash ? slash + 1 : place->path;
	place->parent = strndup(
		place->path, slash && slash > place->path ? (size_t)(slash - place->path) : 1);
	return place->parent ? 0 : -ENOMEM;
}

static const char *const file_params[] = {"glob", NULL};

static int file_open(void **state, const struct world *world, const struct here *here,
	const struct uri *uri, struct error *err)
{
	const char *glob = uri_param(uri, "glob");
	struct place *place;
	int result = uri_only(uri, file_params, err);

	if (result < 0)
		return result;
	if (!*uri->path)
		return error_set(err, -EINVAL, "file: needs a path, as in file:/run/lock");
	if (glob && (!*glob || strchr(glob, '/')))
		return error_set(err, -EINVAL,
			"glob=%s is no pattern for names: expected one like *.lock, without '/'",
			glob);
	place = calloc(1, sizeof *place);
	if (!place)
		return error_sys(err, -ENOMEM, "cannot open %s", uri->text);
	place->world = world;
	place->here = here;
	place->is_first = place->look_at_all = true;
	place->holders_at = MONO_UNKNOWN;
	place->glob = strdup(glob ? glob : "*.lock");
	place->cache = proccache_new(world, here);
	place->opened = clock_wall(world->clock);
	place->offset = place->opened - clock_mono(world->clock);
	place->slept = world_step_since_boot(world);
	if (!place->glob || !place->cache || set_place(place, uri->path) < 0) {
		file_close(place);
		return error_sys(err, -ENOMEM, "cannot open %s", uri->text);
	}
	*state = place;
	return 0;
}

static void say_note(const struct place *place, struct backend_scan *scan)
{
	const char *why = place->watch ? watch_why(place->watch) : "out of memory";

	scan->is_polling = !place->watch || watch_fd(place->watch) < 0;
	if (scan->is_polling)
		snprintf(scan->note, sizeof scan->note, "polling: %s", why ? why : "no inotify");
	else if (place->is_single && place->n == 0)
		snprintf(scan->note, sizeof scan->note, "no such file: nobody has it");
}

static bool is_unread(const struct place *place)
{
	for (size_t i = 0; i < place->n; i++)
		if (file_kernel_is_wanted(place->item[i]))
			return true;
	return false;
}

static mono_t next_look(const struct place *place)
{
	mono_t now = clock_mono(place->world->clock), next = now + LOOK_EVERY;

	if ((is_unread(place) || place->was_opened) && place->budget.next < next)
		next = place->budget.next;
	if (place->look_at_all && place->list_after < next)
		next = place->list_after;
	if (place->touched.n)
		next = now;
	return next < now ? now : next;
}

static int scan_folder(struct place *place, int dir, struct backend_scan *scan, struct error *err)
{
	bool may_list = place->now >= place->list_after;
	int result;

	if (place->watch)
		file_folder_drain(place);
	if (may_list && (place->look_at_all || !scan->is_hinted))
		result = file_list_all(place, dir, scan, err);
	else
		result = file_list_touched(place, dir);
	if (result == 0)
		result = file_process_look(place, scan->is_hinted);
	if (result == 0)
		result = file_kernel_read(place);
	if (result == 0)
		result = follow_clock(place);
	place->has_deaths = false;
	if (result == 0)
		result = file_list_fill(place, scan->snapshot);
	if (result == -ENOMEM)
		error_sys(err, result, "cannot look at %s", "the lock files");
	return result;
}

static int file_scan(void *state, struct backend_scan *scan, struct error *err)
{
	struct place *place = state;
	int dir, result;

	file_read_clocks(place);
	scan->next = place->now + LOOK_EVERY;
	scan->is_polling = scan->is_final = false;
	scan->note[0] = '\0';
	dir = file_folder_enter(place, err);
	if (dir < 0)
		return dir;
	result = scan_folder(place, dir, scan, err);
	close(dir);
	if (result < 0) {
		/* Half of a look is none. */
		file_folder_leave(place);
		return result;
	}
	if (place->watch && watch_forget_opened(place->watch))
		file_folder_drain(place);
	place->is_first = false;
	say_note(place, scan);
	scan->next = next_look(place);
	return 0;
}

static int file_hint_fd(void *state)
{
	struct place *place = state;

	return place->watch ? watch_fd(place->watch) : -1;
}

static bool file_hint(void *state)
{
	struct place *place = state;

	if (!place->watch)
		return false;
	return file_folder_drain(place) ||
	       (place->was_opened &&
		       kernlocks_may(&place->budget, clock_mono(place->world->clock)));
}

static void file_ended(void *state, int32_t pid)
{
	struct place *place = state;

	proccache_forget(place->cache, pid);
	place->has_deaths = true;
}

const struct backend backend_file = {
	.scheme = "file",
	.help = "lock files in a folder, or one: file:/run/lock?glob=*.lock, or just a path",
	.params = file_params,
	.class = LOCK_CLASS_KERNEL,
	.open = file_open,
	.close = file_close,
	.scan = file_scan,
	.hint_fd = file_hint_fd,
	.hint = file_hint,
	.ended = file_ended,
	.look = file_look,
	.release = file_release,
};

/* One lock by its name, for a deed: looked at afresh, and released. */
#include "config.h"

#include "backends/file_private.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "base/text.h"

/* The raw name behind a clean one, if it may be a name here: 0 or -ENOENT. */
static int raw_name(struct place *place, const char *name, char *raw, size_t size)
{
	if (text_unclean(raw, size, name) < 0 || !*raw || strchr(raw, '/') ||
		!file_folder_is_ours(place, raw))
		return -ENOENT;
	return 0;
}

static int look_fresh(
	struct place *place, int dir, const char *raw, struct lock **lock, struct error *err)
{
	struct item *item;
	int result = file_list_one(place, dir, raw, &item);

	if (result < 0)
		return result;
	proccache_forget(place->cache, item->lock->record.pid);
	result = file_kernel_look(place, item, err);
	if (result < 0)
		return result;
	*lock = lock_ref(item->lock);
	return 0;
}

int file_look(void *state, const char *name, struct lock **lock, struct error *err)
{
	struct place *place = state;
	char raw[NAME_MAX + 1], where[PATH_MAX];
	int dir, result;

	file_read_clocks(place);
	dir = file_folder_enter(place, err);
	if (dir < 0)
		return dir;
	file_folder_say(place, where, sizeof where);
	result = raw_name(place, name, raw, sizeof raw);
	if (result == 0)
		result = look_fresh(place, dir, raw, lock, err);
	close(dir);
	if (result == -ENOENT)
		return error_set(err, result, "there is no lock %s in %s", name, where);
	if (result < 0)
		return error_sys(err, result, "cannot look at %s in %s", name, where);
	return 0;
}

int file_release(void *state, const char *name, struct backend_release *how, struct error *err)
{
	struct place *place = state;
	char raw[NAME_MAX + 1], folder[PATH_MAX], where[PATH_MAX + NAME_MAX], shown[200];
	int dir, result;

	how->done[0] = '\0';
	file_read_clocks(place);
	dir = file_folder_enter(place, err);
	if (dir < 0)
		return dir;
	file_folder_say(place, folder, sizeof folder);
	snprintf(where, sizeof where, "%s/%s", strcmp(folder, "/") == 0 ? "" : folder, name);
	result = raw_name(place, name, raw, sizeof raw);
	if (result < 0)
		result = error_set(err, result, "there is no lock %s in %s", name, folder);
	else
		result = lockfile_release(dir, raw, where, how->version, how->tidy, err);
	close(dir);
	if (result == 0) {
		text_fit(shown, sizeof shown, where, (int)sizeof shown - 1, TEXT_CUT_START);
		snprintf(how->done, sizeof how->done, "%s %s", how->tidy ? "removed" : "emptied",
			shown);
	}
	return result;
}

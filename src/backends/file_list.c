/* The names of the folder: listed, merged with those that are known, and looked at. */
#include "config.h"

#include "backends/file_private.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"

enum {
	PROGRESS_FIRST = 256,
	SWEEP_EVERY = 64, /* listings */
};

#define LISTING_SHARE  20 /* a listing takes at most 1/20 of the time */
#define PROGRESS_EVERY (NS_PER_S / 2)

void file_list_drop(struct place *place)
{
	for (size_t i = 0; i < place->n; i++)
		file_item_free(place->item[i]);
	free(place->item);
	place->item = NULL;
	place->n = 0;
	file_kernel_forget_inodes(place);
}

/* Where the clean name is, or would have to be inserted. */
static size_t item_index(const struct place *place, const char *clean, bool *found)
{
	size_t low = 0, high = place->n;

	*found = false;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		int order = strcmp(place->item[middle]->name.clean, clean);

		if (order == 0) {
			*found = true;
			return middle;
		}
		if (order < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static void item_remove(struct place *place, size_t i)
{
	file_item_free(place->item[i]);
	place->n--;
	memmove(place->item + i, place->item + i + 1, (place->n - i) * sizeof *place->item);
	file_kernel_forget_inodes(place);
}

/* Takes the name over. The new item, or NULL when out of memory. */
static struct item *item_insert(struct place *place, size_t i, struct folder_name *name)
{
	struct item **grown = realloc(place->item, (place->n + 1) * sizeof *grown);
	struct item *item;

	if (!grown)
		return NULL;
	place->item = grown;
	item = calloc(1, sizeof *item);
	if (!item)
		return NULL;
	item->name = *name;
	*name = (struct folder_name){0};
	memmove(grown + i + 1, grown + i, (place->n - i) * sizeof *grown);
	grown[i] = item;
	place->n++;
	file_kernel_forget_inodes(place);
	return item;
}

static int list_names(struct place *place, int dir, struct folder *folder)
{
	struct lockfile_stat stat;

	if (!place->is_single)
		return folder_list(folder, dir, place->glob);
	*folder = (struct folder){0};
	if (lockfile_stat(dir, place->base, &stat) == -ENOENT)
		return 0;
	folder->name = calloc(1, sizeof *folder->name);
	if (!folder->name || folder_name_make(folder->name, place->base) < 0) {
		free(folder->name);
		*folder = (struct folder){0};
		return -ENOMEM;
	}
	folder->n = folder->size = 1;
	return 0;
}

/* Makes the items those of the list, which is used up; known ones stay. */
static int merge_names(struct place *place, struct folder *folder)
{
	struct item **merged = calloc(folder->n + 1, sizeof *merged);
	size_t at = 0;
	int result = merged ? 0 : -ENOMEM;

	for (size_t i = 0; merged && i < folder->n; i++) {
		const char *clean = folder->name[i].clean;

		while (at < place->n && strcmp(place->item[at]->name.clean, clean) < 0)
			file_item_free(place->item[at++]);
		if (at < place->n && strcmp(place->item[at]->name.clean, clean) == 0) {
			merged[i] = place->item[at++];
			continue;
		}
		merged[i] = calloc(1, sizeof **merged);
		if (!merged[i]) {
			folder->n = i;
			result = -ENOMEM;
			break;
		}
		merged[i]->name = folder->name[i];
		folder->name[i] = (struct folder_name){0};
	}
	while (merged && at < place->n)
		file_item_free(place->item[at++]);
	if (!merged)
		return result;
	free(place->item);
	place->item = merged;
	place->n = folder->n;
	file_kernel_forget_inodes(place);
	return result;
}

int file_list_fill(const struct place *place, struct snapshot *snapshot)
{
	snapshot_release(snapshot);
	for (size_t i = 0; i < place->n; i++) {
		struct lock *lock = place->item[i]->lock;
		int result = lock ? snapshot_put(snapshot, lock_ref(lock)) : 0;

		if (result < 0)
			return result;
	}
	return 0;
}

/* When to show what there is so far: early rows of a long look soon, and signs of life. */
struct pace {
	size_t rows;
	mono_t at;
};

static int show_progress(
	struct place *place, struct backend_scan *scan, struct pace *pace, size_t i)
{
	mono_t now;
	int result;

	if (!scan->progress || i % PROGRESS_FIRST != PROGRESS_FIRST - 1)
		return 0;
	now = clock_mono(place->world->clock);
	if ((!place->is_first || i < pace->rows) && now < pace->at)
		return 0;
	pace->rows = 4 * i;
	pace->at = now + PROGRESS_EVERY;
	result = file_list_fill(place, scan->snapshot);
	return result < 0 ? result : scan->progress(scan->progress_data, scan->snapshot);
}

/* Looks at every item; those that are gone by now are dropped. */
static int look_at_items(struct place *place, int dir, struct backend_scan *scan)
{
	struct pace pace = {PROGRESS_FIRST - 1, place->now + PROGRESS_EVERY};
	size_t kept = 0;
	int result = 0;

	for (size_t i = 0; i < place->n; i++) {
		struct item *item = place->item[i];

		if (result == 0) {
			result = file_item_look(place, dir, item);
			if (result == -ENOENT) {
				file_item_free(item);
				file_kernel_forget_inodes(place);
				place->item[i] = NULL;
				result = 0;
				continue;
			}
		}
		place->item[i] = NULL;
		place->item[kept++] = item;
		if (result == 0 && kept == i + 1)
			result = show_progress(place, scan, &pace, i);
	}
	place->n = kept;
	return result;
}

int file_list_all(struct place *place, int dir, struct backend_scan *scan, struct error *err)
{
	mono_t began = clock_mono(place->world->clock), ended;
	struct folder folder;
	char where[PATH_MAX];
	int result = list_names(place, dir, &folder);

	if (result < 0) {
		file_folder_say(place, where, sizeof where);
		return error_sys(err, result, "cannot list %s", where);
	}
	folder_release(&place->touched);
	place->look_at_all = false;
	result = merge_names(place, &folder);
	folder_release(&folder);
	if (result == 0)
		result = look_at_items(place, dir, scan);
	ended = clock_mono(place->world->clock);
	place->list_after = ended + LISTING_SHARE * (ended - began);
	if (++place->listings % SWEEP_EVERY == 0)
		file_process_sweep(place);
	return result;
}

int file_list_one(struct place *place, int dir, const char *raw, struct item **found)
{
	struct folder_name name;
	bool is_known;
	size_t at;
	int result;

	if (folder_name_make(&name, raw) < 0)
		return -ENOMEM;
	at = item_index(place, name.clean, &is_known);
	if (!is_known && !item_insert(place, at, &name)) {
		folder_name_release(&name);
		return -ENOMEM;
	}
	folder_name_release(&name);
	result = file_item_look(place, dir, place->item[at]);
	/* An item without a lock must not stay. */
	if (result == -ENOENT || !place->item[at]->lock) {
		item_remove(place, at);
		return result < 0 ? result : -ENOENT;
	}
	if (found)
		*found = place->item[at];
	return result;
}

int file_list_touched(struct place *place, int dir)
{
	for (size_t i = 0; i < place->touched.n; i++) {
		int result = file_list_one(place, dir, place->touched.name[i].raw, NULL);

		if (result < 0 && result != -ENOENT)
			return result;
	}
	folder_release(&place->touched);
	return 0;
}

/* One name of the folder: its file is read when it has changed, and its record understood. */
#include "config.h"

#include "backends/file_private.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"

enum { BYTES_SHOWN = 64 }; /* of a record that cannot be understood */

/*
 * Time stamps may be this coarse (ext4 with small inodes): what was read so soon after a change
 * may be changed again without showing.
 */
#define STAMP_COARSE (2 * NS_PER_S)

void file_item_free(struct item *item)
{
	if (!item)
		return;
	folder_name_release(&item->name);
	lock_unref(item->lock);
	free(item);
}

static int set_path(const struct place *place, const struct item *item, struct lock *lock)
{
	const char *folder = file_folder_path(place);
	size_t len = strlen(folder) + strlen(item->name.raw) + 2;
	char *raw = malloc(len);

	if (!raw)
		return -ENOMEM;
	snprintf(raw, len, "%s/%s", strcmp(folder, "/") == 0 ? "" : folder, item->name.raw);
	lock->path = text_clean_dup(raw, strlen(raw));
	free(raw);
	return lock->path ? 0 : -ENOMEM;
}

static int set_words(
	struct item *item, struct lock *lock, const struct lockfile *file, const char *why)
{
	enum record_format format = lock->record.format;
	char shown[8 * BYTES_SHOWN + 1];
	size_t len = file->len < BYTES_SHOWN ? file->len : BYTES_SHOWN;

	if (format == RECORD_NONE || format == RECORD_CORRUPT) {
		lock->problem = strdup(why && *why ? why : "cannot be understood");
		if (!lock->problem)
			return -ENOMEM;
	}
	if (format != RECORD_CORRUPT && format != RECORD_FOREIGN)
		return 0;
	item->is_unclean = !text_is_clean(file->data, file->len);
	text_clean(shown, sizeof shown, file->data, len, NULL);
	lock->bytes = strdup(shown);
	return lock->bytes ? 0 : -ENOMEM;
}

static int set_record(
	struct place *place, struct item *item, struct lock *lock, const struct lockfile *file)
{
	const struct lockfile_stat *stat = &file->stat;
	const char *why = NULL;
	int result;

	lock->kind = LOCK_FILE;
	lock->class = LOCK_CLASS_KERNEL;
	lock->dev = stat->dev;
	lock->ino = stat->ino;
	lock->to = INT64_MAX;
	lock->written = stat->mtime;
	item->is_unclean = false;
	item->identity = lockfile_identity(file, &lock->record, &why);
	result = set_path(place, item, lock);
	if (result == 0)
		result = set_words(item, lock, file, why);
	if (result < 0 || lock->record.format != RECORD_LT1) {
		proc_relate(place->here, &lock->record, lock);
		return result;
	}
	proc_relate(place->here, &lock->record, lock);
	if (lock->record.mode == 'd' || place->is_remote)
		lock->class = LOCK_CLASS_LEASE;
	if (lock->record.lease > 0 && lock->record.time > 0)
		lock->expires = file_lock_wall(lock->record.time + lock->record.lease);
	return 0;
}

/*
 * Remembers who had it under a flock when the record names another now: if that flock is still
 * there at the next look at the table, the lock was taken over.
 */
static void note_former(struct item *item, const struct lock *lock)
{
	const struct lock *old = item->lock;

	item->is_taken_over = false;
	item->former = (struct former){0};
	if (lock->record.pid <= 0 || !file_lock_has_kernel_holder(old) ||
		old->holder[0].pid == lock->record.pid)
		return;
	item->former = (struct former){old->dev, old->ino, old->holder[0].pid};
}

static int item_make(struct place *place, struct item *item, const struct lockfile *file)
{
	const struct lock *old = item->lock;
	struct before before = file_lock_before(old);
	uint64_t identity = item->identity;
	struct lock *lock = lock_new(item->name.clean);
	int result;

	if (!lock)
		return -ENOMEM;
	result = set_record(place, item, lock, file);
	if (result == 0 && old && old->dev == lock->dev && old->ino == lock->ino &&
		identity == item->identity)
		result = file_lock_keep_kernel(lock, old);
	else if (result == 0 && old)
		note_former(item, lock);
	if (result < 0) {
		lock_unref(lock);
		return result;
	}
	if (!old || old->ino != lock->ino)
		file_kernel_forget_inodes(place);
	return file_lock_finish(place, item, lock, &before);
}

static void cannot_look(struct lockfile *file, int code)
{
	*file = (struct lockfile){0};
	snprintf(file->problem, sizeof file->problem, "cannot be looked at: %s", strerror(-code));
}

int file_item_look(struct place *place, int dir, struct item *item)
{
	struct lockfile_stat stat;
	struct lockfile file;
	int64_t age;
	int result = -EAGAIN;

	/* Another file of that name between two calls: again, but not for ever. */
	for (int tries = 0; tries < 5 && result == -EAGAIN; tries++) {
		result = lockfile_stat(dir, item->name.raw, &stat);
		if (result < 0)
			break;
		if (item->lock && !item->is_young && lockfile_is_same(&stat, &item->stat))
			return 0;
		result = lockfile_read(dir, item->name.raw, &stat, &file);
	}
	if (result == -ENOENT)
		return result;
	if (result < 0)
		cannot_look(&file, result);
	item->stat = file.stat;
	age = place->wall - file.stat.ctime;
	item->is_young = result == -EAGAIN || (age < STAMP_COARSE && age > -STAMP_COARSE);
	return item_make(place, item, &file);
}

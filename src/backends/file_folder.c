/*
 * Which folder a place is, and the watch on it.
 *
 * A path that is a folder is looked at as a whole; anything else that exists is a single lock
 * file; one that is not there (yet) is a single file if its last part matches the pattern or ends
 * in .lock or .pid, else a folder.
 */
#include "config.h"

#include "backends/file_private.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base/error.h"
#include "base/text.h"

enum { TOUCHED_MAX = 1024 }; /* more touched names than this: list the folder instead */

#define WATCH_RETRY (60 * NS_PER_S)

const char *file_folder_path(const struct place *place)
{
	return place->is_single ? place->parent : place->path;
}

void file_folder_say(const struct place *place, char *dst, size_t size)
{
	const char *path = file_folder_path(place);

	text_clean(dst, size, path, strlen(path), NULL);
}

static bool ends_in(const char *text, const char *suffix)
{
	size_t len = strlen(text), tail = strlen(suffix);

	return len > tail && strcmp(text + len - tail, suffix) == 0;
}

static bool is_single_file(const struct place *place)
{
	struct stat st;

	if (place->has_slash || !*place->base)
		return false;
	if (stat(place->path, &st) == 0)
		return !S_ISDIR(st.st_mode);
	if (lstat(place->path, &st) == 0)
		return true;
	return folder_matches(place->glob, place->base) || ends_in(place->base, ".lock") ||
	       ends_in(place->base, ".pid");
}

/* On these the kernel's table knows this host's locks at best, and nobody else's. */
static bool is_remote(int dir)
{
	static const unsigned int types[] = {
		0x6969,     /* NFS */
		0xff534d42, /* CIFS */
		0xfe534d42, /* SMB2 */
		0x517b,     /* SMB */
		0x65735546, /* FUSE: sshfs, glusterfs, … */
		0x01021997, /* 9p */
		0x00c36400, /* Ceph */
		0x0bd00bd0, /* Lustre */
		0x01161970, /* GFS2 */
		0x7461636f, /* OCFS2 */
		0x5346414f, /* AFS */
	};
	struct statfs fs;

	/* An O_PATH descriptor will do since Linux 3.12 (open(2)). */
	if (fstatfs(dir, &fs) < 0)
		return false;
	for (size_t i = 0; i < sizeof types / sizeof *types; i++)
		if ((unsigned int)fs.f_type == types[i])
			return true;
	return false;
}

void file_folder_leave(struct place *place)
{
	watch_close(place->watch);
	place->watch = NULL;
	place->is_seen = false;
	file_list_drop(place);
	folder_release(&place->touched);
}

static void watch_folder(struct place *place)
{
	watch_close(place->watch);
	place->watch = watch_open(file_folder_path(place));
	place->watch_retry = place->now + WATCH_RETRY;
	place->look_at_all = true;
}

int file_folder_enter(struct place *place, struct error *err)
{
	bool is_single = is_single_file(place);
	char where[PATH_MAX];
	struct stat st;
	int dir;

	if (is_single != place->is_single)
		file_folder_leave(place);
	place->is_single = is_single;
	file_folder_say(place, where, sizeof where);
	dir = open(file_folder_path(place), O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (dir < 0 || fstat(dir, &st) < 0) {
		int code = -errno;

		if (dir >= 0)
			close(dir);
		file_folder_leave(place);
		return error_sys(err, code, "cannot look into %s", where);
	}
	if (!place->is_seen || place->dev != st.st_dev || place->ino != st.st_ino) {
		file_folder_leave(place);
		place->dev = st.st_dev;
		place->ino = st.st_ino;
		place->is_seen = true;
		place->is_remote = is_remote(dir);
		place->list_after = place->now;
	}
	if (!place->watch || !watch_is_there(place->watch) ||
		(watch_fd(place->watch) < 0 && place->now >= place->watch_retry))
		watch_folder(place);
	return dir;
}

bool file_folder_is_ours(const struct place *place, const char *raw)
{
	return place->is_single ? strcmp(raw, place->base) == 0 : folder_matches(place->glob, raw);
}

static void touch(struct place *place, const char *raw)
{
	struct folder *touched = &place->touched;

	if (place->look_at_all || !file_folder_is_ours(place, raw))
		return;
	if (!touched->name) {
		touched->name = calloc(TOUCHED_MAX, sizeof *touched->name);
		touched->size = touched->name ? TOUCHED_MAX : 0;
	}
	if (touched->n == touched->size || folder_name_make(&touched->name[touched->n], raw) < 0) {
		place->look_at_all = true;
		folder_release(touched);
		return;
	}
	touched->n++;
}

bool file_folder_drain(struct place *place)
{
	int bits = watch_drain(place->watch);
	const char *name;

	for (size_t i = 0; (bits & WATCH_CHANGED) && (name = watch_name(place->watch, i)); i++)
		touch(place, name);
	if (bits & (WATCH_OVERFLOW | WATCH_GONE))
		place->look_at_all = true;
	if (bits & WATCH_OPENED)
		place->was_opened = true;
	return place->look_at_all || place->touched.n > 0;
}

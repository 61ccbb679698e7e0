#include "config.h"

#include "system/watch.h"

#include <errno.h>
#include <limits.h>
#include <linux/magic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base/text.h"

enum {
	NAMES_MAX = 4096, /* more than that, and looking at everything is no dearer */
	SLOTS = 2 * NAMES_MAX,
	BUFFER = 64 * 1024,
	READS_MAX = 64, /* a drain; who creates files faster than we read must not hold us */
};

struct watch {
	int fd;       /* -1: no inotify */
	char *folder; /* owned */
	dev_t dev;
	ino_t ino;
	char why[120];
	char *buffer; /* owned; BUFFER bytes, as aligned as malloc(3) */
	char **name;  /* owned array of owned names, in the order of their events */
	size_t names, names_size;
	uint16_t *slot; /* owned; open addressing: index of name + 1, 0 free; NULL until needed */
	int bits;       /* found and not yet told by watch_drain() */
	bool is_told;   /* the names were told: the next reading begins anew */
};

/* -- opening -- */

/* The file systems on which others, elsewhere, change files without an event here (inotify(7)). */
static const struct {
	unsigned int magic;
	const char *name;
} remote[] = {
	{NFS_SUPER_MAGIC, "nfs"},
	{SMB_SUPER_MAGIC, "smb"},
	{CIFS_SUPER_MAGIC, "cifs"},
	{SMB2_SUPER_MAGIC, "cifs"},
	{FUSE_SUPER_MAGIC, "fuse"},
	{V9FS_MAGIC, "9p"},
	{AFS_SUPER_MAGIC, "afs"},
	{AFS_FS_MAGIC, "afs"},
	{CODA_SUPER_MAGIC, "coda"},
	{CEPH_SUPER_MAGIC, "ceph"},
	{OCFS2_SUPER_MAGIC, "ocfs2"},
	{0x01161970, "gfs2"},
	{0x0BD00BD0, "lustre"},
	{0x47504653, "gpfs"},
};

/* Why changes in that folder may raise no event, or NULL. */
static const char *remote_name(const char *folder)
{
	struct statfs fs;

	if (statfs(folder, &fs) < 0)
		return NULL;
	for (size_t i = 0; i < sizeof remote / sizeof *remote; i++)
		if (remote[i].magic == (unsigned int)fs.f_type)
			return remote[i].name;
	return NULL;
}

static void say_why(struct watch *watch, int error)
{
	const char *why;

	switch (error) {
	case ENOSPC: why = "no inotify watch left (fs.inotify.max_user_watches)"; break;
	case EMFILE: why = "no inotify instance left (fs.inotify.max_user_instances)"; break;
	case ENFILE: why = "no inotify: too many open files in the system"; break;
	case ENOSYS: why = "this kernel has no inotify"; break;
	case EACCES: why = "no inotify: no permission to read the folder"; break;
	default: snprintf(watch->why, sizeof watch->why, "no inotify: %s", strerror(error)); return;
	}
	snprintf(watch->why, sizeof watch->why, "%s", why);
}

static int start_inotify(struct watch *watch)
{
	/*
	 * Openings and closings are all that inotify sees of flock(2). IN_EXCL_UNLINK: what
	 * happens to a file that has lost its name is nothing of this folder.
	 */
	static const uint32_t mask = IN_CREATE | IN_DELETE | IN_MOVED_FROM | IN_MOVED_TO |
				     IN_MODIFY | IN_ATTRIB | IN_OPEN | IN_CLOSE_WRITE |
				     IN_CLOSE_NOWRITE | IN_DELETE_SELF | IN_MOVE_SELF | IN_ONLYDIR |
				     IN_EXCL_UNLINK;

	watch->fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
	if (watch->fd < 0)
		return errno;
	if (inotify_add_watch(watch->fd, watch->folder, mask) < 0) {
		int error = errno;

		close(watch->fd);
		watch->fd = -1;
		return error;
	}
	return 0;
}

struct watch *watch_open(const char *folder)
{
	struct watch *watch = calloc(1, sizeof *watch);
	const char *elsewhere;
	struct stat stat_now;
	int error;

	if (!watch)
		return NULL;
	watch->fd = -1;
	watch->folder = strdup(folder);
	watch->buffer = malloc(BUFFER);
	error = !watch->folder || !watch->buffer ? ENOMEM : 0;
	if (!error && stat(folder, &stat_now) < 0)
		error = errno;
	else if (!error && !S_ISDIR(stat_now.st_mode))
		error = ENOTDIR;
	if (error)
		goto fail;
	watch->dev = stat_now.st_dev;
	watch->ino = stat_now.st_ino;

	elsewhere = remote_name(folder);
	if (elsewhere) {
		snprintf(watch->why, sizeof watch->why, "%s: remote changes raise no event",
			elsewhere);
		return watch;
	}
	error = start_inotify(watch);
	if (error == ENOENT || error == ENOTDIR)
		goto fail; /* it went meanwhile */
	if (error)
		say_why(watch, error);
	return watch;
fail:
	watch_close(watch);
	errno = error;
	return NULL;
}

static void forget_names(struct watch *watch)
{
	for (size_t i = 0; i < watch->names; i++)
		free(watch->name[i]);
	if (watch->names > 0 && watch->slot)
		memset(watch->slot, 0, SLOTS * sizeof *watch->slot);
	watch->names = 0;
}

void watch_close(struct watch *watch)
{
	if (!watch)
		return;
	forget_names(watch);
	if (watch->fd >= 0)
		close(watch->fd);
	free(watch->name);
	free(watch->slot);
	free(watch->buffer);
	free(watch->folder);
	free(watch);
}

int watch_fd(const struct watch *watch)
{
	return watch->fd;
}

const char *watch_why(const struct watch *watch)
{
	return watch->why[0] ? watch->why : NULL;
}

bool watch_is_there(const struct watch *watch)
{
	struct stat now;

	return stat(watch->folder, &now) == 0 && now.st_dev == watch->dev &&
	       now.st_ino == watch->ino;
}

/* -- names -- */

static bool make_room(struct watch *watch)
{
	size_t size = watch->names_size ? watch->names_size * 2 : 64;
	char **more;

	if (!watch->slot && !(watch->slot = calloc(SLOTS, sizeof *watch->slot)))
		return false;
	if (watch->names < watch->names_size)
		return true;
	more = reallocarray(watch->name, size, sizeof *more);
	if (!more)
		return false;
	watch->name = more;
	watch->names_size = size;
	return true;
}

/* False when it cannot be remembered. */
static bool remember(struct watch *watch, const char *name)
{
	size_t i;

	if (!make_room(watch))
		return false;
	for (i = text_hash(name, strlen(name), 0) % SLOTS; watch->slot[i]; i = (i + 1) % SLOTS)
		if (strcmp(watch->name[watch->slot[i] - 1], name) == 0)
			return true;
	if (watch->names == NAMES_MAX || !(watch->name[watch->names] = strdup(name)))
		return false;
	watch->slot[i] = (uint16_t)++watch->names;
	return true;
}

const char *watch_name(const struct watch *watch, size_t i)
{
	return i < watch->names ? watch->name[i] : NULL;
}

/* -- events -- */

static int bits_of(struct watch *watch, const struct inotify_event *event)
{
	static const uint32_t changed = IN_CREATE | IN_DELETE | IN_MOVED_FROM | IN_MOVED_TO |
					IN_MODIFY | IN_ATTRIB | IN_CLOSE_WRITE;
	int bits = 0;

	if (event->mask & IN_Q_OVERFLOW)
		return WATCH_OVERFLOW;
	if (event->mask & (IN_DELETE_SELF | IN_MOVE_SELF | IN_UNMOUNT | IN_IGNORED))
		return WATCH_GONE;
	/* The folder itself: its being listed is nothing, its permissions concern all names. */
	if (event->len == 0)
		return event->mask & IN_ATTRIB ? WATCH_CHANGED | WATCH_OVERFLOW : 0;
	if (event->mask & changed)
		bits |= WATCH_CHANGED;
	if ((event->mask & (IN_OPEN | IN_CLOSE)) && !(event->mask & IN_ISDIR))
		bits |= WATCH_OPENED;
	if ((bits & WATCH_CHANGED) && !remember(watch, event->name))
		bits |= WATCH_OVERFLOW;
	return bits;
}

/* Adds what the queue has to names and bits. */
static void read_events(struct watch *watch)
{
	if (watch->is_told)
		forget_names(watch);
	watch->is_told = false;
	for (int reads = 0; watch->fd >= 0 && reads < READS_MAX; reads++) {
		const struct inotify_event *event;
		ssize_t n = read(watch->fd, watch->buffer, BUFFER);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			break;
		for (ssize_t at = 0; at < n; at += (ssize_t)sizeof *event + event->len) {
			event = (const struct inotify_event *)(const void *)(watch->buffer + at);
			watch->bits |= bits_of(watch, event);
		}
	}
}

int watch_drain(struct watch *watch)
{
	int bits;

	read_events(watch);
	bits = watch->bits;
	watch->bits = 0;
	watch->is_told = true;
	return bits;
}

int watch_forget_opened(struct watch *watch)
{
	read_events(watch);
	watch->bits &= ~WATCH_OPENED;
	return watch->bits;
}

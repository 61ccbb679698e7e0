/* inotify on the folders of the logs: one descriptor for all of them. */
#include "config.h"

#include "backends/log_private.h"

#include <errno.h>
#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "base/text.h"

enum { FOLDERS_MAX = 64 };

#define RETRY (60 * NS_PER_S)

static const char *base_of(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

static void release_folder(struct log_folder *folder)
{
	watch_close(folder->watch); /* which takes its descriptor out of the epoll */
	free(folder->path);
}

void log_watch_release(struct log *log)
{
	for (size_t i = 0; i < log->folders; i++)
		release_folder(&log->folder[i]);
	free(log->folder);
	if (log->epoll >= 0)
		close(log->epoll);
}

/* --- which --- */

static void be_blind(struct log *log, const char *why)
{
	if (log->is_blind)
		return;
	log->is_blind = true;
	snprintf(log->why, sizeof log->why, "%s", why);
}

static struct log_folder *find_folder(const struct log *log, const char *path, size_t len)
{
	for (size_t i = 0; i < log->folders; i++)
		if (strncmp(log->folder[i].path, path, len) == 0 && !log->folder[i].path[len])
			return &log->folder[i];
	return NULL;
}

/* The folder of a path. */
static int want_folder(struct log *log, const char *path)
{
	size_t len = (size_t)(base_of(path) - path);
	struct log_folder *folder, *more;

	folder = find_folder(log, path, len);
	if (folder) {
		folder->is_wanted = true;
		return 0;
	}
	if (log->folders == FOLDERS_MAX) {
		be_blind(log, "too many folders");
		return 0;
	}
	more = reallocarray(log->folder, log->folders + 1, sizeof *more);
	if (!more)
		return -ENOMEM;
	log->folder = more;
	folder = &more[log->folders];
	*folder = (struct log_folder){.path = strndup(path, len), .is_wanted = true};
	if (!folder->path)
		return -ENOMEM;
	log->folders++;
	return 0;
}

/* A log is often a link, and changes where that leads to. */
static int want_file(struct log *log, struct log_file *file)
{
	const char *path = file->lines.tail.path;
	int result = want_folder(log, path);

	free(file->real);
	file->real = realpath(path, NULL);
	if (file->real && strcmp(file->real, path) == 0) {
		free(file->real);
		file->real = NULL;
	}
	return result == 0 && file->real ? want_folder(log, file->real) : result;
}

/* Is the folder of the pattern one, or are there patterns in it, too? */
static bool is_one_folder(const char *pattern)
{
	size_t len = (size_t)(base_of(pattern) - pattern), plain = strcspn(pattern, "*?[");

	return plain >= len;
}

static int want_folders(struct log *log)
{
	int result = 0;

	for (size_t i = 0; i < log->folders; i++)
		log->folder[i].is_wanted = false;
	if (is_one_folder(log->path))
		result = want_folder(log, log->path);
	for (size_t i = 0; i < log->files && result == 0; i++)
		result = want_file(log, log->file[i]);
	return result;
}

/* --- watching --- */

static void watch_folder(struct log *log, struct log_folder *folder)
{
	struct epoll_event event = {.events = EPOLLIN};

	watch_close(folder->watch);
	folder->watch = log->epoll >= 0 ? watch_open(folder->path) : NULL;
	folder->retry = log->now + RETRY;
	if (!folder->watch || watch_fd(folder->watch) < 0)
		return;
	if (epoll_ctl(log->epoll, EPOLL_CTL_ADD, watch_fd(folder->watch), &event) == 0)
		return;
	watch_close(folder->watch);
	folder->watch = NULL;
}

/* A folder that is not there (yet) is tried with every look; one without inotify now and then. */
static void keep_watch(struct log *log, struct log_folder *folder)
{
	if (!folder->watch || !watch_is_there(folder->watch) ||
		(watch_fd(folder->watch) < 0 && log->now >= folder->retry))
		watch_folder(log, folder);
	if (!folder->watch)
		be_blind(log, "a folder that is not there, or cannot be watched");
	else if (watch_fd(folder->watch) < 0)
		be_blind(log, watch_why(folder->watch));
}

int log_watch_folders(struct log *log)
{
	int result;
	size_t n = 0;

	log->is_blind = false;
	result = want_folders(log);
	for (size_t i = 0; i < log->folders; i++) {
		if (log->folder[i].is_wanted)
			log->folder[n++] = log->folder[i];
		else
			release_folder(&log->folder[i]);
	}
	log->folders = n;
	for (size_t i = 0; i < log->folders; i++)
		keep_watch(log, &log->folder[i]);
	return result;
}

/* --- hints --- */

/* A name of a log that is followed; *is_new: of one that may be. */
static bool is_ours(const struct log *log, const char *name, bool *is_new)
{
	for (size_t i = 0; i < log->files; i++) {
		const struct log_file *file = log->file[i];

		if (strcmp(base_of(file->lines.tail.path), name) == 0 ||
			(file->real && strcmp(base_of(file->real), name) == 0))
			return true;
	}
	if (strcmp(base_of(log->path), name) != 0 &&
		fnmatch(base_of(log->path), name, FNM_PERIOD) != 0)
		return false;
	*is_new = true;
	return true;
}

static bool drain(struct log *log, struct watch *watch)
{
	int bits = watch_drain(watch);
	bool is_due = false, is_new = false;
	const char *name;

	if (bits & (WATCH_OVERFLOW | WATCH_GONE))
		is_due = is_new = true;
	for (size_t i = 0; (bits & WATCH_CHANGED) && (name = watch_name(watch, i)); i++)
		is_due = is_ours(log, name, &is_new) || is_due;
	log->is_new_name = log->is_new_name || is_new;
	return is_due;
}

bool log_watch_drain(struct log *log)
{
	bool is_due = false;

	for (size_t i = 0; i < log->folders; i++)
		if (log->folder[i].watch)
			is_due = drain(log, log->folder[i].watch) || is_due;
	return is_due;
}

/* Opening a log that is appended to. */
#include "config.h"
#include "engine/logfile.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "base/text.h"

/* As it may be shown. */
struct shown {
	char text[PATH_MAX];
};

static const char *show(struct shown *shown, const char *path)
{
	text_clean(shown->text, sizeof shown->text, path, strlen(path), NULL);
	return shown->text;
}

/* Makes the folder and what is missing above it. */
static int make_folder(char *path, mode_t mode)
{
	for (char *slash = path; (slash = strchr(slash + 1, '/'));) {
		*slash = '\0';
		if (mkdir(path, 0755) < 0 && errno != EEXIST) {
			int code = -errno;

			*slash = '/';
			return code;
		}
		*slash = '/';
	}
	return mkdir(path, mode) < 0 && errno != EEXIST ? -errno : 0;
}

/* The folder has to be ours or root's, and nobody else may put a file into our file's place. */
static int check_folder(const struct logfile *log, int fd, const char *folder, struct error *err)
{
	struct shown shown;
	struct stat st;

	if (fstat(fd, &st) < 0)
		return error_sys(err, -errno, "cannot look at the %s's folder %s", log->what,
			show(&shown, folder));
	if (st.st_uid != geteuid() && st.st_uid != 0)
		return error_set(err, -EPERM, "the %s's folder %s belongs to uid %u", log->what,
			show(&shown, folder), (unsigned int)st.st_uid);
	if (st.st_mode & 022 && !(st.st_mode & S_ISVTX))
		return error_set(err, -EPERM,
			"others may write into the %s's folder %s (mode %04o)", log->what,
			show(&shown, folder), (unsigned int)(st.st_mode & 07777));
	return 0;
}

static int open_folder(const struct logfile *log, struct error *err)
{
	const char *slash = strrchr(log->path, '/');
	size_t len = slash ? (size_t)(slash - log->path) : 0;
	char folder[PATH_MAX];
	struct shown shown;
	int fd, result;

	if (len >= sizeof folder)
		return error_sys(err, -ENAMETOOLONG, "cannot open the %s's folder", log->what);
	memcpy(folder, log->path, len);
	folder[len] = '\0';
	if (!len)
		snprintf(folder, sizeof folder, "%s", slash ? "/" : ".");
	fd = open(folder, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0 && errno == ENOENT && log->makes_folder) {
		result = make_folder(folder, geteuid() == 0 ? 0750 : 0700);
		if (result < 0)
			return error_sys(err, result, "cannot make the %s's folder %s", log->what,
				show(&shown, folder));
		fd = open(folder, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	}
	if (fd < 0)
		return error_sys(err, -errno, "cannot open the %s's folder %s", log->what,
			show(&shown, folder));
	result = check_folder(log, fd, folder, err);
	if (result < 0) {
		close(fd);
		return result;
	}
	return fd;
}

static int check_file(const struct logfile *log, int fd, struct stat *st, struct error *err)
{
	struct shown shown;

	if (fstat(fd, st) < 0)
		return error_sys(err, -errno, "cannot look at the %s %s", log->what,
			show(&shown, log->path));
	if (!S_ISREG(st->st_mode))
		return error_set(err, -EINVAL, "the %s %s is not a regular file", log->what,
			show(&shown, log->path));
	if (st->st_uid != geteuid() && !(log->is_shared && st->st_uid == 0))
		return error_set(err, -EPERM, "the %s %s belongs to uid %u", log->what,
			show(&shown, log->path), (unsigned int)st->st_uid);
	if (st->st_nlink == 0)
		return error_set(err, -ESTALE, "the %s %s was removed just now", log->what,
			show(&shown, log->path));
	if (st->st_nlink != 1)
		return error_set(err, -EMLINK, "the %s %s has another hard link", log->what,
			show(&shown, log->path));
	return 0;
}

/* A FIFO that nobody reads, or a socket, cannot even be opened: ENXIO, open(2). */
static int cannot_open(const struct logfile *log, int code, struct error *err)
{
	struct shown shown;

	if (code == -ENXIO)
		return error_set(err, -EINVAL, "the %s %s is not a regular file", log->what,
			show(&shown, log->path));
	return error_sys(err, code, "cannot open the %s %s", log->what, show(&shown, log->path));
}

/* O_NONBLOCK against a FIFO and a lease. */
static int flags_of(const struct logfile *log)
{
	return (log->is_read ? O_RDWR : O_WRONLY) | O_APPEND | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY |
	       O_CLOEXEC;
}

/* The file in its checked folder, made where it is missing. */
static int open_in_folder(const struct logfile *log, struct error *err)
{
	const char *slash = strrchr(log->path, '/');
	int dir = open_folder(log, err), fd;

	if (dir < 0)
		return dir;
	fd = openat(dir, slash ? slash + 1 : log->path, flags_of(log) | O_CREAT,
		geteuid() == 0 ? 0640 : 0600);
	if (fd < 0)
		fd = cannot_open(log, -errno, err);
	close(dir);
	return fd;
}

static int try_open(const struct logfile *log, struct stat *st, struct error *err)
{
	int fd = log->is_strict ? -1 : open(log->path, flags_of(log)), result;

	if (fd < 0 && !log->is_strict && errno != ENOENT)
		return cannot_open(log, -errno, err);
	if (fd < 0)
		fd = open_in_folder(log, err);
	if (fd < 0)
		return fd;
	result = check_file(log, fd, st, err);
	if (result < 0) {
		close(fd);
		return result;
	}
	return fd;
}

int logfile_open(const struct logfile *log, struct stat *st, struct error *err)
{
	int fd = try_open(log, st, err);

	/* It was rotated away between two calls: the next one is there, or can be made. */
	return fd == -ESTALE ? try_open(log, st, err) : fd;
}

char *logfile_usual_path(const char *name)
{
	const char *state = getenv("XDG_STATE_HOME");
	const char *home = getenv("HOME");
	char *path;
	int len;

	if (geteuid() == 0)
		len = asprintf(&path, "%s/log/locktop/%s", LOCKTOP_LOCALSTATEDIR, name);
	/* A relative one is invalid and to be ignored (XDG Base Directory Specification). */
	else if (state && state[0] == '/')
		len = asprintf(&path, "%s/locktop/%s", state, name);
	else
		len = asprintf(&path, "%s/.local/state/locktop/%s",
			home && home[0] == '/' ? home : "", name);
	return len < 0 ? NULL : path;
}

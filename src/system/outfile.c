/* A file that is replaced as a whole. */
#include "config.h"

#include "system/outfile.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "system/draft.h"

/* The folder of the path, and in *name the rest. */
static int open_folder(const char *path, const char **name)
{
	const char *slash = strrchr(path, '/');
	char *folder = slash ? strndup(path, (size_t)(slash - path) + 1) : strdup(".");
	int dir;

	if (!folder)
		return -ENOMEM;
	*name = slash ? slash + 1 : path;
	dir = open(folder, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (dir < 0)
		dir = -errno;
	free(folder);
	return dir;
}

static int check_place(int dir, const char *name)
{
	struct stat st;

	if (!*name)
		return -EISDIR;
	if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return errno == ENOENT ? 0 : -errno;
	return S_ISREG(st.st_mode) ? 0 : -EEXIST;
}

static int write_all(int fd, const char *data, size_t len)
{
	while (len) {
		ssize_t n = write(fd, data, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		data += n;
		len -= (size_t)n;
	}
	return 0;
}

static int replace(int dir, const char *name, const char *data, size_t len, mode_t mode)
{
	struct draft draft;
	int e = draft_open(&draft, NULL, dir, name, 0600);

	if (e < 0)
		return e;
	e = write_all(draft.fd, data, len);
	if (e == 0 && (fchmod(draft.fd, mode) < 0 || fsync(draft.fd) < 0))
		e = -errno;
	/* draft_publish() would not replace anything. */
	if (e == 0 && renameat(dir, draft.temp, dir, name) < 0)
		e = -errno;
	if (e == 0)
		draft.temp[0] = '\0';
	draft_drop(&draft);
	return e;
}

/* What ends this process shall not leave half a file behind; RLIMIT_FSIZE is an error like others.
 */
static int replace_undisturbed(int dir, const char *name, const char *data, size_t len, mode_t mode)
{
	static const int ending[] = {SIGTERM, SIGINT, SIGHUP, SIGALRM, SIGXFSZ};
	const struct timespec now = {0};
	sigset_t mask, old, size;
	int e;

	sigemptyset(&mask);
	for (size_t i = 0; i < sizeof ending / sizeof *ending; i++)
		sigaddset(&mask, ending[i]);
	sigprocmask(SIG_BLOCK, &mask, &old);
	e = replace(dir, name, data, len, mode);
	sigemptyset(&size);
	sigaddset(&size, SIGXFSZ);
	if (e == -EFBIG)
		sigtimedwait(&size, NULL, &now);
	sigprocmask(SIG_SETMASK, &old, NULL);
	return e;
}

int outfile_write(const char *path, const char *data, size_t len, mode_t mode, struct error *err)
{
	const char *name;
	int dir = open_folder(path, &name);
	int e = dir < 0 ? dir : check_place(dir, name);

	if (e == -EEXIST)
		e = error_set(
			err, e, "%s is there and is no regular file: it is not replaced", path);
	else if (e == -EISDIR)
		e = error_set(err, e, "%s is a folder, not the name of a file", path);
	else if (e < 0)
		e = error_sys(err, e, "cannot write %s", path);
	else if ((e = replace_undisturbed(dir, name, data, len, mode)) < 0)
		e = error_sys(err, e, "cannot write %s", path);
	if (dir >= 0)
		close(dir);
	return e;
}

/* The token of a detached lock, in the environment or in a file of mode 0600. */
#include "config.h"
#include "cli/token_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"

enum { DIGITS = 32 };

static bool is_token(const char *text, size_t len)
{
	return len == DIGITS && strspn(text, "0123456789abcdef") >= DIGITS;
}

/* Whatever else has that name is refused: what is read there could be another's trap. */
static int judge(const struct stat *st, const char *path, struct error *err)
{
	if (!S_ISREG(st->st_mode))
		return error_set(err, -EPERM, "the token file %s is no regular file", path);
	if (st->st_uid != geteuid())
		return error_set(err, -EPERM, "the token file %s belongs to uid %u, not to uid %u",
			path, st->st_uid, geteuid());
	if (st->st_mode & 077)
		return error_set(err, -EPERM,
			"others may read or write the token file %s (mode %04o): it has to be 0600",
			path, st->st_mode & 07777);
	return 0;
}

int token_file_check(const char *path, struct error *err)
{
	const char *slash = strrchr(path, '/');
	char *folder = strndup(path, slash ? (size_t)(slash - path) + 1 : 0);
	struct stat st;
	int e = 0;

	if (!folder)
		return error_sys(err, -ENOMEM, "cannot look at %s", path);
	if (lstat(path, &st) == 0)
		e = judge(&st, path, err);
	else if (errno != ENOENT)
		e = error_sys(err, -errno, "cannot write the token file %s", path);
	if (e == 0 && faccessat(AT_FDCWD, *folder ? folder : ".", W_OK | X_OK, AT_EACCESS) < 0)
		e = error_sys(err, -errno, "cannot write the token file %s", path);
	free(folder);
	return e;
}

static int write_all(int fd, const char *text, size_t len)
{
	while (len > 0) {
		ssize_t n = write(fd, text, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		text += n;
		len -= (size_t)n;
	}
	return 0;
}

static int publish(int fd, const char *made, const char *path, const char token[33])
{
	char line[DIGITS + 2];
	int len = snprintf(line, sizeof line, "%s\n", token);
	/* mkostemp(3) makes it 0600 already, but for an odd umask. */
	int e = fchmod(fd, 0600) < 0 ? -errno : write_all(fd, line, (size_t)len);

	if (close(fd) < 0 && e == 0)
		e = -errno;
	if (e == 0 && rename(made, path) < 0)
		e = -errno;
	return e;
}

int token_file_write(const char *path, const char token[33], struct error *err)
{
	char *made = NULL;
	int e = token_file_check(path, err);
	int fd;

	if (e < 0)
		return e;
	if (asprintf(&made, "%s.XXXXXX", path) < 0)
		return error_sys(err, -ENOMEM, "cannot write the token file %s", path);
	fd = mkostemp(made, O_CLOEXEC);
	if (fd < 0) {
		e = -errno;
	} else {
		e = publish(fd, made, path, token);
		if (e < 0)
			unlink(made);
	}
	free(made);
	return e < 0 ? error_sys(err, e, "cannot write the token file %s", path) : 0;
}

static ssize_t read_all(int fd, char *dst, size_t size)
{
	size_t have = 0;

	while (have < size) {
		ssize_t n = read(fd, dst + have, size - have);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (n == 0)
			break;
		have += (size_t)n;
	}
	return (ssize_t)have;
}

int token_file_read(const char *path, char token[33], struct error *err)
{
	int fd = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	char text[DIGITS + 2];
	struct stat st;
	ssize_t n;
	int e;

	if (fd < 0 && errno == ELOOP)
		return error_set(err, -EPERM, "the token file %s is a symbolic link", path);
	/* A FIFO without a writer opens; a socket does not. */
	if (fd < 0)
		return error_sys(err, -errno, "cannot read the token file %s", path);
	e = fstat(fd, &st) < 0 ? error_sys(err, -errno, "cannot read the token file %s", path)
			       : judge(&st, path, err);
	n = e == 0 ? read_all(fd, text, sizeof text) : 0;
	close(fd);
	if (e < 0)
		return e;
	if (n < 0)
		return error_sys(err, (int)n, "cannot read the token file %s", path);
	if (n > 0 && text[n - 1] == '\n')
		n--;
	if (!is_token(text, (size_t)n))
		return error_set(err, -EINVAL, "no token is in the token file %s", path);
	memcpy(token, text, DIGITS);
	token[DIGITS] = '\0';
	return 0;
}

int token_find(const char *path, char token[33], struct error *err)
{
	const char *text = path ? NULL : getenv("LOCKTOP_TOKEN");

	if (!path && !(text && *text))
		path = getenv("LOCKTOP_TOKEN_FILE");
	if (path && *path)
		return token_file_read(path, token, err);
	if (!text || !*text)
		return error_set(err, -EINVAL,
			"whose lock? LOCKTOP_TOKEN is not set, and no --token-file is named");
	if (!is_token(text, strlen(text)))
		return error_set(
			err, -EINVAL, "no token is in LOCKTOP_TOKEN: expected 32 hex digits");
	memcpy(token, text, DIGITS + 1);
	return 0;
}

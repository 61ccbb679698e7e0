/* The fence of a lock file: a counter beside it. */
#include "config.h"

#include "system/fence.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"

enum {
	DIGITS = 19,
	BOOT_DIGITS = 8,
	LINE = 2 * (DIGITS + 1) + BOOT_DIGITS + 1,
};

/* A number beyond this is not of a counter, but of a mistake. */
#define NUMBER_MAX (INT64_MAX - 2 * FENCE_STRIDE)

struct counter {
	int64_t next, ceiling;
	char boot[BOOT_DIGITS + 1];
};

static const char unknown_boot[] = "--------";

static int file_name(char *dst, size_t size, const char *name, struct error *err)
{
	int n = snprintf(dst, size, ".%s.fence", name);

	if (n < 0 || (size_t)n >= size)
		return error_sys(err, -ENAMETOOLONG, "no fence for %s", name);
	return 0;
}

static bool to_number(const char *text, int64_t *number)
{
	*number = 0;
	for (int i = 0; i < DIGITS; i++) {
		if (text[i] < '0' || text[i] > '9')
			return false;
		/* 19 digits may be more than fits. */
		if (*number > NUMBER_MAX / 10)
			return false;
		*number = *number * 10 + (text[i] - '0');
	}
	return *number > 0 && *number <= NUMBER_MAX;
}

static bool parse(struct counter *counter, const char *line, size_t len)
{
	if (len != LINE || line[DIGITS] != ' ' || line[2 * DIGITS + 1] != ' ' ||
		line[LINE - 1] != '\n')
		return false;
	if (!to_number(line, &counter->next) || !to_number(line + DIGITS + 1, &counter->ceiling))
		return false;
	if (strspn(line + 2 * (DIGITS + 1), "0123456789abcdef-") != BOOT_DIGITS)
		return false;
	memcpy(counter->boot, line + 2 * (DIGITS + 1), BOOT_DIGITS);
	counter->boot[BOOT_DIGITS] = '\0';
	return true;
}

static int read_counter(int fd, const char *file, struct counter *counter, struct error *err)
{
	char line[LINE + 1];
	ssize_t n;

	/* In one piece, as it is written: a fence costs a lock no call more than it must. */
	do
		n = pread(fd, line, sizeof line, 0);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return error_sys(err, -errno, "cannot read the fence %s", file);
	/* Who made it got no further: the first line is synced before a number is given out. */
	if (n == 0)
		*counter = (struct counter){.next = 1};
	else if (!parse(counter, line, (size_t)n))
		return error_set(err, -EINVAL,
			"the fence %s holds no counter: it has to be put right or removed by hand",
			file);
	return 0;
}

static int write_counter(int fd, const char *file, const struct counter *counter, struct error *err)
{
	char line[LINE + 1];
	ssize_t n;

	snprintf(line, sizeof line, "%019" PRId64 " %019" PRId64 " %8.8s\n", counter->next,
		counter->ceiling, counter->boot);
	do
		n = pwrite(fd, line, LINE, 0);
	while (n < 0 && errno == EINTR);
	if (n != LINE)
		return error_sys(err, n < 0 ? -errno : -ENOSPC, "cannot write the fence %s", file);
	return 0;
}

static int sync_file(int fd, const char *file, struct error *err)
{
	return fdatasync(fd) < 0 ? error_sys(err, -errno, "cannot sync the fence %s", file) : 0;
}

static void sync_folder(int dir)
{
	int fd = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	/* Where folders cannot be synced, or read, there is nothing better to be had. */
	if (fd < 0)
		return;
	fsync(fd);
	close(fd);
}

/* With everything up to `next` given out. */
static void advance(struct counter *counter, int64_t next, const char *boot)
{
	counter->next = next;
	counter->ceiling = next + FENCE_STRIDE;
	snprintf(counter->boot, sizeof counter->boot, "%s", *boot ? boot : unknown_boot);
}

static int take(int fd, const char *file, const char *boot, int64_t *fence, struct error *err)
{
	struct counter counter = {0};
	bool is_ahead;
	int64_t number;
	int result = read_counter(fd, file, &counter, err);

	if (result < 0)
		return result;
	number = counter.next;
	/* What was given out before the machine went down may not have reached the disk. */
	if ((!*boot || strcmp(counter.boot, boot) != 0) && counter.ceiling > number)
		number = counter.ceiling;
	is_ahead = *boot && strcmp(counter.boot, boot) == 0 && number < counter.ceiling;
	if (is_ahead)
		counter.next = number + 1;
	else
		advance(&counter, number + 1, boot);
	result = write_counter(fd, file, &counter, err);
	if (result == 0 && !is_ahead)
		result = sync_file(fd, file, err);
	if (result == 0)
		*fence = number;
	return result;
}

static int open_fence(int dir, const char *file, int flags, mode_t mode)
{
	int fd;

	do
		fd = openat(
			dir, file, flags | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC, mode);
	while (fd < 0 && errno == EINTR);
	return fd < 0 ? -errno : fd;
}

int fence_next(
	int dir, const char *name, const char *boot, mode_t mode, int64_t *fence, struct error *err)
{
	char file[NAME_MAX + 1];
	int result = file_name(file, sizeof file, name, err);
	bool is_new;
	int fd;

	if (result < 0)
		return result;
	fd = open_fence(dir, file, O_RDWR, 0);
	is_new = fd == -ENOENT;
	if (is_new)
		fd = open_fence(dir, file, O_RDWR | O_CREAT | O_EXCL, mode);
	if (fd < 0)
		return error_sys(err, fd, "cannot open the fence %s", file);
	result = take(fd, file, boot, fence, err);
	close(fd);
	if (is_new && result == 0)
		sync_folder(dir);
	return result;
}

int fence_last(int dir, const char *name, int64_t *fence, struct error *err)
{
	char file[NAME_MAX + 1];
	struct counter counter;
	int result = file_name(file, sizeof file, name, err);
	int fd;

	if (result < 0)
		return result;
	fd = open_fence(dir, file, O_RDONLY, 0);
	if (fd == -ENOENT) {
		*fence = 0;
		return 0;
	}
	if (fd < 0)
		return error_sys(err, fd, "cannot open the fence %s", file);
	result = read_counter(fd, file, &counter, err);
	close(fd);
	if (result == 0)
		*fence = counter.next - 1;
	return result;
}

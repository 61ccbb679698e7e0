#include "config.h"

#include "system/world.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/vfs.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"

/* The first buffer of world_read_all(): /proc/locks of a thousand locks fits. */
enum { READ_ALL_FIRST = 64 * 1024 };

static bool is_procfs(int fd)
{
	struct statfs fs;

	return fstatfs(fd, &fs) == 0 && fs.f_type == PROC_SUPER_MAGIC;
}

int world_open(struct world *world, const char *root, const struct clock *clock, struct error *err)
{
	bool is_real = !root || strcmp(root, "/") == 0;
	char path[4096];
	int len = snprintf(path, sizeof path, "%s/proc", is_real ? "" : root);
	int fd;

	if (len < 0 || (size_t)len >= sizeof path)
		return error_sys(err, -ENAMETOOLONG, "cannot open proc under %s", root);
	fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return error_sys(err, -errno, "cannot open %s", path);
	if (is_real && !is_procfs(fd)) {
		close(fd);
		return error_set(err, -ENODEV,
			"nothing is mounted on /proc: processes and locks cannot be seen");
	}
	*world = (struct world){.proc = fd, .is_real = is_real, .clock = clock};
	return 0;
}

void world_close(struct world *world)
{
	if (world->proc >= 0)
		close(world->proc);
	world->proc = -1;
}

static int open_at(int dir, const char *path, int flags)
{
	int fd;

	/* An absolute path would leave a recorded tree without a word. */
	assert(path[0] != '/');
	if (dir < 0)
		return -ENOENT;
	do
		fd = openat(dir, path, flags | O_CLOEXEC | O_NOCTTY);
	while (fd < 0 && errno == EINTR);
	return fd < 0 ? -errno : fd;
}

int world_openat(const struct world *world, const char *path, int flags)
{
	return open_at(world->proc, path, flags);
}

/* One read(2). */
static ssize_t read_once(int fd, char *dst, size_t size)
{
	ssize_t n;

	do
		n = read(fd, dst, size);
	while (n < 0 && errno == EINTR);
	return n < 0 ? -errno : n;
}

ssize_t world_read_at(int dir, const char *path, char *dst, size_t size)
{
	int fd = open_at(dir, path, O_RDONLY);
	size_t len = 0;
	ssize_t n = 0;

	assert(size > 0);
	if (fd < 0)
		return fd;
	while (len < size - 1 && (n = read_once(fd, dst + len, size - 1 - len)) > 0)
		len += (size_t)n;
	close(fd);
	if (n < 0)
		return n;
	dst[len] = '\0';
	return (ssize_t)len;
}

ssize_t world_read(const struct world *world, const char *path, char *dst, size_t size)
{
	return world_read_at(world->proc, path, dst, size);
}

/* Reads fd to its end into *data, which grows. */
static ssize_t read_to_end(int fd, char **data, unsigned int *reads)
{
	size_t size = READ_ALL_FIRST, len = 0;
	ssize_t n;

	*data = malloc(size);
	if (!*data)
		return -ENOMEM;
	while ((n = read_once(fd, *data + len, size - 1 - len)) > 0) {
		len += (size_t)n;
		++*reads;
		if (size - 1 - len < size / 4) {
			char *more = realloc(*data, size * 2);

			if (!more)
				return -ENOMEM;
			*data = more;
			size *= 2;
		}
	}
	(*data)[len] = '\0';
	return n < 0 ? n : (ssize_t)len;
}

ssize_t world_read_all(
	const struct world *world, const char *path, char **data, unsigned int *reads)
{
	int fd = world_openat(world, path, O_RDONLY);
	unsigned int count = 0;
	char *all;
	ssize_t n;

	if (fd < 0)
		return fd;
	n = read_to_end(fd, &all, &count);
	close(fd);
	if (n < 0) {
		free(all);
		return n;
	}
	*data = all;
	if (reads)
		*reads = count;
	return n;
}

ssize_t world_link(const struct world *world, const char *path, char *dst, size_t size)
{
	ssize_t n;

	assert(path[0] != '/' && size > 0);
	if (world->proc < 0)
		return -ENOENT;
	n = readlinkat(world->proc, path, dst, size - 1);
	if (n < 0)
		return -errno;
	dst[n] = '\0';
	return n;
}

int64_t world_step_between(wall_t witness, wall_t boot)
{
	/* Made some seconds after the boot, or much later in a container: that says nothing. */
	enum { FUZZ_S = 5 };

	return boot - witness > FUZZ_S * NS_PER_S ? boot - witness : 0;
}

int64_t world_step_since_boot(const struct world *world)
{
	struct stat st;

	if (!world->is_real || stat("/dev/null", &st) < 0)
		return 0;
	/* The machine's own clocks, as the witness is the machine's. */
	return world_step_between(st.st_ctim.tv_sec * NS_PER_S + st.st_ctim.tv_nsec,
		clock_wall(&clock_system) - clock_mono(&clock_system));
}

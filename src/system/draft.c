/* A file that nobody sees before it is complete. */
#include "config.h"

#include "system/draft.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

static int open_nameless(struct draft *draft, mode_t mode)
{
	draft->temp[0] = '\0';
	draft->fd = openat(draft->dir, ".", O_TMPFILE | O_RDWR | O_CLOEXEC, mode);
	return draft->fd < 0 ? -errno : 0;
}

static int open_named(struct draft *draft, const char *name, mode_t mode)
{
	int flags = O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC;
	uint64_t number;
	int n;

	do {
		if (getrandom(&number, sizeof number, 0) != (ssize_t)sizeof number)
			return -errno;
		n = snprintf(draft->temp, sizeof draft->temp, ".%s.%d.%016" PRIx64, name,
			(int)getpid(), number);
		/* A long name: the number alone will do. */
		if (n < 0 || (size_t)n >= sizeof draft->temp)
			snprintf(draft->temp, sizeof draft->temp, ".%d.%016" PRIx64, (int)getpid(),
				number);
		draft->fd = openat(draft->dir, draft->temp, flags, mode);
	} while (draft->fd < 0 && errno == EEXIST);
	return draft->fd < 0 ? -errno : 0;
}

int draft_open(
	struct draft *draft, const struct world *world, int dir, const char *name, mode_t mode)
{
	int result = -EOPNOTSUPP;

	*draft = (struct draft){.fd = -1, .dir = dir};
	if (world)
		result = open_nameless(draft, mode);
	/* Kernels before 3.11 see only O_DIRECTORY in O_TMPFILE (open(2)). */
	if (result == -EOPNOTSUPP || result == -EISDIR || result == -ENOENT)
		result = open_named(draft, name, mode);
	return result;
}

static int publish_nameless(const struct draft *draft, const struct world *world, const char *name)
{
	char self[32];

	/* AT_EMPTY_PATH needs CAP_DAC_READ_SEARCH. */
	snprintf(self, sizeof self, "self/fd/%d", draft->fd);
	return linkat(world->proc, self, draft->dir, name, AT_SYMLINK_FOLLOW) < 0 ? -errno : 0;
}

static int publish_named(struct draft *draft, const char *name)
{
	/* With link(2) it has two names for a moment, and a lock file with two is refused. */
	if (renameat2(draft->dir, draft->temp, draft->dir, name, RENAME_NOREPLACE) == 0) {
		draft->temp[0] = '\0';
		return 0;
	}
	if (errno != EINVAL && errno != ENOSYS)
		return -errno;
	if (linkat(draft->dir, draft->temp, draft->dir, name, 0) < 0)
		return -errno;
	unlinkat(draft->dir, draft->temp, 0);
	draft->temp[0] = '\0';
	return 0;
}

int draft_publish(struct draft *draft, const struct world *world, const char *name)
{
	return draft->temp[0] ? publish_named(draft, name) : publish_nameless(draft, world, name);
}

void draft_drop(struct draft *draft)
{
	if (draft->temp[0])
		unlinkat(draft->dir, draft->temp, 0);
	if (draft->fd >= 0)
		close(draft->fd);
	*draft = (struct draft){.fd = -1, .dir = -1};
}

/* The providers of lock files: LT1, and a plain flock(2). */
#include "config.h"

#include "backends/provider.h"

#include <errno.h>
#include <stdlib.h>

#include "backends/file_lt1.h"
#include "base/error.h"

static const char *const no_params[] = {NULL};

static int open_file(
	void **state, const struct world *world, const struct uri *address, struct error *err)
{
	struct lt1 *lt1;
	int result = uri_only(address, no_params, err);

	if (result < 0)
		return result;
	lt1 = malloc(sizeof *lt1);
	if (!lt1)
		return error_sys(err, -ENOMEM, "cannot take a lock in %s", address->path);
	result = lt1_open(lt1, world, address->path, err);
	if (result < 0) {
		free(lt1);
		return result;
	}
	*state = lt1;
	return 0;
}

static int open_flock(
	void **state, const struct world *world, const struct uri *address, struct error *err)
{
	int result = open_file(state, world, address, err);

	if (result == 0)
		((struct lt1 *)*state)->writes_no_record = true;
	return result;
}

static void close_file(void *state)
{
	lt1_close(state);
	free(state);
}

static int acquire(void *state, const struct claim *claim, const struct patience *patience,
	struct taking *taking, struct error *err)
{
	return lt1_acquire(state, claim, patience, taking, err);
}

static int renew(void *state, const struct claim *claim, struct error *err)
{
	return lt1_renew(state, claim, err);
}

static int verify(void *state, const struct claim *claim, struct error *err)
{
	return lt1_verify(state, claim, err);
}

static int give_back(void *state, const struct claim *claim, struct error *err)
{
	return lt1_give_back(state, claim, err);
}

static void who(void *state, struct occupant *occupant)
{
	lt1_who(state, occupant);
}

static int fence(void *state, int64_t *last, struct error *err)
{
	return lt1_fence(state, last, err);
}

static int descriptor(void *state)
{
	return ((struct lt1 *)state)->fd;
}

static const char *path(void *state)
{
	return ((struct lt1 *)state)->path;
}

const struct provider provider_file = {
	.scheme = "file",
	.help = "a lock file with a record, held under flock(2) or detached",
	.params = no_params,
	.class = LOCK_CLASS_KERNEL,
	.can = PROVIDER_QUEUES | PROVIDER_RENEWS | PROVIDER_FENCES | PROVIDER_DETACHES |
	       PROVIDER_INHERITS,
	.open = open_file,
	.close = close_file,
	.acquire = acquire,
	.renew = renew,
	.verify = verify,
	.give_back = give_back,
	.who = who,
	.fence = fence,
	.descriptor = descriptor,
	.path = path,
};

const struct provider provider_flock = {
	.scheme = "flock",
	.help = "flock(2) alone, as flock(1) takes it; the file's content is not touched",
	.params = no_params,
	.class = LOCK_CLASS_KERNEL,
	.can = PROVIDER_QUEUES | PROVIDER_INHERITS,
	.open = open_flock,
	.close = close_file,
	.acquire = acquire,
	.renew = renew,
	.verify = verify,
	.give_back = give_back,
	.who = who,
	.descriptor = descriptor,
	.path = path,
};

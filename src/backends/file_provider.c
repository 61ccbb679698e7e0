/* The providers of lock files: LT1, and a plain flock(2). */
#include "config.h"
#include "backends/provider.h"

#include <errno.h>

#include "base/error.h"

static int no_open(
	void **state, const struct world *world, const struct uri *address, struct error *err)
{
	(void)state, (void)world, (void)address;
	return error_sys(err, -ENOSYS, "cannot take lock files");
}

const struct provider provider_file = {
	.scheme = "file", .help = "a lock file, LT1", .open = no_open};
const struct provider provider_flock = {.scheme = "flock", .help = "flock(2)", .open = no_open};

/* LT1, the protocol of a lock file. */
#include "config.h"
#include "backends/file_lt1.h"

#include <errno.h>

#include "base/error.h"

int lt1_open(struct lt1 *lt1, const struct world *world, const char *path, struct error *err)
{
	(void)lt1, (void)world, (void)path;
	return error_sys(err, -ENOSYS, "cannot take lock files");
}

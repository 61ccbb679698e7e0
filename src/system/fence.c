/* The fence of a lock file. */
#include "config.h"
#include "system/fence.h"

#include <errno.h>

#include "base/error.h"

int fence_next(
	int dir, const char *name, const char *boot, mode_t mode, int64_t *fence, struct error *err)
{
	(void)dir, (void)name, (void)boot, (void)mode, (void)fence;
	return error_sys(err, -ENOSYS, "no fence");
}

int fence_last(int dir, const char *name, int64_t *fence, struct error *err)
{
	(void)dir, (void)name, (void)fence;
	return error_sys(err, -ENOSYS, "no fence");
}

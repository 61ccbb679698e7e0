/* A hold: one lock, or several taken as one. */
#include "config.h"
#include "lib/hold.h"

#include <errno.h>

#include "base/error.h"

int hold_open(struct hold **hold, const struct hold_options *options, struct error *err)
{
	(void)hold, (void)options;
	return error_sys(err, -ENOSYS, "cannot take locks");
}

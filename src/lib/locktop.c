/* liblocktop. */
#include "config.h"
#include "lib/locktop.h"

#include <errno.h>

const char *locktop_version(void)
{
	return PACKAGE_VERSION;
}

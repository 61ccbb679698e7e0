/* Writes one flat JSON object as a line. */
#include "config.h"
#include "base/jsonw.h"

#include <errno.h>

void jsonw_begin(struct jsonw *json, char *dst, size_t size)
{
	*json = (struct jsonw){dst, size, 0, true};
}

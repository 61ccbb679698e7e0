/* All backends that are built in. */
#include "config.h"

#include "backends/backend.h"

#include <errno.h>
#include <string.h>

#include "base/buf.h"
#include "base/error.h"

const struct backend *const backends[] = {
	&backend_file, &backend_kernel, &backend_log, &backend_replay, NULL};

const struct backend *backend_for(const struct uri *uri, struct error *err)
{
	struct buf names = {0};

	for (size_t i = 0; backends[i]; i++)
		if (strcmp(backends[i]->scheme, uri->scheme) == 0)
			return backends[i];
	for (size_t i = 0; backends[i]; i++)
		buf_addf(&names, "%s%s", i ? ", " : "", backends[i]->scheme);
	error_set(err, -EINVAL, "no backend '%s', there are %s", uri->scheme, buf_text(&names));
	buf_release(&names);
	return NULL;
}

/* Where the configuration is: also for programs that cannot read it. */
#include "config.h"
#include "engine/settings.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

const char *settings_system_path(void)
{
	return LOCKTOP_SYSCONFDIR "/locktop.conf";
}

char *settings_user_path(int *result)
{
	const char *config = getenv("XDG_CONFIG_HOME"), *home = getenv("HOME");
	char *path = NULL;
	int n = 0;

	/* The XDG specification: a relative path is to be ignored. */
	if (config && config[0] == '/')
		n = asprintf(&path, "%s/locktop/locktop.conf", config);
	else if (home && home[0] == '/')
		n = asprintf(&path, "%s/.config/locktop/locktop.conf", home);
	*result = n < 0 ? -ENOMEM : 0;
	return n > 0 ? path : NULL;
}

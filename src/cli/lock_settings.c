/* What the configuration says about the commands that take locks. */
#include "config.h"
#include "cli/lock_options.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "engine/settings.h"

int lock_settings_read(struct lock_settings *lock, const char *only, struct error *err)
{
	struct settings settings = {0};
	int result = settings_read(&settings, only, err);

	if (result < 0)
		return result;
	*lock = (struct lock_settings){
		.default_source = settings.default_source,
		.metrics = settings.metrics,
		.tidy = settings.tidy,
	};
	settings.default_source = settings.metrics = NULL;
	settings_release(&settings);
	return 0;
}

void lock_settings_release(struct lock_settings *settings)
{
	free(settings->default_source);
	free(settings->metrics);
	*settings = (struct lock_settings){0};
}

bool lock_settings_are_all(void)
{
	return true;
}

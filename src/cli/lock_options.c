/* What the commands that take locks share. */
#include "config.h"
#include "cli/lock_options.h"

#include "cli/cli.h"

static error_t parse_common(int key, char *arg, struct argp_state *state)
{
	(void)key, (void)arg, (void)state;
	return ARGP_ERR_UNKNOWN;
}

const struct argp lock_common_argp = {NULL, parse_common, NULL, NULL, NULL, NULL, NULL};

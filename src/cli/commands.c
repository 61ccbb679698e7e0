/* The list of subcommands of the large program. */
#include "config.h"
#include "cli/cli.h"

const struct command *const commands[] = {
#define _(name) &command_##name,
	COMMANDS(_) LOCK_COMMANDS(_)
#undef _
		NULL,
};

/* The list of subcommands, and how they complain. */
#include "config.h"
#include "cli/cli.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

const struct command *const commands[] = {
#define _(name) &command_##name,
	COMMANDS(_)
#undef _
		NULL,
};

int cli_fail(const char *name, int code, const char *format, ...)
{
	va_list args;

	fflush(stdout);
	fprintf(stderr, "%s: ", name);
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fputc('\n', stderr);
	return code;
}

int cli_exit_code(int error)
{
	switch (error) {
	case 0: return EXIT_DONE;
	case -EINVAL: return EXIT_USAGE;
	case -ENOMEM: return EXIT_SOFTWARE;
	case -EPERM:
	case -EACCES: return EXIT_REFUSED;
	default: return EXIT_UNREACHABLE;
	}
}

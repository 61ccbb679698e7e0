/* The list of subcommands, and how they complain. */
#include "config.h"
#include "cli/cli.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

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

const char *cli_program(char *dst, size_t size)
{
	static const char self[] = "/proc/self/exe";
	ssize_t n = readlink(self, dst, size - 1);
	struct stat there, running;

	if (n <= 0 || (size_t)n >= size - 1)
		return self;
	dst[n] = '\0';
	/* After an upgrade the path is another program, or gone: "… (deleted)". */
	if (stat(dst, &there) < 0 || stat(self, &running) < 0 || there.st_dev != running.st_dev ||
		there.st_ino != running.st_ino)
		return self;
	return dst;
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

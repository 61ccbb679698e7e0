/* What every command needs, of the small program too: complaints, exit codes, options. */
#include "config.h"
#include "cli/cli.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

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

bool cli_is_check(const char *argv0)
{
	const char *slash = argv0 ? strrchr(argv0, '/') : NULL;

	return argv0 && strcmp(slash ? slash + 1 : argv0, "check_locktop") == 0;
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

const char *cli_front_program(char *dst, size_t size)
{
	static const char all[] = "/libexec/locktop", front[] = "/locktop";
	size_t len, tail = sizeof all - 1;

	/* BUILD/libexec/locktop is this one, BUILD/locktop the small one. */
	if (cli_program(dst, size) != dst)
		return LOCKTOP_BINDIR "/locktop";
	len = strlen(dst);
	if (strcmp(dst, LOCKTOP_LIBEXECDIR "/locktop") == 0 || len < tail ||
		strcmp(dst + len - tail, all) != 0)
		return LOCKTOP_BINDIR "/locktop";
	memcpy(dst + len - tail, front, sizeof front);
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

void options_address(const char **address, char *arg, struct argp_state *state)
{
	if (!arg)
		argp_error(state, "which lock? See locktop ls --format=ids");
	if (*address)
		argp_error(state, "one lock at a time; '%s' is one too many", arg);
	*address = arg;
}

int options_parse(
	const struct argp *argp, int argc, char **argv, unsigned int flags, int *next, void *input)
{
	argp_err_exit_status = EXIT_USAGE;
	return argp_parse(argp, argc, argv, flags, next, input);
}

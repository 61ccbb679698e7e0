/*
 * The command line: one const struct a subcommand, and what they all share.
 */
#ifndef LOCKTOP_CLI_CLI_H
#define LOCKTOP_CLI_CLI_H

#include "cli/options.h"

/* sysexits(3) and our own; design section 9 and the manual pages have the same list. */
enum {
	EXIT_DONE = 0,
	EXIT_REFUSED = 1,      /* refused or not done, said why */
	EXIT_USAGE = 64,       /* wrong option, URI or configuration */
	EXIT_UNREACHABLE = 69, /* a source does not answer */
	EXIT_SOFTWARE = 70,    /* out of memory, or our own mistake */
};

struct command {
	const char *name;
	const char *summary;     /* one line; NULL: not listed in --help */
	const struct argp *argp; /* its options; common_argp is a child of it */
	/* argv[0] is "locktop NAME". Returns the exit code. */
	int (*run)(const struct command *command, int argc, char **argv);
};

/* id of the function and its const struct */
#define COMMANDS(_) \
	_(monitor)  \
	_(ls)       \
	_(status)   \
	_(release)  \
	_(signal)   \
	_(clean)    \
	_(report)   \
	_(compare)  \
	_(watch)    \
	_(export)   \
	_(check)    \
	_(source)   \
	_(demo) _(demo_worker) _(words)
/* Those that the small program does itself, too (lock_options.h). */
#define LOCK_COMMANDS(_) _(run) _(acquire) _(renew) _(verify) _(give_back) _(fence_check)

#define _(name) extern const struct command command_##name;
COMMANDS(_)
LOCK_COMMANDS(_)
#undef _

/* All of them, NULL-terminated; the first one is the monitor, which needs no name. */
extern const struct command *const commands[];

/* Was the program started as check_locktop, the plugin, which has no subcommands? */
bool cli_is_check(const char *argv0);
/* Prints "NAME: sentence" to stderr and returns code. */
int cli_fail(const char *name, int code, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
/*
 * Path of this program, to start it again: its real name, so that ps(1) and top(1) show that,
 * or /proc/self/exe when it was replaced or removed meanwhile.
 */
const char *cli_program(char *dst, size_t size);
/* Path of the small program, which takes locks: beside a build's, else where it was installed. */
const char *cli_front_program(char *dst, size_t size);
/* The exit code for an -errno of a source or setting: 64, 69, 70 or 1. */
int cli_exit_code(int error);

#endif

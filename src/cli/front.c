/*
 * The program that everybody calls, small: it takes locks itself, for each library that it would
 * link costs more at its start than all that it does. For the rest it executes the large program.
 */
#include "config.h"

#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "cli/cli.h"
#include "cli/lock_options.h"
#include "engine/settings.h"

static const struct command *const lock_commands[] = {
#define _(name) &command_##name,
	LOCK_COMMANDS(_)
#undef _
		NULL,
};

static const struct command *find(const char *name)
{
	for (const struct command *const *c = lock_commands; *c; c++)
		if (strcmp((*c)->name, name) == 0)
			return *c;
	return NULL;
}

/* Where the large program is: beside this one in a build tree, else where it was installed. */
static int execute_all(char **argv)
{
	char self[PATH_MAX], beside[PATH_MAX + 32];
	ssize_t n = readlink("/proc/self/exe", self, sizeof self - 1);
	char *slash;

	if (n > 0) {
		self[n] = '\0';
		slash = strrchr(self, '/');
		if (slash)
			*slash = '\0';
		/* Installed, nothing but what was installed with it is executed. */
		if (strcmp(self, LOCKTOP_BINDIR) != 0) {
			snprintf(beside, sizeof beside, "%s/libexec/locktop", self);
			execv(beside, argv);
		}
	}
	execv(LOCKTOP_LIBEXECDIR "/locktop", argv);
	return cli_fail("locktop", EXIT_SOFTWARE, "cannot execute %s/locktop: %s",
		LOCKTOP_LIBEXECDIR, strerror(errno));
}

/* A file that is there has to be read, and only the large program can. */
static bool is_there(const char *path)
{
	return access(path, F_OK) == 0 || (errno != ENOENT && errno != ENOTDIR);
}

int lock_settings_read(struct lock_settings *settings, const char *only, struct error *err)
{
	int result;
	char *user = settings_user_path(&result);
	bool is_needed = only || is_there(settings_system_path()) || (user && is_there(user));

	free(user);
	*settings = (struct lock_settings){0};
	if (result < 0)
		return error_sys(err, result, "cannot look for the configuration");
	return is_needed ? error_sys(err, -ENOSYS, "a configuration has to be read") : 0;
}

bool lock_settings_are_all(void)
{
	return false;
}

void lock_settings_release(struct lock_settings *settings)
{
	*settings = (struct lock_settings){0};
}

int main(int argc, char **argv)
{
	const bool is_check = cli_is_check(argv[0]);
	const struct command *command = argc > 1 && !is_check ? find(argv[1]) : NULL;
	char **copy = calloc((size_t)argc + 1, sizeof *copy);
	char title[64];
	int code;

	if (!command || !copy)
		return execute_all(argv);
	memcpy(copy, argv, (size_t)argc * sizeof *copy);
	snprintf(title, sizeof title, "locktop %s", command->name);
	argv[1] = title;
	code = command->run(command, argc - 1, argv + 1);
	if (code == EXIT_NEEDS_ALL)
		code = execute_all(copy);
	free(copy);
	return code;
}

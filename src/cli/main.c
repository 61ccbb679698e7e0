/* The program: finds the subcommand and runs it. Without one it is the monitor. */
#include "config.h"

#include <locale.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "backends/backend.h"
#include "cli/cli.h"

static void print_version(FILE *stream, struct argp_state *state)
{
	(void)state;
	fprintf(stream, "%s\n", PACKAGE_STRING);
	fputs("Sources built in:\n", stream);
	for (const struct backend *const *b = backends; *b; b++)
		fprintf(stream, "  %-12s %s\n", (*b)->scheme, (*b)->help);
	fprintf(stream, "  %-12s %s\n", "ssh",
		"any of these on another host, where locktop is installed");
}

static const struct command *find(const char *name)
{
	for (const struct command *const *c = commands; *c; c++)
		if (strcmp((*c)->name, name) == 0)
			return *c;
	return NULL;
}

/* Which argument is the first that is no option? The monitor's table knows which take values. */
static error_t stop_at_word(int key, char *arg, struct argp_state *state)
{
	(void)arg;
	if (key == ARGP_KEY_ARG) {
		*(int *)state->input = state->next - 1;
		state->next = state->argc;
	}
	return 0;
}

/* Behind those that are there, with a zeroed one at the end. */
static void add_options(struct argp_option *options, size_t size, const struct argp *from)
{
	size_t n = 0;

	while (options[n].name)
		n++;
	for (const struct argp_option *o = from->options; o->name || o->doc; o++)
		if (o->name && n + 1 < size)
			options[n++] = *o;
	for (const struct argp_child *child = from->children; child && child->argp; child++)
		add_options(options, size, child->argp);
}

static int first_word(int argc, char **argv)
{
	static struct argp_option options[64];
	struct argp argp = {options, stop_at_word, NULL, NULL, NULL, NULL, NULL};
	int found = argc;
	char **copy = calloc((size_t)argc + 1, sizeof *copy); /* argp may reorder it */

	if (!copy)
		return argc;
	add_options(options, sizeof options / sizeof *options, command_monitor.argp);
	memcpy(copy, argv, (size_t)argc * sizeof *copy);
	argp_parse(&argp, argc, copy, ARGP_IN_ORDER | ARGP_SILENT, NULL, &found);
	free(copy);
	return found;
}

int main(int argc, char **argv)
{
	const struct command *command;
	char title[64];
	int word;

	/* Not LC_NUMERIC: numbers in CSV and --batch keep their point. */
	setlocale(LC_CTYPE, "");
	setlocale(LC_TIME, "C");
	argp_program_version_hook = print_version;
	argp_program_bug_address = NULL;

	if (cli_is_check(argv[0])) {
		signal(SIGPIPE, SIG_IGN);
		return command_check.run(&command_check, argc, argv);
	}
	word = first_word(argc, argv);
	command = word < argc ? find(argv[word]) : NULL;
	/* What run starts shall have its signals as we got them. */
	if (command != &command_run)
		signal(SIGPIPE, SIG_IGN);
	if (!command)
		return command_monitor.run(&command_monitor, argc, argv);

	/* The options in front of the name belong to the command: move the name to argv[0]. */
	snprintf(title, sizeof title, "locktop %s", command->name);
	memmove(argv + 1 + 1, argv + 1, (size_t)(word - 1) * sizeof *argv);
	argv++;
	argv[0] = title;
	return command->run(command, argc - 1, argv);
}

/* The program's own lists, a word a line: completions and the tests of the manuals ask for them. */
#include "config.h"

#include <stdio.h>
#include <string.h>

#include "backends/backend.h"
#include "cli/cli.h"
#include "ui/keymap.h"

static void print_commands(void)
{
	for (const struct command *const *c = commands; *c; c++)
		if ((*c)->summary)
			printf("%s\t%s\n", (*c)->name, (*c)->summary);
}

static void print_options(void)
{
	for (const struct command *const *c = commands; *c; c++) {
		if (!(*c)->summary)
			continue;
		printf("[%s]\n", (*c)->name);
		options_print((*c)->argp);
	}
}

static void print_actions(void)
{
	for (int i = 0; i < ACTION_COUNT; i++)
		printf("%s\t%s\t%s\n", action_info[i].id, action_info[i].key, action_info[i].help);
}

static void print_fields(void)
{
	for (int i = 0; i < COLUMN_COUNT; i++)
		printf("%s\t%s\n", column_info[i].field, column_info[i].help);
}

static void print_states(void)
{
	for (int i = 0; i < STATE_COUNT; i++)
		printf("%s\t%s\n", state_word((enum state)i), state_help((enum state)i));
}

static void print_schemes(void)
{
	for (const struct backend *const *b = backends; *b; b++)
		printf("%s:\t%s\n", (*b)->scheme, (*b)->help);
	puts("ssh:\tany of these on another host");
}

static const struct {
	const char *name;
	void (*print)(void);
} lists[] = {
	{"commands", print_commands},
	{"options", print_options},
	{"actions", print_actions},
	{"fields", print_fields},
	{"states", print_states},
	{"schemes", print_schemes},
};

static const struct argp argp = {.args_doc = "LIST"};

static int run(const struct command *command, int argc, char **argv)
{
	(void)command;
	for (size_t i = 0; argc == 2 && i < sizeof lists / sizeof *lists; i++) {
		if (strcmp(argv[1], lists[i].name) == 0) {
			lists[i].print();
			return EXIT_DONE;
		}
	}
	return cli_fail(argv[0], EXIT_USAGE,
		"expected one of commands, options, actions, fields, states, schemes");
}

const struct command command_words = {.name = "words", .argp = &argp, .run = run};

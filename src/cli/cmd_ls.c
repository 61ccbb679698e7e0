/* `locktop ls`: every lock of some sources, once. */
#include "config.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "cli/cli.h"
#include "cli/listing.h"
#include "cli/session.h"

enum { OPT_FILTER = 0x2000, OPT_SORT, OPT_REVERSE, OPT_NO_HEADER, OPT_LIST_FIELDS };

struct ls_args {
	struct common common;
	struct log_options log;
	struct selection selection;
	bool no_header, lists_fields;
	char **sources;
	size_t n;
};

static const struct argp_option options[] = {
	{"filter", OPT_FILTER, "WORDS", 0, "only locks that match, as / in the monitor", 0},
	{"sort", OPT_SORT, "FIELD", 0, "order by a field, or by harm (name)", 0},
	{"reverse", OPT_REVERSE, NULL, 0, "the other way round", 0},
	{"no-header", OPT_NO_HEADER, NULL, 0, "no column titles in a table", 0},
	{"list-fields", OPT_LIST_FIELDS, NULL, 0, "print the fields that --fields knows", 0},
	{0},
};

static void parse_filter(struct ls_args *args, const char *text, struct argp_state *state)
{
	struct error err;

	if (strlen(text) >= sizeof args->selection.filter)
		argp_error(state, "the filter is longer than %zu bytes",
			sizeof args->selection.filter - 1);
	snprintf(args->selection.filter, sizeof args->selection.filter, "%s", text);
	if (selection_check(&args->selection, &err) < 0)
		argp_error(state, "%s", err.text);
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct ls_args *args = state->input;

	switch (key) {
	case ARGP_KEY_INIT:
		state->child_inputs[0] = &args->common;
		state->child_inputs[1] = &args->log;
		return 0;
	case OPT_FILTER: parse_filter(args, arg, state); return 0;
	case OPT_REVERSE: args->selection.is_reversed = true; return 0;
	case OPT_NO_HEADER: args->no_header = true; return 0;
	case OPT_LIST_FIELDS: args->lists_fields = true; return 0;
	case OPT_SORT:
		args->selection.sort = strcmp(arg, "harm") == 0 ? SORT_HARM : column_from_word(arg);
		if (args->selection.sort < 0 && strcmp(arg, "harm") != 0)
			argp_error(state, "no field '%s' to sort by, see --list-fields", arg);
		return 0;
	case ARGP_KEY_ARGS:
		args->sources = state->argv + state->next;
		args->n = (size_t)(state->argc - state->next);
		return 0;
	default: return ARGP_ERR_UNKNOWN;
	}
}

static const struct argp argp = {options, parse, "[SOURCE...]",
	"Lists the locks of the sources, of the configured ones, or of this host.",
	common_log_children, NULL, NULL};

static int list(const char *program, struct session *session, void *data)
{
	const struct ls_args *args = data;
	struct listing listing = {
		.format = args->common.format,
		.field = args->common.field,
		.fields = args->common.fields,
		.has_header = !args->no_header,
	};
	struct error err;
	int e = session_sources(session, args->sources, args->n, &err);

	if (e == 0 && session_wants_logs(&args->common, args->selection.sort, &args->log))
		e = session_logs(session, &args->log, &err);
	if (e < 0)
		return cli_fail(program, cli_exit_code(e), "%s", err.text);
	e = session_gather(session, 0);
	if (e == 0)
		e = listing_print(&listing, &session->model, &args->selection);
	if (e < 0 && e != -EPIPE)
		return cli_fail(program, cli_exit_code(e), "cannot print: %s", strerror(-e));
	return session_complain(session, program) ? EXIT_UNREACHABLE : EXIT_DONE;
}

static int run(const struct command *command, int argc, char **argv)
{
	struct ls_args args = {.common.format = FORMAT_NONE, .selection.sort = COLUMN_NAME};

	(void)command;
	options_parse(&argp, argc, argv, 0, NULL, &args);
	if (args.lists_fields) {
		for (int i = 0; i < COLUMN_COUNT; i++)
			printf("%-16s %s\n", column_info[i].field, column_info[i].help);
		return EXIT_DONE;
	}
	return session_run(argv[0], &args.common, true, list, &args);
}

const struct command command_ls = {"ls", "list locks, once", &argp, run};

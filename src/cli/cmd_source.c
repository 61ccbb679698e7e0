/* `locktop source URI`: one place, as a stream of JSON lines. */
#include "config.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "base/uri.h"
#include "cli/cli.h"
#include "cli/session.h"
#include "engine/source.h"

enum { OPT_ONCE = 0x2000 };

struct source_args {
	struct common common;
	const char *uri;
	bool once;
};

static const struct argp_option options[] = {
	{"once", OPT_ONCE, NULL, 0, "one complete look, then end", 0},
	{0},
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct source_args *args = state->input;

	switch (key) {
	case ARGP_KEY_INIT: state->child_inputs[0] = &args->common; return 0;
	case OPT_ONCE: args->once = true; return 0;
	case ARGP_KEY_ARG:
		if (args->uri)
			argp_error(state, "one source at a time; '%s' is one too many", arg);
		args->uri = arg;
		return 0;
	case ARGP_KEY_NO_ARGS:
		argp_error(state, "which source? A URI, or - to be sent one");
		return 0;
	default: return ARGP_ERR_UNKNOWN;
	}
}

static const struct argp argp = {options, parse, "URI",
	"Prints what one source sees as a stream of events, a JSON object a line "
	"(locktop-events(5)).",
	common_children, NULL, NULL};

/* Another host's source is that host's locktop: become the ssh that runs it. */
static int run_ssh(
	const char *program, const struct session *session, const struct uri *uri, bool once)
{
	const char *argv[HUB_SSH_ARGS];
	struct error err;
	int e = hub_ssh_argv(session->settings.ssh, uri, once, argv, HUB_SSH_ARGS, &err);

	if (e < 0)
		return cli_fail(program, cli_exit_code(e), "%s", err.text);
	execvp(argv[0], (char *const *)argv);
	e = errno;
	cli_fail(program, EXIT_UNREACHABLE, "cannot run %s: %s", argv[0], strerror(e));
	free((char *)argv[0]);
	return EXIT_UNREACHABLE;
}

static int run(const struct command *command, int argc, char **argv)
{
	struct source_args args = {.common.format = FORMAT_NONE};
	struct session session;
	struct error err;
	struct uri uri = {0};
	bool is_sent;
	int e, code = EXIT_DONE;

	(void)command;
	options_parse(&argp, argc, argv, 0, NULL, &args);
	is_sent = strcmp(args.uri, "-") == 0;
	e = session_open(&session, &args.common, &err);
	if (e == 0 && !is_sent)
		e = uri_parse(&uri, args.uri, &err);
	if (e < 0) {
		code = cli_fail(argv[0], cli_exit_code(e), "%s", err.text);
	} else if (!is_sent && strcmp(uri.scheme, "ssh") == 0) {
		code = run_ssh(argv[0], &session, &uri, args.once);
	} else {
		struct source_options source = {
			.world = &session.world,
			.settings = &session.settings,
			.policy = session.policy,
			.uri = is_sent ? NULL : args.uri,
			.in = is_sent ? STDIN_FILENO : -1,
			.out = STDOUT_FILENO,
			.once = args.once,
		};

		e = source_run(&source, &err);
		/* A hub reads the sentence from the stream; a person reads it here. */
		if (e < 0)
			code = cli_fail(argv[0], cli_exit_code(e), "%s", err.text);
	}
	uri_release(&uri);
	session_close(&session);
	return code;
}

const struct command command_source = {"source", "print a source's stream of events", &argp, run};

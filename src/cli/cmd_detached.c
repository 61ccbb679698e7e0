/*
 * `locktop renew`, `verify` and `give-back`: what the owner of a lock does with it that another
 * process took, locktop acquire or (verify only) locktop run.
 */
#include "config.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/text.h"
#include "cli/cli.h"
#include "cli/lock_options.h"
#include "cli/token_file.h"

enum { OPT_TOKEN_FILE = 0x3000, OPT_LEASE, OPT_TIDY, OPT_LOG, OPT_DEBUG };

struct detached_args {
	struct lock_options lock;
	const char *token_file;
};

/* What each of them does. */
struct duty {
	const struct command *command;
	int (*run)(struct hold *hold, struct error *err);
	bool only_looks;
};

#define OPTION_TOKEN_FILE                                                                      \
	{                                                                                      \
		"token-file", OPT_TOKEN_FILE, "FILE", 0,                                       \
			"read the token from FILE (LOCKTOP_TOKEN, else LOCKTOP_TOKEN_FILE)", 0 \
	}
#define OPTIONS_TELLING                                                            \
	{"log", OPT_LOG, "FILE", 0, "the metrics log; none: do not write one", 0}, \
	{                                                                          \
		"debug", OPT_DEBUG, NULL, 0,                                       \
			"write each step to standard error as a line of JSON", 0   \
	}

static const struct argp_option options[] = {OPTION_TOKEN_FILE, OPTIONS_TELLING, {0}};
static const struct argp_option renew_options[] = {OPTION_TOKEN_FILE,
	{"lease", OPT_LEASE, "DURATION", 0, "and from now on for so long (as it was)", 0},
	OPTIONS_TELLING, {0}};
static const struct argp_option give_back_options[] = {OPTION_TOKEN_FILE,
	{"tidy", OPT_TIDY, NULL, 0, "remove the lock file instead of emptying it", 0},
	OPTIONS_TELLING, {0}};

/* In the environment of whoever evaluated what locktop acquire printed, and of run's children. */
static void default_address(struct lock_options *lock, struct argp_state *state)
{
	lock->address = getenv("LOCKTOP_LOCK");
	if (!lock->address || !*lock->address)
		argp_error(state, "which lock? LOCKTOP_LOCK is not set");
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct detached_args *args = state->input;

	switch (key) {
	case ARGP_KEY_INIT: state->child_inputs[0] = &args->lock; return 0;
	case OPT_TOKEN_FILE: args->token_file = arg; return 0;
	case OPT_LEASE:
		if (text_to_duration(arg, &args->lock.lease) < 0 || args->lock.lease <= 0 ||
			args->lock.lease % NS_PER_S)
			argp_error(
				state, "no lease '%s', expected something like 90, 10m or 2h", arg);
		return 0;
	case OPT_TIDY: args->lock.is_tidy = true; return 0;
	case OPT_LOG: args->lock.log = arg; return 0;
	case OPT_DEBUG: args->lock.is_debug = true; return 0;
	case ARGP_KEY_ARG: options_address(&args->lock.address, arg, state); return 0;
	case ARGP_KEY_NO_ARGS: default_address(&args->lock, state); return 0;
	default: return ARGP_ERR_UNKNOWN;
	}
}

static const struct argp_child children[] = {
	{&lock_common_argp, 0, NULL, -2},
	{0},
};

static const struct argp renew_argp = {renew_options, parse, "[ADDRESS]",
	"Says that the owner of a lock is at work: its lease begins anew.", children, NULL, NULL};
static const struct argp verify_argp = {options, parse, "[ADDRESS]",
	"Tells whether a lock is still its owner's: to be asked before what cannot be undone.",
	children, NULL, NULL};
static const struct argp give_back_argp = {give_back_options, parse, "[ADDRESS]",
	"Gives back a lock that locktop acquire took.", children, NULL, NULL};

static const struct duty duties[] = {
	{&command_renew, hold_renew, false},
	{&command_verify, hold_verify, true},
	{&command_give_back, hold_give_back, false},
};

static const struct duty *duty_of(const struct command *command)
{
	for (size_t i = 0; i < sizeof duties / sizeof *duties; i++)
		if (duties[i].command == command)
			return &duties[i];
	return NULL;
}

static int perform(const struct duty *duty, struct lock_session *session, const char token[33])
{
	struct error err;
	int e = hold_adopt(session->hold, token, &err);

	if (e == 0)
		e = duty->run(session->hold, &err);
	return e < 0 ? lock_session_fail(session, &err) : EXIT_DONE;
}

static int run(const struct command *command, int argc, char **argv)
{
	const struct duty *duty = duty_of(command);
	const struct claim claim = {.is_detached = true};
	struct detached_args args = {0};
	struct lock_session session;
	struct error err;
	char token[33];
	int code, e;

	lock_options_init(&args.lock, argv[0]);
	args.lock.lease = 0; /* as it was */
	args.lock.only_looks = duty->only_looks;
	options_parse(command->argp, argc, argv, 0, NULL, &args);
	e = token_find(args.token_file, token, &err);
	if (e < 0)
		return cli_fail(argv[0], e == -EINVAL ? EXIT_USAGE : EXIT_REFUSED, "%s", err.text);
	code = lock_session_open(&session, &args.lock, &claim);
	if (code == EXIT_DONE)
		code = perform(duty, &session, token);
	lock_session_close(&session);
	return code;
}

const struct command command_renew = {
	"renew", "say that the owner of a lock is at work", &renew_argp, run};
const struct command command_verify = {
	"verify", "tell whether a lock is still its owner's", &verify_argp, run};
const struct command command_give_back = {
	"give-back", "give back a lock that acquire took", &give_back_argp, run};

/* `locktop run`: takes a lock, runs a command, gives it back. */
#include "config.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>

#include "base/error.h"
#include "base/text.h"
#include "cli/cli.h"
#include "cli/lock_wait.h"
#include "engine/supervisor.h"

enum {
	OPT_INHERIT = 0x3000,
	OPT_ON_LOST,
	OPT_GRACE,
};

struct run_args {
	struct lock_options lock;
	char **command; /* NULL-terminated */
	char *shell[4]; /* what -c makes of it */
	int64_t grace;  /* ns; -1: not said */
	bool inherits, only_warns;
};

/* --- options ------------------------------------------------------------------------------- */

static const struct argp_option run_options[] = {
	{NULL, 0, NULL, 0, "The command:", 4},
	{"inherit", OPT_INHERIT, NULL, 0, "the command has the lock's descriptor too", 0},
	{"on-lost", OPT_ON_LOST, "POLICY", 0,
		"when the lock is lost: end the command (term), or say so and go on (warn)", 0},
	{"grace", OPT_GRACE, "DURATION", 0,
		"between TERM and KILL when the lock is lost (10s, within the lease)", 0},
	{"command", 'c', "STRING", 0, "give this to the shell, instead of a COMMAND", 0},
	/* What people write who know flock(1), and what is the case here anyway, or cannot be. */
	{"exclusive", 'x', NULL, OPTION_HIDDEN, NULL, 0},
	{NULL, 'e', NULL, OPTION_HIDDEN, NULL, 0},
	{"close", 'o', NULL, OPTION_HIDDEN, NULL, 0},
	{"shared", 's', NULL, OPTION_HIDDEN, NULL, 0},
	{"unlock", 'u', NULL, OPTION_HIDDEN, NULL, 0},
	{"no-fork", 'F', NULL, OPTION_HIDDEN, NULL, 0},
	{0},
};

static void use_shell(struct run_args *args, char *text)
{
	char *shell = getenv("SHELL");

	args->shell[0] = shell && *shell ? shell : (char *)"/bin/sh";
	args->shell[1] = (char *)"-c";
	args->shell[2] = text;
	args->command = args->shell;
}

/* The first word that is no option is the lock; all behind it is the command's. */
static void take_rest(struct run_args *args, char *address, struct argp_state *state)
{
	char **rest = state->argv + state->next;

	args->lock.address = address;
	state->next = state->argc;
	if (*rest && strcmp(*rest, "--") == 0) {
		rest++;
	} else if (*rest && (strcmp(*rest, "-c") == 0 || strcmp(*rest, "--command") == 0)) {
		if (!rest[1] || rest[2])
			argp_error(state, "%s takes one word, the whole command", *rest);
		use_shell(args, rest[1]);
		return;
	}
	if (*rest && args->command)
		argp_error(state, "a command by -c and another behind the lock");
	if (*rest)
		args->command = rest;
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct run_args *args = state->input;

	switch (key) {
	case ARGP_KEY_INIT: state->child_inputs[0] = &args->lock; break;
	case ARGP_KEY_ARG: take_rest(args, arg, state); break;
	case ARGP_KEY_END:
		if (!args->lock.address)
			argp_error(state, "which lock, and which command?");
		if (!args->command)
			argp_error(state, "which command?");
		break;
	case OPT_INHERIT: args->inherits = true; break;
	case OPT_ON_LOST:
		if (strcmp(arg, "term") != 0 && strcmp(arg, "warn") != 0)
			argp_error(state, "no policy '%s', expected term or warn", arg);
		args->only_warns = strcmp(arg, "warn") == 0;
		break;
	case OPT_GRACE:
		if (text_to_duration(arg, &args->grace) < 0 || args->grace < 0)
			argp_error(state, "no duration '%s', expected something like 5s", arg);
		break;
	case 'c': use_shell(args, arg); break;
	case 'x':
	case 'e':
	case 'o': break;
	case 's': argp_error(state, "a lock is for one holder: there is no -s"); break;
	case 'u':
		argp_error(state, "to give a lock back there is locktop give-back, not -u");
		break;
	case 'F': argp_error(state, "the command has to be guarded: there is no -F"); break;
	default: return ARGP_ERR_UNKNOWN;
	}
	return 0;
}

static const struct argp argp = {run_options, parse,
	"ADDRESS [--] COMMAND [ARG...]\nADDRESS -c STRING",
	"Takes the lock, runs the command, and gives the lock back when the command has ended.",
	lock_children, NULL, NULL};

/* --- the lock, for the supervisor ---------------------------------------------------------- */

struct run {
	const struct run_args *args;
	struct lock_session session;
	struct lock_wait wait;
	struct error err;
};

static int guarded_renew(void *data)
{
	struct run *run = data;

	return hold_renew(run->session.hold, &run->err);
}

static int guarded_verify(void *data)
{
	struct run *run = data;

	return hold_verify(run->session.hold, &run->err);
}

static mono_t guarded_renew_at(void *data)
{
	return hold_renew_at(((struct run *)data)->session.hold);
}

static mono_t guarded_lost_at(void *data)
{
	return hold_lost_at(((struct run *)data)->session.hold);
}

static mono_t guarded_ends_at(void *data)
{
	return hold_ends_at(((struct run *)data)->session.hold);
}

static void guarded_lost(void *data, int code)
{
	struct run *run = data;
	const struct lock_options *lock = &run->args->lock;

	if (code == -ETIME)
		hold_tell_lost(run->session.hold, &run->err);
	cli_fail(lock->program, EXIT_LOST, "lost %s%s: %s; the command %s",
		hold_address(run->session.hold),
		code == -ETIME ? ", for it could not be renewed in time" : "", run->err.text,
		run->args->only_warns ? "goes on without it" : "is ended");
}

/* --- the command --------------------------------------------------------------------------- */

static int export(struct run *run)
{
	const struct hold *hold = run->session.hold;
	char fence[24];

	snprintf(fence, sizeof fence, "%lld", (long long)hold_fence(hold));
	return setenv("LOCKTOP_TOKEN", hold_claim(hold)->token, 1) < 0 ||
			       setenv("LOCKTOP_FENCE", fence, 1) < 0 ||
			       setenv("LOCKTOP_LOCK", hold_address(hold), 1) < 0
		       ? -ENOMEM
		       : 0;
}

/* So that ps(1), lslocks(8) and the monitor show for whom the lock is held, or waited for. */
static void take_name(const char *command)
{
	const char *slash = strrchr(command, '/');

	prctl(PR_SET_NAME, slash && slash[1] ? slash + 1 : command);
}

static int supervise(struct run *run, struct supervision *supervision)
{
	struct hold *hold = run->session.hold;
	int inherit[LOCK_ADDRESSES + 1];
	const char *path[LOCK_ADDRESSES + 1];
	struct supervisor_options options = {
		.clock = run->session.world.clock,
		.signals = &run->wait.signals,
		.argv = run->args->command,
		.inherit = inherit,
		.grace = run->args->grace,
		.only_warns = run->args->only_warns,
		.lock = {guarded_renew, guarded_verify, guarded_renew_at, guarded_lost_at,
			guarded_ends_at, guarded_lost, path, 0, run},
	};

	for (size_t i = 0; i < hold_count(hold) && i <= LOCK_ADDRESSES; i++) {
		if (run->args->inherits && hold_descriptor(hold, i) >= 0)
			inherit[options.inherits++] = hold_descriptor(hold, i);
		if (hold_path(hold, i))
			path[options.lock.paths++] = hold_path(hold, i);
	}
	return supervisor_run(&options, supervision);
}

static int run_command(struct run *run, struct supervision *supervision)
{
	const char *program = run->args->lock.program, *command = run->args->command[0];
	char name[256];
	int e = export(run);

	if (e < 0)
		return cli_fail(program, EXIT_SOFTWARE, "out of memory");
	/* It may have been waited for long, and the one before us is a stranger. */
	if (hold_verify(run->session.hold, &run->err) < 0) {
		supervision->is_lost = true;
		return lock_session_fail(&run->session, &run->err);
	}
	e = supervise(run, supervision);
	if (e == 0)
		return supervision->status;
	text_clean(name, sizeof name, command, strlen(command), NULL);
	return cli_fail(program, e == -ENOENT ? EXIT_NOT_FOUND : EXIT_NOT_RUNNABLE,
		"cannot run %s: %s", name, strerror(-e));
}

/*
 * What it was in the end: a lock that is not ours when it is given back was lost while the command
 * ran, though nobody noticed in time to end it.
 */
static int give_back(struct run *run, const struct supervision *supervision, int code)
{
	int e;

	run->session.exit_code = code;
	e = hold_give_back(run->session.hold, &run->err);
	if (e < 0 && !supervision->is_lost)
		cli_fail(run->args->lock.program, code, "%s", run->err.text);
	if (run->args->only_warns)
		return code;
	return supervision->is_lost || e == -ESTALE || e == -EKEYREJECTED ? EXIT_LOST : code;
}

static int locked_run(struct run *run)
{
	struct supervision supervision = {0};
	int e, code = 0;

	take_name(run->args->command[0]);
	e = lock_wait_acquire(&run->wait, &run->session, &run->err);
	if (e < 0 && !run->wait.signal)
		return lock_session_fail(&run->session, &run->err);
	if (e == 0 && run->wait.signal)
		hold_give_back(run->session.hold, NULL);
	else if (e == 0)
		code = give_back(run, &supervision, run_command(run, &supervision));
	return code;
}

static int run(const struct command *command, int argc, char **argv)
{
	struct run_args args = {.grace = -1};
	struct run run = {.args = &args};
	int code;

	(void)command;
	lock_options_init(&args.lock, argv[0]);
	options_parse(&argp, argc, argv, ARGP_IN_ORDER, NULL, &args);
	code = lock_session_open(&run.session, &args.lock, NULL);
	if (code == EXIT_DONE)
		code = locked_run(&run);
	lock_session_close(&run.session);
	if (run.wait.signal)
		signals_die(run.wait.signal);
	return code;
}

const struct command command_run = {"run", "take a lock, run a command, give it back", &argp, run};

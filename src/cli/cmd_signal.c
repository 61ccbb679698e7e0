/* `locktop signal ADDRESS`: ends the holder of a lock. */
#include "config.h"

#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "base/text.h"
#include "cli/ask.h"
#include "cli/cli.h"
#include "cli/session.h"

enum { OPT_KILL = 0x2000, OPT_PID, OPT_DRY_RUN, OPT_YES };

struct signal_args {
	struct common common;
	const char *address;
	bool kill, dry_run, yes;
	int64_t pid;
};

static const struct argp_option options[] = {
	{"kill", OPT_KILL, NULL, 0, "send KILL instead of TERM", 0},
	{"pid", OPT_PID, "N", 0, "the holder that you mean, when there are several", 0},
	{"dry-run", OPT_DRY_RUN, NULL, 0, "say what would be done, and do nothing", 0},
	{"yes", OPT_YES, NULL, 0, "do not ask", 0},
	{0},
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct signal_args *args = state->input;

	switch (key) {
	case ARGP_KEY_INIT: state->child_inputs[0] = &args->common; return 0;
	case OPT_KILL: args->kill = true; return 0;
	case OPT_DRY_RUN: args->dry_run = true; return 0;
	case OPT_YES: args->yes = true; return 0;
	case OPT_PID:
		if (text_to_int(arg, 1, INT_MAX, &args->pid) < 0)
			argp_error(state, "no process id '%s'", arg);
		return 0;
	case ARGP_KEY_ARG:
	case ARGP_KEY_NO_ARGS: options_address(&args->address, arg, state); return 0;
	default: return ARGP_ERR_UNKNOWN;
	}
}

static const struct argp argp = {options, parse, "ADDRESS",
	"Sends TERM to the process that holds a lock, checked to be the same one as was seen.",
	common_children, NULL, NULL};

static const struct process *holder_meant(const struct lock *lock, int64_t pid)
{
	for (size_t i = 0; i < lock->holders; i++)
		if (pid && lock->holder[i].pid == pid)
			return &lock->holder[i];
	return pid ? NULL : verdict_holder(lock);
}

static int send(const char *program, struct session *session, void *data)
{
	const struct signal_args *args = data;
	struct entry *entry;
	int code = session_find(session, program, args->address, &entry);
	const struct process *holder;
	struct deed deed;
	char question[200];

	if (code != EXIT_DONE)
		return code;
	holder = holder_meant(entry->lock, args->pid);
	if (!holder || holder->pid <= 0)
		return cli_fail(program, EXIT_REFUSED,
			args->pid ? "%s: pid %lld is not a holder of it" : "%s has no known holder",
			args->address, (long long)args->pid);
	deed = (struct deed){
		.kind = DEED_SIGNAL,
		.name = entry->lock->name,
		.pid = holder->pid,
		.start = holder->start,
		.signal = args->kill ? SIGKILL : SIGTERM,
		.dry_run = args->dry_run,
	};
	snprintf(deed.version, sizeof deed.version, "%s", entry->lock->version);
	ask_tty(deed.tty, sizeof deed.tty);
	snprintf(question, sizeof question, "Send %s to pid %d %s, which holds %s? [y/N]",
		args->kill ? "KILL" : "TERM", holder->pid, holder->comm, args->address);
	if (!args->yes && !args->dry_run && policy_allows(&session->policy, deed.kind, NULL) == 0 &&
		!ask_yes(question))
		return cli_fail(program, EXIT_REFUSED,
			ask_is_terminal() ? "cancelled: nothing was done"
					  : "without a terminal it needs --yes: nothing was done");
	return session_deed(session, program, entry->source, &deed);
}

static int run(const struct command *command, int argc, char **argv)
{
	struct signal_args args = {.common.format = FORMAT_NONE};

	(void)command;
	options_parse(&argp, argc, argv, 0, NULL, &args);
	return session_run(argv[0], &args.common, false, send, &args);
}

const struct command command_signal = {"signal", "end the holder of a lock", &argp, run};

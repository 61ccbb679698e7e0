/* `locktop release ADDRESS`: gives a stale lock back, or forces one. */
#include "config.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "base/text.h"
#include "cli/ask.h"
#include "cli/cli.h"
#include "cli/session.h"

enum { OPT_FORCE = 0x2000, OPT_PID, OPT_DRY_RUN, OPT_TIDY, OPT_YES };

struct release_args {
	struct common common;
	const char *address;
	bool force, dry_run, tidy, yes;
	int64_t pid;
};

static const struct argp_option options[] = {
	{"force", OPT_FORCE, NULL, 0, "also one that may be live; --pid names its holder", 0},
	{"pid", OPT_PID, "N", 0, "with --force: the live holder that you mean", 0},
	{"dry-run", OPT_DRY_RUN, NULL, 0, "say what would be done, and do nothing", 0},
	{"tidy", OPT_TIDY, NULL, 0, "remove the lock file instead of emptying it", 0},
	{"yes", OPT_YES, NULL, 0, "do not ask", 0},
	{0},
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct release_args *args = state->input;

	switch (key) {
	case ARGP_KEY_INIT: state->child_inputs[0] = &args->common; return 0;
	case OPT_FORCE: args->force = true; return 0;
	case OPT_DRY_RUN: args->dry_run = true; return 0;
	case OPT_TIDY: args->tidy = true; return 0;
	case OPT_YES: args->yes = true; return 0;
	case OPT_PID:
		if (text_to_int(arg, 1, INT_MAX, &args->pid) < 0)
			argp_error(state, "no process id '%s'", arg);
		return 0;
	case ARGP_KEY_ARG:
	case ARGP_KEY_NO_ARGS: options_address(&args->address, arg, state); return 0;
	case ARGP_KEY_END:
		if (args->pid && !args->force)
			argp_error(state, "--pid goes with --force");
		return 0;
	default: return ARGP_ERR_UNKNOWN;
	}
}

static const struct argp argp = {options, parse, "ADDRESS",
	"Releases a lock that is provably stale; with --force one that may be live.",
	common_children, NULL, NULL};

/* What the person sees before the question; also what a dry run is about. */
static void tell(const struct session *session, const struct entry *entry)
{
	struct facts facts = model_facts(&session->model, entry);
	char why[VERDICT_TEXT], advice[VERDICT_TEXT], address[1024];

	verdict_why(why, sizeof why, entry->lock, &facts, &entry->verdict);
	verdict_advice(advice, sizeof advice, entry->lock, &facts, &entry->verdict);
	model_address(address, sizeof address, &session->model, entry);
	fprintf(stderr, "%s %s: %s\n%s\n", state_word(entry->verdict.state), address, why, advice);
}

/*
 * Is there consent? Stale locks need none but on a terminal; a force always does: --yes, or the
 * pid typed.
 */
static bool is_agreed(const struct release_args *args, const struct entry *entry)
{
	const struct process *holder = verdict_holder(entry->lock);
	bool is_alive = verdict_is_alive(entry->lock, &entry->verdict);
	char question[120], expected[16] = "force";

	if (args->yes || args->dry_run)
		return true;
	if (!args->force)
		return !ask_is_terminal() || ask_yes("Release it? [y/N]");
	if (is_alive && holder && args->pid)
		return ask_is_terminal() ? ask_yes("Force it? [y/N]") : false;
	if (is_alive && holder)
		snprintf(expected, sizeof expected, "%d", holder->pid);
	snprintf(question, sizeof question, "Type %s to force it:", expected);
	return ask_typed(question, expected);
}

static int release(const char *program, struct session *session, void *data)
{
	const struct release_args *args = data;
	struct entry *entry;
	int code = session_find(session, program, args->address, &entry);
	struct deed deed;
	const struct process *holder;

	if (code != EXIT_DONE)
		return code;
	holder = verdict_holder(entry->lock);
	deed = (struct deed){
		.kind = args->force ? DEED_FORCE : DEED_RELEASE,
		.name = entry->lock->name,
		.pid = (int32_t)args->pid,
		.tidy = args->tidy || session->settings.tidy,
		.dry_run = args->dry_run,
	};
	snprintf(deed.version, sizeof deed.version, "%s", entry->lock->version);
	ask_tty(deed.tty, sizeof deed.tty);
	/* What the policy or the verdict refuses is not worth a question: act says why, and logs.
	 */
	if (policy_allows(&session->policy, deed.kind, NULL) == 0 &&
		(args->force || verdict_allows_release(&entry->verdict))) {
		if (!args->yes && (ask_is_terminal() || args->dry_run))
			tell(session, entry);
		if (!is_agreed(args, entry))
			return cli_fail(program, EXIT_REFUSED,
				ask_is_terminal() ? "cancelled: nothing was done"
						  : "without a terminal --force needs --yes: "
						    "nothing was done");
		if (args->force && !args->pid && holder && ask_is_terminal() && !args->yes)
			deed.pid = holder->pid;
	}
	if (holder && deed.pid == holder->pid)
		deed.start = holder->start;
	return session_deed(session, program, entry->source, &deed);
}

static int run(const struct command *command, int argc, char **argv)
{
	struct release_args args = {.common.format = FORMAT_NONE};

	(void)command;
	options_parse(&argp, argc, argv, 0, NULL, &args);
	return session_run(argv[0], &args.common, false, release, &args);
}

const struct command command_release = {
	"release", "release a stale lock, or force one", &argp, run};

/* `locktop clean`: releases everything that is provably stale. */
#include "config.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "cli/ask.h"
#include "cli/cli.h"
#include "cli/session.h"

enum { OPT_DRY_RUN = 0x2000, OPT_TIDY, OPT_YES };

struct clean_args {
	struct common common;
	bool dry_run, tidy, yes;
	char **sources;
	size_t n;
};

static const struct argp_option options[] = {
	{"dry-run", OPT_DRY_RUN, NULL, 0, "say what would be done, and do nothing", 0},
	{"tidy", OPT_TIDY, NULL, 0, "remove the lock files instead of emptying them", 0},
	{"yes", OPT_YES, NULL, 0, "do not ask", 0},
	{0},
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct clean_args *args = state->input;

	(void)arg;
	switch (key) {
	case ARGP_KEY_INIT: state->child_inputs[0] = &args->common; return 0;
	case OPT_DRY_RUN: args->dry_run = true; return 0;
	case OPT_TIDY: args->tidy = true; return 0;
	case OPT_YES: args->yes = true; return 0;
	case ARGP_KEY_ARGS:
		args->sources = state->argv + state->next;
		args->n = (size_t)(state->argc - state->next);
		return 0;
	default: return ARGP_ERR_UNKNOWN;
	}
}

static const struct argp argp = {options, parse, "[SOURCE...]",
	"Releases all locks of the sources that are provably stale, and no others.",
	common_children, NULL, NULL};

/* A lock as it was judged and shown; the model goes on changing while deeds are answered. */
struct found {
	struct lock *lock; /* owned reference */
	size_t source;
};

static size_t find_stale(const struct session *session, struct found **found)
{
	size_t n = 0, all = 0;

	for (size_t s = 0; s < session->model.sources; s++)
		all += session->model.source[s].n;
	*found = calloc(all + 1, sizeof **found);
	for (size_t s = 0; *found && s < session->model.sources; s++) {
		const struct model_source *source = &session->model.source[s];

		for (size_t i = 0; i < source->n; i++)
			if (verdict_allows_release(&source->entry[i]->verdict))
				(*found)[n++] = (struct found){lock_ref(source->entry[i]->lock), s};
	}
	return n;
}

static void tell(const struct session *session, const struct found *found, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		const struct entry *entry =
			model_find(&session->model, found[i].source, found[i].lock->name);
		struct facts facts;
		char why[VERDICT_TEXT], address[1024];

		if (!entry)
			continue;
		facts = model_facts(&session->model, entry);
		verdict_why(why, sizeof why, entry->lock, &facts, &entry->verdict);
		model_address(address, sizeof address, &session->model, entry);
		fprintf(stderr, "%s %s: %s\n", state_word(entry->verdict.state), address, why);
	}
}

static int release_all(const char *program, struct session *session, const struct clean_args *args,
	const struct found *found, size_t n)
{
	int worst = EXIT_DONE;

	for (size_t i = 0; i < n; i++) {
		struct deed deed = {
			.kind = DEED_RELEASE,
			.name = found[i].lock->name,
			.tidy = args->tidy || session->settings.tidy,
			.dry_run = args->dry_run,
		};
		int code;

		snprintf(deed.version, sizeof deed.version, "%s", found[i].lock->version);
		ask_tty(deed.tty, sizeof deed.tty);
		code = session_deed(session, program, found[i].source, &deed);
		worst = code > worst ? code : worst;
	}
	return worst;
}

static int clean(const char *program, struct session *session, void *data)
{
	const struct clean_args *args = data;
	struct found *found;
	struct error err;
	char question[80];
	bool is_bad;
	size_t n;
	int code = EXIT_DONE;

	if (session_sources(session, args->sources, args->n, &err) < 0)
		return cli_fail(program, EXIT_USAGE, "%s", err.text);
	session_gather(session, 0);
	is_bad = session_complain(session, program);
	n = find_stale(session, &found);
	if (n == 0) {
		fputs("nothing is provably stale\n", stderr);
	} else {
		snprintf(question, sizeof question, "Release %zu lock%s? [y/N]", n,
			n == 1 ? "" : "s");
		if (ask_is_terminal() && !args->yes)
			tell(session, found, n);
		/* What the policy forbids is not worth a question: act refuses it, and logs that.
		 */
		if (args->yes || args->dry_run || !ask_is_terminal() ||
			policy_allows(&session->policy, DEED_RELEASE, NULL) < 0 ||
			ask_yes(question))
			code = release_all(program, session, args, found, n);
		else
			code = cli_fail(program, EXIT_REFUSED, "cancelled: nothing was done");
	}
	for (size_t i = 0; i < n; i++)
		lock_unref(found[i].lock);
	free(found);
	return code == EXIT_DONE && is_bad ? EXIT_UNREACHABLE : code;
}

static int run(const struct command *command, int argc, char **argv)
{
	struct clean_args args = {.common.format = FORMAT_NONE};

	(void)command;
	options_parse(&argp, argc, argv, 0, NULL, &args);
	return session_run(argv[0], &args.common, false, clean, &args);
}

const struct command command_clean = {"clean", "release all that is provably stale", &argp, run};

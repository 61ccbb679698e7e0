/* `locktop fence-check NAME N`: is that fence the last one that was given out? */
#include "config.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/error.h"
#include "base/text.h"
#include "cli/cli.h"
#include "cli/lock_options.h"

struct fence_args {
	struct lock_options lock;
	const char *name;
	int64_t fence; /* -1: not given yet */
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct fence_args *args = state->input;

	switch (key) {
	case ARGP_KEY_INIT: state->child_inputs[0] = &args->lock; return 0;
	case ARGP_KEY_ARG:
		if (!args->name)
			args->name = arg;
		else if (args->fence >= 0)
			argp_error(state, "'%s' is one too many", arg);
		else if (text_to_int(arg, 0, INT64_MAX, &args->fence) < 0)
			argp_error(
				state, "no fence '%s', expected a number like $LOCKTOP_FENCE", arg);
		return 0;
	case ARGP_KEY_END:
		if (args->fence < 0)
			argp_error(state, "which lock, and which fence?");
		return 0;
	default: return ARGP_ERR_UNKNOWN;
	}
}

static const struct argp_child children[] = {
	{&lock_common_argp, 0, NULL, -2},
	{0},
};

static const struct argp argp = {NULL, parse, "NAME N",
	"Tells whether N is the last fence that was given out for the lock NAME. A look: nothing "
	"is taken or changed.",
	children, NULL, NULL};

/* The last one of that place; 0: none. -EOPNOTSUPP: there are none there. */
static int last_fence(
	const struct world *world, const struct uri *uri, int64_t *fence, struct error *err)
{
	const struct provider *provider = provider_for(uri, err);
	void *state;
	int e;

	if (!provider)
		return -EPROTONOSUPPORT;
	if (!(provider->can & PROVIDER_FENCES) || !provider->fence)
		return error_set(err, -EOPNOTSUPP, "'%s:' has no fences", provider->scheme);
	e = provider->open(&state, world, uri, err);
	if (e < 0)
		return e;
	e = provider->fence(state, fence, err);
	provider->close(state);
	return e;
}

static int compare(const struct fence_args *args, int64_t last)
{
	const char *program = args->lock.program;
	int64_t n = args->fence;

	if (last == 0)
		return cli_fail(
			program, EXIT_UNREACHABLE, "%s: no fence was ever given out", args->name);
	if (n < last)
		return cli_fail(program, EXIT_REFUSED,
			"fence %" PRId64 " is older than %" PRId64 ": somebody took the lock since",
			n, last);
	if (n > last)
		return cli_fail(program, EXIT_REFUSED,
			"fence %" PRId64 " was never given out: the last one is %" PRId64, n, last);
	return EXIT_DONE;
}

static int check(const struct fence_args *args, struct lock_session *session)
{
	struct error err;
	struct uri uri;
	char *address = NULL;
	int64_t last = 0;
	int e = lock_session_address(session, args->name, &address, &err);

	if (e == 0)
		e = uri_parse(&uri, address, &err);
	free(address);
	if (e == 0) {
		e = last_fence(&session->world, &uri, &last, &err);
		uri_release(&uri);
	}
	if ((e == -ENOSYS || e == -EPROTONOSUPPORT) && !lock_settings_are_all())
		return EXIT_NEEDS_ALL;
	if (e == -ENOSYS || e == -EPROTONOSUPPORT)
		return cli_fail(args->lock.program, EXIT_USAGE, "%s", err.text);
	if (e < 0)
		return cli_fail(args->lock.program, e == -EINVAL ? EXIT_USAGE : EXIT_UNREACHABLE,
			"%s", err.text);
	return compare(args, last);
}

static int run(const struct command *command, int argc, char **argv)
{
	struct fence_args args = {.fence = -1};
	struct lock_session session;
	int code;

	(void)command;
	lock_options_init(&args.lock, argv[0]);
	args.lock.only_looks = true;
	args.lock.log = "none";
	options_parse(&argp, argc, argv, 0, NULL, &args);
	code = lock_session_open(&session, &args.lock, NULL);
	if (code == EXIT_DONE)
		code = check(&args, &session);
	lock_session_close(&session);
	return code;
}

const struct command command_fence_check = {
	"fence-check", "tell whether a fence is the last one", &argp, run};

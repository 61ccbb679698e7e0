/* `locktop acquire ADDRESS`: takes a lock that no process of ours keeps, for scripts and units. */
#include "config.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/jsonw.h"
#include "base/text.h"
#include "cli/cli.h"
#include "cli/lock_wait.h"
#include "cli/owner.h"
#include "cli/token_file.h"
#include "system/folder.h"

enum { OPT_OWNER_PID = 0x3000, OPT_TOKEN_FILE, OPT_JSON };

struct acquire_args {
	struct lock_options lock;
	const char *token_file;
	int64_t owner; /* 0: the caller */
	bool is_json;
};

static const struct argp_option options[] = {
	{"owner-pid", OPT_OWNER_PID, "PID", 0,
		"the lock is stale when this process is gone (the caller)", 0},
	{"token-file", OPT_TOKEN_FILE, "FILE", 0,
		"write the token into FILE, which nobody else may read, instead of printing it", 0},
	{"json", OPT_JSON, NULL, 0, "print JSON instead of words for a shell", 0},
	{0},
};

static void check(const struct acquire_args *args, struct argp_state *state)
{
	if (args->lock.is_strict)
		argp_error(state, "a detached lock is known by the token in its record, so "
				  "--compat=strict goes with locktop run only");
	if (args->lock.withs)
		argp_error(
			state, "--with goes with locktop run only: a detached lock stands alone");
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct acquire_args *args = state->input;

	switch (key) {
	case ARGP_KEY_INIT: state->child_inputs[0] = &args->lock; return 0;
	case OPT_OWNER_PID:
		if (text_to_int(arg, 1, INT_MAX, &args->owner) < 0)
			argp_error(state, "no process id '%s'", arg);
		return 0;
	case OPT_TOKEN_FILE: args->token_file = arg; return 0;
	case OPT_JSON: args->is_json = true; return 0;
	case ARGP_KEY_ARG:
	case ARGP_KEY_NO_ARGS: options_address(&args->lock.address, arg, state); return 0;
	case ARGP_KEY_END: check(args, state); return 0;
	default: return ARGP_ERR_UNKNOWN;
	}
}

static const struct argp argp = {options, parse, "ADDRESS",
	"Takes a lock and ends: the lock stays, until its owner gives it back with locktop "
	"give-back, or is gone, or does not renew it for the time of its lease.",
	lock_children, NULL, NULL};

/* For sh(1): nothing in single quotes means anything but the quote itself. */
static void add_quoted(struct buf *out, const char *text)
{
	buf_addc(out, '\'');
	for (; *text; text++) {
		if (*text == '\'')
			buf_adds(out, "'\\''");
		else
			buf_addc(out, *text);
	}
	buf_addc(out, '\'');
}

/* A token that an outer lock left in the environment would be taken for that of the file. */
static void add_shell(struct buf *out, const struct hold *hold, const char *token_file)
{
	const char *key = token_file ? "LOCKTOP_TOKEN_FILE" : "LOCKTOP_TOKEN";

	buf_addf(out, "%sLOCKTOP_LOCK=", token_file ? "unset LOCKTOP_TOKEN; " : "");
	add_quoted(out, hold_address(hold));
	buf_addf(out, " %s=", key);
	if (token_file)
		add_quoted(out, token_file);
	else
		buf_adds(out, hold_claim(hold)->token);
	buf_addf(out, " LOCKTOP_FENCE=%" PRId64 "; export LOCKTOP_LOCK %s LOCKTOP_FENCE\n",
		hold_fence(hold), key);
}

static void add_json(struct buf *out, const struct hold *hold, const char *token_file)
{
	const struct claim *claim = hold_claim(hold);
	char line[12 * PATH_MAX];
	struct jsonw json;

	jsonw_begin(&json, line, sizeof line);
	jsonw_text(&json, "lock", hold_address(hold));
	if (token_file)
		jsonw_text(&json, "token_file", token_file);
	else
		jsonw_text(&json, "token", claim->token);
	if (hold_fence(hold) > 0)
		jsonw_int(&json, "fence", hold_fence(hold));
	else
		jsonw_null(&json, "fence");
	jsonw_int(&json, "owner_pid", claim->pid);
	if (claim->lease > 0)
		jsonw_int(&json, "lease_s", claim->lease / NS_PER_S);
	else
		jsonw_null(&json, "lease_s");
	if (jsonw_end(&json) > 0)
		buf_adds(out, line);
	else
		out->failed = true;
}

static int print(const struct acquire_args *args, const char *path, const struct hold *hold,
	struct error *err)
{
	struct buf out = {0};
	int e;

	if (args->is_json)
		add_json(&out, hold, path);
	else
		add_shell(&out, hold, path);
	e = buf_failed(&out);
	if (e == 0 && (fwrite(out.data, 1, out.len, stdout) != out.len || fflush(stdout) != 0))
		e = -errno;
	buf_release(&out);
	return e < 0 ? error_sys(err, e, "cannot print the token") : 0;
}

/* All signals are blocked here: did one come that means to end this? */
static int pending_signal(const struct lock_wait *wait)
{
	static const int ends[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT};
	sigset_t pending;

	if (wait->signal || sigpending(&pending) < 0)
		return wait->signal;
	for (size_t i = 0; i < sizeof ends / sizeof *ends; i++)
		if (sigismember(&pending, ends[i]) == 1)
			return ends[i];
	return 0;
}

static int tell(const struct acquire_args *args, const char *path,
	const struct lock_session *session, struct error *err)
{
	const struct hold *hold = session->hold;
	int e;

	/* Nobody would give it back. */
	if (owner_is_gone(hold_claim(hold), &session->world))
		return error_set(
			err, -ESRCH, "pid %d, the owner, ended meanwhile", hold_claim(hold)->pid);
	e = path ? token_file_write(path, hold_claim(hold)->token, err) : 0;
	if (e < 0)
		return e;
	e = print(args, path, hold, err);
	if (e < 0 && path)
		unlink(path);
	return e;
}

/* A lock whose token nobody was told is nobody's: it is given back. */
static int hand_over(const struct acquire_args *args, const char *path,
	struct lock_session *session, struct lock_wait *wait)
{
	struct error err;
	int e = wait->signal ? -ECANCELED : tell(args, path, session, &err);

	wait->signal = pending_signal(wait);
	if (e == 0 && !wait->signal)
		return EXIT_DONE;
	hold_give_back(session->hold, &(struct error){0});
	if (e == 0 && path)
		unlink(path);
	return e < 0 && !wait->signal ? cli_fail(args->lock.program, EXIT_REFUSED,
						"%s: the lock was given back", err.text)
				      : EXIT_REFUSED;
}

static int take(const struct acquire_args *args, const char *path, struct lock_session *session)
{
	struct lock_wait wait;
	struct error err;
	int e, code;

	if (path && token_file_check(path, &err) < 0)
		return cli_fail(args->lock.program, EXIT_REFUSED, "%s", err.text);
	e = lock_wait_acquire(&wait, session, &err);
	code = e == 0            ? hand_over(args, path, session, &wait)
	       : e == -ECANCELED ? EXIT_REFUSED
				 : lock_session_fail(session, &err);
	if (wait.signal && code != EXIT_DONE) {
		lock_session_close(session);
		signals_die(wait.signal);
	}
	signals_give_back(&wait.signals);
	return code;
}

/* Only a lease ends a lock whose owner never ends. */
static int check_owner(const struct acquire_args *args, const struct claim *claim)
{
	if (claim->pid == 1 && args->lock.lease == 0 && args->owner == 0)
		return cli_fail(args->lock.program, EXIT_USAGE,
			"the caller is pid 1, which never ends: that needs a --lease, or another "
			"--owner-pid");
	return EXIT_DONE;
}

static int find_owner(const struct acquire_args *args, struct claim *claim)
{
	struct world world;
	struct error err;
	int e = world_open(&world, args->lock.proc_root, &clock_system, &err);

	if (e == 0) {
		e = owner_find(claim, &world, (int32_t)args->owner, &err);
		world_close(&world);
	}
	return e < 0 ? cli_fail(args->lock.program, EXIT_REFUSED, "%s", err.text)
		     : check_owner(args, claim);
}

static int run(const struct command *command, int argc, char **argv)
{
	struct acquire_args args = {0};
	struct claim claim = {.is_detached = true};
	struct lock_session session;
	char *path;
	int code;

	(void)command;
	lock_options_init(&args.lock, argv[0]);
	options_parse(&argp, argc, argv, 0, NULL, &args);
	code = find_owner(&args, &claim);
	if (code != EXIT_DONE)
		return code;
	/* A reader that is gone is an error of print(), after which the lock is given back. */
	signal(SIGPIPE, SIG_IGN);
	/* Whoever calls renew later may stand in another folder. */
	path = args.token_file ? folder_absolute(args.token_file) : NULL;
	if (args.token_file && !path)
		return cli_fail(argv[0], EXIT_REFUSED, "cannot find the token file %s: %s",
			args.token_file, strerror(errno));
	code = lock_session_open(&session, &args.lock, &claim);
	if (code == EXIT_DONE)
		code = take(&args, path, &session);
	lock_session_close(&session);
	free(path);
	return code;
}

const struct command command_acquire = {
	"acquire", "take a lock for a script or unit, and end", &argp, run};

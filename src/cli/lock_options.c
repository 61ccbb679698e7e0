/* The options that the commands which take locks share, and what they exit with. */
#include "config.h"
#include "cli/lock_options.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "cli/cli.h"

enum {
	OPT_CONFIG = 0x2000,
	OPT_READ_ONLY,
	OPT_PROC_ROOT,
	OPT_LEASE,
	OPT_STALE_AFTER,
	OPT_TAKEOVER,
	OPT_COMPAT,
	OPT_MODE,
	OPT_TIDY,
	OPT_WITH,
	OPT_FALLBACK,
	OPT_LOG,
	OPT_DEBUG,
};

enum { LEASE_S = 600, STALE_AFTER_S = 600, MODE = 0640 };

static const struct argp_option common_options[] = {
	{NULL, 0, NULL, 0, "Common to all commands:", -2},
	{NULL, 'h', NULL, 0, "the same as --help", -1},
	{"config", OPT_CONFIG, "FILE", 0, "read this configuration instead of the usual two files",
		0},
	{"read-only", OPT_READ_ONLY, NULL, 0, "refuse to take or give back anything", 0},
	{"proc-root", OPT_PROC_ROOT, "DIR", 0, "look at DIR/proc instead of /proc (tests)", 0},
	{0},
};

static const struct argp_option lock_only_options[] = {
	{NULL, 0, NULL, 0, "Waiting:", 1},
	{"nonblock", 'n', NULL, 0, "do not wait: exit with 75 when somebody has it", 0},
	{"nb", 0, NULL, OPTION_ALIAS, NULL, 0},
	{"wait", 'w', "DURATION", 0,
		"wait so long at most (without a terminal 120 s, on one for ever)", 0},
	{"timeout", 0, NULL, OPTION_ALIAS, NULL, 0},
	{"conflict-exit-code", 'E', "CODE", 0, "exit with this instead of 75", 0},
	{NULL, 0, NULL, 0, "The lock:", 2},
	{"lease", OPT_LEASE, "DURATION", 0,
		"it counts as expired when it was not renewed for so long (10m; 0: never)", 0},
	{"stale-after", OPT_STALE_AFTER, "DURATION", 0,
		"how old a plain pid|time record may become (10m)", 0},
	{"takeover", OPT_TAKEOVER, "POLICY", 0,
		"take over what is provably stale (proof), also what is older than --stale-after "
		"(limit), or nothing (never)",
		0},
	{"with", OPT_WITH, "ADDRESS", 0, "hold this lock too, all or none (repeatable)", 0},
	{"fallback", OPT_FALLBACK, "ADDRESS", 0,
		"use this when the one before cannot be reached; never when it is busy "
		"(repeatable)",
		0},
	{"compat", OPT_COMPAT, "FORM", 0, "strict: the record is exactly pid|time (lt1)", 0},
	{"mode", OPT_MODE, "OCTAL", 0, "of a lock file that is made (0640)", 0},
	{"tidy", OPT_TIDY, NULL, 0, "remove the lock file instead of emptying it", 0},
	{NULL, 0, NULL, 0, "Telling:", 3},
	{"log", OPT_LOG, "FILE", 0, "the metrics log; none: do not write one", 0},
	{"debug", OPT_DEBUG, NULL, 0, "write each step to standard error as a line of JSON", 0},
	{0},
};

static error_t parse_common(int key, char *arg, struct argp_state *state)
{
	struct lock_options *options = state->input;

	switch (key) {
	case 'h': argp_state_help(state, stdout, ARGP_HELP_STD_HELP); break;
	case OPT_CONFIG: options->config = arg; break;
	case OPT_READ_ONLY: options->is_read_only = true; break;
	case OPT_PROC_ROOT: options->proc_root = arg; break;
	default: return ARGP_ERR_UNKNOWN;
	}
	return 0;
}

const struct argp lock_common_argp = {common_options, parse_common, NULL, NULL, NULL, NULL, NULL};

static void to_duration(const char *arg, int64_t *out, struct argp_state *state)
{
	if (text_to_duration(arg, out) < 0 || *out < 0)
		argp_error(
			state, "no duration '%s', expected something like 90, 0.5, 10m or 2h", arg);
}

static void to_mode(const char *arg, mode_t *out, struct argp_state *state)
{
	char *end;
	unsigned long mode = strtoul(arg, &end, 8);

	/* Nobody can hold a lock by a file that its owner may not read and write. */
	if (*arg < '0' || *arg > '7' || *end || mode > 0777 || (mode & 0600) != 0600)
		argp_error(state, "no mode '%s', expected an octal number such as 0640", arg);
	*out = (mode_t)mode;
}

static void add_address(
	const char **list, size_t *n, const char *arg, const char *name, struct argp_state *state)
{
	if (*n < LOCK_ADDRESSES)
		list[(*n)++] = arg;
	else
		argp_error(state, "more than %d times --%s", LOCK_ADDRESSES, name);
}

static error_t parse_lock(int key, char *arg, struct argp_state *state)
{
	struct lock_options *options = state->input;
	int64_t number;
	int word;

	switch (key) {
	case ARGP_KEY_INIT: state->child_inputs[0] = options; break;
	case 'n': options->is_nonblocking = true; break;
	case 'w': to_duration(arg, &options->wait, state); break;
	case 'E':
		if (text_to_int(arg, 0, 255, &number) < 0)
			argp_error(state, "no exit code '%s', expected 0 to 255", arg);
		options->busy_code = (int)number;
		break;
	case OPT_LEASE:
		to_duration(arg, &options->lease, state);
		if (options->lease % NS_PER_S)
			argp_error(state, "a lease has whole seconds, not '%s'", arg);
		break;
	case OPT_STALE_AFTER: to_duration(arg, &options->stale_after, state); break;
	case OPT_TAKEOVER:
		word = takeover_from_word(arg);
		if (word < 0)
			argp_error(state, "no policy '%s', expected proof, limit or never", arg);
		options->takeover = (enum takeover)word;
		break;
	case OPT_COMPAT:
		if (strcmp(arg, "strict") != 0 && strcmp(arg, "lt1") != 0)
			argp_error(state, "no form '%s', expected lt1 or strict", arg);
		options->is_strict = strcmp(arg, "strict") == 0;
		break;
	case OPT_MODE: to_mode(arg, &options->mode, state); break;
	case OPT_TIDY: options->is_tidy = true; break;
	case OPT_WITH: add_address(options->with, &options->withs, arg, "with", state); break;
	case OPT_FALLBACK:
		add_address(options->fallback, &options->fallbacks, arg, "fallback", state);
		break;
	case OPT_LOG: options->log = arg; break;
	case OPT_DEBUG: options->is_debug = true; break;
	default: return ARGP_ERR_UNKNOWN;
	}
	return 0;
}

static const struct argp_child common_children_of_lock[] = {
	{&lock_common_argp, 0, NULL, -2},
	{0},
};

const struct argp lock_argp = {
	lock_only_options, parse_lock, NULL, NULL, common_children_of_lock, NULL, NULL};

const struct argp_child lock_children[] = {
	{&lock_argp, 0, NULL, 0},
	{0},
};

void lock_options_init(struct lock_options *options, const char *program)
{
	const char *debug = getenv("AISTMA_DEBUG_LOCKS");

	*options = (struct lock_options){
		.program = program,
		.wait = -1,
		.busy_code = EXIT_BUSY,
		.lease = LEASE_S * NS_PER_S,
		.stale_after = STALE_AFTER_S * NS_PER_S,
		.takeover = TAKEOVER_PROOF,
		.mode = MODE,
		.is_debug = debug && strcmp(debug, "1") == 0,
	};
}

int lock_exit_code(int code, int busy_code)
{
	switch (code) {
	case 0: return EXIT_DONE;
	case -EBUSY:
	case -ETIMEDOUT: return busy_code;
	case -ESTALE: return EXIT_LOST;
	case -EKEYREJECTED: return EXIT_NOT_OWNER;
	case -EINVAL:
	case -EEXIST:
	case -EPROTONOSUPPORT: return EXIT_USAGE;
	case -ENOMEM: return EXIT_SOFTWARE;
	default: return provider_is_unreachable(code) ? EXIT_UNREACHABLE : EXIT_REFUSED;
	}
}

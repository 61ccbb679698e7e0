/*
 * `locktop check`, also called check_locktop: a plugin for Nagios, Icinga and Checkmk. Whatever
 * happens is told on standard output, and the exit code is 0 to 3. A look: nothing is taken or
 * changed, and nothing is asked.
 */
#include "config.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/text.h"
#include "base/uri.h"
#include "cli/check.h"
#include "cli/cli.h"
#include "cli/log_options.h"
#include "cli/session.h"

enum {
	OPT_WAIT_WARNING = 0x2000,
	OPT_WAIT_CRITICAL,
	OPT_STALE_WARNING,
	OPT_STALE_CRITICAL,
	OPT_CHECKMK,
	OPT_HELP,
	OPT_USAGE,
};

enum { ADDRESS_MAX = 4096 };

struct check_args {
	struct common common;
	struct log_options log;
	struct check_levels levels;
	int64_t timeout; /* ns */
	bool is_verbose, is_checkmk;
	char **target;
	size_t n;
};

#define AGE   "age of the oldest hold, in seconds"
#define WAIT  "95th percentile of the waits, in seconds"
#define STALE "how many locks are provably stale"

static const struct argp_option options[] = {
	{"warning", 'w', "RANGE", 0, "warning: " AGE, 0},
	{"critical", 'c', "RANGE", 0, "critical: " AGE, 0},
	{"wait-warning", OPT_WAIT_WARNING, "RANGE", 0, "warning: " WAIT, 0},
	{"wait-critical", OPT_WAIT_CRITICAL, "RANGE", 0, "critical: " WAIT, 0},
	{"stale-warning", OPT_STALE_WARNING, "RANGE", 0, "warning: " STALE, 0},
	{"stale-critical", OPT_STALE_CRITICAL, "RANGE", 0, "critical: " STALE, 0},
	{"timeout", 't', "SECONDS", 0, "give up after that long (10)", 0},
	{"verbose", 'v', NULL, 0, "name the locks that are well, too", 0},
	{"checkmk", OPT_CHECKMK, NULL, 0, "print a line a lock, as a local check of Checkmk", 0},
	{"help", OPT_HELP, NULL, 0, "print this help", -1},
	{NULL, 'h', NULL, 0, "the same as --help", -1},
	{"usage", OPT_USAGE, NULL, 0, "print a short reminder", -1},
	{"version", 'V', NULL, 0, "print the version", -1},
	{0},
};

static const struct argp_child children[] = {LOG_CHILDREN, {0}};

static void parse_range(struct nagios_range *range, const char *arg, struct argp_state *state)
{
	if (nagios_range_parse(range, arg) < 0)
		argp_error(state,
			"no range '%s', expected something like 10, 10:, ~:10, 10:20 or @10:20",
			arg);
}

static void parse_timeout(int64_t *timeout, const char *arg, struct argp_state *state)
{
	if (text_to_duration(arg, timeout) < 0 || *timeout < NS_PER_S || *timeout > 3600 * NS_PER_S)
		argp_error(state, "no timeout '%s', expected 1 to 3600 seconds", arg);
}

/* Help and version are no service that is well: 3. */
static void help(struct argp_state *state, unsigned int flags)
{
	argp_state_help(state, stdout, flags & ~(unsigned int)ARGP_HELP_EXIT_OK);
	exit(SERVICE_UNKNOWN);
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct check_args *args = state->input;
	struct check_levels *levels = &args->levels;

	switch (key) {
	case ARGP_KEY_INIT:
		state->child_inputs[0] = &args->common;
		state->child_inputs[1] = &args->log;
		return 0;
	case 'w': parse_range(&levels->age.warning, arg, state); return 0;
	case 'c': parse_range(&levels->age.critical, arg, state); return 0;
	case OPT_WAIT_WARNING: parse_range(&levels->wait.warning, arg, state); return 0;
	case OPT_WAIT_CRITICAL: parse_range(&levels->wait.critical, arg, state); return 0;
	case OPT_STALE_WARNING: parse_range(&levels->stale.warning, arg, state); return 0;
	case OPT_STALE_CRITICAL: parse_range(&levels->stale.critical, arg, state); return 0;
	case 't': parse_timeout(&args->timeout, arg, state); return 0;
	case 'v': args->is_verbose = true; return 0;
	case OPT_CHECKMK: args->is_checkmk = true; return 0;
	case 'h':
	case OPT_HELP: help(state, ARGP_HELP_STD_HELP); return 0;
	case OPT_USAGE: help(state, ARGP_HELP_USAGE); return 0;
	case 'V': argp_program_version_hook(stdout, state); exit(SERVICE_UNKNOWN);
	case ARGP_KEY_ARGS:
		args->target = state->argv + state->next;
		args->n = (size_t)(state->argc - state->next);
		return 0;
	case ARGP_KEY_END:
		if (args->common.format != FORMAT_NONE || args->common.fields)
			argp_error(
				state, "it prints what a plugin prints; see locktop ls for more");
		return 0;
	default: return ARGP_ERR_UNKNOWN;
	}
}

static const struct argp argp = {options, parse, "[ADDRESS|SOURCE...]",
	"Checks locks for Nagios, Icinga or Checkmk: critical if one is stale or overdue, unless "
	"ranges say otherwise.\vA RANGE is [@]START:END and alerts outside of it, with @ inside.",
	children, NULL, NULL};

/* What to look at, and what it was called. */
struct target {
	size_t source;          /* NO_SOURCE: there is no such file, so nobody has to be asked */
	struct address address; /* name NULL: all of the source */
};

#define NO_SOURCE SIZE_MAX

struct look {
	struct check check;
	const struct check_args *args;
	struct session *session;
	struct target *target; /* owned */
	size_t n;
	struct metrics metrics;
};

/* "kernel:flock:/run/x" is a lock, and so is a name in the default source. */
static bool is_address(const char *text)
{
	const char *inner = strncmp(text, "ssh:", 4) == 0 ? strstr(text, ":kernel:") : NULL;

	if (!strchr(text, '/') && !strchr(text, ':'))
		return access(text, F_OK) != 0;
	inner = inner ? inner + 1 : text;
	return strncmp(inner, "kernel:", 7) == 0 && inner[7];
}

/* The last part of a path, as locks are named; NULL out of memory. */
static char *name_of(const char *path)
{
	const char *slash = strrchr(path, '/');
	const char *name = slash ? slash + 1 : path;

	return text_clean_dup(name, strlen(name));
}

/* Is the folder of a path there, so that a file in it could be? */
static bool has_folder(const char *path)
{
	const char *slash = strrchr(path, '/');
	char *folder = slash ? strndup(path, (size_t)(slash - path) + 1) : strdup(".");
	struct stat st;
	bool is_there = folder && stat(folder, &st) == 0;

	free(folder);
	return is_there && (!slash || slash[1]);
}

/* A path that is no folder is one lock, whether it is there or not. */
static int target_of_path(struct target *target, const char *text, struct error *err)
{
	struct uri uri;
	struct stat st;
	int e = uri_parse(&uri, text, err);

	if (e < 0)
		return e;
	target->address.uri = strdup(text);
	if (!target->address.uri)
		e = -ENOMEM;
	else if (strcmp(uri.scheme, "file") != 0 || uri.params)
		e = 0;
	else if (stat(uri.path, &st) == 0 ? !S_ISDIR(st.st_mode)
					  : errno == ENOENT && has_folder(uri.path)) {
		/* Who asks for "import" may mean a folder: only where it is not there it is clear.
		 */
		if (lstat(uri.path, &st) < 0)
			target->source = NO_SOURCE;
		target->address.name = name_of(uri.path);
		e = target->address.name ? 0 : -ENOMEM;
	}
	uri_release(&uri);
	return e < 0 ? error_sys(err, e, "cannot look at %s", text) : 0;
}

static int add_target(struct look *look, const char *text, struct error *err)
{
	struct target *target = &look->target[look->n++];
	char *path = NULL;
	int e;

	/* A lock on a file is looked at as the file. */
	if (strncmp(text, "flock:", 6) == 0 && asprintf(&path, "file:%s", text + 6) < 0)
		return error_sys(err, -ENOMEM, "cannot look at %s", text);
	if (is_address(text))
		e = address_parse(&target->address, text, &look->session->settings, err);
	else
		e = target_of_path(target, path ? path : text, err);
	free(path);
	if (e == 0 && target->source != NO_SOURCE) {
		e = session_add(look->session, target->address.uri, err);
		if (e >= 0)
			target->source = (size_t)e;
	}
	return e < 0 ? e : 0;
}

static int add_targets(struct look *look, struct error *err)
{
	int e = 0;

	look->target = calloc(look->args->n + 1, sizeof *look->target);
	if (!look->target)
		return error_sys(err, -ENOMEM, "cannot check");
	look->session->only_locks = true;
	look->session->takes_faults = true;
	if (look->args->n == 0)
		e = session_sources(look->session, NULL, 0, err);
	for (size_t i = 0; e == 0 && i < look->args->n; i++)
		e = add_target(look, look->args->target[i], err);
	return e;
}

static int add_entry(struct look *look, const struct entry *entry, bool is_named)
{
	char address[ADDRESS_MAX];

	model_address(address, sizeof address, &look->session->model, entry);
	return check_add(&look->check, strdup(address), entry, is_named);
}

static int add_source(struct look *look, size_t source)
{
	const struct model_source *from = &look->session->model.source[source];
	int e = 0;

	for (size_t i = 0; e == 0 && from->is_complete && i < from->n; i++)
		e = add_entry(look, from->entry[i], false);
	return e;
}

/* What to call a lock that is not there. */
static char *missing_address(const struct target *target)
{
	const char *uri = target->address.uri;
	char *address;

	if (target->source != NO_SOURCE) {
		if (asprintf(&address, "%s%s%s", uri, uri[strlen(uri) - 1] == ':' ? "" : "/",
			    target->address.name) < 0)
			return NULL;
		return address;
	}
	if (strncmp(uri, "file:", 5) == 0)
		uri += 5;
	return text_clean_dup(uri, strlen(uri));
}

/* A lock that was named: nobody has one that is not there. */
static int add_named(struct look *look, const struct target *target)
{
	const struct model *model = &look->session->model;
	const struct entry *entry = NULL;

	if (target->source != NO_SOURCE) {
		if (!model->source[target->source].is_complete)
			return 0;
		entry = model_find(model, target->source, target->address.name);
	}
	if (entry)
		return add_entry(look, entry, true);
	return check_add(&look->check, missing_address(target), NULL, true);
}

static int add_locks(struct look *look)
{
	int e = 0;

	if (look->n == 0)
		for (size_t i = 0; e == 0 && i < look->session->model.sources; i++)
			e = add_source(look, i);
	for (size_t i = 0; e == 0 && i < look->n; i++)
		e = look->target[i].address.name ? add_named(look, &look->target[i])
						 : add_source(look, look->target[i].source);
	return e;
}

/* The log. */

/* Is that series of a lock that was asked for, be it there or not? */
static bool is_asked(const struct look *look, const struct series *series)
{
	const struct model *model = &look->session->model;
	char address[ADDRESS_MAX];

	for (size_t i = 0; i < look->check.n; i++)
		if (look->check.lock[i].is_named &&
			strcmp(look->check.lock[i].address, series->address) == 0)
			return true;
	for (size_t i = 0; i < look->n; i++) {
		if (look->target[i].address.name)
			continue;
		metrics_address(address, sizeof address, model->source[look->target[i].source].uri,
			series->lock);
		if (strcmp(address, series->address) == 0)
			return true;
	}
	return false;
}

static int tally_asked(const struct look *look, struct tally *tally)
{
	size_t n;
	const struct series **series = metrics_sorted(&look->metrics, &n);
	int e = series || n == 0 ? 0 : -ENOMEM;

	if (look->n == 0)
		e = tally_merge(tally, &look->metrics.all.total);
	for (size_t i = 0; e == 0 && look->n && i < n; i++)
		if (is_asked(look, series[i]))
			e = tally_merge(tally, &series[i]->total);
	free(series);
	return e;
}

static bool wants_waits(const struct check_args *args)
{
	return args->levels.wait.warning.text || args->levels.wait.critical.text || args->log.logs;
}

static int read_log(struct look *look)
{
	struct check *check = &look->check;
	struct log_reading reading;
	struct tally tally = {0};
	struct error err;
	int e = log_reading_open(&reading, &look->args->log, &look->session->settings,
		look->session->model.now_wall, &err);

	if (e == 0)
		e = log_reading_run(&reading, &look->metrics, &err);
	log_reading_close(&reading);
	if (e < 0 && wants_waits(look->args))
		snprintf(check->problem, sizeof check->problem, "%s", err.text);
	if (e < 0)
		return 0;
	e = tally_asked(look, &tally);
	if (e == 0)
		check->wait = histogram_percentiles(&tally.wait);
	tally_release(&tally);
	return e;
}

/* The end. */

/* What is printed when time is up, wherever that is noticed. */
static char late_text[128];
static int late_code;

static void on_alarm(int signal)
{
	(void)signal;
	if (write(STDOUT_FILENO, late_text, strlen(late_text)) < 0)
		_exit(SERVICE_UNKNOWN);
	_exit(late_code);
}

static void arm(const struct check_args *args)
{
	const struct itimerval timer = {
		.it_value = {args->timeout / NS_PER_S, args->timeout % NS_PER_S / 1000}};
	char text[32];

	text_duration(text, sizeof text, args->timeout);
	snprintf(late_text, sizeof late_text, "%s no answer within %s\n",
		args->is_checkmk ? "3 \"Lock check\" -" : "LOCK UNKNOWN:", text);
	late_code = args->is_checkmk ? SERVICE_OK : SERVICE_UNKNOWN;
	signal(SIGALRM, on_alarm);
	setitimer(ITIMER_REAL, &timer, NULL);
}

/* It is printed; what is left to do may take as long as it likes, but not for ever. */
static void disarm(int code)
{
	late_text[0] = '\0';
	late_code = code;
}

static int unknown(const struct check_args *args, const char *text)
{
	struct buf out = {0};

	buf_adds(&out, args->is_checkmk ? "3 \"Lock check\" - " : "LOCK UNKNOWN: ");
	check_add_text(&out, text);
	puts(buf_text(&out));
	buf_release(&out);
	return args->is_checkmk ? SERVICE_OK : SERVICE_UNKNOWN;
}

static int print(const struct look *look)
{
	struct buf out = {0};
	int code = look->args->is_checkmk ? SERVICE_OK : (int)look->check.service;

	if (look->args->is_checkmk)
		check_write_checkmk(&look->check, &out);
	else
		check_write(&look->check, look->args->is_verbose, &out);
	if (buf_failed(&out) < 0)
		code = unknown(look->args, strerror(ENOMEM));
	else
		fputs(buf_text(&out), stdout);
	buf_release(&out);
	return code;
}

static int look_and_print(struct look *look)
{
	const struct check_args *args = look->args;
	struct error err;
	int e = add_targets(look, &err);

	if (e < 0)
		return unknown(args, err.text);
	look->check.patience = args->timeout;
	/* Before the alarm, so that what answered is told. */
	e = session_gather(look->session, args->timeout - args->timeout / 10);
	if (e == 0)
		e = metrics_init(&look->metrics, METRICS_TOTALS, 0, 0);
	if (e == 0)
		e = add_locks(look);
	if (e == 0)
		e = read_log(look);
	if (e < 0)
		return unknown(args, strerror(-e));
	check_judge(&look->check);
	return print(look);
}

static int check(const struct check_args *args)
{
	struct session session;
	struct look look = {
		.args = args,
		.session = &session,
		.check = {.model = &session.model, .levels = &args->levels},
	};
	struct error err;
	int e, code;

	arm(args);
	e = session_open(&session, &args->common, &err);
	if (e == 0)
		e = session_start(&session, true, &err);
	code = e < 0 ? unknown(args, err.text) : look_and_print(&look);
	fflush(stdout);
	disarm(code);
	for (size_t i = 0; i < look.n; i++)
		address_release(&look.target[i].address);
	free(look.target);
	check_release(&look.check);
	metrics_release(&look.metrics);
	session_close(&session);
	return code;
}

static int run(const struct command *command, int argc, char **argv)
{
	struct check_args args = {.common.format = FORMAT_NONE, .timeout = 10 * NS_PER_S};
	int stderr_fd = dup(STDERR_FILENO);

	(void)command;
	log_options_init(&args.log, 3600 * NS_PER_S);
	/* Of a plugin nobody sees more than standard output: mistakes are told there, too. */
	dup2(STDOUT_FILENO, STDERR_FILENO);
	argp_err_exit_status = SERVICE_UNKNOWN;
	argp_parse(&argp, argc, argv, ARGP_NO_HELP, NULL, &args);
	dup2(stderr_fd, STDERR_FILENO);
	close(stderr_fd);
	return check(&args);
}

const struct command command_check = {
	"check", "a plugin for Nagios, Icinga and Checkmk", &argp, run};

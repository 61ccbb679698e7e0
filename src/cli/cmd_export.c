/* `locktop export --prometheus`: locks and the metrics log as numbers for a monitoring system. */
#include "config.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/text.h"
#include "cli/cli.h"
#include "cli/log_options.h"
#include "cli/session.h"
#include "model/prometheus.h"
#include "system/outfile.h"

enum { OPT_PROMETHEUS = 0x2000, OPT_MAX_LOCKS };

struct export_args {
	struct common common;
	struct log_options log;
	bool is_prometheus;
	const char *output; /* NULL: standard output */
	size_t locks_max;
	char **sources;
	size_t n;
};

static const struct argp_option options[] = {
	{"prometheus", OPT_PROMETHEUS, NULL, 0, "in the text format of Prometheus", 0},
	{"output", 'o', "FILE", 0, "replace this file as a whole, instead of printing", 0},
	{"max-locks", OPT_MAX_LOCKS, "N", 0, "of more locks print only sums (1000)", 0},
	{0},
};

static const struct argp_child children[] = {
	{&common_argp, 0, NULL, -2},
	{&log_file_argp, 0, NULL, 0},
	{0},
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct export_args *args = state->input;
	int64_t number;

	switch (key) {
	case ARGP_KEY_INIT:
		state->child_inputs[0] = &args->common;
		state->child_inputs[1] = &args->log;
		return 0;
	case OPT_PROMETHEUS: args->is_prometheus = true; return 0;
	case 'o': args->output = strcmp(arg, "-") == 0 ? NULL : arg; return 0;
	case OPT_MAX_LOCKS:
		if (text_to_int(arg, 0, 1000000, &number) < 0)
			argp_error(state, "no number '%s' of locks, expected 0 to 1000000", arg);
		args->locks_max = (size_t)number;
		return 0;
	case ARGP_KEY_ARGS:
		args->sources = state->argv + state->next;
		args->n = (size_t)(state->argc - state->next);
		return 0;
	case ARGP_KEY_END:
		if (!args->is_prometheus)
			argp_error(state, "in which format? --prometheus is the one there is");
		if (args->common.format != FORMAT_NONE || args->common.fields)
			argp_error(state, "--prometheus is a format; see locktop ls for others");
		return 0;
	default: return ARGP_ERR_UNKNOWN;
	}
}

static const struct argp argp = {options, parse, "[SOURCE...]",
	"Prints the state of locks, and what the metrics log says of them, for a monitoring "
	"system. Looks only: nothing is taken or changed.",
	children, NULL, NULL};

/*
 * Fills metrics. False: no log could be read, so that nothing is known. One that is not there yet
 * was read: nothing has happened; it is told of only if somebody named it.
 */
static bool read_log(const char *program, const struct export_args *args,
	const struct session *session, struct metrics *metrics)
{
	struct log_reading reading;
	struct error err;
	int e = log_reading_open(
		&reading, &args->log, &session->settings, session->model.now_wall, &err);
	bool is_off = e == 0 && reading.read.logs == 0;

	if (e == 0 && !is_off)
		e = log_reading_run(&reading, metrics, &err);
	if (e < 0 && (e != -ENOENT || args->log.logs))
		cli_fail(program, 0, "%s", err.text);
	else if (args->log.logs && reading.read.missing[0])
		cli_fail(program, 0, "there is no log %s", reading.read.missing);
	log_reading_close(&reading);
	return !is_off && (e == 0 || e == -ENOENT);
}

static int print(const char *program, const struct buf *out)
{
	fputs(buf_text(out), stdout);
	if (fflush(stdout) == 0 || errno == EPIPE)
		return EXIT_DONE;
	return cli_fail(program, EXIT_REFUSED, "cannot print: %s", strerror(errno));
}

static int put(const char *program, const struct export_args *args, const struct buf *out)
{
	struct error err;
	int e;

	if (!args->output)
		return print(program, out);
	e = outfile_write(args->output, buf_text(out), out->len, 0644, &err);
	return e < 0 ? cli_fail(program, EXIT_REFUSED, "%s", err.text) : EXIT_DONE;
}

static int export(const char *program, struct session *session, void *data)
{
	const struct export_args *args = data;
	struct metrics metrics;
	struct buf out = {0};
	struct prometheus prometheus = {
		.model = &session->model,
		.version = PACKAGE_VERSION,
		.locks_max = args->locks_max,
	};
	struct error err;
	int e, code;

	session->only_locks = true;
	session->takes_faults = true;
	e = session_sources(session, args->sources, args->n, &err);
	if (e < 0)
		return cli_fail(program, cli_exit_code(e), "%s", err.text);
	e = metrics_init(&metrics, METRICS_TOTALS, 0, 0);
	if (e == 0)
		e = session_gather(session, 0);
	if (e == 0) {
		/* That a source is down is a sample, too, and no reason to write nothing. */
		session_complain(session, program);
		if (read_log(program, args, session, &metrics))
			prometheus.metrics = &metrics;
		e = prometheus_write(&prometheus, &out);
	}
	if (e < 0)
		code = cli_fail(program, cli_exit_code(e), "cannot export: %s", strerror(-e));
	else
		code = put(program, args, &out);
	buf_release(&out);
	metrics_release(&metrics);
	return code;
}

static int run(const struct command *command, int argc, char **argv)
{
	struct export_args args = {
		.common.format = FORMAT_NONE,
		.locks_max = PROMETHEUS_LOCKS,
	};

	(void)command;
	log_options_init(&args.log, 0);
	options_parse(&argp, argc, argv, 0, NULL, &args);
	return session_run(argv[0], &args.common, true, export, &args);
}

const struct command command_export = {"export", "numbers for a monitoring system", &argp, run};

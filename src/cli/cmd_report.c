/* `locktop report`: the numbers of a time, from the metrics logs. */
#include "config.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "base/text.h"
#include "cli/cli.h"
#include "cli/log_options.h"
#include "cli/print.h"
#include "cli/report.h"
#include "cli/session.h"

enum { OPT_SORT = 0x2000, OPT_BY, OPT_CSV };

#define USUAL_WINDOW (24 * 3600 * NS_PER_S)

struct report_args {
	struct common common;
	struct log_options log;
	enum report_by by;
	int sort;
	char **picks;
	size_t n;
};

static const struct argp_option options[] = {
	{"sort", OPT_SORT, "FIELD", 0, "order by a figure, the most first, or by name", 0},
	{"by", OPT_BY, "WHAT", 0, "a row for each lock, source or backend", 0},
	{"csv", OPT_CSV, NULL, 0, "the same as --format=csv", 0},
	{0},
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct report_args *args = state->input;
	int by;

	switch (key) {
	case ARGP_KEY_INIT:
		state->child_inputs[0] = &args->common;
		state->child_inputs[1] = &args->log;
		return 0;
	case OPT_SORT:
		args->sort = strcmp(arg, "name") == 0 ? REPORT_SORT_NAME : figure_from_word(arg);
		if (args->sort < 0 && strcmp(arg, "name") != 0)
			argp_error(state,
				"no figure '%s' to sort by, expected name, failed, wait_p95, stale "
				"or another column of --csv",
				arg);
		return 0;
	case OPT_CSV: args->common.format = FORMAT_CSV; return 0;
	case OPT_BY:
		by = text_word(report_by_word, REPORT_BY_COUNT, arg);
		if (by < 0)
			argp_error(state, "no rows by '%s', expected lock, source or backend", arg);
		args->by = (enum report_by)by;
		return 0;
	case ARGP_KEY_ARGS:
		args->picks = state->argv + state->next;
		args->n = (size_t)(state->argc - state->next);
		return 0;
	case ARGP_KEY_END:
		if (args->common.fields)
			argp_error(state, "--fields is for lists of locks; a report has them all");
		return 0;
	default: return ARGP_ERR_UNKNOWN;
	}
}

static const struct argp_child children[] = {LOG_CHILDREN, {0}};

static const struct argp argp = {options, parse, "[ADDRESS...]",
	"Prints how long locks were waited for and held, how often they were not acquired, and how "
	"often they were stale: of all locks in the metrics logs, or of those that are named, by "
	"address, source or kind of source.",
	children, NULL, NULL};

static int print_report(const struct report *report, enum format format)
{
	struct buf out = {0};
	int e = -ENOMEM;

	switch (format) {
	case FORMAT_JSON: e = print_json(&out, report_to_json(report)); break;
	case FORMAT_CSV: e = report_csv(report, &out); break;
	case FORMAT_IDS: e = report_ids(report, &out); break;
	case FORMAT_NONE:
	case FORMAT_TABLE: e = report_table(report, print_cols(), &out); break;
	}
	if (e == 0)
		e = print_out(&out);
	buf_release(&out);
	return e;
}

/* Is each of those that were asked for there? Tells of those that are not. */
static bool all_were_found(const char *program, const struct report *report)
{
	bool is_good = true;

	for (size_t i = 0; i < report->picks->n; i++) {
		if (report->found[i])
			continue;
		cli_fail(program, 0, "no line of these %s is about %s",
			report->since ? report->window : "logs", report->picks->pick[i].text);
		is_good = false;
	}
	return is_good;
}

static void say_empty(const struct report *report)
{
	char since[32], until[32];

	printf("Nothing happened from %s to %s: the logs have no line of that time\n",
		report->since ? text_time(since, sizeof since, report->since) : "the beginning",
		text_time(until, sizeof until, report->until));
}

static int show(const char *program, const struct report_args *args, struct report *report)
{
	bool is_table = args->common.format == FORMAT_NONE || args->common.format == FORMAT_TABLE;
	int e = report_make(report);

	if (e == 0 && !all_were_found(program, report))
		return EXIT_REFUSED;
	if (e == 0 && is_table && report->read->lines == 0)
		say_empty(report);
	else if (e == 0)
		e = print_report(report, args->common.format);
	if (e < 0 && e != -EPIPE)
		return cli_fail(program, cli_exit_code(e), "cannot print: %s", strerror(-e));
	return EXIT_DONE;
}

/* What nobody asked for takes no room. */
struct picking {
	const struct log_picks *picks;
	struct metrics *metrics;
};

static int on_line(void *data, const struct metric *metric)
{
	struct picking *picking = data;

	if (!log_picks_have(picking->picks, metric->source, metric->lock, metric->backend))
		return 0;
	return metrics_add(picking->metrics, metric);
}

static int read_logs(struct log_reading *reading, const struct log_picks *picks,
	struct metrics *metrics, struct error *err)
{
	struct picking picking = {picks, metrics};
	int e;

	reading->read.line = on_line;
	reading->read.data = &picking;
	e = log_reading_run(reading, NULL, err);
	return e == -ENOMEM ? error_sys(err, e, "cannot count") : e;
}

static int read_and_show(
	const char *program, const struct report_args *args, struct session *session)
{
	wall_t now = clock_wall(&session->clock);
	struct log_reading reading = {0};
	struct log_picks picks = {0};
	struct metrics metrics = {0};
	struct error err;
	int code, e;

	e = log_picks_init(&picks, args->picks, args->n, &session->settings, &err);
	if (e == 0)
		e = log_reading_open(&reading, &args->log, &session->settings, now, &err);
	if (e == 0 && (e = metrics_init(&metrics, METRICS_TOTALS, 0, 0)) < 0)
		error_sys(&err, e, "cannot count");
	if (e == 0)
		e = read_logs(&reading, &picks, &metrics, &err);
	if (e < 0) {
		code = cli_fail(program, cli_exit_code(e), "%s", err.text);
	} else {
		struct report report = {
			.metrics = &metrics,
			.read = &reading.read,
			.picks = &picks,
			.since = reading.read.since,
			.until = reading.read.until ? reading.read.until : now,
			.now = now,
			.window = args->log.since.text,
			.host = session->here.host,
			.by = args->by,
			.sort = args->sort,
		};

		log_reading_complain(&reading, program);
		code = show(program, args, &report);
		report_release(&report);
	}
	metrics_release(&metrics);
	log_reading_close(&reading);
	log_picks_release(&picks);
	return code;
}

static int run(const struct command *command, int argc, char **argv)
{
	struct report_args args = {.common.format = FORMAT_NONE, .sort = REPORT_SORT_NAME};
	struct session session;
	struct error err;
	int e, code;

	(void)command;
	log_options_init(&args.log, USUAL_WINDOW);
	options_parse(&argp, argc, argv, 0, NULL, &args);
	e = session_open(&session, &args.common, &err);
	code = e < 0 ? cli_fail(argv[0], cli_exit_code(e), "%s", err.text)
		     : read_and_show(argv[0], &args, &session);
	session_close(&session);
	return code;
}

const struct command command_report = {
	"report", "waits, holds, failures and stale locks of a time", &argp, run};

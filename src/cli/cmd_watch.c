/*
 * `locktop watch`: what happens to locks, as text for a pipe. With --metrics from the metrics log,
 * else the same as `locktop --plain`.
 *
 * The logs are looked at five times a second, on this thread: a place that does not answer (NFS)
 * blocks it there. So signals are caught only while it waits, and have their own way while it
 * reads: who presses Ctrl-C ends it in any case.
 */
#include "config.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "base/error.h"
#include "base/text.h"
#include "cli/cli.h"
#include "cli/log_options.h"
#include "cli/log_pick.h"
#include "cli/print.h"
#include "cli/session.h"
#include "cli/watch.h"
#include "model/metric_read.h"
#include "system/logtail.h"

enum { OPT_METRICS = 0x2000 };

#define PACE           (200 * NS_PER_MS)
#define USUAL_INTERVAL (10 * NS_PER_S)

/* So many lines of a log, then it looks at the time: a writer may be faster for a while. */
enum { BATCH = 10000 };

struct watch_args {
	struct common common;
	struct log_options log;
	bool metrics;
	int64_t delay; /* -d, ns; 0: not said */
	int64_t count; /* -n; 0: for ever */
	char **picks;
	size_t n;
};

static const struct argp_option options[] = {
	{"metrics", OPT_METRICS, NULL, 0, "follow the metrics log instead of the locks", 0},
	{"delay", 'd', "SECONDS", 0, "with --metrics: the length of an interval (10s)", 0},
	{"count", 'n', "N", 0, "with --metrics: end after N intervals", 0},
	{0},
};

static void check_args(const struct watch_args *args, struct argp_state *state)
{
	if (args->common.format == FORMAT_CSV || args->common.format == FORMAT_IDS)
		argp_error(state, "what happens is told as text or with --json");
	if (args->common.fields)
		argp_error(state, "--fields is for lists of locks");
	if (args->metrics)
		return;
	if (args->delay || args->count || args->log.logs)
		argp_error(state, "-d, -n and --log go with --metrics");
	if (args->common.format == FORMAT_JSON)
		argp_error(
			state, "--json goes with --metrics; for locks as JSON see locktop source");
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct watch_args *args = state->input;

	switch (key) {
	case ARGP_KEY_INIT:
		state->child_inputs[0] = &args->common;
		state->child_inputs[1] = &args->log;
		return 0;
	case OPT_METRICS: args->metrics = true; return 0;
	case 'd':
		if (text_to_duration(arg, &args->delay) < 0 || args->delay < 100 * NS_PER_MS)
			argp_error(state, "no interval '%s', expected seconds, 0.1 or more", arg);
		return 0;
	case 'n':
		if (text_to_int(arg, 1, 1000000000, &args->count) < 0)
			argp_error(state, "no count '%s', expected 1 or more", arg);
		return 0;
	case ARGP_KEY_ARGS:
		args->picks = state->argv + state->next;
		args->n = (size_t)(state->argc - state->next);
		return 0;
	case ARGP_KEY_END: check_args(args, state); return 0;
	default: return ARGP_ERR_UNKNOWN;
	}
}

static const struct argp_child children[] = {
	{&common_argp, 0, NULL, -2},
	{&log_file_argp, 0, NULL, 0},
	{0},
};

static const struct argp argp = {options, parse, "[SOURCE|ADDRESS...]",
	"Tells what happens to locks, a line at a time: changes of their state, or with --metrics "
	"what the metrics log says of waits, holds, failures and stale locks.",
	children, NULL, NULL};

/* A log that is followed. */
struct followed {
	struct logtail tail;
	struct metric_reader reader;
	int complaint; /* what was told of it last, -errno; 0: it is read */
	uint64_t lost; /* lines that were too long or torn, so far */
};

struct watching {
	const char *program;
	const struct watch_args *args;
	const struct clock *clock;
	struct log_picks picks;
	struct followed *log; /* owned */
	size_t logs;
	wall_t began;
	bool is_new;    /* what stood in the logs before was read over */
	bool is_behind; /* there is more to be read at once */
	struct metrics metrics;
	uint64_t bad;
	struct buf out;
	sigset_t signals;
	int signal_fd;
};

static bool is_json(const struct watching *watching)
{
	return watching->args->common.format == FORMAT_JSON;
}

/* --- lines --- */

static int take(struct watching *watching, const struct metric *metric)
{
	int e;

	if (!watching->is_new && metric->ts < watching->began)
		return 0;
	if (!log_picks_have(&watching->picks, metric->source, metric->lock, metric->backend))
		return 0;
	e = metrics_add(&watching->metrics, metric);
	if (e == 0 && watch_is_told(metric->event)) {
		buf_clear(&watching->out);
		e = watch_event(metric, is_json(watching), &watching->out);
		if (e == 0)
			e = print_out(&watching->out);
	}
	return e;
}

static int take_line(struct watching *watching, struct followed *log, char *line, size_t len)
{
	struct metric metric;
	int e = metric_read(&log->reader, line, len, &metric);

	if (e == -EINVAL) {
		watching->bad += watching->is_new;
		return 0;
	}
	return e > 0 ? take(watching, &metric) : e;
}

static void count_lost(struct watching *watching, struct followed *log)
{
	uint64_t lost = log->tail.too_long + log->tail.torn;

	if (watching->is_new)
		watching->bad += lost - log->lost;
	log->lost = lost;
}

/* What is there now, but no more than a batch. 0, or -errno of what ends it all. */
static int read_log(struct watching *watching, struct followed *log)
{
	struct error err;
	char *line;
	size_t len, n = 0;
	int got = 1;

	while (n < BATCH && (got = logtail_next(&log->tail, &line, &len, &err)) > 0) {
		int e = take_line(watching, log, line, len);

		if (e < 0)
			return e;
		n++;
	}
	count_lost(watching, log);
	watching->is_behind |= n == BATCH;
	if (got < 0 && got != log->complaint)
		cli_fail(watching->program, 0, "%s", err.text);
	log->complaint = got < 0 ? got : 0;
	return got == -ENOMEM ? got : 0;
}

static int read_logs(struct watching *watching)
{
	int e = 0;

	watching->is_behind = false;
	for (size_t i = 0; i < watching->logs && e == 0; i++)
		e = read_log(watching, &watching->log[i]);
	watching->is_new = watching->is_new || !watching->is_behind;
	return e;
}

/* --- logs --- */

static int add_log(struct watching *watching, const char *path, struct error *err)
{
	struct followed *log =
		reallocarray(watching->log, watching->logs + 1, sizeof *watching->log);
	int e;

	if (!log)
		return error_sys(err, -ENOMEM, "cannot follow %s", path);
	watching->log = log;
	log += watching->logs;
	*log = (struct followed){0};
	e = logtail_init(&log->tail, path);
	if (e < 0)
		return error_sys(err, e, "cannot follow %s", path);
	watching->logs++;
	e = logtail_open(&log->tail, watching->began, metric_read_time, err);
	if (e != -ENOENT)
		return e;
	cli_fail(watching->program, 0, "there is no metrics log %s yet: waiting for it", path);
	return 0;
}

static int add_logs(struct watching *watching, const char *pattern, struct error *err)
{
	char **files = logtail_files(pattern, false);
	int e = files ? 0 : error_sys(err, -ENOMEM, "cannot follow %s", pattern);

	for (size_t i = 0; e == 0 && files[i]; i++)
		e = add_log(watching, files[i], err);
	/* What is no file yet can become one, but which names a pattern may have nobody knows. */
	if (e == 0 && !files[0])
		e = strpbrk(pattern, "*?[") ? error_set(err, -ENOENT, "no log is named %s", pattern)
					    : add_log(watching, pattern, err);
	logtail_files_free(files);
	return e;
}

static int open_logs(struct watching *watching, const struct settings *settings, struct error *err)
{
	struct log_reading reading;
	int e = log_reading_open(&reading, &watching->args->log, settings, watching->began, err);

	if (e == 0 && reading.read.logs == 0)
		e = error_set(err, -ENOENT,
			"there is no metrics log: metrics = \"none\" in the configuration, and no "
			"--log");
	for (size_t i = 0; i < reading.read.logs && e == 0; i++)
		e = add_logs(watching, reading.read.log[i], err);
	log_reading_close(&reading);
	return e;
}

/* --- the loop --- */

static int open_signals(struct watching *watching, struct error *err)
{
	sigemptyset(&watching->signals);
	sigaddset(&watching->signals, SIGTERM);
	sigaddset(&watching->signals, SIGINT);
	sigaddset(&watching->signals, SIGHUP);
	watching->signal_fd = signalfd(-1, &watching->signals, SFD_CLOEXEC | SFD_NONBLOCK);
	return watching->signal_fd < 0 ? error_sys(err, -errno, "cannot wait for signals") : 0;
}

/* Until then. 0; 1: a signal came, or nobody reads what is printed; or -errno. */
static int wait_until(struct watching *watching, mono_t until)
{
	struct pollfd fds[] = {
		{.fd = watching->signal_fd, .events = POLLIN},
		{.fd = STDOUT_FILENO},
	};
	int n;

	sigprocmask(SIG_BLOCK, &watching->signals, NULL);
	n = watching->clock->wait(watching->clock, fds, 2, until, NULL);
	if (n == 0 || n == -EINTR)
		sigprocmask(SIG_UNBLOCK, &watching->signals, NULL);
	return n == -EINTR ? 0 : n < 0 ? n : n > 0;
}

static int say_interval(struct watching *watching, int64_t length)
{
	int e;

	buf_clear(&watching->out);
	e = watch_interval(&watching->metrics, clock_wall(watching->clock), length, watching->bad,
		is_json(watching), &watching->out);
	metrics_clear(&watching->metrics);
	watching->bad = 0;
	return e < 0 ? e : print_out(&watching->out);
}

static int watch(struct watching *watching)
{
	int64_t delay = watching->args->delay ? watching->args->delay : USUAL_INTERVAL;
	mono_t from = clock_mono(watching->clock), now = from;
	int e = read_logs(watching);

	for (int64_t said = 0;
		e == 0 && (!watching->args->count || said < watching->args->count);) {
		mono_t next = watching->is_behind ? now : now + PACE;
		int ended = wait_until(watching, mono_earlier(next, from + delay));

		if (ended < 0)
			return ended;
		e = ended ? 0 : read_logs(watching);
		now = clock_mono(watching->clock);
		if (e == 0 && (ended ? watching->metrics.lines > 0 : now >= from + delay)) {
			e = say_interval(watching, now - from);
			from = now;
			said++;
		}
		if (ended)
			break;
	}
	return e;
}

static void release(struct watching *watching)
{
	for (size_t i = 0; i < watching->logs; i++) {
		logtail_release(&watching->log[i].tail);
		metric_reader_release(&watching->log[i].reader);
	}
	free(watching->log);
	metrics_release(&watching->metrics);
	log_picks_release(&watching->picks);
	buf_release(&watching->out);
	if (watching->signal_fd >= 0)
		close(watching->signal_fd);
}

static int follow(const char *program, const struct watch_args *args, struct session *session)
{
	struct watching watching = {
		.program = program,
		.args = args,
		.clock = &session->clock,
		.began = clock_wall(&session->clock),
		.signal_fd = -1,
	};
	struct error err;
	int code = EXIT_DONE;
	int e = log_picks_init(&watching.picks, args->picks, args->n, &session->settings, &err);

	if (e == 0 && (e = metrics_init(&watching.metrics, METRICS_TOTALS, 0, 0)) < 0)
		error_sys(&err, e, "cannot count");
	if (e == 0)
		e = open_logs(&watching, &session->settings, &err);
	if (e == 0)
		e = open_signals(&watching, &err);
	if (e < 0) {
		code = cli_fail(program, cli_exit_code(e), "%s", err.text);
	} else {
		e = watch(&watching);
		if (e < 0 && e != -EPIPE)
			code = cli_fail(
				program, cli_exit_code(e), "cannot go on: %s", strerror(-e));
	}
	release(&watching);
	return code;
}

/* The monitor does it. */
static int run_plain(int argc, char **argv)
{
	char **args = calloc((size_t)argc + 2, sizeof *args);
	int code;

	if (!args)
		return cli_fail(argv[0], EXIT_SOFTWARE, "out of memory");
	args[0] = argv[0];
	args[1] = (char *)"--plain";
	memcpy(args + 2, argv + 1, (size_t)(argc - 1) * sizeof *args);
	code = command_monitor.run(&command_monitor, argc + 1, args);
	free(args);
	return code;
}

static int run(const struct command *command, int argc, char **argv)
{
	struct watch_args args = {.common.format = FORMAT_NONE};
	struct session session;
	struct error err;
	int e, code;

	(void)command;
	log_options_init(&args.log, 0);
	options_parse(&argp, argc, argv, 0, NULL, &args);
	if (!args.metrics)
		return run_plain(argc, argv);
	e = session_open(&session, &args.common, &err);
	code = e < 0 ? cli_fail(argv[0], cli_exit_code(e), "%s", err.text)
		     : follow(argv[0], &args, &session);
	session_close(&session);
	return code;
}

const struct command command_watch = {
	"watch", "what happens to locks, a line at a time", &argp, run};

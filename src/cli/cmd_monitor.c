/* `locktop [SOURCE...]`: the monitor, on a terminal or as text. */
#include "config.h"

#include <errno.h>
#include <langinfo.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "base/error.h"
#include "base/text.h"
#include "cli/ask.h"
#include "cli/cli.h"
#include "cli/listing.h"
#include "cli/session.h"
#include "ui/plain.h"
#include "ui/screen.h"
#include "ui/top.h"

enum {
	OPT_ONCE = 0x2000,
	OPT_BATCH,
	OPT_PLAIN,
	OPT_DUMP,
	OPT_GLYPHS,
	OPT_COLOR,
	OPT_FILTER,
	OPT_TIDY
};

/* 30 frames a second are as many as anybody sees; most seconds need one. */
#define FRAME       (33 * NS_PER_MS)
#define FIRST_FRAME (100 * NS_PER_MS)

struct monitor_args {
	struct common common;
	struct log_options log;
	bool once, batch, plain, tidy;
	int64_t count; /* -n; 0: for ever */
	int64_t delay; /* -d, ns; 0: the settings' */
	int dump_rows, dump_cols;
	const char *glyphs, *color;
	char filter[128];
	char **sources;
	size_t n;
};

static const struct argp_option options[] = {
	{"once", OPT_ONCE, NULL, 0, "print the table once and end", 0},
	{"batch", OPT_BATCH, NULL, 0, "print the table again and again", 0},
	{"count", 'n', "N", 0, "with --batch: end after N tables", 0},
	{"delay", 'd', "SECONDS", 0, "with --batch: pause between tables", 0},
	{"plain", OPT_PLAIN, NULL, 0, "a line for each change, for screen readers and logs", 0},
	{"dump-screen", OPT_DUMP, "WxH", 0, "print the screen as text, W columns by H rows", 0},
	{"filter", OPT_FILTER, "WORDS", 0, "show only locks that match, as / does", 0},
	{"glyphs", OPT_GLYPHS, "SET", 0, "auto, ascii, box or braille", 0},
	{"color", OPT_COLOR, "WHEN", 0, "auto, never or 16", 0},
	{"tidy", OPT_TIDY, NULL, 0, "a release removes the lock file instead of emptying it", 0},
	{0},
};

static void parse_size(struct monitor_args *args, const char *text, struct argp_state *state)
{
	char tail;

	if (sscanf(text, "%dx%d%c", &args->dump_cols, &args->dump_rows, &tail) != 2 ||
		args->dump_cols < 1 || args->dump_rows < 1 || args->dump_cols > 1000 ||
		args->dump_rows > 1000)
		argp_error(state, "no size '%s', expected something like 80x24", text);
}

static void parse_filter(struct monitor_args *args, const char *text, struct argp_state *state)
{
	struct selection selection = {.sort = SORT_HARM};
	struct error err;

	if (strlen(text) >= sizeof args->filter)
		argp_error(state, "the filter is longer than %zu bytes", sizeof args->filter - 1);
	snprintf(args->filter, sizeof args->filter, "%s", text);
	snprintf(selection.filter, sizeof selection.filter, "%s", text);
	if (selection_check(&selection, &err) < 0)
		argp_error(state, "%s", err.text);
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct monitor_args *args = state->input;

	switch (key) {
	case ARGP_KEY_INIT:
		state->child_inputs[0] = &args->common;
		state->child_inputs[1] = &args->log;
		return 0;
	case OPT_ONCE: args->once = true; return 0;
	case OPT_BATCH: args->batch = true; return 0;
	case OPT_PLAIN: args->plain = true; return 0;
	case OPT_TIDY: args->tidy = true; return 0;
	case OPT_GLYPHS: args->glyphs = arg; return 0;
	case OPT_COLOR: args->color = arg; return 0;
	case OPT_DUMP: parse_size(args, arg, state); return 0;
	case OPT_FILTER: parse_filter(args, arg, state); return 0;
	case 'n':
		if (text_to_int(arg, 1, 1000000000, &args->count) < 0)
			argp_error(state, "no count '%s', expected 1 or more", arg);
		return 0;
	case 'd':
		if (text_to_duration(arg, &args->delay) < 0 || args->delay < 10 * NS_PER_MS)
			argp_error(state, "no delay '%s', expected seconds, 0.01 or more", arg);
		return 0;
	case ARGP_KEY_ARGS:
		args->sources = state->argv + state->next;
		args->n = (size_t)(state->argc - state->next);
		return 0;
	default: return ARGP_ERR_UNKNOWN;
	}
}

static char *more_help(int key, const char *text, void *input)
{
	char *out = NULL;
	size_t size = 0;
	FILE *stream;

	(void)input;
	if (key != ARGP_KEY_HELP_POST_DOC)
		return (char *)text;
	stream = open_memstream(&out, &size);
	if (!stream)
		return NULL;
	fputs("Commands:\n", stream);
	for (const struct command *const *c = commands; *c; c++)
		if ((*c)->summary && *c != &command_monitor)
			fprintf(stream, "  locktop %-8s  %s\n", (*c)->name, (*c)->summary);
	fputs("\nA SOURCE is a folder or file of locks, kernel:, log:FILE, ssh:HOST:SOURCE or\n"
	      "replay:FILE. See locktop(1).",
		stream);
	fclose(stream);
	return out;
}

/* The text after \v is where more_help() comes in. */
static const struct argp argp = {options, parse, "[SOURCE...]\nCOMMAND [ARG...]",
	"Shows who holds each lock, since when, whether that process is alive, and what to do.\v ",
	common_log_children, more_help, NULL};

struct monitor {
	const char *program;
	const struct monitor_args *args;
	struct session session;
	struct top top;
	const struct glyphs *glyphs;
	enum color color;
	struct screen *screen;
	struct canvas canvas;
	struct loop_timer *draw, *tick;
	struct loop_fd *tty, *signals;
	mono_t drawn;
	struct plain plain;
	struct buf out;
};

static int print_table(struct monitor *monitor)
{
	const struct common *common = &monitor->args->common;
	struct selection selection = {.sort = SORT_HARM};
	struct listing listing = {
		.format = common->format,
		.field = common->field,
		.fields = common->fields,
		.has_header = true,
	};

	memcpy(selection.filter, monitor->args->filter, sizeof selection.filter);
	return listing_print(&listing, &monitor->session.model, &selection);
}

static int printed(const struct monitor *monitor, int e)
{
	if (e < 0 && e != -EPIPE)
		return cli_fail(
			monitor->program, cli_exit_code(e), "cannot print: %s", strerror(-e));
	return session_complain(&monitor->session, monitor->program) ? EXIT_UNREACHABLE : EXIT_DONE;
}

static int run_once(struct monitor *monitor)
{
	int e = session_gather(&monitor->session, 0);

	if (e == 0)
		e = print_table(monitor);
	return printed(monitor, e);
}

static int run_batch(struct monitor *monitor)
{
	struct session *session = &monitor->session;
	int64_t delay = monitor->args->delay ? monitor->args->delay : session->settings.delay;
	mono_t next;
	int e = session_gather(session, 0);

	next = loop_now(session->loop);
	for (int64_t i = 0; e == 0 && (monitor->args->count == 0 || i < monitor->args->count);
		i++) {
		while (e == 0 && loop_now(session->loop) < next)
			e = loop_turn(session->loop, next);
		model_tick(&session->model, loop_now(session->loop), loop_wall(session->loop));
		if (e == 0 && i > 0 && monitor->args->common.format != FORMAT_JSON)
			putchar('\n');
		if (e == 0)
			e = print_table(monitor);
		next += delay;
	}
	return printed(monitor, e);
}

static int run_dump(struct monitor *monitor)
{
	struct canvas canvas;
	char *text = NULL;
	int e = session_gather(&monitor->session, 0);

	if (e == 0)
		e = canvas_init(&canvas, monitor->args->dump_rows, monitor->args->dump_cols);
	if (e < 0)
		return cli_fail(monitor->program, cli_exit_code(e), "%s", strerror(-e));
	monitor->top.rows = canvas.rows;
	monitor->top.cols = canvas.cols;
	top_update(&monitor->top);
	top_draw(&monitor->top, &canvas);
	text = canvas_dump(&canvas);
	if (text)
		fputs(text, stdout);
	free(text);
	canvas_release(&canvas);
	return printed(monitor, fflush(stdout) == 0 ? 0 : -errno);
}

static void on_plain_change(void *data)
{
	struct monitor *monitor = data;
	int e = plain_changes(&monitor->plain, &monitor->session.model, &monitor->out);

	if (e == 0 &&
		fwrite(buf_text(&monitor->out), 1, monitor->out.len, stdout) != monitor->out.len)
		e = -errno;
	if (e == 0 && fflush(stdout) != 0)
		e = -errno;
	buf_clear(&monitor->out);
	if (e < 0)
		loop_stop(monitor->session.loop, e);
}

static void on_plain_tick(void *data, mono_t now)
{
	struct monitor *monitor = data;

	if (model_tick(&monitor->session.model, now, loop_wall(monitor->session.loop)))
		on_plain_change(monitor);
	loop_timer_set(monitor->tick, now + NS_PER_S);
}

/* A signal ends the loop; the terminal and the sources are put in order on the way out. */
static void on_end_signal(void *data, int fd, short revents)
{
	struct monitor *monitor = data;
	struct signalfd_siginfo info;

	(void)revents;
	if (read(fd, &info, sizeof info) == sizeof info)
		loop_stop(monitor->session.loop, (int)info.ssi_signo);
}

static int open_signals(struct monitor *monitor, const int *signals, loop_fd_fn *fn)
{
	sigset_t set;
	int fd;

	sigemptyset(&set);
	for (; *signals; signals++)
		sigaddset(&set, *signals);
	sigprocmask(SIG_BLOCK, &set, NULL);
	fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	if (fd >= 0)
		monitor->signals = loop_fd_add(monitor->session.loop, fd, POLLIN, fn, monitor);
	return fd;
}

static int run_plain(struct monitor *monitor)
{
	static const int signals[] = {SIGTERM, SIGHUP, SIGINT, 0};
	struct session *session = &monitor->session;
	int fd = open_signals(monitor, signals, on_end_signal);
	int e = session_gather_locks(session, 0);

	monitor->plain.selection = &monitor->top.selection; /* its filter is --filter's */
	if (e == 0)
		e = plain_opening(&monitor->plain, &session->model, &monitor->out);
	session->data = monitor;
	session->changed = on_plain_change;
	monitor->tick = loop_timer_add(session->loop, on_plain_tick, monitor);
	loop_timer_set(monitor->tick, loop_now(session->loop) + NS_PER_S);
	on_plain_change(monitor);
	if (e == 0)
		e = loop_run(session->loop);
	buf_release(&monitor->out);
	close(fd);
	return e < 0 && e != -EPIPE ? printed(monitor, e) : EXIT_DONE;
}

/* --- the screen ----------------------------------------------------------------------- */

static void draw(struct monitor *monitor)
{
	struct top *top = &monitor->top;
	int rows, cols;

	screen_size(monitor->screen, &rows, &cols);
	if (rows != monitor->canvas.rows || cols != monitor->canvas.cols) {
		canvas_release(&monitor->canvas);
		if (canvas_init(&monitor->canvas, rows, cols) < 0) {
			loop_stop(monitor->session.loop, -ENOMEM);
			return;
		}
	}
	top->rows = rows;
	top->cols = cols;
	top_update(top);
	canvas_clear(&monitor->canvas);
	top_draw(top, &monitor->canvas);
	if (top->wants_repaint)
		screen_repaint(monitor->screen);
	top->wants_repaint = false;
	screen_show(monitor->screen, &monitor->canvas);
	monitor->drawn = clock_mono(&monitor->session.clock);
}

static void on_draw(void *data, mono_t now)
{
	(void)now;
	draw(data);
}

/* Something can have changed: draw at the next frame, once for a thousand events. */
static void on_change(void *data)
{
	struct monitor *monitor = data;
	mono_t now = loop_now(monitor->session.loop);
	mono_t at = monitor->drawn + FRAME;

	loop_timer_sooner(monitor->draw, at > now ? at : now);
}

static void on_tick(void *data, mono_t now)
{
	struct monitor *monitor = data;
	int64_t into_second = loop_wall(monitor->session.loop) % NS_PER_S;

	session_tick(&monitor->session);
	loop_timer_set(monitor->tick, now + NS_PER_S - into_second);
	on_change(monitor);
}

/* Stops as a job does; returns when fg or kill -CONT continues it. */
static void suspend(struct monitor *monitor)
{
	screen_suspend(monitor->screen);
	raise(SIGSTOP);
	screen_resume(monitor->screen);
	screen_repaint(monitor->screen);
	on_change(monitor);
}

static void after_key(struct monitor *monitor)
{
	struct top *top = &monitor->top;

	if (top->wants_quit)
		loop_stop(monitor->session.loop, 0);
	if (top->wants_suspend) {
		top->wants_suspend = false;
		suspend(monitor);
	}
	loop_timer_sooner(monitor->draw, loop_now(monitor->session.loop));
}

static void on_tty(void *data, int fd, short revents)
{
	struct monitor *monitor = data;
	int key;

	(void)fd;
	if (revents & (POLLHUP | POLLERR | POLLNVAL)) {
		loop_stop(monitor->session.loop, SIGHUP);
		return;
	}
	while (!monitor->top.wants_quit && (key = screen_key(monitor->screen)) != 0)
		top_key(&monitor->top, key);
	after_key(monitor);
}

static void on_signal(void *data, int fd, short revents)
{
	struct monitor *monitor = data;
	struct signalfd_siginfo info;

	(void)revents;
	while (read(fd, &info, sizeof info) == sizeof info) {
		switch (info.ssi_signo) {
		case SIGWINCH: on_change(monitor); break;
		case SIGTSTP: suspend(monitor); break;
		case SIGCONT:
			screen_repaint(monitor->screen);
			on_change(monitor);
			break;
		default: loop_stop(monitor->session.loop, (int)info.ssi_signo); break;
		}
	}
}

static int64_t on_ask(void *data, size_t source, const struct deed *deed, struct error *err)
{
	struct monitor *monitor = data;

	return hub_deed(monitor->session.hub, source, deed, err);
}

static void on_look(void *data)
{
	struct monitor *monitor = data;

	for (size_t i = 0; i < monitor->session.model.sources; i++)
		hub_scan(monitor->session.hub, i);
}

static void on_done(void *data, size_t source, const struct event *event)
{
	struct monitor *monitor = data;

	top_done(&monitor->top, source, event);
}

static int run_screen(struct monitor *monitor)
{
	static const int signals[] = {SIGTERM, SIGHUP, SIGINT, SIGWINCH, SIGTSTP, SIGCONT, 0};
	struct session *session = &monitor->session;
	int fd, result;

	/* Without memory for it there is no stepping back: the rest may still do. */
	monitor->top.history = session->history = history_new(NULL);
	fd = open_signals(monitor, signals, on_signal);
	session->data = monitor;
	session->changed = on_change;
	session->done = on_done;
	monitor->draw = loop_timer_add(session->loop, on_draw, monitor);
	monitor->tick = loop_timer_add(session->loop, on_tick, monitor);
	monitor->tty = loop_fd_add(session->loop, STDIN_FILENO, POLLIN, on_tty, monitor);
	if (fd < 0 || !monitor->signals || !monitor->draw || !monitor->tick || !monitor->tty)
		result = -ENOMEM;
	else {
		/* Most places answer at once: no first frame that says "no data yet". */
		session_gather_locks(session, FIRST_FRAME);
		on_tick(monitor, loop_now(session->loop));
		result = loop_run(session->loop);
	}
	screen_close(monitor->screen);
	canvas_release(&monitor->canvas);
	if (fd >= 0)
		close(fd);
	if (result < 0)
		return cli_fail(monitor->program, cli_exit_code(result), "%s", strerror(-result));
	return result == 0 ? EXIT_DONE : 128 + result;
}

static bool has_terminal(void)
{
	return isatty(STDIN_FILENO) && isatty(STDOUT_FILENO);
}

static int start_screen(struct monitor *monitor)
{
	struct error err;

	if (!has_terminal())
		return run_once(monitor);
	if (screen_open(&monitor->screen, monitor->color, &err) < 0) {
		cli_fail(monitor->program, 0, "%s; here is the table instead", err.text);
		return run_once(monitor);
	}
	return run_screen(monitor);
}

/* --- choosing --------------------------------------------------------------------------- */

static int choose_look(struct monitor *monitor)
{
	const struct monitor_args *args = monitor->args;
	const struct settings *settings = &monitor->session.settings;
	const char *glyphs = args->glyphs ? args->glyphs : settings->glyphs;
	const char *color = args->color ? args->color : settings->color;
	const char *term = getenv("TERM");
	bool is_utf8 = strcmp(nl_langinfo(CODESET), "UTF-8") == 0;

	if (glyphs_from_word(glyphs ? glyphs : "auto", is_utf8, term, &monitor->glyphs) < 0)
		return cli_fail(monitor->program, EXIT_USAGE,
			"no glyphs '%s' here, expected auto, ascii, or in a UTF-8 locale box or "
			"braille",
			glyphs);
	if (color_from_word(color ? color : "auto", getenv("NO_COLOR"), term, &monitor->color) < 0)
		return cli_fail(monitor->program, EXIT_USAGE,
			"no color '%s', expected auto, never or 16", color);
	return EXIT_DONE;
}

static bool prints_once(const struct monitor_args *args)
{
	return args->once || (!args->batch && args->common.format != FORMAT_NONE);
}

/* Of another time than the logs of now? */
static bool is_recording(const struct session *session)
{
	for (size_t i = 0; i < session->model.sources; i++)
		if (strncmp(session->model.source[i].uri, "replay:", 7) != 0)
			return false;
	return session->model.sources > 0;
}

/* Tables say what logs know only where they are asked to; the screen has graphs. */
static bool wants_logs(const struct session *session, const struct monitor_args *args)
{
	bool is_table = !args->dump_rows && !args->plain &&
			(args->batch || prints_once(args) || !has_terminal());

	return session_wants_logs(&args->common, SORT_HARM, &args->log) ||
	       (!is_table && !is_recording(session));
}

static int choose(struct monitor *monitor)
{
	const struct monitor_args *args = monitor->args;
	struct session *session = &monitor->session;
	struct top *top = &monitor->top;
	int code;

	top_init(top, &session->model, &session->policy, monitor->glyphs);
	memcpy(top->selection.filter, args->filter, sizeof top->selection.filter);
	top->tidy = args->tidy || session->settings.tidy;
	ask_tty(top->tty, sizeof top->tty);
	top->ask = on_ask;
	top->look = on_look;
	top->data = monitor;
	if (args->dump_rows)
		code = run_dump(monitor);
	else if (args->plain)
		code = run_plain(monitor);
	else if (args->batch)
		code = run_batch(monitor);
	else if (prints_once(args))
		code = run_once(monitor);
	else
		code = start_screen(monitor);
	top_release(top);
	return code;
}

/* A word that is neither a command nor anything on this host is a slip of the finger. */
static const char *odd_word(const struct monitor_args *args)
{
	for (size_t i = 0; i < args->n; i++)
		if (!strpbrk(args->sources[i], "/:.") && access(args->sources[i], F_OK) != 0)
			return args->sources[i];
	return NULL;
}

static int run(const struct command *command, int argc, char **argv)
{
	struct monitor_args args = {.common.format = FORMAT_NONE};
	struct monitor monitor = {.program = "locktop", .args = &args};
	struct session *session = &monitor.session;
	struct error err;
	int e, code = EXIT_DONE;

	(void)command;
	options_parse(&argp, argc, argv, 0, NULL, &args);
	if (odd_word(&args))
		return cli_fail("locktop", EXIT_USAGE,
			"'%s' is no command, folder or file; see locktop --help", odd_word(&args));
	e = session_open(session, &args.common, &err);
	if (e == 0)
		code = choose_look(&monitor);
	if (e == 0 && code == EXIT_DONE)
		e = session_start(session, prints_once(&args) || args.dump_rows, &err);
	if (e == 0 && code == EXIT_DONE)
		e = session_sources(session, args.sources, args.n, &err);
	if (e == 0 && code == EXIT_DONE && wants_logs(session, &args))
		e = session_logs(session, &args.log, &err);
	if (e < 0)
		code = cli_fail("locktop", cli_exit_code(e), "%s", err.text);
	else if (code == EXIT_DONE)
		code = choose(&monitor);
	session_close(session);
	return code;
}

const struct command command_monitor = {"monitor", "the monitor; needs no name", &argp, run};

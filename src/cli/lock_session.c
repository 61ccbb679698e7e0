/* A hold with its settings, world and metrics log, and the listener that tells of its steps. */
#include "config.h"
#include "cli/lock_options.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "base/jsonw.h"
#include "cli/cli.h"

/* Which step is which line of the log; the others are nobody's statistics. */
static const int metric_of[HOLD_STEP_COUNT] = {
	[HOLD_OPENED] = -1,
	[HOLD_WAITING] = -1,
	[HOLD_VERIFIED] = -1,
	[HOLD_SLOW] = METRIC_SLOW,
	[HOLD_STALE] = METRIC_STALE,
	[HOLD_TAKEN_OVER] = METRIC_TAKEN_OVER,
	[HOLD_ACQUIRED] = METRIC_ACQUIRED,
	[HOLD_BUSY] = METRIC_BUSY,
	[HOLD_TIMEOUT] = METRIC_TIMEOUT,
	[HOLD_FALLBACK] = METRIC_FALLBACK,
	[HOLD_RENEWED] = METRIC_RENEWED,
	[HOLD_LOST] = METRIC_LOST,
	[HOLD_RELEASED] = METRIC_RELEASED,
	[HOLD_ERROR] = METRIC_ERROR,
};

static void log_report(struct lock_session *session, const struct hold_report *report)
{
	int event = metric_of[report->step];
	struct metric metric;

	if (event < 0)
		return;
	metric = metric_new((enum metric_event)event, clock_wall(session->world.clock));
	metric.lock = report->name;
	metric.source = report->source;
	metric.backend = report->provider ? report->provider->scheme : NULL;
	metric.host = session->here.host;
	metric.pid = getpid();
	metric.wait = report->wait;
	metric.hold = report->held;
	metric.attempts = report->attempts ? (int64_t)report->attempts : -1;
	metric.token = report->claim ? report->claim->token : NULL;
	metric.fence = report->fence > 0 ? report->fence : -1;
	metric.reason = report->reason && *report->reason ? report->reason : NULL;
	if (report->occupant && report->occupant->is_known) {
		metric.holder_pid = report->occupant->pid > 0 ? report->occupant->pid : -1;
		metric.holder = report->occupant->comm;
		metric.holder_host = report->occupant->host;
		metric.holder_age = report->occupant->age;
	}
	if (report->step == HOLD_RELEASED)
		metric.exit_code = session->exit_code;
	metricslog_write(&session->log, &metric);
}

static void add_claim(struct jsonw *json, const struct claim *claim)
{
	char token[9];

	snprintf(token, sizeof token, "%.8s", claim->token);
	jsonw_int(json, "pid", claim->pid);
	jsonw_int(json, "start", (int64_t)claim->start);
	jsonw_text(json, "host", claim->here ? claim->here->host : NULL);
	jsonw_text(json, "token", token);
	jsonw_fixed(json, "lease_s", claim->lease, NS_PER_S, 3);
	jsonw_bool(json, "detached", claim->is_detached);
}

/* The whole line is one write(2), so that a child that writes there too does not cut it. */
static void debug_report(struct lock_session *session, const struct hold_report *report)
{
	char line[2048];
	struct jsonw json;
	int n;

	jsonw_begin(&json, line, sizeof line);
	jsonw_text(&json, "step", hold_step_word(report->step));
	jsonw_fixed(&json, "ts", clock_wall(session->world.clock), NS_PER_S, 3);
	jsonw_text(&json, "lock", report->name);
	jsonw_text(&json, "address", report->address);
	if (report->claim)
		add_claim(&json, report->claim);
	if (report->fence > 0)
		jsonw_int(&json, "fence", report->fence);
	if (report->wait >= 0)
		jsonw_fixed(&json, "wait_ms", report->wait, NS_PER_MS, 3);
	if (report->held >= 0)
		jsonw_fixed(&json, "hold_ms", report->held, NS_PER_MS, 3);
	if (report->occupant && report->occupant->is_known) {
		jsonw_int(&json, "holder_pid", report->occupant->pid);
		jsonw_text(&json, "holder", report->occupant->comm);
	}
	if (report->reason && *report->reason)
		jsonw_text(&json, "reason", report->reason);
	n = jsonw_end(&json);
	if (n > 0)
		dprintf(STDERR_FILENO, "%s: debug: %s", session->options->program, line);
}

void lock_session_report(void *data, const struct hold_report *report)
{
	struct lock_session *session = data;
	const char *complaint;

	log_report(session, report);
	if (session->options->is_debug)
		debug_report(session, report);
	complaint = metricslog_complaint(&session->log);
	if (complaint)
		cli_fail(session->options->program, 0, "warning: %s; the lock is not affected",
			complaint);
}

int lock_session_fail(struct lock_session *session, const struct error *err)
{
	return cli_fail(session->options->program,
		lock_exit_code(err->code, session->options->busy_code), "%s", err->text);
}

int lock_session_address(
	const struct lock_session *session, const char *text, char **full, struct error *err)
{
	const char *source = session->settings.default_source;

	if (strchr(text, '/') || strchr(text, ':') || access(text, F_OK) == 0) {
		*full = strdup(text);
	} else if (!source) {
		return error_set(err, -ENOSYS,
			"'%s' is no path and no URI, and no default_source is configured (a file "
			"here is ./%s)",
			text, text);
	} else if (asprintf(full, "%s%s%s", source, source[strlen(source) - 1] == '/' ? "" : "/",
			   text) < 0) {
		*full = NULL;
	}
	return *full ? 0 : error_sys(err, -ENOMEM, "cannot open %s", text);
}

static int add(struct lock_session *session, const char *text,
	int (*to)(struct hold *hold, const char *address, struct error *err), struct error *err)
{
	char *full = NULL;
	int e = lock_session_address(session, text, &full, err);

	if (e == 0)
		e = to(session->hold, full, err);
	free(full);
	return e;
}

static int add_all(struct lock_session *session, struct error *err)
{
	const struct lock_options *options = session->options;
	int e = options->address ? add(session, options->address, hold_add, err) : 0;

	for (size_t i = 0; i < options->withs && e == 0; i++)
		e = add(session, options->with[i], hold_add, err);
	for (size_t i = 0; i < options->fallbacks && e == 0; i++)
		e = add(session, options->fallback[i], hold_add_fallback, err);
	return e;
}

static int open_hold(struct lock_session *session, const struct claim *claim, struct error *err)
{
	const struct lock_options *options = session->options;
	struct hold_options hold = {
		.world = &session->world,
		.listener = lock_session_report,
		.data = session,
	};

	if (claim)
		hold.claim = *claim;
	hold.claim.here = &session->here;
	hold.claim.lease = options->lease;
	hold.claim.stale_after = options->stale_after;
	hold.claim.takeover = options->takeover;
	hold.claim.mode = options->mode;
	hold.claim.is_strict = options->is_strict;
	hold.claim.is_tidy = options->is_tidy || session->settings.tidy;
	return hold_open(&session->hold, &hold, err);
}

static int open_all(struct lock_session *session, const struct claim *claim, struct error *err)
{
	const struct lock_options *options = session->options;
	int e = world_open(&session->world, options->proc_root, &clock_system, err);

	if (e < 0)
		return e;
	session->is_open = true;
	e = proc_here(&session->world, &session->here, err);
	if (e == 0)
		e = metricslog_init(&session->log,
			options->log ? options->log : session->settings.metrics, err);
	if (e == 0)
		e = open_hold(session, claim, err);
	return e == 0 ? add_all(session, err) : e;
}

int lock_session_open(
	struct lock_session *session, const struct lock_options *options, const struct claim *claim)
{
	struct error err;
	int e;

	*session = (struct lock_session){.options = options, .exit_code = -1, .log.fd = -1};
	e = lock_settings_read(&session->settings, options->config, &err);
	if (e == -ENOSYS)
		return EXIT_NEEDS_ALL;
	if (e < 0)
		return cli_fail(options->program, EXIT_USAGE, "%s", err.text);
	if (options->is_read_only && !options->only_looks)
		return cli_fail(options->program, EXIT_REFUSED,
			"read-only (--read-only): no lock is taken or given back");
	e = open_all(session, claim, &err);
	/* A bare name, or a scheme of a library: the large program may know. */
	if (e == -ENOSYS || e == -EPROTONOSUPPORT)
		return lock_settings_are_all()
			       ? cli_fail(options->program, EXIT_USAGE, "%s", err.text)
			       : EXIT_NEEDS_ALL;
	return e < 0 ? lock_session_fail(session, &err) : EXIT_DONE;
}

void lock_session_close(struct lock_session *session)
{
	hold_close(session->hold);
	metricslog_release(&session->log);
	if (session->is_open)
		world_close(&session->world);
	lock_settings_release(&session->settings);
}

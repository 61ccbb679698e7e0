/* What every command that looks at locks has. */
#include "config.h"
#include "cli/session.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/text.h"
#include "base/uri.h"
#include "cli/cli.h"
#include "system/folder.h"

/* How long a one-shot command waits for its sources, and for the answer to a deed. */
static const int64_t patience = 10 * NS_PER_S;

static wall_t frozen_wall(const struct clock *clock)
{
	return ((const struct common *)clock->data)->now;
}

static void decide_policy(struct session *session)
{
	const char *secure = getenv("LOCKTOPSECURE");

	if (session->common->is_read_only)
		policy_read_only(&session->policy, "--read-only");
	if (secure && *secure && strcmp(secure, "0") != 0)
		policy_read_only(&session->policy, "LOCKTOPSECURE=1");
	if (session->settings.is_secure) {
		char why[sizeof session->policy.why];

		snprintf(why, sizeof why, "secure = true in %s",
			session->common->config ? session->common->config : settings_system_path());
		policy_read_only(&session->policy, why);
	}
}

int session_open(struct session *session, const struct common *common, struct error *err)
{
	int e;

	*session = (struct session){.common = common, .world.proc = -1};
	session->clock = clock_system;
	if (common->now) {
		session->clock.wall = frozen_wall;
		session->clock.data = (void *)common;
	}
	e = settings_read(&session->settings, common->config, err);
	if (e < 0)
		return e;
	if (common->limit)
		session->settings.limit = common->limit;
	decide_policy(session);
	e = world_open(&session->world, common->proc_root, &session->clock, err);
	if (e < 0)
		return e;
	session->is_open = true;
	return proc_here(&session->world, &session->here, err);
}

/* A history that ran out of memory has begun anew: looking goes on. */
bool session_tick(struct session *session)
{
	bool has_changed =
		model_tick(&session->model, loop_now(session->loop), loop_wall(session->loop));

	if (session->history)
		history_note_tick(session->history, &session->model);
	return has_changed;
}

static void on_event(void *data, size_t source, const struct event *event)
{
	struct session *session = data;
	size_t happened = session->model.happened;

	session_tick(session);
	if (model_apply(&session->model, source, event) < 0)
		loop_stop(session->loop, -ENOMEM);
	if (session->history)
		history_note(session->history, &session->model, source, event);
	if (event->kind == EVENT_DONE && session->done)
		session->done(session->data, source, event);
	/* A busy log says something all the time; what it says is shown with the next second. */
	if (model_is_log(&session->model.source[source]) && session->model.happened == happened)
		return;
	if (session->changed)
		session->changed(session->data);
}

static void on_state(void *data, size_t source, enum source_state state, const char *text)
{
	struct session *session = data;

	/* One look was asked for and taken: that its process ended is as it should be. */
	if (session->is_once && state == SOURCE_ENDED)
		state = SOURCE_OK;
	session_tick(session);
	if (model_source_is(&session->model, source, state, text) < 0)
		loop_stop(session->loop, -ENOMEM);
	if (session->history)
		history_note_state(session->history, &session->model, source);
	if (session->changed)
		session->changed(session->data);
}

/* What the sources have to be told before the word "source". */
static void pass_on(struct session *session)
{
	const struct common *common = session->common;
	size_t n = 0;

	if (common->config) {
		session->hub_args[n++] = "--config";
		session->hub_args[n++] = common->config;
	}
	if (common->proc_root) {
		session->hub_args[n++] = "--proc-root";
		session->hub_args[n++] = common->proc_root;
	}
	if (common->now_text) {
		session->hub_args[n++] = "--now";
		session->hub_args[n++] = common->now_text;
	}
	if (common->limit_text) {
		session->hub_args[n++] = "--limit";
		session->hub_args[n++] = common->limit_text;
	}
	session->hub_args[n] = NULL;
}

static int model_settings(struct session *session)
{
	const struct settings *settings = &session->settings;

	session->model.limit = settings->limit;
	session->model.overdue_factor = settings->overdue_factor;
	for (size_t i = 0; i < settings->rules; i++) {
		int e = model_add_limit(
			&session->model, settings->rule[i].pattern, settings->rule[i].limit);
		if (e < 0)
			return e;
	}
	model_tick(&session->model, loop_now(session->loop), loop_wall(session->loop));
	return 0;
}

int session_start(struct session *session, bool once, struct error *err)
{
	struct hub_options options = {
		.program = cli_program(session->program, sizeof session->program),
		.program_args = session->hub_args,
		.ssh = session->settings.ssh,
		.policy = session->policy,
		.once = once,
		.event = on_event,
		.state = on_state,
		.data = session,
	};

	session->is_once = once;
	pass_on(session);
	session->loop = options.loop = loop_new(&session->clock);
	if (!session->loop || model_init(&session->model, session->here.host) < 0 ||
		model_settings(session) < 0)
		return error_sys(err, -ENOMEM, "cannot start");
	session->hub = hub_new(&options);
	if (!session->hub)
		return error_sys(err, -ENOMEM, "cannot start");
	return 0;
}

/* A relative path means this folder, also for the source process and in the audit. */
static char *absolute(const char *uri, const struct uri *parsed)
{
	if (strcmp(parsed->scheme, "file") != 0 || strncmp(uri, "file:", 5) == 0)
		return strdup(uri);
	return folder_absolute(uri);
}

/* A mistake in the address is told before a process is started for it. */
static int check_uri(const struct uri *uri, struct error *err)
{
	const struct backend *backend;

	if (strcmp(uri->scheme, "ssh") == 0)
		return 0;
	backend = backend_for(uri, err);
	return backend ? uri_only(uri, backend->params, err) : -EINVAL;
}

int session_add(struct session *session, const char *uri, struct error *err)
{
	struct uri parsed;
	char *text;
	int e = uri_parse(&parsed, uri, err);
	int index;

	if (e < 0)
		return e;
	e = check_uri(&parsed, err);
	if (e == 0 && session->only_locks && strcmp(parsed.scheme, "log") == 0)
		e = error_set(err, -EINVAL, "%s is a log and has no locks: see --log", uri);
	text = e < 0 ? NULL : absolute(uri, &parsed);
	uri_release(&parsed);
	if (e < 0)
		return e;
	if (!text)
		return error_sys(err, -ENOMEM, "cannot add %s", uri);
	index = model_add_source(&session->model, text);
	e = index < 0 ? error_sys(err, index, "cannot add %s", uri)
		      : hub_add(session->hub, text, err);
	free(text);
	return e < 0 ? e : index;
}

static bool is_folder(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

/* What a host has without anybody telling. */
static int add_usual(struct session *session, struct error *err)
{
	int e = 0;

	if (is_folder("/run/lock"))
		e = session_add(session, "file:/run/lock", err);
	if (e >= 0 && is_folder("/run"))
		e = session_add(session, "file:/run?glob=*.pid", err);
	if (e >= 0 && !session->only_locks)
		e = session_add(session, "kernel:", err);
	return e < 0 ? e : 0;
}

/* Also on another host. */
static bool is_of_scheme(const char *uri, const char *scheme)
{
	const char *host = strncmp(uri, "ssh:", 4) == 0 ? strstr(uri, scheme) : NULL;

	return strncmp(host && host[-1] == ':' ? host : uri, scheme, strlen(scheme)) == 0;
}

static bool is_wanted(const struct session *session, const char *uri)
{
	return !session->only_locks ||
	       (!is_of_scheme(uri, "kernel:") && !is_of_scheme(uri, "log:"));
}

int session_sources(struct session *session, char *const *uris, size_t n, struct error *err)
{
	int e = 0;

	for (size_t i = 0; i < n && e >= 0; i++)
		e = session_add(session, uris[i], err);
	for (size_t i = 0; n == 0 && i < session->settings.sources && e >= 0; i++)
		if (is_wanted(session, session->settings.source[i].uri))
			e = session_add(session, session->settings.source[i].uri, err);
	if (n == 0 && session->settings.sources == 0)
		e = add_usual(session, err);
	return e < 0 ? e : 0;
}

bool session_wants_logs(const struct common *common, int sort, const struct log_options *logs)
{
	for (size_t i = 0; i < common->fields; i++)
		if (column_needs_log(common->field[i]))
			return true;
	return logs->logs || (sort >= 0 && column_needs_log((enum column)sort));
}

/*
 * "log:" and the file or pattern, in which a URI would take some characters for its own; what was
 * rotated away belongs to the last days, too.
 */
static char *log_uri(const char *name)
{
	char *whole = *name == '/' ? strdup(name) : folder_absolute(name);
	struct buf uri = {0};

	if (!whole)
		return NULL;
	buf_adds(&uri, "log:");
	for (const char *c = whole; *c; c++)
		if (*c == '%' || *c == '?')
			buf_addf(&uri, "%%%02X", (unsigned int)*c);
		else
			buf_addc(&uri, *c);
	buf_adds(&uri, "?rotated=yes");
	free(whole);
	return buf_take(&uri);
}

/* Is it one of the sources already, whatever their parameters are? */
static bool is_source(const struct model *model, const char *uri)
{
	size_t len = strcspn(uri, "?");

	for (size_t i = 0; i < model->sources; i++)
		if (strncmp(model->source[i].uri, uri, len) == 0 &&
			strchr("?", model->source[i].uri[len]))
			return true;
	return false;
}

static size_t count_logs(const struct model *model)
{
	size_t n = 0;

	for (size_t i = 0; i < model->sources; i++)
		n += model_is_log(&model->source[i]);
	return n;
}

/* Once, however often it was named, for its lines count once. */
static int add_log(struct session *session, const char *name, struct error *err)
{
	char *uri;
	int e = 0;

	if (strcmp(name, "none") == 0)
		return 0;
	uri = log_uri(name);
	if (!uri)
		return error_sys(err, -ENOMEM, "cannot read %s", name);
	if (!is_source(&session->model, uri))
		e = count_logs(&session->model) < SERIES_SET_MAX
			    ? session_add(session, uri, err)
			    : error_set(err, -EINVAL,
				      "more than %d metrics logs; a pattern may name them",
				      SERIES_SET_MAX);
	free(uri);
	return e < 0 ? e : 0;
}

int session_logs(struct session *session, const struct log_options *logs, struct error *err)
{
	char **usual;
	int e = 0;

	for (size_t i = 0; i < logs->logs && e == 0; i++)
		e = add_log(session, logs->log[i], err);
	if (logs->logs)
		return e;
	usual = metricsread_logs(&session->settings);
	if (!usual)
		return error_sys(err, -ENOMEM, "cannot tell which logs there are");
	for (size_t i = 0; usual[i] && e == 0; i++)
		e = add_log(session, usual[i], err);
	metricsread_logs_free(usual);
	return e;
}

/* Has it said what there is to say? A log that cannot be read is not worth ten seconds. */
static bool has_answered(const struct session *session, const struct model_source *source)
{
	return source->is_complete || source->state == SOURCE_DOWN ||
	       source->state == SOURCE_ENDED ||
	       (source->fault && (session->takes_faults || model_is_log(source)));
}

static bool is_gathered(const struct session *session, bool with_logs)
{
	for (size_t i = 0; i < session->model.sources; i++) {
		const struct model_source *source = &session->model.source[i];

		if (!has_answered(session, source) && (with_logs || !model_is_log(source)))
			return false;
	}
	return true;
}

static int turn(struct session *session, mono_t until)
{
	int e = loop_turn(session->loop, until);

	session_tick(session);
	return e;
}

static int gather(struct session *session, int64_t wait, bool with_logs)
{
	mono_t until = loop_now(session->loop) + (wait ? wait : patience);
	int e = 0;

	while (e == 0 && !is_gathered(session, with_logs) && loop_now(session->loop) < until)
		e = turn(session, until);
	return e;
}

int session_gather(struct session *session, int64_t wait)
{
	return gather(session, wait, true);
}

int session_gather_locks(struct session *session, int64_t wait)
{
	return gather(session, wait, false);
}

bool session_complain(const struct session *session, const char *program)
{
	bool is_bad = false;

	for (size_t i = 0; i < session->model.sources; i++) {
		const struct model_source *source = &session->model.source[i];

		if (source->is_complete && !source->fault)
			continue;
		is_bad = is_bad || !source->is_complete;
		cli_fail(program, 0, "%s: %s", source->uri,
			source->fault ? source->fault : "no answer within 10 s");
	}
	return is_bad;
}

void session_close(struct session *session)
{
	hub_free(session->hub);
	history_free(session->history);
	if (session->loop)
		loop_free(session->loop);
	model_release(&session->model);
	if (session->is_open)
		world_close(&session->world);
	settings_release(&session->settings);
}

int session_run(const char *program, const struct common *common, bool once,
	int (*body)(const char *program, struct session *session, void *args), void *args)
{
	struct session session;
	struct error err;
	int e = session_open(&session, common, &err);
	int code;

	if (e == 0)
		e = session_start(&session, once, &err);
	code = e < 0 ? cli_fail(program, cli_exit_code(e), "%s", err.text)
		     : body(program, &session, args);
	session_close(&session);
	return code;
}

/* "SOURCE/NAME" at the last slash; the source is a file's folder or a server's prefix. */
static int split_at(
	struct address *address, const char *source, size_t source_len, const char *name)
{
	address->uri = strndup(source, source_len);
	address->name = text_clean_dup(name, strlen(name));
	if (address->uri && address->name)
		return 0;
	address_release(address);
	return -ENOMEM;
}

static int split_file(struct address *address, const char *text, const char *path)
{
	const char *slash = strrchr(path, '/');

	/* The file itself is the source: no need to look at its whole folder. */
	return split_at(address, text, strlen(text), slash ? slash + 1 : path);
}

static int split_ssh(struct address *address, const char *text, const struct uri *uri,
	const struct settings *settings, struct error *err)
{
	struct address inner;
	char *joined = NULL;
	int e = address_parse(&inner, uri->path, settings, err);

	if (e < 0)
		return e;
	(void)text;
	if (asprintf(&joined, "ssh:%s:%s", uri->host, inner.uri) < 0)
		joined = NULL;
	free(inner.uri);
	address->uri = joined;
	address->name = inner.name;
	if (joined)
		return 0;
	address_release(address);
	return error_sys(err, -ENOMEM, "cannot look at %s", uri->path);
}

int address_parse(struct address *address, const char *text, const struct settings *settings,
	struct error *err)
{
	struct uri uri;
	const char *slash;
	int e;

	*address = (struct address){0};
	if (!strchr(text, '/') && !strchr(text, ':') && access(text, F_OK) != 0) {
		if (!settings->default_source)
			return error_set(err, -EINVAL,
				"'%s' is no path and no URI, and no default_source is configured",
				text);
		e = split_at(
			address, settings->default_source, strlen(settings->default_source), text);
		return e < 0 ? error_sys(err, e, "cannot look at %s", text) : 0;
	}
	e = uri_parse(&uri, text, err);
	if (e < 0)
		return e;
	slash = strrchr(text, '/');
	if (strcmp(uri.scheme, "ssh") == 0)
		e = split_ssh(address, text, &uri, settings, err);
	else if (strcmp(uri.scheme, "file") == 0)
		e = split_file(address, text, uri.path);
	else if (strcmp(uri.scheme, "kernel") == 0 && uri.path[0])
		e = split_at(address, "kernel:", 7, text + 7);
	else if (strcmp(uri.scheme, "kernel") != 0 && slash && slash[1])
		e = split_at(address, text, (size_t)(slash - text), slash + 1);
	else
		e = error_set(err, -EINVAL, "%s names a source, not a lock in it", text);
	uri_release(&uri);
	return e;
}

void address_release(struct address *address)
{
	free(address->uri);
	free(address->name);
	*address = (struct address){0};
}

int session_look(
	struct session *session, const char *program, const char *text, struct entry **entry)
{
	struct address address;
	struct error err;
	int e = address_parse(&address, text, &session->settings, &err);
	int index, code = EXIT_DONE;

	if (e < 0)
		return cli_fail(program, cli_exit_code(e), "%s", err.text);
	index = session_add(session, address.uri, &err);
	if (index < 0)
		code = cli_fail(program, cli_exit_code(index), "%s", err.text);
	else if (session_gather(session, 0) < 0 || session_complain(session, program))
		code = EXIT_UNREACHABLE;
	else
		*entry = model_find(&session->model, (size_t)index, address.name);
	address_release(&address);
	return code;
}

int session_find(
	struct session *session, const char *program, const char *text, struct entry **entry)
{
	int code = session_look(session, program, text, entry);

	if (code == EXIT_DONE && !*entry)
		code = cli_fail(program, EXIT_REFUSED, "there is no lock %s", text);
	return code;
}

struct answer {
	int64_t request;
	const char *program;
	int code; /* -1: not there yet */
};

static void on_answer(void *data, size_t source, const struct event *event)
{
	struct answer *answer = data;
	const char *text = event->text ? event->text : outcome_word(event->outcome);

	(void)source;
	if (event->request != answer->request)
		return;
	if (event->outcome == OUTCOME_DONE) {
		printf("%s\n", text);
		answer->code = EXIT_DONE;
	} else {
		answer->code = cli_fail(answer->program, EXIT_REFUSED, "%s", text);
	}
}

int session_deed(
	struct session *session, const char *program, size_t source, const struct deed *deed)
{
	struct answer answer = {.program = program, .code = -1};
	mono_t until = loop_now(session->loop) + patience;
	struct error err;

	session->done = on_answer;
	session->data = &answer;
	answer.request = hub_deed(session->hub, source, deed, &err);
	if (answer.request < 0)
		return cli_fail(program, EXIT_UNREACHABLE, "%s", err.text);
	while (answer.code < 0 && loop_now(session->loop) < until && turn(session, until) == 0)
		;
	session->done = NULL;
	if (answer.code < 0)
		return cli_fail(program, EXIT_UNREACHABLE,
			"%s: no answer within 10 s; nothing is known of the result", deed->name);
	return answer.code;
}

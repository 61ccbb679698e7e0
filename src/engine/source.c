/* A source process: looks at one place and says what changed; does what it is asked to. */
#include "config.h"
#include "engine/source.h"

#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "base/error.h"
#include "base/jsonl.h"
#include "base/loop.h"
#include "engine/holders.h"

enum {
	PENDING_MAX = 1024 * 1024,     /* more is not put where the reader is slow */
	SAMPLES_MAX = 8 * 1024 * 1024, /* nor in the middle of a look, which is done for these */
	LOOKS_ONCE = 10,               /* until what the kernel says has to be known */
};

#define GATHER     (20 * NS_PER_MS)
#define EVERY      NS_PER_S          /* a sign of life */
#define LONG_LOOK  (100 * NS_PER_MS) /* from then on first rows are sent early */
#define PAUSE      (500 * NS_PER_MS) /* after a fault, doubling */
#define PAUSE_MAX  (5 * NS_PER_S)
#define LAST_WORDS (2 * NS_PER_S) /* for a reader that is slow when it all ends */
#define SHARE      3              /* hints keep it looking for a quarter of the time at most */

enum cause { REGULAR, HINTED, DEATH, ASKED };

struct source {
	const struct source_options *options;
	const struct backend *backend;
	void *state; /* of the backend */
	bool is_open;
	bool is_once;
	char *text; /* owned; the URI as given */
	struct uri uri;
	struct here here;
	struct audit audit;
	struct metricslog metrics;
	struct policy policy;
	struct act act;
	struct loop *loop;
	struct loop_fd *in, *out, *hint, *ending;
	struct loop_timer *look, *life;
	struct jsonl_reader reader;
	struct jsonl_writer writer;
	struct holders holders;
	struct snapshot told; /* what the reader knows */
	size_t early;         /* locks of the look under way that were told already */
	mono_t began;         /* the look under way */
	mono_t said;          /* last line */
	mono_t looked;        /* end of the last look; MONO_UNKNOWN */
	mono_t regular;       /* when the next one is due, hints apart */
	int64_t took, pause;
	enum cause cause; /* of the next look */
	enum cause last;
	bool is_behind; /* a look is due, but the reader is slow */
	bool is_complete;
	int looks;
	struct backend_scan scan;                    /* the last one: note, is_polling, is_final */
	char fault[sizeof((struct error *)0)->text]; /* "" none */
	struct error *err;
};

static mono_t now_of(const struct source *source)
{
	return clock_mono(source->options->world->clock);
}

/* --- what is said --- */

/* The reader is gone, or (0) all is well: there is nobody to tell of an error. */
static void flush(struct source *source)
{
	int result = jsonl_flush(&source->writer);

	loop_fd_events(source->out, result == -EAGAIN ? POLLOUT : 0);
	if (result < 0 && result != -EAGAIN)
		loop_stop(source->loop, -EPIPE);
}

static bool is_reader_slow(const struct source *source)
{
	return jsonl_pending(&source->writer) > PENDING_MAX;
}

/* One line; nothing is queued when it fails. */
static int put(struct source *source, const struct event *event)
{
	struct buf *buf = &source->writer.buf;
	size_t start = buf->len;
	int result;

	source->said = now_of(source);
	result = event_write(buf, event, source->said);
	if (result)
		return result;
	buf_addc(buf, '\n');
	result = buf_failed(buf);
	if (result)
		buf_cut(buf, start);
	return result;
}

static wall_t wall_of(const struct source *source)
{
	return clock_wall(source->options->world->clock);
}

static int put_lock(void *data, struct lock *lock)
{
	struct source *source = data;
	const struct event event = {.kind = EVENT_LOCK, .at = wall_of(source), .lock = lock};

	return put(source, &event);
}

static int put_gone(void *data, const char *name)
{
	struct source *source = data;
	struct event event = {.kind = EVENT_GONE, .at = wall_of(source), .name = strdup(name)};
	int result = event.name ? put(source, &event) : -ENOMEM;

	free(event.name);
	return result;
}

/* One line or more. */
static int put_sample(struct source *source, const struct sample *sample)
{
	source->said = now_of(source);
	return event_write_sample(&source->writer.buf, sample, wall_of(source));
}

/* What counts nothing, while there is nothing to count yet. */
static int put_sign_of_life(struct source *source)
{
	const struct sample sample = {.from = wall_of(source) / NS_PER_S, .seconds = 1};

	return put_sample(source, &sample);
}

static void say_scanned(struct source *source, bool is_final)
{
	struct event event = {.kind = EVENT_SCANNED,
		.at = wall_of(source),
		.text = source->scan.note[0] ? source->scan.note : NULL,
		.host = source->here.host[0] ? source->here.host : NULL,
		.locks = (int64_t)source->told.n,
		.took = source->took,
		.every = EVERY,
		.is_polling = source->scan.is_polling,
		.bad = source->scan.bad,
		.is_final = is_final};

	put(source, &event);
	flush(source);
}

static void say_fault(struct source *source, const char *text, bool is_fatal)
{
	char words[sizeof source->fault];
	struct event event = {
		.kind = EVENT_FAULT, .at = wall_of(source), .text = words, .is_fatal = is_fatal};

	snprintf(words, sizeof words, "%s", text);
	put(source, &event);
	flush(source);
}

/*
 * The sign of life, when there is nothing else to say: what was said last still holds, be it a
 * fault. Who does not read gets no heap of them.
 */
static void on_life(void *data, mono_t now)
{
	struct source *source = data;

	loop_timer_set(source->life, now + EVERY);
	if (jsonl_pending(&source->writer))
		return;
	if (source->fault[0])
		say_fault(source, source->fault, false);
	else if (source->is_complete)
		say_scanned(source, false);
}

/* --- looking --- */

static mono_t gather_of(const struct source *source)
{
	return source->options->gather ? source->options->gather : GATHER;
}

/* When may the next look be that somebody else's doing causes? */
static mono_t earliest(const struct source *source)
{
	mono_t gather = gather_of(source);

	if (source->looked == MONO_UNKNOWN || source->last == REGULAR)
		return 0; /* that one was nobody's doing: the next hint is the first */
	return source->looked + (SHARE * source->took > gather ? SHARE * source->took : gather);
}

/*
 * The first hint after a quiet time waits for a quarter of the window only: long enough for a
 * file to be written that was just created, not long enough to be felt. What follows is gathered.
 * A death is looked at at once; if that look does not see it, not again and again.
 */
static void look_soon(struct source *source, enum cause cause)
{
	mono_t at = now_of(source);

	if (cause == HINTED)
		at += gather_of(source) / 4;
	if (cause == HINTED || (cause == DEATH && source->last == DEATH))
		at = at > earliest(source) ? at : earliest(source);
	if (cause > source->cause)
		source->cause = cause;
	loop_timer_sooner(source->look, at);
}

/*
 * During a long look: what is known already. The gone ones come when it is complete. If there
 * is nothing new, something old is said again as the sign of life.
 */
static int on_progress(void *data, struct snapshot *so_far)
{
	struct source *source = data;
	mono_t now = now_of(source);
	const struct lock *old;
	struct lock *lock;
	int result = 0;

	if (now - source->began < LONG_LOOK)
		return 0;
	for (; !result && source->early < so_far->n && !is_reader_slow(source); source->early++) {
		lock = so_far->lock[source->early];
		old = snapshot_find(&source->told, lock->name);
		if (old && lock_equal(old, lock))
			continue;
		result = put_lock(source, lock);
		if (!result)
			result = snapshot_put(&source->told, lock_ref(lock));
	}
	if (!result && now - source->said >= EVERY && !is_reader_slow(source))
		result = so_far->n ? put_lock(source, so_far->lock[so_far->n - 1])
				   : put_sign_of_life(source);
	flush(source);
	return loop_is_stopped(source->loop) ? -EPIPE : result;
}

/* Until the reader has taken so much that the look can go on. -EPIPE: nobody reads. */
static int await_reader(struct source *source)
{
	struct pollfd out = {.fd = source->options->out, .events = POLLOUT};
	const struct clock *clock = source->options->world->clock;
	int result = 0;

	while (is_reader_slow(source) && !loop_is_stopped(source->loop)) {
		result = clock->wait(clock, &out, 1, MONO_NEVER, NULL);
		if (result < 0 && result != -EINTR)
			return result;
		flush(source);
	}
	return loop_is_stopped(source->loop) ? -EPIPE : 0;
}

/*
 * What a log says of a lock. It was counted by the backend and is not told again, so nothing is
 * left out where the reader is slow: the look waits.
 */
static int on_sample(void *data, const struct sample *sample)
{
	struct source *source = data;
	int result = put_sample(source, sample);

	if (result == -EMSGSIZE)
		return 0; /* names that no reader would take */
	if (!result && jsonl_pending(&source->writer) > SAMPLES_MAX)
		result = await_reader(source);
	return result;
}

static bool is_all_read(const struct snapshot *snapshot)
{
	for (size_t i = 0; i < snapshot->n; i++)
		if (snapshot->lock[i]->kernel == KERNEL_VIEW_UNREAD)
			return false;
	return true;
}

/* Is that all that was asked for? Then the last word is said. */
static bool is_done(struct source *source)
{
	bool is_enough =
		source->is_once && (is_all_read(&source->told) || source->looks >= LOOKS_ONCE);

	if (!is_enough && !source->scan.is_final)
		return false;
	say_scanned(source, true);
	if (!loop_is_stopped(source->loop))
		loop_stop(source->loop, 0);
	return true;
}

static void on_hint(void *data, int fd, short revents)
{
	struct source *source = data;

	(void)fd;
	(void)revents;
	if (source->backend->hint(source->state))
		look_soon(source, HINTED);
}

static void on_ending(void *data, int fd, short revents)
{
	struct source *source = data;
	bool has_ended = false;
	int32_t pid;

	(void)fd;
	(void)revents;
	while ((pid = holders_next_ended(&source->holders))) {
		if (source->backend->ended)
			source->backend->ended(source->state, pid);
		has_ended = true;
	}
	if (has_ended)
		look_soon(source, DEATH);
}

/* The descriptor may be another one after every look. */
static void watch_hints(struct source *source)
{
	int fd = source->backend->hint_fd ? source->backend->hint_fd(source->state) : -1;

	loop_fd_remove(source->hint);
	source->hint = fd >= 0 ? loop_fd_add(source->loop, fd, POLLIN, on_hint, source) : NULL;
}

static void watch_holders(struct source *source)
{
	if (!source->options->world->is_real || source->backend->is_recording)
		return;
	if (holders_set(&source->holders, &source->told))
		look_soon(source, DEATH);
}

static void on_fault(struct source *source, const struct error *err)
{
	bool is_new = strcmp(source->fault, err->text) != 0;

	if (is_new)
		snprintf(source->fault, sizeof source->fault, "%s", err->text);
	if (is_new || source->is_once)
		say_fault(source, err->text, false);
	source->pause = source->pause ? 2 * source->pause : PAUSE;
	if (source->pause > PAUSE_MAX)
		source->pause = PAUSE_MAX;
	source->regular = source->looked + source->pause;
	loop_timer_set(source->look, source->regular);
}

/* Says how the new snapshot differs from what the reader knows, which it becomes. */
static int tell(struct source *source, struct snapshot *now)
{
	int result = snapshot_diff(&source->told, now, put_lock, put_gone, source);
	struct snapshot old = source->told;

	if (result < 0)
		return result;
	source->told = *now;
	*now = old;
	return 0;
}

/* Part of a first look: what is new was told, and the rest comes as soon as there is a reader. */
static void on_look_partial(struct source *source)
{
	source->pause = 0;
	if (!source->is_complete && now_of(source) - source->said >= EVERY &&
		!is_reader_slow(source))
		put_sign_of_life(source);
	source->cause = source->last;
	loop_timer_sooner(source->look, now_of(source));
}

static void on_look_done(struct source *source)
{
	mono_t next = source->scan.next;

	source->is_complete = true;
	source->fault[0] = '\0';
	source->pause = 0;
	source->looks++;
	if (is_done(source))
		return;
	if (!source->is_once) {
		say_scanned(source, false);
		loop_timer_set(source->life, now_of(source) + EVERY);
	}
	/* The regular look has its turn also where hints never end. */
	if (source->last == HINTED && source->regular < next)
		next = source->regular;
	source->regular = next;
	if (next < source->looked + gather_of(source))
		next = source->looked + gather_of(source);
	if (next != MONO_NEVER)
		loop_timer_sooner(source->look, next);
	watch_holders(source);
}

static void look(struct source *source)
{
	struct snapshot fresh = {0};
	struct error err = {0};
	int result;

	source->began = now_of(source);
	source->early = 0;
	source->last = source->cause;
	if (source->last == HINTED && source->began >= source->regular)
		source->last = REGULAR;
	source->cause = REGULAR;
	source->scan = (struct backend_scan){.snapshot = &fresh,
		.progress = on_progress,
		.progress_data = source,
		.sample = on_sample,
		.sample_data = source,
		.is_hinted = source->last == HINTED || source->last == DEATH,
		.next = source->began + EVERY};
	result = source->backend->scan(source->state, &source->scan, &err);
	source->looked = now_of(source);
	source->took = source->looked - source->began;
	if (!result && !source->scan.is_partial)
		result = tell(source, &fresh);
	snapshot_release(&fresh);
	watch_hints(source);
	if (loop_is_stopped(source->loop))
		return;
	if (result < 0 && !err.text[0])
		error_sys(&err, result, "cannot look at %s", source->text);
	if (result < 0)
		on_fault(source, &err);
	else if (source->scan.is_partial)
		on_look_partial(source);
	else
		on_look_done(source);
	flush(source);
}

static void on_look(void *data, mono_t now)
{
	struct source *source = data;

	(void)now;
	/* What is not read need not be found out: the next look says what then is true. */
	source->is_behind = is_reader_slow(source);
	if (!source->is_behind)
		look(source);
}

static void on_out(void *data, int fd, short revents)
{
	struct source *source = data;

	(void)fd;
	(void)revents;
	flush(source);
	if (source->is_behind && !is_reader_slow(source)) {
		source->is_behind = false;
		look_soon(source, ASKED);
	}
}

/* --- the place --- */

static bool is_match(const char *pattern, const char *name, const char *address)
{
	return fnmatch(pattern, name, 0) == 0 || (address && fnmatch(pattern, address, 0) == 0);
}

/* How long a hold may take, by the rules of this host. The kernel's own locks have no limit. */
static int64_t limit_of(void *data, const char *name)
{
	const struct source *source = data;
	const struct settings *settings = source->options->settings;
	bool is_kernel = strcmp(source->uri.scheme, "kernel") == 0;
	int64_t limit = is_kernel ? 0 : settings->limit;
	char *address = NULL;

	if (asprintf(&address, "%s%s%s", is_kernel ? "kernel:" : source->uri.path,
		    is_kernel ? "" : "/", name) < 0)
		address = NULL;
	for (size_t i = 0; i < settings->rules; i++) {
		if (!is_match(settings->rule[i].pattern, name, address))
			continue;
		limit = settings->rule[i].limit;
		break;
	}
	free(address);
	return limit;
}

/* Whoever cannot be called to account does nothing; looking needs no audit. */
static void open_audit(struct source *source)
{
	const struct settings *settings = source->options->settings;
	struct error why;
	char text[sizeof source->policy.why];

	if (audit_init(&source->audit, settings->audit, &why) == 0)
		return;
	snprintf(text, sizeof text, "no audit log: %.90s", why.text);
	policy_read_only(&source->policy, text);
}

/* If memory runs out there is none: nothing depends on it. */
static void open_metrics(struct source *source)
{
	metricslog_init(&source->metrics, source->options->settings->metrics, NULL);
}

static void obey_settings(struct source *source)
{
	const struct settings *settings = source->options->settings;
	char text[sizeof source->policy.why];

	if (!settings->is_secure)
		return;
	snprintf(text, sizeof text, "secure = true in %.90s",
		settings->secure_in ? settings->secure_in : settings_system_path());
	policy_read_only(&source->policy, text);
}

static int open_backend(struct source *source, const char *text, struct error *err)
{
	const struct source_options *options = source->options;
	int result = uri_parse(&source->uri, text, err);

	if (result < 0)
		return result;
	source->backend = options->backend ? options->backend : backend_for(&source->uri, err);
	if (!source->backend)
		return -EINVAL;
	if (source->backend->params)
		result = uri_only(&source->uri, source->backend->params, err);
	if (result == 0)
		result = proc_here(options->world, &source->here, err);
	if (result == 0)
		result = source->backend->open(
			&source->state, options->world, &source->here, &source->uri, err);
	return result;
}

/* After that it looks. */
static int open_place(struct source *source, const char *text, struct error *err)
{
	int result;

	source->text = strdup(text);
	if (!source->text)
		return error_sys(err, -ENOMEM, "cannot look at %s", text);
	result = open_backend(source, text, err);
	if (result < 0)
		return result;
	source->is_open = true;
	source->said = now_of(source);
	obey_settings(source);
	open_audit(source);
	open_metrics(source);
	source->act = (struct act){.backend = source->backend,
		.state = source->state,
		.world = source->options->world,
		.here = &source->here,
		.policy = &source->policy,
		.audit = &source->audit,
		.metrics = &source->metrics,
		.source = source->text,
		.limit = limit_of,
		.limit_data = source};
	loop_timer_set(source->look, now_of(source));
	if (!source->is_once)
		loop_timer_set(source->life, now_of(source) + EVERY);
	return 0;
}

/* --- requests --- */

static void do_deed(struct source *source, const struct request *request)
{
	struct act_result result = {0};
	struct event event = {.kind = EVENT_DONE,
		.at = wall_of(source),
		.name = request->deed.name,
		.text = result.text,
		.request = request->id};

	act_perform(&source->act, &request->deed, &result);
	event.outcome = result.outcome;
	event.code = result.code;
	put(source, &event);
	flush(source);
	look_soon(source, ASKED);
}

static int do_open(struct source *source, const struct request *request, struct error *err)
{
	if (source->is_open)
		return error_set(err, -EBUSY, "a place is open already");
	if (request->read_only)
		policy_read_only(&source->policy, request->read_only_why
							  ? request->read_only_why
							  : "the monitor is read-only");
	source->is_once = source->is_once || request->once;
	return open_place(source, request->uri, err);
}

static int do_request(struct source *source, const struct request *request, struct error *err)
{
	if (request->kind == REQUEST_OPEN)
		return do_open(source, request, err);
	if (!source->is_open)
		return error_set(err, -EINVAL, "expected an open request first");
	if (request->kind == REQUEST_DEED)
		do_deed(source, request);
	else
		look_soon(source, ASKED);
	return 0;
}

static void take(struct source *source, const json_t *object)
{
	struct request request = {0};
	struct error err = {0};
	int result = request_from_json(&request, object, &err);

	if (result == 0) {
		result = do_request(source, &request, &err);
		request_release(&request);
	}
	if (result == 0)
		return;
	if (source->is_open) {
		say_fault(source, err.text, false);
		return;
	}
	*source->err = err;
	loop_stop(source->loop, result);
}

/* Whoever asked for us is gone when the input ends, which is no error. */
static void on_in(void *data, int fd, short revents)
{
	struct source *source = data;
	uint64_t bad = source->reader.bad;
	int n = jsonl_fill(&source->reader);
	json_t *object;

	(void)fd;
	(void)revents;
	while (!loop_is_stopped(source->loop) && (object = jsonl_next(&source->reader))) {
		take(source, object);
		json_decref(object);
	}
	if (source->reader.bad != bad && source->is_open)
		say_fault(source, "a request was not understood", false);
	if (n <= 0 && n != -EAGAIN && n != -ENOMEM && !loop_is_stopped(source->loop))
		loop_stop(source->loop, -EPIPE);
}

/* --- its life --- */

/* A terminal is shared with the shell, which would find it non-blocking later. */
static int set_nonblocking(int fd)
{
	int flags = fcntl(fd, F_GETFL);

	if (flags < 0 || (flags & O_NONBLOCK) || isatty(fd))
		return -1;
	fcntl(fd, F_SETFL, flags | O_NONBLOCK);
	return flags;
}

static int set_up(struct source *source, struct error *err)
{
	const struct source_options *options = source->options;

	source->loop = loop_new(options->world->clock);
	if (!source->loop)
		return error_sys(err, -ENOMEM, "cannot look");
	source->out = loop_fd_add(source->loop, options->out, 0, on_out, source);
	source->look = loop_timer_add(source->loop, on_look, source);
	source->life = loop_timer_add(source->loop, on_life, source);
	if (options->in >= 0)
		source->in = loop_fd_add(source->loop, options->in, POLLIN, on_in, source);
	if (source->holders.epoll >= 0)
		source->ending =
			loop_fd_add(source->loop, source->holders.epoll, POLLIN, on_ending, source);
	if (!source->out || !source->look || !source->life || (options->in >= 0 && !source->in))
		return error_sys(err, -ENOMEM, "cannot look");
	return 0;
}

/* Waits for the reader: as long as it takes for what it asked for, a little for a last fault. */
static void say_last_words(struct source *source, mono_t until)
{
	struct pollfd out = {.fd = source->options->out, .events = POLLOUT};
	const struct clock *clock = source->options->world->clock;
	int result;

	while (jsonl_flush(&source->writer) == -EAGAIN) {
		result = clock->wait(clock, &out, 1, until, NULL);
		if (result == 0 || (result < 0 && result != -EINTR))
			return;
	}
}

static int run(struct source *source, struct error *err)
{
	const struct source_options *options = source->options;
	int result = set_up(source, err);

	if (result == 0 && options->uri)
		result = open_place(source, options->uri, err);
	else if (result == 0 && options->in < 0)
		result = error_set(err, -EINVAL, "no source was named");
	if (result == 0)
		result = loop_run(source->loop);
	if (result == -EPIPE)
		return 0; /* nobody is there */
	if (result < 0) {
		if (!err->text[0])
			error_sys(err, result, "cannot look");
		if (source->out)
			say_fault(source, err->text, true);
	}
	say_last_words(source, result < 0 ? now_of(source) + LAST_WORDS : MONO_NEVER);
	return result;
}

static void tear_down(struct source *source)
{
	if (source->is_open)
		source->backend->close(source->state);
	holders_release(&source->holders);
	snapshot_release(&source->told);
	loop_free(source->loop);
	jsonl_reader_release(&source->reader);
	jsonl_writer_release(&source->writer);
	audit_release(&source->audit);
	metricslog_release(&source->metrics);
	uri_release(&source->uri);
	free(source->text);
}

int source_run(const struct source_options *options, struct error *err)
{
	struct error why = {0};
	struct source source = {.options = options,
		.is_once = options->once,
		.policy = options->policy,
		.looked = MONO_UNKNOWN,
		.err = &why};
	void (*old)(int) = signal(SIGPIPE, SIG_IGN);
	int flags = set_nonblocking(options->out), result;

	jsonl_reader_init(&source.reader, options->in);
	jsonl_writer_init(&source.writer, options->out);
	holders_init(&source.holders);
	result = run(&source, &why);
	if (result < 0 && err)
		*err = why;
	tear_down(&source);
	if (flags >= 0)
		fcntl(options->out, F_SETFL, flags);
	if (old != SIG_ERR)
		signal(SIGPIPE, old);
	return result < 0 ? result : 0;
}

/* Sources as child processes: their lines become events, their silence a state. */
#include "config.h"
#include "engine/hub.h"

#include <assert.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>

#include "base/error.h"
#include "base/jsonl.h"
#include "base/text.h"
#include "engine/child.h"

enum {
	STRAYS = 3,      /* processes of a source that may hang in the kernel at once */
	DEEDS_OPEN = 64, /* that a source may owe an answer for */
	BAD_A_SECOND = 1000,
	WORDS = 320,
	DRAIN_FILLS = 8, /* more than a socket holds, when its child is dead */
	EXIT_USAGE = 64, /* of sysexits.h: the URI is wrong, trying again does not help */
	BYTES_A_SECOND = 4 * 1024 * 1024,
	BYTES_AT_ONCE = 32 * 1024 * 1024, /* a first look at 80,000 locks */
	QUEUE_MAX = 1024 * 1024,          /* of requests that a source does not read */
};

#define SILENCE      (2 * NS_PER_S)
#define PATIENCE     (15 * NS_PER_S)
#define GRACE        (500 * NS_PER_MS) /* between TERM and KILL, and before giving up */
#define EVERY        NS_PER_S          /* as long as the source has not said */
#define EVERY_MAX    (60 * NS_PER_S)
#define BACK_OFF     (500 * NS_PER_MS)
#define BACK_OFF_MAX (60 * NS_PER_S)
#define HEALTHY      (30 * NS_PER_S)

enum phase {
	IDLE,       /* no process; if the timer is on it starts one */
	RUNNING,    /* the timer is the next deadline of whatever kind */
	TERMINATED, /* TERM was sent; the timer sends KILL */
	KILLED,     /* KILL was sent; the timer gives the process up */
};

/* A deed that was asked for. */
struct asked {
	int64_t id;
	char *name; /* owned */
	mono_t until;
	bool is_answered; /* by the hub; the source's own answer may still come */
};

/* A process that did not even end by KILL: it hangs in the kernel (state D). */
struct stray {
	struct source *source;
	struct child child;
	struct loop_fd *ending;
	bool is_used;
};

struct source {
	struct hub *hub;
	size_t index;
	const char **argv;   /* owned; words[0], if any, holds their memory */
	char *words;         /* owned or NULL */
	const char *program; /* of argv[0] */
	char *uri;           /* owned; as it is sent: of ssh: the inner one */
	enum phase phase;
	enum source_state state;
	bool is_over;     /* ended, or down for good */
	bool is_complete; /* this process has completed a look */
	bool is_final;    /* it said that nothing will follow */
	struct child child;
	struct loop_fd *socket, *ending, *complaint;
	struct loop_timer *timer;
	struct jsonl_reader reader;
	struct jsonl_writer writer;
	mono_t started, heard, complete_at;
	mono_t hung_up;    /* when its output was closed; MONO_NEVER */
	mono_t idle_until; /* not read until then, for it sent too much; 0 */
	int64_t every;
	int64_t bytes; /* that may be read now */
	mono_t bytes_at;
	unsigned int failures; /* in a row */
	uint64_t lies;         /* lines of JSON that are no event, or one that cannot be */
	uint64_t bad_told;     /* lines not understood: as last told */
	uint64_t bad_before;   /* as it was a second before */
	mono_t bad_told_at, bad_at;
	char why[WORDS];   /* the hub's reason to end it, "" none */
	char fault[WORDS]; /* the last that it told of itself, "" none */
	uint64_t fault_hash;
	bool is_fatal;
	struct asked asked[DEEDS_OPEN];
	size_t asks;
	struct stray stray[STRAYS];
};

struct hub {
	struct hub_options options;
	struct source **source; /* owned */
	size_t sources;
	int64_t request; /* last number given */
	uint64_t random;
	int64_t silence, patience;
};

static mono_t now_of(const struct source *source)
{
	return loop_now(source->hub->options.loop);
}

/* xorshift64: only so that sources which fell together do not come back together. */
static int64_t random_below(struct hub *hub, int64_t n)
{
	hub->random ^= hub->random << 13;
	hub->random ^= hub->random >> 7;
	hub->random ^= hub->random << 17;
	return (int64_t)(hub->random % (uint64_t)n);
}

/* --- what is told to the owner --- */

static void tell(struct source *source, const struct event *event)
{
	const struct hub_options *options = &source->hub->options;

	if (options->event)
		options->event(options->data, source->index, event);
}

static void tell_state(struct source *source, enum source_state state, const char *text)
{
	const struct hub_options *options = &source->hub->options;

	source->state = state;
	if (options->state)
		options->state(options->data, source->index, state, text && *text ? text : NULL);
}

static void forget(struct source *source, size_t i)
{
	free(source->asked[i].name);
	source->asked[i] = source->asked[--source->asks];
}

/* Deeds that nobody will answer, or not in time: all of them, or those that are due. */
static void answer_for(struct source *source, mono_t due)
{
	char text[] = "no answer: nothing is known of the result";
	struct event event = {.kind = EVENT_DONE,
		.at = loop_wall(source->hub->options.loop),
		.text = text,
		.outcome = OUTCOME_FAILED,
		.code = -ETIMEDOUT};
	size_t i;

	for (i = 0; i < source->asks; i++) {
		if (source->asked[i].is_answered || source->asked[i].until > due)
			continue;
		source->asked[i].is_answered = true;
		event.request = source->asked[i].id;
		event.name = source->asked[i].name;
		tell(source, &event);
	}
}

static uint64_t bad_lines(const struct source *source)
{
	return source->reader.bad + source->lies;
}

/* What the owner should know of the lines that were not understood, once a second at most. */
static void tell_bad_lines(struct source *source, mono_t now)
{
	uint64_t bad = bad_lines(source);
	char text[80];

	if (bad == source->bad_told || now < source->bad_told_at + NS_PER_S)
		return;
	source->bad_told = bad;
	source->bad_told_at = now;
	snprintf(text, sizeof text, "%llu line%s not understood", (unsigned long long)bad,
		bad == 1 ? "" : "s");
	tell_state(source, source->state, text);
}

/* --- deadlines --- */

static mono_t silent_at(const struct source *source)
{
	return source->heard + 3 * source->every + source->hub->silence;
}

static mono_t hopeless_at(const struct source *source)
{
	mono_t at = source->heard + source->hub->patience;

	return at > silent_at(source) ? at : silent_at(source);
}

/* Of a source that shall end after one look: even one that talks all the time. */
static mono_t overdue_at(const struct source *source)
{
	return source->hub->options.once && !source->is_complete
		       ? source->started + 4 * source->hub->patience
		       : MONO_NEVER;
}

static void arm(struct source *source)
{
	mono_t at = hopeless_at(source);
	size_t i;

	if (source->phase != RUNNING)
		return;
	if (source->state != SOURCE_SILENT && !source->is_final && silent_at(source) < at)
		at = silent_at(source);
	if (overdue_at(source) < at)
		at = overdue_at(source);
	if (source->hung_up != MONO_NEVER && source->hung_up + GRACE < at)
		at = source->hung_up + GRACE;
	if (source->idle_until && source->idle_until < at)
		at = source->idle_until;
	if (bad_lines(source) != source->bad_told && source->bad_told_at + NS_PER_S < at)
		at = source->bad_told_at + NS_PER_S;
	for (i = 0; i < source->asks; i++)
		if (!source->asked[i].is_answered && source->asked[i].until < at)
			at = source->asked[i].until;
	loop_timer_set(source->timer, at);
}

/* 0.5 s, 1 s, 2 s, … 60 s, and up to a quarter more. */
static int64_t back_off(struct source *source)
{
	int64_t pause = BACK_OFF_MAX;

	if (source->failures < 7 && BACK_OFF << source->failures < BACK_OFF_MAX)
		pause = BACK_OFF << source->failures;
	source->failures++;
	return pause + random_below(source->hub, pause / 4);
}

/* --- the end of a process --- */

static void remove_fd(struct loop_fd **handle)
{
	loop_fd_remove(*handle);
	*handle = NULL;
}

static void hang_up(struct source *source)
{
	remove_fd(&source->socket);
	child_hang_up(&source->child);
}

static void let_go(struct source *source)
{
	hang_up(source);
	remove_fd(&source->ending);
	remove_fd(&source->complaint);
	child_release(&source->child);
	child_init(&source->child);
	jsonl_reader_release(&source->reader);
	jsonl_writer_release(&source->writer);
	while (source->asks)
		forget(source, source->asks - 1);
	source->phase = IDLE;
	if (source->timer)
		loop_timer_off(source->timer);
}

static size_t strays(const struct source *source)
{
	size_t i, n = 0;

	for (i = 0; i < STRAYS; i++)
		n += source->stray[i].is_used;
	return n;
}

/* There is no process now: when will there be one again, and what does the owner hear? */
static void fall(struct source *source, const char *text, bool for_good)
{
	mono_t now = now_of(source);
	char words[WORDS];

	if (source->complete_at != MONO_NEVER && now - source->complete_at >= HEALTHY)
		source->failures = 0;
	source->complete_at = MONO_NEVER;
	source->is_over = for_good || source->hub->options.once;
	text_visible(words, sizeof words, text, strlen(text));
	if (!source->is_over && strays(source) == STRAYS)
		snprintf(words, sizeof words, "%d processes hang in the kernel (%.200s)", STRAYS,
			text);
	else if (!source->is_over)
		loop_timer_set(source->timer, now + back_off(source));
	tell_state(source, SOURCE_DOWN, words);
}

/*
 * Ends a process that does not do what it should. It counts as down from now on, unless it has
 * said all.
 */
static void end(struct source *source, const char *why)
{
	snprintf(source->why, sizeof source->why, "%s", why);
	hang_up(source);
	child_signal(&source->child, SIGTERM);
	source->phase = TERMINATED;
	loop_timer_set(source->timer, now_of(source) + GRACE);
	answer_for(source, MONO_NEVER);
	if (!source->is_final)
		tell_state(source, SOURCE_DOWN, source->why);
}

static void on_stray_end(void *data, int fd, short revents)
{
	struct stray *stray = data;
	struct source *source = stray->source;

	(void)fd;
	(void)revents;
	if (!child_reap(&stray->child))
		return;
	remove_fd(&stray->ending);
	child_release(&stray->child);
	stray->is_used = false;
	if (source->phase == IDLE && !source->is_over)
		loop_timer_sooner(source->timer, now_of(source) + back_off(source));
}

/* The process is gone, or given up. */
static void conclude(struct source *source, bool for_good)
{
	let_go(source);
	if (source->is_final)
		source->is_over = true;
	else
		fall(source, source->why, for_good);
}

/* It hangs in the kernel, and KILL comes when it wakes: its end is awaited aside. */
static void give_up(struct source *source)
{
	struct stray *stray = source->stray;
	while (stray->is_used)
		stray++;
	remove_fd(&source->ending);
	remove_fd(&source->complaint);
	*stray = (struct stray){.source = source, .child = source->child, .is_used = true};
	child_init(&source->child);
	child_hang_up(&stray->child);
	stray->ending = loop_fd_add(
		source->hub->options.loop, stray->child.pidfd, POLLIN, on_stray_end, stray);
	conclude(source, false);
}

/* The words for an end that the hub did not cause: the source's own before the system's. */
static void say_why(const struct source *source, char *dst, size_t size)
{
	if (source->is_fatal) {
		text_visible(dst, size, source->fault, strlen(source->fault));
		return;
	}
	child_complaint(&source->child, dst, size);
	if (!*dst)
		child_end_words(&source->child, dst, size);
}

static void take_lines(struct source *source);

/* What a dead process has left in its pipes. */
static void drain(struct source *source)
{
	int i;

	for (i = 0; i < DRAIN_FILLS && source->child.socket >= 0; i++) {
		if (jsonl_fill(&source->reader) <= 0)
			break;
		take_lines(source);
	}
	if (source->child.socket >= 0)
		take_lines(source);
	for (i = 0; i < 16 && source->child.complaint >= 0; i++)
		if (!child_listen(&source->child))
			break;
	if (source->child.complaint < 0)
		remove_fd(&source->complaint);
}

static void on_end(void *data, int fd, short revents)
{
	struct source *source = data;
	bool is_wrong = false;

	(void)fd;
	(void)revents;
	if (!child_reap(&source->child))
		return;
	if (source->phase == RUNNING) {
		drain(source);
		say_why(source, source->why, sizeof source->why);
		answer_for(source, MONO_NEVER);
		is_wrong = !source->child.was_killed && source->child.status == EXIT_USAGE;
	}
	conclude(source, is_wrong);
}

/* --- what it says --- */

static bool take_done(struct source *source, const struct event *event)
{
	size_t i;

	for (i = 0; i < source->asks; i++)
		if (source->asked[i].id == event->request)
			break;
	if (i == source->asks)
		return false; /* nobody asked */
	forget(source, i);
	tell(source, event);
	return true;
}

/* A fault is repeated as long as it lasts, as the sign of life; the owner hears it once. */
static void take_fault(struct source *source, const struct event *event)
{
	const char *text = event->text ? event->text : "";
	uint64_t hash = text_hash(text, strlen(text), 1);

	source->is_fatal = event->is_fatal;
	if (!event->is_fatal && hash == source->fault_hash)
		return;
	source->fault_hash = hash;
	text_visible(source->fault, sizeof source->fault, text, strlen(text));
	tell(source, event);
}

/* It has said all. That its input ends is the sign for it to end too. */
static void finish(struct source *source)
{
	source->is_final = true;
	shutdown(source->child.socket, SHUT_WR);
	tell_state(source, SOURCE_ENDED, NULL);
}

static void take_scanned(struct source *source, const struct event *event)
{
	bool is_final;

	source->every = event->every > EVERY ? event->every : EVERY;
	if (source->every > EVERY_MAX)
		source->every = EVERY_MAX;
	if (!source->is_complete)
		source->complete_at = now_of(source);
	/* A version that knows no `once` goes on: two looks are enough. */
	is_final = event->is_final || (source->hub->options.once && source->is_complete);
	source->is_complete = true;
	source->fault[0] = '\0';
	source->fault_hash = 0;
	tell(source, event);
	if (is_final && !source->is_final)
		finish(source);
	else if (!source->is_final && source->state != SOURCE_OK)
		tell_state(source, SOURCE_OK, NULL);
}

/* Any word that is understood is a sign of life, until it has said that it ends. */
static void wake(struct source *source)
{
	if (source->is_final)
		return;
	source->heard = now_of(source);
	if (source->state == SOURCE_SILENT)
		tell_state(source, source->is_complete ? SOURCE_OK : SOURCE_STARTING, NULL);
	else if (source->state == SOURCE_DOWN)
		tell_state(source, SOURCE_STARTING, NULL);
}

static void take(struct source *source, const json_t *object)
{
	struct event event;
	int result = event_from_json(&event, object, now_of(source), NULL);

	if (result == -ENOMEM)
		return;
	if (result < 0) {
		source->lies++;
		return;
	}
	wake(source);
	switch (event.kind) {
	case EVENT_DONE: source->lies += !take_done(source, &event); break;
	case EVENT_FAULT: take_fault(source, &event); break;
	case EVENT_SCANNED: take_scanned(source, &event); break;
	default: tell(source, &event); break;
	}
	event_release(&event);
}

static void take_lines(struct source *source)
{
	json_t *object;

	while ((object = jsonl_next(&source->reader))) {
		take(source, object);
		json_decref(object);
	}
	tell_bad_lines(source, now_of(source));
}

/* More nonsense in a second than a fault explains. */
static bool is_raving(struct source *source, mono_t now)
{
	if (now - source->bad_at >= NS_PER_S) {
		source->bad_at = now;
		source->bad_before = bad_lines(source);
	}
	return bad_lines(source) - source->bad_before > BAD_A_SECOND;
}

/*
 * Whoever sends more than can be of use is read more slowly, so that it costs neither the screen
 * nor the other sources their time. Its own writes then block.
 */
static void spend(struct source *source, int64_t bytes, mono_t now)
{
	int64_t more = (now - source->bytes_at) / NS_PER_MS * (BYTES_A_SECOND / 1000);

	source->bytes_at = now;
	source->bytes += more < BYTES_AT_ONCE ? more : BYTES_AT_ONCE;
	if (source->bytes > BYTES_AT_ONCE)
		source->bytes = BYTES_AT_ONCE;
	source->bytes -= bytes;
	if (source->bytes < 0)
		source->idle_until = now + 100 * NS_PER_MS;
}

/*
 * Not jsonl_flush(), whose write(2) would raise SIGPIPE in a program that wants it for its own
 * output. That the source does not listen any more is no matter here: its end will be seen.
 */
static void flush(struct source *source)
{
	struct jsonl_writer *writer = &source->writer;
	ssize_t n = 0;

	while (n >= 0 && jsonl_pending(writer)) {
		n = send(source->child.socket, writer->buf.data + writer->at, jsonl_pending(writer),
			MSG_NOSIGNAL);
		if (n > 0)
			writer->at += (size_t)n;
	}
	if (n >= 0 || (errno != EAGAIN && errno != EINTR)) {
		buf_clear(&writer->buf);
		writer->at = 0;
	}
}

static void ask_poll(struct source *source)
{
	short events = source->idle_until || source->hung_up != MONO_NEVER ? 0 : POLLIN;

	if (jsonl_pending(&source->writer))
		events |= POLLOUT;
	if (source->socket)
		loop_fd_events(source->socket, events);
}

/* One fill a turn: others get theirs before the next. */
static void read_some(struct source *source)
{
	mono_t now = now_of(source);
	int n = jsonl_fill(&source->reader);

	if (n == -EAGAIN || n == -ENOMEM)
		return;
	if (n > 0)
		spend(source, n, now);
	take_lines(source);
	if (n <= 0)
		source->hung_up = now;
	else if (is_raving(source, now))
		end(source, "it was ended: what it sends is not understood");
}

static void on_socket(void *data, int fd, short revents)
{
	struct source *source = data;

	(void)fd;
	if (revents & POLLOUT)
		flush(source);
	if ((revents & ~POLLOUT) && source->hung_up == MONO_NEVER)
		read_some(source);
	ask_poll(source);
	arm(source);
}

static void on_complaint(void *data, int fd, short revents)
{
	struct source *source = data;

	(void)fd;
	(void)revents;
	if (!child_listen(&source->child))
		remove_fd(&source->complaint);
}

/* --- its life --- */

static int ask(struct source *source, const struct request *request)
{
	int result = jsonl_put(&source->writer, request_to_json(request));

	flush(source);
	ask_poll(source);
	return result;
}

static void send_open(struct source *source)
{
	const struct policy *policy = &source->hub->options.policy;
	char why[sizeof policy->why];
	struct request request = {.kind = REQUEST_OPEN,
		.uri = source->uri,
		.read_only = policy->is_read_only,
		.read_only_why = why,
		.once = source->hub->options.once};

	memcpy(why, policy->why, sizeof why);
	ask(source, &request);
}

static bool watch(struct source *source)
{
	struct loop *loop = source->hub->options.loop;
	struct child *child = &source->child;

	source->socket = loop_fd_add(loop, child->socket, POLLIN, on_socket, source);
	source->complaint = loop_fd_add(loop, child->complaint, POLLIN, on_complaint, source);
	source->ending = loop_fd_add(loop, child->pidfd, POLLIN, on_end, source);
	return source->socket && source->complaint && source->ending;
}

static void start(struct source *source)
{
	mono_t now = now_of(source);
	struct error err;

	source->why[0] = source->fault[0] = '\0';
	source->is_fatal = source->is_complete = source->is_final = source->is_over = false;
	source->started = source->heard = source->bytes_at = source->bad_at = now;
	source->complete_at = source->hung_up = MONO_NEVER;
	source->bad_told_at = now - NS_PER_S;
	source->lies = source->bad_told = source->bad_before = source->fault_hash = 0;
	source->bytes = BYTES_AT_ONCE;
	source->idle_until = 0;
	source->every = EVERY;
	if (child_start(&source->child, source->program, source->argv, &err) < 0) {
		fall(source, err.text, false);
		return;
	}
	source->phase = RUNNING;
	jsonl_reader_init(&source->reader, source->child.socket);
	jsonl_writer_init(&source->writer, source->child.socket);
	if (!watch(source)) {
		end(source, "out of memory");
		return;
	}
	send_open(source);
	arm(source);
}

static void say_silence(struct source *source, mono_t now)
{
	char age[32], text[80];

	answer_for(source, MONO_NEVER);
	text_duration(age, sizeof age, now - source->heard);
	snprintf(text, sizeof text, "no sign of life for %s", age);
	tell_state(source, SOURCE_SILENT, text);
}

static void end_for_silence(struct source *source, mono_t now)
{
	char age[32], text[100];

	text_duration(age, sizeof age, now - source->heard);
	snprintf(text, sizeof text, "it was ended: no sign of life for %s", age);
	end(source, text);
}

static void look_after(struct source *source, mono_t now)
{
	if (source->idle_until && source->idle_until <= now) {
		source->idle_until = 0;
		ask_poll(source);
	}
	answer_for(source, now);
	tell_bad_lines(source, now);
	if (source->hung_up != MONO_NEVER && source->hung_up + GRACE <= now)
		end(source, "it was ended: it closed its output");
	else if (hopeless_at(source) <= now)
		end_for_silence(source, now);
	else if (overdue_at(source) <= now)
		end(source, "it was ended: it does not come to the end of its look");
	else if (source->state != SOURCE_SILENT && !source->is_final && silent_at(source) <= now)
		say_silence(source, now);
	arm(source);
}

static void on_timer(void *data, mono_t now)
{
	struct source *source = data;

	switch (source->phase) {
	case IDLE: start(source); break;
	case RUNNING: look_after(source, now); break;
	case TERMINATED:
		child_signal(&source->child, SIGKILL);
		source->phase = KILLED;
		loop_timer_set(source->timer, now + GRACE);
		break;
	case KILLED: give_up(source); break;
	}
}

/* --- the hub --- */

struct hub *hub_new(const struct hub_options *options)
{
	struct hub *hub = calloc(1, sizeof *hub);

	if (!hub)
		return NULL;
	hub->options = *options;
	hub->silence = options->silence ? options->silence : SILENCE;
	hub->patience = options->patience ? options->patience : PATIENCE;
	if (getrandom(&hub->random, sizeof hub->random, GRND_NONBLOCK) < 0 || !hub->random)
		hub->random = (uint64_t)loop_now(options->loop) | 1;
	return hub;
}

static void source_free(struct source *source)
{
	size_t i;

	let_go(source);
	for (i = 0; i < STRAYS; i++) {
		if (!source->stray[i].is_used)
			continue;
		remove_fd(&source->stray[i].ending);
		child_release(&source->stray[i].child);
	}
	loop_timer_remove(source->timer);
	free(source->words);
	free(source->argv);
	free(source->uri);
	free(source);
}

/* Those that have not ended yet, as far as there is room. */
struct left {
	struct pollfd fds[64];
	unsigned int n;
};

static void reap(struct left *left, struct child *child)
{
	if (child->pid <= 0 || child_reap(child))
		return;
	if (left->n < sizeof left->fds / sizeof *left->fds)
		left->fds[left->n++] = (struct pollfd){.fd = child->pidfd, .events = POLLIN};
}

static void reap_all(struct hub *hub, struct left *left)
{
	left->n = 0;
	for (size_t i = 0; i < hub->sources; i++) {
		reap(left, &hub->source[i]->child);
		for (size_t k = 0; k < STRAYS; k++)
			if (hub->source[i]->stray[k].is_used)
				reap(left, &hub->source[i]->stray[k].child);
	}
}

/* Until all have ended, or half a second is over. True: all have. */
static bool await_all(struct hub *hub)
{
	mono_t until = clock_mono(&clock_system) + GRACE;
	struct left left;

	for (reap_all(hub, &left); left.n; reap_all(hub, &left)) {
		if (clock_mono(&clock_system) >= until)
			return false;
		clock_system.wait(&clock_system, left.fds, left.n, until, NULL);
	}
	return true;
}

static void signal_all(struct hub *hub, int signal)
{
	size_t i;

	for (i = 0; i < hub->sources; i++)
		child_signal(&hub->source[i]->child, signal);
}

void hub_free(struct hub *hub)
{
	size_t i;

	if (!hub)
		return;
	for (i = 0; i < hub->sources; i++)
		hang_up(hub->source[i]);
	signal_all(hub, SIGTERM);
	if (!await_all(hub)) {
		signal_all(hub, SIGKILL);
		await_all(hub);
	}
	for (i = 0; i < hub->sources; i++)
		source_free(hub->source[i]);
	free(hub->source);
	free(hub);
}

static int add(struct hub *hub, struct source *source)
{
	struct source **array = reallocarray(hub->source, hub->sources + 1, sizeof(*array));

	if (!array)
		return -ENOMEM;
	hub->source = array;
	source->timer = loop_timer_add(hub->options.loop, on_timer, source);
	if (!source->timer || !source->uri)
		return -ENOMEM;
	source->hub = hub;
	source->index = hub->sources;
	array[hub->sources++] = source;
	tell_state(source, SOURCE_STARTING, NULL);
	start(source);
	return (int)source->index;
}

/* The command of a source: this program again, or ssh(1). */
static int set_command(
	struct hub *hub, struct source *source, const struct uri *uri, struct error *err)
{
	const char *const *args = hub->options.program_args;
	struct uri sent = *uri;
	char dash[] = "-";
	size_t n = 0, i = 0;
	int result;

	while (args && args[n])
		n++;
	source->argv = calloc(n + HUB_SSH_ARGS, sizeof *source->argv);
	if (!source->argv)
		return error_sys(err, -ENOMEM, "cannot start %s", uri->text);
	if (strcmp(uri->scheme, "ssh") == 0) {
		sent.path = dash; /* the URI is sent, so that it stands in no list of processes */
		result = hub_ssh_argv(hub->options.ssh ? hub->options.ssh : "ssh", &sent, false,
			source->argv, HUB_SSH_ARGS, err);
		if (result < 0)
			return result;
		source->program = source->words = (char *)source->argv[0];
		return 0;
	}
	source->program = hub->options.program ? hub->options.program : "/proc/self/exe";
	source->argv[i++] = "locktop";
	for (n = 0; args && args[n]; n++)
		source->argv[i++] = args[n];
	source->argv[i++] = "source";
	source->argv[i] = "-";
	return 0;
}

/* argv NULL: the command that the URI asks for. */
static int add_source(struct hub *hub, const char *text, const char *const *argv, struct error *err)
{
	struct source *source;
	struct uri uri;
	size_t n = 0;
	int result = uri_parse(&uri, text, err);

	if (result < 0)
		return result;
	source = calloc(1, sizeof *source);
	if (!source) {
		uri_release(&uri);
		return error_sys(err, -ENOMEM, "cannot start %s", text);
	}
	child_init(&source->child);
	source->uri = strdup(strcmp(uri.scheme, "ssh") == 0 ? uri.path : text);
	if (argv) {
		while (argv[n])
			n++;
		source->program = argv[0];
		source->argv = calloc(n + 1, sizeof *source->argv);
		if (source->argv)
			memcpy(source->argv, argv, n * sizeof *argv);
	} else {
		result = set_command(hub, source, &uri, err);
	}
	uri_release(&uri);
	if (!result) {
		result = source->argv ? add(hub, source) : -ENOMEM;
		if (result == -ENOMEM)
			error_sys(err, result, "cannot start %s", text);
	}
	if (result < 0)
		source_free(source);
	return result;
}

int hub_add(struct hub *hub, const char *uri, struct error *err)
{
	return add_source(hub, uri, NULL, err);
}

int hub_add_command(struct hub *hub, const char *uri, const char *const *argv, struct error *err)
{
	return add_source(hub, uri, argv, err);
}

/* May the source be asked now? */
static int check_there(const struct source *source, struct error *err)
{
	if (source->phase != RUNNING || source->is_final || source->hung_up != MONO_NEVER)
		return error_set(
			err, -ENOTCONN, "%s is down: nothing can be asked of it", source->uri);
	if (source->state == SOURCE_SILENT)
		return error_set(err, -ENOTCONN, "%s does not answer: nothing can be asked of it",
			source->uri);
	if (source->asks == DEEDS_OPEN || jsonl_pending(&source->writer) > QUEUE_MAX)
		return error_set(
			err, -EBUSY, "%s has not answered for so many deeds yet", source->uri);
	return 0;
}

int64_t hub_deed(struct hub *hub, size_t index, const struct deed *deed, struct error *err)
{
	struct source *source;
	struct request request = {.kind = REQUEST_DEED, .deed = *deed};
	struct asked *asked;
	int result;

	assert(index < hub->sources);
	source = hub->source[index];
	result = check_there(source, err);
	if (result < 0)
		return result;
	asked = &source->asked[source->asks];
	*asked = (struct asked){.id = hub->request + 1,
		.name = strdup(deed->name),
		.until = now_of(source) + hub->patience};
	request.id = asked->id;
	if (!asked->name || ask(source, &request) < 0) {
		free(asked->name);
		return error_sys(err, -ENOMEM, "cannot ask %s", source->uri);
	}
	source->asks++;
	arm(source);
	return ++hub->request;
}

void hub_scan(struct hub *hub, size_t index)
{
	const struct request request = {.kind = REQUEST_SCAN};
	struct source *source;

	assert(index < hub->sources);
	source = hub->source[index];
	source->failures = 0;
	if (source->phase == IDLE && source->state == SOURCE_DOWN && !hub->options.once &&
		strays(source) < STRAYS)
		loop_timer_set(source->timer, now_of(source));
	else if (source->phase == RUNNING && jsonl_pending(&source->writer) < QUEUE_MAX)
		ask(source, &request);
}

bool hub_is_done(const struct hub *hub)
{
	size_t i;

	for (i = 0; i < hub->sources; i++)
		if (!hub->source[i]->is_over && hub->source[i]->state != SOURCE_ENDED)
			return false;
	return true;
}

/*
 * What a source says and is asked. Nothing that it says is believed: lines are checked, counted
 * when they are none, and read no faster than they can be of use.
 */
#include "config.h"

#include "engine/hub_private.h"

#include <assert.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/error.h"
#include "base/text.h"

enum {
	BAD_A_SECOND = 1000,
	BYTES_A_SECOND = 4 * 1024 * 1024,
	BYTES_AT_ONCE = 32 * 1024 * 1024, /* a first look at 80,000 locks */
};

#define EVERY     NS_PER_S /* as long as the source has not said */
#define EVERY_MAX (60 * NS_PER_S)

static void tell(struct source *source, const struct event *event)
{
	const struct hub_options *options = &source->hub->options;

	if (options->event)
		options->event(options->data, source->index, event);
}

void hub_lines_tell_state(struct source *source, enum source_state state, const char *text)
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

void hub_lines_reset(struct source *source, mono_t now)
{
	source->fault[0] = '\0';
	source->is_fatal = false;
	source->heard = source->bytes_at = source->bad_at = now;
	source->bad_told_at = now - NS_PER_S;
	source->lies = source->bad_told = source->bad_before = source->fault_hash = 0;
	source->bytes = BYTES_AT_ONCE;
	source->idle_until = 0;
	source->every = EVERY;
}

void hub_lines_release(struct source *source)
{
	jsonl_reader_release(&source->reader);
	jsonl_writer_release(&source->writer);
	while (source->asks)
		forget(source, source->asks - 1);
}

void hub_lines_answer_for(struct source *source, mono_t due)
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

mono_t hub_lines_due_at(const struct source *source)
{
	mono_t at = MONO_NEVER;
	size_t i;

	for (i = 0; i < source->asks; i++)
		if (!source->asked[i].is_answered && source->asked[i].until < at)
			at = source->asked[i].until;
	return at;
}

uint64_t hub_lines_bad(const struct source *source)
{
	return source->reader.bad + source->lies;
}

void hub_lines_tell_bad(struct source *source, mono_t now)
{
	uint64_t bad = hub_lines_bad(source);
	char text[80];

	if (bad == source->bad_told || now < source->bad_told_at + NS_PER_S)
		return;
	source->bad_told = bad;
	source->bad_told_at = now;
	snprintf(text, sizeof text, "%llu line%s not understood", (unsigned long long)bad,
		bad == 1 ? "" : "s");
	hub_lines_tell_state(source, source->state, text);
}

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
	hub_lines_tell_state(source, SOURCE_ENDED, NULL);
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
		hub_lines_tell_state(source, SOURCE_OK, NULL);
}

/* Any word that is understood is a sign of life, until it has said that it ends. */
static void wake(struct source *source)
{
	if (source->is_final)
		return;
	source->heard = now_of(source);
	if (source->state == SOURCE_SILENT)
		hub_lines_tell_state(
			source, source->is_complete ? SOURCE_OK : SOURCE_STARTING, NULL);
	else if (source->state == SOURCE_DOWN)
		hub_lines_tell_state(source, SOURCE_STARTING, NULL);
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

void hub_lines_take(struct source *source)
{
	json_t *object;

	while ((object = jsonl_next(&source->reader))) {
		take(source, object);
		json_decref(object);
	}
	hub_lines_tell_bad(source, now_of(source));
}

/* More nonsense in a second than a fault explains. */
static bool is_raving(struct source *source, mono_t now)
{
	if (now - source->bad_at >= NS_PER_S) {
		source->bad_at = now;
		source->bad_before = hub_lines_bad(source);
	}
	return hub_lines_bad(source) - source->bad_before > BAD_A_SECOND;
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

void hub_lines_poll(struct source *source)
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
	hub_lines_take(source);
	if (n <= 0)
		source->hung_up = now;
	else if (is_raving(source, now))
		hub_process_end(source, "it was ended: what it sends is not understood");
}

void hub_lines_on_socket(void *data, int fd, short revents)
{
	struct source *source = data;

	(void)fd;
	if (revents & POLLOUT)
		flush(source);
	if ((revents & ~POLLOUT) && source->hung_up == MONO_NEVER)
		read_some(source);
	hub_lines_poll(source);
	hub_process_arm(source);
}

int hub_lines_ask(struct source *source, const struct request *request)
{
	int result = jsonl_put(&source->writer, request_to_json(request));

	flush(source);
	hub_lines_poll(source);
	return result;
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
	if (!asked->name || hub_lines_ask(source, &request) < 0) {
		free(asked->name);
		return error_sys(err, -ENOMEM, "cannot ask %s", source->uri);
	}
	source->asks++;
	hub_process_arm(source);
	return ++hub->request;
}

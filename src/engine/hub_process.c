/*
 * The process of a source, from start to end and start again: its timer is the next deadline of
 * whatever kind, and what it does not do in time ends it.
 */
#include "config.h"

#include "engine/hub_private.h"

#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/text.h"

enum {
	DRAIN_FILLS = 8, /* more than a socket holds, when its child is dead */
	EXIT_USAGE = 64, /* of sysexits.h: the URI is wrong, trying again does not help */
};

#define BACK_OFF     (500 * NS_PER_MS)
#define BACK_OFF_MAX (60 * NS_PER_S)
#define HEALTHY      (30 * NS_PER_S)

/* xorshift64: only so that sources which fell together do not come back together. */
static int64_t random_below(struct hub *hub, int64_t n)
{
	hub->random ^= hub->random << 13;
	hub->random ^= hub->random >> 7;
	hub->random ^= hub->random << 17;
	return (int64_t)(hub->random % (uint64_t)n);
}

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

void hub_process_arm(struct source *source)
{
	mono_t at = hopeless_at(source);

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
	if (hub_lines_bad(source) != source->bad_told && source->bad_told_at + NS_PER_S < at)
		at = source->bad_told_at + NS_PER_S;
	if (hub_lines_due_at(source) < at)
		at = hub_lines_due_at(source);
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

static void remove_fd(struct loop_fd **handle)
{
	loop_fd_remove(*handle);
	*handle = NULL;
}

void hub_process_hang_up(struct source *source)
{
	remove_fd(&source->socket);
	child_hang_up(&source->child);
}

static void let_go(struct source *source)
{
	hub_process_hang_up(source);
	remove_fd(&source->ending);
	remove_fd(&source->complaint);
	child_release(&source->child);
	child_init(&source->child);
	hub_lines_release(source);
	source->phase = IDLE;
	if (source->timer)
		loop_timer_off(source->timer);
}

size_t hub_process_strays(const struct source *source)
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
	if (!source->is_over && hub_process_strays(source) == STRAYS)
		snprintf(words, sizeof words, "%d processes hang in the kernel (%.200s)", STRAYS,
			text);
	else if (!source->is_over)
		loop_timer_set(source->timer, now + back_off(source));
	hub_lines_tell_state(source, SOURCE_DOWN, words);
}

void hub_process_end(struct source *source, const char *why)
{
	snprintf(source->why, sizeof source->why, "%s", why);
	hub_process_hang_up(source);
	child_signal(&source->child, SIGTERM);
	source->phase = TERMINATED;
	loop_timer_set(source->timer, now_of(source) + GRACE);
	hub_lines_answer_for(source, MONO_NEVER);
	if (!source->is_final)
		hub_lines_tell_state(source, SOURCE_DOWN, source->why);
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

/* What a dead process has left in its pipes. */
static void drain(struct source *source)
{
	int i;

	for (i = 0; i < DRAIN_FILLS && source->child.socket >= 0; i++) {
		if (jsonl_fill(&source->reader) <= 0)
			break;
		hub_lines_take(source);
	}
	if (source->child.socket >= 0)
		hub_lines_take(source);
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
		hub_lines_answer_for(source, MONO_NEVER);
		is_wrong = !source->child.was_killed && source->child.status == EXIT_USAGE;
	}
	conclude(source, is_wrong);
}

static void on_complaint(void *data, int fd, short revents)
{
	struct source *source = data;

	(void)fd;
	(void)revents;
	if (!child_listen(&source->child))
		remove_fd(&source->complaint);
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
	hub_lines_ask(source, &request);
}

static bool watch(struct source *source)
{
	struct loop *loop = source->hub->options.loop;
	struct child *child = &source->child;

	source->socket = loop_fd_add(loop, child->socket, POLLIN, hub_lines_on_socket, source);
	source->complaint = loop_fd_add(loop, child->complaint, POLLIN, on_complaint, source);
	source->ending = loop_fd_add(loop, child->pidfd, POLLIN, on_end, source);
	return source->socket && source->complaint && source->ending;
}

void hub_process_start(struct source *source)
{
	mono_t now = now_of(source);
	struct error err;

	source->why[0] = '\0';
	source->is_complete = source->is_final = source->is_over = false;
	source->started = now;
	source->complete_at = source->hung_up = MONO_NEVER;
	hub_lines_reset(source, now);
	if (child_start(&source->child, source->program, source->argv, &err) < 0) {
		fall(source, err.text, false);
		return;
	}
	source->phase = RUNNING;
	jsonl_reader_init(&source->reader, source->child.socket);
	jsonl_writer_init(&source->writer, source->child.socket);
	if (!watch(source)) {
		hub_process_end(source, "out of memory");
		return;
	}
	send_open(source);
	hub_process_arm(source);
}

static void say_silence(struct source *source, mono_t now)
{
	char age[32], text[80];

	hub_lines_answer_for(source, MONO_NEVER);
	text_duration(age, sizeof age, now - source->heard);
	snprintf(text, sizeof text, "no sign of life for %s", age);
	hub_lines_tell_state(source, SOURCE_SILENT, text);
}

static void end_for_silence(struct source *source, mono_t now)
{
	char age[32], text[100];

	text_duration(age, sizeof age, now - source->heard);
	snprintf(text, sizeof text, "it was ended: no sign of life for %s", age);
	hub_process_end(source, text);
}

static void look_after(struct source *source, mono_t now)
{
	if (source->idle_until && source->idle_until <= now) {
		source->idle_until = 0;
		hub_lines_poll(source);
	}
	hub_lines_answer_for(source, now);
	hub_lines_tell_bad(source, now);
	if (source->hung_up != MONO_NEVER && source->hung_up + GRACE <= now)
		hub_process_end(source, "it was ended: it closed its output");
	else if (hopeless_at(source) <= now)
		end_for_silence(source, now);
	else if (overdue_at(source) <= now)
		hub_process_end(source, "it was ended: it does not come to the end of its look");
	else if (source->state != SOURCE_SILENT && !source->is_final && silent_at(source) <= now)
		say_silence(source, now);
	hub_process_arm(source);
}

void hub_process_on_timer(void *data, mono_t now)
{
	struct source *source = data;

	switch (source->phase) {
	case IDLE: hub_process_start(source); break;
	case RUNNING: look_after(source, now); break;
	case TERMINATED:
		child_signal(&source->child, SIGKILL);
		source->phase = KILLED;
		loop_timer_set(source->timer, now + GRACE);
		break;
	case KILLED: give_up(source); break;
	}
}

void hub_process_free(struct source *source)
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

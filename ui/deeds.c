/*
 * The four deeds of the monitor: who is meant is captured when the question opens, shown in it,
 * and compared again when it is answered. Nothing is sent without an answer to a question.
 */
#include "config.h"
#include "ui/top.h"

#include <inttypes.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/text.h"

enum { EVIDENCE_SHOWN = 5, NAME_SHOWN = 100, PERSON = 300 };

static const enum deed_kind kind_of[ACTION_COUNT] = {
	[ACTION_RELEASE] = DEED_RELEASE,
	[ACTION_FORCE] = DEED_FORCE,
	[ACTION_TERMINATE] = DEED_SIGNAL,
	[ACTION_CLEAN] = DEED_RELEASE,
};

/* A name for a sentence: of a very long one both ends. */
struct name {
	char text[4 * NAME_SHOWN];
};

static struct name name_of(const char *name)
{
	struct name out;

	text_fit(out.text, sizeof out.text, name, NAME_SHOWN, TEXT_CUT_MIDDLE);
	return out;
}

static struct verdict judge(const struct top *top, const struct entry *entry, struct facts *facts)
{
	*facts = model_facts(top->model, entry);
	return verdict_of(entry->lock, facts);
}

/* --- who is meant ------------------------------------------------------------------------- */

void top_drop_targets(struct top *top)
{
	for (size_t i = 0; i < top->targets; i++)
		deed_release(&top->target[i].deed);
	top->targets = 0;
}

static struct target *capture(struct top *top, const struct entry *entry, enum deed_kind kind)
{
	struct facts facts;
	struct verdict verdict = judge(top, entry, &facts);
	struct target *target;

	if (top->targets == top->target_size) {
		top->target_size = top->target_size ? 2 * top->target_size : 8;
		top->target =
			top_must(reallocarray(top->target, top->target_size, sizeof *top->target));
	}
	target = &top->target[top->targets++];
	*target = (struct target){
		.source = entry->source,
		.deed = {.kind = kind, .tidy = top->tidy},
		.state = verdict.state,
	};
	target->deed.name = top_must(strdup(entry->lock->name));
	memcpy(target->deed.version, entry->lock->version, sizeof target->deed.version);
	memcpy(target->deed.tty, top->tty, sizeof target->deed.tty);
	return target;
}

static void name_holder(struct target *target, const struct process *holder)
{
	if (!holder)
		return;
	target->deed.pid = holder->pid;
	target->deed.start = holder->start;
}

/*
 * What is there now, of what is seen: while paused the two may differ, and nobody acts on what
 * he does not see. NULL with a sentence.
 */
static const struct entry *live(struct top *top, const struct entry *seen)
{
	struct name name = name_of(seen->lock->name);
	const struct entry *entry = model_find(top->model, seen->source, seen->lock->name);

	if (entry && strcmp(entry->lock->version, seen->lock->version) == 0)
		return entry;
	top_say(top, true, "%s %s since the pause: p shows it as it is now", name.text,
		entry ? "has changed" : "is gone");
	return NULL;
}

static const struct entry *target_entry(const struct top *top, const struct target *target)
{
	return model_find(top->model, target->source, target->deed.name);
}

bool top_targets_hold(const struct top *top, char *why, size_t size)
{
	for (size_t i = 0; i < top->targets; i++) {
		const struct target *target = &top->target[i];
		const struct entry *entry = target_entry(top, target);
		struct name name = name_of(target->deed.name);
		struct facts facts;

		if (!entry) {
			snprintf(why, size, "%s is gone", name.text);
			return false;
		}
		if (strcmp(entry->lock->version, target->deed.version) != 0) {
			snprintf(why, size, "%s has changed: it is %s now", name.text,
				state_word(judge(top, entry, &facts).state));
			return false;
		}
		if (judge(top, entry, &facts).state != target->state) {
			snprintf(why, size, "%s was %s and is %s now", name.text,
				state_word(target->state),
				state_word(judge(top, entry, &facts).state));
			return false;
		}
	}
	return true;
}

/* --- words -------------------------------------------------------------------------------- */

static void person(char *dst, size_t size, const struct process *process, bool is_running)
{
	bool is_there = process->life == LIFE_ALIVE || process->life == LIFE_STOPPED;
	char text[2 * PERSON];

	snprintf(text, sizeof text, "pid %" PRId32 "%s%s%s%s%s%s%s", process->pid,
		is_running                      ? ""
		: is_there                      ? ", is another process now:"
		: process->life == LIFE_UNKNOWN ? ", cannot be checked"
						: ", gone",
		process->comm[0] ? " " : "", process->comm, process->user ? "  user " : "",
		process->user ? process->user : "", process->command ? "  " : "",
		process->command ? process->command : "");
	text_fit(dst, size, text, (int)size - 1, TEXT_CUT_END);
}

/* Which lock, its state and age, and why. */
static void add_lock(struct top *top, const struct entry *entry)
{
	struct facts facts;
	struct verdict verdict = judge(top, entry, &facts);
	char address[384], why[VERDICT_TEXT], age[32];

	model_address(address, sizeof address, top->model, entry);
	verdict_why(why, sizeof why, entry->lock, &facts, &verdict);
	prompt_add(&top->prompt, "lock    %s", address);
	if (verdict.age == AGE_UNKNOWN)
		prompt_add(&top->prompt, "state   %s: %s", state_word(verdict.state), why);
	else
		prompt_add(&top->prompt, "state   %s, %s old: %s", state_word(verdict.state),
			text_duration(age, sizeof age, verdict.age), why);
}

static void add_holder(struct top *top, const struct entry *entry)
{
	const struct process *holder = verdict_holder(entry->lock);
	struct facts facts;
	struct verdict verdict = judge(top, entry, &facts);
	char text[PERSON];

	if (holder && holder->pid > 0) {
		person(text, sizeof text, holder, verdict_running(entry->lock, &verdict) != 0);
		prompt_add(&top->prompt, "holder  %s", text);
	}
}

static void add_evidence(struct top *top, const struct entry *entry)
{
	struct facts facts;
	struct verdict verdict = judge(top, entry, &facts);
	char text[VERDICT_TEXT];

	for (int i = 0; i < EVIDENCE_SHOWN &&
			verdict_evidence(text, sizeof text, entry->lock, &facts, &verdict, i);
		i++)
		prompt_add(&top->prompt, "%s %s", i ? "       " : "because", text);
}

static void add_operation(struct top *top)
{
	prompt_add(&top->prompt, "does    %s",
		top->tidy
			? "unlink the file after taking its flock and comparing inode and content"
			: "empty the file after taking its flock and comparing inode and content");
}

static void ask(struct top *top, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void ask(struct top *top, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(top->prompt.question, sizeof top->prompt.question, format, args);
	va_end(args);
}

/* "STALE x is …. DO: …": why a deed is not offered, and what to do instead. */
static void refuse(struct top *top, const struct entry *entry)
{
	struct facts facts;
	struct verdict verdict = judge(top, entry, &facts);
	struct name name = name_of(entry->lock->name);
	char why[VERDICT_TEXT], advice[VERDICT_TEXT];

	verdict_why(why, sizeof why, entry->lock, &facts, &verdict);
	verdict_advice(advice, sizeof advice, entry->lock, &facts, &verdict);
	if (verdict.state == STATE_FREE)
		top_say(top, true, "%s is FREE: there is nothing to release", name.text);
	else
		top_say(top, true, "%s is not provably stale, it is %s: %s%s%s", name.text,
			state_word(verdict.state), why, advice[0] ? " - " : "", advice);
}

/* --- may it be offered? --------------------------------------------------------------------- */

static bool answers(struct top *top, const struct entry *entry)
{
	const struct model_source *source = &top->model->source[entry->source];

	if (source->state == SOURCE_OK || source->state == SOURCE_STARTING)
		return true;
	top_say(top, true, "%s %s: what is shown is the past, and nothing is done on the past",
		source->uri, source->state == SOURCE_ENDED ? "has ended" : "does not answer");
	return false;
}

static bool allows_release(const struct top *top, const struct entry *entry)
{
	struct facts facts;
	struct verdict verdict = judge(top, entry, &facts);

	return verdict_allows_release(&verdict);
}

/* --- release --------------------------------------------------------------------------------- */

static void offer_one(struct top *top, const struct entry *entry)
{
	if (!answers(top, entry))
		return;
	if (!allows_release(top, entry)) {
		refuse(top, entry);
		return;
	}
	capture(top, entry, DEED_RELEASE);
	prompt_open(&top->prompt, PROMPT_YES, "Release a stale lock");
	add_lock(top, entry);
	add_holder(top, entry);
	add_evidence(top, entry);
	add_operation(top);
	ask(top, "Release it? y: yes, any other key: no");
}

/* Captures what may be released of the tagged ones, or of all; returns how many may not. */
static size_t capture_many(struct top *top, bool is_tagged_only)
{
	const struct model *model = is_tagged_only ? top_model(top) : top->model;
	size_t skipped = 0;

	for (size_t s = 0; s < model->sources; s++) {
		for (size_t i = 0; i < model->source[s].n; i++) {
			const struct entry *seen = model->source[s].entry[i];
			const struct entry *entry = seen;

			if (is_tagged_only && !seen->is_tagged)
				continue;
			if (top->frozen) {
				entry = model_find(top->model, s, seen->lock->name);
				if (!entry || strcmp(entry->lock->version, seen->lock->version)) {
					skipped++;
					continue;
				}
			}
			if (top->model->source[s].state == SOURCE_OK && allows_release(top, entry))
				capture(top, entry, DEED_RELEASE);
			else
				skipped++;
		}
	}
	return skipped;
}

static void ask_many(struct top *top, size_t skipped, bool is_tagged)
{
	char title[80];

	snprintf(title, sizeof title, "Release %zu stale lock%s", top->targets,
		top->targets == 1 ? "" : "s");
	prompt_open(&top->prompt, PROMPT_YES, title);
	for (size_t i = 0; i < top->targets && i < TOP_TARGETS_SHOWN; i++) {
		const struct entry *entry = target_entry(top, &top->target[i]);
		struct facts facts;
		struct verdict verdict = judge(top, entry, &facts);
		char address[384], why[VERDICT_TEXT];

		model_address(address, sizeof address, top->model, entry);
		verdict_why(why, sizeof why, entry->lock, &facts, &verdict);
		prompt_add(&top->prompt, "%s: %s", address, why);
	}
	if (top->targets > TOP_TARGETS_SHOWN)
		prompt_add(&top->prompt, "and %zu more", top->targets - TOP_TARGETS_SHOWN);
	if (is_tagged && skipped)
		prompt_add(&top->prompt,
			"left alone: %zu tagged that cannot be proved stale, or changed", skipped);
	add_operation(top);
	ask(top, "Release %s%zu? y: yes, any other key: no", top->targets == 1 ? "this " : "all ",
		top->targets);
}

static size_t tagged(const struct model *model)
{
	size_t n = 0;

	for (size_t s = 0; s < model->sources; s++)
		for (size_t i = 0; i < model->source[s].n; i++)
			n += model->source[s].entry[i]->is_tagged;
	return n;
}

static void offer_release(struct top *top, const struct entry *entry)
{
	size_t tags = top->view == VIEW_locks ? tagged(top_model(top)) : 0;
	size_t skipped;

	if (!tags) {
		entry = entry ? live(top, entry) : NULL;
		if (entry)
			offer_one(top, entry);
		return;
	}
	skipped = capture_many(top, true);
	if (top->targets)
		ask_many(top, skipped, true);
	else
		top_say(top, true,
			"none of the %zu tagged locks is provably stale: nothing to release", tags);
}

static void offer_clean(struct top *top)
{
	capture_many(top, false);
	if (top->targets)
		ask_many(top, 0, false);
	else
		top_say(top, false, "nothing is provably stale: there is nothing to clean");
}

/* --- force ----------------------------------------------------------------------------------- */

static void offer_force(struct top *top, const struct entry *entry)
{
	const struct process *holder = verdict_holder(entry->lock);
	struct name name = name_of(entry->lock->name);
	struct facts facts;
	struct verdict verdict = judge(top, entry, &facts);
	bool is_alive = verdict_is_alive(entry->lock, &verdict) && holder && holder->pid > 0;

	if (verdict.state == STATE_FREE) {
		refuse(top, entry);
		return;
	}
	if (verdict_allows_release(&verdict)) {
		top_say(top, true, "%s is provably stale: R releases it, no force is needed",
			name.text);
		return;
	}
	if (entry->lock->kind != LOCK_FILE) {
		top_say(top, true,
			"%s is a kernel lock: only its holder can give it up. T ends the holder",
			name.text);
		return;
	}
	name_holder(capture(top, entry, DEED_FORCE), holder);
	prompt_open(&top->prompt, PROMPT_TYPE,
		is_alive ? "Force: release a lock whose holder is ALIVE"
			 : "Force: release a lock that may be live");
	add_lock(top, entry);
	add_holder(top, entry);
	add_evidence(top, entry);
	if (is_alive)
		prompt_add(&top->prompt,
			"danger  pid %" PRId32
			" is not told and goes on: a second one may start beside it",
			holder->pid);
	else
		prompt_add(&top->prompt,
			"danger  nobody knows whether the holder still works: a second one may "
			"start beside it");
	add_operation(top);
	if (is_alive)
		snprintf(
			top->prompt.expected, sizeof top->prompt.expected, "%" PRId32, holder->pid);
	else
		snprintf(top->prompt.expected, sizeof top->prompt.expected, "force");
	ask(top, "NOT SAFE. Type %s and Enter to do it, Esc to cancel:", top->prompt.expected);
	if (is_alive)
		ask(top, "NOT SAFE. Type the pid %s and Enter to do it, Esc to cancel:",
			top->prompt.expected);
}

/* --- terminate -------------------------------------------------------------------------------- */

static const struct signalled *was_signalled(
	const struct top *top, size_t source, const struct process *process)
{
	for (size_t i = 0; i < TOP_SIGNALLED; i++) {
		const struct signalled *s = &top->signalled[i];

		if (s->pid == process->pid && s->start == process->start && s->source == source)
			return s;
	}
	return NULL;
}

/* Locks that end with the process, besides this one. */
static size_t other_locks(
	const struct top *top, const struct entry *entry, const struct process *process)
{
	const struct model_source *source = &top->model->source[entry->source];
	size_t n = 0;

	for (size_t i = 0; i < source->n; i++) {
		const struct process *other = verdict_holder(source->entry[i]->lock);

		n += other && source->entry[i] != entry && other->pid == process->pid &&
		     other->start == process->start;
	}
	return n;
}

static void refuse_signal(struct top *top, const struct entry *entry)
{
	struct name name = name_of(entry->lock->name);
	struct facts facts;
	struct verdict verdict = judge(top, entry, &facts);
	char why[VERDICT_TEXT];

	verdict_why(why, sizeof why, entry->lock, &facts, &verdict);
	top_say(top, true, "%s: there is nobody to signal: %s%s", name.text, why,
		verdict_allows_release(&verdict) ? " - R releases it" : "");
}

static void offer_signal(struct top *top, const struct entry *entry)
{
	const struct process *holder = verdict_holder(entry->lock);
	struct facts facts;
	struct verdict verdict = judge(top, entry, &facts);
	const struct signalled *before;
	struct target *target;
	size_t others;
	char age[32];

	if (!holder || holder->pid <= 0 || !verdict_is_alive(entry->lock, &verdict)) {
		refuse_signal(top, entry);
		return;
	}
	before = was_signalled(top, entry->source, holder);
	target = capture(top, entry, DEED_SIGNAL);
	name_holder(target, holder);
	target->deed.signal = before ? SIGKILL : SIGTERM;
	prompt_open(&top->prompt, PROMPT_YES,
		before ? "Send KILL to the holder" : "Send TERM to the holder");
	add_holder(top, entry);
	add_lock(top, entry);
	if (before)
		prompt_add(&top->prompt,
			"before  TERM was sent %s ago, and it is still there. KILL lets it put "
			"nothing in order",
			text_duration(age, sizeof age, top->model->now - before->at));
	others = other_locks(top, entry, holder);
	if (others)
		prompt_add(&top->prompt, "also    the same process holds %zu more lock%s here",
			others, others == 1 ? "" : "s");
	ask(top, "Send %s to pid %" PRId32 "? y: yes, any other key: no", before ? "KILL" : "TERM",
		holder->pid);
}

/* --- the way from key to question ----------------------------------------------------------------
 */

void top_offer(struct top *top, enum action action)
{
	const struct entry *entry = top_selected(top);
	struct error err;

	top->is_steered = true; /* it stays with what was meant */
	if (top->past.is_on) {
		char at[32];

		top_say(top, true,
			"this is the past, %s: nothing can be done there; p shows what is now",
			top_moment(at, sizeof at, top, top->frozen->now_wall));
		return;
	}
	if (policy_allows(top->policy, kind_of[action], &err) < 0) {
		top_say(top, true, "%s", err.text);
		return;
	}
	if (top->rows > 0 && top->cols > 0 &&
		(top->rows < LAYOUT_MIN_ROWS || top->cols < LAYOUT_MIN_COLS)) {
		top_say(top, true, "the screen is too small for a question: nothing is done");
		return;
	}
	if (action == ACTION_CLEAN)
		offer_clean(top);
	else if (action == ACTION_RELEASE && (entry || top->view == VIEW_locks))
		offer_release(top, entry);
	else if (!entry)
		top_say(top, true, "no lock is selected");
	else if ((entry = live(top, entry)) && answers(top, entry)) {
		if (action == ACTION_FORCE)
			offer_force(top, entry);
		else
			offer_signal(top, entry);
	}
	if (top->prompt.kind != PROMPT_NONE)
		top->prompt_for = action;
}

/* --- and back
 * -------------------------------------------------------------------------------------- */

static void remember_asked(struct top *top, int64_t request, size_t source, const struct deed *deed)
{
	if (top->asks == top->asked_size) {
		top->asked_size = top->asked_size ? 2 * top->asked_size : 8;
		top->asked =
			top_must(reallocarray(top->asked, top->asked_size, sizeof *top->asked));
	}
	top->asked[top->asks++] = (struct asked){
		.request = request,
		.source = source,
		.kind = deed->kind,
		.pid = deed->pid,
		.start = deed->start,
	};
}

void top_do(struct top *top)
{
	struct error err = {.text = "there is nobody to ask"};
	char why[TOP_MESSAGE];
	size_t failed = 0;

	if (!top_targets_hold(top, why, sizeof why)) {
		top_say(top, true, "nothing is done: %s", why);
		top_drop_targets(top);
		return;
	}
	if (!top->asks)
		top->batch = top->batch_done = top->batch_bad = 0;
	for (size_t i = 0; i < top->targets; i++) {
		const struct target *target = &top->target[i];
		int64_t request =
			top->ask ? top->ask(top->data, target->source, &target->deed, &err) : -1;

		if (request < 0) {
			failed++;
			continue;
		}
		top->batch++;
		remember_asked(top, request, target->source, &target->deed);
	}
	if (failed)
		top_say(top, true, "%zu of %zu could not be asked for: %s", failed, top->targets,
			err.text);
	else
		top_say(top, false, "asked for: waiting for the answer");
	top_drop_targets(top);
}

static void remember_signalled(struct top *top, const struct asked *asked)
{
	size_t oldest = 0;

	for (size_t i = 0; i < TOP_SIGNALLED; i++) {
		if (!top->signalled[i].pid) {
			oldest = i;
			break;
		}
		if (top->signalled[i].at < top->signalled[oldest].at)
			oldest = i;
	}
	top->signalled[oldest] = (struct signalled){
		.source = asked->source,
		.pid = asked->pid,
		.start = asked->start,
		.at = top->model->now,
	};
}

void top_done(struct top *top, size_t source, const struct event *event)
{
	bool is_bad = event->outcome != OUTCOME_DONE;
	const char *text = event->text ? event->text : "no reason was given";
	size_t i;

	for (i = 0; i < top->asks; i++)
		if (top->asked[i].request == event->request && top->asked[i].source == source)
			break;
	if (i == top->asks) /* not ours */
		return;
	if (!is_bad && top->asked[i].kind == DEED_SIGNAL)
		remember_signalled(top, &top->asked[i]);
	top->asked[i] = top->asked[--top->asks];
	top->batch_done += !is_bad;
	top->batch_bad += is_bad;
	if (top->batch <= 1)
		top_say(top, is_bad, "%s: %s", outcome_word(event->outcome), text);
	else if (is_bad)
		top_say(top, true, "%zu of %zu done, %zu not; the last one %s: %s", top->batch_done,
			top->batch, top->batch_bad, outcome_word(event->outcome), text);
	else if (!top->batch_bad)
		top_say(top, false, "%zu of %zu done", top->batch_done, top->batch);
	top->wants_select = true;
}

/*
 * What the sources said, kept for a while, so that the screen can step back: any moment of it is
 * made again as a model of its own, from a whole model now and then and what was told since. Locks
 * are shared by reference, so that an event costs little; the oldest go first. No I/O and no clock:
 * times are the model's.
 *
 * A step is whatever changed something that a person would call a change: a lock came, went,
 * changed or (by time alone) became another state; a source fell silent, failed, answers again; a
 * deed was answered. Signs of life, samples, and each lock of a first look are none.
 */
#ifndef LOCKTOP_MODEL_HISTORY_H
#define LOCKTOP_MODEL_HISTORY_H

#include "model/model.h"

/*
 * Events that are kept, how many apart at least the whole models are of which each is made, and
 * what all of it may take. Of a list that is so long that one copy of it takes half of that nothing
 * is kept (some 200,000 locks).
 */
enum { HISTORY_EVENTS = 20000, HISTORY_FRAME = 1000, HISTORY_BYTES = 64 * 1024 * 1024 };

struct history_limits {
	size_t events, frame, bytes; /* 0: the usual */
};

struct history;

/* limits NULL: the usual. NULL when out of memory. */
struct history *history_new(const struct history_limits *limits);
void history_free(struct history *history);
/*
 * Take note of what the model (borrowed) was just told, after each model_tick(), model_apply() and
 * model_source_is(). The first call only says where it begins. 0, or -ENOMEM, after which it has
 * forgotten all and begins anew.
 */
int history_note_tick(struct history *history, const struct model *model);
int history_note(struct history *history, const struct model *model, size_t source,
	const struct event *event);
int history_note_state(struct history *history, const struct model *model, size_t source);

/*
 * Steps are numbered from 0 on as they came, for ever: those from history_first() until before
 * history_end() are kept.
 */
uint64_t history_first(const struct history *history);
uint64_t history_end(const struct history *history);
/* Since when the locks are known; 0: nothing is kept. */
wall_t history_since(const struct history *history);
/* The list is too long to be kept. */
bool history_is_too_long(const struct history *history);
size_t history_bytes(const struct history *history);
/* When a step was; 0: it is not kept. */
wall_t history_step_at(const struct history *history, uint64_t step);
/* The last step at or before that time; -ENOENT: it is older than what is kept. */
int history_find(const struct history *history, wall_t at, uint64_t *step);
/*
 * Makes the model as it was right after that step, its time standing still there, with the tags of
 * nobody; live gives what does not change (the logs, and sources that came later). 0, -ENOENT (not
 * kept) or -ENOMEM.
 */
int history_model(
	const struct history *history, const struct model *live, uint64_t step, struct model *past);
/* What that step was, clean: "import.lock: HELD -> STALE: …"; past: as history_model() made it. */
void history_step_text(char *dst, size_t size, const struct history *history, uint64_t step,
	const struct model *past);
/*
 * The same sources and logs at a time from which no lock is known: a model without locks. 0 or
 * -ENOMEM.
 */
int history_blank(const struct model *live, wall_t at, struct model *past);

#endif

/*
 * What the sources said, kept for a while, so that the screen can step back: any moment of it is
 * made again as a model of its own. Locks are shared by reference, so an event costs little; the
 * oldest go first. No I/O and no clock: times are the model's.
 */
#ifndef LOCKTOP_MODEL_HISTORY_H
#define LOCKTOP_MODEL_HISTORY_H

#include "model/model.h"

/* Events, and whole models in between from which to start. */
enum { HISTORY_EVENTS = 20000, HISTORY_FRAME = 1000 };

struct history;

/* NULL when out of memory. */
struct history *history_new(void);
void history_free(struct history *history);
/*
 * Takes note of what the model (borrowed, with the event applied already) was just told: locks,
 * gone ones, and what became of a source. Signs of life and samples are no steps. 0 or -ENOMEM,
 * after which it has forgotten all.
 */
int history_note(struct history *history, const struct model *model, size_t source,
	const struct event *event);
int history_note_state(struct history *history, const struct model *model, size_t source);

/* Steps that are kept: 0 is the oldest, history_steps() - 1 the newest. Numbers shift when the */
/* oldest go: history_first() is how many ever went. */
size_t history_steps(const struct history *history);
uint64_t history_first(const struct history *history);
wall_t history_step_at(const struct history *history, uint64_t step);
/* The last step at or before that time; -ENOENT: it is older than what is kept. */
int history_find(const struct history *history, wall_t at, uint64_t *step);
/*
 * Makes the model as it was after that step, its time standing still there; live gives what does
 * not change (rules, host, metrics by reference). 0, -ENOENT (gone) or -ENOMEM.
 */
int history_model(
	const struct history *history, const struct model *live, uint64_t step, struct model *past);

#endif

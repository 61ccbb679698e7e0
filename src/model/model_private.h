/*
 * Inside the model: model.c keeps the sources, their locks and what happened; model_metrics.c what
 * logs say, and how long holds usually are.
 */
#ifndef LOCKTOP_MODEL_MODEL_PRIVATE_H
#define LOCKTOP_MODEL_MODEL_PRIVATE_H

#include "model/model.h"

enum { MODEL_ADDRESS_MAX = 1024 };

/* --- model.c --- */

/*
 * Judges anew and keeps all that follows from it in order. Returns 1 when the state changed, 0 or
 * -ENOMEM. model->due is the caller's to set.
 */
int model_rejudge(struct model *model, struct entry *entry, wall_t at);
/* The length of "ssh:HOST:" in front of a source's URI, or 0. */
size_t model_ssh_prefix(const char *uri);

/* --- model_metrics.c --- */

int model_apply_sample(struct model *model, size_t source, const struct event *event);
/* A look at a log is complete: what was read is all there is. 0 or -ENOMEM. */
int model_apply_log_scanned(struct model *model, size_t source, const struct event *event);
void model_release_metrics(struct model_source *source);
/* Is it time to count the usual holds again? */
bool model_usual_is_due(const struct model *model);
/*
 * Counts the usual holds of those locks of which logs had news, and judges again where that
 * matters. Returns whether a state changed. `is_forced`: also of those that were counted only just
 * now.
 */
bool model_count_usual(struct model *model, bool is_forced);
/* Those of a lock that is new, before it is judged. */
void model_look_up_usual(struct model *model, struct entry *entry);

#endif

/*
 * The text format of Prometheus, version 0.0.4, a sample at a time: HELP and TYPE stand once in
 * front of the first sample of a family (a family without one leaves no trace), label values are
 * escaped, no sample has a time, the last line ends with a newline. The caller keeps the samples
 * of a family together, and their labels unique.
 *
 *	promtext_family(&text, "locktop_lock_waiters", "gauge", "Processes that queue for it.");
 *	promtext_sample(&text, "");
 *	promtext_label(&text, "lock", name);
 *	promtext_count(&text, 3);
 */
#ifndef LOCKTOP_MODEL_PROMTEXT_H
#define LOCKTOP_MODEL_PROMTEXT_H

#include "base/buf.h"
#include <stdint.h>

struct promtext {
	struct buf *out; /* borrowed; ask buf_failed() at the end */
	const char *name, *type, *help;
	size_t labels; /* of the sample at work */
	bool is_open;  /* HELP and TYPE of the family were written */
};

/* Texts are borrowed as long as samples of the family follow. */
void promtext_family(struct promtext *text, const char *name, const char *type, const char *help);
/* Begins a sample; suffix: "", "_bucket", "_sum", "_count". */
void promtext_sample(struct promtext *text, const char *suffix);
/* The value may hold any UTF-8; a newline, quote or backslash in it is escaped. */
void promtext_label(struct promtext *text, const char *name, const char *value);
/* Each ends the sample: a number, or seconds from ns, without loss. */
void promtext_count(struct promtext *text, uint64_t value);
void promtext_seconds(struct promtext *text, int64_t ns);

#endif

/*
 * The parts of the exposition that only prometheus*.c share: its rows, and what is written of them.
 */
#ifndef LOCKTOP_MODEL_PROMETHEUS_PRIVATE_H
#define LOCKTOP_MODEL_PROMETHEUS_PRIVATE_H

#include "model/prometheus.h"
#include "model/promtext.h"

/* A lock: of the model, of the log, or of both. */
struct row {
	char *address;               /* owned, clean; by which model and log find each other */
	char *source;                /* owned, clean */
	char *backend;               /* owned, clean; "" unknown */
	const char *name;            /* clean */
	const struct entry *entry;   /* NULL: only the log names it */
	const struct series *series; /* NULL: the log does not */
	bool is_kept;
};

struct rows {
	struct row *row; /* owned; by source and name, each once */
	size_t n, size;
	size_t kept;
	size_t series; /* kept ones with a series */
};

struct exposition {
	const struct prometheus *what;
	struct rows rows;
	struct promtext text;
	bool has_others; /* the log has locks that no row is kept of */
};

/* A row of each lock, once by address and once by labels. 0 or -ENOMEM; release in both cases. */
int rows_fill(struct rows *rows, const struct prometheus *what);
void rows_release(struct rows *rows);
/* A source as a label: a bare path means file:. Owned; NULL out of memory. */
char *label_source(const char *uri);
/* Begins a sample with the labels of a row. */
void exposition_sample(struct exposition *x, const char *suffix, const struct row *row);
/* The families that are made from the log. */
void exposition_log(struct exposition *x);

#endif

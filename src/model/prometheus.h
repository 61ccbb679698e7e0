/*
 * What is exported to Prometheus: the locks of the model and what the metrics log says of them,
 * each lock with the labels "lock", "source" and "backend". No pid, user or message is a label,
 * and the number of locks is bounded. No I/O and no clock.
 */
#ifndef LOCKTOP_MODEL_PROMETHEUS_H
#define LOCKTOP_MODEL_PROMETHEUS_H

#include "model/metrics.h"
#include "model/model.h"

struct prometheus {
	const struct model *model;     /* borrowed; sources without a complete look are down */
	const struct metrics *metrics; /* borrowed, METRICS_TOTALS; NULL: no log was read */
	const char *version;           /* of locktop */
	size_t locks_max; /* of the others there are only sums; taken ones are kept first */
};

enum { PROMETHEUS_LOCKS = 1000 };

/* Appends the text. 0 or -ENOMEM. */
int prometheus_write(const struct prometheus *prometheus, struct buf *out);

#endif

/* What a deed leaves in the metrics log. */
#ifndef LOCKTOP_ENGINE_ACT_METRICS_H
#define LOCKTOP_ENGINE_ACT_METRICS_H

#include "engine/act.h"

/*
 * After a deed that was done: a line that it was, and before it one of a stale lock that it found.
 * The lock, facts and verdict are those it was done upon. Failures: metricslog_write().
 */
void act_metrics(const struct act *act, const struct deed *deed, const struct lock *lock,
	const struct facts *facts, const struct verdict *verdict);

#endif

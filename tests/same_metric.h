/* Are two metrics the same? Says in which member they are not. */
#ifndef LOCKTOP_TESTS_SAME_METRIC_H
#define LOCKTOP_TESTS_SAME_METRIC_H

#include <string.h>

#include "model/metric.h"

static int differ(const char *a, const char *b)
{
	return a && b ? strcmp(a, b) != 0 : a != b;
}

/* The name of the first member that differs, or NULL. */
static const char *metric_difference(const struct metric *a, const struct metric *b)
{
	return a->event != b->event                     ? "event"
	       : a->ts != b->ts                         ? "ts"
	       : differ(a->lock, b->lock)               ? "lock"
	       : differ(a->source, b->source)           ? "source"
	       : differ(a->backend, b->backend)         ? "backend"
	       : differ(a->host, b->host)               ? "host"
	       : a->pid != b->pid                       ? "pid"
	       : a->wait != b->wait                     ? "wait_ms"
	       : a->hold != b->hold                     ? "hold_ms"
	       : a->attempts != b->attempts             ? "attempts"
	       : differ(a->token, b->token)             ? "token"
	       : a->fence != b->fence                   ? "fence"
	       : differ(a->reason, b->reason)           ? "reason"
	       : a->holder_pid != b->holder_pid         ? "holder_pid"
	       : differ(a->holder, b->holder)           ? "holder"
	       : differ(a->holder_host, b->holder_host) ? "holder_host"
	       : a->holder_age != b->holder_age         ? "holder_age_s"
	       : a->exit_code != b->exit_code           ? "exit_code"
	       : differ(a->user, b->user)               ? "user"
							: NULL;
}

#endif

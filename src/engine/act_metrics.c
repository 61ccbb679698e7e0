/* What a deed leaves in the metrics log. */
#include "config.h"

#include "engine/act_metrics.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const enum metric_event event_of[DEED_COUNT] = {
	[DEED_RELEASE] = METRIC_RELEASED_STALE,
	[DEED_FORCE] = METRIC_FORCED,
	[DEED_SIGNAL] = METRIC_SIGNALLED,
};

/*
 * The source as those who take locks call it: the folder of a lock file, also where the file itself
 * is what is watched. NULL when memory ran out.
 */
static char *source_of(const struct act *act, const struct lock *lock)
{
	const char *slash = lock->path ? strrchr(lock->path, '/') : NULL;
	char *source;

	if (strcmp(act->backend->scheme, "file") != 0 || !slash)
		return strdup(act->source);
	if (asprintf(&source, "file:%.*s", slash == lock->path ? 1 : (int)(slash - lock->path),
		    lock->path) < 0)
		return NULL;
	return source;
}

/* Who acts: the person, not the account that was lent. */
static const char *user_of(const struct audit_actor *actor)
{
	if (actor->sudo_user[0])
		return actor->sudo_user;
	return actor->login_user[0] ? actor->login_user : actor->user;
}

/* The one that was named, or the first there is. */
static const struct process *holder_of(const struct deed *deed, const struct lock *lock)
{
	for (size_t i = 0; deed->pid && i < lock->holders; i++)
		if (lock->holder[i].pid == deed->pid)
			return &lock->holder[i];
	return verdict_holder(lock);
}

static void put_holder(struct metric *metric, const struct act *act, const struct deed *deed,
	const struct lock *lock)
{
	const struct process *holder = holder_of(deed, lock);

	if (!holder)
		return;
	metric->holder_pid = holder->pid;
	metric->holder = holder->comm;
	metric->holder_host = holder->from_kernel ? act->here->host : lock->record.host;
}

static bool is_stale(const struct verdict *verdict)
{
	return verdict->state == STATE_STALE || verdict->state == STATE_EXPIRED;
}

void act_metrics(const struct act *act, const struct deed *deed, const struct lock *lock,
	const struct facts *facts, const struct verdict *verdict)
{
	struct metric metric = metric_new(METRIC_STALE, clock_wall(act->world->clock));
	char *source = source_of(act, lock);
	char why[VERDICT_TEXT];

	verdict_why(why, sizeof why, lock, facts, verdict);
	metric.lock = lock->name;
	metric.source = source;
	metric.backend = act->backend->scheme;
	metric.host = act->here->host;
	metric.pid = act->audit->actor.pid;
	metric.fence = lock->record.fence;
	metric.reason = why;
	metric.holder_age = verdict->age;
	put_holder(&metric, act, deed, lock);
	if (is_stale(verdict))
		metricslog_write(act->metrics, &metric);
	metric.event = event_of[deed->kind];
	metric.user = user_of(&act->audit->actor);
	metricslog_write(act->metrics, &metric);
	free(source);
}

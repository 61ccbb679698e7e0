/* The metrics log. */
#include "config.h"
#include "engine/metricslog.h"

#include <errno.h>

#include "base/error.h"

int metricslog_init(struct metricslog *log, const char *path, struct error *err)
{
	(void)path, (void)err;
	*log = (struct metricslog){.fd = -1};
	return 0;
}

void metricslog_release(struct metricslog *log)
{
	(void)log;
}

void metricslog_write(struct metricslog *log, const struct metric *metric)
{
	(void)log, (void)metric;
}

const char *metricslog_complaint(struct metricslog *log)
{
	(void)log;
	return NULL;
}

struct metric metric_new(enum metric_event event, wall_t ts)
{
	return (struct metric){.event = event, .ts = ts};
}

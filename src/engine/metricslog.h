/*
 * The metrics log (locktop-metrics(5)): one JSON line for each thing that happens to a lock,
 * appended by one write(2) of at most 4,096 bytes with O_APPEND, so that lines of many processes
 * never mix (not on NFS: open(2)). Written by run, acquire, renew, give-back and release, and by
 * the actions of the monitor.
 *
 * Nothing here ever stops a lock operation: a full disk, a missing folder or right is remembered
 * and told once, by metricslog_complaint().
 */
#ifndef LOCKTOP_ENGINE_METRICSLOG_H
#define LOCKTOP_ENGINE_METRICSLOG_H

#include "model/metric.h"
#include <stdbool.h>
#include <sys/types.h>

struct error;

struct metricslog {
	char *path; /* owned; NULL: off */
	int fd;     /* -1: not open yet; kept open, opened again when the file was moved */
	uint64_t dev, ino;
	wall_t checked;    /* when it was last known that the path leads to fd; by metric.ts */
	bool makes_folder; /* the usual one; a folder that was named has to be there */
	bool is_limited;   /* setrlimit(2): RLIMIT_FSIZE, whose signal would end this process */
	bool is_torn;      /* what was written last is half a line */
	bool has_complained;
	char complaint[480];
};

/*
 * path NULL: LOCKTOP_LOCALSTATEDIR/log/locktop/metrics.jsonl for root, else
 * $XDG_STATE_HOME/locktop/metrics.jsonl (~/.local/state), and its folder is made when missing;
 * "none": off. Nothing is opened or made yet. -ENOMEM.
 */
int metricslog_init(struct metricslog *log, const char *path, struct error *err);
void metricslog_release(struct metricslog *log);
/*
 * Writes a line; see above about failures. What stands in the log's place and is no log is not
 * written to (engine/logfile.h). Rotation is noticed when a line comes a second (of metric.ts) or
 * more after the last look: until then lines go to the file that was moved away, as they do with
 * every program that is not sent a signal.
 */
void metricslog_write(struct metricslog *log, const struct metric *metric);
/* The sentence about the first failure, once: NULL if there was none or it was asked for before. */
const char *metricslog_complaint(struct metricslog *log);

#endif

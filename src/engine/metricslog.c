/* The metrics log: how lines get to the file. */
#include "config.h"
#include "engine/metricslog.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "base/text.h"
#include "engine/logfile.h"

int metricslog_init(struct metricslog *log, const char *path, struct error *err)
{
	*log = (struct metricslog){.fd = -1, .makes_folder = !path};
	if (path && strcmp(path, "none") == 0)
		return 0;
	log->path = path ? strdup(path) : logfile_usual_path("metrics.jsonl");
	return log->path ? 0 : error_sys(err, -ENOMEM, "cannot prepare the metrics log");
}

static void close_log(struct metricslog *log)
{
	close(log->fd);
	log->fd = -1;
	log->is_torn = false;
}

void metricslog_release(struct metricslog *log)
{
	if (log->path && log->fd >= 0)
		close_log(log);
	free(log->path);
	log->path = NULL;
}

static void complain(struct metricslog *log, const struct error *err)
{
	if (log->has_complained || log->complaint[0])
		return;
	snprintf(log->complaint, sizeof log->complaint, "%s", err->text);
}

const char *metricslog_complaint(struct metricslog *log)
{
	if (log->has_complained || !log->complaint[0])
		return NULL;
	log->has_complained = true;
	return log->complaint;
}

static void open_log(struct metricslog *log, wall_t now)
{
	const struct logfile file = {.path = log->path,
		.what = "metrics log",
		.makes_folder = log->makes_folder,
		.is_shared = true};
	struct error err;
	struct rlimit limit;
	struct stat st;
	int fd = logfile_open(&file, &st, &err);

	if (fd < 0) {
		complain(log, &err);
		return;
	}
	log->dev = st.st_dev;
	log->ino = st.st_ino;
	log->is_limited = getrlimit(RLIMIT_FSIZE, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY;
	log->checked = now;
	log->fd = fd;
}

/* Is another file, or none, where ours was? Asked once a second, and when the clock was set. */
static void notice_rotation(struct metricslog *log, wall_t now)
{
	struct stat st;

	if (now >= log->checked && now - log->checked < NS_PER_S)
		return;
	log->checked = now;
	if (stat(log->path, &st) < 0 || st.st_dev != log->dev || st.st_ino != log->ino)
		close_log(log);
}

static ssize_t write_once(int fd, const char *text, size_t len)
{
	ssize_t n;

	do
		n = write(fd, text, len);
	while (n < 0 && errno == EINTR);
	return n < 0 ? -errno : n;
}

/* Beyond RLIMIT_FSIZE the kernel sends SIGXFSZ, which ends a process that does not expect it. */
static ssize_t write_limited(int fd, const char *text, size_t len)
{
	const struct timespec at_once = {0};
	sigset_t pending, beyond, old;
	bool was_pending;
	ssize_t n;

	sigemptyset(&beyond);
	sigaddset(&beyond, SIGXFSZ);
	pthread_sigmask(SIG_BLOCK, &beyond, &old);
	was_pending = sigpending(&pending) == 0 && sigismember(&pending, SIGXFSZ) == 1;
	n = write_once(fd, text, len);
	if (n == -EFBIG && !was_pending)
		while (sigtimedwait(&beyond, NULL, &at_once) < 0 && errno == EINTR)
			;
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	return n;
}

/* `line` begins with a newline, which is written only behind half a line of our own. */
static void append(struct metricslog *log, const char *line, size_t len)
{
	const char *text = log->is_torn ? line : line + 1;
	size_t due = log->is_torn ? len : len - 1;
	ssize_t n = log->is_limited ? write_limited(log->fd, text, due)
				    : write_once(log->fd, text, due);
	struct error err;
	char where[256];

	if (n > 0)
		log->is_torn = text[n - 1] != '\n';
	if (n == (ssize_t)due)
		return;
	/* It ended early: the next byte had found no room. */
	text_clean(where, sizeof where, log->path, strlen(log->path), NULL);
	error_sys(&err,
		n < 0             ? (int)n
		: log->is_limited ? -EFBIG
				  : -ENOSPC,
		"cannot write the metrics log %s", where);
	complain(log, &err);
}

void metricslog_write(struct metricslog *log, const struct metric *metric)
{
	char line[1 + METRIC_LINE];
	int len;

	if (!log->path)
		return;
	if (log->fd >= 0)
		notice_rotation(log, metric->ts);
	if (log->fd < 0)
		open_log(log, metric->ts);
	if (log->fd < 0)
		return;
	line[0] = '\n';
	len = metric_line(metric, line + 1, sizeof line - 1);
	if (len > 0)
		append(log, line, 1 + (size_t)len);
}

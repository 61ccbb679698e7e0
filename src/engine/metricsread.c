/* Metrics logs read once, into the model. */
#include "config.h"
#include "engine/metricsread.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "base/text.h"
#include "engine/logfile.h"
#include "engine/settings.h"
#include "model/metric_read.h"
#include "system/logtail.h"

struct reading {
	struct metricsread *read;
	struct metrics *metrics; /* or NULL */
	struct metric_reader reader;
	struct logtail *tail; /* owned; those that are open */
	size_t tails, size;
	/*
	 * What is not understood has no time: it counts if the line before it is wanted. The search
	 * for `since` begins a little early, and what stands there is nobody's business.
	 */
	bool is_wanted;
};

/* --- lines --- */

static bool is_within(const struct metricsread *read, wall_t ts)
{
	return ts >= read->since && (!read->until || ts < read->until);
}

static int take(struct reading *reading, const struct metric *metric)
{
	struct metricsread *read = reading->read;
	int result = 0;

	reading->is_wanted = is_within(read, metric->ts);
	if (!reading->is_wanted)
		return 0;
	if (reading->metrics)
		result = metrics_add(reading->metrics, metric);
	if (result == 0 && read->line)
		result = read->line(read->data, metric);
	if (result)
		return result;
	read->lines++;
	if (!read->first || metric->ts < read->first)
		read->first = metric->ts;
	if (metric->ts > read->last)
		read->last = metric->ts;
	return 0;
}

static int read_line(struct reading *reading, char *line, size_t len)
{
	struct metric metric;
	int result = metric_read(&reading->reader, line, len, &metric);

	if (result > 0)
		return take(reading, &metric);
	if (result == -EINVAL && reading->is_wanted)
		reading->read->bad++;
	if (result == 0 && reading->is_wanted)
		reading->read->ignored++;
	return result == -EINVAL ? 0 : result;
}

/* Lines that the tail did not hand out. */
static void count_lost(struct reading *reading, const struct logtail *tail, uint64_t *seen)
{
	uint64_t lost = tail->too_long + tail->torn;

	if (reading->is_wanted)
		reading->read->bad += lost - *seen;
	*seen = lost;
}

static int read_file(struct reading *reading, struct logtail *tail, struct error *err)
{
	uint64_t lost = 0;
	char *line;
	size_t len;
	int result, got;

	reading->reader.is_debug_log = false;
	reading->is_wanted = tail->now.at == 0;
	do {
		got = logtail_next(tail, &line, &len, err);
		count_lost(reading, tail, &lost);
		result = got > 0 ? read_line(reading, line, len) : got;
	} while (got > 0 && result == 0);
	if (result == 0 && logtail_rest(tail, &line, &len))
		result = read_line(reading, line, len);
	reading->read->files++;
	return result;
}

/* --- files --- */

/* So many are open at a time; of more, with years of rotation, the rest when it is their turn. */
enum { OPEN_MAX = 256, ATTEMPTS = 5 };

static bool is_open(const struct reading *reading, uint64_t dev, uint64_t ino)
{
	for (size_t i = 0; i < reading->tails; i++)
		if (reading->tail[i].now.dev == dev && reading->tail[i].now.ino == ino)
			return true;
	return false;
}

static void close_all(struct reading *reading)
{
	for (size_t i = 0; i < reading->tails; i++)
		logtail_release(&reading->tail[i]);
	reading->tails = 0;
}

static bool make_room(struct reading *reading)
{
	size_t size = reading->size ? 2 * reading->size : 8;
	struct logtail *more;

	if (reading->tails < reading->size)
		return true;
	more = reallocarray(reading->tail, size, sizeof *more);
	if (!more)
		return false;
	reading->tail = more;
	reading->size = size;
	return true;
}

/* What was written last before `since` holds nothing that is wanted. */
static bool is_too_old(const struct reading *reading, const char *path)
{
	struct stat st;

	return reading->read->since && stat(path, &st) == 0 && S_ISREG(st.st_mode) &&
	       st.st_mtim.tv_sec + 1 < reading->read->since / NS_PER_S;
}

/* At the first line that is wanted, and up to the last. */
static int open_tail(const struct reading *reading, struct logtail *tail, struct error *err)
{
	const struct metricsread *read = reading->read;
	int result = logtail_open(tail, read->since, metric_read_time, err);
	struct stat st;

	if (result == 0 && read->until && !tail->is_compressed && fstat(tail->now.fd, &st) == 0)
		tail->until = logtail_seek_end(
			tail->now.fd, st.st_size, read->until, metric_read_time, &tail->bytes);
	return result;
}

static int note_tail(struct logtail *tail)
{
	struct stat st;

	if (stat(tail->path, &st) < 0)
		return -ENOENT;
	tail->now.dev = st.st_dev;
	tail->now.ino = st.st_ino;
	return 0;
}

/* A file that went between its being found and opened is left to the next attempt. */
static int open_one(struct reading *reading, const char *path, struct error *err)
{
	struct logtail *tail;
	int result;

	if (!make_room(reading))
		return -ENOMEM;
	tail = &reading->tail[reading->tails];
	result = logtail_init(tail, path);
	if (result < 0)
		return result;
	tail->is_fixed = true;
	result = reading->tails < OPEN_MAX ? open_tail(reading, tail, err) : note_tail(tail);
	if (result == 0 && !is_open(reading, tail->now.dev, tail->now.ino)) {
		reading->tails++;
		return 0;
	}
	logtail_release(tail);
	return result == -ENOENT ? 0 : result;
}

static void say_missing(struct metricsread *read, const char *log)
{
	if (!read->missing[0])
		text_clean(read->missing, sizeof read->missing, log, strlen(log), NULL);
}

static int open_log(struct reading *reading, const char *log, size_t *found, struct error *err)
{
	char **files = logtail_files(log, reading->read->rotated);
	int result = files ? 0 : -ENOMEM;

	for (size_t i = 0; result == 0 && files[i]; i++) {
		++*found;
		if (!is_too_old(reading, files[i]))
			result = open_one(reading, files[i], err);
	}
	if (result == 0 && !files[0])
		say_missing(reading->read, log);
	logtail_files_free(files);
	return result;
}

static int open_logs(struct reading *reading, struct error *err)
{
	struct metricsread *read = reading->read;
	size_t found = 0;
	int result = 0;

	read->missing[0] = '\0';
	for (size_t i = 0; i < read->logs && result == 0; i++)
		result = open_log(reading, read->log[i], &found, err);
	if (result == 0 && found == 0)
		return error_set(err, -ENOENT, "there is no metrics log %s yet",
			read->missing[0] ? read->missing : "to read");
	return result;
}

/* Are those files open that a log is in now? While they were opened it may have been rotated. */
static bool is_log_open(const struct reading *reading, const char *log)
{
	char **files = logtail_files(log, reading->read->rotated);
	bool is_all = true;
	struct stat st;

	for (size_t i = 0; files && files[i] && is_all; i++)
		is_all = is_too_old(reading, files[i]) || stat(files[i], &st) < 0 ||
			 is_open(reading, st.st_dev, st.st_ino);
	logtail_files_free(files);
	return is_all;
}

static bool are_logs_open(const struct reading *reading)
{
	for (size_t i = 0; i < reading->read->logs; i++)
		if (!is_log_open(reading, reading->read->log[i]))
			return false;
	return true;
}

static int open_all(struct reading *reading, struct error *err)
{
	int result = open_logs(reading, err);

	for (int i = 1; i < ATTEMPTS && result == 0 && !are_logs_open(reading); i++) {
		close_all(reading);
		result = open_logs(reading, err);
	}
	return result;
}

static int read_all(struct reading *reading, struct error *err)
{
	int result = 0;

	for (size_t i = 0; i < reading->tails && result == 0; i++) {
		struct logtail *tail = &reading->tail[i];

		if (tail->now.fd < 0)
			result = open_tail(reading, tail, err);
		if (result == 0)
			result = read_file(reading, tail, err);
		else if (result == -ENOENT)
			result = 0; /* it went meanwhile */
		logtail_release(tail);
	}
	return result;
}

int metricsread(struct metricsread *read, struct metrics *metrics, struct error *err)
{
	struct reading reading = {.read = read, .metrics = metrics};
	struct error why = {0};
	int result;

	read->lines = read->bad = read->ignored = 0;
	read->files = 0;
	read->first = read->last = 0;
	result = open_all(&reading, &why);
	if (result == 0)
		result = read_all(&reading, &why);
	close_all(&reading);
	free(reading.tail);
	metric_reader_release(&reading.reader);
	if (metrics)
		metrics->bad = read->bad;
	if (result == -ENOMEM && !why.text[0])
		error_sys(&why, result, "cannot read the metrics log");
	if (result < 0 && why.text[0] && err)
		*err = why;
	return result;
}

/* --- where they are --- */

static int add(char **logs, char *path)
{
	size_t n = 0;

	if (!path)
		return -ENOMEM;
	while (logs[n])
		n++;
	logs[n] = path;
	return 0;
}

/* Root's log, for another who may read it. */
static int add_roots(char **logs)
{
	static const char path[] = LOCKTOP_LOCALSTATEDIR "/log/locktop/metrics.jsonl";

	return geteuid() != 0 && access(path, R_OK) == 0 ? add(logs, strdup(path)) : 0;
}

static int add_usual(char **logs, const struct settings *settings)
{
	int result = 0;

	if (!settings->metrics)
		result = add(logs, logfile_usual_path("metrics.jsonl"));
	else if (strcmp(settings->metrics, "none") != 0)
		result = add(logs, strdup(settings->metrics));
	return result == 0 ? add_roots(logs) : result;
}

char **metricsread_logs(const struct settings *settings)
{
	char **logs = calloc(settings->logs + 3, sizeof *logs);
	int result = logs ? 0 : -ENOMEM;

	for (size_t i = 0; i < settings->logs && result == 0; i++)
		result = add(logs, strdup(settings->log[i]));
	if (result == 0 && settings->logs == 0)
		result = add_usual(logs, settings);
	if (result == 0)
		return logs;
	metricsread_logs_free(logs);
	return NULL;
}

void metricsread_logs_free(char **logs)
{
	for (size_t i = 0; logs && logs[i]; i++)
		free(logs[i]);
	free(logs);
}

/* Lines of logs become samples, a bounded number in each look. */
#include "config.h"

#include "backends/log_private.h"

#include <errno.h>
#include <string.h>

#include "base/error.h"

#define FUTURE  (3600 * NS_PER_S) /* another host's clock; what is later is nonsense */
#define AT_MOST (50 * NS_PER_MS)  /* of reading, in one look */

enum {
	SAMPLES = 2000, /* of one look, about */
	STEP_MIN = 500,
	STEP_MAX = 50000,
	CLOCK_EVERY = 256, /* lines between two questions for the time */
};

/* --- lines --- */

static int take(struct log *log, const struct metric *metric)
{
	int result;

	if (metric->ts > log->wall + FUTURE) {
		log->bad++;
		return 0;
	}
	if (metric->ts < log->wall - log->window)
		return 0;
	result = metrics_add(&log->metrics, metric);
	if (result == 0)
		log->taken++;
	return result;
}

/* Behind a search, half of a stack trace is no line that was not understood. */
static int read_line(struct log *log, struct log_lines *lines, char *line, size_t len)
{
	struct metric metric;
	int result = metric_read(&lines->reader, line, len, &metric);

	if (result == -EINVAL) {
		log->bad += lines->is_understood;
		return 0;
	}
	if (result < 0)
		return result;
	lines->is_understood = true;
	return result > 0 ? take(log, &metric) : 0;
}

/* Lines that the tail did not hand out. */
static void count_lost(struct log *log, struct log_lines *lines)
{
	uint64_t too_long = lines->tail.too_long - lines->too_long;
	uint64_t torn = lines->tail.torn - lines->torn;

	log->too_long += too_long;
	log->torn += torn;
	log->bad += too_long + torn;
	lines->too_long = lines->tail.too_long;
	lines->torn = lines->tail.torn;
}

static bool may_read(struct log *log)
{
	if (log->left > 0 && log->left-- % CLOCK_EVERY == 0 &&
		clock_mono(log->world->clock) > log->deadline)
		log->left = 0;
	return log->left > 0;
}

/* 1: there may be more, for another look; 0: no more now; -errno with a sentence. */
static int read_lines(struct log *log, struct log_lines *lines, struct error *err)
{
	size_t len;
	char *line;
	int result;

	while (may_read(log)) {
		result = logtail_next(&lines->tail, &line, &len, err);
		count_lost(log, lines);
		if (result <= 0)
			return result;
		result = read_line(log, lines, line, len);
		if (result < 0)
			return error_sys(err, result, "cannot read the metrics log");
	}
	return 1;
}

/* --- live --- */

/* A log that cannot be read now is said, and tried again; the others are read. */
static int read_live(struct log *log, struct error *err)
{
	log->is_behind = false;
	log->turn++;
	for (size_t i = 0; i < log->files; i++) {
		struct log_file *file = log->file[(log->turn + i) % log->files];
		int result = read_lines(log, &file->lines, &file->fault);

		if (result <= 0)
			file->is_faulty = result < 0;
		if (result == -ENOMEM)
			return error_set(err, result, "%s", file->fault.text);
		log->is_behind = log->is_behind || result > 0;
	}
	return 0;
}

/* --- the past --- */

/* A piece of it that belongs to this part; false: there is none. */
static int begin(struct log *log, struct log_past *past)
{
	off_t from = past->border[log->part + 1], until = past->border[log->part];
	int result;

	if (past->is_read[log->part])
		return 0;
	past->is_read[log->part] = true;
	if (past->file && past->file->lines.tail.truncations != past->truncations)
		return 0;
	if (past->whole == log->part) {
		log->reading = &past->lines;
		return 1;
	}
	if (past->whole >= 0 || from >= until)
		return 0;
	result = logtail_part(&log->piece.tail, &past->lines.tail, from, until);
	if (result < 0)
		return result;
	log->piece.is_understood = from == 0;
	log->reading = &log->piece;
	return 1;
}

/* What is to be read next. 1; 0: all is read; -errno. */
static int begin_next(struct log *log)
{
	int result = 0;

	for (log->part = 0; log->part < LOG_PARTS; log->part++)
		for (log->at = 0; log->at < log->pasts; log->at++) {
			result = begin(log, log->past[log->at]);
			if (result)
				return result;
		}
	log_past_release(log);
	return 0;
}

static int end_piece(struct log *log)
{
	struct log_lines *lines = log->reading;
	char *line;
	size_t len;
	int result = 0;

	if (!lines->tail.until && logtail_rest(&lines->tail, &line, &len))
		result = read_line(log, lines, line, len);
	log_lines_release(lines);
	log->reading = NULL;
	return result;
}

/* A piece that cannot be read any further ends there. */
static int read_past(struct log *log, struct error *err)
{
	int result = 0;

	while (log->left > 0 && result == 0 && log->has_past) {
		if (!log->reading)
			result = begin_next(log);
		if (result < 0)
			return error_sys(err, result, "cannot read the metrics log");
		if (!log->reading)
			continue;
		result = read_lines(log, log->reading, err);
		if (result > 0)
			return 0;
		if (result != -ENOMEM)
			result = end_piece(log);
	}
	return result;
}

/* --- samples --- */

struct telling {
	struct backend_scan *scan;
	int n;
};

static int tell_one(void *data, const struct sample *sample)
{
	struct telling *telling = data;

	telling->n++;
	return telling->scan->sample(telling->scan->sample_data, sample);
}

/* As many lines the next time as make that many samples, by how many these made. */
static void adapt_step(struct log *log, int samples)
{
	if (samples > SAMPLES)
		log->step /= 2;
	else if (log->left == 0 && samples < SAMPLES / 2)
		log->step *= 2;
	if (log->step < STEP_MIN)
		log->step = STEP_MIN;
	if (log->step > STEP_MAX)
		log->step = STEP_MAX;
}

static int tell(struct log *log, struct backend_scan *scan, struct error *err)
{
	struct telling telling = {.scan = scan};
	int result = 0;

	if (log->metrics.lines)
		result = metrics_each_sample(&log->metrics, log->wall, tell_one, &telling);
	metrics_clear(&log->metrics);
	adapt_step(log, telling.n);
	return result < 0 ? error_sys(err, result, "cannot tell what the metrics log says") : 0;
}

int log_read(struct log *log, struct backend_scan *scan, struct error *err)
{
	int result, told;

	if (!scan->sample) {
		log_past_release(log); /* nobody wants to know */
		return 0;
	}
	if (!log->step)
		log->step = SAMPLES;
	log->left = log->step;
	metrics_expect(&log->metrics, log->wall);
	log->deadline = clock_mono(log->world->clock) + AT_MOST;
	result = read_live(log, err);
	if (result == 0)
		result = read_past(log, err);
	/* What was read is told in any case: it is not read again. */
	told = tell(log, scan, err);
	return result < 0 ? result : told;
}

/*
 * The options that all commands have which read metrics logs and end (report, compare, export,
 * check): --log, --rotated, --since, --until; and the reading that follows from them. Without
 * --log these are the logs of the configuration (metricsread_logs()).
 *
 *     static const struct argp_child children[] = {LOG_CHILDREN, {0}};
 *     case ARGP_KEY_INIT:
 *         state->child_inputs[0] = &args->common;
 *         state->child_inputs[1] = &args->log;
 *     …
 *     log_options_init(&args.log, 24 * 3600 * NS_PER_S); options_parse(…); session_open(…);
 *     e = log_reading_open(&reading, &args.log, &session.settings, now, &err);
 *     if (e == 0) e = log_reading_run(&reading, &metrics, &err);
 *     … log_reading_close(&reading);
 */
#ifndef LOCKTOP_CLI_LOG_OPTIONS_H
#define LOCKTOP_CLI_LOG_OPTIONS_H

#include "cli/options.h"
#include "engine/metricsread.h"

enum { LOG_OPTIONS_LOGS = 64 };

/* A point in time as it was given: when, or how long before now. */
struct log_time {
	enum { LOG_TIME_NONE, LOG_TIME_AT, LOG_TIME_AGO } kind;
	int64_t ns;
	char text[32]; /* as a person says it: "24h", "2026-03-01 12:03:41", "all" */
};

struct log_options {
	const char *log[LOG_OPTIONS_LOGS]; /* borrowed; paths or patterns */
	size_t logs;
	bool rotated;
	struct log_time since, until;
};

/* Child parsers; the input of the second one has --log only (for who follows a log). */
extern const struct argp log_argp;
extern const struct argp log_file_argp;
#define LOG_CHILDREN                                                    \
	{&common_argp, 0, NULL, -2},                                    \
	{                                                               \
		&log_argp, 0, "Which log, and from when until when:", 1 \
	}

/* For commands that follow a log beside their locks: state->child_inputs[0] and [1]. */
extern const struct argp_child common_log_children[];

/* since: how many ns before now the window begins unless --since says it; 0: with the log. */
void log_options_init(struct log_options *options, int64_t since);
/*
 * "24h", "90s", "7d": so long ago. "2026-03-01 12:03:41", "@1763866361": that time, as
 * options_time() has it; a number alone is a time from 100,000,000 on (1973), else seconds ago.
 * "all" (of --since): from the beginning. -EINVAL.
 */
int log_time_parse(const char *text, struct log_time *out);
/* When that is; 0: no bound. */
wall_t log_time_at(const struct log_time *time, wall_t now);

/* What is read, and everything that belongs to it. */
struct log_reading {
	struct metricsread read; /* line and data are the caller's to set */
	char **usual;            /* owned or NULL */
};

/*
 * now: of the session's clock (session_open() with --now). -EINVAL with a sentence (the window is
 * empty: it ends before it begins), -ENOMEM. Close in any case.
 */
int log_reading_open(struct log_reading *reading, const struct log_options *options,
	const struct settings *settings, wall_t now, struct error *err);
/*
 * metricsread(), but for the sentence about logs that are not there: "there is no metrics log
 * /var/log/locktop/metrics.jsonl: …". The exit code for it is cli_exit_code(): 69 for -ENOENT.
 */
int log_reading_run(struct log_reading *reading, struct metrics *metrics, struct error *err);
/* Says on standard error which log is not there, if one is not: the others were read. */
void log_reading_complain(const struct log_reading *reading, const char *program);
void log_reading_close(struct log_reading *reading);

#endif

/* Which logs are read, and from when until when. */
#include "config.h"
#include "cli/log_options.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "base/text.h"
#include "cli/cli.h"

enum { OPT_LOG = 0x3000, OPT_ROTATED, OPT_SINCE, OPT_UNTIL };

#define NS_PER_HOUR (3600 * NS_PER_S)

/* A number alone: from here on it is a time (3 March 1973), before it a duration. */
#define LEAST_TIME (100000000 * NS_PER_S)

#define LOG_OPTION                                                                        \
	{                                                                                 \
		"log", OPT_LOG, "FILE", 0, "read this metrics log; may be given again", 0 \
	}

static const struct argp_option file_options[] = {
	LOG_OPTION,
	{0},
};

static const struct argp_option options[] = {
	LOG_OPTION,
	{"rotated", OPT_ROTATED, NULL, 0, "and what was rotated away: FILE.1, FILE.2.gz, ...", 0},
	{"since", OPT_SINCE, "TIME", 0, "from then on: 24h ago, a time, or all", 0},
	{"until", OPT_UNTIL, "TIME", 0, "until then: 1h ago, or a time", 0},
	{0},
};

static void set_time(struct log_time *time, int kind, int64_t ns)
{
	*time = (struct log_time){.kind = kind, .ns = ns};
	switch (kind) {
	case LOG_TIME_NONE: snprintf(time->text, sizeof time->text, "all"); break;
	case LOG_TIME_AT: text_time(time->text, sizeof time->text, ns); break;
	/* "24h" and "7d" are words that people know; text_duration() has "1d00h" and "7d00h". */
	case LOG_TIME_AGO:
		if (ns >= 100 * NS_PER_HOUR && ns % (24 * NS_PER_HOUR) == 0)
			snprintf(time->text, sizeof time->text, "%" PRId64 "d",
				ns / (24 * NS_PER_HOUR));
		else if (ns && ns < 100 * NS_PER_HOUR && ns % NS_PER_HOUR == 0)
			snprintf(time->text, sizeof time->text, "%" PRId64 "h", ns / NS_PER_HOUR);
		else
			text_duration(time->text, sizeof time->text, ns);
		break;
	}
}

void log_options_init(struct log_options *log, int64_t since)
{
	*log = (struct log_options){0};
	set_time(&log->since, since > 0 ? LOG_TIME_AGO : LOG_TIME_NONE, since);
	set_time(&log->until, LOG_TIME_NONE, 0);
}

/* A number alone may be either. */
static bool is_duration(const char *text, int64_t *ns)
{
	if (text_to_duration(text, ns) < 0 || *ns < 0)
		return false;
	return *ns < LEAST_TIME || strpbrk(text, "dhms");
}

int log_time_parse(const char *text, struct log_time *out)
{
	int64_t ns;

	if (strcmp(text, "all") == 0)
		set_time(out, LOG_TIME_NONE, 0);
	else if (is_duration(text, &ns))
		set_time(out, LOG_TIME_AGO, ns);
	else if (options_time(text, &ns) == 0)
		set_time(out, LOG_TIME_AT, ns);
	else
		return -EINVAL;
	return 0;
}

wall_t log_time_at(const struct log_time *time, wall_t now)
{
	switch (time->kind) {
	case LOG_TIME_NONE: return 0;
	case LOG_TIME_AT: return time->ns;
	case LOG_TIME_AGO: break;
	}
	/* 1970 is as good as the beginning. */
	return now > time->ns ? now - time->ns : 1;
}

static void parse_time(
	const char *name, const char *text, struct log_time *out, struct argp_state *state)
{
	if (log_time_parse(text, out) < 0)
		argp_error(state,
			"no time '%s' for %s, expected something like 24h (so long ago), "
			"\"2026-03-01 12:03:41\" or @1763866361",
			text, name);
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct log_options *log = state->input;

	switch (key) {
	case OPT_ROTATED: log->rotated = true; return 0;
	case OPT_SINCE: parse_time("--since", arg, &log->since, state); return 0;
	case OPT_UNTIL: parse_time("--until", arg, &log->until, state); return 0;
	case OPT_LOG:
		if (!*arg)
			argp_error(state, "--log needs the name of a file");
		if (log->logs == LOG_OPTIONS_LOGS)
			argp_error(state, "more than %d logs; a pattern may name them",
				LOG_OPTIONS_LOGS);
		log->log[log->logs++] = arg;
		return 0;
	default: return ARGP_ERR_UNKNOWN;
	}
}

const struct argp log_argp = {options, parse, NULL, NULL, NULL, NULL, NULL};
const struct argp log_file_argp = {file_options, parse, NULL, NULL, NULL, NULL, NULL};

const struct argp_child common_log_children[] = {
	{&common_argp, 0, NULL, -2},
	{&log_file_argp, 0, NULL, 0},
	{0},
};

int log_reading_open(struct log_reading *reading, const struct log_options *log,
	const struct settings *settings, wall_t now, struct error *err)
{
	struct metricsread *read = &reading->read;

	*reading = (struct log_reading){0};
	read->rotated = log->rotated;
	read->since = log_time_at(&log->since, now);
	read->until = log_time_at(&log->until, now);
	if (read->since > now)
		return error_set(err, -EINVAL, "nothing lies behind --since yet: it is to come");
	if (read->until && read->until <= read->since)
		return error_set(err, -EINVAL,
			"nothing lies between --since and --until: the end is not after the "
			"beginning");
	if (log->logs) {
		read->log = log->log;
		read->logs = log->logs;
		return 0;
	}
	reading->usual = metricsread_logs(settings);
	if (!reading->usual)
		return error_sys(err, -ENOMEM, "cannot tell which logs there are");
	read->log = (const char *const *)reading->usual;
	while (reading->usual[read->logs])
		read->logs++;
	return 0;
}

int log_reading_run(struct log_reading *reading, struct metrics *metrics, struct error *err)
{
	struct metricsread *read = &reading->read;

	if (read->logs == 0)
		return error_set(err, -ENOENT,
			"there is no metrics log: metrics = \"none\" in the configuration, and no "
			"--log");
	return metricsread(read, metrics, err);
}

void log_reading_complain(const struct log_reading *reading, const char *program)
{
	if (*reading->read.missing)
		cli_fail(
			program, 0, "%s is not there; the others were read", reading->read.missing);
}

void log_reading_close(struct log_reading *reading)
{
	if (reading->usual)
		metricsread_logs_free(reading->usual);
	reading->usual = NULL;
}

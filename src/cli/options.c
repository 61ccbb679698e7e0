/* The common options, and the parsers of option values. */
#include "config.h"
#include "cli/options.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/error.h"
#include "base/text.h"
#include "cli/cli.h"

enum {
	OPT_CONFIG = 0x1000,
	OPT_READ_ONLY,
	OPT_FORMAT,
	OPT_FIELDS,
	OPT_JSON,
	OPT_NOW,
	OPT_PROC_ROOT,
	OPT_LIMIT,
};

static const struct argp_option common_options[] = {
	{NULL, 0, NULL, 0, "Common to all commands:", -2},
	{NULL, 'h', NULL, 0, "the same as --help", -1},
	{"config", OPT_CONFIG, "FILE", 0, "read this configuration instead of the usual two files",
		0},
	{"read-only", OPT_READ_ONLY, NULL, 0, "refuse every release, force and signal", 0},
	{"format", OPT_FORMAT, "FORMAT", 0, "print as table, json, csv or ids", 0},
	{"fields", OPT_FIELDS, "LIST", 0, "columns to print, with commas between", 0},
	{"json", OPT_JSON, NULL, 0, "the same as --format=json", 0},
	{"limit", OPT_LIMIT, "DURATION", 0, "how long a hold may take (10m)", 0},
	{"now", OPT_NOW, "TIME", 0, "take this for the time (tests)", 0},
	{"proc-root", OPT_PROC_ROOT, "DIR", 0, "look at DIR/proc instead of /proc (tests)", 0},
	{0},
};

static const char *const format_words[] = {
#define _(id, word) word,
	FORMATS(_)
#undef _
};

static int format_from_word(const char *word)
{
	for (size_t i = 0; i < sizeof format_words / sizeof *format_words; i++)
		if (strcmp(word, format_words[i]) == 0)
			return (int)i;
	return FORMAT_NONE;
}

int options_time(const char *text, wall_t *out)
{
	static const char *const forms[] = {"%Y-%m-%d %H:%M:%S", "%Y-%m-%dT%H:%M:%S",
		"%Y-%m-%d %H:%M", "%Y-%m-%dT%H:%M", "%Y-%m-%d"};
	char *end;
	double seconds;

	for (size_t i = 0; i < sizeof forms / sizeof *forms; i++) {
		struct tm tm = {.tm_isdst = -1};
		time_t t;

		end = strptime(text, forms[i], &tm);
		if (!end || *end)
			continue;
		t = mktime(&tm);
		if (t == (time_t)-1)
			return -EINVAL;
		*out = (wall_t)t * NS_PER_S;
		return 0;
	}
	if (*text == '@')
		text++;
	if (*text < '0' || *text > '9')
		return -EINVAL;
	errno = 0;
	seconds = strtod(text, &end);
	if (errno != 0 || *end != '\0' || !isfinite(seconds) || seconds <= 0 || seconds > 9e9)
		return -EINVAL;
	*out = clock_ns(seconds);
	return 0;
}

int options_fields(const char *text, enum column *field, size_t *n, struct error *err)
{
	char word[32];
	size_t count = 0;

	while (true) {
		size_t len = strcspn(text, ",");
		int column;

		snprintf(word, sizeof word, "%.*s",
			(int)(len < sizeof word ? len : sizeof word - 1), text);
		column = len < sizeof word ? column_from_word(word) : -1;
		if (column < 0) {
			char known[400] = "";
			size_t used = 0;

			for (int i = 0; i < COLUMN_COUNT && used < sizeof known; i++)
				used += (size_t)snprintf(known + used, sizeof known - used, "%s%s",
					i ? ", " : "", column_info[i].field);
			return error_set(err, -EINVAL, "no field '%s', there are %s", word, known);
		}
		if (count == OPTION_FIELDS)
			return error_set(err, -EINVAL, "more than %d fields", OPTION_FIELDS);
		field[count++] = (enum column)column;
		if (text[len] == '\0')
			break;
		text += len + 1;
	}
	*n = count;
	return 0;
}

static error_t parse_common(int key, char *arg, struct argp_state *state)
{
	struct common *common = state->input;
	struct error err;
	int format;

	switch (key) {
	case 'h': argp_state_help(state, stdout, ARGP_HELP_STD_HELP); break;
	case OPT_CONFIG: common->config = arg; break;
	case OPT_READ_ONLY: common->is_read_only = true; break;
	case OPT_JSON: common->format = FORMAT_JSON; break;
	case OPT_PROC_ROOT: common->proc_root = arg; break;
	case OPT_FORMAT:
		format = format_from_word(arg);
		if (format == FORMAT_NONE)
			argp_error(state, "no format '%s', expected table, json, csv or ids", arg);
		common->format = (enum format)format;
		break;
	case OPT_FIELDS:
		if (options_fields(arg, common->field, &common->fields, &err) < 0)
			argp_error(state, "%s", err.text);
		break;
	case OPT_LIMIT:
		if (text_to_duration(arg, &common->limit) < 0 || common->limit <= 0)
			argp_error(state,
				"no duration '%s', expected something like 90s, 10m or 2h", arg);
		common->limit_text = arg;
		break;
	case OPT_NOW:
		if (options_time(arg, &common->now) < 0)
			argp_error(state,
				"no time '%s', expected seconds since 1970 or \"2026-03-01 "
				"12:03:41\"",
				arg);
		common->now_text = arg;
		break;
	default: return ARGP_ERR_UNKNOWN;
	}
	return 0;
}

const struct argp common_argp = {common_options, parse_common, NULL, NULL, NULL, NULL, NULL};

const struct argp_child common_children[] = {
	{&common_argp, 0, NULL, -2},
	{0},
};

void options_print(const struct argp *argp)
{
	for (const struct argp_option *o = argp->options; o && (o->name || o->doc || o->key); o++) {
		if (!o->name || (o->flags & (OPTION_HIDDEN | OPTION_DOC)))
			continue;
		printf("--%s%s%s\n", o->name, o->arg ? "=" : "", o->arg ? o->arg : "");
	}
	for (const struct argp_child *child = argp->children; child && child->argp; child++)
		options_print(child->argp);
}

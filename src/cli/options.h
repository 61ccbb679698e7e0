/*
 * The options that every subcommand has, before or after its name, and the small parsers of
 * option values. Tables are argp's (glibc), so --help, --usage and errors come from them.
 */
#ifndef LOCKTOP_CLI_OPTIONS_H
#define LOCKTOP_CLI_OPTIONS_H

#include "base/clock.h"
#include "model/columns.h"
#include "ui/glyphs.h"
#include "ui/style.h"
#include <argp.h>

#define FORMATS(_) _(TABLE, "table") _(JSON, "json") _(CSV, "csv") _(IDS, "ids")

enum format {
	FORMAT_NONE = -1,
#define _(id, word) FORMAT_##id,
	FORMATS(_)
#undef _
};

enum { OPTION_FIELDS = COLUMN_COUNT };

struct common {
	const char *config;               /* --config; NULL: the usual files */
	const char *proc_root;            /* --proc-root */
	const char *now_text;             /* --now as given, to pass on */
	wall_t now;                       /* --now; 0: the clock's */
	bool is_read_only;                /* --read-only */
	enum format format;               /* --format, --json; FORMAT_NONE: not said */
	enum column field[OPTION_FIELDS]; /* --fields */
	size_t fields;
	int64_t limit;          /* --limit in ns; 0: not said */
	const char *limit_text; /* as given, to pass on */
};

/*
 * A child parser: its input (state->child_inputs[0]) is a struct common. Wrong values end the
 * program with a sentence and EXIT_USAGE, as argp_error(3) does.
 */
extern const struct argp common_argp;
extern const struct argp_child common_children[];

/* Parses with exit code 64 for mistakes; 0 or an errno that argp gave. */
int options_parse(
	const struct argp *argp, int argc, char **argv, unsigned int flags, int *next, void *input);
/* For ARGP_KEY_ARG and ARGP_KEY_NO_ARGS of a command that takes one lock's address. */
void options_address(const char **address, char *arg, struct argp_state *state);
/* The field list "state,name,age": 0, or -EINVAL with a sentence naming the known ones. */
int options_fields(const char *text, enum column *field, size_t *n, struct error *err);
/*
 * "1763866361", "@1763866361.5", "2026-03-01 12:03:41", "2026-03-01 12:03" or "2026-03-01" (its
 * beginning, local time): ns since 1970, or -EINVAL.
 */
int options_time(const char *text, wall_t *out);
/* Prints every option of an argp, a line each: "--format=FORMAT". For completions and tests. */
void options_print(const struct argp *argp);

#endif

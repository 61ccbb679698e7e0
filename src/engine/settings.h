/*
 * The configuration: /etc/locktop.conf, then the user's ($XDG_CONFIG_HOME/locktop/locktop.conf,
 * else ~/.config/locktop/locktop.conf), typed by libconfuse, documented in locktop.conf(5).
 * (Not called config.h: that name is autoconf's.)
 */
#ifndef LOCKTOP_ENGINE_SETTINGS_H
#define LOCKTOP_ENGINE_SETTINGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct error;

struct settings_source {
	char *name; /* owned; title of the section */
	char *uri;  /* owned */
};

struct settings_limit {
	char *pattern; /* owned; fnmatch(3) on name or address */
	int64_t limit; /* ns */
};

struct settings {
	struct settings_source *source; /* owned */
	size_t sources;
	struct settings_limit *rule; /* owned; in the order of the files, user's first */
	size_t rules;
	int64_t limit;        /* ns; 600 s */
	int64_t delay;        /* ns between batch outputs and ticks; 1 s */
	bool is_secure;       /* secure = true in one of the files; no other can undo it */
	char *secure_in;      /* owned or NULL; the file that says so, the system's before others */
	bool tidy;            /* release unlinks lock files instead of emptying them */
	char *glyphs;         /* owned; auto, ascii, box, braille */
	char *color;          /* owned; auto, never, 16 */
	char *default_source; /* owned or NULL; URI where bare names are looked up */
	char *ssh;            /* owned; the command, "ssh" */
	char *audit;          /* owned or NULL: the usual place */
	char *metrics;        /* owned or NULL: the usual place; "none": no metrics log */
	char **log;           /* owned; metrics logs that are read, paths or patterns; those */
	size_t logs;          /* of the first file that names any; 0: the one that is written */
	double overdue_factor; /* a hold of so many times its usual one is OVERDUE; 3; 0: never */
};

/*
 * Reads both files, or only `only` when it is not NULL (--config). A file that is not there is
 * skipped (an `only` is not: -ENOENT). Of what both set, the user's counts; sources and limits of
 * both count, the user's first. The user's file is skipped when it belongs to another user: under
 * sudo(8) with the caller's HOME it could name commands. secure = true counts in
 * whichever file, no file can undo it, and the system's is read for it in any case. A mistake is
 * one sentence with file and line and what was expected, -EINVAL; settings are untouched then.
 */
int settings_read(struct settings *settings, const char *only, struct error *err);
/* The same with paths of its own; for tests. */
struct settings_files {
	const char *system;
	const char *user; /* NULL: none */
	const char *only; /* NULL: both */
};
int settings_read_files(
	struct settings *settings, const struct settings_files *files, struct error *err);
void settings_release(struct settings *settings);
/* Path of the system's file, for messages: LOCKTOP_SYSCONFDIR "/locktop.conf". */
const char *settings_system_path(void);
/* Path of the user's, for the caller to free. NULL: there is none, or *result is -ENOMEM. */
char *settings_user_path(int *result);

#endif

/*
 * Which lines of the metrics logs are meant by a word of the command line: those of a lock (its
 * address, or its name alone), of a source (its URI), or of a kind of source ("redis").
 */
#ifndef LOCKTOP_CLI_LOG_PICK_H
#define LOCKTOP_CLI_LOG_PICK_H

#include "engine/settings.h"
#include "model/metrics.h"

struct error;

struct log_pick {
	const char *text; /* borrowed; as given */
	char *address;    /* owned or NULL, clean; as metrics_address() has it */
	char *source;     /* owned or NULL; the URI of a source */
	bool is_file;     /* address is a path: of a lock file, or of a folder of them */
	bool is_name;     /* text may be a lock's name, or the word of a backend */
};

/*
 * A path need not be there: the log may be another host's. A bare name is the word of a backend;
 * any lock with that name; and a file here, or what default_source has under it. -EINVAL with a
 * sentence, -ENOMEM.
 */
int log_pick_init(struct log_pick *pick, const char *text, const struct settings *settings,
	struct error *err);
void log_pick_release(struct log_pick *pick);
/* source, lock and backend as in a line; NULL is "". */
bool log_pick_has(
	const struct log_pick *pick, const char *source, const char *lock, const char *backend);

/* Several of them, as given on a command line; none has everything. */
struct log_picks {
	struct log_pick *pick; /* owned */
	size_t n;
};

int log_picks_init(struct log_picks *picks, char *const *texts, size_t n,
	const struct settings *settings, struct error *err);
void log_picks_release(struct log_picks *picks);
bool log_picks_have(
	const struct log_picks *picks, const char *source, const char *lock, const char *backend);

#endif

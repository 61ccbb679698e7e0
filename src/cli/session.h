/*
 * What every command that looks at locks has: settings, policy, clock, loop, hub and model,
 * connected. One struct, opened and closed as a whole.
 */
#ifndef LOCKTOP_CLI_SESSION_H
#define LOCKTOP_CLI_SESSION_H

#include "cli/log_options.h"
#include "cli/options.h"
#include "engine/hub.h"
#include "engine/settings.h"
#include "model/history.h"

struct session {
	const struct common *common; /* borrowed */
	struct settings settings;
	struct policy policy;
	struct clock clock;
	struct world world;
	struct here here;
	struct loop *loop;
	struct hub *hub;
	struct model model;
	struct history *history; /* owned; told whatever the model is; NULL: nobody wants it */
	char program[4096];      /* what the hub starts */
	const char *hub_args[10];
	bool is_once;      /* sources take one look and end */
	bool only_locks;   /* set before sources are added: no log:, and kernel: only if named */
	bool takes_faults; /* session_gather() takes a fault for an answer */
	bool is_open;      /* world */
	/* Whoever draws is told that something changed; and of answers to deeds. May be NULL. */
	void (*changed)(void *data);
	void (*done)(void *data, size_t source, const struct event *event);
	void *data;
};

/*
 * Reads the settings, decides what is allowed, opens clock and world. 0, or -errno with a
 * sentence. session_close() is due in both cases.
 */
int session_open(struct session *session, const struct common *common, struct error *err);
/*
 * Opens loop, hub and model. once: sources take one complete look and end.
 */
int session_start(struct session *session, bool once, struct error *err);
/* Adds one source to hub and model: its index, or -errno with a sentence. */
int session_add(struct session *session, const char *uri, struct error *err);
/*
 * Adds the sources named on the command line; without any, those of the settings; without
 * those, what the host has: /run/lock, /run/?*.pid, kernel: (session->only_locks: neither
 * that nor one of the settings).
 */
int session_sources(struct session *session, char *const *uris, size_t n, struct error *err);
/*
 * Adds the metrics logs that were named, or without any those that are read when none is
 * (metricsread_logs()), as sources log:FILE, with what was rotated away; a name may be a
 * pattern, "none" is none. A log that is not there yet is no fault. 0, or -errno with a sentence.
 */
int session_logs(struct session *session, const struct log_options *logs, struct error *err);
/* Is anything asked for that only logs know: a field, an order, or a log by name? */
bool session_wants_logs(const struct common *common, int sort, const struct log_options *logs);
/*
 * Runs the loop until every source had a complete look or is down, at most `patience` ns; a big
 * log may take long. session_gather_locks() does not wait for logs.
 */
int session_gather(struct session *session, int64_t patience);
int session_gather_locks(struct session *session, int64_t patience);
/* Time goes on for the model. Returns whether a state changed. */
bool session_tick(struct session *session);
/* Is any source without a complete look? Prints a sentence a source to stderr. */
bool session_complain(const struct session *session, const char *program);
void session_close(struct session *session);
/*
 * Opens and starts a session, runs the command's body on it and closes it: the exit code, of the
 * body or of what went wrong before, which was printed.
 */
int session_run(const char *program, const struct common *common, bool once,
	int (*body)(const char *program, struct session *session, void *args), void *args);

/* A lock's address taken apart: which source to open, and the lock's name there. */
struct address {
	char *uri;  /* owned */
	char *name; /* owned, clean */
};

/*
 * "/run/lock/x.lock", "file:…", "kernel:flock:/run/x", "ssh:HOST:ADDRESS", "SOURCE/NAME", or a
 * bare name in default_source. -EINVAL with a sentence that says what was expected.
 */
int address_parse(struct address *address, const char *text, const struct settings *settings,
	struct error *err);
void address_release(struct address *address);

/*
 * Adds the source of an address and gathers. The exit code: 0 with *entry set (borrowed from the
 * model; NULL: the source has no such lock), else the reason was printed under the program's name.
 */
int session_look(
	struct session *session, const char *program, const char *text, struct entry **entry);
/* The same, but that there is no such lock is a failure, too. */
int session_find(
	struct session *session, const char *program, const char *text, struct entry **entry);
/* Asks for the deed and waits for its answer, which is printed: the exit code. */
int session_deed(
	struct session *session, const char *program, size_t source, const struct deed *deed);

#endif

/*
 * The hub: the sources of a monitor or listing as child processes, with deadlines, kill, and
 * restart with back-off. It turns their lines into events and knows nothing of screens or
 * backends. `ssh:HOST:URI` is run as `ssh HOST locktop source -` with the inner URI sent over.
 */
#ifndef LOCKTOP_ENGINE_HUB_H
#define LOCKTOP_ENGINE_HUB_H

#include "base/loop.h"
#include "engine/act.h"
#include "model/model.h"

struct hub;

struct hub_options {
	struct loop *loop;               /* borrowed */
	const char *program;             /* this program, "/proc/self/exe" unless set */
	const char *const *program_args; /* before "source", NULL-terminated; may be NULL: */
					 /* --config FILE, --proc-root DIR; all borrowed */
	const char *ssh;      /* command for ssh:, "ssh"; words are split at spaces; borrowed */
	struct policy policy; /* passed on to every source */
	bool once;            /* sources end after one complete look: no restart */
	int64_t silence;      /* ns without a sign of life beyond 3 times what the source */
	/* promised until it is SILENT; 2 s unless set */
	int64_t patience; /* ns of silence until it is killed, and until a deed that was */
	/* not answered counts as lost; 15 s unless set */
	/*
	 * Each event, owned by the hub; and each change of state with its words (or NULL). A
	 * state may be told again with other words ("12 lines not understood"). What they call
	 * may be any of the functions below but hub_free().
	 */
	void (*event)(void *data, size_t source, const struct event *event);
	void (*state)(void *data, size_t source, enum source_state state, const char *text);
	void *data;
};

struct hub *hub_new(const struct hub_options *options);
/*
 * Ends every source (closes its socket, TERM, and KILL after 500 ms) and frees the hub. Waits
 * for them on the machine's own clock, a second at most: what then still is there hangs in the
 * kernel, and is left to init.
 */
void hub_free(struct hub *hub);
/*
 * Starts a source; sources are numbered from 0. Index, or -errno with a sentence: the URI is
 * wrong. That it cannot be started is told by its state.
 */
int hub_add(struct hub *hub, const char *uri, struct error *err);
/* The same with a command (borrowed) of its own instead of `locktop source -`; for tests. */
int hub_add_command(struct hub *hub, const char *uri, const char *const *argv, struct error *err);
/*
 * Asks a source for a deed; the answer comes as a DONE event with that number. Request number
 * > 0, or -errno (-ENOTCONN: the source is down). A source that dies or falls silent with a
 * request open answers it by a synthetic DONE "no answer: nothing is known of the result".
 */
int64_t hub_deed(struct hub *hub, size_t source, const struct deed *deed, struct error *err);
/* Looks again now; a source that is down is started at once, also one that is down for good. */
void hub_scan(struct hub *hub, size_t source);
/* All sources have come to their end (once) or are down for good. */
bool hub_is_done(const struct hub *hub);

enum { HUB_SSH_ARGS = 32 };

/*
 * The command for the source that an ssh: URI names: ssh's words, its options, HOST and
 * "locktop source URI" with the inner URI quoted for the shell there. Fills argv,
 * NULL-terminated; argv[0] is owned by the caller and holds the memory of all of them.
 * 0 or -errno.
 */
int hub_ssh_argv(const char *ssh, const struct uri *uri, bool once, const char **argv, size_t size,
	struct error *err);

#endif

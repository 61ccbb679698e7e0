/*
 * Inside the hub: one source, its process and its lines.
 *
 *   hub.c          the hub as others see it: adds sources with their commands, and ends them all
 *   hub_process.c  the life of one process: start, deadlines, how it is ended, and when it is
 *                  started again
 *   hub_lines.c    what is said: lines read within bounds and turned into events, requests
 *                  written, deeds that wait for an answer, and what the owner hears
 *   hub_ssh.c      the command of a source on another host
 *
 * The hub owns its sources; a source owns its child, the loop's handles on it, and its deeds. A
 * source's process and its lines need each other: what it says moves its deadlines, and what it
 * does not say in time ends it. What the owner is told of may call back into the hub.
 */
#ifndef LOCKTOP_ENGINE_HUB_PRIVATE_H
#define LOCKTOP_ENGINE_HUB_PRIVATE_H

#include "base/jsonl.h"
#include "engine/child.h"
#include "engine/hub.h"

enum {
	STRAYS = 3,      /* processes of a source that may hang in the kernel at once */
	DEEDS_OPEN = 64, /* that a source may owe an answer for */
	WORDS = 320,
	QUEUE_MAX = 1024 * 1024, /* of requests that a source does not read */
};

#define GRACE (500 * NS_PER_MS) /* between TERM and KILL, and before giving up */

enum phase {
	IDLE,       /* no process; if the timer is on it starts one */
	RUNNING,    /* the timer is the next deadline of whatever kind */
	TERMINATED, /* TERM was sent; the timer sends KILL */
	KILLED,     /* KILL was sent; the timer gives the process up */
};

/* A deed that was asked for. */
struct asked {
	int64_t id;
	char *name; /* owned */
	mono_t until;
	bool is_answered; /* by the hub; the source's own answer may still come */
};

/* A process that did not even end by KILL: it hangs in the kernel (state D). */
struct stray {
	struct source *source;
	struct child child;
	struct loop_fd *ending;
	bool is_used;
};

struct source {
	struct hub *hub;
	size_t index;
	const char **argv;   /* owned; words[0], if any, holds their memory */
	char *words;         /* owned or NULL */
	const char *program; /* of argv[0] */
	char *uri;           /* owned; as it is sent: of ssh: the inner one */
	enum phase phase;
	enum source_state state;
	bool is_over;     /* ended, or down for good */
	bool is_complete; /* this process has completed a look */
	bool is_final;    /* it said that nothing will follow */
	struct child child;
	struct loop_fd *socket, *ending, *complaint;
	struct loop_timer *timer;
	struct jsonl_reader reader;
	struct jsonl_writer writer;
	mono_t started, heard, complete_at;
	mono_t hung_up;    /* when its output was closed; MONO_NEVER */
	mono_t idle_until; /* not read until then, for it sent too much; 0 */
	int64_t every;
	int64_t bytes; /* that may be read now */
	mono_t bytes_at;
	unsigned int failures; /* in a row */
	uint64_t lies;         /* lines of JSON that are no event, or one that cannot be */
	uint64_t bad_told;     /* lines not understood: as last told */
	uint64_t bad_before;   /* as it was a second before */
	mono_t bad_told_at, bad_at;
	char why[WORDS];   /* the hub's reason to end it, "" none */
	char fault[WORDS]; /* the last that it told of itself, "" none */
	uint64_t fault_hash;
	bool is_fatal;
	struct asked asked[DEEDS_OPEN];
	size_t asks;
	struct stray stray[STRAYS];
};

struct hub {
	struct hub_options options;
	struct source **source; /* owned */
	size_t sources;
	int64_t request; /* last number given */
	uint64_t random;
	int64_t silence, patience;
};

static inline mono_t now_of(const struct source *source)
{
	return loop_now(source->hub->options.loop);
}

/* --- hub_process.c --- */

/* Starts it now; that it cannot be started is told by its state. */
void hub_process_start(struct source *source);
/* Of the source's timer: starts it, sees to its deadlines, or ends it, by its phase. */
void hub_process_on_timer(void *data, mono_t now);
/* Sets the timer of a running source to its next deadline: after each change of one. */
void hub_process_arm(struct source *source);
/*
 * Ends a process that does not do what it should. It counts as down from now on, unless it has
 * said all.
 */
void hub_process_end(struct source *source, const char *why);
/* Closes the socket to it, which asks it to end. */
void hub_process_hang_up(struct source *source);
/* How many processes of it hang in the kernel. */
size_t hub_process_strays(const struct source *source);
/* Lets go of a source whose processes have ended, or are left to init, and frees it. */
void hub_process_free(struct source *source);

/* --- hub_lines.c --- */

/* A new process: nothing was said yet. */
void hub_lines_reset(struct source *source, mono_t now);
/* The process is gone: so are the deeds that it owes. */
void hub_lines_release(struct source *source);
/* Events on the socket. */
void hub_lines_on_socket(void *data, int fd, short revents);
/* Takes the lines that were read. */
void hub_lines_take(struct source *source);
/* Asks the loop for what there is to wait for on the socket. */
void hub_lines_poll(struct source *source);
/* 0, or -ENOMEM. */
int hub_lines_ask(struct source *source, const struct request *request);
/* Deeds that nobody will answer, or not in time: all of them, or those that are due. */
void hub_lines_answer_for(struct source *source, mono_t due);
/* When the first deed is due, or MONO_NEVER. */
mono_t hub_lines_due_at(const struct source *source);
/* How many lines were not understood. */
uint64_t hub_lines_bad(const struct source *source);
/* What the owner should know of those, once a second at most. */
void hub_lines_tell_bad(struct source *source, mono_t now);
void hub_lines_tell_state(struct source *source, enum source_state state, const char *text);

#endif

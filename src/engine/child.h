/*
 * The process of a source: a socketpair as its standard input and output, a pipe as its standard
 * error, a process group of its own, watched and reaped by pidfd. Mechanism only: when it is
 * started and ended is the hub's business.
 */
#ifndef LOCKTOP_ENGINE_CHILD_H
#define LOCKTOP_ENGINE_CHILD_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct error;

enum { CHILD_LINE = 200 };

struct child {
	pid_t pid;                 /* 0: there is none. Its number is ours until it is reaped */
	int pidfd;                 /* readable when it has ended; -1 none */
	int socket;                /* our end, non-blocking; -1 closed */
	int complaint;             /* its standard error, non-blocking; -1 closed */
	char line[CHILD_LINE + 1]; /* the last line of it that was not empty, raw */
	char part[CHILD_LINE + 1]; /* the beginning of the one that is being written */
	size_t part_len;
	bool has_ended; /* and was reaped */
	int status;     /* as waitid(2) has it: exit status or signal */
	bool was_killed;
};

/* A child that is none. */
void child_init(struct child *child);
/*
 * Starts program, looked up in PATH if it has no slash. Signals have their defaults and none is
 * blocked in it; no other descriptor is passed on. 0, or -errno with a sentence.
 */
int child_start(
	struct child *child, const char *program, const char *const *argv, struct error *err);
/* Reads what it complained of; false when nothing more will come (the descriptor is closed). */
bool child_listen(struct child *child);
/* The last line of that, clean; "" when there is none. */
void child_complaint(const struct child *child, char *dst, size_t size);
/* Signals its whole group. Nothing when it was reaped. */
void child_signal(const struct child *child, int signal);
/* Reaps it if it has ended: true then. What is left of its group is killed. */
bool child_reap(struct child *child);
/* How it ended: "ended with status 3", "was killed by SIGKILL". */
void child_end_words(const struct child *child, char *dst, size_t size);
/* Closes our end of the socket. */
void child_hang_up(struct child *child);
/* Closes every descriptor; the process is neither ended nor waited for. */
void child_release(struct child *child);

#endif

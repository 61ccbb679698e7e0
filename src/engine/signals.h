/*
 * The signals of a command that waits for a lock and then runs a child: caught while it waits, so
 * that what blocks ends; blocked while the child runs, to be read from a signalfd(2); and given to
 * the child as this process itself got them.
 *
 * What a handler remembers is the one state of this process, as the signals themselves are.
 */
#ifndef LOCKTOP_ENGINE_SIGNALS_H
#define LOCKTOP_ENGINE_SIGNALS_H

#include "base/clock.h"
#include <signal.h>
#include <stdbool.h>
#include <time.h>

/* Those that are caught; SIGALRM and SIGCHLD are changed too, for what is needed of them here. */
#define SIGNALS_CAUGHT(_) _(SIGHUP) _(SIGINT) _(SIGQUIT) _(SIGTERM) _(SIGUSR1) _(SIGUSR2)

enum {
#define _(signal) SIGNAL_SLOT_##signal,
	SIGNALS_CAUGHT(_)
#undef _
		SIGNAL_SLOT_SIGALRM,
	SIGNAL_SLOT_SIGCHLD,
	SIGNALS
};

struct signals {
	sigset_t mask;                    /* as this process got it */
	struct sigaction former[SIGNALS]; /* as it got them */
	timer_t timer;
	bool has_timer;
};

/*
 * From now on the caught ones (unless this process was started with them ignored) are remembered
 * instead of ending it, and interrupt what blocks (no SA_RESTART). SIGCHLD gets its default, for
 * where it is ignored no child can be waited for.
 */
void signals_catch(struct signals *signals);
/* Which one came since, the first of them; 0: none. */
int signals_caught(void);
/*
 * Interrupts what this process does at `when`, and every 20 ms from then on until it is told
 * MONO_NEVER: so it does not matter whether the first one came between a test and the call that
 * blocks. One of the caught ones repeats itself in the same way. 0 or -errno.
 */
int signals_alarm(struct signals *signals, mono_t when);
/* All are blocked from now on; the alarm is off. */
void signals_block(struct signals *signals);
/* Everything as it was. Also for a child between vfork(2) and exec: calls the kernel only. */
void signals_give_back(const struct signals *signals);
/* Ends this process by that signal, as if it had not been caught. */
_Noreturn void signals_die(int signal);

#endif

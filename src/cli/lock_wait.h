/*
 * Waiting for a lock as run and acquire do it: in the kernel's queue where there is one; not
 * longer than asked for; with a line on the terminal that says who has it; and ended by a signal.
 */
#ifndef LOCKTOP_CLI_LOCK_WAIT_H
#define LOCKTOP_CLI_LOCK_WAIT_H

#include "cli/lock_options.h"
#include "engine/signals.h"

/* How long is waited where nobody looks and nothing was said. */
enum { LOCK_WAIT_S = 120 };

struct lock_wait {
	struct signals signals; /* as this process got them */
	int signal;             /* that ended the wait, or came meanwhile; 0 none */
	struct lock_session *session;
	bool is_drawn;
	mono_t drawn_at;
};

/*
 * Takes the session's locks. 0 or -errno as hold_acquire(). Whatever it returns, all signals are
 * blocked afterwards: look at wait->signal, which may be set although the locks were taken; then
 * signals_give_back(), or signals_die().
 */
int lock_wait_acquire(struct lock_wait *wait, struct lock_session *session, struct error *err);

#endif

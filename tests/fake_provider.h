/*
 * A provider that does what a test tells it. fake:/PATH keeps its lock in the file PATH.held and
 * reads what to do from the file PATH (not there: nothing special), a line each:
 *
 *   busy [N]         somebody has it, at each of the next N tries (without N: for ever)
 *   slow S           a try takes S seconds, by the clock of the world
 *   unreachable [N]  the next N calls, of whatever kind, cannot reach it
 *   transient [N]    the next N renewals cannot be done; the lock stays
 *   lose [N]         the N-th renewal from now (without N: the next) finds another holder
 *   gone [N]         the same, but finds no holder
 *
 * What was done once is counted down in the file, so that other processes see it. fakequeue: is
 * the same with a queue of its own: acquire() waits until it may, or the time is over.
 *
 * The lease counts: who did not renew in time is taken over. Every process may look at both files.
 */
#ifndef LOCKTOP_TESTS_FAKE_PROVIDER_H
#define LOCKTOP_TESTS_FAKE_PROVIDER_H

#include "backends/provider.h"

extern const struct provider provider_fake;
extern const struct provider provider_fake_queue;

#endif

/*
 * A clock that is the machine's own plus what a test adds, so that nobody has to sleep. Functions
 * are static inline, for no test needs all of them.
 */
#ifndef LOCKTOP_TESTS_STEERED_H
#define LOCKTOP_TESTS_STEERED_H

#include "base/clock.h"

struct steered {
	int64_t mono, jump; /* added to both clocks; to the wall clock alone */
};

static inline mono_t steered_mono(const struct clock *clock)
{
	return clock_mono(&clock_system) + ((struct steered *)clock->data)->mono;
}

static inline wall_t steered_wall(const struct clock *clock)
{
	struct steered *steered = clock->data;

	return clock_wall(&clock_system) + steered->mono + steered->jump;
}

static inline int steered_wait(const struct clock *clock, struct pollfd *fds, unsigned int n,
	mono_t deadline, const sigset_t *mask)
{
	(void)clock;
	return clock_system.wait(&clock_system, fds, n, deadline, mask);
}

static inline struct clock steered_clock(struct steered *steered)
{
	return (struct clock){steered_mono, steered_wall, steered_wait, steered};
}

#endif

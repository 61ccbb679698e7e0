/*
 * Time, as two types that cannot be mixed up by accident, and an injected clock.
 *
 * mono_t is CLOCK_BOOTTIME in nanoseconds: it counts through suspend and cannot be set
 * (clock_gettime(2)); every age, deadline and interval uses it. wall_t is CLOCK_REALTIME in
 * nanoseconds: it may jump; only what a person or another host reads uses it.
 */
#ifndef LOCKTOP_BASE_CLOCK_H
#define LOCKTOP_BASE_CLOCK_H

#include <poll.h>
#include <signal.h>
#include <stdint.h>

typedef int64_t mono_t;
typedef int64_t wall_t;

#define NS_PER_MS  INT64_C(1000000)
#define NS_PER_S   INT64_C(1000000000)
#define MONO_NEVER INT64_MAX

/*
 * Where time comes from, and how it is waited for. wait() is ppoll(2) with an absolute deadline
 * (MONO_NEVER: no limit): it returns the number of ready descriptors, 0 at the deadline, or
 * -errno (-EINTR included). A test's clock jumps to the deadline instead of sleeping.
 */
struct clock {
	mono_t (*mono)(const struct clock *clock);
	wall_t (*wall)(const struct clock *clock);
	int (*wait)(const struct clock *clock, struct pollfd *fds, unsigned int n, mono_t deadline,
		const sigset_t *mask);
	void *data; /* borrowed; the test's state */
};

/* The machine's own clocks. */
extern const struct clock clock_system;

static inline mono_t mono_earlier(mono_t a, mono_t b)
{
	return a < b ? a : b;
}

mono_t clock_mono(const struct clock *clock);
wall_t clock_wall(const struct clock *clock);

/*
 * A clock for tests: starts at the given times; wait() polls once without blocking and, when
 * nothing is ready, jumps both clocks to the deadline (returns 0; -EDEADLK if there is none).
 */
struct clock_fake {
	mono_t mono;
	wall_t wall;
};
struct clock clock_fake(struct clock_fake *fake);

/* Seconds as a double, for JSON only. */
double clock_seconds(int64_t ns);
/* The reverse; clamps what does not fit, NaN becomes 0. */
int64_t clock_ns(double seconds);

#endif

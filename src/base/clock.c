/* Time: the machine's clocks, and one for tests. */
#include "config.h"
#include "base/clock.h"

#include <errno.h>
#include <math.h>
#include <stddef.h>
#include <time.h>

static int64_t read_clock(clockid_t id)
{
	struct timespec ts = {0};

	clock_gettime(id, &ts); /* cannot fail for the two clocks that Linux always has */
	return (int64_t)ts.tv_sec * NS_PER_S + ts.tv_nsec;
}

static mono_t system_mono(const struct clock *clock)
{
	(void)clock;
	return read_clock(CLOCK_BOOTTIME);
}

static wall_t system_wall(const struct clock *clock)
{
	(void)clock;
	return read_clock(CLOCK_REALTIME);
}

/*
 * ppoll(2) counts on CLOCK_MONOTONIC, which stands still in suspend: a wait that was suspended
 * ends late, by what was left of it. Callers look at the time again anyway.
 */
static int system_wait(const struct clock *clock, struct pollfd *fds, unsigned int n,
	mono_t deadline, const sigset_t *mask)
{
	struct timespec timeout = {0};
	mono_t now = clock->mono(clock);
	int ready;

	if (deadline > now) {
		timeout.tv_sec = (deadline - now) / NS_PER_S;
		timeout.tv_nsec = (deadline - now) % NS_PER_S;
	}
	ready = ppoll(fds, n, deadline == MONO_NEVER ? NULL : &timeout, mask);
	return ready < 0 ? -errno : ready;
}

const struct clock clock_system = {
	.mono = system_mono,
	.wall = system_wall,
	.wait = system_wait,
};

mono_t clock_mono(const struct clock *clock)
{
	return clock->mono(clock);
}

wall_t clock_wall(const struct clock *clock)
{
	return clock->wall(clock);
}

static mono_t fake_mono(const struct clock *clock)
{
	const struct clock_fake *fake = clock->data;

	return fake->mono;
}

static wall_t fake_wall(const struct clock *clock)
{
	const struct clock_fake *fake = clock->data;

	return fake->wall;
}

static int fake_wait(const struct clock *clock, struct pollfd *fds, unsigned int n, mono_t deadline,
	const sigset_t *mask)
{
	struct clock_fake *fake = clock->data;
	int ready = ppoll(fds, n, &(struct timespec){0}, mask);

	if (ready)
		return ready < 0 ? -errno : ready;
	if (deadline == MONO_NEVER)
		return -EDEADLK;
	if (deadline > fake->mono) {
		fake->wall += deadline - fake->mono;
		fake->mono = deadline;
	}
	return 0;
}

struct clock clock_fake(struct clock_fake *fake)
{
	return (struct clock){
		.mono = fake_mono,
		.wall = fake_wall,
		.wait = fake_wait,
		.data = fake,
	};
}

double clock_seconds(int64_t ns)
{
	return (double)ns / (double)NS_PER_S;
}

int64_t clock_ns(double seconds)
{
	double ns = seconds * (double)NS_PER_S;

	if (isnan(ns))
		return 0;
	/* 2^63 is a double, INT64_MAX is not. */
	if (ns >= 0x1p63)
		return INT64_MAX;
	if (ns <= -0x1p63)
		return INT64_MIN;
	return (int64_t)(ns < 0 ? ns - 0.5 : ns + 0.5);
}

/* One thread, one loop: descriptors and timers over the injected clock. */
#include "config.h"
#include "base/loop.h"

#include <assert.h>
#include <errno.h>
#include <poll.h>
#include <stdint.h>
#include <stdlib.h>

struct loop_fd {
	struct loop *loop;
	size_t slot; /* where it stands in loop->handle */
	int fd;
	short events;
	loop_fd_fn *fn;
	void *data;
};

struct loop_timer {
	struct loop *loop;
	size_t slot; /* where it stands in loop->timer */
	mono_t at;
	uint64_t order; /* among those of the same time: as they were set */
	loop_timer_fn *fn;
	void *data;
};

struct loop {
	const struct clock *clock;
	mono_t now;
	wall_t wall;
	/* Side by side; a handle that was removed leaves NULL, and the next turn closes up. */
	struct loop_fd **handle;
	struct pollfd *pollfd;
	size_t fds, fds_size;
	bool has_holes;
	/* The first `on` are a binary heap, the earliest on top; behind it are those that are off.
	 */
	struct loop_timer **timer;
	size_t timers, timers_size, on;
	uint64_t order;
	bool is_turning, is_stopped;
	int result;
};

struct loop *loop_new(const struct clock *clock)
{
	struct loop *loop = calloc(1, sizeof *loop);

	if (!loop)
		return NULL;
	loop->clock = clock;
	loop->now = clock_mono(clock);
	loop->wall = clock_wall(clock);
	return loop;
}

void loop_free(struct loop *loop)
{
	size_t i;

	if (!loop)
		return;
	for (i = 0; i < loop->fds; i++)
		free(loop->handle[i]);
	for (i = 0; i < loop->timers; i++)
		free(loop->timer[i]);
	free(loop->handle);
	free(loop->pollfd);
	free(loop->timer);
	free(loop);
}

mono_t loop_now(const struct loop *loop)
{
	return loop->now;
}

wall_t loop_wall(const struct loop *loop)
{
	return loop->wall;
}

/* Room for one more in an array of n. Returns the array, or NULL and leaves it as it is. */
static void *room_for_one(void *array, size_t n, size_t size, size_t each)
{
	return n < size ? array : reallocarray(array, size ? 2 * size : 16, each);
}

static bool reserve_fd(struct loop *loop)
{
	void *handle, *pollfd;

	handle = room_for_one(loop->handle, loop->fds, loop->fds_size, sizeof *loop->handle);
	if (!handle)
		return false;
	loop->handle = handle;
	pollfd = room_for_one(loop->pollfd, loop->fds, loop->fds_size, sizeof *loop->pollfd);
	if (!pollfd)
		return false;
	loop->pollfd = pollfd;
	if (loop->fds == loop->fds_size)
		loop->fds_size = loop->fds_size ? 2 * loop->fds_size : 16;
	return true;
}

/* poll(2) reports POLLHUP and POLLERR even unasked, but skips a negative descriptor. */
static void ask_poll(struct loop_fd *handle)
{
	handle->loop->pollfd[handle->slot].fd = handle->events ? handle->fd : -1;
	handle->loop->pollfd[handle->slot].events = handle->events;
}

struct loop_fd *loop_fd_add(struct loop *loop, int fd, short events, loop_fd_fn *fn, void *data)
{
	struct loop_fd *handle = malloc(sizeof *handle);

	if (!handle || !reserve_fd(loop)) {
		free(handle);
		return NULL;
	}
	*handle = (struct loop_fd){.loop = loop,
		.slot = loop->fds,
		.fd = fd,
		.events = events,
		.fn = fn,
		.data = data};
	loop->handle[loop->fds] = handle;
	loop->pollfd[loop->fds++] = (struct pollfd){0};
	ask_poll(handle);
	return handle;
}

void loop_fd_events(struct loop_fd *handle, short events)
{
	handle->events = events;
	ask_poll(handle);
}

void loop_fd_remove(struct loop_fd *handle)
{
	if (!handle)
		return;
	handle->loop->handle[handle->slot] = NULL;
	handle->loop->has_holes = true;
	free(handle);
}

static void close_holes(struct loop *loop)
{
	size_t from, to = 0;

	if (!loop->has_holes)
		return;
	for (from = 0; from < loop->fds; from++) {
		if (!loop->handle[from])
			continue;
		loop->handle[to] = loop->handle[from];
		loop->pollfd[to] = loop->pollfd[from];
		loop->handle[to]->slot = to;
		to++;
	}
	loop->fds = to;
	loop->has_holes = false;
}

static bool is_on(const struct loop_timer *timer)
{
	return timer->slot < timer->loop->on;
}

static bool is_earlier(const struct loop_timer *a, const struct loop_timer *b)
{
	return a->at != b->at ? a->at < b->at : a->order < b->order;
}

static void put(struct loop *loop, struct loop_timer *timer, size_t slot)
{
	loop->timer[slot] = timer;
	timer->slot = slot;
}

static void swap(struct loop_timer *timer, size_t slot)
{
	struct loop *loop = timer->loop;
	size_t old = timer->slot;

	put(loop, loop->timer[slot], old);
	put(loop, timer, slot);
}

static void sift(struct loop_timer *timer)
{
	struct loop *loop = timer->loop;
	size_t child;

	while (timer->slot && is_earlier(timer, loop->timer[(timer->slot - 1) / 2]))
		swap(timer, (timer->slot - 1) / 2);
	while ((child = 2 * timer->slot + 1) < loop->on) {
		if (child + 1 < loop->on && is_earlier(loop->timer[child + 1], loop->timer[child]))
			child++;
		if (!is_earlier(loop->timer[child], timer))
			break;
		swap(timer, child);
	}
}

struct loop_timer *loop_timer_add(struct loop *loop, loop_timer_fn *fn, void *data)
{
	struct loop_timer *timer = malloc(sizeof *timer);
	void *array = room_for_one(loop->timer, loop->timers, loop->timers_size, sizeof timer);

	if (array && loop->timers == loop->timers_size)
		loop->timers_size = loop->timers_size ? 2 * loop->timers_size : 16;
	if (array)
		loop->timer = array;
	if (!timer || !array) {
		free(timer);
		return NULL;
	}
	*timer = (struct loop_timer){.loop = loop, .fn = fn, .data = data};
	put(loop, timer, loop->timers++);
	return timer;
}

/*
 * What is overdue when it is set counts as set for now: so it stands behind all that were due
 * already, and run_timers() can tell it from them.
 */
void loop_timer_set(struct loop_timer *timer, mono_t at)
{
	struct loop *loop = timer->loop;

	if (!is_on(timer))
		swap(timer, loop->on++);
	timer->at = at > loop->now ? at : loop->now;
	timer->order = ++loop->order;
	sift(timer);
}

void loop_timer_sooner(struct loop_timer *timer, mono_t at)
{
	if (!is_on(timer) || at < timer->at)
		loop_timer_set(timer, at);
}

void loop_timer_off(struct loop_timer *timer)
{
	struct loop *loop = timer->loop;
	size_t slot = timer->slot;

	if (!is_on(timer))
		return;
	swap(timer, --loop->on);
	if (slot < loop->on)
		sift(loop->timer[slot]);
}

bool loop_timer_is_on(const struct loop_timer *timer)
{
	return is_on(timer);
}

void loop_timer_remove(struct loop_timer *timer)
{
	struct loop *loop;

	if (!timer)
		return;
	loop = timer->loop;
	loop_timer_off(timer);
	swap(timer, --loop->timers);
	free(timer);
}

/*
 * A callback may remove or change any handle: what it removes has left NULL, what it adds stands
 * behind the n that were waited for, and events it no longer wants are not told.
 */
static void run_fds(struct loop *loop, size_t n, int ready)
{
	const short unasked = POLLERR | POLLHUP | POLLNVAL;
	struct loop_fd *handle;
	short revents;
	size_t i;

	for (i = 0; i < n && ready > 0; i++) {
		revents = loop->pollfd[i].revents;
		if (!revents)
			continue;
		ready--;
		handle = loop->handle[i];
		if (!handle || !handle->events)
			continue;
		revents &= (short)(handle->events | unasked);
		if (revents)
			handle->fn(handle->data, handle->fd, revents);
	}
}

/* Those that were due before the first of them ran; what they set for now waits for the next turn.
 */
static void run_timers(struct loop *loop)
{
	uint64_t last = loop->order;
	struct loop_timer *timer;

	while (loop->on) {
		timer = loop->timer[0];
		if (timer->at > loop->now || timer->order > last)
			break;
		loop_timer_off(timer);
		timer->fn(timer->data, loop->now);
	}
}

int loop_turn(struct loop *loop, mono_t until)
{
	int ready;

	assert(!loop->is_turning);
	close_holes(loop);
	if (loop->on && loop->timer[0]->at < until)
		until = loop->timer[0]->at;
	ready = loop->clock->wait(loop->clock, loop->pollfd, (unsigned int)loop->fds, until, NULL);
	loop->now = clock_mono(loop->clock);
	loop->wall = clock_wall(loop->clock);
	if (ready < 0 && ready != -EINTR)
		return ready;
	loop->is_turning = true;
	run_fds(loop, loop->fds, ready);
	run_timers(loop);
	loop->is_turning = false;
	return 0;
}

int loop_run(struct loop *loop)
{
	int result;

	while (!loop->is_stopped) {
		result = loop_turn(loop, MONO_NEVER);
		if (result)
			return result;
	}
	return loop->result;
}

void loop_stop(struct loop *loop, int result)
{
	loop->is_stopped = true;
	loop->result = result;
}

bool loop_is_stopped(const struct loop *loop)
{
	return loop->is_stopped;
}

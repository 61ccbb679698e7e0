/*
 * One thread, one loop: descriptors and timers over the injected clock's wait(). Time is read
 * once a turn (loop->now). Timers that are due are collected first and run then, so that one
 * re-armed for "now" cannot starve the descriptors (libuv's rule). Descriptors run before timers,
 * in the order in which they were added; timers in the order of their times.
 */
#ifndef LOCKTOP_BASE_LOOP_H
#define LOCKTOP_BASE_LOOP_H

#include "base/clock.h"
#include <stdbool.h>
#include <stddef.h>

struct loop;
struct loop_fd;
struct loop_timer;

typedef void loop_fd_fn(void *data, int fd, short revents);
typedef void loop_timer_fn(void *data, mono_t now);

/* The clock is borrowed and has to outlive the loop. NULL when out of memory. */
struct loop *loop_new(const struct clock *clock);
/* Frees descriptors' and timers' entries too; closes no descriptor. */
void loop_free(struct loop *loop);

mono_t loop_now(const struct loop *loop);
wall_t loop_wall(const struct loop *loop);

/*
 * Watches fd (borrowed) for events as poll(2) names them; POLLERR, POLLHUP and POLLNVAL come
 * unasked. With events 0 it is not looked at, not even for these. The handle is valid until
 * loop_fd_remove(); removing inside a callback, its own or another's, is allowed. Remove before
 * the descriptor is closed. NULL when out of memory.
 */
struct loop_fd *loop_fd_add(struct loop *loop, int fd, short events, loop_fd_fn *fn, void *data);
void loop_fd_events(struct loop_fd *handle, short events);
void loop_fd_remove(struct loop_fd *handle); /* NULL is allowed */

/*
 * A timer that is off until loop_timer_set(); it is off again when it fires. Setting, switching
 * off and removing inside callbacks is allowed, and counts for those that are due too. NULL when
 * out of memory.
 */
struct loop_timer *loop_timer_add(struct loop *loop, loop_timer_fn *fn, void *data);
void loop_timer_set(struct loop_timer *timer, mono_t at);
/* Sets it only if that is earlier than what is set. */
void loop_timer_sooner(struct loop_timer *timer, mono_t at);
void loop_timer_off(struct loop_timer *timer);
bool loop_timer_is_on(const struct loop_timer *timer);
void loop_timer_remove(struct loop_timer *timer); /* NULL is allowed */

/*
 * One turn: wait until a descriptor is ready, a timer is due, a signal came, or `until`; run what
 * is due. Not from inside a callback. Returns 0 or -errno (never -EINTR).
 */
int loop_turn(struct loop *loop, mono_t until);
/*
 * Turns until loop_stop(), which may come before; returns what that was given, or -errno. What is
 * due in the turn of the stop still runs.
 */
int loop_run(struct loop *loop);
void loop_stop(struct loop *loop, int result);
bool loop_is_stopped(const struct loop *loop);

#endif

/* Waits for a flock in the kernel's queue. */
#include "config.h"

#include "backends/file_queue.h"

#include <errno.h>
#include <limits.h>
#include <sched.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

enum { HELPER_STACK = 64 * 1024 };

#define MOOT_EVERY  (10 * NS_PER_S)
#define RETRY_EVERY (50 * NS_PER_MS)

static bool is_moot(const struct queue *queue)
{
	return queue->is_moot && queue->is_moot(queue->data);
}

/* After an interruption, or when it is time: 0, or why the wait ends. */
static int go_on(const struct queue *queue, const struct patience *patience)
{
	int result = patience->tick ? patience->tick(patience->data) : 0;

	if (result < 0)
		return result;
	if (clock_mono(queue->world->clock) >= patience->until)
		return -ETIMEDOUT;
	return is_moot(queue) ? FILE_QUEUE_MOOT : 0;
}

/* --- by this process --- */

static int wait_here(const struct queue *queue, const struct patience *patience)
{
	int result;

	while (flock(queue->fd, LOCK_EX) < 0) {
		if (errno != EINTR)
			return -errno;
		if (!patience->arm && !patience->tick)
			return -ECANCELED;
		result = go_on(queue, patience);
		if (result != 0)
			return result;
	}
	return 0;
}

static int wait_armed(const struct queue *queue, const struct patience *patience)
{
	int result;

	if (patience->until != MONO_NEVER)
		patience->arm(patience->data, patience->until);
	result = wait_here(queue, patience);
	if (patience->until != MONO_NEVER)
		patience->arm(patience->data, MONO_NEVER);
	return result;
}

/* --- by a helper --- */

struct helper {
	int fd;
	pid_t parent;
	pid_t pid;
	int pidfd; /* owned */
};

/* The handlers are the application's; what it ignores stays ignored. */
static void forget_handlers(void)
{
	struct sigaction action;
	sigset_t none;

	for (int number = 1; number < NSIG; number++) {
		if (sigaction(number, NULL, &action) < 0 || action.sa_handler == SIG_IGN)
			continue;
		action = (struct sigaction){.sa_handler = SIG_DFL};
		sigaction(number, &action, NULL);
	}
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

/*
 * Only calls of the system from here on, for the parent may have threads. The lock belongs to the
 * open file description, so that it stays when this process ends.
 */
static int helper_main(void *data)
{
	const struct helper *helper = data;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != helper->parent)
		_exit(ECANCELED);
	forget_handlers();
	if (helper->fd > 0)
		close_range(0, (unsigned int)helper->fd - 1, 0);
	close_range((unsigned int)helper->fd + 1, UINT_MAX, 0);
	while (flock(helper->fd, LOCK_EX) < 0)
		if (errno != EINTR)
			_exit(errno);
	_exit(0);
}

/*
 * clone(2) instead of fork(2): with no signal at its end, so that neither a SIGCHLD reaches the
 * application nor its wait(2) sees a child it does not know.
 */
static int helper_start(struct helper *helper)
{
	char stack[HELPER_STACK] __attribute__((aligned(64)));
	sigset_t all, old;
	int result = 0;

	helper->parent = getpid();
	sigfillset(&all);
	/* No handler of the application may run in the helper. */
	pthread_sigmask(SIG_SETMASK, &all, &old);
	helper->pid = clone(helper_main, stack + sizeof stack, CLONE_PIDFD, helper, &helper->pidfd);
	if (helper->pid < 0)
		result = -errno;
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	return result;
}

/* Reaps it: 0 it got the lock, -errno it could not, -EINTR somebody ended it. */
static int helper_reap(struct helper *helper)
{
	siginfo_t info = {0};
	int result;

	do
		result = waitid(P_PID, (id_t)helper->pid, &info, WEXITED | __WALL);
	while (result < 0 && errno == EINTR);
	close(helper->pidfd);
	if (result < 0 || info.si_code != CLD_EXITED)
		return -EINTR;
	return -info.si_status;
}

static void helper_end(struct helper *helper)
{
	/* Not reaped yet, so that the number is still its own. */
	kill(helper->pid, SIGKILL);
	helper_reap(helper);
}

/* Until the helper ends: 1. Or 0: it was only time to look; or why the wait ends. */
static int watch_helper(
	const struct queue *queue, const struct patience *patience, const struct helper *helper)
{
	const struct clock *clock = queue->world->clock;
	int64_t every = patience->tick && patience->every > 0
				? mono_earlier(patience->every, MOOT_EVERY)
				: MOOT_EVERY;
	struct pollfd ended = {.fd = helper->pidfd, .events = POLLIN};
	int n = clock->wait(
		clock, &ended, 1, mono_earlier(patience->until, clock_mono(clock) + every), NULL);

	if (n > 0)
		return 1;
	if (n == -EINTR && !patience->tick)
		return -ECANCELED;
	return n < 0 && n != -EINTR ? n : 0;
}

/* With one helper: as file_queue_wait(), and -EINTR if somebody ended it. */
static int wait_with(
	const struct queue *queue, const struct patience *patience, struct helper *helper)
{
	int result, why;

	for (;;) {
		result = watch_helper(queue, patience, helper);
		if (result > 0)
			return helper_reap(helper);
		why = result < 0 ? result : go_on(queue, patience);
		if (why == 0)
			continue;
		helper_end(helper);
		return why;
	}
}

/* No more processes are to be had: then it has to be asked again and again. */
static int wait_asking(const struct queue *queue, const struct patience *patience)
{
	const struct clock *clock = queue->world->clock;
	int result;

	while (flock(queue->fd, LOCK_EX | LOCK_NB) < 0) {
		if (errno != EWOULDBLOCK && errno != EINTR)
			return -errno;
		result = clock->wait(clock, NULL, 0,
			mono_earlier(patience->until, clock_mono(clock) + RETRY_EVERY), NULL);
		if (result == -EINTR && !patience->tick)
			return -ECANCELED;
		if (result < 0 && result != -EINTR)
			return result;
		result = go_on(queue, patience);
		if (result != 0)
			return result;
	}
	return 0;
}

static int wait_helped(const struct queue *queue, const struct patience *patience)
{
	struct helper helper = {.fd = queue->fd};
	int result;

	for (;;) {
		if (helper_start(&helper) < 0)
			return wait_asking(queue, patience);
		result = wait_with(queue, patience, &helper);
		if (result != -EINTR)
			return result;
		/* Somebody ended the helper, perhaps with a ^C that was for all of us. */
		result = go_on(queue, patience);
		if (result != 0)
			return result;
	}
}

int file_queue_wait(const struct queue *queue, const struct patience *patience)
{
	if (patience->arm)
		return wait_armed(queue, patience);
	if (patience->until == MONO_NEVER && !patience->tick)
		return wait_here(queue, patience);
	return wait_helped(queue, patience);
}

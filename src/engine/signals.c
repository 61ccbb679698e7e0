/* The signals of a command that waits for a lock and then runs a child. */
#include "config.h"
#include "engine/signals.h"

#include <errno.h>
#include <sys/time.h>
#include <unistd.h>

static const int number[SIGNALS] = {
#define _(signal) signal,
	SIGNALS_CAUGHT(_)
#undef _
		SIGALRM,
	SIGCHLD,
};

enum { AGAIN_MS = 20 };

static volatile sig_atomic_t caught;

/*
 * setitimer(2) is not in the list of signal-safety(7), but here it is the bare system call.
 */
static void remember(int signal)
{
	static const struct itimerval again = {
		.it_interval.tv_usec = AGAIN_MS * 1000,
		.it_value.tv_usec = AGAIN_MS * 1000,
	};
	int saved = errno;

	if (signal == SIGALRM)
		return;
	if (!caught)
		caught = signal;
	setitimer(ITIMER_REAL, &again, NULL);
	errno = saved;
}

void signals_catch(struct signals *signals)
{
	const struct sigaction remembered = {.sa_handler = remember};
	const struct sigaction usual = {.sa_handler = SIG_DFL};
	sigset_t alarm;

	*signals = (struct signals){0};
	caught = 0;
	for (int i = 0; i < SIGNALS; i++) {
		struct sigaction *former = &signals->former[i];

		sigaction(number[i], number[i] == SIGCHLD ? &usual : &remembered, former);
		if (i < SIGNAL_SLOT_SIGALRM && former->sa_handler == SIG_IGN)
			sigaction(number[i], former, NULL);
	}
	sigemptyset(&alarm);
	sigaddset(&alarm, SIGALRM);
	sigprocmask(SIG_UNBLOCK, &alarm, &signals->mask);
}

int signals_caught(void)
{
	return caught;
}

int signals_alarm(struct signals *signals, mono_t when)
{
	struct itimerspec at = {.it_interval.tv_nsec = AGAIN_MS * NS_PER_MS};

	if (when == MONO_NEVER && !signals->has_timer)
		return 0;
	if (!signals->has_timer) {
		struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGALRM};

		if (timer_create(CLOCK_BOOTTIME, &event, &signals->timer) < 0)
			return -errno;
		signals->has_timer = true;
	}
	if (when == MONO_NEVER)
		at = (struct itimerspec){0};
	else if (when <= 0)
		at.it_value.tv_nsec = 1; /* zero would mean: off */
	else
		at.it_value = (struct timespec){when / NS_PER_S, when % NS_PER_S};
	return timer_settime(signals->timer, TIMER_ABSTIME, &at, NULL) < 0 ? -errno : 0;
}

void signals_block(struct signals *signals)
{
	sigset_t all;

	sigfillset(&all);
	sigprocmask(SIG_BLOCK, &all, NULL);
	signals_alarm(signals, MONO_NEVER);
}

void signals_give_back(const struct signals *signals)
{
	for (int i = 0; i < SIGNALS; i++)
		sigaction(number[i], &signals->former[i], NULL);
	sigprocmask(SIG_SETMASK, &signals->mask, NULL);
}

void signals_die(int signal)
{
	const struct sigaction usual = {.sa_handler = SIG_DFL};
	sigset_t one;

	sigaction(signal, &usual, NULL);
	sigemptyset(&one);
	sigaddset(&one, signal);
	raise(signal);
	sigprocmask(SIG_UNBLOCK, &one, NULL);
	_exit(128 + signal);
}

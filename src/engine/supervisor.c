/* Runs a command and guards it while it has a lock. */
#include "config.h"
#include "engine/supervisor.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/inotify.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

/*
 * An inotify descriptor costs more to make and to close than all else here, so a command that is
 * done within this has none.
 */
static const int64_t watch_after = NS_PER_S;
/* What is touched all the time is looked at ten times a second. */
static const int64_t watch_pause = 100 * NS_PER_MS;
static const int64_t usual_grace = 10 * NS_PER_S;

struct supervisor {
	const struct supervisor_options *options;
	struct supervision *result;
	pid_t pid;
	int signals, watch; /* descriptors; -1 */
	int tty;            /* a descriptor of ours that is a terminal; -1 none */
	bool lends_tty;     /* the child had the terminal, and gets it whenever we have it */
	bool was_tstp;      /* that the child stops is our doing */
	mono_t watch_at, listen_at, try_at, kill_at;
	unsigned int failures; /* of renewals, since the last success */
	bool has_ended;
};

/* --- the child ----------------------------------------------------------------------------- */

struct start {
	const struct supervisor_options *options;
	pid_t parent;
	int tty;
	volatile int error; /* of exec; the memory is shared until then */
};

/*
 * Runs in the parent's memory (vfork(2)): system calls only, and no way back. Signals are still
 * blocked, so the terminal can be taken without SIGTTOU.
 */
static _Noreturn void become(struct start *start)
{
	const struct supervisor_options *options = start->options;

	setpgid(0, 0);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	/* Who died before that was said will not be told to the child. */
	if (getppid() != start->parent)
		_exit(127);
	if (start->tty >= 0)
		tcsetpgrp(start->tty, getpid());
	for (size_t i = 0; i < options->inherits; i++)
		fcntl(options->inherit[i], F_SETFD, 0);
	signals_give_back(options->signals);
	execvp(options->argv[0], options->argv);
	start->error = errno;
	_exit(127);
}

/* A function of its own, so that nothing of the caller's lives in registers over vfork(2). */
static __attribute__((noinline)) pid_t spawn(struct start *start)
{
	pid_t pid = vfork();

	if (pid == 0)
		become(start);
	return pid < 0 ? -errno : pid;
}

/* The whole group: its number is the child's, and that is nobody else's until it is reaped. */
static void signal_group(const struct supervisor *s, int signal)
{
	kill(-s->pid, signal);
}

/* --- the terminal -------------------------------------------------------------------------- */

static bool is_foreground(const struct supervisor *s, pid_t group)
{
	return s->tty >= 0 && tcgetpgrp(s->tty) == group;
}

static int find_tty(void)
{
	for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
		if (isatty(fd))
			return fd;
	return -1;
}

/*
 * Not where others in our group may want the terminal: "locktop run … | less". The child is given
 * it there as soon as it asks for it, by being stopped.
 */
static bool shall_lend_tty(const struct supervisor *s)
{
	return s->tty == STDIN_FILENO && isatty(STDOUT_FILENO) && is_foreground(s, getpgrp());
}

static void lend_tty(struct supervisor *s)
{
	s->lends_tty = true;
	if (is_foreground(s, getpgrp()))
		tcsetpgrp(s->tty, s->pid);
}

static void take_tty(struct supervisor *s)
{
	if (s->lends_tty && is_foreground(s, s->pid))
		tcsetpgrp(s->tty, getpgrp());
}

/*
 * Stops us as the child was stopped, with all others of the shell's job, as the terminal would have
 * done had the child been in our group. In an orphaned group (setpgid(2)) nothing happens.
 */
static void stop_self(int signal)
{
	const struct sigaction usual = {.sa_handler = SIG_DFL};
	sigset_t one;

	if (signal == SIGSTOP) {
		raise(SIGSTOP);
		return;
	}
	sigaction(signal, &usual, NULL);
	kill(0, signal);
	sigemptyset(&one);
	sigaddset(&one, signal);
	sigprocmask(SIG_UNBLOCK, &one, NULL);
	sigprocmask(SIG_BLOCK, &one, NULL);
}

/* --- the lock ------------------------------------------------------------------------------ */

static bool is_certain(int code)
{
	return code == -ESTALE || code == -EKEYREJECTED;
}

/* When the child has to be dead: what is left of the lease bounds what it was given. */
static mono_t kill_time(const struct supervisor *s, mono_t now)
{
	const struct guarded *lock = &s->options->lock;
	int64_t grace = s->options->grace < 0 ? usual_grace : s->options->grace;
	mono_t ends = lock->ends_at(lock->data);

	if (ends != MONO_NEVER) {
		int64_t left = ends > now ? (ends - now) / 4 * 3 : 0;

		if (left < grace)
			grace = left;
	}
	return now + grace;
}

static void lose(struct supervisor *s, int code)
{
	const struct guarded *lock = &s->options->lock;

	s->result->is_lost = true;
	if (!s->options->only_warns) {
		s->kill_at = kill_time(s, clock_mono(s->options->clock));
		signal_group(s, SIGTERM);
		signal_group(s, SIGCONT); /* one that is stopped would not notice */
	}
	lock->lost(lock->data, code);
}

/* Soon enough to have several tries before it is lost. */
static mono_t next_try(mono_t now, mono_t lost_at)
{
	const int64_t least = 50 * NS_PER_MS, most = 10 * NS_PER_S;
	int64_t pause = lost_at == MONO_NEVER ? most : (lost_at - now) / 8;

	return now + (pause < least ? least : pause > most ? most : pause);
}

static void renew(struct supervisor *s)
{
	const struct guarded *lock = &s->options->lock;
	int code = lock->renew(lock->data);
	mono_t now = clock_mono(s->options->clock), lost_at = lock->lost_at(lock->data);

	if (code == 0) {
		s->failures = 0;
		s->try_at = lock->renew_at(lock->data);
		return;
	}
	s->failures++;
	if (is_certain(code))
		lose(s, code);
	else if (now >= lost_at)
		lose(s, -ETIME);
	else
		s->try_at = next_try(now, lost_at);
}

static bool is_verified(struct supervisor *s)
{
	const struct guarded *lock = &s->options->lock;
	int code = s->result->is_lost ? 0 : lock->verify(lock->data);

	if (is_certain(code))
		lose(s, code);
	return !is_certain(code);
}

/* --- watching the files -------------------------------------------------------------------- */

static void open_watch(struct supervisor *s)
{
	const struct guarded *lock = &s->options->lock;

	s->watch_at = MONO_NEVER;
	s->watch = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	for (size_t i = 0; s->watch >= 0 && i < lock->paths; i++)
		inotify_add_watch(s->watch, lock->path[i],
			IN_ATTRIB | IN_MODIFY | IN_DELETE_SELF | IN_MOVE_SELF | IN_DONT_FOLLOW);
	/* What happened before there was a watch. */
	if (s->watch >= 0)
		is_verified(s);
}

/*
 * Our own renewal wakes this too. Verifying writes nothing, so that ends there, and nothing that
 * somebody else did is mistaken for ours.
 */
static void touched(struct supervisor *s)
{
	char events[4096];

	while (read(s->watch, events, sizeof events) > 0)
		;
	s->listen_at = clock_mono(s->options->clock) + watch_pause;
	is_verified(s);
}

/* --- signals and the child's changes ------------------------------------------------------- */

/* First of all whether the lock is still ours: we may have been stopped for long. */
static void go_on(struct supervisor *s)
{
	if (!is_verified(s))
		return;
	if (s->lends_tty)
		lend_tty(s);
	signal_group(s, SIGCONT);
}

static void child_stopped(struct supervisor *s, int signal)
{
	bool is_ours = is_foreground(s, getpgrp());

	if (s->kill_at != MONO_NEVER)
		return;
	if (is_ours && (signal == SIGTTIN || signal == SIGTTOU)) {
		lend_tty(s);
		signal_group(s, SIGCONT);
		return;
	}
	/* Somebody stopped it on purpose, without the terminal: the lock is kept for it. */
	if (!s->was_tstp && (s->tty < 0 || (signal == SIGSTOP && !is_foreground(s, s->pid))))
		return;
	s->was_tstp = false;
	take_tty(s);
	stop_self(signal);
	go_on(s);
}

static void child_ended(struct supervisor *s, const siginfo_t *info)
{
	siginfo_t ignored;

	/* Its children must not work on without the lock. Until it is reaped the group has a name.
	 */
	if (s->kill_at != MONO_NEVER)
		signal_group(s, SIGKILL);
	while (waitid(P_PID, (id_t)s->pid, &ignored, WEXITED) < 0 && errno == EINTR)
		;
	s->has_ended = true;
	s->result->status = info->si_code == CLD_EXITED ? info->si_status : 128 + info->si_status;
	take_tty(s);
	/*
	 * Ctrl-C ended it, which the script that called us cannot know: the terminal told the
	 * child's group alone. It would go on with its next line.
	 */
	if (s->lends_tty && info->si_code != CLD_EXITED &&
		(info->si_status == SIGINT || info->si_status == SIGQUIT))
		kill(0, info->si_status);
}

static void look_at_child(struct supervisor *s)
{
	siginfo_t info, ignored;

	while (!s->has_ended) {
		info.si_pid = 0;
		if (waitid(P_PID, (id_t)s->pid, &info, WEXITED | WSTOPPED | WNOHANG | WNOWAIT) <
				0 ||
			info.si_pid == 0)
			return;
		if (info.si_code != CLD_STOPPED && info.si_code != CLD_TRAPPED) {
			child_ended(s, &info);
			return;
		}
		waitid(P_PID, (id_t)s->pid, &ignored, WSTOPPED | WNOHANG);
		child_stopped(s, info.si_status);
	}
}

/* What is of the kernel's making, or our own, for us alone: a timer, a write into a pipe. */
static bool is_for_us(const struct signalfd_siginfo *info)
{
	bool is_sent = info->ssi_code <= 0 && info->ssi_code != SI_TIMER;

	switch (info->ssi_signo) {
	case SIGCHLD: return true;
	case SIGALRM:
	case SIGTTIN:
	case SIGTTOU: return !is_sent;
	default: return is_sent && info->ssi_pid == (uint32_t)getpid();
	}
}

static void on_signal(struct supervisor *s, const struct signalfd_siginfo *info)
{
	if (info->ssi_signo == SIGCHLD)
		look_at_child(s);
	else if (info->ssi_signo == SIGCONT)
		go_on(s);
	if (s->has_ended || is_for_us(info) || info->ssi_signo == SIGCONT)
		return;
	if (info->ssi_signo == SIGTSTP)
		s->was_tstp = true;
	signal_group(s, (int)info->ssi_signo);
}

static void read_signals(struct supervisor *s)
{
	struct signalfd_siginfo info;

	while (!s->has_ended && read(s->signals, &info, sizeof info) == sizeof info)
		on_signal(s, &info);
}

/* --- the loop ------------------------------------------------------------------------------ */

static mono_t deadline(const struct supervisor *s)
{
	const struct guarded *lock = &s->options->lock;

	if (s->result->is_lost)
		return s->kill_at;
	return mono_earlier(mono_earlier(s->try_at, lock->lost_at(lock->data)),
		mono_earlier(s->watch_at, s->listen_at));
}

/*
 * Before anything else after each wait: we may have been stopped, or the machine suspended, for
 * longer than the lock was ours. Where nothing was tried in that time, one try tells; a renewal
 * never takes again what was lost.
 */
static void judge(struct supervisor *s)
{
	const struct guarded *lock = &s->options->lock;
	mono_t now = clock_mono(s->options->clock);

	if (s->result->is_lost) {
		if (now >= s->kill_at && s->kill_at != MONO_NEVER) {
			signal_group(s, SIGKILL);
			s->kill_at = now + NS_PER_S;
		}
		return;
	}
	if (now >= lock->lost_at(lock->data) && s->failures > 0)
		lose(s, -ETIME);
	else if (now >= s->try_at || now >= lock->lost_at(lock->data))
		renew(s);
	if (now >= s->listen_at)
		s->listen_at = MONO_NEVER;
	if (now >= s->watch_at && !s->result->is_lost)
		open_watch(s);
}

static int turn(struct supervisor *s)
{
	const struct clock *clock = s->options->clock;
	struct pollfd fds[] = {
		{.fd = s->signals, .events = POLLIN},
		{.fd = s->listen_at == MONO_NEVER && !s->result->is_lost ? s->watch : -1,
			.events = POLLIN},
	};
	int ready = clock->wait(clock, fds, 2, deadline(s), NULL);

	if (ready < 0 && ready != -EINTR)
		return ready;
	judge(s);
	if (ready > 0 && fds[0].revents)
		read_signals(s);
	if (ready > 0 && fds[1].revents && !s->has_ended && !s->result->is_lost)
		touched(s);
	return 0;
}

/* Without a loop the child cannot be guarded: it ends before the lock does. */
static void abandon(struct supervisor *s)
{
	siginfo_t info;

	signal_group(s, SIGKILL);
	while (waitid(P_PID, (id_t)s->pid, &info, WEXITED | WNOWAIT) < 0 && errno == EINTR)
		;
	child_ended(s, &info);
}

static int start_child(struct supervisor *s)
{
	struct start start = {
		.options = s->options,
		.parent = getpid(),
		.tty = shall_lend_tty(s) ? s->tty : -1,
	};
	pid_t pid = spawn(&start);
	siginfo_t info;

	if (pid < 0)
		return pid;
	s->pid = pid;
	s->lends_tty = start.tty >= 0;
	if (start.error == 0)
		return 0;
	while (waitid(P_PID, (id_t)pid, &info, WEXITED) < 0 && errno == EINTR)
		;
	take_tty(s);
	return -start.error;
}

static int guard(struct supervisor *s)
{
	const struct guarded *lock = &s->options->lock;
	int e = 0;

	s->try_at = lock->renew_at(lock->data);
	if (lock->paths)
		s->watch_at = clock_mono(s->options->clock) + watch_after;
	while (e == 0 && !s->has_ended)
		e = turn(s);
	if (!s->has_ended)
		abandon(s);
	return e;
}

int supervisor_run(const struct supervisor_options *options, struct supervision *supervision)
{
	struct supervisor s = {
		.options = options,
		.result = supervision,
		.watch = -1,
		.tty = find_tty(),
		.watch_at = MONO_NEVER,
		.listen_at = MONO_NEVER,
		.kill_at = MONO_NEVER,
	};
	sigset_t all;
	int e;

	*supervision = (struct supervision){0};
	sigfillset(&all);
	s.signals = signalfd(-1, &all, SFD_CLOEXEC | SFD_NONBLOCK);
	if (s.signals < 0)
		return -errno;
	e = start_child(&s);
	if (e == 0)
		e = guard(&s);
	if (s.watch >= 0)
		close(s.watch);
	close(s.signals);
	return e;
}

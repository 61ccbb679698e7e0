/* The process of a source. */
#include "config.h"
#include "engine/child.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/error.h"
#include "base/text.h"

extern char **environ;

void child_init(struct child *child)
{
	*child = (struct child){.pidfd = -1, .socket = -1, .complaint = -1};
}

static void close_fd(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

void child_hang_up(struct child *child)
{
	close_fd(&child->socket);
}

void child_release(struct child *child)
{
	close_fd(&child->socket);
	close_fd(&child->complaint);
	close_fd(&child->pidfd);
}

/* Our own ends do not block; the child's are its own business. */
static int open_pipes(int socket[2], int complaint[2])
{
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, socket) < 0)
		return -errno;
	if (pipe2(complaint, O_CLOEXEC) < 0) {
		int result = -errno;

		close(socket[0]);
		close(socket[1]);
		return result;
	}
	fcntl(socket[0], F_SETFL, O_RDWR | O_NONBLOCK);
	fcntl(complaint[0], F_SETFL, O_NONBLOCK);
	return 0;
}

/* The monitor blocks signals to read them from a descriptor: a child must not inherit that. */
static int set_attributes(posix_spawnattr_t *attributes)
{
	sigset_t all, none;

	sigfillset(&all);
	sigemptyset(&none);
	posix_spawnattr_setsigdefault(attributes, &all);
	posix_spawnattr_setsigmask(attributes, &none);
	posix_spawnattr_setpgroup(attributes, 0);
	return posix_spawnattr_setflags(
		attributes, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK);
}

/* 0 or a positive errno, as posix_spawn(3) has it. */
static int spawn(
	pid_t *pid, const char *program, const char *const *argv, int socket, int complaint)
{
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attributes;
	int result = posix_spawn_file_actions_init(&actions);

	if (result)
		return result;
	result = posix_spawnattr_init(&attributes);
	if (!result) {
		result = posix_spawn_file_actions_adddup2(&actions, socket, STDIN_FILENO);
		if (!result)
			result = posix_spawn_file_actions_adddup2(&actions, socket, STDOUT_FILENO);
		if (!result)
			result = posix_spawn_file_actions_adddup2(
				&actions, complaint, STDERR_FILENO);
		/* What the shell left open here may be a lock: a source must not hold it too. */
		if (!result)
			result = posix_spawn_file_actions_addclosefrom_np(
				&actions, STDERR_FILENO + 1);
		if (!result)
			result = set_attributes(&attributes);
		if (!result)
			result = posix_spawnp(
				pid, program, &actions, &attributes, (char *const *)argv, environ);
		posix_spawnattr_destroy(&attributes);
	}
	posix_spawn_file_actions_destroy(&actions);
	return result;
}

int child_start(
	struct child *child, const char *program, const char *const *argv, struct error *err)
{
	int socket[2], complaint[2];
	int result = open_pipes(socket, complaint);
	pid_t pid = 0;

	child_init(child);
	if (result < 0)
		return error_sys(err, result, "cannot run %s", program);
	result = -spawn(&pid, program, argv, socket[1], complaint[1]);
	close(socket[1]);
	close(complaint[1]);
	child->socket = socket[0];
	child->complaint = complaint[0];
	if (result < 0) {
		child_release(child);
		return error_sys(err, result, "cannot run %s", program);
	}
	child->pid = pid;
	child->pidfd = pidfd_open(pid, 0);
	if (child->pidfd >= 0)
		return 0;
	/* Without it nobody would notice the end: better none than that. */
	result = -errno;
	child_signal(child, SIGKILL);
	waitpid(pid, NULL, 0);
	child_release(child);
	child->pid = 0;
	return error_sys(err, result, "cannot watch %s", program);
}

static void end_line(struct child *child)
{
	if (child->part_len) {
		memcpy(child->line, child->part, child->part_len);
		child->line[child->part_len] = '\0';
	}
	child->part_len = 0;
}

static void take_bytes(struct child *child, const char *bytes, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (bytes[i] == '\n' || bytes[i] == '\r')
			end_line(child);
		else if (child->part_len < CHILD_LINE)
			child->part[child->part_len++] = bytes[i];
	}
}

bool child_listen(struct child *child)
{
	char bytes[4096];
	ssize_t n = read(child->complaint, bytes, sizeof bytes);

	if (n > 0) {
		take_bytes(child, bytes, (size_t)n);
		return true;
	}
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return true;
	end_line(child);
	close_fd(&child->complaint);
	return false;
}

void child_complaint(const struct child *child, char *dst, size_t size)
{
	const char *line = child->part_len ? child->part : child->line;
	size_t len = child->part_len ? child->part_len : strlen(child->line);

	text_visible(dst, size, line, len);
}

/*
 * The number cannot be anybody else's while the child is not reaped, dead or alive; and its group
 * was made before posix_spawn(3) came back.
 */
void child_signal(const struct child *child, int signal)
{
	if (child->pid > 0 && !child->has_ended)
		kill(-child->pid, signal);
}

bool child_reap(struct child *child)
{
	siginfo_t info = {0};

	if (child->has_ended || child->pid <= 0)
		return true;
	/* First only look: until it is reaped its group can be named. */
	if (waitid(P_PIDFD, (id_t)child->pidfd, &info, WEXITED | WNOHANG | WNOWAIT) < 0) {
		if (errno == EINTR)
			return false;
		/* Somebody else reaped it, or SIGCHLD is ignored: nothing is known of its end. */
		child->has_ended = true;
		return true;
	}
	if (info.si_pid == 0)
		return false;
	child_signal(child, SIGKILL);
	waitid(P_PIDFD, (id_t)child->pidfd, &info, WEXITED | WNOHANG);
	child->has_ended = true;
	child->status = info.si_status;
	child->was_killed = info.si_code != CLD_EXITED;
	return true;
}

void child_end_words(const struct child *child, char *dst, size_t size)
{
	const char *name = child->was_killed ? sigabbrev_np(child->status) : NULL;

	if (name)
		snprintf(dst, size, "was killed by SIG%s", name);
	else if (child->was_killed)
		snprintf(dst, size, "was killed by signal %d", child->status);
	else
		snprintf(dst, size, "ended with status %d", child->status);
}

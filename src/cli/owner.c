/* Whose a detached lock is. */
#include "config.h"
#include "cli/owner.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"

/* The flag of a process that was forked and did not execute anything (include/linux/sched.h). */
enum { PF_FORKNOEXEC = 0x40, NESTED = 32 };

/* Others fork to make workers, and those are owners of their own: php-fpm, apache2. */
static const char *const shells[] = {
	"sh", "dash", "bash", "zsh", "ksh", "ksh93", "mksh", "ash", "busybox", "yash", "posh"};

static bool is_shell(const char *comm)
{
	for (size_t i = 0; i < sizeof shells / sizeof *shells; i++)
		if (strcmp(comm, shells[i]) == 0)
			return true;
	return false;
}

/*
 * In `eval "$(locktop acquire … || echo exit)"` the caller is a copy of the shell, with the same
 * comm as its parent; a script of the same shell has executed.
 */
static int32_t caller(const struct world *world)
{
	int32_t pid = getppid();
	struct proc_stat self, parent;

	for (int i = 0; i < NESTED && pid > 1 && proc_stat_read(world, pid, &self) == 0; i++) {
		if (!(self.flags & PF_FORKNOEXEC) || !is_shell(self.comm) || self.ppid <= 1 ||
			proc_stat_read(world, self.ppid, &parent) < 0 ||
			strcmp(self.comm, parent.comm) != 0)
			break;
		pid = self.ppid;
	}
	return pid;
}

static bool is_ending(enum life life)
{
	return life == LIFE_GONE || life == LIFE_ZOMBIE || life == LIFE_EXITING;
}

int owner_find(struct claim *claim, const struct world *world, int32_t pid, struct error *err)
{
	uint64_t start = 0;

	if (pid == 0)
		pid = caller(world);
	/* 0: the caller is outside of this pid namespace, as with nsenter(1) or docker exec. */
	if (pid <= 0)
		return error_set(err, -ESRCH,
			"the caller is in another pid namespace: name the owner with --owner-pid");
	if (is_ending(proc_life(world, pid, &start)))
		return error_set(err, -ESRCH, "pid %d is gone and cannot own a lock", pid);
	claim->pid = pid;
	claim->start = start;
	return 0;
}

bool owner_is_gone(const struct claim *claim, const struct world *world)
{
	uint64_t start = 0;

	return is_ending(proc_life(world, claim->pid, &start)) ||
	       (claim->start && start && start != claim->start);
}

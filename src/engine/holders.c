/* Holders watched by pidfd. */
#include "config.h"
#include "engine/holders.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/pidfd.h>
#include <sys/resource.h>
#include <unistd.h>

struct holder {
	int32_t pid;
	int pidfd;
};

void holders_init(struct holders *holders)
{
	struct rlimit limit = {0};

	*holders = (struct holders){.epoll = epoll_create1(EPOLL_CLOEXEC)};
	if (getrlimit(RLIMIT_NOFILE, &limit) == 0)
		holders->most = limit.rlim_cur / 2;
}

static int by_pid(const void *a, const void *b)
{
	int32_t one = ((const struct holder *)a)->pid, other = ((const struct holder *)b)->pid;

	return (one > other) - (one < other);
}

/* Only a source of this host knows of life: who is said to live does so here. */
static bool is_alive(const struct process *process)
{
	return process->pid > 0 && (process->life == LIFE_ALIVE || process->life == LIFE_STOPPED);
}

static size_t count(const struct snapshot *snapshot)
{
	size_t n = 0;

	for (size_t i = 0; i < snapshot->n; i++)
		n += snapshot->lock[i]->holders;
	return n;
}

/* Everybody alive, sorted, each once; how many. NULL when there is nobody, or no memory. */
static struct holder *collect(const struct snapshot *snapshot, size_t *n)
{
	size_t all = count(snapshot), found = 0, kept = 0;
	struct holder *holder = all ? malloc(all * sizeof *holder) : NULL;

	for (size_t i = 0; holder && i < snapshot->n; i++)
		for (size_t k = 0; k < snapshot->lock[i]->holders; k++)
			if (is_alive(&snapshot->lock[i]->holder[k]))
				holder[found++] =
					(struct holder){snapshot->lock[i]->holder[k].pid, -1};
	if (found)
		qsort(holder, found, sizeof *holder, by_pid);
	for (size_t i = 0; i < found; i++)
		if (!kept || holder[kept - 1].pid != holder[i].pid)
			holder[kept++] = holder[i];
	*n = kept;
	return holder;
}

static int find(const struct holders *holders, int32_t pid)
{
	const struct holder key = {.pid = pid}, *found = NULL;

	if (holders->n)
		found = bsearch(&key, holders->holder, holders->n, sizeof key, by_pid);
	return found ? (int)(found - holders->holder) : -1;
}

/* 0, -ESRCH: it has ended already, or another -errno: it is not watched. */
static int watch(struct holders *holders, struct holder *holder)
{
	struct epoll_event event = {.events = EPOLLIN, .data.u64 = (uint64_t)holder->pid};

	holder->pidfd = pidfd_open(holder->pid, 0);
	if (holder->pidfd < 0)
		return -errno;
	if (epoll_ctl(holders->epoll, EPOLL_CTL_ADD, holder->pidfd, &event) == 0)
		return 0;
	close(holder->pidfd);
	holder->pidfd = -1;
	return -EIO;
}

bool holders_set(struct holders *holders, const struct snapshot *snapshot)
{
	bool is_late = false;
	struct holder *now;
	size_t n, watched = 0;
	int at;

	if (holders->epoll < 0)
		return false;
	now = collect(snapshot, &n);
	for (size_t i = 0; i < n; i++) {
		at = find(holders, now[i].pid);
		if (at >= 0) {
			now[i].pidfd = holders->holder[at].pidfd;
			holders->holder[at].pidfd = -1;
		} else if (watched < holders->most) {
			is_late |= watch(holders, &now[i]) == -ESRCH;
		}
		watched += now[i].pidfd >= 0;
	}
	/* A closed pidfd leaves the epoll set by itself: nobody else has it. */
	for (size_t i = 0; i < holders->n; i++)
		if (holders->holder[i].pidfd >= 0)
			close(holders->holder[i].pidfd);
	free(holders->holder);
	holders->holder = now;
	holders->n = now ? n : 0;
	return is_late;
}

int32_t holders_next_ended(struct holders *holders)
{
	struct epoll_event event;
	int at;

	if (holders->epoll < 0 || epoll_wait(holders->epoll, &event, 1, 0) != 1)
		return 0;
	at = find(holders, (int32_t)event.data.u64);
	if (at < 0)
		return 0; /* cannot be: what is closed is not in the set */
	close(holders->holder[at].pidfd);
	holders->holder[at].pidfd = -1;
	return holders->holder[at].pid;
}

void holders_release(struct holders *holders)
{
	for (size_t i = 0; i < holders->n; i++)
		if (holders->holder[i].pidfd >= 0)
			close(holders->holder[i].pidfd);
	free(holders->holder);
	if (holders->epoll >= 0)
		close(holders->epoll);
	*holders = (struct holders){.epoll = -1};
}

/* One worker of the proof, and what it detects from the inside. */
#include "config.h"
#include "prove.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { PF_EXITING_BIT = 4 };

int64_t now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_BOOTTIME, &ts);
	return (int64_t)ts.tv_sec * 1000000000 + ts.tv_nsec;
}

uint64_t next_random(uint64_t *state)
{
	uint64_t x = *state;

	x ^= x << 13;
	x ^= x >> 7;
	x ^= x << 17;
	return *state = x;
}

bool is_running(pid_t pid)
{
	char path[32], text[512], *end;
	unsigned long flags;
	ssize_t len;
	char state;
	int fd;

	snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return errno != ENOENT && errno != ESRCH; /* what cannot be told counts */
	len = read(fd, text, sizeof text - 1);
	close(fd);
	if (len <= 0)
		return false;
	text[len] = '\0';
	end = strrchr(text, ')');
	if (!end || sscanf(end + 1, " %c %*d %*d %*d %*d %*d %lu", &state, &flags) != 2)
		return true;
	return state != 'Z' && state != 'X' && !(flags & PF_EXITING_BIT);
}

/* Is anybody else inside? */
static bool is_another_inside(struct board *board, unsigned int me)
{
	for (unsigned int i = 0; i < board->slots; i++) {
		struct slot *slot = &board->slot[i];
		uint64_t mark = slot->mark;

		if (i == me || !mark || slot->is_robbed || !is_running(slot->pid))
			continue;
		if (slot->mark == mark && !slot->is_robbed)
			return true;
	}
	return false;
}

static void claim_value(struct board *board, struct slot *mine, uint64_t value)
{
	/* Values come in order, so what is in the place is CLAIMS older, or the same. */
	if (atomic_exchange(&board->claims[value % CLAIMS], value) == value)
		mine->lost_updates++;
}

/* Mostly short; now and then long enough for others to come, and for the robber. */
static void dwell(uint64_t *random)
{
	uint64_t dice = next_random(random) % 100;

	if (dice < 3) {
		usleep((useconds_t)(next_random(random) % 1500));
	} else if (dice < 20) {
		sched_yield();
	} else if (dice < 50) {
		for (volatile uint64_t i = next_random(random) % 4096; i > 0; i--)
			;
	}
}

/* The lock was just taken. */
static uint64_t enter(struct board *board, unsigned int me, const struct attempt *attempt)
{
	struct slot *mine = &board->slot[me];
	uint64_t value;

	mine->phase = PHASE_ENTERING;
	mine->mark = ++mine->stays;
	mine->acquired++;
	if (is_another_inside(board, me))
		mine->overlaps++;
	if (attempt->was_stale)
		mine->takeovers++;
	if (attempt->fence && attempt->fence <= board->fence)
		mine->fences_back++;
	if (attempt->fence)
		board->fence = attempt->fence;
	if (board->last != me)
		mine->handoffs++;
	board->last = me;
	value = board->counter;
	mine->phase = PHASE_INSIDE;
	return value;
}

/* Counts and goes. The robber strikes only in PHASE_INSIDE, so from here on nothing changes. */
static void leave(struct board *board, unsigned int me, const struct protocol *protocol,
	uint64_t value, bool asks)
{
	struct slot *mine = &board->slot[me];
	bool is_robbed;
	int rc = 0;

	mine->phase = PHASE_LEAVING;
	is_robbed = mine->is_robbed;
	if (!is_robbed) {
		board->counter = value + 1;
		claim_value(board, mine, value + 1);
		mine->done++;
	}
	if (protocol->verify && asks) {
		rc = protocol->verify();
		if (is_robbed && rc == 0)
			mine->not_told++;
		else if (!is_robbed && rc < 0)
			mine->denied++;
	}
	mine->mark = 0;
	rc = protocol->give_back();
	if (is_robbed && (rc == -ESTALE || rc == -EKEYREJECTED))
		mine->told++;
	else if (is_robbed)
		mine->not_told++;
	else if (rc < 0)
		mine->denied++;
	mine->is_robbed = false;
	mine->phase = PHASE_OUTSIDE;
}

static void choose(struct attempt *attempt, uint64_t *random)
{
	uint64_t dice = next_random(random);

	*attempt = (struct attempt){.is_tidy = dice & 1, .timeout = -1};
	if (dice / 2 % 100 < 20)
		attempt->timeout = 0;
	else if (dice / 2 % 100 < 21)
		attempt->timeout = 2000000;
}

static void give_up(struct slot *mine, int rc)
{
	mine->trouble = rc;
	_exit(2);
}

void worker_run(
	struct board *board, unsigned int me, const struct protocol *protocol, uint64_t random)
{
	struct slot *mine = &board->slot[me];
	struct attempt attempt;
	uint64_t value;
	int64_t began;
	int rc;

	mine->pid = getpid();
	rc = protocol->open();
	if (rc < 0)
		give_up(mine, rc);
	for (;;) {
		choose(&attempt, &random);
		began = now();
		do {
			rc = protocol->acquire(&attempt);
			if (rc == -EBUSY || rc == -ETIMEDOUT) {
				mine->busy++;
				usleep((useconds_t)(next_random(&random) % 200));
			}
		} while (rc == -EBUSY || rc == -ETIMEDOUT);
		if (rc < 0)
			give_up(mine, rc);
		value = enter(board, me, &attempt);
		began = now() - began;
		if (began > mine->longest)
			mine->longest = began;
		dwell(&random);
		leave(board, me, protocol, value, next_random(&random) % 4 == 0);
		if (next_random(&random) % 2 == 0)
			sched_yield();
	}
}

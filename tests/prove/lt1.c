/* LT1 by the code of the program itself (or by a mutant of it, which is linked instead). */
#include "config.h"
#include "protocol.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "backends/file_lt1.h"
#include "base/error.h"

static struct world world;
static struct here here;
static char place[512];
static struct lt1 lock;
static struct claim claim;

static int prepare(const char *path)
{
	int rc = world_open(&world, NULL, &clock_system, NULL);

	if (rc < 0)
		return rc;
	strncpy(place, path, sizeof place - 1);
	return proc_here(&world, &here, NULL);
}

static int open_lock(void)
{
	claim = (struct claim){.lease = 600 * NS_PER_S,
		.stale_after = 600 * NS_PER_S,
		.takeover = TAKEOVER_PROOF,
		.mode = 0640};
	claim_self(&claim, &world, &here);
	return lt1_open(&lock, &world, place, NULL);
}

static int acquire(struct attempt *attempt)
{
	struct patience patience = {.until = MONO_NEVER};
	struct taking taking = {0};
	int rc;

	if (attempt->timeout == 0)
		patience.until = 0;
	else if (attempt->timeout > 0)
		patience.until = clock_mono(world.clock) + attempt->timeout;
	claim.is_tidy = attempt->is_tidy;
	rc = claim_token(claim.token);
	if (rc == 0)
		rc = lt1_acquire(&lock, &claim, &patience, &taking, NULL);
	attempt->fence = taking.fence;
	attempt->was_stale = taking.was_stale;
	return rc;
}

static int verify(void)
{
	return lt1_verify(&lock, &claim, NULL);
}

static int give_back(void)
{
	return lt1_give_back(&lock, &claim, NULL);
}

const struct protocol protocol_lt1 = {"LT1", true, prepare, open_lock, acquire, verify, give_back};

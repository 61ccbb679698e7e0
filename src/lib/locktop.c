/* liblocktop: a lock is a hold of one, with plain C types around it. */
#include "config.h"
#include "lib/locktop.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/locktop_private.h"

#define MS NS_PER_MS

enum { DEFAULT_MS = 600000, DEFAULT_MODE = 0640 };

/* --- errors --- */

int locktop_code(int code)
{
	static const struct {
		int from, to;
	} codes[] = {
		{-EBUSY, LOCKTOP_BUSY},
		{-ETIMEDOUT, LOCKTOP_TIMEOUT},
		{-ESTALE, LOCKTOP_LOST},
		{-EKEYREJECTED, LOCKTOP_NOT_OWNER},
		{-ECANCELED, LOCKTOP_INTERRUPTED},
		{-EINTR, LOCKTOP_INTERRUPTED},
		{-ENOMEM, LOCKTOP_NO_MEMORY},
		{-EPROTONOSUPPORT, LOCKTOP_USAGE},
	};

	for (size_t i = 0; i < sizeof codes / sizeof *codes; i++)
		if (codes[i].from == code)
			return codes[i].to;
	return provider_is_unreachable(code) ? LOCKTOP_UNREACHABLE : LOCKTOP_REFUSED;
}

int locktop_fail(struct locktop_error *error, int code, const struct error *err)
{
	if (error) {
		*error = (struct locktop_error){.code = code, .system = -err->code};
		memcpy(error->text, err->text,
			sizeof err->text < sizeof error->text ? sizeof err->text
							      : sizeof error->text);
		error->text[sizeof error->text - 1] = '\0';
	}
	return code;
}

/* What the caller should not have asked. */
static int misused(struct locktop_error *error, const char *sentence)
{
	struct error err;

	error_set(&err, -EINVAL, "%s", sentence);
	return locktop_fail(error, LOCKTOP_USAGE, &err);
}

/* --- options --- */

/* What a newer caller knows and this library does not has to be zero, as for openat2(2). */
static bool copy_known(void *known, size_t known_size, const void *given, size_t size)
{
	const unsigned char *byte = given;

	if (size < sizeof(size_t))
		return false;
	memcpy(known, given, size < known_size ? size : known_size);
	for (size_t i = known_size; i < size; i++)
		if (byte[i])
			return false;
	return true;
}

static const char *check(const struct locktop_options *options)
{
	if (options->lease_ms < 0 || options->lease_ms % 1000 ||
		options->lease_ms / 1000 > INT32_MAX)
		return "lease_ms has to be whole seconds";
	if (options->stale_ms < 0 || options->stale_ms / 1000 > INT32_MAX)
		return "stale_ms has to be 0 or more";
	if ((unsigned int)options->takeover > LOCKTOP_TAKEOVER_NEVER)
		return "takeover is none of enum locktop_takeover";
	if (options->owner_pid < 0)
		return "owner_pid has to be a process id";
	if (options->owner_pid && !options->detached)
		return "owner_pid is for a detached lock: else this process has it";
	if (options->strict && options->detached)
		return "a detached lock cannot be strict: pid|time has no lease";
	if (options->mode & ~07777u)
		return "mode has to be one of chmod(2)";
	return NULL;
}

static void fill_claim(struct claim *claim, const struct locktop_options *options)
{
	static const enum takeover takeovers[] = {
		[LOCKTOP_TAKEOVER_PROOF] = TAKEOVER_PROOF,
		[LOCKTOP_TAKEOVER_LIMIT] = TAKEOVER_LIMIT,
		[LOCKTOP_TAKEOVER_NEVER] = TAKEOVER_NEVER,
	};

	*claim = (struct claim){
		.pid = options->owner_pid,
		.is_detached = options->detached != 0,
		.is_strict = options->strict != 0,
		.is_tidy = options->tidy != 0,
		.lease = (options->lease_ms ? options->lease_ms : DEFAULT_MS) * MS,
		.stale_after = (options->stale_ms ? options->stale_ms : DEFAULT_MS) * MS,
		.takeover = takeovers[options->takeover],
		.mode = options->mode ? options->mode : DEFAULT_MODE,
	};
}

/* --- opening --- */

/* Without /proc a lock can still be taken; only who has others' is not known then. */
static int open_world(struct locktop *lock, struct error *err)
{
	if (world_open(&lock->world, NULL, &clock_system, NULL) < 0)
		lock->world = (struct world){.proc = -1, .is_real = true, .clock = &clock_system};
	return proc_here(&lock->world, &lock->here, err);
}

static int open_hold(struct locktop *lock, const char *address, struct error *err)
{
	struct hold_options options = {.world = &lock->world, .claim = lock->claim};
	struct hold *hold;
	int rc;

	options.claim.here = &lock->here;
	rc = hold_open(&hold, &options, err);
	if (rc < 0)
		return rc;
	rc = hold_add(hold, address, err);
	if (rc < 0) {
		hold_close(hold);
		return rc;
	}
	lock->hold = hold;
	lock->pid = getpid();
	return 0;
}

int locktop_open(struct locktop **lock, const char *address, const struct locktop_options *options,
	struct locktop_error *error)
{
	struct locktop_options known = {.size = sizeof known};
	struct locktop *opened;
	struct error err = {0};
	const char *wrong;
	int rc;

	if (!lock || !address)
		return misused(error, "a lock and its address have to be given");
	if (options && !copy_known(&known, sizeof known, options, options->size))
		return misused(error,
			"size is not that of struct locktop_options, or an option is newer than "
			"this library");
	wrong = check(&known);
	if (wrong)
		return misused(error, wrong);
	opened = calloc(1, sizeof *opened);
	if (!opened) {
		error_sys(&err, -ENOMEM, "cannot open %s", address);
		return locktop_fail(error, LOCKTOP_NO_MEMORY, &err);
	}
	opened->world.proc = -1;
	fill_claim(&opened->claim, &known);
	rc = open_world(opened, &err);
	if (rc == 0)
		rc = open_hold(opened, address, &err);
	if (rc == 0 && !(opened->address = strdup(hold_address(opened->hold))))
		rc = error_sys(&err, -ENOMEM, "cannot open %s", address);
	if (rc < 0) {
		locktop_close(opened);
		return locktop_fail(error, rc == -EINVAL ? LOCKTOP_USAGE : locktop_code(rc), &err);
	}
	*lock = opened;
	return 0;
}

/* Is this another process than the one that the hold belongs to? */
static bool was_forked(const struct locktop *lock)
{
	return lock->pid != getpid();
}

/*
 * The first thing in every function: the child of a fork(2) gets a hold of its own. Closing the
 * copy leaves the parent's lock: a flock ends with the last descriptor of its open file.
 */
static int come_in(struct locktop *lock, struct error *err)
{
	struct hold *copy;
	int rc;

	if (!was_forked(lock))
		return 0;
	copy = lock->hold;
	rc = open_hold(lock, lock->address, err);
	if (rc < 0)
		return rc;
	lock->is_parents |= hold_is_taken(copy);
	hold_close(copy);
	return 0;
}

void locktop_close(struct locktop *lock)
{
	if (!lock)
		return;
	if (lock->hold && !was_forked(lock))
		hold_give_back(lock->hold, NULL);
	hold_close(lock->hold);
	world_close(&lock->world);
	free(lock->address);
	explicit_bzero(&lock->claim, sizeof lock->claim);
	free(lock);
}

/* --- taking and keeping --- */

static mono_t end_of(int64_t timeout_ms)
{
	mono_t now;

	if (timeout_ms == 0)
		return 0;
	now = clock_mono(&clock_system);
	if (timeout_ms < 0 || timeout_ms > (MONO_NEVER - now) / MS - 1)
		return MONO_NEVER;
	return now + timeout_ms * MS;
}

int locktop_acquire(struct locktop *lock, int64_t timeout_ms, struct locktop_error *error)
{
	struct patience patience = {.until = end_of(timeout_ms)};
	struct error err = {0};
	int rc = come_in(lock, &err);

	/* What was lost is closed first. */
	if (rc == 0 && hold_is_taken(lock->hold) && !hold_is_held(lock->hold))
		hold_give_back(lock->hold, NULL);
	if (rc == 0 && hold_is_taken(lock->hold))
		return misused(error, "the lock is held already");
	if (rc == 0)
		rc = hold_acquire(lock->hold, &patience, &err);
	if (rc < 0)
		return locktop_fail(error, locktop_code(rc), &err);
	lock->is_parents = false;
	return 0;
}

typedef int hold_deed(struct hold *hold, struct error *err);

static int do_while_held(struct locktop *lock, hold_deed *deed, struct locktop_error *error)
{
	struct error err = {0};
	int rc = come_in(lock, &err);

	if (rc == 0 && lock->is_parents) {
		error_set(&err, -EKEYREJECTED, "%s is held by the process that forked this one",
			lock->address);
		return locktop_fail(error, LOCKTOP_NOT_OWNER, &err);
	}
	if (rc == 0 && !hold_is_taken(lock->hold))
		return misused(error, "the lock is not held");
	if (rc == 0)
		rc = deed(lock->hold, &err);
	return rc < 0 ? locktop_fail(error, locktop_code(rc), &err) : 0;
}

int locktop_renew(struct locktop *lock, struct locktop_error *error)
{
	return do_while_held(lock, hold_renew, error);
}

int locktop_verify(struct locktop *lock, struct locktop_error *error)
{
	return do_while_held(lock, hold_verify, error);
}

int locktop_release(struct locktop *lock, struct locktop_error *error)
{
	return do_while_held(lock, hold_give_back, error);
}

int locktop_is_held(const struct locktop *lock)
{
	return !was_forked(lock) && hold_is_held(lock->hold);
}

/* --- what it says of itself --- */

const char *locktop_token(const struct locktop *lock)
{
	return locktop_is_held(lock) ? hold_claim(lock->hold)->token : "";
}

int locktop_adopt(struct locktop *lock, const char *token, struct locktop_error *error)
{
	struct error err = {0};
	int rc = come_in(lock, &err);

	if (!token)
		return misused(error, "a token has to be given");
	if (rc == 0)
		rc = hold_adopt(lock->hold, token, &err);
	if (rc < 0)
		return locktop_fail(error, rc == -EINVAL ? LOCKTOP_USAGE : locktop_code(rc), &err);
	lock->is_parents = false;
	return 0;
}

int64_t locktop_fence(const struct locktop *lock)
{
	return locktop_is_held(lock) ? hold_fence(lock->hold) : 0;
}

const char *locktop_version(void)
{
	return PACKAGE_VERSION;
}

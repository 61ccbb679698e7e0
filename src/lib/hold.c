/*
 * A hold: one lock, or several taken as one. Here it is opened, renewed, verified, given back and
 * asked; hold_take.c takes it.
 */
#include "config.h"
#include "lib/hold.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "base/text.h"
#include "lib/hold_private.h"

/* However long the lease: who reads pid|time alone takes what is older than 600 s for stale. */
#define RENEW_AT_MOST (200 * NS_PER_S)

static const char *const step_words[] = {
#define _(id, word) word,
	HOLD_STEPS(_)
#undef _
};

const char *hold_step_word(enum hold_step step)
{
	return (unsigned int)step < HOLD_STEP_COUNT ? step_words[step] : "?";
}

mono_t hold_now(const struct hold *hold)
{
	return clock_mono(hold->world->clock);
}

/* --- telling --- */

struct hold_report part_report(
	const struct hold *hold, const struct part *part, enum hold_step step)
{
	return (struct hold_report){
		.step = step,
		.address = part->address,
		.source = part->source,
		.name = part->name,
		.provider = part->provider,
		.claim = part->is_held ? &hold->claim : NULL,
		.wait = -1,
		.held = part->is_held && part->acquired >= 0 ? hold_now(hold) - part->acquired : -1,
		.attempts = part->attempts,
		.fence = part->fence,
		.reason = "",
	};
}

void hold_tell(const struct hold *hold, const struct hold_report *report)
{
	if (hold->listener)
		hold->listener(hold->data, report);
}

static void tell(const struct hold *hold, const struct part *part, enum hold_step step)
{
	struct hold_report report;

	if (!hold->listener)
		return;
	report = part_report(hold, part, step);
	hold_tell(hold, &report);
}

void hold_tell_failure(const struct hold *hold, const struct part *part, enum hold_step step,
	int code, const struct error *err)
{
	struct hold_report report;

	if (!hold->listener)
		return;
	report = part_report(hold, part, step);
	report.code = code;
	report.reason = err->text;
	hold_tell(hold, &report);
}

bool hold_code_is_lost(int code)
{
	return code == -ESTALE || code == -EKEYREJECTED;
}

/* --- opening --- */

static int fill_claim(struct hold *hold, struct error *err)
{
	struct claim self = {0};
	int rc;

	if (!hold->claim.here) {
		rc = proc_here(hold->world, &hold->here, err);
		if (rc < 0)
			return rc;
		hold->claim.here = &hold->here;
	}
	if (!hold->claim.pid) {
		claim_self(&self, hold->world, hold->claim.here);
		hold->claim.pid = self.pid;
		hold->claim.start = self.start;
		hold->claim.uid = self.uid;
	}
	if (!hold->claim.start)
		proc_life(hold->world, hold->claim.pid, &hold->claim.start);
	if (!hold->claim.uid)
		hold->claim.uid = (int32_t)geteuid();
	hold->has_own_token = hold->claim.token[0] != '\0';
	if (hold->has_own_token)
		return 0;
	rc = claim_token(hold->claim.token);
	return rc < 0 ? error_sys(err, rc, "cannot make a token") : 0;
}

int hold_open(struct hold **hold, const struct hold_options *options, struct error *err)
{
	struct hold *opened = calloc(1, sizeof *opened);
	int rc;

	if (!opened)
		return error_sys(err, -ENOMEM, "cannot open a lock");
	opened->world = options->world;
	opened->claim = options->claim;
	opened->is_detached = options->claim.is_detached;
	opened->listener = options->listener;
	opened->data = options->data;
	rc = fill_claim(opened, err);
	if (rc < 0) {
		hold_close(opened);
		return rc;
	}
	opened->seed = text_hash(opened->claim.token, sizeof opened->claim.token - 1, 0) | 1;
	*hold = opened;
	return 0;
}

void hold_close(struct hold *hold)
{
	if (!hold)
		return;
	for (size_t i = 0; i < hold->n; i++)
		part_release(&hold->part[i]);
	free(hold->part);
	free(hold->active);
	free(hold->order);
	explicit_bzero(hold->claim.token, sizeof hold->claim.token);
	free(hold);
}

int part_open(struct hold *hold, struct part *part, struct error *err)
{
	return part->state ? 0 : part->provider->open(&part->state, hold->world, &part->uri, err);
}

/* --- its locks --- */

static int compare_parts(const void *a, const void *b)
{
	const struct part *const *x = a, *const *y = b;

	return strcmp((*x)->key, (*y)->key);
}

void hold_choose(struct hold *hold, struct part *fallback)
{
	size_t n = 0;

	for (size_t i = 0; i < hold->n; i++) {
		struct part *part = &hold->part[i];

		if (part->is_fallback)
			continue;
		hold->active[n] = n == 0 && fallback ? fallback : part;
		n++;
	}
	hold->actives = n;
	memcpy(hold->order, hold->active, n * sizeof *hold->order);
	qsort(hold->order, n, sizeof *hold->order, compare_parts);
}

static int grow(struct hold *hold)
{
	size_t n = hold->n + 1;
	struct part *part = realloc(hold->part, n * sizeof *part);
	struct part **active, **order;

	if (part)
		hold->part = part;
	active = realloc(hold->active, n * sizeof(struct part *));
	if (active)
		hold->active = active;
	order = realloc(hold->order, n * sizeof(struct part *));
	if (order)
		hold->order = order;
	return part && active && order ? 0 : -ENOMEM;
}

static int add(struct hold *hold, const char *address, bool is_fallback, struct error *err)
{
	struct part part;
	int rc = part_name(&part, address, err);

	for (size_t i = 0; rc == 0 && i < hold->n; i++)
		if (strcmp(hold->part[i].key, part.key) == 0)
			rc = error_set(err, -EEXIST, "%s is given twice", part.address);
	if (rc == 0) {
		rc = part_open(hold, &part, err);
		/* Whether it can be reached is a matter of when it is taken. */
		if (rc < 0 && provider_is_unreachable(rc))
			rc = 0;
	}
	if (rc == 0 && (rc = grow(hold)) < 0)
		error_sys(err, rc, "cannot add a lock");
	if (rc < 0) {
		part_release(&part);
		return rc;
	}
	part.is_fallback = is_fallback;
	hold->part[hold->n++] = part;
	hold_choose(hold, NULL);
	tell(hold, &hold->part[hold->n - 1], HOLD_OPENED);
	return 0;
}

int hold_add(struct hold *hold, const char *address, struct error *err)
{
	return add(hold, address, false, err);
}

int hold_add_fallback(struct hold *hold, const char *address, struct error *err)
{
	return add(hold, address, true, err);
}

/* --- while it is held --- */

typedef int part_deed(struct hold *hold, struct part *part, struct error *err);

/* Lost for sure, or nothing is known. */
static int failed(struct hold *hold, struct part *part, int code, const struct error *err)
{
	part->is_lost |= hold_code_is_lost(code);
	hold_tell_failure(hold, part, part->is_lost ? HOLD_LOST : HOLD_ERROR, code, err);
	return code;
}

int part_renew(struct hold *hold, struct part *part, struct error *err)
{
	struct error why = {0};
	mono_t began = hold_now(hold);
	int rc = part_open(hold, part, &why);

	if (rc == 0 && part->provider->can & PROVIDER_RENEWS)
		rc = part->provider->renew(part->state, &hold->claim, &why);
	else if (rc == 0)
		rc = part->provider->verify(part->state, &hold->claim, &why);
	if (rc < 0)
		return failed(hold, part, error_set(err, rc, "%s", why.text), &why);
	/* From before the call: the lease cannot have begun earlier. */
	part->renewed = began;
	tell(hold, part, HOLD_RENEWED);
	return 0;
}

void hold_tell_lost(const struct hold *hold, const struct error *err)
{
	for (size_t i = 0; i < hold->actives; i++)
		if (hold->active[i]->is_held && !hold->active[i]->is_lost)
			hold_tell_failure(hold, hold->active[i], HOLD_LOST, -ETIME, err);
}

static int part_verify(struct hold *hold, struct part *part, struct error *err)
{
	struct error why = {0};
	int rc = part_open(hold, part, &why);

	if (rc == 0)
		rc = part->provider->verify(part->state, &hold->claim, &why);
	if (rc < 0)
		return failed(hold, part, error_set(err, rc, "%s", why.text), &why);
	tell(hold, part, HOLD_VERIFIED);
	return 0;
}

int part_give_back(struct hold *hold, struct part *part, struct error *err)
{
	struct error why = {0};
	int rc = part_open(hold, part, &why);

	if (rc == 0)
		rc = part->provider->give_back(part->state, &hold->claim, &why);
	if (rc < 0)
		failed(hold, part, error_set(err, rc, "%s", why.text), &why);
	else
		tell(hold, part, HOLD_RELEASED);
	/* What only could not be reached may be given back later. */
	if (rc == 0 || hold_code_is_lost(rc))
		part->is_held = part->is_lost = false;
	return rc;
}

static int not_held(const struct hold *hold, struct error *err)
{
	return error_set(err, -EINVAL, "%s is not held", hold_address(hold));
}

bool hold_is_taken(const struct hold *hold)
{
	for (size_t i = 0; i < hold->actives; i++)
		if (hold->active[i]->is_held)
			return true;
	return false;
}

/*
 * Does it to all that are held, in that order or the reverse. What is lost for sure tells more than
 * what could not be told; else the first error.
 */
static int do_all(struct hold *hold, part_deed *deed, bool in_reverse, struct error *err)
{
	int result = 0;

	if (!hold_is_taken(hold))
		return not_held(hold, err);
	for (size_t i = 0; i < hold->actives; i++) {
		struct part *part = hold->order[in_reverse ? hold->actives - 1 - i : i];
		struct error why = {0};
		int rc = part->is_held ? deed(hold, part, &why) : 0;

		if (rc == 0 || hold_code_is_lost(result) || (result && !hold_code_is_lost(rc)))
			continue;
		result = error_set(err, rc, "%s", why.text);
	}
	return result;
}

int hold_renew(struct hold *hold, struct error *err)
{
	return do_all(hold, part_renew, false, err);
}

int hold_verify(struct hold *hold, struct error *err)
{
	return do_all(hold, part_verify, false, err);
}

int hold_give_back(struct hold *hold, struct error *err)
{
	return do_all(hold, part_give_back, true, err);
}

static bool is_token(const char *token)
{
	size_t n = 0;

	while (isxdigit((unsigned char)token[n]))
		n++;
	return n == 32 && !token[n];
}

int hold_adopt(struct hold *hold, const char *token, struct error *err)
{
	if (hold_is_taken(hold))
		return error_set(err, -EINVAL, "%s is held already", hold_address(hold));
	if (!is_token(token))
		return error_set(err, -EINVAL, "a token is 32 hexadecimal digits");
	memcpy(hold->claim.token, token, sizeof hold->claim.token);
	hold->claim.is_detached = true;
	for (size_t i = 0; i < hold->actives; i++) {
		hold->active[i]->is_held = true;
		hold->active[i]->acquired = hold->active[i]->renewed = -1;
	}
	return 0;
}

/* --- what it says of itself --- */

/* The oldest success; -1: one is unknown, or nothing is held. */
static mono_t renewed(const struct hold *hold)
{
	mono_t oldest = -1;

	for (size_t i = 0; i < hold->actives; i++) {
		const struct part *part = hold->active[i];

		if (!part->is_held || part->renewed < 0)
			return -1;
		if (oldest < 0 || part->renewed < oldest)
			oldest = part->renewed;
	}
	return oldest;
}

/* That part of the lease after the last success. */
static mono_t lease_at(const struct hold *hold, int thirds)
{
	mono_t since = renewed(hold);

	if (since < 0 || hold->claim.lease <= 0)
		return MONO_NEVER;
	return since + hold->claim.lease / 3 * thirds + (thirds == 3 ? hold->claim.lease % 3 : 0);
}

mono_t hold_renew_at(const struct hold *hold)
{
	mono_t since = renewed(hold), at = lease_at(hold, 1);

	if (!hold_is_taken(hold))
		return MONO_NEVER;
	/* Adopted, and never renewed by us: at once. */
	if (since < 0)
		return 0;
	return at - since > RENEW_AT_MOST ? since + RENEW_AT_MOST : at;
}

mono_t hold_lost_at(const struct hold *hold)
{
	return lease_at(hold, 2);
}

mono_t hold_ends_at(const struct hold *hold)
{
	return lease_at(hold, 3);
}

bool hold_is_held(const struct hold *hold)
{
	for (size_t i = 0; i < hold->actives; i++)
		if (!hold->active[i]->is_held || hold->active[i]->is_lost)
			return false;
	return hold->actives > 0;
}

const struct claim *hold_claim(const struct hold *hold)
{
	return &hold->claim;
}

int64_t hold_fence(const struct hold *hold)
{
	return hold->actives ? hold->active[0]->fence : 0;
}

const char *hold_address(const struct hold *hold)
{
	return hold->actives ? hold->active[0]->address : "";
}

size_t hold_count(const struct hold *hold)
{
	return hold->actives;
}

int hold_descriptor(const struct hold *hold, size_t i)
{
	const struct part *part = i < hold->actives ? hold->active[i] : NULL;

	if (!part || !part->state || !part->is_held || !part->provider->descriptor)
		return -1;
	return part->provider->descriptor(part->state);
}

const char *hold_path(const struct hold *hold, size_t i)
{
	const struct part *part = i < hold->actives ? hold->active[i] : NULL;

	return part && part->state && part->provider->path ? part->provider->path(part->state)
							   : NULL;
}

void part_who(const struct part *part, struct occupant *occupant)
{
	*occupant = (struct occupant){.age = -1};
	if (part->state && part->provider->who)
		part->provider->who(part->state, occupant);
}

void hold_who(struct hold *hold, struct occupant *occupant)
{
	const struct part *part = hold->waited;

	*occupant = (struct occupant){.age = -1};
	if (!part && hold->actives)
		part = hold->active[0];
	if (part)
		part_who(part, occupant);
}

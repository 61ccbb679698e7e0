/* Taking all locks of a hold, or none: order, waiting, fallbacks. */
#include "config.h"
#include "lib/hold_private.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "base/text.h"

#define PAUSE_LEAST (50 * NS_PER_MS)
#define PAUSE_MOST  NS_PER_S

/* One call of hold_acquire(). */
struct take {
	struct hold *hold;
	const struct patience *patience;
	bool only_tries; /* its time was over before it began */
};

/* --- how long one wait may be --- */

/* When a wait that began at 0 is told as slow for the n-th time. */
static int64_t slow_mark(unsigned int n)
{
	static const int64_t marks[] = {NS_PER_S, 10 * NS_PER_S, 60 * NS_PER_S, 300 * NS_PER_S};
	enum { MARKS = sizeof marks / sizeof *marks };

	return n < MARKS ? marks[n] : marks[MARKS - 1] * (n - MARKS + 2);
}

/* When the first of those that were taken before this one has to be renewed. */
static mono_t renewal_due(const struct hold *hold)
{
	int64_t third = hold->claim.lease > 0 ? hold->claim.lease / 3 : 200 * NS_PER_S;
	mono_t due = MONO_NEVER;

	for (size_t i = 0; i < hold->actives; i++)
		if (hold->active[i]->is_held)
			due = mono_earlier(due, hold->active[i]->renewed + third);
	return due;
}

static int renew_due(struct hold *hold, struct error *err)
{
	int64_t third = hold->claim.lease > 0 ? hold->claim.lease / 3 : 200 * NS_PER_S;
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < hold->actives; i++) {
		struct part *part = hold->active[i];

		if (part->is_held && part->renewed + third <= hold_now(hold))
			rc = part_renew(hold, part, err);
		/* A failure that says nothing is tried again until the lock would be lost. */
		if (rc < 0 && !hold_code_is_lost(rc) && hold_now(hold) < part->renewed + 2 * third)
			rc = 0;
	}
	return rc;
}

/* --- telling about the wait --- */

static void tell_wait(struct take *take, const struct part *part, enum hold_step step, int code,
	const char *reason)
{
	struct hold *hold = take->hold;
	struct occupant occupant;
	struct hold_report report;

	if (!hold->listener)
		return;
	part_who(part, &occupant);
	report = part_report(hold, part, step);
	report.wait = hold_now(hold) - part->began;
	report.occupant = &occupant;
	report.code = code;
	report.reason = reason;
	hold_tell(hold, &report);
}

static void tell_taken(struct take *take, const struct part *part, const struct taking *taking)
{
	struct hold_report report;

	if (!take->hold->listener)
		return;
	report = part_report(take->hold, part, HOLD_ACQUIRED);
	report.wait = part->acquired - part->began;
	report.held = -1;
	if (taking->was_stale) {
		report.reason = taking->reason;
		report.step = HOLD_STALE;
		hold_tell(take->hold, &report);
		report.step = HOLD_TAKEN_OVER;
		hold_tell(take->hold, &report);
		report.reason = "";
		report.step = HOLD_ACQUIRED;
	}
	hold_tell(take->hold, &report);
}

static void say_occupant(char *dst, size_t size, const struct part *part)
{
	struct occupant who;

	*dst = '\0';
	part_who(part, &who);
	if (who.is_known && who.pid > 0)
		occupant_text(dst, size, &who);
}

/*
 * The end of a wait that led to nothing. `last` has the provider's sentence, which may know more
 * than who it is: that a record was left behind, and what to do.
 */
static int give_up(
	struct take *take, const struct part *part, const struct error *last, struct error *err)
{
	int code = take->only_tries ? -EBUSY : -ETIMEDOUT;
	int64_t waited = hold_now(take->hold) - part->began;
	struct error why;
	const char *said = last->code == -EBUSY ? last->text : "";
	char who[192], wait[24];

	if (!err && !take->hold->listener)
		return code;
	say_occupant(who, sizeof who, part);
	if (take->only_tries)
		error_set(&why, code, "%s is busy: %s%s%s", part->address, said,
			*said && *who ? "; " : "", *said || *who ? who : "somebody has it");
	else
		error_set(&why, code, "%s was not free within %s: %s%s%s", part->address,
			text_duration(wait, sizeof wait, waited), said, *said && *who ? "; " : "",
			*said || *who ? who : "somebody has it");
	tell_wait(take, part, take->only_tries ? HOLD_BUSY : HOLD_TIMEOUT, code, why.text);
	return error_set(err, code, "%s", why.text);
}

/* --- waiting where nobody queues --- */

static uint64_t next_random(uint64_t *seed)
{
	*seed ^= *seed << 13; /* xorshift64, G. Marsaglia 2003 */
	*seed ^= *seed >> 7;
	*seed ^= *seed << 17;
	return *seed;
}

/*
 * Decorrelated jitter: between the least and three times the last one, so that many who wait do
 * not come back together ("Exponential Backoff And Jitter", AWS Architecture Blog, 2015).
 */
static int64_t next_pause(struct hold *hold, int64_t last)
{
	int64_t most = last * 3 > PAUSE_MOST ? PAUSE_MOST : last * 3;

	return PAUSE_LEAST +
	       (int64_t)(next_random(&hold->seed) % (uint64_t)(most - PAUSE_LEAST + 1));
}

/* Waits until then, in pieces, as far as nobody says stop. 0 or -errno. */
static int pause_until(struct take *take, mono_t until, struct error *err)
{
	const struct patience *patience = take->patience;
	const struct clock *clock = take->hold->world->clock;
	int rc = 0;

	for (mono_t now = clock_mono(clock); rc == 0 && now < until; now = clock_mono(clock)) {
		mono_t piece = until;
		int woken;

		if (patience->every > 0 && until - now > patience->every)
			piece = now + patience->every;
		woken = clock->wait(clock, NULL, 0, piece, NULL);
		if (woken < 0 && woken != -EINTR)
			return error_sys(err, woken, "cannot wait");
		if (patience->tick)
			rc = patience->tick(patience->data);
		else if (woken == -EINTR)
			rc = -ECANCELED;
	}
	if (rc < 0)
		error_set(err, rc, "the wait was ended");
	return rc;
}

/* --- one lock --- */

/* A wait, of which somebody is told at the marks. */
struct wait {
	unsigned int mark;
	int64_t pause;
	bool is_told;
};

static int try_once(struct take *take, struct part *part, mono_t until, struct taking *taking,
	struct error *err)
{
	struct hold *hold = take->hold;
	struct patience patience = *take->patience;
	mono_t began = hold_now(hold);
	int rc = part_open(hold, part, err);

	*taking = (struct taking){0};
	patience.until = until;
	if (rc == 0)
		rc = part->provider->acquire(part->state, &hold->claim, &patience, taking, err);
	part->attempts += taking->attempts ? taking->attempts : 1;
	if (rc < 0)
		return rc;
	part->acquired = hold_now(hold);
	/* The lease begins within the call: from before it, but for the time in the queue. */
	part->renewed = taking->was_queued ? part->acquired : began;
	part->fence = taking->fence;
	part->is_held = true;
	part->is_lost = false;
	return 0;
}

/*
 * Who has waited looks again at what he has. 0; 1: it was lost in the same moment; or -errno, it
 * is given back then.
 */
static int verify_taken(struct hold *hold, struct part *part, struct error *err)
{
	int rc = part->provider->verify(part->state, &hold->claim, err);

	if (rc == 0)
		return 0;
	part->provider->give_back(part->state, &hold->claim, NULL);
	part->is_held = false;
	return hold_code_is_lost(rc) ? 1 : rc;
}

/* The end of a slice: tells what is due, and pauses where the provider cannot queue. */
static int go_on(
	struct take *take, struct part *part, struct wait *wait, int code, struct error *err)
{
	struct hold *hold = take->hold;
	mono_t now = hold_now(hold), until;
	bool is_due;
	int rc = 0;

	if (!wait->is_told)
		tell_wait(take, part, HOLD_WAITING, 0, "");
	wait->is_told = true;
	is_due = now - part->began >= slow_mark(wait->mark);
	while (now - part->began >= slow_mark(wait->mark))
		wait->mark++;
	if (is_due)
		tell_wait(take, part, HOLD_SLOW, 0, "");
	rc = renew_due(hold, err);
	/*
	 * A provider with a queue that says busy means the record: nothing wakes who waits. Nor
	 * can it wait while a renewal is due that does not succeed.
	 */
	if (rc == 0 && (code == -EBUSY || renewal_due(hold) <= now)) {
		wait->pause = next_pause(hold, wait->pause);
		until = mono_earlier(now + wait->pause, take->patience->until);
		if (hold->listener)
			until = mono_earlier(until, part->began + slow_mark(wait->mark));
		rc = pause_until(take, until, err);
	}
	return rc;
}

/* Until when the provider may wait by itself this time; 0: a first try tells who has it. */
static mono_t slice_end(const struct take *take, const struct part *part, const struct wait *wait)
{
	const struct hold *hold = take->hold;
	mono_t until = mono_earlier(take->patience->until, renewal_due(hold));

	if (!(part->provider->can & PROVIDER_QUEUES))
		return 0;
	if (!hold->listener)
		return until;
	return wait->is_told ? mono_earlier(until, part->began + slow_mark(wait->mark)) : 0;
}

static int take_part(struct take *take, struct part *part, struct error *err)
{
	struct hold *hold = take->hold;
	struct wait wait = {.pause = PAUSE_LEAST};
	struct taking taking;
	bool has_waited = false;
	int rc;

	part->attempts = 0;
	part->began = hold_now(hold);
	hold->waited = part;
	for (;;) {
		struct error why = {0};
		mono_t slice = take->only_tries ? 0 : slice_end(take, part, &wait);

		rc = try_once(take, part, slice, &taking, &why);
		if (rc == 0 && (has_waited || taking.was_queued))
			rc = verify_taken(hold, part, &why);
		if (rc == 0) {
			tell_taken(take, part, &taking);
			return 0;
		}
		if (rc < 0 && rc != -EBUSY && rc != -ETIMEDOUT)
			return error_set(err, rc, "%s", why.text);
		if (take->only_tries || hold_now(hold) >= take->patience->until)
			return give_up(take, part, &why, err);
		/* The first try of one that queues is followed by its queue, not by a pause. */
		if (rc == -EBUSY && slice == 0 && part->provider->can & PROVIDER_QUEUES)
			rc = -ETIMEDOUT;
		has_waited = true;
		rc = go_on(take, part, &wait, rc, err);
		if (rc < 0)
			return rc;
	}
}

/* --- all of them --- */

static void give_back_taken(struct hold *hold)
{
	for (size_t i = hold->actives; i-- > 0;)
		if (hold->order[i]->is_held)
			part_give_back(hold, hold->order[i], NULL);
}

/* *failed is the one that was not taken. */
static int take_all(struct take *take, struct part **failed, struct error *err)
{
	struct hold *hold = take->hold;

	for (size_t i = 0; i < hold->actives; i++) {
		int rc = take_part(take, hold->order[i], err);

		if (rc < 0) {
			*failed = hold->order[i];
			give_back_taken(hold);
			return rc;
		}
	}
	return 0;
}

static struct part *next_fallback(struct hold *hold, const struct part *after)
{
	size_t i = after && after->is_fallback ? (size_t)(after - hold->part) + 1 : 0;

	while (i < hold->n && !hold->part[i].is_fallback)
		i++;
	return i < hold->n ? &hold->part[i] : NULL;
}

static void tell_end(struct hold *hold, const struct part *part, int code, const struct error *err)
{
	/* Busy, timeout and lost were told; who ended the wait knows it. */
	if (code != -EBUSY && code != -ETIMEDOUT && code != -ECANCELED && !hold_code_is_lost(code))
		hold_tell_failure(hold, part, HOLD_ERROR, code, err);
}

int hold_acquire(struct hold *hold, const struct patience *patience, struct error *err)
{
	struct take take = {.hold = hold, .patience = patience};
	int rc;

	if (hold->actives == 0)
		return error_set(err, -EINVAL, "no lock was given");
	for (size_t i = 0; i < hold->actives; i++)
		if (hold->active[i]->is_held)
			return error_set(
				err, -EINVAL, "%s is held already", hold->active[i]->address);
	if (!hold->has_own_token && (rc = claim_token(hold->claim.token)) < 0)
		return error_sys(err, rc, "cannot make a token");
	hold->claim.is_detached = hold->is_detached;
	take.only_tries = patience->until <= hold_now(hold);
	hold_choose(hold, NULL);
	for (;;) {
		struct part *failed = NULL, *fallback;
		struct error why = {0};

		rc = take_all(&take, &failed, &why);
		if (rc == 0)
			return 0;
		fallback = failed == hold->active[0] && provider_is_unreachable(rc)
				   ? next_fallback(hold, failed)
				   : NULL;
		if (!fallback) {
			tell_end(hold, failed, rc, &why);
			return error_set(err, rc, "%s", why.text);
		}
		hold_choose(hold, fallback);
		hold_tell_failure(hold, fallback, HOLD_FALLBACK, rc, &why);
	}
}

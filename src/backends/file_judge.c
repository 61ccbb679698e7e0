/* May a record that was found under the flock of its file be taken over? */
#include "config.h"

#include "backends/file_judge.h"

#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "model/reasons.h"

#define GRACE (2 * NS_PER_S) /* in which what cannot be understood may be being written */

/* One judgement at work. */
struct sight {
	const struct lock *lock;
	const struct facts *facts;
	enum reason claim; /* what its process says */
	int64_t age;       /* ns since it was written or refreshed; below 0: a clock is wrong */
};

/* A rule's answer; REASON_COUNT as the reason: it is older than it may be. */
struct answer {
	enum found found;
	enum reason reason;
};

#define TOO_OLD REASON_COUNT

static int64_t since(int64_t now, int64_t then)
{
	int64_t age;

	return __builtin_sub_overflow(now, then, &age) ? -1 : age;
}

static int64_t age_of(const struct lock *lock, const struct facts *facts)
{
	const struct record *record = &lock->record;

	switch (record->format) {
	case RECORD_LT1:
		if (record->refreshed && lock->boot_is == RELATION_SAME)
			return since(facts->now, record->refreshed);
		/* fallthrough */
	case RECORD_PLAIN:
		if (record->time > INT64_MAX / NS_PER_S)
			return -1;
		return since(facts->now_wall, record->time * NS_PER_S);
	default: return since(facts->now_wall, lock->written);
	}
}

static bool is_too_old(const struct sight *sight)
{
	return sight->age > sight->facts->limit;
}

static bool is_lease_over(const struct sight *sight)
{
	int32_t lease = sight->lock->record.lease;

	return lease > 0 && sight->age > lease * NS_PER_S;
}

static struct answer by_empty(const struct sight *sight)
{
	(void)sight;
	return (struct answer){FOUND_FREE, REASON_NOBODY};
}

static struct answer by_pid(const struct sight *sight)
{
	return (struct answer){
		verdict_is_proof(sight->claim) ? FOUND_STALE : FOUND_BUSY, sight->claim};
}

static struct answer by_plain(const struct sight *sight)
{
	struct answer answer = by_pid(sight);

	if (answer.found == FOUND_BUSY && is_too_old(sight))
		answer = (struct answer){FOUND_STALE, TOO_OLD};
	return answer;
}

static struct answer by_lease(const struct sight *sight, enum reason over)
{
	if (is_lease_over(sight))
		return (struct answer){FOUND_STALE, over};
	return (struct answer){FOUND_BUSY, sight->claim};
}

/* The flock that its holder would have is ours: proof, if this kernel would know of its flock. */
static struct answer by_flock(const struct sight *sight)
{
	if (sight->lock->boot_is == RELATION_SAME)
		return (struct answer){FOUND_STALE, REASON_NO_FLOCK};
	if (sight->claim == REASON_OTHER_HOST || sight->claim == REASON_OTHER_BOOT)
		return by_lease(sight, REASON_LEASE_OVER_UNCHECKED);
	return (struct answer){
		FOUND_STALE, sight->claim == REASON_OLD_BOOT ? REASON_OLD_BOOT : REASON_NO_FLOCK};
}

static struct answer by_owner(const struct sight *sight)
{
	struct answer answer = by_pid(sight);

	return answer.found == FOUND_STALE ? answer : by_lease(sight, REASON_LEASE_OVER);
}

static struct answer by_lt1(const struct sight *sight)
{
	return sight->lock->record.mode == 'd' ? by_owner(sight) : by_flock(sight);
}

static struct answer by_version(const struct sight *sight)
{
	(void)sight;
	return (struct answer){FOUND_BUSY, REASON_FOREIGN};
}

static struct answer by_bytes(const struct sight *sight)
{
	if (sight->age > GRACE)
		return (struct answer){FOUND_STALE, REASON_CORRUPT};
	return (struct answer){FOUND_BUSY, REASON_WRITING};
}

static const struct rule {
	struct answer (*judge)(const struct sight *sight);
	bool has_limit; /* the policy "limit" may end it */
} rules[RECORD_FORMAT_COUNT] = {
	[RECORD_NONE] = {by_version, false},
	[RECORD_EMPTY] = {by_empty, false},
	[RECORD_PLAIN] = {by_plain, true},
	[RECORD_LT1] = {by_lt1, true},
	[RECORD_PID] = {by_pid, true},
	[RECORD_FOREIGN] = {by_version, false},
	[RECORD_CORRUPT] = {by_bytes, false},
};

static void say(struct judged *judged, const struct sight *sight, enum reason reason)
{
	char age[32], limit[32];
	struct lock shown = *sight->lock;
	struct verdict verdict = {.reason = (int)reason, .age = sight->age};

	if (reason == TOO_OLD) {
		snprintf(judged->reason, sizeof judged->reason,
			"written %s ago, and after %s it counts as stale",
			text_duration(age, sizeof age, sight->age),
			text_duration(limit, sizeof limit, sight->facts->limit));
		return;
	}
	/* So that the sentence counts from when the lease ended by this judgement's clock. */
	shown.since = 0;
	shown.since_mono = MONO_UNKNOWN;
	shown.clock_step = 0;
	shown.expires = 0;
	if (shown.record.lease > 0 && sight->age > 0)
		shown.expires = sight->facts->now_wall - sight->age + shown.record.lease * NS_PER_S;
	verdict_why(judged->reason, sizeof judged->reason, &shown, sight->facts, &verdict);
}

void file_judge(struct judged *judged, const struct lock *lock, const struct facts *facts,
	enum takeover takeover)
{
	struct sight sight = {.lock = lock,
		.facts = facts,
		.claim = verdict_of_claim(lock),
		.age = age_of(lock, facts)};
	const struct rule *rule = &rules[lock->record.format];
	struct answer answer = rule->judge(&sight);

	if (answer.found == FOUND_BUSY && takeover == TAKEOVER_LIMIT && rule->has_limit &&
		is_too_old(&sight))
		answer = (struct answer){FOUND_STALE, TOO_OLD};
	*judged = (struct judged){.found = answer.found};
	if (answer.found == FOUND_FREE)
		return;
	say(judged, &sight, answer.reason);
	if (answer.found == FOUND_STALE && takeover == TAKEOVER_NEVER) {
		judged->found = FOUND_BUSY;
		judged->is_left = true;
	}
}

/* Judges: from a lock's facts to its state, by one function for each form of record. */
#include "config.h"
#include "model/verdict.h"

#include <limits.h>
#include <strings.h>

#include "model/reasons.h"

enum {
	/* A record keeps whole seconds, and a start time comes in ticks: both may be off. */
	START_SLACK_S = 2,
	GRACE_S = 2,
	USUAL_MIN_S = 60, /* below, no hold is worth a look for being longer than others */
};

/* Reader and source read their clocks one after the other: so much future is no skew. */
#define SKEW_SLACK NS_PER_S

struct reason_info {
	enum state state;
	enum safety safe;
};

static const struct reason_info reason_info[REASON_COUNT] = {
#define _(id, state, safe, why, advice) [REASON_##id] = {STATE_##state, SAFETY_##safe},
	REASONS(_)
#undef _
};

static const struct state_info {
	const char *word, *mark, *ascii, *help;
	int rank;
} state_info[STATE_COUNT] = {
#define _(id, word, mark, ascii, rank, help) [STATE_##id] = {word, mark, ascii, help, rank},
	STATES(_)
#undef _
};

static const char *const safety_words[] = {
	[SAFETY_UNKNOWN] = "UNKNOWN",
	[SAFETY_SAFE] = "SAFE",
	[SAFETY_NOT_SAFE] = "NOT SAFE",
	[SAFETY_NONE] = "",
};

/* One judgement at work. */
struct look {
	const struct lock *lock;
	const struct facts *facts;
	const struct process *kernel;
	int64_t age;  /* ns, AGE_UNKNOWN */
	int64_t wait; /* ns until time alone changes the state, INT64_MAX never */
	bool is_over;
};

/*
 * What a record or a clock says may be anything: sums stop at the ends instead of wrapping. The
 * lower end is above INT64_MIN, which means unknown and has no opposite.
 */
static int64_t clamp(int64_t ns)
{
	return ns == INT64_MIN ? INT64_MIN + 1 : ns;
}

static int64_t add(int64_t a, int64_t b)
{
	int64_t sum;

	if (__builtin_add_overflow(a, b, &sum))
		sum = b < 0 ? INT64_MIN : INT64_MAX;
	return clamp(sum);
}

static int64_t sub(int64_t a, int64_t b)
{
	int64_t difference;

	if (__builtin_sub_overflow(a, b, &difference))
		difference = b > 0 ? INT64_MIN : INT64_MAX;
	return clamp(difference);
}

static int64_t seconds(int64_t s)
{
	int64_t ns;

	if (__builtin_mul_overflow(s, NS_PER_S, &ns))
		ns = s < 0 ? INT64_MIN : INT64_MAX;
	return clamp(ns);
}

static int64_t magnitude(int64_t ns)
{
	return ns < 0 ? sub(0, ns) : ns;
}

static bool names_a_pid(const struct record *record)
{
	return record->format == RECORD_PLAIN || record->format == RECORD_LT1 ||
	       record->format == RECORD_PID;
}

/* When the record says the lock was taken, on the wall clock of its writer; 0 unknown. */
static wall_t taken_at(const struct lock *lock)
{
	const struct record *record = &lock->record;

	switch (record->format) {
	case RECORD_LT1:
		if (record->acquired > 0)
			return record->acquired;
		/* fallthrough */
	case RECORD_PLAIN: return record->time > 0 ? seconds(record->time) : 0;
	case RECORD_PID:
	case RECORD_CORRUPT: return lock->written;
	default: return 0;
	}
}

int64_t verdict_age(const struct lock *lock, const struct facts *facts)
{
	wall_t since = lock->since ? lock->since : taken_at(lock);
	int64_t age;

	if (lock->since_mono != MONO_UNKNOWN)
		age = sub(facts->now, lock->since_mono);
	else if (since)
		age = sub(facts->now_wall, since);
	else
		return AGE_UNKNOWN;

	return age < 0 && age > -SKEW_SLACK ? 0 : age;
}

const struct process *verdict_kernel_holder(const struct lock *lock)
{
	/* Of a lock of the kernel's own nobody else can name holders. */
	for (size_t i = 0; i < lock->holders; i++)
		if (lock->holder[i].from_kernel || lock->kind != LOCK_FILE)
			return &lock->holder[i];
	return NULL;
}

const struct process *verdict_claim(const struct lock *lock)
{
	if (!names_a_pid(&lock->record) && lock->record.format != RECORD_FOREIGN)
		return NULL;
	for (size_t i = 0; i < lock->holders; i++)
		if (lock->holder[i].pid == lock->record.pid && lock->record.pid > 0)
			return &lock->holder[i];
	return NULL;
}

int64_t verdict_late(const struct lock *lock, const struct process *claim)
{
	wall_t taken = taken_at(lock);

	if (!claim->started || !taken)
		return 0;
	return sub(claim->started, taken);
}

static bool is_reused(const struct lock *lock, const struct process *claim)
{
	if (lock->record.start && claim->start)
		return lock->record.start != claim->start;
	/* After a jump of the wall clock, start times and records are off by as much. */
	return verdict_late(lock, claim) > add(seconds(START_SLACK_S), magnitude(lock->clock_step));
}

enum reason verdict_of_claim(const struct lock *lock)
{
	static const enum reason by_life[LIFE_COUNT] = {
		[LIFE_UNKNOWN] = REASON_UNCHECKED,
		[LIFE_ALIVE] = REASON_ALIVE,
		[LIFE_STOPPED] = REASON_STOPPED,
		[LIFE_ZOMBIE] = REASON_ZOMBIE,
		[LIFE_EXITING] = REASON_EXITING,
		[LIFE_GONE] = REASON_GONE,
	};
	const struct process *claim = verdict_claim(lock);

	if (lock->host_is == RELATION_OTHER)
		return REASON_OTHER_HOST;
	if (lock->boot_is == RELATION_OTHER)
		return lock->host_is == RELATION_SAME ? REASON_OLD_BOOT : REASON_OTHER_BOOT;
	if (lock->ns_is == RELATION_OTHER)
		return REASON_OTHER_NS;
	if (!claim || claim->life == LIFE_UNKNOWN || claim->life >= LIFE_COUNT)
		return REASON_UNCHECKED;
	if (claim->life != LIFE_GONE && is_reused(lock, claim))
		return REASON_REUSED;
	return by_life[claim->life];
}

bool verdict_is_reused(const struct lock *lock)
{
	return verdict_of_claim(lock) == REASON_REUSED;
}

bool verdict_is_proof(enum reason reason)
{
	return reason_info[reason].state == STATE_STALE;
}

int64_t verdict_lease_left(const struct lock *lock, const struct facts *facts)
{
	wall_t end = lock->expires;

	if (!end && lock->record.format == RECORD_LT1 && lock->record.lease > 0)
		end = add(seconds(lock->record.time), seconds(lock->record.lease));
	if (!end)
		return INT64_MAX;

	/* The writer's own two stamps and our steady clock: no jump of a wall clock matters. */
	if (lock->since && lock->since_mono != MONO_UNKNOWN)
		return sub(add(lock->since_mono, sub(end, lock->since)), facts->now);
	/* A forward jump that was seen is given to the holder. */
	if (lock->clock_step > 0)
		end = add(end, lock->clock_step);
	return sub(end, facts->now_wall);
}

int64_t verdict_limit(const struct lock *lock, const struct facts *facts)
{
	/* A daemon may run for ever. */
	return lock->record.format == RECORD_PID || facts->limit < 0 ? 0 : facts->limit;
}

int64_t verdict_usual_limit(const struct facts *facts)
{
	double limit = (double)facts->usual * facts->usual_factor;

	/* Written so that NaN is none, too. */
	if (!(facts->usual > 0 && facts->usual_factor > 0 && limit < 1e18))
		return 0;
	return limit > (double)seconds(USUAL_MIN_S) ? (int64_t)limit : seconds(USUAL_MIN_S);
}

/* The less of two that are not 0. */
static int64_t stricter(int64_t a, int64_t b)
{
	return !a || (b && b < a) ? b : a;
}

int64_t verdict_bound(const struct lock *lock, const struct facts *facts)
{
	if (lock->record.format == RECORD_PID)
		return 0;
	return stricter(verdict_limit(lock, facts), verdict_usual_limit(facts));
}

static void wait_at_most(struct look *look, int64_t ns)
{
	if (ns < look->wait)
		look->wait = ns;
}

/* Is it older than that? Notes when it will be. */
static bool is_older(struct look *look, int64_t limit)
{
	if (!limit || look->age == AGE_UNKNOWN)
		return false;
	if (look->age > limit)
		return true;
	wait_at_most(look, add(sub(limit, look->age), 1));
	return false;
}

static bool is_over(struct look *look)
{
	return is_older(look, verdict_limit(look->lock, look->facts));
}

/* Somebody has it: that is all right for so long as is allowed, and as others had it. */
static enum reason held(struct look *look, enum reason reason)
{
	look->is_over = is_older(look, verdict_bound(look->lock, look->facts));
	return reason;
}

/* Did it end in this boot? No descriptor outlives another. */
static bool has_ended(enum reason claim)
{
	return verdict_is_proof(claim) && claim != REASON_OLD_BOOT;
}

/* The kernel names a holder: nothing that the record says can be truer. */
static enum reason judge_kernel_holder(struct look *look)
{
	const struct lock *lock = look->lock;
	const struct process *claim = verdict_claim(lock);
	bool is_file = lock->kind == LOCK_FILE;

	if (look->kernel->pid <= 0 && !is_file)
		return held(look, REASON_HIDDEN);
	if (look->kernel->life == LIFE_GONE)
		return held(look, REASON_TAKER_GONE);
	if (look->kernel->life == LIFE_STOPPED)
		return held(look, is_file ? REASON_FLOCK_STOPPED : REASON_KERNEL_STOPPED);
	if (claim && claim->pid != look->kernel->pid && has_ended(verdict_of_claim(lock)))
		return held(look, REASON_INHERITED);
	return held(look, is_file ? REASON_FLOCK : REASON_KERNEL);
}

static enum reason judge_corrupt(struct look *look)
{
	const struct lock *lock = look->lock;
	int64_t grace = look->facts->malformed_grace;

	/* A FIFO, a link, a gigabyte: nobody read it, and no time makes it a record. */
	if (lock->problem && !(lock->bytes && lock->bytes[0]))
		return REASON_NO_FILE;
	if (grace <= 0)
		grace = seconds(GRACE_S);
	if (look->age == AGE_UNKNOWN || look->age > grace)
		return REASON_CORRUPT;
	wait_at_most(look, add(sub(grace, look->age), 1));
	return REASON_WRITING;
}

static enum reason judge_none(struct look *look)
{
	return look->lock->problem ? REASON_UNREADABLE : REASON_NO_RECORD;
}

static enum reason judge_foreign(struct look *look)
{
	(void)look;
	return REASON_FOREIGN;
}

static enum reason judge_empty(struct look *look)
{
	switch (look->lock->kernel) {
	case KERNEL_VIEW_COMPLETE: return REASON_NOBODY;
	case KERNEL_VIEW_UNREAD: return REASON_UNREAD;
	default: return REASON_NO_VIEW;
	}
}

static enum reason judge_plain(struct look *look)
{
	enum reason reason = verdict_of_claim(look->lock);

	switch (reason_info[reason].state) {
	case STATE_HELD:
		if (look->lock->record.format == RECORD_PLAIN &&
			look->lock->flags & LOCK_FLAG(POOL_WORKER))
			reason = REASON_POOL;
		return held(look, reason);
	case STATE_UNKNOWN:
		if (reason == REASON_UNCHECKED && is_over(look))
			return REASON_AGE_OVER;
		return reason;
	default: return reason;
	}
}

static enum reason judge_pid(struct look *look)
{
	enum reason reason = verdict_of_claim(look->lock);

	return reason == REASON_ALIVE ? REASON_DAEMON : reason;
}

static bool lease_is_over(struct look *look)
{
	int64_t left = verdict_lease_left(look->lock, look->facts);

	if (left == INT64_MAX)
		return false;
	if (left < 0)
		return true;
	wait_at_most(look, add(left, 1));
	return false;
}

/* The holder cannot be checked: only its lease may speak, and that only as a hint. */
static enum reason judge_unchecked(struct look *look, enum reason reason)
{
	return lease_is_over(look) ? REASON_LEASE_OVER_UNCHECKED : reason;
}

/* LT1 m=h: the holder keeps a flock for its whole hold, and the kernel names nobody. */
static enum reason judge_flocked(struct look *look, enum reason claim)
{
	const struct lock *lock = look->lock;

	if (lock->kernel == KERNEL_VIEW_COMPLETE)
		return REASON_NO_FLOCK;
	if (reason_info[claim].state == STATE_HELD)
		return held(look, claim);
	if (lock->kernel == KERNEL_VIEW_UNREAD)
		return REASON_UNREAD;
	if (!verdict_is_proof(claim))
		return judge_unchecked(look, claim);
	if (lock->kernel == KERNEL_VIEW_NONE || lock->ns_is == RELATION_SAME)
		return claim;
	return REASON_PARTIAL;
}

/* LT1 m=d: no process keeps a flock; the lease and the owner's pid are all there is. */
static enum reason judge_detached(struct look *look, enum reason claim)
{
	bool has_lease = verdict_lease_left(look->lock, look->facts) != INT64_MAX;

	if (verdict_is_proof(claim))
		return claim;
	if (lease_is_over(look))
		return REASON_LEASE_OVER;
	if (reason_info[claim].state != STATE_HELD)
		return claim;
	return held(look, claim == REASON_ALIVE && has_lease ? REASON_LEASED : claim);
}

static enum reason judge_lt1(struct look *look)
{
	enum reason claim = verdict_of_claim(look->lock);

	/* What this kernel knows of flocks says nothing of another machine's. */
	if (claim == REASON_OTHER_HOST || claim == REASON_OTHER_BOOT)
		return judge_unchecked(look, claim);
	if (claim == REASON_OLD_BOOT)
		return claim;
	switch (look->lock->record.mode) {
	case 'h': return judge_flocked(look, claim);
	case 'd': return judge_detached(look, claim);
	default: return judge_plain(look);
	}
}

static enum reason judge(struct look *look)
{
	static enum reason (*const by_format[RECORD_FORMAT_COUNT])(struct look *) = {
		[RECORD_NONE] = judge_none,
		[RECORD_EMPTY] = judge_empty,
		[RECORD_PLAIN] = judge_plain,
		[RECORD_LT1] = judge_lt1,
		[RECORD_PID] = judge_pid,
		[RECORD_FOREIGN] = judge_foreign,
		[RECORD_CORRUPT] = judge_corrupt,
	};
	const struct record *record = &look->lock->record;

	if (look->kernel)
		return judge_kernel_holder(look);
	if (look->lock->kind != LOCK_FILE)
		return held(look, REASON_HIDDEN);
	/* kill(2) takes 0 and below for groups of processes, which always seem alive. */
	if (record->format >= RECORD_FORMAT_COUNT || (names_a_pid(record) && record->pid <= 0))
		return judge_corrupt(look);
	return by_format[record->format](look);
}

static unsigned int judged_flags(const struct look *look, enum reason reason)
{
	const struct lock *lock = look->lock;
	const struct process *holder = verdict_holder(lock);
	unsigned int flags = lock->flags;

	if (lock->waiters)
		flags |= LOCK_FLAG(CONTENDED);
	if (look->age != AGE_UNKNOWN && look->age < 0)
		flags |= LOCK_FLAG(SKEWED);
	if (lock->class == LOCK_CLASS_VOLATILE)
		flags |= LOCK_FLAG(VOLATILE);
	if (look->facts->is_silent)
		flags |= LOCK_FLAG(PAST);
	if (look->kernel && (look->kernel->is_inherited || reason == REASON_INHERITED ||
				    reason == REASON_TAKER_GONE))
		flags |= LOCK_FLAG(INHERITED);
	/* Of a reused pid it is no matter what the other process does. */
	if (holder && holder->life == LIFE_STOPPED && !verdict_is_proof(reason))
		flags |= LOCK_FLAG(STOPPED);
	return flags;
}

static enum safety safety_of(const struct lock *lock, enum reason reason)
{
	if (reason == REASON_LEASE_OVER && lock->class == LOCK_CLASS_VOLATILE)
		return SAFETY_UNKNOWN;
	return reason_info[reason].safe;
}

struct verdict verdict_of(const struct lock *lock, const struct facts *facts)
{
	struct look look = {
		.lock = lock,
		.facts = facts,
		.kernel = verdict_kernel_holder(lock),
		.age = verdict_age(lock, facts),
		.wait = INT64_MAX,
	};
	enum reason reason = facts->is_silent ? REASON_SILENT : judge(&look);
	struct verdict verdict = {
		.state = look.is_over ? STATE_OVERDUE : reason_info[reason].state,
		.safe = safety_of(lock, reason),
		.reason = (int)reason,
		.flags = judged_flags(&look, reason),
		.due = look.wait == INT64_MAX ? MONO_NEVER : add(facts->now, look.wait),
		.age = look.age,
	};

	return verdict;
}

const struct process *verdict_holder(const struct lock *lock)
{
	const struct process *kernel = verdict_kernel_holder(lock);
	const struct process *claim = kernel ? NULL : verdict_claim(lock);

	if (kernel || claim)
		return kernel ? kernel : claim;
	return lock->holders ? &lock->holder[0] : NULL;
}

int verdict_running(const struct lock *lock, const struct verdict *verdict)
{
	const struct process *kernel = verdict_kernel_holder(lock);
	enum reason claim;

	if (verdict->reason == REASON_SILENT)
		return -1;
	if (kernel)
		return kernel->life == LIFE_ALIVE || kernel->life == LIFE_STOPPED ? 1
		       : kernel->life == LIFE_UNKNOWN                             ? -1
										  : 0;
	if (verdict->state == STATE_FREE)
		return 0;
	if (!verdict_claim(lock))
		return -1;
	claim = verdict_of_claim(lock);
	return reason_info[claim].state == STATE_HELD ? 1 : verdict_is_proof(claim) ? 0 : -1;
}

bool verdict_is_alive(const struct lock *lock, const struct verdict *verdict)
{
	return verdict_running(lock, verdict) == 1;
}

bool verdict_allows_release(const struct verdict *verdict)
{
	return verdict->safe == SAFETY_SAFE &&
	       (verdict->state == STATE_STALE || verdict->state == STATE_EXPIRED);
}

static const struct {
	int active, stale;
} health[STATE_COUNT] = {
	[STATE_FREE] = {0, 0},
	[STATE_HELD] = {1, 0},
	[STATE_OVERDUE] = {1, 0},
	[STATE_STALE] = {0, 1},
	[STATE_EXPIRED] = {0, 0},
	[STATE_UNKNOWN] = {-1, -1},
	[STATE_CORRUPT] = {-1, -1},
};

int state_is_active(enum state state)
{
	return health[state].active;
}

int state_is_stale(enum state state)
{
	return health[state].stale;
}

const char *state_word(enum state state)
{
	return state < STATE_COUNT ? state_info[state].word : "?";
}

const char *state_mark(enum state state, bool ascii)
{
	if (state >= STATE_COUNT)
		return "?";
	return ascii ? state_info[state].ascii : state_info[state].mark;
}

int state_rank(enum state state)
{
	return state < STATE_COUNT ? state_info[state].rank : -1;
}

const char *state_help(enum state state)
{
	return state < STATE_COUNT ? state_info[state].help : "";
}

int state_from_word(const char *word)
{
	for (int i = 0; i < STATE_COUNT; i++)
		if (strcasecmp(word, state_info[i].word) == 0)
			return i;
	return -1;
}

const char *safety_word(enum safety safe)
{
	return (size_t)safe < sizeof safety_words / sizeof *safety_words ? safety_words[safe] : "";
}

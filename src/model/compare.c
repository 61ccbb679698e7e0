/* Two locks side by side: lines are gathered, put in order, and held against each other. */
#include "config.h"
#include "model/compare.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"

enum { NOBODY = -1, TABLE = 2 * COMPARE_LOCKS };

/* A line of a release is written after it: by then the next holder may have written his. */
#define LATE NS_PER_S

/* What a line does to a hold. */
enum deed { DEED_ACQUIRED, DEED_ENDED, DEED_TAKEN_AWAY, DEED_REFUSED, DEED_NONE };

/* Who wrote a line. 0: unknown. */
struct who {
	uint64_t process; /* host and pid */
	uint32_t token;
	int32_t pid; /* to be shown */
};

/* A line, as far as it matters here: 40 bytes. */
struct line {
	wall_t ts;
	struct who who;
	uint32_t number; /* as it came in: of two of the same moment the first stays first */
	uint16_t lock;
	uint8_t side, deed;
};

struct hold {
	struct who who;
	uint32_t number; /* its own, from 1 on; 0: nobody has the lock */
	bool is_paired;  /* its holder had the other lock, too */
	bool is_ending;  /* and has given that one back */
};

struct lock {
	uint64_t address, stem; /* hashes */
	bool has_stem;          /* it is the first one of its side with that name */
	int partner;            /* of the other side; NOBODY */
	size_t searched;        /* among so many */
	struct hold hold;
	struct hold previous; /* which ended with this one's `acquired`, how is not known yet */
	wall_t replaced;      /* when that was */
};

/* Two holds by different holders at once. */
struct span {
	uint32_t hold[SIDES]; /* 0: it has ended well, or the span is unused */
	int32_t pid[SIDES];
	wall_t from, to; /* to 0: both go on */
	enum compare_side first;
};

struct compare_order {
	struct lock lock[SIDES][COMPARE_LOCKS];
	uint16_t table[SIDES][TABLE]; /* by address: place + 1; 0: empty */
	struct span span[COMPARE_SPANS];
	size_t oldest_span;
	uint32_t holds;    /* numbers given out */
	struct line *line; /* owned */
	size_t lines, size;
	uint32_t number;
	wall_t done; /* what is earlier was held against each other already */
};

/* --- lines --- */

static enum deed deed_of(enum metric_event event)
{
	switch (event) {
	case METRIC_ACQUIRED: return DEED_ACQUIRED;
	case METRIC_RELEASED:
	case METRIC_LOST: return DEED_ENDED;
	case METRIC_RELEASED_STALE:
	case METRIC_FORCED: return DEED_TAKEN_AWAY;
	case METRIC_BUSY:
	case METRIC_TIMEOUT: return DEED_REFUSED;
	default: return DEED_NONE;
	}
}

static uint64_t hash_of(const char *text, uint64_t seed)
{
	return text ? text_hash(text, strlen(text), seed) : seed;
}

static struct who who_of(const struct metric *metric)
{
	struct who who = {.pid = metric->pid};

	if (metric->pid > 0)
		who.process =
			text_hash(&metric->pid, sizeof metric->pid, hash_of(metric->host, 0)) | 1;
	if (metric->token && *metric->token)
		who.token = (uint32_t)hash_of(metric->token, 0) | 1;
	return who;
}

static bool is_same(const struct who *a, const struct who *b)
{
	if (a->token && b->token)
		return a->token == b->token;
	return a->process && a->process == b->process;
}

/* Not the same, for sure: nothing is said of a line that does not tell who wrote it. */
static bool is_another(const struct who *a, const struct who *b)
{
	return ((a->token && b->token) || (a->process && b->process)) && !is_same(a, b);
}

static uint64_t stem_of(const char *name)
{
	static const char tail[] = ".lock";
	size_t len = name ? strlen(name) : 0, n = sizeof tail - 1;

	if (len > n && strcmp(name + len - n, tail) == 0)
		len -= n;
	return text_hash(name ? name : "", len, 0);
}

static bool has_stem(const struct compare *compare, enum compare_side side, uint64_t stem)
{
	for (size_t i = 0; i < compare->side[side].locks; i++)
		if (compare->order->lock[side][i].stem == stem)
			return true;
	return false;
}

/* The place of a line's lock, which is made when it is new; NOBODY: there are too many. */
static int lock_of(struct compare *compare, enum compare_side side, const struct metric *metric)
{
	struct compare_order *order = compare->order;
	uint64_t address = hash_of(metric->lock, hash_of("/", hash_of(metric->source, 0)));
	size_t i = address % TABLE;

	for (; order->table[side][i]; i = (i + 1) % TABLE)
		if (order->lock[side][order->table[side][i] - 1].address == address)
			return order->table[side][i] - 1;
	if (compare->side[side].locks == COMPARE_LOCKS)
		return NOBODY;
	order->lock[side][compare->side[side].locks] = (struct lock){
		.address = address,
		.stem = stem_of(metric->lock),
		.has_stem = !has_stem(compare, side, stem_of(metric->lock)),
		.partner = NOBODY,
	};
	order->table[side][i] = (uint16_t)++compare->side[side].locks;
	return order->table[side][i] - 1;
}

/* --- who belongs to whom --- */

static struct lock *partner_of(struct compare *compare, enum compare_side side, struct lock *lock)
{
	enum compare_side other = side == SIDE_A ? SIDE_B : SIDE_A;
	struct lock *theirs = compare->order->lock[other];
	size_t n = compare->side[other].locks;

	if (n == 1 && compare->side[side].locks == 1)
		return theirs;
	if (!lock->has_stem)
		return NULL;
	/* The first one that is found is the first one with that name: both see each other. */
	for (; lock->partner == NOBODY && lock->searched < n; lock->searched++)
		if (theirs[lock->searched].stem == lock->stem)
			lock->partner = (int)lock->searched;
	return lock->partner == NOBODY ? NULL : &theirs[lock->partner];
}

static void note(struct compare *compare, const struct compare_incident *incident)
{
	if (compare->incidents == COMPARE_INCIDENTS)
		memmove(compare->incident, compare->incident + 1,
			--compare->incidents * sizeof *compare->incident);
	compare->incident[compare->incidents++] = *incident;
}

/* --- overlaps --- */

static void open_span(struct compare *compare, enum compare_side side, const struct lock *lock,
	const struct lock *partner, wall_t at)
{
	struct compare_order *order = compare->order;
	enum compare_side other = side == SIDE_A ? SIDE_B : SIDE_A;
	struct span *span = &order->span[order->oldest_span];

	order->oldest_span = (order->oldest_span + 1) % COMPARE_SPANS;
	*span = (struct span){.from = at, .first = other};
	span->hold[side] = lock->hold.number;
	span->hold[other] = partner->hold.number;
	span->pid[side] = lock->hold.who.pid;
	span->pid[other] = partner->hold.who.pid;
}

static void count_span(struct compare *compare, const struct span *span)
{
	struct compare_incident incident = {
		.at = span->from,
		.gave = span->first,
		.is_overlap = true,
		.length = span->to - span->from,
		.pid = span->pid[span->first],
		.other = span->pid[span->first == SIDE_A ? SIDE_B : SIDE_A],
	};

	if (incident.length <= COMPARE_SLACK)
		return;
	compare->overlaps++;
	if (incident.length > compare->longest)
		compare->longest = incident.length;
	note(compare, &incident);
}

/* A hold ended: well, or nobody knows when. */
static void close_spans(
	struct compare *compare, enum compare_side side, uint32_t hold, wall_t at, bool is_well)
{
	enum compare_side other = side == SIDE_A ? SIDE_B : SIDE_A;

	for (size_t i = 0; i < COMPARE_SPANS; i++) {
		struct span *span = &compare->order->span[i];

		if (span->hold[side] != hold)
			continue;
		if (!is_well) {
			*span = (struct span){0};
			continue;
		}
		span->hold[side] = 0;
		span->to = span->to ? span->to : at;
		if (span->hold[other] == 0) {
			count_span(compare, span);
			*span = (struct span){0};
		}
	}
}

/* --- the deeds --- */

/* Who had both and gives one of them back has done his work. */
static void end_pair(struct compare *compare, enum compare_side side, struct lock *lock)
{
	struct lock *partner = partner_of(compare, side, lock);

	if (lock->hold.is_paired && partner && partner->hold.number &&
		is_same(&partner->hold.who, &lock->hold.who))
		partner->hold.is_ending = true;
}

static void forget_previous(struct compare *compare, enum compare_side side, struct lock *lock)
{
	if (lock->previous.number)
		close_spans(compare, side, lock->previous.number, 0, false);
	lock->previous = (struct hold){0};
}

static void take_away(struct compare *compare, enum compare_side side, struct lock *lock)
{
	if (!lock->hold.number)
		return;
	end_pair(compare, side, lock);
	close_spans(compare, side, lock->hold.number, 0, false);
	lock->hold = (struct hold){0};
}

/* Given back, or lost, by him who has it, or who had it a moment ago: lines come late. */
static void give_back(struct compare *compare, const struct line *line, struct lock *lock)
{
	if (lock->hold.number && is_same(&lock->hold.who, &line->who)) {
		end_pair(compare, line->side, lock);
		close_spans(compare, line->side, lock->hold.number, line->ts, true);
		lock->hold = (struct hold){0};
	} else if (lock->previous.number && is_same(&lock->previous.who, &line->who) &&
		   line->ts - lock->replaced <= LATE) {
		close_spans(compare, line->side, lock->previous.number, lock->replaced, true);
		lock->previous = (struct hold){0};
	}
}

static void replace(struct compare *compare, const struct line *line, struct lock *lock)
{
	forget_previous(compare, line->side, lock);
	end_pair(compare, line->side, lock);
	lock->previous = lock->hold;
	lock->replaced = line->ts;
	lock->hold = (struct hold){.who = line->who, .number = ++compare->order->holds};
}

static void begin_hold(struct compare *compare, const struct line *line, struct lock *lock)
{
	struct lock *partner = partner_of(compare, line->side, lock);

	replace(compare, line, lock);
	if (!partner || !partner->hold.number || partner->hold.is_ending)
		return;
	if (is_same(&partner->hold.who, &line->who)) {
		compare->together++;
		lock->hold.is_paired = partner->hold.is_paired = true;
	} else if (is_another(&partner->hold.who, &line->who)) {
		open_span(compare, line->side, lock, partner, line->ts);
	}
}

static void refuse(struct compare *compare, const struct line *line, struct lock *lock)
{
	struct lock *partner = partner_of(compare, line->side, lock);
	struct compare_incident incident = {
		.at = line->ts,
		.gave = line->side == SIDE_A ? SIDE_B : SIDE_A,
		.pid = line->who.pid,
		.other = -1,
	};

	if (!partner || !partner->hold.number || !is_same(&partner->hold.who, &line->who))
		return;
	compare->disagreements[incident.gave]++;
	note(compare, &incident);
}

static void do_line(struct compare *compare, const struct line *line)
{
	struct lock *lock = &compare->order->lock[line->side][line->lock];

	switch (line->deed) {
	case DEED_ACQUIRED: begin_hold(compare, line, lock); break;
	case DEED_REFUSED: refuse(compare, line, lock); break;
	case DEED_ENDED: give_back(compare, line, lock); break;
	case DEED_TAKEN_AWAY: take_away(compare, line->side, lock); break;
	default: break;
	}
}

/* --- order --- */

static int by_time(const void *a, const void *b)
{
	const struct line *x = a, *y = b;

	if (x->ts != y->ts)
		return x->ts < y->ts ? -1 : 1;
	return x->number < y->number ? -1 : x->number > y->number;
}

/* Puts all lines in order and does the first n of them. */
static void do_lines(struct compare *compare, size_t n)
{
	struct compare_order *order = compare->order;

	qsort(order->line, order->lines, sizeof *order->line, by_time);
	for (size_t i = 0; i < n; i++)
		do_line(compare, &order->line[i]);
	if (n > 0)
		order->done = order->line[n - 1].ts;
	order->lines -= n;
	memmove(order->line, order->line + n, order->lines * sizeof *order->line);
}

static int make_room(struct compare *compare)
{
	struct compare_order *order = compare->order;
	size_t size = order->size ? 2 * order->size : 1024;
	struct line *line;

	if (order->lines < order->size)
		return 0;
	if (order->size == COMPARE_LINES) {
		do_lines(compare, order->lines / 2);
		return 0;
	}
	line = realloc(order->line, size * sizeof *line);
	if (!line)
		return -ENOMEM;
	order->line = line;
	order->size = size;
	return 0;
}

static int keep(struct compare *compare, enum compare_side side, const struct metric *metric)
{
	enum deed deed = deed_of(metric->event);
	struct compare_order *order;
	int lock, e;

	if (deed == DEED_NONE)
		return 0;
	if (!compare->order)
		compare->order = calloc(1, sizeof *compare->order);
	order = compare->order;
	if (!order)
		return -ENOMEM;
	if (metric->ts < order->done) {
		compare->late++;
		return 0;
	}
	lock = lock_of(compare, side, metric);
	if (lock == NOBODY) {
		compare->beyond++;
		return 0;
	}
	e = make_room(compare);
	if (e < 0)
		return e;
	order->line[order->lines++] = (struct line){
		.ts = metric->ts,
		.who = who_of(metric),
		.number = order->number++,
		.lock = (uint16_t)lock,
		.side = (uint8_t)side,
		.deed = (uint8_t)deed,
	};
	return 0;
}

int compare_add(struct compare *compare, enum compare_side side, const struct metric *metric)
{
	struct compare_side_facts *facts = &compare->side[side];
	int e = tally_add(&facts->tally, metric);

	if (e == 0 && metric->event == METRIC_ACQUIRED && metric->attempts == 1 &&
		metric->wait >= 0)
		e = histogram_add(&facts->first_try, metric->wait, 1);
	if (e == 0)
		e = keep(compare, side, metric);
	if (e < 0)
		return e;
	facts->lines++;
	if (metric->event != METRIC_ACQUIRED)
		return 0;
	if (!facts->acquired_first || metric->ts < facts->acquired_first)
		facts->acquired_first = metric->ts;
	if (metric->ts > facts->acquired_last)
		facts->acquired_last = metric->ts;
	return 0;
}

void compare_end(struct compare *compare)
{
	if (compare->order)
		do_lines(compare, compare->order->lines);
}

void compare_release(struct compare *compare)
{
	for (int side = 0; side < SIDES; side++) {
		tally_release(&compare->side[side].tally);
		histogram_release(&compare->side[side].first_try);
	}
	if (compare->order)
		free(compare->order->line);
	free(compare->order);
	*compare = (struct compare){0};
}

uint64_t compare_only(const struct compare *compare, enum compare_side side)
{
	uint64_t acquired = compare->side[side].tally.count[METRIC_ACQUIRED];

	return acquired > compare->together ? acquired - compare->together : 0;
}

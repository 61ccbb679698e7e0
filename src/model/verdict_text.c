/* Says what was judged: why, what to do, and the evidence, from the templates of reasons.h. */
#include "config.h"
#include "model/verdict.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/sysmacros.h>

#include "base/text.h"
#include "model/reasons.h"

/* A sentence in the making. What does not fit is cut, never in the middle of a character. */
struct sentence {
	char *dst;
	size_t size, len;
	const struct lock *lock;
	const struct facts *facts;
	const struct verdict *verdict;
};

static const struct {
	const char *why, *advice;
} templates[REASON_COUNT] = {
#define _(id, state, safe, why, advice) [REASON_##id] = {why, advice},
	REASONS(_)
#undef _
};

static void put(struct sentence *s, const char *text, size_t len)
{
	size_t room = s->size - 1 - s->len;

	if (len > room) {
		len = room;
		while (len && ((unsigned char)text[len] & 0xc0) == 0x80)
			len--;
		s->size = s->len + len + 1; /* full: nothing may follow a cut */
	}
	memcpy(s->dst + s->len, text, len);
	s->len += len;
	s->dst[s->len] = '\0';
}

static void puts_to(struct sentence *s, const char *text)
{
	put(s, text, strlen(text));
}

/* At most max bytes of a text, cut between two characters. */
static void put_some(struct sentence *s, const char *text, size_t max)
{
	size_t len = strnlen(text, max + 1);

	if (len > max)
		for (len = max; len && ((unsigned char)text[len] & 0xc0) == 0x80;)
			len--;
	put(s, text, len);
}

/* For what is known to be short; the rest goes through puts_to(). */
static void __attribute__((format(printf, 2, 3))) putf(struct sentence *s, const char *format, ...)
{
	char text[200];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof text, format, args);
	va_end(args);
	puts_to(s, text);
}

/* "10m" rather than "10m00s": most limits and many ages are round. */
static void put_duration(struct sentence *s, int64_t ns)
{
	char text[32];
	size_t len = strlen(text_duration(text, sizeof text, ns));

	if (len > 4 && text[len - 2] == '0' && text[len - 3] == '0')
		text[len - 3] = '\0';
	puts_to(s, text);
}

/* What is usual may be far below a second. */
static void put_latency(struct sentence *s, int64_t ns)
{
	char text[32];

	if (ns >= NS_PER_S)
		put_duration(s, ns);
	else
		puts_to(s, text_latency(text, sizeof text, ns));
}

static void put_process(struct sentence *s, const struct process *process)
{
	if (!process || process->pid <= 0) {
		puts_to(s, "somebody");
		return;
	}
	putf(s, "pid %" PRId32, process->pid);
	if (process->comm[0])
		putf(s, " %s", process->comm);
}

static void put_who(struct sentence *s)
{
	put_process(s, verdict_holder(s->lock));
}

static void put_pid(struct sentence *s)
{
	const struct process *holder = verdict_holder(s->lock);

	putf(s, "%" PRId32, holder ? holder->pid : s->lock->record.pid);
}

/* The pid of the record without a name: what bears that number now may be another program. */
static void put_claim(struct sentence *s)
{
	if (s->lock->record.pid > 0)
		putf(s, "pid %" PRId32, s->lock->record.pid);
	else
		puts_to(s, "its holder");
}

static void put_kind(struct sentence *s)
{
	puts_to(s, lock_kind_word(s->lock->kind));
}

static void put_limit(struct sentence *s)
{
	int64_t limit = verdict_limit(s->lock, s->facts);
	int64_t age = verdict_age(s->lock, s->facts);

	if (age < 0 && age != AGE_UNKNOWN) {
		puts_to(s, ", though the record lies ");
		put_duration(s, -age);
		puts_to(s, " in the future");
	} else if (s->verdict->state == STATE_OVERDUE && !(limit && age > limit)) {
		puts_to(s, ": held ");
		put_duration(s, age);
		puts_to(s, ", usual p99 ");
		put_latency(s, s->facts->usual);
	} else if (s->verdict->state == STATE_OVERDUE) {
		puts_to(s, ", but has had it for ");
		put_duration(s, age);
		puts_to(s, ": the limit is ");
		put_duration(s, limit);
	} else if (limit && age != AGE_UNKNOWN) {
		puts_to(s, ", within its limit of ");
		put_duration(s, limit);
	}
}

static void put_usual(struct sentence *s)
{
	if (s->facts->usual <= 0)
		return;
	puts_to(s, " (usual p99 ");
	put_latency(s, s->facts->usual);
	puts_to(s, ")");
}

static void put_max(struct sentence *s)
{
	put_duration(s, verdict_limit(s->lock, s->facts));
}

static void put_age(struct sentence *s)
{
	put_duration(s, verdict_age(s->lock, s->facts));
}

static void put_left(struct sentence *s)
{
	put_duration(s, verdict_lease_left(s->lock, s->facts));
}

static void put_ago(struct sentence *s)
{
	int64_t left = verdict_lease_left(s->lock, s->facts);

	put_duration(s, left < 0 ? -left : 0);
}

static void put_alive(struct sentence *s)
{
	enum reason claim = verdict_of_claim(s->lock);

	if (claim != REASON_ALIVE && claim != REASON_STOPPED)
		return;
	puts_to(s, ", though ");
	put_claim(s);
	puts_to(s, claim == REASON_STOPPED ? " is there (stopped)" : " is alive");
}

static void put_taker(struct sentence *s)
{
	const struct process *kernel = verdict_kernel_holder(s->lock);
	const struct process *claim = verdict_claim(s->lock);

	if (!kernel || !claim || claim->pid == kernel->pid)
		return;
	if (verdict_is_proof(verdict_of_claim(s->lock)))
		putf(s, " (pid %" PRId32 " that took it is gone)", claim->pid);
}

static void put_gone(struct sentence *s)
{
	if (verdict_is_proof(verdict_of_claim(s->lock)))
		putf(s, "; pid %" PRId32 " is gone", s->lock->record.pid);
}

static void put_reused(struct sentence *s)
{
	const struct process *claim = verdict_claim(s->lock);
	int64_t late = claim ? verdict_late(s->lock, claim) : 0;

	if (late > 0) {
		puts_to(s, "it started ");
		put_duration(s, late);
		puts_to(s, " after the lock was written");
	} else {
		puts_to(s, "its start time is not the recorded one");
	}
}

static void put_host(struct sentence *s)
{
	if (s->lock->record.host[0])
		putf(s, " on host %s", s->lock->record.host);
	else if (s->lock->host_is == RELATION_OTHER)
		puts_to(s, " on another host");
}

static void put_problem(struct sentence *s)
{
	puts_to(s, s->lock->problem ? s->lock->problem : "cannot be read");
}

static void put_problem_too(struct sentence *s)
{
	if (s->lock->problem) {
		puts_to(s, ": ");
		puts_to(s, s->lock->problem);
	} else if (s->lock->record.format != RECORD_CORRUPT) {
		putf(s, ": %" PRId32 " is no process id", s->lock->record.pid);
	}
}

static void put_bytes(struct sentence *s)
{
	if (!s->lock->bytes || !s->lock->bytes[0])
		return;
	puts_to(s, "; it begins with \"");
	put_some(s, s->lock->bytes, 64);
	puts_to(s, "\"");
}

/* pid|time|MARKER;… */
static void put_marker(struct sentence *s)
{
	const char *at = s->lock->bytes ? strchr(s->lock->bytes, '|') : NULL;

	at = at ? strchr(at + 1, '|') : NULL;
	if (!at || !at[1])
		return;
	puts_to(s, " (version \"");
	put_some(s, at + 1, strcspn(at + 1, ";|\\") < 32 ? strcspn(at + 1, ";|\\") : 32);
	puts_to(s, "\")");
}

static void put_silence(struct sentence *s)
{
	if (s->facts->silent_for == INT64_MAX)
		puts_to(s, "an unknown time");
	else
		put_duration(s, s->facts->silent_for);
}

static void put_before(struct sentence *s)
{
	struct facts then = *s->facts;

	then.is_silent = false;
	if (then.silent_for > 0 && then.silent_for < then.now) {
		then.now -= then.silent_for;
		then.now_wall -= then.silent_for;
	}
	puts_to(s, state_word(verdict_of(s->lock, &then).state));
}

static const struct {
	const char *word;
	void (*put)(struct sentence *);
} words[] = {
	{"who", put_who},
	{"pid", put_pid},
	{"claim", put_claim},
	{"kind", put_kind},
	{"limit", put_limit},
	{"usual", put_usual},
	{"max", put_max},
	{"age", put_age},
	{"left", put_left},
	{"ago", put_ago},
	{"alive", put_alive},
	{"taker", put_taker},
	{"gone", put_gone},
	{"reused", put_reused},
	{"host", put_host},
	{"problem", put_problem},
	{"problem_too", put_problem_too},
	{"bytes", put_bytes},
	{"marker", put_marker},
	{"silence", put_silence},
	{"before", put_before},
};

static void put_word(struct sentence *s, const char *word, size_t len)
{
	for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
		if (strlen(words[i].word) == len && memcmp(words[i].word, word, len) == 0) {
			words[i].put(s);
			return;
		}
	}
	put(s, word, len); /* a mistake in the table: seen by the test of all templates */
}

static void put_template(struct sentence *s, const char *template)
{
	while (*template) {
		size_t plain = strcspn(template, "{");
		size_t word;

		put(s, template, plain);
		template += plain;
		if (!*template)
			return;
		word = strcspn(template + 1, "}");
		put_word(s, template + 1, word);
		template += word + 2;
	}
}

static bool begin(struct sentence *s, char *dst, size_t size, const struct lock *lock,
	const struct facts *facts, const struct verdict *verdict)
{
	if (!size)
		return false;
	*s = (struct sentence){dst, size, 0, lock, facts, verdict};
	dst[0] = '\0';
	return verdict->reason >= 0 && verdict->reason < REASON_COUNT;
}

void verdict_why(char *dst, size_t size, const struct lock *lock, const struct facts *facts,
	const struct verdict *verdict)
{
	struct sentence s;

	if (begin(&s, dst, size, lock, facts, verdict))
		put_template(&s, templates[verdict->reason].why);
}

void verdict_advice(char *dst, size_t size, const struct lock *lock, const struct facts *facts,
	const struct verdict *verdict)
{
	struct sentence s;
	const char *advice;

	if (!begin(&s, dst, size, lock, facts, verdict) || verdict->safe == SAFETY_NONE)
		return;
	advice = templates[verdict->reason].advice;
	if (verdict->state == STATE_OVERDUE && !(verdict->flags & LOCK_FLAG(STOPPED)))
		advice = ADVICE_OVERDUE;
	put_template(&s, advice);
	putf(&s, ": %s", safety_word(verdict->safe));
}

/* The evidence: each of these writes one line, or says that there is none of that kind. */

static void put_time(struct sentence *s, wall_t at)
{
	char text[40];

	puts_to(s, text_time(text, sizeof text, at));
}

static bool line_record(struct sentence *s, size_t i)
{
	const struct record *record = &s->lock->record;

	if (i || record->format == RECORD_NONE)
		return false;
	if (record->format == RECORD_EMPTY) {
		puts_to(s, "record: empty");
		return true;
	}
	if (record->format == RECORD_CORRUPT) {
		putf(s, "record: cannot be understood");
		put_problem_too(s);
		return true;
	}
	putf(s, "record: %s, pid %" PRId32, record_format_word(record->format), record->pid);
	if (record->host[0])
		putf(s, " on %s", record->host);
	if (record->acquired > 0) {
		puts_to(s, ", taken ");
		put_time(s, record->acquired);
	}
	if (record->time > 0 && record->time < INT64_MAX / NS_PER_S) {
		puts_to(s, ", written ");
		put_time(s, record->time * NS_PER_S);
	}
	if (record->format == RECORD_LT1 && record->mode)
		puts_to(s, record->mode == 'h' ? ", held under flock" : ", detached");
	return true;
}

static bool line_bytes(struct sentence *s, size_t i)
{
	if (i || !s->lock->bytes || !s->lock->bytes[0])
		return false;
	puts_to(s, "bytes: ");
	puts_to(s, s->lock->bytes);
	return true;
}

static bool line_problem(struct sentence *s, size_t i)
{
	if (i || !s->lock->problem || s->lock->record.format == RECORD_CORRUPT)
		return false;
	puts_to(s, "problem: ");
	puts_to(s, s->lock->problem);
	return true;
}

static bool line_relation(struct sentence *s, size_t i)
{
	const struct {
		enum relation is;
		const char *text;
	} relations[] = {
		{s->lock->host_is, "host: the record names another one than this"},
		{s->lock->boot_is, "boot: the record's boot id is not the one running here"},
		{s->lock->ns_is, "pid namespace: the record's is not the one looked from"},
	};

	for (size_t n = 0; n < sizeof relations / sizeof *relations; n++) {
		if (relations[n].is == RELATION_OTHER && i-- == 0) {
			puts_to(s, relations[n].text);
			return true;
		}
	}
	return false;
}

static const char *const life_texts[LIFE_COUNT] = {
	[LIFE_UNKNOWN] = "cannot be checked",
	[LIFE_ALIVE] = "alive",
	[LIFE_STOPPED] = "alive, stopped (state T)",
	[LIFE_ZOMBIE] = "a zombie (state Z)",
	[LIFE_EXITING] = "exiting",
	[LIFE_GONE] = "no such process",
};

static bool line_holder(struct sentence *s, size_t i)
{
	const struct process *process;

	if (i >= s->lock->holders)
		return false;
	process = &s->lock->holder[i];
	puts_to(s, "process: ");
	put_process(s, process);
	putf(s, ", %s", life_texts[process->life < LIFE_COUNT ? process->life : LIFE_UNKNOWN]);
	if (process->user)
		putf(s, ", user %s", process->user);
	if (process->started) {
		puts_to(s, ", started ");
		put_time(s, process->started);
	}
	if (process->from_kernel || s->lock->kind != LOCK_FILE)
		puts_to(s, ", named by the kernel");
	if (process->is_inherited)
		puts_to(s, ", inherited the descriptor");
	if (process == verdict_claim(s->lock) && verdict_of_claim(s->lock) == REASON_REUSED)
		puts_to(s, ", another one than took the lock");
	return true;
}

static bool line_kernel(struct sentence *s, size_t i)
{
	static const char *const texts[KERNEL_VIEW_COUNT] = {
		[KERNEL_VIEW_UNREAD] = "its locks were not read yet",
		[KERNEL_VIEW_NONE] = "its locks cannot be seen here",
		[KERNEL_VIEW_PARTIAL] = "nobody that can be seen from this pid namespace",
		[KERNEL_VIEW_COMPLETE] = "nobody holds a flock",
	};
	const struct lock *lock = s->lock;

	if (i || lock->kernel >= KERNEL_VIEW_COUNT || verdict_kernel_holder(lock))
		return false;
	if (lock->kernel == KERNEL_VIEW_UNREAD && lock->record.format == RECORD_NONE)
		return false;
	putf(s, "kernel: %s", texts[lock->kernel]);
	if (lock->ino)
		putf(s, " on %u:%u:%" PRIu64, major(lock->dev), minor(lock->dev), lock->ino);
	return true;
}

static bool line_age(struct sentence *s, size_t i)
{
	if (i || s->verdict->state == STATE_FREE || verdict_age(s->lock, s->facts) == AGE_UNKNOWN)
		return false;
	puts_to(s, "age: ");
	put_age(s);
	if (verdict_limit(s->lock, s->facts)) {
		puts_to(s, ", limit ");
		put_max(s);
	}
	if (s->facts->usual > 0) {
		puts_to(s, ", usual p99 ");
		put_latency(s, s->facts->usual);
	}
	return true;
}

static bool line_lease(struct sentence *s, size_t i)
{
	int64_t left = verdict_lease_left(s->lock, s->facts);

	if (i || left == INT64_MAX)
		return false;
	puts_to(s, left < 0 ? "lease: ran out " : "lease: ends in ");
	put_duration(s, left < 0 ? -left : left);
	puts_to(s, left < 0 ? " ago" : "");
	return true;
}

static bool line_clock(struct sentence *s, size_t i)
{
	if (i || !s->lock->clock_step)
		return false;
	puts_to(s, "clock: the wall clock was set by ");
	put_duration(s, s->lock->clock_step);
	puts_to(s, " meanwhile: a start time proves nothing within that");
	return true;
}

static bool line_waiter(struct sentence *s, size_t i)
{
	if (i >= s->lock->waiters)
		return false;
	puts_to(s, "waits: ");
	put_process(s, &s->lock->waiter[i]);
	return true;
}

static bool line_flag(struct sentence *s, size_t i)
{
	static const char *const helps[LOCK_FLAG_COUNT] = {
#define _(id, word, help) [LOCK_FLAG_BIT_##id] = help,
		LOCK_FLAGS(_)
#undef _
	};

	for (int bit = 0; bit < LOCK_FLAG_COUNT; bit++) {
		if (s->verdict->flags & 1u << bit && i-- == 0) {
			putf(s, "noticed: %s", helps[bit]);
			return true;
		}
	}
	return false;
}

static bool line_silence(struct sentence *s, size_t i)
{
	if (i || !s->facts->is_silent)
		return false;
	puts_to(s, "source: has not answered for ");
	put_silence(s);
	return true;
}

bool verdict_evidence(char *dst, size_t size, const struct lock *lock, const struct facts *facts,
	const struct verdict *verdict, int i)
{
	static bool (*const lines[])(struct sentence *, size_t) = {line_silence, line_record,
		line_bytes, line_problem, line_relation, line_holder, line_kernel, line_age,
		line_lease, line_clock, line_waiter, line_flag};

	for (size_t n = 0; n < sizeof lines / sizeof *lines; n++) {
		struct sentence s;

		for (size_t k = 0; begin(&s, dst, size, lock, facts, verdict); k++) {
			if (!lines[n](&s, k))
				break;
			if (i-- == 0)
				return true;
		}
	}
	return false;
}

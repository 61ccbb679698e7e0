/* What is found under the flock of a lock file: free, stale or busy, by each policy. */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "backends/file_judge.h"

#define NOW_S    INT64_C(1760000000)
#define BOOT_AGE (100000 * NS_PER_S) /* CLOCK_BOOTTIME now */

#define HERE   RELATION_SAME
#define OTHER  RELATION_OTHER
#define UNSAID RELATION_UNSAID

#define ALIVE LIFE_ALIVE
#define GONE  LIFE_GONE

struct found_case {
	const char *what; /* expected in the reason; NULL: nothing is expected there */
	enum record_format format;
	char mode;
	int64_t age;       /* s, of the time field or the file */
	int64_t refreshed; /* s ago on CLOCK_BOOTTIME; 0: no r */
	int32_t lease;
	enum relation host, boot, ns;
	enum life life;
	bool is_reused;
	enum found by_proof, by_limit, by_never;
};

static void judge(struct judged *judged, const struct found_case *c, enum takeover takeover)
{
	struct process process = {.pid = 4711, .life = c->life, .start = c->is_reused ? 99 : 77};
	struct lock lock = {
		.kind = LOCK_FILE,
		.record = {.format = c->format,
			.mode = c->mode,
			.pid = 4711,
			.start = c->format == RECORD_LT1 ? 77 : 0,
			.lease = c->lease,
			.time = NOW_S - c->age},
		.host_is = c->host,
		.boot_is = c->boot,
		.ns_is = c->ns,
		.written = (NOW_S - c->age) * NS_PER_S,
		.holder = &process,
		.holders = 1,
		.since_mono = MONO_UNKNOWN,
	};
	const struct facts facts = {
		.now = BOOT_AGE, .now_wall = NOW_S * NS_PER_S, .limit = 600 * NS_PER_S};

	if (c->format == RECORD_EMPTY || c->format == RECORD_CORRUPT) {
		lock.record = (struct record){.format = c->format};
		lock.holders = 0;
	}
	if (c->refreshed)
		lock.record.refreshed = BOOT_AGE - c->refreshed * NS_PER_S;
	file_judge(judged, &lock, &facts, takeover);
}

static void check(const struct found_case *cases, size_t n)
{
	for (size_t i = 0; i < n; i++)
		for (int takeover = 0; takeover < TAKEOVER_COUNT; takeover++) {
			const struct found_case *c = &cases[i];
			const enum found expected[] = {[TAKEOVER_PROOF] = c->by_proof,
				[TAKEOVER_LIMIT] = c->by_limit,
				[TAKEOVER_NEVER] = c->by_never};
			struct judged judged;

			judge(&judged, c, (enum takeover)takeover);
			if (judged.found != expected[takeover])
				fail_msg("case %zu by %s: %d (%s)", i,
					takeover_word((enum takeover)takeover), judged.found,
					judged.reason);
			if (c->what && !strstr(judged.reason, c->what))
				fail_msg("case %zu: '%s' does not say '%s'", i, judged.reason,
					c->what);
			/* What "never" keeps, proof or limit would have taken. */
			assert_int_equal(judged.is_left,
				takeover == TAKEOVER_NEVER && c->by_proof == FOUND_STALE);
		}
}

#define check_all(cases) check(cases, sizeof(cases) / sizeof *(cases))

#define FREE  FOUND_FREE
#define STALE FOUND_STALE
#define BUSY  FOUND_BUSY

static void an_empty_file_is_free(void **state)
{
	static const struct found_case cases[] = {
		{.format = RECORD_EMPTY, .by_proof = FREE, .by_limit = FREE, .by_never = FREE},
		{.format = RECORD_EMPTY,
			.age = 9999,
			.by_proof = FREE,
			.by_limit = FREE,
			.by_never = FREE},
	};

	(void)state;
	check_all(cases);
}

static void a_plain_record_follows_the_seeds_rule(void **state)
{
#define P(age_, life_, found, what_)                                               \
	{                                                                          \
		.what = what_, .format = RECORD_PLAIN, .age = age_, .life = life_, \
		.by_proof = found, .by_limit = found, .by_never = BUSY             \
	}
	static const struct found_case cases[] = {
		P(0, ALIVE, BUSY, "is alive"),
		P(600, ALIVE, BUSY, NULL),
		P(601, ALIVE, STALE, "written 10m01s ago, and after 10m00s it counts as stale"),
		P(0, GONE, STALE, "pid 4711 is gone: no such process"),
		P(0, LIFE_ZOMBIE, STALE, "zombie"),
		P(0, LIFE_EXITING, STALE, "exiting"),
		P(0, LIFE_STOPPED, BUSY, "stopped"),
		P(0, LIFE_UNKNOWN, BUSY, NULL),
		P(601, LIFE_UNKNOWN, STALE, NULL),
		/* In the future: a clock's fault, never stale by age. */
		P(-3600, ALIVE, BUSY, NULL),
		P(-3600, LIFE_UNKNOWN, BUSY, NULL),
		P(-3600, GONE, STALE, NULL),
	};

	(void)state;
	check_all(cases);
}

static void a_record_held_under_flock_is_stale_when_the_flock_is_free(void **state)
{
#define H(host_, boot_, lease_, age_, found, what_)                                                \
	{                                                                                          \
		.what = what_, .format = RECORD_LT1, .mode = 'h', .host = host_, .boot = boot_,    \
		.lease = lease_, .age = age_, .life = ALIVE, .by_proof = found, .by_limit = found, \
		.by_never = BUSY                                                                   \
	}
	static const struct found_case cases[] = {
		/* Whatever its pid says, and however young it is. */
		H(HERE, HERE, 600, 0, STALE, "nobody has the flock"),
		H(HERE, HERE, 0, -3600, STALE, NULL),
		H(UNSAID, UNSAID, 0, 0, STALE, NULL),
		H(HERE, UNSAID, 0, 0, STALE, NULL),
		/* The host was renamed, or it is a container: the kernel is this one. */
		H(OTHER, HERE, 0, 0, STALE, "nobody has the flock"),
		H(HERE, OTHER, 600, 0, STALE, "before the last boot"),
		/* Another machine at the same file system: only its lease may tell. */
		H(OTHER, OTHER, 600, 0, BUSY, NULL),
		H(OTHER, OTHER, 600, 600, BUSY, NULL),
		H(OTHER, OTHER, 600, 601, STALE, "lease ran out 1s ago"),
		H(OTHER, OTHER, 600, -9999, BUSY, NULL),
		H(OTHER, OTHER, 0, 500, BUSY, NULL),
		H(OTHER, UNSAID, 300, 301, STALE, NULL),
		H(UNSAID, OTHER, 300, 299, BUSY, NULL),
		H(UNSAID, OTHER, 300, 301, STALE, NULL),
	};

	(void)state;
	check_all(cases);
}

static void a_detached_record_is_judged_by_owner_and_lease(void **state)
{
#define D(...)                                                                   \
	{                                                                        \
		.format = RECORD_LT1, .mode = 'd', .by_never = BUSY, __VA_ARGS__ \
	}
#define ON(host_, boot_, ns_) .host = host_, .boot = boot_, .ns = ns_
#define IS(found)             .by_proof = found, .by_limit = found
	static const struct found_case cases[] = {
		D(ON(HERE, HERE, HERE), .life = ALIVE, .lease = 300, .age = 300, IS(BUSY)),
		D(ON(HERE, HERE, HERE), .life = ALIVE, .lease = 300, .age = 301, IS(STALE),
			.what = "lease ran out 1s ago"),
		D(ON(HERE, HERE, HERE), .life = GONE, .lease = 300, .age = 0, IS(STALE),
			.what = "pid 4711 is gone"),
		D(ON(HERE, HERE, HERE), .life = LIFE_ZOMBIE, .lease = 300, IS(STALE)),
		D(ON(HERE, HERE, HERE), .life = LIFE_EXITING, .lease = 300, IS(STALE)),
		D(ON(HERE, HERE, HERE), .life = LIFE_STOPPED, .lease = 300, IS(BUSY)),
		D(ON(HERE, HERE, HERE), .life = LIFE_UNKNOWN, .lease = 300, IS(BUSY)),
		D(ON(HERE, HERE, HERE), .life = ALIVE, .is_reused = true, .lease = 300, IS(STALE),
			.what = "another process now"),
		D(ON(HERE, OTHER, HERE), .lease = 300, IS(STALE), .what = "before the last boot"),
		/* Not to be checked from here: by the lease alone. */
		D(ON(OTHER, OTHER, HERE), .life = GONE, .lease = 300, .age = 300, IS(BUSY)),
		D(ON(OTHER, OTHER, HERE), .life = GONE, .lease = 300, .age = 301, IS(STALE)),
		D(ON(HERE, HERE, OTHER), .life = GONE, .lease = 300, .age = 300, IS(BUSY)),
		D(ON(HERE, HERE, OTHER), .life = GONE, .lease = 300, .age = 301, IS(STALE)),
		D(ON(UNSAID, OTHER, UNSAID), .life = GONE, .lease = 300, .age = 300, IS(BUSY)),
		/* Without a lease only the owner's end ends it, or a limit. */
		D(ON(HERE, HERE, HERE), .life = ALIVE, .age = 599, IS(BUSY)),
		D(ON(HERE, HERE, HERE), .life = ALIVE, .age = 99999, .by_proof = BUSY,
			.by_limit = STALE),
		D(ON(OTHER, OTHER, OTHER), .age = 99999, .by_proof = BUSY, .by_limit = STALE),
		D(ON(HERE, HERE, HERE), .life = ALIVE, .lease = 9000, .age = 601, .by_proof = BUSY,
			.by_limit = STALE, .what = NULL),
		D(ON(HERE, HERE, HERE), .life = ALIVE, .lease = 300, .age = -3600, IS(BUSY)),
	};

	(void)state;
	check_all(cases);
}

static void on_the_same_boot_no_wall_clock_counts(void **state)
{
	static const struct found_case cases[] = {
		/* The wall clock was set forward, or back, by an hour: alive all the same. */
		D(ON(HERE, HERE, HERE), .life = ALIVE, .lease = 300, .age = 3700, .refreshed = 100,
			IS(BUSY)),
		D(ON(HERE, HERE, HERE), .life = ALIVE, .lease = 300, .age = -3500, .refreshed = 100,
			IS(BUSY)),
		/* And over all the same. */
		D(ON(HERE, HERE, HERE), .life = ALIVE, .lease = 300, .age = -3000, .refreshed = 301,
			IS(STALE), .what = "lease ran out 1s ago"),
		D(ON(HERE, HERE, OTHER), .life = ALIVE, .lease = 300, .age = 0, .refreshed = 301,
			IS(STALE)),
		/* r in the future (another time namespace): nothing follows from it. */
		D(ON(HERE, HERE, HERE), .life = ALIVE, .lease = 300, .age = 9999, .refreshed = -50,
			IS(BUSY)),
		/* Another boot's r says nothing. */
		D(ON(OTHER, OTHER, HERE), .life = ALIVE, .lease = 300, .age = 10,
			.refreshed = 99999, IS(BUSY)),
		D(ON(OTHER, OTHER, HERE), .life = ALIVE, .lease = 300, .age = 301, .refreshed = 10,
			IS(STALE)),
	};

	(void)state;
	check_all(cases);
}

static void a_pid_file_is_stale_when_its_pid_is_gone(void **state)
{
	static const struct found_case cases[] = {
		{.format = RECORD_PID, .life = ALIVE, .age = 500, IS(BUSY), .by_never = BUSY},
		{.format = RECORD_PID,
			.life = ALIVE,
			.age = 99999,
			.by_proof = BUSY,
			.by_limit = STALE,
			.by_never = BUSY},
		{.format = RECORD_PID, .life = GONE, IS(STALE), .by_never = BUSY},
		{.format = RECORD_PID, .life = LIFE_UNKNOWN, .age = 1, IS(BUSY), .by_never = BUSY},
	};

	(void)state;
	check_all(cases);
}

static void another_version_is_never_broken(void **state)
{
	static const struct found_case cases[] = {
		{.format = RECORD_FOREIGN, .life = GONE, .age = 99999, IS(BUSY), .by_never = BUSY},
		{.format = RECORD_FOREIGN,
			.life = GONE,
			.lease = 1,
			.age = 9,
			IS(BUSY),
			.by_never = BUSY},
	};

	(void)state;
	check_all(cases);
}

static void what_cannot_be_understood_is_given_two_seconds(void **state)
{
	static const struct found_case cases[] = {
		{.format = RECORD_CORRUPT, .age = 0, IS(BUSY), .by_never = BUSY},
		{.format = RECORD_CORRUPT, .age = 2, IS(BUSY), .by_never = BUSY},
		{.format = RECORD_CORRUPT,
			.age = 3,
			IS(STALE),
			.by_never = BUSY,
			.what = "not a lock record"},
		{.format = RECORD_CORRUPT, .age = -3600, IS(BUSY), .by_never = BUSY},
	};

	(void)state;
	check_all(cases);
}

static void no_number_overflows(void **state)
{
	struct process process = {.pid = 1, .life = LIFE_ALIVE};
	struct lock lock = {.holder = &process, .holders = 1, .since_mono = MONO_UNKNOWN};
	const struct facts facts = {.now = BOOT_AGE, .now_wall = NOW_S * NS_PER_S};
	static const int64_t extreme[] = {0, 1, INT64_MAX, INT64_MAX / 2, INT64_MAX / NS_PER_S};
	struct judged judged;

	(void)state;
	for (size_t i = 0; i < sizeof extreme / sizeof *extreme; i++)
		for (size_t j = 0; j < sizeof extreme / sizeof *extreme; j++)
			for (int boot = 0; boot < 3; boot++) {
				lock.record = (struct record){.format = RECORD_LT1,
					.mode = 'd',
					.pid = 1,
					.time = extreme[i],
					.refreshed = extreme[j],
					.lease = INT32_MAX};
				lock.boot_is = (enum relation)boot;
				file_judge(&judged, &lock, &facts, TAKEOVER_LIMIT);
			}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_empty_file_is_free),
		cmocka_unit_test(a_plain_record_follows_the_seeds_rule),
		cmocka_unit_test(a_record_held_under_flock_is_stale_when_the_flock_is_free),
		cmocka_unit_test(a_detached_record_is_judged_by_owner_and_lease),
		cmocka_unit_test(on_the_same_boot_no_wall_clock_counts),
		cmocka_unit_test(a_pid_file_is_stale_when_its_pid_is_gone),
		cmocka_unit_test(another_version_is_never_broken),
		cmocka_unit_test(what_cannot_be_understood_is_given_two_seconds),
		cmocka_unit_test(no_number_overflows),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

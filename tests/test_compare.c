/* Two locks side by side: what is counted, and the verdict. */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model/compare.h"

#define START INT64_C(1763800000000)

/* What stands in a line of a scene. */
struct made {
	char side;
	int64_t ms; /* after the start */
	char event[24], lock[64], holder[32];
	double wait; /* ms; below 0: none */
};

/* holder "100" is a pid; "100/ab" a pid and a token; "-" is unknown. */
static struct metric metric_of(const struct made *made, char *token)
{
	int event = metric_event_from_word(made->event, strlen(made->event));
	struct metric metric;
	const char *slash = strchr(made->holder, '/');

	assert_true(event >= 0);
	metric = metric_new((enum metric_event)event, (START + made->ms) * NS_PER_MS);
	metric.lock = made->lock;
	metric.source = made->side == 'A' ? "file:/a" : "redis://h/0";
	metric.backend = made->side == 'A' ? "file" : "redis";
	metric.host = "web1";
	metric.attempts = 1;
	if (made->holder[0] != '-')
		metric.pid = (int32_t)atoi(made->holder);
	if (slash) {
		strcpy(token, slash + 1);
		metric.token = token;
	}
	if (made->wait >= 0)
		metric.wait = (int64_t)(made->wait * NS_PER_MS);
	return metric;
}

static void add(struct compare *compare, const struct made *made)
{
	char token[32];
	struct metric metric = metric_of(made, token);

	assert_int_equal(compare_add(compare, made->side == 'A' ? SIDE_A : SIDE_B, &metric), 0);
}

/* Lines "SIDE MS EVENT HOLDER [LOCK]" with ; between; lock x.lock and x unless given. */
static size_t read_scene(const char *scene, struct made *made, size_t most)
{
	size_t n = 0;

	for (const char *line = scene; line; line = strchr(line, ';')) {
		struct made *one = &made[n];
		int got;

		line += *line == ';';
		one->wait = -1;
		got = sscanf(line, " %c %" SCNd64 " %23[a-z_] %31[-0-9a-z/] %63[a-z.]", &one->side,
			&one->ms, one->event, one->holder, one->lock);
		assert_true(got == 4 || got == 5);
		if (got == 4)
			strcpy(one->lock, one->side == 'A' ? "x.lock" : "x");
		assert_true(++n < most);
	}
	return n;
}

static void play(struct compare *compare, const char *scene)
{
	struct made made[64];
	size_t n = read_scene(scene, made, 64);

	for (size_t i = 0; i < n; i++)
		add(compare, &made[i]);
	compare_end(compare);
}

static void what_one_holder_has_both_of_is_together(void **state)
{
	struct compare compare = {0};

	(void)state;
	play(&compare, "A 0 acquired 100; B 1 acquired 100; B 900 released 100;"
		       "A 901 released 100; A 1000 acquired 101; A 1100 released 101;"
		       "B 1200 acquired 102; B 1300 released 102; B 1400 acquired 103;"
		       "B 1500 released 103");
	assert_int_equal(compare.together, 1);
	assert_int_equal(compare_only(&compare, SIDE_A), 1);
	assert_int_equal(compare_only(&compare, SIDE_B), 2);
	assert_int_equal(compare.overlaps, 0);
	assert_int_equal(compare.disagreements[SIDE_A] + compare.disagreements[SIDE_B], 0);
	assert_int_equal(compare.incidents, 0);
	compare_release(&compare);
	/* The line of a release is missing: each hold counts once. */
	play(&compare, "A 0 acquired 100; B 1 acquired 100; B 2 acquired 100");
	assert_int_equal(compare.together, 1);
	compare_release(&compare);
}

/* locktop acquire --with, and give-back from another process. */
static void a_token_is_the_holder_whatever_the_process(void **state)
{
	struct compare compare = {0};

	(void)state;
	play(&compare, "A 0 acquired 100/aa; B 1 acquired 101/aa; B 900 released 200/aa;"
		       "A 901 released 201/aa");
	assert_int_equal(compare.together, 1);
	compare_release(&compare);
	/* The number of a process comes again. */
	play(&compare, "A 0 acquired 100/aa; B 100 acquired 100/bb; A 200 released 100/aa;"
		       "B 300 released 100/bb");
	assert_int_equal(compare.together, 0);
	assert_int_equal(compare.overlaps, 1);
	compare_release(&compare);
}

static void a_refusal_to_who_has_the_other_is_a_disagreement(void **state)
{
	struct compare compare = {0};

	(void)state;
	play(&compare, "A 0 acquired 100/aa; B 1 busy 100; A 2 released 100/aa;"
		       "A 10 acquired 101/bb; B 5000 timeout 101; A 5001 released 101/bb;"
		       "B 6000 acquired 102/cc; A 6001 busy 102; B 6002 released 102/cc");
	assert_int_equal(compare.disagreements[SIDE_A], 2);
	assert_int_equal(compare.disagreements[SIDE_B], 1);
	assert_int_equal(compare.incidents, 3);
	assert_int_equal(compare.incident[0].pid, 100);
	assert_int_equal(compare.incident[0].at, (START + 1) * NS_PER_MS);
	assert_false(compare.incident[0].is_overlap);
	assert_int_equal(compare.incident[2].gave, SIDE_B);
	compare_release(&compare);
}

static void a_refusal_to_who_has_nothing_is_none(void **state)
{
	struct compare compare = {0};

	(void)state;
	play(&compare, "A 0 acquired 100; B 1 busy 101; A 2 busy 101; A 3 released 100;"
		       "B 4 busy 100");
	assert_int_equal(compare.disagreements[SIDE_A], 0);
	assert_int_equal(compare.disagreements[SIDE_B], 0);
	compare_release(&compare);
}

static void different_holders_at_once_are_an_overlap(void **state)
{
	struct compare compare = {0};

	(void)state;
	play(&compare, "A 0 acquired 100; B 500 acquired 200; A 2000 released 100;"
		       "B 4000 released 200;"
		       "B 5000 acquired 201; A 5100 acquired 101; A 5150 released 101;"
		       "B 6000 lost 201");
	assert_int_equal(compare.overlaps, 2);
	assert_int_equal(compare.longest, 1500 * NS_PER_MS);
	assert_int_equal(compare.incidents, 2);
	assert_true(compare.incident[0].is_overlap);
	assert_int_equal(compare.incident[0].gave, SIDE_A);
	assert_int_equal(compare.incident[0].pid, 100);
	assert_int_equal(compare.incident[0].other, 200);
	assert_int_equal(compare.incident[0].at, (START + 500) * NS_PER_MS);
	assert_int_equal(compare.incident[1].gave, SIDE_B);
	assert_int_equal(compare.incident[1].length, 50 * NS_PER_MS);
	compare_release(&compare);
}

static void what_is_shorter_than_a_line_takes_is_none(void **state)
{
	struct compare compare = {0};

	(void)state;
	play(&compare, "A 0 acquired 100; B 990 acquired 200; A 1000 released 100;"
		       "B 2000 released 200");
	assert_int_equal(compare.overlaps, 0);
	compare_release(&compare);
	play(&compare, "A 0 acquired 100; B 989 acquired 200; A 1000 released 100;"
		       "B 2000 released 200");
	assert_int_equal(compare.overlaps, 1);
	compare_release(&compare);
}

static void of_who_was_killed_nobody_knows_how_long_he_had_it(void **state)
{
	static const char *const scenes[] = {
		"A 0 acquired 100; B 500 acquired 200; B 4000 released 200; A 5000 acquired 101;"
		"A 6000 released 101",
		"A 0 acquired 100; B 500 acquired 200; B 4000 released 200; A 5000 forced 300",
		"A 0 acquired 100; B 500 acquired 200; A 600 released_stale 300;"
		"B 4000 released 200",
		"A 0 acquired 100; B 500 acquired 200; B 4000 released 200",
	};

	(void)state;
	for (size_t i = 0; i < sizeof scenes / sizeof *scenes; i++) {
		struct compare compare = {0};

		play(&compare, scenes[i]);
		assert_int_equal(compare.overlaps, 0);
		compare_release(&compare);
	}
}

/* Who waited writes his line before the one that gave it back has written his. */
static void a_line_that_comes_late_ends_a_hold_well(void **state)
{
	struct compare compare = {0};

	(void)state;
	play(&compare, "A 0 acquired 100; B 500 acquired 200; A 1000 acquired 101;"
		       "A 1001 released 100; B 1500 released 200; A 3000 released 101");
	/* 100 with 200, from 500 to 1000; 101 with 200, from 1000 to 1500. */
	assert_int_equal(compare.overlaps, 2);
	assert_int_equal(compare.incident[0].length, 500 * NS_PER_MS);
	assert_int_equal(compare.incident[1].length, 500 * NS_PER_MS);
	compare_release(&compare);
	/* A second is still late, more is the line of something else. */
	play(&compare, "A 0 acquired 100; B 500 acquired 200; B 600 released 200;"
		       "A 1000 acquired 101; A 2000 released 100; A 3000 released 101");
	assert_int_equal(compare.overlaps, 1);
	compare_release(&compare);
	play(&compare, "A 0 acquired 100; B 500 acquired 200; B 600 released 200;"
		       "A 1000 acquired 101; A 2001 released 100; A 3000 released 101");
	assert_int_equal(compare.overlaps, 0);
	compare_release(&compare);
}

static void who_gives_both_back_has_done_his_work(void **state)
{
	struct compare compare = {0};

	(void)state;
	play(&compare, "A 0 acquired 100; B 1 acquired 100; B 900 released 100;"
		       "B 901 acquired 200; A 2000 released 100; B 3000 released 200");
	assert_int_equal(compare.together, 1);
	assert_int_equal(compare.overlaps, 0);
	compare_release(&compare);
}

static void of_a_line_without_a_writer_nothing_is_said(void **state)
{
	struct compare compare = {0};

	(void)state;
	play(&compare, "A 0 acquired -; B 500 acquired -; A 2000 released -; B 4000 released -;"
		       "A 5000 acquired -; B 5001 busy -; A 6000 released -");
	assert_int_equal(compare.together, 0);
	assert_int_equal(compare.overlaps, 0);
	assert_int_equal(compare.disagreements[SIDE_A], 0);
	assert_int_equal(compare.side[SIDE_A].tally.count[METRIC_ACQUIRED], 2);
	compare_release(&compare);
}

/* Two logs are read one after the other. */
static void the_order_in_which_lines_come_does_not_matter(void **state)
{
	static const char scene[] =
		"A 0 acquired 100/aa; B 1 acquired 100/aa; B 900 released 100/aa;"
		"A 901 released 100/aa; A 2000 acquired 101/bb; B 2500 acquired 102/cc;"
		"A 2700 released 101/bb; B 2900 released 102/cc; A 3000 acquired 103/dd;"
		"B 3001 busy 103; A 3002 released 103/dd";
	struct made made[64];
	size_t n = read_scene(scene, made, 64);

	(void)state;
	for (unsigned int turn = 0; turn < 50; turn++) {
		struct compare compare = {0};

		for (size_t i = n; turn && i > 1; i--) {
			size_t other = (size_t)(turn * 7919 + i * 104729) % i;
			struct made kept = made[i - 1];

			made[i - 1] = made[other];
			made[other] = kept;
		}
		for (size_t i = 0; i < n; i++)
			add(&compare, &made[i]);
		compare_end(&compare);
		assert_int_equal(compare.together, 1);
		assert_int_equal(compare.overlaps, 1);
		assert_int_equal(compare.longest, 200 * NS_PER_MS);
		assert_int_equal(compare.disagreements[SIDE_A], 1);
		compare_release(&compare);
	}
}

static void locks_belong_together_by_their_names(void **state)
{
	struct compare compare = {0};

	(void)state;
	play(&compare, "A 0 acquired 100 x.lock; B 1 acquired 100 x; A 2 acquired 100 y.lock;"
		       "B 3 acquired 100 y; A 100 acquired 200 z.lock; B 200 acquired 300 w;"
		       "A 1000 released 200 z.lock; B 1100 released 300 w");
	assert_int_equal(compare.side[SIDE_A].locks, 3);
	assert_int_equal(compare.together, 2);
	assert_int_equal(compare.overlaps, 0);
	compare_release(&compare);
	/* Of several with one name the first. */
	play(&compare, "A 0 acquired 100 x.lock; A 1 released 100 x.lock; B 2 acquired 200 x;"
		       "A 3 acquired 200 x");
	assert_int_equal(compare.together, 0);
	compare_release(&compare);
	/* Of one lock each the names do not matter. */
	play(&compare, "A 0 acquired 100 z.lock; B 1 acquired 100 w; A 2 released 100 z.lock");
	assert_int_equal(compare.together, 1);
	compare_release(&compare);
}

static void more_locks_than_there_is_room_for_are_counted_only(void **state)
{
	struct compare compare = {0};
	struct made made = {.side = 'A', .event = "acquired", .holder = "100", .wait = 1};

	(void)state;
	for (int i = 0; i < COMPARE_LOCKS + 7; i++) {
		made.ms = i;
		snprintf(made.lock, sizeof made.lock, "lock-%d", i);
		add(&compare, &made);
	}
	compare_end(&compare);
	assert_int_equal(compare.side[SIDE_A].tally.count[METRIC_ACQUIRED], COMPARE_LOCKS + 7);
	assert_int_equal(compare.side[SIDE_A].locks, COMPARE_LOCKS);
	assert_int_equal(compare.beyond, 7);
	compare_release(&compare);
}

/* More lines than are kept: they are done while they come, and only what is much too late is not.
 */
static void more_lines_than_there_is_room_for_are_done_in_parts(void **state)
{
	struct compare compare = {0};
	struct made made = {.lock = "x", .wait = -1};
	int64_t n = COMPARE_LINES / 4 + 1000;

	(void)state;
	for (int64_t i = 0; i < n; i++) {
		snprintf(made.holder, sizeof made.holder, "%d", 1 + (int)(i % 30000));
		for (int step = 0; step < 4; step++) {
			made.side = step == 0 || step == 3 ? 'A' : 'B';
			strcpy(made.event, step < 2 ? "acquired" : "released");
			made.ms = i * 10 + step;
			add(&compare, &made);
		}
	}
	made.ms = 5;
	add(&compare, &made);
	compare_end(&compare);
	assert_int_equal(compare.together, n);
	assert_int_equal(compare.overlaps, 0);
	assert_int_equal(compare.late, 1);
	compare_release(&compare);
}

/* A hold that nobody ends does not fill the room for spans for ever. */
static void a_hold_without_end_costs_no_other_overlap(void **state)
{
	struct compare compare = {0};
	struct made made = {
		.side = 'A', .lock = "x.lock", .event = "acquired", .holder = "1", .wait = 1};

	(void)state;
	add(&compare, &made);
	strcpy(made.lock, "x");
	made.side = 'B';
	for (int i = 1; i < 3 * COMPARE_SPANS; i++) {
		made.ms = i * 1000;
		strcpy(made.event, i % 2 ? "acquired" : "released");
		strcpy(made.holder, "2");
		add(&compare, &made);
	}
	play(&compare, "A 999000 acquired 3; B 999100 acquired 4; B 999200 released 4;"
		       "A 999300 released 3");
	assert_int_equal(compare.overlaps, 1);
	compare_release(&compare);
}

/* --- the verdict --- */

enum { USUAL = 30, STEP = 10000 };

/* So many acquisitions of both together, each a moment long, with that wait. */
static void add_usual(struct compare *compare, int n, double wait_a, double wait_b)
{
	struct made made = {.lock = "x", .wait = -1};

	for (int i = 0; i < n; i++) {
		snprintf(made.holder, sizeof made.holder, "%d", 100 + i);
		for (int step = 0; step < 4; step++) {
			made.side = step == 0 || step == 3 ? 'A' : 'B';
			strcpy(made.event, step < 2 ? "acquired" : "released");
			made.wait = step == 0 ? wait_a : step == 1 ? wait_b : -1;
			made.ms = (int64_t)i * STEP + step;
			add(compare, &made);
		}
	}
}

static struct compare_verdict judge(struct compare *compare)
{
	struct compare_verdict verdict;

	compare_end(compare);
	verdict = compare_judge(
		compare, START * NS_PER_MS, (START + (int64_t)USUAL * STEP) * NS_PER_MS);
	compare_release(compare);
	assert_int_equal(verdict.is_ready, verdict.reasons == 0);
	return verdict;
}

/* The one reason against it. */
static void assert_against(struct compare *compare, const char *reason)
{
	struct compare_verdict verdict = judge(compare);

	for (size_t i = 1; i < verdict.reasons; i++)
		print_message("and: %s\n", verdict.reason[i]);
	assert_int_equal(verdict.reasons, 1);
	assert_string_equal(verdict.reason[0], reason);
}

static void add_one(struct compare *compare, char side, const char *event, const char *holder,
	int64_t ms, double wait)
{
	struct made made = {.side = side, .ms = ms, .lock = "x", .wait = wait};

	snprintf(made.event, sizeof made.event, "%s", event);
	snprintf(made.holder, sizeof made.holder, "%s", holder);
	add(compare, &made);
}

static void what_nothing_speaks_against_is_ready(void **state)
{
	struct compare compare = {0};

	(void)state;
	add_usual(&compare, USUAL, 1, 1);
	assert_true(judge(&compare).is_ready);
}

static void too_few_tell_nothing(void **state)
{
	struct compare compare = {0};
	struct compare_verdict verdict = judge(&compare);

	(void)state;
	assert_int_equal(verdict.reasons, 3);
	assert_string_equal(
		verdict.reason[0], "B was acquired 0 times, and fewer than 20 times tell nothing");
	assert_string_equal(verdict.reason[1],
		"A was acquired 0 times, and with fewer than 20 nothing can be compared");
	add_usual(&compare, USUAL, 1, 1);
	for (int i = 0; i < USUAL; i++)
		add_one(&compare, 'A', "acquired", "9", i, 1);
	assert_true(judge(&compare).is_ready);
}

static void a_lock_that_was_lost_is_not_ready(void **state)
{
	struct compare compare = {0};

	(void)state;
	add_usual(&compare, USUAL, 1, 1);
	add_one(&compare, 'B', "lost", "9", 5, -1);
	assert_against(&compare, "B was lost once");
	add_usual(&compare, USUAL, 1, 1);
	add_one(&compare, 'A', "lost", "9", 5, -1);
	assert_true(judge(&compare).is_ready);
}

static void what_is_not_of_one_mind_is_not_ready(void **state)
{
	struct compare compare = {0};

	(void)state;
	add_usual(&compare, USUAL, 1, 1);
	add_one(&compare, 'A', "acquired", "8", 100, 1);
	add_one(&compare, 'B', "acquired", "9", 200, 1);
	add_one(&compare, 'A', "released", "8", 300, -1);
	add_one(&compare, 'B', "released", "9", 400, -1);
	assert_against(&compare,
		"different holders had A and B at the same time once, for 100ms at the longest");
	add_usual(&compare, USUAL, 1, 1);
	add_one(&compare, 'A', "acquired", "8", 100, 1);
	add_one(&compare, 'B', "busy", "8", 200, 1);
	add_one(&compare, 'A', "released", "8", 300, -1);
	assert_against(&compare, "B refused once what A gave");
	add_usual(&compare, USUAL, 1, 1);
	for (int i = 0; i < 2; i++) {
		add_one(&compare, 'B', "acquired", "8", 100 + i, 1);
		add_one(&compare, 'A', "timeout", "8", 200 + i, 1);
	}
	add_one(&compare, 'B', "released", "8", 300, -1);
	assert_against(&compare, "B gave 2 times what A refused");
}

/* Not together: each in a place of its own. */
static void add_apart(struct compare *compare, double wait_a, double wait_b)
{
	for (int i = 0; i < USUAL; i++) {
		add_one(compare, 'A', "acquired", "1", (int64_t)i * STEP, wait_a);
		add_one(compare, 'A', "released", "1", (int64_t)i * STEP + 1, -1);
		add_one(compare, 'B', "acquired", "2", (int64_t)i * STEP + 2, wait_b);
		add_one(compare, 'B', "released", "2", (int64_t)i * STEP + 3, -1);
	}
}

static void what_fails_more_often_is_not_ready(void **state)
{
	struct compare compare = {0};

	(void)state;
	add_apart(&compare, 1, 1);
	add_one(&compare, 'B', "busy", "9", 50, 1);
	assert_against(&compare, "3.2 % of B's attempts failed, 0.0 % of A's");
	add_apart(&compare, 1, 1);
	add_one(&compare, 'B', "busy", "9", 50, 1);
	add_one(&compare, 'A', "busy", "9", 60, 1);
	assert_true(judge(&compare).is_ready);
	/* Together the first one fails for both. */
	add_usual(&compare, USUAL, 1, 1);
	add_one(&compare, 'B', "busy", "9", 50, 1);
	assert_true(judge(&compare).is_ready);
}

static void what_waits_longer_is_not_ready(void **state)
{
	struct compare compare = {0};

	(void)state;
	add_apart(&compare, 20, 41);
	assert_against(&compare, "p95 of B's wait is 41ms, of A's 20ms");
	add_apart(&compare, 20, 40);
	assert_true(judge(&compare).is_ready);
	/* Ten times as long, and who cares about 9 ms? */
	add_apart(&compare, 1, 11);
	assert_true(judge(&compare).is_ready);
	add_apart(&compare, 1, 11.1);
	assert_against(&compare, "p95 of B's wait is 11.1ms, of A's 1ms");
	add_usual(&compare, USUAL, 20, 41);
	assert_against(&compare, "p95 of B's wait is 41ms, of A's 20ms (where one try was enough)");
}

static void what_is_stale_more_often_is_not_ready(void **state)
{
	struct compare compare = {0};

	(void)state;
	add_usual(&compare, USUAL, 1, 1);
	add_one(&compare, 'B', "stale", "9", 50, -1);
	assert_against(&compare, "B was stale 3.3 times per 100 acquisitions, A 0.0 times");
	add_usual(&compare, USUAL, 1, 1);
	add_one(&compare, 'A', "stale", "9", 50, -1);
	add_one(&compare, 'B', "stale", "9", 50, -1);
	assert_true(judge(&compare).is_ready);
}

static void what_was_not_seen_lately_is_not_ready(void **state)
{
	struct compare compare = {0};

	(void)state;
	/* The last quarter of 30 steps begins in the middle of the 23rd. */
	add_usual(&compare, 23, 1, 1);
	assert_against(&compare, "B was not acquired in the last quarter of the time");
	add_usual(&compare, 24, 1, 1);
	assert_true(judge(&compare).is_ready);
}

static void parts_of_a_hundred_are_in_tenths(void **state)
{
	(void)state;
	assert_int_equal(compare_tenths(0, 0), 0);
	assert_int_equal(compare_tenths(1, 3), 333);
	assert_int_equal(compare_tenths(2, 3), 667);
	assert_int_equal(compare_tenths(5, 5), 1000);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_one_holder_has_both_of_is_together),
		cmocka_unit_test(a_token_is_the_holder_whatever_the_process),
		cmocka_unit_test(a_refusal_to_who_has_the_other_is_a_disagreement),
		cmocka_unit_test(a_refusal_to_who_has_nothing_is_none),
		cmocka_unit_test(different_holders_at_once_are_an_overlap),
		cmocka_unit_test(what_is_shorter_than_a_line_takes_is_none),
		cmocka_unit_test(of_who_was_killed_nobody_knows_how_long_he_had_it),
		cmocka_unit_test(a_line_that_comes_late_ends_a_hold_well),
		cmocka_unit_test(who_gives_both_back_has_done_his_work),
		cmocka_unit_test(of_a_line_without_a_writer_nothing_is_said),
		cmocka_unit_test(the_order_in_which_lines_come_does_not_matter),
		cmocka_unit_test(locks_belong_together_by_their_names),
		cmocka_unit_test(more_locks_than_there_is_room_for_are_counted_only),
		cmocka_unit_test(more_lines_than_there_is_room_for_are_done_in_parts),
		cmocka_unit_test(a_hold_without_end_costs_no_other_overlap),
		cmocka_unit_test(what_nothing_speaks_against_is_ready),
		cmocka_unit_test(too_few_tell_nothing),
		cmocka_unit_test(a_lock_that_was_lost_is_not_ready),
		cmocka_unit_test(what_is_not_of_one_mind_is_not_ready),
		cmocka_unit_test(what_fails_more_often_is_not_ready),
		cmocka_unit_test(what_waits_longer_is_not_ready),
		cmocka_unit_test(what_is_stale_more_often_is_not_ready),
		cmocka_unit_test(what_was_not_seen_lately_is_not_ready),
		cmocka_unit_test(parts_of_a_hundred_are_in_tenths),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* May one switch to B? What speaks against it. */
#include "config.h"
#include "model/compare.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

#include "base/text.h"

bool compare_is_together(const struct compare *compare)
{
	uint64_t a = compare->side[SIDE_A].tally.count[METRIC_ACQUIRED];
	uint64_t b = compare->side[SIDE_B].tally.count[METRIC_ACQUIRED];

	return compare->together * 2 > (a < b ? a : b);
}

int64_t compare_tenths(uint64_t n, uint64_t all)
{
	return all ? (int64_t)((n * 1000 + all / 2) / all) : 0;
}

static void against(struct compare_verdict *verdict, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

static void against(struct compare_verdict *verdict, const char *format, ...)
{
	va_list args;

	if (verdict->reasons == COMPARE_REASONS)
		return;
	va_start(args, format);
	vsnprintf(verdict->reason[verdict->reasons++], COMPARE_REASON_TEXT, format, args);
	va_end(args);
}

/* "once", "3 times" */
static const char *times(char *dst, size_t size, uint64_t n)
{
	if (n == 1)
		snprintf(dst, size, "once");
	else
		snprintf(dst, size, "%" PRIu64 " times", n);
	return dst;
}

static void judge_agreement(const struct compare *compare, struct compare_verdict *verdict)
{
	const uint64_t *disagreements = compare->disagreements;
	char n[32], length[32];

	if (compare->overlaps)
		against(verdict,
			"different holders had A and B at the same time %s, for %s at the longest",
			times(n, sizeof n, compare->overlaps),
			text_latency(length, sizeof length, compare->longest));
	if (disagreements[SIDE_A])
		against(verdict, "B refused %s what A gave",
			times(n, sizeof n, disagreements[SIDE_A]));
	if (disagreements[SIDE_B])
		against(verdict, "B gave %s what A refused",
			times(n, sizeof n, disagreements[SIDE_B]));
}

static void judge_failures(const struct compare *compare, struct compare_verdict *verdict)
{
	const struct tally *a = &compare->side[SIDE_A].tally, *b = &compare->side[SIDE_B].tally;
	int64_t x = compare_tenths(tally_failed(a), tally_attempts(a));
	int64_t y = compare_tenths(tally_failed(b), tally_attempts(b));

	if (y > x && !compare_is_together(compare))
		against(verdict,
			"%" PRId64 ".%" PRId64 " %% of B's attempts failed, %" PRId64 ".%" PRId64
			" %% of A's",
			y / 10, y % 10, x / 10, x % 10);
}

static void judge_stale(
	const struct tally *a, const struct tally *b, struct compare_verdict *verdict)
{
	int64_t x = compare_tenths(a->count[METRIC_STALE], a->count[METRIC_ACQUIRED]);
	int64_t y = compare_tenths(b->count[METRIC_STALE], b->count[METRIC_ACQUIRED]);

	if (y > x)
		against(verdict,
			"B was stale %" PRId64 ".%" PRId64 " times per 100 acquisitions, A %" PRId64
			".%" PRId64 " times",
			y / 10, y % 10, x / 10, x % 10);
}

static void judge_wait(const struct compare *compare, struct compare_verdict *verdict)
{
	const struct compare_side_facts *a = &compare->side[SIDE_A], *b = &compare->side[SIDE_B];
	bool is_together = compare_is_together(compare);
	struct percentiles x = histogram_percentiles(is_together ? &a->first_try : &a->tally.wait);
	struct percentiles y = histogram_percentiles(is_together ? &b->first_try : &b->tally.wait);
	char as[32], bs[32];

	if (x.n < PERCENTILES_FEW || y.n < PERCENTILES_FEW)
		return;
	if (y.p95 > 2 * x.p95 && y.p95 - x.p95 > 10 * NS_PER_MS)
		against(verdict, "p95 of B's wait is %s, of A's %s%s",
			text_latency(bs, sizeof bs, y.p95), text_latency(as, sizeof as, x.p95),
			is_together ? " (where one try was enough)" : "");
}

struct compare_verdict compare_judge(const struct compare *compare, wall_t since, wall_t until)
{
	const struct tally *a = &compare->side[SIDE_A].tally, *b = &compare->side[SIDE_B].tally;
	struct compare_verdict verdict = {0};
	wall_t quarter = until - (until - since) / 4;
	char n[32];

	if (b->count[METRIC_ACQUIRED] < PERCENTILES_FEW)
		against(&verdict, "B was acquired %s, and fewer than %d times tell nothing",
			times(n, sizeof n, b->count[METRIC_ACQUIRED]), PERCENTILES_FEW);
	if (a->count[METRIC_ACQUIRED] < PERCENTILES_FEW)
		against(&verdict,
			"A was acquired %s, and with fewer than %d nothing can be compared",
			times(n, sizeof n, a->count[METRIC_ACQUIRED]), PERCENTILES_FEW);
	if (b->count[METRIC_LOST])
		against(&verdict, "B was lost %s", times(n, sizeof n, b->count[METRIC_LOST]));
	judge_agreement(compare, &verdict);
	judge_failures(compare, &verdict);
	judge_stale(a, b, &verdict);
	judge_wait(compare, &verdict);
	if (compare->side[SIDE_B].acquired_last < quarter)
		against(&verdict, "B was not acquired in the last quarter of the time");
	verdict.is_ready = verdict.reasons == 0;
	return verdict;
}

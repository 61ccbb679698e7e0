/*
 * The figures of report and compare: one list, from which come the columns of tables and CSV, the
 * members of JSON and the words of --sort. All are asked of a tally (model/metrics.h).
 */
#ifndef LOCKTOP_CLI_FIGURES_H
#define LOCKTOP_CLI_FIGURES_H

#include "model/metrics.h"

enum figure_kind {
	FIGURE_COUNT,
	FIGURE_RATE, /* in thousandths */
	FIGURE_TIME, /* ns */
};

/* id, word (CSV; --sort takes it without the unit, too), title in a table, kind, help */
#define FIGURES(_)                                                                         \
	_(ATTEMPTS, "attempts", "ATTEMPTS", COUNT, "acquired, busy and timeout")           \
	_(ACQUIRED, "acquired", "ACQUIRED", COUNT, "times it was taken")                   \
	_(FAILED, "failed", "FAILED", COUNT, "busy and timeout")                           \
	_(FAILED_PERCENT, "failed_percent", "%", RATE, "of the attempts")                  \
	_(BUSY, "busy", "BUSY", COUNT, "not taken, no waiting was asked for")              \
	_(TIMEOUT, "timeout", "TIMEOUT", COUNT, "not taken within the time to wait")       \
	_(SLOW, "slow", "SLOW", COUNT, "waits of more than a second")                      \
	_(LOST, "lost", "LOST", COUNT, "times it was lost to somebody else")               \
	_(STALE, "stale", "STALE", COUNT, "records found whose holder is gone")            \
	_(STALE_PER_100, "stale_per_100", "PER 100", RATE, "stale, per 100 acquisitions")  \
	_(STALE_PER_DAY, "stale_per_day", "PER DAY", RATE, "stale, per day of the window") \
	_(TAKEN_OVER, "taken_over", "TAKEN OVER", COUNT, "of these, taken by another")     \
	_(RELEASED, "released", "RELEASED", COUNT, "times it was given back")              \
	_(BY_HAND, "released_stale", "BY HAND", COUNT, "stale, released by somebody")      \
	_(FORCED, "forced", "FORCED", COUNT, "released though it may have been live")      \
	_(SIGNALLED, "signalled", "SIGNALLED", COUNT, "times its holder was signalled")    \
	_(FALLBACK, "fallback", "FALLBACK", COUNT, "times another place was used")         \
	_(ERROR, "error", "ERROR", COUNT, "failures")                                      \
	_(WAIT_N, "wait_n", "N", COUNT, "waits that were measured")                        \
	_(WAIT_P50, "wait_p50_ms", "P50", TIME, "half of the waits are not longer")        \
	_(WAIT_P95, "wait_p95_ms", "P95", TIME, "95 of 100 are not")                       \
	_(WAIT_P99, "wait_p99_ms", "P99", TIME, "99 of 100 are not")                       \
	_(WAIT_MAX, "wait_max_ms", "MAX", TIME, "the longest wait")                        \
	_(HOLD_N, "hold_n", "N", COUNT, "holds that were measured")                        \
	_(HOLD_P50, "hold_p50_ms", "P50", TIME, "half of the holds are not longer")        \
	_(HOLD_P95, "hold_p95_ms", "P95", TIME, "95 of 100 are not")                       \
	_(HOLD_P99, "hold_p99_ms", "P99", TIME, "99 of 100 are not")                       \
	_(HOLD_MAX, "hold_max_ms", "MAX", TIME, "the longest hold")

enum figure {
#define _(id, word, title, kind, help) FIGURE_##id,
	FIGURES(_)
#undef _
		FIGURE_COUNT_OF
};

struct figure_info {
	const char *word, *title, *help;
	enum figure_kind kind;
};
extern const struct figure_info figure_info[FIGURE_COUNT_OF];

/* A tally with what was computed of it once. */
struct figures {
	const struct tally *tally; /* borrowed */
	struct percentiles wait, hold;
	int64_t window; /* ns; 0: unknown */
};

struct figures figures_of(const struct tally *tally, int64_t window);
/* Its value in the units of its kind. false: there is none (nothing was measured). */
bool figure_value(const struct figures *figures, enum figure figure, int64_t *value);
/* For people: "1,204", "6.5", "1.2ms"; "-" if there is none. */
const char *figure_text(char *dst, size_t size, const struct figures *figures, enum figure figure);
/* For programs: "1204", "6.518", "1.2" (ms); "" if there is none. */
const char *figure_plain(char *dst, size_t size, const struct figures *figures, enum figure figure);
/* "failed", "wait_p95" or "wait_p95_ms"; -1: no such figure. */
int figure_from_word(const char *word);
/* tally_to_json() and the rates: failed_percent, stale_per_100, stale_per_day (number or null). */
json_t *figures_to_json(const struct figures *figures);

#endif

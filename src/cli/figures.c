/* The figures of report and compare. */
#include "config.h"
#include "cli/figures.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "cli/print.h"

#define NS_PER_DAY (86400 * NS_PER_S)

const struct figure_info figure_info[FIGURE_COUNT_OF] = {
#define _(id, word, title, kind, help) [FIGURE_##id] = {word, title, help, FIGURE_##kind},
	FIGURES(_)
#undef _
};

struct figures figures_of(const struct tally *tally, int64_t window)
{
	return (struct figures){
		.tally = tally,
		.wait = histogram_percentiles(&tally->wait),
		.hold = histogram_percentiles(&tally->hold),
		.window = window,
	};
}

/* In thousandths, rounded; `of` is not 0. */
static int64_t thousandths(double n, double of)
{
	return (int64_t)(n * 1000 / of + 0.5);
}

static bool rate(uint64_t n, double times, double of, int64_t *value)
{
	if (of <= 0)
		return false;
	*value = thousandths((double)n * times, of);
	return true;
}

static bool count(uint64_t n, int64_t *value)
{
	*value = (int64_t)n;
	return true;
}

static bool measured(uint64_t n, int64_t ns, int64_t *value)
{
	if (n)
		*value = ns;
	return n > 0;
}

bool figure_value(const struct figures *figures, enum figure figure, int64_t *value)
{
	const struct tally *tally = figures->tally;
	const struct percentiles *wait = &figures->wait, *hold = &figures->hold;
	const uint32_t *lines = tally->count;

	switch (figure) {
	case FIGURE_ATTEMPTS: return count(tally_attempts(tally), value);
	case FIGURE_ACQUIRED: return count(lines[METRIC_ACQUIRED], value);
	case FIGURE_FAILED: return count(tally_failed(tally), value);
	case FIGURE_FAILED_PERCENT:
		return rate(tally_failed(tally), 100, (double)tally_attempts(tally), value);
	case FIGURE_BUSY: return count(lines[METRIC_BUSY], value);
	case FIGURE_TIMEOUT: return count(lines[METRIC_TIMEOUT], value);
	case FIGURE_SLOW: return count(tally->slow, value);
	case FIGURE_LOST: return count(lines[METRIC_LOST], value);
	case FIGURE_STALE: return count(lines[METRIC_STALE], value);
	case FIGURE_STALE_PER_100:
		return rate(lines[METRIC_STALE], 100, lines[METRIC_ACQUIRED], value);
	case FIGURE_STALE_PER_DAY:
		return rate(
			lines[METRIC_STALE], (double)NS_PER_DAY, (double)figures->window, value);
	case FIGURE_TAKEN_OVER: return count(lines[METRIC_TAKEN_OVER], value);
	case FIGURE_RELEASED: return count(lines[METRIC_RELEASED], value);
	case FIGURE_BY_HAND: return count(lines[METRIC_RELEASED_STALE], value);
	case FIGURE_FORCED: return count(lines[METRIC_FORCED], value);
	case FIGURE_SIGNALLED: return count(lines[METRIC_SIGNALLED], value);
	case FIGURE_FALLBACK: return count(lines[METRIC_FALLBACK], value);
	case FIGURE_ERROR: return count(lines[METRIC_ERROR], value);
	case FIGURE_WAIT_N: return count(wait->n, value);
	case FIGURE_WAIT_P50: return measured(wait->n, wait->p50, value);
	case FIGURE_WAIT_P95: return measured(wait->n, wait->p95, value);
	case FIGURE_WAIT_P99: return measured(wait->n, wait->p99, value);
	case FIGURE_WAIT_MAX: return measured(wait->n, wait->max, value);
	case FIGURE_HOLD_N: return count(hold->n, value);
	case FIGURE_HOLD_P50: return measured(hold->n, hold->p50, value);
	case FIGURE_HOLD_P95: return measured(hold->n, hold->p95, value);
	case FIGURE_HOLD_P99: return measured(hold->n, hold->p99, value);
	case FIGURE_HOLD_MAX: return measured(hold->n, hold->max, value);
	case FIGURE_COUNT_OF: break;
	}
	return false;
}

const char *figure_text(char *dst, size_t size, const struct figures *figures, enum figure figure)
{
	int64_t value;

	if (!figure_value(figures, figure, &value)) {
		snprintf(dst, size, "-");
		return dst;
	}
	switch (figure_info[figure].kind) {
	case FIGURE_COUNT: return print_count(dst, size, (uint64_t)value);
	case FIGURE_TIME: return text_latency(dst, size, value);
	case FIGURE_RATE: break;
	}
	value = (value + 50) / 100;
	snprintf(dst, size, "%" PRId64 ".%d", value / 10, (int)(value % 10));
	return dst;
}

/* value / scale, without zeros at its end. */
static const char *write_fixed(char *dst, size_t size, int64_t value, int64_t scale, int digits)
{
	int n = snprintf(dst, size, "%" PRId64 ".%0*" PRId64, value / scale, digits, value % scale);

	if (n < 0 || (size_t)n >= size)
		return dst;
	while (dst[n - 1] == '0')
		dst[--n] = '\0';
	if (dst[n - 1] == '.')
		dst[n - 1] = '\0';
	return dst;
}

const char *figure_plain(char *dst, size_t size, const struct figures *figures, enum figure figure)
{
	int64_t value;

	*dst = '\0';
	if (!figure_value(figures, figure, &value))
		return dst;
	switch (figure_info[figure].kind) {
	case FIGURE_COUNT: snprintf(dst, size, "%" PRId64, value); break;
	case FIGURE_RATE: return write_fixed(dst, size, value, 1000, 3);
	case FIGURE_TIME: return write_fixed(dst, size, (value + 500) / 1000, 1000, 3);
	}
	return dst;
}

int figure_from_word(const char *word)
{
	size_t len = strlen(word);

	for (int i = 0; i < FIGURE_COUNT_OF; i++) {
		const char *known = figure_info[i].word;

		if (strncmp(known, word, len) == 0 &&
			(!known[len] || strcmp(known + len, "_ms") == 0))
			return i;
	}
	return -1;
}

json_t *figures_to_json(const struct figures *figures)
{
	static const enum figure rates[] = {
		FIGURE_FAILED_PERCENT, FIGURE_STALE_PER_100, FIGURE_STALE_PER_DAY};
	json_t *object = tally_to_json(figures->tally);
	int e = object ? 0 : -1;

	for (size_t i = 0; i < sizeof rates / sizeof *rates && e == 0; i++) {
		int64_t value;
		bool is_known = figure_value(figures, rates[i], &value);

		e = json_object_set_new(object, figure_info[rates[i]].word,
			is_known ? json_real((double)value / 1000) : json_null());
	}
	if (e == 0)
		return object;
	json_decref(object);
	return NULL;
}

/*
 * Takes lines of the common form in two steps: one look at every byte finds the quotes, and
 * anything that this scanner leaves to jansson; then members are read from quote to quote. Without
 * backslashes a quote is always the beginning or the end of a text, so nothing has to be unescaped
 * or copied: texts stay in the line.
 */
#include "config.h"

#include <endian.h>
#include <string.h>

#include "model/metric_read_private.h"

enum { LINE_MAX = METRIC_LINE, WORD = 64 };

/* --- the look at every byte --- */

#define ALL(byte) (UINT64_C(0x0101010101010101) * (byte))
#define HIGH      ALL(0x80)

/* The high bit of each byte that is the one searched for. All bytes have to be below 0x80. */
static inline uint64_t equal(uint64_t bytes, unsigned char c)
{
	return ~((bytes ^ ALL(c)) + ALL(0x7f)) & HIGH;
}

/*
 * One bit for each byte that is a quote, the first the lowest. *strange gets a high bit for each
 * that is not printable ASCII or is a backslash; the quotes are right only if it has none.
 */
static inline uint64_t look(const char *at, uint64_t *strange)
{
	uint64_t bytes;

	memcpy(&bytes, at, sizeof bytes);
	bytes = le64toh(bytes);
	*strange |= bytes | ~(bytes + ALL(0x80 - ' ')) | (bytes + ALL(0x80 - 0x7f)) |
		    equal(bytes, '\\');
	return (equal(bytes, '"') >> 7) * UINT64_C(0x0102040810204080) >> 56;
}

/*
 * A bit for each quote, and one behind the end, at which every search stops. False: there is
 * something in the line that is not ours to read.
 */
static bool find_quotes(uint64_t *quotes, const char *line, size_t len)
{
	const char *end = line + len;
	uint64_t strange = 0, bits;
	char rest[8] = "        ";
	unsigned int i;

	for (; end - line >= WORD; line += WORD) {
		for (i = 0, bits = 0; i < WORD; i += 8)
			bits |= look(line + i, &strange) << i;
		*quotes++ = bits;
	}
	for (i = 0, bits = 0; end - line >= 8; line += 8, i += 8)
		bits |= look(line, &strange) << i;
	memcpy(rest, line, (size_t)(end - line));
	*quotes = bits | look(rest, &strange) << i | UINT64_C(1) << len % WORD;
	return !(strange & HIGH);
}

/* --- members --- */

enum key {
	KEY_LOCK,
	KEY_SOURCE,
	KEY_BACKEND,
	KEY_HOST,
	KEY_TOKEN,
	KEY_REASON,
	KEY_HOLDER,
	KEY_HOLDER_HOST,
	KEY_USER,
	TEXTS,
	KEY_EVENT = TEXTS,
	KEY_V,
	KEY_TS,
	KEY_PID,
	KEY_WAIT,
	KEY_HOLD,
	KEY_ATTEMPTS,
	KEY_FENCE,
	KEY_HOLDER_PID,
	KEY_HOLDER_AGE,
	KEY_EXIT_CODE,
	KEY_UNKNOWN
};

static inline enum key key_of(const char *word, size_t len)
{
#define IS(key) (memcmp(word, key, sizeof key - 1) == 0)
	switch (len) {
	case 1: return IS("v") ? KEY_V : KEY_UNKNOWN;
	case 2: return IS("ts") ? KEY_TS : KEY_UNKNOWN;
	case 3: return IS("pid") ? KEY_PID : KEY_UNKNOWN;
	case 4:
		return IS("lock")   ? KEY_LOCK
		       : IS("host") ? KEY_HOST
		       : IS("user") ? KEY_USER
				    : KEY_UNKNOWN;
	case 5:
		return IS("event")   ? KEY_EVENT
		       : IS("token") ? KEY_TOKEN
		       : IS("fence") ? KEY_FENCE
				     : KEY_UNKNOWN;
	case 6:
		return IS("source")   ? KEY_SOURCE
		       : IS("reason") ? KEY_REASON
		       : IS("holder") ? KEY_HOLDER
				      : KEY_UNKNOWN;
	case 7:
		return IS("backend")   ? KEY_BACKEND
		       : IS("wait_ms") ? KEY_WAIT
		       : IS("hold_ms") ? KEY_HOLD
				       : KEY_UNKNOWN;
	case 8: return IS("attempts") ? KEY_ATTEMPTS : KEY_UNKNOWN;
	case 9: return IS("exit_code") ? KEY_EXIT_CODE : KEY_UNKNOWN;
	case 10: return IS("holder_pid") ? KEY_HOLDER_PID : KEY_UNKNOWN;
	case 11: return IS("holder_host") ? KEY_HOLDER_HOST : KEY_UNKNOWN;
	case 12: return IS("holder_age_s") ? KEY_HOLDER_AGE : KEY_UNKNOWN;
	default: return KEY_UNKNOWN;
	}
#undef IS
}

/* What is known of a line so far. */
struct scan {
	char *line, *last; /* its first and last byte */
	const uint64_t *quotes;
	uint64_t left; /* quotes of the current word that are still to come */
	size_t word;
	struct metric metric;
	char *text[TEXTS], *end[TEXTS]; /* within the line */
	bool has_event;
};

static inline char *next_quote(struct scan *scan)
{
	uint64_t left = scan->left;

	while (!left)
		left = scan->quotes[++scan->word];
	scan->left = left & (left - 1);
	return scan->line + scan->word * WORD + (unsigned int)__builtin_ctzll(left);
}

/* --- numbers --- */

/* value / 10^decimals, `wholes` digits before the point. */
struct number {
	uint64_t value;
	size_t wholes, decimals;
};

/* More are not exact here, or an error to jansson. */
enum { DIGITS_MAX = 18 };

static inline char *read_digits(char *at, uint64_t *value)
{
	uint64_t number = *value;
	unsigned int digit;

	for (; (digit = (unsigned char)*at - (unsigned int)'0') <= 9; at++)
		number = number * 10 + digit;
	*value = number;
	return at;
}

/* Where it ends, NULL if it is not of the common form. A line ends in "}", so that this ends too.
 */
static inline char *read_number(char *at, struct number *number)
{
	char *point;

	number->value = 0;
	number->decimals = 0;
	point = read_digits(at, &number->value);
	number->wholes = (size_t)(point - at);
	if (!number->wholes || (*at == '0' && number->wholes > 1))
		return NULL;
	if (*point != '.')
		return number->wholes > DIGITS_MAX ? NULL : point;
	at = read_digits(point + 1, &number->value);
	number->decimals = (size_t)(at - point) - 1;
	if (!number->decimals || number->wholes + number->decimals > DIGITS_MAX)
		return NULL;
	return at;
}

static bool take_integer(const struct number *number, int64_t least, int64_t most, int64_t *out)
{
	int64_t value = (int64_t)number->value;

	if (number->decimals || value > most)
		return false;
	*out = value >= least ? value : -1;
	return true;
}

static bool take_int32(const struct number *number, int64_t least, int32_t *out)
{
	int64_t value;

	if (!take_integer(number, least, INT32_MAX, &value))
		return false;
	*out = (int32_t)value;
	return true;
}

/*
 * In millionths. Six decimals are what a double, which is what jansson has, holds of a number below
 * 2^33: half a unit in its last place is less than half a millionth.
 */
static bool take_millionths(const struct number *number, size_t wholes, int64_t *out)
{
	static const int64_t power[] = {1000000, 100000, 10000, 1000, 100, 10, 1};

	if (number->wholes > wholes || number->decimals > 6)
		return false;
	*out = (int64_t)number->value * power[number->decimals];
	return true;
}

static bool take_ts(const struct number *number, int64_t *out)
{
	int64_t us;

	if (!take_millionths(number, 10, &us) || us >= METRIC_TS_END / 1000)
		return false;
	*out = us * 1000;
	return true;
}

static bool take_age(const struct number *number, int64_t *out)
{
	int64_t us;

	if (!take_millionths(number, 9, &us))
		return false;
	*out = us * 1000;
	return true;
}

static inline bool take_number(struct metric *metric, enum key key, const struct number *number)
{
	switch (key) {
	case KEY_V: return number->value == 1 && !number->decimals;
	case KEY_TS: return take_ts(number, &metric->ts);
	case KEY_PID: return take_int32(number, 1, &metric->pid);
	case KEY_WAIT: return take_millionths(number, 9, &metric->wait);
	case KEY_HOLD: return take_millionths(number, 9, &metric->hold);
	case KEY_ATTEMPTS: return take_integer(number, 0, INT64_MAX, &metric->attempts);
	case KEY_FENCE: return take_integer(number, 1, INT64_MAX, &metric->fence);
	case KEY_HOLDER_PID: return take_int32(number, 1, &metric->holder_pid);
	case KEY_HOLDER_AGE: return take_age(number, &metric->holder_age);
	case KEY_EXIT_CODE: return take_int32(number, 0, &metric->exit_code);
	default: return key == KEY_UNKNOWN;
	}
}

/* --- the line --- */

static inline bool take_text(struct scan *scan, enum key key, char *text, char *end)
{
	int event;

	if (key < TEXTS) {
		scan->text[key] = text;
		scan->end[key] = end;
		return true;
	}
	if (key != KEY_EVENT)
		return key == KEY_UNKNOWN;
	event = metric_event_from_word(text, (size_t)(end - text));
	if (event < 0)
		return false;
	scan->metric.event = (enum metric_event)event;
	scan->has_event = true;
	return true;
}

/* "key":value from `at` on. Where it ends, NULL if it is not of the common form. */
static inline char *take_member(struct scan *scan, char *at)
{
	struct number number;
	enum key key;
	char *end;

	if (*at != '"')
		return NULL;
	next_quote(scan); /* this one */
	end = next_quote(scan);
	if (end > scan->last || end[1] != ':')
		return NULL;
	key = key_of(at + 1, (size_t)(end - at) - 1);
	at = end + 2;
	if (*at != '"') {
		at = read_number(at, &number);
		return at && take_number(&scan->metric, key, &number) ? at : NULL;
	}
	next_quote(scan);
	end = next_quote(scan);
	if (end > scan->last || !take_text(scan, key, at + 1, end))
		return NULL;
	return end + 1;
}

/* Now that nothing is in doubt the quotes behind the texts go. */
static const char *ended(const struct scan *scan, enum key key)
{
	if (scan->text[key] == scan->end[key])
		return NULL;
	*scan->end[key] = '\0';
	return scan->text[key];
}

static void end_texts(struct scan *scan)
{
	struct metric *metric = &scan->metric;

	metric->lock = ended(scan, KEY_LOCK);
	metric->source = ended(scan, KEY_SOURCE);
	metric->backend = ended(scan, KEY_BACKEND);
	metric->host = ended(scan, KEY_HOST);
	metric->token = ended(scan, KEY_TOKEN);
	metric->reason = ended(scan, KEY_REASON);
	metric->holder = ended(scan, KEY_HOLDER);
	metric->holder_host = ended(scan, KEY_HOLDER_HOST);
	metric->user = ended(scan, KEY_USER);
}

bool metric_scan(char *line, size_t len, struct metric *out)
{
	uint64_t quotes[LINE_MAX / WORD + 1];
	struct scan scan;
	char *at = line, *last = line + len - 1;

	if (len < 2 || len > LINE_MAX || *line != '{' || *last != '}' ||
		!find_quotes(quotes, line, len))
		return false;
	scan = (struct scan){.line = line, .last = last, .quotes = quotes, .left = quotes[0]};
	scan.metric = metric_new(METRIC_EVENT_COUNT, WALL_UNKNOWN);
	do
		at = take_member(&scan, at + 1);
	while (at && *at == ',');
	if (at != last || !scan.has_event || scan.metric.ts == WALL_UNKNOWN ||
		scan.text[KEY_LOCK] == scan.end[KEY_LOCK])
		return false;
	end_texts(&scan);
	*out = scan.metric;
	return true;
}

/*
 * What the metrics log says, counted: per lock and over all, as totals (report, export) or as
 * series by the second, minute and hour (the monitor). One model behind the metrics view, report,
 * compare, check, JSON, CSV and Prometheus: they all ask a tally for its counts and percentiles.
 * Memory is bounded and does not grow with the log. Pure: times come in with the lines.
 */
#ifndef LOCKTOP_MODEL_METRICS_H
#define LOCKTOP_MODEL_METRICS_H

#include "model/histogram.h"
#include "model/metric.h"
#include <jansson.h>
#include <stdbool.h>

/* What happened in a span of time. A zeroed one is empty. */
struct tally {
	uint32_t count[METRIC_EVENT_COUNT]; /* lines of each event; stays at the most */
	uint32_t slow;                      /* waits of more than a second, however they ended */
	struct histogram wait;              /* of those that acquired it */
	struct histogram hold;              /* of released and lost */
};

int tally_add(struct tally *tally, const struct metric *metric); /* 0 or -ENOMEM */
int tally_merge(struct tally *into, const struct tally *from);
void tally_clear(struct tally *tally); /* keeps the memory */
void tally_release(struct tally *tally);
bool tally_is_empty(const struct tally *tally);
/* Tries to take it: acquired, busy and timeout; and those that did not get it. */
uint64_t tally_attempts(const struct tally *tally);
uint64_t tally_failed(const struct tally *tally);

/*
 * Whom others waited for, by program and host. Only so many are kept: when another one comes, it
 * takes the place, and the number, of the least; the last ones may so be too high.
 */
struct waited_for {
	char who[80];    /* clean; "php on web1" */
	uint32_t times;  /* lines that named it: busy, timeout, slow */
	int64_t longest; /* ns that one of those had waited */
};
enum { WAITED_FOR_MAX = 6 };

/*
 * The resolutions, the finest first: seconds of a slot, and how many are kept (twice the window).
 * A line may come late, or up to an hour early (another host's clock): it costs no other slot.
 */
#define TIERS(_)            \
	_(SECOND, 1, 1800)  \
	_(MINUTE, 60, 2880) \
	_(HOUR, 3600, 336)

enum tier {
#define _(id, seconds, slots) TIER_##id,
	TIERS(_)
#undef _
		TIER_COUNT
};

/* id, word, help, seconds, tier that it is made of */
#define WINDOWS(_)                                    \
	_(15M, "15m", "15 minutes", 900, TIER_SECOND) \
	_(1H, "1h", "1 hour", 3600, TIER_MINUTE)      \
	_(24H, "24h", "24 hours", 86400, TIER_MINUTE) \
	_(7D, "7d", "7 days", 604800, TIER_HOUR)

enum window {
#define _(id, word, help, seconds, tier) WINDOW_##id,
	WINDOWS(_)
#undef _
		WINDOW_COUNT
};

struct window_info {
	const char *word, *help;
	int64_t length; /* ns */
	enum tier tier;
};
extern const struct window_info window_info[WINDOW_COUNT];

/* What happened in a second, minute or hour. */
struct slot;

/* Those of a tier in which anything happened, by their number (time / length). */
struct slots {
	struct slot *at; /* owned */
	uint32_t n, size;
};

/* One lock's, or all of a log's. */
struct series {
	char *address; /* owned; clean: "/run/lock/x.lock", "redis://h/0/x"; NULL: of all */
	char *source, *lock, *backend;            /* owned, clean; "" unknown */
	wall_t first, last;                       /* ts of its first and last line; 0: none */
	struct tally total;                       /* METRICS_TOTALS only */
	struct slots slots[TIER_COUNT];           /* METRICS_SERIES only */
	struct waited_for waited[WAITED_FOR_MAX]; /* the most often named first; who "": unused */
	uint64_t changes;                         /* grows with every line */
	uint64_t hash, words_hash;                /* of the address; of source and lock */
	struct series *next, *next_by_words;
	struct series *newer, *older; /* by use */
};

enum metrics_mode {
	METRICS_TOTALS, /* one tally a lock: everything that was fed */
	METRICS_SERIES, /* rows of slots: the last 30 minutes, 2 days, 14 days */
	/*
	 * To be sent by metrics_each_sample() only: a line is in one slot instead of six, which is
	 * three times as fast, and no window can be asked for.
	 */
	METRICS_SAMPLES,
};

struct metrics {
	enum metrics_mode mode;
	struct series all;
	struct series rest; /* of all, what has no series: no lock was named, or it is forgotten */
	struct series **bucket;   /* owned hash table, by address */
	struct series **by_words; /* owned; another one, by source and lock as in the line */
	size_t buckets;
	uint64_t seed;     /* of the hashes */
	size_t series;     /* how many locks */
	size_t series_max; /* beyond that the one longest unused is forgotten; its lines stay in all
			    */
	uint64_t forgotten;             /* locks that were */
	struct series *newest, *oldest; /* by use */
	/*
	 * What it takes of the heap; beyond the most the oldest slots go, of the tier that takes
	 * most, and at last the locks longest unused.
	 */
	size_t bytes, bytes_max;
	size_t tier_bytes[TIER_COUNT];
	wall_t kept[TIER_COUNT];  /* before that something went; 0: nothing did. Ask
				     series_known_from() */
	int64_t sent[TIER_COUNT]; /* METRICS_SAMPLES: s from when on lines go by that tier */
	uint64_t lines;           /* metrics that were added */
	uint64_t bad;             /* lines not understood, as the reader of the log said */
	uint64_t changes;         /* grows with every line */
};

/* series_max, bytes_max 0: 512 locks and 24 MB in series, 20,000 and 40 MB in totals. */
int metrics_init(
	struct metrics *metrics, enum metrics_mode mode, size_t series_max, size_t bytes_max);
void metrics_release(struct metrics *metrics);
void metrics_clear(struct metrics *metrics); /* as after metrics_init() */
/*
 * Counts a line, whose texts are clean. Without a lock's name it counts in all only. A line that is
 * more than an hour ahead makes others too old to be counted: the caller leaves it out. 0, or
 * -ENOMEM: it is not counted then, and what was there still is.
 */
int metrics_add(struct metrics *metrics, const struct metric *metric);
/* By clean address; NULL: never heard of it, or forgotten. */
const struct series *metrics_find(const struct metrics *metrics, const char *address);
/*
 * The locks, as an owned array (free()) of borrowed series, by address. NULL with *n 0: none;
 * with *n > 0: out of memory.
 */
const struct series **metrics_sorted(const struct metrics *metrics, size_t *n);
/*
 * The address of a lock as model_address() has it, from the two words of a line: "/run/lock/x.lock"
 * for "file:/run/lock" and "x.lock", "ssh:web1:/run/lock/x.lock", "kernel:flock:/run/x",
 * "redis://h/0/x". A file: source may be the file itself if it ends with the name and that has a
 * dot; %XX in it is decoded. Clean if both are. Returns its length; cut at size - 1.
 */
size_t metrics_address(char *dst, size_t size, const char *source, const char *lock);

/*
 * A slot as it travels from the process that reads a log to the monitor: what happened to one
 * lock from `from` on for `seconds` (1, 60 or 3600). waited is not of the slot: it stands in one
 * of the samples of a lock, for all of them.
 */
struct sample {
	char *source, *lock, *backend; /* owned, clean; NULL or "" unknown */
	int64_t from;                  /* s since 1970, a multiple of seconds */
	int32_t seconds;
	struct tally tally; /* owned */
	struct waited_for waited[WAITED_FOR_MAX];
	wall_t last; /* ts of its last line */
};

/*
 * Adds a sample to its own tier and the coarser ones. 0, -ENOMEM (nothing is added then), -EINVAL
 * (seconds is no tier's, or from no multiple of it). METRICS_SERIES only.
 */
int metrics_add_sample(struct metrics *metrics, const struct sample *sample);
void sample_release(struct sample *sample);
/*
 * METRICS_SAMPLES, before lines are added: they will be sent at about that time. How old they are
 * then decides whether they go by the second, minute or hour.
 */
void metrics_expect(struct metrics *metrics, wall_t now);
/*
 * Calls fn for every slot as a sample (borrowed), each line in one of them only: in the finest tier
 * that still has the whole minute, or hour, of it at `now`. What belongs to no lock has lock NULL.
 * Ends with the first result that is not 0, and returns it. -ENOMEM.
 */
int metrics_each_sample(const struct metrics *metrics, wall_t now,
	int (*fn)(void *data, const struct sample *sample), void *data);

/* The same lock in several logs, or several locks as one: what the questions below are about. */
enum { SERIES_SET_MAX = 16 };
struct series_set {
	const struct series *at[SERIES_SET_MAX];
	size_t n;
};

/*
 * Adds up the slots of a tier that begin in [from, to); from and to 0: the totals, or all slots of
 * the tier. into is not cleared. 0 or -ENOMEM (something may have been added then).
 */
int series_tally(
	const struct series_set *set, enum tier tier, wall_t from, wall_t to, struct tally *into);
/* The window that ends with the slot in which `at` lies. */
int series_window(const struct series_set *set, enum window window, wall_t at, struct tally *into);

/* One column of a graph. */
enum {
	MARK_RELEASED = 1, /* an administrator released a stale one */
	MARK_FORCED = 2,   /* … forced, or signalled the holder */
	MARK_TAKEN_OVER = 4,
	MARK_LOST = 8,
};
struct point {
	wall_t from, to;
	struct percentiles wait, hold; /* n 0: nothing was measured; that is a gap, not a zero */
	uint64_t acquired, failed, stale, slow;
	unsigned int marks;
};

/*
 * The same window, cut into n columns of equal length. Each slot is in the column in which it
 * begins; where slots are longer than columns, each column has what the slot has in which it
 * begins. 0 or -ENOMEM.
 */
int series_points(
	const struct series_set *set, enum window window, wall_t at, struct point *point, size_t n);
/* From when on the window is known, for memory's sake; 0: all of it. */
wall_t series_known_from(const struct metrics *metrics, enum window window, wall_t at);

/*
 * {"n":…,"p50":…,"p95":…,"p99":…,"max":…} in ms to the microsecond; null where n is 0; "few":true
 * where n is less than PERCENTILES_FEW. To be dumped with METRICS_JSON_DIGITS, which shows the
 * three decimals and no rounding errors of doubles. NULL: out of memory.
 */
#define METRICS_JSON_DIGITS JSON_REAL_PRECISION(15)
json_t *percentiles_to_json(const struct percentiles *percentiles);
/*
 * {"attempts","acquired","failed","busy","timeout","slow","lost","stale","taken_over","released",
 * "released_stale","forced","signalled","fallback","error","wait_ms":{…},"hold_ms":{…}}
 */
json_t *tally_to_json(const struct tally *tally);

#endif

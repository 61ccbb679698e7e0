/*
 * What the monitor and the listings know: the sources, their locks with the verdict on each,
 * and the list of what happened. Fed by events, asked by views; no I/O and no clock in it: time
 * comes in through model_tick().
 */
#ifndef LOCKTOP_MODEL_MODEL_H
#define LOCKTOP_MODEL_MODEL_H

#include "model/event.h"
#include "model/metrics.h"
#include "model/verdict.h"

/* Where a source stands; said by the hub. */
#define SOURCE_STATES(_)                                            \
	_(STARTING, "starting", "no complete look yet")             \
	_(OK, "ok", "answers")                                      \
	_(SILENT, "silent", "has not answered within its deadline") \
	_(DOWN, "down", "ended; it is started again after a pause") \
	_(ENDED, "ended", "came to its end, nothing will follow")

enum source_state {
#define _(id, word, help) SOURCE_##id,
	SOURCE_STATES(_)
#undef _
		SOURCE_STATE_COUNT
};

struct entry {
	struct lock *lock; /* owned reference */
	size_t source;     /* index into model->source */
	struct verdict verdict;
	int64_t limit;            /* ns, from the rules; 0: none */
	enum state known;         /* its state when its source last answered */
	size_t due;               /* where it stands in model->waiting; SIZE_MAX: nowhere */
	struct percentiles usual; /* how long holds of the last 7 days took; n 0: not known */
	uint64_t usual_changes;   /* of its series, when that was counted */
	mono_t usual_at;          /* and when that was */
	uint64_t key[2];          /* hashes of its address and path; 0: not made yet */
	int64_t usual_noted;      /* by the history of this model, and its only */
	bool is_past;             /* the source began anew and has not seen it again yet */
	bool is_tagged;           /* by the user of this model */
	bool is_fresh;            /* appeared or changed state since the first complete look */
};

struct model_source {
	char *uri;  /* owned, clean */
	char *host; /* owned; where it runs, NULL: not said yet */
	enum source_state state;
	char *fault; /* owned; what is wrong, in words; NULL: nothing */
	char *note;  /* owned; "polling: no inotify watch left (ENOSPC)"; NULL: nothing */
	bool is_polling;
	bool is_complete; /* a first look was completed */
	bool is_read_only;
	bool is_fault_of_hub;
	mono_t heard;   /* last sign of life, MONO_UNKNOWN never */
	mono_t lost;    /* that of the process that went down last */
	wall_t data_at; /* of the last complete look, the source's clock; 0 never */
	int64_t took;   /* ns of the last look */
	int64_t every;  /* ns between its signs of life */
	unsigned int restarts;
	struct entry **entry; /* owned array of owned entries, sorted by name */
	size_t n, size;
	size_t past; /* entries that are */
	size_t count[STATE_COUNT];
	struct metrics *metrics; /* owned; of a source that reads a log; NULL: none */
	bool borrows_metrics;    /* they are another model's, of which this is a copy */
	bool is_metrics_past;    /* who told them is gone: his successor begins anew */
	bool is_filling;         /* its log is read for the first time: they are not all yet */
};

/* One line of the events view. */
struct happening {
	wall_t at;
	size_t source;
	char *name;       /* owned; the lock, or NULL for the source itself */
	enum state state; /* after it; of a lock */
	char *text;       /* owned, clean: "HELD: pid 4711 php took it" */
};

enum { MODEL_HAPPENINGS = 1000 };

/* How long a hold may take, for names that match; the first match wins. */
struct limit_rule {
	char *pattern; /* owned; fnmatch(3) against name and address */
	int64_t limit; /* ns */
};

struct model {
	struct model_source *source;
	size_t sources;
	mono_t now;
	wall_t now_wall;
	char host[65];           /* where the monitor runs */
	int64_t limit;           /* ns, default of the rules: 600 s */
	double overdue_factor;   /* 3: of its usual hold (p99), beyond which a hold is OVERDUE */
	struct limit_rule *rule; /* owned */
	size_t rules;
	struct happening *happening; /* ring, owned */
	size_t happened;             /* ever; the last MODEL_HAPPENINGS are kept */
	uint64_t changes;            /* grows with whatever a view could show, ages apart */
	mono_t due;                  /* when model_tick() has to judge again; MONO_NEVER */
	struct entry **waiting;      /* owned heap of borrowed entries, by verdict.due */
	size_t waits, waiting_size;
	size_t entries;        /* of all sources */
	bool has_time;         /* model_tick() was called */
	bool is_usual_old;     /* samples came since the usual holds were counted last */
	mono_t usual_at;       /* when that was */
	int64_t usual_hour;    /* of the wall clock, then */
	uint64_t usual_counts; /* and how often it was */
	/* Borrowed; the usual hold of the lock that is told next, if new: of history only. */
	const struct percentiles *usual_of_new;
};

/* 0 or -ENOMEM. */
int model_init(struct model *model, const char *host);
void model_release(struct model *model);
/*
 * A second model that says the same and shares the locks (for a frozen screen): 0 or -ENOMEM
 * (then it is empty). What logs say is borrowed from the first one, which has to outlive it, and
 * goes on: ask with `at`, the time at which the copy stands still.
 */
int model_copy(struct model *to, const struct model *from);
/* Adds a source; returns its index or -ENOMEM. */
int model_add_source(struct model *model, const char *uri);
/* Rules are tried in the order they were added; a limit of 0 means none. Kernel locks and */
/* pid files have no limit unless a rule names them; a pid file has none at all. */
int model_add_limit(struct model *model, const char *pattern, int64_t limit);

/*
 * Time goes on: judges again what is due, and everything after a jump of the wall clock. Call it
 * before applying events. Returns whether a state changed.
 */
bool model_tick(struct model *model, mono_t now, wall_t now_wall);
/* Takes an event in; keeps references of its own. 0 or -ENOMEM. */
int model_apply(struct model *model, size_t source, const struct event *event);
/* What the hub says of a source; text may be NULL. When it starts anew, `gone` for all locks */
/* comes only with the first complete look of the new process: until then the old ones stay, */
/* marked as past. */
int model_source_is(struct model *model, size_t source, enum source_state state, const char *text);

struct entry *model_find(const struct model *model, size_t source, const char *name);
/* The n-th last happening (0: the newest), or NULL. */
const struct happening *model_happening(const struct model *model, size_t n);
/* Ages of data: ns since the source was last heard; INT64_MAX never. */
int64_t model_data_age(const struct model *model, size_t source);
/* The age of a lock now: ns; AGE_UNKNOWN, also of a free one. verdict.age is of the judgement. */
int64_t model_age(const struct model *model, const struct entry *entry);
/* The facts that the entry is judged by, for verdict_why() and its sisters. */
struct facts model_facts(const struct model *model, const struct entry *entry);
/* The same for any lock of a source that is not in the model: limit by its name. */
int64_t model_limit(const struct model *model, size_t source, const struct lock *lock);
/* Clean address of a lock for the command line: "/run/lock/x.lock", "kernel:flock:/run/x". */
void model_address(char *dst, size_t size, const struct model *model, const struct entry *entry);

/*
 * What the logs say of a lock, by its address or path: a set for series_tally() and its sisters.
 * Empty when no log names it. Valid until the next event.
 */
struct series_set model_series(const struct model *model, const struct entry *entry);
/* The same of a lock that may have gone, by the address, and path or NULL, that it had. */
struct series_set model_series_at(const struct model *model, const char *address, const char *path);
/* Of everything that the logs name, also of locks that are not on the screen. */
struct series_set model_series_all(const struct model *model);
/*
 * How long its holds usually were then: for a copy that is told again what was told once, without
 * the logs. Judges it again: 1 when its state changed, 0 or -ENOMEM.
 */
int model_set_usual(struct model *model, struct entry *entry, const struct percentiles *usual);
/* Does a source read a log (log:), or any of them? Lines not understood, in all. */
bool model_is_log(const struct model_source *source);
bool model_has_metrics(const struct model *model);
uint64_t model_metrics_bad(const struct model *model);
/*
 * From when on the window is known at `at`: the earliest of all logs that have lines, for before
 * that surely nothing is; 0: all of it.
 */
wall_t model_known_from(const struct model *model, enum window window, wall_t at);

/* Which locks to show, and in which order. */
struct selection {
	/*
	 * Words, all of which have to match: "state:stale,overdue", FIELD:TEXT for any other
	 * column ("user:www-data", "host:web1"), "age>10m" (also < and =, and limit, waiters,
	 * pid), "tagged", and whatever else occurs in name, path, host, user, pid or command.
	 * A ! before a word excludes.
	 */
	char filter[128];
	int sort; /* enum column, or SORT_HARM */
	bool is_reversed;
	bool hides_free;
};

#define SORT_HARM (-1)

/* Would the list show that entry? A filter that is not well formed hides nothing. */
bool selection_shows(
	const struct selection *selection, const struct model *model, const struct entry *entry);
/* Is the filter well formed? Else -EINVAL with a sentence. */
int selection_check(const struct selection *selection, struct error *err);
/*
 * Fills *entries (owned array of borrowed entries; grown by realloc) in order. Harm order:
 * state's rank, then waiters, then age over limit, then source and name.
 */
int model_select(const struct model *model, const struct selection *selection,
	struct entry ***entries, size_t *n, size_t *size);
/* The worst lock, or NULL when all is well (FREE or HELD only). */
struct entry *model_worst(const struct model *model);
/* Counts over all sources, by state. */
void model_count(const struct model *model, size_t count[STATE_COUNT]);

#endif

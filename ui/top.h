/*
 * The monitor without a terminal: state, keys in, canvas out. Deeds leave through ask(); the
 * monitor itself never calls a backend.
 */
#ifndef LOCKTOP_UI_TOP_H
#define LOCKTOP_UI_TOP_H

#include "engine/act.h"
#include "model/columns.h"
#include "model/history.h"
#include "ui/glyphs.h"
#include "ui/levels.h"
#include "ui/metrics_page.h"
#include "ui/prompt.h"
#include "ui/view.h"

enum { TOP_TARGETS_SHOWN = 8, TOP_MESSAGE = 480, TOP_SIGNALLED = 16 };

/* What a dialog is about: captured when it opens, checked again when it is answered. */
struct target {
	size_t source;
	struct deed deed; /* owned */
	enum state state; /* as seen */
};

/* A row of the list. The reference keeps the name when the lock itself has gone. */
struct listed {
	size_t source;
	struct lock *lock; /* owned reference */
};

/* A deed that was asked for and is not answered yet. */
struct asked {
	int64_t request;
	size_t source;
	enum deed_kind kind;
	int32_t pid;
	uint64_t start;
};

/* A holder that was sent TERM: asked again, it gets KILL. */
struct signalled {
	size_t source;
	int32_t pid; /* 0: free */
	uint64_t start;
	mono_t at;
};

/* What of the past is shown; the model of it is top->frozen. */
struct past {
	bool is_on;
	bool is_blank;          /* from then no lock is known, only what the logs say */
	bool is_exact;          /* right after a step, not some time later */
	uint64_t next;          /* the first step that it does not have; also of a pause */
	char text[TOP_MESSAGE]; /* stands in the message line while nothing else does */
};

struct top {
	struct model *model;           /* borrowed; what is watched */
	struct model *frozen;          /* owned: a copy while paused, the past, or NULL */
	const struct history *history; /* borrowed; NULL: there is no stepping back */
	struct past past;
	const struct policy *policy; /* borrowed */
	const struct glyphs *glyphs;
	enum view_id view, before; /* before: where Esc leads back */
	struct selection selection;
	struct listed *list; /* owned; the list in order */
	size_t listed, list_size;
	/* The selection is a lock, never a row number. */
	size_t cursor_source;
	char *cursor_name;        /* owned; NULL: none yet */
	size_t cursor;            /* its row now, derived */
	bool is_steered;          /* the user moved it; until then it stays on the worst lock */
	size_t first[VIEW_COUNT]; /* first row shown */
	struct small_graph levels[LEVELS_KEPT]; /* of the list's small graphs */
	size_t line;                            /* first line shown of the views that are text */
	struct metrics_page page;               /* of the metrics view */
	size_t happened; /* model->happened when the events were last scrolled */
	struct prompt prompt;
	enum action prompt_for; /* what it asks */
	bool prompt_is_seen;    /* it was on the screen: only then an answer counts */
	char filter_before[sizeof((struct selection *)0)->filter]; /* Esc brings it back */
	struct target *target;                                     /* owned array */
	size_t targets, target_size;
	struct asked *asked; /* owned array; deeds without an answer */
	size_t asks, asked_size;
	size_t batch, batch_done, batch_bad; /* deeds of the last dialog, for one sentence */
	struct signalled signalled[TOP_SIGNALLED];
	char message[TOP_MESSAGE]; /* last result or refusal, a sentence */
	bool message_is_bad;
	mono_t message_until;
	bool tidy;      /* from the settings */
	char tty[64];   /* for the audit */
	int rows, cols; /* size of the screen: set before top_update(); 0: not known */
	bool wants_quit, wants_suspend, wants_repaint;
	bool wants_select;    /* the list has to be made again whatever it costs */
	uint64_t selected_at; /* model->changes when the list was made */
	mono_t select_cost;   /* ns, of making it: 100,000 rows are not sorted every time */
	mono_t selected_when;
	struct entry **scratch; /* owned; of model_select(), not valid outside top_update() */
	size_t scratch_size;
	/* Sends a deed to a source; request number or -errno with a sentence. */
	int64_t (*ask)(void *data, size_t source, const struct deed *deed, struct error *err);
	void (*look)(void *data); /* REFRESH: all sources look again now */
	void *data;
};

void top_init(struct top *top, struct model *model, const struct policy *policy,
	const struct glyphs *glyphs);
void top_release(struct top *top);
/* A key from the terminal. */
void top_key(struct top *top, int key);
/*
 * An action, whatever key it came from; tests walk all of them in all views. An open question
 * is cancelled.
 */
void top_act(struct top *top, enum action action);
/* The answer to a deed arrived (a DONE event). */
void top_done(struct top *top, size_t source, const struct event *event);
/*
 * Brings the derived state (order of the list, cursor row, a question whose lock changed is
 * withdrawn) up to date; call before top_draw().
 */
void top_update(struct top *top);
/* Draws everything; nothing changes by drawing. Any size. */
void top_draw(const struct top *top, struct canvas *canvas);
/* What views look at: the frozen model while paused and in the past. */
const struct model *top_model(const struct top *top);
/* The selected entry or NULL. */
const struct entry *top_selected(const struct top *top);
/*
 * The block "worst lock first": lines of text with styles for a lock: STATE line, who, alive,
 * waits, DO. Used by the locks view and the one-lock view. Returns the number of lines it
 * needs; draws what fits, the most important lines first.
 */
int top_verdict_block(
	const struct top *top, struct canvas *canvas, struct rect rect, const struct entry *entry);
/*
 * What stands there when there is no worst lock: that nothing is stuck, or that this is not
 * known because a source does not answer.
 */
int top_all_well(const struct top *top, struct canvas *canvas, struct rect rect);
/* A sentence on a source that does not answer: "STALE DATA 47s file:/run/lock"; false: all do. */
bool top_data_alarm(const struct top *top, char *dst, size_t size);

/* For the parts of the monitor among themselves (top.c, deeds.c, views). */

/* Where things go at that size, with what is to be shown now. */
struct layout top_layout(const struct top *top, int rows, int cols);
/* Shows that model (owned) instead of the live one, with the tags of both; NULL: live again. */
void top_freeze(struct top *top, struct model *model);
void top_go_live(struct top *top); /* from a pause or the past, with a sentence */
/* Steps so many changes forward or, below zero, back in time. */
void top_step(struct top *top, int by);
/* Asks for a time to jump to, and goes there. */
void top_ask_jump(struct top *top);
void top_answer_jump(struct top *top, enum prompt_answer answer);
/* "12:03:41", or with its date when that is not today's: of a moment of the past. */
const char *top_moment(char *dst, size_t size, const struct top *top, wall_t at);
/* What stands in the message line: a message, or what is said of the past; "": nothing. */
const char *top_message(const struct top *top);
/* Shows a sentence in the message line for a while. */
void top_say(struct top *top, bool is_bad, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
/* RELEASE, FORCE, TERMINATE and CLEAN: opens the question or refuses in a sentence. */
void top_offer(struct top *top, enum action action);
/* The question was answered with yes: sends what it was about. */
void top_do(struct top *top);
/* Is the question still about what its dialog shows? Else false with a sentence. */
bool top_targets_hold(const struct top *top, char *why, size_t size);
void top_drop_targets(struct top *top);
/* Returns memory or ends the program: the screen may. */
void *top_must(void *memory);

#endif

/*
 * The monitor without a terminal: state, keys in, canvas out. Deeds leave through ask(); the
 * monitor itself never calls a backend.
 */
#ifndef LOCKTOP_UI_TOP_H
#define LOCKTOP_UI_TOP_H

#include "engine/act.h"
#include "model/columns.h"
#include "ui/glyphs.h"
#include "ui/prompt.h"
#include "ui/view.h"

enum { TOP_TARGETS_SHOWN = 8, TOP_MESSAGE = 480 };

/* What a dialog is about: captured when it opens, checked again when it is answered. */
struct target {
	size_t source;
	struct deed deed; /* owned */
	enum state state; /* as seen */
};

struct top {
	struct model *model;         /* borrowed; what is watched */
	struct model *frozen;        /* owned copy while paused, else NULL */
	const struct policy *policy; /* borrowed */
	const struct glyphs *glyphs;
	enum view_id view, before; /* before: where Esc leads back */
	struct selection selection;
	struct entry **entry; /* owned; the list in order */
	size_t entries, entry_size;
	/* The selection is a lock, never a row number. */
	size_t cursor_source;
	char *cursor_name;        /* owned; NULL: none yet */
	size_t cursor;            /* its row now, derived */
	size_t first[VIEW_COUNT]; /* first row shown */
	size_t line;              /* selected row of the other views */
	struct prompt prompt;
	enum action prompt_for; /* what it asks */
	struct target *target;  /* owned array */
	size_t targets;
	char message[TOP_MESSAGE]; /* last result or refusal, a sentence */
	bool message_is_bad;
	mono_t message_until;
	bool tidy;      /* from the settings */
	char tty[64];   /* for the audit */
	int rows, cols; /* size of the screen last drawn */
	bool wants_quit, wants_suspend, wants_repaint;
	uint64_t selected_at; /* model->changes when the list was made */
	mono_t select_cost;   /* ns, of making it: 100,000 rows are not sorted every time */
	mono_t selected_when;
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
/* An action, whatever key it came from; tests walk all of them in all views. */
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
/* What views look at: the frozen model while paused. */
const struct model *top_model(const struct top *top);
/* The selected entry or NULL. */
const struct entry *top_selected(const struct top *top);
/*
 * The block "worst lock first": lines of text with styles for a lock: STATE line, who, alive,
 * since, waits, DO. Used by the locks view and the one-lock view. Returns the number of lines
 * it needs; draws only what fits.
 */
int top_verdict_block(
	const struct top *top, struct canvas *canvas, struct rect rect, const struct entry *entry);

#endif

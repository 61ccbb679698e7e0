/*
 * A view: pure functions of the monitor's state. One const struct a view, in view_NAME.c.
 */
#ifndef LOCKTOP_UI_VIEW_H
#define LOCKTOP_UI_VIEW_H

#include "ui/keymap.h"
#include "ui/layout.h"

struct top;

struct view {
	const char *name;
	unsigned int bit; /* IN_… */
	/* Lines of text or rows that the body has, for scrolling. */
	size_t (*rows)(const struct top *top);
	/* Draws header and body. Const: drawing never changes anything. */
	void (*draw)(const struct top *top, struct canvas *canvas, const struct layout *layout);
};

#define VIEWS(_) _(locks) _(lock) _(events) _(sources) _(help) _(metrics)

enum view_id {
#define _(name) VIEW_##name,
	VIEWS(_)
#undef _
		VIEW_COUNT
};

#define _(name) extern const struct view view_##name;
VIEWS(_)
#undef _

extern const struct view *const views[VIEW_COUNT];

#endif

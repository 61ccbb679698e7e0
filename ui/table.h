/*
 * A scrolling table of entries: which columns fit, how wide each is, and the rows. The column
 * table of the model is its source; the same widths serve `ls --format=table`.
 */
#ifndef LOCKTOP_UI_TABLE_H
#define LOCKTOP_UI_TABLE_H

#include "model/columns.h"
#include "ui/canvas.h"
#include "ui/glyphs.h"

enum { TABLE_COLUMNS = 24 };

struct table_plan {
	struct {
		enum column column;
		int at, width;
	} col[TABLE_COLUMNS];
	size_t n;
};

/*
 * Chooses from the wanted columns, the most important first (state, name, age, holder, …), those
 * whose smallest widths fit into cols, then gives the rest to the growing ones. Order on screen
 * is the order given; two columns on the left are for the marks of cursor and tag.
 */
void table_plan(struct table_plan *plan, int cols, const enum column *wanted, size_t n);
/* The first row to show so that the selected one is visible, moving as little as possible. */
size_t table_scroll(size_t first, size_t selected, size_t n, int rows);
void table_header(struct canvas *canvas, struct rect rect, const struct table_plan *plan, int sort,
	bool is_reversed);
/* The cells of waits and holds, where they are known already; NULL: they are asked for. */
struct table_levels {
	const char *waits, *holds;
};

void table_row(struct canvas *canvas, struct rect rect, const struct table_plan *plan,
	const struct model *model, const struct entry *entry, struct table_levels levels,
	const struct glyphs *glyphs, bool is_selected);

/*
 * An age for a row: coarse, so that few cells change each second: "<10s", "40s", "3m", "2h14m".
 */
const char *table_age(char *dst, size_t size, int64_t ns);

/*
 * The advice with its safety in front, "SAFE: release it": the word that matters must not be what
 * is cut off. "-" where there is none.
 */
void table_advice(char *dst, size_t size, const struct model *model, const struct entry *entry,
	const struct verdict *verdict);

#endif

/* A list of locks as table, JSON, CSV or ids. */
#include "config.h"
#include "cli/listing.h"

#include <stdlib.h>

#include "base/text.h"
#include "cli/print.h"

enum { CELL_TEXT = 1024 };

static const enum column usual_fields[] = {
	COLUMN_STATE,
	COLUMN_NAME,
	COLUMN_HOLDER,
	COLUMN_USER,
	COLUMN_AGE,
	COLUMN_WAITERS,
	COLUMN_WHY,
};

struct fields {
	const enum column *field;
	size_t n;
};

static struct fields fields_of(const struct listing *listing)
{
	if (listing->field && listing->fields)
		return (struct fields){listing->field, listing->fields};
	return (struct fields){usual_fields, sizeof usual_fields / sizeof *usual_fields};
}

static void write_csv(const struct listing *listing, const struct model *model,
	struct entry *const *entry, size_t n, struct buf *out)
{
	struct fields fields = fields_of(listing);
	char text[CELL_TEXT];

	for (size_t c = 0; c < fields.n; c++)
		buf_addf(out, "%s%s", c ? "," : "", column_info[fields.field[c]].field);
	buf_adds(out, "\r\n");
	for (size_t i = 0; i < n; i++) {
		for (size_t c = 0; c < fields.n; c++) {
			if (c)
				buf_addc(out, ',');
			column_text(text, sizeof text, fields.field[c], model, entry[i]);
			print_csv_cell(out, text);
		}
		buf_adds(out, "\r\n");
	}
}

/*
 * Width of each column: what its widest cell needs. Where the terminal has less, the growing
 * columns give, the widest first, down to their smallest width.
 */
static void widths_of(const struct fields *fields, const struct model *model,
	struct entry *const *entry, size_t n, int cols, int *width)
{
	char text[CELL_TEXT];
	int total = -1;

	for (size_t c = 0; c < fields->n; c++) {
		width[c] = text_width(column_info[fields->field[c]].title);
		for (size_t i = 0; i < n; i++) {
			int w;

			column_text(text, sizeof text, fields->field[c], model, entry[i]);
			w = text_width(text);
			width[c] = w > width[c] ? w : width[c];
		}
		total += width[c] + 1;
	}
	while (cols > 0 && total > cols) {
		size_t widest = fields->n;

		for (size_t c = 0; c < fields->n; c++) {
			const struct column_info *info = &column_info[fields->field[c]];

			if (info->grows && width[c] > info->min &&
				(widest == fields->n || width[c] > width[widest]))
				widest = c;
		}
		if (widest == fields->n)
			return;
		width[widest]--;
		total--;
	}
}

static void write_table(const struct listing *listing, const struct model *model,
	struct entry *const *entry, size_t n, struct buf *out)
{
	struct fields fields = fields_of(listing);
	int width[OPTION_FIELDS];
	char text[CELL_TEXT];

	widths_of(&fields, model, entry, n, listing->cols, width);
	for (size_t c = 0; listing->has_header && c < fields.n; c++) {
		const struct column_info *info = &column_info[fields.field[c]];

		print_cell(out, info->title, width[c], info->is_right, c + 1 == fields.n);
	}
	if (listing->has_header)
		buf_addc(out, '\n');
	for (size_t i = 0; i < n; i++) {
		for (size_t c = 0; c < fields.n; c++) {
			column_text(text, sizeof text, fields.field[c], model, entry[i]);
			print_cell(out, text, width[c], column_info[fields.field[c]].is_right,
				c + 1 == fields.n);
		}
		buf_addc(out, '\n');
	}
}

static void write_ids(
	const struct model *model, struct entry *const *entry, size_t n, struct buf *out)
{
	char text[CELL_TEXT];

	for (size_t i = 0; i < n; i++) {
		model_address(text, sizeof text, model, entry[i]);
		buf_addf(out, "%s\n", text);
	}
}

int listing_write(const struct listing *listing, const struct model *model,
	struct entry *const *entry, size_t n, struct buf *out)
{
	switch (listing->format) {
	case FORMAT_JSON: return print_json(out, model_to_json(model, entry, n));
	case FORMAT_CSV: write_csv(listing, model, entry, n, out); break;
	case FORMAT_IDS: write_ids(model, entry, n, out); break;
	case FORMAT_NONE:
	case FORMAT_TABLE: write_table(listing, model, entry, n, out); break;
	}
	return buf_failed(out);
}

int listing_print(
	const struct listing *listing, const struct model *model, const struct selection *selection)
{
	struct listing fitted = *listing;
	struct entry **entry = NULL;
	struct buf out = {0};
	size_t n = 0, size = 0;
	int e = model_select(model, selection, &entry, &n, &size);

	if (fitted.cols == 0)
		fitted.cols = print_cols();
	if (e == 0)
		e = listing_write(&fitted, model, entry, n, &out);
	if (e == 0)
		e = print_out(&out);
	buf_release(&out);
	free(entry);
	return e;
}

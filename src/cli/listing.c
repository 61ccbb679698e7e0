/* A list of locks as table, JSON, CSV or ids. */
#include "config.h"
#include "cli/listing.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/text.h"

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

/* RFC 4180: quoted when it has to be. A cell that a spreadsheet would compute gets a quote. */
static void csv_cell(struct buf *out, const char *text)
{
	bool is_formula = *text && strchr("=+-@", *text) && (text[1] < '0' || text[1] > '9');

	if (!is_formula && !strpbrk(text, ",\"\r\n")) {
		buf_adds(out, text);
		return;
	}
	buf_addc(out, '"');
	if (is_formula)
		buf_addc(out, '\'');
	for (; *text; text++) {
		if (*text == '"')
			buf_addc(out, '"');
		buf_addc(out, *text);
	}
	buf_addc(out, '"');
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
			csv_cell(out, text);
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

static void table_cell(struct buf *out, const char *text, int width, bool is_right, bool is_last)
{
	char fitted[CELL_TEXT];
	int used = text_fit(fitted, sizeof fitted, text, width, TEXT_CUT_END);

	if (is_right)
		buf_addf(out, "%*s", width - used, "");
	buf_adds(out, fitted);
	if (!is_right && !is_last)
		buf_addf(out, "%*s", width - used, "");
	if (!is_last)
		buf_addc(out, ' ');
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

		table_cell(out, info->title, width[c], info->is_right, c + 1 == fields.n);
	}
	if (listing->has_header)
		buf_addc(out, '\n');
	for (size_t i = 0; i < n; i++) {
		for (size_t c = 0; c < fields.n; c++) {
			column_text(text, sizeof text, fields.field[c], model, entry[i]);
			table_cell(out, text, width[c], column_info[fields.field[c]].is_right,
				c + 1 == fields.n);
		}
		buf_addc(out, '\n');
	}
}

static int write_json(
	const struct model *model, struct entry *const *entry, size_t n, struct buf *out)
{
	json_t *object = model_to_json(model, entry, n);
	char *text = object ? json_dumps(object, JSON_ENSURE_ASCII | JSON_INDENT(1)) : NULL;

	json_decref(object);
	if (!text)
		return -ENOMEM;
	buf_adds(out, text);
	buf_addc(out, '\n');
	free(text);
	return buf_failed(out);
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
	case FORMAT_JSON: return write_json(model, entry, n, out);
	case FORMAT_CSV: write_csv(listing, model, entry, n, out); break;
	case FORMAT_IDS: write_ids(model, entry, n, out); break;
	case FORMAT_NONE:
	case FORMAT_TABLE: write_table(listing, model, entry, n, out); break;
	}
	return buf_failed(out);
}

static int terminal_cols(void)
{
	const char *columns = getenv("COLUMNS");
	struct winsize size;
	int64_t n;

	if (columns && text_to_int(columns, 20, 10000, &n) == 0)
		return (int)n;
	if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0)
		return size.ws_col;
	return 0;
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
		fitted.cols = terminal_cols();
	if (e == 0)
		e = listing_write(&fitted, model, entry, n, &out);
	if (e == 0 && fwrite(out.data ? out.data : "", 1, out.len, stdout) != out.len)
		e = -errno;
	if (e == 0 && fflush(stdout) != 0)
		e = -errno;
	buf_release(&out);
	free(entry);
	return e;
}

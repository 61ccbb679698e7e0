/* What all printed lists share. */
#include "config.h"
#include "cli/print.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/text.h"

enum { CELL_TEXT = 1024 };

/* "-47s" is an age before its time, "-1+1" would be computed. */
static bool is_formula(const char *text)
{
	static const char harmless[] = "0123456789.smhd";

	if (*text == '=' || *text == '@')
		return true;
	return (*text == '+' || *text == '-') &&
	       (text[1] < '0' || text[1] > '9' || text[1 + strspn(text + 1, harmless)]);
}

void print_csv_cell(struct buf *out, const char *text)
{
	bool has_formula = is_formula(text);

	if (!has_formula && !strpbrk(text, ",\"\r\n")) {
		buf_adds(out, text);
		return;
	}
	buf_addc(out, '"');
	if (has_formula)
		buf_addc(out, '\'');
	for (; *text; text++) {
		if (*text == '"')
			buf_addc(out, '"');
		buf_addc(out, *text);
	}
	buf_addc(out, '"');
}

void print_cell(struct buf *out, const char *text, int width, bool is_right, bool is_last)
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

const char *print_count(char *dst, size_t size, uint64_t n)
{
	char digits[24];
	size_t len = (size_t)snprintf(digits, sizeof digits, "%" PRIu64, n), used = 0;

	for (size_t i = 0; i < len && used + 2 < size; i++) {
		if (i && (len - i) % 3 == 0)
			dst[used++] = ',';
		dst[used++] = digits[i];
	}
	dst[used] = '\0';
	return dst;
}

int print_cols(void)
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

int print_json(struct buf *out, json_t *object)
{
	char *text = object ? json_dumps(object,
				      JSON_ENSURE_ASCII | JSON_INDENT(1) | JSON_REAL_PRECISION(15))
			    : NULL;

	json_decref(object);
	if (!text)
		return -ENOMEM;
	buf_adds(out, text);
	buf_addc(out, '\n');
	free(text);
	return buf_failed(out);
}

int print_out(const struct buf *out)
{
	if (fwrite(buf_text(out), 1, out->len, stdout) != out->len)
		return -errno;
	return fflush(stdout) == 0 ? 0 : -errno;
}

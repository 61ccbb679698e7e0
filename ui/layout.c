/* Where everything goes: rows are dealt out from the most to the least important. */
#include "config.h"
#include "ui/layout.h"

/* From so many rows on, the message has a line of its own and nothing jumps when one comes. */
enum { ROWS_FOR_MESSAGE = 9, ROWS_FOR_RULE = 9, BODY_MIN = 3, MESSAGE_MAX = 3 };

static int least(int a, int b)
{
	return a < b ? a : b;
}

/* Takes up to n of the rows that are left. */
static int deal(int *left, int n)
{
	int rows = least(*left, n < 0 ? 0 : n);

	*left -= rows;
	return rows;
}

struct layout layout_of(int rows, int cols, const struct layout_wants *wants)
{
	struct layout layout = {0};
	bool has_room = rows >= ROWS_FOR_MESSAGE;
	int left = rows, at = 0;
	int keys, message, dialog, header, rule, worst, body;

	if (rows < LAYOUT_MIN_ROWS || cols < LAYOUT_MIN_COLS) {
		layout.is_tiny = true;
		layout.title = (struct rect){0, 0, rows < 1 ? 1 : rows, cols < 1 ? 1 : cols};
		return layout;
	}
	deal(&left, 1); /* the title */
	/* In few rows the message takes the place of the key bar. */
	message = deal(&left, has_room || wants->has_message);
	if (message && wants->has_message && wants->message_rows > 1 && rows > LAYOUT_MIN_ROWS)
		message += deal(&left, least(wants->message_rows, has_room ? MESSAGE_MAX : 2) - 1);
	keys = deal(&left, has_room || !wants->has_message);
	dialog = wants->has_prompt ? deal(&left, wants->prompt_rows) : 0;
	header = deal(&left, 1);
	/* The list keeps a few rows, the worst lock gets its lines, the list has the rest. */
	body = deal(&left, wants->worst_rows > 0 ? least(BODY_MIN, left - left / 2) : left);
	worst = deal(&left, wants->worst_rows);
	rule = worst > 0 && rows >= ROWS_FOR_RULE ? deal(&left, 1) : 0;
	if (worst > 1 && rows >= ROWS_FOR_RULE && !rule) {
		worst--;
		rule = 1;
	}
	body += left;

	layout.title = (struct rect){at, 0, 1, cols};
	at += 1;
	layout.worst = (struct rect){at, 0, worst, cols};
	at += worst;
	layout.rule = (struct rect){at, 0, rule, cols};
	at += rule;
	layout.header = (struct rect){at, 0, header, cols};
	at += header;
	layout.body = (struct rect){at, 0, body, cols};
	at += body;
	layout.dialog = (struct rect){at, 0, dialog, cols};
	at += dialog;
	layout.message = (struct rect){at, 0, message, cols};
	at += message;
	layout.keys = (struct rect){at, 0, keys, cols};
	return layout;
}

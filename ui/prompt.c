/* A question, as a state. */
#include "config.h"
#include "ui/prompt.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "ui/keymap.h"

enum { LABEL = 8 }; /* "holder  pid 4711" */

void prompt_open(struct prompt *prompt, enum prompt_kind kind, const char *title)
{
	*prompt = (struct prompt){.kind = kind};
	text_fit(prompt->title, sizeof prompt->title, title, PROMPT_WIDTH - 1, TEXT_CUT_END);
}

void prompt_add(struct prompt *prompt, const char *format, ...)
{
	char text[2 * PROMPT_WIDTH];
	va_list args;

	if (prompt->lines >= PROMPT_LINES)
		return;
	va_start(args, format);
	vsnprintf(text, sizeof text, format, args);
	va_end(args);
	/* Text that vsnprintf() cut within a character is not clean: this repairs it, too. */
	if (!text_is_clean(text, strlen(text)))
		text_clean(prompt->line[prompt->lines], PROMPT_WIDTH, text, strlen(text), NULL);
	else
		text_fit(prompt->line[prompt->lines], PROMPT_WIDTH, text, PROMPT_WIDTH - 1,
			TEXT_CUT_END);
	prompt->lines++;
}

static size_t encode(char *dst, int key)
{
	if (key < 0x80) {
		dst[0] = (char)key;
		return 1;
	}
	if (key < 0x800) {
		dst[0] = (char)(0xc0 | key >> 6);
		dst[1] = (char)(0x80 | (key & 0x3f));
		return 2;
	}
	if (key < 0x10000) {
		dst[0] = (char)(0xe0 | key >> 12);
		dst[1] = (char)(0x80 | (key >> 6 & 0x3f));
		dst[2] = (char)(0x80 | (key & 0x3f));
		return 3;
	}
	dst[0] = (char)(0xf0 | key >> 18);
	dst[1] = (char)(0x80 | (key >> 12 & 0x3f));
	dst[2] = (char)(0x80 | (key >> 6 & 0x3f));
	dst[3] = (char)(0x80 | (key & 0x3f));
	return 4;
}

static bool type(struct prompt *prompt, int key)
{
	size_t used = strlen(prompt->input);
	size_t len;
	char text[8];

	if (key < 0x20 || key > 0x10ffff)
		return false;
	len = encode(text, key);
	text[len] = '\0';
	if (!text_is_clean(text, len) || used + len >= sizeof prompt->input)
		return false;
	memcpy(prompt->input + used, text, len + 1);
	return true;
}

static bool rub_out(struct prompt *prompt)
{
	size_t used = strlen(prompt->input);

	if (!used)
		return false;
	do
		used--;
	while (used && ((unsigned char)prompt->input[used] & 0xc0) == 0x80);
	prompt->input[used] = '\0';
	return true;
}

static bool edit(struct prompt *prompt, int key)
{
	if (key == KEY_DELETE_BACK || key == KEY_DEL)
		return rub_out(prompt);
	if (key == KEY_CTRL_U) {
		bool had = prompt->input[0] != '\0';

		prompt->input[0] = '\0';
		return had;
	}
	return type(prompt, key);
}

static enum prompt_answer answer(struct prompt *prompt, int key)
{
	bool is_enter = key == KEY_RETURN || key == '\n';

	if (prompt->kind == PROMPT_YES)
		return key == 'y' ? PROMPT_TAKEN : PROMPT_CANCELLED;
	if (key == KEY_ESCAPE || key == KEY_CTRL_C)
		return PROMPT_CANCELLED;
	if (is_enter && prompt->kind == PROMPT_TYPE)
		return prompt->expected[0] && strcmp(prompt->input, prompt->expected) == 0
			       ? PROMPT_TAKEN
			       : PROMPT_CANCELLED;
	if (is_enter)
		return PROMPT_TAKEN;
	if (!edit(prompt, key))
		return PROMPT_OPEN;
	return prompt->kind == PROMPT_LINE ? PROMPT_CHANGED : PROMPT_OPEN;
}

enum prompt_answer prompt_key(struct prompt *prompt, int key)
{
	enum prompt_answer result;

	if (prompt->kind == PROMPT_NONE)
		return PROMPT_CANCELLED;
	result = answer(prompt, key);
	if (result == PROMPT_TAKEN || result == PROMPT_CANCELLED)
		prompt->kind = PROMPT_NONE;
	return result;
}

/* A line, wrapped; its label is LABEL wide, and what goes on stands right of that. */
static int wrap(struct canvas *canvas, struct rect rect, const char *text)
{
	const char *rest;
	size_t len = canvas_break(text, rect.cols, &rest);
	bool is_labelled = rect.cols > 3 * LABEL && strlen(text) > LABEL && text[LABEL - 1] == ' ';
	int indent = is_labelled ? LABEL : 0;
	char first[PROMPT_WIDTH];

	if (canvas && rect.rows > 0) {
		snprintf(first, sizeof first, "%.*s", (int)len, text);
		canvas_text(canvas, rect.row, rect.col, rect.cols, STYLE_NORMAL, first);
	}
	if (!*rest || rect.cols < 1)
		return 1;
	return 1 + canvas_wrap(canvas,
			   (struct rect){rect.row + 1, rect.col + indent, rect.rows - 1,
				   rect.cols - indent},
			   STYLE_NORMAL, rest);
}

int prompt_rows(const struct prompt *prompt, int cols)
{
	int rows = 2; /* the title in a rule, and the question */

	if (prompt->kind == PROMPT_LINE)
		return 1;
	for (int i = 0; i < prompt->lines; i++)
		rows += canvas_wrap(
			NULL, (struct rect){.cols = cols - 2}, STYLE_NORMAL, prompt->line[i]);
	return rows;
}

/* The question with what was typed; the hardware cursor stands behind that. */
static void draw_question(
	struct canvas *canvas, int row, const struct rect *rect, const struct prompt *prompt)
{
	const char *question = prompt->kind == PROMPT_LINE ? prompt->title : prompt->question;
	int room = rect->cols - 1;
	int at = rect->col;

	at += canvas_text(canvas, row, at, room, STYLE_PROMPT, " ");
	at += canvas_text(canvas, row, at, rect->col + room - at, STYLE_PROMPT, question);
	if (prompt->kind != PROMPT_YES) {
		char shown[sizeof prompt->input + 4];
		int left;

		at += canvas_text(canvas, row, at, rect->col + room - at, STYLE_PROMPT, " ");
		left = rect->col + room - at;
		if (left > 0) { /* of a long input, the end is what one is typing */
			text_fit(shown, sizeof shown, prompt->input, left, TEXT_CUT_START);
			at += canvas_text(canvas, row, at, left, STYLE_BOLD, shown);
		}
	}
	canvas->cursor_row = row;
	canvas->cursor_col = at < canvas->cols ? at : canvas->cols - 1;
}

void prompt_draw(struct canvas *canvas, struct rect rect, const struct prompt *prompt,
	const struct glyphs *glyphs)
{
	int row = rect.row, last = rect.row + rect.rows - 1;

	if (prompt->kind == PROMPT_NONE || rect.rows < 1)
		return;
	if (rect.rows > 1) {
		canvas_fill(canvas, (struct rect){row, rect.col, 1, rect.cols}, STYLE_PROMPT,
			glyphs->rule);
		canvas_textf(canvas, row, rect.col + 1, rect.cols - 2, STYLE_ALERT, " %s ",
			prompt->title);
		row++;
	}
	for (int i = 0; i < prompt->lines && row < last; i++) {
		struct rect line = {row, rect.col + 2, last - row, rect.cols - 2};

		row += wrap(canvas, line, prompt->line[i]);
		if (row > last || (row == last && i + 1 < prompt->lines)) {
			canvas_fill(canvas, (struct rect){last - 1, rect.col, 1, rect.cols},
				STYLE_DIM, " ");
			canvas_text(canvas, last - 1, rect.col + 2, rect.cols - 2, STYLE_DIM,
				"(more than fits here)");
		}
	}
	draw_question(canvas, last, &rect, prompt);
}

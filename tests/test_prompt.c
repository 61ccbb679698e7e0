/* Questions. */
#include "config.h"
#include "ui/prompt.h"

#include "scene.h"

static struct prompt opened(enum prompt_kind kind)
{
	struct prompt prompt;

	prompt_open(&prompt, kind, "Release a stale lock");
	snprintf(prompt.question, sizeof prompt.question, "Release it?");
	snprintf(prompt.expected, sizeof prompt.expected, "4711");
	return prompt;
}

static enum prompt_answer type(struct prompt *prompt, const char *keys)
{
	enum prompt_answer answer = PROMPT_OPEN;

	for (; *keys; keys++)
		answer = prompt_key(prompt, *keys == '\n' ? KEY_RETURN : (unsigned char)*keys);
	return answer;
}

static void only_y_is_yes(void **state)
{
	(void)state;
	for (int key = 1; key <= KEY_F10; key = key == 300 ? KEY_ARROW_UP : key + 1) {
		struct prompt prompt = opened(PROMPT_YES);

		assert_int_equal(
			prompt_key(&prompt, key), key == 'y' ? PROMPT_TAKEN : PROMPT_CANCELLED);
		assert_int_equal(prompt.kind, PROMPT_NONE);
	}
}

static void what_was_expected_has_to_be_typed_exactly(void **state)
{
	struct prompt prompt = opened(PROMPT_TYPE);

	(void)state;
	assert_int_equal(type(&prompt, "4711"), PROMPT_OPEN);
	assert_int_equal(type(&prompt, "\n"), PROMPT_TAKEN);
	prompt = opened(PROMPT_TYPE);
	assert_int_equal(type(&prompt, "471\n"), PROMPT_CANCELLED);
	prompt = opened(PROMPT_TYPE);
	assert_int_equal(type(&prompt, "47111\n"), PROMPT_CANCELLED);
	prompt = opened(PROMPT_TYPE);
	assert_int_equal(type(&prompt, "\n"), PROMPT_CANCELLED);
	prompt = opened(PROMPT_TYPE);
	assert_int_equal(type(&prompt, "4711\033"), PROMPT_CANCELLED);
	prompt = opened(PROMPT_TYPE);
	prompt.expected[0] = '\0'; /* nothing expected is nothing allowed */
	assert_int_equal(type(&prompt, "\n"), PROMPT_CANCELLED);
}

static void a_line_can_be_edited(void **state)
{
	struct prompt prompt = opened(PROMPT_LINE);

	(void)state;
	assert_int_equal(type(&prompt, "ab"), PROMPT_CHANGED);
	assert_int_equal(prompt_key(&prompt, 0xe9), PROMPT_CHANGED);
	assert_int_equal(prompt_key(&prompt, 0x1f600), PROMPT_CHANGED);
	assert_string_equal(prompt.input, "ab\xc3\xa9\xf0\x9f\x98\x80");
	assert_int_equal(prompt_key(&prompt, KEY_DELETE_BACK), PROMPT_CHANGED);
	assert_int_equal(prompt_key(&prompt, KEY_DELETE_BACK), PROMPT_CHANGED);
	assert_string_equal(prompt.input, "ab");
	assert_int_equal(prompt_key(&prompt, KEY_ARROW_UP), PROMPT_OPEN);
	assert_int_equal(prompt_key(&prompt, KEY_CTRL_U), PROMPT_CHANGED);
	assert_int_equal(prompt_key(&prompt, KEY_DELETE_BACK), PROMPT_OPEN);
	assert_string_equal(prompt.input, "");
	assert_int_equal(type(&prompt, "x\n"), PROMPT_TAKEN);
	assert_string_equal(prompt.input, "x");
}

static void no_key_is_too_much_or_a_control(void **state)
{
	struct prompt prompt = opened(PROMPT_LINE);

	(void)state;
	for (int i = 0; i < 1000; i++)
		prompt_key(&prompt, 0x20ac);
	assert_in_range(strlen(prompt.input), 100, sizeof prompt.input - 1);
	prompt_key(&prompt, KEY_CTRL_U);
	assert_int_equal(prompt_key(&prompt, 0x202e), PROMPT_OPEN);
	assert_int_equal(prompt_key(&prompt, 0x9b), PROMPT_OPEN);
	assert_int_equal(prompt_key(&prompt, 0xd800), PROMPT_OPEN);
	assert_int_equal(prompt_key(&prompt, -7), PROMPT_OPEN);
	assert_string_equal(prompt.input, "");
}

static void a_question_is_drawn_at_every_size(void **state)
{
	(void)state;
	setlocale(LC_CTYPE, "C.UTF-8");
	for (int kind = PROMPT_LINE; kind <= PROMPT_TYPE; kind++)
		for (int rows = 1; rows < 16; rows++)
			for (int cols = 1; cols < 90; cols += cols < 12 ? 1 : 13) {
				struct prompt prompt = opened((enum prompt_kind)kind);
				struct canvas canvas;
				char *last;

				assert_int_equal(canvas_init(&canvas, rows, cols), 0);
				for (int i = 0; i < 20; i++)
					prompt_add(&prompt, "line %d of what will be done", i);
				type(&prompt, kind == PROMPT_YES ? "" : "47");
				prompt_draw(&canvas, (struct rect){0, 0, rows, cols}, &prompt,
					&glyphs_table[0]);
				last = canvas_row(&canvas, rows - 1);
				if (cols > 30 && kind != PROMPT_LINE)
					assert_non_null(strstr(last, "Release it?"));
				assert_in_range(canvas.cursor_col, 0, cols - 1);
				free(last);
				canvas_release(&canvas);
			}
}

static void a_dialog_that_does_not_fit_says_so(void **state)
{
	struct prompt prompt = opened(PROMPT_YES);
	struct canvas canvas;
	char *dump;

	(void)state;
	for (int i = 0; i < 5; i++)
		prompt_add(&prompt, "line %d", i);
	assert_int_equal(prompt_rows(&prompt, 40), 7);
	assert_int_equal(canvas_init(&canvas, 5, 40), 0);
	prompt_draw(&canvas, (struct rect){0, 0, 5, 40}, &prompt, &glyphs_table[0]);
	dump = canvas_dump(&canvas);
	assert_non_null(strstr(dump, "line 1\n  (more than fits here)\n Release it?\n"));
	free(dump);
	canvas_release(&canvas);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(only_y_is_yes),
		cmocka_unit_test(what_was_expected_has_to_be_typed_exactly),
		cmocka_unit_test(a_line_can_be_edited),
		cmocka_unit_test(no_key_is_too_much_or_a_control),
		cmocka_unit_test(a_question_is_drawn_at_every_size),
		cmocka_unit_test(a_dialog_that_does_not_fit_says_so),
	};

	setlocale(LC_CTYPE, "C.UTF-8");
	return cmocka_run_group_tests_name("prompt", tests, NULL, NULL);
}

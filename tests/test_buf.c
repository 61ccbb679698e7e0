/* The growing buffer: what goes in comes out, and nothing is lost in silence. */
#include "config.h"
#include "base/buf.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

static void a_zeroed_buffer_is_empty_text(void **state)
{
	struct buf buf = {0};

	(void)state;
	assert_string_equal(buf_text(&buf), "");
	assert_int_equal(buf_failed(&buf), 0);
	buf_add(&buf, NULL, 0);
	buf_drop(&buf, 5);
	buf_clear(&buf);
	assert_null(buf.data);
	buf_release(&buf);
}

static void whatever_is_added_stands_in_order(void **state)
{
	struct buf buf = {0};

	(void)state;
	buf_adds(&buf, "one");
	buf_addc(&buf, ' ');
	buf_addf(&buf, "%d+%s", 2, "three");
	buf_add(&buf, "\0x", 2);
	assert_int_equal(buf.len, 13);
	assert_memory_equal(buf.data, "one 2+three\0x", 14);
	buf_release(&buf);
	assert_null(buf.data);
}

static void formatted_text_of_every_length_fits(void **state)
{
	char text[301];
	struct buf buf = {0};
	size_t before, n;

	(void)state;
	for (before = 0; before < 70; before++) {
		for (n = 0; n < sizeof text; n++) {
			memset(text, 'x', n);
			text[n] = '\0';
			buf_clear(&buf);
			buf_addf(&buf, "%*s", (int)before, "");
			buf_addf(&buf, "%s", text);
			assert_int_equal(buf.len, before + n);
			assert_string_equal(buf_text(&buf) + before, text);
		}
		buf_release(&buf);
	}
}

static void dropping_moves_the_rest_up(void **state)
{
	struct buf buf = {0};

	(void)state;
	buf_adds(&buf, "abcdef");
	buf_drop(&buf, 2);
	assert_string_equal(buf_text(&buf), "cdef");
	buf_drop(&buf, 0);
	assert_string_equal(buf_text(&buf), "cdef");
	buf_drop(&buf, 100);
	assert_int_equal(buf.len, 0);
	assert_string_equal(buf_text(&buf), "");
	buf_release(&buf);
}

static void room_can_be_written_by_others(void **state)
{
	struct buf buf = {0};
	char *room;

	(void)state;
	buf_adds(&buf, "ab");
	room = buf_room(&buf, 1000);
	assert_non_null(room);
	memset(room, 'c', 1000);
	buf.len += 1000;
	buf_adds(&buf, "d");
	assert_int_equal(buf.len, 1003);
	assert_string_equal(buf_text(&buf) + 1000, "ccd");
	buf_release(&buf);
}

static void cutting_keeps_the_front(void **state)
{
	struct buf buf = {0};

	(void)state;
	buf_adds(&buf, "abcdef");
	buf_cut(&buf, 10);
	assert_string_equal(buf_text(&buf), "abcdef");
	buf_cut(&buf, 3);
	assert_string_equal(buf_text(&buf), "abc");
	buf_release(&buf);
}

static void taking_hands_the_memory_over(void **state)
{
	struct buf buf = {0};
	char *text;

	(void)state;
	buf_adds(&buf, "abc");
	text = buf_take(&buf);
	assert_string_equal(text, "abc");
	assert_null(buf.data);
	assert_int_equal(buf.len, 0);
	free(text);
	text = buf_take(&buf);
	assert_string_equal(text, "");
	free(text);
}

/* A size that no machine has stands for memory that ran out. */
static void a_loss_is_remembered_and_leaves_no_hole(void **state)
{
	struct buf buf = {0};

	(void)state;
	buf_adds(&buf, "abc");
	buf_add(&buf, "x", SIZE_MAX);
	assert_int_equal(buf_failed(&buf), -ENOMEM);
	buf_adds(&buf, "def");
	buf_addc(&buf, 'g');
	buf_addf(&buf, "%d", 1);
	assert_null(buf_room(&buf, 1));
	assert_string_equal(buf_text(&buf), "abc");
	buf_clear(&buf);
	assert_int_equal(buf_failed(&buf), 0);
	buf_adds(&buf, "def");
	assert_string_equal(buf_text(&buf), "def");
	buf_release(&buf);
}

static void what_was_lost_is_not_taken(void **state)
{
	struct buf buf = {0};

	(void)state;
	buf_adds(&buf, "abc");
	assert_null(buf_room(&buf, PTRDIFF_MAX));
	assert_null(buf_take(&buf));
	assert_int_equal(buf_failed(&buf), 0);
	assert_null(buf.data);
}

static void random_adding_and_dropping_is_as_with_an_array(void **state)
{
	char model[4096];
	struct buf buf = {0};
	size_t len = 0, n, i;
	int turn;

	(void)state;
	srand(7);
	for (turn = 0; turn < 5000; turn++) {
		n = (size_t)rand() % 100;
		if (len + n > sizeof model || rand() % 3 == 0) {
			n = n < len ? n : len;
			memmove(model, model + n, len - n);
			len -= n;
			buf_drop(&buf, n);
		} else {
			for (i = 0; i < n; i++)
				model[len + i] = (char)rand();
			buf_add(&buf, model + len, n);
			len += n;
		}
		assert_int_equal(buf.len, len);
		assert_memory_equal(buf_text(&buf), model, len);
		assert_int_equal(buf_text(&buf)[len], 0);
	}
	buf_release(&buf);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_zeroed_buffer_is_empty_text),
		cmocka_unit_test(whatever_is_added_stands_in_order),
		cmocka_unit_test(formatted_text_of_every_length_fits),
		cmocka_unit_test(dropping_moves_the_rest_up),
		cmocka_unit_test(room_can_be_written_by_others),
		cmocka_unit_test(cutting_keeps_the_front),
		cmocka_unit_test(taking_hands_the_memory_over),
		cmocka_unit_test(a_loss_is_remembered_and_leaves_no_hole),
		cmocka_unit_test(what_was_lost_is_not_taken),
		cmocka_unit_test(random_adding_and_dropping_is_as_with_an_array),
	};

	return cmocka_run_group_tests_name("buf", tests, NULL, NULL);
}

/* JSON Lines: whatever stands in the stream, good objects come through and the rest is counted. */
#include "config.h"
#include "base/jsonl.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

/* A pipe, a reader on one end and a writer on the other. */
struct line {
	int fd[2];
	struct jsonl_reader reader;
	struct jsonl_writer writer;
};

static int set_up(void **state)
{
	struct line *line = calloc(1, sizeof *line);

	if (pipe2(line->fd, O_CLOEXEC | O_NONBLOCK) < 0)
		return -1;
	jsonl_reader_init(&line->reader, line->fd[0]);
	jsonl_writer_init(&line->writer, line->fd[1]);
	*state = line;
	return 0;
}

static int tear_down(void **state)
{
	struct line *line = *state;

	jsonl_reader_release(&line->reader);
	jsonl_writer_release(&line->writer);
	if (line->fd[0] >= 0)
		close(line->fd[0]);
	if (line->fd[1] >= 0)
		close(line->fd[1]);
	free(line);
	return 0;
}

static void send_bytes(struct line *line, const char *bytes, size_t len)
{
	assert_int_equal(write(line->fd[1], bytes, len), len);
}

static void send_text(struct line *line, const char *text)
{
	send_bytes(line, text, strlen(text));
}

static void send_end(struct line *line)
{
	close(line->fd[1]);
	line->fd[1] = -1;
}

/* Takes all objects there are; their "n" joined into text. */
static void take(struct line *line, char *text)
{
	json_t *object;

	while ((object = jsonl_next(&line->reader))) {
		sprintf(text + strlen(text), "%d ", (int)json_int(object, "n", -1));
		json_decref(object);
	}
}

static void assert_taken(struct line *line, const char *expected, int bad)
{
	char text[256] = "";

	while (jsonl_fill(&line->reader) > 0)
		take(line, text);
	take(line, text);
	assert_string_equal(text, expected);
	assert_int_equal(line->reader.bad, bad);
}

static void objects_come_in_order(void **state)
{
	struct line *line = *state;

	send_text(line, "{\"n\":1}\n{\"n\":2}\r\n  {\"n\":3} \n");
	assert_taken(line, "1 2 3 ", 0);
}

static void nothing_now_is_not_the_end(void **state)
{
	struct line *line = *state;

	assert_null(jsonl_next(&line->reader));
	assert_int_equal(jsonl_fill(&line->reader), -EAGAIN);
	assert_false(line->reader.is_end);
	send_text(line, "{\"n\":1}\n");
	assert_int_equal(jsonl_fill(&line->reader), 8);
	assert_taken(line, "1 ", 0);
	send_end(line);
	assert_int_equal(jsonl_fill(&line->reader), 0);
	assert_true(line->reader.is_end);
	assert_null(jsonl_next(&line->reader));
}

static void a_dead_descriptor_is_an_error(void **state)
{
	struct line *line = *state;
	struct jsonl_reader reader;

	jsonl_reader_init(&reader, line->fd[1]); /* for writing only */
	assert_int_equal(jsonl_fill(&reader), -EBADF);
	assert_false(reader.is_end);
	jsonl_reader_release(&reader);
}

/* The stream, cut in two at every byte, and byte by byte. */
static void a_line_may_come_in_any_pieces(void **state)
{
	static const char stream[] = "{\"n\":1}\nnonsense\n\n{\"n\":2,\"s\":\"\xc3\xa4\\n\"}\n[1]\n"
				     "{\"n\":3}\r\n{\"n\":4}";
	struct line *line;
	char text[64];
	size_t cut, i;

	tear_down(state);
	for (cut = 0; cut <= sizeof stream - 1; cut++) {
		set_up(state);
		line = *state;
		*text = '\0';
		send_bytes(line, stream, cut);
		jsonl_fill(&line->reader);
		take(line, text);
		send_bytes(line, stream + cut, sizeof stream - 1 - cut);
		send_end(line);
		while (jsonl_fill(&line->reader) > 0)
			take(line, text);
		take(line, text);
		assert_string_equal(text, "1 2 3 4 ");
		assert_int_equal(line->reader.bad, 2);
		tear_down(state);
	}
	set_up(state);
	line = *state;
	*text = '\0';
	for (i = 0; i < sizeof stream - 1; i++) {
		send_bytes(line, stream + i, 1);
		assert_int_equal(jsonl_fill(&line->reader), 1);
		take(line, text);
	}
	send_end(line);
	assert_int_equal(jsonl_fill(&line->reader), 0);
	take(line, text);
	assert_string_equal(text, "1 2 3 4 ");
	assert_int_equal(line->reader.bad, 2);
}

static void what_is_no_object_is_counted(void **state)
{
	static const char *const wrong[] = {"nonsense", "[1]", "1", "null", "\"{}\"", "{", "{}}",
		"{} {}", "{\"a\":1,}", "{'a':1}", " ", "\xff\xfe", "{\"a\":\"\xc0\x80\"}",
		"{\"a\":\"\x1b\"}", "{\"a\":\"\\u0000\"}", "{\"a\":\"\\ud800\"}", "{\"\\u0000\":1}",
		"{\"a\":NaN}", "{\"a\":1e999}", "{\"a\":99999999999999999999999}"};
	struct line *line = *state;
	size_t i;

	for (i = 0; i < sizeof wrong / sizeof *wrong; i++) {
		send_text(line, wrong[i]);
		send_text(line, "\n");
	}
	send_text(line, "{\"n\":1}\n");
	assert_taken(line, "1 ", sizeof wrong / sizeof *wrong);
}

static void a_nul_byte_is_no_json(void **state)
{
	struct line *line = *state;

	send_bytes(line, "{\"n\":1}\0\n", 9);
	send_bytes(line, "\0{\"n\":1}\n", 9);
	send_bytes(line, "{\"n\":1,\"s\":\"a\0b\"}\n", 18);
	send_text(line, "{\"n\":2}\n");
	assert_taken(line, "2 ", 3);
}

static void empty_lines_are_no_fault(void **state)
{
	struct line *line = *state;

	send_text(line, "\n\n{\"n\":1}\n\n");
	assert_taken(line, "1 ", 0);
}

static void a_torn_last_line_is_counted(void **state)
{
	struct line *line = *state;

	send_text(line, "{\"n\":1}\n{\"n\":2");
	assert_taken(line, "1 ", 0);
	send_end(line);
	assert_taken(line, "", 1);
	assert_taken(line, "", 1);
}

static void a_whole_last_line_needs_no_newline(void **state)
{
	struct line *line = *state;

	send_text(line, "{\"n\":1}\n{\"n\":2}");
	send_end(line);
	assert_taken(line, "1 2 ", 0);
}

static void of_a_repeated_key_the_last_counts(void **state)
{
	struct line *line = *state;

	send_text(line, "{\"n\":1,\"n\":2}\n");
	assert_taken(line, "2 ", 0);
}

static void a_deep_object_does_no_harm(void **state)
{
	enum { DEPTH = 20000 };
	struct line *line = *state;
	char text[DEPTH + 1];

	memset(text, '[', DEPTH);
	text[DEPTH] = '\0';
	send_text(line, "{\"a\":");
	send_text(line, text);
	send_text(line, "\n{\"n\":1}\n");
	assert_taken(line, "1 ", 1);
}

/* {"s":"xxx…","n":N} of exactly len bytes. */
static char *object_of(size_t len, int n)
{
	char *text = malloc(len + 1), end[32];
	int tail = snprintf(end, sizeof end, "\",\"n\":%d}", n);

	memset(text, 'x', len);
	memcpy(text, "{\"s\":\"", 6);
	memcpy(text + len - (size_t)tail, end, (size_t)tail + 1);
	return text;
}

/* Through the pipe, which holds less than all, in pieces of any size. */
static void pump(struct line *line, const char *bytes, size_t len, size_t piece, char *text)
{
	size_t n;

	for (; len; bytes += n, len -= n) {
		n = piece < len ? piece : len;
		send_bytes(line, bytes, n);
		assert_true(jsonl_fill(&line->reader) > 0);
		take(line, text);
	}
}

static void a_line_too_long_is_skipped_and_counted_once(void **state)
{
	static const size_t sizes[] = {JSONL_LINE_MAX - 1, JSONL_LINE_MAX, JSONL_LINE_MAX + 1,
		2 * JSONL_LINE_MAX, 20 * JSONL_LINE_MAX};
	static const size_t pieces[] = {1000, 4096, 65536};
	char text[64], *object;
	struct line *line;
	size_t i, p;
	bool is_long;

	tear_down(state);
	for (i = 0; i < sizeof sizes / sizeof *sizes; i++) {
		for (p = 0; p < sizeof pieces / sizeof *pieces; p++) {
			set_up(state);
			line = *state;
			object = object_of(sizes[i], 2);
			is_long = sizes[i] > JSONL_LINE_MAX;
			*text = '\0';
			pump(line, "{\"n\":1}\n", 8, pieces[p], text);
			pump(line, object, sizes[i], pieces[p], text);
			pump(line, "\n{\"n\":3}\n", 9, pieces[p], text);
			assert_string_equal(text, is_long ? "1 3 " : "1 2 3 ");
			assert_int_equal(line->reader.bad, is_long);
			assert_true(line->reader.buf.size <= 1024 * 1024);
			free(object);
			tear_down(state);
		}
	}
	set_up(state);
}

/* From a file much is read at once: the line and its newline come together. */
static void a_line_too_long_is_skipped_in_a_file_too(void **state)
{
	char *object = object_of(JSONL_LINE_MAX + 1, 2), text[64] = "";
	FILE *file = tmpfile();
	struct line *line = *state;

	fprintf(file, "{\"n\":1}\n%s\n{\"n\":3}\n", object);
	rewind(file);
	line->reader.fd = fileno(file);
	assert_int_equal(jsonl_fill(&line->reader), JSONL_LINE_MAX + 1 + 8 + 9);
	take(line, text);
	assert_string_equal(text, "1 3 ");
	assert_int_equal(line->reader.bad, 1);
	fclose(file);
	free(object);
}

static void the_rest_of_a_line_too_long_is_no_object(void **state)
{
	struct line *line = *state;
	char text[64] = "", *junk = malloc(JSONL_LINE_MAX + 1);

	memset(junk, ' ', JSONL_LINE_MAX + 1);
	pump(line, junk, JSONL_LINE_MAX + 1, 8192, text);
	pump(line, "{\"n\":1}\n{\"n\":2}", 15, 8192, text);
	send_end(line);
	assert_taken(line, "2 ", 1);
	assert_string_equal(text, "");
	free(junk);
}

static void a_line_too_long_at_the_end_is_counted_once(void **state)
{
	struct line *line = *state;
	char text[64] = "", *junk = malloc(JSONL_LINE_MAX + 10);

	memset(junk, 'x', JSONL_LINE_MAX + 10);
	pump(line, junk, JSONL_LINE_MAX + 1, 8192, text);
	pump(line, junk, 9, 9, text);
	send_end(line);
	assert_taken(line, "", 1);
	free(junk);
}

/* What a writer sends, as raw bytes. */
static void assert_sent(struct line *line, const char *expected)
{
	char text[1024];
	ssize_t n;

	assert_int_equal(jsonl_flush(&line->writer), 0);
	assert_int_equal(jsonl_pending(&line->writer), 0);
	n = read(line->fd[0], text, sizeof text - 1);
	assert_true(n >= 0);
	text[n] = '\0';
	assert_string_equal(text, expected);
}

static void what_is_written_is_one_ascii_line(void **state)
{
	struct line *line = *state;

	assert_int_equal(jsonl_put(&line->writer,
				 json_pack("{s:s}", "k\x7f", "\x7fä\n\x1b\x7f\x7f日\U0001f512")),
		0);
	assert_int_equal(jsonl_put_text(&line->writer, "{\"b\":2}", 7), 0);
	assert_int_equal(jsonl_pending(&line->writer), strlen(line->writer.buf.data));
	assert_sent(line, "{\"k\\u007f\":\"\\u007f\\u00E4\\n\\u001B\\u007f\\u007f\\u65E5"
			  "\\uD83D\\uDD12\"}\n{\"b\":2}\n");
}

static void what_is_written_can_be_read(void **state)
{
	struct line *line = *state;
	char bytes[128];
	json_t *sent, *got;
	int i;

	for (i = 1; i < 128; i++)
		bytes[i - 1] = (char)i;
	bytes[127] = '\0';
	sent = json_pack("{s:s, s:I, s:f, s:b, s:n}", "t", bytes, "i", (json_int_t)INT64_MIN, "f",
		0.1, "b", 1, "n");
	assert_int_equal(jsonl_put(&line->writer, json_incref(sent)), 0);
	assert_int_equal(jsonl_flush(&line->writer), 0);
	assert_true(jsonl_fill(&line->reader) > 0);
	got = jsonl_next(&line->reader);
	assert_true(json_equal(sent, got));
	json_decref(got);
	json_decref(sent);
}

static void nothing_is_queued_on_error(void **state)
{
	struct line *line = *state;
	char *junk = calloc(1, JSONL_LINE_MAX + 2);

	memset(junk, 'x', JSONL_LINE_MAX + 1);
	assert_int_equal(jsonl_put(&line->writer, NULL), -ENOMEM);
	assert_int_equal(jsonl_put(&line->writer, json_pack("{s:s}", "s", junk)), -EMSGSIZE);
	assert_int_equal(jsonl_put_text(&line->writer, junk, JSONL_LINE_MAX + 1), -EMSGSIZE);
	assert_int_equal(jsonl_put_text(&line->writer, junk, SIZE_MAX), -ENOMEM);
	assert_int_equal(jsonl_pending(&line->writer), 0);
	assert_int_equal(jsonl_put(&line->writer, json_pack("{s:i}", "n", 1)), 0);
	assert_sent(line, "{\"n\":1}\n");
	free(junk);
}

static void the_longest_line_is_read_as_well_as_written(void **state)
{
	struct line *line = *state;
	char *object = object_of(JSONL_LINE_MAX, 5);
	char text[64] = "";

	assert_int_equal(jsonl_put_text(&line->writer, object, JSONL_LINE_MAX), 0);
	while (jsonl_flush(&line->writer) == -EAGAIN) {
		jsonl_fill(&line->reader);
		take(line, text);
	}
	assert_taken(line, "5 ", 0);
	free(object);
}

static void a_slow_reader_loses_nothing(void **state)
{
	enum { OBJECTS = 20000 };
	struct line *line = *state;
	int n = 0, next = 0, i;
	bool was_full = false;
	json_t *object;

	while (next < OBJECTS) {
		for (i = rand() % 400; i > 0 && n < OBJECTS; i--)
			assert_int_equal(jsonl_put(&line->writer, json_pack("{s:i,s:s}", "n", n++,
									  "s", "padding padding")),
				0);
		i = jsonl_flush(&line->writer);
		assert_true(i == 0 || i == -EAGAIN);
		was_full = was_full || i;
		assert_int_equal(i == 0, jsonl_pending(&line->writer) == 0);
		if (rand() % 30 && n < OBJECTS)
			continue;
		jsonl_fill(&line->reader);
		while ((object = jsonl_next(&line->reader))) {
			assert_int_equal(json_int(object, "n", -1), next++);
			json_decref(object);
		}
	}
	assert_true(was_full);
	assert_int_equal(line->reader.bad, 0);
}

static void a_reader_that_left_is_told(void **state)
{
	struct line *line = *state;
	void (*old)(int) = signal(SIGPIPE, SIG_IGN);

	close(line->fd[0]);
	line->fd[0] = -1;
	assert_int_equal(jsonl_put(&line->writer, json_object()), 0);
	assert_int_equal(jsonl_flush(&line->writer), -EPIPE);
	signal(SIGPIPE, old);
}

/* Any bytes at all, with good objects between them: those come through. */
static void random_bytes_do_no_harm(void **state)
{
	struct line *line = *state;
	char bytes[256], object[32], expected[32], text[4096];
	size_t len, i;
	int turn;

	srand(5);
	for (turn = 0; turn < 5000; turn++) {
		len = (size_t)rand() % sizeof bytes;
		for (i = 0; i < len; i++)
			bytes[i] = rand() % 3 ? "{}[]\":,\\u0n1\n \xff"[rand() % 15] : (char)rand();
		send_bytes(line, bytes, len);
		sprintf(object, "\n{\"n\":%d}\n", turn + 1000);
		send_text(line, object);
		*text = '\0';
		assert_true(jsonl_fill(&line->reader) > 0);
		take(line, text);
		sprintf(expected, "%d ", turn + 1000);
		assert_non_null(strstr(text, expected));
	}
}

static void members_have_types(void **state)
{
	json_t *object = json_pack("{s:s, s:I, s:f, s:b, s:n, s:[i]}", "t", "text", "i",
		(json_int_t)INT64_MAX, "f", 1.5, "b", 1, "n", "a", 1);

	(void)state;
	assert_string_equal(json_text(object, "t", NULL), "text");
	assert_null(json_text(object, "i", NULL));
	assert_string_equal(json_text(object, "n", "-"), "-");
	assert_string_equal(json_text(object, "absent", "-"), "-");
	assert_true(json_int(object, "i", 7) == INT64_MAX);
	assert_int_equal(json_int(object, "f", 7), 7);
	assert_int_equal(json_int(object, "t", 7), 7);
	assert_int_equal(json_int(object, "b", 7), 7);
	assert_int_equal(json_int(object, "absent", 7), 7);
	assert_true(json_num(object, "f", 7) == 1.5);
	assert_true(json_num(object, "i", 7) == (double)INT64_MAX);
	assert_true(json_num(object, "t", 7) == 7);
	assert_true(json_bool(object, "b", false));
	assert_true(json_bool(object, "i", true));
	assert_false(json_bool(object, "i", false));
	assert_true(json_bool(object, "absent", true));
	assert_int_equal(json_int(NULL, "i", 7), 7);
	assert_int_equal(json_int(json_object_get(object, "a"), "i", 7), 7);
	json_decref(object);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(objects_come_in_order),
		TEST(nothing_now_is_not_the_end),
		TEST(a_dead_descriptor_is_an_error),
		TEST(a_line_may_come_in_any_pieces),
		TEST(what_is_no_object_is_counted),
		TEST(a_nul_byte_is_no_json),
		TEST(empty_lines_are_no_fault),
		TEST(a_torn_last_line_is_counted),
		TEST(a_whole_last_line_needs_no_newline),
		TEST(of_a_repeated_key_the_last_counts),
		TEST(a_deep_object_does_no_harm),
		TEST(a_line_too_long_is_skipped_and_counted_once),
		TEST(a_line_too_long_is_skipped_in_a_file_too),
		TEST(the_rest_of_a_line_too_long_is_no_object),
		TEST(a_line_too_long_at_the_end_is_counted_once),
		TEST(what_is_written_is_one_ascii_line),
		TEST(what_is_written_can_be_read),
		TEST(nothing_is_queued_on_error),
		TEST(the_longest_line_is_read_as_well_as_written),
		TEST(a_slow_reader_loses_nothing),
		TEST(a_reader_that_left_is_told),
		TEST(random_bytes_do_no_harm),
		TEST(members_have_types),
	};

	return cmocka_run_group_tests_name("jsonl", tests, NULL, NULL);
}

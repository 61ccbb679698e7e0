#include "config.h"

#include "failing_inotify.h"
#include "made_world.h"

#include <poll.h>
#include <time.h>
#include <zlib.h>

#include "backends/backend.h"

#define T0 INT64_C(1763860000) /* the time of the first look, s */

/* A folder of logs that the backend follows, and what it has told. */
struct place {
	char folder[256];
	struct clock_fake time;
	struct clock clock;
	struct world world;
	struct here here;
	void *state;
	struct backend_scan scan;
	struct error err;
	struct metrics told;                   /* all samples, as the monitor has them */
	uint64_t samples, lines, lines_of_new; /* of new.lock */
	int32_t finest, coarsest;              /* seconds of the samples of the last look */
	int looks;
	int refuse; /* samples are refused with this */
};

static int set_up(void **state)
{
	struct place *place = calloc(1, sizeof *place);

	assert_non_null(place);
	make_folder(place->folder, sizeof place->folder);
	place->time = (struct clock_fake){.mono = 3600 * NS_PER_S, .wall = T0 * NS_PER_S};
	place->clock = clock_fake(&place->time);
	assert_int_equal(world_open(&place->world, NULL, &place->clock, &place->err), 0);
	assert_int_equal(metrics_init(&place->told, METRICS_SERIES, 0, 0), 0);
	*state = place;
	return 0;
}

static int tear_down(void **state)
{
	struct place *place = *state;

	fail_inotify(0);
	backend_log.close(place->state);
	world_close(&place->world);
	metrics_release(&place->told);
	remove_tree(place->folder);
	free(place);
	return 0;
}

static const char *in(const struct place *place, const char *name)
{
	static char path[2][600];
	static int turn;

	turn = !turn;
	snprintf(path[turn], sizeof path[turn], "%s/%s", place->folder, name);
	return path[turn];
}

/* --- what is in the logs --- */

static const char *line_at(int64_t at, const char *lock)
{
	static char line[400];

	snprintf(line, sizeof line,
		"{\"v\":1,\"ts\":%lld.000,\"event\":\"acquired\",\"lock\":\"%s\","
		"\"source\":\"file:/run/lock\",\"backend\":\"file\",\"pid\":1,\"wait_ms\":1.000}\n",
		(long long)at, lock);
	return line;
}

static void add_text(const struct place *place, const char *log, const char *text)
{
	int fd = open(in(place, log), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0644);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	close(fd);
}

/* One line, of so many seconds before now. */
static void add_line(const struct place *place, const char *log, int64_t ago)
{
	add_text(place, log, line_at(place->time.wall / NS_PER_S - ago, "x.lock"));
}

/* n lines, of one lock after the other, from so long before T0 on until another time before. */
static void add_lines(
	const struct place *place, const char *log, int n, int locks, int64_t from, int64_t until)
{
	FILE *file = fopen(in(place, log), "a");
	char lock[20];

	assert_non_null(file);
	for (int i = 0; i < n; i++) {
		snprintf(lock, sizeof lock, "%d.lock", i % locks);
		fputs(line_at(T0 - from + (from - until) * i / n, lock), file);
	}
	assert_int_equal(fclose(file), 0);
}

/* --- looking --- */

static void open_log(struct place *place, const char *pattern, const char *params)
{
	struct uri uri;
	char text[700];
	int result;

	snprintf(text, sizeof text, "log:%s%s", in(place, pattern), params);
	assert_int_equal(uri_parse(&uri, text, &place->err), 0);
	result = backend_log.open(&place->state, &place->world, &place->here, &uri, &place->err);
	uri_release(&uri);
	if (result < 0)
		fail_msg("%s", place->err.text);
}

static int take_sample(void *data, const struct sample *sample)
{
	struct place *place = data;

	if (place->refuse)
		return place->refuse;
	place->samples++;
	for (int i = 0; i < METRIC_EVENT_COUNT; i++) {
		place->lines += sample->tally.count[i];
		if (sample->lock && strcmp(sample->lock, "new.lock") == 0)
			place->lines_of_new += sample->tally.count[i];
	}
	if (!place->finest || sample->seconds < place->finest)
		place->finest = sample->seconds;
	if (sample->seconds > place->coarsest)
		place->coarsest = sample->seconds;
	return metrics_add_sample(&place->told, sample);
}

static int try_look(struct place *place, bool is_hinted)
{
	struct snapshot fresh = {0};
	int result;

	place->finest = place->coarsest = 0;
	place->scan = (struct backend_scan){.snapshot = &fresh,
		.sample = take_sample,
		.sample_data = place,
		.is_hinted = is_hinted};
	result = backend_log.scan(place->state, &place->scan, &place->err);
	assert_int_equal(fresh.n, 0);
	snapshot_release(&fresh);
	place->looks++;
	return result;
}

static void look(struct place *place)
{
	if (try_look(place, false) < 0)
		fail_msg("%s", place->err.text);
}

/* The first look, all of its steps. */
static void look_at_all(struct place *place)
{
	do
		look(place);
	while (place->scan.is_partial);
}

static void look_later(struct place *place, int64_t seconds)
{
	place->time.mono += seconds * NS_PER_S;
	place->time.wall += seconds * NS_PER_S;
	look(place);
}

/* Was there a hint that asks for a look? Waits for it, in real time: inotify has no other. */
static bool is_hinted(struct place *place, int ms)
{
	struct pollfd fd = {.fd = backend_log.hint_fd(place->state), .events = POLLIN};

	return poll(&fd, 1, ms) > 0 && backend_log.hint(place->state);
}

static void notes(const struct place *place, const char *words)
{
	if (!strstr(place->scan.note, words))
		fail_msg("\"%s\" is not in the note \"%s\"", words, place->scan.note);
}

/* --- the first look --- */

static void every_line_is_told_once(void **state)
{
	struct place *place = *state;

	add_lines(place, "m.jsonl", 30000, 3, 10 * 86400, 0);
	open_log(place, "m.jsonl", "");
	look_at_all(place);
	assert_int_equal(place->lines, 30000);
	assert_int_equal(place->told.series, 3);
	notes(place, "1 file, 30,000 lines");
	look_later(place, 1);
	assert_int_equal(place->lines, 30000);
}

/* All bytes of the log are there when the look begins, the last line's end perhaps not. */
static void lines_that_come_during_the_first_look_are_told_once(void **state)
{
	struct place *place = *state;
	char line[400];
	int n = 0;

	add_lines(place, "m.jsonl", 30000, 300, 3 * 86400, 0);
	snprintf(line, sizeof line, "%s", line_at(T0, "x.lock"));
	add_text(place, "m.jsonl", "{\"v\":1,");
	open_log(place, "m.jsonl", "");
	look(place);
	assert_true(place->scan.is_partial);
	add_text(place, "m.jsonl", line + 7);
	do {
		add_line(place, "m.jsonl", 0);
		n++;
		look(place);
	} while (place->scan.is_partial);
	assert_int_equal(place->lines, 30001 + n);
}

/* What is in the file then is not what was. */
static void a_log_that_is_truncated_during_the_first_look_is_told_once(void **state)
{
	struct place *place = *state;
	FILE *file;

	add_lines(place, "m.jsonl", 20000, 300, 3 * 86400, 0);
	open_log(place, "m.jsonl", "");
	look(place);
	assert_true(place->scan.is_partial);
	assert_int_equal(truncate(in(place, "m.jsonl"), 0), 0);
	file = fopen(in(place, "m.jsonl"), "a");
	assert_non_null(file);
	for (int i = 30000; i-- > 0;)
		fputs(line_at(T0 - i, "new.lock"), file);
	assert_int_equal(fclose(file), 0);
	do
		look(place);
	while (place->scan.next <= clock_mono(&place->clock));
	assert_int_equal(place->lines_of_new, 30000);
}

static void the_first_look_comes_in_steps_the_last_hour_first(void **state)
{
	struct place *place = *state;
	int64_t before = 0;
	int steps = 0;

	add_lines(place, "m.jsonl", 5000, 50, 10 * 86400, 86400);
	add_lines(place, "m.jsonl", 5000, 50, 86400, 3600);
	add_lines(place, "m.jsonl", 5000, 50, 3600, 0);
	open_log(place, "m.jsonl", "");
	look(place);
	assert_true(place->scan.is_partial);
	assert_true(place->scan.next <= clock_mono(&place->clock));
	notes(place, "so far");
	assert_true(place->told.all.first >= (T0 - 43200) * NS_PER_S);
	while (place->scan.is_partial) {
		before = (int64_t)place->samples;
		look(place);
		assert_true((int64_t)place->samples - before <= 6000);
		steps++;
	}
	assert_true(steps > 3);
	assert_int_equal(place->lines, 15000);
	assert_true(place->told.all.first <= (T0 - 10 * 86400) * NS_PER_S);
}

static void what_is_older_than_the_window_is_left_out(void **state)
{
	struct place *place = *state;

	add_lines(place, "m.jsonl", 10000, 1, 20 * 86400, 86400);
	add_lines(place, "m.jsonl", 100, 1, 3600, 0);
	open_log(place, "m.jsonl", "?window=2h");
	look_at_all(place);
	assert_int_equal(place->lines, 100);
}

static void what_was_rotated_away_is_told_if_it_is_asked_for(void **state)
{
	struct place *place = *state;
	struct timespec old[2] = {{.tv_sec = T0 - 7200}, {.tv_sec = T0 - 7200}};
	gzFile gz = gzopen(in(place, "m.jsonl.2.gz"), "wb");

	assert_non_null(gz);
	assert_true(gzputs(gz, line_at(T0 - 80000, "x.lock")) > 0);
	assert_int_equal(gzclose(gz), Z_OK);
	add_lines(place, "m.jsonl.1", 100, 1, 40000, 7200);
	add_lines(place, "m.jsonl", 100, 1, 7200, 0);
	assert_int_equal(utimensat(AT_FDCWD, in(place, "m.jsonl.1"), old, 0), 0);
	open_log(place, "m.jsonl", "?rotated=yes");
	look_at_all(place);
	assert_int_equal(place->lines, 201);
	backend_log.close(place->state);
	place->lines = 0;
	open_log(place, "m.jsonl", "?rotated=no");
	look_at_all(place);
	assert_int_equal(place->lines, 100);
}

static void nobody_who_wants_samples_no_reading(void **state)
{
	struct place *place = *state;
	struct snapshot fresh = {0};

	add_lines(place, "m.jsonl", 10000, 1, 86400, 0);
	open_log(place, "m.jsonl", "");
	place->scan = (struct backend_scan){.snapshot = &fresh};
	assert_int_equal(backend_log.scan(place->state, &place->scan, &place->err), 0);
	assert_false(place->scan.is_partial);
	notes(place, "1 file");
}

static void who_wants_no_more_samples_ends_the_look(void **state)
{
	struct place *place = *state;

	add_lines(place, "m.jsonl", 100, 1, 3600, 0);
	open_log(place, "m.jsonl", "");
	place->refuse = -EPIPE;
	assert_int_equal(try_look(place, false), -EPIPE);
}

/* --- live --- */

static void an_appended_line_raises_a_hint_and_is_a_sample_of_its_second(void **state)
{
	struct place *place = *state;

	add_line(place, "m.jsonl", 1000);
	open_log(place, "m.jsonl", "");
	look_at_all(place);
	assert_false(place->scan.is_polling);
	while (is_hinted(place, 0))
		;
	add_line(place, "m.jsonl", 0);
	assert_true(is_hinted(place, 5000));
	assert_int_equal(try_look(place, true), 0);
	assert_int_equal(place->lines, 2);
	assert_int_equal(place->coarsest, 1);
	assert_false(is_hinted(place, 0));
}

static void other_files_of_the_folder_raise_no_hint(void **state)
{
	struct place *place = *state;
	char byte;
	int fd;

	add_line(place, "m.jsonl", 10);
	open_log(place, "m.jsonl", "");
	look_at_all(place);
	while (is_hinted(place, 0))
		;
	add_text(place, "syslog", "x\n");
	assert_false(is_hinted(place, 100));
	fd = open(in(place, "m.jsonl"), O_RDONLY | O_CLOEXEC);
	assert_int_equal(read(fd, &byte, 1), 1);
	close(fd);
	assert_false(is_hinted(place, 100));
}

static void without_inotify_it_polls(void **state)
{
	struct place *place = *state;

	fail_inotify(EMFILE);
	add_line(place, "m.jsonl", 10);
	open_log(place, "m.jsonl", "");
	look_at_all(place);
	assert_true(place->scan.is_polling);
	notes(place, "polling: no inotify instance left");
	assert_true(place->scan.next == clock_mono(&place->clock) + 250 * NS_PER_MS);
	add_line(place, "m.jsonl", 0);
	look_later(place, 1);
	assert_int_equal(place->lines, 2);
}

static void a_log_that_is_not_there_is_no_fault_and_comes_later(void **state)
{
	struct place *place = *state;

	open_log(place, "m.jsonl", "");
	look(place);
	assert_false(place->scan.is_partial);
	notes(place, "no log yet: ");
	notes(place, "/m.jsonl");
	add_line(place, "m.jsonl", 0);
	assert_true(is_hinted(place, 5000));
	assert_int_equal(try_look(place, true), 0);
	assert_int_equal(place->lines, 1);
	notes(place, "1 file, 1 line");
}

static void a_folder_that_is_not_there_may_come_later(void **state)
{
	struct place *place = *state;

	open_log(place, "sub/m.jsonl", "");
	look(place);
	assert_true(place->scan.is_polling);
	assert_int_equal(mkdir(in(place, "sub"), 0755), 0);
	add_line(place, "sub/m.jsonl", 0);
	look_later(place, 1);
	assert_int_equal(place->lines, 1);
	assert_false(place->scan.is_polling);
}

static void rotation_loses_nothing(void **state)
{
	struct place *place = *state;
	int n = 0;

	open_log(place, "m.jsonl*", "");
	for (int i = 0; i < 50; i++) {
		for (int k = 0; k < i % 7; k++, n++)
			add_line(place, "m.jsonl", 0);
		if (i % 3 == 0)
			look_later(place, 1);
		for (int k = 0; k < i % 5; k++, n++)
			add_line(place, "m.jsonl", 0);
		if (i % 10 == 9) {
			rename(in(place, "m.jsonl"), in(place, "m.jsonl.1"));
			add_line(place, "m.jsonl.1", 0);
			n++;
			if (i % 20 == 19)
				add_line(place, "m.jsonl", 0), n++;
			look_later(place, 1);
		}
	}
	for (int i = 0; i < 10; i++)
		look_later(place, 1);
	assert_int_equal(place->lines, n);
}

/* cp and a truncation: the copy is another file, and has a name that is none of a log's. */
static void copytruncate_is_not_told_twice(void **state)
{
	struct place *place = *state;

	for (int i = 0; i < 20; i++)
		add_line(place, "m.jsonl", 0);
	open_log(place, "*", "");
	look_at_all(place);
	add_line(place, "m.jsonl", 0);
	look_later(place, 1);
	for (int i = 0; i < 21; i++)
		add_line(place, "m.jsonl.1", 0);
	assert_int_equal(truncate(in(place, "m.jsonl"), 0), 0);
	add_line(place, "m.jsonl", 0);
	look_later(place, 1);
	look_later(place, 1);
	assert_int_equal(place->lines, 22);
}

/* A name that the pattern finds, and no rule knows, leads to a file that was read already. */
static void a_log_that_was_renamed_is_not_told_twice(void **state)
{
	struct place *place = *state;

	add_line(place, "m.jsonl", 0);
	open_log(place, "m*", "");
	look_at_all(place);
	assert_int_equal(rename(in(place, "m.jsonl"), in(place, "my-copy")), 0);
	add_line(place, "m.jsonl", 0);
	for (int i = 0; i < 20; i++)
		look_later(place, 2);
	assert_int_equal(place->lines, 2);
	add_line(place, "m.jsonl", 0);
	look_later(place, 1);
	assert_int_equal(place->lines, 3);
}

static void new_logs_of_a_pattern_are_found(void **state)
{
	struct place *place = *state;

	add_line(place, "a.jsonl", 0);
	open_log(place, "*.jsonl", "");
	look_at_all(place);
	notes(place, "1 file, 1 line");
	add_line(place, "b.jsonl", 0);
	assert_true(is_hinted(place, 5000));
	assert_int_equal(try_look(place, true), 0);
	assert_int_equal(place->lines, 2);
	notes(place, "2 files, 2 lines");
	assert_int_equal(unlink(in(place, "a.jsonl")), 0);
	look_later(place, 2);
	look_later(place, 120);
	look_later(place, 1);
	notes(place, "1 file, 2 lines");
}

static void a_log_behind_a_link_raises_hints_too(void **state)
{
	struct place *place = *state;

	assert_int_equal(mkdir(in(place, "real"), 0755), 0);
	add_line(place, "real/x", 0);
	assert_int_equal(symlink("real/x", in(place, "m.jsonl")), 0);
	open_log(place, "m.jsonl", "");
	look_at_all(place);
	while (is_hinted(place, 0))
		;
	add_line(place, "real/x", 0);
	assert_true(is_hinted(place, 5000));
	assert_int_equal(try_look(place, true), 0);
	assert_int_equal(place->lines, 2);
}

/* --- what is not understood --- */

static void what_is_not_understood_is_counted(void **state)
{
	struct place *place = *state;
	char longest[5002];

	memset(longest, 'x', sizeof longest - 2);
	longest[5000] = '\n';
	longest[5001] = '\0';
	add_line(place, "m.jsonl", 5);
	add_text(place, "m.jsonl", "nonsense\n");
	add_text(place, "m.jsonl", longest);
	open_log(place, "m.jsonl", "");
	look_at_all(place);
	notes(place, "1 file, 1 line, 2 not understood (1 too long)");
	add_text(place, "m.jsonl", "{\"half");
	look_later(place, 1);
	assert_int_equal(truncate(in(place, "m.jsonl"), 0), 0);
	look_later(place, 1);
	notes(place, "3 not understood (1 too long, 1 torn)");
}

static void a_line_from_the_far_future_is_not_understood(void **state)
{
	struct place *place = *state;

	add_line(place, "m.jsonl", -3590);
	add_line(place, "m.jsonl", -3700);
	open_log(place, "m.jsonl", "");
	look_at_all(place);
	assert_int_equal(place->lines, 1);
	notes(place, "1 not understood");
}

static void what_is_no_file_is_a_fault_in_words_and_does_not_block(void **state)
{
	struct place *place = *state;

	assert_int_equal(mkfifo(in(place, "m.jsonl"), 0644), 0);
	open_log(place, "m.jsonl", "");
	assert_int_equal(try_look(place, false), -EINVAL);
	assert_non_null(strstr(place->err.text, "FIFO"));
	assert_int_equal(unlink(in(place, "m.jsonl")), 0);
	add_line(place, "m.jsonl", 0);
	look_later(place, 1);
	assert_int_equal(place->lines, 1);
}

static void a_fifo_in_the_place_of_a_log_is_said(void **state)
{
	struct place *place = *state;

	add_line(place, "m.jsonl", 0);
	open_log(place, "m.jsonl", "");
	look_at_all(place);
	assert_int_equal(unlink(in(place, "m.jsonl")), 0);
	assert_int_equal(mkfifo(in(place, "m.jsonl"), 0644), 0);
	look_later(place, 1);
	notes(place, "1 line; the log ");
	assert_int_equal(unlink(in(place, "m.jsonl")), 0);
	add_line(place, "m.jsonl", 0);
	look_later(place, 1);
	assert_int_equal(place->lines, 2);
	assert_null(strstr(place->scan.note, ";"));
}

static void hostile_bytes_do_no_harm(void **state)
{
	struct place *place = *state;
	unsigned int seed = 42;

	open_log(place, "m.jsonl", "");
	for (int i = 0; i < 300; i++) {
		char junk[700];
		int fd =
			open(in(place, "m.jsonl"), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0644);
		size_t len = (size_t)(rand_r(&seed) % 700);

		for (size_t k = 0; k < len; k++)
			junk[k] = (char)(rand_r(&seed) % 9 ? rand_r(&seed) % 256 : '\n');
		assert_int_equal(write(fd, junk, len), len);
		close(fd);
		add_text(place, "m.jsonl", "\n");
		add_line(place, "m.jsonl", 0);
		if (i % 50 == 49)
			truncate(in(place, "m.jsonl"), 0);
		if (i % 7 == 0 || i % 50 > 47)
			look_later(place, 1);
		if (i % 50 == 48)
			look_later(place, 1);
	}
	look_later(place, 1);
	/* What was written and truncated between two looks nobody can know. */
	assert_true(place->lines >= 294 && place->lines <= 300);
	notes(place, "not understood");
}

static void there_is_no_lock_to_look_at(void **state)
{
	struct place *place = *state;
	struct lock *lock;

	open_log(place, "m.jsonl", "");
	assert_int_equal(backend_log.look(place->state, "x", &lock, &place->err), -ENOENT);
	assert_null(backend_log.release);
}

#define CASE(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(every_line_is_told_once),
		CASE(lines_that_come_during_the_first_look_are_told_once),
		CASE(a_log_that_is_truncated_during_the_first_look_is_told_once),
		CASE(the_first_look_comes_in_steps_the_last_hour_first),
		CASE(what_is_older_than_the_window_is_left_out),
		CASE(what_was_rotated_away_is_told_if_it_is_asked_for),
		CASE(nobody_who_wants_samples_no_reading),
		CASE(who_wants_no_more_samples_ends_the_look),
		CASE(an_appended_line_raises_a_hint_and_is_a_sample_of_its_second),
		CASE(other_files_of_the_folder_raise_no_hint),
		CASE(without_inotify_it_polls),
		CASE(a_log_that_is_not_there_is_no_fault_and_comes_later),
		CASE(a_folder_that_is_not_there_may_come_later),
		CASE(rotation_loses_nothing),
		CASE(copytruncate_is_not_told_twice),
		CASE(a_log_that_was_renamed_is_not_told_twice),
		CASE(new_logs_of_a_pattern_are_found),
		CASE(a_log_behind_a_link_raises_hints_too),
		CASE(what_is_not_understood_is_counted),
		CASE(a_line_from_the_far_future_is_not_understood),
		CASE(what_is_no_file_is_a_fault_in_words_and_does_not_block),
		CASE(a_fifo_in_the_place_of_a_log_is_said),
		CASE(hostile_bytes_do_no_harm),
		CASE(there_is_no_lock_to_look_at),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

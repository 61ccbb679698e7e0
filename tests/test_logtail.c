#include "config.h"

#include "made_world.h"

#include <glob.h>
#include <inttypes.h>
#include <time.h>
#include <zlib.h>

#include "system/logtail.h"

/* A folder with a log that is followed, and what was read of it. */
struct place {
	char folder[256];
	char path[300];
	struct clock_fake time;
	struct clock clock;
	struct logtail tail;
	struct error err;
};

static int set_up(void **state)
{
	struct place *place = calloc(1, sizeof *place);

	assert_non_null(place);
	make_folder(place->folder, sizeof place->folder);
	snprintf(place->path, sizeof place->path, "%s/x.log", place->folder);
	place->time.mono = 1000 * NS_PER_S;
	place->clock = clock_fake(&place->time);
	assert_int_equal(logtail_init(&place->tail, place->path), 0);
	place->tail.clock = &place->clock;
	*state = place;
	return 0;
}

static int tear_down(void **state)
{
	struct place *place = *state;

	logtail_release(&place->tail);
	remove_tree(place->folder);
	free(place);
	return 0;
}

/* Valid until the second next call. */
static const char *in(const struct place *place, const char *name)
{
	static char path[2][600];
	static int turn;

	turn = !turn;
	snprintf(path[turn], sizeof path[turn], "%s/%s", place->folder, name);
	return path[turn];
}

static void add_bytes(const struct place *place, const char *name, const char *text, size_t len)
{
	int fd = open(in(place, name), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, len), len);
	close(fd);
}

static void add(const struct place *place, const char *text)
{
	add_bytes(place, "x.log", text, strlen(text));
}

static void fill_log(const struct place *place, char byte, size_t len)
{
	char *text = malloc(len);

	assert_non_null(text);
	memset(text, byte, len);
	add_bytes(place, "x.log", text, len);
	free(text);
}

/* Rotates as logrotate(8) does with create. */
static void move_away(const struct place *place)
{
	assert_int_equal(rename(place->path, in(place, "x.log.1")), 0);
}

static void write_gz(const struct place *place, const char *name, const char *text)
{
	gzFile gz = gzopen(in(place, name), "wb");

	assert_non_null(gz);
	assert_int_equal(gzwrite(gz, text, (unsigned int)strlen(text)), strlen(text));
	assert_int_equal(gzclose(gz), Z_OK);
}

static void start(struct place *place)
{
	if (logtail_open(&place->tail, 0, NULL, &place->err) < 0)
		fail_msg("%s", place->err.text);
}

/* All that is there now, in one text: "a b c ". */
static const char *lines(struct place *place)
{
	static char text[16384];
	char *line;
	size_t len, at = 0;
	int result;

	text[0] = '\0';
	while ((result = logtail_next(&place->tail, &line, &len, &place->err)) > 0) {
		assert_int_equal(line[len], '\0');
		assert_true(at + len + 2 < sizeof text);
		memcpy(text + at, line, len);
		at += len;
		text[at++] = ' ';
		text[at] = '\0';
		memset(line, 'X', len + 1); /* it may be written to */
	}
	assert_int_equal(result, 0);
	return text;
}

/* --- following --- */

static void what_is_appended_is_read(void **state)
{
	struct place *place = *state;

	add(place, "a\nb\n");
	start(place);
	assert_string_equal(lines(place), "a b ");
	assert_string_equal(lines(place), "");
	add(place, "c\n\nd\n");
	assert_string_equal(lines(place), "c  d ");
}

static void half_a_line_waits_for_its_end(void **state)
{
	struct place *place = *state;

	add(place, "a\nhal");
	start(place);
	assert_string_equal(lines(place), "a ");
	add(place, "f a");
	assert_string_equal(lines(place), "");
	add(place, " line\nb\n");
	assert_string_equal(lines(place), "half a line b ");
	assert_int_equal(place->tail.torn, 0);
}

static void a_log_may_come_later(void **state)
{
	struct place *place = *state;

	assert_int_equal(logtail_open(&place->tail, 0, NULL, &place->err), -ENOENT);
	assert_string_equal(lines(place), "");
	add(place, "a\n");
	assert_string_equal(lines(place), "a ");
}

static void a_log_that_was_moved_is_read_to_its_end_first(void **state)
{
	struct place *place = *state;

	add(place, "a\n");
	start(place);
	assert_string_equal(lines(place), "a ");
	add(place, "b\n");
	move_away(place);
	add(place, "c\n");
	assert_string_equal(lines(place), "b c ");
	assert_int_equal(place->tail.rotations, 1);
	assert_int_equal(place->tail.truncations, 0);
}

static void who_still_has_the_moved_log_open_is_heard_for_some_seconds(void **state)
{
	struct place *place = *state;

	add(place, "a\n");
	start(place);
	lines(place);
	move_away(place);
	add(place, "b\n");
	assert_string_equal(lines(place), "b ");
	place->time.mono += 2 * NS_PER_S;
	add_bytes(place, "x.log.1", "late\n", 5);
	add(place, "c\n");
	assert_string_equal(lines(place), "late c ");
	place->time.mono += 60 * NS_PER_S;
	assert_string_equal(lines(place), "");
	assert_int_equal(place->tail.old.fd, -1);
	add_bytes(place, "x.log.1", "much later\n", 11);
	assert_string_equal(lines(place), "");
	assert_int_equal(place->tail.torn, 0);
}

static void half_a_line_of_a_moved_log_is_counted(void **state)
{
	struct place *place = *state;

	add(place, "a\nhalf");
	start(place);
	lines(place);
	move_away(place);
	add(place, "b\n");
	assert_string_equal(lines(place), "b ");
	assert_int_equal(place->tail.torn, 0);
	place->time.mono += 60 * NS_PER_S;
	lines(place);
	assert_int_equal(place->tail.torn, 1);
}

static void two_rotations_in_a_row_lose_nothing_that_was_open(void **state)
{
	struct place *place = *state;

	add(place, "a\n");
	start(place);
	lines(place);
	move_away(place);
	add(place, "b\n");
	assert_string_equal(lines(place), "b ");
	add(place, "c\n");
	move_away(place);
	add(place, "d\n");
	assert_string_equal(lines(place), "c d ");
	assert_int_equal(place->tail.rotations, 2);
}

/* A writer made the new log before logrotate(8) did, with create. */
static void what_a_writer_made_in_between_is_read_too(void **state)
{
	struct place *place = *state;

	add(place, "a\n");
	start(place);
	lines(place);
	move_away(place);
	add_bytes(place, "x.log-2026112303.backup", "b\n", 2);
	add(place, "c\n");
	assert_string_equal(lines(place), "b c ");
	assert_int_equal(place->tail.rotations, 2);
}

/* The reader was stopped for a while. */
static void files_that_were_the_log_in_between_are_read_too(void **state)
{
	struct place *place = *state;
	struct timespec old[2] = {{.tv_sec = 1000}, {.tv_sec = 1000}};

	add(place, "a\n");
	start(place);
	lines(place);
	add(place, "b\n");
	assert_int_equal(rename(place->path, in(place, "x.log-20261123")), 0);
	write_gz(place, "x.log-20261124.gz", "c\n");
	add_bytes(place, "x.log.1", "d\n", 2);
	/* Younger by its name only. */
	add_bytes(place, "x.log-20261125", "no\n", 3);
	assert_int_equal(utimensat(AT_FDCWD, in(place, "x.log-20261125"), old, 0), 0);
	add(place, "e\n");
	assert_string_equal(lines(place), "b c d e ");
	assert_int_equal(place->tail.rotations, 3);
}

static void what_was_copied_and_truncated_is_read_on_in_the_copy(void **state)
{
	struct place *place = *state;

	add(place, "a line that was read already\nsecond\nha");
	start(place);
	assert_string_equal(lines(place), "a line that was read already second ");
	add(place, "lf\nunread\n");
	add_bytes(place, "x.log.1", "a line that was read already\nsecond\nhalf\nunread\n", 48);
	assert_int_equal(truncate(place->path, 0), 0);
	add(place, "new\n");
	assert_string_equal(lines(place), "half unread new ");
	add(place, "newer\n");
	assert_string_equal(lines(place), "newer ");
	assert_int_equal(place->tail.torn, 0);
	place->time.mono += 60 * NS_PER_S;
	assert_string_equal(lines(place), "");
	assert_int_equal(place->tail.old.fd, -1);
}

static void another_file_is_not_taken_for_the_copy(void **state)
{
	struct place *place = *state;

	add(place, "a line that was read already\nsecond\n");
	start(place);
	lines(place);
	add_bytes(place, "x.log.1", "a line that was read Already\nsecond\nthird\n", 42);
	assert_int_equal(truncate(place->path, 0), 0);
	add(place, "new\n");
	assert_string_equal(lines(place), "new ");
}

static void a_log_that_was_opened_at_its_end_and_truncated_begins_again(void **state)
{
	struct place *place = *state;

	add(place, "first\nsecond\n");
	assert_int_equal(logtail_open_end(&place->tail, &place->err), 0);
	assert_int_equal(truncate(place->path, 0), 0);
	add(place, "third\nfourth\nfifth\n");
	assert_string_equal(lines(place), "third fourth fifth ");
}

static void a_truncated_log_begins_again(void **state)
{
	struct place *place = *state;

	add(place, "first\nsecond\nhal");
	start(place);
	assert_string_equal(lines(place), "first second ");
	assert_int_equal(truncate(place->path, 0), 0);
	add(place, "a\n");
	assert_string_equal(lines(place), "a ");
	assert_int_equal(place->tail.truncations, 1);
	assert_int_equal(place->tail.torn, 1);
	assert_int_equal(truncate(place->path, 0), 0);
	assert_string_equal(lines(place), "");
	add(place, "b\n");
	assert_string_equal(lines(place), "b ");
	assert_int_equal(place->tail.truncations, 2);
}

/* copytruncate: by the time of the next look it is as long as it was, and longer. */
static void a_log_that_was_truncated_and_regrew_begins_again(void **state)
{
	struct place *place = *state;

	add(place, "first\nsecond\n");
	start(place);
	lines(place);
	assert_int_equal(truncate(place->path, 0), 0);
	add(place, "third\nfourth\n");
	assert_string_equal(lines(place), "third fourth ");
	assert_int_equal(truncate(place->path, 0), 0);
	add(place, "fifth\nsixth\nseventh\neighth\n");
	assert_string_equal(lines(place), "fifth sixth seventh eighth ");
	assert_int_equal(place->tail.truncations, 2);
	assert_int_equal(place->tail.torn, 0);
}

/* Their ends are the same, and their lengths: only their times differ. */
static void lines_that_look_alike_are_told_from_each_other(void **state)
{
	struct place *place = *state;
	char line[300];

	for (int i = 0; i < 40; i++) {
		snprintf(line, sizeof line, "{\"ts\":%d,%0200d}\n", 1000 + i, 0);
		if (i == 10) {
			start(place);
			lines(place);
			assert_int_equal(truncate(place->path, 0), 0);
		}
		add(place, line);
	}
	assert_int_equal(strncmp(lines(place), "{\"ts\":1010,", 11), 0);
	assert_int_equal(place->tail.truncations, 1);
}

static void a_deleted_log_is_kept_until_there_is_another(void **state)
{
	struct place *place = *state;
	int fd;

	add(place, "a\n");
	start(place);
	lines(place);
	fd = open(place->path, O_WRONLY | O_APPEND | O_CLOEXEC);
	assert_int_equal(unlink(place->path), 0);
	assert_string_equal(lines(place), "");
	assert_int_equal(write(fd, "b\n", 2), 2);
	close(fd);
	assert_string_equal(lines(place), "b ");
	add(place, "c\n");
	assert_string_equal(lines(place), "c ");
	assert_int_equal(place->tail.rotations, 1);
}

static void what_is_fixed_is_read_to_its_end_whatever_its_name_leads_to(void **state)
{
	struct place *place = *state;

	place->tail.is_fixed = true;
	add(place, "a\n");
	start(place);
	move_away(place);
	add(place, "b\n");
	assert_string_equal(lines(place), "a ");
	assert_string_equal(lines(place), "");
}

static void a_link_is_followed(void **state)
{
	struct place *place = *state;

	add_bytes(place, "real.log", "a\n", 2);
	assert_int_equal(symlink("real.log", place->path), 0);
	start(place);
	assert_string_equal(lines(place), "a ");
	assert_int_equal(unlink(place->path), 0);
	add_bytes(place, "other.log", "b\n", 2);
	assert_int_equal(symlink("other.log", place->path), 0);
	assert_string_equal(lines(place), "b ");
}

static void refused(struct place *place, const char *words)
{
	assert_int_equal(logtail_open(&place->tail, 0, NULL, &place->err), -EINVAL);
	assert_non_null(strstr(place->err.text, words));
	assert_non_null(strstr(place->err.text, "x.log"));
}

static void what_is_no_file_is_refused_and_does_not_block(void **state)
{
	struct place *place = *state;

	assert_int_equal(mkfifo(place->path, 0644), 0);
	refused(place, "a FIFO");
	assert_int_equal(unlink(place->path), 0);
	assert_int_equal(mkdir(place->path, 0755), 0);
	refused(place, "a folder");
	assert_int_equal(rmdir(place->path), 0);
	assert_int_equal(symlink("/dev/zero", place->path), 0);
	refused(place, "a device");
	assert_int_equal(unlink(place->path), 0);
}

static void a_fifo_in_the_place_of_the_log_is_said_and_the_log_read_on(void **state)
{
	struct place *place = *state;
	char *line;
	size_t len;

	add(place, "a\n");
	start(place);
	lines(place);
	move_away(place);
	assert_int_equal(mkfifo(place->path, 0644), 0);
	add_bytes(place, "x.log.1", "b\n", 2);
	assert_int_equal(logtail_next(&place->tail, &line, &len, &place->err), 1);
	assert_string_equal(line, "b");
	assert_int_equal(logtail_next(&place->tail, &line, &len, &place->err), -EINVAL);
	assert_non_null(strstr(place->err.text, "FIFO"));
	assert_int_equal(unlink(place->path), 0);
	add(place, "c\n");
	assert_string_equal(lines(place), "c ");
}

static void what_is_fixed_ends_where_it_is_truncated(void **state)
{
	struct place *place = *state;

	place->tail.is_fixed = true;
	add(place, "a\n");
	start(place);
	assert_string_equal(lines(place), "a ");
	assert_int_equal(truncate(place->path, 0), 0);
	add(place, "b\nc\n");
	assert_string_equal(lines(place), "");
	add(place, "d\n");
	assert_string_equal(lines(place), "");
}

static void a_log_that_lost_its_name_is_closed_when_it_is_quiet(void **state)
{
	struct place *place = *state;
	int fd;

	add(place, "a\n");
	start(place);
	lines(place);
	fd = open(place->path, O_WRONLY | O_APPEND | O_CLOEXEC);
	assert_int_equal(unlink(place->path), 0);
	for (int i = 0; i < 5; i++) {
		place->time.mono += 50 * NS_PER_S;
		assert_int_equal(write(fd, "b\n", 2), 2);
		assert_string_equal(lines(place), "b ");
		assert_true(place->tail.now.fd >= 0);
	}
	close(fd);
	place->time.mono += 61 * NS_PER_S;
	assert_string_equal(lines(place), "");
	assert_int_equal(place->tail.now.fd, -1);
	add(place, "c\n");
	assert_string_equal(lines(place), "c ");
}

/* What begins in a part of a log that is followed. */
static void add_part(const struct place *place, off_t from, off_t until, char *text)
{
	struct place other = {0};

	if (until == 0)
		return; /* that would be the whole log */
	assert_int_equal(logtail_part(&other.tail, &place->tail, from, until), 0);
	strcat(text, lines(&other));
	logtail_release(&other.tail);
}

/* Every line is in one of the parts, or comes behind the end. */
static void a_log_can_be_read_from_its_end_and_in_parts(void **state)
{
	static const char text[] = "one\n\ntwo\nthree three three\n\n\nx\n";
	struct place *place = *state;
	char history[200], got[200];

	for (size_t cut = 0; cut < sizeof text; cut++) {
		unlink(place->path);
		add_bytes(place, "x.log", text, cut);
		assert_int_equal(logtail_open_end(&place->tail, &place->err), 0);
		add_bytes(place, "x.log", text + cut, sizeof text - 1 - cut);
		history[0] = '\0';
		add_part(place, 0, place->tail.now.at, history);
		for (off_t middle = 0; middle <= place->tail.now.at; middle++) {
			got[0] = '\0';
			add_part(place, 0, middle, got);
			add_part(place, middle, place->tail.now.at, got);
			assert_string_equal(got, history);
		}
		strcat(history, lines(place));
		assert_string_equal(history, "one  two three three three   x ");
	}
}

static void the_end_of_a_line_without_one_is_skipped(void **state)
{
	struct place *place = *state;

	add(place, "a\n");
	fill_log(place, 'x', 3 << 20);
	assert_int_equal(logtail_open_end(&place->tail, &place->err), 0);
	add(place, "xxx\nb\n");
	assert_string_equal(lines(place), "b ");
	assert_true(place->tail.bytes < 10000);
}

/* --- anything in any order --- */

/* Who writes, rotates and looks, in an order that a seed says. */
struct world_of_logs {
	struct place *place;
	unsigned int seed;
	int writer;        /* has the log open, perhaps what was the log */
	int written;       /* lines 0 to that */
	int copies, moves; /* since the last look */
	bool seen[5000];   /* lines that were read */
};

static int below(struct world_of_logs *world, int n)
{
	return (int)((unsigned int)rand_r(&world->seed) / 7 % (unsigned int)n);
}

static void reopen(struct world_of_logs *world)
{
	if (world->writer >= 0)
		close(world->writer);
	world->writer = open(world->place->path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0644);
	assert_true(world->writer >= 0);
}

static void read_numbers(struct world_of_logs *world)
{
	struct logtail *tail = &world->place->tail;
	char *line;
	size_t len;
	int result, n;

	while ((result = logtail_next(tail, &line, &len, &world->place->err)) > 0) {
		n = atoi(line);
		assert_true(n >= 0 && n < world->written + 1);
		if (world->seen[n])
			fail_msg("line %d was read twice", n);
		world->seen[n] = true;
	}
	assert_int_equal(result, 0);
	world->copies = world->moves = 0;
}

/* Lines, in one or two writes each; the reader may look in between. */
static void write_numbers(struct world_of_logs *world, int n)
{
	char line[200];
	int len, cut;

	while (n-- > 0) {
		len = snprintf(
			line, sizeof line, "%06d %0*d\n", world->written, 1 + below(world, 150), 0);
		cut = below(world, 4) ? 0 : below(world, len);
		assert_int_equal(write(world->writer, line, (size_t)cut), cut);
		if (!below(world, 10))
			read_numbers(world);
		assert_int_equal(write(world->writer, line + cut, (size_t)(len - cut)), len - cut);
		world->written++;
	}
}

static void shift_names(const struct place *place)
{
	char name[20];

	for (int i = 30; i-- > 1;) {
		snprintf(name, sizeof name, "x.log.%d", i);
		if (access(in(place, name), F_OK) == 0) {
			char next[20];

			snprintf(next, sizeof next, "x.log.%d", i + 1);
			rename(in(place, name), in(place, next));
		}
	}
}

/* The writer notices a move at once, or later, as ours do. */
static void rotate_away(struct world_of_logs *world)
{
	shift_names(world->place);
	move_away(world->place);
	if (below(world, 2))
		add(world->place, "");
	if (below(world, 2))
		write_numbers(world, below(world, 4));
	reopen(world);
}

static void rotate_by_copy(struct world_of_logs *world)
{
	static char data[1 << 20];
	const struct place *place = world->place;
	int fd = open(place->path, O_RDONLY | O_CLOEXEC);
	ssize_t n = read(fd, data, sizeof data);

	assert_true(n >= 0 && n < (ssize_t)sizeof data);
	close(fd);
	shift_names(place);
	add_bytes(place, "x.log.1", data, (size_t)n);
	assert_int_equal(truncate(place->path, 0), 0);
	world->copies++;
}

/*
 * Of two copies between two looks the first is found only; and of a log of which not even a
 * line's number was seen there is nothing to know a copy by, or a truncation.
 */
static bool may_copy(const struct world_of_logs *world)
{
	const struct logtail_file *now = &world->place->tail.now;
	struct stat st;

	return world->copies == 0 && stat(world->place->path, &st) == 0 &&
	       (now->ino != st.st_ino || now->last_len > 8);
}

static void live(struct world_of_logs *world)
{
	switch (below(world, 6)) {
	case 0:
		if (world->moves++ < 6)
			rotate_away(world);
		break;
	case 1:
		if (may_copy(world))
			rotate_by_copy(world);
		break;
	case 2:
	case 3: read_numbers(world); break;
	default: write_numbers(world, below(world, 20)); break;
	}
	world->place->time.mono += below(world, 3) * NS_PER_S;
}

static void nothing_is_lost_or_read_twice_in_any_order(void **state)
{
	struct place *place = *state;

	for (unsigned int seed = 1; seed <= 60; seed++) {
		struct world_of_logs world = {.place = place, .seed = seed * 7919, .writer = -1};

		reopen(&world);
		start(place);
		for (int i = 0; i < 100; i++)
			live(&world);
		read_numbers(&world);
		close(world.writer);
		for (int i = 0; i < world.written; i++)
			if (!world.seen[i])
				fail_msg("seed %u: line %d of %d was lost", seed, i, world.written);
		assert_int_equal(place->tail.torn, 0);
		remove_tree(place->folder);
		assert_int_equal(mkdir(place->folder, 0755), 0);
	}
}

/* --- hostile lines --- */

static void a_line_that_is_too_long_is_counted_and_skipped(void **state)
{
	struct place *place = *state;

	add(place, "a\n");
	fill_log(place, 'x', LOGTAIL_LINE_MAX + 1);
	add(place, "\nb\n");
	fill_log(place, 'x', 3 << 20);
	start(place);
	assert_string_equal(lines(place), "a b ");
	assert_int_equal(place->tail.too_long, 2);
	fill_log(place, 'x', 1 << 20);
	assert_string_equal(lines(place), "");
	add(place, "\nc\n");
	assert_string_equal(lines(place), "c ");
	assert_int_equal(place->tail.too_long, 2);
	assert_int_equal(place->tail.torn, 0);
}

static void the_longest_line_is_handed_out(void **state)
{
	struct place *place = *state;
	char *line;
	size_t len;

	fill_log(place, 'x', LOGTAIL_LINE_MAX);
	add(place, "\na\n");
	start(place);
	assert_int_equal(logtail_next(&place->tail, &line, &len, &place->err), 1);
	assert_int_equal(len, LOGTAIL_LINE_MAX);
	assert_string_equal(lines(place), "a ");
	assert_int_equal(place->tail.too_long, 0);
}

static void nul_bytes_are_handed_out(void **state)
{
	struct place *place = *state;
	char *line;
	size_t len;

	add_bytes(place, "x.log", "a\0b\n\0\n", 6);
	start(place);
	assert_int_equal(logtail_next(&place->tail, &line, &len, &place->err), 1);
	assert_int_equal(len, 3);
	assert_memory_equal(line, "a\0b", 4);
	assert_int_equal(logtail_next(&place->tail, &line, &len, &place->err), 1);
	assert_int_equal(len, 1);
	assert_int_equal(logtail_next(&place->tail, &line, &len, &place->err), 0);
}

static void a_last_line_without_an_end_can_be_had(void **state)
{
	struct place *place = *state;
	char *line;
	size_t len;

	add(place, "a\nlast");
	start(place);
	assert_string_equal(lines(place), "a ");
	assert_int_equal(logtail_rest(&place->tail, &line, &len), 1);
	assert_string_equal(line, "last");
	assert_int_equal(logtail_rest(&place->tail, &line, &len), 0);
}

/* All bytes of a file at every possible border of two looks. */
static void a_look_may_end_anywhere(void **state)
{
	static const char text[] = "one\n\ntwo\nthree three three\n\n\nx\n";
	struct place *place = *state;

	for (size_t cut = 0; cut < sizeof text; cut++) {
		char got[200];

		unlink(place->path);
		add_bytes(place, "x.log", text, cut);
		start(place);
		snprintf(got, sizeof got, "%s", lines(place));
		add_bytes(place, "x.log", text + cut, sizeof text - 1 - cut);
		strncat(got, lines(place), sizeof got - strlen(got) - 1);
		assert_string_equal(got, "one  two three three three   x ");
	}
}

/* --- compressed --- */

static void open_other(struct place *place, const char *name)
{
	logtail_release(&place->tail);
	assert_int_equal(logtail_init(&place->tail, in(place, name)), 0);
	start(place);
}

static void a_compressed_log_is_read(void **state)
{
	struct place *place = *state;

	write_gz(place, "x.log.2.gz", "a\nb\nc\n");
	open_other(place, "x.log.2.gz");
	assert_string_equal(lines(place), "a b c ");
	assert_string_equal(lines(place), "");
}

static void a_damaged_compressed_log_is_torn(void **state)
{
	struct place *place = *state;
	struct stat st;

	write_gz(place, "x.log.2.gz", "a\nb\nc\n");
	assert_int_equal(stat(in(place, "x.log.2.gz"), &st), 0);
	assert_int_equal(truncate(in(place, "x.log.2.gz"), st.st_size - 8), 0);
	open_other(place, "x.log.2.gz");
	lines(place);
	assert_int_equal(place->tail.torn, 1);
	assert_string_equal(lines(place), "");
	assert_int_equal(place->tail.torn, 1);
}

/* --- the search by time --- */

/* "t=SECONDS …" */
static int64_t time_of(const char *line, size_t len)
{
	char text[32];

	if (len < 3 || memcmp(line, "t=", 2) != 0)
		return INT64_MIN;
	snprintf(text, sizeof text, "%.*s", (int)(len < 20 ? len : 20), line + 2);
	return strtoll(text, NULL, 10) * NS_PER_S;
}

/* A line a second from `from` on, of 100 bytes each. */
static void add_seconds(const struct place *place, int from, int to)
{
	FILE *file = fopen(place->path, "a");

	assert_non_null(file);
	for (int i = from; i < to; i++)
		fprintf(file, "t=%010d %086d\n", i, i);
	assert_int_equal(fclose(file), 0);
}

/* Opens at a time: the first line that is found, and how many there are up to the end. */
static int64_t first_since(struct place *place, int64_t since, int *n)
{
	int64_t first = -1;
	char *line;
	size_t len;

	place->tail.bytes = 0;
	assert_int_equal(logtail_open(&place->tail, since * NS_PER_S, time_of, &place->err), 0);
	*n = 0;
	while (logtail_next(&place->tail, &line, &len, &place->err) > 0) {
		if (!(*n)++)
			first = time_of(line, len) / NS_PER_S;
	}
	return first;
}

static void the_search_begins_a_little_early_and_never_late(void **state)
{
	struct place *place = *state;
	int n, all = 100000;

	add_seconds(place, 1000, 1000 + all);
	for (int since = 1; since < 1000 + all + 5000; since += 3701) {
		int64_t first = first_since(place, since, &n);
		int wanted = since < 1000 ? 1000 : since;

		assert_true(first <= wanted);
		assert_true(first >= wanted - 2500 || since > 1000 + all);
		assert_int_equal(n, 1000 + all - first);
	}
	first_since(place, 1000 + all + 5000, &n);
	assert_true(place->tail.bytes < 600000);
}

static void the_end_that_is_searched_for_is_a_little_late_and_never_early(void **state)
{
	struct place *place = *state;
	int all = 100000;
	struct stat st;

	add_seconds(place, 1000, 1000 + all);
	assert_int_equal(stat(place->path, &st), 0);
	start(place);
	for (int until = 1; until < 1000 + all + 5000; until += 3701) {
		uint64_t bytes = 0;
		off_t end = logtail_seek_end(
			place->tail.now.fd, st.st_size, until * NS_PER_S, time_of, &bytes);
		int wanted = until < 1000 ? 0 : until - 1000;

		wanted = wanted > all ? all : wanted;
		assert_true(end >= wanted * (off_t)100);
		assert_true(end <= (wanted + 2500) * (off_t)100);
		assert_true(bytes < 400000);
	}
}

/* Lines come to the file a little after they were made, one more than the other. */
static void what_is_a_little_out_of_order_is_found(void **state)
{
	struct place *place = *state;
	FILE *file = fopen(place->path, "w");
	int n, all = 60000;

	for (int i = 0; i < all; i++)
		fprintf(file, "t=%010d %086d\n", 1000 + i - i % 100 + (99 - i % 100), i);
	assert_int_equal(fclose(file), 0);
	for (int since = 1000; since < 1000 + all; since += 499) {
		char *line;
		size_t len;

		n = 0;
		assert_int_equal(
			logtail_open(&place->tail, since * NS_PER_S, time_of, &place->err), 0);
		while (logtail_next(&place->tail, &line, &len, &place->err) > 0)
			n += time_of(line, len) >= since * NS_PER_S;
		assert_true(n >= all + 1000 - since);
	}
}

static void lines_without_a_time_and_single_wrong_ones_do_not_mislead_the_search(void **state)
{
	struct place *place = *state;
	int n;

	for (int block = 0; block < 40; block++) {
		add_seconds(place, 1000 + block * 1000, 2000 + block * 1000);
		fill_log(place, 'x', 30000);
		add(place, "\nt=5 from long ago\nno time\n");
	}
	for (int since = 1000; since < 41000; since += 777) {
		int64_t first = first_since(place, since, &n);

		assert_true(first <= since);
	}
}

/* A log of 10 GB that takes no room: a hole, or lines with holes between them. */
static void a_log_of_ten_gigabytes_is_searched_in_a_few_reads(void **state)
{
	struct place *place = *state;
	off_t huge = (off_t)10 << 30;
	struct timespec a, b;
	int n;

	add_seconds(place, 1000, 3000);
	assert_int_equal(truncate(place->path, huge / 2), 0);
	add(place, "\n");
	add_seconds(place, 5000, 8000);
	assert_int_equal(truncate(place->path, huge), 0);
	add(place, "\n");
	add_seconds(place, 10000, 20000);
	clock_gettime(CLOCK_MONOTONIC, &a);
	assert_true(first_since(place, 19000, &n) <= 19000);
	clock_gettime(CLOCK_MONOTONIC, &b);
	print_message("# 10 GB: %.1f ms, %" PRIu64 " bytes read\n",
		(double)(b.tv_sec - a.tv_sec) * 1e3 + (double)(b.tv_nsec - a.tv_nsec) / 1e6,
		place->tail.bytes);
	assert_true(n >= 1000 && n < 4000);
	assert_true(place->tail.bytes < 1 << 20);
	assert_true(first_since(place, 6000, &n) <= 6000);
	assert_true(n >= 12000 && n < 14000);
	assert_true(place->tail.bytes < 4 << 20);
	assert_true(first_since(place, 10, &n) <= 1000);
	assert_true(place->tail.bytes < 4 << 20);
}

/* Only zeros, and lines that were appended. */
static void a_hole_of_ten_gigabytes_in_front_is_skipped(void **state)
{
	struct place *place = *state;
	int n;

	add(place, "");
	assert_int_equal(truncate(place->path, (off_t)10 << 30), 0);
	add_seconds(place, 1000, 2000);
	first_since(place, 1900, &n);
	assert_true(n >= 100);
	assert_true(place->tail.bytes < 4 << 20);
	first_since(place, 0, &n);
	assert_int_equal(n, 999); /* the first is the end of ten gigabytes of NUL bytes */
	assert_int_equal(place->tail.too_long, 1);
	assert_true(place->tail.bytes < 4 << 20);
}

/* --- which files --- */

static void touch(const struct place *place, const char *name)
{
	add_bytes(place, name, "x\n", 2);
}

static void found(const struct place *place, const char *pattern, bool rotated, const char *wanted)
{
	char **files = logtail_files(in(place, pattern), rotated), text[2048] = "";

	assert_non_null(files);
	for (size_t i = 0; files[i]; i++) {
		strncat(text, files[i] + strlen(place->folder) + 1, 200);
		strcat(text, " ");
	}
	logtail_files_free(files);
	assert_string_equal(text, wanted);
}

static void the_rotated_ones_come_oldest_first(void **state)
{
	struct place *place = *state;
	static const char *const names[] = {"x.log", "x.log.1", "x.log.2.gz", "x.log.10.gz",
		"x.log-20261123", "x.log-20251231.gz", "x.log-20261123-1763866361", "x.logs",
		"x.log.bak", "x.log.1~", "x.log.swp", "y.log.1", "x.log.", "x.log-", "x.log.3.xz",
		"x.log-2025112303.backup", "x.log.backup"};

	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		touch(place, names[i]);
	assert_int_equal(mkdir(in(place, "x.log.4"), 0755), 0);
	assert_int_equal(mkfifo(in(place, "x.log.5"), 0644), 0);
	found(place, "x.log", false, "x.log ");
	found(place, "x.log", true,
		"x.log-20251231.gz x.log-20261123 x.log-20261123-1763866361 x.log.10.gz "
		"x.log.2.gz x.log.1 x.log-2025112303.backup x.log ");
	assert_int_equal(unlink(in(place, "x.log")), 0);
	found(place, "x.log", false, "");
	found(place, "x.log", true,
		"x.log-20251231.gz x.log-20261123 x.log-20261123-1763866361 x.log.10.gz "
		"x.log.2.gz x.log.1 x.log-2025112303.backup ");
}

static void one_that_is_being_compressed_counts_once(void **state)
{
	struct place *place = *state;

	touch(place, "x.log");
	touch(place, "x.log.1");
	touch(place, "x.log.1.gz");
	found(place, "x.log", true, "x.log.1 x.log ");
}

static void a_number_may_stand_in_front_of_the_extension(void **state)
{
	struct place *place = *state;

	touch(place, "x.log");
	touch(place, "x.1.log");
	touch(place, "x-20261123.log.gz");
	touch(place, "x-2.log");
	found(place, "x.log", true, "x-20261123.log.gz x.1.log x.log ");
	found(place, "*.log", false, "x-2.log x.log ");
}

static void a_pattern_finds_logs_and_each_file_once(void **state)
{
	struct place *place = *state;

	touch(place, "a.log");
	touch(place, "a.log.1");
	touch(place, "b.log");
	assert_int_equal(symlink("a.log", in(place, "c.log")), 0);
	assert_int_equal(link(in(place, "b.log"), in(place, "d.log")), 0);
	assert_int_equal(mkdir(in(place, "folder.log"), 0755), 0);
	found(place, "*.log", false, "a.log b.log ");
	found(place, "*", false, "a.log b.log ");
	found(place, "*", true, "a.log.1 a.log b.log ");
	found(place, "a.log.1", false, "a.log.1 ");
	found(place, "none*", false, "");
	found(place, "folder.log", false, "folder.log ");
}

static void a_name_that_looks_like_a_pattern_is_a_name(void **state)
{
	struct place *place = *state;

	touch(place, "x[1].log");
	found(place, "x[1].log", false, "x[1].log ");
	touch(place, "x1.log");
	found(place, "x[1].log", false, "x[1].log x1.log ");
}

#define CASE(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(what_is_appended_is_read),
		CASE(half_a_line_waits_for_its_end),
		CASE(a_log_may_come_later),
		CASE(a_log_that_was_moved_is_read_to_its_end_first),
		CASE(who_still_has_the_moved_log_open_is_heard_for_some_seconds),
		CASE(half_a_line_of_a_moved_log_is_counted),
		CASE(two_rotations_in_a_row_lose_nothing_that_was_open),
		CASE(what_a_writer_made_in_between_is_read_too),
		CASE(files_that_were_the_log_in_between_are_read_too),
		CASE(what_was_copied_and_truncated_is_read_on_in_the_copy),
		CASE(another_file_is_not_taken_for_the_copy),
		CASE(a_log_that_was_opened_at_its_end_and_truncated_begins_again),
		CASE(a_truncated_log_begins_again),
		CASE(a_log_that_was_truncated_and_regrew_begins_again),
		CASE(lines_that_look_alike_are_told_from_each_other),
		CASE(a_deleted_log_is_kept_until_there_is_another),
		CASE(what_is_fixed_is_read_to_its_end_whatever_its_name_leads_to),
		CASE(what_is_fixed_ends_where_it_is_truncated),
		CASE(a_log_that_lost_its_name_is_closed_when_it_is_quiet),
		CASE(a_log_can_be_read_from_its_end_and_in_parts),
		CASE(the_end_of_a_line_without_one_is_skipped),
		CASE(nothing_is_lost_or_read_twice_in_any_order),
		CASE(a_link_is_followed),
		CASE(what_is_no_file_is_refused_and_does_not_block),
		CASE(a_fifo_in_the_place_of_the_log_is_said_and_the_log_read_on),
		CASE(a_line_that_is_too_long_is_counted_and_skipped),
		CASE(the_longest_line_is_handed_out),
		CASE(nul_bytes_are_handed_out),
		CASE(a_last_line_without_an_end_can_be_had),
		CASE(a_look_may_end_anywhere),
		CASE(a_compressed_log_is_read),
		CASE(a_damaged_compressed_log_is_torn),
		CASE(the_search_begins_a_little_early_and_never_late),
		CASE(the_end_that_is_searched_for_is_a_little_late_and_never_early),
		CASE(what_is_a_little_out_of_order_is_found),
		CASE(lines_without_a_time_and_single_wrong_ones_do_not_mislead_the_search),
		CASE(a_log_of_ten_gigabytes_is_searched_in_a_few_reads),
		CASE(a_hole_of_ten_gigabytes_in_front_is_skipped),
		CASE(the_rotated_ones_come_oldest_first),
		CASE(one_that_is_being_compressed_counts_once),
		CASE(a_number_may_stand_in_front_of_the_extension),
		CASE(a_pattern_finds_logs_and_each_file_once),
		CASE(a_name_that_looks_like_a_pattern_is_a_name),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

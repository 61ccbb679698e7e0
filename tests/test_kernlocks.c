#include "config.h"

#include "made_world.h"

#include <sched.h>
#include <signal.h>
#include <spawn.h>
#include <sys/file.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>

#include "base/buf.h"
#include "system/kernlocks.h"
#include "system/kernlocks_walk.h"

/* -- lines -- */

static int parse(const char *line, struct kernlock *lock)
{
	return kernlock_parse(lock, line, strlen(line));
}

static void a_line_of_each_kind_is_read(void **state)
{
	static const struct {
		const char *line;
		enum lock_kind kind;
		bool is_write;
		int32_t pid;
	} cases[] = {
		{"1: FLOCK  ADVISORY  WRITE 4711 fe:00:1234 0 EOF", LOCK_FLOCK, true, 4711},
		{"1: FLOCK  ADVISORY  READ  4711 fe:00:1234 0 EOF", LOCK_FLOCK, false, 4711},
		{"1: FLOCK  MSNFS     RW    4711 fe:00:1234 0 EOF", LOCK_FLOCK, true, 4711},
		{"1: POSIX  ADVISORY  READ 4711 fe:00:1234 0 EOF", LOCK_POSIX, false, 4711},
		{"1: POSIX  MANDATORY WRITE 4711 fe:00:1234 0 EOF", LOCK_POSIX, true, 4711},
		{"1: OFDLCK ADVISORY  WRITE -1 fe:00:1234 0 EOF", LOCK_OFD, true, -1},
		{"1: LEASE  ACTIVE    READ 4711 fe:00:1234 0 EOF", LOCK_LEASE, false, 4711},
		{"1: LEASE  BREAKING  UNLCK 4711 fe:00:1234 0 EOF", LOCK_LEASE, false, 4711},
		{"1: DELEG  ACTIVE    READ 4711 fe:00:1234 0 EOF", LOCK_LEASE, false, 4711},
		{"1: POSIX  ADVISORY  WRITE -4711 fe:00:1234 0 EOF", LOCK_POSIX, true, -4711},
		{"1: FLOCK  ADVISORY  WRITE 0 fe:00:1234 0 EOF", LOCK_FLOCK, true, 0},
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct kernlock lock;

		assert_int_equal(parse(cases[i].line, &lock), 0);
		assert_int_equal(lock.id, 1);
		assert_int_equal(lock.kind, cases[i].kind);
		assert_int_equal(lock.is_write, cases[i].is_write);
		assert_int_equal(lock.pid, cases[i].pid);
		assert_int_equal(lock.major, 0xfe);
		assert_int_equal(lock.minor, 0);
		assert_int_equal(lock.ino, 1234);
		assert_int_equal(lock.from, 0);
		assert_int_equal(lock.to, INT64_MAX);
		assert_int_equal(lock.st_dev, makedev(0xfe, 0));
		assert_int_equal(lock.st_ino, 1234);
		assert_false(lock.is_waiter || lock.is_placed);
		assert_int_equal(lock.depth, 0);
	}
}

static void a_waiter_is_told_by_its_arrow(void **state)
{
	struct kernlock lock;

	(void)state;
	assert_int_equal(parse("7: -> FLOCK  ADVISORY  WRITE 1 fe:00:9 0 EOF", &lock), 0);
	assert_true(lock.is_waiter);
	assert_int_equal(lock.id, 7);
	assert_int_equal(lock.depth, 1);
	assert_int_equal(parse("7:   -> POSIX  ADVISORY  READ 1 fe:00:9 3 3", &lock), 0);
	assert_true(lock.is_waiter);
	assert_int_equal(lock.depth, 3);
	assert_int_equal(lock.from, 3);
	assert_int_equal(lock.to, 3);
}

static void numbers_may_be_as_large_as_the_kernels(void **state)
{
	struct kernlock lock;

	(void)state;
	assert_int_equal(parse("18446744073709551615: POSIX ADVISORY WRITE 2147483647 "
			       "fff:fffff:18446744073709551615 9223372036854775806 EOF",
				 &lock),
		0);
	assert_true(lock.id == UINT64_MAX && lock.ino == UINT64_MAX);
	assert_int_equal(lock.major, 0xfff);
	assert_int_equal(lock.minor, 0xfffff);
	assert_true(lock.from == INT64_MAX - 1 && lock.to == INT64_MAX);
}

static void a_lock_may_have_no_inode(void **state)
{
	struct kernlock lock;

	(void)state;
	assert_int_equal(parse("1: POSIX  *NOINODE* WRITE 4711 <none>:0 0 EOF", &lock), 0);
	assert_int_equal(lock.ino, 0);
	assert_int_equal(lock.st_dev, 0);
}

static void a_strange_line_is_refused(void **state)
{
	static const char *const lines[] = {
		"",
		"1:",
		"x: FLOCK  ADVISORY  WRITE 1 fe:00:9 0 EOF",
		"1 FLOCK  ADVISORY  WRITE 1 fe:00:9 0 EOF",
		"1: ACCESS ADVISORY  WRITE 1 fe:00:9 0 EOF",
		"1: FLOCKS ADVISORY  WRITE 1 fe:00:9 0 EOF",
		"1: FLOCK  ADVISORY  1 fe:00:9 0 EOF",
		"1: FLOCK  ADVISORY  WRITE fe:00:9 0 EOF",
		"1: FLOCK  ADVISORY  WRITE 1 fe:00 0 EOF",
		"1: FLOCK  ADVISORY  WRITE 1 fe:00:9",
		"1: FLOCK  ADVISORY  WRITE 1 fe:00:9 0",
		"1: FLOCK  ADVISORY  WRITE 1 fe:00:9 0 EO",
		"1: FLOCK  ADVISORY  WRITE 1 fe:00:9 0 EOF x",
		"1: FLOCK  ADVISORY  WRITE 2147483648 fe:00:9 0 EOF",
		"1: FLOCK  ADVISORY  WRITE - fe:00:9 0 EOF",
		"1: FLOCK  ADVISORY  WRITE 1a fe:00:9 0 EOF",
		"1: FLOCK  ADVISORY  WRITE 1 xe:00:9 0 EOF",
		"1: FLOCK  ADVISORY  WRITE 1 fe:00:-9 0 EOF",
		"1: FLOCK  ADVISORY  WRITE 1 fe:00:9 -1 EOF",
		"1: FLOCK  ADVISORY  WRITE 1 fe:00:9 0 99999999999999999999",
		"99999999999999999999: FLOCK  ADVISORY  WRITE 1 fe:00:9 0 EOF",
		"1: - > FLOCK  ADVISORY  WRITE 1 fe:00:9 0 EOF",
	};

	(void)state;
	for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
		struct kernlock lock = {.pid = -7};

		if (parse(lines[i], &lock) != -EINVAL)
			fail_msg("taken: %s", lines[i]);
		assert_int_equal(lock.pid, -7);
	}
}

static void every_cut_of_a_line_is_safe(void **state)
{
	static const char line[] = "12:  -> POSIX  ADVISORY  WRITE -4711 fe:0a:1234 10 EOF";

	(void)state;
	for (size_t n = 0; n < sizeof line; n++) {
		char *copy = malloc(n + !n);
		struct kernlock lock;

		assert_non_null(copy);
		memcpy(copy, line, n);
		kernlock_parse(&lock, copy, n);
		free(copy);
	}
}

/* -- recorded and made-up tables -- */

struct table {
	struct made_world made;
	struct here here;
	struct kernlocks locks;
};

static void read_table(struct table *table, bool with_holders)
{
	struct error err = {0};

	kernlocks_release(&table->locks);
	assert_int_equal(proc_here(&table->made.world, &table->here, &err), 0);
	if (kernlocks_read(&table->made.world, &table->here, with_holders, &table->locks, &err) < 0)
		fail_msg("%s", err.text);
}

static void open_table(struct table *table, const char *name, bool with_holders)
{
	*table = (struct table){0};
	open_case(&table->made, name);
	read_table(table, with_holders);
}

static void make_table(struct table *table)
{
	*table = (struct table){0};
	make_world(&table->made);
	put_link(&table->made, "self/ns/pid", "pid:[4026531836]");
}

static void close_table(struct table *table)
{
	kernlocks_release(&table->locks);
	world_close(&table->made.world);
}

static void unmake_table(struct table *table)
{
	kernlocks_release(&table->locks);
	unmake_world(&table->made);
}

/* A living process with a descriptor; text is its fdinfo, NULL: none is open. */
static void put_process(const struct table *table, int pid, int fd, const char *text)
{
	char path[64], line[256];

	snprintf(path, sizeof path, "%d/stat", pid);
	snprintf(line, sizeof line, "%d (job) S 1 1 1 0 -1 0 0 0 0 0 0 0 0 0 20 0 1 0 %d 0 0", pid,
		1000 + pid);
	put(&table->made, path, line);
	if (!text)
		return;
	snprintf(path, sizeof path, "%d/fd/%d", pid, fd);
	put(&table->made, path, "");
	snprintf(path, sizeof path, "%d/fdinfo/%d", pid, fd);
	put(&table->made, path, text);
}

static struct lock *attached(const struct table *table, enum lock_kind kind, uint64_t ino)
{
	struct lock *lock = lock_new("test");

	assert_non_null(lock);
	lock->kind = kind;
	lock->dev = makedev(0xfe, 0);
	lock->ino = ino;
	lock->to = INT64_MAX;
	assert_int_equal(
		kernlocks_attach(&table->made.world, &table->here, &table->locks, lock), 0);
	return lock;
}

/* Inodes of the recorded case. */
enum { GENERATION = 10780675, BACKUP, SHARED, RANGES, OFD, ZERO, STOPPED, LEASE };

static void a_recorded_table_is_read(void **state)
{
	struct table table;

	(void)state;
	open_table(&table, "flocks", true);
	assert_int_equal(table.locks.n, 13);
	assert_int_equal(table.locks.holders, 10);
	assert_int_equal(table.locks.bad, 0);
	assert_false(table.locks.is_partial || table.locks.in_pieces || table.locks.has_strays);
	assert_true(table.locks.saw_all_fds);
	for (size_t i = 1; i < table.locks.holders; i++)
		assert_true(table.locks.holder[i - 1].lock <= table.locks.holder[i].lock);
	close_table(&table);
}

static void waiters_stand_in_the_order_of_the_queue(void **state)
{
	struct table table;
	struct lock *lock;

	(void)state;
	open_table(&table, "flocks", true);
	lock = attached(&table, LOCK_FILE, GENERATION);
	assert_int_equal(lock->kernel, KERNEL_VIEW_COMPLETE);
	assert_int_equal(lock->mode, LOCK_MODE_WRITE);
	assert_int_equal(lock->holders, 1);
	assert_int_equal(lock->holder[0].pid, 28912);
	assert_int_equal(lock->holder[0].life, LIFE_ALIVE);
	assert_true(lock->holder[0].from_kernel);
	assert_string_equal(lock->holder[0].command, "python3 holders.py");
	assert_int_equal(lock->waiters, 2);
	assert_int_equal(lock->waiter[0].pid, 28913);
	assert_int_equal(lock->waiter[1].pid, 28914);
	assert_int_equal(lock->flags, LOCK_FLAG(CONTENDED));
	lock_unref(lock);
	close_table(&table);
}

static void who_inherited_has_it_when_the_taker_is_dead(void **state)
{
	struct table table;
	struct lock *lock;

	(void)state;
	open_table(&table, "flocks", true);
	lock = attached(&table, LOCK_FILE, BACKUP);
	/* The table says 28915, who is gone. */
	assert_int_equal(lock->holders, 1);
	assert_int_equal(lock->holder[0].pid, 28916);
	assert_true(lock->holder[0].is_inherited);
	assert_int_equal(lock->flags, LOCK_FLAG(INHERITED));
	lock_unref(lock);
	close_table(&table);
}

static void without_descriptors_a_dead_taker_names_nobody(void **state)
{
	struct table table;
	struct lock *lock;

	(void)state;
	open_table(&table, "flocks", false);
	assert_int_equal(table.locks.holders, 0);
	assert_false(table.locks.saw_all_fds);
	lock = attached(&table, LOCK_FILE, BACKUP);
	assert_int_equal(lock->holders, 1);
	assert_int_equal(lock->holder[0].pid, 0);
	assert_int_equal(lock->holder[0].life, LIFE_UNKNOWN);
	assert_true(lock->holder[0].from_kernel);
	lock_unref(lock);

	lock = attached(&table, LOCK_FILE, GENERATION);
	assert_int_equal(lock->holders, 1);
	assert_int_equal(lock->holder[0].pid, 28912);
	assert_int_equal(lock->waiters, 2);
	lock_unref(lock);

	lock = attached(&table, LOCK_FILE, OFD);
	assert_int_equal(lock->holders, 1);
	assert_int_equal(lock->holder[0].pid, 0);
	lock_unref(lock);
	close_table(&table);
}

static void shared_locks_have_all_their_holders(void **state)
{
	struct table table;
	struct lock *lock;

	(void)state;
	open_table(&table, "flocks", true);
	lock = attached(&table, LOCK_FILE, SHARED);
	assert_int_equal(lock->mode, LOCK_MODE_READ);
	assert_int_equal(lock->holders, 2);
	assert_int_equal(lock->holder[0].pid + lock->holder[1].pid, 28917 + 28918);
	assert_int_equal(lock->flags, 0);
	lock_unref(lock);
	close_table(&table);
}

static void each_kind_of_lock_is_attached(void **state)
{
	static const struct {
		enum lock_kind kind;
		uint64_t ino;
		int32_t pid;
	} cases[] = {{LOCK_POSIX, RANGES, 28919}, {LOCK_OFD, OFD, 28921}, {LOCK_FLOCK, ZERO, 28922},
		{LOCK_FLOCK, STOPPED, 28923}, {LOCK_LEASE, LEASE, 28924}};
	struct table table;

	(void)state;
	open_table(&table, "flocks", true);
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct lock *lock;

		/* A lease keeps nobody from a lock file. */
		lock = attached(&table, LOCK_FILE, cases[i].ino);
		assert_int_equal(lock->holders, cases[i].kind != LOCK_LEASE);
		assert_int_equal(lock->kernel, KERNEL_VIEW_COMPLETE);
		lock_unref(lock);

		lock = lock_new("one kind");
		assert_non_null(lock);
		lock->kind = cases[i].kind;
		lock->dev = makedev(0xfe, 0);
		lock->ino = cases[i].ino;
		lock->from = cases[i].kind == LOCK_POSIX ? 100 : 0;
		lock->to = cases[i].kind == LOCK_POSIX ? 104 : INT64_MAX;
		assert_int_equal(
			kernlocks_attach(&table.made.world, &table.here, &table.locks, lock), 0);
		assert_int_equal(lock->holders, 1);
		assert_int_equal(lock->holder[0].pid, cases[i].pid);
		assert_int_equal(lock->waiters, 0);
		lock_unref(lock);
	}
	close_table(&table);
}

static void a_byte_range_has_its_own_waiters(void **state)
{
	struct table table;
	struct lock *lock;

	(void)state;
	open_table(&table, "flocks", true);
	lock = attached(&table, LOCK_FILE, RANGES);
	assert_int_equal(lock->holders, 1); /* one process, two ranges */
	assert_int_equal(lock->waiters, 1);
	lock_unref(lock);

	lock = lock_new("bytes 0 to 9");
	assert_non_null(lock);
	lock->kind = LOCK_POSIX;
	lock->dev = makedev(0xfe, 0);
	lock->ino = RANGES;
	lock->to = 9;
	assert_int_equal(kernlocks_attach(&table.made.world, &table.here, &table.locks, lock), 0);
	assert_int_equal(lock->holders, 1);
	assert_int_equal(lock->waiters, 1);
	assert_int_equal(lock->waiter[0].pid, 28920);
	lock_unref(lock);
	close_table(&table);
}

static void a_stopped_holder_is_flagged(void **state)
{
	struct table table;
	struct lock *lock;

	(void)state;
	open_table(&table, "flocks", true);
	lock = attached(&table, LOCK_FILE, STOPPED);
	assert_int_equal(lock->holder[0].life, LIFE_STOPPED);
	assert_int_equal(lock->flags, LOCK_FLAG(STOPPED));
	lock_unref(lock);
	close_table(&table);
}

static void an_inode_without_locks_has_nobody(void **state)
{
	struct table table;
	struct lock *lock;

	(void)state;
	open_table(&table, "flocks", true);
	lock = attached(&table, LOCK_FILE, 1);
	assert_int_equal(lock->kernel, KERNEL_VIEW_COMPLETE);
	assert_int_equal(lock->mode, LOCK_MODE_UNKNOWN);
	assert_int_equal(lock->holders + lock->waiters + lock->flags, 0);
	lock_unref(lock);
	close_table(&table);
}

static void the_device_is_compared_with_the_inode(void **state)
{
	struct table table;

	(void)state;
	open_table(&table, "flocks", true);
	assert_true(kernlocks_find(&table.locks, makedev(0xfe, 0), ZERO, 0) >= 0);
	assert_int_equal(kernlocks_find(&table.locks, makedev(0xfe, 1), ZERO, 0), -1);
	assert_int_equal(kernlocks_find(&table.locks, makedev(0xfd, 0), ZERO, 0), -1);
	close_table(&table);
}

static void all_lines_of_an_inode_are_found_in_order(void **state)
{
	struct table table;
	uint64_t dev = makedev(0xfe, 0);
	ssize_t at = -1, last = -1;
	int n = 0;

	(void)state;
	open_table(&table, "flocks", true);
	while ((at = kernlocks_find(&table.locks, dev, GENERATION, (size_t)(at + 1))) >= 0) {
		assert_true(at > last);
		assert_int_equal(table.locks.lock[at].ino, GENERATION);
		last = at;
		n++;
	}
	assert_int_equal(n, 3);
	close_table(&table);
}

static void the_path_of_a_descriptor_is_told(void **state)
{
	struct table table;
	char path[64];

	(void)state;
	open_table(&table, "flocks", true);
	for (size_t i = 0; i < table.locks.holders; i++)
		if (table.locks.holder[i].pid == 28922) {
			assert_int_equal(table.locks.holder[i].fd, 0);
			assert_true(kernlocks_path(&table.made.world, &table.locks.holder[i], path,
					    sizeof path) > 0);
			assert_string_equal(path, "/run/lock/rec/zero.lock");
			close_table(&table);
			return;
		}
	fail();
}

static void lines_that_are_not_understood_are_counted(void **state)
{
	struct table table;

	(void)state;
	make_table(&table);
	put(&table.made, "locks",
		"1: FLOCK  ADVISORY  WRITE 11 fe:00:9 0 EOF\n"
		"what is this\n\n"
		"2: FLOCK  ADVISORY  WRITE 12 fe:00:10 0 EOF");
	read_table(&table, true);
	assert_int_equal(table.locks.n, 2);
	assert_int_equal(table.locks.bad, 2);
	assert_int_equal(table.locks.lock[1].pid, 12);
	unmake_table(&table);
}

static void a_machine_without_locks_is_fine(void **state)
{
	struct table table;
	struct lock *lock;

	(void)state;
	make_table(&table);
	put(&table.made, "locks", "");
	read_table(&table, true);
	assert_int_equal(table.locks.n, 0);
	assert_int_equal(kernlocks_find(&table.locks, 1, 1, 0), -1);
	lock = attached(&table, LOCK_FILE, 1);
	assert_int_equal(lock->kernel, KERNEL_VIEW_COMPLETE);
	lock_unref(lock);
	unmake_table(&table);
}

static void a_missing_table_is_an_error(void **state)
{
	struct table table;
	struct error err = {0};

	(void)state;
	make_table(&table);
	assert_int_equal(
		kernlocks_read(&table.made.world, &table.here, true, &table.locks, &err), -ENOENT);
	assert_non_null(strstr(err.text, "/proc/locks"));
	unmake_table(&table);
}

static void another_pid_namespace_hides_locks(void **state)
{
	struct table table = {0};
	struct lock *lock;

	(void)state;
	make_world(&table.made);
	put_link(&table.made, "self/ns/pid", "pid:[4026532178]");
	put(&table.made, "locks", "");
	read_table(&table, true);
	assert_true(table.locks.is_partial);
	lock = attached(&table, LOCK_FILE, 9);
	assert_int_equal(lock->kernel, KERNEL_VIEW_PARTIAL);
	lock_unref(lock);
	unmake_table(&table);
}

static void locks_that_look_the_same_each_get_a_holder(void **state)
{
	static const char one[] = "lock:\t1: OFDLCK ADVISORY  READ -1 fe:00:9 0 EOF\n";
	struct table table;
	struct lock *lock;

	(void)state;
	make_table(&table);
	put(&table.made, "locks",
		"1: OFDLCK ADVISORY  READ -1 fe:00:9 0 EOF\n"
		"2: OFDLCK ADVISORY  READ -1 fe:00:9 0 EOF\n"
		"3: OFDLCK ADVISORY  READ -1 fe:00:9 0 EOF\n");
	put_process(&table, 11, 3, one);
	put_process(&table, 12, 3, one);
	put_process(&table, 13, 3, one);
	/* A child of one of them. */
	put_process(&table, 14, 3, one);
	read_table(&table, true);
	assert_int_equal(table.locks.holders, 4);
	for (size_t i = 0; i < table.locks.n; i++)
		assert_true(table.locks.lock[i].is_placed);
	lock = attached(&table, LOCK_FILE, 9);
	assert_int_equal(lock->holders, 4);
	assert_int_equal(lock->flags & LOCK_FLAG(INHERITED), 0);
	lock_unref(lock);
	unmake_table(&table);
}

static void a_duplicated_descriptor_is_one_holder(void **state)
{
	static const char one[] =
		"pos:\t0\nino:\t9\nlock:\t1: FLOCK  ADVISORY  WRITE 11 fe:00:9 0 EOF\n";
	struct table table;

	(void)state;
	make_table(&table);
	put(&table.made, "locks", "1: FLOCK  ADVISORY  WRITE 11 fe:00:9 0 EOF\n");
	put_process(&table, 11, 3, one);
	put_process(&table, 11, 10, one);
	put_process(&table, 11, 4, "pos:\t0\nino:\t10\n");
	read_table(&table, true);
	assert_int_equal(table.locks.holders, 1);
	unmake_table(&table);
}

static void the_taker_stands_before_who_inherited(void **state)
{
	static const char one[] = "lock:\t1: FLOCK  ADVISORY  WRITE 12 fe:00:9 0 EOF\n";
	struct table table;
	struct lock *lock;

	(void)state;
	make_table(&table);
	put(&table.made, "locks", "1: FLOCK  ADVISORY  WRITE 12 fe:00:9 0 EOF\n");
	put_process(&table, 11, 3, one);
	put_process(&table, 12, 3, one);
	put_process(&table, 13, 3, one);
	read_table(&table, true);
	lock = attached(&table, LOCK_FILE, 9);
	assert_int_equal(lock->holders, 3);
	assert_int_equal(lock->holder[0].pid, 12);
	assert_false(lock->holder[0].is_inherited);
	assert_int_equal(lock->holder[1].pid, 11);
	assert_int_equal(lock->holder[2].pid, 13);
	assert_true(lock->holder[1].is_inherited && lock->holder[2].is_inherited);
	lock_unref(lock);
	unmake_table(&table);
}

static void a_claimed_holder_is_joined_with_the_kernels(void **state)
{
	static const char one[] = "lock:\t1: FLOCK  ADVISORY  WRITE 12 fe:00:9 0 EOF\n";
	struct table table;
	struct lock *lock = lock_new("claimed");
	struct process *claimed;

	(void)state;
	assert_non_null(lock);
	make_table(&table);
	put(&table.made, "locks", "1: FLOCK  ADVISORY  WRITE 12 fe:00:9 0 EOF\n");
	put_process(&table, 12, 3, one);
	put_process(&table, 13, 3, one);
	read_table(&table, true);
	lock->dev = makedev(0xfe, 0);
	lock->ino = 9;
	for (int32_t pid = 11; pid <= 12; pid++) {
		claimed = lock_add_holder(lock);
		assert_non_null(claimed);
		claimed->pid = pid;
	}
	assert_int_equal(kernlocks_attach(&table.made.world, &table.here, &table.locks, lock), 0);
	assert_int_equal(lock->holders, 3);
	assert_int_equal(lock->holder[0].pid, 12);
	assert_int_equal(lock->holder[1].pid, 13);
	assert_int_equal(lock->holder[2].pid, 11);
	assert_true(lock->holder[0].from_kernel && lock->holder[1].from_kernel);
	assert_false(lock->holder[2].from_kernel);
	lock_unref(lock);
	unmake_table(&table);
}

static void a_crowd_is_cut(void **state)
{
	struct table table;
	struct buf text = {0};
	struct lock *lock;

	(void)state;
	make_table(&table);
	buf_adds(&text, "1: FLOCK  ADVISORY  WRITE 11 fe:00:9 0 EOF\n");
	for (int i = 0; i < 1000; i++)
		buf_addf(&text, "1: -> FLOCK  ADVISORY  WRITE %d fe:00:9 0 EOF\n", 100 + i);
	put(&table.made, "locks", buf_text(&text));
	buf_release(&text);
	put_process(&table, 11, 3, NULL);
	read_table(&table, true);
	assert_int_equal(table.locks.n, 1001);
	lock = attached(&table, LOCK_FILE, 9);
	assert_int_equal(lock->waiters, KERNLOCKS_PEOPLE);
	assert_int_equal(lock->waiter[0].pid, 100);
	lock_unref(lock);

	for (int pid = 11; pid < 100; pid++)
		put_process(&table, pid, 3, "lock:\t1: FLOCK  ADVISORY  WRITE 11 fe:00:9 0 EOF\n");
	read_table(&table, true);
	assert_int_equal(table.locks.holders, 89);
	lock = attached(&table, LOCK_FILE, 9);
	assert_int_equal(lock->holders, KERNLOCKS_PEOPLE);
	lock_unref(lock);
	unmake_table(&table);
}

static void numbers_of_a_device_without_a_disk_may_differ(void **state)
{
	static const char line[] = "1: FLOCK  ADVISORY  WRITE 11 00:2a:9 0 EOF\n";
	struct table table;
	struct lock *lock;

	(void)state;
	make_table(&table);
	put(&table.made, "locks", line);
	put_process(&table, 11, 3, NULL);
	put(&table.made, "self/mountinfo",
		"21 1 254:0 / / rw - ext4 /dev/vda rw\n"
		"22 21 0:42 / /data rw - btrfs /dev/vdb rw\n"
		"23 21 0:43 / /run rw - tmpfs tmpfs rw\n");
	read_table(&table, false);
	assert_true(table.locks.has_strays);
	assert_int_equal(table.locks.mounts, 3);

	/* A subvolume's own number, which stands in no mountinfo: that lock may be this file's. */
	lock = lock_new("on a subvolume");
	assert_non_null(lock);
	lock->dev = makedev(0, 0x2c);
	lock->ino = 9;
	assert_int_equal(kernlocks_attach(&table.made.world, &table.here, &table.locks, lock), 0);
	assert_int_equal(lock->holders, 0);
	assert_int_equal(lock->kernel, KERNEL_VIEW_PARTIAL);
	/* A tmpfs has the table's number, a disk too: nobody has them. */
	lock->dev = makedev(0, 43);
	assert_int_equal(kernlocks_attach(&table.made.world, &table.here, &table.locks, lock), 0);
	assert_int_equal(lock->kernel, KERNEL_VIEW_COMPLETE);
	lock->dev = makedev(0xfe, 0);
	assert_int_equal(kernlocks_attach(&table.made.world, &table.here, &table.locks, lock), 0);
	assert_int_equal(lock->kernel, KERNEL_VIEW_COMPLETE);
	lock_unref(lock);
	unmake_table(&table);
}

static void the_table_is_read_at_most_once_a_second(void **state)
{
	struct kernlocks_budget budget = {0};
	mono_t begin = 5 * NS_PER_S;

	(void)state;
	assert_true(kernlocks_may(&budget, begin));
	kernlocks_spent(&budget, begin, NS_PER_MS);
	assert_false(kernlocks_may(&budget, begin + NS_PER_S - 1));
	assert_true(kernlocks_may(&budget, begin + NS_PER_S));
	/* 50 ms are 1 % of 5 s. */
	kernlocks_spent(&budget, begin, 50 * NS_PER_MS);
	assert_false(kernlocks_may(&budget, begin + 5 * NS_PER_S - 1));
	assert_true(kernlocks_may(&budget, begin + 5 * NS_PER_S));
}

/* -- tables that came in pieces -- */

static void add_line(struct kernlocks *locks, const char *line)
{
	locks->lock = reallocarray(locks->lock, locks->n + 1, sizeof *locks->lock);
	assert_non_null(locks->lock);
	assert_int_equal(parse(line, &locks->lock[locks->n]), 0);
	locks->n++;
}

static void what_one_reading_lacks_another_has(void **state)
{
	struct kernlocks one = {0}, other = {0};

	(void)state;
	add_line(&one, "1: FLOCK  ADVISORY  WRITE 11 fe:00:9 0 EOF");
	add_line(&one, "1: -> FLOCK  ADVISORY  WRITE 21 fe:00:9 0 EOF");
	add_line(&one, "2: FLOCK  ADVISORY  WRITE 13 fe:00:11 0 EOF");
	/* 11's is behind where the second reading left off, a lock with a waiter is new. */
	add_line(&other, "1: FLOCK  ADVISORY  WRITE 12 fe:00:10 0 EOF");
	add_line(&other, "1: -> FLOCK  ADVISORY  WRITE 22 fe:00:10 0 EOF");
	add_line(&other, "2: FLOCK  ADVISORY  WRITE 13 fe:00:11 0 EOF");
	assert_int_equal(kernlocks_unite(&one, &other), 1);
	assert_int_equal(one.n, 5);
	assert_int_equal(one.lock[0].pid, 11);
	assert_int_equal(one.lock[3].pid, 12);
	assert_int_equal(one.lock[4].pid, 22);
	assert_true(one.lock[4].is_waiter);
	/* Its number is nobody else's, or 22 would wait for what 11 has. */
	assert_int_equal(one.lock[3].id, one.lock[4].id);
	assert_true(one.lock[3].id != one.lock[0].id && one.lock[3].id != one.lock[2].id);
	/* Nothing new a second time. */
	assert_int_equal(kernlocks_unite(&one, &other), 0);
	assert_int_equal(one.n, 5);
	kernlocks_release(&one);
	kernlocks_release(&other);
}

static void locks_that_look_the_same_are_counted_not_doubled(void **state)
{
	static const char same[] = "1: OFDLCK ADVISORY  READ -1 fe:00:9 0 EOF";
	struct kernlocks one = {0}, other = {0};

	(void)state;
	add_line(&one, same);
	add_line(&other, same);
	add_line(&other, same);
	assert_int_equal(kernlocks_unite(&one, &other), 1);
	assert_int_equal(one.n, 2);
	assert_int_equal(kernlocks_unite(&one, &other), 0);
	kernlocks_release(&one);
	kernlocks_release(&other);
}

/* -- real locks -- */

struct scene {
	char folder[256], path[300];
	struct world world;
	struct here here;
	struct kernlocks locks;
	struct stat stat;
	pid_t child[8];
	int children;
};

static int set_up(void **state)
{
	struct scene *scene = calloc(1, sizeof *scene);
	int fd;

	assert_non_null(scene);
	make_folder(scene->folder, sizeof scene->folder);
	snprintf(scene->path, sizeof scene->path, "%s/a.lock", scene->folder);
	fd = open(scene->path, O_RDWR | O_CREAT | O_CLOEXEC, 0644);
	assert_true(fd >= 0);
	assert_int_equal(fstat(fd, &scene->stat), 0);
	close(fd);
	open_real(&scene->world);
	assert_int_equal(proc_here(&scene->world, &scene->here, NULL), 0);
	*state = scene;
	return 0;
}

static int tear_down(void **state)
{
	struct scene *scene = *state;

	for (int i = 0; i < scene->children; i++) {
		kill(scene->child[i], SIGKILL);
		waitpid(scene->child[i], NULL, 0);
	}
	kernlocks_release(&scene->locks);
	world_close(&scene->world);
	remove_tree(scene->folder);
	free(scene);
	return 0;
}

typedef void child_fn(const struct scene *scene, int ready);

/* Starts a child; with_word: it has written a byte when this returns. */
static pid_t start(struct scene *scene, child_fn *fn, bool with_word)
{
	pid_t parent = getpid(), pid;
	int ready[2];
	char c;

	assert_int_equal(pipe2(ready, O_CLOEXEC), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (getppid() != parent)
			_exit(0);
		close(ready[0]);
		fn(scene, ready[1]);
		_exit(1);
	}
	scene->child[scene->children++] = pid;
	close(ready[1]);
	if (with_word)
		assert_int_equal(read(ready[0], &c, 1), 1);
	close(ready[0]);
	return pid;
}

static void say_and_pause(int ready)
{
	if (write(ready, "", 1) == 1)
		pause();
	_exit(1);
}

static void read_real(struct scene *scene)
{
	struct error err = {0};

	kernlocks_release(&scene->locks);
	if (kernlocks_read(&scene->world, &scene->here, true, &scene->locks, &err) < 0)
		fail_msg("%s", err.text);
}

static struct lock *look(struct scene *scene)
{
	struct lock *lock = lock_new("a.lock");

	assert_non_null(lock);
	read_real(scene);
	lock->dev = scene->stat.st_dev;
	lock->ino = scene->stat.st_ino;
	assert_int_equal(kernlocks_attach(&scene->world, &scene->here, &scene->locks, lock), 0);
	return lock;
}

/* Looks again until that many wait: a waiter can only say that it will, not that it does. */
static struct lock *look_for_waiters(struct scene *scene, size_t waiters)
{
	for (int i = 0; i < 10000; i++) {
		struct lock *lock = look(scene);

		if (lock->waiters == waiters)
			return lock;
		lock_unref(lock);
		sched_yield();
	}
	fail_msg("nobody waits");
	return NULL;
}

static void takes_flock(const struct scene *scene, int ready)
{
	int fd = open(scene->path, O_RDWR | O_CLOEXEC);

	if (flock(fd, LOCK_EX) == 0)
		say_and_pause(ready);
}

static void takes_flock_on_zero(const struct scene *scene, int ready)
{
	close(0);
	if (open(scene->path, O_RDWR | O_CLOEXEC) == 0 && flock(0, LOCK_SH) == 0)
		say_and_pause(ready);
}

static void takes_range(const struct scene *scene, int ready)
{
	struct flock range = {.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = 10, .l_len = 5};
	int fd = open(scene->path, O_RDWR | O_CLOEXEC);

	if (fcntl(fd, F_SETLK, &range) == 0)
		say_and_pause(ready);
}

static void takes_ofd(const struct scene *scene, int ready)
{
	struct flock range = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
	int fd = open(scene->path, O_RDWR | O_CLOEXEC);

	if (fcntl(fd, F_OFD_SETLK, &range) == 0)
		say_and_pause(ready);
}

static void takes_lease(const struct scene *scene, int ready)
{
	int fd = open(scene->path, O_RDONLY | O_CLOEXEC);

	if (fcntl(fd, F_SETLEASE, F_RDLCK) == 0)
		say_and_pause(ready);
}

static void takes_from_a_shell(const struct scene *scene, int ready)
{
	int never[2];

	/* What every cron job's wrapper does; it reads from itself, and waits for ever. */
	if (pipe(never) < 0 || dup2(ready, 8) < 0 || dup2(never[0], 0) < 0)
		return;
	setenv("LOCK", scene->path, 1);
	execl("/bin/sh", "sh", "-c", "exec 9>\"$LOCK\"; flock 9; echo >&8; read x", (char *)NULL);
}

/* The taker ends, and leaves the lock to its child. */
static void leaves_it_to_a_child(const struct scene *scene, int ready)
{
	int fd = open(scene->path, O_RDWR | O_CLOEXEC), gone[2];
	pid_t pid;
	char c;

	if (flock(fd, LOCK_EX) < 0 || pipe2(gone, O_CLOEXEC) < 0)
		return;
	pid = fork();
	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, 0);
		close(gone[1]);
		/* Until the parent is gone. The pid goes to the test, which has to end it. */
		while (read(gone[0], &c, 1) > 0)
			;
		pid = getpid();
		if (write(ready, &pid, sizeof pid) == sizeof pid)
			alarm(60), pause();
		_exit(1);
	}
	_exit(pid < 0);
}

static void a_flock_is_seen(void **state)
{
	struct scene *scene = *state;
	pid_t pid = start(scene, takes_flock, true);
	struct lock *lock = look(scene);
	ssize_t at = kernlocks_find(&scene->locks, lock->dev, lock->ino, 0);
	char path[300];

	assert_int_equal(lock->holders, 1);
	assert_int_equal(lock->holder[0].pid, pid);
	assert_int_equal(lock->holder[0].life, LIFE_ALIVE);
	assert_false(lock->holder[0].is_inherited);
	assert_int_equal(lock->mode, LOCK_MODE_WRITE);
	assert_int_equal(lock->waiters, 0);
	assert_true(at >= 0);
	assert_int_equal(scene->locks.lock[at].kind, LOCK_FLOCK);
	for (size_t i = 0; i < scene->locks.holders; i++)
		if (scene->locks.holder[i].lock == (size_t)at) {
			assert_true(kernlocks_path(&scene->world, &scene->locks.holder[i], path,
					    sizeof path) > 0);
			assert_string_equal(path, scene->path);
		}
	lock_unref(lock);

	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	scene->children--;
	lock = look(scene);
	assert_int_equal(lock->holders, 0);
	lock_unref(lock);
}

static void each_kind_is_seen(void **state)
{
	static const struct {
		child_fn *takes;
		enum lock_kind kind;
		int64_t from, to;
	} cases[] = {
		{takes_range, LOCK_POSIX, 10, 14},
		{takes_ofd, LOCK_OFD, 0, INT64_MAX},
		{takes_flock_on_zero, LOCK_FLOCK, 0, INT64_MAX},
	};
	struct scene *scene = *state;

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		pid_t pid = start(scene, cases[i].takes, true);
		struct lock *lock = look(scene);
		ssize_t at = kernlocks_find(&scene->locks, lock->dev, lock->ino, 0);

		assert_int_equal(lock->holders, 1);
		assert_int_equal(lock->holder[0].pid, pid);
		assert_true(at >= 0);
		assert_int_equal(scene->locks.lock[at].kind, cases[i].kind);
		assert_int_equal(scene->locks.lock[at].from, cases[i].from);
		assert_int_equal(scene->locks.lock[at].to, cases[i].to);
		assert_true(scene->locks.lock[at].is_placed);
		lock_unref(lock);
		kill(pid, SIGKILL);
		waitpid(pid, NULL, 0);
		scene->children--;
	}
}

static void a_lease_is_seen(void **state)
{
	struct scene *scene = *state;
	pid_t pid = start(scene, takes_lease, true);
	struct lock *lock = lock_new("lease");

	assert_non_null(lock);
	read_real(scene);
	lock->kind = LOCK_LEASE;
	lock->dev = scene->stat.st_dev;
	lock->ino = scene->stat.st_ino;
	assert_int_equal(kernlocks_attach(&scene->world, &scene->here, &scene->locks, lock), 0);
	assert_int_equal(lock->holders, 1);
	assert_int_equal(lock->holder[0].pid, pid);
	lock_unref(lock);
}

static void waiters_are_seen(void **state)
{
	struct scene *scene = *state;
	pid_t holder = start(scene, takes_flock, true), first, second;
	struct lock *lock;

	first = start(scene, takes_flock, false);
	lock_unref(look_for_waiters(scene, 1));
	second = start(scene, takes_flock, false);
	lock = look_for_waiters(scene, 2);
	assert_int_equal(lock->holders, 1);
	assert_int_equal(lock->holder[0].pid, holder);
	assert_int_equal(lock->waiter[0].pid, first);
	assert_int_equal(lock->waiter[1].pid, second);
	assert_true(lock->flags & LOCK_FLAG(CONTENDED));
	lock_unref(lock);
}

static void a_shell_has_what_its_flock_took(void **state)
{
	struct scene *scene = *state;
	pid_t shell = start(scene, takes_from_a_shell, true);
	struct lock *lock = look(scene);

	/* flock(1) took it and is gone; lslocks(8) shows its pid, or nothing. */
	assert_int_equal(lock->holders, 1);
	assert_int_equal(lock->holder[0].pid, shell);
	assert_true(lock->holder[0].is_inherited);
	assert_true(lock->flags & LOCK_FLAG(INHERITED));
	lock_unref(lock);
}

static void an_inherited_descriptor_keeps_the_lock(void **state)
{
	struct scene *scene = *state;
	pid_t taker, heir, parent = getpid();
	struct lock *lock;
	int ready[2];

	assert_int_equal(pipe2(ready, O_CLOEXEC), 0);
	taker = fork();
	assert_true(taker >= 0);
	if (taker == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (getppid() == parent)
			leaves_it_to_a_child(scene, ready[1]);
		_exit(1);
	}
	waitpid(taker, NULL, 0);
	close(ready[1]);
	assert_int_equal(read(ready[0], &heir, sizeof heir), sizeof heir);
	close(ready[0]);

	lock = look(scene);
	assert_int_equal(proc_life(&scene->world, taker, NULL), LIFE_GONE);
	assert_int_equal(lock->holders, 1);
	assert_int_equal(lock->holder[0].pid, heir);
	assert_true(lock->holder[0].is_inherited);
	lock_unref(lock);
	kill(heir, SIGKILL);
}

static void a_look_takes_no_lock_and_changes_nothing(void **state)
{
	struct scene *scene = *state;
	struct stat now;
	int fd;

	lock_unref(look(scene));
	assert_int_equal(stat(scene->path, &now), 0);
	assert_memory_equal(&now.st_mtim, &scene->stat.st_mtim, sizeof now.st_mtim);
	assert_memory_equal(&now.st_atim, &scene->stat.st_atim, sizeof now.st_atim);
	fd = open(scene->path, O_RDWR | O_CLOEXEC);
	assert_int_equal(flock(fd, LOCK_EX | LOCK_NB), 0);
	close(fd);
}

static void many_locks_of_one_process_are_all_placed(void **state)
{
	struct scene *scene = *state;
	enum { MANY = 200 };
	int fd[MANY];
	char path[400];

	for (int i = 0; i < MANY; i++) {
		snprintf(path, sizeof path, "%s/%d", scene->folder, i);
		fd[i] = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0644);
		assert_true(fd[i] >= 0);
		assert_int_equal(flock(fd[i], LOCK_EX), 0);
	}
	read_real(scene);
	assert_true(scene->locks.in_pieces); /* a page holds fewer */
	for (int i = 0; i < MANY; i++) {
		struct stat stat;
		ssize_t at;

		assert_int_equal(fstat(fd[i], &stat), 0);
		at = kernlocks_find(&scene->locks, stat.st_dev, stat.st_ino, 0);
		assert_true(at >= 0);
		assert_true(scene->locks.lock[at].is_placed);
		assert_int_equal(scene->locks.lock[at].pid, getpid());
		close(fd[i]);
	}
}

static void a_thousand_ranges_of_one_file_are_one_holder(void **state)
{
	struct scene *scene = *state;
	int fd = open(scene->path, O_RDWR | O_CLOEXEC);
	struct lock *lock;
	size_t n = 0;

	/* Its fdinfo is longer than any first buffer. */
	for (int i = 0; i < 1000; i++) {
		struct flock range = {
			.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = 2 * i, .l_len = 1};

		assert_int_equal(fcntl(fd, F_OFD_SETLK, &range), 0);
	}
	lock = look(scene);
	for (size_t i = 0; i < scene->locks.n; i++)
		n += scene->locks.lock[i].st_ino == scene->stat.st_ino &&
		     scene->locks.lock[i].is_placed;
	assert_int_equal(n, 1000);
	assert_int_equal(lock->holders, 1);
	assert_int_equal(lock->holder[0].pid, getpid());
	lock_unref(lock);
	close(fd);
}

/* "PID KIND MODE FROM TO" of lslocks(8) for the scene's file, or "". */
static void lslocks_says(const struct scene *scene, int32_t pid, char *dst, size_t size)
{
	char command[200], line[512];
	FILE *pipe;

	snprintf(command, sizeof command,
		"lslocks --noheadings --raw --notruncate -p %d "
		"-o PID,TYPE,MODE,START,END,PATH",
		(int)pid);
	dst[0] = '\0';
	pipe = popen(command, "re");
	assert_non_null(pipe);
	while (fgets(line, sizeof line, pipe)) {
		char *path = strstr(line, scene->path);

		if (path && path > line) {
			path[-1] = '\0';
			snprintf(dst, size, "%s", line);
		}
	}
	assert_int_equal(pclose(pipe), 0);
}

static void lslocks_says_the_same(void **state)
{
	static const struct {
		child_fn *takes;
		const char *word;
	} cases[] = {{takes_flock, "FLOCK"}, {takes_range, "POSIX"}};
	struct scene *scene = *state;

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		pid_t pid = start(scene, cases[i].takes, true);
		char ours[128], theirs[512];
		const struct kernlock *lock;
		ssize_t at;

		lslocks_says(scene, pid, theirs, sizeof theirs);
		read_real(scene);
		at = kernlocks_find(&scene->locks, scene->stat.st_dev, scene->stat.st_ino, 0);
		assert_true(at >= 0);
		lock = &scene->locks.lock[at];
		snprintf(ours, sizeof ours, "%d %s %s %lld %lld", (int)lock->pid, cases[i].word,
			lock->is_write ? "WRITE" : "READ", (long long)lock->from,
			(long long)(lock->to == INT64_MAX ? 0 : lock->to));
		assert_string_equal(ours, theirs);
		kill(pid, SIGKILL);
		waitpid(pid, NULL, 0);
		scene->children--;
	}
}

/* In a pid namespace of its own, pid 1: exits with 0 if all is as it should be. */
static int inside(const struct scene *scene)
{
	struct kernlocks locks = {0};
	struct lock *lock = lock_new("a.lock");
	struct world world;
	struct here here;
	int fd, wrong = 0;

	if (mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
		mount("proc", "/proc", "proc", 0, NULL) < 0 || !lock)
		return 10;
	if (world_open(&world, NULL, &clock_system, NULL) < 0 ||
		proc_here(&world, &here, NULL) < 0 ||
		kernlocks_read(&world, &here, true, &locks, NULL) < 0)
		return 11;
	lock->dev = scene->stat.st_dev;
	lock->ino = scene->stat.st_ino;
	if (kernlocks_attach(&world, &here, &locks, lock) < 0)
		return 12;
	/* The lock that is held outside is not shown here: nothing may be concluded. */
	wrong |= here.is_initial_pidns || !locks.is_partial;
	wrong |= lock->kernel != KERNEL_VIEW_PARTIAL || lock->holders != 0;
	lock_unref(lock);
	kernlocks_release(&locks);

	/* One of our own is. */
	fd = open(scene->path, O_RDWR | O_CLOEXEC);
	lock = lock_new("a.lock");
	if (fd < 0 || !lock || flock(fd, LOCK_SH) < 0 ||
		kernlocks_read(&world, &here, true, &locks, NULL) < 0)
		return 13;
	lock->dev = scene->stat.st_dev;
	lock->ino = scene->stat.st_ino;
	if (kernlocks_attach(&world, &here, &locks, lock) < 0)
		return 14;
	wrong |= lock->holders != 1 || lock->holder[0].pid != 1;
	lock_unref(lock);
	kernlocks_release(&locks);
	world_close(&world);
	return wrong;
}

static void takes_shared(const struct scene *scene, int ready)
{
	int fd = open(scene->path, O_RDWR | O_CLOEXEC);

	if (flock(fd, LOCK_SH) == 0)
		say_and_pause(ready);
}

static void a_pid_namespace_is_known_to_hide(void **state)
{
	struct scene *scene = *state;
	int status;
	pid_t pid;

	start(scene, takes_shared, true);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		int inner;

		/* Needs root, or user namespaces; where neither is to be had nothing is hidden. */
		if (unshare(CLONE_NEWPID | CLONE_NEWNS) < 0 &&
			unshare(CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWNS) < 0)
			_exit(0);
		pid = fork();
		if (pid == 0)
			_exit(inside(scene));
		_exit(waitpid(pid, &inner, 0) == pid && WIFEXITED(inner) ? WEXITSTATUS(inner) : 2);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
}

static void who_may_not_look_knows_that_he_saw_not_all(void **state)
{
	struct scene *scene = *state;
	int status;
	pid_t pid;

	start(scene, takes_flock, true);
	/* As somebody who may not read other people's descriptors. */
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		struct lock *lock = lock_new("a.lock");
		bool is_right;

		if (geteuid() == 0 && (setgid(65534) < 0 || setuid(65534) < 0))
			_exit(2);
		if (!lock || kernlocks_read(&scene->world, &scene->here, true, &scene->locks, NULL))
			_exit(3);
		lock->dev = scene->stat.st_dev;
		lock->ino = scene->stat.st_ino;
		if (kernlocks_attach(&scene->world, &scene->here, &scene->locks, lock) < 0)
			_exit(4);
		/* The taker is named all the same, as long as it is alive. */
		is_right = !scene->locks.saw_all_fds && lock->holders == 1 &&
			   lock->holder[0].pid == scene->child[0] &&
			   lock->kernel == KERNEL_VIEW_COMPLETE;
		lock_unref(lock);
		kernlocks_release(&scene->locks);
		_exit(!is_right);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

static void processes_that_come_and_go_do_no_harm(void **state)
{
	struct scene *scene = *state;

	start(scene, takes_flock, true);
	for (int i = 0; i < 50; i++) {
		pid_t pid = fork();
		struct lock *lock;

		assert_true(pid >= 0);
		if (pid == 0)
			_exit(0);
		lock = look(scene);
		assert_int_equal(lock->holders, 1);
		lock_unref(lock);
		waitpid(pid, NULL, 0);
	}
}

/* -- who must have a lock, and who only seems to -- */

/* Forks a child that has the same descriptors from then on, and lives as long. */
static pid_t share_with_a_child(void)
{
	pid_t parent = getpid(), pid = fork();

	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		/* Already an orphan, it would wait for ever, with the test's output open. */
		if (getppid() == parent)
			pause();
		_exit(1);
	}
	return pid;
}

static void say_pid_and_pause(int ready, pid_t pid)
{
	if (pid > 0 && write(ready, &pid, sizeof pid) == sizeof pid)
		pause();
	_exit(1);
}

/* Leaves the lock to a child, and opens the file again: the descriptor he has is without it. */
static void gives_it_to_a_child(const struct scene *scene, int ready)
{
	int fd = open(scene->path, O_RDWR | O_CLOEXEC);
	pid_t child;

	if (flock(fd, LOCK_EX) < 0)
		return;
	child = share_with_a_child();
	close(fd);
	if (open(scene->path, O_RDWR | O_CLOEXEC) == fd)
		say_pid_and_pause(ready, child);
}

static void shares_it_with_a_child(const struct scene *scene, int ready)
{
	int fd = open(scene->path, O_RDWR | O_CLOEXEC);

	if (flock(fd, LOCK_EX) == 0)
		say_pid_and_pause(ready, share_with_a_child());
}

/* The pid of its child. */
static pid_t start_with_child(struct scene *scene, child_fn *fn, pid_t *taker)
{
	pid_t parent = getpid(), child;
	int ready[2];

	assert_int_equal(pipe2(ready, O_CLOEXEC), 0);
	*taker = fork();
	assert_true(*taker >= 0);
	if (*taker == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (getppid() == parent)
			fn(scene, ready[1]);
		_exit(1);
	}
	scene->child[scene->children++] = *taker;
	close(ready[1]);
	assert_int_equal(read(ready[0], &child, sizeof child), sizeof child);
	close(ready[0]);
	return child;
}

static void a_taker_who_opened_it_again_has_it_not(void **state)
{
	struct scene *scene = *state;
	pid_t taker, child = start_with_child(scene, gives_it_to_a_child, &taker);
	struct lock *lock = look(scene);

	assert_int_equal(proc_life(&scene->world, taker, NULL), LIFE_ALIVE);
	assert_int_equal(lock->holders, 1);
	assert_int_equal(lock->holder[0].pid, child);
	assert_true(lock->holder[0].is_inherited);
	lock_unref(lock);
}

static void the_taker_and_his_child_both_have_it(void **state)
{
	struct scene *scene = *state;
	pid_t taker, child = start_with_child(scene, shares_it_with_a_child, &taker);
	struct lock *lock = look(scene);

	assert_int_equal(lock->holders, 2);
	assert_int_equal(lock->holder[0].pid, taker);
	assert_false(lock->holder[0].is_inherited);
	assert_int_equal(lock->holder[1].pid, child);
	assert_true(lock->holder[1].is_inherited);
	lock_unref(lock);
}

static bool has_lock_in_fdinfo(pid_t pid, int fd)
{
	char path[64], text[4096];
	size_t n;
	FILE *file;

	snprintf(path, sizeof path, "/proc/%d/fdinfo/%d", (int)pid, fd);
	file = fopen(path, "re");
	assert_non_null(file);
	n = fread(text, 1, sizeof text - 1, file);
	text[n] = '\0';
	fclose(file);
	return strstr(text, "lock:") != NULL;
}

/* The lock is on the higher of two descriptors of one file. */
static void opens_it_twice(const struct scene *scene, int ready)
{
	int lower = open(scene->path, O_RDWR | O_CLOEXEC);
	int higher = open(scene->path, O_RDWR | O_CLOEXEC);

	if (lower >= 0 && higher > lower && flock(higher, LOCK_EX) == 0)
		say_and_pause(ready);
}

static void the_descriptor_with_the_lock_is_told(void **state)
{
	struct scene *scene = *state;
	pid_t pid = start(scene, opens_it_twice, true);
	struct lock *lock = look(scene);
	ssize_t at = kernlocks_find(&scene->locks, lock->dev, lock->ino, 0);
	int fd = -1;

	assert_true(at >= 0);
	for (size_t i = 0; i < scene->locks.holders; i++)
		if (scene->locks.holder[i].lock == (size_t)at) {
			assert_int_equal(scene->locks.holder[i].pid, pid);
			assert_int_equal(fd, -1);
			fd = scene->locks.holder[i].fd;
		}
	/* The lower is an open file as well, without the lock. */
	assert_true(fd > 0);
	assert_int_equal(lock->holders, 1);
	lock_unref(lock);
	assert_true(has_lock_in_fdinfo(pid, fd));
}

static void opens_only(const struct scene *scene, int ready)
{
	if (open(scene->path, O_RDONLY | O_CLOEXEC) >= 0)
		say_and_pause(ready);
}

static void who_has_it_only_open_holds_nothing(void **state)
{
	struct scene *scene = *state;
	pid_t before = start(scene, opens_only, true), taker = start(scene, takes_flock, true),
	      after = start(scene, opens_only, true);
	struct lock *lock = look(scene);

	assert_true(before != after);
	assert_int_equal(lock->holders, 1);
	assert_int_equal(lock->holder[0].pid, taker);
	assert_false(lock->holder[0].is_inherited);
	lock_unref(lock);
}

static void takes_flock_and_range(const struct scene *scene, int ready)
{
	int fd = open(scene->path, O_RDWR | O_CLOEXEC);
	struct flock range = {.l_type = F_WRLCK, .l_whence = SEEK_SET};

	if (flock(fd, LOCK_EX) == 0 && fcntl(fd, F_OFD_SETLK, &range) == 0)
		say_and_pause(ready);
}

static void several_locks_of_one_inode_are_all_placed(void **state)
{
	struct scene *scene = *state;
	pid_t pid = start(scene, takes_flock_and_range, true);
	struct lock *lock = look(scene);
	ssize_t at = -1;
	int n = 0;

	while ((at = kernlocks_find(&scene->locks, lock->dev, lock->ino, (size_t)(at + 1))) >= 0) {
		assert_true(scene->locks.lock[at].is_placed);
		n++;
	}
	assert_int_equal(n, 2);
	assert_int_equal(lock->holders, 1);
	assert_int_equal(lock->holder[0].pid, pid);
	lock_unref(lock);
}

#define REAL(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_line_of_each_kind_is_read),
		cmocka_unit_test(a_waiter_is_told_by_its_arrow),
		cmocka_unit_test(numbers_may_be_as_large_as_the_kernels),
		cmocka_unit_test(a_lock_may_have_no_inode),
		cmocka_unit_test(a_strange_line_is_refused),
		cmocka_unit_test(every_cut_of_a_line_is_safe),
		cmocka_unit_test(a_recorded_table_is_read),
		cmocka_unit_test(waiters_stand_in_the_order_of_the_queue),
		cmocka_unit_test(who_inherited_has_it_when_the_taker_is_dead),
		cmocka_unit_test(without_descriptors_a_dead_taker_names_nobody),
		cmocka_unit_test(shared_locks_have_all_their_holders),
		cmocka_unit_test(each_kind_of_lock_is_attached),
		cmocka_unit_test(a_byte_range_has_its_own_waiters),
		cmocka_unit_test(a_stopped_holder_is_flagged),
		cmocka_unit_test(an_inode_without_locks_has_nobody),
		cmocka_unit_test(the_device_is_compared_with_the_inode),
		cmocka_unit_test(all_lines_of_an_inode_are_found_in_order),
		cmocka_unit_test(the_path_of_a_descriptor_is_told),
		cmocka_unit_test(lines_that_are_not_understood_are_counted),
		cmocka_unit_test(a_machine_without_locks_is_fine),
		cmocka_unit_test(a_missing_table_is_an_error),
		cmocka_unit_test(another_pid_namespace_hides_locks),
		cmocka_unit_test(locks_that_look_the_same_each_get_a_holder),
		cmocka_unit_test(a_duplicated_descriptor_is_one_holder),
		cmocka_unit_test(the_taker_stands_before_who_inherited),
		cmocka_unit_test(a_claimed_holder_is_joined_with_the_kernels),
		cmocka_unit_test(a_crowd_is_cut),
		cmocka_unit_test(numbers_of_a_device_without_a_disk_may_differ),
		cmocka_unit_test(the_table_is_read_at_most_once_a_second),
		cmocka_unit_test(what_one_reading_lacks_another_has),
		cmocka_unit_test(locks_that_look_the_same_are_counted_not_doubled),
		REAL(a_flock_is_seen),
		REAL(each_kind_is_seen),
		REAL(a_lease_is_seen),
		REAL(waiters_are_seen),
		REAL(a_shell_has_what_its_flock_took),
		REAL(an_inherited_descriptor_keeps_the_lock),
		REAL(a_look_takes_no_lock_and_changes_nothing),
		REAL(many_locks_of_one_process_are_all_placed),
		REAL(a_thousand_ranges_of_one_file_are_one_holder),
		REAL(lslocks_says_the_same),
		REAL(a_pid_namespace_is_known_to_hide),
		REAL(who_may_not_look_knows_that_he_saw_not_all),
		REAL(processes_that_come_and_go_do_no_harm),
		REAL(a_taker_who_opened_it_again_has_it_not),
		REAL(the_taker_and_his_child_both_have_it),
		REAL(the_descriptor_with_the_lock_is_told),
		REAL(who_has_it_only_open_holds_nothing),
		REAL(several_locks_of_one_inode_are_all_placed),
	};

	return cmocka_run_group_tests_name("kernlocks", tests, NULL, NULL);
}

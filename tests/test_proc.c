#include "config.h"

#include "made_world.h"

#include <pthread.h>
#include <pwd.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "system/proc.h"

/* A line of /proc/PID/stat with the fields that matter. */
static const char *stat_line(char dst[512], int pid, const char *comm, char state,
	unsigned long flags, int threads, unsigned long long start)
{
	snprintf(dst, 512,
		"%d (%s) %c 7 %d %d 34816 -1 %lu 0 0 0 0 12 34 0 0 20 0 %d 0 %llu 1000 10\n", pid,
		comm, state, pid, pid, flags, threads, start);
	return dst;
}

static struct proc_stat parsed(const char *line)
{
	struct proc_stat stat = {0};

	assert_int_equal(proc_stat_parse(&stat, line, strlen(line)), 0);
	return stat;
}

static enum life life_in(const struct made_world *made, int32_t pid)
{
	uint64_t start = 1;

	return proc_life(&made->world, pid, &start);
}

static void a_line_of_stat_is_read(void **state)
{
	struct proc_stat stat = parsed("4711 (rsync) S 1 4711 4710 34816 -1 4194560 1 2 3 4 11 22 "
				       "33 44 20 0 1 0 8812345 1");

	(void)state;
	assert_int_equal(stat.pid, 4711);
	assert_int_equal(stat.ppid, 1);
	assert_int_equal(stat.state, 'S');
	assert_int_equal(stat.tty, 34816);
	assert_int_equal(stat.flags, 4194560);
	assert_int_equal(stat.utime, 11);
	assert_int_equal(stat.stime, 22);
	assert_int_equal(stat.threads, 1);
	assert_int_equal(stat.start, 8812345);
	assert_string_equal(stat.comm, "rsync");
}

static void a_name_may_hold_anything(void **state)
{
	static const char *const names[] = {"a b", ") S 1 2", "((", "x) Z 0 0", "", ")"};
	char line[512];

	(void)state;
	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		struct proc_stat stat = parsed(stat_line(line, 9, names[i], 'T', 0, 1, 77));

		assert_string_equal(stat.comm, names[i]);
		assert_int_equal(stat.state, 'T');
		assert_int_equal(stat.start, 77);
	}
}

static void a_name_is_made_safe(void **state)
{
	char line[512];
	struct proc_stat stat = parsed(stat_line(line, 9, "\033[2J\n", 'S', 0, 1, 77));

	(void)state;
	assert_string_equal(stat.comm, "\\x1b[2J\\n");
}

static void a_strange_line_is_refused(void **state)
{
	static const char *const lines[] = {"", "4711", "4711 (sh", "4711 (sh)", "4711 (sh) S",
		"4711 (sh) S 1 2 3", "4711 )sh( S 1", "x (sh) S 1", "(sh) S 1 2",
		"99999999999 (sh) S 1 1 1 0 -1 0 0 0 0 0 0 0 0 0 20 0 1 0 5",
		"4711 (sh) S 1 1 1 0 -1 0 0 0 0 0 0 0 0 0 20 0 1 0 99999999999999999999",
		"4711 (sh) S 1 1 1 0 -1 0 0 0 0 0 0 0 0 0 20 0 1 0 x"};

	(void)state;
	for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
		struct proc_stat stat = {.pid = -7};

		assert_int_equal(proc_stat_parse(&stat, lines[i], strlen(lines[i])), -EINVAL);
		assert_int_equal(stat.pid, -7);
	}
}

static void every_cut_of_a_line_is_safe(void **state)
{
	char line[512];
	size_t len = strlen(stat_line(line, 4711, "a) b", 'S', 0, 1, 123));

	(void)state;
	for (size_t n = 0; n <= len; n++) {
		char *copy = malloc(n + !n);
		struct proc_stat stat;

		assert_non_null(copy);
		memcpy(copy, line, n);
		proc_stat_parse(&stat, copy, n);
		free(copy);
	}
}

static void the_life_is_in_the_state_and_the_flags(void **state)
{
	static const struct {
		char state;
		unsigned long flags;
		int threads;
		enum life life;
	} cases[] = {
		{'S', 0x400100, 1, LIFE_ALIVE}, {'R', 0, 4, LIFE_ALIVE}, {'D', 0, 1, LIFE_ALIVE},
		{'T', 0, 1, LIFE_STOPPED}, {'t', 0, 1, LIFE_STOPPED}, {'Z', 0x4, 1, LIFE_ZOMBIE},
		{'X', 0x4, 1, LIFE_ZOMBIE}, {'S', 0x4, 1, LIFE_EXITING},
		{'R', 0x400104, 1, LIFE_EXITING},
		{'Z', 0x4, 3, LIFE_ALIVE}, /* the leader left, its threads did not */
	};
	struct made_world made;
	char line[512];

	(void)state;
	make_world(&made);
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		put(&made, "4711/stat",
			stat_line(line, 4711, "sh", cases[i].state, cases[i].flags,
				cases[i].threads, 5));
		assert_int_equal(life_in(&made, 4711), cases[i].life);
	}
	unmake_world(&made);
}

static void a_pid_that_is_not_in_a_tree_is_gone(void **state)
{
	struct made_world made;
	uint64_t start = 1;

	(void)state;
	make_world(&made);
	/* This test's own pid is alive here, but not there. */
	assert_int_equal(proc_life(&made.world, getpid(), &start), LIFE_GONE);
	assert_int_equal(start, 0);
	unmake_world(&made);
}

static void no_pid_is_no_process(void **state)
{
	struct world real;

	(void)state;
	open_real(&real);
	/* kill(0, 0) and kill(-1, 0) would succeed: they mean everybody. */
	assert_int_equal(proc_life(&real, 0, NULL), LIFE_UNKNOWN);
	assert_int_equal(proc_life(&real, -1, NULL), LIFE_UNKNOWN);
	assert_int_equal(proc_life(&real, INT32_MIN, NULL), LIFE_UNKNOWN);
	world_close(&real);
}

/* In a child that may not signal it, so that kill(2) says EPERM. */
static int life_of_init_for_nobody(const struct made_world *made)
{
	int status;
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid == 0) {
		if (geteuid() == 0 && setuid(65534) < 0)
			_exit(100);
		_exit(kill(1, 0) == 0 ? 101 : (int)life_in(made, 1));
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void what_proc_hides_is_alive_if_kill_says_so(void **state)
{
	struct made_world made;

	(void)state;
	make_world(&made);
	/* hidepid=2: the tree is empty, but pids can be asked. */
	made.world.is_real = true;
	assert_int_equal(life_in(&made, getpid()), LIFE_ALIVE);
	assert_int_equal(life_of_init_for_nobody(&made), LIFE_ALIVE);
	assert_int_equal(life_in(&made, INT32_MAX), LIFE_GONE);
	made.world.is_real = false;
	unmake_world(&made);
}

static void without_proc_nobody_is_declared_dead(void **state)
{
	struct world none = {.proc = -1, .clock = &clock_system};

	(void)state;
	assert_int_equal(proc_life(&none, 4711, NULL), LIFE_UNKNOWN);
}

/* -- real processes -- */

static pid_t started(void (*fn)(void))
{
	pid_t parent = getpid(), pid = fork();

	assert_true(pid >= 0);
	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (getppid() != parent)
			_exit(0);
		fn();
		_exit(0);
	}
	return pid;
}

static void ended(pid_t pid)
{
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
}

static void sleeps(void)
{
	pause();
}

static void leaves(void)
{
}

static void a_zombie_is_no_living_process(void **state)
{
	pid_t pid = started(leaves);
	struct process process = {0};
	struct here here;
	struct world real;
	siginfo_t info;

	(void)state;
	open_real(&real);
	assert_int_equal(proc_here(&real, &here, NULL), 0);
	assert_int_equal(waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT), 0);
	assert_int_equal(kill(pid, 0), 0); /* which is why kill(2) is not asked */
	assert_int_equal(proc_life(&real, pid, NULL), LIFE_ZOMBIE);
	assert_int_equal(proc_look(&real, &here, NULL, pid, &process), 0);
	assert_int_equal(process.life, LIFE_ZOMBIE);
	assert_null(process.command);
	free(process.user);
	waitpid(pid, NULL, 0);
	assert_int_equal(proc_life(&real, pid, NULL), LIFE_GONE);
	world_close(&real);
}

static void *thread_pauses(void *data)
{
	(void)data;
	pause();
	return NULL;
}

static void leader_leaves_its_thread(void)
{
	pthread_t thread;

	if (pthread_create(&thread, NULL, thread_pauses, NULL) == 0)
		syscall(SYS_exit, 0) /* of this thread alone */;
	_exit(1);
}

static void a_leader_may_be_a_zombie_while_its_threads_live(void **state)
{
	pid_t pid = started(leader_leaves_its_thread);
	struct proc_stat stat = {0};
	struct world real;
	char path[32], text[1024];
	ssize_t n;

	(void)state;
	open_real(&real);
	snprintf(path, sizeof path, "%d/stat", (int)pid);
	while (stat.state != 'Z') {
		n = world_read(&real, path, text, sizeof text);
		assert_true(n > 0);
		assert_int_equal(proc_stat_parse(&stat, text, (size_t)n), 0);
	}
	assert_int_equal(stat.threads, 2);
	assert_int_equal(proc_life(&real, pid, NULL), LIFE_ALIVE);
	ended(pid);
	world_close(&real);
}

static void a_stopped_process_is_alive(void **state)
{
	pid_t pid = started(sleeps);
	struct world real;
	siginfo_t info;

	(void)state;
	open_real(&real);
	assert_int_equal(kill(pid, SIGSTOP), 0);
	assert_int_equal(waitid(P_PID, (id_t)pid, &info, WSTOPPED | WNOWAIT), 0);
	assert_int_equal(proc_life(&real, pid, NULL), LIFE_STOPPED);
	ended(pid);
	world_close(&real);
}

static void ones_own_process_is_described(void **state)
{
	struct process process = {.from_kernel = true, .is_inherited = true};
	const struct passwd *me = getpwuid(geteuid());
	struct here here;
	struct world real;
	mono_t age;

	(void)state;
	open_real(&real);
	assert_int_equal(proc_here(&real, &here, NULL), 0);
	assert_int_equal(proc_look(&real, &here, NULL, getpid(), &process), 0);
	assert_int_equal(process.pid, getpid());
	assert_int_equal(process.life, LIFE_ALIVE);
	assert_int_equal(process.uid, geteuid());
	assert_true(process.from_kernel && process.is_inherited);
	if (me)
		assert_string_equal(process.user, me->pw_name);
	assert_non_null(strstr(process.command, "test_proc"));
	assert_non_null(strstr(process.comm, "test_proc"));
	assert_true(process.start > 0);
	/* Ticks are 10 ms; it did not start in the future, nor a day ago. */
	age = clock_wall(&clock_system) - process.started;
	assert_true(age > -NS_PER_S && age < 86400 * NS_PER_S);
	process_release(&process);
	world_close(&real);
}

static void somebody_elses_process_is_alive(void **state)
{
	struct process process = {0};
	struct here here;
	struct world real;

	(void)state;
	open_real(&real);
	assert_int_equal(proc_here(&real, &here, NULL), 0);
	assert_int_equal(proc_look(&real, &here, NULL, 1, &process), 0);
	assert_int_equal(process.life, LIFE_ALIVE);
	process_release(&process);
	world_close(&real);
}

/* -- recorded and made-up processes -- */

/* Not dumpable, as who was setuid is: all below its /proc/PID belongs to root. */
static void wears_another_uid(void)
{
	if (geteuid() == 0 && seteuid(65534) < 0)
		_exit(1);
	prctl(PR_SET_DUMPABLE, 0);
	raise(SIGSTOP);
}

static void the_uid_is_the_effective_one(void **state)
{
	pid_t pid = started(wears_another_uid);
	int32_t uid = geteuid() == 0 ? 65534 : (int32_t)geteuid();
	struct process process = {0};
	struct here here;
	struct world real;
	struct stat below;
	char path[64];
	int status;

	(void)state;
	assert_int_equal(waitpid(pid, &status, WUNTRACED), pid);
	assert_true(WIFSTOPPED(status));
	open_real(&real);
	assert_int_equal(proc_here(&real, &here, NULL), 0);
	snprintf(path, sizeof path, "/proc/%d/status", (int)pid);
	assert_int_equal(stat(path, &below), 0);
	assert_int_equal(below.st_uid, 0);
	assert_int_equal(proc_look(&real, &here, NULL, pid, &process), 0);
	assert_int_equal(process.life, LIFE_STOPPED);
	assert_int_equal(process.uid, uid);
	process_release(&process);
	world_close(&real);
	ended(pid);
}

static void a_recorded_process_is_described(void **state)
{
	struct process process = {0};
	struct made_world made;
	struct here here;

	(void)state;
	open_case(&made, "flocks");
	assert_int_equal(proc_here(&made.world, &here, NULL), 0);
	assert_string_equal(here.host, "web1");
	assert_string_equal(here.boot, "e8862e97");
	assert_int_equal(here.pidns, UINT64_C(4026531836));
	assert_true(here.is_initial_pidns);
	assert_int_equal(here.btime, made.time.wall - made.time.mono);

	assert_int_equal(proc_look(&made.world, &here, NULL, 28912, &process), 0);
	assert_int_equal(process.life, LIFE_ALIVE);
	assert_int_equal(process.uid, 0);
	assert_string_equal(process.comm, "python3");
	assert_string_equal(process.command, "python3 holders.py");
	assert_true(process.start > 0);

	/* The next look leaves nothing of the one before. */
	assert_int_equal(proc_look(&made.world, &here, NULL, 1, &process), 0);
	assert_int_equal(process.life, LIFE_GONE);
	assert_int_equal(process.uid, -1);
	assert_int_equal(process.start, 0);
	assert_null(process.command);
	assert_null(process.user);
	world_close(&made.world);
}

static void the_command_line_is_made_safe_and_cut(void **state)
{
	static const char hostile[] = "sh\0-c\0\033]0;x\007\0two words\0\0";
	struct process process = {0};
	struct made_world made;
	struct here here = {.ticks = 100};
	char line[512], longer[2000];

	(void)state;
	make_world(&made);
	put(&made, "9/stat", stat_line(line, 9, "sh", 'S', 0, 1, 5));
	put_bytes(&made, "9/cmdline", hostile, sizeof hostile);
	assert_int_equal(proc_look(&made.world, &here, NULL, 9, &process), 0);
	assert_string_equal(process.command, "sh -c \\x1b]0;x\\x07 two words");
	assert_int_equal(process.uid, -1);

	memset(longer, 'a', sizeof longer);
	put_bytes(&made, "9/cmdline", longer, sizeof longer);
	assert_int_equal(proc_look(&made.world, &here, NULL, 9, &process), 0);
	assert_int_equal(strlen(process.command), 256);

	put_bytes(&made, "9/cmdline", "", 0);
	assert_int_equal(proc_look(&made.world, &here, NULL, 9, &process), 0);
	assert_null(process.command);
	unmake_world(&made);
}

static void who_waits_for_a_disk_is_not_asked_for_its_command(void **state)
{
	struct process process = {0};
	struct made_world made;
	struct here here = {.ticks = 100};
	char line[512];

	(void)state;
	make_world(&made);
	put(&made, "9/stat", stat_line(line, 9, "cp", 'D', 0, 1, 5));
	put(&made, "9/cmdline", "cp");
	assert_int_equal(proc_look(&made.world, &here, NULL, 9, &process), 0);
	assert_int_equal(process.life, LIFE_ALIVE);
	assert_null(process.command);
	process_release(&process);
	unmake_world(&made);
}

static void the_start_is_shown_in_wall_time(void **state)
{
	struct process process = {0};
	struct made_world made;
	struct here here;
	char line[512];

	(void)state;
	make_world(&made);
	assert_int_equal(proc_here(&made.world, &here, NULL), 0);
	here.ticks = 100;
	put(&made, "9/stat", stat_line(line, 9, "sh", 'S', 0, 1, 60000));
	assert_int_equal(proc_look(&made.world, &here, NULL, 9, &process), 0);
	/* Ten minutes after a boot that was an hour ago. */
	assert_int_equal(process.started, made.time.wall - 3000 * NS_PER_S);

	put(&made, "9/stat", stat_line(line, 9, "sh", 'S', 0, 1, UINT64_MAX));
	assert_int_equal(proc_look(&made.world, &here, NULL, 9, &process), 0);
	assert_int_equal(process.started, 0);
	process_release(&process);
	unmake_world(&made);
}

static void a_recorded_machine_was_up_as_long_as_it_says(void **state)
{
	struct made_world made;
	struct here here;

	(void)state;
	make_world(&made);
	put(&made, "uptime", "3600.50 7000.00\n");
	assert_int_equal(proc_here(&made.world, &here, NULL), 0);
	assert_int_equal(here.btime, made.time.wall - 3600500 * NS_PER_MS);
	put(&made, "uptime", "for ever\n");
	assert_int_equal(proc_here(&made.world, &here, NULL), 0);
	assert_int_equal(here.btime, made.time.wall - made.time.mono);
	unmake_world(&made);
}

static void a_machine_that_says_nothing_is_unknown(void **state)
{
	struct made_world made;
	struct here here;

	(void)state;
	make_world(&made);
	assert_int_equal(proc_here(&made.world, &here, NULL), 0);
	assert_string_equal(here.host, "");
	assert_string_equal(here.boot, "");
	assert_int_equal(here.pidns, 0);
	assert_false(here.is_initial_pidns);

	put(&made, "sys/kernel/random/boot_id", "no such!-\n");
	put_link(&made, "self/ns/pid", "pid:[402653183x]");
	assert_int_equal(proc_here(&made.world, &here, NULL), 0);
	assert_string_equal(here.boot, "");
	assert_int_equal(here.pidns, 0);
	unmake_world(&made);
}

static void the_real_machine_is_known(void **state)
{
	struct here here;
	struct world real;

	(void)state;
	open_real(&real);
	assert_int_equal(proc_here(&real, &here, NULL), 0);
	assert_true(here.host[0]);
	assert_int_equal(strlen(here.boot), 8);
	assert_true(here.pidns > 0);
	assert_true(here.btime > 0 && here.btime < clock_wall(&clock_system));
	world_close(&real);
}

static void a_pool_worker_is_told_from_a_program(void **state)
{
	static const struct {
		const char *comm, *command;
		bool is_worker;
	} cases[] = {
		{"php-fpm8.2", "php-fpm: pool www", true},
		{"php-fpm", NULL, true},
		{"apache2", "/usr/sbin/apache2 -k start", true},
		{"httpd", NULL, true},
		{"lsphp", NULL, true},
		{"php", "php -S localhost:8000", true},
		{"php8.2", "php8.2 -d x=1 -S 0:80", true},
		{"php", "php generate.php", false},
		{"php", "php -Sx", false},
		{"php", NULL, false},
		{"httpdirfs", NULL, false},
		{"sh", "sh -S x", false},
		{"", NULL, false},
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		char command[64];
		struct process process = {0};

		snprintf(process.comm, sizeof process.comm, "%s", cases[i].comm);
		if (cases[i].command) {
			snprintf(command, sizeof command, "%s", cases[i].command);
			process.command = command;
		}
		assert_int_equal(proc_is_pool_worker(&process), cases[i].is_worker);
	}
}

static void a_record_is_related_to_this_machine(void **state)
{
	struct here here = {.host = "web1", .boot = "9f3c2a71", .pidns = 4026531836};
	struct record record = {0};
	struct lock lock = {.host_is = RELATION_OTHER};

	(void)state;
	proc_relate(&here, &record, &lock);
	assert_int_equal(lock.host_is, RELATION_UNSAID);
	assert_int_equal(lock.boot_is, RELATION_UNSAID);
	assert_int_equal(lock.ns_is, RELATION_UNSAID);

	record = (struct record){.host = "WEB1", .boot = "9f3c2a71", .ns = 4026531836};
	proc_relate(&here, &record, &lock);
	assert_int_equal(lock.host_is, RELATION_SAME);
	assert_int_equal(lock.boot_is, RELATION_SAME);
	assert_int_equal(lock.ns_is, RELATION_SAME);

	record = (struct record){.host = "web2", .boot = "00000000", .ns = 4026532178};
	proc_relate(&here, &record, &lock);
	assert_int_equal(lock.host_is, RELATION_OTHER);
	assert_int_equal(lock.boot_is, RELATION_OTHER);
	assert_int_equal(lock.ns_is, RELATION_OTHER);

	/* What is not known of oneself cannot differ. */
	here = (struct here){0};
	proc_relate(&here, &record, &lock);
	assert_int_equal(lock.host_is, RELATION_UNSAID);
	assert_int_equal(lock.boot_is, RELATION_UNSAID);
	assert_int_equal(lock.ns_is, RELATION_UNSAID);
}

static void a_login_name_is_looked_up_once(void **state)
{
	struct users users = {0};
	const char *root = proc_user(&users, 0);

	(void)state;
	assert_string_equal(root, "root");
	assert_ptr_equal(proc_user(&users, 0), root);
	assert_null(proc_user(&users, 3999999999));
	assert_null(proc_user(&users, 3999999999));
	/* 64 shares its place. */
	proc_user(&users, 64);
	assert_string_equal(proc_user(&users, 0), "root");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_line_of_stat_is_read),
		cmocka_unit_test(a_name_may_hold_anything),
		cmocka_unit_test(a_name_is_made_safe),
		cmocka_unit_test(a_strange_line_is_refused),
		cmocka_unit_test(every_cut_of_a_line_is_safe),
		cmocka_unit_test(the_life_is_in_the_state_and_the_flags),
		cmocka_unit_test(a_pid_that_is_not_in_a_tree_is_gone),
		cmocka_unit_test(no_pid_is_no_process),
		cmocka_unit_test(what_proc_hides_is_alive_if_kill_says_so),
		cmocka_unit_test(without_proc_nobody_is_declared_dead),
		cmocka_unit_test(a_zombie_is_no_living_process),
		cmocka_unit_test(a_leader_may_be_a_zombie_while_its_threads_live),
		cmocka_unit_test(a_stopped_process_is_alive),
		cmocka_unit_test(ones_own_process_is_described),
		cmocka_unit_test(somebody_elses_process_is_alive),
		cmocka_unit_test(the_uid_is_the_effective_one),
		cmocka_unit_test(a_recorded_process_is_described),
		cmocka_unit_test(the_command_line_is_made_safe_and_cut),
		cmocka_unit_test(who_waits_for_a_disk_is_not_asked_for_its_command),
		cmocka_unit_test(the_start_is_shown_in_wall_time),
		cmocka_unit_test(a_recorded_machine_was_up_as_long_as_it_says),
		cmocka_unit_test(a_machine_that_says_nothing_is_unknown),
		cmocka_unit_test(the_real_machine_is_known),
		cmocka_unit_test(a_pool_worker_is_told_from_a_program),
		cmocka_unit_test(a_record_is_related_to_this_machine),
		cmocka_unit_test(a_login_name_is_looked_up_once),
	};

	return cmocka_run_group_tests_name("proc", tests, NULL, NULL);
}

/*
 * `locktop demo`: a live demonstration. Real lock files in a temporary folder, real processes
 * that take them, wait for each other, hang, stop and are killed; then the monitor on that.
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/error.h"
#include "cli/cli.h"
#include "cli/demo_past.h"
#include "cli/session.h"

extern char **environ;

/* In the demo's folder: the workers' names, as links to this program; what the locks went through.
 */
#define BIN     "bin"
#define METRICS "metrics.jsonl"

/* A hold of import.lock is over its limit after this, so that nobody waits long to see it. */
enum { IMPORT_LIMIT_S = 5, DETACHED_LEASE_S = 3, READY_S = IMPORT_LIMIT_S + 2 };

/* --- the workers: each is a process of its own ---------------------------------------- */

struct worker {
	const struct here *here;
	uint64_t start;
	const char *name;
};

/* Opens as a lock file has to be opened: never following a link, never blocking on a FIFO. */
static int open_lock(const char *name)
{
	return open(name, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0644);
}

static void write_text(int fd, const char *text, size_t len)
{
	/* Write first, then cut: ext4 starts disk writes when a file is emptied first. */
	if (pwrite(fd, text, len, 0) != (ssize_t)len || ftruncate(fd, (off_t)len) < 0)
		_exit(EXIT_SOFTWARE);
}

static void write_record(int fd, const struct record *record)
{
	char text[RECORD_MAX + 1];
	int n = record_write(record, text, sizeof text);

	if (n < 0)
		_exit(EXIT_SOFTWARE);
	write_text(fd, text, (size_t)n);
}

static struct record own_record(const struct worker *worker, char mode, int lease)
{
	struct record record = {
		.format = RECORD_LT1,
		.mode = mode,
		.pid = getpid(),
		.time = time(NULL),
		.start = worker->start,
		.ns = worker->here->pidns,
		.acquired = (int64_t)time(NULL) * NS_PER_S,
		.fence = 1,
		.lease = lease,
		.uid = (int32_t)getuid(),
	};

	snprintf(record.host, sizeof record.host, "%s", worker->here->host);
	snprintf(record.boot, sizeof record.boot, "%s", worker->here->boot);
	snprintf(record.token, sizeof record.token, "%032x", (unsigned int)getpid());
	return record;
}

/* As the seed's PHP does: writes pid|time and trusts that nobody comes in between. */
static void work_plain(const struct worker *worker)
{
	struct record record = {.format = RECORD_PLAIN, .pid = getpid(), .time = time(NULL)};
	int fd = open_lock(worker->name);

	if (fd < 0)
		_exit(EXIT_SOFTWARE);
	write_record(fd, &record);
	close(fd);
	while (true)
		pause();
}

/* Comes back whenever somebody has freed its lock, works a little, and dies without a word. */
static void work_victim(const struct worker *worker)
{
	struct record record = {.format = RECORD_PLAIN, .pid = getpid()};
	int fd = open_lock(worker->name);

	if (fd < 0)
		_exit(EXIT_SOFTWARE);
	while (lseek(fd, 0, SEEK_END) > 0) {
		close(fd);
		usleep(500000);
		fd = open_lock(worker->name);
		if (fd < 0)
			_exit(EXIT_SOFTWARE);
	}
	record.time = time(NULL);
	write_record(fd, &record);
	close(fd);
	sleep(4);
	kill(getpid(), SIGKILL);
}

/* Leaves what cannot be understood. */
static void work_corrupt(const struct worker *worker)
{
	static const char text[] = "locked by \033]0;nobody\007 since tuesday\n";
	int fd = open_lock(worker->name);

	if (fd < 0)
		_exit(EXIT_SOFTWARE);
	write_text(fd, text, sizeof text - 1);
	_exit(0);
}

/* Leaves a lock of another host, which cannot be checked from here. */
static void work_other_host(const struct worker *worker)
{
	struct record record = own_record(worker, 'd', 0);
	int fd = open_lock(worker->name);

	snprintf(record.host, sizeof record.host, "web2.example");
	snprintf(record.boot, sizeof record.boot, "0badcafe");
	record.pid = 4711;
	if (fd < 0)
		_exit(EXIT_SOFTWARE);
	write_record(fd, &record);
	_exit(0);
}

/* Takes a detached lock by the command for it, and forgets to renew it, though it lives. */
static void work_detached(const struct worker *worker)
{
	char program[4096], lease[16], address[80];
	const char *argv[] = {
		"locktop", "acquire", "--log", METRICS, "-n", "--lease", lease, address, NULL};
	posix_spawn_file_actions_t actions;
	pid_t pid;

	snprintf(lease, sizeof lease, "%ds", DETACHED_LEASE_S);
	snprintf(address, sizeof address, "./%s", worker->name);
	posix_spawn_file_actions_init(&actions);
	/* It prints the token, for the shell. */
	posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
	if (posix_spawn(&pid, cli_front_program(program, sizeof program), &actions, NULL,
		    (char *const *)argv, environ) != 0)
		_exit(EXIT_SOFTWARE);
	waitpid(pid, NULL, 0);
	while (true)
		pause();
}

/* Leaves a lock from before the last boot. */
static void work_before_boot(const struct worker *worker)
{
	struct record record = own_record(worker, 'h', 600);
	int fd = open_lock(worker->name);

	snprintf(record.boot, sizeof record.boot, "%s",
		strcmp(worker->here->boot, "00000000") ? "00000000" : "11111111");
	if (fd < 0)
		_exit(EXIT_SOFTWARE);
	write_record(fd, &record);
	_exit(0);
}

static void work_free(const struct worker *worker)
{
	int fd = open_lock(worker->name);

	_exit(fd < 0 ? EXIT_SOFTWARE : 0);
}

/* What locktop run runs: a job of some seconds, or one without an end. */
static void work_job(const struct worker *worker)
{
	(void)worker;
	sleep(3 + (unsigned int)getpid() % 4);
	_exit(0);
}

/* A short one, so that its lock changes hands several times a second. */
static void work_mail(const struct worker *worker)
{
	(void)worker;
	usleep(60000 + (unsigned int)getpid() * 7919 % 340000);
	_exit(0);
}

static void work_endless(const struct worker *worker)
{
	(void)worker;
	while (true)
		pause();
}

static const struct {
	const char *word;
	void (*work)(const struct worker *worker);
} works[] = {
	{"job", work_job},
	{"mail", work_mail},
	{"endless", work_endless},
	{"plain", work_plain},
	{"victim", work_victim},
	{"corrupt", work_corrupt},
	{"other-host", work_other_host},
	{"detached", work_detached},
	{"before-boot", work_before_boot},
	{"free", work_free},
};

static const struct argp worker_argp = {.args_doc = "WORK LOCK NAME"};

static int run_worker(const struct command *command, int argc, char **argv)
{
	struct worker worker;
	struct world world;
	struct here here;
	struct error err;

	(void)command;
	if (argc != 4)
		return cli_fail(argv[0], EXIT_USAGE, "expected a work, a lock file and a name");
	prctl(PR_SET_NAME, argv[3]);
	if (world_open(&world, NULL, &clock_system, &err) < 0 || proc_here(&world, &here, &err) < 0)
		return cli_fail(argv[0], EXIT_SOFTWARE, "%s", err.text);
	worker = (struct worker){.here = &here, .name = argv[2]};
	proc_life(&world, getpid(), &worker.start);
	for (size_t i = 0; i < sizeof works / sizeof *works; i++)
		if (strcmp(works[i].word, argv[1]) == 0)
			works[i].work(&worker);
	return cli_fail(argv[0], EXIT_USAGE, "no work '%s'", argv[1]);
}

const struct command command_demo_worker = {
	.name = "demo-worker", .argp = &worker_argp, .run = run_worker};

/* --- the demonstration ------------------------------------------------------------------- */

enum fate { LIVES, IS_KILLED, IS_STOPPED, COMES_BACK };

static const struct part {
	const char *lock;
	const char *work;
	const char *comm; /* what the worker calls itself, 15 bytes at most */
	enum fate fate;
	const char *run;  /* the address, where locktop run takes the lock for it */
	const char *wait; /* for so long */
} parts[] = {
	{"story-generation.lock", "job", "story-worker", COMES_BACK, "./story-generation.lock",
		"1h"},
	{"story-generation.lock", "job", "story-worker", COMES_BACK, "./story-generation.lock",
		"1h"},
	{"story-generation.lock", "job", "story-worker", COMES_BACK, "./story-generation.lock",
		"1h"},
	{"mail-queue.lock", "mail", "mail-worker", COMES_BACK, "./mail-queue.lock", "0.5"},
	{"mail-queue.lock", "mail", "mail-worker", COMES_BACK, "./mail-queue.lock", "0.5"},
	{"mail-queue.lock", "mail", "mail-worker", COMES_BACK, "./mail-queue.lock", "0.5"},
	{"import.lock", "plain", "php-import", LIVES, NULL, NULL},
	{"cache-warm.lock", "plain", "cache-warm", IS_KILLED, NULL, NULL},
	{"thumbnails.lock", "victim", "thumbnailer", COMES_BACK, NULL, NULL},
	{"dpkg-style.lock", "endless", "package-tool", LIVES, "flock:dpkg-style.lock", "1h"},
	{"deploy.lock", "endless", "deploy", IS_STOPPED, "./deploy.lock", "1h"},
	{"newsletter.lock", "detached", "newsletter", LIVES, NULL, NULL},
	{"replica.lock", "other-host", "replica", LIVES, NULL, NULL},
	{"last-week.lock", "before-boot", "last-week", LIVES, NULL, NULL},
	{"upload.lock", "corrupt", "upload", LIVES, NULL, NULL},
	{"backup.lock", "free", "backup", LIVES, NULL, NULL},
};

enum { PARTS = sizeof parts / sizeof *parts };

struct demo_args {
	struct common common;
	char **rest; /* for the monitor */
	int n;
};

struct demo {
	const char *program;
	char folder[200];
	char config[230];
	pid_t pid[PARTS];
};

/* The worker's own command line, behind that of locktop run if that takes the lock for it. */
static void fill_argv(const char **argv, const struct part *part)
{
	const char *const run[] = {
		"locktop", "run", "--log", METRICS, "-w", part->wait, "--", part->run};
	/* A link to this program with the worker's name: what ps(1) and the monitor show. */
	const char *const worker[] = {
		part->comm, "demo-worker", part->work, part->lock, part->comm};
	int n = 0;

	for (size_t i = 0; part->run && i < sizeof run / sizeof *run; i++)
		argv[n++] = run[i];
	for (size_t i = 0; i < sizeof worker / sizeof *worker; i++)
		argv[n++] = worker[i];
	argv[n] = NULL;
}

static void become(const struct part *part, pid_t demo)
{
	char program[4096], link[64];
	const char *argv[16];
	sigset_t none;

	/* Ends with the demo, whatever ends that. */
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != demo)
		_exit(EXIT_REFUSED);
	/* A group of its own: Ctrl-C and Ctrl-Z are for the monitor. */
	setpgid(0, 0);
	signal(SIGINT, SIG_DFL);
	signal(SIGTERM, SIG_DFL);
	signal(SIGHUP, SIG_DFL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	/* That it did not get the lock in time is in the log; the screen is the monitor's. */
	if (part->run && !freopen("/dev/null", "w", stderr))
		_exit(EXIT_SOFTWARE);
	fill_argv(argv, part);
	snprintf(link, sizeof link, BIN "/%s", part->comm);
	if (part->run)
		argv[8] = link;
	execv(part->run ? cli_front_program(program, sizeof program) : link, (char *const *)argv);
	_exit(EXIT_SOFTWARE);
}

static pid_t start_part(const struct part *part)
{
	pid_t demo = getpid(), pid = fork();

	if (pid == 0)
		become(part, demo);
	return pid;
}

/* Waits until the part wrote into its lock, so that a kill leaves the record behind. */
static void wait_for_record(const char *lock)
{
	for (int i = 0; i < 200; i++) {
		struct stat st;

		if (stat(lock, &st) == 0 && st.st_size > 0)
			return;
		usleep(10000);
	}
}

static void end_part(pid_t *pid)
{
	if (*pid <= 0)
		return;
	kill(*pid, SIGKILL);
	waitpid(*pid, NULL, 0);
	*pid = 0;
}

static int make_links(struct error *err)
{
	char path[4096], link[64];
	const char *program = cli_program(path, sizeof path);

	if (mkdir(BIN, 0755) < 0)
		return error_sys(err, -errno, "cannot make a folder");
	for (int i = 0; i < PARTS; i++) {
		snprintf(link, sizeof link, BIN "/%s", parts[i].comm);
		if (symlink(program, link) < 0 && errno != EEXIST)
			return error_sys(err, -errno, "cannot make a link");
	}
	return 0;
}

static int prepare(struct demo *demo, struct error *err)
{
	const char *tmp = getenv("TMPDIR");
	FILE *config;

	snprintf(demo->folder, sizeof demo->folder, "%.150s/locktop-demo.XXXXXX",
		tmp ? tmp : "/tmp");
	if (!mkdtemp(demo->folder))
		return error_sys(err, -errno, "cannot make a folder in %s", tmp ? tmp : "/tmp");
	snprintf(demo->config, sizeof demo->config, "%s/locktop.conf", demo->folder);
	config = fopen(demo->config, "we");
	if (!config || chdir(demo->folder) < 0)
		return error_sys(err, -errno, "cannot use %s", demo->folder);
	fprintf(config, "audit = \"%s/audit.jsonl\"\n", demo->folder);
	fprintf(config, "metrics = \"%s/" METRICS "\"\n", demo->folder);
	fprintf(config, "lock \"import.lock\" { limit = \"%ds\" }\n", IMPORT_LIMIT_S);
	if (fclose(config) != 0)
		return error_sys(err, -errno, "cannot write %s", demo->config);
	return make_links(err);
}

/* What the graphs show of the time before; the workers' lines follow it. */
static int make_past(const struct demo *demo, struct error *err)
{
	struct world world;
	struct here here;
	int e = world_open(&world, NULL, &clock_system, err);

	if (e < 0)
		return e;
	e = proc_here(&world, &here, err);
	world_close(&world);
	return e < 0 ? e
		     : demo_past_write(
			       METRICS, demo->folder, here.host, clock_wall(&clock_system), err);
}

static int play(struct demo *demo, struct error *err)
{
	for (int i = 0; i < PARTS; i++) {
		demo->pid[i] = start_part(&parts[i]);
		if (demo->pid[i] < 0)
			return error_sys(err, -errno, "cannot start a worker");
		if (parts[i].fate == LIVES || parts[i].fate == COMES_BACK)
			continue;
		wait_for_record(parts[i].lock);
		if (parts[i].fate == IS_KILLED)
			end_part(&demo->pid[i]);
		else
			kill(demo->pid[i], SIGSTOP);
	}
	return 0;
}

/* Reaps workers that ended, and brings those back whose part that is. */
static void look_after(struct demo *demo)
{
	for (int i = 0; i < PARTS; i++) {
		if (demo->pid[i] <= 0 || waitpid(demo->pid[i], NULL, WNOHANG) != demo->pid[i])
			continue;
		demo->pid[i] = parts[i].fate == COMES_BACK ? start_part(&parts[i]) : 0;
	}
}

static void pause_playing(struct demo *demo, int seconds)
{
	for (int i = 0; i < seconds * 10; i++) {
		usleep(100000);
		look_after(demo);
	}
}

/* The monitor is a child in the foreground; the demo looks after its workers meanwhile. */
static int watch(struct demo *demo, const struct demo_args *args)
{
	char program[4096];
	const char *child[40] = {"locktop", "--config", demo->config};
	int n = 3, status;
	pid_t pid, ended;

	if (args->common.is_read_only)
		child[n++] = "--read-only";
	for (int i = 0; i < args->n && n < 38; i++)
		child[n++] = args->rest[i];
	child[n++] = demo->folder;
	if (posix_spawn(&pid, cli_program(program, sizeof program), NULL, NULL,
		    (char *const *)child, environ) != 0)
		return EXIT_SOFTWARE;
	while ((ended = waitpid(pid, &status, WNOHANG | WUNTRACED)) == 0 ||
		(ended < 0 && errno == EINTR) || (ended == pid && WIFSTOPPED(status))) {
		if (ended == pid) {
			/* Ctrl-Z is for the job, which is the demo; fg continues both. */
			raise(SIGSTOP);
			kill(pid, SIGCONT);
		}
		usleep(100000);
		look_after(demo);
	}
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

/* Only what the demo put there itself. */
static void sweep(struct demo *demo)
{
	for (int i = 0; i < PARTS; i++)
		end_part(&demo->pid[i]);
	for (int i = 0; i < PARTS; i++) {
		char name[64];

		unlink(parts[i].lock);
		snprintf(name, sizeof name, ".%s.fence", parts[i].lock);
		unlink(name);
		snprintf(name, sizeof name, BIN "/%s", parts[i].comm);
		unlink(name);
	}
	rmdir(BIN);
	unlink(METRICS);
	unlink("audit.jsonl");
	unlink(demo->config);
	if (chdir("/") == 0)
		rmdir(demo->folder);
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct demo_args *args = state->input;

	(void)arg;
	switch (key) {
	case ARGP_KEY_INIT: state->child_inputs[0] = &args->common; return 0;
	case ARGP_KEY_ARGS:
		args->rest = state->argv + state->next;
		args->n = state->argc - state->next;
		return 0;
	default: return ARGP_ERR_UNKNOWN;
	}
}

static const struct argp argp = {NULL, parse, "[-- OPTION...]",
	"Opens the monitor on a live demonstration: real lock files in a temporary folder and real "
	"processes that take them, wait, hang, stop and are killed. Options after -- are the "
	"monitor's.",
	common_children, NULL, NULL};

static void ignore(int signal)
{
	(void)signal;
}

static int run(const struct command *command, int argc, char **argv)
{
	struct demo_args args = {.common.format = FORMAT_NONE};
	struct demo demo = {.program = argv[0]};
	struct error err;
	int code, e;

	(void)command;
	options_parse(&argp, argc, argv, 0, NULL, &args);
	/* A signal for the group ends the monitor; the demo then cleans up and ends too. */
	signal(SIGINT, ignore);
	signal(SIGTERM, ignore);
	signal(SIGHUP, ignore);
	e = prepare(&demo, &err);
	if (e == 0)
		e = make_past(&demo, &err);
	if (e == 0)
		e = play(&demo, &err);
	if (e == 0 && !isatty(STDOUT_FILENO)) {
		fprintf(stderr, "locktop demo: %d s until a lock is overdue\n", READY_S);
		pause_playing(&demo, READY_S);
	}
	code = e < 0 ? cli_fail(argv[0], EXIT_SOFTWARE, "%s", err.text) : watch(&demo, &args);
	sweep(&demo);
	return code;
}

const struct command command_demo = {"demo", "a live demonstration", &argp, run};

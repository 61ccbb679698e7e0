#include "config.h"

#include "system/proc.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "base/text.h"

/* PROC_PID_INIT_INO of include/linux/proc_ns.h; the kernel exports it nowhere else. */
#define INITIAL_PIDNS UINT64_C(0xEFFFFFFC)
/* PF_EXITING of include/linux/sched.h, in field 9 of stat. */
#define EXITING 0x4ul

enum { COMMAND_MAX = 256, STAT_MAX = 1024 };

/* -- this machine -- */

static void read_host(const struct world *world, char *host, size_t size)
{
	char text[256];
	ssize_t n = world_read(world, "sys/kernel/hostname", text, sizeof text);

	if (n < 0 && world->is_real && gethostname(text, sizeof text - 1) == 0) {
		text[sizeof text - 1] = '\0';
		n = (ssize_t)strlen(text);
	}
	while (n > 0 && text[n - 1] == '\n')
		n--;
	text_clean(host, size, text, n > 0 ? (size_t)n : 0, NULL);
}

static void read_boot(const struct world *world, char boot[9])
{
	char text[64];

	boot[0] = '\0';
	if (world_read(world, "sys/kernel/random/boot_id", text, sizeof text) < 8)
		return;
	for (int i = 0; i < 8; i++)
		if (!isxdigit((unsigned char)text[i]))
			return;
	memcpy(boot, text, 8);
	boot[8] = '\0';
}

/* The link is "pid:[4026531836]", in a recorded tree too. */
static uint64_t read_pidns(const struct world *world)
{
	char text[64];
	char *end;
	uint64_t ino;

	if (world_link(world, "self/ns/pid", text, sizeof text) < 0 ||
		strncmp(text, "pid:[", 5) != 0 || !isdigit((unsigned char)text[5]))
		return 0;
	ino = strtoull(text + 5, &end, 10);
	return *end == ']' ? ino : 0;
}

/* A recorded machine has been up for as long as it says, whenever it is looked at. */
static mono_t read_uptime(const struct world *world)
{
	char text[64], *end;
	double seconds;

	if (world->is_real || world_read(world, "uptime", text, sizeof text) <= 0)
		return clock_mono(world->clock);
	seconds = strtod(text, &end);
	return end != text && seconds >= 0 ? clock_ns(seconds) : clock_mono(world->clock);
}

int proc_here(const struct world *world, struct here *here, struct error *err)
{
	struct here found = {.ticks = sysconf(_SC_CLK_TCK)};

	if (found.ticks <= 0)
		return error_set(err, -EINVAL, "the system does not say how long a clock tick is");
	read_host(world, found.host, sizeof found.host);
	read_boot(world, found.boot);
	found.pidns = read_pidns(world);
	found.is_initial_pidns = found.pidns == INITIAL_PIDNS;
	found.btime = clock_wall(world->clock) - read_uptime(world);
	*here = found;
	return 0;
}

/* -- /proc/PID/stat -- */

struct cursor {
	const char *at, *end;
};

/* The next number after blanks; false when there is none. Negative ones wrap, as strtoull(3)'s. */
static bool next_number(struct cursor *cursor, uint64_t *out)
{
	bool is_negative = false;
	uint64_t value = 0;

	while (cursor->at < cursor->end && *cursor->at == ' ')
		cursor->at++;
	if (cursor->at < cursor->end && *cursor->at == '-') {
		is_negative = true;
		cursor->at++;
	}
	if (cursor->at == cursor->end || !isdigit((unsigned char)*cursor->at))
		return false;
	for (; cursor->at < cursor->end && isdigit((unsigned char)*cursor->at); cursor->at++)
		if (__builtin_mul_overflow(value, 10, &value) ||
			__builtin_add_overflow(value, (uint64_t)(*cursor->at - '0'), &value))
			return false;
	*out = is_negative ? -value : value;
	return true;
}

int proc_stat_parse(struct proc_stat *stat, const char *text, size_t len)
{
	const char *open = memchr(text, '(', len), *close = memrchr(text, ')', len);
	struct cursor cursor = {text, text + len};
	/* From field 4 on: field[N - 4]. */
	uint64_t field[22 - 4 + 1], pid;

	if (!open || !close || close < open || !next_number(&cursor, &pid) || cursor.at >= open ||
		pid > INT32_MAX)
		return -EINVAL;
	cursor = (struct cursor){close + 1, text + len};
	if (cursor.end - cursor.at < 3 || cursor.at[0] != ' ' ||
		!isalpha((unsigned char)cursor.at[1]) || cursor.at[2] != ' ')
		return -EINVAL;
	cursor.at += 2;
	for (size_t i = 0; i < sizeof field / sizeof *field; i++)
		if (!next_number(&cursor, &field[i]))
			return -EINVAL;

	*stat = (struct proc_stat){
		.pid = (int32_t)pid,
		.ppid = (int32_t)field[4 - 4],
		.state = close[2],
		.flags = (unsigned long)field[9 - 4],
		.start = field[22 - 4],
		.utime = field[14 - 4],
		.stime = field[15 - 4],
		.tty = (int)field[7 - 4],
		.threads = (int)field[20 - 4],
	};
	text_clean(stat->comm, sizeof stat->comm, open + 1, (size_t)(close - open - 1), NULL);
	return 0;
}

/*
 * A leader that left by pthread_exit(3) is a zombie, and exiting, while the other threads run on
 * with its descriptors and locks: the process is alive until the last of them is gone.
 */
static enum life life_of(const struct proc_stat *stat)
{
	if (stat->threads <= 1) {
		if (stat->state == 'Z' || stat->state == 'X' || stat->state == 'x')
			return LIFE_ZOMBIE;
		/* The kernel drops a flock before the task shows as a zombie. */
		if (stat->flags & EXITING)
			return LIFE_EXITING;
	}
	if (stat->state == 'T' || stat->state == 't')
		return LIFE_STOPPED;
	return LIFE_ALIVE;
}

/* What can be said of a pid whose stat gave this -errno: hidepid= hides what is alive. */
static enum life life_unseen(const struct world *world, int32_t pid, int error)
{
	if (world->is_real) {
		if (kill(pid, 0) == 0 || errno == EPERM)
			return LIFE_ALIVE;
		return errno == ESRCH ? LIFE_GONE : LIFE_UNKNOWN;
	}
	return world->proc >= 0 && (error == -ENOENT || error == -ESRCH) ? LIFE_GONE : LIFE_UNKNOWN;
}

/*
 * As world_read_at(), with one read(2): the kernel gives a stat, and a command line, in one piece
 * if there is room for it, and to be told that there is no more is a third of what it costs.
 */
static ssize_t read_piece(int dir, const char *path, char *dst, size_t size)
{
	ssize_t n;
	int fd;

	if (dir < 0)
		return -ENOENT;
	do
		fd = openat(dir, path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	while (fd < 0 && errno == EINTR);
	if (fd < 0)
		return -errno;
	do
		n = read(fd, dst, size - 1);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		n = -errno;
	else
		dst[n] = '\0';
	close(fd);
	return n;
}

static int read_stat(int dir, const char *path, struct proc_stat *stat)
{
	char text[STAT_MAX];
	ssize_t n = read_piece(dir, path, text, sizeof text);

	return n < 0 ? (int)n : proc_stat_parse(stat, text, (size_t)n);
}

int proc_stat_read(const struct world *world, int32_t pid, struct proc_stat *stat)
{
	char path[32];

	snprintf(path, sizeof path, "%d/stat", (int)pid);
	return read_stat(world->proc, path, stat);
}

enum life proc_life(const struct world *world, int32_t pid, uint64_t *start)
{
	struct proc_stat stat = {0};
	enum life life = LIFE_UNKNOWN;
	int rc;

	if (pid > 0) {
		rc = proc_stat_read(world, pid, &stat);
		life = rc < 0 ? life_unseen(world, pid, rc) : life_of(&stat);
	}
	if (start)
		*start = stat.start;
	return life;
}

/* -- login names -- */

enum { NAME_MAX_BYTES = 65536 };

/* "" for who has none; NULL when it could not be told. The caller frees it. */
static char *ask_name(uint32_t uid)
{
	struct passwd entry, *found = NULL;
	char *room = NULL, *name = NULL;
	int rc = ERANGE;

	for (size_t size = 1024; rc == ERANGE && size <= NAME_MAX_BYTES; size *= 4) {
		char *more = realloc(room, size);

		if (!more)
			break;
		room = more;
		do
			rc = getpwuid_r(uid, &entry, room, size, &found);
		while (rc == EINTR);
	}
	/* A directory server that does not answer today may answer tomorrow. */
	if (rc == 0 || rc == ENOENT || rc == ESRCH)
		name = strdup(rc == 0 && found ? entry.pw_name : "");
	free(room);
	return name;
}

const char *proc_user(struct users *users, uint32_t uid)
{
	size_t i = uid % (sizeof users->known / sizeof *users->known);

	if (!users->known[i].is_known || users->known[i].uid != uid) {
		char *name = ask_name(uid);

		if (!name)
			return NULL;
		text_clean(users->known[i].name, sizeof users->known[i].name, name, strlen(name),
			NULL);
		users->known[i].uid = uid;
		users->known[i].is_known = true;
		free(name);
	}
	return users->known[i].name[0] ? users->known[i].name : NULL;
}

/* -- one process, all of it -- */

/* The effective uid, as ps(1) shows it. */
static int32_t uid_by_status(int dir)
{
	static const char label[] = "\nUid:";
	char text[4096];
	unsigned int effective;
	const char *line;

	if (world_read_at(dir, "status", text, sizeof text) < 0)
		return -1;
	line = strstr(text, label);
	if (!line || sscanf(line + sizeof label - 1, "%*u %u", &effective) != 1 ||
		effective > INT32_MAX)
		return -1;
	return (int32_t)effective;
}

/*
 * The effective uid of a real process: /proc/PID itself belongs to it also where all below belongs
 * to root, as that of who was setuid does (fs/proc/base.c, task_dump_owner()), and asking for it
 * is ten times as cheap as reading status. Of who is gone it says 0: only what can be read
 * afterwards shows that it was the truth.
 */
static int32_t uid_by_owner(int dir)
{
	struct statx stat;

	if (statx(dir, "", AT_EMPTY_PATH | AT_STATX_DONT_SYNC, STATX_UID, &stat) < 0 ||
		stat.stx_uid > INT32_MAX)
		return -1;
	return (int32_t)stat.stx_uid;
}

/* The arguments with blanks between; NULL with *rc 0 when there are none (a kernel thread). */
static char *read_command(int dir, int *rc)
{
	char raw[COMMAND_MAX * 2], clean[COMMAND_MAX + 1], *command;
	ssize_t n = read_piece(dir, "cmdline", raw, sizeof raw);

	while (n > 0 && (raw[n - 1] == '\0' || raw[n - 1] == ' '))
		n--;
	if (n <= 0)
		return NULL;
	for (ssize_t i = 0; i < n; i++)
		if (raw[i] == '\0')
			raw[i] = ' ';
	text_clean(clean, sizeof clean, raw, (size_t)n, NULL);
	command = strdup(clean);
	if (!command)
		*rc = -ENOMEM;
	return command;
}

/*
 * 128-bit, for a start time of a hostile recorded tree may be anything; what is beyond wall_t is
 * unknown.
 */
static wall_t wall_of_start(const struct here *here, uint64_t start)
{
	long ticks = here->ticks > 0 ? here->ticks : 100;
	__int128 wall = (__int128)start * NS_PER_S / ticks + here->btime;

	return start && wall > 0 && wall < INT64_MAX ? (wall_t)wall : 0;
}

static int fill(const struct here *here, struct users *users, int dir, const struct proc_stat *stat,
	struct process *process)
{
	struct users none = {0};
	const char *user;
	int rc = 0;

	process->life = life_of(stat);
	process->start = stat->start;
	process->started = wall_of_start(here, stat->start);
	memcpy(process->comm, stat->comm, sizeof process->comm);
	user = process->uid < 0 ? NULL : proc_user(users ? users : &none, (uint32_t)process->uid);
	if (user && !(process->user = strdup(user)))
		rc = -ENOMEM;
	/* Reading the command line of who waits for a disk may wait as long; a zombie has none. */
	if (rc == 0 && stat->state != 'D' && process->life != LIFE_ZOMBIE)
		process->command = read_command(dir, &rc);
	return rc;
}

int proc_look(const struct world *world, const struct here *here, struct users *users, int32_t pid,
	struct process *process)
{
	struct proc_stat stat;
	int32_t uid = -1;
	char name[16];
	int dir, rc;

	free(process->user);
	free(process->command);
	*process = (struct process){
		.pid = pid,
		.uid = -1,
		.from_kernel = process->from_kernel,
		.is_inherited = process->is_inherited,
	};
	if (pid < 1)
		return 0;

	/* Below this descriptor everything is of one process, even if the pid is given away. */
	snprintf(name, sizeof name, "%d", (int)pid);
	dir = world_openat(world, name, O_PATH | O_DIRECTORY);
	if (dir >= 0 && world->is_real)
		uid = uid_by_owner(dir);
	rc = dir < 0 ? dir : read_stat(dir, "stat", &stat);
	if (rc < 0) {
		process->life = life_unseen(world, pid, rc);
		rc = 0;
	} else {
		process->uid = world->is_real ? uid : uid_by_status(dir);
		rc = fill(here, users, dir, &stat, process);
	}
	if (dir >= 0)
		close(dir);
	return rc;
}

/* Programs that serve one request after the other in a process that outlives each. */
static const char *const pool_workers[] = {"php-fpm", "php-cgi", "lsphp", "litespeed", "apache2",
	"httpd", "uwsgi", "gunicorn", "frankenphp", "unitd"};

bool proc_is_pool_worker(const struct process *process)
{
	for (size_t i = 0; i < sizeof pool_workers / sizeof *pool_workers; i++) {
		size_t len = strlen(pool_workers[i]);
		char after = '\0';

		/* "php-fpm8.2", "lsphp:", but not "httpdirfs" */
		if (strncmp(process->comm, pool_workers[i], len) == 0)
			after = process->comm[len];
		else
			continue;
		if (!isalpha((unsigned char)after))
			return true;
	}
	/* PHP's own server for development, `php -S localhost:8000` */
	return strncmp(process->comm, "php", 3) == 0 && process->command &&
	       strstr(process->command, " -S ");
}

/* -- the record seen from here -- */

static enum relation relate_text(const char *theirs, const char *ours)
{
	if (!*theirs || !*ours)
		return RELATION_UNSAID;
	return strcasecmp(theirs, ours) == 0 ? RELATION_SAME : RELATION_OTHER;
}

void proc_relate(const struct here *here, const struct record *record, struct lock *lock)
{
	lock->host_is = relate_text(record->host, here->host);
	lock->boot_is = relate_text(record->boot, here->boot);
	if (!record->ns || !here->pidns)
		lock->ns_is = RELATION_UNSAID;
	else
		lock->ns_is = record->ns == here->pidns ? RELATION_SAME : RELATION_OTHER;
}

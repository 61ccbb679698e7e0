/*
 * Processes as /proc tells them (proc(5)). Identity is (boot id, pid namespace, pid, start
 * time): a number alone names nobody.
 */
#ifndef LOCKTOP_SYSTEM_PROC_H
#define LOCKTOP_SYSTEM_PROC_H

#include "model/lock.h"
#include "system/world.h"

/* This machine, as records name it. */
struct here {
	char host[RECORD_HOST_MAX + 1]; /* gethostname(2), or proc/sys/kernel/hostname */
	char boot[9];                   /* first 8 hex digits of random/boot_id; "" unknown */
	uint64_t pidns;                 /* inode of proc/self/ns/pid; 0 unknown */
	bool is_initial_pidns;          /* PROC_PID_INIT_INO: /proc/locks shows everybody */
	wall_t btime;                   /* wall time of boot in ns: now_wall - now_mono, */
					/* or - proc/uptime of a recorded machine */
	long ticks;                     /* sysconf(_SC_CLK_TCK) */
};

int proc_here(const struct world *world, struct here *here, struct error *err);

/* The fields of /proc/PID/stat that matter; a pure parser (comm may hold spaces and ')'). */
struct proc_stat {
	int32_t pid, ppid;
	char state;
	unsigned long flags; /* field 9; PF_EXITING is 0x4 */
	uint64_t start;      /* field 22 */
	uint64_t utime, stime;
	int tty;       /* field 7 */
	int threads;   /* field 20: a leader may be a zombie while its threads live on */
	char comm[64]; /* clean */
};
/* 0 or -EINVAL. */
int proc_stat_parse(struct proc_stat *stat, const char *text, size_t len);
/* Reads and parses that of a process: 0 or -errno. */
int proc_stat_read(const struct world *world, int32_t pid, struct proc_stat *stat);

/*
 * Login names that were asked for: getpwuid_r(3), which may ask a server, is called once a uid.
 * Zeroed it is empty; it owns nothing.
 */
struct users {
	/* A uid has one place; who shares it is asked for again. */
	struct {
		bool is_known;
		uint32_t uid;
		char name[64];
	} known[64];
};

/* Login name of a uid, clean, NULL if it has none. Borrowed until the next call. */
const char *proc_user(struct users *users, uint32_t uid);
/*
 * Looks a pid up: life, start, started, uid, user, comm, command. Always fills process
 * (process->from_kernel and is_inherited stay); what cannot be read stays unknown. A pid that
 * /proc hides (hidepid) but kill(0) answers with EPERM is alive. users may be NULL: then the name
 * is asked for each time. 0 or -ENOMEM.
 */
int proc_look(const struct world *world, const struct here *here, struct users *users, int32_t pid,
	struct process *process);
/*
 * Only life and start time (0 unknown; start may be NULL): one read of stat. UNKNOWN for what is
 * no pid (< 1) and where there is no /proc to ask.
 */
enum life proc_life(const struct world *world, int32_t pid, uint64_t *start);
/* Is that a pool worker, whose being alive says nothing of one job: php-fpm, apache2, … */
bool proc_is_pool_worker(const struct process *process);
/* Fills the relations of a record with this machine. */
void proc_relate(const struct here *here, const struct record *record, struct lock *lock);

#endif

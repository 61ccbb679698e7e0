/*
 * The kernel's lock table: /proc/locks joined with /proc/PID/fd and fdinfo.
 *
 * What is known of it (proc(5), fs/locks.c, and measurements in doc/design.md): one read stops
 * every flock on the host while it lasts and grows quadratically, so it is read rarely, with one
 * big buffer; OFD locks have pid -1; flocks show the taker, which may be gone while a child
 * has the descriptor, so only fdinfo tells who has it; the device is the superblock's, which on
 * btrfs and overlayfs differs from stat's: the fd whose fdinfo shows the lock links the two.
 */
#ifndef LOCKTOP_SYSTEM_KERNLOCKS_H
#define LOCKTOP_SYSTEM_KERNLOCKS_H

#include "system/proc.h"

enum { KERNLOCKS_PEOPLE = 64 };

/* One line of /proc/locks. */
struct kernlock {
	uint64_t id; /* the number before the colon; waiters share their blocker's */
	enum lock_kind kind;
	bool is_write;
	bool is_waiter; /* "->", at any depth */
	int depth;
	int32_t pid; /* the taker; -1 OFD; 0 hidden */
	unsigned int major, minor;
	uint64_t ino;
	int64_t from, to; /* to INT64_MAX: EOF */
	/* What stat(2) calls the inode: as a descriptor says, else the numbers above. */
	uint64_t st_dev, st_ino;
	bool is_placed; /* a descriptor with this lock said it */
};

/* Somebody who has an open descriptor with that lock (fdinfo's "lock:" line). */
struct kernholder {
	size_t lock; /* index of the kernlock */
	int32_t pid;
	int fd;
	uint64_t st_dev, st_ino; /* of the descriptor, by stat */
};

struct kernlocks {
	struct kernlock *lock; /* owned; in the order of the file */
	size_t n;
	struct kernholder *holder; /* owned; sorted by lock, then pid, each pair once */
	size_t holders;
	size_t *by_inode; /* owned; indices of lock, sorted by st_dev, st_ino, index */
	size_t bad;       /* lines that were not understood */
	mono_t read_at;   /* when the read began */
	int64_t cost;     /* ns that reading and joining took */
	bool is_partial;  /* other pid namespace: locks are hidden */
	bool saw_all_fds; /* every process's descriptors could be read */
	bool in_pieces;   /* more than one read(2), between which a line may be lost */
	bool has_strays;  /* locks that are not placed on devices that may have other numbers */
	uint64_t *mount;  /* owned; with strays: every mount's device as the table has it, sorted */
	size_t mounts;
	struct kernlocks_seen *seen; /* owned; processes that kernlocks_attach() looked up */
	struct users *users;         /* borrowed, set by the caller after the read; NULL: every
					login name is asked for again */
};

/* Parses one line; 0, or -EINVAL (the line is then skipped, and counted by the caller). */
int kernlock_parse(struct kernlock *lock, const char *line, size_t len);
/*
 * Reads /proc/locks; with_holders also walks /proc/PID/fd of every process (only descriptors
 * whose inode number occurs in the table have their fdinfo read). 0 or -errno.
 */
int kernlocks_read(const struct world *world, const struct here *here, bool with_holders,
	struct kernlocks *out, struct error *err);
void kernlocks_release(struct kernlocks *locks);
/*
 * The locks on the inode that stat(2) calls (dev, ino): first index >= from, or -1. Uses the
 * holders' own stat where there is one and the table's numbers else; a waiter is where what it
 * waits for is.
 */
ssize_t kernlocks_find(const struct kernlocks *locks, uint64_t dev, uint64_t ino, size_t from);
/*
 * Path of a holder's descriptor by readlink of /proc/PID/fd/FD: length, or -errno.
 * " (deleted)" is kept.
 */
ssize_t kernlocks_path(
	const struct world *world, const struct kernholder *holder, char *dst, size_t size);
/*
 * Puts the holders and waiters of the kernel's locks on lock's (dev, ino) into a lock that is not
 * published yet: kernel view, mode, holders (looked up with proc_look), waiters, the flags
 * CONTENDED, INHERITED and STOPPED. Into one of kind FILE: every flock, record and OFD lock on
 * the inode; into one of another kind: those of that kind with its range, and who waits for them.
 *
 * The taker stands first when it has the descriptor, who has it from the taker is_inherited. A
 * holder of pid 0 is one that cannot be named: no descriptor could be seen and the taker is gone
 * or unknown (OFD). The view is PARTIAL inside a pid namespace, and where a lock on a file
 * system with device numbers of its own (btrfs, overlayfs) may be this inode's.
 * At most KERNLOCKS_PEOPLE of each are put in: a thousand waiters fit no line of JSON.
 * 0 or -ENOMEM.
 */
int kernlocks_attach(const struct world *world, const struct here *here,
	const struct kernlocks *locks, struct lock *lock);

/*
 * May the table be read now? At most once a second and for at most 1 % of the time: the pause
 * after a read that took c is max(1 s, 99 c).
 */
struct kernlocks_budget {
	mono_t next;
};
bool kernlocks_may(const struct kernlocks_budget *budget, mono_t now);
void kernlocks_spent(struct kernlocks_budget *budget, mono_t began, int64_t cost);

#endif

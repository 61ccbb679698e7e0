/*
 * LT1, the protocol of a lock file: the holder keeps flock(LOCK_EX) on the inode that the name
 * points to, and the record in it says who that is. Whoever publishes, takes over, rewrites,
 * empties or removes a lock file has the flock of the inode at that name, verified after the flock
 * (fstat of the descriptor against stat of the name); therefore no two who follow it can both be
 * inside, and nobody removes another's new lock. tests/model has the proof of the model,
 * tests/prove of the code.
 *
 *   acquire  open without O_CREAT (sticky folders, FIFOs), O_NOFOLLOW, O_NONBLOCK
 *            no file: O_TMPFILE, flock, record, linkat(2): complete before it is visible
 *            flock; compare inodes, else from the start; judge the record; rewrite in place by
 *            pwrite(2), then ftruncate(2) (the other order costs 320 us on ext4); compare again
 *   renew    compare; one pwrite(2) of a record of the same length
 *   give back  compare; empty it (default: a PHP peer that waits in file_put_contents(LOCK_EX)
 *            keeps an honest check) or remove it; close. Never LOCK_UN first
 *
 * A detached lock (m=d) has nobody who keeps a descriptor: each step takes the flock for a moment
 * and compares the token.
 */
#ifndef LOCKTOP_BACKENDS_FILE_LT1_H
#define LOCKTOP_BACKENDS_FILE_LT1_H

#include "backends/provider.h"

/* One lock file that is being taken or held. */
struct lt1 {
	const struct world *world; /* borrowed */
	char *folder;              /* owned; absolute */
	char *name;                /* owned; raw, without a slash */
	char *path;                /* owned; folder/name */
	int dir;                   /* owned; the folder as it was at the last open; -1 */
	int fd;                    /* owned; has the flock while held; -1 */
	uint64_t dev, ino;         /* of fd */
	int64_t fence;             /* of the last acquisition; 0 none */
	int64_t acquired;          /* wall ns; stays the same through renewals */
	int lease_digits;          /* of the record that is rewritten: it becomes no shorter */
	bool writes_no_record;     /* flock: only the kernel's lock, content untouched */
	char text[RECORD_MAX + 1]; /* the record as it was written last */
	size_t len;
};

/*
 * path as in the URI; a relative one is made absolute by the current folder. 0 or -errno. A
 * zeroed struct with its descriptors at -1 may be closed, and closed again.
 */
int lt1_open(struct lt1 *lt1, const struct world *world, const char *path, struct error *err);
void lt1_close(struct lt1 *lt1);
/*
 * The codes are those of provider.h. A state that holds the lock cannot acquire it again
 * (-EINVAL). Detached locks, and a lock that is asked about by its token alone (as a child of the
 * holder does), have no descriptor: then renew and give_back take the flock for a moment, and are
 * the detached holder's only (-EPERM).
 */
int lt1_acquire(struct lt1 *lt1, const struct claim *claim, const struct patience *patience,
	struct taking *taking, struct error *err);
int lt1_renew(struct lt1 *lt1, const struct claim *claim, struct error *err);
int lt1_verify(struct lt1 *lt1, const struct claim *claim, struct error *err);
int lt1_give_back(struct lt1 *lt1, const struct claim *claim, struct error *err);
/* Who has it, by its record or else by the kernel's table. */
void lt1_who(struct lt1 *lt1, struct occupant *occupant);
int lt1_fence(struct lt1 *lt1, int64_t *fence, struct error *err);

#endif

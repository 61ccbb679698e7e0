/*
 * Inside the backend for lock files: one place, looked at by several files.
 *
 *   file.c          the backend: opens and closes a place, and the order of one look
 *   file_folder.c   which folder it is, the watch on it, and the names that the watch touched
 *   file_list.c     the names of the folder as sorted items: listing, and looking at all or one
 *   file_item.c     one name: reads its file if it has changed, and what the record says
 *   file_process.c  the processes that records name: makes locks again when they have changed
 *   file_kernel.c   the kernel's table: who holds which file. A line missing in a table that
 *                   came in pieces is believed to be gone the second time
 *   file_lock.c     makes the struct lock of what all these know: since when, version, flags
 *   file_release.c  one lock by its name: looked at afresh, and released
 *
 * A look (file_scan()) goes: clocks, folder, names, files, processes, table, snapshot. Each part
 * leaves its result in the items; a part that learns something new of an item makes its lock
 * again: it takes what was (struct before), edits a lock, and gives it to file_lock_finish().
 *
 * Who owns what: a place owns all items, an item its lock. Snapshots share those locks by
 * reference, so that a lock is changed in place only while nobody else has it
 * (file_lock_edit()). An item whose lock is NULL exists only while its name is looked at for the
 * first time; once names are looked at, every item has a lock. After a look that failed all items
 * are dropped, for half of it is none. The members of a place are grouped by the part that
 * writes them; others may read them.
 */
#ifndef LOCKTOP_BACKENDS_FILE_PRIVATE_H
#define LOCKTOP_BACKENDS_FILE_PRIVATE_H

#include "backends/backend.h"
#include "system/folder.h"
#include "system/kernlocks.h"
#include "system/lockfile.h"
#include "system/proccache.h"
#include "system/watch.h"

/* Who had the lock before its record named another. */
struct former {
	uint64_t dev, ino;
	int32_t pid; /* 0: nobody */
};

/* A name of the folder. */
struct item {
	struct folder_name name; /* owned */
	struct lock *lock;       /* owned reference; NULL: not looked at yet */
	struct lockfile_stat stat;
	uint64_t identity; /* of the content */
	uint64_t gen;      /* of the process facts that the record's holder was made from */
	struct former former;
	bool is_young;      /* read so soon after its last change that another may not show */
	bool is_unclean;    /* the record's bytes had to be escaped */
	bool is_missed;     /* its kernel lock was not in a table that was read in pieces */
	bool is_taken_over; /* the former holder still has its flock */
	bool is_in_table;   /* scratch of file_kernel_read() */
};

struct inode; /* of file_kernel.c */

struct place {
	/* file.c, when it is opened */
	const struct world *world; /* borrowed */
	const struct here *here;   /* borrowed */
	char *path, *parent;       /* owned; absolute */
	const char *base;          /* last part of path */
	char *glob;                /* owned */
	bool has_slash;            /* the path was given with a slash at its end */
	struct proccache *cache;   /* owned */

	/* file.c, with each look */
	bool is_first;   /* no look was complete yet */
	bool has_deaths; /* processes ended */
	mono_t now;      /* of this look */
	wall_t wall;
	int64_t offset; /* wall - mono at the last look */
	int64_t step;   /* what it was seen to jump since open */
	bool has_stepped;
	wall_t opened; /* wall clock at open */
	int64_t slept; /* world_step_since_boot() then */

	/* file_folder.c */
	bool is_single;
	bool is_seen; /* dev and ino are those of the folder that was looked at last */
	uint64_t dev, ino;
	bool is_remote;      /* the kernel's table knows nothing of other hosts' locks */
	struct watch *watch; /* owned or NULL */
	mono_t watch_retry;
	struct folder touched; /* names from the watch */
	bool look_at_all;      /* the watch lost something; a listing clears it */
	bool was_opened;       /* a file was opened or closed: a flock may have changed; the */
	/* table that is read then clears it */

	/* file_list.c */
	struct item **item; /* owned; sorted by clean name */
	size_t n;
	mono_t list_after; /* when the next listing may be done */
	unsigned int listings;

	/* file_kernel.c */
	struct kernlocks_budget budget;
	struct inode *inode; /* owned; sorted; NULL: to be made again */
	uint64_t table_hash;
	mono_t holders_at; /* when descriptors were walked last; MONO_UNKNOWN: never */
};

/* --- file.c --- */

void file_read_clocks(struct place *place);
/* By how much the wall clock was set since a lock file was written, as far as is known; in ns. */
int64_t file_clock_step(const struct place *place, wall_t written);

/* --- file_folder.c --- */

/* The folder, raw; of a single file the one that it is in. */
const char *file_folder_path(const struct place *place);
/* The same for a sentence. */
void file_folder_say(const struct place *place, char *dst, size_t size);
/*
 * Opens the folder (O_PATH) and sees to the watch; drops all items when it is another folder
 * than last time. The caller closes the descriptor. -errno with a sentence: no item is left.
 */
int file_folder_enter(struct place *place, struct error *err);
/* Drops the items, the watch and what it said. */
void file_folder_leave(struct place *place);
/* May that raw name be a lock here? */
bool file_folder_is_ours(const struct place *place, const char *raw);
/* Takes from the watch what it has; returns whether anything of ours is in it. */
bool file_folder_drain(struct place *place);

/* --- file_list.c --- */

/* Lists the folder and looks at every name; shows progress. 0 or -errno with a sentence. */
int file_list_all(struct place *place, int dir, struct backend_scan *scan, struct error *err);
/* Looks at the names that the watch touched: 0 or -ENOMEM. */
int file_list_touched(struct place *place, int dir);
/* Looks at one raw name. 0 with its item (found may be NULL), -ENOENT: none is there, -ENOMEM. */
int file_list_one(struct place *place, int dir, const char *raw, struct item **found);
/* Puts all locks into the snapshot. */
int file_list_fill(const struct place *place, struct snapshot *snapshot);
void file_list_drop(struct place *place);

/* --- file_item.c --- */

/* Looks at one name: 0, -ENOENT when it is gone, or -ENOMEM. */
int file_item_look(struct place *place, int dir, struct item *item);
void file_item_free(struct item *item);

/* --- file_process.c --- */

/* Looks at processes again, as far as time allows, and makes the locks again that name them. */
int file_process_look(struct place *place, bool is_hinted);
/* Drops the facts of processes that no lock names any more. */
void file_process_sweep(struct place *place);

/* --- file_kernel.c --- */

/* Reads the table, if the budget allows it now, and attaches what is new in it. 0 or -ENOMEM. */
int file_kernel_read(struct place *place);
/* The table afresh for one item, whatever the budget; without a table the lock's view says so. */
int file_kernel_look(struct place *place, struct item *item, struct error *err);
/* The item waits for the next table. */
bool file_kernel_is_wanted(const struct item *item);
/* An item came, went, or has another inode. */
void file_kernel_forget_inodes(struct place *place);

/* --- file_lock.c --- */

/* What a lock that is made again keeps of the one before it. */
struct before {
	bool is_known;
	enum kernel_view kernel;
	uint64_t dev, ino;
	char version[sizeof((struct lock *)0)->version];
	wall_t since;
	mono_t since_mono;
};

/* lock may be NULL: nothing is known. To be taken before an edit, which may be in place. */
struct before file_lock_before(const struct lock *lock);
/* The item's lock to be changed: itself if nobody else has it, else a copy. NULL: no memory. */
struct lock *file_lock_edit(const struct item *item);
/* Takes the edited lock; keeps the old one if both say the same. */
void file_lock_set(struct item *item, struct lock *lock);
/* Takes away holders, waiters, and what else the kernel's table says. */
void file_lock_clear(struct lock *lock);
/* The kernel's view of the same hold in the same inode is still true. 0 or -ENOMEM. */
int file_lock_keep_kernel(struct lock *lock, const struct lock *old);
/*
 * With record and kernel's view in the lock: adds the record's holder, and what follows from all
 * of it. Takes the lock, also when it fails. 0 or -ENOMEM.
 */
int file_lock_finish(
	struct place *place, struct item *item, struct lock *lock, const struct before *before);

bool file_lock_has_kernel_holder(const struct lock *lock);
/* The holder that only the record names, or NULL. */
struct process *file_lock_claimed(const struct lock *lock);
/* Can the record's pid be looked up on this machine? */
bool file_lock_is_from_here(const struct lock *lock);
wall_t file_lock_wall(int64_t seconds);

/* --- file_release.c, for the backend's table --- */

int file_look(void *state, const char *name, struct lock **lock, struct error *err);
int file_release(void *state, const char *name, struct backend_release *how, struct error *err);

#endif

/*
 * One lock as its source saw it: raw facts, no judgement (that is verdict.h). A lock is an
 * immutable, reference-counted value once it is in a snapshot. Every string in it is clean
 * (text_clean()); unknown is NULL, 0, -1 or the UNKNOWN word, as said at each member.
 */
#ifndef LOCKTOP_MODEL_LOCK_H
#define LOCKTOP_MODEL_LOCK_H

#include "base/clock.h"
#include "model/record.h"
#include <stdbool.h>

/* What kind of thing is locked. */
#define LOCK_KINDS(_)                                        \
	_(FILE, "file", "a lock file")                       \
	_(FLOCK, "flock", "flock(2)")                        \
	_(POSIX, "posix", "fcntl(2) record lock")            \
	_(OFD, "ofd", "fcntl(2) open file description lock") \
	_(LEASE, "lease", "fcntl(2) file lease")

enum lock_kind {
#define _(id, word, help) LOCK_##id,
	LOCK_KINDS(_)
#undef _
		LOCK_KIND_COUNT
};

/* What the backend can promise (design section 2). */
#define LOCK_CLASSES(_)                                              \
	_(KERNEL, "kernel", "the kernel proves liveness")            \
	_(LEASE, "lease", "true while clocks and the server behave") \
	_(VOLATILE, "volatile", "can be lost at any time")

enum lock_class {
#define _(id, word, help) LOCK_CLASS_##id,
	LOCK_CLASSES(_)
#undef _
		LOCK_CLASS_COUNT
};

/* What /proc says about a process. */
#define LIVES(_)                                                                  \
	_(UNKNOWN, "unknown") /* could not be asked: another host, or no /proc */ \
	_(ALIVE, "alive")                                                         \
	_(STOPPED, "stopped") /* alive, state T or t */                           \
	_(ZOMBIE, "zombie")   /* state Z or X */                                  \
	_(EXITING, "exiting") /* PF_EXITING: its locks are gone or going */       \
	_(GONE, "gone")       /* no such pid */

enum life {
#define _(id, word) LIFE_##id,
	LIVES(_)
#undef _
		LIFE_COUNT
};

/* How a claim of the record (host, boot, pid namespace) relates to where the source runs. */
#define RELATIONS(_)        \
	_(UNSAID, "unsaid") \
	_(SAME, "same")     \
	_(OTHER, "other")

enum relation {
#define _(id, word) RELATION_##id,
	RELATIONS(_)
#undef _
		RELATION_COUNT
};

/* What the source knows from /proc/locks about this inode. */
#define KERNEL_VIEWS(_)                                                                      \
	_(UNREAD, "unread")     /* not read since the lock took its present form */          \
	_(NONE, "none")         /* cannot be read here, or says nothing (NFS, no /proc) */   \
	_(PARTIAL, "partial")   /* read inside a pid namespace, which hides others' locks */ \
	_(COMPLETE, "complete") /* the holders with from_kernel are all there are */

enum kernel_view {
#define _(id, word) KERNEL_VIEW_##id,
	KERNEL_VIEWS(_)
#undef _
		KERNEL_VIEW_COUNT
};

/* Flags that a source observes; verdict.h adds the judged ones. */
#define LOCK_FLAGS(_)                                                                      \
	_(INTRUDED, "intruded", "two holders at once were seen")                           \
	_(TAKEN_OVER, "taken_over", "another holder took it while the first still had it") \
	_(VOLATILE, "volatile", "can be lost at any time")                                 \
	_(HOSTILE, "hostile", "the name or the record holds control characters")           \
	_(CONTENDED, "contended", "somebody waits")                                        \
	_(SKEWED, "clock_skew", "the record lies in the future")                           \
	_(POOL_WORKER, "pool_worker", "the pid is a pool worker: alive proves nothing")    \
	_(INHERITED, "inherited", "held through an inherited descriptor")                  \
	_(STOPPED, "stopped", "the holder is stopped")                                     \
	_(PAST, "data_old", "the source does not answer: this is what it last said")

enum lock_flag_bit {
#define _(id, word, help) LOCK_FLAG_BIT_##id,
	LOCK_FLAGS(_)
#undef _
		LOCK_FLAG_COUNT
};
#define LOCK_FLAG(id) (1u << LOCK_FLAG_BIT_##id)

enum { LOCK_MODE_UNKNOWN, LOCK_MODE_READ, LOCK_MODE_WRITE };

/* A holder or a waiter: never a bare pid. */
struct process {
	int32_t pid; /* 0: unknown */
	enum life life;
	uint64_t start;    /* field 22 of /proc/PID/stat, in ticks since boot; 0: unknown */
	wall_t started;    /* wall time of that; 0: unknown */
	int32_t uid;       /* -1: unknown */
	bool from_kernel;  /* the kernel names it (else: the record claims it) */
	bool is_inherited; /* not the taker: it has the descriptor from its parent */
	char comm[64];     /* clean name of the program, "" unknown */
	char *user;        /* owned; login name, NULL unknown */
	char *command;     /* owned; clean command line cut at 256 bytes, NULL unknown */
};

struct lock {
	unsigned int refs;
	enum lock_kind kind;
	enum lock_class class;
	enum kernel_view kernel;
	enum relation host_is; /* the record's host, boot id and pid namespace, seen from */
	enum relation boot_is; /* where the source runs */
	enum relation ns_is;
	unsigned int flags; /* LOCK_FLAG() */
	int mode;           /* LOCK_MODE_…: shared or exclusive, of the kernel's holders */
	char *name;         /* owned; clean, unique in its source */
	char *path;         /* owned; clean, absolute; NULL unknown or none */
	char *problem;      /* owned; what is wrong with it, in words; NULL: nothing */
	char *bytes; /* owned; the record's first bytes, clean, when it is corrupt or foreign */
	uint64_t dev, ino; /* compared together, always */
	int64_t from, to;  /* byte range; 0 and INT64_MAX: all of it */
	struct record record;
	wall_t written;     /* mtime; 0 unknown */
	wall_t since;       /* when it was taken, to show; 0 unknown */
	mono_t since_mono;  /* the same on the reader's CLOCK_BOOTTIME, fixed when first seen in */
			    /* this version, so that a wall-clock jump ages nothing; */
			    /* INT64_MIN unknown */
	wall_t expires;     /* end of the lease; 0 none */
	int64_t clock_step; /* ns by which the wall clock was set since this was written, as far as
			       is known */
	size_t holders, waiters;
	struct process *holder; /* owned array; kernel's first */
	struct process *waiter; /* owned array; longest waiting first where known */
	char version[64]; /* compared before every deed; the same while the same holder has it */
};

#define MONO_UNKNOWN INT64_MIN

/* The words of the enums above, and back (-1: no such word). */
const char *lock_kind_word(enum lock_kind kind);
const char *lock_class_word(enum lock_class class);
const char *life_word(enum life life);
const char *relation_word(enum relation relation);
const char *kernel_view_word(enum kernel_view view);
const char *lock_flag_word(enum lock_flag_bit bit);
int lock_kind_from_word(const char *word);
int lock_class_from_word(const char *word);
int life_from_word(const char *word);
int relation_from_word(const char *word);
int kernel_view_from_word(const char *word);
int lock_flag_from_word(const char *word);

/* A new lock with one reference and its own copy of the name; NULL when out of memory. */
struct lock *lock_new(const char *name);
/* A deep copy with one reference, to change before it is published; NULL when out of memory. */
struct lock *lock_copy(const struct lock *lock);
struct lock *lock_ref(struct lock *lock);
void lock_unref(struct lock *lock); /* NULL is allowed */
/* Do they say the same (refs apart)? What time alone changes is not in a lock. */
bool lock_equal(const struct lock *a, const struct lock *b);

/*
 * Appends a zeroed process (uid -1) to the holders or waiters of a lock that is not published
 * yet; NULL when out of memory.
 */
struct process *lock_add_holder(struct lock *lock);
struct process *lock_add_waiter(struct lock *lock);
int process_copy(struct process *to, const struct process *from); /* 0 or -ENOMEM */
bool process_equal(const struct process *a, const struct process *b);
void process_release(struct process *process); /* frees what it owns, not itself */

#endif

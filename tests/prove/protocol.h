/*
 * A way of taking a lock, as the proof drives it: LT1 through the provider's own code, or one that
 * it is compared with. One lock a process.
 */
#ifndef LOCKTOP_TESTS_PROTOCOL_H
#define LOCKTOP_TESTS_PROTOCOL_H

#include <stdbool.h>
#include <stdint.h>

/* How one acquisition is asked for, and what came of it. */
struct attempt {
	int64_t timeout; /* in: ns; 0 try once, -1 wait for ever */
	bool is_tidy;    /* in: give_back() removes the file instead of emptying it */
	int64_t fence;   /* out: 0 none */
	bool was_stale;  /* out: taken over from a dead holder */
};

struct protocol {
	const char *name;
	bool verifies; /* notices that its file was removed or replaced; has verify() */
	/* Once, before the first fork; all return 0 or -errno. */
	int (*prepare)(const char *path);
	/* In each worker. */
	int (*open)(void);
	/* -EBUSY, -ETIMEDOUT: somebody has it; else it is trouble that ends the test. */
	int (*acquire)(struct attempt *attempt);
	/* -ESTALE, -EKEYREJECTED: lost. */
	int (*verify)(void);
	int (*give_back)(void);
};

extern const struct protocol protocol_lt1;     /* src/backends/file_lt1.c */
extern const struct protocol protocol_seed;    /* look, then write: others.c */
extern const struct protocol protocol_by_path; /* link(2); stale ones unlinked by path */
extern const struct protocol protocol_flock;   /* flock of a file that is never removed: control */
extern const struct protocol protocol_none;    /* no lock at all: control */

#endif

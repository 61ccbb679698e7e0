/*
 * Where the program looks at the machine: the root under which /proc is read, and the clock.
 * Tests give a recorded tree and a fake clock; nothing else in the program names "/proc".
 */
#ifndef LOCKTOP_SYSTEM_WORLD_H
#define LOCKTOP_SYSTEM_WORLD_H

#include "base/clock.h"
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct error;

struct world {
	int proc;                  /* descriptor of ROOT/proc, O_PATH; -1: there is none */
	bool is_real;              /* "/": pids may be asked, watched and signalled */
	const struct clock *clock; /* borrowed */
};

/*
 * root NULL or "/": this machine. -errno with a sentence when ROOT/proc cannot be opened, or is
 * empty because nobody mounted it; world is untouched then.
 */
int world_open(struct world *world, const char *root, const struct clock *clock, struct error *err);
void world_close(struct world *world);
/*
 * Reads a file under proc ("locks", "4711/stat") into dst, NUL-terminated. Returns its length
 * (cut at size - 1), or -errno.
 */
ssize_t world_read(const struct world *world, const char *path, char *dst, size_t size);
/* The same below a descriptor of world_openat(), which names one process even if its pid is
 * given to another: -ESRCH then. */
ssize_t world_read_at(int dir, const char *path, char *dst, size_t size);
/*
 * Reads all of it with one big buffer; *data is NUL-terminated and owned by the caller. Length
 * or -errno. *reads (may be NULL) is how many read(2) gave something: of a file that the kernel
 * makes as it is read, more than one means that it changed meanwhile, perhaps.
 */
ssize_t world_read_all(
	const struct world *world, const char *path, char **data, unsigned int *reads);
/* readlink(2) under proc, NUL-terminated. Length or -errno. */
ssize_t world_link(const struct world *world, const char *path, char *dst, size_t size);
/* Opens under proc, O_CLOEXEC added. Descriptor or -errno. */
int world_openat(const struct world *world, const char *path, int flags);

/*
 * By how much the wall clock was set forward since this machine booted, in ns, as far as can be
 * told; 0: not at all, or nothing is known. A virtual machine that goes on from a snapshot does
 * that: CLOCK_BOOTTIME knows nothing of the time in between, so every process seems to have
 * started later by as much than what it wrote before. The witness is /dev/null, which the kernel
 * makes at boot.
 */
int64_t world_step_since_boot(const struct world *world);
/* The same from the witness's time stamp and the time at which the boot seems to have been. */
int64_t world_step_between(wall_t witness, wall_t boot);

#endif

/*
 * The fence of a lock file: a number that is larger at each acquisition of the name, kept in
 * ".NAME.fence" beside it. Only who has the flock of the lock file calls fence_next(), so the
 * counter itself needs no lock.
 *
 * Its content is one line of fixed width, "NEXT CEILING BOOT8\n": the next number to be given out
 * and the first that may not be given out before a sync, each with 19 digits, and the first 8
 * digits of the boot id under which it was written. Fixed, so that each write is of the same bytes
 * in place and a process that is killed leaves the old line or the new one.
 *
 * It survives crashes of processes by being written before it is used, and of the machine without
 * a sync for each: CEILING is synced ahead (fdatasync(2), once every FENCE_STRIDE), and the first
 * acquisition after a boot goes on from there. So numbers may be left out, never repeated. What
 * takes them back is only what takes back the file: its removal, or a restored snapshot of it.
 */
#ifndef LOCKTOP_SYSTEM_FENCE_H
#define LOCKTOP_SYSTEM_FENCE_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct error;

enum { FENCE_STRIDE = 1024 };

/*
 * The next number, or -errno with a sentence (no right, disk full, not a regular file, content
 * that is not a counter: it is never guessed). dir and name are the lock file's; boot is the
 * first 8 digits of the boot id ("": unknown, then each number is synced ahead of); mode is of the
 * file if it has to be made.
 */
int fence_next(int dir, const char *name, const char *boot, mode_t mode, int64_t *fence,
	struct error *err);
/* The last number given out; 0: none yet. Changes nothing. */
int fence_last(int dir, const char *name, int64_t *fence, struct error *err);

#endif

/*
 * A file that nobody sees before it is complete: made without a name where the file system can
 * (open(2), O_TMPFILE), else as ".NAME.PID.RANDOM", and given its name only if nothing has it.
 */
#ifndef LOCKTOP_SYSTEM_DRAFT_H
#define LOCKTOP_SYSTEM_DRAFT_H

#include "system/world.h"
#include <limits.h>
#include <sys/types.h>

struct draft {
	int fd;                  /* owned until it is published; read and write */
	int dir;                 /* borrowed; the folder */
	char temp[NAME_MAX + 1]; /* "": it has no name */
};

/*
 * Makes it in the folder behind dir (O_PATH will do), for `name`. world NULL: with a name from the
 * beginning. 0 or -errno: nothing was made then.
 */
int draft_open(
	struct draft *draft, const struct world *world, int dir, const char *name, mode_t mode);
/*
 * Gives it the name: 0, and draft->fd is the caller's. -EEXIST: something has that name; or
 * another -errno.
 */
int draft_publish(struct draft *draft, const struct world *world, const char *name);
/* Removes what is not published, and closes it. */
void draft_drop(struct draft *draft);

#endif

/*
 * Inside kernlocks: who has a descriptor with which lock, and which processes were looked up.
 */
#ifndef LOCKTOP_SYSTEM_KERNLOCKS_WALK_H
#define LOCKTOP_SYSTEM_KERNLOCKS_WALK_H

#include "system/kernlocks.h"

/* All that the table and fdinfo say both: 0 for the same lock, or one that looks the same. */
int kernlocks_compare(const struct kernlock *a, const struct kernlock *b);

/*
 * Appends what only from has, with its waiters. Both as they were read, not walked. How many
 * locks that were, or -ENOMEM.
 */
int kernlocks_unite(struct kernlocks *to, const struct kernlocks *from);

/* Fills holder and saw_all_fds, and places the locks by what was found. 0 or -errno. */
int kernlocks_walk(const struct world *world, struct kernlocks *locks);

/* NULL when out of memory. */
struct kernlocks_seen *kernlocks_seen_new(void);
void kernlocks_seen_free(struct kernlocks_seen *seen);

#endif

/*
 * The processes that hold locks, watched by pidfd behind one epoll descriptor, so that an end is
 * an event: a pidfd becomes readable when its process ends (pidfd_open(2)).
 */
#ifndef LOCKTOP_ENGINE_HOLDERS_H
#define LOCKTOP_ENGINE_HOLDERS_H

#include "model/snapshot.h"

struct holders {
	int epoll;             /* to be polled; -1: nobody can be watched here */
	size_t most;           /* of them: half of the descriptors that this process may have */
	struct holder *holder; /* owned; sorted by pid */
	size_t n;
};

/* Watching begins with the first look. Never fails: what cannot be watched is found by looking. */
void holders_init(struct holders *holders);
/*
 * Watches whom the snapshot says to live here, and nobody else. Returns true if one of them was
 * not there any more: the snapshot is out of date.
 */
bool holders_set(struct holders *holders, const struct snapshot *snapshot);
/* A process that has ended, and is no longer watched: its pid; 0: none is left. */
int32_t holders_next_ended(struct holders *holders);
void holders_release(struct holders *holders);

#endif

/*
 * Waits in the kernel's queue for the flock of an open file: blocking flock(2) by this process,
 * where a signal can end it, else by a helper process on the same open file description.
 */
#ifndef LOCKTOP_BACKENDS_FILE_QUEUE_H
#define LOCKTOP_BACKENDS_FILE_QUEUE_H

#include "backends/provider.h"

enum { FILE_QUEUE_MOOT = 1 };

struct queue {
	const struct world *world; /* borrowed */
	int fd;
	/*
	 * Is there no use in waiting for this file any more? Asked after every interruption, and
	 * by the helper's way every few seconds. NULL: never.
	 */
	bool (*is_moot)(void *data);
	void *data;
};

/*
 * 0: the flock is there. FILE_QUEUE_MOOT, -ETIMEDOUT, -ECANCELED, what tick() said, or another
 * -errno: there is none, or it is to be dropped by closing the descriptor.
 */
int file_queue_wait(const struct queue *queue, const struct patience *patience);

#endif

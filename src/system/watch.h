/*
 * Watching a folder: inotify(7) is a hint that something changed, never the truth (it loses
 * events when its queue overflows, sees nothing of NFS peers and nothing of flock(2)). Where it
 * cannot be had the watch says so and the owner polls.
 */
#ifndef LOCKTOP_SYSTEM_WATCH_H
#define LOCKTOP_SYSTEM_WATCH_H

#include <stdbool.h>
#include <stddef.h>

struct watch;

/* What watch_drain() found. */
enum {
	WATCH_CHANGED = 1,  /* names were touched: watch_name() tells which, if not OVERFLOW */
	WATCH_OVERFLOW = 2, /* events were lost, or too many names: look at everything */
	WATCH_GONE = 4,     /* the folder itself was deleted or moved away: open a new watch */
	WATCH_OPENED = 8,   /* something was opened or closed: a flock may have changed */
};

/*
 * Watches a folder. Never fails for want of inotify: then watch_fd() is -1 and watch_why() says
 * why ("no inotify watch left (fs.inotify.max_user_watches)", "nfs: remote changes raise no
 * event"). NULL with errno when there is no memory or no such folder.
 */
struct watch *watch_open(const char *folder);
void watch_close(struct watch *watch);
/* Readable when there is something to drain; -1: poll instead. */
int watch_fd(const struct watch *watch);
const char *watch_why(const struct watch *watch); /* NULL: inotify works */
/* Reads all events; returns WATCH_ bits. Names are kept until the next drain. */
int watch_drain(struct watch *watch);
/*
 * Reading the files of a folder raises OPENED itself, so that who looks at each of them would
 * wake for ever. To be called after such a look: forgets openings and closings so far; what has
 * CHANGED (OVERFLOW, GONE) is returned, and again by the next watch_drain() with its names. Not
 * 0: it came during the look, look again. An opening of somebody else's that is lost that way is
 * found by the regular look.
 */
int watch_forget_opened(struct watch *watch);
/*
 * Is the path still the watched folder? One stat(2), for the regular look: a folder that somebody
 * (oneself) has open raises no event when it is deleted, nor does a move of its parents.
 */
bool watch_is_there(const struct watch *watch);
/* The i-th name that was touched (raw bytes, no doubles), NULL at the end. Borrowed. */
const char *watch_name(const struct watch *watch, size_t i);

#endif

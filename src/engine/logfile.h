/*
 * Opening a log that is appended to: the audit log and the metrics log. What stands in its place
 * and is none is refused: a symbolic link, a FIFO, a device, a file with another hard link,
 * another's file.
 */
#ifndef LOCKTOP_ENGINE_LOGFILE_H
#define LOCKTOP_ENGINE_LOGFILE_H

#include <stdbool.h>

struct error;
struct stat;

struct logfile {
	const char *path;
	const char *what; /* for sentences: "audit log" */
	/* Folders that are missing are made: 0700, for root 0750; those above it 0755. */
	bool makes_folder;
	/* The folder is checked even where the file is there already; else when it is made. */
	bool is_strict;
	bool is_read;   /* opened for reading, too */
	bool is_shared; /* root's file will do as well as our own, if it may be written */
};

/*
 * Opens it for appending, and makes it (0600, for root 0640) where it is missing. A folder that is
 * checked has to be ours or root's, no symbolic link, and nobody else may put files there. Returns
 * the descriptor and what fstat(2) says of it, or -errno with a sentence.
 */
int logfile_open(const struct logfile *log, struct stat *st, struct error *err);
/*
 * Where a log of that name is when nothing else was said: LOCKTOP_LOCALSTATEDIR/log/locktop/NAME
 * for root, else $XDG_STATE_HOME/locktop/NAME (~/.local/state). The caller's; NULL: no memory.
 */
char *logfile_usual_path(const char *name);

#endif

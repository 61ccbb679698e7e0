/*
 * A file that is replaced as a whole: who reads it sees the old one or the new one, never a part.
 * Written beside it as ".NAME.PID.RANDOM", synced, then renamed.
 */
#ifndef LOCKTOP_SYSTEM_OUTFILE_H
#define LOCKTOP_SYSTEM_OUTFILE_H

#include <stddef.h>
#include <sys/types.h>

struct error;

/*
 * Makes the file at path hold these bytes, with that mode whatever the umask is. What is there and
 * is no regular file (a folder, a device, a symbolic link) is refused. 0, or -errno with a
 * sentence: then nothing has changed and nothing is left behind. TERM and its like wait until it
 * is done.
 */
int outfile_write(const char *path, const char *data, size_t len, mode_t mode, struct error *err);

#endif

/* What acquiring a lock file and keeping it share: the file behind the name, and its record. */
#ifndef LOCKTOP_BACKENDS_FILE_LT1_PRIVATE_H
#define LOCKTOP_BACKENDS_FILE_LT1_PRIVATE_H

#include "backends/file_lt1.h"
#include "system/lockfile.h"

/* Besides 0 and -errno: something else was done to the name meanwhile; from the start. */
enum { LT1_AGAIN = 1 };

/*
 * Opens the folder: 0 or -errno. -ENOTSUP: it is of a file system that emulates flock(2) or keeps
 * it to this host.
 */
int lt1_enter(struct lt1 *lt1, struct error *err);
/* Closes the descriptors, and so ends the flock. */
void lt1_leave(struct lt1 *lt1);
/* Opens the file: 0, LT1_AGAIN, -ENOENT without a sentence: there is none; or a refusal. */
int lt1_open_file(struct lt1 *lt1, struct error *err);
/*
 * Is the name still that of the descriptor (known by dev and ino)? 0, -ESTALE with a sentence, or
 * another -errno.
 */
int lt1_is_named(const struct lt1 *lt1, struct error *err);
/* After a flock: 0 with what the file is, or LT1_AGAIN, or a refusal. */
int lt1_settle(struct lt1 *lt1, struct lockfile_stat *stat, struct error *err);
/* The record of this moment: its length, in lt1->text; or -errno. */
int lt1_compose(struct lt1 *lt1, const struct claim *claim, struct error *err);
/* Puts lt1->text into the file, which has now `size` bytes. */
int lt1_write(struct lt1 *lt1, int64_t size, struct error *err);

#endif

/*
 * Inside logtail.h:
 *
 *   logtail.c         a log: opened, at its end too, in parts; the next line of it
 *   logtail_file.c    one file: opened, read in steps, cut into lines
 *   logtail_rotate.c  what became of the name: moved, truncated, deleted
 *   logtail_seek.c    the search by time
 *   logtail_files.c   which files there are
 */
#ifndef LOCKTOP_SYSTEM_LOGTAIL_PRIVATE_H
#define LOCKTOP_SYSTEM_LOGTAIL_PRIVATE_H

#include "system/logtail.h"

struct stat;

bool logtail_is_gz(const char *path);

/*
 * Opens a path of the tail's log, at its start. 0, -ENOENT without a sentence, or another -errno
 * with one.
 */
int logtail_file_open(struct logtail *tail, const char *path, struct logtail_file *file,
	struct stat *st, struct error *err);
void logtail_file_close(struct logtail_file *file);
/* Those bytes stand in front of what is read next. */
void logtail_file_remember(struct logtail_file *file, const char *data, size_t len);
/* Only half a line is left in the buffer, at most. 1: something was read; 0: no more; or -errno. */
int logtail_file_fill(struct logtail *tail, struct logtail_file *file);
/* The next line in the buffer; false: there is only half a one, or none. */
bool logtail_file_take(struct logtail *tail, struct logtail_file *file, char **line, size_t *len);
/* Half a line at the end, of which no more will come: handed out, or lost and counted. */
bool logtail_file_rest(struct logtail_file *file, char **line, size_t *len);
void logtail_file_lose_rest(struct logtail *tail, struct logtail_file *file);
/* "cannot WHAT the log …" */
int logtail_cannot(const struct logtail *tail, const char *what, int code, struct error *err);

/* It was truncated. 1: there may be more to read; 0: not here, for the beginning is not wanted. */
int logtail_restart(struct logtail *tail, struct logtail_file *file);
/*
 * At the end of what there is: is the file still the one that the name leads to, and as long as it
 * was? 1: there may be more to read now; 0; or -errno with a sentence.
 */
int logtail_follow(struct logtail *tail, struct error *err);
/* What was rotated away is closed when nobody will write to it any more. */
void logtail_close_old(struct logtail *tail, bool at_once);

#endif

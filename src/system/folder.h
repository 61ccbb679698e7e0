/*
 * The names in a folder that match a pattern, read without touching the folder's access time
 * where that is allowed.
 */
#ifndef LOCKTOP_SYSTEM_FOLDER_H
#define LOCKTOP_SYSTEM_FOLDER_H

#include <stdbool.h>
#include <stddef.h>

struct folder_name {
	char *raw;   /* owned; as the file system has it */
	char *clean; /* owned; text_clean() of it; the same pointer as raw where nothing changes */
};

struct folder {
	struct folder_name *name; /* owned; sorted by clean, without doubles */
	size_t n, size;
};

/*
 * Does the name match the shell pattern? A leading dot has to be matched by one. The fence of a
 * lock file (system/fence.h), which is none itself, matches no pattern.
 */
bool folder_matches(const char *pattern, const char *raw);
/* Makes the clean name; 0 or -ENOMEM. */
int folder_name_make(struct folder_name *name, const char *raw);
void folder_name_release(struct folder_name *name);
/*
 * Lists the folder behind the descriptor (O_PATH will do). 0, -ENOMEM, or another -errno; the
 * list is empty then.
 */
int folder_list(struct folder *folder, int dir, const char *pattern);
void folder_release(struct folder *folder);

/* The path as seen from the current folder, for the caller to free; NULL with errno. */
char *folder_absolute(const char *path);

#endif

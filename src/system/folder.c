/* The names in a folder that match a pattern. */
#include "config.h"

#include "system/folder.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/text.h"

static bool is_fence(const char *raw)
{
	size_t len = strlen(raw), tail = strlen(".fence");

	return raw[0] == '.' && len > tail && strcmp(raw + len - tail, ".fence") == 0;
}

bool folder_matches(const char *pattern, const char *raw)
{
	return !is_fence(raw) && fnmatch(pattern, raw, FNM_PERIOD) == 0 && strcmp(raw, ".") != 0 &&
	       strcmp(raw, "..") != 0;
}

int folder_name_make(struct folder_name *name, const char *raw)
{
	size_t len = strlen(raw);

	name->raw = strdup(raw);
	if (!name->raw)
		return -ENOMEM;
	name->clean = name->raw;
	/* A backslash is clean, but escaped all the same, so that no name can look like another. */
	if (text_is_clean(raw, len) && !memchr(raw, '\\', len))
		return 0;
	name->clean = text_clean_dup(raw, len);
	if (name->clean)
		return 0;
	free(name->raw);
	name->raw = NULL;
	return -ENOMEM;
}

void folder_name_release(struct folder_name *name)
{
	if (name->clean != name->raw)
		free(name->clean);
	free(name->raw);
	*name = (struct folder_name){0};
}

static int compare_names(const void *a, const void *b)
{
	return strcmp(
		((const struct folder_name *)a)->clean, ((const struct folder_name *)b)->clean);
}

static int add_name(struct folder *folder, const char *raw)
{
	int result;

	if (folder->n == folder->size) {
		size_t size = folder->size ? 2 * folder->size : 64;
		struct folder_name *name = realloc(folder->name, size * sizeof *name);

		if (!name)
			return -ENOMEM;
		folder->name = name;
		folder->size = size;
	}
	result = folder_name_make(&folder->name[folder->n], raw);
	if (result == 0)
		folder->n++;
	return result;
}

/* A folder that changes while it is read may give a name twice (readdir(3)). */
static void drop_doubles(struct folder *folder)
{
	size_t kept = 0;

	for (size_t i = 0; i < folder->n; i++) {
		if (kept && compare_names(&folder->name[kept - 1], &folder->name[i]) == 0)
			folder_name_release(&folder->name[i]);
		else
			folder->name[kept++] = folder->name[i];
	}
	folder->n = kept;
}

static int read_names(struct folder *folder, DIR *stream, const char *pattern)
{
	const struct dirent *entry;
	int result;

	while (errno = 0, (entry = readdir(stream))) {
		if (!folder_matches(pattern, entry->d_name))
			continue;
		result = add_name(folder, entry->d_name);
		if (result < 0)
			return result;
	}
	return -errno;
}

static DIR *open_stream(int dir)
{
	int flags = O_RDONLY | O_DIRECTORY | O_CLOEXEC;
	int fd = openat(dir, ".", flags | O_NOATIME);
	DIR *stream;

	if (fd < 0 && errno == EPERM)
		fd = openat(dir, ".", flags);
	if (fd < 0)
		return NULL;
	stream = fdopendir(fd);
	if (!stream)
		close(fd);
	return stream;
}

int folder_list(struct folder *folder, int dir, const char *pattern)
{
	DIR *stream = open_stream(dir);
	int result;

	*folder = (struct folder){0};
	if (!stream)
		return -errno;
	result = read_names(folder, stream, pattern);
	closedir(stream);
	if (result < 0) {
		folder_release(folder);
		return result;
	}
	if (folder->n)
		qsort(folder->name, folder->n, sizeof *folder->name, compare_names);
	drop_doubles(folder);
	return 0;
}

void folder_release(struct folder *folder)
{
	for (size_t i = 0; i < folder->n; i++)
		folder_name_release(&folder->name[i]);
	free(folder->name);
	*folder = (struct folder){0};
}

char *folder_absolute(const char *path)
{
	char *here, *whole = NULL;

	if (*path == '/')
		return strdup(path);
	here = getcwd(NULL, 0);
	if (!here)
		return NULL;
	if (asprintf(&whole, "%s/%s", strcmp(here, "/") == 0 ? "" : here, path) < 0) {
		whole = NULL;
		errno = ENOMEM;
	}
	free(here);
	return whole;
}

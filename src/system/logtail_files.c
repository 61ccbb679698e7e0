/* Which files a log is in: by pattern, and those that were rotated away. */
#include "config.h"
#include "system/logtail.h"

#include <dirent.h>
#include <errno.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

struct file {
	char *path;     /* owned */
	char order[96]; /* of the rotated ones: the oldest is the smallest */
	uint64_t dev, ino;
};

struct list {
	struct file *file; /* owned */
	size_t n, size;
};

static void release(struct list *list)
{
	for (size_t i = 0; i < list->n; i++)
		free(list->file[i].path);
	free(list->file);
	*list = (struct list){0};
}

/* Takes the path, also when it fails: 0 or -ENOMEM. */
static int append(struct list *list, char *path, const char *order, const struct stat *st)
{
	struct file *more = list->file;
	size_t size = list->size ? 2 * list->size : 16;

	if (path && list->n == list->size) {
		more = reallocarray(more, size, sizeof *more);
		if (more) {
			list->file = more;
			list->size = size;
		}
	}
	if (!path || !more) {
		free(path);
		return -ENOMEM;
	}
	list->file[list->n] = (struct file){.path = path, .dev = st->st_dev, .ino = st->st_ino};
	snprintf(list->file[list->n].order, sizeof list->file->order, "%s", order);
	list->n++;
	return 0;
}

static bool has_file(const struct list *list, const struct stat *st)
{
	for (size_t i = 0; i < list->n; i++)
		if (list->file[i].dev == st->st_dev && list->file[i].ino == st->st_ino)
			return true;
	return false;
}

static const char *base_of(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

/* --- names of rotated files --- */

static bool ends_in(const char *text, size_t len, const char *suffix)
{
	size_t tail = strlen(suffix);

	return len > tail && memcmp(text + len - tail, suffix, tail) == 0;
}

/*
 * ".1", ".12", "-20261123", "-20261123-1763866361", ".2026-11-23_03": what stands for when. Small
 * numbers count backwards in time, and are younger than no date; a date is in order as its digits
 * are (dateformat of logrotate(8), whose usual one is -%Y%m%d).
 */
static bool order_of(const char *text, size_t len, char *order, size_t size)
{
	char digits[64];
	size_t n = 0;

	if (len < 2 || (text[0] != '.' && text[0] != '-') || text[len - 1] < '0' ||
		text[len - 1] > '9')
		return false;
	for (size_t i = 1; i < len; i++) {
		bool is_digit = text[i] >= '0' && text[i] <= '9';

		if (!is_digit && !strchr("-_.:T", text[i]))
			return false;
		if (is_digit && n == sizeof digits - 1)
			return false;
		if (is_digit)
			digits[n++] = text[i];
	}
	digits[n] = '\0';
	if (n > 5)
		snprintf(order, size, "a%s", digits);
	else if (text[0] == '-')
		return false; /* x-2.log is a log of its own */
	else
		snprintf(order, size, "b%05d", 99999 - atoi(digits));
	return true;
}

/*
 * logrotate(8) with `create` finds that a writer was faster, and moves what that made out of the
 * way: x-2026112303.backup, the youngest of all.
 */
#define BACKUP ".backup"

/*
 * Is that name one of a file that was rotated away from the log `base`? logrotate's `extension`
 * puts the number in front of the last dot: x.jsonl becomes x.1.jsonl, or x-20261123.jsonl.gz.
 */
static bool is_rotated(const char *base, const char *name, char *order, size_t size)
{
	size_t len = strlen(name), stem = strlen(base), tail;
	const char *dot = strrchr(base, '.');

	if (ends_in(name, len, BACKUP)) {
		len -= strlen(BACKUP);
		*order = 'c';
		return len > stem && memcmp(name, base, stem) == 0 &&
		       order_of(name + stem, len - stem, order + 1, size - 1);
	}
	if (ends_in(name, len, ".gz"))
		len -= 3;
	if (len > stem && memcmp(name, base, stem) == 0 &&
		order_of(name + stem, len - stem, order, size))
		return true;
	if (!dot || dot == base)
		return false;
	tail = strlen(dot);
	stem -= tail;
	return len > stem + tail && memcmp(name, base, stem) == 0 &&
	       memcmp(name + len - tail, dot, tail) == 0 &&
	       order_of(name + stem, len - stem - tail, order, size);
}

static int by_order(const void *a, const void *b)
{
	const struct file *left = a, *right = b;
	int order = strcmp(left->order, right->order);

	return order ? order : strcmp(left->path, right->path);
}

/* While it is being compressed there are both, and x.1 is complete. */
static bool is_plain_there(const char *path)
{
	size_t len = strlen(path);
	struct stat st;
	bool is_there;
	char *plain;

	if (!ends_in(path, len, ".gz"))
		return false;
	plain = strndup(path, len - 3);
	is_there = plain && stat(plain, &st) == 0 && S_ISREG(st.st_mode);
	free(plain);
	return is_there;
}

static int add_rotated_file(struct list *list, const char *path, const char *name)
{
	int folder = (int)(base_of(path) - path);
	char order[sizeof list->file->order];
	struct stat st;
	char *full;

	if (!is_rotated(path + folder, name, order, sizeof order))
		return 0;
	if (asprintf(&full, "%.*s%s", folder, path, name) < 0)
		return -ENOMEM;
	if (stat(full, &st) == 0 && S_ISREG(st.st_mode) && !is_plain_there(full))
		return append(list, full, order, &st);
	free(full);
	return 0;
}

/* What was rotated away from the log, the oldest first. 0 or -ENOMEM. */
static int find_rotated(struct list *list, const char *path)
{
	size_t len = (size_t)(base_of(path) - path);
	char *folder = len ? strndup(path, len) : strdup(".");
	DIR *dir = folder ? opendir(folder) : NULL;
	int result = folder ? 0 : -ENOMEM;
	struct dirent *entry;

	free(folder);
	while (dir && result == 0 && (entry = readdir(dir)))
		result = add_rotated_file(list, path, entry->d_name);
	if (dir)
		closedir(dir);
	if (list->n)
		qsort(list->file, list->n, sizeof *list->file, by_order);
	return result;
}

/* --- patterns --- */

static int find_match(struct list *list, const char *path, bool is_named)
{
	struct stat st;

	if (stat(path, &st) < 0)
		return 0;
	/* What was named and is no log is refused in words, by who opens it. */
	if ((!S_ISREG(st.st_mode) && !is_named) || has_file(list, &st))
		return 0;
	return append(list, strdup(path), "", &st);
}

static int find_matches(struct list *list, const char *pattern)
{
	glob_t found = {0};
	int result = find_match(list, pattern, true), code;

	code = glob(pattern, 0, NULL, &found);
	if (code == GLOB_NOSPACE)
		result = -ENOMEM;
	for (size_t i = 0; code == 0 && i < found.gl_pathc && result == 0; i++)
		result = find_match(list, found.gl_pathv[i], false);
	globfree(&found);
	return result;
}

/* "*" also finds what was rotated away from another log that it finds. */
static bool is_rotated_from_another(const struct list *list, size_t i)
{
	const char *path = list->file[i].path, *name = base_of(path);
	char order[sizeof list->file->order];

	for (size_t k = 0; k < list->n; k++) {
		const char *other = list->file[k].path;
		size_t folder = (size_t)(base_of(other) - other);

		if (k != i && folder == (size_t)(name - path) && memcmp(other, path, folder) == 0 &&
			is_rotated(other + folder, name, order, sizeof order))
			return true;
	}
	return false;
}

static int move_files(struct list *to, const struct list *from)
{
	int result = 0;

	for (size_t i = 0; i < from->n && result == 0; i++) {
		const struct file *file = &from->file[i];
		struct stat st = {.st_dev = file->dev, .st_ino = file->ino};

		if (!has_file(to, &st))
			result = append(to, strdup(file->path), "", &st);
	}
	return result;
}

static int add_log(struct list *files, const struct file *log, bool rotated)
{
	struct list family = {0};
	struct stat st = {.st_dev = log->dev, .st_ino = log->ino};
	int result = rotated ? find_rotated(&family, log->path) : 0;

	if (result == 0)
		result = append(&family, strdup(log->path), "", &st);
	if (result == 0)
		result = move_files(files, &family);
	release(&family);
	return result;
}

static char **paths_of(struct list *list)
{
	char **path = calloc(list->n + 1, sizeof *path);

	for (size_t i = 0; path && i < list->n; i++) {
		path[i] = list->file[i].path;
		list->file[i].path = NULL;
	}
	return path;
}

char **logtail_rotated(const char *path)
{
	struct list files = {0};
	int result = find_rotated(&files, path);
	char **paths = result == 0 ? paths_of(&files) : NULL;

	release(&files);
	return paths;
}

char **logtail_files(const char *pattern, bool rotated)
{
	struct list logs = {0}, files = {0};
	int result = find_matches(&logs, pattern);
	char **paths = NULL;

	/* It was moved away, and the next one is not there yet. */
	if (result == 0 && logs.n == 0 && rotated)
		result = find_rotated(&files, pattern);
	for (size_t i = 0; i < logs.n && result == 0; i++)
		if (!is_rotated_from_another(&logs, i))
			result = add_log(&files, &logs.file[i], rotated);
	if (result == 0)
		paths = paths_of(&files);
	release(&logs);
	release(&files);
	return paths;
}

void logtail_files_free(char **files)
{
	for (size_t i = 0; files && files[i]; i++)
		free(files[i]);
	free(files);
}

/* Which logs there are, and which part of them is past. */
#include "config.h"

#include "backends/log_private.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/error.h"

#define HOUR (3600 * NS_PER_S)
#define DAY  (24 * HOUR)

/* --- files --- */

void log_lines_release(struct log_lines *lines)
{
	logtail_release(&lines->tail);
	metric_reader_release(&lines->reader);
	*lines = (struct log_lines){0};
}

static void free_file(struct log_file *file)
{
	if (!file)
		return;
	log_lines_release(&file->lines);
	free(file->real);
	free(file);
}

static void free_past(struct log_past *past)
{
	if (!past)
		return;
	log_lines_release(&past->lines);
	free(past);
}

void log_past_release(struct log *log)
{
	log_lines_release(&log->piece);
	for (size_t i = 0; i < log->pasts; i++)
		free_past(log->past[i]);
	log->pasts = 0;
	log->reading = NULL;
	log->has_past = false;
}

static void release_aliases(struct log_alias *alias, size_t n)
{
	for (size_t i = 0; i < n; i++)
		free(alias[i].path);
	free(alias);
}

void log_files_release(struct log *log)
{
	log_past_release(log);
	free(log->past);
	for (size_t i = 0; i < log->files; i++)
		free_file(log->file[i]);
	free(log->file);
	release_aliases(log->alias, log->aliases);
}

/* Room for one more in an array; false: no memory. */
static bool make_room(void *array, size_t n, size_t *size, size_t each)
{
	size_t wanted = *size ? 2 * *size : 8;
	void *old, *more;

	if (n < *size)
		return true;
	memcpy(&old, array, sizeof old);
	more = reallocarray(old, wanted, each);
	if (!more)
		return false;
	memcpy(array, &more, sizeof more);
	*size = wanted;
	return true;
}

static struct log_file *find_file(const struct log *log, const char *path)
{
	for (size_t i = 0; i < log->files; i++)
		if (strcmp(log->file[i]->lines.tail.path, path) == 0)
			return log->file[i];
	return NULL;
}

static bool is_same(const struct logtail_file *file, const struct stat *st)
{
	return file->fd >= 0 && file->dev == st->st_dev && file->ino == st->st_ino;
}

static bool is_followed(const struct log *log, const struct stat *st)
{
	for (size_t i = 0; i < log->files; i++) {
		const struct logtail *tail = &log->file[i]->lines.tail;

		if (is_same(&tail->now, st) || is_same(&tail->old, st))
			return true;
	}
	return false;
}

/* --- the past --- */

static struct log_past *add_past(struct log *log)
{
	struct log_past *past = calloc(1, sizeof *past);

	if (past && make_room(&log->past, log->pasts, &log->pasts_size, sizeof *log->past)) {
		past->whole = -1;
		log->past[log->pasts++] = past;
		log->has_past = true;
		return past;
	}
	free(past);
	return NULL;
}

/* From where on lines are of that time, but not behind `end`. */
static off_t border_of(const struct logtail *tail, off_t end, wall_t since)
{
	uint64_t bytes = 0;
	off_t at = logtail_seek(tail->now.fd, end, since, metric_read_time, &bytes);

	return at < end ? at : end;
}

/* What stands in front of where the file is followed from. */
static int add_front(struct log *log, const struct log_file *file)
{
	const struct logtail *tail = &file->lines.tail;
	int64_t age[LOG_PARTS] = {HOUR, DAY, log->window};
	struct log_past *past;
	int result;

	if (tail->is_compressed || tail->now.at == 0)
		return 0;
	past = add_past(log);
	result = past ? logtail_part(&past->lines.tail, tail, 0, 0) : -ENOMEM;
	if (result < 0)
		return result; /* an empty one is read, and nothing comes */
	past->file = file;
	past->truncations = tail->truncations;
	past->border[0] = tail->now.at;
	for (int i = 0; i < LOG_PARTS; i++)
		past->border[i + 1] = border_of(tail, past->border[i],
			log->wall - (age[i] < log->window ? age[i] : log->window));
	return 0;
}

static int part_of_age(int64_t age)
{
	return age < HOUR ? 0 : age < DAY ? 1 : 2;
}

static int add_rotated_file(struct log *log, const char *path)
{
	struct log_past *past;
	wall_t written;
	struct stat st;
	int result;

	if (stat(path, &st) < 0 || is_followed(log, &st))
		return 0;
	written = st.st_mtim.tv_sec * NS_PER_S + st.st_mtim.tv_nsec;
	if (log->wall - written > log->window)
		return 0;
	past = add_past(log);
	result = past ? logtail_init(&past->lines.tail, path) : -ENOMEM;
	if (result < 0)
		return result;
	past->whole = part_of_age(log->wall - written);
	past->lines.tail.is_fixed = true;
	past->lines.tail.clock = log->world->clock;
	/* One that cannot be opened has no lines: the past is not worth a fault. */
	result = logtail_open(&past->lines.tail, log->wall - log->window, metric_read_time, NULL);
	past->lines.is_understood = past->lines.tail.now.at == 0;
	return result == -ENOMEM ? result : 0;
}

static int add_rotated(struct log *log, const char *path)
{
	char **files = logtail_rotated(path);
	int result = files ? 0 : -ENOMEM;

	for (size_t i = 0; result == 0 && files[i]; i++)
		result = add_rotated_file(log, files[i]);
	logtail_files_free(files);
	return result;
}

/* --- finding them --- */

static int add_file(struct log *log, const char *path)
{
	struct log_file *file = calloc(1, sizeof *file);
	struct logtail *tail;
	int result = file ? logtail_init(&file->lines.tail, path) : -ENOMEM;

	if (result == 0 && !make_room(&log->file, log->files, &log->files_size, sizeof *log->file))
		result = -ENOMEM;
	if (result < 0) {
		free_file(file);
		return result;
	}
	tail = &file->lines.tail;
	tail->clock = log->world->clock;
	file->is_listed = true;
	log->file[log->files++] = file;
	result = logtail_open_end(tail, &file->fault);
	/* It is tried again with every look, and read from its start then. */
	file->is_faulty = result < 0 && result != -ENOENT;
	if (result < 0)
		return result == -ENOMEM ? result : 0;
	file->lines.is_understood = tail->now.at == 0;
	result = add_front(log, file);
	/* Later on, what is rotated away was read before. */
	return result == 0 && log->rotated && !log->is_begun ? add_rotated(log, path) : result;
}

static bool is_alias(const struct log *log, const char *path, const struct stat *st)
{
	if (is_followed(log, st))
		return true;
	for (size_t i = 0; i < log->aliases; i++)
		if (log->alias[i].dev == st->st_dev && log->alias[i].ino == st->st_ino &&
			strcmp(log->alias[i].path, path) == 0)
			return true;
	return false;
}

struct aliases {
	struct log_alias *alias; /* owned */
	size_t n, size;
};

static int add_alias(struct aliases *aliases, const char *path, const struct stat *st)
{
	struct log_alias alias = {.path = strdup(path), .dev = st->st_dev, .ino = st->st_ino};

	if (!alias.path || !make_room(&aliases->alias, aliases->n, &aliases->size, sizeof alias)) {
		free(alias.path);
		return -ENOMEM;
	}
	aliases->alias[aliases->n++] = alias;
	return 0;
}

/* A name that the pattern found. */
static int take_name(struct log *log, const char *path, struct aliases *aliases)
{
	struct log_file *file = find_file(log, path);
	struct stat st;

	if (file) {
		file->is_listed = true;
		return 0;
	}
	if (stat(path, &st) < 0)
		return 0;
	if (is_alias(log, path, &st))
		return add_alias(aliases, path, &st);
	if (log->files == LOG_FILES_MAX) {
		log->left_out++;
		return 0;
	}
	return add_file(log, path);
}

/* Its past, if that is still to be read, is without a file to ask. */
static void drop_file(struct log *log, size_t i)
{
	struct log_file *file = log->file[i];

	for (size_t k = 0; k < log->pasts; k++)
		if (log->past[k]->file == file)
			log->past[k]->file = NULL;
	free_file(file);
	memmove(&log->file[i], &log->file[i + 1], (log->files - i - 1) * sizeof *log->file);
	log->files--;
}

/* What is not there any more, and of which nothing is open. */
static void drop_gone(struct log *log)
{
	for (size_t i = log->files; i-- > 0;) {
		const struct log_file *file = log->file[i];

		if (!file->is_listed && file->lines.tail.now.fd < 0 && file->lines.tail.old.fd < 0)
			drop_file(log, i);
	}
}

int log_files_find(struct log *log)
{
	char **paths = logtail_files(log->path, false);
	struct aliases aliases = {0};
	int result = paths ? 0 : -ENOMEM;

	for (size_t i = 0; i < log->files; i++)
		log->file[i]->is_listed = false;
	log->left_out = 0;
	for (size_t i = 0; result == 0 && paths[i]; i++)
		result = take_name(log, paths[i], &aliases);
	logtail_files_free(paths);
	log->is_begun = true;
	if (result == 0)
		drop_gone(log);
	release_aliases(log->alias, log->aliases);
	log->alias = aliases.alias;
	log->aliases = aliases.n;
	return result;
}

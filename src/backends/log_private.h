/*
 * Inside the backend for metrics logs: what happened, as samples for the monitor's graphs.
 *
 *   log.c        the backend: opens and closes it, the order of one look, and what it says
 *   log_files.c  which files there are: found by the pattern, opened at their end; what stands
 *                before that, and what was rotated away, is the past
 *   log_read.c   lines become samples, a bounded number in each look
 *   log_watch.c  inotify on the folders of the logs
 *
 * A look (log_scan()) goes: files, folders, live lines, a piece of the past, samples. Each line is
 * either live or past, for the two meet where a line begins: nothing is counted twice. The past is
 * read from its youngest part on (the last hour, the day, the rest), each part forwards; samples
 * add up in the monitor's model, so that their order does not matter.
 */
#ifndef LOCKTOP_BACKENDS_LOG_PRIVATE_H
#define LOCKTOP_BACKENDS_LOG_PRIVATE_H

#include "backends/backend.h"
#include "base/error.h"
#include "model/metric_read.h"
#include "system/logtail.h"
#include "system/watch.h"

enum {
	LOG_FILES_MAX = 256, /* logs that are followed */
	LOG_PARTS = 3,       /* of the past: the last hour, the last day, the rest */
};

/* Lines of one file, and what is known of them. */
struct log_lines {
	struct logtail tail;
	struct metric_reader reader;
	bool is_understood;      /* where a line begins, and what kind of log it is */
	uint64_t too_long, torn; /* of the tail's: those that are counted already */
};

/* A log that is followed. */
struct log_file {
	struct log_lines lines;
	char *real; /* owned or NULL; where the path leads to, if that is another file */
	bool is_listed;
	bool is_faulty;
	struct error fault;
};

/* What was there at the first look: a file's front, or a file that was rotated away. */
struct log_past {
	struct log_lines lines;
	const struct log_file *file; /* borrowed; whose front it is; NULL: rotated away */
	uint64_t truncations;        /* of the file: if there are more, its past is gone */
	off_t border[LOG_PARTS + 1]; /* part i begins at [i + 1] and ends before [i] */
	int whole;                   /* the part in which all of it is read; -1: in parts */
	bool is_read[LOG_PARTS];
};

/* A name that leads to a file which is followed by another name: x.log.old behind x*. */
struct log_alias {
	char *path; /* owned */
	uint64_t dev, ino;
};

struct log_folder {
	char *path; /* owned */
	struct watch *watch;
	mono_t retry;
	bool is_wanted;
};

struct log {
	const struct world *world; /* borrowed */
	char *path;                /* owned, absolute; a path or pattern */
	bool rotated;
	int64_t window; /* older lines are left out */

	/* The look under way. */
	mono_t now;
	wall_t wall;

	/* log_files.c */
	struct log_file **file; /* owned */
	size_t files, files_size;
	size_t left_out;        /* beyond LOG_FILES_MAX */
	struct log_past **past; /* owned */
	size_t pasts, pasts_size;
	struct log_alias *alias; /* owned */
	size_t aliases, aliases_size;
	mono_t listed;    /* when the pattern was looked up last */
	bool is_begun;    /* it was looked up */
	bool is_new_name; /* a hint named something that may be a new log */

	/* log_read.c */
	struct metrics metrics;
	size_t turn;               /* the log that is read first */
	int part;                  /* of the past, that is read */
	size_t at;                 /* in past */
	struct log_lines piece;    /* of past[at], if that is read in parts */
	struct log_lines *reading; /* piece, or all of past[at]; NULL: between two */
	bool has_past;             /* it is not all read yet */
	bool is_complete;          /* the first look is: all of the past was read once */
	bool is_behind;            /* there were more lines than a look may read */
	int step, left;            /* lines for a look, and left of them */
	mono_t deadline;
	uint64_t taken, bad, too_long, torn; /* lines; bad: all that were not understood */

	/* log_watch.c */
	struct log_folder *folder; /* owned */
	size_t folders, folders_size;
	int epoll;
	bool is_blind; /* a folder is not watched */
	char why[120];
};

/* Finds the logs and opens new ones. 0 or -ENOMEM. */
int log_files_find(struct log *log);
void log_files_release(struct log *log);
/* The past is read, or will not be. */
void log_past_release(struct log *log);
void log_lines_release(struct log_lines *lines);

/* Reads lines and tells samples. 0, -ENOMEM, or what scan->sample() said. */
int log_read(struct log *log, struct backend_scan *scan, struct error *err);

/* Watches the folders of the logs. Says in is_blind and why whether all could be. 0 or -ENOMEM. */
int log_watch_folders(struct log *log);
bool log_watch_drain(struct log *log);
void log_watch_release(struct log *log);

#endif

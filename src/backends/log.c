/* Metrics logs: what happened to locks. Here are the backend itself, and the order of a look. */
#include "config.h"

#include "backends/log_private.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/text.h"
#include "system/folder.h"

#define LOOK_EVERY NS_PER_S
#define POLL_EVERY (250 * NS_PER_MS)
#define WINDOW     (14 * 24 * 3600 * NS_PER_S) /* what the model keeps */
#define WINDOW_MIN (60 * NS_PER_S)

static const char *const log_params[] = {"rotated", "window", NULL};

static void log_close(void *state)
{
	struct log *log = state;

	if (!log)
		return;
	log_watch_release(log);
	log_files_release(log);
	metrics_release(&log->metrics);
	free(log->path);
	free(log);
}

static int parse_params(struct log *log, const struct uri *uri, struct error *err)
{
	const char *rotated = uri_param(uri, "rotated"), *window = uri_param(uri, "window");

	log->rotated = rotated && strcmp(rotated, "yes") == 0;
	if (rotated && !log->rotated && strcmp(rotated, "no") != 0)
		return error_set(err, -EINVAL, "rotated=%s: expected yes or no", rotated);
	log->window = WINDOW;
	if (window && (text_to_duration(window, &log->window) < 0 || log->window < WINDOW_MIN))
		return error_set(err, -EINVAL,
			"window=%s: expected a duration of a minute or more, as 24h or 7d", window);
	return 0;
}

static int log_open(void **state, const struct world *world, const struct here *here,
	const struct uri *uri, struct error *err)
{
	struct log *log;
	int result = uri_only(uri, log_params, err);

	(void)here;
	if (result < 0)
		return result;
	if (uri->host || !*uri->path)
		return error_set(err, -EINVAL,
			"log: needs the path of a metrics log, as in "
			"log:/var/log/locktop/metrics.jsonl");
	log = calloc(1, sizeof *log);
	if (!log)
		return error_sys(err, -ENOMEM, "cannot open %s", uri->text);
	log->world = world;
	log->epoll = -1;
	result = parse_params(log, uri, err);
	if (result == 0) {
		log->path = folder_absolute(uri->path);
		result = log->path ? metrics_init(&log->metrics, METRICS_SAMPLES, 0, 0) : -errno;
		if (result < 0)
			error_sys(err, result, "cannot open %s", uri->text);
	}
	if (result == 0) {
		log->epoll = epoll_create1(EPOLL_CLOEXEC); /* without it we poll */
		*state = log;
		return 0;
	}
	log_close(log);
	return result;
}

/* --- what is said --- */

/* "1,204,331" */
static const char *grouped(char *dst, size_t size, uint64_t n)
{
	char digits[24];
	size_t len = (size_t)snprintf(digits, sizeof digits, "%" PRIu64, n), at = 0;

	for (size_t i = 0; i < len && at + 2 < size; i++) {
		if (i && (len - i) % 3 == 0)
			dst[at++] = ',';
		dst[at++] = digits[i];
	}
	dst[at] = '\0';
	return dst;
}

/* " (2 too long, 1 torn)" */
static void say_lost(const struct log *log, char *dst, size_t size)
{
	char too_long[40] = "", torn[40] = "";

	if (log->too_long)
		snprintf(too_long, sizeof too_long, "%" PRIu64 " too long", log->too_long);
	if (log->torn)
		snprintf(torn, sizeof torn, "%" PRIu64 " torn", log->torn);
	*dst = '\0';
	if (log->too_long || log->torn)
		snprintf(dst, size, " (%s%s%s)", too_long, *too_long && *torn ? ", " : "", torn);
}

static const struct error *first_fault(const struct log *log)
{
	for (size_t i = 0; i < log->files; i++)
		if (log->file[i]->is_faulty)
			return &log->file[i]->fault;
	return NULL;
}

static void say_files(const struct log *log, struct buf *words)
{
	char number[32], lost[96], path[120];

	text_clean(path, sizeof path, log->path, strlen(log->path), NULL);
	if (!log->files) {
		buf_addf(words, "no log yet: %s", path);
		return;
	}
	buf_addf(words, "%zu file%s, %s line%s%s", log->files, log->files == 1 ? "" : "s",
		grouped(number, sizeof number, log->taken), log->taken == 1 ? "" : "s",
		log->has_past ? " so far" : "");
	say_lost(log, lost, sizeof lost);
	if (log->bad)
		buf_addf(words, ", %s not understood%s", grouped(number, sizeof number, log->bad),
			lost);
}

/* What there is no room for, or memory, is left out. */
static void say_note(const struct log *log, struct backend_scan *scan)
{
	const struct error *fault = first_fault(log);
	struct buf words = {0};

	say_files(log, &words);
	if (fault)
		buf_addf(&words, "; %s", fault->text);
	else if (log->left_out)
		buf_addf(&words, "; %zu files more are left out", log->left_out);
	else if (log->is_blind)
		buf_addf(&words, "; polling: %s", log->why);
	text_fit(scan->note, sizeof scan->note, buf_text(&words), sizeof scan->note - 1,
		TEXT_CUT_END);
	buf_release(&words);
}

/* Is there a log, but none that could be opened? */
static const struct error *fault_of_all(const struct log *log)
{
	for (size_t i = 0; i < log->files; i++)
		if (!log->file[i]->is_faulty || log->file[i]->lines.tail.now.fd >= 0)
			return NULL;
	return first_fault(log);
}

/* --- looking --- */

static mono_t next_look(const struct log *log)
{
	if (log->has_past || log->is_behind)
		return log->now;
	return log->now + (log->is_blind ? POLL_EVERY : LOOK_EVERY);
}

/* The names are looked up once a second, and when one appears. */
static int find_files(struct log *log)
{
	int result;

	if (log->is_begun && !log->is_new_name && log->now - log->listed < LOOK_EVERY)
		return 0;
	log->is_new_name = false;
	log->listed = log->now;
	/* A log that appears in between raises an event, or is found by the next look. */
	result = log_watch_folders(log);
	if (result == 0)
		result = log_files_find(log);
	return result == 0 ? log_watch_folders(log) : result;
}

static int log_scan(void *state, struct backend_scan *scan, struct error *err)
{
	struct log *log = state;
	const struct error *fault;
	int result;

	log->now = clock_mono(log->world->clock);
	log->wall = clock_wall(log->world->clock);
	scan->is_polling = scan->is_partial = scan->is_final = false;
	scan->note[0] = '\0';
	scan->next = log->now + POLL_EVERY;
	result = find_files(log);
	if (result < 0)
		return error_sys(err, result, "cannot look for metrics logs");
	result = log_read(log, scan, err);
	if (result < 0)
		return result;
	fault = fault_of_all(log);
	if (fault)
		return error_set(err, fault->code, "%s", fault->text);
	scan->is_polling = log->is_blind;
	scan->bad = log->bad;
	log->is_complete = log->is_complete || !log->has_past;
	scan->is_partial = !log->is_complete;
	scan->next = next_look(log);
	say_note(log, scan);
	return 0;
}

static int log_hint_fd(void *state)
{
	struct log *log = state;

	return log->epoll;
}

static bool log_hint(void *state)
{
	return log_watch_drain(state);
}

static int log_look(void *state, const char *name, struct lock **lock, struct error *err)
{
	(void)state;
	(void)lock;
	return error_set(err, -ENOENT,
		"there is no lock %s here: a log tells what happened, and holds none", name);
}

const struct backend backend_log = {
	.scheme = "log",
	.help = "what a metrics log tells of locks: log:/var/log/locktop/metrics.jsonl",
	.params = log_params,
	.class = LOCK_CLASS_VOLATILE,
	.is_recording = true,
	.open = log_open,
	.close = log_close,
	.scan = log_scan,
	.hint_fd = log_hint_fd,
	.hint = log_hint,
	.look = log_look,
	.no_release = "this is a log: it tells what happened, and holds no lock",
};

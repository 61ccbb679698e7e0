/*
 * A recorded event stream (the lines of `locktop source`), shown again as it was: at its own
 * pace, or ?speed= times that. What came up to the first complete look is there at once. At
 * another speed, ages run that much faster too.
 */
#include "config.h"

#include "backends/backend.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "base/jsonl.h"
#include "base/text.h"

#define LOOK_EVERY NS_PER_S
#define SPEED_MIN  0.01
#define SPEED_MAX  1e6

struct replay {
	const struct world *world; /* borrowed */
	char *path;                /* owned */
	double speed;
	int fd; /* -1: not open yet */
	struct jsonl_reader reader;
	struct event next; /* owned; the first one that is not due yet */
	bool has_next;
	mono_t due;          /* of next, on our clock */
	bool is_begun;       /* the first complete look was shown */
	wall_t from;         /* when that was, in the recording */
	mono_t began;        /* and on our clock */
	mono_t aged;         /* up to when the ages were adjusted to the speed */
	struct snapshot now; /* owned; what is shown */
	uint64_t bad;        /* objects that are no events */
	char host[RECORD_HOST_MAX + 1];
	char fault[120]; /* what was wrong with the source then */
};

static const char *const replay_params[] = {"speed", NULL};

static int parse_speed(const char *text, double *speed)
{
	char *end;

	*speed = 1;
	if (!text)
		return 0;
	errno = 0;
	*speed = strtod(text, &end);
	return end == text || *end || errno || !(*speed >= SPEED_MIN && *speed <= SPEED_MAX)
		       ? -EINVAL
		       : 0;
}

static int replay_open(void **state, const struct world *world, const struct here *here,
	const struct uri *uri, struct error *err)
{
	const char *text = uri_param(uri, "speed");
	struct replay *replay;
	double speed;
	int result = uri_only(uri, replay_params, err);

	(void)here;
	if (result < 0)
		return result;
	if (!*uri->path)
		return error_set(err, -EINVAL,
			"replay: needs a file that `locktop source` wrote, as in "
			"replay:night.jsonl");
	if (parse_speed(text, &speed) < 0)
		return error_set(
			err, -EINVAL, "speed=%s is not a number between 0.01 and 1000000", text);
	replay = calloc(1, sizeof *replay);
	if (replay)
		replay->path = strdup(uri->path);
	if (!replay || !replay->path) {
		free(replay);
		return error_sys(err, -ENOMEM, "cannot open %s", uri->text);
	}
	replay->world = world;
	replay->speed = speed;
	replay->fd = -1;
	*state = replay;
	return 0;
}

static void replay_close(void *state)
{
	struct replay *replay = state;

	if (!replay)
		return;
	if (replay->fd >= 0) {
		close(replay->fd);
		jsonl_reader_release(&replay->reader);
	}
	if (replay->has_next)
		event_release(&replay->next);
	snapshot_release(&replay->now);
	free(replay->path);
	free(replay);
}

static int open_file(struct replay *replay, struct error *err)
{
	struct stat st;
	int fd = open(replay->path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);

	if (fd < 0)
		return error_sys(err, -errno, "cannot open the recording %s", replay->path);
	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode)) {
		close(fd);
		return error_set(
			err, -EINVAL, "the recording %s is not a regular file", replay->path);
	}
	replay->fd = fd;
	jsonl_reader_init(&replay->reader, fd);
	return 0;
}

/* The next object of the file; NULL at its end, or with *result < 0. */
static json_t *next_object(struct replay *replay, int *result)
{
	json_t *object;

	*result = 0;
	while (!(object = jsonl_next(&replay->reader))) {
		if (replay->reader.is_end)
			return NULL;
		*result = jsonl_fill(&replay->reader);
		if (*result < 0)
			return NULL;
	}
	return object;
}

/* When an event of that time is to be shown; never before the one before it. */
static mono_t due_at(const struct replay *replay, wall_t at, mono_t now)
{
	double ahead;

	if (!replay->is_begun)
		return now;
	ahead = (double)(at - replay->from) / replay->speed;
	/* A recording of a wall clock gone mad must not wait for centuries to come. */
	if (!(ahead < 1e18))
		ahead = 1e18;
	if (ahead < (double)(replay->due - replay->began))
		return replay->due;
	return replay->began + (mono_t)ahead;
}

/* Reads on until there is an event that can be understood: 1, 0 at the end, or -errno. */
static int read_next(struct replay *replay, mono_t now)
{
	json_t *object;
	int result;

	while ((object = next_object(replay, &result))) {
		wall_t at = clock_ns(json_num(object, "at", 0));
		mono_t due = due_at(replay, at, now);

		result = event_from_json(&replay->next, object, due, NULL);
		json_decref(object);
		if (result == -ENOMEM)
			return result;
		if (result == 0) {
			replay->due = due;
			replay->has_next = true;
			return 1;
		}
		replay->bad++;
	}
	return result;
}

static void note_text(char *dst, size_t size, const char *text)
{
	text_fit(dst, size, text ? text : "", (int)size - 1, TEXT_CUT_END);
}

static int apply(struct replay *replay, mono_t now)
{
	struct event *event = &replay->next;
	int result = 0;

	switch (event->kind) {
	case EVENT_LOCK: result = snapshot_put(&replay->now, lock_ref(event->lock)); break;
	case EVENT_GONE: snapshot_remove(&replay->now, event->name); break;
	case EVENT_SCANNED:
		replay->fault[0] = '\0';
		if (event->host)
			note_text(replay->host, sizeof replay->host, event->host);
		if (!replay->is_begun) {
			replay->is_begun = true;
			replay->from = event->at;
			replay->began = replay->due = now;
		}
		break;
	case EVENT_FAULT: note_text(replay->fault, sizeof replay->fault, event->text); break;
	default: break;
	}
	event_release(event);
	replay->has_next = false;
	return result;
}

/* At another speed than its own the ages have to run faster or slower than our clock. */
static int adjust_ages(struct replay *replay, mono_t now)
{
	mono_t shift = (mono_t)((double)(now - replay->aged) * (replay->speed - 1));

	for (size_t i = 0; i < replay->now.n && shift; i++) {
		struct lock *lock = replay->now.lock[i];

		if (lock->since_mono == MONO_UNKNOWN)
			continue;
		lock = lock_copy(lock);
		if (!lock)
			return -ENOMEM;
		lock->since_mono -= shift;
		if (snapshot_put(&replay->now, lock) < 0)
			return -ENOMEM;
	}
	replay->aged = now;
	return 0;
}

/* Shows all that is due. Returns 1 while there is more to come, 0 at the end, or -errno. */
static int advance(struct replay *replay, mono_t now)
{
	int result;

	for (;;) {
		if (!replay->has_next) {
			result = read_next(replay, now);
			if (result <= 0)
				return result;
		}
		if (replay->is_begun && replay->due > now)
			return 1;
		result = apply(replay, now);
		if (result < 0)
			return result;
	}
}

static void say_note(const struct replay *replay, bool is_final, struct backend_scan *scan)
{
	/* A last line without its end was torn when the recorder stopped. */
	uint64_t torn = is_final && replay->reader.buf.len > replay->reader.at;
	uint64_t bad = replay->bad + replay->reader.bad + torn;
	int len = snprintf(scan->note, sizeof scan->note, "recording%s%s",
		replay->host[0] ? " of " : "", replay->host);

	if (replay->speed != 1)
		len += snprintf(scan->note + len, sizeof scan->note - (size_t)len, " at %gx",
			replay->speed);
	if (bad)
		len += snprintf(scan->note + len, sizeof scan->note - (size_t)len,
			", %ju lines not understood", (uintmax_t)bad);
	if (replay->fault[0] && (size_t)len < sizeof scan->note)
		snprintf(scan->note + len, sizeof scan->note - (size_t)len, "; %s", replay->fault);
}

static int replay_scan(void *state, struct backend_scan *scan, struct error *err)
{
	struct replay *replay = state;
	mono_t now = clock_mono(replay->world->clock);
	int result = replay->fd < 0 ? open_file(replay, err) : 0;

	scan->is_polling = scan->is_final = false;
	scan->note[0] = '\0';
	scan->next = now + LOOK_EVERY;
	if (result < 0)
		return result;
	if (!replay->aged)
		replay->aged = now;
	result = adjust_ages(replay, now);
	if (result == 0)
		result = advance(replay, now);
	if (result < 0)
		return error_sys(err, result, "cannot read the recording %s", replay->path);
	scan->is_final = result == 0;
	scan->next = scan->is_final ? MONO_NEVER : replay->due;
	if (!scan->is_final && replay->speed != 1 && scan->next > now + LOOK_EVERY)
		scan->next = now + LOOK_EVERY;
	say_note(replay, scan->is_final, scan);
	snapshot_release(scan->snapshot);
	return snapshot_copy(scan->snapshot, &replay->now);
}

static int replay_look(void *state, const char *name, struct lock **lock, struct error *err)
{
	struct replay *replay = state;
	struct lock *found = snapshot_find(&replay->now, name);

	if (!found)
		return error_set(err, -ENOENT, "there is no lock %s in the recording now", name);
	*lock = lock_ref(found);
	return 0;
}

const struct backend backend_replay = {
	.scheme = "replay",
	.help = "a recorded event stream: replay:FILE?speed=10",
	.params = replay_params,
	.class = LOCK_CLASS_VOLATILE,
	.is_recording = true,
	.open = replay_open,
	.close = replay_close,
	.scan = replay_scan,
	.look = replay_look,
	.no_release = "this is a recording: what it shows is past",
};

/* The audit log: a JSON line for every intent, result and refusal. */
#include "config.h"

#include "engine/audit.h"

#include <errno.h>
#include <jansson.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/text.h"
#include "engine/logfile.h"
#include "system/proc.h"
#include "system/world.h"

enum { EVIDENCE_MAX = 16 };

static const char *const stage_words[] = {
	[AUDIT_INTENT] = "intent",
	[AUDIT_RESULT] = "result",
	[AUDIT_REFUSED] = "refused",
};

/* --- who acts --- */

static void clean(char *dst, size_t size, const char *text)
{
	text_clean(dst, size, text, strlen(text), NULL);
}

static void name_of(char *dst, size_t size, uint32_t uid)
{
	struct users users = {0};
	const char *name = uid == UINT32_MAX ? NULL : proc_user(&users, uid);

	snprintf(dst, size, "%s", name ? name : "");
}

/* The uid that this session logged in with, whatever su(1) and sudo(8) did since. */
static uint32_t login_uid(void)
{
	struct world world;
	char text[32];
	int64_t uid = UINT32_MAX;

	if (world_open(&world, NULL, &clock_system, NULL) < 0)
		return UINT32_MAX;
	if (world_read(&world, "self/loginuid", text, sizeof text) > 0) {
		text[strcspn(text, "\n")] = '\0';
		if (text_to_int(text, 0, UINT32_MAX, &uid) < 0)
			uid = UINT32_MAX;
	}
	world_close(&world);
	return (uint32_t)uid;
}

static void fill_actor(struct audit_actor *actor)
{
	const char *sudo = getenv("SUDO_USER");
	char raw[256];

	*actor = (struct audit_actor){.uid = getuid(), .login_uid = login_uid(), .pid = getpid()};
	name_of(actor->user, sizeof actor->user, actor->uid);
	name_of(actor->login_user, sizeof actor->login_user, actor->login_uid);
	if (sudo)
		clean(actor->sudo_user, sizeof actor->sudo_user, sudo);
	for (int fd = STDIN_FILENO; fd <= STDERR_FILENO && !actor->tty[0]; fd++)
		if (ttyname_r(fd, raw, sizeof raw) == 0)
			clean(actor->tty, sizeof actor->tty, raw);
	if (gethostname(raw, sizeof raw) == 0) {
		raw[sizeof raw - 1] = '\0';
		clean(actor->host, sizeof actor->host, raw);
	}
}

/* --- where --- */

int audit_init(struct audit *audit, const char *path, struct error *err)
{
	char *own = path ? strdup(path) : logfile_usual_path("audit.jsonl");

	if (!own)
		return error_sys(err, -ENOMEM, "cannot prepare the audit log");
	audit->path = own;
	fill_actor(&audit->actor);
	return 0;
}

void audit_release(struct audit *audit)
{
	free(audit->path);
	audit->path = NULL;
}

/* --- the line --- */

/* Sets a text that is clean already; what is NULL or "" becomes null. 0 or -1. */
static int put(json_t *object, const char *key, const char *text)
{
	return json_object_set_new(object, key, text && *text ? json_string(text) : json_null());
}

/* A number that is null where it is unknown. */
static int put_number(json_t *object, const char *key, int64_t number, bool is_known)
{
	return json_object_set_new(object, key, is_known ? json_integer(number) : json_null());
}

static void put_time(json_t *object, wall_t now)
{
	time_t seconds = now / NS_PER_S;
	char text[48] = "";
	struct tm tm;

	if (gmtime_r(&seconds, &tm))
		strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &tm);
	put(object, "at", text);
	json_object_set_new(object, "ts", json_real(clock_seconds(now)));
}

static json_t *actor_json(const struct audit_actor *actor, const char *tty)
{
	json_t *object = json_object();

	put_number(object, "uid", actor->uid, true);
	put(object, "user", actor->user);
	put_number(object, "login_uid", actor->login_uid, actor->login_uid != UINT32_MAX);
	put(object, "login_user", actor->login_user);
	put(object, "sudo_user", actor->sudo_user);
	put(object, "tty", *tty ? tty : actor->tty);
	put(object, "host", actor->host);
	put_number(object, "pid", actor->pid, true);
	put(object, "program", PACKAGE_STRING);
	return object;
}

static json_t *holder_json(const struct process *process)
{
	json_t *object;

	if (!process)
		return json_null();
	object = json_object();
	put_number(object, "pid", process->pid, process->pid > 0);
	put_number(object, "start", (int64_t)process->start, process->start != 0);
	put(object, "life", life_word(process->life));
	put(object, "user", process->user);
	put(object, "comm", process->comm);
	put(object, "command", process->command);
	return object;
}

static json_t *evidence_json(
	const struct lock *lock, const struct facts *facts, const struct verdict *verdict)
{
	json_t *array = json_array();
	char line[VERDICT_TEXT];

	for (int i = 0; i < EVIDENCE_MAX; i++) {
		if (!verdict_evidence(line, sizeof line, lock, facts, verdict, i))
			break;
		json_array_append_new(array, json_string(line));
	}
	return array;
}

static void put_deed(json_t *object, const struct deed *deed)
{
	char text[256];

	put(object, "deed", deed_word(deed->kind));
	clean(text, sizeof text, deed->version);
	put(object, "seen_version", text);
	put_number(object, "named_pid", deed->pid, deed->pid != 0);
	put_number(object, "named_start", (int64_t)deed->start, deed->start != 0);
	put_number(object, "signal", deed->signal, deed->kind == DEED_SIGNAL);
	json_object_set_new(object, "tidy", json_boolean(deed->tidy));
}

static void put_lock(json_t *object, const struct lock *lock, const struct facts *facts,
	const struct verdict *verdict)
{
	char why[VERDICT_TEXT];

	put(object, "path", lock->path);
	put(object, "version", lock->version);
	json_object_set_new(object, "holder", holder_json(verdict_holder(lock)));
	if (!facts || !verdict)
		return;
	verdict_why(why, sizeof why, lock, facts, verdict);
	put(object, "state", state_word(verdict->state));
	put(object, "safe", safety_word(verdict->safe));
	put(object, "why", why);
	json_object_set_new(object, "evidence", evidence_json(lock, facts, verdict));
}

/* Names that come in a deed are the user's: made safe unless they are. */
static void put_unchecked(json_t *object, const char *key, const char *text)
{
	char *safe = NULL;

	if (text && !text_is_clean(text, strlen(text)))
		text = safe = text_clean_dup(text, strlen(text));
	put(object, key, text);
	free(safe);
}

static int append_line(int fd, struct buf *line)
{
	struct stat st;
	char last = '\n';
	ssize_t n;

	/* Half a line of somebody who found the disk full must not spoil ours. */
	if (fstat(fd, &st) == 0 && st.st_size > 0 && pread(fd, &last, 1, st.st_size - 1) != 1)
		last = '\n';
	if (last != '\n') {
		struct buf whole = {0};

		buf_addc(&whole, '\n');
		buf_add(&whole, line->data, line->len);
		buf_release(line);
		*line = whole;
	}
	if (buf_failed(line) < 0)
		return -ENOMEM;
	do
		n = write(fd, line->data, line->len);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return -errno;
	if ((size_t)n < line->len)
		return -ENOSPC;
	return fdatasync(fd) < 0 ? -errno : 0;
}

static int write_line(const struct audit *audit, const char *text, struct error *err)
{
	const struct logfile log = {.path = audit->path,
		.what = "audit log",
		.makes_folder = true,
		.is_strict = true,
		.is_read = true}; /* to see whether the last line is whole */
	struct buf line = {0};
	struct stat st;
	int fd = logfile_open(&log, &st, err), result;
	char where[PATH_MAX];

	if (fd < 0)
		return fd;
	buf_adds(&line, text);
	buf_addc(&line, '\n');
	result = append_line(fd, &line);
	buf_release(&line);
	close(fd);
	if (result == 0)
		return 0;
	clean(where, sizeof where, audit->path);
	return error_sys(err, result, "cannot write the audit log %s", where);
}

int audit_write(const struct audit *audit, enum audit_stage stage, int64_t id, wall_t now,
	const char *source, const struct deed *deed, const struct lock *lock,
	const struct facts *facts, const struct verdict *verdict, enum outcome outcome,
	const char *text, struct error *err)
{
	json_t *object = json_object();
	char tty[256], *line;
	int result;

	clean(tty, sizeof tty, deed->tty);
	put_number(object, "v", 1, true);
	put_time(object, now);
	put(object, "stage", stage_words[stage]);
	put_number(object, "id", id, true);
	put_unchecked(object, "source", source);
	put_unchecked(object, "lock", deed->name);
	put_deed(object, deed);
	if (lock)
		put_lock(object, lock, facts, verdict);
	if (stage != AUDIT_INTENT) {
		put(object, "outcome", outcome_word(outcome));
		put_unchecked(object, "text", text);
	}
	json_object_set_new(object, "actor", actor_json(&audit->actor, tty));
	line = json_dumps(object, JSON_COMPACT | JSON_ENSURE_ASCII);
	json_decref(object);
	if (!line)
		return error_sys(err, -ENOMEM, "cannot write the audit log");
	result = write_line(audit, line, err);
	free(line);
	return result;
}

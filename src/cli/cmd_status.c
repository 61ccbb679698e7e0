/* `locktop status ADDRESS`: one lock's health. A look: nothing is taken or changed. */
#include "config.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "base/text.h"
#include "base/uri.h"
#include "cli/cli.h"
#include "cli/listing.h"
#include "cli/session.h"
#include "model/reasons.h"
#include "system/fence.h"

struct status_args {
	struct common common;
	struct log_options log;
	const char *address;
};

/* What is known of a lock beside what its source says. */
struct health {
	const struct model *model;
	const struct entry *entry;
	struct facts facts;
	bool is_missing; /* there is no such file */
	int64_t fence;   /* the last one that was given out; 0: none known */
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct status_args *args = state->input;

	switch (key) {
	case ARGP_KEY_INIT:
		state->child_inputs[0] = &args->common;
		state->child_inputs[1] = &args->log;
		return 0;
	case ARGP_KEY_ARG:
	case ARGP_KEY_NO_ARGS: options_address(&args->address, arg, state); return 0;
	default: return ARGP_ERR_UNKNOWN;
	}
}

static const struct argp argp = {NULL, parse, "ADDRESS",
	"Tells the health of one lock. A look: nothing is taken or changed.", common_log_children,
	NULL, NULL};

static const char *mode_word(const struct record *record)
{
	return record->mode == 'h' ? "held" : record->mode == 'd' ? "detached" : NULL;
}

/* The counter beside the file; of another host's file, what the record says has to do. */
static int64_t fence_of(const struct entry *entry, const char *path)
{
	int64_t fence = entry->lock->record.fence, last = 0;
	const char *slash = path ? strrchr(path, '/') : NULL;
	char *folder = slash ? strndup(path, (size_t)(slash - path) + 1) : strdup(".");
	int dir = -1;

	if (path && folder)
		dir = open(folder, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (dir >= 0) {
		if (fence_last(dir, slash ? slash + 1 : path, &last, NULL) < 0)
			last = 0;
		close(dir);
	}
	free(folder);
	return last > fence ? last : fence > 0 ? fence : 0;
}

/* A new reference or NULL, which fails the whole. */
static json_t *number_or_null(int64_t number)
{
	return number > 0 ? json_integer(number) : json_null();
}

static json_t *lease_left(const struct health *health)
{
	int64_t left = verdict_lease_left(health->entry->lock, &health->facts);

	return left == INT64_MAX ? json_null() : json_real(clock_seconds(left));
}

static int add_members(json_t *object, const struct health *health)
{
	const struct record *record = &health->entry->lock->record;
	const char *mode = mode_word(record);
	json_t *more = json_pack("{s:i, s:f, s:s, s:s, s:o, s:o, s:o, s:o}", "schema", 1, "at",
		clock_seconds(health->model->now_wall), "host", health->model->host, "record",
		record_format_word(record->format), "mode", mode ? json_string(mode) : json_null(),
		"fence", number_or_null(health->fence), "lease_s", number_or_null(record->lease),
		"lease_left_s", lease_left(health));
	int e = more ? json_object_update(object, more) : -1;

	json_decref(more);
	if (e == 0 && health->is_missing)
		e = json_object_set_new(object, "why", json_string("there is no lock file"));
	return e;
}

static int print_json(const struct health *health)
{
	json_t *object = entry_to_json(health->model, health->entry);
	char *text = NULL;

	if (object && add_members(object, health) == 0)
		text = json_dumps(object, JSON_ENSURE_ASCII | JSON_INDENT(1) | METRICS_JSON_DIGITS);
	json_decref(object);
	if (!text)
		return -ENOMEM;
	puts(text);
	free(text);
	return 0;
}

static void print_line(const char *title, const char *text)
{
	if (text && *text)
		printf("  %-8s %s\n", title, text);
}

static void print_holder(const struct health *health)
{
	const struct process *holder = verdict_holder(health->entry->lock);
	char text[1024];

	column_text(text, sizeof text, COLUMN_HOLDER, health->model, health->entry);
	if (!holder && health->entry->lock->record.pid <= 0)
		return;
	printf("  %-8s %s%s", "holder", isdigit((unsigned char)*text) ? "pid " : "", text);
	column_text(text, sizeof text, COLUMN_USER, health->model, health->entry);
	if (*text && strcmp(text, "-") != 0 && strcmp(text, "?") != 0)
		printf(", user %s", text);
	column_text(text, sizeof text, COLUMN_HOST, health->model, health->entry);
	if (*text && strcmp(text, "-") != 0 && strcmp(text, "?") != 0)
		printf(", host %s", text);
	putchar('\n');
}

static void print_age(const struct health *health)
{
	int64_t age = model_age(health->model, health->entry);
	char text[32], limit[32];

	if (age == AGE_UNKNOWN)
		return;
	printf("  %-8s %s", "age", text_duration(text, sizeof text, age));
	if (health->entry->limit > 0)
		printf(" of %s", text_duration(limit, sizeof limit, health->entry->limit));
	putchar('\n');
}

static void print_usual(const struct health *health)
{
	const struct percentiles *usual = &health->entry->usual;
	char text[160];

	if (usual->n)
		print_line("holds", percentiles_text(text, sizeof text, usual));
}

static void print_lease(const struct health *health)
{
	int64_t left = verdict_lease_left(health->entry->lock, &health->facts);
	char text[32], lease[32] = "?";

	if (left == INT64_MAX)
		return;
	text_duration(text, sizeof text, left < 0 ? -left : left);
	if (health->entry->lock->record.lease > 0)
		text_duration(lease, sizeof lease, health->entry->lock->record.lease * NS_PER_S);
	printf("  %-8s %s, %s%s\n", "lease", lease, text, left < 0 ? " over" : " left");
}

static void print_text(const struct health *health)
{
	static const char *const forms[] = {
		['h'] = "held: the kernel knows its holder",
		['d'] = "detached: its lease and its owner decide",
	};
	const struct lock *lock = health->entry->lock;
	const struct verdict *verdict = &health->entry->verdict;
	char address[1024], text[VERDICT_TEXT];

	model_address(address, sizeof address, health->model, health->entry);
	printf("%s %s\n", state_word(verdict->state), address);
	verdict_why(text, sizeof text, lock, &health->facts, verdict);
	print_line("why", health->is_missing ? "there is no lock file" : text);
	verdict_advice(text, sizeof text, lock, &health->facts, verdict);
	print_line("do", text);
	print_holder(health);
	print_age(health);
	print_usual(health);
	print_line("mode", mode_word(&lock->record) ? forms[(int)lock->record.mode] : NULL);
	print_lease(health);
	if (health->fence > 0)
		printf("  %-8s %" PRId64 "\n", "fence", health->fence);
	if (lock->waiters)
		printf("  %-8s %zu\n", "waiters", lock->waiters);
}

static int print(const struct status_args *args, const struct health *health)
{
	const struct listing listing = {
		.format = args->common.format,
		.field = args->common.field,
		.fields = args->common.fields,
		.has_header = true,
	};
	const enum format format = args->common.format;
	struct entry *entry = (struct entry *)health->entry;
	struct buf out = {0};
	int e;

	if (format == FORMAT_JSON)
		return print_json(health);
	if ((format == FORMAT_NONE || format == FORMAT_TABLE) && args->common.fields == 0) {
		print_text(health);
		return 0;
	}
	e = listing_write(&listing, health->model, &entry, 1, &out);
	if (e == 0)
		fputs(buf_text(&out), stdout);
	buf_release(&out);
	return e;
}

/* A file that is not there is a lock that nobody has: the source is told of as much. */
static int add_missing(struct session *session, const char *path, struct entry **entry)
{
	const char *slash = strrchr(path, '/');
	const char *base = slash ? slash + 1 : path;
	char *name = text_clean_dup(base, strlen(base));
	struct lock *lock = name ? lock_new(name) : NULL;
	struct event event = {.kind = EVENT_LOCK, .lock = lock};
	int e = -ENOMEM;

	if (lock) {
		lock->kind = LOCK_FILE;
		lock->class = LOCK_CLASS_KERNEL;
		lock->kernel = KERNEL_VIEW_COMPLETE;
		lock->record.format = RECORD_EMPTY;
		lock->to = INT64_MAX;
		lock->path = text_clean_dup(path, strlen(path));
		e = lock->path ? model_apply(&session->model, 0, &event) : -ENOMEM;
		*entry = model_find(&session->model, 0, name);
	}
	lock_unref(lock);
	free(name);
	return e == 0 && !*entry ? -ENOMEM : e;
}

/* flock:PATH is a lock on a file, and looked at as that. The path, if it is one of this host. */
static int local_path(char **address, char **path, const char *text, struct error *err)
{
	bool is_flock = strncmp(text, "flock:", 6) == 0;
	struct uri uri;
	int e;

	*path = NULL;
	if (asprintf(address, "%s%s", is_flock ? "file:" : "", is_flock ? text + 6 : text) < 0) {
		*address = NULL;
		return error_sys(err, -ENOMEM, "cannot look at %s", text);
	}
	if (!strchr(text, '/') && !strchr(text, ':') && access(text, F_OK) != 0)
		return 0; /* a name in the default source */
	e = uri_parse(&uri, *address, err);
	if (e < 0)
		return e;
	if (strcmp(uri.scheme, "file") == 0) {
		*path = strdup(uri.path);
		e = *path ? 0 : error_sys(err, -ENOMEM, "cannot look at %s", text);
	}
	uri_release(&uri);
	return e;
}

static bool is_folder(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

static int look(const char *program, struct session *session, const struct status_args *args,
	const char *address, const char *path)
{
	struct entry *entry = NULL;
	struct health health = {.model = &session->model};
	int code = session_look(session, program, address, &entry);
	struct error err;
	int e = 0;

	if (code != EXIT_DONE)
		return code;
	if (!entry && !path)
		return cli_fail(program, EXIT_REFUSED, "there is no lock %s", args->address);
	if (!entry && is_folder(path))
		return cli_fail(program, EXIT_USAGE, "%s is a folder: see locktop ls", path);
	if (!entry) {
		health.is_missing = true;
		e = add_missing(session, path, &entry);
	}
	if (e == 0 && session_wants_logs(&args->common, -1, &args->log)) {
		e = session_logs(session, &args->log, &err);
		if (e < 0)
			return cli_fail(program, cli_exit_code(e), "%s", err.text);
		e = session_gather(session, 0);
		session_complain(session, program);
	}
	if (e == 0) {
		health.entry = entry;
		health.facts = model_facts(&session->model, entry);
		health.fence = fence_of(entry, path);
		e = print(args, &health);
	}
	if (e == 0 && fflush(stdout) != 0)
		e = -errno;
	return e < 0 ? cli_fail(program, cli_exit_code(e), "cannot print: %s", strerror(-e))
		     : EXIT_DONE;
}

static int status(const char *program, struct session *session, void *data)
{
	const struct status_args *args = data;
	char *address = NULL, *path = NULL;
	struct error err;
	int e = local_path(&address, &path, args->address, &err);
	int code;

	if (e < 0)
		code = cli_fail(program, cli_exit_code(e), "%s", err.text);
	else
		code = look(program, session, args, address, path);
	free(address);
	free(path);
	return code;
}

static int run(const struct command *command, int argc, char **argv)
{
	struct status_args args = {.common.format = FORMAT_NONE};

	(void)command;
	options_parse(&argp, argc, argv, 0, NULL, &args);
	return session_run(argv[0], &args.common, true, status, &args);
}

const struct command command_status = {"status", "the health of one lock", &argp, run};

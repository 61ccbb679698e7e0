/* liblocktop: a look at a lock, whoever has it, by what the monitor sees with. */
#include "config.h"
#include "lib/locktop.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "backends/backend.h"
#include "base/jsonw.h"
#include "base/text.h"
#include "lib/locktop_private.h"
#include "model/verdict.h"
#include "system/fence.h"

/* The address as the backend's source: a lock file, whether it is one or a plain flock. */
static int parse_source(const struct locktop *lock, struct uri *uri, struct error *err)
{
	int rc = uri_parse(uri, lock->address, err);

	if (rc == 0 && strcmp(uri->scheme, "file") != 0 && strcmp(uri->scheme, "flock") != 0) {
		rc = error_set(
			err, -ENOTSUP, "%s cannot be looked at: it is no lock file", lock->address);
		uri_release(uri);
	}
	return rc;
}

/* 0 with a reference, NULL: there is no such file, so nobody has it. */
static int look(struct locktop *lock, const struct uri *uri, struct lock **found, struct error *err)
{
	const char *base = strrchr(uri->path, '/');
	char *name = text_clean_dup(base + 1, strlen(base + 1));
	void *state = NULL;
	int rc;

	if (!name)
		return error_sys(err, -ENOMEM, "cannot look at %s", lock->address);
	*found = NULL;
	rc = backend_file.open(&state, &lock->world, &lock->here, uri, err);
	if (rc == 0)
		rc = backend_file.look(state, name, found, err);
	backend_file.close(state);
	free(name);
	/* The folder has to be there. */
	if (rc == -ENOENT && !*found) {
		char *folder = strndup(uri->path, (size_t)(base - uri->path) + 1);

		rc = folder && access(folder, F_OK) == 0 ? 0 : rc;
		free(folder);
	}
	return rc;
}

static int64_t last_fence(const struct uri *uri)
{
	const char *base = strrchr(uri->path, '/');
	char *folder = strndup(uri->path, (size_t)(base - uri->path) + 1);
	int dir = folder ? open(folder, O_PATH | O_DIRECTORY | O_CLOEXEC) : -1;
	int64_t fence = 0;

	if (dir >= 0 && fence_last(dir, base + 1, &fence, NULL) < 0)
		fence = 0;
	if (dir >= 0)
		close(dir);
	free(folder);
	return fence;
}

static void fill_free(struct locktop_status *status)
{
	status->state = state_word(STATE_FREE);
	status->active = status->stale = status->process_running = 0;
	snprintf(status->why, sizeof status->why, "no such file: nobody has it");
}

static void fill(struct locktop *lock, const struct lock *found, struct locktop_status *status)
{
	struct facts facts = {
		.now = clock_mono(lock->world.clock),
		.now_wall = clock_wall(lock->world.clock),
		.limit = lock->claim.stale_after,
	};
	struct verdict verdict = verdict_of(found, &facts);
	const struct process *holder = verdict_holder(found);

	status->state = state_word(verdict.state);
	status->active = state_is_active(verdict.state);
	status->stale = state_is_stale(verdict.state);
	status->process_running = verdict_running(found, &verdict);
	verdict_why(status->why, sizeof status->why, found, &facts, &verdict);
	verdict_advice(
		status->recommendation, sizeof status->recommendation, found, &facts, &verdict);
	if (holder)
		status->pid = holder->pid;
	snprintf(status->host, sizeof status->host, "%s", found->record.host);
	if (verdict.age != AGE_UNKNOWN)
		status->age_ms = verdict.age / NS_PER_MS;
}

int locktop_status(struct locktop *lock, struct locktop_status *status, struct locktop_error *error)
{
	struct locktop_status full = {
		.active = -1,
		.stale = -1,
		.process_running = -1,
		.age_ms = -1,
		.limit_ms = lock->claim.stale_after / NS_PER_MS,
	};
	size_t size = status->size;
	struct lock *found = NULL;
	struct error err = {0};
	struct uri uri;
	int rc;

	if (!LOCKTOP_HAS(struct locktop_status, size, state)) {
		error_set(&err, -EINVAL, "size is not that of struct locktop_status");
		return locktop_fail(error, LOCKTOP_USAGE, &err);
	}
	rc = parse_source(lock, &uri, &err);
	if (rc == 0) {
		rc = look(lock, &uri, &found, &err);
		full.fence = rc == 0 ? last_fence(&uri) : 0;
		uri_release(&uri);
	}
	if (rc < 0)
		return locktop_fail(error, locktop_code(rc), &err);
	if (found)
		fill(lock, found, &full);
	else
		fill_free(&full);
	lock_unref(found);
	/* What a newer caller knows besides is not known here. */
	if (size > sizeof full)
		memset((char *)status + sizeof full, 0, size - sizeof full);
	memcpy(status, &full, size < sizeof full ? size : sizeof full);
	status->size = size;
	return 0;
}

/* 1, 0, or -1: unknown. */
static void put_known(struct jsonw *json, const char *key, int value)
{
	if (value < 0)
		jsonw_null(json, key);
	else
		jsonw_bool(json, key, value);
}

int locktop_health(struct locktop *lock, char *json, size_t size, struct locktop_error *error)
{
	struct locktop_status status = {.size = sizeof status};
	struct error err = {0};
	struct jsonw line;
	char text[2048];
	int rc = locktop_status(lock, &status, error), len;

	if (rc < 0)
		return rc;
	jsonw_begin(&line, text, sizeof text);
	put_known(&line, "active", status.active);
	put_known(&line, "stale", status.stale);
	put_known(&line, "process_running", status.process_running);
	jsonw_text(
		&line, "recommendation", status.recommendation[0] ? status.recommendation : "none");
	jsonw_text(&line, "state", status.state);
	jsonw_text(&line, "why", status.why);
	if (status.pid > 0)
		jsonw_int(&line, "pid", status.pid);
	else
		jsonw_null(&line, "pid");
	if (status.age_ms >= 0)
		jsonw_fixed(&line, "age_s", status.age_ms, 1000, 3);
	else
		jsonw_null(&line, "age_s");
	len = jsonw_end(&line);
	if (len < 0 || (size_t)len > size) {
		error_set(&err, -E2BIG, "the health does not fit into %zu bytes", size);
		return locktop_fail(error, LOCKTOP_USAGE, &err);
	}
	/* Without its newline. */
	memcpy(json, text, (size_t)len - 1);
	json[len - 1] = '\0';
	return len - 1;
}

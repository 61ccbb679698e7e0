/* Which lines of the metrics logs are meant. */
#include "config.h"
#include "cli/log_pick.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "base/text.h"
#include "base/uri.h"
#include "system/folder.h"

enum { ADDRESS = 4096 };

static const char *or_empty(const char *text)
{
	return text ? text : "";
}

/* The address of "SOURCE/NAME", where `slash` is the last slash. */
static char *address_at(const char *text, const char *slash)
{
	char source[ADDRESS], name[ADDRESS], address[ADDRESS];
	int root = slash == text || slash[-1] == ':'; /* "/x", "file:/x": the folder is "/" */

	snprintf(source, sizeof source, "%.*s", (int)(slash - text) + root, text);
	text_clean(name, sizeof name, slash + 1, strlen(slash + 1), NULL);
	metrics_address(address, sizeof address, source, name);
	return strdup(address);
}

/* One slash between two names, none at the end. */
static void squeeze(char *path)
{
	char *to = path;

	for (const char *from = path; *from; from++)
		if (*from != '/' || to == path || to[-1] != '/')
			*to++ = *from;
	if (to > path + 1 && to[-1] == '/')
		to--;
	*to = '\0';
}

static bool is_folder(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

/*
 * The path as those who take locks write it: whole, and the folder's real one where there is such
 * a folder here. A lock file itself is no link.
 */
static char *real_path(const char *given)
{
	char *path = folder_absolute(given), *real, *slash, *whole = NULL;

	if (!path)
		return NULL;
	squeeze(path);
	slash = strrchr(path, '/');
	if (is_folder(path)) {
		real = realpath(path, NULL);
		slash = NULL;
	} else {
		*slash = '\0';
		real = realpath(*path ? path : "/", NULL);
		*slash = '/';
	}
	if (!real)
		return path;
	if (slash && asprintf(&whole, "%s%s", real[1] ? real : "", slash) < 0)
		whole = NULL;
	free(path);
	if (!slash)
		return real;
	free(real);
	return whole;
}

static int init_file(struct log_pick *pick, const struct uri *uri)
{
	char *path = real_path(uri->path);

	pick->address = path ? text_clean_dup(path, strlen(path)) : NULL;
	pick->is_file = true;
	free(path);
	return pick->address ? 0 : -ENOMEM;
}

/* "redis://h/0/name", and "redis://h/0", which is a source: what it is, the lines tell. */
static int init_other(struct log_pick *pick, const char *text)
{
	const char *slash = strrchr(text, '/');

	pick->source = strdup(text);
	pick->address = slash && slash > text && slash[1] ? address_at(text, slash) : strdup(text);
	return pick->source && pick->address ? 0 : -ENOMEM;
}

static int init_uri(struct log_pick *pick, const char *text, struct error *err)
{
	struct uri uri;
	int e = uri_parse(&uri, text, err);

	if (e < 0)
		return e;
	e = strcmp(uri.scheme, "file") == 0 ? init_file(pick, &uri) : init_other(pick, text);
	uri_release(&uri);
	return e < 0 ? error_sys(err, e, "cannot look for %s", text) : 0;
}

static int init_default(struct log_pick *pick, const char *text, const char *source)
{
	char *whole;

	if (asprintf(&whole, "%s%s%s", source, source[strlen(source) - 1] == '/' ? "" : "/", text) <
		0)
		return -ENOMEM;
	pick->address = address_at(whole, strrchr(whole, '/'));
	free(whole);
	return pick->address ? 0 : -ENOMEM;
}

int log_pick_init(
	struct log_pick *pick, const char *text, const struct settings *settings, struct error *err)
{
	int e = 0;

	*pick = (struct log_pick){.text = text};
	if (!*text)
		return error_set(err, -EINVAL,
			"which lock? An address, the URI of a source, or a word like redis");
	pick->is_name = !strpbrk(text, "/:");
	if (!pick->is_name || access(text, F_OK) == 0) {
		e = init_uri(pick, text, err);
	} else if (settings->default_source) {
		e = init_default(pick, text, settings->default_source);
		if (e < 0)
			error_sys(err, e, "cannot look for %s", text);
	}
	if (e < 0)
		log_pick_release(pick);
	return e;
}

void log_pick_release(struct log_pick *pick)
{
	free(pick->address);
	free(pick->source);
	*pick = (struct log_pick){0};
}

/* It is the lock's address, or the folder of a lock file. */
static bool has_address(const struct log_pick *pick, const char *source, const char *lock)
{
	char address[ADDRESS];
	size_t len = strlen(pick->address);

	metrics_address(address, sizeof address, source, lock);
	if (strcmp(address, pick->address) == 0)
		return true;
	if (len == 1 && *pick->address == '/')
		len = 0;
	return pick->is_file && strncmp(address, pick->address, len) == 0 && address[len] == '/' &&
	       strcmp(address + len + 1, lock) == 0;
}

bool log_pick_has(
	const struct log_pick *pick, const char *source, const char *lock, const char *backend)
{
	source = or_empty(source);
	lock = or_empty(lock);
	if (pick->is_name &&
		(strcmp(lock, pick->text) == 0 || strcmp(or_empty(backend), pick->text) == 0))
		return true;
	if (pick->source && strcmp(source, pick->source) == 0)
		return true;
	return pick->address && *lock && has_address(pick, source, lock);
}

int log_picks_init(struct log_picks *picks, char *const *texts, size_t n,
	const struct settings *settings, struct error *err)
{
	int e = 0;

	*picks = (struct log_picks){.pick = calloc(n ? n : 1, sizeof *picks->pick)};
	if (!picks->pick)
		return error_sys(err, -ENOMEM, "cannot look for locks");
	for (; picks->n < n && e == 0; picks->n++)
		e = log_pick_init(&picks->pick[picks->n], texts[picks->n], settings, err);
	if (e < 0)
		log_picks_release(picks);
	return e;
}

void log_picks_release(struct log_picks *picks)
{
	for (size_t i = 0; i < picks->n; i++)
		log_pick_release(&picks->pick[i]);
	free(picks->pick);
	*picks = (struct log_picks){0};
}

bool log_picks_have(
	const struct log_picks *picks, const char *source, const char *lock, const char *backend)
{
	for (size_t i = 0; i < picks->n; i++)
		if (log_pick_has(&picks->pick[i], source, lock, backend))
			return true;
	return picks->n == 0;
}

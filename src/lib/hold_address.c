/* What a lock of a hold is called. */
#include "config.h"
#include "lib/hold_private.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/text.h"
#include "system/folder.h"

/* Those whose locks are files: a folder has many names. */
static bool is_file(const struct uri *uri)
{
	return !uri->host &&
	       (strcmp(uri->scheme, "file") == 0 || strcmp(uri->scheme, "flock") == 0);
}

/* Adds raw text so that it is clean and base/uri.h reads the same bytes from it again. */
static void add_encoded(struct buf *buf, const char *raw, const char *special)
{
	bool is_clean = text_is_clean(raw, strlen(raw));

	for (; *raw; raw++) {
		unsigned char c = (unsigned char)*raw;

		if (c <= ' ' || c == 0x7f || strchr(special, c) || (c >= 0x80 && !is_clean))
			buf_addf(buf, "%%%02X", c);
		else
			buf_addc(buf, *raw);
	}
}

/*
 * The same file for everybody, whatever links lead to its folder. Where the folder is not there
 * the path has to do: it cannot be taken anyway.
 */
static char *real_path(const char *path)
{
	const char *slash = strrchr(path, '/');
	char *folder = strndup(path, slash > path ? (size_t)(slash - path) : 1);
	char *real = folder ? realpath(folder, NULL) : NULL, *whole = NULL;

	if (!real && folder && errno != ENOMEM) {
		path += strspn(path, "/") - 1;
		whole = strdup(path);
	} else if (real && asprintf(&whole, "%s/%s", real[1] ? real : "", slash + 1) < 0) {
		whole = NULL;
	}
	free(folder);
	free(real);
	return whole;
}

/* "redis://user@host:6379" in front of a path. */
static void add_authority(struct buf *buf, const struct uri *uri)
{
	bool is_ipv6 = uri->host && strchr(uri->host, ':');

	buf_addf(buf, "%s:", uri->scheme);
	if (!uri->host)
		return;
	buf_adds(buf, "//");
	if (uri->user) {
		add_encoded(buf, uri->user, "%/@:?");
		buf_addc(buf, '@');
	}
	buf_addf(buf, is_ipv6 ? "[%s]" : "%s", uri->host);
	if (uri->port)
		buf_addf(buf, ":%d", uri->port);
}

static void add_params(struct buf *buf, const struct uri *uri)
{
	for (size_t i = 0; i < uri->params; i++) {
		buf_addc(buf, i ? '&' : '?');
		add_encoded(buf, uri->param[i].name, "%&=");
		buf_addc(buf, '=');
		add_encoded(buf, uri->param[i].value, "%&");
	}
}

/* file: and flock: of one path are one lock: both are the same inode's flock. */
static char *make_key(const struct part *part, const char *path)
{
	char *key;

	if (!is_file(&part->uri))
		return strdup(part->address);
	return asprintf(&key, "file:%s", path) < 0 ? NULL : key;
}

static int make_names(struct part *part, const char *path)
{
	const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;
	struct buf address = {0}, source = {0};
	char *folder = strndup(path, (size_t)(name - path) - (slash != NULL));

	add_authority(&address, &part->uri);
	add_encoded(&address, path, "%?");
	add_params(&address, &part->uri);
	add_authority(&source, &part->uri);
	add_encoded(&source, !folder ? "" : slash == path ? "/" : folder, "%?");
	part->address = buf_take(&address);
	part->source = buf_take(&source);
	part->name = text_clean_dup(name, strlen(name));
	if (folder && part->address)
		part->key = make_key(part, path);
	free(folder);
	return part->address && part->source && part->name && part->key ? 0 : -ENOMEM;
}

int part_name(struct part *part, const char *address, struct error *err)
{
	char *path = NULL;
	size_t len;
	int rc;

	*part = (struct part){.acquired = -1, .renewed = -1};
	rc = uri_parse(&part->uri, address, err);
	if (rc < 0)
		return rc;
	part->provider = provider_for(&part->uri, err);
	if (!part->provider)
		return -EPROTONOSUPPORT;
	len = strlen(part->uri.path);
	if (len == 0 || part->uri.path[len - 1] == '/')
		return error_set(err, -EINVAL, "%s has no name of a lock at its end", address);
	if (is_file(&part->uri)) {
		path = folder_absolute(part->uri.path);
		if (!path)
			return error_sys(err, -errno, "cannot tell the folder of %s", address);
		free(part->uri.path);
		part->uri.path = path;
		path = real_path(part->uri.path);
	} else {
		path = strdup(part->uri.path);
	}
	rc = path ? make_names(part, path) : -ENOMEM;
	free(path);
	return rc < 0 ? error_sys(err, rc, "cannot add a lock") : 0;
}

void part_release(struct part *part)
{
	if (part->state)
		part->provider->close(part->state);
	uri_release(&part->uri);
	free(part->address);
	free(part->source);
	free(part->name);
	free(part->key);
	*part = (struct part){0};
}

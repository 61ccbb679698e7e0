/* The address of a source, taken apart. */
#include "config.h"
#include "base/uri.h"

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/error.h"
#include "base/text.h"

/* ctype.h asks the locale; an address does not. */
#define LETTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define DIGITS  "0123456789"

enum { HOST_MAX = 255, PORT_MAX = 65535 };

static const char no_passwords[] =
	"no passwords in an address, which others can see in process lists "
	"and logs; they belong into the configuration";

static int no_memory(struct error *err)
{
	return error_set(err, -ENOMEM, "out of memory");
}

/* Refusals name the scheme only: what cannot be taken apart may have a password in it. */
static int refuse(const struct uri *uri, struct error *err, const char *why)
{
	return error_set(err, -EINVAL, "%s: %s", uri->scheme, why);
}

/* The length of "scheme" in "scheme:…", 0 if the text is a bare path. */
static size_t scheme_length(const char *text)
{
	size_t n = strspn(text, LETTERS DIGITS "+-.");

	return strspn(text, LETTERS) && text[n] == ':' ? n : 0;
}

static int hex_value(char c)
{
	static const char hex[] = "0123456789abcdef0123456789ABCDEF";
	const char *digit = c ? strchr(hex, c) : NULL;

	return digit ? (int)((digit - hex) & 15) : -1;
}

/* A part of the address with its %XX decoded, onto the heap. */
static int decode(
	const struct uri *uri, const char *text, size_t len, char **out, struct error *err)
{
	char *plain = malloc(len + 1);
	size_t i, to = 0;
	int high, low;

	if (!plain)
		return no_memory(err);
	for (i = 0; i < len; i++) {
		plain[to++] = text[i];
		if (text[i] != '%')
			continue;
		high = i + 1 < len ? hex_value(text[i + 1]) : -1;
		low = i + 2 < len ? hex_value(text[i + 2]) : -1;
		if (high < 0 || low < 0 || (!high && !low)) {
			free(plain);
			return refuse(uri, err,
				high == 0 && low == 0 ? "%00 cannot stand in an address"
						      : "a % has to be written as %25");
		}
		plain[to - 1] = (char)(high << 4 | low);
		i += 2;
	}
	plain[to] = '\0';
	*out = plain;
	return 0;
}

/* "host", "[::1]", either with ":port" behind it. */
static int parse_host(struct uri *uri, const char *text, size_t len, struct error *err)
{
	static const char bad_port[] = "a port has to be a number from 1 to 65535";
	const char *end = text[0] == '[' ? memchr(text, ']', len) : NULL;
	const char *colon = end ? end + 1 : memchr(text, ':', len);
	size_t host = colon ? (size_t)(colon - text) : len;
	char number[8] = "";
	int64_t port = 0;
	int result;

	if (text[0] == '[' && !end)
		return refuse(uri, err, "the host begins with [ and has no ]");
	if (colon && host < len) {
		if (*colon != ':' || len - host > sizeof number)
			return refuse(uri, err, bad_port);
		memcpy(number, colon + 1, len - host - 1);
		if (*number && text_to_int(number, 1, PORT_MAX, &port) < 0)
			return refuse(uri, err, bad_port);
	}
	uri->port = (int)port;
	if (end) {
		text++;
		host -= 2;
	}
	if (!host)
		return port ? refuse(uri, err, "a port without a host") : 0;
	result = decode(uri, text, host, &uri->host, err);
	if (result)
		return result;
	if (strlen(uri->host) > HOST_MAX || strpbrk(uri->host, " /\\@?#\"'") ||
		!text_is_clean(uri->host, strlen(uri->host)))
		return refuse(uri, err, "this is no name of a host");
	return 0;
}

/* What stands between "//" and the path: [user@]host[:port]. A raw '@' can only be the last one. */
static int parse_authority(struct uri *uri, const char *text, size_t len, struct error *err)
{
	const char *at = memrchr(text, '@', len);
	size_t user = at ? (size_t)(at - text) : 0;
	int result;

	if (at) {
		if (user) {
			result = decode(uri, text, user, &uri->user, err);
			if (result)
				return result;
			if (strchr(uri->user, ':'))
				return refuse(uri, err, no_passwords);
		}
		text = at + 1;
		len -= user + 1;
	}
	return len ? parse_host(uri, text, len, err) : 0;
}

static int parse_param(struct uri *uri, const char *text, size_t len, struct error *err)
{
	static const char *const secrets[] = {"password", "passwd", "pass", "pwd"};
	const char *equals = memchr(text, '=', len);
	size_t name = equals ? (size_t)(equals - text) : len, i;
	char *decoded;
	int result;

	if (!name)
		return refuse(uri, err, "a parameter without a name");
	if (uri->params == URI_PARAMS)
		return refuse(uri, err, "more than 16 parameters");
	result = decode(uri, text, name, &decoded, err);
	if (result)
		return result;
	for (i = 0; i < sizeof secrets / sizeof *secrets; i++)
		if (strcasecmp(decoded, secrets[i]) == 0)
			result = refuse(uri, err, no_passwords);
	if (!result && uri_param(uri, decoded))
		result = error_set(
			err, -EINVAL, "%s: parameter '%s' is given twice", uri->scheme, decoded);
	if (result) {
		free(decoded);
		return result;
	}
	uri->param[uri->params].name = decoded;
	name += equals != NULL;
	/* Counted first, so that the name is freed whatever becomes of the value. */
	return decode(uri, text + name, len - name, &uri->param[uri->params++].value, err);
}

static int parse_params(struct uri *uri, const char *text, struct error *err)
{
	size_t len;
	int result;

	for (; *text; text += len + (text[len] == '&')) {
		len = strcspn(text, "&");
		result = len ? parse_param(uri, text, len, err) : 0;
		if (result)
			return result;
	}
	return 0;
}

/* A path of this machine: RFC 8089 lets "localhost" stand before it, and nobody else. */
static int check_local(struct uri *uri, struct error *err)
{
	static const char *const local[] = {"file", "replay", "wordpress"};
	size_t i;

	for (i = 0; i < sizeof local / sizeof *local; i++) {
		if (strcmp(uri->scheme, local[i]) != 0)
			continue;
		if (uri->user || uri->port ||
			(uri->host && strcasecmp(uri->host, "localhost") != 0))
			return error_set(err, -EINVAL,
				"%s: has no host; a path has one or three slashes before it, as "
				"%s:/PATH",
				uri->scheme, uri->scheme);
		free(uri->host);
		uri->host = NULL;
		if (!*uri->path)
			return error_set(err, -EINVAL, "%s: needs a path, as %s:/PATH", uri->scheme,
				uri->scheme);
	}
	return 0;
}

/* What follows "scheme:" */
static int parse_rest(struct uri *uri, const char *text, struct error *err)
{
	size_t len;
	int result = 0;

	if (text[0] == '/' && text[1] == '/') {
		text += 2;
		len = strcspn(text, "/?");
		result = parse_authority(uri, text, len, err);
		text += len;
	}
	len = strcspn(text, "?");
	if (!result)
		result = decode(uri, text, len, &uri->path, err);
	if (!result && text[len])
		result = parse_params(uri, text + len + 1, err);
	return result ? result : check_local(uri, err);
}

/*
 * ssh(1) takes whatever begins with '-' for an option, ProxyCommand among them, and expands % in
 * names; so only what names are made of may pass.
 */
static bool is_ssh_name(const char *text, size_t len, const char *allowed)
{
	return len && len <= HOST_MAX && *text != '-' && strspn(text, allowed) >= len;
}

/* "HOST", "user@HOST", "[::1]": its length, up to the colon behind it; 0 if it is none. */
static size_t ssh_host_length(const char *text)
{
	static const char name[] = LETTERS DIGITS "._-";
	size_t user = strcspn(text, "@:["), len;
	const char *host = text;

	if (text[user] == '@') {
		if (!is_ssh_name(text, user, name))
			return 0;
		host += user + 1;
	}
	if (*host == '[') {
		len = strcspn(host, "]");
		if (host[len] != ']' || !is_ssh_name(host + 1, len - 1, LETTERS DIGITS "._:%"))
			return 0;
		len++;
	} else {
		len = strcspn(host, ":");
		if (!is_ssh_name(host, len, name))
			return 0;
	}
	return host[len] == ':' ? (size_t)(host - text) + len : 0;
}

/* "HOST:URI". The brackets around an IPv6 address are ours: ssh(1) wants it without. */
static int parse_ssh(struct uri *uri, const char *text, struct error *err)
{
	static const char expected[] = "expected ssh:HOST:URI, as ssh:web1:file:/run/lock";
	size_t len = ssh_host_length(text), to = 0, i;
	const char *inner = text + len + 1;
	struct uri there;
	int result;

	if (!len || !(*inner == '/' || scheme_length(inner)))
		return refuse(uri, err, expected);
	if (strncasecmp(inner, "ssh:", 4) == 0)
		return refuse(uri, err, "no ssh: behind ssh:; let ssh_config(5) have a ProxyJump");
	result = uri_parse(&there, inner, err);
	if (result)
		return result;
	uri_release(&there);
	uri->host = malloc(len + 1);
	uri->path = strdup(inner);
	if (!uri->host || !uri->path)
		return no_memory(err);
	for (i = 0; i < len; i++)
		if (text[i] != '[' && text[i] != ']')
			uri->host[to++] = text[i];
	uri->host[to] = '\0';
	return 0;
}

/* Fills a zeroed uri; also on error what it holds is the caller's to release. */
static int parse(struct uri *uri, const char *text, struct error *err)
{
	size_t len = scheme_length(text), i;

	if (!*text)
		return error_set(err, -EINVAL,
			"an empty address; expected a path, or one such as kernel: or "
			"file:/run/lock");
	uri->text = strdup(text);
	uri->scheme = len ? strndup(text, len) : strdup("file");
	if (!uri->text || !uri->scheme)
		return no_memory(err);
	if (!len) {
		uri->path = strdup(text);
		return uri->path ? 0 : no_memory(err);
	}
	for (i = 0; i < len; i++)
		if (uri->scheme[i] >= 'A' && uri->scheme[i] <= 'Z')
			uri->scheme[i] |= 0x20;
	text += len + 1;
	return strcmp(uri->scheme, "ssh") == 0 ? parse_ssh(uri, text, err)
					       : parse_rest(uri, text, err);
}

int uri_parse(struct uri *uri, const char *text, struct error *err)
{
	struct uri parsed = {0};
	int result = parse(&parsed, text, err);

	if (result)
		uri_release(&parsed);
	else
		*uri = parsed;
	return result;
}

const char *uri_param(const struct uri *uri, const char *name)
{
	size_t i;

	for (i = 0; i < uri->params; i++)
		if (strcmp(uri->param[i].name, name) == 0)
			return uri->param[i].value;
	return NULL;
}

static bool is_listed(const char *name, const char *const *names)
{
	for (; *names; names++)
		if (strcmp(name, *names) == 0)
			return true;
	return false;
}

int uri_only(const struct uri *uri, const char *const *names, struct error *err)
{
	char list[256] = "";
	size_t i, len = 0;

	for (i = 0; i < uri->params && is_listed(uri->param[i].name, names); i++)
		;
	if (i == uri->params)
		return 0;
	for (; *names && len < sizeof list; names++)
		len += (size_t)snprintf(list + len, sizeof list - len, "%s%s",
			!len       ? ", expected "
			: names[1] ? ", "
				   : " or ",
			*names);
	return error_set(err, -EINVAL, "%s: knows no parameter '%s'%s", uri->scheme,
		uri->param[i].name, list);
}

void uri_release(struct uri *uri)
{
	size_t i;

	for (i = 0; i < uri->params; i++) {
		free(uri->param[i].name);
		free(uri->param[i].value);
	}
	free(uri->text);
	free(uri->scheme);
	free(uri->user);
	free(uri->host);
	free(uri->path);
	*uri = (struct uri){0};
}

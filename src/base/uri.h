/*
 * The address of a source: "file:/run/lock?glob=*.lock", "kernel:", "ssh:web1:file:/run/lock",
 * "replay:/tmp/night.jsonl", "redis://user@host:6379/0?prefix=lock:".
 *
 * A bare path means file: and is taken literally: nothing in it is decoded, and it has no
 * parameters, for which file: has to be written. A bare path is what begins with "/" or ".", or
 * has no scheme (RFC 3986: a letter, then letters, digits, "+", "-", ".") before its first colon.
 *
 * Behind a scheme RFC 3986 applies: %XX is decoded, "?" begins parameters, "&" separates them. A
 * "#" and a "+" are themselves. "file:relative", "file:/abs", "file:///abs" and
 * "file://localhost/abs" are all understood. Whether a scheme exists is the backends' business.
 *
 * ssh:HOST:URI is different: HOST is [user@]name or [user@][IPv6], of letters, digits, "._-" only
 * and never with "-" in front (ssh(1) would take it for an option); the URI needs a scheme or to
 * be an absolute path, is checked, but kept as it stands, and must not be ssh: again.
 */
#ifndef LOCKTOP_BASE_URI_H
#define LOCKTOP_BASE_URI_H

#include <stddef.h>

struct error;

enum { URI_PARAMS = 16 };

struct uri {
	char *text;   /* owned; as given, uncleaned (no password in it: refused) */
	char *scheme; /* owned; lower case */
	char *user;   /* owned or NULL; of ssh: always NULL */
	char *host;   /* owned or NULL; no brackets; of ssh: the HOST with its user */
	int port;     /* 0: none given */
	char *path;   /* owned, decoded, never NULL; of ssh: the inner URI, untouched */
	size_t params;
	struct {
		char *name;  /* owned */
		char *value; /* owned, decoded */
	} param[URI_PARAMS];
};

/*
 * Parses text. A relative path is kept relative; the caller makes it absolute. -EINVAL with a
 * sentence that says what was expected; -ENOMEM. A password in the URI ("user:password@", or a
 * parameter of such a name) is refused, and no sentence repeats it: secrets come from the
 * configuration.
 */
int uri_parse(struct uri *uri, const char *text, struct error *err);
/* A parameter's value, or NULL. Borrowed. */
const char *uri_param(const struct uri *uri, const char *name);
/*
 * Refuses a parameter that is not among the NULL-terminated names: "file: knows no parameter
 * 'glbo', expected glob".
 */
int uri_only(const struct uri *uri, const char *const *names, struct error *err);
void uri_release(struct uri *uri);

#endif

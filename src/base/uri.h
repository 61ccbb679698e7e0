/*
 * The address of a source: "file:/run/lock?glob=*.lock", "kernel:", "ssh:web1:file:/run/lock",
 * "replay:/tmp/night.jsonl", "redis://user@host:6379/0?prefix=lock:". A bare path means file:.
 * RFC 3986 where it applies: %XX is decoded, "?" begins parameters, "&" separates them.
 */
#ifndef LOCKTOP_BASE_URI_H
#define LOCKTOP_BASE_URI_H

#include <stddef.h>

struct error;

enum { URI_PARAMS = 16 };

struct uri {
	char *text;   /* owned; as given, for messages (no password in it: refused) */
	char *scheme; /* owned; lower case */
	char *user;   /* owned or NULL */
	char *host;   /* owned or NULL; of ssh: the HOST */
	int port;     /* 0: none given */
	char *path;   /* owned, decoded, never NULL; of ssh: the inner URI, untouched */
	size_t params;
	struct {
		char *name;  /* owned */
		char *value; /* owned, decoded */
	} param[URI_PARAMS];
};

/*
 * Parses text. A relative bare path is kept relative; the caller makes it absolute. -EINVAL
 * with a sentence that says what was expected; -ENOMEM. A password in the URI is refused:
 * secrets come from the configuration.
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

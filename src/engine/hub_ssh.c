/* How a source on another host is run. */
#include "config.h"
#include "engine/hub.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/error.h"

/*
 * BatchMode: a question for a password could not be seen. A host that does not answer is told in
 * 5 s, not in the 2 minutes of TCP.
 */
static const char *const options[] = {"-oBatchMode=yes", "-oConnectTimeout=5", "-T", "--"};

/* ssh(1) joins its arguments with spaces, and the shell of the other host parses that. */
static void add_quoted(struct buf *buf, const char *text)
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				    "0123456789_./:=@%+,-";

	if (*text && !text[strspn(text, plain)]) {
		buf_adds(buf, text);
		return;
	}
	buf_addc(buf, '\'');
	for (; *text; text++) {
		if (*text == '\'')
			buf_adds(buf, "'\\''");
		else
			buf_addc(buf, *text);
	}
	buf_addc(buf, '\'');
}

/* Cuts the words at their spaces and lists them; how many, or -E2BIG. */
static int split(char *words, const char **argv, size_t size)
{
	char *word, *rest = NULL;
	size_t n = 0;

	for (word = strtok_r(words, " \t", &rest); word; word = strtok_r(NULL, " \t", &rest)) {
		if (n == size)
			return -E2BIG;
		argv[n++] = word;
	}
	return (int)n;
}

int hub_ssh_argv(const char *ssh, const struct uri *uri, bool once, const char **argv, size_t size,
	struct error *err)
{
	enum { REST = sizeof options / sizeof *options + 6 };
	struct buf buf = {0};
	size_t host, inner, n, i;
	char *block;
	int words;

	ssh += strspn(ssh, " \t"); /* so that the first word is where the memory begins */
	if (!*ssh)
		return error_set(err, -EINVAL, "the command for ssh: is empty");
	buf_adds(&buf, ssh);
	buf_addc(&buf, '\0');
	host = buf.len;
	buf_adds(&buf, uri->host);
	buf_addc(&buf, '\0');
	inner = buf.len;
	add_quoted(&buf, uri->path);
	block = buf_take(&buf);
	if (!block)
		return error_sys(err, -ENOMEM, "cannot run %s", ssh);
	words = size > REST ? split(block, argv, size - REST) : -E2BIG;
	if (words < 0) {
		free(block);
		return error_set(err, words, "the command for ssh: has too many words");
	}
	n = (size_t)words;
	for (i = 0; i < sizeof options / sizeof *options; i++)
		argv[n++] = options[i];
	argv[n++] = block + host;
	argv[n++] = "locktop";
	argv[n++] = "source";
	if (once)
		argv[n++] = "--once";
	argv[n++] = block + inner;
	argv[n] = NULL;
	return 0;
}

/* What a lock is called, from the two words of a line. */
#include "config.h"
#include "model/metrics.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"

enum { PATH_LONGEST = 4096 };

static int hex(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* %XX as its byte, what is no such escape as it stands. Returns the length. */
static size_t decode(char *dst, size_t size, const char *src, size_t len)
{
	size_t n = 0;

	for (size_t i = 0; i < len && n + 1 < size; i++) {
		if (src[i] == '%' && i + 2 < len + 0 && hex(src[i + 1]) >= 0 &&
			hex(src[i + 2]) >= 0) {
			dst[n++] = (char)(hex(src[i + 1]) << 4 | hex(src[i + 2]));
			i += 2;
		} else {
			dst[n++] = src[i];
		}
	}
	dst[n] = '\0';
	return n;
}

/* The length of "ssh:HOST:", or 0. */
static size_t ssh_prefix(const char *source)
{
	const char *end;

	if (strncmp(source, "ssh:", 4) != 0)
		return 0;
	end = strchr(source + 4, ':');
	return end ? (size_t)(end - source) + 1 : 0;
}

/* Is it the file itself, and no folder of that name? */
static bool ends_with_name(const char *path, const char *lock)
{
	const char *slash = strrchr(path, '/');

	return slash && strcmp(slash + 1, lock) == 0 && strchr(lock + 1, '.');
}

static int file_address(char *dst, size_t size, const char *source, int prefix, const char *path,
	size_t len, const char *lock)
{
	char folder[PATH_LONGEST];

	while (len > 1 && path[len - 1] == '/')
		len--;
	if (len >= sizeof folder)
		len = sizeof folder - 1;
	memcpy(folder, path, len);
	folder[len] = '\0';
	if (*lock == '/')
		return snprintf(dst, size, "%.*s%s", prefix, source, lock);
	if (ends_with_name(folder, lock))
		return snprintf(dst, size, "%.*s%s", prefix, source, folder);
	return snprintf(dst, size, "%.*s%s%s%s", prefix, source, folder,
		strcmp(folder, "/") == 0 ? "" : "/", lock);
}

static int uri_of_file_address(char *dst, size_t size, const char *source, int prefix,
	const char *path, size_t len, const char *lock)
{
	char raw[PATH_LONGEST], clean[PATH_LONGEST];

	if (len > 2 && strncmp(path, "//", 2) == 0) {
		size_t host = strcspn(path + 2, "/");

		if (host + 2 < len) {
			path += host + 2;
			len -= host + 2;
		}
	}
	len = decode(raw, sizeof raw, path, len);
	len = text_visible(clean, sizeof clean, raw, len);
	return file_address(dst, size, source, prefix, clean, len, lock);
}

size_t metrics_address(char *dst, size_t size, const char *source, const char *lock)
{
	int prefix = (int)ssh_prefix(source), len;
	const char *inner = source + prefix;
	int inner_len = (int)strcspn(inner, "?");
	int scheme = strncmp(inner, "file:", 5) == 0 || strncmp(inner, "flock:", 6) == 0
			     ? (int)strcspn(inner, ":") + 1
			     : 0;

	if (!*inner)
		len = snprintf(dst, size, "%.*s%s", prefix, source, lock);
	else if (*inner == '/' || *inner == '.')
		len = file_address(dst, size, source, prefix, inner, strlen(inner), lock);
	else if (strncmp(inner, "kernel:", 7) == 0)
		len = snprintf(dst, size, "%.*skernel:%s", prefix, source, lock);
	else if (scheme)
		len = uri_of_file_address(dst, size, source, prefix, inner + scheme,
			(size_t)(inner_len - scheme), lock);
	else {
		while (inner_len > 1 && inner[inner_len - 1] == '/')
			inner_len--;
		len = snprintf(dst, size, "%.*s%.*s/%s", prefix, source, inner_len, inner, lock);
	}
	return (size_t)len < size ? (size_t)len : size - 1;
}

/*
 * UTF-8 and the few properties of characters that text.c needs; independent of the locale.
 */
#ifndef LOCKTOP_BASE_UNICODE_H
#define LOCKTOP_BASE_UNICODE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The first character of src. Returns its bytes (1 to 4), 0 if that is no valid UTF-8. */
size_t unicode_decode(const char *src, size_t len, uint32_t *c);
/* Returns the bytes written (1 to 4, no NUL), 0 for a surrogate or beyond U+10FFFF. */
size_t unicode_encode(char *dst, uint32_t c);
/*
 * Must not be shown as it is: controls, format and bidirectional controls, line separators,
 * characters without a width or a shape, private use, unassigned.
 */
bool unicode_is_hidden(uint32_t c);
/* A combining mark: takes no column of its own and joins the character before it. */
bool unicode_is_mark(uint32_t c);

#endif

/*
 * Writes one JSON object, flat, as one line of ASCII into a buffer of the caller's: for log lines
 * of programs that may not load a JSON library (it would cost them more than all they do). What
 * is read is read with jansson; tests compare the two.
 *
 * A key is a literal of ours, written as it is. Nothing is checked in between: after a member that
 * did not fit nothing more is written, and jsonw_end() says so.
 */
#ifndef LOCKTOP_BASE_JSONW_H
#define LOCKTOP_BASE_JSONW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct jsonw {
	char *dst; /* borrowed */
	size_t size;
	size_t len;
	bool is_full; /* something did not fit: the line is not usable */
};

void jsonw_begin(struct jsonw *json, char *dst, size_t size);
/*
 * Bytes that are not printable ASCII become \uXXXX (a pair beyond U+FFFF), so does DEL; each byte
 * that is no part of valid UTF-8 becomes U+FFFD. NULL becomes null.
 */
void jsonw_text(struct jsonw *json, const char *key, const char *text);
/*
 * The same in at most `max` bytes (at least 6) between the quotes: a longer text is cut between
 * two characters and ends in "~".
 */
void jsonw_text_cut(struct jsonw *json, const char *key, const char *text, size_t max);
void jsonw_int(struct jsonw *json, const char *key, int64_t number);
/*
 * A number with at most `decimals` (0 to 9) decimals, rounded, without zeros at the end, from a
 * fixed-point value: value / scale. scale is 1 to 1,000,000,000.
 */
void jsonw_fixed(struct jsonw *json, const char *key, int64_t value, int64_t scale, int decimals);
void jsonw_bool(struct jsonw *json, const char *key, bool value);
void jsonw_null(struct jsonw *json, const char *key);
/* Closes the object and adds a newline and a NUL. The length without the NUL; -E2BIG. */
int jsonw_end(struct jsonw *json);

#endif

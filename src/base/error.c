/* Errors: a code and one sentence, safe to print. */
#include "config.h"
#include "base/error.h"

#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"

/* Appends ": " and the words of the code; the sentence is cut where they would not fit. */
static void append_words(char *text, size_t size, int code)
{
	const char *words = strerrordesc_np(-code);
	char number[32];
	size_t len = strlen(text), room;

	if (!words) {
		snprintf(number, sizeof number, "error %d", -code);
		words = number;
	}
	room = size - sizeof ": " - strlen(words);
	if (len > room) {
		len = room;
		while (len && (text[len] & 0xc0) == 0x80)
			len--;
	}
	snprintf(text + len, size - len, ": %s", words);
}

/*
 * The sentence is formatted aside first: an argument may be err's own text. Where vsnprintf() cuts
 * a character in two, the escapes of what is left of it do not fit: text_visible() drops them.
 */
static void fill(struct error *err, int code, bool has_words, const char *format, va_list args)
{
	char raw[sizeof err->text];
	int saved = errno;

	if (vsnprintf(raw, sizeof raw, format, args) < 0)
		snprintf(raw, sizeof raw, "%s", format);
	text_visible(err->text, sizeof err->text, raw, strlen(raw));
	if (has_words)
		append_words(err->text, sizeof err->text, code);
	err->code = code;
	errno = saved;
}

int error_set(struct error *err, int code, const char *format, ...)
{
	va_list args;

	if (err) {
		va_start(args, format);
		fill(err, code, false, format, args);
		va_end(args);
	}
	return code;
}

int error_sys(struct error *err, int code, const char *format, ...)
{
	va_list args;

	if (err) {
		va_start(args, format);
		fill(err, code, true, format, args);
		va_end(args);
	}
	return code;
}

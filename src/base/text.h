/*
 * Text from outside made safe, measured and cut; numbers and durations read and written.
 * text_clean() and text_fit() are, with canvas_text(), the only doors through which names,
 * commands, record bytes or log lines may reach a terminal, a log or JSON.
 */
#ifndef LOCKTOP_BASE_TEXT_H
#define LOCKTOP_BASE_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Writes src as valid, visible UTF-8: C0, DEL, C1, invalid UTF-8, line and paragraph separators,
 * bidirectional controls (U+061C U+200E U+200F U+202A-202E U+2066-2069), zero-width characters,
 * U+FEFF, private-use and unassigned code points, and a combining mark at the start, behind an
 * escape or as the fifth in a row (four is what a cell of curses holds) appear as \xNN (a byte)
 * or \u{NNNN}; \n \r \t and the backslash itself as two characters, so that the escaped form
 * cannot be forged and text_unclean() gives the bytes back. The locale does not matter: what is
 * clean on one host is so on all. Cuts at size - 1 on the border of a character or an escape.
 * Returns the length written; *changed (may be NULL) says whether anything was escaped.
 */
size_t text_clean(char *dst, size_t size, const char *src, size_t len, bool *changed);
/* The same onto the heap, whole; NULL when out of memory. */
char *text_clean_dup(const char *src, size_t len);
/*
 * The same, but the backslash stays itself: for sentences that quote names which are clean
 * already. What it writes is clean, but text_unclean() may not give the bytes back.
 */
size_t text_visible(char *dst, size_t size, const char *src, size_t len);
/*
 * Is this valid UTF-8 without anything that text_clean() escapes, the backslash excepted? True
 * for whatever text_clean() wrote: what arrives in an event is checked by this, and cleaned
 * only if it fails.
 */
bool text_is_clean(const char *src, size_t len);
/*
 * The bytes behind a cleaned text, NUL-terminated (NULs among them are kept). Returns the length,
 * -EINVAL (no such escape), -E2BIG.
 */
int text_unclean(char *dst, size_t size, const char *text);

/*
 * Columns that clean UTF-8 takes: wcwidth(3), an unprintable counts 1. Where the current locale
 * is not UTF-8, a character beyond ASCII counts as the escape that text_fit() writes there.
 */
int text_width(const char *text);
enum text_cut { TEXT_CUT_END, TEXT_CUT_MIDDLE, TEXT_CUT_START };
/*
 * Copies clean text into dst so that it takes at most cols columns, marking a cut by "~".
 * Never splits a character, nor one from the combining marks behind it; where half of a wide
 * (East Asian) one would fit it is left out, so that fewer columns are used. An unclean byte
 * becomes "?". Where the current locale is not UTF-8, \u{NNNN} is written for what is not ASCII.
 * A dst too small for the columns cuts too. Returns the columns used.
 */
int text_fit(char *dst, size_t size, const char *text, int cols, enum text_cut cut);

/* The whole text is one decimal number within the limits: 0, or -EINVAL, -ERANGE. */
int text_to_int(const char *text, int64_t min, int64_t max, int64_t *out);
/*
 * "90", "90s", "15m", "1h", "24h", "7d", "1.5h", and "3m12s" as text_duration() writes it, in ns:
 * 0, or -EINVAL, -ERANGE.
 */
int text_to_duration(const char *text, int64_t *ns);
/* "0s", "47s", "3m12s", "2h14m", "6d03h", "412d"; two units at most; "-47s" for negative. */
const char *text_duration(char *dst, size_t size, int64_t ns);
/* One unit, so that it changes rarely: "47s", "3m", "2h", "6d". */
const char *text_duration_short(char *dst, size_t size, int64_t ns);
/*
 * A latency in three digits: "0", "850us", "12.3ms", "1.25s", "40ms"; from 10 s on as
 * text_duration(). ASCII. Below zero: "-", it is not known.
 */
const char *text_latency(char *dst, size_t size, int64_t ns);
/* Local time "2026-03-01 12:03:41", or "12:03:41". wall in ns. Before 1970: "?". */
const char *text_time(char *dst, size_t size, int64_t wall);
const char *text_clock(char *dst, size_t size, int64_t wall);

/*
 * A moment as a person types it, by the local clock: "12:03" or "12:03:41" (the last time that it
 * was), "2026-11-23 12:03", with seconds, without a time (its beginning) or with a T between, "15m"
 * or "-15m" (so long before now), "now". 0, -EINVAL; -ERANGE: before 1970 or after now.
 */
int text_to_moment(const char *text, int64_t now, int64_t *wall);

/*
 * Does the text match the words of a filter? All words have to occur, in any order; ASCII letters
 * match in either case; no words match everything. Shell patterns are fnmatch(3)'s business.
 */
bool text_contains(const char *text, const char *words);
/*
 * 64-bit FNV-1a, to compare contents (not a defence against anybody). Seed 0 is plain FNV-1a; a
 * hash as the seed of the next one chains them.
 */
uint64_t text_hash(const void *data, size_t len, uint64_t seed);

/* Where word stands in a list of n words; -1: nowhere, or word is NULL. */
int text_word(const char *const *words, int n, const char *word);

#endif

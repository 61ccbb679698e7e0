/*
 * What all printed lists share: cells of CSV and of tables, the width of the terminal, and the way
 * out.
 */
#ifndef LOCKTOP_CLI_PRINT_H
#define LOCKTOP_CLI_PRINT_H

#include "base/buf.h"
#include <jansson.h>
#include <stdint.h>

/*
 * A cell of CSV, RFC 4180: quoted when it has to be. One that a spreadsheet would compute, for it
 * begins with = + - or @ and is no number or duration, gets a ' in front.
 */
void print_csv_cell(struct buf *out, const char *text);
/* A cell of a table, cut to the width, and behind it a space if it is not the last one. */
void print_cell(struct buf *out, const char *text, int width, bool is_right, bool is_last);
/* "1,204,117" */
const char *print_count(char *dst, size_t size, uint64_t n);
/* Of the terminal, or $COLUMNS; 0: standard output is no terminal. */
int print_cols(void);
/* Adds JSON as text, indented, in ASCII; object is taken (json_decref()), NULL is -ENOMEM. */
int print_json(struct buf *out, json_t *object);
/* Writes all of it to standard output and flushes. 0 or -errno; a reader that went away: -EPIPE. */
int print_out(const struct buf *out);

#endif

/*
 * Questions to a person on a terminal, for the commands that change something. Without a
 * terminal nobody is asked and the answer is no.
 */
#ifndef LOCKTOP_CLI_ASK_H
#define LOCKTOP_CLI_ASK_H

#include <stdbool.h>
#include <stddef.h>

/* Are standard input and error a person's terminal? */
bool ask_is_terminal(void);
/* "question [y/N] " on stderr; only y or yes is yes. */
bool ask_yes(const char *question);
/* Asks for a line and compares it. */
bool ask_typed(const char *question, const char *expected);
/* The controlling terminal's name for the audit, "" without one. */
void ask_tty(char *dst, size_t size);

#endif

/*
 * The terminal: the only file that includes curses. Shows canvases, reads keys. Sends no
 * queries to the terminal, uses no mouse, redraws what changed. Whatever ends the program,
 * the terminal is left usable.
 */
#ifndef LOCKTOP_UI_SCREEN_H
#define LOCKTOP_UI_SCREEN_H

#include "ui/canvas.h"

struct error;

struct screen;

/*
 * Takes the terminal over (newterm(3)); an unknown TERM falls back to xterm-256color's and
 * xterm's description, then -ENOTTY with a sentence: the caller prints a table instead. Installs
 * nothing for SIGWINCH, SIGTSTP, SIGCONT (the caller's signalfd has them) but restores the terminal
 * in handlers of SIGSEGV, SIGBUS, SIGFPE, SIGILL and SIGABRT, before the default action.
 */
int screen_open(struct screen **screen, enum color color, struct error *err);
/* Gives the terminal back; NULL is allowed. */
void screen_close(struct screen *screen);
/* Size of the terminal now, after a SIGWINCH too. */
void screen_size(struct screen *screen, int *rows, int *cols);
/* Shows a canvas of that size, sending only what changed. */
void screen_show(struct screen *screen, const struct canvas *canvas);
/* The next show repaints everything (Ctrl-L; `wall` wrote over us). */
void screen_repaint(struct screen *screen);
/* The next key that is there, or 0. Call until 0 when the terminal is readable. */
int screen_key(struct screen *screen);
/* Gives the terminal back for a stop (SIGTSTP), and takes it again. */
void screen_suspend(struct screen *screen);
void screen_resume(struct screen *screen);

#endif

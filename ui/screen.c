/* The terminal, through ncurses. */
#include "config.h"
#include "ui/screen.h"

#include <errno.h>
#include <langinfo.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>
#include <wchar.h>

#define NCURSES_WIDECHAR 1
#include <curses.h>
#include <term.h>

#include "base/error.h"
#include "ui/keymap.h"

struct screen {
	SCREEN *term;
	struct canvas shown; /* what the terminal has, as far as we know */
	bool is_known;       /* shown is true; else everything is sent */
	bool is_utf8;
	attr_t attr[STYLE_COUNT];
	short pair[STYLE_COUNT];
};

/* --- what happens when the program crashes ------------------------------------------------ */

/*
 * All that a signal handler needs, prepared in advance: it may only call write(2) and
 * tcsetattr(3). The terminal is one, so this is, too.
 */
static struct {
	volatile sig_atomic_t is_taken;
	char bytes[256];
	size_t len;
	struct termios cooked;
} leave;

static const int crashes[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT};
enum { CRASHES = sizeof crashes / sizeof *crashes };
static struct sigaction before_crash[CRASHES];

static void on_crash(int signal, siginfo_t *info, void *context)
{
	(void)context;
	if (leave.is_taken) {
		leave.is_taken = 0;
		if (write(STDOUT_FILENO, leave.bytes, leave.len) < 0)
			leave.len = 0;
		tcsetattr(STDOUT_FILENO, TCSANOW, &leave.cooked);
	}
	for (int i = 0; i < CRASHES; i++)
		if (crashes[i] == signal)
			sigaction(signal, &before_crash[i], NULL);
	/* A fault happens again on return, for the action there was before; what was sent does not.
	 */
	if (info->si_code <= 0)
		raise(signal);
}

/* Appends a capability without its padding, "$<20/>". */
static void add_capability(const char *name)
{
	const char *text = tigetstr(name);

	if (!text || text == (char *)-1)
		return;
	while (*text && leave.len < sizeof leave.bytes) {
		const char *end = text[0] == '$' && text[1] == '<' ? strchr(text, '>') : NULL;

		if (end)
			text = end + 1;
		else
			leave.bytes[leave.len++] = *text++;
	}
}

static void watch_crashes(void)
{
	struct sigaction action = {.sa_sigaction = on_crash, .sa_flags = SA_SIGINFO | SA_ONSTACK};
	static char stack[16 * 1024]; /* an overflown stack cannot run a handler */
	stack_t alternative = {.ss_sp = stack, .ss_size = sizeof stack}, there;
	static const char *const names[] = {"sgr0", "op", "cnorm", "rmkx", "rmcup"};

	leave.len = 0;
	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		add_capability(names[i]);
	leave.is_taken = 1;
	if (sigaltstack(NULL, &there) == 0 && (there.ss_flags & SS_DISABLE))
		sigaltstack(&alternative, NULL);
	sigemptyset(&action.sa_mask);
	for (int i = 0; i < CRASHES; i++)
		sigaction(crashes[i], &action, &before_crash[i]);
}

static void unwatch_crashes(void)
{
	leave.is_taken = 0;
	for (int i = 0; i < CRASHES; i++)
		sigaction(crashes[i], &before_crash[i], NULL);
}

/* --- taking and giving back ---------------------------------------------------------------- */

/* Does terminfo know that type, and can it move the cursor? 1, 0, or -1: not known. */
static int terminal_can(const char *type)
{
	int result = 0;
	const char *cup;

	if (!type || !*type || setupterm(type, STDOUT_FILENO, &result) != OK)
		return -1;
	cup = tigetstr("cup");
	result = cup && cup != (char *)-1;
	del_curterm(cur_term);
	return result;
}

static int choose_type(const char **type, struct error *err)
{
	static const char *const fallback[] = {"xterm-256color", "xterm"};
	const char *own = getenv("TERM");
	int can = terminal_can(own);

	if (!own || !*own)
		return error_set(err, -ENOTTY, "TERM is not set: the terminal's type is not known");
	if (can > 0) {
		*type = own;
		return 0;
	}
	if (can == 0)
		return error_set(
			err, -ENOTTY, "a terminal of type '%s' cannot move its cursor", own);
	/* Newer terminals than the host's terminfo are common over ssh, and nearly all xterm-like.
	 */
	for (size_t i = 0; i < sizeof fallback / sizeof *fallback; i++) {
		if (terminal_can(fallback[i]) > 0) {
			*type = fallback[i];
			return 0;
		}
	}
	return error_set(err, -ENOTTY, "terminfo does not know terminals of type '%s'", own);
}

/*
 * newterm(3) puts handlers of its own where there are none, and its SIGINT handler ends the
 * program from inside curses: take them out again.
 */
static SCREEN *new_terminal(const char *type)
{
	static const int signals[] = {SIGINT, SIGTERM, SIGTSTP, SIGWINCH};
	enum { N = sizeof signals / sizeof *signals };
	struct sigaction before[N];
	SCREEN *term;

	for (int i = 0; i < N; i++)
		sigaction(signals[i], NULL, &before[i]);
	term = newterm(type, stdout, stdin);
	for (int i = 0; i < N; i++)
		sigaction(signals[i], &before[i], NULL);
	return term;
}

static void choose_styles(struct screen *screen, enum color color)
{
	bool has_color = color != COLOR_NEVER && has_colors() && start_color() == OK;
	bool has_default = has_color && use_default_colors() == OK;
	short pair = 0;

	for (int i = 0; i < STYLE_COUNT; i++) {
		const struct style_info *info = &style_info[i];

		screen->attr[i] =
			(info->is_bold ? WA_BOLD : 0) | (info->is_reverse ? WA_REVERSE : 0) |
			(info->is_dim ? WA_DIM : 0) | (info->is_underline ? WA_UNDERLINE : 0);
		if (has_color && info->colour >= 0 && pair + 1 < COLOR_PAIRS &&
			init_pair(pair + 1, (short)info->colour, has_default ? -1 : COLOR_BLACK) ==
				OK)
			screen->pair[i] = ++pair;
	}
}

static void set_modes(void)
{
	/* Ctrl-C, Ctrl-Z and Ctrl-\ are keys: none ends the program by accident in a dialog. */
	raw();
	noecho();
	nonl();
	intrflush(stdscr, FALSE);
	keypad(stdscr, TRUE);
	nodelay(stdscr, TRUE);
	typeahead(-1);
	/* ncurses' 1000 ms are too long for a key; 25 ms, as others set, break keys on slow links.
	 */
	if (!getenv("ESCDELAY"))
		set_escdelay(100);
}

int screen_open(struct screen **out, enum color color, struct error *err)
{
	struct screen *screen;
	const char *type = NULL;
	int e = choose_type(&type, err);

	if (e < 0)
		return e;
	screen = calloc(1, sizeof *screen);
	if (!screen)
		return error_sys(err, -ENOMEM, "cannot open the screen");
	if (tcgetattr(STDOUT_FILENO, &leave.cooked) < 0 || !(screen->term = new_terminal(type))) {
		free(screen);
		return error_set(err, -ENOTTY, "cannot use the terminal (type '%s')", type);
	}
	watch_crashes();
	set_modes();
	choose_styles(screen, color);
	screen->is_utf8 = strcmp(nl_langinfo(CODESET), "UTF-8") == 0;
	*out = screen;
	return 0;
}

void screen_close(struct screen *screen)
{
	if (!screen)
		return;
	endwin();
	unwatch_crashes();
	delscreen(screen->term);
	canvas_release(&screen->shown);
	free(screen);
}

void screen_suspend(struct screen *screen)
{
	endwin();
	leave.is_taken = 0;
	screen->is_known = false;
}

void screen_resume(struct screen *screen)
{
	leave.is_taken = 1;
	reset_prog_mode();
	screen_repaint(screen);
	refresh();
}

/* --- showing ------------------------------------------------------------------------------ */

/*
 * resize_term(3), not resizeterm(3): the latter puts a KEY_RESIZE into the input each time. The
 * terminal may have reflowed what it had, so all of it is sent again.
 */
void screen_size(struct screen *screen, int *rows, int *cols)
{
	struct winsize size;

	if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_row > 0 && size.ws_col > 0 &&
		is_term_resized(size.ws_row, size.ws_col)) {
		resize_term(size.ws_row, size.ws_col);
		screen_repaint(screen);
	}
	getmaxyx(stdscr, *rows, *cols);
}

void screen_repaint(struct screen *screen)
{
	screen->is_known = false;
	clearok(curscr, TRUE);
}

/* What the locale's encoding cannot show becomes "?"; ncurses would drop it and shift the row. */
static void put_cell(struct screen *screen, int row, int col, const struct cell *cell)
{
	wchar_t text[CCHARW_MAX] = {0};
	cchar_t out;
	size_t n = mbstowcs(text, cell->text, CCHARW_MAX - 1);

	if (n == (size_t)-1 || n == 0 || (!screen->is_utf8 && (unsigned char)cell->text[0] > 0x7e))
		wcscpy(text, L"?");
	setcchar(&out, text, screen->attr[cell->style], screen->pair[cell->style], NULL);
	mvadd_wch(row, col, &out); /* ERR in the last cell, which is written all the same */
}

static bool same_size(const struct canvas *a, const struct canvas *b)
{
	return a->rows == b->rows && a->cols == b->cols;
}

static bool cell_equal(const struct cell *a, const struct cell *b)
{
	return a->style == b->style && strcmp(a->text, b->text) == 0;
}

static void put_changes(struct screen *screen, const struct canvas *canvas)
{
	for (int row = 0; row < canvas->rows; row++) {
		for (int col = 0; col < canvas->cols; col++) {
			size_t at = (size_t)row * (size_t)canvas->cols + (size_t)col;
			const struct cell *cell = &canvas->cell[at];

			if (screen->is_known && cell_equal(cell, &screen->shown.cell[at]))
				continue;
			if (cell->text[0])
				put_cell(screen, row, col, cell);
			screen->shown.cell[at] = *cell;
		}
	}
}

void screen_show(struct screen *screen, const struct canvas *canvas)
{
	if (!same_size(&screen->shown, canvas)) {
		canvas_release(&screen->shown);
		if (canvas_init(&screen->shown, canvas->rows, canvas->cols) < 0)
			abort();
		screen->is_known = false;
	}
	if (!screen->is_known)
		erase();
	put_changes(screen, canvas);
	screen->is_known = true;
	if (canvas->cursor_row >= 0)
		move(canvas->cursor_row, canvas->cursor_col < 0 ? 0 : canvas->cursor_col);
	else
		move(canvas->rows - 1, canvas->cols - 1);
	refresh();
}

/* --- keys ---------------------------------------------------------------------------------- */

static const struct {
	int curses, ours;
} keys[] = {
	{KEY_UP, KEY_ARROW_UP},
	{KEY_DOWN, KEY_ARROW_DOWN},
	{KEY_LEFT, KEY_ARROW_LEFT},
	{KEY_RIGHT, KEY_ARROW_RIGHT},
	{KEY_PPAGE, KEY_PAGE_UP},
	{KEY_NPAGE, KEY_PAGE_DOWN},
	{KEY_HOME, KEY_FIRST},
	{KEY_END, KEY_LAST},
	{KEY_DC, KEY_DEL},
	{KEY_BACKSPACE, KEY_DELETE_BACK},
	{KEY_ENTER, KEY_RETURN},
};

static int key_of_curses(int code)
{
	for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
		if (keys[i].curses == code)
			return keys[i].ours;
	if (code >= KEY_F(1) && code <= KEY_F(10))
		return KEY_F1 + (code - KEY_F(1));
	return 0;
}

int screen_key(struct screen *screen)
{
	(void)screen;
	for (;;) {
		wint_t c;
		int result = get_wch(&c);
		int key = 0;

		if (result == ERR)
			return 0;
		if (result == KEY_CODE_YES)
			key = key_of_curses((int)c);
		else if (c == 8)
			key = KEY_DELETE_BACK;
		else if (c <= 0x10ffff)
			key = (int)c;
		if (key) /* a key that we have no use for is as if it had not been pressed */
			return key;
	}
}

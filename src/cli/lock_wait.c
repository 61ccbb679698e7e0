/* Waiting for a lock, as run and acquire do it. */
#include "config.h"
#include "cli/lock_wait.h"

#include <errno.h>
#include <locale.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/text.h"

/* How soon the line is there, and how soon a signal is noticed that came between two waits. */
static const int64_t every = 200 * NS_PER_MS;
static const int64_t redraw = NS_PER_S;

enum { WIDTH = 80, LINE = 1024 };

/* A job in the background does not write into what the person is doing. */
static bool is_our_terminal(void)
{
	return isatty(STDERR_FILENO) && tcgetpgrp(STDERR_FILENO) == getpgrp();
}

static int terminal_width(void)
{
	struct winsize size;

	if (ioctl(STDERR_FILENO, TIOCGWINSZ, &size) < 0 || size.ws_col == 0)
		return WIDTH;
	return size.ws_col;
}

/* One column is left free: a full line would wrap on some terminals. */
static void draw(struct lock_wait *wait)
{
	const struct lock_options *options = wait->session->options;
	struct occupant occupant = {0};
	char address[LINE / 2], holder[256], line[LINE], fitted[LINE];

	hold_who(wait->session->hold, &occupant);
	text_clean(address, sizeof address, options->address, strlen(options->address), NULL);
	occupant_text(holder, sizeof holder, &occupant);
	snprintf(line, sizeof line, "waiting for %s%s, %s", address,
		options->withs ? " and others" : "", holder);
	text_fit(fitted, sizeof fitted, line, terminal_width() - 1, TEXT_CUT_MIDDLE);
	if (!wait->is_drawn)
		setlocale(LC_CTYPE, ""); /* for the width, and only here: it takes its time */
	dprintf(STDERR_FILENO, "\r%s\033[K", fitted);
	wait->is_drawn = true;
}

static void erase(struct lock_wait *wait)
{
	if (wait->is_drawn && is_our_terminal())
		dprintf(STDERR_FILENO, "\r\033[K");
	wait->is_drawn = false;
}

static int tick(void *data)
{
	struct lock_wait *wait = data;
	mono_t now;

	if (signals_caught())
		return -ECANCELED;
	if (!is_our_terminal())
		return 0;
	now = clock_mono(wait->session->world.clock);
	if (!wait->is_drawn || now - wait->drawn_at >= redraw) {
		draw(wait);
		wait->drawn_at = now;
	}
	return 0;
}

static void arm(void *data, mono_t when)
{
	struct lock_wait *wait = data;

	signals_alarm(&wait->signals, when);
}

static mono_t wait_until(const struct lock_options *options, mono_t now, bool is_watched)
{
	if (options->is_nonblocking)
		return now;
	if (options->wait >= 0)
		return now + options->wait;
	return is_watched ? MONO_NEVER : now + LOCK_WAIT_S * NS_PER_S;
}

int lock_wait_acquire(struct lock_wait *wait, struct lock_session *session, struct error *err)
{
	bool is_watched = isatty(STDERR_FILENO);
	mono_t now = clock_mono(session->world.clock);
	struct patience patience = {
		.until = wait_until(session->options, now, is_watched),
		.arm = is_watched ? NULL : arm,
		.tick = tick,
		.every = is_watched ? every : 0,
		.data = wait,
	};
	int e;

	*wait = (struct lock_wait){.session = session};
	signals_catch(&wait->signals);
	e = hold_acquire(session->hold, &patience, err);
	signals_block(&wait->signals);
	wait->signal = signals_caught();
	erase(wait);
	return e;
}

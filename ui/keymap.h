/*
 * The one table of actions: dispatch, help, key bar, manual and completion are made from it.
 * Keys follow htop and vi; what can hurt has an upper-case key, because Shift means "I am
 * sure", and still asks.
 */
#ifndef LOCKTOP_UI_KEYMAP_H
#define LOCKTOP_UI_KEYMAP_H

#include <stdbool.h>
#include <stddef.h>

/* Keys beyond Unicode's code points; screen.c maps curses' to these. */
enum key {
	KEY_NONE_ = 0,
	KEY_TAB = '\t',
	KEY_RETURN = '\r',
	KEY_ESCAPE = 27,
	KEY_SPACE = ' ',
	KEY_CTRL_C = 3,
	KEY_CTRL_L = 12,
	KEY_CTRL_U = 21,
	KEY_CTRL_Z = 26,
	KEY_DELETE_BACK = 127,
	KEY_ARROW_UP = 0x110000,
	KEY_ARROW_DOWN,
	KEY_ARROW_LEFT,
	KEY_ARROW_RIGHT,
	KEY_PAGE_UP,
	KEY_PAGE_DOWN,
	KEY_FIRST,
	KEY_LAST,
	KEY_DEL,
	KEY_F1,
	KEY_F2,
	KEY_F3,
	KEY_F4,
	KEY_F5,
	KEY_F6,
	KEY_F7,
	KEY_F8,
	KEY_F9,
	KEY_F10,
};

/* Where an action works; a bit a view. */
enum {
	IN_LOCKS = 1,
	IN_LOCK = 2,
	IN_EVENTS = 4,
	IN_SOURCES = 8,
	IN_HELP = 16,
	IN_METRICS = 32,
	IN_LISTS = IN_LOCKS | IN_EVENTS | IN_SOURCES | IN_HELP,
	IN_ALL = 63,
};

/* id, views, does it change something outside, up to 3 keys, name of the key, short, help */
#define ACTIONS(_)                                                                                \
	_(UP, IN_ALL, 0, KEY_ARROW_UP, 'k', 0, "Up k", "up", "move up")                           \
	_(DOWN, IN_ALL, 0, KEY_ARROW_DOWN, 'j', 0, "Down j", "down", "move down")                 \
	_(PAGE_UP, IN_ALL, 0, KEY_PAGE_UP, 2, 0, "PgUp", "page up", "move up by a page")          \
	_(PAGE_DOWN, IN_ALL, 0, KEY_PAGE_DOWN, 6, 0, "PgDn", "page down", "move down by a page")  \
	_(FIRST, IN_ALL, 0, KEY_FIRST, 0, 0, "Home", "first", "go to the first row")              \
	_(LAST, IN_ALL, 0, KEY_LAST, 'G', 0, "End G", "last", "go to the last row")               \
	_(OPEN, IN_LOCKS, 0, KEY_RETURN, '\n', KEY_ARROW_RIGHT, "Enter", "detail",                \
		"show all about the selected lock")                                               \
	_(BACK, IN_ALL, 0, KEY_ESCAPE, KEY_ARROW_LEFT, 0, "Esc", "back",                          \
		"back to the list; clears the filter there")                                      \
	_(FILTER, IN_LOCKS, 0, '/', KEY_F4, 0, "/", "filter",                                     \
		"show only locks that match: words, state:stale, user:…, host:…, age>10m, !word") \
	_(SORT, IN_LOCKS, 0, 's', KEY_F6, 0, "s", "sort",                                         \
		"sort by the next column: harm, age, name, state, holder, waiters")               \
	_(REVERSE, IN_LOCKS, 0, 'I', 0, 0, "I", "invert", "invert the order")                     \
	_(HIDE_FREE, IN_LOCKS, 0, 'f', 0, 0, "f", "hide free", "hide or show FREE locks")         \
	_(TAG, IN_LOCKS, 0, KEY_SPACE, 0, 0, "Space", "tag",                                      \
		"tag the selected lock: R then means all tagged ones")                            \
	_(UNTAG, IN_LOCKS, 0, 'U', 0, 0, "U", "untag", "remove all tags")                         \
	_(PAUSE, IN_ALL, 0, 'p', 0, 0, "p", "pause", "freeze the view; watching goes on")         \
	_(EARLIER, IN_ALL, 0, '[', 0, 0, "[", "earlier",                                          \
		"step back in time, to the change before")                                        \
	_(LATER, IN_ALL, 0, ']', 0, 0, "]", "later",                                              \
		"step to the change after; behind the last one the view is live again")           \
	_(EARLIER_10, IN_ALL, 0, '{', 0, 0, "{", "10 earlier", "ten steps back in time")          \
	_(LATER_10, IN_ALL, 0, '}', 0, 0, "}", "10 later", "ten steps on in time")                \
	_(JUMP, IN_ALL, 0, 'b', 0, 0, "b", "jump",                                                \
		"jump to a time: 12:03, 12:03:41, 2026-11-23 12:03, -15m or now")                 \
	_(RELEASE, IN_LOCKS | IN_LOCK, 1, 'R', 0, 0, "R", "release",                              \
		"release the selected or tagged locks, if provably stale; asks")                  \
	_(FORCE, IN_LOCKS | IN_LOCK, 1, 'F', 0, 0, "F", "force",                                  \
		"release a lock that may be live; the pid has to be typed")                       \
	_(TERMINATE, IN_LOCKS | IN_LOCK, 1, 'T', 0, 0, "T", "terminate",                          \
		"send TERM to the holder, and KILL when asked again; asks")                       \
	_(CLEAN, IN_LOCKS, 1, 'C', 0, 0, "C", "clean",                                            \
		"release all that are provably stale; asks")                                      \
	_(REFRESH, IN_ALL, 0, KEY_CTRL_L, 'r', 0, "Ctrl-L r", "refresh",                          \
		"look again now and repaint the screen")                                          \
	_(LOCKS, IN_ALL, 0, 'l', KEY_F2, 0, "l", "locks", "the list of locks")                    \
	_(METRICS, IN_ALL, 0, 'g', 0, 0, "g", "graphs",                                           \
		"graphs of the metrics log: waits, holds, failed attempts, stale locks")          \
	_(WINDOW_15M, IN_METRICS, 0, '1', 0, 0, "1", "15m", "graphs of the last 15 minutes")      \
	_(WINDOW_1H, IN_METRICS, 0, '2', 0, 0, "2", "1h", "graphs of the last hour")              \
	_(WINDOW_24H, IN_METRICS, 0, '3', 0, 0, "3", "24h", "graphs of the last 24 hours")        \
	_(WINDOW_7D, IN_METRICS, 0, '4', 0, 0, "4", "7d", "graphs of the last 7 days")            \
	_(WINDOW, IN_METRICS, 0, 'w', 0, 0, "w", "window", "graphs of the next longer time")      \
	_(ALL, IN_METRICS, 0, 'a', 0, 0, "a", "all",                                              \
		"graphs of all locks of the logs, or of the selected one")                        \
	_(MAGNITUDE, IN_METRICS, 0, 'm', 0, 0, "m", "log scale",                                  \
		"graphs by magnitude: the scale is logarithmic, or linear again")                 \
	_(EVENTS, IN_ALL, 0, 'e', 0, 0, "e", "events", "what happened")                           \
	_(SOURCES, IN_ALL, 0, 'o', 0, 0, "o", "sources",                                          \
		"where the locks come from, and how fresh that is")                               \
	_(HELP, IN_ALL, 0, '?', 'h', KEY_F1, "?", "help", "this help")                            \
	_(SUSPEND, IN_ALL, 0, KEY_CTRL_Z, 0, 0, "Ctrl-Z", "suspend",                              \
		"stop and give the terminal back; fg returns")                                    \
	_(QUIT, IN_ALL, 0, 'q', KEY_F10, KEY_CTRL_C, "q", "quit", "leave")

enum action {
	ACTION_NONE = -1,
#define _(id, views, mutates, k1, k2, k3, key, brief, help) ACTION_##id,
	ACTIONS(_)
#undef _
		ACTION_COUNT
};

struct action_info {
	const char *id; /* "RELEASE" */
	unsigned int views;
	bool is_mutating;
	int keys[3];
	const char *key;   /* as shown */
	const char *brief; /* key bar */
	const char *help;
};

extern const struct action_info action_info[ACTION_COUNT];

/* The action of a key in a view (one IN_ bit), or ACTION_NONE. */
enum action keymap_find(int key, unsigned int view);

#endif

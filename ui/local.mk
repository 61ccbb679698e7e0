# The screen. Only screen.c knows curses; nothing here knows a backend.
noinst_LTLIBRARIES += ui/libui.la
ui_libui_la_SOURCES = \
	ui/canvas.c \
	ui/canvas.h \
	ui/deeds.c \
	ui/frame.c \
	ui/glyphs.c \
	ui/glyphs.h \
	ui/graph.c \
	ui/graph.h \
	ui/graph_scale.c \
	ui/keymap.c \
	ui/keymap.h \
	ui/layout.c \
	ui/layout.h \
	ui/levels.c \
	ui/levels.h \
	ui/lines.c \
	ui/lines.h \
	ui/metrics_page.c \
	ui/metrics_page.h \
	ui/past.c \
	ui/plain.c \
	ui/plain.h \
	ui/prompt.c \
	ui/prompt.h \
	ui/screen.c \
	ui/screen.h \
	ui/style.c \
	ui/style.h \
	ui/table.c \
	ui/table.h \
	ui/top.c \
	ui/top.h \
	ui/verdict_block.c \
	ui/view.h \
	ui/view_events.c \
	ui/view_help.c \
	ui/view_lock.c \
	ui/view_locks.c \
	ui/view_metrics.c \
	ui/view_sources.c
ui_libui_la_LIBADD = $(NCURSESW_LIBS) -lm

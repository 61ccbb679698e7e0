# Manuals (mdoc), completions, examples.
LOCKTOP_MANS = \
	doc/locktop.1 \
	doc/locktop-ls.1 \
	doc/locktop-status.1 \
	doc/locktop-release.1 \
	doc/locktop-signal.1 \
	doc/locktop-clean.1 \
	doc/locktop-source.1 \
	doc/locktop-demo.1 \
	doc/locktop-run.1 \
	doc/locktop-acquire.1 \
	doc/locktop-events.5 \
	doc/locktop-metrics.5 \
	doc/locktop.conf.5 \
	doc/liblocktop.3
dist_man_MANS = $(LOCKTOP_MANS)

bashcompletiondir = $(datadir)/bash-completion/completions
nodist_bashcompletion_DATA = doc/completions/locktop
EXTRA_DIST += doc/completions/locktop.bash
CLEANFILES += doc/completions/locktop
doc/completions/locktop: doc/completions/locktop.bash
	$(AM_V_at)$(MKDIR_P) doc/completions
	$(AM_V_GEN)cp $(srcdir)/doc/completions/locktop.bash $@
zshcompletiondir = $(datadir)/zsh/site-functions
dist_zshcompletion_DATA = doc/completions/_locktop
fishcompletiondir = $(datadir)/fish/vendor_completions.d
dist_fishcompletion_DATA = doc/completions/locktop.fish

examplesdir = $(docdir)/examples
dist_examples_DATA = doc/examples/locktop.conf doc/examples/logrotate.d-locktop doc/examples/LocktopLock.php \
	doc/examples/locktop-story.service doc/examples/locktop-story.timer \
	doc/examples/locktop-import.service

EXTRA_DIST += doc/design.md doc/on-call.md doc/wordpress.md

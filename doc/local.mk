# Manuals (mdoc), completions, examples.
LOCKTOP_MANS = \
	doc/locktop.1 \
	doc/locktop-ls.1 \
	doc/locktop-status.1 \
	doc/locktop-release.1 \
	doc/locktop-signal.1 \
	doc/locktop-clean.1 \
	doc/locktop-report.1 \
	doc/locktop-compare.1 \
	doc/locktop-watch.1 \
	doc/locktop-source.1 \
	doc/locktop-export.1 \
	doc/locktop-check.1 \
	doc/locktop-demo.1 \
	doc/locktop-run.1 \
	doc/locktop-acquire.1 \
	doc/locktop-events.5 \
	doc/locktop-metrics.5 \
	doc/locktop.conf.5 \
	doc/liblocktop.3
dist_man_MANS = $(LOCKTOP_MANS)

# The other name of locktop-check(1).
install-data-hook:
	$(AM_V_at)cd '$(DESTDIR)$(man1dir)' && rm -f check_locktop.1 && $(LN_S) locktop-check.1 check_locktop.1

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
	doc/examples/locktop-import.service \
	doc/examples/locktop-export.service doc/examples/locktop-export.timer \
	doc/examples/locktop-icinga2.conf doc/examples/checkmk-locktop

EXTRA_DIST += doc/design.md doc/on-call.md doc/wordpress.md

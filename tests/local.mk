# Unit tests: tests/test_NAME is built from tests/test_NAME.c (automake's default), with cmocka.
UNIT_TESTS = \
	tests/test_clock \
	tests/test_error \
	tests/test_buf \
	tests/test_text \
	tests/test_uri \
	tests/test_loop \
	tests/test_jsonl \
	tests/test_jsonw \
	tests/test_lock \
	tests/test_record \
	tests/test_event \
	tests/test_snapshot \
	tests/test_verdict \
	tests/test_columns \
	tests/test_histogram \
	tests/test_metrics \
	tests/test_model \
	tests/test_history \
	tests/test_world \
	tests/test_proc \
	tests/test_kernlocks \
	tests/test_logtail \
	tests/test_watch \
	tests/test_lockfile \
	tests/test_faults \
	tests/test_fence \
	tests/test_provider \
	tests/test_judge \
	tests/test_lt1 \
	tests/test_backend \
	tests/test_file \
	tests/test_kernel \
	tests/test_log \
	tests/test_replay \
	tests/test_source \
	tests/test_hub \
	tests/test_contract \
	tests/test_hold \
	tests/test_locktop \
	tests/test_act \
	tests/test_audit \
	tests/test_metric_read \
	tests/test_metricslog \
	tests/test_metricsread \
	tests/test_settings \
	tests/test_supervisor \
	tests/test_canvas \
	tests/test_style \
	tests/test_glyphs \
	tests/test_graph \
	tests/test_keymap \
	tests/test_layout \
	tests/test_table \
	tests/test_prompt \
	tests/test_views \
	tests/test_view_metrics \
	tests/test_top \
	tests/test_past \
	tests/test_plain \
	tests/test_options \
	tests/test_lock_options \
	tests/test_listing \
	tests/test_check \
	tests/test_compare \
	tests/test_log_options \
	tests/test_log_pick \
	tests/test_print \
	tests/test_nagios_range \
	tests/test_prometheus \
	tests/test_outfile

# Shell tests print TAP: a t-NAME for each command, a check-NAME for each rule of the tree.
SHELL_TESTS = \
	tests/check-floors \
	tests/check-format \
	tests/t-ls \
	tests/t-verdict \
	tests/t-acquire \
	tests/t-status \
	tests/t-release \
	tests/t-run \
	tests/t-metrics \
	tests/t-export \
	tests/t-check \
	tests/t-samples \
	tests/t-numbers \
	tests/t-report \
	tests/t-compare \
	tests/t-watch \
	tests/t-log \
	tests/t-source \
	tests/t-monitor \
	tests/t-bootstrap \
	tests/t-lib \
	tests/t-docs \
	tests/t-demo \
	tests/t-php \
	tests/t-faults \
	tests/t-prove \
	tests/t-model

TESTS = $(UNIT_TESTS) $(SHELL_TESTS)
dist_check_SCRIPTS = $(SHELL_TESTS)
EXTRA_DIST += tests/bench/run tests/lib.sh tests/make-metrics-log tests/readme-screen tests/failing_alloc.h tests/failing_inotify.h tests/lock_place.h \
	tests/fake_provider.h tests/made_world.h tests/model/lt1.pml tests/model/seed.pml tests/php tests/picture.h \
	tests/random_lock.h tests/scene.h tests/screens tests/steered.h tests/world

# What the fuzzers begin with (`make fuzz`); `make check` reads it too.
EXTRA_DIST += tests/fuzz/run tests/fuzz/corpus tests/fuzz/metric_read.dict
CLEANFILES += tests/fuzz/fuzz_metric_read
tests_test_metric_read_SOURCES = tests/test_metric_read.c tests/same_metric.h tests/fuzz/fuzz_metric_read.c
tests_test_metric_read_LDFLAGS = $(AM_LDFLAGS) $(FAILING_ALLOC)

# Built by `make bench` only.
BENCHES = tests/bench/bench_screen tests/bench/bench_hold tests/bench/bench_event \
	tests/bench/bench_kernlocks tests/bench/bench_model tests/bench/bench_metrics \
	tests/bench/bench_take tests/bench/bench_tally tests/bench/bench_log \
	tests/bench/bench_metric_read tests/bench/bench_page tests/bench/bench_history
EXTRA_PROGRAMS = $(BENCHES)
CLEANFILES += $(BENCHES)
tests_bench_bench_screen_LDADD = -lutil
tests_bench_bench_hold_LDADD =
tests_bench_bench_tally_LDADD = $(LDADD) -lm
# As another program has it.
tests_bench_bench_take_LDADD = src/lib/liblocktop.la

# Tests in which the n-th allocation fails (failing_alloc.h).
FAILING_ALLOC = -Wl,--wrap=malloc,--wrap=calloc,--wrap=realloc,--wrap=strdup
tests_test_lock_LDFLAGS = $(AM_LDFLAGS) $(FAILING_ALLOC)
tests_test_event_LDFLAGS = $(AM_LDFLAGS) $(FAILING_ALLOC)
tests_test_snapshot_LDFLAGS = $(AM_LDFLAGS) $(FAILING_ALLOC)
tests_test_histogram_LDFLAGS = $(AM_LDFLAGS) $(FAILING_ALLOC)
tests_test_histogram_LDADD = $(LDADD) -lm
tests_test_metrics_LDFLAGS = $(AM_LDFLAGS) $(FAILING_ALLOC) -Wl,--wrap=free
tests_test_history_LDFLAGS = $(AM_LDFLAGS) $(FAILING_ALLOC) -Wl,--wrap=reallocarray

AM_CFLAGS += $(CMOCKA_CFLAGS)
LDADD = src/libcli.la src/libtakecli.la src/libtakeall.la ui/libui.la src/libcore.la $(CMOCKA_LIBS)

# Tests of who takes locks have a provider that does what it is told.
FAKE_PROVIDERS = tests/fake_provider.c tests/fake_provider.h tests/fake_providers.c
tests_test_contract_SOURCES = tests/test_contract.c tests/contract.c tests/contract.h $(FAKE_PROVIDERS)
tests_test_hold_SOURCES = tests/test_hold.c $(FAKE_PROVIDERS)
# And so has this program, which else is locktop: fake:/PATH obeys the file PATH.
tests_fake_locktop_SOURCES = src/cli/front.c $(FAKE_PROVIDERS)
tests_fake_locktop_LDADD = src/libtakecli.la src/libguard.la src/libtake.la

# Tests in which inotify cannot be had (failing_inotify.h).
FAILING_INOTIFY = -Wl,--wrap=inotify_init1
tests_test_file_LDFLAGS = $(AM_LDFLAGS) $(FAILING_INOTIFY)
tests_test_log_LDFLAGS = $(AM_LDFLAGS) $(FAILING_INOTIFY)
tests_test_watch_LDFLAGS = $(AM_LDFLAGS) $(FAILING_INOTIFY)

# Others act in the middle of a release.
tests_test_lockfile_LDFLAGS = $(AM_LDFLAGS) -Wl,--wrap=flock,--wrap=ftruncate,--wrap=unlinkat

# A disk that is full for a while.
tests_test_faults_LDFLAGS = $(AM_LDFLAGS) -Wl,--wrap=pwrite

# Calls fail, and others act in the middle.
tests_test_fence_LDFLAGS = $(AM_LDFLAGS) -Wl,--wrap=pwrite,--wrap=fdatasync
tests_test_lt1_LDFLAGS = $(AM_LDFLAGS) -Wl,--wrap=flock,--wrap=pwrite,--wrap=openat,--wrap=fstatfs \
	-Wl,--wrap=linkat,--wrap=renameat2,--wrap=clone,--wrap=unlinkat

# A rename and a sync fail.
tests_test_outfile_LDFLAGS = $(AM_LDFLAGS) -Wl,--wrap=renameat,--wrap=fsync

# Its allocations fail one after the other.
tests_test_model_LDFLAGS = $(AM_LDFLAGS) -Wl,--wrap=malloc,--wrap=calloc \
	-Wl,--wrap=reallocarray,--wrap=strdup

if HAVE_CMOCKA
check_PROGRAMS = $(UNIT_TESTS) tests/fake-locktop
check_DATA =
else
check_PROGRAMS =
EXTRA_PROGRAMS += $(UNIT_TESTS) tests/fake-locktop
check_DATA = cmocka-is-missing
cmocka-is-missing:
	@echo 'make check needs cmocka (libcmocka-dev); ./bootstrap check installs it' >&2; exit 1
endif

# Every test prints TAP, so every test case is a line of `make check`. One cmocka group a program:
# a second one would print a second plan. A failing case makes two lines, FAIL and ERROR (its exit
# status): the latter is kept because a leak found at the end shows in nothing else. A case that
# cannot run here prints why and returns: cmocka 1.1.5 prints skip() as "not ok".
LOG_DRIVER = env AM_TAP_AWK='$(AWK)' $(SHELL) $(top_srcdir)/build-aux/tap-driver.sh
AM_TESTS_ENVIRONMENT = \
	CMOCKA_MESSAGE_OUTPUT=TAP; export CMOCKA_MESSAGE_OUTPUT; \
	LC_ALL=C.UTF-8; export LC_ALL; \
	LOCKTOP='$(abs_top_builddir)/locktop'; export LOCKTOP; \
	srcdir='$(abs_top_srcdir)'; export srcdir; \
	builddir='$(abs_top_builddir)'; export builddir; \
	TMPDIR="$${TMPDIR-/tmp}"; export TMPDIR;

include tests/prove/local.mk

# With what the example of the manual is built.
check_DATA += tests/t-lib.env
CLEANFILES += tests/t-lib.env
tests/t-lib.env: Makefile
	$(AM_V_GEN){ echo "CC='$(CC)'"; echo "CFLAGS='$(LOCKTOP_LDFLAGS)'"; \
		echo "VERSION='$(PACKAGE_VERSION)'"; } >$@

# Three convenience libraries hold everything below the command line and the screen, floor by floor.
# The first is what takes locks and needs libc only: liblocktop is made of it. The second, with logs,
# signals and the supervisor, is what the small program has besides. The third is what links JSON and
# the configuration.
noinst_LTLIBRARIES += src/libtake.la
src_libtake_la_SOURCES = \
	src/base/buf.c \
	src/base/buf.h \
	src/base/clock.c \
	src/base/clock.h \
	src/base/error.c \
	src/base/error.h \
	src/base/jsonw.c \
	src/base/jsonw.h \
	src/base/loop.c \
	src/base/loop.h \
	src/base/text.c \
	src/base/text.h \
	src/base/text_fit.c \
	src/base/text_number.c \
	src/base/unicode.c \
	src/base/unicode.h \
	src/base/uri.c \
	src/base/uri.h \
	src/model/lock.c \
	src/model/lock.h \
	src/model/reasons.h \
	src/model/record.c \
	src/model/record.h \
	src/model/snapshot.c \
	src/model/snapshot.h \
	src/model/verdict.c \
	src/model/verdict.h \
	src/model/verdict_text.c \
	src/system/draft.c \
	src/system/draft.h \
	src/system/fence.c \
	src/system/fence.h \
	src/system/folder.c \
	src/system/folder.h \
	src/system/kernlocks.c \
	src/system/kernlocks.h \
	src/system/kernlocks_attach.c \
	src/system/kernlocks_unite.c \
	src/system/kernlocks_walk.c \
	src/system/kernlocks_walk.h \
	src/system/lockfile.c \
	src/system/lockfile.h \
	src/system/proc.c \
	src/system/proc.h \
	src/system/proccache.c \
	src/system/proccache.h \
	src/system/watch.c \
	src/system/watch.h \
	src/system/world.c \
	src/system/world.h \
	src/backends/backend.h \
	src/backends/file.c \
	src/backends/file_folder.c \
	src/backends/file_item.c \
	src/backends/file_judge.c \
	src/backends/file_judge.h \
	src/backends/file_kernel.c \
	src/backends/file_list.c \
	src/backends/file_lock.c \
	src/backends/file_lt1.c \
	src/backends/file_lt1.h \
	src/backends/file_lt1_acquire.c \
	src/backends/file_lt1_keep.c \
	src/backends/file_lt1_private.h \
	src/backends/file_private.h \
	src/backends/file_process.c \
	src/backends/file_provider.c \
	src/backends/file_queue.c \
	src/backends/file_queue.h \
	src/backends/file_release.c \
	src/backends/file_who.c \
	src/backends/provider.c \
	src/backends/provider.h \
	src/backends/providers.c \
	src/lib/hold.c \
	src/lib/hold.h \
	src/lib/hold_address.c \
	src/lib/hold_private.h \
	src/lib/hold_take.c \
	src/lib/locktop.c \
	src/lib/locktop.h \
	src/lib/locktop_private.h \
	src/lib/locktop_status.c

noinst_LTLIBRARIES += src/libguard.la
src_libguard_la_SOURCES = \
	src/model/metric.c \
	src/model/metric.h \
	src/engine/logfile.c \
	src/engine/logfile.h \
	src/engine/metricslog.c \
	src/engine/metricslog.h \
	src/engine/settings_path.c \
	src/engine/signals.c \
	src/engine/signals.h \
	src/engine/supervisor.c \
	src/engine/supervisor.h

noinst_LTLIBRARIES += src/libcore.la
src_libcore_la_SOURCES = \
	src/base/jsonl.c \
	src/base/jsonl.h \
	src/model/columns.c \
	src/model/columns.h \
	src/model/compare.c \
	src/model/compare.h \
	src/model/compare_verdict.c \
	src/model/event.c \
	src/model/event.h \
	src/model/event_write.c \
	src/model/model.c \
	src/model/histogram.c \
	src/model/histogram.h \
	src/model/histogram_bucket.c \
	src/model/histogram_private.h \
	src/model/histogram_sum.c \
	src/model/history.c \
	src/model/history.h \
	src/model/metric_read.c \
	src/model/metric_read.h \
	src/model/metric_read_debug.c \
	src/model/metric_read_private.h \
	src/model/metric_read_scan.c \
	src/model/metrics.c \
	src/model/metrics.h \
	src/model/metrics_address.c \
	src/model/metrics_json.c \
	src/model/metrics_points.c \
	src/model/metrics_private.h \
	src/model/metrics_sample.c \
	src/model/metrics_slot.c \
	src/model/metrics_slots.c \
	src/model/metrics_tally.c \
	src/model/metrics_waited.c \
	src/model/model.h \
	src/model/model_metrics.c \
	src/model/model_private.h \
	src/model/prometheus.c \
	src/model/prometheus.h \
	src/model/prometheus_log.c \
	src/model/prometheus_private.h \
	src/model/prometheus_rows.c \
	src/model/promtext.c \
	src/model/promtext.h \
	src/model/select.c \
	src/system/logtail.c \
	src/system/logtail.h \
	src/system/logtail_file.c \
	src/system/logtail_files.c \
	src/system/logtail_private.h \
	src/system/logtail_rotate.c \
	src/system/logtail_seek.c \
	src/system/outfile.c \
	src/system/outfile.h \
	src/backends/backend.c \
	src/backends/kernel.c \
	src/backends/log.c \
	src/backends/log_files.c \
	src/backends/log_private.h \
	src/backends/log_read.c \
	src/backends/log_watch.c \
	src/backends/replay.c \
	src/engine/act.c \
	src/engine/act.h \
	src/engine/act_metrics.c \
	src/engine/act_metrics.h \
	src/engine/audit.c \
	src/engine/audit.h \
	src/engine/child.c \
	src/engine/child.h \
	src/engine/holders.c \
	src/engine/holders.h \
	src/engine/hub.c \
	src/engine/hub.h \
	src/engine/hub_lines.c \
	src/engine/hub_private.h \
	src/engine/hub_process.c \
	src/engine/hub_ssh.c \
	src/engine/metricsread.c \
	src/engine/metricsread.h \
	src/engine/settings.c \
	src/engine/settings.h \
	src/engine/source.c \
	src/engine/source.h
src_libcore_la_LIBADD = src/libguard.la src/libtake.la $(JANSSON_LIBS) $(CONFUSE_LIBS) $(ZLIB_LIBS)

# The commands that take locks, which the small program has too.
noinst_LTLIBRARIES += src/libtakecli.la
src_libtakecli_la_SOURCES = \
	src/cli/cli.c \
	src/cli/cli.h \
	src/cli/cmd_acquire.c \
	src/cli/cmd_detached.c \
	src/cli/cmd_fence_check.c \
	src/cli/cmd_run.c \
	src/cli/lock_options.c \
	src/cli/lock_options.h \
	src/cli/lock_session.c \
	src/cli/lock_wait.c \
	src/cli/lock_wait.h \
	src/cli/owner.c \
	src/cli/owner.h \
	src/cli/token_file.c \
	src/cli/token_file.h

# What these ask of the configuration, in the large program: behind them in the linker's order.
noinst_LTLIBRARIES += src/libtakeall.la
src_libtakeall_la_SOURCES = src/cli/lock_settings.c

# The subcommands, a library too, so that tests can link them; main.c belongs to the program.
noinst_LTLIBRARIES += src/libcli.la
src_libcli_la_SOURCES = \
	src/cli/ask.c \
	src/cli/ask.h \
	src/cli/check.c \
	src/cli/check.h \
	src/cli/cmd_check.c \
	src/cli/cmd_clean.c \
	src/cli/cmd_compare.c \
	src/cli/cmd_demo.c \
	src/cli/demo_past.c \
	src/cli/demo_past.h \
	src/cli/cmd_export.c \
	src/cli/cmd_ls.c \
	src/cli/cmd_monitor.c \
	src/cli/cmd_release.c \
	src/cli/cmd_report.c \
	src/cli/cmd_signal.c \
	src/cli/cmd_source.c \
	src/cli/cmd_status.c \
	src/cli/cmd_watch.c \
	src/cli/cmd_words.c \
	src/cli/commands.c \
	src/cli/figures.c \
	src/cli/figures.h \
	src/cli/listing.c \
	src/cli/listing.h \
	src/cli/log_options.c \
	src/cli/log_options.h \
	src/cli/log_pick.c \
	src/cli/log_pick.h \
	src/cli/nagios_range.c \
	src/cli/nagios_range.h \
	src/cli/options.c \
	src/cli/options.h \
	src/cli/print.c \
	src/cli/print.h \
	src/cli/report.c \
	src/cli/report.h \
	src/cli/session.c \
	src/cli/session.h \
	src/cli/watch.c \
	src/cli/watch.h
src_libcli_la_LIBADD = -lm

# What people call is small and links libc alone; it executes the large one for all else.
bin_PROGRAMS += locktop
locktop_SOURCES = src/cli/front.c
locktop_LDADD = src/libtakecli.la src/libguard.la src/libtake.la
pkglibexec_PROGRAMS += libexec/locktop
libexec_locktop_SOURCES = src/cli/main.c
libexec_locktop_LDADD = src/libcli.la src/libtakecli.la src/libtakeall.la ui/libui.la src/libcore.la

# The plugin's name for `locktop check`.
install-exec-hook:
	$(AM_V_at)cd '$(DESTDIR)$(bindir)' && rm -f check_locktop && $(LN_S) locktop$(EXEEXT) check_locktop
uninstall-hook:
	$(AM_V_at)rm -f '$(DESTDIR)$(bindir)/check_locktop' '$(DESTDIR)$(man1dir)/check_locktop.1'

# For other programs: libtake again, of which they see locktop.h only.
lib_LTLIBRARIES += src/lib/liblocktop.la
src_lib_liblocktop_la_SOURCES =
src_lib_liblocktop_la_LIBADD = src/libtake.la
src_lib_liblocktop_la_LDFLAGS = $(AM_LDFLAGS) -version-info 0:0:0 -no-undefined \
	-export-symbols-regex '^locktop_'
include_HEADERS = src/lib/locktop.h
pkgconfigdir = $(libdir)/pkgconfig
pkgconfig_DATA = src/lib/locktop.pc

# The proof of LT1 by force: `make prove` is the long form, tests/t-prove the short one. It links
# what takes locks and nothing else, for it forks some hundred times a second. A mutant is the same
# with one patched file of the protocol, which is linked before the library has the true one.
PROVE_SOURCES = tests/prove/lt1.c tests/prove/others.c tests/prove/protocol.h \
	tests/prove/prove.c tests/prove/prove.h tests/prove/worker.c
PROVERS = tests/prove/prove \
	tests/prove/mutant-break-by-path \
	tests/prove/mutant-create-first \
	tests/prove/mutant-no-compare \
	tests/prove/mutant-no-verify \
	tests/prove/mutant-publish-first \
	tests/prove/mutant-unlock-first
MUTANTS = \
	tests/prove/mutant-break-by-path.c \
	tests/prove/mutant-create-first.c \
	tests/prove/mutant-no-compare.c \
	tests/prove/mutant-no-verify.c \
	tests/prove/mutant-publish-first.c \
	tests/prove/mutant-unlock-first.c
MUTANT_PATCHES = \
	tests/prove/mutants/break-by-path.patch \
	tests/prove/mutants/create-first.patch \
	tests/prove/mutants/no-compare.patch \
	tests/prove/mutants/no-verify.patch \
	tests/prove/mutants/publish-first.patch \
	tests/prove/mutants/unlock-first.patch
EXTRA_DIST += $(MUTANT_PATCHES) tests/prove/mutate tests/prove/run
CLEANFILES += $(MUTANTS)
check_PROGRAMS += $(PROVERS)
tests_prove_prove_SOURCES = $(PROVE_SOURCES)
tests_prove_prove_LDADD = src/libtake.la
tests_prove_mutant_break_by_path_SOURCES = $(PROVE_SOURCES)
nodist_tests_prove_mutant_break_by_path_SOURCES = tests/prove/mutant-break-by-path.c
tests_prove_mutant_break_by_path_LDADD = src/libtake.la
tests_prove_mutant_create_first_SOURCES = $(PROVE_SOURCES)
nodist_tests_prove_mutant_create_first_SOURCES = tests/prove/mutant-create-first.c
tests_prove_mutant_create_first_LDADD = src/libtake.la
tests_prove_mutant_no_compare_SOURCES = $(PROVE_SOURCES)
nodist_tests_prove_mutant_no_compare_SOURCES = tests/prove/mutant-no-compare.c
tests_prove_mutant_no_compare_LDADD = src/libtake.la
tests_prove_mutant_no_verify_SOURCES = $(PROVE_SOURCES)
nodist_tests_prove_mutant_no_verify_SOURCES = tests/prove/mutant-no-verify.c
tests_prove_mutant_no_verify_LDADD = src/libtake.la
tests_prove_mutant_publish_first_SOURCES = $(PROVE_SOURCES)
nodist_tests_prove_mutant_publish_first_SOURCES = tests/prove/mutant-publish-first.c
tests_prove_mutant_publish_first_LDADD = src/libtake.la
tests_prove_mutant_unlock_first_SOURCES = $(PROVE_SOURCES)
nodist_tests_prove_mutant_unlock_first_SOURCES = tests/prove/mutant-unlock-first.c
tests_prove_mutant_unlock_first_LDADD = src/libtake.la
$(MUTANTS): $(MUTANT_PATCHES) tests/prove/mutate src/backends/file_lt1.c \
		src/backends/file_lt1_acquire.c src/backends/file_lt1_keep.c
	$(AM_V_GEN)$(MKDIR_P) tests/prove && $(SHELL) $(srcdir)/tests/prove/mutate $(srcdir) $@

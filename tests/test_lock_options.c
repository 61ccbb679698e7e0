/* The options that the commands which take locks share, and their exit codes. */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cli/cli.h"
#include "cli/lock_options.h"

enum { ARGS = 24 };

static int parse(struct lock_options *options, const char *const *args, unsigned int flags)
{
	struct argp argp = {NULL, NULL, NULL, NULL, lock_children, NULL, NULL};
	const char *argv[ARGS] = {"locktop run"};
	int argc = 1;

	for (; args[argc - 1]; argc++)
		argv[argc] = args[argc - 1];
	unsetenv("AISTMA_DEBUG_LOCKS");
	lock_options_init(options, "locktop run");
	return options_parse(&argp, argc, (char **)argv, flags, NULL, options);
}

static void without_options_the_lock_is_kept_ten_minutes_and_only_proof_takes_over(void **state)
{
	static const char *const none[] = {NULL};
	struct lock_options options;

	(void)state;
	assert_int_equal(parse(&options, none, ARGP_NO_EXIT), 0);
	assert_int_equal(options.lease, 600 * NS_PER_S);
	assert_int_equal(options.stale_after, 600 * NS_PER_S);
	assert_int_equal(options.takeover, TAKEOVER_PROOF);
	assert_int_equal(options.wait, -1);
	assert_int_equal(options.busy_code, 75);
	assert_int_equal(options.mode, 0640);
	assert_false(options.is_nonblocking || options.is_strict || options.is_tidy);
	assert_false(options.is_debug || options.is_read_only);
}

static void every_option_reaches_its_member(void **state)
{
	static const char *const args[] = {"-n", "-w", "0.5", "-E", "9", "--lease=2m",
		"--stale-after=90", "--takeover=never", "--compat=strict", "--mode=600", "--tidy",
		"--with=/a", "--with=/b", "--fallback=/c", "--log=none", "--debug", "--read-only",
		"--config=/d", "--proc-root=/e", NULL};
	struct lock_options options;

	(void)state;
	assert_int_equal(parse(&options, args, ARGP_NO_EXIT), 0);
	assert_true(options.is_nonblocking && options.is_strict && options.is_tidy);
	assert_true(options.is_debug && options.is_read_only);
	assert_int_equal(options.wait, NS_PER_S / 2);
	assert_int_equal(options.busy_code, 9);
	assert_int_equal(options.lease, 120 * NS_PER_S);
	assert_int_equal(options.stale_after, 90 * NS_PER_S);
	assert_int_equal(options.takeover, TAKEOVER_NEVER);
	assert_int_equal(options.mode, 0600);
	assert_int_equal(options.withs, 2);
	assert_string_equal(options.with[1], "/b");
	assert_int_equal(options.fallbacks, 1);
	assert_string_equal(options.fallback[0], "/c");
	assert_string_equal(options.log, "none");
	assert_string_equal(options.config, "/d");
	assert_string_equal(options.proc_root, "/e");
}

/* argp ends the program for it; so it is asked in a child. */
static int exit_code_for(const char *const *args)
{
	struct lock_options options;
	int status;
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid == 0) {
		close(STDERR_FILENO);
		parse(&options, args, 0);
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void a_wrong_value_is_wrong_usage(void **state)
{
	static const char *const wrong[] = {"-w-1", "-wsoon", "-w", "-E256", "-Ex", "--lease=1.5",
		"--lease=x", "--stale-after=-1", "--takeover=always", "--compat=seed", "--mode=9",
		"--mode=", "--mode=-600", "--mode=1777", "--mode=044", "--nonsense"};

	(void)state;
	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
		const char *args[] = {wrong[i], NULL};

		if (exit_code_for(args) != EXIT_USAGE)
			fail_msg("%s was taken", wrong[i]);
	}
	assert_int_equal(exit_code_for((const char *[]){"-w1", NULL}), 0);
}

static void more_locks_than_there_is_room_for_are_refused(void **state)
{
	const char *args[ARGS] = {NULL};

	(void)state;
	for (int i = 0; i < LOCK_ADDRESSES; i++)
		args[i] = "--with=/x";
	assert_int_equal(exit_code_for(args), 0);
	args[LOCK_ADDRESSES] = "--with=/x";
	assert_int_equal(exit_code_for(args), EXIT_USAGE);
}

static void the_seeds_variable_turns_debugging_on(void **state)
{
	struct lock_options options;

	(void)state;
	setenv("AISTMA_DEBUG_LOCKS", "1", 1);
	lock_options_init(&options, "x");
	assert_true(options.is_debug);
	setenv("AISTMA_DEBUG_LOCKS", "0", 1);
	lock_options_init(&options, "x");
	assert_false(options.is_debug);
}

static void each_result_has_its_exit_code(void **state)
{
	static const struct {
		int result, code;
	} table[] = {
		{0, 0},
		{-EBUSY, 75},
		{-ETIMEDOUT, 75},
		{-ESTALE, 76},
		{-EKEYREJECTED, 77},
		{-EINVAL, 64},
		{-EEXIST, 64},
		{-EPROTONOSUPPORT, 64},
		{-ENOMEM, 70},
		{-ELOOP, 1},
		{-EMLINK, 1},
		{-ENOTSUP, 1},
		{-ENOENT, 69},
		{-EACCES, 69},
		{-ENOSPC, 69},
		{-EMFILE, 69},
		{-EIO, 69},
	};

	(void)state;
	for (size_t i = 0; i < sizeof table / sizeof *table; i++)
		assert_int_equal(lock_exit_code(table[i].result, 75), table[i].code);
	assert_int_equal(lock_exit_code(-EBUSY, 3), 3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			without_options_the_lock_is_kept_ten_minutes_and_only_proof_takes_over),
		cmocka_unit_test(every_option_reaches_its_member),
		cmocka_unit_test(a_wrong_value_is_wrong_usage),
		cmocka_unit_test(more_locks_than_there_is_room_for_are_refused),
		cmocka_unit_test(the_seeds_variable_turns_debugging_on),
		cmocka_unit_test(each_result_has_its_exit_code),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

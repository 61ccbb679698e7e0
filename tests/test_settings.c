/* The configuration files, over files in a temporary folder. */
#include "config.h"
#include "engine/settings.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/clock.h"
#include "base/error.h"

struct place {
	char folder[200];
	char system[220], user[220], only[220];
	struct settings settings;
	struct error err;
};

static int set_up(void **state)
{
	struct place *place = calloc(1, sizeof *place);
	const char *tmp = getenv("TMPDIR");

	snprintf(place->folder, sizeof place->folder, "%s/settings-XXXXXX", tmp ? tmp : "/tmp");
	if (!mkdtemp(place->folder))
		return -1;
	snprintf(place->system, sizeof place->system, "%s/system.conf", place->folder);
	snprintf(place->user, sizeof place->user, "%s/user.conf", place->folder);
	snprintf(place->only, sizeof place->only, "%s/only.conf", place->folder);
	*state = place;
	return 0;
}

static int tear_down(void **state)
{
	struct place *place = *state;

	settings_release(&place->settings);
	unlink(place->system);
	unlink(place->user);
	unlink(place->only);
	rmdir(place->folder);
	free(place);
	return 0;
}

static void put(const char *path, const char *text)
{
	FILE *file = fopen(path, "w");

	assert_non_null(file);
	fputs(text, file);
	fclose(file);
}

static int get(struct place *place, bool only)
{
	const struct settings_files files = {
		.system = place->system, .user = place->user, .only = only ? place->only : NULL};

	settings_release(&place->settings);
	return settings_read_files(&place->settings, &files, &place->err);
}

/* The system's file with this text is refused with a sentence that ends so. */
static void refused(struct place *place, const char *text, const char *line, const char *words)
{
	char expected[600];

	put(place->system, text);
	assert_int_equal(get(place, false), -EINVAL);
	snprintf(expected, sizeof expected, "%s:%s: %s", place->system, line, words);
	assert_string_equal(place->err.text, expected);
	assert_int_equal(place->err.code, -EINVAL);
}

static void without_any_file_there_are_defaults(void **state)
{
	struct place *place = *state;

	assert_int_equal(get(place, false), 0);
	assert_int_equal(place->settings.limit, 600 * NS_PER_S);
	assert_int_equal(place->settings.delay, NS_PER_S);
	assert_string_equal(place->settings.glyphs, "auto");
	assert_string_equal(place->settings.color, "auto");
	assert_string_equal(place->settings.ssh, "ssh");
	assert_null(place->settings.default_source);
	assert_null(place->settings.audit);
	assert_null(place->settings.metrics);
	assert_int_equal(place->settings.logs, 0);
	assert_true(place->settings.overdue_factor == 3.0);
	assert_false(place->settings.is_secure);
	assert_false(place->settings.tidy);
	assert_int_equal(place->settings.sources, 0);
	assert_int_equal(place->settings.rules, 0);
}

static void an_empty_file_says_nothing(void **state)
{
	struct place *place = *state;

	put(place->system, "");
	put(place->user, "# only a comment\n");
	assert_int_equal(get(place, false), 0);
	assert_int_equal(place->settings.limit, 600 * NS_PER_S);
}

static void every_setting_is_read(void **state)
{
	struct place *place = *state;
	const struct settings *settings = &place->settings;

	put(place->system, "limit = 5m\n"
			   "delay = \"2s\"\n"
			   "secure = true\n"
			   "tidy = yes\n"
			   "glyphs = braille\n"
			   "color = never\n"
			   "default_source = web\n"
			   "ssh = \"ssh -F /etc/locktop/ssh\"\n"
			   "audit = /var/log/audit.jsonl\n"
			   "metrics = \"/var/log/metrics.jsonl\"\n"
			   "logs = { \"/var/log/a.jsonl\", /srv/b.jsonl, \"/srv/*.log\" }\n"
			   "overdue_factor = 2.5\n"
			   "source \"web\" { uri = \"ssh:web1:file:/run/lock\" }\n"
			   "source \"here\" {\n"
			   "	uri = /run/lock\n"
			   "}\n"
			   "lock \"nightly-*\" { limit = 2h }\n");
	assert_int_equal(get(place, false), 0);
	assert_int_equal(settings->limit, 300 * NS_PER_S);
	assert_int_equal(settings->delay, 2 * NS_PER_S);
	assert_true(settings->is_secure);
	assert_string_equal(settings->secure_in, place->system);
	assert_true(settings->tidy);
	assert_string_equal(settings->glyphs, "braille");
	assert_string_equal(settings->color, "never");
	assert_string_equal(settings->default_source, "ssh:web1:file:/run/lock");
	assert_string_equal(settings->ssh, "ssh -F /etc/locktop/ssh");
	assert_string_equal(settings->audit, "/var/log/audit.jsonl");
	assert_string_equal(settings->metrics, "/var/log/metrics.jsonl");
	assert_int_equal(settings->logs, 3);
	assert_string_equal(settings->log[0], "/var/log/a.jsonl");
	assert_string_equal(settings->log[1], "/srv/b.jsonl");
	assert_string_equal(settings->log[2], "/srv/*.log");
	assert_true(settings->overdue_factor == 2.5);
	assert_int_equal(settings->sources, 2);
	assert_string_equal(settings->source[0].name, "web");
	assert_string_equal(settings->source[0].uri, "ssh:web1:file:/run/lock");
	assert_string_equal(settings->source[1].name, "here");
	assert_string_equal(settings->source[1].uri, "/run/lock");
	assert_int_equal(settings->rules, 1);
	assert_string_equal(settings->rule[0].pattern, "nightly-*");
	assert_int_equal(settings->rule[0].limit, 7200 * NS_PER_S);
}

static void the_users_file_counts_before_the_systems(void **state)
{
	struct place *place = *state;
	const struct settings *settings = &place->settings;

	put(place->system, "limit = 5m\ntidy = true\nglyphs = box\n"
			   "source \"a\" { uri = /system/a }\nsource \"b\" { uri = /system/b }\n"
			   "lock \"*\" { limit = 1m }\n");
	put(place->user, "limit = 7m\ntidy = false\n"
			 "source \"b\" { uri = /user/b }\n"
			 "lock \"x\" { limit = 2m }\nlock \"y\" { limit = 3m }\n");
	assert_int_equal(get(place, false), 0);
	assert_int_equal(settings->limit, 420 * NS_PER_S);
	assert_false(settings->tidy);
	assert_string_equal(settings->glyphs, "box");
	assert_int_equal(settings->sources, 2);
	assert_string_equal(settings->source[0].uri, "/user/b");
	assert_string_equal(settings->source[1].uri, "/system/a");
	assert_int_equal(settings->rules, 3);
	assert_string_equal(settings->rule[0].pattern, "x");
	assert_string_equal(settings->rule[1].pattern, "y");
	assert_string_equal(settings->rule[2].pattern, "*");
}

static void a_file_can_turn_the_metrics_log_off(void **state)
{
	struct place *place = *state;

	put(place->system, "metrics = /var/log/metrics.jsonl\n");
	put(place->user, "metrics = none\n");
	assert_int_equal(get(place, false), 0);
	assert_string_equal(place->settings.metrics, "none");
}

static void the_first_file_that_names_logs_names_them_all(void **state)
{
	struct place *place = *state;

	put(place->system, "logs = { /a, /b }\noverdue_factor = 4\n");
	put(place->user, "logs = { /c }\noverdue_factor = 0\n");
	assert_int_equal(get(place, false), 0);
	assert_int_equal(place->settings.logs, 1);
	assert_string_equal(place->settings.log[0], "/c");
	assert_true(place->settings.overdue_factor == 0);
	put(place->user, "logs = {}\n");
	assert_int_equal(get(place, false), 0);
	assert_int_equal(place->settings.logs, 2);
	assert_true(place->settings.overdue_factor == 4);
}

static void no_file_can_undo_secure(void **state)
{
	struct place *place = *state;

	put(place->system, "secure = true\nlimit = 5m\n");
	put(place->user, "secure = false\n");
	put(place->only, "secure = false\n");
	assert_int_equal(get(place, false), 0);
	assert_true(place->settings.is_secure);
	assert_int_equal(get(place, true), 0);
	assert_true(place->settings.is_secure);
	assert_string_equal(place->settings.secure_in, place->system);
	/* Nothing else of the system's file counts beside --config. */
	assert_int_equal(place->settings.limit, 600 * NS_PER_S);
}

static void the_users_file_and_config_can_add_secure(void **state)
{
	struct place *place = *state;

	put(place->user, "secure = true\n");
	put(place->only, "secure = on\n");
	put(place->system, "secure = false\n");
	assert_int_equal(get(place, false), 0);
	assert_true(place->settings.is_secure);
	assert_string_equal(place->settings.secure_in, place->user);
	assert_int_equal(get(place, true), 0);
	assert_string_equal(place->settings.secure_in, place->only);
}

static void config_replaces_both_files(void **state)
{
	struct place *place = *state;

	put(place->system, "glyphs = box\n");
	put(place->user, "color = never\n");
	put(place->only, "limit = 1m\n");
	assert_int_equal(get(place, true), 0);
	assert_int_equal(place->settings.limit, 60 * NS_PER_S);
	assert_string_equal(place->settings.glyphs, "auto");
	assert_string_equal(place->settings.color, "auto");
}

static void config_has_to_be_there(void **state)
{
	struct place *place = *state;

	assert_int_equal(get(place, true), -ENOENT);
	assert_non_null(strstr(place->err.text, "cannot read "));
	assert_non_null(strstr(place->err.text, "only.conf: No such file or directory"));
}

static void a_broken_system_file_is_told_beside_config_too(void **state)
{
	struct place *place = *state;

	put(place->system, "secure = treu\n");
	put(place->only, "limit = 1m\n");
	assert_int_equal(get(place, true), -EINVAL);
	assert_non_null(strstr(place->err.text, "invalid boolean value for option 'secure'"));
}

static void another_users_file_is_skipped(void **state)
{
	struct place *place = *state;

	put(place->user, "limit = 5m\n");
	if (geteuid() != 0 || chown(place->user, 12345, 12345) < 0) {
		print_message("# only root can give a file away\n");
		return;
	}
	assert_int_equal(get(place, false), 0);
	assert_int_equal(place->settings.limit, 600 * NS_PER_S);
}

static void a_folder_is_no_configuration(void **state)
{
	struct place *place = *state;

	snprintf(place->only, sizeof place->only, "%s", place->folder);
	assert_int_equal(get(place, true), -EISDIR);
}

static void binary_is_no_configuration(void **state)
{
	struct place *place = *state;
	FILE *file = fopen(place->system, "w");

	fwrite("limit = 1m\0\n", 1, 12, file);
	fclose(file);
	assert_int_equal(get(place, false), -EINVAL);
	assert_non_null(strstr(place->err.text, "not a text file"));
}

static void a_mistake_names_the_line_and_what_was_expected(void **state)
{
	struct place *place = *state;

	refused(place, "# one\nevry = 1\n", "2",
		"no such option 'evry', expected one of limit, delay, secure, tidy, glyphs, color, "
		"default_source, ssh, audit, metrics, logs, overdue_factor, source, lock");
	refused(place, "limit = soon\n", "1",
		"limit = 'soon': expected a duration of at least 1s, for example 10m");
	refused(place, "limit = 0\n", "1",
		"limit = '0': expected a duration of at least 1s, for example 10m");
	refused(place, "\n\ndelay = 10ms\n", "3",
		"delay = '10ms': expected a duration of at least 0.1s, for example 2s");
	refused(place, "glyphs = utf8\n", "1",
		"glyphs = 'utf8': expected one of auto, ascii, box, braille");
	refused(place, "color = red\n", "1", "color = 'red': expected one of auto, never, 16");
	refused(place, "audit = audit.log\n", "1",
		"audit = 'audit.log': expected an absolute path");
	refused(place, "metrics = metrics.log\n", "1",
		"metrics = 'metrics.log': expected an absolute path, or none");
	refused(place, "metrics = \"\"\n", "1", "metrics = '': expected an absolute path, or none");
	refused(place, "logs = { /a,\n\tmetrics.log }\n", "2",
		"logs: 'metrics.log': expected an absolute path, or a pattern of such");
	refused(place, "overdue_factor = 0.5\n", "1",
		"overdue_factor = 0.5: expected a number from 1 to 1000000, for example 3.0, or 0 "
		"(never)");
	refused(place, "overdue_factor = -3\n", "1",
		"overdue_factor = -3: expected a number from 1 to 1000000, for example 3.0, or 0 "
		"(never)");
	refused(place, "overdue_factor = nan\n", "1",
		"overdue_factor = nan: expected a number from 1 to 1000000, for example 3.0, or 0 "
		"(never)");
	refused(place, "overdue_factor = often\n", "1",
		"invalid floating point value for option 'overdue_factor'");
	refused(place, "ssh = \"\"\n", "1", "ssh is empty");
	refused(place, "secure = perhaps\n", "1", "invalid boolean value for option 'secure'");
	refused(place, "lock \"a\" {\n}\n", "2", "lock 'a' has no limit");
	refused(place, "source \"a\" {\n}\n", "2", "source 'a' has no uri");
	refused(place, "lock \"a\" { limit = 1m }\nlock \"a\" { limit = 2m }\n", "2",
		"found duplicate title 'a'");
	refused(place, "source \"a\" {\n\turl = /x\n}\n", "2",
		"no such option 'url', expected one of uri");
	refused(place, "source \"a\" {\n\turi = locks\n}\n", "2",
		"uri = 'locks': expected an absolute path");
	refused(place, "source \"a\" {\n\n\turi = \"file:locks\"\n}\n", "3",
		"uri = 'file:locks': expected an absolute path");
	refused(place, "limit = 1m\nsource \"a\"\n", "3", "premature end of file");
}

static void comments_do_not_count_as_more_lines_than_they_are(void **state)
{
	struct place *place = *state;

	put(place->system, "/* a\n * b */ # c\n// d \"\n\t# e '\nglyphs = box // f\n"
			   "source \"#\" { uri = \"/run/#1//x\" } # g\n"
			   "source b { uri = /run//lock }\n# the end");
	assert_int_equal(get(place, false), 0);
	assert_string_equal(place->settings.glyphs, "box");
	assert_string_equal(place->settings.source[0].name, "#");
	assert_string_equal(place->settings.source[0].uri, "/run/#1//x");
	assert_string_equal(place->settings.source[1].uri, "/run//lock");
	refused(place, "# a\n\n# b\n/*\n*/\nlimit = 1m # c\ncolour = 16\n", "7",
		"no such option 'colour', expected one of limit, delay, secure, tidy, glyphs, "
		"color, default_source, ssh, audit, metrics, logs, overdue_factor, source, "
		"lock");
	refused(place, "limit = 1m\n/* a\nlimit = 2m\n", "2", "this comment never ends");
}

static void a_password_is_refused_and_not_repeated(void **state)
{
	struct place *place = *state;

	put(place->system, "source \"a\" { uri = \"redis://me:s3cret@host/0\" }\n");
	assert_int_equal(get(place, false), -EINVAL);
	assert_non_null(strstr(place->err.text, "password"));
	assert_null(strstr(place->err.text, "s3cret"));
}

static void a_default_source_has_to_exist(void **state)
{
	struct place *place = *state;

	put(place->system, "default_source = web\n");
	assert_int_equal(get(place, false), -EINVAL);
	assert_string_equal(place->err.text,
		"default_source = 'web': no source of that name, expected one or an address");
	/* The user's file may name one of the system's. */
	put(place->system, "source \"web\" { uri = /srv/locks }\n");
	put(place->user, "default_source = web\n");
	assert_int_equal(get(place, false), 0);
	assert_string_equal(place->settings.default_source, "/srv/locks");
	put(place->user, "default_source = /run/lock\n");
	assert_int_equal(get(place, false), 0);
	assert_string_equal(place->settings.default_source, "/run/lock");
}

static void a_mistake_leaves_the_settings_alone(void **state)
{
	struct place *place = *state;
	const struct settings_files files = {.system = place->system};
	struct settings settings = {.limit = 42};

	put(place->system, "glyphs = box\nlimit = x\n");
	assert_int_equal(settings_read_files(&settings, &files, NULL), -EINVAL);
	assert_int_equal(settings.limit, 42);
	assert_null(settings.glyphs);
}

static void the_users_file_is_found_by_the_environment(void **state)
{
	struct place *place = *state;
	char folder[300], path[330];

	snprintf(folder, sizeof folder, "%s/locktop", place->folder);
	assert_int_equal(mkdir(folder, 0700), 0);
	snprintf(path, sizeof path, "%s/locktop.conf", folder);
	put(path, "limit = 11m\n");
	setenv("XDG_CONFIG_HOME", place->folder, 1);
	assert_int_equal(settings_read(&place->settings, NULL, &place->err), 0);
	unsetenv("XDG_CONFIG_HOME");
	unlink(path);
	rmdir(folder);
	assert_int_equal(place->settings.limit, 660 * NS_PER_S);
}

#define _(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		_(without_any_file_there_are_defaults),
		_(an_empty_file_says_nothing),
		_(every_setting_is_read),
		_(the_users_file_counts_before_the_systems),
		_(a_file_can_turn_the_metrics_log_off),
		_(the_first_file_that_names_logs_names_them_all),
		_(no_file_can_undo_secure),
		_(the_users_file_and_config_can_add_secure),
		_(config_replaces_both_files),
		_(config_has_to_be_there),
		_(a_broken_system_file_is_told_beside_config_too),
		_(another_users_file_is_skipped),
		_(a_folder_is_no_configuration),
		_(binary_is_no_configuration),
		_(a_mistake_names_the_line_and_what_was_expected),
		_(comments_do_not_count_as_more_lines_than_they_are),
		_(a_password_is_refused_and_not_repeated),
		_(a_default_source_has_to_exist),
		_(a_mistake_leaves_the_settings_alone),
		_(the_users_file_is_found_by_the_environment),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

#include "config.h"

#include "lock_place.h"

#include <jansson.h>

#include "engine/audit.h"

struct desk {
	struct place_test *place;
	struct audit audit;
	char path[512];
	struct deed deed;
	struct lock *lock;
	struct error err;
};

static int set_up(void **state)
{
	struct desk *desk = calloc(1, sizeof *desk);

	assert_non_null(desk);
	desk->place = new_place();
	snprintf(desk->path, sizeof desk->path, "%s/log/audit.jsonl", desk->place->folder);
	assert_int_equal(audit_init(&desk->audit, desk->path, &desk->err), 0);
	open_place(desk->place, "file:", "");
	write_plain(desk->place, "story.lock", dead_pid(), 5);
	desk->lock = look_fresh(desk->place, "story.lock");
	desk->deed = (struct deed){.kind = DEED_RELEASE, .name = strdup("story.lock")};
	snprintf(desk->deed.version, sizeof desk->deed.version, "%s", desk->lock->version);
	*state = desk;
	return 0;
}

static int tear_down(void **state)
{
	struct desk *desk = *state;

	lock_unref(desk->lock);
	deed_release(&desk->deed);
	audit_release(&desk->audit);
	free_place(desk->place);
	free(desk);
	return 0;
}

static int write_stage(struct desk *desk, enum audit_stage stage, const char *text)
{
	struct facts facts = {.now = clock_mono(&clock_system),
		.now_wall = clock_wall(&clock_system),
		.limit = 600 * NS_PER_S};
	struct verdict verdict = verdict_of(desk->lock, &facts);

	return audit_write(&desk->audit, stage, 42, facts.now_wall, "file:/run/lock", &desk->deed,
		desk->lock, &facts, &verdict, OUTCOME_DONE, text, &desk->err);
}

/* The whole log as an array of its lines. */
static json_t *read_log(const struct desk *desk)
{
	json_t *lines = json_array();
	FILE *file = fopen(desk->path, "r");
	char line[16384];

	assert_non_null(file);
	while (fgets(line, sizeof line, file)) {
		json_t *object = json_loads(line, 0, NULL);

		/* null stands for a line that is none. */
		json_array_append_new(lines, object ? object : json_null());
	}
	fclose(file);
	return lines;
}

static const char *text_of(const json_t *lines, size_t i, const char *key)
{
	return json_string_value(json_object_get(json_array_get(lines, i), key));
}

static void a_line_says_who_did_what_to_which_lock_and_why(void **state)
{
	struct desk *desk = *state;
	const json_t *actor, *evidence;
	json_t *lines;

	assert_int_equal(write_stage(desk, AUDIT_INTENT, ""), 0);
	assert_int_equal(write_stage(desk, AUDIT_RESULT, "emptied it"), 0);
	lines = read_log(desk);
	assert_int_equal(json_array_size(lines), 2);
	assert_string_equal(text_of(lines, 0, "stage"), "intent");
	assert_string_equal(text_of(lines, 0, "deed"), "release");
	assert_string_equal(text_of(lines, 0, "source"), "file:/run/lock");
	assert_string_equal(text_of(lines, 0, "lock"), "story.lock");
	assert_string_equal(text_of(lines, 0, "version"), desk->lock->version);
	assert_string_equal(text_of(lines, 0, "state"), "STALE");
	assert_string_equal(text_of(lines, 0, "safe"), "SAFE");
	assert_null(text_of(lines, 0, "outcome"));
	assert_string_equal(text_of(lines, 1, "stage"), "result");
	assert_string_equal(text_of(lines, 1, "outcome"), "done");
	assert_string_equal(text_of(lines, 1, "text"), "emptied it");
	for (size_t i = 0; i < 2; i++)
		assert_int_equal(
			json_integer_value(json_object_get(json_array_get(lines, i), "id")), 42);
	actor = json_object_get(json_array_get(lines, 0), "actor");
	assert_int_equal(json_integer_value(json_object_get(actor, "uid")), getuid());
	assert_int_equal(json_integer_value(json_object_get(actor, "pid")), getpid());
	evidence = json_object_get(json_array_get(lines, 0), "evidence");
	assert_true(json_array_size(evidence) > 0);
	json_decref(lines);
}

static void folder_and_file_are_for_their_owner_alone(void **state)
{
	struct desk *desk = *state;
	struct stat st;

	umask(022);
	assert_int_equal(write_stage(desk, AUDIT_INTENT, ""), 0);
	assert_int_equal(stat(desk->path, &st), 0);
	assert_int_equal(st.st_mode & 07777, geteuid() == 0 ? 0640 : 0600);
	assert_int_equal(stat(path_in(desk->place, "log"), &st), 0);
	assert_int_equal(st.st_mode & 07777, geteuid() == 0 ? 0750 : 0700);
}

static void nothing_is_made_before_the_first_line(void **state)
{
	struct desk *desk = *state;

	assert_int_equal(access(path_in(desk->place, "log"), F_OK), -1);
}

static void a_link_or_a_fifo_is_refused(void **state)
{
	struct desk *desk = *state;

	assert_int_equal(mkdir(path_in(desk->place, "log"), 0700), 0);
	write_file(desk->place, "victim", "");
	assert_int_equal(symlink(path_in(desk->place, "victim"), desk->path), 0);
	assert_int_equal(write_stage(desk, AUDIT_INTENT, ""), -ELOOP);
	assert_non_null(strstr(desk->err.text, "audit log"));
	assert_int_equal(unlink(desk->path), 0);
	assert_int_equal(mkfifo(desk->path, 0600), 0);
	assert_int_equal(write_stage(desk, AUDIT_INTENT, ""), -EINVAL);
	assert_int_equal(unlink(desk->path), 0);
	assert_int_equal(link(path_in(desk->place, "victim"), desk->path), 0);
	assert_int_equal(write_stage(desk, AUDIT_INTENT, ""), -EMLINK);
}

static void a_folder_that_others_may_write_is_refused(void **state)
{
	struct desk *desk = *state;

	assert_int_equal(mkdir(path_in(desk->place, "log"), 0700), 0);
	assert_int_equal(chmod(path_in(desk->place, "log"), 0777), 0);
	assert_int_equal(write_stage(desk, AUDIT_INTENT, ""), -EPERM);
	assert_int_equal(rmdir(path_in(desk->place, "log")), 0);
	assert_int_equal(symlink(desk->place->folder, path_in(desk->place, "log")), 0);
	assert_true(write_stage(desk, AUDIT_INTENT, "") < 0);
}

static void anothers_file_is_refused(void **state)
{
	struct desk *desk = *state;

	if (geteuid() != 0) {
		print_message("only root can give a file away: nothing to test\n");
		return;
	}
	assert_int_equal(mkdir(path_in(desk->place, "log"), 0700), 0);
	write_file(desk->place, "log/audit.jsonl", "");
	assert_int_equal(chown(desk->path, 65534, 65534), 0);
	assert_int_equal(write_stage(desk, AUDIT_INTENT, ""), -EPERM);
	assert_int_equal(chown(desk->path, 0, 0), 0);
	assert_int_equal(chown(path_in(desk->place, "log"), 65534, 65534), 0);
	assert_int_equal(write_stage(desk, AUDIT_INTENT, ""), -EPERM);
}

static void half_a_line_does_not_spoil_the_next(void **state)
{
	struct desk *desk = *state;
	json_t *lines;

	assert_int_equal(mkdir(path_in(desk->place, "log"), 0700), 0);
	write_file(desk->place, "log/audit.jsonl", "{\"v\":1,\"ts\":17");
	assert_int_equal(write_stage(desk, AUDIT_INTENT, ""), 0);
	lines = read_log(desk);
	assert_int_equal(json_array_size(lines), 2);
	assert_string_equal(text_of(lines, 1, "stage"), "intent");
	json_decref(lines);
}

static void hostile_text_stays_on_its_line(void **state)
{
	struct desk *desk = *state;
	json_t *lines;

	free(desk->deed.name);
	desk->deed.name = strdup("a\nb\x1b[2J\xff");
	snprintf(desk->deed.tty, sizeof desk->deed.tty, "pts/1\n{\"stage\":\"result\"}");
	assert_int_equal(write_stage(desk, AUDIT_REFUSED, "no\nway\x9b"), 0);
	lines = read_log(desk);
	assert_int_equal(json_array_size(lines), 1);
	assert_string_equal(text_of(lines, 0, "lock"), "a\\nb\\x1b[2J\\xff");
	assert_null(strchr(text_of(lines, 0, "text"), '\n'));
	json_decref(lines);
}

static void the_environment_is_not_believed(void **state)
{
	struct audit audit;

	(void)state;
	setenv("SUDO_USER", "eve\n\x1b[31m", 1);
	assert_int_equal(audit_init(&audit, "/nowhere", NULL), 0);
	assert_string_equal(audit.actor.sudo_user, "eve\\n\\x1b[31m");
	audit_release(&audit);
	unsetenv("SUDO_USER");
}

static void the_usual_place_is_the_users_own(void *data)
{
	struct audit audit;
	bool is_right;

	(void)data;
	if (setresuid(65534, 65534, 65534) < 0 && geteuid() == 0)
		_exit(3);
	setenv("HOME", "/home/ann", 1);
	unsetenv("XDG_STATE_HOME");
	if (audit_init(&audit, NULL, NULL) < 0)
		_exit(4);
	is_right = strcmp(audit.path, "/home/ann/.local/state/locktop/audit.jsonl") == 0;
	audit_release(&audit);
	setenv("XDG_STATE_HOME", "/state", 1);
	if (!is_right || audit_init(&audit, NULL, NULL) < 0)
		_exit(5);
	is_right = strcmp(audit.path, "/state/locktop/audit.jsonl") == 0;
	audit_release(&audit);
	if (!is_right)
		_exit(6);
}

static void everybody_has_a_place_of_his_own(void **state)
{
	struct child child;

	(void)state;
	/* Ready only if all was right. */
	child = start_child(the_usual_place_is_the_users_own, NULL);
	end_child(&child);
}

static void roots_place_is_the_systems(void **state)
{
	struct audit audit;

	(void)state;
	if (geteuid() != 0) {
		print_message("not root: nothing to test\n");
		return;
	}
	assert_int_equal(audit_init(&audit, NULL, NULL), 0);
	assert_string_equal(audit.path, LOCKTOP_LOCALSTATEDIR "/log/locktop/audit.jsonl");
	audit_release(&audit);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_line_says_who_did_what_to_which_lock_and_why),
		TEST(folder_and_file_are_for_their_owner_alone),
		TEST(nothing_is_made_before_the_first_line),
		TEST(a_link_or_a_fifo_is_refused),
		TEST(a_folder_that_others_may_write_is_refused),
		TEST(anothers_file_is_refused),
		TEST(half_a_line_does_not_spoil_the_next),
		TEST(hostile_text_stays_on_its_line),
		TEST(the_environment_is_not_believed),
		TEST(everybody_has_a_place_of_his_own),
		TEST(roots_place_is_the_systems),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* The model: events in, entries with verdicts and happenings out, filters and orders. */
#include "config.h"
#include "model/model.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "base/error.h"
#include "base/text.h"
#include "model/columns.h"

enum { WALL_S = 1760000000, MINUTE = 60, HOUR = 3600 };

#define S(n) ((int64_t)(n)*NS_PER_S)

/* The n-th allocation fails; 0: none does. The linker puts these between the model and libc. */
static int fail_at;

static bool fails(void)
{
	return fail_at && --fail_at == 0;
}

void *__real_malloc(size_t size);
void *__real_calloc(size_t n, size_t size);
void *__real_reallocarray(void *data, size_t n, size_t size);
char *__real_strdup(const char *text);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t n, size_t size);
void *__wrap_reallocarray(void *data, size_t n, size_t size);
char *__wrap_strdup(const char *text);

void *__wrap_malloc(size_t size)
{
	return fails() ? NULL : __real_malloc(size);
}

void *__wrap_calloc(size_t n, size_t size)
{
	return fails() ? NULL : __real_calloc(n, size);
}

void *__wrap_reallocarray(void *data, size_t n, size_t size)
{
	return fails() ? NULL : __real_reallocarray(data, n, size);
}

char *__wrap_strdup(const char *text)
{
	return fails() ? NULL : __real_strdup(text);
}

struct fixture {
	struct model model;
	mono_t now;
	wall_t wall;
};

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof *f);

	f->now = S(1000000);
	f->wall = S(WALL_S);
	*state = f;
	if (model_init(&f->model, "web1") < 0 || model_add_source(&f->model, "file:/run/lock") != 0)
		return -1;
	model_tick(&f->model, f->now, f->wall);
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	model_release(&f->model);
	free(f);
	return 0;
}

static bool pass(struct fixture *f, int64_t ns)
{
	f->now += ns;
	f->wall += ns;
	return model_tick(&f->model, f->now, f->wall);
}

/* A plain lock whose holder lives, taken that many seconds ago. */
static struct lock *plain(const struct fixture *f, const char *name, int32_t pid, int ago)
{
	struct lock *lock = lock_new(name);
	struct process *holder = lock_add_holder(lock);

	lock->record.format = RECORD_PLAIN;
	lock->record.pid = pid;
	lock->record.time = f->wall / NS_PER_S - ago;
	lock->since = f->wall - S(ago);
	lock->since_mono = f->now - S(ago);
	snprintf(lock->version, sizeof lock->version, "%s.%d", name, pid);
	holder->pid = pid;
	holder->life = LIFE_ALIVE;
	strcpy(holder->comm, "php");
	return lock;
}

static struct lock *empty(const char *name)
{
	struct lock *lock = lock_new(name);

	lock->record.format = RECORD_EMPTY;
	lock->kernel = KERNEL_VIEW_COMPLETE;
	return lock;
}

/* Takes the reference over. */
static int put(struct fixture *f, size_t source, struct lock *lock)
{
	struct event event = {.kind = EVENT_LOCK, .lock = lock, .at = f->wall};
	int result = model_apply(&f->model, source, &event);

	lock_unref(lock);
	return result;
}

static int gone(struct fixture *f, size_t source, const char *name)
{
	struct event event = {.kind = EVENT_GONE, .name = (char *)name, .at = f->wall};

	return model_apply(&f->model, source, &event);
}

static int scanned(struct fixture *f, size_t source)
{
	struct event event = {
		.kind = EVENT_SCANNED, .at = f->wall, .host = (char *)"web1", .every = S(1)};

	return model_apply(&f->model, source, &event);
}

static int dies(struct fixture *f, size_t source, const char *name)
{
	struct lock *lock = lock_copy(model_find(&f->model, source, name)->lock);

	lock->holder[0].life = LIFE_GONE;
	lock->holder[0].comm[0] = '\0';
	return put(f, source, lock);
}

static enum state state_of(const struct fixture *f, const char *name)
{
	const struct entry *entry = model_find(&f->model, 0, name);

	assert_non_null(entry);
	return entry->verdict.state;
}

/* What happened last, as "name: text". */
static void assert_happened(const struct fixture *f, size_t n, const char *expected)
{
	const struct happening *happening = model_happening(&f->model, n);
	char text[512] = "nothing";

	if (happening)
		snprintf(text, sizeof text, "%s%s%s", happening->name ? happening->name : "",
			happening->name ? ": " : "", happening->text);
	assert_string_equal(text, expected);
}

/* What a selection shows, in order. */
static char *names_of(const struct model *model, const struct selection *selection)
{
	static char text[512];
	struct entry **entries = NULL;
	size_t n = 0, size = 0, len = 0;

	text[0] = '\0';
	if (model_select(model, selection, &entries, &n, &size) < 0)
		return strcpy(text, "failed");
	for (size_t i = 0; i < n; i++)
		len += (size_t)snprintf(text + len, sizeof text - len, "%s%s", i ? " " : "",
			entries[i]->lock->name);
	free(entries);
	return text;
}

static void the_first_look_is_one_happening(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(put(f, 0, plain(f, "a.lock", 4711, 60)), 0);
	assert_int_equal(put(f, 0, empty("b.lock")), 0);
	assert_int_equal(f->model.happened, 0);
	assert_int_equal(f->model.source[0].state, SOURCE_STARTING);
	scanned(f, 0);
	assert_int_equal(f->model.happened, 1);
	assert_happened(f, 0, "first look: 2 locks, 1 HELD, 1 FREE");
	assert_int_equal(f->model.source[0].state, SOURCE_OK);
	assert_string_equal(f->model.source[0].host, "web1");
	assert_false(model_find(&f->model, 0, "a.lock")->is_fresh);
	scanned(f, 0);
	assert_int_equal(f->model.happened, 1);
}

static void what_changes_happens_once_and_says_why(void **state)
{
	struct fixture *f = *state;
	struct lock *lock;

	put(f, 0, plain(f, "a.lock", 4711, 60));
	scanned(f, 0);
	dies(f, 0, "a.lock");
	assert_happened(f, 0, "a.lock: HELD -> STALE: pid 4711 is gone: no such process");
	assert_int_equal(model_happening(&f->model, 0)->state, STATE_STALE);
	assert_true(model_find(&f->model, 0, "a.lock")->is_fresh);
	dies(f, 0, "a.lock");
	assert_int_equal(f->model.happened, 2);

	put(f, 0, plain(f, "b.lock", 4720, 0));
	assert_happened(f, 0, "b.lock: HELD: pid 4720 php is alive, within its limit of 10m");
	put(f, 0, plain(f, "b.lock", 4721, 0));
	assert_happened(
		f, 0, "b.lock: HELD: taken anew: pid 4721 php is alive, within its limit of 10m");
	gone(f, 0, "b.lock");
	assert_happened(f, 0, "b.lock: HELD -> gone: it is no longer there");
	assert_int_equal(model_happening(&f->model, 0)->state, STATE_FREE);
	assert_null(model_find(&f->model, 0, "b.lock"));

	lock = empty("a.lock");
	put(f, 0, lock);
	assert_happened(f, 0, "a.lock: STALE -> FREE: empty, and nobody has a flock on it");
	gone(f, 0, "never.lock");
	assert_int_equal(f->model.happened, 6);
}

static void a_lock_becomes_overdue_when_its_time_comes(void **state)
{
	struct fixture *f = *state;

	put(f, 0, plain(f, "late.lock", 1, 590));
	put(f, 0, plain(f, "later.lock", 2, 500));
	put(f, 0, empty("never.lock"));
	scanned(f, 0);
	assert_true(f->model.due == f->now + S(10) + 1);
	assert_false(pass(f, S(10)));
	assert_int_equal(state_of(f, "late.lock"), STATE_HELD);
	assert_true(pass(f, 1));
	assert_int_equal(state_of(f, "late.lock"), STATE_OVERDUE);
	assert_int_equal(state_of(f, "later.lock"), STATE_HELD);
	assert_happened(f, 0,
		"late.lock: HELD -> OVERDUE: pid 1 php is alive, but has had it for 10m: the "
		"limit is 10m");
	assert_true(pass(f, S(200)));
	assert_int_equal(state_of(f, "later.lock"), STATE_OVERDUE);
	assert_true(f->model.due == MONO_NEVER);
	assert_false(pass(f, S(HOUR)));
}

static void ages_grow_between_two_judgements(void **state)
{
	struct fixture *f = *state;
	struct selection selection = {.sort = COLUMN_AGE};
	struct entry *entry;
	char text[VERDICT_TEXT];

	put(f, 0, plain(f, "old.lock", 1, 700));
	pass(f, S(100));
	put(f, 0, plain(f, "young.lock", 2, 750));
	entry = model_find(&f->model, 0, "old.lock");
	assert_true(model_age(&f->model, entry) == S(800));
	column_text(text, sizeof text, COLUMN_AGE, &f->model, entry);
	assert_string_equal(text, "13m");
	column_text(text, sizeof text, COLUMN_WHY, &f->model, entry);
	assert_non_null(strstr(text, "but has had it for 13m20s"));
	assert_string_equal(names_of(&f->model, &selection), "young.lock old.lock");
	selection.sort = SORT_HARM;
	assert_string_equal(names_of(&f->model, &selection), "old.lock young.lock");
}

static void a_jump_of_the_wall_clock_judges_all_again(void **state)
{
	struct fixture *f = *state;
	struct lock *lock = plain(f, "a.lock", 4711, 60);

	lock->since = 0;
	lock->since_mono = MONO_UNKNOWN;
	put(f, 0, lock);
	put(f, 0, plain(f, "b.lock", 4711, 60));
	f->wall += S(HOUR);
	assert_true(pass(f, S(1)));
	assert_int_equal(state_of(f, "a.lock"), STATE_OVERDUE);
	assert_int_equal(state_of(f, "b.lock"), STATE_HELD);
	f->wall -= S(HOUR);
	assert_true(pass(f, S(1)));
	assert_int_equal(state_of(f, "a.lock"), STATE_HELD);
}

static void a_silent_source_says_nothing_of_now(void **state)
{
	struct fixture *f = *state;
	size_t happened;
	char why[VERDICT_TEXT];
	struct entry *entry;
	struct facts facts;

	put(f, 0, plain(f, "a.lock", 4711, 60));
	put(f, 0, empty("b.lock"));
	scanned(f, 0);
	happened = f->model.happened;
	pass(f, S(47));
	model_source_is(&f->model, 0, SOURCE_SILENT, NULL);
	assert_int_equal(state_of(f, "a.lock"), STATE_UNKNOWN);
	assert_int_equal(state_of(f, "b.lock"), STATE_UNKNOWN);
	assert_int_equal(f->model.source[0].count[STATE_UNKNOWN], 2);
	assert_int_equal(f->model.happened, happened + 1);
	assert_happened(f, 0, "source silent: has not answered within its deadline");
	entry = model_find(&f->model, 0, "a.lock");
	facts = model_facts(&f->model, entry);
	verdict_why(why, sizeof why, entry->lock, &facts, &entry->verdict);
	assert_string_equal(why, "the source has not answered for 47s; before that: HELD");
	assert_true(entry->verdict.flags & LOCK_FLAG(PAST));

	/* It is back: what it said is now again, and only what changed meanwhile happened. */
	pass(f, S(5));
	dies(f, 0, "a.lock");
	assert_int_equal(f->model.source[0].state, SOURCE_OK);
	assert_int_equal(state_of(f, "b.lock"), STATE_FREE);
	assert_int_equal(f->model.happened, happened + 3);
	assert_happened(f, 0, "a.lock: HELD -> STALE: pid 4711 is gone: no such process");
	assert_int_equal(model_data_age(&f->model, 0), 0);
}

static void after_a_restart_old_locks_are_past_until_seen_again(void **state)
{
	struct fixture *f = *state;
	size_t happened;

	put(f, 0, plain(f, "a.lock", 1, 60));
	put(f, 0, plain(f, "b.lock", 2, 60));
	put(f, 0, plain(f, "c.lock", 3, 60));
	scanned(f, 0);
	model_source_is(&f->model, 0, SOURCE_DOWN, "ended by signal 9");
	assert_happened(
		f, 0, "source down: ended; it is started again after a pause: ended by signal 9");
	assert_string_equal(f->model.source[0].fault, "ended by signal 9");
	happened = f->model.happened;
	pass(f, S(3));
	model_source_is(&f->model, 0, SOURCE_STARTING, NULL);
	assert_null(f->model.source[0].fault);
	assert_int_equal(f->model.source[0].restarts, 1);
	assert_int_equal(state_of(f, "a.lock"), STATE_UNKNOWN);

	put(f, 0, plain(f, "b.lock", 2, 63));
	assert_int_equal(state_of(f, "b.lock"), STATE_HELD);
	assert_int_equal(state_of(f, "c.lock"), STATE_UNKNOWN);
	put(f, 0, plain(f, "d.lock", 4, 1));
	assert_int_equal(f->model.happened, happened + 1);
	scanned(f, 0);
	assert_null(model_find(&f->model, 0, "a.lock"));
	assert_null(model_find(&f->model, 0, "c.lock"));
	assert_non_null(model_find(&f->model, 0, "b.lock"));
	assert_int_equal(f->model.source[0].n, 2);
	assert_int_equal(f->model.source[0].past, 0);
	assert_int_equal(f->model.entries, 2);
	assert_happened(f, 0, "c.lock: HELD -> gone: while the source was down");
	assert_happened(f, 1, "a.lock: HELD -> gone: while the source was down");
	scanned(f, 0);
	assert_int_equal(f->model.source[0].n, 2);
}

static void a_fault_is_shown_until_a_look_succeeds(void **state)
{
	struct fixture *f = *state;
	struct event fault = {.kind = EVENT_FAULT, .text = (char *)"/run/lock: Permission denied"};

	scanned(f, 0);
	model_apply(&f->model, 0, &fault);
	model_apply(&f->model, 0, &fault);
	assert_happened(f, 0, "fault: /run/lock: Permission denied");
	assert_int_equal(f->model.happened, 2);
	model_source_is(&f->model, 0, SOURCE_OK, NULL);
	assert_string_equal(f->model.source[0].fault, "/run/lock: Permission denied");
	scanned(f, 0);
	assert_null(f->model.source[0].fault);
}

static void what_the_hub_said_ends_with_its_next_word(void **state)
{
	struct fixture *f = *state;
	struct event fault = {.kind = EVENT_FAULT, .text = (char *)"no such folder"};

	model_source_is(&f->model, 0, SOURCE_DOWN, "ended by signal 9");
	model_source_is(&f->model, 0, SOURCE_STARTING, NULL);
	assert_null(f->model.source[0].fault);
	model_source_is(&f->model, 0, SOURCE_DOWN, "ended by signal 9");
	model_apply(&f->model, 0, &fault);
	model_source_is(&f->model, 0, SOURCE_OK, NULL);
	assert_string_equal(f->model.source[0].fault, "no such folder");
}

static void what_a_view_could_show_is_a_change_and_nothing_else(void **state)
{
	struct fixture *f = *state;
	struct lock *lock;
	uint64_t changes;

	put(f, 0, plain(f, "a.lock", 1, 60));
	scanned(f, 0);
	changes = f->model.changes;
	put(f, 0, plain(f, "a.lock", 1, 60));
	pass(f, S(1));
	scanned(f, 0);
	assert_int_equal(f->model.changes, changes);
	lock = lock_copy(model_find(&f->model, 0, "a.lock")->lock);
	lock->holder[0].user = strdup("deploy");
	put(f, 0, lock);
	assert_true(f->model.changes > changes);
	changes = f->model.changes;
	pass(f, S(HOUR));
	assert_true(f->model.changes > changes);
}

static void the_end_of_a_source_leaves_its_locks_as_they_are(void **state)
{
	struct fixture *f = *state;
	struct event end = {.kind = EVENT_SCANNED, .is_final = true};

	put(f, 0, plain(f, "a.lock", 1, 60));
	model_apply(&f->model, 0, &end);
	assert_int_equal(f->model.source[0].state, SOURCE_ENDED);
	assert_int_equal(state_of(f, "a.lock"), STATE_HELD);
}

static void the_answer_to_a_deed_happens(void **state)
{
	struct fixture *f = *state;
	struct event done = {.kind = EVENT_DONE,
		.name = (char *)"a.lock",
		.outcome = OUTCOME_REFUSED,
		.text = (char *)"its holder is alive"};

	model_apply(&f->model, 0, &done);
	assert_happened(f, 0, "a.lock: refused: its holder is alive");
}

static void the_last_thousand_happenings_are_kept(void **state)
{
	struct fixture *f = *state;
	char text[32];

	for (int i = 0; i < MODEL_HAPPENINGS + 10; i++) {
		struct event done = {.kind = EVENT_DONE, .text = text};

		snprintf(text, sizeof text, "%d", i);
		model_apply(&f->model, 0, &done);
	}
	assert_happened(f, 0, "done: 1009");
	assert_happened(f, MODEL_HAPPENINGS - 1, "done: 10");
	assert_null(model_happening(&f->model, MODEL_HAPPENINGS));
}

static void limits_follow_the_first_rule_that_matches(void **state)
{
	struct fixture *f = *state;
	struct lock *lock = empty("flock:/run/x");
	struct lock *pidfile = plain(f, "import.pid", 5, 0);

	lock->kind = LOCK_FLOCK;
	pidfile->record.format = RECORD_PID;
	put(f, 0, plain(f, "import.lock", 1, 0));
	put(f, 0, lock);
	put(f, 0, pidfile);
	put(f, 0, plain(f, "other.lock", 2, 0));
	assert_true(model_find(&f->model, 0, "import.lock")->limit == S(600));
	assert_true(model_find(&f->model, 0, "flock:/run/x")->limit == 0);
	assert_true(model_find(&f->model, 0, "import.pid")->limit == 0);

	assert_int_equal(model_add_limit(&f->model, "import*", S(30)), 0);
	assert_int_equal(model_add_limit(&f->model, "*", S(40)), 0);
	assert_int_equal(model_add_limit(&f->model, "import.lock", S(50)), 0);
	assert_true(model_find(&f->model, 0, "import.lock")->limit == S(30));
	assert_true(model_find(&f->model, 0, "flock:/run/x")->limit == S(40));
	assert_true(model_find(&f->model, 0, "import.pid")->limit == 0);
	assert_true(f->model.due == f->now + S(30) + 1);
}

static void a_rule_may_name_an_address(void **state)
{
	struct fixture *f = *state;

	model_add_limit(&f->model, "/run/lock/a.*", S(5));
	put(f, 0, plain(f, "a.lock", 1, 0));
	put(f, 0, plain(f, "b.lock", 1, 0));
	assert_true(model_find(&f->model, 0, "a.lock")->limit == S(5));
	assert_true(model_find(&f->model, 0, "b.lock")->limit == S(600));
}

static void an_address_names_a_lock_on_the_command_line(void **state)
{
	static const struct {
		const char *uri, *name, *path, *address;
	} cases[] = {
		{"file:/run/lock", "a.lock", NULL, "/run/lock/a.lock"},
		{"file:/run/lock/", "a.lock", NULL, "/run/lock/a.lock"},
		{"file:/run/lock?glob=*.lock", "a.lock", NULL, "/run/lock/a.lock"},
		{"file:/run/lock", "a.lock", "/run/lock/sub/a.lock", "/run/lock/sub/a.lock"},
		{"/run/lock", "a.lock", NULL, "/run/lock/a.lock"},
		{"file:/", "a.lock", NULL, "//a.lock"},
		{"kernel:", "flock:/run/x", "/run/x", "kernel:flock:/run/x"},
		{"kernel:?all=1", "flock:/run/x", "/run/x", "kernel:flock:/run/x"},
		{"ssh:web1:file:/run/lock", "a.lock", NULL, "ssh:web1:/run/lock/a.lock"},
		{"ssh:web1:kernel:", "posix:/x", "/x", "ssh:web1:kernel:posix:/x"},
		{"redis://h:6379/0?prefix=lock:", "report:42", NULL, "redis://h:6379/0/report:42"},
		{"replay:/tmp/n.jsonl", "a.lock", NULL, "replay:/tmp/n.jsonl/a.lock"},
	};
	struct fixture *f = *state;

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct lock lock = {.name = (char *)cases[i].name, .path = (char *)cases[i].path};
		struct entry entry = {.lock = &lock};
		char address[256];

		entry.source = (size_t)model_add_source(&f->model, cases[i].uri);
		model_address(address, sizeof address, &f->model, &entry);
		assert_string_equal(address, cases[i].address);
	}
}

/* Selecting. */

/* Seven locks of two sources, one for most states. */
static void fill(struct fixture *f)
{
	struct lock *lock;

	model_add_source(&f->model, "kernel:");
	lock = plain(f, "backup", 7020, 240);
	strcpy(lock->holder[0].comm, "rsync");
	lock->holder[0].user = strdup("root");
	lock->holder[0].command = strdup("rsync -a /home web2:");
	put(f, 0, lock);
	lock = plain(f, "cache", 3990, 6 * HOUR);
	lock->holder[0].life = LIFE_GONE;
	put(f, 0, lock);
	lock = plain(f, "import", 4711, 2 * HOUR);
	lock->holder[0].user = strdup("deploy");
	lock_add_waiter(lock)->pid = 5820;
	put(f, 0, lock);
	lock = plain(f, "queue", 4712, 20 * MINUTE);
	lock->holder[0].user = strdup("www-data");
	put(f, 0, lock);
	lock = plain(f, "report", 41, 41 * MINUTE);
	lock->host_is = RELATION_OTHER;
	strcpy(lock->record.host, "app3");
	put(f, 0, lock);
	put(f, 0, empty("zero"));
	lock = empty("flock:/run/x");
	lock->record.format = RECORD_NONE;
	lock->kind = LOCK_FLOCK;
	lock->holder = NULL;
	lock_add_holder(lock)->pid = 800;
	lock->holder[0].from_kernel = true;
	lock->holder[0].life = LIFE_ALIVE;
	put(f, 1, lock);
	scanned(f, 0);
	scanned(f, 1);
	model_find(&f->model, 0, "queue")->is_tagged = true;
}

static void a_filter_shows_what_matches_all_its_words(void **state)
{
	static const struct {
		const char *filter, *names;
	} cases[] = {
		{"", "backup cache import queue report zero flock:/run/x"},
		{"  \t ", "backup cache import queue report zero flock:/run/x"},
		{"IMPORT", "import"},
		{"rsync", "backup"},
		{"/home", "backup"},
		{"deploy", "import"},
		{"4711", "import"},
		{"471", ""},
		{"app3", "report"},
		{"state:stale", "cache"},
		{"state:STALE,overdue", "cache import queue"},
		{"!state:held,free", "cache import queue report"},
		{"!state:held !state:free !import", "cache queue report"},
		{"user:www-data", "queue"},
		{"user:root", "backup"},
		{"host:app3", "report"},
		{"source:kernel", "flock:/run/x"},
		{"kind:flock", "flock:/run/x"},
		{"!kind:file", "flock:/run/x"},
		{"flock:/run", "flock:/run/x"},
		{"pid:4711", "import"},
		{"command:rsync", "backup"},
		{"age>1h", "cache import"},
		{"age<5m", "backup"},
		{"age>=20m age<=41m", "queue report"},
		{"age>10m !age>1h", "queue report"},
		{"waiters>0", "import"},
		{"waiters=0 state:overdue", "queue"},
		{"limit=10m age>2h", "cache"},
		{"pid<100", "report zero"},
		{"tagged", "queue"},
		{"!tagged state:overdue", "import"},
		{"a=b", ""},
		{"nothing:like:this", ""},
	};
	struct fixture *f = *state;

	fill(f);
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct selection selection = {.sort = COLUMN_SOURCE};

		snprintf(selection.filter, sizeof selection.filter, "%s", cases[i].filter);
		assert_int_equal(selection_check(&selection, NULL), 0);
		if (strcmp(names_of(&f->model, &selection), cases[i].names) != 0)
			fail_msg("'%s' shows '%s', not '%s'", cases[i].filter,
				names_of(&f->model, &selection), cases[i].names);
	}
}

static void a_mistake_in_a_filter_is_said_in_words(void **state)
{
	static const struct {
		const char *filter, *says;
	} cases[] = {
		{"state:stael", "no state 'stael', there are FREE, HELD,"},
		{"state:stale,", "no state ''"},
		{"state:", "'state:' needs a text after it"},
		{"user:", "'user:' needs a text after it"},
		{"kind:fil", "no kind 'fil', there are file,"},
		{"age>soon", "'soon' is no duration, expected one like 90s, 15m, 2h or 7d"},
		{"age>", "'' is no duration"},
		{"waiters>many", "'many' is no number"},
		{"waiters><3", "cannot compare by '><', only by <, >, <=, >= or ="},
		{"age>>3m", "cannot compare by '>>'"},
		{"size>3", "nothing is compared by 'size', only age, limit, waiters and pid"},
		{"!", "a ! needs a word right after it"},
		{"fine ! word", "a ! needs a word right after it"},
	};
	struct fixture *f = *state;

	fill(f);
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct selection selection = {.sort = SORT_HARM};
		struct error err = {0};

		snprintf(selection.filter, sizeof selection.filter, "%s", cases[i].filter);
		assert_int_equal(selection_check(&selection, &err), -EINVAL);
		if (!strstr(err.text, cases[i].says))
			fail_msg("'%s': %s", cases[i].filter, err.text);
		assert_string_equal(names_of(&f->model, &selection), "failed");
	}
}

static void a_filter_without_an_end_is_read_as_far_as_it_goes(void **state)
{
	struct fixture *f = *state;
	struct selection selection = {.sort = SORT_HARM};

	memset(selection.filter, 'x', sizeof selection.filter);
	assert_int_equal(selection_check(&selection, NULL), 0);
	for (size_t i = 0; i < sizeof selection.filter; i += 2)
		selection.filter[i] = ' ';
	assert_int_equal(selection_check(&selection, NULL), 0);
	assert_string_equal(names_of(&f->model, &selection), "");
}

static void an_age_filter_is_true_of_this_moment(void **state)
{
	struct fixture *f = *state;
	struct selection selection = {.sort = SORT_HARM, .filter = "age>5m"};

	put(f, 0, plain(f, "a", 1, 240));
	assert_string_equal(names_of(&f->model, &selection), "");
	pass(f, S(61));
	assert_string_equal(names_of(&f->model, &selection), "a");
}

static void the_worst_comes_first(void **state)
{
	struct fixture *f = *state;
	struct selection selection = {.sort = SORT_HARM};

	fill(f);
	assert_string_equal(names_of(&f->model, &selection),
		"cache import queue report backup flock:/run/x zero");
	selection.hides_free = true;
	assert_string_equal(
		names_of(&f->model, &selection), "cache import queue report backup flock:/run/x");
	selection.is_reversed = true;
	assert_string_equal(
		names_of(&f->model, &selection), "flock:/run/x backup report queue import cache");
	assert_string_equal(model_worst(&f->model)->lock->name, "cache");
	gone(f, 0, "cache");
	assert_string_equal(model_worst(&f->model)->lock->name, "import");
}

static void all_well_has_no_worst(void **state)
{
	struct fixture *f = *state;

	assert_null(model_worst(&f->model));
	put(f, 0, empty("a"));
	put(f, 0, plain(f, "b", 1, 5));
	assert_null(model_worst(&f->model));
}

static void every_column_sorts_as_it_compares(void **state)
{
	struct fixture *f = *state;
	struct entry **entries = NULL;
	size_t n = 0, size = 0;

	fill(f);
	for (int column = 0; column < COLUMN_COUNT; column++) {
		struct selection selection = {.sort = column};

		assert_int_equal(model_select(&f->model, &selection, &entries, &n, &size), 0);
		assert_int_equal(n, 7);
		for (size_t i = 1; i < n; i++)
			if (column_compare((enum column)column, &f->model, entries[i - 1],
				    entries[i]) >= 0)
				fail_msg("%s: %s before %s", column_info[column].field,
					entries[i - 1]->lock->name, entries[i]->lock->name);
	}
	free(entries);
}

static void reversed_ties_still_go_by_name(void **state)
{
	struct fixture *f = *state;
	struct selection selection = {.sort = COLUMN_USER, .is_reversed = true};

	put(f, 0, plain(f, "b", 1, 5));
	put(f, 0, plain(f, "a", 1, 5));
	assert_string_equal(names_of(&f->model, &selection), "a b");
	selection.sort = COLUMN_NAME;
	assert_string_equal(names_of(&f->model, &selection), "b a");
}

static void a_copy_says_the_same_and_lives_on_its_own(void **state)
{
	struct fixture *f = *state;
	struct selection selection = {.sort = SORT_HARM};
	struct model copy;
	char before[512];

	fill(f);
	model_add_limit(&f->model, "x", S(1));
	model_source_is(&f->model, 1, SOURCE_DOWN, "ended");
	assert_int_equal(model_copy(&copy, &f->model), 0);
	strcpy(before, names_of(&f->model, &selection));
	assert_string_equal(names_of(&copy, &selection), before);
	assert_string_equal(copy.source[1].fault, "ended");
	assert_int_equal(copy.happened, f->model.happened);
	assert_string_equal(model_happening(&copy, 0)->text, model_happening(&f->model, 0)->text);
	assert_true(copy.due == f->model.due);

	gone(f, 0, "import");
	pass(f, S(HOUR));
	assert_string_equal(names_of(&copy, &selection), before);
	assert_true(model_find(&copy, 0, "queue")->is_tagged);
	model_tick(&copy, f->now, f->wall);
	assert_int_equal(model_find(&copy, 0, "backup")->verdict.state, STATE_OVERDUE);
	model_release(&copy);
}

/* --- what logs say --- */

/* So many holds of that long, at that many seconds before now; and as many waits of a tenth. */
static int told_slot(
	struct fixture *f, size_t source, const char *lock, int ago, int64_t hold, uint32_t times)
{
	struct sample sample = {.lock = (char *)lock,
		.source = (char *)"file:/run/lock",
		.backend = (char *)"file",
		.from = (f->wall / NS_PER_S - ago) / 60 * 60,
		.seconds = 60};
	struct event event = {.kind = EVENT_SAMPLE, .at = f->wall, .sample = &sample};
	int result;

	sample.last = sample.from * NS_PER_S;
	sample.tally.count[METRIC_ACQUIRED] = sample.tally.count[METRIC_RELEASED] = times;
	histogram_add(&sample.tally.wait, hold / 10, times);
	histogram_add(&sample.tally.hold, hold, times);
	result = model_apply(&f->model, source, &event);
	tally_release(&sample.tally);
	return result;
}

static int told(struct fixture *f, size_t source, const char *lock, int64_t hold, uint32_t times)
{
	return told_slot(f, source, lock, MINUTE, hold, times);
}

static struct entry *with_log(struct fixture *f, const char *name, int ago)
{
	struct lock *lock = plain(f, name, 4711, ago);

	if (f->model.sources == 1)
		assert_int_equal(
			model_add_source(&f->model, "log:/var/log/locktop/metrics.jsonl"), 1);
	put(f, 0, lock);
	scanned(f, 0);
	return model_find(&f->model, 0, name);
}

static void samples_are_found_by_the_address_of_a_lock(void **state)
{
	struct fixture *f = *state;
	struct entry *entry = with_log(f, "x.lock", 5);
	struct tally tally = {0};
	struct series_set set;

	assert_true(model_has_metrics(&f->model));
	assert_int_equal(model_series(&f->model, entry).n, 0);
	assert_int_equal(model_series_all(&f->model).n, 0);
	told(f, 1, "x.lock", S(2), 3);
	told(f, 1, "y.lock", S(9), 1);
	set = model_series(&f->model, entry);
	assert_int_equal(set.n, 1);
	assert_string_equal(set.at[0]->address, "/run/lock/x.lock");
	assert_int_equal(series_window(&set, WINDOW_1H, f->wall, &tally), 0);
	assert_int_equal(tally.count[METRIC_ACQUIRED], 3);
	tally_clear(&tally);
	set = model_series_all(&f->model);
	assert_int_equal(set.n, 1);
	assert_int_equal(series_window(&set, WINDOW_1H, f->wall, &tally), 0);
	assert_int_equal(tally.count[METRIC_ACQUIRED], 4);
	tally_release(&tally);
	assert_true(f->model.changes > 0);
}

/* A flock on the lock file is the same lock, seen by the kernel. */
static void a_kernel_lock_is_found_by_its_path(void **state)
{
	struct fixture *f = *state;
	struct lock *lock = lock_new("flock:/run/lock/x.lock");

	assert_int_equal(model_add_source(&f->model, "log:/l"), 1);
	assert_int_equal(model_add_source(&f->model, "kernel:"), 2);
	lock->kind = LOCK_FLOCK;
	lock->path = strdup("/run/lock/x.lock");
	put(f, 2, lock);
	told(f, 1, "x.lock", S(2), 3);
	assert_int_equal(
		model_series(&f->model, model_find(&f->model, 2, "flock:/run/lock/x.lock")).n, 1);
}

/* The same path on another host is another lock; a recording is of another time. */
static void logs_speak_of_their_own_host_only(void **state)
{
	static const struct {
		const char *log, *locks;
		size_t found;
	} table[] = {
		{"log:/l", "file:/run/lock", 1},
		{"log:/l", "/run/lock", 1},
		{"log:/l", "ssh:web1:file:/run/lock", 0},
		{"ssh:web1:log:/l", "file:/run/lock", 0},
		{"ssh:web1:log:/l", "ssh:web1:file:/run/lock", 1},
		{"ssh:web2:log:/l", "ssh:web1:file:/run/lock", 0},
		{"log:/l", "replay:/tmp/night.jsonl", 0},
	};
	struct fixture *f = *state;

	for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
		int log = model_add_source(&f->model, table[i].log);
		int locks = model_add_source(&f->model, table[i].locks);
		struct lock *lock = plain(f, "x.lock", 4711, 5);
		struct series_set set;

		lock->path = strdup("/run/lock/x.lock");
		put(f, (size_t)locks, lock);
		told(f, (size_t)log, "x.lock", S(2), 3);
		set = model_series(&f->model, model_find(&f->model, (size_t)locks, "x.lock"));
		assert_int_equal(set.n, table[i].found);
		model_release(&f->model);
		assert_int_equal(model_init(&f->model, "web1"), 0);
		model_tick(&f->model, f->now, f->wall);
	}
}

static void a_sign_of_life_counts_nothing(void **state)
{
	struct fixture *f = *state;
	struct sample sample = {.from = WALL_S, .seconds = 1};
	struct event event = {.kind = EVENT_SAMPLE, .sample = &sample};

	assert_int_equal(model_apply(&f->model, 0, &event), 0);
	assert_null(f->model.source[0].metrics);
	assert_false(model_has_metrics(&f->model));
	assert_int_equal(model_data_age(&f->model, 0), 0);
}

static void bad_lines_are_added_up_over_the_logs(void **state)
{
	struct fixture *f = *state;
	struct event event = {.kind = EVENT_SCANNED, .bad = 3};

	assert_int_equal(model_add_source(&f->model, "log:/a"), 1);
	assert_int_equal(model_add_source(&f->model, "log:/b"), 2);
	assert_int_equal(model_apply(&f->model, 1, &event), 0);
	event.bad = 4;
	assert_int_equal(model_apply(&f->model, 2, &event), 0);
	assert_int_equal(model_metrics_bad(&f->model), 7);
	assert_int_equal(model_apply(&f->model, 1, &event), 0);
	assert_int_equal(model_metrics_bad(&f->model), 8);
}

static uint64_t lines_of(struct fixture *f)
{
	struct series_set set = model_series_all(&f->model);
	struct tally tally = {0};
	uint64_t n;

	assert_int_equal(series_window(&set, WINDOW_7D, f->wall, &tally), 0);
	n = tally.count[METRIC_ACQUIRED];
	tally_release(&tally);
	return n;
}

/* A process that is started anew reads its log anew. */
static void lines_do_not_count_twice_when_a_source_starts_anew(void **state)
{
	struct fixture *f = *state;

	with_log(f, "x.lock", 5);
	told(f, 1, "x.lock", S(2), 3);
	scanned(f, 1);
	model_source_is(&f->model, 1, SOURCE_SILENT, NULL);
	told(f, 1, "x.lock", S(2), 1);
	assert_int_equal(lines_of(f), 4);
	model_source_is(&f->model, 1, SOURCE_DOWN, "ended by signal 9");
	assert_int_equal(lines_of(f), 4);
	model_source_is(&f->model, 1, SOURCE_STARTING, NULL);
	assert_int_equal(lines_of(f), 4);
	told(f, 1, "x.lock", S(2), 2);
	told(f, 1, "x.lock", S(2), 2);
	assert_int_equal(lines_of(f), 4);
	scanned(f, 1);
	assert_int_equal(lines_of(f), 4);
	told(f, 1, "x.lock", S(2), 1);
	assert_int_equal(lines_of(f), 5);
}

static void a_log_that_is_empty_when_read_anew_says_nothing(void **state)
{
	struct fixture *f = *state;
	struct entry *entry = with_log(f, "x.lock", 5);

	told(f, 1, "x.lock", S(2), 30);
	scanned(f, 1);
	assert_int_equal(entry->usual.n, 30);
	model_source_is(&f->model, 1, SOURCE_DOWN, NULL);
	model_source_is(&f->model, 1, SOURCE_STARTING, NULL);
	scanned(f, 1);
	assert_int_equal(lines_of(f), 0);
	assert_int_equal(entry->usual.n, 0);
}

static void a_copy_has_the_live_metrics_and_does_not_own_them(void **state)
{
	struct fixture *f = *state;
	struct entry *entry = with_log(f, "x.lock", 5);
	struct model copy;

	told(f, 1, "x.lock", S(2), 30);
	scanned(f, 1);
	assert_int_equal(model_copy(&copy, &f->model), 0);
	assert_true(copy.source[1].metrics == f->model.source[1].metrics);
	assert_int_equal(model_series(&copy, model_find(&copy, 0, "x.lock")).n, 1);
	assert_int_equal(model_find(&copy, 0, "x.lock")->usual.n, 30);
	model_release(&copy);
	assert_int_equal(model_series(&f->model, entry).n, 1);
	assert_int_equal(lines_of(f), 30);
}

static void what_is_usual_is_known_when_the_log_was_read(void **state)
{
	struct fixture *f = *state;
	struct entry *entry = with_log(f, "x.lock", 5);

	told_slot(f, 1, "x.lock", 8 * 24 * HOUR, S(500), 100);
	told(f, 1, "x.lock", S(20), 100);
	told(f, 1, "x.lock", S(40), 1);
	pass(f, S(5));
	assert_int_equal(entry->usual.n, 0); /* half a log */
	scanned(f, 1);
	assert_int_equal(entry->usual.n, 101);
	assert_true(entry->usual.p99 == S(20));
	assert_true(model_facts(&f->model, entry).usual == S(20));
	told(f, 1, "x.lock", S(40), 1);
	pass(f, S(1));
	assert_int_equal(entry->usual.n, 102);
	assert_true(entry->usual.p99 == S(40));
	/* A lock that comes later finds it, too. */
	told(f, 1, "y.lock", S(7), 20);
	assert_int_equal(with_log(f, "y.lock", 5)->usual.n, 20);
	assert_int_equal(model_facts(&f->model, entry).usual_factor, 3);
}

static void too_few_holds_say_nothing(void **state)
{
	struct fixture *f = *state;
	struct entry *entry = with_log(f, "x.lock", 300);

	told(f, 1, "x.lock", S(1), 19);
	scanned(f, 1);
	assert_int_equal(entry->usual.n, 19);
	assert_int_equal(model_facts(&f->model, entry).usual, 0);
	assert_int_equal(entry->verdict.state, STATE_HELD);
	told(f, 1, "x.lock", S(1), 1);
	pass(f, S(1));
	assert_int_equal(entry->verdict.state, STATE_OVERDUE);
}

/* Below its limit, and no event: time alone does it. */
static void a_hold_far_beyond_the_usual_becomes_overdue(void **state)
{
	struct fixture *f = *state;
	struct entry *entry = with_log(f, "x.lock", 0);
	char why[VERDICT_TEXT];
	struct facts facts;

	told(f, 1, "x.lock", S(40), 50);
	scanned(f, 1);
	assert_int_equal(entry->verdict.state, STATE_HELD);
	assert_true(f->model.due == f->now + S(120) + 1);
	assert_false(pass(f, S(120)));
	assert_true(pass(f, 1));
	assert_int_equal(entry->verdict.state, STATE_OVERDUE);
	facts = model_facts(&f->model, entry);
	verdict_why(why, sizeof why, entry->lock, &facts, &entry->verdict);
	assert_string_equal(why, "pid 4711 php is alive: held 2m, usual p99 40s");
	assert_non_null(strstr(model_happening(&f->model, 0)->text, "HELD -> OVERDUE: pid 4711"));
	/* It was told that longer holds are usual, too. */
	told(f, 1, "x.lock", S(90), 50);
	pass(f, S(1));
	assert_int_equal(entry->verdict.state, STATE_HELD);
	f->model.overdue_factor = 0;
	pass(f, S(300));
	assert_int_equal(entry->verdict.state, STATE_HELD);
}

/* One hold more of a thousand changes little, and counting them costs. */
static void many_holds_are_counted_every_ten_seconds(void **state)
{
	struct fixture *f = *state;
	struct entry *entry = with_log(f, "x.lock", 5);

	told(f, 1, "x.lock", S(2), 201);
	scanned(f, 1);
	for (int i = 1; i < 10; i++) {
		told(f, 1, "x.lock", S(2), 1);
		pass(f, S(1));
		assert_int_equal(entry->usual.n, 201);
	}
	pass(f, S(1));
	assert_int_equal(entry->usual.n, 210);
}

static void old_holds_are_forgotten_with_the_hour(void **state)
{
	struct fixture *f = *state;
	struct entry *entry = with_log(f, "x.lock", 5);

	told(f, 1, "x.lock", S(2), 30);
	scanned(f, 1);
	pass(f, 6 * 24 * S(HOUR));
	assert_int_equal(entry->usual.n, 30);
	pass(f, 24 * S(HOUR) + S(HOUR));
	assert_int_equal(entry->usual.n, 0);
}

static void running_out_of_memory_over_samples_loses_no_more_than_them(void **state)
{
	struct fixture *f = *state;
	int failures = 0;

	with_log(f, "x.lock", 5);
	for (int n = 1; n < 60; n++) {
		struct model_source *source = &f->model.source[1];

		fail_at = n;
		failures += told(f, 1, "x.lock", S(n), 1) < 0;
		failures += scanned(f, 1) < 0;
		fail_at = 0;
		if (n % 7 == 0) {
			model_source_is(&f->model, 1, SOURCE_DOWN, NULL);
			model_source_is(&f->model, 1, SOURCE_STARTING, NULL);
		}
		assert_true(!source->metrics || lines_of(f) <= (uint64_t)n);
	}
	assert_true(failures > 0);
}

/* Any sequence of events against the simplest model there is: a list of locks. */

enum { NAMES = 40, STEPS = 6000 };

struct naive {
	struct lock *lock[NAMES];
	bool is_past[NAMES];
};

static void name_of(char *name, size_t size, int i)
{
	snprintf(name, size, "lock%d", i);
}

static void assert_same(struct fixture *f, const struct naive *naive)
{
	const struct model_source *source = &f->model.source[0];
	size_t n = 0, count[STATE_COUNT] = {0};
	mono_t due = MONO_NEVER;
	char name[32];

	for (int i = 0; i < NAMES; i++) {
		struct entry *entry;
		struct facts facts;
		struct verdict verdict;

		name_of(name, sizeof name, i);
		entry = model_find(&f->model, 0, name);
		assert_int_equal(entry != NULL, naive->lock[i] != NULL);
		if (!entry)
			continue;
		n++;
		assert_ptr_equal(entry->lock, naive->lock[i]);
		assert_int_equal(entry->is_past, naive->is_past[i]);
		facts = model_facts(&f->model, entry);
		assert_int_equal(
			facts.is_silent, naive->is_past[i] || source->state == SOURCE_SILENT);
		verdict = verdict_of(entry->lock, &facts);
		assert_int_equal(entry->verdict.state, verdict.state);
		assert_int_equal(entry->verdict.reason, verdict.reason);
		count[verdict.state]++;
		if (verdict.due < due)
			due = verdict.due;
	}
	assert_int_equal(source->n, n);
	assert_int_equal(f->model.entries, n);
	assert_memory_equal(source->count, count, sizeof count);
	assert_true(f->model.due == due);
	for (size_t i = 1; i < source->n; i++)
		assert_true(
			strcmp(source->entry[i - 1]->lock->name, source->entry[i]->lock->name) < 0);
	for (size_t i = 0; i < f->model.waits; i++) {
		assert_int_equal(f->model.waiting[i]->due, i);
		assert_true(f->model.waiting[i]->verdict.due >=
			    f->model.waiting[i ? (i - 1) / 2 : 0]->verdict.due);
	}
}

static void naive_put(struct fixture *f, struct naive *naive, int i)
{
	char name[32];
	struct lock *lock;

	name_of(name, sizeof name, i);
	lock = rand() % 4 ? plain(f, name, 1 + rand() % 3, rand() % 900) : empty(name);
	if (lock->holders && rand() % 4 == 0)
		lock->holder[0].life = (enum life)(rand() % LIFE_COUNT);
	lock_unref(naive->lock[i]);
	naive->lock[i] = lock_ref(lock);
	naive->is_past[i] = false;
	assert_int_equal(put(f, 0, lock), 0);
}

static void naive_gone(struct fixture *f, struct naive *naive, int i)
{
	char name[32];

	name_of(name, sizeof name, i);
	assert_int_equal(gone(f, 0, name), 0);
	lock_unref(naive->lock[i]);
	naive->lock[i] = NULL;
	naive->is_past[i] = false;
}

static void naive_restart(struct fixture *f, struct naive *naive)
{
	bool is_new = f->model.source[0].state != SOURCE_DOWN;

	model_source_is(&f->model, 0, SOURCE_DOWN, "ended");
	if (rand() % 2) {
		is_new = true;
		model_source_is(&f->model, 0, SOURCE_STARTING, NULL);
	}
	for (int i = 0; is_new && i < NAMES; i++)
		naive->is_past[i] = naive->lock[i] != NULL;
}

static void naive_scanned(struct fixture *f, struct naive *naive)
{
	scanned(f, 0);
	for (int i = 0; i < NAMES; i++) {
		if (!naive->is_past[i])
			continue;
		lock_unref(naive->lock[i]);
		naive->lock[i] = NULL;
		naive->is_past[i] = false;
	}
}

static void any_sequence_of_events_gives_what_a_simple_list_would(void **state)
{
	struct fixture *f = *state;
	struct naive naive = {0};

	srand(7);
	for (int step = 0; step < STEPS; step++) {
		int i = rand() % NAMES, what = rand() % 100;

		if (what < 60)
			naive_put(f, &naive, i);
		else if (what < 80)
			naive_gone(f, &naive, i);
		else if (what < 95)
			pass(f, rand() % S(120));
		else if (what < 97)
			naive_scanned(f, &naive);
		else if (what < 98)
			naive_restart(f, &naive);
		else if (what < 99 && f->model.source[0].state == SOURCE_OK)
			model_source_is(&f->model, 0, SOURCE_SILENT, NULL);
		if (step == STEPS - 1)
			pass(f, S(HOUR));
		assert_same(f, &naive);
	}
	for (int i = 0; i < NAMES; i++)
		lock_unref(naive.lock[i]);
}

static void events_of_no_source_are_refused(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(put(f, 1, empty("a")), -EINVAL);
	assert_null(model_find(&f->model, 1, "a"));
	assert_null(model_find(&f->model, 0, NULL));
}

/* One of everything that allocates. */
static int do_all(struct fixture *f, struct lock *const *lock, size_t locks)
{
	struct selection selection = {.sort = COLUMN_COMMAND};
	struct event fault = {.kind = EVENT_FAULT, .text = (char *)"a fault"};
	struct entry **entries = NULL;
	struct model copy;
	size_t n = 0, size = 0;
	int result = 0;

	if (scanned(f, 0) < 0 || model_add_limit(&f->model, "*.lock", S(9)) < 0 ||
		model_add_source(&f->model, "kernel:") < 0)
		result = -ENOMEM;
	for (size_t i = 0; i < locks; i++) {
		struct event event = {.kind = EVENT_LOCK, .lock = lock[i]};

		if (model_apply(&f->model, 0, &event) < 0)
			result = -ENOMEM;
	}
	if (model_apply(&f->model, 0, &fault) < 0 ||
		model_source_is(&f->model, 0, SOURCE_DOWN, "down") < 0 ||
		model_select(&f->model, &selection, &entries, &n, &size) < 0)
		result = -ENOMEM;
	free(entries);
	if (model_copy(&copy, &f->model) < 0)
		return -ENOMEM;
	model_release(&copy);
	return result;
}

static void running_out_of_memory_is_said_and_breaks_nothing(void **state)
{
	struct lock *lock[70];
	char name[32];
	int failures = 0, n = 1, result;

	for (int i = 0; i < 70; i++) {
		name_of(name, sizeof name, i);
		lock[i] = plain(*state, name, 1 + i, i);
	}
	do {
		void *fresh = NULL;

		assert_int_equal(setup(&fresh), 0);
		fail_at = n++;
		result = do_all(fresh, lock, 70);
		assert_int_equal(result < 0, fail_at == 0);
		failures += result < 0;
		fail_at = 0;
		pass(fresh, S(HOUR));
		teardown(&fresh);
	} while (result < 0);
	assert_true(failures > 200);
	for (int i = 0; i < 70; i++)
		lock_unref(lock[i]);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	static const struct CMUnitTest tests[] = {
		TEST(the_first_look_is_one_happening),
		TEST(what_changes_happens_once_and_says_why),
		TEST(a_lock_becomes_overdue_when_its_time_comes),
		TEST(ages_grow_between_two_judgements),
		TEST(a_jump_of_the_wall_clock_judges_all_again),
		TEST(a_silent_source_says_nothing_of_now),
		TEST(after_a_restart_old_locks_are_past_until_seen_again),
		TEST(a_fault_is_shown_until_a_look_succeeds),
		TEST(what_the_hub_said_ends_with_its_next_word),
		TEST(what_a_view_could_show_is_a_change_and_nothing_else),
		TEST(the_end_of_a_source_leaves_its_locks_as_they_are),
		TEST(the_answer_to_a_deed_happens),
		TEST(the_last_thousand_happenings_are_kept),
		TEST(limits_follow_the_first_rule_that_matches),
		TEST(a_rule_may_name_an_address),
		TEST(an_address_names_a_lock_on_the_command_line),
		TEST(a_filter_shows_what_matches_all_its_words),
		TEST(a_mistake_in_a_filter_is_said_in_words),
		TEST(a_filter_without_an_end_is_read_as_far_as_it_goes),
		TEST(an_age_filter_is_true_of_this_moment),
		TEST(the_worst_comes_first),
		TEST(all_well_has_no_worst),
		TEST(every_column_sorts_as_it_compares),
		TEST(reversed_ties_still_go_by_name),
		TEST(a_copy_says_the_same_and_lives_on_its_own),
		TEST(samples_are_found_by_the_address_of_a_lock),
		TEST(a_kernel_lock_is_found_by_its_path),
		TEST(logs_speak_of_their_own_host_only),
		TEST(a_sign_of_life_counts_nothing),
		TEST(bad_lines_are_added_up_over_the_logs),
		TEST(lines_do_not_count_twice_when_a_source_starts_anew),
		TEST(a_log_that_is_empty_when_read_anew_says_nothing),
		TEST(a_copy_has_the_live_metrics_and_does_not_own_them),
		TEST(what_is_usual_is_known_when_the_log_was_read),
		TEST(too_few_holds_say_nothing),
		TEST(a_hold_far_beyond_the_usual_becomes_overdue),
		TEST(many_holds_are_counted_every_ten_seconds),
		TEST(old_holds_are_forgotten_with_the_hour),
		TEST(running_out_of_memory_over_samples_loses_no_more_than_them),
		TEST(any_sequence_of_events_gives_what_a_simple_list_would),
		TEST(events_of_no_source_are_refused),
		TEST(running_out_of_memory_is_said_and_breaks_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

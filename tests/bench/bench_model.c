/* What judging costs, and a model with 100,000 locks: filled, told of time, selected, copied. */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model/columns.h"

enum { LOCKS = 100000, CALLS = 5000000 };

#define NOW  (INT64_C(1000000) * NS_PER_S)
#define WALL (INT64_C(1760000000) * NS_PER_S)

static mono_t began;

static void begin(void)
{
	began = clock_mono(&clock_system);
}

static double ns(void)
{
	return (double)(clock_mono(&clock_system) - began);
}

static void say_ms(const char *what)
{
	printf("%-46s%8.1f ms\n", what, ns() / 1e6);
}

/* A third each live, dead and free; ages differ, so that harm has to be sorted. */
static struct lock *make(int i)
{
	struct process *holder;
	struct lock *lock;
	char name[40];

	snprintf(name, sizeof name, "job-%06d.lock", i);
	lock = lock_new(name);
	if (!lock)
		exit(70);
	lock->kernel = KERNEL_VIEW_COMPLETE;
	lock->record.format = RECORD_EMPTY;
	if (i % 3 == 2)
		return lock;
	holder = lock_add_holder(lock);
	if (!holder)
		exit(70);
	lock->record.format = RECORD_PLAIN;
	lock->record.pid = holder->pid = 1 + i * 7919 % 32768;
	lock->since_mono = NOW - (int64_t)(i * 7919LL % 900) * NS_PER_S;
	lock->record.time = (WALL - NOW + lock->since_mono) / NS_PER_S;
	holder->life = i % 3 ? LIFE_GONE : LIFE_ALIVE;
	holder->command = strdup("/usr/bin/php /var/www/html/wp-cron.php");
	strcpy(holder->comm, "php");
	return lock;
}

static void judge(const char *what, const struct lock *lock)
{
	struct facts facts = {.now = NOW, .now_wall = WALL, .limit = 600 * NS_PER_S};
	unsigned long sum = 0;

	begin();
	for (int i = 0; i < CALLS; i++) {
		facts.now += 1;
		sum += verdict_of(lock, &facts).state;
	}
	printf("verdict_of(), %-32s%8.1f ns%s\n", what, ns() / CALLS, sum ? "" : " ");
}

static void explain(const struct lock *lock)
{
	struct facts facts = {.now = NOW, .now_wall = WALL, .limit = 600 * NS_PER_S};
	struct verdict verdict = verdict_of(lock, &facts);
	char text[VERDICT_TEXT];

	begin();
	for (int i = 0; i < CALLS / 10; i++)
		verdict_why(text, sizeof text, lock, &facts, &verdict);
	printf("%-46s%8.1f ns\n", "verdict_why()", ns() / (CALLS / 10));
}

static void fill(struct model *model, struct lock *const *lock, const int *order)
{
	for (int i = 0; i < LOCKS; i++) {
		struct event event = {.kind = EVENT_LOCK, .lock = lock[order ? order[i] : i]};

		if (model_apply(model, 0, &event) < 0)
			exit(70);
	}
}

static void start(struct model *model)
{
	if (model_init(model, "web1") < 0 || model_add_source(model, "file:/run/lock") < 0)
		exit(70);
	model_tick(model, NOW, WALL);
}

static void choose(const struct model *model, const char *what, int sort, const char *filter)
{
	struct selection selection = {.sort = sort};
	struct entry **entries = NULL;
	size_t n = 0, size = 0;

	snprintf(selection.filter, sizeof selection.filter, "%s", filter);
	begin();
	if (model_select(model, &selection, &entries, &n, &size) < 0)
		exit(70);
	say_ms(what);
	free(entries);
}

static void ask(const struct model *model)
{
	begin();
	if (!model_worst(model))
		exit(70);
	say_ms("100,000 locks: the worst one");
	choose(model, "100,000 locks: in order of harm", SORT_HARM, "");
	choose(model, "100,000 locks: by name", COLUMN_NAME, "");
	choose(model, "100,000 locks: by pid", COLUMN_PID, "");
	choose(model, "100,000 locks: by command", COLUMN_COMMAND, "");
	choose(model, "100,000 locks: filtered by state and age", SORT_HARM,
		"state:stale,held age>5m");
	choose(model, "100,000 locks: filtered by a word", SORT_HARM, "wp-cron");
}

static void time_passes(struct model *model)
{
	begin();
	model_tick(model, NOW + 1, WALL + 1);
	printf("%-46s%8.1f us\n", "100,000 locks: a tick, little due", ns() / 1e3);
	begin();
	model_tick(model, NOW + 3600 * NS_PER_S, WALL + 3600 * NS_PER_S);
	say_ms("100,000 locks: a tick, 22,000 become overdue");
	begin();
	model_source_is(model, 0, SOURCE_SILENT, NULL);
	say_ms("100,000 locks: their source falls silent");
}

int main(void)
{
	static struct lock *lock[LOCKS];
	static int order[LOCKS];
	struct event scanned = {.kind = EVENT_SCANNED, .at = WALL};
	struct model model, copy;

	for (int i = 0; i < LOCKS; i++) {
		lock[i] = make(i);
		order[i] = (int)(i * 7919LL % LOCKS);
	}
	judge("alive", lock[0]);
	judge("gone", lock[1]);
	judge("free", lock[2]);
	explain(lock[1]);

	start(&model);
	begin();
	fill(&model, lock, order);
	say_ms("100,000 locks: applied in any order");
	model_release(&model);
	start(&model);
	begin();
	fill(&model, lock, NULL);
	say_ms("100,000 locks: applied in order of names");
	model_apply(&model, 0, &scanned);
	begin();
	fill(&model, lock, NULL);
	say_ms("100,000 locks: applied again");

	ask(&model);
	begin();
	if (model_copy(&copy, &model) < 0)
		exit(70);
	say_ms("100,000 locks: copied for a pause");
	model_release(&copy);
	time_passes(&model);
	model_release(&model);
	for (int i = 0; i < LOCKS; i++)
		lock_unref(lock[i]);
	return 0;
}

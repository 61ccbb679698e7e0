/* One lock as its source saw it. */
#include "config.h"
#include "model/lock.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"

static const char *const kind_words[] = {
#define _(id, word, help) word,
	LOCK_KINDS(_)
#undef _
};

static const char *const class_words[] = {
#define _(id, word, help) word,
	LOCK_CLASSES(_)
#undef _
};

static const char *const life_words[] = {
#define _(id, word) word,
	LIVES(_)
#undef _
};

static const char *const relation_words[] = {
#define _(id, word) word,
	RELATIONS(_)
#undef _
};

static const char *const view_words[] = {
#define _(id, word) word,
	KERNEL_VIEWS(_)
#undef _
};

static const char *const flag_words[] = {
#define _(id, word, help) word,
	LOCK_FLAGS(_)
#undef _
};

/* The two directions of every table above. */
#define WORDS(name, type, words, count)                                                  \
	const char *name##_word(type value)                                              \
	{                                                                                \
		return (unsigned int)value < (unsigned int)(count) ? words[value] : "?"; \
	}                                                                                \
	int name##_from_word(const char *word)                                           \
	{                                                                                \
		return text_word(words, count, word);                                    \
	}

WORDS(lock_kind, enum lock_kind, kind_words, LOCK_KIND_COUNT)
WORDS(lock_class, enum lock_class, class_words, LOCK_CLASS_COUNT)
WORDS(life, enum life, life_words, LIFE_COUNT)
WORDS(relation, enum relation, relation_words, RELATION_COUNT)
WORDS(kernel_view, enum kernel_view, view_words, KERNEL_VIEW_COUNT)
WORDS(lock_flag, enum lock_flag_bit, flag_words, LOCK_FLAG_COUNT)

/* NULL stays NULL; false when out of memory. */
static bool copy_text(char **to, const char *from)
{
	*to = from ? strdup(from) : NULL;
	return !from || *to;
}

static bool same_text(const char *a, const char *b)
{
	return a == b || (a && b && strcmp(a, b) == 0);
}

int process_copy(struct process *to, const struct process *from)
{
	struct process copy = *from;

	copy.user = copy.command = NULL;
	if (!copy_text(&copy.user, from->user) || !copy_text(&copy.command, from->command)) {
		process_release(&copy);
		return -ENOMEM;
	}
	*to = copy;
	return 0;
}

bool process_equal(const struct process *a, const struct process *b)
{
	return a->pid == b->pid && a->life == b->life && a->start == b->start &&
	       a->started == b->started && a->uid == b->uid && a->from_kernel == b->from_kernel &&
	       a->is_inherited == b->is_inherited && strcmp(a->comm, b->comm) == 0 &&
	       same_text(a->user, b->user) && same_text(a->command, b->command);
}

void process_release(struct process *process)
{
	free(process->user);
	free(process->command);
	process->user = process->command = NULL;
}

struct lock *lock_new(const char *name)
{
	struct lock *lock = calloc(1, sizeof *lock);

	if (!lock)
		return NULL;
	lock->refs = 1;
	lock->to = INT64_MAX;
	lock->since_mono = MONO_UNKNOWN;
	lock->record.fence = -1;
	lock->record.uid = -1;
	lock->name = strdup(name);
	if (!lock->name) {
		free(lock);
		return NULL;
	}
	return lock;
}

static int copy_processes(struct process **to, size_t *n, const struct process *from, size_t count)
{
	if (count == 0)
		return 0;
	*to = calloc(count, sizeof **to);
	if (!*to)
		return -ENOMEM;
	for (; *n < count; (*n)++)
		if (process_copy(&(*to)[*n], &from[*n]) < 0)
			return -ENOMEM;
	return 0;
}

struct lock *lock_copy(const struct lock *lock)
{
	struct lock *copy = malloc(sizeof *copy);

	if (!copy)
		return NULL;
	*copy = *lock;
	copy->refs = 1;
	copy->name = copy->path = copy->problem = copy->bytes = NULL;
	copy->holder = copy->waiter = NULL;
	copy->holders = copy->waiters = 0;
	if (!copy_text(&copy->name, lock->name) || !copy_text(&copy->path, lock->path) ||
		!copy_text(&copy->problem, lock->problem) ||
		!copy_text(&copy->bytes, lock->bytes) ||
		copy_processes(&copy->holder, &copy->holders, lock->holder, lock->holders) < 0 ||
		copy_processes(&copy->waiter, &copy->waiters, lock->waiter, lock->waiters) < 0) {
		lock_unref(copy);
		return NULL;
	}
	return copy;
}

struct lock *lock_ref(struct lock *lock)
{
	lock->refs++;
	return lock;
}

static void release_processes(struct process *process, size_t n)
{
	for (size_t i = 0; i < n; i++)
		process_release(&process[i]);
	free(process);
}

void lock_unref(struct lock *lock)
{
	if (!lock || --lock->refs > 0)
		return;
	free(lock->name);
	free(lock->path);
	free(lock->problem);
	free(lock->bytes);
	release_processes(lock->holder, lock->holders);
	release_processes(lock->waiter, lock->waiters);
	free(lock);
}

static bool record_equal(const struct record *a, const struct record *b)
{
	return a->format == b->format && a->mode == b->mode && a->pid == b->pid &&
	       a->time == b->time && a->start == b->start && a->ns == b->ns &&
	       a->acquired == b->acquired && a->fence == b->fence && a->lease == b->lease &&
	       a->uid == b->uid && strcmp(a->boot, b->boot) == 0 &&
	       strcmp(a->token, b->token) == 0 && strcmp(a->host, b->host) == 0;
}

static bool processes_equal(const struct process *a, size_t n, const struct process *b, size_t m)
{
	if (n != m)
		return false;
	for (size_t i = 0; i < n; i++)
		if (!process_equal(&a[i], &b[i]))
			return false;
	return true;
}

bool lock_equal(const struct lock *a, const struct lock *b)
{
	if (a == b)
		return true;
	return a->kind == b->kind && a->class == b->class && a->kernel == b->kernel &&
	       a->host_is == b->host_is && a->boot_is == b->boot_is && a->ns_is == b->ns_is &&
	       a->flags == b->flags && a->mode == b->mode && a->dev == b->dev && a->ino == b->ino &&
	       a->from == b->from && a->to == b->to && a->written == b->written &&
	       a->since == b->since && a->since_mono == b->since_mono && a->expires == b->expires &&
	       a->clock_step == b->clock_step && record_equal(&a->record, &b->record) &&
	       strcmp(a->version, b->version) == 0 && same_text(a->name, b->name) &&
	       same_text(a->path, b->path) && same_text(a->problem, b->problem) &&
	       same_text(a->bytes, b->bytes) &&
	       processes_equal(a->holder, a->holders, b->holder, b->holders) &&
	       processes_equal(a->waiter, a->waiters, b->waiter, b->waiters);
}

static struct process *add_process(struct process **process, size_t *n)
{
	struct process *grown = realloc(*process, (*n + 1) * sizeof *grown);

	if (!grown)
		return NULL;
	*process = grown;
	grown[*n] = (struct process){.uid = -1};
	return &grown[(*n)++];
}

struct process *lock_add_holder(struct lock *lock)
{
	return add_process(&lock->holder, &lock->holders);
}

struct process *lock_add_waiter(struct lock *lock)
{
	return add_process(&lock->waiter, &lock->waiters);
}

/* Locks as values. */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <errno.h>

#include "failing_alloc.h"
#include "random_lock.h"

static void every_member_of_a_process_counts_too(void **state)
{
	struct process process = {.pid = 5, .user = strdup("u"), .command = strdup("c")}, other;

	(void)state;
#define DIFFERS(change)                                      \
	assert_int_equal(process_copy(&other, &process), 0); \
	assert_true(process_equal(&process, &other));        \
	change;                                              \
	assert_false(process_equal(&process, &other));       \
	process_release(&other)
	DIFFERS(other.pid++);
	DIFFERS(other.life = LIFE_GONE);
	DIFFERS(other.start++);
	DIFFERS(other.started++);
	DIFFERS(other.uid++);
	DIFFERS(other.from_kernel = true);
	DIFFERS(other.is_inherited = true);
	DIFFERS(other.comm[0]++);
	DIFFERS(other.user[0]++);
	DIFFERS(other.command[0]++);
	DIFFERS(free(other.user); other.user = NULL);
	DIFFERS(free(other.command); other.command = NULL);
#undef DIFFERS
	process_release(&process);
}

static void a_copy_says_the_same_and_shares_nothing(void **state)
{
	(void)state;
	srand(2);
	for (int i = 0; i < 2000; i++) {
		struct lock *lock = random_lock("x.lock", 1000 * NS_PER_S);
		struct lock *copy = lock_copy(lock);

		assert_non_null(copy);
		assert_true(lock_equal(lock, copy));
		assert_ptr_not_equal(lock->name, copy->name);
		lock_unref(lock);
		assert_string_equal(copy->name, "x.lock");
		lock_unref(copy);
	}
}

static void every_member_counts_in_a_comparison(void **state)
{
	struct lock *lock, *other;

	(void)state;
	srand(3);
	lock = random_lock("x.lock", 0);
#define DIFFERS(change)                        \
	other = lock_copy(lock);               \
	assert_true(lock_equal(lock, other));  \
	change;                                \
	assert_false(lock_equal(lock, other)); \
	lock_unref(other)
	DIFFERS(other->kind = (enum lock_kind)((int)other->kind + 1));
	DIFFERS(other->class = (enum lock_class)((int)other->class + 1));
	DIFFERS(other->kernel = (enum kernel_view)((int)other->kernel + 1));
	DIFFERS(other->host_is = (enum relation)((int)other->host_is + 1));
	DIFFERS(other->boot_is = (enum relation)((int)other->boot_is + 1));
	DIFFERS(other->ns_is = (enum relation)((int)other->ns_is + 1));
	DIFFERS(other->flags ^= 1);
	DIFFERS(other->mode++);
	DIFFERS(other->dev++);
	DIFFERS(other->ino++);
	DIFFERS(other->from++);
	DIFFERS(other->to--);
	DIFFERS(other->written++);
	DIFFERS(other->since++);
	DIFFERS(other->since_mono++);
	DIFFERS(other->expires++);
	DIFFERS(other->clock_step++);
	DIFFERS(other->record.pid++);
	DIFFERS(other->record.time++);
	DIFFERS(other->record.token[0] = 'f');
	DIFFERS(other->record.format = (enum record_format)((int)other->record.format + 1));
	DIFFERS(other->record.mode++);
	DIFFERS(other->record.start++);
	DIFFERS(other->record.ns++);
	DIFFERS(other->record.acquired++);
	DIFFERS(other->record.fence++);
	DIFFERS(other->record.lease++);
	DIFFERS(other->record.uid++);
	DIFFERS(other->record.boot[0]++);
	DIFFERS(other->record.host[0]++);
	DIFFERS(other->version[0]++);
	DIFFERS(other->name[0]++);
	DIFFERS(free(other->path); other->path = strdup("other"));
	DIFFERS(free(other->problem); other->problem = strdup("other"));
	DIFFERS(free(other->bytes); other->bytes = strdup("other"));
	DIFFERS(lock_add_holder(other)->pid = 5);
	DIFFERS(lock_add_waiter(other)->pid = 5);
#undef DIFFERS
	lock_unref(lock);
}

/* One with everything that is on the heap. */
static struct lock *full_lock(void)
{
	struct lock *lock = lock_new("x.lock");

	lock->path = strdup("/run/x.lock");
	lock->problem = strdup("is a FIFO");
	lock->bytes = strdup("bytes");
	for (int i = 0; i < 2; i++) {
		struct process *holder = lock_add_holder(lock), *waiter = lock_add_waiter(lock);

		holder->user = strdup("www-data");
		holder->command = strdup("php -f import.php");
		waiter->user = strdup("root");
		waiter->command = strdup("sleep 1");
	}
	return lock;
}

static int try_copy(void *data)
{
	struct lock *lock = data, *copy = lock_copy(lock);

	if (!copy)
		return -ENOMEM;
	assert_true(lock_equal(lock, copy));
	lock_unref(copy);
	return 0;
}

static int try_new(void *data)
{
	struct lock *lock = lock_new(data);

	if (!lock)
		return -ENOMEM;
	lock_unref(lock);
	return 0;
}

static int try_process(void *data)
{
	const struct process *from = data;
	struct process to = {.pid = 77};

	if (process_copy(&to, from) < 0) {
		assert_int_equal(to.pid, 77);
		assert_null(to.user);
		return -ENOMEM;
	}
	assert_true(process_equal(&to, from));
	process_release(&to);
	return 0;
}

static int try_add(void *data)
{
	struct lock *lock = data;
	struct lock *before = lock_copy(lock);
	struct process *holder = before ? lock_add_holder(lock) : NULL;
	struct process *waiter = holder ? lock_add_waiter(lock) : NULL;

	allocations_failed();
	if (before && !holder)
		assert_true(lock_equal(lock, before));
	if (holder)
		lock->holders--;
	if (waiter)
		lock->waiters--;
	if (before)
		assert_true(lock_equal(lock, before));
	lock_unref(before);
	return waiter ? 0 : -ENOMEM;
}

static void running_out_of_memory_leaves_a_lock_as_it_was(void **state)
{
	struct lock *lock = full_lock(), *whole = full_lock();

	(void)state;
	assert_int_equal(fail_every_allocation(try_new, (void *)(uintptr_t) "x"), 2 * 2);
	assert_int_equal(fail_every_allocation(try_process, &lock->holder[0]), 2 * 2);
	/* The lock, its four texts, two arrays, and two texts of four processes. */
	assert_int_equal(fail_every_allocation(try_copy, lock), 2 * 15);
	assert_true(lock_equal(lock, whole));
	assert_true(fail_every_allocation(try_add, lock) > 2 * 15);
	assert_true(lock_equal(lock, whole));
	lock_unref(lock);
	lock_unref(whole);
}

static void the_last_reference_frees(void **state)
{
	struct lock *lock = lock_new("a");

	(void)state;
	assert_ptr_equal(lock_ref(lock), lock);
	lock_unref(lock);
	assert_string_equal(lock->name, "a");
	lock_unref(lock);
	lock_unref(NULL);
}

static void words_go_both_ways(void **state)
{
	(void)state;
#define BOTH(what, type, count)                                              \
	for (int i = 0; i < (count); i++)                                    \
		assert_int_equal(what##_from_word(what##_word((type)i)), i); \
	assert_int_equal(what##_from_word("no such word"), -1);              \
	assert_int_equal(what##_from_word(NULL), -1);                        \
	assert_string_equal(what##_word((type)(count)), "?")
	BOTH(lock_kind, enum lock_kind, LOCK_KIND_COUNT);
	BOTH(lock_class, enum lock_class, LOCK_CLASS_COUNT);
	BOTH(life, enum life, LIFE_COUNT);
	BOTH(relation, enum relation, RELATION_COUNT);
	BOTH(kernel_view, enum kernel_view, KERNEL_VIEW_COUNT);
	BOTH(lock_flag, enum lock_flag_bit, LOCK_FLAG_COUNT);
#undef BOTH
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_copy_says_the_same_and_shares_nothing),
		cmocka_unit_test(every_member_of_a_process_counts_too),
		cmocka_unit_test(every_member_counts_in_a_comparison),
		cmocka_unit_test(running_out_of_memory_leaves_a_lock_as_it_was),
		cmocka_unit_test(the_last_reference_frees),
		cmocka_unit_test(words_go_both_ways),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

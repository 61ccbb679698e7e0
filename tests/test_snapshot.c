/* Snapshots: sorted, shared, and apply(diff(a, b), a) is b. */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <errno.h>

#include "failing_alloc.h"
#include "model/snapshot.h"
#include "random_lock.h"

static void assert_sorted(const struct snapshot *snapshot)
{
	for (size_t i = 1; i < snapshot->n; i++)
		assert_true(strcmp(snapshot->lock[i - 1]->name, snapshot->lock[i]->name) < 0);
}

static void fill(struct snapshot *snapshot, int n, int names)
{
	for (int i = 0; i < n; i++) {
		char name[16];

		snprintf(name, sizeof name, "%d.lock", below(names));
		assert_int_equal(snapshot_put(snapshot, random_lock(name, 0)), 0);
	}
	assert_sorted(snapshot);
}

/* Most of what b has is a's own lock, some a copy of it, some changed, some new. */
static void vary(struct snapshot *b, const struct snapshot *a)
{
	for (size_t i = 0; i < a->n; i++) {
		switch (below(4)) {
		case 0: break;
		case 1: snapshot_put(b, random_lock(a->lock[i]->name, 0)); break;
		case 2: snapshot_put(b, lock_copy(a->lock[i])); break;
		default: snapshot_put(b, lock_ref(a->lock[i])); break;
		}
	}
	fill(b, below(5), 50);
}

struct applied {
	struct snapshot *to;
	int calls;
	char last[16];
};

static void assert_order(struct applied *applied, const char *name)
{
	assert_true(strcmp(applied->last, name) < 0);
	snprintf(applied->last, sizeof applied->last, "%s", name);
	applied->calls++;
}

static int on_changed(void *data, struct lock *lock)
{
	struct applied *applied = data;

	assert_order(applied, lock->name);
	return snapshot_put(applied->to, lock_ref(lock));
}

static int on_gone(void *data, const char *name)
{
	struct applied *applied = data;

	assert_order(applied, name);
	return snapshot_remove(applied->to, name);
}

static void applying_the_difference_gives_the_second(void **state)
{
	(void)state;
	srand(4);
	for (int round = 0; round < 1000; round++) {
		struct snapshot a = {0}, b = {0}, c = {0};
		struct applied applied = {.to = &c};

		fill(&a, below(30), 50);
		vary(&b, &a);
		assert_int_equal(snapshot_copy(&c, &a), 0);
		assert_int_equal(snapshot_diff(&a, &b, on_changed, on_gone, &applied), 0);
		assert_int_equal(c.n, b.n);
		for (size_t i = 0; i < b.n; i++)
			assert_true(lock_equal(c.lock[i], b.lock[i]));
		snapshot_release(&a);
		snapshot_release(&b);
		snapshot_release(&c);
	}
}

static void equal_snapshots_differ_in_nothing(void **state)
{
	struct snapshot a = {0}, b = {0};
	struct applied applied = {.to = &b};

	(void)state;
	srand(5);
	fill(&a, 40, 100);
	for (size_t i = 0; i < a.n; i++)
		snapshot_put(&b, lock_copy(a.lock[i]));
	assert_int_equal(snapshot_diff(&a, &b, on_changed, on_gone, &applied), 0);
	assert_int_equal(applied.calls, 0);
	snapshot_release(&a);
	snapshot_release(&b);
}

static int refuse(void *data, struct lock *lock)
{
	(void)data;
	(void)lock;
	return -EIO;
}

static void a_negative_answer_ends_it(void **state)
{
	struct snapshot a = {0}, b = {0};

	(void)state;
	fill(&b, 3, 3);
	assert_int_equal(snapshot_diff(&a, &b, refuse, on_gone, NULL), -EIO);
	snapshot_release(&b);
}

static void one_of_the_same_name_is_replaced(void **state)
{
	struct snapshot a = {0};
	struct lock *second = lock_new("x");

	(void)state;
	snapshot_put(&a, lock_new("x"));
	snapshot_put(&a, second);
	assert_int_equal(a.n, 1);
	assert_ptr_equal(snapshot_find(&a, "x"), second);
	assert_null(snapshot_find(&a, "y"));
	assert_int_equal(snapshot_remove(&a, "y"), -ENOENT);
	assert_int_equal(snapshot_remove(&a, "x"), 0);
	assert_int_equal(a.n, 0);
	snapshot_release(&a);
}

static int try_put(void *data)
{
	struct lock **lock = data;
	struct snapshot snapshot = {0}, copy = {0};
	int result = 0;
	size_t n;

	/* Forty locks, from the last name to the first, so that it has to grow twice. */
	for (n = 0; n < 40 && result == 0; n++)
		result = snapshot_put(&snapshot, lock_ref(lock[39 - n]));
	/* The lock that could not be put in is given up, those before it are still there. */
	n -= result < 0;
	assert_int_equal(snapshot.n, n);
	assert_sorted(&snapshot);
	for (size_t i = 0; i < 40; i++)
		assert_int_equal(lock[i]->refs, 1 + (i >= 40 - n));
	/* One of the same name needs no memory. */
	if (n > 0)
		assert_int_equal(snapshot_put(&snapshot, lock_ref(lock[39])), 0);
	if (result == 0)
		result = snapshot_copy(&copy, &snapshot);
	if (result < 0)
		assert_true(!copy.lock && copy.n == 0 && copy.size == 0);
	else
		assert_int_equal(lock[0]->refs, 3);
	snapshot_release(&copy);
	snapshot_release(&snapshot);
	for (size_t i = 0; i < 40; i++)
		assert_int_equal(lock[i]->refs, 1);
	return result;
}

static void running_out_of_memory_loses_no_lock_but_the_new_one(void **state)
{
	struct lock *lock[40];

	(void)state;
	for (int i = 0; i < 40; i++) {
		char name[16];

		snprintf(name, sizeof name, "%02d.lock", i);
		lock[i] = lock_new(name);
	}
	/* 16, 32 and 64 places, and a copy. */
	assert_int_equal(fail_every_allocation(try_put, lock), 2 * 4);
	for (int i = 0; i < 40; i++)
		lock_unref(lock[i]);
}

static void names_are_found_wherever_they_are(void **state)
{
	struct snapshot a = {0};

	(void)state;
	assert_int_equal(snapshot_index(&a, "a"), 0);
	assert_null(snapshot_find(&a, ""));
	assert_int_equal(snapshot_remove(&a, "a"), -ENOENT);
	srand(10);
	fill(&a, 200, 150);
	for (size_t i = 0; i < a.n; i++) {
		char behind[24];

		snprintf(behind, sizeof behind, "%s!", a.lock[i]->name);
		assert_int_equal(snapshot_index(&a, a.lock[i]->name), i);
		assert_ptr_equal(snapshot_find(&a, a.lock[i]->name), a.lock[i]);
		assert_int_equal(snapshot_index(&a, behind), i + 1);
		assert_null(snapshot_find(&a, behind));
	}
	while (a.n > 0) {
		size_t n = a.n;
		char name[16];

		snprintf(name, sizeof name, "%s", a.lock[(size_t)below((int)n)]->name);
		assert_int_equal(snapshot_remove(&a, name), 0);
		assert_null(snapshot_find(&a, name));
		assert_int_equal(a.n, n - 1);
		assert_sorted(&a);
	}
	snapshot_release(&a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(applying_the_difference_gives_the_second),
		cmocka_unit_test(equal_snapshots_differ_in_nothing),
		cmocka_unit_test(a_negative_answer_ends_it),
		cmocka_unit_test(one_of_the_same_name_is_replaced),
		cmocka_unit_test(names_are_found_wherever_they_are),
		cmocka_unit_test(running_out_of_memory_loses_no_lock_but_the_new_one),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

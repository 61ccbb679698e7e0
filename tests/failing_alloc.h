/*
 * An allocator that fails on demand, for the n-th allocation of the code under test, n = 1, 2, 3 …
 * The program is linked with FAILING_ALLOC (tests/local.mk); what shared libraries allocate
 * is their own, but for jansson, which can be told.
 */
#ifndef LOCKTOP_TESTS_FAILING_ALLOC_H
#define LOCKTOP_TESTS_FAILING_ALLOC_H

#include <errno.h>
#include <jansson.h>
#include <malloc.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

void *__real_malloc(size_t size);
void *__real_calloc(size_t n, size_t size);
void *__real_realloc(void *old, size_t size);
char *__real_strdup(const char *text);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t n, size_t size);
void *__wrap_realloc(void *old, size_t size);
char *__wrap_strdup(const char *text);

static struct {
	int left;      /* allocations until one fails; 0: none does */
	bool for_good; /* and all after it too */
	bool has_failed;
} failing;

/* From now on the n-th allocation fails: once, or it and all that follow. */
static void fail_allocation(int n, bool for_good)
{
	failing.left = n;
	failing.for_good = for_good;
	failing.has_failed = false;
}

/* Memory is there again. Did any allocation fail? */
static bool allocations_failed(void)
{
	failing.left = 0;
	failing.for_good = false;
	return failing.has_failed;
}

static bool fails_now(void)
{
	if (failing.left > 0 && --failing.left == 0)
		failing.has_failed = true;
	else if (!(failing.has_failed && failing.for_good))
		return false;
	errno = ENOMEM; /* as malloc(3) says */
	return true;
}

/*
 * What is in use. FAILING_ALLOC_COUNTS is for programs in which all is allocated and freed by code
 * that is linked with it and with --wrap=free.
 */
#ifdef FAILING_ALLOC_COUNTS
void __real_free(void *memory);
void __wrap_free(void *memory);

static struct in_use {
	size_t bytes, blocks;
} in_use;

static void *taken(void *memory)
{
	if (memory) {
		in_use.bytes += malloc_usable_size(memory);
		in_use.blocks++;
	}
	return memory;
}

static void given_back(void *memory)
{
	if (memory) {
		in_use.bytes -= malloc_usable_size(memory);
		in_use.blocks--;
	}
}

void __wrap_free(void *memory)
{
	given_back(memory);
	__real_free(memory);
}
#else
static inline void *taken(void *memory)
{
	return memory;
}

static inline void given_back(void *memory)
{
	(void)memory;
}
#endif

void *__wrap_malloc(size_t size)
{
	return fails_now() ? NULL : taken(__real_malloc(size));
}

void *__wrap_calloc(size_t n, size_t size)
{
	return fails_now() ? NULL : taken(__real_calloc(n, size));
}

/* Making something smaller may fail unseen: what is there goes on being used. */
void *__wrap_realloc(void *old, size_t size)
{
	bool is_smaller = old && malloc_usable_size(old) >= size;

	if (!is_smaller && fails_now())
		return NULL;
	given_back(old);
	return taken(__real_realloc(old, size));
}

char *__wrap_strdup(const char *text)
{
	return fails_now() ? NULL : taken(__real_strdup(text));
}

/*
 * Runs try() with the n-th allocation failing, until so many are made that none fails. try() has to
 * say -ENOMEM exactly when one did, which is asserted here; that everything is as it was then, it
 * asserts itself, behind allocations_failed(). Returns how often it failed.
 */
static int fail_every_allocation(int (*try)(void *data), void *data)
{
	int times = 0;

	for (int for_good = 0; for_good < 2; for_good++) {
		for (int n = 1;; n++) {
			bool has_failed;
			int result;

			fail_allocation(n, for_good);
			result = try(data);
			has_failed = allocations_failed();
			assert_int_equal(result, has_failed ? -ENOMEM : 0);
			if (!has_failed)
				break;
			times++;
		}
	}
	return times;
}

#endif

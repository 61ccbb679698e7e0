/* What is known of processes, kept between looks. */
#include "config.h"

#include "system/proccache.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct known {
	struct process process;
	uint64_t gen;
	bool is_old;   /* looked up again when next asked for */
	bool was_used; /* since the last sweep */
};

struct proccache {
	const struct world *world;
	const struct here *here;
	struct known *known; /* owned */
	size_t n, size;
	uint32_t *slot; /* owned; index + 1 of known, 0 free; open addressing */
	size_t slots;   /* a power of two, at least twice n */
	uint64_t gen;
	size_t cursor; /* of the refresh */
	struct users users;
};

struct proccache *proccache_new(const struct world *world, const struct here *here)
{
	struct proccache *cache = calloc(1, sizeof *cache);

	if (cache) {
		cache->world = world;
		cache->here = here;
	}
	return cache;
}

void proccache_free(struct proccache *cache)
{
	if (!cache)
		return;
	for (size_t i = 0; i < cache->n; i++)
		process_release(&cache->known[i].process);
	free(cache->known);
	free(cache->slot);
	free(cache);
}

/* The slot that has the pid, or the free one where it belongs. There has to be a free one. */
static size_t slot_of(const struct proccache *cache, int32_t pid)
{
	size_t i = ((uint32_t)pid * UINT32_C(2654435761)) & (cache->slots - 1);

	while (cache->slot[i] && cache->known[cache->slot[i] - 1].process.pid != pid)
		i = (i + 1) & (cache->slots - 1);
	return i;
}

static void index_all(struct proccache *cache)
{
	memset(cache->slot, 0, cache->slots * sizeof *cache->slot);
	for (size_t i = 0; i < cache->n; i++)
		cache->slot[slot_of(cache, cache->known[i].process.pid)] = (uint32_t)i + 1;
}

static int grow(struct proccache *cache)
{
	size_t size = cache->size ? 2 * cache->size : 64;
	struct known *known = realloc(cache->known, size * sizeof *known);
	uint32_t *slot;

	if (!known)
		return -ENOMEM;
	cache->known = known;
	slot = realloc(cache->slot, 2 * size * sizeof *slot);
	if (!slot)
		return -ENOMEM;
	cache->slot = slot;
	cache->slots = 2 * size;
	cache->size = size;
	index_all(cache);
	return 0;
}

/* Looks again: 1 if something is new, 0, or -ENOMEM. */
static int look(struct proccache *cache, struct known *known)
{
	struct process fresh = {.uid = -1};
	int result =
		proc_look(cache->world, cache->here, &cache->users, known->process.pid, &fresh);

	if (result < 0) {
		process_release(&fresh);
		return result;
	}
	fresh.pid = known->process.pid;
	known->is_old = false;
	if (known->gen && process_equal(&known->process, &fresh)) {
		process_release(&fresh);
		return 0;
	}
	process_release(&known->process);
	known->process = fresh;
	known->gen = ++cache->gen;
	return 1;
}

const struct process *proccache_get(struct proccache *cache, int32_t pid, uint64_t *gen)
{
	struct known *known;
	size_t slot;

	if (cache->n == cache->size && grow(cache) < 0)
		return NULL;
	slot = slot_of(cache, pid);
	if (cache->slot[slot]) {
		known = &cache->known[cache->slot[slot] - 1];
	} else {
		known = &cache->known[cache->n];
		*known = (struct known){.process = {.pid = pid, .uid = -1}, .is_old = true};
	}
	if (known->is_old && look(cache, known) < 0)
		return NULL;
	if (!cache->slot[slot])
		cache->slot[slot] = (uint32_t)++cache->n;
	known->was_used = true;
	if (gen)
		*gen = known->gen;
	return &known->process;
}

struct users *proccache_users(struct proccache *cache)
{
	return &cache->users;
}

void proccache_forget(struct proccache *cache, int32_t pid)
{
	size_t slot;

	if (cache->n == 0)
		return;
	slot = slot_of(cache, pid);
	if (cache->slot[slot])
		cache->known[cache->slot[slot] - 1].is_old = true;
}

ssize_t proccache_refresh(struct proccache *cache, int64_t budget)
{
	mono_t until = clock_mono(cache->world->clock) + budget;
	ssize_t changed = 0;

	for (size_t i = 0; i < cache->n; i++) {
		int result;

		if (cache->cursor >= cache->n)
			cache->cursor = 0;
		result = look(cache, &cache->known[cache->cursor++]);
		if (result < 0)
			return result;
		changed += result;
		if (clock_mono(cache->world->clock) > until)
			break;
	}
	return changed;
}

void proccache_sweep(struct proccache *cache)
{
	size_t kept = 0;

	for (size_t i = 0; i < cache->n; i++) {
		struct known *known = &cache->known[i];

		if (!known->was_used) {
			process_release(&known->process);
			continue;
		}
		known->was_used = false;
		if (kept != i)
			cache->known[kept] = *known;
		kept++;
	}
	if (kept == cache->n)
		return;
	cache->n = kept;
	index_all(cache);
}

/*
 * What is known of processes, kept between looks: reading one costs some 25 us, and a thousand
 * lock files may name the same worker. Old knowledge is refreshed a few at a time.
 */
#ifndef LOCKTOP_SYSTEM_PROCCACHE_H
#define LOCKTOP_SYSTEM_PROCCACHE_H

#include "system/proc.h"

struct proccache;

/* World and here are borrowed. NULL when out of memory. */
struct proccache *proccache_new(const struct world *world, const struct here *here);
void proccache_free(struct proccache *cache);
/*
 * The process of that pid, looked up if it is not known; *gen (may be NULL) changes whenever
 * what is known of it does. Borrowed until the next call. NULL when out of memory.
 */
const struct process *proccache_get(struct proccache *cache, int32_t pid, uint64_t *gen);
/* The login names that are kept with it, for who looks processes up beside it. */
struct users *proccache_users(struct proccache *cache);
/* What is known of it is out of date: the next proccache_get() looks again. */
void proccache_forget(struct proccache *cache, int32_t pid);
/*
 * Looks again at those known the longest, for about `budget` ns but at least at one. Returns how
 * many are not what they were, or -ENOMEM.
 */
ssize_t proccache_refresh(struct proccache *cache, int64_t budget);
/* Drops what nobody has asked for since the last sweep. */
void proccache_sweep(struct proccache *cache);

#endif

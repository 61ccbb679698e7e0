/*
 * Inside a hold: hold.c opens it, renews, verifies and gives back; hold_address.c names its locks;
 * hold_take.c takes them.
 */
#ifndef LOCKTOP_LIB_HOLD_PRIVATE_H
#define LOCKTOP_LIB_HOLD_PRIVATE_H

#include "lib/hold.h"

/* One lock of it. */
struct part {
	struct uri uri; /* owned; the path of a lock file is absolute */
	const struct provider *provider;
	void *state;      /* owned, the provider's; NULL: its place could not be opened yet */
	char *address;    /* owned; canonical, clean, and an address again */
	char *source;     /* owned */
	char *name;       /* owned; clean */
	char *key;        /* owned; raw: what locks are ordered by, and known again as the same */
	bool is_fallback; /* stands for the main one when that cannot be reached */
	bool is_held;     /* taken or adopted, and not given back */
	bool is_lost;     /* it was seen not to be ours any more */
	unsigned int attempts;
	mono_t began;    /* when the wait began */
	mono_t acquired; /* -1: by another process */
	mono_t renewed;  /* the last success; -1 unknown */
	int64_t fence;
};

struct hold {
	const struct world *world; /* borrowed */
	struct here here;
	struct claim claim;
	bool has_own_token; /* the caller gave it: it is not made anew for each acquisition */
	bool is_detached;   /* what is acquired, whatever was adopted before */
	hold_listener *listener;
	void *data;
	struct part *part; /* owned; the main one first, but for fallbacks added before it */
	size_t n;
	struct part **active; /* owned, room for n: who is taken together, the main one first */
	struct part **order;  /* owned, room for n: the same in the order of taking */
	size_t actives;
	const struct part *waited; /* that was waited for last; NULL */
	uint64_t seed;             /* of the jitter */
};

/* --- hold_address.c --- */

/*
 * Takes the address apart and names the lock: uri, provider, address, source, name, key. 0 or
 * -errno with a sentence; part_release() is due in every case.
 */
int part_name(struct part *part, const char *address, struct error *err);
void part_release(struct part *part);

/* --- hold.c --- */

mono_t hold_now(const struct hold *hold);
/* Opens its place, if that was not done. */
int part_open(struct hold *hold, struct part *part, struct error *err);
/* Fills what a report says of a part in every step. */
struct hold_report part_report(
	const struct hold *hold, const struct part *part, enum hold_step step);
/* Calls the listener, if there is one. */
void hold_tell(const struct hold *hold, const struct hold_report *report);
/* A report of a failure: the code, and its sentence as the reason. */
void hold_tell_failure(const struct hold *hold, const struct part *part, enum hold_step step,
	int code, const struct error *err);
bool hold_code_is_lost(int code);
/* Makes active and order anew, with that fallback instead of the main one (NULL: without). */
void hold_choose(struct hold *hold, struct part *fallback);
int part_renew(struct hold *hold, struct part *part, struct error *err);
int part_give_back(struct hold *hold, struct part *part, struct error *err);
void part_who(const struct part *part, struct occupant *occupant);

#endif

/*
 * What every provider has to do, whatever its place is: the same cases for all of them. A test
 * program describes its providers and runs the cases of each.
 */
#ifndef LOCKTOP_TESTS_CONTRACT_H
#define LOCKTOP_TESTS_CONTRACT_H

#include "made_world.h"

#include "backends/provider.h"

/* A place of one provider. */
struct contract {
	const struct provider *provider;
	/* Writes the address of a lock that nobody uses; folder is a new empty one. */
	void (*address)(char *dst, size_t size, const char *folder, const char *name);
	/* Another takes it by force: the lock stays somebody else's. */
	void (*intrude)(const char *folder, const char *name);
	/* It vanishes: nobody has it. NULL: that cannot be. */
	void (*remove)(const char *folder, const char *name);
	/* Writes an address that cannot be reached. */
	void (*nowhere)(char *dst, size_t size, const char *folder);
};

/* Runs all cases of all: the number that failed. */
int contract_run(const struct contract *const *contracts, size_t n);

#endif

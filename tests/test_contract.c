/* The contract of providers, over those that are in every build and the fake ones. */
#include "config.h"
#include "contract.h"

#include "fake_provider.h"

static void path_of(char *dst, size_t size, const char *folder, const char *name, const char *more)
{
	snprintf(dst, size, "%s/%s%s", folder, name, more);
}

static void write_file(const char *path, const char *text)
{
	FILE *file = fopen(path, "w");

	assert_non_null(file);
	fputs(text, file);
	assert_int_equal(fclose(file), 0);
}

static void nowhere_in(char *dst, size_t size, const char *scheme, const char *folder)
{
	snprintf(dst, size, "%s:%s/nowhere/a.lock", scheme, folder);
}

/* --- lock files --- */

static void put_another_file(const char *folder, const char *name)
{
	char path[400], other[400];

	path_of(path, sizeof path, folder, name, "");
	path_of(other, sizeof other, folder, name, ".new");
	write_file(other, "1|1");
	assert_int_equal(rename(other, path), 0);
}

static void remove_file(const char *folder, const char *name)
{
	char path[400];

	path_of(path, sizeof path, folder, name, "");
	assert_int_equal(unlink(path), 0);
}

#define FILE_CONTRACT(scheme)                                                                      \
	static void scheme##_address(char *dst, size_t size, const char *folder, const char *name) \
	{                                                                                          \
		snprintf(dst, size, #scheme ":%s/%s", folder, name);                               \
	}                                                                                          \
	static void scheme##_nowhere(char *dst, size_t size, const char *folder)                   \
	{                                                                                          \
		nowhere_in(dst, size, #scheme, folder);                                            \
	}

FILE_CONTRACT(file)
FILE_CONTRACT(flock)
FILE_CONTRACT(fake)
FILE_CONTRACT(fakequeue)

static const struct contract on_file = {
	&provider_file, file_address, put_another_file, remove_file, file_nowhere};
static const struct contract on_flock = {
	&provider_flock, flock_address, put_another_file, remove_file, flock_nowhere};

/* --- the fake ones --- */

/* Overwrites the first word of PATH.held, the token; the fence stays. */
static void put_token(const char *folder, const char *name, const char *token)
{
	char path[400], text[200] = "", *rest;
	FILE *file;

	path_of(path, sizeof path, folder, name, ".held");
	file = fopen(path, "r");
	assert_non_null(file);
	assert_non_null(fgets(text, sizeof text, file));
	fclose(file);
	rest = strchr(text, ' ');
	assert_non_null(rest);
	file = fopen(path, "w");
	assert_non_null(file);
	fprintf(file, "%s%s", token, rest);
	assert_int_equal(fclose(file), 0);
}

static void give_to_another(const char *folder, const char *name)
{
	put_token(folder, name, "00000000000000000000000000000000");
}

static void give_to_nobody(const char *folder, const char *name)
{
	put_token(folder, name, "-");
}

static const struct contract on_fake = {
	&provider_fake, fake_address, give_to_another, give_to_nobody, fake_nowhere};
static const struct contract on_fake_queue = {&provider_fake_queue, fakequeue_address,
	give_to_another, give_to_nobody, fakequeue_nowhere};

int main(void)
{
	static const struct contract *const all[] = {&on_file, &on_flock, &on_fake, &on_fake_queue};

	return contract_run(all, sizeof all / sizeof *all);
}

/* What all providers share: codes, words, claims. */
#include "config.h"

#include "made_world.h"

#include <sys/wait.h>

#include "backends/provider.h"

static void a_provider_is_found_by_its_scheme(void **state)
{
	struct error err = {0};
	struct uri uri;

	(void)state;
	assert_int_equal(uri_parse(&uri, "/run/lock/a", &err), 0);
	assert_ptr_equal(provider_for(&uri, &err), &provider_file);
	uri_release(&uri);
	assert_int_equal(uri_parse(&uri, "flock:/run/lock/a", &err), 0);
	assert_ptr_equal(provider_for(&uri, &err), &provider_flock);
	uri_release(&uri);
	assert_int_equal(uri_parse(&uri, "kernel:", &err), 0);
	assert_null(provider_for(&uri, &err));
	assert_int_equal(err.code, -EPROTONOSUPPORT);
	assert_non_null(
		strstr(err.text, "no lock can be taken in 'kernel:', only in file:, flock:"));
	uri_release(&uri);
}

static void what_is_told_is_not_unreachable(void **state)
{
	static const int told[] = {-EBUSY, -ETIMEDOUT, -ECANCELED, -ESTALE, -EKEYREJECTED, -EINVAL,
		-ELOOP, -EMLINK, -EFBIG, -ENOTSUP, -EPERM, -ENOMEM, 0};
	static const int unreachable[] = {
		-ENOENT, -EACCES, -EROFS, -ENOSPC, -EMFILE, -EIO, -ECONNREFUSED};

	(void)state;
	for (size_t i = 0; i < sizeof told / sizeof *told; i++)
		assert_false(provider_is_unreachable(told[i]));
	for (size_t i = 0; i < sizeof unreachable / sizeof *unreachable; i++)
		assert_true(provider_is_unreachable(unreachable[i]));
}

static void takeover_words_go_both_ways(void **state)
{
	(void)state;
	for (int i = 0; i < TAKEOVER_COUNT; i++)
		assert_int_equal(takeover_from_word(takeover_word((enum takeover)i)), i);
	assert_int_equal(takeover_from_word("always"), -1);
	assert_string_equal(takeover_word(TAKEOVER_COUNT), "?");
}

static void tokens_are_32_hex_digits_and_differ(void **state)
{
	char a[33], b[33];

	(void)state;
	assert_int_equal(claim_token(a), 0);
	assert_int_equal(claim_token(b), 0);
	assert_int_equal(strlen(a), 32);
	assert_int_equal(strspn(a, "0123456789abcdef"), 32);
	assert_string_not_equal(a, b);
}

static void a_claim_of_this_process_reads_proc_once(void **state)
{
	struct error err = {0};
	struct world world, blind = {.proc = -1, .clock = &clock_system};
	struct claim claim = {0};
	struct here here;
	uint64_t start;

	(void)state;
	open_real(&world);
	assert_int_equal(proc_here(&world, &here, &err), 0);
	claim_self(&claim, &world, &here);
	assert_int_equal(claim.pid, getpid());
	assert_int_equal(claim.uid, geteuid());
	start = claim.start;
	assert_true(start > 0);
	/* Nothing can be read there, and need not be. */
	claim_self(&claim, &blind, &here);
	assert_int_equal(claim.start, start);
	world_close(&world);
}

static void a_child_does_not_claim_as_its_parent(void **state)
{
	struct error err = {0};
	struct world world;
	struct claim claim = {0};
	struct here here;
	int status;
	pid_t child;

	(void)state;
	open_real(&world);
	assert_int_equal(proc_here(&world, &here, &err), 0);
	claim_self(&claim, &world, &here);
	child = fork();
	assert_true(child >= 0);
	if (child == 0) {
		uint64_t start;

		claim_self(&claim, &world, &here);
		proc_life(&world, getpid(), &start);
		_exit(claim.pid == getpid() && claim.start == start ? 0 : 1);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
	world_close(&world);
}

static void they_say_what_they_can(void **state)
{
	(void)state;
	assert_int_equal(provider_file.can, PROVIDER_QUEUES | PROVIDER_RENEWS | PROVIDER_FENCES |
						    PROVIDER_DETACHES | PROVIDER_INHERITS);
	assert_non_null(provider_file.fence);
	assert_int_equal(provider_flock.can, PROVIDER_QUEUES | PROVIDER_INHERITS);
	assert_null(provider_flock.fence);
	for (const struct provider *const *p = providers; *p; p++) {
		assert_non_null((*p)->help);
		assert_true((*p)->open && (*p)->close && (*p)->acquire && (*p)->renew &&
			    (*p)->verify && (*p)->give_back && (*p)->who);
	}
}

static void the_holder_is_named_as_far_as_it_is_known(void **state)
{
	struct occupant occupant = {.is_known = true, .pid = 4711, .age = 192 * NS_PER_S};
	char text[200], tight[16];

	(void)state;
	strcpy(occupant.comm, "php8.2");
	occupant_text(text, sizeof text, &occupant);
	assert_string_equal(text, "held by pid 4711 php8.2 for 3m12s");
	strcpy(occupant.host, "web2");
	occupant_text(text, sizeof text, &occupant);
	assert_string_equal(text, "held by pid 4711 php8.2 on web2 for 3m12s");
	occupant.comm[0] = '\0';
	occupant.age = -1;
	occupant_text(text, sizeof text, &occupant);
	assert_string_equal(text, "held by pid 4711 on web2");
	occupant.pid = 0;
	occupant_text(text, sizeof text, &occupant);
	assert_string_equal(text, "held by somebody on web2");
	occupant.is_known = false;
	occupant_text(text, sizeof text, &occupant);
	assert_string_equal(text, "held by somebody");
	occupant.is_known = true;
	occupant.pid = 4711;
	occupant_text(tight, sizeof tight, &occupant);
	assert_string_equal(tight, "held by pid 471");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_provider_is_found_by_its_scheme),
		cmocka_unit_test(what_is_told_is_not_unreachable),
		cmocka_unit_test(takeover_words_go_both_ways),
		cmocka_unit_test(tokens_are_32_hex_digits_and_differ),
		cmocka_unit_test(a_claim_of_this_process_reads_proc_once),
		cmocka_unit_test(a_child_does_not_claim_as_its_parent),
		cmocka_unit_test(they_say_what_they_can),
		cmocka_unit_test(the_holder_is_named_as_far_as_it_is_known),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

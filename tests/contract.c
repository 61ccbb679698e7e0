/* What every provider has to do. */
#include "config.h"
#include "contract.h"
#include "lock_place.h"

#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>

enum { PARTIES = 3, WORKERS = 4, TURNS = 50 };

/* Somebody who wants the lock. */
struct party {
	void *state;
	struct claim claim;
	struct taking taking;
};

struct scene {
	const struct contract *on;
	const struct provider *provider;
	char folder[256];
	struct steered time;
	struct clock clock;
	struct world world;
	struct here here;
	struct uri uri;
	struct party party[PARTIES];
	struct error err;
};

static void open_party(struct scene *scene, struct party *party)
{
	if (scene->provider->open(&party->state, &scene->world, &scene->uri, &scene->err) < 0)
		fail_msg("%s", scene->err.text);
}

static void close_party(struct scene *scene, struct party *party)
{
	scene->provider->close(party->state);
	party->state = NULL;
}

static int begin(void **state)
{
	struct scene *scene = calloc(1, sizeof *scene);
	char address[400];

	assert_non_null(scene);
	scene->on = *state;
	scene->provider = scene->on->provider;
	make_folder(scene->folder, sizeof scene->folder);
	open_real(&scene->world);
	scene->clock = (struct clock){.mono = steered_mono,
		.wall = steered_wall,
		.wait = steered_wait,
		.data = &scene->time};
	scene->world.clock = &scene->clock;
	assert_int_equal(proc_here(&scene->world, &scene->here, &scene->err), 0);
	scene->on->address(address, sizeof address, scene->folder, "a.lock");
	assert_int_equal(uri_parse(&scene->uri, address, &scene->err), 0);
	for (size_t i = 0; i < PARTIES; i++) {
		struct claim *claim = &scene->party[i].claim;

		*claim = (struct claim){
			.lease = 600 * NS_PER_S, .stale_after = 600 * NS_PER_S, .mode = 0640};
		claim_self(claim, &scene->world, &scene->here);
		assert_int_equal(claim_token(claim->token), 0);
		open_party(scene, &scene->party[i]);
	}
	*state = scene;
	return 0;
}

static int end(void **state)
{
	struct scene *scene = *state;

	for (size_t i = 0; i < PARTIES; i++)
		if (scene->party[i].state)
			close_party(scene, &scene->party[i]);
	uri_release(&scene->uri);
	world_close(&scene->world);
	remove_tree(scene->folder);
	free(scene);
	return 0;
}

static bool can(const struct scene *scene, unsigned int what)
{
	return (scene->provider->can & what) != 0;
}

static int take_within(struct scene *scene, struct party *party, int64_t ns)
{
	struct patience patience = {
		.until = ns ? clock_mono(scene->world.clock) + ns : 0,
	};

	return scene->provider->acquire(
		party->state, &party->claim, &patience, &party->taking, &scene->err);
}

static int take(struct scene *scene, struct party *party)
{
	return take_within(scene, party, 0);
}

static int verify(struct scene *scene, struct party *party)
{
	return scene->provider->verify(party->state, &party->claim, &scene->err);
}

static int renew(struct scene *scene, struct party *party)
{
	return scene->provider->renew(party->state, &party->claim, &scene->err);
}

static int give_back(struct scene *scene, struct party *party)
{
	return scene->provider->give_back(party->state, &party->claim, &scene->err);
}

#define assert_done(scene, call)                           \
	do {                                               \
		(scene)->err.text[0] = '\0';               \
		if ((call) != 0)                           \
			fail_msg("%s", (scene)->err.text); \
	} while (0)

static bool is_lost(int code)
{
	return code == -ESTALE || code == -EKEYREJECTED;
}

/* --- the cases --- */

static void opening_takes_nothing(void **state)
{
	struct scene *scene = *state;

	/* All three are open. */
	assert_done(scene, take(scene, &scene->party[2]));
}

static void a_taken_lock_is_busy_for_others(void **state)
{
	struct scene *scene = *state;

	assert_done(scene, take(scene, &scene->party[0]));
	assert_false(scene->party[0].taking.was_stale);
	assert_true(scene->party[0].taking.attempts >= 1);
	for (int i = 0; i < 3; i++) {
		assert_int_equal(take(scene, &scene->party[1]), -EBUSY);
		assert_int_equal(take(scene, &scene->party[2]), -EBUSY);
	}
	assert_done(scene, verify(scene, &scene->party[0]));
}

static void what_is_given_back_is_free(void **state)
{
	struct scene *scene = *state;

	for (int i = 0; i < 20; i++) {
		struct party *party = &scene->party[i % 2];

		assert_done(scene, take(scene, party));
		assert_false(party->taking.was_stale);
		assert_int_equal(take(scene, &scene->party[!(i % 2)]), -EBUSY);
		assert_done(scene, give_back(scene, party));
	}
}

static void a_holder_verifies_and_renews(void **state)
{
	struct scene *scene = *state;

	assert_done(scene, take(scene, &scene->party[0]));
	for (int i = 0; i < 3; i++) {
		assert_done(scene, verify(scene, &scene->party[0]));
		if (can(scene, PROVIDER_RENEWS))
			assert_done(scene, renew(scene, &scene->party[0]));
	}
	assert_int_equal(take(scene, &scene->party[1]), -EBUSY);
	assert_done(scene, give_back(scene, &scene->party[0]));
}

static void whoever_does_not_hold_it_cannot_end_it(void **state)
{
	struct scene *scene = *state;

	assert_true(verify(scene, &scene->party[1]) < 0);
	assert_done(scene, take(scene, &scene->party[0]));
	assert_true(verify(scene, &scene->party[1]) < 0);
	assert_true(give_back(scene, &scene->party[1]) < 0);
	if (can(scene, PROVIDER_RENEWS))
		assert_true(renew(scene, &scene->party[1]) < 0);
	assert_done(scene, verify(scene, &scene->party[0]));
	assert_int_equal(take(scene, &scene->party[2]), -EBUSY);
}

static void an_intruder_is_noticed_and_left_alone(void **state)
{
	struct scene *scene = *state;

	assert_done(scene, take(scene, &scene->party[0]));
	scene->on->intrude(scene->folder, "a.lock");
	assert_true(is_lost(verify(scene, &scene->party[0])));
	if (can(scene, PROVIDER_RENEWS))
		assert_true(is_lost(renew(scene, &scene->party[0])));
	assert_true(is_lost(give_back(scene, &scene->party[0])));
	/* And it can be asked for again, like any other. */
	assert_int_not_equal(take(scene, &scene->party[0]), -EINVAL);
}

static void what_vanished_is_lost_and_can_be_taken_again(void **state)
{
	struct scene *scene = *state;

	assert_done(scene, take(scene, &scene->party[0]));
	scene->on->remove(scene->folder, "a.lock");
	assert_int_equal(verify(scene, &scene->party[0]), -ESTALE);
	assert_int_equal(give_back(scene, &scene->party[0]), -ESTALE);
	assert_done(scene, take(scene, &scene->party[0]));
	assert_int_equal(take(scene, &scene->party[1]), -EBUSY);
}

static void fences_grow(void **state)
{
	struct scene *scene = *state;
	int64_t last = 0, seen;

	if (!can(scene, PROVIDER_FENCES))
		return;
	assert_done(scene, scene->provider->fence(scene->party[2].state, &seen, &scene->err));
	assert_int_equal(seen, 0);
	for (int i = 0; i < 10; i++) {
		struct party *party = &scene->party[i % 2];

		assert_done(scene, take(scene, party));
		assert_true(party->taking.fence > last);
		last = party->taking.fence;
		assert_done(
			scene, scene->provider->fence(scene->party[2].state, &seen, &scene->err));
		assert_int_equal(seen, last);
		assert_done(scene, give_back(scene, party));
	}
	/* Not from the beginning, whoever removes the lock itself. */
	scene->on->remove(scene->folder, "a.lock");
	assert_done(scene, take(scene, &scene->party[0]));
	assert_true(scene->party[0].taking.fence > last);
}

static void a_detached_lock_is_its_tokens(void **state)
{
	struct scene *scene = *state;
	struct party *taker = &scene->party[0], *heir = &scene->party[1];

	taker->claim.is_detached = heir->claim.is_detached = true;
	if (!can(scene, PROVIDER_DETACHES)) {
		assert_int_equal(take(scene, taker), -EINVAL);
		return;
	}
	assert_done(scene, take(scene, taker));
	close_party(scene, taker);
	assert_int_equal(take(scene, &scene->party[2]), -EBUSY);
	assert_int_equal(verify(scene, heir), -EKEYREJECTED);
	assert_int_equal(give_back(scene, heir), -EKEYREJECTED);
	memcpy(heir->claim.token, taker->claim.token, sizeof heir->claim.token);
	assert_done(scene, verify(scene, heir));
	assert_done(scene, renew(scene, heir));
	assert_done(scene, give_back(scene, heir));
	assert_true(is_lost(verify(scene, heir)));
	assert_done(scene, take(scene, &scene->party[2]));
}

static void a_detached_lock_ends_with_its_owner_or_its_lease(void **state)
{
	struct scene *scene = *state;
	struct party *taker = &scene->party[0];

	if (!can(scene, PROVIDER_DETACHES))
		return;
	taker->claim.is_detached = true;
	taker->claim.lease = NS_PER_S;
	assert_done(scene, take(scene, taker));
	assert_int_equal(take(scene, &scene->party[1]), -EBUSY);
	scene->time.mono += 3 * NS_PER_S;
	assert_done(scene, take(scene, &scene->party[1]));
	assert_true(scene->party[1].taking.was_stale);
	assert_string_not_equal(scene->party[1].taking.reason, "");
	assert_int_equal(verify(scene, taker), -EKEYREJECTED);
}

static void who_has_it_can_be_asked(void **state)
{
	struct scene *scene = *state;
	struct occupant who;

	scene->provider->who(scene->party[1].state, &who);
	assert_false(who.is_known);
	assert_done(scene, take(scene, &scene->party[0]));
	scene->provider->who(scene->party[1].state, &who);
	assert_true(who.is_known);
	assert_int_equal(who.pid, getpid());
	assert_done(scene, give_back(scene, &scene->party[0]));
	scene->provider->who(scene->party[1].state, &who);
	assert_false(who.is_known);
}

static void a_wait_ends_in_time(void **state)
{
	struct scene *scene = *state;
	int rc;

	assert_done(scene, take(scene, &scene->party[0]));
	rc = take_within(scene, &scene->party[1], 20 * NS_PER_MS);
	assert_int_equal(rc, can(scene, PROVIDER_QUEUES) ? -ETIMEDOUT : -EBUSY);
	assert_done(scene, verify(scene, &scene->party[0]));
	assert_done(scene, give_back(scene, &scene->party[0]));
	assert_done(scene, take_within(scene, &scene->party[1], 20 * NS_PER_MS));
}

static void what_cannot_be_reached_is_told_from_busy(void **state)
{
	struct scene *scene = *state;
	struct party *party = &scene->party[0];
	struct uri uri;
	char address[400];
	int rc;

	scene->on->nowhere(address, sizeof address, scene->folder);
	assert_int_equal(uri_parse(&uri, address, &scene->err), 0);
	close_party(scene, party);
	rc = scene->provider->open(&party->state, &scene->world, &uri, &scene->err);
	if (rc == 0)
		rc = take(scene, party);
	uri_release(&uri);
	assert_true(provider_is_unreachable(rc));
	assert_string_not_equal(scene->err.text, "");
}

static void a_sentence_says_why(void **state)
{
	struct scene *scene = *state;

	assert_done(scene, take(scene, &scene->party[0]));
	scene->err = (struct error){0};
	assert_int_equal(take(scene, &scene->party[1]), -EBUSY);
	assert_int_equal(scene->err.code, -EBUSY);
	assert_string_not_equal(scene->err.text, "");
}

/* A child that dies with its test. */
static pid_t fork_child(void)
{
	pid_t parent = getpid(), pid = fork();

	assert_true(pid >= 0);
	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (getppid() != parent)
			_exit(99);
	}
	return pid;
}

static void what_a_killed_process_had_is_free_where_the_kernel_knows(void **state)
{
	struct scene *scene = *state;
	int ready[2], status;
	char c;
	pid_t pid;

	assert_int_equal(pipe(ready), 0);
	pid = fork_child();
	if (pid == 0) {
		struct party *mine = &scene->party[0];

		claim_self(&mine->claim, &scene->world, &scene->here);
		if (take(scene, mine) != 0 || write(ready[1], "x", 1) != 1)
			_exit(1);
		pause();
		_exit(0);
	}
	assert_int_equal(read(ready[0], &c, 1), 1);
	assert_int_equal(take(scene, &scene->party[1]), -EBUSY);
	kill(pid, SIGKILL);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	if (scene->provider->class == LOCK_CLASS_KERNEL)
		assert_done(scene, take(scene, &scene->party[1]));
	else
		assert_int_equal(take(scene, &scene->party[1]), -EBUSY);
	close(ready[0]);
	close(ready[1]);
}

/* Takes and gives back, and looks who else is inside. 0: nobody ever was. */
static int work(struct scene *scene, int *inside)
{
	struct party mine = {.claim = scene->party[0].claim};
	int intruders = 0;

	claim_self(&mine.claim, &scene->world, &scene->here);
	open_party(scene, &mine);
	for (int turn = 0; turn < TURNS;) {
		if (claim_token(mine.claim.token) < 0)
			return 1;
		if (take_within(scene, &mine, can(scene, PROVIDER_QUEUES) ? 30 * NS_PER_S : 0) !=
			0) {
			usleep(200);
			continue;
		}
		intruders += __atomic_add_fetch(inside, 1, __ATOMIC_SEQ_CST) != 1;
		sched_yield();
		__atomic_sub_fetch(inside, 1, __ATOMIC_SEQ_CST);
		if (give_back(scene, &mine) != 0)
			return 1;
		turn++;
	}
	scene->provider->close(mine.state);
	return intruders != 0;
}

static void many_are_never_inside_together(void **state)
{
	struct scene *scene = *state;
	int *inside = mmap(
		NULL, sizeof *inside, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	pid_t pid[WORKERS];

	assert_ptr_not_equal(inside, MAP_FAILED);
	for (int i = 0; i < WORKERS; i++) {
		pid[i] = fork_child();
		if (pid[i] == 0)
			_exit(work(scene, inside));
	}
	for (int i = 0; i < WORKERS; i++) {
		int status;

		assert_int_equal(waitpid(pid[i], &status, 0), pid[i]);
		assert_int_equal(status, 0);
	}
	munmap(inside, sizeof *inside);
}

/* --- all of them --- */

typedef void contract_case(void **state);

#define CASES(_)                                                    \
	_(opening_takes_nothing)                                    \
	_(a_taken_lock_is_busy_for_others)                          \
	_(what_is_given_back_is_free)                               \
	_(a_holder_verifies_and_renews)                             \
	_(whoever_does_not_hold_it_cannot_end_it)                   \
	_(an_intruder_is_noticed_and_left_alone)                    \
	_(what_vanished_is_lost_and_can_be_taken_again)             \
	_(fences_grow)                                              \
	_(a_detached_lock_is_its_tokens)                            \
	_(a_detached_lock_ends_with_its_owner_or_its_lease)         \
	_(who_has_it_can_be_asked)                                  \
	_(a_wait_ends_in_time)                                      \
	_(what_cannot_be_reached_is_told_from_busy)                 \
	_(a_sentence_says_why)                                      \
	_(what_a_killed_process_had_is_free_where_the_kernel_knows) \
	_(many_are_never_inside_together)

static const struct {
	const char *name;
	contract_case *run;
} cases[] = {
#define _(name) {#name, name},
	CASES(_)
#undef _
};

enum { CASE_COUNT = sizeof cases / sizeof *cases };

int contract_run(const struct contract *const *contracts, size_t n)
{
	struct CMUnitTest *tests = calloc(n * CASE_COUNT, sizeof *tests);
	char(*names)[128] = calloc(n * CASE_COUNT, sizeof *names);
	int failed = -1;

	for (size_t i = 0; tests && names && i < n * CASE_COUNT; i++) {
		const struct contract *on = contracts[i / CASE_COUNT];

		snprintf(names[i], sizeof names[i], "%s: %s", on->provider->scheme,
			cases[i % CASE_COUNT].name);
		tests[i] = (struct CMUnitTest){.name = names[i],
			.test_func = cases[i % CASE_COUNT].run,
			.setup_func = begin,
			.teardown_func = end,
			.initial_state = (void *)on};
	}
	if (tests && names)
		failed = _cmocka_run_group_tests("contract", tests, n * CASE_COUNT, NULL, NULL);
	free(tests);
	free(names);
	return failed;
}

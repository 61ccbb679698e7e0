/* A hold, over the fake provider and a clock that jumps. */
#include "config.h"
#include "made_world.h"

#include <inttypes.h>
#include <signal.h>

#include "fake_provider.h"
#include "lib/hold.h"

struct scene {
	struct made_world made; /* an empty tree; locks live in its root */
	struct here here;
	struct hold *hold;
	struct error err;
	char log[4096]; /* what the listener was told: "busy a 3; " */
	char full[512]; /* the last report that had a reason */
	int64_t waits[64];
	size_t n;
	int ticks, stop_after; /* of the patience; 0: never */
};

static void listen_to(void *data, const struct hold_report *report)
{
	struct scene *scene = data;
	size_t used = strlen(scene->log);

	snprintf(scene->log + used, sizeof scene->log - used, "%s%s %s", used ? ", " : "",
		hold_step_word(report->step), report->name);
	if (report->reason[0])
		snprintf(scene->full, sizeof scene->full, "%s", report->reason);
	if (scene->n < 64)
		scene->waits[scene->n++] = report->wait;
	assert_true(strncmp(report->address, report->source, strlen(report->source)) == 0);
	assert_true((report->occupant != NULL) ==
		    (report->step == HOLD_WAITING || report->step == HOLD_SLOW ||
			    report->step == HOLD_BUSY || report->step == HOLD_TIMEOUT));
}

static int tick(void *data)
{
	struct scene *scene = data;

	return ++scene->ticks == scene->stop_after ? -ECANCELED : 0;
}

static struct hold *open_hold(struct scene *scene, int64_t lease)
{
	struct hold_options options = {
		.world = &scene->made.world,
		.claim = {.here = &scene->here,
			.pid = 4711,
			.start = 1,
			.lease = lease,
			.stale_after = 600 * NS_PER_S,
			.mode = 0640},
		.listener = listen_to,
		.data = scene,
	};
	struct hold *hold;

	if (hold_open(&hold, &options, &scene->err) < 0)
		fail_msg("%s", scene->err.text);
	return hold;
}

static struct scene *new_scene(void)
{
	struct scene *scene = calloc(1, sizeof *scene);

	assert_non_null(scene);
	make_world(&scene->made);
	scene->here = (struct here){.host = "web1", .boot = "9f3c2a71", .ticks = 100};
	scene->hold = open_hold(scene, 600 * NS_PER_S);
	return scene;
}

static void end_scene(struct scene *scene)
{
	hold_close(scene->hold);
	unmake_world(&scene->made);
	free(scene);
}

/* "fake:ROOT/name", valid until the fourth call after. */
static const char *at(const struct scene *scene, const char *scheme, const char *name)
{
	static char address[4][400];
	static unsigned int i;

	i = (i + 1) % 4;
	snprintf(address[i], sizeof address[i], "%s:%s/%s", scheme, scene->made.root, name);
	return address[i];
}

static void script(const struct scene *scene, const char *name, const char *text)
{
	char path[400];
	FILE *file;

	snprintf(path, sizeof path, "%s/%s", scene->made.root, name);
	file = fopen(path, "w");
	assert_non_null(file);
	fputs(text, file);
	fclose(file);
}

static void add(struct scene *scene, const char *scheme, const char *name)
{
	if (hold_add(scene->hold, at(scene, scheme, name), &scene->err) < 0)
		fail_msg("%s", scene->err.text);
}

/* Takes it within that many seconds (0: one try, below: for ever) and forgets what was told. */
static int take(struct scene *scene, struct hold *hold, double seconds)
{
	mono_t now = scene->made.time.mono;
	struct patience patience = {
		.until = seconds < 0    ? MONO_NEVER
			 : seconds == 0 ? 0
					: now + clock_ns(seconds),
		.tick = tick,
		.every = NS_PER_S / 5,
		.data = scene,
	};

	scene->log[0] = '\0';
	scene->full[0] = '\0';
	scene->n = 0;
	scene->ticks = 0;
	scene->err = (struct error){0};
	return hold_acquire(hold, &patience, &scene->err);
}

#define assert_log(scene, expected) assert_string_equal((scene)->log, expected)

static void steps_have_words(void **state)
{
	(void)state;
	assert_string_equal(hold_step_word(HOLD_TAKEN_OVER), "taken_over");
	assert_string_equal(hold_step_word(HOLD_ERROR), "error");
	assert_string_equal(hold_step_word(HOLD_STEP_COUNT), "?");
}

static void a_lock_is_taken_and_given_back(void **state)
{
	struct scene *scene = new_scene();
	char token[33];

	(void)state;
	add(scene, "fake", "a");
	assert_log(scene, "opened a");
	assert_false(hold_is_held(scene->hold));
	assert_int_equal(hold_count(scene->hold), 1);
	assert_int_equal(take(scene, scene->hold, 0), 0);
	assert_log(scene, "acquired a");
	assert_true(hold_is_held(scene->hold));
	assert_int_equal(hold_fence(scene->hold), 1);
	memcpy(token, hold_claim(scene->hold)->token, sizeof token);
	assert_int_equal(take(scene, scene->hold, 0), -EINVAL);
	assert_non_null(strstr(scene->err.text, "is held already"));
	assert_int_equal(hold_verify(scene->hold, &scene->err), 0);
	assert_int_equal(hold_renew(scene->hold, &scene->err), 0);
	assert_int_equal(hold_give_back(scene->hold, &scene->err), 0);
	assert_log(scene, "verified a, renewed a, released a");
	assert_false(hold_is_held(scene->hold));
	assert_int_equal(hold_give_back(scene->hold, &scene->err), -EINVAL);

	/* Another acquisition, another token. */
	assert_int_equal(take(scene, scene->hold, 0), 0);
	assert_string_not_equal(hold_claim(scene->hold)->token, token);
	assert_int_equal(hold_fence(scene->hold), 2);
	end_scene(scene);
}

static void a_busy_lock_is_not_waited_for_without_being_asked(void **state)
{
	struct scene *scene = new_scene();
	mono_t before = scene->made.time.mono;

	(void)state;
	add(scene, "fake", "a");
	add(scene, "fakequeue", "b");
	script(scene, "b", "busy\n");
	assert_int_equal(take(scene, scene->hold, 0), -EBUSY);
	assert_log(scene, "acquired a, busy b, released a");
	assert_non_null(strstr(scene->err.text, "/b is busy: somebody has /"));
	assert_false(hold_is_held(scene->hold));
	assert_int_equal(scene->made.time.mono, before);
	end_scene(scene);
}

static void pauses_are_jittered_between_their_limits(void **state)
{
	struct scene *scene = new_scene();
	int64_t longest = 0, least = INT64_MAX;
	mono_t before, last = 0;

	(void)state;
	add(scene, "fake", "a");
	script(scene, "a", "busy 200\n");
	before = scene->made.time.mono;
	assert_int_equal(take(scene, scene->hold, -1), 0);
	/* 200 pauses: not 200 times the least, and not 200 times the most. */
	last = scene->made.time.mono - before;
	assert_true(last > 200 * 50 * NS_PER_MS && last < 200 * NS_PER_S);
	/* Marks were told at 1 s, 10 s and 60 s, not before, and not much later. */
	assert_non_null(strstr(scene->log, "waiting a, slow a, slow a, slow a"));
	for (size_t i = 0; i < scene->n; i++) {
		longest = scene->waits[i] > longest ? scene->waits[i] : longest;
		if (scene->waits[i] < least)
			least = scene->waits[i];
	}
	assert_int_equal(scene->waits[0], 0);
	assert_int_equal(scene->waits[1], NS_PER_S);
	assert_int_equal(scene->waits[2], 10 * NS_PER_S);
	assert_int_equal(scene->waits[3], 60 * NS_PER_S);
	assert_int_equal(longest, last);
	/* Pieces of a fifth of a second. */
	assert_true(scene->ticks >= last / (NS_PER_S / 5));
	end_scene(scene);
}

static void a_long_wait_is_told_every_five_minutes(void **state)
{
	static const int marks[] = {0, 1, 10, 60, 300, 600, 900, 1000};
	struct scene *scene = new_scene();

	(void)state;
	add(scene, "fakequeue", "a");
	script(scene, "a", "busy\n");
	assert_int_equal(take(scene, scene->hold, 1000), -ETIMEDOUT);
	assert_log(scene, "waiting a, slow a, slow a, slow a, slow a, slow a, slow a, timeout a");
	for (size_t i = 0; i < sizeof marks / sizeof *marks; i++)
		assert_int_equal(scene->waits[i], marks[i] * NS_PER_S);
	assert_non_null(strstr(scene->err.text, "was not free within 16m40s: somebody has it"));
	end_scene(scene);
}

static void whoever_waits_may_be_told_to_stop(void **state)
{
	struct scene *scene = new_scene();

	(void)state;
	add(scene, "fake", "a");
	add(scene, "fakequeue", "b");
	script(scene, "b", "busy\n");
	/* Within the first second. */
	scene->stop_after = 4;
	assert_int_equal(take(scene, scene->hold, -1), -ECANCELED);
	assert_log(scene, "acquired a, waiting b, released a");
	script(scene, "a", "busy\n");
	assert_int_equal(take(scene, scene->hold, -1), -ECANCELED);
	assert_int_equal(scene->ticks, 4);
	assert_log(scene, "waiting a");
	end_scene(scene);
}

static void locks_are_taken_in_one_order_and_given_back_in_the_reverse(void **state)
{
	struct scene *scene = new_scene();

	(void)state;
	add(scene, "fake", "c");
	add(scene, "fake", "a");
	add(scene, "fake", "b");
	assert_int_equal(take(scene, scene->hold, 0), 0);
	assert_int_equal(hold_give_back(scene->hold, &scene->err), 0);
	assert_log(scene, "acquired a, acquired b, acquired c, released c, released b, released a");
	/* The first one that was added is the main one. */
	assert_string_equal(hold_address(scene->hold), at(scene, "fake", "c"));
	end_scene(scene);
}

static void one_of_several_that_is_busy_gives_all_back(void **state)
{
	struct scene *scene = new_scene();
	struct hold *other = open_hold(scene, 600 * NS_PER_S);

	(void)state;
	add(scene, "fake", "a");
	add(scene, "fake", "b");
	add(scene, "fake", "c");
	assert_int_equal(hold_add(other, at(scene, "fake", "c"), &scene->err), 0);
	assert_int_equal(take(scene, other, 0), 0);
	assert_int_equal(take(scene, scene->hold, 30), -ETIMEDOUT);
	assert_non_null(strstr(scene->log, "acquired a, acquired b, waiting c"));
	assert_non_null(strstr(scene->log, "timeout c, released b, released a"));
	assert_non_null(strstr(scene->err.text, "held by pid 4711"));
	assert_int_equal(hold_give_back(other, NULL), 0);
	assert_int_equal(take(scene, scene->hold, 0), 0);
	hold_close(other);
	end_scene(scene);
}

static void a_lock_is_not_added_twice(void **state)
{
	struct scene *scene = new_scene();
	char path[400], link[400];

	(void)state;
	snprintf(path, sizeof path, "%s/x.lock", scene->made.root);
	snprintf(link, sizeof link, "%s/link", scene->made.root);
	assert_int_equal(symlink(scene->made.root, link), 0);
	assert_int_equal(hold_add(scene->hold, path, &scene->err), 0);
	assert_int_equal(hold_add(scene->hold, path, &scene->err), -EEXIST);
	assert_non_null(strstr(scene->err.text, "is given twice"));
	/* Through a link, with dots, as another scheme on the same inode, and as a fallback. */
	snprintf(path, sizeof path, "%s/link/./x.lock", scene->made.root);
	assert_int_equal(hold_add(scene->hold, path, &scene->err), -EEXIST);
	assert_int_equal(hold_add(scene->hold, at(scene, "flock", "x.lock"), NULL), -EEXIST);
	assert_int_equal(hold_add_fallback(scene->hold, path, &scene->err), -EEXIST);
	assert_int_equal(hold_count(scene->hold), 1);
	assert_int_equal(hold_add(scene->hold, at(scene, "fake", "y"), &scene->err), 0);
	assert_int_equal(hold_add(scene->hold, at(scene, "fake", "y"), &scene->err), -EEXIST);
	end_scene(scene);
}

static void a_strange_address_is_refused(void **state)
{
	struct scene *scene = new_scene();

	(void)state;
	assert_int_equal(hold_add(scene->hold, "", &scene->err), -EINVAL);
	assert_int_equal(hold_add(scene->hold, "nothing:/a", &scene->err), -EPROTONOSUPPORT);
	assert_non_null(strstr(scene->err.text, "no lock can be taken in 'nothing:'"));
	assert_int_equal(hold_add(scene->hold, "/run/lock/", &scene->err), -EINVAL);
	assert_non_null(strstr(scene->err.text, "no name of a lock"));
	assert_int_equal(hold_add(scene->hold, "fake:/a?x=1", &scene->err), -EINVAL);
	assert_int_equal(hold_add(scene->hold, "fake:", &scene->err), -EINVAL);
	assert_int_equal(take(scene, scene->hold, 0), -EINVAL);
	assert_int_equal(hold_count(scene->hold), 0);
	assert_string_equal(hold_address(scene->hold), "");
	end_scene(scene);
}

static void an_address_is_an_address_again(void **state)
{
	struct scene *scene = new_scene();
	struct uri uri;
	char expected[400], path[400];

	(void)state;
	snprintf(path, sizeof path, "%s/50%% ?\x1b[31m.lock", scene->made.root);
	snprintf(
		expected, sizeof expected, "file:%s/50%%25%%20%%3F%%1B[31m.lock", scene->made.root);
	assert_int_equal(hold_add(scene->hold, path, &scene->err), 0);
	assert_string_equal(hold_address(scene->hold), expected);
	assert_int_equal(uri_parse(&uri, expected, NULL), 0);
	assert_string_equal(uri.path, path);
	uri_release(&uri);
	end_scene(scene);
}

static void a_fallback_stands_in_for_what_cannot_be_reached(void **state)
{
	struct scene *scene = new_scene();

	(void)state;
	add(scene, "fake", "m");
	add(scene, "fake", "a");
	assert_int_equal(hold_add_fallback(scene->hold, at(scene, "fake", "y"), NULL), 0);
	assert_int_equal(hold_add_fallback(scene->hold, at(scene, "fake", "b"), NULL), 0);
	script(scene, "m", "unreachable\n");
	script(scene, "y", "unreachable\n");
	assert_int_equal(take(scene, scene->hold, 0), 0);
	/* Not what comes behind in the order was in the way, so it is taken anew in its order. */
	assert_log(scene, "acquired a, released a, fallback y, acquired a, released a, fallback b, "
			  "acquired a, acquired b");
	assert_non_null(strstr(scene->full, "cannot reach"));
	assert_string_equal(hold_address(scene->hold), at(scene, "fake", "b"));
	assert_int_equal(hold_count(scene->hold), 2);
	assert_int_equal(hold_give_back(scene->hold, NULL), 0);

	/* The next time the main one comes first again. */
	script(scene, "m", "");
	assert_int_equal(take(scene, scene->hold, 0), 0);
	assert_log(scene, "acquired a, acquired m");
	end_scene(scene);
}

static void a_fallback_never_stands_in_for_what_is_busy(void **state)
{
	struct scene *scene = new_scene();

	(void)state;
	add(scene, "fake", "m");
	assert_int_equal(hold_add_fallback(scene->hold, at(scene, "fake", "f"), NULL), 0);
	script(scene, "m", "busy\n");
	assert_int_equal(take(scene, scene->hold, 0), -EBUSY);
	assert_log(scene, "busy m");
	assert_int_equal(take(scene, scene->hold, 3), -ETIMEDOUT);
	assert_null(strstr(scene->log, "fallback"));
	scene->stop_after = 3;
	assert_int_equal(take(scene, scene->hold, 3), -ECANCELED);
	assert_null(strstr(scene->log, "fallback"));
	end_scene(scene);
}

static void without_a_fallback_that_can_be_reached_nothing_is_taken(void **state)
{
	struct scene *scene = new_scene();

	(void)state;
	add(scene, "fake", "m");
	assert_int_equal(hold_add_fallback(scene->hold, at(scene, "fake", "f"), NULL), 0);
	script(scene, "m", "unreachable\n");
	script(scene, "f", "unreachable\n");
	assert_int_equal(take(scene, scene->hold, 5), -EIO);
	assert_log(scene, "fallback f, error f");
	/* Of another lock of the hold there is no fallback. */
	script(scene, "m", "");
	add(scene, "fake", "w");
	script(scene, "w", "unreachable\n");
	assert_int_equal(take(scene, scene->hold, 5), -EIO);
	assert_log(scene, "acquired m, released m, error w");
	end_scene(scene);
}

static void renewals_keep_the_time_of_the_last_success(void **state)
{
	struct scene *scene = new_scene();
	mono_t began;

	(void)state;
	add(scene, "fake", "a");
	assert_int_equal(hold_renew_at(scene->hold), MONO_NEVER);
	assert_int_equal(hold_lost_at(scene->hold), MONO_NEVER);
	assert_int_equal(take(scene, scene->hold, 0), 0);
	began = scene->made.time.mono;
	assert_int_equal(hold_renew_at(scene->hold), began + 200 * NS_PER_S);
	assert_int_equal(hold_lost_at(scene->hold), began + 400 * NS_PER_S);
	assert_int_equal(hold_ends_at(scene->hold), began + 600 * NS_PER_S);

	scene->made.time.mono += 200 * NS_PER_S;
	assert_int_equal(hold_renew(scene->hold, &scene->err), 0);
	assert_int_equal(hold_renew_at(scene->hold), began + 400 * NS_PER_S);

	/* What could not be told counts from the success before it. */
	scene->made.time.mono += 200 * NS_PER_S;
	script(scene, "a", "transient 1\n");
	assert_int_equal(hold_renew(scene->hold, &scene->err), -EIO);
	assert_true(hold_is_held(scene->hold));
	assert_int_equal(hold_lost_at(scene->hold), began + 600 * NS_PER_S);
	scene->made.time.mono += NS_PER_S;
	assert_int_equal(hold_renew(scene->hold, &scene->err), 0);
	assert_int_equal(hold_lost_at(scene->hold), began + 801 * NS_PER_S);
	assert_log(scene, "acquired a, renewed a, error a, renewed a");
	end_scene(scene);
}

static void a_wall_clock_that_jumps_changes_no_time(void **state)
{
	struct scene *scene = new_scene();
	mono_t ends;

	(void)state;
	add(scene, "fake", "a");
	assert_int_equal(take(scene, scene->hold, 0), 0);
	ends = hold_ends_at(scene->hold);
	scene->made.time.wall += 3600 * NS_PER_S;
	assert_int_equal(hold_ends_at(scene->hold), ends);
	assert_int_equal(hold_verify(scene->hold, NULL), 0);
	scene->made.time.wall -= 7200 * NS_PER_S;
	assert_int_equal(hold_renew(scene->hold, NULL), 0);
	assert_int_equal(hold_ends_at(scene->hold), ends);
	end_scene(scene);
}

static void a_long_lease_is_renewed_as_often_as_readers_of_two_fields_need_it(void **state)
{
	struct scene *scene = new_scene();
	struct hold *other = open_hold(scene, 0);
	mono_t now = scene->made.time.mono;

	(void)state;
	hold_close(scene->hold);
	scene->hold = open_hold(scene, 7200 * NS_PER_S);
	add(scene, "fake", "a");
	assert_int_equal(take(scene, scene->hold, 0), 0);
	assert_int_equal(hold_renew_at(scene->hold), now + 200 * NS_PER_S);
	assert_int_equal(hold_lost_at(scene->hold), now + 4800 * NS_PER_S);
	/* Without a lease too, but then nothing ends. */
	assert_int_equal(hold_add(other, at(scene, "fake", "b"), NULL), 0);
	assert_int_equal(take(scene, other, 0), 0);
	assert_int_equal(hold_renew_at(other), now + 200 * NS_PER_S);
	assert_int_equal(hold_lost_at(other), MONO_NEVER);
	assert_int_equal(hold_ends_at(other), MONO_NEVER);
	hold_close(other);
	end_scene(scene);
}

static void a_lost_lock_is_told_at_the_renewal(void **state)
{
	struct scene *scene = new_scene();

	(void)state;
	add(scene, "fake", "a");
	add(scene, "fake", "b");
	script(scene, "b", "lose 2\n");
	assert_int_equal(take(scene, scene->hold, 0), 0);
	assert_int_equal(hold_renew(scene->hold, &scene->err), 0);
	assert_true(hold_is_held(scene->hold));
	/* What is lost for sure is said, also when another could not be told. */
	script(scene, "a", "transient 1\n");
	assert_int_equal(hold_renew(scene->hold, &scene->err), -EKEYREJECTED);
	assert_non_null(strstr(scene->err.text, "/b belongs to pid 1"));
	assert_false(hold_is_held(scene->hold));
	assert_log(scene, "acquired a, acquired b, renewed a, renewed b, error a, lost b");
	/* What is left is given back; the other is not touched. */
	scene->log[0] = '\0';
	assert_int_equal(hold_give_back(scene->hold, &scene->err), -EKEYREJECTED);
	assert_log(scene, "lost b, released a");
	assert_int_equal(take(scene, scene->hold, 0), -EBUSY);
	assert_non_null(strstr(scene->err.text, "held by pid 1"));
	end_scene(scene);
}

static void a_lock_that_cannot_be_reached_can_be_given_back_later(void **state)
{
	struct scene *scene = new_scene();

	(void)state;
	add(scene, "fake", "a");
	assert_int_equal(take(scene, scene->hold, 0), 0);
	script(scene, "a", "unreachable 1\n");
	assert_int_equal(hold_give_back(scene->hold, &scene->err), -EIO);
	assert_int_equal(hold_give_back(scene->hold, &scene->err), 0);
	assert_log(scene, "acquired a, error a, released a");
	end_scene(scene);
}

static void a_lease_that_ran_out_is_taken_over_and_told(void **state)
{
	struct scene *scene = new_scene();
	struct hold *other = open_hold(scene, 60 * NS_PER_S);

	(void)state;
	add(scene, "fake", "a");
	assert_int_equal(hold_add(other, at(scene, "fake", "a"), NULL), 0);
	assert_int_equal(take(scene, other, 0), 0);
	scene->made.time.mono += 61 * NS_PER_S;
	assert_int_equal(take(scene, scene->hold, 0), 0);
	assert_log(scene, "stale a, taken_over a, acquired a");
	assert_string_equal(scene->full, "the lease of pid 4711 ran out");
	assert_int_equal(hold_fence(scene->hold), 2);
	assert_int_equal(hold_renew(other, &scene->err), -EKEYREJECTED);
	assert_int_equal(hold_verify(scene->hold, &scene->err), 0);
	hold_close(other);
	end_scene(scene);
}

static void what_was_taken_before_is_renewed_while_another_is_waited_for(void **state)
{
	struct scene *scene = new_scene();

	(void)state;
	hold_close(scene->hold);
	scene->hold = open_hold(scene, 30 * NS_PER_S);
	add(scene, "fake", "a");
	add(scene, "fakequeue", "b");
	script(scene, "b", "busy\n");
	assert_int_equal(take(scene, scene->hold, 55), -ETIMEDOUT);
	assert_log(scene, "acquired a, waiting b, slow b, slow b, renewed a, renewed a, renewed a, "
			  "renewed a, renewed a, timeout b, released a");
	/* Lost meanwhile: nobody goes on. */
	script(scene, "a", "lose 2\n");
	assert_int_equal(take(scene, scene->hold, -1), -EKEYREJECTED);
	assert_log(scene, "acquired a, waiting b, slow b, slow b, renewed a, lost a, lost a");
	end_scene(scene);
}

static void a_renewal_that_fails_during_a_wait_is_tried_again_with_pauses(void **state)
{
	struct scene *scene = new_scene();

	(void)state;
	hold_close(scene->hold);
	scene->hold = open_hold(scene, 30 * NS_PER_S);
	add(scene, "fake", "a");
	add(scene, "fakequeue", "b");
	script(scene, "b", "busy\n");
	script(scene, "a", "transient 3\n");
	assert_int_equal(take(scene, scene->hold, 20), -ETIMEDOUT);
	assert_non_null(strstr(scene->log, "error a, error a, error a, renewed a"));
	/* It never gets better: the wait ends before the lease does. */
	script(scene, "a", "transient\n");
	assert_int_equal(take(scene, scene->hold, -1), -EIO);
	end_scene(scene);
}

static void a_detached_lock_is_adopted_by_its_token(void **state)
{
	struct scene *scene = new_scene();
	struct hold *other = open_hold(scene, 600 * NS_PER_S);
	char token[33];

	(void)state;
	add(scene, "fake", "a");
	assert_int_equal(take(scene, scene->hold, 0), 0);
	memcpy(token, hold_claim(scene->hold)->token, sizeof token);
	assert_int_equal(hold_add(other, at(scene, "fake", "a"), NULL), 0);
	assert_int_equal(hold_verify(other, &scene->err), -EINVAL);
	assert_int_equal(hold_adopt(other, "5f0c", &scene->err), -EINVAL);
	assert_int_equal(hold_adopt(other, "00000000000000000000000000000000", NULL), 0);
	assert_int_equal(hold_renew_at(other), 0);
	assert_int_equal(hold_lost_at(other), MONO_NEVER);
	assert_int_equal(hold_verify(other, &scene->err), -EKEYREJECTED);
	assert_int_equal(hold_give_back(other, &scene->err), -EKEYREJECTED);

	assert_int_equal(hold_adopt(other, token, &scene->err), 0);
	assert_int_equal(hold_adopt(other, token, &scene->err), -EINVAL);
	assert_int_equal(hold_verify(other, &scene->err), 0);
	assert_int_equal(hold_renew(other, &scene->err), 0);
	assert_int_equal(hold_ends_at(other), scene->made.time.mono + 600 * NS_PER_S);
	assert_int_equal(hold_give_back(other, &scene->err), 0);
	assert_int_equal(hold_verify(scene->hold, &scene->err), -ESTALE);
	hold_close(other);
	end_scene(scene);
}

static void a_token_of_the_callers_own_is_kept(void **state)
{
	struct scene *scene = new_scene();
	struct hold_options options = {.world = &scene->made.world,
		.claim = {.pid = 4711, .token = "0123456789abcdef0123456789abcdef"}};
	struct hold *hold;

	(void)state;
	assert_int_equal(hold_open(&hold, &options, &scene->err), 0);
	assert_int_equal(hold_add(hold, at(scene, "fake", "a"), NULL), 0);
	assert_int_equal(take(scene, hold, 0), 0);
	assert_string_equal(hold_claim(hold)->token, options.claim.token);
	assert_non_null(hold_claim(hold)->here);
	hold_close(hold);
	hold_close(NULL);
	end_scene(scene);
}

static void without_a_listener_a_queue_is_entered_at_once(void **state)
{
	struct scene *scene = new_scene();
	struct hold_options options = {.world = &scene->made.world};
	struct hold *hold;

	(void)state;
	assert_int_equal(hold_open(&hold, &options, &scene->err), 0);
	assert_int_equal(hold_add(hold, at(scene, "fakequeue", "a"), NULL), 0);
	script(scene, "a", "busy 500\n");
	assert_int_equal(take(scene, hold, -1), 0);
	assert_int_equal(scene->ticks, 500);
	assert_int_equal(hold_give_back(hold, NULL), 0);
	script(scene, "a", "busy\n");
	assert_int_equal(take(scene, hold, 2), -ETIMEDOUT);
	assert_int_equal(take(scene, hold, 0), -EBUSY);
	hold_close(hold);
	end_scene(scene);
}

static void slow_places_count_into_the_wait(void **state)
{
	struct scene *scene = new_scene();

	(void)state;
	add(scene, "fake", "a");
	script(scene, "a", "slow 2.5\n");
	assert_int_equal(take(scene, scene->hold, 0), 0);
	assert_int_equal(scene->waits[0], clock_ns(2.5));
	/* The lease began when it was asked for, at the latest. */
	assert_int_equal(
		hold_ends_at(scene->hold), scene->made.time.mono - clock_ns(2.5) + 600 * NS_PER_S);
	end_scene(scene);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(steps_have_words),
		cmocka_unit_test(a_lock_is_taken_and_given_back),
		cmocka_unit_test(a_busy_lock_is_not_waited_for_without_being_asked),
		cmocka_unit_test(pauses_are_jittered_between_their_limits),
		cmocka_unit_test(a_long_wait_is_told_every_five_minutes),
		cmocka_unit_test(whoever_waits_may_be_told_to_stop),
		cmocka_unit_test(locks_are_taken_in_one_order_and_given_back_in_the_reverse),
		cmocka_unit_test(one_of_several_that_is_busy_gives_all_back),
		cmocka_unit_test(a_lock_is_not_added_twice),
		cmocka_unit_test(a_strange_address_is_refused),
		cmocka_unit_test(an_address_is_an_address_again),
		cmocka_unit_test(a_fallback_stands_in_for_what_cannot_be_reached),
		cmocka_unit_test(a_fallback_never_stands_in_for_what_is_busy),
		cmocka_unit_test(without_a_fallback_that_can_be_reached_nothing_is_taken),
		cmocka_unit_test(renewals_keep_the_time_of_the_last_success),
		cmocka_unit_test(a_wall_clock_that_jumps_changes_no_time),
		cmocka_unit_test(a_long_lease_is_renewed_as_often_as_readers_of_two_fields_need_it),
		cmocka_unit_test(a_lost_lock_is_told_at_the_renewal),
		cmocka_unit_test(a_lock_that_cannot_be_reached_can_be_given_back_later),
		cmocka_unit_test(a_lease_that_ran_out_is_taken_over_and_told),
		cmocka_unit_test(what_was_taken_before_is_renewed_while_another_is_waited_for),
		cmocka_unit_test(a_renewal_that_fails_during_a_wait_is_tried_again_with_pauses),
		cmocka_unit_test(a_detached_lock_is_adopted_by_its_token),
		cmocka_unit_test(a_token_of_the_callers_own_is_kept),
		cmocka_unit_test(without_a_listener_a_queue_is_entered_at_once),
		cmocka_unit_test(slow_places_count_into_the_wait),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

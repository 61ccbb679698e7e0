/*
 * What happens to a lock file and its holder when the machine misbehaves. Whatever it is, the
 * outcome has to be one of three: "still held", "lost, and told at the next step", "never taken";
 * and never are there two owners. Holders that stand still are real processes; two holders of one
 * process are two open file descriptions, which flock(2) keeps apart all the same.
 */
#include "config.h"
#include "made_world.h"
#include "steered.h"

#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>

#include "backends/file_lt1.h"
#include "system/fence.h"

enum { LEASE_S = 30 };

static const struct patience one_try;
static bool is_disk_full, has_disk_half_the_room;

ssize_t __real_pwrite(int fd, const void *data, size_t len, off_t offset);
ssize_t __wrap_pwrite(int fd, const void *data, size_t len, off_t offset);

ssize_t __wrap_pwrite(int fd, const void *data, size_t len, off_t offset)
{
	if (!is_disk_full)
		return __real_pwrite(fd, data, has_disk_half_the_room ? len / 2 : len, offset);
	errno = ENOSPC;
	return -1;
}

/* A folder with one lock, and the time as this test has it. */
struct spot {
	char folder[256], path[300];
	struct steered time;
	struct clock clock;
	struct world world;
	struct here here;
};

/* Somebody who takes that lock. */
struct party {
	struct lt1 lt1;
	struct claim claim;
	struct taking taking;
	struct error err;
};

static void open_world(struct spot *spot)
{
	spot->clock = steered_clock(&spot->time);
	assert_int_equal(world_open(&spot->world, NULL, &spot->clock, NULL), 0);
	assert_int_equal(proc_here(&spot->world, &spot->here, NULL), 0);
}

static int set_up(void **state)
{
	struct spot *spot = calloc(1, sizeof *spot);

	assert_non_null(spot);
	is_disk_full = has_disk_half_the_room = false;
	make_folder(spot->folder, sizeof spot->folder);
	snprintf(spot->path, sizeof spot->path, "%s/job.lock", spot->folder);
	open_world(spot);
	*state = spot;
	return 0;
}

static int tear_down(void **state)
{
	struct spot *spot = *state;
	char aside[300];

	snprintf(aside, sizeof aside, "%s.aside", spot->folder);
	remove_tree(spot->folder);
	remove_tree(aside);
	world_close(&spot->world);
	free(spot);
	return 0;
}

static void come(struct party *party, struct spot *spot)
{
	*party = (struct party){0};
	party->claim = (struct claim){.lease = LEASE_S * NS_PER_S,
		.stale_after = 600 * NS_PER_S,
		.takeover = TAKEOVER_PROOF,
		.mode = 0640};
	claim_self(&party->claim, &spot->world, &spot->here);
	assert_int_equal(claim_token(party->claim.token), 0);
	assert_int_equal(lt1_open(&party->lt1, &spot->world, spot->path, &party->err), 0);
}

static int take(struct party *party)
{
	return lt1_acquire(&party->lt1, &party->claim, &one_try, &party->taking, &party->err);
}

static int verify(struct party *party)
{
	return lt1_verify(&party->lt1, &party->claim, &party->err);
}

static int renew(struct party *party)
{
	return lt1_renew(&party->lt1, &party->claim, &party->err);
}

static int give_back(struct party *party)
{
	return lt1_give_back(&party->lt1, &party->claim, &party->err);
}

static bool is_lost(int rc)
{
	return rc == -ESTALE || rc == -EKEYREJECTED;
}

static void take_first(struct party *party, struct spot *spot)
{
	come(party, spot);
	assert_int_equal(take(party), 0);
}

/* "Still held": it is the owner's, at every step, and nobody else gets it. */
static void assert_still_held(struct party *owner, struct party *other)
{
	for (int takeover = 0; takeover < TAKEOVER_COUNT; takeover++) {
		other->claim.takeover = (enum takeover)takeover;
		assert_int_equal(take(other), -EBUSY);
	}
	other->claim.takeover = TAKEOVER_PROOF;
	assert_int_equal(verify(owner), 0);
	assert_int_equal(renew(owner), 0);
	assert_int_equal(verify(owner), 0);
}

/* "Lost and told": each step of the former says so, and does nothing to the present owner. */
static void assert_lost_and_told(struct party *former, struct party *owner)
{
	assert_true(is_lost(verify(former)));
	assert_true(is_lost(renew(former)));
	assert_int_equal(verify(owner), 0);
	assert_true(is_lost(give_back(former)));
	assert_int_equal(verify(owner), 0);
	assert_true(owner->lt1.fence > former->lt1.fence);
	assert_int_equal(give_back(owner), 0);
}

static void end(struct party *party)
{
	lt1_close(&party->lt1);
}

/* A holder that is a process: it does what a letter on its pipe says, and answers with the result
 * and the fence. It ends with this one. */
struct answer {
	int rc;
	int64_t fence;
};

struct partner {
	pid_t pid;
	int to, from;
};

static void serve(struct spot *spot, bool is_detached, int in, int out)
{
	struct party party;
	char letter;

	/* Its own descriptor: a clock of its own goes on from the same values. */
	come(&party, spot);
	party.claim.is_detached = is_detached;
	while (read(in, &letter, 1) == 1) {
		struct answer answer = {.rc = -EINVAL};

		switch (letter) {
		case 't': answer.rc = take(&party); break;
		case 'v': answer.rc = verify(&party); break;
		case 'r': answer.rc = renew(&party); break;
		case 'g': answer.rc = give_back(&party); break;
		case 'j': /* the time goes on, as for everybody */
			spot->time.mono += (LEASE_S + 1) * NS_PER_S;
			answer.rc = 0;
			break;
		}
		answer.fence = party.lt1.fence;
		if (write(out, &answer, sizeof answer) != sizeof answer)
			break;
	}
	_exit(0);
}

static void start(struct partner *partner, struct spot *spot, bool is_detached)
{
	pid_t parent = getpid();
	int to[2], from[2];

	assert_int_equal(pipe(to), 0);
	assert_int_equal(pipe(from), 0);
	partner->pid = fork();
	assert_true(partner->pid >= 0);
	if (partner->pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (getppid() != parent)
			_exit(1);
		close(to[1]);
		close(from[0]);
		serve(spot, is_detached, to[0], from[1]);
	}
	close(to[0]);
	close(from[1]);
	partner->to = to[1];
	partner->from = from[0];
}

static struct answer ask(struct partner *partner, char letter)
{
	struct answer answer;

	assert_int_equal(write(partner->to, &letter, 1), 1);
	assert_int_equal(read(partner->from, &answer, sizeof answer), sizeof answer);
	return answer;
}

static void stop(struct partner *partner)
{
	int status;

	assert_int_equal(kill(partner->pid, SIGSTOP), 0);
	assert_int_equal(waitpid(partner->pid, &status, WUNTRACED), partner->pid);
	assert_true(WIFSTOPPED(status));
}

static void dismiss(struct partner *partner)
{
	kill(partner->pid, SIGKILL);
	waitpid(partner->pid, NULL, 0);
	close(partner->to);
	close(partner->from);
}

static void a_holder_stopped_past_its_lease_still_holds(void **state)
{
	struct spot *spot = *state;
	struct partner holder;
	struct party other;

	start(&holder, spot, false);
	assert_int_equal(ask(&holder, 't').rc, 0);
	stop(&holder);
	spot->time.mono += 3600 * NS_PER_S;
	come(&other, spot);
	assert_int_equal(take(&other), -EBUSY);
	other.claim.takeover = TAKEOVER_LIMIT;
	assert_int_equal(take(&other), -EBUSY);
	kill(holder.pid, SIGCONT);
	assert_int_equal(ask(&holder, 'v').rc, 0);
	assert_int_equal(ask(&holder, 'r').rc, 0);
	assert_int_equal(ask(&holder, 'g').rc, 0);
	assert_int_equal(take(&other), 0);
	dismiss(&holder);
	end(&other);
}

static void a_detached_holder_stopped_past_its_lease_is_told_and_its_fence_is_old(void **state)
{
	struct spot *spot = *state;
	struct answer first, told;
	struct partner holder;
	struct party next;
	int64_t last = 0;
	int dir;

	start(&holder, spot, true);
	first = ask(&holder, 't');
	assert_int_equal(first.rc, 0);
	assert_true(first.fence > 0);
	stop(&holder);
	come(&next, spot);
	next.claim.is_detached = true;
	assert_int_equal(take(&next), -EBUSY);
	spot->time.mono += (LEASE_S + 1) * NS_PER_S;
	assert_int_equal(take(&next), 0);
	assert_true(next.taking.was_stale);
	kill(holder.pid, SIGCONT);
	assert_int_equal(ask(&holder, 'j').rc, 0);
	told = ask(&holder, 'r'); /* its next heartbeat */
	assert_true(is_lost(told.rc));
	assert_true(is_lost(ask(&holder, 'v').rc));
	assert_true(is_lost(ask(&holder, 'g').rc));
	assert_int_equal(verify(&next), 0);

	/* Whatever it still writes is known as old. */
	dir = open(spot->folder, O_PATH | O_DIRECTORY | O_CLOEXEC);
	assert_int_equal(fence_last(dir, "job.lock", &last, NULL), 0);
	close(dir);
	assert_int_equal(last, next.taking.fence);
	assert_true(first.fence < last);
	dismiss(&holder);
	end(&next);
}

static void the_wall_clock_jumps_an_hour_forward(void **state)
{
	struct spot *spot = *state;
	struct party owner, other;

	take_first(&owner, spot);
	come(&other, spot);
	spot->time.jump += 3600 * NS_PER_S;
	assert_still_held(&owner, &other);
	assert_int_equal(give_back(&owner), 0);
	end(&owner);
	end(&other);
}

static void the_wall_clock_jumps_an_hour_back(void **state)
{
	struct spot *spot = *state;
	struct party owner, other;

	take_first(&owner, spot);
	come(&other, spot);
	spot->time.jump -= 3600 * NS_PER_S;
	assert_still_held(&owner, &other);
	assert_int_equal(give_back(&owner), 0);
	assert_int_equal(take(&other), 0);
	end(&owner);
	end(&other);
}

/* Nobody keeps a flock, so its age decides: of the clock that cannot be set. */
static void a_jump_of_the_wall_clock_makes_no_detached_lock_stale(void **state)
{
	static const int64_t jumps[] = {3600 * NS_PER_S, -3600 * NS_PER_S};
	struct spot *spot = *state;

	for (size_t i = 0; i < sizeof jumps / sizeof *jumps; i++) {
		struct party owner, other;

		come(&owner, spot);
		owner.claim.is_detached = true;
		assert_int_equal(take(&owner), 0);
		come(&other, spot);
		spot->time.jump = jumps[i];
		assert_int_equal(take(&other), -EBUSY);
		spot->time.mono += (LEASE_S - 1) * NS_PER_S;
		assert_int_equal(verify(&owner), 0);
		assert_int_equal(renew(&owner), 0);
		spot->time.mono += (LEASE_S - 1) * NS_PER_S;
		assert_int_equal(take(&other), -EBUSY);
		spot->time.jump = 0;
		assert_int_equal(take(&other), -EBUSY);
		spot->time.mono += 2 * NS_PER_S;
		assert_int_equal(take(&other), 0);
		assert_lost_and_told(&owner, &other);
		end(&owner);
		end(&other);
	}
}

static void the_machine_slept_for_an_hour(void **state)
{
	struct spot *spot = *state;
	struct party owner, other;

	take_first(&owner, spot);
	come(&other, spot);
	spot->time.mono += 3600 * NS_PER_S; /* CLOCK_BOOTTIME and the wall clock alike */
	assert_still_held(&owner, &other);
	end(&owner);
	end(&other);
}

/* Runs a step in a process of its own, which may change its limits and mounts. */
static void in_a_process(struct spot *spot, void (*step)(struct spot *))
{
	pid_t parent = getpid(), pid = fork();
	int status;

	assert_true(pid >= 0);
	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (getppid() != parent)
			_exit(1);
		step(spot);
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
}

/* In the process: what is not so is said, and makes the case fail. */
#define MUST(what)                                                                           \
	do {                                                                                 \
		if (!(what)) {                                                               \
			fprintf(stderr, "line %d: not so: %s (errno %d)\n", __LINE__, #what, \
				errno);                                                      \
			_exit(1);                                                            \
		}                                                                            \
	} while (0)

static void with_few_descriptors(struct spot *spot)
{
	struct rlimit saved, none;
	struct party owner, other;

	take_first(&owner, spot);
	come(&other, spot);
	MUST(getrlimit(RLIMIT_NOFILE, &saved) == 0);
	none = saved;
	none.rlim_cur = 0;
	MUST(setrlimit(RLIMIT_NOFILE, &none) == 0);

	/* The holder is not told that it lost what it has, and nothing is taken. */
	MUST(!is_lost(verify(&owner)));
	MUST(!is_lost(renew(&owner)));
	MUST(take(&other) == -EMFILE);
	MUST(provider_is_unreachable(-EMFILE));
	MUST(setrlimit(RLIMIT_NOFILE, &saved) == 0);
	MUST(verify(&owner) == 0);
	MUST(renew(&owner) == 0);
	MUST(take(&other) == -EBUSY);
	MUST(give_back(&owner) == 0);

	/* Nor is it taken by halves when it is free. */
	MUST(setrlimit(RLIMIT_NOFILE, &none) == 0);
	MUST(take(&other) == -EMFILE);
	MUST(setrlimit(RLIMIT_NOFILE, &saved) == 0);
	MUST(take(&owner) == 0);
	MUST(give_back(&owner) == 0);
}

static void without_descriptors_a_lock_is_never_taken_and_one_that_is_held_stays(void **state)
{
	in_a_process(*state, with_few_descriptors);
}

static bool write_file(const char *path, const char *text)
{
	FILE *f = fopen(path, "we");

	if (!f)
		return false;
	fputs(text, f);
	return fclose(f) == 0;
}

/* Mounts of its own: as root, or in a user namespace. */
static bool get_own_mounts(void)
{
	char users[32], groups[32];

	snprintf(users, sizeof users, "0 %u 1", (unsigned int)getuid());
	snprintf(groups, sizeof groups, "0 %u 1", (unsigned int)getgid());
	if (unshare(CLONE_NEWNS) < 0 && (unshare(CLONE_NEWUSER | CLONE_NEWNS) < 0 ||
						!write_file("/proc/self/uid_map", users) ||
						!write_file("/proc/self/setgroups", "deny") ||
						!write_file("/proc/self/gid_map", groups)))
		return false;
	return mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0;
}

static void fill(const char *path)
{
	static const char block[4096];
	int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

	MUST(fd >= 0);
	while (write(fd, block, sizeof block) > 0)
		;
	MUST(errno == ENOSPC);
	close(fd);
}

static void on_a_full_disk(struct spot *spot)
{
	char filler[300];
	struct party owner, other;
	struct stat st;

	snprintf(filler, sizeof filler, "%s/filler", spot->folder);
	if (!get_own_mounts()) {
		/* The case after this needs no rights. */
		printf("# no mounts of one's own here: no disk was filled\n");
		_exit(0);
	}
	MUST(mount("tmpfs", spot->folder, "tmpfs", 0, "size=64k") == 0);

	/* No file yet. */
	fill(filler);
	come(&other, spot);
	MUST(take(&other) == -ENOSPC);
	MUST(provider_is_unreachable(-ENOSPC));
	MUST(lstat(spot->path, &st) < 0 && errno == ENOENT);
	MUST(unlink(filler) == 0);
	MUST(take(&other) == 0);
	MUST(give_back(&other) == 0);

	/* An empty one, which has no block of its own. */
	fill(filler);
	MUST(take(&other) == -ENOSPC);
	MUST(stat(spot->path, &st) == 0 && st.st_size == 0);
	MUST(unlink(filler) == 0);

	/* Held: renewing needs no new block, and the lock stays. */
	take_first(&owner, spot);
	fill(filler);
	MUST(verify(&owner) == 0);
	MUST(renew(&owner) == 0);
	MUST(take(&other) == -EBUSY);
	MUST(give_back(&owner) == 0);
}

static void on_a_full_disk_a_lock_is_never_taken_and_one_that_is_held_stays(void **state)
{
	in_a_process(*state, on_a_full_disk);
}

/* Also where a rewrite needs room, as on a file system that copies on write. */
static void while_each_write_fails_a_lock_is_never_taken_and_one_that_is_held_stays(void **state)
{
	struct spot *spot = *state;
	struct party owner, other;
	struct stat st;

	come(&other, spot);
	is_disk_full = true;
	assert_int_equal(take(&other), -ENOSPC);
	assert_int_equal(lstat(spot->path, &st), -1);
	is_disk_full = false;
	take_first(&owner, spot);
	is_disk_full = true;
	assert_int_equal(renew(&owner), -ENOSPC);
	assert_int_equal(verify(&owner), 0);
	assert_int_equal(take(&other), -EBUSY);
	assert_int_equal(give_back(&owner), 0);
	assert_int_equal(take(&other), -ENOSPC);
	is_disk_full = false;
	assert_int_equal(take(&other), 0);
	assert_int_equal(verify(&other), 0);
	end(&owner);
	end(&other);
}

static void half_a_record_is_never_left(void **state)
{
	struct spot *spot = *state;
	struct party one;
	struct stat st;

	come(&one, spot);
	has_disk_half_the_room = true;
	assert_int_equal(take(&one), -ENOSPC);
	assert_int_equal(lstat(spot->path, &st), -1);
	has_disk_half_the_room = false;
	assert_int_equal(take(&one), 0);
	assert_int_equal(give_back(&one), 0);
	has_disk_half_the_room = true;
	assert_int_equal(take(&one), -ENOSPC);
	assert_int_equal(lstat(spot->path, &st), 0);
	assert_int_equal(st.st_size, 0);
	has_disk_half_the_room = false;
	assert_int_equal(take(&one), 0);
	end(&one);
}

static void the_folder_is_replaced_while_held(void **state)
{
	struct spot *spot = *state;
	struct party owner, next;
	char aside[300];

	take_first(&owner, spot);
	snprintf(aside, sizeof aside, "%s.aside", spot->folder);
	assert_int_equal(rename(spot->folder, aside), 0);
	assert_int_equal(mkdir(spot->folder, 0755), 0);
	take_first(&next, spot);
	assert_true(is_lost(verify(&owner)));
	assert_true(is_lost(renew(&owner)));
	assert_int_equal(verify(&next), 0);
	assert_true(is_lost(give_back(&owner)));
	assert_int_equal(verify(&next), 0);
	assert_int_equal(give_back(&next), 0);
	end(&owner);
	end(&next);
}

static void the_folder_is_removed_while_held(void **state)
{
	struct spot *spot = *state;
	struct party owner, next;

	take_first(&owner, spot);
	come(&next, spot);
	remove_tree(spot->folder);
	assert_true(is_lost(verify(&owner)));
	assert_true(is_lost(renew(&owner)));
	assert_int_equal(take(&next), -ENOENT);
	assert_true(is_lost(give_back(&owner)));
	end(&owner);
	end(&next);
}

static void the_lock_file_is_replaced_while_held(void **state)
{
	static const char *const contents[] = {"", "1|1", "not a record"};
	struct spot *spot = *state;

	for (size_t i = 0; i < sizeof contents / sizeof *contents; i++) {
		struct party owner, next;
		char other[310];
		int rc;

		take_first(&owner, spot);
		snprintf(other, sizeof other, "%s.other", spot->path);
		assert_true(write_file(other, contents[i]));
		assert_int_equal(rename(other, spot->path), 0);
		come(&next, spot);
		next.claim.takeover = TAKEOVER_LIMIT;
		rc = take(&next);
		if (rc == 0) {
			assert_lost_and_told(&owner, &next);
		} else { /* what cannot be understood may be somebody's for a while */
			assert_int_equal(rc, -EBUSY);
			assert_true(is_lost(verify(&owner)));
			assert_true(is_lost(renew(&owner)));
			assert_true(is_lost(give_back(&owner)));
			assert_int_equal(unlink(spot->path), 0);
		}
		end(&owner);
		end(&next);
	}
}

static void the_lock_file_is_removed_while_held(void **state)
{
	struct spot *spot = *state;
	struct party owner, next;

	take_first(&owner, spot);
	assert_int_equal(unlink(spot->path), 0);
	take_first(&next, spot);
	assert_lost_and_told(&owner, &next);
	end(&owner);
	end(&next);
}

static void the_lock_file_of_a_detached_lock_is_removed(void **state)
{
	struct spot *spot = *state;
	struct party owner, next;

	come(&owner, spot);
	owner.claim.is_detached = true;
	assert_int_equal(take(&owner), 0);
	assert_int_equal(unlink(spot->path), 0);
	take_first(&next, spot);
	assert_lost_and_told(&owner, &next);
	end(&owner);
	end(&next);
}

static void somebody_writes_into_the_lock_file_while_held(void **state)
{
	struct spot *spot = *state;
	struct party owner, other;
	char foreign[64];

	/* As file_put_contents() without LOCK_EX does. */
	take_first(&owner, spot);
	snprintf(foreign, sizeof foreign, "%d|%lld", (int)getppid(), (long long)time(NULL));
	assert_true(write_file(spot->path, foreign));
	come(&other, spot);
	assert_int_equal(take(&other), -EBUSY); /* the flock is still the owner's */
	assert_true(is_lost(verify(&owner)));
	assert_true(is_lost(give_back(&owner)));
	end(&owner);
	end(&other);
}

int main(void)
{
#define fault(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		fault(a_holder_stopped_past_its_lease_still_holds),
		fault(a_detached_holder_stopped_past_its_lease_is_told_and_its_fence_is_old),
		fault(the_wall_clock_jumps_an_hour_forward),
		fault(the_wall_clock_jumps_an_hour_back),
		fault(a_jump_of_the_wall_clock_makes_no_detached_lock_stale),
		fault(the_machine_slept_for_an_hour),
		fault(without_descriptors_a_lock_is_never_taken_and_one_that_is_held_stays),
		fault(on_a_full_disk_a_lock_is_never_taken_and_one_that_is_held_stays),
		fault(while_each_write_fails_a_lock_is_never_taken_and_one_that_is_held_stays),
		fault(half_a_record_is_never_left),
		fault(the_folder_is_replaced_while_held),
		fault(the_folder_is_removed_while_held),
		fault(the_lock_file_is_replaced_while_held),
		fault(the_lock_file_is_removed_while_held),
		fault(the_lock_file_of_a_detached_lock_is_removed),
		fault(somebody_writes_into_the_lock_file_while_held),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

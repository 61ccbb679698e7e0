/* The proof: options, the killer and robber, and what is printed. prove.h says what is proved. */
#include "config.h"
#include "prove.h"

#include <argp.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define MS INT64_C(1000000)

/* Without one acquisition for so long, something hangs. */
enum { STALL_S = 15 };

struct options {
	const struct protocol *protocol;
	const char *label;
	const char *folder;
	unsigned int workers;
	unsigned int interval;    /* us between two kills; 0: no kills */
	uint64_t acquired, kills; /* goals; both are reached, or the time is over */
	uint64_t damage;          /* ends when so much was found; 0: never */
	unsigned int seconds;     /* ends after these */
	uint64_t random;
	const char *mutant; /* its name; NULL: it is none */
	bool is_row;
};

struct run {
	const struct options *options;
	struct board *board;
	char path[600], spare[620];
	pid_t pids[SLOTS_MAX];
	uint64_t spawned;
	uint64_t kills, kills_inside, robbed;
	pid_t stopped; /* the robbed one, until `resume` */
	int64_t resume;
	int64_t began, progress;
	uint64_t progress_at;
	uint64_t random;
	int trouble;
	const char *why; /* the test could not go on */
};

/* The sum over all workers. */
struct sums {
	uint64_t acquired, done, busy, takeovers, handoffs;
	uint64_t overlaps, lost_updates, fences_back, denied, not_told, told;
	int64_t longest;
};

static void sum_up(const struct board *board, struct sums *sums)
{
	*sums = (struct sums){0};
	for (unsigned int i = 0; i < board->slots; i++) {
		const struct slot *slot = &board->slot[i];

		sums->acquired += slot->acquired;
		sums->done += slot->done;
		sums->busy += slot->busy;
		sums->takeovers += slot->takeovers;
		sums->handoffs += slot->handoffs;
		sums->overlaps += slot->overlaps;
		sums->lost_updates += slot->lost_updates;
		sums->fences_back += slot->fences_back;
		sums->denied += slot->denied;
		sums->not_told += slot->not_told;
		sums->told += slot->told;
		if (slot->longest > sums->longest)
			sums->longest = slot->longest;
	}
}

static uint64_t damage_of(const struct sums *sums)
{
	return sums->overlaps + sums->lost_updates + sums->fences_back + sums->denied +
	       sums->not_told;
}

static void spawn(struct run *run, unsigned int i)
{
	pid_t parent = getpid(), pid;
	uint64_t random = next_random(&run->random) | 1;

	pid = fork();
	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (getppid() != parent)
			_exit(2);
		worker_run(run->board, i, run->options->protocol, random);
	}
	if (pid < 0) {
		run->why = "cannot fork";
		run->trouble = -errno;
		return;
	}
	run->pids[i] = pid;
	run->spawned++;
}

static unsigned int slot_of(const struct run *run, pid_t pid)
{
	unsigned int i = 0;

	while (i < run->board->slots && run->pids[i] != pid)
		i++;
	return i;
}

/* The marks go while the pid is still a zombie's, so that no other process can have it. */
static void bury(struct run *run, unsigned int i, bool was_killed)
{
	struct slot *slot = &run->board->slot[i];

	if (was_killed) {
		run->kills++;
		if (slot->mark)
			run->kills_inside++;
	} else {
		run->why = "a worker ended";
		run->trouble = slot->trouble;
	}
	if (run->stopped == run->pids[i])
		run->stopped = 0;
	slot->mark = 0;
	slot->is_robbed = false;
	slot->phase = PHASE_OUTSIDE;
	slot->pid = 0;
	waitpid(run->pids[i], NULL, 0);
	run->pids[i] = 0;
}

static void reap(struct run *run, bool and_spawn)
{
	siginfo_t info;

	for (;;) {
		unsigned int i;

		info.si_pid = 0;
		if (waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) < 0 || info.si_pid == 0)
			return;
		i = slot_of(run, info.si_pid);
		if (i == run->board->slots)
			return;
		bury(run, i, info.si_code == CLD_KILLED && info.si_status == SIGKILL);
		if (and_spawn && !run->why)
			spawn(run, i);
	}
}

/* Every second victim is one that is inside, if there is one; the robbed may live to be told. */
static unsigned int choose_victim(struct run *run)
{
	unsigned int n = run->board->slots;
	unsigned int first = (unsigned int)(next_random(&run->random) % n);

	if (next_random(&run->random) % 2 == 0) {
		for (unsigned int i = 0; i < n; i++) {
			const struct slot *slot = &run->board->slot[(first + i) % n];

			if (slot->mark && !slot->is_robbed)
				return (first + i) % n;
		}
	}
	return first;
}

/* Replaces or removes the lock file of a holder that stands still inside. */
static void take_away(struct run *run)
{
	int fd;

	if (next_random(&run->random) % 2 == 0) {
		unlink(run->path);
		return;
	}
	fd = open(run->spare, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0640);
	if (fd < 0 || close(fd) < 0 || rename(run->spare, run->path) < 0) {
		run->why = "cannot replace the lock file";
		run->trouble = -errno;
	}
}

static void rob(struct run *run, unsigned int i)
{
	struct slot *slot = &run->board->slot[i];
	siginfo_t info = {0};

	if (run->pids[i] == 0 || kill(run->pids[i], SIGSTOP) < 0)
		return;
	/* An exit is left for reap(). */
	if (waitid(P_PID, (id_t)run->pids[i], &info, WSTOPPED | WEXITED | WNOWAIT) < 0 ||
		info.si_code != CLD_STOPPED)
		return;
	waitid(P_PID, (id_t)run->pids[i], &info, WSTOPPED);
	if (slot->phase == PHASE_INSIDE && !slot->is_robbed) {
		slot->is_robbed = true;
		take_away(run);
		run->robbed++;
		run->stopped = run->pids[i];
		run->resume = now() + (int64_t)(next_random(&run->random) % (6 * MS));
	} else {
		kill(run->pids[i], SIGCONT);
	}
}

static void try_to_rob(struct run *run)
{
	for (unsigned int i = 0; i < run->board->slots; i++) {
		if (run->board->slot[i].phase == PHASE_INSIDE) {
			rob(run, i);
			return;
		}
	}
}

static void strike(struct run *run)
{
	unsigned int i;

	if (run->stopped && now() >= run->resume) {
		kill(run->stopped, SIGCONT);
		run->stopped = 0;
	}
	if (run->options->protocol->verifies && !run->stopped && next_random(&run->random) % 8 == 0)
		try_to_rob(run);
	i = choose_victim(run);
	if (run->pids[i])
		kill(run->pids[i], SIGKILL);
}

static void pause_us(unsigned int us)
{
	struct timespec ts = {.tv_sec = us / 1000000, .tv_nsec = (long)(us % 1000000) * 1000};

	nanosleep(&ts, NULL);
}

static bool is_over(struct run *run, struct sums *sums)
{
	const struct options *options = run->options;
	int64_t t = now();

	sum_up(run->board, sums);
	if (sums->acquired != run->progress_at) {
		run->progress_at = sums->acquired;
		run->progress = t;
	} else if (t - run->progress > STALL_S * 1000 * MS) {
		run->why = "nobody got the lock any more";
	}
	return run->why || t - run->began >= options->seconds * 1000 * MS ||
	       (options->damage && damage_of(sums) >= options->damage) ||
	       (options->acquired && sums->acquired >= options->acquired &&
		       run->kills >= options->kills);
}

static void run_all(struct run *run, struct sums *sums)
{
	unsigned int interval = run->options->interval;

	run->began = run->progress = now();
	for (unsigned int i = 0; i < run->board->slots && !run->why; i++)
		spawn(run, i);
	while (!is_over(run, sums)) {
		/* Two to four thirds of it, so that nothing gets into step with it. */
		pause_us(interval ? interval * 2 / 3 + (unsigned int)(next_random(&run->random) %
								      (interval * 2 / 3 + 1))
				  : 1000);
		if (interval)
			strike(run);
		reap(run, true);
	}
	for (unsigned int i = 0; i < run->board->slots; i++) {
		if (run->pids[i]) {
			kill(run->pids[i], SIGKILL);
			waitpid(run->pids[i], NULL, 0);
		}
	}
	sum_up(run->board, sums);
}

static const char *with_commas(uint64_t n)
{
	static char texts[16][32]; /* printf calls use a few at once */
	static unsigned int next;
	char digits[24], *dst = texts[next++ % 16], *p = dst;
	int len = snprintf(digits, sizeof digits, "%llu", (unsigned long long)n);

	for (int i = 0; i < len; i++) {
		if (i && (len - i) % 3 == 0)
			*p++ = ',';
		*p++ = digits[i];
	}
	*p = '\0';
	return dst;
}

static void print_row(const struct run *run, const struct sums *sums, double seconds)
{
	printf("| %s | %s | %s | %s | %s | %.2f %% | %s/s |\n", run->options->label,
		with_commas(sums->acquired), with_commas(run->kills), with_commas(sums->takeovers),
		with_commas(sums->overlaps),
		sums->acquired ? 100.0 * (double)sums->overlaps / (double)sums->acquired : 0.0,
		with_commas((uint64_t)((double)sums->acquired / seconds)));
}

static void print_damage(const struct sums *sums)
{
	printf("%s overlaps, %s lost updates", with_commas(sums->overlaps),
		with_commas(sums->lost_updates));
	if (sums->fences_back)
		printf(", %s fences not larger", with_commas(sums->fences_back));
	if (sums->denied)
		printf(", %s lost without a robber", with_commas(sums->denied));
	if (sums->not_told)
		printf(", %s robbed and not told", with_commas(sums->not_told));
}

static void print_mutant(const struct run *run, const struct sums *sums, double seconds)
{
	printf("mutant %s: ", run->options->mutant);
	if (damage_of(sums)) {
		printf("caught in %.1f s, ", seconds);
		print_damage(sums);
		printf(" in %s acquisitions\n", with_commas(sums->acquired));
	} else {
		printf("SURVIVED %s acquisitions, %s kills, %s robberies in %.1f s\n",
			with_commas(sums->acquired), with_commas(run->kills),
			with_commas(run->robbed), seconds);
	}
}

static void print_all(const struct run *run, const struct sums *sums, double seconds)
{
	printf("%s: %s acquisitions (%s hand-overs) by %u workers in %.1f s, %s kills (%s inside), "
	       "%s stale takeovers, ",
		run->options->label, with_commas(sums->acquired), with_commas(sums->handoffs),
		run->board->slots, seconds, with_commas(run->kills), with_commas(run->kills_inside),
		with_commas(sums->takeovers));
	print_damage(sums);
	if (run->board->fence && !sums->fences_back)
		printf(", fences always larger, the last %s",
			with_commas((uint64_t)run->board->fence));
	if (run->options->protocol->verifies)
		printf(", %s robbed and %s of them told", with_commas(run->robbed),
			with_commas(sums->told));
	printf(", longest wait %.2f s\n", (double)sums->longest / 1e9);
}

/* 0 clean and the goals reached, 1 damage, 2 trouble, 3 out of time before the goals. */
static int verdict(const struct run *run, const struct sums *sums)
{
	const struct options *options = run->options;
	uint64_t counter = run->board->counter;

	if (run->why) {
		printf("trouble: %s: %s\n", run->why, strerror(-run->trouble));
		return 2;
	}
	if (damage_of(sums) > 0)
		return 1;
	/* Who is killed between the two countings is in the counter alone. */
	if (counter < sums->done || counter - sums->done > run->kills + run->board->slots) {
		printf("the counter is %s, the workers counted %s\n", with_commas(counter),
			with_commas(sums->done));
		return 1;
	}
	if (sums->acquired < options->acquired || run->kills < options->kills)
		return 3;
	return 0;
}

static const struct protocol *const protocols[] = {
	&protocol_lt1, &protocol_seed, &protocol_by_path, &protocol_flock, &protocol_none, NULL};

static const struct argp_option argp_options[] = {
	{"protocol", 'p', "NAME", 0, "LT1 (default), seed, by-path, flock or none", 0},
	{"label", 'l', "TEXT", 0, "what to call it in the output", 0},
	{"folder", 'd', "FOLDER", 0, "where the lock file is; default the current one", 0},
	{"workers", 'w', "N", 0, "default 16", 0},
	{"interval", 'i', "US", 0, "a kill about every so many us; default 3000, 0: none", 0},
	{"acquisitions", 'a', "N", 0, "goal", 0}, {"kills", 'k', "N", 0, "goal", 0},
	{"damage", 'c', "N", 0, "end when so much damage was found", 0},
	{"seconds", 's', "N", 0, "end after so many, whatever was reached; default 10", 0},
	{"seed", 'r', "N", 0, "of the random numbers; default from the clock", 0},
	{"mutant", 'm', "NAME", 0, "this is a mutant: print whether it was caught", 0},
	{"row", 't', NULL, 0, "print a row of a table", 0}, {0}};

static error_t set_number(uint64_t *number, const char *text, uint64_t most)
{
	char *end;

	errno = 0;
	*number = strtoull(text, &end, 10);
	return errno || end == text || *end || *number > most ? EINVAL : 0;
}

static error_t set_protocol(struct options *options, const char *name)
{
	for (unsigned int i = 0; protocols[i]; i++) {
		if (strcmp(protocols[i]->name, name) == 0) {
			options->protocol = protocols[i];
			return 0;
		}
	}
	return EINVAL;
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct options *options = state->input;
	uint64_t number = 0;
	error_t rc = 0;

	switch (key) {
	case 'p': rc = set_protocol(options, arg); break;
	case 'l': options->label = arg; break;
	case 'd': options->folder = arg; break;
	case 'w':
		rc = set_number(&number, arg, SLOTS_MAX);
		options->workers = (unsigned int)number;
		break;
	case 'i':
		rc = set_number(&number, arg, 1000000);
		options->interval = (unsigned int)number;
		break;
	case 'a': rc = set_number(&options->acquired, arg, UINT64_MAX); break;
	case 'k': rc = set_number(&options->kills, arg, UINT64_MAX); break;
	case 'c': rc = set_number(&options->damage, arg, UINT64_MAX); break;
	case 's':
		rc = set_number(&number, arg, 3600);
		options->seconds = (unsigned int)number;
		break;
	case 'r': rc = set_number(&options->random, arg, UINT64_MAX); break;
	case 'm': options->mutant = arg; break;
	case 't': options->is_row = true; break;
	default: return ARGP_ERR_UNKNOWN;
	}
	if (rc)
		argp_error(state, "-%c %s makes no sense", key, arg);
	return rc;
}

static int start(struct run *run, const struct options *options)
{
	int rc;

	*run = (struct run){.options = options, .random = options->random | 1};
	run->board = mmap(NULL, sizeof *run->board, PROT_READ | PROT_WRITE,
		MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (run->board == MAP_FAILED)
		return -errno;
	run->board->slots = options->workers;
	snprintf(run->path, sizeof run->path, "%s/prove.lock", options->folder);
	snprintf(run->spare, sizeof run->spare, "%s.other", run->path);
	rc = options->protocol->prepare(run->path);
	/* Bounded even if all else fails; the workers die with this process. */
	alarm(options->seconds + 60);
	return rc;
}

int main(int argc, char **argv)
{
	static const struct argp argp = {.options = argp_options,
		.parser = parse,
		.doc = "Proves a lock protocol by force. Exit status: 0 clean, 1 damage, 2 "
		       "trouble, "
		       "3 the goals were not reached in time."};
	struct options options = {.protocol = &protocol_lt1,
		.folder = ".",
		.workers = 16,
		.interval = 3000,
		.seconds = 10,
		.random = (uint64_t)now()};
	struct run run;
	struct sums sums = {0};
	double seconds;
	int rc;

	if (argp_parse(&argp, argc, argv, 0, NULL, &options) || !options.workers)
		return 2;
	if (!options.label)
		options.label = options.protocol->name;
	rc = start(&run, &options);
	if (rc < 0) {
		printf("trouble: cannot start: %s\n", strerror(-rc));
		return 2;
	}
	run_all(&run, &sums);
	seconds = (double)(now() - run.began) / 1e9;
	if (options.mutant)
		print_mutant(&run, &sums, seconds);
	else if (options.is_row)
		print_row(&run, &sums, seconds);
	else
		print_all(&run, &sums, seconds);
	return verdict(&run, &sums);
}

/* The one place that acts. */
#include "config.h"

#include "engine/act.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/pidfd.h>
#include <unistd.h>

#include "base/error.h"
#include "engine/act_metrics.h"

void policy_read_only(struct policy *policy, const char *why)
{
	if (!why || policy->is_read_only)
		return;
	policy->is_read_only = true;
	snprintf(policy->why, sizeof policy->why, "%s", why);
}

int policy_allows(const struct policy *policy, enum deed_kind kind, struct error *err)
{
	(void)kind;
	if (!policy->is_read_only)
		return 0;
	return error_set(err, -EPERM, "read-only (%s): nothing is released, forced or signalled",
		policy->why);
}

/* One deed on its way. */
struct doing {
	const struct act *act;
	const struct deed *deed;
	struct lock *lock; /* owned; as it is now */
	struct facts facts;
	struct verdict verdict;
	int64_t id;
	int pidfd; /* owned; -1 none */
};

/* What a deed does once nothing is against it; *text says what was done. */
typedef int deed_fn(struct doing *doing, char *text, size_t size, struct error *err);

static void judge(struct doing *doing)
{
	const struct act *act = doing->act;

	doing->facts = (struct facts){
		.now = clock_mono(act->world->clock),
		.now_wall = clock_wall(act->world->clock),
		.limit = act->limit ? act->limit(act->limit_data, doing->lock->name)
				    : 600 * NS_PER_S,
	};
	doing->verdict = verdict_of(doing->lock, &doing->facts);
}

static int look(struct doing *doing, struct error *err)
{
	const struct act *act = doing->act;
	struct lock *lock;
	int result = act->backend->look(act->state, doing->deed->name, &lock, err);

	if (result < 0)
		return result;
	lock_unref(doing->lock);
	doing->lock = lock;
	judge(doing);
	return 0;
}

static const char *why(const struct doing *doing, char *text, size_t size)
{
	verdict_why(text, size, doing->lock, &doing->facts, &doing->verdict);
	return text;
}

static int check_version(const struct doing *doing, struct error *err)
{
	char text[VERDICT_TEXT];

	if (!doing->deed->version[0] || strcmp(doing->deed->version, doing->lock->version) == 0)
		return 0;
	return error_set(err, -ESTALE, "%s changed since you looked: now it is %s, %s",
		doing->lock->name, state_word(doing->verdict.state), why(doing, text, sizeof text));
}

/* --- release and force --- */

/* Who has it in the kernel's own table, and lives. */
static const struct process *kernel_holder(const struct lock *lock)
{
	for (size_t i = 0; i < lock->holders; i++)
		if (lock->holder[i].from_kernel && lock->holder[i].life != LIFE_GONE)
			return &lock->holder[i];
	return NULL;
}

static int check_emptying(const struct doing *doing, struct error *err)
{
	const struct process *holder = kernel_holder(doing->lock);

	if (holder && holder->pid > 0)
		return error_set(err, -EBUSY,
			"%s is held by pid %d: a kernel lock can only be given up by its holder; "
			"signal it (T)",
			doing->lock->name, (int)holder->pid);
	if (holder)
		return error_set(err, -EBUSY,
			"%s is held by a process that cannot be seen from here: a kernel lock can "
			"only be given up by its holder",
			doing->lock->name);
	if (!doing->act->backend->release)
		return error_set(err, -EOPNOTSUPP, "%s cannot be released: %s", doing->lock->name,
			doing->act->backend->no_release ? doing->act->backend->no_release
							: "there is no way to");
	if (doing->verdict.state == STATE_FREE)
		return error_set(
			err, -EALREADY, "%s is free: there is nothing to do", doing->lock->name);
	return 0;
}

static int check_release(struct doing *doing, struct error *err)
{
	char text[VERDICT_TEXT], advice[VERDICT_TEXT];
	int result = check_emptying(doing, err);

	if (result < 0 || verdict_allows_release(&doing->verdict))
		return result;
	verdict_advice(advice, sizeof advice, doing->lock, &doing->facts, &doing->verdict);
	return error_set(err, -EPERM, "%s is %s, %s: %s", doing->lock->name,
		state_word(doing->verdict.state), why(doing, text, sizeof text), advice);
}

/* Forcing a live holder: the user has to name it, and it has to be the one that was seen. */
static int check_force(struct doing *doing, struct error *err)
{
	const struct process *holder = verdict_holder(doing->lock);
	const struct deed *deed = doing->deed;
	int result = check_emptying(doing, err);

	if (result < 0)
		return result;
	if (!holder || !verdict_is_alive(doing->lock, &doing->verdict))
		return 0;
	if (!deed->pid)
		return error_set(err, -EPERM,
			"%s is held by pid %d, which is alive: to force it, name that pid",
			doing->lock->name, (int)holder->pid);
	if (deed->pid != holder->pid)
		return error_set(err, -EPERM, "%s is held by pid %d, not by pid %d",
			doing->lock->name, (int)holder->pid, (int)deed->pid);
	if (deed->start && deed->start != holder->start)
		return error_set(err, -ESTALE,
			"pid %d is not the process any more that you saw: its start time differs",
			(int)deed->pid);
	return 0;
}

static int do_release(struct doing *doing, char *text, size_t size, struct error *err)
{
	struct backend_release how = {
		.tidy = doing->deed->tidy,
		.is_forced = doing->deed->kind == DEED_FORCE,
		.version = doing->lock->version,
	};
	const struct act *act = doing->act;
	int result = act->backend->release(act->state, doing->deed->name, &how, err);

	if (result == 0)
		snprintf(text, size, "%s", how.done);
	return result;
}

/* --- signal --- */

static const char *signal_word(int number)
{
	return number == SIGKILL ? "SIGKILL" : "SIGTERM";
}

static const struct process *find(const struct process *process, size_t n, int32_t pid)
{
	for (size_t i = 0; i < n; i++)
		if (process[i].pid == pid)
			return &process[i];
	return NULL;
}

/* May a record's claim to be the holder be believed? The kernel's word always is. */
static bool is_holding(const struct doing *doing, const struct process *process)
{
	if (process->from_kernel)
		return process->life == LIFE_ALIVE || process->life == LIFE_STOPPED;
	/* A kernel holder beside it means that the record's process has lost it, or never had. */
	return !kernel_holder(doing->lock) && verdict_is_alive(doing->lock, &doing->verdict);
}

/* Whom to signal: the one named, or the only one there is. NULL with a sentence. */
static const struct process *target(const struct doing *doing, int32_t pid, struct error *err)
{
	const struct lock *lock = doing->lock;
	const struct process *process;
	char text[VERDICT_TEXT];

	if (!pid) {
		process = verdict_holder(lock);
		if (lock->holders > 1 && lock->holder[1].from_kernel) {
			error_set(err, -EINVAL, "%zu processes hold %s: name the pid",
				lock->holders, lock->name);
			return NULL;
		}
		if (!process || process->pid <= 0) {
			error_set(err, -ESRCH, "%s has no holder to signal: %s", lock->name,
				why(doing, text, sizeof text));
			return NULL;
		}
		pid = process->pid;
	}
	process = find(lock->holder, lock->holders, pid);
	if (process && is_holding(doing, process))
		return process;
	if (process)
		error_set(err, -ESRCH, "pid %d does not hold %s: %s", (int)pid, lock->name,
			why(doing, text, sizeof text));
	else if (find(lock->waiter, lock->waiters, pid))
		error_set(err, -EPERM, "pid %d waits for %s, it does not hold it", (int)pid,
			lock->name);
	else
		error_set(err, -ESRCH, "pid %d does not hold %s", (int)pid, lock->name);
	return NULL;
}

static int check_pid(int32_t pid, struct error *err)
{
	if (pid <= 1)
		return error_set(err, -EPERM, "pid %d is never signalled", (int)pid);
	if (pid == getpid())
		return error_set(err, -EPERM, "pid %d is this program itself", (int)pid);
	return 0;
}

static int check_start(const struct doing *doing, int32_t pid, uint64_t start, struct error *err)
{
	uint64_t now;
	enum life life = proc_life(doing->act->world, pid, &now);

	if (life == LIFE_GONE || life == LIFE_ZOMBIE || life == LIFE_EXITING)
		return error_set(err, -ESRCH, "pid %d has ended meanwhile", (int)pid);
	if (!start || !now)
		return error_set(err, -EPERM,
			"the start time of pid %d cannot be read, so nobody knows whether it is "
			"still the holder",
			(int)pid);
	if (start != now || (doing->deed->start && doing->deed->start != now))
		return error_set(err, -ESTALE,
			"pid %d is not the process any more that you saw: its start time differs",
			(int)pid);
	return 0;
}

/*
 * The order matters: with the pidfd open, the number cannot come to name another process
 * unnoticed; then the start time proves that it is the one that was seen; then a fresh look
 * proves that it has the lock.
 */
static int check_signal(struct doing *doing, struct error *err)
{
	const struct deed *deed = doing->deed;
	const struct process *process;
	uint64_t start;
	int32_t pid;
	int result;

	if (deed->signal != SIGTERM && deed->signal != SIGKILL)
		return error_set(
			err, -EINVAL, "only SIGTERM and SIGKILL are sent, not %d", deed->signal);
	if (!doing->act->world->is_real || doing->act->backend->is_recording)
		return error_set(err, -EPERM, "this is a recording: there is nobody to signal");
	result = deed->pid ? check_pid(deed->pid, err) : 0;
	if (result < 0)
		return result;
	process = target(doing, deed->pid, err);
	if (!process)
		return -ESRCH;
	pid = process->pid;
	start = process->start;
	result = check_pid(pid, err);
	if (result < 0)
		return result;
	doing->pidfd = pidfd_open(pid, 0);
	if (doing->pidfd < 0)
		return error_sys(err, -errno, "cannot signal pid %d", (int)pid);
	result = check_start(doing, pid, start, err);
	if (result == 0)
		result = look(doing, err);
	if (result < 0)
		return result;
	process = target(doing, pid, err);
	if (!process)
		return -ESRCH;
	return process->start == start
		       ? 0
		       : error_set(err, -ESTALE, "pid %d is another process by now", (int)pid);
}

static int do_signal(struct doing *doing, char *text, size_t size, struct error *err)
{
	const struct process *process = target(doing, doing->deed->pid, err);

	if (!process)
		return -ESRCH;
	if (pidfd_send_signal(doing->pidfd, doing->deed->signal, NULL, 0) < 0)
		return error_sys(err, -errno, "cannot send %s to pid %d",
			signal_word(doing->deed->signal), (int)process->pid);
	snprintf(text, size, "sent %s to pid %d (%s), which holds %s",
		signal_word(doing->deed->signal), (int)process->pid, process->comm,
		doing->lock->name);
	return 0;
}

/* --- any deed --- */

static const struct {
	int (*check)(struct doing *doing, struct error *err);
	deed_fn *act;
	const char *would;
} deeds[DEED_COUNT] = {
	[DEED_RELEASE] = {check_release, do_release, "would release"},
	[DEED_FORCE] = {check_force, do_release, "would release by force"},
	[DEED_SIGNAL] = {check_signal, do_signal, "would signal the holder of"},
};

static int check(struct doing *doing, struct error *err)
{
	int result = policy_allows(doing->act->policy, doing->deed->kind, err);

	if (result == 0)
		result = look(doing, err);
	if (result == 0)
		result = check_version(doing, err);
	if (result == 0)
		result = deeds[doing->deed->kind].check(doing, err);
	return result;
}

static int write_audit(const struct doing *doing, enum audit_stage stage,
	const struct act_result *result, struct error *err)
{
	const struct act *act = doing->act;

	return audit_write(act->audit, stage, doing->id, clock_wall(act->world->clock), act->source,
		doing->deed, doing->lock, doing->lock ? &doing->facts : NULL,
		doing->lock ? &doing->verdict : NULL, result->outcome, result->text, err);
}

static void set_result(struct act_result *result, enum outcome outcome, int code, const char *text)
{
	result->outcome = outcome;
	result->code = code;
	snprintf(result->text, sizeof result->text, "%s", text);
}

static void add_but(struct act_result *result, const char *text)
{
	size_t len = strlen(result->text);

	snprintf(result->text + len, sizeof result->text - len, "; but %s", text);
}

/* A refusal stands even if it cannot be written down: nothing was done. */
static void refuse(
	const struct doing *doing, const struct error *why_not, struct act_result *result)
{
	set_result(result, OUTCOME_REFUSED, why_not->code, why_not->text);
	if (!doing->deed->dry_run)
		write_audit(doing, AUDIT_REFUSED, result, NULL);
}

static void say_dry(const struct doing *doing, struct act_result *result)
{
	char text[VERDICT_TEXT];

	result->outcome = OUTCOME_DONE;
	result->code = 0;
	snprintf(result->text, sizeof result->text, "%s %.100s: %s", deeds[doing->deed->kind].would,
		doing->lock->name, why(doing, text, sizeof text));
}

/* Refusals of the last moment: what was compared under the lock had changed. */
static bool is_refusal(int code)
{
	return code == -ESTALE || code == -EBUSY || code == -ELOOP || code == -EMLINK ||
	       code == -EFBIG || code == -EINVAL;
}

/* Nobody's deed fails because a statistic could not be written; it is told once. */
static void write_metrics(const struct doing *doing, struct act_result *result)
{
	struct metricslog *log = doing->act->metrics;
	const char *complaint;

	if (!log || result->outcome != OUTCOME_DONE)
		return;
	act_metrics(doing->act, doing->deed, doing->lock, &doing->facts, &doing->verdict);
	complaint = metricslog_complaint(log);
	if (complaint)
		add_but(result, complaint);
}

static void perform(struct doing *doing, struct act_result *result)
{
	struct error err = {0};
	char text[sizeof result->text];
	size_t len;
	int code;

	*result = (struct act_result){0};
	code = write_audit(doing, AUDIT_INTENT, result, &err);
	if (code < 0) {
		set_result(result, OUTCOME_FAILED, code, err.text);
		len = strlen(result->text);
		snprintf(result->text + len, sizeof result->text - len, ": nothing was done");
		return;
	}
	code = deeds[doing->deed->kind].act(doing, text, sizeof text, &err);
	if (code < 0)
		set_result(result, is_refusal(code) ? OUTCOME_REFUSED : OUTCOME_FAILED, code,
			err.text);
	else
		set_result(result, OUTCOME_DONE, 0, text);
	if (write_audit(doing, AUDIT_RESULT, result, &err) < 0)
		add_but(result, err.text);
	write_metrics(doing, result);
}

void act_perform(const struct act *act, const struct deed *deed, struct act_result *result)
{
	struct doing doing = {
		.act = act,
		.deed = deed,
		.id = clock_wall(act->world->clock) / 1000,
		.pidfd = -1,
	};
	struct error err = {.code = -EIO};

	if (check(&doing, &err) < 0)
		refuse(&doing, &err, result);
	else if (deed->dry_run)
		say_dry(&doing, result);
	else
		perform(&doing, result);
	if (doing.pidfd >= 0)
		close(doing.pidfd);
	lock_unref(doing.lock);
}

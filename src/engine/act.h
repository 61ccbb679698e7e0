/*
 * The one place that acts. Every release, force and signal goes through act_perform(): policy,
 * fresh facts, comparison with what the user saw, verdict, audit of the intent, the deed, audit
 * of the result. Every refusal is a sentence and an audit line.
 */
#ifndef LOCKTOP_ENGINE_ACT_H
#define LOCKTOP_ENGINE_ACT_H

#include "backends/backend.h"
#include "engine/audit.h"
#include "engine/metricslog.h"

/* What this run may do. */
struct policy {
	bool is_read_only;
	char why[120]; /* "--read-only", "LOCKTOPSECURE=1", "secure = true in /etc/locktop.conf" */
};

/*
 * Adds a reason to be read-only; the first one stays. There is no way back. why NULL: nothing.
 */
void policy_read_only(struct policy *policy, const char *why);
/*
 * 0, or -EPERM with "read-only (--read-only): nothing is released, forced or signalled". The
 * only place that looks at is_read_only; act_perform() asks it, and so does the screen before
 * it offers a deed.
 */
int policy_allows(const struct policy *policy, enum deed_kind kind, struct error *err);

struct act {
	const struct backend *backend;
	void *state; /* of the backend, borrowed */
	const struct world *world;
	const struct here *here;
	const struct policy *policy;
	const struct audit *audit;
	struct metricslog *metrics;                     /* borrowed; NULL: none */
	const char *source;                             /* URI, for the audit */
	int64_t (*limit)(void *data, const char *name); /* of a lock, in ns */
	void *limit_data;
};

struct act_result {
	enum outcome outcome;
	int code;       /* 0 or -errno */
	char text[480]; /* one sentence: what was done, or why not */
};

/*
 * Does the deed or refuses. RELEASE: only what verdict_allows_release(). FORCE: a live holder
 * only if deed->pid names it and its start time agrees; a kernel lock that is held is refused
 * (only its holder can give it up: signal it). SIGNAL: pidfd_open(2), then the start time is
 * compared through /proc, then pidfd_send_signal(2): never a number alone; only a process that
 * holds the lock now. A deed without a version acts on what is there now. A dry run writes
 * nothing anywhere. What was done is in the metrics log, too; that this failed is told once, in
 * the result, and changes nothing else. The result says all; there is no other error.
 */
void act_perform(const struct act *act, const struct deed *deed, struct act_result *result);

#endif

/*
 * What may be done with a record that was found in a lock file, by whoever has the flock of that
 * file in its hand. A pure function: what it knows comes in. It takes what the verdict knows of a
 * record's process (model/reasons.h), and goes its own way where the question is another: not
 * what to tell a person, but whether this may be taken over now, by the policy of who takes it.
 *
 *   empty        free
 *   pid|time     the seed's rule: stale if the pid is gone or it is older than stale_after, but a
 *                time in the future is a clock's fault and makes nothing stale
 *   LT1 m=h      stale: its holder would have the flock. Of another host under another boot id
 *                (a file system that two machines share): only when its lease is over
 *   LT1 m=d      stale: its owner is gone, or the lease is over; no lease, no owner that can be
 *                checked: busy
 *   a bare pid   stale if the pid is gone
 *   unknown version marker   busy, whatever the policy
 *   anything else            busy until it is 2 s old, for it may be being written; then stale
 *
 * The age of an LT1 record of this boot is that of its r on CLOCK_BOOTTIME: setting the wall clock
 * neither ends a live lease nor prolongs a dead one.
 */
#ifndef LOCKTOP_BACKENDS_FILE_JUDGE_H
#define LOCKTOP_BACKENDS_FILE_JUDGE_H

#include "backends/provider.h"
#include "model/verdict.h"

enum found { FOUND_FREE, FOUND_STALE, FOUND_BUSY };

struct judged {
	enum found found;
	bool is_left;     /* busy only because the policy is never: what it is would be stale */
	char reason[160]; /* why it is stale or busy, clean */
};

/*
 * The lock has a record, its relations to this machine, when the file was written, and as holder
 * the record's process with its life and start time. facts->limit is the claim's stale_after.
 */
void file_judge(struct judged *judged, const struct lock *lock, const struct facts *facts,
	enum takeover takeover);

#endif

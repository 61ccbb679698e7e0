/*
 * The audit log: one JSON line for every intent, result and refusal of a deed, appended by one
 * write(2) with O_APPEND and synced. /var/log/locktop/audit.jsonl for root, else
 * $XDG_STATE_HOME/locktop/audit.jsonl (~/.local/state). If the line cannot be written, the deed
 * is not done.
 */
#ifndef LOCKTOP_ENGINE_AUDIT_H
#define LOCKTOP_ENGINE_AUDIT_H

#include "model/event.h"
#include "model/verdict.h"

struct error;

/* Who acts: uid, login user (loginuid), SUDO_USER, tty, host, program. */
struct audit_actor {
	uint32_t uid, login_uid; /* UINT32_MAX: not set */
	char user[64], login_user[64], sudo_user[64];
	char tty[64], host[65];
	int32_t pid;
};

struct audit {
	char *path; /* owned */
	struct audit_actor actor;
};

enum audit_stage { AUDIT_INTENT, AUDIT_RESULT, AUDIT_REFUSED };

/* path NULL: the usual place (logfile.h). Creates nothing yet. */
int audit_init(struct audit *audit, const char *path, struct error *err);
void audit_release(struct audit *audit);
/*
 * Appends a line: time, stage, deed, source, lock, version, holder, state, evidence, safe,
 * actor, and for results the outcome and text. The folder (0700 or, for root, 0750) and the file
 * (0600 or 0640) are made when missing; a symbolic link, another's file or a non-regular one is
 * refused. 0 or -errno with a sentence.
 */
int audit_write(const struct audit *audit, enum audit_stage stage, int64_t id, wall_t now,
	const char *source, const struct deed *deed, const struct lock *lock,
	const struct facts *facts, const struct verdict *verdict, enum outcome outcome,
	const char *text, struct error *err);

#endif

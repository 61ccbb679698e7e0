/*
 * Whose a detached lock is: a process that ends when the work is over.
 */
#ifndef LOCKTOP_CLI_OWNER_H
#define LOCKTOP_CLI_OWNER_H

#include "backends/provider.h"

/*
 * Fills pid and start of the claim. pid 0: the caller of this program; where that is a copy that
 * a shell made of itself for "$(…)" or "(…)", the shell: the copy ends before the work begins.
 * -ESRCH with a sentence: no such process, or it is ending.
 */
int owner_find(struct claim *claim, const struct world *world, int32_t pid, struct error *err);
/* Does that process end, or is it another by now? Unknown is no. */
bool owner_is_gone(const struct claim *claim, const struct world *world);

#endif

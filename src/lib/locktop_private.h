/* Inside liblocktop: locktop.c takes and gives back, locktop_status.c looks. */
#ifndef LOCKTOP_LIB_LOCKTOP_PRIVATE_H
#define LOCKTOP_LIB_LOCKTOP_PRIVATE_H

#include "base/error.h"
#include "lib/hold.h"
#include "lib/locktop.h"

struct locktop {
	struct world world;
	struct here here;
	struct claim claim; /* the model of every acquisition */
	struct hold *hold;  /* owned */
	char *address;      /* owned; canonical: the folder may be another one after chdir(2) */
	pid_t pid;          /* of the process that the hold belongs to */
	bool is_parents;    /* it was held when this process was forked */
};

/* Puts what went wrong into the caller's struct, and returns its code. */
int locktop_fail(struct locktop_error *error, int code, const struct error *err);
/* The code for a -errno of hold.h. */
int locktop_code(int code);
/* Does a struct of this size, that the caller says, have a member? Else it is from before it. */
#define LOCKTOP_HAS(type, size, member) \
	((size) >= offsetof(type, member) + sizeof(((type *)0)->member))

#endif

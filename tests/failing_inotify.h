/* inotify that cannot be had: the program is linked with FAILING_INOTIFY (tests/local.mk). */
#ifndef LOCKTOP_TESTS_FAILING_INOTIFY_H
#define LOCKTOP_TESTS_FAILING_INOTIFY_H

#include <errno.h>

int __real_inotify_init1(int flags);
int __wrap_inotify_init1(int flags);

static int inotify_errno;

/* From now on every inotify_init1(2) fails with this errno; 0: none does. */
static void fail_inotify(int error)
{
	inotify_errno = error;
}

int __wrap_inotify_init1(int flags)
{
	if (!inotify_errno)
		return __real_inotify_init1(flags);
	errno = inotify_errno;
	return -1;
}

#endif

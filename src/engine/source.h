/*
 * A source process: one backend, one loop, events out, requests in. Started by the hub as
 * `locktop source -` with a socketpair as its standard input and output, or by hand with the
 * URI as its argument; ends when its input ends or its output breaks.
 */
#ifndef LOCKTOP_ENGINE_SOURCE_H
#define LOCKTOP_ENGINE_SOURCE_H

#include "engine/act.h"
#include "engine/settings.h"

struct source_options {
	const struct world *world;
	const struct settings *settings;
	struct policy policy; /* a request may only add to it */
	const char *uri;      /* NULL: the first line of the input is an "open" request */
	int in, out;          /* in -1: no requests are read, and only the output ends it */
	bool once;            /* one complete look, then end */
	mono_t gather;        /* burst window after a hint; 20 ms unless set */
	const struct backend *backend; /* NULL: by the URI's scheme; tests give their own */
};

/*
 * Runs until the end. 0, or -errno with a sentence (-EINVAL: wrong URI) that was also sent as
 * a fatal fault. Sends: lock… (first look), scanned, then what changes and scanned, which comes
 * at least every second as the sign of life. When a look fails: a fault, which is repeated each
 * second as the sign of life, until a look works again. With once only one scanned comes, the
 * final one, when what the kernel says of each lock is known. SIGPIPE is ignored meanwhile.
 *
 * A log is told as samples, in parts: scanned comes when all that was there has been told. What it
 * says is told once, so a slow reader is waited for in the middle of a look when 8 MB are queued.
 *
 * Holders of this host are watched by pidfd (one epoll descriptor for all of them), so that an
 * end is an event and not the next second's discovery.
 */
int source_run(const struct source_options *options, struct error *err);

#endif

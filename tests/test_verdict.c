/* The verdict: a row for every state, proof and trap, and what must hold for any lock at all. */
#include "config.h"
#include "model/verdict.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "base/text.h"
#include "model/reasons.h"

enum { NOW_S = 1000000, WALL_S = 1760000000, LIMIT_S = 600, MINUTE = 60, HOUR = 3600 };

#define NOW     (NOW_S * NS_PER_S)
#define WALL    (WALL_S * NS_PER_S)
#define S(n)    ((int64_t)(n)*NS_PER_S)
#define AGO(n)  (WALL_S - (n))
#define F(id)   LOCK_FLAG(id)
#define TEXT(s) ((char *)(s)) /* borrowed: nothing here frees a lock */

/* What a row leaves out is unknown; since_mono 0 is, too. */
struct row {
	const char *name;
	struct lock lock;
	struct process process[3];
	int limit;  /* s; 0: LIMIT_S, -1: none */
	int usual;  /* ms; p99 of its holds, with a factor of 3 */
	int silent; /* s */
	enum state state;
	enum safety safe;
	const char *why;    /* occurs in it */
	const char *advice; /* occurs in it; NULL: not looked at */
	unsigned int flags; /* all of them */
	int64_t due;        /* ns from now; 0: never */
};

#define PLAIN(p, ago)   .record = {.format = RECORD_PLAIN, .pid = (p), .time = AGO(ago)}
#define PIDFILE(p, ago) .record = {.format = RECORD_PID, .pid = (p)}, .written = S(AGO(ago))
#define EMPTY(view)     .record = {.format = RECORD_EMPTY}, .kernel = KERNEL_VIEW_##view
#define LT1(m, p, ago, ...) \
	.record = {.format = RECORD_LT1, .mode = (m), .pid = (p), .time = AGO(ago), __VA_ARGS__}
#define ALIVE(p, ...)                                                      \
	{                                                                  \
		.pid = (p), .life = LIFE_ALIVE, .comm = "php", __VA_ARGS__ \
	}
#define DEAD(p)                               \
	{                                     \
		.pid = (p), .life = LIFE_GONE \
	}
#define UNKNOWN_LIFE(p)    \
	{                  \
		.pid = (p) \
	}
#define BY_KERNEL(p, ...)                                                                         \
	{                                                                                         \
		.pid = (p), .life = LIFE_ALIVE, .comm = "rsync", .from_kernel = true, __VA_ARGS__ \
	}
#define HOST(is) .host_is = RELATION_##is
#define BOOT(is) .boot_is = RELATION_##is
#define NS(is)   .ns_is = RELATION_##is
#define VIEW(is) .kernel = KERNEL_VIEW_##is

/* clang-format off */
static const struct row rows[] = {
	/* plain pid|time, as PHP writes it */
	{"a live holder within its limit", {PLAIN(4711, 60)}, {ALIVE(4711)},
		.state = STATE_HELD, .safe = SAFETY_NOT_SAFE, .why = "pid 4711 php is alive, within its limit of 10m",
		.advice = "normal, leave it: NOT SAFE", .due = S(540) + 1},
	{"exactly at its limit is not over it", {PLAIN(4711, LIMIT_S)}, {ALIVE(4711)},
		.state = STATE_HELD, .safe = SAFETY_NOT_SAFE, .why = "alive", .due = 1},
	{"a live holder over its limit", {PLAIN(4711, LIMIT_S + 1)}, {ALIVE(4711)},
		.state = STATE_OVERDUE, .safe = SAFETY_NOT_SAFE,
		.why = "pid 4711 php is alive, but has had it for 10m01s: the limit is 10m",
		.advice = "look at what pid 4711 php is doing; signal it rather than release: NOT SAFE"},
	/* what its metrics log says of the holds before */
	{"a usual hold", {PLAIN(4711, 60)}, {ALIVE(4711)}, .usual = 40000,
		.state = STATE_HELD, .safe = SAFETY_NOT_SAFE, .why = "pid 4711 php is alive, within its limit of 10m",
		.advice = "normal (usual p99 40s), leave it: NOT SAFE", .due = S(60) + 1},
	{"exactly so many times its usual hold is not over it", {PLAIN(4711, 120)}, {ALIVE(4711)}, .usual = 40000,
		.state = STATE_HELD, .safe = SAFETY_NOT_SAFE, .why = "alive", .due = 1},
	{"far beyond its usual hold, below its limit", {PLAIN(4711, 121)}, {ALIVE(4711)}, .usual = 40000,
		.state = STATE_OVERDUE, .safe = SAFETY_NOT_SAFE,
		.why = "pid 4711 php is alive: held 2m01s, usual p99 40s",
		.advice = "look at what pid 4711 php is doing; signal it rather than release: NOT SAFE"},
	{"and over its limit, too", {PLAIN(4711, 14 * MINUTE)}, {ALIVE(4711)}, .usual = 40000,
		.state = STATE_OVERDUE, .safe = SAFETY_NOT_SAFE,
		.why = "pid 4711 php is alive, but has had it for 14m: the limit is 10m"},
	{"a usual hold that is longer than the limit allows", {PLAIN(4711, 60)}, {ALIVE(4711)}, .usual = 3600000,
		.state = STATE_HELD, .safe = SAFETY_NOT_SAFE, .why = "within its limit",
		.advice = "normal (usual p99 1h)", .due = S(540) + 1},
	{"holds of milliseconds: below a minute nothing is odd", {PLAIN(4711, 60)}, {ALIVE(4711)}, .usual = 12,
		.state = STATE_HELD, .safe = SAFETY_NOT_SAFE, .why = "alive",
		.advice = "normal (usual p99 12ms), leave it: NOT SAFE", .due = 1},
	{"holds of milliseconds, and one of more than a minute", {PLAIN(4711, 61)}, {ALIVE(4711)}, .usual = 12,
		.state = STATE_OVERDUE, .safe = SAFETY_NOT_SAFE,
		.why = "pid 4711 php is alive: held 1m01s, usual p99 12ms"},
	{"without a limit", {PLAIN(4711, 14 * MINUTE)}, {ALIVE(4711)}, .limit = -1, .usual = 40000,
		.state = STATE_OVERDUE, .safe = SAFETY_NOT_SAFE, .why = "pid 4711 php is alive: held 14m, usual p99 40s"},
	{"a daemon runs as long as it likes", {PIDFILE(4711, HOUR)}, {ALIVE(4711)}, .limit = -1, .usual = 40000,
		.state = STATE_HELD, .safe = SAFETY_NOT_SAFE, .why = "this is its pid file",
		.advice = "normal (usual p99 40s), leave it"},
	{"who cannot be checked is not OVERDUE", {PLAIN(4711, 121)}, {UNKNOWN_LIFE(4711)}, .usual = 40000,
		.state = STATE_UNKNOWN, .why = "cannot be checked", .due = S(479) + 1},
	{"nor who is gone", {PLAIN(4711, 121)}, {DEAD(4711)}, .usual = 40000,
		.state = STATE_STALE, .safe = SAFETY_SAFE, .why = "pid 4711 is gone: no such process"},
	{"a kernel lock far beyond its usual hold", {.kind = LOCK_FLOCK, .since_mono = NOW - S(14 * MINUTE)},
		{BY_KERNEL(4720)}, .limit = -1, .usual = 40000,
		.state = STATE_OVERDUE, .safe = SAFETY_NOT_SAFE,
		.why = "pid 4720 rsync has the flock lock: held 14m, usual p99 40s"},

	{"no limit, never overdue", {PLAIN(4711, 100 * HOUR)}, {ALIVE(4711)}, .limit = -1,
		.state = STATE_HELD, .safe = SAFETY_NOT_SAFE, .why = "pid 4711 php is alive"},
	{"no such process", {PLAIN(4711, 60)}, {DEAD(4711)},
		.state = STATE_STALE, .safe = SAFETY_SAFE, .why = "pid 4711 is gone: no such process",
		.advice = "release it: SAFE"},
	{"gone, whatever start time it was last seen with", {LT1('h', 4711, 60, .start = 88), VIEW(NONE)},
		{{.pid = 4711, .life = LIFE_GONE, .start = 99}},
		.state = STATE_STALE, .safe = SAFETY_SAFE, .why = "no such process"},
	{"gone long ago", {PLAIN(4711, 6 * HOUR)}, {DEAD(4711)},
		.state = STATE_STALE, .safe = SAFETY_SAFE, .why = "no such process"},
	{"a zombie holds nothing", {PLAIN(4711, 60)}, {{.pid = 4711, .life = LIFE_ZOMBIE}},
		.state = STATE_STALE, .safe = SAFETY_SAFE, .why = "pid 4711 has ended: it is a zombie"},
	{"nor does one that exits", {PLAIN(4711, 60)}, {{.pid = 4711, .life = LIFE_EXITING}},
		.state = STATE_STALE, .safe = SAFETY_SAFE, .why = "pid 4711 is exiting"},
	{"a reused pid is not the holder", {PLAIN(4711, 4 * HOUR)},
		{ALIVE(4711, .started = S(AGO(HOUR)))},
		.state = STATE_STALE, .safe = SAFETY_SAFE,
		.why = "pid 4711 is another process now: it started 3h after the lock was written"},
	{"a stopped process that is another one", {PLAIN(4711, 4 * HOUR)},
		{{.pid = 4711, .life = LIFE_STOPPED, .started = S(AGO(HOUR))}},
		.state = STATE_STALE, .safe = SAFETY_SAFE, .why = "another process now"},
	{"a start within two seconds is the same process", {PLAIN(4711, 60)},
		{ALIVE(4711, .started = S(AGO(58)))},
		.state = STATE_HELD, .safe = SAFETY_NOT_SAFE, .why = "alive", .due = S(540) + 1},
	{"a start just beyond is not", {PLAIN(4711, 60)}, {ALIVE(4711, .started = S(AGO(58)) + 1)},
		.state = STATE_STALE, .safe = SAFETY_SAFE, .why = "another process now"},
	{"after the clock was set, no start time proves reuse",
		{PLAIN(4711, 4 * HOUR), .clock_step = S(3 * HOUR), .since_mono = NOW - S(60)},
		{ALIVE(4711, .started = S(AGO(HOUR)))},
		.state = STATE_HELD, .safe = SAFETY_NOT_SAFE, .why = "alive", .due = S(540) + 1},
	{"nor after it was set back",
		{PLAIN(4711, 4 * HOUR), .clock_step = -S(3 * HOUR), .since_mono = NOW - S(60)},
		{ALIVE(4711, .started = S(AGO(HOUR)))},
		.state = STATE_HELD, .safe = SAFETY_NOT_SAFE, .why = "alive", .due = S(540) + 1},
	{"a process older than the lock is its holder", {PLAIN(4711, 60)},
		{ALIVE(4711, .started = S(AGO(5 * HOUR)), .start = 88)},
		.state = STATE_HELD, .safe = SAFETY_NOT_SAFE, .why = "alive", .due = S(540) + 1},
	{"a wall clock jump ages nothing", {PLAIN(4711, 4 * HOUR), .since_mono = NOW - S(60)}, {ALIVE(4711)},
		.state = STATE_HELD, .safe = SAFETY_NOT_SAFE, .why = "alive", .due = S(540) + 1},
	{"a live pool worker proves nothing", {PLAIN(4711, 60), .flags = F(POOL_WORKER)},
		{{.pid = 4711, .life = LIFE_ALIVE, .comm = "php-fpm8.2"}},
		.state = STATE_HELD, .safe = SAFETY_UNKNOWN,
		.why = "pid 4711 php-fpm8.2 is alive, but a pool worker: no proof",
		.advice = ": UNKNOWN", .flags = F(POOL_WORKER), .due = S(540) + 1},
	{"nor when it is over the limit", {PLAIN(4711, HOUR), .flags = F(POOL_WORKER)}, {ALIVE(4711)},
		.state = STATE_OVERDUE, .safe = SAFETY_UNKNOWN, .why = "but a pool worker: no proof",
		.advice = "look at what pid 4711 php is doing", .flags = F(POOL_WORKER)},
	{"a dead pool worker does", {PLAIN(4711, 60), .flags = F(POOL_WORKER)}, {DEAD(4711)},
		.state = STATE_STALE, .safe = SAFETY_SAFE, .why = "no such process", .flags = F(POOL_WORKER)},
	{"a stopped holder is alive", {PLAIN(4711, 60)},
		{{.pid = 4711, .life = LIFE_STOPPED, .comm = "php"}},
		.state = STATE_HELD, .safe = SAFETY_NOT_SAFE, .why = "pid 4711 php is alive but stopped",
		.advice = "wake it with kill -CONT 4711, or end it: NOT SAFE", .flags = F(STOPPED),
		.due = S(540) + 1},
	{"a stopped holder over its limit", {PLAIN(4711, HOUR)}, {{.pid = 4711, .life = LIFE_STOPPED}},
		.state = STATE_OVERDUE, .safe = SAFETY_NOT_SAFE, .why = "stopped, but has had it for 1h",
		.advice = "kill -CONT 4711", .flags = F(STOPPED)},
	{"waiters are noticed", {PLAIN(4711, 60), .waiters = 2}, {ALIVE(4711)},
		.state = STATE_HELD, .safe = SAFETY_NOT_SAFE, .why = "alive", .flags = F(CONTENDED),
		.due = S(540) + 1},
	{"a holder that cannot be checked", {PLAIN(4711, 60)}, {UNKNOWN_LIFE(4711)},
		.state = STATE_UNKNOWN, .safe = SAFETY_UNKNOWN, .why = "pid 4711 cannot be checked",
		.advice = "look again as root: UNKNOWN", .due = S(540) + 1},
	{"a holder that nobody looked up", {PLAIN(4711, 60)}, {{0}},
		.state = STATE_UNKNOWN, .safe = SAFETY_UNKNOWN, .why = "pid 4711 cannot be checked",
		.due = S(540) + 1},
	{"unchecked and over its limit", {PLAIN(4711, 3 * HOUR)}, {UNKNOWN_LIFE(4711)},
		.state = STATE_EXPIRED, .safe = SAFETY_UNKNOWN,
		.why = "pid 4711 cannot be checked, and it is 3h old: its limit is 10m",
		.advice = "check pid 4711 first: UNKNOWN"},
	{"another host's plain record over its limit", {PLAIN(4711, 3 * HOUR), HOST(OTHER)}, {DEAD(4711)},
		.state = STATE_UNKNOWN, .safe = SAFETY_UNKNOWN, .why = "taken by pid 4711 on another host"},
	{"unchecked without a limit", {PLAIN(4711, 3 * HOUR)}, {UNKNOWN_LIFE(4711)}, .limit = -1,
		.state = STATE_UNKNOWN, .safe = SAFETY_UNKNOWN, .why = "cannot be checked"},
	{"a record in the future is clock skew", {PLAIN(4711, -HOUR)}, {ALIVE(4711)},
		.state = STATE_HELD, .safe = SAFETY_NOT_SAFE,
		.why = "pid 4711 php is alive, though the record lies 1h in the future",
		.flags = F(SKEWED), .due = S(HOUR + LIMIT_S) + 1},
	{"a record in the future is not stale by age", {PLAIN(4711, -HOUR)}, {UNKNOWN_LIFE(4711)},
		.state = STATE_UNKNOWN, .safe = SAFETY_UNKNOWN, .why = "cannot be checked",
		.flags = F(SKEWED), .due = S(HOUR + LIMIT_S) + 1},
	{"a dead holder's record in the future is", {PLAIN(4711, -HOUR)}, {DEAD(4711)},
		.state = STATE_STALE, .safe = SAFETY_SAFE, .why = "no such process", .flags = F(SKEWED)},
	{"a record at the end of time", {.record = {.format = RECORD_PLAIN, .pid = 1, .time = INT64_MAX}},
		{ALIVE(1)}, .limit = -1,
		.state = STATE_HELD, .safe = SAFETY_NOT_SAFE, .why = "in the future", .flags = F(SKEWED)},
	{"half a second of future is two clocks read one after the other",
		{PLAIN(4711, 0), .since_mono = NOW + S(1) / 2}, {ALIVE(4711)},
		.state = STATE_HELD, .safe = SAFETY_NOT_SAFE, .why = "within its limit", .due = S(LIMIT_S) + 1},
	{"pid 0 is no holder", {PLAIN(0, 60)}, {ALIVE(0)},
		.state = STATE_CORRUPT, .safe = SAFETY_UNKNOWN, .why = "0 is no process id"},
	{"pid -1 is no holder", {PLAIN(-1, 60)}, {ALIVE(-1)},
		.state = STATE_CORRUPT, .safe = SAFETY_UNKNOWN, .why = "-1 is no process id"},

	/* trap: who has the flock, whatever the record says */
	{"a dead pid does not prove a free flock", {PLAIN(4711, 60), VIEW(COMPLETE)},
		{BY_KERNEL(4720), DEAD(4711)},
		.state = STATE_HELD, .safe = SAFETY_NOT_SAFE,
		.why = "pid 4711 that took it is gone, but pid 4720 rsync still has its descriptor",
		.advice = "end pid 4720 rsync rather than release it: NOT SAFE", .flags = F(INHERITED),
		.due = S(540) + 1},
	{"nor does a reused one", {PLAIN(4711, 4 * HOUR), VIEW(COMPLETE)},
		{BY_KERNEL(4720), ALIVE(4711, .started = S(AGO(HOUR)))}, .limit = -1,
		.state = STATE_HELD, .safe = SAFETY_NOT_SAFE, .why = "but pid 4720", .flags = F(INHERITED)},
	{"an inherited flock over its limit", {PLAIN(4711, HOUR), VIEW(COMPLETE)},
		{BY_KERNEL(4720), DEAD(4711)},
		.state = STATE_OVERDUE, .safe = SAFETY_NOT_SAFE, .why = "has had it for 1h",
		.flags = F(INHERITED)},
	{"a flock that the source saw inherited", {PLAIN(4720, 60), VIEW(COMPLETE)},
		{BY_KERNEL(4720, .is_inherited = true)},
		.state = STATE_HELD, .safe = SAFETY_NOT_SAFE, .why = "pid 4720 rsync has a flock on it",
		.flags = F(INHERITED), .due = S(540) + 1},
	{"a stopped heir", {PLAIN(4711, 60), VIEW(COMPLETE)},
		{{.pid = 4720, .life = LIFE_STOPPED, .from_kernel = true, .is_inherited = true}, DEAD(4711)},
		.state = STATE_HELD, .safe = SAFETY_NOT_SAFE,
		.why = "pid 4720 has a flock on it and is stopped (pid 4711 that took it is gone)",
		.advice = "kill -CONT 4720", .flags = F(INHERITED) | F(STOPPED), .due = S(540) + 1},
	{"the kernel names a taker that is gone", {PLAIN(4711, 60), VIEW(COMPLETE)},
		{{.pid = 4711, .life = LIFE_GONE, .from_kernel = true}},
		.state = STATE_HELD, .safe = SAFETY_NOT_SAFE,
		.why = "pid 4711 that took it is gone, but somebody still has its descriptor",
		.flags = F(INHERITED), .due = S(540) + 1},
	{"a flock on what nobody understands", {.record = {.format = RECORD_CORRUPT}, .written = S(AGO(HOUR))},
		{BY_KERNEL(4720)}, .limit = -1,
		.state = STATE_HELD, .safe = SAFETY_NOT_SAFE, .why = "pid 4720 rsync has a flock on it"},
	{"a flock on another program's record", {.record = {.format = RECORD_FOREIGN, .pid = 4711}},
		{BY_KERNEL(4720)},
		.state = STATE_HELD, .safe = SAFETY_NOT_SAFE, .why = "pid 4720 rsync has a flock on it"},
	{"a flock here on a record of another host", {LT1('h', 4711, 60), HOST(OTHER)}, {BY_KERNEL(4720)},
		.state = STATE_HELD, .safe = SAFETY_NOT_SAFE, .why = "pid 4720 rsync has a flock on it",
		.due = S(540) + 1},
	{"a flock on a record of an earlier boot", {LT1('h', 4711, 60), HOST(SAME), BOOT(OTHER)},
		{BY_KERNEL(4720)},
		.state = STATE_HELD, .safe = SAFETY_NOT_SAFE, .why = "pid 4720 rsync has a flock on it",
		.due = S(540) + 1},

	{"no descriptor outlives a boot", {LT1('h', 4711, 60), HOST(SAME), BOOT(OTHER)},
		{BY_KERNEL(4720), DEAD(4711)},
		.state = STATE_HELD, .safe = SAFETY_NOT_SAFE, .why = "pid 4720 rsync has a flock on it",
		.due = S(540) + 1},

	/* LT1, held under flock */
	{"the kernel proves a holder", {LT1('h', 4711, 60), VIEW(COMPLETE)}, {BY_KERNEL(4711)},
		.state = STATE_HELD, .safe = SAFETY_NOT_SAFE, .why = "pid 4711 rsync has a flock on it, within",
		.due = S(540) + 1},
	{"nobody has the flock", {LT1('h', 4711, 60), VIEW(COMPLETE)}, {ALIVE(4711)},
		.state = STATE_STALE, .safe = SAFETY_SAFE,
		.why = "the record says held under flock, and nobody has the flock"},
	{"nobody has the flock, and the pid is gone", {LT1('h', 4711, 60), VIEW(COMPLETE)}, {DEAD(4711)},
		.state = STATE_STALE, .safe = SAFETY_SAFE, .why = "nobody has the flock; pid 4711 is gone"},
	{"nobody in any pid namespace has the flock", {LT1('h', 4711, 60), VIEW(COMPLETE), NS(OTHER)},
		{ALIVE(4711)},
		.state = STATE_STALE, .safe = SAFETY_SAFE, .why = "nobody has the flock"},
	{"unread, alive", {LT1('h', 4711, 60), VIEW(UNREAD)}, {ALIVE(4711)},
		.state = STATE_HELD, .safe = SAFETY_NOT_SAFE, .why = "alive", .due = S(540) + 1},
	{"unread, dead", {LT1('h', 4711, 60), VIEW(UNREAD)}, {DEAD(4711)},
		.state = STATE_UNKNOWN, .safe = SAFETY_UNKNOWN,
		.why = "kernel locks not read yet; pid 4711 is gone", .advice = "wait a second: UNKNOWN"},
	{"unread, unchecked", {LT1('h', 4711, 60), VIEW(UNREAD)}, {UNKNOWN_LIFE(4711)},
		.state = STATE_UNKNOWN, .safe = SAFETY_UNKNOWN, .why = "kernel locks not read yet"},
	{"no kernel view, dead", {LT1('h', 4711, 60), VIEW(NONE)}, {DEAD(4711)},
		.state = STATE_STALE, .safe = SAFETY_SAFE, .why = "no such process"},
	{"no kernel view, alive", {LT1('h', 4711, 60), VIEW(NONE)}, {ALIVE(4711)},
		.state = STATE_HELD, .safe = SAFETY_NOT_SAFE, .why = "alive", .due = S(540) + 1},
	{"no kernel view, start ticks agree", {LT1('h', 4711, 60, .start = 88), VIEW(NONE)},
		{ALIVE(4711, .start = 88, .started = S(AGO(0)))},
		.state = STATE_HELD, .safe = SAFETY_NOT_SAFE, .why = "alive", .due = S(540) + 1},
	{"no kernel view, start ticks differ", {LT1('h', 4711, 60, .start = 88), VIEW(NONE)},
		{ALIVE(4711, .start = 89, .started = S(AGO(HOUR)))},
		.state = STATE_STALE, .safe = SAFETY_SAFE,
		.why = "pid 4711 is another process now: its start time is not the recorded one"},
	{"taken long ago, renewed now: the start is compared with the taking",
		{LT1('h', 4711, 1, .acquired = S(AGO(HOUR))), VIEW(NONE)},
		{ALIVE(4711, .started = S(AGO(60)))},
		.state = STATE_STALE, .safe = SAFETY_SAFE, .why = "it started 59m after the lock was written"},
	{"part of the view, dead, our namespace", {LT1('h', 4711, 60), VIEW(PARTIAL), NS(SAME)}, {DEAD(4711)},
		.state = STATE_STALE, .safe = SAFETY_SAFE, .why = "no such process"},
	{"part of the view, dead, namespace unsaid", {LT1('h', 4711, 60), VIEW(PARTIAL)}, {DEAD(4711)},
		.state = STATE_UNKNOWN, .safe = SAFETY_UNKNOWN,
		.why = "pid 4711 is gone, but flocks of other pid namespaces cannot be seen here"},
	{"part of the view, alive", {LT1('h', 4711, 60), VIEW(PARTIAL), NS(SAME)}, {ALIVE(4711)},
		.state = STATE_HELD, .safe = SAFETY_NOT_SAFE, .why = "alive", .due = S(540) + 1},
	{"another namespace: a dead pid proves nothing", {LT1('h', 4711, 60), VIEW(PARTIAL), NS(OTHER)},
		{DEAD(4711)},
		.state = STATE_UNKNOWN, .safe = SAFETY_UNKNOWN, .why = "pid 4711 is of another pid namespace",
		.advice = "check pid 4711 in its own container: UNKNOWN"},
	{"another namespace: nor does a live one", {LT1('h', 4711, 60), VIEW(NONE), NS(OTHER)}, {ALIVE(4711)},
		.state = STATE_UNKNOWN, .safe = SAFETY_UNKNOWN, .why = "another pid namespace"},
	{"an earlier boot of this host", {LT1('h', 4711, 60), HOST(SAME), BOOT(OTHER)}, {ALIVE(4711)},
		.state = STATE_STALE, .safe = SAFETY_SAFE, .why = "written before the last boot",
		.advice = "release it: SAFE"},
	{"another boot, host unsaid", {LT1('h', 4711, 60), BOOT(OTHER), VIEW(COMPLETE)}, {DEAD(4711)},
		.state = STATE_UNKNOWN, .safe = SAFETY_UNKNOWN, .why = "another boot id, without a host"},
	{"another host", {LT1('h', 4711, 60, .host = "web2"), HOST(OTHER), BOOT(OTHER), VIEW(COMPLETE)},
		{UNKNOWN_LIFE(4711)},
		.state = STATE_UNKNOWN, .safe = SAFETY_UNKNOWN,
		.why = "taken by pid 4711 on host web2: not to be checked from here",
		.advice = "check pid 4711 on host web2: UNKNOWN"},
	{"another host, dead pid here", {LT1('h', 4711, 60, .host = "web2"), HOST(OTHER), VIEW(NONE)},
		{DEAD(4711)},
		.state = STATE_UNKNOWN, .safe = SAFETY_UNKNOWN, .why = "on host web2"},
	{"another host, lease running", {LT1('h', 4711, 60, .host = "web2", .lease = 600), HOST(OTHER)}, {{0}},
		.state = STATE_UNKNOWN, .safe = SAFETY_UNKNOWN, .why = "on host web2", .due = S(540) + 1},
	{"another host, lease over", {LT1('h', 4711, HOUR, .host = "web2", .lease = 600), HOST(OTHER)}, {{0}},
		.state = STATE_EXPIRED, .safe = SAFETY_UNKNOWN,
		.why = "its lease ran out 50m ago, but pid 4711 on host web2 cannot be checked from here",
		.advice = "check pid 4711 on host web2 first: UNKNOWN"},
	{"mode unsaid is judged by its pid", {LT1(0, 4711, 60), VIEW(COMPLETE)}, {ALIVE(4711)},
		.state = STATE_HELD, .safe = SAFETY_NOT_SAFE, .why = "alive", .due = S(540) + 1},
	{"a pool worker with an LT1 record is known by its start", {LT1('h', 4711, 60, .start = 88), VIEW(NONE),
		.flags = F(POOL_WORKER)}, {ALIVE(4711, .start = 88)},
		.state = STATE_HELD, .safe = SAFETY_NOT_SAFE, .why = "alive, within", .flags = F(POOL_WORKER),
		.due = S(540) + 1},

	/* LT1, detached */
	{"detached, lease running", {LT1('d', 4711, 60, .lease = 600), VIEW(COMPLETE)}, {ALIVE(4711)},
		.state = STATE_HELD, .safe = SAFETY_NOT_SAFE, .why = "alive, and its lease ends in 9m",
		.due = S(540) + 1},
	{"detached, owner dead", {LT1('d', 4711, 60, .lease = 600), VIEW(COMPLETE)}, {DEAD(4711)},
		.state = STATE_STALE, .safe = SAFETY_SAFE, .why = "no such process"},
	{"detached, owner reused", {LT1('d', 4711, 60, .lease = 600, .start = 88)}, {ALIVE(4711, .start = 99)},
		.state = STATE_STALE, .safe = SAFETY_SAFE, .why = "another process now"},
	{"detached, an earlier boot", {LT1('d', 4711, 60, .lease = 600), HOST(SAME), BOOT(OTHER)}, {ALIVE(4711)},
		.state = STATE_STALE, .safe = SAFETY_SAFE, .why = "before the last boot"},
	{"detached, lease over", {LT1('d', 4711, 900, .lease = 600)}, {ALIVE(4711)},
		.state = STATE_EXPIRED, .safe = SAFETY_SAFE,
		.why = "its lease ran out 5m ago and was not renewed, though pid 4711 is alive",
		.advice = "release it: SAFE"},
	{"detached, at the very end of its lease", {LT1('d', 4711, 600, .lease = 600)}, {ALIVE(4711)},
		.state = STATE_HELD, .safe = SAFETY_NOT_SAFE, .why = "alive", .due = 1},
	{"detached, lease over, owner unchecked", {LT1('d', 4711, 900, .lease = 600)}, {UNKNOWN_LIFE(4711)},
		.state = STATE_EXPIRED, .safe = SAFETY_SAFE, .why = "its lease ran out 5m ago and was not renewed"},
	{"detached, lease over, of a volatile class", {LT1('d', 4711, 900, .lease = 600),
		.class = LOCK_CLASS_VOLATILE}, {ALIVE(4711)},
		.state = STATE_EXPIRED, .safe = SAFETY_UNKNOWN, .why = "its lease ran out", .flags = F(VOLATILE)},
	{"detached, the end said by the source", {LT1('d', 4711, 60), .expires = S(AGO(-30))}, {ALIVE(4711)},
		.state = STATE_HELD, .safe = SAFETY_NOT_SAFE, .why = "its lease ends in 30s", .due = S(30) + 1},
	{"detached, without a lease", {LT1('d', 4711, 60)}, {ALIVE(4711)},
		.state = STATE_HELD, .safe = SAFETY_NOT_SAFE, .why = "alive", .due = S(540) + 1},
	{"detached, renewed but over its limit",
		{LT1('d', 4711, 10, .lease = 60, .acquired = S(AGO(HOUR)))}, {ALIVE(4711)},
		.state = STATE_OVERDUE, .safe = SAFETY_NOT_SAFE, .why = "but has had it for 1h", .due = S(50) + 1},
	{"a forward jump of the clock ends no lease that is watched",
		{LT1('d', 4711, 5 * HOUR, .lease = 600), .since = S(AGO(5 * HOUR)), .since_mono = NOW - S(60)},
		{ALIVE(4711)},
		.state = STATE_HELD, .safe = SAFETY_NOT_SAFE, .why = "its lease ends in 9m", .due = S(540) + 1},
	{"a jump that was seen is given to the holder",
		{LT1('d', 4711, 5 * HOUR, .lease = 600), .clock_step = S(5 * HOUR)}, {ALIVE(4711)}, .limit = -1,
		.state = STATE_HELD, .safe = SAFETY_NOT_SAFE, .why = "its lease ends in 10m", .due = S(600) + 1},

	/* empty files */
	{"empty and free", {EMPTY(COMPLETE)}, {{0}},
		.state = STATE_FREE, .safe = SAFETY_NONE, .why = "empty, and nobody has a flock on it"},
	{"empty and locked", {EMPTY(COMPLETE)}, {BY_KERNEL(4720)},
		.state = STATE_HELD, .safe = SAFETY_NOT_SAFE, .why = "pid 4720 rsync has a flock on it",
		.advice = "normal, leave it: NOT SAFE"},
	{"empty and locked, seen in part", {EMPTY(PARTIAL)}, {BY_KERNEL(4720)},
		.state = STATE_HELD, .safe = SAFETY_NOT_SAFE, .why = "pid 4720 rsync has a flock on it"},
	{"empty and locked since a known time", {EMPTY(COMPLETE), .since_mono = NOW - S(HOUR)}, {BY_KERNEL(4720)},
		.state = STATE_OVERDUE, .safe = SAFETY_NOT_SAFE, .why = "has had it for 1h"},
	{"empty, kernel locks not read yet", {EMPTY(UNREAD)}, {{0}},
		.state = STATE_UNKNOWN, .safe = SAFETY_UNKNOWN, .why = "kernel locks not read yet"},
	{"empty, no kernel view", {EMPTY(NONE)}, {{0}},
		.state = STATE_UNKNOWN, .safe = SAFETY_UNKNOWN,
		.why = "cannot tell whether somebody has a flock on it here"},
	{"empty, part of the view", {EMPTY(PARTIAL)}, {{0}},
		.state = STATE_UNKNOWN, .safe = SAFETY_UNKNOWN,
		.why = "cannot tell whether somebody has a flock on it here"},

	/* pid files */
	{"a daemon may run for ever", {PIDFILE(800, 400 * HOUR)}, {ALIVE(800)},
		.state = STATE_HELD, .safe = SAFETY_NOT_SAFE, .why = "pid 800 php is alive: this is its pid file"},
	{"a dead daemon", {PIDFILE(800, 60)}, {DEAD(800)},
		.state = STATE_STALE, .safe = SAFETY_SAFE, .why = "no such process"},
	{"a daemon's number on another process", {PIDFILE(800, 4 * HOUR)},
		{ALIVE(800, .started = S(AGO(HOUR)))},
		.state = STATE_STALE, .safe = SAFETY_SAFE, .why = "it started 3h after the lock was written"},
	{"a daemon that cannot be checked", {PIDFILE(800, 400 * HOUR)}, {UNKNOWN_LIFE(800)},
		.state = STATE_UNKNOWN, .safe = SAFETY_UNKNOWN, .why = "cannot be checked"},
	{"a daemon that is a pool's master", {PIDFILE(800, 400 * HOUR), .flags = F(POOL_WORKER)}, {ALIVE(800)},
		.state = STATE_HELD, .safe = SAFETY_NOT_SAFE, .why = "pid file", .flags = F(POOL_WORKER)},
	{"a daemon that holds its file", {PIDFILE(800, 400 * HOUR)}, {BY_KERNEL(800)},
		.state = STATE_HELD, .safe = SAFETY_NOT_SAFE, .why = "pid 800 rsync has a flock on it"},

	/* what cannot be parsed */
	{"foreign", {.record = {.format = RECORD_FOREIGN, .pid = 4711}, .bytes = TEXT("4711|1760000000|lt2;h=x")},
		{DEAD(4711)},
		.state = STATE_UNKNOWN, .safe = SAFETY_UNKNOWN,
		.why = "written by a newer locktop or another program (version \"lt2\"): never broken automatically",
		.advice = ": UNKNOWN"},
	{"corrupt", {.record = {.format = RECORD_CORRUPT}, .written = S(AGO(3)), .bytes = TEXT("hello\\n"),
		.problem = TEXT("no digit")}, {{0}},
		.state = STATE_CORRUPT, .safe = SAFETY_UNKNOWN,
		.why = "not a lock record: no digit; it begins with \"hello\\n\"", .advice = ": UNKNOWN"},
	{"corrupt for exactly two seconds", {.record = {.format = RECORD_CORRUPT}, .written = S(AGO(2))}, {{0}},
		.state = STATE_UNKNOWN, .safe = SAFETY_UNKNOWN, .why = "perhaps it is being written now", .due = 1},
	{"corrupt a moment ago", {.record = {.format = RECORD_CORRUPT}, .written = S(AGO(0))}, {{0}},
		.state = STATE_UNKNOWN, .safe = SAFETY_UNKNOWN, .why = "being written", .due = S(2) + 1},
	{"corrupt since nobody knows when", {.record = {.format = RECORD_CORRUPT}}, {{0}},
		.state = STATE_CORRUPT, .safe = SAFETY_UNKNOWN, .why = "not a lock record"},
	{"not a file at all", {.record = {.format = RECORD_CORRUPT}, .problem = TEXT("a FIFO, not a file")}, {{0}},
		.state = STATE_CORRUPT, .safe = SAFETY_UNKNOWN, .why = "it is a FIFO, not a file",
		.advice = "remove it by hand: UNKNOWN"},
	{"not readable", {.problem = TEXT("cannot be read: Permission denied")}, {{0}},
		.state = STATE_UNKNOWN, .safe = SAFETY_UNKNOWN, .why = "cannot be read: Permission denied",
		.advice = "look again as root, or at its file system: UNKNOWN"},
	{"nothing known", {.record = {.format = RECORD_NONE}}, {{0}},
		.state = STATE_UNKNOWN, .safe = SAFETY_UNKNOWN, .why = "nothing is known"},

	/* locks of the kernel's own */
	{"flock", {.kind = LOCK_FLOCK}, {BY_KERNEL(4720)}, .limit = -1,
		.state = STATE_HELD, .safe = SAFETY_NOT_SAFE, .why = "pid 4720 rsync has the flock lock"},
	{"posix", {.kind = LOCK_POSIX}, {BY_KERNEL(4720)}, .limit = -1,
		.state = STATE_HELD, .safe = SAFETY_NOT_SAFE, .why = "the posix lock"},
	{"lease", {.kind = LOCK_LEASE}, {BY_KERNEL(4720)}, .limit = -1,
		.state = STATE_HELD, .safe = SAFETY_NOT_SAFE, .why = "the lease lock"},
	{"posix, over the limit that a rule sets", {.kind = LOCK_POSIX, .since_mono = NOW - S(HOUR)},
		{BY_KERNEL(4720)},
		.state = STATE_OVERDUE, .safe = SAFETY_NOT_SAFE, .why = "the posix lock, but has had it for 1h"},
	{"flock, stopped, with a queue", {.kind = LOCK_FLOCK, .waiters = 1},
		{{.pid = 4720, .life = LIFE_STOPPED, .from_kernel = true}}, .limit = -1,
		.state = STATE_HELD, .safe = SAFETY_NOT_SAFE, .why = "has the flock lock and is stopped",
		.advice = "wake it with kill -CONT 4720, or end it: NOT SAFE", .flags = F(STOPPED) | F(CONTENDED)},
	{"flock, taker gone", {.kind = LOCK_FLOCK}, {{.pid = 4720, .life = LIFE_GONE, .from_kernel = true}},
		.limit = -1,
		.state = STATE_HELD, .safe = SAFETY_NOT_SAFE, .why = "somebody still has its descriptor",
		.flags = F(INHERITED)},
	{"ofd without a pid", {.kind = LOCK_OFD}, {{.from_kernel = true}}, .limit = -1,
		.state = STATE_HELD, .safe = SAFETY_NOT_SAFE, .why = "its holder cannot be seen from here"},
	{"nobody to be seen", {.kind = LOCK_OFD}, {{0}}, .limit = -1,
		.state = STATE_HELD, .safe = SAFETY_NOT_SAFE, .why = "another pid namespace"},

	/* a source that does not answer */
	{"silent, held before", {PLAIN(4711, 60)}, {ALIVE(4711)}, .silent = 47,
		.state = STATE_UNKNOWN, .safe = SAFETY_UNKNOWN,
		.why = "the source has not answered for 47s; before that: HELD",
		.advice = "look at the source first: UNKNOWN", .flags = F(PAST)},
	{"silent, would be overdue by now", {PLAIN(4711, 610)}, {ALIVE(4711)}, .silent = 47,
		.state = STATE_UNKNOWN, .safe = SAFETY_UNKNOWN, .why = "before that: HELD", .flags = F(PAST)},
	{"silent, stale before", {PLAIN(4711, 60)}, {DEAD(4711)}, .silent = 200,
		.state = STATE_UNKNOWN, .safe = SAFETY_UNKNOWN, .why = "for 3m20s; before that: STALE",
		.flags = F(PAST)},
	{"silent, free before", {EMPTY(COMPLETE)}, {{0}}, .silent = 47,
		.state = STATE_UNKNOWN, .safe = SAFETY_UNKNOWN, .why = "before that: FREE", .flags = F(PAST)},
};
/* clang-format on */

enum { ROWS = sizeof rows / sizeof *rows };

/* Makes the row's lock whole; it borrows everything. */
static struct lock lock_of(const struct row *row)
{
	static struct process waiters[2] = {{.pid = 5820, .comm = "cron"}, {.pid = 6001}};
	struct lock lock = row->lock;

	lock.refs = 1;
	lock.name = (char *)"story.lock";
	lock.holder = (struct process *)row->process;
	if (!lock.since_mono)
		lock.since_mono = MONO_UNKNOWN;
	while (lock.holders < 3 &&
		(row->process[lock.holders].pid || row->process[lock.holders].from_kernel))
		lock.holders++;
	lock.waiter = waiters;
	return lock;
}

static struct facts facts_of(const struct row *row)
{
	return (struct facts){
		.now = NOW,
		.now_wall = WALL,
		.limit = row->limit < 0 ? 0 : S(row->limit ? row->limit : LIMIT_S),
		.usual = row->usual * NS_PER_MS,
		.usual_factor = 3,
		.is_silent = row->silent,
		.silent_for = S(row->silent),
	};
}

static void check(const struct row *row)
{
	struct lock lock = lock_of(row);
	struct facts facts = facts_of(row);
	struct verdict verdict = verdict_of(&lock, &facts);
	char why[VERDICT_TEXT], advice[VERDICT_TEXT];

	verdict_why(why, sizeof why, &lock, &facts, &verdict);
	verdict_advice(advice, sizeof advice, &lock, &facts, &verdict);
	if (verdict.state != row->state || verdict.safe != row->safe || !strstr(why, row->why) ||
		(row->advice && !strstr(advice, row->advice)) || verdict.flags != row->flags ||
		verdict.due != (row->due ? NOW + row->due : MONO_NEVER))
		fail_msg("%s: %s, %s, flags %x, due in %lld: %s. %s", row->name,
			state_word(verdict.state), safety_word(verdict.safe), verdict.flags,
			(long long)(verdict.due - NOW), why, advice);
}

/* One case of cmocka a row, so that each is named when it fails. */
static void row_is_judged(void **state)
{
	check(*state);
}

static bool is_end(const char *text, const char *end)
{
	size_t len = strlen(text), end_len = strlen(end);

	return len >= end_len && strcmp(text + len - end_len, end) == 0;
}

static void every_reason_is_a_sentence_and_every_advice_ends_in_its_safety(void **state)
{
	(void)state;
	for (size_t i = 0; i < ROWS; i++) {
		for (int reason = 0; reason < REASON_COUNT; reason++) {
			struct lock lock = lock_of(&rows[i]);
			struct facts facts = facts_of(&rows[i]);
			struct verdict verdict = verdict_of(&lock, &facts);
			char text[VERDICT_TEXT];

			verdict.reason = reason;
			verdict_why(text, sizeof text, &lock, &facts, &verdict);
			assert_true(strlen(text) > 4 && text_is_clean(text, strlen(text)));
			assert_null(strpbrk(text, "{}"));
			assert_false(is_end(text, "."));
			verdict_advice(text, sizeof text, &lock, &facts, &verdict);
			if (verdict.safe == SAFETY_NONE)
				assert_string_equal(text, "");
			else
				assert_true(is_end(text, safety_word(verdict.safe)));
			assert_null(strpbrk(text, "{}"));
		}
	}
}

static void every_reason_is_reached_by_a_row(void **state)
{
	bool is_reached[REASON_COUNT] = {false};

	(void)state;
	for (size_t i = 0; i < ROWS; i++) {
		struct lock lock = lock_of(&rows[i]);
		struct facts facts = facts_of(&rows[i]);

		is_reached[verdict_of(&lock, &facts).reason] = true;
	}
	for (int reason = 0; reason < REASON_COUNT; reason++)
		if (!is_reached[reason])
			fail_msg("no row for reason %d", reason);
}

/* Whatever is usual: it is an opinion about live holders, and proves nothing. */
static void a_usual_hold_only_makes_held_overdue(void **state)
{
	static const double factors[] = {0, 1, 3, 1e6, -1, 1e300};
	static const int64_t usuals[] = {0, 1, NS_PER_S, S(HOUR), INT64_MAX, -1};

	(void)state;
	for (size_t i = 0; i < ROWS; i++) {
		struct lock lock = lock_of(&rows[i]);
		struct facts facts = facts_of(&rows[i]);
		struct verdict plain, judged;

		facts.usual = 0;
		plain = verdict_of(&lock, &facts);
		for (size_t k = 0; k < 36; k++) {
			facts.usual = usuals[k / 6];
			facts.usual_factor = factors[k % 6];
			judged = verdict_of(&lock, &facts);
			assert_int_equal(judged.reason, plain.reason);
			assert_int_equal(judged.safe, plain.safe);
			assert_int_equal(judged.flags, plain.flags);
			if (judged.state == plain.state)
				continue;
			assert_int_equal(plain.state, STATE_HELD);
			assert_int_equal(judged.state, STATE_OVERDUE);
			assert_true(judged.age > S(MINUTE) && facts.usual > 0 &&
				    facts.usual_factor > 0);
		}
	}
}

static void the_state_holds_until_its_due_time_and_not_after(void **state)
{
	(void)state;
	for (size_t i = 0; i < ROWS; i++) {
		struct lock lock = lock_of(&rows[i]);
		struct facts facts = facts_of(&rows[i]);
		struct verdict first = verdict_of(&lock, &facts), later;
		int64_t step = first.due - NOW;

		if (first.due == MONO_NEVER)
			continue;
		facts.now += step - 1;
		facts.now_wall += step - 1;
		later = verdict_of(&lock, &facts);
		if (later.state != first.state)
			fail_msg("%s: changed before it was due", rows[i].name);
		facts.now++;
		facts.now_wall++;
		later = verdict_of(&lock, &facts);
		/* A lease may end while it is over its limit: another state or another time. */
		if (later.state == first.state && later.due == first.due)
			fail_msg("%s: nothing changed when it was due", rows[i].name);
	}
}

static void a_wall_clock_jump_makes_no_live_holder_stale(void **state)
{
	static const int jumps[] = {-86400 * 400, -HOUR, -1, 1, HOUR, 86400 * 400};

	(void)state;
	for (size_t i = 0; i < ROWS; i++) {
		struct lock lock = lock_of(&rows[i]);
		struct facts facts = facts_of(&rows[i]);

		/* As a source on this machine says it: since when, on the clock that never jumps.
		 */
		if (lock.since_mono == MONO_UNKNOWN)
			continue;
		for (size_t k = 0; k < sizeof jumps / sizeof *jumps; k++) {
			facts.now_wall = WALL + S(jumps[k]);
			assert_int_equal(verdict_of(&lock, &facts).state, rows[i].state);
		}
	}
}

static void only_proof_allows_a_release(void **state)
{
	(void)state;
	for (size_t i = 0; i < ROWS; i++) {
		struct lock lock = lock_of(&rows[i]);
		struct facts facts = facts_of(&rows[i]);
		struct verdict verdict = verdict_of(&lock, &facts);
		bool is_proof = verdict_is_proof((enum reason)verdict.reason) ||
				verdict.reason == REASON_LEASE_OVER;

		if (lock.class == LOCK_CLASS_VOLATILE)
			is_proof = false;
		assert_int_equal(verdict_allows_release(&verdict), is_proof);
		for (size_t k = 0; k < lock.holders; k++)
			assert_false(is_proof && lock.holder[k].from_kernel);
	}
}

/* A row by its name. */
static const struct row *row(const char *name)
{
	for (size_t i = 0; i < ROWS; i++)
		if (strcmp(rows[i].name, name) == 0)
			return &rows[i];
	fail_msg("no row '%s'", name);
	return NULL;
}

static int running(const char *name)
{
	struct lock lock = lock_of(row(name));
	struct facts facts = facts_of(row(name));
	struct verdict verdict = verdict_of(&lock, &facts);

	assert_int_equal(verdict_is_alive(&lock, &verdict), verdict_running(&lock, &verdict) == 1);
	return verdict_running(&lock, &verdict);
}

static void whether_the_holder_runs_is_yes_no_or_unknown(void **state)
{
	(void)state;
	assert_int_equal(running("a live holder within its limit"), 1);
	assert_int_equal(running("a stopped holder is alive"), 1);
	assert_int_equal(running("detached, lease over"), 1);
	assert_int_equal(running("a dead pid does not prove a free flock"), 1);
	assert_int_equal(running("no such process"), 0);
	assert_int_equal(running("a reused pid is not the holder"), 0);
	assert_int_equal(running("empty and free"), 0);
	assert_int_equal(running("an earlier boot of this host"), 0);
	assert_int_equal(running("another host, dead pid here"), -1);
	assert_int_equal(running("another namespace: nor does a live one"), -1);
	assert_int_equal(running("a holder that cannot be checked"), -1);
	assert_int_equal(running("silent, held before"), -1);
	assert_int_equal(running("corrupt"), -1);
}

static void the_holder_that_matters_is_the_kernels_first(void **state)
{
	struct lock lock = lock_of(row("a dead pid does not prove a free flock"));

	(void)state;
	assert_int_equal(verdict_holder(&lock)->pid, 4720);
	lock = lock_of(row("no such process"));
	assert_int_equal(verdict_holder(&lock)->pid, 4711);
	lock = lock_of(row("empty and free"));
	assert_null(verdict_holder(&lock));
}

static bool has_evidence(const char *name, const char *text)
{
	struct lock lock = lock_of(row(name));
	struct facts facts = facts_of(row(name));
	struct verdict verdict = verdict_of(&lock, &facts);
	char line[VERDICT_TEXT];
	bool is_found = false;
	int i = 0;

	for (; verdict_evidence(line, sizeof line, &lock, &facts, &verdict, i); i++) {
		assert_true(*line);
		is_found |= strstr(line, text) != NULL;
	}
	assert_in_range(i, 1, 20);
	return is_found;
}

static void the_evidence_is_the_facts_behind_the_state(void **state)
{
	(void)state;
	assert_true(has_evidence("no such process", "record: plain, pid 4711, written 2025-"));
	assert_true(has_evidence("no such process", "process: pid 4711, no such process"));
	assert_true(has_evidence("no such process", "age: 1m"));
	assert_true(has_evidence("another host", "on web2"));
	assert_true(has_evidence("another host", "host: the record names another one"));
	assert_true(has_evidence("another host", "boot: "));
	assert_true(has_evidence("empty and free", "kernel: nobody holds a flock"));
	assert_false(has_evidence("empty and locked", "nobody holds"));
	assert_true(has_evidence("empty and locked", "pid 4720 rsync, alive, named by the kernel"));
	assert_true(has_evidence("detached, lease over", "lease: ran out 5m ago"));
	assert_true(has_evidence("detached, lease over", "held under") == false);
	assert_true(has_evidence("waiters are noticed", "waits: pid 5820 cron"));
	assert_true(has_evidence("waiters are noticed", "noticed: somebody waits"));
	assert_true(has_evidence("silent, held before", "source: has not answered for 47s"));
	assert_true(has_evidence("corrupt", "bytes: hello\\n"));
	assert_true(
		has_evidence("a reused pid is not the holder", "another one than took the lock"));
	assert_true(has_evidence("after the clock was set, no start time proves reuse",
		"clock: the wall clock was set by 3h"));
}

static void a_sentence_is_cut_between_characters(void **state)
{
	struct lock lock = {.name = (char *)"x",
		.problem = (char *)"Zugriff verweigert: \303\244\303\266\303\274\303\237",
		.since_mono = MONO_UNKNOWN};
	struct facts facts = {.now = NOW, .now_wall = WALL};
	struct verdict verdict = verdict_of(&lock, &facts);

	(void)state;
	for (size_t size = 1; size < 40; size++) {
		char *text = malloc(size);

		verdict_why(text, size, &lock, &facts, &verdict);
		assert_true(strlen(text) < size && strlen(text) + 2 >= (size < 30 ? size : 0));
		assert_true(text_is_clean(text, strlen(text)));
		verdict_advice(text, size, &lock, &facts, &verdict);
		verdict_evidence(text, size, &lock, &facts, &verdict, 0);
		free(text);
	}
	verdict_why(NULL, 0, &lock, &facts, &verdict);
}

/* Any facts at all, hostile ones included: no trap of the sanitizers, and no unproven SAFE. */
static void nothing_that_an_event_can_say_is_undefined(void **state)
{
	static const int64_t numbers[] = {INT64_MIN, INT64_MIN + 1, -S(HOUR), -1, 0, 1, S(HOUR),
		NOW, WALL_S, WALL, INT64_MAX - 1, INT64_MAX};
	const size_t n = sizeof numbers / sizeof *numbers;

	(void)state;
	srand(1);
	for (int round = 0; round < 20000; round++) {
#define ANY      numbers[(size_t)rand() % n]
#define BELOW(k) ((unsigned int)rand() % (k))
		struct process processes[2] = {
			{.pid = (int32_t)ANY,
				.life = BELOW(LIFE_COUNT),
				.start = (uint64_t)ANY,
				.started = ANY,
				.from_kernel = BELOW(8) == 0},
			{.pid = (int32_t)ANY, .life = BELOW(LIFE_COUNT), .started = ANY},
		};
		struct lock lock = {.name = (char *)"x",
			.kind = BELOW(LOCK_KIND_COUNT),
			.class = BELOW(LOCK_CLASS_COUNT),
			.kernel = BELOW(KERNEL_VIEW_COUNT),
			.host_is = BELOW(RELATION_COUNT),
			.boot_is = BELOW(RELATION_COUNT),
			.ns_is = BELOW(RELATION_COUNT),
			.written = ANY,
			.since = ANY,
			.since_mono = ANY,
			.expires = ANY,
			.clock_step = ANY,
			.holder = processes,
			.holders = BELOW(3),
			.record = {.format = BELOW(RECORD_FORMAT_COUNT),
				.mode = "hd"[BELOW(3)],
				.pid = (int32_t)ANY,
				.time = ANY,
				.start = (uint64_t)ANY,
				.acquired = ANY,
				.lease = (int32_t)ANY}};
		struct facts facts = {.now = NOW,
			.now_wall = WALL,
			.limit = ANY,
			.malformed_grace = ANY,
			.is_silent = BELOW(8) == 0,
			.silent_for = ANY};
		struct verdict verdict = verdict_of(&lock, &facts);
		char text[VERDICT_TEXT];

		assert_in_range(verdict.state, 0, STATE_COUNT - 1);
		assert_true(verdict.due > NOW);
		verdict_why(text, sizeof text, &lock, &facts, &verdict);
		verdict_advice(text, sizeof text, &lock, &facts, &verdict);
		for (int i = 0; verdict_evidence(text, sizeof text, &lock, &facts, &verdict, i);
			i++)
			assert_true(*text);
		if (verdict_allows_release(&verdict)) {
			assert_int_equal(lock.kind, LOCK_FILE);
			assert_null(verdict_kernel_holder(&lock));
			assert_false(facts.is_silent);
		}
	}
}

static void words_and_marks_of_states_are_read_back(void **state)
{
	(void)state;
	for (int i = 0; i < STATE_COUNT; i++)
		assert_int_equal(state_from_word(state_word((enum state)i)), i);
	assert_int_equal(state_from_word("stale"), STATE_STALE);
	assert_int_equal(state_from_word("stuck"), -1);
	assert_string_equal(state_mark(STATE_HELD, true), "H");
	assert_string_equal(state_mark(STATE_HELD, false), "\342\227\217");
	assert_true(state_rank(STATE_STALE) > state_rank(STATE_OVERDUE));
	assert_true(*state_help(STATE_FREE));
}

/* The screen's PID REUSED is the verdict's own word, with the step of the clock in hand. */
static void a_step_of_the_clock_reuses_no_pid(void **state)
{
	struct lock *lock = lock_new("x.lock");
	struct process *claim = lock_add_holder(lock);

	(void)state;
	lock->record.format = RECORD_PLAIN;
	lock->record.pid = claim->pid = 4711;
	lock->record.time = 1760000000;
	claim->life = LIFE_ZOMBIE;
	claim->started = (1760000000 + 3600) * NS_PER_S;
	assert_true(verdict_is_reused(lock));
	lock->clock_step = 7200 * NS_PER_S;
	assert_false(verdict_is_reused(lock));
	lock_unref(lock);
}

int main(void)
{
	static const struct CMUnitTest others[] = {
		cmocka_unit_test(a_step_of_the_clock_reuses_no_pid),
		cmocka_unit_test(every_reason_is_a_sentence_and_every_advice_ends_in_its_safety),
		cmocka_unit_test(every_reason_is_reached_by_a_row),
		cmocka_unit_test(a_usual_hold_only_makes_held_overdue),
		cmocka_unit_test(the_state_holds_until_its_due_time_and_not_after),
		cmocka_unit_test(a_wall_clock_jump_makes_no_live_holder_stale),
		cmocka_unit_test(only_proof_allows_a_release),
		cmocka_unit_test(whether_the_holder_runs_is_yes_no_or_unknown),
		cmocka_unit_test(the_holder_that_matters_is_the_kernels_first),
		cmocka_unit_test(the_evidence_is_the_facts_behind_the_state),
		cmocka_unit_test(a_sentence_is_cut_between_characters),
		cmocka_unit_test(nothing_that_an_event_can_say_is_undefined),
		cmocka_unit_test(words_and_marks_of_states_are_read_back),
	};
	struct CMUnitTest tests[ROWS + sizeof others / sizeof *others];

	for (size_t i = 0; i < ROWS; i++)
		tests[i] = (struct CMUnitTest){.name = rows[i].name,
			.test_func = row_is_judged,
			.initial_state = (void *)&rows[i]};
	memcpy(tests + ROWS, others, sizeof others);
	return cmocka_run_group_tests(tests, NULL, NULL);
}

/*
 * Every lock that this host's kernel knows: flock(2), fcntl(2) record locks, open file
 * description locks, and leases. One lock is what stands between processes: a kind, an inode and
 * a byte range; who has it and who waits for it are its people.
 *
 * The table does not say since when a lock is held. One that appears between two looks was taken
 * then; one that was there at the first look has no age.
 */
#include "config.h"

#include "backends/backend.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysmacros.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/text.h"
#include "system/kernlocks.h"

#define LOOK_EVERY NS_PER_S
#define CLOCK_JUMP (NS_PER_S / 2) /* slewing is slower than that between two looks */

struct kernel {
	const struct world *world; /* borrowed */
	const struct here *here;   /* borrowed */
	struct snapshot last;      /* owned; what the last look found */
	bool was_looked;           /* at least once */
	bool in_pieces;
	size_t bad;
	struct kernlocks_budget budget;
	int64_t offset; /* wall - mono at the last look */
	int64_t step;   /* what it was seen to jump since open */
	struct users users;
};

/* Lines of the table that make one lock: indices, sorted. */
struct line {
	const struct kernlock *lock;
	size_t index;
};

static const char *const kernel_params[] = {NULL};

static int kernel_open(void **state, const struct world *world, const struct here *here,
	const struct uri *uri, struct error *err)
{
	struct kernel *kernel;
	int result = uri_only(uri, kernel_params, err);

	if (result < 0)
		return result;
	if (uri->host || *uri->path)
		return error_set(err, -EINVAL,
			"kernel: takes no path, it is the kernel of the host it runs on");
	kernel = calloc(1, sizeof *kernel);
	if (!kernel)
		return error_sys(err, -ENOMEM, "cannot open %s", uri->text);
	kernel->world = world;
	kernel->here = here;
	kernel->offset = clock_wall(world->clock) - clock_mono(world->clock);
	*state = kernel;
	return 0;
}

static void kernel_close(void *state)
{
	struct kernel *kernel = state;

	if (!kernel)
		return;
	snapshot_release(&kernel->last);
	free(kernel);
}

/* --- grouping --- */

static bool has_range(enum lock_kind kind)
{
	return kind == LOCK_POSIX || kind == LOCK_OFD;
}

#define ORDER(a, b)     \
	if ((a) != (b)) \
	return (a) < (b) ? -1 : 1

static int compare_groups(const struct kernlock *a, const struct kernlock *b)
{
	ORDER(a->kind, b->kind);
	ORDER(a->st_dev, b->st_dev);
	ORDER(a->st_ino, b->st_ino);
	if (!has_range(a->kind))
		return 0;
	ORDER(a->from, b->from);
	ORDER(a->to, b->to);
	return 0;
}

static int compare_lines(const void *a, const void *b)
{
	const struct line *x = a, *y = b;
	int order = compare_groups(x->lock, y->lock);

	if (order)
		return order;
	ORDER(x->index, y->index);
	return 0;
}

static const struct kernholder *first_holder(const struct kernlocks *table, size_t index)
{
	size_t low = 0, high = table->holders;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (table->holder[middle].lock < index)
			low = middle + 1;
		else
			high = middle;
	}
	return low < table->holders && table->holder[low].lock == index ? &table->holder[low]
									: NULL;
}

/* --- names --- */

/* Path of the locked file as its holder has it, clean; "" unknown. */
static void path_of(const struct kernel *kernel, const struct kernlocks *table,
	const struct line *line, size_t lines, char *dst, size_t size, bool *is_hostile)
{
	char raw[PATH_MAX];

	dst[0] = '\0';
	*is_hostile = false;
	for (size_t i = 0; i < lines; i++) {
		const struct kernholder *holder = first_holder(table, line[i].index);
		ssize_t len = holder ? kernlocks_path(kernel->world, holder, raw, sizeof raw) : -1;

		if (len > 0) {
			text_clean(dst, size, raw, (size_t)len, NULL);
			*is_hostile = !text_is_clean(raw, (size_t)len);
			return;
		}
	}
}

/* "posix:/path[0-9]", "flock:fe:00:1234" without a path; nothing behind it: the whole file. */
static int set_name(struct buf *name, const struct kernlock *lock, const char *path)
{
	buf_clear(name);
	buf_addf(name, "%s:", lock_kind_word(lock->kind));
	if (*path)
		buf_adds(name, path);
	else
		buf_addf(name, "%02x:%02x:%" PRIu64, lock->major, lock->minor, lock->ino);
	if (!has_range(lock->kind) || (lock->from == 0 && lock->to == INT64_MAX))
		return buf_failed(name);
	if (lock->to == INT64_MAX)
		buf_addf(name, "[%" PRId64 "-]", lock->from);
	else
		buf_addf(name, "[%" PRId64 "-%" PRId64 "]", lock->from, lock->to);
	return buf_failed(name);
}

/*
 * Two inodes may have one path: a file that was deleted and made again, or seen from two mount
 * namespaces. Then the second's name says its inode too.
 */
static int make_unique(
	struct buf *name, const struct kernlock *lock, const struct snapshot *snapshot)
{
	if (!snapshot_find(snapshot, buf_text(name)))
		return 0;
	buf_addf(name, "#%" PRIx64 ":%" PRIu64, lock->st_dev, lock->st_ino);
	return buf_failed(name);
}

/* --- one lock --- */

static void set_version(struct lock *lock)
{
	const uint64_t place[] = {
		lock->kind, lock->dev, lock->ino, (uint64_t)lock->from, (uint64_t)lock->to};
	uint64_t hash = text_hash(place, sizeof place, 0);

	/* A sum: in which order holders are found does not count. */
	for (size_t i = 0; i < lock->holders; i++) {
		const uint64_t who[] = {(uint64_t)lock->holder[i].pid, lock->holder[i].start};

		hash += text_hash(who, sizeof who, 0);
	}
	snprintf(lock->version, sizeof lock->version, "%" PRIx64 ":%" PRIu64 ":%016" PRIx64,
		lock->dev, lock->ino, hash);
}

static void set_since(const struct kernel *kernel, const struct kernlocks *table, struct lock *lock)
{
	const struct lock *old = snapshot_find(&kernel->last, lock->name);

	lock->since_mono = MONO_UNKNOWN;
	if (old && strcmp(old->version, lock->version) == 0) {
		lock->since = old->since;
		lock->since_mono = old->since_mono;
	} else if (kernel->was_looked && !kernel->in_pieces) {
		lock->since_mono = table->read_at;
		lock->since = table->read_at + kernel->offset;
	}
}

static struct lock *make_lock(struct kernel *kernel, const struct kernlocks *table,
	const struct line *line, size_t lines, struct buf *name, const struct snapshot *snapshot)
{
	const struct kernlock *first = line->lock;
	char path[4 * PATH_MAX];
	struct lock *lock;
	bool is_hostile;

	path_of(kernel, table, line, lines, path, sizeof path, &is_hostile);
	if (set_name(name, first, path) < 0 || make_unique(name, first, snapshot) < 0)
		return NULL;
	lock = lock_new(buf_text(name));
	if (!lock)
		return NULL;
	lock->kind = first->kind;
	lock->class = LOCK_CLASS_KERNEL;
	lock->dev = first->st_dev;
	lock->ino = first->st_ino;
	lock->from = has_range(first->kind) ? first->from : 0;
	lock->to = has_range(first->kind) ? first->to : INT64_MAX;
	lock->record.fence = lock->record.uid = -1;
	lock->path = *path ? strdup(path) : NULL;
	if ((*path && !lock->path) ||
		kernlocks_attach(kernel->world, kernel->here, table, lock) < 0) {
		lock_unref(lock);
		return NULL;
	}
	if (is_hostile)
		lock->flags |= LOCK_FLAG(HOSTILE);
	lock->clock_step = kernel->step;
	set_version(lock);
	set_since(kernel, table, lock);
	return lock;
}

/* The old one in place of an equal new one, so that nothing seems to have changed. */
static struct lock *share(const struct kernel *kernel, struct lock *lock)
{
	struct lock *old = snapshot_find(&kernel->last, lock->name);

	if (!old || !lock_equal(old, lock))
		return lock;
	lock_unref(lock);
	return lock_ref(old);
}

static int make_locks(struct kernel *kernel, const struct kernlocks *table, struct line *line,
	size_t n, struct snapshot *snapshot)
{
	struct buf name = {0};
	size_t begin, end;
	int result = 0;

	for (begin = 0; begin < n && result == 0; begin = end) {
		struct lock *lock;

		end = begin + 1;
		while (end < n && compare_groups(line[begin].lock, line[end].lock) == 0)
			end++;
		lock = make_lock(kernel, table, line + begin, end - begin, &name, snapshot);
		result = lock ? snapshot_put(snapshot, share(kernel, lock)) : -ENOMEM;
	}
	buf_release(&name);
	return result;
}

static int group(struct kernel *kernel, const struct kernlocks *table, struct snapshot *snapshot)
{
	struct line *line = calloc(table->n + 1, sizeof *line);
	size_t n = 0;
	int result;

	if (!line)
		return -ENOMEM;
	for (size_t i = 0; i < table->n; i++)
		if (!table->lock[i].is_waiter)
			line[n++] = (struct line){&table->lock[i], i};
	qsort(line, n, sizeof *line, compare_lines);
	result = make_locks(kernel, table, line, n, snapshot);
	free(line);
	return result;
}

/* --- the backend --- */

static void read_clocks(struct kernel *kernel)
{
	const struct clock *clock = kernel->world->clock;
	int64_t offset = clock_wall(clock) - clock_mono(clock);
	int64_t jump = offset - kernel->offset;

	if (jump > CLOCK_JUMP || jump < -CLOCK_JUMP)
		kernel->step += jump;
	kernel->offset = offset;
}

static int look_at_all(struct kernel *kernel, struct error *err)
{
	mono_t began = clock_mono(kernel->world->clock);
	struct snapshot snapshot = {0};
	struct kernlocks table;
	int result;

	read_clocks(kernel);
	result = kernlocks_read(kernel->world, kernel->here, true, &table, err);
	if (result < 0)
		return result;
	table.users = &kernel->users;
	result = group(kernel, &table, &snapshot);
	if (result == 0) {
		snapshot_release(&kernel->last);
		kernel->last = snapshot;
		kernel->was_looked = true;
		kernel->in_pieces = table.in_pieces;
		kernel->bad = table.bad;
	} else {
		snapshot_release(&snapshot);
		error_sys(err, result, "cannot look at the kernel's locks");
	}
	kernlocks_release(&table);
	kernlocks_spent(&kernel->budget, began, clock_mono(kernel->world->clock) - began);
	return result;
}

static int kernel_scan(void *state, struct backend_scan *scan, struct error *err)
{
	struct kernel *kernel = state;
	mono_t now = clock_mono(kernel->world->clock);
	int result = 0;

	scan->next = now + LOOK_EVERY;
	/* Nothing tells when a flock is taken or given up (inotify(7) does not): it is read. */
	scan->is_polling = scan->is_final = false;
	scan->note[0] = '\0';
	if (!kernel->was_looked || kernlocks_may(&kernel->budget, now))
		result = look_at_all(kernel, err);
	if (result < 0)
		return result;
	if (kernel->budget.next > now)
		scan->next = kernel->budget.next;
	if (kernel->bad)
		snprintf(scan->note, sizeof scan->note, "%zu lines of /proc/locks not understood",
			kernel->bad);
	snapshot_release(scan->snapshot);
	return snapshot_copy(scan->snapshot, &kernel->last);
}

static int kernel_look(void *state, const char *name, struct lock **lock, struct error *err)
{
	struct kernel *kernel = state;
	struct lock *found = NULL;
	int result;

	/* A table that came in pieces may lack a line that was there all the time. */
	for (int tries = 0; tries < 3 && !found; tries++) {
		result = look_at_all(kernel, err);
		if (result < 0)
			return result;
		found = snapshot_find(&kernel->last, name);
		if (!kernel->in_pieces)
			break;
	}
	if (!found)
		return error_set(err, -ENOENT, "there is no lock %s in the kernel's table", name);
	*lock = lock_ref(found);
	return 0;
}

const struct backend backend_kernel = {
	.scheme = "kernel",
	.help = "every flock, fcntl lock and lease of this host: kernel:",
	.params = kernel_params,
	.class = LOCK_CLASS_KERNEL,
	.open = kernel_open,
	.close = kernel_close,
	.scan = kernel_scan,
	.look = kernel_look,
	.no_release = "a kernel lock can only be given up by its holder; signal it (T)",
};

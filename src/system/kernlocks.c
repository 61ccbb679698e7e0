#include "config.h"

#include "system/kernlocks.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysmacros.h>

#include "base/error.h"
#include "system/kernlocks_walk.h"

enum { AGAIN = 4 };

/* -- one line -- */

struct cursor {
	const char *at, *end;
};

static void skip_blanks(struct cursor *cursor)
{
	while (cursor->at < cursor->end && *cursor->at == ' ')
		cursor->at++;
}

static bool take_char(struct cursor *cursor, char c)
{
	if (cursor->at == cursor->end || *cursor->at != c)
		return false;
	cursor->at++;
	return true;
}

/* A number without sign in base 10 or 16 that is at most max. */
static bool take_number(struct cursor *cursor, uint64_t base, uint64_t max, uint64_t *out)
{
	const char *begin = cursor->at;
	uint64_t value = 0;

	for (; cursor->at < cursor->end; cursor->at++) {
		unsigned char c = (unsigned char)*cursor->at;
		uint64_t digit;

		if (isdigit(c))
			digit = c - '0';
		else if (base == 16 && isxdigit(c))
			digit = (uint64_t)(tolower(c) - 'a' + 10);
		else
			break;
		if (value > (max - digit) / base)
			return false;
		value = value * base + digit;
	}
	*out = value;
	return cursor->at > begin;
}

/* A word and its length, after blanks; NULL at the end. */
static const char *take_word(struct cursor *cursor, size_t *len)
{
	const char *begin;

	skip_blanks(cursor);
	begin = cursor->at;
	while (cursor->at < cursor->end && *cursor->at != ' ')
		cursor->at++;
	*len = (size_t)(cursor->at - begin);
	return *len ? begin : NULL;
}

struct keyword {
	const char *text;
	int value;
};

static const struct keyword kinds[] = {{"FLOCK", LOCK_FLOCK}, {"POSIX", LOCK_POSIX},
	{"OFDLCK", LOCK_OFD}, {"LEASE", LOCK_LEASE}, {"DELEG", LOCK_LEASE}, {NULL, 0}};
/* "RW" and "NONE" are of kernels with LOCK_MAND; a lease that is being broken may be "UNLCK". */
static const struct keyword modes[] = {{"WRITE", true}, {"RW", true}, {"READ", false},
	{"UNLCK", false}, {"NONE", false}, {NULL, 0}};

static bool take_keyword(struct cursor *cursor, const struct keyword *words, int *value)
{
	size_t len;
	const char *word = take_word(cursor, &len);

	for (; word && words->text; words++)
		if (strlen(words->text) == len && memcmp(words->text, word, len) == 0) {
			*value = words->value;
			return true;
		}
	return false;
}

/* "12: ", "12: -> ", "12:  -> " …: how many blanks stand before the arrow is the depth. */
static bool take_prefix(struct cursor *cursor, struct kernlock *lock)
{
	const char *colon;

	if (!take_number(cursor, 10, UINT64_MAX, &lock->id) || !take_char(cursor, ':'))
		return false;
	colon = cursor->at;
	skip_blanks(cursor);
	if (cursor->end - cursor->at < 2 || memcmp(cursor->at, "->", 2) != 0)
		return true;
	lock->is_waiter = true;
	lock->depth = cursor->at - colon > INT16_MAX ? INT16_MAX : (int)(cursor->at - colon);
	cursor->at += 2;
	return true;
}

/* Negative ones are OFD locks (-1) and holders on other machines, whom an NFS server locks for. */
static bool take_pid(struct cursor *cursor, int32_t *pid)
{
	bool is_negative;
	uint64_t value;

	skip_blanks(cursor);
	is_negative = take_char(cursor, '-');
	if (!take_number(cursor, 10, INT32_MAX, &value))
		return false;
	*pid = is_negative ? -(int32_t)value : (int32_t)value;
	return true;
}

/* "fe:00:1234": hexadecimal, hexadecimal, decimal; "<none>:0" is no inode. */
static bool take_inode(struct cursor *cursor, struct kernlock *lock)
{
	static const char none[] = "<none>:";
	uint64_t major, minor;

	skip_blanks(cursor);
	if ((size_t)(cursor->end - cursor->at) >= sizeof none - 1 &&
		memcmp(cursor->at, none, sizeof none - 1) == 0) {
		cursor->at += sizeof none - 1;
		return take_number(cursor, 10, UINT64_MAX, &lock->ino);
	}
	if (!take_number(cursor, 16, UINT32_MAX, &major) || !take_char(cursor, ':') ||
		!take_number(cursor, 16, UINT32_MAX, &minor) || !take_char(cursor, ':'))
		return false;
	lock->major = (unsigned int)major;
	lock->minor = (unsigned int)minor;
	return take_number(cursor, 10, UINT64_MAX, &lock->ino);
}

static bool take_offset(struct cursor *cursor, int64_t *offset)
{
	uint64_t value;

	skip_blanks(cursor);
	if (cursor->end - cursor->at >= 3 && memcmp(cursor->at, "EOF", 3) == 0) {
		cursor->at += 3;
		*offset = INT64_MAX;
		return true;
	}
	if (!take_number(cursor, 10, INT64_MAX, &value))
		return false;
	*offset = (int64_t)value;
	return true;
}

int kernlock_parse(struct kernlock *lock, const char *line, size_t len)
{
	struct cursor cursor = {line, line + len};
	struct kernlock found = {0};
	int kind, is_write;
	size_t class_len;

	/* The fourth word (ADVISORY, *NOINODE*, MSNFS, ACTIVE, BREAKING …) says nothing we use. */
	if (!take_prefix(&cursor, &found) || !take_keyword(&cursor, kinds, &kind) ||
		!take_word(&cursor, &class_len) || !take_keyword(&cursor, modes, &is_write) ||
		!take_pid(&cursor, &found.pid) || !take_inode(&cursor, &found) ||
		!take_offset(&cursor, &found.from) || !take_offset(&cursor, &found.to))
		return -EINVAL;
	skip_blanks(&cursor);
	if (cursor.at != cursor.end)
		return -EINVAL;
	found.kind = (enum lock_kind)kind;
	found.is_write = is_write;
	found.st_dev = makedev(found.major, found.minor);
	found.st_ino = found.ino;
	*lock = found;
	return 0;
}

/* -- the whole table -- */

static int parse_table(struct kernlocks *locks, const char *text, size_t len)
{
	const char *at = text, *end = text + len;
	size_t size = 0;

	while (at < end) {
		const char *newline = memchr(at, '\n', (size_t)(end - at));
		const char *stop = newline ? newline : end;

		if (locks->n == size) {
			struct kernlock *more;

			size = size ? size * 2 : 64;
			more = reallocarray(locks->lock, size, sizeof *more);
			if (!more)
				return -ENOMEM;
			locks->lock = more;
		}
		if (kernlock_parse(&locks->lock[locks->n], at, (size_t)(stop - at)) == 0)
			locks->n++;
		else
			locks->bad++;
		at = newline ? newline + 1 : end;
	}
	return 0;
}

static int compare_u64(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

/* The third field of each line of mountinfo is "major:minor". */
static int read_mounts(const struct world *world, struct kernlocks *locks)
{
	unsigned int major, minor;
	char *text, *line, *next;
	size_t lines = 0;
	ssize_t n = world_read_all(world, "self/mountinfo", &text, NULL);

	if (n < 0)
		return n == -ENOMEM ? -ENOMEM : 0;
	for (line = text; (line = strchr(line, '\n')); line++)
		lines++;
	locks->mount = reallocarray(NULL, lines + 1, sizeof *locks->mount);
	for (line = text; locks->mount && *line && locks->mounts < lines; line = next) {
		next = strchrnul(line, '\n');
		if (*next)
			*next++ = '\0';
		if (sscanf(line, "%*d %*d %u:%u", &major, &minor) == 2)
			locks->mount[locks->mounts++] = makedev(major, minor);
	}
	free(text);
	if (!locks->mount)
		return -ENOMEM;
	qsort(locks->mount, locks->mounts, sizeof *locks->mount, compare_u64);
	return 0;
}

/* Numbers of devices without a block device begin with 0; only among those may stat differ. */
static void find_strays(struct kernlocks *locks)
{
	for (size_t i = 0; i < locks->n && !locks->has_strays; i++)
		locks->has_strays = !locks->lock[i].is_placed && !locks->lock[i].is_waiter &&
				    locks->lock[i].major == 0;
}

/* A waiter has no descriptor that shows it, but it is where the lock above it is. */
static void place_waiters(struct kernlocks *locks)
{
	const struct kernlock *above = NULL;

	for (size_t i = 0; i < locks->n; i++) {
		struct kernlock *lock = &locks->lock[i];

		if (!lock->is_waiter) {
			above = lock;
		} else if (above && above->id == lock->id && above->ino == lock->ino) {
			lock->st_dev = above->st_dev;
			lock->st_ino = above->st_ino;
		}
	}
}

static int compare_inode(const struct kernlock *a, uint64_t dev, uint64_t ino)
{
	if (a->st_dev != dev)
		return a->st_dev < dev ? -1 : 1;
	return a->st_ino < ino ? -1 : a->st_ino > ino;
}

static int compare_places(const void *a, const void *b, void *data)
{
	const struct kernlock *lock = data;
	size_t i = *(const size_t *)a, j = *(const size_t *)b;
	int order = compare_inode(&lock[i], lock[j].st_dev, lock[j].st_ino);

	return order ? order : i < j ? -1 : i > j;
}

static int sort_by_inode(struct kernlocks *locks)
{
	locks->by_inode = reallocarray(NULL, locks->n + 1, sizeof *locks->by_inode);
	if (!locks->by_inode)
		return -ENOMEM;
	for (size_t i = 0; i < locks->n; i++)
		locks->by_inode[i] = i;
	qsort_r(locks->by_inode, locks->n, sizeof *locks->by_inode, compare_places, locks->lock);
	return 0;
}

static int read_table(const struct world *world, struct kernlocks *locks)
{
	unsigned int reads;
	char *text;
	ssize_t n = world_read_all(world, "locks", &text, &reads);
	int rc;

	if (n < 0)
		return (int)n;
	locks->in_pieces = reads > 1;
	rc = parse_table(locks, text, (size_t)n);
	free(text);
	return rc;
}

/* The kernel gives a page at a time; of 1,000 locks 15 were seen to be lost where others came
 * and went. Again, until nothing new is found. */
static int read_again(const struct world *world, struct kernlocks *locks)
{
	int rc = 1;

	for (int i = 0; i < AGAIN && rc > 0; i++) {
		struct kernlocks more = {0};

		rc = read_table(world, &more);
		if (rc == 0)
			rc = kernlocks_unite(locks, &more);
		kernlocks_release(&more);
	}
	return rc < 0 ? rc : 0;
}

static int read_locks(const struct world *world, bool with_holders, struct kernlocks *locks)
{
	int rc = read_table(world, locks);

	if (rc == 0 && locks->in_pieces && world->is_real)
		rc = read_again(world, locks);
	if (rc == 0 && with_holders && locks->n > 0)
		rc = kernlocks_walk(world, locks);
	if (rc < 0)
		return rc;
	place_waiters(locks);
	find_strays(locks);
	if (locks->has_strays)
		rc = read_mounts(world, locks);
	return rc < 0 ? rc : sort_by_inode(locks);
}

int kernlocks_read(const struct world *world, const struct here *here, bool with_holders,
	struct kernlocks *out, struct error *err)
{
	struct kernlocks locks = {
		.read_at = clock_mono(world->clock),
		.is_partial = !here->is_initial_pidns,
		.saw_all_fds = with_holders,
	};
	int rc = read_locks(world, with_holders, &locks);

	if (rc == 0) {
		locks.seen = kernlocks_seen_new();
		if (!locks.seen)
			rc = -ENOMEM;
	}
	if (rc < 0) {
		kernlocks_release(&locks);
		return error_sys(err, rc, "cannot read the kernel's lock table /proc/locks");
	}
	locks.cost = clock_mono(world->clock) - locks.read_at;
	*out = locks;
	return 0;
}

void kernlocks_release(struct kernlocks *locks)
{
	free(locks->lock);
	free(locks->holder);
	free(locks->by_inode);
	free(locks->mount);
	kernlocks_seen_free(locks->seen);
	*locks = (struct kernlocks){0};
}

ssize_t kernlocks_find(const struct kernlocks *locks, uint64_t dev, uint64_t ino, size_t from)
{
	size_t low = 0, high = locks->n;

	while (low < high) {
		size_t middle = low + (high - low) / 2, i = locks->by_inode[middle];
		int order = compare_inode(&locks->lock[i], dev, ino);

		if (order < 0 || (order == 0 && i < from))
			low = middle + 1;
		else
			high = middle;
	}
	if (low == locks->n || compare_inode(&locks->lock[locks->by_inode[low]], dev, ino) != 0)
		return -1;
	return (ssize_t)locks->by_inode[low];
}

ssize_t kernlocks_path(
	const struct world *world, const struct kernholder *holder, char *dst, size_t size)
{
	char path[48];

	snprintf(path, sizeof path, "%d/fd/%d", (int)holder->pid, holder->fd);
	return world_link(world, path, dst, size);
}

bool kernlocks_may(const struct kernlocks_budget *budget, mono_t now)
{
	return now >= budget->next;
}

void kernlocks_spent(struct kernlocks_budget *budget, mono_t began, int64_t cost)
{
	int64_t every = cost > NS_PER_S / 100 ? 100 * cost : NS_PER_S;

	/* From its beginning, or a look once a second would come too early for every second one. */
	budget->next = began + every;
}

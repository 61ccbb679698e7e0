/*
 * The walk over /proc/PID/fd. What costs is system calls: for a descriptor whose inode occurs in
 * the table statx, open, read, close; for every other one, and for a flock that nobody but its
 * taker can have, statx alone; so that nothing else is done for the thousands of sockets of a
 * server.
 */
#include "config.h"

#include "system/kernlocks_walk.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

enum { DIRENTS = 32 * 1024, TEXT_FIRST = 16 * 1024, STREAK = 8 };

/* What was seen of an inode with one flock. */
enum open { OPEN_NOWHERE, OPEN_BY_TAKER, OPEN_TWICE };

/* The taker's descriptor of such an inode. */
struct likely {
	struct kernholder holder; /* without the lock */
	size_t row;
};

struct walk {
	const struct world *world;
	struct kernlocks *locks;
	size_t *row; /* owned; the locks that are no waiters, sorted by kernlocks_compare() */
	size_t rows;
	size_t *next;     /* owned; where row begins a run of equals: the first that nobody has */
	int32_t *claimed; /* owned; a lock's latest holder, 0: none */
	uint64_t *ino;    /* owned; every inode number of the table once, sorted */
	size_t inos;
	size_t holders_size;
	unsigned char *open;   /* owned; enum open of each row */
	struct likely *likely; /* owned; each row at most once */
	size_t likelies, likely_size;
	char *text; /* owned; of an fdinfo */
	size_t text_size;
	char *pids, *fds; /* owned; DIRENTS each */
	int streak;       /* descriptors of this process in a row that had a lock */
	bool saw_init;
};

/* -- which lock is a line of fdinfo? -- */

#define COMPARE(a, b, member)                                      \
	do {                                                       \
		if ((a)->member != (b)->member)                    \
			return (a)->member < (b)->member ? -1 : 1; \
	} while (0)

int kernlocks_compare(const struct kernlock *a, const struct kernlock *b)
{
	COMPARE(a, b, ino);
	COMPARE(a, b, major);
	COMPARE(a, b, minor);
	COMPARE(a, b, kind);
	COMPARE(a, b, is_write);
	COMPARE(a, b, pid);
	COMPARE(a, b, from);
	COMPARE(a, b, to);
	return 0;
}

static bool is_same_inode(const struct kernlock *a, const struct kernlock *b)
{
	return a->ino == b->ino && a->major == b->major && a->minor == b->minor;
}

static int compare_rows(const void *a, const void *b, void *data)
{
	const struct kernlock *lock = data;
	size_t i = *(const size_t *)a, j = *(const size_t *)b;
	int order = kernlocks_compare(&lock[i], &lock[j]);

	return order ? order : i < j ? -1 : i > j;
}

static size_t first_row(const struct walk *walk, const struct kernlock *like)
{
	size_t low = 0, high = walk->rows;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (kernlocks_compare(&walk->locks->lock[walk->row[middle]], like) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static bool is_row(const struct walk *walk, size_t at, const struct kernlock *like)
{
	return at < walk->rows && kernlocks_compare(&walk->locks->lock[walk->row[at]], like) == 0;
}

/*
 * The lock that a line of fdinfo means, or -1. Several may look the same (shared OFD locks on a
 * file): then one that nobody has yet, else one that this process has not yet. Who has which of
 * those nobody could say without kcmp(2), but all who have one of them are found.
 */
static ssize_t claim(struct walk *walk, const struct kernlock *like, int32_t pid)
{
	size_t first = first_row(walk, like), at;

	if (!is_row(walk, first, like))
		return -1;
	at = walk->next[first];
	if (is_row(walk, at, like)) {
		walk->next[first] = at + 1;
	} else {
		for (at = first; is_row(walk, at, like); at++)
			if (walk->claimed[walk->row[at]] != pid)
				break;
		/* A second descriptor of the same lock, as dup(2) makes them. */
		if (!is_row(walk, at, like))
			return -1;
	}
	walk->claimed[walk->row[at]] = pid;
	return (ssize_t)walk->row[at];
}

static int add_holder(struct walk *walk, const struct kernholder *holder)
{
	struct kernlocks *locks = walk->locks;

	if (locks->holders == walk->holders_size) {
		size_t size = walk->holders_size ? walk->holders_size * 2 : 64;
		struct kernholder *more = reallocarray(locks->holder, size, sizeof *more);

		if (!more)
			return -ENOMEM;
		locks->holder = more;
		walk->holders_size = size;
	}
	locks->holder[locks->holders++] = *holder;
	return 0;
}

/* -- one descriptor -- */

/*
 * The kernel gives an fdinfo in one piece if there is room for it (fs/seq_file.c, single_open),
 * so that what does not fill the buffer is all of it: no second read to see the end.
 */
static ssize_t read_text(struct walk *walk, int fd)
{
	for (;;) {
		ssize_t n = pread(fd, walk->text, walk->text_size - 1, 0);
		char *more;

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if ((size_t)n < walk->text_size - 1) {
			walk->text[n] = '\0';
			return n;
		}
		/* Somebody with hundreds of byte ranges. */
		more = realloc(walk->text, walk->text_size * 2);
		if (!more)
			return -ENOMEM;
		walk->text = more;
		walk->text_size *= 2;
	}
}

static ssize_t read_fdinfo(struct walk *walk, int32_t pid, int fd)
{
	char path[48];
	ssize_t n;
	int info;

	snprintf(path, sizeof path, "%d/fdinfo/%d", (int)pid, fd);
	info = world_openat(walk->world, path, O_RDONLY);
	if (info < 0)
		return info;
	n = read_text(walk, info);
	close(info);
	return n;
}

/* A descriptor that is being looked at. */
struct look {
	struct kernholder holder;
	int dir;          /* of its process's descriptors */
	const char *name; /* its own, there */
	bool has_stat;    /* holder has what stat(2) says */
};

/* 0 or -errno; *mode may be NULL. Does not ask a server, for one that is gone keeps us waiting. */
static int stat_fd(struct look *look, unsigned int *mode)
{
	struct statx stat;

	if (statx(look->dir, look->name, AT_STATX_DONT_SYNC | AT_NO_AUTOMOUNT,
		    STATX_TYPE | STATX_INO, &stat) < 0)
		return -errno;
	look->holder.st_dev = makedev(stat.stx_dev_major, stat.stx_dev_minor);
	look->holder.st_ino = stat.stx_ino;
	look->has_stat = true;
	if (mode)
		*mode = stat.stx_mode;
	return 0;
}

/*
 * "lock:\t1: FLOCK  ADVISORY  WRITE 4711 fe:00:1234 0 EOF". Without stat(2) the inode is as that
 * says: of a block device (major number not 0) stat(2) says the same, and a recorded tree has
 * nothing else.
 */
static int add_lock_of(struct walk *walk, struct look *look, const char *line, size_t len)
{
	struct kernlock like;
	ssize_t lock;

	if (kernlock_parse(&like, line, len) < 0)
		return 0;
	lock = claim(walk, &like, look->holder.pid);
	if (lock < 0)
		return 0;
	if (!look->has_stat &&
		(like.major != 0 || !walk->world->is_real || stat_fd(look, NULL) < 0)) {
		look->holder.st_dev = like.st_dev;
		look->holder.st_ino = like.st_ino;
	}
	look->holder.lock = (size_t)lock;
	return add_holder(walk, &look->holder);
}

static int add_locks_of(struct walk *walk, struct look *look)
{
	size_t before = walk->locks->holders;
	const char *line, *next;
	int rc = 0;

	for (line = walk->text; *line && rc == 0; line = next + (*next == '\n')) {
		next = strchrnul(line, '\n');
		if (strncmp(line, "lock:\t", 6) == 0)
			rc = add_lock_of(walk, look, line + 6, (size_t)(next - line - 6));
	}
	walk->streak = walk->locks->holders > before ? walk->streak + 1 : 0;
	return rc;
}

static bool has_ino(const struct walk *walk, uint64_t ino)
{
	size_t low = 0, high = walk->inos;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (walk->ino[middle] < ino)
			low = middle + 1;
		else
			high = middle;
	}
	return low < walk->inos && walk->ino[low] == ino;
}

/*
 * May the descriptor have a lock of the table? The numbers of an overlayfs inode may be others
 * in stat than in the table; such files are on devices of major number 0.
 */
static bool may_have_lock(
	const struct walk *walk, const struct kernholder *holder, unsigned int mode)
{
	return has_ino(walk, holder->st_ino) ||
	       (major(holder->st_dev) == 0 && (S_ISREG(mode) || S_ISDIR(mode)));
}

/* What cannot be read of who ended meanwhile is no loss: he has no locks either. */
static void note_loss(struct walk *walk, ssize_t error)
{
	if (error < 0 && error != -ENOENT && error != -ESRCH)
		walk->locks->saw_all_fds = false;
}

/* -- who must have it, because nobody else can -- */

/*
 * The one row about that inode, if it is a flock, which has one taker and whose device has the
 * same number in the table and by stat(2); else -1.
 */
static ssize_t only_row(const struct walk *walk, const struct kernholder *holder)
{
	const struct kernlock before = {.ino = holder->st_ino,
		.major = major(holder->st_dev),
		.minor = minor(holder->st_dev),
		.kind = (enum lock_kind)0,
		.pid = INT32_MIN};
	size_t at = first_row(walk, &before);
	const struct kernlock *lock = walk->locks->lock;

	if (before.major == 0 || at >= walk->rows || !is_same_inode(&lock[walk->row[at]], &before))
		return -1;
	if (at + 1 < walk->rows && is_same_inode(&lock[walk->row[at + 1]], &before))
		return -1;
	return lock[walk->row[at]].kind == LOCK_FLOCK ? (ssize_t)at : -1;
}

static int add_likely(struct walk *walk, const struct kernholder *holder, size_t row)
{
	if (walk->likelies == walk->likely_size) {
		size_t size = walk->likely_size ? walk->likely_size * 2 : 64;
		struct likely *more = reallocarray(walk->likely, size, sizeof *more);

		if (!more)
			return -ENOMEM;
		walk->likely = more;
		walk->likely_size = size;
	}
	walk->likely[walk->likelies++] = (struct likely){*holder, row};
	return 0;
}

/*
 * The taker's descriptor of an inode with one flock is put off: if it stays the only one, fdinfo
 * need not be read, which costs as much as all else that is asked about a descriptor. 1: it is
 * put off; 0: it is not; or -ENOMEM.
 */
static int put_off(struct walk *walk, const struct kernholder *holder)
{
	ssize_t row = -1;
	int rc;

	/* Who cannot see init's descriptors has to read all, and then at once. */
	if (walk->world->is_real && walk->locks->saw_all_fds && !walk->locks->is_partial)
		row = only_row(walk, holder);
	if (row < 0)
		return 0;
	if (walk->open[row] != OPEN_NOWHERE ||
		walk->locks->lock[walk->row[row]].pid != holder->pid) {
		walk->open[row] = OPEN_TWICE;
		return 0;
	}
	walk->open[row] = OPEN_BY_TAKER;
	rc = add_likely(walk, holder, (size_t)row);
	return rc < 0 ? rc : 1;
}

/*
 * Somebody has the lock, and the taker alone has the inode open. Not if a descriptor may have
 * escaped us: then the taker's may be a second one, opened later, and the lock a child's.
 */
static bool must_have(const struct walk *walk, const struct likely *likely)
{
	return walk->open[likely->row] == OPEN_BY_TAKER && walk->locks->saw_all_fds &&
	       !walk->locks->is_partial && walk->claimed[walk->row[likely->row]] == 0;
}

static int ask_fdinfo(struct walk *walk, struct look *look)
{
	ssize_t n = read_fdinfo(walk, look->holder.pid, look->holder.fd);

	note_loss(walk, n);
	if (n < 0)
		return n == -ENOMEM ? -ENOMEM : 0;
	return add_locks_of(walk, look);
}

static int look_at_fd(struct walk *walk, int dir, const char *name, int fd, int32_t pid)
{
	struct look look = {.holder = {.pid = pid, .fd = fd}, .dir = dir, .name = name};
	unsigned int mode;
	ssize_t n;

	/*
	 * A recorded tree's links lead nowhere, or to what has that name here by chance. In a row
	 * of locks the next is likely another: its fdinfo tells all.
	 */
	if (walk->world->is_real && walk->streak < STREAK) {
		n = stat_fd(&look, &mode);
		note_loss(walk, n);
		if (n < 0 || !may_have_lock(walk, &look.holder, mode))
			return 0;
		n = put_off(walk, &look.holder);
		if (n != 0)
			return n < 0 ? (int)n : 0;
	}
	return ask_fdinfo(walk, &look);
}

/* After the last process: those that were put off. */
static int look_at_likely(struct walk *walk)
{
	int rc = 0;

	for (size_t i = 0; i < walk->likelies && rc == 0; i++) {
		struct likely *likely = &walk->likely[i];
		struct look look = {.holder = likely->holder, .dir = -1, .has_stat = true};

		if (must_have(walk, likely)) {
			likely->holder.lock = walk->row[likely->row];
			rc = add_holder(walk, &likely->holder);
		} else {
			rc = ask_fdinfo(walk, &look);
		}
	}
	return rc;
}

/* -- every descriptor of every process -- */

/* A name of digits only, as a number; -1 for any other. */
static int number_of(const char *name)
{
	int value = 0;

	if (!*name)
		return -1;
	for (; *name; name++)
		if (*name < '0' || *name > '9' || __builtin_mul_overflow(value, 10, &value) ||
			__builtin_add_overflow(value, *name - '0', &value))
			return -1;
	return value;
}

typedef int entry_fn(struct walk *walk, int dir, const char *name, int number, int32_t pid);

/* Calls fn for each entry whose name is a number; the reading itself may fail with *failed. */
static int each_number(
	struct walk *walk, int dir, char *dirents, int32_t pid, entry_fn *fn, int *failed)
{
	ssize_t n;

	*failed = 0;
	while ((n = getdents64(dir, dirents, DIRENTS)) > 0) {
		const struct dirent64 *entry;

		for (ssize_t at = 0; at < n; at += entry->d_reclen) {
			int number, rc;

			entry = (const struct dirent64 *)(const void *)(dirents + at);
			number = number_of(entry->d_name);
			rc = number < 0 ? 0 : fn(walk, dir, entry->d_name, number, pid);
			if (rc < 0)
				return rc;
		}
	}
	if (n < 0)
		*failed = -errno;
	return 0;
}

static int look_at_process(struct walk *walk, int dir, const char *name, int number, int32_t pid)
{
	char path[32];
	int fds, rc, failed;

	(void)dir, (void)pid;
	walk->saw_init |= number == 1;
	walk->streak = 0;
	snprintf(path, sizeof path, "%.10s/fd", name);
	fds = world_openat(walk->world, path, O_RDONLY | O_DIRECTORY);
	if (fds < 0) {
		note_loss(walk, fds);
		return 0;
	}
	rc = each_number(walk, fds, walk->fds, number, look_at_fd, &failed);
	close(fds);
	note_loss(walk, failed);
	return rc;
}

static int look_at_all(struct walk *walk)
{
	int dir = world_openat(walk->world, ".", O_RDONLY | O_DIRECTORY), rc, failed;

	if (dir < 0)
		return dir;
	rc = each_number(walk, dir, walk->pids, 0, look_at_process, &failed);
	close(dir);
	/* hidepid=2 leaves out who is not ours; init is there for root and wherever nothing is
	 * hidden. */
	if (failed < 0 || (walk->world->is_real && !walk->saw_init))
		walk->locks->saw_all_fds = false;
	return rc;
}

/* -- what was found -- */

static int compare_holders(const void *a, const void *b)
{
	const struct kernholder *x = a, *y = b;

	COMPARE(x, y, lock);
	COMPARE(x, y, pid);
	return 0;
}

/*
 * A lock without a descriptor is where the others with its numbers are, if those are all at one
 * place (on btrfs files of two subvolumes can have the same numbers in the table).
 */
static void place_group(struct kernlock *lock, const size_t *row, size_t n)
{
	const struct kernlock *placed = NULL;

	for (size_t i = 0; i < n; i++) {
		const struct kernlock *other = &lock[row[i]];

		if (!other->is_placed)
			continue;
		if (placed && (placed->st_dev != other->st_dev || placed->st_ino != other->st_ino))
			return;
		placed = other;
	}
	for (size_t i = 0; placed && i < n; i++)
		if (!lock[row[i]].is_placed) {
			lock[row[i]].st_dev = placed->st_dev;
			lock[row[i]].st_ino = placed->st_ino;
		}
}

static void place(struct walk *walk)
{
	struct kernlock *lock = walk->locks->lock;

	for (size_t i = walk->locks->holders; i-- > 0;) {
		const struct kernholder *holder = &walk->locks->holder[i];

		lock[holder->lock].st_dev = holder->st_dev;
		lock[holder->lock].st_ino = holder->st_ino;
		lock[holder->lock].is_placed = true;
	}
	for (size_t i = 0, n; i < walk->rows; i += n) {
		for (n = 1; i + n < walk->rows; n++)
			if (!is_same_inode(&lock[walk->row[i]], &lock[walk->row[i + n]]))
				break;
		place_group(lock, walk->row + i, n);
	}
}

static int walk_begin(struct walk *walk)
{
	const struct kernlocks *locks = walk->locks;

	walk->row = reallocarray(NULL, locks->n, sizeof *walk->row);
	walk->next = reallocarray(NULL, locks->n, sizeof *walk->next);
	walk->claimed = calloc(locks->n, sizeof *walk->claimed);
	walk->ino = reallocarray(NULL, locks->n, sizeof *walk->ino);
	walk->open = calloc(locks->n, sizeof *walk->open);
	walk->text_size = TEXT_FIRST;
	walk->text = malloc(walk->text_size);
	walk->pids = malloc(DIRENTS);
	walk->fds = malloc(DIRENTS);
	if (!walk->row || !walk->next || !walk->claimed || !walk->ino || !walk->open ||
		!walk->text || !walk->pids || !walk->fds)
		return -ENOMEM;

	for (size_t i = 0; i < locks->n; i++)
		if (!locks->lock[i].is_waiter)
			walk->row[walk->rows++] = i;
	qsort_r(walk->row, walk->rows, sizeof *walk->row, compare_rows, locks->lock);
	for (size_t i = 0; i < walk->rows; i++) {
		uint64_t ino = locks->lock[walk->row[i]].ino;

		walk->next[i] = i;
		if (walk->inos == 0 || walk->ino[walk->inos - 1] != ino)
			walk->ino[walk->inos++] = ino;
	}
	return 0;
}

static void walk_end(struct walk *walk)
{
	free(walk->row);
	free(walk->next);
	free(walk->claimed);
	free(walk->ino);
	free(walk->open);
	free(walk->likely);
	free(walk->text);
	free(walk->pids);
	free(walk->fds);
}

int kernlocks_walk(const struct world *world, struct kernlocks *locks)
{
	struct walk walk = {.world = world, .locks = locks};
	int rc = walk_begin(&walk);

	if (rc == 0)
		rc = look_at_all(&walk);
	if (rc == 0)
		rc = look_at_likely(&walk);
	if (rc == 0) {
		if (locks->holders > 0)
			qsort(locks->holder, locks->holders, sizeof *locks->holder,
				compare_holders);
		place(&walk);
	}
	walk_end(&walk);
	return rc;
}

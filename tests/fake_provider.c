/* A provider that does what a test tells it. */
#include "config.h"
#include "fake_provider.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "base/error.h"

enum { TEXT_MAX = 1024, FOR_EVER = -1 };

struct fake {
	const struct world *world;
	char *script, *held; /* owned; paths */
	int lock;            /* of the step that is being done: flock on held */
};

/* What PATH.held says. */
struct holder {
	char token[33]; /* "-": nobody */
	int pid;
	int is_detached;
	int64_t fence, ends;
};

/* --- files --- */

static int read_text(const char *path, char text[TEXT_MAX])
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, text, TEXT_MAX - 1);
	int rc = n < 0 ? -errno : 0;

	text[n < 0 ? 0 : n] = '\0';
	if (fd >= 0)
		close(fd);
	return rc;
}

static int write_text(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
	int rc = 0;

	if (fd < 0)
		return -errno;
	if (write(fd, text, strlen(text)) < 0)
		rc = -errno;
	close(fd);
	return rc;
}

static int begin(struct fake *fake, struct holder *holder, struct error *err)
{
	char text[TEXT_MAX];

	*holder = (struct holder){.token = "-"};
	fake->lock = open(fake->held, O_RDWR | O_CREAT | O_CLOEXEC, 0666);
	if (fake->lock < 0 || flock(fake->lock, LOCK_EX) < 0)
		return error_sys(err, -errno, "cannot reach %s", fake->script);
	read_text(fake->held, text);
	sscanf(text, "%32s %d %d %" SCNd64 " %" SCNd64, holder->token, &holder->pid,
		&holder->is_detached, &holder->fence, &holder->ends);
	return 0;
}

static int end(struct fake *fake, const struct holder *holder, int rc)
{
	char text[TEXT_MAX];

	if (fake->lock < 0)
		return rc;
	if (holder) {
		snprintf(text, sizeof text, "%s %d %d %" PRId64 " %" PRId64 "\n", holder->token,
			holder->pid, holder->is_detached, holder->fence, holder->ends);
		write_text(fake->held, text);
	}
	close(fake->lock);
	fake->lock = -1;
	return rc;
}

/* --- the script --- */

/* Is that word in the script? *number is the one behind it, FOR_EVER: none. */
static bool find(const struct fake *fake, const char *word, double *number)
{
	char text[TEXT_MAX], *rest = text, *line;
	size_t len = strlen(word);

	read_text(fake->script, text);
	while ((line = strsep(&rest, "\n"))) {
		if (strncmp(line, word, len) != 0 || (line[len] && line[len] != ' '))
			continue;
		*number = line[len] ? strtod(line + len, NULL) : FOR_EVER;
		return true;
	}
	return false;
}

/* Writes another number behind that word; 0: drops the line. */
static void replace(const struct fake *fake, const char *word, int number)
{
	char text[TEXT_MAX], out[TEXT_MAX] = "", *rest = text, *line;
	size_t len = strlen(word), used = 0;

	read_text(fake->script, text);
	while ((line = strsep(&rest, "\n"))) {
		bool is_it = strncmp(line, word, len) == 0 && (!line[len] || line[len] == ' ');

		if (is_it && number > 0)
			used += (size_t)snprintf(
				out + used, sizeof out - used, "%s %d\n", word, number);
		else if (!is_it && *line)
			used += (size_t)snprintf(out + used, sizeof out - used, "%s\n", line);
	}
	write_text(fake->script, out);
}

/* True for each of the next N times. */
static bool happens(const struct fake *fake, const char *word)
{
	double number;

	if (!find(fake, word, &number))
		return false;
	if (number > 0)
		replace(fake, word, (int)number - 1);
	return number != 0;
}

/* True at the N-th time only. */
static bool happens_at_last(const struct fake *fake, const char *word)
{
	double number;

	if (!find(fake, word, &number))
		return false;
	replace(fake, word, number > 1 ? (int)number - 1 : 0);
	return number <= 1;
}

/* --- the provider --- */

static void fake_close(void *state)
{
	struct fake *fake = state;

	if (!fake)
		return;
	free(fake->script);
	free(fake->held);
	free(fake);
}

static int fake_open(
	void **state, const struct world *world, const struct uri *address, struct error *err)
{
	static const char *const none[] = {NULL};
	struct fake *fake;
	int rc = uri_only(address, none, err);

	if (rc < 0)
		return rc;
	fake = calloc(1, sizeof *fake);
	if (!fake)
		return -ENOMEM;
	fake->world = world;
	fake->lock = -1;
	fake->script = strdup(address->path);
	if (asprintf(&fake->held, "%s.held", address->path) < 0)
		fake->held = NULL;
	if (!fake->script || !fake->held) {
		fake_close(fake);
		return -ENOMEM;
	}
	*state = fake;
	return 0;
}

static int reach(struct fake *fake, struct holder *holder, struct error *err)
{
	int rc = begin(fake, holder, err);

	if (rc == 0 && happens(fake, "unreachable"))
		rc = error_set(err, -EIO, "cannot reach %s: it was told so", fake->script);
	return rc < 0 ? end(fake, NULL, rc) : 0;
}

/* Ours, or whose is it? */
static int compare(const struct fake *fake, const struct holder *holder, const struct claim *claim,
	struct error *err)
{
	if (strcmp(holder->token, claim->token) == 0)
		return 0;
	if (holder->token[0] == '-')
		return error_set(err, -ESTALE, "%s is lost: nobody has it", fake->script);
	return error_set(err, -EKEYREJECTED, "%s belongs to pid %d", fake->script, holder->pid);
}

static void take(
	struct fake *fake, struct holder *holder, const struct claim *claim, struct taking *taking)
{
	snprintf(holder->token, sizeof holder->token, "%s", claim->token);
	holder->pid = claim->pid;
	holder->is_detached = claim->is_detached;
	holder->ends = claim->lease ? clock_mono(fake->world->clock) + claim->lease : INT64_MAX;
	taking->fence = ++holder->fence;
}

static int try_it(
	struct fake *fake, const struct claim *claim, struct taking *taking, struct error *err)
{
	const struct clock *clock = fake->world->clock;
	struct holder holder;
	double seconds;
	int rc;

	taking->attempts++;
	if (find(fake, "slow", &seconds))
		clock->wait(clock, NULL, 0, clock_mono(clock) + clock_ns(seconds), NULL);
	rc = reach(fake, &holder, err);
	if (rc < 0)
		return rc;
	if (happens(fake, "busy"))
		return end(fake, NULL, error_set(err, -EBUSY, "somebody has %s", fake->script));
	if (holder.token[0] != '-') {
		if (clock_mono(clock) < holder.ends || claim->takeover == TAKEOVER_NEVER)
			return end(fake, NULL,
				error_set(err, -EBUSY, "%s has pid %d", fake->script, holder.pid));
		taking->was_stale = true;
		taking->former.pid = holder.pid;
		snprintf(taking->reason, sizeof taking->reason, "the lease of pid %d ran out",
			holder.pid);
	}
	take(fake, &holder, claim, taking);
	return end(fake, &holder, 0);
}

static int fake_acquire(void *state, const struct claim *claim, const struct patience *patience,
	struct taking *taking, struct error *err)
{
	(void)patience;
	return try_it(state, claim, taking, err);
}

/* The queue is a look each 10 ms. */
static int queue_acquire(void *state, const struct claim *claim, const struct patience *patience,
	struct taking *taking, struct error *err)
{
	struct fake *fake = state;
	const struct clock *clock = fake->world->clock;

	for (;;) {
		int rc = try_it(fake, claim, taking, err);
		mono_t now = clock_mono(clock);

		if (rc != -EBUSY || (patience->until <= now && !taking->was_queued))
			return rc;
		if (patience->until <= now)
			return error_set(err, -ETIMEDOUT, "%s stayed busy", fake->script);
		taking->was_queued = true;
		rc = clock->wait(clock, NULL, 0,
			patience->until - now > 10 * NS_PER_MS ? now + 10 * NS_PER_MS
							       : patience->until,
			NULL);
		if (patience->tick)
			rc = patience->tick(patience->data);
		else if (rc == -EINTR)
			rc = -ECANCELED;
		if (rc < 0)
			return error_set(err, rc, "the wait was ended");
	}
}

static int fake_renew(void *state, const struct claim *claim, struct error *err)
{
	struct fake *fake = state;
	struct holder holder;
	int rc = reach(fake, &holder, err);

	if (rc < 0)
		return rc;
	if (happens(fake, "transient"))
		return end(fake, NULL, error_set(err, -EIO, "%s is tired", fake->script));
	if (happens_at_last(fake, "lose")) {
		snprintf(holder.token, sizeof holder.token, "%032d", 0);
		holder.pid = 1;
	}
	if (happens_at_last(fake, "gone"))
		snprintf(holder.token, sizeof holder.token, "-");
	rc = compare(fake, &holder, claim, err);
	if (rc == 0 && claim->lease)
		holder.ends = clock_mono(fake->world->clock) + claim->lease;
	return end(fake, &holder, rc);
}

static int fake_verify(void *state, const struct claim *claim, struct error *err)
{
	struct fake *fake = state;
	struct holder holder;
	int rc = reach(fake, &holder, err);

	return rc < 0 ? rc : end(fake, NULL, compare(fake, &holder, claim, err));
}

static int fake_give_back(void *state, const struct claim *claim, struct error *err)
{
	struct fake *fake = state;
	struct holder holder;
	int rc = reach(fake, &holder, err);

	if (rc == 0)
		rc = compare(fake, &holder, claim, err);
	if (rc < 0)
		return end(fake, NULL, rc);
	snprintf(holder.token, sizeof holder.token, "-");
	return end(fake, &holder, 0);
}

static void fake_who(void *state, struct occupant *occupant)
{
	struct fake *fake = state;
	struct holder holder;

	*occupant = (struct occupant){.age = -1};
	if (begin(fake, &holder, NULL) == 0 && holder.token[0] != '-') {
		occupant->is_known = true;
		occupant->pid = holder.pid;
	}
	end(fake, NULL, 0);
}

static int fake_fence(void *state, int64_t *fence, struct error *err)
{
	struct fake *fake = state;
	struct holder holder;
	int rc = begin(fake, &holder, err);

	if (rc == 0)
		*fence = holder.fence;
	return end(fake, NULL, rc);
}

static const char *fake_path(void *state)
{
	return ((struct fake *)state)->held;
}

enum { FAKE_CAN = PROVIDER_RENEWS | PROVIDER_FENCES | PROVIDER_DETACHES };

#define FAKE                                                                               \
	.help = "does what a test tells it", .class = LOCK_CLASS_LEASE, .open = fake_open, \
	.close = fake_close, .renew = fake_renew, .verify = fake_verify,                   \
	.give_back = fake_give_back, .who = fake_who, .fence = fake_fence, .path = fake_path

const struct provider provider_fake = {
	.scheme = "fake", .can = FAKE_CAN, .acquire = fake_acquire, FAKE};
const struct provider provider_fake_queue = {
	.scheme = "fakequeue", .can = FAKE_CAN | PROVIDER_QUEUES, .acquire = queue_acquire, FAKE};

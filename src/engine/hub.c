/* The hub as others see it: sources are added with their commands, and ended all at once. */
#include "config.h"

#include "engine/hub_private.h"

#include <assert.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "base/error.h"

#define SILENCE  (2 * NS_PER_S)
#define PATIENCE (15 * NS_PER_S)

struct hub *hub_new(const struct hub_options *options)
{
	struct hub *hub = calloc(1, sizeof *hub);

	if (!hub)
		return NULL;
	hub->options = *options;
	hub->silence = options->silence ? options->silence : SILENCE;
	hub->patience = options->patience ? options->patience : PATIENCE;
	if (getrandom(&hub->random, sizeof hub->random, GRND_NONBLOCK) < 0 || !hub->random)
		hub->random = (uint64_t)loop_now(options->loop) | 1;
	return hub;
}

/* Those that have not ended yet, as far as there is room. */
struct left {
	struct pollfd fds[64];
	unsigned int n;
};

static void reap(struct left *left, struct child *child)
{
	if (child->pid <= 0 || child_reap(child))
		return;
	if (left->n < sizeof left->fds / sizeof *left->fds)
		left->fds[left->n++] = (struct pollfd){.fd = child->pidfd, .events = POLLIN};
}

static void reap_all(struct hub *hub, struct left *left)
{
	left->n = 0;
	for (size_t i = 0; i < hub->sources; i++) {
		reap(left, &hub->source[i]->child);
		for (size_t k = 0; k < STRAYS; k++)
			if (hub->source[i]->stray[k].is_used)
				reap(left, &hub->source[i]->stray[k].child);
	}
}

/* Until all have ended, or half a second is over. True: all have. */
static bool await_all(struct hub *hub)
{
	mono_t until = clock_mono(&clock_system) + GRACE;
	struct left left;

	for (reap_all(hub, &left); left.n; reap_all(hub, &left)) {
		if (clock_mono(&clock_system) >= until)
			return false;
		clock_system.wait(&clock_system, left.fds, left.n, until, NULL);
	}
	return true;
}

static void signal_all(struct hub *hub, int signal)
{
	size_t i;

	for (i = 0; i < hub->sources; i++)
		child_signal(&hub->source[i]->child, signal);
}

void hub_free(struct hub *hub)
{
	size_t i;

	if (!hub)
		return;
	for (i = 0; i < hub->sources; i++)
		hub_process_hang_up(hub->source[i]);
	signal_all(hub, SIGTERM);
	if (!await_all(hub)) {
		signal_all(hub, SIGKILL);
		await_all(hub);
	}
	for (i = 0; i < hub->sources; i++)
		hub_process_free(hub->source[i]);
	free(hub->source);
	free(hub);
}

static int add(struct hub *hub, struct source *source)
{
	struct source **array = reallocarray(hub->source, hub->sources + 1, sizeof(*array));

	if (!array)
		return -ENOMEM;
	hub->source = array;
	source->timer = loop_timer_add(hub->options.loop, hub_process_on_timer, source);
	if (!source->timer || !source->uri)
		return -ENOMEM;
	source->hub = hub;
	source->index = hub->sources;
	array[hub->sources++] = source;
	hub_lines_tell_state(source, SOURCE_STARTING, NULL);
	hub_process_start(source);
	return (int)source->index;
}

/* The command of a source: this program again, or ssh(1). */
static int set_command(
	struct hub *hub, struct source *source, const struct uri *uri, struct error *err)
{
	const char *const *args = hub->options.program_args;
	struct uri sent = *uri;
	char dash[] = "-";
	size_t n = 0, i = 0;
	int result;

	while (args && args[n])
		n++;
	source->argv = calloc(n + HUB_SSH_ARGS, sizeof *source->argv);
	if (!source->argv)
		return error_sys(err, -ENOMEM, "cannot start %s", uri->text);
	if (strcmp(uri->scheme, "ssh") == 0) {
		sent.path = dash; /* the URI is sent, so that it stands in no list of processes */
		result = hub_ssh_argv(hub->options.ssh ? hub->options.ssh : "ssh", &sent, false,
			source->argv, HUB_SSH_ARGS, err);
		if (result < 0)
			return result;
		source->program = source->words = (char *)source->argv[0];
		return 0;
	}
	source->program = hub->options.program ? hub->options.program : "/proc/self/exe";
	source->argv[i++] = "locktop";
	for (n = 0; args && args[n]; n++)
		source->argv[i++] = args[n];
	source->argv[i++] = "source";
	source->argv[i] = "-";
	return 0;
}

/* argv NULL: the command that the URI asks for. */
static int add_source(struct hub *hub, const char *text, const char *const *argv, struct error *err)
{
	struct source *source;
	struct uri uri;
	size_t n = 0;
	int result = uri_parse(&uri, text, err);

	if (result < 0)
		return result;
	source = calloc(1, sizeof *source);
	if (!source) {
		uri_release(&uri);
		return error_sys(err, -ENOMEM, "cannot start %s", text);
	}
	child_init(&source->child);
	source->uri = strdup(strcmp(uri.scheme, "ssh") == 0 ? uri.path : text);
	if (argv) {
		while (argv[n])
			n++;
		source->program = argv[0];
		source->argv = calloc(n + 1, sizeof *source->argv);
		if (source->argv)
			memcpy(source->argv, argv, n * sizeof *argv);
	} else {
		result = set_command(hub, source, &uri, err);
	}
	uri_release(&uri);
	if (!result) {
		result = source->argv ? add(hub, source) : -ENOMEM;
		if (result == -ENOMEM)
			error_sys(err, result, "cannot start %s", text);
	}
	if (result < 0)
		hub_process_free(source);
	return result;
}

int hub_add(struct hub *hub, const char *uri, struct error *err)
{
	return add_source(hub, uri, NULL, err);
}

int hub_add_command(struct hub *hub, const char *uri, const char *const *argv, struct error *err)
{
	return add_source(hub, uri, argv, err);
}

void hub_scan(struct hub *hub, size_t index)
{
	const struct request request = {.kind = REQUEST_SCAN};
	struct source *source;

	assert(index < hub->sources);
	source = hub->source[index];
	source->failures = 0;
	if (source->phase == IDLE && source->state == SOURCE_DOWN && !hub->options.once &&
		hub_process_strays(source) < STRAYS)
		loop_timer_set(source->timer, now_of(source));
	else if (source->phase == RUNNING && jsonl_pending(&source->writer) < QUEUE_MAX)
		hub_lines_ask(source, &request);
}

bool hub_is_done(const struct hub *hub)
{
	size_t i;

	for (i = 0; i < hub->sources; i++)
		if (!hub->source[i]->is_over && hub->source[i]->state != SOURCE_ENDED)
			return false;
	return true;
}

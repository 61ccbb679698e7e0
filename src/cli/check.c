/* What a monitoring plugin says of locks. */
#include "config.h"
#include "cli/check.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/text.h"

/* Of more lines than that a monitoring system shows nothing: some cut at 4 KB. */
enum { LINES_MAX = 30 };

static const char *const service_words[] = {
	[SERVICE_OK] = "OK",
	[SERVICE_WARNING] = "WARNING",
	[SERVICE_CRITICAL] = "CRITICAL",
	[SERVICE_UNKNOWN] = "UNKNOWN",
};

/* From the worst on. What is not known may be worse than a warning, but hides nothing critical. */
static const enum service by_harm[] = {
	SERVICE_CRITICAL, SERVICE_UNKNOWN, SERVICE_WARNING, SERVICE_OK};

const char *service_word(enum service service)
{
	return service_words[service];
}

static int harm_of(enum service service)
{
	int i = 0;

	while (by_harm[i] != service)
		i++;
	return -i;
}

static enum service worse(enum service a, enum service b)
{
	return harm_of(a) >= harm_of(b) ? a : b;
}

int check_add(struct check *check, char *address, const struct entry *entry, bool is_named)
{
	size_t size = check->size ? 2 * check->size : 16;
	struct checked *grown = check->lock;
	const char *slash;

	if (check->n == check->size)
		grown = reallocarray(check->lock, size, sizeof *grown);
	if (!grown || !address) {
		free(address);
		return -ENOMEM;
	}
	if (check->n == check->size)
		check->size = size;
	slash = strrchr(address, '/');
	check->lock = grown;
	check->lock[check->n++] = (struct checked){
		.address = address,
		.name = entry   ? entry->lock->name
			: slash ? slash + 1
				: address,
		.entry = entry,
		.is_named = is_named,
	};
	return 0;
}

void check_release(struct check *check)
{
	for (size_t i = 0; i < check->n; i++)
		free(check->lock[i].address);
	free(check->lock);
}

/* Judging. */

static bool has_levels(const struct levels *levels)
{
	return levels->warning.text || levels->critical.text;
}

static enum service judge(const struct levels *levels, double value)
{
	if (nagios_range_alerts(&levels->critical, value))
		return SERVICE_CRITICAL;
	return nagios_range_alerts(&levels->warning, value) ? SERVICE_WARNING : SERVICE_OK;
}

static enum state state_of(const struct checked *lock)
{
	return lock->entry ? lock->entry->verdict.state : STATE_FREE;
}

/* A pid file says that a program runs, for as long as it likes: only who names it means its age. */
static bool is_hold(const struct checked *lock)
{
	return state_of(lock) != STATE_FREE &&
	       (lock->is_named || lock->entry->lock->record.format != RECORD_PID);
}

static bool is_stale(const struct checked *lock)
{
	return lock->entry && verdict_allows_release(&lock->entry->verdict);
}

/* Whole seconds, as they are printed; -1: unknown (also of a record in the future). */
static int64_t age_of(const struct check *check, const struct checked *lock)
{
	int64_t age = lock->entry ? model_age(check->model, lock->entry) : AGE_UNKNOWN;

	return age < 0 ? -1 : age / NS_PER_S;
}

static int compare_addresses(const void *a, const void *b)
{
	const struct checked *x = a, *y = b;
	int order = strcmp(x->address, y->address);

	return order ? order : !x->entry - !y->entry;
}

/* The same lock may be in two sources that were named, or in one and named itself. */
static void unite(struct check *check)
{
	size_t n = 0;

	if (check->n)
		qsort(check->lock, check->n, sizeof *check->lock, compare_addresses);
	for (size_t i = 0; i < check->n; i++) {
		struct checked *lock = &check->lock[i];

		if (n == 0 || strcmp(check->lock[n - 1].address, lock->address) != 0) {
			check->lock[n++] = *lock;
			continue;
		}
		check->lock[n - 1].is_named |= lock->is_named;
		free(lock->address);
	}
	check->n = n;
}

static void count(struct check *check)
{
	check->held = check->stale = 0;
	check->oldest = -1;
	for (size_t i = 0; i < check->n; i++) {
		const struct checked *lock = &check->lock[i];
		int64_t age = age_of(check, lock);

		check->stale += is_stale(lock);
		if (!is_hold(lock))
			continue;
		check->held++;
		if (age > check->oldest)
			check->oldest = age;
	}
	if (check->held == 0)
		check->oldest = 0;
}

static enum service judge_state(const struct check *check, const struct checked *lock)
{
	switch (state_of(lock)) {
	case STATE_FREE:
	case STATE_HELD: return SERVICE_OK;
	case STATE_OVERDUE: return has_levels(&check->levels->age) ? SERVICE_OK : SERVICE_CRITICAL;
	default: return is_stale(lock) ? check->stale_service : SERVICE_WARNING;
	}
}

/* Is it about the oldest hold that something has to be said? */
static bool is_too_old(const struct check *check)
{
	return check->held && check->oldest >= 0 &&
	       judge(&check->levels->age, (double)check->oldest) != SERVICE_OK;
}

static enum service judge_age(const struct check *check, const struct checked *lock)
{
	int64_t age = age_of(check, lock);

	if (!is_hold(lock) || age < 0 || !is_too_old(check))
		return SERVICE_OK;
	return judge(&check->levels->age, (double)age);
}

static bool is_age_unknown(const struct check *check)
{
	return check->held && check->oldest < 0 && has_levels(&check->levels->age);
}

static enum service judge_wait(const struct check *check)
{
	if (check->problem[0])
		return SERVICE_UNKNOWN;
	return check->wait.n ? judge(&check->levels->wait, clock_seconds(check->wait.p95))
			     : SERVICE_OK;
}

static int compare_harm(const void *a, const void *b)
{
	const struct checked *x = a, *y = b;
	int order = harm_of(y->service) - harm_of(x->service);

	if (!order)
		order = state_rank(state_of(y)) - state_rank(state_of(x));
	return order ? order : strcmp(x->address, y->address);
}

void check_judge(struct check *check)
{
	const struct levels *stale = &check->levels->stale;

	unite(check);
	count(check);
	check->stale_service = has_levels(stale) ? judge(stale, (double)check->stale)
			       : check->stale    ? SERVICE_CRITICAL
						 : SERVICE_OK;
	check->wait_service = judge_wait(check);
	check->service = worse(check->stale_service, check->wait_service);
	for (size_t i = 0; i < check->n; i++) {
		struct checked *lock = &check->lock[i];

		lock->service = worse(judge_state(check, lock), judge_age(check, lock));
		check->service = worse(check->service, lock->service);
	}
	if (is_age_unknown(check))
		check->service = worse(check->service, SERVICE_UNKNOWN);
	for (size_t i = 0; i < check->model->sources; i++)
		if (!check->model->source[i].is_complete)
			check->service = worse(check->service, SERVICE_UNKNOWN);
	if (check->n)
		qsort(check->lock, check->n, sizeof *check->lock, compare_harm);
}

/* Words. */

void check_add_text(struct buf *out, const char *text)
{
	for (; *text; text++) {
		if (*text == '|')
			buf_adds(out, "\\x7c");
		else
			buf_addc(out, *text == '\n' ? ' ' : *text);
	}
}

/* Seconds to the microsecond, without zeros at the end. */
static void add_seconds(struct buf *out, int64_t ns)
{
	int64_t us = ns / 1000;
	char text[48];
	int len = snprintf(text, sizeof text, "%" PRId64 ".%06" PRId64, us / 1000000, us % 1000000);

	while (text[len - 1] == '0')
		len--;
	if (text[len - 1] == '.')
		len--;
	buf_add(out, text, (size_t)len);
}

/* "import.lock is STALE: pid 4711 is gone: no such process" */
static void add_lock(
	struct buf *out, const struct check *check, const struct checked *lock, const char *name)
{
	const struct entry *entry = lock->entry;
	char why[VERDICT_TEXT], text[32];
	struct facts facts;

	check_add_text(out, name);
	buf_addf(out, " is %s", state_word(state_of(lock)));
	if (!entry) {
		buf_adds(out, ": there is no such lock");
		return;
	}
	if (judge_age(check, lock) != SERVICE_OK) {
		const struct nagios_range *range = nagios_range_alerts(&check->levels->age.critical,
							   (double)age_of(check, lock))
							   ? &check->levels->age.critical
							   : &check->levels->age.warning;

		text_duration(text, sizeof text, model_age(check->model, entry));
		buf_addf(out, " for %s (range %s)", text, nagios_range_text(range));
	}
	facts = model_facts(check->model, entry);
	verdict_why(why, sizeof why, entry->lock, &facts, &entry->verdict);
	buf_adds(out, ": ");
	check_add_text(out, why);
}

static void add_source(
	struct buf *out, const struct check *check, const struct model_source *source)
{
	char text[32];

	check_add_text(out, source->uri);
	if (source->fault) {
		buf_adds(out, ": ");
		check_add_text(out, source->fault);
	} else {
		buf_addf(out, ": no answer within %s",
			text_duration(text, sizeof text, check->patience));
	}
}

static void add_wait(struct buf *out, const struct check *check)
{
	if (check->problem[0]) {
		check_add_text(out, check->problem);
		return;
	}
	buf_adds(out, "the 95th percentile of the waits is ");
	add_seconds(out, check->wait.p95);
	buf_addf(out, " s (n=%" PRIu64 ")", check->wait.n);
}

static void add_summary(struct buf *out, const struct check *check)
{
	char text[32];

	buf_addf(out, "%zu lock%s, %zu held", check->n, check->n == 1 ? "" : "s", check->held);
	if (check->held && check->oldest >= 0)
		buf_addf(out, ", the oldest for %s",
			text_duration(text, sizeof text, check->oldest * NS_PER_S));
}

static void add_levels(struct buf *out, const struct levels *levels)
{
	buf_addf(out, ";%s;%s;0", nagios_range_text(&levels->warning),
		nagios_range_text(&levels->critical));
}

/* Did any source answer, or had none to be asked? */
static bool has_answer(const struct check *check)
{
	const struct model *model = check->model;

	for (size_t i = 0; i < model->sources; i++)
		if (model->source[i].is_complete)
			return true;
	return model->sources == 0 || check->n > 0;
}

static void add_perfdata(struct buf *out, const struct check *check)
{
	const bool is_known = has_answer(check);

	buf_adds(out, " | age=");
	if (check->oldest < 0 || !is_known)
		buf_addc(out, 'U');
	else
		buf_addf(out, "%" PRId64 "s", check->oldest);
	add_levels(out, &check->levels->age);
	if (is_known)
		buf_addf(out, " held=%zu;;;0 stale=%zu", check->held, check->stale);
	else
		buf_adds(out, " held=U;;;0 stale=U");
	add_levels(out, &check->levels->stale);
	buf_adds(out, " wait_p95=");
	if (check->wait.n) {
		add_seconds(out, check->wait.p95);
		buf_addc(out, 's');
	} else {
		buf_addc(out, 'U');
	}
	add_levels(out, &check->levels->wait);
}

/* Lines. */

struct output {
	const struct check *check;
	struct buf *out;
	size_t lines, left_out;
};

/* Begins a line; false: it is one too many. */
static bool begin_line(struct output *output)
{
	if (output->lines >= LINES_MAX) {
		output->left_out++;
		return false;
	}
	if (output->lines == 0)
		buf_addf(output->out, "LOCK %s: ", service_word(output->check->service));
	return true;
}

static void end_line(struct output *output)
{
	if (output->lines++ == 0)
		add_perfdata(output->out, output->check);
	buf_addc(output->out, '\n');
}

static void put_lock(struct output *output, const struct checked *lock)
{
	if (!begin_line(output))
		return;
	add_lock(output->out, output->check, lock, output->lines ? lock->address : lock->name);
	end_line(output);
}

static void put_unknown(struct output *output)
{
	const struct model *model = output->check->model;

	for (size_t i = 0; i < model->sources; i++) {
		if (model->source[i].is_complete || !begin_line(output))
			continue;
		add_source(output->out, output->check, &model->source[i]);
		end_line(output);
	}
	if (is_age_unknown(output->check) && begin_line(output)) {
		buf_adds(output->out, "of no lock that is held it is known since when");
		end_line(output);
	}
}

/* Whatever is of that harm: locks, sources, the log, the number of stale locks. */
static void put_lines(struct output *output, enum service service)
{
	const struct check *check = output->check;

	for (size_t i = 0; i < check->n; i++)
		if (check->lock[i].service == service)
			put_lock(output, &check->lock[i]);
	if (service == SERVICE_OK)
		return;
	if (service == SERVICE_UNKNOWN)
		put_unknown(output);
	if (check->wait_service == service && begin_line(output)) {
		add_wait(output->out, check);
		end_line(output);
	}
	/* Else the stale locks speak for themselves. */
	if (check->stale_service == service && check->stale == 0 && begin_line(output)) {
		buf_adds(output->out, "no lock is stale");
		end_line(output);
	}
}

void check_write(const struct check *check, bool is_verbose, struct buf *out)
{
	struct output output = {.check = check, .out = out};
	size_t harms = sizeof by_harm / sizeof *by_harm;

	for (size_t i = 0; i + 1 < harms; i++)
		put_lines(&output, by_harm[i]);
	if (output.lines == 0 && check->n != 1 && begin_line(&output)) {
		add_summary(out, check);
		end_line(&output);
	}
	if (output.lines == 0 || is_verbose)
		put_lines(&output, SERVICE_OK);
	if (output.left_out)
		buf_addf(out, "and %zu more\n", output.left_out);
}

/* Checkmk. */

/* A service name in quotes: what would end it, or what Checkmk forbids in it, as an escape. */
static void add_service_name(struct buf *out, const char *text)
{
	for (; *text; text++) {
		if (strchr("\"|;", *text))
			buf_addf(out, "\\x%02x", (unsigned int)(unsigned char)*text);
		else
			buf_addc(out, *text);
	}
}

/* It knows upper levels only: ranges that are more than that are for the state alone. */
static const char *upper(const struct nagios_range *range)
{
	return range->text && !strpbrk(range->text, "@:~") ? range->text : "";
}

/* Two locks of one name, in two folders, need two names. */
static bool is_name_taken(const struct check *check, const struct checked *lock)
{
	for (size_t i = 0; i < check->n; i++)
		if (&check->lock[i] != lock && strcmp(check->lock[i].name, lock->name) == 0)
			return true;
	return false;
}

static void put_checkmk(struct buf *out, const struct check *check, const struct checked *lock)
{
	const struct levels *levels = &check->levels->age;
	int64_t age = is_hold(lock) ? age_of(check, lock) : 0;

	buf_addf(out, "%d \"Lock ", lock->service);
	add_service_name(out, is_name_taken(check, lock) ? lock->address : lock->name);
	buf_adds(out, "\" ");
	if (age >= 0)
		buf_addf(out, "age=%" PRId64 ";%s;%s|", age, upper(&levels->warning),
			upper(&levels->critical));
	buf_addf(out, "waiters=%zu ", lock->entry ? lock->entry->lock->waiters : 0);
	add_lock(out, check, lock, lock->name);
	buf_addc(out, '\n');
}

void check_write_checkmk(const struct check *check, struct buf *out)
{
	const struct levels *wait = &check->levels->wait, *stale = &check->levels->stale;
	const struct model *model = check->model;

	for (size_t i = 0; i < check->n; i++)
		put_checkmk(out, check, &check->lock[i]);
	for (size_t i = 0; i < model->sources; i++) {
		if (model->source[i].is_complete)
			continue;
		buf_addf(out, "%d \"Lock source ", SERVICE_UNKNOWN);
		add_service_name(out, model->source[i].uri);
		buf_adds(out, "\" - ");
		add_source(out, check, &model->source[i]);
		buf_addc(out, '\n');
	}
	if (has_levels(stale))
		buf_addf(out, "%d \"Locks stale\" stale=%zu;%s;%s %zu stale of %zu locks\n",
			check->stale_service, check->stale, upper(&stale->warning),
			upper(&stale->critical), check->stale, check->n);
	if (!has_levels(wait) && !check->problem[0])
		return;
	buf_addf(out, "%d \"Lock waits\" ", check->wait_service);
	if (check->wait.n) {
		buf_adds(out, "wait_p95=");
		add_seconds(out, check->wait.p95);
		buf_addf(out, ";%s;%s ", upper(&wait->warning), upper(&wait->critical));
	} else {
		buf_adds(out, "- ");
	}
	if (check->wait.n || check->problem[0])
		add_wait(out, check);
	else
		buf_adds(out, "nobody waited");
	buf_addc(out, '\n');
}

/*
 * An event as a line of JSON, written straight into a buffer: a source writes one for each lock of
 * its first look, and building a tree of jansson's first took five times as long (measured).
 */
#include "config.h"
#include "model/event.h"

#include <errno.h>
#include <string.h>

#include "base/buf.h"
#include "base/jsonl.h"
#include "base/unicode.h"

enum {
	DIGITS_MAX = 20,
	NS_PER_US = 1000,
	DETAILED = JSONL_LINE_MAX / 2,        /* from here on a process is its pid */
	FULL = JSONL_LINE_MAX - 128,          /* from here on a process is left out */
	FULL_OF_TIMES = JSONL_LINE_MAX - 256, /* from here on a sample goes on in the next line */
};

/* --- JSON: a comma where one is needed, and ASCII only --------------------------------------- */

/* Digits of n, right-aligned before end; at least `least` of them. */
static char *write_digits(char *end, uint64_t n, int least)
{
	for (; n > 0 || least > 0; n /= 10, least--)
		*--end = (char)('0' + n % 10);
	return end;
}

static void comma(struct buf *buf)
{
	if (buf->len > 0 && !strchr("{[", buf->data[buf->len - 1]))
		buf_addc(buf, ',');
}

/* "key": */
static void put_key(struct buf *buf, const char *key)
{
	size_t len = strlen(key);
	char *to = buf_room(buf, len + 4);
	char *start = to;

	if (!to)
		return;
	if (to[-1] != '{') /* every key comes behind something */
		*to++ = ',';
	*to++ = '"';
	memcpy(to, key, len);
	to += len;
	*to++ = '"';
	*to++ = ':';
	buf->len += (size_t)(to - start);
}

static bool is_plain(unsigned char c)
{
	return c >= 0x20 && c < 0x7f && c != '"' && c != '\\';
}

/* Above U+FFFF JSON has a pair of surrogates (RFC 8259, section 7). */
static void add_escape(struct buf *buf, uint32_t c)
{
	if (c == '"' || c == '\\')
		buf_addf(buf, "\\%c", (int)c);
	else if (c <= 0xffff)
		buf_addf(buf, "\\u%04X", (unsigned int)c);
	else
		buf_addf(buf, "\\u%04X\\u%04X", (unsigned int)(0xd800 + ((c - 0x10000) >> 10)),
			(unsigned int)(0xdc00 + ((c - 0x10000) & 0x3ff)));
}

static void add_string(struct buf *buf, const char *text)
{
	size_t len = strlen(text), at = 0;

	buf_addc(buf, '"');
	while (at < len) {
		size_t run = at, n;
		uint32_t c;

		while (run < len && is_plain((unsigned char)text[run]))
			run++;
		buf_add(buf, text + at, run - at);
		at = run;
		if (at == len)
			break;
		n = unicode_decode(text + at, len - at, &c);
		/* No text of ours is invalid; if one were, the line would still be JSON. */
		add_escape(buf, n ? c : 0xfffd);
		at += n ? n : 1;
	}
	buf_addc(buf, '"');
}

static void put_text(struct buf *buf, const char *key, const char *text)
{
	if (!text || !*text)
		return;
	put_key(buf, key);
	add_string(buf, text);
}

/* A number with so many decimals; zeros at its end are left out. */
static void put_decimal(struct buf *buf, const char *key, int64_t value, int decimals)
{
	char text[DIGITS_MAX + 3], *end = text + sizeof text;
	uint64_t n = value < 0 ? -(uint64_t)value : (uint64_t)value;
	char *at;

	for (; decimals > 0 && n % 10 == 0; n /= 10)
		decimals--;
	at = end;
	for (int i = 0; i < decimals; i++, n /= 10)
		*--at = (char)('0' + n % 10);
	if (decimals > 0)
		*--at = '.';
	at = write_digits(at, n, 1);
	if (value < 0)
		*--at = '-';
	put_key(buf, key);
	buf_add(buf, at, (size_t)(end - at));
}

static void put_int(struct buf *buf, const char *key, int64_t value, int64_t usual)
{
	if (value != usual)
		put_decimal(buf, key, value, 0);
}

/* To the microsecond: more, a double of today's seconds does not carry. */
static int64_t to_us(int64_t ns)
{
	return ns / NS_PER_US + ns % NS_PER_US / (NS_PER_US / 2);
}

static void put_seconds(struct buf *buf, const char *key, int64_t ns)
{
	if (ns != 0)
		put_decimal(buf, key, to_us(ns), 6);
}

static void put_true(struct buf *buf, const char *key, bool is_true)
{
	if (!is_true)
		return;
	put_key(buf, key);
	buf_adds(buf, "true");
}

/* --- a lock: what is not known or usual is left out ------------------------------------------ */

static void add_process(struct buf *buf, const struct process *process, bool is_detailed)
{
	comma(buf);
	buf_addc(buf, '{');
	put_int(buf, "pid", process->pid, 0);
	put_true(buf, "kernel", process->from_kernel);
	if (is_detailed) {
		if (process->life != LIFE_UNKNOWN)
			put_text(buf, "life", life_word(process->life));
		put_int(buf, "start", (int64_t)process->start, 0);
		put_seconds(buf, "started", process->started);
		put_int(buf, "uid", process->uid, -1);
		put_true(buf, "inherited", process->is_inherited);
		put_text(buf, "comm", process->comm);
		put_text(buf, "user", process->user);
		put_text(buf, "command", process->command);
	}
	buf_addc(buf, '}');
}

/* The line has to stay one that can be read: of very many processes the later ones say less. */
static void put_processes(
	struct buf *buf, size_t start, const char *key, const struct process *process, size_t n)
{
	if (n == 0)
		return;
	put_key(buf, key);
	buf_addc(buf, '[');
	for (size_t i = 0; i < n && i < EVENT_PROCESSES_MAX && buf->len - start < FULL; i++)
		add_process(buf, &process[i], buf->len - start < DETAILED);
	buf_addc(buf, ']');
}

/* Everything but the token, which is nobody's business. */
static void put_record(struct buf *buf, const struct record *record)
{
	char mode[2] = {record->mode, '\0'};

	if (record->format == RECORD_NONE)
		return;
	put_key(buf, "record");
	buf_addc(buf, '{');
	put_text(buf, "format", record_format_word(record->format));
	put_int(buf, "pid", record->pid, 0);
	put_int(buf, "time", record->time, 0);
	put_text(buf, "host", record->host);
	put_text(buf, "boot", record->boot);
	put_int(buf, "ns", (int64_t)record->ns, 0);
	put_int(buf, "start", (int64_t)record->start, 0);
	put_seconds(buf, "acquired", record->acquired);
	put_int(buf, "fence", record->fence, -1);
	put_int(buf, "lease", record->lease, 0);
	put_int(buf, "uid", record->uid, -1);
	put_text(buf, "mode", mode);
	buf_addc(buf, '}');
}

static void put_relation(struct buf *buf, const char *key, enum relation relation)
{
	if (relation != RELATION_UNSAID)
		put_text(buf, key, relation_word(relation));
}

static void put_flags(struct buf *buf, unsigned int flags)
{
	if (flags == 0)
		return;
	put_key(buf, "flags");
	buf_addc(buf, '[');
	for (int i = 0; i < LOCK_FLAG_COUNT; i++) {
		if (!(flags & (1u << i)))
			continue;
		comma(buf);
		add_string(buf, lock_flag_word((enum lock_flag_bit)i));
	}
	buf_addc(buf, ']');
}

static void put_age(struct buf *buf, mono_t since, mono_t now)
{
	int64_t age;

	if (since != MONO_UNKNOWN && !__builtin_sub_overflow(now, since, &age))
		put_decimal(buf, "age_s", to_us(age), 6);
}

static void put_lock(struct buf *buf, size_t start, const struct lock *lock, mono_t now)
{
	static const char *const modes[] = {
		[LOCK_MODE_READ] = "read",
		[LOCK_MODE_WRITE] = "write",
	};

	put_key(buf, "lock");
	buf_addc(buf, '{');
	put_text(buf, "name", lock->name);
	put_text(buf, "kind", lock_kind_word(lock->kind));
	put_text(buf, "class", lock_class_word(lock->class));
	put_text(buf, "kernel_view", kernel_view_word(lock->kernel));
	put_text(buf, "path", lock->path);
	put_text(buf, "problem", lock->problem);
	put_text(buf, "bytes", lock->bytes);
	/* Signed as JSON's readers have them; an inode number with its highest bit set is below 0.
	 */
	put_int(buf, "dev", (int64_t)lock->dev, 0);
	put_int(buf, "ino", (int64_t)lock->ino, 0);
	put_int(buf, "from", lock->from, 0);
	put_int(buf, "to", lock->to, INT64_MAX);
	if (lock->mode == LOCK_MODE_READ || lock->mode == LOCK_MODE_WRITE)
		put_text(buf, "mode", modes[lock->mode]);
	put_record(buf, &lock->record);
	put_relation(buf, "host_is", lock->host_is);
	put_relation(buf, "boot_is", lock->boot_is);
	put_relation(buf, "ns_is", lock->ns_is);
	put_flags(buf, lock->flags);
	put_seconds(buf, "written", lock->written);
	put_seconds(buf, "since", lock->since);
	put_age(buf, lock->since_mono, now);
	put_seconds(buf, "expires", lock->expires);
	put_seconds(buf, "clock_step_s", lock->clock_step);
	put_text(buf, "version", lock->version);
	put_processes(buf, start, "holders", lock->holder, lock->holders);
	put_processes(buf, start, "waiters", lock->waiter, lock->waiters);
	buf_addc(buf, '}');
}

/* --- a sample: as many lines as it takes ------------------------------------------------------ */

/* How far a sample is written. */
struct part {
	const struct sample *sample;
	size_t wait, hold;           /* buckets that are */
	uint64_t wait_sum, hold_sum; /* µs that are not yet */
	bool is_next;                /* what is no array stands in the line before */
	bool is_done;
};

static struct part part_begin(const struct sample *sample)
{
	return (struct part){.sample = sample,
		.wait_sum = sample->tally.wait.sum,
		.hold_sum = sample->tally.hold.sum};
}

static void put_counts(struct buf *buf, const struct tally *tally)
{
	put_key(buf, "counts");
	buf_addc(buf, '{');
	for (int i = 0; i < METRIC_EVENT_COUNT; i++)
		put_int(buf, metric_event_word((enum metric_event)i), tally->count[i], 0);
	buf_addc(buf, '}');
	put_int(buf, "slow", tally->slow, 0);
}

static void put_waited_for(struct buf *buf, const struct waited_for *waited)
{
	if (!waited[0].who[0])
		return;
	put_key(buf, "waited_for");
	buf_addc(buf, '[');
	for (int i = 0; i < WAITED_FOR_MAX && waited[i].who[0]; i++) {
		comma(buf);
		buf_addc(buf, '{');
		put_text(buf, "who", waited[i].who);
		put_decimal(buf, "times", waited[i].times, 0);
		put_seconds(buf, "longest_s", waited[i].longest);
		buf_addc(buf, '}');
	}
	buf_addc(buf, ']');
}

static void add_number(struct buf *buf, uint64_t n)
{
	char text[DIGITS_MAX], *at = write_digits(text + sizeof text, n, 1);

	buf_add(buf, at, (size_t)(text + sizeof text - at));
}

/*
 * Buckets from *at on while there is room; true: all are written. The sum is shared out so that
 * no line claims more than its buckets may hold.
 */
static bool put_times(struct buf *buf, size_t start, const char *key, const char *sum_key,
	const struct histogram *histogram, size_t *at, uint64_t *sum_left)
{
	uint64_t times, most = 0, sum;
	bool is_first = true;
	int64_t ns;

	while (buf->len - start < FULL_OF_TIMES && histogram_cell(histogram, *at, &ns, &times)) {
		uint64_t us = (uint64_t)to_us(ns), product;

		if (is_first) {
			put_key(buf, key);
			buf_addc(buf, '[');
		} else {
			buf_addc(buf, ',');
		}
		is_first = false;
		add_number(buf, us);
		buf_addc(buf, ',');
		add_number(buf, times);
		if (__builtin_mul_overflow(us, times, &product) ||
			__builtin_add_overflow(most, product, &most))
			most = INT64_MAX;
		++*at;
	}
	if (is_first)
		return !histogram_cell(histogram, *at, &ns, &times);
	buf_addc(buf, ']');
	sum = *sum_left < most ? *sum_left : most;
	sum = sum < INT64_MAX ? sum : INT64_MAX;
	*sum_left -= sum;
	put_int(buf, sum_key, (int64_t)sum, 0);
	return !histogram_cell(histogram, *at, &ns, &times);
}

static void put_sample(struct buf *buf, size_t start, struct part *part)
{
	const struct sample *sample = part->sample;

	put_text(buf, "lock", sample->lock);
	put_text(buf, "source", sample->source);
	put_text(buf, "backend", sample->backend);
	put_decimal(buf, "from", sample->from, 0);
	put_decimal(buf, "every_s", sample->seconds, 0);
	put_seconds(buf, "last", sample->last);
	if (!part->is_next) {
		put_counts(buf, &sample->tally);
		put_waited_for(buf, sample->waited);
	}
	part->is_next = true;
	part->is_done = put_times(buf, start, "wait_us", "wait_sum_us", &sample->tally.wait,
				&part->wait, &part->wait_sum) &&
			put_times(buf, start, "hold_us", "hold_sum_us", &sample->tally.hold,
				&part->hold, &part->hold_sum);
}

/* --- the kinds of events ---------------------------------------------------------------------- */

static void put_scanned(struct buf *buf, const struct event *event)
{
	put_decimal(buf, "locks", event->locks, 0);
	put_decimal(buf, "took_ms", to_us(event->took), 3);
	put_seconds(buf, "every_s", event->every);
	put_text(buf, "host", event->host);
	put_text(buf, "note", event->text);
	put_true(buf, "polling", event->is_polling);
	put_true(buf, "final", event->is_final);
	put_int(buf, "bad", (int64_t)event->bad, 0);
}

static void put_done(struct buf *buf, const struct event *event)
{
	put_decimal(buf, "request", event->request, 0);
	put_text(buf, "outcome", outcome_word(event->outcome));
	put_int(buf, "code", event->code, 0);
	put_text(buf, "name", event->name);
	put_text(buf, "text", event->text);
}

static void put_body(struct buf *buf, size_t start, const struct event *event, mono_t now)
{
	switch (event->kind) {
	case EVENT_LOCK: put_lock(buf, start, event->lock, now); break;
	case EVENT_GONE: put_text(buf, "name", event->name); break;
	case EVENT_SCANNED: put_scanned(buf, event); break;
	case EVENT_DONE: put_done(buf, event); break;
	case EVENT_FAULT:
		put_text(buf, "text", event->text);
		put_true(buf, "fatal", event->is_fatal);
		break;
	case EVENT_SAMPLE: break;
	case EVENT_KIND_COUNT: break;
	}
}

static void put_head(struct buf *buf, enum event_kind kind, wall_t at)
{
	buf_addc(buf, '{');
	put_decimal(buf, "v", EVENT_VERSION, 0);
	put_text(buf, "event", event_kind_word(kind));
	put_decimal(buf, "at", to_us(at), 6);
}

/* 0, or why the object that begins at start is none that can be sent. */
static int end_line(struct buf *buf, size_t start)
{
	buf_addc(buf, '}');
	if (buf_failed(buf))
		return -ENOMEM;
	return buf->len - start > JSONL_LINE_MAX ? -EMSGSIZE : 0;
}

static int write_part(struct buf *buf, struct part *part, wall_t at)
{
	size_t start = buf->len;

	put_head(buf, EVENT_SAMPLE, at);
	put_sample(buf, start, part);
	return end_line(buf, start);
}

static int write_whole_sample(struct buf *buf, const struct event *event)
{
	struct part part = part_begin(event->sample);
	int result = write_part(buf, &part, event->at);

	return !result && !part.is_done ? -EMSGSIZE : result;
}

int event_write(struct buf *buf, const struct event *event, mono_t now)
{
	size_t start = buf->len;
	int result;

	if (event->kind == EVENT_SAMPLE) {
		result = write_whole_sample(buf, event);
	} else {
		put_head(buf, event->kind, event->at);
		put_body(buf, start, event, now);
		result = end_line(buf, start);
	}
	if (result)
		buf_cut(buf, start);
	return result;
}

int event_write_sample(struct buf *buf, const struct sample *sample, wall_t at)
{
	struct part part = part_begin(sample);
	size_t start = buf->len;
	int result = 0;

	while (!result && !part.is_done) {
		result = write_part(buf, &part, at);
		buf_addc(buf, '\n');
	}
	if (!result)
		result = buf_failed(buf);
	if (result)
		buf_cut(buf, start);
	return result;
}

json_t *event_to_json(const struct event *event, mono_t now)
{
	struct buf buf = {0};
	json_t *json = NULL;

	if (event_write(&buf, event, now) == 0)
		json = json_loadb(buf.data, buf.len, 0, NULL);
	buf_release(&buf);
	return json;
}

/* The columns of every listing: their texts, their order, and the same as JSON. */
#include "config.h"
#include "model/columns.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"

/* What a cell says when there is nothing, and when it is not known. */
#define NOTHING "-"
#define UNKNOWN "?"

enum { ADDRESS_MAX = 1024, DAY_S = 86400 };

const struct column_info column_info[COLUMN_COUNT] = {
#define _(id, field, title, min, width, grows, right, help) \
	[COLUMN_##id] = {field, title, help, min, width, grows, right},
	COLUMNS(_)
#undef _
};

int column_from_word(const char *field)
{
	for (int i = 0; i < COLUMN_COUNT; i++)
		if (strcmp(column_info[i].field, field) == 0)
			return i;
	return -1;
}

/* One cell at work. */
struct cell {
	char *dst;
	size_t size;
	const struct model *model;
	const struct entry *entry;
	const struct lock *lock;
	const struct process *holder; /* NULL: nobody is named */
};

static void say(const struct cell *cell, const char *text)
{
	size_t len = strlen(text);

	if (len >= cell->size)
		for (len = cell->size - 1; len && ((unsigned char)text[len] & 0xc0) == 0x80;)
			len--;
	memcpy(cell->dst, text, len);
	cell->dst[len] = '\0';
}

static void say_or(const struct cell *cell, const char *text, const char *otherwise)
{
	say(cell, text && *text ? text : otherwise);
}

/* Is the process that bears the holder's pid now the holder at all? */
static bool is_holder_itself(const struct cell *cell)
{
	return cell->holder && (cell->holder->from_kernel ||
				       verdict_running(cell->lock, &cell->entry->verdict) != 0);
}

static void state_cell(const struct cell *cell)
{
	say(cell, state_word(cell->entry->verdict.state));
}

static void name_cell(const struct cell *cell)
{
	say(cell, cell->lock->name);
}

static void holder_cell(const struct cell *cell)
{
	const struct process *holder = cell->holder;
	int32_t pid = holder ? holder->pid : cell->lock->record.pid;
	char text[128];
	int len;

	if (pid <= 0) {
		say(cell, cell->entry->verdict.state == STATE_FREE ? NOTHING : UNKNOWN);
		return;
	}
	len = snprintf(text, sizeof text, "%" PRId32, pid);
	if (holder && is_holder_itself(cell))
		len += snprintf(text + len, sizeof text - (size_t)len, "%s%s",
			holder->comm[0] ? " " : "", holder->comm);
	else if (verdict_running(cell->lock, &cell->entry->verdict) == 0)
		len += snprintf(text + len, sizeof text - (size_t)len, " gone");
	if (cell->lock->holders > 1)
		snprintf(text + len, sizeof text - (size_t)len, " +%zu", cell->lock->holders - 1);
	say(cell, text);
}

static void user_cell(const struct cell *cell)
{
	int32_t uid = cell->lock->record.uid;
	char text[16];

	if (is_holder_itself(cell) && cell->holder->user) {
		say(cell, cell->holder->user);
		return;
	}
	if (is_holder_itself(cell) && cell->holder->uid >= 0)
		uid = cell->holder->uid;
	if (uid < 0 || cell->entry->verdict.state == STATE_FREE) {
		say(cell, cell->holder ? UNKNOWN : NOTHING);
		return;
	}
	snprintf(text, sizeof text, "%" PRId32, uid);
	say(cell, text);
}

/* Where a holder runs: where the record says, and what the kernel names runs where we look. */
static const char *host_of(
	const struct model *model, const struct entry *entry, const struct process *process)
{
	bool is_claim = !process || !process->from_kernel;

	if (is_claim && entry->lock->record.host[0])
		return entry->lock->record.host;
	if (is_claim && entry->lock->host_is == RELATION_OTHER)
		return NULL;
	return model->source[entry->source].host;
}

static void host_cell(const struct cell *cell)
{
	say_or(cell, host_of(cell->model, cell->entry, cell->holder), UNKNOWN);
}

static void age_cell(const struct cell *cell)
{
	int64_t age = model_age(cell->model, cell->entry);
	char text[32];

	if (age != AGE_UNKNOWN)
		say(cell, text_duration_short(text, sizeof text, age));
	else
		say(cell, cell->entry->verdict.state == STATE_FREE ? NOTHING : UNKNOWN);
}

static void limit_cell(const struct cell *cell)
{
	char text[32];

	say(cell, cell->entry->limit > 0
			  ? text_duration_short(text, sizeof text, cell->entry->limit)
			  : NOTHING);
}

static void waiters_cell(const struct cell *cell)
{
	char text[24];

	snprintf(text, sizeof text, "%zu", cell->lock->waiters);
	say(cell, text);
}

static void advice_cell(const struct cell *cell)
{
	struct facts facts = model_facts(cell->model, cell->entry);
	char text[VERDICT_TEXT];

	verdict_advice(text, sizeof text, cell->lock, &facts, &cell->entry->verdict);
	say_or(cell, text, NOTHING);
}

static void why_cell(const struct cell *cell)
{
	struct facts facts = model_facts(cell->model, cell->entry);
	char text[VERDICT_TEXT];

	verdict_why(text, sizeof text, cell->lock, &facts, &cell->entry->verdict);
	say(cell, text);
}

static void kind_cell(const struct cell *cell)
{
	say(cell, lock_kind_word(cell->lock->kind));
}

static void mode_cell(const struct cell *cell)
{
	say(cell, cell->lock->mode == LOCK_MODE_READ    ? "READ"
		  : cell->lock->mode == LOCK_MODE_WRITE ? "WRITE"
							: NOTHING);
}

static void range_cell(const struct cell *cell)
{
	char text[64];

	if (cell->lock->kind == LOCK_FILE)
		say(cell, NOTHING);
	else if (!cell->lock->from && (!cell->lock->to || cell->lock->to == INT64_MAX))
		say(cell, "all");
	else {
		if (cell->lock->to == INT64_MAX)
			snprintf(text, sizeof text, "%" PRId64 "-end", cell->lock->from);
		else
			snprintf(text, sizeof text, "%" PRId64 "-%" PRId64, cell->lock->from,
				cell->lock->to);
		say(cell, text);
	}
}

static void path_cell(const struct cell *cell)
{
	say_or(cell, cell->lock->path, NOTHING);
}

static void pid_cell(const struct cell *cell)
{
	int32_t pid = cell->holder ? cell->holder->pid : cell->lock->record.pid;
	char text[16];

	snprintf(text, sizeof text, "%" PRId32, pid);
	say(cell, pid > 0 ? text : NOTHING);
}

static void command_cell(const struct cell *cell)
{
	if (!is_holder_itself(cell))
		say(cell, NOTHING);
	else if (cell->holder->command)
		say_or(cell, cell->holder->command, UNKNOWN);
	else
		say_or(cell, cell->holder->comm, UNKNOWN);
}

static void class_cell(const struct cell *cell)
{
	say(cell, lock_class_word(cell->lock->class));
}

static void flags_cell(const struct cell *cell)
{
	char text[256] = "";
	size_t len = 0;

	for (int bit = 0; bit < LOCK_FLAG_COUNT; bit++)
		if (cell->entry->verdict.flags & 1u << bit && len < sizeof text)
			len += (size_t)snprintf(text + len, sizeof text - len, "%s%s",
				len ? "," : "", lock_flag_word((enum lock_flag_bit)bit));
	say_or(cell, text, NOTHING);
}

static void source_cell(const struct cell *cell)
{
	say(cell, cell->model->source[cell->entry->source].uri);
}

static void address_cell(const struct cell *cell)
{
	char text[ADDRESS_MAX];

	model_address(text, sizeof text, cell->model, cell->entry);
	say(cell, text);
}

static void version_cell(const struct cell *cell)
{
	say_or(cell, cell->lock->version, NOTHING);
}

/* --- what metrics logs say --- */

enum { SPARKS = 12, SPARK_LEVELS = 8 };

bool column_needs_log(enum column column)
{
	return column >= COLUMN_USUAL && column <= COLUMN_STALES;
}

static void usual_cell(const struct cell *cell)
{
	const struct percentiles *usual = &cell->entry->usual;
	char text[40] = NOTHING;

	if (usual->n >= PERCENTILES_FEW && usual->p99 < NS_PER_S)
		text_latency(text, sizeof text, usual->p99);
	else if (usual->n >= PERCENTILES_FEW)
		text_duration_short(text, sizeof text, usual->p99);
	else if (usual->n)
		snprintf(text, sizeof text, "n=%" PRIu64, usual->n);
	say(cell, text);
}

/* How much that is of the most, from 1 on. */
static char spark(int64_t value, int64_t most)
{
	double level = most > 0 ? (double)value / (double)most * SPARK_LEVELS : 0;

	return (char)('0' + (level > 1 ? (int)(level + 0.5) : 1));
}

static void spark_cell(const struct cell *cell, bool is_of_waits)
{
	struct series_set set = model_series(cell->model, cell->entry);
	struct point point[SPARKS];
	char text[SPARKS + 1] = NOTHING;
	int64_t most = 0;

	if (set.n && series_points(&set, WINDOW_1H, cell->model->now_wall, point, SPARKS) == 0) {
		for (int i = 0; i < SPARKS; i++) {
			const struct percentiles *p = is_of_waits ? &point[i].wait : &point[i].hold;

			most = p->n && p->p95 > most ? p->p95 : most;
		}
		for (int i = 0; i < SPARKS; i++) {
			const struct percentiles *p = is_of_waits ? &point[i].wait : &point[i].hold;

			text[i] = p->n                             ? spark(p->p95, most)
				  : is_of_waits && point[i].failed ? 'x'
								   : ' ';
		}
		text[SPARKS] = '\0';
	}
	say(cell, text);
}

static void waits_cell(const struct cell *cell)
{
	spark_cell(cell, true);
}

static void holds_cell(const struct cell *cell)
{
	spark_cell(cell, false);
}

/* What happened to the lock in the last 24 hours. False: no log names it. */
static bool day_of(const struct model *model, const struct entry *entry, struct tally *tally)
{
	struct series_set set = model_series(model, entry);

	*tally = (struct tally){0};
	return set.n && series_window(&set, WINDOW_24H, model->now_wall, tally) == 0;
}

/* -1: not known */
static int64_t day_count(enum column column, const struct model *model, const struct entry *entry)
{
	struct tally tally;
	int64_t n = -1;

	if (day_of(model, entry, &tally))
		n = column == COLUMN_FAILED ? (int64_t)tally_failed(&tally)
					    : tally.count[METRIC_STALE];
	tally_release(&tally);
	return n;
}

static void count_cell(const struct cell *cell, enum column column)
{
	int64_t n = day_count(column, cell->model, cell->entry);
	char text[24] = NOTHING;

	if (n >= 0)
		snprintf(text, sizeof text, "%" PRId64, n);
	say(cell, text);
}

static void failed_cell(const struct cell *cell)
{
	count_cell(cell, COLUMN_FAILED);
}

static void stales_cell(const struct cell *cell)
{
	count_cell(cell, COLUMN_STALES);
}

/* What a row of small graphs is ordered by: the last hour as one. */
static int64_t hour_p95(enum column column, const struct model *model, const struct entry *entry)
{
	struct series_set set = model_series(model, entry);
	struct tally tally = {0};
	struct percentiles p = {.p95 = -1};

	if (set.n && series_window(&set, WINDOW_1H, model->now_wall, &tally) == 0)
		p = histogram_percentiles(column == COLUMN_WAITS ? &tally.wait : &tally.hold);
	tally_release(&tally);
	return p.p95;
}

void column_text(char *dst, size_t size, enum column column, const struct model *model,
	const struct entry *entry)
{
	static void (*const cells[COLUMN_COUNT])(const struct cell *) = {
		[COLUMN_STATE] = state_cell,
		[COLUMN_NAME] = name_cell,
		[COLUMN_HOLDER] = holder_cell,
		[COLUMN_USER] = user_cell,
		[COLUMN_HOST] = host_cell,
		[COLUMN_AGE] = age_cell,
		[COLUMN_LIMIT] = limit_cell,
		[COLUMN_WAITERS] = waiters_cell,
		[COLUMN_ADVICE] = advice_cell,
		[COLUMN_WHY] = why_cell,
		[COLUMN_KIND] = kind_cell,
		[COLUMN_MODE] = mode_cell,
		[COLUMN_RANGE] = range_cell,
		[COLUMN_PATH] = path_cell,
		[COLUMN_PID] = pid_cell,
		[COLUMN_COMMAND] = command_cell,
		[COLUMN_CLASS] = class_cell,
		[COLUMN_FLAGS] = flags_cell,
		[COLUMN_SOURCE] = source_cell,
		[COLUMN_ADDRESS] = address_cell,
		[COLUMN_VERSION] = version_cell,
		[COLUMN_USUAL] = usual_cell,
		[COLUMN_WAITS] = waits_cell,
		[COLUMN_HOLDS] = holds_cell,
		[COLUMN_FAILED] = failed_cell,
		[COLUMN_STALES] = stales_cell,
	};
	struct cell cell = {dst, size, model, entry, entry->lock, verdict_holder(entry->lock)};

	if (size)
		cells[column](&cell);
}

bool column_number(
	enum column column, const struct model *model, const struct entry *entry, int64_t *number)
{
	const struct lock *lock = entry->lock;
	const struct process *holder;

	switch (column) {
	case COLUMN_STATE: *number = state_rank(entry->verdict.state); return true;
	case COLUMN_AGE: *number = model_age(model, entry); return true;
	case COLUMN_LIMIT: *number = entry->limit; return true;
	case COLUMN_WAITERS: *number = (int64_t)lock->waiters; return true;
	case COLUMN_HOLDER:
	case COLUMN_PID:
		holder = verdict_holder(lock);
		*number = holder ? holder->pid : lock->record.pid;
		return true;
	case COLUMN_KIND: *number = lock->kind; return true;
	case COLUMN_MODE: *number = lock->mode; return true;
	case COLUMN_RANGE: *number = lock->from; return true;
	case COLUMN_CLASS: *number = lock->class; return true;
	case COLUMN_SOURCE: *number = (int64_t)entry->source; return true;
	case COLUMN_USUAL:
		*number = entry->usual.n >= PERCENTILES_FEW ? entry->usual.p99 : INT64_MIN;
		return true;
	case COLUMN_WAITS:
	case COLUMN_HOLDS: *number = hour_p95(column, model, entry); return true;
	case COLUMN_FAILED:
	case COLUMN_STALES: *number = day_count(column, model, entry); return true;
	default: return false;
	}
}

int column_compare(
	enum column column, const struct model *model, const struct entry *a, const struct entry *b)
{
	char text_a[ADDRESS_MAX], text_b[ADDRESS_MAX];
	int64_t number_a, number_b;
	int order = 0;

	if (column == COLUMN_NAME) {
		order = strcmp(a->lock->name, b->lock->name);
	} else if (column_number(column, model, a, &number_a) &&
		   column_number(column, model, b, &number_b)) {
		order = (number_a > number_b) - (number_a < number_b);
	} else {
		column_text(text_a, sizeof text_a, column, model, a);
		column_text(text_b, sizeof text_b, column, model, b);
		order = strcmp(text_a, text_b);
	}
	if (!order)
		order = (a->source > b->source) - (a->source < b->source);
	return order ? order : strcmp(a->lock->name, b->lock->name);
}

/* JSON: each of these gives a new reference; NULL is out of memory and fails the whole. */

static json_t *text_or_null(const char *text)
{
	return text && *text ? json_string(text) : json_null();
}

static json_t *seconds_or_null(int64_t ns, int64_t unknown)
{
	return ns == unknown ? json_null() : json_real(clock_seconds(ns));
}

static json_t *yes_no_null(int answer)
{
	return answer < 0 ? json_null() : json_boolean(answer);
}

static json_t *process_to_json(
	const struct model *model, const struct entry *entry, const struct process *process)
{
	const char *host = host_of(model, entry, process);
	const char *command = process->command ? process->command : process->comm;

	return json_pack("{s:o, s:o, s:o, s:o, s:o}", "pid",
		process->pid > 0 ? json_integer(process->pid) : json_null(), "host",
		text_or_null(host), "start", seconds_or_null(process->started, 0), "user",
		text_or_null(process->user), "command", text_or_null(command));
}

static json_t *processes_to_json(const struct model *model, const struct entry *entry,
	const struct process *process, size_t n)
{
	json_t *array = json_array();

	for (size_t i = 0; array && i < n; i++) {
		if (json_array_append_new(array, process_to_json(model, entry, &process[i])) < 0) {
			json_decref(array);
			array = NULL;
		}
	}
	return array;
}

/* A record whose process nobody looked up still names a holder. */
static json_t *holders_to_json(const struct model *model, const struct entry *entry)
{
	struct process claimed = {.pid = entry->lock->record.pid};

	if (entry->lock->holders || entry->lock->record.pid <= 0)
		return processes_to_json(model, entry, entry->lock->holder, entry->lock->holders);
	return processes_to_json(model, entry, &claimed, 1);
}

static json_t *flags_to_json(unsigned int flags)
{
	json_t *array = json_array();

	for (int bit = 0; array && bit < LOCK_FLAG_COUNT; bit++) {
		if (flags & 1u << bit &&
			json_array_append_new(
				array, json_string(lock_flag_word((enum lock_flag_bit)bit))) < 0) {
			json_decref(array);
			array = NULL;
		}
	}
	return array;
}

/* What the logs say of its last 24 hours. */
static json_t *metrics_to_json(const struct model *model, const struct entry *entry)
{
	struct tally tally;
	json_t *object = NULL;

	if (!day_of(model, entry, &tally)) {
		tally_release(&tally);
		return json_null();
	}
	object = tally_to_json(&tally);
	tally_release(&tally);
	if (object && json_object_set_new(object, "window_s", json_integer(DAY_S)) < 0) {
		json_decref(object);
		object = NULL;
	}
	return object;
}

static json_t *usual_to_json(const struct percentiles *usual)
{
	return usual->n >= PERCENTILES_FEW ? json_real((double)usual->p99 / NS_PER_MS)
					   : json_null();
}

json_t *entry_to_json(const struct model *model, const struct entry *entry)
{
	const struct lock *lock = entry->lock;
	const struct verdict *verdict = &entry->verdict;
	struct facts facts = model_facts(model, entry);
	char address[ADDRESS_MAX], why[VERDICT_TEXT], advice[VERDICT_TEXT];

	model_address(address, sizeof address, model, entry);
	verdict_why(why, sizeof why, lock, &facts, verdict);
	verdict_advice(advice, sizeof advice, lock, &facts, verdict);
	return json_pack("{s:s, s:s, s:s, s:s, s:s, s:o, s:o, s:o, s:s, s:s, s:s, s:o, s:o, s:o,"
			 " s:o, s:o, s:o, s:o, s:I, s:o, s:o}",
		"name", lock->name, "source", model->source[entry->source].uri, "address", address,
		"kind", lock_kind_word(lock->kind), "class", lock_class_word(lock->class), "active",
		yes_no_null(state_is_active(verdict->state)), "stale",
		yes_no_null(state_is_stale(verdict->state)), "process_running",
		yes_no_null(verdict_running(lock, verdict)), "recommendation",
		advice[0] ? advice : "none", "state", state_word(verdict->state), "why", why,
		"safe",
		yes_no_null(verdict->safe == SAFETY_SAFE       ? 1
			    : verdict->safe == SAFETY_NOT_SAFE ? 0
							       : -1),
		"age_s", seconds_or_null(model_age(model, entry), AGE_UNKNOWN), "limit_s",
		seconds_or_null(entry->limit, 0), "holders", holders_to_json(model, entry),
		"waiters", processes_to_json(model, entry, lock->waiter, lock->waiters), "flags",
		flags_to_json(verdict->flags), "version", text_or_null(lock->version), "usual_n",
		(json_int_t)entry->usual.n, "usual_p99_ms", usual_to_json(&entry->usual), "metrics",
		metrics_to_json(model, entry));
}

static json_t *source_to_json(const struct model *model, size_t index)
{
	static const char *const words[SOURCE_STATE_COUNT] = {
#define _(id, word, help) [SOURCE_##id] = word,
		SOURCE_STATES(_)
#undef _
	};
	const struct model_source *source = &model->source[index];

	return json_pack("{s:s, s:s, s:o, s:o}", "uri", source->uri, "state", words[source->state],
		"fault", text_or_null(source->fault), "data_age_s",
		seconds_or_null(model_data_age(model, index), INT64_MAX));
}

json_t *model_to_json(const struct model *model, struct entry *const *entries, size_t n)
{
	json_t *sources = json_array(), *locks = json_array();
	int failed = !sources || !locks;

	for (size_t i = 0; !failed && i < model->sources; i++)
		failed = json_array_append_new(sources, source_to_json(model, i));
	for (size_t i = 0; !failed && i < n; i++)
		failed = json_array_append_new(locks, entry_to_json(model, entries[i]));
	if (failed) {
		json_decref(sources);
		json_decref(locks);
		return NULL;
	}
	return json_pack("{s:i, s:o, s:o, s:o, s:o}", "schema", 1, "at",
		seconds_or_null(model->now_wall, 0), "host", text_or_null(model->host), "sources",
		sources, "locks", locks);
}

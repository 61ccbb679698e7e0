/* The answer first: the block that says all about one lock in a few lines. */
#include "config.h"
#include "ui/top.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "ui/table.h"

enum { LINES = 8, TEXT = 640, LABEL = 8, SOURCE_COLS = 24 };

struct block {
	struct {
		const char *label;
		enum style style;
		int rank; /* 0: the last one to go when there is no room */
		char text[TEXT];
	} line[LINES];
	int n;
};

struct about {
	const struct model *model;
	const struct entry *entry;
	const struct lock *lock;
	struct facts facts;
	struct verdict verdict;
};

static void __attribute__((format(printf, 5, 6)))
add(struct block *block, int rank, enum style style, const char *label, const char *format, ...)
{
	va_list args;

	if (block->n == LINES)
		return;
	block->line[block->n].label = label;
	block->line[block->n].style = style;
	block->line[block->n].rank = rank;
	va_start(args, format);
	vsnprintf(block->line[block->n].text, TEXT, format, args);
	va_end(args);
	block->n++;
}

static size_t __attribute__((format(printf, 4, 5)))
append(char *dst, size_t size, size_t used, const char *format, ...)
{
	va_list args;
	int n;

	if (used >= size)
		return used;
	va_start(args, format);
	n = vsnprintf(dst + used, size - used, format, args);
	va_end(args);
	return n < 0 ? used : used + (size_t)n;
}

static enum style style_of_first_line(enum state state)
{
	return state_rank(state) >= state_rank(STATE_EXPIRED) ? STYLE_ALERT : style_of_state(state);
}

/* A limit is mostly a round number: "10m", not "10m00s". */
static const char *round_duration(char *dst, size_t size, int64_t ns)
{
	size_t len = strlen(text_duration(dst, size, ns));

	if (len > 3 && dst[len - 3] == '0' && dst[len - 2] == '0')
		dst[len - 3] = '\0';
	return dst;
}

/* Is anybody named who holds it? A file that says nothing is only old. */
static bool has_somebody(const struct lock *lock)
{
	const struct process *holder = verdict_holder(lock);

	return (holder && holder->pid > 0) || lock->record.pid > 0;
}

/* With what the hold is compared: more than there may be room for. */
enum comparison { WITH_ALL, WITH_ONE, WITH_NOTHING };

/* " (usual p99: 9m, limit 10m)": what is usual says more than the limit, unless too few are known.
 */
static size_t append_comparison(
	char *dst, size_t size, size_t used, const struct entry *entry, enum comparison with)
{
	const struct percentiles *usual = &entry->usual;
	bool is_known = usual->n >= PERCENTILES_FEW;
	bool has_limit = entry->limit > 0 && (with == WITH_ALL || !is_known);
	bool has_usual = is_known || (usual->n && with == WITH_ALL);
	char p99[32], limit[32];

	if (with == WITH_NOTHING || (!has_limit && !has_usual))
		return used;
	if (usual->p99 < NS_PER_S)
		text_latency(p99, sizeof p99, usual->p99);
	else
		round_duration(p99, sizeof p99, usual->p99);
	used = append(dst, size, used, " (");
	if (is_known)
		used = append(dst, size, used, "usual p99: %s", p99);
	else if (has_usual)
		used = append(dst, size, used, "usual: n=%" PRIu64 ", too few", usual->n);
	if (has_limit)
		used = append(dst, size, used, "%slimit %s", has_usual ? ", " : "",
			round_duration(limit, sizeof limit, entry->limit));
	return append(dst, size, used, ")");
}

static void state_text(
	char *text, const struct top *top, const struct about *a, enum comparison with)
{
	char address[384], age[32];
	size_t used;

	model_address(address, sizeof address, a->model, a->entry);
	used = append(text, TEXT, 0, "%s %s  %s",
		state_mark(a->verdict.state, top->glyphs->is_ascii), state_word(a->verdict.state),
		address);
	if (a->verdict.state != STATE_FREE && a->verdict.age != AGE_UNKNOWN)
		used = append(text, TEXT, used, has_somebody(a->lock) ? "  held %s" : "  %s old",
			text_duration(age, sizeof age, a->verdict.age));
	if (a->verdict.state != STATE_FREE)
		used = append_comparison(text, TEXT, used, a->entry, with);
	if (a->lock->waiters)
		append(text, TEXT, used, "  %zu waiting", a->lock->waiters);
}

/* How many wait is worth more than what the hold is compared with. */
static void add_state(struct block *block, const struct top *top, const struct about *a, int cols)
{
	enum comparison with = WITH_ALL;
	char text[TEXT];

	state_text(text, top, a, with);
	while (cols > 0 && with < WITH_NOTHING && text_width(text) > cols)
		state_text(text, top, a, ++with);
	add(block, 0, style_of_first_line(a->verdict.state), NULL, "%s", text);
}

static void add_who(struct block *block, const struct about *a)
{
	const struct process *holder = verdict_holder(a->lock);
	char text[TEXT], started[32];
	size_t used;

	if (!holder || holder->pid <= 0) {
		if (a->lock->record.pid > 0)
			add(block, 3, STYLE_NORMAL, "who", "pid %d, says the record",
				(int)a->lock->record.pid);
		else if (a->verdict.state != STATE_FREE)
			add(block, 3, STYLE_NORMAL, "who", "not known");
		return;
	}
	used = append(text, sizeof text, 0, "pid %d%s", (int)holder->pid,
		a->verdict.state == STATE_STALE && verdict_is_reused(a->lock) ? " is now:" : "");
	if (holder->comm[0])
		used = append(text, sizeof text, used, " %s", holder->comm);
	if (holder->user)
		used = append(text, sizeof text, used, "  user %s", holder->user);
	if (a->lock->record.host[0] && a->lock->host_is != RELATION_SAME)
		used = append(text, sizeof text, used, "  host %s", a->lock->record.host);
	if (holder->started)
		used = append(text, sizeof text, used, "  started %s",
			text_time(started, sizeof started, holder->started));
	if (holder->command)
		append(text, sizeof text, used, "  %s", holder->command);
	add(block, 3, STYLE_NORMAL, "who", "%s", text);
}

/* The word of four: YES, NO, PID REUSED, UNKNOWN. */
static const char *alive_word(const struct about *a)
{
	int running = verdict_running(a->lock, &a->verdict);

	if (running > 0)
		return "YES";
	if (running < 0)
		return "UNKNOWN";
	return verdict_is_reused(a->lock) ? "PID REUSED" : "NO";
}

static void add_alive(struct block *block, const struct about *a)
{
	char why[VERDICT_TEXT];

	verdict_why(why, sizeof why, a->lock, &a->facts, &a->verdict);
	if (a->verdict.state == STATE_FREE)
		add(block, 2, STYLE_NORMAL, "why", "%s", why);
	else
		add(block, 2, STYLE_NORMAL, "alive", "%s: %s", alive_word(a), why);
}

static void add_waits(struct block *block, const struct about *a)
{
	enum { SHOWN = 6 };
	char text[TEXT];
	size_t used = 0;

	if (!a->lock->waiters)
		return;
	for (size_t i = 0; i < a->lock->waiters && i < SHOWN; i++) {
		const struct process *waiter = &a->lock->waiter[i];

		used = append(text, sizeof text, used, "%s%d%s%s", i ? ", " : "", (int)waiter->pid,
			waiter->comm[0] ? " " : "", waiter->comm);
		if (waiter->user)
			used = append(text, sizeof text, used, " (%s)", waiter->user);
	}
	if (a->lock->waiters > SHOWN)
		append(text, sizeof text, used, " and %zu more", a->lock->waiters - SHOWN);
	add(block, 4, STYLE_NORMAL, "waits", "%s", text);
}

/* What else was noticed and is not said by the other lines already. */
static void add_notes(struct block *block, const struct about *a)
{
	static const struct {
		unsigned int flag;
		const char *help;
	} notes[] = {
#define _(id, word, help) {LOCK_FLAG(id), help},
		LOCK_FLAGS(_)
#undef _
	};
	const unsigned int said = LOCK_FLAG(CONTENDED) | LOCK_FLAG(STOPPED) | LOCK_FLAG(PAST) |
				  LOCK_FLAG(POOL_WORKER) | LOCK_FLAG(INHERITED);
	char text[TEXT] = "";
	size_t used = 0;

	for (size_t i = 0; i < sizeof notes / sizeof *notes; i++)
		if (a->verdict.flags & notes[i].flag & ~said)
			used = append(
				text, sizeof text, used, "%s%s", used ? "; " : "", notes[i].help);
	if (used)
		add(block, 5, STYLE_WARN, "note", "%s", text);
}

static void add_advice(struct block *block, const struct about *a, int cols)
{
	char advice[VERDICT_TEXT + 16];

	verdict_advice(advice, sizeof advice, a->lock, &a->facts, &a->verdict);
	if (text_width(advice) > cols - LABEL)
		table_advice(advice, sizeof advice, a->model, a->entry, &a->verdict);
	if (advice[0])
		add(block, 1, style_of_safety(a->verdict.safe), "DO", "%s", advice);
}

/* Are there rows for the line when the less important ones go? */
static bool has_room(const struct block *block, int line, int rows)
{
	int before = 0;

	for (int i = 0; i < block->n; i++)
		before += block->line[i].rank < block->line[line].rank ||
			  (block->line[i].rank == block->line[line].rank && i < line);
	return before < rows;
}

static void draw_line(
	struct canvas *canvas, struct rect rect, int row, const struct block *block, int i)
{
	enum style style = block->line[i].style;
	const char *label = block->line[i].label;
	char text[TEXT];
	int at = label ? LABEL : 0;
	int room = rect.cols - at;

	if (room <= 0)
		return;
	text_fit(text, sizeof text, block->line[i].text, room, TEXT_CUT_END);
	if (label)
		canvas_textf(canvas, row, rect.col, LABEL, STYLE_BOLD, " %s", label);
	else if (style_info[style].is_reverse)
		canvas_fill(canvas, (struct rect){row, rect.col, 1, rect.cols}, style, " ");
	canvas_text(canvas, row, rect.col + at, room, style, text);
}

int top_verdict_block(
	const struct top *top, struct canvas *canvas, struct rect rect, const struct entry *entry)
{
	struct about a = {.model = top_model(top), .entry = entry, .lock = entry->lock};
	struct block block = {.n = 0};
	int row = rect.row;

	a.facts = model_facts(a.model, entry);
	a.verdict = verdict_of(a.lock, &a.facts);
	add_state(&block, top, &a, rect.cols);
	add_who(&block, &a);
	add_alive(&block, &a);
	add_waits(&block, &a);
	add_notes(&block, &a);
	add_advice(&block, &a, rect.cols);
	for (int i = 0; canvas && i < block.n; i++)
		if (has_room(&block, i, rect.rows))
			draw_line(canvas, rect, row++, &block, i);
	return block.n;
}

/*
 * Is what the source said the past? When all have ended without a fault (a recording, a single
 * look), the whole screen is of the past and the title says so.
 */
static bool is_dead(const struct model *model, size_t i)
{
	const struct model_source *source = &model->source[i];

	if (source->state != SOURCE_ENDED)
		return source->state == SOURCE_SILENT || source->state == SOURCE_DOWN;
	for (size_t k = 0; k < model->sources; k++)
		if (model->source[k].state != SOURCE_ENDED)
			return true;
	return source->fault != NULL;
}

bool top_data_alarm(const struct top *top, char *dst, size_t size)
{
	const struct model *model = top->model; /* a pause does not make the data fresher */
	size_t bad = 0, worst = 0;
	int64_t oldest = -1;
	char age[32], uri[4 * SOURCE_COLS];

	for (size_t i = 0; i < model->sources; i++) {
		int64_t old = model_data_age(model, i);

		if (!is_dead(model, i))
			continue;
		bad++;
		if (old > oldest) {
			oldest = old;
			worst = i;
		}
	}
	if (!bad)
		return false;
	text_fit(uri, sizeof uri, model->source[worst].uri, SOURCE_COLS, TEXT_CUT_MIDDLE);
	if (oldest == INT64_MAX)
		snprintf(dst, size, "NO DATA %s", uri);
	else
		snprintf(dst, size, "STALE DATA %s%s%s", text_duration(age, sizeof age, oldest),
			model->sources > 1 ? " " : "", model->sources > 1 ? uri : "");
	return true;
}

/* Of now, whatever is frozen; but in the past, of then. */
static void add_source_trouble(struct block *block, const struct top *top)
{
	const struct model *model = top->past.is_on ? top->frozen : top->model;

	for (size_t i = 0; i < model->sources; i++) {
		const struct model_source *source = &model->source[i];

		if (is_dead(model, i))
			add(block, 1, STYLE_BAD, "source", "%s %s%s%s", source->uri,
				source->state == SOURCE_DOWN    ? "is down"
				: source->state == SOURCE_ENDED ? "has ended"
								: "does not answer",
				source->fault ? ": " : "", source->fault ? source->fault : "");
		else if (source->fault)
			add(block, 1, STYLE_WARN, "source", "%s: %s", source->uri, source->fault);
		else if (!source->is_complete && !model_is_log(source))
			add(block, 1, STYLE_NORMAL, "source", "%s: first look not finished yet",
				source->uri);
	}
}

int top_all_well(const struct top *top, struct canvas *canvas, struct rect rect)
{
	const struct model *model = top_model(top);
	struct block block = {.n = 0}, trouble = {.n = 0};
	size_t count[STATE_COUNT], locks = 0;
	int row = rect.row;

	model_count(model, count);
	for (size_t i = 0; i < STATE_COUNT; i++)
		locks += count[i];
	if (!top->past.is_blank)
		add_source_trouble(&trouble, top);
	if (top->past.is_blank)
		add(&block, 0, STYLE_WARN, NULL, "what the locks were then is not recorded");
	else if (trouble.n)
		add(&block, 0, STYLE_WARN, NULL,
			"not known to be well: not every source has answered");
	else if (locks == 1)
		add(&block, 0, STYLE_GOOD, NULL,
			"nothing is stuck: 1 lock, free or held within its limit");
	else if (locks)
		add(&block, 0, STYLE_GOOD, NULL,
			"nothing is stuck: %zu locks, all free or held within their limits", locks);
	else
		add(&block, 0, STYLE_GOOD, NULL, "nothing is stuck: there are no locks");
	if (trouble.n)
		add_source_trouble(&block, top);
	for (int i = 0; canvas && i < block.n; i++)
		if (has_room(&block, i, rect.rows))
			draw_line(canvas, rect, row++, &block, i);
	return block.n;
}

/* Which locks to show, and in which order: the filter's little language, and sorting. */
#include "config.h"
#include "model/model.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/text.h"
#include "model/columns.h"

enum {
	TERMS_MAX = 64, /* more do not fit into the filter's text */
	CELL_MAX = 1024,
};

enum term_kind { TERM_WORD, TERM_STATE, TERM_KIND, TERM_COLUMN, TERM_NUMBER, TERM_TAGGED };

struct term {
	enum term_kind kind;
	bool excludes;
	unsigned int states; /* STATE: a bit for each */
	int kind_is;         /* KIND */
	enum column column;  /* COLUMN, NUMBER */
	char op[2];          /* NUMBER: ">", "<", ">=" … */
	int64_t number;
	const char *text; /* WORD, COLUMN: borrowed from the filter */
};

struct filter {
	char text[sizeof((struct selection *)NULL)->filter];
	struct term term[TERMS_MAX];
	size_t n;
};

static int parse_states(struct term *term, char *words, struct error *err)
{
	char *rest = words, *word;

	while ((word = strsep(&rest, ","))) {
		int state = state_from_word(word);

		if (state < 0)
			return error_set(err, -EINVAL,
				"no state '%s', there are FREE, HELD, OVERDUE, STALE, EXPIRED, "
				"UNKNOWN and CORRUPT",
				word);
		term->states |= 1u << state;
	}
	term->kind = TERM_STATE;
	return 0;
}

static int parse_kind(struct term *term, const char *word, struct error *err)
{
	term->kind = TERM_KIND;
	term->kind_is = lock_kind_from_word(word);
	if (term->kind_is >= 0)
		return 0;
	return error_set(
		err, -EINVAL, "no kind '%s', there are file, flock, posix, ofd and lease", word);
}

/* FIELD:TEXT; a word with a colon whose first part is no field is just a word. */
static int parse_field(struct term *term, char *word, struct error *err)
{
	char *colon = strchr(word, ':');
	int column;

	term->text = word;
	if (!colon)
		return 0;
	*colon = '\0';
	column = column_from_word(word);
	if (column < 0) {
		*colon = ':';
		return 0;
	}
	if (!colon[1])
		return error_set(err, -EINVAL, "'%s:' needs a text after it", word);
	if (column == COLUMN_STATE)
		return parse_states(term, colon + 1, err);
	if (column == COLUMN_KIND)
		return parse_kind(term, colon + 1, err);
	term->kind = TERM_COLUMN;
	term->column = (enum column)column;
	term->text = colon + 1;
	return 0;
}

static int parse_number(
	struct term *term, char *word, size_t name_len, size_t op_len, struct error *err)
{
	const char *value = word + name_len + op_len;
	bool is_duration = term->column == COLUMN_AGE || term->column == COLUMN_LIMIT;

	term->kind = TERM_NUMBER;
	memcpy(term->op, word + name_len, op_len);
	if (is_duration && text_to_duration(value, &term->number) < 0)
		return error_set(err, -EINVAL,
			"'%s' is no duration, expected one like 90s, 15m, 2h or 7d", value);
	if (!is_duration && text_to_int(value, 0, INT64_MAX, &term->number) < 0)
		return error_set(err, -EINVAL, "'%s' is no number", value);
	return 0;
}

/* NAME>VALUE; true when the word is one, be it right or wrong. */
static bool parse_comparison(struct term *term, char *word, int *result, struct error *err)
{
	static const enum column columns[] = {COLUMN_AGE, COLUMN_LIMIT, COLUMN_WAITERS, COLUMN_PID};
	size_t name_len = strcspn(word, "<>=");
	size_t op_len = strspn(word + name_len, "<>=");

	if (!op_len)
		return false;
	for (size_t i = 0; i < sizeof columns / sizeof *columns; i++) {
		const char *field = column_info[columns[i]].field;

		if (strlen(field) != name_len || memcmp(field, word, name_len) != 0)
			continue;
		term->column = columns[i];
		if (op_len > 2 || (op_len == 2 && word[name_len + 1] != '=')) {
			*result = error_set(err, -EINVAL,
				"cannot compare by '%.*s', only by "
				"<, >, <=, >= or =",
				(int)op_len, word + name_len);
			return true;
		}
		*result = parse_number(term, word, name_len, op_len, err);
		return true;
	}
	/* A name may hold an equals sign; < and > in one are rare enough to call it a mistake. */
	if (word[name_len] == '=')
		return false;
	*result = error_set(err, -EINVAL,
		"nothing is compared by '%.*s', only age, limit, waiters and pid", (int)name_len,
		word);
	return true;
}

static int parse_term(struct term *term, char *word, struct error *err)
{
	int result = 0;

	*term = (struct term){.kind = TERM_WORD};
	if (*word == '!') {
		term->excludes = true;
		word++;
	}
	if (!*word)
		return error_set(err, -EINVAL, "a ! needs a word right after it");
	if (strcmp(word, "tagged") == 0) {
		term->kind = TERM_TAGGED;
		return 0;
	}
	if (parse_comparison(term, word, &result, err))
		return result;
	return parse_field(term, word, err);
}

static int filter_parse(struct filter *filter, const struct selection *selection, struct error *err)
{
	char *rest = filter->text, *word;

	filter->n = 0;
	memcpy(filter->text, selection->filter, sizeof filter->text);
	filter->text[sizeof filter->text - 1] = '\0';
	while ((word = strsep(&rest, " \t"))) {
		int result;

		if (!*word)
			continue;
		result = parse_term(&filter->term[filter->n++], word, err);
		if (result < 0)
			return result;
	}
	return 0;
}

int selection_check(const struct selection *selection, struct error *err)
{
	struct filter filter;

	return filter_parse(&filter, selection, err);
}

static bool contains(const char *text, const char *word)
{
	return text && *text && text_contains(text, word);
}

/* A bare word is looked for in all that names a lock or its holders. */
static bool word_matches(const struct model *model, const struct entry *entry, const char *word)
{
	const struct lock *lock = entry->lock;
	char pid[16];

	if (contains(lock->name, word) || contains(lock->path, word) ||
		contains(lock->record.host, word) ||
		contains(model->source[entry->source].host, word) ||
		contains(state_word(entry->verdict.state), word))
		return true;
	for (size_t i = 0; i < lock->holders; i++) {
		const struct process *process = &lock->holder[i];

		snprintf(pid, sizeof pid, "%" PRId32, process->pid);
		if (strcmp(pid, word) == 0 || contains(process->comm, word) ||
			contains(process->command, word) || contains(process->user, word))
			return true;
	}
	snprintf(pid, sizeof pid, "%" PRId32, lock->record.pid);
	return lock->record.pid > 0 && strcmp(pid, word) == 0;
}

static bool number_matches(const struct term *term, int64_t number)
{
	if (number == INT64_MIN)
		return false; /* unknown is neither more nor less */
	if (number == term->number)
		return term->op[0] == '=' || term->op[1] == '=';
	return term->op[0] == (number > term->number ? '>' : '<');
}

static bool term_matches(
	const struct model *model, const struct entry *entry, const struct term *term)
{
	char cell[CELL_MAX];
	int64_t number;

	switch (term->kind) {
	case TERM_WORD: return word_matches(model, entry, term->text);
	case TERM_STATE: return term->states & 1u << entry->verdict.state;
	case TERM_KIND: return (int)entry->lock->kind == term->kind_is;
	case TERM_TAGGED: return entry->is_tagged;
	case TERM_NUMBER:
		column_number(term->column, model, entry, &number);
		return number_matches(term, number);
	case TERM_COLUMN:
		column_text(cell, sizeof cell, term->column, model, entry);
		return text_contains(cell, term->text);
	}
	return false;
}

static bool is_wanted(const struct model *model, const struct entry *entry,
	const struct filter *filter, const struct selection *selection)
{
	if (selection->hides_free && entry->verdict.state == STATE_FREE)
		return false;
	for (size_t i = 0; i < filter->n; i++)
		if (term_matches(model, entry, &filter->term[i]) == filter->term[i].excludes)
			return false;
	return true;
}

bool selection_shows(
	const struct selection *selection, const struct model *model, const struct entry *entry)
{
	struct filter filter = {0};

	return filter_parse(&filter, selection, NULL) < 0 ||
	       is_wanted(model, entry, &filter, selection);
}

/* What an entry is sorted by, made once for each: smaller first. */
struct key {
	int64_t a, b;   /* of a text: its first bytes, and where it stands */
	uint64_t order; /* by source and name, for ties */
	struct entry *entry;
};

static int compare_rest(const struct key *a, const struct key *b)
{
	return (a->order > b->order) - (a->order < b->order);
}

static int compare_numbers(const void *left, const void *right)
{
	const struct key *a = left, *b = right;

	if (a->a != b->a)
		return a->a < b->a ? -1 : 1;
	if (a->b != b->b)
		return a->b < b->b ? -1 : 1;
	return compare_rest(a, b);
}

static int compare_text(const struct key *a, const struct key *b)
{
	if (a->a != b->a)
		return a->a < b->a ? -1 : 1;
	return strcmp((const char *)(intptr_t)a->b, (const char *)(intptr_t)b->b);
}

static int compare_texts(const void *left, const void *right)
{
	int order = compare_text(left, right);

	return order ? order : compare_rest(left, right);
}

static int compare_texts_reversed(const void *left, const void *right)
{
	int order = compare_text(right, left);

	return order ? order : compare_rest(left, right);
}

/* The first eight bytes as a number that is ordered as they are. */
static int64_t prefix(const char *text)
{
	uint64_t bytes = 0;

	for (int i = 0; i < 8; i++)
		bytes = bytes << 8 | (unsigned char)(*text ? *text++ : 0);
	return (int64_t)(bytes ^ UINT64_C(1) << 63);
}

static void harm_key(const struct model *model, const struct entry *entry, int64_t *a, int64_t *b)
{
	size_t waiters = entry->lock->waiters < UINT32_MAX ? entry->lock->waiters : UINT32_MAX;
	struct facts facts = model_facts(model, entry);
	int64_t bound = verdict_bound(entry->lock, &facts);
	int64_t age = bound ? model_age(model, entry) : AGE_UNKNOWN;

	*a = (int64_t)state_rank(entry->verdict.state) << 32 | (int64_t)waiters;
	*b = INT64_MIN;
	if (age != AGE_UNKNOWN && __builtin_sub_overflow(age, bound, b))
		*b = INT64_MIN;
}

static void number_keys(
	const struct model *model, int sort, bool is_reversed, struct key *key, size_t n)
{
	/* Harm is shown worst first; ~ turns an order round without overflow. */
	bool turns = (sort == SORT_HARM) != is_reversed;

	for (size_t i = 0; i < n; i++) {
		key[i].b = 0;
		if (sort == SORT_HARM)
			harm_key(model, key[i].entry, &key[i].a, &key[i].b);
		else
			column_number((enum column)sort, model, key[i].entry, &key[i].a);
		if (turns) {
			key[i].a = ~key[i].a;
			key[i].b = ~key[i].b;
		}
	}
}

/* Texts of cells are kept in one block until the sort is done; names are where they are. */
static int text_keys(
	const struct model *model, enum column column, struct key *key, size_t n, char **arena)
{
	size_t len = 0, size = 0;
	char cell[CELL_MAX];

	for (size_t i = 0; i < n && column != COLUMN_NAME; i++) {
		size_t need;

		column_text(cell, sizeof cell, column, model, key[i].entry);
		need = strlen(cell) + 1;
		if (size - len < need) {
			char *grown = realloc(*arena, size * 2 + CELL_MAX);

			if (!grown)
				return -ENOMEM;
			*arena = grown;
			size = size * 2 + CELL_MAX;
		}
		memcpy(*arena + len, cell, need);
		key[i].b = (int64_t)len;
		len += need;
	}
	for (size_t i = 0; i < n; i++) {
		const char *text =
			column == COLUMN_NAME ? key[i].entry->lock->name : *arena + key[i].b;

		key[i].a = prefix(text);
		key[i].b = (int64_t)(intptr_t)text;
	}
	return 0;
}

static bool is_sorted(const struct key *key, size_t n, int (*compare)(const void *, const void *))
{
	for (size_t i = 1; i < n; i++)
		if (compare(&key[i - 1], &key[i]) > 0)
			return false;
	return true;
}

static int sort_keys(
	const struct model *model, const struct selection *selection, struct key *key, size_t n)
{
	int (*compare)(const void *, const void *) = compare_numbers;
	int64_t number;
	char *arena = NULL;
	int result = 0;

	if (!n)
		return 0;
	if (selection->sort < 0 || selection->sort >= COLUMN_COUNT) {
		number_keys(model, SORT_HARM, selection->is_reversed, key, n);
	} else if (column_number((enum column)selection->sort, model, key->entry, &number)) {
		number_keys(model, selection->sort, selection->is_reversed, key, n);
	} else {
		compare = selection->is_reversed ? compare_texts_reversed : compare_texts;
		result = text_keys(model, (enum column)selection->sort, key, n, &arena);
	}
	/* Most lists are as they were a moment ago, or have only one state. */
	if (!result && !is_sorted(key, n, compare))
		qsort(key, n, sizeof *key, compare);
	free(arena);
	return result;
}

static size_t gather(const struct model *model, const struct selection *selection,
	const struct filter *filter, struct key *key)
{
	size_t n = 0;
	uint64_t order = 0;

	for (size_t i = 0; i < model->sources; i++) {
		const struct model_source *source = &model->source[i];

		for (size_t k = 0; k < source->n; k++, order++)
			if (is_wanted(model, source->entry[k], filter, selection))
				key[n++] = (struct key){.order = order, .entry = source->entry[k]};
	}
	return n;
}

static int hand_out(
	const struct key *key, size_t count, struct entry ***entries, size_t *n, size_t *size)
{
	if (count > *size) {
		struct entry **grown = reallocarray(*entries, count, sizeof *grown);

		if (!grown)
			return -ENOMEM;
		*entries = grown;
		*size = count;
	}
	for (size_t i = 0; i < count; i++)
		(*entries)[i] = key[i].entry;
	*n = count;
	return 0;
}

int model_select(const struct model *model, const struct selection *selection,
	struct entry ***entries, size_t *n, size_t *size)
{
	struct filter filter;
	struct key *key;
	size_t count;
	int result = filter_parse(&filter, selection, NULL);

	if (result < 0)
		return result;
	key = malloc((model->entries + 1) * sizeof *key);
	if (!key)
		return -ENOMEM;
	count = gather(model, selection, &filter, key);
	result = sort_keys(model, selection, key, count);
	if (!result)
		result = hand_out(key, count, entries, n, size);
	free(key);
	return result;
}

struct entry *model_worst(const struct model *model)
{
	struct entry *worst = NULL;
	int64_t worst_a = 0, worst_b = 0, a, b;
	size_t count[STATE_COUNT], bad = 0;

	model_count(model, count);
	for (int state = 0; state < STATE_COUNT; state++)
		bad += state == STATE_FREE || state == STATE_HELD ? 0 : count[state];
	for (size_t i = 0; bad && i < model->sources; i++) {
		for (size_t k = 0; k < model->source[i].n; k++) {
			struct entry *entry = model->source[i].entry[k];

			if (entry->verdict.state == STATE_FREE ||
				entry->verdict.state == STATE_HELD)
				continue;
			harm_key(model, entry, &a, &b);
			if (!worst || a > worst_a || (a == worst_a && b > worst_b)) {
				worst = entry;
				worst_a = a;
				worst_b = b;
			}
		}
	}
	return worst;
}

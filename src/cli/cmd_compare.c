/* `locktop compare A B`: two ways to lock the same, side by side, and may one switch to B? */
#include "config.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "base/text.h"
#include "cli/cli.h"
#include "cli/log_options.h"
#include "cli/print.h"
#include "cli/report.h"
#include "cli/session.h"
#include "model/compare.h"

/* A move takes days, and a disagreement of the day before yesterday counts. */
#define USUAL_WINDOW (7 * 24 * 3600 * NS_PER_S)

enum { CELL_TEXT = 1024, LABEL_WIDTH = 18, CELL_LEAST = 14, CELL_MOST = 60, USUAL_COLS = 80 };

struct compare_args {
	struct common common;
	struct log_options log;
	char *text[SIDES];
	size_t n;
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct compare_args *args = state->input;

	switch (key) {
	case ARGP_KEY_INIT:
		state->child_inputs[0] = &args->common;
		state->child_inputs[1] = &args->log;
		return 0;
	case ARGP_KEY_ARG:
		if (args->n == SIDES)
			argp_error(state, "two are compared; '%s' is one too many", arg);
		args->text[args->n++] = arg;
		return 0;
	case ARGP_KEY_END:
		if (args->n < SIDES)
			argp_error(state,
				"which two? A is what is used now, B what may replace it: "
				"addresses, sources, or words like file and redis");
		if (strcmp(args->text[SIDE_A], args->text[SIDE_B]) == 0)
			argp_error(state, "'%s' is compared with itself", args->text[SIDE_A]);
		if (args->common.format == FORMAT_CSV || args->common.format == FORMAT_IDS)
			argp_error(state, "a comparison is a table or JSON");
		if (args->common.fields)
			argp_error(state, "--fields is for lists of locks");
		return 0;
	default: return ARGP_ERR_UNKNOWN;
	}
}

static const struct argp_child children[] = {LOG_CHILDREN, {0}};

static const struct argp argp = {NULL, parse, "A B",
	"Puts two locks, sources or kinds of source side by side, from the metrics logs, and tells "
	"whether one may switch from A to B: exit code 0 yes, 1 no, and why not.",
	children, NULL, NULL};

struct comparing {
	const struct compare_args *args;
	struct log_reading reading;
	struct log_picks picks;
	struct compare compare;
	wall_t now, since, until;
	const char *host;
	char name[SIDES][CELL_TEXT]; /* as given, clean */
	struct figures figures[SIDES];
	struct compare_verdict verdict;
};

static int on_line(void *data, const struct metric *metric)
{
	struct comparing *comparing = data;
	bool is_of[SIDES];

	for (int side = 0; side < SIDES; side++)
		is_of[side] = log_pick_has(&comparing->picks.pick[side], metric->source,
			metric->lock, metric->backend);
	if (is_of[SIDE_A] && is_of[SIDE_B])
		return -EEXIST;
	if (!is_of[SIDE_A] && !is_of[SIDE_B])
		return 0;
	return compare_add(&comparing->compare, is_of[SIDE_A] ? SIDE_A : SIDE_B, metric);
}

/* --- the table --- */

static const enum figure rows[] = {FIGURE_ATTEMPTS, FIGURE_ACQUIRED, FIGURE_FAILED,
	FIGURE_FAILED_PERCENT, FIGURE_SLOW, FIGURE_WAIT_P50, FIGURE_WAIT_P95, FIGURE_WAIT_P99,
	FIGURE_WAIT_MAX, FIGURE_HOLD_P50, FIGURE_HOLD_P95, FIGURE_HOLD_P99, FIGURE_HOLD_MAX,
	FIGURE_LOST, FIGURE_STALE, FIGURE_STALE_PER_100, FIGURE_TAKEN_OVER};
enum { ROWS = sizeof rows / sizeof *rows };

/* "wait_p50_ms" as "wait p50". */
static void write_label(enum figure figure, struct buf *out)
{
	char label[32];
	size_t len;

	snprintf(label, sizeof label, "%s", figure_info[figure].word);
	len = strlen(label);
	if (len > 3 && strcmp(label + len - 3, "_ms") == 0)
		label[len - 3] = '\0';
	for (char *c = label; *c; c++)
		if (*c == '_')
			*c = ' ';
	print_cell(out, label, LABEL_WIDTH, false, false);
}

static bool is_percentile(enum figure figure)
{
	return (figure >= FIGURE_WAIT_P50 && figure <= FIGURE_WAIT_P99) ||
	       (figure >= FIGURE_HOLD_P50 && figure <= FIGURE_HOLD_P99);
}

static void cell_text(char *dst, size_t size, const struct figures *figures, enum figure figure)
{
	uint64_t n = figure < FIGURE_HOLD_N ? figures->wait.n : figures->hold.n;

	if (is_percentile(figure) && n > 0 && n < PERCENTILES_FEW)
		snprintf(dst, size, "n=%" PRIu64 ", too few", n);
	else
		figure_text(dst, size, figures, figure);
}

/* As wide as the longer name, as far as there is room. */
static int cell_width(const struct comparing *comparing, int cols)
{
	int most = ((cols ? cols : USUAL_COLS) - LABEL_WIDTH - 2) / 2, width = CELL_LEAST;

	for (int side = 0; side < SIDES; side++) {
		int name = text_width(comparing->name[side]) + 2;

		width = name > width ? name : width;
	}
	if (width > most)
		width = most;
	return width < CELL_LEAST ? CELL_LEAST : width;
}

/* What the verdict compares where both are taken together. */
static void write_first_tries(const struct comparing *comparing, int width, struct buf *out)
{
	char text[64];

	print_cell(out, "p95 of first tries", LABEL_WIDTH, false, false);
	for (int side = 0; side < SIDES; side++) {
		struct percentiles wait =
			histogram_percentiles(&comparing->compare.side[side].first_try);

		if (wait.n > 0 && wait.n < PERCENTILES_FEW)
			snprintf(text, sizeof text, "n=%" PRIu64 ", too few", wait.n);
		else
			text_latency(text, sizeof text, wait.p95);
		print_cell(out, text, width, true, side == SIDE_B);
	}
	buf_addc(out, '\n');
}

static void write_sides(const struct comparing *comparing, int cols, struct buf *out)
{
	int width = cell_width(comparing, cols);
	char text[CELL_TEXT + 8], fitted[CELL_TEXT];

	print_cell(out, "", LABEL_WIDTH, false, false);
	for (int side = 0; side < SIDES; side++) {
		snprintf(text, sizeof text, "%c %s", "AB"[side], comparing -> name[side]);
		text_fit(fitted, sizeof fitted, text, width, TEXT_CUT_MIDDLE);
		print_cell(out, fitted, width, true, side == SIDE_B);
	}
	buf_addc(out, '\n');
	for (size_t r = 0; r < ROWS; r++) {
		write_label(rows[r], out);
		for (int side = 0; side < SIDES; side++) {
			cell_text(text, sizeof text, &comparing->figures[side], rows[r]);
			print_cell(out, text, width, true, side == SIDE_B);
		}
		buf_addc(out, '\n');
		if (rows[r] == FIGURE_WAIT_MAX && compare_is_together(&comparing->compare))
			write_first_tries(comparing, width, out);
	}
}

static void write_incident(const struct compare_incident *incident, struct buf *out)
{
	char at[32], length[32], pid[32] = "?", other[32] = "?";
	char gave = "AB"[incident->gave], refused = "BA"[incident->gave];

	if (incident->pid > 0)
		snprintf(pid, sizeof pid, "%" PRId32, incident->pid);
	if (incident->other > 0)
		snprintf(other, sizeof other, "%" PRId32, incident->other);
	buf_addf(out, "  %s  ", text_time(at, sizeof at, incident->at));
	if (incident->is_overlap)
		buf_addf(out, "pid %s had %c and pid %s had %c, for %s\n", pid, gave, other,
			refused, text_latency(length, sizeof length, incident->length));
	else
		buf_addf(out, "%c refused pid %s what %c had given it\n", refused, pid, gave);
}

static void write_agreement(const struct compare *compare, struct buf *out)
{
	char a[32], b[32], c[32];

	buf_addf(out, "\ntogether %s, only A %s, only B %s\n",
		print_count(a, sizeof a, compare->together),
		print_count(b, sizeof b, compare_only(compare, SIDE_A)),
		print_count(c, sizeof c, compare_only(compare, SIDE_B)));
	buf_addf(out, "disagreements: A gave and B refused %s, B gave and A refused %s\n",
		print_count(a, sizeof a, compare->disagreements[SIDE_A]),
		print_count(b, sizeof b, compare->disagreements[SIDE_B]));
	buf_addf(out, "overlaps: %s%s%s\n", print_count(a, sizeof a, compare->overlaps),
		compare->overlaps ? ", the longest " : "",
		compare->overlaps ? text_latency(b, sizeof b, compare->longest) : "");
	for (size_t i = 0; i < compare->incidents; i++)
		write_incident(&compare->incident[i], out);
	if (compare->late + compare->beyond)
		buf_addf(out,
			"%s lines could not be held against each other: there are too many lines "
			"or locks\n",
			print_count(a, sizeof a, compare->late + compare->beyond));
}

static void write_verdict(const struct comparing *comparing, struct buf *out)
{
	const struct compare *compare = &comparing->compare;
	char n[32];

	if (!comparing->verdict.is_ready) {
		buf_adds(out, "not ready: ");
		for (size_t i = 0; i < comparing->verdict.reasons; i++)
			buf_addf(out, "%s%s", i ? "; " : "", comparing->verdict.reason[i]);
		return;
	}
	buf_addf(out, "ready to switch to %s: acquired %s times, never lost, ",
		comparing->name[SIDE_B],
		print_count(n, sizeof n, compare->side[SIDE_B].tally.count[METRIC_ACQUIRED]));
	if (compare->together)
		buf_addf(out, "%s times together with A and of one mind with it",
			print_count(n, sizeof n, compare->together));
	else
		buf_adds(out, "but never together with A: whether both would agree is not known "
			      "(locktop run --with)");
}

static int write_table(const struct comparing *comparing, struct buf *out)
{
	log_reading_text(
		&comparing->reading.read, comparing->args->log.since.text, comparing->until, out);
	buf_addc(out, '\n');
	write_sides(comparing, print_cols(), out);
	write_agreement(&comparing->compare, out);
	buf_addc(out, '\n');
	write_verdict(comparing, out);
	buf_addc(out, '\n');
	return buf_failed(out);
}

/* --- JSON --- */

static json_t *side_to_json(const struct comparing *comparing, enum compare_side side)
{
	const struct compare *compare = &comparing->compare;
	const struct compare_side_facts *facts = &compare->side[side];
	json_t *object = figures_to_json(&comparing->figures[side]);
	struct percentiles first_try = histogram_percentiles(&facts->first_try);
	json_t *more = json_pack("{s:s, s:I, s:I, s:I, s:o, s:o}", "name", comparing->name[side],
		"locks", (json_int_t)facts->locks, "only", (json_int_t)compare_only(compare, side),
		"gave_what_the_other_refused", (json_int_t)compare->disagreements[side],
		"last_acquired",
		facts->acquired_last ? json_real(clock_seconds(facts->acquired_last)) : json_null(),
		"first_try_wait_ms", percentiles_to_json(&first_try));

	if (!object || !more || json_object_update(object, more) < 0) {
		json_decref(object);
		object = NULL;
	}
	json_decref(more);
	return object;
}

static json_t *pid_or_null(int32_t pid)
{
	return pid > 0 ? json_integer(pid) : json_null();
}

static json_t *incidents_to_json(const struct compare *compare)
{
	json_t *array = json_array();
	int e = array ? 0 : -1;

	for (size_t i = 0; i < compare->incidents && e == 0; i++) {
		const struct compare_incident *incident = &compare->incident[i];

		e = json_array_append_new(
			array, json_pack("{s:s, s:f, s:s, s:o, s:o, s:o}", "kind",
				       incident->is_overlap ? "overlap" : "disagreement", "at",
				       clock_seconds(incident->at), "gave",
				       incident->gave == SIDE_A ? "a" : "b", "pid",
				       pid_or_null(incident->pid), "other_pid",
				       pid_or_null(incident->other), "length_ms",
				       incident->is_overlap
					       ? json_real((double)(incident->length / 1000) / 1000)
					       : json_null()));
	}
	if (e == 0)
		return array;
	json_decref(array);
	return NULL;
}

static json_t *reasons_to_json(const struct compare_verdict *verdict)
{
	json_t *array = json_array();
	int e = array ? 0 : -1;

	for (size_t i = 0; i < verdict->reasons && e == 0; i++)
		e = json_array_append_new(array, json_string(verdict->reason[i]));
	if (e == 0)
		return array;
	json_decref(array);
	return NULL;
}

static json_t *to_json(const struct comparing *comparing)
{
	const struct compare *compare = &comparing->compare;
	struct buf verdict = {0};
	json_t *object, *more;

	write_verdict(comparing, &verdict);
	object = log_reading_to_json(&comparing->reading.read, comparing->host, comparing->now,
		comparing->since, comparing->until);
	more = json_pack("{s:o, s:o, s:I, s:I, s:I, s:f, s:o, s:I, s:b, s:o, s:s}", "a",
		side_to_json(comparing, SIDE_A), "b", side_to_json(comparing, SIDE_B), "together",
		(json_int_t)compare->together, "disagreements",
		(json_int_t)(compare->disagreements[SIDE_A] + compare->disagreements[SIDE_B]),
		"overlaps", (json_int_t)compare->overlaps, "longest_overlap_ms",
		(double)(compare->longest / 1000) / 1000, "incidents", incidents_to_json(compare),
		"not_compared", (json_int_t)(compare->late + compare->beyond), "ready",
		(int)comparing->verdict.is_ready, "reasons", reasons_to_json(&comparing->verdict),
		"verdict", buf_text(&verdict));
	buf_release(&verdict);
	if (!object || !more || json_object_update(object, more) < 0) {
		json_decref(object);
		object = NULL;
	}
	json_decref(more);
	return object;
}

/* --- the command --- */

static int show(const char *program, struct comparing *comparing)
{
	struct buf out = {0};
	int e;

	for (int side = 0; side < SIDES; side++)
		if (comparing->compare.side[side].lines == 0)
			return cli_fail(program, EXIT_REFUSED,
				"not ready: no line of the logs is about %c, %s", "AB"[side],
				comparing -> name[side]);
	e = comparing->args->common.format == FORMAT_JSON ? print_json(&out, to_json(comparing))
							  : write_table(comparing, &out);
	if (e == 0)
		e = print_out(&out);
	buf_release(&out);
	if (e < 0 && e != -EPIPE)
		return cli_fail(program, cli_exit_code(e), "cannot print: %s", strerror(-e));
	return comparing->verdict.is_ready ? EXIT_DONE : EXIT_REFUSED;
}

static void judge(struct comparing *comparing)
{
	struct metricsread *read = &comparing->reading.read;

	compare_end(&comparing->compare);
	comparing->since = read->since;
	comparing->until = read->until ? read->until : comparing->now;
	for (int side = 0; side < SIDES; side++)
		comparing->figures[side] = figures_of(&comparing->compare.side[side].tally,
			comparing->until - (read->since ? read->since : read->first));
	comparing->verdict = compare_judge(
		&comparing->compare, read->since ? read->since : read->first, comparing->until);
}

static int gather(struct comparing *comparing, const struct session *session, struct error *err)
{
	const struct compare_args *args = comparing->args;
	int e = log_picks_init(&comparing->picks, args->text, SIDES, &session->settings, err);

	if (e < 0)
		return e;
	e = log_reading_open(
		&comparing->reading, &args->log, &session->settings, comparing->now, err);
	if (e < 0)
		return e;
	comparing->reading.read.line = on_line;
	comparing->reading.read.data = comparing;
	e = log_reading_run(&comparing->reading, NULL, err);
	if (e == -EEXIST)
		return error_set(err, -EINVAL,
			"%s and %s have a lock in common: nothing can be compared then",
			comparing->name[SIDE_A], comparing->name[SIDE_B]);
	if (e == -ENOMEM)
		error_sys(err, e, "cannot compare");
	return e;
}

static int compare(const char *program, const struct compare_args *args, struct session *session)
{
	struct comparing comparing = {.args = args};
	struct error err;
	int e, code;

	comparing.now = clock_wall(&session->clock);
	comparing.host = session->here.host;
	for (int side = 0; side < SIDES; side++)
		text_clean(comparing.name[side], sizeof comparing.name[side], args->text[side],
			strlen(args->text[side]), NULL);
	e = gather(&comparing, session, &err);
	if (e < 0) {
		code = cli_fail(program, cli_exit_code(e), "%s", err.text);
	} else {
		log_reading_complain(&comparing.reading, program);
		judge(&comparing);
		code = show(program, &comparing);
	}
	compare_release(&comparing.compare);
	log_reading_close(&comparing.reading);
	log_picks_release(&comparing.picks);
	return code;
}

static int run(const struct command *command, int argc, char **argv)
{
	struct compare_args args = {.common.format = FORMAT_NONE};
	struct session session;
	struct error err;
	int e, code;

	(void)command;
	log_options_init(&args.log, USUAL_WINDOW);
	options_parse(&argp, argc, argv, 0, NULL, &args);
	e = session_open(&session, &args.common, &err);
	code = e < 0 ? cli_fail(argv[0], cli_exit_code(e), "%s", err.text)
		     : compare(argv[0], &args, &session);
	session_close(&session);
	return code;
}

const struct command command_compare = {
	"compare", "two locks side by side: may one switch?", &argp, run};

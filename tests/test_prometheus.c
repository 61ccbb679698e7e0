/* What is exported to Prometheus: its form, its labels, and the numbers behind them. */
#include "config.h"
#include "scene.h"

#include <math.h>

#include "base/buf.h"
#include "base/text.h"
#include "model/prometheus.h"
#include "model/promtext.h"

enum { LOCKS = 1000 };

/* A model, a log, and what was made of them. */
struct site {
	struct scene scene;
	struct metrics metrics;
	struct buf out;
	bool has_log;
	size_t locks_max;
};

static int set_up(void **state)
{
	struct site *site = calloc(1, sizeof *site);

	assert_non_null(site);
	scene_init(&site->scene, 0, 24, 80);
	assert_int_equal(metrics_init(&site->metrics, METRICS_TOTALS, 0, 0), 0);
	site->has_log = true;
	site->locks_max = LOCKS;
	*state = site;
	return 0;
}

static int tear_down(void **state)
{
	struct site *site = *state;

	scene_release(&site->scene);
	metrics_release(&site->metrics);
	buf_release(&site->out);
	free(site);
	return 0;
}

/* A lock file of the source; pid 0: a free one. */
static struct lock *file_lock(struct site *site, const char *name, int32_t pid, enum life life)
{
	struct lock *lock = scene_lock(&site->scene, name, pid, life, 60);

	assert_true(asprintf(&lock->path, "/run/lock/%s", name) > 0);
	return lock;
}

static void put(struct site *site, const char *name, int32_t pid, enum life life)
{
	scene_put(&site->scene, 0, file_lock(site, name, pid, life));
}

static void log_line(struct site *site, enum metric_event event, const char *source,
	const char *lock, int64_t wait, int64_t hold)
{
	struct metric metric = metric_new(event, SCENE_WALL);

	metric.source = source;
	metric.lock = lock;
	metric.backend = "file";
	metric.wait = wait;
	metric.hold = hold;
	assert_int_equal(metrics_add(&site->metrics, &metric), 0);
}

static const char *text_of(struct site *site)
{
	const struct prometheus prometheus = {
		.model = &site->scene.model,
		.metrics = site->has_log ? &site->metrics : NULL,
		.version = "0.1",
		.locks_max = site->locks_max,
	};

	buf_clear(&site->out);
	assert_int_equal(prometheus_write(&prometheus, &site->out), 0);
	return buf_text(&site->out);
}

/* Is that a whole line of the text? */
static bool has_line(const char *text, const char *line)
{
	size_t len = strlen(line);

	for (const char *at = text; (at = strstr(at, line)); at++)
		if ((at == text || at[-1] == '\n') && at[len] == '\n')
			return true;
	return false;
}

#define assert_line(text, line)                                 \
	do {                                                    \
		if (!has_line(text, line))                      \
			fail_msg("no '%s' in\n%s", line, text); \
	} while (0)
#define assert_no(text, what)                                   \
	do {                                                    \
		if (strstr(text, what))                         \
			fail_msg("'%s' is in\n%s", what, text); \
	} while (0)

#define LABELS(lock) "{lock=\"" lock "\",source=\"file:/run/lock\",backend=\"file\""

static void values_of_labels_are_escaped(void **state)
{
	struct buf out = {0};
	struct promtext text = {.out = &out};

	(void)state;
	promtext_family(&text, "a", "gauge", "back\\slash \"and\"\nmore");
	promtext_sample(&text, "");
	promtext_label(&text, "x", "q\"b\\n\nu\xc3\xa4|{}=,");
	promtext_label(&text, "y", "");
	promtext_count(&text, 18446744073709551615u);
	promtext_sample(&text, "_sum");
	promtext_seconds(&text, 0);
	assert_string_equal(buf_text(&out),
		"# HELP a back\\\\slash \"and\"\\nmore\n"
		"# TYPE a gauge\n"
		"a{x=\"q\\\"b\\\\n\\nu\xc3\xa4|{}=,\",y=\"\"} 18446744073709551615\n"
		"a_sum 0\n");
	buf_release(&out);
}

static void seconds_lose_nothing(void **state)
{
	static const struct {
		int64_t ns;
		const char *text;
	} table[] = {
		{1, "0.000000001"},
		{1000, "0.000001"},
		{NS_PER_MS * 5 / 2, "0.0025"},
		{NS_PER_S, "1"},
		{NS_PER_S * 60 + 100 * NS_PER_MS, "60.1"},
		{SCENE_WALL + 123456789, "1760000000.123456789"},
		{-NS_PER_S / 2, "-0.5"},
		{INT64_MIN, "-9223372036.854775808"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
		struct buf out = {0};
		struct promtext text = {.out = &out};
		char expected[64];

		promtext_family(&text, "a", "gauge", "");
		promtext_sample(&text, "");
		promtext_seconds(&text, table[i].ns);
		snprintf(expected, sizeof expected, "\na %s\n", table[i].text);
		assert_non_null(strstr(buf_text(&out), expected));
		buf_release(&out);
	}
}

static void a_family_without_a_sample_leaves_no_trace(void **state)
{
	struct buf out = {0};
	struct promtext text = {.out = &out};

	(void)state;
	promtext_family(&text, "a", "gauge", "");
	promtext_family(&text, "b", "gauge", "");
	promtext_sample(&text, "");
	promtext_count(&text, 1);
	assert_string_equal(buf_text(&out), "# HELP b \n# TYPE b gauge\nb 1\n");
	buf_release(&out);
}

/* The rules of the format, over a whole text. */
struct reading {
	char family[80], type[16];
	char seen[64][80]; /* families */
	size_t families;
	char **series; /* owned */
	size_t n;
};

static void read_head(struct reading *r, const char *line, size_t len)
{
	char name[80], word[16] = "";

	assert_true(len < 400);
	if (sscanf(line, "# HELP %79s", name) == 1) {
		for (size_t i = 0; i < r->families; i++)
			assert_string_not_equal(r->seen[i], name);
		snprintf(r->seen[r->families++], sizeof r->seen[0], "%s", name);
		snprintf(r->family, sizeof r->family, "%s", name);
		r->type[0] = '\0';
	} else {
		assert_int_equal(sscanf(line, "# TYPE %79s %15s", name, word), 2);
		assert_string_equal(name, r->family);
		assert_string_equal(r->type, "");
		snprintf(r->type, sizeof r->type, "%s", word);
	}
}

static void read_sample(struct reading *r, const char *line, size_t len)
{
	const char *space = memrchr(line, ' ', len);
	char *copy = strndup(line, (size_t)(space - line)), *end;

	/* HELP and TYPE were before it, and nothing of another family in between. */
	assert_string_not_equal(r->type, "");
	assert_int_equal(strncmp(copy, r->family, strlen(r->family)), 0);
	assert_true(isfinite(strtod(space + 1, &end)));
	assert_ptr_equal(end, line + len);
	/* A time behind the value would leave a value at the end of this. */
	assert_true(copy[strlen(copy) - 1] == '}' || !strchr(copy, ' '));
	if (strcmp(r->type, "counter") == 0)
		assert_non_null(strstr(copy, "_total"));
	r->series = realloc(r->series, (r->n + 1) * sizeof *r->series);
	r->series[r->n++] = copy;
}

static int compare_texts(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static void check_form(const char *text)
{
	struct reading r = {0};

	while (*text) {
		size_t len = strcspn(text, "\n");

		assert_int_equal(text[len], '\n');
		assert_true(text_is_clean(text, len));
		if (*text == '#')
			read_head(&r, text, len);
		else
			read_sample(&r, text, len);
		text += len + 1;
	}
	qsort(r.series, r.n, sizeof *r.series, compare_texts);
	for (size_t i = 1; i < r.n; i++)
		assert_string_not_equal(r.series[i - 1], r.series[i]);
	for (size_t i = 0; i < r.n; i++)
		free(r.series[i]);
	free(r.series);
	assert_true(r.families > 10);
}

static void hostile_names_stay_in_their_labels(void **state)
{
	static const char *const raw[] = {"a\"b.lock", "a\\b.lock", "a\nb.lock", "a\\nb.lock",
		"\xd8\xa7\xe2\x80\xae"
		"evil.lock",
		"\xff\xfe.lock", "\xe6\x97\xa5\xe6\x9c\xac.lock", "} 1.lock", "# HELP x.lock",
		"{a=\"b\"}.lock", "\x1b[31m.lock"};
	struct site *site = *state;
	const char *text;

	for (size_t i = 0; i < sizeof raw / sizeof *raw; i++) {
		char *clean = text_clean_dup(raw[i], strlen(raw[i]));

		put(site, clean, i % 2 ? 4711 : 0, LIFE_GONE);
		log_line(site, METRIC_ACQUIRED, "file:/run/lock", clean, NS_PER_MS, -1);
		free(clean);
	}
	scene_scanned(&site->scene, 0);
	text = text_of(site);
	check_form(text);
	assert_line(text, "locktop_lock_held" LABELS("a\\\"b.lock") "} 0");
	assert_line(text, "locktop_lock_held" LABELS("a\\\\\\\\b.lock") "} 1");
	assert_line(text, "locktop_lock_held" LABELS("a\\\\nb.lock") "} 0");
	assert_line(text, "locktop_lock_held" LABELS("a\\\\\\\\nb.lock") "} 1");
	assert_line(text, "locktop_lock_acquisitions_total" LABELS("a\\\\nb.lock") "} 1");
	assert_line(text, "locktop_locks_left_out 0");
}

static void each_state_is_one_of_seven(void **state)
{
	static const char *const words[] = {
		"free", "held", "overdue", "stale", "expired", "unknown", "corrupt"};
	struct site *site = *state;
	struct lock *lock;
	const char *text;
	char line[200];

	put(site, "free.lock", 0, LIFE_UNKNOWN);
	put(site, "held.lock", 1, LIFE_ALIVE);
	put(site, "stale.lock", 2, LIFE_GONE);
	lock = scene_lock(&site->scene, "overdue.lock", 3, LIFE_ALIVE, 3600);
	lock->path = strdup("/run/lock/overdue.lock");
	scene_put(&site->scene, 0, lock);
	lock = file_lock(site, "unknown.lock", 4, LIFE_UNKNOWN);
	lock->host_is = RELATION_OTHER;
	scene_put(&site->scene, 0, lock);
	lock = file_lock(site, "corrupt.lock", 0, LIFE_UNKNOWN);
	lock->record.format = RECORD_CORRUPT;
	lock->written = SCENE_WALL - 60 * NS_PER_S;
	scene_put(&site->scene, 0, lock);
	lock = scene_lock(&site->scene, "expired.lock", 5, LIFE_UNKNOWN, 7200);
	lock->path = strdup("/run/lock/expired.lock");
	scene_put(&site->scene, 0, lock);
	scene_scanned(&site->scene, 0);
	text = text_of(site);
	check_form(text);
	for (int i = 0; i < 7; i++) {
		for (int k = 0; k < 7; k++) {
			snprintf(line, sizeof line,
				"locktop_lock_state{lock=\"%s.lock\",source=\"file:/run/lock\","
				"backend=\"file\",state=\"%s\"} %d",
				words[i], words[k], i == k);
			assert_line(text, line);
		}
		snprintf(line, sizeof line, "locktop_locks{state=\"%s\"} 1", words[i]);
		assert_line(text, line);
		snprintf(line, sizeof line,
			"locktop_lock_held{lock=\"%s.lock\",source=\"file:/run/lock\","
			"backend=\"file\"} %d",
			words[i], i != 0);
		assert_line(text, line);
	}
	assert_line(text, "locktop_lock_holder_alive" LABELS("held.lock") "} 1");
	assert_line(text, "locktop_lock_holder_alive" LABELS("stale.lock") "} 0");
	assert_no(text, "locktop_lock_holder_alive" LABELS("unknown.lock"));
	assert_no(text, "locktop_lock_holder_alive" LABELS("free.lock"));
	assert_no(text, "locktop_lock_acquired_timestamp_seconds" LABELS("free.lock"));
	assert_line(
		text, "locktop_lock_acquired_timestamp_seconds" LABELS("held.lock") "} 1759999940");
	assert_line(text, "locktop_lock_limit_seconds" LABELS("held.lock") "} 600");
	assert_line(text, "locktop_last_run_timestamp_seconds 1760000000");
	assert_line(text, "locktop_build_info{version=\"0.1\"} 1");
	/* Nobody's number and name is in it. */
	assert_no(text, "deploy");
	assert_no(text, "pid");
	assert_no(text, "php");
}

static void leases_and_queues_are_shown(void **state)
{
	struct site *site = *state;
	struct lock *lock = file_lock(site, "a.lock", 1, LIFE_ALIVE);
	const char *text;

	lock->expires = SCENE_WALL + 90 * NS_PER_S;
	assert_non_null(lock_add_waiter(lock));
	assert_non_null(lock_add_waiter(lock));
	scene_put(&site->scene, 0, lock);
	scene_scanned(&site->scene, 0);
	text = text_of(site);
	assert_line(text, "locktop_lock_expires_timestamp_seconds" LABELS("a.lock") "} 1760000090");
	assert_line(text, "locktop_lock_waiters" LABELS("a.lock") "} 2");
}

static void of_a_source_that_does_not_answer_only_that_is_said(void **state)
{
	struct site *site = *state;
	const char *text;

	assert_int_equal(model_add_source(&site->scene.model, "/srv/locks"), 1);
	assert_int_equal(model_add_source(&site->scene.model, "ssh:web2:/run/lock"), 2);
	put(site, "a.lock", 0, LIFE_UNKNOWN);
	scene_scanned(&site->scene, 0);
	scene_put(&site->scene, 1, scene_lock(&site->scene, "half.lock", 7, LIFE_GONE, 5));
	text = text_of(site);
	check_form(text);
	assert_line(text, "locktop_source_up{source=\"file:/run/lock\"} 1");
	assert_line(text, "locktop_source_up{source=\"file:/srv/locks\"} 0");
	assert_line(text, "locktop_source_up{source=\"ssh:web2:file:/run/lock\"} 0");
	assert_no(text, "half.lock");
	assert_line(text, "locktop_locks{state=\"stale\"} 0");
}

static void a_lock_that_is_in_two_sources_is_one(void **state)
{
	struct site *site = *state;
	const char *text;

	assert_int_equal(model_add_source(&site->scene.model, "/run/lock/a.lock"), 1);
	assert_int_equal(model_add_source(&site->scene.model, "/run/lock/a.lock"), 2);
	for (size_t i = 0; i < 3; i++) {
		scene_put(&site->scene, i, file_lock(site, "a.lock", 4711, LIFE_GONE));
		scene_scanned(&site->scene, i);
	}
	log_line(site, METRIC_ACQUIRED, "/run/lock", "a.lock", NS_PER_MS, -1);
	log_line(site, METRIC_ACQUIRED, "file:/run/lock", "a.lock", NS_PER_MS, -1);
	log_line(site, METRIC_ACQUIRED, "file:///run/lock/", "a.lock", NS_PER_MS, -1);
	text = text_of(site);
	check_form(text);
	assert_line(text, "locktop_locks{state=\"stale\"} 1");
	assert_line(text, "locktop_lock_acquisitions_total" LABELS("a.lock") "} 3");
	assert_no(text, "(others)");
}

static void the_log_may_call_the_place_by_another_scheme(void **state)
{
	struct site *site = *state;
	const char *text;

	put(site, "a.lock", 1, LIFE_ALIVE);
	scene_scanned(&site->scene, 0);
	log_line(site, METRIC_ACQUIRED, "flock:/run/lock", "a.lock", NS_PER_MS, -1);
	text = text_of(site);
	check_form(text);
	assert_line(text, "locktop_lock_acquisitions_total" LABELS("a.lock") "} 1");
	assert_no(text, "flock:");
}

/* A source of another host may say what it likes, but not so that Prometheus refuses it all. */
static void two_locks_that_claim_one_name_are_one(void **state)
{
	struct site *site = *state;
	struct lock *liar = scene_lock(&site->scene, "b.lock", 4711, LIFE_GONE, 60);

	liar->path = strdup("/run/lock/a.lock");
	assert_int_equal(model_add_source(&site->scene.model, "/run/lock/b.lock"), 1);
	scene_put(&site->scene, 0, liar);
	scene_scanned(&site->scene, 0);
	scene_put(&site->scene, 1, file_lock(site, "b.lock", 0, LIFE_UNKNOWN));
	scene_scanned(&site->scene, 1);
	check_form(text_of(site));
}

static void a_bound_counts_what_is_at_most_that(void **state)
{
	struct site *site = *state;
	const char *text;

	log_line(site, METRIC_ACQUIRED, "file:/run/lock", "a.lock", NS_PER_MS, -1);
	log_line(site, METRIC_ACQUIRED, "file:/run/lock", "a.lock", NS_PER_MS + 1000, -1);
	log_line(site, METRIC_ACQUIRED, "file:/run/lock", "a.lock", 10 * NS_PER_MS, -1);
	log_line(site, METRIC_ACQUIRED, "file:/run/lock", "a.lock", 3601 * NS_PER_S, -1);
	log_line(site, METRIC_RELEASED, "file:/run/lock", "a.lock", -1, 600 * NS_PER_S);
	text = text_of(site);
	check_form(text);
#define WAIT "locktop_lock_wait_seconds"
	assert_line(text, WAIT "_bucket" LABELS("a.lock") ",le=\"0.001\"} 1");
	assert_line(text, WAIT "_bucket" LABELS("a.lock") ",le=\"0.0025\"} 2");
	assert_line(text, WAIT "_bucket" LABELS("a.lock") ",le=\"0.005\"} 2");
	assert_line(text, WAIT "_bucket" LABELS("a.lock") ",le=\"0.01\"} 3");
	assert_line(text, WAIT "_bucket" LABELS("a.lock") ",le=\"3600\"} 3");
	assert_line(text, WAIT "_bucket" LABELS("a.lock") ",le=\"+Inf\"} 4");
	assert_line(text, WAIT "_sum" LABELS("a.lock") "} 3601.012001");
	assert_line(text, WAIT "_count" LABELS("a.lock") "} 4");
	assert_line(text,
		"locktop_lock_wait_quantile_seconds" LABELS("a.lock") ",quantile=\"1\"} 3601");
	assert_line(text, "locktop_lock_hold_seconds_bucket" LABELS("a.lock") ",le=\"300\"} 0");
	assert_line(text, "locktop_lock_hold_seconds_bucket" LABELS("a.lock") ",le=\"600\"} 1");
	assert_line(text, "locktop_lock_slow_total" LABELS("a.lock") "} 1");
	assert_line(text, "locktop_log_lines_total 5");
}

static void a_lock_file_has_zeros_before_the_log_names_it(void **state)
{
	struct site *site = *state;
	struct lock *pid_file = file_lock(site, "sshd.pid", 9, LIFE_ALIVE);
	const char *text;

	pid_file->record.format = RECORD_PID;
	scene_put(&site->scene, 0, pid_file);
	put(site, "a.lock", 0, LIFE_UNKNOWN);
	scene_scanned(&site->scene, 0);
	text = text_of(site);
	check_form(text);
	assert_line(text, "locktop_lock_failures_total" LABELS("a.lock") ",reason=\"busy\"} 0");
	assert_line(text, "locktop_lock_wait_seconds_bucket" LABELS("a.lock") ",le=\"+Inf\"} 0");
	assert_no(text, "locktop_lock_wait_quantile_seconds");
	assert_no(text, "locktop_lock_acquisitions_total" LABELS("sshd.pid"));
	site->has_log = false;
	text = text_of(site);
	assert_no(text, "_total");
	assert_line(text, "locktop_lock_held" LABELS("a.lock") "} 0");
}

static void of_too_many_the_harmful_ones_are_kept_and_the_rest_is_summed(void **state)
{
	struct site *site = *state;
	const char *text;

	put(site, "a.lock", 0, LIFE_UNKNOWN);
	put(site, "b.lock", 1, LIFE_ALIVE);
	put(site, "z.lock", 2, LIFE_GONE);
	scene_scanned(&site->scene, 0);
	for (int i = 0; i < 3; i++)
		log_line(site, METRIC_ACQUIRED, "file:/run/lock", "a.lock", NS_PER_MS, -1);
	log_line(site, METRIC_ACQUIRED, "file:/run/lock", "z.lock", 2 * NS_PER_S, -1);
	log_line(site, METRIC_ACQUIRED, "redis://h/0", "c", 20 * NS_PER_S, -1);
	site->locks_max = 2;
	text = text_of(site);
	check_form(text);
#define REST "{lock=\"(others)\",source=\"(others)\",backend=\"(others)\""
	assert_line(text, "locktop_lock_held" LABELS("z.lock") "} 1");
	assert_line(text, "locktop_lock_held" LABELS("b.lock") "} 1");
	assert_no(text, "a.lock");
	assert_line(text, "locktop_locks{state=\"free\"} 1");
	assert_line(text, "locktop_locks_left_out 2");
	assert_line(text, "locktop_lock_acquisitions_total" LABELS("z.lock") "} 1");
	assert_line(text, "locktop_lock_acquisitions_total" REST "} 4");
	assert_line(text, "locktop_lock_slow_total" REST "} 1");
	assert_line(text, "locktop_lock_wait_seconds_bucket" REST ",le=\"0.001\"} 3");
	assert_line(text, "locktop_lock_wait_seconds_bucket" REST ",le=\"10\"} 3");
	assert_line(text, "locktop_lock_wait_seconds_bucket" REST ",le=\"30\"} 4");
	assert_line(text, "locktop_lock_wait_seconds_sum" REST "} 20.003");
	site->locks_max = 0;
	text = text_of(site);
	check_form(text);
	assert_line(text, "locktop_lock_acquisitions_total" REST "} 5");
	assert_line(text, "locktop_locks_left_out 4");
	assert_no(text, "locktop_lock_state{");
}

static void only_the_log_knows_it(void **state)
{
	struct site *site = *state;
	const char *text;

	log_line(site, METRIC_TIMEOUT, "redis://h:6379/0", "generation", NS_PER_S, -1);
	text = text_of(site);
	check_form(text);
	assert_line(text, "locktop_lock_failures_total{lock=\"generation\",source="
			  "\"redis://h:6379/0\",backend=\"file\",reason=\"timeout\"} 1");
	assert_no(text, "locktop_lock_held");
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(values_of_labels_are_escaped),
		cmocka_unit_test(seconds_lose_nothing),
		cmocka_unit_test(a_family_without_a_sample_leaves_no_trace),
		CASE(hostile_names_stay_in_their_labels),
		CASE(each_state_is_one_of_seven),
		CASE(leases_and_queues_are_shown),
		CASE(of_a_source_that_does_not_answer_only_that_is_said),
		CASE(a_lock_that_is_in_two_sources_is_one),
		CASE(the_log_may_call_the_place_by_another_scheme),
		CASE(two_locks_that_claim_one_name_are_one),
		CASE(a_bound_counts_what_is_at_most_that),
		CASE(a_lock_file_has_zeros_before_the_log_names_it),
		CASE(of_too_many_the_harmful_ones_are_kept_and_the_rest_is_summed),
		CASE(only_the_log_knows_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

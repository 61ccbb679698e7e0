#include "config.h"

#include "lock_place.h"

static const struct backend *find(const char *text, struct error *err)
{
	const struct backend *found;
	struct uri uri;

	assert_int_equal(uri_parse(&uri, text, err), 0);
	found = backend_for(&uri, err);
	uri_release(&uri);
	return found;
}

static void a_scheme_finds_its_backend(void **state)
{
	(void)state;
	assert_ptr_equal(find("file:/run/lock", NULL), &backend_file);
	assert_ptr_equal(find("/run/lock", NULL), &backend_file);
	assert_ptr_equal(find("kernel:", NULL), &backend_kernel);
	assert_ptr_equal(find("log:/x/*.jsonl", NULL), &backend_log);
	assert_ptr_equal(find("replay:night.jsonl", NULL), &backend_replay);
}

static void an_unknown_scheme_says_what_there_is(void **state)
{
	struct error err = {0};

	(void)state;
	assert_null(find("foo:/run/lock", &err));
	assert_int_equal(err.code, -EINVAL);
	assert_string_equal(err.text, "no backend 'foo', there are file, kernel, log, replay");
}

static void every_backend_can_do_what_the_engine_calls(void **state)
{
	(void)state;
	for (size_t i = 0; backends[i]; i++) {
		const struct backend *backend = backends[i];

		assert_non_null(backend->scheme);
		assert_non_null(backend->help);
		assert_non_null(backend->params);
		assert_non_null(backend->open);
		assert_non_null(backend->close);
		assert_non_null(backend->scan);
		assert_non_null(backend->look);
		assert_true(!backend->hint_fd == !backend->hint);
		/* Who cannot release says why. */
		assert_true(!backend->release == !!backend->no_release);
	}
}

static void a_parameter_that_nobody_knows_is_refused(void **state)
{
	static const char *const uris[] = {"file:/tmp?x=1", "kernel:?x=1", "replay:/tmp/a?x=1",
		"log:", "log://h/x", "log:/x?a=b", "log:/x?rotated=1", "log:/x?window=0",
		"log:/x?window=long", "file:", "kernel:/tmp", "replay:", "replay:/tmp/a?speed=fast",
		"replay:/tmp/a?speed=0", "replay:/tmp/a?speed=nan", "replay:/tmp/a?speed=1e9"};
	struct place_test *place = new_place();

	(void)state;
	for (size_t i = 0; i < sizeof uris / sizeof *uris; i++) {
		struct uri uri;

		place->err = (struct error){0};
		if (uri_parse(&uri, uris[i], &place->err) == 0) {
			uri_release(&uri);
			assert_int_equal(try_open(place, uris[i]), -EINVAL);
			place->state = NULL;
		}
		assert_true(place->err.text[0]);
	}
	free_place(place);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_scheme_finds_its_backend),
		cmocka_unit_test(an_unknown_scheme_says_what_there_is),
		cmocka_unit_test(every_backend_can_do_what_the_engine_calls),
		cmocka_unit_test(a_parameter_that_nobody_knows_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

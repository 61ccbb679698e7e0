/* Addresses: what is understood, what is refused, and that no refusal repeats a password. */
#include "config.h"
#include "base/uri.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "base/error.h"
#include "base/text.h"

/* The parts in one line: scheme|user|host|port|path|name=value|… */
static const char *parts(char *line, size_t size, const char *text)
{
	struct error err;
	struct uri uri;
	size_t i, len;

	if (uri_parse(&uri, text, &err))
		fail_msg("%s: %s", text, err.text);
	assert_string_equal(uri.text, text);
	len = (size_t)snprintf(line, size, "%s|%s|%s|%d|%s", uri.scheme, uri.user ? uri.user : "-",
		uri.host ? uri.host : "-", uri.port, uri.path);
	for (i = 0; i < uri.params; i++)
		len += (size_t)snprintf(
			line + len, size - len, "|%s=%s", uri.param[i].name, uri.param[i].value);
	uri_release(&uri);
	assert_null(uri.text);
	return line;
}

static void assert_parts(const char *text, const char *expected)
{
	char line[1024];

	assert_string_equal(parts(line, sizeof line, text), expected);
}

/* Refused, with a sentence that has these words. */
static void assert_refused(const char *text, const char *words)
{
	struct uri uri = {.port = 77};
	struct error err = {0};

	if (uri_parse(&uri, text, &err) != -EINVAL)
		fail_msg("'%s' was not refused", text);
	assert_int_equal(uri.port, 77);
	assert_int_equal(err.code, -EINVAL);
	if (!strstr(err.text, words))
		fail_msg("'%s': '%s' does not say '%s'", text, err.text, words);
	assert_int_equal(uri_parse(&uri, text, NULL), -EINVAL);
}

static void a_bare_path_means_file_and_is_literal(void **state)
{
	(void)state;
	assert_parts("/run/lock", "file|-|-|0|/run/lock");
	assert_parts("/a?b=c&d%20:e#f", "file|-|-|0|/a?b=c&d%20:e#f");
	assert_parts("./a:b?c", "file|-|-|0|./a:b?c");
	assert_parts("../lock", "file|-|-|0|../lock");
	assert_parts(".", "file|-|-|0|.");
	assert_parts("locks", "file|-|-|0|locks");
	assert_parts("run/lock:1", "file|-|-|0|run/lock:1");
	assert_parts("100%?", "file|-|-|0|100%?");
	assert_parts("1:2", "file|-|-|0|1:2");
	assert_parts(":x", "file|-|-|0|:x");
	assert_parts("//host/share", "file|-|-|0|//host/share");
}

static void a_file_address_may_be_relative_or_have_three_slashes(void **state)
{
	(void)state;
	assert_parts("file:relative/x", "file|-|-|0|relative/x");
	assert_parts("file:/abs", "file|-|-|0|/abs");
	assert_parts("file:///abs", "file|-|-|0|/abs");
	assert_parts("file://localhost/abs", "file|-|-|0|/abs");
	assert_parts("FILE:/Abs", "file|-|-|0|/Abs");
	assert_parts("file:/run/lock?glob=*.lock", "file|-|-|0|/run/lock|glob=*.lock");
	assert_parts("file:/a#b", "file|-|-|0|/a#b");
	assert_parts("replay:/tmp/night.jsonl", "replay|-|-|0|/tmp/night.jsonl");
	assert_parts("wordpress:/var/www/html", "wordpress|-|-|0|/var/www/html");
	assert_parts("kernel:", "kernel|-|-|0|");
}

static void a_path_of_this_machine_has_no_other_host(void **state)
{
	(void)state;
	assert_refused("file://web1/x", "has no host");
	assert_refused("file://root@localhost/x", "has no host");
	assert_refused("file://localhost:80/x", "has no host");
	assert_refused("replay://x", "has no host");
	assert_refused("file:", "needs a path");
	assert_refused("file:?glob=x", "needs a path");
	assert_refused("replay:", "needs a path");
	assert_refused("wordpress://localhost", "needs a path");
}

static void escapes_are_decoded_behind_a_scheme(void **state)
{
	(void)state;
	assert_parts("file:/a%20b%3Fc%25", "file|-|-|0|/a b?c%");
	assert_parts("file:/x?a%3D=%26+%3d", "file|-|-|0|/x|a==&+=");
	assert_parts("x://u%40v@h%2dx/", "x|u@v|h-x|0|/");
	assert_refused("file:/%", "%25");
	assert_refused("file:/%4", "%25");
	assert_refused("file:/%4g", "%25");
	assert_refused("file:/%g4", "%25");
	assert_refused("file:/x?a=%", "%25");
	assert_refused("file:/a%00b", "%00");
}

static void a_server_has_user_host_port_and_path(void **state)
{
	(void)state;
	assert_parts(
		"redis://user@host:6379/0?prefix=lock:", "redis|user|host|6379|/0|prefix=lock:");
	assert_parts("redis://host", "redis|-|host|0|");
	assert_parts("redis://host?a=b", "redis|-|host|0||a=b");
	assert_parts("redis://host:/", "redis|-|host|0|/");
	assert_parts("redis://@host/", "redis|-|host|0|/");
	assert_parts("redis:///run/redis.sock", "redis|-|-|0|/run/redis.sock");
	assert_parts("mysql://a@b@h/d", "mysql|a@b|h|0|/d");
	assert_parts("redis://[::1]:6379/0", "redis|-|::1|6379|/0");
	assert_parts("redis://[fe80::1%25eth0]/0", "redis|-|fe80::1%eth0|0|/0");
	assert_parts("x+y-1.z://h:65535", "x+y-1.z|-|h|65535|");
}

static void a_wrong_server_is_refused(void **state)
{
	(void)state;
	assert_refused("redis://h:0/", "from 1 to 65535");
	assert_refused("redis://h:65536/", "from 1 to 65535");
	assert_refused("redis://h:99999999999999999999/", "from 1 to 65535");
	assert_refused("redis://h:-1/", "from 1 to 65535");
	assert_refused("redis://h:x/", "from 1 to 65535");
	assert_refused("redis://::1/", "from 1 to 65535");
	assert_refused("redis://[::1]x/", "from 1 to 65535");
	assert_refused("redis://[::1/", "has no ]");
	assert_refused("redis://:6379/", "without a host");
	assert_refused("redis://a b/", "no name of a host");
	assert_refused("redis://a%0ab/", "no name of a host");
	assert_refused("redis://a%2fb/", "no name of a host");
}

static void parameters_are_names_and_values(void **state)
{
	char text[600] = "a:?";
	struct error err;
	struct uri uri;
	int i;

	(void)state;
	assert_parts("a:?b", "a|-|-|0||b=");
	assert_parts("a:?b=", "a|-|-|0||b=");
	assert_parts("a:?b=c=d?e", "a|-|-|0||b=c=d?e");
	assert_parts("a:?&b=1&&c=2&", "a|-|-|0||b=1|c=2");
	assert_parts("a:?", "a|-|-|0|");
	assert_refused("a:?=1", "without a name");
	assert_refused("a:?x=1&x=2", "twice");
	assert_refused("a:?x=1&%78", "twice");
	for (i = 0; i < URI_PARAMS; i++)
		sprintf(text + strlen(text), "p%d=%d&", i, i);
	assert_int_equal(uri_parse(&uri, text, &err), 0);
	assert_int_equal(uri.params, URI_PARAMS);
	assert_string_equal(uri_param(&uri, "p15"), "15");
	assert_null(uri_param(&uri, "p16"));
	uri_release(&uri);
	strcat(text, "one=more");
	assert_refused(text, "more than 16");
}

static void a_password_is_refused_and_never_repeated(void **state)
{
	static const char *const secret[] = {"redis://:s3cret@h/0", "redis://u:s3cret@h/0",
		"mysql://u:s3cret@h", "mysql://u:@h/s3cret", "mysql://u:p@s3cret@h/",
		"mysql://u:s3cret%@h/", "mysql://u%3As3cret@h/", "mysql://u:s3cret/x@h/",
		"mysql://u@h/?password=s3cret", "mysql://u@h/?PassWd=s3cret", "x:?pass=s3cret",
		"x:?%70wd=s3cret", "ssh:web1:mysql://u:s3cret@h/", "ssh:u:s3cret@web1:file:/x",
		"mysql://u:s3cret?@h/", "ssh:u@h:x:?pass=s3cret"};
	struct error err;
	struct uri uri;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof secret / sizeof *secret; i++) {
		if (uri_parse(&uri, secret[i], &err) != -EINVAL)
			fail_msg("'%s' was not refused", secret[i]);
		if (strstr(err.text, "s3cret"))
			fail_msg("%s", err.text);
	}
	assert_refused("redis://:s3cret@h/0", "no passwords");
	assert_refused("mysql://u@h/?password=s3cret", "no passwords");
	assert_refused("ssh:web1:mysql://u:s3cret@h/", "no passwords");
}

static void ssh_has_a_host_and_an_address_there(void **state)
{
	(void)state;
	assert_parts("ssh:web1:file:/run/lock", "ssh|-|web1|0|file:/run/lock");
	assert_parts("ssh:web1:file:/a%20b?glob=%2A", "ssh|-|web1|0|file:/a%20b?glob=%2A");
	assert_parts("ssh:web1:/run/lock", "ssh|-|web1|0|/run/lock");
	assert_parts("ssh:root@web-1.example_x:kernel:", "ssh|-|root@web-1.example_x|0|kernel:");
	assert_parts("ssh:[::1]:kernel:", "ssh|-|::1|0|kernel:");
	assert_parts("ssh:u@[fe80::1%eth0]:kernel:", "ssh|-|u@fe80::1%eth0|0|kernel:");
	assert_parts("SSH:h:redis://h:6379/0", "ssh|-|h|0|redis://h:6379/0");
}

static void what_ssh_would_take_for_an_option_is_no_host(void **state)
{
	(void)state;
	assert_refused("ssh:-oProxyCommand=sh:file:/x", "expected ssh:HOST:URI");
	assert_refused("ssh:-v:file:/x", "expected ssh:HOST:URI");
	assert_refused("ssh:[-v]:file:/x", "expected ssh:HOST:URI");
	assert_refused("ssh:u@-v:file:/x", "expected ssh:HOST:URI");
	assert_refused("ssh:-u@h:file:/x", "expected ssh:HOST:URI");
	assert_refused("ssh:u@[-v]:file:/x", "expected ssh:HOST:URI");
}

static void a_strange_ssh_host_is_refused(void **state)
{
	char text[400] = "ssh:";

	(void)state;
	assert_refused("ssh:", "expected ssh:HOST:URI");
	assert_refused("ssh:web1", "expected ssh:HOST:URI");
	assert_refused("ssh:web1:", "expected ssh:HOST:URI");
	assert_refused("ssh::file:/x", "expected ssh:HOST:URI");
	assert_refused("ssh://web1/x", "expected ssh:HOST:URI");
	assert_refused("ssh:web1:relative", "expected ssh:HOST:URI");
	assert_refused("ssh:@web1:file:/x", "expected ssh:HOST:URI");
	assert_refused("ssh:a@b@c:file:/x", "expected ssh:HOST:URI");
	assert_refused("ssh:a b:file:/x", "expected ssh:HOST:URI");
	assert_refused("ssh:a;b:file:/x", "expected ssh:HOST:URI");
	assert_refused("ssh:$(a):file:/x", "expected ssh:HOST:URI");
	assert_refused("ssh:a%h:file:/x", "expected ssh:HOST:URI");
	assert_refused("ssh:a\nb:file:/x", "expected ssh:HOST:URI");
	assert_refused("ssh:[]:file:/x", "expected ssh:HOST:URI");
	assert_refused("ssh:[::1:file:/x", "expected ssh:HOST:URI");
	assert_refused("ssh:[::1]x:file:/x", "expected ssh:HOST:URI");
	assert_refused("ssh:a[b]:file:/x", "expected ssh:HOST:URI");
	assert_refused("ssh:h\xc3\xa4:file:/x", "expected ssh:HOST:URI");
	memset(text + 4, 'h', 256);
	strcpy(text + 260, ":kernel:");
	assert_refused(text, "expected ssh:HOST:URI");
}

static void the_address_behind_ssh_is_checked_here_already(void **state)
{
	(void)state;
	assert_refused("ssh:web1:file:", "file: needs a path");
	assert_refused("ssh:web1:file:/%", "%25");
	assert_refused("ssh:a:ssh:b:/x", "ProxyJump");
	assert_refused("ssh:a:SSH:b:/x", "ProxyJump");
}

static void nothing_is_no_address(void **state)
{
	(void)state;
	assert_refused("", "expected a path");
}

static void a_refusal_is_safe_to_print(void **state)
{
	struct error err;
	struct uri uri;

	(void)state;
	assert_int_equal(uri_parse(&uri, "a:?%1b=1&\x1b=2", &err), -EINVAL);
	assert_string_equal(err.text, "a: parameter '\\x1b' is given twice");
}

static void unknown_parameters_are_named(void **state)
{
	static const char *const none[] = {NULL};
	static const char *const one[] = {"glob", NULL};
	static const char *const three[] = {"glob", "depth", "x", NULL};
	struct error err;
	struct uri uri;

	(void)state;
	assert_int_equal(uri_parse(&uri, "file:/x?x=1&glbo=*", &err), 0);
	assert_int_equal(uri_only(&uri, three, &err), -EINVAL);
	assert_string_equal(err.text, "file: knows no parameter 'glbo', expected glob, depth or x");
	assert_int_equal(uri_only(&uri, one, &err), -EINVAL);
	assert_string_equal(err.text, "file: knows no parameter 'x', expected glob");
	assert_int_equal(uri_only(&uri, none, &err), -EINVAL);
	assert_string_equal(err.text, "file: knows no parameter 'x'");
	uri_release(&uri);
	assert_int_equal(uri_parse(&uri, "file:/x?x=1&glob=*", &err), 0);
	assert_int_equal(uri_only(&uri, three, &err), 0);
	uri_release(&uri);
	assert_int_equal(uri_parse(&uri, "kernel:", &err), 0);
	assert_int_equal(uri_only(&uri, none, &err), 0);
	uri_release(&uri);
}

/* Whatever comes: parsed or refused with a clean sentence, no crash, no leak. */
static void random_addresses_do_no_harm(void **state)
{
	static const char *const piece[] = {"file:", "ssh:", "kernel:", "x://", "/", "?", "&", "=",
		"%", "%41", "%00", "@", ":", "[", "]", "-", "a", "1", "65535", "::", "\x1b", "\xff",
		"h"};
	char text[256];
	struct error err;
	struct uri uri;
	int turn, n, result;

	(void)state;
	srand(11);
	for (turn = 0; turn < 200000; turn++) {
		*text = '\0';
		for (n = rand() % 12; n > 0; n--)
			strcat(text, piece[(size_t)rand() % (sizeof piece / sizeof *piece)]);
		result = uri_parse(&uri, text, &err);
		if (result) {
			assert_int_equal(result, -EINVAL);
			assert_true(text_is_clean(err.text, strlen(err.text)));
			continue;
		}
		assert_non_null(uri.path);
		assert_true(uri.params <= URI_PARAMS);
		if (strcmp(uri.scheme, "ssh") == 0)
			assert_true(*uri.host != '-' && *uri.host);
		uri_release(&uri);
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_bare_path_means_file_and_is_literal),
		cmocka_unit_test(a_file_address_may_be_relative_or_have_three_slashes),
		cmocka_unit_test(a_path_of_this_machine_has_no_other_host),
		cmocka_unit_test(escapes_are_decoded_behind_a_scheme),
		cmocka_unit_test(a_server_has_user_host_port_and_path),
		cmocka_unit_test(a_wrong_server_is_refused),
		cmocka_unit_test(parameters_are_names_and_values),
		cmocka_unit_test(a_password_is_refused_and_never_repeated),
		cmocka_unit_test(ssh_has_a_host_and_an_address_there),
		cmocka_unit_test(what_ssh_would_take_for_an_option_is_no_host),
		cmocka_unit_test(a_strange_ssh_host_is_refused),
		cmocka_unit_test(the_address_behind_ssh_is_checked_here_already),
		cmocka_unit_test(nothing_is_no_address),
		cmocka_unit_test(a_refusal_is_safe_to_print),
		cmocka_unit_test(unknown_parameters_are_named),
		cmocka_unit_test(random_addresses_do_no_harm),
	};

	return cmocka_run_group_tests_name("uri", tests, NULL, NULL);
}

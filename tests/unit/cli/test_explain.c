#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#include <jansson.h>

#include "proxy/cli/command.h"

static const char policy[] =
	"users: {groups: {devs: [dev1]}, sources: {10.1.2.3: dev1}}\n"
	"categories:\n"
	" code: {hosts: [code.test/assistant]}\n"
	"ssl-rules:\n"
	"- {name: 'off', enabled: false, action: block}\n"
	"- {name: code, match: {categories: [code], groups: [devs]},\n"
	"   action: inspect, untrusted: pass-through}\n"
	"- {name: named, match: {hosts: [192.0.2.7]}, action: inspect,\n"
	"   block-no-sni: true}\n"
	"- {name: bank, match: {hosts: [bank.test]}, action: do-not-inspect,\n"
	"   url-policies: bypass}\n"
	"- {name: rest, action: do-not-inspect}\n"
	"url-rules:\n"
	"- {name: no assistant, match: {categories: [code]}, action: block}\n"
	"- {name: afar, match: {hosts: [afar.test]}, action: isolate,\n"
	"   isolate: 'https://iso.test/?{url}'}\n";

/* run_it runs the command on policy and keeps what it says. */
static int run_it(const char *const *args, char *out, size_t size)
{
	char path[] = "/tmp/sallyport-explain.XXXXXX", option[64], *argv[16];
	FILE *caught = tmpfile();
	int fd = mkstemp(path), code, before, argc = 0;
	size_t len;

	assert_true(fd >= 0 && caught);
	dprintf(fd, "%s", policy);
	close(fd);
	snprintf(option, sizeof(option), "-c%s", path);
	for (; args[argc]; argc++)
		argv[argc] = strdup(args[argc]);
	argv[argc] = option;
	fflush(NULL);
	before = dup(1);
	dup2(fileno(caught), 1);
	code = command_explain.run(&command_explain, argc + 1, argv);
	fflush(NULL);
	dup2(before, 1);
	close(before);
	rewind(caught);
	len = fread(out, 1, size - 1, caught);
	out[len] = '\0';
	fclose(caught);
	unlink(path);
	while (argc > 0)
		free(argv[--argc]);
	return code;
}

#define ARGS(...) (const char *const[]){__VA_ARGS__, NULL}

/* assert_decided: the last line, and a part of what is before it. */
static void assert_decided(const char *const *args, const char *decision,
	const char *part)
{
	char out[8192], *last;

	assert_int_equal(run_it(args, out, sizeof(out)), EXIT_DONE);
	assert_true(strlen(out) > 1);
	out[strlen(out) - 1] = '\0';
	last = strrchr(out, '\n');
	assert_non_null(last);
	assert_string_equal(last + 1, decision);
	if (!strstr(out, part))
		fail_msg("there is no \"%s\" in: %s", part, out);
}

static void the_last_line_is_the_decision(void **state)
{
	(void)state;
	assert_decided(ARGS("code.test", "--user", "dev1"),
		"decision: inspect by code", "is shown with a certificate");
	assert_decided(ARGS("code.test/assistant", "--user", "dev1"),
		"decision: block by no assistant", "  1 off (");
	assert_decided(ARGS("code.test/assistant", "--from", "10.1.2.3"),
		"decision: block by no assistant", "dev1, by users.sources,");
	assert_decided(ARGS("code.test/assistant"),
		"decision: do-not-inspect by rest", "nobody sees into");
	assert_decided(ARGS("https://bank.test/x"),
		"decision: do-not-inspect by bank", "not asked, since the SSL "
		"rule bypasses");
	assert_decided(ARGS("https://afar.test/x"),
		"decision: block by afar", "isolate is block");
	assert_decided(ARGS("http://afar.test/x"),
		"decision: isolate by afar", "sent on to https://iso.test/");
	assert_decided(ARGS("http://other.test/x"),
		"decision: allow by default", "default: no rule matched");
}

static void a_client_that_asks_for_an_address_names_no_host(void **state)
{
	(void)state;
	assert_decided(ARGS("https://192.0.2.7/"),
		"decision: block by named", "since the client names no host");
	assert_decided(ARGS("https://192.0.2.7/", "--user", "x", "--method",
			       "HEAD"),
		"decision: block by named", "URL rules: not asked, since the "
		"SSL rule blocks");
}

static void a_certificate_that_is_blocked_ends_it(void **state)
{
	(void)state;
	assert_decided(ARGS("https://192.0.2.7/", "--sni", "named.test",
			       "--certificate", "expired"),
		"decision: block by named", "the SSL rule blocks that "
		"certificate");
	assert_decided(ARGS("code.test", "--user", "dev1", "--certificate",
			       "expired"),
		"decision: inspect by code", "  default: no rule matched");
}

static void the_strictest_of_several_ways_counts(void **state)
{
	(void)state;
	assert_decided(ARGS("code.test//assistant", "--user", "dev1"),
		"decision: block by no assistant", "  > code.test/assistant: "
		"block by no assistant\n");
	assert_decided(ARGS("bank.test", "--sni", "code.test", "--user",
			       "dev1"),
		"decision: inspect by code", "CONNECT says bank.test, the SNI "
		"code.test");
}

static json_t *json_of(const char *const *args)
{
	char out[8192];
	json_t *object;

	assert_int_equal(run_it(args, out, sizeof(out)), EXIT_DONE);
	object = json_loads(out, 0, NULL);
	assert_non_null(object);
	return object;
}

static void json_has_both_passes(void **state)
{
	json_t *object = json_of(ARGS("code.test/assistant", "--user", "dev1",
		"--json"));
	const char *url, *outcome, *rule, *action, *untrusted, *policies, *file;
	const char *http_rule, *http_action, *http_file;
	json_t *tried, *http_tried;
	int line, http_line;

	(void)state;
	assert_int_equal(json_unpack(object, "{s:s, s:s, s:{s:s, s:s, s:s, "
		"s:s, s:s, s:i, s:o}, s:{s:s, s:s, s:s, s:i, s:o}}",
		"url", &url, "outcome", &outcome,
		"ssl", "rule", &rule, "action", &action, "untrusted",
		&untrusted, "url_policies", &policies, "file", &file, "line",
		&line, "tried", &tried,
		"http", "rule", &http_rule, "action", &http_action, "file",
		&http_file, "line", &http_line, "tried", &http_tried), 0);
	assert_string_equal(url, "https://code.test/assistant");
	assert_string_equal(outcome, "block");
	assert_string_equal(rule, "code");
	assert_string_equal(action, "inspect");
	assert_string_equal(untrusted, "pass-through");
	assert_string_equal(policies, "evaluate");
	assert_int_equal(line, 6);
	assert_int_equal(json_array_size(tried), 2);
	assert_true(json_is_false(json_object_get(json_array_get(tried, 0),
		"matched")));
	assert_true(json_is_string(json_object_get(json_array_get(tried, 0),
		"because")));
	assert_true(json_is_true(json_object_get(json_array_get(tried, 1),
		"matched")));
	assert_string_equal(http_rule, "no assistant");
	assert_string_equal(http_action, "block");
	assert_string_equal(http_file, file);
	assert_int_equal(http_line, 14);
	assert_int_equal(json_array_size(http_tried), 1);
	json_decref(object);
}

static void json_says_null_of_what_there_is_not(void **state)
{
	json_t *object = json_of(ARGS("http://other.test", "--json"));
	json_t *http = json_object_get(object, "http");

	(void)state;
	assert_true(json_is_null(json_object_get(object, "ssl")));
	assert_true(json_is_null(json_object_get(object, "user")));
	assert_true(json_is_null(json_object_get(http, "file")));
	assert_true(json_is_null(json_object_get(http, "line")));
	json_decref(object);
	object = json_of(ARGS("bank.test", "--json", "--user", "\xff"));
	assert_true(json_is_null(json_object_get(object, "http")));
	assert_string_equal(json_string_value(json_object_get(object, "user")),
		"?");
	json_decref(object);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_last_line_is_the_decision),
		cmocka_unit_test(
			a_client_that_asks_for_an_address_names_no_host),
		cmocka_unit_test(a_certificate_that_is_blocked_ends_it),
		cmocka_unit_test(the_strictest_of_several_ways_counts),
		cmocka_unit_test(json_has_both_passes),
		cmocka_unit_test(json_says_null_of_what_there_is_not),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

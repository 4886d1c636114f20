/* test_start_line.c - the parts; what is refused test_h1_in shows. */

#include "tests/unit/http/http_test.h"

#include <stdio.h>

#include "proxy/http/start_line.h"

static void test_request(void **state)
{
	struct start_line line;
	const char *why = NULL;

	(void)state;
	assert_int_equal(
		start_line_request(BYTES("GET /a?b HTTP/1.0"), &line, &why),
		H1_OK);
	assert_slice(line.method, "GET");
	assert_slice(line.rest, "/a?b");
	assert_int_equal(line.minor, 0);
	assert_int_equal(
		start_line_request(BYTES("GET"), &line, &why), H1_BAD_SYNTAX);
	assert_int_equal(
		start_line_request(BYTES(""), &line, &why), H1_BAD_SYNTAX);
	assert_int_equal(
		start_line_request(BYTES("GET / HTTP/1.3"), &line, &why),
		H1_BAD_VERSION);
	assert_true(strlen(why) > 0);
}

/* Every method of HTTP that llhttp reads, none of RTSP's. */
static void test_methods(void **state)
{
	static const char *const known[] = {
		"CONNECT",
		"DELETE",
		"GET",
		"HEAD",
		"M-SEARCH",
		"OPTIONS",
		"PATCH",
		"POST",
		"PROPFIND",
		"PURGE",
		"PUT",
		"TRACE",
		"UNLINK",
	};
	static const char *const unknown[] = {
		"PRI",
		"PLAY",
		"SETUP",
		"GET_PARAMETER",
		"MSEARCH",
		"get",
		"G",
		"GETT",
		"_",
	};
	char text[100];
	const char *why;
	struct start_line line;

	(void)state;
	for (size_t i = 0; i < COUNT(known); i++) {
		snprintf(text, sizeof text, "%s * HTTP/1.1", known[i]);
		assert_int_equal(
			start_line_request(text_of(text), &line, &why), H1_OK);
	}
	for (size_t i = 0; i < COUNT(unknown); i++) {
		snprintf(text, sizeof text, "%s * HTTP/1.1", unknown[i]);
		assert_int_equal(start_line_request(text_of(text), &line, &why),
			H1_UNKNOWN_METHOD);
	}
}

static void test_response(void **state)
{
	struct start_line line;
	const char *why;

	(void)state;
	assert_int_equal(
		start_line_response(BYTES("HTTP/1.1 599 A  b"), &line, &why),
		H1_OK);
	assert_int_equal(line.status, 599);
	assert_int_equal(line.minor, 1);
	assert_slice(line.rest, "A  b");
	assert_int_equal(
		start_line_response(BYTES("HTTP/1.0 200 "), &line, &why),
		H1_OK);
	assert_slice(line.rest, "");
	assert_int_equal(
		start_line_response(BYTES("HTTP/1.0 200"), &line, &why), H1_OK);
	assert_slice(line.rest, "");
	assert_int_equal(start_line_response(BYTES("HTTP/1.0"), &line, &why),
		H1_BAD_SYNTAX);
	assert_int_equal(
		start_line_response(BYTES(""), &line, &why), H1_BAD_SYNTAX);
}

/* What may not begin so may not be a line either: an answer must not depend on
 * how much of the line was there when it was asked for. */
static void test_begin(void **state)
{
	static const char *const lines[] = {
		"GET / HTTP/1.1",
		"G(T / HTTP/1.1",
		" GET / HTTP/1.1",
		"GET",
		"FOO / HTTP/9.9",
		"\x16\x03",
		"G\xe4T / HTTP/1.1",
	};

	(void)state;
	for (size_t i = 0; i < COUNT(lines); i++) {
		struct slice line = text_of(lines[i]);
		struct start_line start;
		const char *why;
		enum h1_error error = start_line_request(line, &start, &why);

		for (struct slice s = {line.at, 1}; s.len <= line.len; s.len++)
			if (!start_line_may_begin(H1_REQUEST, s))
				assert_int_equal(error, H1_BAD_SYNTAX);
	}
	assert_true(start_line_may_begin(H1_REQUEST, BYTES("FOO /\x01")));
	assert_false(start_line_may_begin(H1_REQUEST, BYTES("FO\x01")));
	assert_true(start_line_may_begin(H1_RESPONSE, BYTES("HT")));
	assert_true(start_line_may_begin(H1_RESPONSE, BYTES("HTTP/x")));
	assert_false(start_line_may_begin(H1_RESPONSE, BYTES("HTX")));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_request),
		cmocka_unit_test(test_methods),
		cmocka_unit_test(test_response),
		cmocka_unit_test(test_begin),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

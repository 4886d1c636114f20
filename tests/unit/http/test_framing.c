/* test_framing.c - heads that no parser made; the rest test_h1_in shows. */

#include "tests/unit/http/http_test.h"

#include <stdio.h>

#include "proxy/http/framing.h"

static enum h1_error request(const char *method, unsigned minor,
	const char *fields, struct framing *out)
{
	struct head *head = head_new();
	const char *why = NULL;
	enum h1_error error;

	head_set_request(head, text_of(method), BYTES("/"), minor);
	add_fields(head, fields);
	error = framing_of_request(head, out, &why);
	assert_non_null(why);
	head_free(head);
	return error;
}

static enum h1_error response(
	unsigned status, bool to_head, const char *fields, struct framing *out)
{
	struct head *head = head_new();
	const char *why = NULL;
	enum h1_error error;

	head_set_response(head, status, BYTES(""), 1);
	add_fields(head, fields);
	error = framing_of_response(head, to_head, out, &why);
	assert_non_null(why);
	head_free(head);
	return error;
}

static void test_requests(void **state)
{
	struct framing f;

	(void)state;
	assert_int_equal(request("GET", 1, "Host: a", &f), H1_OK);
	assert_int_equal(f.kind, H1_NO_BODY);
	assert_true(f.keep_alive);
	assert_int_equal(request("POST", 0, "Content-Length: 12", &f), H1_OK);
	assert_int_equal(f.kind, H1_LENGTH);
	assert_int_equal(f.length, 12);
	assert_false(f.keep_alive);
	assert_int_equal(request("POST", 1,
				 "Host: a\n"
				 "Transfer-Encoding: CHUNKED",
				 &f),
		H1_OK);
	assert_int_equal(f.kind, H1_CHUNKED);
	assert_int_equal(request("GET", 1, "Host: a b", &f), H1_BAD_SYNTAX);
	assert_int_equal(request("GET", 1, "Host: a\nContent-Length: \xb2", &f),
		H1_BAD_FRAMING);
}

/* Each is refused here already, whatever llhttp thinks of it. */
static void test_ambiguous(void **state)
{
	static const struct {
		const char *fields;
		enum h1_error error;
	} cases[] = {
		{"Content-Length: 5\nContent-Length: 5", H1_BAD_FRAMING},
		{"Content-Length: 5\nContent-Length: 6", H1_BAD_FRAMING},
		{"Content-Length: 5, 5", H1_BAD_FRAMING},
		{"Content-Length: ", H1_BAD_FRAMING},
		{"Content-Length: -1", H1_BAD_FRAMING},
		{"Content-Length: 9223372036854775808", H1_BAD_FRAMING},
		{"Content-Length: 5\nTransfer-Encoding: chunked",
			H1_BAD_FRAMING},
		{"Transfer-Encoding: chunked\nTransfer-Encoding: chunked",
			H1_BAD_FRAMING},
		{"Transfer-Encoding: chunked, chunked", H1_BAD_FRAMING},
		{"Transfer-Encoding: chunked, gzip", H1_BAD_FRAMING},
		{"Transfer-Encoding: chunked\x0b", H1_BAD_FRAMING},
		{"Transfer-Encoding: ", H1_BAD_FRAMING},
		{"Transfer-Encoding: gzip, chunked", H1_UNKNOWN_CODING},
		{"Transfer-Encoding: xchunked", H1_UNKNOWN_CODING},
	};
	struct framing f;
	char fields[200];

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		snprintf(fields, sizeof fields, "Host: a\n%s", cases[i].fields);
		assert_int_equal(
			request("POST", 1, fields, &f), cases[i].error);
		assert_int_equal(response(200, false, cases[i].fields, &f),
			cases[i].error);
		assert_int_equal(response(204, true, cases[i].fields, &f),
			cases[i].error);
	}
}

/* Where no body follows, a length may stand but not be wrong. */
static void test_responses(void **state)
{
	struct framing f;

	(void)state;
	assert_int_equal(response(200, false, "", &f), H1_OK);
	assert_int_equal(f.kind, H1_UNTIL_CLOSE);
	assert_false(f.keep_alive);
	assert_int_equal(response(200, true, "Content-Length: 5", &f), H1_OK);
	assert_int_equal(f.kind, H1_NO_BODY);
	assert_int_equal(f.length, 0);
	assert_true(f.keep_alive);
	assert_int_equal(response(304, false, "Content-Length: 5", &f), H1_OK);
	assert_int_equal(f.kind, H1_NO_BODY);
	assert_true(f.keep_alive);
	assert_int_equal(response(103, false, "Content-Length: 5", &f), H1_OK);
	assert_int_equal(f.kind, H1_NO_BODY);
	assert_false(f.keep_alive);
	assert_int_equal(response(304, false,
				 "Content-Length: 5\n"
				 "Transfer-Encoding: chunked",
				 &f),
		H1_BAD_FRAMING);
	assert_int_equal(response(205, false, "Content-Length: 0", &f), H1_OK);
	assert_int_equal(f.kind, H1_LENGTH);
}

static void test_trailers(void **state)
{
	struct head *head = head_new();
	const char *why;

	(void)state;
	add_fields(head, "Host: a");
	assert_int_equal(framing_of_trailers(head, &why), H1_OK);
	add_fields(head, "content-length: 1");
	assert_int_equal(framing_of_trailers(head, &why), H1_BAD_FRAMING);
	head_free(head);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_requests),
		cmocka_unit_test(test_ambiguous),
		cmocka_unit_test(test_responses),
		cmocka_unit_test(test_trailers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* test_h1_out.c */

#include "tests/unit/http/http_test.h"

#include "proxy/http/h1_out.h"

static void expect_head(const struct head *head, enum h1_framing framing,
	uint64_t length, bool keep_length, const char *expected)
{
	UT_string out;

	utstring_init(&out);
	utstring_bincpy(&out, "before ", 7);
	h1_out_head(&out, head, framing, length, keep_length);
	assert_memory_equal(utstring_body(&out), "before ", 7);
	assert_string_equal(utstring_body(&out) + 7, expected);
	utstring_done(&out);
}

static void test_request(void **state)
{
	struct head *head = head_new();

	(void)state;
	head_set_request(head, BYTES("POST"), BYTES("/x?y"), 0);
	add_fields(head,
		"hOst: a\nContent-Length: 7\nEmpty: \n"
		"TRANSFER-ENCODING: gzip");
	expect_head(head, H1_NO_BODY, 0, false,
		"POST /x?y HTTP/1.1\r\nhOst: a\r\nEmpty: \r\n\r\n");
	expect_head(head, H1_LENGTH, 18446744073709551615u, false,
		"POST /x?y HTTP/1.1\r\nhOst: a\r\nEmpty: \r\n"
		"Content-Length: 18446744073709551615\r\n\r\n");
	expect_head(head, H1_CHUNKED, 0, true,
		"POST /x?y HTTP/1.1\r\nhOst: a\r\nEmpty: \r\n"
		"Transfer-Encoding: chunked\r\n\r\n");
	head_free(head);
}

static void test_response(void **state)
{
	struct head *head = head_new();

	(void)state;
	head_set_response(head, 304, BYTES(""), 1);
	add_fields(head, "Content-Length: 7\nA: b");
	expect_head(head, H1_NO_BODY, 0, true,
		"HTTP/1.1 304 \r\nContent-Length: 7\r\nA: b\r\n\r\n");
	expect_head(
		head, H1_NO_BODY, 0, false, "HTTP/1.1 304 \r\nA: b\r\n\r\n");
	head_set_response(head, 200, BYTES("All right"), 0);
	expect_head(head, H1_UNTIL_CLOSE, 0, true,
		"HTTP/1.1 200 All right\r\nA: b\r\n\r\n");
	head_free(head);
}

static void test_chunks(void **state)
{
	struct head *trailers = head_new();
	UT_string out;

	(void)state;
	utstring_init(&out);
	h1_out_chunk_size(&out, 1);
	h1_out_chunk_size(&out, 0xffffffffffffffffu);
	assert_string_equal(utstring_body(&out), "1\r\nffffffffffffffff\r\n");
	utstring_clear(&out);
	h1_out_last_chunk(&out, NULL);
	assert_string_equal(utstring_body(&out), "0\r\n\r\n");
	utstring_clear(&out);
	add_fields(trailers, "A: b\nContent-Length: 1");
	h1_out_last_chunk(&out, trailers);
	assert_string_equal(utstring_body(&out), "0\r\nA: b\r\n\r\n");
	utstring_done(&out);
	head_free(trailers);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_request),
		cmocka_unit_test(test_response),
		cmocka_unit_test(test_chunks),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

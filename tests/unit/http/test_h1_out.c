/* test_h1_out.c */

#include "tests/unit/http/http_test.h"

#include <stdlib.h>

#include "proxy/http/h1_out.h"

static void expect_head(const struct head *head, enum h1_framing framing,
	uint64_t length, bool keep_length, const char *expected)
{
	size_t room = h1_out_head_room(head), len;
	char *out = malloc(room + 1);

	assert_non_null(out);
	memset(out, '#', room + 1);
	len = h1_out_head(out, head, framing, length, keep_length);
	assert_in_range(len, 1, room);
	assert_int_equal(out[len], '#');
	out[len] = '\0';
	assert_string_equal(out, expected);
	free(out);
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
	char out[200];

	(void)state;
	assert_int_equal(h1_out_chunk_size(out, 1), 3);
	assert_memory_equal(out, "1\r\n", 3);
	assert_int_equal(h1_out_chunk_size(out, UINT64_MAX),
		H1_CHUNK_SIZE_ROOM);
	assert_memory_equal(out, "ffffffffffffffff\r\n", 18);
	assert_true(h1_out_last_chunk_room(NULL) >= 5);
	assert_int_equal(h1_out_last_chunk(out, NULL), 5);
	assert_memory_equal(out, "0\r\n\r\n", 5);
	add_fields(trailers, "A: b\nContent-Length: 1");
	assert_true(h1_out_last_chunk_room(trailers) <= sizeof(out));
	assert_int_equal(h1_out_last_chunk(out, trailers), 11);
	assert_memory_equal(out, "0\r\nA: b\r\n\r\n", 11);
	head_free(trailers);
}

/* The longest that each part can be still has room. */
static void test_room(void **state)
{
	struct head *head = head_new();

	(void)state;
	head_set_response(head, 999, BYTES(""), 1);
	expect_head(head, H1_LENGTH, UINT64_MAX, false,
		"HTTP/1.1 999 \r\nContent-Length: 18446744073709551615\r\n"
		"\r\n");
	head_free(head);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_request),
		cmocka_unit_test(test_response),
		cmocka_unit_test(test_chunks),
		cmocka_unit_test(test_room),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

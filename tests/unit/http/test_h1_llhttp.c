/* test_h1_llhttp.c - llhttp must find every end at the last byte. */

#include "tests/unit/http/http_test.h"

#include "proxy/http/h1_llhttp.h"
#include "proxy/http/message_private.h"

/* A head as h1_in would have gathered it. */
static bool read_head(struct h1_llhttp *l, struct head *head, const char *text)
{
	struct span all = head_append(head, text, strlen(text));
	const char *space = strchr(text, ' '), *rest = strchr(space + 1, ' ');

	assert_int_equal(all.at, 0);
	head->method = (struct span){0, (uint32_t)(space - text)};
	head->rest = (struct span){
		head->method.len + 1, (uint32_t)(rest - space - 1)};
	return h1_llhttp_head(l, head);
}

static void expect_error(const char *text, enum h1_error error)
{
	struct h1_llhttp l;
	struct head head = {0};

	h1_llhttp_init(&l, H1_REQUEST);
	assert_false(read_head(&l, &head, text));
	assert_int_equal(l.error, error);
	assert_non_null(l.why);
	head_reset(&head);
}

static void test_head(void **state)
{
	struct h1_llhttp l;
	struct head head = {0};
	char text[100];

	(void)state;
	h1_llhttp_init(&l, H1_REQUEST);
	assert_true(read_head(
		&l, &head, "GET /\xe4\xf6 HTTP/1.1\r\nA:  b \r\nC:\r\n\r\n"));
	assert_string_equal(fields_of(&head, text, sizeof text), "A=b,C=");
	head_reset(&head);
	h1_llhttp_reset(&l);
	assert_true(read_head(&l, &head, "GET / HTTP/1.0\r\n\r\n"));
	head_reset(&head);
}

static void test_disagreement(void **state)
{
	(void)state;
	expect_error("GET / HTTP/1.1\r\n\r\nA: b\r\n\r\n", H1_BAD_SYNTAX);
	expect_error("GET / HTTP/1.1\r\nA: b\r\n", H1_BAD_SYNTAX);
	expect_error("GET / HTTP/1.1\r\n: b\r\n\r\n", H1_BAD_SYNTAX);
	expect_error(
		"GET / HTTP/1.1\r\nContent-Length: x\r\n\r\n", H1_BAD_FRAMING);
}

static void test_chunks(void **state)
{
	struct h1_llhttp l;
	struct head head = {0}, trailers = {0};
	uint64_t size = 0;
	char text[100];

	(void)state;
	h1_llhttp_init(&l, H1_REQUEST);
	assert_true(read_head(&l, &head,
		"POST / HTTP/1.1\r\n"
		"Transfer-Encoding: chunked\r\n\r\n"));
	assert_true(h1_llhttp_chunked(&l));
	assert_true(h1_llhttp_size(&l, "0", 1));
	assert_true(h1_llhttp_size(&l, "A", 1));
	assert_true(h1_llhttp_size_end(&l, &size));
	assert_int_equal(size, 10);
	assert_true(h1_llhttp_data(&l, "012", 3));
	assert_true(h1_llhttp_data(&l, "3456789", 7));
	assert_true(h1_llhttp_data_end(&l));
	assert_true(h1_llhttp_size(&l, "0", 1));
	assert_true(h1_llhttp_size_end(&l, &size));
	assert_int_equal(size, 0);
	head_append(&trailers, "T: u\r\n\r\n", 8);
	assert_true(h1_llhttp_trailers(&l, &trailers));
	assert_string_equal(fields_of(&trailers, text, sizeof text), "T=u");
	head_reset(&head);
	head_reset(&trailers);
}

static void test_too_much_data(void **state)
{
	struct h1_llhttp l;
	struct head head = {0};
	uint64_t size;

	(void)state;
	h1_llhttp_init(&l, H1_REQUEST);
	assert_true(read_head(&l, &head,
		"POST / HTTP/1.1\r\n"
		"Transfer-Encoding: chunked\r\n\r\n"));
	assert_true(h1_llhttp_chunked(&l));
	assert_true(h1_llhttp_size(&l, "2", 1));
	assert_true(h1_llhttp_size_end(&l, &size));
	assert_false(h1_llhttp_data(&l, "01\r\n", 4));
	assert_int_equal(l.error, H1_BAD_FRAMING);
	head_reset(&head);
}

static void test_not_chunked(void **state)
{
	struct h1_llhttp l;
	struct head head = {0};

	(void)state;
	h1_llhttp_init(&l, H1_REQUEST);
	assert_true(read_head(&l, &head, "POST / HTTP/1.1\r\n\r\n"));
	assert_false(h1_llhttp_chunked(&l));
	assert_int_equal(l.error, H1_BAD_FRAMING);
	head_reset(&head);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_head),
		cmocka_unit_test(test_disagreement),
		cmocka_unit_test(test_chunks),
		cmocka_unit_test(test_too_much_data),
		cmocka_unit_test(test_not_chunked),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

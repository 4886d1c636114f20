/* test_message.c */

#include "tests/unit/http/http_test.h"

#include "proxy/http/message_private.h"

static void test_slices(void **state)
{
	struct slice list = BYTES(" ,a,\t b c ,,d"), element;

	(void)state;
	assert_true(slice_is(BYTES("ab"), "ab"));
	assert_false(slice_is(BYTES("ab"), "aB"));
	assert_false(slice_is(BYTES("ab"), "abc"));
	assert_true(slice_is((struct slice){NULL, 0}, ""));
	assert_true(slice_is_nocase(BYTES("aB-1"), "Ab-1"));
	assert_false(slice_is_nocase(BYTES("a["), "a{"));
	assert_false(slice_is_nocase(BYTES("\xc4"), "\xe4"));
	assert_true(slice_has_prefix_nocase(BYTES("PROXY-x"), "proxy-"));
	assert_false(slice_has_prefix_nocase(BYTES("PROXY"), "proxy-"));
	assert_true(slice_is_token(BYTES("M-SEARCH!#$%&'*+.^_`|~09az")));
	assert_false(slice_is_token(BYTES("")));
	assert_false(slice_is_token(BYTES("a b")));
	assert_false(slice_is_token(BYTES("a\0")));
	assert_false(slice_is_token(BYTES("a\x80")));
	assert_slice(slice_trim(BYTES(" \t a b\t ")), "a b");
	assert_slice(slice_trim(BYTES(" \t ")), "");
	assert_true(slice_next_element(&list, &element));
	assert_slice(element, "a");
	assert_true(slice_next_element(&list, &element));
	assert_slice(element, "b c");
	assert_true(slice_next_element(&list, &element));
	assert_slice(element, "d");
	assert_false(slice_next_element(&list, &element));
}

static void test_empty(void **state)
{
	struct head *head = head_new(), *copy = head_copy(head);

	(void)state;
	assert_slice(head_method(head), "");
	assert_slice(head_target(copy), "");
	assert_int_equal(head_num_fields(copy), 0);
	assert_null(head_get(head, "a").at);
	assert_int_equal(head_remove(head, "a"), 0);
	head_clear(head);
	head_free(head);
	head_free(copy);
	head_free(NULL);
}

static void test_request(void **state)
{
	struct head *head = head_new();

	(void)state;
	head_set_request(head, BYTES("GET"), BYTES("/x"), 1);
	assert_slice(head_method(head), "GET");
	assert_slice(head_target(head), "/x");
	assert_int_equal(head_minor(head), 1);
	assert_int_equal(head_status(head), 0);
	head_set_response(head, 404, BYTES("Not Found"), 0);
	assert_slice(head_method(head), "");
	assert_slice(head_reason(head), "Not Found");
	assert_int_equal(head_status(head), 404);
	assert_int_equal(head_minor(head), 0);
	head_free(head);
}

static void test_fields(void **state)
{
	struct head *head = head_new();
	struct slice name, value;
	char text[200];

	(void)state;
	head_add_text(head, "Via", "1");
	head_add_text(head, "Empty", "");
	head_add_text(head, "VIA", "2");
	head_add_text(head, "Host", "a");
	assert_int_equal(head_num_fields(head), 4);
	assert_int_equal(head_count(head, "via"), 2);
	assert_slice(head_get(head, "vIa"), "1");
	assert_non_null(head_get(head, "empty").at);
	assert_slice(head_get(head, "empty"), "");
	assert_null(head_get(head, "vi").at);
	head_field(head, 2, &name, &value);
	assert_slice(name, "VIA");
	assert_slice(value, "2");
	assert_int_equal(head_remove(head, "via"), 2);
	assert_string_equal(
		fields_of(head, text, sizeof text), "Empty=,Host=a");
	assert_int_equal(head_remove(head, "via"), 0);
	head_clear(head);
	assert_int_equal(head_num_fields(head), 0);
	assert_int_equal(head_size(head), 0);
	head_free(head);
}

static void test_tokens(void **state)
{
	struct head *head = head_new();

	(void)state;
	add_fields(head,
		"Connection: close, Foo\nX: upgrade\n"
		"connection: ,\tUpgrade ,x y");
	assert_true(head_has_token(head, "Connection", "CLOSE"));
	assert_true(head_has_token(head, "connection", "foo"));
	assert_true(head_has_token(head, "connection", "upgrade"));
	assert_false(head_has_token(head, "connection", "x"));
	assert_false(head_has_token(head, "connection", ""));
	assert_false(head_has_token(head, "connection", "clos"));
	assert_false(head_has_token(head, "te", "upgrade"));
	head_free(head);
}

/* What is added may come from the head itself, whose text moves as it grows. */
static void test_own_slices(void **state)
{
	struct head *head = head_new();
	struct slice name, value;

	(void)state;
	head_set_request(head, BYTES("OPTIONS"), BYTES("/somewhere"), 1);
	head_add_text(head, "A-Name", "a value");
	for (unsigned i = 0; i < 300; i++) {
		head_field(head, i, &name, &value);
		head_add(head, name, value);
		head_set_request(head, head_method(head), head_target(head), 1);
	}
	head_field(head, 300, &name, &value);
	assert_slice(name, "A-Name");
	assert_slice(value, "a value");
	assert_slice(head_method(head), "OPTIONS");
	assert_slice(head_target(head), "/somewhere");
	head_free(head);
}

static void test_copy(void **state)
{
	struct head *head = head_new(), *copy;
	char text[200];

	(void)state;
	head_set_response(head, 200, BYTES("OK"), 1);
	add_fields(head, "A: 1\nB: 2\nC: 3");
	head_remove(head, "b");
	copy = head_copy(head);
	head_clear(head);
	head_add_text(head, "XXXXXXX", "XXXXXXXX");
	assert_int_equal(head_status(copy), 200);
	assert_slice(head_reason(copy), "OK");
	assert_string_equal(fields_of(copy, text, sizeof text), "A=1,C=3");
	head_add_text(copy, "D", "4");
	assert_string_equal(fields_of(copy, text, sizeof text), "A=1,C=3,D=4");
	head_free(head);
	head_free(copy);
}

/* A head that was large gives its memory back when cleared, a small one keeps
 * it for the next message. */
static void test_memory(void **state)
{
	struct head head = {0};
	const char *text;

	(void)state;
	head_add_text(&head, "A", "b");
	text = head.text;
	head_clear(&head);
	assert_ptr_equal(head.text, text);
	for (unsigned i = 0; i < 100; i++)
		head_add_text(&head, "Some-Name", "some value");
	assert_true(head.room > 1024);
	head_clear(&head);
	assert_true(head.room + head.fields_room * sizeof *head.fields < 1024);
	head_reset(&head);
	assert_null(head.text);
	assert_null(head.fields);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_slices),
		cmocka_unit_test(test_empty),
		cmocka_unit_test(test_request),
		cmocka_unit_test(test_fields),
		cmocka_unit_test(test_tokens),
		cmocka_unit_test(test_own_slices),
		cmocka_unit_test(test_copy),
		cmocka_unit_test(test_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

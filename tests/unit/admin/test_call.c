#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "proxy/admin/call.h"

static struct api_request request;
static struct api_reply reply;
static struct api_world world;
static struct call call = {.request = &request, .reply = &reply,
	.world = &world};
static json_t *body;

static int set_up(void **state)
{
	(void)state;
	memset(&request, 0, sizeof(request));
	memset(&world, 0, sizeof(world));
	utstring_init(&reply.body);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	json_decref(body);
	body = NULL;
	api_reply_clear(&reply);
	return 0;
}

static void given(const char *text)
{
	json_decref(body);
	body = json_loads(text, 0, NULL);
	assert_non_null(body);
}

static void said(unsigned status, const char *text)
{
	assert_int_equal(reply.status, status);
	assert_string_equal(reply.body.d, text);
	assert_int_equal(reply.body.i, strlen(text));
	assert_string_equal(reply.content_type, "application/json");
}

static void fails_with_a_code(void **state)
{
	(void)state;
	call_fail(&call, FAULT_LOGIN, "a \"%s\" \xff", "b");
	said(401, "{\"code\":\"SESSION_NOT_VALID\",\"message\":\"a \\\"b\\\" "
		"\xef\xbf\xbd\"}");
	assert_true(reply.challenge);
	call_fail(&call, FAULT_DUPLICATE, "%s", "");
	said(400, "{\"code\":\"DUPLICATE_ITEM\",\"message\":\"It failed.\"}");
	assert_false(reply.challenge);
	call_fail(&call, FAULT_BUILT_IN, "x");
	said(403, "{\"code\":\"INVALID_INPUT_ARGUMENT\",\"message\":\"x\"}");
	call_fail(&call, FAULT_SIZE, "x");
	said(413, "{\"code\":\"PAYLOAD_TOO_LARGE\",\"message\":\"x\"}");
}

static void maps_outcomes(void **state)
{
	static const struct {
		enum life_outcome outcome;
		unsigned status;
		const char *code;
	} cases[] = {
		{LIFE_FAILED, 500, "UNEXPECTED_ERROR"},
		{LIFE_UNKNOWN, 404, "RESOURCE_NOT_FOUND"},
		{LIFE_REFUSED, 400, "INVALID_INPUT_ARGUMENT"},
		{LIFE_TAKEN, 400, "DUPLICATE_ITEM"},
		{LIFE_BUILT_IN, 403, "INVALID_INPUT_ARGUMENT"},
	};

	(void)state;
	assert_true(call_went(&call, LIFE_OK));
	assert_int_equal(reply.status, 0);
	snprintf(call.err, sizeof(call.err), "Why.");
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		char text[128];

		assert_false(call_went(&call, cases[i].outcome));
		snprintf(text, sizeof(text), "{\"code\":\"%s\",\"message\":"
			"\"Why.\"}", cases[i].code);
		said(cases[i].status, text);
	}
}

static void answers_with_nothing(void **state)
{
	(void)state;
	call_fail(&call, FAULT_INPUT, "x");
	call_nothing(&call, 204);
	assert_int_equal(reply.status, 204);
	assert_null(reply.content_type);
	assert_int_equal(reply.body.i, 0);
}

static void reads_numbers(void **state)
{
	static const char *const wrong[] = {"a", "d", "e", "f", "h", "i"};
	int64_t number = 5;

	(void)state;
	given("{\"a\":7,\"b\":\"0012\",\"c\":null,\"d\":\"7x\",\"e\":\"\","
		"\"f\":1.0,\"g\":9223372036854775807,\"h\":-1,"
		"\"i\":\"9999999999999999999\"}");
	assert_true(call_number(&call, body, "a", 0, 7, &number));
	assert_int_equal(number, 7);
	assert_true(call_number(&call, body, "b", 0, 12, &number));
	assert_int_equal(number, 12);
	assert_true(call_number(&call, body, "c", 0, 9, &number));
	assert_true(call_number(&call, body, "z", 0, 9, &number));
	assert_int_equal(number, 12);
	assert_true(call_number(&call, body, "g", 0, INT64_MAX, &number));
	assert_true(number == INT64_MAX);
	for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++)
		assert_false(call_number(&call, body, wrong[i], 0, 6,
			&number));
	assert_true(number == INT64_MAX);
	assert_false(call_number(&call, body, "i", 0, INT64_MAX, &number));
	assert_false(call_number(&call, body, "i", 0, 6, &number));
	said(400, "{\"code\":\"INVALID_INPUT_ARGUMENT\",\"message\":\"The "
		"field \\\"i\\\" must be a number from 0 to 6.\"}");
}

static void reads_text_and_flags(void **state)
{
	const char *text = "before";
	bool flag = true;

	(void)state;
	given("{\"a\":\"x\",\"b\":null,\"c\":4,\"d\":false,\"e\":\"true\"}");
	assert_true(call_text(&call, body, "b", &text));
	assert_true(call_text(&call, body, "z", &text));
	assert_string_equal(text, "before");
	assert_true(call_text(&call, body, "a", &text));
	assert_string_equal(text, "x");
	assert_false(call_text(&call, body, "c", &text));
	assert_true(call_flag(&call, body, "b", &flag) && flag);
	assert_true(call_flag(&call, body, "d", &flag) && !flag);
	assert_false(call_flag(&call, body, "e", &flag));
	assert_false(call_flag(&call, body, "c", &flag));
}

static void reads_queries(void **state)
{
	static const char query[] = "a=7&b=x%20y&c=&d=99&e&f=true&g=false&"
		"h=TRUE";
	int64_t number = 5;
	bool flag = false;
	char text[8];

	(void)state;
	request.query = (struct slice){query, sizeof(query) - 1};
	assert_true(call_query_number(&call, "a", 1, 9, &number));
	assert_int_equal(number, 7);
	assert_false(call_query_number(&call, "c", 1, 9, &number));
	assert_false(call_query_number(&call, "e", 1, 9, &number));
	assert_true(call_query_number(&call, "z", 1, 9, &number));
	assert_int_equal(number, 7);
	assert_false(call_query_number(&call, "b", 1, 9, &number));
	assert_false(call_query_number(&call, "d", 1, 9, &number));
	assert_true(call_query(&call, "b", text, sizeof(text)));
	assert_string_equal(text, "x y");
	assert_true(call_query(&call, "c", text, sizeof(text)));
	assert_string_equal(text, "");
	assert_true(call_query_flag(&call, "f", &flag) && flag);
	assert_true(call_query_flag(&call, "z", &flag) && flag);
	assert_false(call_query_flag(&call, "c", &flag));
	assert_false(call_query_flag(&call, "e", &flag));
	assert_false(call_query_flag(&call, "h", &flag));
	assert_true(call_query_flag(&call, "g", &flag) && !flag);
}

static int on_changed(void *arg, char *err, size_t err_size)
{
	snprintf(err, err_size, "no");
	return *(int *)arg;
}

static void takes_into_use(void **state)
{
	int result = 0;

	(void)state;
	assert_true(call_changed(&call));
	world.changed = on_changed;
	world.arg = &result;
	assert_true(call_changed(&call));
	result = -1;
	assert_false(call_changed(&call));
	said(500, "{\"code\":\"UNEXPECTED_ERROR\",\"message\":\"The change is "
		"stored, but not in use yet: no\"}");
}

static void names_downloads(void **state)
{
	struct der der = {(const uint8_t *)"abc", 3};
	char name[400];

	(void)state;
	call_pem(&call, "X", der, "a b-1.pem");
	assert_string_equal(reply.disposition,
		"attachment; filename=\"a b-1.pem\"");
	assert_string_equal(reply.content_type, "application/octet-stream");
	assert_string_equal(reply.body.d,
		"-----BEGIN X-----\nYWJj\n-----END X-----\n");
	call_pem(&call, "X", der, "a\"\r\n\\/%\x7f\xc3\xbc");
	assert_string_equal(reply.disposition,
		"attachment; filename=\"a_________\"");
	memset(name, 'a', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	call_pem(&call, "X", der, name);
	assert_int_equal(reply.disposition[strlen(reply.disposition) - 1],
		'"');
	/* what fails is no download */
	call_fail(&call, FAULT_INPUT, "x");
	assert_string_equal(reply.disposition, "");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(fails_with_a_code),
		TEST(maps_outcomes),
		TEST(answers_with_nothing),
		TEST(reads_numbers),
		TEST(reads_text_and_flags),
		TEST(reads_queries),
		TEST(takes_into_use),
		TEST(names_downloads),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

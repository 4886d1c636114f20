#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/unit/admin/api_test.h"

#define TOKENS BASE "/sallyport/tokens"

static int set_up(void **state)
{
	(void)state;
	start();
	as_root();
	return 0;
}

static bool is_hex(const char *text)
{
	return strlen(text) == 64 && strspn(text, "0123456789abcdef") == 64;
}

static void shows_secrets_once(void **state)
{
	(void)state;
	expect(ask("POST", TOKENS, "{\"name\":\"ci\"}"), 200);
	assert_int_equal(json_object_size(t.json), 3);
	assert_string_equal(text_at("name"), "ci");
	assert_string_equal(text_at("kind"), "bearer");
	assert_true(is_hex(text_at("token")));
	expect(ask("POST", TOKENS, "{\"name\":\"app\",\"kind\":\"oauth\","
		"\"client\":\"the \\\"app\\\"\"}"), 200);
	assert_int_equal(json_object_size(t.json), 4);
	assert_string_equal(text_at("clientId"), "the \"app\"");
	assert_true(is_hex(text_at("clientSecret")));
	expect(ask("POST", TOKENS, "{\"name\":\"ses\",\"kind\":\"session\","
		"\"readOnly\":true}"), 200);
	assert_int_equal(json_object_size(t.json), 5);
	assert_string_equal(text_at("username"), "ses");
	assert_true(is_hex(text_at("password")));
	assert_int_equal(strlen(text_at("apiKey")), 12);
	/* a list has none of them */
	expect(ask("GET", TOKENS, NULL), 200);
	assert_int_equal(json_array_size(t.json), 3);
	assert_null(strstr(body_of_reply(), "digest"));
	assert_null(strstr(body_of_reply(), "apiKey"));
	assert_string_equal(json_string_value(json_object_get(json_array_get(
		t.json, 0), "client")), "the \"app\"");
	assert_true(json_is_true(json_object_get(json_array_get(t.json, 2),
		"readOnly")));
	assert_true(json_is_false(json_object_get(json_array_get(t.json, 1),
		"readOnly")));
}

static void keeps_no_secret(void **state)
{
	char token[80];

	(void)state;
	expect(ask("POST", TOKENS, "{\"name\":\"ci\"}"), 200);
	snprintf(token, sizeof(token), "%s", text_at("token"));
	lab_run("! grep -c %s state/sallyport.db", token);
}

static void refuses_tokens(void **state)
{
	static const struct {
		const char *body, *code, *why;
	} cases[] = {
		{NULL, "INVALID_INPUT_ARGUMENT", "name is required"},
		{"{\"name\":\"\"}", "INVALID_INPUT_ARGUMENT", "name is req"},
		{"{\"name\":\"a\\nb\"}", "INVALID_INPUT_ARGUMENT", "control"},
		{"{\"name\":5}", "INVALID_INPUT_ARGUMENT", "must be text"},
		{"{\"name\":\"0123456789012345678901234567890123456789"
			"012345678901234567890123\"}",
			"INVALID_INPUT_ARGUMENT", "too long: at most 63"},
		{"{\"name\":\"a\",\"kind\":\"magic\"}",
			"INVALID_INPUT_ARGUMENT", "bearer, oauth or session"},
		{"{\"name\":\"a\",\"readOnly\":1}", "INVALID_INPUT_ARGUMENT",
			"true or false"},
		{"{\"name\":\"a\",\"kind\":\"oauth\",\"client\":\"\"}",
			"INVALID_INPUT_ARGUMENT", "client is required"},
		{"{\"name\":\"ci\"}", "DUPLICATE_ITEM", "the name \"ci\""},
		{"{\"name\":\"b\",\"kind\":\"oauth\",\"client\":\"app\"}",
			"DUPLICATE_ITEM", "the client \"app\""},
	};

	(void)state;
	expect(ask("POST", TOKENS, "{\"name\":\"ci\"}"), 200);
	expect(ask("POST", TOKENS, "{\"name\":\"app\",\"kind\":\"oauth\"}"),
		200);
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
		refused(ask("POST", TOKENS, cases[i].body), 400,
			cases[i].code, cases[i].why);
	/* the same client of another kind is another */
	expect(ask("POST", TOKENS, "{\"name\":\"s\",\"kind\":\"session\","
		"\"client\":\"app\"}"), 200);
	expect(ask("GET", TOKENS, NULL), 200);
	assert_int_equal(json_array_size(t.json), 3);
}

static void deletes_by_name(void **state)
{
	char header[128];

	(void)state;
	expect(ask("POST", TOKENS, "{\"name\":\"a b/\\u00fc%\"}"), 200);
	snprintf(header, sizeof(header), "Bearer %s", text_at("token"));
	as_nobody();
	t.request.authorization = of(header);
	expect(ask("GET", CAS, NULL), 200);
	as_root();
	expect(ask("DELETE", TOKENS "/a%20b%2F%C3%BC%25", NULL), 204);
	refused(ask("DELETE", TOKENS "/a%20b%2F%C3%BC%25", NULL), 404,
		"RESOURCE_NOT_FOUND", "no token \"a b/\xc3\xbc%\"");
	refused(ask("DELETE", TOKENS "/x%", NULL), 404, "RESOURCE_NOT_FOUND",
		"not well encoded");
	as_nobody();
	t.request.authorization = of(header);
	expect(ask("GET", CAS, NULL), 401);
}

static void tells_the_audit_trail(void **state)
{
	(void)state;
	expect(ask("POST", TOKENS, "{\"name\":\"app\",\"kind\":\"oauth\","
		"\"readOnly\":true,\"client\":\"x\"}"), 200);
	expect(ask("POST", TOKENS, "{\"name\":\"app\"}"), 400);
	expect(ask("DELETE", TOKENS "/app", NULL), 204);
	expect(ask("DELETE", TOKENS "/app", NULL), 404);
	expect(ask("GET", BASE "/sallyport/audit", NULL), 200);
	assert_int_equal(json_array_size(t.json), 2);
	assert_non_null(strstr(body_of_reply(), "\"who\":\"root (uid 0)\","
		"\"what\":\"token-create\",\"name\":\"app\",\"detail\":"
		"\"oauth, read-only, client x\""));
	assert_non_null(strstr(body_of_reply(), "\"who\":\"root (uid 0)\","
		"\"what\":\"token-delete\",\"name\":\"app\"}"));
}

static void says_what_failed(void **state)
{
	(void)state;
	lab_text("state/sallyport.db", "This is not a database at all.");
	refused(ask("GET", TOKENS, NULL), 500, "UNEXPECTED_ERROR",
		"not a database");
	refused(ask("POST", TOKENS, "{\"name\":\"a\"}"), 500,
		"UNEXPECTED_ERROR", "not a database");
	refused(ask("DELETE", TOKENS "/a", NULL), 500, "UNEXPECTED_ERROR",
		"not a database");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, stop_api)
	const struct CMUnitTest tests[] = {
		TEST(shows_secrets_once),
		TEST(keeps_no_secret),
		TEST(refuses_tokens),
		TEST(deletes_by_name),
		TEST(tells_the_audit_trail),
		TEST(says_what_failed),
	};

	return cmocka_run_group_tests(tests, NULL, end_lab);
}

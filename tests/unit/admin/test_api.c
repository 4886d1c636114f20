#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/unit/admin/api_test.h"

static void knows_its_paths(void **state)
{
	static const char *const mine[] = {"/api", "/api/", "/api/v1/x",
		"/zia", "/zia/api/v1", "/oauth2/v1/token", "/oauth2",
		"/metrics"};
	static const char *const others[] = {"", "/", "/ap", "/apiary",
		"/metric", "/metricss", "/ziaa/api", "/oauth2x", "/crl/1.crl", "api/v1"};

	(void)state;
	for (size_t i = 0; i < sizeof(mine) / sizeof(*mine); i++)
		assert_true(api_is_mine(of(mine[i])));
	for (size_t i = 0; i < sizeof(others) / sizeof(*others); i++)
		assert_false(api_is_mine(of(others[i])));
	assert_false(api_is_mine((struct slice){NULL, 0}));
}

static void answers_at_both_bases(void **state)
{
	static const char *const paths[] = {
		"/api/v1/intermediateCaCertificate",
		"/api/v1/intermediateCaCertificate/",
		"/zia/api/v1/intermediateCaCertificate",
		"/zia/api/v1/intermediateCaCertificate/",
		"/zia/api/v1/intermediateCaCertificate/?&pageSize=1000&page=1",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(paths) / sizeof(*paths); i++) {
		expect(ask("GET", paths[i], "{}"), 200);
		assert_true(json_is_array(t.json));
		assert_string_equal(t.reply.content_type, "application/json");
	}
}

static void asks_for_a_login(void **state)
{
	(void)state;
	as_nobody();
	refused(ask("GET", CAS, NULL), 401, "SESSION_NOT_VALID", "login");
	assert_true(t.reply.challenge);
	refused(ask("GET", "/api/v1/nothing", NULL), 401, "SESSION_NOT_VALID",
		"login");
	refused(ask("PATCH", CAS, NULL), 401, "SESSION_NOT_VALID", "login");
	t.request.authorization = of("Bearer wrong");
	refused(ask("GET", CAS, NULL), 401, "SESSION_NOT_VALID", "not valid");
	assert_null(strstr(body_of_reply(), "wrong"));
	t.request.authorization = of("Bearer " ADMIN);
	expect(ask("GET", CAS, NULL), 200);
	assert_false(t.reply.challenge);
}

static void has_no_such_path(void **state)
{
	static const char *const paths[] = {"/api", "/api/v1", "/api/v1/",
		"/zia", "/api/v2/intermediateCaCertificate", "/oauth2",
		"/api/v1/intermediateCaCertificate//", CAS "/x", CAS "/4x",
		CAS "/keyPair", CAS "/keyPair/x", CAS "/keyPair/4/5",
		"/zia/zia/api/v1/intermediateCaCertificate",
		"/api/v1/sallyport", "/api/v1/oauth2/v1/token"};

	(void)state;
	for (size_t i = 0; i < sizeof(paths) / sizeof(*paths); i++)
		refused(ask("GET", paths[i], NULL), 404, "RESOURCE_NOT_FOUND",
			"There is no such path.");
	refused(ask("GET", CAS "/keyPairs/4", NULL), 404, "RESOURCE_NOT_FOUND",
		"Did you mean /intermediateCaCertificate/keyPair/{id}?");
}

static void names_the_methods(void **state)
{
	static const struct {
		const char *method, *path, *allow;
	} cases[] = {
		{"PUT", CAS, "GET, HEAD, POST"},
		{"DELETE", CAS "/", "GET, HEAD, POST"},
		{"POST", CAS "/4", "GET, HEAD, PUT, DELETE"},
		{"PATCH", CAS "/4", "GET, HEAD, PUT, DELETE"},
		{"get", CAS "/4", "GET, HEAD, PUT, DELETE"},
		{"GET", CAS "/makeDefault/4", "PUT"},
		{"POST", CAS "/makeDefault/4", "PUT"},
		{"GET", CAS "/keyPair/4", "POST"},
		{"POST", CAS "/lite", "GET, HEAD"},
		{"DELETE", CAS "/readyToUse", "GET, HEAD"},
		{"PUT", CAS "/downloadAttestation/4", "GET, HEAD, POST"},
		{"PUT", BASE "/authenticatedSession",
			"GET, HEAD, POST, DELETE"},
		{"OPTIONS", BASE "/sallyport/tokens/x", "DELETE"},
		{"", CAS, "GET, HEAD, POST"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		refused(ask(cases[i].method, cases[i].path, NULL), 405,
			"METHOD_NOT_ALLOWED", cases[i].allow);
		assert_string_equal(t.reply.allow, cases[i].allow);
	}
}

static void answers_heads_as_gets(void **state)
{
	(void)state;
	expect(ask("HEAD", CAS, NULL), 200);
	assert_true(json_is_array(t.json));
	expect(ask("HEAD", CAS "/77", NULL), 404);
}

static void bounds_bodies(void **state)
{
	static char body[API_BODY_MAX + 2];

	(void)state;
	memset(body, ' ', API_BODY_MAX + 1);
	memcpy(body, "{}", 2);
	refused(ask("POST", CAS, body), 413, "PAYLOAD_TOO_LARGE", "80 KB");
	body[API_BODY_MAX] = '\0';
	refused(ask("POST", CAS, body), 400, "INVALID_INPUT_ARGUMENT",
		"type is required");
	body[API_BODY_MAX] = ' ';
	refused(ask("POST", CAS "/uploadCert/4", body), 400,
		"INVALID_INPUT_ARGUMENT", "The file is larger than 64 KB.");
	refused(ask("POST", CAS "/uploadCertChain/4", body), 400,
		"INVALID_INPUT_ARGUMENT", "The file is larger than 64 KB.");
}

static void reads_bodies_strictly(void **state)
{
	static const struct {
		const char *body, *why;
	} cases[] = {
		{"{", "not JSON"},
		{"{} x", "not JSON"},
		{"{\"name\":\"a\",\"name\":\"b\"}", "has a field twice"},
		{"{\"name\":\"\\u0000\"}", "not JSON"},
		{"{\"name\":\"\xff\"}", "not JSON"},
		{"[]", "not a JSON object"},
		{"\"x\"", "not JSON"},
		{"{\"name\":4}", "\"name\" must be text"},
		{"{\"name\":\"a\",\"type\":true}", "\"type\" must be text"},
		{"{\"description\":{}}", "\"description\" must be text"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
		refused(ask("POST", CAS, cases[i].body), 400,
			"INVALID_INPUT_ARGUMENT", cases[i].why);
	/* null is not given, and what is not known is passed over */
	expect(ask("POST", CAS, "{\"name\":\"a\",\"type\":\"CUSTOM_SW\","
		"\"region\":null,\"status\":\"\",\"id\":77,\"x\":[{}]}"), 200);
	assert_int_equal(number_at("id"), 4);
}

static void stands_deep_nesting(void **state)
{
	static char body[70000];

	(void)state;
	memset(body, '[', sizeof(body) - 1);
	expect(ask("POST", CAS, body), 400);
	memcpy(body, "{\"a\":", 5);
	expect(ask("POST", CAS, body), 400);
}

static void keeps_local_calls_local(void **state)
{
	(void)state;
	refused(ask("GET", BASE "/sallyport/tokens", NULL), 403,
		"NOT_AUTHORIZED", "sallyport token");
	refused(ask("POST", BASE "/sallyport/tokens", "{\"name\":\"a\"}"), 403,
		"NOT_AUTHORIZED", "sallyport token");
	refused(ask("DELETE", BASE "/sallyport/tokens/a", NULL), 403,
		"NOT_AUTHORIZED", "sallyport token");
	as_root();
	expect(ask("GET", BASE "/sallyport/tokens", NULL), 200);
	expect(ask("GET", CAS, NULL), 200);
	as_nobody();
	refused(ask("GET", BASE "/sallyport/tokens", NULL), 401,
		"SESSION_NOT_VALID", "login");
}

static void lets_readers_read(void **state)
{
	char header[256];

	(void)state;
	as_root();
	expect(ask("POST", CAS, "{\"name\":\"a\",\"type\":\"CUSTOM_SW\"}"),
		200);
	expect(ask("POST", CAS "/keyPair/4", "{\"keyType\":\"EC_P256\"}"), 200);
	expect(ask("POST", BASE "/sallyport/tokens",
		"{\"name\":\"eye\",\"readOnly\":true}"), 200);
	snprintf(header, sizeof(header), "Bearer %s", text_at("token"));
	as_nobody();
	t.request.authorization = of(header);
	expect(ask("GET", CAS "/4", NULL), 200);
	refused(ask("PUT", CAS "/4", "{\"name\":\"b\"}"), 403, "NOT_AUTHORIZED",
		"may only read");
	refused(ask("DELETE", CAS "/4", NULL), 403, "NOT_AUTHORIZED",
		"may only read");
	refused(ask("PUT", CAS "/makeDefault/1", NULL), 403, "NOT_AUTHORIZED",
		"may only read");
	refused(ask("POST", BASE "/sallyport/refresh", NULL), 403,
		"NOT_AUTHORIZED", "may only read");
	/* it gets the public key, and the CA is no further for it */
	expect(ask("GET", CAS "/downloadPublicKey/4", NULL), 200);
	expect(ask("GET", CAS "/4", NULL), 200);
	assert_string_equal(text_at("currentState"), "KEYGEN_DONE");
	as_admin();
	expect(ask("HEAD", CAS "/downloadPublicKey/4", NULL), 200);
	expect(ask("GET", CAS "/4", NULL), 200);
	assert_string_equal(text_at("currentState"), "KEYGEN_DONE");
}

static void says_what_failed(void **state)
{
	(void)state;
	expect(ask("POST", CAS, "{\"name\":\"a\",\"type\":\"CUSTOM_SW\"}"),
		200);
	lab_text("state/sallyport.db", "This is not a database at all.");
	refused(ask("GET", CAS, NULL), 500, "UNEXPECTED_ERROR",
		"not a database");
	refused(ask("PUT", CAS "/4", "{}"), 500, "UNEXPECTED_ERROR",
		"not a database");
	refused(ask("GET", BASE "/sallyport/audit", NULL), 500,
		"UNEXPECTED_ERROR", "not a database");
	/* but not to those of whom nothing is known */
	as_nobody();
	t.request.authorization = of("Bearer wrong");
	refused(ask("GET", CAS, NULL), 500, "UNEXPECTED_ERROR",
		"The tokens can't be looked up");
	assert_null(strstr(body_of_reply(), "sallyport.db"));
}

static void clears_what_was_not_filled(void **state)
{
	struct api_reply reply = {0};

	(void)state;
	api_reply_clear(&reply);
	api_free(NULL);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, start_api, stop_api)
	const struct CMUnitTest tests[] = {
		TEST(knows_its_paths),
		TEST(answers_at_both_bases),
		TEST(asks_for_a_login),
		TEST(has_no_such_path),
		TEST(names_the_methods),
		TEST(answers_heads_as_gets),
		TEST(bounds_bodies),
		TEST(reads_bodies_strictly),
		TEST(stands_deep_nesting),
		TEST(keeps_local_calls_local),
		TEST(lets_readers_read),
		TEST(says_what_failed),
		TEST(clears_what_was_not_filled),
	};

	return cmocka_run_group_tests(tests, NULL, end_lab);
}

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include <cmocka.h>

#include "proxy/admin/logins.h"
#include "tests/unit/admin/api_test.h"

static char secret[128], api_key[32];

/* make_token makes one as `sallyport token` does, and keeps its secrets. */
static void make_token(const char *body)
{
	as_root();
	expect(ask("POST", BASE "/sallyport/tokens", body), 200);
	snprintf(secret, sizeof(secret), "%s%s%s", text_at("token"),
		text_at("clientSecret"), text_at("password"));
	snprintf(api_key, sizeof(api_key), "%s", text_at("apiKey"));
	assert_int_equal(strlen(secret), 64);
	as_nobody();
}

static unsigned form(const char *path, const char *body)
{
	t.request.body = of(body);
	t.request.content_type = of("application/x-www-form-urlencoded");
	return send_request("POST", path);
}

/* --- OAuth -------------------------------------------------------------- */

static void gives_access(void)
{
	static char header[256];

	expect(t.reply.status, 200);
	assert_int_equal(json_object_size(t.json), 3);
	assert_string_equal(text_at("token_type"), "Bearer");
	assert_int_equal(number_at("expires_in"), 3600);
	snprintf(header, sizeof(header), "Bearer %s", text_at("access_token"));
	as_nobody();
	t.request.authorization = of(header);
	expect(ask("GET", "/zia/api/v1/intermediateCaCertificate", NULL), 200);
	expect(ask("GET", "/zia/api/v1/authenticatedSession", NULL), 200);
	as_nobody();
}

static void exchanges_by_form(void **state)
{
	char body[512];

	(void)state;
	make_token("{\"name\":\"app\",\"kind\":\"oauth\",\"client\":\"a b&c\"}");
	snprintf(body, sizeof(body), "client_id=a+b%%26c&client_secret=%s&"
		"grant_type=client_credentials&audience=https%%3A%%2F%%2Fx",
		secret);
	(void)form("/oauth2/v1/token", body);
	gives_access();
	(void)form("/oauth2/v1/token/", body);
	gives_access();
}

static void exchanges_by_json(void **state)
{
	char body[512];

	(void)state;
	make_token("{\"name\":\"app\",\"kind\":\"oauth\"}");
	snprintf(body, sizeof(body), "{\"client_id\":\"app\",\"client_secret\":"
		"\"%s\",\"grant_type\":\"client_credentials\"}", secret);
	(void)ask("POST", "/oauth2/v1/token", body);
	gives_access();
}

/* "app:" and the secret in base64, by coreutils. */
static void exchanges_by_basic(void **state)
{
	char header[512];

	(void)state;
	make_token("{\"name\":\"app\",\"kind\":\"oauth\"}");
	lab_run("printf 'app:%s' | base64 -w 0", secret);
	snprintf(header, sizeof(header), "Basic %s", lab_said());
	t.request.authorization = of(header);
	(void)form("/oauth2/v1/token", "grant_type=client_credentials");
	gives_access();
	t.request.authorization = of("Basic YXBwOndyb25n"); /* app:wrong */
	expect(form("/oauth2/v1/token", "grant_type=client_credentials"), 401);
	t.request.authorization = of("Basic YXBw"); /* no colon */
	expect(form("/oauth2/v1/token", "grant_type=client_credentials"), 401);
	t.request.authorization = of("Basic ?");
	expect(form("/oauth2/v1/token", "grant_type=client_credentials"), 401);
	assert_string_equal(text_at("error"), "invalid_client");
}

static void oauth_refuses(const char *body, unsigned status, const char *error)
{
	as_nobody();
	expect(form("/oauth2/v1/token", body), status);
	assert_string_equal(text_at("error"), error);
	assert_string_equal(text_at("code"), status == 401 ?
		"SESSION_NOT_VALID" : "INVALID_INPUT_ARGUMENT");
	assert_int_equal(t.reply.challenge, status == 401);
	assert_true(text_at("message")[0] != '\0');
}

static void refuses_other_exchanges(void **state)
{
	(void)state;
	make_token("{\"name\":\"app\",\"kind\":\"oauth\"}");
	oauth_refuses("client_id=app&client_secret=x&grant_type="
		"client_credentials", 401, "invalid_client");
	oauth_refuses("grant_type=client_credentials", 401, "invalid_client");
	oauth_refuses("client_id=app&client_secret=x&grant_type=password", 400,
		"unsupported_grant_type");
	oauth_refuses("client_id=app&client_secret=x", 400, "invalid_request");
	oauth_refuses("", 400, "invalid_request");
	oauth_refuses("client_id=a&client_id=b&grant_type=client_credentials",
		400, "invalid_request");
	refused(ask("POST", "/oauth2/v1/token", "{\"client_id\":4}"), 400,
		"INVALID_INPUT_ARGUMENT", "\"client_id\" must be text");
	refused(ask("POST", "/oauth2/v1/token", "[]"), 400,
		"INVALID_INPUT_ARGUMENT", "not a JSON object");
	refused(ask("GET", "/oauth2/v1/token", NULL), 405,
		"METHOD_NOT_ALLOWED", "POST");
	assert_string_equal(t.reply.allow, "POST");
	refused(ask("POST", "/api/v1/oauth2/v1/token", "{}"), 401,
		"SESSION_NOT_VALID", "login");
}

/* --- sessions ----------------------------------------------------------- */

static unsigned begin(const char *user, int64_t ms, bool as_text)
{
	char body[512], key[LOGIN_API_KEY];

	assert_true(login_obfuscate(api_key, ms, key));
	snprintf(body, sizeof(body), "{\"username\":\"%s\",\"password\":\"%s\""
		",\"apiKey\":\"%s\",\"timestamp\":%s%lld%s}", user, secret,
		key, as_text ? "\"" : "", (long long)ms, as_text ? "\"" : "");
	return ask("POST", BASE "/authenticatedSession", body);
}

static int64_t now_ms(void)
{
	return (int64_t)time(NULL) * 1000 + 123;
}

/* cookie is what a client keeps of Set-Cookie. */
static const char *cookie(void)
{
	static char kept[256];

	snprintf(kept, sizeof(kept), "%s", t.reply.cookie);
	assert_non_null(strchr(kept, ';')); /* clients look for it */
	*strchr(kept, ';') = '\0';
	return kept;
}

static void begins_shows_and_ends(void **state)
{
	const char *mine;

	(void)state;
	make_token("{\"name\":\"ses\",\"kind\":\"session\",\"client\":\"ann\"}");
	assert_int_equal(strlen(api_key), 12);
	expect(begin("ann", now_ms(), false), 200);
	assert_string_equal(body_of_reply(), "{\"authType\":\"ADMIN_LOGIN\","
		"\"obfuscateApiKey\":true,\"passwordExpiryTime\":0,"
		"\"passwordExpiryDays\":0}");
	assert_int_equal(strncmp(t.reply.cookie, "JSESSIONID=", 11), 0);
	assert_string_equal(t.reply.cookie + 11 + 64,
		"; Path=/; HttpOnly; SameSite=Strict");
	mine = cookie();
	as_nobody();
	t.request.cookie = of(mine);
	expect(ask("GET", BASE "/authenticatedSession", "{}"), 200);
	assert_string_equal(text_at("authType"), "ADMIN_LOGIN");
	assert_string_equal(t.reply.cookie, "");
	expect(ask("POST", CAS, "{\"name\":\"x\",\"type\":\"CUSTOM_SW\"}"),
		200);
	expect(ask("DELETE", BASE "/authenticatedSession", NULL), 204);
	assert_non_null(strstr(t.reply.cookie, "Max-Age=0"));
	refused(ask("GET", BASE "/authenticatedSession", NULL), 401,
		"SESSION_NOT_VALID", "not valid");
	refused(ask("DELETE", BASE "/authenticatedSession", NULL), 401,
		"SESSION_NOT_VALID", "not valid");
}

static void marks_cookies_of_tls(void **state)
{
	(void)state;
	make_token("{\"name\":\"ses\",\"kind\":\"session\"}");
	t.request.tls = true;
	expect(begin("ses", now_ms(), true), 200);
	assert_non_null(strstr(t.reply.cookie, "; Secure"));
}

static void refuses_sessions(void **state)
{
	(void)state;
	make_token("{\"name\":\"ses\",\"kind\":\"session\"}");
	refused(begin("bob", now_ms(), false), 401, "SESSION_NOT_VALID",
		"is not right");
	assert_true(t.reply.challenge);
	refused(begin("ses", now_ms() - 16 * 60 * 1000, false), 401,
		"SESSION_NOT_VALID", "clocks");
	refused(ask("POST", BASE "/authenticatedSession", "{}"), 400,
		"INVALID_INPUT_ARGUMENT", "username");
	refused(ask("POST", BASE "/authenticatedSession",
			"{\"username\":\"a\",\"password\":\"b\",\"apiKey\":"
			"\"c\",\"timestamp\":\"soon\"}"), 400,
		"INVALID_INPUT_ARGUMENT", "\"timestamp\" must be a number");
	refused(ask("POST", BASE "/authenticatedSession",
			"{\"username\":\"a\",\"password\":[1]}"), 400,
		"INVALID_INPUT_ARGUMENT", "\"password\" must be text");
	assert_string_equal(t.reply.cookie, "");
	/* what was sent is never shown again */
	refused(ask("POST", BASE "/authenticatedSession",
			"{\"username\":\"a\",\"password\":\"hunter2\" x"), 400,
		"INVALID_INPUT_ARGUMENT", "not JSON");
	assert_null(strstr(body_of_reply(), "hunter2"));
}

static void refuses_other_sites_pages(void **state)
{
	const char *mine;

	(void)state;
	make_token("{\"name\":\"ses\",\"kind\":\"session\"}");
	t.request.origin = of("http://evil.test");
	refused(begin("ses", now_ms(), false), 403, "NOT_AUTHORIZED",
		"another site");
	assert_string_equal(t.reply.cookie, "");
	t.request.origin = of("http://127.0.0.1:8081");
	expect(begin("ses", now_ms(), false), 200);
	mine = cookie();
	as_nobody();
	t.request.cookie = of(mine);
	t.request.origin = of("http://evil.test");
	refused(ask("POST", CAS, "{\"name\":\"x\",\"type\":\"CUSTOM_SW\"}"),
		403, "NOT_AUTHORIZED", "another site");
	refused(ask("GET", CAS, NULL), 403, "NOT_AUTHORIZED", "another site");
	t.request.origin = of("http://127.0.0.1:8081");
	expect(ask("POST", CAS, "{\"name\":\"x\",\"type\":\"CUSTOM_SW\"}"),
		200);
}

static void lets_readers_read(void **state)
{
	const char *mine;

	(void)state;
	make_token("{\"name\":\"eye\",\"kind\":\"session\",\"readOnly\":true}");
	expect(begin("eye", now_ms(), false), 200);
	mine = cookie();
	as_nobody();
	t.request.cookie = of(mine);
	expect(ask("GET", CAS, NULL), 200);
	refused(ask("POST", CAS, "{\"name\":\"x\",\"type\":\"CUSTOM_SW\"}"),
		403, "NOT_AUTHORIZED", "may only read");
	expect(ask("DELETE", BASE "/authenticatedSession", NULL), 204);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, start_api, stop_api)
	const struct CMUnitTest tests[] = {
		TEST(exchanges_by_form),
		TEST(exchanges_by_json),
		TEST(exchanges_by_basic),
		TEST(refuses_other_exchanges),
		TEST(begins_shows_and_ends),
		TEST(marks_cookies_of_tls),
		TEST(refuses_sessions),
		TEST(refuses_other_sites_pages),
		TEST(lets_readers_read),
	};

	return cmocka_run_group_tests(tests, NULL, end_lab);
}

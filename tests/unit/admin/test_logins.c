#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "proxy/admin/logins.h"
#include "tests/support/lab.h"

enum { NOW = 1800000000 };

static char err[512], folder[256];
static struct logins *logins;
static struct api_request request;
static struct caller caller;

static struct slice of(const char *text)
{
	return (struct slice){text, strlen(text)};
}

static void add_token(const char *name, enum token_kind kind,
	const char *client, const char *secret, const char *api_key,
	bool read_only)
{
	struct store_token token = {.kind = kind, .read_only = read_only,
		.made = NOW};
	struct store *store;

	snprintf(token.name, sizeof(token.name), "%s", name);
	snprintf(token.client, sizeof(token.client), "%s", client);
	snprintf(token.api_key, sizeof(token.api_key), "%s", api_key);
	login_digest(of(secret), token.digest);
	if (store_open(lab_path("state/sallyport.db"), &store, err,
		    sizeof(err)) != 0 ||
	    store_token_add(store, &token, err, sizeof(err)) != 0)
		fail_msg("%s", err);
	store_close(store);
}

static void delete_token(const char *name)
{
	struct store *store;

	if (store_open(lab_path("state/sallyport.db"), &store, err,
		    sizeof(err)) != 0 ||
	    store_token_delete(store, name, err, sizeof(err)) != 0)
		fail_msg("%s", err);
	store_close(store);
}

static int set_up(void **state)
{
	(void)state;
	lab_run("rm -rf state; mkdir -m 700 state");
	snprintf(folder, sizeof(folder), "%s", lab_path("state"));
	logins = logins_new("TheAdminsToken");
	memset(&request, 0, sizeof(request));
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	logins_free(logins);
	return 0;
}

static enum login_result who(time_t now)
{
	return logins_who(logins, folder, &request, now, &caller, err,
		sizeof(err));
}

static enum login_result bearer(const char *header, time_t now)
{
	request.authorization = of(header);
	return who(now);
}

static void knows_the_administrator(void **state)
{
	struct logins *none = logins_new(NULL);

	(void)state;
	assert_int_equal(bearer("Bearer TheAdminsToken", NOW), LOGIN_OK);
	assert_string_equal(caller.who, "admin token");
	assert_true(caller.may_write && !caller.is_local);
	assert_int_equal(bearer("  bEARER   TheAdminsToken ", NOW), LOGIN_OK);
	assert_int_equal(bearer("Bearer TheAdminsToke", NOW), LOGIN_WRONG);
	assert_int_equal(bearer("Bearer TheAdminsTokenx", NOW), LOGIN_WRONG);
	assert_int_equal(bearer("Bearer ", NOW), LOGIN_WRONG);
	assert_int_equal(bearer("TheAdminsToken", NOW), LOGIN_WRONG);
	assert_int_equal(bearer("Basic TheAdminsToken", NOW), LOGIN_WRONG);
	request.authorization = of("Bearer TheAdminsToken");
	assert_int_equal(logins_who(none, folder, &request, NOW, &caller, err,
		sizeof(err)), LOGIN_WRONG);
	logins_free(none);
	none = logins_new("");
	request.authorization = of("Bearer ");
	assert_int_equal(logins_who(none, folder, &request, NOW, &caller, err,
		sizeof(err)), LOGIN_WRONG);
	logins_free(none);
}

static void asks_for_a_login(void **state)
{
	(void)state;
	assert_int_equal(who(NOW), LOGIN_NONE);
	request.cookie = of("theme=dark; JSESSIONIDX=1");
	assert_int_equal(who(NOW), LOGIN_NONE);
	request.cookie = of("JSESSIONID=0123");
	assert_int_equal(who(NOW), LOGIN_WRONG);
	assert_false(caller.may_write || caller.is_local);
}

static void takes_the_kernels_word(void **state)
{
	(void)state;
	request.caller = API_LOCAL;
	snprintf(request.who, sizeof(request.who), "root (uid 0)");
	assert_int_equal(who(NOW), LOGIN_OK);
	assert_string_equal(caller.who, "root (uid 0)");
	assert_true(caller.may_write && caller.is_local);
}

static void knows_the_stores_tokens(void **state)
{
	(void)state;
	add_token("ci", TOKEN_BEARER, "", "one", "", false);
	add_token("look", TOKEN_BEARER, "", "two", "", true);
	add_token("app", TOKEN_OAUTH, "app", "three", "", false);
	assert_int_equal(bearer("Bearer one", NOW), LOGIN_OK);
	assert_string_equal(caller.who, "token ci");
	assert_true(caller.may_write);
	assert_int_equal(bearer("Bearer two", NOW), LOGIN_OK);
	assert_string_equal(caller.who, "token look");
	assert_false(caller.may_write);
	/* a client's secret is no token by itself */
	assert_int_equal(bearer("Bearer three", NOW), LOGIN_WRONG);
	delete_token("ci");
	assert_int_equal(bearer("Bearer one", NOW), LOGIN_WRONG);
}

/* --- OAuth -------------------------------------------------------------- */

static enum login_result oauth(const char *client, const char *secret,
	time_t now, char out[LOGIN_SECRET])
{
	return logins_oauth(logins, folder, client, secret, now, &caller, out,
		err, sizeof(err));
}

static const char *as_bearer(const char *token)
{
	static char header[LOGIN_SECRET + 16];

	snprintf(header, sizeof(header), "Bearer %s", token);
	return header;
}

static void exchanges_clients_secrets(void **state)
{
	char token[LOGIN_SECRET], other[LOGIN_SECRET];

	(void)state;
	add_token("app", TOKEN_OAUTH, "the-app", "s1", "", false);
	add_token("eye", TOKEN_OAUTH, "the-eye", "s2", "", true);
	add_token("ses", TOKEN_SESSION, "the-ses", "s3", "0123456789ab",
		false);
	assert_int_equal(oauth("the-app", "s1", NOW, token), LOGIN_OK);
	assert_int_equal(strspn(token, "0123456789abcdef"), 64);
	assert_int_equal(bearer(as_bearer(token), NOW), LOGIN_OK);
	assert_string_equal(caller.who, "oauth app");
	assert_true(caller.may_write);
	assert_int_equal(oauth("the-app", "s1", NOW, other), LOGIN_OK);
	assert_string_not_equal(token, other);
	assert_int_equal(oauth("the-eye", "s2", NOW, other), LOGIN_OK);
	assert_int_equal(bearer(as_bearer(other), NOW), LOGIN_OK);
	assert_false(caller.may_write);
	/* any other client, secret or kind */
	assert_int_equal(oauth("the-app", "s2", NOW, other), LOGIN_WRONG);
	assert_int_equal(oauth("the-eye", "s1", NOW, other), LOGIN_WRONG);
	assert_int_equal(oauth("app", "s1", NOW, other), LOGIN_WRONG);
	assert_int_equal(oauth("", "", NOW, other), LOGIN_WRONG);
	assert_int_equal(oauth("the-ses", "s3", NOW, other), LOGIN_WRONG);
}

static void forgets_access_tokens(void **state)
{
	char token[LOGIN_SECRET];

	(void)state;
	add_token("app", TOKEN_OAUTH, "app", "s", "", false);
	assert_int_equal(oauth("app", "s", NOW, token), LOGIN_OK);
	assert_int_equal(bearer(as_bearer(token), NOW + 1800), LOGIN_OK);
	assert_int_equal(bearer(as_bearer(token), NOW + 3599), LOGIN_OK);
	assert_int_equal(bearer(as_bearer(token), NOW + 3600), LOGIN_WRONG);
	assert_int_equal(oauth("app", "s", NOW, token), LOGIN_OK);
	assert_int_equal(bearer(as_bearer(token), NOW), LOGIN_OK);
	delete_token("app");
	assert_int_equal(bearer(as_bearer(token), NOW), LOGIN_WRONG);
}

static void keeps_so_many(void **state)
{
	char first[LOGIN_SECRET], second[LOGIN_SECRET], token[LOGIN_SECRET];

	(void)state;
	add_token("app", TOKEN_OAUTH, "app", "s", "", false);
	assert_int_equal(oauth("app", "s", NOW, first), LOGIN_OK);
	assert_int_equal(oauth("app", "s", NOW, second), LOGIN_OK);
	for (int i = 0; i < LOGINS_MAX - 2; i++)
		assert_int_equal(oauth("app", "s", NOW, token), LOGIN_OK);
	assert_int_equal(bearer(as_bearer(first), NOW), LOGIN_OK);
	assert_int_equal(oauth("app", "s", NOW, token), LOGIN_OK);
	assert_int_equal(bearer(as_bearer(first), NOW), LOGIN_WRONG);
	assert_int_equal(bearer(as_bearer(second), NOW), LOGIN_OK);
	assert_int_equal(bearer(as_bearer(token), NOW), LOGIN_OK);
}

/* --- sessions ----------------------------------------------------------- */

/* By hand: of ...987654, n is 987654 and half of it 493827; the letters of n at
 * 9 8 7 6 5 4, then those two further at 6 11 5 10 4 9. */
static void obfuscates_as_the_vendor(void **state)
{
	char key[LOGIN_API_KEY];

	(void)state;
	assert_true(login_obfuscate("abcdefghijkl", 1700000987654, key));
	assert_string_equal(key, "jihgfe" "glfkej");
	/* n 000013: half of it is 000006 */
	assert_true(login_obfuscate("ABCDEFGHIJKLMNOP", 1700000000013, key));
	assert_string_equal(key, "AAAABD" "CCCCCI");
	assert_true(login_obfuscate("abcdefghijkl", 0, key));
	assert_string_equal(key, "aaaaaa" "cccccc");
	assert_false(login_obfuscate("abcdefghijk", 1700000987654, key));
	assert_false(login_obfuscate("", 1700000987654, key));
}

static char session[LOGIN_SECRET];

static enum login_result begin(const char *user, const char *password,
	const char *key, int64_t ms, time_t now)
{
	struct login_claim claim = {user, password, key, ms, NOW};

	return logins_begin(logins, folder, &claim, now, &caller, session, err,
		sizeof(err));
}

static enum login_result begin_at(int64_t ms)
{
	char key[LOGIN_API_KEY];

	assert_true(login_obfuscate("abcdefghijkl", ms, key));
	return begin("ann", "pw", key, ms, NOW);
}

static enum login_result by_cookie(time_t now)
{
	static char cookie[LOGIN_SECRET + 64];

	snprintf(cookie, sizeof(cookie), "a=b;  JSESSIONID=%s ; c", session);
	request.cookie = of(cookie);
	return who(now);
}

static void begins_sessions(void **state)
{
	const int64_t ms = (int64_t)NOW * 1000 + 654;
	char key[LOGIN_API_KEY];

	(void)state;
	add_token("ses", TOKEN_SESSION, "ann", "pw", "abcdefghijkl", false);
	assert_true(login_obfuscate("abcdefghijkl", ms, key));
	assert_int_equal(begin("ann", "pw", key, ms, NOW), LOGIN_OK);
	assert_int_equal(by_cookie(NOW), LOGIN_OK);
	assert_string_equal(caller.who, "session ses");
	assert_true(caller.may_write);
	/* one thing wrong at a time */
	assert_int_equal(begin("bob", "pw", key, ms, NOW), LOGIN_WRONG);
	assert_int_equal(begin("ann", "pW", key, ms, NOW), LOGIN_WRONG);
	assert_int_equal(begin("ann", "pw", key, ms + 1, NOW), LOGIN_WRONG);
	assert_int_equal(begin("ann", "pw", "abcdefghijkl", ms, NOW),
		LOGIN_WRONG);
	assert_int_equal(begin("ann", "pw", "", ms, NOW), LOGIN_WRONG);
	key[11]++;
	assert_int_equal(begin("ann", "pw", key, ms, NOW), LOGIN_WRONG);
	/* a session's id is no bearer token */
	request.cookie = (struct slice){NULL, 0};
	assert_int_equal(bearer(as_bearer(session), NOW), LOGIN_WRONG);
}

static void wants_clocks_to_agree(void **state)
{
	const int64_t now_ms = (int64_t)NOW * 1000, far = 900 * 1000;

	(void)state;
	add_token("ses", TOKEN_SESSION, "ann", "pw", "abcdefghijkl", false);
	assert_int_equal(begin_at(now_ms - far), LOGIN_OK);
	assert_int_equal(begin_at(now_ms + far), LOGIN_OK);
	assert_int_equal(begin_at(now_ms - far - 1000), LOGIN_WRONG);
	assert_int_equal(begin_at(now_ms + far + 1000), LOGIN_WRONG);
	assert_int_equal(begin_at(0), LOGIN_WRONG);
}

static void ends_idle_sessions(void **state)
{
	(void)state;
	add_token("ses", TOKEN_SESSION, "ann", "pw", "abcdefghijkl", true);
	assert_int_equal(begin_at((int64_t)NOW * 1000), LOGIN_OK);
	/* each use starts the half hour anew */
	for (time_t at = NOW; at < NOW + 7200; at += 1799)
		assert_int_equal(by_cookie(at), LOGIN_OK);
	assert_false(caller.may_write);
	assert_int_equal(by_cookie(NOW + 7200 + 3600), LOGIN_WRONG);
	assert_int_equal(begin_at((int64_t)NOW * 1000), LOGIN_OK);
	assert_int_equal(by_cookie(NOW + 1799), LOGIN_OK);
	assert_int_equal(by_cookie(NOW + 1799 + 1800), LOGIN_WRONG);
}

static void ends_access_tokens(void **state)
{
	char one[LOGIN_SECRET], two[LOGIN_SECRET];

	(void)state;
	add_token("app", TOKEN_OAUTH, "app", "s", "", false);
	assert_int_equal(oauth("app", "s", NOW, one), LOGIN_OK);
	assert_string_equal(caller.who, "oauth app");
	assert_int_equal(oauth("app", "s", NOW, two), LOGIN_OK);
	assert_int_equal(bearer(as_bearer(one), NOW), LOGIN_OK);
	logins_end(logins, &request);
	assert_int_equal(bearer(as_bearer(one), NOW), LOGIN_WRONG);
	assert_int_equal(bearer(as_bearer(two), NOW), LOGIN_OK);
}

static void ends_sessions(void **state)
{
	struct api_request other = {.caller = API_REMOTE};

	(void)state;
	add_token("ses", TOKEN_SESSION, "ann", "pw", "abcdefghijkl", false);
	assert_int_equal(begin_at((int64_t)NOW * 1000), LOGIN_OK);
	assert_int_equal(by_cookie(NOW), LOGIN_OK);
	other.cookie = of("JSESSIONID=0000");
	logins_end(logins, &other);
	other.cookie = (struct slice){NULL, 0};
	logins_end(logins, &other);
	assert_int_equal(by_cookie(NOW), LOGIN_OK);
	logins_end(logins, &request);
	assert_int_equal(by_cookie(NOW), LOGIN_WRONG);
	assert_int_equal(begin_at((int64_t)NOW * 1000), LOGIN_OK);
	delete_token("ses");
	assert_int_equal(by_cookie(NOW), LOGIN_WRONG);
}

static void refuses_other_sites(void **state)
{
	static const struct {
		const char *host, *origin;
		enum login_result result;
	} cases[] = {
		{"127.0.0.1:8081", "", LOGIN_OK},
		{"127.0.0.1:8081", "http://127.0.0.1:8081", LOGIN_OK},
		{"127.0.0.1:8081", "https://127.0.0.1:8081", LOGIN_OK},
		{"Proxy.test", "HTTP://proxy.TEST", LOGIN_OK},
		{"127.0.0.1:8081", "http://127.0.0.1:8080", LOGIN_FOREIGN},
		{"127.0.0.1:8081", "http://evil.test", LOGIN_FOREIGN},
		{"127.0.0.1:8081", "http://127.0.0.1:80811", LOGIN_FOREIGN},
		{"127.0.0.1:8081", "http://127.0.0.1:808", LOGIN_FOREIGN},
		{"127.0.0.1:8081", "ftp://127.0.0.1:8081", LOGIN_FOREIGN},
		{"127.0.0.1:8081", "127.0.0.1:8081", LOGIN_FOREIGN},
		{"127.0.0.1:8081", "null", LOGIN_FOREIGN},
		{"", "http://", LOGIN_FOREIGN},
	};

	(void)state;
	add_token("ses", TOKEN_SESSION, "ann", "pw", "abcdefghijkl", false);
	assert_int_equal(begin_at((int64_t)NOW * 1000), LOGIN_OK);
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		request.host = of(cases[i].host);
		request.origin = of(cases[i].origin);
		assert_int_equal(by_cookie(NOW), cases[i].result);
	}
	/* a token is not what a browser adds by itself */
	request.origin = of("http://evil.test");
	assert_int_equal(bearer("Bearer TheAdminsToken", NOW), LOGIN_OK);
}

/* With a header that is wrong, the cookie beside it does not count. */
static void goes_by_the_header_first(void **state)
{
	(void)state;
	add_token("ses", TOKEN_SESSION, "ann", "pw", "abcdefghijkl", false);
	assert_int_equal(begin_at((int64_t)NOW * 1000), LOGIN_OK);
	assert_int_equal(by_cookie(NOW), LOGIN_OK);
	assert_int_equal(bearer("Bearer wrong", NOW), LOGIN_WRONG);
}

static void *log_in_and_out(void *arg)
{
	char token[LOGIN_SECRET], header[LOGIN_SECRET + 16], why[256];
	struct api_request mine = {.caller = API_REMOTE};
	struct caller me;

	for (int i = 0; i < 40; i++) {
		if (logins_oauth(logins, folder, "app", "s", NOW, &me, token,
			    why, sizeof(why)) != LOGIN_OK)
			return arg;
		snprintf(header, sizeof(header), "Bearer %s", token);
		mine.authorization = of(header);
		if (logins_who(logins, folder, &mine, NOW, &me, why,
			    sizeof(why)) != LOGIN_OK)
			return arg;
		mine.authorization = (struct slice){NULL, 0};
		mine.cookie = of("JSESSIONID=00");
		logins_end(logins, &mine);
	}
	return NULL;
}

static void stands_many_at_once(void **state)
{
	pthread_t threads[4];
	void *failed;

	(void)state;
	add_token("app", TOKEN_OAUTH, "app", "s", "", false);
	for (size_t i = 0; i < 4; i++)
		assert_int_equal(pthread_create(&threads[i], NULL,
			log_in_and_out, folder), 0);
	for (size_t i = 0; i < 4; i++) {
		assert_int_equal(pthread_join(threads[i], &failed), 0);
		assert_null(failed);
	}
}

static void makes_no_store(void **state)
{
	(void)state;
	assert_int_equal(bearer("Bearer wrong", NOW), LOGIN_WRONG);
	lab_run("test -z \"$(ls state)\"");
}

static void says_when_it_cannot_look(void **state)
{
	(void)state;
	lab_text("state/sallyport.db", "This is not a database at all.");
	assert_int_equal(bearer("Bearer wrong", NOW), LOGIN_FAILED);
	assert_non_null(strstr(err, "not a database"));
	assert_int_equal(bearer("Bearer TheAdminsToken", NOW), LOGIN_OK);
}

static int end_all(void **state)
{
	(void)state;
	lab_end();
	return 0;
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(knows_the_administrator),
		TEST(asks_for_a_login),
		TEST(takes_the_kernels_word),
		TEST(knows_the_stores_tokens),
		TEST(exchanges_clients_secrets),
		TEST(forgets_access_tokens),
		TEST(keeps_so_many),
		TEST(obfuscates_as_the_vendor),
		TEST(begins_sessions),
		TEST(wants_clocks_to_agree),
		TEST(ends_idle_sessions),
		TEST(ends_access_tokens),
		TEST(ends_sessions),
		TEST(refuses_other_sites),
		TEST(goes_by_the_header_first),
		TEST(stands_many_at_once),
		TEST(makes_no_store),
		TEST(says_when_it_cannot_look),
	};

	return cmocka_run_group_tests(tests, NULL, end_all);
}

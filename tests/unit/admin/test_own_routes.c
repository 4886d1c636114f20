#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include <cmocka.h>

#include "pki/authority.h"
#include "pki/store_audit.h"
#include "pki/store_issuing.h"
#include "tests/unit/admin/api_test.h"

#define OWN BASE "/sallyport"

static struct authority *authority;
static char err[512];

static int tear_down(void **state)
{
	(void)state;
	authority_free(authority);
	authority = NULL;
	stop();
	return 0;
}

/* first_start does what a proxy does when it starts. */
static void first_start(void)
{
	struct authority *opened;

	t.world.options.before = authority;
	if (authority_open(&t.world.options, &opened, err, sizeof(err)) != 0)
		fail_msg("%s", err);
	t.world.options.before = NULL;
	authority_free(authority);
	authority = opened;
}

static json_t *one(size_t i)
{
	return json_array_get(t.json, i);
}

static const char *text_of(size_t i, const char *key)
{
	const char *text = json_string_value(json_object_get(one(i), key));

	return text ? text : "";
}

static void lists_issuing_cas(void **state)
{
	(void)state;
	expect(ask("GET", OWN "/issuing", NULL), 200);
	assert_int_equal(json_array_size(t.json), 0);
	first_start();
	expect(ask("GET", OWN "/issuing/", NULL), 200);
	assert_int_equal(json_array_size(t.json), 1);
	assert_int_equal(json_object_size(one(0)), 6);
	assert_int_equal(strlen(text_of(0, "keyId")), 40);
	assert_true(strlen(text_of(0, "serialNumber")) > 8);
	assert_non_null(strstr(text_of(0, "name"), "Sallyport"));
	assert_int_equal(json_integer_value(json_object_get(one(0), "ca")), 1);
	assert_true(json_integer_value(json_object_get(one(0), "startDate")) <
		time(NULL));
	assert_true(json_integer_value(json_object_get(one(0), "expDate")) >
		time(NULL));
}

static void revokes(const char *body, unsigned status, const char *words)
{
	int before = t.num_changed;

	expect(ask("POST", OWN "/revoke", body), status);
	if (status == 200)
		assert_string_equal(body_of_reply(), words);
	else if (!strstr(text_at("message"), words))
		fail_msg("no '%s' in: %s", words, body_of_reply());
	assert_int_equal(t.num_changed, before + (status == 200));
}

static void revokes_issuing_cas(void **state)
{
	char body[128], serial[64];

	(void)state;
	first_start();
	expect(ask("GET", OWN "/issuing", NULL), 200);
	snprintf(body, sizeof(body), "{\"issuing\":\"%s\"}",
		text_of(0, "keyId"));
	snprintf(serial, sizeof(serial), "%s", text_of(0, "serialNumber"));
	revokes(body, 200, "{\"revoked\":1}");
	revokes(body, 400, "revoked already");
	revokes("{\"issuing\":\"00\"}", 404, "no issuing CA");
	expect(ask("GET", OWN "/issuing", NULL), 200);
	assert_true(json_integer_value(json_object_get(one(0), "revoked")) >=
		time(NULL) - 60);
	/* it is on its issuer's list, which openssl reads */
	expect(ask("GET", OWN "/crl/1", NULL), 200);
	assert_string_equal(t.reply.content_type, "application/pkix-crl");
	lab_write("1.crl", t.reply.body.d, t.reply.body.i);
	lab_run("openssl crl -inform DER -in 1.crl -noout -text");
	assert_non_null(strstr(lab_said(), serial));
	/* by its serial number */
	first_start();
	expect(ask("GET", OWN "/issuing", NULL), 200);
	assert_int_equal(json_array_size(t.json), 2);
	snprintf(body, sizeof(body), "{\"issuing\":\"%s\"}",
		text_of(1, "serialNumber"));
	revokes(body, 200, "{\"revoked\":1}");
}

static void add_leaf(const char *site, int64_t issuing)
{
	struct store_leaf leaf = {.issuing = issuing, .ca = 1,
		.ends = time(NULL) + 3600};
	struct store *store;

	snprintf(leaf.site, sizeof(leaf.site), "%s", site);
	if (store_open(lab_path("state/sallyport.db"), &store, err,
		    sizeof(err)) != 0 ||
	    store_leaf_add(store, &leaf, err, sizeof(err)) != 0)
		fail_msg("%s", err);
	store_close(store);
}

static void revokes_sites(void **state)
{
	(void)state;
	first_start();
	add_leaf("www.example.com", 1);
	revokes("{\"site\":\"example.com\"}", 404, "\"example.com\"");
	revokes("{\"site\":\"WWW.Example.COM.\"}", 200, "{\"revoked\":1}");
	revokes("{\"site\":\"www.example.com\"}", 404, "revoked already");
	revokes("{\"site\":\"\"}", 404, "No certificate");
	/* leaves of a CA itself, of which there were more than were noted */
	add_leaf(STORE_ALL_SITES, 0);
	revokes("{\"site\":\"other.example\"}", 400, "more sites than were");
}

static void revokes_cas(void **state)
{
	char name[128];

	(void)state;
	first_start();
	expect(ask("GET", CAS "/1", NULL), 200);
	snprintf(name, sizeof(name), "%s", text_at("name"));
	revokes("{\"ca\":1}", 200, "{\"revoked\":1}");
	expect(ask("GET", CAS "/1", NULL), 200);
	assert_string_not_equal(text_at("name"), name);
	revokes("{\"ca\":\"1\"}", 200, "{\"revoked\":1}");
	revokes("{\"ca\":99}", 404, "no intermediate");
	revokes("{\"ca\":2}", 404, "no intermediate");
	expect(ask("POST", CAS, "{\"name\":\"a\",\"type\":\"CUSTOM_SW\"}"),
		200);
	revokes("{\"ca\":4}", 400, "signed outside");
}

static void asks_what_to_revoke(void **state)
{
	static const char *const bodies[] = {NULL, "{}", "{\"ca\":null}",
		"{\"ca\":1,\"site\":\"a\"}",
		"{\"issuing\":\"00\",\"site\":\"a\"}"};

	(void)state;
	for (size_t i = 0; i < sizeof(bodies) / sizeof(*bodies); i++)
		revokes(bodies[i], 400, "Say what to revoke");
	revokes("{\"ca\":0}", 400, "\"ca\" must be a number");
	revokes("{\"site\":1}", 400, "\"site\" must be text");
	revokes("{\"issuing\":[]}", 400, "\"issuing\" must be text");
}

static void says_when_it_is_not_in_use_yet(void **state)
{
	(void)state;
	first_start();
	t.changed_result = -1;
	refused(ask("POST", OWN "/revoke", "{\"ca\":1}"), 500,
		"UNEXPECTED_ERROR", "not in use yet: the worker is asleep");
	refused(ask("POST", OWN "/refresh", NULL), 500, "UNEXPECTED_ERROR",
		"the worker is asleep");
	t.changed_result = 0;
	expect(ask("POST", OWN "/refresh", "{}"), 200);
	assert_string_equal(body_of_reply(), "{\"refreshed\":true}");
	assert_int_equal(t.num_changed, 3);
}

static void shows_the_audit_trail(void **state)
{
	(void)state;
	expect(ask("GET", OWN "/audit", NULL), 200);
	assert_int_equal(json_array_size(t.json), 0);
	lab_run("test -z \"$(ls state)\"");
	for (int i = 0; i < 3; i++) {
		char body[64];

		snprintf(body, sizeof(body), "{\"name\":\"ca%d\",\"type\":"
			"\"CUSTOM_SW\"}", i);
		expect(ask("POST", CAS, body), 200);
	}
	expect(ask("GET", OWN "/audit", NULL), 200);
	assert_int_equal(json_array_size(t.json), 3);
	expect(ask("GET", OWN "/audit?last=2", NULL), 200);
	assert_int_equal(json_array_size(t.json), 2);
	assert_string_equal(text_of(0, "name"), "ca1");
	assert_string_equal(text_of(1, "name"), "ca2");
	assert_string_equal(text_of(1, "what"), "create");
	assert_string_equal(text_of(1, "who"), "admin token");
	assert_int_equal(json_integer_value(json_object_get(one(1), "ca")), 6);
	assert_null(json_object_get(one(1), "detail"));
	assert_true(json_integer_value(json_object_get(one(1), "time")) >
		time(NULL) - 60);
	refused(ask("GET", OWN "/audit?last=0", NULL), 400,
		"INVALID_INPUT_ARGUMENT", "from 1 to 10000");
	refused(ask("GET", OWN "/audit?last=10001", NULL), 400,
		"INVALID_INPUT_ARGUMENT", "\"last\"");
}

static void gives_the_root(void **state)
{
	(void)state;
	refused(ask("GET", OWN "/root", NULL), 404, "RESOURCE_NOT_FOUND",
		"There are no CAs yet");
	lab_run("test -z \"$(ls state)\"");
	first_start();
	expect(ask("GET", OWN "/root", NULL), 200);
	assert_string_equal(t.reply.content_type, "application/x-pem-file");
	assert_string_equal(body_of_reply(), authority_root_pem(authority));
}

static void gives_crls(void **state)
{
	char path[128];

	(void)state;
	refused(ask("GET", OWN "/crl/1", NULL), 404, "RESOURCE_NOT_FOUND",
		"no CRL of \"1\"");
	first_start();
	for (int id = 1; id <= 2; id++) {
		snprintf(path, sizeof(path), OWN "/crl/%d", id);
		expect(ask("GET", path, NULL), 200);
		lab_write("a.crl", t.reply.body.d, t.reply.body.i);
		lab_run("openssl crl -inform DER -in a.crl -noout");
	}
	expect(ask("GET", OWN "/issuing", NULL), 200);
	snprintf(path, sizeof(path), OWN "/crl/%s", text_of(0, "keyId"));
	expect(ask("GET", path, NULL), 200);
	assert_string_equal(t.reply.content_type, "application/pkix-crl");
	lab_write("a.crl", t.reply.body.d, t.reply.body.i);
	lab_run("openssl crl -inform DER -in a.crl -noout");
	expect(ask("GET", OWN "/crl/99", NULL), 404);
	expect(ask("GET", OWN "/crl/01", NULL), 404);
	expect(ask("GET", OWN "/crl/1x", NULL), 404);
	expect(ask("GET", OWN "/crl/99999999999999999999", NULL), 404);
	expect(ask("GET", OWN "/crl/a%00b", NULL), 404);
	refused(ask("GET", OWN "/crl/%ff", NULL), 404, "RESOURCE_NOT_FOUND",
		"no CRL of \"\xef\xbf\xbd\"");
}

static void write_metrics(void *arg, UT_string *out)
{
	(void)arg;
	utstring_printf(out, "x_total 1\n");
}

static void gives_metrics(void **state)
{
	(void)state;
	refused(ask("GET", "/metrics", NULL), 503, "SERVICE_UNAVAILABLE",
		"No proxy runs");
	t.world.metrics = write_metrics;
	expect(ask("GET", "/metrics", NULL), 200);
	assert_string_equal(body_of_reply(), "x_total 1\n");
	assert_string_equal(t.reply.content_type,
		"text/plain; version=0.0.4; charset=utf-8");
	expect(ask("POST", "/metrics", NULL), 405);
	expect(ask("GET", OWN "/metrics", NULL), 404);
	expect(ask("GET", "/metrics/x", NULL), 404);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, start_api, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(lists_issuing_cas),
		TEST(revokes_issuing_cas),
		TEST(revokes_sites),
		TEST(revokes_cas),
		TEST(asks_what_to_revoke),
		TEST(says_when_it_is_not_in_use_yet),
		TEST(shows_the_audit_trail),
		TEST(gives_the_root),
		TEST(gives_crls),
		TEST(gives_metrics),
	};

	return cmocka_run_group_tests(tests, NULL, end_lab);
}

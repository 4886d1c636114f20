#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/unit/admin/api_test.h"

static int set_up_all(void **state)
{
	(void)state;
	lab_make_root("root", "ec", LAB_CA_EXT);
	return 0;
}

static int64_t create(const char *name, const char *status)
{
	char body[256];

	snprintf(body, sizeof(body), "{\"name\":\"%s\",\"type\":\"CUSTOM_SW\","
		"\"status\":\"%s\"}", name, status);
	expect(ask("POST", CAS, body), 200);
	return number_at("id");
}

/* The whole way, as an administrator with openssl goes it. */
static int64_t make_ready(const char *name)
{
	int64_t id = create(name, "ENABLED");

	expect(ask("POST", at(CAS "/keyPair", id),
		"{\"keyType\":\"EC_P256\"}"), 200);
	expect(ask("POST", at(CAS "/generateCsr", id),
		"{\"commName\":\"Corp Proxy\"}"), 200);
	expect(ask("GET", at(CAS "/downloadCsr", id), NULL), 200);
	lab_write("a.csr", t.reply.body.d, t.reply.body.i);
	lab_text("a.ext", LAB_SUB_EXT);
	lab_run("openssl x509 -req -in a.csr -CA root.pem -CAkey root.key "
		"-CAcreateserial -days 99 -sha256 -extfile a.ext -out a.pem");
	expect(upload_file(at(CAS "/uploadCert", id), "a.pem"), 200);
	expect(upload_file(at(CAS "/uploadCertChain", id), "root.pem"), 200);
	expect(ask("POST", at(CAS "/finalizeCert", id), NULL), 200);
	t.num_changed = 0;
	return id;
}

/* --- lists -------------------------------------------------------------- */

static void lists(const char *query, size_t num, int64_t first)
{
	char path[256];

	snprintf(path, sizeof(path), CAS "%s", query);
	expect(ask("GET", path, NULL), 200);
	assert_int_equal(json_array_size(t.json), num);
	if (num > 0)
		assert_int_equal(json_integer_value(json_object_get(
			json_array_get(t.json, 0), "id")), first);
}

static void shows_nothing_before_there_is_anything(void **state)
{
	(void)state;
	lists("", 0, 0);
	lists("/lite", 0, 0);
	lists("/readyToUse", 0, 0);
	expect(ask("GET", CAS "/1", NULL), 404);
	lab_run("test -z \"$(ls state)\"");
}

static void turns_pages(void **state)
{
	(void)state;
	for (int i = 0; i < 4; i++)
		create(i < 3 ? (const char *[]){"Alpha", "beta", "ALPHABET"}[i] :
			"Z\\u00fcrich", "DISABLED");
	lists("", 5, 1); /* with the built-in one */
	lists("?page=1&pageSize=2", 2, 1);
	lists("?page=2&pageSize=2", 2, 5);
	lists("?page=3&pageSize=2", 1, 7);
	lists("?page=4&pageSize=2", 0, 0);
	lists("?page=1000000&pageSize=1000", 0, 0);
	lists("/lite?&pageSize=3&page=2", 2, 6);
	lists("?search=alpha", 2, 4);
	lists("?search=ALPHA&pageSize=1&page=2", 1, 6);
	lists("?search=z%C3%BCr", 1, 7);
	lists("?search=et", 2, 5);
	lists("?search=%25", 0, 0);
	lists("?search=", 5, 1);
	lists("?search=sallyport", 1, 1);
	lists("/readyToUse", 1, 1);
}

static void refuses_pages(void **state)
{
	static const char *const queries[] = {"?page=0", "?page=-1",
		"?page=x", "?pageSize=0", "?pageSize=1001", "?page=1&page=1",
		"?page=99999999999999999999", "?pageSize=1.5", "?page=%",
		"?page=", "?page", "?pageSize=&search=a"};

	(void)state;
	create("a", "ENABLED");
	for (size_t i = 0; i < sizeof(queries) / sizeof(*queries); i++) {
		char path[256];

		snprintf(path, sizeof(path), CAS "%s", queries[i]);
		refused(ask("GET", path, NULL), 400, "INVALID_INPUT_ARGUMENT",
			"The parameter \"page");
	}
}

static void lists_what_can_be_used(void **state)
{
	int64_t id;

	(void)state;
	create("draft", "ENABLED");
	id = make_ready("ready");
	lists("/readyToUse", 2, 1);
	assert_int_equal(json_object_size(json_array_get(t.json, 1)), 3);
	assert_int_equal(json_integer_value(json_object_get(json_array_get(
		t.json, 1), "id")), id);
	expect(ask("PUT", at(CAS, id), "{\"status\":\"DISABLED\"}"), 200);
	lists("/readyToUse", 1, 1);
}

static void shows_less_in_lite(void **state)
{
	static const char *const gone[] = {"publicKey", "certStartDate",
		"certExpDate", "keyGenerationTime", "csrFileName",
		"csrGenerationTime", "uploadedCertFileName"};
	int64_t id;

	(void)state;
	id = make_ready("ready");
	expect(ask("GET", at(CAS "/lite", id), NULL), 200);
	for (size_t i = 0; i < sizeof(gone) / sizeof(*gone); i++)
		assert_null(json_object_get(t.json, gone[i]));
	assert_string_equal(text_at("currentState"), "CERT_READY");
	assert_string_equal(text_at("keyType"), "EC_P256");
}

/* --- create and change -------------------------------------------------- */

static void creates(void **state)
{
	(void)state;
	expect(ask("POST", CAS "/", "{\"name\":\"Corp\",\"type\":\"CUSTOM_SW\","
		"\"region\":\"GLOBAL\",\"status\":\"ENABLED\",\"description\":"
		"\"ours\"}"), 200);
	assert_string_equal(body_of_reply(), "{\"id\":4,\"name\":\"Corp\","
		"\"type\":\"CUSTOM_SW\",\"region\":\"GLOBAL\",\"status\":"
		"\"ENABLED\",\"defaultCertificate\":false,\"description\":"
		"\"ours\",\"currentState\":\"GENERAL_DONE\"}");
	assert_int_equal(t.num_changed, 0);
	expect(ask("POST", CAS, "{\"name\":\"Two\",\"type\":\"CUSTOM_SW\"}"),
		200);
	assert_int_equal(number_at("id"), 5);
	assert_string_equal(text_at("status"), "ENABLED");
}

static void refuses_to_create(void **state)
{
	static const struct {
		const char *body, *code, *why;
	} cases[] = {
		{NULL, "INVALID_INPUT_ARGUMENT",
			"Certificate type is required."},
		{"{\"name\":\"b\"}", "INVALID_INPUT_ARGUMENT",
			"Certificate type is required."},
		{"{\"name\":\"b\",\"type\":\"ZSCALER\"}",
			"INVALID_INPUT_ARGUMENT", "must be CUSTOM_SW"},
		{"{\"name\":\"b\",\"type\":\"CUSTOM_HSM\"}",
			"INVALID_INPUT_ARGUMENT", "not supported"},
		{"{\"name\":\"b\",\"type\":\"CUSTOM_SW\",\"region\":\"US\"}",
			"INVALID_INPUT_ARGUMENT", "GLOBAL region"},
		{"{\"type\":\"CUSTOM_SW\"}", "INVALID_INPUT_ARGUMENT",
			"name is required"},
		{"{\"type\":\"CUSTOM_SW\",\"name\":\"a\\tb\"}",
			"INVALID_INPUT_ARGUMENT", "control characters"},
		{"{\"type\":\"CUSTOM_SW\",\"name\":\"b\",\"status\":\"ON\"}",
			"INVALID_INPUT_ARGUMENT", "ENABLED or DISABLED"},
		{"{\"type\":\"CUSTOM_SW\",\"name\":\"Corp\"}",
			"DUPLICATE_ITEM", "has the name \"Corp\""},
	};

	(void)state;
	create("Corp", "ENABLED");
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
		refused(ask("POST", CAS, cases[i].body), 400, cases[i].code,
			cases[i].why);
	lists("", 2, 1);
}

static void changes_drafts(void **state)
{
	int64_t id, other;

	(void)state;
	id = create("Corp", "DISABLED");
	other = create("Other", "DISABLED");
	expect(ask("PUT", at(CAS, id), "{\"description\":\"x\"}"), 200);
	assert_string_equal(text_at("description"), "x");
	assert_int_equal(t.num_changed, 0);
	expect(ask("PUT", at(CAS, id), "{\"name\":\"New\"}"), 200);
	assert_string_equal(text_at("name"), "New");
	assert_int_equal(t.num_changed, 1);
	expect(ask("PUT", at(CAS, id), "{\"status\":\"ENABLED\"}"), 200);
	assert_string_equal(text_at("status"), "ENABLED");
	assert_int_equal(t.num_changed, 2);
	/* the object, sent back as it is */
	expect(ask("GET", at(CAS, id), NULL), 200);
	{
		char *body = strdup(body_of_reply());

		expect(ask("PUT", at(CAS, id), body), 200);
		assert_string_equal(body_of_reply(), body);
		free(body);
	}
	assert_int_equal(t.num_changed, 2);
	expect(ask("PUT", at(CAS, id), "{\"description\":\"\"}"), 200);
	assert_null(json_object_get(t.json, "description"));
	refused(ask("PUT", at(CAS, id), "{\"name\":\"Other\"}"), 400,
		"DUPLICATE_ITEM", "Other");
	refused(ask("PUT", at(CAS, id), "{\"name\":\"\"}"), 400,
		"INVALID_INPUT_ARGUMENT", "name is required");
	refused(ask("PUT", at(CAS, other), "{\"name\":7}"), 400,
		"INVALID_INPUT_ARGUMENT", "\"name\" must be text");
}

static void disables_for_good(void **state)
{
	int64_t id;

	(void)state;
	id = make_ready("Corp");
	refused(ask("PUT", at(CAS, id), "{\"name\":\"New\"}"), 400,
		"INVALID_INPUT_ARGUMENT", "finalized");
	expect(ask("PUT", at(CAS, id), "{\"status\":\"DISABLED\"}"), 200);
	assert_int_equal(t.num_changed, 1);
	refused(ask("PUT", at(CAS, id), "{\"status\":\"ENABLED\"}"), 400,
		"INVALID_INPUT_ARGUMENT", "can't be enabled again");
	refused(ask("PUT", at(CAS "/makeDefault", id), NULL), 400,
		"INVALID_INPUT_ARGUMENT", "disabled");
}

/* --- the default -------------------------------------------------------- */

static void has_one_default(void **state)
{
	int64_t id;

	(void)state;
	id = make_ready("Corp");
	expect(ask("PUT", at(CAS "/makeDefault", id), "{}"), 200);
	assert_true(json_is_true(json_object_get(t.json,
		"defaultCertificate")));
	assert_int_equal(t.num_changed, 1);
	refused(ask("DELETE", at(CAS, id), NULL), 400,
		"INVALID_INPUT_ARGUMENT",
		"The default intermediate certificate cannot be deleted.");
	refused(ask("PUT", at(CAS, id), "{\"status\":\"DISABLED\"}"), 400,
		"INVALID_INPUT_ARGUMENT", "cannot be disabled");
	expect(ask("GET", CAS "/1", NULL), 200);
	assert_true(json_is_false(json_object_get(t.json,
		"defaultCertificate")));
	expect(ask("PUT", CAS "/makeDefault/1", NULL), 200);
	refused(ask("DELETE", CAS "/1", NULL), 400, "INVALID_INPUT_ARGUMENT",
		"cannot be deleted");
	expect(ask("DELETE", at(CAS, id), NULL), 204);
	assert_int_equal(t.num_changed, 3);
	expect(ask("GET", at(CAS, id), NULL), 404);
	lists("", 1, 1);
}

static void keeps_what_rules_name(void **state)
{
	static const struct life_rule rules[] = {{"Other", "r1"},
		{"Corp", "Private CA"}};
	int64_t id;

	(void)state;
	id = make_ready("Corp");
	t.world.rules = rules;
	t.world.num_rules = 2;
	refused(ask("DELETE", at(CAS, id), NULL), 400,
		"INVALID_INPUT_ARGUMENT", "The rule \"Private CA\" names");
	t.world.num_rules = 1;
	expect(ask("DELETE", at(CAS, id), NULL), 204);
}

static void says_when_it_is_not_in_use_yet(void **state)
{
	int64_t id;

	(void)state;
	id = make_ready("Corp");
	t.changed_result = -1;
	refused(ask("PUT", at(CAS "/makeDefault", id), NULL), 500,
		"UNEXPECTED_ERROR", "stored, but not in use yet: the worker "
		"is asleep");
	expect(ask("GET", at(CAS, id), NULL), 200);
	assert_true(json_is_true(json_object_get(t.json,
		"defaultCertificate")));
	expect(ask("PUT", CAS "/makeDefault/1", NULL), 500);
	refused(ask("PUT", at(CAS, id), "{\"status\":\"DISABLED\"}"), 500,
		"UNEXPECTED_ERROR", "not in use yet");
	refused(ask("DELETE", at(CAS, id), NULL), 500, "UNEXPECTED_ERROR",
		"not in use yet");
	expect(ask("GET", at(CAS, id), NULL), 404);
	t.world.changed = NULL; /* nobody uses them */
	expect(ask("PUT", CAS "/makeDefault/1", NULL), 200);
}

/* --- limits of the vendor's --------------------------------------------- */

static void has_no_limits_of_its_own(void **state)
{
	(void)state;
	for (int i = 0; i < 5; i++) {
		char name[8];

		snprintf(name, sizeof(name), "ca%d", i);
		create(name, "ENABLED");
	}
}

static void has_the_vendors_limits(void **state)
{
	int64_t first, second;

	(void)state;
	t.world.zia = true;
	first = create("one", "ENABLED");
	refused(ask("POST", CAS, "{\"name\":\"two\",\"type\":\"CUSTOM_SW\"}"),
		400, "INVALID_INPUT_ARGUMENT", "At most 1 custom");
	second = create("two", "DISABLED");
	refused(ask("POST", CAS, "{\"name\":\"three\",\"type\":\"CUSTOM_SW\","
			"\"status\":\"DISABLED\"}"), 400,
		"INVALID_INPUT_ARGUMENT", "at most 2 custom");
	refused(ask("PUT", at(CAS, second), "{\"status\":\"ENABLED\"}"), 400,
		"INVALID_INPUT_ARGUMENT", "At most 1 custom");
	expect(ask("PUT", at(CAS, first), "{\"status\":\"DISABLED\"}"), 200);
	expect(ask("PUT", at(CAS, second), "{\"status\":\"ENABLED\"}"), 200);
	expect(ask("DELETE", at(CAS, first), NULL), 204);
	create("three", "DISABLED");
}

static void tells_who_did_it(void **state)
{
	(void)state;
	create("a", "ENABLED");
	as_root();
	create("b", "ENABLED");
	expect(ask("GET", BASE "/sallyport/audit?last=2", NULL), 200);
	assert_non_null(strstr(body_of_reply(), "\"who\":\"admin token\","
		"\"what\":\"create\",\"ca\":4,\"name\":\"a\""));
	assert_non_null(strstr(body_of_reply(), "\"who\":\"root (uid 0)\","
		"\"what\":\"create\",\"ca\":5,\"name\":\"b\""));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, start_api, stop_api)
	const struct CMUnitTest tests[] = {
		TEST(shows_nothing_before_there_is_anything),
		TEST(turns_pages),
		TEST(refuses_pages),
		TEST(lists_what_can_be_used),
		TEST(shows_less_in_lite),
		TEST(creates),
		TEST(refuses_to_create),
		TEST(changes_drafts),
		TEST(disables_for_good),
		TEST(has_one_default),
		TEST(keeps_what_rules_name),
		TEST(says_when_it_is_not_in_use_yet),
		TEST(has_no_limits_of_its_own),
		TEST(has_the_vendors_limits),
		TEST(tells_who_did_it),
	};

	return cmocka_run_group_tests(tests, set_up_all, end_lab);
}

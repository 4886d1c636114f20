#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "proxy/config/versions.h"
#include "tests/unit/admin/api_test.h"

#define POLICY BASE "/policy"
#define RULES "{\"ssl-rules\":[{\"name\":\"a\",\"action\":\"block\"}]}"

/* A proxy that takes every policy but those with "wrong" in them. */
static struct {
	struct api_policy asked;        /* the last; text and note: below */
	char text[8192], note[256], who[128];
	int num, result;
	struct version version;         /* in force */
	char *document;
} host;

static const char file_text[] = "listen: {proxy: 127.0.0.1:1}\n"
	"ssl-rules:\n- {name: f, action: inspect, match: {ports: 443}}\n";

static void put_in_force(const struct api_policy *policy)
{
	char err[512];

	memset(&host.version, 0, sizeof(host.version));
	free(host.document);
	host.document = NULL;
	if (policy->text) {
		host.document = strdup(policy->text);
		host.version.made = 1234567890;
		snprintf(host.version.who, sizeof(host.version.who), "%s",
			policy->who);
		snprintf(host.version.note, sizeof(host.version.note), "%s",
			policy->note);
		assert_int_equal(versions_next(t.world.options.state,
			&host.version.number, err, sizeof(err)), 0);
		assert_int_equal(versions_add(t.world.options.state,
			&host.version, policy->text, policy->len, err,
			sizeof(err)), 0);
	}
}

static int on_policy(void *arg, struct api_policy *policy, char *err,
	size_t err_size)
{
	(void)arg;
	host.num++;
	host.asked = *policy;
	snprintf(host.text, sizeof(host.text), "%.*s", (int)policy->len,
		policy->text ? policy->text : "");
	snprintf(host.note, sizeof(host.note), "%s", policy->note);
	snprintf(host.who, sizeof(host.who), "%s", policy->who);
	policy->version = host.version;
	if (policy->based_on >= 0 && policy->based_on != host.version.number)
		return API_POLICY_OTHER;
	if (host.result != 0) {
		snprintf(err, err_size, "the keeper is asleep");
		return host.result;
	}
	policy->told = strdup(strstr(host.text, "wrong") ?
		"policy:1: one\npolicy:2: two\n" :
		"policy:3: warning: a\npolicy:4: warning: b\n");
	if (strstr(host.text, "wrong"))
		return API_POLICY_WRONG;
	if (!policy->dry)
		put_in_force(policy);
	policy->version = host.version;
	return 0;
}

static void on_look(void *arg, struct version *out, char **out_text,
	size_t *out_len)
{
	(void)arg;
	*out = host.version;
	*out_text = strdup(host.document ? host.document : file_text);
	*out_len = strlen(*out_text);
}

static const struct api_policies policies = {on_policy, on_look};

static int set_up(void **state)
{
	(void)state;
	start();
	t.world.policies = &policies;
	memset(&host, 0, sizeof(host));
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	free(host.document);
	stop();
	return 0;
}

static void policy_is(const char *wanted)
{
	char *text = json_dumps(json_object_get(t.json, "policy"),
		JSON_COMPACT);

	assert_string_equal(text, wanted);
	free(text);
}

static unsigned put_yaml(const char *path, const char *body)
{
	t.request.body = of(body);
	t.request.content_type = of("application/yaml; charset=utf-8");
	return send_request("PUT", path);
}

/* one is a member of a list in the answer, or of the answer. */
static const json_t *one(size_t i)
{
	return json_array_get(t.json, i);
}

static void shows_the_files_own(void **state)
{
	(void)state;
	expect(ask("GET", POLICY, NULL), 200);
	assert_int_equal(json_object_size(t.json), 3);
	assert_int_equal(number_at("version"), 0);
	assert_string_equal(text_at("source"), "file");
	policy_is("{\"ssl-rules\":[{\"name\":\"f\",\"action\":\"inspect\","
		"\"match\":{\"ports\":443}}]}");
	expect(ask("GET", POLICY "/versions", NULL), 200);
	assert_int_equal(json_array_size(t.json), 0);
}

static void puts_a_policy(void **state)
{
	(void)state;
	expect(ask("PUT", POLICY, "{\"policy\":" RULES ",\"note\":\"why \xc3"
		"\xa4\"}"), 200);
	assert_int_equal(number_at("version"), 1);
	assert_string_equal(text_at("source"), "api");
	assert_string_equal(text_at("note"), "why \xc3\xa4");
	assert_int_equal(number_at("made"), 1234567890);
	assert_true(json_is_false(json_object_get(t.json, "dryRun")));
	assert_int_equal(json_array_size(json_object_get(t.json, "warnings")),
		2);
	assert_int_equal(host.asked.based_on, -1);
	assert_false(host.asked.dry);
	assert_string_equal(host.who, "admin token");
	/* laid out, so that lines mean something */
	assert_int_equal(strncmp(host.text, "{\n  \"ssl-rules\": [\n", 19), 0);
	expect(ask("GET", POLICY, NULL), 200);
	assert_int_equal(number_at("version"), 1);
	policy_is(RULES);
}

static void takes_back_what_it_gave(void **state)
{
	char *given;

	(void)state;
	for (int i = 0; i < 3; i++) {
		expect(ask("GET", POLICY, NULL), 200);
		assert_int_equal(number_at("version"), i);
		given = strdup(body_of_reply());
		expect(ask("PUT", POLICY, given), 200);
		free(given);
		assert_int_equal(number_at("version"), i + 1);
		assert_int_equal(host.asked.based_on, i);
	}
}

static void takes_yaml_with_its_lines(void **state)
{
	static const char document[] = "# mine\nssl-rules:\n- name: a\n"
		"  action: block\n";

	(void)state;
	expect(put_yaml(POLICY "?note=from%20a%20file&version=0", document),
		200);
	assert_string_equal(host.text, document);
	assert_string_equal(host.note, "from a file");
	assert_int_equal(host.asked.based_on, 0);
	expect(ask("GET", POLICY, NULL), 200);
	policy_is(RULES);
	t.request.content_type = of("application/yamlx");
	t.request.body = of(document);
	refused(send_request("PUT", POLICY), 400, "INVALID_INPUT_ARGUMENT",
		"not JSON");
	t.request.body = of(document);
	refused(send_request("PUT", POLICY), 400, "INVALID_INPUT_ARGUMENT",
		"column 1. YAML is sent as Content-Type: application/yaml.");
	expect(put_yaml(POLICY "?dryRun=true", ""), 200);
	refused(put_yaml(POLICY "?version=x", ""), 400,
		"INVALID_INPUT_ARGUMENT", "version");
	refused(put_yaml(POLICY "?note=a%0ab", ""), 400,
		"INVALID_INPUT_ARGUMENT", "note");
}

static void tells_every_mistake(void **state)
{
	(void)state;
	refused(ask("PUT", POLICY, "{\"policy\":{\"wrong\":1}}"), 400,
		"INVALID_INPUT_ARGUMENT", "nothing has changed:\npolicy /: one"
		"\npolicy /wrong: two");
	assert_true(text_at("message")[strlen(text_at("message")) - 1] == 'o');
	expect(ask("GET", POLICY, NULL), 200);
	assert_int_equal(number_at("version"), 0);
}

static void only_tries_what_is_to_be_tried(void **state)
{
	static const char *const unclear[] = {"dryRun=yes", "dryRun=",
		"dryRun", "&dryRun&", "version=&dryRun=true", "version"};
	char path[128];

	(void)state;
	expect(ask("PUT", POLICY "?dryRun=true", "{\"policy\":" RULES "}"),
		200);
	assert_true(host.asked.dry);
	assert_true(json_is_true(json_object_get(t.json, "dryRun")));
	assert_int_equal(json_object_size(t.json), 2); /* it is no version */
	assert_int_equal(json_array_size(json_object_get(t.json, "warnings")),
		2);
	expect(ask("PUT", POLICY "?dryRun=false", "{\"policy\":" RULES "}"),
		200);
	assert_int_equal(number_at("version"), 1);
	expect(ask("POST", POLICY "/rollback/1?dryRun=true", NULL), 200);
	assert_int_equal(json_object_size(t.json), 2);
	host.num = 0;
	for (size_t i = 0; i < sizeof(unclear) / sizeof(*unclear); i++) {
		snprintf(path, sizeof(path), POLICY "?%s", unclear[i]);
		refused(ask("PUT", path, "{\"policy\":" RULES "}"), 400,
			"INVALID_INPUT_ARGUMENT", "The parameter \"");
		snprintf(path, sizeof(path), POLICY "/rollback/0?%s",
			unclear[i]);
		refused(ask("POST", path, NULL), 400, "INVALID_INPUT_ARGUMENT",
			"The parameter \"");
	}
	assert_int_equal(host.num, 0);
}

static void keeps_two_from_undoing_each_other(void **state)
{
	(void)state;
	expect(ask("PUT", POLICY, "{\"policy\":" RULES ",\"version\":0}"),
		200);
	refused(ask("PUT", POLICY, "{\"policy\":" RULES ",\"version\":0}"),
		409, "EDIT_LOCK_NOT_AVAILABLE", "is version 1, not 0");
	refused(ask("POST", POLICY "/rollback/0", "{\"version\":\"7\"}"), 409,
		"EDIT_LOCK_NOT_AVAILABLE", "is version 1, not 7");
}

static void refuses_what_is_no_policy(void **state)
{
	static const struct {
		const char *body, *why;
	} cases[] = {
		{NULL, "\"policy\" is required"},
		{"{}", "\"policy\" is required"},
		{"{\"policy\":[]}", "\"policy\" is required"},
		{"{\"policy\":\"ssl-rules: []\"}", "\"policy\" is required"},
		{"[]", "not a JSON object"},
		{"ssl-rules: []", "not JSON"},
		{"{\"policy\":{},\"policy\":{}}", "twice"},
		{"{\"policy\":{},\"version\":-1}", "version"},
		{"{\"policy\":{},\"version\":\"x\"}", "version"},
		{"{\"policy\":{},\"note\":1}", "note"},
		{"{\"policy\":{},\"note\":\"a\\u0007\"}", "note"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
		refused(ask("PUT", POLICY, cases[i].body), 400,
			"INVALID_INPUT_ARGUMENT", cases[i].why);
	assert_int_equal(host.num, 0);
}

static void says_what_failed(void **state)
{
	(void)state;
	host.result = -1;
	refused(ask("PUT", POLICY, "{\"policy\":" RULES "}"), 500,
		"UNEXPECTED_ERROR", "Nothing has changed: the keeper");
}

static void lists_and_shows_versions(void **state)
{
	(void)state;
	for (int i = 0; i < 3; i++)
		expect(ask("PUT", POLICY, "{\"policy\":" RULES
			",\"note\":\"n\"}"), 200);
	lab_run("echo x >state/policy/000002.json");
	expect(ask("GET", POLICY "/versions", NULL), 200);
	assert_int_equal(json_array_size(t.json), 3);
	for (size_t i = 0; i < 3; i++) {
		assert_int_equal(json_integer_value(json_object_get(one(i),
			"version")), 3 - i);
		assert_int_equal(json_is_true(json_object_get(one(i),
			"current")), i == 0);
		assert_int_equal(json_object_get(one(i), "error") != NULL,
			i == 1);
		assert_null(json_object_get(one(i), "policy"));
	}
	expect(ask("GET", POLICY "/versions/1", NULL), 200);
	assert_int_equal(number_at("version"), 1);
	assert_string_equal(text_at("who"), "admin token");
	policy_is(RULES);
	refused(ask("GET", POLICY "/versions/2", NULL), 500,
		"UNEXPECTED_ERROR", "policy/000002.json is damaged");
	refused(ask("GET", POLICY "/versions/4", NULL), 404,
		"RESOURCE_NOT_FOUND", "no version 4");
	refused(ask("GET", POLICY "/versions/0", NULL), 404,
		"RESOURCE_NOT_FOUND", "no version 0");
	refused(ask("GET", POLICY "/versions/4294967297", NULL), 404,
		"RESOURCE_NOT_FOUND", "no version");
	refused(ask("GET", POLICY "/versions/99999999999999999999999", NULL),
		404, "RESOURCE_NOT_FOUND", "no version");
	refused(ask("GET", POLICY "/versions/..", NULL), 404,
		"RESOURCE_NOT_FOUND", "no such path");
	refused(ask("GET", POLICY "/versions/..%2f1", NULL), 404,
		"RESOURCE_NOT_FOUND", "no such path");
}

static void goes_back(void **state)
{
	(void)state;
	expect(ask("PUT", POLICY, "{\"policy\":" RULES "}"), 200);
	expect(ask("PUT", POLICY, "{\"policy\":{}}"), 200);
	expect(ask("POST", POLICY "/rollback/1", NULL), 200);
	assert_int_equal(number_at("version"), 3);
	assert_string_equal(text_at("note"), "back to version 1");
	expect(ask("GET", POLICY, NULL), 200);
	policy_is(RULES);
	expect(ask("POST", POLICY "/rollback/2", "{\"note\":\"so\"}"), 200);
	assert_string_equal(text_at("note"), "so");
	expect(ask("POST", POLICY "/rollback/0", "{}"), 200);
	assert_int_equal(number_at("version"), 0);
	assert_string_equal(text_at("source"), "file");
	assert_null(host.asked.text);
	host.num = 0;
	refused(ask("POST", POLICY "/rollback/9", NULL), 404,
		"RESOURCE_NOT_FOUND", "no version 9");
	refused(ask("POST", POLICY "/rollback/99999999999999999999999", NULL),
		404, "RESOURCE_NOT_FOUND", "no version");
	assert_int_equal(host.num, 0);
}

static void leaves_a_line_in_the_audit_trail(void **state)
{
	(void)state;
	expect(ask("PUT", POLICY "?dryRun=true", "{\"policy\":" RULES "}"),
		200);
	expect(ask("PUT", POLICY, "{\"policy\":" RULES ",\"note\":\"so\"}"),
		200);
	expect(ask("POST", POLICY "/rollback/0", NULL), 200);
	expect(ask("GET", BASE "/sallyport/audit", NULL), 200);
	assert_int_equal(json_array_size(t.json), 2);
	assert_string_equal(json_string_value(json_object_get(one(0),
		"what")), "policy");
	assert_string_equal(json_string_value(json_object_get(one(0),
		"name")), "version 1");
	assert_string_equal(json_string_value(json_object_get(one(0),
		"detail")), "so");
	assert_string_equal(json_string_value(json_object_get(one(1),
		"name")), "the file's own");
}

static void is_changed_by_who_may_write(void **state)
{
	char token[80];

	(void)state;
	as_root();
	expect(ask("POST", BASE "/sallyport/tokens",
		"{\"name\":\"r\",\"readOnly\":true}"), 200);
	snprintf(token, sizeof(token), "Bearer %s", text_at("token"));
	as_nobody();
	refused(ask("GET", POLICY, NULL), 401, "SESSION_NOT_VALID", "login");
	t.request.authorization = of(token);
	expect(ask("GET", POLICY, NULL), 200);
	expect(ask("GET", POLICY "/versions", NULL), 200);
	refused(ask("PUT", POLICY, "{\"policy\":{}}"), 403, "NOT_AUTHORIZED",
		"read");
	refused(ask("POST", POLICY "/rollback/0", NULL), 403,
		"NOT_AUTHORIZED", "read");
	assert_int_equal(host.num, 0);
}

static void says_that_no_proxy_runs(void **state)
{
	(void)state;
	expect(ask("PUT", POLICY, "{\"policy\":" RULES "}"), 200);
	t.world.policies = NULL;
	refused(ask("GET", POLICY, NULL), 503, "SERVICE_UNAVAILABLE",
		"does not run");
	refused(ask("PUT", POLICY, "{\"policy\":{}}"), 503,
		"SERVICE_UNAVAILABLE", "does not run");
	refused(ask("POST", POLICY "/rollback/1", NULL), 503,
		"SERVICE_UNAVAILABLE", "does not run");
	/* what was is there all the same */
	expect(ask("GET", POLICY "/versions", NULL), 200);
	assert_int_equal(json_array_size(t.json), 1);
	expect(ask("GET", POLICY "/versions/1", NULL), 200);
}

static void has_room_for_a_large_policy_alone(void **state)
{
	char *large = malloc(API_POLICY_MAX + 2);

	(void)state;
	assert_non_null(large);
	memset(large, ' ', API_POLICY_MAX + 1);
	large[API_POLICY_MAX + 1] = '\0';
	memcpy(large, "{\"policy\":{}", 12);
	large[API_POLICY_MAX - 1] = '}';
	refused(ask("PUT", POLICY, large), 413, "PAYLOAD_TOO_LARGE",
		"larger than 1024 KB");
	large[API_POLICY_MAX] = '\0';
	expect(ask("PUT", POLICY, large), 200);
	refused(ask("POST", POLICY "/rollback/1", large), 413,
		"PAYLOAD_TOO_LARGE", "larger than 80 KB");
	free(large);
	assert_int_equal(api_body_max(of("PUT"), of(POLICY)), API_POLICY_MAX);
	assert_int_equal(api_body_max(of("PUT"), of("/zia/api/v1/policy/")),
		API_POLICY_MAX);
	assert_int_equal(api_body_max(of("POST"), of(POLICY)), API_BODY_MAX);
	assert_int_equal(api_body_max(of("POST"), of(POLICY "/rollback/1")),
		API_BODY_MAX);
	assert_int_equal(api_body_max(of("PUT"), of(POLICY "x")),
		API_BODY_MAX);
	assert_int_equal(api_body_max(of(""), of("")), API_BODY_MAX);
}

static void has_room_for_what_lays_out_larger(void **state)
{
	char *large = calloc(1, API_POLICY_MAX);
	size_t at, i;

	(void)state;
	assert_non_null(large);
	at = (size_t)snprintf(large, 64, "{\"policy\":{\"ssl-rules\":[");
	for (i = 0; i < 200000; i++)
		at += (size_t)snprintf(large + at, 8, "1,");
	(void)snprintf(large + at, 8, "1]}}");
	expect(ask("PUT", POLICY, large), 200);
	assert_int_equal(strncmp(host.text, "{\"ssl-rules\":[1,1", 17), 0);
	free(large);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(shows_the_files_own),
		TEST(puts_a_policy),
		TEST(takes_back_what_it_gave),
		TEST(takes_yaml_with_its_lines),
		TEST(tells_every_mistake),
		TEST(only_tries_what_is_to_be_tried),
		TEST(keeps_two_from_undoing_each_other),
		TEST(refuses_what_is_no_policy),
		TEST(says_what_failed),
		TEST(lists_and_shows_versions),
		TEST(goes_back),
		TEST(leaves_a_line_in_the_audit_trail),
		TEST(is_changed_by_who_may_write),
		TEST(says_that_no_proxy_runs),
		TEST(has_room_for_a_large_policy_alone),
		TEST(has_room_for_what_lays_out_larger),
	};

	return cmocka_run_group_tests(tests, NULL, end_lab);
}

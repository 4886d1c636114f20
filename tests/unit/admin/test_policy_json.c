#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "proxy/admin/policy_json.h"

static char err[256];

/* as_json: what comes of a document, written compactly. */
static void as_json(const char *document, const char *wanted)
{
	json_t *object = policy_json(document, strlen(document), err,
		sizeof(err));
	char *text;

	if (!object)
		fail_msg("%s", err);
	text = json_dumps(object, JSON_COMPACT);
	assert_string_equal(text, wanted);
	/* JSON is YAML: again, and laid out, it means the same */
	json_decref(object);
	object = policy_json(text, strlen(text), err, sizeof(err));
	free(text);
	text = policy_json_text(object, 1000000);
	json_decref(object);
	object = policy_json(text, strlen(text), err, sizeof(err));
	free(text);
	text = json_dumps(object, JSON_COMPACT);
	assert_string_equal(text, wanted);
	free(text);
	json_decref(object);
}

static void takes_the_policy_out_of_a_configuration(void **state)
{
	(void)state;
	as_json("", "{}");
	as_json("# nothing\n", "{}");
	as_json("listen: {proxy: 127.0.0.1:1}\nworkers: 2\n", "{}");
	as_json("url-rules: []\nlisten: {}\nssl-rules:\n- {name: a, action: "
		"block}\ncategories:\n  c: {hosts: [.x.test], file: l.txt}\n",
		"{\"categories\":{\"c\":{\"hosts\":[\".x.test\"],\"file\":"
		"\"l.txt\"}},\"ssl-rules\":[{\"name\":\"a\",\"action\":"
		"\"block\"}],\"url-rules\":[]}");
}

static void tells_numbers_and_truths_from_text(void **state)
{
	(void)state;
	as_json("url-rules: [1, 0, -7, 443, '443', \"8\", 007, 0x1f, 1.0, 1e3, "
		"8000-9000, +1, -0, -, 9999999999999999, 10.0.0.0/8]",
		"{\"url-rules\":[1,0,-7,443,\"443\",\"8\",\"007\",\"0x1f\","
		"\"1.0\",\"1e3\",\"8000-9000\",\"+1\",\"-0\",\"-\","
		"\"9999999999999999\",\"10.0.0.0/8\"]}");
	as_json("url-rules: [true, false, 'true', True, yes, on, null, ~, "
		"'null', '']\n", "{\"url-rules\":[true,false,\"true\",\"True\","
		"\"yes\",\"on\",null,null,\"null\",\"\"]}");
	as_json("categories:\n", "{\"categories\":null}");
}

static void keeps_letters(void **state)
{
	(void)state;
	as_json("categories: {'a \"b\" \\c': {hosts: ['b\xc3\xbc" "cher.test']}"
		", \"t\\tn\\n\": x}", "{\"categories\":{\"a \\\"b\\\" \\\\c\":"
		"{\"hosts\":[\"b\xc3\xbc" "cher.test\"]},\"t\\tn\\n\":\"x\"}}");
	as_json("categories: |\n  two\n  lines\n",
		"{\"categories\":\"two\\nlines\\n\"}");
}

static void says_where_a_document_is_none(void **state)
{
	(void)state;
	assert_null(policy_json("a: 1\nb: [", 9, err, sizeof(err)));
	assert_non_null(strstr(err, "line "));
	assert_null(policy_json("a: &x 1", 7, err, sizeof(err)));
}

static void lays_out_what_has_room(void **state)
{
	json_t *object = json_pack("{s:[i,i]}", "a", 1, 2);
	char *text = policy_json_text(object, 100);

	(void)state;
	assert_string_equal(text, "{\n  \"a\": [\n    1,\n    2\n  ]\n}");
	free(text);
	text = policy_json_text(object, 11);
	assert_string_equal(text, "{\"a\":[1,2]}");
	free(text);
	assert_null(policy_json_text(object, 10));
	json_decref(object);
}

static void says_places(void **state)
{
	json_t *policy = json_loads("{\"ssl-rules\":[{\"name\":\"a\"},"
		"{\"name\":\"b\",\"match\":{\"ports\":[1,2]}}],"
		"\"categories\":{\"x/y~z\":{\"hosts\":[]}}}", 0, NULL);
	char *text = policy_json_text(policy, 4096), *told;

	(void)state;
	assert_non_null(policy);
	told = policy_json_places(text, strlen(text), "policy:1: all\n"
		"policy:2: a\npolicy:3: b\npolicy version 12:4: c\n"
		"policy:11: d in line 7 too\npolicy:99: e\npolicy: f\n"
		"policy:18: g\n/policy:3: warning: h in line 3\npolice:1: i\n"
		"policy version:1: j");
	assert_string_equal(told, "policy /: all\n"
		"policy /ssl-rules: a\npolicy /ssl-rules/0: b\n"
		"policy version 12 /ssl-rules/0/name: c\n"
		"policy /ssl-rules/1/match/ports/1: d at /ssl-rules/1/name too\n"
		"policy /categories/x~1y~0z/hosts: e\npolicy: f\n"
		"policy /categories/x~1y~0z/hosts: g\n"
		"/policy:3: warning: h in line 3\npolice:1: i\n"
		"policy version:1: j");
	free(told);
	told = policy_json_places("{\"a\":1}", 7, "policy:1: x\n");
	assert_string_equal(told, "policy:1: x\n");
	free(told);
	free(text);
	json_decref(policy);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(takes_the_policy_out_of_a_configuration),
		cmocka_unit_test(tells_numbers_and_truths_from_text),
		cmocka_unit_test(keeps_letters),
		cmocka_unit_test(says_where_a_document_is_none),
		cmocka_unit_test(lays_out_what_has_room),
		cmocka_unit_test(says_places),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

#include "tests/unit/config/told.h"

#include "policy/policy.h"
#include "tests/support/folder.h"

static int make_folder(void **state)
{
	(void)state;
	folder_make("config");
	folder_shell("touch a.txt b.txt");
	return 0;
}

static int remove_folder(void **state)
{
	(void)state;
	return folder_remove();
}

/* load lays policy (NULL: none) over text, a file of the folder; what is told has
 * no folder in it. */
static char *load(const char *text, const char *policy, struct config **out)
{
	char name[128], *told = NULL, *at;
	size_t size = 0, len = strlen(folder) + 1;
	FILE *errors = open_memstream(&told, &size);
	struct config_source source = {
		.name = name, .text = text, .len = strlen(text),
		.policy_name = policy ? "policy version 7" : NULL,
		.policy = policy, .policy_len = policy ? strlen(policy) : 0,
	};

	snprintf(name, sizeof(name), "%s/c.yaml", folder);
	*out = NULL;
	if (config_load_source(&source, out, errors) != 0)
		assert_null(*out);
	fclose(errors);
	while ((at = strstr(told, folder)) != NULL)
		memmove(at, at + len, strlen(at + len) + 1);
	return told;
}

static struct config *load_fine(const char *text, const char *policy)
{
	struct config *config;
	char *told = load(text, policy, &config);

	assert_string_equal(told, "");
	assert_non_null(config);
	free(told);
	return config;
}

static void assert_told(const char *text, const char *policy,
	const char *expected)
{
	struct config *config;
	char *told = load(text, policy, &config);

	assert_string_equal(told, expected);
	assert_null(config);
	free(told);
}

static void what_is_in_them(void **state)
{
	struct config *config = load_fine("categories:\n"
		"  one: {hosts: [a.test, .b.test], urls: c.test/d}\n"
		"  two:\n    file:\n    - a.txt\n    - b.txt\n"
		"  three: {hosts: []}\n", NULL);

	(void)state;
	assert_int_equal(config->num_categories, 3);
	assert_string_equal(config->categories[0].name, "one");
	assert_string_equal(config->categories[0].entries,
		"a.test\n.b.test\nc.test/d\n");
	assert_int_equal(config->categories[0].entries_len, 24);
	assert_int_equal(config->categories[0].line, 2);
	assert_string_equal(config->categories[0].from, folder_at("c.yaml"));
	assert_int_equal(config->categories[1].num_files, 2);
	assert_string_equal(config->categories[1].files[0].path,
		folder_at("a.txt"));
	assert_int_equal(config->categories[1].files[1].line, 6);
	assert_null(config->categories[2].entries);
	config_free(config);
}

static void files_must_be_there(void **state)
{
	(void)state;
	assert_told("categories:\n  a: {file: [a.txt, c.txt]}\n"
		"  b: {file: []}\n  c: {file: .}\n", NULL,
		"c.yaml:2: categories.a.file: c.txt is not there; make it (it may "
		"be empty), or take its line out\n"
		"c.yaml:3: categories.b.file is an empty list; give a value, "
		"or leave the key out\n"
		"c.yaml:4: categories.c.file: . is a folder\n");
}

static void the_first_rule_that_spares_them(void **state)
{
	struct config *config = load_fine("categories: {a: {hosts: []}, "
		"b: {hosts: []}, c: {hosts: []}}\nssl-rules:\n"
		"- {name: off, enabled: no, match: {categories: a}, "
		"action: do-not-inspect}\n"
		"- {name: block, match: {categories: a}, action: block}\n"
		"- {name: not, not: {categories: c}, action: do-not-inspect}\n"
		"- {name: one, match: {categories: a}, action: do-not-inspect}\n"
		"- {name: two, match: {categories: [a, b]}, "
		"action: do-not-inspect}\n", NULL);

	(void)state;
	assert_string_equal(config->categories[0].spared, "one");
	assert_string_equal(config->categories[1].spared, "two");
	assert_null(config->categories[2].spared);
	config_free(config);
}

/* --- a policy over the configuration -------------------------------------- */

static const char base[] =
	"workers: 3\n"
	"categories:\n"
	"  a: {hosts: a.test}\n"
	"  b: {hosts: b.test, file: b.txt}\n"
	"users: {required: no, groups: {dev: [ann]}}\n"
	"ssl-rules: [{name: file, match: {categories: [a]}, action: block}]\n"
	"url-rules: [{name: url, match: {categories: [a]}, action: block}]\n";

static void assert_ssl_rule(const struct config *config, const char *host,
	const char *rule)
{
	struct facts facts = {.host = host, .port = 443, .user = "ann"};
	struct decision decision;

	policy_decide(config->policy, &facts, &decision);
	assert_string_equal(decision.rule_name, rule);
}

static void a_policy_takes_the_place_of_rules(void **state)
{
	struct config *config = load_fine(base, "ssl-rules: [{name: over, "
		"match: {categories: b, groups: dev}, action: block}]\n");

	(void)state;
	told_seal(config);
	assert_int_equal(config->workers, 3);
	assert_int_equal(config->num_rules, 1);
	assert_int_equal(config->num_url_rules, 1);
	assert_ssl_rule(config, "b.test", "over");
	assert_ssl_rule(config, "a.test", "default");
	config_free(config);
	config = load_fine(base, "{\"ssl-rules\": [], \"url-rules\": null}");
	told_seal(config);
	assert_int_equal(config->num_rules, 0);
	assert_int_equal(config->num_url_rules, 1);
	assert_ssl_rule(config, "a.test", "default");
	config_free(config);
	config = load_fine(base, "# nothing\n");
	told_seal(config);
	assert_ssl_rule(config, "a.test", "file");
	config_free(config);
}

static void a_policy_takes_the_place_of_categories(void **state)
{
	struct config *config = load_fine(base, "categories:\n"
		"  c: {hosts: c.test}\n"
		"  a: {hosts: d.test, file: b.txt}\n");

	(void)state;
	told_seal(config);
	assert_int_equal(config->num_categories, 3);
	assert_string_equal(config->categories[0].name, "a");
	assert_string_equal(config->categories[0].from, "policy version 7");
	assert_int_equal(config->categories[0].num_files, 1);
	assert_string_equal(config->categories[1].name, "b");
	assert_string_equal(config->categories[2].name, "c");
	assert_ssl_rule(config, "d.test", "file");
	assert_ssl_rule(config, "a.test", "default");
	config_free(config);
}

static void a_policy_names_no_files_of_its_own(void **state)
{
	(void)state;
	assert_told(base, "categories:\n  b: {file: a.txt}\n"
		"  c: {file: [b.txt, /etc/passwd]}\n",
		"policy version 7:2: categories.b.file: a.txt is in no "
		"category of the configuration; name it there first\n"
		"policy version 7:3: categories.c.file: /etc/passwd is in no "
		"category of the configuration; name it there first\n");
}

static void mistakes_say_which_it_is(void **state)
{
	(void)state;
	assert_told("limts: 1\nssl-rules: [{name: a, action: x}]\n",
		"workers: 3\nurl-rules:\n- {name: a, action: x}\n",
		"c.yaml:1: there is no key \"limts\"; did you mean "
		"\"limits\"?\n"
		"c.yaml:2: ssl-rules[].action: there is no \"x\"; it is one of "
		"do-not-inspect|inspect|block\n"
		"policy version 7:1: a policy has the keys ssl-rules, "
		"url-rules and categories; \"workers\" is for the "
		"configuration\n"
		"policy version 7:3: url-rules[].action: there is no \"x\"; it "
		"is one of allow|isolate|block\n");
	assert_told("", "- a\n", "policy version 7:1: a policy must have the "
		"keys ssl-rules, url-rules or categories\n");
	assert_told("", "a: [\n", "policy version 7:2: not YAML: did not find "
		"expected node content\n");
	assert_told("", "ssl-rules:\n- {name: a, match: {categories: b}, "
		"action: block}\n", "policy version 7:2: there is no category "
		"\"b\"; give it under categories\n");
}

static void a_ca_says_where_it_is_named(void **state)
{
	struct config *config = load_fine("", "ssl-rules:\n\n- {name: a, "
		"action: inspect, intermediate-ca: Lab}\n");

	(void)state;
	assert_int_equal(config->num_named, 1);
	assert_string_equal(config->named[0].from, "policy version 7");
	assert_int_equal(config->named[0].line, 3);
	config_free(config);
}

static void a_file_may_be_written_in_other_ways(void **state)
{
	static const char *const ways[] = {"b.txt", "./b.txt", "././b.txt",
		".//b.txt"};
	struct config *config;
	char policy[128];

	(void)state;
	for (size_t i = 0; i < sizeof(ways) / sizeof(*ways); i++) {
		snprintf(policy, sizeof(policy), "categories: {c: {file: %s}}",
			ways[i]);
		config = load_fine(base, policy);
		assert_string_equal(config->categories[2].files[0].path,
			folder_at("b.txt"));
		config_free(config);
	}
}

/* named writes the categories of numbers from to to, by step. */
static char *named(int from, int to, int step)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	fputs("categories:\n", out);
	for (int i = from; i != to; i += step)
		fprintf(out, "  n%d: {hosts: [h%d.test]}\n", i * 7919 % 5003,
			step);
	fclose(out);
	return text;
}

/* those of the file keep their places, and new ones come behind, in order */
static void many_over_many(void **state)
{
	enum { FILES = 2000, FROM = 2999, TO = 999 }; /* 1000 of both */
	char *file = named(0, FILES, 1), *policy = named(FROM, TO, -1);
	struct config *config = load_fine(file, policy);
	char name[16];

	(void)state;
	assert_int_equal(config->num_categories, FILES + 1000);
	for (int i = 0; i < FILES + 1000; i++) {
		const struct category *category = &config->categories[i];
		int n = i < FILES ? i : FROM - (i - FILES);

		snprintf(name, sizeof(name), "n%d", n * 7919 % 5003);
		assert_string_equal(category->name, name);
		assert_string_equal(category->entries, n > TO ? "h-1.test\n" :
			"h1.test\n");
		assert_string_equal(category->from, n > TO ?
			"policy version 7" : folder_at("c.yaml"));
	}
	config_free(config);
	free(file);
	free(policy);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_in_them),
		cmocka_unit_test(files_must_be_there),
		cmocka_unit_test(the_first_rule_that_spares_them),
		cmocka_unit_test(a_policy_takes_the_place_of_rules),
		cmocka_unit_test(a_policy_takes_the_place_of_categories),
		cmocka_unit_test(a_policy_names_no_files_of_its_own),
		cmocka_unit_test(a_file_may_be_written_in_other_ways),
		cmocka_unit_test(many_over_many),
		cmocka_unit_test(mistakes_say_which_it_is),
		cmocka_unit_test(a_ca_says_where_it_is_named),
	};

	return cmocka_run_group_tests(tests, make_folder, remove_folder);
}

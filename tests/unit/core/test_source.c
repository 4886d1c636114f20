#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "proxy/config/config.h"
#include "proxy/core/source.h"
#include "tests/support/folder.h"

static char path[128], told[4096];
static struct source source;

static void write_text(const char *text)
{
	FILE *file = fopen(path, "w");

	assert_non_null(file);
	fputs(text, file);
	fclose(file);
}

static int set_up(void **state)
{
	(void)state;
	folder_make("source");
	snprintf(path, sizeof(path), "%s/c.yaml", folder);
	memset(&source, 0, sizeof(source));
	write_text("ssl-rules: [{name: f, action: inspect}, {name: g, action: "
		"inspect}]\n");
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	source_clear(&source);
	return folder_remove();
}

static int read_it(const char *name)
{
	FILE *errors = fmemopen(told, sizeof(told), "w");
	int result = source_read(name, folder, &source, errors);

	fclose(errors);
	return result;
}

/* rules is how many there are; 0: it does not load, told says why. */
static size_t rules(const struct source *from)
{
	FILE *errors = fmemopen(told, sizeof(told), "w");
	struct config *config;
	size_t num = 0;

	if (source_load(from, &config, errors) == 0) {
		num = config->num_rules;
		config_free(config);
	}
	fclose(errors);
	return num;
}

static void put(unsigned number, const char *document)
{
	struct version version = {.number = number, .made = 86400 * 10,
		.who = "ann"};
	char err[512];

	assert_int_equal(versions_add(folder, &version, document,
		strlen(document), err, sizeof(err)), 0);
	assert_int_equal(versions_set_current(folder, number, err,
		sizeof(err)), 0);
}

static void is_the_file_where_there_is_no_policy(void **state)
{
	char sentence[SOURCE_TOLD];

	(void)state;
	assert_int_equal(read_it(path), 0);
	assert_int_equal(source.version.number, 0);
	assert_null(source.policy);
	assert_int_equal(rules(&source), 2);
	assert_false(source_told(&source, sentence));
	source_clear(&source);
	assert_int_equal(read_it(NULL), 0);
	assert_string_equal(source.text, "");
}

static void lays_the_version_in_force_over_it(void **state)
{
	char sentence[SOURCE_TOLD];

	(void)state;
	put(7, "ssl-rules: [{name: x, action: inspect}]");
	assert_int_equal(read_it(path), 0);
	assert_int_equal(rules(&source), 1);
	assert_true(source_told(&source, sentence));
	assert_non_null(strstr(sentence, "policy version 7 (by ann, 1970-01-1"));
	assert_non_null(strstr(sentence, ") is in force: ssl-rules are the "
		"policy's, url-rules are the file's, categories are the "
		"file's; the file is "));
	assert_non_null(strstr(sentence, "/c.yaml"));
}

/* Of a list of rules that the policy has, nothing of the file's counts; categories
 * add up by their names. */
static void says_whose_each_list_is(void **state)
{
	char sentence[SOURCE_TOLD];

	(void)state;
	put(7, "{ssl-rules: null, url-rules: [], categories: {a: {hosts: b}}}");
	assert_int_equal(read_it(path), 0);
	assert_true(source_told(&source, sentence));
	assert_non_null(strstr(sentence, ": ssl-rules are the file's, "
		"url-rules are the policy's, categories are the policy's, and "
		"the file's of other names; the file is "));
	source_clear(&source);
	assert_int_equal(read_it(NULL), 0);
	assert_true(source_told(&source, sentence));
	assert_non_null(strstr(sentence, ": ssl-rules are none, url-rules are "
		"the policy's, categories are the policy's"));
	assert_null(strstr(sentence, "file"));
}

static void calls_it_what_it_is(void **state)
{
	static const char wrong[] = "ssl-rules:\n- {name: x, action: y}\n";
	struct version version = {.number = 3};
	struct source other;

	(void)state;
	assert_int_equal(read_it(path), 0);
	source_with(&source, &version, wrong, strlen(wrong), &other);
	assert_int_equal(rules(&other), 0);
	assert_int_equal(strncmp(told, "policy version 3:2: ", 20), 0);
	other.version.number = 0;
	assert_int_equal(rules(&other), 0);
	assert_int_equal(strncmp(told, "policy:2: ", 10), 0);
	source_clear(&other);
	source_with(&source, &version, NULL, 0, &other);
	assert_int_equal(other.version.number, 0);
	assert_int_equal(rules(&other), 2);
	source_clear(&other);
}

static void says_what_cannot_be_read(void **state)
{
	char command[128];

	(void)state;
	assert_int_equal(read_it("/nonexistent/c.yaml"), -1);
	assert_non_null(strstr(told, "/nonexistent/c.yaml"));
	put(1, "");
	snprintf(command, sizeof(command), "echo x >%s/policy/current",
		folder);
	assert_int_equal(system(command), 0);
	assert_int_equal(read_it(path), -1);
	assert_non_null(strstr(told, "state folder's policy/current is dam"));
	assert_null(source.text);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(is_the_file_where_there_is_no_policy),
		TEST(lays_the_version_in_force_over_it),
		TEST(says_whose_each_list_is),
		TEST(calls_it_what_it_is),
		TEST(says_what_cannot_be_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

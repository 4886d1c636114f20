#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "policy/question.h"
#include "tests/support/policies.h"

static const char *const sets[] = {"a.test", "b.test/path", "192.0.2.1"};
static const char *const names[] = {"c0", "c1", "c2"};
static const char *const hosts[] = {".test"};

static char err[300];

/* make makes a policy with two categories and one rule of each list. */
static struct policy *make(
	const struct rule_spec *ssl, const struct rule_spec *url)
{
	struct policy *policy = policy_new();
	struct catalog *catalog = catalog_of(sets, 3);
	int bad = 0;

	for (unsigned i = 0; i < 3; i++)
		bad |= policy_add_category(policy, names[i], err, sizeof(err));
	if (ssl)
		bad |= policy_add_rule(policy, ssl, err, sizeof(err));
	if (url)
		bad |= policy_add_url_rule(policy, url, err, sizeof(err));
	bad |= policy_seal(policy, catalog, err, sizeof(err));
	assert_int_equal(bad, 0);
	catalog_unref(catalog);
	return policy;
}

static void what_no_rule_asks_for_is_not_looked_up(void **state)
{
	const struct rule_spec ssl = {.name = "s", .enabled = true};
	const struct rule_spec off = {.name = "off",
		.match = {.categories = names, .num_categories = 1},
		.options = {.action = ACTION_BLOCK}};
	struct policy *policy = make(&ssl, NULL);
	struct facts facts = {.host = "a.test", .address = "192.0.2.1"};
	struct question question;

	(void)state;
	question_init(&question, policy, &policy->ssl, &facts);
	assert_int_equal(question.name.categories[0], 0);
	assert_false(question.asks_address); /* no rule blocks */
	assert_ptr_equal(question_first(&question), &policy->ssl.rules[0]);
	question_init(&question, policy, &policy->url, &facts);
	assert_null(question_first(&question));
	policy_free(policy);
	policy = make(&off, NULL);
	question_init(&question, policy, &policy->ssl, &facts);
	assert_int_equal(question.name.categories[0], 0);
	assert_false(question.asks_address);
	assert_null(question_first(&question));
	policy_free(policy);
}

static void name_and_address_are_looked_up_each(void **state)
{
	const struct rule_spec ssl = {.name = "s",
		.enabled = true,
		.match = {.categories = names,
			.num_categories = 3,
			.hosts = hosts,
			.num_hosts = 1},
		.options = {.action = ACTION_BLOCK}};
	struct policy *policy = make(&ssl, NULL);
	struct facts facts = {.host = "b.test", .address = "192.0.2.1"};
	struct question question;

	(void)state;
	memset(&question, 0xff, sizeof(question));
	question_init(&question, policy, &policy->ssl, &facts);
	assert_true(question.asks_address);
	assert_int_equal(question.name.categories[0], 1 << 1);
	assert_int_equal(question.name.hosts[0], 1);
	assert_string_equal(question.address.host, "192.0.2.1");
	assert_int_equal(question.address.categories[0], 1 << 2);
	assert_int_equal(question.address.hosts[0], 0);
	/* of SSL rules nothing hangs on a path */
	assert_ptr_equal(question.name.perhaps, question.name.categories);
	policy_free(policy);
}

static void a_path_that_is_not_known(void **state)
{
	const struct rule_spec url = {.name = "u",
		.enabled = true,
		.match = {.categories = names, .num_categories = 3}};
	struct policy *policy = make(NULL, &url);
	struct facts facts = {.host = "b.test", .path = "/path/x"};
	struct question question;

	(void)state;
	memset(&question, 0xff, sizeof(question));
	question_init(&question, policy, &policy->url, &facts);
	assert_int_equal(question.name.categories[0], 1 << 1);
	assert_int_equal(question.name.perhaps[0], 1 << 1);
	facts.path = "/other";
	question_init(&question, policy, &policy->url, &facts);
	assert_int_equal(question.name.categories[0], 0);
	assert_int_equal(question.name.perhaps[0], 0);
	facts.path = NULL;
	question_init(&question, policy, &policy->url, &facts);
	assert_int_equal(question.name.categories[0], 0);
	assert_int_equal(question.name.perhaps[0], 1 << 1);
	policy_free(policy);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_no_rule_asks_for_is_not_looked_up),
		cmocka_unit_test(name_and_address_are_looked_up_each),
		cmocka_unit_test(a_path_that_is_not_known),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "policy/domains.h"
#include "policy/policy.h"

static char err[300];

static struct domains *set_of(const char *entry)
{
	struct domains *domains = domains_new();

	assert_int_equal(domains_add(domains, entry, err, sizeof(err)), 0);
	return domains;
}

static void add(struct policy *policy, const struct rule_spec *spec)
{
	if (policy_add_rule(policy, spec, err, sizeof(err)) != 0)
		fail_msg("%s", err);
}

static struct decision decide(const struct policy *policy, const char *host)
{
	struct facts facts = {
		.host = host, .port = 443, .tls = true, .has_sni = true};
	struct decision decision;

	memset(&decision, 0xff, sizeof(decision));
	policy_decide(policy, &facts, &decision);
	return decision;
}

static void no_rules(void **state)
{
	struct policy *policy = policy_new();
	struct decision decision = decide(policy, "example.com");

	(void)state;
	assert_int_equal(decision.options.action, ACTION_INSPECT);
	assert_int_equal(decision.options.untrusted, UNTRUSTED_BLOCK);
	assert_false(decision.options.notify);
	assert_false(decision.options.block_no_sni);
	assert_true(decision.options.block_undecryptable);
	assert_string_equal(decision.rule_name, "default");
	policy_free(policy);
	policy_free(NULL);
}

static void first_match_decides(void **state)
{
	struct policy *policy = policy_new();
	struct decision decision;

	(void)state;
	add(policy,
		&(struct rule_spec){.name = "off",
			.enabled = false,
			.options = {.action = ACTION_BLOCK}});
	add(policy,
		&(struct rule_spec){.name = "bypass",
			.enabled = true,
			.hosts = set_of("www.example.com"),
			.options = {.action = ACTION_DO_NOT_INSPECT}});
	add(policy,
		&(struct rule_spec){.name = "block",
			.enabled = true,
			.hosts = set_of(".example.com"),
			.options = {.action = ACTION_BLOCK, .notify = true}});

	decision = decide(policy, "www.example.com");
	assert_int_equal(decision.options.action, ACTION_DO_NOT_INSPECT);
	assert_string_equal(decision.rule_name, "bypass");
	decision = decide(policy, "api.example.com");
	assert_int_equal(decision.options.action, ACTION_BLOCK);
	assert_true(decision.options.notify);
	decision = decide(policy, "example.org");
	assert_int_equal(decision.options.action, ACTION_INSPECT);
	assert_string_equal(decision.rule_name, "default");
	policy_free(policy);
}

static void by_category(void **state)
{
	struct policy *policy = policy_new();
	const char *const names[] = {"banks"};

	(void)state;
	assert_int_equal(policy_add_category(policy, "banks",
				 set_of(".bank.test"), err, sizeof(err)),
		0);
	add(policy,
		&(struct rule_spec){.name = "banks",
			.enabled = true,
			.categories = names,
			.num_categories = 1,
			.options = {.action = ACTION_DO_NOT_INSPECT}});
	/* more categories, which moves the list of them */
	for (unsigned i = 0; i < 40; i++) {
		char name[16];

		snprintf(name, sizeof(name), "c%u", i);
		assert_int_equal(policy_add_category(policy, name,
					 set_of("c.test"), err, sizeof(err)),
			0);
	}
	assert_int_equal(decide(policy, "my.bank.test").options.action,
		ACTION_DO_NOT_INSPECT);
	assert_int_equal(
		decide(policy, "c.test").options.action, ACTION_INSPECT);
	policy_free(policy);
}

static enum action decide_sni(
	const struct policy *policy, bool tls, bool has_sni)
{
	struct facts facts = {
		.host = "a.test", .port = 443, .tls = tls, .has_sni = has_sni};
	struct decision decision;

	policy_decide(policy, &facts, &decision);
	return decision.options.action;
}

static void no_sni(void **state)
{
	struct policy *policy = policy_new();

	(void)state;
	assert_int_equal(decide_sni(policy, true, false), ACTION_INSPECT);
	add(policy,
		&(struct rule_spec){.name = "bypass",
			.enabled = true,
			.options = {.action = ACTION_DO_NOT_INSPECT,
				.block_no_sni = true}});
	assert_int_equal(decide_sni(policy, true, false), ACTION_BLOCK);
	assert_int_equal(decide_sni(policy, true, true), ACTION_DO_NOT_INSPECT);
	/* before the ClientHello nothing is known of an SNI */
	assert_int_equal(
		decide_sni(policy, false, false), ACTION_DO_NOT_INSPECT);
	policy_free(policy);
}

/* Whoever names another host still goes to that address. */
static void an_address_is_blocked_whatever_it_is_called(void **state)
{
	struct facts facts = {.host = "a.test", .address = "192.0.2.1"};
	struct policy *policy = policy_new();
	struct decision decision;

	(void)state;
	add(policy,
		&(struct rule_spec){.name = "pass",
			.enabled = true,
			.hosts = set_of("192.0.2.1"),
			.options = {.action = ACTION_DO_NOT_INSPECT}});
	policy_decide(policy, &facts, &decision);
	assert_int_equal(decision.options.action, ACTION_INSPECT);
	add(policy,
		&(struct rule_spec){.name = "no",
			.enabled = true,
			.hosts = set_of("192.0.2.1"),
			.options = {.action = ACTION_BLOCK}});
	policy_decide(policy, &facts, &decision);
	assert_string_equal(decision.rule_name, "no");
	facts.address = NULL;
	policy_decide(policy, &facts, &decision);
	assert_int_equal(decision.options.action, ACTION_INSPECT);
	policy_free(policy);
}

static void refusals(void **state)
{
	struct policy *policy = policy_new();
	struct domains *kept = set_of("a.test");
	const char *const names[] = {"nobody"};

	(void)state;
	add(policy, &(struct rule_spec){.name = "one", .enabled = true});
	assert_true(policy_add_rule(policy,
			    &(struct rule_spec){.name = "one", .hosts = kept},
			    err, sizeof(err)) < 0);
	assert_non_null(strstr(err, "\"one\""));
	assert_true(policy_add_rule(policy,
			    &(struct rule_spec){.name = "two",
				    .hosts = kept,
				    .categories = names,
				    .num_categories = 1},
			    err, sizeof(err)) < 0);
	assert_non_null(strstr(err, "nobody"));
	assert_int_equal(policy_add_category(policy, "banks", set_of("b.test"),
				 err, sizeof(err)),
		0);
	assert_true(policy_add_category(
			    policy, "banks", kept, err, sizeof(err)) < 0);
	domains_free(kept); /* was never taken */
	policy_free(policy);
}

/* What was decided outlives the policy. */
static void decision_is_a_copy(void **state)
{
	struct policy *policy = policy_new();
	struct decision decision;

	(void)state;
	add(policy,
		&(struct rule_spec){.name = "gone",
			.enabled = true,
			.options = {.action = ACTION_BLOCK}});
	decision = decide(policy, "a.test");
	policy_free(policy);
	assert_string_equal(decision.rule_name, "gone");
	assert_int_equal(decision.options.action, ACTION_BLOCK);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(no_rules),
		cmocka_unit_test(first_match_decides),
		cmocka_unit_test(by_category),
		cmocka_unit_test(no_sni),
		cmocka_unit_test(an_address_is_blocked_whatever_it_is_called),
		cmocka_unit_test(refusals),
		cmocka_unit_test(decision_is_a_copy),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

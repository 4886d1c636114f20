#include "tests/unit/config/told.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#include "policy/policy.h"

static struct decision decide(const struct config *config, const char *host,
	uint16_t port, const char *source)
{
	struct sockaddr_in in = {.sin_family = AF_INET};
	struct facts facts = {
		.source = (struct sockaddr *)&in, .host = host, .port = port,
		.tls = true, .has_sni = true,
	};
	struct decision decision;

	assert_int_equal(inet_pton(AF_INET, source, &in.sin_addr), 1);
	policy_decide(config->policy, &facts, &decision);
	return decision;
}

static void a_policy(void **state)
{
	struct config *config = told_nothing(
		"categories:\n"
		"  banks: {hosts: [.bank.test, pay.test]}\n"
		"  none: {hosts: []}\n"
		"ssl-rules:\n"
		"- {name: Nobody, match: {categories: none}, action: block}\n"
		"- name: Off\n"
		"  enabled: false\n"
		"  action: block\n"
		"- name: Banks\n"
		"  description: leave them alone\n"
		"  match: {categories: [banks], ports: [443, 8000-8001]}\n"
		"  action: do-not-inspect\n"
		"- name: Lab\n"
		"  match:\n"
		"    hosts: '*.lab.test'\n"
		"    sources: [10.0.0.0/8]\n"
		"  action: inspect\n"
		"  untrusted: pass-through\n"
		"  block-no-sni: true\n"
		"  block-undecryptable: false\n"
		"- {name: Rest, action: block, notify: true}\n");
	struct decision d = decide(config, "www.bank.test", 443, "192.0.2.1");

	(void)state;
	assert_int_equal(config->num_rules, 5);
	assert_int_equal(config->num_categories, 2);
	assert_string_equal(d.rule_name, "Banks");
	assert_int_equal(d.options.action, ACTION_DO_NOT_INSPECT);
	assert_string_equal(decide(config, "pay.test", 8001,
		"192.0.2.1").rule_name, "Banks");
	d = decide(config, "pay.test", 8002, "192.0.2.1");
	assert_string_equal(d.rule_name, "Rest");
	assert_int_equal(d.options.action, ACTION_BLOCK);
	assert_true(d.options.notify);
	d = decide(config, "a.lab.test", 1, "10.1.1.1");
	assert_string_equal(d.rule_name, "Lab");
	assert_int_equal(d.options.action, ACTION_INSPECT);
	assert_int_equal(d.options.untrusted, UNTRUSTED_PASS_THROUGH);
	assert_true(d.options.block_no_sni);
	assert_false(d.options.block_undecryptable);
	assert_string_equal(decide(config, "a.lab.test", 1,
		"192.0.2.1").rule_name, "Rest");
	config_free(config);
}

static void defaults_of_a_rule(void **state)
{
	struct config *config = told_nothing(
		"ssl-rules: [{name: a, match: {ports: 1-65535}, "
		"action: inspect}]\n");
	struct decision d = decide(config, "a.test", 443, "192.0.2.1");

	(void)state;
	assert_string_equal(d.rule_name, "a");
	assert_int_equal(d.options.untrusted, UNTRUSTED_BLOCK);
	assert_false(d.options.notify);
	assert_false(d.options.block_no_sni);
	assert_true(d.options.block_undecryptable);
	config_free(config);
}

static void what_makes_no_sense(void **state)
{
	(void)state;
	told_error("ssl-rules:\n"
		"- name: a\n"
		"  match: {ports: 1}\n"
		"  action: block\n"
		"  untrusted: allow\n"
		"- name: b\n"
		"  match: {ports: 1}\n"
		"  action: do-not-inspect\n"
		"  notify: true\n"
		"  block-undecryptable: false\n"
		"  untrusted: block\n",
		"t.yaml:5: untrusted says nothing with action block: the "
		"origin's certificate is not looked at; leave it out\n"
		"t.yaml:9: notify says nothing with action do-not-inspect: it "
		"is for block\n"
		"t.yaml:10: block-undecryptable says nothing with action "
		"do-not-inspect: nothing is decrypted; leave it out\n"
		"t.yaml:11: untrusted says nothing with action "
		"do-not-inspect: the origin's certificate is not looked at; "
		"leave it out\n");
	told_error("ssl-rules:\n"
		"- {name: a, action: block, match: }\n"
		"- {name: b, action: block, match: {hosts: []}}\n",
		"t.yaml:2: ssl-rules[].match has nothing below it; leave it "
		"out to match all\n"
		"t.yaml:3: ssl-rules[].match.hosts is an empty list; give a "
		"value, or leave the key out\n");
}

static void what_is_missing(void **state)
{
	(void)state;
	told_error("ssl-rules:\n"
		"- action: block\n"
		"- name: b\n"
		"- c\n"
		"categories:\n"
		"  d: {}\n"
		"  e: [f]\n",
		"t.yaml:2: this rule has no name\n"
		"t.yaml:3: the rule \"b\" has no action; inspect, "
		"do-not-inspect or block\n"
		"t.yaml:4: a rule must have keys: name, match, action\n"
		"t.yaml:6: the category \"d\" has no hosts\n"
		"t.yaml:7: the category \"e\" must have the key hosts below "
		"it\n");
	told_error("ssl-rules: {name: a}\ncategories: [a]\n",
		"t.yaml:1: ssl-rules must be a list of rules, a dash before "
		"each\n"
		"t.yaml:2: categories must have names of categories below "
		"it\n");
	config_free(told_nothing("ssl-rules:\ncategories:\n"));
}

static void names(void **state)
{
	(void)state;
	told_error("categories:\n"
		"  banks: {hosts: [a.test]}\n"
		"ssl-rules:\n"
		"- name: a\n"
		"  match:\n"
		"    categories:\n"
		"    - banks\n"
		"    - bank\n"
		"  action: block\n"
		"- {name: b, match: {categories: shops}, action: block}\n"
		"- {name: a, match: {ports: 1}, action: block}\n",
		"t.yaml:8: there is no category \"bank\"; did you mean "
		"\"banks\"?\n"
		"t.yaml:10: there is no category \"shops\"; give it under "
		"categories\n"
		"t.yaml:11: the rule in line 4 has the name \"a\" too\n");
	told_error("categories:\n  a: {hosts: [b.test]}\n"
		"  a: {hosts: [c.test]}\n",
		"t.yaml:3: the key \"a\" is there twice, in line 2 too\n");
}

static void what_is_never_reached(void **state)
{
	(void)state;
	told_warning("ssl-rules:\n"
		"- {name: off, enabled: false, action: block}\n"
		"- {name: all, action: inspect}\n"
		"- {name: more, match: {ports: 1}, action: block}\n"
		"- {name: off2, enabled: false, action: block}\n",
		"t.yaml:4: warning: the rule \"more\" never decides: \"all\" "
		"in line 3 matches everything before it\n");
	told_warning("ssl-rules: [{name: a, action: block, "
		"block-no-sni: true}]\n",
		"t.yaml:1: warning: block-no-sni says nothing with action "
		"block: all is blocked\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_policy),
		cmocka_unit_test(defaults_of_a_rule),
		cmocka_unit_test(what_makes_no_sense),
		cmocka_unit_test(what_is_missing),
		cmocka_unit_test(names),
		cmocka_unit_test(what_is_never_reached),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

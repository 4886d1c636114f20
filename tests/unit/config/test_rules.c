#include "tests/unit/config/told.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#include "policy/explain.h"
#include "policy/policy.h"

/* ready seals the policy of text, which must be without a flaw. */
static struct config *ready(const char *text)
{
	struct config *config = told_nothing(text);

	told_seal(config);
	return config;
}

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
	struct config *config = ready(
		"categories:\n"
		"  banks: {hosts: [.bank.test, pay.test]}\n"
		"  none: {hosts: []}\n"
		"ssl-rules:\n"
		"- {name: Nobody, match: {categories: none}, action: block}\n"
		"- name: Off\n"
		"  enabled: false\n"
		"  untrusted: allow\n"
		"- name: Banks\n"
		"  description: leave them alone\n"
		"  match: {categories: [banks], ports: [443, 8000-8001]}\n"
		"  action: do-not-inspect\n"
		"  url-policies: bypass\n"
		"- name: Lab\n"
		"  match:\n"
		"    hosts: '*.lab.test'\n"
		"    sources: [10.0.0.0/8]\n"
		"  action: inspect\n"
		"  untrusted: pass-through\n"
		"  min-client-tls: 1.2\n"
		"  min-server-tls: 1.3\n"
		"  block-no-sni: true\n"
		"  block-undecryptable: false\n"
		"- {name: Rest, action: block, notify: true}\n");
	struct decision d = decide(config, "www.bank.test", 443, "192.0.2.1");

	(void)state;
	assert_int_equal(config->num_rules, 5);
	assert_int_equal(config->num_categories, 2);
	assert_string_equal(d.rule_name, "Banks");
	assert_int_equal(d.options.action, ACTION_DO_NOT_INSPECT);
	assert_int_equal(d.options.url_policies, URL_POLICIES_BYPASS);
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
	assert_int_equal(d.options.min_client_tls, TLS_1_2);
	assert_int_equal(d.options.min_server_tls, TLS_1_3);
	assert_true(d.options.block_no_sni);
	assert_false(d.options.block_undecryptable);
	assert_string_equal(decide(config, "a.lab.test", 1,
		"192.0.2.1").rule_name, "Rest");
	config_free(config);
}

static void defaults_of_a_rule(void **state)
{
	struct config *config = ready(
		"ssl-rules: [{name: a, match: {ports: 1-65535}, "
		"action: inspect}]\n");
	struct decision d = decide(config, "a.test", 443, "192.0.2.1");

	(void)state;
	assert_string_equal(d.rule_name, "a");
	assert_int_equal(d.options.untrusted, UNTRUSTED_BLOCK);
	assert_int_equal(d.options.url_policies, URL_POLICIES_EVALUATE);
	assert_int_equal(d.options.min_client_tls, TLS_ANY);
	assert_false(d.options.notify);
	assert_false(d.options.block_no_sni);
	assert_true(d.options.block_undecryptable);
	config_free(config);
}

/* --- criteria ----------------------------------------------------------- */

static const char *rule_of(const struct config *config,
	const struct facts *facts)
{
	static struct decision decision;

	policy_decide(config->policy, facts, &decision);
	return decision.rule_name;
}

static void people_and_programs(void **state)
{
	struct config *config = ready(
		"users:\n  required: off\n"
		"  groups: {developers: [dev1, dev2], nobody: []}\n"
		"ssl-rules:\n"
		"- {name: Dev, match: {groups: developers, user-agents: git/*},"
		" action: inspect}\n"
		"- {name: Ann, match: {users: [ann, bob]}, not: {users: bob},"
		" action: inspect}\n");
	struct facts facts = {.host = "a.test", .port = 443, .user = "dev2",
		.user_agent = "git/2.39"};

	(void)state;
	assert_string_equal(rule_of(config, &facts), "Dev");
	facts.user_agent = "curl/7";
	assert_string_equal(rule_of(config, &facts), "default");
	facts.user = "ann";
	assert_string_equal(rule_of(config, &facts), "Ann");
	facts.user = "bob";
	assert_string_equal(rule_of(config, &facts), "default");
	facts.user = NULL;
	assert_string_equal(rule_of(config, &facts), "default");
	config_free(config);
}

static void times_of_the_week(void **state)
{
	/* 1700000000: Tuesday, 2023-11-14, 22:13:20 UTC */
	struct config *config = ready("ssl-rules:\n"
		"- {name: Night, match: {times: {days: tue, "
		"hours: 22:00-06:00, zone: UTC}}, action: inspect}\n"
		"- name: Later\n  action: inspect\n  match:\n    times:\n"
		"    - {days: sat, zone: UTC}\n"
		"    - {days: 'wed', hours: 08:00-09:00, zone: '+02:00'}\n");
	struct facts facts = {.host = "a.test", .now = 1700000000};

	(void)state;
	assert_string_equal(rule_of(config, &facts), "Night");
	facts.now += 7 * 3600; /* Wednesday, 05:13 */
	assert_string_equal(rule_of(config, &facts), "Night");
	facts.now += 3600; /* 06:13, which is 08:13 */
	assert_string_equal(rule_of(config, &facts), "Later");
	facts.now += 3600;
	assert_string_equal(rule_of(config, &facts), "default");
	facts.now += 3 * 86400;
	assert_string_equal(rule_of(config, &facts), "Later");
	config_free(config);
	config_free(ready("ssl-rules: [{name: a, action: inspect, match: "
		"{times: {days: mon-fri}}}]\n")); /* local */
}

static void times_that_are_none(void **state)
{
	struct config *config;
	char *told;

	(void)state;
	told_error("ssl-rules:\n"
		"- {name: a, action: block, not: {times: []}}\n"
		"- {name: b, action: block, match: {times: mon-fri}}\n"
		"- {name: c, action: block, match: {times: {}}}\n"
		"- {name: d, action: block, match: {times: [{day: mon}]}}\n"
		"- {name: e, action: block, not: {times: [{days: mon, "
		"zone: ../etc/passwd}]}}\n",
		"t.yaml:2: ssl-rules[].not.times is an empty list; give a "
		"value, or leave the key out\n"
		"t.yaml:3: ssl-rules[].match.times: a time is a map, as {days: "
		"mon-fri, hours: 08:00-18:00}\n"
		"t.yaml:4: ssl-rules[].match.times: a time is a map, as {days: "
		"mon-fri, hours: 08:00-18:00}\n"
		"t.yaml:5: there is no key \"ssl-rules[].match.times[].day\"; "
		"did you mean \"days\"?\n"
		"t.yaml:6: ssl-rules[].not.times: \"../etc/passwd\" is no time "
		"zone; as Europe/Berlin, +02:00, UTC or local\n");
	told = told_load("ssl-rules: [{name: a, action: block, match: {times: "
		"{hours: 8-18, zone: UTC}}}]\n", &config);
	assert_null(config);
	assert_memory_equal(told, "t.yaml:1: ssl-rules[].match.times: ", 35);
	assert_non_null(strstr(told, "8-18"));
	free(told);
}

static void what_only_url_rules_know(void **state)
{
	(void)state;
	told_error("ssl-rules:\n"
		"- name: a\n  action: block\n  match:\n    methods: POST\n"
		"  not:\n    certificate: expired\n",
		"t.yaml:5: ssl-rules[].match.methods is not known when SSL "
		"rules decide; ask about it in url-rules\n"
		"t.yaml:7: ssl-rules[].not.certificate is not known when SSL "
		"rules decide; ask about it in url-rules\n");
}

/* --- URL rules ---------------------------------------------------------- */

static struct url_decision decide_url(const struct config *config,
	const char *host, const char *path, const char *method,
	enum certificate certificate)
{
	struct facts facts = {.host = host, .port = 443, .path = path,
		.method = method, .certificate = certificate};
	struct url_decision decision;

	policy_decide_url(config->policy, &facts, &decision);
	return decision;
}

static void url_rules(void **state)
{
	struct config *config = ready(
		"categories:\n"
		"  copilot: {urls: [github.com/github-copilot]}\n"
		"  risky: {hosts: .risky.test, urls: [a.test/b]}\n"
		"url-rules:\n"
		"- {name: Copilot, match: {categories: copilot}, action: block}\n"
		"- {name: Off, enabled: no}\n"
		"- {name: Read, description: x, match: {categories: risky, "
		"methods: [GET, HEAD]}, action: isolate,"
		" isolate: 'https://iso.test/?url={url}'}\n"
		"- {name: Bad, match: {certificate: untrusted}, "
		"not: {certificate: [expired]}, action: block}\n"
		"- {name: Rest, action: allow}\n");
	struct url_decision d;

	(void)state;
	assert_int_equal(config->num_rules, 0);
	assert_int_equal(config->num_url_rules, 5);
	d = decide_url(config, "github.com", "/github-copilot/x", "GET", 0);
	assert_string_equal(d.rule_name, "Copilot");
	assert_int_equal(d.options.action, URL_BLOCK);
	assert_string_equal(decide_url(config, "github.com", "/github-copilots",
		"GET", 0).rule_name, "Rest");
	d = decide_url(config, "www.risky.test", "/", "GET", 0);
	assert_string_equal(d.rule_name, "Read");
	assert_int_equal(d.options.action, URL_ISOLATE);
	assert_string_equal(d.options.isolate, "https://iso.test/?url={url}");
	assert_string_equal(decide_url(config, "a.test", "/b", "POST",
		0).rule_name, "Rest");
	assert_string_equal(decide_url(config, "c.test", "/", "GET",
		CERTIFICATE_SELF_SIGNED).rule_name, "Bad");
	assert_string_equal(decide_url(config, "c.test", "/", "GET",
		CERTIFICATE_EXPIRED).rule_name, "Rest");
	assert_string_equal(decide_url(config, "c.test", "/", "GET",
		CERTIFICATE_TRUSTED).rule_name, "Rest");
	config_free(config);
}

/* Who is sent to an isolation service arrives there. */
static void isolation_is_not_isolated(void **state)
{
	struct config *config = ready(
		"url-rules:\n"
		"- {name: One, match: {hosts: [.one.test]}, action: isolate,"
		" isolate: 'http://ISO.one.test:443/?url={url}'}\n"
		"- {name: All, action: isolate,"
		" isolate: 'https://iso.test/?url={url}'}\n"
		"- {name: Off, enabled: false, action: isolate,"
		" isolate: 'https://off.test/?url={url}'}\n"
		"- {name: Rest, action: block}\n");

	(void)state;
	assert_string_equal(decide_url(config, "off.test", "/", "GET",
		0).rule_name, "All");
	assert_string_equal(decide_url(config, "a.one.test", "/", "GET",
		0).rule_name, "One");
	assert_string_equal(decide_url(config, "iso.one.test", "/", "GET",
		0).rule_name, "Rest"); /* One's, and so none of All's */
	assert_string_equal(decide_url(config, "iso.test", "/?url=a", "GET",
		0).rule_name, "Rest");
	assert_string_equal(decide_url(config, "a.iso.test", "/", "GET",
		0).rule_name, "All");
	config_free(config);
}

static void url_rules_that_are_wrong(void **state)
{
	(void)state;
	told_error("url-rules:\n"
		"- {name: a}\n"
		"- {action: allow}\n"
		"- {name: c, action: isolate}\n"
		"- {name: d, action: block, isolate: 'http://a.test/{url}'}\n"
		"- {name: e, action: inspect}\n"
		"- {name: f, action: allow, match: {methods: get}}\n"
		"- {name: g, action: allow, match: {certificate: [expird]}}\n"
		"- {name: c, action: allow}\n"
		"- {name: h, action: allow, untrusted: allow}\n",
		"t.yaml:2: the rule \"a\" has no action; allow, block or "
		"isolate\n"
		"t.yaml:3: this rule has no name\n"
		"t.yaml:4: the rule \"c\" has action isolate, but does not say "
		"where to; give isolate, as https://iso.example/?url={url}\n"
		"t.yaml:5: isolate says nothing with action block; leave it "
		"out\n"
		"t.yaml:6: url-rules[].action: there is no \"inspect\"; it is "
		"one of allow|isolate|block\n"
		"t.yaml:7: url-rules[].match.methods: \"get\" is no method; in "
		"capitals, as GET\n"
		"t.yaml:8: url-rules[].match.certificate: there is no "
		"\"expird\"; did you mean \"expired\"?\n"
		"t.yaml:9: the rule in line 4 has the name \"c\" too\n"
		"t.yaml:10: there is no key \"url-rules[].untrusted\"; did you "
		"mean \"untrusted\" below \"ssl-rules[]\"?\n");
	told_error("url-rules: {a: b}\n", "t.yaml:1: url-rules must be a list "
		"of rules, a dash before each\n");
	config_free(told_nothing("ssl-rules: [{name: a, action: block}]\n"
		"url-rules: [{name: a, action: block}]\n"));
}

/* --- mistakes ----------------------------------------------------------- */

static void what_makes_no_sense(void **state)
{
	(void)state;
	told_error("ssl-rules:\n"
		"- name: a\n"
		"  match: {ports: 1}\n"
		"  action: block\n"
		"  untrusted: allow\n"
		"  url-policies: bypass\n"
		"- name: b\n"
		"  match: {ports: 1}\n"
		"  action: do-not-inspect\n"
		"  notify: true\n"
		"  block-undecryptable: false\n"
		"  min-server-tls: 1.3\n"
		"  untrusted: block\n",
		"t.yaml:5: untrusted says nothing with action block: the "
		"origin's certificate is not looked at; leave it out\n"
		"t.yaml:6: url-policies says nothing with action block: there "
		"is nothing left to decide; leave it out\n"
		"t.yaml:10: notify says nothing with action do-not-inspect: it "
		"is for block\n"
		"t.yaml:11: block-undecryptable says nothing with action "
		"do-not-inspect: nothing is decrypted; leave it out\n"
		"t.yaml:12: min-server-tls says nothing with action "
		"do-not-inspect: client and origin speak TLS with each other, "
		"or not at all; leave it out\n"
		"t.yaml:13: untrusted says nothing with action "
		"do-not-inspect: the origin's certificate is not looked at; "
		"leave it out\n");
	told_error("ssl-rules:\n"
		"- {name: a, action: block, match: }\n"
		"- {name: b, action: block, match: {hosts: []}}\n"
		"- {name: c, action: block, not: [a]}\n"
		"- {name: d, action: block, match: {hosts: a.test/b}}\n",
		"t.yaml:2: ssl-rules[].match has nothing below it; leave it "
		"out to match all\n"
		"t.yaml:3: ssl-rules[].match.hosts is an empty list; give a "
		"value, or leave the key out\n"
		"t.yaml:4: ssl-rules[].not must have keys below it\n"
		"t.yaml:5: ssl-rules[].match.hosts: \"a.test/b\" has a path, "
		"and hosts have none; put it in a category\n");
	told_warning("ssl-rules: [{name: a, action: block, "
		"block-no-sni: true}]\n",
		"t.yaml:1: warning: block-no-sni says nothing with action "
		"block: all is blocked\n");
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
		"t.yaml:6: the category \"d\" has nothing in it; give hosts, "
		"urls or file\n"
		"t.yaml:7: the category \"e\" must have the keys hosts, urls "
		"or file below it\n");
	told_error("ssl-rules: {name: a}\ncategories: [a]\n",
		"t.yaml:1: ssl-rules must be a list of rules, a dash before "
		"each\n"
		"t.yaml:2: categories must have names of categories below "
		"it\n");
	config_free(told_nothing("ssl-rules:\nurl-rules:\ncategories:\n"));
}

/* The log, answers and explain call so what no rule decides. */
static void a_name_that_is_taken(void **state)
{
	(void)state;
	told_error("ssl-rules:\n"
		"- {name: default, action: block}\n"
		"url-rules:\n"
		"- action: block\n"
		"  name: default\n",
		"t.yaml:2: no rule can be called \"default\": the log and "
		"others call so what no rule decides; \"Default\" is another "
		"name\n"
		"t.yaml:5: no rule can be called \"default\": the log and "
		"others call so what no rule decides; \"Default\" is another "
		"name\n");
	config_free(told_nothing("ssl-rules:\n"
		"- {name: Default, action: block}\n"
		"- {name: default 2, action: block}\n"));
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
		"- {name: a, match: {ports: 1}, action: block}\n"
		"- {name: c, not: {groups: [developer]}, action: block}\n"
		"url-rules:\n"
		"- {name: d, not: {categories: bnaks}, action: block}\n"
		"users: {required: no, groups: {developers: a}}\n",
		"t.yaml:8: there is no category \"bank\"; did you mean "
		"\"banks\"?\n"
		"t.yaml:10: there is no category \"shops\"; give it under "
		"categories\n"
		"t.yaml:11: the rule in line 4 has the name \"a\" too\n"
		"t.yaml:12: there is no group \"developer\"; did you mean "
		"\"developers\"?\n"
		"t.yaml:14: there is no category \"bnaks\"; did you mean "
		"\"banks\"?\n");
	told_error("ssl-rules: [{name: a, match: {groups: b}, action: block}]",
		"t.yaml:1: there is no group \"b\"; give it under "
		"users.groups\n");
	told_error("categories:\n  a: {hosts: [b.test]}\n"
		"  a: {hosts: [c.test]}\n",
		"t.yaml:3: the key \"a\" is there twice, in line 2 too\n");
	told_error("categories: {\"a\\nb\": {hosts: []}}\n"
		"users: {required: no, groups: {\"\": [\"\\t\"], b: {}}}\n",
		"t.yaml:1: \"a?b\" is no name for a category; 1 to 63 bytes "
		"that can be shown\n"
		"t.yaml:2: \"\" is no name for a group; 1 to 63 bytes that "
		"can be shown\n"
		"t.yaml:2: users.groups.: \"?\" has characters that can't be "
		"shown\n"
		"t.yaml:2: users.groups.b must be a value or a list, not a map "
		"of keys\n");
}

/* --- where rules stand --------------------------------------------------- */

static void keep(void *arg, const struct tried *tried)
{
	*(struct tried *)arg = *tried;
}

static void rules_know_where_they_stand(void **state)
{
	struct config *config = ready("ssl-rules:\n- name: a\n"
		"  action: block\nurl-rules:\n\n- {name: b, action: allow}\n");
	struct facts facts = {.host = "a.test"};
	struct decision decision;
	struct url_decision url;
	struct tried tried;

	(void)state;
	explain_ssl(config->policy, &facts, keep, &tried, &decision);
	assert_string_equal(tried.rule, "a");
	assert_string_equal(tried.file, "t.yaml");
	assert_int_equal(tried.line, 2);
	explain_url(config->policy, &facts, keep, &tried, &url);
	assert_string_equal(tried.rule, "b");
	assert_string_equal(tried.file, "t.yaml");
	assert_int_equal(tried.line, 6);
	config_free(config);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_policy),
		cmocka_unit_test(defaults_of_a_rule),
		cmocka_unit_test(people_and_programs),
		cmocka_unit_test(times_of_the_week),
		cmocka_unit_test(times_that_are_none),
		cmocka_unit_test(what_only_url_rules_know),
		cmocka_unit_test(url_rules),
		cmocka_unit_test(isolation_is_not_isolated),
		cmocka_unit_test(url_rules_that_are_wrong),
		cmocka_unit_test(what_makes_no_sense),
		cmocka_unit_test(what_is_missing),
		cmocka_unit_test(a_name_that_is_taken),
		cmocka_unit_test(names),
		cmocka_unit_test(rules_know_where_they_stand),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

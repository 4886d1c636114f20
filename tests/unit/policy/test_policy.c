#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "policy/policy.h"
#include "tests/support/policies.h"

static char err[400];

static void add(struct policy *policy, const struct rule_spec *spec)
{
	if (policy_add_rule(policy, spec, err, sizeof(err)) != 0)
		fail_msg("%s", err);
}

static void add_url(struct policy *policy, const struct rule_spec *spec)
{
	if (policy_add_url_rule(policy, spec, err, sizeof(err)) != 0)
		fail_msg("%s", err);
}

static void add_category(struct policy *policy, const char *name)
{
	if (policy_add_category(policy, name, err, sizeof(err)) != 0)
		fail_msg("%s", err);
}

/* seal gives the policy its categories, as catalog_of reads them. */
static void seal(struct policy *policy, const char *const *sets, unsigned num)
{
	struct catalog *catalog = sets ? catalog_of(sets, num) : NULL;

	if (policy_seal(policy, catalog, err, sizeof(err)) != 0)
		fail_msg("%s", err);
	catalog_unref(catalog);
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

static struct url_decision decide_url(
	const struct policy *policy, const char *host, const char *path)
{
	struct facts facts = {.host = host, .port = 443, .path = path};
	struct url_decision decision;

	memset(&decision, 0xff, sizeof(decision));
	policy_decide_url(policy, &facts, &decision);
	return decision;
}

static void no_rules(void **state)
{
	struct policy *policy = policy_new();
	struct decision decision;
	struct url_decision url;

	(void)state;
	seal(policy, NULL, 0);
	decision = decide(policy, "example.com");
	assert_int_equal(decision.options.action, ACTION_INSPECT);
	assert_int_equal(decision.options.untrusted, UNTRUSTED_BLOCK);
	assert_int_equal(decision.options.url_policies, URL_POLICIES_EVALUATE);
	assert_false(decision.options.notify);
	assert_false(decision.options.block_no_sni);
	assert_true(decision.options.block_undecryptable);
	assert_string_equal(decision.rule_name, "default");
	url = decide_url(policy, "example.com", "/");
	assert_int_equal(url.options.action, URL_ALLOW);
	assert_null(url.options.isolate);
	assert_string_equal(url.rule_name, "default");
	assert_false(policy_has_url_rules(policy));
	policy_free(policy);
	policy_free(NULL);
	policy_free(policy_new()); /* never sealed */
}

static void first_match_decides(void **state)
{
	static const char *const www[] = {"www.example.com"};
	static const char *const all[] = {".example.com"};
	struct policy *policy = policy_new();
	struct decision decision;

	(void)state;
	add(policy,
		&(struct rule_spec){
			.name = "off", .options = {.action = ACTION_BLOCK}});
	add(policy,
		&(struct rule_spec){.name = "bypass",
			.enabled = true,
			.match = {.hosts = www, .num_hosts = 1},
			.options = {.action = ACTION_DO_NOT_INSPECT}});
	add(policy,
		&(struct rule_spec){.name = "block",
			.enabled = true,
			.match = {.hosts = all, .num_hosts = 1},
			.options = {.action = ACTION_BLOCK, .notify = true}});
	seal(policy, NULL, 0);
	decision = decide(policy, "www.example.com");
	assert_int_equal(decision.options.action, ACTION_DO_NOT_INSPECT);
	assert_string_equal(decision.rule_name, "bypass");
	decision = decide(policy, "api.example.com");
	assert_int_equal(decision.options.action, ACTION_BLOCK);
	assert_true(decision.options.notify);
	decision = decide(policy, "example.org");
	assert_string_equal(decision.rule_name, "default");
	policy_free(policy);
}

/* One category, by its hosts for SSL rules and by its URLs for URL rules. */
static void a_category_for_both_lists(void **state)
{
	static const char *const sets[] = {"",
		"github.com/github-copilot "
		".copilot.test"};
	static const char *const copilot[] = {"copilot"};
	struct policy *policy = policy_new();
	struct rule_spec spec = {.name = "r",
		.enabled = true,
		.match = {.categories = copilot, .num_categories = 1},
		.options = {.action = ACTION_DO_NOT_INSPECT},
		.url = {.action = URL_ISOLATE, .isolate = "https://iso/{url}"}};

	(void)state;
	add_category(policy, "first");
	add_category(policy, "copilot");
	add(policy, &spec);
	add_url(policy, &spec);
	seal(policy, sets, 2);
	assert_string_equal(decide(policy, "github.com").rule_name, "r");
	assert_string_equal(decide(policy, "a.copilot.test").rule_name, "r");
	assert_string_equal(
		decide(policy, "a.github.com").rule_name, "default");
	assert_string_equal(
		decide_url(policy, "github.com", "/github-copilot/x").rule_name,
		"r");
	assert_string_equal(
		decide_url(policy, "github.com", "/github-copilots").rule_name,
		"default");
	assert_string_equal(decide_url(policy, "github.com", NULL).rule_name,
		"default"); /* tunnelled: it is not known to be in it */
	assert_string_equal(
		decide_url(policy, "copilot.test", NULL).options.isolate,
		"https://iso/{url}");
	policy_free(policy);
}

/* not: a category that a tunnelled host is perhaps in. */
static void an_unknown_path_in_not(void **state)
{
	static const char *const sets[] = {"github.com/ours"};
	static const char *const ours[] = {"ours"};
	struct policy *policy = policy_new();
	struct rule_spec spec = {.name = "pass",
		.enabled = true,
		.not = {.categories = ours, .num_categories = 1},
		.url = {.action = URL_ALLOW}};

	(void)state;
	add_category(policy, "ours");
	add_url(policy, &spec);
	spec.name = "stop";
	spec.url.action = URL_BLOCK;
	add_url(policy, &spec);
	seal(policy, sets, 1);
	assert_string_equal(
		decide_url(policy, "github.com", NULL).rule_name, "stop");
	assert_string_equal(
		decide_url(policy, "gitlab.com", NULL).rule_name, "pass");
	assert_string_equal(
		decide_url(policy, "github.com", "/x").rule_name, "pass");
	assert_string_equal(
		decide_url(policy, "github.com", "/ours/x").rule_name,
		"default");
	policy_free(policy);
}

static void hosts_and_categories_must_both_be_met(void **state)
{
	static const char *const sets[] = {".bank.test"};
	static const char *const banks[] = {"banks"};
	static const char *const host[] = {"www.bank.test", "www.a.test"};
	struct policy *policy = policy_new();

	(void)state;
	add_category(policy, "banks");
	add(policy,
		&(struct rule_spec){.name = "both",
			.enabled = true,
			.match = {.categories = banks,
				.num_categories = 1,
				.hosts = host,
				.num_hosts = 2}});
	seal(policy, sets, 1);
	assert_string_equal(decide(policy, "www.bank.test").rule_name, "both");
	assert_string_equal(
		decide(policy, "api.bank.test").rule_name, "default");
	assert_string_equal(decide(policy, "www.a.test").rule_name, "default");
	policy_free(policy);
}

static void by_group(void **state)
{
	static const char *const users[] = {"dev1", "dev2"};
	static const char *const devs[] = {"devs"};
	struct policy *policy = policy_new();
	struct facts facts = {.host = "a.test", .user = "dev2"};
	struct decision decision;

	(void)state;
	assert_int_equal(
		policy_add_group(policy, "devs", users, 2, err, sizeof(err)),
		0);
	add(policy,
		&(struct rule_spec){.name = "devs",
			.enabled = true,
			.match = {.groups = devs, .num_groups = 1}});
	seal(policy, NULL, 0);
	policy_decide(policy, &facts, &decision);
	assert_string_equal(decision.rule_name, "devs");
	facts.user = "dev3";
	policy_decide(policy, &facts, &decision);
	assert_string_equal(decision.rule_name, "default");
	assert_true(policy_knows_user(policy, "dev2"));
	assert_false(policy_knows_user(policy, "dev3"));
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
	add(policy,
		&(struct rule_spec){.name = "bypass",
			.enabled = true,
			.options = {.action = ACTION_DO_NOT_INSPECT,
				.block_no_sni = true}});
	seal(policy, NULL, 0);
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
	static const char *const sets[] = {"10.0.0.0/8 192.0.2.1"};
	static const char *const hosts[] = {"192.0.2.1"},
				 *const bad[] = {"bad"};
	struct facts facts = {.host = "a.test", .address = "192.0.2.1"};
	struct policy *policy = policy_new();
	struct decision decision;

	(void)state;
	add_category(policy, "bad");
	add(policy,
		&(struct rule_spec){.name = "pass",
			.enabled = true,
			.match = {.hosts = hosts, .num_hosts = 1},
			.options = {.action = ACTION_DO_NOT_INSPECT}});
	add(policy,
		&(struct rule_spec){.name = "no",
			.enabled = true,
			.match = {.categories = bad, .num_categories = 1},
			.options = {.action = ACTION_BLOCK}});
	seal(policy, sets, 1);
	policy_decide(policy, &facts, &decision);
	assert_string_equal(decision.rule_name, "no");
	facts.address = "10.2.3.4";
	policy_decide(policy, &facts, &decision);
	assert_string_equal(decision.rule_name, "no");
	facts.address = "11.2.3.4";
	policy_decide(policy, &facts, &decision);
	assert_string_equal(decision.rule_name, "default");
	facts.address = NULL;
	policy_decide(policy, &facts, &decision);
	assert_string_equal(decision.rule_name, "default");
	facts.host = "192.0.2.1";
	policy_decide(policy, &facts, &decision);
	assert_string_equal(decision.rule_name, "pass");
	policy_free(policy);
}

static void what_rules_ask_for(void **state)
{
	struct policy *policy = policy_new();
	struct rule_spec spec = {.name = "off",
		.match = {.certificates = 1 << CERTIFICATE_EXPIRED}};

	(void)state;
	spec.not.destinations = networks_of("10.0.0.0/8");
	add_url(policy, &spec);
	assert_false(policy_asks_certificate(policy)); /* not enabled */
	assert_false(policy_asks_url_destination(policy));
	assert_false(policy_has_url_rules(policy));
	spec.name = "on";
	spec.enabled = true;
	spec.not.destinations = networks_of("10.0.0.0/8");
	add_url(policy, &spec);
	seal(policy, NULL, 0);
	assert_true(policy_asks_certificate(policy));
	assert_true(policy_asks_url_destination(policy));
	assert_false(policy_asks_destination(policy)); /* the other list */
	assert_true(policy_has_url_rules(policy));
	policy_free(policy);
	policy = policy_new();
	add(policy,
		&(struct rule_spec){.name = "on",
			.enabled = true,
			.match = {.destinations = networks_of("::/0")}});
	seal(policy, NULL, 0);
	assert_true(policy_asks_destination(policy));
	assert_false(policy_asks_url_destination(policy));
	assert_false(policy_asks_user_agent(policy));
	policy_free(policy);
	for (int of_urls = 0; of_urls < 2; of_urls++) {
		policy = policy_new();
		spec = (struct rule_spec){.name = "on", .enabled = true};
		spec.not.user_agents = (const char *const[]){"curl/*"};
		spec.not.num_user_agents = 1;
		if (of_urls)
			add_url(policy, &spec);
		else
			add(policy, &spec);
		seal(policy, NULL, 0);
		assert_true(policy_asks_user_agent(policy));
		policy_free(policy);
	}
}

static void refuse(int result, const char *why)
{
	assert_true(result < 0);
	assert_string_equal(err, why);
	err[0] = '\0';
}

static void refusals(void **state)
{
	static const char *const sets[] = {"a.test", "b.test"};
	static const char *const bad[] = {"b.test", "a b"};
	struct catalog *catalog = catalog_of(sets, 2);
	struct policy *policy = policy_new();
	struct netset *kept = networks_of("10.0.0.0/8");

	(void)state;
	add(policy, &(struct rule_spec){.name = "one"});
	refuse(policy_add_rule(policy,
		       &(struct rule_spec){
			       .name = "one", .match = {.sources = kept}},
		       err, sizeof(err)),
		"there are two rules called \"one\"");
	add_url(policy, &(struct rule_spec){.name = "one"}); /* another list */
	add_category(policy, "banks");
	refuse(policy_add_category(policy, "banks", err, sizeof(err)),
		"there are two categories called \"banks\"");
	assert_int_equal(
		policy_add_group(policy, "g", NULL, 0, err, sizeof(err)), 0);
	refuse(policy_add_group(policy, "g", NULL, 0, err, sizeof(err)),
		"there are two groups called \"g\"");
	/* what it began is not another rule's */
	assert_true(policy_add_rule(policy,
			    &(struct rule_spec){.name = "two",
				    .enabled = true,
				    .match = {.hosts = bad,
					    .num_hosts = 2,
					    .sources = kept}},
			    err, sizeof(err)) < 0);
	netset_free(kept); /* was never taken */
	add(policy,
		&(struct rule_spec){.name = "two",
			.enabled = true,
			.match = {.hosts = sets, .num_hosts = 1}});
	refuse(policy_seal(policy, catalog, err, sizeof(err)),
		"a catalog of 2 categories for a policy of 1");
	catalog_unref(catalog);
	seal(policy, sets, 1);
	assert_string_equal(decide(policy, "a.test").rule_name, "two");
	assert_string_equal(decide(policy, "b.test").rule_name, "default");
	refuse(policy_seal(policy, NULL, err, sizeof(err)),
		"the policy is sealed");
	refuse(policy_add_category(policy, "c", err, sizeof(err)),
		"the policy is sealed");
	refuse(policy_add_url_rule(policy, &(struct rule_spec){.name = "u"},
		       err, sizeof(err)),
		"the policy is sealed");
	policy_free(policy);
}

/* As many as there can be of each: bits have room for all. */
static void the_most_there_can_be(void **state)
{
	struct policy *policy = policy_new();
	char name[20], host[40];
	const char *hosts[] = {host}, *categories[] = {name};
	struct rule_spec spec = {.name = name,
		.enabled = true,
		.match = {.hosts = hosts, .num_hosts = 1},
		.not = {.hosts = hosts, .num_hosts = 1},
		.options = {.action = ACTION_BLOCK},
		.url = {.action = URL_BLOCK}};

	(void)state;
	for (unsigned i = 0; i < CATEGORIES_MAX; i++) {
		snprintf(name, sizeof(name), "%u", i);
		add_category(policy, name);
	}
	refuse(policy_add_category(policy, "more", err, sizeof(err)),
		"more than 10000 categories");
	for (unsigned i = 0; i < RULES_MAX; i++) {
		snprintf(name, sizeof(name), "%u", i);
		snprintf(host, sizeof(host), "h%u.test:443", i);
		if (i + 1 == RULES_MAX) { /* the only one that can match */
			spec.not.num_hosts = 0;
			spec.not.categories = categories;
			spec.not.num_categories = 1;
		}
		add(policy, &spec);
		add_url(policy, &spec);
	}
	refuse(policy_add_rule(policy, &spec, err, sizeof(err)),
		"more than 10000 rules");
	seal(policy, NULL, 0);
	assert_string_equal(decide(policy, "h5.test").rule_name, "default");
	assert_string_equal(decide(policy, "h9999.test").rule_name, "9999");
	assert_string_equal(
		decide_url(policy, "h9999.test", NULL).rule_name, "9999");
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
	seal(policy, NULL, 0);
	decision = decide(policy, "a.test");
	policy_free(policy);
	assert_string_equal(decision.rule_name, "gone");
	assert_int_equal(decision.options.action, ACTION_BLOCK);
}

/* Whether the rule that decides was met by the host. */
static void says_whether_the_host_was_asked_for(void **state)
{
	const char *hosts[] = {"a.example"}, *users[] = {"ann"};
	struct rule_spec by_host = {.name = "host", .enabled = true,
		.match = {.hosts = hosts, .num_hosts = 1},
		.not = {.users = users, .num_users = 1}};
	struct rule_spec by_none = {.name = "none", .enabled = true,
		.not = {.hosts = hosts, .num_hosts = 1}};
	struct policy *policy = policy_new();

	(void)state;
	add(policy, &by_host);
	add(policy, &by_none);
	add_url(policy, &by_host);
	seal(policy, NULL, 0);
	assert_true(decide(policy, "a.example").names_host);
	assert_false(decide(policy, "b.example").names_host);
	assert_true(decide_url(policy, "a.example", "/").names_host);
	assert_false(decide_url(policy, "b.example", "/").names_host);
	policy_free(policy);
}

/* ... or would have been another but for it. */
static void says_whether_the_host_was_left_out(void **state)
{
	const char *left[] = {"a.example"}, *users[] = {"ann"};
	struct rule_spec others = {.name = "others", .enabled = true,
		.match = {.users = users, .num_users = 1},
		.not = {.hosts = left, .num_hosts = 1}};
	struct rule_spec rest = {.name = "rest", .enabled = true,
		.not = {.hosts = left, .num_hosts = 1}};
	struct policy *policy = policy_new();

	(void)state;
	add(policy, &others);
	add_url(policy, &others);
	seal(policy, NULL, 0);
	assert_false(decide(policy, "a.example").names_host);
	assert_false(decide_url(policy, "a.example", "/").names_host);
	policy_free(policy);
	policy = policy_new();
	add(policy, &rest);
	add_url(policy, &rest);
	seal(policy, NULL, 0);
	assert_true(decide(policy, "a.example").names_host);
	assert_false(decide(policy, "b.example").names_host);
	assert_true(decide_url(policy, "a.example", "/").names_host);
	assert_false(decide_url(policy, "b.example", "/").names_host);
	policy_free(policy);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(says_whether_the_host_was_left_out),
		cmocka_unit_test(says_whether_the_host_was_asked_for),
		cmocka_unit_test(no_rules),
		cmocka_unit_test(first_match_decides),
		cmocka_unit_test(a_category_for_both_lists),
		cmocka_unit_test(an_unknown_path_in_not),
		cmocka_unit_test(hosts_and_categories_must_both_be_met),
		cmocka_unit_test(by_group),
		cmocka_unit_test(no_sni),
		cmocka_unit_test(an_address_is_blocked_whatever_it_is_called),
		cmocka_unit_test(what_rules_ask_for),
		cmocka_unit_test(refusals),
		cmocka_unit_test(the_most_there_can_be),
		cmocka_unit_test(decision_is_a_copy),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "policy/explain.h"
#include "tests/support/policies.h"

enum { MOST = 8 };

static char err[300];

struct told {
	struct tried tried[MOST];
	unsigned num;
};

static void keep(void *arg, const struct tried *tried)
{
	struct told *told = arg;

	assert_true(told->num < MOST);
	told->tried[told->num++] = *tried;
}

static const char *const sets[] = {".bank.test", "a.test/app", "a.test:8443"};
static const char *const names[] = {"banks", "apps", "ports"};

static struct policy *make(void)
{
	struct policy *policy = policy_new();
	struct catalog *catalog = catalog_of(sets, 3);
	struct rule_spec rules[] = {
		{.name = "Off", .file = "main.yaml", .line = 3},
		{.name = "Banks",
			.enabled = true,
			.match = {.categories = names, .num_categories = 1},
			.file = "main.yaml",
			.line = 7,
			.options = {.action = ACTION_DO_NOT_INSPECT},
			.url = {.action = URL_ISOLATE, .isolate = "i"}},
		{.name = "All",
			.enabled = true,
			.file = "more.yaml",
			.line = 2,
			.options = {.action = ACTION_INSPECT,
				.block_no_sni = true},
			.url = {.action = URL_BLOCK}},
		{.name = "Never", .enabled = true},
	};
	int bad = 0;

	for (unsigned i = 0; i < 3; i++)
		bad |= policy_add_category(policy, names[i], err, sizeof(err));
	for (unsigned i = 0; i < 4; i++) {
		bad |= policy_add_rule(policy, &rules[i], err, sizeof(err));
		bad |= policy_add_url_rule(policy, &rules[i], err, sizeof(err));
	}
	bad |= policy_seal(policy, catalog, err, sizeof(err));
	assert_int_equal(bad, 0);
	catalog_unref(catalog);
	return policy;
}

static void every_rule_down_to_the_one_that_decides(void **state)
{
	struct policy *policy = make();
	struct facts facts = {.host = "a.test"};
	struct decision decision;
	struct told told = {.num = 0};

	(void)state;
	explain_ssl(policy, &facts, keep, &told, &decision);
	assert_int_equal(told.num, 3);
	assert_string_equal(told.tried[0].rule, "Off");
	assert_string_equal(told.tried[0].file, "main.yaml");
	assert_int_equal(told.tried[0].line, 3);
	assert_false(told.tried[0].matched);
	assert_string_equal(told.tried[0].because, "the rule is disabled");
	assert_string_equal(told.tried[1].rule, "Banks");
	assert_false(told.tried[1].matched);
	assert_string_equal(told.tried[1].because,
		"host a.test is in none of the categories banks");
	assert_string_equal(told.tried[2].rule, "All");
	assert_string_equal(told.tried[2].file, "more.yaml");
	assert_true(told.tried[2].matched);
	assert_string_equal(told.tried[2].because, "");
	assert_string_equal(decision.rule_name, "All");
	assert_int_equal(decision.options.action, ACTION_INSPECT);
	facts.tls = true; /* and no SNI: as policy_decide has it */
	told.num = 0;
	explain_ssl(policy, &facts, keep, &told, &decision);
	assert_int_equal(decision.options.action, ACTION_BLOCK);
	policy_free(policy);
}

static void url_rules(void **state)
{
	struct policy *policy = make();
	struct facts facts = {.host = "my.bank.test"};
	struct url_decision decision;
	struct told told = {.num = 0};

	(void)state;
	explain_url(policy, &facts, keep, &told, &decision);
	assert_int_equal(told.num, 2);
	assert_true(told.tried[1].matched);
	assert_string_equal(decision.rule_name, "Banks");
	assert_int_equal(decision.options.action, URL_ISOLATE);
	assert_string_equal(decision.options.isolate, "i");
	policy_free(policy);
}

static void where_a_rule_isolates_to(void **state)
{
	struct policy *policy = policy_new();
	const struct rule_spec spec = {.name = "Away",
		.enabled = true,
		.url = {.action = URL_ISOLATE, .isolate = "i"},
		.isolation = "iso.test",
		.isolation_port = 443};
	struct facts facts = {.host = "iso.test", .port = 443};
	struct url_decision decision;
	struct told told = {.num = 0};

	(void)state;
	assert_int_equal(policy_add_url_rule(policy, &spec, err, sizeof(err)),
		0);
	assert_int_equal(policy_seal(policy, NULL, err, sizeof(err)), 0);
	explain_url(policy, &facts, keep, &told, &decision);
	assert_string_equal(told.tried[0].because,
		"it is where a rule sends what it isolates");
	assert_string_equal(decision.rule_name, "default");
	facts.port = 80; /* another server */
	policy_decide_url(policy, &facts, &decision);
	assert_string_equal(decision.rule_name, "Away");
	policy_free(policy);
}

static enum unsure unsure_of(bool of_not, enum url_action action,
	const struct facts *facts, const char *decides)
{
	struct policy *policy = policy_new();
	struct rule_spec spec = {.name = "Far",
		.enabled = true,
		.url = {.action = action}};
	struct url_decision decision;
	struct told told = {.num = 0};

	*(of_not ? &spec.not.destinations : &spec.match.destinations) =
		networks_of("10.0.0.0/8");
	assert_int_equal(policy_add_url_rule(policy, &spec, err, sizeof(err)),
		0);
	assert_int_equal(policy_seal(policy, NULL, err, sizeof(err)), 0);
	explain_url(policy, facts, keep, &told, &decision);
	assert_string_equal(decision.rule_name, decides);
	policy_free(policy);
	return told.tried[0].unsure;
}

/* What holds for want of knowing, or does not. */
static void what_is_not_known(void **state)
{
	struct sockaddr_in near = {.sin_family = AF_INET,
		.sin_addr.s_addr = htonl(0x0a000001)};
	struct facts facts = {.host = "a.test"};

	(void)state;
	assert_int_equal(unsure_of(false, URL_BLOCK, &facts, "default"),
		UNSURE_DESTINATION);
	assert_int_equal(unsure_of(true, URL_BLOCK, &facts, "Far"),
		UNSURE_DESTINATION);
	assert_int_equal(unsure_of(true, URL_ALLOW, &facts, "default"),
		UNSURE_DESTINATION);
	facts.destination = (const struct sockaddr *)&near;
	assert_int_equal(unsure_of(false, URL_BLOCK, &facts, "Far"),
		UNSURE_NOTHING);
	assert_int_equal(unsure_of(true, URL_BLOCK, &facts, "default"),
		UNSURE_NOTHING);
}

static void without_rules_the_default(void **state)
{
	struct policy *policy = policy_new();
	struct facts facts = {.host = "a.test"};
	struct url_decision url;
	struct decision decision;
	struct told told = {.num = 0};

	(void)state;
	assert_int_equal(policy_seal(policy, NULL, err, sizeof(err)), 0);
	explain_ssl(policy, &facts, keep, &told, &decision);
	explain_url(policy, &facts, keep, &told, &url);
	assert_int_equal(told.num, 0);
	assert_string_equal(decision.rule_name, "default");
	assert_string_equal(url.rule_name, "default");
	policy_free(policy);
}

static void add_name(void *arg, const char *name)
{
	char *out = arg;
	size_t len = strlen(out);

	snprintf(out + len, 100 - len, "%s ", name);
}

static const char *categories_of(const struct policy *policy, const char *host,
	uint16_t port, const char *path, bool by_url)
{
	static char out[100];
	struct facts facts = {.host = host, .port = port, .path = path};

	out[0] = '\0';
	explain_categories(policy, &facts, by_url, add_name, out);
	return out;
}

static void which_categories(void **state)
{
	struct policy *policy = make(), *none = policy_new();

	(void)state;
	assert_string_equal(categories_of(policy, "a.test", 8443, NULL, false),
		"apps ports ");
	assert_string_equal(
		categories_of(policy, "a.test", 443, NULL, true), "");
	assert_string_equal(
		categories_of(policy, "a.test", 443, "/app/x", true), "apps ");
	assert_string_equal(
		categories_of(policy, "a.test", 443, "/x", true), "");
	assert_string_equal(
		categories_of(policy, "bank.test", 443, "/", true), "banks ");
	assert_string_equal(
		categories_of(policy, "b.test", 443, "/", false), "");
	assert_int_equal(policy_seal(none, NULL, err, sizeof(err)), 0);
	assert_string_equal(categories_of(none, "a.test", 443, "/", false), "");
	policy_free(policy);
	policy_free(none);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_rule_down_to_the_one_that_decides),
		cmocka_unit_test(url_rules),
		cmocka_unit_test(where_a_rule_isolates_to),
		cmocka_unit_test(what_is_not_known),
		cmocka_unit_test(without_rules_the_default),
		cmocka_unit_test(which_categories),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "policy/embedded.h"
#include "policy/explain.h"
#include "policy/netset.h"
#include "policy/policy.h"

static char err[400];

static union {
	struct sockaddr any;
	struct sockaddr_in in;
	struct sockaddr_in6 in6;
} place;

static const struct sockaddr *at(const char *text)
{
	memset(&place, 0, sizeof(place));
	if (inet_pton(AF_INET, text, &place.in.sin_addr) == 1)
		place.in.sin_family = AF_INET;
	else if (inet_pton(AF_INET6, text, &place.in6.sin6_addr) == 1)
		place.in6.sin6_family = AF_INET6;
	else
		fail_msg("%s", text);
	return &place.any;
}

static bool holds(const char *outer, const char *wanted)
{
	struct sockaddr_in inner[EMBEDDED_MAX];
	size_t num = embedded_find(at(outer), inner);
	char text[INET_ADDRSTRLEN];

	for (size_t i = 0; i < num; i++) {
		assert_int_equal(inner[i].sin_family, AF_INET);
		inet_ntop(AF_INET, &inner[i].sin_addr, text, sizeof(text));
		if (strcmp(text, wanted) == 0)
			return true;
	}
	return false;
}

static void finds_each_form(void **state)
{
	static const char *const forms[] = {"64:ff9b::c000:207",
		"2002:c000:207::", "2002:c000:207:5::9", "::192.0.2.7",
		"::ffff:0:192.0.2.7", "64:ff9b:1::192.0.2.7",
		"64:ff9b:1:c000:2:700::", "64:ff9b:1:5c0:0:207::",
		"64:ff9b:1:5:c0:2:700:0"};

	(void)state;
	for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++)
		if (!holds(forms[i], "192.0.2.7"))
			fail_msg("%s does not hold 192.0.2.7", forms[i]);
}

static void others_hold_none(void **state)
{
	static const char *const others[] = {"192.0.2.7", "::", "::1",
		"2001:db8::c000:207", "64:ff9a::c000:207", "::ffff:192.0.2.7",
		"64:ff9b:2::c000:207"};
	struct sockaddr_in inner[EMBEDDED_MAX];

	(void)state;
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
		if (embedded_find(at(others[i]), inner) != 0)
			fail_msg("%s holds one", others[i]);
	assert_int_equal(embedded_find(NULL, inner), 0);
}

static struct netset *network(const char *text)
{
	struct netset *netset = netset_new();

	assert_int_equal(netset_add(netset, text, err, sizeof(err)), 0);
	return netset;
}

/* NAT64 is left alone, and 192.0.2.0/24 closed. */
static struct policy *nat64(void)
{
	struct policy *policy = policy_new();
	struct rule_spec alone = {.name = "NAT64", .enabled = true,
		.match = {.destinations = network("64:ff9b::/96")},
		.options = {.action = ACTION_DO_NOT_INSPECT}};
	struct rule_spec closed = {.name = "Closed", .enabled = true,
		.match = {.destinations = network("192.0.2.0/24")},
		.options = {.action = ACTION_BLOCK}};
	struct rule_spec url = {.name = "No URL", .enabled = true,
		.match = {.destinations = network("192.0.2.0/24")},
		.url = {.action = URL_BLOCK}};

	assert_int_equal(policy_add_rule(policy, &alone, err, sizeof(err)), 0);
	assert_int_equal(policy_add_rule(policy, &closed, err, sizeof(err)), 0);
	assert_int_equal(policy_add_url_rule(policy, &url, err, sizeof(err)),
		0);
	assert_int_equal(policy_seal(policy, NULL, err, sizeof(err)), 0);
	return policy;
}

static void on_tried(void *arg, const struct tried *tried)
{
	if (tried->matched)
		snprintf(arg, RULE_NAME_SIZE, "%s", tried->rule);
}

static void expect(const struct policy *policy, const char *to,
	const char *rule, enum url_action url_action)
{
	struct facts facts = {
		.host = "a.example", .port = 443, .destination = at(to)};
	char told[RULE_NAME_SIZE] = "default", told_url[RULE_NAME_SIZE];
	struct decision decision, explained;
	struct url_decision url, explained_url;

	policy_decide(policy, &facts, &decision);
	policy_decide_url(policy, &facts, &url);
	explain_ssl(policy, &facts, on_tried, told, &explained);
	explain_url(policy, &facts, on_tried, told_url, &explained_url);
	assert_string_equal(decision.rule_name, rule);
	assert_string_equal(explained.rule_name, rule);
	assert_string_equal(told, rule);
	assert_int_equal(url.options.action, url_action);
	assert_int_equal(explained_url.options.action, url_action);
	if (url_action == URL_BLOCK)
		assert_string_equal(told_url, "No URL");
}

static void the_strictest_counts(void **state)
{
	struct policy *policy = nat64();

	(void)state;
	expect(policy, "64:ff9b::192.0.2.7", "Closed", URL_BLOCK);
	expect(policy, "2002:c000:207::1", "Closed", URL_BLOCK);
	expect(policy, "192.0.2.7", "Closed", URL_BLOCK);
	expect(policy, "64:ff9b::203.0.113.1", "default", URL_ALLOW);
	expect(policy, "2001:db8::7", "default", URL_ALLOW);
	policy_free(policy);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(finds_each_form),
		cmocka_unit_test(others_hold_none),
		cmocka_unit_test(the_strictest_counts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

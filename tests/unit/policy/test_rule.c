#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <cmocka.h>

#include "policy/category.h"
#include "policy/domains.h"
#include "policy/netset.h"
#include "policy/rule.h"

static char err[300];
static struct categories categories;

static struct domains *set_of(const char *entry)
{
	struct domains *domains = domains_new();

	assert_int_equal(domains_add(domains, entry, err, sizeof(err)), 0);
	return domains;
}

static struct netset *net_of(const char *network)
{
	struct netset *netset = netset_new();

	assert_int_equal(netset_add(netset, network, err, sizeof(err)), 0);
	return netset;
}

static int add_categories(void **state)
{
	(void)state;
	return categories_add(&categories, "banks", set_of(".bank.test"), err,
		       sizeof(err)) ||
		categories_add(&categories, "apps", set_of(".app.test"), err,
			sizeof(err));
}

static int clear_categories(void **state)
{
	(void)state;
	categories_clear(&categories);
	return 0;
}

static struct rule make(const struct rule_spec *spec)
{
	struct rule rule;

	if (rule_init(&rule, spec, &categories, err, sizeof(err)) != 0)
		fail_msg("%s", err);
	return rule;
}

static bool matches(const struct rule *rule, const char *host, uint16_t port)
{
	struct facts facts = {.host = host, .port = port};

	return rule_matches(rule, &facts);
}

static bool matches_from(const struct rule *rule, const char *source)
{
	struct sockaddr_in in = {.sin_family = AF_INET};
	struct facts facts = {.host = "a.test", .port = 443};

	if (source) {
		assert_int_equal(inet_pton(AF_INET, source, &in.sin_addr), 1);
		facts.source = (struct sockaddr *)&in;
	}
	return rule_matches(rule, &facts);
}

static void no_criteria(void **state)
{
	struct rule rule =
		make(&(struct rule_spec){.name = "all", .enabled = true});

	(void)state;
	assert_true(matches(&rule, "example.com", 1));
	assert_true(matches_from(&rule, NULL));
	rule_clear(&rule);
}

static void not_enabled(void **state)
{
	struct rule rule = make(&(struct rule_spec){.name = "off"});

	(void)state;
	assert_false(matches(&rule, "example.com", 443));
	rule_clear(&rule);
}

static void any_of_the_categories(void **state)
{
	const char *const names[] = {"banks", "apps"};
	struct rule rule = make(&(struct rule_spec){.name = "both",
		.enabled = true,
		.categories = names,
		.num_categories = 2});

	(void)state;
	assert_true(matches(&rule, "www.bank.test", 443));
	assert_true(matches(&rule, "app.test", 443));
	assert_false(matches(&rule, "example.com", 443));
	rule_clear(&rule);
}

static void hosts(void **state)
{
	struct rule rule = make(&(struct rule_spec){.name = "hosts",
		.enabled = true,
		.hosts = set_of(".example.com")});

	(void)state;
	assert_true(matches(&rule, "www.example.com", 443));
	assert_false(matches(&rule, "example.org", 443));
	rule_clear(&rule);
}

/* Two criteria: a host must be in both. */
static void categories_and_hosts(void **state)
{
	const char *const names[] = {"banks"};
	struct rule rule = make(&(struct rule_spec){.name = "both",
		.enabled = true,
		.categories = names,
		.num_categories = 1,
		.hosts = set_of("www.bank.test")});

	(void)state;
	assert_true(matches(&rule, "www.bank.test", 443));
	assert_false(matches(&rule, "api.bank.test", 443));
	rule_clear(&rule);
	rule = make(&(struct rule_spec){.name = "neither",
		.enabled = true,
		.categories = names,
		.num_categories = 1,
		.hosts = set_of("example.com")});
	assert_false(matches(&rule, "example.com", 443));
	assert_false(matches(&rule, "www.bank.test", 443));
	rule_clear(&rule);
}

/* Given, and nothing in it: nothing matches, which is not all. */
static void empty_sets(void **state)
{
	struct rule rule = make(&(struct rule_spec){
		.name = "hosts", .enabled = true, .hosts = domains_new()});

	(void)state;
	assert_false(matches(&rule, "example.com", 443));
	rule_clear(&rule);
	rule = make(&(struct rule_spec){
		.name = "sources", .enabled = true, .sources = netset_new()});
	assert_false(matches_from(&rule, "10.0.0.1"));
	rule_clear(&rule);
}

static void sources(void **state)
{
	struct rule rule = make(&(struct rule_spec){.name = "sources",
		.enabled = true,
		.sources = net_of("10.0.0.0/8")});

	(void)state;
	assert_true(matches_from(&rule, "10.1.2.3"));
	assert_false(matches_from(&rule, "192.0.2.1"));
	assert_false(matches_from(&rule, NULL));
	rule_clear(&rule);
}

static void ports(void **state)
{
	struct port_range ranges[] = {{443, 443}, {8000, 8999}, {65535, 65535}};
	struct rule rule = make(&(struct rule_spec){.name = "ports",
		.enabled = true,
		.ports = ranges,
		.num_ports = 3});

	(void)state;
	memset(ranges, 0, sizeof(ranges)); /* they were copied */
	assert_true(matches(&rule, "a.test", 443));
	assert_true(matches(&rule, "a.test", 8000));
	assert_true(matches(&rule, "a.test", 8999));
	assert_true(matches(&rule, "a.test", 65535));
	assert_false(matches(&rule, "a.test", 0));
	assert_false(matches(&rule, "a.test", 442));
	assert_false(matches(&rule, "a.test", 444));
	assert_false(matches(&rule, "a.test", 9000));
	rule_clear(&rule);
}

static void refuse(const struct rule_spec *spec, const char *why)
{
	struct rule rule;

	err[0] = '\0';
	assert_true(rule_init(&rule, spec, &categories, err, sizeof(err)) < 0);
	if (!strstr(err, why))
		fail_msg("\"%s\" is not in \"%s\"", why, err);
}

static void bad_specs(void **state)
{
	const char *const names[] = {"banks", "nobody"};
	const struct port_range ranges[] = {{1, 2}, {444, 443}};
	struct domains *kept = set_of("a.test");
	char name[RULE_NAME_SIZE + 1] = "";

	(void)state;
	refuse(&(struct rule_spec){.name = ""}, "name");
	memset(name, 'n', RULE_NAME_SIZE);
	refuse(&(struct rule_spec){.name = name, .hosts = kept}, "64");
	refuse(&(struct rule_spec){.name = "r",
		       .hosts = kept,
		       .categories = names,
		       .num_categories = 2},
		"nobody");
	refuse(&(struct rule_spec){.name = "r",
		       .hosts = kept,
		       .ports = ranges,
		       .num_ports = 2},
		"444-443");
	domains_free(kept); /* was never taken */
	name[RULE_NAME_SIZE - 1] = '\0';
	struct rule rule = make(&(struct rule_spec){.name = name});
	assert_string_equal(rule.name, name);
	rule_clear(&rule);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(no_criteria),
		cmocka_unit_test(not_enabled),
		cmocka_unit_test(any_of_the_categories),
		cmocka_unit_test(hosts),
		cmocka_unit_test(categories_and_hosts),
		cmocka_unit_test(empty_sets),
		cmocka_unit_test(sources),
		cmocka_unit_test(ports),
		cmocka_unit_test(bad_specs),
	};

	return cmocka_run_group_tests(tests, add_categories, clear_categories);
}

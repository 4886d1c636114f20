#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "policy/shadow.h"
#include "tests/support/policies.h"

/* c0 holds c1; c3 is empty. */
static const char *const sets[] = {
	".a.test b.test 10.0.0.0/8", "x.a.test b.test", "c.test d.test/p",
	""};
static const char *const categories[] = {"c0", "c1", "c2", "c3"};

static char err[300];

static struct policy *policy;
static unsigned num_rules;

static int begin(void **state)
{
	static const char *const users[] = {"ann"};

	(void)state;
	policy = policy_new();
	num_rules = 0;
	for (unsigned i = 0; i < 4; i++)
		if (policy_add_category(
			    policy, categories[i], err, sizeof(err)) ||
			policy_add_group(policy, categories[i], users, 1, err,
				sizeof(err)))
			return -1;
	return 0;
}

static int end(void **state)
{
	(void)state;
	policy_free(policy);
	return 0;
}

static void add_spec(bool url, struct rule_spec spec)
{
	char name[20];

	snprintf(name, sizeof(name), "r%u", num_rules++);
	spec.name = name;
	spec.line = num_rules;
	if (url ? policy_add_url_rule(policy, &spec, err, sizeof(err)) :
		  policy_add_rule(policy, &spec, err, sizeof(err)))
		fail_msg("%s", err);
}

static void add_told(void *arg, const char *rule, unsigned line, const char *by,
	unsigned by_line)
{
	char *out = arg, numbers[40];
	size_t len = strlen(out);

	snprintf(numbers, sizeof(numbers), "r%u r%u", line - 1, by_line - 1);
	assert_int_equal(strncmp(rule, numbers, strlen(rule)), 0);
	assert_string_equal(strchr(numbers, ' ') + 1, by);
	snprintf(out + len, 200 - len, "%s<%s ", rule, by);
}

/* seal_and_tell gives "r1<r0 " where r1 is in the shadow of r0. */
static const char *seal_and_tell(bool url)
{
	static char out[200];
	struct catalog *catalog = catalog_of(sets, 4);

	assert_int_equal(policy_seal(policy, catalog, err, sizeof(err)), 0);
	catalog_unref(catalog);
	out[0] = '\0';
	shadow_each(policy, url, add_told, out);
	return out;
}

/* two makes a policy of two rules alike in all but what they match. */
static const char *two(
	bool url, struct criteria_spec first, struct criteria_spec second)
{
	policy_free(policy);
	begin(NULL);
	add_spec(url, (struct rule_spec){.enabled = true, .match = first});
	add_spec(url, (struct rule_spec){.enabled = true, .match = second});
	return seal_and_tell(url);
}

#define SPEC(...) ((struct criteria_spec){__VA_ARGS__})
#define LIST(name, ...) \
	.name = (const char *const[]){__VA_ARGS__}, \
	.num_##name = \
		sizeof((const char *const[]){__VA_ARGS__}) / sizeof(char *)
#define PORTS(...) \
	.ports = (const struct port_range[]){__VA_ARGS__}, \
	.num_ports = sizeof((const struct port_range[]){__VA_ARGS__}) / \
		sizeof(struct port_range)

static const char shadowed[] = "r1<r0 ", seen[] = "";

static void a_rule_for_all_takes_all(void **state)
{
	(void)state;
	add_spec(false,
		(struct rule_spec){
			.enabled = true, .match = {PORTS({443, 443})}});
	add_spec(false, (struct rule_spec){.enabled = false});
	add_spec(false, (struct rule_spec){.enabled = true});
	add_spec(false,
		(struct rule_spec){
			.enabled = true, .match = {LIST(hosts, "a.test")}});
	add_spec(false, (struct rule_spec){.enabled = false});
	add_spec(false, (struct rule_spec){.enabled = true});
	add_spec(true, (struct rule_spec){.enabled = true});
	assert_string_equal(seal_and_tell(false), "r3<r2 r5<r2 ");
}

static void the_other_list_has_shadows_of_its_own(void **state)
{
	(void)state;
	add_spec(false, (struct rule_spec){.enabled = true});
	add_spec(true, (struct rule_spec){.enabled = true});
	add_spec(true, (struct rule_spec){.enabled = true});
	assert_string_equal(seal_and_tell(true), "r2<r1 ");
}

static void what_only_one_asks_for(void **state)
{
	(void)state;
	assert_string_equal(
		two(false, SPEC(LIST(users, "ann")), SPEC(LIST(groups, "c0"))),
		seen);
	assert_string_equal(
		two(false, SPEC(LIST(users, "ann")),
			SPEC(LIST(users, "ann"), LIST(groups, "c0"))),
		shadowed);
	assert_string_equal(two(false, SPEC(LIST(users, "ann"), PORTS({1, 9})),
				    SPEC(LIST(users, "ann"))),
		seen);
}

static void categories_by_name_and_by_what_is_in_them(void **state)
{
	(void)state;
	assert_string_equal(two(false, SPEC(LIST(categories, "c2", "c0")),
				    SPEC(LIST(categories, "c2"))),
		shadowed);
	assert_string_equal(two(false, SPEC(LIST(categories, "c2")),
				    SPEC(LIST(categories, "c2", "c0"))),
		seen);
	assert_string_equal(two(false, SPEC(LIST(categories, "c0")),
				    SPEC(LIST(categories, "c1"))),
		shadowed);
	assert_string_equal(two(false, SPEC(LIST(categories, "c1")),
				    SPEC(LIST(categories, "c0"))),
		seen);
	assert_string_equal(two(true, SPEC(LIST(categories, "c2", "c0")),
				    SPEC(LIST(categories, "c1", "c2"))),
		shadowed);
	/* an empty one is told of by itself */
	assert_string_equal(two(false, SPEC(LIST(categories, "c0")),
				    SPEC(LIST(categories, "c3"))),
		seen);
}

static void hosts(void **state)
{
	(void)state;
	assert_string_equal(
		two(false, SPEC(LIST(hosts, ".a.test", "10.0.0.0/8")),
			SPEC(LIST(hosts, "x.a.test", "10.1.2.0/24"))),
		shadowed);
	assert_string_equal(two(false, SPEC(LIST(hosts, "10.0.0.0/8")),
				    SPEC(LIST(hosts, "10.1.2.0/24"))),
		shadowed);
	assert_string_equal(two(false, SPEC(LIST(hosts, "a.test")),
				    SPEC(LIST(hosts, "a.test", "b.test"))),
		seen);
	assert_string_equal(two(false, SPEC(LIST(hosts, "a.test")),
				    SPEC(LIST(hosts, ".a.test"))),
		seen);
	assert_string_equal(two(false, SPEC(LIST(hosts, "a.test")),
				    SPEC(LIST(hosts, "a.test:443"))),
		shadowed);
	assert_string_equal(two(false, SPEC(LIST(hosts, "a.test:443")),
				    SPEC(LIST(hosts, "a.test"))),
		seen);
}

/* The first rule's category has all hosts of the second. */
static void hosts_within_a_category(void **state)
{
	(void)state;
	assert_string_equal(
		two(false, SPEC(LIST(categories, "c2", "c0")),
			SPEC(LIST(hosts, "x.a.test", "b.test", "10.1.0.0/16"))),
		shadowed);
	assert_string_equal(two(true, SPEC(LIST(categories, "c0")),
				    SPEC(LIST(hosts, ".x.a.test:443"))),
		shadowed);
	assert_string_equal(
		two(false, SPEC(LIST(categories, "c0")),
			SPEC(LIST(hosts, "b.test"), LIST(categories, "c2"))),
		shadowed);
	assert_string_equal(two(false, SPEC(LIST(categories, "c0")),
				    SPEC(LIST(hosts, ".b.test"))),
		seen);
	assert_string_equal(two(false, SPEC(LIST(categories, "c0")),
				    SPEC(LIST(hosts, "b.test", "c.test"))),
		seen);
	/* of that host only a path is in it */
	assert_string_equal(two(true, SPEC(LIST(categories, "c2")),
				    SPEC(LIST(hosts, "d.test"))),
		seen);
	assert_string_equal(two(false, SPEC(LIST(hosts, "b.test")),
				    SPEC(LIST(categories, "c1"))),
		seen);
}

static void users_and_groups(void **state)
{
	(void)state;
	assert_string_equal(two(false, SPEC(LIST(users, "cid", "ann", "bob")),
				    SPEC(LIST(users, "bob", "cid", "bob"))),
		shadowed);
	assert_string_equal(two(false, SPEC(LIST(users, "cid", "ann")),
				    SPEC(LIST(users, "bob", "cid"))),
		seen);
	assert_string_equal(two(false, SPEC(LIST(groups, "c1", "c0")),
				    SPEC(LIST(groups, "c0"))),
		shadowed);
	assert_string_equal(
		two(false, SPEC(LIST(groups, "c1")), SPEC(LIST(groups, "c0"))),
		seen);
}

static void networks(void **state)
{
	(void)state;
	assert_string_equal(
		two(false, SPEC(.sources = networks_of("10.0.0.0/8")),
			SPEC(.sources = networks_of("10.1.0.0/16"))),
		shadowed);
	assert_string_equal(
		two(false, SPEC(.sources = networks_of("10.1.0.0/16")),
			SPEC(.sources = networks_of("10.0.0.0/8"))),
		seen);
	assert_string_equal(
		two(false, SPEC(.destinations = networks_of("::/0")),
			SPEC(.destinations = networks_of("2001:db8::/32"))),
		shadowed);
	assert_string_equal(
		two(false, SPEC(.destinations = networks_of("::/0")),
			SPEC(.destinations = networks_of("10.0.0.0/8"))),
		seen);
}

static void ports(void **state)
{
	(void)state;
	assert_string_equal(two(false, SPEC(PORTS({80, 80}, {400, 500})),
				    SPEC(PORTS({443, 443}, {80, 80}))),
		shadowed);
	assert_string_equal(
		two(false, SPEC(PORTS({400, 442})), SPEC(PORTS({443, 443}))),
		seen);
	assert_string_equal(
		two(false, SPEC(PORTS({400, 442})), SPEC(PORTS({399, 442}))),
		seen);
}

static void user_agents(void **state)
{
	(void)state;
	assert_string_equal(two(false, SPEC(LIST(user_agents, "GIT/*", "curl")),
				    SPEC(LIST(user_agents, "git/*"))),
		shadowed);
	assert_string_equal(two(false, SPEC(LIST(user_agents, "*")),
				    SPEC(LIST(user_agents, "git/*", "x"))),
		shadowed);
	assert_string_equal(two(false, SPEC(LIST(user_agents, "git/*")),
				    SPEC(LIST(user_agents, "git/2", "*"))),
		seen);
}

static const char *two_times(const char *first, const char *second)
{
	struct window *a = window_of("mon-fri", first, "UTC");
	struct window *b = window_of("mon-fri", second, "UTC");

	return two(false, SPEC(.times = &a, .num_times = 1),
		SPEC(.times = &b, .num_times = 1));
}

static void times(void **state)
{
	(void)state;
	assert_string_equal(two_times("08:00-18:00", "08:00-18:00"), shadowed);
	assert_string_equal(two_times("08:00-18:00", "08:00-18:01"), seen);
	assert_string_equal(two_times("08:00-18:00", "09:00-17:00"), shadowed);
	assert_string_equal(two_times("22:00-06:00", "23:00-05:00"), shadowed);
}

static void methods_and_certificates(void **state)
{
	const uint32_t expired = 1 << CERTIFICATE_EXPIRED;
	const uint32_t weak = 1 << CERTIFICATE_WEAK_KEY;

	(void)state;
	assert_string_equal(two(true, SPEC(LIST(methods, "GET", "PUT")),
				    SPEC(LIST(methods, "PUT"))),
		shadowed);
	assert_string_equal(two(true, SPEC(LIST(methods, "GET")),
				    SPEC(LIST(methods, "PUT"))),
		seen);
	assert_string_equal(two(true, SPEC(.certificates = expired | weak),
				    SPEC(.certificates = weak)),
		shadowed);
	assert_string_equal(two(true, SPEC(.certificates = expired),
				    SPEC(.certificates = expired | weak)),
		seen);
}

/* isolating: all but the services, and then second. */
static const char *isolating(const struct rule_spec *second)
{
	policy_free(policy);
	begin(NULL);
	add_spec(true,
		(struct rule_spec){.enabled = true,
			.url = {.action = URL_ISOLATE},
			.isolation = "x.a.test",
			.isolation_port = 443});
	add_spec(true, *second);
	return seal_and_tell(true);
}

static void what_leads_to_services(void **state)
{
	struct rule_spec spec = {.enabled = true};

	(void)state;
	assert_string_equal(isolating(&spec), seen);
	spec.isolation = "x.a.test";
	spec.isolation_port = 443;
	assert_string_equal(isolating(&spec), shadowed);
	spec.isolation_port = 80; /* either leaves out both */
	assert_string_equal(isolating(&spec), shadowed);
	spec = (struct rule_spec){.enabled = true,
		.match = {LIST(hosts, "c.test", ".a.test")}};
	assert_string_equal(isolating(&spec), seen);
	spec.match = SPEC(LIST(hosts, "a.test", "b.test"));
	assert_string_equal(isolating(&spec), shadowed);
	spec.match = SPEC(LIST(categories, "c2", "c1"));
	assert_string_equal(isolating(&spec), seen);
	spec.match = SPEC(LIST(categories, "c2"));
	assert_string_equal(isolating(&spec), shadowed);
}

/* two_nots: what first leaves out, second must leave out as well. */
static const char *two_nots(struct criteria_spec first,
	struct criteria_spec second, enum url_action first_does,
	enum url_action second_does)
{
	policy_free(policy);
	begin(NULL);
	add_spec(true,
		(struct rule_spec){.enabled = true,
			.not = first,
			.url = {.action = first_does}});
	add_spec(true,
		(struct rule_spec){.enabled = true,
			.not = second,
			.url = {.action = second_does}});
	return seal_and_tell(true);
}

static void nots(void **state)
{
	(void)state;
	assert_string_equal(
		two_nots(SPEC(PORTS({443, 443})), SPEC(PORTS({1, 1023})),
			URL_ALLOW, URL_BLOCK),
		shadowed);
	assert_string_equal(
		two_nots(SPEC(PORTS({1, 1023})), SPEC(PORTS({443, 443})),
			URL_ALLOW, URL_BLOCK),
		seen);
	assert_string_equal(two_nots(SPEC(PORTS({1, 1023})),
				    SPEC(.ports = NULL), URL_ALLOW, URL_BLOCK),
		seen);
	assert_string_equal(
		two_nots(SPEC(.ports = NULL), SPEC(PORTS({1, 1023})), URL_ALLOW,
			URL_BLOCK),
		shadowed);
	assert_string_equal(
		two_nots(SPEC(LIST(hosts, "a.test")),
			SPEC(LIST(hosts, ".a.test")), URL_ALLOW, URL_BLOCK),
		shadowed);
}

/* Where the method is not known the first passes it on, the second blocks. */
static void what_is_not_known_divides_them(void **state)
{
	static const struct {
		enum url_action first, second;
		const char *told;
	} rows[] = {{URL_ALLOW, URL_BLOCK, seen},
		{URL_ALLOW, URL_ISOLATE, seen},
		{URL_ALLOW, URL_ALLOW, shadowed},
		{URL_BLOCK, URL_ALLOW, shadowed},
		{URL_BLOCK, URL_ISOLATE, shadowed}};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		assert_string_equal(two_nots(SPEC(LIST(methods, "PUT")),
					    SPEC(LIST(methods, "PUT")),
					    rows[i].first, rows[i].second),
			rows[i].told);
}

static const char *two_actions(
	struct criteria_spec match, enum action first, enum action second)
{
	policy_free(policy);
	begin(NULL);
	add_spec(false,
		(struct rule_spec){.enabled = true,
			.match = match,
			.options = {.action = first}});
	add_spec(false,
		(struct rule_spec){.enabled = true,
			.match = match,
			.options = {.action = second}});
	return seal_and_tell(false);
}

/* A rule that blocks goes by the address, too, and one that does not does not. */
static void addresses_divide_them(void **state)
{
	const struct criteria_spec host = SPEC(LIST(hosts, "10.0.0.1"));
	const struct criteria_spec port = SPEC(PORTS({443, 443}));

	(void)state;
	assert_string_equal(
		two_actions(host, ACTION_INSPECT, ACTION_BLOCK), seen);
	assert_string_equal(
		two_actions(host, ACTION_BLOCK, ACTION_INSPECT), shadowed);
	assert_string_equal(
		two_actions(host, ACTION_BLOCK, ACTION_BLOCK), shadowed);
	assert_string_equal(
		two_actions(port, ACTION_INSPECT, ACTION_BLOCK), shadowed);
}

/* ... and no address is in what it names. */
static void no_address_divides_them(void **state)
{
	(void)state;
	assert_string_equal(
		two_actions(SPEC(LIST(hosts, "a.test", ".b.test:443")),
			ACTION_INSPECT, ACTION_BLOCK),
		shadowed);
	assert_string_equal(two_actions(SPEC(LIST(categories, "c1", "c2")),
				    ACTION_INSPECT, ACTION_BLOCK),
		shadowed);
	assert_string_equal(
		two_actions(SPEC(LIST(categories, "c0"), LIST(hosts, "b.test")),
			ACTION_INSPECT, ACTION_BLOCK),
		shadowed);
	assert_string_equal(two_actions(SPEC(LIST(categories, "c1", "c0")),
				    ACTION_INSPECT, ACTION_BLOCK),
		seen);
	assert_string_equal(
		two_actions(SPEC(LIST(hosts, "a.test", "2001:db8::1")),
			ACTION_INSPECT, ACTION_BLOCK),
		seen);
	assert_string_equal(two_actions(SPEC(LIST(hosts, "a.test", "::/0")),
				    ACTION_INSPECT, ACTION_BLOCK),
		seen);
}

/* one makes a policy of one rule, which is "r0<r0 " if it can match nothing. */
static const char *one(
	bool url, struct criteria_spec match, struct criteria_spec not )
{
	policy_free(policy);
	begin(NULL);
	add_spec(url,
		(struct rule_spec){
			.enabled = true, .match = match, .not = not });
	return seal_and_tell(url);
}

static void what_not_takes_back(void **state)
{
	static const char nothing[] = "r0<r0 ";

	(void)state;
	assert_string_equal(one(false, SPEC(LIST(hosts, "a.test")),
				    SPEC(LIST(hosts, "a.test"))),
		nothing);
	assert_string_equal(
		one(true, SPEC(LIST(hosts, "a.test"), LIST(methods, "GET")),
			SPEC(LIST(methods, "PUT", "GET"))),
		nothing);
	assert_string_equal(one(false, SPEC(LIST(hosts, "b.test")),
				    SPEC(LIST(categories, "c0"))),
		nothing);
	assert_string_equal(
		one(false, SPEC(PORTS({443, 443})), SPEC(PORTS({1, 1023}))),
		nothing);
	assert_string_equal(one(false, SPEC(LIST(hosts, ".a.test")),
				    SPEC(LIST(hosts, "x.a.test"))),
		seen);
	assert_string_equal(one(false, SPEC(LIST(hosts, "a.test")),
				    SPEC(PORTS({1, 1023}))),
		seen);
	assert_string_equal(
		one(false, SPEC(.hosts = NULL), SPEC(PORTS({1, 1023}))), seen);
}

static void count(void *arg, const char *rule, unsigned line, const char *by,
	unsigned by_line)
{
	(void)rule, (void)line, (void)by, (void)by_line;
	++*(unsigned *)arg;
}

/* Ten thousand rules of a host each: not every pair is looked into. */
static void many_rules(void **state)
{
	unsigned num = 0;
	char host[40];

	(void)state;
	for (unsigned i = 0; i < RULES_MAX; i++) {
		snprintf(host, sizeof(host), "h%u.test", i / 2);
		add_spec(false,
			(struct rule_spec){
				.enabled = true, .match = {LIST(hosts, host)}});
	}
	assert_int_equal(policy_seal(policy, NULL, err, sizeof(err)), 0);
	shadow_each(policy, false, count, &num);
	assert_true(num > 0);
	print_message("%u of %d found\n", num, RULES_MAX / 2);
}

static void used_categories(void **state)
{
	(void)state;
	add_spec(false,
		(struct rule_spec){.enabled = true,
			.match = {LIST(categories, "c1", "c2")}});
	add_spec(false, (struct rule_spec){.match = {LIST(categories, "c0")}});
	add_spec(true,
		(struct rule_spec){
			.enabled = true, .not = {LIST(categories, "c3")}});
	seal_and_tell(false);
	assert_false(policy_category_used(policy, 0)); /* not enabled */
	assert_true(policy_category_used(policy, 1));
	assert_true(policy_category_used(policy, 2));
	assert_true(policy_category_used(policy, 3));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_rule_for_all_takes_all),
		TEST(the_other_list_has_shadows_of_its_own),
		TEST(what_only_one_asks_for),
		TEST(categories_by_name_and_by_what_is_in_them),
		TEST(hosts),
		TEST(hosts_within_a_category),
		TEST(users_and_groups),
		TEST(networks),
		TEST(ports),
		TEST(user_agents),
		TEST(times),
		TEST(methods_and_certificates),
		TEST(nots),
		TEST(what_is_not_known_divides_them),
		TEST(addresses_divide_them),
		TEST(no_address_divides_them),
		TEST(what_leads_to_services),
		TEST(what_not_takes_back),
		TEST(many_rules),
		TEST(used_categories),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "policy/bits.h"
#include "policy/criteria.h"
#include "tests/support/policies.h"

static char err[300];
static struct terms terms;

enum { BANKS, APPS };

static int make_terms(void **state)
{
	static const char *const devs[] = {"dev1", "dev2"};
	static const char *const admins[] = {"root"};

	(void)state;
	roster_put(&terms.categories, "banks");
	roster_put(&terms.categories, "apps");
	return people_add_group(&terms.people, "developers", devs, 2, err,
		       sizeof(err)) ||
		people_add_group(
			&terms.people, "admins", admins, 1, err, sizeof(err));
}

static int clear_terms(void **state)
{
	(void)state;
	roster_clear(&terms.categories);
	people_clear(&terms.people);
	catalog_builder_free(terms.hosts);
	terms = (struct terms){.num_hosts = 0};
	return 0;
}

static struct criteria make(const struct criteria_spec *spec)
{
	struct criteria criteria;

	if (criteria_init(&criteria, spec, &terms, err, sizeof(err)) != 0)
		fail_msg("%s", err);
	criteria_take(&criteria, spec);
	return criteria;
}

static void refuse(const struct criteria_spec *spec, const char *why)
{
	struct criteria criteria;

	err[0] = '\0';
	assert_true(
		criteria_init(&criteria, spec, &terms, err, sizeof(err)) < 0);
	assert_string_equal(err, why);
	assert_int_equal(criteria.given, 0);
}

/* What facts come to, being in no set. */
static struct known known_of(const struct facts *facts)
{
	static const uint64_t none[4];

	return (struct known){.facts = facts,
		.host = facts->host,
		.categories = none,
		.perhaps = none,
		.hosts = none,
		.person = people_find(&terms.people, facts->user)};
}

/* The answer of the only criterion that is given. */
static enum truth ask(
	const struct criteria *criteria, const struct facts *facts)
{
	struct known known = known_of(facts);

	assert_int_equal(criteria->given & (criteria->given - 1), 0);
	return criteria_check(criteria,
		(enum criterion)__builtin_ctz(criteria->given), &known);
}

static void what_is_not_given_is_not_asked(void **state)
{
	struct criteria criteria =
		make(&(struct criteria_spec){.num_categories = 0});
	struct facts facts = {.host = "a.test"};
	struct known known = known_of(&facts);
	enum criterion criterion;
	enum truth truth;

	(void)state;
	assert_int_equal(criteria.given, 0);
	assert_true(criteria_hold(&criteria, &known, &criterion, &truth));
	assert_false(
		criteria_exclude(&criteria, &known, true, &criterion, &truth));
	criteria_clear(&criteria);
}

static void categories(void **state)
{
	const char *const both[] = {"apps", "banks"};
	struct criteria criteria = make(&(struct criteria_spec){
		.categories = both, .num_categories = 2});
	struct facts facts = {.host = "a.test"};
	struct known known = known_of(&facts);
	uint64_t banks[1] = {0}, apps[1] = {0};

	(void)state;
	bits_set(banks, BANKS);
	bits_set(apps, APPS);
	assert_int_equal(criteria.given, CRITERION_BIT(CRITERION_CATEGORIES));
	assert_int_equal(
		criteria_check(&criteria, CRITERION_CATEGORIES, &known),
		TRUTH_FAILS);
	known.perhaps = apps;
	assert_int_equal(
		criteria_check(&criteria, CRITERION_CATEGORIES, &known),
		TRUTH_UNKNOWN);
	known.categories = banks; /* in one for certain: whatever the other */
	assert_int_equal(
		criteria_check(&criteria, CRITERION_CATEGORIES, &known),
		TRUTH_HOLDS);
	criteria_clear(&criteria);
}

static void hosts_are_a_set_of_their_own(void **state)
{
	const char *const one[] = {".Example.COM:8443", "other.test"};
	const char *const two[] = {"10.0.0.0/8"};
	struct criteria first =
		make(&(struct criteria_spec){.hosts = one, .num_hosts = 2});
	struct criteria second =
		make(&(struct criteria_spec){.hosts = two, .num_hosts = 1});
	struct facts facts = {.host = "example.com"};
	struct known known = known_of(&facts);
	uint64_t bits[1] = {0};

	(void)state;
	assert_int_equal(terms.num_hosts, second.hosts + 1);
	assert_int_equal(second.hosts, first.hosts + 1);
	assert_string_equal(first.host, "example.com");
	assert_int_equal(first.host_port, 8443);
	assert_string_equal(second.host, "10.0.0.0");
	assert_int_equal(second.host_port, 0);
	bits_set(bits, first.hosts);
	known.hosts = bits;
	assert_int_equal(
		criteria_check(&first, CRITERION_HOSTS, &known), TRUTH_HOLDS);
	assert_int_equal(
		criteria_check(&second, CRITERION_HOSTS, &known), TRUTH_FAILS);
	criteria_clear(&first);
	criteria_clear(&second);
}

static void users_and_groups(void **state)
{
	const char *const names[] = {"guest", "root"};
	const char *const groups[] = {"developers"};
	struct criteria users =
		make(&(struct criteria_spec){.users = names, .num_users = 2});
	struct criteria devs = make(
		&(struct criteria_spec){.groups = groups, .num_groups = 1});
	struct facts facts = {.host = "a.test"};

	(void)state;
	/* nobody is known to be nobody */
	assert_int_equal(ask(&users, &facts), TRUTH_FAILS);
	assert_int_equal(ask(&devs, &facts), TRUTH_FAILS);
	facts.user = "guest";
	assert_int_equal(ask(&users, &facts), TRUTH_HOLDS);
	assert_int_equal(ask(&devs, &facts), TRUTH_FAILS);
	facts.user = "dev2";
	assert_int_equal(ask(&users, &facts), TRUTH_FAILS);
	assert_int_equal(ask(&devs, &facts), TRUTH_HOLDS);
	facts.user = "stranger";
	assert_int_equal(ask(&users, &facts), TRUTH_FAILS);
	assert_int_equal(ask(&devs, &facts), TRUTH_FAILS);
	criteria_clear(&users);
	criteria_clear(&devs);
}

static void networks(void **state)
{
	struct criteria sources = make(
		&(struct criteria_spec){.sources = networks_of("10.0.0.0/8")});
	struct criteria destinations = make(&(struct criteria_spec){
		.destinations = networks_of("192.0.2.1 2001:db8::/32")});
	struct criteria nowhere =
		make(&(struct criteria_spec){.sources = networks_of("")});
	struct sockaddr_storage one, two;
	struct facts facts = {.host = "a.test"};

	(void)state;
	assert_int_equal(ask(&sources, &facts), TRUTH_UNKNOWN);
	assert_int_equal(ask(&destinations, &facts), TRUTH_UNKNOWN);
	facts.source = address_of("10.1.2.3", &one);
	facts.destination = address_of("2001:db8::1", &two);
	assert_int_equal(ask(&sources, &facts), TRUTH_HOLDS);
	assert_int_equal(ask(&destinations, &facts), TRUTH_HOLDS);
	assert_int_equal(ask(&nowhere, &facts), TRUTH_FAILS);
	facts.source = address_of("192.0.2.1", &one);
	facts.destination = address_of("10.1.2.3", &two);
	assert_int_equal(ask(&sources, &facts), TRUTH_FAILS);
	assert_int_equal(ask(&destinations, &facts), TRUTH_FAILS);
	criteria_clear(&sources);
	criteria_clear(&destinations);
	criteria_clear(&nowhere);
}

static void ports(void **state)
{
	struct port_range ranges[] = {{443, 443}, {8000, 8999}, {65535, 65535}};
	static const struct {
		uint16_t port;
		enum truth truth;
	} rows[] = {{0, TRUTH_FAILS}, {442, TRUTH_FAILS}, {443, TRUTH_HOLDS},
		{444, TRUTH_FAILS}, {7999, TRUTH_FAILS}, {8000, TRUTH_HOLDS},
		{8999, TRUTH_HOLDS}, {9000, TRUTH_FAILS}, {65535, TRUTH_HOLDS}};
	struct criteria criteria =
		make(&(struct criteria_spec){.ports = ranges, .num_ports = 3});

	(void)state;
	memset(ranges, 0, sizeof(ranges)); /* they were copied */
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		assert_int_equal(ask(&criteria,
					 &(struct facts){.host = "a.test",
						 .port = rows[i].port}),
			rows[i].truth);
	criteria_clear(&criteria);
}

static void user_agents(void **state)
{
	const char *const globs[] = {"git/*", "*Curl*"};
	struct criteria criteria = make(&(struct criteria_spec){
		.user_agents = globs, .num_user_agents = 2});
	struct facts facts = {.host = "a.test"};

	(void)state;
	assert_int_equal(ask(&criteria, &facts), TRUTH_FAILS);
	facts.user_agent = "GIT/2.39";
	assert_int_equal(ask(&criteria, &facts), TRUTH_HOLDS);
	facts.user_agent = "my curl";
	assert_int_equal(ask(&criteria, &facts), TRUTH_HOLDS);
	facts.user_agent = "legit/1";
	assert_int_equal(ask(&criteria, &facts), TRUTH_FAILS);
	criteria_clear(&criteria);
}

static void times(void **state)
{
	struct window *windows[] = {window_of("mon", "08:00-09:00", "UTC"),
		window_of("tue", NULL, "UTC")};
	struct criteria criteria =
		make(&(struct criteria_spec){.times = windows, .num_times = 2});
	/* 1970-01-05 was a Monday */
	const time_t monday = 4 * 86400, hour = 3600;

	(void)state;
	assert_int_equal(
		ask(&criteria, &(struct facts){.now = monday + 8 * hour}),
		TRUTH_HOLDS);
	assert_int_equal(
		ask(&criteria, &(struct facts){.now = monday + 9 * hour}),
		TRUTH_FAILS);
	assert_int_equal(
		ask(&criteria, &(struct facts){.now = monday + 33 * hour}),
		TRUTH_HOLDS);
	criteria_clear(&criteria); /* windows, too */
}

static void methods(void **state)
{
	const char *const names[] = {"POST", "PUT"};
	struct criteria criteria = make(
		&(struct criteria_spec){.methods = names, .num_methods = 2});
	struct facts facts = {.host = "a.test"};

	(void)state;
	assert_int_equal(ask(&criteria, &facts), TRUTH_UNKNOWN);
	facts.method = "PUT";
	assert_int_equal(ask(&criteria, &facts), TRUTH_HOLDS);
	facts.method = "put"; /* another method, RFC 9110 9.1 */
	assert_int_equal(ask(&criteria, &facts), TRUTH_FAILS);
	criteria_clear(&criteria);
}

static void certificates(void **state)
{
	struct criteria criteria = make(&(struct criteria_spec){
		.certificates = CRITERION_BIT(CERTIFICATE_EXPIRED) |
			CRITERION_BIT(CERTIFICATE_INVALID)});
	struct facts facts = {.host = "a.test"};

	(void)state;
	assert_int_equal(ask(&criteria, &facts), TRUTH_UNKNOWN);
	facts.certificate = CERTIFICATE_INVALID;
	assert_int_equal(ask(&criteria, &facts), TRUTH_HOLDS);
	facts.certificate = CERTIFICATE_TRUSTED;
	assert_int_equal(ask(&criteria, &facts), TRUTH_FAILS);
	criteria_clear(&criteria);
}

/* Ports hold, the source is not known, the method is another: in this order. */
static void the_first_that_does_not_hold(void **state)
{
	const char *const post[] = {"POST"};
	const struct port_range range = {443, 443};
	struct criteria criteria = make(
		&(struct criteria_spec){.sources = networks_of("10.0.0.0/8"),
			.ports = &range,
			.num_ports = 1,
			.methods = post,
			.num_methods = 1});
	struct sockaddr_storage storage;
	struct facts facts = {.host = "a.test", .port = 443, .method = "GET"};
	struct known known = known_of(&facts);
	enum criterion criterion = CRITERIA;
	enum truth truth = TRUTH_HOLDS;

	(void)state;
	assert_false(criteria_hold(&criteria, &known, &criterion, &truth));
	assert_int_equal(criterion, CRITERION_SOURCES);
	assert_int_equal(truth, TRUTH_UNKNOWN);
	facts.source = address_of("10.0.0.1", &storage);
	assert_false(criteria_hold(&criteria, &known, &criterion, &truth));
	assert_int_equal(criterion, CRITERION_METHODS);
	assert_int_equal(truth, TRUTH_FAILS);
	facts.method = "POST";
	assert_true(criteria_hold(&criteria, &known, &criterion, &truth));
	criteria_clear(&criteria);
}

static void the_unknown_excludes_for_the_wary(void **state)
{
	const char *const post[] = {"POST"};
	struct criteria criteria = make(
		&(struct criteria_spec){.methods = post, .num_methods = 1});
	struct facts facts = {.host = "a.test"};
	struct known known = known_of(&facts);
	enum criterion criterion = CRITERIA;
	enum truth truth = TRUTH_FAILS;

	(void)state;
	assert_false(
		criteria_exclude(&criteria, &known, false, &criterion, &truth));
	assert_true(
		criteria_exclude(&criteria, &known, true, &criterion, &truth));
	assert_int_equal(criterion, CRITERION_METHODS);
	assert_int_equal(truth, TRUTH_UNKNOWN);
	facts.method = "POST";
	assert_true(
		criteria_exclude(&criteria, &known, false, &criterion, &truth));
	assert_int_equal(truth, TRUTH_HOLDS);
	facts.method = "GET";
	assert_false(
		criteria_exclude(&criteria, &known, true, &criterion, &truth));
	criteria_clear(&criteria);
}

static void what_makes_no_criteria(void **state)
{
	const char *const names[] = {"banks", "nobody"};
	const char *const path[] = {"a.test/x"}, *const bad[] = {"a b"};
	const struct port_range ranges[] = {{1, 2}, {444, 443}};
	struct netset *kept = networks_of("10.0.0.0/8");
	struct criteria criteria;

	(void)state;
	refuse(&(struct criteria_spec){.sources = kept,
		       .categories = names,
		       .num_categories = 2},
		"there is no category \"nobody\"");
	refuse(
		&(struct criteria_spec){
			.sources = kept, .groups = names, .num_groups = 2},
		"there is no group \"banks\"");
	refuse(
		&(struct criteria_spec){
			.sources = kept, .ports = ranges, .num_ports = 2},
		"in ports 444-443 the first is the larger");
	refuse(
		&(struct criteria_spec){
			.sources = kept, .hosts = path, .num_hosts = 1},
		"\"a.test/x\" has a path, and hosts have none; it can be an "
		"entry of a category");
	refuse(&(struct criteria_spec){.certificates = 1},
		"certificate names none that there is");
	refuse(&(struct criteria_spec){.certificates = 1u << CERTIFICATES},
		"certificate names none that there is");
	assert_true(
		criteria_init(&criteria,
			&(struct criteria_spec){.hosts = bad, .num_hosts = 1},
			&terms, err, sizeof(err)) < 0);
	assert_non_null(strstr(err, "a b"));
	netset_free(kept); /* was never taken */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_not_given_is_not_asked),
		cmocka_unit_test(categories),
		cmocka_unit_test(hosts_are_a_set_of_their_own),
		cmocka_unit_test(users_and_groups),
		cmocka_unit_test(networks),
		cmocka_unit_test(ports),
		cmocka_unit_test(user_agents),
		cmocka_unit_test(times),
		cmocka_unit_test(methods),
		cmocka_unit_test(certificates),
		cmocka_unit_test(the_first_that_does_not_hold),
		cmocka_unit_test(the_unknown_excludes_for_the_wary),
		cmocka_unit_test(what_makes_no_criteria),
	};

	return cmocka_run_group_tests(tests, make_terms, clear_terms);
}

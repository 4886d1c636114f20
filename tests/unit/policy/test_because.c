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

/* Two categories, banks and apps with a path; two groups. */
static const char *const sets[] = {".bank.test", "a.test/app app.test"};
static const char *const categories[] = {"banks", "apps"};
static const char *const hosts[] = {"a.test"}, *const users[] = {"ann"};
static const char *const groups[] = {"devs", "admins"};
static const char *const agents[] = {"git/*", "b\xc3\xa4r/*"};
static const char *const methods[] = {"POST", "PUT"};
static const struct port_range ports[] = {{443, 443}, {8443, 8443}};
static const uint32_t trusted = 1 << CERTIFICATE_TRUSTED;

/* 1970-01-05 was a Monday */
enum { MONDAY_NOON = 4 * 86400 + 12 * 3600 };

static char err[300];
static struct window *windows[2];

/* window_pair makes the times of a rule, which takes them. */
static struct window *const *window_pair(void)
{
	windows[0] = window_of("mon-fri", "18:00-20:00", "UTC");
	windows[1] = window_of("mon", NULL, "+02:00");
	return windows;
}

static void keep(void *arg, const struct tried *tried)
{
	*(struct tried *)arg = *tried;
}

/* tell makes a policy of one rule and asks why it does not match. */
static const char *tell(bool url, enum url_action action,
	const struct criteria_spec *match, const struct criteria_spec * not,
	const struct facts *facts)
{
	static struct tried tried;
	struct policy *policy = policy_new();
	struct catalog *catalog = catalog_of(sets, 2);
	struct rule_spec spec = {
		.name = "r", .enabled = true, .url = {.action = action}};
	struct url_decision url_decision;
	struct decision decision;
	int bad = 0;

	if (match)
		spec.match = *match;
	if (not)
		spec.not = *not;
	for (unsigned i = 0; i < 2; i++) {
		bad |= policy_add_category(
			policy, categories[i], err, sizeof(err));
		bad |= policy_add_group(
			policy, groups[i], users, 1 - i, err, sizeof(err));
	}
	bad |= url ? policy_add_url_rule(policy, &spec, err, sizeof(err)) :
		     policy_add_rule(policy, &spec, err, sizeof(err));
	bad |= policy_seal(policy, catalog, err, sizeof(err));
	assert_int_equal(bad, 0);
	if (url)
		explain_url(policy, facts, keep, &tried, &url_decision);
	else
		explain_ssl(policy, facts, keep, &tried, &decision);
	catalog_unref(catalog);
	policy_free(policy);
	return tried.matched ? "it matched" : tried.because;
}

/* Of an SSL rule's match; of its not; of a URL rule's match and not. */
#define SSL_MATCH(criteria, ...) \
	tell(false, URL_ALLOW, &(struct criteria_spec)criteria, NULL, \
		&(struct facts){.host = "www.a.test", __VA_ARGS__})
#define SSL_NOT(criteria, ...) \
	tell(false, URL_ALLOW, NULL, &(struct criteria_spec)criteria, \
		&(struct facts){__VA_ARGS__})
#define URL_MATCH(criteria, ...) \
	tell(true, URL_BLOCK, &(struct criteria_spec)criteria, NULL, \
		&(struct facts){.host = "a.test", __VA_ARGS__})
#define URL_NOT(criteria, ...) \
	tell(true, URL_ALLOW, NULL, &(struct criteria_spec)criteria, \
		&(struct facts){.host = "a.test", __VA_ARGS__})

#define OF(name) \
	{ \
		.name = name, .num_##name = sizeof(name) / sizeof(name[0]) \
	}
#define OF_AGENTS \
	{ \
		.user_agents = agents, .num_user_agents = 2 \
	}
#define OF_TIMES \
	{ \
		.times = window_pair(), .num_times = 2 \
	}
#define OF_SOURCES \
	{ \
		.sources = networks_of("10.0.0.0/8") \
	}
#define OF_DESTINATIONS \
	{ \
		.destinations = networks_of("2001:db8::/32") \
	}
#define OF_TRUSTED \
	{ \
		.certificates = trusted \
	}

static void what_does_not_hold(void **state)
{
	struct sockaddr_storage address;

	(void)state;
	assert_string_equal(SSL_MATCH(OF(categories), .port = 1),
		"host www.a.test is in none of the categories banks, apps");
	assert_string_equal(SSL_MATCH(OF(hosts), .port = 1),
		"host www.a.test is none of the hosts asked for");
	assert_string_equal(
		SSL_MATCH(OF(users), .port = 1), "no user is known");
	assert_string_equal(SSL_MATCH(OF(users), .user = "dev1"),
		"user dev1 is none of the users asked for");
	assert_string_equal(
		SSL_MATCH(OF(groups), .port = 1), "no user is known");
	assert_string_equal(SSL_MATCH(OF(groups), .user = "dev1"),
		"user dev1 is in none of the groups devs, admins");
	assert_string_equal(
		SSL_MATCH(OF_SOURCES,
			.source = address_of("192.0.2.7", &address)),
		"source 192.0.2.7 is in none of the networks");
	assert_string_equal(
		SSL_MATCH(OF_SOURCES,
			.source = address_of("::ffff:192.0.2.7", &address)),
		"source 192.0.2.7 is in none of the networks");
	assert_string_equal(
		SSL_MATCH(OF_SOURCES,
			.source = &(struct sockaddr){.sa_family = AF_UNIX}),
		"source of no network is in none of the networks");
	assert_string_equal(
		SSL_MATCH(OF_DESTINATIONS,
			.destination = address_of("2001:db9::1", &address)),
		"destination 2001:db9::1 is in none of the networks");
	assert_string_equal(SSL_MATCH(OF(ports), .port = 65535),
		"port 65535 is not asked for");
	assert_string_equal(
		SSL_MATCH(OF_AGENTS, .port = 1), "no user agent was given");
	assert_string_equal(SSL_MATCH(OF_AGENTS, .user_agent = "curl/8"),
		"user agent curl/8 is like none of git/*, b\xc3\xa4r/*");
	assert_string_equal(SSL_MATCH(OF_TIMES, .now = MONDAY_NOON + 86400),
		"it is Tue 12:00 UTC, outside mon-fri 18:00-20:00 UTC, "
		"mon 00:00-24:00 +02:00");
	assert_string_equal(URL_MATCH(OF(categories), .path = "/other"),
		"URL a.test/other is in none of the categories banks, apps");
	assert_string_equal(URL_MATCH(OF(methods), .method = "GET"),
		"method GET is not asked for");
	assert_string_equal(
		URL_MATCH(OF_TRUSTED, .certificate = CERTIFICATE_EXPIRED),
		"the certificate is expired, which is not asked for");
}

static void what_holds_of_not(void **state)
{
	struct sockaddr_storage address;

	(void)state;
	assert_string_equal(SSL_NOT(OF(categories), .host = "a.test"),
		"not: host a.test is in category apps");
	assert_string_equal(URL_NOT(OF(categories), .path = "/app/x"),
		"not: URL a.test/app/x is in category apps");
	assert_string_equal(SSL_NOT(OF(hosts), .host = "a.test"),
		"not: host a.test is one of the hosts");
	assert_string_equal(SSL_NOT(OF(users), .host = "a.test", .user = "ann"),
		"not: user ann is one of the users");
	assert_string_equal(
		SSL_NOT(OF(groups), .host = "a.test", .user = "ann"),
		"not: user ann is in group devs");
	assert_string_equal(SSL_NOT(OF_SOURCES, .host = "a.test",
				    .source = address_of("10.1.2.3", &address)),
		"not: source 10.1.2.3 is in one of the networks");
	assert_string_equal(
		SSL_NOT(OF_DESTINATIONS, .host = "a.test",
			.destination = address_of("2001:db8::1", &address)),
		"not: destination 2001:db8::1 is in one of the networks");
	assert_string_equal(SSL_NOT(OF(ports), .host = "a.test", .port = 8443),
		"not: port 8443 is one of the ports");
	assert_string_equal(SSL_NOT(OF_AGENTS, .host = "a.test",
				    .user_agent = "B\xc3\xa4R/1"),
		"not: user agent \"B\\xc3\\xa4R/1\" is like b\xc3\xa4r/*");
	assert_string_equal(
		SSL_NOT(OF_TIMES, .host = "a.test", .now = MONDAY_NOON),
		"not: it is Mon 12:00 UTC, inside mon 00:00-24:00 +02:00");
	assert_string_equal(URL_NOT(OF(methods), .method = "PUT"),
		"not: method PUT is one of the methods");
	assert_string_equal(
		URL_NOT(OF_TRUSTED, .certificate = CERTIFICATE_TRUSTED),
		"not: the certificate is trusted");
}

static void what_is_not_known(void **state)
{
	(void)state;
	assert_string_equal(
		SSL_MATCH(OF_SOURCES, .port = 1), "the source is not known");
	assert_string_equal(SSL_MATCH(OF_DESTINATIONS, .port = 1),
		"the destination is not known");
	assert_string_equal(URL_MATCH(OF(methods), .port = 1),
		"the method is not known: the traffic is tunnelled");
	assert_string_equal(URL_MATCH(OF_TRUSTED, .port = 1),
		"the certificate is not known");
	assert_string_equal(URL_MATCH(OF(categories), .port = 1),
		"the path, by which host a.test may be in the categories "
	        "banks, "
		"apps, is not known: the traffic is tunnelled");
	assert_string_equal(URL_NOT(OF(categories), .port = 1),
		"not: the path, by which host a.test may be in the categories "
		"banks, apps, is not known: the traffic is tunnelled");
	assert_string_equal(SSL_NOT(OF_SOURCES, .host = "a.test"),
		"not: the source is not known");
	assert_string_equal(URL_NOT(OF(methods), .port = 1),
		"not: the method is not known: the traffic is tunnelled");
}

/* What a peer says can't write to a terminal, nor a second line. */
static void what_peers_say_is_made_harmless(void **state)
{
	char name[2000];

	(void)state;
	assert_string_equal(
		SSL_MATCH(OF_AGENTS, .user_agent = "x\x1b]0;\n\"matched\""),
		"user agent \"x\\x1b]0;\\x0a\\\"matched\\\"\" is like none of "
		"git/*, b\xc3\xa4r/*");
	memset(name, '\x1b', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	assert_true(strlen(SSL_MATCH(OF(users), .user = name)) < BECAUSE_SIZE);
	assert_null(strchr(SSL_MATCH(OF(users), .user = name), '\x1b'));
	assert_string_equal(SSL_MATCH(OF_TIMES, .now = INT64_MAX / 2),
		"it is a time beyond all years, outside mon-fri 18:00-20:00 "
	        "UTC, "
		"mon 00:00-24:00 +02:00");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_does_not_hold),
		cmocka_unit_test(what_holds_of_not),
		cmocka_unit_test(what_is_not_known),
		cmocka_unit_test(what_peers_say_is_made_harmless),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

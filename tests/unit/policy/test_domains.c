#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "policy/domains.h"
#include "policy/host.h"

static char err[400];

static void add(struct domains *domains, const char *entry)
{
	err[0] = '\0';
	if (domains_add(domains, entry, err, sizeof(err)) != 0)
		fail_msg("%s", err);
}

static void refuse(struct domains *domains, const char *entry)
{
	err[0] = '\0';
	assert_true(domains_add(domains, entry, err, sizeof(err)) < 0);
	assert_non_null(strstr(err, "\""));
}

static void hosts_and_domains(void **state)
{
	struct domains *domains = domains_new();

	(void)state;
	add(domains, "Example.COM");
	add(domains, ".example.org");
	add(domains, "*.example.net.");
	add(domains, "192.0.2.7");
	add(domains, "[2001:DB8::1]");
	add(domains, "m\303\274nchen.de");
	domains_seal(domains);

	assert_true(domains_match(domains, "example.com"));
	assert_false(domains_match(domains, "www.example.com"));
	assert_true(domains_match(domains, "example.org"));
	assert_true(domains_match(domains, "www.example.org"));
	assert_true(domains_match(domains, "a.b.c.example.org"));
	assert_false(domains_match(domains, "badexample.org"));
	assert_false(domains_match(domains, "example.org.evil.test"));
	assert_false(domains_match(domains, "org"));
	assert_true(domains_match(domains, "example.net"));
	assert_true(domains_match(domains, "www.example.net"));
	assert_true(domains_match(domains, "192.0.2.7"));
	assert_false(domains_match(domains, "192.0.2.77"));
	assert_true(domains_match(domains, "2001:db8::1"));
	assert_true(domains_match(domains, "xn--mnchen-3ya.de"));
	assert_false(domains_match(domains, ""));
	domains_free(domains);
}

static void whole_top_level(void **state)
{
	struct domains *domains = domains_new();

	(void)state;
	add(domains, ".test");
	domains_seal(domains);
	assert_true(domains_match(domains, "test"));
	assert_true(domains_match(domains, "a.test"));
	assert_false(domains_match(domains, "atest"));
	assert_false(domains_match(domains, "test.example"));
	domains_free(domains);
}

static void bad_entries(void **state)
{
	struct domains *domains = domains_new();
	char longer[400];

	(void)state;
	refuse(domains, "");
	refuse(domains, ".");
	refuse(domains, "*");
	refuse(domains, "*.");
	refuse(domains, "..example.com");
	refuse(domains, "*.*.example.com");
	refuse(domains, "www.*.example.com");
	refuse(domains, "*example.com");
	refuse(domains, "example.com:443");
	refuse(domains, "https://example.com");
	refuse(domains, "127.1");
	refuse(domains, ".192.0.2.7");
	assert_non_null(strstr(err, "address"));
	refuse(domains, "*.::1");
	memset(longer, 'a', sizeof(longer));
	longer[sizeof(longer) - 1] = '\0';
	refuse(domains, longer);
	domains_free(domains);
}

static void empty_set(void **state)
{
	struct domains *domains = domains_new();

	(void)state;
	domains_seal(domains);
	domains_seal(domains);
	assert_false(domains_match(domains, "example.com"));
	refuse(domains, "example.com"); /* sealed */
	domains_free(domains);
	domains_free(NULL);
}

static void repeated_entries(void **state)
{
	struct domains *domains = domains_new();

	(void)state;
	add(domains, "b.test");
	add(domains, "a.test");
	add(domains, "B.test.");
	add(domains, ".a.test");
	add(domains, "*.A.test");
	domains_seal(domains);
	assert_true(domains_match(domains, "b.test"));
	assert_false(domains_match(domains, "x.b.test"));
	assert_true(domains_match(domains, "x.a.test"));
	domains_free(domains);
}

/* The longest of all, with the dot in front. */
static void longest_name(void **state)
{
	struct domains *domains = domains_new();
	char entry[HOST_SIZE] = ".";
	char longer[HOST_SIZE + 100];

	(void)state;
	for (size_t i = 1; i <= 253; i++)
		entry[i] = i % 50 == 0 ? '.' : 'a';
	entry[254] = '\0';
	add(domains, entry);
	domains_seal(domains);
	assert_true(domains_match(domains, entry + 1));
	assert_false(domains_match(domains, entry + 2));
	memset(longer, 'a', sizeof(longer));
	longer[sizeof(longer) - 1] = '\0';
	assert_false(domains_match(domains, longer));
	domains_free(domains);
}

enum { MANY = 200000 };

/* Every second number is in the set, in an order that is not sorted. */
static void many(void **state)
{
	struct domains *domains = domains_new();
	char name[64];

	(void)state;
	for (unsigned i = 0; i < MANY; i++) {
		unsigned number = (i * 7919u) % MANY * 2;

		snprintf(name, sizeof(name), "%sh%u.example",
			number % 4 ? "." : "", number);
		add(domains, name);
	}
	domains_seal(domains);
	for (unsigned i = 0; i < 2 * MANY; i++) {
		snprintf(name, sizeof(name), "h%u.example", i);
		assert_int_equal(domains_match(domains, name), i % 2 == 0);
		snprintf(name, sizeof(name), "www.h%u.example", i);
		assert_int_equal(domains_match(domains, name), i % 4 == 2);
	}
	domains_free(domains);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(hosts_and_domains),
		cmocka_unit_test(whole_top_level),
		cmocka_unit_test(bad_entries),
		cmocka_unit_test(empty_set),
		cmocka_unit_test(repeated_entries),
		cmocka_unit_test(longest_name),
		cmocka_unit_test(many),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

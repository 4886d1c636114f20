#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "policy/netset.h"
#include "proxy/logbook/filter.h"

static const struct entry one = {.at_ms = 1000, .value = {
	[ENTRY_user] = "Dev1", [ENTRY_policy_action] = "Blocked by SSL rule",
	[ENTRY_kind] = "refused", [ENTRY_client] = "10.1.2.3",
	[ENTRY_host] = "192.0.2.1", [ENTRY_sni] = "www.Example.com",
	[ENTRY_action] = "block", [ENTRY_reason] = "blocked-by-rule"}};

static bool fits(struct filter filter)
{
	return filter_fits(&filter, &one);
}

static void all_must_fit(void **state)
{
	(void)state;
	assert_true(fits((struct filter){0}));
	assert_true(fits((struct filter){.since_ms = 1000, .until_ms = 1001}));
	assert_false(fits((struct filter){.since_ms = 1001}));
	assert_false(fits((struct filter){.until_ms = 1000}));
	assert_true(fits((struct filter){.user = "dev1"}));
	assert_true(fits((struct filter){.user = "d*"}));
	assert_false(fits((struct filter){.user = "dev"}));
	assert_true(fits((struct filter){.reason = "blocked-by-rule"}));
	assert_false(fits((struct filter){.reason = "blocked"}));
	assert_true(fits((struct filter){.kind = "refused"}));
	assert_false(fits((struct filter){.kind = "refused", .user = "x"}));
}

static void hosts_by_name_star_or_dot(void **state)
{
	(void)state;
	assert_true(fits((struct filter){.host = "www.example.com"}));
	assert_true(fits((struct filter){.host = "192.0.2.1"}));
	assert_true(fits((struct filter){.host = "*.example.com"}));
	assert_true(fits((struct filter){.host = ".EXAMPLE.com"}));
	assert_true(fits((struct filter){.host = ".www.example.com"}));
	assert_false(fits((struct filter){.host = "example.com"}));
	assert_false(fits((struct filter){.host = ".ample.com"}));
	assert_false(fits((struct filter){.host = "*.www.example.com"}));
}

static void actions_by_word_or_begin(void **state)
{
	(void)state;
	assert_true(fits((struct filter){.action = "block"}));
	assert_true(fits((struct filter){.action = "blocked"}));
	assert_true(fits((struct filter){.action = "Blocked by SSL rule"}));
	assert_false(fits((struct filter){.action = "inspect"}));
	assert_false(fits((struct filter){.action = "SSL rule"}));
}

static void clients_by_network(void **state)
{
	static const char *const networks[] = {"10.1.0.0/16", "10.2.0.0/16"};
	static const struct entry nobody = {.at_ms = 0};
	char err[256];

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct filter filter = {.client = netset_new()};

		assert_int_equal(netset_add(filter.client, networks[i], err,
			sizeof(err)), 0);
		assert_int_equal(filter_fits(&filter, &one), i == 0);
		assert_false(filter_fits(&filter, &nobody));
		netset_free(filter.client);
	}
	assert_false(filter_fits(&(struct filter){.user = "*"}, &nobody));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(all_must_fit),
		cmocka_unit_test(hosts_by_name_star_or_dot),
		cmocka_unit_test(actions_by_word_or_begin),
		cmocka_unit_test(clients_by_network),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

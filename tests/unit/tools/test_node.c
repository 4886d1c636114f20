#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "proxy/tools/node.h"

static void knows_versions(void **state)
{
	(void)state;
	assert_false(node_knows_proxies("v20.20.2\n"));
	assert_false(node_knows_proxies("v22.20.0\n"));
	assert_true(node_knows_proxies("v22.21.0\n"));
	assert_false(node_knows_proxies("v23.11.0\n"));
	assert_false(node_knows_proxies("v24.4.1\n"));
	assert_true(node_knows_proxies("v24.5.0\n"));
	assert_true(node_knows_proxies("v26.0.0"));
	assert_true(node_knows_proxies("something else"));
	assert_true(node_knows_proxies(""));
}

static void knows_programs(void **state)
{
	(void)state;
	assert_true(node_is("npm"));
	assert_true(node_is("/usr/bin/node"));
	assert_false(node_is("nodemon-like"));
	assert_false(node_is("/opt/node/bin/other"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(knows_versions),
		cmocka_unit_test(knows_programs),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

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
	assert_int_equal(node_reach("v20.20.2\n"), NODE_NONE);
	assert_int_equal(node_reach("v22.20.0\n"), NODE_NONE);
	assert_int_equal(node_reach("v22.21.0\n"), NODE_ALL);
	assert_int_equal(node_reach("v23.11.0\n"), NODE_NONE);
	assert_int_equal(node_reach("v24.4.1\n"), NODE_FETCH);
	assert_int_equal(node_reach("v24.5.0\n"), NODE_ALL);
	assert_int_equal(node_reach("v26.0.0"), NODE_ALL);
	assert_int_equal(node_reach("something else"), NODE_ALL);
	assert_int_equal(node_reach(""), NODE_ALL);
}

static void knows_programs(void **state)
{
	(void)state;
	assert_false(node_is("npm"));
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

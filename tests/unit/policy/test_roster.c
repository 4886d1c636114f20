#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "policy/roster.h"

static void the_number_is_the_place(void **state)
{
	struct roster names = {0};
	char name[] = "banks";
	unsigned number = 77;

	(void)state;
	assert_false(roster_find(&names, "banks", &number));
	assert_int_equal(roster_put(&names, name), 0);
	name[0] = 'x'; /* it was copied */
	assert_int_equal(roster_put(&names, "apps"), 1);
	assert_int_equal(roster_put(&names, ""), 2);
	assert_int_equal(roster_put(&names, "banks"), 0);
	assert_int_equal(names.num, 3);
	assert_true(roster_find(&names, "apps", &number));
	assert_int_equal(number, 1);
	assert_true(roster_find(&names, "", &number));
	assert_int_equal(number, 2);
	assert_false(roster_find(&names, "app", &number));
	assert_false(roster_find(&names, "Apps", &number));
	assert_int_equal(number, 2);
	assert_string_equal(roster_text(&names, 0), "banks");
	assert_string_equal(roster_text(&names, 1), "apps");
	roster_clear(&names);
	roster_clear(&names);
	assert_int_equal(names.num, 0);
}

static void ten_thousand(void **state)
{
	struct roster names = {0};
	char name[20];
	unsigned number = 0;

	(void)state;
	for (unsigned i = 0; i < 10000; i++) {
		snprintf(name, sizeof(name), "name %u", i);
		assert_int_equal(roster_put(&names, name), i);
	}
	for (unsigned i = 0; i < 10000; i++) {
		snprintf(name, sizeof(name), "name %u", i);
		assert_true(roster_find(&names, name, &number));
		assert_int_equal(number, i);
		assert_string_equal(roster_text(&names, i), name);
	}
	roster_clear(&names);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_number_is_the_place),
		cmocka_unit_test(ten_thousand),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "proxy/config/nearest.h"

static void distances(void **state)
{
	char longest[66];

	(void)state;
	assert_int_equal(nearest_distance("listen", "listen"), 0);
	assert_int_equal(nearest_distance("Listen", "lisTEN"), 0);
	assert_int_equal(nearest_distance("lissen", "listen"), 1);
	assert_int_equal(nearest_distance("litsen", "listen"), 1);
	assert_int_equal(nearest_distance("listn", "listen"), 1);
	assert_int_equal(nearest_distance("", "abc"), 3);
	assert_int_equal(nearest_distance("abc", ""), 3);
	assert_int_equal(nearest_distance("ca", "abc"), 3);
	assert_int_equal(nearest_distance("abcdefg", "gfedcba"), 6);
	memset(longest, 'a', 65);
	longest[65] = '\0';
	assert_true(nearest_distance(longest, longest) > 64);
	longest[64] = '\0';
	assert_int_equal(nearest_distance(longest, longest), 0);
}

static void what_was_meant(void **state)
{
	static const char *const keys[] = {"listen", "limits", "log", "state"};

	(void)state;
	assert_string_equal(nearest("limts", keys, 4), "limits");
	assert_string_equal(nearest("LOG", keys, 4), "log");
	assert_string_equal(nearest("sttae", keys, 4), "state");
	assert_string_equal(nearest("lgo", keys, 4), "log");
	assert_null(nearest("foo", keys, 4));
	assert_null(nearest("workers", keys, 4));
	assert_null(nearest("", keys, 4));
	assert_null(nearest("x", keys, 0));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(distances),
		cmocka_unit_test(what_was_meant),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

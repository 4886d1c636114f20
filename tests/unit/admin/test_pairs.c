#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "proxy/admin/pairs.h"

static char out[16];

static enum pairs_found get(const char *text, const char *name)
{
	return pairs_get((struct slice){text, strlen(text)}, name, out,
		sizeof(out));
}

static void finds_values(void **state)
{
	(void)state;
	assert_int_equal(get("a=1&b=two+w%6Frds&c", "b"), PAIRS_FOUND);
	assert_string_equal(out, "two words");
	assert_int_equal(get("a=1&b=2&c", "c"), PAIRS_FOUND);
	assert_string_equal(out, "");
	assert_int_equal(get("&&a=1&", "a"), PAIRS_FOUND);
	assert_string_equal(out, "1");
	assert_int_equal(get("a=b=c", "a"), PAIRS_FOUND);
	assert_string_equal(out, "b=c");
}

static void says_that_there_is_none(void **state)
{
	(void)state;
	assert_int_equal(get("", "a"), PAIRS_NONE);
	assert_int_equal(get("ab=1&A=2&b=a", "a"), PAIRS_NONE);
	assert_string_equal(out, "");
	assert_int_equal(pairs_get((struct slice){NULL, 0}, "a", out,
		sizeof(out)), PAIRS_NONE);
}

static void refuses_what_is_malformed(void **state)
{
	(void)state;
	assert_int_equal(get("a=1&a=1", "a"), PAIRS_BAD);
	assert_int_equal(get("a=%", "a"), PAIRS_BAD);
	assert_int_equal(get("a=%4", "a"), PAIRS_BAD);
	assert_int_equal(get("a=%4g", "a"), PAIRS_BAD);
	assert_int_equal(get("a=%00", "a"), PAIRS_BAD);
	assert_int_equal(get("a=0123456789abcdef", "a"), PAIRS_BAD);
	assert_int_equal(get("a=0123456789abcde", "a"), PAIRS_FOUND);
	/* what is not asked for may be anything */
	assert_int_equal(get("b=%&b=%00&a=1", "a"), PAIRS_FOUND);
}

static void decodes_paths_without_plus(void **state)
{
	(void)state;
	assert_true(pairs_decode((struct slice){"a+b%2fc", 7}, false, out,
		sizeof(out)));
	assert_string_equal(out, "a+b/c");
	assert_false(pairs_decode((struct slice){"a\0b", 3}, false, out,
		sizeof(out)));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(finds_values),
		cmocka_unit_test(says_that_there_is_none),
		cmocka_unit_test(refuses_what_is_malformed),
		cmocka_unit_test(decodes_paths_without_plus),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

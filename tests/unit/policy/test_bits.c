#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "policy/bits.h"

static void next_gives_each_in_order(void **state)
{
	static const unsigned numbers[] = {0, 1, 63, 64, 127, 640, 1000, 1279};
	uint64_t bits[20];
	unsigned at = 0, found = 0;

	(void)state;
	memset(bits, 0xff, sizeof(bits));
	bits_clear(bits, 20);
	for (unsigned i = 0; i < 8; i++)
		bits_set(bits, numbers[i]);
	for (; bits_next(bits, 20, &at); at++)
		assert_int_equal(at, numbers[found++]);
	assert_int_equal(found, 8);
	for (unsigned i = 0; i < 8; i++)
		assert_true(bits_has(bits, numbers[i]));
	assert_false(bits_has(bits, 2));
	assert_false(bits_has(bits, 1278));
}

static void every_set_of_one(void **state)
{
	(void)state;
	for (unsigned words = 1; words < 20; words++)
		for (unsigned one = 0; one < words * 64; one++) {
			uint64_t bits[20] = {0};
			unsigned at = 0;

			bits_set(bits, one);
			assert_true(bits_next(bits, words, &at));
			assert_int_equal(at, one);
			at++;
			assert_false(bits_next(bits, words, &at));
		}
}

static void of_no_words_there_is_none(void **state)
{
	uint64_t bits[1] = {~UINT64_C(0)};
	unsigned at = 0;

	(void)state;
	assert_false(bits_next(bits, 0, &at));
	assert_int_equal(BITS_WORDS(0), 0);
	assert_int_equal(BITS_WORDS(1), 1);
	assert_int_equal(BITS_WORDS(64), 1);
	assert_int_equal(BITS_WORDS(65), 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(next_gives_each_in_order),
		cmocka_unit_test(every_set_of_one),
		cmocka_unit_test(of_no_words_there_is_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

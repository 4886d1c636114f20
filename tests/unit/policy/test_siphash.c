#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "policy/siphash.h"

static uint64_t hash(const char *text, const uint64_t key[2])
{
	struct siphash s = siphash_begin(key);

	for (; *text; text++)
		siphash_put(&s, (uint8_t)*text);
	return siphash_end(&s);
}

/* Python's hash() with PYTHONHASHSEED=0 is SipHash-1-3 under a key of zeros. */
static void is_siphash_1_3(void **state)
{
	static const uint64_t zero[2];

	(void)state;
	assert_true(hash("a", zero) == UINT64_C(0x407448d2b89b1813));
	assert_true(hash("moc.elpmaxe", zero) == UINT64_C(0x56826ebf54d4f819));
	assert_true(hash("01234567", zero) == UINT64_C(0xda3dcedf84ea6cc6));
	assert_true(hash("0123456789abcdef0", zero) ==
		UINT64_C(0xf738bb4f30801228));
}

static void depends_on_the_key(void **state)
{
	static const uint64_t zero[2], one[2] = {1, 0}, other[2] = {0, 1};

	(void)state;
	assert_true(hash("a", zero) != hash("a", one));
	assert_true(hash("a", zero) != hash("a", other));
}

static void goes_on_after_it_was_asked(void **state)
{
	static const uint64_t key[2] = {3, 4};
	struct siphash s = siphash_begin(key);
	const char *text = "0123456789abcdef", *at = text;
	char begin[17] = "";

	(void)state;
	for (; *at; at++) {
		assert_true(siphash_end(&s) == hash(begin, key));
		siphash_put(&s, (uint8_t)*at);
		begin[at - text] = *at;
	}
	assert_true(siphash_end(&s) == hash(text, key));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(is_siphash_1_3),
		cmocka_unit_test(depends_on_the_key),
		cmocka_unit_test(goes_on_after_it_was_asked),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

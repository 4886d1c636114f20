#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <openssl/bytestring.h>
#include <openssl/evp.h>

#include "pki/base.h"
#include "pki/leafkeys.h"

static void check(const struct leafkeys *keys, enum leaf_key_type type, int id,
	int bits)
{
	EVP_PKEY *key = leafkeys_key(keys, type), *public;
	CBS spki = der_cbs(leafkeys_spki(keys, type));

	assert_int_equal(EVP_PKEY_id(key), id);
	assert_int_equal(EVP_PKEY_bits(key), bits);
	public = EVP_parse_public_key(&spki);
	assert_non_null(public);
	assert_int_equal(CBS_len(&spki), 0);
	assert_int_equal(EVP_PKEY_cmp(public, key), 1);
	EVP_PKEY_free(public);
}

static void has_one_of_each(void **state)
{
	struct leafkeys *keys = leafkeys_new();

	(void)state;
	check(keys, LEAF_KEY_P256, EVP_PKEY_EC, 256);
	check(keys, LEAF_KEY_RSA2048, EVP_PKEY_RSA, 2048);
	leafkeys_free(keys);
	leafkeys_free(NULL);
}

static void makes_new_ones_each_time(void **state)
{
	struct leafkeys *a = leafkeys_new(), *b = leafkeys_new();

	(void)state;
	assert_false(der_same(leafkeys_spki(a, LEAF_KEY_P256),
		leafkeys_spki(b, LEAF_KEY_P256)));
	leafkeys_free(a);
	leafkeys_free(b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(has_one_of_each),
		cmocka_unit_test(makes_new_ones_each_time),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

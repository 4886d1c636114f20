#include "pki/keymaker.h"

#include <openssl/bn.h>
#include <openssl/ec_key.h>
#include <openssl/evp.h>
#include <openssl/mem.h>
#include <openssl/nid.h>
#include <openssl/rand.h>
#include <openssl/rsa.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct {
	const char *name;
	int curve, bits; /* one of them */
} kinds[NUM_KEY_KINDS] = {
	[KEY_EC_P256] = {"EC_P256", NID_X9_62_prime256v1, 0},
	[KEY_EC_P384] = {"EC_P384", NID_secp384r1, 0},
	[KEY_RSA_2K] = {"RSA_2K", 0, 2048},
	[KEY_RSA_3K] = {"RSA_3K", 0, 3072},
	[KEY_RSA_4K] = {"RSA_4K", 0, 4096},
};

static EVP_PKEY *make_ec_key(int curve)
{
	EC_KEY *ec = EC_KEY_new_by_curve_name(curve);
	EVP_PKEY *key = EVP_PKEY_new();

	if (!ec || !key || !EC_KEY_generate_key(ec) ||
	    !EVP_PKEY_set1_EC_KEY(key, ec))
		abort();
	EC_KEY_free(ec);
	return key;
}

EVP_PKEY *make_rsa_key(int bits)
{
	EVP_PKEY *key = EVP_PKEY_new();
	BIGNUM *exponent = BN_new();
	RSA *rsa = RSA_new();

	if (!key || !exponent || !rsa || !BN_set_word(exponent, RSA_F4) ||
	    !RSA_generate_key_ex(rsa, bits, exponent, NULL) ||
	    !EVP_PKEY_set1_RSA(key, rsa))
		abort();
	RSA_free(rsa);
	BN_free(exponent);
	return key;
}

EVP_PKEY *make_p256_key(void)
{
	return make_ec_key(NID_X9_62_prime256v1);
}

EVP_PKEY *make_key(enum key_kind kind)
{
	return kinds[kind].curve ? make_ec_key(kinds[kind].curve) :
				   make_rsa_key(kinds[kind].bits);
}

const char *key_kind_name(enum key_kind kind)
{
	return kinds[kind].name;
}

bool key_kind_named(const char *name, enum key_kind *out)
{
	for (int i = 0; i < (int)NUM_KEY_KINDS; i++) {
		if (strcmp(kinds[i].name, name) == 0) {
			*out = (enum key_kind)i;
			return true;
		}
	}
	return false;
}

void make_chance(size_t num, char *out)
{
	uint8_t byte;

	for (size_t i = 0; i < num; i++) {
		RAND_bytes(&byte, 1);
		snprintf(out + 2 * i, 3, "%02x", byte);
	}
	OPENSSL_cleanse(&byte, 1);
}

const char *key_type_name(const EVP_PKEY *key)
{
	int bits = EVP_PKEY_bits(key);

	if (EVP_PKEY_id(key) == EVP_PKEY_EC)
		return bits == 384 ? "EC_P384" : "EC_P256";
	if (bits <= 2048)
		return "RSA_2K";
	return bits <= 3072 ? "RSA_3K" : "RSA_4K";
}

CRYPTO_BUFFER *key_spki(const EVP_PKEY *key)
{
	CRYPTO_BUFFER *spki = NULL;
	CBB cbb;

	if (CBB_init(&cbb, 320) && EVP_marshal_public_key(&cbb, key))
		spki = der_finish(&cbb);
	if (!spki)
		abort();
	return spki;
}

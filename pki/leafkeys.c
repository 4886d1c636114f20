#include "pki/leafkeys.h"

#include <openssl/evp.h>
#include <stdlib.h>

#include "pki/base.h"
#include "pki/keymaker.h"

enum { LEAF_KEY_TYPES = 2 };

struct leafkeys {
	struct {
		EVP_PKEY *key;       /* owned */
		CRYPTO_BUFFER *spki; /* owned */
	} pairs[LEAF_KEY_TYPES];
};

struct leafkeys *leafkeys_new(void)
{
	struct leafkeys *keys = pki_new(sizeof(*keys));

	keys->pairs[LEAF_KEY_P256].key = make_p256_key();
	keys->pairs[LEAF_KEY_RSA2048].key = make_rsa_key(2048);
	for (size_t i = 0; i < LEAF_KEY_TYPES; i++)
		keys->pairs[i].spki = key_spki(keys->pairs[i].key);
	return keys;
}

void leafkeys_free(struct leafkeys *keys)
{
	if (!keys)
		return;
	for (size_t i = 0; i < LEAF_KEY_TYPES; i++) {
		EVP_PKEY_free(keys->pairs[i].key); /* which wipes it */
		CRYPTO_BUFFER_free(keys->pairs[i].spki);
	}
	free(keys);
}

EVP_PKEY *leafkeys_key(const struct leafkeys *keys, enum leaf_key_type type)
{
	return keys->pairs[type].key;
}

struct der leafkeys_spki(const struct leafkeys *keys, enum leaf_key_type type)
{
	return der_of(keys->pairs[type].spki);
}

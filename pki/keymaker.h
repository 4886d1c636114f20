/*
 * keymaker.h - new key pairs, and other chance.
 *
 * Making them fails only where there is no memory or no chance to be had;
 * both end the program, so the results are never NULL. Owned by the caller.
 *
 * Threads: any; RSA takes long, so that is not for a loop.
 */
#ifndef PKI_KEYMAKER_H
#define PKI_KEYMAKER_H

#include "pki/base.h"

enum key_kind {
	KEY_EC_P256,
	KEY_EC_P384,
	KEY_RSA_2K,
	KEY_RSA_3K,
	KEY_RSA_4K,
	NUM_KEY_KINDS,
};

EVP_PKEY *make_key(enum key_kind kind);
EVP_PKEY *make_p256_key(void);
EVP_PKEY *make_rsa_key(int bits); /* public exponent 65537 */

/* make_chance writes num bytes of chance in hexadecimal: twice as many letters
 * and a NUL. */
void make_chance(size_t num, char *out);

/* The REST API's words for keys, "EC_P256"; key_kind_named: false, no such. */
const char *key_type_name(const EVP_PKEY *key);
const char *key_kind_name(enum key_kind kind);
bool key_kind_named(const char *name, enum key_kind *out);

/* key_spki is the DER of its SubjectPublicKeyInfo. */
CRYPTO_BUFFER *key_spki(const EVP_PKEY *key);

#endif

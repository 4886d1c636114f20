/*
 * keymaker.h - new key pairs, and other chance.
 *
 * Making them fails only where there is no memory or no chance to be had;
 * both end the program, so the results are never NULL. Owned by the caller.
 */
#ifndef PKI_KEYMAKER_H
#define PKI_KEYMAKER_H

#include "pki/base.h"

EVP_PKEY *make_p256_key(void);
EVP_PKEY *make_rsa_key(int bits); /* public exponent 65537 */

/* make_chance writes num bytes of chance in hexadecimal: twice as many letters
 * and a NUL. */
void make_chance(size_t num, char *out);

/* key_type_name is the REST API's word for a key, "EC_P256". */
const char *key_type_name(const EVP_PKEY *key);

/* key_spki is the DER of its SubjectPublicKeyInfo. */
CRYPTO_BUFFER *key_spki(const EVP_PKEY *key);

#endif

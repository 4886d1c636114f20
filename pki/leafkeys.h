/*
 * leafkeys.h - the private keys of forged leaves: one P-256 and one RSA-2048
 * key pair a process, made at start, never a CA's.
 *
 * Owns: the keys, wiped when freed. Threads: immutable, any.
 */
#ifndef PKI_LEAFKEYS_H
#define PKI_LEAFKEYS_H

#include <openssl/base.h>

#include "pki/der.h"

struct leafkeys;

enum leaf_key_type {
	LEAF_KEY_P256,
	LEAF_KEY_RSA2048,
};

struct leafkeys *leafkeys_new(void);
void leafkeys_free(struct leafkeys *keys);
EVP_PKEY *leafkeys_key(const struct leafkeys *keys, enum leaf_key_type type);
struct der leafkeys_spki(const struct leafkeys *keys, enum leaf_key_type type);

#endif

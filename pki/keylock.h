/*
 * keylock.h - private keys encrypted at rest: PKCS#8 under PBES2 with
 * AES-256-CBC, and PBKDF2 with HMAC-SHA-256 (RFC 8018), so that `openssl pkey`
 * opens them too.
 *
 * One passphrase has one salt, taken from the first key that it opens or made
 * for the first that it locks: all keys of an installation are then opened for
 * the price of one derivation, and a guess costs no less.
 *
 * What a key is for is sealed in with it (an attribute of the PrivateKeyInfo,
 * RFC 5208, 5): who can write to the database still can't have the root's key
 * do an intermediate's work.
 *
 * Owns:    the passphrase and what was derived from it, wiped when freed.
 * Threads: any.
 */
#ifndef PKI_KEYLOCK_H
#define PKI_KEYLOCK_H

#include "pki/base.h"

enum {
	KEYLOCK_ROUNDS = 600000,
	KEYLOCK_PASSPHRASE_MAX = 1024,
};

struct keylock;

enum key_role {
	KEY_ROLE_NONE,         /* locked by an older version */
	KEY_ROLE_ROOT,         /* signs our intermediates */
	KEY_ROLE_INTERMEDIATE, /* signs issuing CAs, or leaves */
	KEY_ROLE_UNTRUSTED,    /* signs leaves that nobody shall trust */
};

/* keylock_new copies the passphrase: at most KEYLOCK_PASSPHRASE_MAX bytes. */
struct keylock *keylock_new(const char *passphrase, size_t len);
void keylock_free(struct keylock *lock);

/* keylock_lock gives the encrypted key, an owned reference; never NULL. */
CRYPTO_BUFFER *keylock_lock(struct keylock *lock, const EVP_PKEY *key,
	enum key_role role);

/* keylock_unlock gives the key, owned by the caller; NULL: not this passphrase,
 * or no such thing. What older versions wrote is opened too, and what openssl
 * writes with as many rounds (pkcs8 -iter). */
EVP_PKEY *keylock_unlock(struct keylock *lock, struct der locked,
	enum key_role *out_role) MUST_CHECK;

/* keylock_is_current: locked as keylock_lock does it now. */
bool keylock_is_current(struct der locked);

#endif

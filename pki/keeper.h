/*
 * keeper.h - private keys encrypted at rest: PKCS#8 with PBES2, AES-256-CBC
 * and PBKDF2 (RFC 8018), so that `openssl pkey` opens them too.
 *
 * The passphrase is the first line of keys.passphrase-file or, without one,
 * of STATE/keys.secret (0600): 32 bytes of chance in hexadecimal. The second
 * guards copies of the database alone; the first the whole state folder.
 *
 * Owns:    the passphrase, wiped when freed.
 * Threads: immutable, any.
 */
#ifndef PKI_KEEPER_H
#define PKI_KEEPER_H

#include "pki/base.h"

struct keeper;

/* keeper_open reads the passphrase. may_make: STATE/keys.secret is made where
 * there is none; else its absence is an error, since what it would open is
 * there and a new one would not. */
int keeper_open(const char *state, const char *passphrase_file, bool may_make,
	struct keeper **out, char *err, size_t err_size) MUST_CHECK;
void keeper_free(struct keeper *keeper);

/* keeper_lock gives the encrypted key, an owned reference; never NULL. */
CRYPTO_BUFFER *keeper_lock(const struct keeper *keeper, const EVP_PKEY *key);

/* keeper_unlock gives the key, owned by the caller; NULL: not this passphrase,
 * or no such thing. */
EVP_PKEY *keeper_unlock(const struct keeper *keeper, struct der locked)
	MUST_CHECK;

/* keeper_source is where the passphrase is from, for sentences. */
const char *keeper_source(const struct keeper *keeper);

#endif

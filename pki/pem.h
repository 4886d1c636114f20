/*
 * pem.h - PEM files (RFC 7468), read and written.
 *
 * Threads: one a pem; the others any.
 */
#ifndef PKI_PEM_H
#define PKI_PEM_H

#include "pki/base.h"

struct pem; /* a text that is read block by block */

/* pem_new borrows text until pem_free. */
struct pem *pem_new(const char *text, size_t len);
void pem_free(struct pem *pem);

enum { PEM_END = 0, PEM_CERT = 1 };

/* pem_next_cert gives the next certificate, an owned reference, passing over
 * what is none: PEM_CERT; PEM_END; negative: a block that is no base64 or has
 * no end (the one behind it may be asked for). */
int pem_next_cert(struct pem *pem, CRYPTO_BUFFER **out) MUST_CHECK;

/* pem_key reads the first private key: PKCS#8, PKCS#1 or SEC 1, encrypted or
 * not. path is for the sentence; passphrase may be NULL. */
int pem_key(const char *text, size_t len, const char *path,
	const char *passphrase, EVP_PKEY **out, char *err, size_t err_size)
	MUST_CHECK;

/* pem_of_cert is its PEM, NUL-ended, owned by the caller (free); pem_of that of
 * anything, which title says ("PUBLIC KEY"). */
char *pem_of_cert(struct der cert);
char *pem_of(const char *title, struct der der);

#endif

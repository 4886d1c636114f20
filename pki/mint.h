/*
 * mint.h - certificates for CAs of our own.
 *
 * Owns:    nothing; what is made is the caller's reference.
 * Threads: any.
 */
#ifndef PKI_MINT_H
#define PKI_MINT_H

#include <time.h>

#include "pki/base.h"
#include "pki/ca.h"

struct mint_order {
	const struct ca *issuer;  /* NULL: self-signed */
	EVP_PKEY *key;            /* whose certificate it is */
	struct der subject;       /* Name with its header */
	int path_len;             /* -1: none */
	time_t from, until;
	const char *crl_base;     /* NULL: no CDP; needs an issuer
				   * that may sign CRLs */
};

/* mint_ca signs a CA certificate to order; NULL: BoringSSL failed. */
CRYPTO_BUFFER *mint_ca(const struct mint_order *order) MUST_CHECK;

/* mint_name makes the DER of O=Sallyport, CN=cn. */
CRYPTO_BUFFER *mint_name(const char *cn);

#endif

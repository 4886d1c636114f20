/*
 * crl.h - certificate revocation lists (RFC 5280, 5).
 */
#ifndef PKI_CRL_H
#define PKI_CRL_H

#include <stdint.h>
#include <time.h>

#include "pki/base.h"
#include "pki/ca.h"

/* A CRL is good for a week and made anew every day, so that a proxy that was
 * off over a long week-end still has one that holds. */
enum {
	CRL_LIFE = 7 * 24 * 3600,
	CRL_RENEW = 24 * 3600,
};

/* crl_make signs a CRL of ca as of now with that number; nothing is revoked in
 * it yet. An owned reference; NULL: ca may not sign CRLs. */
CRYPTO_BUFFER *crl_make(const struct ca *ca, uint64_t number, time_t now);

/* crl_fresh: one made at that time needs no other now. */
bool crl_fresh(time_t made, time_t now);

#endif

/*
 * crl.h - certificate revocation lists (RFC 5280, 5).
 *
 * Threads: any; where the keeper signs it is not for a loop (keeper_link.h).
 */
#ifndef PKI_CRL_H
#define PKI_CRL_H

#include <stdint.h>
#include <time.h>

#include "pki/base.h"
#include "pki/ca.h"

/* One a second would take thousands of years to get there. */
#define CRL_NUMBER_MAX (UINT64_C(1) << 40)

/* A CRL is good for a week and made anew every day, so that a proxy that was
 * off over a long week-end still has one that holds. */
enum {
	CRL_LIFE = 7 * 24 * 3600,
	CRL_RENEW = 24 * 3600,
	CRL_SERIAL_MAX = 20,  /* bytes (RFC 5280, 4.1.2.2) */
	CRL_REVOKED_MAX = 600, /* of one CA: what fits into a keeper's frame */
};

struct crl_entry {
	uint8_t serial[CRL_SERIAL_MAX];
	uint8_t serial_len;   /* content of the INTEGER, as in the certificate */
	time_t at;
};

struct crl_order {
	uint64_t number;
	time_t now, until;    /* thisUpdate and nextUpdate */
	const struct crl_entry *revoked;
	size_t num_revoked;   /* at most CRL_REVOKED_MAX */
};

/* crl_make signs a CRL of ca. An owned reference; NULL, with a sentence in err:
 * ca may not sign CRLs, or it failed. */
CRYPTO_BUFFER *crl_make(const struct ca *ca, const struct crl_order *order,
	char *err, size_t err_size) MUST_CHECK;

/* crl_fresh: one made at that time needs no other now. */
bool crl_fresh(time_t made, time_t now);

#endif

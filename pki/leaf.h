/*
 * leaf.h - a forged certificate, ready to be shown.
 *
 * forge_leaf copies from the origin's certificate: subject, dNSName and
 * iPAddress SANs (nothing else of the SAN), EKU serverAuth, validity; and
 * writes: serial (64 bits of chance or more, RFC 5280 4.1.2.2), issuer, SPKI
 * of the leaf key, basicConstraints, keyUsage, SKI, AKI, CDP. Never SCTs, AIA,
 * TLS feature or policies: they would speak of a certificate that this is not.
 *
 * Owns:    its certificates, and nothing of the CA's key, which may be wiped
 *          while the leaf is still shown; the leaf's key is borrowed from
 *          leafkeys, which outlive every leaf.
 * Threads: immutable; any.
 */
#ifndef PKI_LEAF_H
#define PKI_LEAF_H

#include <openssl/base.h>
#include <openssl/pool.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include "pki/ca.h"
#include "pki/der.h"
#include "pki/leafkeys.h"

struct leaf;

struct leaf_order {
	struct ca *ca;             /* signs; the leaf keeps its chain alone */
	const struct leafkeys *keys;
	enum leaf_key_type key_type;
	/* The origin's certificate to copy from; at NULL: none, then the subject
	 * is CN=name, the only SAN is name. */
	struct der origin;
	/* The name asked for (normalized name or address). */
	const char *name;
	/* True: whatever the origin says, the only SAN is name and the leaf is
	 * valid now (untrusted origins). Subject is still the origin's. */
	bool name_only;
	/* CDP is crl_base/crl/ID.crl; none of a CA that may not sign CRLs. */
	const char *crl_base;
	time_t now;
	unsigned validity_s;       /* issuing.validity: the longest life */
};

/* forge_leaf signs a leaf to order. Its validity is the origin's (or, with
 * name_only or no origin, a day back until validity_s ahead), cut to the CA's
 * and to validity_s from now; it never starts before the CA, and starts later
 * than its origin where it would live longer than 397 days, which browsers
 * refuse. It may wait for the keeper where the CA's key is kept, then it is not
 * for a loop (ca_signs_fast). -1, and err says why: the origin's certificate
 * does not parse or ended before the CA began, the CA is out of its time, or
 * signing failed. */
int forge_leaf(const struct leaf_order *order, struct leaf **out, char *err,
	size_t err_size) __attribute__((warn_unused_result));

void leaf_free(struct leaf *leaf);

/* leaf_certs is the chain to show, leaf first; borrowed. */
size_t leaf_certs(const struct leaf *leaf, CRYPTO_BUFFER *const **out);
EVP_PKEY *leaf_key(const struct leaf *leaf);
time_t leaf_not_after(const struct leaf *leaf);
/* leaf_origin_digest is the SHA-256 of the origin's leaf it copies; all zero
 * where there was none. 32 bytes. */
const uint8_t *leaf_origin_digest(const struct leaf *leaf);
/* leaf_serial is the content of the serial number's INTEGER; borrowed. */
struct der leaf_serial(const struct leaf *leaf);
size_t leaf_size(const struct leaf *leaf); /* bytes of memory, for the cache */

/* leaf_covers says whether the leaf's SANs fit name (normalized). */
bool leaf_covers(const struct leaf *leaf, const char *name);

#endif

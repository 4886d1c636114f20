/*
 * trust.h - is this origin, or this client, who it says it is?
 *
 * A trust is a set of root certificates; trust_verify holds a chain that an
 * origin has sent against it: path (RFC 5280, 6.1), time, purpose (EKU
 * serverAuth), signature strength, and the name, which must be in the subject
 * alternative names (RFC 9525: the CN does not count). trust_verify_client does
 * so with the chain of a client: no name, and the purpose clientAuth.
 *
 * Owns:    the roots; trust_free.
 * Threads: build on one thread; immutable after that, then any thread.
 * Errors:  a verdict, and a sentence for the page and the log.
 */
#ifndef PKI_TRUST_H
#define PKI_TRUST_H

#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include "pki/der.h"

struct trust;

enum verdict {
	VERDICT_TRUSTED,
	VERDICT_EXPIRED,          /* a certificate of the chain is past its end */
	VERDICT_NOT_YET_VALID,
	VERDICT_WRONG_HOST,       /* has SANs, none of them fits */
	VERDICT_NO_SAN,
	VERDICT_SELF_SIGNED,      /* the leaf is its own, unknown issuer */
	VERDICT_UNKNOWN_ISSUER,   /* the chain ends at nobody we trust */
	VERDICT_INCOMPLETE_CHAIN, /* an intermediate was not sent */
	VERDICT_WEAK_SIGNATURE,   /* SHA-1 or MD5 below the root */
	VERDICT_WEAK_KEY,         /* RSA under 2048 bits, or a curve that is */
	VERDICT_WRONG_PURPOSE,    /* not for TLS servers (or clients, where it is
	                           * one's), or a CA as leaf ... */
	VERDICT_MALFORMED,        /* what was sent does not parse */
	VERDICT_INVALID,          /* any other failure of RFC 5280, 6.1 */
	VERDICT_COUNT,
};

struct trust *trust_new(void);
void trust_free(struct trust *trust);

/* trust_add_system adds the system's roots: the first of the usual bundle
 * files that is there (Debian, Fedora, Alpine, SSL_CERT_FILE does not count). */
int trust_add_system(struct trust *trust, char *err, size_t err_size)
	__attribute__((warn_unused_result));

/* trust_add_text adds every certificate of what was read of a PEM file; without
 * one it is an error. A certificate that does not parse is an error naming its
 * place; in the system's bundle it is passed over. */
int trust_add_text(struct trust *trust, const char *text, size_t len,
	const char *path, char *err, size_t err_size)
	__attribute__((warn_unused_result));

/* trust_digest is a SHA-256 over the set of roots, whatever their order: two
 * trusts with the same digest give the same verdicts. Kept from the last
 * addition; borrowed. */
const uint8_t *trust_digest(const struct trust *trust); /* 32 bytes */

/* trust_verify judges chain (leaf first, as the origin sent it) for name
 * (normalized: a name or an address) at time now. On VERDICT_TRUSTED
 * *out_until is when the first certificate of the path that was used ends;
 * else err says which clause failed, naming the certificate. Any order and any
 * extra certificates behind the leaf are allowed. */
enum verdict trust_verify(const struct trust *trust, const struct der *chain,
	size_t num_chain, const char *name, time_t now, time_t *out_until,
	char *err, size_t err_size) __attribute__((warn_unused_result));

/* trust_verify_client judges the chain that a client has sent, leaf first. Whose
 * it is the leaf's subject says: cert_common_name. An extended key usage, where
 * there is one, must be clientAuth or any. Not VERDICT_TRUSTED: why says which
 * clause failed. */
enum verdict trust_verify_client(const struct trust *trust,
	const struct der *chain, size_t num_chain, time_t now, char *why,
	size_t why_size) __attribute__((warn_unused_result));

#endif

/*
 * ca.h - a certificate authority that can sign.
 *
 *	root ──signs──► intermediate ──signs──► leaf        (what clients trust)
 *	untrusted ──signs──► leaf                           (pass-through only)
 *
 * A ca is its certificate, what signs for it, and the certificates that are
 * sent behind a leaf so that a client which has only the root can build the
 * path. What signs is its private key, or the keeper (keeper.h), which has it.
 *
 * Owns:    all of it; the key is wiped when the last reference goes. Counted.
 * Threads: immutable; any thread may sign.
 */
#ifndef PKI_CA_H
#define PKI_CA_H

#include <openssl/base.h>
#include <openssl/pool.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include "pki/der.h"

struct ca;
struct keeper_link;

enum {
	CA_CHAIN_MAX = 17,    /* 16 that were brought, under an issuing CA */
	CA_PATH_LEN_MAX = 16,
};

struct ca *ca_ref(struct ca *ca);
void ca_unref(struct ca *ca);

/* ca_new makes a ca of a certificate, its key (a reference is taken) and
 * whatever stands between it and the root, nearest first (may be empty).
 * Refused, each with its own sentence: a key that is not the certificate's, no
 * basicConstraints CA:TRUE, no keyCertSign, out of its time, a chain of more
 * than CA_CHAIN_MAX or one that does not lead upwards. A certificate without
 * cRLSign is fine: ca_can_sign_crl says so. id is the name of its CRL's URL. */
int ca_new(struct der cert, EVP_PKEY *key, const struct der *chain,
	size_t num_chain, const char *id, struct ca **out, char *err,
	size_t err_size) __attribute__((warn_unused_result));

/* ca_new_kept is ca_new for one whose key the keeper has; link is borrowed, and
 * outlives it. */
int ca_new_kept(struct der cert, const struct keeper_link *link,
	const struct der *chain, size_t num_chain, const char *id,
	struct ca **out, char *err, size_t err_size)
	__attribute__((warn_unused_result));

enum { CA_KEY_ID = 20, CA_ID_MAX = 40 };

const char *ca_id(const struct ca *ca);          /* "1", as in /crl/1.crl */
struct der ca_cert(const struct ca *ca);
struct der ca_subject(const struct ca *ca);      /* Name, as in the DER */
struct der ca_ski(const struct ca *ca);          /* key identifier's bytes */
EVP_PKEY *ca_key(const struct ca *ca);           /* borrowed; NULL: kept */
const struct keeper_link *ca_link(const struct ca *ca); /* NULL: not kept */
const uint8_t *ca_key_id(const struct ca *ca);   /* its name at the keeper */
int ca_path_len(const struct ca *ca);            /* -1: none given */
time_t ca_not_before(const struct ca *ca);
time_t ca_not_after(const struct ca *ca);
const uint8_t *ca_digest(const struct ca *ca);   /* SHA-256 of the cert */
bool ca_can_sign_crl(const struct ca *ca);

/* ca_signs_fast says whether one signature takes well under a millisecond (a
 * key here, EC or RSA up to 2048 bits): only then may a loop sign by itself. */
bool ca_signs_fast(const struct ca *ca);

/* ca_sent is what follows the leaf on the wire: the ca's own certificate
 * (unless it is self-signed) and its chain without the root. Borrowed. */
size_t ca_sent(const struct ca *ca, CRYPTO_BUFFER *const **out);

#endif

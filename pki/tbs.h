/*
 * tbs.h - writing what is To Be Signed, and signing it: certificates and CRLs
 * straight as DER by CBB.
 *
 * Every function adds to out and returns false when CBB failed or an argument
 * can't be written; the caller then ends the CBB. Nothing is left unflushed.
 *
 * Owns:    nothing; what is signed is the caller's reference.
 * Threads: any, with a CBB of its own.
 */
#ifndef PKI_TBS_H
#define PKI_TBS_H

#include <stdint.h>
#include <time.h>

#include "pki/base.h"

/* tbs_key_fits: RSA of 2048 to 8192 bits, P-256 or P-384: what we sign with
 * and every client takes. */
bool tbs_key_fits(const EVP_PKEY *key);

/* tbs_algorithm: the AlgorithmIdentifier of key's signatures: SHA-256, and
 * SHA-384 with P-384 (RFC 5758, RFC 4055). */
bool tbs_algorithm(CBB *out, const EVP_PKEY *key) MUST_CHECK;

/* tbs_serial: 128 bits of chance, less the first two, which say that it is
 * positive and how long (RFC 5280, 4.1.2.2). */
bool tbs_serial(CBB *out) MUST_CHECK;
/* tbs_version: 3 (RFC 5280, 4.1.2.1). */
bool tbs_version(CBB *out) MUST_CHECK;
bool tbs_der(CBB *out, struct der element) MUST_CHECK;
bool tbs_validity(CBB *out, time_t from, time_t until) MUST_CHECK;

/* tbs_open_extensions opens the list of extensions, [3] of a certificate and [0]
 * of a CRL; what is written to list goes into it; then CBB_flush(out). */
bool tbs_open_extensions(CBB *out, unsigned tag, CBB *wrapped, CBB *list)
	MUST_CHECK;

/* Extensions, each one whole. path_len -1: none. */
bool tbs_ca(CBB *out, int path_len) MUST_CHECK;
bool tbs_not_ca(CBB *out) MUST_CHECK;
bool tbs_key_usage(CBB *out, unsigned usage) MUST_CHECK;
bool tbs_server_auth(CBB *out) MUST_CHECK;
bool tbs_ski(CBB *out, struct der id) MUST_CHECK;
bool tbs_aki(CBB *out, struct der id) MUST_CHECK;
bool tbs_crl_number(CBB *out, uint64_t number) MUST_CHECK;

/* tbs_crl_point: the distribution point base/crl/ID.crl; nothing at all where
 * base is NULL or empty. tbs_crl_point_value is its extnValue alone. */
bool tbs_crl_point(CBB *out, const char *base, const char *id) MUST_CHECK;
bool tbs_crl_point_value(CBB *out, const char *base, const char *id)
	MUST_CHECK;

/* tbs_open_san opens the extension: what is written to value is its value;
 * then CBB_flush(out). */
bool tbs_open_san(CBB *out, bool critical, CBB *ext, CBB *value) MUST_CHECK;

/* tbs_sign ends tbs (a CBB holding one SEQUENCE) and puts algorithm and
 * signature behind it; NULL: failed. */
CRYPTO_BUFFER *tbs_sign(CBB *tbs, EVP_PKEY *key) MUST_CHECK;

/* tbs_sign_with says which digest it is to be, for what does not name the
 * algorithm within: requests. */
CRYPTO_BUFFER *tbs_sign_with(CBB *tbs, EVP_PKEY *key, bool sha384) MUST_CHECK;

#endif

/*
 * x509.h - a certificate, seen through its DER (RFC 5280, 4.1).
 *
 * struct cert only points into the DER it was read from, which must outlive
 * it. Nothing is verified here but the form.
 *
 * Threads: any.
 */
#ifndef PKI_X509_H
#define PKI_X509_H

#include <time.h>

#include "pki/base.h"

/* KeyUsage (RFC 5280, 4.2.1.3) as the bits of its first octet. */
enum {
	KEY_USAGE_DIGITAL_SIGNATURE = 0x80,
	KEY_USAGE_KEY_ENCIPHERMENT = 0x20,
	KEY_USAGE_CERT_SIGN = 0x04,
	KEY_USAGE_CRL_SIGN = 0x02,
};

struct cert {
	struct der whole;
	struct der serial;         /* content of the INTEGER */
	struct der signature_oid;  /* content of the outer algorithm's OID */
	struct der issuer, subject; /* Names with their headers */
	struct der spki;           /* with its header */
	struct der ski, aki;       /* key identifiers; len 0: none */
	struct der san;            /* extnValue's content; len 0: none */
	struct der crl_points;     /* extnValue's content; len 0: none */
	time_t not_before, not_after;
	bool is_ca;                /* basicConstraints CA:TRUE */
	bool constraints_critical; /* basicConstraints are */
	bool unknown_critical;     /* what no client knows is critical */
	int path_len;              /* -1: none given */
	bool has_key_usage;
	unsigned key_usage;
	bool has_ca_issuers;       /* an AIA says where the issuer is */
	bool has_eku;
	bool eku_server;           /* serverAuth, or any */
	bool eku_client;           /* clientAuth, or any */
};

/* cert_read reads DER that is exactly one certificate; -1: it is not one. */
int cert_read(struct der der, struct cert *out) MUST_CHECK;

/* cert_common_name writes the common name of the subject, in UTF-8: what the
 * certificate calls its holder, to be compared. So a name that does not fit, has
 * controls or letters that are not seen, or is in another alphabet's coding is
 * none, nor are several. -1: none, *out empty. */
int cert_common_name(struct der cert, char *out, size_t size) MUST_CHECK;

/* cert_fingerprint writes the SHA-256 of a certificate, "AB:CD:...". */
enum { CERT_FINGERPRINT = 32 * 3 };
void cert_fingerprint(struct der cert, char out[CERT_FINGERPRINT]);

/* cert_self_issued: subject and issuer are the same name (and, where both key
 * identifiers are given, the same key). */
bool cert_self_issued(const struct cert *cert);

bool cert_may_sign_certs(const struct cert *cert);
bool cert_may_sign_crls(const struct cert *cert);

/* cert_weak_signature: signed over SHA-1, MD5 or older. */
bool cert_weak_signature(const struct cert *cert);

/* cert_key is its public key, owned by the caller; NULL: none we know. */
EVP_PKEY *cert_key(const struct cert *cert);

/* key_weak: RSA under 2048 bits, or a curve of under 256. */
bool key_weak(const EVP_PKEY *key);

/* cert_signed_by says whether key's signature is on cert. */
bool cert_signed_by(const struct cert *cert, EVP_PKEY *key);

/* spki_identifier is the key identifier of a public key: the first 160 bits
 * of SHA-256 over subjectPublicKey (RFC 7093, 2, method 1). False: not a
 * SubjectPublicKeyInfo. */
enum { KEY_ID_SIZE = 20 };
bool spki_identifier(struct der spki, uint8_t out[KEY_ID_SIZE]) MUST_CHECK;

#endif

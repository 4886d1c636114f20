/*
 * authority.h - the CAs of this installation, from the state folder.
 *
 * STATE/sallyport.db (0600) holds every CA: certificate, chain, private key
 * encrypted (keeper.h), CRL number. At first start a P-256 root, a P-256
 * intermediate under it and the separate CA for untrusted origins are made; a
 * CA brought by `ca import` takes the intermediate's place. Any number of
 * processes may have it open: all that changes is one transaction, and the
 * state lock only keeps a second proxy away.
 *
 * authority_open also mends what time does: an own intermediate, or the CA for
 * untrusted origins, that is within 30 days of its end, and an own intermediate
 * whose CDP is not crl_base's any more, are signed anew, same key, same name.
 *
 * Owns:    the open CAs; authority_free.
 * Threads: immutable but for the CRLs, which have a lock of their own.
 * Errors:  0 done, negative failed with a sentence in err: what is wrong,
 *          which file, what to do. Nothing is lost on failure.
 */
#ifndef PKI_AUTHORITY_H
#define PKI_AUTHORITY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include "pki/ca.h"

struct authority;

struct authority_options {
	const char *state;           /* folder; must exist, 0700 */
	const char *passphrase_file; /* NULL: STATE/keys.secret, made at need */
	const char *crl_base;        /* "http://host:port", no slash behind */
};

int authority_open(const struct authority_options *options,
	struct authority **out, char *err, size_t err_size)
	__attribute__((warn_unused_result));
void authority_free(struct authority *authority);

/* The CA that signs leaves; the one nobody trusts. Borrowed. */
struct ca *authority_issuer(const struct authority *authority);
struct ca *authority_untrusted(const struct authority *authority);

/* authority_root_pem is the root that clients install: for an imported CA the
 * top of its chain, or the CA itself where no chain was given. Borrowed. */
const char *authority_root_pem(const struct authority *authority);

const char *authority_crl_base(const struct authority *authority);

/* authority_crl gives the CRL of the CA with this id ("1"), DER, signed, as
 * an owned reference; NULL: no such CA, or it may not sign CRLs. authority_open
 * makes them; authority_renew_crls makes those anew that are older than a day,
 * with the next number (call it from a thread that may block, hourly). */
CRYPTO_BUFFER *authority_crl(struct authority *authority, const char *id);
int authority_renew_crls(struct authority *authority, time_t now, char *err,
	size_t err_size) __attribute__((warn_unused_result));

/* What there is to see of the CA that signs, as it is in the store. */
enum { AUTHORITY_ID_SIZE = 24 };
struct authority_view {
	CRYPTO_BUFFER *cert;        /* owned */
	char id[AUTHORITY_ID_SIZE]; /* as ca_id gives it */
	bool signs_crls;            /* false: it has none, and no CDP */
	char *root_pem;             /* owned; as authority_root_pem gives it */
};

/* authority_look is for who only wants to see. Nothing is made: AUTHORITY_NONE
 * where there are no CAs yet. What exists stays as it is, whatever options would
 * have mended, and no private key is opened: a CA that has ended can be looked
 * at. out is cleared by authority_view_clear, whatever the result. */
enum { AUTHORITY_NONE = 1 };
int authority_look(const struct authority_options *options,
	struct authority_view *out, char *err, size_t err_size)
	__attribute__((warn_unused_result));
void authority_view_clear(struct authority_view *view);

/* authority_import brings a CA that exists: PEM files of a certificate, its
 * private key (encrypted: key_passphrase opens it; NULL: there is none), and
 * optionally the chain up to the root (chain_path NULL: none). On success it
 * signs from the next start or reload on. Everything ca_new checks, and that it
 * is not about to expire. */
int authority_import(const struct authority_options *options,
	const char *cert_path, const char *key_path, const char *chain_path,
	const char *key_passphrase, char *err, size_t err_size)
	__attribute__((warn_unused_result));

#endif

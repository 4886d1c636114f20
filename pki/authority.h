/*
 * authority.h - the CAs of this installation as a proxy uses them.
 *
 *	root ──► intermediate ──► issuing CA "(t)" ──► leaf
 *	         kept             here, short-lived
 *
 * STATE/sallyport.db (0600) holds every CA: certificate, chain, private key
 * encrypted, CRL. At first start a P-256 root, a P-256 intermediate under it
 * and the separate CA for untrusted origins are made. Private keys that last
 * are the keeper's (keeper.h), reached by a link; what signs leaves here is a
 * short-lived issuing CA under the intermediate, whose key is in memory only,
 * or, where the path length allows for none, the keeper, one leaf at a time.
 *
 * authority_open makes what is due: it signs anew what is within 30 days of its
 * end or has a CDP that is not crl_base's any more (those of our own making), a
 * CRL that is a day old, an issuing CA that is older than rotate_s or has been
 * revoked. What is still good is taken from the authority before it, an issuing
 * CA also where its intermediate is out of use for a while. Where there can't be
 * an issuing CA, nothing else signs in its place: see authority_issuer. Any
 * number of processes may have the store open; all that changes is one
 * transaction.
 *
 * Owns:    the open CAs.
 * Threads: immutable; any.
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
	const char *crl_base;        /* "http://host:port", no slash behind */
	/* For opening alone. */
	const struct keeper_link *link; /* borrowed while any of it lives */
	unsigned rotate_s;           /* issuing.rotate; 0: as long as it may */
	unsigned validity_s;         /* issuing.validity */
	const char *const *names;    /* CAs that rules name, besides the default */
	size_t num_names;
	const struct authority *before; /* NULL: none */
};

int authority_open(const struct authority_options *options,
	struct authority **out, char *err, size_t err_size)
	__attribute__((warn_unused_result));
void authority_free(struct authority *authority);

/* authority_issuer is the CA that signs leaves under the intermediate called
 * name; NULL or "": under the default. Borrowed. NULL, and *why a sentence:
 * that one is not usable. */
struct ca *authority_issuer(const struct authority *authority,
	const char *name, const char **why);

/* authority_knows: there is an intermediate called so, usable or not. */
bool authority_knows(const struct authority *authority, const char *name);

/* The one that nobody trusts. Borrowed. */
struct ca *authority_untrusted(const struct authority *authority);

/* authority_root_pem is the root that clients install: for a CA from outside
 * the top of its chain, or the CA itself where no chain was given. Borrowed. */
const char *authority_root_pem(const struct authority *authority);

const char *authority_crl_base(const struct authority *authority);

/* authority_crl gives the CRL of the CA with this id ("1", or an issuing CA's
 * key id), DER, signed, as an owned reference; NULL: no such CA, or it may not
 * sign CRLs. *until: when there will be another, 0: never. */
CRYPTO_BUFFER *authority_crl(const struct authority *authority,
	const char *id, time_t *until);

/* authority_revoked counts what has been revoked and has not ended: a leaf that
 * was made before it grew is not to be shown any more. */
uint64_t authority_revoked(const struct authority *authority);

/* authority_due is when authority_open would find something to do again. */
time_t authority_due(const struct authority *authority);

/* authority_warning tells the next thing that is amiss with a CA that is used:
 * one that ends within 30 days, one that a rule names and can't be used, an
 * issuing CA that could not be made anew. NULL: nothing more. */
const char *authority_warning(const struct authority *authority, size_t at);

/* authority_end tells when the next of the CAs ends, and what hangs on it; false:
 * there are no more. */
struct authority_end {
	const char *name; /* borrowed; "": out of use for good */
	const char *kind; /* "root", "intermediate", "untrusted" */
	time_t ca, issuing, crl; /* 0: there is none */
};
bool authority_end(const struct authority *authority, size_t at,
	struct authority_end *out);

/* authority_root_end: of what authority_root_pem gives; 0: it is unknown. */
time_t authority_root_end(const struct authority *authority);

/* What there is to see of the CA that signs, as it is in the store. */
enum { AUTHORITY_ID_SIZE = 32 };
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

#endif

/*
 * store_issuing.h - the short-lived CAs under the long-lived ones, what was
 * signed, and what was revoked.
 *
 * An issuing CA's key is never here: its certificate and its one CRL are, until
 * it ends.
 *
 * Threads, errors: as in store.h.
 */
#ifndef PKI_STORE_ISSUING_H
#define PKI_STORE_ISSUING_H

#include "pki/crl.h"
#include "pki/store.h"

enum {
	STORE_KEY_ID = 41,      /* room: 20 bytes in hexadecimal */
	STORE_ENDED_S = 90 * 24 * 3600, /* that what has ended is kept */
};

struct store_issuing {
	int64_t id;             /* counts up: the counter in its name */
	int64_t parent;         /* the CA that signed it */
	char key_id[STORE_KEY_ID];
	CRYPTO_BUFFER *cert, *crl; /* owned */
	int64_t made, ends;
	int64_t revoked;        /* when; 0: not */
};

/* store_issuing_next is the id that the next will get. */
int store_issuing_next(struct store *store, int64_t *out, char *err,
	size_t err_size) MUST_CHECK;
int store_issuing_add(struct store *store, const struct store_issuing *issuing,
	char *err, size_t err_size) MUST_CHECK;

/* store_issuing_list gives all that have not ended, oldest first. */
int store_issuing_list(struct store *store, int64_t now,
	struct store_issuing **out, size_t *out_num, char *err,
	size_t err_size) MUST_CHECK;
void store_issuing_free(struct store_issuing *list, size_t num);

/* store_issuing_prune forgets leaves that have ended; issuing CAs and entries of
 * CRLs when that was STORE_ENDED_S ago; logins in the audit trail of that time. */
int store_issuing_prune(struct store *store, int64_t now, char *err,
	size_t err_size) MUST_CHECK;

/* --- what was revoked ---- */

/* store_revoke adds a serial to the next CRLs of the CA issuer (a store_ca's
 * id), until the certificate ends. Once more is no mistake. */
int store_revoke(struct store *store, int64_t issuer,
	const struct crl_entry *entry, int64_t until, char *err,
	size_t err_size) MUST_CHECK;

/* store_revoked gives a CA's, at most CRL_REVOKED_MAX, in room that is the
 * caller's. */
int store_revoked(struct store *store, int64_t issuer, int64_t now,
	struct crl_entry out[CRL_REVOKED_MAX], size_t *out_num, char *err,
	size_t err_size) MUST_CHECK;

/* store_num_revoked counts what all CAs have revoked. */
int store_num_revoked(struct store *store, uint64_t *out, char *err,
	size_t err_size) MUST_CHECK;

/* store_mark_revoked notes it of an issuing CA. */
int store_mark_revoked(struct store *store, int64_t id, int64_t now,
	char *err, size_t err_size) MUST_CHECK;

/* --- what was signed ---- */

/* A leaf, for who wants to revoke all of a site: by an issuing CA (its serial
 * does not matter) or by a long-lived one. */
struct store_leaf {
	int64_t issuing;        /* store_issuing's id; 0: a long-lived CA did */
	int64_t ca;             /* store_ca's id */
	char site[256];
	struct crl_entry entry; /* serial, with a long-lived CA */
	int64_t ends;
};

int store_leaf_add(struct store *store, const struct store_leaf *leaf,
	char *err, size_t err_size) MUST_CHECK;

/* store_num_leaves counts them. */
int store_num_leaves(struct store *store, int64_t *out, char *err,
	size_t err_size) MUST_CHECK;

/* store_leaf_note is store_leaf_add for who knows the CA by its name in URLs
 * (ca_id): a number, or an issuing CA's key id. One that is not there any more
 * is passed over. */
int store_leaf_note(struct store *store, const char *ca, const char *site,
	const struct crl_entry *entry, int64_t ends, char *err,
	size_t err_size) MUST_CHECK;

/* A site of all: more leaves than could be noted were signed by that one. */
#define STORE_ALL_SITES "*"

/* store_leaf_find gives those of a site that have not ended, and of all sites;
 * owned (free). */
int store_leaf_find(struct store *store, const char *site, int64_t now,
	struct store_leaf **out, size_t *out_num, char *err, size_t err_size)
	MUST_CHECK;

#endif

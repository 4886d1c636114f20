/*
 * estate.h - the store, and the keeper that has its keys, in one transaction:
 * what is read here and what is written for it are of one piece, whoever else
 * has the state folder open.
 *
 *	estate_open ──► estate_list, estate_ca, the store's writing ──►
 *	estate_commit ──► estate_close        (without a commit: nothing done)
 *
 * Whoever needs CAs that are there opens it by foundation_open (foundation.h).
 *
 * Threads: one an estate; whoever opens the same folder waits (store.h).
 * Errors:  -1 or NULL with a sentence in err.
 */
#ifndef PKI_ESTATE_H
#define PKI_ESTATE_H

#include "pki/authority.h"
#include "pki/keeper_link.h"
#include "pki/store_ca.h"

/* What the foundation's CAs are called in URLs and in the API, for good. */
enum {
	ESTATE_INTERMEDIATE = 1,
	ESTATE_ROOT = 2,
	ESTATE_UNTRUSTED = 3,
};

struct estate {
	struct store *store;     /* owned */
	const struct keeper_link *link; /* borrowed; NULL: only looked at */
	struct store_ca *list;   /* owned: as of the last estate_list */
	size_t num;
};

/* estate_open fills out, which estate_close clears whatever the result. The
 * first to open a state folder finds no CAs. */
int estate_open(const struct authority_options *options, struct estate *out,
	char *err, size_t err_size) MUST_CHECK;

/* estate_look is estate_open for who will only read rows: no keeper, and
 * nothing is made. ESTATE_NONE: there are no CAs. */
enum { ESTATE_NONE = 1 };
int estate_look(const struct authority_options *options, struct estate *out,
	char *err, size_t err_size) MUST_CHECK;
int estate_commit(struct estate *estate, char *err, size_t err_size)
	MUST_CHECK;
void estate_close(struct estate *estate);

/* estate_list reads the rows anew. */
int estate_list(struct estate *estate, char *err, size_t err_size) MUST_CHECK;

/* estate_find is the row with this id, NULL: none; estate_default the one that
 * signs. Borrowed until the next estate_list. */
struct store_ca *estate_find(const struct estate *estate, int64_t id);
struct store_ca *estate_default(const struct estate *estate);

/* estate_role is what the row's key is for. */
enum key_role estate_role(const struct store_ca *row);

/* estate_hold has the keeper hold the row's key, as its certificate's (as_ca)
 * or for itself; the store gets it as it is locked now. */
int estate_hold(struct estate *estate, struct store_ca *row, bool as_ca,
	uint8_t out_key_id[CA_KEY_ID], char *err, size_t err_size) MUST_CHECK;

/* estate_forget has the keeper let go of this public key's private one: it will
 * not be needed again, and there is nothing to be done where that fails. */
void estate_forget(const struct estate *estate, const CRYPTO_BUFFER *spki);

/* estate_ca makes a ca of the row, whose key the keeper then holds. */
int estate_ca(struct estate *estate, struct store_ca *row,
	struct ca **out, char *err, size_t err_size) MUST_CHECK;

/* estate_chain gives the row's chain, nearest first, borrowed from it. False:
 * it is damaged. */
bool estate_chain(const struct store_ca *row, struct der out[CA_CHAIN_MAX],
	size_t *out_num);

/* estate_top is the certificate that clients install for the row: the top of
 * its chain, or its own. Borrowed from the row. */
struct der estate_top(const struct store_ca *row);

/* estate_make_crl signs the next CRL (RFC 5280, 5.2.3) of the row, whose ca is
 * open, good from now until then or the ca's end; estate_renew_crl writes it
 * into the row, too. An owned reference; NULL: it failed. */
CRYPTO_BUFFER *estate_make_crl(struct estate *estate,
	const struct store_ca *row, const struct ca *ca, time_t now,
	time_t until, char *err, size_t err_size) MUST_CHECK;
CRYPTO_BUFFER *estate_renew_crl(struct estate *estate,
	const struct store_ca *row, const struct ca *ca, time_t now,
	time_t until, char *err, size_t err_size) MUST_CHECK;

/* estate_write_root writes STATE/root.pem (0644) where it says something else
 * than the default CA's root. */
int estate_write_root(const struct estate *estate, const char *state,
	char *err, size_t err_size) MUST_CHECK;

#endif

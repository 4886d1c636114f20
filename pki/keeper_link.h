/*
 * keeper_link.h - asking the keeper, wherever it is.
 *
 * A link carries one frame there and the answer back: over a socket to another
 * process while a proxy runs, or by a call where a command has the keeper to
 * itself. These functions put questions into frames and read the answers.
 *
 * Threads: those of link->ask. A question may take as long as making a key or a
 *          signature does; none is for a loop.
 * Errors:  -1 or NULL, and a sentence in err: the keeper's own, or that it is
 *          not there.
 */
#ifndef PKI_KEEPER_LINK_H
#define PKI_KEEPER_LINK_H

#include <stdint.h>

#include "pki/ca.h"
#include "pki/crl.h"
#include "pki/csr.h"
#include "pki/keylock.h"
#include "pki/keymaker.h"
#include "pki/leaf_form.h"

struct keeper_frame;

struct keeper_link {
	/* ask has frame answered, in its place; -1: nobody answers. */
	int (*ask)(void *arg, struct keeper_frame *frame, char *err,
		size_t err_size);
	void *arg;
	const char *source;  /* of the passphrase, for sentences; borrowed */
};

/* keeper_make_key makes a key pair: *locked is for the store, *spki public. */
int keeper_make_key(const struct keeper_link *link, enum key_kind kind,
	enum key_role role, CRYPTO_BUFFER **locked, CRYPTO_BUFFER **spki,
	char *err, size_t err_size) MUST_CHECK;

/* keeper_hold has it open a key: from then on it goes by its id. cert is its
 * CA's, or empty while there is none, and id that CA's. *relocked: the key
 * locked as it is done now, where that is another way than it was; else NULL.
 * KEEPER_WRONG_PASSPHRASE: that is why. */
struct keeper_held {
	uint8_t key_id[CA_KEY_ID];
	CRYPTO_BUFFER *relocked; /* owned */
};
enum { KEEPER_WRONG_PASSPHRASE = -2 };
int keeper_hold(const struct keeper_link *link, struct der locked,
	enum key_role role, struct der cert, const char *id,
	struct keeper_held *out, char *err, size_t err_size) MUST_CHECK;

/* keeper_forget has it let go of a key, which may be none that it holds. */
int keeper_forget(const struct keeper_link *link,
	const uint8_t key_id[CA_KEY_ID], char *err, size_t err_size)
	MUST_CHECK;

CRYPTO_BUFFER *keeper_request(const struct keeper_link *link,
	const uint8_t key_id[CA_KEY_ID], const struct csr_order *order,
	char *err, size_t err_size) MUST_CHECK;

/* keeper_mint has it sign one of the foundation's certificates: what key_id's
 * role says; issuer is the key that signs, the same for one that signs itself.
 * old is the one that it replaces, whose name it gets; empty: there is none,
 * and chance goes into its name. */
CRYPTO_BUFFER *keeper_mint(const struct keeper_link *link,
	const uint8_t key_id[CA_KEY_ID], const uint8_t issuer[CA_KEY_ID],
	const char *chance, struct der old, char *err, size_t err_size)
	MUST_CHECK;

/* keeper_issue has it make a short-lived issuing CA under key_id's. counter
 * tells those of one day apart. */
struct keeper_issued {
	CRYPTO_BUFFER *cert, *crl; /* owned; crl NULL: it may have none */
	EVP_PKEY *key;             /* owned */
};
int keeper_issue(const struct keeper_link *link,
	const uint8_t key_id[CA_KEY_ID], uint64_t counter,
	struct keeper_issued *out, char *err, size_t err_size) MUST_CHECK;

/* Behind leaf_form_sign and crl_make, for a ca whose key is kept. */
CRYPTO_BUFFER *keeper_sign_leaf(const struct ca *ca,
	const struct leaf_form *form, char *err, size_t err_size) MUST_CHECK;
CRYPTO_BUFFER *keeper_sign_crl(const struct ca *ca,
	const struct crl_order *order, char *err, size_t err_size) MUST_CHECK;

#endif

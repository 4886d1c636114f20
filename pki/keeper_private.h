/*
 * keeper_private.h - what the files of the keeper share.
 */
#ifndef PKI_KEEPER_PRIVATE_H
#define PKI_KEEPER_PRIVATE_H

#include <pthread.h>

#include "pki/ca.h"
#include "pki/keeper.h"
#include "pki/keeper_frame.h"
#include "pki/tally.h"

/* A key, and the CA that it is the key of, where there is one. */
struct held {
	struct held *prev, *next;
	uint8_t id[CA_KEY_ID];
	enum key_role role;
	EVP_PKEY *key;          /* owned, wiped */
	struct ca *ca;          /* owned; NULL: no certificate yet */
};

struct keeper {
	struct keylock *lock;   /* owned */
	pthread_mutex_t mutex;  /* over what follows */
	struct keeper_rules rules;
	struct held *held;
	size_t num_held;
	struct tally *tally;    /* borrowed, or own_tally */
	struct tally *own_tally; /* owned; NULL: it was given one */
};

/* One question while it is answered. */
struct question {
	struct keeper *keeper;
	struct keeper_rules rules;
	CBS in;
	char why[512];
	enum keeper_status status; /* of a refusal */
};

/* A grip is what a question works with, good until keeper_let_go: others may
 * replace what is held meanwhile. */
struct grip {
	EVP_PKEY *key;
	struct ca *ca;
	enum key_role role;
};

/* Roles, as a set. */
enum {
	ROOT = 1u << KEY_ROLE_ROOT,
	INTERMEDIATE = 1u << KEY_ROLE_INTERMEDIATE,
	UNTRUSTED = 1u << KEY_ROLE_UNTRUSTED,
};

/* keeper_no refuses: NULL, which is false, too. */
CRYPTO_BUFFER *keeper_no(struct question *q, const char *why);
CRYPTO_BUFFER *keeper_senseless(struct question *q);

bool keeper_get_id(CBS *in, uint8_t out[CA_KEY_ID]);

/* keeper_take takes the key called so, keeper_take_ca the one that the question
 * names next, which must have a certificate and one of the roles. False:
 * refused. keeper_let_go lets go, whatever came of it. */
bool keeper_take(struct question *q, const uint8_t id[CA_KEY_ID],
	struct grip *out);
bool keeper_take_ca(struct question *q, unsigned roles, struct grip *out);
void keeper_let_go(struct grip *grip);

/* keeper_one puts what was made, and lets go of it, into the answer; NULL:
 * false. */
bool keeper_one(CBB *out, CRYPTO_BUFFER *made);

/* In keeper_sign.c. */
bool keeper_answer_mint(struct question *q, CBB *out);
bool keeper_answer_issue(struct question *q, CBB *out);
bool keeper_answer_leaf(struct question *q, CBB *out);
bool keeper_answer_crl(struct question *q, CBB *out);

#endif

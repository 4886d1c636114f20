/*
 * keeper.h - the long-lived private keys, and what they may sign.
 *
 *	make key ─► request (CSR) ─► hold, with the certificate that came
 *	hold ─► issue: a short-lived CA under it     (path length 1 or more)
 *	     ─► leaf:  a site's certificate          (path length 0)
 *	     ─► crl
 *
 * It answers frames (keeper_frame.h) and trusts none of them. Whoever asks
 * names a key and few fields; what is signed is built here, under the rules
 * that were set by who started it:
 *
 *	an issuing CA   a new key, path length 0, name and life of its own;
 *	                one a rotation for each CA, and a few more (tally.h)
 *	a leaf          CA:FALSE, serverAuth, of at most the configured life
 *	an intermediate under our own root: only for a key that is kept here
 *	a CRL           of the CA's own
 *
 * A key is held with the role that was sealed in with it (keylock.h): the
 * root's signs neither leaves nor issuing CAs.
 *
 * Owns:    the lock and all keys; wiped when freed.
 * Threads: any; questions are answered side by side.
 */
#ifndef PKI_KEEPER_H
#define PKI_KEEPER_H

#include <stdbool.h>
#include <stdint.h>
#include <time.h>

#include "pki/base.h"
#include "pki/keylock.h"

struct keeper;
struct keeper_frame;
struct tally;

enum {
	KEEPER_URL = 320,
	KEEPER_KEYS_MAX = 1000, /* held at a time */
};

struct keeper_rules {
	uint64_t validity_s;    /* of a leaf, at the most */
	uint64_t rotate_s;      /* how often an issuing CA is made anew */
	char crl_base[KEEPER_URL]; /* "": no CDP */
};

/* keeper_new takes lock. */
struct keeper *keeper_new(struct keylock *lock);
void keeper_free(struct keeper *keeper);

/* keeper_set_tally has it go on counting issuing CAs there, instead of anew;
 * borrowed while the keeper lives. Before it is asked anything. */
void keeper_set_tally(struct keeper *keeper, struct tally *tally);

void keeper_set_rules(struct keeper *keeper, const struct keeper_rules *rules);

/* keeper_answer puts the answer in the question's place. */
void keeper_answer(struct keeper *keeper, struct keeper_frame *frame);

/* keeper_local is keeper_answer as a link's ask, arg being the keeper. */
int keeper_local(void *arg, struct keeper_frame *frame, char *err,
	size_t err_size);

#endif

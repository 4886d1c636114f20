/*
 * chain.h - certificates that were brought, put in order: from a CA's own up to
 * its root.
 *
 * Owns:    the certificates.
 * Threads: one.
 */
#ifndef PKI_CHAIN_H
#define PKI_CHAIN_H

#include <time.h>

#include "pki/base.h"
#include "pki/ca.h"

enum {
	CHAIN_MAX = 16,            /* above the CA's own */
	CHAIN_POOL = 2 * CHAIN_MAX,
};

struct chain {
	CRYPTO_BUFFER *pool[CHAIN_POOL]; /* owned; pool[0] is the CA's own */
	size_t num_pool;
	struct der path[CHAIN_MAX];      /* of pool, nearest first */
	size_t num_path;
};

/* chain_add takes a certificate; one that is there already is let go of.
 * CHAIN_FULL, CHAIN_BAD: it is not taken. */
enum { CHAIN_FULL = 1, CHAIN_BAD = 2 };
int chain_add(struct chain *chain, CRYPTO_BUFFER *der) MUST_CHECK;

/* chain_add_pem adds every certificate of a text; what names it in sentences.
 * None at all is an error. */
int chain_add_pem(struct chain *chain, const char *text, size_t len,
	const char *what, char *err, size_t err_size) MUST_CHECK;

/* chain_order finds the path upwards from pool[0], whatever the order was. All
 * must be on it. */
int chain_order(struct chain *chain, char *err, size_t err_size) MUST_CHECK;

/* chain_join gives the path as the store keeps it: DER one behind the other, an
 * owned reference; NULL: it is empty. */
CRYPTO_BUFFER *chain_join(const struct chain *chain);

void chain_clear(struct chain *chain);

#endif

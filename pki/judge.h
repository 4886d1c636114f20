/*
 * judge.h - one verdict over one chain. See trust.h, which is how to ask.
 *
 * BoringSSL walks the path and reports everything that is wrong with it; the
 * signature's strength and the keys' are looked at here. Of all that, the
 * verdict is the first in the order that helps a reader most: a path that
 * leads nowhere, broken rules, weak signatures and keys, purpose, time, name.
 *
 * Threads: any.
 */
#ifndef PKI_JUDGE_H
#define PKI_JUDGE_H

#include <openssl/base.h>

#include "pki/base.h"
#include "pki/trust.h"

/* judge_parse gives the certificate, owned by the caller; NULL: not exactly
 * one. */
X509 *judge_parse(struct der der);

struct judge_case {
	X509_STORE *store;
	const struct der *chain;
	size_t num_chain;
	const char *name; /* NULL: a client's chain, which is for no name */
	time_t now;
};

enum verdict judge(const struct judge_case *asked, time_t *out_until,
	char *err, size_t err_size) MUST_CHECK;

#endif

/*
 * authority_private.h - what the files of the authority share.
 *
 * Threads: one while it is opened; immutable from then on.
 */
#ifndef PKI_AUTHORITY_PRIVATE_H
#define PKI_AUTHORITY_PRIVATE_H

#include <openssl/sha.h>

#include "pki/authority.h"
#include "pki/estate.h"
#include "pki/store_issuing.h"

enum { WHY = 512 };

struct member {
	int64_t id;
	char name[STORE_NAME];
	char crl_id[STORE_CRL_ID];
	bool is_intermediate;
	struct ca *ca;           /* owned; NULL: out of use, see why */
	struct ca *signer;       /* owned; of leaves; NULL: it signs none */
	time_t issued;           /* when the signer was made; 0: it is ca */
	uint8_t mark[SHA256_DIGEST_LENGTH]; /* what the signer was made by */
	CRYPTO_BUFFER *crl;      /* owned; NULL: none */
	time_t crl_made;
	char why[WHY];
};

struct authority {
	char *crl_base;          /* owned */
	char *root_pem;          /* owned */
	struct member *members;  /* owned */
	size_t num_members;
	struct store_issuing *issuing; /* owned: for their CRLs */
	size_t num_issuing;
	char **warnings;         /* owned */
	size_t num_warnings;
	struct member *chosen, *untrusted; /* borrowed from members */
	uint64_t revoked;
	time_t due;
};

/* What opening works with. */
struct opening {
	const struct authority_options *options;
	struct authority *authority;
	struct estate estate;
	time_t now;
	bool again;              /* something failed that may go later */
	char *err;
	size_t err_size;
};

/* authority_warn adds a sentence to what is amiss. */
void authority_warn(struct authority *authority, const char *text);

/* authority_no_later: something is due then. */
void authority_no_later(struct opening *o, time_t when);

/* authority_keep_signer: an issuing CA whose intermediate is not used just now is
 * kept until its time is over: there may be no other when it is used again. */
void authority_keep_signer(struct opening *o, struct member *member);

/* authority_need_signer gives the member what signs its leaves. An issuing CA
 * that can't be replaced yet goes on; where there is none, the member is out of
 * use, and says why. */
void authority_need_signer(struct opening *o, const struct store_ca *row,
	struct member *member);

#endif

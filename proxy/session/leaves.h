/*
 * leaves.h - one leaf a site, forged once.
 *
 * A leaf is looked up by what it promises: the name shown, the port, the CA
 * that signed it, the kind of key, how an untrusted origin is treated and how
 * this one turned out, the set of roots that judged it, and what the
 * configuration has leaves say. What is not there is forged, by one connection
 * for all that ask at the same time (flight.h).
 *
 * Owns:    a struct site is counted; whoever gets one has a reference.
 * Threads: the caches any; a request belongs to its worker.
 */
#ifndef PROXY_SESSION_LEAVES_H
#define PROXY_SESSION_LEAVES_H

#include <openssl/sha.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cache/flight.h"
#include "pki/der.h"
#include "pki/leaf.h"
#include "policy/host.h"
#include "policy/policy.h"
#include "proxy/net/loop.h"
#include "proxy/session/quota.h"
#include "proxy/session/services.h"

enum leaf_outcome {
	LEAF_TRUSTED,   /* a copy of a verified origin's */
	LEAF_UNTRUSTED, /* of an origin that failed, but the rule lets in */
	LEAF_OWN,       /* for our own pages, or to show why not */
};

struct site {
	atomic_uint refs;
	struct leaf *leaf;  /* owned */
	/* The origin went away since, or showed another certificate: ask it
	 * before this leaf is shown. */
	atomic_bool doubt;
};

void site_unref(struct site *site);
void *site_ref_value(void *site);  /* for the cache */
void site_unref_value(void *site);

struct leaf_want {
	struct snapshot *snapshot; /* borrowed during the call that takes it */
	const char *name;          /* shown; normalized; borrowed likewise */
	uint16_t port;
	enum leaf_key_type key_type;
	enum untrusted mode;
	enum leaf_outcome outcome;
	const char *intermediate_ca; /* as in a decision; NULL: the default */
	struct der origin;         /* its leaf certificate; none for LEAF_OWN */
	struct quota_client client; /* whose share a slow signature is of */
};

/* Of a key: five digests, the last of them in a request's alone, five bytes. */
enum { LEAF_DIGEST = SHA256_DIGEST_LENGTH, LEAF_KEY_SIZE = 5 * LEAF_DIGEST + 5 };

struct leaf_request {
	/* Set by the caller. done is called on its loop when leaves_get said
	 * LEAVES_WAIT; site is the caller's reference, NULL with why on
	 * failure. */
	void (*done)(struct leaf_request *request, struct site *site,
		bool forged, const char *why);
	void *arg;

	/* Private. */
	struct services *services;
	struct waiter waiter;
	struct post post;
	uv_work_t work;
	struct leaf_order order;
	struct snapshot *snapshot;
	uint8_t key[LEAF_KEY_SIZE];
	size_t key_len;
	uint8_t *origin;  /* owned copy while another thread signs */
	char name[HOST_SIZE];
	struct site *site;
	struct quota_client client;
	char why[320];
};

enum leaves_result {
	LEAVES_READY,  /* *out is the caller's reference */
	LEAVES_WAIT,   /* done will be called */
	LEAVES_FAILED, /* request->why says it */
	LEAVES_BUSY,   /* so many wait to be signed that this one may not */
};

/* leaves_usable: the CA that want names can sign; else *why says why not. */
bool leaves_usable(const struct leaf_want *want, const char **why);

/* leaves_cached is the site to show before the origin has answered: trusted,
 * in its time, not in doubt. A reference, or NULL. */
struct site *leaves_cached(struct services *services,
	const struct leaf_want *want);

/* leaves_get finds or forges. request stays borrowed while LEAVES_WAIT; it
 * can't be called off. *out_forged: signed just now, by this call. */
enum leaves_result leaves_get(struct services *services,
	const struct leaf_want *want, struct leaf_request *request,
	struct site **out, bool *out_forged) __attribute__((warn_unused_result));

/* leaves_digest is what leaf_origin_digest would be for this certificate. */
void leaves_digest(const CRYPTO_BUFFER *cert, uint8_t out[LEAF_DIGEST]);

/* leaves_doubt marks what is cached for want: its origin went away. */
void leaves_doubt(struct services *services, const struct leaf_want *want);

#endif

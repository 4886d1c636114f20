/*
 * origin.h - a connection to an origin: found, dialled, verified.
 *
 *	DIALLING ──► SHAKING ──► READY ──► back to the pool, or closed
 *	    └───────────┴──► FAILED (reason, why)
 *
 * origin_get gives one that waits in the pool (READY at once) or begins a new
 * one; the owner is told when the state changes. One origin key says which
 * connections are alike: address dialled, name sent and verified, TLS or not,
 * ALPN, how an untrusted one is treated, the set of roots. The pool and the
 * cache of TLS sessions both go by it.
 *
 * Owns:    its stream, a reference to the snapshot while it verifies.
 * Threads: one, its worker's.
 */
#ifndef PROXY_SESSION_ORIGIN_H
#define PROXY_SESSION_ORIGIN_H

#include <openssl/pool.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#include "policy/policy.h"
#include "pki/trust.h"
#include "proxy/net/address.h"
#include "proxy/net/dial.h"
#include "proxy/net/stream.h"
#include "proxy/report/reason.h"
#include "proxy/session/quota.h"
#include "proxy/session/services.h"
#include "proxy/session/words.h"

enum { ORIGIN_KEY_SIZE = 32 };

/* What is pointed at must last as long as the want is used. */
struct origin_want {
	const char *host;     /* to dial, before origin.connect-to */
	uint16_t port;
	const struct sockaddr *address; /* transparent: dial this instead; NULL */
	bool client_local;
	struct quota_client client;
	bool tls;
	const char *name;     /* of TLS: sent as SNI and verified */
	enum untrusted mode;
	enum tls_version min_tls;
	/* The addresses that were decided on, and no others are dialled; NULL:
	 * whatever the name leads to. */
	const struct addresses *only;
	const uint8_t *alpn;  /* wire form; len 0: none */
	size_t alpn_len;
	bool fresh;           /* not from the pool */
	bool once;            /* what it is for can't be sent again elsewhere */

	/* origin_want_key's. */
	uint8_t key[ORIGIN_KEY_SIZE];
	uint64_t generation;  /* of the snapshot it was made for; 0: none yet */
};

/* origin_want_key makes the key, unless it is there already: who asks for the
 * same again and again has it made once. */
void origin_want_key(const struct services *services,
	struct origin_want *want);

/* origin_target is the name that is looked up for a connection to host:port,
 * after origin.connect-to; borrowed from either. */
const char *origin_target(const struct services *services, const char *host,
	uint16_t port);

enum origin_state {
	ORIGIN_DIALLING,
	ORIGIN_SHAKING,
	ORIGIN_READY,
	ORIGIN_FAILED,
};

struct origin_ops {
	size_t (*on_data)(void *owner, const uint8_t *data, size_t len);
	void (*on_event)(void *owner); /* state or stream changed */
};

struct origin {
	enum origin_state state;
	enum reason reason;   /* with ORIGIN_FAILED */
	char *why;            /* owned: words.h */
	struct stream stream; /* from ORIGIN_SHAKING on */
	enum verdict verdict; /* of TLS: VERDICT_TRUSTED or why not */
	CRYPTO_BUFFER *cert;  /* owned: its leaf certificate; NULL: plain */
	unsigned cert_days;   /* it is valid for; 0: not known */
	bool cert_wildcard;   /* it names one */
	bool reused;          /* came from the pool */
	bool waited;          /* was READY before it was wanted: may be dying */
	bool asked_cert;      /* it asked for a client certificate */
	bool pinned;          /* never to be pooled (NTLM, 101, …) */
	uint64_t started_ms, ready_ms;
	struct h1_in *parser; /* owned: for its next response; or NULL */

	/* Private. */
	struct services *services;
	struct snapshot *snapshot;
	struct dial *dial;
	union address peer;
	bool tls, configured, judged;
	bool counted;         /* in services->dials, for client */
	struct quota_client client;
	uint16_t asked_port;
	char *name;           /* owned */
	enum untrusted mode;
	enum tls_version min_tls;
	uint8_t *alpn;        /* owned */
	size_t alpn_len;
	uint8_t key[ORIGIN_KEY_SIZE];
	const struct origin_ops *ops;
	void *owner;
	uint64_t used_ms; /* when it was ready, or put in the pool */
	struct origin *prev, *next;     /* in the pool: of its key */
	struct origin *before, *behind; /* ... of all, by when they were put */
};

/* origin_get begins (or finds) a connection; the caller is its owner until
 * origin_release. ops is never called from inside. */
struct origin *origin_get(struct services *services,
	struct origin_want *want, const struct origin_ops *ops, void *owner);

/* origin_release lets go: keep says that it is between two exchanges and may
 * be used again. What is not kept, or not READY, is closed. */
void origin_release(struct origin *origin, bool keep);

/* origin_same says whether origin would do for want. */
bool origin_same(const struct origin *origin, struct origin_want *want);

/* origin_alpn is what the origin chose; NULL: nothing. */
const uint8_t *origin_alpn(const struct origin *origin, unsigned *out_len);

/* What the log tells of a connection; the names are static. */
struct origin_facts {
	bool reused, resumed;
	bool trusted;             /* TLS, and verified */
	enum reason untrusted;    /* origin_let_in */
	const char *tls, *cipher; /* NULL: plain */
	unsigned days;            /* its certificate is valid for; 0: unknown */
	bool wildcard;
	uint64_t ms;              /* it took to get it; reused: 0 */
};

void origin_describe(const struct origin *origin, struct origin_facts *out);

/* origin_let_in is what is wrong with its certificate, where it was not refused for
 * that; REASON_OK: nothing. Of one that failed by something else, too. */
enum reason origin_let_in(const struct origin *origin);

enum reason reason_of_verdict(enum verdict verdict);

#endif

/*
 * services.h - what every session of a worker draws on.
 *
 * struct shared is one a process: made before the workers start, ended after
 * they have. struct services is one a worker.
 *
 * Threads: shared: any (its parts lock for themselves); services: its worker.
 */
#ifndef PROXY_SESSION_SERVICES_H
#define PROXY_SESSION_SERVICES_H

#include <openssl/ssl.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "proxy/config/snapshot.h"
#include "proxy/net/address.h"
#include "proxy/net/loop.h"
#include "proxy/report/tally.h"

struct access_buffer;
struct flight;
struct keylog;
struct leafkeys;
struct ledger;
struct lru;
struct outer;
struct pool;
struct quota;
struct resolver;
struct rulebook;
struct session;
struct shards;
struct tickets;
struct verifier;

struct shared {
	struct leafkeys *keys;      /* owned */
	struct shards *leaves;      /* owned: struct site (leaves.h) */
	struct flight *flight;      /* owned */
	struct shards *verdicts;    /* owned: struct opinion (origin_tls.c) */
	struct shards *undecryptable; /* owned: who asked for a client cert */
	struct tickets *tickets;    /* owned */
	struct ledger *ledger;      /* owned */
	struct verifier *verifier;  /* owned */
	struct own_listeners own;
	struct rulebook *rulebook;  /* owned */
	struct keylog *keylog;      /* owned */
};

struct services {
	struct loop *loop;              /* borrowed */
	struct shared *shared;          /* borrowed */
	struct snapshot *snapshot;      /* shared: the one in force */
	struct resolver *resolver;      /* owned by the worker */
	struct pool *pool;              /* owned by the worker */
	struct quota *dials;            /* owned: being made, looked up */
	struct quota *connections;      /* owned: of clients */
	struct quota *signing;          /* owned: leaves that the keeper signs */
	unsigned num_signing;
	struct lru *tls_sessions;       /* owned: to origins */
	struct access_buffer *log;      /* owned by the worker */
	struct tally tally;             /* its own; read by any thread */
	SSL_CTX *client_ctx, *origin_ctx, *outer_ctx; /* owned by the worker */
	struct session *sessions;       /* every one that is open */
	struct outer *outers;           /* likewise */
	size_t num_sessions;            /* of both; see outer.h */
	bool draining;
	void (*session_ended)(void *arg); /* told when one is gone */
	void *arg;
};

#endif

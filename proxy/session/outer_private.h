/*
 * outer_private.h - an outer's inside; see outer.h.
 *
 *	HELLO ──► LEAF ──► HANDSHAKE ──┬──► RELAY
 *	outer_open.c                   │    outer.c
 *	                               └──► LINGER   its certificate is refused
 *
 * Threads: one, its worker's.
 */
#ifndef PROXY_SESSION_OUTER_PRIVATE_H
#define PROXY_SESSION_OUTER_PRIVATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "policy/host.h"
#include "proxy/config/config.h"
#include "proxy/net/address.h"
#include "proxy/net/hello.h"
#include "proxy/net/stream.h"
#include "proxy/report/reason.h"
#include "proxy/session/client_failure.h"
#include "proxy/session/leaves.h"
#include "proxy/session/outer.h"
#include "proxy/session/outer_tls.h"
#include "proxy/session/quota.h"
#include "proxy/session/services.h"

enum outer_step {
	OUTER_HELLO, /* which name is asked for? */
	OUTER_LEAF,  /* somebody signs it */
	OUTER_HANDSHAKE,
	OUTER_RELAY,  /* bytes both ways, until one of them ends */
	OUTER_LINGER, /* until an alert has arrived */
};

/* What is needed until the handshake is over. */
struct opening {
	struct buffer peek; /* owned: the hello */
	struct hello hello;
	char name[HOST_SIZE]; /* shown */
	struct leaf_request leaf;
	bool leaf_pending;
	struct site *site; /* owned */
	struct outer_peer who;
	struct client_tls_end end;
};

struct outer {
	struct services *services; /* borrowed */
	struct outer *prev, *next; /* services->outers */
	enum outer_step at;
	bool closing, timed_out;
	unsigned refs;
	uv_timer_t timer;
	uint64_t started_ms, flushed_ms, due_ms;

	struct stream client;
	union address peer;
	struct quota_client share; /* of services->connections */
	unsigned taken;            /* so much of it */
	bool client_local;
	char local[46]; /* the address that was reached */
	uint16_t port;
	struct opening *opening; /* owned, until there is a session */

	struct stream inner; /* OUTER_RELAY */
	bool refused;        /* the client takes no more, and inner is told */
};

static inline uint64_t outer_now(const struct outer *o)
{
	return loop_now(o->services->loop);
}

/* --- outer.c ------------------------------------------------------------ */

void outer_run(struct outer *o);
void outer_close(struct outer *o);

/* outer_begin_session: the client is known, and has a session from now on. */
void outer_begin_session(struct outer *o);

/* outer_unref lets go of one count. */
void outer_unref(struct outer *o);

/* --- outer_open.c ------------------------------------------------------- */

struct opening *opening_new(void);
void opening_free(struct opening *opening);

/* opening_collect takes of the hello, and returns how much. */
size_t opening_collect(
	struct opening *opening, const uint8_t *data, size_t len);

/* The steps. */
void opening_read_hello(struct outer *o);
void opening_await_leaf(struct outer *o);
void opening_shake(struct outer *o);

/* outer_fail ends what came to no session, with a line in the log. */
void outer_fail(struct outer *o, enum reason reason, const char *why);

#endif

/*
 * client_tls.h - the client's leg: we are the server it asked for.
 *
 * TLS 1.2 and up, X25519, P-256 and P-384, tickets but no 0-RTT. A ticket
 * opens only for the same site, port, rule, outcome, generation and leaf: all
 * that is in the session id context, so that a session made under one rule
 * never resumes under another, nor outlives its leaf. It may be resumed for
 * eight hours.
 *
 * Threads: one context a worker.
 */
#ifndef PROXY_SESSION_CLIENT_TLS_H
#define PROXY_SESSION_CLIENT_TLS_H

#include <openssl/ssl.h>
#include <stdbool.h>
#include <stdint.h>

#include "pki/leaf.h"
#include "policy/policy.h"

struct tickets;

/* What to answer to the client's ALPN: a name, or len 0: nothing. Borrowed
 * until the handshake is over. */
struct alpn_answer {
	const uint8_t *name;
	uint8_t len;
};

SSL_CTX *client_tls_ctx(struct tickets *tickets);

/* client_tls_new makes the server's end of a connection that shows leaf.
 * binding is what else a resumed session must have in common. */
SSL *client_tls_new(SSL_CTX *ctx, const struct leaf *leaf,
	const struct alpn_answer *alpn, const void *binding,
	size_t binding_len);

/* client_tls_need refuses TLS that is older. */
void client_tls_need(SSL *ssl, enum tls_version version);

#endif

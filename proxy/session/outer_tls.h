/*
 * outer_tls.h - the server's end of TLS to the proxy itself, and who the client
 * is by its certificate.
 *
 * Threads: one context a worker.
 */
#ifndef PROXY_SESSION_OUTER_TLS_H
#define PROXY_SESSION_OUTER_TLS_H

#include <openssl/ssl.h>
#include <stdbool.h>

struct leaf;
struct settings;

enum { OUTER_USER_SIZE = 129, OUTER_WHY_SIZE = 320 };

/* What the client's certificate said. */
struct outer_peer {
	struct settings *settings;  /* shared: whose client_trust judges */
	char user[OUTER_USER_SIZE]; /* "": it showed none */
	char why[OUTER_WHY_SIZE];   /* it did not verify, or names nobody */
};

SSL_CTX *outer_tls_ctx(void);

/* outer_tls_new shows leaf. peer is borrowed until the handshake is over, and
 * filled in it; where its settings have a client_trust, a certificate is asked
 * for. */
SSL *outer_tls_new(
	SSL_CTX *ctx, const struct leaf *leaf, struct outer_peer *peer);

#endif

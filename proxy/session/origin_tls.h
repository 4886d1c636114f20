/*
 * origin_tls.h - the origin's leg: TLS 1.2 and up, verified always.
 *
 * Every handshake verifies, a resumed one too. Verdicts are kept for a minute
 * by (name, chain, set of roots); sessions by the origin key, and only those
 * of a handshake that verified.
 *
 * Threads: one context a worker.
 */
#ifndef PROXY_SESSION_ORIGIN_TLS_H
#define PROXY_SESSION_ORIGIN_TLS_H

#include <openssl/ssl.h>

struct origin;

SSL_CTX *origin_tls_ctx(void);

/* origin_tls_new makes the client's end of a connection to origin. */
SSL *origin_tls_new(struct origin *origin);

/* For the shared cache of verdicts. */
void *opinion_ref(void *opinion);
void opinion_unref(void *opinion);
void origin_session_free(void *session); /* for the cache of TLS sessions */

#endif

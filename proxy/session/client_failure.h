/*
 * client_failure.h - why TLS with a client came to nothing.
 *
 * What an administrator must tell apart: a program that refuses our certificate
 * (an alert, or the connection is broken off right after it), one that is too
 * old, and one that just went away.
 *
 * Owns:    nothing.
 * Threads: one, its worker's.
 */
#ifndef PROXY_SESSION_CLIENT_FAILURE_H
#define PROXY_SESSION_CLIENT_FAILURE_H

#include <openssl/ssl.h>
#include <stdbool.h>

#include "proxy/net/stream.h"
#include "proxy/report/record.h"

struct client_tls_end {
	enum client_failure failure;
	const char *alert; /* static: with CLIENT_FAILURE_ALERT */
	bool shown;        /* our certificate has gone out; see watch */
};

/* client_failure_watch has end->shown told of ssl; end must last as long. One that
 * resumes a session is shown none. */
void client_failure_watch(SSL *ssl, struct client_tls_end *end);

/* client_failure_find fills in how the handshake on client ended, which did. */
void client_failure_find(const struct stream *client, bool timed_out,
	struct client_tls_end *end);

#endif

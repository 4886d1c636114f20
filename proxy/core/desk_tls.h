/*
 * desk_tls.h - TLS on the admin listener, where that is not on this machine's
 * own address: certificates from Sallyport's own CA.
 *
 * A client is shown one for the name that it asks for, where that is one of
 * ours, else for the address that it reached: one a name, for as long as it is
 * good, so that a handshake seldom has something signed.
 *
 * Threads: one.
 */
#ifndef PROXY_CORE_DESK_TLS_H
#define PROXY_CORE_DESK_TLS_H

#include <openssl/ssl.h>

struct desk_host;
struct desk_tls;
struct leafkeys;

/* host and keys are borrowed. */
struct desk_tls *desk_tls_new(const struct desk_host *host,
	const struct leafkeys *keys);
void desk_tls_free(struct desk_tls *tls);

/* desk_tls_new_ssl makes the server's end of a connection; self is the address
 * that was reached, "192.0.2.1:8081". */
SSL *desk_tls_new_ssl(struct desk_tls *tls, const char *self);

#endif

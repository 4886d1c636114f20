/*
 * tickets.h - the keys that seal the client leg's session tickets.
 *
 * Made new every 12 hours; the one before still opens tickets until it is
 * replaced in turn, so that each opens for 12 to 24 hours. How long a session
 * may be resumed is client_tls.h's. Nothing is ever written to disk: a restart
 * ends all sessions.
 *
 * Owns:    the keys, wiped when replaced and freed.
 * Threads: any.
 */
#ifndef PROXY_SESSION_TICKETS_H
#define PROXY_SESSION_TICKETS_H

#include <openssl/ssl.h>

struct tickets;

struct tickets *tickets_new(void);
void tickets_free(struct tickets *tickets);

/* tickets_use makes ctx seal and open its tickets with these keys, which must
 * outlive it. */
void tickets_use(struct tickets *tickets, SSL_CTX *ctx);

#endif

/*
 * outer.h - a client that speaks to the proxy itself in TLS (listen.proxy-tls).
 *
 * The TLS is ended here; what is in it goes through a pair of sockets to an
 * ordinary session, which sees a client in plain and may end another TLS inside:
 *
 *	client ══TLS══► outer ──socketpair──► session (REALM_PROXY) ──► origin
 *
 * The certificate shown is for the name in the SNI, where that is a host, else
 * for the address that was reached. With users.client-ca the client is asked for
 * one of its own: one that verifies says who it is (the common name of its
 * subject), one that does not ends the handshake with an alert, and none is
 * nobody. Tickets are not given: each connection shows its certificate.
 *
 * An outer and its session hold four descriptors where others hold two, so each
 * outer counts as two connections, in all and of its client's share. The session
 * minds what is idle; the outer minds its handshake, and that what the session
 * said last arrives.
 *
 * Owns:    itself: freed when its last handle has closed.
 * Threads: one, its worker's.
 */
#ifndef PROXY_SESSION_OUTER_H
#define PROXY_SESSION_OUTER_H

#include <sys/socket.h>

struct services;

/* outer_accept takes fd, a connection on the listener. */
void outer_accept(
	struct services *services, int fd, const struct sockaddr *peer);

/* outer_drain ends those that have no session yet; outer_stop_all ends every one
 * now. */
void outer_drain(struct services *services);
void outer_stop_all(struct services *services);

#endif

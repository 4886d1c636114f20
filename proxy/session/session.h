/*
 * session.h - the life of one client connection.
 *
 * Accepted, asked what it wants, decided, then served as HTTP, tunnelled, or
 * refused. See session_private.h for the steps.
 *
 * Owns:    itself: a session frees itself when its last handle has closed.
 * Threads: one, its worker's.
 */
#ifndef PROXY_SESSION_SESSION_H
#define PROXY_SESSION_SESSION_H

#include <stdbool.h>
#include <sys/socket.h>

struct certified;
struct services;
struct session;
struct stream;

/* What an outer (outer.h) knows of its client. Borrowed during the call. */
struct session_inner {
	const struct sockaddr *peer;
	bool client_local;
	struct certified *certified; /* taken; NULL: it showed none */
	struct stream *outer; /* the outer's end of the pair */
};

/* session_accept takes fd, a connection on the explicit or the transparent
 * listener. */
void session_accept(struct services *services, int fd,
	const struct sockaddr *peer, bool transparent);

/* session_accept_inner takes fd, the other end of an outer's pair: a connection
 * on the explicit listener, but that the outer has counted it. */
void session_accept_inner(struct services *services, int fd,
	const struct session_inner *inner);

/* session_end_gone: the settings are others; it ends what goes on unasked, tunnels
 * above all, for users who are none any more. Who still asks is told. */
void session_end_gone(struct services *services);

/* session_drain ends all that are at rest; the others end after what they are
 * at. session_stop_all ends every one now. */
void session_drain(struct services *services);
void session_stop_all(struct services *services);

#endif

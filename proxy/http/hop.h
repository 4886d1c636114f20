/*
 * hop.h - what belongs to one hop and ends here.
 *
 * RFC 9110, 7.6.1: Connection, what it names, Keep-Alive, TE (but
 * "trailers"), Trailer stays, Transfer-Encoding, Upgrade (but websocket, see
 * below), and everything that begins with Proxy-. Nothing is added that tells
 * the origin of the client or of us (no Via, Forwarded, X-Forwarded-For).
 *
 * Threads: one, the head's.
 */
#ifndef PROXY_HTTP_HOP_H
#define PROXY_HTTP_HOP_H

#include <stdbool.h>

#include "proxy/http/message.h"

/* hop_strip_request makes a request's head fit for the origin. If the request
 * asks for "Upgrade: websocket" (method GET, HTTP/1.1, Connection: upgrade) it
 * returns true and leaves exactly Connection: Upgrade and Upgrade: websocket;
 * every other offer (h2c, TLS, HTTP2-Settings) is gone. A field that
 * Connection names but that is end-to-end by nature and needed to frame or
 * route (Host, Content-Length, Content-Type, Authorization, Cookie,
 * Sec-WebSocket-*) is kept: naming it is an attack, not a wish. */
bool hop_strip_request(struct head *head);

/* hop_strip_response does the same to a response; to a 101 it leaves the
 * upgrade fields. Proxy-Authenticate and Proxy-Status end here too. */
void hop_strip_response(struct head *head);

/* hop_strip_trailers takes out what must not come in trailers (RFC 9110,
 * 6.5.1): framing, routing, authentication, Connection and its kin. */
void hop_strip_trailers(struct head *trailers);

/* hop_binds: NTLM and Negotiate (RFC 4559) authenticate the connection, not the
 * request: one whose Authorization or WWW-Authenticate has either is its client's
 * alone. */
bool hop_binds(const struct head *head, const char *field);

#endif

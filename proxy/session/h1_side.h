/*
 * h1_side.h - HTTP/1.1 over one stream: the client's side (requests come,
 * responses go) or the origin's (the other way about).
 *
 * The bytes to read are lent for the length of a call by the stream's owner:
 * h1_side_give, then the exchange pulls, then h1_side_left.
 *
 * Owns:    the parser. The stream is borrowed.
 * Threads: one.
 */
#ifndef PROXY_SESSION_H1_SIDE_H
#define PROXY_SESSION_H1_SIDE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "proxy/http/h1_in.h"
#include "proxy/net/stream.h"
#include "proxy/session/codec.h"

struct h1_side {
	struct codec codec; /* first: a codec is an h1_side */
	struct h1_in *in;   /* owned */
	struct stream *stream;
	bool client;        /* the client's side */
	const char *at, *end; /* bytes in hand */
	bool sending_chunks;
	bool old_peer;      /* speaks HTTP/1.0: no chunks to it */
	bool eof_told;      /* the parser knows that no more comes */
};

/* h1_side_init takes in: of requests on the client's side, else of responses.
 * h1_side_take ends the side and gives it back. */
void h1_side_init(struct h1_side *side, struct stream *stream, bool client,
	struct h1_in *in);
struct h1_in *h1_side_take(struct h1_side *side);
void h1_side_clear(struct h1_side *side);

/* h1_side_answers: on the origin's side, what comes answers a HEAD. */
void h1_side_answers(struct h1_side *side, bool to_head);

void h1_side_give(struct h1_side *side, const uint8_t *data, size_t len);
size_t h1_side_left(struct h1_side *side);

/* h1_side_idle: no message is under way. */
bool h1_side_idle(const struct h1_side *side);

#endif

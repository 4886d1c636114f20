/*
 * shakes.h - how TLS handshakes went, for the metrics.
 *
 * Threads: the worker's.
 */
#ifndef PROXY_SESSION_SHAKES_H
#define PROXY_SESSION_SHAKES_H

#include <stdbool.h>
#include <stdint.h>

#include "proxy/net/stream.h"
#include "proxy/report/tally.h"

/* shakes_client counts a client's handshake that is over, begun at since_ms. */
void shakes_client(struct tally *tally, const struct stream *stream,
	enum tally_to to, bool timed_out, uint64_t since_ms);

/* shakes_origin counts an origin's. refused: we did not want what it showed;
 * abandoned: it is not over, but nobody waits for it. */
void shakes_origin(struct tally *tally, const struct stream *stream,
	bool refused, bool abandoned);

#endif

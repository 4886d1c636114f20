/*
 * framing.h - where a message's body ends, as its head says.
 *
 * RFC 9112, 6.3, without the leniency: two readers who disagree about where a
 * body ends are how requests are smuggled (11.2), so whatever could be read in
 * two ways is refused, not repaired.
 *
 * Threads: any.
 */
#ifndef PROXY_HTTP_FRAMING_H
#define PROXY_HTTP_FRAMING_H

#include "proxy/http/h1_in.h"

struct framing {
	enum h1_framing kind;
	uint64_t length; /* with H1_LENGTH */
	bool keep_alive; /* the connection may serve another message */
};

/* framing_of_request, framing_of_response read it from a whole head, and check
 * what routes the message (Host). On anything but H1_OK out_why is a sentence.
 * to_head: the response answers a HEAD request. */
enum h1_error framing_of_request(
	const struct head *head, struct framing *out, const char **out_why);
enum h1_error framing_of_response(const struct head *head, bool to_head,
	struct framing *out, const char **out_why);

/* framing_of_trailers refuses trailers that would frame (RFC 9110, 6.5.1). */
enum h1_error framing_of_trailers(
	const struct head *trailers, const char **out_why);

#endif

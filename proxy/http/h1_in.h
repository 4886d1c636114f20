/*
 * h1_in.h - HTTP/1.x from bytes to messages, for requests and responses.
 *
 * Pulled, not pushed: the caller hands in bytes and asks for the next event,
 * so that it can stop anywhere, wait for the other side, and go on.
 *
 *	const char *at = data, *end = data + len;
 *	for (;;) {
 *		switch (h1_in_next(in, &at, end)) {
 *		case H1_MORE: return;              // all eaten
 *		case H1_HEAD: ... h1_in_head(in)   // framing is known too
 *		case H1_BODY: ... h1_in_body(in)   // a piece, borrowed from data
 *		case H1_END:  ... h1_in_trailers(in)
 *			      ... h1_in_next_message(in, to_head)
 *		default:      ... h1_in_error(in)
 *		}
 *	}
 *
 * llhttp does the parsing, all lenient flags off (8.1: built with
 * LLHTTP_STRICT_MODE=1). What it lets pass and RFC 9112 or prudence does not
 * is refused here: obs-fold, bare CR, bare LF, NUL, a length beside chunked,
 * more than one length, any transfer coding but a lone "chunked", transfer
 * codings in HTTP/1.0, several Host fields, a malformed one, or none in 1.1
 * (requests), a body to CONNECT, white space before the colon, chunk
 * extensions over 4 KiB a message, Connection fields over 1 KiB, more than
 * 1000 fields, heads or trailers over the limit. Which bytes come together in
 * one call never matters.
 *
 * Memory: under 1 KiB between messages; while a head is read and until the
 * next message, its text and 16 bytes a field.
 *
 * Owns:    the head and the trailers it is filling.
 * Threads: one.
 * Errors:  negative, sticky; h1_in_error says which, h1_in_why in a sentence.
 */
#ifndef PROXY_HTTP_H1_IN_H
#define PROXY_HTTP_H1_IN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "proxy/http/message.h"

struct h1_in;

enum h1_kind { H1_REQUEST, H1_RESPONSE };

enum h1_event {
	H1_FAILED = -1,
	H1_MORE, /* every byte is eaten and no event is complete */
	H1_HEAD, /* the head is whole; comes once a message */
	H1_BODY, /* a piece of the body; may come any number of times */
	H1_END,  /* the message is whole; at points behind it */
};

enum h1_error {
	H1_OK,
	H1_BAD_SYNTAX,     /* 400 / 502 */
	H1_BAD_FRAMING,    /* ambiguous length: 400 / 502, and close */
	H1_HEAD_TOO_LARGE, /* 431 / 502 */
	H1_UNKNOWN_METHOD, /* 501 */
	H1_BAD_VERSION,    /* 505: not HTTP/1.0 or 1.1 */
	H1_UNKNOWN_CODING, /* 501: a transfer coding that is not chunked */
	H1_TRUNCATED,      /* the bytes ended within a message */
};

enum h1_framing {
	H1_NO_BODY, /* ends with the head */
	H1_LENGTH,  /* content-length */
	H1_CHUNKED,
	H1_UNTIL_CLOSE, /* responses only */
};

/* h1_in_new makes a parser; max_head bounds start line and fields together,
 * and the trailers by themselves. */
struct h1_in *h1_in_new(enum h1_kind kind, size_t max_head);
void h1_in_free(struct h1_in *in);

/* h1_in_next eats bytes from *at up to end and returns the next event. */
enum h1_event h1_in_next(struct h1_in *in, const char **at, const char *end);

/* h1_in_eof tells that no bytes will follow. H1_END: the message ended so
 * (until-close body); H1_MORE: nothing was under way; H1_FAILED: truncated. */
enum h1_event h1_in_eof(struct h1_in *in);

/* h1_in_next_message makes ready for the next message after H1_END. For a
 * response, to_head says that it answers a HEAD request (no body follows).
 * Responses 1xx but 101 end at once (H1_END) and the real one follows: call
 * it after those too. After a 101 the message ends and the parser must not be
 * fed again. */
void h1_in_next_message(struct h1_in *in, bool to_head);

/* h1_in_renew makes a parser that is idle as good as a new one of its kind. */
void h1_in_renew(struct h1_in *in, size_t max_head);

/* h1_in_answers sets to_head for the message that comes next, before its first
 * byte (the first response of a connection). */
void h1_in_answers(struct h1_in *in, bool to_head);

/* The head, from H1_HEAD on; borrowed, the caller may change it. */
struct head *h1_in_head(struct h1_in *in);
enum h1_framing h1_in_framing(const struct h1_in *in);
uint64_t h1_in_length(const struct h1_in *in);   /* with H1_LENGTH */
struct slice h1_in_body(const struct h1_in *in); /* at H1_BODY */
const struct head *h1_in_trailers(
	const struct h1_in *in); /* at H1_END; NULL: none */

/* h1_in_keep_alive: what the head says of the connection's future (version
 * and Connection field), from H1_HEAD on. */
bool h1_in_keep_alive(const struct h1_in *in);

/* h1_in_idle: between messages, no byte of a next one seen. */
bool h1_in_idle(const struct h1_in *in);

enum h1_error h1_in_error(const struct h1_in *in);
const char *h1_in_why(const struct h1_in *in); /* a sentence */

#endif

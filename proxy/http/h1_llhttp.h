/*
 * h1_llhttp.h - llhttp as the second reader.
 *
 * h1_in cuts the input into lines and pieces; llhttp reads what they say:
 * names and values, sizes of chunks. It gets every part in one piece and has
 * to find its end at the last byte, not sooner; where the two do not agree the
 * message is refused. What llhttp thinks of the body of an upgrade or of a
 * CONNECT is never asked: only chunked bodies pass through it, and it starts
 * anew with every message.
 *
 * Works with llhttp 8 (built with LLHTTP_STRICT_MODE=1) and 9. Where these
 * differ, or 8 is wrong, they are not asked either: bytes over 0x7f in a
 * target, extensions of chunks.
 *
 * Owns:    nothing; the heads it fills are the caller's.
 * Threads: one.
 * Errors:  false; then error and why (a static string) are set.
 */
#ifndef PROXY_HTTP_H1_LLHTTP_H
#define PROXY_HTTP_H1_LLHTTP_H

#include <llhttp.h>

#include "proxy/http/h1_in.h"

struct h1_llhttp {
	llhttp_t parser;
	struct head *head;        /* being filled; borrowed */
	struct slice name, value; /* of the field being read, within head */
	bool has_head_end, has_message_end, has_chunk;
	uint64_t chunk_size;
	size_t echo; /* body bytes it saw */
	enum h1_error error;
	const char *why;
};

void h1_llhttp_init(struct h1_llhttp *l, enum h1_kind kind);
void h1_llhttp_reset(struct h1_llhttp *l); /* for the next message */

/* h1_llhttp_head reads a head whose start line h1_in has read and whose text
 * is whole, and adds the fields to it. */
bool h1_llhttp_head(struct h1_llhttp *l, struct head *head);

/* The parts of a chunked body, from here on, in their order. h1_llhttp_chunked
 * says whether llhttp thinks that it is one. */
bool h1_llhttp_chunked(struct h1_llhttp *l);
bool h1_llhttp_size(struct h1_llhttp *l, const char *at, size_t len);
bool h1_llhttp_size_end(struct h1_llhttp *l, uint64_t *out_size);
bool h1_llhttp_data(struct h1_llhttp *l, const char *at, size_t len);
bool h1_llhttp_data_end(struct h1_llhttp *l);

/* h1_llhttp_trailers reads the trailers, whose text is whole; h1_llhttp_no_
 * trailers the empty line alone. */
bool h1_llhttp_trailers(struct h1_llhttp *l, struct head *trailers);
bool h1_llhttp_no_trailers(struct h1_llhttp *l);

#endif

/*
 * h1_out.h - messages to HTTP/1.1 bytes.
 *
 * Heads are written from what was parsed, never passed on as raw bytes. What
 * frames the body is decided here, not copied: Content-Length and
 * Transfer-Encoding of the head are left out and written anew as framing says.
 *
 * Each piece has a function that says how much room it needs at the most, and
 * one that writes it to such room and returns its length: so it can be written
 * where it is sent from.
 *
 * Owns:    nothing.
 * Threads: one.
 */
#ifndef PROXY_HTTP_H1_OUT_H
#define PROXY_HTTP_H1_OUT_H

#include <stdint.h>

#include "proxy/http/h1_in.h"
#include "proxy/http/message.h"

/* h1_out_head writes the start line (always HTTP/1.1), the fields and the
 * empty line. framing H1_LENGTH writes Content-Length: length, H1_CHUNKED
 * Transfer-Encoding: chunked. H1_NO_BODY and H1_UNTIL_CLOSE write neither,
 * but for a response to HEAD or a 304 give keep_length so that the fields
 * which the origin sent stay as they are. */
size_t h1_out_head_room(const struct head *head);
size_t h1_out_head(char *out, const struct head *head,
	enum h1_framing framing, uint64_t length, bool keep_length);

/* h1_out_chunk_size writes the line before a chunk of size bytes (not zero);
 * behind the chunk's bytes goes H1_CHUNK_END. */
enum { H1_CHUNK_SIZE_ROOM = 18 };
size_t h1_out_chunk_size(char out[H1_CHUNK_SIZE_ROOM], uint64_t size);
#define H1_CHUNK_END "\r\n"

/* h1_out_last_chunk writes the last chunk and trailers (may be NULL). */
size_t h1_out_last_chunk_room(const struct head *trailers);
size_t h1_out_last_chunk(char *out, const struct head *trailers);

#endif

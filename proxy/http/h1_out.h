/*
 * h1_out.h - messages to HTTP/1.1 bytes.
 *
 * Heads are written from what was parsed, never passed on as raw bytes. What
 * frames the body is decided here, not copied: Content-Length and
 * Transfer-Encoding of the head are left out and written anew as framing says.
 *
 * Owns:    nothing. Output goes to a UT_string that the caller owns.
 * Threads: one.
 */
#ifndef PROXY_HTTP_H1_OUT_H
#define PROXY_HTTP_H1_OUT_H

#include <stdint.h>
#include <utstring.h>

#include "proxy/http/h1_in.h"
#include "proxy/http/message.h"

/* h1_out_head appends the start line (always HTTP/1.1), the fields and the
 * empty line. framing H1_LENGTH writes Content-Length: length, H1_CHUNKED
 * Transfer-Encoding: chunked. H1_NO_BODY and H1_UNTIL_CLOSE write neither,
 * but for a response to HEAD or a 304 give keep_length so that the fields
 * which the origin sent stay as they are. */
void h1_out_head(UT_string *out, const struct head *head,
	enum h1_framing framing, uint64_t length, bool keep_length);

/* h1_out_chunk_size appends the line before a chunk of size bytes (not zero);
 * behind the chunk's bytes goes H1_CHUNK_END. */
void h1_out_chunk_size(UT_string *out, uint64_t size);
#define H1_CHUNK_END "\r\n"

/* h1_out_last_chunk appends the last chunk and trailers (may be NULL). */
void h1_out_last_chunk(UT_string *out, const struct head *trailers);

#endif

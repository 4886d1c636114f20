/*
 * stream_private.h - what the files of a stream share; see stream.h.
 *
 * Threads: one, the loop's.
 */
#ifndef PROXY_NET_STREAM_PRIVATE_H
#define PROXY_NET_STREAM_PRIVATE_H

#include "proxy/net/stream.h"

/* What must come in one read to make splicing worth it. */
enum { STREAM_MUCH = 32 * 1024 };

/* stream_mark has the stream looked after at the end of the turn; stream_tell
 * has its owner called then; stream_fail tells of an error; stream_deafen of a
 * peer that takes no more; stream_account derives whether it is full. */
void stream_mark(struct stream *stream);
void stream_tell(struct stream *stream);
void stream_fail(struct stream *stream, enum stream_error error);
void stream_deafen(struct stream *stream);
void stream_account(struct stream *stream);

/* stream_came and stream_went count bytes of the socket. */
static inline void stream_came(struct stream *stream, size_t len)
{
	stream->bytes_in += len;
	if (stream->traffic)
		count_add(&stream->traffic->in, len);
}

static inline void stream_went(struct stream *stream, size_t len)
{
	stream->bytes_out += len;
	if (stream->traffic)
		count_add(&stream->traffic->out, len);
}

int stream_fd(const struct stream *stream);
size_t stream_queued(const struct stream *stream); /* bytes of output */

/* stream_may_splice: what comes now may go to the mate unseen, since nothing
 * that came before is still to be sent; stream_splice_in moves it. */
bool stream_may_splice(const struct stream *stream);
void stream_splice_in(struct stream *stream);

/* stream_part ends what stream_join began, stream_unpair what stream_pair. */
void stream_part(struct stream *stream);
void stream_unpair(struct stream *stream);

/* stream_hear_end: the peer sends no more; of a pair, that may be a reset. */
void stream_hear_end(struct stream *stream);

#endif

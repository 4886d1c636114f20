/* stream_pair.c - two streams that are each other's peer, in this process. */
#include <sys/socket.h>

#include "proxy/net/stream_private.h"

void stream_pair(struct stream *a, struct stream *b)
{
	a->twin = b;
	b->twin = a;
}

void stream_unpair(struct stream *stream)
{
	if (!stream->twin)
		return;
	stream->twin->twin = NULL;
	stream->twin->alone = true;
	stream_tell(stream->twin);
	stream->twin = NULL;
}

bool stream_alone(const struct stream *stream)
{
	return stream->alone;
}

void stream_refuse(struct stream *stream)
{
	if (stream->open)
		(void)shutdown(stream_fd(stream), SHUT_RD);
}

void stream_reset(struct stream *stream)
{
	struct linger hard = {.l_onoff = 1};

	if (!stream->open)
		return;
	if (stream->twin)
		stream->twin->cut = true;
	(void)setsockopt(
		stream_fd(stream), SOL_SOCKET, SO_LINGER, &hard, sizeof(hard));
}

void stream_hear_end(struct stream *stream)
{
	if (stream->cut) {
		stream_fail(stream, STREAM_RESET);
		return;
	}
	stream->truncated = stream->is_tls && !stream->ended;
	stream->ended = true;
	stream_tell(stream);
}

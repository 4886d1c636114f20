/* stream_facts.c - what a stream tells of itself. */
#include <errno.h>
#include <sys/socket.h>

#include "proxy/net/stream_private.h"

int stream_fd(const struct stream *stream)
{
	int fd = -1;

	(void)uv_fileno((const uv_handle_t *)stream->tcp, &fd);
	return fd;
}

size_t stream_queued(const struct stream *stream)
{
	return buffer_len(&stream->plain) + buffer_len(&stream->out) +
		buffer_len(&stream->inflight);
}

bool stream_ended(const struct stream *stream)
{
	return stream->ended && !buffer_len(&stream->kept) &&
		(stream->truncated || !buffer_len(&stream->raw));
}

bool stream_is_quiet(const struct stream *stream)
{
	char byte;

	return stream->error == STREAM_FINE && !stream->ended &&
		!buffer_len(&stream->kept) && !buffer_len(&stream->raw) &&
		recv(stream_fd(stream), &byte, 1, MSG_PEEK | MSG_DONTWAIT) < 0 &&
		(errno == EAGAIN || errno == EWOULDBLOCK);
}

bool stream_full(const struct stream *stream)
{
	return stream->full;
}

bool stream_flushed(const struct stream *stream)
{
	return stream_queued(stream) == 0;
}

bool stream_deaf(const struct stream *stream)
{
	return stream->deaf;
}

bool stream_has_data(const struct stream *stream)
{
	return buffer_len(&stream->kept) > 0;
}

bool stream_broken(const struct stream *stream)
{
	return stream->error != STREAM_FINE ||
		(stream->deaf && stream->ended);
}

/* stream_splice.c - two plain streams, joined: what comes on one is moved to
 * the other by the kernel. */
#include "proxy/net/stream_private.h"

enum { LITTLE = 4 * 1024 }; /* not worth the pipe */

/* What came before must be sent before. */
bool stream_may_splice(const struct stream *stream)
{
	const struct stream *mate = stream->mate;

	return stream->splicing && stream->wanted &&
		!buffer_len(&stream->kept) && mate && mate->open &&
		!mate->writing && !buffer_len(&mate->out) && !mate->deaf &&
		mate->error == STREAM_FINE && !mate->shutdown_asked;
}

void stream_splice_in(struct stream *stream)
{
	struct stream *mate = stream->mate;
	struct spliced moved;
	enum splice_result result = splice_move(&stream->loop->splicer,
		stream_fd(stream), stream_fd(mate), &mate->out, &moved);

	stream->active_ms = loop_now(stream->loop);
	loop_note_read(stream->loop, moved.in);
	stream_came(stream, moved.in);
	stream_went(mate, moved.out);
	stream->splicing = result == SPLICE_MOVED && moved.in >= LITTLE;
	if (moved.out > 0)
		mate->active_ms = stream->active_ms;
	if (result == SPLICE_ENDED)
		stream_hear_end(stream);
	else if (result == SPLICE_BROKE)
		stream_fail(stream, STREAM_RESET);
	if (moved.deaf)
		stream_deafen(mate);
	if (moved.in > moved.out) {
		stream_mark(mate);
		stream_tell(stream); /* that the mate may be full */
	}
	stream_account(mate);
}

void stream_join(struct stream *a, struct stream *b)
{
	a->mate = b;
	b->mate = a;
}

void stream_part(struct stream *stream)
{
	if (!stream->mate)
		return;
	stream->mate->mate = NULL;
	stream->mate = NULL;
}

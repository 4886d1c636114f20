#include "proxy/session/h1_side.h"

#include "proxy/http/h1_out.h"

static struct h1_side *side_of(struct codec *codec)
{
	return (struct h1_side *)codec;
}

/* --- what came ---------------------------------------------------------- */

static enum codec_event translate(enum h1_event event)
{
	switch (event) {
	case H1_HEAD:
		return CODEC_HEAD;
	case H1_BODY:
		return CODEC_BODY;
	case H1_END:
		return CODEC_END;
	case H1_FAILED:
		return CODEC_FAILED;
	case H1_MORE:
	default:
		return CODEC_MORE;
	}
}

/* at_end decides what the end of the stream means: the end of an until-close
 * body (unless TLS was cut off), a truncated message, or just goodbye. */
static enum codec_event at_end(struct h1_side *side)
{
	enum h1_event event;

	if (!side->eof_told && h1_in_idle(side->in))
		return CODEC_CLOSED;
	if (side->stream->truncated && !side->client)
		return CODEC_FAILED;
	side->eof_told = true;
	event = h1_in_eof(side->in);
	return event == H1_MORE ? CODEC_CLOSED : translate(event);
}

static enum codec_event next(struct codec *codec)
{
	struct h1_side *side = side_of(codec);
	enum codec_event event = CODEC_MORE;

	if (side->at < side->end || !h1_in_idle(side->in))
		event = translate(h1_in_next(side->in, &side->at, side->end));
	if (event == CODEC_HEAD && side->client)
		side->old_peer = head_minor(h1_in_head(side->in)) == 0;
	if (event != CODEC_MORE || side->at < side->end)
		return event;
	if (side->stream->error != STREAM_FINE)
		return h1_in_idle(side->in) ? CODEC_CLOSED : CODEC_FAILED;
	return stream_ended(side->stream) ? at_end(side) : CODEC_MORE;
}

static struct head *head(struct codec *codec)
{
	return h1_in_head(side_of(codec)->in);
}

static struct body_plan plan(struct codec *codec)
{
	struct h1_side *side = side_of(codec);
	struct body_plan plan = {0};

	switch (h1_in_framing(side->in)) {
	case H1_NO_BODY:
		plan.kind = BODY_NONE;
		/* of a HEAD or a 304, not of a 204 (RFC 9110, 8.6) */
		plan.keep_length = !side->client &&
			head_status(h1_in_head(side->in)) != 204;
		break;
	case H1_LENGTH:
		plan.kind = BODY_LENGTH;
		plan.length = h1_in_length(side->in);
		break;
	case H1_CHUNKED:
	case H1_UNTIL_CLOSE:
		plan.kind = BODY_UNKNOWN;
		break;
	}
	return plan;
}

static struct slice body(struct codec *codec)
{
	return h1_in_body(side_of(codec)->in);
}

static const struct head *trailers(struct codec *codec)
{
	return h1_in_trailers(side_of(codec)->in);
}

static enum reason request_failure(enum h1_error error)
{
	switch (error) {
	case H1_HEAD_TOO_LARGE:
		return REASON_HEAD_TOO_LARGE;
	case H1_UNKNOWN_METHOD:
		return REASON_UNKNOWN_METHOD;
	case H1_BAD_VERSION:
		return REASON_BAD_VERSION;
	case H1_UNKNOWN_CODING:
		return REASON_UNKNOWN_CODING;
	case H1_OK:
	case H1_TRUNCATED:
		return REASON_CLIENT_GONE;
	case H1_BAD_SYNTAX:
	case H1_BAD_FRAMING:
	default:
		return REASON_BAD_REQUEST;
	}
}

static enum reason response_failure(enum h1_error error)
{
	switch (error) {
	case H1_HEAD_TOO_LARGE:
		return REASON_ORIGIN_HEAD_TOO_LARGE;
	case H1_OK:
	case H1_TRUNCATED:
		return REASON_ORIGIN_TRUNCATED;
	case H1_UNKNOWN_METHOD:
	case H1_BAD_VERSION:
	case H1_UNKNOWN_CODING:
	case H1_BAD_SYNTAX:
	case H1_BAD_FRAMING:
	default:
		return REASON_ORIGIN_BAD_RESPONSE;
	}
}

static enum reason failure(struct codec *codec, const char **out_why)
{
	struct h1_side *side = side_of(codec);
	enum h1_error error = h1_in_error(side->in);

	*out_why = error == H1_OK ? "" : h1_in_why(side->in);
	if (error == H1_OK && side->stream->error == STREAM_RESET &&
	    !side->client)
		return REASON_ORIGIN_RESET;
	return side->client ? request_failure(error) :
			      response_failure(error);
}

static bool lasts(struct codec *codec)
{
	struct h1_side *side = side_of(codec);

	return h1_in_keep_alive(side->in) && !side->stream->truncated &&
		side->stream->error == STREAM_FINE;
}

static bool under_way(struct codec *codec)
{
	return !h1_side_idle(side_of(codec));
}

static bool drained(struct codec *codec)
{
	return side_of(codec)->at == side_of(codec)->end;
}

static void next_message(struct codec *codec, bool to_head)
{
	h1_in_next_message(side_of(codec)->in, to_head);
}

/* --- what goes ---------------------------------------------------------- */

/* framing_for: to a 1.0 client a body of unknown length ends with the
 * connection (RFC 9112, 6.3). */
static enum h1_framing framing_for(struct h1_side *side,
	const struct body_plan *plan, bool *last)
{
	if (plan->kind == BODY_NONE)
		return H1_NO_BODY;
	if (plan->kind == BODY_LENGTH)
		return H1_LENGTH;
	if (!side->old_peer)
		return H1_CHUNKED;
	*last = true;
	return H1_UNTIL_CLOSE;
}

static void send_head(struct codec *codec, struct head *head,
	const struct body_plan *plan, bool last)
{
	struct h1_side *side = side_of(codec);
	enum h1_framing framing = framing_for(side, plan, &last);
	char *room;

	side->sending_chunks = framing == H1_CHUNKED;
	if (last)
		head_add_text(head, "Connection", "close");
	else if (side->old_peer)
		head_add_text(head, "Connection", "keep-alive");
	room = stream_room(side->stream, h1_out_head_room(head));
	stream_filled(side->stream, h1_out_head(room, head, framing,
		plan->length, plan->keep_length));
}

static void send_body(struct codec *codec, struct slice piece)
{
	struct h1_side *side = side_of(codec);
	char line[H1_CHUNK_SIZE_ROOM];

	if (piece.len == 0)
		return;
	if (side->sending_chunks)
		stream_write(side->stream, line,
			h1_out_chunk_size(line, piece.len));
	stream_write(side->stream, piece.at, piece.len);
	if (side->sending_chunks)
		stream_write(side->stream, H1_CHUNK_END, 2);
}

static void send_end(struct codec *codec, const struct head *trailers)
{
	struct h1_side *side = side_of(codec);
	char *room;

	if (!side->sending_chunks)
		return;
	room = stream_room(side->stream, h1_out_last_chunk_room(trailers));
	stream_filled(side->stream, h1_out_last_chunk(room, trailers));
	side->sending_chunks = false;
}

static bool full(struct codec *codec)
{
	struct h1_side *side = side_of(codec);

	return stream_full(side->stream) ||
		(side->client && stream_deaf(side->stream));
}

static const struct codec_ops h1_ops = {
	.next = next,
	.head = head,
	.plan = plan,
	.body = body,
	.trailers = trailers,
	.failure = failure,
	.lasts = lasts,
	.under_way = under_way,
	.drained = drained,
	.next_message = next_message,
	.send_head = send_head,
	.send_body = send_body,
	.send_end = send_end,
	.full = full,
};

/* --- life --------------------------------------------------------------- */

void h1_side_init(struct h1_side *side, struct stream *stream, bool client,
	struct h1_in *in)
{
	*side = (struct h1_side){
		.codec = {&h1_ops},
		.stream = stream,
		.client = client,
		.in = in,
	};
}

struct h1_in *h1_side_take(struct h1_side *side)
{
	struct h1_in *in = side->in;

	*side = (struct h1_side){0};
	return in;
}

void h1_side_clear(struct h1_side *side)
{
	h1_in_free(h1_side_take(side));
}

void h1_side_answers(struct h1_side *side, bool to_head)
{
	h1_in_answers(side->in, to_head);
}

void h1_side_give(struct h1_side *side, const uint8_t *data, size_t len)
{
	side->at = (const char *)data;
	side->end = side->at + len;
}

size_t h1_side_left(struct h1_side *side)
{
	size_t left = (size_t)(side->end - side->at);

	side->at = side->end = NULL;
	return left;
}

bool h1_side_idle(const struct h1_side *side)
{
	return h1_in_idle(side->in);
}

/* h1_llhttp.c - names, values and sizes, as llhttp reads them. */

#include "proxy/http/h1_llhttp.h"

#include "proxy/http/message_private.h"

enum { MAX_FIELDS = 1000 }; /* bounds work that goes over all of them */

static bool fail(struct h1_llhttp *l, enum h1_error error, const char *why)
{
	/* The first reason wins: a callback knows better than llhttp, which
	 * only sees that the callback failed. */
	if (l->error == H1_OK) {
		l->error = error;
		l->why = why;
	}
	return false;
}

/* The text of a head is one block, so the pieces of a name or value, should
 * there be several, lie one behind the other. */
static void extend(struct slice *s, const char *at, size_t len)
{
	if (!s->at)
		s->at = at;
	s->len = (size_t)(at + len - s->at);
}

static int on_header_field(llhttp_t *parser, const char *at, size_t len)
{
	struct h1_llhttp *l = parser->data;

	extend(&l->name, at, len);
	return 0;
}

static int on_header_value(llhttp_t *parser, const char *at, size_t len)
{
	struct h1_llhttp *l = parser->data;

	extend(&l->value, at, len);
	return 0;
}

static int on_header_value_complete(llhttp_t *parser)
{
	struct h1_llhttp *l = parser->data;

	/* llhttp 8 lets a name be empty. */
	if (!slice_is_token(l->name)) {
		fail(l, H1_BAD_SYNTAX, "a field name is malformed");
		return -1;
	}
	if (head_num_fields(l->head) == MAX_FIELDS) {
		fail(l, H1_HEAD_TOO_LARGE, "too many fields");
		return -1;
	}
	head_point(l->head, head_span(l->head, l->name),
		head_span(l->head, slice_trim(l->value)));
	l->name = l->value = (struct slice){NULL, 0};
	return 0;
}

static int on_headers_complete(llhttp_t *parser)
{
	((struct h1_llhttp *)parser->data)->has_head_end = true;
	return HPE_PAUSED;
}

static int on_chunk_header(llhttp_t *parser)
{
	struct h1_llhttp *l = parser->data;

	l->has_chunk = true;
	l->chunk_size = parser->content_length;
	return 0;
}

static int on_body(llhttp_t *parser, const char *at, size_t len)
{
	(void)at;
	((struct h1_llhttp *)parser->data)->echo += len;
	return 0;
}

static int on_message_complete(llhttp_t *parser)
{
	((struct h1_llhttp *)parser->data)->has_message_end = true;
	return HPE_PAUSED;
}

static const llhttp_settings_t settings = {
	.on_header_field = on_header_field,
	.on_header_value = on_header_value,
	.on_header_value_complete = on_header_value_complete,
	.on_headers_complete = on_headers_complete,
	.on_chunk_header = on_chunk_header,
	.on_body = on_body,
	.on_message_complete = on_message_complete,
};

void h1_llhttp_init(struct h1_llhttp *l, enum h1_kind kind)
{
	*l = (struct h1_llhttp){0};
	llhttp_init(&l->parser,
		kind == H1_REQUEST ? HTTP_REQUEST : HTTP_RESPONSE, &settings);
	l->parser.data = l;
}

void h1_llhttp_reset(struct h1_llhttp *l)
{
	llhttp_reset(&l->parser);
	l->name = l->value = (struct slice){NULL, 0};
	l->has_head_end = l->has_message_end = l->has_chunk = false;
}

static enum h1_error error_of(llhttp_errno_t code)
{
	switch ((int)code) {
	case HPE_INVALID_CONTENT_LENGTH:
	case HPE_UNEXPECTED_CONTENT_LENGTH:
	case HPE_INVALID_CHUNK_SIZE:
	case HPE_INVALID_TRANSFER_ENCODING:
		return H1_BAD_FRAMING;
	default:
		return H1_BAD_SYNTAX;
	}
}

/* Lets llhttp read len bytes, all of which it must like. */
static bool feed(struct h1_llhttp *l, const char *at, size_t len)
{
	llhttp_errno_t code = llhttp_execute(&l->parser, at, len);
	const char *why = llhttp_get_error_reason(&l->parser);

	if (code == HPE_OK || code == HPE_PAUSED)
		return true;
	return fail(l, error_of(code), why ? why : "the message is malformed");
}

/* Like feed, for bytes with the last of which, not sooner, *ended becomes
 * true. */
static bool feed_all(
	struct h1_llhttp *l, const char *at, size_t len, const bool *ended)
{
	if (!feed(l, at, len - 1))
		return false;
	if (!*ended) {
		if (!feed(l, at + len - 1, 1))
			return false;
		if (*ended)
			return true;
	}
	return fail(l, H1_BAD_SYNTAX, "it is not clear where the fields end");
}

/* Strict builds of llhttp 8 refuse the bytes over 0x7f that start_line lets
 * pass: show it an x for each. */
static bool feed_target(struct h1_llhttp *l, struct slice target)
{
	const char *at = target.at, *end = at + target.len;

	while (at < end) {
		const char *high = at;

		while (high < end && (unsigned char)*high < 0x80)
			high++;
		if (high > at && !feed(l, at, (size_t)(high - at)))
			return false;
		if (high < end && !feed(l, "x", 1))
			return false;
		at = high < end ? high + 1 : end;
	}
	return true;
}

bool h1_llhttp_head(struct h1_llhttp *l, struct head *head)
{
	const char *at = head->text, *end = at + head->len;

	l->head = head;
	if (head_status(head) == 0) {
		struct slice target = head_target(head);

		if (!feed(l, at, (size_t)(target.at - at)) ||
			!feed_target(l, target))
			return false;
		at = target.at + target.len;
	}
	return feed_all(l, at, (size_t)(end - at), &l->has_head_end);
}

bool h1_llhttp_chunked(struct h1_llhttp *l)
{
	llhttp_resume(&l->parser);
	return l->parser.flags & F_CHUNKED ?
		true :
		fail(l, H1_BAD_FRAMING, "Transfer-Encoding is malformed");
}

bool h1_llhttp_size(struct h1_llhttp *l, const char *at, size_t len)
{
	return feed(l, at, len);
}

bool h1_llhttp_size_end(struct h1_llhttp *l, uint64_t *out_size)
{
	l->has_chunk = false;
	if (!feed(l, "\r\n", 2))
		return false;
	*out_size = l->chunk_size;
	return l->has_chunk ?
		true :
		fail(l, H1_BAD_FRAMING, "a chunk's size is malformed");
}

bool h1_llhttp_data(struct h1_llhttp *l, const char *at, size_t len)
{
	l->echo = 0;
	if (!feed(l, at, len))
		return false;
	return l->echo == len ?
		true :
		fail(l, H1_BAD_FRAMING, "a chunk's size is unclear");
}

bool h1_llhttp_data_end(struct h1_llhttp *l)
{
	return feed(l, "\r\n", 2);
}

bool h1_llhttp_trailers(struct h1_llhttp *l, struct head *trailers)
{
	l->head = trailers;
	return feed_all(l, trailers->text, trailers->len, &l->has_message_end);
}

bool h1_llhttp_no_trailers(struct h1_llhttp *l)
{
	return feed_all(l, "\r\n", 2, &l->has_message_end);
}

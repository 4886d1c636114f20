/* h1_out.c - the HTTP/1 writer. */

#include "proxy/http/h1_out.h"

#include <stdlib.h>
#include <string.h>

#include "proxy/http/message_private.h"

enum {
	AROUND_FIELD = 4, /* colon, space, CRLF */
	/* The longest start line's own part, "HTTP/1.1 200 " and CRLF, the
	 * longest framing field, "Content-Length: " with 20 digits and CRLF,
	 * and the empty line; "0" and CRLF of a last chunk is less. */
	AROUND_HEAD = 15 + 38 + 2,
};

/* Where the next byte goes. That there is room was promised by the functions
 * that say how much is needed; a promise not kept must not cost memory. */
struct pen {
	char *at, *end;
};

static void put_bytes(struct pen *pen, const char *bytes, size_t len)
{
	if (len > (size_t)(pen->end - pen->at))
		abort();
	if (len > 0)
		memcpy(pen->at, bytes, len);
	pen->at += len;
}

static void put(struct pen *pen, struct slice s)
{
	put_bytes(pen, s.at, s.len);
}

#define PUT_TEXT(pen, text) put_bytes((pen), (text), sizeof(text) - 1)

static void put_number(struct pen *pen, uint64_t number, unsigned base)
{
	char digits[20], *at = digits + sizeof digits;

	do {
		*--at = "0123456789abcdef"[number % base];
		number /= base;
	} while (number > 0);
	put_bytes(pen, at, (size_t)(digits + sizeof digits - at));
}

static void put_start_line(struct pen *pen, const struct head *head)
{
	unsigned status = head_status(head);

	if (status == 0) {
		put(pen, head_method(head));
		PUT_TEXT(pen, " ");
		put(pen, head_target(head));
		PUT_TEXT(pen, " HTTP/1.1\r\n");
		return;
	}
	PUT_TEXT(pen, "HTTP/1.1 ");
	put_number(pen, status, 10);
	PUT_TEXT(pen, " "); /* also without a reason (RFC 9112, 4) */
	put(pen, head_reason(head));
	PUT_TEXT(pen, "\r\n");
}

static bool is_framing(struct slice name)
{
	return slice_is_nocase(name, "content-length") ||
		slice_is_nocase(name, "transfer-encoding");
}

static void put_fields(
	struct pen *pen, const struct head *head, bool with_framing)
{
	for (size_t i = 0; i < head_num_fields(head); i++) {
		struct slice name, value;

		head_field(head, i, &name, &value);
		if (!with_framing && is_framing(name))
			continue;
		put(pen, name);
		PUT_TEXT(pen, ": ");
		put(pen, value);
		PUT_TEXT(pen, "\r\n");
	}
}

static void put_framing(
	struct pen *pen, enum h1_framing framing, uint64_t length)
{
	switch (framing) {
	case H1_LENGTH:
		PUT_TEXT(pen, "Content-Length: ");
		put_number(pen, length, 10);
		PUT_TEXT(pen, "\r\n");
		break;
	case H1_CHUNKED:
		PUT_TEXT(pen, "Transfer-Encoding: chunked\r\n");
		break;
	case H1_NO_BODY:
	case H1_UNTIL_CLOSE:
		break;
	}
}

/* The head holds every name and value, each once. */
size_t h1_out_head_room(const struct head *head)
{
	return head_size(head) + AROUND_FIELD * head_num_fields(head) +
		AROUND_HEAD;
}

size_t h1_out_head(char *out, const struct head *head,
	enum h1_framing framing, uint64_t length, bool keep_length)
{
	struct pen pen = {out, out + h1_out_head_room(head)};

	put_start_line(&pen, head);
	put_fields(&pen, head, keep_length && framing == H1_NO_BODY);
	put_framing(&pen, framing, length);
	PUT_TEXT(&pen, "\r\n");
	return (size_t)(pen.at - out);
}

size_t h1_out_chunk_size(char out[H1_CHUNK_SIZE_ROOM], uint64_t size)
{
	struct pen pen = {out, out + H1_CHUNK_SIZE_ROOM};

	put_number(&pen, size, 16);
	PUT_TEXT(&pen, "\r\n");
	return (size_t)(pen.at - out);
}

size_t h1_out_last_chunk_room(const struct head *trailers)
{
	return trailers ? h1_out_head_room(trailers) : AROUND_HEAD;
}

size_t h1_out_last_chunk(char *out, const struct head *trailers)
{
	struct pen pen = {out, out + h1_out_last_chunk_room(trailers)};

	PUT_TEXT(&pen, "0\r\n");
	if (trailers)
		put_fields(&pen, trailers, false);
	PUT_TEXT(&pen, "\r\n");
	return (size_t)(pen.at - out);
}

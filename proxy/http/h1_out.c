/* h1_out.c - the HTTP/1 writer. */

#include "proxy/http/h1_out.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "proxy/http/message_private.h"

static void put(UT_string *out, struct slice s)
{
	utstring_bincpy(out, s.at, s.len);
}

static void put_text(UT_string *out, const char *text)
{
	put(out, (struct slice){text, strlen(text)});
}

static void put_field(UT_string *out, struct slice name, struct slice value)
{
	put(out, name);
	put_text(out, ": ");
	put(out, value);
	put_text(out, "\r\n");
}

static void put_start_line(UT_string *out, const struct head *head)
{
	char status[16];

	if (head_status(head) == 0) {
		put(out, head_method(head));
		put_text(out, " ");
		put(out, head_target(head));
		put_text(out, " HTTP/1.1\r\n");
		return;
	}
	snprintf(status, sizeof status, "%03u", head_status(head));
	put_text(out, "HTTP/1.1 ");
	put_text(out, status);
	put_text(out, " "); /* also without a reason (RFC 9112, 4) */
	put(out, head_reason(head));
	put_text(out, "\r\n");
}

static bool is_framing(struct slice name)
{
	return slice_is_nocase(name, "content-length") ||
		slice_is_nocase(name, "transfer-encoding");
}

static void put_fields(
	UT_string *out, const struct head *head, bool with_framing)
{
	for (size_t i = 0; i < head_num_fields(head); i++) {
		struct slice name, value;

		head_field(head, i, &name, &value);
		if (with_framing || !is_framing(name))
			put_field(out, name, value);
	}
}

static void put_framing(
	UT_string *out, enum h1_framing framing, uint64_t length)
{
	char text[64];

	switch (framing) {
	case H1_LENGTH:
		snprintf(text, sizeof text, "Content-Length: %" PRIu64 "\r\n",
			length);
		put_text(out, text);
		break;
	case H1_CHUNKED:
		put_text(out, "Transfer-Encoding: chunked\r\n");
		break;
	case H1_NO_BODY:
	case H1_UNTIL_CLOSE:
		break;
	}
}

void h1_out_head(UT_string *out, const struct head *head,
	enum h1_framing framing, uint64_t length, bool keep_length)
{
	/* A UT_string grows by what is asked: ask once. Each field brings four
	 * bytes that the head need not hold. */
	utstring_reserve(out, head_size(head) + 4 * head_num_fields(head) + 80);
	put_start_line(out, head);
	put_fields(out, head, keep_length && framing == H1_NO_BODY);
	put_framing(out, framing, length);
	put_text(out, "\r\n");
}

void h1_out_chunk_size(UT_string *out, uint64_t size)
{
	char text[24];

	snprintf(text, sizeof text, "%" PRIx64 "\r\n", size);
	put_text(out, text);
}

void h1_out_last_chunk(UT_string *out, const struct head *trailers)
{
	put_text(out, "0\r\n");
	if (trailers)
		put_fields(out, trailers, false);
	put_text(out, "\r\n");
}

/* framing.c - lengths, codings, Host. */

#include "proxy/http/framing.h"

#include "proxy/http/message_private.h"
#include "proxy/http/url.h"

/* RFC 9110, 8.6: digits only. "5, 5" or two fields may be merged says the RFC,
 * or refused: who merges depends on the reader, so we refuse. */
static enum h1_error read_length(
	const struct head *head, struct framing *out, const char **out_why)
{
	struct slice s = head_get(head, "content-length");
	uint64_t length = 0;

	if (head_count(head, "content-length") > 1) {
		*out_why = "more than one Content-Length";
		return H1_BAD_FRAMING;
	}
	*out_why = "Content-Length is not a number";
	if (s.len == 0)
		return H1_BAD_FRAMING;
	for (size_t i = 0; i < s.len; i++) {
		if (!char_is_digit(s.at[i]))
			return H1_BAD_FRAMING;
		/* Beyond 2^63 others' signed numbers wrap. */
		if (length > (INT64_MAX - 9) / 10) {
			*out_why = "Content-Length is too large";
			return H1_BAD_FRAMING;
		}
		length = 10 * length + (uint64_t)(s.at[i] - '0');
	}
	out->kind = H1_LENGTH;
	out->length = length;
	return H1_OK;
}

/* Which way a Transfer-Encoding that isn't "chunked" is wrong: a list of
 * codings of which chunked is no more than the last is understood, but not
 * implemented; everything else is a trick. */
static enum h1_error wrong_coding(struct slice list, const char **out_why)
{
	struct slice element;
	bool chunked = false, other = false;

	*out_why = "Transfer-Encoding is malformed";
	while (slice_next_element(&list, &element)) {
		if (chunked || !slice_is_token(element))
			return H1_BAD_FRAMING;
		chunked = slice_is_nocase(element, "chunked");
		other = other || !chunked;
	}
	if (!other)
		return H1_BAD_FRAMING;
	*out_why = "a transfer coding other than chunked";
	return H1_UNKNOWN_CODING;
}

static enum h1_error read_coding(
	const struct head *head, struct framing *out, const char **out_why)
{
	struct slice coding = head_get(head, "transfer-encoding");

	*out_why = "Content-Length beside Transfer-Encoding";
	if (head_count(head, "content-length") > 0)
		return H1_BAD_FRAMING;
	/* RFC 9112, 6.1: its framing is faulty even if chunked is all. */
	*out_why = "Transfer-Encoding in HTTP/1.0";
	if (head_minor(head) == 0)
		return H1_BAD_FRAMING;
	*out_why = "more than one Transfer-Encoding";
	if (head_count(head, "transfer-encoding") > 1)
		return H1_BAD_FRAMING;
	if (!slice_is_nocase(coding, "chunked"))
		return wrong_coding(coding, out_why);
	out->kind = H1_CHUNKED;
	return H1_OK;
}

/* RFC 9112, 6.3. A length or coding that is there must be right even where the
 * status or method says that no body follows. */
static enum h1_error read_fields(const struct head *head, struct framing *out,
	enum h1_framing without, const char **out_why)
{
	out->kind = without;
	out->length = 0;
	if (head_get(head, "transfer-encoding").at)
		return read_coding(head, out, out_why);
	if (head_get(head, "content-length").at)
		return read_length(head, out, out_why);
	return H1_OK;
}

/* RFC 9112, 9.3. Close wins; Proxy-Connection was never a standard. */
static bool keeps_alive(const struct head *head)
{
	if (head_has_token(head, "connection", "close"))
		return false;
	return head_minor(head) >= 1 ||
		head_has_token(head, "connection", "keep-alive");
}

/* RFC 9112, 3.2: one Host, and a good one, or 400. */
static enum h1_error check_host(const struct head *head, const char **out_why)
{
	struct slice host = head_get(head, "host"), name;
	uint16_t port;

	*out_why = "more than one Host";
	if (head_count(head, "host") > 1)
		return H1_BAD_SYNTAX;
	*out_why = "no Host";
	if (!host.at)
		return head_minor(head) == 0 ? H1_OK : H1_BAD_SYNTAX;
	*out_why = "Host is malformed";
	if (url_parse_authority(host, &name, &port) < 0)
		return H1_BAD_SYNTAX;
	return H1_OK;
}

static enum h1_error check_connection(
	const struct head *head, const char **out_why)
{
	size_t total = 0;

	for (size_t i = 0; i < head_num_fields(head); i++) {
		struct slice name, value;

		head_field(head, i, &name, &value);
		if (slice_is_nocase(name, "connection"))
			total += value.len + 1;
	}
	*out_why = "the Connection field is too long";
	return total > MAX_CONNECTION ? H1_HEAD_TOO_LARGE : H1_OK;
}

enum h1_error framing_of_request(
	const struct head *head, struct framing *out, const char **out_why)
{
	enum h1_error error = check_connection(head, out_why);

	if (error == H1_OK)
		error = check_host(head, out_why);
	if (error == H1_OK)
		error = read_fields(head, out, H1_NO_BODY, out_why);
	if (error != H1_OK)
		return error;
	out->keep_alive = keeps_alive(head);
	if (!slice_is(head_method(head), "CONNECT"))
		return H1_OK;
	/* RFC 9110, 9.3.6: CONNECT has no content, what follows is the
	 * tunnel. A length of nothing harms nobody. */
	*out_why = "CONNECT with a body";
	if (out->kind == H1_CHUNKED || out->length > 0)
		return H1_BAD_FRAMING;
	out->kind = H1_NO_BODY;
	return H1_OK;
}

enum h1_error framing_of_response(const struct head *head, bool to_head,
	struct framing *out, const char **out_why)
{
	unsigned status = head_status(head);
	bool bodiless = status < 200 || status == 204;
	enum h1_error error = check_connection(head, out_why);

	if (error == H1_OK)
		error = read_fields(head, out, H1_UNTIL_CLOSE, out_why);
	if (error != H1_OK)
		return error;
	out->keep_alive = keeps_alive(head);
	if (bodiless || status == 304 || to_head) {
		/* 1xx and 204 must not speak of a body (RFC 9110, 8.6; RFC
		 * 9112, 6.1). Who does may send one: read no further message
		 * from it. */
		if (bodiless && (out->kind == H1_CHUNKED || out->length > 0))
			out->keep_alive = false;
		out->kind = H1_NO_BODY;
		out->length = 0;
	}
	if (out->kind == H1_UNTIL_CLOSE)
		out->keep_alive = false;
	return H1_OK;
}

enum h1_error framing_of_trailers(
	const struct head *trailers, const char **out_why)
{
	*out_why = "trailers with a length or coding";
	if (head_get(trailers, "content-length").at ||
		head_get(trailers, "transfer-encoding").at)
		return H1_BAD_FRAMING;
	return H1_OK;
}

/* start_line.c - request lines and status lines. */

#include "proxy/http/start_line.h"

#include <llhttp.h>
#include <string.h>

#include "proxy/http/message_private.h"

/* The methods llhttp knows, but those of RTSP and the preface of HTTP/2. */
#define METHOD(number, name, text) {#text, sizeof #text - 1},
static const struct slice methods[] = {HTTP_METHOD_MAP(METHOD)};
#undef METHOD

bool start_line_knows_method(struct slice method)
{
	for (size_t i = 0; i < sizeof methods / sizeof methods[0]; i++)
		if (methods[i].len == method.len &&
			memcmp(methods[i].at, method.at, method.len) == 0)
			return true;
	return false;
}

/* "HTTP/" DIGIT "." DIGIT (RFC 9112, 2.3). */
static enum h1_error read_version(
	struct slice s, unsigned *out_minor, const char **out_why)
{
	if (s.len != 8 || memcmp(s.at, "HTTP/", 5) != 0 || s.at[6] != '.' ||
		!char_is_digit(s.at[5]) || !char_is_digit(s.at[7])) {
		*out_why = "the start line has no HTTP version";
		return H1_BAD_SYNTAX;
	}
	*out_minor = (unsigned)(s.at[7] - '0');
	if (s.at[5] == '1' && *out_minor <= 1)
		return H1_OK;
	*out_why = "the version is neither HTTP/1.0 nor HTTP/1.1";
	return H1_BAD_VERSION;
}

/* RFC 3986 knows no bytes over 0x7f; browsers and tools send them all the
 * same. Controls and blanks are what splits lines elsewhere. */
static bool is_target(struct slice s)
{
	for (size_t i = 0; i < s.len; i++) {
		unsigned char c = (unsigned char)s.at[i];

		if (c < 0x21 || c == 0x7f)
			return false;
	}
	return s.len > 0;
}

static bool is_text(struct slice s)
{
	for (size_t i = 0; i < s.len; i++) {
		unsigned char c = (unsigned char)s.at[i];

		if ((c < 0x20 && c != '\t') || c == 0x7f)
			return false;
	}
	return true;
}

/* Splits at the first space; false, all of it in out, if there is none. */
static bool split(struct slice *rest, struct slice *out)
{
	const char *space =
		rest->len > 0 ? memchr(rest->at, ' ', rest->len) : NULL;

	*out = *rest;
	if (!space)
		return false;
	out->len = (size_t)(space - rest->at);
	rest->at += out->len + 1;
	rest->len -= out->len + 1;
	return true;
}

enum h1_error start_line_request(
	struct slice line, struct start_line *out, const char **out_why)
{
	bool has_method = split(&line, &out->method);
	bool has_version;
	enum h1_error error;

	*out_why = "the request line is malformed";
	if (!slice_is_token(out->method) || !has_method)
		return H1_BAD_SYNTAX;
	has_version = split(&line, &out->rest);
	if (!is_target(out->rest))
		return H1_BAD_SYNTAX;
	if (!has_version) {
		if (!slice_is(out->method, "GET"))
			return H1_BAD_SYNTAX;
		*out_why = "a request of HTTP/0.9";
		return H1_BAD_VERSION;
	}
	error = read_version(line, &out->minor, out_why);
	if (error != H1_OK)
		return error;
	if (!start_line_knows_method(out->method)) {
		*out_why = "the method is not known";
		return H1_UNKNOWN_METHOD;
	}
	return H1_OK;
}

/* The space behind the status is there even without a reason (RFC 9112, 4),
 * but many a server leaves it out. */
enum h1_error start_line_response(
	struct slice line, struct start_line *out, const char **out_why)
{
	struct slice version, status;
	enum h1_error error;

	*out_why = "the status line is malformed";
	if (!split(&line, &version))
		return H1_BAD_SYNTAX;
	error = read_version(version, &out->minor, out_why);
	if (error != H1_OK)
		return error;
	if (!split(&line, &status))
		line = (struct slice){status.at + status.len, 0};
	*out_why = "the status line is malformed";
	if (status.len != 3 || status.at[0] == '0' ||
		!char_is_digit(status.at[0]) || !char_is_digit(status.at[1]) ||
		!char_is_digit(status.at[2]) || !is_text(line))
		return H1_BAD_SYNTAX;
	out->status = (unsigned)(100 * (status.at[0] - '0') +
		10 * (status.at[1] - '0') + (status.at[2] - '0'));
	out->rest = line;
	return H1_OK;
}

bool start_line_may_begin(enum h1_kind kind, struct slice begin)
{
	struct slice method;

	if (kind == H1_RESPONSE)
		return memcmp(begin.at, "HTTP/",
			       begin.len < 5 ? begin.len : 5) == 0;
	split(&begin, &method);
	return slice_is_token(method);
}

/* url.c - request targets and authorities. */

#include "proxy/http/url.h"

#include <string.h>

#include "proxy/http/message_private.h"

static bool is_alpha(char c)
{
	return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

static bool is_hex(char c)
{
	return char_is_digit(c) || (c >= 'A' && c <= 'F') ||
		(c >= 'a' && c <= 'f');
}

/* What a name may hold before it is normalized: letters and digits, raw bytes
 * of IDNA, and what occurs in names of machines. RFC 3986 would allow percent
 * escapes and more; no resolver knows such names, and each reader undoes them
 * differently. */
static bool is_name(struct slice s)
{
	for (size_t i = 0; i < s.len; i++) {
		char c = s.at[i];

		if (!is_alpha(c) && !char_is_digit(c) &&
			(unsigned char)c < 0x80 &&
			(c == '\0' || !strchr("-._~", c)))
			return false;
	}
	return s.len > 0;
}

/* Without brackets, and without a zone (RFC 6874 keeps it out of messages). */
static bool is_ipv6(struct slice s)
{
	for (size_t i = 0; i < s.len; i++)
		if (!is_hex(s.at[i]) && s.at[i] != ':' && s.at[i] != '.')
			return false;
	return s.len > 1 && memchr(s.at, ':', s.len);
}

static int parse_port(struct slice s, uint16_t *out_port)
{
	unsigned port = 0;

	if (s.len == 0)
		return -1;
	for (size_t i = 0; i < s.len; i++) {
		if (!char_is_digit(s.at[i]))
			return -1;
		port = 10 * port + (unsigned)(s.at[i] - '0');
		if (port > UINT16_MAX)
			return -1;
	}
	if (port == 0)
		return -1;
	*out_port = (uint16_t)port;
	return 0;
}

/* Splits s before the first of the characters in stops. */
static struct slice take_until(struct slice *s, const char *stops)
{
	struct slice taken = {s->at, 0};

	while (taken.len < s->len &&
		(s->at[taken.len] == '\0' || !strchr(stops, s->at[taken.len])))
		taken.len++;
	s->at += taken.len;
	s->len -= taken.len;
	return taken;
}

int url_parse_authority(
	struct slice authority, struct slice *out_host, uint16_t *out_port)
{
	struct slice rest = authority;

	*out_port = 0;
	if (rest.len > 0 && rest.at[0] == '[') {
		rest.at++;
		rest.len--;
		*out_host = take_until(&rest, "]");
		if (rest.len == 0 || !is_ipv6(*out_host))
			return -1;
		rest.at++;
		rest.len--;
	} else {
		*out_host = take_until(&rest, ":");
		if (!is_name(*out_host))
			return -1;
	}
	if (rest.len == 0)
		return 0;
	if (rest.at[0] != ':')
		return -1;
	return parse_port((struct slice){rest.at + 1, rest.len - 1}, out_port);
}

static bool is_scheme(struct slice s)
{
	for (size_t i = 0; i < s.len; i++)
		if (!is_alpha(s.at[i]) &&
			(i == 0 ||
				(!char_is_digit(s.at[i]) && s.at[i] != '+' &&
					s.at[i] != '-' && s.at[i] != '.')))
			return false;
	return s.len > 0;
}

/* No fragment: RFC 9110, 4.2.5 keeps it out of targets. */
static bool is_clean(struct slice s)
{
	for (size_t i = 0; i < s.len; i++) {
		unsigned char c = (unsigned char)s.at[i];

		if (c < 0x21 || c == 0x7f || c == '#')
			return false;
	}
	return s.len > 0;
}

static int parse_absolute(struct slice rest, struct url *out)
{
	struct slice authority;

	out->scheme = take_until(&rest, ":");
	if (!is_scheme(out->scheme) || rest.len < 3 ||
		memcmp(rest.at, "://", 3) != 0)
		return -1;
	rest.at += 3;
	rest.len -= 3;
	authority = take_until(&rest, "/?");
	if (url_parse_authority(authority, &out->host, &out->port) < 0)
		return -1;
	out->path = rest;
	out->form = URL_ABSOLUTE;
	return 0;
}

int url_parse_target(struct slice target, struct url *out)
{
	*out = (struct url){.form = URL_BAD};
	if (!is_clean(target))
		return -1;
	if (target.at[0] == '/') {
		out->form = URL_ORIGIN;
		out->path = target;
		return 0;
	}
	if (slice_is(target, "*")) {
		out->form = URL_ASTERISK;
		return 0;
	}
	return parse_absolute(target, out);
}

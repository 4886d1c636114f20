/* hop.c - fields that end at this hop. */

#include "proxy/http/hop.h"

#include <string.h>

#include "proxy/http/message_private.h"

/* Always of one hop, whether Connection names them or not (RFC 9110, 7.6.1).
 * What begins with Proxy- comes on top. */
static const char *const hop_names[] = {
	"connection",
	"keep-alive",
	"te",
	"transfer-encoding",
	"upgrade",
	"http2-settings",
};

/* Fields that Connection may not take away: they frame, route, say what the
 * content is, or who asks. Names that end in a dash stand for all that begin
 * so. */
static const char *const kept_names[] = {
	"host",
	"content-",
	"authorization",
	"cookie",
	"set-cookie",
	"origin",
	"cache-control",
	"expect",
	"location",
	"www-authenticate",
	"sec-",
};

/* RFC 9110, 6.5.1: framing, routing, what modifies a request, authentication,
 * what controls or describes the response. */
static const char *const no_trailers[] = {
	"age",
	"authentication-info",
	"authorization",
	"cache-control",
	"connection",
	"content-",
	"cookie",
	"date",
	"expect",
	"expires",
	"host",
	"http2-settings",
	"if-",
	"keep-alive",
	"location",
	"max-forwards",
	"pragma",
	"proxy-",
	"range",
	"retry-after",
	"sec-",
	"set-cookie",
	"te",
	"trailer",
	"transfer-encoding",
	"upgrade",
	"vary",
	"warning",
	"www-authenticate",
};

#define COUNT(array) (sizeof array / sizeof array[0])

static bool matches(struct slice name, const char *pattern)
{
	/* Patterns are lower case. Mostly the first letter says no. */
	if (name.len == 0 || (name.at[0] | 0x20) != pattern[0])
		return false;
	return pattern[strlen(pattern) - 1] == '-' ?
		slice_has_prefix_nocase(name, pattern) :
		slice_is_nocase(name, pattern);
}

static bool is_among(struct slice name, const char *const *names, size_t num)
{
	for (size_t i = 0; i < num; i++)
		if (matches(name, names[i]))
			return true;
	return false;
}

static bool is_hop(struct slice name)
{
	return is_among(name, hop_names, COUNT(hop_names)) ||
		matches(name, "proxy-");
}

struct names { /* all that the Connection fields name, as one list */
	char text[MAX_CONNECTION];
	size_t len;
};

static void collect(const struct head *head, struct names *out)
{
	out->len = 0;
	for (size_t i = 0; i < head_num_fields(head); i++) {
		struct slice name, list;

		head_field(head, i, &name, &list);
		if (!slice_is_nocase(name, "connection") ||
			list.len >= sizeof out->text - out->len)
			continue;
		memcpy(out->text + out->len, list.at, list.len);
		out->len += list.len;
		out->text[out->len++] = ',';
	}
}

static bool is_listed(struct slice name, const void *arg)
{
	const struct names *names = arg;
	struct slice list = {names->text, names->len}, element;

	while (slice_next_element(&list, &element))
		if (slice_equal_nocase(element, name))
			return !is_among(name, kept_names, COUNT(kept_names));
	return false;
}

static bool is_unwanted(struct slice name, const void *arg)
{
	return is_hop(name) || is_listed(name, arg);
}

static void strip(struct head *head)
{
	struct names names;

	collect(head, &names);
	head_drop(head, is_unwanted, &names);
}

static bool wants_websocket(const struct head *head)
{
	return slice_is(head_method(head), "GET") && head_minor(head) >= 1 &&
		head_has_token(head, "connection", "upgrade") &&
		head_has_token(head, "upgrade", "websocket");
}

bool hop_strip_request(struct head *head)
{
	bool websocket = wants_websocket(head);
	bool trailers = head_has_token(head, "te", "trailers");

	strip(head);
	if (websocket) {
		head_add_text(head, "Connection", "Upgrade");
		head_add_text(head, "Upgrade", "websocket");
	} else if (trailers) {
		/* Who sends TE must say so in Connection (RFC 9110, 10.1.4). */
		head_add_text(head, "TE", "trailers");
		head_add_text(head, "Connection", "TE");
	}
	return websocket;
}

void hop_strip_response(struct head *head)
{
	struct slice upgrade = head_get(head, "upgrade");

	strip(head);
	if (head_status(head) == 101 && upgrade.at) {
		head_add(head, (struct slice){"Upgrade", 7}, upgrade);
		head_add_text(head, "Connection", "Upgrade");
	}
}

static bool is_no_trailer(struct slice name, const void *arg)
{
	(void)arg;
	return is_among(name, no_trailers, COUNT(no_trailers));
}

void hop_strip_trailers(struct head *trailers)
{
	head_drop(trailers, is_no_trailer, NULL);
}

bool hop_binds(const struct head *head, const char *field)
{
	struct slice value = head_get(head, field);

	return value.at && (slice_has_prefix_nocase(value, "ntlm") ||
				   slice_has_prefix_nocase(value, "negotiate"));
}

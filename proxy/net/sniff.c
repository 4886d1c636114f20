#include "proxy/net/sniff.h"

#include <stdbool.h>
#include <string.h>

enum {
	EMPTY_LINES_MAX = 8,
	METHOD_MAX = SNIFF_MAX - EMPTY_LINES_MAX, /* with its space */
	RECORD_FIRST = 20, /* change_cipher_spec */
	RECORD_HANDSHAKE = 22,
	RECORD_LAST = 23,  /* application_data */
	VERSION_MAX = 0x10, /* major; servers of Go's crypto/tls take any below */
	SSL2_CLIENT_HELLO = 1,
};

static bool is_token(uint8_t c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') ||
		(c >= 'A' && c <= 'Z') ||
		(c != 0 && strchr("!#$%&'*+-.^_`|~", c));
}

/* starts: what came so far is the beginning of with, or goes on behind it. */
static bool starts(const uint8_t *data, size_t len, const char *with)
{
	size_t all = strlen(with);

	return memcmp(data, with, len < all ? len : all) == 0;
}

/* is_ssh: RFC 4253, 4.2. No more than that: "SSH-X / HTTP/1.1" is a request, which
 * servers answer with an error and then take others. */
static bool is_ssh(const uint8_t *data, size_t len)
{
	return starts(data, len, "SSH-2.0-") || starts(data, len, "SSH-1.");
}

static enum sniff sniff_text(const uint8_t *data, size_t len)
{
	if (is_ssh(data, len))
		return len < 8 ? SNIFF_MORE : SNIFF_OTHER;
	for (size_t i = 0; i < len && i < METHOD_MAX; i++) {
		/* there are servers that take a tab; ours refuses it */
		if ((data[i] == ' ' || data[i] == '\t') && i > 0)
			return SNIFF_HTTP;
		if (!is_token(data[i]))
			return SNIFF_OTHER;
	}
	/* too long for a method that anybody has; there are servers that take
	 * it for one, and then go on */
	return len < METHOD_MAX ? SNIFF_MORE : SNIFF_HTTP;
}

/* sniff_tls says SNIFF_OTHER for what no server would take for TLS. There are
 * servers that do not look at a record's version (RFC 8446, 5.1: it "MUST be
 * ignored"), that pass over an alert before the hello, and that still read one
 * in SSL 2's form (RFC 5246, E.2): nobody sends these in earnest, and tunnelled
 * as "not TLS" they would be a way round the rules. hello_read refuses them. */
static enum sniff sniff_tls(const uint8_t *data, size_t len)
{
	if (data[0] == RECORD_HANDSHAKE)
		return SNIFF_TLS;
	if (data[0] >= RECORD_FIRST && data[0] <= RECORD_LAST) {
		if (len < 2)
			return SNIFF_MORE;
		return data[1] < VERSION_MAX ? SNIFF_TLS : SNIFF_OTHER;
	}
	if (!(data[0] & 0x80))
		return SNIFF_OTHER;
	if (len < 3)
		return SNIFF_MORE;
	return data[2] == SSL2_CLIENT_HELLO ? SNIFF_TLS : SNIFF_OTHER;
}

/* is_blank: of these, too, there are servers that pass over any number before a
 * method; the parser refuses them. */
static bool is_blank(uint8_t c)
{
	return c == ' ' || (c >= '\t' && c <= '\r') || (c >= 0x1c && c <= 0x1f);
}

enum sniff sniff(const uint8_t *data, size_t len)
{
	enum sniff tls;

	/* RFC 9112, 2.2: empty lines before a request line are passed over;
	 * with more of them than anybody needs it is still HTTP, if bad. */
	for (int i = 0; i < EMPTY_LINES_MAX && len > 0 &&
	     is_blank(data[0]); i++) {
		data++;
		len--;
	}
	if (len == 0)
		return SNIFF_MORE;
	if (is_blank(data[0]))
		return SNIFF_HTTP;
	tls = sniff_tls(data, len);
	return tls == SNIFF_OTHER ? sniff_text(data, len) : tls;
}

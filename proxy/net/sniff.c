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

static enum sniff sniff_text(const uint8_t *data, size_t len)
{
	size_t same = len < 4 ? len : 4;

	if (memcmp(data, "SSH-", same) == 0)
		return len < 4 ? SNIFF_MORE : SNIFF_OTHER;
	for (size_t i = 0; i < len && i < METHOD_MAX; i++) {
		/* there are servers that take a tab; ours refuses it */
		if ((data[i] == ' ' || data[i] == '\t') && i > 0)
			return SNIFF_HTTP;
		if (!is_token(data[i]))
			return SNIFF_OTHER;
	}
	return len < METHOD_MAX ? SNIFF_MORE : SNIFF_OTHER;
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

static bool is_line_end(uint8_t c)
{
	return c == '\r' || c == '\n';
}

enum sniff sniff(const uint8_t *data, size_t len)
{
	enum sniff tls;

	/* RFC 9112, 2.2: empty lines before a request line are passed over;
	 * with more of them than anybody needs it is still HTTP, if bad. */
	for (int i = 0; i < EMPTY_LINES_MAX && len > 0 &&
	     is_line_end(data[0]); i++) {
		data++;
		len--;
	}
	if (len == 0)
		return SNIFF_MORE;
	if (is_line_end(data[0]))
		return SNIFF_HTTP;
	tls = sniff_tls(data, len);
	return tls == SNIFF_OTHER ? sniff_text(data, len) : tls;
}

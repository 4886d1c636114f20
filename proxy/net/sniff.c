#include "proxy/net/sniff.h"

#include <stdbool.h>
#include <string.h>

#include "proxy/net/first_line.h"

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
 * servers answer with an error and then take others. So is a banner whose first
 * line is one. */
static bool is_ssh(const uint8_t *data, size_t len)
{
	return starts(data, len, "SSH-2.0-") || starts(data, len, "SSH-1.");
}

static enum sniff sniff_line(const uint8_t *data, size_t len)
{
	struct first_line line = {0};

	return first_line_read(&line, data, len) == FIRST_LINE_REQUEST ?
		SNIFF_HTTP : SNIFF_OTHER;
}

static enum sniff sniff_text(const uint8_t *data, size_t len)
{
	if (is_ssh(data, len))
		return len < 8 ? SNIFF_MORE : sniff_line(data, len);
	for (size_t i = 0; i < len && i < METHOD_MAX; i++) {
		/* there are servers that take a tab; ours refuses it */
		if ((data[i] == ' ' || data[i] == '\t') && i > 0)
			return SNIFF_HTTP;
		if (!is_token(data[i]))
			return sniff_line(data, len);
	}
	/* too long for a method that anybody has; there are servers that take
	 * it for one, and then go on */
	return len < METHOD_MAX ? SNIFF_MORE : SNIFF_HTTP;
}

/* sniff_proxy: its specification, 2.1 and 2.2. Nothing may be before it. */
static enum sniff sniff_proxy(const uint8_t *data, size_t len)
{
	static const uint8_t second[] = "\r\n\r\n\0\r\nQUIT\n";
	static const char *const first[] = {
		"PROXY TCP4 ", "PROXY TCP6 ", "PROXY UNKNOWN"};
	size_t all = sizeof(second) - 1;

	if (memcmp(data, second, len < all ? len : all) == 0)
		return len < all ? SNIFF_MORE : SNIFF_PROXY;
	for (size_t i = 0; i < sizeof(first) / sizeof(first[0]); i++)
		if (starts(data, len, first[i]))
			return len < strlen(first[i]) ? SNIFF_MORE :
							SNIFF_PROXY;
	return SNIFF_OTHER;
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

enum sniff sniff(const uint8_t *data, size_t len)
{
	enum sniff known;

	if (len == 0)
		return SNIFF_MORE;
	known = sniff_proxy(data, len);
	if (known != SNIFF_OTHER)
		return known;
	/* RFC 9112, 2.2: empty lines before a request line are passed over;
	 * with more of them than anybody needs it is still HTTP, if bad. */
	for (int i = 0; i < EMPTY_LINES_MAX && len > 0 &&
	     first_line_blank(data[0]); i++) {
		data++;
		len--;
	}
	if (len == 0)
		return SNIFF_MORE;
	if (first_line_blank(data[0]))
		return SNIFF_HTTP;
	known = sniff_tls(data, len);
	return known == SNIFF_OTHER ? sniff_text(data, len) : known;
}

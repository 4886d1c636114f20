#include "proxy/net/sniff.h"

#include <stdbool.h>
#include <string.h>

enum { EMPTY_LINES_MAX = 8 };

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
	for (size_t i = 0; i < len && i < SNIFF_MAX; i++) {
		if (data[i] == ' ' && i > 0)
			return SNIFF_HTTP;
		if (!is_token(data[i]))
			return SNIFF_OTHER;
	}
	return len < SNIFF_MAX ? SNIFF_MORE : SNIFF_OTHER;
}

enum sniff sniff(const uint8_t *data, size_t len)
{
	/* RFC 9112, 2.2: empty lines before a request line are passed over. */
	for (int i = 0; i < EMPTY_LINES_MAX && len > 0 &&
	     (data[0] == '\r' || data[0] == '\n'); i++) {
		data++;
		len--;
	}
	if (len == 0)
		return SNIFF_MORE;
	if (data[0] == 0x16) {
		if (len < 2)
			return SNIFF_MORE;
		return data[1] == 3 ? SNIFF_TLS : SNIFF_OTHER;
	}
	return sniff_text(data, len);
}

#include "policy/host.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <string.h>

#include <idn2.h>

enum {
	IN_MAX = 1024, /* UTF-8 and escapes shrink; no real name is longer */
	NAME_MAX_LEN = 253,
	LABEL_MAX_LEN = 63,
};

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool is_hex(char c)
{
	return is_digit(c) || (c >= 'a' && c <= 'f');
}

static bool is_alnum(char c)
{
	return is_digit(c) || (c >= 'a' && c <= 'z');
}

/* By hand, since tolower follows the locale. */
static char lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

/* Lower case, NUL-ended and without the bytes that no host has in any
 * spelling: controls, space, percent (escapes and zone ids, RFC 6874). */
static bool copy_clean(const char *in, size_t len, char text[IN_MAX + 1])
{
	if (len == 0 || len > IN_MAX)
		return false;
	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)in[i];

		if (c <= ' ' || c == '%' || c == 0x7f)
			return false;
		text[i] = lower(in[i]);
	}
	text[len] = '\0';
	return true;
}

static bool is_ascii(const char *text)
{
	for (; *text; text++)
		if ((unsigned char)*text >= 0x80)
			return false;
	return true;
}

/* The digits of Punycode stand behind the last hyphen, and there is at least
 * one (RFC 3492 6.3): "xn--", "xn--abc-" and "xn--_" are no A-labels. Letters
 * before it are as lax as in any other label. */
static bool is_a_label(const char *label, size_t len)
{
	size_t i = len;

	while (label[i - 1] != '-') {
		if (!is_alnum(label[i - 1]))
			return false;
		i--;
	}
	return i < len;
}

static bool is_label(const char *label, size_t len)
{
	if (len == 0 || len > LABEL_MAX_LEN)
		return false;
	for (size_t i = 0; i < len; i++)
		if (!is_alnum(label[i]) && label[i] != '-' && label[i] != '_')
			return false;
	if (len >= 4 && memcmp(label, "xn--", 4) == 0)
		return is_a_label(label, len);
	return true;
}

/* What resolvers and browsers read as a number, and so the whole as an IPv4
 * address in one of its old spellings: all digits, or 0x and hex digits. */
static bool is_number(const char *label, size_t len)
{
	if (len >= 2 && label[0] == '0' && label[1] == 'x') {
		for (size_t i = 2; i < len; i++)
			if (!is_hex(label[i]))
				return false;
		return true;
	}
	for (size_t i = 0; i < len; i++)
		if (!is_digit(label[i]))
			return false;
	return true;
}

static bool is_name(const char *text)
{
	if (strlen(text) > NAME_MAX_LEN)
		return false;
	for (;;) {
		size_t len = strcspn(text, ".");

		if (!is_label(text, len))
			return false;
		if (text[len] == '\0')
			return !is_number(text, len);
		text += len + 1;
	}
}

static enum host_kind write_ipv4(const void *address, char out[HOST_SIZE])
{
	inet_ntop(AF_INET, address, out, HOST_SIZE);
	return HOST_ADDRESS;
}

static enum host_kind write_ipv6(const char *text, char out[HOST_SIZE])
{
	struct in6_addr address;

	if (inet_pton(AF_INET6, text, &address) != 1)
		return HOST_BAD;
	if (IN6_IS_ADDR_V4MAPPED(&address))
		return write_ipv4(&address.s6_addr[12], out);
	inet_ntop(AF_INET6, &address, out, HOST_SIZE);
	return HOST_ADDRESS;
}

/* A literal in brackets is IPv6 (RFC 3986 3.2.2). Cuts text. */
static enum host_kind write_bracketed(char *text, char out[HOST_SIZE])
{
	size_t len = strlen(text);

	if (text[len - 1] != ']')
		return HOST_BAD;
	text[len - 1] = '\0';
	return write_ipv6(text + 1, out);
}

/* One dot at the end is the root's (RFC 1034 3.1). Cuts text. */
static enum host_kind write_name(char *text, char out[HOST_SIZE])
{
	struct in_addr address;
	size_t len = strlen(text);

	if (len > 0 && text[len - 1] == '.')
		text[--len] = '\0';
	if (inet_pton(AF_INET, text, &address) == 1)
		return write_ipv4(&address, out);
	if (!is_name(text))
		return HOST_BAD;
	memcpy(out, text, len + 1);
	return HOST_NAME;
}

/* The mapping (UTS 46) turns a fullwidth "1", an ideographic full stop and
 * the like to ASCII, so its result is looked at as if it had come so. */
static enum host_kind write_idn(const char *text, char out[HOST_SIZE])
{
	enum host_kind kind;
	char *ascii = NULL;

	if (idn2_to_ascii_8z(text, &ascii,
		    IDN2_NFC_INPUT | IDN2_NONTRANSITIONAL) != IDN2_OK)
		return HOST_BAD;
	kind = write_name(ascii, out);
	idn2_free(ascii);
	return kind;
}

enum host_kind host_normalize(const char *in, size_t len, char out[HOST_SIZE])
{
	char text[IN_MAX + 1];
	bool clean = copy_clean(in, len, text);

	out[0] = '\0'; /* only now: out may be in */
	if (!clean)
		return HOST_BAD;
	if (!is_ascii(text))
		return write_idn(text, out);
	if (text[0] == '[')
		return write_bracketed(text, out);
	if (strchr(text, ':'))
		return write_ipv6(text, out);
	return write_name(text, out);
}

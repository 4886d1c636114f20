#include "policy/network.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

enum { MAPPED_BITS = 96 }; /* ::ffff:0:0/96 (RFC 4291 2.5.5.2) */

unsigned network_bits(uint8_t family)
{
	return family == AF_INET ? 32 : 128;
}

static bool parse_address(const char *text, size_t len, struct network *out)
{
	char address[INET6_ADDRSTRLEN];

	/* inet_pton would stop at a NUL and take what is before it. */
	if (len >= sizeof(address) || memchr(text, '\0', len))
		return false;
	memcpy(address, text, len);
	address[len] = '\0';
	memset(out, 0, sizeof(*out));
	out->family = memchr(text, ':', len) ? AF_INET6 : AF_INET;
	out->bits = (uint8_t)network_bits(out->family);
	return inet_pton(out->family, address, out->bytes) == 1;
}

/* Digits alone, no sign, no leading zero (an octal habit): "0" to the most
 * that the family has. */
static bool parse_bits(const char *text, size_t len, struct network *out)
{
	unsigned bits = 0;

	if (len == 0 || (text[0] == '0' && len > 1))
		return false;
	for (size_t i = 0; i < len; i++) {
		if (text[i] < '0' || text[i] > '9')
			return false;
		bits = bits * 10 + (unsigned)(text[i] - '0');
		if (bits > network_bits(out->family))
			return false;
	}
	out->bits = (uint8_t)bits;
	return true;
}

static bool parse(const char *text, size_t len, struct network *out)
{
	const char *slash = memchr(text, '/', len);
	size_t address_len = slash ? (size_t)(slash - text) : len;

	if (!parse_address(text, address_len, out))
		return false;
	return !slash ||
		parse_bits(slash + 1, len - address_len - 1, out);
}

static bool is_mapped(const uint8_t *bytes)
{
	static const uint8_t prefix[12] = {[10] = 0xff, [11] = 0xff};

	return memcmp(bytes, prefix, sizeof(prefix)) == 0;
}

/* Addresses in the mapped form are looked up as IPv4; a network in that form
 * would otherwise never match. */
static void unmap(struct network *network)
{
	if (network->family != AF_INET6 || network->bits < MAPPED_BITS ||
		!is_mapped(network->bytes))
		return;
	network->family = AF_INET;
	network->bits = (uint8_t)(network->bits - MAPPED_BITS);
	memmove(network->bytes, network->bytes + 12, 4);
	memset(network->bytes + 4, 0, 12);
}

/* The bits of byte number at that belong to the prefix. */
static uint8_t mask_of(unsigned bits, size_t at)
{
	if (bits >= 8 * (at + 1))
		return 0xff;
	if (bits <= 8 * at)
		return 0;
	return (uint8_t)(0xff << (8 - bits % 8));
}

bool network_widen(struct network *network, unsigned bits)
{
	bool cleared = false;

	for (size_t i = 0; i < sizeof(network->bytes); i++) {
		uint8_t mask = mask_of(bits, i);

		if (network->bytes[i] & ~mask)
			cleared = true;
		network->bytes[i] &= mask;
	}
	network->bits = (uint8_t)bits;
	return cleared;
}

int network_parse(const char *text, size_t len, struct network *out, char *err,
	size_t err_size)
{
	char meant[NETWORK_TEXT_SIZE];

	if (!parse(text, len, out)) {
		snprintf(err, err_size,
			"\"%.*s\" is not an address or a network",
			len < 100 ? (int)len : 100, text);
		return -1;
	}
	unmap(out);
	if (!network_widen(out, out->bits))
		return 0;
	network_text(out, meant);
	snprintf(err, err_size,
		"\"%.*s\" has bits set beyond its prefix; the network is %s",
		(int)len, text, meant);
	return -1;
}

/* Copies out of address, which may be stored with any alignment. */
bool network_of(const struct sockaddr *address, struct network *out)
{
	struct sockaddr_in in;
	struct sockaddr_in6 in6;

	memset(out, 0, sizeof(*out));
	if (!address)
		return false;
	if (address->sa_family == AF_INET) {
		memcpy(&in, address, sizeof(in));
		memcpy(out->bytes, &in.sin_addr, sizeof(in.sin_addr));
	} else if (address->sa_family == AF_INET6) {
		memcpy(&in6, address, sizeof(in6));
		memcpy(out->bytes, &in6.sin6_addr, sizeof(in6.sin6_addr));
	} else {
		return false;
	}
	out->family = (uint8_t)address->sa_family;
	out->bits = (uint8_t)network_bits(out->family);
	unmap(out);
	return true;
}

bool network_contains(const struct network *network, const struct network *one)
{
	size_t whole = network->bits / 8;
	uint8_t mask = mask_of(network->bits, whole);

	if (network->family != one->family || network->bits > one->bits ||
		memcmp(network->bytes, one->bytes, whole) != 0)
		return false;
	return mask == 0 || network->bytes[whole] == (one->bytes[whole] & mask);
}

void network_text(const struct network *network, char out[NETWORK_TEXT_SIZE])
{
	size_t len;

	inet_ntop(network->family, network->bytes, out, NETWORK_TEXT_SIZE);
	if (network->bits == network_bits(network->family))
		return;
	len = strlen(out);
	snprintf(out + len, NETWORK_TEXT_SIZE - len, "/%u", network->bits);
}

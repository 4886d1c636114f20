#include "policy/netset.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "policy/memory.h"

/* bytes and bits of one family; IPv4 uses the first four bytes. */
struct network {
	sa_family_t family;
	uint8_t bytes[16];
	unsigned bits;
};

struct netset {
	struct network *networks; /* owned */
	size_t count;
};

enum { MAPPED_BITS = 96 }; /* ::ffff:0:0/96 (RFC 4291 2.5.5.2) */

struct netset *netset_new(void)
{
	return memory_new(sizeof(struct netset));
}

void netset_free(struct netset *netset)
{
	if (!netset)
		return;
	free(netset->networks);
	free(netset);
}

static unsigned family_bits(sa_family_t family)
{
	return family == AF_INET ? 32 : 128;
}

static bool parse_address(const char *text, size_t len, struct network *out)
{
	char address[INET6_ADDRSTRLEN];

	if (len >= sizeof(address))
		return false;
	memcpy(address, text, len);
	address[len] = '\0';
	out->family = memchr(text, ':', len) ? AF_INET6 : AF_INET;
	out->bits = family_bits(out->family);
	return inet_pton(out->family, address, out->bytes) == 1;
}

/* Digits alone, no sign, no leading zero (an octal habit): "0" to the most
 * that the family has. */
static bool parse_bits(const char *text, struct network *out)
{
	unsigned bits = 0;

	if (*text == '\0' || (text[0] == '0' && text[1] != '\0'))
		return false;
	for (; *text; text++) {
		if (*text < '0' || *text > '9')
			return false;
		bits = bits * 10 + (unsigned)(*text - '0');
		if (bits > family_bits(out->family))
			return false;
	}
	out->bits = bits;
	return true;
}

static bool parse(const char *text, struct network *out)
{
	size_t len = strcspn(text, "/");

	if (!parse_address(text, len, out))
		return false;
	return text[len] == '\0' || parse_bits(text + len + 1, out);
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
	network->bits -= MAPPED_BITS;
	memmove(network->bytes, network->bytes + 12, 4);
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

/* Whether anything was left to clear. */
static bool clear_host_bits(struct network *network)
{
	bool cleared = false;

	for (size_t i = 0; i < family_bits(network->family) / 8; i++) {
		uint8_t mask = mask_of(network->bits, i);

		if (network->bytes[i] & ~mask)
			cleared = true;
		network->bytes[i] &= mask;
	}
	return cleared;
}

static int refuse_host_bits(const char *text, const struct network *meant,
	char *err, size_t err_size)
{
	char address[INET6_ADDRSTRLEN];

	inet_ntop(meant->family, meant->bytes, address, sizeof(address));
	snprintf(err, err_size,
		"\"%s\" has bits set beyond its prefix; the network is %s/%u",
		text, address, meant->bits);
	return -1;
}

int netset_add(
	struct netset *netset, const char *text, char *err, size_t err_size)
{
	struct network network = {0};

	if (!parse(text, &network)) {
		snprintf(err, err_size,
			"\"%.100s\" is not an address or a network", text);
		return -1;
	}
	unmap(&network);
	if (clear_host_bits(&network))
		return refuse_host_bits(text, &network, err, err_size);
	netset->networks =
		memory_grow(netset->networks, netset->count, sizeof(network));
	netset->networks[netset->count++] = network;
	return 0;
}

/* Copies out of address, which may be stored with any alignment. */
static bool read_address(const struct sockaddr *address, struct network *out)
{
	struct sockaddr_in in;
	struct sockaddr_in6 in6;

	if (!address)
		return false;
	out->family = address->sa_family;
	if (address->sa_family == AF_INET) {
		memcpy(&in, address, sizeof(in));
		memcpy(out->bytes, &in.sin_addr, sizeof(in.sin_addr));
	} else if (address->sa_family == AF_INET6) {
		memcpy(&in6, address, sizeof(in6));
		memcpy(out->bytes, &in6.sin6_addr, sizeof(in6.sin6_addr));
	} else {
		return false;
	}
	out->bits = family_bits(out->family);
	unmap(out);
	return true;
}

static bool contains(const struct network *network, const struct network *one)
{
	size_t whole = network->bits / 8;
	uint8_t mask = mask_of(network->bits, whole);

	if (network->family != one->family ||
		memcmp(network->bytes, one->bytes, whole) != 0)
		return false;
	return mask == 0 || network->bytes[whole] == (one->bytes[whole] & mask);
}

/* One by one: the sources of a rule are a handful. */
bool netset_match(const struct netset *netset, const struct sockaddr *address)
{
	struct network one = {0};

	if (!read_address(address, &one))
		return false;
	for (size_t i = 0; i < netset->count; i++)
		if (contains(&netset->networks[i], &one))
			return true;
	return false;
}

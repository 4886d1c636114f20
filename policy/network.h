/*
 * network.h - addresses that share their first bits.
 *
 * "10.0.0.0/8", "2001:db8::/32"; an address is the network of itself. What is in
 * the IPv4-mapped form (::ffff:10.0.0.0/104) is read as the IPv4 that it stands
 * for. Host bits that are set beyond the prefix are an error: they are a typing
 * mistake that would silently mean another network.
 *
 * Owns:    nothing.
 * Threads: any.
 */
#ifndef POLICY_NETWORK_H
#define POLICY_NETWORK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct sockaddr;

enum { NETWORK_TEXT_SIZE = 64 }; /* room for any network as text */

/* bytes beyond the prefix are zero; IPv4 uses the first four. */
struct network {
	uint8_t family; /* AF_INET, AF_INET6 */
	uint8_t bits;   /* of the prefix */
	uint8_t bytes[16];
};

/* network_parse reads the len bytes at text, an address or a network. What is
 * neither, or has host bits set, is refused with a sentence in err. */
int network_parse(const char *text, size_t len, struct network *out, char *err,
	size_t err_size) __attribute__((warn_unused_result));

/* network_of gives the network of an address alone; false: it is neither IPv4 nor
 * IPv6, or NULL. */
bool network_of(const struct sockaddr *address, struct network *out);

/* network_bits is how many bits the addresses of a family have. */
unsigned network_bits(uint8_t family);

/* network_widen keeps bits of the prefix, which has no fewer; the others become
 * zero. It says whether any was not. */
bool network_widen(struct network *network, unsigned bits);

/* network_contains says whether all of one is in network. */
bool network_contains(const struct network *network, const struct network *one);

/* network_text writes "10.0.0.0/8", and of an address the address alone. */
void network_text(const struct network *network, char out[NETWORK_TEXT_SIZE]);

#endif

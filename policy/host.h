/*
 * host.h - one spelling for every name.
 *
 * Rules, caches and certificates compare names byte by byte, so every name
 * that comes from outside (CONNECT, SNI, Host, the configuration) is first
 * brought to one form:
 *
 *   a name     lower case, no trailing dot, A-labels (IDNA 2008, RFC 5891),
 *              at most 253 bytes, labels of 1 to 63 of [a-z0-9_-]
 *   an address IPv4 as a dotted quad, IPv6 as RFC 5952 writes it, without
 *              brackets; IPv4-mapped IPv6 becomes IPv4
 *
 * A "name" that resolvers would read as a number (last label all digits, or
 * 0x and hex digits: "127.1", "2130706433", "0x7f.1") is refused unless it is
 * a plain dotted quad: else it would pass the rules as a name and be dialled
 * as an address.
 *
 * Real hosts have underscores and hyphens at odd places; these pass. So does
 * every A-label that could be Punycode, registered today or not: whether it
 * exists is for the resolver to say. Percent signs (escapes, zone ids), NUL,
 * controls and spaces never pass.
 *
 * Owns:    nothing.
 * Threads: any.
 * Errors:  HOST_BAD; the caller knows where the name came from.
 */
#ifndef POLICY_HOST_H
#define POLICY_HOST_H

#include <stddef.h>

enum { HOST_SIZE = 256 }; /* room for any normalized host and its NUL */

enum host_kind {
	HOST_BAD = -1,
	HOST_NAME = 1,
	HOST_ADDRESS = 2,
};

/* host_normalize writes the one spelling of the len bytes at in (UTF-8; more
 * than 1024 are refused), NUL-ended, to out and says what it is. An IPv6
 * address may come in brackets. What it has written it writes again as it is.
 * out may be in. On HOST_BAD out is the empty string. */
enum host_kind host_normalize(const char *in, size_t len, char out[HOST_SIZE])
	__attribute__((warn_unused_result));

#endif

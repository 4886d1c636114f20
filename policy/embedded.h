/*
 * embedded.h - IPv4 addresses that an IPv6 address stands for.
 *
 * 64:ff9b::192.0.2.7 (NAT64, RFC 6052), 2002:c000:207:: (6to4, RFC 3056),
 * ::192.0.2.7 and ::ffff:0:192.0.2.7 (RFC 4291, 2765) may lead to 192.0.2.7. Where
 * in NAT64's local prefix, 64:ff9b:1::/48, the address stands is each network's own
 * choice (RFC 8215), so there are several. The mapped form is not among these: it
 * is the IPv4 address itself (network.h).
 *
 * Owns:    nothing.
 * Threads: any.
 */
#ifndef POLICY_EMBEDDED_H
#define POLICY_EMBEDDED_H

#include <netinet/in.h>
#include <stddef.h>

enum { EMBEDDED_MAX = 4 };

/* embedded_find says how many there are in address, which may be NULL. */
size_t embedded_find(const struct sockaddr *address,
	struct sockaddr_in out[EMBEDDED_MAX]);

#endif

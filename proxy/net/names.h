/*
 * names.h - what name servers have answered, kept for as long as it is good.
 *
 * For resolve.c alone. An answer comes in two halves, IPv6 and IPv4, each with
 * a life of its own; they are kept together until the first of them ends:
 *
 *   addresses        their TTL, 1 s to 5 min
 *   no such address  5 s; but the other half's TTL when that has addresses,
 *                    since most names have none of IPv6 and never will
 *   a failure        1 s
 *
 * At most max names; the one not used for longest goes first.
 *
 * Threads: one.
 */
#ifndef PROXY_NET_NAMES_H
#define PROXY_NET_NAMES_H

#include <stddef.h>
#include <stdint.h>

#include "proxy/net/resolve.h"

enum { NAME_SIZE = 256 }; /* a name of 253 bytes, a dot, a NUL */

struct ip { /* IPv6, or IPv4 in the first four bytes */
	uint8_t at[16];
};

struct half { /* the answer for one family */
	enum resolve_status status;
	unsigned ttl_s; /* of addresses */
	size_t num;
	struct ip ips[RESOLVE_MAX];
};

struct kept;

struct names { /* zeroed but for max: empty */
	struct kept *all; /* owned; hash, least recently used first */
	unsigned max;
};

void names_clear(struct names *names);

/* names_keep copies an answer in; an older one of that name goes. */
void names_keep(struct names *names, const char *name, const struct half *v6,
	const struct half *v4, uint64_t now_ms);

/* names_find copies the answer for name out (without TTLs), if there is one
 * and it is still good. */
bool names_find(struct names *names, const char *name, uint64_t now_ms,
	struct half *v6, struct half *v4);

#endif

/*
 * address.h - which addresses may be dialled, and for whom.
 *
 * A proxy that dials whatever a name resolves to is a way into the machine it
 * runs on. So each resolved address is checked at the moment it is dialled,
 * never the name alone:
 *
 *   - our own listeners: refused for everybody (loops);
 *   - loopback, unspecified, link-local, cloud metadata (169.254.0.0/16,
 *     fd00:ec2::/32 ...), multicast, and the IPv4-mapped, -compatible and
 *     -translated, 6to4 and NAT64 (64:ff9b::/96, 64:ff9b:1::/48) forms of
 *     them: refused unless the client is itself on this machine, or the
 *     configuration sends the connection there (origin.connect-to).
 *     Multicast and broadcast are refused always.
 *
 * Threads: any; build own_listeners on one thread first.
 */
#ifndef PROXY_NET_ADDRESS_H
#define PROXY_NET_ADDRESS_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

/* An address of either family, in a quarter of what a sockaddr_storage takes.
 * Zeroed: none. */
union address {
	struct sockaddr any;
	struct sockaddr_in in4;
	struct sockaddr_in6 in6;
};

struct own_listeners {
	struct sockaddr_storage *at; /* owned */
	size_t num;
};

enum address_verdict {
	ADDRESS_FINE,
	ADDRESS_NOT_ALLOWED, /* loopback, link-local, metadata ... */
	ADDRESS_OURS,        /* one of our listeners */
};

/* own_listeners_init copies the listeners' addresses. A wildcard address stands
 * for all that this machine has at the time of a check. */
void own_listeners_init(struct own_listeners *own,
	const struct sockaddr_storage *listeners, size_t num);
void own_listeners_clear(struct own_listeners *own);

/* address_check judges a destination with its port. own may be NULL: no
 * listeners. client_local: the client is on this machine. configured: the
 * configuration names this destination. */
enum address_verdict address_check(const struct own_listeners *own,
	const struct sockaddr *destination, bool client_local, bool configured);

/* address_is_loopback: this machine alone is there, 127.0.0.0/8 or ::1. */
bool address_is_loopback(const struct sockaddr *address);

/* address_client_is_local: the peer is a loopback address, or the same as the
 * connection's own local end. */
bool address_client_is_local(const struct sockaddr *peer,
	const struct sockaddr *local);

/* address_text writes "192.0.2.1" or "2001:db8::1" (IPv4-mapped as IPv4). */
void address_text(const struct sockaddr *address, char out[46]);

/* address_with_port writes "a.example:443" or "[2001:db8::1]:443"; host is a
 * name or an address in text, without brackets. */
void address_with_port(const char *host, uint16_t port, char *out, size_t size);

uint16_t address_port(const struct sockaddr *address);
/* address_equal: address and port (and scope); IPv4-mapped is IPv4. */
bool address_equal(const struct sockaddr *a, const struct sockaddr *b);
socklen_t address_len(const struct sockaddr *address);

#endif

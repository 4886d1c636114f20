/*
 * dial.h - a name and a port to a connected socket.
 *
 * Happy Eyeballs (RFC 8305): families interleaved, IPv6 first, the next
 * attempt 250 ms after the one before or as soon as it fails; the first that
 * connects wins, the others are closed. Each address is checked (address.h) at
 * the moment it is dialled; those not allowed are passed over, and when none is
 * left that is the result. When only one family's addresses are known, dialling
 * begins with them while the other's are awaited.
 *
 * Owns:    the attempts' sockets until the winner is handed over.
 * Threads: one, the loop's.
 */
#ifndef PROXY_NET_DIAL_H
#define PROXY_NET_DIAL_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>
#include <uv.h>

#include "proxy/net/address.h"
#include "proxy/net/resolve.h"

struct dial;

enum dial_status {
	DIAL_OK,
	DIAL_NO_NAME,
	DIAL_DNS_FAILED,
	DIAL_DNS_TIMEOUT,
	DIAL_NOT_ALLOWED,  /* every address is one that address.h refuses */
	DIAL_OURS,         /* one of the addresses is our own listener's */
	DIAL_REFUSED,      /* ECONNREFUSED */
	DIAL_UNREACHABLE,  /* no route, network or host unreachable */
	DIAL_TIMEOUT,
	DIAL_NO_RESOURCES, /* no descriptors, no ports */
};

struct dial_order {
	const char *host;              /* normalized; copied */
	uint16_t port;
	/* Where the client really went (transparent): dialled, at port, instead
	 * of what the name resolves to. NULL: resolve. Copied. */
	const struct sockaddr *address;
	const struct own_listeners *own; /* borrowed until done */
	bool client_local, configured;   /* for address_check */
	/* No other address is dialled, whatever the name leads to by now; NULL:
	 * any. Copied. */
	const struct addresses *only;
	unsigned timeout_ms;             /* names and connecting together */
};

/* When it is done: tcp is the connected socket (a handle on the heap, the
 * callee's now) and peer its address on DIAL_OK, else both are NULL. The worst
 * failure wins in the order: no resources, timeout, our own listener, refused,
 * unreachable, not allowed; the name's own first. */
typedef void dial_done(void *arg, enum dial_status status, uv_tcp_t *tcp,
	const struct sockaddr *peer);

/* dial_start begins; done is called exactly once, never from inside, unless
 * dial_cancel comes first. The dial frees itself after either. */
struct dial *dial_start(uv_loop_t *loop, struct resolver *resolver,
	const struct dial_order *order, dial_done *done, void *arg);
void dial_cancel(struct dial *dial);

#endif

/*
 * whereabouts.h - where clients find the proxy, as our pages tell them.
 *
 * Told is the address that this client came to; or the name it came by, where that
 * is the proxy's own at that port: the one that CDPs name, this machine's, and on
 * this machine localhost. Any other name is the client's word alone, or that of
 * whoever led it here: a PAC file that repeats it would send browsers there.
 *
 * Threads: any.
 */
#ifndef PROXY_SESSION_WHEREABOUTS_H
#define PROXY_SESSION_WHEREABOUTS_H

#include <stdbool.h>

#include "proxy/config/config.h"
#include "proxy/net/address.h"

/* How a client came. */
struct came {
	const struct sockaddr *to; /* our end of it, on listen.proxy; NULL: came
	                            * otherwise */
	bool local;                /* it is on this machine */
	const char *host;          /* normalized: by which name; "": none */
	uint16_t port;
};

/* whereabouts_tell writes "host:port". */
void whereabouts_tell(const struct config *config, const struct came *came,
	char out[PROXY_ADDRESS_SIZE]);

#endif

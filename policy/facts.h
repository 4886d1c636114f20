/*
 * facts.h - what is known of a connection when it is decided.
 *
 * Everything is borrowed for the length of the call. User, groups and URL
 * join here when there are rules that ask for them.
 */
#ifndef POLICY_FACTS_H
#define POLICY_FACTS_H

#include <stdbool.h>
#include <stdint.h>

struct sockaddr;

struct facts {
	const struct sockaddr *source; /* the client's address; NULL: unknown */
	const char *host;              /* normalized (host.h), never NULL */
	const char *address;           /* where it was going, whatever it calls
	                                * that, as host.h writes addresses;
	                                * NULL: nowhere else than to host */
	uint16_t port;                 /* of the destination, host order */
	bool tls;                      /* the ClientHello has been read */
	bool has_sni;                  /* ... and it named a host */
};

#endif

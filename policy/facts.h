/*
 * facts.h - what is known of a connection, or of a request, when it is decided.
 *
 * Everything is borrowed for the length of the call. What is not known is not
 * known: it is in no set, and a rule that lets traffic pass is not met by a
 * `not:` of it either (policy.h).
 */
#ifndef POLICY_FACTS_H
#define POLICY_FACTS_H

#include <stdbool.h>
#include <stdint.h>
#include <time.h>

struct sockaddr;

/* How an origin's certificate verified. */
enum certificate {
	CERTIFICATE_UNKNOWN, /* nobody has seen it, or there is none */
	CERTIFICATE_TRUSTED,
	CERTIFICATE_EXPIRED,
	CERTIFICATE_NOT_YET_VALID,
	CERTIFICATE_WRONG_HOST,
	CERTIFICATE_NO_SAN,
	CERTIFICATE_SELF_SIGNED,
	CERTIFICATE_UNKNOWN_ISSUER,
	CERTIFICATE_INCOMPLETE_CHAIN,
	CERTIFICATE_WEAK_SIGNATURE,
	CERTIFICATE_WEAK_KEY,
	CERTIFICATE_WRONG_PURPOSE,
	CERTIFICATE_MALFORMED,
	CERTIFICATE_INVALID,
	CERTIFICATES,
};

struct facts {
	const struct sockaddr *source; /* the client's address; NULL: unknown */
	const char *user;              /* NULL: nobody */
	const char *user_agent;        /* CONNECT's, or of URL rules the
	                                * request's; NULL: none was given */
	time_t now;                    /* of day */

	const char *host;              /* normalized (host.h), never NULL */
	const char *address;           /* where it was going, whatever it calls
	                                * that, as host.h writes addresses;
	                                * NULL: nowhere else than to host */
	uint16_t port;                 /* of the destination, host order */
	const struct sockaddr *destination; /* what host resolves to, one of
	                                * them; NULL: unknown. An IPv4 address
	                                * in it (embedded.h) is one, too */
	bool tls;                      /* the ClientHello has been read */
	bool has_sni;                  /* ... and it named a host */

	/* For URL rules. */
	const char *method;            /* "GET"; NULL: unknown, tunnelled */
	const char *path;              /* one of its readings (path.h);
	                                * NULL: unknown, tunnelled */
	enum certificate certificate;
};

#endif
